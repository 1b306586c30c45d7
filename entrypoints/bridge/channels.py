"""The bridge's channels: `chat:{businessId}:{userId}` for both sides, `coordinators:{businessId}`.

The first is what any bridge has; the second serves the coordinators' page of this one.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from adapters.phoenix.server import Ref
from application.bridge.live_chats import RECENT, LiveChats
from application.bridge.ports import AgentServer, Answer
from domain.errors import (
    BusinessMismatch,
    ConversationError,
    IdentityMismatch,
    InvalidPayload,
    Refusal,
    UnknownSession,
)
from domain.identity import BusinessId, CoordinatorId, MessageId, SessionId, customer, identifier
from domain.live_chat import MAX_SUMMARY, Act, AlreadyClaimed, LiveChat
from domain.message import message_text
from domain.status import Status
from entrypoints.bridge.wire import (
    Broadcasts,
    ChatJson,
    ServerPush,
    WordsJson,
    chat_json,
    chat_topic,
    coordinators_topic,
    words_json,
)
from entrypoints.phoenix_channel import Channel, Ended, JoinRefused, Link, Reply
from entrypoints.wire import Sparse, Wire

TYPING_MS = 5_000
"""How long somebody is taken to be typing, unless it is said again."""
MAX_ORIGIN = 128

logger = logging.getLogger(__name__)
P = TypeVar("P", bound=msgspec.Struct)
Time = Annotated[datetime, msgspec.Meta(tz=True)]


class Unauthorized(Refusal):
    """A token is needed for that."""

    code = "unauthorized"


class ChatJoin(Wire):
    """`phx_join` of a chat. `token`: with it, one may speak as a coordinator."""

    business_id: str
    user_id: str
    token: str = ""


class ChatJoined(Sparse):
    """The reply: the last that was said, oldest first, and who has the conversation."""

    messages: list[WordsJson]
    status: Status
    session_id: str | None = None
    coordinator_id: str | None = None


class Said(Wire):
    """`user_message` and `agent_message`, as they are sent."""

    message: str
    timestamp: Time | None = None
    message_id: str | None = None
    coordinator_id: str | None = None
    origin: Annotated[str, msgspec.Meta(max_length=MAX_ORIGIN)] | None = None


class TypingEvent(Wire):
    """`typing`, as it is sent."""

    author: Literal["user", "coordinator"]


class TypingPush(Wire):
    """`typing`: somebody writes; it expires by itself."""

    author: str
    expires_in_ms: int = TYPING_MS


class CoordinatorJoin(Wire):
    """`phx_join` of a business's coordinators."""

    business_id: str
    coordinator_id: str
    token: str = ""


class Board(Wire):
    """The reply: who waits, the longest first, and who is being talked with."""

    waiting: list[ChatJson]
    live: list[ChatJson]
    server: ServerPush


class ActRequest(Wire):
    """`claim`, `return` and `close`. `takeOver`: claim it even if another coordinator has it."""

    session_id: str
    summary: Annotated[str, msgspec.Meta(max_length=MAX_SUMMARY)] | None = None
    take_over: bool = False


class HistoryRequest(Wire):
    """`history` and `more`."""

    session_id: str
    before_seq: Annotated[int, msgspec.Meta(ge=1)] | None = None


class ErrorReply(Sparse):
    """The reply to what cannot be done; `by`: who has the conversation."""

    reason: str
    detail: str | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelServices:
    """What is behind the channels."""

    chats: LiveChats
    server: AgentServer
    broadcasts: Broadcasts
    is_good_token: Callable[[str], bool]


class ChatChannel(Channel):
    """One client's share in a customer's live chat: the user's side or the coordinators'."""

    def __init__(self, link: Link, services: ChannelServices) -> None:
        super().__init__(link)
        self._services = services

    async def join(self, topic: str, payload: Any) -> ChatJoined:
        try:
            request = _parse(payload, ChatJoin)
            self._customer = customer(request.business_id, request.user_id)
            if topic != chat_topic(self._customer):
                raise IdentityMismatch("the payload names another chat than the topic")
            self._may_answer = self._services.is_good_token(request.token)
            chat, said = await self._services.chats.said_live(self._customer)
        except ConversationError as error:
            raise JoinRefused(_error(error)) from error
        return ChatJoined(
            messages=[words_json(words) for words in said],
            status=chat.status if chat is not None else Status.AI,
            session_id=chat.session_id if chat is not None else None,
            coordinator_id=chat.coordinator_id if chat is not None else None,
        )

    async def handle(self, event: str, payload: Any, ref: Ref) -> Reply:
        return await _handled(_CHAT_HANDLERS.get(event), self, payload)

    async def _user_message(self, payload: Any) -> Answer:
        said = _parse(payload, Said)
        return await self._services.chats.user_speaks(
            self._customer,
            message_text(said.message),
            message_id=_message_id(said.message_id),
            at=said.timestamp,
            origin=said.origin,
        )

    async def _agent_message(self, payload: Any) -> Answer:
        if not self._may_answer:
            raise Unauthorized
        said = _parse(payload, Said)
        return await self._services.chats.coordinator_speaks(
            self._customer,
            message_text(said.message),
            coordinator_id=_coordinator_id(said.coordinator_id),
            message_id=_message_id(said.message_id),
            at=said.timestamp,
            origin=said.origin,
        )

    async def _typing(self, payload: Any) -> Answer:
        self.link.broadcast_from("typing", TypingPush(_parse(payload, TypingEvent).author))
        return {}


class CoordinatorsChannel(Channel):
    """One coordinator's view of a business: who waits, and who has whom."""

    def __init__(self, link: Link, services: ChannelServices) -> None:
        super().__init__(link)
        self._services = services

    async def join(self, topic: str, payload: Any) -> Board:
        try:
            request = _parse(payload, CoordinatorJoin)
            self._business_id = BusinessId(identifier("businessId", request.business_id))
            self._coordinator_id = CoordinatorId(
                identifier("coordinatorId", request.coordinator_id)
            )
            if topic != coordinators_topic(self._business_id):
                raise BusinessMismatch
            if not self._services.is_good_token(request.token):
                raise Unauthorized
            chats = await self._services.chats.open_chats(self._business_id)
        except ConversationError as error:
            raise JoinRefused(_error(error)) from error
        self._services.broadcasts.coordinators.add(self.link)
        return Board(
            waiting=[chat_json(chat) for chat in chats if chat.status is Status.WAITING],
            live=[chat_json(chat) for chat in chats if chat.status is Status.LIVE],
            server=ServerPush(self._services.broadcasts.reachable),
        )

    async def terminate(self, ended: Ended) -> None:
        self._services.broadcasts.coordinators.discard(self.link)

    async def handle(self, event: str, payload: Any, ref: Ref) -> Reply:
        return await _handled(_COORDINATORS_HANDLERS.get(event), self, payload)

    async def _claim(self, payload: Any) -> ChatJson:
        request = _parse(payload, ActRequest)
        return await self._act(request, Act.TAKE_OVER if request.take_over else Act.CLAIM)

    async def _return(self, payload: Any) -> ChatJson:
        return await self._act(_parse(payload, ActRequest), Act.RETURN)

    async def _close(self, payload: Any) -> ChatJson:
        return await self._act(_parse(payload, ActRequest), Act.CLOSE)

    async def _act(self, request: ActRequest, what: Act) -> ChatJson:
        chat = await self._chat(request.session_id)
        summary = (request.summary or "").strip() or None
        acted = self._services.chats.act(chat.session_id, what, self._coordinator_id, summary)
        return chat_json(await acted)

    async def _history(self, payload: Any) -> Answer:
        chat = await self._chat(_parse(payload, HistoryRequest).session_id)
        said = await self._services.chats.said_before(chat.session_id)
        return {"messages": [words_json(words) for words in said]}

    async def _more(self, payload: Any) -> Answer:
        request = _parse(payload, HistoryRequest)
        chat = await self._chat(request.session_id)
        server = self._services.server
        return await server.messages(chat.session_id, request.before_seq, RECENT)

    async def _chat(self, session_id: str) -> LiveChat:
        """The chat, if it is this business's. Raises: InvalidPayload, UnknownSession."""
        sought = SessionId(identifier("sessionId", session_id))
        chat = await self._services.chats.chat(sought)
        if chat.customer.business_id != self._business_id:
            raise UnknownSession
        return chat


_CHAT_HANDLERS: dict[str, Callable[[ChatChannel, Any], Awaitable[Any]]] = {
    "user_message": ChatChannel._user_message,
    "agent_message": ChatChannel._agent_message,
    "typing": ChatChannel._typing,
}

_COORDINATORS_HANDLERS: dict[str, Callable[[CoordinatorsChannel, Any], Awaitable[Any]]] = {
    "claim": CoordinatorsChannel._claim,
    "return": CoordinatorsChannel._return,
    "close": CoordinatorsChannel._close,
    "history": CoordinatorsChannel._history,
    "more": CoordinatorsChannel._more,
}

C = TypeVar("C", bound=Channel)


async def _handled(
    handler: Callable[[C, Any], Awaitable[Any]] | None, channel: C, payload: Any
) -> Reply:
    if handler is None:
        return Reply("error", ErrorReply("unknown event"))
    try:
        return Reply("ok", await handler(channel, payload))
    except ConversationError as error:
        return Reply("error", _error(error))


def _error(error: ConversationError) -> ErrorReply:
    if isinstance(error, AlreadyClaimed):
        return ErrorReply(error.code, str(error), error.by)
    if isinstance(error, Refusal):
        return ErrorReply(error.code, str(error))
    extra = {"action": "request_failed", "code": error.code}
    logger.warning("A request failed", extra=extra, exc_info=error)
    return ErrorReply(error.code)


def _parse(payload: Any, shape: type[P]) -> P:
    try:
        return msgspec.convert(payload, shape)
    except msgspec.ValidationError as error:
        raise InvalidPayload(str(error)) from error


def _message_id(value: str | None) -> MessageId | None:
    return None if value is None else MessageId(identifier("messageId", value))


def _coordinator_id(value: str | None) -> CoordinatorId | None:
    return None if value is None else CoordinatorId(identifier("coordinatorId", value))
