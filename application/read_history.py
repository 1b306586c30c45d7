"""A page of a conversation's log, for a client or an operator."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from application.ports import SessionStore
from application.session_log import SessionLog, load_session
from domain.errors import UnknownSession
from domain.identity import Customer, SessionId
from domain.message import Action, Entry, Message
from domain.session import Session

PAGE = 50
"""The most entries of a page, in a join's replay and in a client's history."""
MAX_PAGE_BYTES = 256 * 1024
"""The most bytes of a page in JSON, unless one entry alone is larger."""
_ENTRY_BYTES = 300  # of its ids, author and time, about
_MAX_CHARACTER_BYTES = 6  # of a character in JSON: \u001f


class HistoryPage(NamedTuple):
    """Entries of a log, oldest first."""

    entries: tuple[Entry, ...]
    more: bool
    """True if the requested range goes on, in the direction in which it was read."""


def history_page(
    session: Session, entries: tuple[Entry, ...], *, after: int = 0, before: int | None = None
) -> HistoryPage:
    """Return `entries` as a page of those with after < seq < before.

    Without `before` the log is read towards its end, else from there towards its beginning. A page
    ends early at MAX_PAGE_BYTES.
    """
    if not entries:
        return HistoryPage((), more=False)
    if before is None:
        kept = entries[: _fitting(entries)]
        return HistoryPage(kept, more=kept[-1].seq < session.seq)
    kept = entries[-_fitting(entries[::-1]) :]
    return HistoryPage(kept, more=kept[0].seq > after + 1)


def _fitting(entries: tuple[Entry, ...]) -> int:
    """Return the number of entries from the first that fit a page; at least one."""
    characters = sum(len(entry.text) for entry in entries)
    if characters * _MAX_CHARACTER_BYTES < MAX_PAGE_BYTES // 2 and not any(map(_cards, entries)):
        return len(entries)
    size = 0
    for number, entry in enumerate(entries):
        size += _ENTRY_BYTES + len(msgspec.json.encode((entry.text, _cards(entry))))
        if size > MAX_PAGE_BYTES:
            return max(1, number)
    return len(entries)


def _cards(entry: Entry) -> Sequence[Action]:
    return entry.actions if isinstance(entry, Message) else ()


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
