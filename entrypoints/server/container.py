"""The server's composition root: its concrete adapters are named and chosen here.

`access.tokens` has the one choice that the bridge's root shares.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import random
from secrets import token_hex
from socket import gethostname
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit
from zoneinfo import ZoneInfo

from dependency_injector import containers, providers
from dependency_injector.providers import Provider

from adapters.event_log import EventLog
from adapters.files.folder import FileBusinesses, OnKnowledge, folder_of
from adapters.language_ranking import language_ranking, no_ranking
from adapters.memory.broker import NoBroker
from adapters.memory.businesses import MemoryBusinesses
from adapters.memory.leases import MemoryLeases
from adapters.memory.store import MemoryStore
from adapters.model_choices import ModelChoice, model_choices, model_key, own_model
from adapters.phoenix.endpoint import SOCKET_PATH, PhoenixEndpoint
from adapters.phoenix.limits import Connections
from adapters.phoenix.longpoll import LONG_POLL_PATH, LongPoll
from adapters.prometheus import Metrics, ProcessState
from adapters.prometheus_text import machine_text
from adapters.scripted import ScriptedAssistant
from adapters.system import RandomIds, SystemClock
from adapters.urls import shown_url
from application.answer_pending import AnswerPending
from application.answer_versions import AnswerVersions
from application.attendance import Attendance
from application.bridge_inbox import BridgeInbox
from application.chat_owners import ChatOwners
from application.confirmations import Confirmations
from application.day_counts import DayCounts
from application.deliver_outbox import DeliverOutbox
from application.hub import Hub
from application.join import JoinConversation
from application.outcomes import OutcomeCounter
from application.policy import Policy
from application.ports import (
    Assistant,
    Bridge,
    Broker,
    Businesses,
    BusinessTools,
    Clock,
    Embedder,
    Knowledge,
    Leases,
    Lifecycle,
    LiveChatGateway,
    NewId,
    Presence,
    Store,
    Tracing,
)
from application.post_message import PostMessage
from application.privacy import Privacy
from application.rate_conversation import RateConversation
from application.read_history import ReadHistory
from application.session_log import SessionLog
from application.sign_in import SignIn
from application.suggest_reply import SuggestReply
from application.summaries import Summaries
from application.sweep import Sweep
from application.transfers import Transfers
from application.turns import Turns
from application.usage_tracker import UsageTracker
from application.views import Views
from application.write_calls import WriteCalls
from domain.business import ModelSettings, Picture, max_facts
from domain.identity import BusinessId, Customer
from domain.language import RankLanguages
from domain.notice import Lane
from domain.outbox import outbox_messages
from entrypoints.access.auth import Identify
from entrypoints.access.connection_limits import connections as limited_connections
from entrypoints.access.guards import api_guards, caller_address
from entrypoints.access.origins import PageOrigins
from entrypoints.access.rate_limits import NoRateLimits, RateLimiter, TokenBucketLimiter, turn_slots
from entrypoints.access.tokens import token_verifier, visitor_tokens
from entrypoints.logs import dropped_lines
from entrypoints.server.customer_pages import CustomerPages
from entrypoints.server.health import Health
from entrypoints.server.http_api import ApiServices
from entrypoints.server.messages_channel import TOPIC_PREFIX, MessagesChannel, MessagesServices
from entrypoints.server.siblings import Machine, Siblings, WorkerPart
from entrypoints.server.website import WebsiteServices
from entrypoints.server.wire import EventPresenter, LiveChatAddresses
from entrypoints.settings import BadSetting, Settings
from entrypoints.tracing import chosen_tracing

if TYPE_CHECKING:  # imported only when they are chosen: their libraries take long to load
    from adapters.dynamodb.client import Dynamo
    from adapters.dynamodb.migration import TableMigration
    from adapters.dynamodb.table import DynamoTable
    from adapters.elixir.additions import Additions
    from adapters.elixir.http import ElixirHttp
    from adapters.elixir.socket import ElixirSocket
    from adapters.jwt.tokens import JwtTokens
    from adapters.jwt.visitors import VisitorTokens
    from adapters.knowledge.index import KnowledgeIndex
    from adapters.mcp.tools import McpTools


Jitter = Callable[[], float]
"""Returns a float in 0..1."""


def _no_owner(_customer: Customer) -> None:
    return None


def _joined_here(
    live_chats: LiveChatGateway, owners: ChatOwners
) -> Callable[[Customer], bool | None]:
    def is_joined(customer: Customer) -> bool | None:
        return live_chats.is_joined(customer) if owners.is_mine(customer) else None

    return is_joined


def _no_topics(_customer: Customer) -> bool:
    return False


def _memory_store(settings: Settings, clock: Clock) -> Store:
    return MemoryStore(_expired_until(settings, clock))


BUSY_CHECK_S = 5.0
"""The longest wait of a check for a database that another process holds."""


def is_database_ready(settings: Settings) -> bool:
    """Return whether SQLite's file is there in the present schema; it is neither made nor changed.

    Raises: StorageUnavailable, where a server could not use it.
    """
    from adapters.sqlite.file import try_writing

    path = Path(settings.sqlite_path)
    return path.exists() and try_writing(path, busy_timeout_s=BUSY_CHECK_S)


def _sqlite_store(
    settings: Settings, clock: Clock, metrics: Metrics, is_read_only: bool = False
) -> Store:
    from adapters.sqlite.store import SqliteStore

    return SqliteStore(
        settings.sqlite_path,
        synchronous="FULL" if settings.sqlite_synchronous == "full" else "NORMAL",
        expired_until=_expired_until(settings, clock),
        is_read_only=is_read_only,
        on_request=metrics.store_answered,
    )


def _local_broker(
    settings: Settings, clock: Clock, jitter: Jitter, metrics: Metrics, siblings: Siblings | None
) -> Broker:
    if siblings is None:
        return NoBroker()  # a process without a parent, or a command beside the server
    from adapters.broker.channels import ChannelBroker
    from adapters.broker.local import LocalChannels

    channels = LocalChannels(siblings.folder.switch, jitter)
    return ChannelBroker(_unique_name(settings), channels, clock, metrics.hint)


def _redis_broker(settings: Settings, clock: Clock, jitter: Jitter, metrics: Metrics) -> Broker:
    from adapters.broker.channels import ChannelBroker
    from adapters.broker.redis import RedisChannels

    try:
        channels = RedisChannels(settings.redis_url, jitter)
    except ValueError as error:
        raise BadSetting(f"REDIS_URL is {shown_url(settings.redis_url)}: {error}") from None
    return ChannelBroker(_unique_name(settings), channels, clock, metrics.hint)


def _unique_name(settings: Settings) -> str:
    """Return a name for this process that no other one has, or had."""
    return f"{settings.node_name or gethostname()}-{token_hex(4)}"


def _local_leases(clock: Clock, siblings: Siblings | None) -> Leases:
    if siblings is None:
        return MemoryLeases(clock.monotonic)
    from adapters.local_leases import LocalLeases

    return LocalLeases(siblings.folder.leases)


def _redis_leases(settings: Settings) -> Leases:
    from adapters.redis.leases import RedisLeases

    return RedisLeases(settings.redis_url)


def _expired_until(settings: Settings, clock: Clock) -> Callable[[], datetime] | None:
    """Return a function that returns the time up to which data has expired; None: none does."""
    if settings.retention_days == 0:
        return None
    retention = timedelta(days=settings.retention_days)
    return lambda: clock.now() - retention


def _dynamodb_store(settings: Settings, clock: Clock, metrics: Metrics, jitter: Jitter) -> Store:
    from adapters.dynamodb.store import DynamoStore

    return DynamoStore(
        settings.dynamodb_table,
        endpoint_url=settings.dynamodb_endpoint_url or None,
        clock=clock,
        jitter=jitter,
        retention_days=settings.retention_days,
        on_request=metrics.store_answered,
    )


def _dynamo(settings: Settings, clock: Clock, jitter: Jitter) -> "Dynamo":
    from adapters.dynamodb.client import Dynamo

    endpoint_url = settings.dynamodb_endpoint_url or None
    return Dynamo(settings.dynamodb_table, endpoint_url=endpoint_url, clock=clock, jitter=jitter)


def _dynamodb_table(settings: Settings, clock: Clock, jitter: Jitter) -> "DynamoTable":
    from adapters.dynamodb.table import DynamoTable

    return DynamoTable(_dynamo(settings, clock, jitter), clock)


def _dynamodb_migration(settings: Settings, clock: Clock, jitter: Jitter) -> "TableMigration":
    from adapters.dynamodb.migration import TableMigration

    return TableMigration(_dynamo(settings, clock, jitter), clock)


def _scripted_assistant(
    settings: Settings, clock: Clock, jitter: Jitter, metrics: Metrics, tracing: Tracing
) -> Assistant:
    scripted = ScriptedAssistant(
        clock,
        delay_s=settings.scripted_delay_ms / 1000,
        time_zone=ZoneInfo(settings.time_zone),
    )
    return _with_own_models(scripted, settings, clock, jitter, metrics, tracing)


def _models(settings: Settings) -> Iterator[tuple[ModelChoice, str]]:
    """Yield the models that answer, in order, each with its key."""
    if settings.models:
        for choice in model_choices(settings.models):
            yield choice, model_key(choice, os.environ)
        return
    for name in dict.fromkeys([settings.openai_model, settings.openai_fallback_model]):
        if name:
            choice = ModelChoice(
                model=name,
                base_url=settings.openai_base_url,
                api=settings.openai_api,
                effort=settings.openai_reasoning_effort,
            )
            yield choice, settings.openai_api_key


def _openai_assistant(
    settings: Settings, clock: Clock, jitter: Jitter, metrics: Metrics, tracing: Tracing
) -> Assistant:
    models = tuple(_models(settings))
    assistant = _model_assistant(
        models, settings, clock, jitter, metrics, tracing, settings.view_tokens
    )
    return _with_own_models(assistant, settings, clock, jitter, metrics, tracing)


def _with_own_models(
    default: Assistant,
    settings: Settings,
    clock: Clock,
    jitter: Jitter,
    metrics: Metrics,
    tracing: Tracing,
) -> Assistant:
    from adapters.model.own_models import BusinessAssistants

    def create(chosen: ModelSettings) -> Assistant:
        model = own_model(chosen, next(_models(settings)), os.environ)
        view_tokens = chosen.view_tokens or settings.view_tokens
        return _model_assistant([model], settings, clock, jitter, metrics, tracing, view_tokens)

    return BusinessAssistants(default, create)


def _model_assistant(
    models: Sequence[tuple[ModelChoice, str]],
    settings: Settings,
    clock: Clock,
    jitter: Jitter,
    metrics: Metrics,
    tracing: Tracing,
    view_tokens: int,
) -> Assistant:
    from adapters.model.assistant import ModelAssistant
    from adapters.model.prompt import PromptSettings
    from adapters.openai.client import OpenAIClient

    clients = [
        OpenAIClient(
            choice.base_url,
            key,
            choice.model,
            clock,
            api=choice.api,
            effort=choice.effort,
            tracing=tracing,
        )
        for choice, key in models
    ]
    return ModelAssistant(
        clients,
        max_output_tokens=settings.openai_max_output_tokens,
        timeout_s=settings.turn_timeout_s,
        concurrency=settings.openai_concurrency,
        prompts=PromptSettings(
            time_zone=ZoneInfo(settings.time_zone),
            max_facts=max_facts(view_tokens),
            are_humans_notified=settings.bridge == "elixir" and bool(settings.elixir_http_url),
        ),
        clock=clock,
        jitter=jitter,
        on_failure=metrics.model_failed,
    )


def _embedder(settings: Settings, clock: Clock) -> Embedder | None:
    """Return what finds passages by their meaning; None: they are found by words alone."""
    if not settings.embedding_model:
        return None
    from adapters.openai.client import OpenAIClient
    from adapters.openai.embeddings import OpenAIEmbedder

    base_url, key = settings.embedding_base_url, settings.embedding_api_key
    if not base_url:
        base_url, key = settings.openai_base_url, key or settings.openai_api_key
    return OpenAIEmbedder(OpenAIClient(base_url, key, settings.embedding_model, clock))


def _knowledge_index(settings: Settings, embedder: Embedder | None) -> "KnowledgeIndex | None":
    """Return the search in the documents of the folder of businesses; None: there is no folder."""
    if not settings.businesses:
        return None
    from adapters.knowledge.index import KnowledgeIndex

    return KnowledgeIndex(
        settings.knowledge_index,
        embedder=embedder,
        least_similarity=settings.embedding_least_similarity,
    )


def _knowledge(index: "KnowledgeIndex | None") -> Knowledge | None:
    return index


def _on_knowledge(index: "KnowledgeIndex | None") -> OnKnowledge | None:
    return index.follow if index is not None else None


def _mcp_tools(
    clock: Clock, jitter: Jitter, files: FileBusinesses | None, tracing: Tracing
) -> "McpTools | None":
    """Return what calls the tools of the businesses' servers; None: there is no folder."""
    if files is None:
        return None
    from adapters.mcp.tools import McpTools

    return McpTools(clock, jitter, files.all, tracing=tracing)


def _business_tools(tools: "McpTools | None") -> BusinessTools | None:
    return tools


def _elixir_additions() -> "Additions":
    from adapters.elixir.additions import Additions

    return Additions()


def _elixir_socket(
    settings: Settings, clock: Clock, additions: "Additions", owners: ChatOwners
) -> "ElixirSocket":
    from adapters.elixir.socket import ElixirSocket

    return ElixirSocket(
        settings.elixir_websocket_url,
        clock,
        token=settings.elixir_token,
        timeout_s=settings.elixir_timeout / 1000,
        additions=additions,
        lingers=lambda customer: not owners.is_mine(customer),
    )


def _elixir_http(
    settings: Settings, clock: Clock, jitter: Jitter, tracing: Tracing
) -> "ElixirHttp | None":
    """Return the bridge's HTTP client; None: there is nobody to notify."""
    if not settings.elixir_http_url:
        return None
    from adapters.elixir.http import ElixirHttp

    return ElixirHttp(
        settings.elixir_http_url,
        clock=clock,
        jitter=jitter,
        token=settings.elixir_token,
        timeout_s=settings.elixir_timeout / 1000,
        attempts=settings.elixir_retry_attempts,
        tracing=tracing,
    )


def _elixir_bridge(
    http: "ElixirHttp | None", socket: "ElixirSocket", additions: "Additions"
) -> Bridge:
    from adapters.elixir.bridge import ElixirBridge

    return ElixirBridge(http, socket, additions)


def _elixir_presence(http: "ElixirHttp | None", additions: "Additions", clock: Clock) -> Presence:
    from adapters.elixir.presence import ElixirPresence

    return ElixirPresence(http, additions, clock)


def _write_calls(
    tools: BusinessTools | None,
    session_log: SessionLog,
    store: Store,
    businesses: Businesses,
    metrics: Metrics,
    clock: Clock,
    new_id: NewId,
) -> WriteCalls | None:
    if tools is None:
        return None
    return WriteCalls(
        session_log=session_log,
        store=store,
        tools=tools,
        businesses=businesses,
        observer=metrics,
        clock=clock,
        new_id=new_id,
    )


def _render_metrics(
    metrics: Metrics, turns: Turns, inbox: BridgeInbox | None
) -> Callable[[], bytes]:
    def render() -> bytes:
        chats = inbox.talking() if inbox is not None else None
        return metrics.text(ProcessState(turns.running, chats))

    return render


def _attendance(
    settings: Settings, businesses: Businesses, presence: Presence | None, clock: Clock
) -> Attendance:
    zone = ZoneInfo(settings.time_zone)
    return Attendance(businesses=businesses, presence=presence, clock=clock, time_zone=zone)


def _known_businesses(files: FileBusinesses | None) -> Businesses:
    return files if files is not None else MemoryBusinesses()


def _elixir_businesses(
    http: "ElixirHttp | None", clock: Clock, additions: "Additions", files: FileBusinesses | None
) -> Businesses:
    if http is None:
        return _known_businesses(files)
    from adapters.elixir.businesses import ElixirBusinesses

    return ElixirBusinesses(http, clock, additions, files)


def _may_be_joined(
    settings: Settings, files: FileBusinesses | None
) -> Callable[[BusinessId], bool]:
    if settings.businesses_only == "0" or files is None:
        return lambda _business_id: True
    return lambda business_id: files.last_read(business_id) is not None


def _needs_token(settings: Settings) -> bool:
    return settings.socket_auth != "none"


def _identify(users: "JwtTokens | None", visitors: "VisitorTokens | None") -> Identify | None:
    """Return what verifies the tokens of customers; None: they need none."""
    if users is None or visitors is None:
        return users
    from adapters.jwt.visitors import UsersAndVisitors

    return UsersAndVisitors(users, visitors)


def _is_named(files: FileBusinesses | None) -> Callable[[str], bool]:
    return files.names_origin if files is not None else lambda _origin: False


def _logo(files: FileBusinesses | None) -> Callable[[BusinessId], Picture | None]:
    return files.logo if files is not None else lambda _business_id: None


def _customer_pages(
    settings: Settings,
    businesses: Businesses,
    files: FileBusinesses | None,
    is_known: Callable[[BusinessId], bool],
) -> CustomerPages:
    return CustomerPages(
        last_read=businesses.last_read,
        is_known=is_known,
        all=files.all if files is not None else tuple,
        is_public=_needs_token(settings),
    )


def _of_all_lanes(delivery: Callable[..., DeliverOutbox]) -> tuple[DeliverOutbox, ...]:
    return tuple([delivery(lane=lane) for lane in Lane])


def _attempt_timeout_s(settings: Settings) -> float:
    """Return the time for all requests of one delivery, with pauses of up to 2 s between them."""
    return settings.elixir_retry_attempts * (settings.elixir_timeout / 1000 + 2.0)


def bridge_socket(settings: Settings) -> str | None:
    """Return the URL of the bridge's socket for browsers; None: there is no bridge.

    The query and the user of the URL that the server itself uses are secrets, and left out.
    """
    if settings.bridge == "none":
        return None
    if settings.elixir_websocket_public_url:
        return settings.elixir_websocket_public_url
    parts = urlsplit(settings.elixir_websocket_url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _policy(settings: Settings) -> Policy:
    return Policy(
        turn_quiet_s=settings.turn_quiet_ms / 1000,
        turn_timeout_s=settings.turn_timeout_s,
        turn_max_tool_calls=settings.turn_max_tool_calls,
        ai_failures_before_transfer=settings.ai_failures_before_transfer,
        transfer_timeout_s=settings.transfer_timeout_s,
        session_idle_s=settings.session_idle_s,
        sweep_interval_s=settings.sweep_interval_s,
        session_cache_bytes=settings.session_cache_mib * 1024 * 1024,
        view_tokens=settings.view_tokens,
        budget_soft_tokens=settings.ai_budget_soft_tokens,
        budget_hard_tokens=settings.ai_budget_hard_tokens,
    )


def _endpoint(
    origins: PageOrigins,
    services: MessagesServices,
    connections: Connections,
    limits: RateLimiter,
    metrics: Metrics,
) -> PhoenixEndpoint:
    return PhoenixEndpoint(
        SOCKET_PATH,
        {TOPIC_PREFIX + "*": lambda socket: MessagesChannel(socket, services)},
        allowed_origins=origins.patterns,
        also_allowed=origins.may_open,
        connections=connections,
        connection_policy=limits,
        observer=metrics,
    )


def _long_poll(endpoint: PhoenixEndpoint, siblings: Siblings | None) -> LongPoll:
    if siblings is None:
        return LongPoll(LONG_POLL_PATH, endpoint, node=token_hex(4))
    return LongPoll(LONG_POLL_PATH, endpoint, node=siblings.name, pass_on=siblings.pass_on)


def _worker_part(siblings: Siblings | None, *parts: Any) -> WorkerPart | None:
    return WorkerPart(siblings, *parts) if siblings is not None else None


def _opened(*parts: Lifecycle | None) -> Sequence[Lifecycle]:
    return [part for part in parts if part is not None]


class Container(containers.DeclarativeContainer):
    """The server's parts. The lifespan opens those that have a lifecycle."""

    settings: Provider[Settings] = providers.Dependency(instance_of=Settings)
    policy: Provider[Policy] = providers.Singleton(_policy, settings)

    clock: Provider[Clock] = providers.Singleton(SystemClock)
    new_id: Provider[NewId] = providers.Singleton(RandomIds)
    jitter: Provider[Jitter] = providers.Object(random)
    tracing: Provider[Tracing] = providers.Singleton(chosen_tracing, "ai-agent-server")
    metrics: Provider[Metrics] = providers.Singleton(
        Metrics,
        providers.Singleton(EventLog, settings.provided.log_sample),
        providers.Object(dropped_lines),
    )
    siblings: Provider[Siblings | None] = providers.Object(None)
    """The other workers of this machine; None: this process has no such parent."""
    no_broker: Provider[Broker] = providers.Singleton(NoBroker)
    broker: Provider[Broker] = providers.Selector(
        settings.provided.broker,
        none=no_broker,
        local=providers.Singleton(_local_broker, settings, clock, jitter, metrics, siblings),
        redis=providers.Singleton(_redis_broker, settings, clock, jitter, metrics),
    )
    chat_owners: Provider[ChatOwners] = providers.Singleton(ChatOwners, broker, clock)
    hub: Provider[Hub] = providers.Singleton(
        Hub,
        broker,
        metrics.provided.listener_failed,
        providers.Selector(
            settings.provided.bridge,
            none=providers.Object(_no_owner),
            elixir=chat_owners.provided.owner,
        ),
    )
    identify: "Provider[JwtTokens | None]" = providers.Singleton(token_verifier, settings)
    visitor_tokens: "Provider[VisitorTokens | None]" = providers.Singleton(visitor_tokens, settings)
    connections: Provider[Connections] = providers.Singleton(
        limited_connections, settings, metrics.provided.limited
    )
    limits: Provider[RateLimiter] = providers.Selector(
        settings.provided.rate_limits,
        off=providers.Singleton(NoRateLimits),
        on=providers.Singleton(
            TokenBucketLimiter, settings, providers.Object(monotonic), connections.provided.refused
        ),
    )
    memory_leases: Provider[Leases] = providers.Singleton(MemoryLeases, clock.provided.monotonic)
    store: Provider[Store] = providers.Selector(
        settings.provided.store,
        memory=providers.Singleton(_memory_store, settings, clock),
        sqlite=providers.Singleton(_sqlite_store, settings, clock, metrics),
        dynamodb=providers.Singleton(_dynamodb_store, settings, clock, metrics, jitter),
    )
    recorded: Provider[Store] = providers.Selector(
        settings.provided.store,
        memory=store,
        sqlite=providers.Singleton(
            _sqlite_store, settings, clock, metrics, is_read_only=providers.Object(True)
        ),
        dynamodb=store,
    )
    """The store for who only reads it: SQLite's is opened for reading alone."""
    leases: Provider[Leases] = providers.Selector(
        settings.provided.broker,
        none=memory_leases,
        local=providers.Selector(
            settings.provided.store,
            memory=memory_leases,
            sqlite=providers.Singleton(_local_leases, clock, siblings),
            dynamodb=store.provided.leases,
        ),
        redis=providers.Singleton(_redis_leases, settings),
    )
    dynamodb_table: "Provider[DynamoTable]" = providers.Singleton(
        _dynamodb_table, settings, clock, jitter
    )
    dynamodb_migration: "Provider[TableMigration]" = providers.Singleton(
        _dynamodb_migration, settings, clock, jitter
    )
    assistant: Provider[Assistant] = providers.Selector(
        settings.provided.assistant,
        scripted=providers.Singleton(
            _scripted_assistant, settings, clock, jitter, metrics, tracing
        ),
        openai=providers.Singleton(_openai_assistant, settings, clock, jitter, metrics, tracing),
    )
    elixir_http: "Provider[ElixirHttp | None]" = providers.Singleton(
        _elixir_http, settings, clock, jitter, tracing
    )
    elixir_additions: "Provider[Additions]" = providers.Singleton(_elixir_additions)
    elixir_socket: "Provider[ElixirSocket]" = providers.Singleton(
        _elixir_socket, settings, clock, elixir_additions, chat_owners
    )
    bridge: Provider[Bridge | None] = providers.Selector(
        settings.provided.bridge,
        none=providers.Object(None),
        elixir=providers.Singleton(_elixir_bridge, elixir_http, elixir_socket, elixir_additions),
    )
    embedder: Provider[Embedder | None] = providers.Singleton(_embedder, settings, clock)
    knowledge_index: "Provider[KnowledgeIndex | None]" = providers.Singleton(
        _knowledge_index, settings, embedder
    )
    knowledge: Provider[Knowledge | None] = providers.Callable(_knowledge, knowledge_index)
    """The documents of the businesses; None: there are none."""
    on_knowledge: Provider[OnKnowledge | None] = providers.Callable(_on_knowledge, knowledge_index)
    """Called with the folder of a business's documents where one has changed."""
    business_files: Provider[FileBusinesses | None] = providers.Singleton(
        folder_of, settings.provided.businesses, clock, on_knowledge
    )
    businesses: Provider[Businesses] = providers.Selector(
        settings.provided.bridge,
        none=providers.Singleton(_known_businesses, business_files),
        elixir=providers.Singleton(
            _elixir_businesses, elixir_http, clock, elixir_additions, business_files
        ),
    )
    presence: Provider[Presence | None] = providers.Selector(
        settings.provided.bridge,
        none=providers.Object(None),
        elixir=providers.Singleton(_elixir_presence, elixir_http, elixir_additions, clock),
    )
    attendance: Provider[Attendance] = providers.Singleton(
        _attendance, settings, businesses, presence, clock
    )
    rank_languages: Provider[RankLanguages] = providers.Selector(
        settings.provided.language_detection,
        off=providers.Object(no_ranking),
        on=providers.Singleton(language_ranking),
    )
    live_chat: Provider[LiveChatAddresses] = providers.Singleton(
        LiveChatAddresses, providers.Callable(bridge_socket, settings)
    )
    presenter: Provider[EventPresenter] = providers.Singleton(EventPresenter, live_chat)

    day_counts: Provider[DayCounts] = providers.Singleton(DayCounts, count_store=store, clock=clock)
    outcomes: Provider[OutcomeCounter] = providers.Singleton(
        OutcomeCounter, day_counts=day_counts, store=store, archive=store
    )
    session_log: Provider[SessionLog] = providers.Singleton(
        SessionLog,
        store=store,
        hub=hub,
        clock=clock,
        new_id=new_id,
        policy=policy,
        build_notices=providers.Selector(
            settings.provided.bridge,
            none=providers.Object(None),
            elixir=providers.Singleton(partial, outbox_messages, new_id=new_id),
        ),
        on_stored=outcomes.provided.count,
        observer=metrics,
        tracing=tracing,
    )
    read_history: Provider[ReadHistory] = providers.Singleton(
        ReadHistory, session_log=session_log, store=store
    )
    usage_tracker: Provider[UsageTracker] = providers.Singleton(
        UsageTracker, day_counts=day_counts, observer=metrics, clock=clock, policy=policy
    )
    summaries: Provider[Summaries] = providers.Singleton(
        Summaries,
        store=store,
        assistant=assistant,
        usage_tracker=usage_tracker,
        observer=metrics,
        clock=clock,
        policy=policy,
    )
    turn_leases: Provider[Leases | None] = providers.Selector(
        settings.provided.broker, none=providers.Object(None), local=leases, redis=leases
    )
    mcp_tools: "Provider[McpTools | None]" = providers.Singleton(
        _mcp_tools, clock, jitter, business_files, tracing
    )
    business_tools: Provider[BusinessTools | None] = providers.Callable(_business_tools, mcp_tools)
    """The tools of the businesses' own servers; None: there is no folder of businesses."""
    write_calls: Provider[WriteCalls | None] = providers.Singleton(
        _write_calls, business_tools, session_log, store, businesses, metrics, clock, new_id
    )
    views: Provider[Views] = providers.Singleton(
        Views,
        attendance=attendance,
        clock=clock,
        observer=metrics,
        policy=policy,
        knowledge=knowledge,
    )
    answer_pending: Provider[AnswerPending] = providers.Singleton(
        AnswerPending,
        session_log=session_log,
        store=store,
        assistant=assistant,
        businesses=businesses,
        attendance=attendance,
        usage_tracker=usage_tracker,
        summaries=summaries,
        versions=providers.Singleton(AnswerVersions, assistant=assistant, knowledge=knowledge),
        views=views,
        observer=metrics,
        hub=hub,
        clock=clock,
        new_id=new_id,
        policy=policy,
        knowledge=knowledge,
        leases=turn_leases,
        write_calls=write_calls,
        tracing=tracing,
        slots=providers.Singleton(turn_slots, settings),
    )
    suggest_reply: Provider[SuggestReply] = providers.Singleton(
        SuggestReply,
        store=store,
        assistant=assistant,
        businesses=businesses,
        usage_tracker=usage_tracker,
        summaries=summaries,
        views=views,
        observer=metrics,
        clock=clock,
        policy=policy,
        knowledge=knowledge,
        business_tools=business_tools,
    )
    turns: Provider[Turns] = providers.Singleton(
        Turns,
        answer_pending=answer_pending,
        summaries=summaries,
        hub=hub,
        clock=clock,
        policy=policy,
    )
    join: Provider[JoinConversation] = providers.Singleton(
        JoinConversation, session_log=session_log, store=store, turns=turns
    )
    post: Provider[PostMessage] = providers.Singleton(
        PostMessage,
        tracing=tracing,
        session_log=session_log,
        businesses=businesses,
        attendance=attendance,
        rank_languages=rank_languages,
        turns=turns,
        new_id=new_id,
    )
    transfers: Provider[Transfers] = providers.Singleton(
        Transfers,
        tracing=tracing,
        session_log=session_log,
        store=store,
        businesses=businesses,
        attendance=attendance,
        rank_languages=rank_languages,
        turns=turns,
        policy=policy,
        new_id=new_id,
        is_joined=providers.Selector(
            settings.provided.bridge,
            none=providers.Object(_no_topics),
            elixir=providers.Callable(_joined_here, elixir_socket, chat_owners),
        ),
    )
    confirmations: Provider[Confirmations] = providers.Singleton(
        Confirmations,
        session_log=session_log,
        store=store,
        businesses=businesses,
        turns=turns,
        new_id=new_id,
    )
    rate: Provider[RateConversation] = providers.Singleton(
        RateConversation, session_log=session_log, observer=metrics, new_id=new_id
    )
    sign_in: Provider[SignIn] = providers.Singleton(
        SignIn, session_log=session_log, store=store, businesses=businesses, new_id=new_id
    )
    privacy: Provider[Privacy] = providers.Singleton(
        Privacy, archive=store, store=store, session_log=session_log, turns=turns, hub=hub
    )
    sweep: Provider[Sweep] = providers.Singleton(
        Sweep,
        store=store,
        session_log=session_log,
        transfers=transfers,
        turns=turns,
        clock=clock,
        write_calls=write_calls,
    )
    deliveries: Provider[tuple[DeliverOutbox, ...]] = providers.Selector(
        settings.provided.bridge,
        none=providers.Object(()),
        elixir=providers.Singleton(
            _of_all_lanes,
            providers.Factory(
                DeliverOutbox,
                outbox=store,
                bridge=bridge,
                store=store,
                session_log=session_log,
                transfers=transfers,
                hub=hub,
                observer=metrics,
                clock=clock,
                jitter=jitter,
                tracing=tracing,
                attempt_timeout_s=providers.Callable(_attempt_timeout_s, settings),
            ).provider,
        ),
    )
    bridge_inbox: Provider[BridgeInbox | None] = providers.Selector(
        settings.provided.bridge,
        none=providers.Object(None),
        elixir=providers.Singleton(
            BridgeInbox,
            gateway=elixir_socket,
            session_log=session_log,
            hub=hub,
            owners=chat_owners,
            clock=clock,
            transfers=transfers,
            archive=store,
            jitter=jitter,
            count=metrics.provided.inbound_event,
            count_left=metrics.provided.topic_left,
            max_ai_topics=settings.provided.elixir_followed_topics,
        ),
    )
    is_known: Provider[Callable[[BusinessId], bool]] = providers.Singleton(
        _may_be_joined, settings, business_files
    )
    origins: Provider[PageOrigins] = providers.Singleton(
        PageOrigins, settings, businesses, providers.Callable(_is_named, business_files)
    )
    website: Provider[WebsiteServices] = providers.Singleton(
        WebsiteServices,
        origins=origins,
        limits=limits,
        needs_token=providers.Callable(_needs_token, settings),
        credentials=visitor_tokens,
        is_known=is_known,
        logo=providers.Callable(_logo, business_files),
        clock=clock,
        on_refusal=metrics.provided.refused,
    )
    customer_pages: Provider[CustomerPages] = providers.Singleton(
        _customer_pages, settings, businesses, business_files, is_known
    )
    messages: Provider[MessagesServices] = providers.Singleton(
        MessagesServices,
        join=join,
        post=post,
        transfers=transfers,
        turns=turns,
        confirmations=confirmations,
        rate=rate,
        history=read_history,
        sign_in=sign_in,
        visitors=visitor_tokens,
        session_log=session_log,
        store=store,
        businesses=businesses,
        hub=hub,
        presenter=presenter,
        live_chat=live_chat,
        clock=clock,
        identify=providers.Callable(_identify, identify, visitor_tokens),
        limits=limits,
        origins=origins,
        is_known=is_known,
        on_refusal=metrics.provided.refused,
        tracing=tracing,
    )
    endpoint: Provider[PhoenixEndpoint] = providers.Singleton(
        _endpoint, origins, messages, connections, limits, metrics
    )
    long_poll: Provider[LongPoll] = providers.Singleton(_long_poll, endpoint, siblings)
    health: Provider[Health] = providers.Singleton(
        Health,
        store=store,
        assistant=assistant,
        bridge=bridge,
        broker=providers.Selector(
            settings.provided.broker, none=providers.Object(None), local=broker, redis=broker
        ),
        live_chats=providers.Selector(
            settings.provided.bridge, none=providers.Object(None), elixir=elixir_socket
        ),
    )
    render_metrics: Provider[Callable[[], bytes]] = providers.Singleton(
        _render_metrics, metrics, turns, bridge_inbox
    )
    worker_part: Provider[WorkerPart | None] = providers.Singleton(
        _worker_part, siblings, health, render_metrics, long_poll
    )
    """What this process serves to its siblings."""
    machine: Provider[Machine] = providers.Singleton(
        Machine,
        worker_part,
        health,
        render_metrics,
        providers.Object(machine_text),
        store,
        clock,
    )
    api: Provider[ApiServices] = providers.Singleton(
        ApiServices,
        archive=store,
        history=read_history,
        store=store,
        transfers=transfers,
        confirmations=confirmations,
        suggest_reply=suggest_reply,
        privacy=privacy,
        usage_tracker=usage_tracker,
        outcomes=outcomes,
        businesses=businesses,
        clock=clock,
        on_refusal=metrics.provided.refused,
        presenter=presenter,
        machine=machine,
        guards=providers.Callable(api_guards, settings, settings.provided.server_host, limits),
        caller_address=providers.Callable(caller_address, settings),
    )
    opened: Provider[Sequence[Lifecycle]] = providers.Selector(
        settings.provided.bridge,
        none=providers.Callable(
            _opened,
            tracing,
            store,
            leases,
            assistant,
            identify,
            knowledge_index,
            business_files,
            mcp_tools,
            broker,
        ),
        elixir=providers.Callable(
            _opened,
            tracing,
            store,
            leases,
            assistant,
            identify,
            knowledge_index,
            business_files,
            mcp_tools,
            elixir_http,
            elixir_socket,
            broker,
        ),
    )
    """The parts that the lifespan opens, in this order.

    The broker is closed first: others then join the chats at the bridge that this process leaves.
    """
