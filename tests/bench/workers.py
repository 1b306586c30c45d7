"""Measures of two workers of one machine against one, and of two nodes with a Redis server.

The workers are those of `ai-agent-server serve`; their parent's CPU and memory count as theirs.
"""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass

import httpx

from tests.bench.load import PATIENCE_S, BenchmarkFailed, Crowd
from tests.bench.measures import Effort, Measure, Side, alternate, compared, named, side_of
from tests.bench.report import Figure
from tests.bench.servers import Running, in_sqlite, memory_kib, running, serving
from tests.support.redis_server import redis_server

WORKER_CPU = 1.1
CONNECTIONS = 1_000


@dataclass(frozen=True)
class TwoNodes(Side):
    """One side that is two processes, `server` and `second`."""

    second: Running

    async def cost_us(self, messages: int) -> float:
        before = self.second.cpu_us()
        of_first = await Side.cost_us(self, messages)
        of_second = (self.second.cpu_us() - before) / (messages * self.crowd.speakers)
        return of_first + of_second


async def workers(effort: Effort) -> list[Figure]:
    """Measure turns, memory and the spread of connections with several processes."""
    async with AsyncExitStack() as stack:
        sides = {}
        for name, count in (("one", "1"), ("two", "2")):
            settings = {**stack.enter_context(in_sqlite()), "WORKERS": count}
            sides[name] = await side_of(stack, effort, _serving(settings))
        one, two = await alternate(effort, **sides)
        memory = _memory(sides["one"].server, sides["two"].server)
        spread = await _spread(sides["two"])
    return [
        compared("turn with two workers, CPU against one", two, one, goal=WORKER_CPU),
        await _nodes(effort),
        memory,
        spread,
    ]


@contextmanager
def _serving(settings: Mapping[str, str]) -> Iterator[Running]:
    """Run `ai-agent-server serve`, once all its workers serve. Raises: BenchmarkFailed."""
    with serving(settings) as server, httpx.Client() as http:
        began = time.perf_counter()
        while http.get(f"http://127.0.0.1:{server.port}/health/ready").json()["status"] != "ok":
            if time.perf_counter() - began > PATIENCE_S:
                raise BenchmarkFailed("a worker did not come to serve")
            time.sleep(0.05)
        yield server


async def _nodes(effort: Effort) -> Figure:
    """Measure turns on two nodes against those on one without a broker."""
    async with AsyncExitStack() as stack:
        alone = running("server", settings=stack.enter_context(in_sqlite()))
        lone = await side_of(stack, effort, alone)
        redis = stack.enter_context(redis_server())
        settings = {
            **stack.enter_context(in_sqlite()),
            "BROKER": "redis",
            "REDIS_URL": redis.url,
        }
        first, second = (
            stack.enter_context(running("server", settings=settings)) for _ in range(2)
        )
        crowd = await stack.enter_async_context(Crowd())
        for server, name in ((first, "first"), (second, "second")):
            await crowd.add(server.port, named(name, effort.connections // 2))
        one, two = await alternate(effort, one=lone, two=TwoNodes(first, crowd, second))
    return compared("turn with two nodes and Redis, CPU against one", two, one)


def _memory(one: Running, two: Running) -> Figure:
    parent, *others = two.pids
    [alone] = one.pids
    sizes = ", ".join(map(_own_and_resident, others))
    return Figure(
        name="memory of two workers and their parent",
        value=two.memory_kib() / 1024,
        unit="MiB",
        detail=f"their own (and resident): parent {_own_and_resident(parent)}, workers {sizes}; "
        f"a lone process {_own_and_resident(alone)}",
    )


def _own_and_resident(pid: int) -> str:
    return f"{memory_kib(pid) / 1024:.0f} ({memory_kib(pid, 'Rss:') / 1024:.0f})"


async def _spread(side: Side) -> Figure:
    """Connect many more users; the share of the worker that got most of them."""
    workers = side.server.pids[1:]
    before = {pid: _sockets(pid) for pid in workers}
    for first in range(0, CONNECTIONS, 100):
        await side.crowd.add(side.server.port, named(f"spread-{first}", 100))
    got = [_sockets(pid) - before[pid] for pid in workers]
    return Figure(
        name=f"of {CONNECTIONS:,} connections, at one worker",
        value=100 * max(got) / sum(got),
        unit="%",
        detail=" and ".join(map(str, got)),
    )


def _sockets(pid: int) -> int:
    folder = f"/proc/{pid}/fd"
    return sum(os.readlink(f"{folder}/{name}").startswith("socket:") for name in os.listdir(folder))


WORKER_MEASURES: Mapping[str, Measure] = {"workers": workers}
