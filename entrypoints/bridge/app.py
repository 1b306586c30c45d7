"""The bridge as a Litestar application, and its lifespan."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from litestar import Litestar
from litestar.datastructures import State

from application.bridge.deliver_commands import LONGEST_PAUSE_S
from application.bridge.ports import BridgeStore
from application.ports import Lifecycle
from entrypoints.access.coordinators import sign_in_routes
from entrypoints.access.tokens import service_tokens
from entrypoints.bridge.container import BridgeContainer
from entrypoints.bridge.http import bridge_openapi, bridge_routes
from entrypoints.problems import problem_handlers
from entrypoints.settings import BadSetting, Settings
from entrypoints.supervision import forever
from entrypoints.tracing import TracedRequests
from entrypoints.web_files import content_policy, file_route, page_route


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
    tracing = container.tracing()
    opened = (
        tracing,
        container.store(),
        identify,
        container.sign_in(),
        container.business_files(),
        container.agent_server(),
    )
    parts = [part for part in opened if part is not None]
    return Litestar(
        route_handlers=[
            container.endpoint().route,
            *bridge_routes(container.services(), container.guards(), container.render_metrics()),
            *sign_in_routes(
                container.sign_in(),
                container.businesses(),
                container.endpoint().allows_origin,
                takes_tokens=container.access().takes_tokens,
            ),
            page_route("/", "coordinator", content_policy()),
            file_route(("coordinator",), content_policy()),
        ],
        lifespan=[lambda app: _running(parts, container)],
        middleware=[TracedRequests(tracing)] if tracing.is_on else [],
        state=State({"connections": container.connections()}),
        exception_handlers=problem_handlers(),
        openapi_config=bridge_openapi(),
        logging_config=None,
    )


@asynccontextmanager
async def _running(
    parts: Sequence[Lifecycle], container: BridgeContainer
) -> AsyncGenerator[None, None]:
    """Open what must be opened, run the background loops, and stop in the reverse order."""
    async with AsyncExitStack() as stack:
        for part in parts:
            await stack.enter_async_context(part)
        clock = container.clock()
        for name, work in (
            ("delivery", container.deliver().run),
            ("queues", container.queues().run),
        ):
            _start(stack, forever(name, work, clock, failed_pause_s=LONGEST_PAUSE_S))
        if container.settings().bridge_away_s:
            _start(stack, forever("away", container.watch().run, clock))
        if (files := container.business_files()) is not None:
            _start(stack, forever("businesses", files.refresh, clock))
        if (sign_in := container.sign_in()) is not None:
            _start(stack, forever("coordinators", sign_in.refresh, clock))
        yield


def _start(stack: AsyncExitStack, task: Coroutine[Any, Any, None]) -> None:
    stack.callback(asyncio.create_task(task).cancel)
