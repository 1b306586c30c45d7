"""Following a conversation without a gap: hints become entries, each once and in order."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from zlib import crc32

from application.hub import Hub
from application.ports import (
    AnswerSoFar,
    Appended,
    Clock,
    Delta,
    Event,
    Grown,
    Missed,
    SessionStore,
    Timer,
)
from application.read_history import MORE_ENTRIES
from application.session_log import SessionLog
from domain.backoff import backoff
from domain.errors import Failure
from domain.identity import Customer, SessionId
from domain.message import Author, Entry, StatusChange
from domain.session import Session
from domain.status import Status

_USER = Author.USER

OnEntry = Callable[[SessionId, Entry], None]

ACTIVE_FOR = timedelta(minutes=1)
"""The time after an entry for which a session is active without a broker."""
FIRST_RETRY_S, LONGEST_RETRY_S = 1.0, 30.0
"""The pauses between two attempts to read the store."""


class Subscription:
    """One joined channel's position in its customer's conversation.

    Events are hints. One that follows the last delivered entry is delivered at once; one that
    leaves a gap, or belongs to another session, makes the subscription read the store from its
    position on, as `Missed` does. Only what the customer may see is delivered.
    """

    __slots__ = ("_attempts", "_awaits_answer", "_backlog", "_clock", "_customer",
                 "_ended_sessions", "_epoch", "_gap", "_has_missed", "_hub", "_missed",
                 "_newest_at", "_on_entry", "_on_other", "_position", "_reading", "_retry",
                 "_session_log", "_status", "_store", "origin")  # fmt: skip

    def __init__(
        self,
        customer: Customer,
        *,
        hub: Hub,
        session_log: SessionLog,
        store: SessionStore,
        clock: Clock,
        on_entry: OnEntry,
        on_other: Callable[[Event], None],
        origin: object,
    ) -> None:
        """`on_entry` gets each entry, except the user's messages that came in through `origin`;
        `on_other` gets every other event, but no piece of an answer that is not the session's, or
        of an epoch that is over; and none while the store is read. It gets a Missed once that was.
        """
        self._customer = customer
        self._hub = hub
        self._session_log = session_log
        self._store = store
        self._clock = clock
        self._on_entry = on_entry
        self._on_other = on_other
        self.origin = origin
        self._position: tuple[SessionId | None, int] = (None, 0)
        self._ended_sessions: frozenset[SessionId] = frozenset()
        """Hints about these are outdated."""
        self._epoch = 0
        self._status = Status.AI
        self._newest_at = clock.now()
        self._awaits_answer = False
        self._backlog: list[Event] | None = []
        """What came before the start, or while the store is read; None: neither."""
        self._missed = False
        """True if the store must be read, again if that is being done."""
        self._has_missed = False
        """True if a Missed is to be passed on after that."""
        self._gap: Appended | None = None
        """The hint for which the store is read."""
        self._attempts = 0
        """Failed ones, since the store was last read."""
        self._reading: asyncio.Task[None] | None = None
        self._retry: Timer | None = None

    def subscribe(self) -> None:
        """Subscribe; events are buffered until `start`."""
        self._hub.subscribe(self._customer, self._on_event)

    def start(self, session: Session | None) -> None:
        """Deliver what follows: the client has everything of the session as it was read."""
        if session is not None:
            self._position = (session.session_id, session.seq)
            self._adopt(session)
        self._flush()

    def stop(self) -> None:
        """Unsubscribe."""
        self._hub.unsubscribe(self._customer, self._on_event)
        if self._reading is not None:
            self._reading.cancel()
        self._cancel_retry()

    @property
    def waits_for_store(self) -> bool:
        """True if the store could not be read, and is to be read again after a pause."""
        return self._retry is not None

    # Events.

    def _on_event(self, event: Event) -> None:
        if isinstance(event, Missed):
            self._on_missed(event)
        elif self._backlog is not None:
            self._backlog.append(event)
        elif isinstance(event, Appended):
            self._on_appended(event)
        elif isinstance(event, Grown):
            self._on_grown(event)
        elif not isinstance(event, Delta | AnswerSoFar) or self._is_current(event):
            self._on_other(event)
        elif event.session_id not in (self._position[0], *self._ended_sessions):
            self._has_missed = True  # it is of a session that is yet to be read

    def _on_missed(self, event: Missed) -> None:
        if not event.broker_is_away:
            self._has_missed = True
            self._read_soon()
        elif self._retry is None and self._is_active():
            self._read_soon()

    def _on_grown(self, event: Grown) -> None:
        session_id, seq = self._position
        is_known = event.session_id == session_id and event.seq <= seq
        if not is_known and event.session_id not in self._ended_sessions:
            self._read_soon()

    def _is_current(self, piece: Delta | AnswerSoFar) -> bool:
        """Return whether a piece of an answer may be shown, and remember the epoch if so."""
        if piece.session_id != self._position[0] or piece.epoch < self._epoch:
            return False
        self._epoch = piece.epoch
        return True

    def _on_appended(self, event: Appended, *, is_read: bool = False) -> None:
        """Deliver a hint; one that leaves a gap once the store `is_read`."""
        session_id, last = self._position
        if event.session_id in self._ended_sessions:
            return
        another = session_id is not None and event.session_id != session_id
        if not another and event.entries[0].seq <= last + 1:
            self._deliver(event)
        elif not is_read:
            self._gap = event
            self._read_soon()
        elif another:
            self._ended_sessions |= {event.session_id}
        else:  # the store has fewer entries, as of an erased session: go on from here
            self._position = (event.session_id, event.entries[0].seq - 1)
            self._deliver(event)

    def _deliver(self, event: Appended) -> None:
        last = self._position[1]
        for entry in event.entries:
            if entry.seq > last:
                self._deliver_entry(event.session_id, entry, event.origin)

    def _deliver_entry(self, session_id: SessionId, entry: Entry, origin: object = None) -> None:
        self._position = (session_id, entry.seq)
        by_user = False
        if isinstance(entry, StatusChange):
            self._epoch, self._status = max(entry.epoch, self._epoch), entry.status
        else:
            by_user = entry.author is _USER
        if entry.is_said:
            self._awaits_answer, self._newest_at = by_user, entry.at
        elif not entry.is_for_customer:
            return
        if not (by_user and origin is self.origin):
            self._on_entry(session_id, entry)

    # Reading the store.

    def _is_active(self) -> bool:
        """Return True if the user or a coordinator may wait for what another process stores."""
        is_with_human = self._status in (Status.WAITING, Status.LIVE)
        if is_with_human or self._awaits_answer:
            return True
        return self._clock.now() - self._newest_at < ACTIVE_FOR

    def _read_soon(self) -> None:
        """Read the store, once more if that is being done, and not before the start."""
        self._missed = True
        if self._backlog is None:
            self._backlog = []
            self._cancel_retry()
            self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            while self._missed:
                self._missed = False
                await self._read_newest()
            self._attempts = 0
        except Exception as error:  # nothing is lost: it is tried again, and any gap shows again
            if not isinstance(error, Failure):
                self._hub.on_failure()
            self._retry_later()
        else:
            if (gap := self._gap) is not None:
                self._on_appended(gap, is_read=True)
        self._gap = self._reading = None
        if self._has_missed:
            self._has_missed = False
            self._on_other(Missed())
        self._flush()

    def _retry_later(self) -> None:
        self._missed = False
        waiting, self._backlog = [self._gap, *(self._backlog or ())], []
        for event in waiting:
            if isinstance(event, Appended):
                self._drop(event)
            elif isinstance(event, Delta | AnswerSoFar):
                self._has_missed = True
            elif event is not None and not isinstance(event, Grown):
                self._backlog.append(event)
        spread = crc32(self._customer.user_id.encode()) / 2**32
        pause_s = backoff(self._attempts, FIRST_RETRY_S, LONGEST_RETRY_S, spread)
        self._attempts += 1
        self._retry = self._clock.call_later(pause_s, self._read_soon)

    def _drop(self, event: Appended) -> None:
        """Drop a hint that leaves a gap; a change of owner in it takes effect all the same."""
        if event.session_id == self._position[0]:
            for entry in event.entries:
                if isinstance(entry, StatusChange):
                    self._epoch = max(self._epoch, entry.epoch)

    def _cancel_retry(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None

    def _flush(self) -> None:
        """Process the backlog until it is empty, or the store is read, which starts a new one."""
        backlog, self._backlog = self._backlog, None
        if self._missed:
            self._read_soon()
        for event in backlog or ():
            self._on_event(event)

    async def _read_newest(self) -> None:
        """Deliver what the store has after the position, in this session and in the newest."""
        cached = await self._session_log.reload(self._customer)
        if cached is None:
            return
        session, recent = cached.session, tuple(cached.recent)
        current, last = self._position
        if current != session.session_id:
            if current is not None:
                await self._read_rest(current)
                self._ended_sessions |= {current}
            self._position, last = (session.session_id, 0), 0
            self._epoch = 0
        if session.seq - last > len(recent):
            await self._read_rest(session.session_id)
        for entry in recent:
            if entry.seq > self._position[1]:
                self._deliver_read(session.session_id, entry)
        if self._position[1] == session.seq:
            self._adopt(session)

    async def _read_rest(self, session_id: SessionId) -> None:
        """Deliver what the store has of a session after the position."""
        while page := await self._store.page(
            session_id, after=self._position[1], limit=MORE_ENTRIES
        ):
            for entry in page:
                self._deliver_read(session_id, entry)
            if len(page) < MORE_ENTRIES:
                return

    def _deliver_read(self, session_id: SessionId, entry: Entry) -> None:
        """Deliver an entry from the store, with the origin that a waiting hint has for it."""
        origin = None
        for event in [self._gap, *(self._backlog or ())]:
            if isinstance(event, Appended) and event.session_id == session_id:
                if event.entries[0].seq <= entry.seq <= event.entries[-1].seq:
                    origin = event.origin
        self._deliver_entry(session_id, entry, origin)

    def _adopt(self, session: Session) -> None:
        self._epoch = max(session.epoch, self._epoch)
        self._status = session.status
        self._newest_at = session.updated_at
        self._awaits_answer = session.needs_answer
