"""Conclusions from the end of a log: slots to add or to remove, a head to write."""

import dataclasses
from datetime import timedelta

import pytest
from msgspec.structs import replace

from adapters.dynamodb.items import NEVER, Item, due_slot, entry_sk, head_item, ms, number
from adapters.dynamodb.session_reader import (
    CACHE_LIFETIME,
    MAX_CACHED_HEADS,
    MAX_HEAD_LAG,
    MAX_RECENCY_LAG_MS,
    HeadState,
    HeadStateCache,
)
from domain.identity import SessionId
from tests.contract.stores import NOON, new_session

SESSION = replace(new_session(), seq=1)


def state(due: int = 1_000, *, seq: int = 1) -> HeadState:
    """Return the state of a session of one entry, with the head just written."""
    return dataclasses.replace(HeadState.written(SESSION, due), seq=seq)


def advance(known: HeadState, seq: int, due: int) -> dict[str, str]:
    """Add an entry, without the head."""
    return known.advance(replace(SESSION, seq=seq), due, with_head=False)


def entries(seq: int, due: int, *, slot: bool = False) -> Item:
    """Return an item of the log, with what a state reads of it."""
    made: Item = {"SK": {"S": entry_sk(seq)}}
    made |= {"d": number(due)} if due != NEVER else {}
    return made | (due_slot("s1", due) if slot else {})


@pytest.mark.parametrize(("due", "needs"), [(999, True), (1_000, False), (NEVER, False)])
def test_entries_need_a_slot_when_they_are_due_earlier_than_those_before_them(
    due: int, needs: bool
) -> None:
    assert state(1_000).needs_slot(due) is needs


def test_entries_that_are_due_need_a_slot_after_entries_that_never_are() -> None:
    assert state(NEVER).needs_slot(10**12)


def test_a_slot_is_obsolete_when_no_entry_was_ever_due_later() -> None:
    known = state(1_000)
    advance(known, 2, 500)
    known.slots = {"M#2": "500#s1"}

    assert advance(known, 3, 999) == {}
    assert advance(known, 4, 1_000) == {"M#2": "500#s1"}
    assert known.slots == {}


def test_a_slot_is_kept_while_another_process_may_have_moved_the_heads_slot_behind_it() -> None:
    known = state(1_000)
    advance(known, 2, 5_000)  # from here on the head's slot may be moved to 5,000
    advance(known, 3, 500)
    known.slots = {"M#3": "500#s1"}

    assert advance(known, 4, 4_999) == {}
    assert advance(known, 5, 5_000) == {"M#3": "500#s1"}


def test_no_slot_is_needed_when_the_session_is_never_due_again() -> None:
    known = state(1_000)
    known.slots = {"M#2": "500#s1"}

    assert advance(known, 2, NEVER) == {"M#2": "500#s1"}
    assert advance(known, 3, 10**12) == {}


def test_a_state_is_read_from_the_head_and_the_newest_entries() -> None:
    head = head_item(SESSION, 700)
    newest = [entries(9, 800), entries(8, 600, slot=True), entries(7, 900)]

    assert HeadState.read(head, newest, 9) == HeadState(
        seq=9,
        due=800,
        head_seq=1,
        head_at=ms(NOON),
        latest_due=900,
        slots={entry_sk(8): "0000000000600#s1"},
    )


def test_a_session_without_entries_is_due_at_its_heads_slot() -> None:
    known = HeadState.read(head_item(SESSION, 700), [], 1)

    assert (known.due, known.latest_due) == (700, 700)


@pytest.mark.parametrize(
    ("entries", "later_ms", "lags"),
    [
        (1, MAX_RECENCY_LAG_MS - 1, False),
        (1, MAX_RECENCY_LAG_MS, True),
        (1, -1, True),  # a clock has gone back: an older session must not be listed first
        (MAX_HEAD_LAG - 1, 0, False),
        (MAX_HEAD_LAG, 0, True),
    ],
)
def test_a_head_lags_when_it_is_old_or_far_behind(entries: int, later_ms: int, lags: bool) -> None:
    at = NOON + timedelta(milliseconds=later_ms)

    assert state().lags(replace(SESSION, seq=1 + entries, updated_at=at)) is lags


def test_a_head_that_was_written_with_entries_does_not_lag() -> None:
    known = state()
    newer = replace(SESSION, seq=1 + MAX_HEAD_LAG, updated_at=NOON + timedelta(seconds=30))
    known.advance(newer, 1_000, with_head=True)

    assert not known.lags(replace(newer, seq=newer.seq + 1))


def test_an_older_state_does_not_replace_a_newer_one() -> None:
    states, session_id = HeadStateCache(lambda: NOON), SessionId("s1")
    newer = states.keep(session_id, state(seq=5))

    assert states.keep(session_id, state(seq=4)) is newer
    assert states.get(session_id) is newer
    reread = state(seq=5)
    assert states.keep(session_id, reread) is reread


def test_a_forgotten_state_is_not_in_the_cache() -> None:
    states = HeadStateCache(lambda: NOON)
    states.keep(SessionId("s1"), state())
    states.forget(SessionId("s1"))
    states.forget(SessionId("s1"))

    assert states.get(SessionId("s1")) is None


def test_the_states_that_were_kept_first_are_dropped_first() -> None:
    states = HeadStateCache(lambda: NOON)
    for seq in range(MAX_CACHED_HEADS):
        states.keep(SessionId(str(seq)), state())
    states.keep(SessionId("0"), state(seq=2))
    states.keep(SessionId("new"), state())

    assert states.get(SessionId("1")) is None
    assert states.get(SessionId("0")) is not None


def test_a_state_expires_before_the_items_that_refuse_a_late_writer() -> None:
    now = NOON
    states = HeadStateCache(lambda: now)
    states.keep(SessionId("s1"), state())
    now += CACHE_LIFETIME - timedelta(seconds=1)
    young = states.get(SessionId("s1"))
    now += timedelta(seconds=1)

    assert young is not None
    assert states.get(SessionId("s1")) is None
