"""One node of several listens to a live chat; when it ends, another one does."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.e2e.plain_phoenix.system import CHAT, WHO, next_join, next_of, text_of
from tests.support.bridge_client import bridge_client
from tests.support.plain_phoenix import PlainPhoenix, PlainSettings
from tests.support.process import ServerProcess, server
from tests.support.redis_server import RedisServer, redis_server
from tests.support.server import running
from tests.support.user import PATIENCE_S, user
from tests.support.wire import Product

RELAYED = 'notices_total{kind="relay",outcome="delivered"}'


@asynccontextmanager
async def node(folder: Path, bridge: str, redis: RedisServer) -> AsyncIterator[ServerProcess]:
    """Run a process of the server, on the store in this folder."""
    async with server(
        folder,
        BRIDGE="elixir",
        BROKER="redis",
        REDIS_URL=redis.url,
        ELIXIR_HTTP_URL=f"http://{bridge}",
        ELIXIR_WEBSOCKET_URL=f"ws://{bridge}/socket/websocket",
        TURN_QUIET_MS="0",
        SCRIPTED_DELAY_MS="0",
    ) as process:
        yield process


@asynccontextmanager
async def api_of(process: ServerProcess) -> AsyncIterator[Product]:
    async with httpx.AsyncClient(base_url=f"http://{process.address}") as api:
        yield Product(process.address, api)


async def stored_by(product: Product) -> float:
    """Return the number of messages from the bridge that a process has stored."""
    return await product.metric('ai_agent_bridge_events_total{outcome="stored"}')


async def until_settled(products: Iterable[Product], count: int) -> None:
    """Return once as many of the user's messages are delivered, and known to be."""
    async with asyncio.timeout(PATIENCE_S):
        while sum([await each.metric(RELAYED) for each in products]) < count:
            pass


@pytest.mark.parametrize(
    ("ending", "within_s"), [(signal.SIGKILL, 10.0), (signal.SIGTERM, 2.0)], ids=["kill", "stop"]
)
async def test_when_the_node_that_listens_ends_another_one_does(
    ending: signal.Signals, within_s: float, tmp_path: Path
) -> None:
    """Nothing is stored twice, and what the user writes arrives in its order."""
    application = PlainPhoenix(PlainSettings(texts_only=True))
    with redis_server() as redis:
        async with (
            running(application.app()) as bridge,
            bridge_client(bridge, CHAT, {**WHO, "page": True}) as maria,
            node(tmp_path, bridge, redis) as one,
            node(tmp_path, bridge, redis) as two,
            api_of(one) as first,
            api_of(two) as second,
            user(one.address) as at_one,
            user(two.address) as at_two,
        ):
            for ana in (at_one, at_two):
                await ana.join()
            await at_one.ask_for_human()
            await next_of(application.requests, "POST", "/api/notifications")
            maria.cast("agent_message", message="Unu")
            for ana in (at_one, at_two):
                await ana.wait_for("agent_message", message="Unu")
            listens = [await stored_by(each) for each in (first, second)]
            ends, ana, left = (one, at_two, second) if listens[0] else (two, at_one, first)
            for text in ("Da", "Da"):
                await ana.say(text)
            relayed = [text_of(await maria.wait_for("user_message")) for _ in range(2)]
            # What a process dies with unsettled, another one sends again.
            await until_settled((first, second), len(relayed))
            while not application.joins.empty():
                application.joins.get_nowait()
            ends.signal(ending)
            began = time.monotonic()
            await next_join(application)
            took = time.monotonic() - began
            await ana.say("Nu")
            relayed.append(text_of(await maria.wait_for("user_message")))
            maria.cast("agent_message", message="Doi")
            await ana.wait_for("agent_message", message="Doi")
            log = await left.log()

    assert sorted(listens) == [0, 1]
    assert took < within_s
    assert relayed == ["Da", "Da", "Nu"]
    assert [each["message"] for each in log if each.get("author") == "user"] == relayed
    assert [each["message"] for each in log if each.get("author") == "coordinator"] == [
        "Unu",
        "Doi",
    ]
