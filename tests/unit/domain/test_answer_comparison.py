"""Two answers to one question: what counts as changed, and what does not."""

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.answer_comparison import (
    ChangeKind,
    ComparedAnswer,
    ComparedTurn,
    Handover,
    ReplayBounds,
    ReplaySums,
    check_bounds,
    compare,
    compared_answer,
    similarity,
)
from domain.identity import MessageId
from domain.message import AnswerVersion, Author, Message, ToolOutcome, ToolUse
from domain.usage import Usage

TEXT = "Our lunch menu has soup and chicken, from noon to three every day."
BEFORE = ComparedAnswer(text=TEXT, language="en", sources=("menu.md#lunch",))


def changed(**fields: Any) -> tuple[ChangeKind, ...]:
    after = {"text": TEXT, "language": "en", "sources": ("menu.md#lunch",), **fields}
    return compare(BEFORE, ComparedAnswer(**after)).changes


def searched(query: str) -> tuple[ToolUse, ...]:
    return (ToolUse(name="search_knowledge", outcome=ToolOutcome.FOUND, query=query),)


def called(arguments: str) -> tuple[ToolUse, ...]:
    return (ToolUse(name="find_tables", outcome=ToolOutcome.FOUND, arguments=arguments),)


def test_the_same_answer_has_not_changed() -> None:
    found = compare(BEFORE, BEFORE)

    assert found.changes == ()
    assert found.similarity == 1.0
    assert found.weight == 0.0


@pytest.mark.parametrize(
    "text",
    [
        "From noon to three every day our lunch menu has soup and chicken!",
        "Our lunch menu has chicken and soup, every day from noon to three. Enjoy!",
    ],
)
def test_other_words_for_the_same_are_no_change(text: str) -> None:
    assert changed(text=text) == ()


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"handoff": Handover.REQUESTED}, ChangeKind.HANDOFF),
        ({"handoff": Handover.NOBODY_THERE}, ChangeKind.HANDOFF),
        ({"tools": searched("lunch menu")}, ChangeKind.TOOLS),
        ({"sources": ("menu.md#dinner",)}, ChangeKind.SOURCES),
        ({"sources": ()}, ChangeKind.SOURCES),
        ({"claims": ("human",)}, ChangeKind.CLAIMS),
        ({"language": "ro"}, ChangeKind.LANGUAGE),
        ({"text": f"{TEXT} It costs 42 lei."}, ChangeKind.NUMBERS),
        ({"text": "We do not know that, sorry."}, ChangeKind.WORDS),
        ({"failure": "the model is away"}, ChangeKind.FAILED),
    ],
)
def test_each_difference_that_matters_is_named(fields: dict[str, Any], kind: ChangeKind) -> None:
    assert kind in changed(**fields)


def test_a_much_longer_text_is_a_change() -> None:
    longer = f"{TEXT} The soup and the chicken of our lunch menu change every day of the week."

    assert changed(text=f"{longer} Soup and chicken, day after day after day.") == (
        ChangeKind.LENGTH,
    )


def test_a_language_that_is_not_known_is_no_change() -> None:
    assert changed(language=None) == ()


def test_a_search_is_compared_by_its_words_and_a_call_by_its_values() -> None:
    def kinds(one: tuple[ToolUse, ...], other: tuple[ToolUse, ...]) -> tuple[ChangeKind, ...]:
        return compare(ComparedAnswer(tools=one), ComparedAnswer(tools=other)).changes

    assert kinds(searched("the lunch menu"), searched("Menu: lunch?")) == ()
    assert kinds(searched("lunch menu"), searched("dinner menu")) == (ChangeKind.TOOLS,)
    assert kinds(called('{"a": 1, "b": 2}'), called('{"b":2,"a":1}')) == ()
    assert kinds(called('{"a": 1}'), called('{"a": 2}')) == (ChangeKind.TOOLS,)
    assert kinds(called("{no json"), called("{no json")) == ()
    assert kinds(searched("a") + searched("b"), searched("b") + searched("a")) == (
        ChangeKind.TOOLS,
    )


def test_two_failures_are_no_change() -> None:
    away = ComparedAnswer(failure="away")

    assert compare(away, away).changes == ()


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        ("", "", 1.0),
        ("Da.", "da!", 0.0),
        ("și la", "la și", 1.0),
        ("lunch soup", "lunch cake", 0.5),
        ("Ciorbă", "ciorba", 1.0),
        ("soup", "", 0.0),
    ],
)
def test_similarity_is_the_share_of_common_words(one: str, other: str, share: float) -> None:
    assert similarity(one, other) == share


def test_what_changes_more_weighs_more() -> None:
    handed_over = compare(BEFORE, ComparedAnswer(text=TEXT, handoff=Handover.REQUESTED))
    shorter = compare(BEFORE, ComparedAnswer(text=TEXT[:30], sources=BEFORE.sources))

    assert handed_over.weight > shorter.weight


# What is compared of an answer.


def test_an_answer_is_compared_by_what_was_stored_with_it() -> None:
    answer = Message(
        seq=2,
        message_id=MessageId("r1"),
        author=Author.AI,
        text="A colleague will come.",
        at=datetime(2026, 1, 1, tzinfo=UTC),
        actions=(
            {"type": "sources", "items": [{"title": "Menu", "location": "menu.md"}]},
            {"type": "leave_message", "returnsAt": None},
        ),
        tools=(ToolUse(name="find", outcome=ToolOutcome.FOUND, arguments="{}", result="secret"),),
        usage=Usage(model="m1", input_tokens=10, output_tokens=2, calls=1),
        version=AnswerVersion(prompt="p"),
    )
    found = compared_answer(
        answer, is_handed_over=False, language="en", detect=lambda _t, _k: "en", seconds=1.0
    )

    assert found == ComparedAnswer(
        text="A colleague will come.",
        tools=(ToolUse(name="find", outcome=ToolOutcome.FOUND, arguments="{}"),),
        handoff=Handover.NOBODY_THERE,
        sources=("menu.md",),
        claims=("human",),
        language="en",
        model="m1",
        input_tokens=10,
        output_tokens=2,
        seconds=1.0,
        version=AnswerVersion(prompt="p"),
    )


@pytest.mark.parametrize(
    "action",
    [
        {"type": "sources"},
        {"type": "sources", "items": None},
        {"type": "sources", "items": [None, 1, "x"]},
        {"items": [{"location": "menu.md"}]},
    ],
)
def test_an_action_in_another_shape_has_no_sources(action: dict[str, object]) -> None:
    answer = Message(
        seq=2,
        message_id=MessageId("r1"),
        author=Author.AI,
        text="Yes.",
        at=datetime(2026, 1, 1, tzinfo=UTC),
        actions=(action,),
    )
    found = compared_answer(
        answer, is_handed_over=False, language="en", detect=lambda _t, _k: None, seconds=None
    )

    assert found.sources == ()


# Sums and bounds.


def turn(before: ComparedAnswer, after: ComparedAnswer) -> ComparedTurn:
    found = compare(before, after)
    return ComparedTurn(
        session_id="s1",
        seq=2,
        at="",
        question="?",
        before=before,
        after=after,
        changes=found.changes,
        similarity=found.similarity,
    )


def sums() -> ReplaySums:
    """Ten turns: one is handed over anew, one fails, and each costs a tenth more."""
    spent: dict[str, Any] = {"input_tokens": 90, "output_tokens": 10}
    before = ComparedAnswer(text=TEXT, **spent)
    after = ComparedAnswer(text=TEXT, input_tokens=100, output_tokens=10)
    found = ReplaySums()
    for _ in range(8):
        found.add(turn(before, after))
    found.add(
        turn(
            before,
            ComparedAnswer(
                text=TEXT, handoff=Handover.REQUESTED, input_tokens=100, output_tokens=10
            ),
        )
    )
    found.add(turn(before, ComparedAnswer(failure="away")))
    return found


def test_the_sums_count_what_has_changed() -> None:
    found = sums()

    assert (found.turns, found.changed) == (10, 2)
    assert found.by_kind == {ChangeKind.HANDOFF: 1, ChangeKind.FAILED: 1}
    assert (found.before.handoffs, found.after.handoffs) == (0, 1)
    assert (found.counted, found.before.tokens, found.after.tokens) == (9, 900, 990)
    assert found.similarity == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("bounds", "is_exceeded"),
    [
        ({"max_changed": 20.0}, False),
        ({"max_changed": 19.9}, True),
        ({"max_handoffs": 10.0}, False),
        ({"max_handoffs": 9.0}, True),
        ({"max_tokens": 10.0}, False),
        ({"max_tokens": 9.9}, True),
        ({"max_failed": 1}, False),
        ({"max_failed": 0}, True),
    ],
)
def test_a_bound_is_exceeded_by_more_than_it_says(
    bounds: dict[str, Any], is_exceeded: bool
) -> None:
    (check,) = check_bounds(sums(), ReplayBounds(**bounds))

    assert check.is_exceeded is is_exceeded


def test_a_bound_that_was_not_set_is_not_checked() -> None:
    assert check_bounds(sums(), ReplayBounds()) == []


def test_tokens_that_were_not_recorded_exceed_nothing() -> None:
    found = ReplaySums()
    found.add(turn(ComparedAnswer(text=TEXT), ComparedAnswer(text=TEXT, input_tokens=9)))
    (check,) = check_bounds(found, ReplayBounds(max_tokens=0.0))

    assert check.found is None
    assert not check.is_exceeded
