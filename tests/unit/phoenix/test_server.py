"""The dispatch table of the core, rule by rule, in both versions of the protocol."""

from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.phoenix.frames import (
    V1,
    V2,
    Frame,
    MalformedFrame,
    Serializer,
    UnencodablePayload,
)
from adapters.phoenix.server import (
    DispatchEvent,
    JoinChannel,
    LeaveChannel,
    Membership,
    SendFrame,
    ServerSocket,
    TopicRoutes,
    encode_broadcast,
)

REFS = ["1", 0, 5, None, 1.5, "", {"a": 1}]
"""Refs are opaque: any JSON value is echoed."""


class Socket:
    """A core, and the client's end of it: frames in, actions and frames out."""

    def __init__(self, serializer: Serializer, **settings: Any) -> None:
        self.serializer = serializer
        routes = TopicRoutes({"exact": "exact", "room:vip": "vip", "room:*": "room", "*": "any"})
        self.core = ServerSocket[Membership, str](
            serializer, settings.pop("routes", routes), **settings
        )

    def receive(self, join_ref: Any, ref: Any, topic: Any, event: Any, payload: Any = None) -> Any:
        frame = Frame(join_ref, ref, topic, event, {} if payload is None else payload)
        if self.serializer is V2:
            return self.core.receive(msgspec.json.encode(frame).decode())
        return self.core.receive(msgspec.json.encode(msgspec.structs.asdict(frame)).decode())

    def join(self, topic: str, join_ref: Any = "1", ref: Any = "1") -> Membership:
        channel = Membership(topic, join_ref, ref)
        self.core.accept_join(channel, ref, {})
        return channel

    def seen(self, text: str) -> Frame:
        """Decode the text as a client of this version."""
        return self.serializer.decode(text)

    def frame(self, join_ref: Any, ref: Any, topic: Any, event: str, payload: Any) -> Frame:
        """Return the frame expected by such a client: V1 has no join_ref."""
        return Frame(join_ref if self.serializer is V2 else None, ref, topic, event, payload)

    def reply(self, join_ref: Any, ref: Any, topic: Any, status: str, response: Any) -> Frame:
        payload = {"status": status, "response": response}
        return self.frame(join_ref, ref, topic, "phx_reply", payload)

    def unmatched(self, ref: Any, topic: Any, join_ref: Any = None) -> Frame:
        return self.reply(join_ref, ref, topic, "error", {"reason": "unmatched topic"})


@pytest.fixture(params=[V1, V2], ids=["v1", "v2"])
def serializer(request: pytest.FixtureRequest) -> Serializer:
    chosen = request.param
    assert isinstance(chosen, Serializer)
    return chosen


@pytest.fixture
def socket(serializer: Serializer) -> Socket:
    return Socket(serializer)


# A message to a topic without a channel.


@pytest.mark.parametrize("ref", REFS, ids=repr)
def test_a_heartbeat_is_answered_with_its_ref_as_it_is(socket: Socket, ref: Any) -> None:
    answer = socket.receive("9", ref, "phoenix", "heartbeat")

    assert socket.seen(answer.text) == socket.reply(None, ref, "phoenix", "ok", {})


@pytest.mark.parametrize("topic", ["phoenix", "room:a", "", None, 5, ["room:a"], {"a": 1}])
def test_an_event_on_a_topic_not_joined_is_unmatched(socket: Socket, topic: Any) -> None:
    answer = socket.receive("1", "2", topic, "ping")

    assert socket.seen(answer.text) == socket.unmatched("2", topic)
    assert answer.refused_join is None


def test_a_leave_of_a_topic_not_joined_is_ok_and_nothing_more(socket: Socket) -> None:
    answer = socket.receive("1", "2", "room:a", "phx_leave")

    assert socket.seen(answer.text) == socket.reply("1", "2", "room:a", "ok", {})


def test_a_join_is_to_be_run_with_what_the_client_sent(socket: Socket) -> None:
    action = socket.receive("1", "2", "room:a", "phx_join", {"user": "bob"})

    assert action == JoinChannel("room", "room:a", {"user": "bob"}, "1", "2", None)


@pytest.mark.parametrize(
    ("topic", "route"),
    [
        ("exact", "exact"),
        ("exact2", "any"),
        ("room:vip", "vip"),
        ("room:vip2", "room"),
        ("room:", "room"),
        ("room", "any"),
        ("", "any"),
    ],
)
def test_the_first_declared_pattern_that_fits_takes_the_join(
    socket: Socket, topic: str, route: str
) -> None:
    action = socket.receive("1", "1", topic, "phx_join")

    assert action.route == route


def test_a_star_within_a_pattern_is_refused() -> None:
    with pytest.raises(ValueError, match="at the end"):
        TopicRoutes({"room:*:x": "room"})


@pytest.mark.parametrize("topic", ["elsewhere", None, 5])
def test_a_join_that_no_pattern_takes_is_unmatched(serializer: Serializer, topic: Any) -> None:
    socket = Socket(serializer, routes=TopicRoutes({"room:*": "room"}))

    answer = socket.receive("1", "2", topic, "phx_join")

    assert socket.seen(answer.text) == socket.unmatched("2", topic)
    assert answer.refused_join == "unmatched"


def test_a_join_beyond_the_limit_is_answered_with_its_join_ref(serializer: Serializer) -> None:
    socket = Socket(serializer, max_channels=1)
    socket.join("room:a")

    answer = socket.receive("2", "3", "room:b", "phx_join")

    response = {"reason": "too many channels joined"}
    assert socket.seen(answer.text) == socket.reply("2", "3", "room:b", "error", response)
    assert answer.refused_join == "limit"


def test_the_limit_counts_live_channels(serializer: Serializer) -> None:
    socket = Socket(serializer, max_channels=1)
    socket.core.close(socket.join("room:a"))

    action = socket.receive("2", "3", "room:b", "phx_join")

    assert isinstance(action, JoinChannel)


def test_the_limit_does_not_hinder_a_second_join_of_a_topic(serializer: Serializer) -> None:
    socket = Socket(serializer, max_channels=1)
    first = socket.join("room:a")

    action = socket.receive("2", "3", "room:a", "phx_join")

    assert action.replaced is first


# A message to a topic with a channel.


@pytest.mark.parametrize("join_ref", ["1", None])
def test_a_message_with_the_current_join_ref_or_none_is_delivered(
    socket: Socket, join_ref: Any
) -> None:
    channel = socket.join("room:a", "1")

    action = socket.receive(join_ref, "2", "room:a", "ping", {"x": [1, None, "é"]})

    assert action == DispatchEvent(channel, "ping", {"x": [1, None, "é"]}, "2")


@pytest.mark.parametrize(
    ("current", "sent"),
    [
        ("1", "2"),
        ("1", 1),
        (1, 1.0),
        (1, True),
        ("1", ""),
        (None, "1"),
        ({"a": 1}, {"a": 1.0}),
    ],
)
@pytest.mark.parametrize("event", ["ping", "phx_leave"])
def test_a_message_with_another_join_ref_is_stale(
    socket: Socket, current: Any, sent: Any, event: str
) -> None:
    channel = socket.join("room:a", current)

    action = socket.receive(sent, "2", "room:a", event)

    assert action is None
    assert not channel.leaving


@pytest.mark.parametrize("ref", REFS, ids=repr)
def test_any_json_value_can_be_a_join_ref(socket: Socket, ref: Any) -> None:
    channel = socket.join("room:a", ref)

    action = socket.receive(ref, "2", "room:a", "ping")

    assert action == DispatchEvent(channel, "ping", {}, "2")


@pytest.mark.parametrize("event", ["phx_reply", "phx_close", "phx_error", "heartbeat", None, 5])
def test_every_other_event_is_the_channels(socket: Socket, event: Any) -> None:
    channel = socket.join("room:a")

    action = socket.receive("1", "2", "room:a", event)

    assert action == DispatchEvent(channel, event, {}, "2")


def test_a_leave_ends_the_channel_and_what_is_pipelined_behind_it_is_lost(socket: Socket) -> None:
    channel = socket.join("room:a")

    first, second, third = (
        socket.receive("1", ref, "room:a", event)
        for ref, event in [("2", "phx_leave"), ("3", "ping"), ("4", "phx_leave")]
    )

    assert first == LeaveChannel(channel, "2")
    assert second is third is None


def test_a_topic_that_was_left_is_unmatched_and_can_be_joined_again(socket: Socket) -> None:
    socket.core.close(socket.join("room:a"))

    answer = socket.receive("1", "3", "room:a", "ping")
    again = socket.receive("4", "4", "room:a", "phx_join")

    assert socket.seen(answer.text) == socket.unmatched("3", "room:a")
    assert again.replaced is None


@pytest.mark.parametrize("join_ref", ["2", "1", None])
def test_a_second_join_replaces_the_first_whatever_its_join_ref(
    socket: Socket, join_ref: Any
) -> None:
    first = socket.join("room:a", "1")

    action = socket.receive(join_ref, "2", "room:a", "phx_join", {"b": 1})

    assert action == JoinChannel("room", "room:a", {"b": 1}, join_ref, "2", first)


def test_the_end_of_a_replaced_channel_leaves_the_topic_to_its_successor(socket: Socket) -> None:
    first = socket.join("room:a", "1")
    second = socket.join("room:a", "2")

    closed = socket.core.close(first)

    assert socket.seen(closed) == socket.frame("1", "1", "room:a", "phx_close", {})
    assert socket.core.channels == (second,)


# What goes out.


@pytest.mark.parametrize("ref", REFS, ids=repr)
def test_a_join_reply_carries_join_ref_and_ref_of_the_join(socket: Socket, ref: Any) -> None:
    text = socket.core.accept_join(Membership("room:a", ref, "2"), "2", {"hello": "world"})

    assert socket.seen(text) == socket.reply(ref, "2", "room:a", "ok", {"hello": "world"})


def test_a_refused_join_leaves_the_topic_unjoined(socket: Socket) -> None:
    join = socket.receive("1", "2", "room:a", "phx_join")

    text = socket.core.refuse_join(join, {"reason": "unauthorized"})

    expected = socket.reply("1", "2", "room:a", "error", {"reason": "unauthorized"})
    assert socket.seen(text) == expected
    assert socket.core.channels == ()


def test_a_join_reply_that_cannot_be_encoded_registers_nothing(socket: Socket) -> None:
    with pytest.raises(UnencodablePayload):
        socket.core.accept_join(Membership("room:a", "1", "1"), "1", {"no": object()})

    assert socket.core.channels == ()


@pytest.mark.parametrize("ref", REFS, ids=repr)
def test_a_reply_carries_the_join_ref_of_its_channel(socket: Socket, ref: Any) -> None:
    channel = socket.join("room:a", "1")

    text = socket.core.reply(channel, ref, "later", {"x": 1})

    assert socket.seen(text) == socket.reply("1", ref, "room:a", "later", {"x": 1})


def test_the_reply_to_a_leave_precedes_phx_close(socket: Socket) -> None:
    channel = socket.join("room:a", "1")

    left, closed = socket.core.acknowledge_leave(channel, "2"), socket.core.close(channel)

    assert socket.seen(left) == socket.reply("1", "2", "room:a", "ok", {})
    assert socket.seen(closed) == socket.frame("1", "1", "room:a", "phx_close", {})


def test_a_crash_is_told_with_the_join_ref_in_both_places(socket: Socket) -> None:
    channel = socket.join("room:a", 7)

    text = socket.core.crash(channel)

    expected = socket.frame(7, 7, "room:a", "phx_error", {"reason": "channel_crash"})
    assert socket.seen(text) == expected
    assert socket.core.channels == ()


def test_a_push_has_the_channels_join_ref_and_no_ref(socket: Socket) -> None:
    channel = socket.join("room:a", "1")

    text = socket.core.push(channel, "pushed", {"b": 1})

    assert socket.seen(text) == socket.frame("1", None, "room:a", "pushed", {"b": 1})


def test_a_channel_joined_without_join_ref_speaks_with_the_ref_of_its_join() -> None:
    socket = Socket(V2)
    channel = socket.join("room:a", None, "5")

    reply, push = socket.core.reply(channel, "6", "ok", {}), socket.core.push(channel, "e", {})

    assert socket.seen(reply).join_ref == "5"
    assert socket.seen(push).join_ref == "5"


def test_a_channel_joined_without_join_ref_ends_with_null() -> None:
    socket = Socket(V2)
    channel = socket.join("room:a", None, "5")

    closed, crashed = socket.core.close(channel), socket.core.crash(channel)

    assert closed == '[null,null,"room:a","phx_close",{}]'
    assert crashed == '[null,null,"room:a","phx_error",{"reason":"channel_crash"}]'


def test_a_broadcast_has_no_refs_in_either_version() -> None:
    texts = encode_broadcast("room:a", "shout", {"x": "é"}, (V1, V2))

    assert texts == {
        1: '{"event":"shout","payload":{"x":"é"},"ref":null,"topic":"room:a"}',
        2: '[null,null,"room:a","shout",{"x":"é"}]',
    }


class Shout(msgspec.Struct):
    """A payload of an application."""

    x: int


@pytest.mark.parametrize("payload", [{"x": 1}, Shout(1), msgspec.Raw(b'{"x":1}')], ids=type)
def test_a_payload_is_a_dict_a_struct_or_the_text_of_an_object(
    socket: Socket, payload: Any
) -> None:
    channel = socket.join("room:a")

    text = socket.core.push(channel, "shout", payload)

    assert socket.seen(text).payload == {"x": 1}


@pytest.mark.parametrize(
    "payload",
    [[1], "text", None, 1, msgspec.Raw(b"[1]"), msgspec.Raw(b""), {"a": "\ud800"}, {"a": object()}],
    ids=["list", "text", "null", "number", "raw-list", "raw-nothing", "surrogate", "object"],
)
def test_a_payload_that_is_no_json_object_is_refused(socket: Socket, payload: Any) -> None:
    channel = socket.join("room:a")

    with pytest.raises(UnencodablePayload):
        socket.core.push(channel, "pushed", payload)
    with pytest.raises(UnencodablePayload):
        encode_broadcast("room:a", "shout", payload, (V1, V2))


# What a client may do wrong.

_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
)
_JSON = _SCALARS | st.lists(_SCALARS, max_size=3) | st.dictionaries(st.text(), _SCALARS, max_size=3)
_EVENTS = st.sampled_from(["phx_join", "phx_leave", "heartbeat", "phx_close", "ping"])
_TOPICS = st.sampled_from(["phoenix", "room:a", "room:b", "exact"])
_FRAMES = st.tuples(
    _JSON | st.just("1"),
    _JSON,
    _JSON | _TOPICS,
    _JSON | _EVENTS,
    _JSON,
    st.lists(_SCALARS, max_size=2),
)


def _texts(frame: tuple[Any, ...]) -> list[str]:
    *five, more = frame
    keys = ("join_ref", "ref", "topic", "event", "payload")
    v1, v2 = dict(zip(keys, five, strict=True)), [*five, *more]
    return [msgspec.json.encode(value).decode() for value in (v1, v2)]


@given(st.lists(st.text() | st.binary() | _JSON.map(msgspec.json.encode).map(bytes.decode)))
@example(["[" * 100_000])
@example(['[null,"\\ud800","phoenix","heartbeat",{}]'])
@example(["[null,1e999,5,6,{}]"])
@pytest.mark.parametrize("serializer", [V1, V2], ids=["v1", "v2"])
def test_whatever_comes_is_decided_upon_or_malformed(
    serializer: Serializer, messages: list[str | bytes]
) -> None:
    socket = Socket(serializer)
    for message in messages:
        try:
            action = socket.core.receive(message)
        except MalformedFrame:
            continue
        assert action is None or isinstance(
            action, SendFrame | JoinChannel | DispatchEvent | LeaveChannel
        )


@given(st.lists(_FRAMES, max_size=6))
@pytest.mark.parametrize("version", [0, 1], ids=["v1", "v2"])
def test_whatever_frame_comes_its_answer_is_a_frame_with_its_ref(
    version: int, frames: list[tuple[Any, ...]]
) -> None:
    socket = Socket((V1, V2)[version])
    for frame in frames:
        action = socket.core.receive(_texts(frame)[version])
        if isinstance(action, JoinChannel):
            channel = Membership(action.topic, action.join_ref, action.ref)
            socket.core.accept_join(channel, action.ref, {})
        elif isinstance(action, LeaveChannel):
            socket.core.close(action.channel)
        elif isinstance(action, SendFrame):
            assert msgspec.to_builtins(socket.seen(action.text).ref) == frame[1]
