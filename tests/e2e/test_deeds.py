"""What changes something is done once, whatever dies, or changes hands, at whatever step.

The server of tools is a process of its own that writes down each call as it arrives. It stands
still at a step on command, and a proxy before it holds up what has not arrived.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from domain.texts import Text, localized
from tests.support.process import ServerProcess, server
from tests.support.tcp_proxy import TcpProxy
from tests.support.tool_server import FIND, RESERVE, Order, ToolServerProcess, ToolServerState
from tests.support.user import PATIENCE_S, Refused, User, user
from tests.support.wire import Product

FILE = """\
name = "La Ceaun"
language = "ro"

[facts]
telefon = "0269 555 010"

[tools.booking]
url = "http://127.0.0.1:{port}/mcp"
timeout_s = {timeout_s}

[tools.booking.allow.find_tables]
effect = "read"

[tools.booking.allow.reservation_of]
effect = "read"

[tools.booking.allow.reserve_table]
title = "Rezervare masă"
bind = {{ customer = "user" }}
{terms}
"""
LOOK_UP = 'look_up = { tool = "reservation_of", argument = "idempotency_key" }'
CONFIRM = 'confirm = "customer"'
TABLE = "reserve_table day=2030-05-14 hour=19:30 guests=4"
TABLES = "find_tables day=2030-05-14 guests=4"
WHO = ("resto", "ana")
STEPS = ("begun", "at work", "done", "known")
"""A call is in the log; it has reached its tool; it has taken effect; its outcome is in the log."""


class Restaurant:
    """A business with a server of tools, behind a proxy, and the product that may be killed."""

    def __init__(self, folder: Path, tools: ToolServerProcess, proxy: TcpProxy) -> None:
        self._folder = folder
        self.tools = tools
        self.state = tools.state
        self.proxy = proxy

    def write(self, *terms: str, timeout_s: int = 1, directly: bool = False) -> None:
        """Write the business's file; `terms`: of the tool that reserves. `directly`: no proxy."""
        path = self._folder / "businesses" / "resto.toml"
        path.parent.mkdir(exist_ok=True)
        port = self.tools.port if directly else self.proxy.port
        path.write_text(FILE.format(port=port, timeout_s=timeout_s, terms="\n".join(terms)))

    @asynccontextmanager
    async def open(self, **settings: str) -> AsyncIterator[tuple[ServerProcess, "Observed"]]:
        """Run the product."""
        given = {"BRIDGE": "none", "BUSINESSES": "businesses", "TURN_QUIET_MS": "0"}
        async with server(self._folder, **{**given, "SCRIPTED_DELAY_MS": "0", **settings}) as run:
            async with httpx.AsyncClient(base_url=f"http://{run.address}") as api:
                yield run, Observed(run.address, api)

    def break_at(self, step: str) -> None:
        """Let the next call come to a step, and no further."""
        if step == "begun":
            self.proxy.half_open()
        elif step == "at work":
            self.state.order(RESERVE, Order.HANG_BEFORE)
        elif step == "done":
            self.state.order(RESERVE, Order.HANG_AFTER)

    async def until(self, step: str, product: "Observed") -> None:
        """Return once a call has come to a step."""
        reached: dict[str, Callable[[list[str]], object]] = {
            "begun": lambda states: "started" in states,
            "at work": lambda states: self.state.calls(),
            "done": lambda states: self.state.reservations(),
            "known": lambda states: "done" in states,
        }
        async with asyncio.timeout(PATIENCE_S):
            while not reached[step](await product.states()):
                pass


class Observed(Product):
    """A running product, as the log shows it."""

    async def states(self) -> list[str]:
        """Return the steps of the calls of the user, and `live` where somebody took over."""
        found = [
            entry["write"]["state"] if entry.get("write") else entry.get("status")
            for entry in await self.log(*WHO)
        ]
        return [each for each in found if each is not None]

    async def until_states(self, *states: str) -> None:
        """Return once the log has these steps."""
        async with asyncio.timeout(PATIENCE_S):
            while (found := await self.states()) != list(states):
                assert len(found) <= len(states), found


@pytest_asyncio.fixture
async def restaurant(tmp_path: Path) -> AsyncIterator[Restaurant]:
    with ToolServerProcess(ToolServerState(tmp_path / "booking.db")) as tools:
        async with TcpProxy(tools.port) as proxy:
            yield Restaurant(tmp_path, tools, proxy)


async def connected(socket: User) -> None:
    """Have a tool called that changes nothing: its server is connected by then."""
    await socket.join()
    await socket.say(TABLES)
    await socket.wait_for("new_message")


async def answer_to(socket: User, message_id: str) -> dict[str, Any]:
    """Join again, and return the answer to a message."""
    found: list[dict[str, Any]] = [
        entry
        for entry in (await socket.join())["messages"]
        if message_id in entry.get("inReplyTo", ())
    ]
    while not found:
        pushed = await socket.wait_for("new_message")
        if message_id in pushed["inReplyTo"]:
            found.append(pushed)
    return found[0]


def says(text: Text, said: str) -> bool:
    """Return True if one of the server's texts about a call is a part of what was said."""
    beginning = localized("ro", text, what="Rezervare masă")
    return beginning.partition("\n")[0] in said


async def question(socket: User) -> str:
    """Ask for a table, and return the id of the question for a yes."""
    await socket.say(TABLE)
    (asked,) = [
        each
        for each in (await socket.wait_for("new_message", author="ai"))["actions"]
        if each["type"] == "confirm"
    ]
    confirm_id: str = asked["confirmId"]
    return confirm_id


USUAL = (("begun", LOOK_UP), ("at work", ""), ("known", ""))
"""Those that are not left to `make nodes`."""
ALL = [(step, terms) for step in STEPS for terms in ("", LOOK_UP)]


@pytest.mark.parametrize(
    ("step", "terms"),
    [pytest.param(*each, marks=() if each in USUAL else pytest.mark.nodes) for each in ALL],
)
async def test_a_server_that_is_killed_at_a_step_does_it_once_and_tells_what_is_known(
    restaurant: Restaurant, step: str, terms: str
) -> None:
    restaurant.write(terms)
    slow = {"SCRIPTED_DELAY_MS": "1000"} if step == "known" else {}
    async with restaurant.open(**slow) as (running, product), user(running.address, *WHO) as ana:
        if step == "known":
            await ana.join()
        else:
            await connected(ana)
        restaurant.break_at(step)
        await ana.say(TABLE, messageId="m1")
        await restaurant.until(step, product)
        await running.kill()
    restaurant.proxy.cut()
    restaurant.proxy.heal()
    async with restaurant.open() as (running, product), user(running.address, *WHO) as ana:
        told = await answer_to(ana, "m1")

        states = await product.states()

    outcome = _outcome(step, has_look_up=bool(terms))
    assert states == ["started", outcome]
    assert len(restaurant.state.calls()) == (0 if step == "begun" else 1)
    assert len(restaurant.state.reservations()) == (1 if step in ("done", "known") else 0)
    texts = {"done": Text.WRITE_DONE, "failed": Text.WRITE_FAILED, "unknown": Text.WRITE_UNKNOWN}
    assert [state for state, text in texts.items() if says(text, told["message"])] == [outcome]


def _outcome(step: str, *, has_look_up: bool) -> str:
    if step == "known":
        return "done"
    if not has_look_up:
        return "unknown"
    return "done" if step == "done" else "failed"


async def test_a_yes_whose_server_is_killed_before_it_acts_is_acted_on_by_the_next_once(
    restaurant: Restaurant,
) -> None:
    restaurant.write(CONFIRM)
    async with restaurant.open() as (running, _), user(running.address, *WHO) as ana:
        await ana.join()
        confirm_id = await question(ana)
        await running.kill()
    patient = {"TURN_QUIET_MS": "3000"}
    async with restaurant.open(**patient) as (running, _), user(running.address, *WHO) as ana:
        await ana.join()
        yes = {"confirmId": confirm_id, "answer": "yes"}
        assert (await ana.request("confirm_action", yes))["answer"] == "yes"
        await running.kill()
    assert restaurant.state.calls() == []
    async with restaurant.open() as (running, product), user(running.address, *WHO) as ana:
        await ana.join()
        again = await ana.request("confirm_action", yes)
        await product.until_states("proposed", "approved", "started", "done")

    (call,) = restaurant.state.calls()
    assert (call.key, again["answer"]) == (confirm_id, "yes")


@pytest.mark.parametrize("step", ["begun", "at work", "done"])
async def test_after_a_takeover_at_a_step_nothing_begins_and_what_came_of_it_is_in_the_log(
    restaurant: Restaurant, step: str
) -> None:
    restaurant.write(timeout_s=20)
    async with restaurant.open() as (running, product), user(running.address, *WHO) as ana:
        await connected(ana)
        restaurant.break_at(step)
        session_id = (await ana.say(TABLE))["sessionId"]
        await restaurant.until(step, product)
        await product.change(session_id, "live", coordinatorId="maria")
        await ana.say(TABLE)
        if step == "begun":
            restaurant.proxy.heal()
        else:
            restaurant.tools.kill()
        outcome = "done" if step == "begun" else "unknown"
        await product.until_states("started", "live", outcome)

    assert len(restaurant.state.calls()) == 1


async def test_a_yes_after_a_takeover_does_nothing(restaurant: Restaurant) -> None:
    restaurant.write(CONFIRM)
    async with restaurant.open() as (running, product), user(running.address, *WHO) as ana:
        await ana.join()
        confirm_id = await question(ana)
        session_id = confirm_id.rpartition("-")[0]
        await product.change(session_id, "live", coordinatorId="maria")
        with pytest.raises(Refused) as refused:
            await ana.request("confirm_action", {"confirmId": confirm_id, "answer": "yes"})
        await product.change(session_id, "ai", coordinatorId="maria")
        await ana.say("Da")
        await ana.wait_for("new_message", author="ai")

        assert await product.states() == ["proposed", "withdrawn", "live", "ai"]

    assert refused.value.reason == "withdrawn"
    assert restaurant.state.calls() == []


@pytest.mark.parametrize(
    ("order", "outcome"),
    [(None, "failed"), (Order.DIE_BEFORE, "unknown"), (Order.DIE_AFTER, "unknown")],
)
async def test_a_server_of_tools_that_dies_is_one_call_of_which_the_truth_is_told(
    restaurant: Restaurant, order: Order | None, outcome: str
) -> None:
    restaurant.write(directly=order is None)
    async with restaurant.open() as (running, product), user(running.address, *WHO) as ana:
        await connected(ana)
        if order is None:
            restaurant.tools.kill()
        else:
            restaurant.state.order(RESERVE, order)
        await ana.say(TABLE, messageId="m1")
        told = await answer_to(ana, "m1")
        states = await product.states()

    assert states == ["started", outcome]
    assert says(Text.WRITE_UNKNOWN, told["message"]) == (outcome == "unknown")
    assert len(restaurant.state.calls()) == (0 if order is None else 1)


async def test_two_servers_that_make_a_turn_at_once_make_its_call_once(
    restaurant: Restaurant,
) -> None:
    """Without a broker neither knows of the other: nothing but the log keeps them apart."""
    restaurant.write(LOOK_UP, timeout_s=2)
    async with restaurant.open() as (first, _), restaurant.open() as (second, product):
        async with user(first.address, *WHO) as ana, user(second.address, *WHO) as other:
            await connected(ana)
            restaurant.break_at("done")
            await ana.say(TABLE, messageId="m1")
            await restaurant.until("done", product)
            await answer_to(other, "m1")

        states = await product.states()
        answers = [each for each in await product.log(*WHO) if "m1" in each.get("inReplyTo", ())]

    assert (len(restaurant.state.calls()), len(answers)) == (1, 1)
    assert states == ["started", "done"]
    assert len(restaurant.state.calls(FIND)) == 1
