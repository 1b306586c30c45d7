"""Phoenix channels as an application writes them, and the actor that runs one.

A channel is sequential: what arrives for it waits in its inbox. It has a task only while there is
work, so that an idle one costs two small objects and nothing else.
"""

import asyncio
import logging
from collections.abc import Callable
from enum import Enum
from typing import Any, Protocol

import msgspec
from litestar.types import WebSocketScope

from adapters.phoenix.handshake import AuthToken, auth_token, query_params
from adapters.phoenix.server import Deliver, Leave, Membership, Payload, Ref, ServerSocket

logger = logging.getLogger(__name__)

_FORWARDED_FOR = b"x-forwarded-for"
_GRACE_S = 5.0  # for a channel that a duplicate join replaces (phoenix/socket.ex)


class JoinRefused(Exception):
    """The channel does not take this client, which will try again for ever, ever more slowly.

    Unless the refusal is `final`: then phx_close follows the reply, and no official client comes
    back by itself. Phoenix has no such thing; its clients have the same state for both.
    """

    def __init__(self, response: dict[str, Any] | msgspec.Struct, *, final: bool = False) -> None:
        super().__init__()
        self.response = response
        self.final = final


class Ended(Enum):
    """Why a channel ended, and what its client was told."""

    LEFT = "left"
    """The client left: a reply, then phx_close."""
    STOPPED = "stopped"
    """The channel stopped: phx_close."""
    CRASHED = "crashed"
    """An exception, or a stop that failed: phx_error, after which clients rejoin."""
    REPLACED = "replaced"
    """The client joined the topic anew: phx_close, after the reply to the new join."""
    DISCONNECTED = "disconnected"
    """The connection is gone: nobody is there to be told."""


class Reply(msgspec.Struct, frozen=True):
    """The answer to a message. Statuses other than ok and error are legal, and break clients."""

    status: str = "ok"
    response: Any = {}


class Stop(msgspec.Struct, frozen=True):
    """End the channel, after the reply: well (phx_close) or, `failed`, badly (phx_error)."""

    reply: Reply | None = None
    failed: bool = False


class Channel:
    """One client's join of one topic. Its methods are called one at a time, in order."""

    def __init__(self, link: "Link") -> None:
        self.link = link

    async def join(self, topic: str, payload: Any) -> dict[str, Any] | msgspec.Struct | None:
        """The response to a join; the connection's later messages wait for it.

        What is pushed meanwhile is held: it follows the reply, or is dropped with a refused join.
        Raises: JoinRefused. Any other exception answers `{"reason": "join crashed"}`.
        """
        raise NotImplementedError

    async def joined(self) -> None:
        """Called once after the reply to the join, before any message."""

    async def handle(self, event: str, payload: Any, ref: Ref) -> Reply | Stop | None:
        """One message of the client; `payload` is any JSON value.

        A message without a ref (None) gets no reply. An exception ends this channel, and not the
        socket, with phx_error.
        """
        raise NotImplementedError

    async def terminate(self, ended: Ended) -> None:
        """Called once after the end of a channel that had joined; it may still push.

        Not called where a replaced channel did not come to its end within 5 s.
        """


class ConnectInfo:
    """What the client brought along when it connected."""

    # Read from the scope whenever it is asked for, and not kept: a socket lives long, and is asked
    # once if ever.
    __slots__ = ("_scope",)

    def __init__(self, scope: WebSocketScope) -> None:
        self._scope = scope

    @property
    def params(self) -> dict[str, str]:
        """The query parameters, `vsn` among them."""
        return query_params(self._scope["query_string"])

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the upgrade request, by name in lower case."""
        return {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in self._scope["headers"]
        }

    @property
    def client(self) -> tuple[str, int] | None:
        """The address and port that the connection comes from: the client's, or a proxy's."""
        return self._scope["client"]

    @property
    def forwarded_for(self) -> list[str]:
        """What X-Forwarded-For says, the nearest proxy's word last; its header may come twice."""
        headers = (value for name, value in self._scope["headers"] if name == _FORWARDED_FOR)
        return [hop for header in headers for hop in header.decode("latin-1").split(",")]

    @property
    def token(self) -> AuthToken:
        """The bearer token that came as a sub-protocol."""
        return auth_token(self._scope["subprotocols"])


class Line(Protocol):
    """What a channel needs of its connection."""

    core: "ServerSocket[Link, ChannelFactory]"
    info: ConnectInfo
    max_inbox: int

    def send(self, text: str) -> None:
        """Queue a frame; never waits."""

    def broadcast(
        self, topic: str, event: str, payload: Payload, sender: "Link | None" = None
    ) -> None:
        """Send to everyone who has joined the topic, but for `sender`."""

    def ending(self, link: "Link") -> None:
        """The channel ends: it gets no more messages, nor broadcasts."""

    def ended(self, link: "Link") -> None:
        """The channel has terminated. Until then the line holds it, whose task nobody else does."""


class Link(Membership):
    """A channel's line to its client, and the actor that runs it.

    The public methods can be called from any task of the event loop, and never wait. Once the
    channel has ended they do nothing.
    """

    __slots__ = ("_channel", "_ended", "_held", "_inbox", "_line", "_room", "_task")

    def __init__(
        self, line: Line, factory: "ChannelFactory", topic: str, join_ref: Ref, ref: Ref
    ) -> None:
        super().__init__(topic, join_ref, ref)
        self._line = line
        self._ended = False
        # Frames that must not leave yet: a new channel's wait for the reply to its join, a
        # replaced channel's for its phx_close.
        self._held: list[str] | None = []
        self._inbox: list[_Work] | None = None
        self._room: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._channel = factory(self)

    @property
    def info(self) -> ConnectInfo:
        """What the client brought along when it connected."""
        return self._line.info

    def push(self, event: str, payload: Payload) -> None:
        """Send to this client. Raises: UnencodablePayload (in `handle` that ends the channel)."""
        if not self._ended:
            self._send(self._line.core.push(self, event, payload))

    def reply(self, ref: Ref, status: str, response: Any) -> None:
        """Answer a message, now or later, once or more often. Raises: UnencodablePayload."""
        # Phoenix answers a null ref too; no client can tell what such a reply belongs to.
        if not self._ended and ref is not None:
            self._send(self._line.core.reply(self, ref, status, response))

    def broadcast(self, event: str, payload: Payload) -> None:
        """Send to all that have joined the topic, this client too. Raises: UnencodablePayload."""
        if not self._ended:
            self._line.broadcast(self.topic, event, payload)

    def broadcast_from(self, event: str, payload: Payload) -> None:
        """Send to all others that have joined the topic. Raises: UnencodablePayload."""
        if not self._ended:
            self._line.broadcast(self.topic, event, payload, sender=self)

    def stop(self) -> None:
        """End the channel well, after the messages it was already given."""
        if not self._ended:
            self.give(Ended.STOPPED)

    def _send(self, text: str) -> None:
        if self._held is None:
            self._line.send(text)
        else:
            self._held.append(text)

    # What the connection calls.

    async def join(self, payload: Any) -> dict[str, Any] | msgspec.Struct:
        """Run the channel's join. Raises: what that raises."""
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
        """The join failed: there is no channel, whoever may have the link already.

        `had_joined`: the channel had said yes; it was its reply that could not be written.
        """
        self._ended = True
        self._held = None
        if had_joined:
            await self._terminate(Ended.CRASHED)

    def start(self) -> None:
        """The reply to the join is queued: what was held may follow."""
        self._release()
        if type(self._channel).joined is not Channel.joined:
            self.give(_JOINED)

    def give(self, work: "_Work") -> None:
        """Have the channel do this after what it was given before."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(work))
        elif self._inbox is None:
            self._inbox = [work]
        else:
            self._inbox.append(work)

    @property
    def is_full(self) -> bool:
        """Whether the inbox has no room; `room` waits for it."""
        return self._inbox is not None and len(self._inbox) >= self._line.max_inbox

    async def room(self) -> None:
        """Wait until the inbox is empty, or the channel has ended."""
        self._room = asyncio.get_running_loop().create_future()
        await self._room

    async def retire(self) -> bool:
        """End a channel whose topic is joined anew; whether the client was told of the end.

        If not, send phx_close after the reply to the new join, and then call `retired`.
        """
        leaving = self.leaving
        if not leaving:
            self._held = []
            self._inbox = None
            self.give(Ended.REPLACED)
        finished = await self.finished(_GRACE_S)
        if not finished and self._task is not None:
            self._task.cancel()
            self._ended = True
            self._line.ending(self)
            self._line.ended(self)
        return leaving and finished

    def retired(self) -> None:
        """The phx_close is queued: what the channel sent while it was retired may follow."""
        self._release()

    async def finished(self, timeout_s: float | None = None) -> bool:
        """Wait until the channel has nothing to do; False if the time was up before."""
        if self._task is None:
            return True
        _, busy = await asyncio.wait({self._task}, timeout=timeout_s)
        return not busy

    def _release(self) -> None:
        held, self._held = self._held, None
        for text in held or ():
            self._line.send(text)

    # The actor.

    async def _run(self, work: "_Work | None") -> None:
        while work is not None:
            ended = await self._do(work)
            if ended is not None:
                await self._end(ended)
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
            self._make_room()
        return work

    def _make_room(self) -> None:
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)

    async def _do(self, work: "_Work") -> Ended | None:
        """Do one thing; if that was the end of the channel, which one."""
        try:
            if isinstance(work, Deliver):
                return await self._handle(work)
            if isinstance(work, Leave):
                self._send(self._line.core.left(self, work.ref))
                return Ended.LEFT
            if isinstance(work, Ended):
                return work
            await self._channel.joined()
        except (Exception, asyncio.CancelledError) as error:
            if _is_own_cancellation(error):
                raise
            logger.exception("A channel crashed", extra={"action": "channel_crashed"})
            return Ended.CRASHED
        return None

    async def _handle(self, message: "Deliver[Link]") -> Ended | None:
        if not isinstance(message.event, str):
            # As Phoenix does; but it is the client's doing, and nothing to wake an operator for.
            logger.info("An event was no string", extra={"action": "malformed_event"})
            return Ended.CRASHED
        answer = await self._channel.handle(message.event, message.payload, message.ref)
        if answer is None:
            return None
        if isinstance(answer, Reply):
            self.reply(message.ref, answer.status, answer.response)
            return None
        if not isinstance(answer, Stop):
            raise TypeError(f"handle returned {type(answer).__name__}, not an answer")
        if answer.reply is not None:
            self.reply(message.ref, answer.reply.status, answer.reply.response)
        return Ended.CRASHED if answer.failed else Ended.STOPPED

    async def _end(self, ended: Ended) -> None:
        self._line.ending(self)
        self._inbox = None
        self._make_room()
        if ended is Ended.CRASHED:
            self._send(self._line.core.crashed(self))
        elif ended in (Ended.LEFT, Ended.STOPPED):
            self._send(self._line.core.closed(self))
        await self._terminate(ended)
        self._ended = True
        self._line.ended(self)

    async def _terminate(self, ended: Ended) -> None:
        try:
            await self._channel.terminate(ended)
        except (Exception, asyncio.CancelledError) as error:
            if _is_own_cancellation(error):
                raise
            logger.exception("A channel ended badly", extra={"action": "terminate_crashed"})


def _is_own_cancellation(error: BaseException) -> bool:
    """Whether it is the running task that was cancelled, and not something that it waited for.

    The latter is a failure of the channel's own: it must not pass for the end of the actor, or of
    the socket's reader.
    """
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0


ChannelFactory = Callable[[Link], Channel]
"""Makes the channel of a join, before its `join` is called."""


class _Joined:
    """The work of calling `joined`."""


_JOINED = _Joined()
_Work = Deliver[Link] | Leave[Link] | Ended | _Joined
