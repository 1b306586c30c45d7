"""Chats whose coordinator has left the desk go back to the queue."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from application.bridge.live_chats import COORDINATOR_AWAY, LiveChats
from domain.bridge.live_chat import CoordinatorCommand, LiveChat
from domain.errors import Refusal
from domain.identity import BusinessId, CoordinatorId

MAX_PAUSE_S = 5.0
"""The longest time between two looks."""

logger = logging.getLogger(__name__)


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
        for chat in await self.chats.store.watched_chats():
            by = chat.coordinator_id
            if by is not None and self._is_away(chat, by):
                await self._requeue(chat, by)
        return min(MAX_PAUSE_S, self.away_after_s / 4)

    def _is_away(self, chat: LiveChat, by: CoordinatorId) -> bool:
        return self.absence_s(chat.customer.business_id, by) >= self.away_after_s

    async def _requeue(self, chat: LiveChat, by: CoordinatorId) -> None:
        ids = {"session_id": chat.session_id, "coordinator_id": by}
        requeue, reason = CoordinatorCommand.REQUEUE, COORDINATOR_AWAY
        try:
            await self.chats.execute(chat.session_id, requeue, by, reason=reason)
        except Refusal:  # it has changed hands meanwhile
            return
        logger.info("A coordinator is away", extra={"action": reason, **ids})
