"""A stream survives: joins in mid-answer, stops, and moves between servers on one store."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import httpx
import pytest
from dependency_injector import providers
from websockets.exceptions import ConnectionClosed

from adapters.memory.store import MemoryStore
from adapters.system import SystemClock
from domain.texts import Text, localized
from entrypoints.access.rate_limits import REQUESTS_PER_MESSAGE
from entrypoints.server.app import create_app, drain
from entrypoints.server.container import Container
from entrypoints.settings import Settings
from tests.support.assistants import HANG, PAUSE, ScriptedSteps
from tests.support.broker import Network
from tests.support.server import running
from tests.support.user import PATIENCE_S, Refused, User, user
from tests.support.wire import Product, product

SERVICE_RESTART = 1012


class Cluster:
    """Servers in this process, with one store, one assistant, and a network between them."""

    def __init__(self, assistant: ScriptedSteps) -> None:
        self.assistant = assistant
        self.network = Network(SystemClock())
        self._store = MemoryStore()

    @asynccontextmanager
    async def server(self, **chosen: Any) -> AsyncIterator["Node"]:
        """Run one more server, whose turns start at once."""
        settings = Settings(**{"store": "memory", "broker": "redis", "turn_quiet_ms": 0, **chosen})
        container = Container(settings=settings)
        container.broker.override(providers.Object(self.network.join()))
        container.leases.override(providers.Object(self.network.leases))
        container.turn_leases.override(providers.Object(self.network.leases))
        container.store.override(providers.Object(self._store))
        container.assistant.override(providers.Object(self.assistant))
        async with running(create_app(settings, container)) as address:
            yield Node(address, container)


class Node:
    """One server of a cluster."""

    def __init__(self, address: str, container: Container) -> None:
        self.address = address
        self.drain = partial(drain, container)


async def asked(customer: User, **join: Any) -> None:
    """Join and send a message."""
    await customer.join(stream=True, **join)
    await customer.say("Bună ziua!", messageId="m1")


async def shown(customer: User, text: str) -> list[dict[str, Any]]:
    """Wait until the pieces add up to `text`; return them."""
    pieces: list[dict[str, Any]] = []
    while "".join(piece["text"] for piece in pieces) != text:
        pieces.append(await customer.wait_for("message_delta"))
    return pieces


async def closed(customer: User) -> int:
    """Read until the server closes; the code."""
    with pytest.raises(ConnectionClosed) as end:
        await customer.wait_for("nothing that there is")
    assert end.value.rcvd is not None
    return end.value.rcvd.code


@asynccontextmanager
async def served(assistant: ScriptedSteps, **chosen: Any) -> AsyncIterator[Product]:
    """A server with this assistant."""
    settings = Settings(store="memory", turn_quiet_ms=0, **chosen)
    container = Container(settings=settings)
    container.assistant.override(providers.Object(assistant))
    async with product(container=container, **chosen) as running_product:
        yield running_product


# In mid-answer.


async def test_who_rejoins_in_mid_answer_gets_the_text_so_far_and_then_the_rest() -> None:
    assistant = ScriptedSteps(["Da, ", "desigur", PAUSE, ", vă aștept."])
    async with served(assistant) as server:
        async with user(server.address) as first:
            await asked(first)
            await shown(first, "Da, desigur")
        async with user(server.address) as again, user(server.address) as plain:
            joined = await again.join(stream=True, lastSeq=1)
            await plain.join()
            so_far = await again.wait_for("message_delta")
            assistant.go()
            rest = await again.wait_for("message_delta")
            answer = await again.wait_for("new_message")
            await plain.wait_for("new_message")

    assert joined["messages"] == []
    assert (so_far["index"], so_far["text"]) == (0, "Da, desigur")
    assert (rest["index"], rest["text"]) == (1, ", vă aștept.")
    assert so_far["responseId"] == rest["responseId"] == answer["responseId"]
    assert answer["message"] == "Da, desigur, vă aștept."
    assert [event for event, _ in plain.pushes if event == "message_delta"] == []


async def test_a_second_tab_in_mid_answer_disturbs_the_first_one_not() -> None:
    assistant = ScriptedSteps(["Da, ", PAUSE, "desigur."])
    async with (
        served(assistant) as server,
        user(server.address) as first,
        user(server.address) as second,
    ):
        await asked(first)
        pieces = await shown(first, "Da, ")
        await second.join(stream=True)
        await shown(second, "Da, ")
        assistant.go()
        pieces += await shown(first, "desigur.")
        await shown(second, "desigur.")

    assert [piece["index"] for piece in pieces] == [0, 1]


# Stopped.


async def test_a_stopped_answer_is_what_was_shown() -> None:
    assistant = ScriptedSteps(["Da, ", "desigur", HANG])
    async with served(assistant) as server, user(server.address) as customer:
        await asked(customer)
        pieces = await shown(customer, "Da, desigur")
        reply = await customer.request("stop_answer", {})
        answer = await customer.wait_for("new_message")
        counted = await server.metric('ai_agent_turns_total{outcome="stopped"}')
        log = await server.log()

    assert reply == {"responseId": pieces[0]["responseId"]}
    assert (answer["responseId"], answer["author"]) == (pieces[0]["responseId"], "ai")
    assert answer["message"] == "Da, desigur"
    assert answer["inReplyTo"] == ["m1"]
    assert [entry["message"] for entry in log] == ["Bună ziua!", "Da, desigur"]
    assert counted == 1


async def test_a_stop_before_the_first_word_is_confirmed_by_a_notice() -> None:
    async with served(ScriptedSteps([HANG])) as server, user(server.address) as customer:
        await asked(customer)
        await customer.wait_for("typing")
        reply = await customer.request("stop_answer", {})
        notice = await customer.wait_for("new_message")

    assert reply == {}
    assert (notice["author"], notice["message"]) == ("system", localized("ro", Text.STOPPED))
    assert notice["inReplyTo"] == ["m1"]


async def test_where_there_is_nothing_to_stop_the_reply_is_empty() -> None:
    async with served(ScriptedSteps()) as server, user(server.address) as customer:
        await customer.join(stream=True)
        first = await customer.request("stop_answer", {})
        await customer.say("Bună ziua!")
        await customer.wait_for("new_message")
        second = await customer.request("stop_answer", {})
        log = await server.log()

    assert (first, second) == ({}, {})
    assert len(log) == 2


async def test_stops_are_limited_like_any_request() -> None:
    chosen = {"rate_limits": "on", "limit_messages_per_user": 1}
    async with served(ScriptedSteps(), **chosen) as server, user(server.address) as customer:
        await customer.join()
        for _ in range(REQUESTS_PER_MESSAGE):
            await customer.request("stop_answer", {})
        with pytest.raises(Refused) as refused:
            await customer.request("stop_answer", {})

    assert refused.value.reason == "rate_limited"


# From one server to another.


async def test_who_moves_to_another_server_in_mid_answer_sees_all_of_it() -> None:
    cluster = Cluster(assistant := ScriptedSteps(["Da, ", "desigur", PAUSE, ", vă aștept."]))
    async with cluster.server() as one, cluster.server() as two:
        async with user(one.address) as first:
            await asked(first)
            await shown(first, "Da, desigur")
        async with user(two.address) as moved:
            await moved.join(stream=True, lastSeq=1)
            so_far = await moved.wait_for("message_delta")
            assistant.go()
            rest = await moved.wait_for("message_delta")
            answer = await moved.wait_for("new_message")

    assert (so_far["index"], so_far["text"]) == (0, "Da, desigur")
    assert (rest["index"], rest["text"]) == (1, ", vă aștept.")
    assert answer["message"] == "Da, desigur, vă aștept."
    assert assistant.turns == 1


async def test_a_server_without_its_broker_shows_the_pieces_once_it_has_read_the_store() -> None:
    cluster = Cluster(assistant := ScriptedSteps(["Da, ", PAUSE, "desigur", PAUSE, "."]))
    async with cluster.server() as one, user(one.address) as customer:
        await asked(customer)
        await shown(customer, "Da, ")
        cluster.network.brokers[0].cut()
        assistant.go()
        await shown(customer, "desigur")
        assistant.go()
        answer = await customer.wait_for("new_message")

    assert answer["message"] == "Da, desigur."


async def test_a_takeover_at_another_server_ends_what_is_shown() -> None:
    cluster = Cluster(assistant := ScriptedSteps(["Da, ", PAUSE, "desigur."]))
    async with cluster.server() as one, cluster.server() as two:
        async with user(one.address) as customer, httpx.AsyncClient() as api:
            await asked(customer)
            await shown(customer, "Da, ")
            joined = await customer.join(stream=True)
            path = f"http://{two.address}/api/conversation-status/{joined['sessionId']}"
            await api.put(path, json={"status": "live", "coordinatorId": "ana"})
            await customer.wait_for("conversation_status", status="live")
            assistant.go()
            await customer.request("history", {})

    assert [each["author"] for _, each in customer.pushes if "author" in each] == ["system"]
    assert assistant.broken_off == 1


async def test_a_server_that_drains_among_others_sends_the_clients_away_and_writes_on() -> None:
    cluster = Cluster(assistant := ScriptedSteps(["Da, ", PAUSE, "desigur."]))
    async with cluster.server() as one, cluster.server() as two:
        async with user(one.address) as first, user(two.address) as moved:
            await asked(first)
            await shown(first, "Da, ")
            draining = asyncio.create_task(one.drain())
            code = await closed(first)
            await moved.join(stream=True, lastSeq=1)
            await shown(moved, "Da, ")
            still_draining = not draining.done()
            assistant.go()
            await shown(moved, "desigur.")
            answer = await moved.wait_for("new_message")
            async with asyncio.timeout(PATIENCE_S):
                await draining

    assert code == SERVICE_RESTART
    assert still_draining
    assert answer["message"] == "Da, desigur."
    assert assistant.turns == 1


async def test_what_is_said_elsewhere_meanwhile_is_answered_there_at_once_after_it() -> None:
    cluster = Cluster(assistant := ScriptedSteps(["Da, ", PAUSE, "desigur."], ["Și asta."]))
    async with cluster.server() as one, cluster.server() as two:
        async with user(one.address) as first, user(two.address) as moved:
            await asked(first)
            await shown(first, "Da, ")
            draining = asyncio.create_task(one.drain())
            await closed(first)
            await moved.join(lastSeq=1)
            await moved.say("Și mâine?", messageId="m2")
            assistant.go()
            one_answer = await moved.wait_for("new_message")
            other_answer = await moved.wait_for("new_message")
            await draining

    assert (one_answer["inReplyTo"], other_answer["inReplyTo"]) == (["m1"], ["m2"])
    assert assistant.turns == 2
