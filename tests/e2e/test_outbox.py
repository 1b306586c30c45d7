"""Dead letters: an operator lists them, and retries or drops them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.bridge import FaultyBridge, status
from tests.support.plain_phoenix import PlainPhoenix
from tests.support.process import command, server
from tests.support.server import running
from tests.support.snapshots import empty_database
from tests.support.user import user


def environment(bridge: FaultyBridge) -> dict[str, str]:
    return {
        "BRIDGE": "elixir",
        "ELIXIR_HTTP_URL": bridge.url,
        "ELIXIR_WEBSOCKET_URL": "ws://127.0.0.1:9/socket/websocket",
        "TURN_QUIET_MS": "0",
        "SCRIPTED_DELAY_MS": "0",
    }


async def outbox(folder: Path, *arguments: str) -> str:
    """Return the output of `ai-agent-server outbox ARGUMENTS`."""
    answered = await asyncio.to_thread(command, folder, "outbox", *arguments)
    assert answered.returncode == 0, answered.stderr
    return answered.stdout


@asynccontextmanager
async def refused(folder: Path) -> AsyncIterator[FaultyBridge]:
    """A running server whose bridge has refused a message and its answer, and takes all since."""
    async with FaultyBridge() as bridge, server(folder, **environment(bridge)) as process:
        bridge.always = status(422, {"code": "not_today\x1b]0;owned\x07"})
        async with user(process.address) as socket:
            await socket.join()
            await socket.say("Bună!")
            await socket.wait_for("new_message")
        await bridge.wait_until(2, asked=True)
        await ready_letters(folder, 2)
        bridge.always = None
        yield bridge


async def ready_letters(folder: Path, count: int) -> list[dict[str, Any]]:
    """The dead letters, once there are so many: the refusal is stored after it was received."""
    while True:
        letters: list[dict[str, Any]] = json.loads(await outbox(folder, "list", "--json"))
        if len(letters) == count:
            return letters


async def test_what_was_refused_is_listed_with_its_reason(tmp_path: Path) -> None:
    async with refused(tmp_path):
        listed = await outbox(tmp_path, "list")
        letters = json.loads(await outbox(tmp_path, "list", "--json"))

    rows = listed.splitlines()
    assert [row.split()[2] for row in rows] == ["conversation", "context"]
    assert all(row.endswith("HTTP 422 not_today\ufffd]0;owned\ufffd") for row in rows)
    assert letters[0]["noticeId"] == rows[0].split()[0]
    assert letters[0]["userId"] == "u1"
    assert letters[0]["body"]["message"] == "Bună!"


async def test_what_is_dropped_is_gone_and_what_is_retried_is_delivered(tmp_path: Path) -> None:
    async with refused(tmp_path) as bridge:
        first, second = json.loads(await outbox(tmp_path, "list", "--json"))
        dropped = await outbox(tmp_path, "drop", first["noticeId"])
        retried = await outbox(tmp_path, "retry", "--all")
        told = await bridge.wait_for("/api/ai-context")
        left = await outbox(tmp_path, "list")

    assert (dropped, retried) == ("1 notice dropped\n", "1 notice to be delivered\n")
    assert [each.key for each in bridge.accepted] == [told.key] == [second["noticeId"]]
    assert "no dead letters" in left


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database in which there is nothing."""
    folder = tmp_path_factory.mktemp("empty")
    empty_database(folder)
    return folder


def test_an_empty_outbox_says_so(empty: Path) -> None:
    answered = command(empty, "outbox", "list")

    assert (answered.returncode, answered.stdout) == (0, "no dead letters\n")


@pytest.mark.parametrize("what", ["retry", "drop"])
def test_a_dead_letter_that_is_not_there_is_named(empty: Path, what: str) -> None:
    answered = command(empty, "outbox", what, "n1")

    assert answered.returncode == 1
    assert answered.stderr == "Error: there is no dead letter n1\n"


@pytest.mark.parametrize("arguments", [["retry"], ["retry", "n1", "--all"], ["drop"]])
def test_which_ones_must_be_said(empty: Path, arguments: list[str]) -> None:
    answered = command(empty, "outbox", *arguments)

    assert answered.returncode == 2
    assert "Usage:" in answered.stderr


async def test_check_tries_the_bridge(tmp_path: Path) -> None:
    async with FaultyBridge() as bridge, running(PlainPhoenix().app()) as address:
        settings = environment(bridge)
        settings["ELIXIR_WEBSOCKET_URL"] = f"ws://{address}/socket/websocket"
        well = await asyncio.to_thread(command, tmp_path, "check", **settings)
        bridge.unhealthy = True
        unhealthy = await asyncio.to_thread(command, tmp_path, "check", **settings)

    assert (well.returncode, unhealthy.returncode) == (0, 1)
    assert [line.split() for line in well.stdout.splitlines()[2:4]] == [
        ["bridge", "elixir", "ok"],
        ["live", "chat", "chat:check:check", "ok"],
    ]
    assert "problem: " in unhealthy.stdout
    assert "/health answers HTTP 503" in unhealthy.stdout
