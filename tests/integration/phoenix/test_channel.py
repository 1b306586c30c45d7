"""Channels as actors: order, waiting, and ends."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import msgspec
import pytest

from adapters.phoenix import channel as phoenix_channel
from adapters.phoenix.channel import (
    Channel,
    ChannelSocket,
    JoinRefused,
    Reply,
    Stop,
    TerminateReason,
)
from adapters.phoenix.endpoint import PhoenixEndpoint
from adapters.phoenix.server import Ref
from tests.integration.phoenix.client import RawClient, connected, opened
from tests.support.server import UNBUDGETED, running
from tests.support.vector_app import vector_app, vector_endpoint


class Stage:
    """The test's view of its channels: a gate, the messages handled, and the ends."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.sockets: dict[str, ChannelSocket] = {}
        self.handled: list[Any] = []
        self.ended: asyncio.Queue[TerminateReason] = asyncio.Queue()
        self.endpoint = PhoenixEndpoint("/socket/websocket", {"*": self._channel})
        self.app = vector_app(self.endpoint)

    def _channel(self, socket: ChannelSocket) -> Channel:
        self.sockets[socket.topic] = socket
        return Actor(socket, self)


async def cancelled() -> None:
    """Wait for a future that is cancelled."""
    future = asyncio.get_running_loop().create_future()
    future.cancel()
    await future


class Actor(Channel):
    """Acts by the name of the event; joins and terminates by its topic."""

    def __init__(self, socket: ChannelSocket, stage: Stage) -> None:
        super().__init__(socket)
        self.stage = stage

    async def join(self, topic: str, payload: Any) -> dict[str, Any]:
        self.socket.push("early", {})
        if topic == "refusing":
            raise JoinRefused({"reason": "unauthorized"})
        if topic == "awaiting cancelled":
            await cancelled()
        return {"topic": topic}

    async def handle(self, event: str, payload: Any, ref: Ref) -> Reply | Stop | None:
        match event:
            case "wait":
                await self.stage.gate.wait()
            case "spawn":
                self.spawned = asyncio.create_task(self.speak())
            case "crash":
                raise RuntimeError("told to")
            case "await cancelled":
                await cancelled()
        self.stage.handled.append(payload)
        return Reply("ok", {"event": event})

    async def speak(self) -> None:
        self.socket.push("answer", {"text": "here it is"})

    async def terminate(self, reason: TerminateReason) -> None:
        self.stage.ended.put_nowait(reason)
        if self.socket.topic == "failing":
            raise RuntimeError("told to")
        self.socket.push("last words", {"ended": reason.value})


@pytest.fixture
def stage() -> Stage:
    return Stage()


def reply(join_ref: Any, ref: Any, topic: str, response: Any) -> list[Any]:
    return [join_ref, ref, topic, "phx_reply", {"status": "ok", "response": response}]


async def test_what_is_pushed_during_a_join_follows_its_reply(stage: Stage) -> None:
    async with running(stage.app) as address, opened(address) as client:
        frames = [await client.call("1", "2", "a", "phx_join", {}), await client.receive()]

    assert frames == [reply("1", "2", "a", {"topic": "a"}), ["1", None, "a", "early", {}]]


async def test_what_is_pushed_during_a_refused_join_is_dropped(stage: Stage) -> None:
    async with running(stage.app) as address, opened(address) as client:
        refusal = await client.call("1", "1", "refusing", "phx_join", {})

        stage.sockets["refusing"].push("late", {})

        assert refusal[4] == {"status": "error", "response": {"reason": "unauthorized"}}
        assert await client.is_alive()
    assert stage.ended.empty()


async def test_a_slow_channel_holds_up_neither_heartbeats_nor_other_channels(stage: Stage) -> None:
    async with running(stage.app) as address, opened(address) as client:
        for topic in ("slow", "other"):
            await client.join(topic)
            await client.receive()
        await client.send("1", "2", "slow", "wait", {})

        alive = await client.is_alive()
        others = await client.call("1", "3", "other", "echo", {})
        stage.gate.set()
        late = await client.receive()

    assert alive
    assert others == reply("1", "3", "other", {"event": "echo"})
    assert late == reply("1", "2", "slow", {"event": "wait"})


async def test_one_channel_handles_one_message_at_a_time_in_order(stage: Stage) -> None:
    async with running(stage.app) as address, opened(address) as client:
        await client.join("a")
        await client.receive()
        await client.send("1", "0", "a", "wait", 0)
        for number in range(1, 200):  # more than its inbox takes: nothing is lost
            await client.send("1", str(number), "a", "echo", number)

        before = list(stage.handled)
        stage.gate.set()
        refs = [(await client.receive())[1] for _ in range(200)]

    assert before == []
    assert refs == [str(number) for number in range(200)]
    assert stage.handled == list(range(200))


async def _send_until_stuck(client: RawClient) -> int:
    """Send messages until the connection accepts no more; return the number of bytes sent."""
    sent, text = 0, "x" * 60_000
    try:
        while True:
            async with asyncio.timeout(0.5):
                await client.send("1", None, "a", "echo", text)
            sent += len(text)
    except TimeoutError:
        return sent


async def test_a_channel_that_is_far_behind_stops_the_reading_of_its_socket(stage: Stage) -> None:
    async with running(stage.app, **UNBUDGETED) as address, connected(address) as client:
        await client.upgrade()
        await client.send("1", "1", "a", "phx_join", {})
        await client.send("1", "2", "a", "wait", {})

        sent = await _send_until_stuck(client)
        stage.gate.set()

    assert sent < 30_000_000  # the inbox, and what the two kernels buffer


async def test_a_client_whose_socket_is_not_read_is_not_taken_for_silent(stage: Stage) -> None:
    async with (
        running(stage.app, idle_timeout_s=0.2, **UNBUDGETED) as address,
        connected(address) as client,
    ):
        await client.upgrade()
        await client.send("1", "1", "a", "phx_join", {})
        await client.read()
        await client.send("1", "2", "a", "wait", {})
        await _send_until_stuck(client)
        stage.gate.set()

        assert b'"event":"wait"' in await client.read()


async def test_an_acknowledgement_and_an_answer_that_is_there_leave_in_one_write(
    stage: Stage,
) -> None:
    async with running(stage.app) as address, connected(address) as client:
        await client.upgrade()
        await client.send("1", "1", "a", "phx_join", {})
        await client.read()

        await client.send("1", "2", "a", "spawn", {})
        data = await client.read()

    assert data.index(b"phx_reply") < data.index(b"here it is")


async def test_a_message_without_a_ref_is_handled_and_not_answered(stage: Stage) -> None:
    async with running(stage.app) as address, opened(address) as client:
        await client.join("a")
        await client.receive()
        await client.send("1", None, "a", "echo", "no ref")

        answer = await client.call("1", "2", "a", "echo", "ref")

    assert answer[1] == "2"
    assert stage.handled == ["no ref", "ref"]


async def test_an_event_that_is_no_string_crashes_the_channel(stage: Stage) -> None:
    async with running(stage.app) as address, opened(address) as client:
        await client.join("a")
        await client.receive()

        error = await client.call("1", "2", "a", None, {})

    assert error == ["1", "1", "a", "phx_error", {"reason": "channel_crash"}]


async def test_waiting_for_what_was_cancelled_crashes_the_channel_alone(stage: Stage) -> None:
    async with running(stage.app) as address, opened(address) as client:
        await client.join("a")
        await client.receive()

        frames = [await client.call("1", "2", "a", "await cancelled", {}), await client.receive()]
        refusal = await client.call("3", "3", "awaiting cancelled", "phx_join", {})
        again = await client.call("4", "4", "a", "phx_join", {})

    assert frames == [
        ["1", "1", "a", "phx_error", {"reason": "channel_crash"}],
        ["1", None, "a", "last words", {"ended": "crashed"}],
    ]
    assert refusal[4] == {"status": "error", "response": {"reason": "join crashed"}}
    assert again == reply("4", "4", "a", {"topic": "a"})


async def test_a_crash_ends_one_channel_and_not_the_socket(stage: Stage) -> None:
    async with running(stage.app) as address, opened(address) as client:
        for topic in ("a", "b"):
            await client.join(topic)
            await client.receive()

        frames = [await client.call("1", "2", "a", "crash", {}), await client.receive()]
        others = await client.call("1", "3", "b", "echo", {})
        again = await client.call("4", "4", "a", "phx_join", {})

    assert frames == [
        ["1", "1", "a", "phx_error", {"reason": "channel_crash"}],
        ["1", None, "a", "last words", {"ended": "crashed"}],
    ]
    assert others == reply("1", "3", "b", {"event": "echo"})
    assert again == reply("4", "4", "a", {"topic": "a"})


async def test_a_channel_that_fails_to_terminate_has_still_ended(stage: Stage) -> None:
    async with running(stage.app) as address, opened(address) as client:
        await client.join("failing")
        await client.receive()
        left = [await client.call("1", "2", "failing", "phx_leave", {}), await client.receive()]

        again = await client.call("3", "3", "failing", "phx_join", {})

    assert [frame[3] for frame in left] == ["phx_reply", "phx_close"]
    assert again == reply("3", "3", "failing", {"topic": "failing"})


async def test_a_leave_waits_for_the_messages_before_it_and_drops_those_behind(
    stage: Stage,
) -> None:
    async with running(stage.app) as address, opened(address) as client:
        await client.join("a")
        await client.receive()
        for ref, event in [("2", "wait"), ("3", "phx_leave"), ("4", "echo")]:
            await client.send("1", ref, "a", event, ref)
        assert await client.is_alive()
        stage.gate.set()
        frames = [await client.receive() for _ in range(4)]

    assert frames == [
        reply("1", "2", "a", {"event": "wait"}),
        reply("1", "3", "a", {}),
        ["1", "1", "a", "phx_close", {}],
        ["1", None, "a", "last words", {"ended": "left"}],
    ]
    assert stage.handled == ["2"]


async def test_a_leave_and_a_join_right_behind_it_are_answered_in_that_order(stage: Stage) -> None:
    async with running(stage.app) as address, opened(address) as client:
        await client.join("a")
        await client.receive()
        await client.send("1", "2", "a", "phx_leave", {})
        await client.send("3", "3", "a", "phx_join", {})
        frames = [await client.receive() for _ in range(5)]

    assert frames == [
        reply("1", "2", "a", {}),
        ["1", "1", "a", "phx_close", {}],
        ["1", None, "a", "last words", {"ended": "left"}],
        reply("3", "3", "a", {"topic": "a"}),
        ["3", None, "a", "early", {}],
    ]


async def test_a_second_join_lets_the_first_finish_and_closes_it_after_the_new_reply(
    stage: Stage,
) -> None:
    async with (
        running(stage.app) as address,
        opened(address) as client,
        opened(address) as other,
    ):
        await client.join("a")
        await client.receive()
        await client.send("1", "2", "a", "wait", "finished")
        await client.send("1", "3", "a", "echo", "dropped")
        await client.send("4", "4", "a", "phx_join", {})
        # This socket waits for the join; when another that spoke later is answered, it has come.
        assert await other.is_alive()
        assert await other.is_alive()
        stage.gate.set()
        frames = [await client.receive() for _ in range(5)]

    assert frames == [
        reply("4", "4", "a", {"topic": "a"}),
        ["1", "1", "a", "phx_close", {}],
        reply("1", "2", "a", {"event": "wait"}),
        ["1", None, "a", "last words", {"ended": "replaced"}],
        ["4", None, "a", "early", {}],
    ]
    assert stage.handled == ["finished"]


async def test_a_replaced_channel_that_overstays_its_grace_is_cancelled(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phoenix_channel, "_GRACE_S", 0.05)
    async with running(stage.app) as address, opened(address) as client:
        await client.join("a")
        await client.receive()
        await client.send("1", "2", "a", "wait", {})
        await client.send("4", "4", "a", "phx_join", {})
        frames = [await client.receive() for _ in range(3)]

        assert await client.is_alive()
    assert [frame[3] for frame in frames] == ["phx_reply", "phx_close", "early"]
    assert stage.handled == []


async def test_a_client_that_goes_away_has_its_messages_handled_and_its_channels_ended(
    stage: Stage,
) -> None:
    async with running(stage.app) as address:
        async with opened(address) as client:
            for topic in ("a", "b"):
                await client.join(topic)
                await client.receive()
            await client.send("1", "2", "a", "wait", "first")
            await client.send("1", "3", "a", "echo", "second")
            assert await client.is_alive()
        ended = [await stage.ended.get()]
        stage.gate.set()
        ended.append(await stage.ended.get())

    assert ended == [TerminateReason.DISCONNECTED] * 2
    assert stage.handled == ["first", "second"]


async def test_a_socket_can_be_used_from_any_task_and_after_its_end(stage: Stage) -> None:
    async with running(stage.app) as address, opened(address) as client:
        await client.join("a")
        await client.receive()
        socket = stage.sockets["a"]

        socket.push("from outside", msgspec.Raw(b'{"n":1}'))
        socket.reply("late", "ok", {})
        socket.stop()
        frames = [await client.receive() for _ in range(4)]
        await client.call("1", "9", "a", "echo", {})
        socket.push("too late", {})
        socket.reply("too late", "ok", {})
        socket.stop()

        assert await client.is_alive()
    assert frames == [
        ["1", None, "a", "from outside", {"n": 1}],
        reply("1", "late", "a", {}),
        ["1", "1", "a", "phx_close", {}],
        ["1", None, "a", "last words", {"ended": "stopped"}],
    ]


async def test_a_broadcast_reaches_every_version_and_whoever_has_left_no_more() -> None:
    endpoint = vector_endpoint()
    async with (
        running(vector_app(endpoint)) as address,
        opened(address) as two,
        opened(address, query="") as one,
        opened(address) as gone,
    ):
        for client in (two, gone):
            await client.join("room:a")
        await one.websocket.send('{"topic":"room:a","event":"phx_join","payload":{},"ref":"1"}')
        await one.receive()
        await gone.send("1", "2", "room:a", "phx_leave", {})
        assert [(await gone.receive())[3] for _ in range(2)] == ["phx_reply", "phx_close"]

        endpoint.broadcast("room:a", "news", {"n": 1})
        endpoint.broadcast("room:nobody", "news", {"n": 2})

        assert await two.receive() == [None, None, "room:a", "news", {"n": 1}]
        assert await one.receive() == {
            "event": "news",
            "payload": {"n": 1},
            "ref": None,
            "topic": "room:a",
        }
        assert await gone.is_alive()


async def test_a_server_that_stops_closes_with_1012_and_ends_the_channels(stage: Stage) -> None:
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(running(stage.app))
        async with opened(address) as client:
            await client.join("a")
            closing = asyncio.create_task(client.close_code())
            await stack.aclose()

            assert await closing == 1012
    assert stage.ended.get_nowait() is TerminateReason.DISCONNECTED


async def test_a_client_that_does_not_answer_the_close_does_not_hold_up_the_stop() -> None:
    async with AsyncExitStack() as server:
        address = await server.enter_async_context(running(vector_app(), close_timeout_s=0.2))
        async with connected(address) as client:
            await client.upgrade()

            async with asyncio.timeout(5):
                await server.aclose()

            assert await client.read_to_end() == b"\x88\x02" + (1012).to_bytes(2, "big")


# Binary messages.


class Scales(Channel):
    """Weighs bytes, and has no event with any other payload."""

    async def join(self, topic: str, payload: Any) -> dict[str, Any]:
        return {"size": len(payload)}

    async def handle(self, event: str, payload: Any, ref: Ref) -> Reply:
        if not isinstance(payload, bytes):
            raise LookupError("an event without a handler")
        return Reply("ok", {"event": event, "size": len(payload)})


async def test_a_binary_push_reaches_its_channel_in_order_with_the_others() -> None:
    app = vector_app(PhoenixEndpoint("/socket/websocket", {"*": Scales}))
    async with running(app) as address, opened(address) as client:
        await client.send_binary("1", "1", "cameră", "phx_join", b"12345")
        await client.send_binary("1", "2", "cameră", "bin", bytes(60_000))
        await client.send_binary("", "3", "cameră", "bin", b"stale: its join_ref is not null")
        await client.send_binary("1", "4", "cameră", "phx_leave", b"")

        replies = [await client.receive() for _ in range(3)]

    assert replies == [
        reply("1", "1", "cameră", {"size": 5}),
        reply("1", "2", "cameră", {"event": "bin", "size": 60_000}),
        reply("1", "4", "cameră", {}),
    ]


async def test_a_binary_push_crashes_a_channel_without_a_binary_event_and_nothing_else() -> None:
    async with running(vector_app()) as address, opened(address) as client:
        await client.join("room:a")
        await client.join("room:b", "2")
        await client.send_binary("1", "3", "room:a", "nothing of the kind", b"\xff")

        error = await client.receive()
        pong = await client.call("2", "4", "room:b", "ping", {})

    assert error == ["1", "1", "room:a", "phx_error", {"reason": "channel_crash"}]
    assert pong == reply("2", "4", "room:b", {})


async def test_a_binary_heartbeat_is_answered() -> None:
    async with running(vector_app()) as address, opened(address) as client:
        await client.send_binary("", "hb", "phoenix", "heartbeat", b"")

        assert (await client.receive())[1:4] == ["hb", "phoenix", "phx_reply"]
