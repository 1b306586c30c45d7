"""The live chat with an ordinary Phoenix application in the bridge's place."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import combinations
from typing import Any

import httpx
import pytest

from tests.support.plain_phoenix import PlainPhoenix, PlainSettings, Received
from tests.support.server import running
from tests.support.user import PATIENCE_S, User, user
from tests.support.wire import Product, product

CHAT = "chat:b1:u1"
WHO = {"businessId": "b1", "userId": "u1"}
KNOBS: list[dict[str, Any]] = [
    {"returns_to_sender": False},
    {"token": "t0p-s3cret"},
    {"wraps": True},
]


@asynccontextmanager
async def talking(
    application: PlainPhoenix,
) -> AsyncIterator[tuple[Product, User, httpx.AsyncClient]]:
    """Return the server, a user, and the application's own HTTP."""
    async with running(application.app()) as address:
        async with (
            product(
                bridge="elixir",
                elixir_http_url=f"http://{address}",
                elixir_websocket_url=f"ws://{address}/socket/websocket?key=us3r-s3cret",
                elixir_token="t0p-s3cret",
            ) as server,
            user(server.address) as ana,
            httpx.AsyncClient(base_url=f"http://{address}") as http,
        ):
            await ana.join()
            yield server, ana, http


async def next_of(queue: "asyncio.Queue[Received]", what: str, where: str) -> Received:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            received = await queue.get()
            if (received.where, received.what) == (where, what):
                return received


@pytest.mark.parametrize("knobs", [{}, *KNOBS, *(a | b for a, b in combinations(KNOBS, 2))])
async def test_a_conversation_goes_to_a_coordinator_and_back(knobs: dict[str, Any]) -> None:
    application = PlainPhoenix(PlainSettings(replies=True, **knobs))
    async with talking(application) as (server, ana, http):
        await ana.say("Bună!")
        await ana.wait_for("new_message", author="ai")
        asked = await ana.ask_for_human()
        transfer = await next_of(application.requests, "POST", "/api/notifications")
        said = {**WHO, "message": "Bună, sunt Maria."}
        await http.post("/api/agent-responses", json=said)
        await ana.wait_for("agent_message", message=said["message"])
        await ana.wait_for("conversation_status", status="live")
        await ana.request("typing", {})
        await ana.say("Vreau o masă.")
        relayed = await next_of(application.events, "user_message", CHAT)
        application.broadcast(CHAT, "agent_message", {"body": "Gata.", "agent_name": "Maria"})
        await ana.wait_for("agent_message", message="Gata.", coordinatorId="Maria")
        session_id = asked["sessionId"]
        await server.api.put(f"/api/conversation-status/{session_id}", json={"status": "ai"})
        await ana.wait_for("conversation_status", status="ai")
        await ana.say("Mulțumesc!")
        await ana.wait_for("new_message", author="ai")

        assert transfer.payload["sessionId"] == session_id
        assert relayed.payload["message"] == "Vreau o masă."
        assert application.joins.qsize() == 1  # no event has crashed the channel
        host = server.address.partition(":")[0]
        assert asked["liveChat"]["url"].startswith(f"ws://{host}:")
        assert "s3cret" not in str([asked, ana.pushes])


async def test_the_live_chat_survives_a_disconnect_of_all_sockets() -> None:
    application = PlainPhoenix(PlainSettings(replies=True))
    async with talking(application) as (_, ana, http):
        await ana.ask_for_human()
        await next_of(application.joins, "phx_join", CHAT)
        await application.disconnect()
        await next_of(application.joins, "phx_join", CHAT)
        await ana.say("Mai sunteți acolo?")
        relayed = await next_of(application.events, "user_message", CHAT)
        await http.post("/api/agent-responses", json={**WHO, "message": "Da."})

        assert relayed.payload["message"] == "Mai sunteți acolo?"
        await ana.wait_for("agent_message", message="Da.")
