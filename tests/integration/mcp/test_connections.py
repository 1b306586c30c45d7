"""Connections to servers of tools: when they are opened and closed, and how many there are."""

import asyncio
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec.structs import replace

from adapters.mcp.tools import IDLE_S, REFRESH_S, SWEEP_S, McpTools
from domain.errors import ToolNotCalled
from domain.tool import AllowedTool, ToolServer
from tests.support.clock import VirtualClock, settle
from tests.support.restaurant import (
    A_DAY,
    A_TABLE,
    ALLOWED,
    business_with,
    listed_tools,
    opened_tools,
    program,
    tool_request,
    website,
)
from tests.support.tool_server import (
    FIND,
    LIST,
    RESERVE,
    Order,
    ToolServerProcess,
    ToolServerState,
)

AWAY = ToolServer(
    name="away",
    url="http://127.0.0.1:9/mcp",
    tools=(AllowedTool(name="x", shown_name="x"),),
    timeout_s=1.0,
)


async def is_listed(tools: McpTools) -> None:
    """Wait until every server has been asked for its tools."""
    tasks = [each.refreshing for each in tools._servers.values() if each.refreshing is not None]
    await asyncio.wait(tasks)


def connected(tools: McpTools) -> int:
    """The number of connections that are open, or being opened."""
    return sum(each.is_connected for each in tools._servers.values())


async def closed(tools: McpTools) -> None:
    """Wait until what is being closed is closed."""
    if tools._closing:
        await asyncio.wait(list(tools._closing))


async def test_the_tools_are_listed_from_the_start_without_delaying_it(tmp_path: Path) -> None:
    state = ToolServerState(tmp_path / "state.db")
    state.order(LIST, Order.HANG_BEFORE)
    slow = business_with(program(state), business_id="b1")
    other = ToolServerState(tmp_path / "other.db")
    quick = business_with(program(other), business_id="b2")
    began = time.monotonic()
    async with opened_tools([slow, quick]) as tools:
        took_s = time.monotonic() - began
        offered = await listed_tools(tools, quick)
        began = time.monotonic()
        await tools.tools(quick)
        again_s = time.monotonic() - began

    assert took_s < 0.5
    assert [*offered] == [FIND, RESERVE]
    assert again_s < 0.1


def test_a_business_without_servers_imports_no_sdk() -> None:
    code = (
        "import asyncio, sys\n"
        "from adapters.mcp.tools import McpTools\n"
        "from adapters.system import SystemClock\n"
        "from tests.support.restaurant import business_with\n"
        "async def main():\n"
        "    async with McpTools(SystemClock(), lambda: 0.5) as tools:\n"
        "        assert await tools.tools(business_with()) == ()\n"
        "asyncio.run(main())\n"
        "heavy = {'mcp', 'mcp_types', 'pydantic', 'starlette', 'httpx2', 'jsonschema'}\n"
        "print(sorted(heavy & sys.modules.keys()))\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout == "[]\n"


async def test_an_unused_connection_is_closed_and_the_next_use_opens_another(
    tmp_path: Path,
) -> None:
    clock = VirtualClock()
    business = business_with(program(ToolServerState(tmp_path / "state.db")))
    async with opened_tools(clock=clock) as tools:
        await tools.call(business, tool_request(FIND, A_DAY))
        await clock.advance(IDLE_S - SWEEP_S)
        kept = connected(tools)
        await clock.advance(3 * SWEEP_S)
        await closed(tools)
        left = connected(tools)
        await tools.call(business, tool_request(FIND, A_DAY))

        assert connected(tools) == 1
    assert (kept, left) == (1, 0)


async def test_a_list_is_read_again_after_some_minutes_and_offered_meanwhile(
    tmp_path: Path,
) -> None:
    clock = VirtualClock()
    state = ToolServerState(tmp_path / "state.db")
    business = business_with(program(state))
    async with opened_tools(clock=clock) as tools:
        await listed_tools(tools, business)
        await clock.advance(REFRESH_S + 1)
        state.order(LIST, Order.HANG_BEFORE)
        began = time.monotonic()
        offered = await tools.tools(business)
        took_s = time.monotonic() - began

    assert len(offered) == 2
    assert took_s < 0.5


async def test_tools_of_a_server_that_has_gone_stay_offered_and_are_not_called(
    tmp_path: Path,
) -> None:
    clock = VirtualClock()
    with ToolServerProcess(ToolServerState(tmp_path / "state.db")) as process:
        business = business_with(website(process, timeout_s=30.0))
        async with opened_tools(clock=clock) as tools:
            before = await listed_tools(tools, business)
            process.kill()
            with pytest.raises(ToolNotCalled):
                await tools.call(business, tool_request(FIND, A_DAY))
            await clock.advance(REFRESH_S + 1)
            await tools.tools(business)
            await is_listed(tools)
            after = {tool.name: tool for tool in await tools.tools(business)}
            process.start()
            await clock.advance(61)
            again = await tools.call(business, tool_request(FIND, A_DAY))

    assert after == before
    assert "free" in again.text


async def test_a_server_that_is_away_is_tried_with_growing_pauses() -> None:
    clock = VirtualClock()
    business = business_with(AWAY)
    attempts = []
    async with opened_tools(clock=clock) as tools:
        for second in range(130):
            try:
                await tools.call(business, tool_request("x", {}))
            except ToolNotCalled as error:
                if "tried again" not in str(error):
                    attempts.append(second)
            await clock.advance(1)

    pauses = [after - before for before, after in pairwise(attempts)]
    assert pauses == sorted(pauses)
    assert pauses[0] <= 1
    assert 30 <= pauses[-1] <= 61


async def test_a_change_of_the_file_counts_for_new_turns_and_those_under_way_go_on(
    tmp_path: Path,
) -> None:
    state, moved = (ToolServerState(tmp_path / name) for name in ("one.db", "two.db"))
    before = business_with(program(state, timeout_s=30.0))
    after = business_with(program(moved, tools=ALLOWED[:1]))
    async with opened_tools() as tools:
        await listed_tools(tools, before)
        under_way = asyncio.create_task(
            tools.call(before, tool_request(RESERVE, A_TABLE, "k1", "centre"))
        )
        offered = await listed_tools(tools, after)
        await tools.call(after, tool_request(FIND, A_DAY))
        answer = await under_way
        with pytest.raises(ToolNotCalled, match="no such tool"):
            await tools.call(after, tool_request(RESERVE, A_TABLE, "k2"))

    assert [*offered] == [FIND]
    assert not answer.is_error
    assert len(state.reservations()) == 1
    assert len(moved.calls(FIND)) == 1


async def test_the_connections_are_bounded_and_the_one_unused_longest_gives_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.mcp.tools.MAX_CONNECTIONS", 2)
    state = ToolServerState(tmp_path / "state.db")
    with ToolServerProcess(state) as process:
        businesses = [
            business_with(website(process, timeout_s=30.0), business_id=f"b{number}")
            for number in range(5)
        ]
        async with opened_tools() as tools:
            for business in businesses:
                await tools.call(business, tool_request(FIND, A_DAY))
                assert connected(tools) <= 2
            state.order(FIND, Order.HANG_BEFORE, times=2)
            busy = [
                asyncio.create_task(tools.call(business, tool_request(FIND, A_DAY)))
                for business in businesses[:2]
            ]
            await settle()
            with pytest.raises(ToolNotCalled, match="too many"):
                await tools.call(businesses[4], tool_request(FIND, A_DAY))
            for task in busy:
                task.cancel()
            await asyncio.gather(*busy, return_exceptions=True)


async def test_a_business_that_is_away_holds_up_no_other(tmp_path: Path) -> None:
    state = ToolServerState(tmp_path / "state.db")
    good, bad = business_with(program(state)), business_with(AWAY, business_id="b2")
    both = business_with(AWAY, program(state), business_id="b3")
    async with opened_tools() as tools:
        offered, none, some = await asyncio.gather(
            *(listed_tools(tools, each) for each in (good, bad, both))
        )

    assert [*offered] == [*some] == [FIND, RESERVE]
    assert none == {}


async def test_a_location_that_the_tool_needs_is_asked_for_before_the_call(tmp_path: Path) -> None:
    state = ToolServerState(tmp_path / "state.db")
    bound = replace(ALLOWED[0], bound={"day": ALLOWED[1].bound["location"]})
    business = business_with(program(state, tools=(bound,)))
    async with opened_tools() as tools:
        await listed_tools(tools, business)
        problem = await tools.problem_with(business, tool_request(FIND, {"guests": 2}))
        with pytest.raises(ToolNotCalled):
            await tools.call(business, tool_request(FIND, {"guests": 2}))

    assert problem == "this conversation has no location, which the tool needs"
    assert state.calls(FIND) == []


async def test_the_report_names_what_is_missing(tmp_path: Path) -> None:
    missing = AllowedTool(name="no_such", shown_name="no_such")
    unbound = replace(ALLOWED[0], bound={"who": ALLOWED[0].bound["customer"]})
    no_look_up = replace(
        ALLOWED[1],
        look_up=replace(ALLOWED[1].look_up, argument="id") if ALLOWED[1].look_up else None,
    )
    tools_of = (missing, unbound, no_look_up)
    business = business_with(program(ToolServerState(tmp_path / "s.db"), tools=tools_of), AWAY)
    async with opened_tools() as tools:
        booking, away = await tools.reports(business)
        (reserve,) = await tools.tools(business)

    assert booking.tools == (RESERVE,)
    assert booking.problems == (
        "no_such: the server has no such tool",
        "find_tables: it has no argument who, which is bound",
        "reserve_table: its look-up, reservation_of, has no argument id",
    )
    assert not reserve.has_look_up
    assert away.problems == ("the tool's server cannot be reached",)
