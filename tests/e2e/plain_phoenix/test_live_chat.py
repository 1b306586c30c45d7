"""The live chat with an ordinary Phoenix application in the bridge's place, from the AI to a
coordinator, back and to its end: with each knob of the application, and with each two of them.
"""

import asyncio
import re
from contextlib import AsyncExitStack
from dataclasses import fields, replace
from itertools import combinations
from typing import Any, Literal

import pytest

from adapters.phoenix.client_connection import ChannelStatus
from application.deliver_outbox import MAX_DELIVERIES
from tests.e2e.plain_phoenix.system import (
    TOKEN,
    Course,
    System,
    at,
    next_join,
    next_of,
    system,
    text_of,
)
from tests.support.plain_phoenix import PlainPhoenix, PlainSettings
from tests.support.server import running
from tests.support.user import PATIENCE_S, user

KNOBS: dict[str, dict[str, Any]] = {
    "Phoenix 1.7": {"phoenix": "1.7"},
    "payload as it came": {"passes_payload": True},
    "replies": {"replies": True},
    "broadcast_from": {"returns_to_sender": False},
    "unknown events ignored": {"ignores_unknown": True},
    "typing known": {"additions": ("typing",)},
    "presence": {"presence": True},
    "joins refused for a while": {"refuses_first": True},
    "joins refused at random": {"refused_joins": 0.3},
    "token in either place": {"token": TOKEN},
    "token as parameter": {"token": TOKEN, "token_in": "parameter"},
    "token as sub-protocol": {"token": TOKEN, "token_in": "subprotocol"},
    "token with the join": {"token": TOKEN, "token_in": "join"},
    "token with requests": {"token": TOKEN, "token_in": "bearer"},
    "origins checked": {"check_origin": True},
    "wrapped JSON": {"wraps": True},
    "snake_case": {"snake_case": True},
    "body": {"text_key": "body"},
    "sockets disconnected": {"disconnects_with": 1001},
    "sockets closed as if for good": {"disconnects_with": 1000},
    "summary required": {"requires_summary": True},
    "reports of messages fail": {"fails_at": ("/api/ai-conversation",)},
    "all reports fail": {"fails_at": ("/api/ai-",)},
    "user on the bridge's socket": {"user_speaks": "topic"},
    "user over the bridge's HTTP": {"user_speaks": "http"},
    "coordinator over HTTP": {"coordinator_speaks": "http"},
}
PAIRS = [
    pair for pair in combinations(KNOBS, 2) if KNOBS[pair[0]].keys().isdisjoint(KNOBS[pair[1]])
]
USUAL_PAIRS = [
    ("replies", "broadcast_from"),
    ("broadcast_from", "user on the bridge's socket"),
    ("typing known", "presence"),
    ("joins refused for a while", "token with the join"),
    ("wrapped JSON", "token with requests"),
    ("snake_case", "body"),
    ("sockets disconnected", "coordinator over HTTP"),
    ("all reports fail", "user on the bridge's socket"),
]
"""The pairs that the ordinary suite runs; `make phoenix-pairs` runs all."""
COURSE = {field.name for field in fields(Course)}


async def ask_for_human(whole: System) -> str:
    """Ask for a human in the user's name; return the session's id once the topic is joined."""
    asked = await whole.ana.ask_for_human()
    if whole.application is not None:
        await admit_joins(whole.application)
        request = await next_of(whole.application.requests, "POST", "/api/notifications")
        assert request.payload["sessionId"] == asked["sessionId"]
    await whole.ana.wait_for("conversation_status", status="waiting", reason="delivered")
    assert asked["liveChat"]["url"].startswith("ws://127.0.0.1:")
    assert "s3cret" not in str(asked)
    await whole.ana.say("E cineva?")
    await whole.wait_until_relayed("E cineva?")
    return str(asked["sessionId"])


async def admit_joins(application: PlainPhoenix) -> None:
    """Admit the server, if it was refused so far, at its next attempt."""
    if not application.settings.admits_joins:
        await next_join(application)
        application.settings = replace(application.settings, admits_joins=True)


async def mission(whole: System) -> None:
    ana, application = whole.ana, whole.application
    if application is not None and whole.course.refuses_first:
        application.settings = replace(application.settings, admits_joins=False)
    await ana.say("Bună!")
    await ana.wait_for("new_message", author="ai")
    session_id = await ask_for_human(whole)
    await whole.send_from_coordinator("Bună, sunt Maria.")
    await ana.wait_for("conversation_status", status="live")
    await type_to_each_other(whole)
    code = whole.course.disconnects_with
    if application is not None and code is not None:
        # What is not acknowledged when the socket is lost comes again.
        await whole.server.until('ai_agent_notices_total{kind="relay",outcome="delivered"}', 1)
        await application.disconnect(code)
        await whole.ana_at_bridge.wait_for(ChannelStatus.REJOINED)
        await whole.maria.wait_for(ChannelStatus.REJOINED)
        await ana.say("Mai sunteți?")  # the server has joined again once this has come
        await whole.wait_until_relayed("Mai sunteți?")
    await whole.send_from_user("Vreau o masă.", "Pentru doi.")
    await whole.send_from_coordinator("Da.", "Gata.")
    await whole.server.change(session_id, "ai")
    await ana.wait_for("conversation_status", status="ai")
    await ana.say("Mulțumesc!")
    await ana.wait_for("new_message", author="ai")
    await whole.server.change(session_id, "closed")
    await ana.wait_for("conversation_status", status="closed")


async def type_to_each_other(whole: System) -> None:
    """Show each the other's typing, where the application knows the event."""
    await whole.ana.request("typing", {})
    if whole.application is None or "typing" in whole.application.settings.additions:
        await whole.maria.wait_for("typing", author="user")
        whole.maria.cast("typing", author="coordinator")
        await whole.ana.wait_for("typing", author="coordinator")


def relayed_by_server(application: PlainPhoenix) -> list[str]:
    """Return the messages that the server, and no page, has sent to the application."""
    events = [application.events.get_nowait() for _ in range(application.events.qsize())]
    return [event.payload["message"] for event in events if "origin" in event.payload]


async def check_everything_came_once(whole: System) -> None:
    asides = [] if whole.course.disconnects_with is None else ["Mai sunteți?"]
    live = ["E cineva?", *asides, "Vreau o masă.", "Pentru doi."]
    answers = ["Bună, sunt Maria.", "Da.", "Gata."]

    received = [text_of(each) for event, each in whole.maria.received if event == "user_message"]
    assert received == live
    assert await whole.stored("user") == ["Bună!", *live, "Mulțumesc!"]
    assert await whole.stored("coordinator") == answers
    assert len(await whole.stored("ai")) == 2
    assert [push for push in whole.ana.pushes if push[0] == "agent_message"] == []
    assert "s3cret" not in str(whole.ana.pushes)
    metrics = (await whole.server.api.get("/metrics")).text
    assert re.findall(r'_notices_total\{.*outcome="dead"\} (?!0\.0).*', metrics) == []


async def check_the_application_knows_the_statuses(application: PlainPhoenix) -> None:
    statuses = []
    while "closed" not in statuses:
        request = await next_of(application.requests, "PUT", "/api/conversation-status/")
        statuses.append(request.payload["status"])
    events = {application.events.get_nowait().what for _ in range(application.events.qsize())}

    assert statuses[-3:] == ["live", "ai", "closed"]
    known = {"user_message", "agent_message"}
    assert events <= known | ({"typing"} if "typing" in application.settings.additions else set())


@pytest.mark.parametrize(
    "knobs",
    [
        pytest.param((), id="as it comes"),
        *((knob,) for knob in KNOBS),
        *(
            pytest.param(pair, marks=[] if pair in USUAL_PAIRS else pytest.mark.pairs)
            for pair in PAIRS
        ),
    ],
    ids=" + ".join,
)
async def test_a_conversation_goes_to_a_coordinator_and_back(knobs: tuple[str, ...]) -> None:
    given = {key: value for knob in knobs for key, value in KNOBS[knob].items()}
    course = Course(**{key: value for key, value in given.items() if key in COURSE})
    application = PlainPhoenix(
        PlainSettings(**{key: value for key, value in given.items() if key not in COURSE})
    )
    async with system(application, course) as whole:
        await mission(whole)

        await check_everything_came_once(whole)
        await check_the_application_knows_the_statuses(application)


@pytest.mark.parametrize(
    "course",
    [Course(), Course(user_speaks="topic"), Course(user_speaks="http", coordinator_speaks="http")],
)
async def test_the_same_conversation_over_the_reference_bridge(course: Course) -> None:
    async with system(None, course) as whole:
        await mission(whole)

        await check_everything_came_once(whole)


async def test_more_live_chats_than_a_socket_has_channels_all_go_both_ways() -> None:
    application = PlainPhoenix()
    user_ids = [f"u{number}" for number in range(application.settings.max_channels + 1)]
    relayed = {f"chat:b1:{user_id}": asyncio.Event() for user_id in user_ids}
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(running(application.app()))
        server = await stack.enter_async_context(at(address))

        async def talk(user_id: str) -> None:
            ana = await stack.enter_async_context(user(server.address, "b1", user_id))
            await ana.join()
            await ana.ask_for_human()
            await ana.say("E cineva?")
            topic = f"chat:b1:{user_id}"
            await relayed[topic].wait()
            application.speak(topic, "agent_message", "Da.")
            await ana.wait_for("agent_message", message="Da.")

        async def receive() -> None:
            for _ in user_ids:
                relayed[(await application.events.get()).where].set()

        async with asyncio.timeout(2 * PATIENCE_S):
            await asyncio.gather(receive(), *(talk(user_id) for user_id in user_ids))

        assert application.events.empty()
        assert len(application.channels) == len(user_ids)
        assert len({id(channel.transport) for channel in application.channels}) > 1


async def test_requests_that_hang_take_no_time_from_the_words_of_other_live_chats() -> None:
    application = PlainPhoenix()
    async with system(application) as whole, AsyncExitStack() as others:
        await whole.ana.ask_for_human()
        await whole.send_from_coordinator("Bună, sunt Maria.")
        await whole.ana.wait_for("conversation_status", status="live")
        while (await next_of(application.requests, "PUT", "")).payload["status"] != "live":
            pass
        application.settings = PlainSettings(hangs_at=("/api/notifications",))
        for number in range(MAX_DELIVERIES):
            other = await others.enter_async_context(user(whole.server.address, "b1", f"o{number}"))
            await other.join()
            await other.ask_for_human()
            await next_of(application.requests, "POST", "/api/notifications")
        async with asyncio.timeout(4):  # a request hangs for 5 s, and is tried again
            await whole.send_from_user("Mai sunteți?", "Alo?")


async def test_reports_that_the_application_shows_on_the_topic_are_not_taken_for_people() -> None:
    application = PlainPhoenix(PlainSettings(shows_reports=True))
    async with system(application) as whole:
        await whole.ana.say("Bună!")
        await next_join(application)
        await whole.wait_until_relayed("Bună!")
        await whole.maria.wait_for("agent_message")
        await whole.send_from_coordinator("Sunt Maria.")  # on the topic, behind the reports
        log = await whole.server.log()

        assert [entry["reason"] for entry in log if entry["kind"] == "status"] == ["coordinator"]
        assert await whole.stored("user") == ["Bună!"]
        assert await whole.stored("coordinator") == ["Sunt Maria."]


@pytest.mark.parametrize("way", ["topic", "http"])
async def test_a_coordinator_who_speaks_unasked_at_the_bridge_has_the_conversation(
    way: Literal["topic", "http"],
) -> None:
    application = PlainPhoenix()
    async with system(application, Course(coordinator_speaks=way)) as whole:
        await whole.ana.say("Bună!")
        await whole.ana.wait_for("new_message", author="ai")
        await next_join(application)
        await whole.send_from_coordinator("Preiau eu.")
        await whole.ana.wait_for("conversation_status", status="live")
        await whole.send_from_user("Mulțumesc!")

        assert await whole.stored("coordinator") == ["Preiau eu."]
        assert len(await whole.stored("ai")) == 1


@pytest.mark.parametrize("way", ["topic", "http"])
async def test_a_user_who_speaks_unasked_at_the_bridge_has_asked_for_a_human(way: str) -> None:
    application = PlainPhoenix()
    async with system(application) as whole:
        await whole.ana.say("Bună!")
        await whole.ana.wait_for("new_message", author="ai")
        await next_join(application)
        if way == "http":
            await whole.post("/api/messages", "Vreau un om.")
        else:
            for _ in range(2):
                at = "2030-01-01T12:00:00Z"
                whole.ana_at_bridge.cast("user_message", message="Vreau un om.", timestamp=at)
        await whole.ana.wait_for("conversation_status", status="waiting", reason="user_request")
        await whole.ana.wait_for("conversation_status", status="waiting", reason="delivered")
        await whole.send_from_coordinator("Bună, sunt Maria.")
        await whole.send_from_user("Pentru doi.")

        assert await whole.stored("user") == ["Bună!", "Vreau un om.", "Pentru doi."]
        assert len(await whole.stored("ai")) == 1
        (relayed,) = relayed_by_server(application)
        assert relayed == "Pentru doi."
