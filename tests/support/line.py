"""A lean V2 socket, of which a test can have a thousand."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Self, cast

import msgspec

_UPGRADE = (
    b"GET /socket/websocket?vsn=2.0.0 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
)
ABNORMAL = 1006

Frame = list[Any]
"""`[join_ref, ref, topic, event, payload]`."""


class NotOpened(Exception):
    """The server has not opened the socket; the text is the beginning of its reply."""


class Line(asyncio.Protocol):
    """A V2 socket that calls `on_frame` with each frame."""

    def __init__(self, on_frame: Callable[[Frame], None]) -> None:
        self._on_frame = on_frame
        self._data = b""
        self._is_open = False
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done once the socket is open."""
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        """Done once it is closed, with the code that the server closed it with."""

    @classmethod
    async def open(cls, port: int, on_frame: Callable[[Frame], None] = lambda frame: None) -> Self:
        """Connect to a port of this machine. Raises: OSError, NotOpened."""
        loop = asyncio.get_running_loop()
        _, line = await loop.create_connection(partial(cls, on_frame), "127.0.0.1", port)
        await line.ready
        return line

    def send(self, frame: Frame) -> None:
        """Send a frame (RFC 6455, 5.2; its masking key is zero); lost once it has ended."""
        text = msgspec.json.encode(frame)
        text = text.ljust(126)  # JSON may end in spaces, and one kind of length is enough
        self.transport.write(b"\x81\xfe" + len(text).to_bytes(2, "big") + bytes(4) + text)

    def hang_up(self) -> None:
        """Abort the connection."""
        self.transport.abort()

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(_UPGRADE)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ready.done():
            self.ready.set_exception(NotOpened(self._data[:100].decode(errors="replace")))
        self._end(ABNORMAL)

    def data_received(self, data: bytes) -> None:
        self._data += data
        if not self._is_open:
            self._upgraded()
        while self._is_open and (frame := self._next()) is not None:
            opcode, payload = frame
            if opcode == 0x88:
                self._end(int.from_bytes(payload[:2], "big"))
                self.transport.abort()
            else:
                self._on_frame(msgspec.json.decode(payload))

    def _upgraded(self) -> None:
        head, end, rest = self._data.partition(b"\r\n\r\n")
        if end and head.startswith(b"HTTP/1.1 101 "):
            self._is_open, self._data = True, rest
            self.ready.set_result(None)

    def _next(self) -> tuple[int, bytes] | None:
        """Return the first byte and the payload of the next frame; None: it is not complete."""
        data = self._data
        if len(data) < 4:
            return None
        start, size = 2, data[1]
        if size == 126:
            start, size = 4, int.from_bytes(data[2:4], "big")
        if size == 127:
            raise AssertionError("a frame of more than 64 KiB")
        if len(data) < start + size:
            return None
        self._data = data[start + size :]
        return data[0], data[start : start + size]

    def _end(self, code: int) -> None:
        self._is_open = False
        if not self.ended.done():
            self.ended.set_result(code)
