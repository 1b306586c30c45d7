"""The HTTP protocol of a Phoenix server: uvicorn's, with the limits of `ConnectionLimits`.

uvicorn's own bounds neither the head, the trailers, the requests sent ahead, nor the time. The
names that this uses of it are no public API: tests/unit/phoenix/test_uvicorn_protocol.py lists
them, and pyproject.toml pins the version.
"""

import asyncio
from http import HTTPStatus
from typing import Any, Literal, cast

import httptools
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from adapters.phoenix.limits import (
    LINGER_S,
    SLICE,
    Connections,
    FairReader,
    SilenceTimer,
    WriteStallMonitor,
)

_RETRY_AFTER_S = 10
"""The Retry-After of a connection that is one too many."""


class _OverLimit(Exception):
    """The request exceeds a limit, and is answered with the status."""

    def __init__(self, limit: str, status: int) -> None:
        super().__init__()
        self.limit = limit
        self.status = status


class HttpProtocol(HttpToolsProtocol):
    """One connection, from its first byte until it ends or becomes a WebSocket."""

    ledger: Connections

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._limits = self.ledger.limits
        self._over: _OverLimit | None = None
        self._is_counted = False
        self._is_refused = False
        self._is_lingering = False
        self._stage: Literal["head", "body", "done"] = "head"
        """What the client is sending; done: a whole request was received."""
        self._timed_stage: str | None = "head"
        """The stage whose time-out runs."""
        self._head_bytes = 0
        self._header_count = 0
        self._unparsed_bytes = 0
        """Bytes since the parser last reported a head, a piece of a body, or an end."""
        self._body_bytes = 0
        self._monitor: WriteStallMonitor | None = None
        self._ahead = b""
        """What was read behind the request for an upgrade."""

    # Called by the event loop.

    def connection_made(  # type: ignore[override]
        self, transport: asyncio.Transport
    ) -> None:
        super().connection_made(transport)
        # Whatever the system does not take at once is noticed: `pause_writing` is called.
        # (With 0, uvloop's TLS calls it in turns with `resume_writing`, whatever waits.)
        is_encrypted = transport.get_extra_info("sslcontext") is not None
        transport.set_write_buffer_limits(high=1 if is_encrypted else 0)
        self._reader = FairReader(self.ledger, self, transport, self._feed)
        self.flow = FlowControl(cast(asyncio.Transport, self._reader))
        self._deadline = SilenceTimer(self.loop, self._limits.head_timeout_s, self._on_deadline)
        self._address = self.client[0] if self.client else ""
        limit = self.ledger.admit(self._address, _descriptor(transport))
        self._is_counted = limit is None
        if limit is not None:
            self._refuse(limit, 429 if limit == "connections_per_address" else 503)

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()
        if self._is_lingering:
            self.ledger.lingered()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            return
        if len(data) <= SLICE and not self._reader.is_waiting:
            self._feed(data)
        else:
            self._reader.receive(data)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._monitor = WriteStallMonitor(self.loop, self.transport, self.ledger, self)

    def resume_writing(self) -> None:
        self._stop_monitor()
        super().resume_writing()

    def _stop_monitor(self) -> None:
        if self._monitor is not None:
            self._monitor.stop()
            self._monitor = None

    def shed(self) -> None:
        """End the connection at once: of all, it holds the most bytes."""
        self._reader.drop()
        self.transport.abort()
        self.ledger.release(self)

    # Time-outs.

    def _on_deadline(self) -> None:
        if self._is_refused:
            self.transport.abort()
        elif self.flow.read_paused or self._reader.is_waiting:  # the server itself does not read
            self._deadline.start(self._deadline.timeout_s)
        elif self._stage == "head" and not self._unparsed_bytes:
            self.ledger.refused("head_time")
            self.transport.close()
        else:
            self._refuse(f"{self._stage}_time", 408)

    def _time_request(self) -> None:
        if self._timed_stage == self._stage:
            return
        self._timed_stage = self._stage
        if self._stage == "done":
            self._deadline.cancel()
        elif self._stage == "head":
            self._deadline.start(self._limits.head_timeout_s)
        else:
            self._deadline.start(self._limits.body_timeout_s)

    # Reading.

    def _feed(self, data: bytes) -> None:
        if self._is_refused:
            return
        self._unparsed_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            # RFC 9110, section 7.8: an upgrade to anything else is ignored.
            if self._should_upgrade():
                self._ahead = data[upgrade.args[0] :] + self._reader.take()
                self.handle_websocket_upgrade()
                return
        except httptools.HttpParserError:
            over = self._over or _OverLimit("malformed", 400)
            self._refuse(over.limit, over.status)
            return
        if self._unparsed_bytes > self._limits.max_head_bytes + SLICE:
            self._refuse("head", 431)
        else:
            self._time_request()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over; from here on `HandshakeProtocol` has it."""
        if self._is_answering() or self.flow.write_paused:
            self._refuse("pipeline", 400)
            return
        self._leave()
        super().handle_websocket_upgrade()
        self.parser = None  # type: ignore[assignment]  # it refers to this, as in `connection_lost`
        handshake = cast(Any, self.transport).get_protocol()
        handshake.ahead, self._ahead = self._ahead, b""

    # Called by the parser. What is raised here comes out of `feed_data` as an HttpParserError.

    def on_message_begin(self) -> None:
        self._unset_keepalive_if_required()
        if self._stage == "done":
            self._timed_stage = None
        self._stage = "head"
        self._head_bytes = self._header_count = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count_head(len(url), 414)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_count += 1
        if self._header_count > self._limits.max_headers:
            raise self._exceeds("head", 431)
        self._count_head(len(name) + len(value) + 4, 431)
        if self._stage == "head":  # trailers are counted, and ignored (RFC 9110, section 6.5.1)
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._unparsed_bytes = self._head_bytes = self._header_count = 0
        self._stage = "body"
        if len(self.pipeline) >= self._limits.max_pipelined:
            raise self._exceeds("pipeline", 400)
        super().on_headers_complete()

    def on_chunk_header(self) -> None:
        """Called after the size of each chunk, and whatever a client wrote behind it."""
        self._unparsed_bytes = 0

    def on_body(self, body: bytes) -> None:
        self._unparsed_bytes = 0
        if not self.cycle.response_complete:
            self._body_bytes += len(body)
            self.ledger.hold(self, len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unparsed_bytes = 0
        self._stage = "done"
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self.ledger.hold(self, -self._body_bytes)
        self._body_bytes = 0
        super().on_response_complete()

    def _count_head(self, size: int, status: int) -> None:
        self._head_bytes += size
        if self._head_bytes > self._limits.max_head_bytes:
            raise self._exceeds("head", status)

    def _exceeds(self, limit: str, status: int) -> _OverLimit:
        self._over = _OverLimit(limit, status)
        return self._over

    # Ends.

    def _refuse(self, limit: str, status: int) -> None:
        """Answer with an error if that is possible, and read no more."""
        self.ledger.refused(limit)
        self._is_refused = True
        self._reader.drop()
        self._unset_keepalive_if_required()
        can_answer = not self.pipeline and (self._stage == "body" or not self._is_answering())
        if self._is_answering():
            can_answer = can_answer and not self.cycle.response_started
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.pipeline.clear()
        if not can_answer or not self._may_linger():
            self.transport.abort()
            return
        self.transport.write(error_response(status))
        # Closed with unread input, the connection would be reset, and the response lost.
        self.transport.write_eof()
        self._deadline.start(LINGER_S)

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _may_linger(self) -> bool:
        self._is_lingering = self.ledger.may_linger()
        return self._is_lingering

    def _leave(self) -> None:
        """Subtract everything that was counted for this connection, and end its parts."""
        self._deadline.end()
        self._reader.end()
        self._stop_monitor()
        self._body_bytes = 0
        self.ledger.release(self)
        if self._is_counted:
            self._is_counted = False
            self.ledger.leave(self._address)


def _descriptor(transport: asyncio.Transport) -> int:
    opened = transport.get_extra_info("socket")
    return -1 if opened is None else int(opened.fileno())


def error_response(status: int) -> bytes:
    """Return a whole response, after which the connection is closed."""
    phrase = HTTPStatus(status).phrase
    retry = f"retry-after: {_RETRY_AFTER_S}\r\n" if status in (429, 503) else ""
    return (
        f"HTTP/1.1 {status} {phrase}\r\n{retry}content-type: text/plain; charset=utf-8\r\n"
        f"content-length: {len(phrase)}\r\nconnection: close\r\n\r\n{phrase}"
    ).encode()
