"""What a process concludes from the end of a log: slots to set or to take, a head that is late."""

import dataclasses
from datetime import timedelta

import pytest
from msgspec.structs import replace

from adapters.dynamodb.head_state import (
    MAX_BEHIND,
    MAX_TAILS,
    RECENCY_MS,
    TAILS_LIVE,
    Tail,
    Tails,
    tail_of,
    tail_of_head,
)
from adapters.dynamodb.items import NEVER, Item, due_slot, entry_sk, head_item, ms, number
from domain.identity import SessionId
from tests.contract.stores import NOON, new_session

SESSION = replace(new_session(), seq=1)


def tail(due: int = 1_000, *, seq: int = 1) -> Tail:
    """The tail of a session of one entry, with the head just written."""
    return dataclasses.replace(tail_of_head(SESSION, due, None), seq=seq)


def entries(seq: int, due: int, *, slot: bool = False) -> Item:
    """An item of the log, as far as a tail looks at it."""
    made: Item = {"SK": {"S": entry_sk(seq)}}
    made |= {"d": number(due)} if due != NEVER else {}
    return made | (due_slot("s1", due) if slot else {})


@pytest.mark.parametrize(("due", "needs"), [(999, True), (1_000, False), (NEVER, False)])
def test_entries_need_a_slot_when_they_are_due_before_those_before_them(
    due: int, needs: bool
) -> None:
    assert tail(1_000).needs_slot(due) is needs


def test_whatever_is_due_needs_a_slot_after_what_never_is() -> None:
    assert tail(NEVER).needs_slot(10**12)


def test_a_slot_is_needless_once_nothing_was_ever_due_later() -> None:
    known = tail(1_000)
    known.grow(2, 500, None)
    known.slots = {"M#2": "500#s1"}

    assert known.grow(3, 999, None) == {}
    assert known.grow(4, 1_000, None) == {"M#2": "500#s1"}
    assert known.slots == {}


def test_a_slot_is_kept_while_another_process_may_have_moved_the_heads_behind_it() -> None:
    known = tail(1_000)
    known.grow(2, 5_000, None)  # from here on the head's slot may be moved to 5,000
    known.grow(3, 500, None)
    known.slots = {"M#3": "500#s1"}

    assert known.grow(4, 4_999, None) == {}
    assert known.grow(5, 5_000, None) == {"M#3": "500#s1"}


def test_no_slot_is_needed_when_the_session_is_never_due_again() -> None:
    known = tail(1_000)
    known.slots = {"M#2": "500#s1"}

    assert known.grow(2, NEVER, None) == {"M#2": "500#s1"}
    assert known.grow(3, 10**12, None) == {}


def test_a_tail_is_read_from_the_head_and_the_newest_entries() -> None:
    head = head_item(SESSION, 700)
    newest = entries(9, 800) | {"lo": {"S": "M#0000000004"}}

    assert tail_of(head, [newest, entries(8, 600, slot=True), entries(7, 900)], 9) == Tail(
        seq=9,
        due=800,
        last_notice="M#0000000004",
        head_seq=1,
        head_at=ms(NOON),
        head_due=700,
        peak=900,
        slots={entry_sk(8): "0000000000600#s1"},
    )


def test_a_session_whose_entries_are_all_gone_is_due_when_its_head_says() -> None:
    known = tail_of(head_item(SESSION, 700), [], 1)

    assert (known.due, known.peak, known.last_notice) == (700, 700, None)


@pytest.mark.parametrize(
    ("entries", "later_ms", "lags"),
    [
        (1, RECENCY_MS - 1, False),
        (1, RECENCY_MS, True),
        (1, -1, True),  # a clock has gone back: what is listed first must not be the older one
        (MAX_BEHIND - 1, 0, False),
        (MAX_BEHIND, 0, True),
        (0, RECENCY_MS, False),
        (-1, RECENCY_MS, False),
    ],
)
def test_a_head_is_written_when_it_is_late_or_far_behind(
    entries: int, later_ms: int, lags: bool
) -> None:
    at = NOON + timedelta(milliseconds=later_ms)

    assert tail().head_lags(replace(SESSION, seq=1 + entries, updated_at=at)) is lags


def test_a_head_that_was_far_behind_keeps_its_place_in_the_listings() -> None:
    known = tail()
    newer = replace(SESSION, seq=1 + MAX_BEHIND, updated_at=NOON + timedelta(seconds=29))
    known.head_written(newer)

    assert known.head_seq == newer.seq
    assert known.head_at == ms(NOON)
    known.head_written(replace(newer, seq=99, updated_at=NOON + timedelta(seconds=30)))
    assert known.head_at == ms(NOON + timedelta(seconds=30))


def test_what_is_read_late_does_not_replace_what_is_known_since() -> None:
    tails, session_id = Tails(lambda: NOON), SessionId("s1")
    newer = tails.keep(session_id, tail(seq=5))

    assert tails.keep(session_id, tail(seq=4)) is newer
    assert tails.get(session_id) is newer
    reread = tail(seq=5)
    assert tails.keep(session_id, reread) is reread


def test_a_forgotten_tail_is_not_known() -> None:
    tails = Tails(lambda: NOON)
    tails.keep(SessionId("s1"), tail())
    tails.forget(SessionId("s1"))
    tails.forget(SessionId("s1"))

    assert tails.get(SessionId("s1")) is None


def test_the_tails_that_were_kept_first_are_forgotten_first() -> None:
    tails = Tails(lambda: NOON)
    for seq in range(MAX_TAILS):
        tails.keep(SessionId(str(seq)), tail())
    tails.keep(SessionId("0"), tail(seq=2))
    tails.keep(SessionId("new"), tail())

    assert tails.get(SessionId("1")) is None
    assert tails.get(SessionId("0")) is not None


def test_a_tail_is_read_again_when_it_is_as_old_as_what_refuses_a_late_writer_may_be() -> None:
    now = NOON
    tails = Tails(lambda: now)
    tails.keep(SessionId("s1"), tail())
    now += TAILS_LIVE - timedelta(seconds=1)
    young = tails.get(SessionId("s1"))
    now += timedelta(seconds=1)

    assert young is not None
    assert tails.get(SessionId("s1")) is None
