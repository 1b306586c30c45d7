"""What a conversation's log is made of: messages and status changes, each with its seq."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from domain.errors import InvalidPayload, MessageTooLong
from domain.identity import CoordinatorId, MessageId
from domain.status import Reason, Status
from domain.tokens import estimate
from domain.transfer import Transfer
from domain.usage import Usage

MAX_TEXT = 8_000
"""The longest message, in characters after trimming."""
MAX_HANDOVER_NOTE = 4_000
"""The longest note that a coordinator leaves when handing a conversation back, in characters."""

ENTRY_TOKENS = 10
"""What comes with each entry in a view: whose it is, and when it was."""

Action = Mapping[str, object]
"""What a client can act on: `{"type": "live_chat" | "reservations" | "business_info", …}`."""


class Author(StrEnum):
    """Whose words a message is."""

    USER = "user"
    AI = "ai"
    COORDINATOR = "coordinator"
    SYSTEM = "system"


class ToolOutcome(StrEnum):
    """What a tool of the AI's came to."""

    FOUND = "found"
    NOTHING = "nothing"
    """It was looked up, and there is none."""
    DONE = "done"
    FAILED = "failed"
    """Nobody knows: what it asks did not answer."""


class ToolUse(Struct, frozen=True, kw_only=True):
    """One call of a tool."""

    name: str
    outcome: ToolOutcome


class Summary(Struct, frozen=True, kw_only=True):
    """A summary that stands for the beginning of a log, in what the AI sees."""

    text: str
    through: int
    """The seq of the newest entry that is in it."""
    tokens: int | None = None
    """Of all the entries in it: see `Session.tokens`."""
    usage: Usage | None = None
    """What it has cost to make."""


class Message(Struct, frozen=True, kw_only=True, rename={"summary": "digest"}):
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
    tools: tuple[ToolUse, ...] = ()
    """What the AI has used for it, in that order."""
    usage: Usage | None = None
    """What the AI has spent on it; None: nothing, or nobody knows."""
    summary: Summary | None = None
    """An answer brings along what has been made of the log since the one before."""


class StatusChange(Struct, frozen=True, kw_only=True, rename={"handover_note": "summary"}):
    """Who owns the conversation from here on."""

    seq: int
    status: Status
    epoch: int
    reason: Reason
    at: datetime
    transfer: Transfer | None = None
    handover_note: str | None = None
    """What the side that gave the conversation away says of it."""

    @property
    def text(self) -> str:
        """The words in it."""
        return self.handover_note or ""


Entry = Message | StatusChange


def cost(entry: Entry) -> int:
    """About how many tokens an entry takes up in a view."""
    return estimate(entry.text) + ENTRY_TOKENS


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
