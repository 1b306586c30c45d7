"""Following a conversation without a gap: hints become entries, each once and in order."""

import asyncio
from collections.abc import Callable

from application.ports import Appended, Event, Fanout, SessionStore
from domain.errors import Failure
from domain.identity import Customer, SessionId
from domain.message import Author, Entry, Message

PAGE = 50
"""How many entries a replay or a page of history has at most."""

_BY_USER = Author.USER

Deliver = Callable[[SessionId, Entry], None]


class Subscription:
    """One joined channel's place in its customer's conversation.

    Events are hints: one that follows what was delivered last is passed on at once, one that
    leaves a gap, or is of another session, makes the follower read the store after what it
    delivered last.
    """

    __slots__ = ("_backlog", "_catching_up", "_customer", "_deliver", "_fanout", "_pass", "_past",
                 "_place", "_store", "origin")  # fmt: skip

    def __init__(
        self,
        customer: Customer,
        *,
        fanout: Fanout,
        store: SessionStore,
        deliver: Deliver,
        pass_on: Callable[[Event], None],
        origin: object,
    ) -> None:
        """`deliver` gets each entry, but for the user's words that came in by `origin`;
        `pass_on` gets every other event.
        """
        self._customer = customer
        self._fanout = fanout
        self._store = store
        self._deliver = deliver
        self._pass = pass_on
        self.origin = origin
        self._place: tuple[SessionId | None, int] = (None, 0)
        self._past: frozenset[SessionId] = frozenset()
        """Sessions that are over: hints of them come too late."""
        self._backlog: list[Event] | None = []
        self._catching_up: asyncio.Task[None] | None = None

    def subscribe(self) -> None:
        """Begin to listen; what comes before `start` is kept for then."""
        self._fanout.subscribe(self._customer, self._on_event)

    def start(self, session_id: SessionId | None, seq: int) -> None:
        """Deliver from the entry after `seq` on: the client has everything up to it."""
        self._place = (session_id, seq)
        self._flush()

    def stop(self) -> None:
        """Listen no more."""
        self._fanout.unsubscribe(self._customer, self._on_event)
        if self._catching_up is not None:
            self._catching_up.cancel()

    def _flush(self) -> None:
        """Go through the backlog until it is empty, or a gap stops us again."""
        backlog, self._backlog = self._backlog, None
        for event in backlog or ():
            self._on_event(event)

    def _on_event(self, event: Event) -> None:
        if self._backlog is not None:
            self._backlog.append(event)
        elif not isinstance(event, Appended):
            self._pass(event)
        elif (event.session_id, event.entries[0].seq - 1) == self._place:
            self._deliver_after(event, 0)
        elif event.session_id not in self._past:
            self._on_disorder(event)

    def _on_disorder(self, event: Appended) -> None:
        """A hint of what is delivered already, in part or in whole, or one that leaves a gap."""
        session_id, last = self._place
        another = session_id is not None and event.session_id != session_id
        if another or event.entries[0].seq > last + 1:
            self._backlog = [event]
            self._catching_up = asyncio.create_task(self._catch_up(event))
        elif event.entries[-1].seq > last:
            self._deliver_after(event, last)

    def _deliver_after(self, event: Appended, last: int) -> None:
        entries = event.entries
        self._place = (event.session_id, entries[-1].seq)
        own = event.origin is self.origin
        for entry in entries:
            if entry.seq > last and not (own and _is_users(entry)):
                self._deliver(event.session_id, entry)

    async def _catch_up(self, event: Appended) -> None:
        """Deliver what is missing before `event`, which the backlog begins with."""
        first = event.entries[0].seq
        try:
            if await self._is_current(event.session_id):
                await self._read(event.session_id, before=first)
                # Also where the store had less, as it has of an erased session: we go on.
                self._place = (event.session_id, first - 1)
        except Failure:
            self._backlog = []  # nothing is lost: the next hint shows the same gap
        self._catching_up = None
        self._flush()

    async def _is_current(self, session_id: SessionId) -> bool:
        """Whether it is the session to follow: ours, or the next, once ours is told to its end."""
        ours, _ = self._place
        if ours is None or ours == session_id:
            return True
        newest = await self._store.latest(self._customer)
        if newest is None or newest.session.session_id != session_id:
            self._past |= {session_id}
            return False
        await self._read(ours)
        self._past |= {ours}
        self._place = (session_id, 0)
        return True

    async def _read(self, session_id: SessionId, before: int | None = None) -> None:
        """Deliver what the store has after our place, and before the seq `before`."""
        after = self._place[1]
        while before is None or after + 1 < before:
            page = await self._store.page(session_id, after=after, limit=PAGE)
            for entry in page:
                if entry.seq == before:
                    return
                self._deliver(session_id, entry)
                after = entry.seq
                self._place = (session_id, after)
            if len(page) < PAGE:
                return


def _is_users(entry: Entry) -> bool:
    return isinstance(entry, Message) and entry.author is _BY_USER
