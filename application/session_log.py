"""The one way in which anything is written to a conversation: decide, append, tell.

Several coroutines, processes and machines may write to one session at once. The claim of a seq is
the only lock: whoever meets a conflict reads the log again and takes the same decision anew.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from application.policy import Policy
from application.ports import RECENT, Appended, Clock, Fanout, Loaded, NewId, SessionStore
from domain.decisions import DecisionContext, OpenSession
from domain.errors import Refusal, SeqTaken, StorageUnavailable
from domain.identity import Customer, LocationId, SessionId
from domain.message import Entry
from domain.notice import Notice
from domain.session import Draft, Session

Decide = Callable[[Session | None], Draft | None]
Tell = Callable[[Session | None, Sequence[Entry], Draft], Sequence[Notice]]
"""What the bridge must be told of a draft, on the session as it was and its newest entries."""

MAX_WARM = 10_000
"""How many customers' newest sessions are kept in memory; the coldest goes first."""
MAX_CONFLICTS = 200
"""So many writers have never been faster than one; past it something is broken."""


class CachedSession:
    """A customer's newest session as this process last saw it, perhaps no longer the newest."""

    __slots__ = ("recent", "session")

    def __init__(self, session: Session, recent: list[Entry]) -> None:
        self.session = session
        self.recent = recent
        """Its newest entries, oldest first; at least RECENT of them where there are so many."""

    def grow(self, session: Session, entries: tuple[Entry, ...]) -> bool:
        """Take in what has just been stored; False: it does not follow, this copy is of no use."""
        mine = self.session
        if session.session_id != mine.session_id:
            return False
        missing = session.seq - mine.seq
        if missing <= 0:
            return True  # read from the store meanwhile, with these entries in it
        if missing != len(entries):
            return False
        self.session = session
        self.recent += entries
        if len(self.recent) > 2 * RECENT:
            del self.recent[:-RECENT]
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLog:
    """The customers' conversations, read through a bounded memory of the newest."""

    store: SessionStore
    fanout: Fanout
    clock: Clock
    new_id: NewId
    policy: Policy
    tell: Tell | None = None
    """None: there is no bridge."""
    _warm: dict[Customer, CachedSession] = field(default_factory=dict)

    def occasion(self, language: str) -> DecisionContext:
        """What a decision taken now needs from outside."""
        return DecisionContext(
            at=self.clock.now(),
            new_id=self.new_id,
            language=language,
            transfer_timeout_s=self.policy.transfer_timeout_s,
        )

    def opener(self, customer: Customer, location_id: LocationId | None) -> OpenSession:
        """Makes an empty session of the customer, where a decision turns out to need one."""

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
        """The customer's newest session, from memory if it is there. Raises: StorageUnavailable."""
        return self._warm.get(customer) or await self.reload(customer)

    async def reload(self, customer: Customer) -> CachedSession | None:
        """The customer's newest session, read from the store. Raises: StorageUnavailable."""
        before = self._warm.get(customer)
        loaded = await self.store.latest(customer)
        if loaded is None:
            self._warm.pop(customer, None)
            return None
        known = self._warm.get(customer)
        if known is not None and known is not before and _is_older(loaded.session, known.session):
            return known  # opened while we were reading
        return self._keep(customer, loaded)

    def _keep(self, customer: Customer, loaded: Loaded) -> CachedSession:
        known = self._warm.pop(customer, None)
        same = known is not None and known.session.session_id == loaded.session.session_id
        if known is None or not same or known.session.seq < loaded.session.seq:
            known = CachedSession(loaded.session, list(loaded.recent))
        self._warm[customer] = known
        if len(self._warm) > MAX_WARM:
            del self._warm[next(iter(self._warm))]
        return known

    def forget(self, customer: Customer) -> None:
        """Drop what is remembered of the customer."""
        self._warm.pop(customer, None)

    async def commit(
        self, customer: Customer, decide: Decide, origin: object = None
    ) -> Session | None:
        """Carry out a decision: append its draft durably, then tell everyone who listens.

        Returns the session as it then is; a refusal of `decide` ends it with nothing stored.
        Raises: StorageUnavailable, DuplicateMessage.
        """
        known = self._warm.get(customer) or await self.reload(customer)
        fresh = False
        for _ in range(MAX_CONFLICTS):
            try:
                draft = decide(known.session if known is not None else None)
            except Refusal:
                if fresh:
                    raise
                draft = None
            if draft is not None:
                if self.tell is not None:
                    draft.notices = self._notices(self.tell, known, draft)
                try:
                    await self.store.append(draft, draft.session.due_at(self.policy.timing))
                except SeqTaken:
                    pass
                else:
                    return self._appended(customer, draft, origin)
            elif fresh:
                return known.session if known is not None else None
            # What is remembered may be behind the store: nothing is refused or left out for that.
            known, fresh = await self.reload(customer), True
        raise StorageUnavailable("too many writers on one session")

    @staticmethod
    def _notices(tell: Tell, known: CachedSession | None, draft: Draft) -> Sequence[Notice]:
        return (
            tell(known.session, known.recent, draft) if known is not None else tell(None, (), draft)
        )

    def _appended(self, customer: Customer, draft: Draft, origin: object) -> Session:
        session, entries = draft.session, tuple(draft.entries)
        known = self._warm.pop(customer, None)
        if known is not None and known.grow(session, entries):
            self._warm[customer] = known  # at the end: the dict is in the order of use
        elif entries[0].seq == 1:
            self._keep(customer, Loaded(session, entries))
        self.fanout.publish(customer, Appended(session.session_id, entries, origin))
        return session


def _is_older(session: Session, other: Session) -> bool:
    return session.session_id != other.session_id and session.opened_at <= other.opened_at
