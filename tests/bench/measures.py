"""The measures. Each starts its own servers and returns figures.

Machines are noisy, so costs are compared that were taken in turns in one run, and the median of
the rounds counts. A cost is CPU time of the server's process, all of its threads.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median, quantiles

from tests.bench.load import (
    ECHO,
    LISTENER,
    SPEAKER,
    Crowd,
    Part,
)
from tests.bench.report import Figure
from tests.bench.servers import ROOT, Running, in_dynamodb, in_sqlite, running, serving

MEMORY = {"STORE": "memory"}
LONG, SHORT = 10_000, 10
SETTLE_S = 0.5
"""Between two looks at a memory that may still change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """The size of a measure."""

    rounds: int = 15
    messages: int = 20
    """Messages of each connection in one round; twice as many warm up."""
    connections: int = 50
    idle: int = 2_000
    starts: int = 5
    live_chats: tuple[int, ...] = (120, 500, 1_000)
    """Those at a plain Phoenix application, measured one after the other."""
    exchanges: int = 1_500
    """Between users and coordinators."""
    notices: int = 10_000
    """Notices that wait for the bridge at the end of an outage."""
    moves: int = 100
    """Clients that move between two processes in mid-answer, and other rounds there."""
    streaming: int = 500
    """Sockets with an answer under way while both processes are restarted."""


QUICK = Effort(
    rounds=7,
    idle=1_000,
    starts=3,
    live_chats=(120,),
    exchanges=200,
    notices=2_000,
    moves=20,
    streaming=100,
)


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: a server and its clients."""

    server: Running
    crowd: Crowd

    async def cost_us(self, messages: int) -> float:
        """Return the server's CPU per message, in µs, over one round."""
        before = self.server.cpu_us()
        await self.crowd.speak(messages)
        return (self.server.cpu_us() - before) / (messages * self.crowd.speakers)


@dataclass(slots=True)
class Costs:
    """The cost of a message on one side, in µs, round by round."""

    name: str
    rounds: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.name} {median(self.rounds):.1f} µs"


async def turn(effort: Effort) -> list[Figure]:
    """Measure a turn of the AI against an echo of the same frame."""
    async with AsyncExitStack() as stack:
        echo = await side_of(stack, effort, running("echo"), ECHO)
        server = await side_of(stack, effort, running("server", settings=MEMORY))
        echoes, turns = await alternate(effort, echo=echo, turn=server)
        saturated = await _saturated(server, effort)
    return [compared("turn, CPU against an echo", turns, echoes, goal=3.0), *saturated]


async def _saturated(side: Side, effort: Effort) -> list[Figure]:
    crowd, messages = side.crowd, effort.rounds * effort.messages
    crowd.latencies.clear()
    began, ours, theirs = time.perf_counter(), time.process_time(), side.server.cpu_us()
    await crowd.speak(messages)
    seconds, ours = time.perf_counter() - began, time.process_time() - ours
    theirs = (side.server.cpu_us() - theirs) / 1e6
    return [
        Figure(
            name="turns per second",
            value=messages * crowd.speakers / seconds,
            unit="/s",
            detail=f"{crowd.speakers} connections, one message of each under way; "
            f"CPU: server {theirs / seconds:.0%}, load {ours / seconds:.0%}",
        ),
        _latency("acknowledgement", crowd.latencies.acknowledged),
        _latency("answer", crowd.latencies.answered),
    ]


async def sqlite(effort: Effort) -> list[Figure]:
    """Measure a turn stored in SQLite against one stored in memory."""
    async with AsyncExitStack() as stack:
        sides = {"memory": await side_of(stack, effort, running("server", settings=MEMORY))}
        for synchronous in ("full", "normal"):
            settings = stack.enter_context(in_sqlite(synchronous))
            sides[synchronous] = await side_of(stack, effort, running("server", settings=settings))
        memory, full, normal = await alternate(effort, **sides)
    return [
        compared("turn in SQLite, CPU against memory", full, memory, goal=2.5),
        compared("  with SQLITE_SYNCHRONOUS=normal", normal, memory),
    ]


async def dynamodb(effort: Effort) -> list[Figure]:
    """Measure a turn stored in DynamoDB against an echo that makes the same requests by the SDK."""
    effort = replace(effort, connections=10, messages=10)
    async with AsyncExitStack() as stack:
        settings = stack.enter_context(in_dynamodb())
        sdk, client = [
            await side_of(stack, effort, running(kind, settings=settings), ECHO)
            for kind in ("sdk", "client")
        ]
        server = await side_of(stack, effort, running("server", settings=settings))
        theirs, ours, turns = await alternate(effort, sdk=sdk, client=client, turn=server)
    return [
        compared("turn in DynamoDB, CPU against the bare SDK", turns, theirs, goal=0.5),
        compared("  its three requests by our client, the same", ours, theirs),
        Figure(
            name="CPU of a turn in DynamoDB",
            value=median(turns.rounds),
            unit="µs",
            goal=1e6 / 750,
            detail=f"{1e6 / median(turns.rounds):,.0f} turns per second of CPU; "
            f"{server.crowd.speakers} connections, one message of each under way",
        ),
    ]


async def idle(effort: Effort, checkout: Path = ROOT) -> list[Figure]:
    """Measure the memory of a joined and silent connection, and the rate of joins."""
    with running("server", settings=MEMORY, checkout=checkout) as server:
        async with Crowd() as crowd:
            await crowd.add(server.port, named("warm", 250))
            before = await settled_kib(server)
            began, cpu_us = time.perf_counter(), server.cpu_us()
            for first in range(0, effort.idle, 100):
                await crowd.add(server.port, named(f"idle-{first}", 100))
            seconds, cpu_us = time.perf_counter() - began, server.cpu_us() - cpu_us
            after = await settled_kib(server)
    return [
        Figure(
            name="memory per joined idle connection",
            value=(after - before) / effort.idle,
            unit="KiB",
            goal=8.0,
            detail=f"{effort.idle:,} connections: {before:,} KiB before, {after:,} KiB after",
        ),
        Figure(
            name="connections and joins per second",
            value=effort.idle / seconds,
            unit="/s",
            detail=f"100 at a time; server CPU {cpu_us / effort.idle:.0f} µs each",
        ),
    ]


async def length(effort: Effort) -> list[Figure]:
    """Measure a turn in a long conversation against one in a short conversation, by store."""
    figures = await _length("memory", MEMORY, effort)
    with in_sqlite() as settings:
        return figures + await _length("SQLite", settings, effort)


async def _length(store: str, settings: Mapping[str, str], effort: Effort) -> list[Figure]:
    # A short conversation is short for a few messages only, so each round has new ones.
    long = list(named("long", 20))
    short = [list(named(f"short-{number}", 20)) for number in range(2 * effort.rounds + 1)]
    filled = [f"{user}:{LONG}" for user in long]
    filled += [f"{user}:{SHORT}" for users in short for user in users]
    with running("filled", *filled, settings=settings) as server:
        async with await Crowd.of(server.port, named("new", 20)) as crowd:
            await crowd.speak(50)  # a warm-up of what all of them share
        cold = await _cold_costs(server, long, short.pop())
        warm = await _warm_costs(server, long, short)
    name = f"turn after {LONG:,} messages against {SHORT}, {store}"
    return [compared(name, *warm, goal=1.1), compared("  with connecting and joining", *cold)]


async def _cold_costs(server: Running, long: list[str], short: list[str]) -> tuple[Costs, Costs]:
    """Measure turns of returning users, of whom the server has nothing in memory."""
    costs = Costs("long"), Costs("short")
    for first in range(0, len(long), 4):
        for users, last_seq, its in ((long, LONG, costs[0]), (short, SHORT, costs[1])):
            returning = users[first : first + 4]
            before = server.cpu_us()
            async with await Crowd.of(server.port, returning, last_seq=last_seq) as crowd:
                await crowd.speak(1)
            its.rounds.append((server.cpu_us() - before) / len(returning))
    return costs


async def _warm_costs(
    server: Running, long: list[str], short: list[list[str]]
) -> tuple[Costs, Costs]:
    """Measure turns in conversations that the server has in memory."""
    costs = Costs("long"), Costs("short")
    async with await Crowd.of(server.port, long) as talkative:
        for users in short:
            async with await Crowd.of(server.port, users) as crowd:
                for its, side in zip(costs, (talkative, crowd), strict=True):
                    its.rounds.append(await Side(server, side).cost_us(2))
    return costs


async def pushes(effort: Effort) -> list[Figure]:
    """Measure the cost of each further socket of the same user."""
    sockets = 20
    async with AsyncExitStack() as stack:
        alone = await side_of(stack, effort, running("server", settings=MEMORY))
        heard = await side_of(stack, effort, running("server", settings=MEMORY))
        listeners = [user for user in named("user", effort.connections) for _ in range(sockets)]
        await heard.crowd.add(heard.server.port, listeners, LISTENER)
        few = replace(effort, rounds=5, messages=5)
        one, many = await alternate(few, one=alone, many=heard)
    extra = [b - a for a, b in zip(one.rounds, many.rounds, strict=True)]
    return [
        Figure(
            name="push to another socket of the user, CPU",
            value=median(extra) / (2 * sockets),
            unit="µs",
            detail=f"{sockets} more sockets, two pushes to each per turn",
        )
    ]


async def start(effort: Effort) -> list[Figure]:
    """Measure the time from the start of the command to the first answer of `/health`."""
    times = []
    for _ in range(effort.starts):
        with in_sqlite() as settings:
            times.append(time_to_health(settings))
    return [
        Figure(
            name="/health answers after",
            value=median(times),
            unit="s",
            goal=1.0,
            detail=f"{effort.starts} starts: {min(times):.2f} to {max(times):.2f} s",
        )
    ]


Measure = Callable[[Effort], Awaitable[list[Figure]]]
SERVER_MEASURES: Mapping[str, Measure] = {
    "turn": turn,
    "sqlite": sqlite,
    "dynamodb": dynamodb,
    "idle": idle,
    "length": length,
    "pushes": pushes,
    "start": start,
}


async def side_of(
    stack: AsyncExitStack,
    effort: Effort,
    server: AbstractContextManager[Running],
    part: Part = SPEAKER,
) -> Side:
    """A server and a crowd of its own, until the stack ends."""
    process = stack.enter_context(server)
    crowd = await Crowd.of(process.port, named("user", effort.connections), part)
    return Side(process, await stack.enter_async_context(crowd))


async def alternate(effort: Effort, **sides: Side) -> list[Costs]:
    """Measure the cost of a message on each side in turn: A B C, A B C, …"""
    costs = [Costs(name) for name in sides]
    for side in sides.values():
        await side.crowd.speak(2 * effort.messages)
    for _ in range(effort.rounds):
        for its, side in zip(costs, sides.values(), strict=True):
            its.rounds.append(await side.cost_us(effort.messages))
    return costs


def compared(name: str, costs: Costs, base: Costs, goal: float | None = None) -> Figure:
    """Return the median of the rounds' ratios."""
    ratios = [cost / other for cost, other in zip(costs.rounds, base.rounds, strict=True)]
    low, _, high = quantiles(ratios, n=4)
    return Figure(
        name=name,
        value=median(ratios),
        unit="x",
        goal=goal,
        detail=f"{costs}, {base}; half of {len(ratios)} rounds within {low:.2f} and {high:.2f}",
    )


async def settled_kib(server: Running) -> int:
    """Return the server's memory, once it does not change any more."""
    memory, before = server.memory_kib(), -1
    while memory != before:
        await asyncio.sleep(SETTLE_S)
        memory, before = server.memory_kib(), memory
    return memory


def named(name: str, count: int) -> Iterator[str]:
    return (f"{name}-{number}" for number in range(count))


def _latency(what: str, seconds: Sequence[float]) -> Figure:
    percentiles = quantiles(seconds, n=100)
    return Figure(
        name=f"{what}, median latency",
        value=percentiles[49] * 1000,
        unit="ms",
        detail=f"99 % within {percentiles[98] * 1000:.1f} ms",
    )


def time_to_health(settings: Mapping[str, str], checkout: Path = ROOT) -> float:
    """Return the seconds from the start of `ai-agent-server serve` to its first `/health`."""
    began = time.perf_counter()
    with serving(settings, checkout):
        return time.perf_counter() - began
