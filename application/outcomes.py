"""The outcomes of a business's conversations: counted as they are stored, and reported by day."""

from asyncio import CancelledError
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from application.day_counts import DayCounts
from application.ports import Archive, SessionStore
from domain.errors import Failure
from domain.identity import BusinessId, Customer, SessionId
from domain.message import Entry
from domain.outcomes import REOPENED_WITHIN, SOLVED, has_needed_human, outcomes_of
from domain.session import Draft, Session
from domain.status import Reason, Status
from domain.usage import Counts

MAX_TO_CHECK = 10_000
"""The sessions that wait to be checked; more, while the store is away, are not checked."""
_PAGE = 10


class _NeedsHuman(NamedTuple):
    """A session in which a human is needed for the first time: earlier ones may not be solved."""

    customer: Customer
    session_id: SessionId
    opened_at: datetime
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeCounter:
    """Counts what each append changes.

    An append is counted once, by the process that made it. That a solved conversation was none
    after all is found out later, beside `DayCounts.flush`, from the customer's earlier sessions.
    """

    day_counts: DayCounts
    store: SessionStore
    archive: Archive
    _to_check: list[_NeedsHuman] = field(default_factory=list)

    def count(self, before: Session | None, recent: Sequence[Entry], draft: Draft) -> None:
        """Count a draft that was just stored.

        `before`: the customer's newest session before it, and `recent` its newest entries.
        """
        needs_human = False
        session = draft.session
        for count in outcomes_of(before, recent, draft):
            self.day_counts.add(session.customer.business_id, count.day, {count.name: count.by})
            needs_human = needs_human or count.is_handoff
        if not needs_human or len(self._to_check) >= MAX_TO_CHECK:
            return
        is_same = before is not None and before.session_id == session.session_id
        if before is None or not is_same or not has_needed_human(before):
            at = draft.entries[-1].at
            self._to_check.append(
                _NeedsHuman(session.customer, session.session_id, session.opened_at, at)
            )

    async def count_reopened(self) -> None:
        """Take back that sessions were solved whose customers have needed a human since.

        Each is taken back once: by the first session after it that needs one. A session needs one
        for the first time in one append, and the search for earlier ones ends at any that did.
        Raises: StorageUnavailable; what was not checked is checked next time.
        """
        while self._to_check:
            needing = self._to_check.pop()
            try:
                days = await self._ended_before(needing)
            except (Failure, CancelledError):
                self._to_check.append(needing)
                raise
            for day in days:
                self.day_counts.add(needing.customer.business_id, day, {SOLVED: -1})

    async def by_day(self, business_id: BusinessId, first: date, last: date) -> dict[date, Counts]:
        """Return the business's counts of each day, with what this process has not written yet.

        Raises: StorageUnavailable.
        """
        await self.count_reopened()
        return await self.day_counts.by_day(business_id, first, last)

    async def _ended_before(self, needing: _NeedsHuman) -> list[date]:
        """Return the days on which earlier sessions ended, up to one that needed a human too."""
        days: list[date] = []
        cursor: str | None = None
        while True:
            page = await self.archive.list_sessions(
                customer=needing.customer, limit=_PAGE, cursor=cursor
            )
            for session in page.sessions:
                is_later = session.opened_at > needing.opened_at
                if is_later or session.session_id == needing.session_id:
                    continue
                if session.owner_since < needing.at - REOPENED_WITHIN:
                    return days
                if await self._needed_human(session):
                    return days
                if session.status is Status.CLOSED and session.reason is not Reason.SIGNED_IN:
                    days.append(session.owner_since.date())
            if (cursor := page.cursor) is None:
                return days

    async def _needed_human(self, session: Session) -> bool:
        if has_needed_human(session):
            return True
        loaded = await self.store.load(session.session_id)
        return loaded is not None and has_needed_human(loaded.session, loaded.recent)
