"""What a conversation's log is made of: messages and status changes, each with its seq."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from domain.errors import InvalidPayload, MessageTooLong
from domain.identity import CoordinatorId, MessageId
from domain.status import Reason, Status
from domain.transfer import Transfer
from domain.value import value

MAX_TEXT = 8_000
"""The longest message, in characters after trimming."""

Action = Mapping[str, object]
"""What a client can act on: `{"type": "live_chat" | "reservations" | "business_info", …}`."""


class Author(StrEnum):
    """Whose words a message is."""

    USER = "user"
    AI = "ai"
    COORDINATOR = "coordinator"
    SYSTEM = "system"


@value
class Message:
    """Somebody's words. `seq` counts every entry of the session from 1, without gaps."""

    seq: int
    message_id: MessageId
    """The client's own id where it sent one; for an answer, its responseId."""
    author: Author
    text: str
    at: datetime
    actions: tuple[Action, ...] = ()
    in_reply_to: tuple[MessageId, ...] = ()
    answers: int = 0
    """An answer settles all user messages up to this seq; 0: it answers nothing."""
    failed: bool = False
    """An apology in the place of an answer that the AI could not give."""
    coordinator_id: CoordinatorId | None = None


@value
class StatusChange:
    """Who owns the conversation from here on."""

    seq: int
    status: Status
    epoch: int
    reason: Reason
    at: datetime
    transfer: Transfer | None = None
    text: ClassVar[str] = ""
    summary: str | None = None
    """What the side that gave the conversation away says of it."""


Entry = Message | StatusChange


def message_text(value: object) -> str:
    """The trimmed text of a message, 1–8,000 characters. Raises: InvalidPayload, MessageTooLong."""
    if not isinstance(value, str):
        raise InvalidPayload("message must be a string")
    text = value.strip()
    if not text:
        raise InvalidPayload("message must not be empty")
    if len(text) > MAX_TEXT:
        raise MessageTooLong
    if not text.isascii():
        _refuse_lone_surrogates(text)
    return text


def _refuse_lone_surrogates(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidPayload("message must be valid Unicode text") from error
