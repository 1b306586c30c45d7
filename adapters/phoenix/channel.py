"""Channels as an application writes them, and the actor that runs one.

A channel handles one message at a time; the others wait in its inbox. It has a task only while
there is work, so that an idle channel costs two small objects and no task.
"""

import asyncio
import logging
from abc import abstractmethod
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, Protocol

import msgspec
from litestar.types import Scope

from adapters.phoenix.handshake import AuthToken, auth_token, query_params
from adapters.phoenix.server import (
    DispatchEvent,
    LeaveChannel,
    Membership,
    Payload,
    Ref,
    ServerSocket,
)

logger = logging.getLogger(__name__)

_FORWARDED_FOR = "x-forwarded-for"
_SUBPROTOCOL = "sec-websocket-protocol"
_AUTH_TOKEN = "x-phoenix-authtoken"  # of a long-poll client, which offers no sub-protocols
_HEAD = msgspec.msgpack.Decoder(list[tuple[bytes, bytes]])
_GRACE_S = 5.0  # for a channel that a duplicate join replaces (phoenix/socket.ex)


class JoinRefused(Exception):
    """The channel refuses the join; the client retries for ever, with longer and longer pauses.

    After a `final` refusal phx_close follows the reply, and no official client joins again by
    itself. Phoenix has no such refusal; to its clients the channel is closed either way.
    """

    def __init__(self, response: dict[str, Any] | msgspec.Struct, *, final: bool = False) -> None:
        super().__init__()
        self.response = response
        self.final = final


class TerminateReason(Enum):
    """Why a channel ended, and what its client receives (the reason of Phoenix's `terminate/2`)."""

    LEFT = "left"
    """The client left: a reply, then phx_close."""
    STOPPED = "stopped"
    """The channel stopped: phx_close."""
    CRASHED = "crashed"
    """An exception, or a failed stop: phx_error, after which clients rejoin."""
    REPLACED = "replaced"
    """The client joined the topic again: phx_close, after the reply to the new join."""
    DISCONNECTED = "disconnected"
    """The connection is gone: nothing can be sent."""


class Reply(msgspec.Struct, frozen=True):
    """The reply to a message. Statuses other than ok and error are legal, but break clients."""

    status: str = "ok"
    response: Any = {}


class Stop(msgspec.Struct, frozen=True):
    """End the channel after the reply: with phx_close, or with phx_error if it `failed`."""

    reply: Reply | None = None
    failed: bool = False


class Channel:
    """One client's join of one topic. Its methods are called one at a time, in order."""

    def __init__(self, socket: "ChannelSocket") -> None:
        self.socket = socket

    async def join(self, topic: str, payload: Any) -> dict[str, Any] | msgspec.Struct | None:
        """Return the response to a join; the connection's later messages wait for it.

        Pushes made meanwhile follow the reply, or are dropped if the join is refused.
        Raises: JoinRefused. Any other exception is answered with `{"reason": "join crashed"}`.
        """
        raise NotImplementedError

    async def joined(self) -> None:
        """Called once after the reply to the join, before any message."""

    async def handle(self, event: str, payload: Any, ref: Ref) -> Reply | Stop | None:
        """Handle one message of the client; `payload` is any JSON value, or bytes of a binary one.

        A message without a ref (None) gets no reply. An exception ends this channel with
        phx_error, and leaves the connection open.
        """
        raise NotImplementedError

    async def terminate(self, reason: TerminateReason) -> None:
        """Called once after the end of a channel that had joined; it may still push.

        Not called if a replaced channel did not end within 5 s.
        """


class ConnectInfo:
    """The headers, parameters and address that came with the request of a client."""

    # Kept in as few objects as there can be, and decoded on demand: a socket lives long, and this
    # is read once or never.
    __slots__ = ("_head", "_query", "client")

    def __init__(self, scope: Scope) -> None:
        """`scope`: a WebSocket's or an HTTP request's; only what both have is read."""
        self._query = scope.get("query_string", b"")
        self._head = msgspec.msgpack.encode(scope.get("headers", []))
        self.client = scope.get("client")
        """The address and port of the peer: the client's, or a proxy's."""

    @property
    def params(self) -> dict[str, str]:
        """The query parameters, `vsn` among them."""
        return query_params(self._query)

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the request, by name in lower case."""
        return dict(self._fields())

    @property
    def forwarded_for(self) -> list[str]:
        """The hops in X-Forwarded-For, the nearest proxy's entry last."""
        return self._items(_FORWARDED_FOR)

    @property
    def subprotocols(self) -> list[str]:
        """The WebSocket sub-protocols that the client offers."""
        return [offered.strip() for offered in self._items(_SUBPROTOCOL)]

    @property
    def token(self) -> AuthToken:
        """The bearer token offered as a sub-protocol, or in the header of a long-poll client."""
        given = self.headers.get(_AUTH_TOKEN)
        return auth_token(self.subprotocols) if given is None else AuthToken(given, bad=False)

    def _items(self, header: str) -> list[str]:
        """Return the items of a comma-separated header, which may be given several times."""
        values = (value for name, value in self._fields() if name == header)
        return [item for value in values for item in value.split(",")]

    def _fields(self) -> Iterator[tuple[str, str]]:
        for name, value in _HEAD.decode(self._head):
            yield name.decode("latin-1").lower(), value.decode("latin-1")


class ChannelTransport(Protocol):
    """The connection under a channel, as the channel uses it."""

    __slots__ = ()

    core: "ServerSocket[ChannelSocket, ChannelFactory]"
    info: ConnectInfo
    max_inbox: int

    @abstractmethod
    def send(self, text: str) -> None:
        """Queue a frame; never waits."""

    @abstractmethod
    def broadcast_from(self, sender: "ChannelSocket", event: str, payload: Payload) -> None:
        """Send to every channel on the topic of `sender` but `sender` itself."""

    @abstractmethod
    def close(self, code: int) -> None:
        """Send what is queued, and close the connection."""

    @abstractmethod
    def channel_ending(self, socket: "ChannelSocket") -> None:
        """Stop messages and broadcasts to a channel that ends."""

    @abstractmethod
    def channel_ended(self, socket: "ChannelSocket") -> None:
        """Drop the reference to a channel that has terminated; until then it keeps its task."""


class ChannelSocket(Membership):
    """A channel's handle on its connection (the `socket` of a Phoenix channel), and its actor.

    The public methods can be called from any task of the event loop, and never wait. Once the
    channel has ended they do nothing.
    """

    __slots__ = ("_channel", "_ended", "_held", "_inbox", "_room", "_task", "transport")

    def __init__(
        self,
        transport: ChannelTransport,
        factory: "ChannelFactory",
        topic: str,
        join_ref: Ref,
        ref: Ref,
    ) -> None:
        super().__init__(topic, join_ref, ref)
        self.transport = transport
        self._ended = False
        # Frames that must not be sent yet: a new channel's wait for the reply to its join, a
        # replaced channel's for its phx_close.
        self._held: list[str] | None = []
        self._inbox: list[_Work] | None = None
        self._room: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._channel = factory(self)

    @property
    def info(self) -> ConnectInfo:
        """The headers, parameters and address that came with the connection."""
        return self.transport.info

    def push(self, event: str, payload: Payload) -> None:
        """Send to this client. Raises: UnencodablePayload (in `handle` that ends the channel)."""
        if not self._ended:
            self._send(self.transport.core.push(self, event, payload))

    def reply(self, ref: Ref, status: str, response: Any) -> None:
        """Reply to a message, now or later, once or more often. Raises: UnencodablePayload."""
        # Phoenix replies to a null ref too; no client can match such a reply.
        if not self._ended and ref is not None:
            self._send(self.transport.core.reply(self, ref, status, response))

    def broadcast_from(self, event: str, payload: Payload) -> None:
        """Send to all others that have joined the topic. Raises: UnencodablePayload."""
        if not self._ended:
            self.transport.broadcast_from(self, event, payload)

    def stop(self) -> None:
        """End the channel with phx_close, after the messages in its inbox."""
        if not self._ended:
            self.enqueue(TerminateReason.STOPPED)

    def _send(self, text: str) -> None:
        if self._held is None:
            self.transport.send(text)
        else:
            self._held.append(text)

    # For the connection.

    async def join(self, payload: Any) -> dict[str, Any] | msgspec.Struct:
        """Run the channel's `join`. Raises: the same."""
        try:
            response = await self._channel.join(self.topic, payload)
        except asyncio.CancelledError as error:
            if _is_own_cancellation(error):
                raise
            raise RuntimeError("what the join waited for was cancelled") from error
        if response is None:
            return {}
        if not isinstance(response, dict | msgspec.Struct):
            raise TypeError(f"join returned {type(response).__name__}, not a response")
        return response

    async def abandon(self, *, had_joined: bool) -> None:
        """Disable the socket after a failed join, even if other code holds it already.

        `had_joined`: `join` had returned; its reply could not be encoded.
        """
        self._ended = True
        self._held = None
        if had_joined:
            await self._terminate(TerminateReason.CRASHED)
        del self._channel

    def start(self) -> None:
        """Send the held frames, and call `joined`; the reply to the join is queued."""
        self.release()
        if type(self._channel).joined is not Channel.joined:
            self.enqueue(_JOINED)

    def enqueue(self, work: "_Work") -> None:
        """Add to the work of the channel."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(work))
        elif self._inbox is None:
            self._inbox = [work]
        else:
            self._inbox.append(work)

    @property
    def is_full(self) -> bool:
        """True if the inbox has no room; `wait_for_room` waits for it."""
        return self._inbox is not None and len(self._inbox) >= self.transport.max_inbox

    async def wait_for_room(self) -> None:
        """Wait until the inbox is empty, or the channel has ended."""
        self._room = asyncio.get_running_loop().create_future()
        await self._room

    async def replace(self) -> bool:
        """End a channel whose topic is joined again; return True if its phx_close was sent.

        If False, send phx_close after the reply to the new join, and then call `release`.
        """
        leaving = self.leaving
        if not leaving:
            self._held = []
            self._inbox = None
            self.enqueue(TerminateReason.REPLACED)
        finished = await self.wait_until_idle(_GRACE_S)
        if not finished and self._task is not None:
            self._task.cancel()
            self._ended = True
            self.transport.channel_ending(self)
            self.transport.channel_ended(self)
        return leaving and finished

    def release(self) -> None:
        """Send the held frames, and hold no more."""
        held, self._held = self._held, None
        for text in held or ():
            self.transport.send(text)

    async def wait_until_idle(self, timeout_s: float | None = None) -> bool:
        """Wait until the channel has no work left; return False on a time-out."""
        if self._task is None:
            return True
        _, busy = await asyncio.wait({self._task}, timeout=timeout_s)
        return not busy

    # The actor.

    async def _run(self, work: "_Work | None") -> None:
        while work is not None:
            reason = await self._process(work)
            if reason is not None:
                await self._end(reason)
                break
            work = self._next()
        self._task = None

    def _next(self) -> "_Work | None":
        inbox = self._inbox
        if inbox is None:
            return None
        work = inbox.pop(0)
        if not inbox:
            self._inbox = None
            self._notify_room()
        return work

    def _notify_room(self) -> None:
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)

    async def _process(self, work: "_Work") -> TerminateReason | None:
        """Do one piece of work; return the reason if the channel ends with it."""
        try:
            if isinstance(work, DispatchEvent):
                return await self._handle(work)
            if isinstance(work, LeaveChannel):
                self._send(self.transport.core.acknowledge_leave(self, work.ref))
                return TerminateReason.LEFT
            if isinstance(work, TerminateReason):
                return work
            await self._channel.joined()
        except (Exception, asyncio.CancelledError) as error:
            if _is_own_cancellation(error):
                raise
            logger.exception("A channel crashed", extra={"action": "channel_crashed"})
            return TerminateReason.CRASHED
        return None

    async def _handle(self, message: "DispatchEvent[ChannelSocket]") -> TerminateReason | None:
        if not isinstance(message.event, str):
            # As in Phoenix; but the client's fault, and no reason to alert an operator.
            logger.info("An event was no string", extra={"action": "malformed_event"})
            return TerminateReason.CRASHED
        result = await self._channel.handle(message.event, message.payload, message.ref)
        if result is None:
            return None
        if isinstance(result, Reply):
            self.reply(message.ref, result.status, result.response)
            return None
        if not isinstance(result, Stop):
            raise TypeError(f"handle returned {type(result).__name__}, not a Reply or Stop")
        if result.reply is not None:
            self.reply(message.ref, result.reply.status, result.reply.response)
        return TerminateReason.CRASHED if result.failed else TerminateReason.STOPPED

    async def _end(self, reason: TerminateReason) -> None:
        self.transport.channel_ending(self)
        self._inbox = None
        self._notify_room()
        if reason is TerminateReason.CRASHED:
            self._send(self.transport.core.crash(self))
        elif reason in (TerminateReason.LEFT, TerminateReason.STOPPED):
            self._send(self.transport.core.close(self))
        await self._terminate(reason)
        self._ended = True
        del self._channel  # they refer to each other
        self.transport.channel_ended(self)

    async def _terminate(self, reason: TerminateReason) -> None:
        try:
            await self._channel.terminate(reason)
        except (Exception, asyncio.CancelledError) as error:
            if _is_own_cancellation(error):
                raise
            logger.exception("A channel ended badly", extra={"action": "terminate_crashed"})


def _is_own_cancellation(error: BaseException) -> bool:
    """Return True if the running task was cancelled, and not something that it waited for.

    The latter is a failure of the channel: it must end neither the actor nor the reader of the
    connection.
    """
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0


ChannelFactory = Callable[[ChannelSocket], Channel]
"""Makes the channel of a join, before its `join` is called."""


class _Joined:
    """The work of calling `joined`."""


_JOINED = _Joined()
_Work = DispatchEvent[ChannelSocket] | LeaveChannel[ChannelSocket] | TerminateReason | _Joined
