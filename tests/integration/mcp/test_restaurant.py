"""A server by the official SDK, over both transports: what is offered, called and looked up."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from adapters.mcp.tools import _Server
from application.ports import ToolAnswer
from domain.errors import ToolNotCalled, ToolUnanswered
from domain.tool import Effect, ToolServer
from tests.support.restaurant import (
    A_DAY,
    A_TABLE,
    ALLOWED,
    CUSTOMER,
    business_with,
    listed_tools,
    opened_tools,
    program,
    tool_request,
    website,
)
from tests.support.tool_server import (
    ADDED,
    FIND,
    FREE_TIMES,
    LIST,
    RESERVE,
    Order,
    ToolServerProcess,
    ToolServerState,
)

IN_TIME_S, LONG_S = 2.0, 30.0
"""The time of a call that hangs, and of one that only has to come through."""


@dataclass
class Restaurant:
    """The server over one of the transports."""

    state: ToolServerState
    server: ToolServer
    restart: Callable[[], None]


@pytest.fixture(params=["stdio", "http"])
def restaurant(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Restaurant]:
    state = ToolServerState(tmp_path / "state.db")
    if request.param == "stdio":
        server = program(state, timeout_s=LONG_S)
        yield Restaurant(state, server, lambda: None)
        return
    with ToolServerProcess(state, token="s3cret") as process:
        server = website(process, timeout_s=LONG_S, token_variable="TOKEN")

        def restart() -> None:
            process.wait()
            process.start()

        yield Restaurant(state, server, restart)


async def test_what_is_allowed_is_offered_in_the_files_order(restaurant: Restaurant) -> None:
    async with opened_tools(TOKEN="s3cret") as tools:
        offered = await listed_tools(tools, business_with(restaurant.server))

    assert [*offered] == [FIND, RESERVE]
    assert offered[FIND].description == "The free tables of a day."
    assert offered[FIND].effect is Effect.READ
    assert not offered[FIND].has_look_up
    assert offered[RESERVE].effect is Effect.WRITE
    assert offered[RESERVE].has_look_up
    assert offered[RESERVE].timeout_s == LONG_S


async def test_bound_arguments_are_not_shown_and_are_set_whatever_the_model_sends(
    restaurant: Restaurant,
) -> None:
    business = business_with(restaurant.server)
    async with opened_tools(TOKEN="s3cret") as tools:
        offered = await listed_tools(tools, business)
        forged = A_TABLE | {"customer": "another", "location": "elsewhere"}
        await tools.call(business, tool_request(RESERVE, forged, "k1", "centre"))
        await tools.call(business, tool_request(RESERVE, forged, "k2"))

    parameters: Any = offered[RESERVE].parameters
    assert [*parameters["properties"]] == ["day", "hour", "guests"]
    assert parameters["required"] == ["day", "guests", "hour"]
    (with_place, without) = restaurant.state.calls()
    assert with_place.customer == CUSTOMER.user_id
    assert '"location": "centre"' in with_place.arguments
    assert "location" not in without.arguments


async def test_a_call_is_one_request_with_its_key(restaurant: Restaurant) -> None:
    business = business_with(restaurant.server)
    async with opened_tools(TOKEN="s3cret") as tools:
        answer = await tools.call(business, tool_request(RESERVE, A_TABLE, "k1"))
        found = await tools.call(business, tool_request(FIND, A_DAY))

    assert answer.text.startswith('{"day": "2030-05-14"')
    assert FREE_TIMES in found.text
    assert [call.key for call in restaurant.state.calls()] == ["k1"]
    assert [call.key for call in restaurant.state.calls(FIND)] == [None]
    assert [each.key for each in restaurant.state.reservations()] == ["k1"]


async def test_wrong_arguments_are_refused_before_anything_is_sent(restaurant: Restaurant) -> None:
    business = business_with(restaurant.server)
    wrong = tool_request(RESERVE, {"day": "2030-05-14", "guests": 13}, "k1")
    async with opened_tools(TOKEN="s3cret") as tools:
        await listed_tools(tools, business)
        problem = await tools.problem_with(business, wrong)
        right = await tools.problem_with(business, tool_request(RESERVE, A_TABLE, "k1"))
        with pytest.raises(ToolNotCalled, match="13 is greater than the maximum of 12"):
            await tools.call(business, wrong)

    assert problem is not None
    assert "'hour' is a required property" in problem
    assert right is None
    assert restaurant.state.calls() == []


async def test_a_tool_that_is_not_allowed_is_never_called(restaurant: Restaurant) -> None:
    business = business_with(restaurant.server)
    async with opened_tools(TOKEN="s3cret") as tools:
        for name in ("reservation_of", "no_such", ""):
            with pytest.raises(ToolNotCalled, match="no such tool"):
                await tools.call(business, tool_request(name, {"idempotency_key": "k"}))

    assert restaurant.state.calls("reservation_of") == []


async def test_a_look_up_finds_whether_a_call_was_made(restaurant: Restaurant) -> None:
    business = business_with(restaurant.server)
    made, other = (tool_request(RESERVE, A_TABLE, key) for key in ("k1", "k2"))
    async with opened_tools(TOKEN="s3cret") as tools:
        await tools.call(business, made)
        found = await tools.was_made(business, made)
        absent = await tools.was_made(business, other)
        restaurant.state.order("reservation_of", Order.FAIL)
        with pytest.raises(ToolUnanswered):
            await tools.was_made(business, made)
        restaurant.state.order("reservation_of", Order.REFUSE)
        with pytest.raises(ToolUnanswered):
            await tools.was_made(business, made)
        with pytest.raises(ToolUnanswered, match="no look-up"):
            await tools.was_made(business, tool_request(FIND, A_DAY, "k1"))

    assert found is not None
    assert "19:30" in found.text
    assert absent is None
    assert len(restaurant.state.calls()) == 1


NOT_DONE, DONE, UNKNOWN = "not done", "done", "unknown"


@pytest.mark.parametrize(
    ("order", "outcome", "effects"),
    [
        (Order.HANG_BEFORE, UNKNOWN, 0),
        (Order.HANG_AFTER, UNKNOWN, 1),
        (Order.DIE_BEFORE, UNKNOWN, 0),
        (Order.DIE_AFTER, UNKNOWN, 1),
        (Order.FAIL, "failed", 0),
        (Order.REFUSE, NOT_DONE, 0),
        (Order.BREAK, UNKNOWN, 1),
        (Order.MISMATCH, DONE, 1),
        (Order.FLOOD, UNKNOWN, 1),
        (Order.ASK, UNKNOWN, 0),
        (Order.CHANGE, DONE, 1),
    ],
)
async def test_what_goes_wrong_at_a_call_is_told_as_far_as_it_is_known(
    restaurant: Restaurant, order: Order, outcome: str, effects: int
) -> None:
    limit_s = IN_TIME_S if order in (Order.HANG_BEFORE, Order.HANG_AFTER) else LONG_S
    business = business_with(replace(restaurant.server, timeout_s=limit_s))
    async with opened_tools(TOKEN="s3cret") as tools:
        await listed_tools(tools, business)
        restaurant.state.order(RESERVE, order)
        began = time.monotonic()
        found = await outcome_of(tools.call(business, tool_request(RESERVE, A_TABLE, "k1")))
        took_s = time.monotonic() - began
        if order in (Order.DIE_BEFORE, Order.DIE_AFTER):
            restaurant.restart()
        after = await tools.call(business, tool_request(FIND, A_DAY))

    assert found == outcome
    assert took_s < limit_s + 1
    assert len(restaurant.state.calls()) == 1
    assert len(restaurant.state.reservations()) == effects
    assert FREE_TIMES in after.text


async def outcome_of(call: Any) -> str:
    try:
        answer: ToolAnswer = await call
    except ToolNotCalled:
        return NOT_DONE
    except ToolUnanswered:
        return UNKNOWN
    return "failed" if answer.is_error else DONE


async def test_a_changed_list_is_found_when_the_server_announces_it(
    restaurant: Restaurant, monkeypatch: pytest.MonkeyPatch
) -> None:
    announced = asyncio.Event()
    note_change = _Server._changed

    def noted(server: _Server) -> None:
        note_change(server)
        announced.set()

    monkeypatch.setattr(_Server, "_changed", noted)
    monkeypatch.setattr("adapters.mcp.tools.LEAST_REFRESH_S", 0.0)
    allowed = (*ALLOWED, replace(ALLOWED[0], name=ADDED, shown_name=ADDED, bound={}))
    business = business_with(replace(restaurant.server, tools=allowed))
    async with opened_tools(TOKEN="s3cret") as tools:
        before = await listed_tools(tools, business)
        restaurant.state.order(FIND, Order.CHANGE)
        await tools.call(business, tool_request(FIND, A_DAY))
        async with asyncio.timeout(20):
            await announced.wait()
        await tools.tools(business)
        (server,) = tools._servers.values()
        assert server.refreshing is not None
        await server.refreshing
        after = [tool.name for tool in await tools.tools(business)]

    assert ADDED not in before
    assert ADDED in after


@pytest.mark.parametrize("order", [Order.HANG_BEFORE, Order.REFUSE, Order.FLOOD, Order.DIE_BEFORE])
async def test_a_list_that_does_not_come_holds_a_turn_up_for_a_second_at_most(
    restaurant: Restaurant, order: Order
) -> None:
    restaurant.state.order(LIST, order)
    business = business_with(restaurant.server)
    async with opened_tools(TOKEN="s3cret") as tools:
        began = time.monotonic()
        offered = await tools.tools(business)
        took_s = time.monotonic() - began

    assert offered == ()
    assert took_s < 1.5


async def test_ten_thousand_tools_are_not_taken(restaurant: Restaurant) -> None:
    business = business_with(restaurant.server)
    restaurant.state.order(LIST, Order.MANY)
    async with opened_tools(TOKEN="s3cret") as tools:
        await tools.reports(business)

        assert await outcome_of(tools.call(business, tool_request(FIND, A_DAY))) == DONE


async def test_no_result_and_no_token_is_in_a_log_or_a_repr(
    restaurant: Restaurant, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    business = business_with(restaurant.server)
    async with opened_tools(TOKEN="s3cret") as tools:
        await tools.call(business, tool_request(FIND, A_DAY))
        for order in (Order.BREAK, Order.MISMATCH, Order.FLOOD, Order.REFUSE):
            restaurant.state.order(RESERVE, order)
            await outcome_of(tools.call(business, tool_request(RESERVE, A_TABLE, "k1")))
        shown = repr(tools) + repr(business)

    logged = "".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    for secret in ("s3cret", FREE_TIMES, "2030-05-14", "no such day", "as you asked", "xxxx"):
        assert secret not in logged
    assert "s3cret" not in shown


async def test_one_line_a_minute_is_logged_of_a_server(
    restaurant: Restaurant, caplog: pytest.LogCaptureFixture
) -> None:
    business = business_with(restaurant.server)
    restaurant.state.order(RESERVE, Order.REFUSE, times=20)
    async with opened_tools(TOKEN="s3cret") as tools:
        for _ in range(20):
            await outcome_of(tools.call(business, tool_request(RESERVE, A_TABLE, "k1")))

    (record,) = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert vars(record)["action"] == "tool_refused"


async def test_calls_run_beside_each_other_and_one_that_hangs_holds_up_no_other(
    restaurant: Restaurant,
) -> None:
    business = business_with(replace(restaurant.server, timeout_s=IN_TIME_S))
    async with opened_tools(TOKEN="s3cret") as tools:
        await listed_tools(tools, business)
        restaurant.state.order(RESERVE, Order.HANG_BEFORE)
        hanging = asyncio.create_task(
            outcome_of(tools.call(business, tool_request(RESERVE, A_TABLE, "k1")))
        )
        found = await asyncio.gather(
            *(tools.call(business, tool_request(FIND, A_DAY)) for _ in range(15))
        )
        is_hanging = not hanging.done()

        assert is_hanging
        assert await hanging == UNKNOWN
    assert len(found) == 15


async def test_a_turn_that_ends_ends_its_call_and_no_other(restaurant: Restaurant) -> None:
    business = business_with(restaurant.server)
    async with opened_tools(TOKEN="s3cret") as tools:
        await listed_tools(tools, business)
        restaurant.state.order(RESERVE, Order.HANG_BEFORE)
        hanging = asyncio.create_task(tools.call(business, tool_request(RESERVE, A_TABLE, "k1")))
        await tools.call(business, tool_request(FIND, A_DAY))
        hanging.cancel()
        with pytest.raises(asyncio.CancelledError):
            await hanging

        assert await outcome_of(tools.call(business, tool_request(FIND, A_DAY))) == DONE
