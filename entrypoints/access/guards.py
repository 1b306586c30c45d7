"""Checks before an API or a socket: service tokens, web origins, request bodies."""

import math
from collections.abc import Callable
from hmac import compare_digest
from typing import Any

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.exceptions import (
    ClientException,
    HTTPException,
    NotAuthorizedException,
    TooManyRequestsException,
)
from litestar.handlers import BaseRouteHandler

from adapters.json_text import NOT_JSON, decode_json
from adapters.phoenix.channel import ConnectInfo
from entrypoints.access.rate_limits import RateLimited, RateLimiter

_LOCAL_ORIGINS = ("//localhost", "//127.0.0.1", "//[::1]")
MAX_BODY = 64 * 1024
"""The largest request body, in bytes."""

Guard = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], None]


def socket_origins(allowed: str, host: str) -> list[str] | None:
    """Return the patterns of the web origins that may open a socket; None: all.

    `allowed`: comma-separated origins; empty: only this machine's and those of `host`; *: all.
    """
    if allowed == "*":
        return None
    given = [origin.strip() for origin in allowed.split(",") if origin.strip()]
    return given or [*_LOCAL_ORIGINS, f"//{host}"]


def token_check(service_token: str) -> Callable[[str], bool]:
    """Return a check for valid service tokens; without any configured, every token is valid.

    `service_token`: comma-separated tokens, so that they can be rotated.
    """
    tokens = [token.strip().encode() for token in service_token.split(",") if token.strip()]

    def is_valid(given: str) -> bool:
        sent = given.strip().encode()
        # All tokens are compared, each in constant time: the time taken reveals nothing.
        return not tokens or any([compare_digest(sent, each) for each in tokens])

    return is_valid


def token_guard(service_token: str, limits: RateLimiter) -> Guard:
    """Return a guard that demands one of the service tokens, if any are configured.

    An address with too many failures gets 429; its requests with a valid token still pass.
    """
    is_valid = token_check(service_token)

    def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        scheme, _space, given = connection.headers.get("authorization", "").partition(" ")
        if not is_valid(given if scheme.lower() == "bearer" else ""):
            try:
                limits.count_auth_failure(ConnectInfo(connection.scope))
            except RateLimited as error:
                wait_s = math.ceil(error.retry_after_ms / 1000)
                raise TooManyRequestsException(
                    "too many requests without a good token", headers={"Retry-After": str(wait_s)}
                ) from error
            raise NotAuthorizedException(
                "a service token is needed", headers={"WWW-Authenticate": 'Bearer realm="api"'}
            )

    return guard


def only_json(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Refuse a body that a browser would send for a foreign page without a preflight request."""
    if connection.scope.get("method") not in ("POST", "PUT"):
        return
    media_type = connection.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise HTTPException("the body must be application/json", status_code=415)


class ApiRequest(Request[Any, Any, Any]):
    """A request whose body may be anything, also malformed."""

    async def json(self) -> Any:
        """Decode the body. Raises: ClientException."""
        try:
            return decode_json(msgspec.json.decode, await self.body() or b"null")
        except NOT_JSON as error:
            raise ClientException(
                "the body is not JSON in UTF-8, or is nested too deeply"
            ) from error
