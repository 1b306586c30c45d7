"""The queues of the outbox: what a marker is after each change."""

from collections.abc import Callable

import pytest

from adapters.dynamodb.outbox_items import Marker, Queued
from domain.notice import Lane

QUEUE = (Queued(5, "M#0000000001"), Queued(7, "A#000000000011"), Queued(6, "M#0000000004"))
"""Notices at the positions 10 or later, 11, and 40 or later."""
CLAIMED = Marker(
    "S#s1", Lane.PEOPLE, QUEUE, due=9, attempts=3, leased_until=20, version=4, exp={"N": "1"}
)


def order(marker: Marker) -> list[str]:
    """Return the sort keys in the queue."""
    return [queued.sk[0] + str(int(queued.sk[2:])) for queued in marker.queue]


@pytest.mark.parametrize("marker", [CLAIMED, CLAIMED._replace(leased_until=None, exp=None)])
def test_a_marker_is_read_as_it_was_written_as_the_next_version(marker: Marker) -> None:
    assert Marker.of("S#s1", Lane.PEOPLE, marker.item()) == marker._replace(version=5)


def test_a_marker_with_an_empty_queue_is_not_in_the_index() -> None:
    marker = CLAIMED
    for queued in QUEUE:
        marker = marker.without(queued.sk)

    assert marker.item().keys() == {"PK", "SK", "oV", "exp"}


def test_a_tombstone_is_a_marker_with_nothing_to_deliver() -> None:
    marker = Marker.of("S#s1", Lane.PEOPLE, {"x": {"BOOL": True}})

    assert marker == Marker("S#s1", Lane.PEOPLE, is_erased=True)
    assert marker.unchanged() == Marker.of("S#s1", Lane.PEOPLE, None).unchanged()


def test_the_next_notice_becomes_the_first_as_if_new_at_its_own_time() -> None:
    after = CLAIMED.without(QUEUE[0].sk)

    assert order(after) == ["A11", "M4"]
    assert (after.ready_at, after.attempts, after.leased_until) == (7, 0, None)


CHANGES: dict[str, Callable[[Marker], Marker]] = {
    "another one is removed": lambda marker: marker.without(QUEUE[1].sk),
    "another one is deferred": lambda marker: marker.deferred(QUEUE[2].sk, 99),
    "one is inserted": lambda marker: marker.having([Queued(1, "A#000000000012")], QUEUE[:1]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_claimed_notice_stays_claimed_when_the_queue_behind_it_changes(change: str) -> None:
    after = CHANGES[change](CLAIMED)

    assert after.queue != QUEUE
    assert after.queue[0] == QUEUE[0]
    assert (after.due, after.attempts, after.leased_until) == (9, 3, 20)


def test_a_deferred_first_notice_keeps_its_place_and_its_attempts() -> None:
    after = CLAIMED.deferred(QUEUE[0].sk, 50)

    assert (after.queue, after.ready_at, after.attempts) == (QUEUE, 50, 3)


@pytest.mark.parametrize(
    ("first", "expected"),
    [((), ["M1", "A11", "A20", "M3", "M4"]), (QUEUE[2:], ["M4", "M1", "A11", "A20", "M3"])],
)
def test_notices_are_inserted_by_their_positions(
    first: tuple[Queued, ...], expected: list[str]
) -> None:
    added = [Queued(1, "M#0000000003"), Queued(1, "A#000000000020")]

    assert order(CLAIMED.having(added, first)) == expected


def test_a_notice_that_is_inserted_twice_is_queued_once() -> None:
    assert CLAIMED.having(QUEUE[1:], QUEUE[:1]) == CLAIMED
