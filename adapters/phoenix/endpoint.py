"""Phoenix Channels as a Litestar WebSocket route: one reader and one writer for each socket.

The decisions are the core's (`adapters.phoenix.server`); here they are carried out. Nothing is
parked for an idle connection but its reader: what goes out is written by a callback.
"""

import asyncio
import itertools
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

from litestar import WebSocket
from litestar.handlers import WebsocketRouteHandler

from adapters.phoenix.channel import ChannelFactory, ConnectInfo, Ended, JoinRefused, Link
from adapters.phoenix.frames import (
    V1,
    V2,
    MalformedFrame,
    UnencodablePayload,
    serializer_for,
)
from adapters.phoenix.handshake import SUBPROTOCOL, origin_allowed, requested_version
from adapters.phoenix.server import (
    Answer,
    Decision,
    Deliver,
    Join,
    Payload,
    Routes,
    ServerSocket,
    broadcast,
)
from adapters.phoenix.uvicorn_protocol import WIRE, SocketProtocol

logger = logging.getLogger(__name__)

GOING_AWAY = 1001
INTERNAL_ERROR = 1011
SERVICE_RESTART = 1012

DRAINING = {"reason": "draining"}
"""The reply to a join that comes when the server is about to end."""
RETRY_AFTER_S = 1.0
"""When a client may try again whose socket is not opened for that."""
BATCH, BATCHES, BATCH_PAUSE_S = 50, 100, 0.05
"""Sockets are sent away so many at a time, or in so many batches, with pauses of about so long."""

_TURN = 64  # messages that one socket may have before another gets its turn


class ConnectRefused(Exception):
    """The socket is not opened: an HTTP status before the upgrade, which browsers do not see."""

    def __init__(self, status: int = 403, *, retry_after_s: float | None = None) -> None:
        super().__init__()
        self.status = status
        self.retry_after_s = retry_after_s


Connect = Callable[[ConnectInfo], str | None]
"""The id of a new socket, for `disconnect`, or None. Raises: ConnectRefused."""


class ConnectionPolicy:
    """Says which sockets may be opened; this one lets all in."""

    def enter(self, info: ConnectInfo) -> None:
        """A socket is to be opened. Raises: ConnectRefused."""

    def left(self, info: ConnectInfo) -> None:
        """A socket that was let in is gone."""


class SlowConsumer(Enum):
    """What a client gets that does not read what is sent to it."""

    CLOSE = 1013
    """What is queued is dropped, and the socket closed with 1013; then aborted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one socket may cost."""

    max_channels: int = 100
    max_inbox: int = 64
    """Messages that wait for one channel; beyond that the socket is not read (back-pressure)."""
    max_queued_frames: int = 1024
    max_queued_chars: int = 4 * 1024 * 1024
    """Frames, and characters in them, that wait for the client to read; beyond: slow_consumer."""
    slow_consumer: SlowConsumer = SlowConsumer.CLOSE


class Observer:
    """Is told what happens on the sockets; this one does nothing with it."""

    def socket_opened(self) -> None:
        """A socket was accepted."""

    def socket_closed(self, code: int) -> None:
        """A socket has ended, with the close code that was sent or received."""

    def join(self, outcome: str) -> None:
        """A join was answered: `ok`, `error`, `crashed`, `unmatched` or `limit`."""

    def slow_consumer(self) -> None:
        """A client did not read, and got what `Limits.slow_consumer` says."""


_DECIDED = "phoenix.decided"  # among uvicorn's messages: one whose decision takes time


class PhoenixEndpoint:
    """A mount point for Phoenix sockets: give `route` to Litestar, and serve by `uvicorn_config`.

    Its methods are called in the event loop that serves it.
    """

    def __init__(
        self,
        path: str,
        channels: Mapping[str, ChannelFactory],
        *,
        connect: Connect = lambda info: None,
        allowed_origins: Sequence[str] | None = None,
        limits: Limits = Limits(),
        gate: ConnectionPolicy | None = None,
        observer: Observer | None = None,
        echo_join_ref: bool = False,
    ) -> None:
        """`path` ends in /websocket. `channels`: topic pattern → factory, the first match wins.

        `allowed_origins`: see `origin_allowed`; None allows every page.
        `echo_join_ref`: see `ServerSocket`.
        """
        self.limits = limits
        self.observer = observer or Observer()
        self._gate = gate or ConnectionPolicy()
        self.route = WebsocketRouteHandler(path)(self._serve)
        self._routes = Routes(channels)
        self._connect = connect
        self._allowed_origins = allowed_origins
        self._echo_join_ref = echo_join_ref
        self.is_draining = False
        """Whether new sockets and joins are refused: their clients try again, here or elsewhere."""
        self._connections: dict[_Connection, str | None] = {}
        self._subscribers: dict[str, dict[Link, _Connection]] = {}

    def broadcast(
        self, topic: str, event: str, payload: Payload, sender: Link | None = None
    ) -> None:
        """Send to everyone who has joined the topic, but for `sender`.

        Raises: UnencodablePayload, and then nobody gets it.
        """
        texts = broadcast(topic, event, payload, (V1, V2))
        for link, connection in self._subscribers.get(topic, {}).items():
            if link is not sender:
                connection.send(texts[connection.core.serializer.version])

    def disconnect(self, socket_id: str) -> None:
        """Close every socket that `connect` gave this id."""
        for connection, its_id in self._connections.items():
            if its_id == socket_id:
                connection.close(GOING_AWAY)

    def drain(self) -> None:
        """Close every socket, so that its client goes to another server, or comes back later."""
        for connection in self._connections:
            connection.close(SERVICE_RESTART)

    async def send_away(self, jitter: Callable[[], float]) -> None:
        """`drain` in batches, so that clients do not all come back in one instant.

        It is over in about five seconds, however many there are. `jitter`: a float in 0..1.
        """
        connections = list(self._connections)
        size = max(BATCH, math.ceil(len(connections) / BATCHES))
        for start in range(0, len(connections), size):
            if start:
                await asyncio.sleep(BATCH_PAUSE_S * (0.5 + jitter()))
            for connection in connections[start : start + size]:
                connection.close(SERVICE_RESTART)

    def subscribe(self, link: Link, connection: "_Connection") -> None:
        """Let the channel have the broadcasts on its topic."""
        self._subscribers.setdefault(link.topic, {})[link] = connection

    def unsubscribe(self, link: Link) -> None:
        """End that. Harmless if it was not so."""
        subscribers = self._subscribers.get(link.topic)
        if subscribers is not None:
            subscribers.pop(link, None)
            if not subscribers:
                del self._subscribers[link.topic]

    async def _serve(self, socket: WebSocket[Any, Any, Any]) -> None:
        wire, info = _wire_of(socket), ConnectInfo(socket.scope)
        serializer = serializer_for(requested_version(info.params))
        try:
            if self.is_draining:
                raise ConnectRefused(503, retry_after_s=RETRY_AFTER_S)
            if serializer is None or not origin_allowed(
                info.headers.get("origin"), self._allowed_origins
            ):
                raise ConnectRefused
            socket_id = self._connect(info)
            self._gate.enter(info)
        except ConnectRefused as refused:
            await _refuse(socket, refused)
            return
        try:
            offered = socket.scope["subprotocols"]
            await socket.accept(subprotocols=SUBPROTOCOL if SUBPROTOCOL in offered else None)
            core = ServerSocket[Link, ChannelFactory](
                serializer,
                self._routes,
                max_channels=self.limits.max_channels,
                echo_join_ref=self._echo_join_ref,
            )
            await self._run(_Connection(self, core, info, wire), socket_id)
        finally:
            self._gate.left(info)

    async def _run(self, connection: "_Connection", socket_id: str | None) -> None:
        self._connections[connection] = socket_id
        self.observer.socket_opened()
        code = INTERNAL_ERROR
        try:
            code = await connection.read()
        finally:
            del self._connections[connection]
            self.observer.socket_closed(code)
            await connection.end()


async def _refuse(socket: WebSocket[Any, Any, Any], refused: ConnectRefused) -> None:
    headers = [(b"content-length", b"0")]
    if refused.retry_after_s is not None:
        headers.append((b"retry-after", b"%d" % math.ceil(refused.retry_after_s)))
    start = {"type": "websocket.http.response.start", "status": refused.status, "headers": headers}
    await socket.send(cast(Any, start))
    await socket.send(cast(Any, {"type": "websocket.http.response.body", "body": b""}))


def _wire_of(socket: WebSocket[Any, Any, Any]) -> SocketProtocol:
    extensions = cast("dict[str, object]", socket.scope.get("extensions") or {})
    wire = extensions.pop(WIRE, None)  # a reference back to the scope's owner: not for keeping
    if not isinstance(wire, SocketProtocol):
        raise RuntimeError("a Phoenix endpoint is served by `uvicorn_config`")
    return wire


class _Connection:
    """One open socket: its reader, and the queue of what goes out."""

    __slots__ = ("_acting", "_chars", "_ending", "_endpoint", "_queue", "_wire", "core", "info",
                 "max_inbox")  # fmt: skip

    def __init__(
        self,
        endpoint: PhoenixEndpoint,
        core: ServerSocket[Link, ChannelFactory],
        info: ConnectInfo,
        wire: SocketProtocol,
    ) -> None:
        self.core = core
        self.info = info
        self.max_inbox = endpoint.limits.max_inbox
        self._endpoint = endpoint
        self._wire = wire
        self._queue: list[str] | None = None  # None while nothing waits
        self._chars = 0
        self._ending: set[Link] = set()
        self._acting = False  # whether the reader is at a message that takes time

    # The writer.

    def send(self, text: str) -> None:
        """Queue a frame; never waits. What is queued in one turn of the loop leaves together."""
        queue = self._queue
        if queue is None:
            if self._wire.closing:
                return
            queue = self._queue = []
            # A task that the sender created before comes first, so that the acknowledgement of a
            # message and an answer that is there at once share one write.
            asyncio.get_running_loop().call_soon(self._flush)
        queue.append(text)
        self._chars += len(text)
        limits = self._endpoint.limits
        if len(queue) > limits.max_queued_frames or self._chars > limits.max_queued_chars:
            if self._wire.writable.is_set():
                self._write()  # a burst of ours: the client could not have read it yet
            else:
                self._apply(limits.slow_consumer)

    def _flush(self) -> None:
        if self._wire.writable.is_set():
            self._write()
        else:
            self._wire.on_writable = self._write

    def _write(self) -> None:
        queue, self._queue, self._chars = self._queue, None, 0
        if queue is not None:
            self._wire.send_texts(queue)

    def _apply(self, policy: SlowConsumer) -> None:
        self._queue = None
        self._chars = 0
        self._endpoint.observer.slow_consumer()
        logger.info("A client does not read", extra={"action": "slow_consumer"})
        self._wire.hang_up(policy.value)

    def close(self, code: int) -> None:
        """Send what is queued, and close."""
        self._write()
        self._wire.hang_up(code)

    def broadcast(
        self, topic: str, event: str, payload: Payload, sender: Link | None = None
    ) -> None:
        """See `PhoenixEndpoint.broadcast`."""
        self._endpoint.broadcast(topic, event, payload, sender)

    def ending(self, link: Link) -> None:
        """The channel ends: it gets no more messages, nor broadcasts."""
        self.core.forget(link)
        self._endpoint.unsubscribe(link)
        self._ending.add(link)

    def ended(self, link: Link) -> None:
        """The channel has terminated."""
        self._ending.discard(link)

    # The reader.

    async def read(self) -> int:
        """Carry out what the client asks for until the socket ends; the close code."""
        self._wire.take = self._take
        try:
            return await self._read()
        finally:
            self._wire.take = None

    async def _read(self) -> int:
        for number in itertools.count(1):
            message = cast("dict[str, Any]", await self._wire.receive())
            self._acting = True
            if message["type"] == "websocket.disconnect":
                return int(message["code"])
            try:
                await self._carry_out(message)
            except UnencodablePayload:  # a reply to a ref so odd that it can be read, not written
                self._undecodable()
            if number % _TURN == 0:
                await asyncio.sleep(0)  # what has been read already is taken without waiting
            self._acting = False
        return INTERNAL_ERROR

    async def _carry_out(self, message: dict[str, Any]) -> None:
        if message["type"] == _DECIDED:
            await self._act(message["decision"])
            return
        decision = self._decide(message["text"] if "text" in message else message["bytes"])
        if not self._act_at_once(decision):
            await self._act(decision)

    def _take(self, text: str) -> bool:
        """Carry out a message that needs no waiting as it comes; the reader gets the others."""
        if self._acting:
            return False
        decision = self._decide(text)
        if not self._act_at_once(decision):
            self._acting = True
            self._wire.queue.put_nowait(cast(Any, {"type": _DECIDED, "decision": decision}))
        return True

    def _decide(self, data: str | bytes) -> Decision[Link, ChannelFactory]:
        try:
            return self.core.receive(data)
        except MalformedFrame:
            self._undecodable()
            return None

    def _undecodable(self) -> None:
        logger.info("A frame could not be decoded", extra={"action": "malformed_frame"})
        self.close(INTERNAL_ERROR)

    def _act_at_once(self, decision: Decision[Link, ChannelFactory]) -> bool:
        """Whether that was all; if not, `_act` does the rest."""
        if isinstance(decision, Deliver):
            decision.channel.give(decision)
            return not decision.channel.is_full
        if isinstance(decision, Join):
            return False
        if isinstance(decision, Answer):
            self.send(decision.text)
            if decision.refused_join is not None:
                self._endpoint.observer.join(decision.refused_join)
        elif decision is not None:
            decision.channel.give(decision)
        return True

    async def _act(self, decision: Decision[Link, ChannelFactory]) -> None:
        if isinstance(decision, Join):
            await self._join(decision)
        elif isinstance(decision, Deliver) and decision.channel.is_full:
            await decision.channel.room()

    async def _join(self, join: Join[Link, ChannelFactory]) -> None:
        old = join.replaced
        told = old is None or await old.retire()
        link = await self._answer_join(join)
        if old is not None and not told:
            self.send(self.core.closed(old))
            old.retired()
        if link is not None:
            link.start()

    async def _answer_join(self, join: Join[Link, ChannelFactory]) -> Link | None:
        """Run the join and queue its reply; the channel, unless it is refused."""
        link = response = None
        try:
            if self._endpoint.is_draining:
                raise JoinRefused(DRAINING)
            link = Link(self, join.route, join.topic, join.join_ref, join.ref)
            response = await link.join(join.payload)
            text = self.core.joined(link, join.ref, response)
        except Exception as error:
            if link is not None:
                await link.abandon(had_joined=response is not None)
            self._refuse(join, error)
            if link is not None and isinstance(error, JoinRefused) and error.final:
                self.send(self.core.closed(link))
            return None
        self._endpoint.subscribe(link, self)
        self._answered(text, "ok")
        return link

    def _refuse(self, join: Join[Link, ChannelFactory], error: Exception) -> None:
        if isinstance(error, JoinRefused):
            self._answered(self.core.refused(join, error.response), "error")
            return
        text = self.core.refused(join, {"reason": "join crashed"})
        logger.error("A join crashed", extra={"action": "join_crashed"}, exc_info=error)
        self._answered(text, "crashed")

    def _answered(self, text: str, outcome: str) -> None:
        self.send(text)
        self._endpoint.observer.join(outcome)

    async def end(self) -> None:
        """The socket is gone: every channel does what it was given before, and terminates."""
        channels = self.core.channels
        for link in channels:
            link.give(Ended.DISCONNECTED)
        for link in (*channels, *self._ending):
            await link.finished()
