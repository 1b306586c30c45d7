"""An open WebSocket on its transport: it reads, answers, counts and closes, for one user.

uvicorn has accepted the connection, and the handshake is done (`uvicorn_protocol`). An idle socket
has no task, no timer and no buffer: the event loop has one buffer for what it reads, and each
server one timer for all that are silent.
"""

import asyncio
from abc import abstractmethod
from collections.abc import Coroutine, Sequence
from typing import Any, Protocol

from uvicorn.server import ServerState

from adapters.phoenix.limits import (
    LINGER_S,
    SMALL_READ,
    Connections,
    FairReader,
    FrameBudget,
    WriteStallMonitor,
)
from adapters.phoenix.websocket import (
    CLOSE,
    NO_STATUS,
    POLICY_VIOLATION,
    PONG,
    PROTOCOL_ERROR,
    SERVICE_RESTART,
    TRY_AGAIN_LATER,
    Close,
    FrameReader,
    Ping,
    close_frame,
    control_frame,
)


class SocketUser(Protocol):
    """What reads and writes the messages of a socket."""

    __slots__ = ()

    @abstractmethod
    def receive(self, message: str | bytes) -> None:
        """Process a text (str) or binary message."""

    @abstractmethod
    def write(self) -> None:
        """Write what waits: the client has read everything before it."""

    @abstractmethod
    def drop_slow_consumer(self) -> None:
        """Drop what waits: the client does not read, and is about to be disconnected."""

    @abstractmethod
    def ended(self, code: int) -> None:
        """Receive nothing more; called once. `code`: the close code that was sent or received."""


class SocketProtocol(asyncio.Protocol):
    """One open WebSocket (RFC 6455)."""

    __slots__ = (
        *("_budget", "_closing", "_frames", "_held_bytes", "_late_pong", "_ledger", "_monitor"),
        *("_reader", "_server", "_transport", "_user", "due", "heard", "is_writable"),
    )

    def __init__(
        self,
        ledger: Connections,
        server: ServerState,
        transport: asyncio.Transport,
        user: SocketUser,
    ) -> None:
        self._ledger = ledger
        self._server = server
        self._transport = transport
        self._user: SocketUser | None = user
        self._frames = FrameReader(ledger.limits.max_frame_bytes)
        self._budget = FrameBudget(ledger.limits, asyncio.get_running_loop())
        self.heard = self.due = 0
        self._reader: FairReader | None = None
        self._monitor: WriteStallMonitor | None = None
        self._held_bytes = 0
        self._late_pong: bytes | None = None
        self._closing: asyncio.TimerHandle | None = None
        """The timer of its abort, once nothing more is sent but what was written."""
        self.is_writable = True
        """False while something waits because the client does not read."""

    def open(self, *, is_writable: bool, ahead: bytes) -> None:
        """Take the transport over. `ahead`: what was read behind the request."""
        self._server.connections.add(self)  # type: ignore[arg-type]
        self._ledger.silence.add(self)
        self._transport.set_protocol(self)
        if not is_writable:
            self.pause_writing()
        if ahead:
            self._fair_reader().receive(ahead)
        else:
            self._transport.resume_reading()

    # For the user.

    @property
    def closing(self) -> bool:
        """True once nothing more can be sent."""
        return self._closing is not None or self._transport.is_closing()

    @property
    def unsent_bytes(self) -> int:
        """The bytes that were written, and that the system has not accepted."""
        return self._transport.get_write_buffer_size()

    def send_frames(self, frames: Sequence[bytes]) -> None:
        """Write frames in one call, even to a peer that does not read; a no-op if closing."""
        if not self.closing:
            self._transport.write(b"".join(frames))

    def close(self, code: int) -> None:
        """Send a close frame, and abort if the peer does not answer it in `close_timeout_s`."""
        if not self.closing:
            self._begin_close(code, close_frame(code))

    def shed(self) -> None:
        """Disconnect a client that does not read, or does not end its frames."""
        if self._user is not None and self._closing is None:
            self._user.drop_slow_consumer()
        if self._reader is not None:
            self._reader.drop()
        if self.closing:
            self._transport.abort()
            self._ledger.release(self)
            return
        self.close(TRY_AGAIN_LATER)
        # What it has not read is kept, and counted, for a moment only.
        self._abort_in(min(LINGER_S, self._ledger.limits.close_timeout_s))

    def pause_reading(self) -> None:
        """Receive no more until `resume_reading`."""
        self._fair_reader().pause_reading()

    def resume_reading(self) -> None:
        """Receive what waits, then read on."""
        if self._reader is not None and self._reader.is_paused:
            self._reader.resume_reading()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run what takes time; the server waits for it when it stops."""
        task = asyncio.get_running_loop().create_task(work)
        self._server.tasks.add(task)
        task.add_done_callback(self._server.tasks.discard)

    # Ends.

    def on_silence(self) -> bool:
        """Close, unless it is the server itself that does not read; called by `SilenceWheel`."""
        if self._reader is not None and (self._reader.is_paused or self._reader.is_waiting):
            return True
        if self.closing:
            self._transport.abort()  # the peer has closed, and does not read the rest
        else:
            # As Bandit does; after 1000 phoenix.js would not reconnect.
            self.close(PROTOCOL_ERROR)
        return False

    def shutdown(self) -> None:
        """Close with 1012, after which phoenix.js reconnects; called by uvicorn when it stops."""
        self.close(SERVICE_RESTART)

    def _begin_close(self, code: int, last: bytes) -> None:
        """Write a last frame, and read on until the peer closes, or time is up.

        A transport that is closed with unread input resets the connection, and loses the frame.
        """
        self._transport.write(last)
        self._abort_in(self._ledger.limits.close_timeout_s)
        self._end(code)
        if self._reader is not None:
            self._reader.resume_reading()

    def _end(self, code: int) -> None:
        """Tell the user, once, that the socket has ended."""
        user, self._user = self._user, None
        if user is not None:
            self._ledger.silence.remove(self)
            user.ended(code)

    def _abort_in(self, seconds: float) -> None:
        # `close` of the transport waits until the peer has read what is queued; this does not.
        if self._closing is not None:
            self._closing.cancel()
        self._closing = asyncio.get_running_loop().call_later(seconds, self._transport.abort)

    def _fail(self, code: int) -> None:
        """Fail the connection (section 7.1.7), and parse nothing more of it."""
        self._frames.has_ended = True
        if self._reader is not None:
            self._reader.drop()
        if self.closing:
            self._transport.abort()
            return
        self._begin_close(code, close_frame(code))
        if self._transport.can_write_eof():
            self._transport.write_eof()

    # Called by the event loop.

    def connection_lost(self, exc: Exception | None) -> None:
        if self._closing is not None:
            self._closing.cancel()
        self._stop_monitor()
        if self._reader is not None:
            self._reader.end()
        self._ledger.release(self)
        self._server.connections.discard(self)
        self._end(NO_STATUS)

    def eof_received(self) -> None:
        """Let the transport close itself."""

    def pause_writing(self) -> None:
        self.is_writable = False
        loop = asyncio.get_running_loop()
        self._monitor = WriteStallMonitor(loop, self._transport, self._ledger, self)

    def resume_writing(self) -> None:
        self._stop_monitor()
        self.is_writable = True
        pong, self._late_pong = self._late_pong, None
        if pong is not None:
            self.send_frames([pong])
        if self._user is not None:
            self._user.write()

    def _stop_monitor(self) -> None:
        if self._monitor is not None:
            self._monitor.stop()
            self._monitor = None

    def data_received(self, data: bytes) -> None:
        self.heard = self._ledger.silence.now
        if self._frames.has_ended:
            return
        if len(data) <= SMALL_READ and not (self._reader is not None and self._reader.is_waiting):
            self._feed(data)
        else:
            self._fair_reader().receive(data)

    def _fair_reader(self) -> FairReader:
        if self._reader is None:
            self._reader = FairReader(self._ledger, self, self._transport, self._feed)
        return self._reader

    # What was received.

    def _feed(self, data: bytes) -> None:
        frames = self._frames
        ping: Ping | None = None
        for received in frames.feed(data):
            if isinstance(received, Ping):
                ping = received  # only the newest of several is answered (section 5.5.3)
                continue
            if ping is not None:
                self._answer_ping(ping)
                ping = None
            if isinstance(received, str) or isinstance(received, bytes):
                if self._user is not None:
                    self._user.receive(received)
            elif isinstance(received, Close):
                self._answer_close(received)
            else:
                self._fail(received.code)
        if ping is not None:
            self._answer_ping(ping)
        unfinished = frames.unfinished_bytes
        if unfinished != self._held_bytes:
            self._ledger.hold(self, unfinished - self._held_bytes)
            self._held_bytes = unfinished
        if not self._budget.spend(frames.cost):
            self._end_flood()

    def _answer_ping(self, ping: Ping) -> None:
        pong = control_frame(PONG, ping.payload)
        if self.is_writable:
            self.send_frames([pong])
        else:
            self._late_pong = pong

    def _answer_close(self, close: Close) -> None:
        """Answer, or take the answer: both sides have closed (section 5.5.1)."""
        if not self.closing:
            self._begin_close(close.code, control_frame(CLOSE, close.payload))
        self._transport.close()

    def _end_flood(self) -> None:
        if self._frames.has_ended:
            return
        self._ledger.refused("frames")
        self._fail(POLICY_VIOLATION)
