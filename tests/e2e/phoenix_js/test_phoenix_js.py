"""The official JavaScript client, under node, against the vector app."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from pathlib import Path
from signal import SIGCONT, SIGSTOP, SIGUSR2, Signals
from typing import Any

import pytest

from adapters.phoenix.endpoint import SocketObserver
from entrypoints.server.app import create_app, drain
from entrypoints.server.container import Container
from entrypoints.settings import Settings
from tests.support.npm import Missing, installed
from tests.support.process import server
from tests.support.server import running
from tests.support.tokens import JWT, ending_in, token
from tests.support.vector_app import vector_app, vector_endpoint
from tests.support.wire import product

_HERE = Path(__file__).parent
_CRASH = {"reason": "channel_crash"}
_PATIENCE_S = 20.0


@pytest.fixture(scope="session", autouse=True)
def _client() -> None:
    """Install the client once."""
    try:
        installed(_HERE)
    except Missing as missing:
        pytest.skip(str(missing))


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

    def send_signal(self, signal: Signals) -> None:
        self._process.send_signal(signal)

    async def say_all(self) -> list[list[Any]]:
        """Return the rest of its output."""
        said = []
        while (words := await self.say()) is not None:
            said.append(words)
        return said


@asynccontextmanager
async def playing(
    scenario: str,
    address: str,
    *arguments: str,
    transport: str = "WebSocket",
    package: str = "phoenix",
) -> AsyncIterator[Node]:
    process = await asyncio.create_subprocess_exec(
        "node",
        str(_HERE / "client.mjs"),
        scenario,
        f"ws://{address}/socket",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "TRANSPORT": transport, "CLIENT": package},
    )
    try:
        yield Node(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def play(scenario: str, transport: str = "WebSocket") -> list[list[Any]]:
    async with (
        running(vector_app()) as address,
        playing(scenario, address, transport=transport) as node,
    ):
        return await node.say_all()


both_transports = pytest.mark.parametrize("transport", ["WebSocket", "LongPoll"])


@both_transports
async def test_a_join_is_answered(transport: str) -> None:
    said = await play("join", transport)

    assert said == [["join", "room:reply", "ok", {"hello": "world", "got": {"user": "bob"}}]]


@both_transports
async def test_a_push_is_answered_now_or_later(transport: str) -> None:
    said = await play("push_with_reply", transport)

    assert said == [
        ["join", "room:a", "ok", {}],
        ["ping", "ok", {"text": "Bună, ☕!"}],
        ["err", "error", {"reason": "nope"}],
        ["async", "ok", {"late": True}],
    ]


@both_transports
async def test_a_push_before_the_join_is_answered_after_it(transport: str) -> None:
    said = await play("push_before_joined", transport)

    assert said == [["join", "ok", {"slow": True}], ["ping", "ok", {"n": 1}]]


@both_transports
async def test_what_the_server_pushes_arrives(transport: str) -> None:
    said = await play("server_push", transport)

    assert said == [["join", "ok", {}], ["pushes", {"user": "bob"}, {"status": "connected"}]]


@both_transports
async def test_a_broadcast_reaches_both_clients_and_broadcast_from_the_other(
    transport: str,
) -> None:
    said = await play("broadcast", transport)

    assert said[2:] == [["heard", {"n": 1}, {"n": 1}], ["others heard", {"n": 2}]]


@both_transports
async def test_a_refused_join_tells_why(transport: str) -> None:
    said = await play("refused_join", transport)

    response = {"reason": "unauthorized", "got": {"a": 1}}
    assert said == [["join", "room:deny", "error", response], ["state", "errored"]]


@both_transports
async def test_a_join_that_crashes_is_answered(transport: str) -> None:
    assert await play("crashed_join", transport) == [
        ["join", "room:crash", "error", {"reason": "join crashed"}]
    ]


@both_transports
async def test_a_topic_that_nobody_serves_is_answered(transport: str) -> None:
    assert await play("unmatched_topic", transport) == [
        ["join", "nowhere", "error", {"reason": "unmatched topic"}]
    ]


@both_transports
async def test_a_second_channel_on_a_topic_takes_it_over(transport: str) -> None:
    said = await play("duplicate_join", transport)

    assert said == [
        ["join", "room:a", "ok", {}],
        ["first closed", "closed"],
        ["join", "room:a", "ok", {}],
        ["ping", "ok", {"n": 2}],
        ["states", "closed", "joined"],
    ]


@both_transports
async def test_a_topic_that_was_left_can_be_joined_again(transport: str) -> None:
    said = await play("leave", transport)

    assert sorted(said[1:3]) == [["closed"], ["leave", "ok", {}]]
    assert said[3:] == [["join", "room:term", "ok", {}], ["state", "joined"]]


@both_transports
async def test_a_channel_that_stops_closes_for_good(transport: str) -> None:
    said = await play("graceful_stop", transport)

    assert said[1:] == [["stop_reply", "ok", {"bye": True}], ["state", "closed"]]


@both_transports
async def test_a_channel_that_crashes_is_rejoined(transport: str) -> None:
    said = await play("crash", transport)

    assert said == [["joined", 1], ["error", _CRASH], ["joined", 2], ["ping", "ok", {"n": 1}]]


async def test_heartbeats_are_acknowledged() -> None:
    said = await play("heartbeats")

    assert said[1:] == [["alive", True]]


async def test_a_socket_that_is_disconnected_comes_back() -> None:
    said = await play("disconnect")

    assert said[1:] == [["closed", 1001], ["reopened"]]


@both_transports
async def test_after_a_restart_of_the_server_the_channel_is_rejoined(transport: str) -> None:
    async with AsyncExitStack() as first, AsyncExitStack() as client:
        address = await first.enter_async_context(running(vector_app()))
        node = await client.enter_async_context(playing("restart", address, transport=transport))
        said = [await node.say()]
        await first.aclose()
        async with running(vector_app(), port=int(address.split(":")[1])):
            said += await node.say_all()

    assert said == [["joined", 1], ["error"], ["joined", 2], ["ping", "ok", {"n": 1}]]


class SocketEnds(SocketObserver):
    """Records how sockets end."""

    def __init__(self) -> None:
        self.close_codes: asyncio.Queue[int] = asyncio.Queue()

    def socket_opened(self) -> None:
        pass

    def socket_closed(self, code: int) -> None:
        self.close_codes.put_nowait(code)

    def slow_consumer(self) -> None:
        pass


@pytest.mark.parametrize("package", ["phoenix", "phoenix-1.7"])
async def test_after_a_sleep_longer_than_the_polled_socket_the_channel_is_rejoined(
    package: str,
) -> None:
    log = SocketEnds()
    async with (
        running(vector_app(vector_endpoint(observer=log))) as address,
        playing("restart", address, transport="LongPoll", package=package) as node,
    ):
        said = [await node.say()]
        node.send_signal(SIGSTOP)
        assert await log.close_codes.get() == 1002
        node.send_signal(SIGCONT)
        said += await node.say_all()

    assert said == [["joined", 1], ["error"], ["joined", 2], ["ping", "ok", {"n": 1}]]


@asynccontextmanager
async def without_upgrades(address: str) -> AsyncIterator[str]:
    """A proxy that refuses WebSockets, as some networks do; yield its address."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError), closing(writer):
            head = await reader.readuntil(b"\r\n\r\n")
            if b"upgrade: websocket" in head.lower():
                writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
                return
            from_server, to_server = await asyncio.open_connection(*address.split(":"))
            to_server.write(head)
            await asyncio.gather(carry(reader, to_server), carry(from_server, writer))

    async with await asyncio.start_server(serve, "127.0.0.1") as proxy:
        yield f"127.0.0.1:{proxy.sockets[0].getsockname()[1]}"


@asynccontextmanager
async def restartable(path: Path, port: int = 0) -> AsyncIterator[str]:
    """The server on a store that stays, drained at its end as by SIGTERM."""
    chosen: dict[str, Any] = {"store": "sqlite", "sqlite_path": str(path), "drain_s": 5.0}
    settings = Settings(scripted_delay_ms=20, turn_quiet_ms=0, **chosen)
    container = Container(settings=settings)
    async with running(create_app(settings, container), port=port) as address:
        yield address
        await drain(container)


@pytest.mark.parametrize(
    ("transport", "package"),
    [
        *((each, "phoenix") for each in ("WebSocket", "LongPoll", "fallback")),
        ("fallback", "phoenix-1.7"),
    ],
)
async def test_a_user_chats_streams_and_comes_back_after_a_restart(
    transport: str, package: str, tmp_path: Path
) -> None:
    async with AsyncExitStack() as first, AsyncExitStack() as client:
        address = await first.enter_async_context(restartable(tmp_path / "chat.db"))
        reached = address
        if transport == "fallback":
            reached = await client.enter_async_context(without_upgrades(address))
        playing_it = playing("chat", reached, transport=transport, package=package)
        node = await client.enter_async_context(playing_it)
        said = [await node.say()]
        await first.aclose()
        async with restartable(tmp_path / "chat.db", int(address.split(":")[1])):
            said += await node.say_all()

    name = "WebSocket" if transport == "WebSocket" else "LongPoll"
    assert said == [
        ["new_message", "ok", True, True],
        ["rejoined", []],
        ["new_message", "ok", "ai", name],
    ]


@both_transports
async def test_a_user_chats_with_workers_that_are_replaced(transport: str, tmp_path: Path) -> None:
    chosen = {"WORKERS": "2", "TURN_QUIET_MS": "0"}
    async with (
        server(tmp_path, **chosen) as running_server,
        playing("chat", running_server.address, transport=transport) as node,
    ):
        said = [await node.say()]
        running_server.signal(SIGUSR2)
        said += await node.say_all()

    assert said == [
        ["new_message", "ok", True, True],
        ["rejoined", []],
        ["new_message", "ok", "ai", transport],
    ]


async def play_with_tokens(
    scenario: str, *tokens: str, transport: str = "WebSocket"
) -> list[list[Any]]:
    async with (
        product(**JWT) as server,
        playing(scenario, server.address, ",".join(tokens), transport=transport) as node,
    ):
        return await node.say_all()


@both_transports
async def test_a_dead_token_is_not_tried_again_and_again(transport: str) -> None:
    said = await play_with_tokens("token", token("u1", exp=1), transport=transport)

    assert said == [
        ["join", "error", "unauthorized"],
        ["closed", "closed"],
        ["joins", 1, True, 0],
    ]


@both_transports
async def test_a_token_that_ends_closes_the_channel_and_no_more_is_tried(transport: str) -> None:
    said = await play_with_tokens("token", ending_in(4), transport=transport)

    assert said == [
        ["join", "ok", "string"],
        ["token_expired", {"reason": "token_expired"}],
        ["closed", "closed"],
        ["joins", 1, True, 0],
    ]


@both_transports
async def test_a_function_gives_each_connection_its_own_token(transport: str) -> None:
    said = await play_with_tokens("token_function", ending_in(4), token("u1"), transport=transport)

    assert said == [["join", "ok"], ["join", "ok"]]
