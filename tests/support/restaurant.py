"""Businesses with servers of tools, and calls of them."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from adapters.mcp.tools import McpTools
from adapters.system import SystemClock
from application.ports import Clock, ToolRequest
from domain.business import Business
from domain.identity import BusinessId, LocationId, SessionId, customer
from domain.tool import AllowedTool, Binding, Effect, LookUp, Tool, ToolServer
from tests.support.tool_server import (
    FIND,
    LOOK_UP,
    RESERVE,
    ToolServerProcess,
    ToolServerState,
    stdio_command,
)

CUSTOMER = customer("b1", "u1")
ALLOWED = (
    AllowedTool(name=FIND, shown_name=FIND, effect=Effect.READ, bound={"customer": Binding.USER}),
    AllowedTool(
        name=RESERVE,
        shown_name=RESERVE,
        bound={"customer": Binding.USER, "location": Binding.LOCATION},
        look_up=LookUp(tool=LOOK_UP, argument="idempotency_key"),
    ),
)
"""What a business allows of the restaurant's server."""
A_TABLE = {"day": "2030-05-14", "hour": "19:30", "guests": 2}
A_DAY = {"day": "2030-05-14", "guests": 2}


def program(state: ToolServerState, **fields: Any) -> ToolServer:
    """Return the restaurant's server as a program."""
    known: dict[str, Any] = {"name": "booking", "tools": ALLOWED, "variables": ("PYTHONPATH",)}
    return ToolServer(**{**known, "command": tuple(stdio_command(state.path)), **fields})


def website(process: ToolServerProcess, **fields: Any) -> ToolServer:
    """Return the restaurant's server over HTTP."""
    return ToolServer(**{"name": "booking", "tools": ALLOWED, "url": process.url, **fields})


def business_with(*servers: ToolServer, business_id: str = "b1") -> Business:
    """Return a business with these servers."""
    return Business(business_id=BusinessId(business_id), name="Resto", tool_servers=servers)


def tool_request(
    tool: str,
    arguments: dict[str, Any],
    key: str | None = None,
    location: str | None = None,
) -> ToolRequest:
    """Return a call in the conversation of CUSTOMER."""
    return ToolRequest(
        tool=tool,
        arguments=arguments,
        customer=CUSTOMER,
        location_id=LocationId(location) if location is not None else None,
        session_id=SessionId("s1"),
        key=key,
    )


@asynccontextmanager
async def opened_tools(
    businesses: Iterable[Business] = (), *, clock: Clock | None = None, **environment: str
) -> AsyncIterator[McpTools]:
    """Open the tools of servers, with this environment."""
    tools = McpTools(clock or SystemClock(), lambda: 0.5, lambda: businesses, environment)
    async with tools:
        yield tools


async def listed_tools(tools: McpTools, business: Business) -> dict[str, Tool]:
    """Return the tools that a business is offered, once its servers have been asked."""
    await tools.reports(business)
    return {tool.name: tool for tool in await tools.tools(business)}
