"""Languages: their BCP 47 tags and names, and a customer's, as their words show it."""

import re
from collections.abc import Callable, Collection, Sequence

from msgspec import Struct

NOTICE_LANGUAGES = ("ro", "en", "de", "fr", "hu", "it", "es", "uk")
"""The languages that the server's own texts exist in."""
FALLBACK_LANGUAGE = "en"
"""The language of the server's own texts for who speaks none of these."""

RankLanguages = Callable[[str], Sequence[tuple[str, float]]]
"""Returns languages (primary subtags) and their probabilities, which add up to 1 over all."""
DetectLanguage = Callable[[str, str | None], str | None]
"""Returns the language that a text shows; None: none for sure, or the known one, its second
argument."""

MAX_TAG = 35
"""Characters of a tag."""
MIN_PLAIN_WORDS = 2
"""The words that must not be written as names are: an address, or who somebody is, shows little."""
MAX_DETECTION_CHARS = 500
"""The beginning of a text that its language is detected from."""


class _Evidence(Struct, frozen=True, kw_only=True):
    """The evidence that a text must give of a language."""

    words: int
    """The words that it must have: thanks and names of products are shorter."""
    share: float
    """The language's probability among those in question."""
    total: float
    """The probability of all languages in question, against all others."""


# Measured on short texts in all of them, on names, and on texts in other languages.
_FIRST = _Evidence(words=3, share=0.7, total=0.4)
_CHANGE = _Evidence(words=5, share=0.9, total=0.5)

_is_tag = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*").fullmatch
_core = re.compile(
    r"[A-Za-z]{2,3}(-[A-Za-z]{4}(?![A-Za-z0-9]))?(-([A-Za-z]{2}|[0-9]{3})(?![A-Za-z0-9]))?"
).match
# Addresses, numbers and codes are of no language.
_token = re.compile(r"\S+").findall
_is_code = re.compile(r"[\d@/\\_]|\w\.\w").search
_words = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*").findall

_OWN_LETTERS = {
    "ro": "ăĂșȘțȚşŞţŢ",
    "de": "äÄß",
    "hu": "őŐűŰ",
    "uk": "іІїЇєЄґҐ",
}
"""Letters that no other language of the notices writes."""
_with_own_letters = {
    language: re.compile(f"[{letters}]").search for language, letters in _OWN_LETTERS.items()
}

_NAMES = {
    "ar": "Arabic",
    "bg": "Bulgarian",
    "bs": "Bosnian",
    "ca": "Catalan",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "et": "Estonian",
    "eu": "Basque",
    "fa": "Persian",
    "fi": "Finnish",
    "fr": "French",
    "ga": "Irish",
    "gl": "Galician",
    "he": "Hebrew",
    "hi": "Hindi",
    "hr": "Croatian",
    "hu": "Hungarian",
    "hy": "Armenian",
    "id": "Indonesian",
    "is": "Icelandic",
    "it": "Italian",
    "ja": "Japanese",
    "ka": "Georgian",
    "ko": "Korean",
    "lt": "Lithuanian",
    "lv": "Latvian",
    "mk": "Macedonian",
    "mt": "Maltese",
    "nb": "Norwegian",
    "nl": "Dutch",
    "nn": "Norwegian Nynorsk",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sk": "Slovak",
    "sl": "Slovenian",
    "sq": "Albanian",
    "sr": "Serbian",
    "sv": "Swedish",
    "th": "Thai",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "ur": "Urdu",
    "vi": "Vietnamese",
    "zh": "Chinese",
}


def lookup(tag: str, available: Collection[str]) -> str | None:
    """Return the language for a tag, by the lookup of RFC 4647, section 3.4; None: there is none.

    `available`: tags in lower case. `de-AT` finds `de`.
    """
    subtags = tag.lower().split("-")
    while subtags:
        if (found := "-".join(subtags)) in available:
            return found
        subtags.pop()
        if subtags and len(subtags[-1]) == 1:
            subtags.pop()
    return None


def language_tag(text: str | None) -> str | None:
    """Return language, script and region of a BCP 47 tag that a client names; None: it is none.

    The rest of a tag, which the AI would read, is left out: anything can stand there.
    """
    if text is None or len(text) > MAX_TAG or _is_tag(text) is None:
        return None
    found = _core(text)
    return found[0] if found is not None else None


def language_name(tag: str) -> str:
    """Return the English name of a language, `German (de-AT)`; the tag where it is not known."""
    found = lookup(tag, _NAMES)
    if found is None:
        return tag
    return _NAMES[found] if found == tag.lower() else f"{_NAMES[found]} ({tag})"


def language_detector(
    rank: RankLanguages, business_language: str, named: str | None = None
) -> DetectLanguage:
    """Return what detects the languages of the notices, and the business's own.

    A text in the business's own language gives the business's tag: `de-AT`. `named`: the language
    that the client names, which it is as long as nothing else is known.
    """
    own = _primary(business_language)

    def detect(text: str, known: str | None) -> str | None:
        found = shown(text, known)
        return other_than(business_language, named) if found is None and known is None else found

    def shown(text: str, known: str | None) -> str | None:
        evidence = _FIRST if known is None else _CHANGE
        tokens = _token(text[:MAX_DETECTION_CHARS])
        words = [word for token in tokens if not _is_code(token) for word in _words(token)]
        if len(words) < evidence.words or sum(map(_is_plain, words)) < MIN_PLAIN_WORDS:
            return None
        if known is not None and own in NOTICE_LANGUAGES and _is_written_in(words, known):
            return None
        probabilities = dict(rank(" ".join(words)))
        found, share, total = _likeliest(probabilities, {*NOTICE_LANGUAGES, own})
        if total < evidence.total or share < evidence.share * total:
            return None
        if known is not None and found == _primary(known):
            return None
        return business_language if found == own else found

    return detect


def _is_written_in(words: Sequence[str], known: str) -> bool:
    """Return True if so many words have letters of the known language alone that it is no other:
    more than a third of all, and two that are written as no names are.

    It spares the ranking, which costs more than the rest of a turn's first half.
    """
    has_own = _with_own_letters.get(_primary(known))
    if has_own is None:
        return False
    theirs = [word for word in words if has_own(word)]
    return len(theirs) * 3 > len(words) and sum(map(_is_plain, theirs)) >= MIN_PLAIN_WORDS


def other_than(business_language: str, named: str | None) -> str | None:
    """Return the language that a client names; None: it is the business's own, or none."""
    if named is None or _primary(named) == _primary(business_language):
        return None
    return named


def _is_plain(word: str) -> bool:
    return not word[0].isupper() or word.isupper()


def _primary(tag: str) -> str:
    return tag.lower().partition("-")[0]


def _likeliest(
    probabilities: dict[str, float], languages: Collection[str]
) -> tuple[str, float, float]:
    """Return the likeliest of `languages`, its probability, and that of all of them."""
    found = {language: probabilities.get(language, 0.0) for language in languages}
    best = max(found, key=found.__getitem__)
    return best, found[best], sum(found.values())
