"""What becomes of conversations, as the HTTP API of a real server reports it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.user import user
from tests.support.wire import Product, product

BUSINESS = """
name = "Bistro"
[prices]
currency = "EUR"
input = 2
output = 10
"""


@asynccontextmanager
async def bistro(path: Path, **chosen: Any) -> AsyncIterator[Product]:
    """A server with the file of one business, on a file of its own."""
    (path / "b1.toml").write_text(BUSINESS)
    chosen = {"store": "sqlite", "sqlite_path": str(path / "store.db"), **chosen}
    async with product(businesses=str(path), **chosen) as running:
        yield running


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Product]:
    async with bistro(tmp_path) as running:
        yield running


async def talk(server: Product, user_id: str, *, human: bool = False) -> str:
    """Have a conversation, and close it; return its session."""
    async with user(server.address, user_id=user_id) as one:
        await one.join()
        session_id: str = (await one.say("Bună!"))["sessionId"]
        await one.wait_for("new_message")
        await one.request("rate_conversation", {"rating": 2 if human else 5})
        if human:
            await one.ask_for_human()
            await set_status(server, session_id, "live")
        await set_status(server, session_id, "closed")
    return session_id


async def set_status(server: Product, session_id: str, status: str) -> None:
    answer = await server.api.put(
        f"/api/conversation-status/{session_id}", json={"status": status, "coordinatorId": "ana"}
    )
    answer.raise_for_status()


async def report(server: Product, **query: str) -> dict[str, Any]:
    answer = await server.api.get("/api/outcomes", params={"businessId": "b1", **query})
    return dict(answer.raise_for_status().json())


async def test_the_report_adds_up_what_became_of_conversations(server: Product) -> None:
    for number in range(3):
        await talk(server, f"u{number}")
    await talk(server, "u9", human=True)
    found = await report(server)
    total = found["total"]

    assert (found["businessId"], found["currency"]) == ("b1", "EUR")
    assert [{**total, "day": day["day"]} for day in found["days"]] == found["days"]
    assert (total["conversations"], total["ended"], total["solved"]) == (4, 4, 3)
    assert total["handoffs"] == {"user_request": 1}
    assert total["firstAnswer"]["count"] == 4
    assert total["human"]["count"] == 1
    assert total["human"]["medianS"] is not None
    assert total["ratings"] == {"1": 0, "2": 1, "3": 0, "4": 0, "5": 3}
    assert total["averageRating"] == 4.25
    assert (total["unansweredQuestions"], total["tokens"], total["cost"]) == (0, 0, 0)
    assert set(total) == {
        *("conversations", "ended", "solved", "handoffs", "firstAnswer", "human", "ratings"),
        *("averageRating", "unansweredQuestions", "tokens", "tokensPerConversation", "cost"),
    }


async def test_a_customer_who_comes_back_for_a_human_was_not_helped(server: Product) -> None:
    await talk(server, "u1")
    solved = (await report(server))["total"]["solved"]
    await talk(server, "u1", human=True)
    total = (await report(server))["total"]

    assert solved == 1
    assert (total["ended"], total["solved"]) == (2, 0)


async def test_what_was_counted_outlives_the_process(tmp_path: Path) -> None:
    async with bistro(tmp_path) as server:
        await talk(server, "u1")
        before = await report(server)
        await talk(server, "u2", human=True)
    async with bistro(tmp_path) as server:
        after = await report(server)

    assert before["total"]["ended"] == 1
    assert (after["total"]["ended"], after["total"]["human"]["count"]) == (2, 1)


async def test_without_prices_there_is_no_cost_and_of_nothing_there_is_no_mean() -> None:
    async with product() as server:
        found = await report(server)

    assert (found["currency"], found["days"]) == (None, [])
    assert found["total"]["cost"] is None
    assert found["total"]["firstAnswer"] == {"count": 0, "medianS": None, "meanS": None}
    assert found["total"]["tokensPerConversation"] is None


@pytest.mark.parametrize(
    "query",
    [
        "",
        "businessId=a%20b",
        "businessId=b1&from=x",
        "businessId=b1&to=2020-01-01&from=2021-01-01",
    ],
)
async def test_a_question_that_makes_no_sense_is_a_problem(server: Product, query: str) -> None:
    answer = await server.api.get(f"/api/outcomes?{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_payload")


async def test_the_report_needs_the_token(tmp_path: Path) -> None:
    async with bistro(tmp_path, service_token="s3cret") as server:
        answer = await server.api.get("/api/outcomes?businessId=b1")

    assert answer.status_code == 401
