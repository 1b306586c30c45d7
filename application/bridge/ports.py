"""Every port of the bridge, on one page. Each docstring is the contract that adapters keep."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from msgspec import Struct

from domain.bridge.live_chat import LiveChat, Told, Wish, Words
from domain.errors import Failure
from domain.identity import BusinessId, Customer, SessionId

KEYS_LIVE_S = 48 * 3600.0
"""How long an idempotency key is remembered, in seconds."""

Answer = Mapping[str, object]
"""What a request is answered with: a JSON object."""


class ServerAway(Failure):
    """The AI agent server cannot be reached, or cannot do its work."""

    code = "server_unavailable"


class Change(Struct, frozen=True, kw_only=True):
    """What is stored together, or not at all."""

    at: datetime
    chat: LiveChat | None = None
    place: str | None = None
    """Where the words belong: `live_place` or `told_place`."""
    words: Words | None = None
    key: str | None = None
    """Idempotency key: `answer` is found under it for KEYS_LIVE_S."""
    answer: Answer | None = None


def live_place(customer: Customer) -> str:
    """Where what is said between a customer and the coordinators is kept."""
    return f"chat:{customer.business_id}:{customer.user_id}"


def told_place(session_id: SessionId) -> str:
    """Where what the server tells of a conversation with the AI is kept."""
    return f"session:{session_id}"


class BridgeStore(Protocol):
    """The bridge's memory. What `save` has returned from survives the death of the process.

    Every method may raise StorageUnavailable, and then has done nothing that a repeat would double.
    """

    @abstractmethod
    async def save(self, change: Change) -> bool:
        """Store the change: all of it. False: its words are there already, and nothing is stored.

        Words are the same when they have the same message id in the same place.
        """

    @abstractmethod
    async def chat(self, session_id: SessionId) -> LiveChat | None:
        """The chat of this session; None when nothing is known of it."""

    @abstractmethod
    async def latest(self, customer: Customer) -> LiveChat | None:
        """The customer's chat that became known last."""

    @abstractmethod
    async def open_chats(self, business_id: BusinessId) -> tuple[LiveChat, ...]:
        """The waiting and the live chats of a business, the longest waiting first."""

    @abstractmethod
    async def wishing(self) -> tuple[LiveChat, ...]:
        """The chats with wishes, by the age of their first wish, the oldest first."""

    @abstractmethod
    async def recent(self, place: str, limit: int) -> tuple[Words, ...]:
        """The newest words of a place, in the order in which they were stored."""

    @abstractmethod
    async def answer(self, key: str, now: datetime) -> Answer | None:
        """What was answered under this key; None when there was none within KEYS_LIVE_S."""


class AgentServer(Protocol):
    """The AI agent server's HTTP interface, as far as the coordinators' side needs it.

    Every method raises ServerAway where a later try may succeed, and Refusal where none will.
    """

    @abstractmethod
    async def set_status(self, session_id: SessionId, wish: Wish) -> Told:
        """Have the wish come true; how the conversation is then. A repeat changes nothing."""

    @abstractmethod
    async def status(self, session_id: SessionId) -> Told:
        """How the conversation is."""

    @abstractmethod
    async def messages(
        self, session_id: SessionId, before: int | None, limit: int
    ) -> Mapping[str, Any]:
        """A page of the log, `{"messages": [...], "more": bool}`: the newest before a seq."""


class Moved(NamedTuple):
    """A chat has changed, and what it was before; None: it was not known."""

    before: LiveChat | None
    chat: LiveChat


class Spoken(NamedTuple):
    """Somebody has said something in a live chat."""

    customer: Customer
    words: Words


class WishRefused(NamedTuple):
    """The server does not do what a coordinator wished; the chat is as the server has it."""

    chat: LiveChat
    wish: Wish
    why: str


class Reached(NamedTuple):
    """Whether the server could be told what is wished for, when there last was something."""

    reachable: bool


Event = Moved | Spoken | WishRefused | Reached
Audience = Callable[[Event], None]
"""Tells everyone who looks on. Never waits, and raises nothing."""
