"""The handshake of a WebSocket: uvicorn's and Litestar's, after which the socket is our own.

uvicorn's protocol parses the request again, runs the application, and answers with 101 or a
refusal. The endpoint finds it in the ASGI scope, under `HANDSHAKE_EXTENSION`, and has it hand the
connection over. The names that it uses of uvicorn's class are no public API:
tests/unit/phoenix/test_uvicorn_protocol.py lists them, and pyproject.toml pins the versions.
"""

import asyncio
import logging
from typing import Any, cast

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.http11 import Request

from adapters.phoenix.http_protocol import HttpProtocol, error_response
from adapters.phoenix.limits import Connections
from adapters.phoenix.socket_protocol import SocketProtocol, SocketUser

HANDSHAKE_EXTENSION = "phoenix.handshake"
"""The key in `scope["extensions"]` under which an application finds its `HandshakeProtocol`."""

# uvicorn and websockets log the whole URL, with the tokens in its query, at info level, and the
# frames at debug level. A filter drops both at any level: it outlives `dictConfig`.
logger = logging.getLogger(__name__)
logger.addFilter(lambda record: record.levelno >= logging.WARNING)


class HandshakeProtocol(WebSocketsSansIOProtocol):
    """A connection from its request for an upgrade until it is refused, or handed over."""

    ledger: Connections

    def __init__(
        self, config: uvicorn.Config, server_state: ServerState, app_state: dict[str, Any]
    ) -> None:
        super().__init__(config, server_state, app_state)
        self._server = server_state
        self.logger = self.conn.logger = logger
        self.conn.debug = False
        self.ahead = b""
        """What was read behind the request."""
        self._deadline: asyncio.TimerHandle | None = None

    def hand_over(self, user: SocketUser) -> SocketProtocol:
        """Make an accepted connection a socket for this user, and forget it.

        The application may then return, and the socket lives on.
        """
        # uvicorn closes the transport when the application returns.
        transport, self.transport = self.transport, _HandedOver()
        self.connections.discard(self)
        self._end_deadline()
        self.handshake_complete = True  # or uvicorn would answer, if the transport is closing
        socket = SocketProtocol(self.ledger, self._server, transport, user)
        socket.open(is_writable=self.writable.is_set(), ahead=self.ahead)
        return socket

    # Called by the event loop, and with the request by `HttpProtocol`.

    def connection_made(  # type: ignore[override]
        self, transport: asyncio.Transport
    ) -> None:
        super().connection_made(transport)
        # It is counted no more, and nothing else ends it: a refusal that is not read, for one.
        limit_s = self.ledger.limits.head_timeout_s
        self._deadline = self.loop.call_later(limit_s, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_deadline()
        super().connection_lost(exc)

    def _end_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self.handshake_initiated and not self.transport.is_closing():
            # websockets does not take the request, and uvicorn neither answers nor closes.
            self.transport.write(b"".join(self.conn.data_to_send()) or error_response(400))
            self.transport.close()

    # Called by uvicorn.

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.close_sent:
            cast("dict[str, Any]", self.scope["extensions"])[HANDSHAKE_EXTENSION] = self
            # RFC 6455, section 4.1: a client waits for the response before it sends more.
            self.transport.pause_reading()

    async def send(self, message: Any) -> None:
        await super().send(message)
        if self.close_sent:  # refused before the upgrade, for which uvicorn would log an error
            self.handshake_complete = True


class _HandedOver(asyncio.Transport):
    """What a `HandshakeProtocol` has once its transport is a socket's."""

    def is_closing(self) -> bool:
        return True

    def close(self) -> None:
        pass


def uvicorn_config(
    app: Any,
    connections: Connections | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    fd: int | None = None,
    **settings: Any,
) -> uvicorn.Config:
    """Return the uvicorn settings for an application with a Phoenix endpoint.

    `connections`: the limits, and what counts by them; None: the default ones.
    `settings` are passed on to `uvicorn.Config`.
    """
    settings.setdefault("timeout_graceful_shutdown", 30)
    ledger = {"ledger": connections or Connections()}
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        fd=fd,
        loop="uvloop",
        http=type("CountedHttpProtocol", (HttpProtocol,), ledger),
        ws=type("CountedHandshakeProtocol", (HandshakeProtocol,), ledger),
        lifespan="on",
        ws_max_size=ledger["ledger"].limits.max_frame_bytes,
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        proxy_headers=False,  # uvicorn trusts those of any peer on this machine
        access_log=False,
        server_header=False,
        **settings,
    )
