"""The entries of a conversation's log: messages and status changes, each with its seq."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from msgspec import Struct

from domain.errors import InvalidPayload, MessageTooLong
from domain.identity import CoordinatorId, MessageId
from domain.plain_text import is_blank, plain_text
from domain.promise import Verdict
from domain.status import DELIVERY, Reason, Status
from domain.tokens import estimate_tokens
from domain.transfer import Transfer
from domain.usage import Usage
from domain.write_call import WriteStep

MAX_MESSAGE_LENGTH = 8_000
"""The longest message, in characters after trimming."""
MAX_HANDOVER_NOTE = 4_000
"""The longest note that a coordinator leaves when handing a conversation back, in characters."""
MAX_WHISPER = 2_000
"""The longest whisper of a coordinator to the AI, in characters."""

ENTRY_OVERHEAD_TOKENS = 10
"""The tokens that each entry adds to a view besides its text: the author and the time."""

Action = Mapping[str, object]
"""An offer or a card: `{"type": "live_chat" | "reservations" | "sources" | "confirm" | …, …}`."""


class Author(StrEnum):
    """The author of a message."""

    USER = "user"
    AI = "ai"
    COORDINATOR = "coordinator"
    SYSTEM = "system"


class Audience(StrEnum):
    """The readers of an entry; export and erasure cover every one of them."""

    ALL = "all"
    """The customer, the coordinators and the AI: what is said in the conversation."""
    CUSTOMER_AND_COORDINATOR = "customer+coordinator"
    """A question for a yes, or a rating."""
    COORDINATOR = "coordinator"
    """A note, or a call of a tool."""
    MODEL = "model"
    """A whisper to the AI."""


_ALL, _MODEL = Audience.ALL, Audience.MODEL
_FOR_CUSTOMER = (_ALL, Audience.CUSTOMER_AND_COORDINATOR)


class ToolOutcome(StrEnum):
    """The outcome of a tool call by the AI."""

    FOUND = "found"
    NOTHING = "nothing"
    """The lookup succeeded; there is none."""
    DONE = "done"
    FAILED = "failed"
    """A look-up: the source did not answer. A change: it was not made."""
    UNKNOWN = "unknown"
    """A change: it may have been made."""
    ASKED = "asked"
    """A change: a person is asked for a yes first."""


class ToolUse(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One call of a tool."""

    name: str
    outcome: ToolOutcome
    query: str | None = None
    """What was searched for; None: it is no search."""
    arguments: str | None = None
    """JSON, at most MAX_ARGUMENTS; of a business's own tool alone."""
    result: str | None = None
    """What such a tool has answered, at most MAX_TOOL_RESULT; None: nothing, or it is in the log as
    an entry of its own."""


class AnswerVersion(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The make of an answer besides its model: digests, which change where what they are of does.

    Empty: there is none.
    """

    prompt: str = ""
    """Of what the AI is told of its task: by the server, and by the business's file."""
    knowledge: str = ""
    """Of the business's documents."""
    tools: str = ""
    """Of the server's own tools, and those of the business's servers that its file allows."""


class Summary(Struct, frozen=True, kw_only=True):
    """A summary that replaces the beginning of a log in the AI's view."""

    text: str
    through: int
    """The seq of the newest entry that is in it."""
    tokens: int | None = None
    """The estimated tokens of all the entries in it: see `Session.tokens`."""
    usage: Usage | None = None
    """The cost of making it."""


class _Entry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The place of an entry in its log. `seq` counts all of the session from 1, without gaps."""

    seq: int
    hidden_before: int = 0
    """The number of entries directly before it that the customer may not see."""

    @property
    def prev_seq(self) -> int:
        """The newest seq before it that the customer may see; 0: there is none."""
        return self.seq - 1 - self.hidden_before


class Message(
    _Entry, frozen=True, kw_only=True, rename={"settles_seq": "answers", "summary": "digest"}
):
    """A message, of a person, the AI or the server, or another fact that one of them records."""

    message_id: MessageId
    """The client's own id where it sent one; for an answer, its responseId."""
    author: Author
    text: str
    at: datetime
    actions: tuple[Action, ...] = ()
    in_reply_to: tuple[MessageId, ...] = ()
    settles_seq: int = 0
    """An answer settles all user messages up to this seq; 0: it is no answer."""
    failed: bool = False
    """An apology in the place of an answer that the AI could not give."""
    coordinator_id: CoordinatorId | None = None
    tools: tuple[ToolUse, ...] = ()
    """The tool calls of the AI for it, in order."""
    usage: Usage | None = None
    """The cost of the answer; None: nothing, or unknown."""
    summary: Summary | None = None
    """A rolling summary made since the answer before, stored along with this one."""
    verdict: Verdict | None = None
    """What a model found that the text claims; None: it was not asked, or did not say."""
    version: AnswerVersion | None = None
    """What the answer was made with; None: by no AI, or it was not recorded."""
    audience: Audience = Audience.ALL
    language: str | None = None
    """The customer's language from this message on; None: as before."""
    unmet: Reason | None = None
    """The reason of a request for a human that nobody can meet. The user is asked to leave a
    message; their own message with it is the one that they leave."""
    write: WriteStep | None = None
    """A step of a call of a tool that changes something: it is made, or somebody says yes to it."""

    @property
    def is_said(self) -> bool:
        """True if it is a part of the conversation: no other entry moves that in any way."""
        return self.audience is _ALL

    @property
    def is_for_customer(self) -> bool:
        """True if the customer may see it."""
        return self.audience in _FOR_CUSTOMER

    @property
    def is_for_model(self) -> bool:
        """True if the AI may see it: what it has called itself, too."""
        return self.audience is _ALL or self.audience is _MODEL or self.write is not None

    @property
    def calls_for_answer(self) -> bool:
        """True if the AI has to answer it: what a user says, and a coordinator's yes or no."""
        if self.audience is _ALL:
            return self.author is Author.USER
        return self.write is not None and self.author is Author.COORDINATOR


class StatusChange(_Entry, frozen=True, kw_only=True, rename={"handover_note": "summary"}):
    """A change of the owner of the conversation, or only of the state of its transfer."""

    is_said: ClassVar[bool] = True
    is_for_customer: ClassVar[bool] = True
    is_for_model: ClassVar[bool] = True
    calls_for_answer: ClassVar[bool] = False
    status: Status
    epoch: int
    reason: Reason
    at: datetime
    transfer: Transfer | None = None
    handover_note: str | None = None
    """A note for the next owner, by the side that handed the conversation over."""

    @property
    def changes_owner(self) -> bool:
        """False if it records only the delivery of the request for a human."""
        return self.reason not in DELIVERY

    @property
    def requests_human(self) -> bool:
        """True if from here on the user waits for a human."""
        return self.status is Status.WAITING and self.changes_owner

    @property
    def text(self) -> str:
        """The text in it, for the count of tokens."""
        return self.handover_note or ""


Entry = Message | StatusChange


def token_cost(entry: Entry) -> int:
    """Estimate the tokens that an entry takes up in a view: none if the AI may not see it."""
    if not entry.is_for_model:
        return 0
    tokens = estimate_tokens(entry.text) + ENTRY_OVERHEAD_TOKENS
    if isinstance(entry, Message) and (step := entry.write) is not None:
        tokens += estimate_tokens(step.arguments) + estimate_tokens(step.result)
    return tokens


def message_text(value: object) -> str:
    """Return the trimmed `plain_text`, 1–8,000 characters. Raises: InvalidPayload, MessageTooLong.

    Text that shows nothing to a reader is refused as empty.
    """
    if not isinstance(value, str):
        raise InvalidPayload("message must be a string")
    text = plain_text(value).strip()
    if is_blank(text):
        raise InvalidPayload("message must not be empty")
    if len(text) > MAX_MESSAGE_LENGTH:
        raise MessageTooLong
    return text
