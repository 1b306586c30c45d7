"""Readiness: the health of the server and of each dependency."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Literal

from adapters.json_shapes import CamelStruct
from application.ports import HealthCheck, SessionStore

logger = logging.getLogger(__name__)

Condition = Literal["ok", "degraded", "down", "none"]
"""The state of a dependency; `none`: it is not configured."""
Overall = Literal["ok", "degraded", "down", "draining"]


class Ready(CamelStruct):
    """The readiness of the server, and the state of each dependency."""

    status: Overall
    store: Condition
    assistant: Condition
    bridge: Condition
    broker: Condition


@dataclass(slots=True, kw_only=True)
class Health:
    """The health of the server and its dependencies."""

    store: SessionStore
    assistant: HealthCheck
    bridge: HealthCheck | None
    """None: there is no bridge."""
    live_chats: HealthCheck | None = None
    """The bridge's socket, which may fail alone."""
    broker: HealthCheck | None = None
    """None: there is but one process."""
    draining: bool = False
    """Set when the server must get no more new work."""
    timeout_s: float = 2.0
    """The time in which the store must answer."""

    async def report(self) -> Ready:
        """Check each dependency, within `timeout_s`."""
        store = await self._check_store()
        assistant: Condition = "down" if self.assistant.is_away else "ok"
        bridge = self._check_bridge()
        broker = self._check_broker()
        status = "draining" if self.draining else _worst(store, assistant, bridge, broker)
        return Ready(status, store, assistant, bridge, broker)

    async def _check_store(self) -> Condition:
        """Return `down` where the store does not answer, or cannot write."""
        try:
            async with asyncio.timeout(self.timeout_s):
                await self.store.probe()
        except Exception as error:  # whatever the error, the store is down
            extra = {"action": "probe_failed", "dependency": "store"}
            logger.warning("A dependency is down", extra=extra, exc_info=error)
            return "down"
        return "ok"

    def _check_broker(self) -> Condition:
        """Return `degraded` while other processes are followed through the store alone."""
        if self.broker is None:
            return "none"
        return "degraded" if self.broker.is_away else "ok"

    def _check_bridge(self) -> Condition:
        """Return `degraded` while a part is away: what is for it waits in the outbox."""
        if self.bridge is None:
            return "none"
        is_away = self.bridge.is_away or (self.live_chats is not None and self.live_chats.is_away)
        return "degraded" if is_away else "ok"


def _worst(store: Condition, *others: Condition) -> Overall:
    """Return `down` without the store, and `degraded` without another dependency."""
    if store == "down":
        return "down"
    return "ok" if {store, *others} <= {"ok", "none"} else "degraded"
