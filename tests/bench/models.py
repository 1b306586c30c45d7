"""Measures of a model behind OpenAI's API, against a stub that answers at once.

`python -m tests.bench.models` is that server: it prints its address. A model called `short` says a
few words, others many; and who asks for a story gets many words slowly.
"""

import asyncio
import itertools
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from statistics import median, quantiles
from subprocess import PIPE

import aiohttp
import msgspec

from adapters.model.assistant import ModelAssistant
from adapters.openai.client import OpenAIClient
from adapters.system import SystemClock
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
from tests.bench.measures import MEMORY, Effort, Measure, named
from tests.bench.report import Figure
from tests.bench.servers import Running, running, started, stop
from tests.support.assistants import Said
from tests.support.model_turns import UsedTools, view_of

SHORT, LONG = 5, 100
"""Chunks of an answer."""
STREAMS = 500
PAUSE_MS = 60.0
CHATTERS, CHAT_PER_S, CHAT_S = 20, 50.0, 4.0
SHORT_GOAL, LONG_GOAL, FIRST_TOKEN_MS, ACKNOWLEDGED_MS = 6.0, 2.7, 2.0, 25.0
STORY = "Spuneți-mi o poveste"
# Of several turns, as a customer's tenth message has them.
_SAID = tuple(f"{TEXT} ({number})" for number in range(19))
_DELTA = f'["1",null,"{TOPIC}","message_delta",'.encode()
_ANSWER = f'["1",null,"{TOPIC}","new_message",'.encode()


def _chunk(**fields: object) -> bytes:
    told = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    event = b"data: %b\n\n" % msgspec.json.encode({**told, **fields})
    return b"%x\r\n%b\r\n" % (len(event), event)


def _choice(finish: str | None = None, **delta: str) -> bytes:
    return _chunk(choices=[{"index": 0, "delta": delta, "finish_reason": finish}])


_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    + _choice(role="assistant", content="")
)
_TAIL = (
    _choice("stop")
    + _chunk(choices=[], usage={"prompt_tokens": 900, "completion_tokens": 100})
    + b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"
)


async def _connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            _, _, length = head.lower().partition(b"content-length: ")
            body = await reader.readexactly(int(length.split(b"\r\n")[0]))
            is_story = STORY.encode() in body
            chunks = SHORT if b'"model":"short"' in body and not is_story else LONG
            await _reply(writer, chunks, PAUSE_MS / 1000 if is_story else 0.0)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def _reply(writer: asyncio.StreamWriter, chunks: int, pause_s: float) -> None:
    writer.write(_HEAD)
    await asyncio.sleep(pause_s * (next(_replies) % 20) / 20)  # or all would speak as one
    for number in range(chunks):
        writer.write(_choice(content=f"cuvântul {number} "))
        await asyncio.sleep(pause_s)
    writer.write(_TAIL)
    await writer.drain()


async def _serve() -> None:
    server = await asyncio.start_server(_connection, "127.0.0.1", 0, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


@contextmanager
def _model() -> Iterator[str]:
    """The address of a model's API. Raises: BenchmarkFailed."""
    process = started([sys.executable, "-m", "tests.bench.models"], {}, stdout=PIPE)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        if not url:
            raise BenchmarkFailed("the model did not start")
        yield f"{url}/v1"
    finally:
        stop(process)


@contextmanager
def _server(url: str) -> Iterator[Running]:
    settings = {"ASSISTANT": "openai", "OPENAI_BASE_URL": url, "OPENAI_MODEL": "short"}
    with running("server", settings={**MEMORY, "OPENAI_CONCURRENCY": "1000", **settings}) as server:
        yield server


_replies = itertools.count()


class _Delta(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    delta: _Delta


class _Event(msgspec.Struct):
    choices: list[_Choice]


async def calls(effort: Effort) -> list[Figure]:
    """Measure the CPU of an answer by the adapter, against a bare client that reads the same."""
    figures = []
    with _model() as url:
        async with aiohttp.ClientSession() as http:
            for name, model, goal in (
                ("short", "short", SHORT_GOAL),
                ("100-chunk", "long", LONG_GOAL),
            ):
                clock = SystemClock()
                client = OpenAIClient(url, "key", model, clock)
                assistant = ModelAssistant([client], clock=clock, jitter=float)
                bare = _Bare(http, f"{url}/chat/completions", model)
                async with assistant:
                    figures.append(await _against(effort, name, goal, assistant, bare))
    return figures


class _Bare:
    """A client that does as little as possible: aiohttp's, and a decoder."""

    def __init__(self, http: aiohttp.ClientSession, url: str, model: str) -> None:
        self._http = http
        self._url = url
        self._decode = msgspec.json.Decoder(_Event).decode
        roles = itertools.cycle(("user", "assistant"))
        messages = [{"role": role, "content": text} for role, text in zip(roles, _SAID)]  # noqa: B905
        system = {"role": "system", "content": "x" * 3_000}
        self._body = {"model": model, "stream": True, "messages": [system, *messages]}

    async def __call__(self) -> object:
        content = msgspec.json.encode(self._body)
        headers = {"Authorization": "Bearer key", "Content-Type": "application/json"}
        text = []
        async with self._http.post(self._url, data=content, headers=headers) as response:
            async for data in response.content.iter_any():
                for event in data.split(b"\n\n"):
                    if event.startswith(b"data: {"):
                        text += [c.delta.content for c in self._decode(event[6:]).choices]
        return text


async def _against(
    effort: Effort, name: str, goal: float, assistant: ModelAssistant, bare: "_Bare"
) -> Figure:
    view = view_of(*_SAID)

    async def ours() -> object:
        return await assistant.answer(view, UsedTools(view), Said())

    costs: dict[str, list[float]] = {"adapter": [], "bare": []}
    for _ in range(effort.rounds + 1):
        for which, once in (("adapter", ours), ("bare", bare)):
            costs[which].append(await _cpu_us(once, effort.messages))
    ratios = [a / b for a, b in zip(costs["adapter"][1:], costs["bare"][1:], strict=True)]
    low, _, high = quantiles(ratios, n=4)
    return Figure(
        name=f"{name} answer, CPU against a bare client",
        value=median(ratios),
        unit="x",
        goal=goal,
        detail=f"adapter {median(costs['adapter']):.0f} µs, bare {median(costs['bare']):.0f} µs; "
        f"half of {len(ratios)} rounds within {low:.2f} and {high:.2f}",
    )


async def _cpu_us(once: Callable[[], Awaitable[object]], times: int) -> float:
    before = time.process_time()
    for _ in range(times):
        await once()
    return (time.process_time() - before) / times * 1e6


class _Reader(Socket):
    """A user's socket that receives streamed answers; `ready` is done after each."""

    def __init__(self, user: str) -> None:
        super().__init__()
        self._who = {"businessId": BUSINESS, "userId": user}
        self._on_frame = self._on_any
        self._sent_at = 0.0
        self._waits = False
        self.first_s: list[float] = []
        """The time from each message to the first piece of its answer."""

    def _opened(self) -> None:
        self.transport.write(frame(["1", "1", TOPIC, "phx_join", {**self._who, "stream": True}]))

    def ask(self, text: str) -> None:
        """Send a message."""
        self.ready = asyncio.get_running_loop().create_future()
        self.begun = asyncio.get_running_loop().create_future()
        self._waits, self._sent_at = True, time.perf_counter()
        payload = {**self._who, "locationId": "l1", "message": text}
        self.transport.write(frame(["1", "2", TOPIC, "new_message", payload]))

    def _on_any(self, data: bytes) -> None:
        if data.startswith(_DELTA):
            if self._waits:
                self.first_s.append(time.perf_counter() - self._sent_at)
                self._waits = False
                self.begun.set_result(None)
        elif data.startswith(_ANSWER) or data.startswith(b'["1","1",'):
            self.ready.set_result(None)


async def _readers(port: int, users: Iterator[str]) -> list[_Reader]:
    loop = asyncio.get_running_loop()
    readers = []
    for user in users:
        _, reader = await loop.create_connection(lambda user=user: _Reader(user), "127.0.0.1", port)  # type: ignore[misc]
        readers.append(reader)
    await _ready(readers)
    return readers


async def _ready(readers: list[_Reader]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*[reader.ready for reader in readers])


async def first_token(effort: Effort) -> list[Figure]:
    """Measure the time from a message to its answer's first piece, less the model's own time."""
    times = effort.rounds * effort.messages
    with _model() as url, _server(url) as server:
        (reader,) = await _readers(server.port, named("user", 1))
        async with aiohttp.ClientSession() as http:
            own = [await _first_byte_s(http, url) for _ in range(times)]
        for _ in range(times):
            reader.ask(TEXT)
            await _ready([reader])
        await reader.close()
    seen = reader.first_s[len(reader.first_s) // 10 :]
    added, percentiles = (median(seen) - median(own)) * 1000, quantiles(seen, n=100)
    return [
        Figure(
            name="added to the first piece of an answer",
            value=added,
            unit="ms",
            goal=FIRST_TOKEN_MS,
            detail=f"median of {len(seen)}: seen by the user after {median(seen) * 1000:.2f} ms "
            f"(99 % within {percentiles[98] * 1000:.1f} ms), by a bare client of the model's API "
            f"after {median(own) * 1000:.2f} ms",
        )
    ]


async def _first_byte_s(http: aiohttp.ClientSession, url: str) -> float:
    content = msgspec.json.encode({"model": "short", "stream": True, "messages": []})
    began, first = time.perf_counter(), None
    async with http.post(f"{url}/chat/completions", data=content) as response:
        async for _ in response.content.iter_any():
            first = first or time.perf_counter()
    return (first or began) - began


async def streams(effort: Effort) -> list[Figure]:
    """Measure acknowledgements while many slow answers stream."""
    with _model() as url, _server(url) as server:
        readers = await _readers(server.port, named("reader", STREAMS))
        readers[0].ask(TEXT)  # the first answer comes whole, and the others in pieces
        await _ready(readers[:1])
        idle_kib = server.memory_kib()
        async with await Crowd.of(server.port, named("chatter", CHATTERS)) as chatters:
            alone, _ = await _chat(server, chatters)
            for reader in readers:
                reader.ask(STORY)
            async with asyncio.timeout(PATIENCE_S):
                await asyncio.gather(*[reader.begun for reader in readers])
            beside, cpu = await _chat(server, chatters)
            streaming_kib = server.memory_kib()
            under_way = sum(not reader.ready.done() for reader in readers)
        await _ready(readers)
        for reader in readers:
            await reader.close()
    if under_way < STREAMS:
        raise BenchmarkFailed(f"only {under_way} streams lasted to the end")
    return [
        Figure(
            name=f"acknowledgement beside {STREAMS} streams, p99",
            value=beside[98] * 1000,
            unit="ms",
            goal=ACKNOWLEDGED_MS,
            detail=f"{CHAT_PER_S:.0f} messages/s, median {beside[49] * 1000:.1f} ms; without "
            f"streams {alone[98] * 1000:.1f}, median {alone[49] * 1000:.1f}; "
            f"{STREAMS * 1000 / PAUSE_MS:,.0f} chunks/s, server CPU {cpu:.0%}; "
            f"{(streaming_kib - idle_kib) / STREAMS:.0f} KiB a stream, the sessions included",
        )
    ]


async def _chat(server: Running, chatters: Crowd) -> tuple[list[float], float]:
    """Return percentiles of the acknowledgements over a while, and the CPUs in use."""
    chatters.latencies.clear()
    before = server.cpu_us()
    chatting = asyncio.create_task(chatters.chat(CHAT_PER_S))
    await asyncio.wait({chatting}, timeout=CHAT_S)
    chatting.cancel()
    await asyncio.wait({chatting})
    cpus = (server.cpu_us() - before) / (CHAT_S * 1e6)
    return quantiles(chatters.latencies.acknowledged, n=100), cpus


MODEL_MEASURES: Mapping[str, Measure] = {
    "calls": calls,
    "first_token": first_token,
    "streams": streams,
}

if __name__ == "__main__":
    asyncio.run(_serve())
