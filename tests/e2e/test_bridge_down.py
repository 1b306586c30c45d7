"""The bridge is away, or does what it should not: the chat goes on, and nothing is lost."""

import asyncio
import json
import signal
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any

import httpx
import pytest

from adapters.http_client import FAILURES_TO_OPEN
from domain.texts import Text, localized
from entrypoints.bridge.app import create_bridge
from entrypoints.server.app import create_app
from entrypoints.settings import Settings
from tests.integration.elixir.chats import Chats
from tests.support.bridge import (
    CLOSE,
    GARBAGE,
    HANG,
    HUGE,
    LOST_ANSWER,
    NEVER_ENDS,
    RESET,
    Fault,
    FaultyBridge,
    ReceivedRequest,
    status,
)
from tests.support.process import server
from tests.support.server import running
from tests.support.user import PATIENCE_S, User, user

NOBODY = "ws://127.0.0.1:9/socket/websocket"
CONVERSATION, CONTEXT = "/api/ai-conversation", "/api/ai-context"
TRANSFER, STATUS = "/api/notifications", "/api/conversation-status/"
ROUNDS = 3


def settings(http_url: str, socket_url: str = NOBODY, **given: Any) -> Settings:
    return Settings(
        **{
            "store": "memory",
            "bridge": "elixir",
            "elixir_http_url": http_url,
            "elixir_websocket_url": socket_url,
            "elixir_timeout": 300,
            "elixir_retry_attempts": 1,
            "turn_quiet_ms": 0,
            "scripted_delay_ms": 0,
            **given,
        }
    )


@asynccontextmanager
async def served(bridge: FaultyBridge, **given: Any) -> AsyncIterator[str]:
    async with running(create_app(settings(bridge.url, **given))) as address:
        yield address


async def chat(socket: User, text: str) -> None:
    """Send a message, and await its answer."""
    message_id = (await socket.say(text))["messageId"]
    while message_id not in (await socket.wait_for("new_message"))["inReplyTo"]:
        pass


def told_of(bridge: FaultyBridge, user_id: str) -> list[tuple[str, Any]]:
    """The requests about one user's conversation, each with the text that it was about."""
    found = []
    for told in bridge.accepted:
        body = told.body.get("context", told.body)
        if body.get("userId") == user_id:
            found.append((told.path, body.get("message") or body.get("lastMessage")))
    return found


def expected(texts: list[str]) -> list[tuple[str, Any]]:
    return [(path, text) for text in texts for path in (CONVERSATION, CONTEXT)]


async def ready(address: str) -> dict[str, Any]:
    async with httpx.AsyncClient() as client:
        report: dict[str, Any] = (await client.get(f"http://{address}/health/ready")).json()
        return report


async def test_while_the_bridge_is_away_the_chat_goes_on_and_then_all_arrives_in_order() -> None:
    async with (
        FaultyBridge() as bridge,
        running(Chats().restarted()) as chats,
        served(bridge, socket_url=f"ws://{chats}/socket/websocket") as address,
        user(address) as socket,
    ):
        await socket.join()
        await chat(socket, "Bună!")
        await bridge.wait_until(2)
        await bridge.stop()
        for text in ("Aveți loc?", "Pentru doi?", "Vineri?"):
            await chat(socket, text)
        session_id = (await socket.ask_for_human(message="Un om, vă rog"))["sessionId"]
        await socket.wait_for("new_message", message=localized("ro", Text.REQUESTED))
        await socket.wait_for("new_message", message=localized("ro", Text.UNREACHABLE))
        await bridge.start()
        await socket.wait_for("new_message", message=localized("ro", Text.REACHED))
        await bridge.wait_until(11)

        told = told_of(bridge, "u1")
        assert [each for each in told if each[0] != TRANSFER] == [
            *expected(["Bună!", "Aveți loc?", "Pentru doi?", "Vineri?"]),
            (CONVERSATION, "Un om, vă rog"),
        ]
        paths = [request.path for request in bridge.accepted]
        assert paths.index(TRANSFER) < paths.index(STATUS + session_id)


async def test_a_bridge_that_is_away_is_degraded_and_the_server_is_not_down() -> None:
    async with FaultyBridge() as bridge, served(bridge) as address:
        bridge.unhealthy, bridge.always = True, status(500)
        for number in range(6):
            async with user(address, "b1", f"u{number}") as socket:
                await socket.join()
                await chat(socket, "Bună!")
        await bridge.wait_until_looked(1)

        report = await ready(address)

    assert (report["bridge"], report["status"]) == ("degraded", "degraded")


@pytest.mark.parametrize(
    "fault",
    [HANG, CLOSE, RESET, GARBAGE, LOST_ANSWER, NEVER_ENDS, HUGE, status(500), status(429),
     status(503, retry_after=1)],
    ids=["hang", "close", "reset", "garbage", "lost answer", "never ends", "huge", "500", "429",
         "retry after"],
)  # fmt: skip
async def test_whatever_the_bridge_does_wrong_the_user_is_answered_and_it_is_told_later(
    fault: Fault,
) -> None:
    async with FaultyBridge() as bridge, served(bridge) as address, user(address) as socket:
        await socket.join()
        bridge.always = fault
        await chat(socket, "Bună!")
        await chat(socket, "Aveți loc?")
        await bridge.wait_until(1, asked=True)
        bridge.always = None
        await chat(socket, "Vineri?")
        await bridge.wait_until(6)

        assert told_of(bridge, "u1") == expected(["Bună!", "Aveți loc?", "Vineri?"])


class Allergic(FaultyBridge):
    """A bridge, not a fast one, that answers 500 to every request with a certain word in it."""

    WORD = "otravă"

    async def _outcome(self, request: ReceivedRequest) -> Fault:
        if self.WORD in json.dumps(request.body, ensure_ascii=False):
            self.faults.appendleft(status(500))
        elif request.path == "/health":
            await asyncio.sleep(0.1)
        return await super()._outcome(request)


async def test_what_the_bridge_cannot_bear_of_some_users_delays_nothing_of_the_others() -> None:
    async with (
        Allergic() as bridge,
        running(Chats().restarted()) as chats,
        served(
            bridge, socket_url=f"ws://{chats}/socket/websocket", elixir_retry_attempts=3
        ) as address,
        AsyncExitStack() as stack,
    ):
        everyone = [
            await stack.enter_async_context(user(address, "b1", f"u{number}"))
            for number in range(30)
        ]
        for each in everyone:
            await each.join()
        poisoners, others = everyone[:25], everyone[25:]
        for each in poisoners:
            await each.ask_for_human(message=Allergic.WORD)
        await bridge.wait_until(2 * FAILURES_TO_OPEN, asked=True)
        begun = monotonic()
        for each in others:
            await each.ask_for_human(message="Un om, vă rog")
        for number in range(25, 30):
            await bridge.wait_for(TRANSFER, userId=f"u{number}")
        took_s = monotonic() - begun
        words = []
        for each in others:
            await each.wait_for("conversation_status", reason="delivered")
            words += [push["message"] for event, push in each.pushes if event == "new_message"]
        report = await ready(address)

    assert took_s < 5.0
    assert words == [localized("ro", Text.REQUESTED)] * 5
    assert report["bridge"] == "ok"


async def test_many_users_of_a_bridge_that_fails_at_random_are_each_told_in_order() -> None:
    random = Random(11)
    faults = [status(500), CLOSE, RESET, LOST_ANSWER, GARBAGE, status(429, retry_after=0)]
    texts = [f"Mesajul {number}" for number in range(4)]

    async def talk(address: str, user_id: str) -> None:
        async with user(address, "b1", user_id) as socket:
            await socket.join()
            for text in texts:
                await chat(socket, text)

    async with FaultyBridge() as bridge, served(bridge, elixir_retry_attempts=3) as address:
        bridge.faults.extend(random.choice(faults) for _ in range(25))
        users = [f"u{number}" for number in range(10)]
        await asyncio.gather(*(talk(address, user_id) for user_id in users))
        await bridge.wait_until(len(users) * 2 * len(texts))

    assert {user_id: told_of(bridge, user_id) for user_id in users} == dict.fromkeys(
        users, expected(texts)
    )


async def test_a_user_who_gives_up_while_the_bridge_is_away_leaves_no_ghost() -> None:
    async with FaultyBridge() as bridge, served(bridge) as address, user(address) as socket:
        await socket.join()
        await bridge.stop()
        await socket.ask_for_human(message="Un om, vă rog")
        await socket.wait_for("new_message", message=localized("ro", Text.UNREACHABLE))
        await socket.request("end_live_chat", {})
        await bridge.start()
        await bridge.wait_until(3)

        statuses = [told.body.get("status") for told in bridge.accepted if told.method == "PUT"]
        assert statuses == ["waiting", "ai"]
        assert TRANSFER not in {told.path for told in bridge.accepted}


async def test_what_is_said_while_the_reference_bridge_is_away_is_there_when_it_is_back(
    tmp_path: Path,
) -> None:
    at_bridge = Settings(bridge_sqlite_path=str(tmp_path / "bridge.sqlite3"))
    async with running(create_bridge(at_bridge)) as there:
        port = int(there.rpartition(":")[2])
        app = create_app(settings(f"http://{there}", f"ws://{there}/socket/websocket"))
        serving = running(app)
        address = await serving.__aenter__()
    try:
        async with user(address) as socket:
            await socket.join()
            await socket.ask_for_human(message="Un om, vă rog")
            await socket.wait_for("new_message", message=localized("ro", Text.UNREACHABLE))
            for text in ("Alo?", "Mai e cineva?"):
                await socket.say(text)
            async with running(create_bridge(at_bridge), port=port) as there:
                await socket.wait_for("new_message", message=localized("ro", Text.REACHED))
                said = await _said_live(there, 2)
    finally:
        await serving.__aexit__(None, None, None)

    assert said == ["Alo?", "Mai e cineva?"]


async def _said_live(address: str, count: int) -> list[str]:
    """Return the messages in the live chat of b1's user u1, once there are that many."""
    async with asyncio.timeout(PATIENCE_S), user(address) as coordinator:
        coordinator.topic = "chat:b1:u1"
        joined = await coordinator.join()
        said = [entry["message"] for entry in joined["messages"]]
        while len(said) < count:
            said.append((await coordinator.wait_for("user_message"))["message"])
        return said


# A process of its own, with SQLite.


def environment(bridge: FaultyBridge) -> dict[str, str]:
    return {
        "BRIDGE": "elixir",
        "ELIXIR_HTTP_URL": bridge.url,
        "ELIXIR_WEBSOCKET_URL": NOBODY,
        "ELIXIR_TIMEOUT": "300",
        "ELIXIR_RETRY_ATTEMPTS": "1",
        "TURN_QUIET_MS": "0",
        "SCRIPTED_DELAY_MS": "0",
    }


async def _talk_until_killed(folder: Path, bridge: FaultyBridge, said: dict[str, list[str]]) -> int:
    """Let four users write while the process is killed, and return its exit code."""
    async with server(folder, **environment(bridge)) as process:

        async def talk(user_id: str) -> None:
            async with user(process.address, "b1", user_id) as socket:
                await socket.join()
                for number in range(5):
                    text = f"{user_id} {number} {bridge.port} {len(said[user_id])}"
                    await chat(socket, text)
                    said[user_id].append(text)

        await asyncio.gather(*(talk(f"u{number}") for number in range(4)))
        process.signal(signal.SIGKILL)
        return (await process.end()).code


async def test_a_server_that_is_killed_while_the_bridge_fails_loses_no_notice(
    tmp_path: Path,
) -> None:
    said: dict[str, list[str]] = defaultdict(list)
    codes = []
    async with FaultyBridge() as bridge:
        for always in (HANG, status(500), LOST_ANSWER)[:ROUNDS]:
            bridge.always = always
            codes.append(await _talk_until_killed(tmp_path, bridge, said))
        bridge.always = None
        async with server(tmp_path, **environment(bridge)):
            await bridge.wait_until(4 * 2 * 5 * ROUNDS)

    assert codes == [-signal.SIGKILL] * ROUNDS
    assert {user_id: told_of(bridge, user_id) for user_id in said} == {
        user_id: expected(texts) for user_id, texts in said.items()
    }
