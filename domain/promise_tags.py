"""Read the sentences of an answer as tags: a letter for the group of each word.

Punctuation stands for itself, `-` for a word of no group (`domain.promise_words`).
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache

from domain.promise_words import COMMON, ENDINGS, WORDS

_TAGS = {
    "staff": "s",
    "self": "i",
    "you": "y",
    "your": "O",
    "you_did": "u",
    "i_have": "a",
    "have": "h",
    "was": "b",
    "is": "e",
    "are": "E",
    "now": "j",
    "soon": "J",
    "deed": "d",
    "past": "p",
    "i_did": "x",
    "done": "z",
    "will": "f",
    "you_will": "Y",
    "contact": "c",
    "contact_or_step": "V",
    "come": "W",
    "contacted": "C",
    "reply": "H",
    "put": "P",
    "touch": "K",
    "transfer": "t",
    "asking": "A",
    "ask": "k",
    "not": "n",
    "may": "m",
    "if": "q",
    "after": "w",
    "offer": "o",
    "looked_up": "l",
    "past_time": "L",
    "usually": "g",
    "said": "r",
    "that": "T",
    "step": "v",
    "and": "&",
    "person": "R",
    "fact": "I",
    "lack": "N",
    "please": "B",
    "plural": "M",
    "new": "D",
    "which": "Q",
    "towards": "G",
    "plain": "-",
}
_PUNCTUATION = {
    **dict.fromkeys(".!…\n", "."),
    **dict.fromkeys(",;()–—", ","),
    "?": "?",
    ":": ":",
}

_token = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|[.,;:!?()…\n–—]|\d+(?:[.,:/]\d+)*").findall
_address = re.compile(r"(?:https?://|www\.)\S+|\b\w[\w.+-]{0,63}@[\w.-]+").sub
# A full stop that ends no sentence: before a small letter or a comma, or after a title.
_abbreviated = re.compile(
    r"\.(?:(?=,|\s[^\W\d_A-ZÀ-ÞĂÂÎȘȚŐŰА-ЯІЇЄҐ])"
    r"|(?<=\b[DdMmSs][lrs]\.)|(?<=\b(?:[Dd]na|[Mm]rs|[Mm]me|[Ss]ra|[Ss]ig)\.))"
).sub
_QUOTES = '"„“”«»'
_quoted = re.compile('["„“«][^"„“”«»]*["”“»]')
_decomposed = re.compile("[^\\W\\d_][\u0300-\u036f]{1,2}").sub
_marks = re.compile("[\u0300-\u036f]")
_SPELLINGS = {
    **dict.fromkeys("\u2019\u02bc\u2032`\u00b4", "'"),
    "\u015f": "\u0219",
    "\u0163": "\u021b",
}
_misspelled = re.compile(f"[{''.join(_SPELLINGS)}]").sub
_COMMON = {language: frozenset(words.split()) for language, words in COMMON.items()}
_FOREIGN = {
    language: frozenset().union(*_COMMON.values()) - common for language, common in _COMMON.items()
}
MIN_LEAD = 3
"""The common words by which another language must outnumber the conversation's."""
MIN_WORDS = 8
"""A text this long has a common word, in any language of the tables."""
LONGEST = 40
"""Longer words are plain, so that a hostile text fills no memory with them."""
_UNMARKED = {"ro"}
"""Languages that many people write without diacritics, or with some of them."""
_MARKED = {"fr", "es"}
"""Languages in which diacritics alone tell "I cancelled" from "cancel"."""
_parts = re.compile("[-_]").split
_sentence = re.compile(r"[^.?]+\??").findall


def _without_marks(text: str) -> str:
    """Return a text without diacritics, as many people write it."""
    return _marks.sub("", unicodedata.normalize("NFD", text)).replace("ß", "ss")


class _Tagger:
    """Gives each word of a language the tag of its group."""

    def __init__(self, language: str) -> None:
        self._tags: dict[str, str] = dict(_PUNCTUATION)
        self._beginnings: dict[str, str] = {}
        self._endings: dict[str, str] = {}
        self._phrases: dict[str, dict[str, list[tuple[list[str], str]]]] = {}
        """By their first and second words; the longest first."""
        endings = ENDINGS.get(language, ("",))
        entries = [
            (entry, _TAGS[group])
            for group, written in WORDS[language].items()
            for entry in written.split()
        ]
        self._reads = _without_marks if language in _UNMARKED else str
        # A word as it is written comes before one without diacritics, a whole word before a stem.
        forms = {self._reads, str if language in _MARKED else _without_marks}
        for form in sorted(forms, key=lambda form: form is not self._reads):
            for entry, tag in sorted(entries, key=lambda each: each[0].endswith("+")):
                self._add(form(entry), tag, endings)
        for by_second in self._phrases.values():
            for phrases in by_second.values():
                phrases.sort(key=lambda phrase: -len(phrase[0]))
        self._lengths = range(max(map(len, self._beginnings), default=0), 0, -1)
        self._ends = range(max(map(len, self._endings), default=0), 0, -1)
        self.tag = lru_cache(maxsize=4_096)(self._find)

    def _add(self, entry: str, tag: str, endings: tuple[str, ...]) -> None:
        forms = [entry[:-1] + end for end in endings] if entry.endswith("+") else [entry]
        for form in forms:
            first, *rest = _parts(form)
            if rest:
                by_second = self._phrases.setdefault(first, {})
                by_second.setdefault(rest[0], []).append((rest, tag))
            elif form.endswith("*"):
                self._beginnings.setdefault(form[:-1], tag)
            elif form.startswith("*"):
                self._endings.setdefault(form[1:], tag)
            else:
                self._tags.setdefault(form, tag)

    def _find(self, word: str) -> str:
        tag = self._tags.get(word)
        if tag is not None:
            return tag
        for length in self._lengths:
            if (tag := self._beginnings.get(word[:length])) is not None:
                return tag
        for length in self._ends:
            if (tag := self._endings.get(word[-length:])) is not None:
                return tag
        _, apostrophe, rest = word.rpartition("'")
        return self.tag(rest) if apostrophe and rest else "-"

    def _join_phrase(self, words: Sequence[str], tags: list[str], place: int) -> None:
        """Replace the tags of the longest phrase that begins at a place by the phrase's."""
        second = words[place + 1] if place + 1 < len(words) else ""
        for rest, tag in self._phrases[words[place]].get(second, ()):
            end = place + 1 + len(rest)
            if words[place + 1 : end] == rest:
                tags[place:end] = [tag, *[""] * len(rest)]
                return

    def sentences(self, words: Sequence[str]) -> list[str]:
        """Return the tags of some words, sentence by sentence."""
        if self._reads is not str:
            words = self._reads(" ".join(words)).split(" ")
        tags = [self.tag(word) if len(word) <= LONGEST else "-" for word in words]
        for place, word in enumerate(words):
            if word in self._phrases and tags[place]:  # and it is in no phrase already
                self._join_phrase(words, tags, place)
        return _sentence("".join(tags))


@cache
def _tagger(language: str) -> _Tagger:
    return _Tagger(language)


def tagged_sentences(text: str, language: str) -> list[str] | None:
    """Return the tags of a text's sentences, without what it quotes; None: no table fits.

    `language`: of the conversation (BCP 47). A question ends in `?`, another sentence in no mark.
    """
    words = _words_of(text)
    shown = _language_of(words, language.lower().partition("-")[0])
    return None if shown is None else _tagger(shown).sentences(words)


def _words_of(text: str) -> list[str]:
    if _marks.search(text):
        text = _decomposed(lambda found: unicodedata.normalize("NFC", found[0]), text)
    plain = _abbreviated(" ", text).lower()
    plain = _misspelled(lambda found: _SPELLINGS[found[0]], plain)
    if "@" in plain or "://" in plain or "www." in plain:
        plain = _address(" - ", plain)
    plain = plain.strip()
    if plain[:1] in _QUOTES and plain[-1:] in _QUOTES:  # the whole answer, or nothing at all
        plain = plain.strip(_QUOTES)
    return _token(_quoted.sub(" ", plain))


def _language_of(words: Sequence[str], language: str) -> str | None:
    """Return the language of some words: the conversation's, unless they show another one."""
    if language not in WORDS:
        return None
    distinct = set(words)
    if len(distinct & _COMMON[language]) >= MIN_LEAD > len(distinct & _FOREIGN[language]):
        return language  # as no other language can outnumber it
    shown = {each: len(distinct & common) for each, common in _COMMON.items()}
    best = max(shown, key=shown.__getitem__)
    if shown[best] == 0 and sum(word[0].isalpha() for word in words) >= MIN_WORDS:
        return None
    return best if shown[best] - shown[language] >= MIN_LEAD else language
