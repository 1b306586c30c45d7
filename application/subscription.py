"""Following a conversation without a gap: hints become entries, each once and in order."""

import asyncio
from collections.abc import Callable

from application.hub import Hub
from application.ports import Appended, Event, SessionStore
from application.read_history import PAGE
from domain.errors import Failure
from domain.identity import Customer, SessionId
from domain.message import Author, Entry, Message

OnEntry = Callable[[SessionId, Entry], None]


class Subscription:
    """One joined channel's position in its customer's conversation.

    Events are hints. One that follows the last delivered entry is delivered at once; one that
    leaves a gap, or belongs to another session, makes the subscription read the store from its
    position on.
    """

    __slots__ = ("_backlog", "_catching_up", "_customer", "_ended_sessions", "_hub",
                 "_on_entry", "_on_other", "_position", "_store", "origin")  # fmt: skip

    def __init__(
        self,
        customer: Customer,
        *,
        hub: Hub,
        store: SessionStore,
        on_entry: OnEntry,
        on_other: Callable[[Event], None],
        origin: object,
    ) -> None:
        """`on_entry` gets each entry, except the user's messages that came in through `origin`;
        `on_other` gets every other event.
        """
        self._customer = customer
        self._hub = hub
        self._store = store
        self._on_entry = on_entry
        self._on_other = on_other
        self.origin = origin
        self._position: tuple[SessionId | None, int] = (None, 0)
        self._ended_sessions: frozenset[SessionId] = frozenset()
        """Hints about these are outdated."""
        self._backlog: list[Event] | None = []
        self._catching_up: asyncio.Task[None] | None = None

    def subscribe(self) -> None:
        """Subscribe; events are buffered until `start`."""
        self._hub.subscribe(self._customer, self._on_event)

    def start(self, session_id: SessionId | None, seq: int) -> None:
        """Deliver from the entry after `seq` on: the client has everything up to it."""
        self._position = (session_id, seq)
        self._flush()

    def stop(self) -> None:
        """Unsubscribe."""
        self._hub.unsubscribe(self._customer, self._on_event)
        if self._catching_up is not None:
            self._catching_up.cancel()

    def _flush(self) -> None:
        """Process the backlog until it is empty, or a gap starts a new one."""
        backlog, self._backlog = self._backlog, None
        for event in backlog or ():
            self._on_event(event)

    def _on_event(self, event: Event) -> None:
        if self._backlog is not None:
            self._backlog.append(event)
        elif not isinstance(event, Appended):
            self._on_other(event)
        elif (event.session_id, event.entries[0].seq - 1) == self._position:
            self._deliver_after(event, 0)
        elif event.session_id not in self._ended_sessions:
            self._on_disorder(event)

    def _on_disorder(self, event: Appended) -> None:
        """Handle a hint that was delivered already, wholly or partly, or that leaves a gap."""
        session_id, last = self._position
        another = session_id is not None and event.session_id != session_id
        if another or event.entries[0].seq > last + 1:
            self._backlog = [event]
            self._catching_up = asyncio.create_task(self._catch_up(event))
        elif event.entries[-1].seq > last:
            self._deliver_after(event, last)

    def _deliver_after(self, event: Appended, last: int) -> None:
        entries = event.entries
        self._position = (event.session_id, entries[-1].seq)
        own = event.origin is self.origin
        for entry in entries:
            if entry.seq > last and not (own and _is_users(entry)):
                self._on_entry(event.session_id, entry)

    async def _catch_up(self, event: Appended) -> None:
        """Deliver what is missing before `event`, which the backlog begins with."""
        first = event.entries[0].seq
        try:
            if await self._is_current(event.session_id):
                await self._read(event.session_id, before=first)
                # Also where the store had fewer entries, as of an erased session: go on from here.
                self._position = (event.session_id, first - 1)
        except Failure:
            self._backlog = []  # nothing is lost: the next hint shows the same gap
        self._catching_up = None
        self._flush()

    async def _is_current(self, session_id: SessionId) -> bool:
        """Whether to follow this session: the current one, or its successor once the current one
        is fully delivered.
        """
        current, _ = self._position
        if current is None or current == session_id:
            return True
        newest = await self._store.latest(self._customer)
        if newest is None or newest.session.session_id != session_id:
            self._ended_sessions |= {session_id}
            return False
        await self._read(current)
        self._ended_sessions |= {current}
        self._position = (session_id, 0)
        return True

    async def _read(self, session_id: SessionId, before: int | None = None) -> None:
        """Deliver what the store has after the position, and before the seq `before`."""
        after = self._position[1]
        while before is None or after + 1 < before:
            page = await self._store.page(session_id, after=after, limit=PAGE)
            for entry in page:
                if entry.seq == before:
                    return
                self._on_entry(session_id, entry)
                after = entry.seq
                self._position = (session_id, after)
            if len(page) < PAGE:
                return


def _is_users(entry: Entry) -> bool:
    return isinstance(entry, Message) and entry.author is Author.USER
