"""A model's server with scripted answers, byte by byte.

It does what no real server would admit to: hang, break off, send what is no chat completion. What
a server does in earnest, `aimock` does.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

OK_EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
OK_JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

Json = dict[str, Any]


@dataclass(slots=True)
class Request:
    """A request as it was received."""

    headers: dict[str, str]
    body: Json


class Wire:
    """The connection of one request: it sends, and knows whether the client is connected."""

    def __init__(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.request = request
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        """Send these bytes, and wait until they are written."""
        self._writer.write(data)
        await self._writer.drain()

    async def chunk(self, data: bytes) -> None:
        """Send these bytes as a chunk of a body."""
        await self.send(b"%x\r\n%b\r\n" % (len(data), data))

    async def gone(self) -> None:
        """Wait until the client has disconnected."""
        with suppress(ConnectionError):
            await self._reader.read()

    def cut(self) -> None:
        """Reset the connection."""
        self._writer.transport.abort()


Answer = Callable[[Wire], Awaitable[None]]


def event(**chunk: Any) -> bytes:
    """Return one event of a stream."""
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def delta(finish: str | None = None, **message: Any) -> bytes:
    """Return one chunk of a reply."""
    return event(choices=[{"index": 0, "delta": message, "finish_reason": finish}])


def call(name: str | None, arguments: Any, **fields: Any) -> Json:
    """Return a piece of a tool call; `fields`: its `index` and `id`."""
    function = {"arguments": arguments} | ({"name": name} if name is not None else {})
    return {**fields, "type": "function", "function": function}


USED = event(
    choices=[],
    usage={
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "prompt_tokens_details": {"cached_tokens": 64},
    },
)
DONE = b"data: [DONE]\n\n"


def events(*pieces: bytes, then: Callable[[Wire], Awaitable[None]] | None = None) -> Answer:
    """An event stream of these pieces, each of which is sent by itself; `then`: in place of its
    orderly end."""

    async def answer(wire: Wire) -> None:
        await wire.send(OK_EVENTS + b"\r\n")
        for piece in pieces:
            await wire.chunk(piece)
            for _ in range(3):  # so that a client in this process reads it by itself
                await asyncio.sleep(0)
        await (wire.send(b"0\r\n\r\n") if then is None else then(wire))

    return answer


def says(*pieces: str, finish: str = "stop") -> Answer:
    """Return a well-formed reply of this text."""
    return events(
        delta(role="assistant", content=""),
        *[delta(content=piece) for piece in pieces],
        delta(finish),
        USED,
        DONE,
    )


def calls(*names: str, text: str = "", **arguments: Any) -> Answer:
    """Return a well-formed reply that calls these tools, each with these arguments."""
    made = [
        call(name, json.dumps(arguments), index=index, id=f"call_{index}")
        for index, name in enumerate(names)
    ]
    spoken = [delta(content=text)] if text else []
    return events(*spoken, delta(tool_calls=made), delta("tool_calls"), USED, DONE)


def plain(body: bytes, *, status: str = "200 OK", **headers: str) -> Answer:
    """Return an answer that is not streamed; `retry_after="1"` is the header Retry-After."""
    fields = {"content_type": "application/json", "content_length": str(len(body)), **headers}
    lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items()]
    head = f"HTTP/1.1 {status}\r\n{''.join(lines)}\r\n".encode()

    async def answer(wire: Wire) -> None:
        await wire.send(head + body)

    return answer


def refuses(status: str, *, code: str = "", message: str = "no", **headers: str) -> Answer:
    """Return an error as OpenAI's server sends it."""
    error = {"message": message, "type": "error", "code": code or None, "param": None}
    return plain(json.dumps({"error": error}).encode(), status=status, **headers)


async def hangs(wire: Wire) -> None:
    """Accept the request, and send nothing until the client disconnects."""
    await wire.gone()


@dataclass(slots=True)
class Stub:
    """The running server: request n gets the n-th of `answers`, later ones the last."""

    answers: Sequence[Answer] = ()
    by_model: dict[str, Answer] = field(default_factory=dict)
    """Answers by model; requests for other models get `answers`."""
    url: str = ""
    requests: list[Request] = field(default_factory=list)
    open: int = 0
    """Connections."""
    connections: int = 0
    """Connections since the beginning."""
    hung_up: int = 0
    """Clients that disconnected while they were being answered."""
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _next: int = 0

    @property
    def models(self) -> list[str]:
        """The model of each request."""
        return [request.body["model"] for request in self.requests]

    async def until(self, holds: Callable[["Stub"], bool]) -> None:
        """Wait until the condition holds for this server."""
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(lambda: holds(self))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        await self._note(open=1, connections=1)
        try:
            while (request := await _request(reader)) is not None:
                self.requests.append(request)
                await self._note()
                await self._answer(request, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            await self._note(hung_up=1)
        finally:
            writer.close()
            await self._note(open=-1)

    async def _answer(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        answer = self.by_model.get(request.body["model"])
        if answer is None:
            answer = self.answers[min(self._next, len(self.answers) - 1)]
            self._next += 1
        await answer(Wire(request, reader, writer))
        if reader.at_eof():
            raise ConnectionError

    async def _note(self, *, open: int = 0, connections: int = 0, hung_up: int = 0) -> None:
        self.open += open
        self.connections += connections
        self.hung_up += hung_up
        async with self._changed:
            self._changed.notify_all()


@asynccontextmanager
async def stub(*answers: Answer, **by_model: Answer) -> AsyncIterator[Stub]:
    """Run a server on a free port of this machine."""
    running = Stub(answers, by_model)
    server = await asyncio.start_server(running.serve, "127.0.0.1", 0)
    running.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield running
    finally:
        server.close()
        await running.until(lambda stub: stub.open == 0)


async def _request(reader: asyncio.StreamReader) -> Request | None:
    """Return the next request of a connection; None at its end."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    lines = head.decode().split("\r\n")[1:-2]
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(headers, json.loads(body))
