"""The life of the server's process: it stops in order, it may be killed, and nothing is lost."""

import asyncio
import json
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from websockets.exceptions import ConnectionClosed

from tests.support.process import command, server
from tests.support.user import user

AT_ONCE = {"TURN_QUIET_MS": "0", "SCRIPTED_DELAY_MS": "0"}
# The demo says its first word after ten seconds: until then its turn is under way.
SLOW = {"TURN_QUIET_MS": "0", "SCRIPTED_DELAY_MS": "10000", "DRAIN_S": "0"}


def said(entries: list[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    """Return the author of each entry, and the ids of the messages that it answers."""
    return [(entry["author"], entry["inReplyTo"]) for entry in entries]


async def test_sigterm_closes_the_sockets_with_1012_and_ends_with_success(tmp_path: Path) -> None:
    no_files = {"BUSINESSES": ""}
    async with (
        server(tmp_path, fresh=True, **no_files) as running,
        user(running.address) as customer,
    ):
        await customer.join()

        running.signal(signal.SIGTERM)
        with pytest.raises(ConnectionClosed) as closed:
            await customer.wait_for("anything")
        ended = await running.end()

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012
    assert ended.code == 0
    actions = [json.loads(line)["action"] for line in ended.log.splitlines()]
    assert [action for action in actions if action != "joined"] == ["server_stopped"]


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGHUP], ids=lambda sig: sig.name)
async def test_one_sigint_during_a_drain_does_not_cut_it_short(
    tmp_path: Path, first: signal.Signals
) -> None:
    slow = {"TURN_QUIET_MS": "0", "SCRIPTED_DELAY_MS": "10000", "DRAIN_S": "1"}
    async with server(tmp_path, fresh=True, **slow) as running, user(running.address) as customer:
        await customer.join()
        await customer.say("Bună!")
        await customer.wait_for("typing")  # the turn has begun

        running.signal(first)
        await asyncio.to_thread(until_draining, f"http://{running.address}/health/ready")
        running.signal(signal.SIGINT)
        running.signal(first)
        with pytest.raises(ConnectionClosed) as closed:
            await customer.wait_for("anything")
        ended = await running.end()

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012
    assert ended.code == 0
    assert "drain_cut_short" in ended.log
    assert "server_stopped" in ended.log


def until_draining(url: str) -> None:
    """Return once a server reports that it drains."""
    while True:
        try:
            urlopen(url).close()
        except HTTPError as answer:
            answer.close()
            return


async def test_sighup_drains_as_sigterm_does(tmp_path: Path) -> None:
    async with server(tmp_path, fresh=True) as running, user(running.address) as customer:
        await customer.join()

        running.signal(signal.SIGHUP)
        with pytest.raises(ConnectionClosed) as closed:
            await customer.wait_for("anything")
        ended = await running.end()

    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, ended.code) == (1012, 0)


async def test_dev_runs_server_and_bridge_and_ends_both_with_success_at_ctrl_c(
    tmp_path: Path,
) -> None:
    async with server(tmp_path, name="dev", fresh=True, BRIDGE_PORT="0", **AT_ONCE) as running:
        bridge = await running.next_address()
        chat = await asyncio.to_thread(page, f"http://{running.address}/test-websocket.html")
        desk = await asyncio.to_thread(page, f"http://{bridge}/")
        async with user(bridge) as maria, user(running.address) as customer:
            maria.topic = "coordinators:b1"
            await maria.request("phx_join", {"businessId": "b1", "coordinatorId": "maria"})
            await customer.join()
            asked = await customer.ask_for_human(message="Vreau un om")
            waits = await maria.wait_for("notification", type="waiting")

        running.signal(signal.SIGINT)
        ended = await running.end()

    bridge_port = bridge.partition(":")[2]
    port = running.address.partition(":")[2]
    assert "<title>" in chat
    assert "<title>" in desk
    assert waits["chat"]["sessionId"] == asked["sessionId"]
    assert asked["liveChat"]["url"] == f"ws://localhost:{bridge_port}/socket/websocket"
    assert ended.code == 0
    assert f" http://localhost:{port}/chat/b1\n" in ended.output
    assert f" http://localhost:{port}/test-websocket.html\n" in ended.output
    assert f" http://localhost:{bridge_port}/\n" in ended.output
    assert f" chat --url ws://localhost:{port}/socket/websocket\n" in ended.output


@pytest.mark.parametrize(
    "elsewhere",
    [{"BRIDGE": "none"}, {"ELIXIR_HTTP_URL": "http://127.0.0.1:9"}],
    ids=["no bridge", "a bridge of one's own"],
)
async def test_dev_runs_the_server_alone_where_the_reference_bridge_is_not_wanted(
    tmp_path: Path, elsewhere: dict[str, str]
) -> None:
    async with server(tmp_path, name="dev", **elsewhere) as running:
        running.signal(signal.SIGINT)
        ended = await running.end()

    assert ended.code == 0
    assert "Coordinators" not in ended.output


def page(url: str) -> str:
    """Return the page at a URL."""
    with urlopen(url) as response:
        return str(response.read().decode())


async def test_a_second_sigint_does_not_wait_for_a_client_that_does_not_answer(
    tmp_path: Path,
) -> None:
    async with server(tmp_path) as running:
        host, _, port = running.address.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            b"GET /socket/websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        await reader.readuntil(b"\r\n\r\n")

        running.signal(signal.SIGINT)
        close_frame = await reader.readexactly(4)
        running.signal(signal.SIGINT)
        ended = await running.end()
        writer.close()

    assert close_frame == b"\x88\x02" + (1012).to_bytes(2, "big")
    assert ended.code == -signal.SIGINT


async def test_a_restart_forgets_nothing(tmp_path: Path, kept: dict[str, str]) -> None:
    async with server(tmp_path, **AT_ONCE, **kept) as running, user(running.address) as customer:
        await customer.join()
        first = await customer.say("Bună!", messageId="m1")
        answer = await customer.wait_for("new_message")
        running.signal(signal.SIGTERM)
        await running.end()

    async with server(tmp_path, **AT_ONCE, **kept) as running, user(running.address) as customer:
        joined = await customer.join(sessionId=first["sessionId"], lastSeq=0)
        again = await customer.say("Bună!", messageId="m1")

    assert joined["sessionId"] == first["sessionId"]
    assert [entry["seq"] for entry in joined["messages"]] == [1, 2]
    assert [entry["message"] for entry in joined["messages"]] == ["Bună!", answer["message"]]
    assert again == {**first, "duplicate": True}


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM], ids=lambda end: end.name)
async def test_a_turn_that_the_end_of_the_process_cut_off_is_taken_up_at_the_next_join(
    tmp_path: Path, kept: dict[str, str], end: signal.Signals
) -> None:
    async with server(tmp_path, **SLOW, **kept) as running, user(running.address) as customer:
        await customer.join()
        await customer.say("Bună!", messageId="m1")
        await customer.wait_for("typing")  # the turn has begun
        running.signal(end)
        await running.end()

    async with server(tmp_path, **AT_ONCE, **kept) as running, user(running.address) as customer:
        await customer.join()
        await customer.wait_for("new_message", inReplyTo=["m1"])
        await customer.say("Mulțumesc!", messageId="m2")
        await customer.wait_for("new_message", inReplyTo=["m2"])
        history = await customer.request("history", {})

    assert said(history["messages"]) == [("user", []), ("ai", ["m1"]), ("user", []), ("ai", ["m2"])]


async def test_a_turn_that_the_death_of_the_process_cut_off_is_taken_up_by_the_sweep(
    tmp_path: Path,
) -> None:
    async with (
        server(tmp_path, TURN_TIMEOUT_S="1", **SLOW) as running,
        user(running.address) as customer,
    ):
        await customer.join()
        asked = await customer.say("Bună!", messageId="m1")
        running.signal(signal.SIGKILL)
        await running.end()

    async with server(tmp_path, SWEEP_INTERVAL_S="0.1", **AT_ONCE) as running:
        url = f"http://{running.address}/api/conversations/{asked['sessionId']}/messages"
        entries = await asyncio.to_thread(logged, url, 2)

    assert said(entries) == [("user", []), ("ai", ["m1"])]


async def test_a_server_stops_when_a_later_version_migrates_its_database(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    kept = {"STORE": "sqlite", "SQLITE_PATH": str(path), "SWEEP_INTERVAL_S": "0.1"}
    async with server(tmp_path, **AT_ONCE, **kept) as running, user(running.address) as customer:
        await customer.join()
        await customer.say("Bună!")
        await customer.wait_for("new_message")
        with closing(sqlite3.connect(path)) as db:
            db.execute("PRAGMA user_version = 99")

        ended = await running.end()

    lines = [json.loads(line) for line in ended.log.splitlines()]
    critical = [line["action"] for line in lines if line["level"] == "critical"]
    with closing(sqlite3.connect(path)) as db:
        (entries,) = db.execute("SELECT count(*) FROM entries").fetchone()

    assert ended.code == 0
    assert critical == ["store_migrated"]
    assert entries == 2


async def test_what_is_erased_beside_a_running_server_is_gone_for_it_too(
    tmp_path: Path, kept: dict[str, str]
) -> None:
    async with server(tmp_path, **AT_ONCE, **kept) as running, user(running.address) as customer:
        await customer.join()
        before = await customer.say("My name is Ana")
        await customer.wait_for("new_message")

        erased = await asyncio.to_thread(
            lambda: command(tmp_path, "sessions", "erase", "b1", "u1", "--yes", **kept)
        )
        after = await customer.say("Hello")
        await customer.wait_for("new_message", sessionId=after["sessionId"])
        history = await customer.request("history", {})

    assert erased.stdout == "erased 1 conversations, 2 messages, 0 notices\n"
    assert after["sessionId"] != before["sessionId"]
    assert [entry["seq"] for entry in history["messages"]] == [1, 2]


def logged(url: str, count: int) -> list[dict[str, Any]]:
    """The log of a conversation over HTTP, asked for until it has that many entries."""
    while True:
        with urlopen(url) as response:
            entries: list[dict[str, Any]] = json.load(response)["messages"]
        if len(entries) >= count:
            return entries
        time.sleep(0.1)  # the user is away, so nobody would be told
