"""Measures of the live chat: the time a message takes, and the cost of an outage of the bridge.

The server stores in SQLite, as shipped. The reference bridge stores in memory: the way is measured,
not the bridge's store.
"""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import TypeVar, cast

import msgspec

from tests.bench.load import (
    BUSINESS,
    PATIENCE_S,
    TEXT,
    TOPIC,
    BenchmarkFailed,
    Crowd,
    Socket,
    frame,
)
from tests.bench.measures import Effort, Measure, named
from tests.bench.report import Figure
from tests.bench.servers import Running, in_sqlite, running

CONVERSATIONS = 500
COORDINATORS = 5
"""Sockets that carry the coordinators' topics, each the same share of them."""
EXCHANGES_PER_S = 50.0
"""A user's message and a coordinator's answer each: few enough that nothing queues up."""
AT_A_TIME = 50
"""Conversations that begin together; later, those that exchange messages without a pause."""
WARM_UP = 100
RELAY_MEDIAN_MS, RELAY_P99_MS = 20.0, 100.0

TALKERS = 500
"""Users who chat while the bridge is away; each turn causes two notices, message and answer."""
CHATTERS = 50
CHAT_PER_S = 100.0
"""Turns of the chatters, whose acknowledgements are timed with the bridge there and at a drain."""
CALM_S = 4.0
WINDOW = 100
"""Acknowledgements of about a second, which have a percentile of their own."""
LOOK_S = 0.01


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
        await _in_time(peer.ready)
        return peer

    def ask(self, topic: str, event: str, payload: object) -> asyncio.Future[None]:
        """Send an event; done once the reply is `ok`, failed with BenchmarkFailed otherwise."""
        ref = str(next(self._refs))
        if event == "phx_join":
            self._join_refs[topic] = ref
        asked = self._asked[ref] = asyncio.get_running_loop().create_future()
        self.transport.write(frame([self._join_refs[topic], ref, topic, event, payload]))
        return asked

    def hears(self, topic: str, text: str) -> asyncio.Future[float]:
        """Return the time at which a message with this text arrives."""
        awaited = self._awaited[topic, text] = asyncio.get_running_loop().create_future()
        return awaited

    def _on_reply_or_push(self, text: bytes) -> None:
        _, ref, topic, event, payload = msgspec.json.decode(text)
        if event == "phx_reply":
            asked = self._asked.pop(ref)
            if payload["status"] == "ok":
                asked.set_result(None)
            else:
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

    async def begin(self) -> None:
        """Start it: the user asks for a human, the coordinator claims. Raises: BenchmarkFailed."""
        who = {"businessId": BUSINESS, "userId": self.user_id}
        await _in_time(self.user.ask(TOPIC, "phx_join", who))
        words = {**who, "locationId": "l1", "message": TEXT}
        await _in_time(self.user.ask(TOPIC, "transfer_to_live_chat", words))
        await _in_time(self.coordinator.ask(self.topic, "phx_join", who))
        await self.exchange(Crossings())

    async def exchange(self, crossings: Crossings) -> None:
        """Send a user's message, answered at once. Raises: BenchmarkFailed."""
        text = f"{TEXT} ({self.user_id}, {next(self.numbers)})"
        said = {"businessId": BUSINESS, "locationId": "l1", "userId": self.user_id, "message": text}
        heard = self.coordinator.hears(self.topic, text)
        began = time.perf_counter()
        await _in_time(self.user.ask(TOPIC, "new_message", said))
        crossings.there.append(await _in_time(heard) - began)
        answer = {"message": f"{text}!", "coordinatorId": "Maria"}
        heard = self.user.hears(TOPIC, f"{text}!")
        began = time.perf_counter()
        await _in_time(self.coordinator.ask(self.topic, "agent_message", answer))
        crossings.back.append(await _in_time(heard) - began)


async def relay(effort: Effort) -> list[Figure]:
    """Measure the time from a user's socket to a coordinator's and back, through both servers."""
    with in_sqlite() as files, running("bridge", settings={"BRIDGE_STORE": "memory"}) as bridge:
        with running("server", settings={**files, **_reaching(bridge.port)}) as server:
            async with _live_chats(server.port, bridge.port) as chats:
                await _paced(chats, WARM_UP)  # and the beginnings are told meanwhile
                crossings = await _paced(chats, effort.exchanges)
                busiest = await _busiest(chats, effort.exchanges, server, bridge)
    return [
        *_percentiles("relay from user to coordinator", crossings.there),
        *_percentiles("relay from coordinator to user", crossings.back),
        busiest,
    ]


def _reaching(bridge_port: int) -> dict[str, str]:
    """Return the server's settings for a bridge at this port."""
    return {
        "BRIDGE": "elixir",
        "ELIXIR_HTTP_URL": f"http://127.0.0.1:{bridge_port}",
        "ELIXIR_WEBSOCKET_URL": f"ws://127.0.0.1:{bridge_port}/socket/websocket",
    }


@asynccontextmanager
async def _live_chats(server_port: int, bridge_port: int) -> AsyncIterator[list[LiveChat]]:
    coordinators = [await Peer.connected(bridge_port) for _ in range(COORDINATORS)]
    users = [await Peer.connected(server_port) for _ in range(CONVERSATIONS)]
    ends = zip(named("user", CONVERSATIONS), users, itertools.cycle(coordinators), strict=False)
    chats = [LiveChat(*each) for each in ends]
    for first in range(0, CONVERSATIONS, AT_A_TIME):
        await asyncio.gather(*(chat.begin() for chat in chats[first : first + AT_A_TIME]))
    yield chats
    for peer in (*users, *coordinators):
        await peer.close()


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
    cuts = quantiles(seconds, n=100)
    return [
        Figure(name=f"{name}, median", value=cuts[49] * 1000, unit="ms", goal=RELAY_MEDIAN_MS),
        Figure(
            name=f"{name}, 99 %",
            value=cuts[98] * 1000,
            unit="ms",
            goal=RELAY_P99_MS,
            detail=f"{len(seconds)} in {CONVERSATIONS} live chats, {EXCHANGES_PER_S:g} either way "
            f"per second; the slowest {max(seconds) * 1000:.0f} ms",
        ),
    ]


class Inbox:
    """A stand-in for the bridge's HTTP side, as cheap as possible; it can be reachable or not."""

    def __init__(self) -> None:
        self.port = 0
        self.connections: set[asyncio.Transport] = set()
        self._arrived: dict[bytes, float] = {}
        self._server: asyncio.Server | None = None

    async def come(self) -> None:
        """Accept notices at the same port as before, and forget the earlier ones."""
        self._arrived.clear()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Taker(self), "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def go(self) -> None:
        """Go away: connections are refused."""
        if self._server is not None:
            self._server.close()
        for connection in list(self.connections):
            connection.abort()

    def took(self, request: bytes) -> None:
        """Note a talker's notice; a repeat is not counted."""
        if b'"talker-' in request:
            key = request.partition(b"Idempotency-Key: ")[2][:32]
            self._arrived.setdefault(key, time.perf_counter())

    async def has(self, notices: int) -> float:
        """Return the time at which so many have come. Raises: BenchmarkFailed."""
        began, before = time.perf_counter(), 0
        while len(self._arrived) < notices:
            await asyncio.sleep(LOOK_S)
            if len(self._arrived) > before:
                began, before = time.perf_counter(), len(self._arrived)
            if time.perf_counter() - began > PATIENCE_S:
                raise BenchmarkFailed(f"{before} of {notices} notices came, then none any more")
        return next(itertools.islice(self._arrived.values(), notices - 1, None))


class _Taker(asyncio.Protocol):
    """One connection, on which one request comes after the other (RFC 9112)."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._request = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._inbox.connections.add(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._inbox.connections.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._request += data
        head, end, body = self._request.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        if end and len(body) >= length:
            self._inbox.took(self._request)
            self._request = b""
            # What is asked of businesses is not known here.
            known = b"404 Not Found" if head.startswith(b"GET /api/") else b"200 OK"
            self._transport.write(b"HTTP/1.1 %s\r\ncontent-length: 2\r\n\r\n{}" % known)


async def drain(effort: Effort) -> list[Figure]:
    """Measure how the outbox empties after an outage of the bridge, while other users chat."""
    inbox = Inbox()
    await inbox.come()
    with in_sqlite() as files, running("server", settings=files) as server:
        without_kib = await _growth_kib(server, effort)
    with (
        in_sqlite() as files,
        running("server", settings={**files, **_reaching(inbox.port)}) as server,
    ):
        calm = await _acknowledged(server, "before", asyncio.sleep(CALM_S))
        inbox.go()
        with_kib = await _growth_kib(server, effort)
        await inbox.come()
        began, cpu_us = await inbox.has(1), server.cpu_us()
        drained = asyncio.ensure_future(inbox.has(effort.notices))
        busy = await _acknowledged(server, "during", drained)
        cpu_us = server.cpu_us() - cpu_us
        calm += await _acknowledged(server, "after", asyncio.sleep(CALM_S))
    inbox.go()
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
    p99, calm_p99 = _p99_ms(busy), _p99_ms(calm)
    return Figure(
        name="acknowledgement at a drain, 99 %",
        value=p99 / calm_p99,
        unit="x",
        goal=1.5,
        detail=f"{p99:.1f} ms, {calm_p99:.1f} ms before and after; medians "
        f"{median(busy) * 1000:.1f} ms, {median(calm) * 1000:.1f} ms",
    )


def _p99_ms(seconds: Sequence[float]) -> float:
    """Return the median of all windows' percentiles: a single pause of the disk does not count."""
    windows = [seconds[first : first + WINDOW] for first in range(0, len(seconds), WINDOW)]
    whole = [window for window in windows if len(window) == WINDOW]
    if not whole:
        raise BenchmarkFailed(f"{len(seconds)} acknowledgements are too few")
    return median(quantiles(window, n=100)[98] for window in whole) * 1000


LIVE_MEASURES: Mapping[str, Measure] = {"relay": relay, "drain": drain}

T = TypeVar("T")


async def _in_time(awaited: Awaitable[T]) -> T:
    """Raises: BenchmarkFailed."""
    try:
        return await asyncio.wait_for(awaited, PATIENCE_S)
    except TimeoutError:
        raise BenchmarkFailed(f"something did not come within {PATIENCE_S:g} s") from None
