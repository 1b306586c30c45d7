"""Verification of tokens, and tokens for development.

A token's claims are `{"sub": the user's or coordinator's id, "biz": the business's, "exp": …}`, and
optionally `role` (`user`, the default, or `coordinator`), `nbf`, `iat`, `aud` and `iss`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

import jwt

from adapters.jwt.keys import VerificationKey
from application.ports import HealthCheck, Lifecycle
from domain.identity import Identity, Role, Unauthorized, business_identifier, identity_name

if TYPE_CHECKING:  # it imports httpx, which is heavy, and mostly not needed
    from adapters.jwt.published import PublishedKeys

MAX_TOKEN = 8_192
"""Characters; a longer one is refused unread."""
LEEWAY_S = 10
"""The tolerated difference between the clocks of the token's issuer and of this machine."""

# RFC 8725, 3.11: a token for something else (a logout, a DPoP proof) has another type.
_TYPES = (None, "jwt", "at+jwt", "application/at+jwt")
_LATEST = int(datetime(9999, 1, 1, tzinfo=UTC).timestamp())
_BROKEN = (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError)


class JwtTokens(Lifecycle, HealthCheck):
    """Verifies tokens; use it as `async with tokens:`."""

    def __init__(
        self, key: "VerificationKey | PublishedKeys", *, audience: str = "", issuer: str = ""
    ) -> None:
        """`audience`, `issuer`: what a token's `aud` and `iss` must be, unless empty."""
        self._key = key
        self._audience = audience or None
        self._issuer = issuer or None
        self._reader = jwt.PyJWT(
            {"require": ["exp", "sub", "biz"], "verify_aud": bool(audience), "verify_jti": False}
        )

    async def __aenter__(self) -> Self:
        if not isinstance(self._key, VerificationKey):
            await self._key.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        if not isinstance(self._key, VerificationKey):
            await self._key.__aexit__(*exc)

    async def check(self) -> None:
        """Make sure that there is a key. Raises: IdentityUnavailable."""
        if not isinstance(self._key, VerificationKey):
            await self._key.check()

    async def __call__(self, token: str) -> Identity:
        """Return the identity in a valid token. Raises: Unauthorized, IdentityUnavailable.

        An error reveals nothing of the token but whether it has expired.
        """
        if len(token) > MAX_TOKEN:
            raise Unauthorized("the token is too long")
        if isinstance(self._key, VerificationKey):
            key = self._key
        else:
            _refuse_expired(token)  # whatever its key: also one that is published no more
            key = await self._key(token)
        try:
            return identity_of(self._claims(token, key))
        except jwt.ExpiredSignatureError:
            raise Unauthorized("the token has expired") from None
        except _BROKEN:
            raise Unauthorized("the token is not valid") from None

    def _claims(self, token: str, key: VerificationKey) -> Mapping[str, Any]:
        # The algorithm is the key's, whatever the token says: neither `none` nor a public key that
        # is used as a secret gets through (RFC 8725, 2.1).
        read = self._reader.decode_complete(
            token,
            key.material,
            algorithms=[key.algorithm],
            audience=self._audience,
            issuer=self._issuer,
            leeway=LEEWAY_S,
        )
        kind = read["header"].get("typ")
        if (kind.lower() if isinstance(kind, str) else kind) not in _TYPES:
            raise jwt.InvalidTokenError
        claims: Mapping[str, Any] = read["payload"]
        return claims


def _refuse_expired(token: str) -> None:
    """Raises: Unauthorized, for a token that is no good whoever has signed it."""
    try:
        jwt.decode(token, options={"verify_signature": False, "verify_exp": True}, leeway=LEEWAY_S)
    except jwt.ExpiredSignatureError:
        raise Unauthorized("the token has expired") from None
    except _BROKEN:
        raise Unauthorized("the token is not valid") from None


def identity_of(claims: Mapping[str, Any]) -> Identity:
    """Return the identity in claims. Raises: InvalidTokenError, ValueError."""
    try:
        business_id = business_identifier("biz", claims["biz"])
        role = Role(claims.get("role", Role.USER))
        name = identity_name(role, "sub", claims["sub"])
    except Exception:
        raise jwt.InvalidTokenError from None
    until = min(int(claims["exp"]), _LATEST) + LEEWAY_S
    return Identity(
        role,
        business_id,
        name,
        datetime.fromtimestamp(until, UTC),
    )


def make_token(
    key: VerificationKey,
    role: Role,
    business_id: str,
    name: str,
    *,
    at: datetime,
    ttl_s: float,
    audience: str = "",
    issuer: str = "",
) -> str:
    """Return a token for development, which expires `ttl_s` seconds after `at`."""
    now = int(at.timestamp())
    claims = {"sub": name, "biz": business_id, "role": role, "iat": now, "exp": now + int(ttl_s)}
    named = {"aud": audience, "iss": issuer}
    claims |= {claim: value for claim, value in named.items() if value}
    return jwt.encode(claims, key.material, key.algorithm)
