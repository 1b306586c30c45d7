"""What goes wrong, as a problem document: RFC 9457, `application/problem+json`."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi import ResponseSpec
from litestar.types import ExceptionHandlersMap

from adapters.json_shapes import CamelStruct
from domain.errors import (
    ConversationError,
    Failure,
    NotInLiveChat,
    Refusal,
    SessionClosed,
    TransitionRefused,
    UnknownSession,
)

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


class Problem(CamelStruct):
    """Why a request was refused or failed (RFC 9457). `code` never changes its meaning."""

    title: str
    status: int
    code: str
    detail: str
    type: str = "about:blank"


_STATUS: Mapping[type[ConversationError], int] = {
    UnknownSession: 404,
    NotInLiveChat: 409,
    TransitionRefused: 409,
    SessionClosed: 409,
    Refusal: 400,
    Failure: 503,
    ConversationError: 500,
}
"""The first of an error's classes that is here says its status."""

_CODES: Mapping[int, str] = {
    400: "invalid_payload",
    401: "unauthorized",
    404: "not_found",
    405: "method_not_allowed",
    413: "payload_too_large",
    415: "unsupported_media_type",
    429: "rate_limited",
}
"""The codes of what Litestar itself refuses, or the guards of the API."""


def problem_handlers() -> ExceptionHandlersMap:
    """What each error becomes: a problem document that leaks nothing."""
    return {
        ConversationError: conversation_problem,
        HTTPException: _http_problem,
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


def conversation_problem(
    request: Request[Any, Any, Any], error: ConversationError
) -> Response[Problem]:
    """A refusal says why; a failure says no more than its kind, and is logged."""
    status = next(_STATUS[each] for each in type(error).__mro__ if each in _STATUS)
    if isinstance(error, Refusal):
        return _problem(status, error.code, str(error))
    extra = {"action": "request_failed", "code": error.code}
    logger.warning("A request failed", extra=extra, exc_info=error)
    return _problem(status, error.code, (type(error).__doc__ or "").strip())


def _http_problem(request: Request[Any, Any, Any], error: HTTPException) -> Response[Problem]:
    if error.status_code >= 500:
        return _unexpected_problem(request, error)
    code = _CODES.get(error.status_code, "refused")
    return _problem(error.status_code, code, _detail(error), error.headers)


def _detail(error: HTTPException) -> str:
    if isinstance(error, ValidationException) and isinstance(error.extra, list):
        return "; ".join(_complaint(**each) for each in error.extra)
    return error.detail


def _complaint(message: str, key: str = "data", **_: Any) -> str:
    """What is wrong with one parameter or field, named as it is on the wire."""
    if key == "data":  # the handlers' name for the body; for an absent one, it is all that is said
        return "the body must be a JSON object" if message == "'data'" else f"body: {message}"
    first, *others = key.split("_")
    return f"{first}{''.join(other.title() for other in others)}: {message}"


def _unexpected_problem(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    extra = {"action": "request_crashed", "method": request.method}
    logger.error("A request crashed", extra=extra, exc_info=error)
    return _problem(500, "internal_error", "something went wrong on the server's side")


def problems(*statuses: int) -> dict[int, ResponseSpec]:
    """The problems of an operation under `/api`: `statuses`, and those that every one has."""
    return {
        status: ResponseSpec(
            Problem,
            generate_examples=False,
            description=HTTPStatus(status).phrase,
            media_type=MEDIA_TYPE,
        )
        for status in sorted({400, 401, 429, 503, *statuses})
    }
