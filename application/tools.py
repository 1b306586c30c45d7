"""The tools of a turn: what the AI may look up or ask for, for its customer and nobody else."""

from collections.abc import Awaitable
from typing import TypeVar

from application.policy import Policy
from application.ports import Businesses, Toolbox
from domain.business import Business, Reservation
from domain.errors import AssistantFailed
from domain.identity import Customer
from domain.message import Action, ToolOutcome, ToolUse

T = TypeVar("T")


class TurnTools(Toolbox):
    """The tools of one turn, bound to its customer.

    What they found becomes the answer's actions, and what became of each call its `tools`. A call
    that failed found nothing out: no action speaks of it.
    """

    __slots__ = ("_businesses", "_customer", "_left", "actions", "transfer", "uses")

    def __init__(self, businesses: Businesses, customer: Customer, policy: Policy) -> None:
        self._businesses = businesses
        self._customer = customer
        self._left = policy.turn_max_tool_calls
        self.actions: list[Action] = []
        self.uses: list[ToolUse] = []
        self.transfer: str | None = None

    async def get_business(self) -> Business | None:
        self._count()
        asked = self._businesses.business(self._customer.business_id)
        business = await self._used("get_business", asked)
        if business is not None:
            info = {"type": "business_info", "name": business.name, "facts": dict(business.facts)}
            self._show(info)
        return business

    async def get_reservations(self) -> tuple[Reservation, ...]:
        self._count()
        asked = self._businesses.reservations(self._customer)
        found = await self._used("get_reservations", asked)
        items = [_reservation_item(reservation) for reservation in found]
        self._show({"type": "reservations", "items": items})
        return found

    async def transfer_to_live_chat(self, reason: str, summary: str) -> None:
        self._count()
        self.transfer = summary or reason
        self._note("transfer_to_live_chat", ToolOutcome.DONE)

    async def _used(self, name: str, asked: Awaitable[T]) -> T:
        """What the tool has found, with its outcome noted."""
        try:
            found = await asked
        except Exception:
            self._note(name, ToolOutcome.FAILED)
            raise
        self._note(name, ToolOutcome.FOUND if found else ToolOutcome.NOTHING)
        return found

    def _show(self, action: Action) -> None:
        """Of each type the newest: a model may ask the same again and again."""
        others = [each for each in self.actions if each["type"] != action["type"]]
        self.actions = [*others, action]

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise AssistantFailed("the turn has used up its tool calls")

    def _note(self, name: str, outcome: ToolOutcome) -> None:
        self.uses.append(ToolUse(name=name, outcome=outcome))


def _reservation_item(reservation: Reservation) -> dict[str, object]:
    return {
        "reservationId": reservation.reservation_id,
        "date": reservation.date,
        "time": reservation.time,
        "guests": reservation.guests,
        "name": reservation.name,
    }
