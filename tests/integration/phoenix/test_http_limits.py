"""Limits of an HTTP connection: head, trailers, requests sent ahead, time, number, bytes unread."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from litestar import Litestar, Request, get, post
from litestar.handlers import BaseRouteHandler

from adapters.phoenix.limits import ConnectionLimits, Connections
from tests.integration.phoenix.client import RawClient, connected
from tests.support.server import running
from tests.support.vector_app import vector_endpoint

HUGE = "x" * 8_000_000


class Site:
    """An application that is served, and what its limits have refused."""

    def __init__(self) -> None:
        self.refused: list[str] = []
        self.has_refused = asyncio.Event()
        self.gate = asyncio.Event()
        self.began = asyncio.Event()
        self.connections = Connections(on_refusal=self._note)

    def _note(self, limit: str) -> None:
        self.refused.append(limit)
        self.has_refused.set()

    @asynccontextmanager
    async def served(self, **limits: Any) -> AsyncIterator[str]:
        """Serve it with these limits, and yield its address."""
        routes = [self._echo(), self._huge(), self._wait(), vector_endpoint().route]
        app = Litestar(routes, openapi_config=None, logging_config=None)
        async with running(app, self.connections, **limits) as address:
            yield address
            self.gate.set()

    def _echo(self) -> BaseRouteHandler:
        @post("/echo", status_code=200)
        async def echo(request: Request[Any, Any, Any]) -> str:
            return f"{len(await request.body())} {dict(request.headers)}"

        return echo

    def _huge(self) -> BaseRouteHandler:
        @get("/huge")
        async def huge() -> str:
            return HUGE

        return huge

    def _wait(self) -> BaseRouteHandler:
        @get("/wait")
        async def wait() -> str:
            self.began.set()
            await self.gate.wait()
            return "waited"

        return wait


@pytest.fixture
def site() -> Site:
    return Site()


def statuses(answer: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+)", answer)]


async def answered(client: RawClient, *parts: bytes) -> list[int]:
    """Send the parts, unless the server closes before; return the statuses of the answers."""
    try:
        for part in parts:
            await client.write(part)
    except ConnectionError:
        pass
    return statuses(await client.read_to_end())


def head(*lines: bytes, request: bytes = b"GET /missing HTTP/1.1") -> bytes:
    return b"\r\n".join([request, b"host: x", b"connection: close", *lines, b"", b""])


# The head.


@pytest.mark.parametrize(
    ("extra", "status"),
    [
        ([b"a: b"] * 98, 404),
        ([b"a: b"] * 99, 431),
        ([b"a: " + b"b" * 32_000], 404),
        ([b"a: " + b"b" * 33_000], 431),
        ([b"a: " + b"b" * 16_000] * 3, 431),
        ([b"a" * 33_000 + b": b"], 431),
    ],
    ids=["100 headers", "101 headers", "32,000 bytes", "33,000 bytes", "three", "a long name"],
)
async def test_a_head_has_at_most_100_headers_and_32_kib(
    site: Site, extra: list[bytes], status: int
) -> None:
    async with site.served() as address, connected(address) as client:
        assert await answered(client, head(*extra)) == [status]

    assert site.refused == (["head"] if status == 431 else [])


@pytest.mark.parametrize(
    "piece",
    [b"a: b\r\n", b"a: b" + b"c" * 60_000, b"b" * 60_000],
    ids=["many headers", "long headers", "a header without an end"],
)
async def test_a_head_without_an_end_is_refused_early(site: Site, piece: bytes) -> None:
    start = b"GET /missing HTTP/1.1\r\na: "
    async with site.served() as address, connected(address) as client:
        assert await answered(client, start, *[piece * 100] * 100) == [431]


async def test_a_request_line_without_an_end_is_refused_early(site: Site) -> None:
    async with site.served() as address, connected(address) as client:
        assert await answered(client, b"GET /", *[b"x" * 100_000] * 100) == [414]


async def test_blank_lines_before_a_request_are_refused_in_the_end(site: Site) -> None:
    async with site.served() as address, connected(address) as client:
        assert await answered(client, *[b"\r\n" * 30_000] * 10) == [431]


async def test_a_head_in_small_pieces_is_one_request(site: Site) -> None:
    whole = head(b"a: b", request=b"POST /echo HTTP/1.1").replace(b"a: b", b"content-length: 2")
    async with site.served() as address, connected(address) as client:
        pieces = [whole[at : at + 7] for at in range(0, len(whole), 7)]

        assert await answered(client, *pieces, b"h", b"i") == [200]


# Bodies.

CHUNKED = head(b"transfer-encoding: chunked", request=b"POST /echo HTTP/1.1")


async def test_the_trailers_of_a_body_are_read_and_ignored(site: Site) -> None:
    async with site.served() as address, connected(address) as client:
        await client.write(CHUNKED + b"2\r\nhi\r\n0\r\nx-trailer: 1\r\n\r\n")
        answer = await client.read_to_end()

    assert statuses(answer) == [200]
    assert answer.split(b"\r\n\r\n")[1].startswith(b"2 ")
    assert b"x-trailer" not in answer


@pytest.mark.parametrize(
    "trailer",
    [b"a: b\r\n", b"a: " + b"b" * 10_000 + b"\r\n", b"b" * 10_000],
    ids=["many", "long ones", "one without an end"],
)
async def test_trailers_have_the_bounds_of_a_head(site: Site, trailer: bytes) -> None:
    start = CHUNKED + b"2\r\nhi\r\n0\r\nx-trailer: "
    async with site.served() as address, connected(address) as client:
        assert await answered(client, start, *[trailer * 50] * 100) == [431]

    assert site.refused == ["head"]


async def test_a_chunk_extension_has_the_bounds_of_a_head(site: Site) -> None:
    start = CHUNKED + b"2;x="
    async with site.served() as address, connected(address) as client:
        assert await answered(client, start, *[b"y" * 50_000] * 100) == [431]


async def test_a_body_in_single_bytes_is_whole(site: Site) -> None:
    body = b"1\r\nx\r\n" * 20_000 + b"0\r\n\r\n"
    async with site.served() as address, connected(address) as client:
        await client.write(CHUNKED + body)
        answer = await client.read_to_end()

    assert answer.split(b"\r\n\r\n")[1].startswith(b"20000 ")


# Requests sent ahead.


async def test_sixteen_requests_may_wait_for_the_response_to_another(site: Site) -> None:
    requests = b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n" * 16 + head()
    async with site.served() as address, connected(address) as client:
        await client.write(requests)
        await site.began.wait()
        site.gate.set()

        assert statuses(await client.read_to_end()) == [200] * 16 + [404]


async def test_a_connection_with_more_requests_ahead_is_reset(site: Site) -> None:
    async with site.served() as address, connected(address) as client:
        requests = b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n" * 18

        assert await answered(client, *[requests] * 100) == []

    assert site.refused == ["pipeline"]


async def test_an_upgrade_sent_ahead_of_a_response_is_reset(site: Site) -> None:
    async with site.served() as address, connected(address) as client:
        await client.write(b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n")
        await site.began.wait()

        assert await client.upgrade() == b""
    assert site.refused == ["pipeline"]


# Time.


@pytest.mark.parametrize(
    ("sent", "expected", "limit"),
    [
        (b"", [], "head_time"),
        (b"GET / HT", [408], "head_time"),
        (b"\r\n", [408], "head_time"),
        (head()[:-2], [408], "head_time"),
        (CHUNKED, [408], "body_time"),
        (CHUNKED + b"2\r\nh", [408], "body_time"),
        (CHUNKED + b"2\r\nhi\r\n0\r\nx-tr", [408], "body_time"),
    ],
    ids=["nothing", "half a line", "a blank line", "half a head", "no body", "half", "a trailer"],
)
async def test_a_request_that_does_not_end_in_time_is_refused(
    site: Site, sent: bytes, expected: list[int], limit: str
) -> None:
    timed = {"head_timeout_s": 0.2, "body_timeout_s": 0.2}
    async with site.served(**timed) as address, connected(address) as client:
        assert await answered(client, sent) == expected

    assert site.refused == [limit]


async def test_half_an_upgrade_is_refused_in_time(site: Site) -> None:
    start = b"GET /socket/websocket HTTP/1.1\r\nupgrade: websocket\r\n"
    async with site.served(head_timeout_s=0.2) as address, connected(address) as client:
        assert await answered(client, start) == [408]


@pytest.mark.parametrize("start", [b"GET /", b"\r\nG"], ids=["half a line", "a blank line"])
async def test_a_second_request_has_a_time_of_its_own(site: Site, start: bytes) -> None:
    async with site.served(head_timeout_s=0.2) as address, connected(address) as client:
        await client.write(b"GET /missing HTTP/1.1\r\nhost: x\r\n\r\n")
        first = await client.read()

        assert (statuses(first), await answered(client, start)) == ([404], [408])


async def test_a_blank_line_does_not_keep_an_idle_connection_open(site: Site) -> None:
    async with site.served(timeout_keep_alive=1) as address, connected(address) as client:
        await client.write(b"GET /missing HTTP/1.1\r\nhost: x\r\n\r\n")
        await client.read()

        assert await answered(client, b"\r\n") == []


async def test_a_slow_answer_of_the_server_is_no_fault_of_the_client(site: Site) -> None:
    timed = {"head_timeout_s": 0.1, "body_timeout_s": 0.1}
    async with site.served(**timed) as address, connected(address) as client:
        await client.write(head(request=b"GET /wait HTTP/1.1"))
        await asyncio.sleep(0.4)
        site.gate.set()

        assert statuses(await client.read_to_end()) == [200]


async def test_who_does_not_read_an_answer_is_disconnected(site: Site) -> None:
    async with site.served(stall_timeout_s=0.3) as address, connected(address) as client:
        await client.write(b"GET /huge HTTP/1.1\r\nhost: x\r\n\r\n")
        await site.has_refused.wait()

        assert len(await client.read_to_end()) < len(HUGE)
    assert site.refused == ["stalled"]
    assert site.connections.held_bytes == 0


async def test_who_reads_slowly_gets_the_whole_answer(site: Site) -> None:
    async with site.served(stall_timeout_s=0.2) as address, connected(address) as client:
        await client.write(head(request=b"GET /huge HTTP/1.1"))
        size, loop = 0, asyncio.get_running_loop()
        until = loop.time() + 0.8
        while chunk := await client.read():
            size += len(chunk)
            if loop.time() < until:
                await asyncio.sleep(0.02)

    assert size > len(HUGE)
    assert site.refused == []


# Numbers.


async def test_an_address_has_so_many_connections_from_their_first_byte(site: Site) -> None:
    async with (
        site.served(max_connections_per_address=2) as address,
        AsyncExitStack() as stack,
    ):
        for _ in range(2):
            await stack.enter_async_context(connected(address))
        async with connected(address) as more:
            refused = await answered(more, head())
        await stack.aclose()
        after = refused
        while after == [429]:  # until the server has seen their ends
            async with connected(address) as again:
                after = await answered(again, head())

    assert (refused, after) == ([429], [404])
    assert set(site.refused) == {"connections_per_address"}


async def test_all_have_so_many_connections_together(site: Site) -> None:
    async with site.served(max_connections=1) as address, connected(address) as first:
        async with connected(address) as more:
            refused = await answered(more, head())
        served = await answered(first, head())

    assert (refused, served) == ([503], [404])


async def test_an_open_socket_is_no_such_connection(site: Site) -> None:
    async with site.served(max_connections=1) as address, connected(address) as socket:
        await socket.upgrade()
        async with connected(address) as more:
            assert await answered(more, head()) == [404]
    assert site.connections.open == 0


async def test_a_proxys_connections_do_not_count_by_its_address() -> None:
    connections = Connections(
        ConnectionLimits(max_connections_per_address=1), group_of=lambda address: None
    )

    assert [connections.admit("10.0.0.1", 5) for _ in range(3)] == [None] * 3


def test_the_last_descriptors_are_the_servers_own_and_no_address_gets_most() -> None:
    refused: list[str] = []
    connections = Connections(ConnectionLimits(max_descriptors=256), on_refusal=refused.append)

    assert connections.admit("a", 191) is None
    assert connections.admit("a", 192) == "descriptors"
    assert [connections.admit("a", 10) for _ in range(96)][-2:] == [
        None,
        "connections_per_address",
    ]
    assert connections.admit("b", 10) is None
