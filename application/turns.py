"""The schedule of the AI's turns: one at a time per customer, after the quiet window.

A turn is cancelled when the customer's conversation changes hands. If the process dies, the
messages are still pending in the store: the user's next join or the sweep wakes the turn again.
"""

import asyncio
from dataclasses import dataclass, field

from application.answer_pending import AnswerPending
from application.policy import Policy
from application.ports import Clock, Timer
from application.summaries import Summaries
from domain.identity import Customer


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """Schedules all turns of this process, at most one per customer."""

    answer_pending: AnswerPending
    summaries: Summaries
    clock: Clock
    policy: Policy
    _quiet: dict[Customer, "_QuietWindow"] = field(default_factory=dict)
    _running: dict[Customer, "_RunningTurn"] = field(default_factory=dict)
    _draining: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self, customer: Customer) -> None:
        """Start a turn once the customer, who has pending messages, has been quiet.

        A running turn is followed by another one. Does nothing while draining.
        """
        if self._draining.is_set():
            return
        if (running := self._running.get(customer)) is not None:
            running.again = True
        elif self.policy.turn_quiet_s <= 0:
            self._start(customer)
        else:
            self._wait_for_quiet(customer)

    def is_busy(self, customer: Customer) -> bool:
        """Return True if a turn of the customer is running here or waits for its quiet window."""
        return customer in self._running or customer in self._quiet

    def _wait_for_quiet(self, customer: Customer) -> None:
        policy, now = self.policy, self.clock.monotonic()
        window = self._quiet.get(customer)
        if window is None:
            window = self._quiet[customer] = _QuietWindow(now)
        else:
            window.timer.cancel()
        left_s = policy.turn_quiet_max_s - (now - window.since)
        delay_s = min(policy.turn_quiet_s, max(0.0, left_s))
        window.timer = self.clock.call_later(delay_s, lambda: self._start(customer))

    def _start(self, customer: Customer) -> None:
        self._quiet.pop(customer, None)
        if customer not in self._running:
            running = self._running[customer] = _RunningTurn(customer)
            running.task = asyncio.get_running_loop().create_task(self._run(running))

    async def _run(self, running: "_RunningTurn") -> None:
        running.begun = True
        try:
            if await self.answer_pending(running.customer):
                running.again = True
        finally:
            self._ended(running)

    def _ended(self, running: "_RunningTurn") -> None:
        del self._running[running.customer]
        if running.again:
            self.wake(running.customer)

    def cancel(self, customer: Customer) -> None:
        """Stop all of the AI's work for the customer; pending messages are not answered here."""
        self.summaries.forget(customer)
        window = self._quiet.pop(customer, None)
        if window is not None:
            window.timer.cancel()
        running = self._running.get(customer)
        if running is not None:
            running.again = False
            running.task.cancel()
            if not running.begun:  # a task that is cancelled before its first step runs no code
                self._ended(running)

    @property
    def is_draining(self) -> bool:
        """True if no more turns are started."""
        return self._draining.is_set()

    async def drain(self) -> None:
        """Start the turns that wait for quiet at once and no others; return when all have ended.

        Messages that come from now on stay pending in the store, as after `stop`.
        """
        self._draining.set()
        for customer, window in list(self._quiet.items()):
            window.timer.cancel()
            self._start(customer)
        while tasks := [running.task for running in self._running.values()]:
            await asyncio.wait(tasks)

    async def stop(self) -> None:
        """Cancel all turns: their messages stay pending in the store, for another process."""
        for window in self._quiet.values():
            window.timer.cancel()
        self._quiet.clear()
        tasks = [running.task for running in self._running.values()]
        for customer in list(self._running):
            self.cancel(customer)
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.summaries.stop()


class _QuietWindow:
    """A customer who may go on writing, and the timer that starts the turn if they do not."""

    __slots__ = ("since", "timer")

    timer: Timer

    def __init__(self, since: float) -> None:
        self.since = since
        """By the monotonic clock."""


class _RunningTurn:
    """A customer's turn, and whether another is to follow it."""

    __slots__ = ("again", "begun", "customer", "task")

    task: asyncio.Task[None]

    def __init__(self, customer: Customer) -> None:
        self.customer = customer
        self.begun = False
        self.again = False
