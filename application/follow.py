"""Following a conversation without a gap: hints become entries, each once and in order."""

import asyncio
from collections.abc import Callable

from application.ports import Appended, Event, Fanout, SessionStore
from domain.errors import Failure
from domain.identity import Customer, SessionId
from domain.message import Author, Entry, Message

PAGE = 50
"""How many entries a replay or a page of history has at most."""

Deliver = Callable[[SessionId, Entry], None]


class Follower:
    """One joined channel's place in its customer's conversation.

    Events are hints: one that follows what was delivered last is passed on at once, one that
    leaves a gap makes the follower read the store after what it delivered last.
    """

    __slots__ = ("_backlog", "_catching_up", "_customer", "_deliver", "_fanout", "_pass", "_place",
                 "_store", "origin")  # fmt: skip

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
        elif isinstance(event, Appended):
            self._on_appended(event)
        else:
            self._pass(event)

    def _on_appended(self, event: Appended) -> None:
        session_id, last = self._place
        if event.session_id != session_id:
            last = 0  # the customer's next session
        first = event.entries[0].seq
        if first > last + 1:
            self._backlog = [event]
            self._catching_up = asyncio.create_task(self._catch_up(event.session_id, last))
            return
        self._place = (event.session_id, max(last, event.entries[-1].seq))
        own = event.origin is self.origin
        for entry in event.entries:
            if entry.seq > last and not (own and _is_users(entry)):
                self._deliver(event.session_id, entry)

    async def _catch_up(self, session_id: SessionId, after: int) -> None:
        try:
            while page := await self._store.page(session_id, after=after, limit=PAGE):
                for entry in page:
                    self._deliver(session_id, entry)
                after = page[-1].seq
                self._place = (session_id, after)
                if len(page) < PAGE:
                    break
        except Failure:
            self._backlog = []  # nothing is lost: the next hint shows the same gap
        self._catching_up = None
        self._flush()


def _is_users(entry: Entry) -> bool:
    return isinstance(entry, Message) and entry.author is Author.USER
