"""The one way to write to a conversation: decide, append, publish.

Several coroutines, processes and machines may write to one session at once. Claiming a seq is the
only lock: a writer that meets a conflict reads the log again and repeats its decision on it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from sys import getsizeof

from application.bounded_cache import BoundedCache, size_of
from application.hub import Hub
from application.policy import Policy
from application.ports import RECENT, Appended, Clock, Loaded, NewId, SessionStore
from domain.decisions import DecisionContext, OpenSession
from domain.errors import Refusal, SeqTaken, StorageUnavailable, UnknownSession
from domain.identity import Customer, LocationId, SessionId
from domain.message import Entry, Message
from domain.notice import Notice
from domain.session import Draft, Session

Decide = Callable[[Session | None], Draft | None]
"""A pure decision on the customer's newest session: what to append, None for nothing."""
BuildNotices = Callable[[Session | None, Sequence[Entry], Draft], Sequence[Notice]]
"""The outbox messages of a draft, given the session before it and that session's newest entries."""

MAX_CACHED_SESSIONS = 10_000
"""The number of customers whose newest session is cached; the least recently used is evicted."""
ENTRY_BYTES = 500
"""The bytes of an entry without its texts."""
HEAD_BYTES = 1_000
"""The bytes of a head; its texts are those of entries."""
ID_BYTES = 200
"""The most bytes of an id."""
MAX_CONFLICTS = 200
"""Retry limit on write conflicts; more means a bug, not contention."""


class CachedSession:
    """A customer's newest session as this process last saw it; the store may have a newer one."""

    __slots__ = ("bytes", "recent", "session")

    def __init__(self, session: Session, recent: list[Entry]) -> None:
        self.session = session
        self.recent = recent
        """The newest entries, oldest first; at least RECENT of them where there are that many."""
        self.bytes = HEAD_BYTES + _bytes_of(recent)
        """About how many bytes it takes up."""

    def extend(self, session: Session, entries: tuple[Entry, ...]) -> bool:
        """Add entries that were just stored; False: they do not follow, this copy is stale."""
        cached = self.session
        if session.session_id != cached.session_id:
            return False
        missing = session.seq - cached.seq
        if missing <= 0:
            return True  # reloaded meanwhile, with these entries in it
        if missing != len(entries):
            return False
        self.session = session
        self.recent += entries
        if len(self.recent) > 2 * RECENT:
            del self.recent[:-RECENT]
            self.bytes = HEAD_BYTES + _bytes_of(self.recent)
        else:
            self.bytes += _bytes_of(entries)
        return True


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
    _cache: BoundedCache[Customer, CachedSession] = field(init=False)

    def __post_init__(self) -> None:
        cache = BoundedCache[Customer, CachedSession](
            MAX_CACHED_SESSIONS, self.policy.session_cache_bytes
        )
        object.__setattr__(self, "_cache", cache)

    def decision_context(self, language: str) -> DecisionContext:
        """Return what a decision taken now needs from outside."""
        return DecisionContext(
            at=self.clock.now(),
            new_id=self.new_id,
            language=language,
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
        """The customer's newest session, from the cache if it is there.

        Raises: StorageUnavailable.
        """
        return self._cache.get(customer) or await self.reload(customer)

    async def reload(self, customer: Customer) -> CachedSession | None:
        """Read the customer's newest session from the store. Raises: StorageUnavailable."""
        before = self._cache.get(customer)
        loaded = await self.store.latest(customer)
        if loaded is None:
            self._cache.pop(customer)
            return None
        cached = self._cache.get(customer)
        opened_meanwhile = cached is not None and cached is not before
        if cached is not None and opened_meanwhile and _is_older(loaded.session, cached.session):
            return cached
        return self._store_in_cache(customer, loaded)

    def _store_in_cache(self, customer: Customer, loaded: Loaded) -> CachedSession:
        cached = self._cache.get(customer)
        same = cached is not None and cached.session.session_id == loaded.session.session_id
        if cached is None or not same or cached.session.seq < loaded.session.seq:
            cached = CachedSession(loaded.session, list(loaded.recent))
        self._cache.put(customer, cached, cached.bytes)
        return cached

    def forget(self, customer: Customer) -> None:
        """Evict the customer from the cache."""
        self._cache.pop(customer)

    async def commit(
        self, customer: Customer, decide: Decide, origin: object = None
    ) -> Session | None:
        """Carry out a decision: append its draft durably, then publish it to all subscribers.

        Returns the session as it then is; a refusal of `decide` ends it with nothing stored.
        Raises: StorageUnavailable, DuplicateMessage.
        """
        cached = self._cache.get(customer) or await self.reload(customer)
        reloaded = False
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
                try:
                    await self.store.append(draft, draft.session.due_at(self.policy.timing))
                except SeqTaken:
                    pass
                else:
                    return self._appended(customer, draft, origin)
            elif reloaded:
                return cached.session if cached is not None else None
            # The cache may be behind the store: nothing is refused or omitted because of it.
            cached, reloaded = await self.reload(customer), True
        raise StorageUnavailable("too many writers on one session")

    def _appended(self, customer: Customer, draft: Draft, origin: object) -> Session:
        session, entries = draft.session, tuple(draft.entries)
        cached = self._cache.get(customer)
        if cached is not None and cached.extend(session, entries):
            self._cache.put(customer, cached, cached.bytes)
        else:
            self._cache.pop(customer)
            if entries[0].seq == 1:
                self._store_in_cache(customer, Loaded(session, entries))
        lanes = {notice.lane for notice in draft.notices}
        self.hub.publish(customer, Appended(session.session_id, entries, origin, lanes))
        return session


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
