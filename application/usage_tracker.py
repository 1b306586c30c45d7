"""Token usage of businesses: counted, and held to the budgets of the day (UTC)."""

from dataclasses import dataclass
from datetime import date
from enum import Enum, auto

from application.day_counts import DayCounts
from application.policy import Policy
from application.ports import Clock, Observer
from domain.business import Business
from domain.identity import BusinessId
from domain.usage import INPUT_TOKENS, OUTPUT_TOKENS, Usage, usage_in


class BudgetLevel(Enum):
    """A business's usage today in relation to its budgets."""

    WITHIN = auto()
    OVER_SOFT = auto()
    """The AI answers with the cheaper model and a smaller view."""
    OVER_HARD = auto()
    """The AI is not asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageTracker:
    """Counts the usage of the businesses that this process works for."""

    day_counts: DayCounts
    observer: Observer
    clock: Clock
    policy: Policy

    def add(self, business_id: BusinessId, purpose: str, usage: Usage) -> None:
        """Count the usage for a purpose (`Observer.tokens_spent`)."""
        self.observer.tokens_spent(purpose, usage)
        self.day_counts.add(business_id, self.clock.now().date(), usage.counts)

    async def level(self, business_id: BusinessId, business: Business | None = None) -> BudgetLevel:
        """Return the business's level now; `business`: its own budgets, where it is known."""
        soft, hard = self.policy.budgets_of(business)
        if not soft and not hard:
            return BudgetLevel.WITHIN
        counted = (INPUT_TOKENS, OUTPUT_TOKENS)  # see `Usage.tokens`
        tokens = await self.day_counts.total(business_id, self.clock.now().date(), counted)
        if hard and tokens >= hard:
            return BudgetLevel.OVER_HARD
        if soft and tokens >= soft:
            return BudgetLevel.OVER_SOFT
        return BudgetLevel.WITHIN

    async def by_day(self, business_id: BusinessId, first: date, last: date) -> dict[date, Usage]:
        """Return the business's usage on each day that has any, this process's newest included.

        Raises: StorageUnavailable.
        """
        days = await self.day_counts.by_day(business_id, first, last)
        usages = {day: usage_in(counts) for day, counts in days.items()}
        return {day: usage for day, usage in usages.items() if usage != Usage()}
