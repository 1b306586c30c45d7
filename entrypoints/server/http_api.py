"""The HTTP API: requests in, use cases called, JSON or a problem document (RFC 9457) out."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, Router, delete, get, post, put
from litestar.openapi import OpenAPIConfig, ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, Example, SecurityScheme, Tag
from litestar.params import Body, QueryParameter
from litestar.response import Stream
from litestar.types import ControllerRouterHandler
from msgspec.structs import asdict

from adapters.json_shapes import (
    CamelStruct,
    CamelStructOmitDefaults,
    ContextJson,
    context_json,
    timestamp,
)
from adapters.phoenix.channel import ConnectInfo
from application.business_facts import facts_if_known, language_of
from application.confirmations import Confirmations
from application.outcomes import OutcomeCounter
from application.ports import Archive, Businesses, Clock, SessionStore
from application.privacy import Privacy
from application.read_history import ReadHistory
from application.session_log import load_session
from application.suggest_reply import Suggestion, SuggestReply
from application.transfers import PostedCoordinatorMessage, Transfers
from application.usage_tracker import UsageTracker
from domain.errors import ConversationError, InvalidPayload
from domain.handover import handover_context
from domain.identity import (
    STORED_IDENTIFIER_PATTERN,
    BusinessId,
    addressee,
    stored_business,
    stored_customer,
)
from domain.message import MAX_HANDOVER_NOTE, MAX_WHISPER, message_text
from domain.outcomes import Outcomes, outcomes_in
from domain.plain_text import note_text
from domain.status import Status
from domain.usage import Usage, together
from entrypoints.access.guards import MAX_BODY, ApiRequest, Guard
from entrypoints.payloads import (
    BusinessIdPath,
    ConfirmIdPath,
    CoordinatorName,
    Identifier,
    SessionIdPath,
    UserIdPath,
    as_coordinator_id,
    as_message_id,
    as_session_id,
)
from entrypoints.problems import (
    OnRefusal,
    Problem,
    conversation_problem,
    operation_of,
    problem_of,
    problems,
)
from entrypoints.server.health import Ready
from entrypoints.server.siblings import Machine
from entrypoints.server.wire import (
    MAX_SEQ,
    EventPresenter,
    LoggedJson,
    SessionJson,
    StatusJson,
    UsageJson,
    session_json,
    usage_json,
)

EVENT_STREAM = "text/event-stream"
MAX_PAGE = 200
MAX_LISTED = 100
MAX_SPAN = timedelta(days=366)
"""The longest period of a report."""
DEFAULT_SPAN = timedelta(days=29)
"""The days from the first to the last of a report without a period."""


class Alive(CamelStruct):
    """The process is alive."""

    status: Literal["ok"] = "ok"
    client: str | msgspec.UnsetType = msgspec.UNSET
    """The address that the caller is known by; for callers with a service token alone."""


class ConversationList(CamelStruct):
    """One page of conversations, newest first; `cursor` requests the next."""

    conversations: list[SessionJson]
    cursor: str | None


class MessagePage(CamelStruct):
    """Entries of a conversation, oldest first; `more`: there are further ones in that direction."""

    messages: list[LoggedJson | StatusJson]
    more: bool


class DayJson(UsageJson):
    """The usage of one day."""

    day: date


class UsageReport(CamelStruct):
    """The AI usage of a business: of each day (UTC) that has any, and in total."""

    business_id: str
    days: list[DayJson]
    total: UsageJson


class DayOutcomes(Outcomes, frozen=True, kw_only=True, rename="camel"):
    """The outcomes of one day."""

    day: date


class OutcomeReport(CamelStruct):
    """The outcomes of a business's conversations: of each day (UTC) that has any, and in total.

    `currency`: of the costs, by the prices of today; null: the business's file has no prices.
    """

    business_id: str
    currency: str | None
    days: list[DayOutcomes]
    total: Outcomes


class StatusRequest(CamelStruct):
    """The status that a coordinator sets: `live` (takeover), `waiting` (back to the queue), `ai`
    (return) or `closed`.

    `updatedAt`: when the coordinator decided it. A decision that is older than the last change of
    hands changes nothing (409 `outdated`). The log is ordered by the server's own clock.
    `reason`: of `waiting` alone. `coordinatorId` is then who had the conversation: if another has
    it by now, nothing changes (409 `outdated`).
    """

    status: Status
    summary: Annotated[str, msgspec.Meta(max_length=MAX_HANDOVER_NOTE)] | None = None
    updated_at: datetime | None = None
    coordinator_id: CoordinatorName | None = None
    reason: Literal["requeued", "coordinator_away"] | None = None


class Whisper(CamelStruct):
    """What a coordinator tells the AI alone."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_WHISPER)]
    coordinator_id: CoordinatorName | None = None
    message_id: Identifier | None = None


class WhisperStored(CamelStruct):
    """The whisper is stored; `duplicate`: it was already."""

    message_id: str
    seq: int
    duplicate: bool


class AgentMessage(CamelStruct):
    """A coordinator's message, for one session or for a user by name.

    `timestamp`: when it was written. One that is older than the last change of hands is stored,
    and takes the conversation from nobody.
    """

    message: Annotated[str, msgspec.Meta(min_length=1)]
    session_id: Identifier | None = None
    business_id: Identifier | None = None
    user_id: Identifier | None = None
    timestamp: datetime | None = None
    coordinator_id: CoordinatorName | None = None
    message_id: Identifier | None = None


class AgentMessageStored(CamelStructOmitDefaults):
    """The message is stored; `duplicate`: it was already.

    `code`, if present: it is older than the last change of hands, and has taken nothing.
    """

    message_id: str
    seq: int
    session_id: str
    status: Status
    duplicate: bool
    code: Literal["outdated"] | None = None


class SuggestionRequest(CamelStruct):
    """A coordinator's request for a draft of their next reply."""

    coordinator_id: CoordinatorName | None = None


class ConfirmationAnswer(CamelStruct):
    """A coordinator's answer to a question for a yes."""

    answer: Literal["yes", "no"]
    coordinator_id: CoordinatorName | None = None


class Confirmation(CamelStruct):
    """The answer that counts, which is the first."""

    confirm_id: str
    answer: Literal["yes", "no"]


class ExportedConversation(CamelStruct):
    """A conversation with its whole log."""

    conversation: SessionJson
    messages: list[LoggedJson | StatusJson]


class Export(CamelStruct):
    """Everything stored about a user."""

    business_id: str
    user_id: str
    exported_at: str
    conversations: list[ExportedConversation]


class Receipt(CamelStruct):
    """The numbers of records that were erased."""

    sessions: int
    messages: int
    notices: int
    erased_at: str


ReportedBusiness = Annotated[
    str, QueryParameter(name="businessId", pattern=STORED_IDENTIFIER_PATTERN)
]
FirstDay = Annotated[date | None, QueryParameter(name="from")]
LastDay = Annotated[date | None, QueryParameter(name="to")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiServices:
    """The use cases and ports behind the API."""

    store: SessionStore
    archive: Archive
    history: ReadHistory
    transfers: Transfers
    confirmations: Confirmations
    suggest_reply: SuggestReply
    privacy: Privacy
    usage_tracker: UsageTracker
    outcomes: OutcomeCounter
    businesses: Businesses
    clock: Clock
    on_refusal: OnRefusal
    presenter: EventPresenter
    machine: Machine
    """Its metrics and its readiness."""
    guards: Sequence[Guard]
    """The guards of `/api`."""
    caller_address: Callable[[ConnectInfo], str | None]


_STATUS_EXAMPLE = Example(summary="A takeover", value={"status": "live", "coordinatorId": "ana"})
_SUGGESTION_EXAMPLE = Example(summary="For Ana", value={"coordinatorId": "ana"})
_YES_EXAMPLE = Example(summary="A yes", value={"answer": "yes", "coordinatorId": "ana"})
_AGENT_EXAMPLE = Example(
    summary="A coordinator's answer",
    value={
        "businessId": "b1",
        "userId": "u1",
        "message": "Bună ziua, sunt Ana.",
        "coordinatorId": "ana",
        "messageId": "4f1c",
    },
)


def http_routes(services: ApiServices) -> list[ControllerRouterHandler]:
    """Return the routes of `/health`, `/metrics` and `/api`."""

    def counted(request: Request[Any, Any, Any], error: ConversationError) -> Response[Problem]:
        services.on_refusal(error.code, operation_of(request), None)
        return conversation_problem(request, error)

    api = Router(
        path="/api",
        guards=services.guards,
        route_handlers=[
            *_conversation_routes(services),
            *_coordinator_routes(services),
            *_user_routes(services),
            *_report_routes(services),
        ],
        exception_handlers={ConversationError: counted},
        request_class=ApiRequest,
        request_max_body_size=MAX_BODY,
        response_headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
        security=[{}, {"token": []}],
    )
    return [api, *_operator_routes(services)]


def _operator_routes(services: ApiServices) -> list[ControllerRouterHandler]:
    @get("/health", tags=["operation"], sync_to_thread=False)
    def alive(request: Request[Any, Any, Any]) -> Alive:
        """Report that the process is alive."""
        client = services.caller_address(ConnectInfo(request.scope))
        return Alive(client=client if client is not None else msgspec.UNSET)

    @get("/health/ready", tags=["operation"], responses={503: ResponseSpec(Ready)})
    async def ready() -> Response[Ready]:
        """Report whether to send traffic here: not with a 503."""
        report = await services.machine.report()
        return Response(report, status_code=503 if report.status in ("down", "draining") else 200)

    @get("/metrics", tags=["operation"], media_type="text/plain; version=1.0.0")
    async def metrics() -> bytes:
        """Return the metrics in Prometheus' text format.

        They are those of all workers of this machine. An `ai_agent_outbox_depth` of -1: the store
        is unavailable.
        """
        return await services.machine.metrics()

    return [alive, ready, metrics]


def _conversation_routes(services: ApiServices) -> list[ControllerRouterHandler]:
    @get("/conversations", tags=["conversations"], responses=problems())
    async def conversations(
        business_id: Annotated[
            str | None, QueryParameter(name="businessId", pattern=STORED_IDENTIFIER_PATTERN)
        ] = None,
        status: Annotated[Status | None, QueryParameter()] = None,
        user_id: Annotated[
            str | None, QueryParameter(name="userId", pattern=STORED_IDENTIFIER_PATTERN)
        ] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=MAX_LISTED)] = 50,
        cursor: Annotated[str | None, QueryParameter(max_length=512)] = None,
    ) -> ConversationList:
        """List conversations, newest first."""
        if user_id is not None and business_id is None:
            raise InvalidPayload("userId needs businessId")
        page = await services.archive.list_sessions(
            business_id=_optional_business_id(business_id),
            status=status,
            customer=stored_customer(business_id, user_id) if user_id is not None else None,
            limit=limit,
            cursor=cursor,
        )
        return ConversationList([session_json(each) for each in page.sessions], page.cursor)

    @get("/conversations/{sessionId:str}", tags=["conversations"], responses=problems(404))
    async def conversation(session_id: SessionIdPath) -> SessionJson:
        """Read the head of a conversation."""
        session, _ = await load_session(services.store, as_session_id(session_id))
        return session_json(session)

    @get(
        "/conversations/{sessionId:str}/messages",
        tags=["conversations"],
        responses=problems(404),
    )
    async def messages(
        session_id: SessionIdPath,
        after: Annotated[int, QueryParameter(ge=0, le=MAX_SEQ)] = 0,
        before: Annotated[int | None, QueryParameter(ge=1, le=MAX_SEQ)] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=MAX_PAGE)] = 50,
    ) -> MessagePage:
        """Read entries between two seqs: the newest with `before`, else the oldest."""
        session, _ = await load_session(services.store, as_session_id(session_id))
        page = await services.history.of(session, after=after, before=before, limit=limit)
        shown = [services.presenter.logged_json(session.customer, entry) for entry in page.entries]
        return MessagePage(shown, page.more)

    @get(
        "/conversations/{sessionId:str}/context",
        tags=["conversations"],
        responses=problems(404),
    )
    async def context(session_id: SessionIdPath) -> ContextJson:
        """Read the context that a coordinator needs before the first message."""
        session, recent = await load_session(services.store, as_session_id(session_id))
        language = await language_of(services.businesses, session.customer.business_id)
        return context_json(handover_context(session, recent, language))

    return [conversations, conversation, messages, context]


def _coordinator_routes(services: ApiServices) -> list[ControllerRouterHandler]:
    @put(
        "/conversation-status/{sessionId:str}",
        tags=["coordinators"],
        responses=problems(404, 409, 413, 415),
    )
    async def status(
        session_id: SessionIdPath,
        data: Annotated[StatusRequest, Body(examples=[_STATUS_EXAMPLE])],
    ) -> SessionJson:
        """Take a conversation over, give it back to the queue or the AI, or close it.

        A repeat changes nothing.
        """
        if data.reason is not None and data.status is not Status.WAITING:
            raise InvalidPayload("reason is of the status waiting alone")
        session = await services.transfers.change(
            as_session_id(session_id),
            data.status,
            as_coordinator_id(data.coordinator_id),
            note_text(data.summary),
            _in_utc(data.updated_at),
            is_away=data.reason == "coordinator_away",
        )
        return session_json(session)

    @post(
        "/conversations/{sessionId:str}/whispers",
        tags=["coordinators"],
        responses={200: ResponseSpec(WhisperStored, description="It was stored before.")}
        | problems(404, 409, 413, 415),
    )
    async def whisper(
        session_id: SessionIdPath, data: Annotated[Whisper, Body()]
    ) -> Response[WhisperStored]:
        """Tell the AI something that the customer does not see, and its next answer follows."""
        posted = await services.transfers.whisper(
            as_session_id(session_id),
            message_text(data.text),
            as_coordinator_id(data.coordinator_id),
            as_message_id(data.message_id),
        )
        stored = WhisperStored(posted.message_id, posted.seq, posted.duplicate)
        return Response(stored, status_code=200 if posted.duplicate else 201)

    @post(
        "/agent-responses",
        tags=["coordinators"],
        responses={200: ResponseSpec(AgentMessageStored, description="It was stored before.")}
        | problems(404, 409, 413, 415),
    )
    async def speak(
        data: Annotated[AgentMessage, Body(examples=[_AGENT_EXAMPLE])],
    ) -> Response[AgentMessageStored]:
        """Post a coordinator's message: a takeover, whoever owned the conversation before."""
        session_id, owner = None, None
        if data.session_id is not None:
            session_id = as_session_id(data.session_id)
            owner = (await load_session(services.store, session_id)).session.customer
        posted = await services.transfers.post_coordinator_message(
            addressee(owner, data.business_id, data.user_id),
            message_text(data.message),
            as_coordinator_id(data.coordinator_id),
            as_message_id(data.message_id),
            session_id,
            written_at=_in_utc(data.timestamp),
        )
        return Response(_stored_json(posted), status_code=200 if posted.duplicate else 201)

    @post(
        "/conversations/{sessionId:str}/confirmations/{confirmId:str}",
        tags=["coordinators"],
        status_code=200,
        responses=problems(404, 409, 413, 415),
    )
    async def confirm(
        session_id: SessionIdPath,
        confirm_id: ConfirmIdPath,
        data: Annotated[ConfirmationAnswer, Body(examples=[_YES_EXAMPLE])],
    ) -> Confirmation:
        """Answer a question that waits for a coordinator's yes. It is no takeover.

        The first answer counts, and is what a later one gets.
        """
        counts = await services.confirmations.by_coordinator(
            as_session_id(session_id),
            confirm_id,
            data.answer == "yes",
            as_coordinator_id(data.coordinator_id),
        )
        return Confirmation(confirm_id, "yes" if counts else "no")

    @post(
        "/conversations/{sessionId:str}/suggestion",
        tags=["coordinators"],
        status_code=200,
        media_type=EVENT_STREAM,
        responses=problems(404, 409, 413, 415),
    )
    async def suggest(
        request: ApiRequest,
        session_id: SessionIdPath,
        data: Annotated[SuggestionRequest, Body(examples=[_SUGGESTION_EXAMPLE])],
    ) -> Stream:
        """Suggest a coordinator's next reply, as a stream of events. Nothing is stored or sent.

        `data: {"delta"}` is a piece of it, and at the end `data: {"text"}` is all of it. A failure
        is an `event: error` with a problem. Who disconnects stops the AI.
        """
        suggestion = await services.suggest_reply(
            as_session_id(session_id), as_coordinator_id(data.coordinator_id)
        )
        return Stream(
            _events(request, suggestion),
            media_type=EVENT_STREAM,
            headers={"X-Accel-Buffering": "no"},
        )

    return [status, whisper, speak, confirm, suggest]


async def _events(request: ApiRequest, suggestion: Suggestion) -> AsyncIterator[bytes]:
    """Yield a suggestion as server-sent events."""
    try:
        async with aclosing(suggestion.pieces()) as pieces:
            async for piece in pieces:
                yield _event({"delta": piece}) if piece else b":\n\n"
        yield _event({"text": suggestion.text})
    except Exception as error:
        yield b"event: error\n" + _event(problem_of(request, error))


def _event(data: object) -> bytes:
    return b"data: " + msgspec.json.encode(data) + b"\n\n"


def _user_routes(services: ApiServices) -> list[ControllerRouterHandler]:
    @get("/users/{businessId:str}/{userId:str}/export", tags=["users"], responses=problems())
    async def export(business_id: BusinessIdPath, user_id: UserIdPath) -> Export:
        """Export everything stored about a user."""
        who = stored_customer(business_id, user_id)
        logs = await services.privacy.export(who)
        return Export(
            who.business_id,
            who.user_id,
            timestamp(services.clock.now()),
            [
                ExportedConversation(
                    session_json(session),
                    [services.presenter.logged_json(who, entry) for entry in log],
                )
                for session, log in logs
            ],
        )

    @delete(
        "/users/{businessId:str}/{userId:str}",
        tags=["users"],
        status_code=200,
        responses=problems(),
    )
    async def erase(business_id: BusinessIdPath, user_id: UserIdPath) -> Receipt:
        """Erase everything stored about a user. A repeat counts zero."""
        erased = await services.privacy.erase(stored_customer(business_id, user_id))
        at = timestamp(services.clock.now())
        return Receipt(erased.sessions, erased.messages, erased.notices, at)

    return [export, erase]


def _report_routes(services: ApiServices) -> list[ControllerRouterHandler]:
    def period(first: date | None, last: date | None) -> tuple[date, date]:
        end = last or services.clock.now().date()
        begin = first or max(date.min + DEFAULT_SPAN, end) - DEFAULT_SPAN
        if not timedelta(0) <= end - begin < MAX_SPAN:
            raise InvalidPayload(f"from must not be after to, nor {MAX_SPAN.days} days before it")
        return begin, end

    @get("/usage", tags=["reports"], responses=problems())
    async def usage(
        business_id: ReportedBusiness, first: FirstDay = None, last: LastDay = None
    ) -> UsageReport:
        """Report the AI usage of a business, both days included; default: the last 30 days."""
        owner = stored_business(business_id)
        days = await services.usage_tracker.by_day(owner, *period(first, last))
        return UsageReport(
            owner,
            [DayJson(**asdict(usage_json(spent)), day=day) for day, spent in days.items()],
            usage_json(together(*days.values()) or Usage()),
        )

    @get("/outcomes", tags=["reports"], responses=problems())
    async def outcomes(
        business_id: ReportedBusiness, first: FirstDay = None, last: LastDay = None
    ) -> OutcomeReport:
        """Report what became of a business's conversations; the period is as for the usage."""
        owner = stored_business(business_id)
        days = await services.outcomes.by_day(owner, *period(first, last))
        business = await facts_if_known(services.businesses, owner)
        prices = business.prices if business is not None else None
        total = Counter[str]()
        for counts in days.values():
            total.update(counts)
        return OutcomeReport(
            owner,
            prices.currency if prices is not None else None,
            [
                DayOutcomes(**asdict(outcomes_in(counts, prices)), day=day)
                for day, counts in days.items()
            ],
            outcomes_in(total, prices),
        )

    return [usage, outcomes]


def _stored_json(posted: PostedCoordinatorMessage) -> AgentMessageStored:
    return AgentMessageStored(
        posted.message_id,
        posted.seq,
        posted.session.session_id,
        posted.session.status,
        posted.duplicate,
        "outdated" if posted.outdated else None,
    )


def _optional_business_id(value: str | None) -> BusinessId | None:
    return None if value is None else stored_business(value)


def _in_utc(value: datetime | None) -> datetime | None:
    """Return the time; one without an offset is in UTC."""
    return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


def openapi_config() -> OpenAPIConfig:
    """Return the description of the API, served at `/schema` and `/schema/openapi.json`.

    JSON only: every page that Litestar could render loads scripts from a foreign host.
    """
    return OpenAPIConfig(
        title="AI Agent Server",
        version="1",
        path="/schema",
        render_plugins=[JsonRenderPlugin(path=["/openapi.json", "/"])],
        components=Components(
            security_schemes={
                "token": SecurityScheme(
                    type="http",
                    scheme="bearer",
                    description="One of `SERVICE_TOKEN`, if it is set.",
                )
            }
        ),
        tags=[
            Tag("conversations", "Conversations and their messages."),
            Tag("coordinators", "Takeovers, messages, returns and closes by coordinators."),
            Tag("reports", "The usage of the AI, and the outcomes of conversations."),
            Tag("users", "A user's rights of access and erasure."),
            Tag("visitors", "Identities for customers whom nobody signs in."),
            Tag("operation", "Health and metrics."),
        ],
        use_handler_docstrings=True,
        operation_id_creator=lambda handler, *_: handler.handler_name,
    )
