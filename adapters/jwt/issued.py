"""Tokens that this program itself issues: each kind with a type, an issuer and a key of its own."""

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import jwt

from adapters.jwt.keys import BadKey, VerificationKey, secret_key
from adapters.jwt.tokens import LEEWAY_S, MAX_TOKEN, identity_of
from domain.identity import Identity, Unauthorized

_REQUIRED = ("exp", "sub", "biz", "aud", "iss")


class IssuedTokens:
    """Signs the tokens of one kind with the first of the keys, and verifies them with each."""

    def __init__(self, kind: str, secrets: Sequence[str], *, required: Sequence[str] = ()) -> None:
        """`required`: claims that its tokens have beside the usual ones. Raises: BadKey."""
        if not secrets:
            raise BadKey("names no secret")
        self._type = token_type(kind)
        self._issuer = f"ai-agent-server/{kind}s"
        self._required = [*_REQUIRED, *required]
        self._keys = [_key(secret, self._issuer) for secret in secrets]

    def _sign(
        self, claims: Mapping[str, Any], at: datetime, valid_for: timedelta
    ) -> tuple[str, datetime]:
        """Return a token with these claims and the usual ones, and the time of its expiry."""
        until = at.replace(microsecond=0) + valid_for
        usual = {
            "iss": self._issuer,
            "aud": self._issuer,
            "iat": int(at.timestamp()),
            "exp": int(until.timestamp()),
        }
        key = self._keys[0]
        signed = jwt.encode(
            {**claims, **usual}, key.material, key.algorithm, headers={"typ": self._type}
        )
        return signed, until

    def _verify(self, token: str) -> tuple[Identity, Mapping[str, Any]]:
        """Return the identity in a valid token, and its claims. Raises: Unauthorized."""
        if len(token) > MAX_TOKEN:
            raise Unauthorized("the token is too long")
        for key in self._keys:
            try:
                claims = jwt.decode(
                    token,
                    key.material,
                    algorithms=[key.algorithm],
                    audience=self._issuer,
                    issuer=self._issuer,
                    leeway=LEEWAY_S,
                    options={"require": self._required},
                )
                return identity_of(claims), claims
            except jwt.InvalidSignatureError:
                continue
            except jwt.ExpiredSignatureError:
                raise Unauthorized("the token has expired") from None
            except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
                break
        raise Unauthorized("the token is not valid")


def token_type(kind: str) -> str:
    """Return the type of the tokens of a kind (RFC 8725, 3.11), which `JwtTokens` refuses."""
    return f"{kind}+jwt"


def is_of_kind(token: str, kind: str) -> bool:
    """Return whether a token says that it is one of this kind."""
    try:
        return jwt.get_unverified_header(token[:MAX_TOKEN]).get("typ") == token_type(kind)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        return False


def _key(secret: str, issuer: str) -> VerificationKey:
    """Return the key that a secret gives.

    It is derived, so that it is no other's, even where another secret has the same value.
    """
    key = secret_key(secret)
    return VerificationKey(key.algorithm, hmac.digest(secret.encode(), issuer.encode(), "sha256"))
