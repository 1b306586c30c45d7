"""The time limit of every request for a lease."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from domain.errors import LeasesUnavailable

LEASE_DEADLINE_S = 0.4
"""The time after which a claim is given up: a turn that waits for it is late by no more."""


@asynccontextmanager
async def lease_deadline(*failures: type[Exception]) -> AsyncIterator[None]:
    """Raise LeasesUnavailable for these failures of the block, and when it takes too long."""
    try:
        async with asyncio.timeout(LEASE_DEADLINE_S):
            yield
    except TimeoutError as error:
        raise LeasesUnavailable(f"no answer in {LEASE_DEADLINE_S:g} s") from error
    except failures as error:
        raise LeasesUnavailable(str(error)) from error
