"""A business's own tools in memory: a server that counts, and misbehaves as it is told to."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import msgspec

from application.ports import BusinessTools, ToolAnswer, ToolRequest
from domain.business import Business
from domain.errors import ToolNotCalled, ToolUnanswered
from domain.identity import BusinessId
from domain.tool import AllowedTool, Confirmer, Effect, Tool, ToolServer

SERVER = ToolServer(name="booking", url="https://booking.example/mcp")
"""As a business's file names it."""
SCHEMA = {
    "type": "object",
    "properties": {
        "date": {"type": "string", "title": "Ziua"},
        "guests": {"type": "integer", "title": "Persoane"},
    },
    "required": ["date", "guests"],
}


def booking_tool(
    name: str = "reserve_table",
    *,
    effect: Effect = Effect.WRITE,
    confirm: Confirmer | None = None,
    confirm_for: timedelta = timedelta(days=2),
    has_look_up: bool = False,
    timeout_s: float = 15.0,
) -> Tool:
    """Return a tool of the booking server."""
    return Tool(
        name=name,
        description="Reserve a table.",
        parameters=SCHEMA,
        effect=effect,
        confirm=confirm,
        confirm_for=confirm_for,
        title="Rezervare masă",
        timeout_s=timeout_s,
        has_look_up=has_look_up,
    )


class MemoryTools(BusinessTools):
    """The booking server, shared by the processes of a test."""

    def __init__(self, *offered: Tool) -> None:
        self._offered = offered or (booking_tool(),)
        self.requests: list[ToolRequest] = []
        """Every call that has reached it."""
        self.made: dict[str, str] = {}
        """What it has done: the key of each call that took effect, and the arguments."""
        self.looked_up: list[str | None] = []
        self.before: list[Callable[[], object]] = []
        """Called once each, in order, before a call takes effect."""
        self.hold: asyncio.Event | None = None
        """Not None: a call waits for it, before it takes effect."""
        self.hold_after: asyncio.Event | None = None
        """Not None: a call waits for it, after it took effect."""
        self.failure: Exception | None = None
        """Raised by a call before it takes effect."""
        self.failure_after: Exception | None = None
        """Raised by a call after it took effect."""
        self.look_up_fails = False
        self.refusal: str | None = None
        """The error that it answers with."""
        self.answer = "Rezervat, cod R-7."

    async def tools(self, business: Business) -> tuple[Tool, ...]:
        return self._offered if business.tool_servers else ()

    async def problem_with(self, business: Business, request: ToolRequest) -> str | None:
        missing = [name for name in ("date", "guests") if name not in request.arguments]
        return f"{missing[0]} is missing" if missing else None

    async def call(self, business: Business, request: ToolRequest) -> ToolAnswer:
        if request.tool not in [tool.name for tool in self._offered]:
            raise ToolNotCalled("there is no such tool any more")
        self.requests.append(request)
        if self.before:
            self.before.pop(0)()
        if self.hold is not None:
            await self.hold.wait()
        if self.failure is not None:
            raise self.failure
        if self.refusal is not None:
            return ToolAnswer(text=self.refusal, is_error=True)
        self.made[request.key or ""] = msgspec.json.encode(request.arguments).decode()
        if self.hold_after is not None:
            await self.hold_after.wait()
        if self.failure_after is not None:
            raise self.failure_after
        return ToolAnswer(text=self.answer)

    async def was_made(self, business: Business, request: ToolRequest) -> ToolAnswer | None:
        self.looked_up.append(request.key)
        if self.look_up_fails:
            raise ToolUnanswered
        return ToolAnswer(text=self.answer) if request.key in self.made else None


def with_tools(business_id: str = "b1", **fields: object) -> Business:
    """Return a business that has a server of tools of its own."""
    server = msgspec.structs.replace(
        SERVER, tools=(AllowedTool(name="reserve_table", shown_name="reserve_table"),)
    )
    business = Business(business_id=BusinessId(business_id), name="Casa", tool_servers=(server,))
    return msgspec.structs.replace(business, **fields)
