"""Who is present at the bridge: asked over HTTP, and remembered for a while."""

import asyncio
from typing import Any

import pytest

from adapters.elixir.additions import Additions
from adapters.elixir.presence import LONGEST_WAIT_S, PRESENCE_TTL_S, ElixirPresence
from adapters.system import SystemClock
from domain.identity import BusinessId
from tests.integration.elixir.test_http import connected
from tests.support.bridge import HANG, FaultyBridge, status
from tests.support.model_turns import ShiftedClock

B1 = BusinessId("b1")
PATH = "/api/business/b1/presence"


def announced(*additions: str) -> Additions:
    """Return the additions of a bridge that announces these with the business."""
    made = Additions()
    made.announce(B1, {"additions": [*additions]})
    return made


@pytest.mark.parametrize(
    ("found", "online"),
    [
        ({"online": 2}, 2),
        ({"online": 0}, 0),
        ({"data": {"online": 1}}, 1),
        ({"online": -1}, None),
        ({"online": True}, None),
        ({"online": "2"}, None),
        ({"online": None}, None),
        ({}, None),
        ([2], None),
        (2, None),
    ],
)
async def test_how_many_are_present_is_a_number_or_else_unknown(
    found: Any, online: int | None
) -> None:
    async with FaultyBridge(facts={PATH: found}) as bridge, connected(bridge) as http:
        presence = ElixirPresence(http, announced("presence"), SystemClock())

        assert await presence.online(B1) == online


async def test_nobody_is_asked_who_has_not_announced_it() -> None:
    async with FaultyBridge(facts={PATH: {"online": 2}}) as bridge, connected(bridge) as http:
        presence = ElixirPresence(http, announced("typing"), SystemClock())

        assert await presence.online(B1) is None
        assert await ElixirPresence(None, announced("presence"), SystemClock()).online(B1) is None
        assert bridge.asked == []


async def test_an_answer_counts_for_a_while_and_serves_all_who_ask_meanwhile() -> None:
    clock = ShiftedClock()
    async with FaultyBridge(facts={PATH: {"online": 2}}) as bridge, connected(bridge) as http:
        presence = ElixirPresence(http, announced("presence"), clock)
        at_once = await asyncio.gather(*[presence.online(B1) for _ in range(5)])
        bridge.facts[PATH] = {"online": 0}
        soon = await presence.online(B1)
        clock.forward(PRESENCE_TTL_S)
        later = await presence.online(B1)

        assert (at_once, soon, later) == ([2] * 5, 2, 0)
        assert len(bridge.asked) == 2


@pytest.mark.parametrize("fault", [status(404), status(500), HANG], ids=["404", "500", "hangs"])
async def test_a_bridge_that_does_not_tell_costs_a_second_at_most_and_once(fault: Any) -> None:
    async with FaultyBridge(always=fault) as bridge, connected(bridge) as http:
        presence = ElixirPresence(http, announced("presence"), SystemClock())
        loop = asyncio.get_running_loop()
        begun = loop.time()

        assert [await presence.online(B1) for _ in range(3)] == [None] * 3
        assert loop.time() - begun < 2 * LONGEST_WAIT_S
        assert len(bridge.asked) == 1
