"""The server side of a Phoenix socket, without I/O: it decides on messages and encodes frames.

Source: phoenix `lib/phoenix/socket.ex` (`handle_in/4`) and `lib/phoenix/channel/server.ex`.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Generic, Literal, TypeVar

import msgspec

from adapters.phoenix.frames import (
    CLOSE,
    ERROR,
    HEARTBEAT,
    JOIN,
    LEAVE,
    PHOENIX_TOPIC,
    REPLY,
    Frame,
    MalformedFrame,
    Serializer,
    UnencodablePayload,
    same_ref,
)

Ref = Any
"""The id that a client gave to a message: any JSON value, echoed unchanged."""

Payload = dict[str, Any] | msgspec.Struct | msgspec.Raw
"""A JSON object that the server pushes; `Raw`: encoded already."""


class Membership:
    """One join of one topic, at most one per topic on a socket. The channel layer subclasses it."""

    __slots__ = ("join_ref", "leaving", "own_ref", "topic")

    def __init__(self, topic: str, join_ref: Ref, ref: Ref) -> None:
        self.topic = topic
        self.join_ref = join_ref
        # After a join without join_ref, replies and pushes carry the join's ref in its place; the
        # join reply, phx_close and phx_error carry null (channel/server.ex, `join_ref || ref`).
        self.own_ref = ref if join_ref is None else join_ref
        self.leaving = False


M = TypeVar("M", bound=Membership)
R = TypeVar("R")


class SendFrame(msgspec.Struct, frozen=True):
    """Send this text. `refused_join`: the cause, if the message was a join that was refused."""

    text: str
    refused_join: Literal["unmatched", "limit"] | None = None


class JoinChannel(msgspec.Struct, Generic[M, R], frozen=True):
    """Run the join on `route` once `replaced` has ended; then call `accept_join` or `refuse_join`.

    Later messages of this socket wait until one of the two was called.
    """

    route: R
    topic: str
    payload: Any
    join_ref: Ref
    ref: Ref
    replaced: M | None


class DispatchEvent(msgspec.Struct, Generic[M], frozen=True):
    """Pass the event to the channel, in order.

    `event` is any JSON value that the client sent: one that is no string crashes the channel.
    `payload` is any JSON value, or the bytes of a binary message.
    """

    channel: M
    event: Any
    payload: Any
    ref: Ref


class LeaveChannel(msgspec.Struct, Generic[M], frozen=True):
    """End the channel after its earlier messages: `acknowledge_leave`, `close`, then terminate."""

    channel: M
    ref: Ref


SocketAction = SendFrame | JoinChannel[M, R] | DispatchEvent[M] | LeaveChannel[M] | None
"""The action that a message asks for; None: ignore it, it is stale."""


class TopicRoutes(Generic[R]):
    """Topic patterns in the order declared: an exact topic, or a prefix with `*` at its end."""

    def __init__(self, patterns: Mapping[str, R]) -> None:
        for pattern in patterns:
            if "*" in pattern[:-1]:
                raise ValueError(f"{pattern!r}: a topic pattern has its * at the end, or none")
        self._patterns = tuple(patterns.items())

    def match(self, topic: Any) -> R | None:
        """Return the route of the first pattern that fits; None: none does, or it is no string."""
        if not isinstance(topic, str):
            return None
        for pattern, route in self._patterns:
            if topic == pattern or (pattern[-1:] == "*" and topic.startswith(pattern[:-1])):
                return route
        return None


class ServerSocket(Generic[M, R]):
    """One connection: the channels that it has joined, and the frames sent to it."""

    __slots__ = ("_channels", "_max_channels", "_routes", "serializer")

    def __init__(
        self, serializer: Serializer, routes: TopicRoutes[R], *, max_channels: int = 100
    ) -> None:
        self.serializer = serializer
        self._routes = routes
        self._max_channels = max_channels
        self._channels: dict[str, M] = {}

    @property
    def channels(self) -> tuple[M, ...]:
        """The live channels, in the order in which they were joined."""
        return tuple(self._channels.values())

    # The dispatch table, by topic, event, and whether the topic has a channel.

    def receive(self, data: str | bytes) -> SocketAction[M, R]:
        """Decide on one message, a text (str) or a binary one (bytes).

        Raises: MalformedFrame: close the socket with 1011.
        """
        frame = self.serializer.decode(data)
        topic = frame.topic
        if topic == PHOENIX_TOPIC and frame.event == HEARTBEAT:
            return self._reply_to(None, frame, "ok", {})
        channel = self._channels.get(topic) if isinstance(topic, str) else None
        if channel is None:
            return self._receive_unjoined(frame)
        return self._receive_joined(channel, frame)

    def _receive_unjoined(self, frame: Frame) -> SocketAction[M, R]:
        if frame.event == JOIN:
            return self._join(frame, None)
        if frame.event == LEAVE:
            return self._reply_to(frame.join_ref, frame, "ok", {})
        return self._unmatched(frame)

    def _receive_joined(self, channel: M, frame: Frame) -> SocketAction[M, R]:
        if frame.event == JOIN:
            return self._join(frame, channel)
        if frame.join_ref is not None and not same_ref(frame.join_ref, channel.join_ref):
            return None  # sent before the client knew of a close: neither processed nor answered
        if channel.leaving:
            return None  # sent after the leave: lost, as in the mailbox of a dead process
        if frame.event == LEAVE:
            channel.leaving = True
            return LeaveChannel(channel, frame.ref)
        return DispatchEvent(channel, frame.event, frame.payload, frame.ref)

    def _join(self, frame: Frame, replaced: M | None) -> SocketAction[M, R]:
        route = self._routes.match(frame.topic)
        if route is None:
            return self._unmatched(frame, "unmatched")
        if replaced is None and len(self._channels) >= self._max_channels:
            response = {"reason": "too many channels joined"}
            return self._reply_to(frame.join_ref, frame, "error", response, "limit")
        return JoinChannel(route, frame.topic, frame.payload, frame.join_ref, frame.ref, replaced)

    def _unmatched(
        self, frame: Frame, refused: Literal["unmatched"] | None = None
    ) -> SocketAction[M, R]:
        return self._reply_to(None, frame, "error", {"reason": "unmatched topic"}, refused)

    def _reply_to(
        self,
        join_ref: Ref,
        frame: Frame,
        status: str,
        response: Any,
        refused: Literal["unmatched", "limit"] | None = None,
    ) -> SendFrame:
        try:
            text = self._reply(join_ref, frame.ref, frame.topic, status, response)
        except UnencodablePayload as error:  # the client's refs or topic: nothing else can fail
            raise MalformedFrame(str(error)) from error
        return SendFrame(text, refused)

    # Outgoing frames.

    def accept_join(self, channel: M, ref: Ref, response: Any) -> str:
        """Register the channel; return the reply, which goes before its other frames.

        Raises: UnencodablePayload (and the channel is not registered).
        """
        text = self._reply(channel.join_ref, ref, channel.topic, "ok", response)
        self._channels[channel.topic] = channel
        return text

    def refuse_join(self, join: JoinChannel[M, R], response: Any) -> str:
        """Return the error reply to a join. Raises: UnencodablePayload."""
        return self._reply(join.join_ref, join.ref, join.topic, "error", response)

    def reply(self, channel: M, ref: Ref, status: str, response: Any) -> str:
        """Return the reply to one message of the channel. Raises: UnencodablePayload."""
        return self._reply(channel.own_ref, ref, channel.topic, status, response)

    def push(self, channel: M, event: str, payload: Payload) -> str:
        """Return a message to this client alone. Raises: UnencodablePayload."""
        _require_object(payload)
        frame = Frame(channel.own_ref, None, channel.topic, event, payload)
        return self.serializer.encode(frame)

    def acknowledge_leave(self, channel: M, ref: Ref) -> str:
        """Return the reply to a phx_leave; `close` follows it."""
        return self.reply(channel, ref, "ok", {})

    def close(self, channel: M) -> str:
        """Forget a channel; return its phx_close, after which clients do not rejoin."""
        return self._end(channel, CLOSE, {})

    def crash(self, channel: M) -> str:
        """Forget a channel; return its phx_error, after which clients rejoin."""
        return self._end(channel, ERROR, {"reason": "channel_crash"})

    def forget(self, channel: M) -> None:
        """Remove the channel from its topic, unless a later join has the topic already."""
        if self._channels.get(channel.topic) is channel:
            del self._channels[channel.topic]

    def _end(self, channel: M, event: str, payload: dict[str, Any]) -> str:
        self.forget(channel)
        join_ref = channel.join_ref  # as ref too: V1 frames have no join_ref
        return self.serializer.encode(Frame(join_ref, join_ref, channel.topic, event, payload))

    def _reply(self, join_ref: Ref, ref: Ref, topic: Any, status: str, response: Any) -> str:
        payload = {"status": status, "response": response}
        return self.serializer.encode(Frame(join_ref, ref, topic, REPLY, payload))


def encode_broadcast(
    topic: str, event: str, payload: Payload, serializers: Iterable[Serializer]
) -> dict[int, str]:
    """Return the text of a broadcast by protocol version, one for all subscribers.

    Both refs are null: clients drop a broadcast with another subscriber's join_ref.
    Raises: UnencodablePayload.
    """
    _require_object(payload)
    frame = Frame(None, None, topic, event, payload)
    return {serializer.version: serializer.encode(frame) for serializer in serializers}


def _require_object(payload: object) -> None:
    if isinstance(payload, msgspec.Raw):
        if bytes(payload)[:1] == b"{":
            return
    elif isinstance(payload, dict | msgspec.Struct):
        return
    raise UnencodablePayload("what a server pushes is a JSON object")
