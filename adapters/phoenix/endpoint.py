"""Phoenix Channels as a Litestar WebSocket route: its sockets, and what they are sent.

The decisions are made by `adapters.phoenix.server`, and carried out here, for connections of any
transport. Messages are processed, and frames written, in callbacks of the event loop; a socket has
a task only while a message takes time.
"""

import asyncio
import itertools
import logging
import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from litestar import WebSocket
from litestar.handlers import WebsocketRouteHandler
from litestar.types import Receive, Send

from adapters.phoenix.channel import (
    ChannelFactory,
    ChannelSocket,
    ChannelTransport,
    ConnectInfo,
    JoinRefused,
    TerminateReason,
)
from adapters.phoenix.frames import (
    V1,
    V2,
    MalformedFrame,
    Serializer,
    UnencodablePayload,
    serializer_for,
)
from adapters.phoenix.handshake import (
    SUBPROTOCOL,
    origin_allowed,
    requested_version,
    shown_origin,
)
from adapters.phoenix.limits import Connections
from adapters.phoenix.server import (
    DispatchEvent,
    JoinChannel,
    Payload,
    SendFrame,
    ServerSocket,
    SocketAction,
    TopicRoutes,
    encode_broadcast,
)
from adapters.phoenix.socket_protocol import SocketUser
from adapters.phoenix.uvicorn_protocol import HANDSHAKE_EXTENSION, HandshakeProtocol
from adapters.phoenix.websocket import INTERNAL_ERROR, SERVICE_RESTART, text_frame

logger = logging.getLogger(__name__)

SOCKET_PATH = "/socket/websocket"
"""Where Phoenix's clients find a socket that is mounted at `/socket`, as its guide has it."""

DRAINING = {"reason": "draining"}
"""The response to a join while the server drains."""
RETRY_AFTER_S = 1.0
"""The Retry-After of a socket that is refused while the server drains."""
BATCH, BATCHES, BATCH_PAUSE_S = 50, 100, 0.05
"""A drain closes this many sockets at a time, or all in this many batches, with these pauses."""

ORIGIN_LOG_PAUSE_S = 60.0
"""Between two log lines about refused origins; the observer counts all."""
_WRITE_AT = 65_536  # bytes that wait for the end of a turn of the event loop
_TURN = 64  # messages that one socket may have processed before another gets its turn
_READ_AHEAD = 16  # messages that wait for an earlier one before the socket is not read any more


class ConnectRefused(Exception):
    """The socket is refused with an HTTP status before the upgrade; browsers hide the status."""

    def __init__(self, status: int = 403, *, retry_after_s: float | None = None) -> None:
        super().__init__()
        self.status = status
        self.retry_after_s = retry_after_s


class ConnectionPolicy:
    """Decides which sockets may be opened; this one allows all."""

    def admit(self, info: ConnectInfo) -> None:
        """Called before a socket is opened. Raises: ConnectRefused."""

    def release(self, info: ConnectInfo) -> None:
        """Called after the end of a socket that was allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketLimits:
    """The resources that one socket may use."""

    max_channels: int = 100
    max_inbox: int = 64
    """Messages waiting for one channel; beyond that the socket is not read (back-pressure)."""
    max_queued_frames: int = 1024
    max_queued_bytes: int = 1024 * 1024
    """Frames, and bytes of them, waiting for a client that does not read, those in the transport's
    buffer included. Beyond either the queue is dropped, and the socket closed with 1013; then
    aborted."""


class SocketObserver:
    """Callbacks for metrics; these do nothing."""

    def socket_opened(self) -> None:
        """A socket was accepted."""

    def socket_closed(self, code: int) -> None:
        """A socket has ended, with the close code that was sent or received."""

    def join(self, outcome: str) -> None:
        """A join was answered: `ok`, `error`, `crashed`, `unmatched` or `limit`."""

    def origin_refused(self) -> None:
        """A page of an origin that is not allowed asked for a socket."""

    def slow_consumer(self) -> None:
        """A client did not read, and its socket is closed with 1013."""


class PhoenixEndpoint:
    """The sockets under one path: give `route` to Litestar, and serve by `uvicorn_config`.

    Its methods are called in the event loop that serves it.
    """

    def __init__(
        self,
        path: str,
        channels: Mapping[str, ChannelFactory],
        *,
        allowed_origins: Sequence[str] | None = None,
        also_allowed: Callable[[ConnectInfo], bool] = lambda info: False,
        limits: SocketLimits = SocketLimits(),
        connections: Connections | None = None,
        connection_policy: ConnectionPolicy | None = None,
        observer: SocketObserver | None = None,
    ) -> None:
        """`path` ends in /websocket. `channels`: topic pattern → factory, the first match wins.

        `allowed_origins`: see `origin_allowed`; None allows every page. `also_allowed`: returns
        whether any other page may open a socket. `connections`: those of the server that serves it.
        """
        self.limits = limits
        self.connections = connections or Connections()
        self.observer = observer or SocketObserver()
        self.route = WebsocketRouteHandler(path, websocket_class=_PlainWebSocket)(self._serve)
        self.is_draining = False
        """True: new sockets and joins are refused, and their clients try again."""
        self.allowed_origins = allowed_origins
        self.also_allowed = also_allowed
        self.connection_policy = connection_policy or ConnectionPolicy()
        self.routes = TopicRoutes(channels)
        self._connections: dict[Connection, None] = {}  # a set that keeps the order
        self._subscribers: dict[str, dict[ChannelSocket, Connection]] = {}
        self._next_origin_log = 0.0

    def broadcast(
        self, topic: str, event: str, payload: Payload, sender: ChannelSocket | None = None
    ) -> None:
        """Send to every channel on the topic but `sender`.

        Raises: UnencodablePayload, and nothing is sent.
        """
        texts = encode_broadcast(topic, event, payload, (V1, V2))
        for socket, connection in self._subscribers.get(topic, {}).items():
            if socket is not sender:
                connection.send(texts[connection.core.serializer.version])

    async def drain(self, jitter: Callable[[], float]) -> None:
        """Close every socket in batches, so that the clients do not all reconnect at once.

        It takes about five seconds at most. `jitter`: a float in 0..1.
        Source: phoenix `lib/phoenix/socket/pool_supervisor.ex`, `PoolDrainer`.
        """
        connections = list(self._connections)
        size = max(BATCH, math.ceil(len(connections) / BATCHES))
        for start in range(0, len(connections), size):
            if start:
                await asyncio.sleep(BATCH_PAUSE_S * (0.5 + jitter()))
            for connection in connections[start : start + size]:
                connection.close(SERVICE_RESTART)

    def subscribe(self, socket: ChannelSocket, connection: "Connection") -> None:
        """Add the channel to the broadcasts on its topic."""
        self._subscribers.setdefault(socket.topic, {})[socket] = connection

    def unsubscribe(self, socket: ChannelSocket) -> None:
        """Remove the channel from the broadcasts on its topic, if it is there."""
        subscribers = self._subscribers.get(socket.topic)
        if subscribers is not None:
            subscribers.pop(socket, None)
            if not subscribers:
                del self._subscribers[socket.topic]

    def admit(self, info: ConnectInfo) -> Serializer:
        """Return the serializer of a connection that may be opened, and then `run`.

        The caller releases `info` to the policy at the end. Raises: ConnectRefused.
        """
        if self.is_draining:
            raise ConnectRefused(503, retry_after_s=RETRY_AFTER_S)
        serializer = serializer_for(requested_version(info.params))
        if serializer is None or not self.allows_origin(info):
            raise ConnectRefused
        self.connection_policy.admit(info)
        return serializer

    def allows_origin(self, info: ConnectInfo) -> bool:
        """Return True if the page that asks may open a socket; the first others are logged."""
        headers = info.headers
        origin = headers.get("origin")
        if origin_allowed(origin, self.allowed_origins) or self.also_allowed(info):
            return True
        self.observer.origin_refused()
        now = asyncio.get_running_loop().time()
        if now >= self._next_origin_log:
            self._next_origin_log = now + ORIGIN_LOG_PAUSE_S
            shown = shown_origin(origin)
            # A React Native app on Android names the host of the socket as its origin.
            is_own_host = shown.partition("://")[2] == headers.get("host")
            extra = {"action": "origin_refused", "origin": shown, "is_own_host": is_own_host}
            logger.warning("An origin is not in ALLOWED_ORIGINS", extra=extra)
        return False

    def opened(self, connection: "Connection") -> None:
        """Count a connection that was admitted; `closed` follows."""
        self._connections[connection] = None
        self.observer.socket_opened()

    def closed(self, connection: "Connection", code: int) -> None:
        """Count a connection no more; its channels end after this."""
        del self._connections[connection]
        self.observer.socket_closed(code)

    async def _serve(self, socket: WebSocket[Any, Any, Any]) -> None:
        handshake, info = _handshake_of(socket), ConnectInfo(socket.scope)
        try:
            serializer = self.admit(info)
        except ConnectRefused as refused:
            await _refuse(socket, refused)
            return
        except Exception:
            logger.exception("A socket could not be opened", extra={"action": "upgrade_crashed"})
            await _refuse(socket, ConnectRefused(500))
            return
        try:
            offered = info.subprotocols
            await socket.accept(subprotocols=SUBPROTOCOL if SUBPROTOCOL in offered else None)
        except BaseException:
            self.connection_policy.release(info)
            raise
        _WebSocket(self, serializer, info, handshake)


class _PlainWebSocket(WebSocket[Any, Any, Any]):
    """Litestar's WebSocket, without the wrappers that refer to it."""

    def receive_wrapper(self, receive: Receive) -> Receive:
        return receive

    def send_wrapper(self, send: Send) -> Send:
        return send


async def _refuse(websocket: WebSocket[Any, Any, Any], refused: ConnectRefused) -> None:
    headers = [(b"content-length", b"0")]
    if refused.retry_after_s is not None:
        headers.append((b"retry-after", b"%d" % math.ceil(refused.retry_after_s)))
    start = {"type": "websocket.http.response.start", "status": refused.status, "headers": headers}
    await websocket.send(cast(Any, start))
    await websocket.send(cast(Any, {"type": "websocket.http.response.body", "body": b""}))


def _handshake_of(websocket: WebSocket[Any, Any, Any]) -> HandshakeProtocol:
    extensions = cast("dict[str, object]", websocket.scope.get("extensions") or {})
    handshake = extensions.pop(HANDSHAKE_EXTENSION, None)  # popped: it refers to the scope's owner
    if not isinstance(handshake, HandshakeProtocol):
        raise RuntimeError("a Phoenix endpoint is served by `uvicorn_config`")
    return handshake


class Connection(ChannelTransport):
    """One open socket on any transport, which reads, sends and closes: its channels."""

    __slots__ = ("_ending", "_endpoint", "core", "info", "max_inbox")

    def __init__(
        self, endpoint: PhoenixEndpoint, serializer: Serializer, info: ConnectInfo
    ) -> None:
        self.core = ServerSocket[ChannelSocket, ChannelFactory](
            serializer, endpoint.routes, max_channels=endpoint.limits.max_channels
        )
        self.info = info
        self.max_inbox = endpoint.limits.max_inbox
        self._endpoint = endpoint
        self._ending: set[ChannelSocket] | None = None

    def _exceeds_queue(self, frames: int, size: int) -> bool:
        limits = self._endpoint.limits
        return frames > limits.max_queued_frames or size > limits.max_queued_bytes

    def _report_slow_consumer(self) -> None:
        self._endpoint.observer.slow_consumer()
        self._endpoint.connections.refused("unread")

    def broadcast_from(self, sender: ChannelSocket, event: str, payload: Payload) -> None:
        self._endpoint.broadcast(sender.topic, event, payload, sender)

    def channel_ending(self, socket: ChannelSocket) -> None:
        self.core.forget(socket)
        self._endpoint.unsubscribe(socket)
        if self._ending is None:
            self._ending = set()
        self._ending.add(socket)

    def channel_ended(self, socket: ChannelSocket) -> None:
        if self._ending is not None:
            self._ending.discard(socket)
            self._ending = self._ending or None

    def _decide(self, data: str | bytes) -> SocketAction[ChannelSocket, ChannelFactory]:
        try:
            return self.core.receive(data)
        except MalformedFrame:
            self._close_malformed()
            return None

    def _close_malformed(self) -> None:
        logger.info("A frame could not be decoded", extra={"action": "malformed_frame"})
        self.close(INTERNAL_ERROR)

    def _begin(self, action: SocketAction[ChannelSocket, ChannelFactory]) -> bool:
        """Do what takes no time; return False if `_finish` must do the rest."""
        if isinstance(action, DispatchEvent):
            action.channel.enqueue(action)
            return not action.channel.is_full
        if isinstance(action, JoinChannel):
            return False
        if isinstance(action, SendFrame):
            self.send(action.text)
            if action.refused_join is not None:
                self._endpoint.observer.join(action.refused_join)
        elif action is not None:
            action.channel.enqueue(action)
        return True

    async def _finish(self, action: SocketAction[ChannelSocket, ChannelFactory]) -> None:
        if isinstance(action, JoinChannel):
            try:
                await self._join(action)
            except UnencodablePayload:  # a ref that can be decoded, but not encoded
                self._close_malformed()
        elif isinstance(action, DispatchEvent) and action.channel.is_full:
            await action.channel.wait_for_room()

    async def _join(self, join: JoinChannel[ChannelSocket, ChannelFactory]) -> None:
        old = join.replaced
        is_closed = old is None or await old.replace()
        socket = await self._run_join(join)
        if old is not None and not is_closed:
            self.send(self.core.close(old))
            old.release()
        if socket is not None:
            socket.start()

    async def _run_join(
        self, join: JoinChannel[ChannelSocket, ChannelFactory]
    ) -> ChannelSocket | None:
        """Run the join and queue its reply; return the channel's socket, None if refused."""
        socket = response = None
        try:
            if self._endpoint.is_draining:
                raise JoinRefused(DRAINING)
            socket = ChannelSocket(self, join.route, join.topic, join.join_ref, join.ref)
            response = await socket.join(join.payload)
            text = self.core.accept_join(socket, join.ref, response)
        except Exception as error:
            if socket is not None:
                await socket.abandon(had_joined=response is not None)
            self._refuse(join, error)
            if socket is not None and isinstance(error, JoinRefused) and error.final:
                self.send(self.core.close(socket))
            return None
        self._endpoint.subscribe(socket, self)
        self._answer_join(text, "ok")
        return socket

    def _refuse(self, join: JoinChannel[ChannelSocket, ChannelFactory], error: Exception) -> None:
        if isinstance(error, JoinRefused):
            self._answer_join(self.core.refuse_join(join, error.response), "error")
            return
        text = self.core.refuse_join(join, {"reason": "join crashed"})
        logger.error("A join crashed", extra={"action": "join_crashed"}, exc_info=error)
        self._answer_join(text, "crashed")

    def _answer_join(self, text: str, outcome: str) -> None:
        self.send(text)
        self._endpoint.observer.join(outcome)

    async def end(self) -> None:
        """End every channel after its earlier messages, and wait for them; the socket is gone."""
        channels = self.core.channels
        for socket in channels:
            socket.enqueue(TerminateReason.DISCONNECTED)
        for socket in (*channels, *(self._ending or ())):
            await socket.wait_until_idle()


class _WebSocket(Connection, SocketUser):
    """A WebSocket: the messages of its client, and the queue of outgoing frames."""

    __slots__ = ("_backlog", "_code", "_is_blocked", "_protocol", "_queue", "_size")

    def __init__(
        self,
        endpoint: PhoenixEndpoint,
        serializer: Serializer,
        info: ConnectInfo,
        handshake: HandshakeProtocol,
    ) -> None:
        super().__init__(endpoint, serializer, info)
        self._queue: list[bytes] | None = None  # None while nothing waits
        self._size = 0
        self._is_blocked = False  # True while the queue waits for the client
        self._backlog: deque[str | bytes] | None = None
        """Messages that wait for one that takes time; None while none does."""
        self._code: int | None = None
        """The close code, once nothing more can come."""
        endpoint.opened(self)
        self._protocol = handshake.hand_over(self)

    # The writer.

    def send(self, text: str) -> None:
        """Queue a frame; never waits. Frames queued in one turn of the loop are one write."""
        queue = self._queue
        if queue is None:
            if self._protocol.closing:
                return
            queue = self._queue = []
            # A task that the sender created before runs first, so that the acknowledgement of a
            # message and an immediate answer share one write.
            asyncio.get_running_loop().call_soon(self._flush)
        frame = text_frame(text)
        queue.append(frame)
        self._size += len(frame)
        if self._is_blocked:
            if self._exceeds_queue(len(queue), self._size + self._protocol.unsent_bytes):
                self._protocol.shed()
            else:
                self._endpoint.connections.hold(self, len(frame))
        elif self._exceeds_queue(len(queue), self._size) or self._size > _WRITE_AT:
            self._flush()  # a burst from here: the client had no chance to read it yet

    def _flush(self) -> None:
        if self._queue is None or self._protocol.is_writable:
            self.write()
        elif not self._is_blocked:
            self._is_blocked = True
            self._endpoint.connections.hold(self, self._size)

    def write(self) -> None:
        queue = self._queue
        self._drop_queue()
        if queue is not None:
            self._protocol.send_frames(queue)

    def shed(self) -> None:
        """Disconnect the client, for which more waits than for any other."""
        self._protocol.shed()

    def drop_slow_consumer(self) -> None:
        self._drop_queue()
        self._report_slow_consumer()

    def _drop_queue(self) -> None:
        self._queue = None
        self._size = 0
        if self._is_blocked:
            self._is_blocked = False
            self._endpoint.connections.release(self)

    def close(self, code: int) -> None:
        self.write()
        self._protocol.close(code)

    # The reader.

    def receive(self, message: str | bytes) -> None:
        if self._backlog is None:
            action = self._decide(message)
            if not self._begin(action):
                self._backlog = deque()
                self._protocol.start(self._work(action))
            return
        self._backlog.append(message)
        if len(self._backlog) >= _READ_AHEAD:
            self._protocol.pause_reading()

    async def _work(self, action: SocketAction[ChannelSocket, ChannelFactory]) -> None:
        """Finish a message that takes time, and process those that came meanwhile."""
        try:
            await self._finish(action)
            await self._catch_up()
        except BaseException as error:
            self.close(INTERNAL_ERROR)
            if not isinstance(error, Exception):
                raise
            logger.exception("A socket crashed", extra={"action": "socket_crashed"})
        finally:
            self._backlog = None
            if self._code is not None:
                self._end(self._code)
            else:
                self._protocol.resume_reading()

    async def _catch_up(self) -> None:
        for number in itertools.count(1):
            if not self._backlog:
                return
            action = self._decide(self._backlog.popleft())
            if not self._begin(action):
                await self._finish(action)
            if number % _TURN == 0:
                await asyncio.sleep(0)

    # The end.

    def ended(self, code: int) -> None:
        self._code = code
        self._drop_queue()
        if self._backlog is None:
            self._end(code)  # or else after the messages that came before

    def _end(self, code: int) -> None:
        self._endpoint.closed(self, code)
        if self.core.channels or self._ending:
            self._protocol.start(self._end_channels())
        else:
            self._endpoint.connection_policy.release(self.info)

    async def _end_channels(self) -> None:
        try:
            await self.end()
        finally:
            self._endpoint.connection_policy.release(self.info)
