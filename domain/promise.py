"""Recognise a promise of a human, and a claim that something was done, by the words of an answer.

The words become tags (`domain.promise_tags`), one letter each (`s`: a member of the staff, `d`: a
participle such as "booked"), and two readings look at them, sentence by sentence: a grammar, which
is precise, for where the model cannot be asked; and weights that were learned from examples
(`domain.promise_weights`), which let hardly any promise or claim pass, for deciding whether it is.
Both are the same for all languages, know no word, and take time in proportion to the answer's
length.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache

from msgspec import Struct

from domain.promise_tags import tagged_sentences
from domain.promise_weights import WEIGHTS


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


REMEMBERED_SENTENCES, REMEMBERED_TAGS = 4_096, 64
"""Tagged sentences of which the claims are remembered, and the longest of them: what a business
answers is said in few forms."""


def possible_claims(text: str, language: str) -> Claims:
    """Return the claims that a text may make: false alarms are to be expected.

    `language`: of the conversation (BCP 47); the text's own, where its words show another one.
    In a language that there are no words for, it may make any claim.
    """
    sentences = tagged_sentences(text, language)
    if sentences is None:
        return ANY_CLAIM
    return _together(
        _remembered_claims_of(each) if len(each) <= REMEMBERED_TAGS else _possible_claims_of(each)
        for each in sentences
    )


def sure_claims(text: str, language: str) -> Claims:
    """Return the claims that a text surely makes; none in a language that there are no words of."""
    return _together(claims_of(sentence) for sentence in tagged_sentences(text, language) or ())


def _together(claims: Iterable[Claims]) -> Claims:
    human = deed = False
    for each in claims:
        human, deed = human or each.human, deed or each.deed
    return Claims(human=human, deed=deed)


# The reading by weights.

_WEIGHTS = {sign: int(weight) for sign, weight in re.findall(r"(\S+?)([+-]\d+)", WEIGHTS)}
REACH = 6
"""How far apart two tags may stand that are weighed together."""


def signs_of(sentence: str) -> set[str]:
    """Return what a tagged sentence is weighed by.

    Its tags in pairs, up to `REACH` apart, and in threes, without plain words and what is denied;
    and `^`, which each sentence has.
    """
    row = f"^{_unreal('n', sentence).replace('-', '')}"
    if not sentence.endswith("?"):
        row += "."
    signs = {"^"}
    for place, tag in enumerate(row):
        signs.update([tag + other for other in row[place + 1 : place + 1 + REACH]])
        signs.add(row[place : place + 3])
    return signs


def _possible_claims_of(sentence: str) -> Claims:
    """Return the claims that the grammar finds, or any, if there may be one."""
    sure = claims_of(sentence)
    if sure:
        return sure
    weight = sum([_WEIGHTS.get(sign, 0) for sign in signs_of(sentence)])
    return ANY_CLAIM if weight > 0 else NO_CLAIMS


_remembered_claims_of = lru_cache(REMEMBERED_SENTENCES)(_possible_claims_of)


# The grammar.

# What stands between two parts of a claim: no denial, possibility, condition or end.
_NEAR = "[^nmqor.?:,&]"

_Test = Callable[[str], bool]


def _pattern(*rules: str) -> re.Pattern[str]:
    """Return a pattern for any of some rules, in which a space means nothing."""
    return re.compile("|".join(rules).replace(" ", "").replace("<near>", _NEAR))


def _any_of(rules: Mapping[str, Sequence[str]]) -> _Test:
    """Return a test whether any rule holds; each stands under a letter that it needs."""
    tests = [(letter, _pattern(*group).search) for letter, group in rules.items()]

    def holds(sentence: str) -> bool:
        return any([letter in sentence and search(sentence) for letter, search in tests])

    return holds


# A human is promised: …
_promises_human = _any_of(
    {
        "s": (
            "s <near>{0,6} [fY] <near>{0,5} [cWVkCHKt]",  # a colleague will take over
            "s <near>{0,6} [cWVkCH] <near>{0,2} f",
            "[fY] <near>{0,3} s <near>{0,6} [cWVkCH]",
            "s <near>{0,5} [yOY] <near>{0,2} [cVHC]",  # un coleg vă sună
            "s <near>{0,5} [yOY] <near>{0,2} W <near>{0,3} [jJ]",
            "[eE] C <near>{0,3} s",
            "s <near>{0,3} [cW] <near>{0,3} [yOYjJ]",
            "[yOYjJfY] <near>{0,2} [cW] <near>{0,3} s",  # vă preia un coleg
            "s <near>{0,1} [eE] <near>{0,1} W",  # somebody is on the way
            "s <near>{0,5} y t",
            "s <near>{0,6} & f? y c",  # a colleague checks it and will call you
            "W j <near>{0,2} s",
            "[fYi] <near>{0,3} [kV] <near>{0,4} s",  # I'll ask a colleague
            "A <near>{0,4} s",
        ),
        "C": ("[fY] <near>{0,3} C",),  # you will be contacted
        "H": ("[fYi] <near>{0,3} H",),  # we will get back to you
        "t": (
            "[yY] <near>{0,2} t [jJ]{0,4} (?=[,&:]|$)",  # I connect you
            "t [yjJ]{0,4} (?=[,&:]|$)",
            "t <near>{0,2} [jH]",
            "t <near>{0,5} [sR]",
        ),
        "c": ("j [yO] c", "y c <near>{0,1} R", "y c <near>{0,3} [jJ]", "(?:^|[,&R]) [fy] y c"),
        "V": ("(?:^|[,&iR]) f <near>{0,1} V <near>{0,2} y",),  # we'll call you
        "K": ("P <near>{0,4} K",),  # vă pun în legătură
    }
)
# … or staff was told of it: whoever reads that expects a human.
_told = _pattern(
    "a <near>{0,3} [dpC] <near>{0,6} s",
    "a <near>{0,3} s <near>{0,6} [dpC]",
    "(?:ih|hi) <near>{0,3} [dpC] <near>{0,6} s",
    "(?:ih|hi) <near>{0,3} s <near>{0,6} [dpC]",
    "x <near>{0,6} s",
).sub
_is_referred = _pattern("h b <near>{0,3} [dC] <near>{0,5} s").search  # has been forwarded to …
# Something was done: …
_says_done = _any_of(
    {
        "a": ("a <near>{0,4} [dC] (?!n)",),  # am anulat
        "h": ("(?:ih|hi) <near>{0,4} [dC] (?!n)",),  # I have booked
        "i": ("i j? [dC] (?!n)",),  # I booked
        "x": ("(?<!u)(?<!u[^,&])(?<!u[^,&][^,&]) x",),  # töröltem
        "z": ("z (?!-{0,2}n)",),
    }
)
# … or it says that it is so now, which could be read in a system as well.
_says_state = _any_of(
    {
        "b": ("b <near>{0,4} d", "b <near>{0,2} C"),  # was booked
        "j": ("[eE] j d",),  # is now booked
        "d": ("(?:^|[,:]) [-yOd]{0,2} d [-yOjJ]{0,3} (?=[,&:]|$)",),  # Table booked
    }
)
# What is denied goes as far as the clause, what is only possible as far as its verb.
_unreal = re.compile("n[^,&:]{0,3}[^,&:a]{0,7}|m(?:hb?)?[^,&:abfx]{0,4}").sub
_is_conditional = re.compile("[^,]{0,1}q").match
# What is so in general, or after a step of the customer: no promise, and no state.
_is_general = _pattern(
    "g", "w[^,]{0,3}[OuyYv]", "^[^,]{0,2}w", "^[-jJ&,]{0,2}[vV]", "^[^,&]*q", "q.?y", "q.*o"
).search
_unsaid = _pattern("[orq].*").sub
"""Offers, conditions, and what somebody is reported to have said."""
_looked_up = _pattern("^[^l]*l.*").sub
_past = _pattern("^[^L]*L.*").sub
"""What was before this conversation."""


def claims_of(sentence: str) -> Claims:
    """Return the claims that a tagged sentence surely makes."""
    statement = sentence
    if sentence.endswith("?"):  # the question is its last clause, or all of it
        statement = sentence[: max(sentence.rfind(","), 0)]
    is_general = _is_general(statement) is not None
    if _is_conditional(statement):  # "if …, I will …", but not "if …, so I have …"
        statement = statement.partition(",&")[2]
    said = _unreal("n", _past("", _unsaid("", statement)))
    rest = _told("n", said)
    known = _looked_up("", rest)
    human = rest != said or _is_referred(known) is not None
    human = human or (not is_general and _promises_human(said))
    deed = _says_done(rest) or (not is_general and _says_state(known))
    return Claims(human=human, deed=deed)
