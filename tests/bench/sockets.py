"""As many joined and silent sockets as there are descriptors: their memory, and their CPU time.

Each sends a heartbeat every 30 s, as Phoenix's clients do. They come from several addresses of this
machine, since no address gets more than half of a server's descriptors.
"""

import asyncio
import resource
from collections.abc import Mapping
from functools import partial

from tests.bench.load import SPEAKER, Client, Latencies, all_ready, frame
from tests.bench.measures import MEMORY, QUICK, Effort, Measure, settled_kib
from tests.bench.report import Figure
from tests.bench.servers import running

SPARE = 1_000
"""Descriptors that are left to the server, and to the process of the clients."""
WARM, AT_ONCE, ADDRESSES = 250, 100, 8
BEAT_S, SILENT_S = 30.0, 10.0
HEARTBEAT = frame([None, "hb", "phoenix", "heartbeat", {}])


class Idler(Client):
    """A client that has joined, and hears nothing but the answers to its heartbeats."""

    def _on_message(self, frame: bytes) -> None:
        if b"phx_reply" not in frame:
            self._fail(f"unexpected: {frame[:200]!r}")


async def sockets(effort: Effort) -> list[Figure]:
    """Measure idle sockets up to the limit of descriptors."""
    number = 2_000 if effort == QUICK else resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE
    clients: list[Idler] = []
    with running("server", settings=MEMORY) as server:
        await _connect(server.port, WARM, clients)
        before = await settled_kib(server)
        beating = asyncio.create_task(_beat(clients))
        await _connect(server.port, number - WARM, clients)
        beating.cancel()
        after = server.memory_kib()
        cpu_us = server.cpu_us()
        await _beat_once(clients)
        cpu_us = server.cpu_us() - cpu_us
        silent_us = server.cpu_us()
        await asyncio.sleep(SILENT_S)
        silent_us = server.cpu_us() - silent_us
        lost = sum(client.transport.is_closing() for client in clients)
        for client in clients:
            await client.close()
    more = number - WARM
    return [
        Figure(
            name="memory per joined idle socket",
            value=(after - before) / more,
            unit="KiB",
            goal=8.0,
            detail=f"{more:,} sockets: {before:,} KiB before, {after:,} KiB after; {lost} lost",
        ),
        Figure(
            name="CPU per socket and second, heartbeats included",
            value=cpu_us / number / BEAT_S,
            unit="µs",
            detail=f"{number:,} sockets, {number / BEAT_S:,.0f} heartbeats per second: "
            f"{cpu_us / 1e6 / BEAT_S:.1%} of a core; without any {silent_us / 1e6 / SILENT_S:.2%}",
        ),
    ]


async def _connect(port: int, number: int, clients: list[Idler]) -> None:
    loop = asyncio.get_running_loop()
    for first in range(0, number, AT_ONCE):
        batch: list[Idler] = []
        for at in range(first, min(first + AT_ONCE, number)):
            user = f"user-{len(clients) + len(batch)}"
            make = partial(Idler, user, SPEAKER, Latencies(), None)
            source = (f"127.0.0.{2 + at % ADDRESSES}", 0)
            _, client = await loop.create_connection(make, "127.0.0.1", port, local_addr=source)
            batch.append(client)
        await all_ready(batch)
        clients += batch


async def _beat(clients: list[Idler]) -> None:
    while True:
        await _beat_once(clients)


async def _beat_once(clients: list[Idler]) -> None:
    """Have each client send one heartbeat, evenly over `BEAT_S`."""
    loop, beating = asyncio.get_running_loop(), list(clients)
    began = loop.time()
    for number, client in enumerate(beating):
        client.transport.write(HEARTBEAT)
        if number % 20 == 19:
            await asyncio.sleep(began + number * BEAT_S / len(beating) - loop.time())
    await asyncio.sleep(began + BEAT_S - loop.time())


SOCKET_MEASURES: Mapping[str, Measure] = {"sockets": sockets}
