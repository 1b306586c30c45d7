"""The server as a Litestar application: the user's socket, the HTTP API, the page, the lifespan."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from litestar import Litestar
from litestar.datastructures import State

from application.bridge_inbox import BridgeInbox
from application.day_counts import FLUSH_EVERY_S
from application.deliver_outbox import DeliverOutbox
from application.ports import Clock
from application.sweep import BATCH
from domain.errors import Failure
from entrypoints.logs import trace_ids
from entrypoints.problems import problem_handlers
from entrypoints.server.api_page import api_page_route
from entrypoints.server.container import Container, bridge_socket
from entrypoints.server.customer_pages import customer_routes
from entrypoints.server.http_api import http_routes, openapi_config
from entrypoints.server.website import website_routes
from entrypoints.settings import Settings
from entrypoints.supervision import forever
from entrypoints.web_files import content_policy, embedded_routes, file_route, page_route

logger = logging.getLogger(__name__)

REFRESH_CHATS_EVERY_S = 60.0
CHECK_OWNERS_EVERY_S = 1.0
"""The interval of searching for live chats that other processes began or ended."""
MEASURE_LAG_EVERY_S = 0.5
"""The interval of measuring by how much the event loop's timers are late."""


def create_app(settings: Settings, container: Container | None = None) -> Litestar:
    """Return the whole server as an ASGI application, to be served by `uvicorn_config`.

    `state.connections` has the limits of its connections. Await `drain(container)` before it is
    stopped.
    """
    wired = container or Container(settings=settings)
    policy = content_policy(bridge_socket(settings))
    return Litestar(
        route_handlers=[
            wired.endpoint().route,
            wired.long_poll().route,
            *http_routes(wired.api()),
            *website_routes(wired.website()),
            page_route("/test-websocket.html", "user", policy),
            file_route(("user", "page"), policy),
            *embedded_routes(),
            *customer_routes(wired.customer_pages()),
            api_page_route(),
        ],
        lifespan=[lambda app: _running(wired), lambda app: _measuring(wired)],
        state=State({"connections": wired.connections()}),
        exception_handlers=problem_handlers(),
        openapi_config=openapi_config(),
        logging_config=None,
    )


async def drain(container: Container, siblings_stay: bool = False) -> None:
    """Refuse new work, finish what is under way, and disconnect the clients.

    Where other processes live and stay, the clients go first: they go on there, where they see the
    rest of the answers that are still being written here. These get TURN_TIMEOUT_S, and the outbox
    DRAIN_S after them. Alone, or where all workers of the machine stop (not `siblings_stay`), all
    has to be done within DRAIN_S, and the clients go last. Messages that arrive meanwhile are
    stored and acknowledged, and answered by another process, as are those for which the time was
    too short. With 0 seconds, new work is refused, no more.
    """
    container.health().draining = container.endpoint().is_draining = True
    if container.settings().drain_s > 0:
        await _finish_and_disconnect(container, siblings_stay)
    # A poll that waits, or a suggestion, would hold up the server's stop, and be cut off by it.
    container.long_poll().close()
    await container.suggest_reply().stop()
    siblings = container.siblings()
    if siblings is not None:
        siblings.give_up_polls()


async def _finish_and_disconnect(container: Container, siblings_stay: bool) -> None:
    settings, endpoint = container.settings(), container.endpoint()
    if container.hub().has_peers and (siblings_stay or settings.broker != "local"):
        await endpoint.drain(container.jitter())
        await _within(settings.turn_timeout_s, container.turns().drain())
        await _within(settings.drain_s, _flush(container))
    else:
        await _within(settings.drain_s, _finish(container))
        await endpoint.drain(container.jitter())


async def _within(seconds: float, work: Coroutine[Any, Any, None]) -> None:
    """Await a part of the drain no longer than this, and log what is left to the next process."""
    try:
        async with asyncio.timeout(seconds):
            await work
    except TimeoutError:
        extra = {"action": "drain_cut_short"}
        logger.warning("The drain ran out of time; the next process takes up the rest", extra=extra)
    except Failure as error:
        extra = {"action": "drain_failed"}
        logger.warning("The outbox could not be flushed", extra=extra, exc_info=error)


async def _finish(container: Container) -> None:
    """Start no more turns; return when all have ended and the outbox is delivered."""
    await container.turns().drain()
    await _flush(container)


async def _flush(container: Container) -> None:
    """Deliver what is in the outbox."""
    await asyncio.gather(*(delivery.flush() for delivery in container.deliveries()))


@asynccontextmanager
async def _running(container: Container) -> AsyncGenerator[None, None]:
    """Open the adapters, run the background tasks, and stop everything in the reverse order."""
    async with AsyncExitStack() as stack:
        if container.tracing().is_on:
            stack.enter_context(trace_ids(container.tracing().trace_id))
        for part in container.opened():
            await stack.enter_async_context(part)
        files, index = container.business_files(), container.knowledge_index()
        if files is not None and index is not None:
            try:
                await index.retain(files.ids())
            except Failure as error:  # what is left over harms nobody
                extra = {"action": "indexes_left"}
                logger.warning("Old indexes could not be removed", extra=extra, exc_info=error)
        if (files := container.business_files()) is not None:
            _start(stack, forever("businesses", files.refresh, container.clock()))
        stack.push_async_callback(_write_last_counts, container)
        _connect_bridge(container, stack)
        _start(stack, _write_counts_forever(container))
        stack.push_async_callback(container.turns().stop)
        stack.push_async_callback(container.suggest_reply().stop)
        _start(stack, _sweep_forever(container))
        if container.settings().broker != "none":
            _start(stack, _report_away_forever(container))
        stack.push_async_callback(container.long_poll().stop)
        yield


@asynccontextmanager
async def _measuring(container: Container) -> AsyncGenerator[None, None]:
    """Measure the event loop's lag."""
    metrics, clock = container.metrics(), container.clock()

    async def work() -> float:
        due = clock.monotonic() + MEASURE_LAG_EVERY_S
        await clock.sleep(MEASURE_LAG_EVERY_S)
        metrics.loop_lagged(max(clock.monotonic() - due, 0.0))
        return 0.0

    async with AsyncExitStack() as stack:
        _start(stack, forever("lag", work, clock))
        yield


def _connect_bridge(container: Container, stack: AsyncExitStack) -> None:
    """Deliver the outbox to the bridge, and receive its events, if there is a bridge."""
    inbox, clock = container.bridge_inbox(), container.clock()
    if inbox is None:
        return
    running = [
        asyncio.create_task(_deliver_forever(each, clock)) for each in container.deliveries()
    ]
    stack.push_async_callback(_end, running)
    inbox.start()
    stack.callback(inbox.stop)
    _start(stack, _refresh_forever(inbox, clock))
    _start(stack, _check_owners_forever(inbox, clock))


def _start(stack: AsyncExitStack, task: Coroutine[Any, Any, None]) -> None:
    stack.callback(asyncio.create_task(task).cancel)


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel the tasks, and wait until they have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


def _sweep_forever(container: Container) -> Coroutine[Any, Any, None]:
    sweep, turns = container.sweep(), container.turns()
    interval_s = container.policy().sweep_interval_s

    async def work() -> float:
        moved_on = await sweep() if not turns.is_draining else 0
        return 0.0 if moved_on >= BATCH else interval_s

    return forever(
        "sweep",
        work,
        container.clock(),
        failed_pause_s=interval_s,
        crashed_pause_s=interval_s,
    )


def _deliver_forever(delivery: DeliverOutbox, clock: Clock) -> Coroutine[Any, Any, None]:
    async def work() -> float:
        await delivery.run()
        return 0.0

    return forever("delivery", work, clock, crashed_pause_s=1.0)


def _refresh_forever(inbox: BridgeInbox, clock: Clock) -> Coroutine[Any, Any, None]:
    async def work() -> float:
        await inbox.refresh()
        return REFRESH_CHATS_EVERY_S

    return forever("refresh", work, clock, crashed_pause_s=REFRESH_CHATS_EVERY_S)


def _report_away_forever(container: Container) -> Coroutine[Any, Any, None]:
    hub, clock = container.hub(), container.clock()
    return forever("broker_away", lambda: hub.report_away(clock), clock)


def _check_owners_forever(inbox: BridgeInbox, clock: Clock) -> Coroutine[Any, Any, None]:
    async def work() -> float:
        inbox.check_owners()
        inbox.show_presence()
        return CHECK_OWNERS_EVERY_S

    return forever("check_owners", work, clock, crashed_pause_s=CHECK_OWNERS_EVERY_S)


def _write_counts_forever(container: Container) -> Coroutine[Any, Any, None]:
    async def work() -> float:
        await _write_counts(container)
        return FLUSH_EVERY_S

    return forever("counts", work, container.clock(), failed_pause_s=FLUSH_EVERY_S)


async def _write_counts(container: Container) -> None:
    try:
        await container.outcomes().count_reopened()
    finally:
        await container.day_counts().flush()


async def _write_last_counts(container: Container) -> None:
    """Write the last counts, which no later flush would write."""
    try:
        await _write_counts(container)
    except Failure as error:
        extra = {"action": "counts_not_written"}
        logger.warning("The last counts could not be written", extra=extra, exc_info=error)
    except Exception:  # or the rest of the shutdown would end in a traceback
        logger.exception("Writing the last counts crashed", extra={"action": "counts_crashed"})
