"""The bridge's channels: `chat:{businessId}:{userId}` and `coordinators:{businessId}`.

The first is part of every bridge; the second serves the coordinators' page of this one.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import partial
from typing import Annotated, Any, Literal

import msgspec

from adapters.json_shapes import CamelStruct
from adapters.phoenix.channel import (
    Channel,
    ChannelSocket,
    JoinRefused,
    Reply,
    Stop,
    TerminateReason,
)
from adapters.phoenix.server import Ref
from application.bridge.deliver_commands import AnswerQuestion
from application.bridge.live_chats import (
    EARLIER_SHOWN,
    LIST_PAGE,
    MAX_OPEN,
    NOTES_PAGE,
    TRANSCRIPT_PAGE,
    LiveChats,
)
from application.bridge.ports import (
    AgentServer,
    AgentServerUnavailable,
    ChatView,
    ReplyBody,
    ai_transcript_key,
)
from application.ports import Businesses, Clock
from domain.bridge.live_chat import (
    MAX_AGE_FROM_PERSON,
    MAX_AGE_FROM_PROGRAM,
    AlreadyClaimed,
    CoordinatorCommand,
    DeskAction,
    LiveChat,
    NotThere,
    attend,
    plausible_time,
)
from domain.errors import (
    BusinessMismatch,
    ConversationError,
    IdentityMismatch,
    InvalidPayload,
    UnknownSession,
)
from domain.identity import (
    BusinessId,
    CoordinatorId,
    Customer,
    Identity,
    MessageId,
    SessionId,
    Unauthorized,
    UserId,
    business_identifier,
    coordinator_id,
    customer,
    identifier,
    live_chat_topic,
)
from domain.message import (
    MAX_HANDOVER_NOTE,
    MAX_MESSAGE_LENGTH,
    MAX_WHISPER,
    Author,
    message_text,
)
from domain.plain_text import note_text, plain_text
from domain.status import Status
from entrypoints.access.auth import RefreshToken, TokenLease, TokenRefreshed
from entrypoints.access.joins import JoinAccess
from entrypoints.access.rate_limits import RateLimiter
from entrypoints.bridge.wire import (
    ADDITIONS,
    Broadcaster,
    Row,
    chat_row,
    coordinators_topic,
    message_json,
    note_json,
    without_nulls,
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
MAX_NOTE = 4_000
MAX_SEARCH = 400
"""The characters of a query that count."""

Day = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\d$")]

Handler = Callable[[Any], Awaitable[Any]]

logger = logging.getLogger(__name__)


class ChatJoin(CamelStruct):
    """`phx_join` of a chat. `token`: needed to write as a coordinator."""

    business_id: str
    user_id: str
    token: str = ""


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


class DeskRequest(CamelStruct):
    """The fields of the coordinators' events, each of which needs some of them."""

    session_id: str = ""
    view: ChatView = ChatView.OPEN
    query: str = ""
    user_id: str | None = None
    cursor: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    before_seq: Annotated[int, msgspec.Meta(ge=1)] | None = None
    summary: Annotated[str, msgspec.Meta(max_length=MAX_HANDOVER_NOTE)] | None = None
    take_over: bool = False
    """Claim it even if the AI or another coordinator has it."""
    to: str | None = None
    """The colleague who is to have it."""
    timestamp: Time | None = None
    """The time of the missed message that is attended to."""
    confirm_id: str = ""
    answer: Literal["yes", "no"] = "no"
    note_id: str = ""
    message_id: str | None = None
    suggestion_id: str = ""
    text: str = ""


class OutcomesRequest(CamelStruct):
    """`outcomes`: the counts of the business's days, the first and the last one of them."""

    first: Day | None = msgspec.field(default=None, name="from")
    last: Day | None = msgspec.field(default=None, name="to")


class PresenceRequest(CamelStruct):
    """`customer`: whether the customer of the chat is there, as a program reports it."""

    online: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeServices:
    """The use cases and ports behind the bridge's channels and its HTTP interface."""

    chats: LiveChats
    server: AgentServer
    answer_question: AnswerQuestion
    businesses: Businesses
    broadcaster: Broadcaster
    access: JoinAccess
    away_after_s: int
    """See BRIDGE_AWAY_S."""
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

    def __init__(self, socket: ChannelSocket, services: BridgeServices) -> None:
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

    def _handler(self, event: str) -> Handler | None:
        """Return the method of an event: `_on_` and its name."""
        return getattr(self, f"_on_{event}", None)

    async def handle(self, event: str, payload: Any, ref: Ref) -> Reply | Stop | None:
        """Reply with what the handler returns; None: it replies later, to `ref`."""
        self._ref = ref
        if self._lease is not None and self._lease.is_expired:
            self._lease.expire()
            return Stop(Reply("error", _error_reply(Unauthorized("the token has expired"))))
        try:
            if not self._is_trusted:
                self._count(event)
            handler = self._handler(event)
            if handler is None:
                return Reply("error", ErrorReply("unknown event"))
            response = await handler(payload)
        except ConversationError as error:
            return Reply("error", _error_reply(error))
        return Reply("ok", response) if response is not None else None

    async def _on_refresh_token(self, payload: Any) -> TokenRefreshed:
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

    async def join(self, topic: str, payload: Any) -> dict[str, Any]:
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
        status, session_id = (chat.status, chat.session_id) if chat is not None else ("ai", None)
        by = chat.coordinator_id if chat is not None else None
        return {
            "messages": [message_json(each) for each in messages],
            "additions": ADDITIONS,
            **without_nulls(status=status, sessionId=session_id, coordinatorId=by),
        }

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

    async def terminate(self, reason: TerminateReason) -> None:
        self._services.broadcaster.program_left(self._customer, self.socket)
        await super().terminate(reason)

    def _count(self, event: str) -> None:
        if event == "user_message":
            self._services.limits.admit_message(self._customer)
        else:
            super()._count(event)

    async def _on_user_message(self, payload: Any) -> ReplyBody:
        if self._side is Side.COORDINATOR:
            raise Unauthorized
        request = parse(payload, ChatMessageRequest)
        return await self._services.chats.post(
            self._customer,
            Author.USER,
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

    async def _on_agent_message(self, payload: Any) -> ReplyBody:
        self._require_coordinators_side()
        request = parse(payload, ChatMessageRequest)
        by = self._coordinator(request.coordinator_id)
        return await self._services.chats.post(
            self._customer,
            Author.COORDINATOR,
            message_text(request.message),
            coordinator_id=by,
            at_desk=by in self._services.broadcaster.online(self._customer.business_id),
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

    async def _on_typing(self, payload: Any) -> ReplyBody:
        author = self._side.value or parse(payload, TypingRequest).author
        if author == Author.COORDINATOR:
            self._require_coordinators_side()
        self.socket.broadcast_from("typing", TypingPush(author, TYPING_MS))
        return {}

    async def _on_customer(self, payload: Any) -> ReplyBody:
        self._require_coordinators_side()
        if self._side is not Side.PROGRAM:
            raise Unauthorized
        online = parse(payload, PresenceRequest).online
        self._services.broadcaster.customer_changed(self._customer, self.socket, online)
        return {}


class CoordinatorsChannel(_AuthenticatedChannel):
    """One coordinator's board of a business: its conversations, and what is done with them."""

    _suggestion: tuple[str, asyncio.Task[None]] | None = None
    """The id of the suggestion that is being made, and its task."""

    async def join(self, topic: str, payload: Any) -> dict[str, Any]:
        try:
            request = parse(payload, CoordinatorJoin)
            self._business_id = business_identifier("businessId", request.business_id)
            self._coordinator_id = coordinator_id("coordinatorId", request.coordinator_id)
            if topic != coordinators_topic(self._business_id):
                raise BusinessMismatch
            self._caller = _as_caller(self._business_id, self._coordinator_id)
            self._require_coordinator(await self._authenticate(request.token))
            known = await self._services.businesses.business(self._business_id)
            board = await self._services.chats.board(self._business_id)
        except ConversationError as error:
            raise JoinRefused(_error_reply(error)) from error
        name, broadcaster = self._coordinator_id, self._services.broadcaster
        broadcaster.coordinator_joined(self._business_id, name, self.socket, board.counts)
        live = [chat for chat in board.open if chat.status is Status.LIVE]
        live.sort(key=lambda chat: chat.coordinator_id != name)
        waiting = [chat for chat in board.open if chat.status is Status.WAITING]
        listed = (*live[:MAX_OPEN], *waiting[:MAX_OPEN], *board.asked, *board.missed)
        chats = {chat.session_id: chat for chat in listed}
        return {
            "coordinatorId": name,
            "business": known and {"name": known.name, "replies": known.replies},
            "chats": [chat_row(chat) for chat in chats.values()],
            "counts": board.counts,
            "presence": broadcaster.presence(self._business_id),
            "server": {"reachable": broadcaster.reachable},
            "awayAfterS": self._services.away_after_s,
        }

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
        self._stop_suggesting()
        self._services.broadcaster.coordinator_left(self._business_id, self.socket)
        await super().terminate(reason)

    def _handler(self, event: str) -> Handler | None:
        return partial(self._command, event) if event in _COMMANDS else super()._handler(event)

    async def _asked(self, payload: Any) -> tuple[DeskRequest, LiveChat]:
        """Return a request, and its chat, which is one of this business.

        Raises: InvalidPayload, UnknownSession.
        """
        request = parse(payload, DeskRequest)
        chat = await self._services.chats.chat(as_session_id(request.session_id))
        if chat.customer.business_id != self._business_id:
            raise UnknownSession
        return request, chat

    async def _on_list(self, payload: Any) -> ReplyBody:
        request = parse(payload, DeskRequest)
        user_id = request.user_id
        page = await self._services.chats.store.page(
            self._business_id,
            request.view,
            LIST_PAGE,
            query=plain_text(request.query[:MAX_SEARCH]).strip(),
            user_id=UserId(identifier("userId", user_id)) if user_id is not None else None,
            cursor=request.cursor,
        )
        return {"chats": [chat_row(chat) for chat in page.chats], "cursor": page.cursor}

    async def _on_open(self, payload: Any) -> ReplyBody:
        _, chat = await self._asked(payload)
        session_id, user_id = chat.session_id, chat.customer.user_id
        store, most = self._services.chats.store, EARLIER_SHOWN + 1
        messages = await store.recent_messages(ai_transcript_key(session_id), TRANSCRIPT_PAGE)
        notes = await store.recent_notes(session_id, NOTES_PAGE)
        page = await store.page(self._business_id, ChatView.ALL, most, user_id=user_id)
        earlier = [each for each in page.chats if each.session_id != session_id]
        details = {"context": attend(chat).context, "transferId": chat.transfer_id}
        return {
            "chat": {**chat_row(chat), **details},
            "messages": [message_json(each) for each in messages],
            "notes": [note_json(each) for each in notes],
            "earlier": [chat_row(each) for each in earlier[:EARLIER_SHOWN]],
            "customerOnline": self._services.broadcaster.customer_online(chat.customer),
        }

    async def _on_more(self, payload: Any) -> ReplyBody:
        request, chat = await self._asked(payload)
        server = self._services.server
        return await server.messages(chat.session_id, request.before_seq, TRANSCRIPT_PAGE)

    async def _command(self, event: str, payload: Any) -> Row:
        request, chat = await self._asked(payload)
        command, to = CoordinatorCommand(event), None
        if command is CoordinatorCommand.CLAIM and request.take_over:
            command = CoordinatorCommand.TAKE_OVER
        if command is CoordinatorCommand.FORWARD:
            to = as_coordinator_id(request.to)
            if to not in self._services.broadcaster.online(self._business_id):
                raise NotThere
        by, note = self._coordinator_id, note_text(request.summary)
        execute = self._services.chats.execute
        return chat_row(await execute(chat.session_id, command, by, note, to=to))

    async def _on_attend(self, payload: Any) -> Row:
        request, chat = await self._asked(payload)
        return chat_row(await self._services.chats.attend(chat.session_id, request.timestamp))

    async def _on_confirm(self, payload: Any) -> Row:
        request, chat = await self._asked(payload)
        confirm_id, answer = identifier("confirmId", request.confirm_id), request.answer == "yes"
        answer_question, by = self._services.answer_question, self._coordinator_id
        return chat_row(await answer_question(chat.session_id, confirm_id, answer, by))

    async def _on_note(self, payload: Any) -> ReplyBody:
        request, chat = await self._asked(payload)
        note_id, text = identifier("noteId", request.note_id), _words(request.text, MAX_NOTE)
        by = self._coordinator_id
        return note_json(await self._services.chats.add_note(chat.session_id, note_id, text, by))

    async def _on_whisper(self, payload: Any) -> ReplyBody:
        request, chat = await self._asked(payload)
        message_id = MessageId(identifier("messageId", request.message_id))
        text = _words(request.text, MAX_WHISPER)
        words = (chat.session_id, message_id, text, self._coordinator_id)
        stored = await self._services.server.whisper(*words)
        await self._services.chats.add_note(*words, DeskAction.WHISPERED)
        return {"messageId": message_id, "seq": stored["seq"]}

    async def _on_suggest(self, payload: Any) -> None:
        """Begin a suggestion, which ends the one before; the reply follows all of it."""
        request, chat = await self._asked(payload)
        suggestion_id = identifier("suggestionId", request.suggestion_id)
        self._stop_suggesting()
        suggesting = self._suggesting(chat.session_id, suggestion_id, self._ref)
        self._suggestion = (suggestion_id, task := asyncio.create_task(suggesting))
        stopped = partial(self.socket.reply, self._ref, "error", ErrorReply("stopped"))
        task.add_done_callback(lambda ended: stopped() if ended.cancelled() else None)

    async def _suggesting(self, session_id: SessionId, suggestion_id: str, ref: Ref) -> None:
        text = ""
        try:
            async for delta in self._services.server.suggestion(session_id, self._coordinator_id):
                text = (text + delta)[:MAX_MESSAGE_LENGTH] if delta else ""
                if delta:  # else all of it follows
                    push = {"suggestionId": suggestion_id, "delta": delta}
                    self.socket.push("suggestion", push)
        except ConversationError as error:
            self.socket.reply(ref, "error", _error_reply(error))
        except Exception:
            logger.exception("A suggestion crashed", extra={"action": "suggestion_crashed"})
            self.socket.reply(ref, "error", ErrorReply(AgentServerUnavailable.code))
        else:
            self.socket.reply(ref, "ok", {"text": text})

    async def _on_stop_suggestion(self, payload: Any) -> ReplyBody:
        suggestion_id = parse(payload, DeskRequest).suggestion_id
        if self._suggestion is not None and self._suggestion[0] == suggestion_id:
            self._stop_suggesting()
        return {}

    def _stop_suggesting(self) -> None:
        if self._suggestion is not None:
            self._suggestion[1].cancel()
            self._suggestion = None

    async def _on_outcomes(self, payload: Any) -> ReplyBody:
        days = parse(payload, OutcomesRequest)
        return await self._services.server.outcomes(self._business_id, days.first, days.last)


def _words(given: str, most: int) -> str:
    """Return a text without control characters. Raises: InvalidPayload."""
    text = note_text(given)
    if text is None or len(text) > most:
        raise InvalidPayload(f"text must have 1 to {most:,} characters")
    return text


def _as_caller(business_id: BusinessId, coordinator_id: str) -> Customer:
    """Return a coordinator as a caller to be counted, who is no user of the same name."""
    return Customer(business_id, UserId(f"coordinator {coordinator_id}"))


_COMMANDS = frozenset({"claim", "forward", "requeue", "return", "close"})


def _error_reply(error: ConversationError) -> ErrorReply:
    if isinstance(error, AgentServerUnavailable):  # its adapter has logged the reason
        return ErrorReply(error.code)
    return error_reply(error, by=error.by if isinstance(error, AlreadyClaimed) else None)
