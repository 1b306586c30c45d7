"""What the AI sees of a conversation: its newest entries, and what the documents say."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from msgspec.structs import replace

from application.attendance import Attendance
from application.passages import passages_for
from application.policy import Policy
from application.ports import Clock, Knowledge, Observer
from domain.business import Business
from domain.errors import StorageUnavailable
from domain.knowledge import passage_tokens
from domain.message import Entry, Message, Summary
from domain.session import Session
from domain.summary import entries_after_summary, missing_entries, summary_budget
from domain.view import View

SOFT_BUDGET_VIEW_SHARE = 4
"""Past the soft budget a view is this many times smaller."""
MAX_PAGES, PAGE_ENTRIES = 2, 500
"""The most that is read for a view, where that has room for more than is at hand."""

ReadEarlier = Callable[[int, int], Awaitable[tuple[Entry, ...]]]
"""Reads the entries before a seq, at most as many. Raises: StorageUnavailable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """Makes the views of conversations."""

    attendance: Attendance
    clock: Clock
    observer: Observer
    policy: Policy
    knowledge: Knowledge | None = None
    """None: there is none of any business."""

    async def __call__(
        self,
        session: Session,
        recent: tuple[Entry, ...],
        summary: Summary | None,
        pending: tuple[Message, ...],
        business: Business | None,
        *,
        over_soft_budget: bool,
        read_earlier: ReadEarlier,
    ) -> View:
        """Return the view of a session; the rolling summary stands for the entries it covers.

        `recent`: the session's newest entries. `pending`: the messages to answer.
        """
        room = self._room(business, over_soft_budget)
        if business is not None and business.has_knowledge:
            # However much is found: a window that grew and shrank would begin anew each time.
            room -= passage_tokens(room)
        if summary is not None:
            room -= summary_budget(self.policy.view_tokens_of(business))
        for _ in range(MAX_PAGES):
            limit = missing_entries(session, recent, summary, max_tokens=room)
            if not (earlier := await _earlier(read_earlier, recent, limit)):
                break
            recent = (*earlier, *recent)
        return View(
            session=session,
            at=self.clock.now(),
            business=business,
            availability=self.attendance.by_hours(business, session.location_id),
            entries=entries_after_summary(
                session, recent, summary, max_tokens=room, pending=pending
            ),
            pending=pending,
            summary=summary.text if summary is not None else None,
            over_soft_budget=over_soft_budget,
        )

    async def with_passages(self, view: View) -> View:
        """Return the view with what the business's documents say about the pending messages."""
        if self.knowledge is None or not view.has_knowledge:
            return view
        most = passage_tokens(self._room(view.business, view.over_soft_budget))
        found = await passages_for(
            view, self.knowledge, max_tokens=most, clock=self.clock, observer=self.observer
        )
        return replace(view, passages=found)

    def _room(self, business: Business | None, over_soft_budget: bool) -> int:
        """Return the tokens of a view."""
        view_tokens = self.policy.view_tokens_of(business)
        return view_tokens // SOFT_BUDGET_VIEW_SHARE if over_soft_budget else view_tokens


async def _earlier(read: ReadEarlier, recent: tuple[Entry, ...], limit: int) -> tuple[Entry, ...]:
    """Read entries before `recent`; without the store there are none, and still an answer."""
    if limit == 0:
        return ()
    try:
        return await read(recent[0].seq, min(limit, PAGE_ENTRIES))
    except StorageUnavailable:
        return ()
