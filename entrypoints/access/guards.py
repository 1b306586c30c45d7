"""What stands before an API and a socket: tokens, origins, and which bodies are read at all."""

import math
from collections.abc import Callable
from hmac import compare_digest
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.exceptions import (
    ClientException,
    HTTPException,
    NotAuthorizedException,
    SerializationException,
    TooManyRequestsException,
)
from litestar.handlers import BaseRouteHandler

from adapters.phoenix.channel import ConnectInfo
from entrypoints.access.rate_limits import Limits, RateLimited

_LOCAL_ORIGINS = ("//localhost", "//127.0.0.1", "//[::1]")
MAX_BODY = 64 * 1024
"""The largest request body, in bytes."""

Guard = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], None]


def socket_origins(allowed: str, host: str) -> list[str] | None:
    """The patterns of the pages that may open a socket; None: all.

    `allowed`: separated by commas; empty: this machine's and those of `host` alone; *: all.
    """
    if allowed == "*":
        return None
    given = [origin.strip() for origin in allowed.split(",") if origin.strip()]
    return given or [*_LOCAL_ORIGINS, f"//{host}"]


def token_check(service_token: str) -> Callable[[str], bool]:
    """Whether a token is one of `service_token`'s; every one is, where there are none.

    `service_token`: tokens separated by commas, so that one can follow another in use.
    """
    tokens = [token.strip().encode() for token in service_token.split(",") if token.strip()]

    def is_good(given: str) -> bool:
        sent = given.strip().encode()
        # Every token is compared, each in constant time: how long it takes says nothing.
        return not tokens or any([compare_digest(sent, each) for each in tokens])

    return is_good


def token_guard(service_token: str, limits: Limits) -> Guard:
    """Lets through who brings one of the tokens; everybody, where there are none.

    Who goes on without is told to stop: never who brings a good one, whoever else is there.
    """
    is_good = token_check(service_token)

    def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        scheme, _space, given = connection.headers.get("authorization", "").partition(" ")
        if not is_good(given if scheme.lower() == "bearer" else ""):
            try:
                limits.failing(ConnectInfo(connection.scope))
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
    """Refuses bodies that a browser would send for a foreign page without asking us first."""
    if connection.scope.get("method") not in ("POST", "PUT"):
        return
    media_type = connection.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise HTTPException("the body must be application/json", status_code=415)


class ApiRequest(Request[Any, Any, Any]):
    """A request whose body may be anything at all."""

    async def json(self) -> Any:
        """The body. Raises: ClientException."""
        try:
            return await super().json()
        except (SerializationException, UnicodeDecodeError, RecursionError) as error:
            raise ClientException(
                "the body is not JSON in UTF-8, or is nested too deeply"
            ) from error
