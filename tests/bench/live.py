"""Measures of the live chat: the time that a message takes, memory, and the return after a restart.

The server stores in SQLite, as shipped. Bridges store nothing, or in memory: the way is measured,
not their stores.
"""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from operator import add
from statistics import median
from typing import Any

import httpx
import msgspec

from tests.bench.load import (
    BUSINESS,
    PATIENCE_S,
    TEXT,
    TOPIC,
    BenchmarkFailed,
    Socket,
    frame,
    in_time,
    p99_ms,
)
from tests.bench.measures import Effort, Measure, named, settled_kib
from tests.bench.report import Figure
from tests.bench.servers import Running, in_sqlite, reaching, running

CONVERSATIONS = 500
"""Those at the reference bridge; `Effort` has those at a plain application."""
PER_COORDINATOR = 100
"""The topics of one coordinator's socket, as many as Phoenix allows."""
EXCHANGES_PER_S = 50.0
"""A user's message and a coordinator's answer each: few enough that nothing queues up."""
AT_A_TIME = 50
"""Conversations that begin together; later, those that exchange messages without a pause."""
WARM_UP = 100
RELAY_MEDIAN_MS, RELAY_P99_MS = 20.0, 100.0
PLAIN_P99_MS, BACK_S = 20.0, 15.0
REFUSED, REFUSED_S = 0.05, 60.0
"""The share of the joins that are refused, and for how long."""
DISCONNECT_EVERY_S = 10.0
LOOK_S = 0.05


class Peer(Socket):
    """A Phoenix V2 client of any topics, which waits for replies and for certain texts."""

    def __init__(self) -> None:
        super().__init__()
        self._on_frame = self._on_reply_or_push
        self._refs = itertools.count(1)
        self._join_refs: dict[str, str] = {}
        self._asked: dict[str, asyncio.Future[None]] = {}
        self._awaited: dict[tuple[str, str], asyncio.Future[float]] = {}

    @classmethod
    async def connected(cls, port: int) -> "Peer":
        """Raises: BenchmarkFailed."""
        _, peer = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        await in_time(peer.ready)
        return peer

    def ask(self, topic: str, event: str, payload: object) -> asyncio.Future[None]:
        """Send an event; done once the reply is `ok`, failed with BenchmarkFailed otherwise."""
        ref = self.send(topic, event, payload)
        asked = self._asked[ref] = asyncio.get_running_loop().create_future()
        return asked

    def send(self, topic: str, event: str, payload: object) -> str:
        """Send an event, and return its ref; a reply is ignored."""
        ref = str(next(self._refs))
        if event == "phx_join":
            self._join_refs[topic] = ref
        self.transport.write(frame([self._join_refs[topic], ref, topic, event, payload]))
        return ref

    def beat(self) -> None:
        """Send a heartbeat: the server closes a socket that is silent."""
        ref = str(next(self._refs))
        self.transport.write(frame([None, ref, "phoenix", "heartbeat", {}]))

    def arrival_of(self, topic: str, text: str) -> asyncio.Future[float]:
        """Return the time at which a message with this text arrives."""
        awaited = self._awaited[topic, text] = asyncio.get_running_loop().create_future()
        return awaited

    def _on_reply_or_push(self, text: bytes) -> None:
        _, ref, topic, event, payload = msgspec.json.decode(text)
        if event == "phx_reply":
            asked = self._asked.pop(ref, None)
            if asked is not None and payload["status"] == "ok":
                asked.set_result(None)
            elif asked is not None:
                asked.set_exception(BenchmarkFailed(f"refused: {text[:200]!r}"))
        elif awaited := self._awaited.pop((topic, payload.get("message")), None):
            awaited.set_result(time.perf_counter())


@dataclass(slots=True)
class Crossings:
    """Seconds from a user's message to the coordinator, and from the answer back to the user."""

    there: list[float] = field(default_factory=list)
    back: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class LiveChat:
    """A live chat: both ends of it."""

    user_id: str
    user: Peer
    coordinator: Peer
    numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def topic(self) -> str:
        """The bridge's."""
        return f"chat:{BUSINESS}:{self.user_id}"

    @property
    def _who(self) -> dict[str, str]:
        return {"businessId": BUSINESS, "userId": self.user_id}

    async def begin(self) -> None:
        """Start it: the user asks for a human, the coordinator claims. Raises: BenchmarkFailed."""
        await in_time(self.user.ask(TOPIC, "phx_join", self._who))
        request = {**self._who, "locationId": "l1", "message": TEXT}
        await in_time(self.user.ask(TOPIC, "transfer_to_live_chat", request))
        await self.resume()

    async def resume(self) -> None:
        """Let a coordinator join and exchange a message. Raises: BenchmarkFailed."""
        await in_time(self.coordinator.ask(self.topic, "phx_join", self._who))
        await self.exchange(Crossings())

    async def exchange(self, crossings: Crossings) -> None:
        """Send a user's message, answered at once. Raises: BenchmarkFailed."""
        text = f"{TEXT} ({self.user_id}, {next(self.numbers)})"
        arrival = self.coordinator.arrival_of(self.topic, text)
        began = time.perf_counter()
        message = {**self._who, "locationId": "l1", "message": text}
        await in_time(self.user.ask(TOPIC, "new_message", message))
        there = await in_time(arrival) - began
        arrival = self.user.arrival_of(TOPIC, f"{text}!")
        began = time.perf_counter()
        answer = {"message": f"{text}!", "coordinatorId": "Maria"}
        self.coordinator.send(self.topic, "agent_message", answer)
        crossings.back.append(await in_time(arrival) - began)
        crossings.there.append(there)


class PlainBridge:
    """A plain Phoenix application in a process of its own, which can be restarted."""

    def __init__(self, **settings: Any) -> None:
        self._settings = settings
        self._running = ExitStack()
        self.port = 0
        self.process: Running

    def start(self) -> None:
        """Start it, at the same port as before. Raises: BenchmarkFailed."""
        settings = msgspec.json.encode(self._settings).decode()
        process = running("plain", str(self.port), settings)
        self.process = self._running.enter_context(process)
        self.port = self.process.port

    def stop(self) -> None:
        self._running.close()

    async def control(self, method: str, path: str, body: object = None) -> Any:
        """Make a request that only `tests.bench.serve` knows, and return its answer."""
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}/_bench") as http:
            return (await http.request(method, path, json=body)).raise_for_status().json()

    async def has_joined(self, channels: int) -> float:
        """Return the time at which so many channels are joined. Raises: BenchmarkFailed."""
        began = time.perf_counter()
        while (joined := await self.control("GET", "/channels")) < channels:
            if time.perf_counter() - began > PATIENCE_S:
                raise BenchmarkFailed(f"{joined} of {channels} topics were joined")
            await asyncio.sleep(LOOK_S)
        return time.perf_counter()


@contextmanager
def _with_plain() -> Iterator[tuple[PlainBridge, Running]]:
    """Run a plain application, and a server at it."""
    bridge = PlainBridge()
    bridge.start()
    try:
        with (
            in_sqlite() as files,
            running("server", settings={**files, **reaching(bridge.port)}) as server,
        ):
            yield bridge, server
    finally:
        bridge.stop()


async def relay(effort: Effort) -> list[Figure]:
    """Measure messages there and back at a plain Phoenix application, memory, and a restart."""
    return [figure for count in effort.live_chats for figure in await _relayed(effort, count)]


async def _relayed(effort: Effort, count: int) -> list[Figure]:
    with _with_plain() as (bridge, server):
        before_kib = await settled_kib(server)
        async with _live_chats(server.port, bridge.port, count) as chats:
            await _paced(chats, WARM_UP)  # and the beginnings are told meanwhile
            each_kib = (await settled_kib(server) - before_kib) / count
            timed = await _there_and_back(chats, effort, server, bridge)
            bridge.stop()
            bridge.start()
            began = time.perf_counter()
            back_s = await bridge.has_joined(count) - began
            await _resume(chats, bridge.port)
    return [
        timed,
        Figure(
            name=f"{count:,} live chats, memory of each",
            value=each_kib,
            unit="KiB",
            detail="of the server: the user's socket, the conversation and the bridge's topic",
        ),
        Figure(
            name=f"{count:,} live chats, all back after a restart",
            value=back_s,
            unit="s",
            goal=BACK_S,
            detail="from the restarted application's first answer to the last join; "
            "then each has relayed a message either way",
        ),
    ]


async def _there_and_back(
    chats: Sequence[LiveChat], effort: Effort, server: Running, bridge: PlainBridge
) -> Figure:
    clocks = (server.cpu_us, bridge.process.cpu_us, _own_cpu_us)
    began, before = time.perf_counter(), [clock() for clock in clocks]
    crossings = await _paced(chats, effort.exchanges)
    seconds = time.perf_counter() - began
    used = [(clock() - was) / 1e6 / seconds for clock, was in zip(clocks, before, strict=True)]
    both = list(map(add, crossings.there, crossings.back))
    return Figure(
        name=f"{len(chats):,} live chats, there and back, 99 %",
        value=p99_ms(both),
        unit="ms",
        goal=PLAIN_P99_MS,
        detail=f"median {median(both) * 1000:.1f} ms, slowest {max(both) * 1000:.0f} ms; 99 % "
        f"there {p99_ms(crossings.there):.1f} ms, back {p99_ms(crossings.back):.1f} ms; "
        f"{EXCHANGES_PER_S:g} exchanges per second; "
        f"CPU: server {used[0]:.0%}, application {used[1]:.0%}, load {used[2]:.0%}",
    )


async def refusals(effort: Effort) -> list[Figure]:
    """Measure the return of live chats to an application that refused some joins for a minute.

    It disconnects all sockets every few seconds meanwhile.
    """
    count = max(effort.live_chats)
    with _with_plain() as (bridge, server):
        async with _live_chats(server.port, bridge.port, count) as chats:
            await bridge.control("PUT", "/settings", {"refused_joins": REFUSED})
            until = time.perf_counter() + REFUSED_S
            while time.perf_counter() < until:
                await bridge.control("POST", "/disconnect")
                for chat in chats:
                    chat.user.beat()
                await asyncio.sleep(DISCONNECT_EVERY_S)
            missing = count - await bridge.control("GET", "/channels")
            await bridge.control("PUT", "/settings", {})
            began = time.perf_counter()
            back_s = await bridge.has_joined(count) - began
            await _resume(chats, bridge.port)
    return [
        Figure(
            name=f"{count:,} live chats, all back after refused joins",
            value=back_s,
            unit="s",
            goal=BACK_S,
            detail=f"{REFUSED:.0%} of the joins were refused for {REFUSED_S:g} s, and all sockets "
            f"disconnected every {DISCONNECT_EVERY_S:g} s; {missing} topics were missing then",
        )
    ]


async def reference(effort: Effort) -> list[Figure]:
    """Measure the time from a user's socket to a coordinator's and back, at our own bridge."""
    with in_sqlite() as files, running("bridge", settings={"BRIDGE_STORE": "memory"}) as bridge:
        with running("server", settings={**files, **reaching(bridge.port)}) as server:
            async with _live_chats(server.port, bridge.port, CONVERSATIONS) as chats:
                await _paced(chats, WARM_UP)
                crossings = await _paced(chats, effort.exchanges)
                busiest = await _busiest(chats, effort.exchanges, server, bridge)
    return [
        *_percentiles("relay from user to coordinator", crossings.there),
        *_percentiles("relay from coordinator to user", crossings.back),
        busiest,
    ]


@asynccontextmanager
async def _live_chats(
    server_port: int, bridge_port: int, count: int
) -> AsyncIterator[list[LiveChat]]:
    coordinators = await _coordinators(bridge_port, count)
    users = [await Peer.connected(server_port) for _ in range(count)]
    chats = list(map(LiveChat, named("user", count), users, itertools.cycle(coordinators)))
    for first in range(0, count, AT_A_TIME):
        await asyncio.gather(*(chat.begin() for chat in chats[first : first + AT_A_TIME]))
    yield chats
    for peer in (*users, *coordinators):
        await peer.close()


async def _coordinators(bridge_port: int, count: int) -> list[Peer]:
    """Connect as many sockets as so many live chats need."""
    needed = -(-count // PER_COORDINATOR)
    return [await Peer.connected(bridge_port) for _ in range(needed)]


async def _resume(chats: Sequence[LiveChat], bridge_port: int) -> None:
    """Exchange a message in each live chat, after the coordinators' sockets were lost.

    Raises: BenchmarkFailed.
    """
    coordinators = await _coordinators(bridge_port, len(chats))
    resumed = [
        replace(chat, coordinator=coordinator)
        for chat, coordinator in zip(chats, itertools.cycle(coordinators), strict=False)
    ]
    for first in range(0, len(chats), AT_A_TIME):
        await asyncio.gather(*(chat.resume() for chat in resumed[first : first + AT_A_TIME]))
    for coordinator in coordinators:
        await coordinator.close()


async def _paced(chats: Sequence[LiveChat], exchanges: int) -> Crossings:
    """Run exchanges at an even pace, each in the next conversation, without waiting for others."""
    crossings = Crossings()
    due = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for chat in itertools.islice(itertools.cycle(chats), exchanges):
            due += 1 / EXCHANGES_PER_S
            await asyncio.sleep(due - time.perf_counter())
            group.create_task(chat.exchange(crossings))
    return crossings


async def _busiest(
    chats: Sequence[LiveChat], exchanges: int, server: Running, bridge: Running
) -> Figure:
    """Measure the highest rate of exchanges, each conversation having one in progress."""
    crossings = Crossings()

    async def go_on(chat: LiveChat) -> None:
        for _ in range(exchanges // AT_A_TIME):
            await chat.exchange(crossings)

    began, cpu_us = time.perf_counter(), (server.cpu_us(), bridge.cpu_us())
    await asyncio.gather(*(go_on(chat) for chat in chats[:AT_A_TIME]))
    seconds = time.perf_counter() - began
    used = [
        (now - before) / 1e6 / seconds
        for now, before in zip((server.cpu_us(), bridge.cpu_us()), cpu_us, strict=True)
    ]
    return Figure(
        name="relayed at most, words either way",
        value=2 * len(crossings.back) / seconds,
        unit="/s",
        detail=f"{AT_A_TIME} conversations without a pause; "
        f"CPU: server {used[0]:.0%}, bridge {used[1]:.0%}",
    )


def _percentiles(name: str, seconds: Sequence[float]) -> list[Figure]:
    return [
        Figure(
            name=f"{name}, median", value=median(seconds) * 1000, unit="ms", goal=RELAY_MEDIAN_MS
        ),
        Figure(
            name=f"{name}, 99 %",
            value=p99_ms(seconds),
            unit="ms",
            goal=RELAY_P99_MS,
            detail=f"{len(seconds)} in {CONVERSATIONS} live chats, {EXCHANGES_PER_S:g} either way "
            f"per second; the slowest {max(seconds) * 1000:.0f} ms",
        ),
    ]


def _own_cpu_us() -> float:
    return time.process_time() * 1e6


LIVE_MEASURES: Mapping[str, Measure] = {"relay": relay, "reference": reference}
LONG_LIVE_MEASURES: Mapping[str, Measure] = {"refusals": refusals}
"""Those that are measured only where they are named."""
