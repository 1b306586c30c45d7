"""The product as the end-to-end tests use it: any frame on a socket, any log over HTTP."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from websockets import ConnectionClosed
from websockets.asyncio.client import ClientConnection, connect

from entrypoints.server.app import create_app
from entrypoints.server.container import Container
from entrypoints.settings import Settings
from tests.support.server import running
from tests.support.user import PATIENCE_S

Payload = dict[str, Any]

# The event loop of the tests leaves Nagle's algorithm on, and every answer on a connection that
# is used again then waits 40 ms for a delayed ACK; under uvloop, as it is served, it does not.
ONE_EACH = httpx.Limits(max_keepalive_connections=0)


def identity(business_id: str = "b1", user_id: str = "u1") -> Payload:
    """Return the identity keys of every payload of a user."""
    return {"businessId": business_id, "userId": user_id}


def message(text: Any, business_id: str = "b1", user_id: str = "u1", **more: Any) -> Payload:
    """Return the payload of a `new_message`."""
    return {**identity(business_id, user_id), "locationId": "l1", "message": text, **more}


class Socket:
    """A V2 socket on which anything can be sent; `pushes` keeps what came between replies."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._refs = (f"r{number}" for number in itertools.count(1))
        self.pushes: list[list[Any]] = []

    async def send(self, frame: object) -> None:
        """Send a frame: text and bytes as they are, all else as JSON."""
        await self._connection.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))

    async def receive(self) -> list[Any]:
        """Return the next frame: `[join_ref, ref, topic, event, payload]`."""
        async with asyncio.timeout(PATIENCE_S):
            frame: list[Any] = json.loads(await self._connection.recv())
        return frame

    async def call(self, event: str, payload: Any, topic: str = "messages:b1") -> tuple[str, Any]:
        """Send an event, and return its reply: status and response."""
        ref = next(self._refs)
        await self.send([topic, ref, topic, event, payload])
        while (frame := await self.receive())[1] != ref:
            self.pushes.append(frame)
        return frame[4]["status"], frame[4]["response"]

    async def join(self, business_id: str = "b1", user_id: str = "u1") -> None:
        """Join a business's topic."""
        topic = f"messages:{business_id}"
        status, _ = await self.call("phx_join", identity(business_id, user_id), topic)
        assert status == "ok"

    async def close_code(self) -> int:
        """Read until the server has closed, and return the close code."""
        try:
            while True:
                self.pushes.append(await self.receive())
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006


@asynccontextmanager
async def socket(address: str) -> AsyncIterator[Socket]:
    """Yield a connected socket that has joined nothing; `address` such as `127.0.0.1:40123`."""
    url = f"ws://{address}/socket/websocket?vsn=2.0.0"
    # Read without a bound: a full queue would delay the close by ten seconds.
    async with connect(url, compression=None, max_size=None, max_queue=None) as connection:
        yield Socket(connection)


class Product:
    """A running server."""

    def __init__(self, address: str, api: httpx.AsyncClient) -> None:
        self.address = address
        self.api = api

    async def log(self, business_id: str = "b1", user_id: str = "u1") -> list[Payload]:
        """Return every entry of a user's conversations, the oldest conversation first."""
        path = f"/api/users/{business_id}/{user_id}/export"
        conversations = (await self.api.get(path)).json()["conversations"]
        oldest_first = sorted(conversations, key=lambda each: each["conversation"]["openedAt"])
        return [entry for each in oldest_first for entry in each["messages"]]

    async def metric(self, line: str) -> float:
        """Return the metric `name{label="value"}`; 0 if there is none."""
        for found in (await self.api.get("/metrics")).text.splitlines():
            name, _, value = found.rpartition(" ")
            if name == line:
                return float(value)
        return 0.0

    async def until(self, line: str, value: float) -> None:
        """Wait until a metric has the value."""
        async with asyncio.timeout(PATIENCE_S):
            while await self.metric(line) != value:
                pass

    async def change(self, session_id: str, status: str, **body: Any) -> None:
        """Take over, return or close a conversation, as a coordinator."""
        path = f"/api/conversation-status/{session_id}"
        answer = await self.api.put(path, json={"status": status, **body})
        assert answer.status_code == 200, answer.text

    async def speak(self, session_id: str, text: str, **body: Any) -> Payload:
        """Post a coordinator's message."""
        said = {"sessionId": session_id, "message": text, **body}
        answer = await self.api.post("/api/agent-responses", json=said)
        assert answer.status_code in (200, 201), answer.text
        stored: Payload = answer.json()
        return stored


@asynccontextmanager
async def product(
    *, container: Container | None = None, limits: dict[str, Any] | None = None, **chosen: Any
) -> AsyncIterator[Product]:
    """Run the server here, with an AI that answers at once; `limits` are those of `running`."""
    settings = Settings(**{"store": "memory", "scripted_delay_ms": 0, "turn_quiet_ms": 0, **chosen})
    async with (
        running(create_app(settings, container), **(limits or {})) as address,
        httpx.AsyncClient(base_url=f"http://{address}", limits=ONE_EACH) as api,
    ):
        yield Product(address, api)
