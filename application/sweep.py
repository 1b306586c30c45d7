"""What time alone brings about: unanswered turns, expired transfers, idle sessions."""

from dataclasses import dataclass

from application.ports import Clock, SessionStore
from application.transfers import Transfers
from application.turns import Turns

BATCH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Look after every session that is due. Safe to run in many processes at once."""

    store: SessionStore
    transfers: Transfers
    turns: Turns
    clock: Clock

    async def __call__(self) -> int:
        """One pass over what is due now, at most BATCH sessions; how many there were.

        Raises: StorageUnavailable.
        """
        due = await self.store.due(self.clock.now(), BATCH)
        for session in due:
            if session.unanswered:
                # The warm copy may be older than what another process has written since.
                await self.turns.conversations.reload(session.customer)
                self.turns.wake(session.customer)
            else:
                await self.transfers.fall_due(session)
        return len(due)
