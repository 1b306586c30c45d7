"""Limits of a socket, and the ends of malformed, silent and slow ones."""

import asyncio
import gc
import json
import weakref
from contextlib import AsyncExitStack
from typing import Any

import pytest

from adapters.phoenix.channel import Channel, ChannelSocket, Reply
from adapters.phoenix.endpoint import PhoenixEndpoint, SocketLimits, SocketObserver
from tests.integration.phoenix.client import (
    ALIVE,
    HEARTBEAT,
    Client,
    RawClient,
    connected,
    masked,
    opened,
)
from tests.support.server import UNBUDGETED, running
from tests.support.vector_app import vector_app, vector_endpoint


class Log(SocketObserver):
    """Records the calls of an observer, and can be waited for."""

    def __init__(self) -> None:
        self.opened = 0
        self.joins: list[str] = []
        self.close_codes: asyncio.Queue[int] = asyncio.Queue()
        self.saw_slow_consumer = asyncio.Event()

    def socket_opened(self) -> None:
        self.opened += 1

    def socket_closed(self, code: int) -> None:
        self.close_codes.put_nowait(code)

    def join(self, outcome: str) -> None:
        self.joins.append(outcome)

    def slow_consumer(self) -> None:
        self.saw_slow_consumer.set()


# Frames.


async def test_a_frame_of_64_kib_is_taken() -> None:
    async with running(vector_app()) as address, opened(address) as client:
        await client.join("room:a")
        text = "x" * (65_536 - len('["1", "2", "room:a", "ping", [""]]'))

        reply = await client.call("1", "2", "room:a", "ping", [text])

    assert reply[4]["response"] == [text]


@pytest.mark.parametrize("size", [65_537, 10_000_000])
async def test_a_larger_frame_closes_with_1009(size: int) -> None:
    async with running(vector_app()) as address, opened(address) as client:
        await client.websocket.send("x" * size)

        assert await client.close_code() == 1009


async def test_fragments_that_grow_larger_close_with_1009() -> None:
    async with running(vector_app()) as address, opened(address) as client:
        await client.websocket.send(["x" * 30_000] * 3)

        assert await client.close_code() == 1009


async def test_a_text_in_fragments_is_one_message() -> None:
    async with running(vector_app()) as address, opened(address) as client:
        await client.websocket.send(['[null,"hb","phoenix",', '"heartbeat"', ",{}]"])

        assert (await client.receive())[1] == "hb"


async def test_a_text_that_is_no_utf8_closes_with_1007() -> None:
    async with running(vector_app()) as address, opened(address) as client:
        await client.websocket.send(b'"\xff"', text=True)

        assert await client.close_code() == 1007


async def test_an_undecodable_frame_closes_with_1011_and_its_socket_alone() -> None:
    async with (
        running(vector_app()) as address,
        opened(address) as client,
        opened(address) as bystander,
    ):
        await client.websocket.send("{")

        assert await client.close_code() == 1011
        assert await bystander.is_alive()


async def test_what_is_unread_does_not_delay_a_close() -> None:
    async with running(vector_app(), close_timeout_s=60) as address, opened(address) as client:
        heartbeat = masked(json.dumps(HEARTBEAT).encode())
        client.websocket.transport.write(masked(b"{") + heartbeat * 100)

        async with asyncio.timeout(5):
            code = await client.close_code()

    assert code == 1011


@pytest.mark.parametrize(
    "frame",
    [b"\x81\x02{}", masked(b"{}", 0xC1), masked(b"{}", 0x83), masked(b"x", 0x80)],
    ids=["unmasked", "reserved bit", "reserved opcode", "continuation of nothing"],
)
async def test_a_frame_against_rfc_6455_closes_with_1002(frame: bytes) -> None:
    async with running(vector_app()) as address, connected(address) as client:
        await client.upgrade()
        await client.write(frame)

        end = await client.read_to_end()

    assert end[0] == 0x88
    assert int.from_bytes(end[2:4], "big") == 1002


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00" * 1000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /socket/websocket HTTP/1.1\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nhost: x\r\n\r\n",
    ],
    ids=["zeros", "TLS", "no key", "no ASCII"],
)
async def test_what_is_no_upgrade_gets_an_http_error(garbage: bytes) -> None:
    async with running(vector_app()) as address, connected(address) as client:
        await client.write(garbage)

        response = await client.read()

    assert response.startswith((b"HTTP/1.1 400", b"HTTP/1.1 404", b"HTTP/1.1 426"))


async def test_an_upgrade_of_a_path_that_is_no_ascii_is_refused() -> None:
    async with running(vector_app()) as address, connected(address) as client:
        response = await client.upgrade("/socket/websocket?vsn=2.0.0&name=Bun\u00e3")

    assert response.startswith((b"HTTP/1.1 400", b"HTTP/1.1 403"))


UPGRADE = (
    b"GET /socket/websocket?vsn=2.0.0 HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\n"
    b"connection: Upgrade\r\nsec-websocket-version: 13\r\n"
    b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (UPGRADE + b"x-long: " + b"x" * 9_000 + b"\r\n\r\n", b"431"),
        (UPGRADE.replace(b"vsn", b"x=" + b"x" * 9_000 + b"&vsn") + b"\r\n", b"414"),
        (UPGRADE + b"content-length: 5\r\n\r\nhello", b"400"),
        (UPGRADE + b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
    ],
    ids=["a long header", "a long path", "a body", "a body in chunks"],
)
async def test_an_upgrade_that_the_library_does_not_take_is_answered_and_closed(
    request_: bytes, status: bytes
) -> None:
    async with running(vector_app()) as address, connected(address) as client:
        await client.write(request_)
        async with asyncio.timeout(5):
            response = await client.read_to_end()

    assert response.startswith(b"HTTP/1.1 " + status)


async def test_an_upgrade_that_nobody_answers_ends_with_the_time_for_a_head() -> None:
    async def mute(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            while (await receive())["type"] != "websocket.disconnect":
                pass
            return
        for phase in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{phase}.complete"})

    async with running(mute, head_timeout_s=0.2) as address, connected(address) as client:
        await client.write(UPGRADE + b"\r\n")
        async with asyncio.timeout(5):
            assert await client.read_to_end() == b""


# Idle sockets.


async def test_a_silent_client_is_closed_with_1002() -> None:
    async with (
        running(vector_app(), idle_timeout_s=0.2) as address,
        opened(address) as client,
    ):
        assert await client.close_code() == 1002


async def test_a_ping_is_a_sign_of_life() -> None:
    loop = asyncio.get_running_loop()
    async with (
        running(vector_app(), idle_timeout_s=0.2, **UNBUDGETED) as address,
        opened(address) as client,
    ):
        until = loop.time() + 0.6
        while loop.time() < until:
            await (await client.websocket.ping())

        assert await client.is_alive()


async def test_what_the_server_sends_is_no_sign_of_life() -> None:
    async with (
        running(vector_app(), idle_timeout_s=0.3, **UNBUDGETED) as address,
        opened(address) as listener,
        opened(address) as speaker,
    ):
        await listener.join("room:a")
        await speaker.join("room:a")
        listening = asyncio.create_task(listener.close_code())
        while not listening.done():
            await speaker.call("1", None, "room:a", "shout", {"n": 1})

        assert listening.result() == 1002
        assert await speaker.call("1", "2", "room:a", "ok", {})


async def test_a_peer_that_vanished_is_aborted_when_it_does_not_answer_the_close() -> None:
    log = Log()
    app = vector_app(vector_endpoint(observer=log))
    async with (
        running(app, idle_timeout_s=0.2, close_timeout_s=0.2) as address,
        connected(address) as vanished,
    ):
        await vanished.upgrade()

        assert await log.close_codes.get() == 1002
        assert (await vanished.read_to_end())[0] == 0x88


# Slow consumers.


class Shouting(Channel):
    """Broadcasts on request."""

    def __init__(self, socket: ChannelSocket, endpoint: PhoenixEndpoint) -> None:
        super().__init__(socket)
        self.endpoint = endpoint

    async def join(self, topic: str, payload: object) -> None:
        return None

    async def handle(self, event: str, payload: object, ref: object) -> Reply:
        self.endpoint.broadcast("room:a", "shout", {"text": "x" * 30_000})
        return Reply()


async def _shout_until_noticed(speaker: Client, log: Log) -> None:
    while not log.saw_slow_consumer.is_set():
        await speaker.call("1", "2", "room:a", "shout", {})
        await speaker.receive()


async def _is_reset(client: RawClient) -> bool:
    """Return True once the server resets the connection, of which nothing is read."""
    try:
        while True:
            await client.send(*HEARTBEAT)
    except ConnectionError:
        return True


@pytest.mark.parametrize(
    "limits", [SocketLimits(max_queued_frames=20), SocketLimits(max_queued_bytes=600_000)], ids=str
)
async def test_a_client_that_does_not_read_is_closed_with_1013_and_forgotten(
    limits: SocketLimits,
) -> None:
    alive: weakref.WeakSet[Channel] = weakref.WeakSet()

    def room(socket: ChannelSocket) -> Channel:
        channel = Shouting(socket, endpoint)
        alive.add(channel)
        return channel

    log = Log()
    endpoint = PhoenixEndpoint("/socket/websocket", {"*": room}, limits=limits, observer=log)
    async with (
        running(vector_app(endpoint), close_timeout_s=0.2) as address,
        opened(address) as speaker,
        connected(address) as deaf,
    ):
        await speaker.join("room:a")
        await deaf.upgrade()
        await deaf.send("1", "1", "room:a", "phx_join", {})
        await deaf.read()

        await _shout_until_noticed(speaker, log)

        assert await log.close_codes.get() == 1013
        assert await _is_reset(deaf)
        gc.collect()
        assert len(alive) == 1
        assert await speaker.is_alive()


async def test_a_client_that_reads_again_in_time_gets_everything_in_order() -> None:
    limits = SocketLimits(max_queued_frames=100_000, max_queued_bytes=1 << 30)
    async with (
        running(vector_app(vector_endpoint(limits=limits)), **UNBUDGETED) as address,
        opened(address) as speaker,
        opened(address, max_queue=1) as listener,
    ):
        await speaker.join("room:a")
        await listener.join("room:a")
        for number in range(500):
            await speaker.call("1", None, "room:a", "shout", {"n": number, "text": "x" * 30_000})

        heard = [(await listener.receive())[4]["n"] for _ in range(500)]

    assert heard == list(range(500))


# Floods.


async def test_ten_thousand_frames_at_once_are_answered_in_order() -> None:
    async with running(vector_app(), **UNBUDGETED) as address, opened(address) as client:
        await client.join("room:a")

        async def flood() -> None:
            for number in range(10_000):
                await client.send("1", number, "room:a", "ping", {"n": number})

        flooding = asyncio.create_task(flood())
        answered = [(await client.receive())[1] for _ in range(10_000)]
        await flooding

    assert answered == list(range(10_000))


async def test_a_burst_of_heartbeats_passes_for_no_slow_consumer() -> None:
    async with running(vector_app(), **UNBUDGETED) as address, opened(address) as client:
        burst = masked(json.dumps(HEARTBEAT).encode()) * 5_000
        client.websocket.transport.write(burst)

        answered = [await client.receive() == ALIVE for _ in range(5_000)]

    assert all(answered)


async def test_a_burst_from_a_channel_passes_for_no_slow_consumer() -> None:
    endpoint = vector_endpoint()
    async with running(vector_app(endpoint)) as address, opened(address) as client:
        await client.join("room:a")
        for number in range(5_000):
            endpoint.broadcast("room:a", "news", {"n": number})

        heard = [(await client.receive())[4]["n"] for _ in range(5_000)]

    assert heard == list(range(5_000))


async def test_a_hundred_channels_are_joined_and_no_more() -> None:
    log = Log()
    app = vector_app(vector_endpoint(limits=SocketLimits(), observer=log))
    async with running(app) as address, opened(address) as client:
        for number in range(100):
            await client.join(f"room:{number}")

        reply = await client.call("1", "2", "room:more", "phx_join", {})

    assert reply[4] == {"status": "error", "response": {"reason": "too many channels joined"}}
    assert log.joins == ["ok"] * 100 + ["limit"]


async def test_half_a_request_does_not_disturb_another_client() -> None:
    async with (
        running(vector_app()) as address,
        connected(address) as half,
        opened(address) as client,
    ):
        await half.write(b"GET /socket/websocket HTTP/1.1\r\nupgrade:")

        assert await client.is_alive()


async def test_clients_that_drop_the_connection_are_forgotten() -> None:
    log = Log()
    async with running(vector_app(vector_endpoint(observer=log))) as address:
        async with AsyncExitStack() as stack:
            for _ in range(20):
                client: RawClient = await stack.enter_async_context(connected(address))
                await client.upgrade()
                await client.send("1", "1", "room:a", "phx_join", {})
                await client.read()
        codes = {await log.close_codes.get() for _ in range(20)}

    assert codes == {1005}
