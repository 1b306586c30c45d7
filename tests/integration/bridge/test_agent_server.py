"""The bridge's client of the AI agent server's API: what each kind of answer comes to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from litestar import Litestar, Response, route

from adapters.bridge.agent_server import HttpAgentServer
from application.bridge.ports import ServerAway
from domain.bridge.live_chat import Told, Wish
from domain.errors import Refusal, SessionClosed, TransitionRefused, UnknownSession
from domain.identity import CoordinatorId, SessionId
from domain.status import Status
from tests.support.server import running

S1 = SessionId("s1")
AT = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)
WISH = Wish(wish_id="w1", status=Status.LIVE, at=AT, coordinator_id=CoordinatorId("maria"))
HEAD = b"""{"status":"live","updatedAt":"2030-01-01T12:00:00.000Z","summary":null,
    "transfer":{"coordinatorId":"maria"},"epoch":3}"""


@asynccontextmanager
async def answering(status: int, content: bytes) -> AsyncIterator[HttpAgentServer]:
    """A client of a server that has the same answer to everything."""

    @route(["/", "/{path:path}"], http_method=["GET", "PUT"])
    async def answer() -> Response[bytes]:
        return Response(content, status_code=status, media_type="application/json")

    app = Litestar([answer], openapi_config=None, logging_config=None)
    async with running(app) as address, HttpAgentServer(f"http://{address}/") as server:
        yield server


async def test_a_head_says_how_the_conversation_is() -> None:
    async with answering(200, HEAD) as server:
        set_to = await server.set_status(S1, WISH)
        is_at = await server.status(S1)

    assert set_to == is_at
    assert set_to == Told(status=Status.LIVE, at=AT, coordinator_id=CoordinatorId("maria"))


@pytest.mark.parametrize("status", [302, 401, 403, 408, 425, 429, 500, 502, 503, 504])
async def test_what_may_succeed_later_is_a_server_that_is_away(status: int) -> None:
    async with answering(status, b"{}") as server:
        with pytest.raises(ServerAway, match=str(status)):
            await server.set_status(S1, WISH)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b'{"code":"session_closed"}', SessionClosed),
        (b'{"code":"transition_refused"}', TransitionRefused),
        (b'{"code":"unknown_session"}', UnknownSession),
        (b'{"code":"another"}', Refusal),
        (b"[]", Refusal),
        (b"<html>", Refusal),
    ],
)
async def test_what_never_succeeds_is_refused_for_the_reason_given(
    content: bytes, error: type[Refusal]
) -> None:
    async with answering(409, content) as server:
        with pytest.raises(Refusal) as refused:
            await server.set_status(S1, WISH)

    assert type(refused.value) is error


@pytest.mark.parametrize("content", [b"", b"<html>", b"{}", b'{"status":"napping"}'])
async def test_what_is_no_agent_server_is_a_server_that_is_away(content: bytes) -> None:
    async with answering(200, content) as server:
        with pytest.raises(ServerAway, match="not an AI agent server"):
            await server.status(S1)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://", "nowhere"])
async def test_where_nobody_answers_the_server_is_away(url: str) -> None:
    async with HttpAgentServer(url) as server:
        with pytest.raises(ServerAway):
            await server.messages(S1, None, 50)
