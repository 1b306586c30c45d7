"""Tokens of visitors: customers that the server itself has named, as nobody signs them in."""

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

import jwt

from adapters.jwt.keys import BadKey, VerificationKey, secret_key
from adapters.jwt.tokens import LEEWAY_S, MAX_TOKEN, JwtTokens, identity_of
from application.ports import VisitorCredentials
from domain.identity import Customer, Identity, Role, Unauthorized, is_visitor

VISITOR_FOR = timedelta(days=30)
"""The time for which a visitor's token is valid."""
_ISSUER = "ai-agent-server/visitors"
# RFC 8725, 3.11: a type of its own, which `JwtTokens` refuses.
_TYPE = "visitor+jwt"
_REQUIRED = ["exp", "sub", "biz", "aud", "iss"]


class VisitorTokens(VisitorCredentials):
    """Signs the tokens of visitors with the first of the keys, and verifies them with each."""

    def __init__(self, secrets: Sequence[str]) -> None:
        """Raises: BadKey."""
        if not secrets:
            raise BadKey("names no secret")
        self._keys = [_key(secret) for secret in secrets]

    def sign(self, visitor: Customer, at: datetime) -> tuple[str, datetime]:
        until = at.replace(microsecond=0) + VISITOR_FOR
        claims = {
            "iss": _ISSUER,
            "aud": _ISSUER,
            "sub": visitor.user_id,
            "biz": visitor.business_id,
            "iat": int(at.timestamp()),
            "exp": int(until.timestamp()),
        }
        key = self._keys[0]
        signed = jwt.encode(claims, key.material, key.algorithm, headers={"typ": _TYPE})
        return signed, until

    def verify(self, token: str) -> Identity:
        if len(token) > MAX_TOKEN:
            raise Unauthorized("the token is too long")
        for key in self._keys:
            try:
                read = jwt.decode_complete(
                    token,
                    key.material,
                    algorithms=[key.algorithm],
                    audience=_ISSUER,
                    issuer=_ISSUER,
                    leeway=LEEWAY_S,
                    options={"require": _REQUIRED},
                )
                identity = identity_of(read["payload"])
            except jwt.InvalidSignatureError:
                continue
            except jwt.ExpiredSignatureError:
                raise Unauthorized("the token has expired") from None
            except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
                break
            if identity.role is Role.USER and is_visitor(identity.name):
                return identity
            break
        raise Unauthorized("the token is not valid")


class UsersAndVisitors:
    """Verifies the tokens of a business's own users, and those of visitors."""

    def __init__(self, users: JwtTokens, visitors: VisitorTokens) -> None:
        self._users = users
        self._visitors = visitors

    async def __call__(self, token: str) -> Identity:
        """Return the identity in a valid token. Raises: Unauthorized, IdentityUnavailable.

        A visitor is whom the server has named: nobody else's token may name them.
        """
        if _is_visitors(token):
            return self._visitors.verify(token)
        identity = await self._users(token)
        if is_visitor(identity.name):
            raise Unauthorized("the token is not valid")
        return identity


def _is_visitors(token: str) -> bool:
    """Return whether a token says that it is a visitor's."""
    try:
        return jwt.get_unverified_header(token[:MAX_TOKEN]).get("typ") == _TYPE
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        return False


def _key(secret: str) -> VerificationKey:
    """Return the key that a secret gives.

    It is derived, so that it is no other's, even where another secret has the same value.
    """
    key = secret_key(secret)
    derived = hmac.digest(secret.encode(), _ISSUER.encode(), "sha256")
    return VerificationKey(key.algorithm, derived)
