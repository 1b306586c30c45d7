"""Two answers to one question: what differs, and by how much."""

import re
from collections.abc import Iterable
from enum import StrEnum

import msgspec
from msgspec import Struct
from msgspec.structs import asdict, replace

from domain.knowledge import SEARCH, topic_words
from domain.language import DetectLanguage
from domain.message import Action, AnswerVersion, Message, ToolUse
from domain.plain_text import folded
from domain.promise import Claims, sure_claims

SIMILAR = 0.5
"""Two texts that share less of their words are changed by that alone."""
LONGER, LEAST_LONGER = 1.5, 80
"""The length has changed by this factor, and by so many characters at least."""

_numbers = re.compile(r"\d+(?:[.,:/-]\d+)*").findall


class Handover(StrEnum):
    """What an answer does about a human."""

    NONE = ""
    REQUESTED = "requested"
    NOBODY_THERE = "nobody there"
    """The customer was asked to leave a message."""


class ChangeKind(StrEnum):
    """What differs between two answers."""

    FAILED = "failed"
    """One of them is none."""
    HANDOFF = "hand-off"
    TOOLS = "tools"
    """Their names, order or arguments."""
    CLAIMS = "claims"
    """What they promise, or say was done."""
    LANGUAGE = "language"
    SOURCES = "sources"
    NUMBERS = "numbers"
    """Prices, times, dates: those of the one are not those of the other."""
    LENGTH = "length"
    WORDS = "words"
    """They have less than half of their words in common."""


_WEIGHTS = {
    ChangeKind.FAILED: 8.0,
    ChangeKind.HANDOFF: 4.0,
    ChangeKind.TOOLS: 3.0,
    ChangeKind.CLAIMS: 3.0,
    ChangeKind.LANGUAGE: 3.0,
    ChangeKind.SOURCES: 2.0,
    ChangeKind.NUMBERS: 2.0,
    ChangeKind.LENGTH: 1.0,
    ChangeKind.WORDS: 1.0,
}


class ComparedAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """An answer, as far as it is compared."""

    text: str = ""
    failure: str = ""
    """Why there is none; empty: there is one."""
    tools: tuple[ToolUse, ...] = ()
    """Without their results."""
    handoff: Handover = Handover.NONE
    sources: tuple[str, ...] = ()
    """The places in the documents."""
    claims: tuple[str, ...] = ()
    language: str | None = None
    """The text's, where it shows one."""
    model: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    seconds: float | None = None
    version: AnswerVersion | None = None

    @property
    def tokens(self) -> int | None:
        """The tokens that it has used; None: unknown."""
        if self.input_tokens is None or self.output_tokens is None:
            return None
        return self.input_tokens + self.output_tokens

    @property
    def made_with(self) -> str:
        """The model and the version, as people compare them."""
        model = self.model or "no model"
        if self.version is None:
            return f"{model}, version not recorded"
        digests = asdict(self.version).items()
        return ", ".join([model, *(f"{name} {each or '-'}" for name, each in digests)])


def compared_answer(
    answer: Message | None,
    *,
    is_handed_over: bool,
    language: str,
    detect: DetectLanguage,
    seconds: float | None,
    failure: str = "",
) -> ComparedAnswer:
    """Return what is compared of an answer; None: there is none. `language`: the conversation's."""
    if answer is None:
        return ComparedAnswer(failure=failure or "no answer", seconds=seconds)
    actions, usage = answer.actions, answer.usage
    handoff = Handover.NONE
    if is_handed_over:
        handoff = Handover.REQUESTED
    elif any(action.get("type") == "leave_message" for action in actions):
        handoff = Handover.NOBODY_THERE
    return ComparedAnswer(
        text=answer.text,
        failure=failure,
        tools=tuple([replace(use, result=None) for use in answer.tools]),
        handoff=handoff,
        sources=tuple(_sources(actions)),
        claims=tuple(_claims(sure_claims(answer.text, language))),
        language=detect(answer.text, None),
        model=usage.model if usage is not None else "",
        input_tokens=usage.input_tokens if usage is not None else None,
        output_tokens=usage.output_tokens if usage is not None else None,
        seconds=seconds,
        version=answer.version,
    )


def _sources(actions: Iterable[Action]) -> Iterable[str]:
    for action in actions:
        items = action.get("items") if action.get("type") == "sources" else None
        for item in items if isinstance(items, list | tuple) else ():
            if isinstance(item, dict):
                yield str(item.get("location", ""))


def _claims(claims: Claims) -> Iterable[str]:
    if claims.human:
        yield "human"
    if claims.deed:
        yield "deed"


class Comparison(Struct, frozen=True, kw_only=True, rename="camel"):
    """The difference between two answers."""

    changes: tuple[ChangeKind, ...]
    similarity: float
    """The share of words that the texts have in common, from 0 to 1."""

    @property
    def weight(self) -> float:
        """How much has changed, to sort by."""
        return sum(_WEIGHTS[each] for each in self.changes) + 1.0 - self.similarity


def compare(before: ComparedAnswer, after: ComparedAnswer) -> Comparison:
    """Compare two answers to one question."""
    alike = similarity(before.text, after.text)
    if before.failure or after.failure:
        failed = bool(before.failure) != bool(after.failure)
        return Comparison(changes=(ChangeKind.FAILED,) if failed else (), similarity=alike)
    differs = {
        ChangeKind.HANDOFF: before.handoff is not after.handoff,
        ChangeKind.TOOLS: list(map(_called, before.tools)) != list(map(_called, after.tools)),
        ChangeKind.CLAIMS: before.claims != after.claims,
        ChangeKind.LANGUAGE: None not in (before.language, after.language)
        and before.language != after.language,
        ChangeKind.SOURCES: set(before.sources) != set(after.sources),
        ChangeKind.NUMBERS: set(_numbers(before.text)) != set(_numbers(after.text)),
        ChangeKind.LENGTH: _is_longer(len(before.text), len(after.text))
        or _is_longer(len(after.text), len(before.text)),
        ChangeKind.WORDS: alike < SIMILAR,
    }
    changes = tuple([kind for kind, is_so in differs.items() if is_so])
    return Comparison(changes=changes, similarity=alike)


def similarity(one: str, other: str) -> float:
    """Return the share of their words that two texts have in common (Dice), from 0 to 1.

    Words that do not show what a text is about are left out, where others are left.
    """
    left, right = topic_words(one), topic_words(other)
    if not left or not right:
        left, right = frozenset(folded(one).split()), frozenset(folded(other).split())
    if not left and not right:
        return 1.0
    return round(2 * len(left & right) / (len(left) + len(right)), 3)


def _is_longer(one: int, other: int) -> bool:
    return one > LONGER * other and one - other >= LEAST_LONGER


def _called(use: ToolUse) -> tuple[str, object]:
    """Return a call as it is compared: a search by its words, arguments by their values."""
    if use.name == SEARCH:
        query = use.query or ""
        return use.name, topic_words(query) or folded(query)
    return use.name, call_arguments(use.arguments)


def call_arguments(written: str | None) -> object:
    """Return the arguments of a call; what is no JSON stays as it is."""
    try:
        return msgspec.json.decode(written) if written else None
    except (msgspec.DecodeError, RecursionError):
        return written


class ComparedTurn(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A recorded turn, and the two answers to it."""

    session_id: str
    seq: int
    """Of the recorded answer."""
    at: str
    question: str
    before: ComparedAnswer
    after: ComparedAnswer
    diverged: tuple[str, ...] = ()
    """The tools that the trial called, and the recorded turn did not: none of them was executed."""
    changes: tuple[ChangeKind, ...] = ()
    similarity: float = 1.0
    weight: float = 0.0


class SideSums(Struct, kw_only=True, rename="camel"):
    """The sums over the answers of one side."""

    failed: int = 0
    handoffs: int = 0
    with_sources: int = 0
    tools: dict[str, int] = {}
    """Calls, by the name of the tool."""
    input_tokens: int = 0
    output_tokens: int = 0
    """Of the turns for which those of both sides are known, as above."""
    timed: int = 0
    """Answers whose time is known."""
    seconds: float = 0.0
    """Of these together."""
    made_with: dict[str, int] = {}
    """Answers, by model and version."""

    @property
    def tokens(self) -> int:
        """All tokens."""
        return self.input_tokens + self.output_tokens

    def add(self, answer: ComparedAnswer, *, is_counted: bool) -> None:
        """Add an answer; `is_counted`: its tokens too."""
        self.failed += bool(answer.failure)
        self.handoffs += answer.handoff is not Handover.NONE
        self.with_sources += bool(answer.sources)
        for use in answer.tools:
            self.tools[use.name] = self.tools.get(use.name, 0) + 1
        if is_counted:
            self.input_tokens += answer.input_tokens or 0
            self.output_tokens += answer.output_tokens or 0
        if answer.seconds is not None:
            self.timed += 1
            self.seconds += answer.seconds
        made_with = answer.made_with
        self.made_with[made_with] = self.made_with.get(made_with, 0) + 1


class ReplaySums(Struct, kw_only=True, rename="camel"):
    """The sums over all turns of a replay."""

    turns: int = 0
    changed: int = 0
    diverged: int = 0
    counted: int = 0
    """Turns for which the tokens of both sides are known."""
    by_kind: dict[ChangeKind, int] = {}
    similarity: float = 1.0
    """The mean."""
    before: SideSums = msgspec.field(default_factory=SideSums)
    after: SideSums = msgspec.field(default_factory=SideSums)

    def add(self, turn: ComparedTurn) -> None:
        """Add a turn."""
        self.turns += 1
        self.changed += bool(turn.changes)
        self.diverged += bool(turn.diverged)
        for kind in turn.changes:
            self.by_kind[kind] = self.by_kind.get(kind, 0) + 1
        self.similarity += (turn.similarity - self.similarity) / self.turns
        is_counted = turn.before.tokens is not None and turn.after.tokens is not None
        self.counted += is_counted
        self.before.add(turn.before, is_counted=is_counted)
        self.after.add(turn.after, is_counted=is_counted)


class ReplayBounds(Struct, frozen=True, kw_only=True):
    """What a replay may show at most; None: anything."""

    max_changed: float | None = None
    """The percentage of the turns that are changed."""
    max_handoffs: float | None = None
    """The rise of hand-offs, in percent of the turns."""
    max_tokens: float | None = None
    """The rise of tokens, in percent of those before."""
    max_failed: int | None = None


class BoundCheck(Struct, frozen=True, kw_only=True, rename="camel"):
    """A bound, and what was found."""

    name: str
    limit: float
    found: float | None
    """None: it is not known, as no usage was recorded."""
    is_exceeded: bool


def check_bounds(sums: ReplaySums, bounds: ReplayBounds) -> list[BoundCheck]:
    """Return what became of each bound that was set."""
    before, after = sums.before, sums.after
    spent, rise = before.tokens, after.tokens - before.tokens
    found = {
        "max-changed": (bounds.max_changed, _percent(sums.changed, sums.turns)),
        "max-handoffs": (
            bounds.max_handoffs,
            _percent(after.handoffs - before.handoffs, sums.turns),
        ),
        "max-tokens": (bounds.max_tokens, _percent(rise, spent) if spent else None),
        "max-failed": (bounds.max_failed, float(after.failed)),
    }
    return [
        BoundCheck(
            name=name, limit=limit, found=value, is_exceeded=value is not None and value > limit
        )
        for name, (limit, value) in found.items()
        if limit is not None
    ]


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 0.0
