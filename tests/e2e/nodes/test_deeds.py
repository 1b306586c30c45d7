"""What changes something is done once over two processes of one server."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.nodes import Node, Nodes
from tests.support.tool_server import RESERVE, Order, ToolServerProcess, ToolServerState
from tests.support.user import PATIENCE_S, user

FILE = """\
name = "La Ceaun"
language = "ro"

[facts]
telefon = "0269 555 010"

[tools.booking]
url = "{url}"
timeout_s = 1

[tools.booking.allow.reserve_table]
title = "Rezervare masă"
{terms}
"""
TABLE = "reserve_table day=2030-05-14 hour=19:30 guests=4"
WHO = ("resto", "ana")
STORES = ["sqlite", pytest.param("dynamodb", marks=[pytest.mark.dynamodb, pytest.mark.nodes])]


@pytest_asyncio.fixture
async def tools(tmp_path: Path) -> AsyncIterator[ToolServerProcess]:
    with ToolServerProcess(ToolServerState(tmp_path / "booking.db")) as process:
        yield process


def settings(folder: Path, tools: ToolServerProcess, terms: str = "") -> dict[str, str]:
    """Write the business's file; return the settings of a process."""
    path = folder / "businesses" / "resto.toml"
    path.parent.mkdir()
    path.write_text(FILE.format(url=tools.url, terms=terms))
    return {"BUSINESSES": str(path.parent), "SCRIPTED_DELAY_MS": "0"}


async def until_states(node: Node, *states: str) -> None:
    """Return once the log has these steps of calls."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            log = await node.log(*WHO)
            if [entry["write"]["state"] for entry in log if entry.get("write")] == list(states):
                return


@pytest.mark.parametrize("nodes", STORES, indirect=True)
async def test_a_yes_is_acted_on_once_by_another_process_after_the_one_that_has_asked_died(
    nodes: Nodes, tools: ToolServerProcess, tmp_path: Path
) -> None:
    given = settings(tmp_path, tools, 'confirm = "customer"')
    first, second = await nodes.start(**given), await nodes.start(**given)
    async with user(first.address, *WHO) as ana:
        await ana.join()
        await ana.say(TABLE)
        asked = (await ana.wait_for("new_message", author="ai"))["actions"][0]
        await first.process.kill()
    yes = {"confirmId": asked["confirmId"], "answer": "yes"}
    async with user(second.address, *WHO) as ana, user(second.address, *WHO) as other:
        await ana.join()
        await other.join()
        replies = await asyncio.gather(
            ana.request("confirm_action", yes), other.request("confirm_action", yes)
        )
        await until_states(second, "proposed", "approved", "started", "done")

    assert [reply["answer"] for reply in replies] == ["yes", "yes"]
    assert [call.key for call in tools.state.calls()] == [asked["confirmId"]]


@pytest.mark.nodes
@pytest.mark.parametrize("nodes", STORES, indirect=True)
async def test_a_process_that_stands_still_past_its_lease_does_nothing_again_when_it_goes_on(
    nodes: Nodes, tools: ToolServerProcess, tmp_path: Path
) -> None:
    given = settings(tmp_path, tools)
    first, second = await nodes.start(**given), await nodes.start(**given)
    tools.state.order(RESERVE, Order.HANG_AFTER)
    async with user(first.address, *WHO) as ana, user(second.address, *WHO) as other:
        await ana.join()
        await other.join()
        await ana.say(TABLE, messageId="m1")
        async with asyncio.timeout(PATIENCE_S):
            while not tools.state.reservations():
                await second.log(*WHO)
        first.process.signal(signal.SIGSTOP)
        answer = await other.wait_for("new_message", author="ai")
        first.process.signal(signal.SIGCONT)
        await first.log(*WHO)
        await until_states(second, "started", "unknown")

    assert answer["inReplyTo"] == ["m1"]
    assert len(tools.state.calls()) == 1
