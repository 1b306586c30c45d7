"""The bridge's HTTP interface: what the AI agent server calls, and what others may."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Router, get, post, put
from litestar.exceptions import NotFoundException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.params import HeaderParameter, JSONBody, PathParameter, QueryParameter
from litestar.types import ControllerRouterHandler

from adapters.json_shapes import CamelStruct
from application.bridge.live_chats import LiveChats
from application.bridge.ports import Answer
from application.ports import Businesses, Clock
from domain.bridge.live_chat import Told, TransferNews, Words
from domain.business import Business
from domain.errors import InvalidPayload
from domain.identity import (
    BusinessId,
    CoordinatorId,
    Customer,
    LocationId,
    MessageId,
    SessionId,
    TransferId,
    UserId,
    customer,
    identifier,
)
from domain.message import Author, message_text
from domain.status import Status
from entrypoints.access.guards import ApiRequest, only_json, token_guard
from entrypoints.access.rate_limits import Limits
from entrypoints.problems import problems

MAX_BODY = 256 * 1024
"""The largest request body, in bytes: a context package's 24,000 characters in JSON, and more.

What the server tells is bounded by this alone: news that are refused are lost.
"""

_IDENTIFIER = r"^[A-Za-z0-9._:@-]{1,128}$"
Identifier = Annotated[str, msgspec.Meta(pattern=_IDENTIFIER)]
Time = Annotated[datetime, msgspec.Meta(tz=True)]


class Done(CamelStruct):
    """It is stored."""

    status: Literal["ok"] = "ok"


class WordsStored(CamelStruct):
    """What was said is stored; `duplicate`: it was already."""

    message_id: str
    duplicate: bool


class ConversationNews(CamelStruct):
    """A user has said something to the AI."""

    business_id: Identifier
    user_id: Identifier
    session_id: Identifier
    message: str
    location_id: Identifier | None = None
    timestamp: Time | None = None
    type: Literal["ai_conversation"] = "ai_conversation"


class AnswerNews(CamelStruct):
    """What the AI has answered to what."""

    business_id: Identifier
    user_id: Identifier
    ai_response: str
    last_message: str | None = None
    timestamp: Time | None = None


class ContextNews(CamelStruct):
    """The AI has answered."""

    session_id: Identifier
    context: AnswerNews
    timestamp: Time | None = None


class StatusNews(CamelStruct):
    """A conversation has changed hands."""

    status: Status
    summary: str | None = None
    updated_at: Time | None = None
    coordinator_id: Identifier | None = None


class TransferNotification(CamelStruct):
    """A user waits for a human; `context` is the context package, whatever is in it."""

    transfer_id: Identifier
    session_id: Identifier
    business_id: Identifier
    user_id: Identifier
    reason: Annotated[str, msgspec.Meta(max_length=128)]
    context: dict[str, Any]
    location_id: Identifier | None = None
    timestamp: Time | None = None
    type: Literal["transfer"] = "transfer"


class UserMessage(CamelStruct):
    """A user says something to the coordinators' side."""

    business_id: Identifier
    user_id: Identifier
    message: str
    location_id: Identifier | None = None
    timestamp: Time | None = None
    message_id: Identifier | None = None


class AgentMessage(CamelStruct):
    """A coordinator says something: in a session, or to a user by name."""

    message: str
    session_id: Identifier | None = None
    business_id: Identifier | None = None
    user_id: Identifier | None = None
    timestamp: Time | None = None
    coordinator_id: Identifier | None = None
    message_id: Identifier | None = None


class BusinessJson(CamelStruct):
    """What a business says of itself."""

    business_id: str
    name: str
    language: str
    persona: str
    facts: dict[str, str]


class ReservationJson(CamelStruct):
    """One reservation."""

    reservation_id: str
    date: str
    time: str
    guests: int
    name: str


class Reservations(CamelStruct):
    """The coming reservations of a user or, without one, of the business."""

    reservations: list[ReservationJson]


SessionIdPath = Annotated[str, PathParameter(name="sessionId", pattern=_IDENTIFIER)]
BusinessIdPath = Annotated[str, PathParameter(name="businessId", pattern=_IDENTIFIER)]
Key = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="A repeat with the same key gets the first answer, and changes nothing.",
    ),
]
JsonRequest = Request[Any, Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeServices:
    """What is behind the interface."""

    chats: LiveChats
    businesses: Businesses
    clock: Clock
    limits: Limits
    service_token: str = ""
    """Tokens that open `/api`, separated by commas; empty: it is open."""


def bridge_routes(services: BridgeServices) -> list[ControllerRouterHandler]:
    """`/health` and `/api`."""

    @get("/health", tags=["operation"], sync_to_thread=False)
    def alive() -> Done:
        """The process lives."""
        return Done()

    api = Router(
        path="/api",
        guards=[token_guard(services.service_token, services.limits), only_json],
        route_handlers=[
            *_news_routes(services),
            *_speech_routes(services),
            *_business_routes(services),
        ],
        request_class=ApiRequest,
        request_max_body_size=MAX_BODY,
        response_headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
        security=[{}, {"token": []}],
    )
    return [alive, api]


def _news_routes(services: BridgeServices) -> list[ControllerRouterHandler]:
    chats = services.chats

    @post("/ai-conversation", tags=["news"], status_code=200, responses=problems(413, 415))
    async def conversation(data: JSONBody[ConversationNews], key: Key = None) -> Done:
        """A user has said something to the AI."""
        words = _told_words(services, Author.USER, message_text(data.message), data.timestamp)
        await chats.told_words(
            _customer(data),
            SessionId(identifier("sessionId", data.session_id)),
            _location_id(data.location_id),
            words,
            _scoped("ai-conversation", key),
        )
        return Done()

    @post("/ai-context", tags=["news"], status_code=200, responses=problems(413, 415))
    async def context(data: JSONBody[ContextNews], key: Key = None) -> Done:
        """The AI has answered."""
        news = data.context
        at = news.timestamp or data.timestamp
        words = _told_words(services, Author.AI, news.ai_response, at)
        await chats.told_words(
            _customer(news),
            SessionId(identifier("sessionId", data.session_id)),
            None,
            words,
            _scoped("ai-context", key),
        )
        return Done()

    @put("/conversation-status/{sessionId:str}", tags=["news"], responses=problems(413, 415))
    async def status(
        session_id: SessionIdPath, data: JSONBody[StatusNews], key: Key = None
    ) -> Done:
        """A conversation has changed hands."""
        told = Told(
            status=data.status,
            at=data.updated_at or services.clock.now(),
            summary=data.summary,
            coordinator_id=_coordinator_id(data.coordinator_id),
        )
        sought = SessionId(identifier("sessionId", session_id))
        await chats.told_status(sought, told, _scoped("conversation-status", key))
        return Done()

    @post("/notifications", tags=["news"], status_code=200, responses=problems(413, 415))
    async def notification(data: JSONBody[TransferNotification], key: Key = None) -> Done:
        """A user waits for a human."""
        news = TransferNews(
            transfer_id=TransferId(identifier("transferId", data.transfer_id)),
            reason=data.reason,
            context=data.context,
            at=data.timestamp or services.clock.now(),
        )
        await chats.told_transfer(
            _customer(data),
            SessionId(identifier("sessionId", data.session_id)),
            _location_id(data.location_id),
            news,
            _scoped("notifications", key),
        )
        return Done()

    return [conversation, context, status, notification]


def _speech_routes(services: BridgeServices) -> list[ControllerRouterHandler]:
    chats = services.chats

    @post("/messages", tags=["live chat"], status_code=200, responses=problems(413, 415))
    async def user_message(data: JSONBody[UserMessage], key: Key = None) -> WordsStored:
        """A user says something to the coordinators' side."""
        return _stored(
            await chats.user_speaks(
                _customer(data),
                message_text(data.message),
                message_id=_message_id(data.message_id),
                at=data.timestamp,
                key=_scoped("messages", key),
            )
        )

    @post(
        "/agent-responses",
        tags=["live chat"],
        status_code=200,
        responses=problems(404, 409, 413, 415),
    )
    async def agent_message(data: JSONBody[AgentMessage], key: Key = None) -> WordsStored:
        """A coordinator says something to a user."""
        return _stored(
            await chats.coordinator_speaks(
                await _addressee(chats, data),
                message_text(data.message),
                coordinator_id=_coordinator_id(data.coordinator_id),
                message_id=_message_id(data.message_id),
                at=data.timestamp,
                key=_scoped("agent-responses", key),
            )
        )

    return [user_message, agent_message]


def _business_routes(services: BridgeServices) -> list[ControllerRouterHandler]:
    @get("/business/{businessId:str}", tags=["facts"], responses=problems(404))
    async def business(business_id: BusinessIdPath) -> BusinessJson:
        """What a business says of itself."""
        known = await _business(services, business_id)
        return BusinessJson(
            known.business_id, known.name, known.language, known.persona, known.facts
        )

    @get("/business/{businessId:str}/reservations", tags=["facts"], responses=problems(404))
    async def reservations(
        business_id: BusinessIdPath,
        user_id: Annotated[str | None, QueryParameter(name="userId", pattern=_IDENTIFIER)] = None,
    ) -> Reservations:
        """The coming reservations."""
        known = await _business(services, business_id)
        whose = UserId(identifier("userId", user_id)) if user_id is not None else UserId("")
        found = await services.businesses.reservations(Customer(known.business_id, whose))
        return Reservations(
            [
                ReservationJson(each.reservation_id, each.date, each.time, each.guests, each.name)
                for each in found
            ]
        )

    return [business, reservations]


async def _business(services: BridgeServices, business_id: str) -> Business:
    sought = BusinessId(identifier("businessId", business_id))
    known = await services.businesses.business(sought)
    if known is None:
        raise NotFoundException("nothing is known of that business")
    return known


async def _addressee(chats: LiveChats, data: AgentMessage) -> Customer:
    """Whom a coordinator speaks to. Raises: InvalidPayload, UnknownSession."""
    if data.session_id is None:
        if data.business_id is None or data.user_id is None:
            raise InvalidPayload("sessionId, or businessId and userId, must say to whom")
        return customer(data.business_id, data.user_id)
    chat = await chats.chat(SessionId(identifier("sessionId", data.session_id)))
    if (data.business_id or chat.customer.business_id) != chat.customer.business_id or (
        data.user_id or chat.customer.user_id
    ) != chat.customer.user_id:
        raise InvalidPayload("the session is another user's")
    return chat.customer


def _told_words(services: BridgeServices, author: Author, text: str, at: datetime | None) -> Words:
    """Words without an id of their own: who says the same at the same time has said it once."""
    digest = sha256(text.encode()).hexdigest()[:16]
    once = f"{author}:{at.isoformat()}:{digest}" if at is not None else services.chats.new_id()
    message_id = MessageId(once)
    return Words(message_id=message_id, author=author, text=text, at=at or services.clock.now())


def _stored(answer: Answer) -> WordsStored:
    return msgspec.convert(answer, WordsStored)


def _scoped(route: str, key: str | None) -> str | None:
    """A key is its route's own: another's answer would have another shape."""
    return f"{route} {key}" if key is not None else None


def _customer(data: ConversationNews | AnswerNews | TransferNotification | UserMessage) -> Customer:
    return customer(data.business_id, data.user_id)


def _location_id(value: str | None) -> LocationId | None:
    return None if value is None else LocationId(identifier("locationId", value))


def _message_id(value: str | None) -> MessageId | None:
    return None if value is None else MessageId(identifier("messageId", value))


def _coordinator_id(value: str | None) -> CoordinatorId | None:
    return None if value is None else CoordinatorId(identifier("coordinatorId", value))


def bridge_openapi() -> OpenAPIConfig:
    """The description of the interface, at `/schema`: what an application in its place does."""
    return OpenAPIConfig(
        title="Bridge",
        version="1",
        path="/schema",
        render_plugins=[JsonRenderPlugin(path=["/openapi.json", "/"])],
        use_handler_docstrings=True,
        operation_id_creator=lambda handler, *_: handler.handler_name,
    )
