"""What time alone brings about: unanswered turns, expired transfers, idle sessions."""

from dataclasses import dataclass

from application.ports import Clock, SessionStore
from application.transfers import Transfers
from application.turns import Turns
from domain.session import Session

BATCH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Look after every session that is due. Safe to run in many processes at once."""

    store: SessionStore
    transfers: Transfers
    turns: Turns
    clock: Clock

    async def __call__(self) -> int:
        """One pass over what is due now, at most BATCH sessions; how many of them it moved on.

        A session stays due while its turn is under way: that is no reason to look again at once.
        Raises: StorageUnavailable.
        """
        due = await self.store.due(self.clock.now(), BATCH)
        return sum([await self._look_after(session) for session in due])

    async def _look_after(self, session: Session) -> bool:
        customer = session.customer
        if not session.needs_answer:
            current = await self.transfers.fall_due(session)
            return current is None or current.epoch != session.epoch
        if self.turns.is_busy(customer):
            return False
        # The warm copy may be older than what another process has written since.
        await self.turns.conversations.reload(customer)
        self.turns.wake(customer)
        return True
