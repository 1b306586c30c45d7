"""The Litestar application: the user's socket, the HTTP API, the pages, and the life of it all."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from litestar import Litestar

from application.ports import Clock
from application.relay import Relay
from application.spending import FLUSH_EVERY_S, Spending
from application.sweep import BATCH
from domain.errors import Failure
from entrypoints.container import Container, bridge_socket
from entrypoints.guards import socket_origins
from entrypoints.health import Health, assistant_probe, bridge_probe, store_probe
from entrypoints.http_api import ApiServices, http_routes, openapi_config
from entrypoints.messages_channel import TOPIC_PREFIX, MessagesChannel
from entrypoints.pages import page_routes
from entrypoints.phoenix_endpoint import PhoenixEndpoint
from entrypoints.problems import problem_handlers
from entrypoints.settings import Settings, load_settings
from entrypoints.wire import Pushes

logger = logging.getLogger(__name__)

SOCKET_PATH = "/socket/websocket"
REFRESH_EVERY_S = 60.0
"""Between two looks for live chats that were begun or ended elsewhere."""


def create_app(settings: Settings | None = None, container: Container | None = None) -> Litestar:
    """The whole server as an ASGI application, to be served by `uvicorn_config`.

    Await its `state.drain()` before it is stopped. Raises: BadSetting, where the settings come from
    the environment.
    """
    chosen = settings or load_settings()
    wired = container or Container(settings=chosen)
    endpoint, services = messages_endpoint(chosen, wired), _api_services(chosen, wired)
    app = Litestar(
        route_handlers=[
            endpoint.route,
            *http_routes(services),
            *page_routes("/test-websocket.html", "user", bridge_socket(chosen)),
        ],
        lifespan=[lambda app: _running(wired)],
        exception_handlers=problem_handlers(),
        openapi_config=openapi_config(),
        logging_config=None,
    )
    app.state.drain = lambda: _drain(wired, endpoint, services.health, chosen.drain_s)
    return app


async def _drain(
    container: Container, endpoint: PhoenixEndpoint, health: Health, drain_s: float
) -> None:
    """Take nothing new, end what is under way in `drain_s` seconds, then send the clients away.

    What a user says meanwhile is stored and acknowledged, and answered by the next process, as is
    what there was no time for. 0 seconds: none of this, but what is new is refused.
    """
    health.draining = endpoint.is_draining = True
    if drain_s <= 0:
        return
    try:
        async with asyncio.timeout(drain_s):
            await _finish(container)
    except TimeoutError:
        extra = {"action": "drain_cut_short"}
        logger.warning("Not everything has ended in time; it is taken up again", extra=extra)
    except Failure as error:
        extra = {"action": "drain_failed"}
        logger.warning("The outbox could not be flushed", extra=extra, exc_info=error)
    await endpoint.send_away(container.jitter())


async def _finish(container: Container) -> None:
    """Start no more turns; return when all have ended and the bridge has been told of them."""
    await container.turns().drain()
    if container.bridge() is not None:
        await container.deliver().flush()


def messages_endpoint(settings: Settings, container: Container) -> PhoenixEndpoint:
    """The user's socket."""
    services = container.messages()
    return PhoenixEndpoint(
        SOCKET_PATH,
        {TOPIC_PREFIX + "*": lambda link: MessagesChannel(link, services)},
        allowed_origins=socket_origins(settings.allowed_origins, settings.server_host),
        gate=container.limits(),
        observer=container.metrics(),
    )


def _api_services(settings: Settings, container: Container) -> ApiServices:
    store = container.store()
    return ApiServices(
        store=store,
        archive=store,
        outbox=store,
        transfers=container.transfers(),
        privacy=container.privacy(),
        spending=container.spending(),
        businesses=container.businesses(),
        clock=container.clock(),
        metrics=container.metrics(),
        pushes=Pushes(container.live_chat()),
        health=Health(
            store=store_probe(store),
            assistant=assistant_probe(container.assistant()),
            bridge=bridge_probe(container.bridge()),
        ),
        limits=container.limits(),
        service_token=settings.service_token,
    )


@asynccontextmanager
async def _running(container: Container) -> AsyncGenerator[None, None]:
    """Open what must be opened, sweep while the server runs, and stop in the reverse order."""
    async with AsyncExitStack() as stack:
        parts: tuple[Any, ...] = (container.store(), container.assistant(), container.identify())
        for part in parts:
            if hasattr(part, "__aenter__"):
                await stack.enter_async_context(part)
        if container.bridge() is not None:
            await _reach_bridge(container, stack)
        stack.push_async_callback(_write_down_the_rest, container.spending())
        writing = asyncio.create_task(_write_down_for_ever(container))
        stack.callback(writing.cancel)
        stack.push_async_callback(container.turns().stop)
        sweeping = asyncio.create_task(_sweep_for_ever(container))
        stack.callback(sweeping.cancel)
        yield


async def _reach_bridge(container: Container, stack: AsyncExitStack) -> None:
    """Open the ways to the bridge, then tell it what it must be told, and hear what is said."""
    for way in (container.elixir_http(), container.elixir_socket()):
        if way is not None:
            await stack.enter_async_context(way)
    stack.push_async_callback(_end, asyncio.create_task(_deliver_for_ever(container)))
    relay = container.relay()
    relay.start()
    stack.callback(relay.stop)
    refreshing = asyncio.create_task(_refresh_for_ever(relay, container.clock()))
    stack.callback(refreshing.cancel)


async def _end(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait for what it does then."""
    task.cancel()
    await asyncio.wait({task})


async def _sweep_for_ever(container: Container) -> None:
    sweep, clock, policy = container.sweep(), container.clock(), container.policy()
    while not container.turns().is_draining:
        try:
            found = await sweep()
        except Failure as error:
            found = 0
            logger.warning("A sweep failed", extra={"action": "sweep_failed"}, exc_info=error)
        except Exception:
            found = 0
            logger.exception("A sweep crashed", extra={"action": "sweep_crashed"})
        await clock.sleep(0.0 if found >= BATCH else policy.sweep_interval_s)


async def _write_down_for_ever(container: Container) -> None:
    spending, clock = container.spending(), container.clock()
    while True:
        await clock.sleep(FLUSH_EVERY_S)
        await _write_down_the_rest(spending)


async def _write_down_the_rest(spending: Spending) -> None:
    try:
        await spending.flush()
    except Failure as error:
        extra = {"action": "spending_not_written"}
        logger.warning("What was spent could not be written down", extra=extra, exc_info=error)
    except Exception:
        extra = {"action": "spending_crashed"}
        logger.exception("Writing down what was spent crashed", extra=extra)


async def _deliver_for_ever(container: Container) -> None:
    deliver, clock = container.deliver(), container.clock()
    while True:
        try:
            await deliver.run()
        except Failure as error:
            extra = {"action": "delivery_failed"}
            logger.warning("Nothing can be delivered for now", extra=extra, exc_info=error)
        except Exception:
            logger.exception("The delivery crashed", extra={"action": "delivery_crashed"})
        await clock.sleep(1.0)


async def _refresh_for_ever(relay: Relay, clock: Clock) -> None:
    while True:
        pause_s = REFRESH_EVERY_S
        try:
            await relay.refresh()
        except Failure as error:
            pause_s = 1.0
            extra = {"action": "refresh_failed"}
            logger.warning("The live chats could not be listed", extra=extra, exc_info=error)
        except Exception:
            logger.exception("A refresh crashed", extra={"action": "refresh_crashed"})
        await clock.sleep(pause_s)
