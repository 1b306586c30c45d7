"""The lease of a customer's turn: of several processes that could run it, one does.

An economy: without it, the fence still lets one answer be stored, but two would have been paid for.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from application.ports import Clock, Leases, Timer
from domain.errors import LeasesUnavailable
from domain.identity import Customer

LEASE_S = 10.0
"""The time after which the turn of a process that has died can be taken over."""
RENEW_S = 3.0
"""The interval of the renewals."""


class TurnLease:
    """One process's lease of one customer's turn, renewed until it is released."""

    __slots__ = ("_clock", "_holder", "_is_over", "_leases", "_may_hold", "_name", "_on_lost",
                 "_renewing", "_timer")  # fmt: skip

    def __init__(
        self,
        leases: Leases,
        customer: Customer,
        holder: str,
        clock: Clock,
        on_lost: Callable[[], object],
    ) -> None:
        """`on_lost` is called once when another process is found to have it."""
        self._leases = leases
        self._name = f"turn:{customer.business_id}:{customer.user_id}"
        self._holder = holder
        self._clock = clock
        self._on_lost = on_lost
        self._timer: Timer | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._may_hold = False
        self._is_over = False

    async def claim(self) -> bool:
        """Return False if another process has it; True also where the leases do not answer."""
        self._may_hold = True  # from now on, even if this is cancelled
        with suppress(LeasesUnavailable):
            self._may_hold = await self._leases.claim(self._name, self._holder, LEASE_S)
        if self._may_hold and not self._is_over:
            self._timer = self._clock.call_later(RENEW_S, self._renew)
        return self._may_hold

    def _renew(self) -> None:
        self._renewing = asyncio.create_task(self._claim_again())

    async def _claim_again(self) -> None:
        if not await self.claim() and not self._is_over:
            self._on_lost()

    async def release(self) -> None:
        """Give it back, if it was claimed."""
        self._is_over = True
        if self._timer is not None:
            self._timer.cancel()
        if self._renewing is not None and not self._renewing.done():
            await asyncio.wait({self._renewing})  # or it would be claimed after the release
        if self._may_hold:
            with suppress(LeasesUnavailable):  # then it ends by itself
                await self._leases.release(self._name, self._holder)
