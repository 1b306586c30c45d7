"""A scripted Phoenix server, for behaviour that no correct server has."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

Refusal = Callable[[ServerConnection, Request], Response | None]


class Peer:
    """One accepted connection; frames are Python lists in both directions."""

    def __init__(self, websocket: ServerConnection) -> None:
        self.websocket = websocket

    @property
    def path(self) -> str:
        assert self.websocket.request is not None
        return self.websocket.request.path

    @property
    def offered(self) -> list[str]:
        """The sub-protocols that the client offered."""
        assert self.websocket.request is not None
        header = self.websocket.request.headers.get("Sec-WebSocket-Protocol", "")
        return [item.strip() for item in header.split(",")]

    async def receive(self, event: str | None = None) -> list[Any]:
        """Return the next frame; with `event`, check its name."""
        frame = json.loads(await self.websocket.recv())
        assert isinstance(frame, list)
        assert event in (None, frame[3]), frame
        return frame

    async def send(self, *frame: Any) -> None:
        await self.websocket.send(json.dumps(frame))

    async def reply(self, request: list[Any], status: str = "ok", response: Any = None) -> None:
        join_ref, ref, topic, _, _ = request
        payload = {"status": status, "response": {} if response is None else response}
        await self.send(join_ref, ref, topic, "phx_reply", payload)

    async def push(self, topic: str, event: str, payload: Any) -> None:
        await self.send(None, None, topic, event, payload)

    async def accept_join(self, response: Any = None) -> list[Any]:
        """Accept the client's next join, and return the phx_join."""
        frame = await self.receive("phx_join")
        await self.reply(frame, "ok", response)
        return frame

    async def drop(self) -> None:
        """Drop the connection without a close frame."""
        self.websocket.transport.abort()
        await self.websocket.wait_closed()


class Listener:
    """A listening server: its `url`, and each connection once."""

    def __init__(self, port: int) -> None:
        self.url = f"ws://127.0.0.1:{port}/socket/websocket"
        self.connections: asyncio.Queue[ServerConnection] = asyncio.Queue()

    async def accept(self) -> Peer:
        return Peer(await self.connections.get())


@asynccontextmanager
async def listening(refuse: Refusal | None = None, port: int = 0) -> AsyncIterator[Listener]:
    """Listen on a free port, or on a given one."""
    connections: asyncio.Queue[ServerConnection] = asyncio.Queue()

    async def handle(websocket: ServerConnection) -> None:
        connections.put_nowait(websocket)
        await websocket.wait_closed()

    server = await serve(
        handle,
        "127.0.0.1",
        port,
        process_request=refuse,
        select_subprotocol=lambda _, offered: offered[0] if offered else None,
        ping_interval=None,
        close_timeout=0.2,
    )
    async with server:
        [socket] = server.sockets
        listener = Listener(socket.getsockname()[1])
        listener.connections = connections
        yield listener
