"""A client joins, or comes back: nothing that happened meanwhile is missed."""

from dataclasses import dataclass
from typing import NamedTuple

from application.ports import SessionStore
from application.read_history import (
    PAGE,
    HistoryPage,
    customer_page_after,
    customer_page_before,
    first_page,
)
from application.session_log import CachedSession, SessionLog
from application.subscription import Subscription
from application.turns import Turns
from domain.identity import Customer, SessionId
from domain.message import Entry
from domain.session import Session


@dataclass(frozen=True, slots=True)
class ResumePosition:
    """The point up to which a returning client has everything."""

    last_seq: int
    session_id: SessionId | None = None
    """The session that `last_seq` counts in; None: the client does not say."""


class Joined(NamedTuple):
    """The result of a join."""

    session: Session | None
    """None before the customer's first message."""
    page: HistoryPage
    """The first PAGE entries after the client's position; without one, the last PAGE."""
    recent: tuple[Entry, ...] = ()
    """The newest entries of the session, whether or not the client has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinConversation:
    """Subscribe first, then read: what happens in between comes both ways and is delivered once."""

    session_log: SessionLog
    store: SessionStore
    turns: Turns

    async def __call__(
        self, customer: Customer, subscription: Subscription, position: ResumePosition | None
    ) -> Joined:
        """Subscribe, and read what was missed; the caller starts the subscription at `session.seq`.

        Raises: StorageUnavailable; the subscription is then stopped.
        """
        subscription.subscribe()
        try:
            cached = await self.session_log.reload(customer)
            joined = await self._read(cached, position)
        except BaseException:
            subscription.stop()
            raise
        if joined.session is not None and joined.session.needs_answer:
            self.turns.wake(customer)
        return joined

    async def _read(self, cached: CachedSession | None, position: ResumePosition | None) -> Joined:
        if cached is None:
            return Joined(None, HistoryPage((), more=False))
        session, recent = cached.session, cached.recent
        after = _missed_after(session, position)
        if session.seq - (after or 0) <= min(len(recent), PAGE):
            entries = [each for each in recent if each.is_for_customer and each.seq > (after or 0)]
            page = first_page(tuple(entries), session.customer_seq)
            if after is not None or not page.more:
                return Joined(session, page, tuple(recent))
        if after is None:
            page = await customer_page_before(self.store, session, session.seq + 1)
        else:
            page = await customer_page_after(self.store, session, after)
        return Joined(session, page, tuple(recent))


def _missed_after(session: Session, position: ResumePosition | None) -> int | None:
    if position is None:
        return None
    other = position.session_id is not None and position.session_id != session.session_id
    # A position beyond the end counts in an earlier session: all of this one was missed.
    return 0 if other or position.last_seq > session.seq else position.last_seq
