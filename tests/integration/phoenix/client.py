"""Two test clients: one for V2 frames, and one for raw bytes over TCP, valid or not."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets import ConnectionClosed
from websockets.asyncio.client import ClientConnection, connect

HEARTBEAT: list[Any] = [None, "hb", "phoenix", "heartbeat", {}]
ALIVE = [None, "hb", "phoenix", "phx_reply", {"status": "ok", "response": {}}]


class Client:
    """A V2 client that sends and receives single frames."""

    def __init__(self, websocket: ClientConnection) -> None:
        self.websocket = websocket

    async def send(self, *frame: Any) -> None:
        """Send `join_ref, ref, topic, event, payload`."""
        await self.websocket.send(json.dumps(frame))

    async def send_binary(
        self, join_ref: str, ref: str, topic: str, event: str, data: bytes
    ) -> None:
        """Send a binary push."""
        fields = [field.encode() for field in (join_ref, ref, topic, event)]
        header = bytes([0, *map(len, fields)])
        await self.websocket.send(b"".join([header, *fields, data]))

    async def receive(self) -> Any:
        """Return the next frame, as a list."""
        return json.loads(await self.websocket.recv())

    async def call(self, *frame: Any) -> Any:
        """Send a frame, and return the next one received."""
        await self.send(*frame)
        return await self.receive()

    async def join(self, topic: str, join_ref: str = "1") -> Any:
        """Join, and return the response."""
        reply = await self.call(join_ref, join_ref, topic, "phx_join", {})
        assert reply[3:] == ["phx_reply", {"status": "ok", "response": reply[4]["response"]}]
        return reply[4]["response"]

    async def is_alive(self) -> bool:
        """Return True if the next frame is the answer to a heartbeat."""
        return bool(await self.call(*HEARTBEAT) == ALIVE)

    async def close_code(self) -> int:
        """Read until the server closes; return its close code, 1006 without one."""
        try:
            while True:
                await self.websocket.recv()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006


@asynccontextmanager
async def opened(
    address: str, mount: str = "/socket", query: str = "vsn=2.0.0", **options: Any
) -> AsyncIterator[Client]:
    """Open a client's socket. Raises: InvalidStatus if it is refused."""
    url = f"ws://{address}{mount}/websocket?{query}"
    async with connect(
        url, compression=None, ping_interval=None, proxy=None, **options
    ) as websocket:
        yield Client(websocket)


class RawClient:
    """A TCP connection that reads and writes only on request."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._loop = asyncio.get_running_loop()

    async def write(self, data: bytes) -> None:
        """Send bytes."""
        await self._loop.sock_sendall(self._socket, data)

    async def read(self) -> bytes:
        """Return the bytes received; empty at the end."""
        return await self._loop.sock_recv(self._socket, 65_536)

    async def read_to_end(self) -> bytes:
        """Return all bytes until the server closes the connection, or resets it."""
        data = b""
        try:
            while chunk := await self.read():
                data += chunk
        except ConnectionResetError:
            pass
        return data

    async def upgrade(self, path: str = "/socket/websocket?vsn=2.0.0") -> bytes:
        """Request a WebSocket, and return the head of the response."""
        head = (
            f"GET {path} HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\n"
            "connection: Upgrade\r\nsec-websocket-version: 13\r\n"
            "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        await self.write(head.encode("latin-1"))
        return await self.read()

    async def send(self, *frame: Any) -> None:
        """Send `join_ref, ref, topic, event, payload` as a text frame."""
        await self.write(masked(json.dumps(frame).encode()))


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[RawClient]:
    """Open a TCP connection with a small receive buffer."""
    host, port = address.split(":")
    with socket.socket() as connection:
        connection.setblocking(False)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        await asyncio.get_running_loop().sock_connect(connection, (host, int(port)))
        yield RawClient(connection)


def masked(payload: bytes, first_byte: int = 0x81) -> bytes:
    """Return a client's frame, by default a final text; its mask is zero, which changes nothing."""
    size = len(payload)
    if size < 126:
        header = bytes([first_byte, 0x80 | size])
    elif size < 65_536:
        header = bytes([first_byte, 0x80 | 126]) + size.to_bytes(2, "big")
    else:
        header = bytes([first_byte, 0x80 | 127]) + size.to_bytes(8, "big")
    return header + bytes(4) + payload
