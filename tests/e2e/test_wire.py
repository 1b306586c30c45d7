"""The README's promises about the user's socket, at the wire."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.support.dynamodb import over_the_stores, settings_of
from tests.support.user import PATIENCE_S, Refused, User, user
from tests.support.wire import Payload, Product, product

# The examples of the README, word for word.
JOIN = '{"event":"phx_join","topic":"messages:b1","payload":{"businessId":"b1","userId":"u1"},"ref":"1"}'  # noqa: E501
SAY = '{"event":"new_message","topic":"messages:b1","payload":{"businessId":"b1","locationId":"l1","userId":"u1","message":"Bună!"}}'  # noqa: E501
TRANSFER = '{"event":"transfer_to_live_chat","topic":"messages:b1","payload":{"businessId":"b1","locationId":"l1","userId":"u1","message":"Vreau să vorbesc cu agentul în chat live"}}'  # noqa: E501

is_timestamp = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z").fullmatch


@pytest.fixture
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Product]:
    # Nobody who reads what is written writes as fast as some of these tests.
    async with product(rate_limits="off", **settings_of(request, tmp_path)) as running:
        yield running


# The literal examples.


def as_v2(v1_frame: str) -> str:
    frame = json.loads(v1_frame)
    return json.dumps(["1", frame.get("ref"), frame["topic"], frame["event"], frame["payload"]])


async def heard(connection: ClientConnection, event: str) -> Payload:
    """The payload of the next frame with this event, in either version."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            frame = json.loads(await connection.recv())
            got, payload = (
                frame[3:]
                if isinstance(frame, list)
                else (
                    frame["event"],
                    frame["payload"],
                )
            )
            if got == event:
                return dict(payload)


@over_the_stores
@pytest.mark.parametrize("vsn", [1, 2])
async def test_the_readmes_three_frames_are_answered(server: Product, vsn: int) -> None:
    frames = [JOIN, SAY, TRANSFER] if vsn == 1 else [as_v2(each) for each in (JOIN, SAY, TRANSFER)]
    url = f"ws://{server.address}/socket/websocket" + ("?vsn=2.0.0" if vsn == 2 else "")
    async with connect(url, compression=None) as connection:
        await connection.send(frames[0])
        joined = await heard(connection, "phx_reply")
        await connection.send(frames[1])
        answer = await heard(connection, "new_message")
        await connection.send(frames[2])
        status = await heard(connection, "conversation_status")
        notice = await heard(connection, "new_message")

    assert joined["status"] == "ok"
    for push in (answer, notice):
        assert {"responseId", "message", "actions", "timestamp", "sessionId"} <= push.keys()
        assert is_timestamp(push["timestamp"])
    assert answer["author"] == "ai"
    assert status["status"] == "waiting"
    assert [action["type"] for action in notice["actions"]] == ["live_chat"]


async def test_a_v1_frame_without_ref_gets_no_reply(server: Product) -> None:
    async with connect(f"ws://{server.address}/socket/websocket", compression=None) as connection:
        await connection.send(JOIN)
        await connection.send(SAY)
        frames = [json.loads(await connection.recv()) for _ in range(2)]

    assert [(frame["event"], frame["ref"]) for frame in frames] == [
        ("phx_reply", "1"),
        ("new_message", None),
    ]


# Shapes.

ENTRY = {
    "kind": "str",
    "seq": "int",
    "prevSeq": "int",
    "messageId": "str",
    "author": "str",
    "message": "str",
    "actions": "list",
    "timestamp": "str",
    "inReplyTo": "list",
    "coordinatorId": "NoneType",
}
NEW_MESSAGE = {
    "responseId": "str",
    "message": "str",
    "actions": "list",
    "timestamp": "str",
    "sessionId": "str",
    "seq": "int",
    "prevSeq": "int",
    "inReplyTo": "list",
    "author": "str",
}
CONVERSATION_STATUS = {
    "sessionId": "str",
    "status": "str",
    "seq": "int",
    "prevSeq": "int",
    "updatedAt": "str",
    "reason": "str",
    "transferId": "str",
}
SHAPES: dict[str, dict[str, str]] = {
    "reply to the first phx_join": {
        "sessionId": "NoneType",
        "status": "str",
        "seq": "int",
        "messages": "list",
        "more": "bool",
        "liveChat": "NoneType",
    },
    "reply to phx_join": {
        "sessionId": "str",
        "status": "str",
        "seq": "int",
        "messages": "list",
        "more": "bool",
        "liveChat": "NoneType",
    },
    "reply to new_message": {
        "messageId": "str",
        "seq": "int",
        "sessionId": "str",
        "status": "str",
        "duplicate": "bool",
    },
    "reply to transfer_to_live_chat": {
        "sessionId": "str",
        "status": "str",
        "transferId": "str",
        "liveChat": "NoneType",
    },
    "reply to end_live_chat": {"sessionId": "str", "status": "str"},
    "reply to history": {"messages": "list", "more": "bool"},
    "reply to typing": {},
    "new_message of the AI": NEW_MESSAGE,
    "new_message of the server": NEW_MESSAGE,
    "message_delta": {"responseId": "str", "index": "int", "text": "str"},
    "user_message": {
        "message": "str",
        "timestamp": "str",
        "messageId": "str",
        "sessionId": "str",
        "seq": "int",
        "prevSeq": "int",
    },
    "agent_message": {
        "message": "str",
        "timestamp": "str",
        "messageId": "str",
        "sessionId": "str",
        "seq": "int",
        "prevSeq": "int",
        "coordinatorId": "str",
    },
    "conversation_status waiting": CONVERSATION_STATUS,
    "conversation_status live": {**CONVERSATION_STATUS, "coordinatorId": "str"},
    "entry of a user": ENTRY,
    "entry of the AI": ENTRY,
    "entry of a status": {
        "kind": "str",
        "seq": "int",
        "prevSeq": "int",
        "status": "str",
        "reason": "str",
        "timestamp": "str",
        "epoch": "int",
        "transferId": "str",
        "coordinatorId": "NoneType",
    },
    "refusal": {"reason": "str", "detail": "str"},
    "refusal of an unknown event": {"reason": "str"},
}


def shape(payload: Payload) -> dict[str, str]:
    return {key: type(value).__name__ for key, value in payload.items()}


async def refusal(customer: User, event: str, payload: Payload) -> Payload:
    with pytest.raises(Refused) as refused:
        await customer.request(event, payload)
    response: Payload = refused.value.args[0]
    return response


async def one_of_each(server: Product, one: User, other: User) -> dict[str, Payload]:
    """A conversation in which everything happens that a client can see."""
    seen = {"reply to the first phx_join": await one.join(stream=True)}
    await other.join()
    said = seen["reply to new_message"] = await one.say("Bună!")
    seen["message_delta"] = await one.wait_for("message_delta")
    seen["new_message of the AI"] = await one.wait_for("new_message")
    seen["user_message"] = await other.wait_for("user_message")
    seen["reply to transfer_to_live_chat"] = await one.ask_for_human()
    seen["conversation_status waiting"] = await one.wait_for("conversation_status")
    seen["new_message of the server"] = await one.wait_for("new_message")
    seen["reply to typing"] = await one.request("typing", {})
    history = seen["reply to history"] = await one.request("history", {})
    await server.speak(said["sessionId"], "Bună, sunt Maria.", coordinatorId="maria")
    seen["conversation_status live"] = await one.wait_for("conversation_status")
    seen["agent_message"] = await one.wait_for("agent_message")
    seen["reply to end_live_chat"] = await one.request("end_live_chat", {})
    seen["refusal"] = await refusal(one, "new_message", {})
    seen["refusal of an unknown event"] = await refusal(one, "shout", {})
    seen["reply to phx_join"] = await other.join()
    entries = history["messages"]
    return seen | {
        "entry of a user": entries[0],
        "entry of the AI": entries[1],
        "entry of a status": entries[2],
    }


async def test_every_reply_and_push_has_exactly_its_keys(server: Product) -> None:
    async with user(server.address) as one, user(server.address, vsn=1) as other:
        seen = await one_of_each(server, one, other)

    assert {name: shape(payload) for name, payload in seen.items()} == SHAPES
    times = [seen[name][key] for name, keys in SHAPES.items() for key in keys if key in TIMES]
    assert all(is_timestamp(time) for time in times)


TIMES = ("timestamp", "updatedAt")


# Streaming and typing.


async def test_deltas_are_the_pieces_of_the_answer_where_they_were_asked_for() -> None:
    async with (
        product(scripted_delay_ms=1) as server,
        user(server.address) as streaming,
        user(server.address) as plain,
        user(server.address) as declining,
    ):
        await streaming.join(stream=True)
        await plain.join()
        await declining.join(stream=False)
        await streaming.say("Bună!")
        answers = [await each.wait_for("new_message") for each in (streaming, plain, declining)]

    deltas = [payload for event, payload in streaming.pushes if event == "message_delta"]
    assert len(deltas) > 3
    assert [delta["index"] for delta in deltas] == list(range(len(deltas)))
    assert "".join(delta["text"] for delta in deltas) == answers[0]["message"]
    assert {delta["responseId"] for delta in deltas} == {answers[0]["responseId"]}
    assert answers[0] == answers[1] == answers[2]
    others = [event for event, _ in plain.pushes + declining.pushes]
    assert set(others) - {"typing"} == {"user_message"}  # where the machine is slow, the AI types


async def test_an_ai_that_takes_its_time_is_seen_to_type() -> None:
    async with product(scripted_delay_ms=20) as server, user(server.address) as one:
        await one.join()
        await one.say("Bună!")
        typing = await one.wait_for("typing")
        await one.wait_for("new_message")

    assert typing == {"author": "ai", "expiresInMs": 6_000}


# Resuming.


async def live(server: Product, one: User) -> str:
    """Take a conversation over, so that the AI is silent, and return its id; it has 3 entries."""
    said = await one.say("Bună!")
    await one.wait_for("new_message")
    session_id: str = said["sessionId"]
    await server.change(session_id, "live", coordinatorId="maria")
    await one.wait_for("conversation_status", status="live")
    return session_id


async def missed(customer: User, **place: Any) -> list[int]:
    """Resume as docs/protocol.md says; return the seqs of the entries in the replies."""
    page = await customer.join(**place)
    seqs = [entry["seq"] for entry in page["messages"]]
    while page["more"]:
        page = await customer.request("history", {"afterSeq": seqs[-1]})
        assert len(page["messages"]) <= 50
        seqs += [entry["seq"] for entry in page["messages"]]
    return seqs


async def newest(customer: User) -> int:
    history = await customer.request("history", {"limit": 1})
    seq: int = history["messages"][-1]["seq"]
    return seq


@pytest.mark.parametrize("last_seq", [0, 1, 49, 60, 123, 124])
async def test_a_return_brings_all_that_was_missed_in_pages_of_fifty(
    server: Product, last_seq: int
) -> None:
    async with user(server.address) as one, user(server.address) as returning:
        await one.join()
        session_id = await live(server, one)
        for number in range(120):
            await one.say(f"message {number}")
        last = await newest(one)

        seqs = await missed(returning, lastSeq=last_seq, sessionId=session_id)

    assert last == 124
    assert seqs == list(range(last_seq + 1, last + 1))


@over_the_stores
async def test_a_return_while_messages_go_on_misses_and_repeats_nothing(server: Product) -> None:
    async with user(server.address) as one, user(server.address) as returning:
        await one.join()
        session_id = await live(server, one)
        for number in range(170):
            await one.say(f"before {number}")

        async def go_on() -> int:
            for number in range(100):
                await one.say(f"meanwhile {number}")
            said = await server.speak(session_id, "Gata.", coordinatorId="maria")
            return int(said["seq"])

        going_on = asyncio.create_task(go_on())
        replayed = await missed(returning, lastSeq=4, sessionId=session_id)
        last = await going_on
        await returning.wait_for("agent_message", seq=last)

    pushed = [payload["seq"] for _, payload in returning.pushes]
    assert replayed == list(range(5, replayed[-1] + 1))
    assert pushed == list(range(pushed[0], last))
    assert pushed[0] <= replayed[-1] + 1


@over_the_stores
async def test_history_goes_back_to_the_first_word(server: Product) -> None:
    async with user(server.address) as one, user(server.address) as other:
        await one.join()
        await live(server, one)
        for number in range(120):
            await one.say(f"message {number}")
        page = await other.join()
        pages = [page["messages"]]
        while page["more"]:
            page = await other.request("history", {"beforeSeq": page["messages"][0]["seq"]})
            pages.append(page["messages"])

    assert [len(each) for each in pages] == [50, 50, 24]
    backwards = [entry["seq"] for each in reversed(pages) for entry in each]
    assert backwards == list(range(1, 125))


async def test_the_end_of_an_earlier_session_can_be_read(server: Product) -> None:
    async with user(server.address) as one:
        await one.join()
        session_id = await live(server, one)
        await server.change(session_id, "closed")
        await one.wait_for("conversation_status", status="closed")
        again = await one.say("Sunt iar aici")
        page = await one.request("history", {"sessionId": session_id, "afterSeq": 2})

    assert again["sessionId"] != session_id
    assert page["messages"][-1]["status"] == "closed"
    assert [entry["seq"] for entry in page["messages"]] == list(range(3, 3 + len(page["messages"])))


async def test_nobody_reads_anothers_session(server: Product) -> None:
    async with user(server.address) as one, user(server.address, "b1", "u2") as other:
        await one.join()
        await other.join()
        session_id = (await one.say("Bună!"))["sessionId"]
        with pytest.raises(Refused) as refused:
            await other.request("history", {"sessionId": session_id})

    assert refused.value.reason == "unknown_session"


# Two sockets.


@over_the_stores
async def test_a_users_words_go_to_their_other_sockets_alone(server: Product) -> None:
    async with user(server.address) as one, user(server.address, vsn=1) as other:
        await one.join()
        await other.join()
        said = await one.say("Bună!", messageId="m1")
        copy = await other.wait_for("user_message")
        answers = [await each.wait_for("new_message") for each in (one, other)]

    assert (copy["message"], copy["messageId"], copy["seq"]) == ("Bună!", "m1", said["seq"])
    assert answers[0] == answers[1]
    assert answers[0]["inReplyTo"] == ["m1"]
    assert one.pushes == []


async def test_a_socket_that_has_left_hears_no_more_and_may_come_back(server: Product) -> None:
    async with user(server.address) as one, user(server.address) as other:
        await one.join()
        await other.join()
        await other.request("phx_leave", {})
        said = await one.say("Bună!")
        await one.wait_for("new_message")
        back = await other.join(lastSeq=0, sessionId=said["sessionId"])

    assert {event for event, _ in other.pushes} <= {"phx_close"}
    assert [entry["author"] for entry in back["messages"]] == ["user", "ai"]


# Once.


@over_the_stores
async def test_a_repeat_gets_the_first_acknowledgement_and_no_second_answer(
    server: Product,
) -> None:
    async with user(server.address) as one, user(server.address) as other:
        await one.join()
        await other.join()
        first = await one.say("Bună!", messageId="m1")
        await one.wait_for("new_message")
        again = [await each.say("Bună!", messageId="m1") for each in (one, other, one)]
        await one.say("Mulțumesc!", messageId="m2")
        await one.wait_for("new_message", inReplyTo=["m2"])
        log = await server.log()

    assert again == [{**first, "duplicate": True}] * 3
    assert [entry["inReplyTo"] for entry in log] == [[], ["m1"], [], ["m2"]]


@over_the_stores
async def test_asking_twice_for_a_human_is_one_transfer(server: Product) -> None:
    async with user(server.address) as one:
        await one.join()
        first = await one.ask_for_human()
        second = await one.ask_for_human()
        log = await server.log()

    assert first == second
    assert first["status"] == "waiting"
    assert [entry["kind"] for entry in log] == ["status", "message"]


async def test_ending_the_live_chat_twice_ends_it_once(server: Product) -> None:
    async with user(server.address) as one:
        await one.join()
        refused = await refusal(one, "end_live_chat", {})
        await one.ask_for_human()
        first = await one.request("end_live_chat", {})
        before = await server.log()
        second = await one.request("end_live_chat", {})
        after = await server.log()

    assert refused["reason"] == "not_in_live_chat"
    assert first == second
    assert first["status"] == "ai"
    assert before == after


async def test_a_burst_longer_than_the_window_is_answered_to_the_first_word() -> None:
    ids = [f"m{number}" for number in range(60)]
    async with product(turn_quiet_ms=300) as server, user(server.address) as one:
        await one.join()
        for message_id in ids:
            await one.say("Bună!", messageId=message_id)
        answered: list[str] = []
        while ids[-1] not in answered:
            answered += (await one.wait_for("new_message"))["inReplyTo"]

    assert answered == ids


# A human.


@over_the_stores
async def test_a_coordinator_takes_over_speaks_and_returns(server: Product) -> None:
    async with user(server.address) as one:
        await one.join()
        session_id = await live(server, one)
        spoken = await server.speak(session_id, "Cu ce pot ajuta?", coordinatorId="maria")
        heard = await one.wait_for("agent_message")
        await one.say("Vreau o masă.", messageId="unanswered")
        await server.change(session_id, "ai", summary="A cerut o masă.")
        back = await one.wait_for("conversation_status", status="ai")
        await one.say("Mulțumesc!", messageId="m2")
        answer = await one.wait_for("new_message", author="ai")

    assert (heard["message"], heard["coordinatorId"]) == ("Cu ce pot ajuta?", "maria")
    assert heard["seq"] == spoken["seq"]
    assert back["reason"] == "returned"
    assert answer["inReplyTo"] == ["m2"]


@over_the_stores
async def test_what_is_said_while_waiting_is_answered_after_a_cancel(server: Product) -> None:
    async with user(server.address) as one:
        await one.join()
        await one.ask_for_human(message="Un om, vă rog.", messageId="m1")
        waiting = await one.say("Alo?", messageId="m2")
        unheard = [payload for _, payload in one.pushes if payload.get("author") == "ai"]
        await one.request("end_live_chat", {})
        await one.say("Bună!", messageId="m3")
        answered: list[str] = []
        while "m3" not in answered:
            answered += (await one.wait_for("new_message", author="ai"))["inReplyTo"]

    assert waiting["status"] == "waiting"
    assert unheard == []
    assert answered == ["m2", "m3"]


async def test_a_cancel_is_followed_by_the_answer_to_what_was_said_while_waiting(
    server: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.support.user.PATIENCE_S", 1.0)
    async with user(server.address) as one:
        await one.join()
        await one.ask_for_human()
        await one.say("Alo?", messageId="m1")
        await one.request("end_live_chat", {})
        answer = await one.wait_for("new_message", author="ai")

    assert answer["inReplyTo"] == ["m1"]


@over_the_stores
async def test_after_a_close_the_next_message_opens_a_new_session_on_every_socket(
    server: Product,
) -> None:
    async with user(server.address) as one, user(server.address) as other:
        await one.join()
        await other.join()
        session_id = await live(server, one)
        await server.change(session_id, "closed")
        closed = [
            await each.wait_for("conversation_status", status="closed") for each in (one, other)
        ]
        said = await one.say("Bună din nou!", messageId="m2")
        copy = await other.wait_for("user_message", messageId="m2")
        answers = [await each.wait_for("new_message", inReplyTo=["m2"]) for each in (one, other)]

    assert closed[0] == closed[1]
    assert closed[0]["sessionId"] == session_id
    assert said["sessionId"] != session_id
    assert said["seq"] == copy["seq"] == 1
    assert {answer["sessionId"] for answer in answers} == {said["sessionId"]}
