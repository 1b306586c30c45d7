"""The server and an application in the bridge's place, each with people at it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

import httpx

from adapters.bridge.sqlite_store import SqliteBridgeStore
from entrypoints.bridge.app import create_bridge
from entrypoints.settings import Settings
from tests.support.bridge_client import BridgeClient, bridge_client
from tests.support.plain_phoenix import PlainPhoenix, Received
from tests.support.server import running
from tests.support.user import PATIENCE_S, User, user
from tests.support.wire import Product, product

CHAT = "chat:b1:u1"
WHO = {"businessId": "b1", "userId": "u1"}
TOKEN = "t0p-s3cret"


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What happens, and where people speak."""

    refuses_first: bool = False
    """The server's joins are refused until a human was asked for, and once after that."""
    disconnects_with: int | None = None
    """The close code with which all sockets are disconnected in the middle; None: they are not."""
    user_speaks: Literal["server", "topic", "http"] = "server"
    """Where the user speaks in a live chat: at the server, or at the bridge."""
    coordinator_speaks: Literal["topic", "http"] = "topic"


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """The server, and an application in the bridge's place, each with people at it."""

    course: Course
    application: PlainPhoenix | None
    """None: the reference bridge."""
    server: Product
    ana: User
    ana_at_bridge: BridgeClient
    """Ana's page at the bridge, which speaks in her name."""
    maria: BridgeClient
    """The coordinator's page at the bridge."""
    http: httpx.AsyncClient
    """The bridge's own HTTP interface."""

    async def send_from_user(self, *texts: str) -> None:
        """Send messages from the user, and return once the coordinator has them."""
        for text in texts:
            match self.course.user_speaks:
                case "server":
                    await self.ana.say(text)
                case "topic":
                    self.ana_at_bridge.cast("user_message", message=text, timestamp=None)
                case "http":
                    await self.post("/api/messages", text)
        for text in texts:
            await self.wait_until_relayed(text)

    async def wait_until_relayed(self, text: str) -> None:
        """Return once the coordinator has received a message."""
        while text not in text_of(await self.maria.wait_for("user_message")):
            pass

    async def send_from_coordinator(self, *texts: str) -> None:
        """Send messages from the coordinator, and return once the user has them."""
        for text in texts:
            if self.course.coordinator_speaks == "http":
                await self.post("/api/agent-responses", text)
            else:
                self.maria.cast("agent_message", message=text, timestamp=None)
        settings = self.application.settings if self.application is not None else None
        is_named = settings is not None and settings.snake_case and not settings.passes_payload
        more = {"coordinatorId": "Maria"} if is_named else {}
        for text in texts:
            await self.ana.wait_for("agent_message", message=text, **more)

    async def post(self, path: str, text: str) -> None:
        """Send a message through the bridge's own HTTP interface."""
        message = {**WHO, "locationId": "l1", "message": text}
        assert (await self.http.post(path, json=message)).status_code in (200, 201)

    async def stored(self, author: str) -> list[str]:
        """Return the stored messages of an author."""
        log = await self.server.log()
        return [entry["message"] for entry in log if entry.get("author") == author]


def text_of(payload: dict[str, Any]) -> str:
    return str(payload.get("message", payload.get("body")))


@asynccontextmanager
async def serving(application: PlainPhoenix | None) -> AsyncIterator[str]:
    bridge = create_bridge(Settings(), SqliteBridgeStore())
    async with running(bridge if application is None else application.app()) as address:
        yield address


def at(address: str, **chosen: Any) -> AbstractAsyncContextManager[Product]:
    """Run the server with a bridge at this address."""
    socket = f"ws://{address}/socket/websocket?key=us3r-s3cret"
    http = f"http://{address}"
    return product(bridge="elixir", elixir_http_url=http, elixir_websocket_url=socket, **chosen)


@asynccontextmanager
async def system(
    application: PlainPhoenix | None, course: Course | None = None
) -> AsyncIterator[System]:
    given: dict[str, Any] = {}
    timeout_ms = 5_000
    page = {**WHO, "page": True, "token": TOKEN}
    if application is not None:
        settings = application.settings
        if settings.token_in == "subprotocol":
            given = {"token": TOKEN}
        elif settings.token:
            given = {"params": {"token": TOKEN}}
        if not settings.replies and not settings.returns_to_sender:
            timeout_ms = 500  # nothing comes back for a message: each waits for the time-out
    async with (
        serving(application) as address,
        at(
            address,
            elixir_token=TOKEN if application is not None else "",
            elixir_timeout=timeout_ms,
        ) as server,
        user(server.address) as ana,
        bridge_client(address, CHAT, page, **given) as ana_at_bridge,
        bridge_client(address, CHAT, page, **given) as maria,
        httpx.AsyncClient(
            base_url=f"http://{address}", headers={"Authorization": f"Bearer {TOKEN}"}
        ) as http,
    ):
        await ana.join()
        yield System(
            course=course or Course(),
            application=application,
            server=server,
            ana=ana,
            ana_at_bridge=ana_at_bridge,
            maria=maria,
            http=http,
        )


async def next_of(queue: "asyncio.Queue[Received]", what: str, where: str) -> Received:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            received = await queue.get()
            if received.what == what and received.where.startswith(where):
                return received


async def next_join(application: PlainPhoenix) -> None:
    """Return once the server, and no page, has asked to join."""
    while "page" in (await next_of(application.joins, "phx_join", CHAT)).payload:
        pass
