"""The WebSocket server under a Phoenix endpoint: uvicorn's, with deadlines that hold.

What uvicorn lacks: an idle time-out by received bytes, a close that needs no reading peer, and a
way to write several frames in one go. The endpoint finds it in the ASGI scope, see `WIRE`.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Any, cast

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request
from websockets.protocol import State

WIRE = "phoenix.wire"
"""The key in `scope["extensions"]` under which an application finds its `SocketProtocol`."""

_READ_AHEAD = 16  # messages; uvicorn stops and restarts reading the transport for every single one

# At info level uvicorn and websockets log the whole URL, with the tokens in its query, and at debug
# level the frames. Neither leaves here, whatever the log's level: a filter outlives `dictConfig`.
logger = logging.getLogger(__name__)
logger.addFilter(lambda record: record.levelno >= logging.WARNING)


class SocketProtocol(WebSocketsSansIOProtocol):
    """One WebSocket connection. Close codes: RFC 6455, section 7.4.1."""

    idle_timeout_s = 60.0
    close_timeout_s = 5.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.logger = self.conn.logger = logger
        self.conn.debug = False
        self.on_writable: Callable[[], None] | None = None
        """Called once, when `writable` is set again."""
        self.take: Callable[[str], bool] | None = None
        """Is offered each text message as it comes; False leaves it to `receive`."""
        self._received_at = self.loop.time()
        self._idle_timer = self.loop.call_later(self.idle_timeout_s, self._check_idle)

    # What the endpoint uses.

    @property
    def closing(self) -> bool:
        """Whether nothing can be sent any more."""
        return self.close_sent or self.disconnected or self.transport.is_closing()

    def send_texts(self, texts: Iterable[str]) -> None:
        """Write text frames at once, whether the peer reads or not; lost once it is closing."""
        if self.closing:
            return
        self.transport.write(b"".join(map(_text_frame, texts)))

    def hang_up(self, code: int) -> None:
        """Send a close frame, and abort if the peer does not answer it within the time limit."""
        if self.closing or self.conn.state is not State.OPEN:
            return
        self.conn.send_close(code)
        self._closing_with(code)

    # Deadlines.

    def _check_idle(self) -> None:
        idle_s = self.loop.time() - self._received_at
        if idle_s < self.idle_timeout_s:
            wait_s = self.idle_timeout_s - idle_s
            self._idle_timer = self.loop.call_later(wait_s, self._check_idle)
        elif self.closing:
            self.transport.abort()  # closed long ago, and the peer takes not even what is left
        elif self.read_paused:  # it is we who do not listen
            self._idle_timer = self.loop.call_later(self.idle_timeout_s, self._check_idle)
        else:
            self.hang_up(1002)  # as Bandit does; 1000 would keep phoenix.js from coming back

    def _closing_with(self, code: int) -> None:
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.frames = []
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        # uvicorn would `close` here, which waits for the peer to read what is queued.
        self.close_timer = self.loop.call_later(self.close_timeout_s, self.transport.abort)

    # What uvicorn and the event loop call.

    def connection_lost(self, exc: Exception | None) -> None:
        self._idle_timer.cancel()
        self.on_writable = None
        super().connection_lost(exc)

    def resume_writing(self) -> None:
        super().resume_writing()
        callback, self.on_writable = self.on_writable, None
        if callback is not None:
            callback()

    def data_received(self, data: bytes) -> None:
        self._received_at = self.loop.time()
        super().data_received(data)

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.close_sent:
            cast("dict[str, Any]", self.scope["extensions"])[WIRE] = self

    def handle_parser_exception(self) -> None:
        """The peer broke the protocol: tell it, and read on (to nowhere) until it has heard.

        A transport closed over unread input resets the connection, and the close frame is lost.
        """
        if self.close_sent or self.conn.close_sent is None:
            return
        self._closing_with(self.conn.close_sent.code)
        if self.transport.can_write_eof():
            self.transport.write_eof()

    def send_receive_event_to_app(self) -> None:
        data = self.frames[0] if len(self.frames) == 1 else b"".join(self.frames)
        self.frames = []
        if self.close_sent:
            return
        if self.curr_msg_data_type == "bytes":
            self.queue.put_nowait({"type": "websocket.receive", "bytes": data})
        else:
            try:
                text = data.decode()
            except UnicodeDecodeError:
                self.conn.fail(1007)
                self.handle_parser_exception()
                return
            if self.take is not None and self.queue.empty() and self.take(text):
                return
            self.queue.put_nowait({"type": "websocket.receive", "text": text})
        if not self.read_paused and self.queue.qsize() >= _READ_AHEAD:
            self.read_paused = True
            self.transport.pause_reading()

    def shutdown(self) -> None:
        """The server stops. An open socket hears 1012, after which phoenix.js comes back."""
        if self.handshake_complete:
            self.hang_up(1012)
        else:
            super().shutdown()


def _text_frame(text: str) -> bytes:
    """A message as one frame, unmasked (RFC 6455, 5.2); the library takes five times as long."""
    payload = text.encode()
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


def uvicorn_config(
    app: Any,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    fd: int | None = None,
    max_frame_bytes: int = 65_536,
    idle_timeout_s: float = 60.0,
    close_timeout_s: float = 5.0,
    **settings: Any,
) -> uvicorn.Config:
    """The one set of settings under which an application with a Phoenix endpoint is served.

    `settings` go to `uvicorn.Config` as they are.
    """
    settings.setdefault("timeout_graceful_shutdown", 30)
    limits = {"idle_timeout_s": idle_timeout_s, "close_timeout_s": close_timeout_s}
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        fd=fd,
        loop="uvloop",
        http="httptools",
        ws=type("LimitedSocketProtocol", (SocketProtocol,), limits),
        lifespan="on",
        ws_max_size=max_frame_bytes,
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        proxy_headers=False,  # uvicorn's would believe whoever comes from this machine
        access_log=False,
        server_header=False,
        **settings,
    )
