"""Who may join at the reference bridge: a program, a person by a token, or anybody."""

from collections.abc import Callable
from dataclasses import dataclass

from adapters.phoenix.channel import ChannelSocket
from application.ports import Clock
from domain.identity import Unauthorized
from entrypoints.access.auth import (
    Identify,
    TokenLease,
    TokenRefreshed,
    bearer_token,
    refresh_lease,
)
from entrypoints.access.coordinators import CoordinatorSignIn
from entrypoints.access.guards import token_check
from entrypoints.access.rate_limits import RateLimiter
from entrypoints.access.tokens import service_tokens
from entrypoints.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinAccess:
    """Verifies whoever joins a topic, by the token that comes with the join."""

    is_service_token: Callable[[str], bool]
    has_service_tokens: bool
    """Without any, nobody is known to be a program."""
    identify: Identify | None
    """None: identities are not verified (SOCKET_AUTH=none)."""
    sign_in: CoordinatorSignIn | None
    """None: COORDINATORS is empty."""
    limits: RateLimiter
    clock: Clock

    @property
    def has_proofs(self) -> bool:
        """True if coordinators have something to prove by that they are; else anybody is one."""
        return self.has_service_tokens or self.sign_in is not None

    @property
    def takes_tokens(self) -> bool:
        """True if other tokens than those of the sign-in are good."""
        return self.has_service_tokens or self.identify is not None

    async def admit(self, socket: ChannelSocket, given: str) -> tuple[bool, TokenLease | None]:
        """Return whether it is a program, and the lease of a verified identity, if it is one.

        Raises: Unauthorized, IdentityUnavailable, RateLimited.
        """
        needs_token = self.takes_tokens or self.sign_in is not None
        token = bearer_token(socket.info, given) if needs_token else ""
        if self.has_service_tokens and self.is_service_token(token):
            return True, None  # no limits hold for it
        self.limits.admit_join(socket.info)
        lease = None
        if (identify := self._verifier_of(token)) is not None:
            if not token:
                raise Unauthorized("a token is needed")
            is_withdrawn = self.sign_in.is_withdrawn if self.sign_in is not None else None
            lease = TokenLease(socket, self.clock, await identify(token), is_withdrawn)
        self.limits.admit_authenticated_join()
        return False, lease

    async def refresh(self, lease: TokenLease | None, token: str) -> TokenRefreshed:
        """Extend a lease, if there is one. Raises: Unauthorized, IdentityUnavailable."""
        return await refresh_lease(lease, self._verifier_of(token), token)

    def _verifier_of(self, token: str) -> Identify | None:
        """Return what verifies a token; None: nothing does, and nobody's identity is known."""
        if self.sign_in is not None and self.sign_in.is_own(token):
            return self.sign_in.identify
        return self.identify


def join_access(
    settings: Settings,
    identify: Identify | None,
    sign_in: CoordinatorSignIn | None,
    limits: RateLimiter,
    clock: Clock,
) -> JoinAccess:
    """Return who may join, by the settings."""
    return JoinAccess(
        is_service_token=token_check(settings.service_token),
        has_service_tokens=bool(service_tokens(settings.service_token)),
        identify=identify,
        sign_in=sign_in,
        limits=limits,
        clock=clock,
    )
