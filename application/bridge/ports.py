"""Every port of the bridge, on one page. Each docstring is the contract that adapters keep."""

from abc import abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from enum import Enum, StrEnum
from typing import Any, NamedTuple, Protocol

from msgspec import Struct

from application.ports import Lifecycle
from domain.bridge.live_chat import ChatMessage, LiveChat, Note, PendingCommand, ServerState
from domain.errors import Failure
from domain.identity import (
    BusinessId,
    CoordinatorId,
    Customer,
    MessageId,
    SessionId,
    UserId,
    live_chat_topic,
)

ReplyBody = Mapping[str, object]
"""The reply to a request: a JSON object."""


class AgentServerUnavailable(Failure):
    """The AI agent server cannot be reached, or cannot do its work."""

    code = "server_unavailable"

    def __init__(self, reason: str = "", *, answers: bool = False) -> None:
        super().__init__(*([reason] if reason else []))
        self.answers = answers
        """True if it can be reached: what it cannot do now may be this one request."""


WAITS_KEPT = 20
"""The waits of a business that its usual wait is taken from: the newest."""


class Listing(Enum):
    """The chats that something is to be done with."""

    OPEN = "open"
    """The waiting and the live ones, the longest waiting first."""
    MISSED = "missed"
    """Those with a missed message, the newest message first."""
    ASKED = "asked"
    """Those that are asked for a yes, the newest step first; see `LiveChat.is_asked`."""
    WATCHED = "watched"
    """See `LiveChat.is_watched`."""
    PENDING = "pending"
    """Those with pending commands, in the order of their first command's time."""


class ChatView(StrEnum):
    """The conversations that a list has."""

    OPEN = "open"
    """Those that are not closed."""
    HISTORY = "history"
    """The closed ones."""
    ALL = "all"


class ChatPage(NamedTuple):
    """A page of conversations, the newest activity first."""

    chats: tuple[LiveChat, ...]
    cursor: str | None
    """The cursor of the next page; None: this is the last one."""


class ChatCounts(NamedTuple):
    """The numbers of a business's chats."""

    unclosed: int
    missed: int
    """Those that have a missed message."""
    asked: int
    """Those that are asked for a yes."""


class Change(Struct, frozen=True, kw_only=True):
    """A unit of storage: all of it is stored, or nothing."""

    at: datetime
    chat: LiveChat | None = None
    waited_s: float | None = None
    """The time from the request of the chat's user to the takeover: one of the business's waits."""
    transcript_key: str | None = None
    """The transcript that the message belongs to."""
    message: ChatMessage | None = None
    note: Note | None = None
    key: str | None = None
    """Idempotency key: `reply` is stored under it for IDEMPOTENCY_WINDOW."""
    reply: ReplyBody | None = None


def live_transcript_key(customer: Customer) -> str:
    """Return the key of what a customer and the coordinators write to each other."""
    return live_chat_topic(customer)


def ai_transcript_key(session_id: SessionId) -> str:
    """Return the key of a conversation with the AI, as the server reports it."""
    return f"session:{session_id}"


class BridgeStore(Lifecycle, Protocol):
    """The bridge's storage. What `save` has returned from survives the death of the process.

    Every method may raise StorageUnavailable, and then has done nothing that a repeat would double.
    """

    @abstractmethod
    async def save(self, change: Change) -> bool:
        """Store the whole change. False: a message or note is a duplicate, and nothing is stored.

        Messages are the same when they have the same message id in the same transcript, notes when
        they have the same note id, coordinator and action in the same conversation. A message can
        be found by its words if the change has its chat.
        """

    @abstractmethod
    async def erase(self, customer: Customer) -> tuple[LiveChat, ...]:
        """Erase all that is stored of a customer, to the last word; return the chats as they were.

        Numbers that name nobody stay. A repeat finds nothing.
        """

    @abstractmethod
    async def chat(self, session_id: SessionId) -> LiveChat | None:
        """Return the chat of this session; None if it is unknown."""

    @abstractmethod
    async def latest_chat(self, customer: Customer) -> LiveChat | None:
        """Return the customer's chat that was stored last for the first time."""

    @abstractmethod
    async def chats(
        self,
        listing: Listing,
        business_id: BusinessId | None = None,
        user_id: UserId | None = None,
        limit: int | None = None,
    ) -> tuple[LiveChat, ...]:
        """Return the chats of a listing: all, or of a business, or of one of its users."""

    @abstractmethod
    async def page(
        self,
        business_id: BusinessId,
        view: ChatView,
        limit: int,
        *,
        query: str = "",
        user_id: UserId | None = None,
        cursor: str | None = None,
    ) -> ChatPage:
        """Return the conversations of a business, or of one of its users, the most active first.

        `query`: only those in whose messages, notes and user id every word is found, whatever its
        case and its diacritics; of the last word the beginning is enough. Raises: InvalidPayload,
        for a cursor that is none.
        """

    @abstractmethod
    async def count_chats(self, business_id: BusinessId) -> ChatCounts:
        """Return the numbers of a business's chats."""

    @abstractmethod
    async def recent_waits_s(self, business_id: BusinessId) -> tuple[float, ...]:
        """Return the last WAITS_KEPT waits of a business, the newest last."""

    @abstractmethod
    async def recent_messages(self, transcript_key: str, limit: int) -> tuple[ChatMessage, ...]:
        """Return the newest messages of a transcript, in the order in which they were stored."""

    @abstractmethod
    async def recent_notes(self, session_id: SessionId, limit: int) -> tuple[Note, ...]:
        """Return the newest notes of a conversation, in the order in which they were stored."""

    @abstractmethod
    async def same_note(self, note: Note) -> Note | None:
        """Return what is stored in this note's place, by its id; None: nothing is."""

    @abstractmethod
    async def stored_reply(self, key: str, now: datetime) -> ReplyBody | None:
        """Return the reply under this key; None if there was none within IDEMPOTENCY_WINDOW."""


class AgentServer(Lifecycle, Protocol):
    """The AI agent server's HTTP API, as far as the coordinators' side needs it.

    Every method raises AgentServerUnavailable where a later try may succeed, and Refusal where none
    will.
    """

    @abstractmethod
    async def set_status(self, session_id: SessionId, command: PendingCommand) -> ServerState:
        """Execute the command and return the state after it. A repeat changes nothing."""

    @abstractmethod
    async def post_message(self, session_id: SessionId, message: ChatMessage) -> SessionId:
        """Post a coordinator's message; return the conversation that has it. A repeat is no other.

        After a conversation that was closed for idleness, that is a new one.
        """

    @abstractmethod
    async def confirm(
        self,
        session_id: SessionId,
        confirm_id: str,
        answer: bool,
        coordinator_id: CoordinatorId,
    ) -> bool:
        """Answer a question for a yes, and return the answer that counts: the first.

        Raises: UnknownConfirmation, ConfirmationExpired, ConfirmationWithdrawn.
        """

    @abstractmethod
    async def state(self, session_id: SessionId) -> ServerState:
        """Return the state of a conversation."""

    @abstractmethod
    async def messages(
        self, session_id: SessionId, before: int | None, limit: int
    ) -> Mapping[str, Any]:
        """Return the newest page before a seq: `{"messages": [...], "more": bool}`."""

    @abstractmethod
    async def whisper(
        self, session_id: SessionId, message_id: MessageId, text: str, coordinator_id: CoordinatorId
    ) -> Mapping[str, Any]:
        """Store words for the AI alone: `{"messageId", "seq", "duplicate"}`. A repeat is no other.

        Raises: SessionClosed.
        """

    @abstractmethod
    def suggestion(
        self, session_id: SessionId, coordinator_id: CoordinatorId
    ) -> AsyncIterator[str]:
        """Return the parts of a reply that the AI suggests; to close the iterator stops the AI.

        An empty part voids those before it: the AI has begun anew.
        """

    @abstractmethod
    async def outcomes(
        self, business_id: BusinessId, first: str | None, last: str | None
    ) -> Mapping[str, Any]:
        """Return a business's counts from the first to the last day, both as `2026-01-31`."""


class ChatChanged(NamedTuple):
    """A chat has changed; `before` is None where it was unknown."""

    before: LiveChat | None
    chat: LiveChat


class MessagePosted(NamedTuple):
    """Somebody has written, in a live chat or in a conversation with the AI."""

    customer: Customer
    message: ChatMessage
    is_live: bool


class NoteAdded(NamedTuple):
    """A conversation has a new note."""

    business_id: BusinessId
    note: Note


class CommandRefused(NamedTuple):
    """The server has refused a coordinator's command; the chat is back in the server's state."""

    chat: LiveChat
    command: PendingCommand
    reason: str


class ServerReachability(NamedTuple):
    """The outcome of the newest delivery to the server."""

    reachable: bool


class QueuePosition(NamedTuple):
    """The place of a waiting user has changed; 1 is next. `usual_wait_s`: None: not known yet."""

    customer: Customer
    place: int
    usual_wait_s: int | None


BoardEvent = (
    ChatChanged | MessagePosted | NoteAdded | CommandRefused | ServerReachability | QueuePosition
)
BoardListener = Callable[[BoardEvent], None]
"""Passes an event on to all connected clients. Never waits, and raises nothing."""
