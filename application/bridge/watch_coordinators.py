"""Chats whose coordinator has left the desk go back to the queue."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from application.bridge.live_chats import COORDINATOR_AWAY, LiveChats
from application.bridge.ports import Listing
from domain.bridge.live_chat import CoordinatorCommand
from domain.errors import Refusal
from domain.identity import BusinessId, CoordinatorId

MAX_PAUSE_S = 5.0
"""The longest time between two looks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchCoordinators:
    """Requeues what a coordinator got at the desk who has been away for `away_after_s` since."""

    chats: LiveChats
    absence_s: Callable[[BusinessId, CoordinatorId], float]
    """Return for how long a coordinator has not been there, as far as it is known; 0: is there."""
    away_after_s: int
    """0: nothing goes back."""

    async def run(self) -> float:
        """Requeue what is due; return the pause before the next run. Raises: StorageUnavailable."""
        requeue, reason = CoordinatorCommand.REQUEUE, COORDINATOR_AWAY
        for chat in await self.chats.store.chats(Listing.WATCHED):
            if (by := chat.coordinator_id) is None:
                continue
            is_away = partial(self._is_away, chat.customer.business_id, by)
            if is_away():
                with suppress(Refusal):  # it has changed hands meanwhile
                    await self.chats.execute(
                        chat.session_id, requeue, by, reason=reason, still=is_away
                    )
        return min(MAX_PAUSE_S, self.away_after_s / 4)

    def _is_away(self, business_id: BusinessId, by: CoordinatorId) -> bool:
        return self.absence_s(business_id, by) >= self.away_after_s
