"""Errors as clients get them: problem documents (RFC 9457), or error replies on a channel."""

import logging
import math
from collections.abc import Callable, Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi import ResponseSpec
from litestar.types import ExceptionHandlersMap

from adapters.json_shapes import CamelStruct, CamelStructOmitDefaults
from domain.errors import (
    BudgetSpent,
    ConfirmationExpired,
    ConfirmationWithdrawn,
    ConversationError,
    Failure,
    NotInLiveChat,
    Outdated,
    Refusal,
    SessionClosed,
    TooManySuggestions,
    TransitionRefused,
    UnknownBusiness,
    UnknownConfirmation,
    UnknownSession,
)
from domain.identity import BusinessId, IdentityUnavailable, Unauthorized, VisitorsOff
from domain.status import Status
from entrypoints.access.origins import OriginNotAllowed
from entrypoints.access.rate_limits import RateLimited

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


class Problem(CamelStruct):
    """A refused or failed request (RFC 9457). The meaning of a `code` never changes."""

    title: str
    status: int
    code: str
    detail: str
    type: str = "about:blank"


class ErrorReply(CamelStructOmitDefaults):
    """The reply to a request that is refused or has failed.

    `by`: on the bridge, the coordinator who has the conversation.
    """

    reason: str
    detail: str | None = None
    by: str | None = None
    retry_after_ms: int | None = None


_HTTP_STATUS: Mapping[type[ConversationError], int] = {
    Unauthorized: 401,
    IdentityUnavailable: 503,
    OriginNotAllowed: 403,
    UnknownBusiness: 404,
    VisitorsOff: 404,
    RateLimited: 429,
    TooManySuggestions: 429,
    UnknownSession: 404,
    UnknownConfirmation: 404,
    NotInLiveChat: 409,
    TransitionRefused: 409,
    SessionClosed: 409,
    Outdated: 409,
    BudgetSpent: 409,
    ConfirmationExpired: 409,
    ConfirmationWithdrawn: 409,
    Refusal: 400,
    Failure: 503,
    ConversationError: 500,
}
"""The first class of an error's MRO in this table determines its status."""

_CHOICES: Mapping[str, type[StrEnum]] = {"status": Status}
"""The parameters and fields that are a choice, by the names of their handlers' arguments."""

_CODES: Mapping[int, str] = {
    400: "invalid_payload",
    401: "unauthorized",
    403: "foreign_origin",
    404: "not_found",
    405: "method_not_allowed",
    413: "payload_too_large",
    415: "unsupported_media_type",
    421: "foreign_host",
    429: "rate_limited",
}
"""The codes of refusals by Litestar itself, or by the guards of the API."""


_CLIENT_GONE = "client disconnected prematurely"
"""What Litestar says, with status 500, where a client has gone before the end of its body."""


def problem_handlers() -> ExceptionHandlersMap:
    """Return the handlers that turn every error into a problem document that leaks nothing."""
    return {
        ConversationError: conversation_problem,
        HTTPException: http_problem,
        Exception: _unexpected_problem,
    }


def _problem(
    status: int, code: str, detail: str, headers: Mapping[str, str] | None = None
) -> Response[Problem]:
    return Response(
        Problem(HTTPStatus(status).phrase, status, code, detail),
        status_code=status,
        media_type=MEDIA_TYPE,
        headers=dict(headers or {}),
    )


OnRefusal = Callable[[str, str, BusinessId | None], None]
"""Called with the code of every refusal, what was refused (an event of the socket, or an operation
of the HTTP API), and the business, where it is known."""


def operation_of(request: Request[Any, Any, Any]) -> str:
    """Return the operation of a request: its method and the path's pattern."""
    return f"{request.method} {request.scope.get('path_template', '')}"


def conversation_problem(
    request: Request[Any, Any, Any], error: ConversationError
) -> Response[Problem]:
    """Return the problem of a refusal, or of a failure, which is logged and not detailed."""
    status = next(_HTTP_STATUS[each] for each in type(error).__mro__ if each in _HTTP_STATUS)
    if isinstance(error, Refusal):
        wait_ms = error.retry_after_ms
        headers = {"Retry-After": str(math.ceil(wait_ms / 1000))} if wait_ms is not None else {}
        return _problem(status, error.code, str(error), headers)
    _log_failed_request(error)
    return _problem(status, error.code, (type(error).__doc__ or "").strip())


def problem_of(request: Request[Any, Any, Any], error: Exception) -> Problem:
    """Return the problem of an error, where it is told in a response that has begun."""
    if isinstance(error, ConversationError):
        return conversation_problem(request, error).content
    return _unexpected_problem(request, error).content


def error_reply(error: ConversationError, *, by: str | None = None) -> ErrorReply:
    """Return the reply of a refusal, or of a failure, which is logged and not detailed."""
    if isinstance(error, Refusal):
        return ErrorReply(error.code, str(error), by, error.retry_after_ms)
    _log_failed_request(error)
    return ErrorReply(error.code)


def _log_failed_request(error: ConversationError) -> None:
    extra = {"action": "request_failed", "code": error.code}
    logger.warning("A request failed", extra=extra, exc_info=error)


def http_problem(request: Request[Any, Any, Any], error: HTTPException) -> Response[Problem]:
    """Return the problem of a refusal by Litestar itself, or by a guard."""
    if error.detail == _CLIENT_GONE:  # for the log: nobody receives it
        return _problem(400, "invalid_payload", error.detail)
    if error.status_code >= 500:
        return _unexpected_problem(request, error)
    code = _CODES.get(error.status_code, "refused")
    return _problem(error.status_code, code, _detail(error), error.headers)


def _detail(error: HTTPException) -> str:
    if isinstance(error, ValidationException) and isinstance(error.extra, list):
        return "; ".join(_invalid_field(**each) for each in error.extra)
    return error.detail


def _invalid_field(message: str, key: str = "data", **_: Any) -> str:
    """Describe an invalid parameter or field by its name on the wire."""
    if key == "data":  # the handlers' name for the body; an absent body has no other message
        return "the body must be a JSON object" if message == "'data'" else f"body: {message}"
    first, *others = key.split("_")
    allowed = _CHOICES.get(key)
    if allowed is not None and message.startswith("Invalid enum value"):
        message = f"{message}: it may be {', '.join(allowed)}"
    return f"{first}{''.join(other.title() for other in others)}: {message}"


def _unexpected_problem(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    extra = {"action": "request_crashed", "method": request.method}
    logger.error("A request crashed", extra=extra, exc_info=error)
    return _problem(500, "internal_error", "something went wrong on the server's side")


def problems(*statuses: int) -> dict[int, ResponseSpec]:
    """Return the problem responses of an operation: `statuses`, and those that every one has."""
    return {
        status: ResponseSpec(
            Problem,
            generate_examples=False,
            description=HTTPStatus(status).phrase,
            media_type=MEDIA_TYPE,
        )
        for status in sorted({400, 401, 403, 421, 429, 503, *statuses})
    }
