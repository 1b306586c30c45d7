"""The cost of an outage of the bridge: how the outbox empties after it, and what that slows down.

The server stores in SQLite, as shipped; a counter of notices stands in for the bridge.
"""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress
from statistics import median
from typing import cast

from tests.bench.load import PATIENCE_S, BenchmarkFailed, Crowd, p99_ms
from tests.bench.measures import Effort, Measure, named
from tests.bench.report import Figure
from tests.bench.servers import Running, in_sqlite, reaching, running

TALKERS = 500
"""Users who chat while the bridge is away; each turn causes two notices, message and answer."""
CHATTERS = 50
CHAT_PER_S = 100.0
"""Turns of the chatters, whose acknowledgements are timed with the bridge there and at a drain."""
CALM_S = 4.0
WINDOW = 100
"""Acknowledgements of about a second, which have a percentile of their own."""
LOOK_S = 0.01


class NoticeCounter:
    """A double of the bridge's HTTP side, as cheap as possible; it can be stopped and restarted."""

    def __init__(self) -> None:
        self.port = 0
        self.connections: set[asyncio.Transport] = set()
        self._arrived: dict[bytes, float] = {}
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Accept notices at the same port as before, and forget the earlier ones."""
        self._arrived.clear()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        """Refuse and end all connections."""
        if self._server is not None:
            self._server.close()
        for connection in list(self.connections):
            connection.abort()

    def count(self, request: bytes) -> None:
        """Count a talker's notice, unless it is a repeat."""
        if b'"talker-' in request:
            key = request.partition(b"Idempotency-Key: ")[2][:32]
            self._arrived.setdefault(key, time.perf_counter())

    async def wait_for(self, notices: int) -> float:
        """Return the time at which so many have come. Raises: BenchmarkFailed."""
        began, before = time.perf_counter(), 0
        while len(self._arrived) < notices:
            await asyncio.sleep(LOOK_S)
            if len(self._arrived) > before:
                began, before = time.perf_counter(), len(self._arrived)
            if time.perf_counter() - began > PATIENCE_S:
                raise BenchmarkFailed(f"{before} of {notices} notices came, then none any more")
        return next(itertools.islice(self._arrived.values(), notices - 1, None))


class _Connection(asyncio.Protocol):
    """One connection, on which one request comes after the other (RFC 9112)."""

    def __init__(self, counter: NoticeCounter) -> None:
        self._counter = counter
        self._request = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._counter.connections.add(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._counter.connections.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._request += data
        head, end, body = self._request.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        if end and len(body) >= length:
            self._counter.count(self._request)
            self._request = b""
            # No business is known here.
            known = b"404 Not Found" if head.startswith(b"GET /api/") else b"200 OK"
            self._transport.write(b"HTTP/1.1 %s\r\ncontent-length: 2\r\n\r\n{}" % known)


async def drain(effort: Effort) -> list[Figure]:
    """Measure how the outbox empties after an outage of the bridge, while other users chat."""
    counter = NoticeCounter()
    await counter.start()
    with in_sqlite() as files, running("server", settings=files) as server:
        without_kib = await _growth_kib(server, effort)
    with (
        in_sqlite() as files,
        running("server", settings={**files, **reaching(counter.port)}) as server,
    ):
        calm = await _acknowledged(server, "before", asyncio.sleep(CALM_S))
        counter.stop()
        with_kib = await _growth_kib(server, effort)
        await counter.start()
        began, cpu_us = await counter.wait_for(1), server.cpu_us()
        drained = asyncio.ensure_future(counter.wait_for(effort.notices))
        busy = await _acknowledged(server, "during", drained)
        cpu_us = server.cpu_us() - cpu_us
        calm += await _acknowledged(server, "after", asyncio.sleep(CALM_S))
    counter.stop()
    seconds = drained.result() - began
    return [
        Figure(
            name="notices per second after an outage",
            value=effort.notices / seconds,
            unit="/s",
            detail=f"{effort.notices:,} of {TALKERS} sessions in {seconds:.1f} s, "
            f"{CHAT_PER_S:g} turns per second going on; server CPU {cpu_us / 1e6 / seconds:.0%}",
        ),
        _slowed(busy, calm),
        Figure(
            name="memory per notice that waits",
            value=(with_kib - without_kib) / effort.notices,
            unit="KiB",
            goal=1.0,
            detail=f"the talk made the server grow by {with_kib:,} KiB; "
            f"without a bridge to tell by {without_kib:,} KiB",
        ),
    ]


async def _growth_kib(server: Running, effort: Effort) -> int:
    """Return by how many KiB the server's memory grows while the talkers cause the notices."""
    async with await Crowd.of(server.port, named("talker", TALKERS)) as talkers:
        before = server.memory_kib()
        await talkers.speak(effort.notices // (2 * TALKERS))
        return server.memory_kib() - before


async def _acknowledged(server: Running, name: str, until: Awaitable[object]) -> list[float]:
    """Return the seconds to each acknowledgement of chatters of that name, who go on until then."""
    async with await Crowd.of(server.port, named(name, CHATTERS)) as chatters:
        await chatters.speak(2)  # a warm-up
        chatters.latencies.clear()
        chatting = asyncio.create_task(chatters.chat(CHAT_PER_S))
        waiting = asyncio.ensure_future(until)
        await asyncio.wait({chatting, waiting}, return_when=asyncio.FIRST_COMPLETED)
        chatting.cancel()
        with suppress(asyncio.CancelledError):
            await chatting
        await waiting
        return chatters.latencies.acknowledged


def _slowed(busy: Sequence[float], calm: Sequence[float]) -> Figure:
    """Compare the acknowledgements during a drain with those without a backlog."""
    p99, calm_p99 = p99_ms(busy), p99_ms(calm)
    return Figure(
        name="acknowledgement at a drain, 99 %",
        value=p99 / calm_p99,
        unit="x",
        goal=1.5,
        detail=f"{p99:.1f} ms, {calm_p99:.1f} ms before and after; medians "
        f"{median(busy) * 1000:.1f} ms, {median(calm) * 1000:.1f} ms",
    )


DRAIN_MEASURES: Mapping[str, Measure] = {"drain": drain}
