"""The bridge as a Litestar application: what it is made of, and the life of it all."""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from time import monotonic

from litestar import Litestar

from adapters.agent_server_http import HttpAgentServer
from adapters.bridge_memory import MemoryBridgeStore
from adapters.bridge_sqlite import SqliteBridgeStore
from adapters.memory.businesses import MemoryBusinesses
from adapters.system import RandomIds, SystemClock
from application.bridge.delivery import LONGEST_PAUSE_S, Delivery
from application.bridge.live_chats import LiveChats
from application.bridge.ports import BridgeStore
from domain.errors import Failure
from entrypoints.bridge.channels import ChannelServices, ChatChannel, CoordinatorsChannel
from entrypoints.bridge.http import BridgeServices, bridge_openapi, bridge_routes
from entrypoints.bridge.wire import CHAT_PREFIX, COORDINATORS_PREFIX, Broadcasts
from entrypoints.guards import socket_origins, token_check
from entrypoints.identity import tokens
from entrypoints.limits import KeptLimits, Limits
from entrypoints.pages import page_routes
from entrypoints.phoenix_endpoint import Limits as SocketLimits
from entrypoints.phoenix_endpoint import PhoenixEndpoint
from entrypoints.problems import problem_handlers
from entrypoints.settings import BadSetting, Settings

SOCKET_PATH = "/socket/websocket"
MAX_CHANNELS = 100_000
"""Topics on one socket: the AI agent server's carries every live chat there is."""

logger = logging.getLogger(__name__)


def create_bridge(settings: Settings, store: BridgeStore | None = None) -> Litestar:
    """The whole bridge as an ASGI application, to be served by `uvicorn_config`.

    `store`: instead of the one that the settings name. Raises: BadSetting.
    """
    identify = tokens(settings)
    if identify is not None and not settings.service_token.strip(" ,"):
        raise BadSetting(
            "SERVICE_TOKEN is empty, but with SOCKET_AUTH=jwt the bridge needs it, to know the "
            "AI agent server by"
        )
    limits = KeptLimits(settings, monotonic) if settings.rate_limits == "on" else Limits()
    kept = store or _store(settings)
    clock, broadcasts = SystemClock(), Broadcasts()
    server = HttpAgentServer(settings.agent_server_url, settings.service_token.partition(",")[0])
    chats = LiveChats(store=kept, audience=broadcasts, clock=clock, new_id=RandomIds())
    delivery = Delivery(chats=chats, server=server, clock=clock, jitter=random.random)
    services = ChannelServices(
        chats=chats,
        server=server,
        broadcasts=broadcasts,
        is_good_token=token_check(settings.service_token),
        identify=identify,
        clock=clock,
        limits=limits,
    )
    broadcasts.endpoint = _endpoint(settings, services)
    http = BridgeServices(
        chats=chats,
        businesses=MemoryBusinesses(),
        clock=clock,
        limits=limits,
        service_token=settings.service_token,
    )
    return Litestar(
        route_handlers=[
            broadcasts.endpoint.route,
            *bridge_routes(http),
            *page_routes("/", "coordinator"),
        ],
        lifespan=[lambda app: _running([kept, identify, server], delivery)],
        exception_handlers=problem_handlers(),
        openapi_config=bridge_openapi(),
        logging_config=None,
    )


def _store(settings: Settings) -> BridgeStore:
    if settings.bridge_store == "memory":
        return MemoryBridgeStore()
    return SqliteBridgeStore(settings.bridge_sqlite_path)


def _endpoint(settings: Settings, services: ChannelServices) -> PhoenixEndpoint:
    return PhoenixEndpoint(
        SOCKET_PATH,
        {
            CHAT_PREFIX + "*": lambda link: ChatChannel(link, services),
            COORDINATORS_PREFIX + "*": lambda link: CoordinatorsChannel(link, services),
        },
        allowed_origins=socket_origins(settings.allowed_origins, settings.bridge_host),
        limits=SocketLimits(max_channels=MAX_CHANNELS),
        gate=services.limits,
    )


@asynccontextmanager
async def _running(parts: Sequence[object], delivery: Delivery) -> AsyncGenerator[None, None]:
    """Open what must be opened, deliver while the bridge runs, and stop in the reverse order."""
    async with AsyncExitStack() as stack:
        for part in parts:
            if isinstance(part, AbstractAsyncContextManager):
                await stack.enter_async_context(part)
        delivering = asyncio.create_task(_deliver_for_ever(delivery))
        stack.callback(delivering.cancel)
        yield


async def _deliver_for_ever(delivery: Delivery) -> None:
    wished = delivery.chats.wished
    while True:
        wished.clear()
        try:
            again_in_s = await delivery()
        except Failure as error:
            again_in_s = LONGEST_PAUSE_S
            extra = {"action": "delivery_failed"}
            logger.warning("Wishes could not be delivered", extra=extra, exc_info=error)
        except Exception:
            again_in_s = LONGEST_PAUSE_S
            logger.exception("The delivery crashed", extra={"action": "delivery_crashed"})
        if again_in_s is None:
            await wished.wait()
        else:
            await delivery.clock.sleep(again_in_s)
