"""One channel of the client: joining, pushing, losing, leaving. Source: phoenix.js `channel.js`."""

from collections.abc import Iterator
from typing import Any

import pytest

from adapters.phoenix.client import (
    ChannelClosed,
    ChannelErrored,
    ChannelJoined,
    ChannelJoinTimedOut,
    ChannelRefused,
    ChannelState,
    MessageReceived,
    NotJoined,
    PushAbandoned,
    PushAnswered,
    PushReceived,
    PushTimedOut,
    TooManyWaiting,
    TopicInUse,
)
from adapters.phoenix.frames import UnencodablePayload

from .client_rig import Rig


@pytest.fixture
def rig() -> Rig:
    return Rig().open()


def names(frames: list[list[Any]]) -> list[str]:
    return [frame[3] for frame in frames]


# Joining.


def test_a_joined_channel_cannot_be_joined_again(rig: Rig) -> None:
    rig.join()

    with pytest.raises(TopicInUse):
        rig.socket.join("room:a", {}, rig.now)


def test_each_join_has_a_new_ref_and_calls_for_its_payload_again(rig: Rig) -> None:
    last_seq = iter([1, 2])
    first = rig.join(payload=lambda: {"lastSeq": next(last_seq)})
    rig.close()

    rig.open()

    [second] = rig.frames()
    assert [first[4], second[4]] == [{"lastSeq": 1}, {"lastSeq": 2}]
    assert second[0] == second[1] != first[0]
    rig.reply(second)
    assert rig.events(ChannelJoined) == [ChannelJoined("room:a", {}, rejoined=True)]


def test_a_refused_join_is_reported_and_retried_with_backoff() -> None:
    rig = Rig(heartbeat_s=1000).open()
    rig.socket.join("room:a", {}, rig.now)
    gaps = []

    for _ in range(6):
        [frame] = rig.frames()
        rig.reply(frame, "error", {"reason": "overloaded"})
        due = rig.socket.next_deadline()
        assert due is not None
        gaps.append(due - rig.now)
        rig.advance(gaps[-1])
        assert rig.events(ChannelRefused) == [ChannelRefused("room:a", {"reason": "overloaded"})]

    assert gaps == [1, 2, 5, 10, 10, 10]


def test_a_join_without_an_answer_is_left_and_tried_again(rig: Rig) -> None:
    rig.socket.join("room:a", {}, rig.now)
    [first] = rig.frames()

    rig.advance(10)

    assert rig.events(ChannelJoinTimedOut) == [ChannelJoinTimedOut("room:a")]
    [leave] = rig.frames()
    assert leave[:1] + leave[2:] == [first[0], "room:a", "phx_leave", {}]
    rig.advance(1)
    [second] = rig.frames()
    assert second[3] == "phx_join"
    assert second[0] != first[0]


def test_what_follows_a_timed_out_join_does_not_end_the_channel(rig: Rig) -> None:
    rig.socket.join("room:a", {}, rig.now)
    [first] = rig.frames()
    rig.advance(10)
    [leave] = rig.frames()

    rig.reply(first)
    rig.reply(leave)
    rig.receive(first[0], first[0], "room:a", "phx_close", {})

    assert rig.events(ChannelClosed) == rig.events(ChannelJoined) == []
    rig.advance(1)
    assert names(rig.frames()) == ["phx_join"]


def test_a_refusal_with_a_null_join_ref_is_understood(rig: Rig) -> None:
    # Phoenix answers "unmatched topic" so.
    rig.socket.join("nowhere", {}, rig.now)
    [frame] = rig.frames()

    response = {"reason": "unmatched topic"}
    rig.receive(None, frame[1], "nowhere", "phx_reply", {"status": "error", "response": response})

    assert rig.events(ChannelRefused) == [ChannelRefused("nowhere", response)]


def test_a_payload_that_fails_at_a_rejoin_errs_its_channel_alone(rig: Rig) -> None:
    payloads: Iterator[Any] = iter([{}])
    rig.join("room:a", lambda: next(payloads))
    rig.join("room:b")
    rig.close()
    rig.events()

    rig.open()

    assert [frame[2] for frame in rig.frames()] == ["room:b"]
    assert rig.events(ChannelErrored) == [ChannelErrored("room:a", {"reason": "StopIteration()"})]
    assert rig.socket.state_of("room:a") is ChannelState.ERRORED


def test_messages_before_the_join_reply_are_not_passed_on(rig: Rig) -> None:
    rig.socket.join("room:a", {}, rig.now)
    rig.frames()
    rig.events()

    rig.receive(None, None, "room:a", "shout", {})

    assert rig.events() == []


# Pushing.


def test_a_push_carries_the_join_ref_and_gets_its_reply(rig: Rig) -> None:
    join = rig.join()

    ref = rig.socket.push("room:a", "ping", {"x": 1}, rig.now)
    [frame] = rig.frames()
    rig.reply(frame, "ok", {"x": 1})

    assert frame == [join[0], ref, "room:a", "ping", {"x": 1}]
    assert rig.events() == [PushAnswered(ref, "ok", {"x": 1})]
    rig.reply(frame, "ok", {"late": True})
    assert rig.events() == []


def test_pushes_before_the_join_reply_wait_and_go_out_in_order(rig: Rig) -> None:
    rig.socket.join("room:a", {}, rig.now)
    [join] = rig.frames()
    for event in "abc":
        rig.socket.push("room:a", event, {}, rig.now)
    assert rig.frames() == []

    rig.reply(join)

    assert [(frame[0], frame[3]) for frame in rig.frames()] == [(join[0], e) for e in "abc"]


def test_a_push_without_an_answer_times_out(rig: Rig) -> None:
    rig.join()
    ref = rig.socket.push("room:a", "ping", {}, rig.now, timeout_s=3)
    [frame] = rig.frames()

    rig.advance(3)
    rig.reply(frame)

    assert rig.events() == [PushTimedOut(ref, was_sent=True)]


def test_a_message_that_expects_no_reply_is_lost_with_its_channel_in_silence(rig: Rig) -> None:
    rig.join()
    rig.socket.send("room:a", "typing", {})
    rig.socket.leave("room:a", rig.now)
    rig.close()

    assert rig.events(PushAbandoned) == []


def test_a_push_that_times_out_unsent_is_never_sent(rig: Rig) -> None:
    rig.join()
    rig.close()
    rig.events()
    dropped = rig.socket.push("room:a", "old", {}, rig.now, timeout_s=1)
    kept = rig.socket.push("room:a", "new", {}, rig.now, timeout_s=9)

    rig.advance(1)
    rig.open()
    [join] = rig.frames()
    rig.reply(join)

    assert rig.events(PushTimedOut) == [PushTimedOut(dropped, was_sent=False)]
    assert [frame[1] for frame in rig.frames()] == [kept]


def test_a_heartbeat_directly_behind_a_push_proves_that_it_was_received(rig: Rig) -> None:
    rig.join()
    ref = rig.socket.push("room:a", "ping", {}, rig.now, probe_after_s=0)
    rig.socket.push("room:a", "next", {}, rig.now)

    frames = rig.frames()
    rig.reply(frames[1])

    assert names(frames) == ["ping", "heartbeat", "next"]
    assert rig.events() == [PushReceived(ref)]


def test_a_heartbeat_follows_a_push_that_has_no_reply_by_then(rig: Rig) -> None:
    rig.join()
    ref = rig.socket.push("room:a", "ping", {}, rig.now, timeout_s=6, probe_after_s=3)
    [push] = rig.frames()

    rig.advance(3)
    [heartbeat] = rig.frames()
    rig.reply(heartbeat)
    rig.reply(push)

    assert heartbeat[3] == "heartbeat"
    assert rig.events() == [PushReceived(ref), PushAnswered(ref, "ok", {})]


def test_no_heartbeat_follows_a_push_that_was_answered(rig: Rig) -> None:
    rig.join()
    rig.socket.push("room:a", "ping", {}, rig.now, timeout_s=6, probe_after_s=3)
    rig.reply(rig.frames()[0])

    rig.advance(6)

    assert rig.frames() == []


def test_a_heartbeat_waits_until_its_push_is_sent(rig: Rig) -> None:
    rig.socket.join("room:a", {}, rig.now)
    [join] = rig.frames()
    ref = rig.socket.push("room:a", "ping", {}, rig.now, probe_after_s=0)
    before = rig.frames()

    rig.reply(join)
    sent = rig.frames()
    rig.reply(sent[1])

    assert before == []
    assert names(sent) == ["ping", "heartbeat"]
    assert rig.events()[-1] == PushReceived(ref)


def test_a_push_that_is_unsent_when_its_heartbeat_is_due_times_out(rig: Rig) -> None:
    rig.socket.join("room:a", {}, rig.now)
    ref = rig.socket.push("room:a", "ping", {}, rig.now, timeout_s=6, probe_after_s=3)

    rig.advance(3)

    assert rig.events(PushTimedOut) == [PushTimedOut(ref, was_sent=False)]


def test_a_heartbeat_proves_nothing_of_a_channel_that_crashed_before_its_answer(rig: Rig) -> None:
    join = rig.join()
    ref = rig.socket.push("room:a", "ping", {}, rig.now, probe_after_s=0)
    [_, heartbeat] = rig.frames()

    rig.receive(join[0], join[1], "room:a", "phx_error", {})
    rig.reply(heartbeat)

    assert rig.events() == [ChannelErrored("room:a", {}), PushAbandoned(ref, was_sent=True)]


def test_a_heartbeat_of_a_lost_connection_proves_nothing(rig: Rig) -> None:
    rig.join()
    ref = rig.socket.push("room:a", "ping", {}, rig.now, probe_after_s=0)
    [_, heartbeat] = rig.frames()

    rig.close()
    rig.open()
    rig.reply(heartbeat)

    assert PushAbandoned(ref, was_sent=True) in (events := rig.events())
    assert PushReceived(ref) not in events


def test_what_was_not_written_when_the_connection_went_is_sent_on_the_next(rig: Rig) -> None:
    rig.join()
    for event in "abc":
        rig.socket.send("room:a", event, {})
    text = rig.socket.next_frame()
    assert text is not None
    assert '"a"' in text

    rig.close()
    rig.socket.send("room:a", "d", {})
    rig.open()
    [join] = rig.frames()
    rig.reply(join)

    assert [(frame[0], frame[3]) for frame in rig.frames()] == [(join[0], e) for e in "bcd"]


def test_a_push_in_flight_is_abandoned_with_its_connection(rig: Rig) -> None:
    rig.join()
    ref = rig.socket.push("room:a", "ping", {}, rig.now)
    rig.frames()

    rig.close()

    assert rig.events(PushAbandoned) == [PushAbandoned(ref, was_sent=True)]
    rig.advance(10)
    assert rig.events(PushTimedOut) == []


def test_sends_wait_as_long_as_it_takes(rig: Rig) -> None:
    rig.join()
    rig.close()
    rig.socket.send("room:a", "ping", {})

    rig.advance(86400)
    rig.open()
    [join] = rig.frames()
    rig.reply(join)

    assert names(rig.frames()) == ["ping"]


def test_a_full_channel_refuses_more_by_name() -> None:
    rig = Rig(max_waiting=2).open()
    rig.socket.join("room:a", {}, rig.now)
    rig.socket.send("room:a", "a", {})
    rig.socket.send("room:a", "b", {})

    with pytest.raises(TooManyWaiting, match="2 messages wait on 'room:a'"):
        rig.socket.send("room:a", "c", {})


def test_only_a_joined_topic_can_be_pushed_to(rig: Rig) -> None:
    with pytest.raises(NotJoined, match="room:a"):
        rig.socket.push("room:a", "ping", {}, rig.now)


def test_a_payload_is_taken_as_it_is_when_it_is_pushed(rig: Rig) -> None:
    rig.join()
    payload = {"n": 1}
    rig.socket.send("room:a", "ping", payload)

    payload["n"] = 2

    assert [frame[4] for frame in rig.frames()] == [{"n": 1}]


@pytest.mark.parametrize("payload", ["\ud800", {"x": object()}])
def test_a_payload_that_is_no_json_is_refused_to_who_pushes_it(rig: Rig, payload: Any) -> None:
    rig.join()

    with pytest.raises(UnencodablePayload):
        rig.socket.send("room:a", "ping", payload)

    assert rig.frames() == []


# Losing.


def test_a_crashed_channel_rejoins_after_a_pause_and_sends_what_waited(rig: Rig) -> None:
    join = rig.join()
    rig.receive(join[0], join[0], "room:a", "phx_error", {"reason": "channel_crash"})
    rig.socket.send("room:a", "waited", {})

    assert rig.events() == [ChannelErrored("room:a", {"reason": "channel_crash"})]
    assert rig.frames() == []
    rig.advance(1)
    [again] = rig.frames()
    rig.reply(again)
    assert rig.events() == [ChannelJoined("room:a", {}, rejoined=True)]
    assert names(rig.frames()) == ["waited"]


def test_a_channel_that_crashes_as_soon_as_it_is_joined_is_joined_ever_more_rarely(
    rig: Rig,
) -> None:
    join, pauses = rig.join(), []
    for joined_s in (0.0, 0.1, 0.1, 0.1, 2.0):
        rig.advance(joined_s)
        rig.receive(join[0], join[0], "room:a", "phx_error", {})
        due = rig.socket.next_deadline()
        assert due is not None
        pauses.append(round(due - rig.now))
        rig.advance(due - rig.now)
        [join] = rig.frames()
        rig.reply(join)

    assert pauses == [1, 2, 5, 10, 1]


def test_a_channel_that_waits_to_rejoin_joins_at_once_when_the_socket_opens(rig: Rig) -> None:
    join = rig.join()
    rig.receive(join[0], join[0], "room:a", "phx_error", {})
    rig.close()

    rig.open()

    assert names(rig.frames()) == ["phx_join"]
    rig.advance(5)
    assert rig.frames() == []


def test_a_topic_that_the_server_does_not_know_any_more_is_joined_again(rig: Rig) -> None:
    rig.join()
    ref = rig.socket.push("room:a", "ping", {}, rig.now)
    rig.frames()

    response = {"reason": "unmatched topic"}
    rig.receive(None, ref, "room:a", "phx_reply", {"status": "error", "response": response})

    assert rig.events() == [
        PushAnswered(ref, "error", response),
        ChannelErrored("room:a", response),
    ]
    rig.advance(1)
    assert names(rig.frames()) == ["phx_join"]


@pytest.mark.parametrize("event", ["phx_close", "phx_error", "shout"])
def test_frames_of_an_earlier_join_are_ignored(rig: Rig, event: str) -> None:
    old = rig.join()
    rig.close()
    rig.open()
    [new] = rig.frames()
    rig.reply(new)
    rig.events()

    rig.receive(old[0], old[0], "room:a", event, {})

    assert rig.events() == []
    assert rig.socket.state_of("room:a") is ChannelState.JOINED


def test_a_join_ref_is_compared_with_its_type(rig: Rig) -> None:
    join = rig.join()

    rig.receive(int(join[0]), None, "room:a", "shout", {})
    rig.receive(join[0], None, "room:a", "shout", {})

    assert rig.events() == [MessageReceived("room:a", "shout", {})]


def test_a_close_of_the_current_join_is_final(rig: Rig) -> None:
    join = rig.join()
    sent = rig.socket.push("room:a", "ping", {}, rig.now)
    rig.frames()

    rig.receive(join[0], join[0], "room:a", "phx_close", {})

    assert rig.events() == [PushAbandoned(sent, was_sent=True), ChannelClosed("room:a")]
    rig.close()
    rig.open()
    assert rig.frames() == []


# Leaving.


def test_leaving_goes_out_after_what_was_pushed_and_ends_with_the_reply(rig: Rig) -> None:
    join = rig.join()
    rig.socket.send("room:a", "bye", {})

    rig.socket.leave("room:a", rig.now)
    rig.socket.leave("room:a", rig.now)

    frames = rig.frames()
    assert [(frame[0], frame[3]) for frame in frames] == [
        (join[0], "bye"),
        (join[0], "phx_leave"),
    ]
    rig.receive(None, None, "room:a", "shout", {})
    rig.reply(frames[1])
    rig.receive(join[0], join[0], "room:a", "phx_close", {})
    assert rig.events() == [ChannelClosed("room:a")]


@pytest.mark.parametrize("event", ["phx_close", "phx_error"])
def test_an_end_of_the_channel_ends_the_leave_too(rig: Rig, event: str) -> None:
    join = rig.join()
    rig.socket.leave("room:a", rig.now)

    rig.receive(join[0], join[0], "room:a", event, {})

    assert rig.events() == [ChannelClosed("room:a")]
    rig.advance(15)
    assert names(rig.frames()) == ["phx_leave"]


def test_a_leave_without_an_answer_ends_by_itself(rig: Rig) -> None:
    rig.join()
    rig.socket.leave("room:a", rig.now)

    rig.advance(10)

    assert rig.events() == [ChannelClosed("room:a")]


def test_a_lost_connection_has_left(rig: Rig) -> None:
    rig.join()
    rig.socket.leave("room:a", rig.now)

    rig.close()

    assert rig.events(ChannelClosed) == [ChannelClosed("room:a")]


def test_leaving_without_a_connection_is_done_at_once() -> None:
    rig = Rig()
    rig.socket.join("room:a", {}, rig.now)
    ref = rig.socket.push("room:a", "ping", {}, rig.now)

    rig.socket.leave("room:a", rig.now)

    assert rig.events() == [PushAbandoned(ref, was_sent=False), ChannelClosed("room:a")]
    assert rig.open().frames() == []


def test_a_topic_can_be_joined_again_while_it_is_being_left(rig: Rig) -> None:
    old = rig.join()
    rig.socket.leave("room:a", rig.now)

    rig.socket.join("room:a", {"n": 2}, rig.now)
    leave, new = rig.frames()
    rig.reply(new)  # the order that Phoenix mostly has: no reply to the leave at all
    rig.receive(old[0], old[0], "room:a", "phx_close", {})

    assert leave[3] == "phx_leave"
    assert rig.events() == [ChannelClosed("room:a"), ChannelJoined("room:a", {}, rejoined=False)]
    assert rig.socket.state_of("room:a") is ChannelState.JOINED


def test_closing_the_socket_closes_each_channel_and_abandons_what_waits(rig: Rig) -> None:
    rig.join()
    ref = rig.socket.push("room:a", "ping", {}, rig.now)

    rig.socket.close()

    assert rig.events()[:2] == [PushAbandoned(ref, was_sent=False), ChannelClosed("room:a")]
    with pytest.raises(NotJoined):
        rig.socket.join("room:a", {}, rig.now)
