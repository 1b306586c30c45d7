"""Retry-After, bounded bodies and the circuit breaker, without a network or a clock."""

from collections.abc import AsyncIterator
from datetime import timedelta
from email.utils import format_datetime

import pytest

from adapters.http_client import FAILURES_TO_OPEN, Breaker, read_bounded, retry_after_s
from tests.support.clock import START

# Retry-After.


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "30"}, 30.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": format_datetime(START + timedelta(seconds=40), usegmt=True)}, 40.0),
        ({"retry-after": "Tue, 01 Jan 2030 12:00:07"}, 7.0),
        ({"retry-after": "Tue, 01 Jan 1980 00:00:00 GMT"}, 0.0),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "-1"}, 0.0),
        ({"retry-after": "9", "retry-after-ms": "150"}, 0.15),
    ],
)
def test_seconds_dates_and_milliseconds_are_understood(
    headers: dict[str, str], seconds: float
) -> None:
    assert retry_after_s(headers, START) == seconds


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"retry-after": ""},
        {"retry-after": "-5"},
        {"retry-after": "soon"},
        {"retry-after": "1.2.3"},
        {"retry-after": "²"},
        {"retry-after": "Mon, 99 Xyz 2030 00:00:00 GMT"},
        {"retry-after-ms": "nan"},
        {"retry-after-ms": "soon"},
    ],
)
def test_what_cannot_be_understood_says_nothing(headers: dict[str, str]) -> None:
    assert retry_after_s(headers, START) is None


# Bodies.


async def pieces(*sizes: int) -> AsyncIterator[bytes]:
    for size in sizes:
        yield b"x" * size


@pytest.mark.parametrize("sizes", [(), (10,), (4, 6), (0, 9, 1)])
async def test_a_body_up_to_the_limit_is_read(sizes: tuple[int, ...]) -> None:
    assert await read_bounded(pieces(*sizes), 10) == b"x" * sum(sizes)


async def test_a_longer_body_is_read_no_further() -> None:
    body = pieces(6, 5, 7)

    assert await read_bounded(body, 10) is None
    assert [len(piece) async for piece in body] == [7]


# The circuit breaker.


def opened(breaker: Breaker, now: float = 0.0) -> Breaker:
    """The breaker after as many failures as it takes."""
    for _ in range(FAILURES_TO_OPEN):
        assert breaker.admit(now)
        breaker.failed(now)
    return breaker


def resting() -> Breaker:
    """One that rests for 5 s the first time, and then for ever longer."""
    return Breaker(lambda openings: 5.0 * 2**openings)


def test_failures_in_a_row_open_it() -> None:
    breaker = resting()
    noted = [breaker.failed(0.0) for _ in range(FAILURES_TO_OPEN)]

    assert noted == [False] * (FAILURES_TO_OPEN - 1) + [True]
    assert breaker.is_open(4.9)
    assert not breaker.admit(4.9)


def test_a_success_between_failures_keeps_it_closed() -> None:
    breaker = resting()
    for _ in range(3):
        for _ in range(FAILURES_TO_OPEN - 1):
            breaker.failed(0.0)
        breaker.succeeded()

    assert not breaker.is_open(0.0)


def test_after_its_rest_one_request_passes_as_a_trial() -> None:
    breaker = opened(resting())

    assert [breaker.admit(5.0) for _ in range(3)] == [True, False, False]


def test_a_trial_that_succeeds_closes_it() -> None:
    breaker = opened(resting())
    breaker.admit(5.0)
    breaker.succeeded()

    assert [breaker.admit(5.0) for _ in range(3)] == [True, True, True]
    assert breaker.openings == 0


def test_a_trial_that_fails_opens_it_for_longer() -> None:
    breaker = opened(resting())
    breaker.admit(5.0)

    assert breaker.failed(5.0)
    assert breaker.is_open(14.9)
    assert not breaker.is_open(15.0)


def test_a_trial_that_shows_nothing_leaves_room_for_another() -> None:
    breaker = opened(resting())
    breaker.admit(5.0)
    breaker.released()

    assert breaker.admit(5.0)


def test_failures_of_requests_that_passed_before_it_opened_change_nothing() -> None:
    breaker = opened(resting())

    assert not breaker.failed(3.0)
    assert breaker.admit(5.0)


def test_without_a_rest_of_its_own_it_stays_open_until_it_is_told() -> None:
    breaker = opened(Breaker())
    still_open = breaker.is_open(1e9)
    breaker.half_open()

    assert still_open
    assert [breaker.admit(0.0) for _ in range(3)] == [True, True, True]


def test_half_opened_by_hand_one_failure_opens_it_again() -> None:
    breaker = opened(Breaker())
    breaker.half_open()

    assert breaker.failed(0.0)
    assert breaker.openings == 2


def test_half_opened_by_hand_a_success_closes_it() -> None:
    breaker = opened(Breaker())
    breaker.half_open()
    breaker.succeeded()

    assert not breaker.failed(0.0)
    assert not breaker.is_open(0.0)
