"""The bridge's client of the AI agent server's API: the outcome of each kind of response."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple

import pytest
from litestar import Litestar, Request, Response, get, post, route
from litestar.params import Body
from litestar.response import Stream

from adapters.bridge.agent_server import HttpAgentServer
from application.bridge.ports import AgentServerUnavailable
from domain.bridge.live_chat import PendingCommand, ServerState
from domain.errors import (
    ConfirmationExpired,
    ConfirmationWithdrawn,
    Refusal,
    SessionClosed,
    TransitionRefused,
    UnknownConfirmation,
    UnknownSession,
)
from domain.identity import BusinessId, CoordinatorId, MessageId, SessionId
from domain.status import Status
from tests.support.server import running

S1 = SessionId("s1")
MARIA = CoordinatorId("maria")
AT = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)
COMMAND = PendingCommand(command_id="c1", status=Status.LIVE, at=AT, coordinator_id=MARIA)
HEAD = b"""{"status":"live","updatedAt":"2030-01-01T12:00:00.000Z","summary":null,
    "transfer":{"coordinatorId":"maria"},"epoch":3}"""


@asynccontextmanager
async def answering(status: int, content: bytes) -> AsyncIterator[HttpAgentServer]:
    """A client of a server that gives the same response to everything."""

    @route(["/", "/{path:path}"], http_method=["GET", "PUT", "POST"])
    async def answer() -> Response[bytes]:
        return Response(content, status_code=status, media_type="application/json")

    app = Litestar([answer], openapi_config=None, logging_config=None)
    async with running(app) as address, HttpAgentServer(f"http://{address}/") as server:
        yield server


async def test_a_head_is_read_as_the_state_of_the_conversation() -> None:
    async with answering(200, HEAD) as server:
        set_to = await server.set_status(S1, COMMAND)
        is_at = await server.state(S1)

    assert set_to == is_at
    assert set_to == ServerState(status=Status.LIVE, at=AT, coordinator_id=MARIA)


@pytest.mark.parametrize("counts", ["yes", "no"])
async def test_the_answer_that_counts_is_the_servers(counts: str) -> None:
    async with answering(200, b'{"confirmId":"s1-3","answer":"%s"}' % counts.encode()) as server:
        found = await server.confirm(S1, "s1-3", True, MARIA)

    assert found is (counts == "yes")


@pytest.mark.parametrize("status", [302, 401, 403, 408, 425, 429, 500, 502, 503, 504])
async def test_a_status_that_may_pass_is_an_unavailable_server(status: int) -> None:
    async with answering(status, b"{}") as server:
        with pytest.raises(AgentServerUnavailable, match=str(status)):
            await server.set_status(S1, COMMAND)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b'{"code":"session_closed"}', SessionClosed),
        (b'{"code":"transition_refused"}', TransitionRefused),
        (b'{"code":"unknown_session"}', UnknownSession),
        (b'{"code":"unknown_confirmation"}', UnknownConfirmation),
        (b'{"code":"expired"}', ConfirmationExpired),
        (b'{"code":"withdrawn"}', ConfirmationWithdrawn),
        (b'{"code":"another"}', Refusal),
        (b"[]", Refusal),
        (b"<html>", Refusal),
    ],
)
async def test_a_final_status_is_a_refusal_with_its_code(
    content: bytes, error: type[Refusal]
) -> None:
    async with answering(409, content) as server:
        with pytest.raises(Refusal) as refused:
            await server.set_status(S1, COMMAND)

    assert type(refused.value) is error


async def test_a_code_that_the_client_does_not_know_is_passed_on() -> None:
    async with answering(409, b'{"code":"budget_spent"}') as server:
        with pytest.raises(Refusal) as refused:
            await server.whisper(S1, MessageId("m1"), "Fii scurt.", MARIA)

    assert refused.value.code == "budget_spent"
    assert Refusal.code == "refused"


NO_ZONE = b'{"status":"ai","updatedAt":"2026-01-31T12:00:00"}'


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"{}", b'{"status":"napping"}', b'{"status":"\xff"}', NO_ZONE]
)
async def test_a_body_of_another_shape_is_an_unavailable_server(content: bytes) -> None:
    async with answering(200, content) as server:
        with pytest.raises(AgentServerUnavailable, match="not an AI agent server"):
            await server.state(S1)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://", "nowhere"])
async def test_an_unreachable_address_is_an_unavailable_server(url: str) -> None:
    async with HttpAgentServer(url) as server:
        with pytest.raises(AgentServerUnavailable):
            await server.messages(S1, None, 50)


class Suggesting(NamedTuple):
    server: HttpAgentServer
    gone: asyncio.Event
    """Set once the client has gone before the end."""

    async def parts(self) -> list[str]:
        return [part async for part in self.server.suggestion(S1, MARIA)]


@asynccontextmanager
async def suggesting(*parts: bytes, then: asyncio.Event | None = None) -> AsyncIterator[Suggesting]:
    """A client of a server that streams these parts, and ends unless it is to wait for `then`."""
    gone = asyncio.Event()

    async def stream() -> AsyncIterator[bytes]:
        try:
            for part in parts:
                yield part
            if then is not None:
                await then.wait()
        except asyncio.CancelledError:
            gone.set()
            raise

    @post("/api/conversations/s1/suggestion", status_code=200)
    async def suggestion(data: Annotated[dict[str, str], Body()]) -> Stream:
        assert data == {"coordinatorId": "maria"}
        return Stream(stream(), media_type="text/event-stream")

    app = Litestar([suggestion], openapi_config=None, logging_config=None)
    async with running(app) as address, HttpAgentServer(f"http://{address}") as server:
        yield Suggesting(server, gone)


async def test_a_suggestion_comes_in_parts_wherever_the_bytes_are_cut() -> None:
    pieces = 'data: {"delta":"Bună\u2028"}\n\n:\n\ndata: {"delta":"ziua "}\n\n'
    sent = pieces + 'data: {"text":"Bună\u2028ziua"}\n\n'
    async with suggesting(*[bytes([byte]) for byte in sent.encode()]) as app:
        assert await app.parts() == ["Bună\u2028", "ziua "]


async def test_a_suggestion_that_was_begun_anew_voids_what_came_before() -> None:
    async with suggesting(b'data: {"delta":"Not"}\n\ndata: {"text":"Yes."}\n\n') as app:
        assert await app.parts() == ["Not", "", "Yes."]


async def test_a_suggestion_that_fails_says_why() -> None:
    async with suggesting(b'event: error\ndata: {"code":"assistant_failed"}\n\n') as app:
        with pytest.raises(Refusal) as refused:
            await app.parts()

    assert refused.value.code == "assistant_failed"


async def test_a_suggestion_without_an_end_is_an_unavailable_server() -> None:
    async with suggesting(b'data: {"delta":"Bun"}\n\n') as app:
        with pytest.raises(AgentServerUnavailable, match="no end"):
            await app.parts()


async def test_who_goes_away_from_a_suggestion_closes_the_connection() -> None:
    async with suggesting(b'data: {"delta":"Bun"}\n\n', then=asyncio.Event()) as app:
        begun = asyncio.Event()

        async def read() -> None:
            async for _ in app.server.suggestion(S1, MARIA):
                begun.set()

        reading = asyncio.create_task(read())
        await begun.wait()
        reading.cancel()

        async with asyncio.timeout(10):
            await app.gone.wait()


async def test_too_many_suggestions_are_a_refusal_and_the_server_is_there() -> None:
    async with answering(429, b'{"code":"too_many_suggestions"}') as server:
        with pytest.raises(Refusal) as refused:
            await anext(server.suggestion(S1, MARIA))

    assert refused.value.code == "too_many_suggestions"


async def test_a_report_is_asked_for_its_days() -> None:
    asked: list[dict[str, str]] = []

    @get("/api/outcomes")
    async def outcomes(request: Request[Any, Any, Any]) -> dict[str, Any]:
        asked.append(dict(request.query_params))
        return {"days": []}

    app = Litestar([outcomes], openapi_config=None, logging_config=None)
    async with running(app) as address, HttpAgentServer(f"http://{address}") as server:
        found = await server.outcomes(BusinessId("b1"), "2030-01-01", None)

    assert found == {"days": []}
    assert asked == [{"businessId": "b1", "from": "2030-01-01"}]


async def test_a_whisper_is_posted_with_its_id_and_its_author() -> None:
    posted: list[dict[str, str]] = []

    @post("/api/conversations/s1/whispers")
    async def whispers(data: Annotated[dict[str, str], Body()]) -> dict[str, Any]:
        posted.append(data)
        return {"messageId": "m1", "seq": 7, "duplicate": False}

    app = Litestar([whispers], openapi_config=None, logging_config=None)
    async with running(app) as address, HttpAgentServer(f"http://{address}") as server:
        stored = await server.whisper(S1, MessageId("m1"), "Fii scurt.", MARIA)

    assert stored["seq"] == 7
    assert posted == [{"text": "Fii scurt.", "messageId": "m1", "coordinatorId": "maria"}]
