"""The server's half of one Phoenix socket, without I/O: what a message means, and what answers it.

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
"""The id a client gave to a message: any JSON value, only ever echoed."""

Payload = dict[str, Any] | msgspec.Struct | msgspec.Raw
"""What a server may push: a JSON object, or the text of one, encoded already."""


class Membership:
    """One join of one topic; at most one per topic lives on a socket. A skin subclasses it."""

    __slots__ = ("join_ref", "leaving", "own_ref", "topic")

    def __init__(self, topic: str, join_ref: Ref, ref: Ref) -> None:
        self.topic = topic
        self.join_ref = join_ref
        # A join without join_ref: replies and pushes carry the join's ref in its place, while the
        # join reply, phx_close and phx_error carry null (channel/server.ex, `join_ref || ref`).
        self.own_ref = ref if join_ref is None else join_ref
        self.leaving = False


M = TypeVar("M", bound=Membership)
R = TypeVar("R")


class Answer(msgspec.Struct, frozen=True):
    """Send this text. `refused_join` tells why, where the message was a join that cannot be."""

    text: str
    refused_join: Literal["unmatched", "limit"] | None = None


class Join(msgspec.Struct, Generic[M, R], frozen=True):
    """Run the join on `route`, after `replaced` has ended; then call `joined` or `refused`.

    Later messages of this socket wait until one of the two was called.
    """

    route: R
    topic: str
    payload: Any
    join_ref: Ref
    ref: Ref
    replaced: M | None


class Deliver(msgspec.Struct, Generic[M], frozen=True):
    """Give the channel this event, after all that it was given before.

    `event` is what the client sent, any JSON value: one that is no string crashes the channel.
    """

    channel: M
    event: Any
    payload: Any
    ref: Ref


class Leave(msgspec.Struct, Generic[M], frozen=True):
    """End the channel after all that it was given before: `left`, `closed`, then terminate."""

    channel: M
    ref: Ref


Decision = Answer | Join[M, R] | Deliver[M] | Leave[M] | None
"""What is to be done about one message; None: nothing at all, it is stale."""


class Routes(Generic[R]):
    """Topic patterns in the order declared: an exact topic, or a prefix with `*` at its end."""

    def __init__(self, patterns: Mapping[str, R]) -> None:
        for pattern in patterns:
            if "*" in pattern[:-1]:
                raise ValueError(f"{pattern!r}: a topic pattern has its * at the end, or none")
        self._patterns = tuple(patterns.items())

    def match(self, topic: Any) -> R | None:
        """The first declared pattern that fits; None for no fit, and for what is no string."""
        if not isinstance(topic, str):
            return None
        for pattern, route in self._patterns:
            if topic == pattern or (pattern[-1:] == "*" and topic.startswith(pattern[:-1])):
                return route
        return None


class ServerSocket(Generic[M, R]):
    """One connection: which topics it has joined, and the frames that go out to it."""

    __slots__ = ("_channels", "_echo_join_ref", "_max_channels", "_routes", "serializer")

    def __init__(
        self,
        serializer: Serializer,
        routes: Routes[R],
        *,
        max_channels: int = 100,
        echo_join_ref: bool = False,
    ) -> None:
        """`echo_join_ref`: "unmatched topic" replies carry the client's join_ref.

        Phoenix sends null there; the Python and Rust clients then fail to correlate the reply.
        """
        self.serializer = serializer
        self._routes = routes
        self._max_channels = max_channels
        self._echo_join_ref = echo_join_ref
        self._channels: dict[str, M] = {}

    @property
    def channels(self) -> tuple[M, ...]:
        """The live channels, in the order in which they were joined."""
        return tuple(self._channels.values())

    # The dispatch table: topic and event of a message, and whether its topic has a channel.

    def receive(self, data: str | bytes) -> Decision[M, R]:
        """Decide on one message, a text (str) or a binary one (bytes).

        Raises: MalformedFrame: close the socket with 1011.
        """
        frame = self.serializer.decode(data)
        topic = frame.topic
        if topic == PHOENIX_TOPIC and frame.event == HEARTBEAT:
            return self._answer(None, frame, "ok", {})
        channel = self._channels.get(topic) if isinstance(topic, str) else None
        if channel is None:
            return self._receive_unjoined(frame)
        return self._receive_joined(channel, frame)

    def _receive_unjoined(self, frame: Frame) -> Decision[M, R]:
        if frame.event == JOIN:
            return self._join(frame, None)
        if frame.event == LEAVE:
            return self._answer(frame.join_ref, frame, "ok", {})
        return self._unmatched(frame)

    def _receive_joined(self, channel: M, frame: Frame) -> Decision[M, R]:
        if frame.event == JOIN:
            return self._join(frame, channel)
        if frame.join_ref is not None and not same_ref(frame.join_ref, channel.join_ref):
            return None  # the client raced a close of ours: neither processed nor answered
        if channel.leaving:
            return None  # pipelined behind the leave: lost, as in the mailbox of a dead process
        if frame.event == LEAVE:
            channel.leaving = True
            return Leave(channel, frame.ref)
        return Deliver(channel, frame.event, frame.payload, frame.ref)

    def _join(self, frame: Frame, replaced: M | None) -> Decision[M, R]:
        route = self._routes.match(frame.topic)
        if route is None:
            return self._unmatched(frame, "unmatched")
        if replaced is None and len(self._channels) >= self._max_channels:
            response = {"reason": "too many channels joined"}
            return self._answer(frame.join_ref, frame, "error", response, "limit")
        return Join(route, frame.topic, frame.payload, frame.join_ref, frame.ref, replaced)

    def _unmatched(
        self, frame: Frame, refused: Literal["unmatched"] | None = None
    ) -> Decision[M, R]:
        join_ref = frame.join_ref if self._echo_join_ref else None
        return self._answer(join_ref, frame, "error", {"reason": "unmatched topic"}, refused)

    def _answer(
        self,
        join_ref: Ref,
        frame: Frame,
        status: str,
        response: Any,
        refused: Literal["unmatched", "limit"] | None = None,
    ) -> Answer:
        try:
            text = self._reply(join_ref, frame.ref, frame.topic, status, response)
        except UnencodablePayload as error:  # only the refs and the topic of the client can fail
            raise MalformedFrame(str(error)) from error
        return Answer(text, refused)

    # What goes out.

    def joined(self, channel: M, ref: Ref, response: Any) -> str:
        """Register the channel; the text is the first that may leave for it.

        Raises: UnencodablePayload (and the channel is not registered).
        """
        text = self._reply(channel.join_ref, ref, channel.topic, "ok", response)
        self._channels[channel.topic] = channel
        return text

    def refused(self, join: Join[M, R], response: Any) -> str:
        """The error reply to a join. Raises: UnencodablePayload."""
        return self._reply(join.join_ref, join.ref, join.topic, "error", response)

    def reply(self, channel: M, ref: Ref, status: str, response: Any) -> str:
        """The reply to one message of the channel. Raises: UnencodablePayload."""
        return self._reply(channel.own_ref, ref, channel.topic, status, response)

    def push(self, channel: M, event: str, payload: Payload) -> str:
        """A message to this client alone. Raises: UnencodablePayload."""
        _require_object(payload)
        frame = Frame(channel.own_ref, None, channel.topic, event, payload)
        return self.serializer.encode(frame)

    def left(self, channel: M, ref: Ref) -> str:
        """The reply to a phx_leave; `closed` follows it."""
        return self.reply(channel, ref, "ok", {})

    def closed(self, channel: M) -> str:
        """Forget a channel that ended well; the text tells the client, which will not rejoin."""
        return self._ended(channel, CLOSE, {})

    def crashed(self, channel: M) -> str:
        """Forget a channel that ended badly; the text tells the client, which will rejoin."""
        return self._ended(channel, ERROR, {"reason": "channel_crash"})

    def forget(self, channel: M) -> None:
        """Take the channel off its topic, unless a later join has the topic already."""
        if self._channels.get(channel.topic) is channel:
            del self._channels[channel.topic]

    def _ended(self, channel: M, event: str, payload: dict[str, Any]) -> str:
        self.forget(channel)
        join_ref = channel.join_ref  # in both places: it is all that a V1 client gets to see of it
        return self.serializer.encode(Frame(join_ref, join_ref, channel.topic, event, payload))

    def _reply(self, join_ref: Ref, ref: Ref, topic: Any, status: str, response: Any) -> str:
        payload = {"status": status, "response": response}
        return self.serializer.encode(Frame(join_ref, ref, topic, REPLY, payload))


def broadcast(
    topic: str, event: str, payload: Payload, serializers: Iterable[Serializer]
) -> dict[int, str]:
    """The text of a broadcast by protocol version, for every subscriber alike.

    Both refs are null: with one subscriber's join_ref all the others would drop it.
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
