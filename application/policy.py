"""The application's times and limits, as an operator may set them."""

from dataclasses import dataclass, field
from datetime import timedelta

from domain.business import Business, ModelSettings, max_facts
from domain.session import Timing

RETAKE_GRACE_S = 5.0
"""Seconds after a turn's deadline before the sweep takes its messages for abandoned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The application's times and limits; seconds and counts."""

    timing: Timing = field(init=False)
    turn_quiet_s: float = 0.3
    turn_quiet_max_s: float = 3.0
    turn_timeout_s: float = 60.0
    turn_max_tool_calls: int = 5
    ai_failures_before_transfer: int = 3
    transfer_timeout_s: float = 300.0
    session_idle_s: float = 86_400.0
    sweep_interval_s: float = 5.0
    session_cache_bytes: int = 64 * 1024 * 1024
    """The most bytes of conversations that are kept in memory, besides the store's own."""
    view_tokens: int = 6_000
    budget_soft_tokens: int = 0
    """Tokens of a business in a day, after which the AI is frugal. 0: never."""
    budget_hard_tokens: int = 0
    """Past it the AI is not asked any more. 0: never."""

    def view_tokens_of(self, business: Business | None) -> int:
        """Return the tokens of a business's views: its own choice, or else `view_tokens`."""
        chosen = business.model.view_tokens if business is not None else None
        return self.view_tokens if chosen is None else chosen

    def max_facts_of(self, business: Business | None) -> int:
        """Return the most characters of a business's facts, as the prompt of its model has them."""
        has_own_model = business is not None and business.model.has_own_model
        return max_facts(self.view_tokens_of(business) if has_own_model else self.view_tokens)

    def budgets_of(self, business: Business | None) -> tuple[int, int]:
        """Return a business's soft and hard budget: its own, or else everybody's."""
        own = business.model if business is not None else ModelSettings()
        soft, hard = own.budget_soft_tokens, own.budget_hard_tokens
        return (
            self.budget_soft_tokens if soft is None else soft,
            self.budget_hard_tokens if hard is None else hard,
        )

    def __post_init__(self) -> None:
        timing = Timing(
            retake=timedelta(seconds=self.turn_timeout_s + RETAKE_GRACE_S),
            idle=timedelta(seconds=self.session_idle_s),
        )
        object.__setattr__(self, "timing", timing)
