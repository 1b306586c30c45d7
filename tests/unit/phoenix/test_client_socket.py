"""The client's connection: dialling, heartbeats, strays. Source: phoenix.js `socket.js`."""

import json
import math

import pytest

from adapters.phoenix.client import (
    ChannelErrored,
    ChannelJoined,
    FrameIgnored,
    MessageReceived,
    SocketClosed,
    SocketOpened,
    SocketState,
)

from .client_rig import Rig

RECONNECT_AFTER_S = [0.01, 0.05, 0.1, 0.15, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0, 5.0, 5.0]


def pauses(rig: Rig, attempts: int, code: int | None = None) -> list[float]:
    """Return the pause after each of a number of failed attempts."""
    found = []
    for _ in range(attempts):
        rig.socket.connecting()
        rig.close(code)
        assert rig.socket.connect_at is not None
        found.append(round(rig.socket.connect_at - rig.now, 6))
        rig.now = rig.socket.connect_at
    return found


def test_it_dials_at_once() -> None:
    rig = Rig()

    assert rig.socket.connect_at == -math.inf
    assert rig.socket.state is SocketState.WAITING


def test_opening_is_reported() -> None:
    rig = Rig().open()

    assert rig.events() == [SocketOpened()]
    assert rig.socket.state is SocketState.OPEN
    assert rig.socket.connect_at is None


def test_failed_attempts_follow_the_backoff_of_the_official_client() -> None:
    assert pauses(Rig(), 12) == RECONNECT_AFTER_S


def test_jitter_takes_up_to_half_of_a_pause() -> None:
    assert pauses(Rig(jitter=0.0), 2) == [0.005, 0.025]


@pytest.mark.parametrize("code", [None, 1000, 1001, 1006, 1011, 1012])
def test_every_close_that_is_not_ours_reconnects(code: int | None) -> None:
    rig = Rig().open()
    rig.events()

    rig.close(code)

    assert rig.socket.connect_at == pytest.approx(rig.now + 0.01)
    assert rig.events(SocketClosed) == [SocketClosed(code, None, "", 0.01)]


def test_a_connection_that_lasted_resets_the_backoff() -> None:
    rig = Rig()
    pauses(rig, 9)
    rig.open()

    rig.advance(5.0)
    rig.close()

    assert rig.socket.connect_at == pytest.approx(rig.now + 0.01)


def test_a_server_that_accepts_and_hangs_up_is_not_dialled_ever_faster() -> None:
    rig = Rig()
    found = []

    for _ in range(len(RECONNECT_AFTER_S)):
        rig.open()
        rig.close(1000)
        assert rig.socket.connect_at is not None
        found.append(round(rig.socket.connect_at - rig.now, 6))
        rig.now = rig.socket.connect_at

    assert found == RECONNECT_AFTER_S


def test_our_close_is_final() -> None:
    rig = Rig().open()
    rig.events()

    rig.socket.close()
    rig.close(1000)
    rig.socket.close()

    assert rig.events() == [SocketClosed(1000, None, "closed by this client", None)]
    assert rig.socket.connect_at is None
    assert rig.socket.next_deadline() is None
    assert rig.socket.close_code == 1000


def test_heartbeats_keep_their_beat_whatever_comes_in() -> None:
    rig = Rig().open()
    rig.join()
    beats = []

    for _ in range(9):
        rig.advance(10)
        rig.receive(None, None, "room:a", "shout", {})
        for frame in rig.frames():
            beats.append((rig.now - 1000, frame[0], *frame[2:]))
            rig.reply(frame)

    assert beats == [(at, None, "phoenix", "heartbeat", {}) for at in (30, 60, 90)]


def test_an_unanswered_heartbeat_closes_with_1000_and_reconnects() -> None:
    rig = Rig().open()
    rig.join()

    rig.advance(60)

    assert rig.socket.close_code == 1000
    assert rig.socket.state is SocketState.CLOSING
    assert rig.events() == [ChannelErrored("room:a", {"reason": "connection lost"})]
    rig.close(1006)
    assert rig.socket.close_code is None
    assert rig.socket.connect_at == pytest.approx(rig.now + 0.01)


def test_a_heartbeat_is_answered_by_its_own_string_ref_alone() -> None:
    rig = Rig().open()
    rig.advance(30)
    [beat] = rig.frames()

    rig.receive(None, int(beat[1]), "phoenix", "phx_reply", {"status": "ok", "response": {}})
    rig.advance(30)

    assert rig.socket.close_code == 1000


def test_the_heartbeat_of_a_lost_connection_is_not_awaited_on_the_next() -> None:
    rig = Rig().open()
    rig.advance(30)
    rig.close()

    rig.open()
    rig.advance(30)

    assert rig.socket.state is SocketState.OPEN
    assert [frame[3] for frame in rig.frames()] == ["heartbeat"]


@pytest.mark.parametrize("data", [b"\x02\x06\x03room:abin\x01", b"\x07", b"", b"[]"])
def test_binary_frames_are_ignored(data: bytes) -> None:
    rig = Rig().open()
    rig.join()

    rig.socket.received(data, rig.now)

    assert rig.events() == []


@pytest.mark.parametrize("text", ["", "x", "{}", "[]", "null", "[1,2,3,4]", '["' + "[" * 5000])
def test_text_that_is_no_frame_is_reported_and_survived(text: str) -> None:
    rig = Rig().open()

    rig.socket.received(text, rig.now)

    assert [type(event) for event in rig.events()] == [SocketOpened, FrameIgnored]


@pytest.mark.parametrize(
    "frame",
    [
        [None, None, "room:unknown", "shout", {}],
        [None, None, ["room:a"], "shout", {}],
        [None, None, {"a": 1}, "shout", {}],
        [["x"], None, "room:a", "shout", {}],
        [None, None, "room:a", 5, {}],
        [None, None, "room:a", None, {}],
        [None, ["1"], "room:a", "phx_reply", {"status": "ok", "response": {}}],
        [None, "999", "room:a", "phx_reply", {"status": "ok", "response": {}}],
        [None, None, "room:a", "phx_reply", None],
        [None, "1", "room:a", "phx_reply", {"status": 1}],
    ],
)
def test_frames_for_nobody_are_ignored(frame: list[object]) -> None:
    rig = Rig().open()
    rig.join()

    rig.socket.received(json.dumps(frame), rig.now)

    assert rig.events() == []


def test_refs_are_fresh_strings() -> None:
    rig = Rig().open()
    join = rig.join()
    for _ in range(3):
        rig.socket.send("room:a", "ping", {})
    rig.advance(30)

    refs = [join[1], *(frame[1] for frame in rig.frames())]

    assert len(set(refs)) == len(refs) == 5
    assert all(isinstance(ref, str) for ref in refs)


def test_what_comes_while_closing_is_ignored() -> None:
    rig = Rig().open()
    rig.join()
    rig.advance(60)
    rig.events()

    rig.receive(None, None, "room:a", "shout", {})

    assert rig.events() == []


def test_a_message_is_passed_on_as_it_is() -> None:
    rig = Rig().open()
    rig.join()

    rig.receive(None, None, "room:a", "shout", {"ă": [1]})

    assert rig.events() == [MessageReceived("room:a", "shout", {"ă": [1]})]


def test_all_channels_join_when_the_socket_opens() -> None:
    rig = Rig()
    rig.socket.join("room:a", {"n": 1}, rig.now)
    rig.socket.join("room:b", {}, rig.now)

    rig.open()

    frames = rig.frames()
    assert [(frame[2], frame[3]) for frame in frames] == [
        ("room:a", "phx_join"),
        ("room:b", "phx_join"),
    ]
    assert all(frame[0] == frame[1] for frame in frames)
    rig.reply(frames[0], response={"hello": 1})
    assert rig.events(ChannelJoined) == [ChannelJoined("room:a", {"hello": 1}, rejoined=False)]
