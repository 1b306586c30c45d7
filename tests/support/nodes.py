"""Processes of the product that are one server: they share a store, and a broker."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Self

import httpx
from websockets import WebSocketException

from tests.support.process import ServerProcess, server
from tests.support.redis_server import RedisServer
from tests.support.user import PATIENCE_S, Payload, User, user
from tests.support.wire import ONE_EACH, Product

WORD_MS = 60
"""Between two words of the demo's answer: enough to do something meanwhile."""


class Node(Product):
    """A server that is a process."""

    def __init__(self, process: ServerProcess, api: httpx.AsyncClient) -> None:
        super().__init__(process.address, api)
        self.process = process

    async def until_broker(self, condition: str) -> None:
        """Return once the broker is in this condition, as its readiness has it."""
        async with asyncio.timeout(PATIENCE_S):
            while (await self.api.get("/health/ready")).json()["broker"] != condition:
                pass

    async def turns(self) -> float:
        """Return the number of turns that have ended, whatever their outcome."""
        lines = (await self.api.get("/metrics")).text.splitlines()
        return sum(
            float(line.split()[-1]) for line in lines if line.startswith("ai_agent_turns_total{")
        )


class Nodes:
    """The processes of a test; they end with `stack`."""

    def __init__(
        self, folder: Path, store: Mapping[str, str], broker: RedisServer, stack: AsyncExitStack
    ) -> None:
        """`store`: the settings that choose it."""
        self._folder = folder
        self._store = store
        self._stack = stack
        self.broker = broker

    async def start(self, port: str = "0", **settings: str) -> Node:
        """Start a process, on a port of its own."""
        process = await self._stack.enter_async_context(
            server(
                self._folder,
                port=port,
                **{
                    **self._store,
                    "BRIDGE": "none",
                    "BROKER": "redis",
                    "REDIS_URL": self.broker.url,
                    "TURN_QUIET_MS": "0",
                    "SCRIPTED_DELAY_MS": str(WORD_MS),
                    **settings,
                },
            )
        )
        api = httpx.AsyncClient(base_url=f"http://{process.address}", limits=ONE_EACH)
        return Node(process, await self._stack.enter_async_context(api))


def reaching(bridge: str) -> dict[str, str]:
    """Return a process's settings for a bridge at this address."""
    return {
        "BRIDGE": "elixir",
        "ELIXIR_HTTP_URL": f"http://{bridge}",
        "ELIXIR_WEBSOCKET_URL": f"ws://{bridge}/socket/websocket",
    }


class Stream:
    """An answer as a client shows it, from the pushes that it has received."""

    def __init__(self, at: User) -> None:
        self._at = at
        self.shown = ""

    async def next(self) -> str:
        """Wait for the next piece, and return what is shown then."""
        piece = await self._at.wait_for("message_delta")
        self.shown = piece["text"] if piece["index"] == 0 else self.shown + piece["text"]
        return self.shown

    async def words(self, count: int) -> str:
        """Wait until so many words are shown, and return them."""
        while len(self.shown.split()) < count:
            await self.next()
        return self.shown

    async def end(self) -> Payload:
        """Wait for the answer, which must begin with all that was shown; return it."""
        final = await self._at.wait_for("new_message")
        for event, piece in self._at.pushes:
            if event == "message_delta":
                self.shown = piece["text"] if piece["index"] == 0 else self.shown + piece["text"]
        assert final["message"].startswith(self.shown.strip())
        return final


@asynccontextmanager
async def joined(node: Node, user_id: str = "u1", **payload: Any) -> AsyncIterator[User]:
    """Yield a user's socket that has joined, and streams."""
    async with user(node.address, user_id=user_id) as one:
        await one.join(stream=True, **payload)
        yield one


SILENCE_S = 3.0
"""A client that waits for something goes elsewhere after so long without a frame."""


class Wanderer:
    """A client that goes to the next address whenever its socket is lost, or silent too long.

    It sends again what was not acknowledged, under the same id, and comes back with its last seq.
    """

    def __init__(self, addresses: list[str], user_id: str = "u1") -> None:
        self._addresses = addresses
        self._user_id = user_id
        self._stack = AsyncExitStack()
        self._socket: User | None = None
        self._session_id: str | None = None
        self.entries: list[Payload] = []
        """All that it was shown, in order: entries of replies, and pushes."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._leave()

    async def request(self, event: str, **payload: Any) -> Payload:
        """Send an event until it is replied to. Raises: Refused."""
        while True:
            try:
                socket = await self._joined()
                who = {"businessId": "b1", "locationId": "l1", "userId": self._user_id}
                async with asyncio.timeout(SILENCE_S):
                    reply = await socket.request(event, {**who, **payload})
            except (OSError, TimeoutError, WebSocketException):
                await self._leave()
                continue
            self._take(socket)
            return reply

    async def shown(self, **fields: Any) -> Payload:
        """Wait until an entry with these fields is shown, and return it."""
        while True:
            for entry in self.entries:
                if fields.items() <= entry.items():
                    return entry
            try:
                socket = await self._joined()
                async with asyncio.timeout(SILENCE_S):
                    await socket.next_push()
                self._take(socket)
            except (OSError, TimeoutError, WebSocketException):
                await self._leave()

    async def _joined(self) -> User:
        while self._socket is None:
            address = self._addresses[0]
            try:
                async with asyncio.timeout(SILENCE_S):
                    socket = await self._stack.enter_async_context(
                        user(address, user_id=self._user_id)
                    )
                    place = {"lastSeq": self._last_seq, "sessionId": self._session_id}
                    reply = await socket.join(stream=True, **place)
            except (OSError, TimeoutError, WebSocketException):
                await self._leave()
                continue
            self._session_id = reply["sessionId"]
            for entry in reply["messages"]:
                self._show(entry)
            self._socket = socket
        return self._socket

    @property
    def _last_seq(self) -> int:
        return self.entries[-1]["seq"] if self.entries else 0

    def _take(self, socket: User) -> None:
        for event, payload in socket.pushes:
            if event not in ("typing", "message_delta"):
                self._show({"event": event, **payload})
        socket.pushes.clear()

    def _show(self, entry: Payload) -> None:
        if entry["seq"] > self._last_seq:
            self.entries.append(entry)

    async def _leave(self) -> None:
        self._socket = None
        self._addresses.append(self._addresses.pop(0))
        stack, self._stack = self._stack, AsyncExitStack()
        with suppress(OSError, WebSocketException, TimeoutError):
            async with asyncio.timeout(1.0):  # a stopped process does not close
                await stack.aclose()
