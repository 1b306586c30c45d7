"""The businesses' server of tools, which counts what reaches it, and each node's way to it.

What the server has begun it does whatever becomes of the node that has called it.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Self

from msgspec.structs import replace

from adapters.memory.businesses import MemoryBusinesses
from application.ports import BusinessTools, ToolAnswer, ToolRequest
from domain.business import Business
from domain.errors import ToolNotCalled, ToolUnanswered
from domain.tool import Confirmer, Effect, Tool
from tests.support.business_tools import SCHEMA, SERVER
from tests.support.businesses import DEMO_BUSINESSES, DEMO_RESERVATIONS

if TYPE_CHECKING:
    from tests.simulation.node import Node
    from tests.simulation.world import World

TIMEOUT_S = 4.0
"""The longest that a node waits for an answer."""
CONFIRM_S = 30.0
"""The time in which a question for a yes is answered, or expires."""
MOODS = {
    "ok": 8.0,
    "slow": 3.0,
    "refuse": 1.0,
    "lose": 2.0,
    "lose_after": 2.0,
    "cut": 2.0,
    "late": 1.0,
}
"""What becomes of a call: see `ToolServerProcess._work`."""

Reply = Callable[[ToolAnswer | Exception], None]


def _tool(name: str, confirm: Confirmer | None = None, *, has_look_up: bool = False) -> Tool:
    return Tool(
        name=name,
        description="Change something.",
        parameters=SCHEMA,
        effect=Effect.WRITE,
        confirm=confirm,
        confirm_for=timedelta(seconds=CONFIRM_S),
        timeout_s=TIMEOUT_S,
        has_look_up=has_look_up,
    )


TOOLS = (
    _tool("reserve"),
    _tool("order", has_look_up=True),
    _tool("book", Confirmer.CUSTOMER),
    _tool("cancel", Confirmer.CUSTOMER, has_look_up=True),
    _tool("refund", Confirmer.COORDINATOR),
)


def businesses_with_tools() -> MemoryBusinesses:
    """Return the demo's businesses, with a server of tools each."""
    found = [replace(business, tool_servers=(SERVER,)) for business in DEMO_BUSINESSES]
    return MemoryBusinesses(tuple(found), DEMO_RESERVATIONS)


class ToolServerProcess:
    """The server of tools: slow, silent, refusing or away as the life has it."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._random = Random(world.seed)
        self._lives = 0
        self.is_down = False
        self.done: dict[str, float] = {}
        """What it has done: the key, and when."""

    def pause_s(self) -> float:
        """Return the time in which a call is compared with the tool's schema."""
        return self._random.choice([0.001, 0.001, 0.1, 1.0])

    def die(self) -> None:
        """Lose what has not taken effect yet, and all connections."""
        self.is_down = True
        self._lives += 1

    def receive(self, node: "Node", request: ToolRequest, reply: Reply) -> None:
        """Take a call from the network."""
        delay_s = self._random.uniform(0.0005, 0.003)
        asyncio.get_running_loop().call_later(delay_s, self._arrive, node, request, reply)

    def _arrive(self, node: "Node", request: ToolRequest, reply: Reply) -> None:
        if self.is_down:
            reply(ToolNotCalled("the connection was refused"))
            return
        self._world.rules.writes.called(node, request)
        self._world.spring("called", node, request.customer)
        mood = self._random.choices(list(MOODS), list(MOODS.values()))[0]
        self._world.start(self._work(node, request, mood, reply))

    async def _work(self, node: "Node", request: ToolRequest, mood: str, reply: Reply) -> None:
        """Do it: at once, slowly, not at all, without an answer, or though the caller has left."""
        life, random = self._lives, self._random
        key = request.key or ""
        slow_s = 0.01 if mood == "ok" else random.uniform(0.0, 0.9 * TIMEOUT_S)
        if mood == "cut":
            reply(ToolUnanswered())
        if mood == "late" and not _tool_of(request).has_look_up:
            slow_s = TIMEOUT_S + random.uniform(0.0, 8.0)
        await asyncio.sleep(slow_s)
        if life != self._lives or mood == "lose":
            reply(ToolUnanswered())
            return
        if mood == "refuse":
            reply(ToolAnswer(text="Nu se poate.", is_error=True))
            return
        self.done[key] = asyncio.get_running_loop().time()
        self._world.trace(f"the tool has done {key}")
        self._world.spring("done", node, request.customer)
        await asyncio.sleep(random.choice([0.0, 0.01, 0.3]))
        if mood == "lose_after" or life != self._lives:
            reply(ToolUnanswered())
        else:
            reply(ToolAnswer(text="Gata, cod R-7."))

    def look_up(self, request: ToolRequest) -> ToolAnswer | None:
        """Return whether the call with this key has taken effect. Raises: ToolUnanswered."""
        if self.is_down or self._random.random() < 0.1:
            raise ToolUnanswered
        return ToolAnswer(text="Gata, cod R-7.") if request.key in self.done else None


def _tool_of(request: ToolRequest) -> Tool:
    return next(tool for tool in TOOLS if tool.name == request.tool)


class NodeTools(BusinessTools):
    """A node's way to the server of tools."""

    def __init__(self, node: "Node") -> None:
        self._node = node

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        return None

    @property
    def _server(self) -> ToolServerProcess:
        return self._node.world.tools

    async def tools(self, business: Business) -> tuple[Tool, ...]:
        await self._node.clock.sleep(0.3 if self._server.is_down else 0.001)
        return () if self._server.is_down or not business.tool_servers else TOOLS

    async def problem_with(self, business: Business, request: ToolRequest) -> str | None:
        await self._node.clock.sleep(self._server.pause_s())
        return None

    async def call(self, business: Business, request: ToolRequest) -> ToolAnswer:
        clock = self._node.clock
        answer: asyncio.Future[ToolAnswer] = asyncio.get_running_loop().create_future()

        def arrive(result: ToolAnswer | Exception) -> None:
            if answer.done():
                return
            if isinstance(result, Exception):
                answer.set_exception(result)
            else:
                answer.set_result(result)

        timer = clock.call_later(TIMEOUT_S, lambda: arrive(ToolUnanswered()))
        self._server.receive(
            self._node, request, lambda result: clock.receive(lambda: arrive(result))
        )
        try:
            found = await answer
        finally:
            timer.cancel()
        self._node.world.spring("answered", self._node, request.customer)
        return found

    async def was_made(self, business: Business, request: ToolRequest) -> ToolAnswer | None:
        await self._node.clock.sleep(0.002)
        found = self._server.look_up(request)
        await self._node.clock.sleep(0.002)
        return found
