"""Doubles of the bridge that record what they are sent, and fail on demand.

`FaultyBridge` is the bridge's HTTP interface on a real socket, `MemoryBridge` the port itself, for
virtual time.
"""

import asyncio
import json
import socket
import struct
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from application.ports import Bridge
from domain.errors import BridgeRefused, BridgeUnavailable
from domain.notice import Lane, Notice, NoticeKind
from tests.support.faults import Hold
from tests.support.listener import Listener

PATIENCE_S = 20.0
"""The longest wait for a request on a busy machine, in seconds."""


class MemoryBridge(Bridge):
    """A bridge in memory that accepts every notice, unless a fault is set."""

    def __init__(self) -> None:
        self.accepted: list[Notice] = []
        """The accepted notices, in order."""
        self.asked: list[Notice] = []
        """Every attempt, accepted or not."""
        self.faults: deque[Exception | Hold] = deque()
        """The outcomes of the next attempts."""
        self.refused: set[NoticeKind] = set()
        """The kinds that are always refused."""
        self.failing: set[NoticeKind] = set()
        """The kinds that always fail, and may succeed later."""
        self._there = asyncio.Event()
        self._there.set()

    @property
    def is_away(self) -> bool:
        return not self._there.is_set()

    @property
    def kinds(self) -> list[NoticeKind]:
        """The kinds of the accepted notices, in order."""
        return [notice.kind for notice in self.accepted]

    def accepted_in(self, lane: Lane) -> list[NoticeKind]:
        """Return the kinds of the accepted notices of a lane, in order."""
        return [notice.kind for notice in self.accepted if notice.lane is lane]

    def go_away(self) -> None:
        """Become unavailable."""
        self._there.clear()

    def come_back(self) -> None:
        self._there.set()

    def fail(self, times: int, retry_after_s: float | None = None) -> None:
        """Make the next attempts fail."""
        self.faults.extend([BridgeUnavailable("as told", retry_after_s=retry_after_s)] * times)

    def hold(self) -> Hold:
        """Make the next attempt wait."""
        self.faults.append(hold := Hold())
        return hold

    async def wait_until_back(self) -> None:
        await self._there.wait()

    async def deliver(self, notice: Notice) -> None:
        self.asked.append(notice)
        if self.is_away:
            raise BridgeUnavailable("as told: away")
        if notice.kind in self.refused:
            raise BridgeRefused("as told: HTTP 422")
        if notice.kind in self.failing:
            raise BridgeUnavailable("as told: HTTP 500")
        fault = self.faults.popleft() if self.faults else None
        if isinstance(fault, Hold):
            await fault.wait()
        elif fault is not None:
            raise fault
        self.accepted.append(notice)


@dataclass(frozen=True, slots=True)
class Fault:
    """The outcome of one request: the bytes of the answer, and what follows them."""

    answer: bytes = b""
    then: Literal["go on", "hang", "close", "reset", "pour"] = "go on"
    accepted: bool = False
    """True if the request is recorded as accepted."""


def status(code: int, body: object = None, *, retry_after: object = None) -> Fault:
    """Return an answer with this status and a JSON body."""
    content = json.dumps(body).encode()
    head = f"HTTP/1.1 {code} As told\r\nContent-Length: {len(content)}\r\n"
    if retry_after is not None:
        head += f"Retry-After: {retry_after}\r\n"
    return Fault(head.encode() + b"\r\n" + content, accepted=200 <= code < 300)


HANG = Fault(then="hang")
CLOSE = Fault(then="close")
RESET = Fault(then="reset")
GARBAGE = Fault(b"\x00\xff\xfe this is not HTTP\r\n\r\n", "close")
HALF_A_HEAD = Fault(b"HTTP/1.1 200 OK\r\nContent-", "hang")
LOST_ANSWER = Fault(then="reset", accepted=True)
NEVER_ENDS = Fault(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", "hang", accepted=True)
HUGE = Fault(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n", "pour", accepted=True)
DONE = status(200, {"status": "ok"})


class ReceivedRequest(NamedTuple):
    """A request as the bridge received it."""

    method: str
    path: str
    key: str | None
    """The idempotency key."""
    token: str | None
    body: Any


@dataclass
class FaultyBridge(Listener):
    """The bridge's HTTP interface on a real socket."""

    accepted: list[ReceivedRequest] = field(default_factory=list)
    """The accepted requests, in order, each idempotency key once."""
    asked: list[ReceivedRequest] = field(default_factory=list)
    """Every request but the health checks, accepted or not."""
    faults: deque[Fault] = field(default_factory=deque)
    """The outcomes of the next requests."""
    always: Fault | None = None
    """The outcome of all requests after those."""
    unhealthy: bool = False
    """True if `GET /health` is answered with 503."""
    health: Fault = field(default_factory=lambda: status(200))
    """Its answer otherwise."""
    health_asked: int = 0
    facts: dict[str, object] = field(default_factory=dict)
    """The answer to a GET, by path and query."""
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def bodies(self) -> list[Any]:
        """The bodies of the accepted requests."""
        return [request.body for request in self.accepted]

    async def wait_until(self, count: int, *, asked: bool = False) -> None:
        """Return once so many requests were accepted, or received."""
        async with asyncio.timeout(PATIENCE_S), self._changed:
            counted = self.asked if asked else self.accepted
            await self._changed.wait_for(lambda: len(counted) >= count)

    async def wait_until_looked(self, count: int) -> None:
        """Return after so many health checks."""
        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(lambda: self.health_asked >= count)

    async def wait_for(self, path: str, **fields: Any) -> ReceivedRequest:
        """Return the first accepted request at this path whose body has these fields."""

        def find() -> ReceivedRequest | None:
            for request in self.accepted:
                if request.path == path and fields.items() <= request.body.items():
                    return request
            return None

        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(lambda: find() is not None)
        found = find()
        assert found is not None
        return found

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await self._exchange(reader, writer):
            pass

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; False: the connection has ended with it."""
        request = await _read(reader)
        fault = await self._outcome(request)
        writer.write(fault.answer)
        await writer.drain()
        if fault.then == "hang":
            await reader.read()  # until the client leaves
        elif fault.then == "reset":
            linger = struct.pack("ii", 1, 0)  # RST, where a close would be FIN
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        while fault.then == "pour":
            writer.write(b" " * 65_536)
            await writer.drain()
        return fault.then == "go on"

    async def _outcome(self, request: ReceivedRequest) -> Fault:
        async with self._changed:
            if request.path == "/health":
                self.health_asked += 1
                self._changed.notify_all()
                return status(503) if self.unhealthy else self.health
            self.asked.append(request)
            fault = self.faults.popleft() if self.faults else self.always
            if fault is None:
                fault = self._answer(request)
            accepted = fault.accepted and request.method != "GET"
            if accepted and request.key not in {other.key for other in self.accepted}:
                self.accepted.append(request)
            self._changed.notify_all()
            return fault

    def _answer(self, request: ReceivedRequest) -> Fault:
        if request.method != "GET":
            return DONE
        return status(200, self.facts[request.path]) if request.path in self.facts else status(404)


async def _read(reader: asyncio.StreamReader) -> ReceivedRequest:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {
        name.lower(): value.strip() for name, _, value in (li.partition(":") for li in lines)
    }
    content = await reader.readexactly(int(headers.get("content-length", 0)))
    return ReceivedRequest(
        method,
        path,
        headers.get("idempotency-key"),
        headers.get("authorization"),
        json.loads(content) if content else None,
    )
