"""The one way in which anything is written to a conversation: decide, append, tell.

Several coroutines, processes and machines may write to one session at once. The claim of a seq is
the only lock: whoever meets a conflict reads the log again and takes the same decision anew.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from application.ports import RECENT, Appended, Clock, Fanout, Loaded, NewId, Policy, SessionStore
from domain.decisions import Occasion, OpenSession
from domain.errors import SeqTaken, StorageUnavailable
from domain.identity import Customer, LocationId, SessionId
from domain.message import Entry
from domain.session import Draft, Session, Timing

Decide = Callable[[Session | None], Draft | None]

MAX_WARM = 10_000
"""How many customers' newest sessions are kept in memory; the coldest goes first."""
MAX_CONFLICTS = 200
"""So many writers have never been faster than one; past it something is broken."""
RETAKE_GRACE_S = 5.0


class Conversation:
    """A customer's newest session as this process last saw it, perhaps no longer the newest."""

    __slots__ = ("recent", "session")

    def __init__(self, session: Session, recent: list[Entry]) -> None:
        self.session = session
        self.recent = recent
        """Its newest entries, oldest first; at least RECENT of them where there are so many."""

    def grow(self, draft: Draft) -> None:
        """Take in what has just been stored."""
        self.session = draft.session
        self.recent.extend(draft.entries)
        if len(self.recent) > 2 * RECENT:
            del self.recent[:-RECENT]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversations:
    """The customers' conversations, read through a bounded memory of the newest."""

    store: SessionStore
    fanout: Fanout
    clock: Clock
    new_id: NewId
    policy: Policy
    _warm: dict[Customer, Conversation] = field(default_factory=dict)

    def occasion(self, language: str) -> Occasion:
        """What a decision taken now needs from outside."""
        return Occasion(
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

    async def current(self, customer: Customer) -> Conversation | None:
        """The customer's newest session, from memory if it is there. Raises: StorageUnavailable."""
        warm = self._warm
        if (known := warm.pop(customer, None)) is not None:
            warm[customer] = known  # the dict's order is the order of last use
            return known
        return await self.reload(customer)

    async def reload(self, customer: Customer) -> Conversation | None:
        """The customer's newest session, read from the store. Raises: StorageUnavailable."""
        loaded = await self.store.latest(customer)
        if loaded is None:
            self._warm.pop(customer, None)
            return None
        return self._keep(customer, loaded)

    def _keep(self, customer: Customer, loaded: Loaded) -> Conversation:
        known = self._warm.pop(customer, None)
        same = known is not None and known.session.session_id == loaded.session.session_id
        if known is None or not same or known.session.seq < loaded.session.seq:
            known = Conversation(loaded.session, list(loaded.recent))
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

        Returns the session as it then is; what `decide` raises, and what the store raises other
        than SeqTaken, ends it with nothing stored. Raises: StorageUnavailable, DuplicateMessage.
        """
        for _ in range(MAX_CONFLICTS):
            known = await self.current(customer)
            draft = decide(known.session if known is not None else None)
            if draft is None:
                return known.session if known is not None else None
            try:
                await self.store.append(draft, draft.session.due_at(self._timing))
            except SeqTaken:
                self.forget(customer)
                continue
            self._grown(customer, draft)
            event = Appended(draft.session.session_id, tuple(draft.entries), origin)
            self.fanout.publish(customer, event)
            return draft.session
        raise StorageUnavailable("too many writers on one session")

    def _grown(self, customer: Customer, draft: Draft) -> None:
        session = draft.session
        first = session.seq - len(draft.entries)
        known = self._warm.get(customer)
        if known is not None and known.session.session_id == session.session_id:
            if known.session.seq == first:
                known.grow(draft)
                return
            if known.session.seq >= session.seq:
                return  # somebody has read our entries from the store already
        if first == 0:
            self._keep(customer, Loaded(session, tuple(draft.entries)))
        else:
            self.forget(customer)

    @property
    def _timing(self) -> Timing:
        return Timing(
            retake_s=self.policy.turn_timeout_s + RETAKE_GRACE_S,
            idle_s=self.policy.session_idle_s,
        )
