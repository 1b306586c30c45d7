"""Recognise a promise of a human, and a claim that something was done, by the words of an answer.

Two readings of the same tables (`domain.promise_words`): a broad one, which lets hardly any promise
or claim pass, for deciding whether the model is asked about it; and a precise one, for where it
cannot be asked.

Each word of an answer becomes one letter, the tag of its group in the language's table (`s`: a
member of the staff, `d`: a participle such as "booked"), and punctuation stands for itself. The
grammar below reads these letters, clause by clause: it is the same for all languages, takes time in
proportion to the answer's length, and knows no word.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from functools import cache, lru_cache

from msgspec import Struct

from domain.promise_words import COMMON, ENDINGS, WORDS


class Claims(Struct, frozen=True, kw_only=True):
    """The claims of a text that need something to be done, or to have been done."""

    human: bool = False
    """That a human comes, contacts the customer, or was asked to."""
    deed: bool = False
    """That something was done or changed."""

    def __bool__(self) -> bool:
        return self.human or self.deed


NO_CLAIMS, ANY_CLAIM = Claims(), Claims(human=True, deed=True)


class Verdict(StrEnum):
    """A model's answer, asked what a text claims."""

    NONE = "none"
    HUMAN = "human"
    DEED = "deed"
    BOTH = "both"

    @property
    def claims(self) -> Claims:
        """The claims that it finds."""
        return Claims(
            human=self in (Verdict.HUMAN, Verdict.BOTH), deed=self in (Verdict.DEED, Verdict.BOTH)
        )


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
    "plain": "-",
}
_PUNCTUATION = {
    **dict.fromkeys(".!…\n", "."),
    **dict.fromkeys(",;()–—", ","),
    "?": "?",
    ":": ":",
}

# What stands between two parts of a claim: no denial, possibility, condition or end.
_GAPS = {
    "<gap>": "[^nmqor.?:]",
    "<near>": "[^nmqor.?:,&]",
    "<verbless>": "[^nmqor.?:,&aeEhibfYuvwg]",
}

_Test = Callable[[str], bool]


def _pattern(rules: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern for any of some rules, in which a space means nothing."""
    joined = "|".join(rules).replace(" ", "")
    for name, letters in _GAPS.items():
        joined = joined.replace(name, letters)
    return re.compile(joined)


def _any_of(rules: Mapping[str, Sequence[str]]) -> _Test:
    """Return a test whether any rule holds; each stands under a letter that it needs."""
    tests = [(letter, _pattern(group).search) for letter, group in rules.items()]

    def holds(sentence: str) -> bool:
        return any([letter in sentence and search(sentence) for letter, search in tests])

    return holds


# A human is promised: …
_HUMAN = {
    "s": (
        "s <gap>{0,15} [fyOYjJcWVHKtAP]",  # a colleague … you, now, will, contact
        "[yOYjJfcWHKtAP] <gap>{0,12} s",  # vă preia un coleg
        "[fYi] <near>{0,4} [kVcW] <near>{0,5} s",  # I'll ask a colleague
    ),
    "C": ("[fY] <gap>{0,8} C",),  # you will be contacted
    "H": ("[fyYOijJ] <gap>{0,6} H", "H <gap>{0,6} [yYOjJ]"),  # we will get back to you
    "t": ("t",),  # I connect you
    "K": ("[Pf] <near>{0,5} K",),  # vă pun în legătură
    "V": ("[fi] <near>{0,2} V <near>{0,2} [yO]",),  # we'll call you
    "W": (
        "[jJ] <near>{0,5} [yY] <near>{0,2} W",  # ma segít Önnek
        "[yY] <near>{0,2} W <near>{0,5} [jJ]",
        "W <near>{0,3} [yY] <near>{0,4} [jJ]",
    ),
    "c": (
        "[yOY] <near>{0,2} c <gap>{0,6} [jJ]",  # vous appelle ce soir
        "[jJ] <gap>{0,6} [yO] <near>{0,2} c",
        "c <near>{0,2} [yO]",
        "J <gap>{0,2} c",
        "f <gap>{0,6} c",  # werden uns melden
        "c <near>{0,2} f",
    ),
}
_SURE_HUMAN = {
    "s": (
        "s <near>{0,6} [fY] <near>{0,5} [cWVkCHKt]",
        "s <near>{0,6} [cWVkCH] <near>{0,2} f",
        "[fY] <near>{0,3} s <near>{0,6} [cWVkCH]",
        "s <near>{0,5} [yOY] <near>{0,2} [cVHC]",
        "s <near>{0,5} [yOY] <near>{0,2} W <near>{0,3} [jJ]",
        "[eE] C <near>{0,3} s",
        "s <near>{0,3} [cW] <near>{0,3} [yOYjJ]",
        "[yOYjJ] <near>{0,2} [cW] <near>{0,3} s",
        "[fYi] <near>{0,3} [kV] <near>{0,4} s",
        "A <near>{0,4} s",
    ),
    "C": ("[fY] <near>{0,3} C",),
    "H": ("[fYi] <near>{0,3} H",),
    "t": (
        "[yY] <near>{0,2} t [jJ]{0,4} (?=[,&:]|$)",
        "t [yjJ]{0,4} (?=[,&:]|$)",
        "t <near>{0,2} [jH]",
        "t <near>{0,5} s",
    ),
    "c": ("j [yO] c",),
    "K": ("P <near>{0,4} K",),
}
# Staff was told of it: whoever reads that expects a human.
_TOLD = {
    "a": ("a <near>{0,3} [dpC] <near>{0,6} s", "a <near>{0,3} s <near>{0,6} [dpC]"),
    "h": ("(?:ih|hi) <near>{0,3} [dpC] <near>{0,6} s", "(?:ih|hi) <near>{0,3} s <near>{0,6} [dpC]"),
    "x": ("x <near>{0,6} s",),
}
_REFERRED = "h b <near>{0,3} [dC] <near>{0,5} s"  # has been forwarded to a colleague
# Something was done: …
_DONE = {
    "a": (
        "a <gap>{0,9} [dC]",  # I have booked
        "a <near>{0,3} p",
        "a <near>{0,9} p (?=[,&:]|$)",
    ),
    "h": (
        "(?:ih|hi) <gap>{0,9} [dC]",
        "(?:ih|hi) <near>{0,3} p",
        "(?:ih|hi) <near>{0,9} p (?=[,&:]|$)",
        "s <near>{0,3} h <near>{0,4} d",  # a colleague has booked
    ),
    "i": ("i <near>{0,2} [dpC]",),  # I booked
    "x": ("(?<!u)(?<!u[^,&])(?<!u[^,&][^,&]) x",),  # töröltem
    "p": ("(?:^|[,&]) [jJyO]{0,2} p <near>{0,3} [yO]",),  # Moved it for you
    "z": ("z",),
}
_SURE_DONE = {
    "a": ("a <near>{0,4} [dC]",),
    "h": ("(?:ih|hi) <near>{0,4} [dC]",),
    "i": ("i j? [dC]",),
    "x": ("(?<!u)(?<!u[^,&])(?<!u[^,&][^,&]) x",),
    "z": ("z",),
}
# … or it says that it is so now, which could be read in a system as well.
_STATE = {
    "b": ("b <gap>{0,9} [dpC]", "[dpC] <near>{0,2} b"),  # was booked, gebucht worden
    "Y": ("Y [-j]? [dp]",),  # you're booked
    "j": (
        "[eE] <near>{0,3} j <near>{0,4} [dp]",  # is now booked
        "j e d",
        "[eE] <near>{0,4} d <near>{0,1} j",
    ),
    "d": (
        "e <near>{0,3} d",  # is booked
        "O <near>{0,3} E <near>{0,3} d",  # your seats are booked
        "(?:^|[,:&]) <verbless>{0,8} d <verbless>{0,8} (?=[,&:]|$)",  # Table booked
    ),
}
_SURE_STATE = {
    "b": ("b <near>{0,4} d",),
    "j": ("[eE] j d",),
    "d": ("(?:^|[,:]) [-yOd]{0,2} d [-yOjJ]{0,3} (?=[,&:]|$)",),
}

# What is denied goes as far as the clause, what is only possible as far as its verb.
_unreal = re.compile("n[^,&:]{0,3}[^,&:a]{0,7}|m(?:hb?)?[^,&:abfx]{0,4}").sub
_is_conditional = re.compile("[^,]{0,1}q").match
_has_core = re.compile("[dpxzscWtAVCHPK]").search


class _Reading(Struct, frozen=True):
    """One way to read a sentence: its rules, and what makes it no claim."""

    human: _Test
    done: _Test
    state: _Test
    general: re.Pattern[str]
    """What is so in general, or after a step of the customer: no promise, and no state."""
    unsaid: re.Pattern[str]
    """Offers, conditions, and what somebody is reported to have said."""
    found: re.Pattern[str]
    """A state that was looked up."""
    past: re.Pattern[str]
    """What was before this conversation."""


_referred = _pattern([_REFERRED]).search
_told = _pattern([rule for rules in _TOLD.values() for rule in rules])
_BROAD = _Reading(
    human=_any_of(_HUMAN),
    done=_any_of(_DONE),
    state=_any_of(_STATE),
    general=_pattern(["g", "w[^,]{0,3}[uv]", "wy", "^[-jJ&,]{0,2}[vV]", "^[^,&At]*q", "q.*o"]),
    unsaid=_pattern(["r[^,&?]*(?:,T[^,&?]*)?", "[oq][^,&?]*"]),
    found=_pattern(["l.*", "^[^L]*L.*"]),
    past=_pattern(["(?!)"]),
)
_PRECISE = _Reading(
    human=_any_of(_SURE_HUMAN),
    done=_any_of(_SURE_DONE),
    state=_any_of(_SURE_STATE),
    general=_pattern(
        ["g", "w[^,]{0,3}[OuyYv]", "^[^,]{0,2}w", "^[-jJ&,]{0,2}[vV]", "^[^,&]*q", "q.?y", "q.*o"]
    ),
    unsaid=_pattern(["[orq].*"]),
    found=_pattern(["^[^l]*l.*"]),
    past=_pattern(["^[^L]*L.*"]),
)


def possible_claims(text: str, language: str) -> Claims:
    """Return the claims that a text may make: false alarms are to be expected.

    `language`: of the conversation (BCP 47); the text's own, where its words show another one.
    In a language that there are no words for, it may make any claim.
    """
    tagger, words = _words_of(text, language)
    return ANY_CLAIM if tagger is None else _read(words, tagger, _BROAD)


def sure_claims(text: str, language: str) -> Claims:
    """Return the claims that a text surely makes; none in a language that there are no words of."""
    tagger, words = _words_of(text, language)
    return NO_CLAIMS if tagger is None else _read(words, tagger, _PRECISE)


def _read(words: Sequence[str], tagger: "_Tagger", reading: _Reading) -> Claims:
    human = deed = False
    for sentence in tagger.sentences(words):
        if _has_core(sentence):
            found = _claims_of(sentence, reading)
            human, deed = human or found.human, deed or found.deed
    return Claims(human=human, deed=deed)


def _claims_of(sentence: str, reading: _Reading) -> Claims:
    """Return the claims of a sentence."""
    statement = sentence
    if sentence.endswith("?"):  # the question is its last clause, or all of it
        statement = sentence[: max(sentence.rfind(","), 0)]
    is_general = reading.general.search(statement) is not None
    if _is_conditional(statement):  # "if …, I will …", but not "if …, so I have …"
        statement = statement.partition(",&")[2]
    said = _unreal("n", reading.past.sub("", reading.unsaid.sub("", statement)))
    rest = _told.sub("n", said)
    known = reading.found.sub("", rest)
    human = rest != said or _referred(known) is not None
    human = human or (not is_general and reading.human(said))
    deed = reading.done(rest) or (not is_general and reading.state(known))
    return Claims(human=human, deed=deed)


# The words of an answer.

_token = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|[.,;:!?()…\n–—]|\d+(?:[.,:/]\d+)*").findall
_address = re.compile(r"(?:https?://|www\.)\S+|\b\w[\w.+-]{0,63}@[\w.-]+").sub
# A full stop that ends no sentence: before a small letter or a comma, or after a title.
_abbreviated = re.compile(
    r"\.(?:(?=,|\s[^\W\d_A-ZÀ-ÞĂÂÎȘȚŐŰА-ЯІЇЄҐ])"
    r"|(?<=\b[DdMmSs][lrs]\.)|(?<=\b(?:[Dd]na|[Mm]rs|[Mm]me|[Ss]ra|[Ss]ig)\.))"
).sub
_QUOTES = '"„“”«»'
_quoted = re.compile('["„“«][^"„“”«»]*["”“»]')
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
MIN_WORDS = 10
"""A text this long has a common word, in any language of the tables."""
_UNMARKED = {"ro"}
"""Languages that many people write without diacritics, or with some of them."""
_MARKED = {"fr", "es"}
"""Languages in which diacritics alone tell "I cancelled" from "cancel"."""
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
        self._phrases: dict[str, list[tuple[list[str], str]]] = {}
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
        for phrases in self._phrases.values():
            phrases.sort(key=lambda phrase: -len(phrase[0]))
        self._lengths = range(max(map(len, self._beginnings), default=0), 0, -1)
        self._ends = range(max(map(len, self._endings), default=0), 0, -1)
        self.tag = lru_cache(maxsize=4_096)(self._find)

    def _add(self, entry: str, tag: str, endings: tuple[str, ...]) -> None:
        forms = [entry[:-1] + end for end in endings] if entry.endswith("+") else [entry]
        for form in forms:
            if "_" in form:
                first, *rest = form.split("_")
                self._phrases.setdefault(first, []).append((rest, tag))
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
        for rest, tag in self._phrases[words[place]]:
            end = place + 1 + len(rest)
            if words[place + 1 : end] == rest:
                tags[place:end] = [tag, *[""] * len(rest)]
                return

    def sentences(self, words: Sequence[str]) -> list[str]:
        """Return the tags of some words, sentence by sentence."""
        if self._reads is not str:
            words = self._reads(" ".join(words)).split(" ")
        tags = list(map(self.tag, words))
        for place, word in enumerate(words):
            if word in self._phrases and tags[place]:  # and it is in no phrase already
                self._join_phrase(words, tags, place)
        return _sentence("".join(tags))


@cache
def _tagger(language: str) -> _Tagger:
    return _Tagger(language)


def _words_of(text: str, language: str) -> tuple[_Tagger | None, list[str]]:
    """Return the words of a text, without what it quotes, and the tagger of its language.

    None: there is none for it.
    """
    plain = _misspelled(lambda found: _SPELLINGS[found[0]], _abbreviated(" ", text).lower())
    if "@" in plain or "://" in plain or "www." in plain:
        plain = _address(" - ", plain)
    words = _token(_quoted.sub(" ", plain.strip().strip(_QUOTES)))
    tag = language.lower().partition("-")[0]
    if tag not in WORDS:
        return None, words
    distinct = set(words)
    if len(distinct & _COMMON[tag]) >= MIN_LEAD > len(distinct & _FOREIGN[tag]):
        return _tagger(tag), words  # as no other language can outnumber it
    shown = {each: len(distinct & common) for each, common in _COMMON.items()}
    best = max(shown, key=shown.__getitem__)
    if shown[best] - shown[tag] >= MIN_LEAD:
        tag = best
    if shown[best] == 0 and len(words) >= MIN_WORDS:
        return None, words
    return _tagger(tag), words
