"""The client core against the server core: no sockets, no loop, every order of events."""

from collections import deque
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.phoenix.client import (
    ChannelClosed,
    ChannelJoined,
    ChannelRefused,
    ChannelState,
    MessageReceived,
    PushAnswered,
    SocketState,
)
from adapters.phoenix.frames import V2
from adapters.phoenix.server import (
    DispatchEvent,
    JoinChannel,
    LeaveChannel,
    Membership,
    SendFrame,
    ServerSocket,
    TopicRoutes,
)

from .client_rig import Rig

Room = ServerSocket[Membership, str]


class Pair(Rig):
    """A client connected to a server core; frames move only in `exchange`."""

    def __init__(self) -> None:
        super().__init__(max_waiting=10_000)
        self.server: Room | None = None
        self.to_client: deque[str] = deque()
        self.heard: list[Any] = []

    def connect(self) -> None:
        self.server = Room(V2, TopicRoutes({"room:*": "room"}))
        self.to_client.clear()
        self.open()

    def cut(self) -> None:
        """Lose the connection, and the frames in transit on it."""
        self.server = None
        self.to_client.clear()
        self.close()

    def exchange(self, frames: int = 1_000_000) -> None:
        """Move up to `frames` from the client, and all replies to them."""
        while frames and (text := self.socket.next_frame()) is not None:
            self.serve(text)
            frames -= 1
            while self.to_client:
                self.socket.received(self.to_client.popleft(), self.now)

    def serve(self, text: str) -> None:
        assert self.server is not None
        match self.server.receive(text):
            case SendFrame(text=answer):
                self.to_client.append(answer)
            case JoinChannel() as join if join.topic == "room:deny":
                self.to_client.append(self.server.refuse_join(join, {"reason": "unauthorized"}))
            case JoinChannel() as join:
                channel = Membership(join.topic, join.join_ref, join.ref)
                self.to_client.append(self.server.accept_join(channel, join.ref, {}))
                if join.replaced is not None:
                    self.to_client.append(self.server.close(join.replaced))
            case DispatchEvent() as message:
                self.handle(message)
            case LeaveChannel() as leave:
                self.to_client.append(self.server.acknowledge_leave(leave.channel, leave.ref))
                self.to_client.append(self.server.close(leave.channel))

    def handle(self, message: DispatchEvent[Membership]) -> None:
        assert self.server is not None
        self.heard.append(message.payload)
        if message.event == "crash":
            self.to_client.append(self.server.crash(message.channel))
        elif message.event == "stop":
            self.to_client.append(self.server.close(message.channel))
        else:
            answer = self.server.reply(message.channel, message.ref, "ok", message.payload)
            push = self.server.push(message.channel, "pushed", message.payload)
            self.to_client.extend((push, answer))


def test_join_push_and_reply() -> None:
    pair = Pair()
    pair.connect()
    pair.socket.join("room:a", {}, pair.now)
    ref = pair.socket.push("room:a", "ping", {"n": 1}, pair.now)

    pair.exchange()

    assert pair.events()[1:] == [
        ChannelJoined("room:a", {}, rejoined=False),
        MessageReceived("room:a", "pushed", {"n": 1}),
        PushAnswered(ref, "ok", {"n": 1}),
    ]


def test_a_refused_and_an_unmatched_topic_are_refused_alike() -> None:
    pair = Pair()
    pair.connect()
    pair.socket.join("room:deny", {}, pair.now)
    pair.socket.join("nowhere", {}, pair.now)

    pair.exchange()

    assert pair.events(ChannelRefused) == [
        ChannelRefused("room:deny", {"reason": "unauthorized"}),
        ChannelRefused("nowhere", {"reason": "unmatched topic"}),
    ]


def test_leaving_and_joining_again_at_once_ends_joined() -> None:
    pair = Pair()
    pair.connect()
    pair.socket.join("room:a", {}, pair.now)
    pair.exchange()
    pair.socket.leave("room:a", pair.now)
    pair.socket.join("room:a", {}, pair.now)

    pair.exchange()

    assert [type(event) for event in pair.events()[1:]] == [
        ChannelJoined,
        ChannelClosed,
        ChannelJoined,
    ]
    assert pair.socket.state_of("room:a") is ChannelState.JOINED


def test_a_crash_is_followed_by_a_rejoin_and_a_stop_is_not() -> None:
    pair = Pair()
    pair.connect()
    pair.socket.join("room:a", {}, pair.now)
    pair.socket.join("room:b", {}, pair.now)
    pair.exchange()
    pair.socket.send("room:a", "crash", {})
    pair.socket.send("room:b", "stop", {})
    pair.exchange()
    pair.events()

    pair.advance(1)
    pair.exchange()

    assert pair.events() == [ChannelJoined("room:a", {}, rejoined=True)]
    assert pair.socket.state_of("room:b") is None


def test_heartbeats_keep_the_connection_for_an_hour() -> None:
    pair = Pair()
    pair.connect()

    for _ in range(3600):
        pair.advance(1)
        pair.exchange()

    assert pair.socket.state is SocketState.OPEN


STEPS = st.lists(
    st.one_of(
        st.just("send"),
        st.just("crash"),
        st.just("cut"),
        st.just("connect"),
        st.tuples(st.just("exchange"), st.integers(1, 4)),
        st.tuples(st.just("wait"), st.floats(0.1, 12)),
    ),
    max_size=60,
)


@given(STEPS)
@settings(deadline=None)
def test_whatever_happens_nothing_is_doubled_reordered_or_lost_unsent(steps: list[Any]) -> None:
    pair = Pair()
    pair.socket.join("room:a", {}, pair.now)
    sent = 0
    for step in steps:
        match step:
            case "send" | "crash":
                pair.socket.send("room:a", step, {"n": sent})
                sent += 1
            case "cut" if pair.server is not None:
                pair.cut()
            case "connect" if pair.server is None:
                pair.connect()
            case ("exchange", count) if pair.server is not None:
                pair.exchange(count)
            case ("wait", seconds):
                pair.advance(seconds)
                if pair.socket.close_code is not None:
                    pair.cut()

    if pair.server is None:
        pair.connect()
    for _ in range(4 * sent + 10):  # each crash is followed by a pause of up to 10 s
        pair.exchange()
        pair.advance(5)

    # `exchange` loses nothing under way, and what follows a crash has not left the client yet.
    assert [payload["n"] for payload in pair.heard] == list(range(sent))
    assert pair.socket.state_of("room:a") is ChannelState.JOINED


@given(st.lists(st.one_of(st.text(), st.binary()), max_size=5))
def test_no_input_breaks_the_client(messages: list[str | bytes]) -> None:
    rig = Rig().open()
    rig.join()

    for message in messages:
        rig.socket.received(message, rig.now)

    assert rig.socket.state_of("room:a") is ChannelState.JOINED


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
REFS = st.sampled_from([None, "1", "2", "3"]) | JSON
EVENTS = st.sampled_from(["phx_reply", "phx_error", "phx_close", "shout"]) | JSON
PAYLOADS = JSON | st.fixed_dictionaries({"status": st.sampled_from(["ok", "error"])})


@given(st.lists(st.tuples(REFS, REFS, st.just("room:a") | JSON, EVENTS, PAYLOADS), max_size=8))
def test_no_frame_breaks_the_client(frames: list[Any]) -> None:
    rig = Rig().open()
    rig.join()
    rig.socket.push("room:a", "ping", {}, rig.now)

    for frame in frames:
        rig.receive(*frame)
        rig.frames()
        rig.advance(1)

    assert rig.socket.state in (SocketState.OPEN, SocketState.CLOSING)
