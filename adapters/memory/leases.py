"""Leases among the tasks of one process."""

from collections.abc import Callable

from application.ports import Leases

_FEW = 64


class MemoryLeases(Leases):
    """Keeps the names in memory; expired ones are removed before their number doubles."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._held: dict[str, tuple[str, float]] = {}
        self._most = _FEW

    async def claim(self, name: str, holder: str, ttl_s: float) -> bool:
        now = self._monotonic()
        known, until = self._held.get(name, (holder, now))
        if known != holder and now < until:
            return False
        self._held[name] = (holder, now + ttl_s)
        if len(self._held) > self._most:
            self._held = {each: held for each, held in self._held.items() if now < held[1]}
            self._most = max(_FEW, 2 * len(self._held))
        return True

    async def release(self, name: str, holder: str) -> None:
        if self._held.get(name, ("", 0.0))[0] == holder:
            del self._held[name]
