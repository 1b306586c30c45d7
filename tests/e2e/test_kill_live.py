"""A live chat goes on to its end, whichever side of it is killed after whatever step."""

import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.process import ServerProcess, server
from tests.support.server import free_port
from tests.support.user import User, user

SUMMARY = "S-au înțeles pentru sâmbătă."


class System:
    """Server and bridge, each in a process of its own; some of them die at every `step`."""

    def __init__(self, folder: Path, mortals: tuple[str, ...]) -> None:
        self._folder = folder
        self._mortals = mortals
        self._ports = {"serve": free_port(), "bridge": free_port()}
        self._running: dict[str, tuple[ServerProcess, AsyncExitStack]] = {}

    async def start(self, name: str) -> None:
        at_bridge = f"127.0.0.1:{self._ports['bridge']}"
        stack = AsyncExitStack()
        process = await stack.enter_async_context(
            server(
                self._folder,
                name=name,
                port=str(self._ports[name]),
                TURN_QUIET_MS="0",
                SCRIPTED_DELAY_MS="0",
                BRIDGE="elixir",
                # What a dead process had begun to deliver is due again after about these.
                ELIXIR_TIMEOUT="500",
                ELIXIR_RETRY_ATTEMPTS="1",
                ELIXIR_HTTP_URL=f"http://{at_bridge}",
                ELIXIR_WEBSOCKET_URL=f"ws://{at_bridge}/socket/websocket",
                AGENT_SERVER_URL=f"http://127.0.0.1:{self._ports['serve']}",
            )
        )
        self._running[name] = process, stack

    async def step(self) -> None:
        """Kill the programs that are to die, and start them again."""
        for name in self._mortals:
            process, _ = self._running[name]
            process.signal(signal.SIGKILL)
        for name in self._mortals:
            await self.stop(name)
        for name in self._mortals:
            await self.start(name)

    async def stop(self, name: str) -> None:
        _, stack = self._running.pop(name)
        await stack.aclose()

    @asynccontextmanager
    async def ana(self, status: str) -> AsyncIterator[User]:
        """The user at the server, once her conversation has that status."""
        async with user(f"127.0.0.1:{self._ports['serve']}", "b1", "ana") as ana:
            joined = await ana.join()
            if joined["status"] != status:
                await ana.wait_for("conversation_status", status=status)
            yield ana

    @asynccontextmanager
    async def at_bridge(self, topic: str, **who: str) -> AsyncIterator[tuple[User, Any]]:
        """A socket at the bridge, and the reply to its join."""
        async with user(f"127.0.0.1:{self._ports['bridge']}") as someone:
            someone.topic = topic
            yield someone, await someone.request("phx_join", {"businessId": "b1", **who})

    @asynccontextmanager
    async def maria(self) -> AsyncIterator[tuple[User, Any]]:
        """The coordinator at her page, and what stands there."""
        async with self.at_bridge("coordinators:b1", coordinatorId="maria") as joined:
            yield joined

    @asynccontextmanager
    async def chat(self) -> AsyncIterator[tuple[User, Any]]:
        """Yield the coordinators' side of Ana's live chat, and the reply to its join."""
        async with self.at_bridge("chat:b1:ana", userId="ana") as joined:
            yield joined

    async def conversation(self, session_id: str) -> tuple[Any, list[Any]]:
        """The session and its log, as the server has them."""
        path = f"/api/conversations/{session_id}"
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self._ports['serve']}") as api:
            head = (await api.get(path)).json()
            return head, (await api.get(f"{path}/messages")).json()["messages"]


@asynccontextmanager
async def system(folder: Path, mortals: tuple[str, ...]) -> AsyncIterator[System]:
    whole = System(folder, mortals)
    try:
        for name in ("bridge", "serve"):
            await whole.start(name)
        yield whole
    finally:
        for name in list(whole._running):
            await whole.stop(name)


async def claim(whole: System, session_id: str) -> None:
    """Claim Ana's conversation as Maria, once it is listed as waiting."""
    async with whole.maria() as (maria, board):
        if not board["chats"]:
            await maria.wait_for("notification", type="waiting")
        await maria.request("claim", {"sessionId": session_id})


async def answer(whole: System) -> None:
    """Answer as Maria, once Ana's message has arrived."""
    async with whole.chat() as (maria, joined):
        if not any(said["messageId"] == "u1" for said in joined["messages"]):
            await maria.wait_for("user_message", messageId="u1")
        words = {"message": "Bună, Ana!", "messageId": "c1", "coordinatorId": "maria"}
        await maria.request("agent_message", words)


async def hand_back(whole: System, session_id: str) -> None:
    """Return the conversation to the AI, once Ana has received Maria's message."""
    async with user_who_read(whole, "c1"), whole.maria() as (maria, _):
        await maria.request("return", {"sessionId": session_id, "summary": SUMMARY})


@asynccontextmanager
async def user_who_read(whole: System, message_id: str) -> AsyncIterator[None]:
    async with whole.ana("live") as ana:
        history = await ana.request("history", {})
        if not any(entry.get("messageId") == message_id for entry in history["messages"]):
            await ana.wait_for("agent_message")
        yield


@pytest.mark.parametrize(
    "mortals", [("serve",), ("bridge",), ("serve", "bridge")], ids=["server", "bridge", "both"]
)
async def test_after_each_death_all_that_was_acknowledged_is_there_and_the_live_chat_goes_on(
    tmp_path: Path, mortals: tuple[str, ...]
) -> None:
    async with system(tmp_path, mortals) as whole:
        async with whole.maria(), whole.ana("ai") as ana:  # who is there, so that she can be asked
            asked = await ana.ask_for_human(message="Vreau un om")
        session_id = asked["sessionId"]
        await whole.step()
        await claim(whole, session_id)
        await whole.step()
        async with whole.ana("live") as ana:
            await ana.say("Bună, Maria!", messageId="u1")
        await whole.step()
        await answer(whole)
        await whole.step()
        await hand_back(whole, session_id)
        await whole.step()
        async with whole.ana("ai") as ana:
            await ana.say("Care este programul?", messageId="u2")
            await ana.wait_for("new_message", inReplyTo=["u2"])
        head, log = await whole.conversation(session_id)
        async with whole.chat() as (_, chat), whole.maria() as (_, board):
            pass

    talked = [
        (e["author"], e["message"]) for e in log if e.get("author") in ("user", "coordinator")
    ]
    assert talked == [
        ("user", "Vreau un om"),
        ("user", "Bună, Maria!"),
        ("coordinator", "Bună, Ana!"),
        ("user", "Care este programul?"),
    ]
    assert [e["seq"] for e in log] == list(range(1, len(log) + 1))
    changes = [e["status"] for e in log if e.get("reason") not in (None, "delivered")]
    assert changes == ["waiting", "live", "ai"]
    assert (head["status"], head["summary"]) == ("ai", SUMMARY)
    assert [said["message"] for said in chat["messages"]] == ["Bună, Maria!", "Bună, Ana!"]
    assert (chat["status"], board["chats"]) == ("ai", [])
