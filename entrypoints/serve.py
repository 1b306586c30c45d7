"""A serving process: runs applications on listening sockets, and ends gracefully on a signal."""

import asyncio
import gc
import logging
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import partial
from math import inf
from types import FrameType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import uvicorn
from litestar import Litestar

from adapters.phoenix.http_protocol import HttpProtocol
from adapters.phoenix.limits import Connections
from adapters.phoenix.uvicorn_protocol import uvicorn_config
from entrypoints.access.descriptors import (
    descriptors_needed,
    has_descriptor,
    raise_descriptor_limit,
)
from entrypoints.programs import (
    BACKLOG,
    Program,
    check_descriptors,
    joined,
    listen,
    log_end,
    log_start,
    url_of,
)
from entrypoints.worker_folder import Worker

if TYPE_CHECKING:
    from entrypoints.server.siblings import WorkerPart

logger = logging.getLogger(__name__)

FULL_COLLECTION_AFTER = 100
"""Collections of the middle generation before a full one: ten times as many as by default."""
ACCEPTED_S = 0.5
"""The time between the last connection that is accepted and a drain, for what it begins with."""
STOP_S = 8
"""The time after a drain in which HTTP requests may end, and slow clients may read the rest."""


class Application(NamedTuple):
    """An ASGI application, and the function that finishes its work before it is stopped."""

    asgi: Litestar
    """Its `state.connections` are the limits and counts of its connections."""
    drain: Callable[[bool], Awaitable[None]] | None = None
    """Called with True if the other workers of this machine stay. None: it is stopped at once."""
    worker_part: "WorkerPart | None" = None
    """What it serves to the other workers of this machine."""


def create_application(program: Program, worker: Worker | None = None) -> Application:
    """Return the application of a program; `worker`: which one it is for. Raises: BadSetting."""
    if program.name == "bridge":
        from entrypoints.bridge.app import create_bridge

        return Application(create_bridge(program.settings))
    from entrypoints.server.app import create_app, drain
    from entrypoints.server.container import Container
    from entrypoints.server.siblings import Siblings

    container = Container(settings=program.settings)
    if worker is not None:
        container.siblings.override(Siblings(worker))
    app = create_app(program.settings, container)
    return Application(app, partial(drain, container), container.worker_part())


def run_programs(
    *programs: Program, on_listening: Callable[[Sequence[str]], None] = lambda urls: None
) -> None:
    """Run programs until SIGTERM, SIGINT or SIGHUP drains them; a second SIGINT kills them.

    `on_listening` gets their URLs, such as `http://127.0.0.1:3001`, once all accept connections.
    Raises: CannotListen, BadSetting, StorageUnavailable when one could not start.
    """
    needed = sum(descriptors_needed(program.settings) for program in programs)
    descriptors = raise_descriptor_limit(needed)
    with ExitStack() as stack:
        listeners = [stack.enter_context(listen(program)[0]) for program in programs]
        urls = list(map(url_of, programs, listeners))
        programs = tuple(joined(programs, urls))

        def on_started() -> None:
            for program, url in zip(programs, urls, strict=True):
                log_start(program, url)
            check_descriptors(programs, descriptors)
            on_listening(urls)

        apps = [create_application(program) for program in programs]
        Serving(apps, listeners, on_started).run()
    for program in programs:
        log_end(program)


class Serving:
    """The applications that this process serves, until a signal or `stop` drains them."""

    def __init__(
        self,
        apps: Sequence[Application],
        listeners: Sequence[socket.socket],
        on_started: Callable[[], None],
        others: Sequence[socket.socket] = (),
    ) -> None:
        """`on_started` is called once all accept connections.

        `others`: the listening sockets of the other workers, for the only application.
        """
        self._apps = apps
        self._listeners = list(listeners)
        self._on_started = on_started
        self._public = [
            _server(app.asgi, app.asgi.state.connections, self._started) for app in apps
        ]
        self._servers = list(self._public)
        self._public[0].others = others
        for app in apps:
            if app.worker_part is not None:
                # Its clients are the other workers: what they pass on was admitted there.
                limits = app.asgi.state.connections.limits
                unlimited = replace(limits, max_connections=inf, max_connections_per_address=inf)
                server = _server(app.worker_part, Connections(unlimited), self._started)
                self._servers.append(server)
                self._listeners.append(app.worker_part.listen())
        self._stopping = asyncio.Event()
        self._others_stay = False

    def run(self) -> None:
        """Serve. Raises: StorageUnavailable when an application could not start."""
        with ExitStack() as stack:
            for listener in self._listeners:
                stack.enter_context(listener)
            loop_factory = self._servers[0].config.get_loop_factory()
            stack.enter_context(asyncio.Runner(loop_factory=loop_factory)).run(self._run())

    def stop(self) -> None:
        """Drain the applications, and end."""
        self._stopping.set()

    def leave(self) -> None:
        """End as on a signal, but accept no more: other processes have the listening sockets."""
        self._others_stay = True
        for server in self._public:
            server.refuse()
        # Who has just been accepted is served, and then disconnected like the others.
        asyncio.get_running_loop().call_later(ACCEPTED_S, self._stop_left)

    def _stop_left(self) -> None:
        for server in self._public:
            server.end_kept()
        self.stop()

    def _started(self) -> None:
        if all(server.started for server in self._servers):
            self._on_started()

    async def _run(self) -> None:
        try:
            async with AsyncExitStack() as stack:
                for app in self._apps:
                    await stack.enter_async_context(app.asgi.lifespan())
                # What exists now lives until the end: a full collection that goes through all of it
                # would stop the process for a tenth of a second. So does one that goes through
                # 500 clients and the streams of their answers, and by default one is due whenever
                # these have grown by a quarter; what has ended is freed without it.
                gc.collect()
                gc.freeze()
                gc.set_threshold(*gc.get_threshold()[:2], FULL_COLLECTION_AFTER)
                stopping = asyncio.create_task(self._stop_on_signal())
                stack.callback(stopping.cancel)
                pairs = zip(self._servers, self._listeners, strict=True)
                try:
                    await asyncio.gather(*(server.serve([listener]) for server, listener in pairs))
                finally:  # uvloop's end would wait for ever for a server that still listens
                    for server in self._servers:
                        server.refuse()
        except ExceptionGroup as group:  # Litestar's, around what ended the lifespan
            error = group.exceptions[0]
            raise error from error.__cause__

    async def _stop_on_signal(self) -> None:
        """Drain the applications on a signal to any server; then stop all servers.

        They are stopped together: while one drains, it can still reach the others.
        """
        loop = asyncio.get_running_loop()
        for server in self._servers:
            server.on_signal = lambda: loop.call_soon_threadsafe(self.stop)
        await self._stopping.wait()
        drains = [app.drain(self._others_stay) for app in self._apps if app.drain is not None]
        for error in await asyncio.gather(*drains, return_exceptions=True):
            if error is not None:
                extra = {"action": "drain_crashed"}
                logger.error("A program could not be drained", extra=extra, exc_info=error)
        for server in self._servers:
            server.stop()


def _server(app: Any, connections: Connections, on_started: Callable[[], None]) -> "Server":
    config = uvicorn_config(app, connections, log_config=None, timeout_graceful_shutdown=STOP_S)
    # uvicorn logs a traceback when a lifespan fails: entered by us, it raises.
    config.lifespan = "off"
    return Server(config, on_started, connections)


class Server(uvicorn.Server):
    """A uvicorn server that a signal stops gracefully, and whose process then exits with 0."""

    interrupted: ClassVar = False
    """True once the process has had a SIGINT."""

    def __init__(
        self,
        config: uvicorn.Config,
        on_started: Callable[[], None],
        connections: Connections | None = None,
    ) -> None:
        super().__init__(config)
        self._on_started = on_started
        self._connections = connections or Connections()
        self.on_signal: Callable[[], object] = self.stop
        """Called on a signal; by default, the server stops at once."""
        self.servers = []
        self.others: Sequence[socket.socket] = ()
        """Listening sockets of other processes, which may hang or have died."""
        self._accepting: set[asyncio.Task[Any]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()

    async def on_tick(self, counter: int) -> bool:
        # Ten times a second. Without a descriptor, libuv accepts and ends connections unseen.
        if counter % 10 == 0 and not has_descriptor():
            self._connections.refused("descriptors")
        if counter % 2 == 0:
            self._accept_for_others()
        return await super().on_tick(counter)

    def _accept_for_others(self) -> None:
        """Accept what waits at the sockets of other processes: they should have done it by now."""
        for listener in self.others:
            with suppress(OSError):  # nothing waits
                for _ in range(BACKLOG):
                    connection, _ = listener.accept()
                    task = asyncio.create_task(self._accept(connection))
                    self._accepting.add(task)
                    task.add_done_callback(self._accepting.discard)

    async def _accept(self, connection: socket.socket) -> None:
        protocol: Any = self.config.http_protocol_class
        loop, config, state = asyncio.get_running_loop(), self.config, self.server_state
        connection.setblocking(False)
        await loop.connect_accepted_socket(
            lambda: protocol(config=config, server_state=state, app_state=self.lifespan.state),
            connection,
        )

    def refuse(self) -> None:
        """Accept no more connections, and go on with those that there are."""
        self.others = ()
        for listening in self.servers:
            listening.close()

    def end_kept(self) -> None:
        """End each HTTP connection after its request: the next one would be refused for long."""
        for connection in list(self.server_state.connections):
            if isinstance(connection, HttpProtocol):
                connection.shutdown()

    def stop(self) -> None:
        """Accept no more connections, and close every socket with 1012."""
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle SIGHUP like SIGTERM, unless it is ignored (nohup), and what follows the servers.

        After them only a second SIGINT ends the process before its work is done.
        """
        with super().capture_signals():
            if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
                signal.signal(signal.SIGHUP, self.handle_exit)
            yield
        for stop in (signal.SIGHUP, signal.SIGTERM):
            signal.signal(stop, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_DFL if Server.interrupted else _interrupt)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin a graceful shutdown; a second SIGINT ends the process at once."""
        # uvicorn's own handler would raise the signal again at the end, which kills the process.
        if sig == signal.SIGINT:
            _interrupt(sig, frame)
        self.on_signal()


def _interrupt(sig: int, frame: FrameType | None) -> None:
    """Let the next SIGINT end the process."""
    Server.interrupted = True
    signal.signal(signal.SIGINT, signal.SIG_DFL)
