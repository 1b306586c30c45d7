"""The identifiers of everybody and everything, and the identity of a client."""

import re
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import NamedTuple, NewType

from domain.errors import InvalidPayload, Refusal
from domain.plain_text import MAX_PERSON_NAME, person_name

BusinessId = NewType("BusinessId", str)
UserId = NewType("UserId", str)
LocationId = NewType("LocationId", str)
SessionId = NewType("SessionId", str)
MessageId = NewType("MessageId", str)
TransferId = NewType("TransferId", str)
CoordinatorId = NewType("CoordinatorId", str)

IDENTIFIER_PATTERN = r"^(?!\.{1,2}$)[A-Za-z0-9._:@-]{1,128}$"
"""Any identifier, for schemas. Its `$` lets a final line break through, `identifier` does not.

`.` and `..` are none: in a path they would lead elsewhere.
"""
STORED_IDENTIFIER_PATTERN = r"^[A-Za-z0-9._:@-]{1,128}$"
"""Any identifier that an earlier version accepted, for schemas."""
IDEMPOTENCY_WINDOW = timedelta(hours=48)
"""The time for which a message id or an idempotency key marks a repeat."""
LIVE_CHAT_PREFIX = "chat:"

_is_visitor_id = re.compile(r"v-[0-9a-f]{32}").fullmatch

_is_identifier = re.compile(IDENTIFIER_PATTERN).fullmatch
_is_stored_identifier = re.compile(STORED_IDENTIFIER_PATTERN).fullmatch


def identifier(name: str, value: object) -> str:
    """Return `value` if it is an identifier. Raises: InvalidPayload.

    That is 1–128 characters of `[A-Za-z0-9._:@-]`, but neither `.` nor `..`.
    """
    if not isinstance(value, str) or _is_identifier(value) is None:
        raise InvalidPayload(
            f"{name} must be 1-128 characters of [A-Za-z0-9._:@-], but not . or .."
        )
    return value


def business_identifier(name: str, value: object) -> BusinessId:
    """Return `value` if it is an identifier without `:`. Raises: InvalidPayload.

    A topic such as `chat:{businessId}:{userId}` must name one customer.
    """
    text = identifier(name, value)
    if ":" in text:
        raise InvalidPayload(f"{name} must not contain a colon")
    return BusinessId(text)


def coordinator_id(name: str, value: object) -> CoordinatorId:
    """Return the id of a coordinator, which is the name that people read. Raises: InvalidPayload.

    See `domain.plain_text.person_name`. Any identifier is one, too.
    """
    found = person_name(value) if isinstance(value, str) else None
    if found is None or found in (".", ".."):
        raise InvalidPayload(
            f"{name} must be a name of 1-{MAX_PERSON_NAME} characters, on one line"
        )
    return CoordinatorId(found)


class Customer(NamedTuple):
    """A user of one business; messages never reach another customer.

    A tuple, because it is the key of everything in memory and is hashed twenty times a turn.
    """

    business_id: BusinessId
    user_id: UserId


def customer(business_id: object, user_id: object) -> Customer:
    """Return the customer that these two name. Raises: InvalidPayload."""
    return Customer(
        business_identifier("businessId", business_id), UserId(identifier("userId", user_id))
    )


def stored_business(value: object) -> BusinessId:
    """Return a business whose data may be stored, also under an id that is refused today.

    Raises: InvalidPayload.
    """
    return BusinessId(_stored_identifier("businessId", value))


def stored_customer(business_id: object, user_id: object) -> Customer:
    """Return a customer whose data may be stored, also under ids that are refused today.

    Raises: InvalidPayload.
    """
    return Customer(stored_business(business_id), UserId(_stored_identifier("userId", user_id)))


def _stored_identifier(name: str, value: object) -> str:
    if isinstance(value, str) and _is_stored_identifier(value) is not None:
        return value
    return identifier(name, value)


def visitor_id(digits: str) -> UserId:
    """Return the id of a visitor: a customer that the server names. `digits`: 32 hex digits."""
    return UserId(f"v-{digits}")


def is_visitor(user_id: str) -> bool:
    """Return whether a user's id is a visitor's."""
    return _is_visitor_id(user_id) is not None


def live_chat_topic(customer: Customer) -> str:
    """Return the topic of the customer's live chat on the bridge's socket, which is nobody else's.

    A business of an earlier version may have a `:`, which is escaped: no other id can have a `%`.
    """
    business_id = customer.business_id.replace(":", "%3A")
    return f"{LIVE_CHAT_PREFIX}{business_id}:{customer.user_id}"


class Unauthorized(Refusal):
    """A valid token is needed for that."""

    code = "unauthorized"


class VisitorsOff(Refusal):
    """This server has no tokens for visitors: VISITOR_SECRET is empty, or SOCKET_AUTH is none."""

    code = "visitors_off"


class IdentityUnavailable(Refusal):
    """Nobody can tell just now whether the token is valid. Try again."""

    code = "identity_unavailable"

    def __init__(self, reason: str = "", *, wait_s: float = 1.0) -> None:
        super().__init__(*([reason] if reason else []))
        self.retry_after_ms = max(1, ceil(wait_s * 1000))


class Role(StrEnum):
    """The side of the conversation that an identity belongs to."""

    USER = "user"
    COORDINATOR = "coordinator"


def identity_name(role: Role, name: str, value: object) -> str:
    """Return the name of an identity: a coordinator's, or a user's id. Raises: InvalidPayload."""
    return (coordinator_id if role is Role.COORDINATOR else identifier)(name, value)


class Identity(NamedTuple):
    """The proven identity of a client."""

    role: Role
    business_id: BusinessId
    name: str
    """The user's id, or the coordinator's."""
    until: datetime
    """The time at which the proof expires; aware, in UTC."""
    credential: str = ""
    """The mark of the password behind a proof that can be withdrawn; empty: it cannot."""

    def is_user(self, who: Customer) -> bool:
        """Return whether it is this customer."""
        return self.role is Role.USER and (self.business_id, self.name) == who

    def is_coordinator_of(self, business_id: str) -> bool:
        """Return whether it is a coordinator of the business."""
        return self.role is Role.COORDINATOR and self.business_id == business_id

    def is_same_as(self, other: "Identity") -> bool:
        """Return whether both are the same, whenever their proofs expire."""
        return self[:3] == other[:3]


def addressee(
    owner: Customer | None, business_id: str | None = None, user_id: str | None = None
) -> Customer:
    """Return the recipient of a coordinator's message: a session's owner, or the user named.

    `owner`: of the session that the message names, if it does. Raises: InvalidPayload, when neither
    is named, or the session belongs to another user than the one named.
    """
    if owner is None:
        if business_id is None or user_id is None:
            raise InvalidPayload("sessionId, or businessId and userId, must say to whom")
        return customer(business_id, user_id)
    if business_id not in (None, owner.business_id) or user_id not in (None, owner.user_id):
        raise InvalidPayload("the session is another user's")
    return owner
