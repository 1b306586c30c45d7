"""One node of several listens to a live chat; when it ends, another one does."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from tests.e2e.plain_phoenix.system import CHAT, WHO, next_join, next_of, text_of
from tests.support.bridge_client import BridgeClient, bridge_client
from tests.support.plain_phoenix import PlainPhoenix, PlainSettings
from tests.support.process import ServerProcess, server
from tests.support.redis_server import RedisServer, redis_server
from tests.support.server import running
from tests.support.user import PATIENCE_S, User, user
from tests.support.wire import Product

OUTCOMES = ("stored", "duplicate")
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


async def handled(product: Product, *outcomes: str) -> float:
    """Return the number of messages from the bridge that a process has handled so."""
    metrics = [f'ai_agent_bridge_events_total{{outcome="{outcome}"}}' for outcome in outcomes]
    return sum([await product.metric(metric) for metric in metrics])


async def until_settled(products: Iterable[Product], wanted: int) -> None:
    """Return once as many of the user's messages are delivered, and known to be."""
    async with asyncio.timeout(PATIENCE_S):
        while sum([await each.metric(RELAYED) for each in products]) < wanted:
            pass


async def first_heard(maria: BridgeClient, ana: User) -> str:
    """Let Maria speak until Ana receives it; return what she then did."""
    for number in count():
        text = f"Alo {number}"
        maria.cast("agent_message", message=text)
        with suppress(TimeoutError):
            async with asyncio.timeout(0.2):
                await ana.wait_for("agent_message", message=text)
                return text
    raise AssertionError


class Chat(NamedTuple):
    """A live chat at a plain application, and the two nodes of the server."""

    application: PlainPhoenix
    redis: RedisServer
    maria: BridgeClient
    processes: tuple[ServerProcess, ServerProcess]
    apis: tuple[Product, Product]
    users: tuple[User, User]
    """Ana, at each of the nodes."""
    listens: list[float]
    """1 for the node that has stored Maria's first message, and 0."""


@asynccontextmanager
async def chat(folder: Path) -> AsyncIterator[Chat]:
    """Begin a live chat, in which Maria has said one thing."""
    application = PlainPhoenix(PlainSettings(texts_only=True))
    with redis_server() as redis:
        async with (
            running(application.app()) as bridge,
            bridge_client(bridge, CHAT, {**WHO, "page": True}) as maria,
            node(folder, bridge, redis) as one,
            node(folder, bridge, redis) as two,
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
            listens = [await handled(each, "stored") for each in (first, second)]
            yield Chat(
                application, redis, maria, (one, two), (first, second), (at_one, at_two), listens
            )


def texts(log: list[dict[str, Any]], author: str) -> list[str]:
    return [each["message"] for each in log if each.get("author") == author]


@pytest.mark.parametrize(
    ("ending", "within_s"), [(signal.SIGKILL, 10.0), (signal.SIGTERM, 2.0)], ids=["kill", "stop"]
)
async def test_when_the_node_that_listens_ends_another_one_does(
    ending: signal.Signals, within_s: float, tmp_path: Path
) -> None:
    """Nothing is stored twice, and what the user writes arrives in its order."""
    async with chat(tmp_path) as whole:
        owner = whole.listens.index(1)
        ana, maria = whole.users[1 - owner], whole.maria
        for text in ("Da", "Da"):
            await ana.say(text)
        relayed = [text_of(await maria.wait_for("user_message")) for _ in range(2)]
        # What a process dies with unsettled, another one sends again.
        await until_settled(whole.apis, len(relayed))
        whole.processes[owner].signal(ending)
        began = time.monotonic()
        heard = await first_heard(maria, ana)
        took = time.monotonic() - began
        await ana.say("Nu")
        relayed.append(text_of(await maria.wait_for("user_message")))
        maria.cast("agent_message", message="Doi")
        await ana.wait_for("agent_message", message="Doi")
        log = await whole.apis[1 - owner].log()

    assert sorted(whole.listens) == [0, 1]
    assert took < within_s
    assert relayed == texts(log, "user") == ["Da", "Da", "Nu"]
    by_coordinator = texts(log, "coordinator")
    assert by_coordinator[0] == "Unu"
    assert by_coordinator[-2:] == [heard, "Doi"]
    assert len(set(by_coordinator)) == len(by_coordinator)


async def test_without_the_broker_both_nodes_listen_and_nothing_is_stored_twice(
    tmp_path: Path,
) -> None:
    async with chat(tmp_path) as whole:
        while not whole.application.joins.empty():
            whole.application.joins.get_nowait()
        whole.redis.kill()
        await next_join(whole.application)
        for text in ("Da", "Da", "Nu"):
            whole.maria.cast("agent_message", message=text)
        for ana in whole.users:
            await ana.wait_for("agent_message", message="Nu")
            for text in ("Alo", "Alo"):
                await ana.say(text)
        relayed = [text_of(await whole.maria.wait_for("user_message")) for _ in range(4)]
        # Both receive what Maria says, and each the messages that the other has relayed.
        async with asyncio.timeout(PATIENCE_S):
            while sum([await handled(each, *OUTCOMES) for each in whole.apis]) < 1 + 6 + 4:
                pass
        log = await whole.apis[0].log()

    assert relayed == texts(log, "user") == ["Alo"] * 4
    assert texts(log, "coordinator") == ["Unu", "Da", "Da", "Nu"]
