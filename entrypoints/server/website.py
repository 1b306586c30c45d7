"""What the pages of a business's website ask for: an identity for a visitor, and the logo."""

from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

import msgspec
from litestar import Request, Response, Router, post, route
from litestar.exceptions import HTTPException, NotFoundException
from litestar.types import ControllerRouterHandler

from adapters.json_shapes import CamelStruct, timestamp
from adapters.json_text import NOT_JSON, decode_json
from adapters.phoenix.channel import ConnectInfo
from application.ports import Clock, VisitorCredentials
from domain.business import Picture
from domain.errors import ConversationError, InvalidPayload, UnknownBusiness
from domain.identity import (
    BusinessId,
    Customer,
    Unauthorized,
    UserId,
    VisitorsOff,
    business_identifier,
    visitor_id,
)
from entrypoints.access.origins import PageOrigins
from entrypoints.access.rate_limits import RateLimiter
from entrypoints.payloads import BusinessIdPath, parse
from entrypoints.problems import (
    OnRefusal,
    Problem,
    conversation_problem,
    http_problem,
    operation_of,
    problems,
)

MAX_VISITOR_BODY = 16 * 1024
"""The largest body of a request for a visitor, in bytes: a token has half of that at most."""
PREFLIGHT_MAX_AGE_S = 600
_LOGO_HEADERS = {
    # An SVG that is opened by itself can have its own styles, and nothing else.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Cache-Control": "no-cache",
}


class VisitorRequest(CamelStruct):
    """The body of a request for a visitor: the token that is to be renewed, if there is one."""

    token: str | None = None


class Visitor(CamelStruct):
    """A visitor, with a token that proves it; null: none is needed, and none expires."""

    user_id: str
    token: str | None
    expires_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebsiteServices:
    """What is behind the website's routes."""

    origins: PageOrigins
    limits: RateLimiter
    needs_token: bool
    """False: identities are not verified."""
    credentials: VisitorCredentials | None
    """None: visitors need no token, or there are none."""
    is_known: Callable[[BusinessId], bool]
    """False for a business that nobody may join."""
    logo: Callable[[BusinessId], Picture | None]
    """Returns the logo of a business; None: it has none that may be shown."""
    clock: Clock
    on_refusal: OnRefusal


def website_routes(services: WebsiteServices) -> list[ControllerRouterHandler]:
    """Return the routes of `/visitors` and `/logo`."""

    def refused(request: Request[Any, Any, Any], error: ConversationError) -> Response[Problem]:
        services.on_refusal(error.code, operation_of(request), None)
        return _readable(conversation_problem(request, error), request)

    def invalid(request: Request[Any, Any, Any], error: HTTPException) -> Response[Problem]:
        return _readable(http_problem(request, error), request)

    @post(
        "/{businessId:str}",
        status_code=200,
        tags=["visitors"],
        request_max_body_size=MAX_VISITOR_BODY,
        exception_handlers={ConversationError: refused, HTTPException: invalid},
        responses=problems(404, 413),
    )
    async def visitor(
        business_id: BusinessIdPath, request: Request[Any, Any, Any]
    ) -> Response[Visitor]:
        """Name a visitor, or renew a visitor's token.

        The body may be empty, or `{"token": …}`, as JSON of any declared type.
        """
        business = business_identifier("businessId", business_id)
        info = ConnectInfo(request.scope)
        services.limits.admit_visitor(info)
        services.origins.check(info, business)
        given = _token_in(await request.body())
        if not services.is_known(business):
            raise UnknownBusiness
        return _readable(Response(_visitor(services, business, given)), request)

    @route(
        "/{businessId:str}",
        http_method="OPTIONS",
        include_in_schema=False,
        sync_to_thread=False,
        exception_handlers={ConversationError: conversation_problem},
    )
    def preflight(business_id: BusinessIdPath, request: Request[Any, Any, Any]) -> Response[None]:
        services.origins.check(
            ConnectInfo(request.scope), business_identifier("businessId", business_id)
        )
        headers = {
            "Access-Control-Allow-Methods": "POST",
            "Access-Control-Allow-Headers": "Content-Type",
            "Access-Control-Max-Age": str(PREFLIGHT_MAX_AGE_S),
        }
        return _readable(Response(None, status_code=204, headers=headers), request)

    @route(
        "/logo/{businessId:str}",
        http_method=["GET", "HEAD"],
        include_in_schema=False,
        sync_to_thread=True,
    )
    def logo(business_id: BusinessIdPath, request: Request[Any, Any, Any]) -> Response[bytes]:
        picture = services.logo(BusinessId(business_id))
        if picture is None:
            raise NotFoundException("this business has no logo")
        headers = {**_LOGO_HEADERS, "ETag": f'"{picture.digest}"'}
        if headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response(b"", status_code=304, headers=headers)
        return Response(picture.content, media_type=picture.media_type, headers=headers)

    # The preflight comes first, as a route without one gets an OPTIONS of Litestar's own.
    return [Router(path="/visitors", route_handlers=[preflight, visitor]), logo]


def _visitor(services: WebsiteServices, business_id: BusinessId, given: str | None) -> Visitor:
    """Raises: VisitorsOff, Unauthorized."""
    if not services.needs_token:
        return Visitor(visitor_id(token_hex(16)), None, None)
    if services.credentials is None:
        raise VisitorsOff
    user_id = visitor_id(token_hex(16))
    if given is not None:
        identity = services.credentials.verify(given)
        if identity.business_id != business_id:
            raise Unauthorized("the token is not valid")
        user_id = UserId(identity.name)
    visitor = Customer(business_id, user_id)
    token, until = services.credentials.sign(visitor, services.clock.wall())
    return Visitor(user_id, token, timestamp(until))


def _token_in(body: bytes) -> str | None:
    """Return the token in a body, whatever type it is declared as. Raises: InvalidPayload."""
    if not body.strip():
        return None
    try:
        payload = decode_json(msgspec.json.decode, body)
    except NOT_JSON:
        raise InvalidPayload("the body is not JSON in UTF-8, or is nested too deeply") from None
    return parse(payload, VisitorRequest).token


def _readable(response: Response[Any], request: Request[Any, Any, Any]) -> Response[Any]:
    """Let the page that has asked read a response: an identity, or why it is refused one."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Vary"] = "Origin"
    if (origin := request.headers.get("origin")) is not None:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = "Retry-After"
    return response
