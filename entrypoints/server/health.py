"""Whether the server can do its work: itself, and each thing that it depends on."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from adapters.json_shapes import CamelStruct
from application.ports import Assistant, Bridge, SessionStore
from domain.identity import SessionId

logger = logging.getLogger(__name__)

Condition = Literal["ok", "degraded", "down", "none"]
"""How a dependency is; `none`: there is none to be ready."""
Overall = Literal["ok", "degraded", "down", "draining"]
Probe = Callable[[], Awaitable[Condition]]


class Ready(CamelStruct):
    """Whether the server can do its work, and how each thing is that it depends on."""

    status: Overall
    store: Condition
    assistant: Condition
    bridge: Condition


async def nothing_to_probe() -> Condition:
    """A dependency that cannot fail by itself."""
    return "ok"


async def nothing_there() -> Condition:
    """A dependency that was left out."""
    return "none"


def store_probe(store: SessionStore) -> Probe:
    """Asks the store for a session that cannot be."""

    async def probe() -> Condition:
        await store.load(SessionId("-"))
        return "ok"

    return probe


def assistant_probe(assistant: Assistant) -> Probe:
    """`down` while a model that answers has failed so often that it is left alone."""

    async def probe() -> Condition:
        return "down" if getattr(assistant, "is_away", False) else "ok"

    return probe


def bridge_probe(bridge: Bridge | None) -> Probe:
    """`degraded` while the bridge is away: what it must be told waits for it."""

    async def probe() -> Condition:
        return "ok" if bridge is not None and not bridge.is_away else "degraded"

    return probe if bridge is not None else nothing_there


@dataclass(slots=True, kw_only=True)
class Health:
    """How the server and its dependencies are."""

    store: Probe
    assistant: Probe = nothing_to_probe
    bridge: Probe = nothing_there
    draining: bool = False
    """Set once the server is to get no new work."""
    timeout_s: float = 2.0
    """How long a dependency may take to answer."""

    async def report(self) -> Ready:
        """Ask every dependency, all at once, for no longer than `timeout_s`."""
        store, assistant, bridge = await asyncio.gather(
            self._ask("store", self.store),
            self._ask("assistant", self.assistant),
            self._ask("bridge", self.bridge),
        )
        status = "draining" if self.draining else _worst(store, assistant, bridge)
        return Ready(status, store, assistant, bridge)

    async def _ask(self, name: str, probe: Probe) -> Condition:
        try:
            async with asyncio.timeout(self.timeout_s):
                return await probe()
        except Exception as error:  # whatever it is, the answer is the same
            extra = {"action": "probe_failed", "dependency": name}
            logger.warning("A dependency is down", extra=extra, exc_info=error)
            return "down"


def _worst(store: Condition, *others: Condition) -> Overall:
    """Without its store the server can do nothing; without the others, something."""
    if store == "down":
        return "down"
    return "ok" if {store, *others} <= {"ok", "none"} else "degraded"
