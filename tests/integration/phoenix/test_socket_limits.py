"""The budget of a socket's frames, the bytes that wait for it, and its time-out."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from adapters.phoenix.channel import Channel
from adapters.phoenix.endpoint import PhoenixEndpoint, SocketObserver
from adapters.phoenix.limits import ConnectionLimits, Connections, SilenceTimer
from adapters.phoenix.server import TopicRoutes
from tests.integration.phoenix.client import HEARTBEAT, RawClient, connected, masked, opened
from tests.support.server import UNBUDGETED, running
from tests.support.vector_app import vector_app

BEAT = masked(b'[null,"1","phoenix","heartbeat",{}]')
PING, PONG, TEXT, MORE = 0x89, 0x8A, 0x01, 0x00


class Silent(Channel):
    """Joins, and answers nothing."""

    async def join(self, topic: str, payload: object) -> None:
        return None

    async def handle(self, event: str, payload: object, ref: object) -> None:
        return None


class Site:
    """An endpoint that is served, and what its limits have refused."""

    def __init__(self) -> None:
        self.refused: list[str] = []
        self.codes: asyncio.Queue[int] = asyncio.Queue()
        self.connections = Connections(on_refusal=self.refused.append)
        self.endpoint = PhoenixEndpoint(
            "/socket/websocket",
            {"*": Silent},
            connections=self.connections,
            observer=_Codes(self.codes),
        )

    @asynccontextmanager
    async def served(self, **limits: Any) -> AsyncIterator[str]:
        """Serve it with these limits, and yield its address."""
        async with running(vector_app(self.endpoint), self.connections, **limits) as address:
            yield address


class _Codes(SocketObserver):
    def __init__(self, codes: asyncio.Queue[int]) -> None:
        self._codes = codes

    def socket_closed(self, code: int) -> None:
        self._codes.put_nowait(code)


@pytest.fixture
def site() -> Site:
    return Site()


def close_code(received: bytes) -> int:
    """Return the code of the close frame that ends what was received."""
    frame = received[received.rindex(b"\x88") :]
    return int.from_bytes(frame[2:4], "big")


# The budget of frames.

FLOODS = {
    "pongs": masked(b"", PONG) * 50,
    "pings": masked(b"", PING) * 50,
    "fragments": masked(b"", TEXT) + masked(b"", MORE) * 49,
    "heartbeats": BEAT * 50,
    "joins": masked(b'["1","1",5,"phx_join",{}]') * 50,
    "large ones": masked(b'[null,"1","phoenix","heartbeat",{"x":"' + b"x" * 45_000 + b'"}]') * 4,
}


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
async def test_a_socket_over_its_budget_of_frames_is_closed_with_1008(
    site: Site, flood: bytes
) -> None:
    budget = {"max_burst_frames": 40, "frames_per_s": 0.001}
    async with site.served(**budget) as address, opened(address) as other:
        async with connected(address) as client:
            await client.upgrade()
            await client.write(flood)
            received = await client.read_to_end()
        code = await site.codes.get()

        assert (close_code(received), code) == (1008, 1008)
        assert await other.is_alive()
    assert site.refused == ["frames"]


async def test_a_socket_within_its_budget_lives(site: Site) -> None:
    budget = {"max_burst_frames": 40, "frames_per_s": 0.001}
    async with site.served(**budget) as address, opened(address) as client:
        for _ in range(39):
            assert await client.is_alive()


async def test_a_budget_grows_with_time(site: Site) -> None:
    budget = {"max_burst_frames": 100, "frames_per_s": 1_000_000}
    async with site.served(**budget) as address, opened(address) as client:
        for _ in range(500):
            assert await client.is_alive()


async def test_of_what_is_sent_over_the_budget_nothing_more_is_parsed(site: Site) -> None:
    budget = {"max_burst_frames": 40, "frames_per_s": 0.001}
    async with site.served(**budget) as address, connected(address) as client:
        await client.upgrade()
        try:
            for _ in range(20):
                await client.write(BEAT * 10_000)
        except ConnectionError:
            pass
        answered = (await client.read_to_end()).count(b"phx_reply")

    assert answered <= 40 + 4096 / len(BEAT)


# Turns: no socket is read for long.


async def test_another_socket_is_answered_before_a_flood_is_parsed(site: Site) -> None:
    async with (
        site.served(**UNBUDGETED) as address,
        connected(address) as flooding,
        opened(address) as client,
    ):
        await flooding.upgrade()
        await client.is_alive()
        await flooding.write(masked(b"", PONG) * 100_000)
        waits = []
        for _ in range(20):
            at = time.perf_counter()
            assert await client.is_alive()
            waits.append(time.perf_counter() - at)

    assert max(waits) < 0.2


# Pings.


async def test_many_pings_at_once_are_answered_by_a_pong_to_the_newest(site: Site) -> None:
    async with site.served() as address, connected(address) as client:
        await client.upgrade()
        pings = b"".join(masked(b"%d" % number, PING) for number in range(100))
        await client.write(pings + BEAT)
        received = b""
        while b"phx_reply" not in received or b"\x8a" not in received:
            received += await client.read()

    assert received.count(b"\x8a") == 1
    assert b"\x8a\x0299" in received


async def test_pongs_that_nobody_reads_do_not_pile_up(site: Site) -> None:
    async with site.served(**UNBUDGETED) as address, connected(address) as client:
        await client.upgrade()
        ping = masked(b"x" * 125, PING)
        try:
            async with asyncio.timeout(1.0):
                for _ in range(200):
                    await client.write(ping * 1_000)
        except TimeoutError:
            pass

        assert site.connections.held_bytes < 300_000
        assert site.refused == []
        async with opened(address) as other:
            assert await other.is_alive()


# What waits.


async def fill(site: Site, address: str, client: RawClient) -> None:
    """Broadcast to a client that does not read, until something of it waits."""
    await client.upgrade()
    await client.send("1", "1", "a", "phx_join", {})
    await client.read()
    while not site.connections.held_bytes:
        site.endpoint.broadcast("a", "news", {"text": "x" * 30_000})
        await asyncio.sleep(0)


async def test_who_takes_nothing_for_a_while_is_closed_with_1013(site: Site) -> None:
    async with (
        site.served(stall_timeout_s=0.3, close_timeout_s=0.2) as address,
        connected(address) as deaf,
    ):
        await fill(site, address, deaf)
        code = await site.codes.get()

        assert (code, site.refused[0]) == (1013, "stalled")
        await deaf.read_to_end()
    assert site.connections.held_bytes == 0


async def test_for_a_client_that_has_gone_nothing_waits(site: Site) -> None:
    """Not even while a message of it takes time still."""
    joining, may_join, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    class Slow(Silent):
        async def join(self, topic: str, payload: object) -> None:
            if topic == "slow":
                joining.set()
                await may_join.wait()

        async def terminate(self, reason: object) -> None:
            ended.set()

    site.endpoint.routes = TopicRoutes({"*": Slow})
    async with site.served() as address:
        async with connected(address) as deaf:
            await fill(site, address, deaf)
            await deaf.send("2", "2", "slow", "phx_join", {})
            await joining.wait()
            for _ in range(5):
                site.endpoint.broadcast("a", "news", {"text": "x" * 30_000})
                await asyncio.sleep(0)
            assert site.connections.held_bytes > 5 * 30_000
        async with asyncio.timeout(5):
            while site.connections.held_bytes:  # noqa: ASYNC110 - no event tells of it
                await asyncio.sleep(0)
            site.endpoint.broadcast("a", "news", {"text": "x" * 30_000})
            await asyncio.sleep(0)
            assert site.connections.held_bytes == 0

            may_join.set()
            await ended.wait()


async def test_a_megabyte_waits_for_one_client_and_no_more(site: Site) -> None:
    async with site.served(close_timeout_s=0.2) as address, connected(address) as deaf:
        await fill(site, address, deaf)
        held = 0
        while site.codes.empty():
            site.endpoint.broadcast("a", "news", {"text": "x" * 30_000})
            held = max(held, site.connections.held_bytes)
            await asyncio.sleep(0)

        assert site.codes.get_nowait() == 1013
        assert 900_000 < held < 1_200_000


async def test_beyond_the_total_the_client_with_the_most_is_closed(site: Site) -> None:
    limits = {"max_waiting_bytes": 600_000, "close_timeout_s": 0.2}
    async with (
        site.served(**limits) as address,
        connected(address) as greedy,
        connected(address) as modest,
    ):
        await fill(site, address, greedy)
        for _ in range(10):
            site.endpoint.broadcast("a", "news", {"text": "x" * 30_000})
        await modest.upgrade()
        await modest.send("1", "1", "a", "phx_join", {})
        await modest.read()
        while site.codes.empty():
            site.endpoint.broadcast("a", "news", {"text": "x" * 30_000})
            await asyncio.sleep(0)

        assert site.codes.get_nowait() == 1013
        assert "waiting_bytes" in site.refused
        await greedy.read_to_end()
        await modest.send(*HEARTBEAT)
        assert b"phx_reply" in await _tail(modest)


async def _tail(client: RawClient) -> bytes:
    """Read until a reply to a heartbeat has come."""
    data = b""
    while b'"hb","phoenix"' not in data:
        data = data[-64:] + await client.read()
    return data


@pytest.mark.parametrize(
    "begun",
    [lambda size: masked(b"x" * 65_000)[:size], lambda size: masked(b"x" * size, TEXT)],
    ids=["frames", "messages"],
)
async def test_frames_and_messages_without_an_end_count_as_waiting(
    site: Site, begun: Callable[[int], bytes]
) -> None:
    async with site.served(max_waiting_bytes=100_000) as address, connected(address) as first:
        async with connected(address) as second:
            for client, size in ((first, 60_000), (second, 50_000)):
                await client.upgrade()
                await client.write(begun(size))

            assert await site.codes.get() == 1013
            assert close_code(await first.read_to_end()) == 1013
            assert site.connections.held_bytes <= 50_000 + 4_096


async def test_what_was_read_and_waits_for_its_turn_counts_too(site: Site) -> None:
    flood = masked(b"", PONG) * 20_000
    async with (
        site.served(**UNBUDGETED, max_waiting_bytes=60_000) as address,
        connected(address) as client,
    ):
        await client.upgrade()
        with suppress(ConnectionError):
            await client.write(flood)

        assert await site.codes.get() == 1013
        await client.read_to_end()
    assert (site.refused[0], site.connections.held_bytes) == ("waiting_bytes", 0)


# Silence.


async def test_a_background_tab_that_beats_once_a_minute_lives() -> None:
    """Browsers let timers of a hidden page run once a minute."""
    assert ConnectionLimits().idle_timeout_s >= 60 * 1.5


async def test_nobody_is_closed_for_a_silence_while_the_process_stood_still(site: Site) -> None:
    async with (
        site.served(idle_timeout_s=0.4) as address,
        opened(address) as client,
        opened(address) as silent,
    ):
        await client.is_alive()
        await client.send(*HEARTBEAT)
        time.sleep(1.0)  # noqa: ASYNC251 - it is what is tested: the loop does not run

        assert (await client.receive())[1] == "hb"
        assert await client.is_alive()
        assert await silent.close_code() == 1002


@pytest.mark.parametrize("still_s", [0.05, 0.16, 0.2, 0.3])
async def test_a_deadline_needs_a_running_loop_at_its_end(still_s: float) -> None:
    loop = asyncio.get_running_loop()
    heard: list[str] = []
    deadline = SilenceTimer(loop, 0.2, lambda: heard.append("expired"))
    loop.call_soon(time.sleep, still_s)

    def on_data() -> None:
        heard.append("data")
        deadline.cancel()

    reading, writing = await _pipe(loop, on_data)
    writing.write(b"x")

    await asyncio.sleep(0.45)

    assert heard == ["data"]
    reading.close()
    writing.close()


async def _pipe(
    loop: asyncio.AbstractEventLoop, on_data: Callable[[], None]
) -> tuple[asyncio.BaseTransport, asyncio.WriteTransport]:
    class Reading(asyncio.Protocol):
        def data_received(self, data: bytes) -> None:
            on_data()

    ours, theirs = socket.socketpair()
    reading, _ = await loop.create_connection(Reading, sock=ours)
    writing, _ = await loop.create_connection(asyncio.Protocol, sock=theirs)
    return reading, writing
