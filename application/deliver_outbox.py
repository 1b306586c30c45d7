"""The bridge is told: at least once, in order per session, whatever is down meanwhile.

Notices wait in the outbox until they are delivered or never can be. Those of a session go one after
the other; sessions do not wait for each other. Where a request for a human does not get through,
the user is told so.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple

from application.ports import Appended, Bridge, Clock, Event, Observer, Outbox, SessionStore
from application.transfers import Transfers
from domain.decisions import progress_message_id
from domain.errors import BridgeRefused, BridgeUnavailable, Failure, StorageUnavailable
from domain.identity import Customer, TransferId
from domain.message import Entry, StatusChange
from domain.notice import (
    Deferred,
    Delivered,
    Notice,
    NoticeKind,
    Outcome,
    TransferRequested,
    Undeliverable,
)
from domain.outbox import NOTICES_PER_ENTRY
from domain.status import Status
from domain.transfer import TransferProgress

AT_ONCE = 8
"""So many notices, each of another session, are on their way at a time; more make the chat wait."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
"""Before a notice is tried again: doubled each time, and spread."""
LONGEST_TALK_PAUSE_S = 5.0
"""The same for what a user says to a human who listens."""
MAX_ATTEMPTS = 200
"""Of a notice that fails, again and again, while others get through: hours of them."""
TIMER_S = 0.002
"""A timer may fire by so much too early for the clock."""
POLL_S = 5.0
"""Between two looks for what another process, or an operator, has made due."""
LEASE_GRACE_S = 2.0
"""An attempt ends so long before another process may take its notice for abandoned."""
FLUSH_S = 2.0
"""At the end, what is due may still go out for so long."""
RECENT_WORDS = 50
"""Among so many entries after a request the one that said it does not get through is looked for."""


class _End(NamedTuple):
    """What an attempt came to."""

    name: str
    outcome: Outcome
    error: Exception | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverOutbox:
    """Delivers what is in the outbox; `run` it once per process, in as many as there are."""

    outbox: Outbox
    bridge: Bridge
    store: SessionStore
    transfers: Transfers
    observer: Observer
    jitter: Callable[[], float]
    """A float in 0..1."""
    limit_s: float = 30.0
    """How long one attempt may take."""
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _delivering: set[asyncio.Task[None]] = field(default_factory=set)
    _saying: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self) -> None:
        """Deliver whatever is due, until it is cancelled; then for FLUSH_S at most.

        Raises: StorageUnavailable, having finished what was under way.
        """
        fanout = self.transfers.conversations.fanout
        fanout.tap(self._on_event)
        try:
            while True:
                all_begun = await self._deliver_due()
                if all_begun and self.bridge.is_away:
                    await self.bridge.back()
                else:
                    await self._something_new()
        finally:
            fanout.untap(self._on_event)
            await self._finish()

    async def flush(self) -> None:
        """Return once nothing is on its way, nor due, as far as the bridge can be told.

        `run` goes on meanwhile. Raises: StorageUnavailable.
        """
        while True:
            all_begun = self.bridge.is_away or await self._deliver_due()
            under_way = self._delivering | self._saying
            if all_begun and not under_way:
                return
            await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)

    async def _deliver_due(self) -> bool:
        """Begin to deliver what is due; False: there was no room for all of it.

        Also while the bridge is away: each fails at once, is deferred, and its user is told.
        """
        self._woken.clear()
        while (room := AT_ONCE - len(self._delivering)) > 0:
            if await self._deliver_next(room) < room:
                return True
        return False

    async def _deliver_next(self, room: int) -> int:
        """Begin to deliver what is due of as many sessions; how many there were.

        What has been claimed is begun even if this is cancelled: then it is given back by and by,
        and nobody has to wait until its lease ends.
        """
        now = self._clock.now()
        lease_until = now + timedelta(seconds=self.limit_s + LEASE_GRACE_S)
        claiming = asyncio.ensure_future(self.outbox.claim(now, lease_until, room))
        try:
            return self._begin_all(await asyncio.shield(claiming))
        except asyncio.CancelledError:
            with suppress(Failure):
                self._begin_all(await claiming)
            raise

    def _begin_all(self, claimed: Sequence[Notice]) -> int:
        for notice in claimed:
            self._begin(self._delivering, self._deliver(notice))
        return len(claimed)

    async def _something_new(self) -> None:
        timer = self._clock.call_later(POLL_S, self._woken.set)
        try:
            await self._woken.wait()
        finally:
            timer.cancel()

    async def _finish(self) -> None:
        """Let what is under way come to its end, and what follows it, as long as there is time."""
        over = asyncio.Event()
        timer = self._clock.call_later(FLUSH_S, over.set)
        ending = asyncio.ensure_future(over.wait())
        while under_way := self._delivering | self._saying:
            await asyncio.wait({*under_way, ending}, return_when=asyncio.FIRST_COMPLETED)
            if over.is_set():
                break
            with suppress(Failure):
                await self._deliver_due()
        for task in (left := [*self._delivering, *self._saying]):
            task.cancel()
        ending.cancel()
        timer.cancel()
        await asyncio.gather(*left, ending, return_exceptions=True)

    def _begin(self, tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        tasks.add(task)
        task.add_done_callback(lambda task: self._ended(tasks, task))

    def _ended(self, tasks: set[asyncio.Task[None]], task: asyncio.Task[None]) -> None:
        tasks.discard(task)
        self._woken.set()

    # One notice.

    async def _deliver(self, notice: Notice) -> None:
        """From a claimed notice to what became of it."""
        with suppress(Failure):  # of the store: what is not settled is due when its lease ends
            try:
                end = await self._attempt(notice)
            except asyncio.CancelledError:
                await self.outbox.settle(notice.notice_id, Deferred(self._clock.now()))
                raise
            await self.outbox.settle(notice.notice_id, end.outcome)
            self.observer.notice_settled(notice.kind, end.name, end.error)

    async def _attempt(self, notice: Notice) -> _End:
        try:
            if notice.kind is NoticeKind.TRANSFER:
                return await self._ask_for_human(notice)
            await self._tell(notice)
            return _End("delivered", Delivered())
        except StorageUnavailable:
            raise
        except BridgeRefused as error:
            if notice.kind is NoticeKind.TRANSFER:
                await self._say(notice.customer, _transfer_id(notice), TransferProgress.REFUSED)
            return _End("dead", Undeliverable(str(error)), error)
        except Exception as error:  # whatever it was, it holds up no other session
            return await self._failed(notice, error)

    async def _ask_for_human(self, notice: Notice) -> _End:
        """Deliver a request, unless it has been answered or taken back meanwhile."""
        loaded = await self.store.load(notice.session_id)
        session = loaded.session if loaded is not None else None
        transfer_id = _transfer_id(notice)
        if session is None or not session.waits_for(transfer_id):
            return _End("superseded", Delivered())
        await self._tell(notice)
        since = await self.store.page(
            notice.session_id, after=notice.position // NOTICES_PER_ENTRY, limit=RECENT_WORDS
        )
        told = {getattr(entry, "message_id", None) for entry in since}
        if progress_message_id(transfer_id, TransferProgress.UNREACHABLE) in told:
            await self._say(notice.customer, transfer_id, TransferProgress.REACHED)
        return _End("delivered", Delivered())

    async def _tell(self, notice: Notice) -> None:
        """Raises: BridgeUnavailable, also where it takes too long; BridgeRefused."""
        telling = asyncio.ensure_future(self.bridge.tell(notice))

        def give_up() -> None:
            telling.cancel()

        timer = self._clock.call_later(self.limit_s, give_up)
        try:
            await telling
        except asyncio.CancelledError:
            this = asyncio.current_task()
            if this is None or this.cancelling():
                raise
            raise BridgeUnavailable(f"no end after {self.limit_s:g} s") from None
        finally:
            timer.cancel()

    async def _failed(self, notice: Notice, error: Exception) -> _End:
        await self._say_unreachable(notice)
        if notice.attempts + 1 >= MAX_ATTEMPTS:
            reason = f"given up after {MAX_ATTEMPTS} attempts: {error}"
            return _End("dead", Undeliverable(reason), error)
        pause_s = self._pause_s(notice)
        if isinstance(error, BridgeUnavailable) and error.retry_after_s is not None:
            pause_s = max(pause_s, error.retry_after_s)
        self._clock.call_later(pause_s + TIMER_S, self._woken.set)
        until = self._clock.now() + timedelta(seconds=pause_s)
        return _End("deferred", Deferred(until), error)

    def _pause_s(self, notice: Notice) -> float:
        relayed = notice.kind is NoticeKind.RELAY
        longest_s = LONGEST_TALK_PAUSE_S if relayed else LONGEST_PAUSE_S
        pause_s = min(longest_s, FIRST_PAUSE_S * 2.0 ** min(notice.attempts, 10))
        return pause_s * (0.5 + self.jitter() / 2)

    # What the user is told of it.

    def _on_event(self, customer: Customer, event: Event) -> None:
        """Something was stored: there may be something to deliver."""
        if not isinstance(event, Appended):
            return
        self._woken.set()
        asked = _request(event.entries)
        if asked is not None and asked.transfer is not None and self.bridge.is_away:
            words = self._say(customer, asked.transfer.transfer_id, TransferProgress.UNREACHABLE)
            self._begin(self._saying, words)

    async def _say_unreachable(self, notice: Notice) -> None:
        """If a request for a human is what does not get through, or waits behind it, say so."""
        known = await self.transfers.conversations.current(notice.customer)
        if known is None or known.session.session_id != notice.session_id:
            return
        asked = _request(known.recent)
        if (
            asked is None
            or asked.transfer is None
            or notice.position > asked.seq * NOTICES_PER_ENTRY
        ):
            return
        await self._say(notice.customer, asked.transfer.transfer_id, TransferProgress.UNREACHABLE)

    async def _say(
        self, customer: Customer, transfer_id: TransferId, progress: TransferProgress
    ) -> None:
        with suppress(Failure):  # of the store: then the notice is not settled either
            await self.transfers.notify_progress(customer, transfer_id, progress)

    @property
    def _clock(self) -> Clock:
        return self.transfers.conversations.clock


def _transfer_id(notice: Notice) -> TransferId:
    assert isinstance(notice.content, TransferRequested)
    return notice.content.transfer_id


def _request(entries: Sequence[Entry]) -> StatusChange | None:
    """The newest request for a human among the entries."""
    for entry in reversed(entries):
        if isinstance(entry, StatusChange) and entry.status is Status.WAITING:
            return entry
    return None
