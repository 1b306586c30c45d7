"""People at a plain Phoenix application write unasked, while the AI has the conversation."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.support.plain_phoenix import PlainPhoenix, PlainSettings
from tests.support.server import running
from tests.support.user import PATIENCE_S, User, user
from tests.support.wire import Product, product

CHAT = "chat:b1:u1"


@asynccontextmanager
async def with_ai(application: PlainPhoenix) -> AsyncIterator[tuple[Product, User]]:
    """Yield the server and a user, who has an answer of the AI and whose topic is joined."""
    async with running(application.app()) as address:
        async with (
            product(
                bridge="elixir",
                elixir_http_url=f"http://{address}",
                elixir_websocket_url=f"ws://{address}/socket/websocket",
            ) as server,
            user(server.address) as ana,
        ):
            await ana.join()
            await ana.say("Bună!")
            await ana.wait_for("new_message", author="ai")
            await came(application.joins, CHAT)
            yield server, ana


async def came(queue: "asyncio.Queue[Any]", where: str) -> None:
    """Return once something has come to a topic or a path of the application."""
    async with asyncio.timeout(PATIENCE_S):
        while (await queue.get()).where != where:
            pass


async def test_a_user_who_writes_unasked_at_the_bridge_has_asked_for_a_human() -> None:
    application = PlainPhoenix(PlainSettings(replies=True))
    async with with_ai(application) as (server, ana):
        said = {"message": "Vreau un om.", "timestamp": "2030-01-01T12:00:00Z"}
        for _ in range(2):
            application.broadcast(CHAT, "user_message", said)
        await ana.wait_for("conversation_status", status="waiting", reason="user_request")
        await came(application.requests, "/api/notifications")
        await ana.wait_for("conversation_status", status="waiting", reason="delivered")
        application.broadcast(CHAT, "agent_message", {"body": "Bună, sunt Maria."})
        await ana.wait_for("agent_message", message="Bună, sunt Maria.")
        texts = [entry.get("message") for entry in await server.log()]

        assert texts.count("Vreau un om.") == 1
        assert application.events.empty()  # nothing was sent back


async def test_a_coordinator_who_writes_unasked_at_the_bridge_has_the_conversation() -> None:
    application = PlainPhoenix()
    async with with_ai(application) as (_, ana):
        application.broadcast(CHAT, "agent_message", {"body": "Preiau eu.", "agent_name": "Maria"})
        await ana.wait_for("conversation_status", status="live", coordinatorId="Maria")

        await ana.wait_for("agent_message", message="Preiau eu.")
