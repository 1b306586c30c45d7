"""The machine's clocks, timers and randomness."""

import asyncio
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime

from application.ports import FASTEST, Clock, Timer

SLEW = FASTEST - 1
"""After a step of the wall clock, time passes faster or slower by this part, until both agree."""
LONGEST_SLEW_S = 86_400
"""A longer step is followed at once: the clock had never been set, or the machine was paused."""

# A suspended machine is no step of its wall clock, where its other clock goes on meanwhile.
_ELAPSED = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class SlewedTime:
    """The wall clock without its steps: it catches up with each over four times its length.

    What was stored before a step is thus neither overdue at once nor in a distant future. Pure;
    all times in nanoseconds. A step counts from the last reading, so read it every few seconds.
    """

    def __init__(self, wall: int, elapsed: int) -> None:
        self._now = wall
        self._elapsed = elapsed

    def read(self, wall: int, elapsed: int) -> int:
        """Return the time, given the wall clock's and that of one that never steps."""
        passed = elapsed - self._elapsed
        self._elapsed = elapsed
        self._now += passed
        gap = wall - self._now
        if abs(gap) <= LONGEST_SLEW_S * 1_000_000_000:
            longest = int(passed * SLEW)
            gap = max(-longest, min(longest, gap))
        self._now += gap
        return self._now


class SystemClock(Clock):
    """The machine's time, and the timers of the running event loop."""

    def __init__(self) -> None:
        self._wall_ms = 0
        self._now = datetime.fromtimestamp(0, UTC)
        self._time = SlewedTime(time.time_ns(), time.clock_gettime_ns(_ELAPSED))

    def now(self) -> datetime:
        # A turn calls this half a dozen times within a millisecond: one object serves them all.
        wall = time.time_ns()
        ms = wall // 1_000_000
        if ms != self._wall_ms:
            self._wall_ms = ms
            now = self._time.read(wall, time.clock_gettime_ns(_ELAPSED))
            self._now = datetime.fromtimestamp(now // 1_000_000 / 1000, UTC)
        return self._now

    def wall(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Timer:
        return asyncio.get_running_loop().call_later(delay_s, callback)

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)


class RandomIds:
    """Makes 128-bit identifiers; the system's randomness is read for 64 of them at once.

    A read is a system call: one for each id was 1.5 µs of a turn. Ids are never made before a fork.
    """

    def __init__(self) -> None:
        self._unused: list[str] = []

    def __call__(self) -> str:
        if not self._unused:
            digits = secrets.token_hex(64 * 16)
            self._unused = [digits[start : start + 32] for start in range(0, len(digits), 32)]
        return self._unused.pop()
