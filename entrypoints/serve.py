"""A serving process: listens, runs applications, and shuts down gracefully on a signal."""

import asyncio
import dataclasses
import gc
import logging
import re
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from secrets import token_urlsafe
from types import FrameType
from typing import ClassVar, NamedTuple

import uvicorn
from litestar import Litestar
from msgspec.structs import replace

from adapters.phoenix.limits import Connections
from adapters.phoenix.uvicorn_protocol import uvicorn_config
from adapters.urls import shown_url
from domain.errors import Failure
from entrypoints.access.connection_limits import (
    descriptors_needed,
    has_descriptor,
    raise_descriptor_limit,
)
from entrypoints.access.tokens import require_service_token, service_tokens
from entrypoints.settings import BadSetting, Settings

logger = logging.getLogger(__name__)

BACKLOG = 2048
STOP_S = 8
"""The time after a drain in which HTTP requests may end, and slow clients may read the rest."""


class CannotListen(Failure):
    """The address cannot be listened on; the text says why, and what to do."""


class Application(NamedTuple):
    """An ASGI application, and the function that finishes its work before it is stopped."""

    asgi: Litestar
    """Its `state.connections` are the limits and counts of its connections."""
    drain: Callable[[], Awaitable[None]] | None = None
    """None: it is stopped without delay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """An application to be created, and the address that it listens on."""

    name: str
    """`server` or `bridge`: its address comes from the variables NAME_HOST and NAME_PORT."""
    create: Callable[[Sequence[str]], Application]
    """Creates it, given the URLs of all programs that are served together, in their order."""
    host: str
    port: int
    chosen: Mapping[str, str]
    """The adapters that the settings choose, for the log line of its start."""
    is_api_open: bool
    """True if other machines can use its HTTP API without a token."""
    max_sockets: int
    descriptors: int
    """The file descriptors that it may use."""


def server_program(settings: Settings) -> Program:
    """Return the AI agent server. Raises: BadSetting."""
    from entrypoints.server.app import create_app, drain
    from entrypoints.server.container import Container

    def create(urls: Sequence[str]) -> Application:
        container = Container(settings=settings)
        return Application(create_app(settings, container), partial(drain, container))

    check_exposure(settings, settings.server_host, "SERVER_HOST")
    return Program(
        name="server",
        create=create,
        host=settings.server_host,
        port=settings.server_port,
        chosen={
            "store": settings.store,
            "assistant": settings.assistant,
            "bridge": settings.bridge,
        },
        is_api_open=is_api_open(settings, settings.server_host),
        max_sockets=settings.limit_sockets,
        descriptors=descriptors_needed(settings),
    )


def bridge_program(settings: Settings) -> Program:
    """Return the reference bridge. Raises: BadSetting."""
    try:
        from entrypoints.bridge.app import create_bridge
    except ModuleNotFoundError as error:
        if error.name != "entrypoints.bridge":
            raise
        raise BadSetting("the reference bridge is not part of this installation") from None

    check_exposure(settings, settings.bridge_host, "BRIDGE_HOST")
    return Program(
        name="bridge",
        create=lambda urls: Application(create_bridge(settings)),
        host=settings.bridge_host,
        port=settings.bridge_port,
        chosen={
            "store": settings.bridge_store,
            "agent_server": shown_url(settings.agent_server_url),
        },
        is_api_open=is_api_open(settings, settings.bridge_host),
        max_sockets=settings.limit_sockets,
        descriptors=descriptors_needed(settings),
    )


def dev_programs(settings: Settings) -> list[Program]:
    """Return the server and, unless the settings name another bridge or none, the reference bridge.

    Each is given the other's address. Raises: BadSetting.
    """
    # Without a token between the two, the bridge could not tell the server from a user.
    if not settings.service_token and settings.socket_auth == "jwt":
        settings = replace(settings, service_token=token_urlsafe())
    server = server_program(settings)
    if settings.bridge == "none" or _bridge_urls(settings) != _bridge_urls(Settings()):
        return [server]
    bridge = bridge_program(settings)

    def create_server(urls: Sequence[str]) -> Application:
        bridge_url = local(urls[1])
        joined = replace(
            settings,
            elixir_http_url=bridge_url,
            elixir_websocket_url=socket_url(bridge_url),
            elixir_token=settings.elixir_token
            or next(iter(service_tokens(settings.service_token)), ""),
        )
        return server_program(joined).create(urls)

    def create_bridge(urls: Sequence[str]) -> Application:
        joined = replace(settings, agent_server_url=local(urls[0]))
        return bridge_program(joined).create(urls)

    return [
        dataclasses.replace(server, create=create_server),
        dataclasses.replace(bridge, create=create_bridge),
    ]


def check_exposure(settings: Settings, host: str, variable: str) -> None:
    """Refuse to listen beyond this machine without authentication, unless ALLOW_INSECURE=1.

    `variable`: the one that sets `host`. Raises: BadSetting.
    """
    if settings.socket_auth == "none" and settings.allow_insecure != "1" and not _is_local(host):
        raise BadSetting(
            f"{variable} is {host!r}, which other machines can reach, but SOCKET_AUTH=none "
            "verifies nobody's identity: set SOCKET_AUTH=jwt, or ALLOW_INSECURE=1"
        )
    require_service_token(settings)


def is_api_open(settings: Settings, host: str) -> bool:
    """Return whether other machines can use the HTTP API without a token."""
    return not service_tokens(settings.service_token) and not _is_local(host)


def _is_local(host: str) -> bool:
    """Return whether only this machine can connect to an address."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError:
        return True  # nobody can connect; `listen` reports the bad address
    return all(ip_address(str(info[4][0]).partition("%")[0]).is_loopback for info in found)


def _bridge_urls(settings: Settings) -> tuple[str, str]:
    return settings.elixir_http_url, settings.elixir_websocket_url


def run_programs(
    *programs: Program, on_listening: Callable[[Sequence[str]], None] = lambda urls: None
) -> None:
    """Run programs until SIGTERM, SIGINT or SIGHUP drains them; a second SIGINT kills them.

    `on_listening` gets their URLs, such as `http://127.0.0.1:3001`, once all accept connections.
    Raises: CannotListen, StorageUnavailable when one could not start.
    """
    descriptors = raise_descriptor_limit(sum(program.descriptors for program in programs))
    with ExitStack() as stack:
        listeners = [stack.enter_context(listen(p.host, p.port, p.name)) for p in programs]
        urls = [
            _url(program.host, listener.getsockname()[1])
            for program, listener in zip(programs, listeners, strict=True)
        ]
        servers: list[Server] = []

        def on_started() -> None:
            if all(server.started for server in servers):
                for program, url in zip(programs, urls, strict=True):
                    _log_start(program, url)
                _check_descriptors(programs, descriptors)
                on_listening(urls)

        apps = [program.create(urls) for program in programs]
        servers.extend(
            Server(_config(app.asgi), on_started, app.asgi.state.connections) for app in apps
        )
        with asyncio.Runner(loop_factory=servers[0].config.get_loop_factory()) as runner:
            runner.run(_run(apps, servers, listeners))
    for program in programs:
        extra = {"action": f"{program.name}_stopped"}
        logger.info("The %s has stopped", program.name, extra=extra)


def _log_start(program: Program, url: str) -> None:
    extra = {"action": f"{program.name}_started", "url": url, **program.chosen}
    logger.info("The %s listens", program.name, extra=extra)
    if program.is_api_open:
        logger.warning(
            "The HTTP API is open to whoever can reach it: set SERVICE_TOKEN",
            extra={"action": "api_open", "url": url},
        )


def _check_descriptors(programs: Sequence[Program], descriptors: int) -> None:
    """Warn if the system allows fewer open files than there may be sockets."""
    if descriptors < max(program.max_sockets for program in programs):
        logger.warning(
            "The system allows fewer open files than LIMIT_SOCKETS: raise it (ulimit -n, or "
            "LimitNOFILE of systemd)",
            extra={"action": "descriptors_low", "open_files": descriptors},
        )


def _config(app: Litestar) -> uvicorn.Config:
    config = uvicorn_config(
        app, app.state.connections, log_config=None, timeout_graceful_shutdown=STOP_S
    )
    # uvicorn logs a traceback when a lifespan fails: entered by us, it raises.
    config.lifespan = "off"
    return config


async def _run(
    apps: Sequence[Application], servers: Sequence["Server"], listeners: Sequence[socket.socket]
) -> None:
    try:
        async with AsyncExitStack() as stack:
            for app in apps:
                await stack.enter_async_context(app.asgi.lifespan())
            # What exists now lives until the end: a full collection that goes through all of it
            # would stop the process for a tenth of a second.
            gc.collect()
            gc.freeze()
            stopping = asyncio.create_task(_stop_on_signal(apps, servers))
            stack.callback(stopping.cancel)
            pairs = zip(servers, listeners, strict=True)
            await asyncio.gather(*(server.serve([listener]) for server, listener in pairs))
    except ExceptionGroup as group:  # Litestar's, around what ended the lifespan
        error = group.exceptions[0]
        raise error from error.__cause__


async def _stop_on_signal(apps: Sequence[Application], servers: Sequence["Server"]) -> None:
    """Drain the applications on a signal to any server; then stop all servers.

    They are stopped together: while one drains, it can still reach the others.
    """
    loop, signalled = asyncio.get_running_loop(), asyncio.Event()
    for server in servers:
        server.on_signal = lambda: loop.call_soon_threadsafe(signalled.set)
    await signalled.wait()
    drains = [app.drain() for app in apps if app.drain is not None]
    for error in await asyncio.gather(*drains, return_exceptions=True):
        if error is not None:
            extra = {"action": "drain_crashed"}
            logger.error("A program could not be drained", extra=extra, exc_info=error)
    for server in servers:
        server.stop()


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

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()

    async def on_tick(self, counter: int) -> bool:
        # Ten times a second. Without a descriptor, libuv accepts and ends connections unseen.
        if counter % 10 == 0 and not has_descriptor():
            self._connections.refused("descriptors")
        return await super().on_tick(counter)

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


def listen(host: str, port: int, name: str = "server") -> socket.socket:
    """Return a listening socket; port 0 picks a free one. Raises: CannotListen.

    `name`: the program, whose variables NAME_HOST and NAME_PORT set the address.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        # A name such as localhost has two addresses; clients that use only one use the IPv4 one.
        family, _, _, _, address = min(found, key=lambda info: info[0] != socket.AF_INET)
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        reason = str(error.strerror).partition(" (")[0]
        variables = f"{name.upper()}_HOST=… and {name.upper()}_PORT=…"
        raise CannotListen(
            f"cannot listen on {host} port {port}: {reason}. Choose others with {variables}"
        ) from error


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def local(url: str) -> str:
    """Return the URL for use on this machine: 127.0.0.1 and wildcards become localhost."""
    return re.sub(r"//(127\.0\.0\.1|0\.0\.0\.0|\[::\])(?=:|$)", "//localhost", url)


def socket_url(url: str) -> str:
    """Return the URL of the socket of the program at `url`."""
    return url.replace("http", "ws", 1) + "/socket/websocket"
