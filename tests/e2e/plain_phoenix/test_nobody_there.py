"""A request for a human that nobody meets, with an ordinary Phoenix application in the bridge's
place: one that announces who is present, what was missed and the queue, and one that announces
nothing."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from domain.texts import Text, localized
from tests.e2e.plain_phoenix.system import CHAT, at, next_of, text_of
from tests.support.bridge_client import bridge_client
from tests.support.plain_phoenix import TRATTORIA, PlainPhoenix, PlainSettings
from tests.support.server import running
from tests.support.user import User, user
from tests.support.wire import Product

ANNOUNCING = {**TRATTORIA, "additions": ["presence", "missed", "queue"]}
NOBODY = f"{localized('ro', Text.NOBODY)} {localized('ro', Text.LEAVE_MESSAGE)}"
KEPT = localized("ro", Text.MESSAGE_KEPT)
REQUESTED = localized("ro", Text.REQUESTED)
EXPIRED = f"{localized('ro', Text.EXPIRED)} {localized('ro', Text.LEAVE_MESSAGE)}"


@asynccontextmanager
async def served(
    application: PlainPhoenix, **chosen: Any
) -> AsyncIterator[tuple[Product, User, str]]:
    """The server with this application, a user who has joined, and the bridge's address."""
    async with (
        running(application.app()) as address,
        at(address, elixir_timeout=2_000, **chosen) as server,
        user(server.address) as ana,
    ):
        await ana.join()
        yield server, ana, address


async def head(server: Product, session_id: str) -> dict[str, Any]:
    """Return a conversation's head, as the list and the conversation itself have it."""
    found: dict[str, Any] = (await server.api.get(f"/api/conversations/{session_id}")).json()
    (listed,) = (await server.api.get("/api/conversations?businessId=b1")).json()["conversations"]
    assert listed == found
    return found


async def test_that_nobody_is_online_is_said_at_once_and_what_is_left_is_shown_as_missed() -> None:
    application = PlainPhoenix(PlainSettings(business=ANNOUNCING, online=0))
    async with served(application) as (server, ana, address):
        asked = await ana.ask_for_human(message="Vreau un om")
        nobody = await ana.wait_for("new_message")
        kept = await ana.say("Sunați-mă la 0722")
        acknowledged = await ana.wait_for("new_message")
        answered = await ana.wait_for("new_message", inReplyTo=[kept["messageId"]])
        missed = await next_of(application.requests, "POST", "/api/notifications")
        shown = await head(server, asked["sessionId"])
        # A coordinator who comes later has the conversation as always.
        async with bridge_client(address, CHAT, {"businessId": "b1", "userId": "u1"}) as maria:
            maria.cast("agent_message", message="Bună, sunt Maria", timestamp=None)
            await ana.wait_for("agent_message", message="Bună, sunt Maria")
            await ana.say("Ce bine!")
            assert text_of(await maria.wait_for("user_message")) == "Ce bine!"
        after = await head(server, asked["sessionId"])

        assert (asked["status"], asked["transferId"], asked["liveChat"]) == ("ai", None, None)
        assert nobody["message"] == NOBODY
        assert nobody["actions"] == [{"type": "leave_message", "returnsAt": None}]
        assert acknowledged["message"] == KEPT
        assert answered["author"] == "ai"
        assert missed.payload | {"context": None, "timestamp": None} == {
            "type": "missed",
            "sessionId": asked["sessionId"],
            "businessId": "b1",
            "userId": "u1",
            "locationId": "l1",
            "message": "Sunați-mă la 0722",
            "reason": "user_request",
            "context": None,
            "timestamp": None,
        }
        assert shown["status"] == "ai"
        assert shown["missed"] == {
            "seq": kept["seq"],
            "at": missed.payload["timestamp"],
            "message": "Sunați-mă la 0722",
            "reason": "user_request",
        }
        assert (after["status"], after["missed"]) == ("live", None)


async def test_who_is_there_again_is_asked_as_always() -> None:
    application = PlainPhoenix(PlainSettings(business=ANNOUNCING, online=2))
    async with served(application) as (_, ana, _):
        asked = await ana.ask_for_human()

        assert asked["status"] == "waiting"
        assert (await ana.wait_for("new_message"))["message"] == REQUESTED


@pytest.mark.parametrize("online", ["2", -1, True, {"n": 1}, [], 1.5])
async def test_a_presence_that_is_no_number_is_unknown_and_a_human_is_asked_for(
    online: Any,
) -> None:
    application = PlainPhoenix(PlainSettings(business=ANNOUNCING, online=online))
    async with served(application) as (_, ana, _):
        assert (await ana.ask_for_human())["status"] == "waiting"


async def test_a_presence_that_does_not_answer_costs_a_second_and_is_unknown() -> None:
    settings = PlainSettings(business=ANNOUNCING, online=0, hangs_at=("/api/business/b1/presence",))
    async with served(PlainPhoenix(settings)) as (_, ana, _):
        assert (await ana.ask_for_human())["status"] == "waiting"


async def test_without_a_coordinator_for_the_whole_wait_that_is_told_once_and_a_message_kept() -> (
    None
):
    application = PlainPhoenix(PlainSettings(business=ANNOUNCING, online=1))
    async with served(application, transfer_timeout_s=1.0, sweep_interval_s=0.1) as (_, ana, _):
        await ana.ask_for_human()
        await ana.wait_for("conversation_status", status="ai", reason="expired")
        await ana.wait_for("new_message", message=EXPIRED)
        await ana.say("0722")
        await ana.wait_for("new_message", message=KEPT)
        kinds = []
        while "missed" not in kinds:
            told = await next_of(application.requests, "POST", "/api/notifications")
            kinds.append(told.payload["type"])

        assert kinds == ["transfer", "missed"]


async def test_an_application_that_announces_nothing_is_asked_nothing_and_told_of_no_miss() -> None:
    application = PlainPhoenix(PlainSettings(online=0))
    async with served(application, transfer_timeout_s=1.0, sweep_interval_s=0.1) as (
        server,
        ana,
        _,
    ):
        asked = await ana.ask_for_human()
        await ana.wait_for("new_message", message=REQUESTED)
        await ana.wait_for("new_message", message=EXPIRED)
        await ana.say("0722")
        await ana.wait_for("new_message", message=KEPT)
        await server.until('ai_agent_notices_total{kind="missed",outcome="delivered"}', 1)
        shown = await head(server, asked["sessionId"])

        assert shown["missed"]["message"] == "0722"
        received = [*iter_of(application.requests)]
        assert not [each for each in received if each.where.endswith("/presence")]
        types = [each.payload.get("type") for each in received if "notifications" in each.where]
        assert types == ["transfer"]


# The queue.


async def test_the_place_in_the_queue_is_passed_on_while_the_customer_waits() -> None:
    application = PlainPhoenix(PlainSettings(additions=("queue",)))
    async with served(application) as (_, ana, _):
        await ana.ask_for_human()
        await ana.wait_for("conversation_status", status="waiting", reason="delivered")
        application.broadcast(CHAT, "queue", {"place": 3, "waitS": 120})
        first = await ana.wait_for("queue")
        for wrong in (
            {"place": 0, "waitS": 1},
            {"place": "3"},
            {"place": True},
            {"place": 10**9},
            {"place": 1, "waitS": -5},
            {"place": 1, "waitS": 10**12},
            {"place": 1, "waitS": "soon"},
            {},
        ):
            application.broadcast(CHAT, "queue", wrong)
        application.broadcast(CHAT, "queue", {"place": 1})
        second = await ana.wait_for("queue")
        application.speak(CHAT, "agent_message", "Bună")
        await ana.wait_for("agent_message")
        application.broadcast(CHAT, "queue", {"place": 9})
        application.speak(CHAT, "agent_message", "Sunt Maria")
        await ana.wait_for("agent_message")

        assert (first, second) == ({"place": 3, "waitS": 120}, {"place": 1, "waitS": None})
        assert [event for event, _ in ana.pushes if event == "queue"] == []


async def test_a_queue_that_is_not_announced_is_not_passed_on() -> None:
    application = PlainPhoenix(PlainSettings())
    async with served(application) as (_, ana, _):
        await ana.ask_for_human()
        await ana.wait_for("conversation_status", status="waiting", reason="delivered")
        application.broadcast(CHAT, "queue", {"place": 3, "waitS": 120})
        application.speak(CHAT, "agent_message", "Bună")
        await ana.wait_for("agent_message")

        assert [event for event, _ in ana.pushes if event == "queue"] == []


@pytest.mark.parametrize("additions", [["rating"], []])
async def test_a_rating_is_told_to_an_application_that_announces_it_and_relayed_to_none(
    additions: list[str],
) -> None:
    application = PlainPhoenix(PlainSettings(business={**TRATTORIA, "additions": additions}))
    async with served(application) as (server, ana, _):
        asked = await ana.ask_for_human()
        await ana.request("rate_conversation", {"rating": 2, "comment": "Slow"})
        await server.until('ai_agent_notices_total{kind="rating",outcome="delivered"}', 1)
        rated = [
            each.payload
            for each in iter_of(application.requests)
            if each.payload.get("type") == "rating"
        ]

        told = {"businessId": "b1", "userId": "u1", "locationId": "l1", "rating": 2}
        told |= {"type": "rating", "sessionId": asked["sessionId"], "comment": "Slow"}
        assert [each | {"timestamp": ""} for each in rated] == (
            [{**told, "timestamp": ""}] if additions else []
        )
        assert await server.metric('ai_agent_notices_total{kind="relay",outcome="delivered"}') == 0


def iter_of(queue: Any) -> Iterator[Any]:
    """Yield what is in a queue."""
    while not queue.empty():
        yield queue.get_nowait()
