"""The bridge's HTTP interface, for the AI agent server and other programs."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from litestar import Router, delete, get, post, put
from litestar.exceptions import NotFoundException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.params import HeaderParameter, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from adapters.json_shapes import NO_SUMMARY, CamelStruct
from domain.bridge.live_chat import (
    MAX_AGE_FROM_PROGRAM,
    AskedConfirmation,
    ChatMessage,
    GivenRating,
    LeftMessage,
    LiveChat,
    ServerState,
    TransferReport,
    apply_confirmation,
    apply_message,
    apply_missed,
    apply_rating,
    apply_transfer,
    plausible_time,
)
from domain.business import Business
from domain.errors import InvalidPayload
from domain.identity import (
    IDENTIFIER_PATTERN,
    CoordinatorId,
    Customer,
    LocationId,
    MessageId,
    TransferId,
    UserId,
    addressee,
    business_identifier,
    customer,
    identifier,
)
from domain.message import Author, message_text
from domain.plain_text import note_text, plain_text
from domain.rating import MAX_COMMENT, MOST_STARS, stars
from domain.status import Status
from domain.tool import MAX_TOOL_RESULT, Confirmer
from domain.write_call import MAX_WHAT, WriteState
from entrypoints.access.guards import ApiRequest, Guard
from entrypoints.bridge.channels import BridgeServices
from entrypoints.bridge.wire import ADDITIONS
from entrypoints.payloads import (
    BusinessIdPath,
    CoordinatorName,
    Identifier,
    SessionIdPath,
    Time,
    UserIdPath,
    as_coordinator_id,
    as_location_id,
    as_message_id,
    as_session_id,
)
from entrypoints.problems import problems

T = TypeVar("T")

MAX_REPORT_BODY = 256 * 1024
"""The largest request body, in bytes: a context package's 24,000 characters in JSON, and more.

Nothing else bounds what the server reports: a report that is refused is lost.
"""


class Done(CamelStruct):
    """The reply to a request that is stored."""

    status: Literal["ok"] = "ok"


class MessageStored(CamelStruct):
    """The reply to a message that is stored; `duplicate`: it was before."""

    message_id: str
    duplicate: bool


class BridgeReceipt(CamelStruct):
    """The number of conversations that were erased, with all that was written in them."""

    conversations: int


class CustomerRequest(CamelStruct, kw_only=True):
    """A request about a customer."""

    business_id: Identifier
    user_id: Identifier
    timestamp: Time | None = None

    @property
    def customer(self) -> Customer:
        """The customer. Raises: InvalidPayload."""
        return customer(self.business_id, self.user_id)


class ConversationReport(CustomerRequest, kw_only=True):
    """A report of the server on a customer's conversation."""

    session_id: Identifier
    location_id: Identifier | None = None


class AiConversationRequest(ConversationReport, kw_only=True):
    """A report that a user has written to the AI."""

    message: str
    type: Literal["ai_conversation"] = "ai_conversation"


class AiAnswer(CustomerRequest, kw_only=True):
    """An answer of the AI, and the message that it answers."""

    ai_response: str
    last_message: str | None = None


class AiContextRequest(CamelStruct):
    """A report that the AI has answered."""

    session_id: Identifier
    context: AiAnswer
    timestamp: Time | None = None


class StatusReport(CamelStruct):
    """A report that the status or the coordinator of a conversation has changed."""

    status: Status
    summary: str | None = None
    updated_at: Time | None = None
    coordinator_id: CoordinatorName | None = None


class NotificationRequest(ConversationReport, kw_only=True):
    """A report that a user waits for a human, wrote while none was there (`missed`), of a step of
    what is done only with a person's yes (`confirmation`), or of a `rating`.

    `reason` and `context`, the context package of any content: of the first two. `transferId`: of a
    transfer; `message`: of a missed one. `confirmId`, `by`, `state` and `what`: of a confirmation;
    `expiresAt`, `result` and `coordinatorId`, too, where there are any. `rating`, from 1 to 5, and
    a `comment`, where there is one: of a rating.
    """

    type: Literal["transfer", "missed", "confirmation", "rating"] = "transfer"
    reason: Annotated[str, msgspec.Meta(max_length=128)] | None = None
    context: dict[str, Any] | None = None
    transfer_id: Identifier | None = None
    message: str | None = None
    confirm_id: Identifier | None = None
    by: Confirmer | None = None
    state: WriteState | None = None
    what: Annotated[str, msgspec.Meta(max_length=MAX_WHAT)] | None = None
    expires_at: Time | None = None
    result: Annotated[str, msgspec.Meta(max_length=MAX_TOOL_RESULT)] | None = None
    coordinator_id: CoordinatorName | None = None
    rating: Annotated[int, msgspec.Meta(ge=1, le=MOST_STARS)] | None = None
    comment: Annotated[str, msgspec.Meta(max_length=MAX_COMMENT)] | None = None

    def change(self, at: datetime) -> Callable[[LiveChat], LiveChat]:
        """Return the change that it makes. Raises: InvalidPayload."""
        if self.type == "confirmation":
            asked = AskedConfirmation(
                confirm_id=identifier("confirmId", self.confirm_id),
                by=_given("by", self.by),
                state=_given("state", self.state),
                what=plain_text(_given("what", self.what)),
                at=at,
                expires_at=self.expires_at,
                result=plain_text(self.result or ""),
                coordinator_id=as_coordinator_id(self.coordinator_id),
            )
            return partial(apply_confirmation, report=asked)
        if self.type == "rating":
            given = stars(_given("rating", self.rating), self.comment)
            return partial(apply_rating, rating=GivenRating(stars=given, at=at))
        reason = plain_text(_given("reason", self.reason))
        context = _given("context", self.context)
        if self.type == "missed":
            text = message_text(self.message)
            left = LeftMessage(text=text, reason=reason, context=context, at=at)
            return partial(apply_missed, missed=left)
        transfer_id = TransferId(identifier("transferId", self.transfer_id))
        transfer = TransferReport(transfer_id=transfer_id, reason=reason, context=context, at=at)
        return partial(apply_transfer, transfer=transfer)


def _given(name: str, value: T | None) -> T:
    """Return a value that this type of notification needs. Raises: InvalidPayload."""
    if value is None:
        raise InvalidPayload(f"{name} is missing")
    return value


class UserMessage(CustomerRequest, kw_only=True):
    """A message of a user to the coordinators."""

    message: str
    location_id: Identifier | None = None
    message_id: Identifier | None = None


class AgentMessageRequest(CamelStruct):
    """A message of a coordinator, into a session or to a named user."""

    message: str
    session_id: Identifier | None = None
    business_id: Identifier | None = None
    user_id: Identifier | None = None
    timestamp: Time | None = None
    coordinator_id: CoordinatorName | None = None
    message_id: Identifier | None = None


class BusinessJson(CamelStruct):
    """The facts about a business.

    `additions`: the optional parts of the interface that this bridge has.
    """

    business_id: str
    name: str
    language: str
    persona: str
    facts: dict[str, str]
    additions: tuple[str, ...] = ADDITIONS


class OnlineReply(CamelStruct):
    """The number of a business's coordinators who are there."""

    online: int


class ReservationJson(CamelStruct):
    """One reservation."""

    reservation_id: str
    date: str
    time: str
    guests: int
    name: str


class Reservations(CamelStruct):
    """The upcoming reservations of a user or, without one, of the business."""

    reservations: list[ReservationJson]


Key = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="A repeat with the same key gets the first reply, and changes nothing.",
    ),
]


def bridge_routes(
    services: BridgeServices, guards: Sequence[Guard], render_metrics: Callable[[], bytes]
) -> list[ControllerRouterHandler]:
    """Return the routes of `/health`, `/metrics` and `/api`; `guards`: those of `/api`."""

    @get("/health", tags=["operation"], sync_to_thread=False)
    def alive() -> Done:
        """Report that the process is alive."""
        return Done()

    @get(
        "/metrics",
        tags=["operation"],
        media_type="text/plain; version=1.0.0",
        sync_to_thread=False,
    )
    def metrics() -> bytes:
        """Return the metrics in Prometheus' text format."""
        return render_metrics()

    api = Router(
        path="/api",
        guards=guards,
        route_handlers=[
            *_report_routes(services),
            *_message_routes(services),
            *_business_routes(services),
        ],
        request_class=ApiRequest,
        request_max_body_size=MAX_REPORT_BODY,
        response_headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
        security=[{}, {"token": []}],
    )
    return [alive, metrics, api]


def _report_routes(services: BridgeServices) -> list[ControllerRouterHandler]:
    chats = services.chats

    async def record_message(
        who: Customer, message: ChatMessage, key: str | None, location_id: LocationId | None = None
    ) -> Done:
        assert message.session_id is not None
        at, apply = message.at, partial(apply_message, message=message)
        await chats.record(who, message.session_id, location_id, at, apply, key, message=message)
        return Done()

    @post("/ai-conversation", tags=["reports"], status_code=200, responses=problems(413, 415))
    async def conversation(data: JSONBody[AiConversationRequest], key: Key = None) -> Done:
        """Record a message of a user to the AI."""
        text, given_id, at = message_text(data.message), data.session_id, data.timestamp
        message = _ai_message(services, given_id, Author.USER, text, at)
        scoped_key, location_id = _scoped("ai-conversation", key), as_location_id(data.location_id)
        return await record_message(data.customer, message, scoped_key, location_id)

    @post("/ai-context", tags=["reports"], status_code=200, responses=problems(413, 415))
    async def context(data: JSONBody[AiContextRequest], key: Key = None) -> Done:
        """Record an answer of the AI."""
        answer, at = data.context, data.context.timestamp or data.timestamp
        text = plain_text(answer.ai_response)
        message = _ai_message(services, data.session_id, Author.AI, text, at)
        return await record_message(answer.customer, message, _scoped("ai-context", key))

    @put("/conversation-status/{sessionId:str}", tags=["reports"], responses=problems(413, 415))
    async def status(
        session_id: SessionIdPath, data: JSONBody[StatusReport], key: Key = None
    ) -> Done:
        """Record the server's state of a conversation."""
        state = ServerState(
            status=data.status,
            at=_time(services, data.updated_at),
            handover_note=note_text(data.summary) if data.summary != NO_SUMMARY else None,
            coordinator_id=as_coordinator_id(data.coordinator_id),
        )
        scoped_key = _scoped("conversation-status", key)
        await chats.record_server_state(as_session_id(session_id), state, scoped_key)
        return Done()

    @post("/notifications", tags=["reports"], status_code=200, responses=problems(413, 415))
    async def notification(data: JSONBody[NotificationRequest], key: Key = None) -> Done:
        """Record that a user waits, wrote while nobody was there, is asked for a yes, or rates.

        Of the other fields, those that a type needs are refused as missing.
        """
        at, session_id = _time(services, data.timestamp), as_session_id(data.session_id)
        location_id, scoped_key = as_location_id(data.location_id), _scoped("notifications", key)
        change, opens = data.change(at), data.type != "rating"
        who = (data.customer, session_id, location_id)
        await chats.record(*who, at, change, scoped_key, opens=opens)
        return Done()

    return [conversation, context, status, notification]


def _message_routes(services: BridgeServices) -> list[ControllerRouterHandler]:
    chats = services.chats

    async def store(
        to: Customer,
        author: Author,
        data: UserMessage | AgentMessageRequest,
        key: str | None,
        by: CoordinatorId | None = None,
    ) -> MessageStored:
        reply = await chats.post(
            to,
            author,
            message_text(data.message),
            coordinator_id=by,
            message_id=as_message_id(data.message_id),
            at=_time(services, data.timestamp),
            key=key,
        )
        return msgspec.convert(reply, MessageStored)

    @post("/messages", tags=["live chat"], status_code=200, responses=problems(413, 415))
    async def user_message(data: JSONBody[UserMessage], key: Key = None) -> MessageStored:
        """Post a message of a user to the coordinators."""
        return await store(data.customer, Author.USER, data, _scoped("messages", key))

    @post(
        "/agent-responses",
        tags=["live chat"],
        status_code=200,
        responses=problems(404, 409, 413, 415),
    )
    async def agent_message(data: JSONBody[AgentMessageRequest], key: Key = None) -> MessageStored:
        """Post a message of a coordinator to a user."""
        owner = None
        if data.session_id is not None:
            owner = (await chats.chat(as_session_id(data.session_id))).customer
        to = addressee(owner, data.business_id, data.user_id)
        by, scoped_key = as_coordinator_id(data.coordinator_id), _scoped("agent-responses", key)
        return await store(to, Author.COORDINATOR, data, scoped_key, by)

    return [user_message, agent_message]


def _business_routes(services: BridgeServices) -> list[ControllerRouterHandler]:
    @get("/business/{businessId:str}", tags=["facts"], responses=problems(404))
    async def business(business_id: BusinessIdPath) -> BusinessJson:
        """Return the facts about a business."""
        known = await _business(services, business_id)
        return msgspec.convert(known, BusinessJson, from_attributes=True)

    @get("/business/{businessId:str}/reservations", tags=["facts"], responses=problems(404))
    async def reservations(
        business_id: BusinessIdPath,
        user_id: Annotated[
            str | None, QueryParameter(name="userId", pattern=IDENTIFIER_PATTERN)
        ] = None,
    ) -> Reservations:
        """Return the upcoming reservations."""
        known = await _business(services, business_id)
        whose = UserId(identifier("userId", user_id)) if user_id is not None else UserId("")
        found = await services.businesses.reservations(Customer(known.business_id, whose))
        return Reservations(msgspec.convert(found, list[ReservationJson], from_attributes=True))

    @delete(
        "/users/{businessId:str}/{userId:str}",
        tags=["privacy"],
        status_code=200,
        responses=problems(),
    )
    async def erase(business_id: BusinessIdPath, user_id: UserIdPath) -> BridgeReceipt:
        """Erase everything that the bridge stores about a user. A repeat counts zero."""
        return BridgeReceipt(await services.chats.erase(customer(business_id, user_id)))

    @get("/business/{businessId:str}/presence", tags=["live chat"], responses=problems())
    async def presence(business_id: BusinessIdPath) -> OnlineReply:
        """Return how many coordinators are there."""
        return OnlineReply(
            len(services.broadcaster.online(business_identifier("businessId", business_id)))
        )

    return [business, reservations, presence, erase]


async def _business(services: BridgeServices, business_id: str) -> Business:
    sought = business_identifier("businessId", business_id)
    known = await services.businesses.business(sought)
    if known is None:
        raise NotFoundException("nothing is known of that business")
    return known


def _ai_message(
    services: BridgeServices, session_id: str, author: Author, text: str, at: datetime | None
) -> ChatMessage:
    """Return a message with an id made of its content: a repeated report is a duplicate."""
    digest = sha256(text.encode()).hexdigest()[:16]
    made_id = f"{author}:{at.isoformat()}:{digest}" if at is not None else services.chats.new_id()
    return ChatMessage(
        message_id=MessageId(made_id),
        author=author,
        text=text,
        at=_time(services, at),
        session_id=as_session_id(session_id),
    )


def _time(services: BridgeServices, given: datetime | None) -> datetime:
    return plausible_time(given, services.clock.now(), max_age=MAX_AGE_FROM_PROGRAM)


def _scoped(route: str, key: str | None) -> str | None:
    """Return the key with its route: the reply of another route would have another shape."""
    return f"{route} {key}" if key is not None else None


def bridge_openapi() -> OpenAPIConfig:
    """Return the description of the interface, served at `/schema`."""
    return OpenAPIConfig(
        title="Bridge",
        version="1",
        path="/schema",
        render_plugins=[JsonRenderPlugin(path=["/openapi.json", "/"])],
        use_handler_docstrings=True,
        operation_id_creator=lambda handler, *_: handler.handler_name,
    )
