"""Who somebody is on a channel: the token that says so, and what happens when it ends."""

import socket
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.json_shapes import CamelStruct, timestamp
from adapters.phoenix.channel import ChannelSocket, ConnectInfo
from adapters.system import SystemClock
from application.ports import Clock, Timer
from domain.identity import Identity, Role, Unauthorized, identifier
from entrypoints.settings import BadSetting, Settings

if TYPE_CHECKING:
    from adapters.jwt.keys import VerificationKey
    from adapters.jwt.published import PublishedKeys
    from adapters.jwt.tokens import JwtTokens

MAX_TIMER_S = 86_400.0
"""A later end is looked at again then."""

Identify = Callable[[str], Awaitable[Identity]]
"""Whom a token names. Raises: Unauthorized, IdentityUnavailable."""


class RefreshToken(CamelStruct):
    """`refresh_token`: a new token for the channel's identity."""

    token: str


class TokenRefreshed(CamelStruct):
    """The reply: until when the channel goes on; null where no token is asked for."""

    token_expires_at: str | None


class TokenExpired(CamelStruct):
    """`token_expired`: the token's time is over; `phx_close` follows."""

    reason: str = "token_expired"


def bearer(info: ConnectInfo, given: str | None) -> str:
    """The token of a join; empty, if there is none.

    The first that is there counts, good or bad: the join's own, the one offered as a sub-protocol,
    the connect parameter.
    """
    if given:
        return given
    offered = info.token
    if offered.bad:
        raise Unauthorized("the token is not valid")
    return offered.value or info.params.get("token", "")


class TokenLease:
    """Somebody's time on a channel, from the join to the end of the token.

    At the end the client hears `token_expired` and then phx_close, after which no official client
    joins again by itself: phx_error would have it come back with the same token for ever.
    """

    __slots__ = ("_clock", "_link", "_timer", "identity")

    def __init__(self, link: ChannelSocket, clock: Clock, identity: Identity) -> None:
        self._link = link
        self._clock = clock
        self._timer: Timer | None = None
        self.identity = identity

    @property
    def expires_at(self) -> str:
        """When it ends, as it stands on the wire."""
        return timestamp(self.identity.until)

    @property
    def is_over(self) -> bool:
        """Whether it has ended; the timer tells that late where the machine was asleep."""
        return self._clock.now() >= self.identity.until

    def begin(self) -> None:
        """Have the channel ended in time. Call it once the join is answered."""
        left_s = (self.identity.until - self._clock.now()).total_seconds()
        self._timer = self._clock.call_later(min(max(left_s, 0.0), MAX_TIMER_S), self._look)

    def go_on(self, identity: Identity) -> None:
        """By a new token of the same bearer. Raises: Unauthorized."""
        if self.is_over:
            raise Unauthorized("the token has expired")
        if not self.identity.is_same_as(identity):
            raise Unauthorized("the token is somebody else's")
        self.end()
        self.identity = identity
        self.begin()

    def end(self) -> None:
        """The channel has ended."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def expire(self) -> None:
        """Tell the client, and end the channel."""
        self.end()
        self._link.push("token_expired", TokenExpired())
        self._link.stop()

    def _look(self) -> None:
        if self.is_over:
            self.expire()
        else:
            self.begin()


async def refreshed(
    stay: TokenLease | None, identify: Identify | None, token: str
) -> TokenRefreshed:
    """Go on by a new token. Raises: Unauthorized, IdentityUnavailable."""
    if stay is None or identify is None:
        return TokenRefreshed(None)
    stay.go_on(await identify(token))
    return TokenRefreshed(stay.expires_at)


def tokens(settings: Settings) -> "JwtTokens | None":
    """What reads the tokens of SOCKET_AUTH=jwt; None where everybody is believed.

    Raises: BadSetting.
    """
    if settings.socket_auth == "none":
        return None
    from adapters.jwt.tokens import JwtTokens

    return JwtTokens(_key(settings), audience=settings.jwt_audience, issuer=settings.jwt_issuer)


_KEYS = ("JWT_SECRET", "JWT_PUBLIC_KEY_FILE", "JWT_JWKS_URL")


def _key(settings: Settings) -> "VerificationKey | PublishedKeys":
    from adapters.jwt.keys import BadKey, file_key, secret_key

    given = [name for name in _KEYS if getattr(settings, name.lower())]
    if len(given) != 1:
        said = f"{' and '.join(given)} are set" if given else "none is set"
        raise BadSetting(f"SOCKET_AUTH=jwt needs exactly one of {', '.join(_KEYS)}, but {said}")
    try:
        if settings.jwt_secret:
            return secret_key(settings.jwt_secret)
        if settings.jwt_public_key_file:
            return file_key(Path(settings.jwt_public_key_file))
    except BadKey as error:
        raise BadSetting(f"{given[0]} {error}") from None
    from adapters.jwt.published import PublishedKeys

    return PublishedKeys(settings.jwt_jwks_url)


def signed(settings: Settings, role: str, business: str, name: str, ttl_s: int) -> str:
    """A token for trying things out, by JWT_SECRET. Raises: BadSetting, InvalidPayload."""
    from adapters.jwt.keys import BadKey, secret_key
    from adapters.jwt.tokens import make_token

    if not settings.jwt_secret:
        raise BadSetting(
            "JWT_SECRET is empty, and tokens are made here with it alone (HS256): those of a "
            "public key are made by who has its private key"
        )
    try:
        key = secret_key(settings.jwt_secret)
    except BadKey as error:
        raise BadSetting(f"JWT_SECRET {error}") from None
    return make_token(
        key,
        Role(role),
        identifier("business", business),
        identifier(role, name),
        at=SystemClock().now(),
        ttl_s=ttl_s,
        audience=settings.jwt_audience,
        issuer=settings.jwt_issuer,
    )


def require_trust(settings: Settings, host: str, variable: str) -> None:
    """Where everybody is believed, only this machine's own may come. Raises: BadSetting.

    `variable`: the one that says `host`.
    """
    if settings.socket_auth == "none" and settings.allow_insecure != "1" and not _is_here(host):
        raise BadSetting(
            f"{variable} is {host!r}, where others than this machine can come, and SOCKET_AUTH=none"
            " believes whoever they say they are: set SOCKET_AUTH=jwt, or ALLOW_INSECURE=1"
        )


def is_open(settings: Settings, host: str) -> bool:
    """Whether others than this machine's own can come, and `/api` asks nobody for a token."""
    return not settings.service_token.strip(" ,") and not _is_here(host)


def _is_here(host: str) -> bool:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError:
        return True  # nobody can come there; that it cannot be listened on is told as such
    return all(ip_address(str(info[4][0]).partition("%")[0]).is_loopback for info in found)
