"""Failures of an attempt at a completion, and the ways to recover from them."""

import re
from enum import Enum, auto
from typing import Any, TypeGuard

_CODE = re.compile(r"[a-z_]{1,64}")
_TOO_LONG = re.compile(r"context.{0,20}(?:length|window|size)|too many tokens|prompt is too long")


class Recovery(Enum):
    """A way to go on after a failed attempt."""

    RETRY = auto()
    """The same request, a moment later."""
    FALLBACK = auto()
    """Another model."""
    SHORTEN = auto()
    """The same model, with fewer messages."""
    DROP_PARAMETER = auto()
    """The same model, without a parameter that its server does not know."""
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
        retry_after_s: float | None = None,
        parameter: str = "",
    ) -> None:
        super().__init__(reason)
        self.recovery = recovery
        self.is_outage = is_outage
        """True if the model's server is to blame, rather than this request."""
        self.is_slow = is_slow
        """True if nothing came for too long; another request to the model would take as long."""
        self.retry_after_s = retry_after_s
        """The pause that the server asks for, if it does."""
        self.parameter = parameter
        """The parameter to drop, for Recovery.DROP_PARAMETER."""


def classify_error(status: int, error: Any) -> AttemptFailed:
    """Return the failure that a server's error means; `error` is its `error` object, if it is one.

    The codes are those of OpenAI's API, which other servers use too. Only codes are repeated: a
    message may quote the key, or the customer.
    """
    details = error if isinstance(error, dict) else {"message": error}
    codes = [code for code in (details.get("code"), details.get("type")) if _is_code(code)]
    where = f"HTTP {status}" if status >= 300 else "an error in the answer"
    reason = " ".join([where, *codes[:1]])
    if _is_too_long(status, codes, details):
        return AttemptFailed(reason, Recovery.SHORTEN, is_outage=False)
    if "insufficient_quota" in codes or status in (401, 403, 404, 405):
        return AttemptFailed(reason, Recovery.FALLBACK)
    if status in (200, 408, 409, 425, 429) or status >= 500:
        return AttemptFailed(reason)
    return AttemptFailed(reason, Recovery.FALLBACK, is_outage=False)


def _is_code(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and _CODE.fullmatch(value) is not None


def _is_too_long(status: int, codes: list[str], details: dict[str, Any]) -> bool:
    if "context_length_exceeded" in codes or status == 413:
        return True
    message = details.get("message")
    is_about_input = status in (200, 400, 422) and isinstance(message, str)
    return is_about_input and _TOO_LONG.search(str(message)[:1_000].lower()) is not None
