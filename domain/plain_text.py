"""Text from anywhere, made fit to be stored and sent: the one place where that is decided."""

import re
import unicodedata

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# Default_Ignorable_Code_Point (Unicode 17, DerivedCoreProperties.txt), and the braille blank.
_VISIBLE = re.compile(
    r"[^\s"
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "]"
)


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


_marks = re.compile("[\u0300-\u036f]")


def folded(text: str) -> str:
    """Return a text to compare words by: in lower case and without diacritics."""
    if text.isascii():
        return text.lower()
    return _marks.sub("", unicodedata.normalize("NFD", text.casefold()))
