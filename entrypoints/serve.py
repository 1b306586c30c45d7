"""The server as a process: it listens, serves, and ends in order when it is told to."""

import asyncio
import logging
import signal
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from litestar import Litestar

from domain.errors import Failure
from entrypoints.app import create_app
from entrypoints.phoenix_protocol import uvicorn_config
from entrypoints.settings import Settings

logger = logging.getLogger(__name__)

BACKLOG = 2048


class CannotListen(Failure):
    """The address cannot be listened on; the text says why, and what to do."""


def serve(settings: Settings, on_listening: Callable[[str], None] = lambda url: None) -> None:
    """Run the server until SIGTERM or SIGINT; a second SIGINT kills it.

    `on_listening` gets its address, such as `http://127.0.0.1:3001`, once it answers there.
    Raises: CannotListen, StorageUnavailable when it could not start.
    """
    with listen(settings.server_host, settings.server_port) as listener:
        url = _url(settings.server_host, listener.getsockname()[1])
        app = create_app(settings)
        config = uvicorn_config(app, log_config=None)
        # uvicorn answers a failing lifespan with a traceback in the log: entered by us, it raises.
        config.lifespan = "off"

        def on_started() -> None:
            _log_start(settings, url)
            on_listening(url)

        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            runner.run(_run(app, Server(config, on_started), listener))
    logger.info("The server has stopped", extra={"action": "server_stopped"})


async def _run(app: Litestar, server: "Server", listener: socket.socket) -> None:
    try:
        async with app.lifespan():
            await server.serve([listener])
    except ExceptionGroup as group:  # Litestar's, around what ended the lifespan
        error = group.exceptions[0]
        raise error from error.__cause__


def _log_start(settings: Settings, url: str) -> None:
    adapters = {
        "store": settings.store,
        "assistant": settings.assistant,
        "bridge": settings.bridge,
    }
    logger.info("The server listens", extra={"action": "server_started", "url": url, **adapters})


class Server(uvicorn.Server):
    """uvicorn's, which a signal ends in order and with success."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take no more, close every socket with 1012; a second SIGINT waits for nothing."""
        # uvicorn's own would raise the signal again at the end, and the process would die of it.
        self.should_exit = True
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 picks a free one. Raises: CannotListen."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        # A name such as localhost has two; most clients that know one of them know IPv4's.
        family, _, _, _, address = min(found, key=lambda info: info[0] != socket.AF_INET)
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        reason = str(error.strerror).partition(" (")[0]
        raise CannotListen(
            f"cannot listen on {host} port {port}: {reason}. "
            "Choose others with SERVER_HOST and SERVER_PORT, or --host and --port"
        ) from error


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
