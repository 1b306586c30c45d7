"""The tools of one turn: what the AI may look up or request, for its customer alone."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from application.policy import Policy
from application.ports import Businesses, Handoff, HandoffOutcome, Knowledge, Toolbox
from domain.business import Business, Reservation
from domain.errors import AssistantFailed, KnowledgeUnavailable
from domain.identity import Customer
from domain.knowledge import MAX_QUERY, MAX_RECORDED_QUERY, SEARCH, Finding
from domain.message import Action, ToolOutcome, ToolUse
from domain.plain_text import note_text

T = TypeVar("T")


class TurnTools(Toolbox):
    """The tools of one turn, bound to its customer.

    Results become the answer's actions, and the outcome of each call its `tools`. A call that
    failed has no result, and so no action.
    """

    __slots__ = ("_ask_for_human", "_businesses", "_calls_left", "_customer", "_knowledge",
                 "actions", "handoff", "searches", "transfer", "uses")  # fmt: skip

    def __init__(
        self,
        businesses: Businesses,
        knowledge: Knowledge | None,
        customer: Customer,
        policy: Policy,
        ask_for_human: Callable[[], Awaitable[Handoff]],
    ) -> None:
        """`ask_for_human` returns what comes of a request for a human in this turn."""
        self._ask_for_human = ask_for_human
        self._businesses = businesses
        self._knowledge = knowledge
        self._customer = customer
        self._calls_left = policy.turn_max_tool_calls
        self.actions: list[Action] = []
        self.searches: list[tuple[Finding, ...]] = []
        """What each search has found."""
        self.uses: list[ToolUse] = []
        self.transfer: str | None = None
        """The note for the coordinator, once a human is requested."""
        self.handoff: Handoff | None = None
        """The outcome of the request for a human, the same for all in a turn; None: there was
        none."""

    async def get_business(self) -> Business | None:
        self._count()
        business = await self._record(
            "get_business", self._businesses.business(self._customer.business_id)
        )
        if business is not None:
            info = {"type": "business_info", "name": business.name, "facts": dict(business.facts)}
            self._add_action(info)
        return business

    async def get_reservations(self) -> tuple[Reservation, ...]:
        self._count()
        found = await self._record(
            "get_reservations", self._businesses.reservations(self._customer)
        )
        items = [_reservation_item(reservation) for reservation in found]
        self._add_action({"type": "reservations", "items": items})
        return found

    async def search_knowledge(self, query: str) -> tuple[Finding, ...]:
        self._count()
        query = (note_text(query) or "")[:MAX_QUERY]
        found = await self._record(SEARCH, self._search(query), query[:MAX_RECORDED_QUERY])
        self.searches.append(found)
        return found

    async def _search(self, query: str) -> tuple[Finding, ...]:
        if self._knowledge is None:
            raise KnowledgeUnavailable
        return await self._knowledge.search(self._customer.business_id, query) if query else ()

    async def transfer_to_live_chat(self, reason: str, summary: str) -> Handoff:
        self._count()
        if self.handoff is None:
            self.handoff = await self._ask_for_human()
        is_requested = self.handoff.outcome is HandoffOutcome.REQUESTED
        if is_requested:
            self.transfer = note_text(summary) or note_text(reason) or ""
        outcome = ToolOutcome.DONE if is_requested else ToolOutcome.NOTHING
        self._record_outcome("transfer_to_live_chat", outcome)
        return self.handoff

    @property
    def has_words(self) -> bool:
        """True if there is something to tell the user, also where the AI has written nothing."""
        asked = self.handoff.outcome if self.handoff is not None else None
        return asked in (HandoffOutcome.REQUESTED, HandoffOutcome.NOBODY_THERE)

    @property
    def has_changed_anything(self) -> bool:
        """True if a tool has done something, other than to ask for a human."""
        return any(
            use.outcome is ToolOutcome.DONE and use.name != "transfer_to_live_chat"
            for use in self.uses
        )

    async def _record(self, name: str, lookup: Awaitable[T], query: str | None = None) -> T:
        """Await the lookup and record its outcome."""
        try:
            found = await lookup
        except Exception:
            self._record_outcome(name, ToolOutcome.FAILED, query)
            raise
        self._record_outcome(name, ToolOutcome.FOUND if found else ToolOutcome.NOTHING, query)
        return found

    def _add_action(self, action: Action) -> None:
        """Keep the newest action of each type: a model may repeat a call any number of times."""
        others = [each for each in self.actions if each["type"] != action["type"]]
        self.actions = [*others, action]

    def _count(self) -> None:
        self._calls_left -= 1
        if self._calls_left < 0:
            raise AssistantFailed("the turn has used up its tool calls")

    def _record_outcome(self, name: str, outcome: ToolOutcome, query: str | None = None) -> None:
        self.uses.append(ToolUse(name=name, outcome=outcome, query=query))


def _reservation_item(reservation: Reservation) -> dict[str, object]:
    return {
        "reservationId": reservation.reservation_id,
        "date": reservation.date,
        "time": reservation.time,
        "guests": reservation.guests,
        "name": reservation.name,
    }
