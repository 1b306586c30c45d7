"""How a try of a model can fail, and what may help then."""

import re
from enum import Enum, auto
from typing import Any, TypeGuard

_CODE = re.compile(r"[a-z_]{1,64}")
_TOO_LONG = re.compile(r"context.{0,20}(?:length|window|size)|too many tokens|prompt is too long")


class Recovery(Enum):
    """What may help where a try has failed."""

    AGAIN = auto()
    """The same again, a moment later."""
    ELSEWHERE = auto()
    """Another model."""
    SHORTER = auto()
    """The same model, asked with less."""
    PLAINER = auto()
    """The same model, asked without a parameter that its server does not know."""
    NOTHING = auto()


class AttemptFailed(Exception):
    """One try of a model has come to nothing; the text never repeats what a server has said."""

    def __init__(
        self,
        reason: str,
        remedy: Recovery = Recovery.AGAIN,
        *,
        is_outage: bool = True,
        is_slow: bool = False,
        retry_after_s: float | None = None,
        parameter: str = "",
    ) -> None:
        super().__init__(reason)
        self.remedy = remedy
        self.is_outage = is_outage
        """Whether it speaks against the model's server, rather than against this request."""
        self.is_slow = is_slow
        """Whether nothing came for too long: to ask the same model again would take as long."""
        self.retry_after_s = retry_after_s
        """How long the server asks to be left alone, where it says."""
        self.parameter = parameter
        """What the server does not know, for Remedy.PLAINER."""


def classify_error(status: int, error: Any) -> AttemptFailed:
    """What an error that a server has told of means; `error` is its `error` object, if it is one.

    Only codes are repeated: a message may quote the key, or the customer.
    """
    told = error if isinstance(error, dict) else {"message": error}
    codes = [code for code in (told.get("code"), told.get("type")) if _is_code(code)]
    said = f"HTTP {status}" if status >= 300 else "an error in the answer"
    reason = " ".join([said, *codes[:1]])
    if _is_too_long(status, codes, told):
        return AttemptFailed(reason, Recovery.SHORTER, is_outage=False)
    if "insufficient_quota" in codes or status in (401, 403, 404, 405):
        return AttemptFailed(reason, Recovery.ELSEWHERE)
    if status in (200, 408, 409, 425, 429) or status >= 500:
        return AttemptFailed(reason)
    return AttemptFailed(reason, Recovery.ELSEWHERE, is_outage=False)


def _is_code(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and _CODE.fullmatch(value) is not None


def _is_too_long(status: int, codes: list[str], told: dict[str, Any]) -> bool:
    if "context_length_exceeded" in codes or status == 413:
        return True
    message = told.get("message")
    is_about_input = status in (200, 400, 422) and isinstance(message, str)
    return is_about_input and _TOO_LONG.search(str(message)[:1_000].lower()) is not None
