"""The load: many Phoenix V2 clients in lockstep over raw sockets, cheaper than any server.

Frames are built once, but for the number in them, and answers are told apart by their first bytes.
"""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import quantiles
from typing import Self, TypeVar, cast

import msgspec

PATIENCE_S = 30.0
"""The time-out of everything: after it the benchmark is abandoned."""
BUSINESS = "b1"
TOPIC = f"messages:{BUSINESS}"
TEXT = "Bună ziua, la ce oră deschideți mâine?"

_NUMBER = "########"
_numbers = itertools.count(1)  # over all clients: no message, and no id of one, comes twice
_PUSH = b'["1",null,'
_OK = b'"status":"ok"'
_AI = b'"author":"ai"'
_ANSWER, _WORDS, _TYPING = (
    f'["1",null,"{TOPIC}","{event}",'.encode()
    for event in ("new_message", "user_message", "typing")
)


class BenchmarkFailed(Exception):
    """A server failed a request: its figures would mean nothing."""


T = TypeVar("T")


async def in_time(awaited: Awaitable[T]) -> T:
    """Raises: BenchmarkFailed."""
    try:
        return await asyncio.wait_for(awaited, PATIENCE_S)
    except TimeoutError:
        raise BenchmarkFailed(f"something did not come within {PATIENCE_S:g} s") from None


def p99_ms(seconds: Sequence[float]) -> float:
    """Return the time below which 99 % of these are, in ms."""
    return quantiles(seconds, n=100)[98] * 1000


@dataclass(frozen=True, slots=True)
class Latencies:
    """Seconds from each message to its acknowledgement and to its answer."""

    acknowledged: list[float] = field(default_factory=list)
    answered: list[float] = field(default_factory=list)

    def clear(self) -> None:
        """Delete the measurements so far."""
        self.acknowledged.clear()
        self.answered.clear()


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The role of a client in one round of messages."""

    joins: bool = True
    """An echo has nothing to join."""
    speaks: bool = True
    hears: int = 2
    """Frames that come for each message: the acknowledgement and the answer, or two pushes."""
    token_for: Callable[[str], str] | None = None
    """A function that makes a user's token; None: joins need none."""


SPEAKER = Part()
LISTENER = Part(speaks=False)
"""The same user's other socket: it receives the message and the answer as pushes."""
ECHO = Part(joins=False, hears=1)


class Socket(asyncio.Protocol):
    """A connection that upgrades to Phoenix V2 and takes text frames."""

    def __init__(self) -> None:
        self._on_data: Callable[[bytes], None] = self._on_upgrade
        self._on_frame: Callable[[bytes], None]
        self._rest = b""
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the current operation is, the first of which is the upgrade."""
        self._lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(
            b"GET /socket/websocket?vsn=2.0.0 HTTP/1.1\r\nhost: 127.0.0.1\r\n"
            b"upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n"
            b"sec-websocket-key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
        )

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost.set()
        self._fail("the connection was lost")

    def data_received(self, data: bytes) -> None:
        self._on_data(data)

    async def close(self) -> None:
        """End the connection, and whatever is under way on it."""
        self.ready.cancel()
        self.transport.abort()
        await self._lost.wait()

    def _on_upgrade(self, data: bytes) -> None:
        self._rest += data
        head, end, rest = self._rest.partition(b"\r\n\r\n")
        if not end:
            return
        if b" 101 " not in head[:16]:
            self._fail(f"no upgrade: {head[:100]!r}")
            return
        self._rest, self._on_data = b"", self._on_frames
        self._opened()
        self._on_frames(rest)

    def _opened(self) -> None:
        self.ready.set_result(None)

    def _on_frames(self, data: bytes) -> None:
        data = self._rest + data
        at, end = 0, len(data)
        while end - at >= 4:  # the head of a frame of 126 bytes and more, or a short frame's start
            start, length = at + 2, data[at + 1]
            if length == 126:
                start, length = at + 4, int.from_bytes(data[at + 2 : at + 4], "big")
            if data[at] != 0x81 or data[at + 1] == 127:
                self._fail(f"no text frame, or a huge one: {data[at : at + 100]!r}")
                return
            if start + length > end:
                break
            at = start + length
            self._on_frame(data[start:at])
        self._rest = data[at:]

    def _fail(self, reason: str) -> None:
        # Between two rounds nobody waits: `start` finds the connection closed.
        if not self.ready.done():
            self.ready.set_exception(BenchmarkFailed(reason))
        self.transport.abort()


class Client(Socket):
    """One connection of one user, with at most one message under way.

    It is `ready` when it has joined, and after each round of messages.
    """

    def __init__(self, user: str, part: Part, latencies: Latencies, last_seq: int | None) -> None:
        super().__init__()
        self._part = part
        self._latencies = latencies
        payload = _join_payload(user, last_seq)
        if part.token_for is not None:
            payload["token"] = part.token_for(user)
        self._join = frame(["1", "1", TOPIC, "phx_join", payload])
        message = frame(["1", _NUMBER, TOPIC, "new_message", _message_payload(user)])
        self._pieces = message.split(_NUMBER.encode())
        self._on_frame = self._on_join
        self._left = self._due = 0
        self._sent_at = 0.0

    @property
    def speaks(self) -> bool:
        """True if it sends messages, False if it only listens."""
        return self._part.speaks

    def start(self, messages: int) -> None:
        """Begin a round of this many messages, one after the other; `ready` is done at the end."""
        self.ready = asyncio.get_running_loop().create_future()
        self._left = messages
        if self.transport.is_closing():
            self._fail("the connection was lost between two rounds")
        else:
            self._next()

    def _next(self) -> None:
        self._due = self._part.hears
        if self._part.speaks:
            self._sent_at = time.perf_counter()
            self.transport.write((b"%08d" % next(_numbers)).join(self._pieces))

    def _opened(self) -> None:
        if self._part.joins:
            self.transport.write(self._join)
        else:
            self._on_frame = self._on_echo
            self.ready.set_result(None)

    def _on_join(self, frame: bytes) -> None:
        if _OK not in frame:
            self._fail(f"refused: {frame[:200]!r}")
            return
        self._on_frame = self._on_message
        self.ready.set_result(None)

    def _on_message(self, frame: bytes) -> None:
        if not frame.startswith(_PUSH):
            if _OK not in frame:
                self._fail(f"refused: {frame[:200]!r}")
                return
            self._latencies.acknowledged.append(time.perf_counter() - self._sent_at)
        elif frame.startswith(_ANSWER) and _AI in frame:
            if self._part.speaks:
                self._latencies.answered.append(time.perf_counter() - self._sent_at)
        elif frame.startswith(_TYPING):
            return
        elif not frame.startswith(_WORDS):
            self._fail(f"unexpected: {frame[:200]!r}")
            return
        self._count()

    def _on_echo(self, frame: bytes) -> None:
        self._latencies.answered.append(time.perf_counter() - self._sent_at)
        self._count()

    def _count(self) -> None:
        self._due -= 1
        if self._due < 0:
            self._fail("more frames came than were due")
        elif self._due == 0:
            self._left -= 1
            if self._left:
                self._next()
            else:
                self.ready.set_result(None)


class Crowd:
    """Clients of one server, connected and joined; use as `async with await Crowd.of(…)`."""

    def __init__(self) -> None:
        self._clients: list[Client] = []
        self.latencies = Latencies()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        for client in self._clients:
            await client.close()

    @classmethod
    async def of(
        cls, port: int, users: Iterable[str], part: Part = SPEAKER, last_seq: int | None = None
    ) -> Self:
        """Connect one client for each user. Raises: BenchmarkFailed."""
        crowd = cls()
        await crowd.add(port, users, part, last_seq)
        return crowd

    async def add(
        self, port: int, users: Iterable[str], part: Part = SPEAKER, last_seq: int | None = None
    ) -> None:
        """Connect more clients, all at once. Raises: BenchmarkFailed."""
        loop = asyncio.get_running_loop()
        clients = []
        for user in users:
            make = partial(Client, user, part, self.latencies, last_seq)
            _, client = await loop.create_connection(make, "127.0.0.1", port)
            clients.append(client)
        self._clients += clients
        await all_ready(clients)

    @property
    def speakers(self) -> int:
        """Return the number of clients that send messages."""
        return sum(client.speaks for client in self._clients)

    async def speak(self, messages: int) -> None:
        """Send messages from each speaker, and await all pushes. Raises: BenchmarkFailed."""
        for client in self._clients:
            client.start(messages)
        await all_ready(self._clients)

    async def chat(self, per_second: float) -> None:
        """Send messages at this pace, each by the next client, until cancelled.

        Raises: BenchmarkFailed.
        """
        due = time.perf_counter()
        for client in itertools.cycle(self._clients):
            due += 1 / per_second
            await asyncio.sleep(due - time.perf_counter())
            await all_ready([client])
            client.start(1)


async def all_ready(clients: Sequence[Client]) -> None:
    """Wait until what is under way of all clients is done. Raises: BenchmarkFailed."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*(client.ready for client in clients))
    except TimeoutError:
        raise BenchmarkFailed(f"something did not come within {PATIENCE_S:g} s") from None


def _join_payload(user: str, last_seq: int | None) -> dict[str, object]:
    return {"businessId": BUSINESS, "userId": user, "lastSeq": last_seq}


def _message_payload(user: str) -> dict[str, object]:
    ids = {"businessId": BUSINESS, "locationId": "l1", "userId": user}
    return {**ids, "message": f"{TEXT} ({_NUMBER})", "messageId": f"m-{_NUMBER}"}


def frame(value: object) -> bytes:
    """A text frame (RFC 6455, section 5.2) of 126 to 65,535 bytes, whose masking key is zero."""
    text = msgspec.json.encode(value)
    if not 126 <= len(text) <= 65_535:
        text = text.ljust(126)  # JSON may end in spaces
    return b"\x81\xfe" + len(text).to_bytes(2, "big") + bytes(4) + text
