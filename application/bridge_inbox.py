"""Live chats go on at the bridge: whom to listen to there, and what is done with what is said.

What the user writes here goes there with the notices, in order; this is the way back.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256

from application.ports import (
    Appended,
    Archive,
    Event,
    InboundEvent,
    InboundMessage,
    LiveChatGateway,
    MalformedEvent,
    Typing,
)
from application.post_message import PostMessage
from application.session_log import CachedSession, SessionLog
from application.transfers import Transfers
from domain.backoff import backoff
from domain.errors import Failure, SessionClosed
from domain.identity import Customer, MessageId, SessionId
from domain.message import Author, Entry, Message, StatusChange
from domain.session import Session
from domain.status import Reason, Status

TALKING = (Status.WAITING, Status.LIVE)
"""While a conversation is in one of these, its user and the coordinators may talk at the bridge."""

PAGE = 100
"""How many sessions are read at a time."""
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
"""Between two tries to store what was said while the store is down."""
CLOCKS_DIFFER = timedelta(seconds=10)
"""By so much the bridge's clock, or a coordinator's, may be behind ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """This process's ear at the bridge; `start` it once the line and the store are open."""

    line: LiveChatGateway
    conversations: SessionLog
    post: PostMessage
    transfers: Transfers
    archive: Archive
    jitter: Callable[[], float]
    """A float in 0..1."""
    count: Callable[[str], None]
    """Told what became of each thing that came: `spoken`, `typing`, `duplicate`, `late`, `closed`,
    `unknown` or `garbled`."""
    _followed: dict[Customer, tuple[SessionId, int]] = field(default_factory=dict)
    """Whose chat, in which session, since which seq."""
    _moved: set[Customer] = field(default_factory=set)
    """Whose conversation has gone on since the last look at all of them began."""

    def start(self) -> None:
        """Listen, to the conversations here and to the line. `refresh` finds those under way."""
        self.line.listen(self.hear)
        self.conversations.fanout.tap(self._on_event)

    def stop(self) -> None:
        """Take no more notice of the conversations here."""
        self.conversations.fanout.untap(self._on_event)

    # Whom to follow.

    async def refresh(self) -> None:
        """Follow all who wait or talk, and no one else, as the store has it.

        Finds what began before this process did, or in another one. Raises: StorageUnavailable.
        """
        self._moved.clear()
        talking = {
            session.customer: (session.session_id, session.seq)
            for status in TALKING
            for session in await self._all(status)
        }
        for customer in self._followed.keys() - talking.keys() - self._moved:
            self._unfollow(customer)
        for customer in talking.keys() - self._moved:
            self._follow(customer, *talking[customer])

    async def _all(self, status: Status) -> list[Session]:
        page = await self.archive.list_sessions(status=status, limit=PAGE)
        found = list(page.sessions)
        while page.cursor is not None:
            page = await self.archive.list_sessions(status=status, limit=PAGE, cursor=page.cursor)
            found += page.sessions
        return found

    def _on_event(self, customer: Customer, event: Event) -> None:
        if isinstance(event, Appended):
            self._moved.add(customer)
            for entry in event.entries:
                if isinstance(entry, StatusChange):
                    self._on_change(customer, event.session_id, entry)
        elif isinstance(event, Typing) and event.author == Author.USER:
            if customer in self._followed:
                self.line.show_typing(customer)

    def _on_change(self, customer: Customer, session_id: SessionId, change: StatusChange) -> None:
        followed_session, since = self._followed.get(customer, (None, 0))
        if followed_session == session_id and change.seq < since:
            return  # two writers of one process may tell of their work in the other order
        if change.status in TALKING:
            self._follow(customer, session_id, change.seq)
        elif followed_session == session_id:
            self._unfollow(customer)

    def _follow(self, customer: Customer, session_id: SessionId, seq: int) -> None:
        self._followed[customer] = (session_id, seq)
        self.line.follow(customer)

    def _unfollow(self, customer: Customer) -> None:
        del self._followed[customer]
        self.line.unfollow(customer)

    # What is said there.

    async def hear(self, customer: Customer, heard: InboundEvent) -> None:
        """Do what is to be done with it; returns once it is stored, however long that takes."""
        match heard:
            case Typing():
                self.conversations.fanout.publish(customer, heard)
                self.count("typing")
            case MalformedEvent():
                self.count("garbled")
            case InboundMessage():
                self.count(await self._take(customer, heard))

    async def _take(self, customer: Customer, said: InboundMessage) -> str:
        attempt = 0
        while True:
            try:
                return await self._store(customer, said)
            except SessionClosed:
                return "closed"
            except Failure:  # the bridge tells it once: it is ours to keep
                pause_s = backoff(attempt, FIRST_PAUSE_S, LONGEST_PAUSE_S, self.jitter())
                await self.conversations.clock.sleep(pause_s)
                attempt += 1

    async def _store(self, customer: Customer, said: InboundMessage) -> str:
        known = await self.conversations.current(customer)
        if known is None:
            return "unknown"
        if said.replayed and is_past(said, known.session):
            return "late"
        if is_known(said, known):
            return "duplicate"
        stored = self._speak if said.author is Author.COORDINATOR else self._user_says
        return "spoken" if await stored(customer, said) else "duplicate"

    async def _speak(self, customer: Customer, said: InboundMessage) -> bool:
        message_id = said.message_id or made_id(said)
        spoken = await self.transfers.speak(
            customer, said.text, said.coordinator_id, message_id, replayed=said.replayed
        )
        return not spoken.duplicate

    async def _user_says(self, customer: Customer, said: InboundMessage) -> bool:
        message_id = said.message_id or made_id(said)
        posted = await self.post(
            customer, None, said.text, message_id, origin=self, from_bridge=True
        )
        return not posted.duplicate


def is_past(said: InboundMessage, session: Session) -> bool:
    """Whether what a join has told was said before the newest live chat."""
    transfer = session.transfer
    if transfer is None or said.at is None:
        return True
    # A coordinator who came unasked may have spoken first, and been heard of only now.
    unasked = transfer.reason is Reason.COORDINATOR
    since = session.opened_at if unasked else transfer.requested_at
    return said.at < since - CLOCKS_DIFFER


def is_known(said: InboundMessage, known: CachedSession) -> bool:
    """Whether it is among the newest entries: our own words come back, or it is told again."""
    return any(_is_same(said, entry) for entry in known.recent)


def _is_same(said: InboundMessage, entry: Entry) -> bool:
    if not isinstance(entry, Message) or entry.author is not said.author:
        return False
    if entry.message_id == said.message_id:
        return True
    again = said.replayed and said.message_id is None
    return entry.text == said.text and (again or entry.at == said.at)


def made_id(said: InboundMessage) -> MessageId | None:
    """An id for words that have none: who says the same at the same time has said it once."""
    if said.at is None:
        return None
    words = f"{said.author} {said.at.isoformat()} {said.text}"
    return MessageId(f"bridge:{sha256(words.encode()).hexdigest()[:32]}")
