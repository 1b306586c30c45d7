"""The bridge's channels: `chat:{businessId}:{userId}` for both sides, `coordinators:{businessId}`.

The first is what any bridge has; the second serves the coordinators' page of this one.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from adapters.json_shapes import CamelStruct, CamelStructOmitDefaults
from adapters.phoenix.channel import (
    Channel,
    ChannelSocket,
    JoinRefused,
    Reply,
    Stop,
    TerminateReason,
)
from adapters.phoenix.server import Ref
from application.bridge.live_chats import RECENT, LiveChats
from application.bridge.ports import AgentServer, Answer
from application.ports import Clock
from domain.bridge.live_chat import MAX_SUMMARY, Act, AlreadyClaimed, LiveChat
from domain.errors import (
    BusinessMismatch,
    ConversationError,
    IdentityMismatch,
    InvalidPayload,
    Refusal,
    UnknownSession,
)
from domain.identity import (
    BusinessId,
    CoordinatorId,
    Identity,
    MessageId,
    SessionId,
    Unauthorized,
    customer,
    identifier,
)
from domain.message import message_text
from domain.status import Status
from entrypoints.access.auth import (
    Identify,
    RefreshToken,
    TokenLease,
    TokenRefreshed,
    bearer,
    refreshed,
)
from entrypoints.access.rate_limits import Limits, RateLimited
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

TYPING_MS = 5_000
"""How long somebody is taken to be typing, unless it is said again."""
MAX_ORIGIN = 128

logger = logging.getLogger(__name__)
P = TypeVar("P", bound=msgspec.Struct)
Time = Annotated[datetime, msgspec.Meta(tz=True)]


class ChatJoin(CamelStruct):
    """`phx_join` of a chat. `token`: with it, one may speak as a coordinator."""

    business_id: str
    user_id: str
    token: str = ""


class ChatJoined(CamelStructOmitDefaults):
    """The reply: the last that was said, oldest first, and who has the conversation."""

    messages: list[WordsJson]
    status: Status
    session_id: str | None = None
    coordinator_id: str | None = None


class Said(CamelStruct):
    """`user_message` and `agent_message`, as they are sent."""

    message: str
    timestamp: Time | None = None
    message_id: str | None = None
    coordinator_id: str | None = None
    origin: Annotated[str, msgspec.Meta(max_length=MAX_ORIGIN)] | None = None


class TypingEvent(CamelStruct):
    """`typing`, as it is sent."""

    author: Literal["user", "coordinator"]


class TypingPush(CamelStruct):
    """`typing`: somebody writes; it expires by itself."""

    author: str
    expires_in_ms: int = TYPING_MS


class CoordinatorJoin(CamelStruct):
    """`phx_join` of a business's coordinators."""

    business_id: str
    coordinator_id: str
    token: str = ""


class Board(CamelStruct):
    """The reply: who waits, the longest first, and who is being talked with."""

    waiting: list[ChatJson]
    live: list[ChatJson]
    server: ServerPush


class ActRequest(CamelStruct):
    """`claim`, `return` and `close`. `takeOver`: claim it even if another coordinator has it."""

    session_id: str
    summary: Annotated[str, msgspec.Meta(max_length=MAX_SUMMARY)] | None = None
    take_over: bool = False


class HistoryRequest(CamelStruct):
    """`history` and `more`."""

    session_id: str
    before_seq: Annotated[int, msgspec.Meta(ge=1)] | None = None


class ErrorReply(CamelStructOmitDefaults):
    """The reply to what cannot be done; `by`: who has the conversation."""

    reason: str
    detail: str | None = None
    by: str | None = None
    retry_after_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelServices:
    """What is behind the channels."""

    chats: LiveChats
    server: AgentServer
    broadcasts: Broadcasts
    is_good_token: Callable[[str], bool]
    """Whether it is the server's or another program's."""
    identify: Identify | None
    """None: people are believed, and only coordinators need a token, if anybody does."""
    clock: Clock
    limits: Limits


class _Guarded(Channel):
    """A channel whose client has shown who it is: a program, or a person with a signed token."""

    def __init__(self, socket: ChannelSocket, services: ChannelServices) -> None:
        super().__init__(socket)
        self._services = services
        self._stay: TokenLease | None = None

    async def _admit(self, given: str) -> Identity | None:
        """Who joins; None: a program, or whoever it says to be. Raises: Unauthorized."""
        services = self._services
        if services.identify is None:
            return None
        token = bearer(self.socket.info, given)
        if services.is_good_token(token):
            return None
        services.limits.joining(self.socket.info)
        if not token:
            raise Unauthorized("a token is needed")
        identity = await services.identify(token)
        self._stay = TokenLease(self.socket, services.clock, identity)
        return identity

    async def joined(self) -> None:
        if self._stay is not None:
            self._stay.begin()

    async def terminate(self, reason: TerminateReason) -> None:
        if self._stay is not None:
            self._stay.end()

    async def _answer(
        self, handler: Callable[[Any, Any], Awaitable[Any]] | None, event: str, payload: Any
    ) -> Reply | Stop:
        if self._stay is not None and self._stay.is_over:
            self._stay.expire()
            return Stop(Reply("error", _error(Unauthorized("the token has expired"))))
        if event == "refresh_token":
            handler = _Guarded._refresh_token
        if handler is None:
            return Reply("error", ErrorReply("unknown event"))
        try:
            return Reply("ok", await handler(self, payload))
        except ConversationError as error:
            return Reply("error", _error(error))

    async def _refresh_token(self, payload: Any) -> TokenRefreshed:
        token = _parse(payload, RefreshToken).token
        return await refreshed(self._stay, self._services.identify, token)

    def _coordinator(self, said: str | None) -> CoordinatorId | None:
        """Which coordinator acts: none but who has joined. Raises: Unauthorized."""
        if self._stay is None:
            return _coordinator_id(said)
        name = self._stay.identity.name
        if said not in (None, name):
            raise Unauthorized("the token is another coordinator's")
        return CoordinatorId(name)


class ChatChannel(_Guarded):
    """One client's share in a customer's live chat: the user's side or the coordinators'."""

    async def join(self, topic: str, payload: Any) -> ChatJoined:
        try:
            request = _parse(payload, ChatJoin)
            self._customer = customer(request.business_id, request.user_id)
            if topic != chat_topic(self._customer):
                raise IdentityMismatch("the payload names another chat than the topic")
            identity = await self._admit(request.token)
            self._may_answer = self._has_right_to_answer(identity, request.token)
            chat, said = await self._services.chats.said_live(self._customer)
        except ConversationError as error:
            raise JoinRefused(_error(error)) from error
        return ChatJoined(
            messages=[words_json(words) for words in said],
            status=chat.status if chat is not None else Status.AI,
            session_id=chat.session_id if chat is not None else None,
            coordinator_id=chat.coordinator_id if chat is not None else None,
        )

    def _has_right_to_answer(self, identity: Identity | None, token: str) -> bool:
        """Raises: Unauthorized, where it is neither this user nor one of the coordinators."""
        if identity is None:
            return self._services.identify is not None or self._services.is_good_token(token)
        if identity.is_user(self._customer):
            return False
        if identity.is_coordinator_of(self._customer.business_id):
            return True
        raise Unauthorized("the token is somebody else's")

    async def handle(self, event: str, payload: Any, ref: Ref) -> Reply | Stop:
        return await self._answer(_CHAT_HANDLERS.get(event), event, payload)

    async def _user_message(self, payload: Any) -> Answer:
        if not self._may_answer:  # the server's own words have been counted by it
            self._services.limits.speaking(self._customer)
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
            coordinator_id=self._coordinator(said.coordinator_id),
            message_id=_message_id(said.message_id),
            at=said.timestamp,
            origin=said.origin,
        )

    async def _typing(self, payload: Any) -> Answer:
        self.socket.broadcast_from("typing", TypingPush(_parse(payload, TypingEvent).author))
        return {}


class CoordinatorsChannel(_Guarded):
    """One coordinator's view of a business: who waits, and who has whom."""

    async def join(self, topic: str, payload: Any) -> Board:
        try:
            request = _parse(payload, CoordinatorJoin)
            self._business_id = BusinessId(identifier("businessId", request.business_id))
            self._coordinator_id = CoordinatorId(
                identifier("coordinatorId", request.coordinator_id)
            )
            if topic != coordinators_topic(self._business_id):
                raise BusinessMismatch
            self._require_coordinator(await self._admit(request.token), request.token)
            chats = await self._services.chats.open_chats(self._business_id)
        except ConversationError as error:
            raise JoinRefused(_error(error)) from error
        self._services.broadcasts.coordinators.add(self.socket)
        return Board(
            waiting=[chat_json(chat) for chat in chats if chat.status is Status.WAITING],
            live=[chat_json(chat) for chat in chats if chat.status is Status.LIVE],
            server=ServerPush(self._services.broadcasts.reachable),
        )

    def _require_coordinator(self, identity: Identity | None, token: str) -> None:
        """Raises: Unauthorized."""
        if identity is None:
            if self._services.identify is None and not self._services.is_good_token(token):
                raise Unauthorized
        elif not identity.is_coordinator_of(self._business_id):
            raise Unauthorized("the token is no coordinator's of this business")
        else:
            self._coordinator(self._coordinator_id)

    async def terminate(self, reason: TerminateReason) -> None:
        self._services.broadcasts.coordinators.discard(self.socket)
        await super().terminate(reason)

    async def handle(self, event: str, payload: Any, ref: Ref) -> Reply | Stop:
        return await self._answer(_COORDINATORS_HANDLERS.get(event), event, payload)

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


def _error(error: ConversationError) -> ErrorReply:
    if isinstance(error, AlreadyClaimed):
        return ErrorReply(error.code, str(error), error.by)
    if isinstance(error, RateLimited):
        return ErrorReply(error.code, str(error), retry_after_ms=error.retry_after_ms)
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
