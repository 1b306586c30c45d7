"""The bridge's client of the AI agent server's API: the outcome of each kind of response."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from litestar import Litestar, Response, route

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
from domain.identity import CoordinatorId, SessionId
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
