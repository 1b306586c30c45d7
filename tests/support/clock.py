"""Virtual time and counted ids, so that every run is the same and takes no real time."""

import asyncio
import itertools
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from typing import Any, cast

from adapters.system import SlewedTime
from application.ports import Clock

START = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)
MAX_ROUNDS = 100_000
"""Rounds of the event loop in one `settle`; a run that needs more is an endless loop."""


async def settle() -> None:
    """Return once no other task of this event loop can go on by itself.

    A task that waits for a timer, for I/O or for a thread does not count. `_ready` is asyncio's
    own queue of what is to run next: it alone tells "nothing more to do" from "not run yet".
    """
    loop = cast(Any, asyncio.get_running_loop())
    for _ in range(MAX_ROUNDS):
        await asyncio.sleep(0)
        if not loop._ready:
            return
    raise AssertionError(f"the tasks are still busy after {MAX_ROUNDS} rounds of the event loop")


class VirtualTimer:
    """A callback, and its due time."""

    def __init__(self, due_ms: int, callback: Callable[[], None]) -> None:
        self.due_ms = due_ms
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class VirtualClock(Clock):
    """Time that passes only in `advance`, and a wall clock that can be set."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._ms = 0
        self._wall_ms_ahead = 0
        self._time = SlewedTime(0, 0)
        self._timers: list[tuple[int, int, VirtualTimer]] = []
        self._order = itertools.count()

    def __repr__(self) -> str:
        return f"<VirtualClock {self.now().isoformat()} timers={self.pending}>"

    @property
    def pending(self) -> int:
        """The number of timers that have not fired yet."""
        return sum(not timer.cancelled for _, _, timer in self._timers)

    def now(self) -> datetime:
        wall_ms = self._ms + self._wall_ms_ahead
        now = self._time.read(wall_ms * 1_000_000, self._ms * 1_000_000)
        return self._start + timedelta(milliseconds=now // 1_000_000)

    def wall(self) -> datetime:
        return self._start + timedelta(milliseconds=self._ms + self._wall_ms_ahead)

    def monotonic(self) -> float:
        return self._ms / 1000

    def step(self, seconds: float) -> None:
        """Set the wall clock forward, or back."""
        self.now()  # as a process does every few seconds
        self._wall_ms_ahead += round(seconds * 1000)

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> VirtualTimer:
        timer = VirtualTimer(self._ms + _whole_ms(delay_s), callback)
        heappush(self._timers, (timer.due_ms, next(self._order), timer))
        return timer

    async def sleep(self, delay_s: float) -> None:
        over = asyncio.Event()
        timer = self.call_later(delay_s, over.set)
        try:
            await over.wait()
        finally:
            timer.cancel()

    async def advance(self, seconds: float) -> None:
        """Advance the time: each timer fires at its moment, and what it starts runs until it waits.

        Timers of one moment fire in the order in which they were set.
        """
        end = self._ms + _whole_ms(seconds)
        await settle()
        while self._timers and self._timers[0][0] <= end:
            due_ms, _, timer = heappop(self._timers)
            if timer.cancelled:
                continue
            self._ms = max(self._ms, due_ms)
            timer.callback()
            await settle()
        self._ms = end


class SkewedClock(VirtualClock):
    """The clock of another machine: its time passes with another clock's, and is wrong."""

    def __init__(self, clock: VirtualClock, ahead: timedelta) -> None:
        super().__init__()
        self._clock, self._ahead = clock, ahead

    def now(self) -> datetime:
        return self._clock.now() + self._ahead

    def monotonic(self) -> float:
        return self._clock.monotonic() + 1000.0

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> VirtualTimer:
        return self._clock.call_later(delay_s, callback)


def _whole_ms(seconds: float) -> int:
    """Round up to whole milliseconds, so that no timer fires too early."""
    return max(int(seconds > 0), math.ceil(round(seconds * 1000, 6)))


class CountedIds:
    """Ids of 32 hexadecimal digits that count up; those of two processes differ."""

    def __init__(self, process: int = 1) -> None:
        self._process = process
        self._count = itertools.count(1)

    def __call__(self) -> str:
        return f"{self._process:04x}{next(self._count):028x}"
