"""The cost of the AI, as the HTTP API of a real server reports it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from dependency_injector import providers

from application.ports import AnswerWriter, Assistant, SummaryResult, Toolbox
from domain.business import Business
from domain.message import Entry
from domain.usage import Usage
from domain.view import View
from entrypoints.server.app import create_app
from entrypoints.server.container import Container
from entrypoints.settings import Settings
from tests.support.businesses import EXAMPLES
from tests.support.server import running
from tests.support.user import user

COST = {"inputTokens": 90, "cachedTokens": 40, "outputTokens": 10, "calls": 1}


class Costly(Assistant):
    """An assistant that looks up reservations, answers, and reports a usage."""

    async def answer(self, view: View, toolbox: Toolbox, writer: AnswerWriter) -> Usage | None:
        await toolbox.call("get_reservations", {})
        writer("Prima ")
        writer.restart()
        writer("Aveți o rezervare.")
        return Usage(model="m1", input_tokens=90, cached_tokens=40, output_tokens=10, calls=1)

    async def summarise(
        self,
        earlier: str | None,
        entries: Sequence[Entry],
        language: str,
        *,
        max_tokens: int,
        business: Business | None = None,
    ) -> SummaryResult:
        return SummaryResult("Rezumat.")


@asynccontextmanager
async def costly(**chosen: Any) -> AsyncIterator[tuple[str, httpx.AsyncClient]]:
    """A server whose AI costs something, and a client of its API."""
    files = str(EXAMPLES)
    settings = Settings(store="memory", turn_quiet_ms=0, businesses=files, **chosen)
    container = Container(settings=settings)
    container.assistant.override(providers.Object(Costly()))
    async with (
        running(create_app(settings, container)) as address,
        httpx.AsyncClient(base_url=f"http://{address}") as client,
    ):
        yield address, client


@pytest.fixture
async def server() -> AsyncIterator[tuple[str, httpx.AsyncClient]]:
    async with costly() as found:
        yield found


async def answered(address: str, times: int = 1) -> str:
    """The session of a user who has been answered so often."""
    async with user(address) as one:
        await one.join()
        for _ in range(times):
            session_id: str = (await one.say("Am o rezervare?"))["sessionId"]
            await one.wait_for("new_message")
    return session_id


async def test_a_reply_shows_what_it_has_cost_and_what_its_tools_came_to(
    server: tuple[str, httpx.AsyncClient],
) -> None:
    address, api = server
    session_id = await answered(address)
    page = (await api.get(f"/api/conversations/{session_id}/messages")).json()
    asked, reply = page["messages"]

    assert (asked["usage"], asked["tools"], asked["model"]) == (None, [], None)
    assert reply["message"] == "Aveți o rezervare."
    assert (reply["model"], reply["usage"]) == ("m1", COST)
    assert reply["tools"] == [{"name": "get_reservations", "outcome": "found"}]


async def test_a_head_shows_the_sum_of_its_replies(
    server: tuple[str, httpx.AsyncClient],
) -> None:
    address, api = server
    session_id = await answered(address, 3)
    head = (await api.get(f"/api/conversations/{session_id}")).json()

    assert head["usage"] == {name: 3 * count for name, count in COST.items()}


async def test_what_a_user_gets_says_nothing_of_cost(
    server: tuple[str, httpx.AsyncClient],
) -> None:
    address, _ = server
    await answered(address)
    async with user(address) as one:
        joined = await one.join()

    assert not {"usage", "tools", "model", "digest", "verdict"} & {
        key for entry in joined["messages"] for key in entry
    }


async def test_the_report_adds_up_a_businesss_days(
    server: tuple[str, httpx.AsyncClient],
) -> None:
    address, api = server
    await answered(address, 2)
    report = (await api.get("/api/usage", params={"businessId": "b1"})).json()
    other = (await api.get("/api/usage", params={"businessId": "b2"})).json()
    twice = {name: 2 * count for name, count in COST.items()}

    assert report["businessId"] == "b1"
    assert [{**day, "day": None} for day in report["days"]] == [{**twice, "day": None}]
    assert report["total"] == twice
    assert (other["days"], other["total"]["calls"]) == ([], 0)


async def test_days_outside_of_the_question_are_not_told(
    server: tuple[str, httpx.AsyncClient],
) -> None:
    address, api = server
    await answered(address)
    before = date.today() - timedelta(days=20)
    report = await api.get(
        "/api/usage", params={"businessId": "b1", "from": f"{before}", "to": f"{before}"}
    )

    assert report.json()["days"] == []


@pytest.mark.parametrize(
    "query",
    [
        "",
        "businessId=",
        "businessId=a%20b",
        "businessId=b1%0A",
        "businessId=b1&from=yesterday",
        "businessId=b1&from=2026-02-30",
        "businessId=b1&from=2026-01-02&to=2026-01-01",
        "businessId=b1&from=2020-01-01&to=2026-01-01",
        "businessId=b1&from=2026-01-01T00:00:00Z",
        "businessId=b1&to=0001-01-01&from=0001-01-02",
    ],
)
async def test_a_question_that_makes_no_sense_is_a_problem(
    server: tuple[str, httpx.AsyncClient], query: str
) -> None:
    _, api = server
    answer = await api.get(f"/api/usage?{query}")

    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json()["code"] == "invalid_payload"


async def test_the_first_day_of_all_can_be_asked_for(
    server: tuple[str, httpx.AsyncClient],
) -> None:
    _, api = server
    answer = await api.get("/api/usage?businessId=b1&to=0001-01-01")

    assert answer.status_code == 200


async def test_the_report_needs_the_token() -> None:
    async with costly(service_token="s3cret") as (_, api):
        refused = await api.get("/api/usage?businessId=b1")
        told = await api.get("/api/usage?businessId=b1", headers={"Authorization": "Bearer s3cret"})

    assert (refused.status_code, told.status_code) == (401, 200)


async def test_the_report_is_described(server: tuple[str, httpx.AsyncClient]) -> None:
    _, api = server
    schema = (await api.get("/schema/openapi.json")).json()
    names = [parameter["name"] for parameter in schema["paths"]["/api/usage"]["get"]["parameters"]]

    assert sorted(names) == ["businessId", "from", "to"]


async def test_an_answer_that_begins_again_is_streamed_from_index_0() -> None:
    async with costly() as (address, _), user(address) as one:
        await one.join(stream=True)
        await one.say("Am o rezervare?")
        whole = await one.wait_for("new_message")
        deltas = [payload for event, payload in one.pushes if event == "message_delta"]

    assert [(delta["index"], delta["text"]) for delta in deltas] == [
        (0, "Prima "),
        (0, "Aveți o rezervare."),
    ]
    assert whole["message"] == "Aveți o rezervare."
