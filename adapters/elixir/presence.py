"""Who is present at the bridge: `GET /api/business/{id}/presence`, where that is announced."""

import asyncio
from contextlib import suppress
from typing import Any

from adapters.elixir.additions import Additions, business_path
from adapters.elixir.http import ElixirHttp
from application.bounded_cache import BoundedCache
from application.ports import Clock, Presence
from domain.errors import Failure
from domain.identity import BusinessId

PRESENCE_TTL_S = 5.0
LONGEST_WAIT_S = 1.0
"""The time after which nothing is known: somebody waits for it."""
MAX_PRESENCES = 1_000
"""Businesses whose answers are remembered; the least recently used is dropped first."""


class ElixirPresence(Presence):
    """Asks the bridge; what it answers counts for a while, also that it does not."""

    def __init__(self, http: ElixirHttp | None, additions: Additions, clock: Clock) -> None:
        """`http`: None, where nobody can be asked."""
        self._http = http
        self._additions = additions
        self._clock = clock
        self._known: BoundedCache[BusinessId, tuple[int | None, float]] = BoundedCache(
            MAX_PRESENCES, MAX_PRESENCES
        )
        """The answer, and until when it counts, by the monotonic clock."""
        self._requests: dict[BusinessId, asyncio.Task[int | None]] = {}

    async def online(self, business_id: BusinessId) -> int | None:
        if self._http is None or not self._additions.include(business_id, "presence"):
            return None
        known = self._known.get(business_id)
        if known is not None and known[1] > self._clock.monotonic():
            return known[0]
        if (request := self._requests.get(business_id)) is None:
            request = asyncio.create_task(self._ask(self._http, business_id))
            self._requests[business_id] = request
            request.add_done_callback(lambda _: self._requests.pop(business_id))
        # Shared by all who wait: it goes on when the first of them is cancelled.
        return await asyncio.shield(request)

    async def _ask(self, http: ElixirHttp, business_id: BusinessId) -> int | None:
        found = None
        with suppress(Failure, TimeoutError):
            async with asyncio.timeout(LONGEST_WAIT_S):
                found = online_in(await http.get(f"{business_path(business_id)}/presence"))
        self._known.put(business_id, (found, self._clock.monotonic() + PRESENCE_TTL_S), 1)
        return found


def online_in(found: Any) -> int | None:
    """Read the number of coordinators in `{online}`, or in its `data`; None: it is none."""
    if not isinstance(found, dict):
        return None
    online = found.get("online")
    if online is None:
        return online_in(found.get("data"))
    return online if type(online) is int and online >= 0 else None
