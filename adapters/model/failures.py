"""Failures of an attempt at a completion, and the ways to recover from them."""

import re
from enum import Enum, auto
from typing import Any, TypeGuard

_CODE = re.compile(r"[a-z_]{1,64}|[A-Z]+_[A-Z_]{1,60}")
_PARAMETER = re.compile(r"[a-z_][a-z0-9_.\[\]]{0,63}")
_TOO_LONG = re.compile(
    r"context.{0,20}(?:length|window|size)|too many tokens|prompt is too long|input token count"
)
# OpenAI, vLLM and most others; llama.cpp: tools/server/README.md.
_TOO_LONG_CODES = {"context_length_exceeded", "exceed_context_size_error"}
# Nothing is left to spend: OpenAI; Kimi, platform.moonshot.ai/docs; DeepSeek and OpenRouter: 402.
_NO_CREDIT = {
    "insufficient_quota",
    "billing_hard_limit_reached",
    "billing_not_active",
    "exceeded_current_quota_error",
}
# Azure: learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter; OpenAI.
_FILTERED = {"content_filter", "content_policy_violation"}
# The model has written a call that its server cannot read: Groq, console.groq.com/docs/errors.
_BAD_CALL = {"tool_use_failed"}


class Recovery(Enum):
    """A way to go on after a failed attempt."""

    RETRY = auto()
    """The same request, a moment later."""
    FALLBACK = auto()
    """Another model."""
    SHORTEN = auto()
    """The same model, with fewer messages."""
    ADAPT = auto()
    """The same model at once: its client has changed the request to one that may be accepted."""
    NONE = auto()


class AttemptFailed(Exception):
    """One request to a model has failed; the text never repeats what a server has sent."""

    def __init__(
        self,
        reason: str,
        recovery: Recovery = Recovery.RETRY,
        *,
        is_outage: bool = True,
        is_slow: bool = False,
        is_filtered: bool = False,
        is_rate_limited: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.recovery = recovery
        self.is_outage = is_outage
        """True if the model's server is to blame, rather than this request."""
        self.is_slow = is_slow
        """True if nothing came for too long; another request to the model would take as long."""
        self.is_filtered = is_filtered
        """True if the provider's filter has withheld what was asked, or answered."""
        self.is_rate_limited = is_rate_limited
        """True if the server says that it is asked too much."""
        self.is_paid = False
        """True if the model had worked for it."""
        self.retry_after_s = retry_after_s
        """The pause that the server asks for, if it does."""

    @property
    def kind(self) -> str:
        """What has failed, for the metrics.

        `rate_limited`, `slow` (nothing came for too long), `unavailable` (no answer, or one that
        shows an outage), `refused` (the key, the model's name, the credit), `too_long` (the
        prompt), `filtered` (by the provider), or `unusable`: what it has answered.
        """
        if self.is_rate_limited or self.is_slow:
            return "rate_limited" if self.is_rate_limited else "slow"
        if self.is_outage:
            return "refused" if self.recovery is Recovery.FALLBACK else "unavailable"
        if self.recovery is Recovery.SHORTEN:
            return "too_long"
        return "filtered" if self.is_filtered else "unusable"


def classify_error(status: int, error: Any) -> AttemptFailed:
    """Return the failure that a server's error means; `error` is its `error` object, if it is one.

    Most servers use the codes of OpenAI's API. Only codes are repeated: a message may quote the
    key, or the customer.
    """
    details = error if isinstance(error, dict) else {"message": error}
    codes = {
        key: value for key in ("code", "status", "type") if _is_code(value := details.get(key))
    }
    where = f"HTTP {status}" if status >= 300 else "an error in the answer"
    if 300 <= status < 400:
        where += ", which leads elsewhere: the address that is set must be the last one"
    names = [f"{key} {value}" for key, value in codes.items()]
    if isinstance(param := details.get("param"), str) and _PARAMETER.fullmatch(param):
        names.append(f"param {param}")
    reason = ", ".join([where, *names])
    values = set(codes.values())
    if _is_too_long(status, values, details):
        return AttemptFailed(reason, Recovery.SHORTEN, is_outage=False)
    if values & _NO_CREDIT or status in (401, 402, 403, 404, 405):
        return AttemptFailed(reason, Recovery.FALLBACK)
    if values & _BAD_CALL:
        return AttemptFailed(reason, is_outage=False)
    if status in (200, 408, 409, 425, 429) or status >= 500:
        return AttemptFailed(reason, is_rate_limited=status == 429)
    is_filtered = bool(values & _FILTERED)
    return AttemptFailed(reason, Recovery.FALLBACK, is_outage=False, is_filtered=is_filtered)


def shown_code(value: str) -> str:
    """Return a server's code as it may be logged."""
    return value if _CODE.fullmatch(value.lower()) else "an unknown reason"


def _is_code(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and _CODE.fullmatch(value) is not None


def _is_too_long(status: int, codes: set[str], details: dict[str, Any]) -> bool:
    if codes & _TOO_LONG_CODES or status == 413:
        return True
    message = details.get("message")
    is_about_input = status in (200, 400, 422) and isinstance(message, str)
    return is_about_input and _TOO_LONG.search(str(message)[:1_000].lower()) is not None
