"""Live chats at the bridge: which topics to follow there, and what to do with inbound messages.

What the user writes here goes there with the outbox, in order; this is the way back.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256

from application.ports import (
    Appended,
    Archive,
    Clock,
    Event,
    Fanout,
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
"""The statuses in which user and coordinators may write to each other at the bridge."""

LISTING_PAGE = 100
"""The number of sessions listed at a time."""
FIRST_STORE_PAUSE_S, LONGEST_STORE_PAUSE_S = 0.5, 30.0
"""The pauses between two attempts to store an inbound message."""
CLOCK_SKEW = timedelta(seconds=10)
"""The time by which the bridge's clock, or a coordinator's, may be behind ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeInbox:
    """Handles what comes from the bridge; `start` it once the gateway and the store are open."""

    gateway: LiveChatGateway
    session_log: SessionLog
    fanout: Fanout
    clock: Clock
    post: PostMessage
    transfers: Transfers
    archive: Archive
    jitter: Callable[[], float]
    """A float in 0..1."""
    count: Callable[[str], None]
    """Called with the outcome of each inbound event: `spoken`, `typing`, `duplicate`, `late`,
    `closed`, `unknown` or `garbled`."""
    _followed: dict[Customer, tuple[SessionId, int]] = field(default_factory=dict)
    """The customers whose topic is followed: for which session, since which seq."""
    _changed: set[Customer] = field(default_factory=set)
    """Customers whose conversation has changed since the last `refresh` began."""

    def start(self) -> None:
        """Subscribe to local events and to the gateway. `refresh` finds the chats under way."""
        self.gateway.listen(self.on_event)
        self.fanout.tap(self._on_local_event)

    def stop(self) -> None:
        """Unsubscribe from local events."""
        self.fanout.untap(self._on_local_event)

    # Which topics to follow.

    async def refresh(self) -> None:
        """Follow exactly the customers who, by the store, wait for a coordinator or have one.

        Finds chats that began before this process did, or in another one.
        Raises: StorageUnavailable.
        """
        self._changed.clear()
        talking = {
            session.customer: (session.session_id, session.seq)
            for status in TALKING
            for session in await self._all(status)
        }
        for customer in self._followed.keys() - talking.keys() - self._changed:
            self._unfollow(customer)
        failures: list[Exception] = []
        for customer in talking.keys() - self._changed:
            try:
                self._follow(customer, *talking[customer])
            except Exception as error:  # the other customers are followed all the same
                failures.append(error)
        if failures:
            raise failures[0]

    async def _all(self, status: Status) -> list[Session]:
        page = await self.archive.list_sessions(status=status, limit=LISTING_PAGE)
        found = list(page.sessions)
        while page.cursor is not None:
            page = await self.archive.list_sessions(
                status=status, limit=LISTING_PAGE, cursor=page.cursor
            )
            found += page.sessions
        return found

    def _on_local_event(self, customer: Customer, event: Event) -> None:
        if isinstance(event, Appended):
            self._changed.add(customer)
            for entry in event.entries:
                if isinstance(entry, StatusChange):
                    self._on_change(customer, event.session_id, entry)
        elif isinstance(event, Typing) and event.author == Author.USER:
            if customer in self._followed:
                self.gateway.show_typing(customer)

    def _on_change(self, customer: Customer, session_id: SessionId, change: StatusChange) -> None:
        followed_session, since = self._followed.get(customer, (None, 0))
        if followed_session == session_id and change.seq < since:
            return  # two writers of one process may publish in the other order
        if change.status in TALKING:
            self._follow(customer, session_id, change.seq)
        elif followed_session == session_id:
            self._unfollow(customer)

    def _follow(self, customer: Customer, session_id: SessionId, seq: int) -> None:
        self._followed[customer] = (session_id, seq)
        self.gateway.follow(customer)

    def _unfollow(self, customer: Customer) -> None:
        del self._followed[customer]
        self.gateway.unfollow(customer)

    # What comes from there.

    async def on_event(self, customer: Customer, event: InboundEvent) -> None:
        """Handle an inbound event; returns once it is stored, however long that takes."""
        match event:
            case Typing():
                self.fanout.publish(customer, event)
                self.count("typing")
            case MalformedEvent():
                self.count("garbled")
            case InboundMessage():
                self.count(await self._store_at_last(customer, event))

    async def _store_at_last(self, customer: Customer, message: InboundMessage) -> str:
        """Store the message, however often that takes; the bridge sends it but once."""
        attempt = 0
        while True:
            try:
                return await self._store(customer, message)
            except SessionClosed:
                return "closed"
            except Failure:
                await self.clock.sleep(
                    backoff(attempt, FIRST_STORE_PAUSE_S, LONGEST_STORE_PAUSE_S, self.jitter())
                )
                attempt += 1

    async def _store(self, customer: Customer, message: InboundMessage) -> str:
        cached = await self.session_log.current(customer)
        if cached is None:
            return "unknown"
        if message.replayed and precedes_live_chat(message, cached.session):
            return "late"
        if is_stored(message, cached):
            return "duplicate"
        return "duplicate" if await self._store_new(customer, message) else "spoken"

    async def _store_new(self, customer: Customer, message: InboundMessage) -> bool:
        """Store it in its author's name; return whether it was stored before."""
        message_id = message.message_id or derived_id(message)
        if message.author is Author.COORDINATOR:
            posted = await self.transfers.post_coordinator_message(
                customer,
                message.text,
                message.coordinator_id,
                message_id,
                replayed=message.replayed,
            )
            return posted.duplicate
        stored = await self.post(
            customer, None, message.text, message_id, origin=self, from_bridge=True
        )
        return stored.duplicate


def precedes_live_chat(message: InboundMessage, session: Session) -> bool:
    """Return True if a message that a join replays was written before the newest live chat."""
    transfer = session.transfer
    if transfer is None or message.at is None:
        return True
    # A coordinator who came unasked may have written first, and be known of only now.
    unasked = transfer.reason is Reason.COORDINATOR
    since = session.opened_at if unasked else transfer.requested_at
    return message.at < since - CLOCK_SKEW


def is_stored(message: InboundMessage, cached: CachedSession) -> bool:
    """Return True if it is among the newest entries: our own message echoed, or a repetition."""
    return any(_is_same(message, entry) for entry in cached.recent)


def _is_same(message: InboundMessage, entry: Entry) -> bool:
    if not isinstance(entry, Message) or entry.author is not message.author:
        return False
    if entry.message_id == message.message_id:
        return True
    repeated = message.replayed and message.message_id is None
    return entry.text == message.text and (repeated or entry.at == message.at)


def derived_id(message: InboundMessage) -> MessageId | None:
    """Return an id for a message without one: the same text at the same time is one message."""
    if message.at is None:
        return None
    content = f"{message.author} {message.at.isoformat()} {message.text}"
    return MessageId(f"bridge:{sha256(content.encode()).hexdigest()[:32]}")
