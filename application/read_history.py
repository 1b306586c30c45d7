"""A page of a conversation's log, for a client or an operator."""

from dataclasses import dataclass
from typing import NamedTuple

from application.ports import SessionStore
from application.session_log import SessionLog, load_session
from domain.errors import UnknownSession
from domain.identity import Customer, SessionId
from domain.message import Entry
from domain.session import Session

PAGE = 50
"""The most entries of a page, in a join's replay and in a client's history."""


class HistoryPage(NamedTuple):
    """Entries of a log, oldest first."""

    entries: tuple[Entry, ...]
    more: bool
    """True if the requested range goes on, in the direction in which it was read."""


def history_page(
    session: Session, entries: tuple[Entry, ...], *, after: int = 0, before: int | None = None
) -> HistoryPage:
    """Return `entries` as a page of those with after < seq < before.

    Without `before` the log is read towards its end, else from there towards its beginning.
    """
    if not entries:
        return HistoryPage((), more=False)
    if before is None:
        return HistoryPage(entries, more=entries[-1].seq < session.seq)
    return HistoryPage(entries, more=entries[0].seq > after + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadHistory:
    """Reads pages of sessions; a customer sees their own alone."""

    session_log: SessionLog
    store: SessionStore

    async def __call__(
        self,
        customer: Customer,
        session_id: SessionId | None = None,
        *,
        after: int | None = None,
        before: int | None = None,
        limit: int,
    ) -> HistoryPage:
        """Read a page of the customer's session; without a bound, the newest entries.

        `session_id`: an earlier session; None: the newest one.
        Raises: UnknownSession, also for another customer's; StorageUnavailable.
        """
        if session_id is None:
            cached = await self.session_log.current(customer)
            if cached is None:
                return HistoryPage((), more=False)
            session = cached.session
        else:
            session = (await load_session(self.store, session_id)).session
            if session.customer != customer:
                raise UnknownSession
        if after is None and before is None:
            before = session.seq + 1
        return await self.of(session, after=after or 0, before=before, limit=limit)

    async def of(
        self, session: Session, *, after: int = 0, before: int | None = None, limit: int
    ) -> HistoryPage:
        """Read a page of any session. Raises: StorageUnavailable."""
        entries = await self.store.page(session.session_id, after=after, before=before, limit=limit)
        return history_page(session, entries, after=after, before=before)
