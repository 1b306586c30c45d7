"""The request that opens a socket: parameters, version, token, and the check of its origin.

Source: phoenix `lib/phoenix/transports/websocket.ex` and `lib/phoenix/socket/transport.ex`.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

SUBPROTOCOL = "phoenix"
MAX_SHOWN_ORIGIN = 200
"""Characters of an origin that are logged."""
_is_origin = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[A-Za-z0-9._-]+(:[0-9]+)?", re.ASCII).fullmatch
_TOKEN_PREFIX = "base64url.bearer.phx."
_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


class AuthToken(NamedTuple):
    """The bearer token offered as a sub-protocol; `bad`: one was offered, but cannot be decoded.

    Phoenix answers a bad one with 500; here the socket opens as one without a token.
    """

    value: str | None
    bad: bool


def auth_token(subprotocols: Iterable[str]) -> AuthToken:
    """Decode `base64url.bearer.phx.<base64 without padding>`.

    The alphabet is the standard one, despite the prefix; the URL-safe one is accepted too.
    """
    for offered in subprotocols:
        if offered.startswith(_TOKEN_PREFIX):
            return _decode_token(offered.removeprefix(_TOKEN_PREFIX))
    return AuthToken(None, bad=False)


def _decode_token(encoded: str) -> AuthToken:
    standard = encoded.translate({ord("-"): "+", ord("_"): "/"})
    padding = "=" * (-len(standard) % 4)
    try:
        token = base64.b64decode(standard + padding, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return AuthToken(None, bad=True)
    return AuthToken(token, bad=False)


def query_params(query: bytes) -> dict[str, str]:
    """Return the parameters of a query string; the last of a repeated key, no empty segments."""
    return dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))


def requested_version(params: Mapping[str, str]) -> str | None:
    """Return the requested `vsn`, None if absent; `vsn[]=…` is an unsupported version."""
    if any(key.startswith("vsn[") for key in params):
        return ""
    return params.get("vsn")


def origin_allowed(origin: str | None, patterns: Sequence[str] | None) -> bool:
    """Return True if a page of `origin` may open a socket.

    No Origin header (no browser) and no patterns (None) allow everything. A pattern is
    `https://a.com`, `//a.com` (any scheme and port) or `//*.a.com` (a.com and all below it);
    a scheme implies its default port.
    """
    if origin is None or patterns is None:
        return True
    asking = _origin_parts(origin)
    return asking is not None and any(_origin_matches(asking, pattern) for pattern in patterns)


def shown_origin(origin: str | None) -> str:
    """Return an origin for a log; `null` for anything that is none, which is what pages send."""
    is_one = origin is not None and len(origin) <= MAX_SHOWN_ORIGIN and _is_origin(origin)
    return origin if is_one and origin is not None else "null"


class _Origin(NamedTuple):
    scheme: str
    host: str
    port: int | None


def _origin_parts(text: str) -> _Origin | None:
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        return None
    if not url.hostname:  # "null", which is what sandboxed pages send
        return None
    return _Origin(url.scheme, url.hostname, port or _DEFAULT_PORTS.get(url.scheme))


def _origin_matches(asking: _Origin, pattern: str) -> bool:
    allowed = _origin_parts(pattern)
    if allowed is None:
        raise ValueError(f"{pattern!r} is no origin: write https://host, //host or //*.host")
    if allowed.scheme and allowed.scheme != asking.scheme:
        return False
    if allowed.port is not None and allowed.port != asking.port:
        return False
    if allowed.host.startswith("*."):
        return ("." + asking.host).endswith(allowed.host[1:])
    return asking.host == allowed.host
