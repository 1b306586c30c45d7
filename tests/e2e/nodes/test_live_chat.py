"""A live chat at an ordinary Phoenix application, of a server that is two processes."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Any, NamedTuple

import pytest

from tests.e2e.plain_phoenix.system import CHAT, WHO, next_join, next_of, text_of
from tests.support.bridge_client import BridgeClient, bridge_client
from tests.support.nodes import Node, Nodes, reaching
from tests.support.plain_phoenix import PlainPhoenix, PlainSettings
from tests.support.server import running
from tests.support.user import PATIENCE_S, User, user

STORED = ("stored", "duplicate")
OUTCOMES = (*STORED, "late", "closed", "unknown", "malformed")
RELAYED = 'ai_agent_notices_total{kind="relay",outcome="delivered"}'


class Chat(NamedTuple):
    """A live chat at a plain application, and the two processes of the server."""

    application: PlainPhoenix
    maria: BridgeClient
    nodes: tuple[Node, Node]
    users: tuple[User, User]
    """Ana, at each of the processes."""

    async def handled(self, *outcomes: str) -> list[float]:
        """Return the number of the bridge's messages that each process has handled so."""
        metrics = [f'ai_agent_bridge_events_total{{outcome="{each}"}}' for each in outcomes]
        return [sum([await node.metric(metric) for metric in metrics]) for node in self.nodes]

    async def until_handled(self, wanted: int, *outcomes: str) -> None:
        """Return once both processes together have handled as many."""
        async with asyncio.timeout(PATIENCE_S):
            while sum(await self.handled(*outcomes)) < wanted:
                pass

    async def until_settled(self, wanted: int) -> None:
        """Return once as many of the user's messages are delivered, and known to be."""
        async with asyncio.timeout(PATIENCE_S):
            while sum([await node.metric(RELAYED) for node in self.nodes]) < wanted:
                pass

    async def first_received(self, ana: User) -> str:
        """Let Maria speak until Ana receives it; return what she then said."""
        for number in count():
            text = f"Alo {number}"
            self.maria.cast("agent_message", message=text)
            with suppress(TimeoutError):
                async with asyncio.timeout(0.2):
                    await ana.wait_for("agent_message", message=text)
                    return text
        raise AssertionError


@asynccontextmanager
async def chat(
    nodes: Nodes, behaviour: dict[str, Any], *, second_is_late: bool = False, **settings: str
) -> AsyncIterator[Chat]:
    """Begin a live chat, in which Maria has said one thing.

    `second_is_late`: the second process starts after that.
    """
    application = PlainPhoenix(PlainSettings(**behaviour))
    async with (
        running(application.app()) as bridge,
        bridge_client(bridge, CHAT, {**WHO, "page": True}) as maria,
    ):
        given = {**reaching(bridge), "SCRIPTED_DELAY_MS": "0", **settings}
        first = await nodes.start(**given)
        second = await nodes.start(**given) if not second_is_late else None
        async with user(first.address) as ana:
            await ana.join()
            await ana.ask_for_human()
            await next_of(application.requests, "POST", "/api/notifications")
            maria.cast("agent_message", message="Unu")
            await ana.wait_for("agent_message", message="Unu")
            second = second or await nodes.start(**given)
            async with user(second.address) as elsewhere:
                await elsewhere.join()
                yield Chat(application, maria, (first, second), (ana, elsewhere))


def texts(log: list[dict[str, Any]], author: str) -> list[str]:
    """Return the stored texts of an author, in the order of the log."""
    return [each["message"] for each in log if each.get("author") == author]


@pytest.mark.parametrize(
    "behaviour",
    [
        {"texts_only": True},
        pytest.param({"snake_case": True}, marks=pytest.mark.nodes),
        pytest.param({}, marks=pytest.mark.nodes),
        pytest.param({"passes_payload": True}, marks=pytest.mark.nodes),
    ],
    ids=["texts", "times of its own", "times", "ids"],
)
async def test_without_a_broker_nothing_is_stored_twice_whatever_the_application_drops(
    behaviour: dict[str, Any], nodes: Nodes
) -> None:
    async with chat(nodes, behaviour, second_is_late=True, BROKER="none") as whole:
        for _ in whole.nodes:
            await next_join(whole.application)
        by_user: list[str] = []
        by_maria = ["Unu"]
        for number in range(8):
            for writer in whole.users:
                for text in ("da", "da", f"{number}"):
                    await writer.say(text)
                    by_user.append(text)
            said = ["ok", "ok", f"{number}"]
            if (
                "snake_case" in behaviour
            ):  # by its whole seconds, equal texts in one are one message
                said = [f"{number}.1", f"{number}.2"]
            for text in said:
                whole.maria.cast("agent_message", message=text)
                by_maria.append(text)
        relayed = [text_of(await whole.maria.wait_for("user_message")) for _ in by_user]
        whole.maria.cast("agent_message", message="gata")
        by_maria.append("gata")
        # Each relay comes back to its sender, where it is not counted, and to the other process.
        echoes = 0 if "passes_payload" in behaviour else len(by_user)
        await whole.until_handled(1 + 2 * (len(by_maria) - 1) + echoes, *OUTCOMES)
        log = await whole.nodes[0].log()

    assert relayed == by_user
    assert texts(log, "user") == by_user
    assert texts(log, "coordinator") == by_maria


async def test_all_of_a_customers_sockets_are_shown_what_a_coordinator_does(nodes: Nodes) -> None:
    async with chat(nodes, {"additions": ("typing",)}) as whole:
        whole.maria.cast("typing", author="coordinator")
        for ana in whole.users:
            await ana.wait_for("typing", author="coordinator")
        listens = await whole.handled("stored")
        await whole.users[listens.index(0)].request("typing", {})
        await whole.maria.wait_for("typing", author="user")
        whole.maria.cast("agent_message", message="Doi")
        for ana in whole.users:
            await ana.wait_for("agent_message", message="Doi")
        log = await whole.nodes[1].log()

    assert texts(log, "coordinator") == ["Unu", "Doi"]


@pytest.mark.parametrize(
    ("ending", "within_s"),
    [pytest.param(signal.SIGKILL, 10.0, marks=pytest.mark.nodes), (signal.SIGTERM, 2.0)],
    ids=["kill", "stop"],
)
async def test_when_the_process_that_listens_ends_another_one_does(
    ending: signal.Signals, within_s: float, nodes: Nodes
) -> None:
    """Nothing is stored twice, and what the user writes arrives in its order."""
    async with chat(nodes, {"texts_only": True}) as whole:
        listens = await whole.handled("stored")
        owner = listens.index(1)
        ana, maria = whole.users[1 - owner], whole.maria
        for text in ("Da", "Da"):
            await ana.say(text)
        relayed = [text_of(await maria.wait_for("user_message")) for _ in range(2)]
        # What a process dies with unsettled, another one sends again.
        await whole.until_settled(len(relayed))
        whole.nodes[owner].process.signal(ending)
        began = time.monotonic()
        received = await whole.first_received(ana)
        took = time.monotonic() - began
        await ana.say("Nu")
        relayed.append(text_of(await maria.wait_for("user_message")))
        maria.cast("agent_message", message="Doi")
        await ana.wait_for("agent_message", message="Doi")
        log = await whole.nodes[1 - owner].log()

    assert sorted(listens) == [0, 1]
    assert took < within_s
    assert relayed == texts(log, "user") == ["Da", "Da", "Nu"]
    by_coordinator = texts(log, "coordinator")
    assert by_coordinator[0] == "Unu"
    assert by_coordinator[-2:] == [received, "Doi"]
    assert len(set(by_coordinator)) == len(by_coordinator)


@pytest.mark.nodes
async def test_while_the_broker_is_away_both_processes_listen_and_nothing_is_stored_twice(
    nodes: Nodes,
) -> None:
    async with chat(nodes, {"texts_only": True}) as whole:
        while not whole.application.joins.empty():
            whole.application.joins.get_nowait()
        nodes.broker.kill()
        await next_join(whole.application)
        for text in ("Da", "Da", "Nu"):
            whole.maria.cast("agent_message", message=text)
        for ana in whole.users:
            await ana.wait_for("agent_message", message="Nu")
            for text in ("Alo", "Alo"):
                await ana.say(text)
        relayed = [text_of(await whole.maria.wait_for("user_message")) for _ in range(4)]
        # Both receive what Maria says, and each the messages that the other has relayed.
        await whole.until_handled(1 + 6 + 4, *STORED)
        log = await whole.nodes[0].log()
    nodes.broker.start()

    assert relayed == texts(log, "user") == ["Alo"] * 4
    assert texts(log, "coordinator") == ["Unu", "Da", "Da", "Nu"]
