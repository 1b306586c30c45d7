"""Usage and outcomes of businesses by day: counted in memory, and written every few seconds.

Several processes count for one business. Each adds what it has counted to the store. A process that
dies loses what it has not written yet.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from application.ports import Clock, CountStore
from domain.errors import Failure
from domain.identity import BusinessId
from domain.usage import Counts

FLUSH_EVERY_S = 5.0
MAX_TOTAL_AGE_S = 5.0
"""Maximum age of cached totals from other processes."""
MAX_CACHED_DAYS = 10_000
"""The days of businesses that are cached; the least recently used is evicted, once it is written.
"""


class _Day:
    """The counts of one business on one day."""

    __slots__ = ("counted", "lock", "read_at", "written")

    def __init__(self) -> None:
        self.counted = Counter[str]()
        """What this process has counted that is not yet in the store."""
        self.written = Counter[str]()
        """What is in the store, as far as known; only where it is asked for."""
        self.read_at: float | None = None
        self.lock = asyncio.Lock()
        """Serialises reads and writes, so that nothing is counted twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCounts:
    """Counts what happens to the businesses that this process works for."""

    count_store: CountStore
    clock: Clock
    _days: dict[tuple[BusinessId, date], _Day] = field(default_factory=dict)

    def add(self, business_id: BusinessId, day: date, counts: Counts) -> None:
        """Add to a day's counts; written within FLUSH_EVERY_S."""
        self._day(business_id, day).counted.update(counts)

    async def total(self, business_id: BusinessId, day: date, names: Iterable[str]) -> int:
        """Return the sum of some counts of a day, of all processes: MAX_TOTAL_AGE_S old at most.

        Where the store is away, it is of what is known of it.
        """
        counts = self._day(business_id, day)
        await self._refresh(business_id, day, counts)
        return sum(counts.written[name] + counts.counted[name] for name in names)

    async def flush(self, of: BusinessId | None = None) -> None:
        """Write what was counted, of one business or (None) of all.

        Raises: StorageUnavailable; what was not written is written next time.
        """
        for (business_id, day), counts in list(self._days.items()):
            if of not in (None, business_id):
                continue
            if counts.counted:
                async with counts.lock:
                    await self._write(business_id, day, counts)
            elif day != self.clock.now().date() and not counts.lock.locked():
                self._days.pop((business_id, day), None)

    async def by_day(self, business_id: BusinessId, first: date, last: date) -> dict[date, Counts]:
        """Return the business's counts of each day, with what this process has not written yet.

        Raises: StorageUnavailable.
        """
        await self.flush(business_id)
        return await self.count_store.counts(business_id, first, last)

    async def _write(self, business_id: BusinessId, day: date, counts: _Day) -> None:
        counted, counts.counted = counts.counted, Counter()
        if not counted:
            return
        try:
            await self.count_store.add(business_id, day, counted)
        except BaseException:
            counts.counted.update(counted)
            raise
        if counts.read_at is not None:
            counts.written.update(counted)

    async def _refresh(self, business_id: BusinessId, day: date, counts: _Day) -> None:
        """Read the counts of all processes, unless the cached ones are fresh enough."""
        async with counts.lock:
            now = self.clock.monotonic()
            if counts.read_at is not None and now - counts.read_at < MAX_TOTAL_AGE_S:
                return
            counts.read_at = now
            try:
                stored = await self.count_store.counts(business_id, day, day)
            except Failure:
                return  # the store is away: an answer could not be stored either
            counts.written = Counter(stored.get(day, {}))

    def _day(self, business_id: BusinessId, day: date) -> _Day:
        key = business_id, day
        counts = self._days.pop(key, None) or _Day()
        self._days[key] = counts  # at the end: the dict is in the order of use
        if len(self._days) > MAX_CACHED_DAYS:
            self._evict_one()
        return counts

    def _evict_one(self) -> None:
        for key, counts in self._days.items():
            if not counts.counted and not counts.lock.locked():
                del self._days[key]
                return
