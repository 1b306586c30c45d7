"""Authentication on a channel: the token of a join, and the lease that it gives."""

from collections.abc import Awaitable, Callable

from adapters.json_shapes import CamelStruct, timestamp
from adapters.phoenix.channel import ChannelSocket, ConnectInfo
from application.ports import Clock, Timer
from domain.identity import Identity, Unauthorized

MAX_TIMER_S = 86_400.0
"""The longest timer that is set, in seconds; a later expiry is checked again after it."""
WITHDRAWN_WITHIN_S = 5.0
"""The time in which a proof that is withdrawn closes a channel, though nobody uses it."""

Identify = Callable[[str], Awaitable[Identity]]
"""Return the identity in a token. Raises: Unauthorized, IdentityUnavailable."""


class RefreshToken(CamelStruct):
    """`refresh_token`: a new token for the channel's identity."""

    token: str


class TokenRefreshed(CamelStruct):
    """The reply to `refresh_token`: the new expiry; null where no token is required."""

    token_expires_at: str | None


class TokenExpired(CamelStruct):
    """`token_expired`: the token has expired; `phx_close` follows."""

    reason: str = "token_expired"


def bearer_token(info: ConnectInfo, given: str | None) -> str:
    """Return the token of a join; empty, if there is none. Raises: Unauthorized.

    The first one present counts, valid or not: the join's own, the one offered as a sub-protocol,
    the connect parameter.
    """
    if given:
        return given
    offered = info.token
    if offered.bad:
        raise Unauthorized("the token is not valid")
    return offered.value or info.params.get("token", "")


class TokenLease:
    """Closes the channel when its token expires, or is withdrawn.

    The client gets `token_expired` and then phx_close, after which no official client joins again
    by itself: after phx_error it would rejoin with the same token for ever.
    """

    __slots__ = ("_clock", "_is_withdrawn", "_socket", "_timer", "identity")

    def __init__(
        self,
        socket: ChannelSocket,
        clock: Clock,
        identity: Identity,
        is_withdrawn: Callable[[Identity], bool] | None = None,
    ) -> None:
        self._socket = socket
        self._clock = clock
        self._is_withdrawn = is_withdrawn
        self._timer: Timer | None = None
        self.identity = identity

    @property
    def expires_at(self) -> str:
        """The expiry of the token, as it is on the wire."""
        return timestamp(self.identity.until)

    @property
    def is_expired(self) -> bool:
        """True if the token has expired, or is withdrawn.

        After a suspend of the machine, the timer is late.
        """
        if self._is_withdrawn is not None and self._is_withdrawn(self.identity):
            return True
        return self._clock.wall() >= self.identity.until

    def begin(self) -> None:
        """Schedule the close at token expiry. Call it once the join is answered."""
        left_s = (self.identity.until - self._clock.wall()).total_seconds()
        most_s = WITHDRAWN_WITHIN_S if self.identity.credential else MAX_TIMER_S
        self._timer = self._clock.call_later(min(max(left_s, 0.0), most_s), self._check)

    def refresh(self, identity: Identity) -> None:
        """Extend the lease with a new token for the same identity. Raises: Unauthorized."""
        if self.is_expired:
            raise Unauthorized("the token has expired")
        if not self.identity.is_same_as(identity):
            raise Unauthorized("the token is somebody else's")
        self.end()
        self.identity = identity
        self.begin()

    def end(self) -> None:
        """Cancel the scheduled close, if there is one."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def expire(self) -> None:
        """Notify the client, and close the channel."""
        self.end()
        self._socket.push("token_expired", TokenExpired())
        self._socket.stop()

    def _check(self) -> None:
        if self.is_expired:
            self.expire()
        else:
            self.begin()


async def refresh_lease(
    lease: TokenLease | None, identify: Identify | None, token: str
) -> TokenRefreshed:
    """Extend a lease, if there is one. Raises: Unauthorized, IdentityUnavailable."""
    if lease is None:
        return TokenRefreshed(None)
    if identify is None:
        raise Unauthorized("the token is not valid")
    lease.refresh(await identify(token))
    return TokenRefreshed(lease.expires_at)
