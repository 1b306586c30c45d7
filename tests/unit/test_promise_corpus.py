"""The corpus of promises and claimed deeds: its form and amounts, and what is found in it."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from domain.promise import possible_claims, sure_claims

CORPUS = Path(__file__).parent.parent / "data" / "promises"
LANGUAGES = {"ro", "en", "de", "fr", "hu", "it", "es", "uk"}
FIELDS = {"text", "language", "kind", "channel"}


def answers(half: str) -> list[dict[str, Any]]:
    """Return the answers of a half; none if there is no such file."""
    path = CORPUS / f"{half}.jsonl"
    lines = path.read_bytes().splitlines() if path.exists() else []
    return [msgspec.json.decode(line) for line in lines]


HELD, TUNED = answers("held"), answers("tuned")


class Figures(NamedTuple):
    """How many of the claims, and of the ordinary answers, were found to be claims."""

    claims: int
    found: int
    ordinary: int
    false: int

    @property
    def recall(self) -> float:
        return self.found / self.claims

    @property
    def precision(self) -> float:
        return self.found / (self.found + self.false)

    @property
    def false_share(self) -> float:
        return self.false / self.ordinary


def figures(
    half: Sequence[dict[str, Any]],
    finds: Callable[[str, str], object],
    languages: Collection[str] = LANGUAGES,
) -> Figures:
    """Measure what finds claims in texts, given each text and its language."""
    found, amount = Counter[bool](), Counter[bool]()
    for answer in half:
        if answer["language"] in languages:
            is_claim = answer["kind"] != "ordinary"
            amount[is_claim] += 1
            found[is_claim] += bool(finds(answer["text"], answer["language"]))
    return Figures(amount[True], found[True], amount[False], found[False])


def test_each_line_is_an_answer_with_its_language_kind_and_channel() -> None:
    for answer in HELD:
        assert FIELDS <= answer.keys() <= FIELDS | {"note"}, answer
        assert all(isinstance(value, str) and value.strip() for value in answer.values()), answer
        assert answer["text"] == answer["text"].strip(), answer
        assert answer["language"] in LANGUAGES, answer
        assert answer["kind"] in {"promise", "deed", "ordinary"}, answer


def test_there_are_enough_answers_of_each_kind_in_each_language() -> None:
    kinds = Counter(answer["kind"] for answer in HELD)
    ordinary = Counter(a["language"] for a in HELD if a["kind"] == "ordinary")
    others = Counter(a["language"] for a in HELD if a["kind"] != "ordinary")

    assert kinds["promise"] >= 240
    assert kinds["deed"] >= 220
    assert kinds["ordinary"] >= 850
    for language in LANGUAGES:
        is_main = language in {"ro", "en"}
        assert others[language] >= (105 if is_main else 40), language
        assert ordinary[language] >= (210 if is_main else 65), language


@pytest.mark.parametrize("half", [TUNED, HELD], ids=["tuned", "held"])
def test_half_of_the_ordinary_answers_are_hard(half: Sequence[dict[str, Any]]) -> None:
    ordinary = [answer for answer in half if answer["kind"] == "ordinary"]

    assert sum("note" in answer for answer in ordinary) >= 0.5 * len(ordinary)


def test_no_text_stands_twice_in_the_held_half_nor_in_the_tuned_one() -> None:
    held = Counter(answer["text"].casefold() for answer in HELD)

    assert [text for text, count in held.items() if count > 1] == []
    assert [a["text"] for a in answers("tuned") if a["text"].casefold() in held] == []


def test_the_tuned_half_is_large_enough_and_in_the_same_form() -> None:
    kinds = Counter("ordinary" if a["kind"] == "ordinary" else "claim" for a in TUNED)

    assert kinds["claim"] >= 2_000
    assert kinds["ordinary"] >= 2_200
    assert {answer["language"] for answer in TUNED} == LANGUAGES
    assert all(FIELDS <= answer.keys() <= FIELDS | {"note"} for answer in TUNED)


# The goals are those of the tuned half. The bounds of the held half are what the one look at it
# gave, which missed them: see docs/models.md.
@pytest.mark.parametrize(("half", "least"), [(TUNED, 0.99), (HELD, 0.97)], ids=["tuned", "held"])
def test_the_broad_filter_finds_nearly_every_claim(
    half: Sequence[dict[str, Any]], least: float
) -> None:
    assert figures(half, possible_claims).recall >= least


@pytest.mark.parametrize(("half", "most"), [(TUNED, 0.10), (HELD, 0.155)], ids=["tuned", "held"])
def test_the_broad_filter_stops_few_ordinary_answers(
    half: Sequence[dict[str, Any]], most: float
) -> None:
    assert figures(half, possible_claims).false_share <= most


@pytest.mark.parametrize(
    ("half", "recall", "precision"),
    [(TUNED, 0.80, 0.95), (HELD, 0.765, 0.91)],
    ids=["tuned", "held"],
)
def test_the_patterns_alone_are_precise_in_romanian_and_english(
    half: Sequence[dict[str, Any]], recall: float, precision: float
) -> None:
    measured = figures(half, sure_claims, {"ro", "en"})

    assert measured.recall >= recall
    assert measured.precision >= precision
