"""The live chat, all the way: user, server, bridge and coordinator, each on a socket of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest

from adapters.bridge.sqlite_store import SqliteBridgeStore
from adapters.memory.store import MemoryStore
from entrypoints.bridge.app import create_bridge
from entrypoints.server.app import create_app
from entrypoints.server.container import Container
from entrypoints.settings import Settings
from tests.integration.elixir.chats import Chats
from tests.support.bridge_client import BridgeClient, bridge_client
from tests.support.server import free_port, running
from tests.support.user import PATIENCE_S, User, user
from tests.support.wire import ONE_EACH, Product, product

CHAT = "chat:b1:u1"
WHO = {"businessId": "b1", "userId": "u1"}


class System:
    """The server and its bridge, which find each other on fixed ports; what they store outlives
    them, so that each can be stopped and started again.
    """

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self._store = MemoryStore()
        self._bridge_store = SqliteBridgeStore()
        self._server_port, self._bridge_port = free_port(), free_port()
        self._running: dict[str, AsyncExitStack] = {}
        self.server: Product

    @property
    def bridge_url(self) -> str:
        return f"127.0.0.1:{self._bridge_port}"

    async def start_server(self, **chosen: Any) -> None:
        settings = Settings(
            **{
                "store": "memory",
                "scripted_delay_ms": 0,
                "turn_quiet_ms": 0,
                "bridge": "elixir",
                "elixir_http_url": f"http://{self.bridge_url}",
                "elixir_websocket_url": f"ws://{self.bridge_url}/socket/websocket",
                **chosen,
            }
        )
        container = Container(settings=settings)
        container.store.override(self._store)
        app = create_app(settings, container)
        address = await self._start("server", running(app, port=self._server_port))
        api = httpx.AsyncClient(base_url=f"http://{address}", limits=ONE_EACH)
        self.server = Product(address, await self._stack.enter_async_context(api))

    async def start_bridge(self) -> None:
        settings = Settings(agent_server_url=f"http://127.0.0.1:{self._server_port}")
        app = create_bridge(settings, self._bridge_store)
        await self._start("bridge", running(app, port=self._bridge_port))

    async def stop(self, which: str) -> None:
        await self._running.pop(which).aclose()

    async def _start(self, which: str, serving: Any) -> Any:
        running_part = self._running[which] = AsyncExitStack()
        self._stack.push_async_callback(running_part.aclose)
        return await running_part.enter_async_context(serving)

    async def user(self) -> User:
        """A socket of the user's at the server, joined."""
        ana = await self._stack.enter_async_context(user(self.server.address))
        await ana.join()
        return ana

    async def at_bridge(self, topic: str = CHAT, **payload: Any) -> BridgeClient:
        """Return a client that has joined a topic of the bridge."""
        client = bridge_client(self.bridge_url, topic, payload or WHO)
        return await self._stack.enter_async_context(client)

    async def maria(self) -> BridgeClient:
        """A coordinator's page, which claims, returns and closes."""
        return await self.at_bridge("coordinators:b1", businessId="b1", coordinatorId="maria")


@asynccontextmanager
async def system() -> AsyncIterator[System]:
    """The two, and a coordinator who is there, so that a human can be asked for."""
    async with AsyncExitStack() as stack:
        whole = System(stack)
        await whole.start_bridge()
        await whole.start_server()
        await whole.at_bridge("coordinators:b1", businessId="b1", coordinatorId="dan")
        yield whole


@asynccontextmanager
async def with_socket_alone(chats: Chats, **chosen: Any) -> AsyncIterator[tuple[Product, User]]:
    """The server with an application that has the socket of a bridge and no HTTP, and a user."""
    async with running(chats.restarted()) as address:
        url = f"ws://{address}/socket/websocket"
        async with (
            product(
                bridge="elixir", elixir_http_url="", elixir_websocket_url=url, **chosen
            ) as server,
            user(server.address) as ana,
        ):
            await ana.join()
            yield server, ana


async def in_live_chat(whole: System) -> tuple[User, BridgeClient]:
    """Yield a user in a live chat with Maria, and the coordinators' side of it."""
    ana, chat = await whole.user(), await whole.at_bridge()
    await ana.ask_for_human()
    await chat.wait_for("conversation_status", status="waiting")
    await chat.send("agent_message", message="Bună, sunt Maria.", coordinatorId="maria")
    await ana.wait_for("agent_message", message="Bună, sunt Maria.")
    return ana, chat


async def said(whole: System, *authors: str) -> list[str]:
    """Return the logged messages of the authors."""
    log = await whole.server.log()
    return [entry["message"] for entry in log if entry.get("author") in authors]


async def test_back_to_the_queue_and_from_colleague_to_colleague() -> None:
    async with system() as whole:
        ana, maria = await whole.user(), await whole.maria()
        session = {"sessionId": (await ana.ask_for_human())["sessionId"]}
        await maria.wait_for("notification", type="waiting")
        await maria.send("claim", **session)
        await ana.wait_for("conversation_status", status="live", coordinatorId="maria")
        await maria.send("requeue", **session)
        again = await ana.wait_for("conversation_status", status="waiting", reason="requeued")
        settled = await maria.wait_for("notification")
        while settled["chat"]["pending"] or settled["chat"]["status"] != "waiting":
            settled = await maria.wait_for("notification")
        await maria.send("claim", **session)
        await ana.wait_for("conversation_status", status="live", coordinatorId="maria")
        whispered = {**session, "messageId": "w1", "text": "Oferă-i desertul."}
        first = await maria.send("whisper", **whispered)
        repeated = await maria.send("whisper", **whispered)
        opened = await maria.send("open", **session)
        page = await maria.send("more", **session)

    assert again["sessionId"] == session["sessionId"]
    assert settled["chat"]["coordinatorId"] is None
    assert first == repeated
    events = [note["event"]["type"] for note in opened["notes"]]
    assert events == ["claimed", "requeued", "claimed", "whispered"]
    assert "Oferă-i desertul." in str(page)


async def test_from_the_ai_to_a_human_and_back() -> None:
    async with system() as whole:
        ana, maria, chat = await whole.user(), await whole.maria(), await whole.at_bridge()
        await ana.say("Bună! Care este programul?")
        await ana.wait_for("new_message", author="ai")
        asked = await ana.ask_for_human(message="Vreau un om")
        waits = await maria.wait_for("notification", type="waiting")
        opened = await maria.send("open", sessionId=asked["sessionId"])
        await maria.send("claim", sessionId=asked["sessionId"])
        await ana.wait_for("conversation_status", status="live", coordinatorId="maria")
        await chat.send("agent_message", message="Bună, sunt Maria.", coordinatorId="maria")
        heard = await ana.wait_for("agent_message")
        await ana.say("Bună, Maria!")
        answer = await chat.wait_for("user_message", message="Bună, Maria!")
        await maria.send("return", sessionId=asked["sessionId"], summary="S-au salutat.")
        await ana.wait_for("conversation_status", status="ai")
        await ana.say("Și care este programul?")
        await ana.wait_for("new_message", author="ai")

        assert waits["chat"]["reason"] == "user_request"
        assert opened["chat"]["context"]["openQuestion"] == "Vreau un om"
        assert (heard["message"], heard["coordinatorId"]) == ("Bună, sunt Maria.", "maria")
        assert answer["origin"] == "ai-agent-server"
        assert await said(whole, "coordinator") == ["Bună, sunt Maria."]
        assert await said(whole, "user") == [
            "Bună! Care este programul?",
            "Vreau un om",
            "Bună, Maria!",
            "Și care este programul?",
        ]


async def test_a_coordinator_who_simply_speaks_has_the_conversation() -> None:
    async with system() as whole:
        ana, chat = await whole.user(), await whole.at_bridge()
        await ana.ask_for_human()
        await chat.wait_for("conversation_status", status="waiting")
        await chat.send("agent_message", message="Bună, sunt Maria.", coordinatorId="maria")

        await ana.wait_for("conversation_status", status="live", coordinatorId="maria")
        assert (await ana.wait_for("agent_message"))["message"] == "Bună, sunt Maria."


async def test_what_the_user_writes_here_and_there_is_everywhere_once() -> None:
    async with system() as whole:
        ana, chat = await in_live_chat(whole)
        widget = await whole.at_bridge()
        await ana.say("de aici", messageId="m1")
        await chat.wait_for("user_message", message="de aici")
        await widget.send("user_message", message="de acolo", messageId="m2")
        seen = await ana.wait_for("user_message", message="de acolo")
        await widget.send("user_message", message="de acolo", messageId="m2")
        await ana.say("la sfârșit")
        told = [(await chat.wait_for("user_message"))["message"] for _ in range(2)]

        assert seen["messageId"] == "m2"
        assert told == ["de acolo", "la sfârșit"]
        assert await said(whole, "user") == ["de aici", "de acolo", "la sfârșit"]
        assert [event for event, _ in ana.pushes if event == "user_message"] == []


async def test_a_coordinators_words_that_come_by_both_ways_are_shown_once() -> None:
    async with system() as whole:
        ana, chat = await in_live_chat(whole)
        words = {"message": "Vă aud.", "messageId": "a7", "coordinatorId": "maria"}
        await chat.send("agent_message", **words)
        await ana.wait_for("agent_message", message="Vă aud.")
        stored = await whole.server.api.post("/api/agent-responses", json={**WHO, **words})
        await chat.send("agent_message", **words)
        await chat.send("agent_message", message="Gata.", coordinatorId="maria")
        await ana.wait_for("agent_message", message="Gata.")

        assert stored.json()["duplicate"] is True
        assert await said(whole, "coordinator") == ["Bună, sunt Maria.", "Vă aud.", "Gata."]


async def test_typing_is_seen_on_the_other_side() -> None:
    async with system() as whole:
        ana, chat = await in_live_chat(whole)
        await ana.request("typing", {})
        await chat.wait_for("typing", author="user")
        await chat.send("typing", author="coordinator")

        assert (await ana.wait_for("typing"))["author"] == "coordinator"


async def test_typing_goes_nowhere_while_nobody_has_come() -> None:
    chats = Chats()
    chats.additions = ["typing"]
    async with with_socket_alone(chats) as (_, ana):
        await ana.ask_for_human()
        for text in ("unu", "doi"):
            await ana.say(text)
            await ana.request("typing", {})
        async with asyncio.timeout(PATIENCE_S):
            events = [(await chats.heard.get())[0] for _ in range(2)]

        assert events == ["user_message", "user_message"]


async def test_the_chat_goes_on_after_the_bridge_was_away() -> None:
    async with system() as whole:
        ana, chat = await in_live_chat(whole)
        await whole.stop("bridge")
        for text in ("unu", "doi", "trei"):
            await ana.say(text)
        await whole.start_bridge()
        told = [(await chat.wait_for("user_message"))["message"] for _ in range(3)]
        await chat.send("agent_message", message="Am revenit.", coordinatorId="maria")
        await ana.wait_for("agent_message", message="Am revenit.")

        assert told == ["unu", "doi", "trei"]
        assert await said(whole, "coordinator") == ["Bună, sunt Maria.", "Am revenit."]


async def test_what_is_said_while_the_server_is_away_is_there_when_it_is_back() -> None:
    async with system() as whole:
        _, chat = await in_live_chat(whole)
        await whole.stop("server")
        for text in ("unu", "doi"):
            await chat.send("agent_message", message=text, coordinatorId="maria")
        await chat.send("user_message", message="de acolo", messageId="m9")
        await whole.start_server()
        ana = await whole.user()
        await ana.say("Am revenit.")
        await chat.wait_for("user_message", message="Am revenit.")
        await chat.send("agent_message", message="trei", coordinatorId="maria")
        await ana.wait_for("agent_message", message="trei")

        everything = ["Bună, sunt Maria.", "unu", "doi", "trei"]
        assert await said(whole, "coordinator") == everything
        assert sorted(await said(whole, "user")) == ["Am revenit.", "de acolo"]


async def test_a_bridge_that_has_the_socket_and_nothing_else_will_do() -> None:
    chats = Chats()
    chats.keeps = ("message", "timestamp")
    async with with_socket_alone(chats) as (server, ana):
        await ana.ask_for_human()
        await ana.say("E cineva?")
        async with asyncio.timeout(PATIENCE_S):
            _, relayed = await chats.heard.get()
        for _ in range(2):
            words = {"message": "Bună!", "timestamp": "2030-01-01T12:00:00Z"}
            chats.say("agent_message", words, CHAT)
        chats.say("agent_message", {"message": "Gata."}, CHAT)
        await ana.wait_for("agent_message", message="Gata.")

        log = [entry.get("message") for entry in await server.log()]
        assert relayed["message"] == "E cineva?"
        assert (log.count("E cineva?"), log.count("Bună!")) == (1, 1)
        assert await server.metric('ai_agent_bridge_events_total{outcome="stored"}') == 2
        assert await server.metric('ai_agent_bridge_events_total{outcome="duplicate"}') == 1


@pytest.mark.parametrize("ending", ["user", "coordinator"])
async def test_when_the_chat_ends_the_server_leaves_it(ending: str) -> None:
    chats = Chats()
    async with with_socket_alone(chats, elixir_followed_topics=0) as (server, ana):
        asked = await ana.ask_for_human()
        await ana.say("E cineva?")
        await chats.heard.get()
        if ending == "user":
            await ana.request("end_live_chat", {})
        else:
            await server.change(asked["sessionId"], "closed")

        async with asyncio.timeout(PATIENCE_S):
            assert await chats.left.get() == CHAT
