"""The Litestar application: the user's socket, the HTTP API, the pages, and the life of it all."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from litestar import Litestar

from application.sweep import BATCH
from domain.errors import Failure
from entrypoints.container import Container
from entrypoints.health import Health, store_probe
from entrypoints.http_api import ApiServices, http_routes, openapi_config
from entrypoints.messages_channel import TOPIC_PREFIX, MessagesChannel
from entrypoints.pages import page_routes
from entrypoints.phoenix_endpoint import PhoenixEndpoint
from entrypoints.problems import problem_handlers
from entrypoints.settings import Settings, load_settings
from entrypoints.wire import Pushes

logger = logging.getLogger(__name__)

SOCKET_PATH = "/socket/websocket"
_LOCAL_ORIGINS = ("//localhost", "//127.0.0.1", "//[::1]")


def create_app(settings: Settings | None = None, container: Container | None = None) -> Litestar:
    """The whole server as an ASGI application, to be served by `uvicorn_config`.

    Raises: BadSetting, where the settings come from the environment.
    """
    chosen = settings or load_settings()
    wired = container or Container(settings=chosen)
    return Litestar(
        route_handlers=[
            messages_endpoint(chosen, wired).route,
            *http_routes(_api_services(chosen, wired)),
            *page_routes(),
        ],
        lifespan=[lambda app: _running(wired)],
        exception_handlers=problem_handlers(),
        openapi_config=openapi_config(),
        logging_config=None,
    )


def messages_endpoint(settings: Settings, container: Container) -> PhoenixEndpoint:
    """The user's socket."""
    services = container.messages()
    return PhoenixEndpoint(
        SOCKET_PATH,
        {TOPIC_PREFIX + "*": lambda link: MessagesChannel(link, services)},
        allowed_origins=origins(settings),
        observer=container.metrics(),
    )


def origins(settings: Settings) -> list[str] | None:
    """The patterns of the pages that may open the socket; None: all."""
    if settings.allowed_origins == "*":
        return None
    given = [origin.strip() for origin in settings.allowed_origins.split(",") if origin.strip()]
    return given or [*_LOCAL_ORIGINS, f"//{settings.server_host}"]


def _api_services(settings: Settings, container: Container) -> ApiServices:
    store = container.store()
    return ApiServices(
        store=store,
        archive=store,
        outbox=store,
        transfers=container.transfers(),
        privacy=container.privacy(),
        businesses=container.businesses(),
        clock=container.clock(),
        metrics=container.metrics(),
        pushes=Pushes(container.live_chat()),
        health=Health(store=store_probe(store)),
        service_token=settings.service_token,
    )


@asynccontextmanager
async def _running(container: Container) -> AsyncGenerator[None, None]:
    """Open what must be opened, sweep while the server runs, and stop in the reverse order."""
    async with AsyncExitStack() as stack:
        for part in (container.store(), container.assistant()):
            if hasattr(part, "__aenter__"):
                await stack.enter_async_context(part)
        stack.push_async_callback(container.turns().stop)
        sweeping = asyncio.create_task(_sweep_for_ever(container))
        stack.callback(sweeping.cancel)
        yield


async def _sweep_for_ever(container: Container) -> None:
    sweep, clock, policy = container.sweep(), container.clock(), container.policy()
    while True:
        try:
            found = await sweep()
        except Failure as error:
            found = 0
            logger.warning("A sweep failed", extra={"action": "sweep_failed"}, exc_info=error)
        except Exception:
            found = 0
            logger.exception("A sweep crashed", extra={"action": "sweep_crashed"})
        await clock.sleep(0.0 if found >= BATCH else policy.sweep_interval_s)
