"""The cost of a model's work: tokens, counted by its provider.

They are estimated where a request ended before its provider had said how many they are.
"""

from collections.abc import Mapping

from msgspec import Struct

Counts = Mapping[str, int]
"""What is counted of a business in a day, by name. Counts of processes and of days add up."""

INPUT_TOKENS, CACHED_TOKENS = "input_tokens", "cached_tokens"
OUTPUT_TOKENS, CALLS = "output_tokens", "calls"


class Usage(Struct, frozen=True, kw_only=True):
    """Tokens that went into a model and came out of it, in one call or in many."""

    model: str = ""
    """The model of the last call; "" where it is unknown, or in a sum over several."""
    input_tokens: int = 0
    cached_tokens: int = 0
    """The part of the input that the provider had cached, and charges less for."""
    output_tokens: int = 0
    reasoning_tokens: int = 0
    """The part of the output that the model has only thought; not kept in sums by day."""
    calls: int = 0
    """Requests to a model, failed ones included."""

    @property
    def tokens(self) -> int:
        """The tokens that count against a budget: input and output."""
        return self.input_tokens + self.output_tokens

    @property
    def counts(self) -> Counts:
        """What is counted of it in a day: not the model."""
        return {
            INPUT_TOKENS: self.input_tokens,
            CACHED_TOKENS: self.cached_tokens,
            OUTPUT_TOKENS: self.output_tokens,
            CALLS: self.calls,
        }

    def plus(self, other: "Usage") -> "Usage":
        """Return the sum of both; the model is the other's, where it names one."""
        return Usage(
            model=other.model or self.model,
            input_tokens=self.input_tokens + other.input_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            reasoning_tokens=self.reasoning_tokens + other.reasoning_tokens,
            calls=self.calls + other.calls,
        )


class Prices(Struct, frozen=True, kw_only=True):
    """What a million tokens cost."""

    currency: str
    """ISO 4217."""
    input: float
    cached: float
    """Of the part of the input that the provider had cached."""
    output: float

    def cost(self, usage: Usage) -> float:
        """Return what a usage costs, in the currency."""
        uncached = max(0, usage.input_tokens - usage.cached_tokens)
        return (
            uncached * self.input
            + usage.cached_tokens * self.cached
            + usage.output_tokens * self.output
        ) / 1_000_000


def usage_in(counts: Counts) -> Usage:
    """Return the usage among what was counted."""
    return Usage(
        input_tokens=counts.get(INPUT_TOKENS, 0),
        cached_tokens=counts.get(CACHED_TOKENS, 0),
        output_tokens=counts.get(OUTPUT_TOKENS, 0),
        calls=counts.get(CALLS, 0),
    )


def together(*usages: Usage | None) -> Usage | None:
    """Return the sum of those that are not None; None if all are."""
    total: Usage | None = None
    for usage in usages:
        if usage is not None:
            total = usage if total is None else total.plus(usage)
    return total
