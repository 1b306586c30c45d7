"""The machine's clock and ids, and the virtual ones that stand in for them."""

import asyncio
import re
import time
from datetime import UTC

import pytest

from adapters.system import LONGEST_SLEW_S, RandomIds, SlewedTime, SystemClock
from tests.support.clock import START, CountedIds, VirtualClock, settle


def test_random_ids_are_unique_and_32_hexadecimal_digits() -> None:
    new_id = RandomIds()
    ids = [new_id() for _ in range(10_000)]

    assert len(set(ids)) == 10_000
    assert all(re.fullmatch(r"[0-9a-f]{32}", one) for one in ids)


def test_the_system_clock_tells_whole_milliseconds_in_utc() -> None:
    clock = SystemClock()
    moments = [clock.now() for _ in range(2_000)]

    assert all(moment.microsecond % 1_000 == 0 for moment in moments)
    assert {moment.tzinfo for moment in moments} == {UTC}
    assert moments == sorted(moments)


SECOND = 1_000_000_000


def slewed(step_s: int, passing_s: int) -> int:
    """Return by how many seconds time has passed, for a wall clock that was set at its start."""
    at = SlewedTime(0, 0)
    for second in range(1, passing_s + 1):
        now = at.read((second + step_s) * SECOND, second * SECOND)
    return now // SECOND


@pytest.mark.parametrize(("step_s", "passed"), [(3_600, 375), (-3_600, 225), (0, 300), (60, 360)])
def test_a_step_of_the_wall_clock_makes_time_faster_or_slower_by_a_quarter(
    step_s: int, passed: int
) -> None:
    assert slewed(step_s, 300) == passed


@pytest.mark.parametrize("step_s", [3_600, -3_600, LONGEST_SLEW_S, -LONGEST_SLEW_S])
def test_after_a_step_both_clocks_agree_in_four_times_its_length(step_s: int) -> None:
    seconds = abs(step_s) * 4

    assert slewed(step_s, seconds) == seconds + step_s


@pytest.mark.parametrize("step_s", [LONGEST_SLEW_S + 2, -LONGEST_SLEW_S - 2, 10 * 365 * 86_400])
def test_a_step_of_more_than_a_day_is_followed_at_once(step_s: int) -> None:
    assert slewed(step_s, 1) == 1 + step_s


def test_a_machine_that_slept_is_no_step_of_its_clock() -> None:
    at = SlewedTime(0, 0)

    assert at.read(8 * 3_600 * SECOND, 8 * 3_600 * SECOND) == 8 * 3_600 * SECOND


def test_the_system_clock_does_not_jump_with_the_wall_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, wall = SystemClock(), time.time_ns()
    before = clock.now(), clock.monotonic()
    monkeypatch.setattr(time, "time_ns", lambda: wall + 3_600 * SECOND)
    after = clock.now(), clock.monotonic()

    assert abs((after[0] - before[0]).total_seconds()) < 60
    assert 0 <= after[1] - before[1] < 60


async def test_the_system_clocks_timers_fire_unless_cancelled() -> None:
    clock, fired = SystemClock(), list[str]()
    clock.call_later(0, lambda: fired.append("kept"))
    clock.call_later(0, lambda: fired.append("cancelled")).cancel()
    await clock.sleep(0.001)

    assert fired == ["kept"]


async def test_virtual_timers_fire_in_order_and_not_before_their_time() -> None:
    clock, fired = VirtualClock(), list[tuple[str, float]]()

    def note(name: str) -> None:
        fired.append((name, (clock.now() - START).total_seconds()))

    def begin_first() -> None:
        clock.call_later(0.05, lambda: note("first"))

    clock.call_later(0.2, lambda: note("second"))
    clock.call_later(0.1, begin_first)
    clock.call_later(0.2, lambda: note("third"))
    clock.call_later(0.1, lambda: note("cancelled")).cancel()
    await clock.advance(0.199)
    early = list(fired)
    await clock.advance(0.001)

    assert early == [("first", 0.15)]
    assert fired[1:] == [("second", 0.2), ("third", 0.2)]
    assert clock.pending == 0


async def test_virtual_sleepers_run_before_the_next_timer() -> None:
    clock, seen = VirtualClock(), list[float]()

    async def tick() -> None:
        for _ in range(3):
            await clock.sleep(1)
            for _ in range(5):  # work that takes no time, but rounds of the event loop
                await asyncio.sleep(0)
            seen.append((clock.now() - START).total_seconds())

    ticking = asyncio.create_task(tick())
    await clock.advance(10)
    await ticking

    assert seen == [1, 2, 3]


async def test_settle_names_a_run_that_goes_in_circles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.clock.MAX_ROUNDS", 50)

    async def circle() -> None:
        for _ in range(1_000):
            await asyncio.sleep(0)

    circling = asyncio.create_task(circle())
    with pytest.raises(AssertionError, match="still busy after 50 rounds"):
        await settle()
    stopped = circling.cancel()

    assert stopped


def test_counted_ids_of_two_processes_differ() -> None:
    one, two = CountedIds(1), CountedIds(2)
    ids = [one(), one(), two(), two()]

    assert len(set(ids)) == 4
    assert all(len(each) == 32 for each in ids)
