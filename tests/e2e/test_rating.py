"""A customer's rating of a conversation, through their socket and the HTTP API."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from entrypoints.server.wire import MAX_SEQ
from tests.support.user import Refused, User, user
from tests.support.wire import Product, product


@pytest.fixture
async def server() -> AsyncIterator[Product]:
    async with product() as running:
        yield running


async def rate(one: User, rating: Any, **more: Any) -> dict[str, Any]:
    return await one.request("rate_conversation", {"rating": rating, **more})


async def head(server: Product, session_id: str) -> dict[str, Any]:
    answer: httpx.Response = await server.api.get(f"/api/conversations/{session_id}")
    return dict(answer.raise_for_status().json())


async def shown(one: User) -> list[dict[str, Any]]:
    """The ratings in the log as the customer reads it."""
    messages = (await one.request("history", {"beforeSeq": MAX_SEQ}))["messages"]
    return [
        each for each in messages if any(a["type"] == "rating" for a in each.get("actions", ()))
    ]


@pytest.mark.parametrize("vsn", [1, 2])
async def test_a_rating_is_an_entry_that_all_sockets_of_the_customer_get(
    server: Product, vsn: int
) -> None:
    async with user(server.address, vsn=vsn) as one, user(server.address) as other:
        await one.join()
        await other.join()
        session_id = (await one.say("Bună!"))["sessionId"]
        answer = await one.wait_for("new_message")

        reply = await rate(one, 4, comment=" Quick and\u0007 kind. ")
        pushes = [await each.wait_for("user_message", prevSeq=answer["seq"]) for each in
                  (one, other)]  # fmt: skip

    assert reply == {"sessionId": session_id, "rating": 4}
    assert pushes[0] == pushes[1]
    assert pushes[0]["message"] == "★★★★☆ Quick and kind."
    stars = {"type": "rating", "rating": 4, "comment": "Quick and kind."}
    assert pushes[0]["actions"] == [stars]
    (entry,) = [each for each in await server.log() if each.get("actions") == [stars]]
    assert (entry["author"], entry["audience"]) == ("user", "customer+coordinator")
    rating = (await head(server, session_id))["rating"]
    assert rating == {
        "rating": 4,
        "comment": "Quick and kind.",
        "at": pushes[0]["timestamp"],
        "seq": pushes[0]["seq"],
    }


async def test_the_newest_rating_counts_and_a_repeat_stores_nothing(server: Product) -> None:
    async with user(server.address) as one:
        joined = await one.join()
        session_id = (await one.say("Bună!"))["sessionId"]
        for rating, comment in ((5, None), (5, "  "), (2, "Slow"), (2, "Slow"), (3, "\u200b")):
            await rate(one, rating, **({} if comment is None else {"comment": comment}))
        again = await one.join()

        assert "rating" not in joined
        assert again["rating"] == 3
        assert [each["message"] for each in await shown(one)] == ["★★★★★", "★★☆☆☆ Slow", "★★★☆☆"]
    assert (await head(server, session_id))["rating"]["comment"] is None
    assert await server.metric('ai_agent_ratings_total{rating="5"}') == 1
    assert await server.metric('ai_agent_ratings_total{rating="2"}') == 1


async def test_a_rating_that_comes_again_with_its_id_takes_nothing_from_a_newer_one(
    server: Product,
) -> None:
    async with user(server.address) as one:
        await one.join()
        session_id = (await one.say("Bună!", messageId="m1"))["sessionId"]
        await rate(one, 1, messageId="m1")  # no message's id
        await rate(one, 2, messageId="m2")
        await server.change(session_id, "closed")
        await rate(one, 5, messageId="m3")
        await one.say("Încă ceva")
        again = await rate(one, 2, messageId="m2", sessionId=session_id)

    assert again == {"sessionId": session_id, "rating": 2}
    assert (await head(server, session_id))["rating"]["rating"] == 5
    assert await server.metric('ai_agent_ratings_total{rating="2"}') == 1


async def test_a_closed_session_can_be_rated_and_so_can_one_before_the_newest(
    server: Product,
) -> None:
    async with user(server.address) as one:
        await one.join()
        first = (await one.say("Bună!"))["sessionId"]
        await one.wait_for("new_message")
        await server.change(first, "closed")
        await one.wait_for("conversation_status", status="closed")

        assert await rate(one, 5) == {"sessionId": first, "rating": 5}
        second = (await one.say("Încă ceva"))["sessionId"]
        assert second != first
        assert await rate(one, 1, sessionId=first) == {"sessionId": first, "rating": 1}
        assert (await one.join())["sessionId"] == second

    assert (await head(server, first))["rating"]["rating"] == 1
    assert (await head(server, first))["status"] == "closed"
    assert (await head(server, second))["rating"] is None


async def test_a_rating_of_what_is_not_the_customers_is_refused(server: Product) -> None:
    async with user(server.address) as one, user(server.address, user_id="u2") as other:
        await one.join()
        await other.join()
        session_id = (await one.say("Bună!"))["sessionId"]

        for refused in ({}, {"sessionId": session_id}, {"sessionId": "s-none"}):
            with pytest.raises(Refused, match="unknown_session"):
                await rate(other, 5, **refused)
    assert (await head(server, session_id))["rating"] is None


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"rating": 0},
        {"rating": 6},
        {"rating": 4.5},
        {"rating": "5"},
        {"rating": True},
        {"rating": None},
        {"rating": 5, "comment": 5},
        {"rating": 5, "comment": "a" * 2_001},
        {"rating": 5, "sessionId": ".."},
    ],
)
async def test_what_is_no_rating_is_refused_and_stores_nothing(
    server: Product, payload: dict[str, Any]
) -> None:
    async with user(server.address) as one:
        await one.join()
        await one.say("Bună!")

        with pytest.raises(Refused, match="invalid_payload"):
            await one.request("rate_conversation", payload)
        await rate(one, 5, comment="ă" * 2_000)

        assert len(await shown(one)) == 1
