"""The client side of Phoenix Channels (V2): one socket with many topics, without I/O.

Time and chance are arguments. The owner of the connection reports each event (`connecting`,
`opened`, `received`, `closed`, `tick`), then dispatches `events()`, writes every `next_frame()`,
closes the connection once `close_code` is set, dials at `connect_at`, and calls `tick` again at
`next_deadline()`. Every `now` is in seconds of one monotonic clock.

Source: phoenix.js 1.8.16 (`assets/js/phoenix/{socket,channel,push}.js`); deviations are marked.
"""

import heapq
import itertools
import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import Any

import msgspec

from adapters.phoenix.frames import (
    CLOSE,
    ERROR,
    HEARTBEAT,
    JOIN,
    LEAVE,
    PHOENIX_TOPIC,
    REPLY,
    V2,
    Frame,
    MalformedFrame,
    UnencodablePayload,
)

CLOSE_CODE = 1000
"""The close code of this client: at the end, and, as in phoenix.js, on a missed heartbeat."""

CONNECTION_LOST = {"reason": "connection lost"}
"""The payload of ChannelErrored where the channel did not crash."""


class PhoenixClientError(Exception):
    """The client of a Phoenix socket was misused, or its request failed."""


class NotJoined(PhoenixClientError):
    """A push to a topic that was not joined, or that was left or closed."""


class TopicInUse(PhoenixClientError):
    """The topic is joined already; a socket has one channel per topic."""


class TooManyWaiting(PhoenixClientError):
    """The channel has the maximum of unsent messages: it is not joined, or the network is slow."""


class SocketState(Enum):
    """The state of the connection."""

    WAITING = "waiting"  # for `connect_at`
    CONNECTING = "connecting"
    OPEN = "open"
    CLOSING = "closing"  # after a missed heartbeat; `close_code` is set
    CLOSED = "closed"  # by this client, for good


class ChannelState(Enum):
    """The state of one topic. Pushes wait until it is JOINED."""

    ERRORED = "errored"  # to be joined (again) when the socket opens, or after a pause
    JOINING = "joining"
    JOINED = "joined"
    LEAVING = "leaving"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """Times in seconds, with the defaults of phoenix.js."""

    timeout_s: float = 10.0
    heartbeat_s: float = 30.0
    # `reconnectAfterMs` and `rejoinAfterMs` in the constructor of phoenix.js `socket.js`: a table
    # each, whose last step is repeated.
    reconnect_after_s: tuple[float, ...] = (
        *(0.01, 0.05, 0.1, 0.15, 0.2, 0.25, 0.5),
        *(1.0, 2.0, 5.0),
    )
    rejoin_after_s: tuple[float, ...] = (1.0, 2.0, 5.0, 10.0)
    stable_after_s: float = 5.0
    """The duration of a connection after which the reconnect backoff is reset."""
    joined_after_s: float = 1.0
    """The time for which a channel must have been joined, for its rejoin backoff to be reset."""
    max_waiting: int = 1000
    """The maximum of unsent messages of one channel."""


DEFAULT_SETTINGS = ClientSettings()


@dataclass(frozen=True, slots=True)
class SocketOpened:
    """The connection is open; every channel is being joined."""


@dataclass(frozen=True, slots=True)
class SocketClosed:
    """The connection ended or failed; `retry_in_s` is None if this client closed it."""

    code: int | None
    http_status: int | None
    reason: str
    retry_in_s: float | None


@dataclass(frozen=True, slots=True)
class ChannelJoined:
    """The server accepted the join; `rejoined` if this channel was joined before."""

    topic: str
    response: Any
    rejoined: bool


@dataclass(frozen=True, slots=True)
class ChannelRefused:
    """The server answered the join with an error; it is retried until `leave`."""

    topic: str
    response: Any


@dataclass(frozen=True, slots=True)
class ChannelJoinTimedOut:
    """The server did not answer the join; it is retried until `leave`."""

    topic: str


@dataclass(frozen=True, slots=True)
class ChannelErrored:
    """The channel crashed or the connection was lost; it will be joined again."""

    topic: str
    payload: Any


@dataclass(frozen=True, slots=True)
class ChannelClosed:
    """The channel is closed for good: left, ended by the server, or closed with the socket."""

    topic: str


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """The server sent a push or a broadcast."""

    topic: str
    event: str
    payload: Any


@dataclass(frozen=True, slots=True)
class PushAnswered:
    """The server's reply to the push with this `ref`."""

    ref: str
    status: str
    response: Any


@dataclass(frozen=True, slots=True)
class PushReceived:
    """The server has read this push: it answered a heartbeat that was sent behind it.

    Its reply, if there is one, may still come. A server reads its messages in order.
    """

    ref: str


@dataclass(frozen=True, slots=True)
class PushTimedOut:
    """No reply in time; a push that is still unsent (`was_sent` is False) is dropped."""

    ref: str
    was_sent: bool


@dataclass(frozen=True, slots=True)
class PushAbandoned:
    """No reply is possible any more: the connection or the channel was lost."""

    ref: str
    was_sent: bool


@dataclass(frozen=True, slots=True)
class FrameIgnored:
    """The server sent a text that is no V2 frame."""

    reason: str


SocketEvent = SocketOpened | SocketClosed
ChannelEvent = ChannelJoined | ChannelRefused | ChannelJoinTimedOut | ChannelErrored | ChannelClosed
PushEvent = PushAnswered | PushReceived | PushTimedOut | PushAbandoned
ClientEvent = SocketEvent | ChannelEvent | MessageReceived | PushEvent | FrameIgnored


class _Timers:
    """A timer queue; cancelling is O(1), and cancelled entries leave the heap lazily."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int]] = []
        self._actions: dict[int, Callable[[float], None]] = {}
        self._ids = itertools.count()

    def at(self, when: float, action: Callable[[float], None]) -> int:
        timer = next(self._ids)
        self._actions[timer] = action
        heapq.heappush(self._heap, (when, timer))
        return timer

    def cancel(self, timer: int | None) -> None:
        if timer is not None:
            self._actions.pop(timer, None)

    def next(self) -> float | None:
        while self._heap and self._heap[0][1] not in self._actions:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def fire(self, now: float) -> None:
        while (due := self.next()) is not None and due <= now:
            self._actions.pop(heapq.heappop(self._heap)[1])(now)


@dataclass(slots=True, eq=False)
class _Push:
    ref: str
    event: str
    payload: msgspec.Raw
    timer: int | None = None  # None: no reply is expected, and it may stay unsent for ever
    probe_timer: int | None = None
    probes: bool = False  # a heartbeat is to be sent behind it


@dataclass(slots=True, eq=False)
class _Channel:
    topic: str
    payload: Any | Callable[[], Any]
    state: ChannelState = ChannelState.ERRORED
    join_ref: str | None = None  # also the ref of the phx_join; None while errored
    leave_ref: str | None = None
    failures: int = 0  # to stay joined, in a row
    joined_at: float | None = None  # None: not since the last failure
    joined_before: bool = False
    timer: int | None = None  # join time-out, pause before a rejoin, or leave time-out
    unsent: deque[_Push] = field(default_factory=deque)
    in_flight: dict[str, _Push] = field(default_factory=dict)


class ClientSocket:
    """The state of one client socket and of its channels.

    `random` returns a float in 0..1, and spreads each pause over the upper half of its length.
    Deviation: phoenix.js does not, so that its clients all return at the same moment.
    """

    def __init__(
        self, random: Callable[[], float], settings: ClientSettings = DEFAULT_SETTINGS
    ) -> None:
        self.state = SocketState.WAITING
        self.connect_at: float | None = -math.inf
        """When to dial, at first immediately; None: not now."""
        self.close_code: int | None = None
        """If set: close the connection with this code, then call `closed`."""
        self._random = random
        self._settings = settings
        self._refs = map(str, itertools.count(1))
        self._timers = _Timers()
        self._events: list[ClientEvent] = []
        # A text is sent as it is; a channel stands for the first of its unsent pushes, which
        # therefore keeps its place if the connection is lost before it is sent.
        self._outgoing: deque[str | _Channel] = deque()
        self._channels: dict[str, _Channel] = {}
        self._failures = 0
        self._opened_at: float | None = None
        self._heartbeat_timer: int | None = None
        self._heartbeat_ref: str | None = None
        self._probes: dict[str, tuple[_Channel, _Push]] = {}  # by the ref of the heartbeat

    def __repr__(self) -> str:
        states = {topic: channel.state.value for topic, channel in self._channels.items()}
        return f"<ClientSocket {self.state.value} {states}>"

    # Output, for the owner of the connection.

    def events(self) -> Sequence[ClientEvent]:
        """Return the events since the last call, in order."""
        events, self._events = self._events, []
        return events

    @property
    def has_frames(self) -> bool:
        """True if `next_frame` may return a frame."""
        return bool(self._outgoing) and self.state is SocketState.OPEN

    def next_frame(self) -> str | None:
        """Remove and return the next text message to write; None: there is none."""
        while self.has_frames:
            item = self._outgoing.popleft()
            if isinstance(item, str):
                return item
            if item.unsent and item.state in (ChannelState.JOINED, ChannelState.LEAVING):
                push = item.unsent.popleft()
                if push.timer is not None:
                    item.in_flight[push.ref] = push
                if push.probes:
                    self._outgoing.appendleft(self._probe(item, push))
                return _encode(item.join_ref, push.ref, item.topic, push.event, push.payload)
        return None

    def next_deadline(self) -> float | None:
        """Return the time at which to call `tick`; None: nothing is pending."""
        return self._timers.next()

    def state_of(self, topic: str) -> ChannelState | None:
        """Return the state of a topic; None: not joined, left, or closed."""
        channel = self._channels.get(topic)
        return channel.state if channel else None

    # Requests, by the user of the socket.

    def join(self, topic: str, payload: Any | Callable[[], Any], now: float) -> None:
        """Join a topic and keep it joined until `leave` or until the server closes it.

        A callable payload is called at each join and each rejoin; if it raises, the channel
        errors, and the join is retried like a refused one.

        Raises: TopicInUse; NotJoined after `close`.
        """
        if self.state is SocketState.CLOSED:
            raise NotJoined(f"cannot join {topic!r}: the socket was closed")
        channel = self._channels.get(topic)
        if channel is not None:
            if channel.state is not ChannelState.LEAVING:
                raise TopicInUse(f"topic {topic!r} is joined already")
            self._end(channel)  # the phx_leave is queued; the answers to it are stale from now on
        self._channels[topic] = channel = _Channel(topic, payload)
        if self.state is SocketState.OPEN:
            self._join(channel, now)

    def leave(self, topic: str, now: float) -> None:
        """Leave a topic after its earlier pushes; a no-op if it is not joined.

        Pushes that still wait for a join are abandoned.
        """
        channel = self._channels.get(topic)
        if channel is None or channel.state is ChannelState.LEAVING:
            return
        if self.state is not SocketState.OPEN or channel.state is ChannelState.ERRORED:
            self._end(channel)
            return
        channel.state = ChannelState.LEAVING
        channel.leave_ref = self._send_leave(channel)
        self._rearm(channel, now + self._settings.timeout_s, lambda _: self._end(channel))

    def push(
        self,
        topic: str,
        event: str,
        payload: Any,
        now: float,
        timeout_s: float | None = None,
        probe_after_s: float | None = None,
    ) -> str:
        """Send an event once the channel is joined, and expect a reply; return its ref.

        One of `PushAnswered`, `PushTimedOut` (after `timeout_s` from now; None: the setting) or
        `PushAbandoned` follows. `probe_after_s`: if there is no reply by then, send a heartbeat
        behind the push, whose answer is its `PushReceived`, or time out if it is unsent; 0: send
        the heartbeat directly behind the push, whenever that is sent.

        Raises: NotJoined, TooManyWaiting, UnencodablePayload.
        """
        push = self._enqueue(topic, event, payload)
        limit_s = self._settings.timeout_s if timeout_s is None else timeout_s
        channel = self._channels[topic]
        push.timer = self._timers.at(now + limit_s, lambda _: self._push_timed_out(channel, push))
        if probe_after_s is not None:
            push.probes = probe_after_s <= 0
            if not push.probes:
                at = now + probe_after_s
                push.probe_timer = self._timers.at(at, lambda _: self._probe_due(channel, push))
        return push.ref

    def send(self, topic: str, event: str, payload: Any) -> None:
        """Send an event once the channel is joined, without a time limit; no reply.

        Raises: NotJoined, TooManyWaiting, UnencodablePayload.
        """
        self._enqueue(topic, event, payload)

    def drop_unsent(self, topic: str) -> None:
        """Abandon the pushes that wait until the topic is joined; a no-op if it is."""
        channel = self._channels.get(topic)
        if channel is not None and channel.state in (ChannelState.ERRORED, ChannelState.JOINING):
            self._abandon(channel.unsent, was_sent=False)
            channel.unsent.clear()

    def close(self) -> None:
        """Close for good: every channel ends, and there are no more connections."""
        if self.state is SocketState.CLOSED:
            return
        self.state = SocketState.CLOSED
        self.connect_at = None
        self.close_code = CLOSE_CODE
        self._stop_traffic()
        for channel in list(self._channels.values()):
            self._end(channel)
        self._events.append(SocketClosed(self.close_code, None, "closed by this client", None))

    # Input, from the owner of the connection.

    def connecting(self) -> None:
        """Report that dialling has begun; `opened` or `closed` must follow."""
        if self.state is SocketState.WAITING:
            self.state = SocketState.CONNECTING
            self.connect_at = None

    def opened(self, now: float) -> None:
        """Report that the WebSocket handshake succeeded."""
        if self.state is SocketState.CLOSED:
            return
        self.state = SocketState.OPEN
        self.connect_at = None
        self._opened_at = now
        self._heartbeat_timer = self._timers.at(now + self._settings.heartbeat_s, self._beat)
        self._events.append(SocketOpened())
        for channel in list(self._channels.values()):
            self._join(channel, now)

    def closed(
        self, code: int | None, now: float, reason: str = "", http_status: int | None = None
    ) -> None:
        """Report that the connection ended with `code`, or could not be opened (None).

        Every close but `close` is followed by a new attempt, 1000 too.
        """
        if self.state is SocketState.CLOSED:
            return
        self._lose_connection()
        # Deviation: phoenix.js resets its backoff at every open, and so dials a server that
        # accepts and closes at once a hundred times a second.
        if self._opened_at is not None and now - self._opened_at >= self._settings.stable_after_s:
            self._failures = 0
        pause = self._pause(self._settings.reconnect_after_s, self._failures)
        self._failures += 1
        self._opened_at = None
        self.close_code = None
        self.state = SocketState.WAITING
        self.connect_at = now + pause
        self._events.append(SocketClosed(code, http_status, reason, pause))

    def received(self, data: str | bytes, now: float) -> None:
        """Process a message from the server. Binary ones are ignored."""
        if self.state is not SocketState.OPEN or not isinstance(data, str):
            return
        try:
            frame = V2.decode(data)
        except MalformedFrame as error:
            self._events.append(FrameIgnored(str(error)))
            return
        if frame.event == REPLY and frame.ref == self._heartbeat_ref is not None:
            self._heartbeat_ref = None
        elif frame.event == REPLY and isinstance(frame.ref, str) and frame.ref in self._probes:
            self._probed(*self._probes.pop(frame.ref))
        elif (channel := self._channel_of(frame)) is not None:
            self._dispatch(channel, frame, now)

    def tick(self, now: float) -> None:
        """Do what is due at `now`: heartbeats, time-outs, rejoins."""
        self._timers.fire(now)

    # The connection.

    def _beat(self, now: float) -> None:
        """Send a heartbeat at fixed times: received traffic does not prove that ours arrives."""
        if self._heartbeat_ref is not None:
            self._lose_connection()
            self.state = SocketState.CLOSING
            self.close_code = CLOSE_CODE
            return
        self._heartbeat_ref = next(self._refs)
        self._outgoing.append(_heartbeat(self._heartbeat_ref))
        self._heartbeat_timer = self._timers.at(now + self._settings.heartbeat_s, self._beat)

    def _lose_connection(self) -> None:
        """End the traffic on a lost connection; each channel waits for the next one."""
        self._stop_traffic()
        for channel in list(self._channels.values()):
            if channel.state is ChannelState.LEAVING:
                self._end(channel)
            else:
                self._set_errored(channel, CONNECTION_LOST)

    def _stop_traffic(self) -> None:
        self._outgoing.clear()
        self._timers.cancel(self._heartbeat_timer)
        self._heartbeat_ref = None
        self._probes.clear()

    def _pause(self, steps: tuple[float, ...], failures: int) -> float:
        return steps[min(failures, len(steps) - 1)] * (0.5 + self._random() / 2)

    # One channel.

    def _channel_of(self, frame: Frame) -> _Channel | None:
        """Return the channel of a frame; None: it has none, or is of an earlier join.

        A null join_ref is always current (broadcasts, "unmatched topic", old servers).
        """
        if not isinstance(frame.topic, str):
            return None
        channel = self._channels.get(frame.topic)
        if channel is None or channel.state is ChannelState.ERRORED:
            return None
        return channel if frame.join_ref in (None, channel.join_ref) else None

    def _dispatch(self, channel: _Channel, frame: Frame, now: float) -> None:
        leaving = channel.state is ChannelState.LEAVING
        if frame.event == REPLY:
            self._replied(channel, frame, now)
        elif frame.event == CLOSE or (frame.event == ERROR and leaving):
            self._end(channel)
        elif frame.event == ERROR:
            self._set_errored(channel, frame.payload)
            self._schedule_rejoin(channel, now)
        elif channel.state is ChannelState.JOINED and isinstance(frame.event, str):
            self._events.append(MessageReceived(channel.topic, frame.event, frame.payload))

    def _replied(self, channel: _Channel, frame: Frame, now: float) -> None:
        status, response = _reply_fields(frame.payload)
        if status is None or not isinstance(frame.ref, str):
            return
        if frame.ref == channel.leave_ref:
            self._end(channel)
        elif frame.ref == channel.join_ref:
            self._join_replied(channel, status, response, now)
        elif (push := channel.in_flight.pop(frame.ref, None)) is not None:
            self._cancel_timers(push)
            self._events.append(PushAnswered(push.ref, status, response))
            # Deviation: phoenix.js stays "joined" to a topic that the server does not know.
            if status == "error" and response == {"reason": "unmatched topic"}:
                self._set_errored(channel, response)
                self._schedule_rejoin(channel, now)

    def _join(self, channel: _Channel, now: float) -> None:
        # New at each join, to distinguish its phx_close from that of the last join.
        ref = next(self._refs)
        try:
            payload = channel.payload() if callable(channel.payload) else channel.payload
            text = _encode(ref, ref, channel.topic, JOIN, payload)
        except Exception as error:  # one channel's payload must not break the others
            self._events.append(ChannelErrored(channel.topic, {"reason": repr(error)}))
            self._schedule_rejoin(channel, now)
            return
        channel.join_ref = ref
        channel.state = ChannelState.JOINING
        self._outgoing.append(text)
        deadline = now + self._settings.timeout_s
        self._rearm(channel, deadline, partial(self._join_timed_out, channel))

    def _join_replied(self, channel: _Channel, status: str, response: Any, now: float) -> None:
        if channel.state is not ChannelState.JOINING:
            return
        if status != "ok":
            self._events.append(ChannelRefused(channel.topic, response))
            self._schedule_rejoin(channel, now)
            return
        self._timers.cancel(channel.timer)
        channel.state = ChannelState.JOINED
        channel.joined_at = now
        self._events.append(ChannelJoined(channel.topic, response, channel.joined_before))
        channel.joined_before = True
        self._outgoing.extend([channel] * len(channel.unsent))

    def _join_timed_out(self, channel: _Channel, now: float) -> None:
        self._send_leave(channel)  # the server may have accepted the join all the same
        self._events.append(ChannelJoinTimedOut(channel.topic))
        self._schedule_rejoin(channel, now)

    def _schedule_rejoin(self, channel: _Channel, now: float) -> None:
        channel.state = ChannelState.ERRORED
        channel.join_ref = None
        # Deviation: phoenix.js resets this backoff at every join, and so joins a channel that
        # crashes at once every second.
        if (at := channel.joined_at) is not None and now - at >= self._settings.joined_after_s:
            channel.failures = 0
        channel.joined_at = None
        pause = self._pause(self._settings.rejoin_after_s, channel.failures)
        channel.failures += 1
        self._rearm(channel, now + pause, partial(self._join, channel))

    def _send_leave(self, channel: _Channel) -> str:
        ref = next(self._refs)
        self._outgoing.append(_encode(channel.join_ref, ref, channel.topic, LEAVE, {}))
        return ref

    def _set_errored(self, channel: _Channel, payload: Any) -> None:
        if channel.state is ChannelState.JOINED:
            self._events.append(ChannelErrored(channel.topic, payload))
        channel.state = ChannelState.ERRORED
        channel.join_ref = None
        self._timers.cancel(channel.timer)
        self._abandon(channel.in_flight.values(), was_sent=True)
        channel.in_flight.clear()

    def _end(self, channel: _Channel) -> None:
        del self._channels[channel.topic]
        self._timers.cancel(channel.timer)
        self._abandon(channel.in_flight.values(), was_sent=True)
        self._abandon(channel.unsent, was_sent=False)
        channel.in_flight.clear()
        channel.unsent.clear()
        self._events.append(ChannelClosed(channel.topic))

    def _rearm(self, channel: _Channel, when: float, action: Callable[[float], None]) -> None:
        self._timers.cancel(channel.timer)
        channel.timer = self._timers.at(when, action)

    # Pushes.

    def _enqueue(self, topic: str, event: str, payload: Any) -> _Push:
        channel = self._channels.get(topic)
        if channel is None or channel.state is ChannelState.LEAVING:
            raise NotJoined(f"cannot push to {topic!r}: join it first")
        if len(channel.unsent) >= self._settings.max_waiting:
            raise TooManyWaiting(f"{len(channel.unsent)} messages wait on {topic!r} already")
        push = _Push(next(self._refs), event, _raw(payload))
        channel.unsent.append(push)
        if channel.state is ChannelState.JOINED:
            self._outgoing.append(channel)
        return push

    def _push_timed_out(self, channel: _Channel, push: _Push) -> None:
        was_sent = channel.in_flight.pop(push.ref, None) is not None
        if not was_sent:
            channel.unsent.remove(push)
        self._cancel_timers(push)
        self._events.append(PushTimedOut(push.ref, was_sent))

    def _abandon(self, pushes: Iterable[_Push], *, was_sent: bool) -> None:
        for push in pushes:
            if push.timer is not None:  # nobody waits for the others
                self._cancel_timers(push)
                self._events.append(PushAbandoned(push.ref, was_sent))

    def _cancel_timers(self, push: _Push) -> None:
        self._timers.cancel(push.timer)
        self._timers.cancel(push.probe_timer)

    # Proofs that a push was received, where no reply may come.

    def _probe_due(self, channel: _Channel, push: _Push) -> None:
        if push.ref in channel.in_flight:
            self._outgoing.append(self._probe(channel, push))
        else:
            self._push_timed_out(channel, push)

    def _probe(self, channel: _Channel, push: _Push) -> str:
        """Return a heartbeat for the place behind a push."""
        ref = next(self._refs)
        self._probes[ref] = channel, push
        return _heartbeat(ref)

    def _probed(self, channel: _Channel, push: _Push) -> None:
        # Otherwise it was answered, or is lost: its channel crashed, or was left.
        if push.ref in channel.in_flight:
            self._events.append(PushReceived(push.ref))


def _raw(payload: Any) -> msgspec.Raw:
    """Encode a payload, which may change later. Raises: UnencodablePayload."""
    try:
        return msgspec.Raw(msgspec.json.encode(payload))
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise UnencodablePayload(str(error)) from error


def _heartbeat(ref: str) -> str:
    return _encode(None, ref, PHOENIX_TOPIC, HEARTBEAT, {})


def _encode(join_ref: str | None, ref: str, topic: str, event: str, payload: Any) -> str:
    return V2.encode(Frame(join_ref, ref, topic, event, payload))


def _reply_fields(payload: Any) -> tuple[str | None, Any]:
    """Return status and response of a phx_reply; (None, None) if it is malformed."""
    if not isinstance(payload, dict) or not isinstance(payload.get("status"), str):
        return None, None
    return payload["status"], payload.get("response", {})
