"""The WebSocket protocol under a Phoenix endpoint: uvicorn's, with limits and batched writes.

uvicorn lacks a budget of frames, an idle time-out on received bytes, a bound on what a client does
not read, a close that does not depend on a reading peer, and a write of several frames at once. The
endpoint finds the protocol in the ASGI scope, under `PROTOCOL_EXTENSION`. The names that it uses of
uvicorn's class are no public API: tests/unit/phoenix/test_uvicorn_protocol.py lists them, and
pyproject.toml pins the versions.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, cast

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State

from adapters.phoenix.http_protocol import HttpProtocol
from adapters.phoenix.limits import (
    CREDIT_BITS,
    LINGER_S,
    SMALL_READ,
    Connections,
    FairReader,
    FrameBudget,
    SilenceTimer,
    WriteStallMonitor,
)

PROTOCOL_EXTENSION = "phoenix.protocol"
"""The key in `scope["extensions"]` under which an application finds its `SocketProtocol`."""

# Close codes (RFC 6455, section 7.4.1, and its IANA registry).
PROTOCOL_ERROR = 1002
INVALID_DATA = 1007
POLICY_VIOLATION = 1008
MESSAGE_TOO_BIG = 1009
INTERNAL_ERROR = 1011
SERVICE_RESTART = 1012
TRY_AGAIN_LATER = 1013

_READ_AHEAD = 16  # messages; uvicorn pauses and resumes the transport for each single one

# uvicorn and websockets log the whole URL, with the tokens in its query, at info level, and the
# frames at debug level. A filter drops both at any level: it outlives `dictConfig`.
logger = logging.getLogger(__name__)
logger.addFilter(lambda record: record.levelno >= logging.WARNING)


class SocketProtocol(WebSocketsSansIOProtocol):
    """One WebSocket connection. Close codes: RFC 6455, section 7.4.1."""

    ledger: Connections

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.logger = self.conn.logger = logger
        self.conn.debug = False
        self.on_writable: Callable[[], None] | None = None
        """Called once, when `writable` is set again."""
        self.on_text: Callable[[str], bool] | None = None
        """Called with each text message as it arrives; False leaves the message to `receive`."""
        self.on_slow: Callable[[], None] | None = None
        """Called before the client is disconnected because it does not read."""
        limits = self._limits = self.ledger.limits
        self._budget = FrameBudget(limits, self.loop)
        self._idle = SilenceTimer(self.loop, limits.idle_timeout_s, self._on_idle)
        self._monitor: WriteStallMonitor | None = None
        self._unfinished_bytes = 0
        self._late_pong: bytes | None = None

    # For the endpoint.

    @property
    def closing(self) -> bool:
        """True once nothing more can be sent."""
        return self.close_sent or self.transport.is_closing()

    @property
    def unsent_bytes(self) -> int:
        """The bytes that were written, and that the system has not accepted."""
        return self.transport.get_write_buffer_size()

    def send_frames(self, frames: Sequence[bytes]) -> None:
        """Write frames in one call, even to a peer that does not read; a no-op if closing."""
        if not self.closing:
            self.transport.write(b"".join(frames))

    def close(self, code: int) -> None:
        """Send a close frame, and abort if the peer does not answer it in `close_timeout_s`."""
        if self.closing or self.conn.state is not State.OPEN:
            return
        self.conn.send_close(code)
        self._start_closing(code)

    def shed(self) -> None:
        """Disconnect a client that does not read, or does not end its frames."""
        on_slow, self.on_slow = self.on_slow, None
        if on_slow is not None:
            on_slow()
        self._reader.drop()
        if self.closing or self.conn.state is not State.OPEN:
            self.transport.abort()
            self.ledger.release(self)
            return
        self.close(TRY_AGAIN_LATER)
        # What it has not read is kept, and counted, for a moment only.
        self._abort_in(min(LINGER_S, self._limits.close_timeout_s))

    # Time-outs.

    def _on_idle(self) -> None:
        if self.closing or self.conn.state is not State.OPEN:
            self.transport.abort()  # closed, and the peer does not read the rest
        elif self.read_paused or self._reader.is_waiting:  # the server itself does not read
            self._idle.start(self._idle.timeout_s)
        else:
            self.close(PROTOCOL_ERROR)  # as Bandit does; after 1000 phoenix.js would not reconnect

    def _start_closing(self, code: int) -> None:
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.frames = []
        if self.read_paused:
            self.read_paused = False
            self._reader.resume_reading()
        # uvicorn calls `transport.close`, which waits until the peer has read what is queued.
        self._abort_in(self._limits.close_timeout_s)

    def _abort_in(self, seconds: float) -> None:
        if self.close_timer is not None:
            self.close_timer.cancel()
        self.close_timer = self.loop.call_later(seconds, self.transport.abort)

    # Called by uvicorn and by the event loop.

    def connection_made(  # type: ignore[override]
        self, transport: asyncio.Transport
    ) -> None:
        super().connection_made(transport)
        self._reader = FairReader(self.ledger, self, transport, self._feed)

    def connection_lost(self, exc: Exception | None) -> None:
        self._idle.end()
        self._stop_monitor()
        self._reader.end()
        self.ledger.release(self)
        self.on_writable = None
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._monitor = WriteStallMonitor(self.loop, self.transport, self.ledger, self)

    def resume_writing(self) -> None:
        self._stop_monitor()
        super().resume_writing()
        pong, self._late_pong = self._late_pong, None
        if pong is not None:
            self.send_frames([pong])
        callback, self.on_writable = self.on_writable, None
        if callback is not None:
            callback()

    def _stop_monitor(self) -> None:
        if self._monitor is not None:
            self._monitor.stop()
            self._monitor = None

    def data_received(self, data: bytes) -> None:
        self._idle.touched_at = self.loop.time()
        if len(data) <= SMALL_READ and not self._reader.is_waiting:
            self._feed(data)
        else:
            self._reader.receive(data)

    def _feed(self, data: bytes) -> None:
        self.conn.receive_data(data)
        if self.conn.parser_exc is not None:
            self.handle_parser_exception()
            return
        events = self.conn.events_received()
        if events:
            if self._unfinished_bytes:
                self.ledger.hold(self, -self._unfinished_bytes)
                self._unfinished_bytes = 0
            self._handle(events)
        elif not self.close_sent:  # a part of a frame
            self._unfinished_bytes += len(data)
            self.ledger.hold(self, len(data))

    def _handle(self, events: Sequence[Any]) -> None:
        credits, is_pinged = len(events), False
        for event in events:
            if not isinstance(event, Frame):
                self.handle_connect(event)
                continue
            credits += len(event.data) >> CREDIT_BITS
            opcode = event.opcode
            if opcode is Opcode.TEXT:
                self.handle_text(event)
            elif opcode is Opcode.CONT:
                self.handle_cont(event)
            elif opcode is Opcode.BINARY:
                self.handle_bytes(event)
            elif opcode is Opcode.PING:
                is_pinged = True
            elif opcode is Opcode.CLOSE:
                self.handle_close(event)
        if is_pinged:
            self._answer_ping()
        if not self._budget.spend(credits):
            self._end_flood()

    def _answer_ping(self) -> None:
        """Send one pong, to the newest ping (RFC 6455, section 5.5.3)."""
        pongs = self.conn.data_to_send()
        if not pongs or self.closing:
            return
        if self.writable.is_set():
            self.transport.write(pongs[-1])
        else:
            self._late_pong = pongs[-1]

    def _end_flood(self) -> None:
        if self.conn.eof_sent:
            return
        self.ledger.refused("frames")
        self.conn.fail(POLICY_VIOLATION)  # which also parses no more
        self._reader.drop()
        if self.close_sent:
            self.transport.abort()
        else:
            self.handle_parser_exception()

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
                self.conn.fail(INVALID_DATA)
                self.handle_parser_exception()
                return
            if self.on_text is not None and self.queue.empty() and self.on_text(text):
                return
            self.queue.put_nowait({"type": "websocket.receive", "text": text})
        if not self.read_paused and self.queue.qsize() >= _READ_AHEAD:
            self.read_paused = True
            self._reader.pause_reading()

    async def send(self, message: Any) -> None:
        await super().send(message)
        if self.close_sent:  # refused before the upgrade, for which uvicorn would log an error
            self.handshake_complete = True

    async def receive(self) -> Any:
        message = await self.queue.get()
        if self.read_paused and self.queue.empty():
            self.read_paused = False
            self._reader.resume_reading()
        return message

    def shutdown(self) -> None:
        """Close an open socket with 1012, after which phoenix.js reconnects; the server stops."""
        if self.handshake_complete:
            self.close(SERVICE_RESTART)
        else:
            super().shutdown()


def text_frame(text: str) -> bytes:
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
        ws=type("CountedSocketProtocol", (SocketProtocol,), ledger),
        lifespan="on",
        ws_max_size=ledger["ledger"].limits.max_frame_bytes,
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        proxy_headers=False,  # uvicorn trusts those of any peer on this machine
        access_log=False,
        server_header=False,
        **settings,
    )
