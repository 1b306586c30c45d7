"""Text from anywhere, made fit to be stored and sent: the one place where that is decided."""

import re
import unicodedata

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# Default_Ignorable_Code_Point (Unicode 17, DerivedCoreProperties.txt), and the braille blank.
_UNSEEN = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_VISIBLE = re.compile(rf"[^\s{_UNSEEN}]")
# Visible characters, blanks between them, and what shows only after some: a joiner after an emoji
# or a letter of a script that has joiners, and the choice between two forms of a symbol.
_is_name = re.compile(
    rf"(?:[^\s\x00-\x1f\x7f-\x9f\ud800-\udfff{_UNSEEN}]"
    r"|[^\S\x00-\x1f\x7f-\x9f\u2028\u2029]"
    r"|(?<=[^\s\x00-\u052f\u1e00-\u1fff\u200c\u200d])[\u200c\u200d]"
    r"|(?<=[^\w\s\x00-\x7f\u200c\u200d\ufe0e\ufe0f])[\ufe0e\ufe0f])+"
).fullmatch

MAX_PERSON_NAME = 128
"""The longest name of a person, in characters."""


def plain_text(text: str) -> str:
    """Return the text without control characters but newline and tab, as well-formed Unicode.

    Two halves of a surrogate pair become their character, a half without the other U+FFFD.
    """
    if text.isprintable():  # neither has it any of them
        return text
    if not text.isascii():
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _CONTROLS.sub("", text)


def is_blank(text: str) -> bool:
    """Return True if a reader would see nothing: white space and invisible characters alone."""
    return _VISIBLE.search(text) is None


def note_text(text: str | None) -> str | None:
    """Return an optional text as `plain_text`, trimmed; None: there is none, or it is blank."""
    note = plain_text(text).strip() if text is not None else ""
    return None if is_blank(note) else note


def person_name(text: str) -> str | None:
    """Return a person's name of 1–128 characters on one line, in any script; None: it is none.

    In normal form (NFC) and with single blanks: spellings that look alike are one name. None with
    control characters, invisible ones, or those that turn the direction of a text.
    """
    text = unicodedata.normalize("NFC", text)
    name = " ".join(text.split()) if _is_name(text.strip()) else ""
    return name if 0 < len(name) <= MAX_PERSON_NAME and not is_blank(name) else None


_marks = re.compile("[\u0300-\u036f]")


def folded(text: str) -> str:
    """Return a text to compare words by: in lower case and without diacritics."""
    if text.isascii():
        return text.lower()
    return _marks.sub("", unicodedata.normalize("NFD", text.casefold()))


def shortened(text: str, most: int) -> str:
    """Return a text of at most `most` characters; where it is cut, the last one is `…`."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
