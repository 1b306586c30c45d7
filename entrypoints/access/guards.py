"""Checks before an API or a socket: service tokens, web origins, request bodies."""

import math
from collections.abc import Callable, Sequence
from hmac import compare_digest
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.exceptions import (
    ClientException,
    HTTPException,
    NotAuthorizedException,
    PermissionDeniedException,
    TooManyRequestsException,
)
from litestar.handlers import BaseRouteHandler

from adapters.json_text import NOT_JSON, decode_json
from adapters.phoenix.channel import ConnectInfo
from adapters.phoenix.handshake import origin_allowed
from entrypoints.access.client_address import address_group, parse_networks
from entrypoints.access.rate_limits import RateLimited, RateLimiter
from entrypoints.access.tokens import service_tokens
from entrypoints.settings import BadSetting, Settings

_LOCAL_ORIGINS = ("//localhost", "//127.0.0.1", "//[::1]")
MAX_BODY = 64 * 1024
"""The largest request body, in bytes."""

_PRIVATE_DOMAINS = (".localhost", ".internal", ".local")
"""Domains of which nobody can register a name (RFC 6761, RFC 6762, and ICANN for `.internal`)."""

Guard = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], None]


def api_guards(settings: Settings, host: str, limits: RateLimiter) -> list[Guard]:
    """Return the guards of an API: of who may call it, and of the bodies that it takes.

    `host`: the address that it listens on.
    """
    if service_tokens(settings.service_token):
        return [token_guard(settings.service_token, limits), only_json]
    return [local_guard(socket_origins(settings.allowed_origins, host), host), only_json]


def socket_origins(allowed: str, host: str) -> list[str] | None:
    """Return the patterns of the web origins that may open a socket; None: all.

    `allowed`: comma-separated origins; empty: only this machine's and those of `host`; *: all.
    Raises: BadSetting.
    """
    if allowed == "*":
        return None
    given = [origin.strip() for origin in allowed.split(",") if origin.strip()]
    try:
        origin_allowed("http://localhost", given)
    except ValueError as error:  # of an address that has the shape of one
        raise BadSetting(f"ALLOWED_ORIGINS: {error}") from None
    return given or [*_LOCAL_ORIGINS, _any_scheme(host)]


def _any_scheme(host: str) -> str:
    """Return the pattern of the origins at a host, whatever their scheme and port."""
    return f"//[{host}]" if ":" in host else f"//{host}"


def token_check(service_token: str) -> Callable[[str], bool]:
    """Return a check for valid service tokens; without any configured, every token is valid."""
    tokens = [token.encode() for token in service_tokens(service_token)]

    def is_valid(given: str) -> bool:
        sent = given.strip().encode()
        # All tokens are compared, each in constant time: the time taken reveals nothing.
        return not tokens or any([compare_digest(sent, each) for each in tokens])

    return is_valid


def caller_address(settings: Settings) -> Callable[[ConnectInfo], str | None]:
    """Return a function that tells callers with a service token what address they are known by.

    It is the one that limits count by: behind a proxy that names nobody, it is the proxy's.
    """
    is_valid, proxies = (
        token_check(settings.service_token),
        parse_networks(settings.trusted_proxies),
    )
    is_needed = bool(service_tokens(settings.service_token))

    def address(info: ConnectInfo) -> str | None:
        scheme, _space, given = info.headers.get("authorization", "").partition(" ")
        if is_needed and scheme.lower() == "bearer" and is_valid(given):
            return address_group(info, proxies)
        return None

    return address


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


def local_guard(origins: Sequence[str] | None, host: str) -> Guard:
    """Return a guard for an API without a token, which refuses what a foreign page sends.

    A page of a foreign name that resolves to this machine (DNS rebinding) names itself as Host, and
    a page of another origin as Origin. `origins`: as `socket_origins` returns them.
    """
    named_origins = (urlsplit(origin).hostname or "" for origin in origins or ())
    known = [_any_scheme(name) for name in (host, *named_origins)]

    def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        named, origin = connection.headers.get("host", ""), connection.headers.get("origin")
        if _is_foreign(named, known):
            raise HTTPException(
                "without SERVICE_TOKEN, /api answers only to this machine's names, and to those of "
                "SERVER_HOST or BRIDGE_HOST and ALLOWED_ORIGINS",
                status_code=421,
            )
        if not origin_allowed(origin, origins) and not is_same_origin(origin, named):
            raise PermissionDeniedException(
                "without SERVICE_TOKEN, /api answers to no page of an origin that is not in "
                "ALLOWED_ORIGINS"
            )

    return guard


def _is_foreign(named: str, known: Sequence[str]) -> bool:
    """Return True if a Host may be the name of somebody's page that leads to this machine.

    Neither an address nor a name without a dot, as containers have, can be.
    """
    if not named:  # HTTP/1.0: no browser
        return False
    name = _hostname(f"//{named}")
    if name is None:
        return True
    if _is_address(name) or "." not in name or name.endswith(_PRIVATE_DOMAINS):
        return False
    return not origin_allowed(f"http://{name}", known)


def _hostname(url: str) -> str | None:
    try:
        return (urlsplit(url).hostname or "").removesuffix(".") or None
    except ValueError:
        return None


def _is_address(name: str) -> bool:
    try:
        ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True


def is_same_origin(origin: str | None, named: str) -> bool:
    """Return whether an origin is the host that a request names."""
    return origin is not None and origin.partition("://")[2].lower() == named.lower()


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
