"""Token usage by business and day: counted in memory, written every few seconds, held to budgets.

Several processes count for one business. Each adds what it has counted to the usage store and,
where there is a budget, reads the total of all of them from there.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import date
from enum import Enum, auto

from application.policy import Policy
from application.ports import Clock, Observer, UsageStore
from domain.business import Business
from domain.errors import Failure
from domain.identity import BusinessId
from domain.usage import Usage, together

FLUSH_EVERY_S = 5.0
MAX_TOTAL_AGE_S = 5.0
"""Maximum age of cached totals from other processes."""
MAX_CACHED_BUSINESSES = 10_000
"""Businesses whose usage is cached; the least recently used is evicted, once it is written."""


class BudgetLevel(Enum):
    """A business's usage today in relation to its budgets."""

    WITHIN = auto()
    OVER_SOFT = auto()
    """The AI answers with the cheaper model and a smaller view."""
    OVER_HARD = auto()
    """The AI is not asked."""


class _DayUsage:
    """The usage of one business on one day."""

    __slots__ = ("counted", "day", "lock", "read_at", "written")

    def __init__(self, day: date) -> None:
        self.day = day
        self.counted: Usage | None = None
        """Usage of this process that is not yet in the store."""
        self.written = 0
        """Tokens in the store, as far as known."""
        self.read_at: float | None = None
        self.lock = asyncio.Lock()
        """Serialises reads and writes, so that nothing is counted twice."""

    @property
    def tokens(self) -> int:
        return self.written + (self.counted.tokens if self.counted is not None else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageTracker:
    """Counts the usage of the businesses that this process works for."""

    usage_store: UsageStore
    observer: Observer
    clock: Clock
    policy: Policy
    _days: dict[tuple[BusinessId, date], _DayUsage] = field(default_factory=dict)

    def add(self, business_id: BusinessId, purpose: str, usage: Usage) -> None:
        """Count the usage for a purpose (`Observer.tokens_spent`); written within FLUSH_EVERY_S."""
        self.observer.tokens_spent(purpose, usage)
        day_usage = self._usage_of(business_id)
        day_usage.counted = together(day_usage.counted, usage)

    async def level(self, business_id: BusinessId, business: Business | None = None) -> BudgetLevel:
        """Return the business's level now; `business`: its own budgets, where it is known."""
        soft, hard = self.policy.budgets_of(business)
        if not soft and not hard:
            return BudgetLevel.WITHIN
        day_usage = self._usage_of(business_id)
        await self._refresh(business_id, day_usage)
        if hard and day_usage.tokens >= hard:
            return BudgetLevel.OVER_HARD
        if soft and day_usage.tokens >= soft:
            return BudgetLevel.OVER_SOFT
        return BudgetLevel.WITHIN

    async def flush(self, of: BusinessId | None = None) -> None:
        """Write what was counted, of one business or (None) of all.

        Raises: StorageUnavailable; what was not written is written next time.
        """
        for (business_id, day), day_usage in list(self._days.items()):
            if of not in (None, business_id):
                continue
            if day_usage.counted is not None:
                async with day_usage.lock:
                    await self._write(business_id, day_usage)
            elif day != self._today():
                self._days.pop((business_id, day), None)

    async def by_day(self, business_id: BusinessId, first: date, last: date) -> dict[date, Usage]:
        """Return the business's usage on each day, with what this process has not written yet.

        Raises: StorageUnavailable.
        """
        await self.flush(business_id)
        return await self.usage_store.spent(business_id, first, last)

    async def _write(self, business_id: BusinessId, day_usage: _DayUsage) -> None:
        usage, day_usage.counted = day_usage.counted, None
        if usage is None:
            return
        try:
            await self.usage_store.add(business_id, day_usage.day, usage)
        except BaseException:
            day_usage.counted = together(usage, day_usage.counted)
            raise
        day_usage.written += usage.tokens

    async def _refresh(self, business_id: BusinessId, day_usage: _DayUsage) -> None:
        """Read the total of all processes, unless the cached one is fresh enough."""
        async with day_usage.lock:
            now = self.clock.monotonic()
            if day_usage.read_at is not None and now - day_usage.read_at < MAX_TOTAL_AGE_S:
                return
            day_usage.read_at = now
            try:
                spent = await self.usage_store.spent(business_id, day_usage.day, day_usage.day)
            except Failure:
                return  # the store is away: an answer could not be stored either
            usage = spent.get(day_usage.day)
            day_usage.written = usage.tokens if usage is not None else 0

    def _usage_of(self, business_id: BusinessId) -> _DayUsage:
        key = (business_id, self._today())
        day_usage = self._days.pop(key, None) or _DayUsage(key[1])
        self._days[key] = day_usage  # at the end: the dict is in the order of use
        if len(self._days) > MAX_CACHED_BUSINESSES:
            self._evict_one()
        return day_usage

    def _evict_one(self) -> None:
        for key, day_usage in self._days.items():
            if day_usage.counted is None:
                del self._days[key]
                return

    def _today(self) -> date:
        return self.clock.now().date()
