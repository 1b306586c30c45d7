"""A page of a conversation's log, for a client or an operator."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
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
MORE_ENTRIES = 200
"""The entries that are read at once where a customer may not see many of them."""
MAX_READS = 10
"""The most reads for a page; one that would need more is shorter, but never empty."""
MAX_PAGE_BYTES = 256 * 1024
"""The most bytes of a page in JSON, unless one entry alone is larger."""
_ENTRY_BYTES = 300  # of its ids, author and time, about
_MAX_CHARACTER_BYTES = 6  # of a character in JSON: \u001f


class HistoryPage(NamedTuple):
    """Entries of a log, oldest first."""

    entries: tuple[Entry, ...]
    more: bool
    """True if the requested range goes on, in the direction in which it was read."""


def first_page(entries: tuple[Entry, ...], last_seq: int) -> HistoryPage:
    """Return the first of `entries` as a page, of a range that goes on to `last_seq`.

    It ends early at MAX_PAGE_BYTES.
    """
    if not entries:
        return HistoryPage((), more=False)
    kept = entries[: _fitting(entries)]
    return HistoryPage(kept, more=kept[-1].seq < last_seq)


def last_page(
    entries: tuple[Entry, ...], after: int, prev_seq: Callable[[Entry], int]
) -> HistoryPage:
    """Return the last of `entries` as a page, of a range that begins after the seq `after`.

    `prev_seq` returns the seq of the entry before one. It begins late at MAX_PAGE_BYTES.
    """
    if not entries:
        return HistoryPage((), more=False)
    kept = entries[-_fitting(entries[::-1]) :]
    return HistoryPage(kept, more=prev_seq(kept[0]) > after)


def _fitting(entries: tuple[Entry, ...]) -> int:
    """Return the number of entries from the first that fit a page; at least one."""
    characters = sum(len(entry.text) for entry in entries)
    if characters * _MAX_CHARACTER_BYTES < MAX_PAGE_BYTES // 2 and not any(map(_actions, entries)):
        return len(entries)
    size = 0
    for number, entry in enumerate(entries):
        size += _ENTRY_BYTES + len(msgspec.json.encode((entry.text, _actions(entry))))
        if size > MAX_PAGE_BYTES:
            return max(1, number)
    return len(entries)


def _actions(entry: Entry) -> Sequence[Action]:
    return entry.actions if isinstance(entry, Message) else ()


async def customer_page_after(
    store: SessionStore, session: Session, after: int, limit: int = PAGE
) -> HistoryPage:
    """Read the first entries after a seq that the customer may see, up to the session's newest.

    Raises: StorageUnavailable.
    """
    found: list[Entry] = []
    size, last_seq, position = limit, session.customer_seq, after
    for number in count(1):
        if position >= last_seq:
            break
        page = await store.page(session.session_id, after=position, limit=size)
        found += [each for each in page if each.is_for_customer and each.seq <= last_seq]
        if not page or len(found) >= limit or (found and number >= MAX_READS):
            break
        size, position = MORE_ENTRIES, page[-1].seq
    return first_page(tuple(found[:limit]), last_seq)


async def customer_page_before(
    store: SessionStore, session: Session, before: int, limit: int = PAGE, *, after: int = 0
) -> HistoryPage:
    """Read the last entries with after < seq < before that the customer may see.

    Raises: StorageUnavailable.
    """
    found: list[Entry] = []
    size, end = limit, min(before, session.customer_seq + 1)
    for number in count(1):
        if end <= after + 1:
            break
        page = await store.page(session.session_id, after=after, before=end, limit=size)
        found = [each for each in page if each.is_for_customer] + found
        if not page or len(found) >= limit or (found and number >= MAX_READS):
            break
        size, end = MORE_ENTRIES, page[0].prev_seq + 1
    return last_page(tuple(found[-limit:]), after, _prev_seq)


def _prev_seq(entry: Entry) -> int:
    return entry.prev_seq


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadHistory:
    """Reads pages of sessions; a customer sees their own alone, and of these what they may see."""

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
            cached = await self.session_log.reload(customer)
            if cached is None:
                return HistoryPage((), more=False)
            session = cached.session
        else:
            session = (await load_session(self.store, session_id)).session
            if session.customer != customer:
                raise UnknownSession
        if before is not None or after is None:
            before = before if before is not None else session.seq + 1
            return await customer_page_before(self.store, session, before, limit, after=after or 0)
        return await customer_page_after(self.store, session, after, limit)

    async def of(
        self, session: Session, *, after: int = 0, before: int | None = None, limit: int
    ) -> HistoryPage:
        """Read a page of any session, with all entries. Raises: StorageUnavailable."""
        entries = await self.store.page(session.session_id, after=after, before=before, limit=limit)
        if before is None:
            return first_page(entries, session.seq)
        return last_page(entries, after, lambda entry: entry.seq - 1)
