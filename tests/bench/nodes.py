"""Measures of two processes that are one server: what one stores, the other shows at once.

The two share a store, SQLite's as shipped or DynamoDB's local engine, and a Redis server.
"""

import asyncio
import itertools
import signal
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from statistics import median
from types import MappingProxyType
from typing import Any

import httpx
import msgspec

from tests.bench.load import (
    BUSINESS,
    PATIENCE_S,
    TOPIC,
    BenchmarkFailed,
    Socket,
    frame,
    in_time,
    p99_ms,
)
from tests.bench.measures import Effort, Measure, named
from tests.bench.report import Figure
from tests.bench.servers import Running, in_dynamodb, in_sqlite, running
from tests.support.redis_server import redis_server

QUESTION = "Ce program aveți și unde sunteți?"
WORD_MS = 40
"""Between two words of the demo's answer, where it must last."""
SHOWN_MS = 100.0
"""Goal: until a takeover ends the pieces, and until a client that moves has the text so far."""
SHOWN_P99_MS, PUSHED_P99_MS = 50.0, 20.0
RETAKEN_S = 15.0
SILENT_S = 2.0
BACKOFF_S = 0.1
"""A client comes back after so long, as the official one at its first attempt at least."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two processes on one store."""

    settings: Mapping[str, str]
    first: Running
    second: Running

    async def runs(self) -> float:
        """Return the number of turns of both that have ended, whatever their outcome."""
        return sum(
            [sum((await runs_at(server.port)).values()) for server in (self.first, self.second)]
        )


@contextmanager
def pair(
    store: Callable[[], AbstractContextManager[dict[str, str]]],
    more: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Pair]:
    """Run two processes on one store and one Redis server, with some more settings."""
    with ExitStack() as stack:
        redis = stack.enter_context(redis_server())
        settings = {
            **stack.enter_context(store()),
            "BROKER": "redis",
            "REDIS_URL": redis.url,
            "SCRIPTED_DELAY_MS": str(WORD_MS),
            **more,
        }
        first, second = (
            stack.enter_context(running("server", settings=settings)) for _ in range(2)
        )
        yield Pair(settings, first, second)


@dataclass(slots=True)
class Answer:
    """An answer as a client receives it."""

    pieces: list[tuple[float, int, str]] = field(default_factory=list)
    """When each piece came, its index, and its text."""
    shown: str = ""
    done: asyncio.Future[dict[str, Any]] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Follower(Socket):
    """A user's client that streams answers."""

    def __init__(self, user_id: str) -> None:
        super().__init__()
        self.user_id = user_id
        self._on_frame = self._on_reply_or_push
        self._refs = itertools.count(2)
        self._asked: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._arrivals: dict[str, asyncio.Future[float]] = {}
        self.began = asyncio.Event()
        """Set at the first piece of an answer."""
        self.answer = Answer()

    @classmethod
    async def joined(cls, port: int, user_id: str, last_seq: int | None = None) -> "Follower":
        """Connect and join. Raises: BenchmarkFailed."""
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(lambda: cls(user_id), "127.0.0.1", port)
        await in_time(client.ready)
        await client.join(last_seq)
        return client

    async def join(self, last_seq: int | None = None) -> dict[str, Any]:
        """Join, and return the reply. Raises: BenchmarkFailed."""
        payload = {**self._who, "stream": True}
        if last_seq is not None:
            payload["lastSeq"] = last_seq
        reply = await self.ask("phx_join", payload, ref="1")
        for entry in reply["messages"]:
            if entry.get("author") == "ai" and not self.answer.done.done():
                self.answer.done.set_result(entry)
        return reply

    @property
    def _who(self) -> dict[str, Any]:
        return {"businessId": BUSINESS, "userId": self.user_id}

    async def say(self, text: str = QUESTION, **more: str) -> dict[str, Any]:
        """Send a message, and return its acknowledgement. Raises: BenchmarkFailed."""
        return await self.ask(
            "new_message", {**self._who, "locationId": "l1", "message": text, **more}
        )

    async def ask(self, event: str, payload: object, ref: str | None = None) -> dict[str, Any]:
        """Send an event, and return its reply. Raises: BenchmarkFailed."""
        ref = ref or str(next(self._refs))
        asked = self._asked[ref] = asyncio.get_running_loop().create_future()
        self.transport.write(frame(["1", ref, TOPIC, event, payload]))
        return await in_time(asked)

    def arrival_of(self, text: str) -> asyncio.Future[float]:
        """Return the time at which an entry with this text is pushed."""
        arrival = self._arrivals[text] = asyncio.get_running_loop().create_future()
        return arrival

    def _on_reply_or_push(self, text: bytes) -> None:
        _, ref, _, event, payload = msgspec.json.decode(text)
        now = time.perf_counter()
        if event == "phx_reply":
            asked = self._asked.pop(ref, None)
            if asked is not None and payload["status"] == "ok":
                asked.set_result(payload["response"])
            elif asked is not None:
                asked.set_exception(BenchmarkFailed(f"refused: {text[:200]!r}"))
        elif event == "message_delta":
            index, piece = payload["index"], payload["text"]
            self.answer.pieces.append((now, index, piece))
            self.answer.shown = self.answer.shown + piece if index else piece
            self.began.set()
        elif event == "new_message" and payload.get("inReplyTo"):
            if not self.answer.done.done():
                self.answer.done.set_result(payload)
        if awaited := self._arrivals.pop(payload.get("message"), None):
            awaited.set_result(now)

    def _fail(self, reason: str) -> None:
        super()._fail(reason)
        waits: list[asyncio.Future[Any]] = [*self._asked.values(), *self._arrivals.values()]
        for waiting in (*waits, self.answer.done):
            if not waiting.done():
                waiting.set_exception(BenchmarkFailed(reason))
                waiting.exception()  # it may be that nobody waits any more


async def _taken_over(at: Pair, rounds: int) -> list[float]:
    """Return how long after each takeover on the second process a piece came from the first."""
    late = []
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{at.second.port}") as http:
        for user_id in named("taken", rounds):
            client = await Follower.joined(at.first.port, user_id)
            session_id = (await client.say())["sessionId"]
            await in_time(client.began.wait())
            await asyncio.sleep(2 * WORD_MS / 1000)
            path = f"/api/conversation-status/{session_id}"
            (await http.put(path, json={"status": "live"})).raise_for_status()
            stored = time.perf_counter()
            await asyncio.sleep(0.5)
            late.append(max((at - stored for at, _, _ in client.answer.pieces), default=0.0))
            await client.close()
    return [max(0.0, each) for each in late]


async def _pushed(at: Pair, messages: int) -> tuple[list[float], list[float]]:
    """Return the times from an entry's storage on one process to its pushes: there, elsewhere."""
    there: list[float] = []
    elsewhere: list[float] = []
    clients = [await Follower.joined(server.port, "pushed") for server in (at.second, at.first)]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{at.second.port}") as http:
        session_id = (await clients[0].say())["sessionId"]
        for number in range(messages):
            text = f"Mesajul {number}"
            arrivals = [client.arrival_of(text) for client in clients]
            body = {"sessionId": session_id, "message": text}
            (await http.post("/api/agent-responses", json=body)).raise_for_status()
            # Stored before it is answered; the push may be faster than the answer.
            stored = time.perf_counter()
            for times, arrival in zip((there, elsewhere), arrivals, strict=True):
                times.append(max(0.0, await in_time(arrival) - stored))
    for client in clients:
        await client.close()
    return there, elsewhere


async def _moved(at: Pair, rounds: int) -> tuple[list[float], int]:
    """Move clients in mid-answer; return the times to the text so far, and the whole answers."""
    times, whole = [], 0
    for user_id in named("moved", rounds):
        client = await Follower.joined(at.first.port, user_id)
        seq = (await client.say())["seq"]
        await in_time(client.began.wait())
        await asyncio.sleep(3 * WORD_MS / 1000)
        shown = "".join(text for _, _, text in client.answer.pieces)
        await client.close()
        again = await Follower.joined(at.second.port, user_id, last_seq=seq)
        joined = time.perf_counter()
        await in_time(again.began.wait())
        when, index, text = again.answer.pieces[0]
        final = await in_time(again.answer.done)
        if index == 0 and text.startswith(shown) and final["message"].startswith(text.strip()):
            whole += 1
        times.append(max(0.0, when - joined))
        await again.close()
    return times, whole


async def _retaken(at: Pair, start: Callable[[], Running]) -> float:
    """Kill a process that runs a turn; return the seconds until the other has answered it."""
    victim = start()
    client = await Follower.joined(victim.port, "retaken")
    seq = (await client.say())["seq"]
    await in_time(client.began.wait())
    victim.signal(signal.SIGKILL)
    killed = time.perf_counter()
    again = await Follower.joined(at.second.port, "retaken", last_seq=seq)
    await in_time(again.answer.done)
    seconds = time.perf_counter() - killed
    await again.close()
    return seconds


async def _on_store(
    name: str, store: Callable[[], AbstractContextManager[dict[str, str]]], effort: Effort
) -> list[Figure]:
    rounds = effort.moves
    with pair(store) as at:
        late = await _taken_over(at, rounds // 2)
        there, pushed = await _pushed(at, 2 * rounds)
        before = await at.runs()
        moved, whole = await _moved(at, rounds)
        after = await at.runs()
        with ExitStack() as stack:
            retaken = await _retaken(
                at, lambda: stack.enter_context(running("server", settings=at.settings))
            )
    runs = after - before
    return [
        Figure(
            name=f"{name}: last piece after a takeover elsewhere",
            value=max(late) * 1000,
            unit="ms",
            goal=SHOWN_MS,
            detail=f"{len(late)} takeovers, from the answer of the request; "
            f"median {median(late) * 1000:.1f} ms, 99 % {p99_ms(late):.1f} ms (goal 50)",
        ),
        Figure(
            name=f"{name}: stored there, pushed here, 99 %",
            value=p99_ms(pushed),
            unit="ms",
            goal=PUSHED_P99_MS,
            detail=f"{len(pushed)} messages; median {median(pushed) * 1000:.1f} ms; "
            f"to a socket of the process that stored it 99 % {p99_ms(there):.1f} ms",
        ),
        Figure(
            name=f"{name}: text so far after a move, slowest",
            value=max(moved) * 1000,
            unit="ms",
            goal=SHOWN_MS,
            detail=f"from the reply to the join; median {median(moved) * 1000:.1f} ms; "
            f"{whole} of {rounds} had the text so far and the final answer",
        ),
        Figure(
            name=f"{name}: calls of the model per answer of clients that move",
            value=runs / rounds,
            unit="x",
            goal=1.0,
        ),
        Figure(
            name=f"{name}: answered after kill -9 of the turn's process",
            value=retaken,
            unit="s",
            goal=RETAKEN_S,
        ),
    ]


class Roamer:
    """A user's client that comes back, to the other process, whenever its socket is lost."""

    def __init__(self, user_id: str, ports: list[int], at: int) -> None:
        """`ports` may change while a process is restarted; `at`: where it begins."""
        self._user_id = user_id
        self._ports = ports
        self.at = at
        self._client: Follower
        self._seq = 0

    async def connect(self) -> None:
        """Join, however often that takes. Raises: BenchmarkFailed."""
        began = time.perf_counter()
        while True:
            try:
                self._client = await Follower.joined(self._ports[self.at], self._user_id, self._seq)
                return
            except (OSError, BenchmarkFailed):
                if time.perf_counter() - began > PATIENCE_S:
                    raise BenchmarkFailed(f"{self._user_id} could not come back") from None
            self.at = 1 - self.at
            await asyncio.sleep(BACKOFF_S)

    async def ask(self, message_id: str) -> float:
        """Ask, and return the longest time without a piece of the answer. Raises: BenchmarkFailed.

        The pieces that are shown must be the beginning of the answer, at whatever process.
        """
        times: list[float] = []
        asked = await self._retried(lambda: self._client.say(messageId=message_id))
        self._seq = asked["seq"]
        while True:
            client = self._client
            try:
                final = await in_time(client.answer.done)
            except BenchmarkFailed:
                times += [when for when, _, _ in client.answer.pieces]
                self.at = 1 - self.at
                await self.connect()
                continue
            break
        times += [*(when for when, _, _ in client.answer.pieces), time.perf_counter()]
        shown = client.answer.shown
        if not final["message"].startswith(shown.strip()):
            raise BenchmarkFailed(f"{self._user_id} was shown {shown!r} of {final['message']!r}")
        self._seq = final["seq"]
        client.answer = Answer()
        return max(after - before for before, after in itertools.pairwise(times))

    async def _retried(self, request: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
        while True:
            try:
                return await request()
            except BenchmarkFailed:
                self.at = 1 - self.at
                await self.connect()

    async def close(self) -> None:
        await self._client.close()


async def _restarted(effort: Effort) -> list[Figure]:
    """Restart two processes, one after the other, while all clients have an answer under way."""
    with pair(in_sqlite, {"SCRIPTED_DELAY_MS": "250"}) as at:
        ports = [at.first.port, at.second.port]
        users = list(named("roamer", effort.streaming))
        roamers = [Roamer(user_id, ports, number % 2) for number, user_id in enumerate(users)]
        await asyncio.gather(*(roamer.connect() for roamer in roamers))
        silences: list[float] = []
        again = 0.0  # turns that the process which stays makes for those who come to it
        with ExitStack() as stack:
            servers = [at.first, at.second]
            for number in range(2):
                stays = 1 - number
                before = await runs_at(ports[stays])
                own = sum(roamer.at == stays for roamer in roamers)
                asking = [
                    asyncio.create_task(roamer.ask(f"{user_id}-{number}"))
                    for user_id, roamer in zip(users, roamers, strict=True)
                ]
                await asyncio.sleep(1.0)
                servers[number].signal(signal.SIGTERM)
                silences += await asyncio.gather(*asking)
                after = await runs_at(ports[stays])
                again += sum(after.values()) - sum(before.values()) - own
                restarted = running("server", settings=at.settings)
                servers[number] = stack.enter_context(restarted)
                ports[number] = servers[number].port
            for roamer in roamers:
                await roamer.close()
    return [
        Figure(
            name=f"{len(roamers)} streams, both processes restarted, silence",
            value=max(silences),
            unit="s",
            goal=SILENT_S,
            detail=f"the longest time without a piece; median {median(silences):.2f} s; "
            f"{len(silences)} answers, none lost",
        ),
        Figure(
            name="  calls of the model per answer",
            value=1 + again / len(silences),
            unit="x",
            goal=1.0,
        ),
    ]


async def runs_at(port: int) -> dict[str, float]:
    """Return the turns of a process that have ended, by outcome."""
    async with httpx.AsyncClient() as http:
        lines = (await http.get(f"http://127.0.0.1:{port}/metrics")).text.splitlines()
    counts = (line.rpartition(" ") for line in lines if line.startswith("ai_agent_turns_total{"))
    return {name.split('"')[1]: float(value) for name, _, value in counts}


async def nodes(effort: Effort) -> list[Figure]:
    """Measure takeovers, pushes, moves and a death between two processes, on either store."""
    return [
        *await _on_store("SQLite", in_sqlite, effort),
        *await _on_store("DynamoDB", in_dynamodb, effort),
        *await _restarted(effort),
    ]


NODE_MEASURES: Mapping[str, Measure] = {"nodes": nodes}
