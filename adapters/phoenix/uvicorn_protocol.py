"""The WebSocket protocol under a Phoenix endpoint: uvicorn's, with time-outs and batched writes.

uvicorn lacks an idle time-out on received bytes, a close that does not depend on a reading peer,
and a write of several frames at once. The endpoint finds the protocol in the ASGI scope, under
`PROTOCOL_EXTENSION`. The names that it uses of uvicorn's class are no public API:
tests/unit/phoenix/test_uvicorn_protocol.py lists them, and pyproject.toml pins the versions.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Any, cast

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request
from websockets.protocol import State

PROTOCOL_EXTENSION = "phoenix.protocol"
"""The key in `scope["extensions"]` under which an application finds its `SocketProtocol`."""

_READ_AHEAD = 16  # messages; uvicorn pauses and resumes the transport for each single one

# uvicorn and websockets log the whole URL, with the tokens in its query, at info level, and the
# frames at debug level. A filter drops both at any level: it outlives `dictConfig`.
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
        self.on_text: Callable[[str], bool] | None = None
        """Called with each text message as it arrives; False leaves the message to `receive`."""
        self._received_at = self.loop.time()
        self._idle_timer = self.loop.call_later(self.idle_timeout_s, self._check_idle)

    # For the endpoint.

    @property
    def closing(self) -> bool:
        """True once nothing more can be sent."""
        return self.close_sent or self.transport.is_closing()

    def send_texts(self, texts: Iterable[str]) -> None:
        """Write text frames in one call, even to a peer that does not read; a no-op if closing."""
        if self.closing:
            return
        self.transport.write(b"".join(map(_text_frame, texts)))

    def close(self, code: int) -> None:
        """Send a close frame, and abort if the peer does not answer it in `close_timeout_s`."""
        if self.closing or self.conn.state is not State.OPEN:
            return
        self.conn.send_close(code)
        self._start_closing(code)

    # Time-outs.

    def _check_idle(self) -> None:
        idle_s = self.loop.time() - self._received_at
        if idle_s < self.idle_timeout_s:
            wait_s = self.idle_timeout_s - idle_s
            self._idle_timer = self.loop.call_later(wait_s, self._check_idle)
        elif self.closing:
            self.transport.abort()  # closed, and the peer does not read the rest
        elif self.read_paused:  # the server itself does not read
            self._idle_timer = self.loop.call_later(self.idle_timeout_s, self._check_idle)
        else:
            self.close(1002)  # as Bandit does; after 1000 phoenix.js would not reconnect

    def _start_closing(self, code: int) -> None:
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.frames = []
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        # uvicorn calls `transport.close`, which waits until the peer has read what is queued.
        self.close_timer = self.loop.call_later(self.close_timeout_s, self.transport.abort)

    # Called by uvicorn and by the event loop.

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
            cast("dict[str, Any]", self.scope["extensions"])[PROTOCOL_EXTENSION] = self

    def handle_parser_exception(self) -> None:
        """Send the close frame for a protocol error, and go on reading until the peer closes.

        Closing a transport with unread input resets the connection, and loses the close frame.
        """
        if self.close_sent or self.conn.close_sent is None:
            return
        self._start_closing(self.conn.close_sent.code)
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
            if self.on_text is not None and self.queue.empty() and self.on_text(text):
                return
            self.queue.put_nowait({"type": "websocket.receive", "text": text})
        if not self.read_paused and self.queue.qsize() >= _READ_AHEAD:
            self.read_paused = True
            self.transport.pause_reading()

    def shutdown(self) -> None:
        """Close an open socket with 1012, after which phoenix.js reconnects; the server stops."""
        if self.handshake_complete:
            self.close(1012)
        else:
            super().shutdown()


def _text_frame(text: str) -> bytes:
    """Return a message as one unmasked frame (RFC 6455, section 5.2).

    `websockets.frames.Frame.serialize` takes 1.6 µs more for each frame (1.9 instead of 0.3 for
    400 characters), and a turn has at least four.
    """
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
    """Return the uvicorn settings for an application with a Phoenix endpoint.

    `settings` are passed on to `uvicorn.Config`.
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
        proxy_headers=False,  # uvicorn trusts those of any peer on this machine
        access_log=False,
        server_header=False,
        **settings,
    )
