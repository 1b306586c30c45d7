"""Leases among the tasks of one process."""

from collections.abc import Callable

from application.ports import Leases


class MemoryLeases(Leases):
    """Keeps the names in memory."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._holders: dict[str, tuple[str, float]] = {}

    async def claim(self, name: str, holder: str, ttl_s: float) -> bool:
        now = self._monotonic()
        known, until = self._holders.get(name, (holder, now))
        if known != holder and now < until:
            return False
        self._holders[name] = (holder, now + ttl_s)
        return True

    async def release(self, name: str, holder: str) -> None:
        if self._holders.get(name, ("", 0.0))[0] == holder:
            del self._holders[name]
