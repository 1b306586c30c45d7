"""Live chats at the bridge: which topics to follow there, and what to do with inbound events.

What the user writes here goes there with the outbox, in order; this is the way back.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple, TypeVar

from msgspec.structs import replace

from application.arrivals import COUNTED, MAX_EXPECTED, Arrivals
from application.bounded_cache import BoundedCache
from application.chat_owners import ChatOwners
from application.hub import Hub
from application.ports import (
    Appended,
    Archive,
    Clock,
    CustomerErased,
    Event,
    Grown,
    InboundEvent,
    InboundMessage,
    LiveChatGateway,
    MalformedEvent,
    QueuePlace,
    TalkingChats,
    TopicJoined,
    TopicUnavailable,
    Typing,
)
from application.session_log import CachedSession, SessionLog
from application.transfers import Transfers
from domain.backoff import backoff
from domain.decisions import CLOCK_SKEW, wrote_before_returning
from domain.errors import Failure, SeqTaken, SessionClosed
from domain.identity import Customer, MessageId, SessionId
from domain.message import Author, Entry, Message, StatusChange
from domain.session import Session
from domain.status import REQUEUING, Reason, Status

TALKING = (Status.WAITING, Status.LIVE)
"""The statuses in which user and coordinators may write to each other at the bridge."""

HANDOVER_S = 5.0
"""The time for which a process still listens to a chat that is another's now."""
LISTING_PAGE = 100
"""The number of sessions listed at a time."""
MAX_NOT_FOLLOWED = 1_000
"""The topics that are not followed here of which the arrivals are remembered."""
MAX_EARLIER = 10
"""The sessions before the newest that what arrives is compared with."""
FIRST_STORE_PAUSE_S, LONGEST_STORE_PAUSE_S = 0.5, 30.0
"""The pauses between two attempts to store what came from the bridge."""
LONGEST_DELAY = timedelta(days=1)
"""The age from which a message was not written just now: as at a join, the bridge replays it.

No clock is wrong by so much, even if its times are of another zone.
"""

T = TypeVar("T")


class _Followed(NamedTuple):
    """A conversation whose topic is followed, as far as this process knows it."""

    session_id: SessionId
    status: Status
    since: int
    """The seq of its newest known status change; 0: none is known."""
    at: datetime
    """Since when it has had its status, as far as that is known."""


@dataclass(slots=True, kw_only=True)
class BridgeInbox:
    """Handles what comes from the bridge; `start` it once the gateway and the store are open.

    It follows the topics of all transfers and live chats, and those of the most recently active
    conversations with the AI, in which a coordinator or the user may write unasked: of those that
    are this process's. Others only join a topic to send to it; what they receive there, the owner
    handles.
    """

    gateway: LiveChatGateway
    session_log: SessionLog
    hub: Hub
    owners: ChatOwners
    clock: Clock
    transfers: Transfers
    archive: Archive
    jitter: Callable[[], float]
    """Returns a float in 0..1."""
    count: Callable[[str], None]
    """Called with the outcome of each inbound message or sign: `stored`, `typing`, `queue`,
    `duplicate`, `late`, `closed`, `unknown` or `malformed`."""
    count_left: Callable[[], None]
    """Called when an open conversation's topic is left because of `max_ai_topics`."""
    max_ai_topics: int
    """The most topics of conversations with the AI that are followed."""
    _talking: dict[Customer, _Followed] = field(default_factory=dict)
    _with_ai: dict[Customer, _Followed] = field(default_factory=dict)
    """The least recently active first."""
    _arrivals: dict[Customer, Arrivals] = field(default_factory=dict)
    """Those of each followed topic."""
    _other_arrivals: BoundedCache[Customer, Arrivals] = field(
        default_factory=lambda: BoundedCache(MAX_NOT_FOLLOWED, MAX_NOT_FOLLOWED)
    )
    """Those of topics to which this process only sends, or that it has left."""
    _shown_present: dict[Customer, bool] = field(default_factory=dict)
    """Whether the user is there, as the coordinators were shown it last."""
    _unavailable: set[Customer] = field(default_factory=set)
    """The customers whose topic cannot be joined at the moment."""
    _changed: set[Customer] = field(default_factory=set)
    """Customers whose conversation has changed since the last `refresh` began."""
    _looking: set[Customer] = field(default_factory=set)
    """Customers whose newest entries are to be read."""
    _is_ai_listed: bool = False
    _hands_changed: bool = False
    """True if chats have changed hands since the last `refresh` for that began."""
    _is_taking_over: bool = False
    _refreshing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _notifications: set[asyncio.Task[None]] = field(default_factory=set)

    def start(self) -> None:
        """Subscribe to local events and to the gateway. `refresh` finds the chats under way."""
        self.gateway.listen(self.on_event, self._on_echo)
        self.hub.tap(self._on_local_event)
        self.hub.tap_remote(self._on_remote_event)
        self.hub.watch(self._change_hands)
        self.owners.update()

    def stop(self) -> None:
        """Unsubscribe from local events."""
        self.hub.untap(self._on_local_event)
        for task in self._notifications:
            task.cancel()

    # Which topics to follow.

    def talking(self) -> TalkingChats:
        """Return how many chats with people this process has charge of."""
        chats = [chat for who, chat in self._talking.items() if self.owners.is_mine(who)]
        waiting_since = [chat.at for chat in chats if chat.status is Status.WAITING]
        now = self.clock.now()
        longest_s = max((now - min(waiting_since, default=now)).total_seconds(), 0.0)
        return TalkingChats(len(waiting_since), len(chats) - len(waiting_since), longest_s)

    def check_owners(self) -> None:
        """Take over chats, or give them up, as the broker is away or back. Call it each second."""
        if self.owners.update():
            self._change_hands()

    def show_presence(self) -> None:
        """Show the coordinators which of the users in their chats are there. Call it each second.

        With other processes nothing is shown: a user may be connected to any of them.
        """
        if self.hub.has_peers:
            return
        for customer in self._talking:
            is_there = self.hub.has_listeners(customer)
            if self._shown_present.get(customer) is not is_there:
                self._shown_present[customer] = is_there
                self.gateway.show_presence(customer, is_there)

    def _change_hands(self) -> None:
        self.owners.update()
        self._is_ai_listed = False
        self._hands_changed = True
        if not self._is_taking_over:
            self._is_taking_over = True
            self._start(self._take_over())

    async def _take_over(self) -> None:
        """Follow what is this process's now; leave the rest once others can have joined it."""
        try:
            while self._hands_changed:
                self._hands_changed = False
                await self._store_at_last(self.refresh)
        finally:
            self._is_taking_over = False
        await self.clock.sleep(HANDOVER_S)
        for customer in [*self._talking, *self._with_ai]:
            if not self.owners.is_mine(customer):
                self._leave(customer)

    def _is_here(self, customer: Customer) -> bool:
        """Return True if this process handles what concerns the customer's chat."""
        is_followed = customer in self._talking or customer in self._with_ai
        return is_followed or self.owners.is_mine(customer)

    async def refresh(self) -> None:
        """Follow all customers who, by the store, wait for a coordinator or have one.

        Finds chats that other processes began or ended. The first call, and each after chats have
        changed hands, also finds the most recent conversations with the AI; later ones are known by
        their events. Raises: StorageUnavailable.
        """
        async with self._refreshing:
            await self._refresh()

    async def _refresh(self) -> None:
        self._changed.clear()
        talking = {
            session.customer: _followed(session)
            for status in TALKING
            for session in await self._list(status)
        }
        for customer in self._talking.keys() - talking.keys() - self._changed:
            self._leave(customer)
        failures: list[Exception] = []
        for customer in talking.keys() - self._changed:
            try:
                self._follow(customer, talking[customer])
            except Exception as error:  # the other customers are followed all the same
                failures.append(error)
        if not self._is_ai_listed and self.max_ai_topics > 0:
            await self._follow_recent()
        if failures:
            raise failures[0]

    async def _follow_recent(self) -> None:
        """Follow the most recently active conversations with the AI."""
        listed = await self._list(Status.AI, self.max_ai_topics)
        self._is_ai_listed = True
        known, self._with_ai = self._with_ai, {}
        for session in reversed(listed):  # which begin with the newest
            customer = session.customer
            if customer in self._changed or customer in self._talking or customer in known:
                continue
            self._follow(customer, _followed(session))
        self._with_ai |= known
        self._leave_least_active()

    async def _list(self, status: Status, limit: int | None = None) -> list[Session]:
        """List the sessions in this status, newest first, at most `limit`."""
        found: list[Session] = []
        cursor = None
        while limit is None or len(found) < limit:
            size = LISTING_PAGE if limit is None else min(LISTING_PAGE, limit - len(found))
            page = await self.archive.list_sessions(status=status, limit=size, cursor=cursor)
            found += page.sessions
            cursor = page.cursor
            if cursor is None:
                break
        return found

    def _on_remote_event(self, customer: Customer, event: Event) -> None:
        """Handle what another process has stored, of which this one follows the chat."""
        self._on_local_event(customer, event)
        if isinstance(event, Appended) and customer in self._talking and self._is_here(customer):
            # What the other one could not know: whether an answer can be received.
            if any(isinstance(entry, StatusChange) for entry in event.entries):
                self._start(self._store_at_last(lambda: self.transfers.notify_reached(customer)))

    async def _look(self, customer: Customer) -> None:
        """Handle the newest entries of a customer whose hint had none."""
        self._looking.discard(customer)
        try:
            cached = await self.session_log.reload(customer)
        except Failure:
            self._looking.add(customer)
            raise
        if cached is not None:
            self._on_appended(customer, cached.session.session_id, cached.recent)

    def _on_local_event(self, customer: Customer, event: Event) -> None:
        if isinstance(event, CustomerErased):
            self._other_arrivals.pop(customer)
        if not self._is_here(customer):
            return
        if isinstance(event, Appended):
            self._changed.add(customer)
            self._on_appended(customer, event.session_id, event.entries)
        elif isinstance(event, Grown):
            if customer not in self._looking:
                self._looking.add(customer)
                self._start(self._store_at_last(lambda: self._look(customer)))
        elif isinstance(event, CustomerErased):
            self._changed.add(customer)
            self._leave(customer)
            self._other_arrivals.pop(customer)
        elif isinstance(event, Typing) and event.author == Author.USER:
            if customer in self._talking:
                self.gateway.show_typing(customer)

    def _on_appended(
        self, customer: Customer, session_id: SessionId, entries: Sequence[Entry]
    ) -> None:
        known = self._talking.get(customer) or self._with_ai.get(customer)
        change = next((e for e in reversed(entries) if isinstance(e, StatusChange)), None)
        if change is not None:
            is_same = known is not None and known.session_id == session_id
            if known is not None and is_same and change.seq < known.since:
                return  # two writers of one process may publish in the other order
            if change.status in TALKING or known is None or is_same:
                # The delivery of a request begins no other wait.
                is_new = known is None or not is_same or change.changes_owner
                at = change.at if known is None or is_new else known.at
                self._move(customer, _Followed(session_id, change.status, change.seq, at))
        elif customer not in self._talking:
            since = known.since if known is not None and known.session_id == session_id else 0
            self._move(customer, _Followed(session_id, Status.AI, since, entries[-1].at))
        if customer not in self._unavailable:
            return
        if change is not None and change.requests_human:
            # At once, not after a pause: it may be admitted now, as a chat that is known there.
            self.gateway.unfollow(customer)
            self.gateway.follow(customer)
        if _needs_bridge(entries, self._talking.get(customer)):
            self._start(self._store_at_last(lambda: self.transfers.notify_unreachable(customer)))

    def _move(self, customer: Customer, followed: _Followed) -> None:
        """Follow the customer's topic, or leave it, by the status of their conversation."""
        if followed.status in TALKING or (followed.status is Status.AI and self.max_ai_topics):
            self._follow(customer, followed)
            self._leave_least_active()
        else:
            self._leave(customer)

    def _follow(self, customer: Customer, followed: _Followed) -> None:
        """Follow the customer's topic, unless another process has come to listen to it."""
        if not self._is_here(customer):
            return
        self._remove(customer)
        if followed.status in TALKING:
            self._talking[customer] = followed
        else:
            self._with_ai[customer] = followed  # at the end, as the most recently active
        if customer not in self._arrivals:
            self._arrivals[customer] = self._arrivals_of(customer)
            self._other_arrivals.pop(customer)
        self.gateway.follow(customer)

    def _leave_least_active(self) -> None:
        while len(self._with_ai) > self.max_ai_topics:
            self._leave(next(iter(self._with_ai)))
            self.count_left()

    def _leave(self, customer: Customer) -> None:
        self._remove(customer)
        self._unavailable.discard(customer)
        if (arrivals := self._arrivals.pop(customer, None)) is not None:
            self._other_arrivals.put(customer, arrivals, 1)
        self.gateway.unfollow(customer)

    def _remove(self, customer: Customer) -> None:
        self._shown_present.pop(customer, None)
        self._talking.pop(customer, None)
        self._with_ai.pop(customer, None)

    # What comes from there.

    def _arrivals_of(self, customer: Customer) -> Arrivals:
        """Return what the topic may still bring, whether it is followed or only joined to send."""
        arrivals = self._arrivals.get(customer) or self._other_arrivals.get(customer)
        if arrivals is None:
            arrivals = Arrivals(self.clock.now())
            self._other_arrivals.put(customer, arrivals, 1)
        return arrivals

    def _on_echo(self, customer: Customer, message_id: MessageId) -> None:
        self._arrivals_of(customer).arrived(message_id)

    async def on_event(self, customer: Customer, event: InboundEvent) -> None:
        """Handle an inbound event; returns once it is stored, however long that takes."""
        if isinstance(event, TopicJoined):
            await self._on_joined(customer, event)
        if not self._is_here(customer):
            if isinstance(event, InboundMessage):
                self._arrivals_of(customer).left(event, self.clock.now())
            return
        match event:
            case Typing():
                self.hub.publish(customer, event)
                self.count("typing")
            case QueuePlace():
                talking = self._talking.get(customer)
                if talking is not None and talking.status is Status.WAITING:
                    self.hub.publish(customer, event)
                    self.count("queue")
            case MalformedEvent():
                self.count("malformed")
            case InboundMessage():
                await self._on_message(customer, event)
            case TopicJoined():
                self._unavailable.discard(customer)
                self._shown_present.pop(customer, None)
                talking = self._talking.get(customer)
                if talking is not None and talking.status is Status.WAITING:
                    await self._store_at_last(lambda: self.transfers.notify_reached(customer))
            case TopicUnavailable():
                if customer in self._talking or customer in self._with_ai:
                    self._unavailable.add(customer)
                if customer in self._talking:
                    await self._store_at_last(lambda: self.transfers.notify_unreachable(customer))

    async def _on_joined(self, customer: Customer, event: TopicJoined) -> None:
        """Begin to count what the topic brings; what was left before is stored by who follows it.

        The process that it was left to may have died.
        """
        arrivals, now = self._arrivals_of(customer), self.clock.now()
        if self._is_here(customer):
            for message in arrivals.take_left(now):
                await self._on_message(customer, message)
        if not event.was_joined:
            arrivals.joined(event.at or now, now)

    async def _on_message(self, customer: Customer, message: InboundMessage) -> None:
        """Store a message, however long that takes."""
        if message.at is not None and message.at < self.clock.now() - LONGEST_DELAY:
            message = replace(message, replayed=True)
        new_id = message.message_id or derived_id(message) or self._counted_id()
        arrivals = self._arrivals_of(customer)
        self.count(
            await self._store_at_last(lambda: self._store(customer, message, new_id, arrivals))
        )

    def _counted_id(self) -> MessageId:
        return MessageId(f"{COUNTED}{self.session_log.new_id()}")

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._notifications.add(task)
        task.add_done_callback(self._notifications.discard)

    async def _store_at_last(self, store: Callable[[], Awaitable[T]]) -> T:
        """Call `store` until it succeeds, however often that takes: events come but once."""
        attempt = 0
        while True:
            try:
                return await store()
            except Failure:
                await self.clock.sleep(
                    backoff(attempt, FIRST_STORE_PAUSE_S, LONGEST_STORE_PAUSE_S, self.jitter())
                )
                attempt += 1

    async def _store(
        self, customer: Customer, message: InboundMessage, new_id: MessageId, arrivals: Arrivals
    ) -> str:
        """Store a message unless it is known or of the past; return the outcome.

        Stored it gets `new_id`, which is also its idempotency key. `arrivals`: the topic's as it
        came, also where that is left meanwhile.
        """
        while not arrivals.take(message, self.clock.now()):
            cached = await self.session_log.current(customer)
            if cached is None:
                return "unknown"
            if message.replayed and is_past(message, cached.session):
                return "late"
            if is_stored(message, cached) or is_report(message, cached):
                return "duplicate"
            session = cached.session  # before hints extend it
            await self._compare(arrivals, cached)
            if arrivals.take(message, self.clock.now()):
                break
            # Into no longer log than it was compared with.
            with suppress(SeqTaken):
                outcome = await self._store_new(customer, message, new_id, session)
                arrivals.arrived(new_id)  # else its entry, if there is one, is expected
                return outcome
        return "duplicate"

    async def _compare(self, arrivals: Arrivals, cached: CachedSession) -> None:
        """Add the entries of the log that are not known yet. Raises: StorageUnavailable."""
        session, recent = cached.session, tuple(cached.recent)
        if session.opened_at >= arrivals.joined_at and not arrivals.knows(session):
            await self._compare_earlier(arrivals, session)
        missing = arrivals.missing(cached)
        if missing is not None:
            after, before = missing
            page = await self.session_log.store.page(
                session.session_id, after=after, before=before, limit=MAX_EXPECTED
            )
            recent = (*page, *recent)
        arrivals.add(session, recent, self.clock.now())

    async def _compare_earlier(self, arrivals: Arrivals, newest: Session) -> None:
        """Add the entries of the sessions before the newest that may still arrive."""
        page = await self.archive.list_sessions(customer=newest.customer, limit=MAX_EARLIER)
        earlier = []
        for session in page.sessions:
            if session.session_id != newest.session_id:
                earlier.append(session)
                if session.opened_at < arrivals.joined_at:
                    break
        for session in reversed(earlier):
            entries = await self.session_log.store.page(
                session.session_id, before=session.seq + 1, limit=MAX_EXPECTED
            )
            arrivals.add(session, entries, self.clock.now())

    async def _store_new(
        self, customer: Customer, message: InboundMessage, new_id: MessageId, session: Session
    ) -> str:
        """Store it in its author's name; return the outcome."""
        try:
            if message.author is Author.USER:
                is_duplicate = await self.transfers.post_from_bridge(
                    customer, message.text, new_id, self, seen=session
                )
            else:
                is_earlier = message.replayed or wrote_before_returning(
                    session, message.at, message.coordinator_id, self.clock.now()
                )
                posted = await self.transfers.post_coordinator_message(
                    customer,
                    message.text,
                    message.coordinator_id,
                    new_id,
                    written_at=message.at if is_earlier else None,
                    replayed=message.replayed and not _was_missed(message, session),
                    seen=session,
                )
                is_duplicate = posted.duplicate
        except SessionClosed:
            return "closed"
        return "duplicate" if is_duplicate else "stored"


def _followed(session: Session) -> _Followed:
    return _Followed(session.session_id, session.status, session.seq, session.owner_since)


def _needs_bridge(entries: Sequence[Entry], talking: _Followed | None) -> bool:
    """Return True if an entry is a request for a human, or by the user in a live chat."""
    newest = entries[-1]
    is_live = talking is not None and talking.status is Status.LIVE
    if is_live and isinstance(newest, Message) and newest.is_said:
        if newest.author is Author.USER:
            return True
    return any(isinstance(entry, StatusChange) and entry.requests_human for entry in entries)


def is_past(message: InboundMessage, session: Session) -> bool:
    """Return True if a message that a join replays belongs to an earlier part of the conversation.

    It was written before the newest live chat; or by the user, before the AI's part.
    """
    if message.at is None:
        return True
    if _was_missed(message, session):
        return False
    transfer = session.transfer
    by_user = message.author is Author.USER
    if transfer is None or (by_user and session.status not in TALKING):
        return True
    # A coordinator who came unasked may have written first, and be known of only now; one who has
    # given the conversation back wrote before the request that followed.
    is_earlier = transfer.reason is Reason.COORDINATOR or session.reason in REQUEUING
    since = session.opened_at if is_earlier else transfer.requested_at
    return message.at < since - CLOCK_SKEW


def _was_missed(message: InboundMessage, session: Session) -> bool:
    """Return True if it is newer than all entries of the AI's conversation: no topic was joined."""
    is_newest = message.at is not None and message.at > session.updated_at
    return session.status is Status.AI and is_newest


def is_stored(message: InboundMessage, cached: CachedSession) -> bool:
    """Return True if it is among the newest entries: our own message echoed, or a repetition."""
    return any(_is_same(message, entry) for entry in cached.recent)


def is_report(message: InboundMessage, cached: CachedSession) -> bool:
    """Return True if it is what the user and the AI last said to each other.

    The bridge gets that in notices, and may broadcast them to those who have joined the topic.
    Nothing that was written since a human was asked for is a report, nor what a human has answered.
    """
    author = Author.AI if message.author is Author.COORDINATOR else Author.USER
    is_reported = cached.session.status is Status.AI
    for entry in reversed(cached.recent):
        if isinstance(entry, StatusChange):
            if entry.status is not Status.WAITING:
                return False
            is_reported = is_reported or entry.requests_human
        elif not entry.is_said:
            continue
        elif is_reported and entry.author is author and entry.text == message.text:
            return True
    return False


def _is_same(message: InboundMessage, entry: Entry) -> bool:
    if not isinstance(entry, Message) or not entry.is_said or entry.author is not message.author:
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
