"""A process that serves: it listens, answers, and ends in order when it is told to."""

import asyncio
import dataclasses
import gc
import logging
import re
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from secrets import token_urlsafe
from types import FrameType

import uvicorn
from litestar import Litestar
from msgspec.structs import replace

from adapters.phoenix.uvicorn_protocol import uvicorn_config
from domain.errors import Failure
from entrypoints.access.auth import is_open, require_trust
from entrypoints.settings import BadSetting, Settings

logger = logging.getLogger(__name__)

BACKLOG = 2048
STOP_S = 8
"""What has been drained may take so long to end: HTTP requests, and clients that do not read."""


class CannotListen(Failure):
    """The address cannot be listened on; the text says why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """An application, and where it is to listen."""

    name: str
    """`server` or `bridge`: its address comes from the variables NAME_HOST and NAME_PORT."""
    create: Callable[[Sequence[str]], Litestar]
    """Gets the addresses of all programs that are served with it, in their order."""
    host: str
    port: int
    chosen: Mapping[str, str]
    """What its start is logged with: the adapters that it was told to use."""
    is_open: bool
    """Whether others than this machine can use its HTTP API, and need no token."""


def server_program(settings: Settings) -> Program:
    """The AI agent server. Raises: BadSetting."""
    from entrypoints.server.app import create_app

    require_trust(settings, settings.server_host, "SERVER_HOST")
    return Program(
        name="server",
        create=lambda urls: create_app(settings),
        host=settings.server_host,
        port=settings.server_port,
        chosen={
            "store": settings.store,
            "assistant": settings.assistant,
            "bridge": settings.bridge,
        },
        is_open=is_open(settings, settings.server_host),
    )


def bridge_program(settings: Settings) -> Program:
    """The reference bridge. Raises: BadSetting."""
    try:
        from entrypoints.bridge.app import create_bridge
    except ModuleNotFoundError as error:
        if error.name != "entrypoints.bridge":
            raise
        raise BadSetting("the reference bridge is not part of this installation") from None

    require_trust(settings, settings.bridge_host, "BRIDGE_HOST")
    return Program(
        name="bridge",
        create=lambda urls: create_bridge(settings),
        host=settings.bridge_host,
        port=settings.bridge_port,
        chosen={"store": settings.bridge_store, "agent_server": settings.agent_server_url},
        is_open=is_open(settings, settings.bridge_host),
    )


def dev_programs(settings: Settings) -> list[Program]:
    """The server; and the reference bridge, if it is to be the server's: they find each other.

    It is not where the settings name another bridge, or none. Raises: BadSetting.
    """
    server = server_program(settings)
    if settings.bridge == "none" or _bridge_urls(settings) != _bridge_urls(Settings()):
        return [server]
    bridge = bridge_program(settings)
    # Without a token between the two, the bridge could not tell the server from a user.
    own_token = settings.service_token
    if not own_token and settings.socket_auth == "jwt":
        own_token = token_urlsafe()

    def create_server(urls: Sequence[str]) -> Litestar:
        bridge_url = local(urls[1])
        joined = replace(
            settings,
            elixir_http_url=bridge_url,
            elixir_websocket_url=socket_url(bridge_url),
            elixir_token=settings.elixir_token or own_token.partition(",")[0].strip(),
        )
        return server_program(joined).create(urls)

    def create_bridge(urls: Sequence[str]) -> Litestar:
        joined = replace(settings, agent_server_url=local(urls[0]), service_token=own_token)
        return bridge_program(joined).create(urls)

    return [
        dataclasses.replace(server, create=create_server),
        dataclasses.replace(bridge, create=create_bridge),
    ]


def _bridge_urls(settings: Settings) -> tuple[str, str]:
    return settings.elixir_http_url, settings.elixir_websocket_url


def serve(
    *programs: Program, on_listening: Callable[[Sequence[str]], None] = lambda urls: None
) -> None:
    """Run programs until SIGTERM or SIGINT, which drains them first; a second SIGINT kills them.

    `on_listening` gets their addresses, such as `http://127.0.0.1:3001`, once all answer there.
    Raises: CannotListen, StorageUnavailable when one could not start.
    """
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
                on_listening(urls)

        apps = [program.create(urls) for program in programs]
        servers.extend(Server(_config(app), on_started) for app in apps)
        with asyncio.Runner(loop_factory=servers[0].config.get_loop_factory()) as runner:
            runner.run(_run(apps, servers, listeners))
    for program in programs:
        extra = {"action": f"{program.name}_stopped"}
        logger.info("The %s has stopped", program.name, extra=extra)


def _log_start(program: Program, url: str) -> None:
    extra = {"action": f"{program.name}_started", "url": url, **program.chosen}
    logger.info("The %s listens", program.name, extra=extra)
    if program.is_open:
        logger.warning(
            "The HTTP API is open to whoever can reach it: set SERVICE_TOKEN",
            extra={"action": "api_open", "url": url},
        )


def _config(app: Litestar) -> uvicorn.Config:
    config = uvicorn_config(app, log_config=None, timeout_graceful_shutdown=STOP_S)
    # uvicorn answers a failing lifespan with a traceback in the log: entered by us, it raises.
    config.lifespan = "off"
    return config


async def _run(
    apps: Sequence[Litestar], servers: Sequence["Server"], listeners: Sequence[socket.socket]
) -> None:
    try:
        async with AsyncExitStack() as stack:
            for app in apps:
                await stack.enter_async_context(app.lifespan())
            # What there is now stays: a full collection that goes through it all stops everything
            # for a tenth of a second.
            gc.collect()
            gc.freeze()
            stopping = asyncio.create_task(_stop_when_told(apps, servers))
            stack.callback(stopping.cancel)
            pairs = zip(servers, listeners, strict=True)
            await asyncio.gather(*(server.serve([listener]) for server, listener in pairs))
            # uvicorn has put back the handlers that it found; nobody waits for the rest either.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
    except ExceptionGroup as group:  # Litestar's, around what ended the lifespan
        error = group.exceptions[0]
        raise error from error.__cause__


async def _stop_when_told(apps: Sequence[Litestar], servers: Sequence["Server"]) -> None:
    """At a signal to any of them, drain the programs that have something to drain; then stop all.

    They are stopped together: while one drains, the other is still there for it.
    """
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    for server in servers:
        server.on_signal = lambda: loop.call_soon_threadsafe(told.set)
    await told.wait()
    drains = [app.state.drain() for app in apps if "drain" in app.state]
    for error in await asyncio.gather(*drains, return_exceptions=True):
        if error is not None:
            extra = {"action": "drain_crashed"}
            logger.error("A program could not be drained", extra=extra, exc_info=error)
    for server in servers:
        server.stop()


class Server(uvicorn.Server):
    """uvicorn's, whose process a signal ends in order and with success."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started
        self.on_signal: Callable[[], object] = self.stop
        """What a signal does: to stop at once, unless somebody has to do something before."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()

    def stop(self) -> None:
        """Take no more, and close every socket with 1012."""
        self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Have it drained and stopped; a second SIGINT waits for nothing."""
        # uvicorn's own would raise the signal again at the end, and the process would die of it.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        self.on_signal()


def listen(host: str, port: int, name: str = "server") -> socket.socket:
    """A socket that listens there; port 0 picks a free one. Raises: CannotListen.

    `name`: the program's, whose variables set its address.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        # A name such as localhost has two; most clients that know one of them know IPv4's.
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
    """The address as one reaches it on this machine: what listens everywhere is at localhost."""
    return re.sub(r"//(127\.0\.0\.1|0\.0\.0\.0|\[::\])(?=:|$)", "//localhost", url)


def socket_url(url: str) -> str:
    """The socket of the program at an address."""
    return url.replace("http", "ws", 1) + "/socket/websocket"
