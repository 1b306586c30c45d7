"""A client connection to a Phoenix socket over `websockets`; the protocol is in `client`.

It connects, reconnects and rejoins by itself as long as it is open.
"""

import asyncio
import base64
import logging
import random as chance
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import Enum
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from adapters.phoenix.client import (
    CLOSE_CODE,
    DEFAULT_SETTINGS,
    ChannelClosed,
    ChannelErrored,
    ChannelJoined,
    ChannelJoinTimedOut,
    ChannelRefused,
    ChannelState,
    ClientEvent,
    ClientSettings,
    ClientSocket,
    FrameIgnored,
    MessageReceived,
    NotJoined,
    PhoenixClientError,
    PushAbandoned,
    PushAnswered,
    PushReceived,
    PushTimedOut,
    SocketClosed,
    SocketEvent,
    SocketOpened,
    SocketState,
)
from adapters.phoenix.handshake import SUBPROTOCOL
from adapters.urls import shown_url

MAX_FRAME_BYTES = 10_000_000
"""The limit of Phoenix itself; a larger frame closes the connection with 1009."""
CLOSE_TIMEOUT_S = 1.0
"""The time limit for the peer's answer to a close, and for unsent frames to be written before."""
RESTART_PAUSE_S = 1.0
"""Between a bug that broke the connection and the next one."""
QUEUE_SIZE = 1000
"""Received messages that a channel holds for its iteration."""

_LEGAL_TOKEN = re.compile(r"[A-Za-z0-9+]+")
logger = logging.getLogger(__name__)


class ChannelStatus(Enum):
    """A change of a channel, among its messages."""

    JOINED = "joined"  # with the response to the join
    REJOINED = "rejoined"  # likewise, after an interruption: messages may have been missed
    REFUSED = "refused"  # with the response; retried until `leave`
    JOIN_TIMED_OUT = "join timed out"  # retried until `leave`
    ERRORED = "errored"  # with the reason; it rejoins by itself
    CLOSED = "closed"  # for good; the last item


class JoinError(PhoenixClientError):
    """The server refused the join with `response`."""

    def __init__(self, response: Any) -> None:
        super().__init__(f"the join was refused: {response}")
        self.response = response


class ChannelGone(PhoenixClientError):
    """The channel was closed before its join was answered."""


class SlowConsumer(PhoenixClientError):
    """The channel was left because its messages were not read in time."""


class PushFailed(PhoenixClientError):
    """A push was not answered with `ok`."""


class PushError(PushFailed):
    """The server answered with another status than `ok`."""

    def __init__(self, status: str, response: Any) -> None:
        super().__init__(f"the push was answered {status!r}: {response}")
        self.status = status
        self.response = response


class PushTimeout(PushFailed):
    """No answer in time. If the push was sent, the server may have processed it."""

    def __init__(self, was_sent: bool) -> None:
        super().__init__("no answer in time" if was_sent else "not joined in time to send it")
        self.was_sent = was_sent


class PushLost(PushFailed):
    """The connection or the channel was lost first. The server may have processed a sent push."""

    def __init__(self, was_sent: bool) -> None:
        super().__init__("the connection or the channel went away")
        self.was_sent = was_sent


class PendingPush:
    """A message under way.

    `reply` has the response, or fails with PushError, PushTimeout or PushLost. `received` is done
    once the server has provably read the message, if `start_push` was to find that out.
    """

    __slots__ = ("received", "reply")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.reply: asyncio.Future[Any] = loop.create_future()
        self.received: asyncio.Future[None] = loop.create_future()


class PhoenixConnection:
    """A socket that stays connected between `__aenter__` and `__aexit__`.

    `url` is complete (`ws://host/socket/websocket`); `params` and `vsn=2.0.0` are added to its
    query. `token`, or its result at each attempt, is sent as the sub-protocol
    `base64url.bearer.phx.…`. `on_state` is called with each `SocketOpened` and `SocketClosed`, in
    order, and never during a call of this object.

    Raises: ValueError if the URL is no WebSocket URL, or the token cannot be sent in a header.
    """

    def __init__(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        token: str | Callable[[], str] | None = None,
        on_state: Callable[[SocketEvent], object] | None = None,
        settings: ClientSettings = DEFAULT_SETTINGS,
        queue_size: int = QUEUE_SIZE,
        random: Callable[[], float] = chance.random,
    ) -> None:
        self._url = _socket_url(url, params or {})
        self._token = token
        if not callable(token):
            _subprotocols(token)
        self._on_state = on_state
        self._queue_size = queue_size
        self._core = ClientSocket(random, settings)
        self._channels: dict[str, PhoenixChannel] = {}
        self._pushes: dict[str, PendingPush] = {}
        self.is_broken = False
        """True after a bug, until the connection is open again."""
        self.failure: SocketClosed | None = None
        """The latest failure to open or to stay open; None while it is open, and at first."""

    def __repr__(self) -> str:
        return f"<PhoenixConnection {self._core!r}>"  # without the URL: its query may be secret

    @property
    def state(self) -> SocketState:
        """The state of the connection."""
        return self._core.state

    @property
    def topics(self) -> int:
        """The number of topics that are joined, being joined, or being left."""
        return len(self._channels)

    @property
    def topics_at_server(self) -> int:
        """The number of topics that the server has joined, and not ended yet."""
        there = (ChannelState.JOINED, ChannelState.LEAVING)
        return sum(self._core.state_of(topic) in there for topic in self._channels)

    def channel(self, topic: str, payload: Any | Callable[[], Any] = None) -> "PhoenixChannel":
        """Return a channel, not joined yet; a callable payload is called at each (re)join."""
        return PhoenixChannel(self, topic, {} if payload is None else payload, self._queue_size)

    async def __aenter__(self) -> Self:
        self.start()
        return self

    def start(self) -> None:
        """Begin to connect, without waiting; `close` must follow."""
        self._loop = asyncio.get_running_loop()
        self._due = asyncio.Event()  # there are frames to write
        self._written = asyncio.Event()  # there are none
        self._written.set()
        self._reader: asyncio.Task[None] | None = None
        self._timer: asyncio.Handle | None = None
        self._deadline: float | None = None  # the timer's
        self._task = asyncio.create_task(self._run(), name="phoenix connection")
        self._task.add_done_callback(self._stopped)

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close(flush=exc is None)

    async def close(self, *, flush: bool = True) -> None:
        """Write the unsent frames (`flush`), then close: waiting pushes are lost."""
        try:
            if flush and self._core.has_frames:
                await self._flush()
        finally:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _flush(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._written.wait()

    # The connection's task: wait, connect, serve, and again.

    async def _run(self) -> None:
        """Stay connected, and begin again after a bug: no other task would."""
        while True:
            try:
                if self.is_broken:
                    self._core.closed(None, self._loop.time(), "broken by a bug")
                    self._advance()
                await self._stay_connected()
                return
            except Exception as error:
                self._broke(error)
            await asyncio.sleep(RESTART_PAUSE_S)

    def _broke(self, error: Exception) -> None:
        self.is_broken = True
        extra = {"action": "phoenix_client_broken"}
        logger.error("The Phoenix connection broke.", exc_info=error, extra=extra)

    async def _stay_connected(self) -> None:
        while (at := self._core.connect_at) is not None:
            await asyncio.sleep(max(0.0, at - self._loop.time()))
            self._core.connecting()
            websocket = await self._connect()
            if websocket is not None:
                await self._serve(websocket)

    def _stopped(self, task: asyncio.Task[None]) -> None:
        """Fail everything that still waits, however the task ended."""
        self._core.close()
        self._advance()

    async def _connect(self) -> ClientConnection | None:
        try:
            token = self._token() if callable(self._token) else self._token
            return await _Connect(
                self._url,
                subprotocols=_subprotocols(token),
                compression=None,
                ping_interval=None,
                close_timeout=CLOSE_TIMEOUT_S,
                max_size=MAX_FRAME_BYTES,
            )
        except InvalidStatus as error:
            status = error.response.status_code
            self._core.closed(None, self._loop.time(), f"refused with HTTP {status}", status)
        except OSError as error:  # TimeoutError is one
            self._core.closed(None, self._loop.time(), str(error) or type(error).__name__)
        except (ValueError, WebSocketException) as error:
            # Its text may quote the address or a header, and so a secret.
            self._core.closed(None, self._loop.time(), type(error).__name__)
        self._advance()
        return None

    async def _serve(self, websocket: ClientConnection) -> None:
        self._core.opened(self._loop.time())
        try:
            async with asyncio.TaskGroup() as group:
                writer = group.create_task(self._write(websocket))
                self._reader = group.create_task(self._read(websocket))
                self._reader.add_done_callback(lambda _: writer.cancel())
                self._advance()
                self.is_broken = False
        finally:
            self._reader = None
            await _close(websocket, self._core.close_code or CLOSE_CODE)
        code, reason = websocket.close_code, websocket.close_reason
        self._core.closed(code, self._loop.time(), reason or "")
        self._advance()

    async def _read(self, websocket: ClientConnection) -> None:
        try:
            # Not `async for`: it ends silently after a clean close, and raises after any other.
            while True:
                data = await websocket.recv()
                self._core.received(data, self._loop.time())
                self._advance()
        except ConnectionClosed:
            pass

    async def _write(self, websocket: ClientConnection) -> None:
        try:
            while True:
                while (frame := self._core.next_frame()) is not None:
                    await websocket.send(frame)
                self._due.clear()
                self._written.set()
                await self._due.wait()
        except ConnectionClosed:
            pass  # the reader receives what came before the close, and ends the connection

    def _tick(self) -> None:
        self._timer = self._deadline = None
        try:
            self._core.tick(self._loop.time())
            self._advance()
        except Exception as error:
            self._broke(error)
            if self._reader is not None:
                self._reader.cancel()

    def _advance(self) -> None:
        """Carry out the core's output; to be called after every input and request."""
        while events := self._core.events():
            for event in events:
                self._dispatch(event)
        if self._core.has_frames:
            self._written.clear()
            self._due.set()
        if self._core.close_code is not None and self._reader is not None:
            self._reader.cancel()
        self._arm(self._core.next_deadline())

    def _arm(self, deadline: float | None) -> None:
        # Compared with a value of our own: uvloop returns a Handle without `when` for a delay that
        # rounds to 0 ms (MagicStack/uvloop#482).
        if deadline == self._deadline:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if deadline is None else self._loop.call_at(deadline, self._tick)
        self._deadline = deadline

    def _dispatch(self, event: ClientEvent) -> None:
        match event:
            case SocketOpened() | SocketClosed():
                self.failure = event if isinstance(event, SocketClosed) else None
                _log_state(event)
                if self._on_state is not None:
                    # By the loop, which isolates and logs an exception of the callback.
                    self._loop.call_soon(self._on_state, event)
            case PushAnswered(ref, "ok", response):
                self._resolve(ref, response)
            case PushAnswered(ref, status, response):
                self._fail(ref, PushError(status, response))
            case PushReceived(ref):
                received = self._pushes[ref].received
                if not received.done():
                    received.set_result(None)
            case PushTimedOut(ref, was_sent):
                self._fail(ref, PushTimeout(was_sent))
            case PushAbandoned(ref, was_sent):
                self._fail(ref, PushLost(was_sent))
            case FrameIgnored():
                logger.warning(
                    "A frame that is no Phoenix frame was ignored.",
                    extra={"action": "phoenix_client_frame_ignored"},
                )
            case ChannelClosed(topic):
                self._channels.pop(topic)._receive(event)
            case _:
                self._channels[event.topic]._receive(event)

    def _resolve(self, ref: str, response: Any) -> None:
        reply = self._pushes.pop(ref).reply
        if not reply.done():  # its waiter may have been cancelled
            reply.set_result(response)

    def _fail(self, ref: str, error: PushFailed) -> None:
        reply = self._pushes.pop(ref).reply
        if not reply.done():
            reply.set_exception(error)

    # For the channels.

    def _join(self, channel: "PhoenixChannel", payload: Any | Callable[[], Any]) -> None:
        self._core.join(channel.topic, payload, self._loop.time())
        self._advance()  # first closes a channel that was still leaving the topic
        self._channels[channel.topic] = channel

    def _leave(self, topic: str) -> None:
        self._core.leave(topic, self._loop.time())
        self._advance()

    def _push(
        self,
        topic: str,
        event: str,
        payload: Any,
        timeout_s: float | None,
        probe_after_s: float | None,
    ) -> PendingPush:
        now = self._loop.time()
        ref = self._core.push(topic, event, payload, now, timeout_s, probe_after_s)
        self._pushes[ref] = push = PendingPush(self._loop)
        self._advance()
        return push

    def _send(self, topic: str, event: str, payload: Any) -> None:
        self._core.send(topic, event, payload)
        self._advance()

    def _drop_unsent(self, topic: str) -> None:
        self._core.drop_unsent(topic)
        self._advance()

    def _state_of(self, topic: str) -> ChannelState | None:
        return self._core.state_of(topic)


class PhoenixChannel:
    """One topic on a `PhoenixConnection`: joined once, then kept joined until it is closed.

    `async for event, payload in channel` yields the server's messages, and among them
    `ChannelStatus` members in place of the event. It ends after `CLOSED`. A slow consumer loses
    the channel, not single messages: once `queue_size` of them wait it is left, and after those
    the iteration raises SlowConsumer. The connection's reader never waits. A reply resolves its
    `push` independently: earlier messages may still wait in the iteration.
    """

    def __init__(
        self,
        connection: PhoenixConnection,
        topic: str,
        payload: Any | Callable[[], Any],
        queue_size: int,
    ) -> None:
        self.topic = topic
        self._connection = connection
        self._payload = payload
        self._queue_size = queue_size
        self._queue: asyncio.Queue[tuple[str | ChannelStatus, Any, float]] = asyncio.Queue()
        self.waited_s = 0.0
        """The time for which the newest item of the iteration had waited for it."""
        self._joins: list[asyncio.Future[Any]] = []
        self._response: Any = None
        self._started = False
        self._closed = False
        self._overflowed = False
        self._exhausted = False

    def __repr__(self) -> str:
        return f"<PhoenixChannel {self.topic!r} {self.state and self.state.value}>"

    @property
    def connection(self) -> PhoenixConnection:
        """The connection that carries it."""
        return self._connection

    @property
    def state(self) -> ChannelState | None:
        """The state of the channel; None: not joined yet, or closed."""
        alive = self._started and not self._closed
        return self._connection._state_of(self.topic) if alive else None

    def start(self) -> None:
        """Begin to join, without waiting; a second call does nothing.

        Raises: TopicInUse, if another channel of the connection has the topic.
        """
        if not self._started:
            self._connection._join(self, self._payload)
            self._started = True

    async def join(self) -> Any:
        """Join, wait for the server's answer through outages, and return the response.

        Raises: JoinError (the join is retried all the same, until `leave`);
        ChannelGone; TopicInUse.
        """
        self.start()
        if self.state is ChannelState.JOINED:
            return self._response
        if self.state is None:
            raise ChannelGone(f"topic {self.topic!r} was closed")
        answer = asyncio.get_running_loop().create_future()
        self._joins.append(answer)
        return await answer

    def leave(self) -> None:
        """Leave after the earlier pushes; the iteration ends when the server has answered."""
        if self.state is not None:
            self._connection._leave(self.topic)

    async def push(self, event: str, payload: Any, timeout_s: float | None = None) -> Any:
        """Send once the channel is joined, wait for the reply, and return its response.

        `timeout_s` (None: 10) counts from the call. Cancelling the wait does not unsend.
        Raises: PushError, PushTimeout, PushLost; NotJoined, TooManyWaiting, UnencodablePayload.
        """
        return await self.start_push(event, payload, timeout_s).reply

    def start_push(
        self,
        event: str,
        payload: Any,
        timeout_s: float | None = None,
        probe_after_s: float | None = None,
    ) -> PendingPush:
        """Push without waiting; for a server that may not reply.

        `probe_after_s`: if there is no reply by then, find out whether the server has read it, or
        time out if it is unsent; 0: find out at once, whenever it is sent.
        Raises: NotJoined, TooManyWaiting, UnencodablePayload.
        """
        self._require_joined()
        return self._connection._push(self.topic, event, payload, timeout_s, probe_after_s)

    def send(self, event: str, payload: Any) -> None:
        """Send once the channel is joined, in order and without a time limit; no reply.

        Raises: NotJoined, TooManyWaiting, UnencodablePayload.
        """
        self._require_joined()
        self._connection._send(self.topic, event, payload)

    def drop_unsent(self) -> None:
        """Have the pushes that wait until the channel is joined fail with PushLost."""
        if self.state is not None:
            self._connection._drop_unsent(self.topic)

    def _require_joined(self) -> None:
        if self.state is None:  # another channel may have the topic now
            raise NotJoined(f"cannot push to {self.topic!r}: join it first")

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> tuple[str | ChannelStatus, Any]:
        if self._exhausted:
            raise StopAsyncIteration
        event, payload, received_at = await self._queue.get()
        self.waited_s = asyncio.get_running_loop().time() - received_at
        if event is ChannelStatus.CLOSED:
            self._exhausted = True
            if self._overflowed:
                raise SlowConsumer(
                    f"more than {self._queue_size} messages on {self.topic!r} waited"
                )
        return event, payload

    def _receive(self, event: ClientEvent) -> None:
        match event:
            case MessageReceived(_, name, payload):
                self._put(name, payload)
            case ChannelJoined(_, response, rejoined):
                self._response = response
                self._put(ChannelStatus.REJOINED if rejoined else ChannelStatus.JOINED, response)
                self._answer_joins(lambda join: join.set_result(response))
            case ChannelRefused(_, response):
                self._put(ChannelStatus.REFUSED, response)
                self._answer_joins(lambda join: join.set_exception(JoinError(response)))
            case ChannelErrored(_, payload):
                self._put(ChannelStatus.ERRORED, payload)
            case ChannelJoinTimedOut():
                self._put(ChannelStatus.JOIN_TIMED_OUT, None)
            case ChannelClosed(topic):
                self._closed = True
                self._enqueue(ChannelStatus.CLOSED, None)
                error = ChannelGone(f"topic {topic!r} was closed")
                self._answer_joins(lambda join: join.set_exception(error))

    def _put(self, event: str | ChannelStatus, payload: Any) -> None:
        if self._queue.qsize() < self._queue_size:
            self._enqueue(event, payload)
        elif not self._overflowed:
            self._overflowed = True
            self._connection._leave(self.topic)

    def _enqueue(self, event: str | ChannelStatus, payload: Any) -> None:
        self._queue.put_nowait((event, payload, self._connection._loop.time()))

    def _answer_joins(self, answer: Callable[[asyncio.Future[Any]], None]) -> None:
        joins, self._joins = self._joins, []
        for join in joins:
            if not join.done():  # its waiter may have been cancelled
                answer(join)


class _Connect(connect):
    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc  # a redirect is not followed: it would send the token to another server


async def _close(websocket: ClientConnection, code: int) -> None:
    try:
        # `close_timeout` alone is not enough: with a peer that does not read, the write blocks.
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await websocket.close(code)
    except TimeoutError:
        websocket.transport.abort()


def _socket_url(url: str, params: Mapping[str, str]) -> str:
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in ("ws", "wss") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # whose text quotes the password
        is_one = False
    if not is_one or parts.fragment:
        raise ValueError(f"not a WebSocket URL (ws://… or wss://…): {shown_url(url)}")
    query = [parts.query] if parts.query else []
    query.append(urlencode({**params, "vsn": "2.0.0"}, quote_via=quote))
    return parts._replace(path=parts.path or "/", query="&".join(query)).geturl()


def fits_subprotocol(token: str) -> bool:
    """Return whether the token can be sent as a sub-protocol."""
    try:
        _subprotocols(token)
    except ValueError:
        return False
    return True


def _subprotocols(token: str | None) -> list[Subprotocol]:
    """Return `phoenix` and the token as phoenix.js encodes it: standard alphabet, no padding.

    Raises: ValueError if the result has a `/`, which is illegal in the header (a JWT's has none).
    """
    if token is None:
        return [Subprotocol(SUBPROTOCOL)]
    encoded = base64.b64encode(token.encode()).decode().rstrip("=")
    if not _LEGAL_TOKEN.fullmatch(encoded):
        raise ValueError("the token cannot be sent as a sub-protocol: empty, or '/' in its base64")
    return [Subprotocol(SUBPROTOCOL), Subprotocol(f"base64url.bearer.phx.{encoded}")]


def _log_state(event: SocketEvent) -> None:
    match event:
        case SocketOpened():
            logger.info("The Phoenix socket is open.", extra={"action": "phoenix_client_opened"})
        case SocketClosed(code, http_status, reason, retry_in_s):
            logger.info(
                "The Phoenix socket is closed.",
                extra={
                    "action": "phoenix_client_closed",
                    "code": code,
                    "http_status": http_status,
                    "reason": reason if code is None else "",  # the peer's words may quote ours
                    "retry_in_s": retry_in_s,
                },
            )
