"""The held half of the corpus of promises and claimed deeds: its form and its amounts."""

from collections import Counter
from pathlib import Path
from typing import Any

import msgspec

CORPUS = Path(__file__).parent.parent / "data" / "promises"
LANGUAGES = {"ro", "en", "de", "fr", "hu", "it", "es", "uk"}
FIELDS = {"text", "language", "kind", "channel"}


def answers(half: str) -> list[dict[str, Any]]:
    """Return the answers of a half; none if there is no such file."""
    path = CORPUS / f"{half}.jsonl"
    lines = path.read_bytes().splitlines() if path.exists() else []
    return [msgspec.json.decode(line) for line in lines]


HELD = answers("held")


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

    assert kinds["promise"] >= 130
    assert kinds["deed"] >= 100
    assert kinds["ordinary"] >= 550
    for language in LANGUAGES:
        is_main = language in {"ro", "en"}
        assert others[language] >= (60 if is_main else 18), language
        assert ordinary[language] >= (150 if is_main else 42), language


def test_more_than_a_third_of_the_ordinary_answers_are_hard() -> None:
    ordinary = [answer for answer in HELD if answer["kind"] == "ordinary"]

    assert sum("note" in answer for answer in ordinary) >= 0.35 * len(ordinary)


def test_no_text_stands_twice_in_the_held_half_nor_in_the_tuned_one() -> None:
    held = Counter(answer["text"].casefold() for answer in HELD)

    assert [text for text, count in held.items() if count > 1] == []
    assert [a["text"] for a in answers("tuned") if a["text"].casefold() in held] == []
