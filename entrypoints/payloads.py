"""Client payloads: identifiers, conversion into shapes, and shapes that both sockets share."""

from datetime import datetime
from typing import Annotated, Any, TypeVar

import msgspec
from litestar.params import PathParameter

from adapters.json_shapes import CamelStruct
from domain.errors import InvalidPayload
from domain.identity import (
    IDENTIFIER_PATTERN,
    STORED_IDENTIFIER_PATTERN,
    CoordinatorId,
    LocationId,
    MessageId,
    SessionId,
    coordinator_id,
    identifier,
)
from domain.plain_text import MAX_PERSON_NAME

Shape = TypeVar("Shape", bound=msgspec.Struct)

Identifier = Annotated[str, msgspec.Meta(pattern=IDENTIFIER_PATTERN)]
CoordinatorName = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=4 * MAX_PERSON_NAME,
        description="A coordinator's name as people write it: 1-128 characters on one line, after "
        "trimming and in normal form (NFC).",
    ),
]
SessionIdPath = Annotated[
    str,
    PathParameter(
        name="sessionId", pattern=IDENTIFIER_PATTERN, description="The conversation's id."
    ),
]
ConfirmIdPath = Annotated[
    str,
    PathParameter(
        name="confirmId", pattern=IDENTIFIER_PATTERN, description="The id of a question for a yes."
    ),
]
BusinessIdPath = Annotated[str, PathParameter(name="businessId", pattern=STORED_IDENTIFIER_PATTERN)]
UserIdPath = Annotated[str, PathParameter(name="userId", pattern=STORED_IDENTIFIER_PATTERN)]
Time = Annotated[datetime, msgspec.Meta(tz=True)]


class TypingPush(CamelStruct):
    """`typing`: somebody is writing; it expires by itself."""

    author: str
    expires_in_ms: int


def parse(payload: Any, shape: type[Shape]) -> Shape:
    """Convert a decoded payload into its shape. Raises: InvalidPayload."""
    try:
        return msgspec.convert(payload, shape)
    except msgspec.ValidationError as error:
        raise InvalidPayload(str(error)) from error


def as_session_id(value: str) -> SessionId:
    """Validate a session id. Raises: InvalidPayload."""
    return SessionId(identifier("sessionId", value))


def as_message_id(value: str | None) -> MessageId | None:
    """Validate a message id, if there is one. Raises: InvalidPayload."""
    return None if value is None else MessageId(identifier("messageId", value))


def as_coordinator_id(value: str | None) -> CoordinatorId | None:
    """Validate a coordinator id, if there is one. Raises: InvalidPayload."""
    return None if value is None else coordinator_id("coordinatorId", value)


def as_location_id(value: str | None) -> LocationId | None:
    """Validate a location id, if there is one. Raises: InvalidPayload."""
    return None if value is None else LocationId(identifier("locationId", value))
