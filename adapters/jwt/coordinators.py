"""Tokens of coordinators who have signed in with a password: each for one business."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from adapters.jwt.issued import IssuedTokens, is_of_kind
from domain.identity import BusinessId, CoordinatorId, Identity, Role, Unauthorized

VALID_FOR = timedelta(hours=12)
"""The time for which a coordinator's token is valid: longer than a shift."""
_KIND = "coordinator"


class SignedIn(NamedTuple):
    """A coordinator by a valid token, and the time at which the password was given."""

    identity: Identity
    since: datetime


class CoordinatorTokens(IssuedTokens):
    """Signs the tokens of coordinators, and verifies them."""

    def __init__(self, secret: str) -> None:
        """Raises: BadKey."""
        super().__init__(_KIND, [secret], required=("role", "auth_time", "mark"))

    def sign(
        self,
        name: CoordinatorId,
        business_id: BusinessId,
        credential: str,
        *,
        at: datetime,
        since: datetime,
    ) -> tuple[str, datetime]:
        """Return a token, and the time at which it expires.

        `credential`: the mark of the password; `since`: the time at which it was given.
        """
        claims = {
            "sub": name,
            "biz": business_id,
            "role": Role.COORDINATOR,
            "mark": credential,
            "auth_time": int(since.timestamp()),
        }
        return self._sign(claims, at, VALID_FOR)

    def verify(self, token: str) -> SignedIn:
        """Return who has signed in, by a valid token. Raises: Unauthorized."""
        identity, claims = self._verify(token)
        if identity.role is not Role.COORDINATOR or not claims["mark"]:
            raise Unauthorized("the token is not valid")
        since = datetime.fromtimestamp(claims["auth_time"], UTC)
        return SignedIn(identity._replace(credential=claims["mark"]), since)


def is_coordinators(token: str) -> bool:
    """Return whether a token says that it is a coordinator's, who has signed in."""
    return is_of_kind(token, _KIND)
