"""What the work of a model costs: tokens, counted by its provider."""

from msgspec import Struct


class Usage(Struct, frozen=True, kw_only=True):
    """Tokens that went into a model and came out of it, in one call or in many."""

    model: str = ""
    """The one that was asked last; "" where that is not known, or a sum is of several."""
    input_tokens: int = 0
    cached_tokens: int = 0
    """Of the input, what the provider had read before, and sells cheaper."""
    output_tokens: int = 0
    calls: int = 0
    """Requests to a model, failed ones too."""

    @property
    def tokens(self) -> int:
        """What counts against a budget: all that went in, and all that came out."""
        return self.input_tokens + self.output_tokens

    def plus(self, other: "Usage") -> "Usage":
        """Both together; the model is the other's, where it names one."""
        return Usage(
            model=other.model or self.model,
            input_tokens=self.input_tokens + other.input_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            calls=self.calls + other.calls,
        )


def together(*usages: Usage | None) -> Usage | None:
    """The sum of those that there are; None, if there are none."""
    total: Usage | None = None
    for usage in usages:
        if usage is not None:
            total = usage if total is None else total.plus(usage)
    return total
