"""What one process stores, the users of the other are shown: two processes are one server."""

import asyncio
import signal
import time
from typing import Any

import pytest
from websockets import ConnectionClosed

from application.turn_lease import LEASE_S
from tests.support.nodes import Nodes, Stream, joined
from tests.support.redis_server import redis_server, valkey_server
from tests.support.user import User

QUESTION = "Ce program aveți și unde sunteți?"
SERVICE_RESTART = 1012

over_the_brokers = pytest.mark.parametrize(
    "broker",
    [redis_server, pytest.param(valkey_server, marks=pytest.mark.nodes)],
    ids=["redis", "valkey"],
    indirect=True,
    scope="module",
)
over_the_stores = pytest.mark.parametrize(
    "nodes",
    ["sqlite", pytest.param("dynamodb", marks=[pytest.mark.dynamodb, pytest.mark.nodes])],
    indirect=True,
)


@over_the_brokers
@over_the_stores
async def test_a_takeover_at_one_process_ends_the_stream_at_the_other(nodes: Nodes) -> None:
    first, second = await nodes.start(), await nodes.start()
    async with joined(first) as ana:
        session_id = (await ana.say(QUESTION))["sessionId"]
        await Stream(ana).words(2)
        await second.change(session_id, "live", coordinatorId="maria")
        stored = time.monotonic()
        change = await ana.wait_for("conversation_status", status="live")
        shown_after = time.monotonic() - stored
        ana.pushes.clear()
        text = (await second.speak(session_id, "Bună, sunt Maria."))["messageId"]
        await ana.wait_for("agent_message", message="Bună, sunt Maria.")
        await first.until('ai_agent_turns_total{outcome="cancelled"}', 1)
        await ana.request("history", {})

        assert shown_after < 0.1
        assert change["coordinatorId"] == "maria"
        assert {event for event, _ in ana.pushes} <= {"new_message"}  # that Maria has joined
        assert {payload["author"] for _, payload in ana.pushes} <= {"system"}
    entries = await first.log()
    assert text in [entry.get("messageId") for entry in entries]
    authors = [entry["author"] for entry in entries if "author" in entry]
    assert authors == ["user", "system", "coordinator"]


@over_the_brokers
@over_the_stores
async def test_a_client_that_moves_in_mid_answer_is_shown_all_of_it_and_it_is_paid_once(
    nodes: Nodes,
) -> None:
    first, second = await nodes.start(), await nodes.start()
    async with joined(first) as ana:
        asked = await ana.say(QUESTION)
        begun = await ana.wait_for("message_delta", index=0)
        shown = begun["text"]
    async with joined(second, lastSeq=asked["seq"], sessionId=asked["sessionId"]) as ana:
        stream = Stream(ana)
        at_once = await stream.next()
        answer = await stream.end()

        assert at_once.startswith(shown)
        assert stream.shown.strip() == answer["message"]
        assert answer["responseId"] == begun["responseId"]
        assert answer["inReplyTo"] == [asked["messageId"]]
    assert await first.metric('ai_agent_turns_total{outcome="answered"}') == 1
    assert await second.turns() == 0


async def test_both_sockets_of_a_customer_are_shown_everything_wherever_they_are(
    nodes: Nodes,
) -> None:
    first, second = await nodes.start(), await nodes.start()
    async with joined(first) as ana, joined(second) as ana_too:
        asked = await ana.say(QUESTION)
        elsewhere = await ana_too.wait_for("user_message", message=QUESTION)
        mine, hers = Stream(ana), Stream(ana_too)
        answers = await asyncio.gather(mine.end(), hers.end())
        typing = await ana_too.wait_for("typing")
        await ana_too.ask_for_human()
        changes = await asyncio.gather(
            ana.wait_for("conversation_status"), ana_too.wait_for("conversation_status")
        )

        assert elsewhere["seq"] == asked["seq"]
        assert typing["author"] == "ai"
        assert answers[0] == answers[1]
        assert changes[0] == changes[1]
        assert mine.shown.strip() == hers.shown.strip() == answers[0]["message"]


async def test_an_answer_is_stopped_from_wherever_its_user_is(nodes: Nodes) -> None:
    first, second = await nodes.start(), await nodes.start()
    async with joined(first) as ana:
        await ana.say(QUESTION)
        shown = await Stream(ana).words(3)
        async with joined(second) as ana_too:
            await ana_too.wait_for("message_delta")
            reply = await ana_too.request("stop_answer", {})
            answer = await ana.wait_for("new_message")
            same = await ana_too.wait_for("new_message")

    assert reply == {"responseId": answer["responseId"]}
    assert same == answer
    assert answer["message"].startswith(shown.strip())
    log = await second.log()
    assert log[-1]["message"] == answer["message"]
    assert len(answer["message"].split()) < 8


@pytest.mark.nodes
@over_the_stores
async def test_a_turn_whose_process_is_killed_is_answered_by_the_other_within_15_seconds(
    nodes: Nodes,
) -> None:
    first, second = await nodes.start(), await nodes.start()
    async with joined(first) as ana:
        asked = await ana.say(QUESTION)
        begun = await ana.wait_for("message_delta")
        await first.process.kill()
    async with joined(second, lastSeq=asked["seq"], sessionId=asked["sessionId"]) as ana:
        async with asyncio.timeout(LEASE_S + 5):
            stream = Stream(ana)
            answer = await stream.end()

    assert answer["inReplyTo"] == [asked["messageId"]]
    assert answer["responseId"] != begun["responseId"]
    assert stream.shown.strip() == answer["message"]


async def test_at_a_drain_the_answer_goes_on_where_the_user_is_now(nodes: Nodes) -> None:
    first, second = await nodes.start(), await nodes.start()
    async with joined(first) as ana:
        asked = await ana.say(QUESTION)
        shown = await Stream(ana).words(2)
        first.process.signal(signal.SIGTERM)
        code = await _close_code(ana)
    async with joined(second, lastSeq=asked["seq"], sessionId=asked["sessionId"]) as ana:
        stream = Stream(ana)
        at_once = await stream.next()
        answer = await stream.end()
    ended = await first.process.end()

    assert code == SERVICE_RESTART
    assert at_once.startswith(shown)
    assert stream.shown.strip() == answer["message"]
    assert answer["inReplyTo"] == [asked["messageId"]]
    assert ended.code == 0
    assert await second.turns() == 0


async def test_an_erasure_reaches_the_memory_of_every_process(nodes: Nodes) -> None:
    quick = {"SCRIPTED_DELAY_MS": "10"}
    first, second = await nodes.start(**quick), await nodes.start(**quick)
    async with joined(first) as ana:
        await ana.say("Mă cheamă Ana.")
        await ana.wait_for("new_message")
        (await second.api.delete("/api/users/b1/u1")).raise_for_status()
        page: dict[str, Any] = await ana.request("history", {})
        again = await ana.say("Bună din nou.")

        assert page["messages"] == []
        assert again["seq"] == 1
    assert "Mă cheamă Ana." not in str(await first.log())


@pytest.mark.nodes
async def test_an_answer_goes_on_without_the_broker(nodes: Nodes) -> None:
    first, second = await nodes.start(SCRIPTED_DELAY_MS="150"), await nodes.start()
    async with joined(first) as ana:
        await ana.say(QUESTION)
        stream = Stream(ana)
        await stream.next()
        nodes.broker.kill()
        answer = await stream.end()
        nodes.broker.start()
        for node in (first, second):
            await node.until_broker("ok")
        asked = await ana.say("Mulțumesc!")
        await ana.wait_for("new_message", inReplyTo=[asked["messageId"]])

    assert len(stream.shown) > len(answer["message"]) / 2  # the last second is held back


async def _close_code(ana: User) -> int:
    """Read until the server has closed the socket, and return the close code."""
    with pytest.raises(ConnectionClosed) as closed:
        await ana.wait_for("nothing that there is")
    return closed.value.rcvd.code if closed.value.rcvd is not None else 1006
