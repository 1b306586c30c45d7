"""The schedule of the AI's turns: one at a time per customer, after the quiet window.

A turn is cancelled when the conversation changes hands. While another process runs the customer's
turn, it is tried again until nothing is pending. If the process dies, the messages are still
pending in the store: the user's next join or the sweep wakes the turn again.
"""

import asyncio
from dataclasses import dataclass, field

from application.answer_pending import AnswerPending, TurnEnd
from application.hub import Hub
from application.policy import Policy
from application.ports import Appended, Clock, Event, StopRequested, Timer
from application.summaries import Summaries
from application.turn_lease import LEASE_S
from domain.backoff import backoff
from domain.identity import Customer
from domain.message import Entry, Message, StatusChange
from domain.status import Status

FIRST_RETRY_S, LONGEST_RETRY_S = 0.25, 2.0
"""The pauses between two attempts to start a turn that another process has."""
OTHERS_S = LEASE_S + 2.0
"""The time after which a turn that another process has to make is tried here, for a listener."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """Schedules all turns of this process, at most one per customer."""

    answer_pending: AnswerPending
    summaries: Summaries
    hub: Hub
    clock: Clock
    policy: Policy
    _waiting: dict[Customer, "_WaitingTurn"] = field(default_factory=dict)
    _running: dict[Customer, "_RunningTurn"] = field(default_factory=dict)
    _draining: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.hub.tap_remote(self._on_remote)

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

    @property
    def running(self) -> int:
        """The number of turns that run here, or wait for a place."""
        return len(self._running)

    def is_busy(self, customer: Customer) -> bool:
        """Return True if a turn of the customer is running here or waits for its start."""
        return customer in self._running or customer in self._waiting

    def _wait_for_quiet(self, customer: Customer) -> None:
        policy, now = self.policy, self.clock.monotonic()
        waiting = self._waiting.get(customer)
        if waiting is not None and waiting.refusals:  # the customer was not waited for until now
            waiting.since, waiting.refusals = now, 0
        left_s = policy.turn_quiet_max_s - (now - waiting.since if waiting is not None else 0.0)
        self._wait(customer, min(policy.turn_quiet_s, max(0.0, left_s)))

    def _wait(self, customer: Customer, delay_s: float) -> "_WaitingTurn":
        """Start the customer's turn after a delay, which replaces the former one."""
        waiting = self._waiting.get(customer)
        if waiting is None:
            waiting = self._waiting[customer] = _WaitingTurn(self.clock.monotonic())
        else:
            waiting.timer.cancel()
        waiting.timer = self.clock.call_later(delay_s, lambda: self._start(customer))
        return waiting

    def _start(self, customer: Customer, stop: StopRequested | None = None) -> None:
        waiting = self._waiting.pop(customer, None)
        if customer not in self._running:
            running = self._running[customer] = _RunningTurn(customer)
            if waiting is not None:
                waiting.timer.cancel()
                running.refusals = waiting.refusals
                stop = stop or waiting.stop
            running.stop = stop
            running.task = asyncio.get_running_loop().create_task(self._run(running))

    async def _run(self, running: "_RunningTurn") -> None:
        running.begun, end = True, TurnEnd.NOTHING
        try:
            end = await self.answer_pending(
                running.customer,
                stop=running.stop,
                was_elsewhere=running.refusals > 0,
            )
        finally:
            self._ended(running, end)

    def _ended(self, running: "_RunningTurn", end: TurnEnd = TurnEnd.NOTHING) -> None:
        customer = running.customer
        del self._running[customer]
        if end is TurnEnd.HELD_ELSEWHERE:
            self._try_again(running)
        elif running.again or end is TurnEnd.MORE_PENDING:
            self.wake(customer)

    def _try_again(self, running: "_RunningTurn") -> None:
        """Start the turn again a while after another process had it, for who listens here.

        For nobody the sweep does.
        """
        customer = running.customer
        if self._draining.is_set() or not self.hub.has_listeners(customer):
            return
        delay_s = backoff(running.refusals, FIRST_RETRY_S, LONGEST_RETRY_S, jitter=1.0)
        waiting = self._wait(customer, delay_s)
        waiting.refusals, waiting.stop = running.refusals + 1, running.stop

    def _on_remote(self, customer: Customer, event: Event) -> None:
        if isinstance(event, StopRequested):
            if customer in self._waiting:
                self._start(customer, event)
        elif isinstance(event, Appended):
            self._on_remote_entries(customer, event.entries)

    def _on_remote_entries(self, customer: Customer, entries: tuple[Entry, ...]) -> None:
        """Try again once another process has answered, or may have died with a turn to make."""
        waiting = self._waiting.get(customer)
        if waiting is not None:
            if waiting.refusals and any(map(_answers, entries)):
                waiting.refusals = 1
                # Of what it left unanswered the other process begins a turn first.
                self._wait(customer, self.policy.turn_quiet_s + FIRST_RETRY_S)
        elif any(map(_may_need_answer, entries)) and not self.is_busy(customer):
            if self.hub.has_listeners(customer) and not self._draining.is_set():
                self._wait(customer, OTHERS_S).refusals = 1

    async def stop_answer(self, customer: Customer) -> None:
        """End the answer being written to the customer, in whatever process, as the user wants.

        What was written is stored as the answer. Where nothing was, also as the turn has not begun,
        what is pending gets no answer but a notice. Raises: StorageUnavailable.
        """
        cached = await self.answer_pending.session_log.current(customer)
        if cached is None or not cached.session.needs_answer:
            return
        stop = StopRequested(cached.session.session_id, cached.session.last_user_seq)
        self.hub.publish(customer, stop)  # to the turn that runs
        if customer not in self._running:
            self._start(customer, stop)

    def cancel(self, customer: Customer) -> None:
        """Stop all of the AI's work for the customer; pending messages are not answered here."""
        self.summaries.forget(customer)
        waiting = self._waiting.pop(customer, None)
        if waiting is not None:
            waiting.timer.cancel()
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
        for customer, waiting in list(self._waiting.items()):
            if not waiting.refusals:
                self._start(customer)
        while tasks := [running.task for running in self._running.values()]:
            await asyncio.wait(tasks)

    async def stop(self) -> None:
        """Cancel all turns: their messages stay pending in the store, for another process."""
        for waiting in self._waiting.values():
            waiting.timer.cancel()
        self._waiting.clear()
        tasks = [running.task for running in self._running.values()]
        for customer in list(self._running):
            self.cancel(customer)
        await asyncio.gather(*tasks, return_exceptions=True)
        if self.answer_pending.write_calls is not None:
            await self.answer_pending.write_calls.stop()
        await self.summaries.stop()


def _answers(entry: Entry) -> bool:
    return isinstance(entry, Message) and entry.settles_seq > 0


def _may_need_answer(entry: Entry) -> bool:
    """Return True if the AI may have to answer now that the entry is stored."""
    if isinstance(entry, StatusChange):
        return entry.status is Status.AI
    return entry.calls_for_answer


class _WaitingTurn:
    """A turn that starts later: its customer may go on writing, or another process has it."""

    __slots__ = ("refusals", "since", "stop", "timer")

    timer: Timer

    def __init__(self, since: float) -> None:
        self.since = since
        """By the monotonic clock."""
        self.refusals = 0
        """The attempts in a row that found another process to have it."""
        self.stop: StopRequested | None = None


class _RunningTurn:
    """A customer's turn, and whether another is to follow it."""

    __slots__ = ("again", "begun", "customer", "refusals", "stop", "task")

    task: asyncio.Task[None]

    def __init__(self, customer: Customer) -> None:
        self.customer = customer
        self.begun = False
        self.again = False
        self.refusals = 0
        self.stop: StopRequested | None = None
