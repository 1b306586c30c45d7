"""The bridge as a Litestar application, and its lifespan."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from litestar import Litestar
from litestar.datastructures import State

from application.bridge.announce_queues import AnnounceQueues
from application.bridge.deliver_commands import LONGEST_PAUSE_S, DeliverCommands
from application.bridge.ports import BridgeStore
from application.ports import Lifecycle
from entrypoints.access.tokens import service_tokens
from entrypoints.bridge.container import BridgeContainer
from entrypoints.bridge.http import bridge_openapi, bridge_routes
from entrypoints.pages import page_routes
from entrypoints.problems import problem_handlers
from entrypoints.settings import BadSetting, Settings
from entrypoints.supervision import forever


def create_bridge(settings: Settings, store: BridgeStore | None = None) -> Litestar:
    """Return the whole bridge as an ASGI application, to be served by `uvicorn_config`.

    `store` replaces the one that the settings choose. Raises: BadSetting.
    """
    container = BridgeContainer(settings=settings)
    if store is not None:
        container.store.override(store)
    identify = container.identify()
    if identify is not None and not service_tokens(settings.service_token):
        raise BadSetting(
            "SERVICE_TOKEN is empty, but with SOCKET_AUTH=jwt the bridge needs it, to know the "
            "AI agent server by"
        )
    opened = (container.store(), identify, container.agent_server())
    parts = [part for part in opened if part is not None]
    deliver = container.deliver()
    queues = container.queues()
    return Litestar(
        route_handlers=[
            container.endpoint().route,
            *bridge_routes(container.http_services()),
            *page_routes("/", "coordinator"),
        ],
        lifespan=[lambda app: _running(parts, deliver, queues)],
        state=State({"connections": container.connections()}),
        exception_handlers=problem_handlers(),
        openapi_config=bridge_openapi(),
        logging_config=None,
    )


@asynccontextmanager
async def _running(
    parts: Sequence[Lifecycle], deliver: DeliverCommands, queues: AnnounceQueues
) -> AsyncGenerator[None, None]:
    """Open what must be opened, run the background loops, and stop in the reverse order."""
    async with AsyncExitStack() as stack:
        for part in parts:
            await stack.enter_async_context(part)
        for name, work in (("delivery", deliver.run), ("queues", queues.run)):
            loop = forever(name, work, deliver.clock, failed_pause_s=LONGEST_PAUSE_S)
            stack.callback(asyncio.create_task(loop).cancel)
        yield
