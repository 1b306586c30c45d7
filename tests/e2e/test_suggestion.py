"""A suggested reply over HTTP: a real server, a real client, and a model behind OpenAI's API."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import httpx
import pytest

from entrypoints.server.app import create_app
from entrypoints.settings import Settings
from tests.support.openai_stub import DONE, Stub, Wire, delta, hangs, refuses, says, stub
from tests.support.openai_stub import events as sse
from tests.support.server import running
from tests.support.user import user

ANA = {"coordinatorId": "ana"}


class Api(NamedTuple):
    client: httpx.AsyncClient
    path: str
    """Of the suggestions for a live conversation."""

    async def metrics(self) -> str:
        return (await self.client.get("/metrics")).text


@asynccontextmanager
async def live(**settings: Any) -> AsyncIterator[Api]:
    """A server with a conversation that Ana has."""
    chosen = {"store": "memory", "scripted_delay_ms": 0, "turn_quiet_ms": 0, **settings}
    async with (
        running(create_app(Settings(**chosen))) as address,
        httpx.AsyncClient(base_url=f"http://{address}", timeout=20) as client,
        user(address) as customer,
    ):
        await customer.join()
        posted = await customer.say("La ce oră deschideți?")
        await customer.wait_for("new_message")
        session_id = posted["sessionId"]
        taken = await client.put(
            f"/api/conversation-status/{session_id}", json={"status": "live", **ANA}
        )
        assert taken.status_code == 200
        yield Api(client, f"/api/conversations/{session_id}/suggestion")


@asynccontextmanager
async def by_model(*answers: Any, **settings: Any) -> AsyncIterator[tuple[Api, Stub]]:
    """Such a server, where the model answers the customer first, and then so."""
    async with (
        stub(says("Da."), *answers) as model,
        live(
            assistant="openai",
            openai_base_url=model.url,
            openai_api_key="key",
            openai_model="m1",
            **settings,
        ) as api,
    ):
        yield api, model


def events(text: str) -> list[tuple[str, Any]]:
    """The server-sent events of a response: each one's type and data."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if line[:1] != ":")
        if "data" in fields:
            found.append((fields.get("event", "message"), json.loads(fields["data"])))
    return found


async def test_a_suggestion_is_a_stream_of_pieces_and_then_the_text() -> None:
    async with by_model(says("Deschidem ", "la nouă.")) as (api, model):
        response = await api.client.post(api.path, json=ANA)
        log = await api.client.get(api.path.replace("suggestion", "messages"))
        usage = (await api.client.get("/api/usage", params={"businessId": "b1"})).json()
        metrics = await api.metrics()

    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    *pieces, last = events(response.text)
    assert "".join(data["delta"] for _, data in pieces) == "Deschidem la nouă."
    assert last == ("message", {"text": "Deschidem la nouă."})
    assert "Deschidem" not in log.text
    assert 'ai_agent_model_calls_total{purpose="suggestion"} 1.0' in metrics
    assert usage["total"]["calls"] == 2
    prompt = model.requests[-1].body["messages"]
    assert "You write for a colleague" in prompt[0]["content"]
    assert "The colleague who writes is ana." in prompt[-1]["content"]
    names = [tool["function"]["name"] for tool in model.requests[-1].body["tools"]]
    assert "transfer_to_live_chat" not in names


async def test_each_piece_is_sent_as_it_comes() -> None:
    more = asyncio.Event()

    async def wait(wire: Wire) -> None:
        await more.wait()
        for piece in (delta(content=" la nouă."), delta("stop"), DONE):
            await wire.chunk(piece)
        await wire.send(b"0\r\n\r\n")

    begun = sse(*[delta(content=piece) for piece in ("Deschi", "dem", " zilnic")], then=wait)
    async with by_model(begun) as (api, _):
        async with api.client.stream("POST", api.path, json=ANA) as response:
            lines = response.aiter_lines()
            first = await anext(lines)
            more.set()
            rest = [line async for line in lines]

    assert first.startswith('data: {"delta":"Deschi')
    assert 'data: {"text":"Deschidem zilnic la nouă."}' in rest


async def test_a_client_that_goes_away_ends_the_request_to_the_model() -> None:
    async with by_model(hangs) as (api, model):
        asking = asyncio.create_task(api.client.post(api.path, json=ANA))
        await model.until(lambda stub: len(stub.requests) == 2)
        asking.cancel()
        await model.until(lambda stub: stub.hung_up == 1)

        assert 'ai_agent_suggestions_total{outcome="cancelled"} 1.0' in await api.metrics()


async def test_a_failure_is_an_event_with_a_problem_that_leaks_nothing() -> None:
    failing = refuses("400 Bad Request", message="the secret reason")
    async with by_model(failing) as (api, _):
        response = await api.client.post(api.path, json=ANA)

    (event, problem) = events(response.text)[-1]
    assert (event, problem["code"], problem["status"]) == ("error", "assistant_failed", 503)
    assert "secret" not in response.text


async def test_more_than_a_few_at_once_are_told_when_to_come_again() -> None:
    async with by_model(hangs) as (api, model):
        asking = [asyncio.create_task(api.client.post(api.path, json=ANA)) for _ in range(4)]
        await model.until(lambda stub: len(stub.requests) == 5)
        refused = await api.client.post(api.path, json=ANA)
        for each in asking:
            each.cancel()
        await model.until(lambda stub: stub.hung_up == 4)

    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_suggestions")
    assert int(refused.headers["retry-after"]) > 0


async def test_a_business_past_its_hard_budget_is_refused_before_the_model_is_asked() -> None:
    async with by_model(hangs, ai_budget_hard_tokens=1) as (api, model):
        refused = await api.client.post(api.path, json={})

    assert (refused.status_code, refused.json()["code"]) == (409, "budget_spent")
    assert len(model.requests) == 1


async def test_the_demo_suggests_what_it_knows_and_does_not_say_that_it_is_one() -> None:
    async with live() as api:
        response = await api.client.post(api.path, json={})

    text = events(response.text)[-1][1]["text"]
    assert text
    assert "demonstrativ" not in text


@pytest.mark.parametrize("body", ["[]", '{"coordinatorId": 5}', '{"coordinatorId": ""}'])
async def test_a_body_that_is_no_request_is_refused(body: str) -> None:
    async with live() as api:
        headers = {"Content-Type": "application/json"}
        refused = await api.client.post(api.path, content=body, headers=headers)

    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_payload")
