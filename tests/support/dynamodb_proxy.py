"""A proxy before DynamoDB that injects faults on a test's command, and counts capacity.

async with FaultProxy(engine.url) as proxy:
    store = DynamoStore(table, endpoint_url=proxy.url, ...)
    proxy.plan = in_turn(Fault.THROTTLED, Fault.LOST)
"""

import asyncio
import json
import socket
import struct
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import formatdate
from enum import Enum, auto
from random import Random
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.support.faults import Hold
from tests.support.listener import Listener
from tests.support.user import PATIENCE_S


class Fault(Enum):
    """The failure of one request."""

    THROTTLED = auto()
    """Refused: the table's throughput is used up."""
    SLOWED = auto()
    """Refused: the account's throughput is used up."""
    CONFLICT = auto()
    """A write of items is refused: a transaction is under way on one of them."""
    BROKEN = auto()
    """Refused: HTTP 500."""
    EXPIRED = auto()
    """Refused: the credentials have expired."""
    SKEWED = auto()
    """Refused: the machine's clock differs too much, as most of AWS's services say it."""
    SIGNED_EARLY = auto()
    """The same, as DynamoDB says it where the clock is behind."""
    SIGNED_LATE = auto()
    """The same where it is ahead."""
    PARTIAL = auto()
    """Only the first half of a batch is executed; other requests are executed in full."""
    RESET = auto()
    """The request is not executed, and the connection is reset."""
    HANG = auto()
    """The request is neither executed nor answered."""
    LOST = auto()
    """The request is executed, and then the connection is reset."""
    LOST_BROKEN = auto()
    """The request is executed, and answered with HTTP 500."""
    MUTE = auto()
    """The request is executed, and never answered."""


class Asked(NamedTuple):
    """One request: its number, from 1, its operation, its body, and how it was signed."""

    number: int
    operation: str
    body: dict[str, Any]
    key: str
    """The id of the access key."""
    signed_at: float
    """Seconds since 1970, by the client's clock."""


class Spent(NamedTuple):
    """The capacity that one request used, by the engine's count."""

    operation: str
    write: float
    read: float


Plan = Callable[[Asked], Fault | Hold | None]
"""The fate of a request. None: it is executed; a Hold: it is executed once that is released."""


def nothing(asked: Asked) -> None:
    """A plan without faults."""


def in_turn(*faults: Fault | Hold | None, operation: str | None = None) -> Plan:
    """Return a plan with one fault for each of the next requests (of one operation, if named)."""
    left = deque(faults)

    def plan(asked: Asked) -> Fault | Hold | None:
        if operation is not None and asked.operation != operation:
            return None
        return left.popleft() if left else None

    return plan


def always(fault: Fault) -> Plan:
    """Return a plan with the same fault for every request."""
    return lambda asked: fault


def at_call(number: int, fault: Fault) -> Plan:
    """Return a plan with a fault at the `number`-th request from now on, counted from 1."""
    return in_turn(*[None] * (number - 1), fault)


def of_partition(pk: str, fault: Fault) -> Plan:
    """Return a plan with a fault at every request that names an item of this partition."""
    name = json.dumps({"S": pk})
    return lambda asked: fault if name in json.dumps(asked.body) else None


def seeded(seed: int, share: float, *faults: Fault) -> Plan:
    """Return a plan with random faults at a share of the requests, reproducible by the seed."""
    random = Random(seed)
    return lambda asked: random.choice(faults) if random.random() < share else None


@dataclass
class FaultProxy(Listener):
    """A proxy before an engine, which executes its plan."""

    engine_url: str
    plan: Plan = nothing
    asked: list[Asked] = field(default_factory=list)
    """Every request, executed or not."""
    spent: list[Spent] = field(default_factory=list)
    """The capacity used by each request that the engine answered."""
    ahead_s: float = 0.0
    """How far the clock by which it dates its answers is ahead of the machine's."""
    connections: set[asyncio.StreamWriter] = field(default_factory=set)
    """Those that are open."""
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _dealt_with: int = 0

    @property
    def operations(self) -> list[str]:
        """The operations that were requested, in order."""
        return [asked.operation for asked in self.asked]

    def forget(self) -> None:
        """Reset the counts."""
        self.asked.clear()
        self.spent.clear()
        self._dealt_with = 0

    def reset(self) -> None:
        """Reset all open connections, as a peer does that has lost them."""
        for writer in self.connections:
            _linger_not(writer)
            writer.transport.abort()

    def too_far(self, fault: Fault) -> Plan:
        """Return a plan with a fault at requests signed five minutes away from its own clock."""

        def plan(asked: Asked) -> Fault | None:
            return fault if abs(asked.signed_at - time.time() - self.ahead_s) > 300 else None

        return plan

    async def wait_until(self, count: int) -> None:
        """Return once so many requests have been handled."""
        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(lambda: self._dealt_with >= count)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        engine = urlsplit(self.engine_url)
        upstream = await asyncio.open_connection(engine.hostname, engine.port)
        self.connections.add(writer)
        try:
            while await self._exchange(reader, writer, upstream):
                pass
        finally:
            self.connections.discard(writer)
            upstream[1].close()

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, upstream: "_Upstream"
    ) -> bool:
        """Handle one request; return False if the connection has ended with it."""
        head, content = await _message(reader)
        operation = _header(head, "x-amz-target").partition(".")[2]
        key = _header(head, "authorization").partition("Credential=")[2].partition("/")[0]
        signed = datetime.strptime(_header(head, "x-amz-date") + "+0000", "%Y%m%dT%H%M%SZ%z")
        body = json.loads(content)
        asked = Asked(len(self.asked) + 1, operation, body, key, signed.timestamp())
        self.asked.append(asked)
        fate = self.plan(asked)
        if isinstance(fate, Hold):
            await fate.wait()
            fate = None
        if fate is Fault.CONFLICT and operation not in _CONFLICTING:
            fate = None
        if fate in (Fault.HANG, Fault.RESET):
            answer = b""
        elif fate is not None and fate in _REFUSALS:
            answer = _refusal(fate, asked)
        else:
            answer = await self._forwarded(asked, fate is Fault.PARTIAL, upstream)
        async with self._changed:
            self._dealt_with += 1
            self._changed.notify_all()
        if fate in (Fault.HANG, Fault.MUTE):
            await reader.read()  # until the client leaves
            return False
        if fate in (Fault.RESET, Fault.LOST):
            _linger_not(writer)
            return False
        answer = _refusal(Fault.BROKEN, asked) if fate is Fault.LOST_BROKEN else answer
        writer.write(_dated(answer, time.time() + self.ahead_s))
        await writer.drain()
        return True

    async def _forwarded(self, asked: Asked, partial: bool, upstream: "_Upstream") -> bytes:
        body, rest = _halved(asked) if partial else (asked.body, {})
        # Every operation on items may be asked what it costs; the store needs not know.
        if asked.operation not in ("DescribeTable", "CreateTable", "DeleteTable"):
            body = {**body, "ReturnConsumedCapacity": "INDEXES"}
        content = json.dumps(body).encode()
        reader, writer = upstream
        writer.write(_REQUEST % (asked.operation.encode(), len(content)) + content)
        head, content = await _message(reader)
        answer = json.loads(content)
        self._count(asked.operation, answer)
        answer |= rest
        return _answer(int(head.split(b" ", 2)[1]), answer)

    def _count(self, operation: str, answer: dict[str, Any]) -> None:
        consumed = answer.pop("ConsumedCapacity", None)
        if consumed is None:
            return
        tables = consumed if isinstance(consumed, list) else [consumed]
        units = sum(float(table["CapacityUnits"]) for table in tables)
        reads = operation in _READS
        self.spent.append(Spent(operation, 0.0 if reads else units, units if reads else 0.0))


_Upstream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_READS = ("GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems")
_CONFLICTING = ("PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems")
_PREFIX = "com.amazonaws.dynamodb.v20120810#"
_REFUSALS = {
    Fault.THROTTLED: (400, "ProvisionedThroughputExceededException"),
    Fault.SLOWED: (400, "ThrottlingException"),
    Fault.CONFLICT: (400, "TransactionConflictException"),
    Fault.BROKEN: (500, "InternalServerError"),
    Fault.EXPIRED: (400, "ExpiredTokenException"),
    Fault.SKEWED: (403, "RequestTimeTooSkewed"),
    Fault.SIGNED_EARLY: (400, "InvalidSignatureException"),
    Fault.SIGNED_LATE: (400, "InvalidSignatureException"),
}
_MESSAGES = {
    Fault.EXPIRED: "The security token included in the request is expired",
    Fault.SKEWED: "The difference between the request time and the current time is too large.",
    Fault.SIGNED_EARLY: "Signature expired: 20260101T000000Z is now earlier than 20260101T000500Z",
    Fault.SIGNED_LATE: "Signature not yet current: 20260101T000500Z is still later than 20260101",
}
# An engine wants a signature, and does not look at it.
_REQUEST = (
    b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-amz-json-1.0\r\n"
    b"Authorization: AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, "
    b"SignedHeaders=host, Signature=0\r\nX-Amz-Date: 20260101T000000Z\r\n"
    b"X-Amz-Target: DynamoDB_20120810.%s\r\nContent-Length: %d\r\n\r\n"
)


def _refusal(fault: Fault, asked: Asked) -> bytes:
    code, name = _REFUSALS[fault]
    message = _MESSAGES.get(fault, "as told")
    body: dict[str, Any] = {"__type": _PREFIX + name, "message": message}
    if fault is Fault.CONFLICT and asked.operation == "TransactWriteItems":
        reasons = [{"Code": "None"} for _ in asked.body["TransactItems"]]
        reasons[-1] = {"Code": "TransactionConflict", "Message": "as told"}
        body["__type"] = _PREFIX + "TransactionCanceledException"
        body["CancellationReasons"] = reasons
    return _answer(code, body)


def _answer(code: int, body: object) -> bytes:
    content = json.dumps(body).encode()
    head = (
        f"HTTP/1.1 {code} As told\r\nContent-Type: application/x-amz-json-1.0\r\n"
        f"x-amzn-RequestId: proxy\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def _dated(answer: bytes, at: float) -> bytes:
    line, _, rest = answer.partition(b"\r\n")
    return b"%s\r\nDate: %s\r\n%s" % (line, formatdate(at, usegmt=True).encode(), rest)


def _linger_not(writer: asyncio.StreamWriter) -> None:
    """Make the end of a connection a reset (RST), where a close would be FIN."""
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


def _halved(asked: Asked) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the request with its first half alone, and the reply's part about the rest."""
    if asked.operation == "BatchWriteItem":
        ((table, items),) = asked.body["RequestItems"].items()
        kept, rest = _split(items)
        return {"RequestItems": {table: kept}}, {"UnprocessedItems": {table: rest}} if rest else {}
    if asked.operation == "BatchGetItem":
        ((table, wanted),) = asked.body["RequestItems"].items()
        kept, rest = _split(wanted["Keys"])
        unread = {"UnprocessedKeys": {table: {**wanted, "Keys": rest}}} if rest else {}
        return {"RequestItems": {table: {**wanted, "Keys": kept}}}, unread
    return asked.body, {}


def _split(items: list[Any]) -> tuple[list[Any], list[Any]]:
    half = (len(items) + 1) // 2
    return items[:half], items[half:]


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    return head, await reader.readexactly(int(_header(head, "content-length")))


def _header(head: bytes, name: str) -> str:
    for line in head.decode().split("\r\n")[1:]:
        key, _, value = line.partition(":")
        if key.lower() == name:
            return value.strip()
    raise ValueError(f"no {name} in {head!r}")
