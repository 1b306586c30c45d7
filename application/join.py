"""A client joins, or comes back: nothing that happened meanwhile is missed."""

from dataclasses import dataclass

from application.ports import SessionStore
from application.session_log import CachedSession, SessionLog
from application.subscription import PAGE, Subscription
from application.turns import Turns
from domain.identity import Customer, SessionId
from domain.message import Entry
from domain.session import Session


@dataclass(frozen=True, slots=True)
class Place:
    """Up to where a returning client has everything."""

    last_seq: int
    session_id: SessionId | None = None
    """The session that `last_seq` counts in; None: the client does not say."""


@dataclass(frozen=True, slots=True)
class Joined:
    """What a client learns as it joins."""

    session: Session | None
    """None before the customer's first message."""
    entries: tuple[Entry, ...]
    """After the client's place the first PAGE entries; for a client without one the last PAGE."""
    more: bool
    """Whether there are entries beyond these (after them, or for a client without place before)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinConversation:
    """Subscribe first, then read: what happens in between comes by both ways and is told once."""

    conversations: SessionLog
    store: SessionStore
    turns: Turns

    async def __call__(
        self, customer: Customer, follower: Subscription, place: Place | None
    ) -> Joined:
        """Subscribe `follower` and read what it has missed; the caller starts it at `session.seq`.

        Raises: StorageUnavailable; the follower is then stopped.
        """
        follower.subscribe()
        try:
            known = await self.conversations.reload(customer)
            joined = await self._read(known, place)
        except BaseException:
            follower.stop()
            raise
        if joined.session is not None and joined.session.needs_answer:
            self.turns.wake(customer)
        return joined

    async def _read(self, known: CachedSession | None, place: Place | None) -> Joined:
        if known is None:
            return Joined(None, (), more=False)
        session, recent = known.session, tuple(known.recent)
        after = _missed_after(session, place)
        if after is None:
            entries = recent if len(recent) == session.seq else await self._newest(session)
            return Joined(session, entries, more=bool(entries) and entries[0].seq > 1)
        if session.seq - after <= len(recent):
            entries = tuple(entry for entry in recent if entry.seq > after)
        else:
            page = await self.store.page(session.session_id, after=after, limit=PAGE)
            entries = tuple(entry for entry in page if entry.seq <= session.seq)
        return Joined(session, entries, more=bool(entries) and entries[-1].seq < session.seq)

    async def _newest(self, session: Session) -> tuple[Entry, ...]:
        return await self.store.page(session.session_id, before=session.seq + 1, limit=PAGE)


def _missed_after(session: Session, place: Place | None) -> int | None:
    if place is None:
        return None
    other = place.session_id is not None and place.session_id != session.session_id
    # A place beyond the end counts in an earlier session: all of this one was missed.
    return 0 if other or place.last_seq > session.seq else place.last_seq
