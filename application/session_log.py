"""The one way to write to a conversation: decide, append, publish.

Several coroutines, processes and machines may write to one session at once. Claiming a seq is the
only lock: a writer that meets a conflict reads the log again and repeats its decision on it.

A session is read once, and then followed by the events of its customer, for as long as those of
other processes arrive here. Without them, or where one may have been lost, it is read again.
"""

from asyncio import CancelledError
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from sys import getsizeof

from application.bounded_cache import BoundedCache, size_of
from application.hub import Hub
from application.policy import Policy
from application.ports import (
    RECENT,
    Appended,
    Clock,
    CustomerErased,
    Event,
    Grown,
    Loaded,
    Missed,
    NewId,
    Observer,
    SessionStore,
    Tracing,
)
from application.tracing import NO_TRACING
from domain.decision_context import DecisionContext
from domain.decisions import OpenSession
from domain.errors import Refusal, SeqTaken, StorageUnavailable, UnknownSession
from domain.handoff import UNKNOWN, Availability
from domain.identity import Customer, LocationId, SessionId
from domain.language import other_than
from domain.message import Entry, Message, token_cost
from domain.notice import Notice
from domain.session import Draft, Session
from domain.texts import NO_WORDS, Words
from domain.view import MAX_VIEW_ENTRIES

Decide = Callable[[Session | None], Draft | None]
"""A pure decision on the customer's newest session: what to append, None for nothing."""
BuildNotices = Callable[[Session | None, Sequence[Entry], Draft], Sequence[Notice]]
"""The outbox messages of a draft, given the session before it and that session's newest entries."""
OnStored = Callable[[Session | None, Sequence[Entry], Draft], None]
"""Called with each draft once it is stored, and with what `BuildNotices` is given."""

MAX_CACHED_SESSIONS = 10_000
"""The number of customers whose newest session is cached; the least recently used is evicted."""
ENTRY_BYTES = 500
"""The bytes of an entry without its texts."""
HEAD_BYTES = 1_000
"""The bytes of a head; its texts are those of entries."""
ID_BYTES = 200
"""The most bytes of an id."""
MAX_RECENT = 100
"""The most of RECENT entries, where many of the newest were not said in the conversation."""
TRIMMED_AT = 2 * RECENT
"""A cached session is trimmed where it has so many entries, and a quarter more than it keeps."""
MAX_CONFLICTS = 200
"""Retry limit on write conflicts; more means a bug, not contention."""


class CachedSession:
    """A customer's newest session as this process last saw it; the store may have a newer one."""

    __slots__ = ("_trimmed_at", "_view_tokens", "bytes", "recent", "session")

    def __init__(self, session: Session, recent: list[Entry], view_tokens: int = 0) -> None:
        """`view_tokens`: of the entries that it keeps for views, besides the newest."""
        self.session = session
        self.recent = recent
        """The newest entries, oldest first: with RECENT that were said, if MAX_RECENT have them,
        and those that a view has room for, once they were appended or read."""
        self._view_tokens = view_tokens
        self._trimmed_at = TRIMMED_AT
        self.bytes = HEAD_BYTES + _bytes_of(recent)
        """About how many bytes it takes up."""

    def extend(
        self, session_id: SessionId, entries: tuple[Entry, ...], session: Session | None = None
    ) -> bool:
        """Add entries that were just stored; False: they do not follow, this copy is stale.

        `session`: the head with them, where it is known.
        """
        cached = self.session
        if session_id != cached.session_id:
            return False
        missing = entries[-1].seq - cached.seq
        if missing <= 0:
            return True  # reloaded meanwhile, with these entries in it
        if missing != len(entries):
            return False
        if session is None:
            session = cached
            for entry in entries:
                session = session.after(entry)
        self.session = session
        self.recent += entries
        if len(self.recent) > self._trimmed_at:
            self._trim()
        else:
            self.bytes += _bytes_of(entries)
        return True

    def extend_back(self, entries: tuple[Entry, ...]) -> None:
        """Add entries that come before those that it has; others are ignored."""
        if entries and entries[-1].seq == self.recent[0].seq - 1:
            self.recent[:0] = entries
            self.bytes += _bytes_of(entries)

    def _trim(self) -> None:
        summary = self.session.summary
        through = summary.through if summary is not None else 0
        del self.recent[: _surplus(self.recent, through, self._view_tokens)]
        self.bytes = HEAD_BYTES + _bytes_of(self.recent)
        self._trimmed_at = max(TRIMMED_AT, len(self.recent) * 5 // 4)


class _Reading:
    """A read of a customer's newest session, or an append that opens it."""

    __slots__ = ("is_outdated",)

    def __init__(self) -> None:
        self.is_outdated = False
        """True if there was an event meanwhile that the result may lack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLog:
    """Reads and writes the customers' newest sessions, through a bounded cache."""

    store: SessionStore
    hub: Hub
    clock: Clock
    new_id: NewId
    policy: Policy
    build_notices: BuildNotices | None = None
    """None: there is no bridge to notify."""
    on_stored: OnStored | None = None
    """A draft that is stored although the store could not say so is not passed to it."""
    observer: Observer | None = None
    """None: nobody is told of what is stored."""
    tracing: Tracing = NO_TRACING
    _cache: BoundedCache[Customer, CachedSession] = field(init=False)
    _readings: dict[Customer, list[_Reading]] = field(default_factory=dict)
    _appending: Counter[Customer] = field(default_factory=Counter)
    """The number of appends under way."""

    def __post_init__(self) -> None:
        cache = BoundedCache[Customer, CachedSession](
            MAX_CACHED_SESSIONS, self.policy.session_cache_bytes
        )
        object.__setattr__(self, "_cache", cache)
        self.hub.tap_remote(self._on_remote_event)

    def decision_context(
        self,
        language: str,
        words: Words = NO_WORDS,
        availability: Availability = UNKNOWN,
        named_language: str | None = None,
    ) -> DecisionContext:
        """Return what a decision taken now needs from outside.

        `named_language`: the one that the customer's client names, if it does.
        """
        return DecisionContext(
            at=self.clock.now(),
            new_id=self.new_id,
            language=language,
            named_language=other_than(language, named_language),
            words=words,
            availability=availability,
            transfer_timeout_s=self.policy.transfer_timeout_s,
        )

    def session_factory(self, customer: Customer, location_id: LocationId | None) -> OpenSession:
        """Return a function that makes an empty session, for a decision that needs a new one."""

        def open_session() -> Session:
            now = self.clock.now()
            return Session(
                session_id=SessionId(self.new_id()),
                customer=customer,
                location_id=location_id,
                opened_at=now,
                updated_at=now,
            )

        return open_session

    async def current(self, customer: Customer) -> CachedSession | None:
        """Return the customer's newest session, from the cache if that counts.

        Raises: StorageUnavailable.
        """
        return self._cached(customer) or await self.reload(customer)

    def _cached(self, customer: Customer) -> CachedSession | None:
        """Return the cached session, unless another process may have changed it unnoticed."""
        return self._cache.get(customer) if self.hub.is_subscribed(customer) else None

    async def reload(self, customer: Customer) -> CachedSession | None:
        """Read the customer's newest session from the store.

        Whoever listens to the customer here learns of what this process did not know.
        Raises: StorageUnavailable.
        """
        before = self._cache.get(customer)
        reading = self._begin(customer)
        try:
            loaded = await self._load(customer)
        finally:
            self._end(customer, reading)
        known = self._cache.get(customer)
        if loaded is None:
            self._cache.pop(customer)
            return None
        opened_meanwhile = known is not None and known is not before
        if known is not None and opened_meanwhile and _is_older(loaded.session, known.session):
            return known
        cached = self._store_in_cache(customer, loaded)
        if reading.is_outdated:
            self._cache.pop(customer)
        if customer not in self._appending:  # else its event follows, and shows what it follows
            self._notify(customer, known, loaded.session)
        return cached

    async def _load(self, customer: Customer) -> Loaded | None:
        """Read the newest session, with RECENT entries that were said if MAX_RECENT have them."""
        loaded = await self.store.latest(customer)
        if loaded is None or all(entry.is_said for entry in loaded.recent):
            return loaded
        session, recent = loaded
        if recent[0].seq == 1:
            return loaded
        earlier = await self.store.page(
            session.session_id, before=recent[0].seq, limit=MAX_RECENT - RECENT
        )
        entries = [*earlier, *recent]
        return Loaded(session, tuple(entries[_surplus(entries) :]))

    def _begin(self, customer: Customer) -> _Reading:
        reading = _Reading()
        self._readings.setdefault(customer, []).append(reading)
        return reading

    def _end(self, customer: Customer, reading: _Reading) -> None:
        readings = self._readings[customer]
        readings.remove(reading)
        if not readings:
            del self._readings[customer]

    def _notify(self, customer: Customer, known: CachedSession | None, read: Session) -> None:
        """Notify the listeners in this process of what was read and not known."""
        same = known is not None and known.session.session_id == read.session_id
        if known is None or not same or known.session.seq < read.seq:
            self.hub.notify(customer, Grown(read.session_id, read.seq))

    def _store_in_cache(self, customer: Customer, loaded: Loaded) -> CachedSession:
        cached = self._cache.get(customer)
        same = cached is not None and cached.session.session_id == loaded.session.session_id
        if cached is None or not same or cached.session.seq < loaded.session.seq:
            recent = list(loaded.recent)
            cached = CachedSession(loaded.session, recent, self.policy.view_tokens)
        self._cache.put(customer, cached, cached.bytes)
        return cached

    async def earlier(
        self, customer: Customer, cached: CachedSession, *, before: int, limit: int
    ) -> tuple[Entry, ...]:
        """Read at most `limit` entries before a cached one, and cache them too if they follow.

        Raises: StorageUnavailable.
        """
        session_id = cached.session.session_id
        entries = await self.store.page(session_id, before=before, limit=limit)
        if self._cache.get(customer) is cached:  # not erased or read anew meanwhile
            cached.extend_back(entries)
            self._cache.put(customer, cached, cached.bytes)
        return entries

    def forget(self, customer: Customer) -> None:
        """Evict the customer from the cache; what is being read is not cached either."""
        self._cache.pop(customer)
        for reading in self._readings.get(customer, ()):
            reading.is_outdated = True

    def _on_remote_event(self, customer: Customer, event: Event) -> None:
        if isinstance(event, Missed) and event.broker_is_away:
            return  # nothing cached counts until it is back, which is one more Missed
        if isinstance(event, Grown | Missed | CustomerErased):
            self.forget(customer)
        elif isinstance(event, Appended):
            cached = self._cache.get(customer)
            if cached is None or not cached.extend(event.session_id, event.entries):
                self.forget(customer)
            else:
                self._cache.put(customer, cached, cached.bytes)

    async def commit(
        self, customer: Customer, decide: Decide, origin: object = None
    ) -> Session | None:
        """Carry out a decision: append its draft durably, then publish it to all subscribers.

        Returns the session as it then is; a refusal of `decide` ends it with nothing stored.
        Raises: StorageUnavailable, DuplicateMessage.
        """
        cached, reloaded = self._cached(customer), False
        if cached is None:
            cached, reloaded = await self.reload(customer), True
        for _ in range(MAX_CONFLICTS):
            try:
                draft = decide(cached.session if cached is not None else None)
            except Refusal:
                if reloaded:
                    raise
                draft = None
            if draft is not None:
                if self.build_notices is not None:
                    draft.notices = _notices(self.build_notices, cached, draft)
                if await self._append(customer, cached, draft, origin):
                    return draft.session
            elif reloaded:
                return cached.session if cached is not None else None
            # The cache may be behind the store: nothing is refused or omitted because of it.
            cached, reloaded = await self.reload(customer), True
        raise StorageUnavailable("too many writers on one session")

    async def commit_in(
        self, session_id: SessionId, customer: Customer, decide: Decide, origin: object = None
    ) -> Session | None:
        """Carry out a decision on one of the customer's sessions, which need not be the newest.

        It is given None where they have no such session. Of what is appended to an earlier one
        nobody is told: it is over, and shown only where it is read.
        Raises: StorageUnavailable, DuplicateMessage.
        """
        is_newest = True

        def decide_if_newest(session: Session | None) -> Draft | None:
            nonlocal is_newest
            is_newest = session is not None and session.session_id == session_id
            return decide(session) if is_newest else None

        session = await self.commit(customer, decide_if_newest, origin)
        if is_newest:
            return session
        for _ in range(MAX_CONFLICTS):
            loaded = await self.store.load(session_id)
            if loaded is None or loaded.session.customer != customer:
                decide(None)
                return None
            draft = decide(loaded.session)
            if draft is None:
                return loaded.session
            if self.build_notices is not None:
                draft.notices = self.build_notices(loaded.session, loaded.recent, draft)
            with suppress(SeqTaken):
                await self.store.append(draft, draft.session.due_at(self.policy.timing))
                self._stored(loaded.session, loaded.recent, draft)
                return draft.session
        raise StorageUnavailable("too many writers on one session")

    async def _append(
        self, customer: Customer, before: CachedSession | None, draft: Draft, origin: object
    ) -> bool:
        """Store a draft that follows `before`, and publish it; False: another writer was first.

        Where it is not known whether it is stored, all are to read.
        """
        session, entries = draft.session, tuple(draft.entries)
        opening = self._begin(customer) if entries[0].seq == 1 else None
        self._appending[customer] += 1
        try:
            with self.tracing.span("append"):
                await self.store.append(draft, draft.session.due_at(self.policy.timing))
        except SeqTaken:
            return False
        except (StorageUnavailable, CancelledError):  # it may be stored nevertheless
            self.hub.publish(customer, Grown(session.session_id, entries[-1].seq))
            raise
        finally:
            self._appending[customer] -= 1
            if not self._appending[customer]:
                del self._appending[customer]
            if opening is not None:
                self._end(customer, opening)
        if before is None:
            self._stored(None, (), draft)
        else:
            self._stored(before.session, before.recent, draft)
        cached = self._cache.get(customer)
        if cached is not None and cached.extend(session.session_id, entries, session):
            self._cache.put(customer, cached, cached.bytes)
        else:
            self.forget(customer)
            if opening is not None and not opening.is_outdated:
                self._store_in_cache(customer, Loaded(session, entries))
        lanes = {notice.lane for notice in draft.notices}
        self.hub.publish(customer, Appended(session.session_id, entries, origin, lanes))
        return True

    def _stored(self, before: Session | None, recent: Sequence[Entry], draft: Draft) -> None:
        if self.on_stored is not None:
            self.on_stored(before, recent, draft)
        if self.observer is not None:
            self.observer.stored(draft.session, draft.entries)


async def load_session(store: SessionStore, session_id: SessionId) -> Loaded:
    """Read any session's head and newest entries. Raises: UnknownSession, StorageUnavailable."""
    loaded = await store.load(session_id)
    if loaded is None:
        raise UnknownSession
    return loaded


def _notices(build: BuildNotices, cached: CachedSession | None, draft: Draft) -> Sequence[Notice]:
    if cached is None:
        return build(None, (), draft)
    return build(cached.session, cached.recent, draft)


def _surplus(entries: Sequence[Entry], through: int = 0, view_tokens: int = 0) -> int:
    """Return how many of the first entries are more than a cached session keeps.

    `through`: up to which a summary stands for them in views.
    """
    said = tokens = 0
    for kept, entry in enumerate(reversed(entries)):
        tokens += token_cost(entry)
        is_recent = said < RECENT and kept < MAX_RECENT
        is_in_view = entry.seq > through and tokens <= view_tokens and kept < MAX_VIEW_ENTRIES
        if not (is_recent or is_in_view):
            return len(entries) - kept
        said += entry.is_said
    return 0


def _bytes_of(entries: Iterable[Entry]) -> int:
    """Return about how many bytes the entries take up: the lengths of their texts decide."""
    size = 0
    for entry in entries:
        size += ENTRY_BYTES + getsizeof(entry.text)
        if isinstance(entry, Message):
            size += ID_BYTES * len(entry.in_reply_to)
            if entry.actions:
                size += size_of(entry.actions)
            if entry.summary is not None:
                size += getsizeof(entry.summary.text)
    return size


def _is_older(session: Session, other: Session) -> bool:
    return session.session_id != other.session_id and session.opened_at <= other.opened_at
