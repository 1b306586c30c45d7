"""The official JavaScript client, under node, against the vector app."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import running
from tests.support.tokens import JWT, ending_in, token
from tests.support.vector_app import vector_app
from tests.support.wire import product

_HERE = Path(__file__).parent
_CRASH = {"reason": "channel_crash"}
_PATIENCE_S = 20.0


@pytest.fixture(scope="session", autouse=True)
def _client() -> None:
    """Install the client once."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not on this machine")
    if not (_HERE / "node_modules").exists():
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=_HERE, check=True, capture_output=True)


class Node:
    """The client, playing a scenario."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def say(self) -> list[Any] | None:
        """Return the next line of its output; None at its end."""
        assert self._process.stdout is not None
        async with asyncio.timeout(_PATIENCE_S):
            line = await self._process.stdout.readline()
        return list(json.loads(line)) if line else None

    async def say_all(self) -> list[list[Any]]:
        """Return the rest of its output."""
        said = []
        while (words := await self.say()) is not None:
            said.append(words)
        return said


@asynccontextmanager
async def playing(scenario: str, address: str, *arguments: str) -> AsyncIterator[Node]:
    process = await asyncio.create_subprocess_exec(
        "node",
        str(_HERE / "client.mjs"),
        scenario,
        f"ws://{address}/socket",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Node(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def play(scenario: str) -> list[list[Any]]:
    async with running(vector_app()) as address, playing(scenario, address) as node:
        return await node.say_all()


async def test_a_join_is_answered() -> None:
    said = await play("join")

    assert said == [["join", "room:reply", "ok", {"hello": "world", "got": {"user": "bob"}}]]


async def test_a_push_is_answered_now_or_later() -> None:
    said = await play("push_with_reply")

    assert said == [
        ["join", "room:a", "ok", {}],
        ["ping", "ok", {"text": "Bună, ☕!"}],
        ["err", "error", {"reason": "nope"}],
        ["async", "ok", {"late": True}],
    ]


async def test_a_push_before_the_join_is_answered_after_it() -> None:
    said = await play("push_before_joined")

    assert said == [["join", "ok", {"slow": True}], ["ping", "ok", {"n": 1}]]


async def test_what_the_server_pushes_arrives() -> None:
    said = await play("server_push")

    assert said == [["join", "ok", {}], ["pushes", {"user": "bob"}, {"status": "connected"}]]


async def test_a_broadcast_reaches_both_clients_and_broadcast_from_the_other() -> None:
    said = await play("broadcast")

    assert said[2:] == [["heard", {"n": 1}, {"n": 1}], ["others heard", {"n": 2}]]


async def test_a_refused_join_tells_why() -> None:
    said = await play("refused_join")

    response = {"reason": "unauthorized", "got": {"a": 1}}
    assert said == [["join", "room:deny", "error", response], ["state", "errored"]]


async def test_a_join_that_crashes_is_answered() -> None:
    assert await play("crashed_join") == [
        ["join", "room:crash", "error", {"reason": "join crashed"}]
    ]


async def test_a_topic_that_nobody_serves_is_answered() -> None:
    assert await play("unmatched_topic") == [
        ["join", "nowhere", "error", {"reason": "unmatched topic"}]
    ]


async def test_a_second_channel_on_a_topic_takes_it_over() -> None:
    said = await play("duplicate_join")

    assert said == [
        ["join", "room:a", "ok", {}],
        ["first closed", "closed"],
        ["join", "room:a", "ok", {}],
        ["ping", "ok", {"n": 2}],
        ["states", "closed", "joined"],
    ]


async def test_a_topic_that_was_left_can_be_joined_again() -> None:
    said = await play("leave")

    assert sorted(said[1:3]) == [["closed"], ["leave", "ok", {}]]
    assert said[3:] == [["join", "room:term", "ok", {}], ["state", "joined"]]


async def test_a_channel_that_stops_closes_for_good() -> None:
    said = await play("graceful_stop")

    assert said[1:] == [["stop_reply", "ok", {"bye": True}], ["state", "closed"]]


async def test_a_channel_that_crashes_is_rejoined() -> None:
    said = await play("crash")

    assert said == [["joined", 1], ["error", _CRASH], ["joined", 2], ["ping", "ok", {"n": 1}]]


async def test_heartbeats_are_acknowledged() -> None:
    said = await play("heartbeats")

    assert said[1:] == [["alive", True]]


async def test_a_socket_that_is_disconnected_comes_back() -> None:
    said = await play("disconnect")

    assert said[1:] == [["closed", 1001], ["reopened"]]


async def test_after_a_restart_of_the_server_the_channel_is_rejoined() -> None:
    async with AsyncExitStack() as first, AsyncExitStack() as client:
        address = await first.enter_async_context(running(vector_app()))
        node = await client.enter_async_context(playing("restart", address))
        said = [await node.say()]
        await first.aclose()
        async with running(vector_app(), port=int(address.split(":")[1])):
            said += await node.say_all()

    assert said == [["joined", 1], ["error"], ["joined", 2], ["ping", "ok", {"n": 1}]]


async def play_with_tokens(scenario: str, *tokens: str) -> list[list[Any]]:
    async with (
        product(**JWT) as server,
        playing(scenario, server.address, ",".join(tokens)) as node,
    ):
        return await node.say_all()


async def test_a_dead_token_is_not_tried_again_and_again() -> None:
    said = await play_with_tokens("token", token("u1", exp=1))

    assert said == [
        ["join", "error", "unauthorized"],
        ["closed", "closed"],
        ["joins", 1, True, 0],
    ]


async def test_a_token_that_ends_closes_the_channel_and_no_more_is_tried() -> None:
    said = await play_with_tokens("token", ending_in(4))

    assert said == [
        ["join", "ok", "string"],
        ["token_expired", {"reason": "token_expired"}],
        ["closed", "closed"],
        ["joins", 1, True, 0],
    ]


async def test_a_function_gives_each_connection_its_own_token() -> None:
    said = await play_with_tokens("token_function", ending_in(4), token("u1"))

    assert said == [["join", "ok"], ["join", "ok"]]
