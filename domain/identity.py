"""Who talks to whom: the identifiers, and what may stand in one."""

import re
from typing import NamedTuple, NewType

from domain.errors import InvalidPayload

BusinessId = NewType("BusinessId", str)
UserId = NewType("UserId", str)
LocationId = NewType("LocationId", str)
SessionId = NewType("SessionId", str)
MessageId = NewType("MessageId", str)
TransferId = NewType("TransferId", str)
CoordinatorId = NewType("CoordinatorId", str)

_is_identifier = re.compile(r"[A-Za-z0-9._:@-]{1,128}").fullmatch


def identifier(name: str, value: object) -> str:
    """`value`, if it is 1–128 characters of `[A-Za-z0-9._:@-]`. Raises: InvalidPayload."""
    if not isinstance(value, str) or _is_identifier(value) is None:
        raise InvalidPayload(f"{name} must be 1-128 characters of [A-Za-z0-9._:@-]")
    return value


class Customer(NamedTuple):
    """A user of one business: nobody's messages ever reach another customer.

    A tuple, because it is the key of everything in memory and is hashed twenty times a turn.
    """

    business_id: BusinessId
    user_id: UserId


def customer(business_id: object, user_id: object) -> Customer:
    """The customer these two name. Raises: InvalidPayload."""
    return Customer(
        BusinessId(identifier("businessId", business_id)),
        UserId(identifier("userId", user_id)),
    )
