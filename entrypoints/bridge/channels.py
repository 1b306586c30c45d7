"""The bridge's channels: `chat:{businessId}:{userId}` and `coordinators:{businessId}`.

The first is part of every bridge; the second serves the coordinators' page of this one.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, Literal

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
from application.bridge.answer_question import AnswerQuestion
from application.bridge.live_chats import TRANSCRIPT_PAGE, LiveChats
from application.bridge.ports import AgentServer, ReplyBody
from application.ports import Clock
from domain.bridge.live_chat import (
    MAX_AGE_FROM_PERSON,
    MAX_AGE_FROM_PROGRAM,
    AlreadyClaimed,
    CoordinatorCommand,
    LiveChat,
    plausible_time,
)
from domain.errors import (
    BusinessMismatch,
    ConversationError,
    IdentityMismatch,
    UnknownSession,
)
from domain.identity import (
    BusinessId,
    CoordinatorId,
    Customer,
    Identity,
    Unauthorized,
    UserId,
    business_identifier,
    coordinator_id,
    customer,
    identifier,
    live_chat_topic,
)
from domain.message import MAX_HANDOVER_NOTE, Author, message_text
from domain.plain_text import note_text
from domain.status import Status
from entrypoints.access.auth import RefreshToken, TokenLease, TokenRefreshed
from entrypoints.access.joins import JoinAccess
from entrypoints.access.rate_limits import RateLimiter
from entrypoints.bridge.wire import (
    ADDITIONS,
    Broadcaster,
    ChatJson,
    ChatMessageJson,
    PresencePush,
    ServerPush,
    chat_json,
    coordinators_topic,
    message_json,
)
from entrypoints.payloads import (
    Time,
    TypingPush,
    as_coordinator_id,
    as_message_id,
    as_session_id,
    parse,
)
from entrypoints.problems import ErrorReply, error_reply

TYPING_MS = 5_000
"""The time for which a `typing` event holds, unless it is repeated."""


MAX_ORIGIN = 128
"""The longest `origin`, in characters."""


class ChatJoin(CamelStruct):
    """`phx_join` of a chat. `token`: needed to write as a coordinator."""

    business_id: str
    user_id: str
    token: str = ""


class ChatJoined(CamelStructOmitDefaults):
    """The reply: the newest messages, oldest first, and the state of the conversation.

    `additions`: the events that this bridge knows beyond those of every bridge.
    """

    messages: list[ChatMessageJson]
    additions: tuple[str, ...]
    status: Status
    session_id: str | None = None
    coordinator_id: str | None = None


class ChatMessageRequest(CamelStruct):
    """`user_message` and `agent_message`, as a client sends them."""

    message: str
    timestamp: Time | None = None
    message_id: str | None = None
    coordinator_id: str | None = None
    origin: Annotated[str, msgspec.Meta(max_length=MAX_ORIGIN)] | None = None


class TypingRequest(CamelStruct):
    """`typing`, as a client sends it."""

    author: Literal["user", "coordinator"]


class CoordinatorJoin(CamelStruct):
    """`phx_join` of a business's coordinators."""

    business_id: str
    coordinator_id: str
    token: str = ""


class Board(CamelStruct):
    """The reply: the waiting chats, the longest waiting first, and the live ones.

    `missed`: those in which a user wrote while no coordinator was there, the newest first.
    `asked`: those that wait for a coordinator's yes, or have an outcome of one, the newest first.
    `presence`: who is there, with the coordinator who joins.
    """

    waiting: list[ChatJson]
    live: list[ChatJson]
    missed: list[ChatJson]
    asked: list[ChatJson]
    presence: PresencePush
    server: ServerPush


class CommandRequest(CamelStruct):
    """`claim`, `return` and `close`. `takeOver`: claim it even if another coordinator has it."""

    session_id: str
    summary: Annotated[str, msgspec.Meta(max_length=MAX_HANDOVER_NOTE)] | None = None
    take_over: bool = False


class AttendRequest(CamelStruct):
    """`attend`: a coordinator has seen to a missed message without a word; its `timestamp`."""

    session_id: str
    timestamp: Time | None = None


class AnswerRequest(CamelStruct):
    """`confirm`: a coordinator's answer to what waits for a yes."""

    session_id: str
    confirm_id: str
    answer: Literal["yes", "no"]


class TranscriptRequest(CamelStruct):
    """`history`, the transcript kept here, and `more`, a page of the server's log."""

    session_id: str
    before_seq: Annotated[int, msgspec.Meta(ge=1)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelServices:
    """The use cases and ports behind the channels."""

    chats: LiveChats
    server: AgentServer
    answer_question: AnswerQuestion
    broadcaster: Broadcaster
    access: JoinAccess
    clock: Clock
    limits: RateLimiter


class Side(Enum):
    """The part that a client has in a chat; it follows from how it has joined."""

    USER = Author.USER
    COORDINATOR = Author.COORDINATOR
    PROGRAM = None
    """It forwards for both; without service tokens everybody may, but for the user alone where
    coordinators have passwords."""


class _AuthenticatedChannel(Channel):
    """A channel whose client is authenticated: a program, or a person with a signed token."""

    _caller: Customer
    """By whom requests are counted."""

    def __init__(self, socket: ChannelSocket, services: ChannelServices) -> None:
        super().__init__(socket)
        self._services = services
        self._lease: TokenLease | None = None
        self._is_trusted = False  # True for a program with a service token: no limits hold for it

    async def _authenticate(self, given: str) -> Identity | None:
        """Return the verified identity; None: a program, or unverified.

        Raises: Unauthorized, IdentityUnavailable, RateLimited.
        """
        self._is_trusted, self._lease = await self._services.access.admit(self.socket, given)
        return self._lease.identity if self._lease is not None else None

    def _count(self, event: str) -> None:
        """Count a request for the rate limits. Raises: RateLimited."""
        self._services.limits.admit_request(self._caller)

    async def joined(self) -> None:
        if self._lease is not None:
            self._lease.begin()

    async def terminate(self, reason: TerminateReason) -> None:
        if self._lease is not None:
            self._lease.end()

    async def _handle(
        self, handler: Callable[[Any, Any], Awaitable[Any]] | None, event: str, payload: Any
    ) -> Reply | Stop:
        if self._lease is not None and self._lease.is_expired:
            self._lease.expire()
            return Stop(Reply("error", _error_reply(Unauthorized("the token has expired"))))
        if event == "refresh_token":
            handler = _AuthenticatedChannel._refresh_token
        try:
            if not self._is_trusted:
                self._count(event)
            if handler is None:
                return Reply("error", ErrorReply("unknown event"))
            return Reply("ok", await handler(self, payload))
        except ConversationError as error:
            return Reply("error", _error_reply(error))

    async def _refresh_token(self, payload: Any) -> TokenRefreshed:
        token = parse(payload, RefreshToken).token
        return await self._services.access.refresh(self._lease, token)

    def _coordinator(self, given: str | None) -> CoordinatorId | None:
        """Return the acting coordinator, who must be the one that joined. Raises: Unauthorized."""
        if self._lease is None:
            return as_coordinator_id(given)
        name = self._lease.identity.name
        if given is not None and as_coordinator_id(given) != name:
            raise Unauthorized("the token is another coordinator's")
        return CoordinatorId(name)


class ChatChannel(_AuthenticatedChannel):
    """One client in a customer's live chat, on the user's side or the coordinators'."""

    async def join(self, topic: str, payload: Any) -> ChatJoined:
        try:
            request = parse(payload, ChatJoin)
            self._customer = customer(request.business_id, request.user_id)
            if topic != live_chat_topic(self._customer):
                raise IdentityMismatch("the payload names another chat than the topic")
            identity = await self._authenticate(request.token)
            self._side = self._side_of(identity)
            self._caller = self._customer
            if identity is not None and self._side is Side.COORDINATOR:
                self._caller = _as_caller(identity.business_id, identity.name)
            chat, messages = await self._services.chats.live_transcript(self._customer)
            self._is_waiting = chat is not None and chat.status is Status.WAITING
        except ConversationError as error:
            raise JoinRefused(_error_reply(error)) from error
        return ChatJoined(
            messages=[message_json(each) for each in messages],
            additions=ADDITIONS,
            status=chat.status if chat is not None else Status.AI,
            session_id=chat.session_id if chat is not None else None,
            coordinator_id=chat.coordinator_id if chat is not None else None,
        )

    async def joined(self) -> None:
        await super().joined()
        if self._is_waiting:
            self._services.chats.announce_queue(self._customer.business_id, self._customer)

    def _side_of(self, identity: Identity | None) -> Side:
        """Return the client's side.

        Raises: Unauthorized, where it is neither this user nor a coordinator of the business.
        """
        if identity is None:
            is_user = self._services.access.has_service_tokens and not self._is_trusted
            return Side.USER if is_user else Side.PROGRAM
        if identity.is_user(self._customer):
            return Side.USER
        if identity.is_coordinator_of(self._customer.business_id):
            return Side.COORDINATOR
        raise Unauthorized("the token is somebody else's")

    async def handle(self, event: str, payload: Any, ref: Ref) -> Reply | Stop:
        return await self._handle(_CHAT_HANDLERS.get(event), event, payload)

    def _count(self, event: str) -> None:
        if event == "user_message":
            self._services.limits.admit_message(self._customer)
        else:
            super()._count(event)

    async def _user_message(self, payload: Any) -> ReplyBody:
        if self._side is Side.COORDINATOR:
            raise Unauthorized
        request = parse(payload, ChatMessageRequest)
        return await self._services.chats.post_user_message(
            self._customer,
            message_text(request.message),
            message_id=as_message_id(request.message_id),
            at=self._time(request.timestamp),
            origin=self._origin(request.origin),
        )

    def _require_coordinators_side(self) -> None:
        """Raises: Unauthorized, for a user, and for whoever has not proved to be more."""
        is_unproved = not self._is_trusted and self._services.access.has_proofs
        if self._side is Side.USER or (self._side is Side.PROGRAM and is_unproved):
            raise Unauthorized

    async def _agent_message(self, payload: Any) -> ReplyBody:
        self._require_coordinators_side()
        request = parse(payload, ChatMessageRequest)
        return await self._services.chats.post_coordinator_message(
            self._customer,
            message_text(request.message),
            coordinator_id=self._coordinator(request.coordinator_id),
            message_id=as_message_id(request.message_id),
            at=self._time(request.timestamp),
            origin=self._origin(request.origin),
        )

    def _time(self, given: datetime | None) -> datetime:
        is_program = self._side is Side.PROGRAM
        max_age = MAX_AGE_FROM_PROGRAM if is_program else MAX_AGE_FROM_PERSON
        return plausible_time(given, self._services.clock.now(), max_age=max_age)

    def _origin(self, given: str | None) -> str | None:
        """Return the mark by which a program recognises its own message; a person has none."""
        return note_text(given) if self._side is Side.PROGRAM else None

    async def _typing(self, payload: Any) -> ReplyBody:
        author = self._side.value or parse(payload, TypingRequest).author
        if author == Author.COORDINATOR:
            self._require_coordinators_side()
        self.socket.broadcast_from("typing", TypingPush(author, TYPING_MS))
        return {}


class CoordinatorsChannel(_AuthenticatedChannel):
    """One coordinator's board of a business: the waiting and the live chats."""

    async def join(self, topic: str, payload: Any) -> Board:
        try:
            request = parse(payload, CoordinatorJoin)
            self._business_id = business_identifier("businessId", request.business_id)
            self._coordinator_id = coordinator_id("coordinatorId", request.coordinator_id)
            if topic != coordinators_topic(self._business_id):
                raise BusinessMismatch
            self._caller = _as_caller(self._business_id, self._coordinator_id)
            self._require_coordinator(await self._authenticate(request.token))
            board = await self._services.chats.board(self._business_id)
        except ConversationError as error:
            raise JoinRefused(_error_reply(error)) from error
        broadcaster = self._services.broadcaster
        broadcaster.coordinator_joined(self._business_id, self._coordinator_id, self.socket)
        return Board(
            waiting=[chat_json(chat) for chat in board.open if chat.status is Status.WAITING],
            live=[chat_json(chat) for chat in board.open if chat.status is Status.LIVE],
            missed=[chat_json(chat) for chat in board.missed],
            asked=[chat_json(chat) for chat in board.asked],
            presence=broadcaster.presence(self._business_id),
            server=ServerPush(broadcaster.reachable),
        )

    def _require_coordinator(self, identity: Identity | None) -> None:
        """Raises: Unauthorized."""
        if identity is None:
            if self._services.access.has_proofs and not self._is_trusted:
                raise Unauthorized
        elif not identity.is_coordinator_of(self._business_id):
            raise Unauthorized("the token is no coordinator's of this business")
        else:
            self._coordinator(self._coordinator_id)

    async def terminate(self, reason: TerminateReason) -> None:
        self._services.broadcaster.coordinator_left(self._business_id, self.socket)
        await super().terminate(reason)

    async def handle(self, event: str, payload: Any, ref: Ref) -> Reply | Stop:
        return await self._handle(_COORDINATORS_HANDLERS.get(event), event, payload)

    async def _claim(self, payload: Any) -> ChatJson:
        request = parse(payload, CommandRequest)
        take_over = request.take_over
        command = CoordinatorCommand.TAKE_OVER if take_over else CoordinatorCommand.CLAIM
        return await self._execute(request, command)

    async def _return(self, payload: Any) -> ChatJson:
        return await self._execute(parse(payload, CommandRequest), CoordinatorCommand.RETURN)

    async def _close(self, payload: Any) -> ChatJson:
        return await self._execute(parse(payload, CommandRequest), CoordinatorCommand.CLOSE)

    async def _execute(self, request: CommandRequest, command: CoordinatorCommand) -> ChatJson:
        chat = await self._chat(request.session_id)
        note = note_text(request.summary)
        return chat_json(
            await self._services.chats.execute(chat.session_id, command, self._coordinator_id, note)
        )

    async def _attend(self, payload: Any) -> ChatJson:
        request = parse(payload, AttendRequest)
        chat = await self._chat(request.session_id)
        return chat_json(await self._services.chats.attend(chat.session_id, request.timestamp))

    async def _missed(self, payload: Any) -> ReplyBody:
        board = await self._services.chats.board(self._business_id)
        return {"missed": [chat_json(chat) for chat in board.missed]}

    async def _confirm(self, payload: Any) -> ChatJson:
        request = parse(payload, AnswerRequest)
        chat = await self._chat(request.session_id)
        return chat_json(
            await self._services.answer_question(
                chat.session_id,
                identifier("confirmId", request.confirm_id),
                request.answer == "yes",
                self._coordinator_id,
            )
        )

    async def _history(self, payload: Any) -> ReplyBody:
        chat = await self._chat(parse(payload, TranscriptRequest).session_id)
        messages = await self._services.chats.ai_transcript(chat.session_id)
        return {"messages": [message_json(each) for each in messages]}

    async def _more(self, payload: Any) -> ReplyBody:
        request = parse(payload, TranscriptRequest)
        chat = await self._chat(request.session_id)
        server = self._services.server
        return await server.messages(chat.session_id, request.before_seq, TRANSCRIPT_PAGE)

    async def _chat(self, given: str) -> LiveChat:
        """Return a chat of this business. Raises: InvalidPayload, UnknownSession."""
        chat = await self._services.chats.chat(as_session_id(given))
        if chat.customer.business_id != self._business_id:
            raise UnknownSession
        return chat


def _as_caller(business_id: BusinessId, coordinator_id: str) -> Customer:
    """Return a coordinator as a caller to be counted, who is no user of the same name."""
    return Customer(business_id, UserId(f"coordinator {coordinator_id}"))


_CHAT_HANDLERS: dict[str, Callable[[ChatChannel, Any], Awaitable[Any]]] = {
    "user_message": ChatChannel._user_message,
    "agent_message": ChatChannel._agent_message,
    "typing": ChatChannel._typing,
}

_COORDINATORS_HANDLERS: dict[str, Callable[[CoordinatorsChannel, Any], Awaitable[Any]]] = {
    "claim": CoordinatorsChannel._claim,
    "return": CoordinatorsChannel._return,
    "close": CoordinatorsChannel._close,
    "attend": CoordinatorsChannel._attend,
    "confirm": CoordinatorsChannel._confirm,
    "missed": CoordinatorsChannel._missed,
    "history": CoordinatorsChannel._history,
    "more": CoordinatorsChannel._more,
}


def _error_reply(error: ConversationError) -> ErrorReply:
    return error_reply(error, by=error.by if isinstance(error, AlreadyClaimed) else None)
