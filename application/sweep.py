"""The sweep: what is due by time alone, which are lost turns, expired transfers, idle sessions.

It also deletes what has expired.
"""

from dataclasses import dataclass

from application.ports import Clock, SessionStore
from application.session_log import SessionLog
from application.transfers import Transfers
from application.turns import Turns
from application.write_calls import WriteCalls
from domain.errors import StorageUnavailable
from domain.session import Session
from domain.write_decisions import overdue_calls

BATCH = 100
"""The number of sessions in one pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Looks after every session that is due. Safe to run in many processes at once."""

    store: SessionStore
    session_log: SessionLog
    transfers: Transfers
    turns: Turns
    clock: Clock
    write_calls: WriteCalls | None = None
    """None: no business has tools of its own."""

    async def __call__(self) -> int:
        """Make one pass over what is due now, and return how many sessions it moved on.

        A session stays due while its turn is running: that is no reason to look again at once. One
        that cannot be moved on does not hold up the others. Raises: StorageUnavailable, at once;
        any other error of a session after the pass.
        """
        await self.store.prune()
        moved_on, failures = 0, []
        for session in await self.store.due(self.clock.now(), BATCH):
            try:
                moved_on += await self._look_after(session)
            except StorageUnavailable:
                raise
            except Exception as error:
                failures.append(error)
        if failures:
            raise failures[0]
        return moved_on

    async def _look_after(self, session: Session) -> bool:
        customer = session.customer
        if not session.needs_answer:
            if self.write_calls is not None and overdue_calls(session, self.clock.now()):
                await self.write_calls.settle_overdue(session)
                return True
            current = await self.transfers.expire(session)
            return current is None or current.epoch != session.epoch
        if self.turns.is_busy(customer):
            return False
        # The cached copy may be older than what another process has written since.
        await self.session_log.reload(customer)
        self.turns.wake(customer)
        return True
