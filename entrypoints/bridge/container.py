"""The bridge's composition root: its concrete adapters are named and chosen here.

`access.tokens` has the one choice that the server's root shares.
"""

from collections.abc import Callable
from random import random
from time import monotonic
from typing import TYPE_CHECKING

from dependency_injector import containers, providers
from dependency_injector.providers import Provider

from adapters.bridge.agent_server import HttpAgentServer
from adapters.bridge.metrics import BridgeMetrics
from adapters.bridge.sqlite_store import SqliteBridgeStore
from adapters.files.folder import FileBusinesses, folder_of
from adapters.memory.businesses import MemoryBusinesses
from adapters.phoenix.endpoint import SOCKET_PATH, PhoenixEndpoint
from adapters.phoenix.limits import Connections
from adapters.system import RandomIds, SystemClock
from application.bridge.announce_queues import AnnounceQueues
from application.bridge.deliver_commands import AnswerQuestion, DeliverCommands
from application.bridge.live_chats import LiveChats
from application.bridge.ports import BridgeStore
from application.bridge.watch_coordinators import WatchCoordinators
from application.ports import Businesses, Clock, Tracing
from domain.identity import LIVE_CHAT_PREFIX
from entrypoints.access.connection_limits import bridge_connections
from entrypoints.access.coordinators import CoordinatorSignIn, coordinator_sign_in
from entrypoints.access.guards import api_guards, socket_origins
from entrypoints.access.joins import JoinAccess, join_access
from entrypoints.access.rate_limits import NoRateLimits, RateLimiter, TokenBucketLimiter
from entrypoints.access.tokens import service_tokens, token_verifier
from entrypoints.bridge.channels import BridgeServices, ChatChannel, CoordinatorsChannel
from entrypoints.bridge.wire import COORDINATORS_PREFIX, Broadcaster
from entrypoints.settings import Settings
from entrypoints.tracing import chosen_tracing

if TYPE_CHECKING:
    from adapters.jwt.tokens import JwtTokens


def _agent_server(settings: Settings) -> HttpAgentServer:
    first_token = next(iter(service_tokens(settings.service_token)), "")
    return HttpAgentServer(settings.agent_server_url, first_token)


def _known_businesses(files: FileBusinesses | None) -> Businesses:
    return files if files is not None else MemoryBusinesses()


def _endpoint(
    settings: Settings,
    connections: Connections,
    limits: RateLimiter,
    metrics: BridgeMetrics,
    services: Provider[BridgeServices],
) -> PhoenixEndpoint:
    """`services` is called at each join: the services announce events over this endpoint."""
    return PhoenixEndpoint(
        SOCKET_PATH,
        {
            LIVE_CHAT_PREFIX + "*": lambda socket: ChatChannel(socket, services()),
            COORDINATORS_PREFIX + "*": lambda socket: CoordinatorsChannel(socket, services()),
        },
        allowed_origins=socket_origins(settings.allowed_origins, settings.bridge_host),
        connections=connections,
        connection_policy=limits,
        observer=metrics,
    )


def _render_metrics(metrics: BridgeMetrics, broadcaster: Broadcaster) -> Callable[[], bytes]:
    return lambda: metrics.text(broadcaster.present, broadcaster.reachable is not False)


class BridgeContainer(containers.DeclarativeContainer):
    """Everything that the bridge is made of. What has `__aenter__` is opened by the lifespan."""

    settings: Provider[Settings] = providers.Dependency(instance_of=Settings)

    clock: Provider[Clock] = providers.Singleton(SystemClock)
    jitter = providers.Object(random)
    metrics: Provider[BridgeMetrics] = providers.Singleton(BridgeMetrics)
    tracing: Provider[Tracing] = providers.Singleton(chosen_tracing, "ai-agent-bridge")
    identify: "Provider[JwtTokens | None]" = providers.Singleton(token_verifier, settings)
    connections: Provider[Connections] = providers.Singleton(bridge_connections, settings)
    limits: Provider[RateLimiter] = providers.Selector(
        settings.provided.rate_limits,
        off=providers.Singleton(NoRateLimits),
        on=providers.Singleton(
            TokenBucketLimiter, settings, providers.Object(monotonic), connections.provided.refused
        ),
    )
    sign_in: Provider[CoordinatorSignIn | None] = providers.Singleton(
        coordinator_sign_in, settings, clock, limits
    )
    access: Provider[JoinAccess] = providers.Singleton(
        join_access, settings, identify, sign_in, limits, clock
    )
    store: Provider[BridgeStore] = providers.Selector(
        settings.provided.bridge_store,
        memory=providers.Singleton(SqliteBridgeStore),
        sqlite=providers.Singleton(SqliteBridgeStore, settings.provided.bridge_sqlite_path),
    )
    agent_server: Provider[HttpAgentServer] = providers.Singleton(_agent_server, settings)
    business_files: Provider[FileBusinesses | None] = providers.Singleton(
        folder_of, settings.provided.businesses, clock
    )
    businesses: Provider[Businesses] = providers.Singleton(_known_businesses, business_files)

    # A channel needs the services, which announce events over the endpoint, which makes the
    # channels: it gets the services' provider, and calls it at each join.
    services = providers.Singleton(BridgeServices)
    endpoint: Provider[PhoenixEndpoint] = providers.Singleton(
        _endpoint, settings, connections, limits, metrics, services.provider
    )
    broadcaster: Provider[Broadcaster] = providers.Singleton(
        Broadcaster, endpoint, providers.Object(monotonic)
    )
    render_metrics: Provider[Callable[[], bytes]] = providers.Singleton(
        _render_metrics, metrics, broadcaster
    )
    chats: Provider[LiveChats] = providers.Singleton(
        LiveChats,
        store=store,
        notify=broadcaster,
        clock=clock,
        new_id=providers.Singleton(RandomIds),
    )
    services.add_kwargs(
        chats=chats,
        server=agent_server,
        answer_question=providers.Singleton(AnswerQuestion, chats=chats, server=agent_server),
        businesses=businesses,
        broadcaster=broadcaster,
        access=access,
        away_after_s=settings.provided.bridge_away_s,
        clock=clock,
        limits=limits,
    )
    guards = providers.Callable(api_guards, settings, settings.provided.bridge_host, limits)
    deliver: Provider[DeliverCommands] = providers.Singleton(
        DeliverCommands, chats=chats, server=agent_server, clock=clock, jitter=jitter
    )
    watch: Provider[WatchCoordinators] = providers.Singleton(
        WatchCoordinators,
        chats=chats,
        absence_s=broadcaster.provided.absence_s,
        away_after_s=settings.provided.bridge_away_s,
    )
    queues: Provider[AnnounceQueues] = providers.Singleton(AnnounceQueues, chats=chats)
