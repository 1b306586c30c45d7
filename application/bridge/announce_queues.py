"""The places of the waiting users, announced to them as the queue moves."""

from dataclasses import dataclass, field

from application.bridge.live_chats import LiveChats
from application.bridge.ports import QueuePosition
from domain.identity import BusinessId, Customer

PAUSE_S = 1.0
"""Between two announcements: whatever happens meanwhile is announced together."""
MAX_PLACES = 1_000
"""The places of one business that are announced; those behind them are not."""


@dataclass(slots=True, kw_only=True)
class AnnounceQueues:
    """Announces each place that has changed; run only one at a time."""

    chats: LiveChats
    _places: dict[BusinessId, dict[Customer, int]] = field(default_factory=dict)
    """The places as they were announced last."""

    async def run(self) -> float:
        """Wait until queues have changed, and announce them; return the pause before the next run.

        Raises: StorageUnavailable; what was not announced is, by the next run.
        """
        await self.chats.queue_changed.wait()
        self.chats.queue_changed.clear()
        for business_id in list(self.chats.changed_queues):
            newcomers = self.chats.changed_queues.pop(business_id)
            try:
                await self._announce(business_id, newcomers)
            except BaseException:
                self.chats.announce_queue(business_id, *newcomers)
                raise
        return PAUSE_S

    async def _announce(self, business_id: BusinessId, newcomers: set[Customer]) -> None:
        waiting, usual_wait_s = await self.chats.queue(business_id)
        places: dict[Customer, int] = {}
        for chat in waiting[:MAX_PLACES]:
            places.setdefault(chat.customer, len(places) + 1)
        announced = self._places.pop(business_id, {})
        for customer, place in places.items():
            if customer in newcomers or announced.get(customer) != place:
                self.chats.notify(QueuePosition(customer, place, usual_wait_s))
        if places:
            self._places[business_id] = places
