"""Tokens of visitors: customers that the server itself has named, as nobody signs them in."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from adapters.jwt.issued import IssuedTokens, is_of_kind
from adapters.jwt.tokens import JwtTokens
from application.ports import VisitorCredentials
from domain.identity import Customer, Identity, Role, Unauthorized, is_visitor

VISITOR_FOR = timedelta(days=30)
"""The time for which a visitor's token is valid."""
_KIND = "visitor"


class VisitorTokens(IssuedTokens, VisitorCredentials):
    """Signs the tokens of visitors, and verifies them."""

    def __init__(self, secrets: Sequence[str]) -> None:
        """Raises: BadKey."""
        super().__init__(_KIND, secrets)

    def sign(self, visitor: Customer, at: datetime) -> tuple[str, datetime]:
        claims = {"sub": visitor.user_id, "biz": visitor.business_id}
        return self._sign(claims, at, VISITOR_FOR)

    def verify(self, token: str) -> Identity:
        identity, _ = self._verify(token)
        if identity.role is Role.USER and is_visitor(identity.name):
            return identity
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
        if is_of_kind(token, _KIND):
            return self._visitors.verify(token)
        identity = await self._users(token)
        if is_visitor(identity.name):
            raise Unauthorized("the token is not valid")
        return identity
