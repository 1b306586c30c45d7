"""Delivery of the outbox to the bridge: at least once, in order per session and lane.

Notices wait in the outbox until they are delivered or become dead letters. Those of one session and
lane go out one after the other; sessions and lanes do not wait for each other. When a request for a
human cannot be delivered, the user is told so.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple

from application.hub import Hub
from application.ports import (
    FASTEST,
    Appended,
    Bridge,
    Clock,
    Event,
    Observer,
    Outbox,
    SessionStore,
    Tracing,
)
from application.session_log import SessionLog
from application.time_limit import OutOfTime, within
from application.tracing import NO_TRACING
from application.transfers import Transfers
from domain.backoff import backoff
from domain.errors import BridgeRefused, BridgeUnavailable, Failure, StorageUnavailable
from domain.identity import Customer, TransferId
from domain.message import Author, Entry, Message, StatusChange
from domain.notice import (
    Deferred,
    Delivered,
    Lane,
    Notice,
    NoticeKind,
    Outcome,
    TransferRequested,
    Undeliverable,
)
from domain.outbox import NOTICES_PER_ENTRY

MAX_DELIVERIES = 8
"""Notices of a lane under way at once, each of another session; more of them slow the chat."""
SLOW_S = 1.0
"""The time after which a delivery under way makes room for another: it only waits for an answer."""
MAX_SLOW = 32
"""The slow deliveries of a lane that do so."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
"""The pauses between two attempts to deliver a notice."""
LONGEST_REQUEST_PAUSE_S = 15.0
"""The longest pause for requests and statuses, behind which a user's messages wait."""
LONGEST_LIVE_CHAT_PAUSE_S = 5.0
"""The longest pause for a user's message to a coordinator who is there."""
MAX_ATTEMPTS = 200
"""Attempts at the longest pause before a notice that fails becomes a dead letter: hours of them."""
TIMER_TOLERANCE_S = 0.002
"""The time by which a timer may fire too early, by the clock."""
POLL_S = 5.0
"""Interval of polling for what another process, or an operator, has made due."""
CAUSE_S = 1.0
"""The longest search for the message that a traced notice follows from."""
LEASE_GRACE_S = 2.0
"""The least time between the end of an attempt and the expiry of its claim."""
FLUSH_S = 2.0
"""The time for which due notices are still delivered after `run` is cancelled."""


class _Attempt(NamedTuple):
    """The outcome of one attempt."""

    name: str
    outcome: Outcome
    error: Exception | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverOutbox:
    """Delivers a lane of the outbox; `run` each lane once in any number of processes."""

    lane: Lane
    outbox: Outbox
    bridge: Bridge
    store: SessionStore
    session_log: SessionLog
    transfers: Transfers
    hub: Hub
    observer: Observer
    clock: Clock
    jitter: Callable[[], float]
    """Returns a float in 0..1."""
    tracing: Tracing = NO_TRACING
    attempt_timeout_s: float = 30.0
    """The time that one attempt may take."""
    _wake_up: asyncio.Event = field(default_factory=asyncio.Event)
    _deliveries: set[asyncio.Task[None]] = field(default_factory=set)
    _slow: set[asyncio.Task[None]] = field(default_factory=set)
    """The deliveries that have been under way for SLOW_S."""
    _user_notifications: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self) -> None:
        """Deliver whatever is due until cancelled, and then for FLUSH_S at most.

        Raises: StorageUnavailable, after what was under way has finished.
        """
        self.hub.tap(self._on_event)
        try:
            while True:
                all_begun = await self._deliver_due()
                if all_begun and self.bridge.is_away:
                    await self.bridge.wait_until_back()
                else:
                    await self._wait_for_work()
        finally:
            self.hub.untap(self._on_event)
            await self._finish()

    async def flush(self) -> None:
        """Return once nothing is under way or due, as far as the bridge is reachable.

        `run` continues meanwhile. Raises: StorageUnavailable.
        """
        while True:
            all_begun = self.bridge.is_away or await self._deliver_due()
            under_way = self._deliveries | self._user_notifications
            if all_begun and not under_way:
                return
            await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)

    async def _deliver_due(self) -> bool:
        """Start delivering what is due; False: there was not room for all of it.

        Also while the bridge is away: each attempt fails at once, and the user is told.
        """
        self._wake_up.clear()
        while (room := self._room()) > 0:
            if await self._deliver_next(room) < room:
                return True
        return False

    def _room(self) -> int:
        return MAX_DELIVERIES + min(len(self._slow), MAX_SLOW) - len(self._deliveries)

    async def _deliver_next(self, room: int) -> int:
        """Start delivering what is due of up to `room` sessions; return how many there were.

        What was claimed is started even if this is cancelled: each attempt then releases its claim,
        so that nobody has to wait until it expires.
        """
        now = self.clock.now()
        lease_s = self.attempt_timeout_s * FASTEST + LEASE_GRACE_S
        lease_until = now + timedelta(seconds=lease_s)
        claiming = asyncio.ensure_future(self.outbox.claim(self.lane, now, lease_until, room))
        try:
            return self._start_all(await asyncio.shield(claiming))
        except asyncio.CancelledError:
            with suppress(Failure):
                self._start_all(await claiming)
            raise

    def _start_all(self, claimed: Sequence[Notice]) -> int:
        for notice in claimed:
            self._start_delivery(notice)
        return len(claimed)

    def _start_delivery(self, notice: Notice) -> None:
        task = self._start(self._deliveries, self._deliver(notice))
        timer = self.clock.call_later(SLOW_S, lambda: self._make_room(task))
        task.add_done_callback(lambda _: timer.cancel())

    def _make_room(self, task: asyncio.Task[None]) -> None:
        self._slow.add(task)
        self._wake_up.set()

    async def _wait_for_work(self) -> None:
        timer = self.clock.call_later(POLL_S, self._wake_up.set)
        try:
            await self._wake_up.wait()
        finally:
            timer.cancel()

    async def _finish(self) -> None:
        """Let what is under way, and what follows it, finish within FLUSH_S; cancel the rest."""
        over = asyncio.Event()
        timer = self.clock.call_later(FLUSH_S, over.set)
        ending = asyncio.ensure_future(over.wait())
        while under_way := self._deliveries | self._user_notifications:
            await asyncio.wait({*under_way, ending}, return_when=asyncio.FIRST_COMPLETED)
            if over.is_set():
                break
            with suppress(Failure):
                await self._deliver_due()
        for task in (left := [*self._deliveries, *self._user_notifications]):
            task.cancel()
        ending.cancel()
        timer.cancel()
        await asyncio.gather(*left, ending, return_exceptions=True)

    def _start(
        self, tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]
    ) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        tasks.add(task)
        task.add_done_callback(lambda task: self._ended(tasks, task))
        return task

    def _ended(self, tasks: set[asyncio.Task[None]], task: asyncio.Task[None]) -> None:
        tasks.discard(task)
        self._slow.discard(task)
        self._wake_up.set()

    # One notice.

    async def _deliver(self, notice: Notice) -> None:
        """Attempt to deliver a claimed notice, and settle it."""
        about = {"business.id": notice.customer.business_id, "notice.id": notice.notice_id}
        with (
            # Of the store: an unsettled notice is due again when its claim expires.
            suppress(Failure),
            self.tracing.begin(f"deliver {notice.kind}", about) as span,
        ):
            try:
                if self.tracing.is_on:
                    span.belongs_to(notice.session_id, await self._cause_in_time(notice))
                attempt = await self._attempt(notice)
            except asyncio.CancelledError:
                await self.outbox.settle(notice.notice_id, Deferred(self.clock.now()))
                raise
            await self.outbox.settle(notice.notice_id, attempt.outcome)
            span.set({"notice.outcome": attempt.name, "notice.attempt": notice.attempts + 1})
            if attempt.error is not None:
                span.fail(type(attempt.error).__qualname__)
            self.observer.notice_settled(notice, attempt.name, attempt.error)

    async def _cause_in_time(self, notice: Notice) -> int:
        """Return the seq of the user's message from which a notice follows, or of its entry.

        No delivery fails, or waits longer than CAUSE_S, because it is traced.
        """
        try:
            return await within(CAUSE_S, self._cause_of(notice), self.clock)
        except Exception:  # whatever it was, the notice is delivered
            return notice.position // NOTICES_PER_ENTRY

    async def _cause_of(self, notice: Notice) -> int:
        """Return the seq of the user's message from which a notice follows, as far as is known."""
        seq = notice.position // NOTICES_PER_ENTRY
        entries: Sequence[Entry] = ()
        cached = await self.session_log.current(notice.customer)
        if cached is not None and cached.session.session_id == notice.session_id:
            entries = cached.recent
        elif (loaded := await self.store.load(notice.session_id)) is not None:
            entries = loaded.recent
        for entry in reversed(entries):
            if entry.seq <= seq and isinstance(entry, Message):
                if entry.settles_seq:
                    return entry.settles_seq
                if entry.author is Author.USER:
                    return entry.seq
        return seq

    async def _attempt(self, notice: Notice) -> _Attempt:
        content = notice.content
        try:
            if isinstance(content, TransferRequested):
                return await self._deliver_request(notice, content.transfer_id)
            await self._send(notice)
            return _Attempt("delivered", Delivered())
        except StorageUnavailable:
            raise
        except BridgeRefused as error:
            return await self._dead(notice, str(error), error)
        except Exception as error:  # whatever it was, it holds up no other session
            return await self._failed(notice, error)

    async def _deliver_request(self, notice: Notice, transfer_id: TransferId) -> _Attempt:
        """Deliver a request for a human, unless it was accepted or withdrawn meanwhile."""
        loaded = await self.store.load(notice.session_id)
        session = loaded.session if loaded is not None else None
        if session is None or not session.waits_for(transfer_id):
            return _Attempt("superseded", Delivered())
        await self._send(notice)
        if self.bridge.acknowledges:
            await self.transfers.record_delivery(notice.customer, transfer_id)
        return _Attempt("delivered", Delivered())

    async def _dead(self, notice: Notice, reason: str, error: Exception) -> _Attempt:
        if isinstance(notice.content, TransferRequested):
            await self.transfers.record_failure(notice.customer, notice.content.transfer_id)
        return _Attempt("dead", Undeliverable(reason), error)

    async def _send(self, notice: Notice) -> None:
        """Raises: BridgeUnavailable, also when it takes too long; BridgeRefused."""
        try:
            await within(self.attempt_timeout_s, self.bridge.deliver(notice), self.clock)
        except OutOfTime:
            raise BridgeUnavailable(f"no answer after {self.attempt_timeout_s:g} s") from None

    async def _failed(self, notice: Notice, error: Exception) -> _Attempt:
        longest_s = _longest_pause_s(notice)
        if notice.attempts + 1 >= MAX_ATTEMPTS * LONGEST_PAUSE_S / longest_s:
            return await self._dead(
                notice, f"given up after {notice.attempts + 1} attempts: {error}", error
            )
        await self._notify_unreachable(notice)
        pause_s = backoff(notice.attempts, FIRST_PAUSE_S, longest_s, self.jitter())
        if isinstance(error, BridgeUnavailable) and error.retry_after_s is not None:
            pause_s = max(pause_s, error.retry_after_s)
        self.clock.call_later(pause_s + TIMER_TOLERANCE_S, self._wake_up.set)
        until = self.clock.now() + timedelta(seconds=pause_s)
        return _Attempt("deferred", Deferred(until), error)

    # What the user is told.

    def _on_event(self, customer: Customer, event: Event) -> None:
        """Look for work, as something was stored."""
        if not isinstance(event, Appended) or self.lane not in event.lanes:
            return
        self._wake_up.set()
        has_request = self.lane is TransferRequested.lane and _newest_request(event.entries)
        if has_request and self.bridge.is_away:
            self._start(self._user_notifications, self._notify_user(customer))

    async def _notify_unreachable(self, notice: Notice) -> None:
        """Tell the user if a request for a human is, or waits behind, what cannot be delivered."""
        if notice.lane is not TransferRequested.lane:
            return
        cached = await self.session_log.current(notice.customer)
        if cached is None or cached.session.session_id != notice.session_id:
            return
        request = _newest_request(cached.recent)
        if request is not None and notice.position <= request.seq * NOTICES_PER_ENTRY:
            await self._notify_user(notice.customer)

    async def _notify_user(self, customer: Customer) -> None:
        with suppress(Failure):  # of the store: then the notice is not settled either
            await self.transfers.notify_unreachable(customer)


def _newest_request(entries: Sequence[Entry]) -> StatusChange | None:
    """Return the newest request for a human among the entries."""
    for entry in reversed(entries):
        if isinstance(entry, StatusChange) and entry.requests_human:
            return entry
    return None


def _longest_pause_s(notice: Notice) -> float:
    if notice.kind is NoticeKind.RELAY:
        return LONGEST_LIVE_CHAT_PAUSE_S
    return LONGEST_REQUEST_PAUSE_S if notice.lane is Lane.PEOPLE else LONGEST_PAUSE_S
