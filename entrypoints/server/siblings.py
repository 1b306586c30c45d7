"""The other workers of this machine, and what each of them serves to the others.

A worker serves a part of the server on a Unix socket as well. Over it a request of a long-poll
socket reaches the worker that has the socket, and whichever worker is asked for metrics or
readiness asks the others. One that hangs is waited for no longer than a second or, with somebody's
long poll, as long as a poll may take.
"""

import asyncio
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, cast

import msgspec
from litestar.types import HTTPScope, Receive, Scope, Send

from adapters.phoenix.longpoll import LongPoll, LongPollLimits
from application.ports import Backlog, Clock, Outbox
from domain.errors import Failure
from entrypoints.server.health import Health, Ready, machine_readiness
from entrypoints.worker_folder import Worker, WorkerFolder

_ANSWERS = (200, 503)
"""The statuses of an answer; 503 is of one that is not ready."""
ASKED_S = 1.0
"""The time in which a sibling must answer."""
POLLED_S = LongPollLimits().window_s + 5.0
_CLIENT = b"x-worker-client"
_HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"te", b"trailer", b"transfer-encoding", b"upgrade", b"expect")
)
_OF_THE_SERVER = _HOP_BY_HOP | {b"date"}

_Headers = list[tuple[bytes, bytes]]


class Siblings:
    """The other workers of this one's machine."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.folder = WorkerFolder(worker.folder)
        self._leaving = asyncio.Event()

    @property
    def name(self) -> str:
        """This worker's name."""
        return self._worker.name

    @property
    def wanted(self) -> int:
        """The number of workers that there should be."""
        return self._worker.wanted

    async def ask(self, path: str) -> Sequence[bytes | None]:
        """Return the bodies of all siblings' answers; None for one that did not answer in time."""
        names = [name for name in self.folder.names() if name != self.name]
        return await asyncio.gather(*(self._ask(name, path) for name in names))

    async def _ask(self, name: str, path: str) -> bytes | None:
        with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            async with asyncio.timeout(ASKED_S):
                async with _Exchange(self.folder, name) as exchange:
                    exchange.send_head("GET", path.encode(), [])
                    answer = await exchange.read_response()
                    return answer.body if answer.status in _ANSWERS else None
        return None

    async def pass_on(self, name: str, scope: Scope, receive: Receive, send: Send) -> bool:
        """Have a sibling answer a request; False: it cannot, and nothing was sent."""
        request = cast(HTTPScope, scope)
        given_up = self._leaving if request["method"] == "GET" else asyncio.Event()
        try:
            async with _Exchange(self.folder, name) as exchange:
                return await exchange.relay(request, receive, send, given_up)
        except (OSError, asyncio.IncompleteReadError):
            return False

    def give_up_polls(self) -> None:
        """Wait for siblings no longer where a client waits for frames: this worker ends."""
        self._leaving.set()


class _Answer(NamedTuple):
    status: int
    headers: _Headers
    body: bytes


class _Exchange:
    """One request to a sibling, and its response."""

    def __init__(self, folder: WorkerFolder, name: str) -> None:
        self._path = folder.socket_of(name)
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    async def __aenter__(self) -> "_Exchange":
        if self._path is None:
            raise FileNotFoundError
        self._reader, self._writer = await asyncio.open_unix_connection(self._path)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._writer.close()

    def send_head(self, method: str, target: bytes, headers: _Headers) -> None:
        # The connection is kept until the response was read: one that the other side closed before
        # the whole request was sent would lose it.
        lines = [b"%s %s HTTP/1.1" % (method.encode(), target)]
        lines += [b"%s: %s" % header for header in headers]
        self._writer.write(b"\r\n".join([*lines, b"", b""]))

    async def read_response(self) -> _Answer:
        """Read it to its end; none is larger than what may wait for a socket.

        Raises: OSError, IncompleteReadError.
        """
        head = await self._reader.readuntil(b"\r\n\r\n")
        status, *lines = head[:-4].split(b"\r\n")
        pairs = (line.partition(b": ") for line in lines)
        headers = [(name, value) for name, _, value in pairs if name not in _OF_THE_SERVER]
        sizes = [int(value) for name, value in headers if name == b"content-length"]
        if not sizes:
            raise ConnectionError("no answer of the application, but of a server that ends")
        body = await self._reader.readexactly(sizes[0])
        return _Answer(int(status.split(b" ", 2)[1]), headers, body)

    async def relay(
        self, scope: HTTPScope, receive: Receive, send: Send, given_up: asyncio.Event
    ) -> bool:
        """Send the request as it comes, and the response; False: none came in time.

        That is within POLLED_S, and before `given_up`.
        """
        client = scope["client"]
        given = scope["headers"]
        headers = [(_CLIENT, b"%s %d" % (client[0].encode(), client[1]) if client else b"")]
        headers += [(k, v) for k, v in given if k not in _HOP_BY_HOP and k != _CLIENT]
        # A body whose end were not told would be taken for another request.
        is_chunked = any(name == b"transfer-encoding" for name, _ in given)
        if is_chunked:
            headers.append((b"transfer-encoding", b"chunked"))
        query = scope["query_string"]
        self.send_head(
            scope["method"], scope["raw_path"] + (b"?" + query if query else b""), headers
        )
        sending = asyncio.create_task(self._send_body(receive, is_chunked=is_chunked))
        answered = asyncio.create_task(self.read_response())
        ended = asyncio.create_task(given_up.wait())
        tasks = (sending, answered, ended)
        try:
            await asyncio.wait(tasks, timeout=POLLED_S, return_when=asyncio.FIRST_COMPLETED)
            if not answered.done():
                if not sending.done():
                    return False
                sending.result()  # raises, where it is the sibling that has gone
                return True  # the client has
            answer = answered.result()
        finally:
            for task in tasks:
                task.cancel()
        await _send(send, *answer)
        return True

    async def _send_body(self, receive: Receive, *, is_chunked: bool) -> None:
        """Send what comes of the body; return when the client has gone."""
        has_more = True
        while (message := cast(Mapping[str, Any], await receive()))["type"] != "http.disconnect":
            body = message.get("body", b"")
            if body and has_more:
                self._writer.write(b"%x\r\n%s\r\n" % (len(body), body) if is_chunked else body)
            if has_more and not message.get("more_body", False):
                has_more = False
                if is_chunked:
                    self._writer.write(b"0\r\n\r\n")
            await self._writer.drain()


@dataclass(frozen=True, slots=True)
class WorkerPart:
    """The ASGI application that a worker serves to its siblings."""

    siblings: Siblings
    health: Health
    render_metrics: Callable[[], bytes]
    long_poll: LongPoll

    def listen(self) -> socket.socket:
        """Return the Unix socket on which it is to be served."""
        return self.siblings.folder.listen(self.siblings.name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path == "/metrics":
            self.write_metrics()
            await _respond(send, b"")
        elif path == "/health/ready":
            await _respond(send, msgspec.json.encode(await self.health.report()))
        else:
            (name, value), *headers = scope["headers"]
            if name == _CLIENT:
                host, _, port = value.decode().partition(" ")
                scope["client"] = (host, int(port)) if host else None
                scope["headers"] = headers
            await self.long_poll.serve_own(scope, receive, send)

    def write_metrics(self) -> None:
        """Write this worker's metrics where all workers' are added up."""
        self.siblings.folder.write_metrics(self.siblings.name, self.render_metrics())


async def _respond(send: Send, body: bytes) -> None:
    await _send(send, 200, [(b"content-length", b"%d" % len(body))], body)


async def _send(send: Send, status: int, headers: _Headers, body: bytes) -> None:
    start = {"type": "http.response.start", "status": status, "headers": headers}
    await send(cast(Any, start))
    await send(cast(Any, {"type": "http.response.body", "body": body}))


class RenderMachine(Protocol):
    """Returns the exposition of what is the machine's (`adapters.prometheus_text.machine_text`)."""

    def __call__(
        self,
        backlog: Backlog | None,
        /,
        *,
        oldest_s: float,
        dependencies: Mapping[str, bool],
        workers: int,
        workers_wanted: int,
    ) -> bytes: ...


class Machine:
    """The workers of this machine as one: their metrics, and their readiness."""

    def __init__(
        self,
        part: WorkerPart | None,
        health: Health,
        render_metrics: Callable[[], bytes],
        render_machine: RenderMachine,
        outbox: Outbox,
        clock: Clock,
    ) -> None:
        """`part`: this worker's; None: there is but one process."""
        self._part = part
        self._health = health
        self._render_metrics = render_metrics
        self._render_machine = render_machine
        self._outbox = outbox
        self._clock = clock

    async def metrics(self) -> bytes:
        """Return the exposition of the sums, and of what is the machine's."""
        (processes, workers), report, backlog = await asyncio.gather(
            self._processes(), self.report(), self._backlog()
        )
        oldest = backlog.oldest if backlog is not None else None
        waiting_s = (self._clock.now() - oldest).total_seconds() if oldest is not None else 0.0
        wanted = self._part.siblings.wanted if self._part is not None else 1
        well = {
            "store": report.store,
            "assistant": report.assistant,
            "bridge": report.bridge,
            "broker": report.broker,
        }
        machine = self._render_machine(
            backlog,
            oldest_s=max(waiting_s, 0.0),
            dependencies={name: each == "ok" for name, each in well.items() if each != "none"},
            workers=workers,
            workers_wanted=wanted,
        )
        return processes + machine

    async def _processes(self) -> tuple[bytes, int]:
        """Return the sums over the processes, and how many have answered."""
        if self._part is None:
            return self._render_metrics(), 1
        siblings = self._part.siblings
        answers = await siblings.ask("/metrics")
        self._part.write_metrics()
        answered = 1 + sum(answer is not None for answer in answers)
        return siblings.folder.metrics().encode(), answered

    async def _backlog(self) -> Backlog | None:
        try:
            return await self._outbox.backlog()
        except Failure:
            return None

    async def report(self) -> Ready:
        """Return the readiness of all workers, the worst of it."""
        if self._part is None:
            return await self._health.report()
        siblings = self._part.siblings
        own, answers = await asyncio.gather(self._health.report(), siblings.ask("/health/ready"))
        reports = [msgspec.json.decode(answer, type=Ready) for answer in answers if answer]
        return machine_readiness([own, *reports], siblings.wanted)
