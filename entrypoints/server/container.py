"""The wiring: the one place where concrete adapters are named, chosen by the settings."""

from functools import partial
from random import random
from time import monotonic
from typing import Any

from dependency_injector import containers, providers

from adapters.memory.businesses import MemoryBusinesses
from adapters.memory.fanout import MemoryFanout
from adapters.memory.store import MemoryStore
from adapters.prometheus import Metrics
from adapters.scripted import ScriptedAssistant
from adapters.system import RandomIds, SystemClock
from application.bridge_inbox import Relay
from application.deliver_outbox import DeliverOutbox
from application.join import JoinConversation
from application.policy import Policy
from application.post_message import PostMessage
from application.privacy import Privacy
from application.session_log import SessionLog
from application.summaries import Summaries
from application.sweep import Sweep
from application.transfers import Transfers
from application.turns import Turns
from application.usage_tracker import UsageTracker
from domain.outbox import outbox_messages
from entrypoints.access.auth import tokens
from entrypoints.access.rate_limits import KeptLimits, Limits, turn_places
from entrypoints.server.messages_channel import MessagesServices
from entrypoints.server.wire import EventPresenter, LiveChatAddress
from entrypoints.settings import Settings


def _sqlite_store(path: str, synchronous: str) -> Any:
    from adapters.sqlite.store import SqliteStore

    return SqliteStore(path, synchronous="FULL" if synchronous == "full" else "NORMAL")


def _dynamodb_store(settings: Settings, clock: Any, jitter: Any) -> Any:
    from adapters.dynamodb.store import DynamoStore

    return DynamoStore(
        settings.dynamodb_table,
        endpoint_url=settings.dynamodb_endpoint_url or None,
        clock=clock,
        jitter=jitter,
        retention_days=settings.retention_days,
    )


def _dynamodb_table(settings: Settings, clock: Any, jitter: Any) -> Any:
    from adapters.dynamodb.client import Dynamo
    from adapters.dynamodb.table import DynamoTable

    endpoint_url = settings.dynamodb_endpoint_url or None
    dynamo = Dynamo(settings.dynamodb_table, endpoint_url=endpoint_url, clock=clock, jitter=jitter)
    return DynamoTable(dynamo, clock)


def _openai_assistant(settings: Settings, clock: Any, jitter: Any) -> Any:
    from adapters.model.assistant import ModelAssistant
    from adapters.openai.client import OpenAIClient

    return ModelAssistant(
        OpenAIClient(settings.openai_base_url, settings.openai_api_key, clock),
        model=settings.openai_model,
        fallback_model=settings.openai_fallback_model,
        max_output_tokens=settings.openai_max_output_tokens,
        max_tool_calls=settings.turn_max_tool_calls,
        timeout_s=settings.turn_timeout_s,
        concurrency=settings.openai_concurrency,
        clock=clock,
        jitter=jitter,
    )


def _elixir_socket(settings: Settings) -> Any:
    from adapters.elixir.socket import ElixirSocket

    return ElixirSocket(
        settings.elixir_websocket_url,
        token=settings.elixir_token,
        timeout_s=settings.elixir_timeout / 1000,
    )


def _elixir_http(settings: Settings, clock: Any, jitter: Any) -> Any:
    """None, where nobody is to be notified."""
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
    )


def _elixir_bridge(http: Any, line: Any) -> Any:
    from adapters.elixir.bridge import ElixirBridge

    return ElixirBridge(http, line)


def _elixir_businesses(http: Any, clock: Any) -> Any:
    if http is None:
        return MemoryBusinesses((), {})
    from adapters.elixir.businesses import ElixirBusinesses

    return ElixirBusinesses(http, clock)


def _delivery_limit_s(settings: Settings) -> float:
    """What all tries of one delivery may take together, with pauses of up to 2 s between them."""
    return settings.elixir_retry_attempts * (settings.elixir_timeout / 1000 + 2.0)


def bridge_socket(settings: Settings) -> str | None:
    """The bridge's socket as a browser reaches it; None: there is no bridge."""
    if settings.bridge == "none":
        return None
    return settings.elixir_websocket_public_url or settings.elixir_websocket_url


def _policy(settings: Settings) -> Policy:
    return Policy(
        turn_quiet_s=settings.turn_quiet_ms / 1000,
        turn_timeout_s=settings.turn_timeout_s,
        turn_max_tool_calls=settings.turn_max_tool_calls,
        ai_failures_before_transfer=settings.ai_failures_before_transfer,
        transfer_timeout_s=settings.transfer_timeout_s,
        session_idle_s=settings.session_idle_s,
        sweep_interval_s=settings.sweep_interval_s,
        view_tokens=settings.view_tokens,
        budget_soft_tokens=settings.ai_budget_soft_tokens,
        budget_hard_tokens=settings.ai_budget_hard_tokens,
    )


class Container(containers.DeclarativeContainer):
    """Everything that the server is made of. What has `__aenter__` is opened by the lifespan."""

    settings = providers.Dependency(instance_of=Settings)
    policy = providers.Singleton(_policy, settings)

    clock = providers.Singleton(SystemClock)
    new_id = providers.Singleton(RandomIds)
    jitter = providers.Object(random)
    metrics = providers.Singleton(Metrics)
    fanout = providers.Singleton(MemoryFanout)
    identify = providers.Singleton(tokens, settings)
    limits = providers.Selector(
        settings.provided.rate_limits,
        off=providers.Singleton(Limits),
        on=providers.Singleton(
            KeptLimits, settings, providers.Object(monotonic), metrics.provided.limited
        ),
    )
    store = providers.Selector(
        settings.provided.store,
        memory=providers.Singleton(MemoryStore),
        sqlite=providers.Singleton(
            _sqlite_store, settings.provided.sqlite_path, settings.provided.sqlite_synchronous
        ),
        dynamodb=providers.Singleton(_dynamodb_store, settings, clock, jitter),
    )
    dynamodb_table = providers.Singleton(_dynamodb_table, settings, clock, jitter)
    assistant = providers.Selector(
        settings.provided.assistant,
        scripted=providers.Singleton(
            lambda settings, clock: ScriptedAssistant(
                clock, delay_s=settings.scripted_delay_ms / 1000
            ),
            settings,
            clock,
        ),
        openai=providers.Singleton(_openai_assistant, settings, clock, jitter),
    )
    ledger = store  # the same storage, by its fourth port
    elixir_http = providers.Singleton(_elixir_http, settings, clock, jitter)
    elixir_socket = providers.Singleton(_elixir_socket, settings)
    bridge = providers.Selector(
        settings.provided.bridge,
        none=providers.Object(None),
        elixir=providers.Singleton(_elixir_bridge, elixir_http, elixir_socket),
    )
    businesses = providers.Selector(
        settings.provided.bridge,
        none=providers.Singleton(MemoryBusinesses),
        elixir=providers.Singleton(_elixir_businesses, elixir_http, clock),
    )
    live_chat = providers.Singleton(LiveChatAddress, providers.Callable(bridge_socket, settings))

    conversations = providers.Singleton(
        SessionLog,
        store=store,
        fanout=fanout,
        clock=clock,
        new_id=new_id,
        policy=policy,
        tell=providers.Selector(
            settings.provided.bridge,
            none=providers.Object(None),
            elixir=providers.Singleton(partial, outbox_messages, new_id=new_id),
        ),
    )
    spending = providers.Singleton(
        UsageTracker, ledger=ledger, observer=metrics, clock=clock, policy=policy
    )
    summaries = providers.Singleton(
        Summaries,
        conversations=conversations,
        assistant=assistant,
        spending=spending,
        observer=metrics,
        policy=policy,
    )
    turns = providers.Singleton(
        Turns,
        conversations=conversations,
        assistant=assistant,
        businesses=businesses,
        observer=metrics,
        policy=policy,
        spending=spending,
        summaries=summaries,
        places=providers.Singleton(turn_places, settings),
    )
    join = providers.Singleton(
        JoinConversation, conversations=conversations, store=store, turns=turns
    )
    post = providers.Singleton(PostMessage, conversations=conversations, turns=turns, new_id=new_id)
    transfers = providers.Singleton(
        Transfers,
        conversations=conversations,
        store=store,
        businesses=businesses,
        turns=turns,
        new_id=new_id,
    )
    privacy = providers.Singleton(
        Privacy, archive=store, store=store, conversations=conversations, turns=turns
    )
    deliver = providers.Selector(
        settings.provided.bridge,
        none=providers.Object(None),
        elixir=providers.Singleton(
            DeliverOutbox,
            outbox=store,
            bridge=bridge,
            store=store,
            transfers=transfers,
            observer=metrics,
            jitter=jitter,
            limit_s=providers.Callable(_delivery_limit_s, settings),
        ),
    )
    relay = providers.Selector(
        settings.provided.bridge,
        none=providers.Object(None),
        elixir=providers.Singleton(
            Relay,
            line=elixir_socket,
            conversations=conversations,
            post=post,
            transfers=transfers,
            archive=store,
            jitter=jitter,
            count=metrics.provided.inbound_event,
        ),
    )
    sweep = providers.Singleton(Sweep, store=store, transfers=transfers, turns=turns, clock=clock)
    messages = providers.Singleton(
        MessagesServices,
        join=join,
        post=post,
        transfers=transfers,
        store=store,
        fanout=fanout,
        pushes=providers.Singleton(EventPresenter, live_chat),
        live_chat=live_chat,
        clock=clock,
        identify=identify,
        limits=limits,
        refused=metrics.provided.refused,
    )
