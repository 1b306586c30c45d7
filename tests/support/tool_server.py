"""A restaurant's server of tools, which speaks MCP by the official SDK, and keeps count on disk.

    python -m tests.support.tool_server --state FILE (--stdio | --port N) [--token TOKEN]

`find_tables` reads; `reserve_table` reserves, once for each idempotency key; `reservation_of` is
the look-up. What it is to do wrong is told through the file of its state, from any process, and
what was called is read there, also while it is down.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import astuple, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

KEY_META = "ai-agent-server/idempotency-key"
"""Where a call has its idempotency key."""
FIND, RESERVE, LOOK_UP = "find_tables", "reserve_table", "reservation_of"
LIST = "tools/list"
ADDED = "menu_of_the_day"
FLOOD = 50 * 1024 * 1024
FREE_TIMES = "18:00, 19:30, 21:00"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, tool TEXT, order_ TEXT);
CREATE TABLE IF NOT EXISTS calls (
    id INTEGER PRIMARY KEY, tool TEXT, key TEXT, customer TEXT, arguments TEXT, at REAL,
    traceparents TEXT);
CREATE TABLE IF NOT EXISTS reservations (
    id INTEGER PRIMARY KEY, key TEXT, customer TEXT, day TEXT, hour TEXT, guests INTEGER, at REAL);
CREATE UNIQUE INDEX IF NOT EXISTS one_for_each_key ON reservations (key);
"""


class Order(StrEnum):
    """What the server does wrong at one call, or at one listing."""

    HANG_BEFORE = "hang before"
    HANG_AFTER = "hang after"
    DIE_BEFORE = "die before"
    DIE_AFTER = "die after"
    FAIL = "fail"
    """The tool says that it failed; nothing was done."""
    REFUSE = "refuse"
    """The protocol's error for invalid arguments; nothing was done."""
    BREAK = "break"
    """The protocol's error for a fault within, after the effect."""
    MISMATCH = "mismatch"
    """The result does not fit the output schema; the effect is there."""
    FLOOD = "flood"
    """50 MB of text."""
    ASK = "ask"
    """It asks for input in place of a result."""
    CHANGE = "change"
    """The list has one tool more from now on, and the server announces it."""
    MANY = "many"
    """10,000 tools are listed."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it arrived, before anything else was done."""

    tool: str
    key: str | None
    customer: str | None
    arguments: str
    at: float
    traceparents: str = ""
    """The one in the header, and the one in the message."""


@dataclass(frozen=True, slots=True)
class TableReservation:
    """A table that is reserved: the effect."""

    key: str | None
    customer: str | None
    day: str
    hour: str
    guests: int
    at: float


class ToolServerState:
    """The state of the server in its file; any number of processes may open it."""

    def __init__(self, path: Path | str) -> None:
        self.path = str(path)
        with self._opened() as file:
            file.executescript("PRAGMA journal_mode = WAL;" + _SCHEMA)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        file = sqlite3.connect(self.path, timeout=10, isolation_level=None)
        try:
            yield file
        finally:
            file.close()

    def order(self, tool: str, order: Order, times: int = 1) -> None:
        """Have the server do something wrong at the next calls of a tool, or of `LIST`."""
        with self._opened() as file:
            for _ in range(times):
                file.execute("INSERT INTO orders (tool, order_) VALUES (?, ?)", (tool, order))

    def take_order(self, tool: str) -> Order | None:
        """Return what to do wrong now, and forget it."""
        taken = (
            "DELETE FROM orders WHERE id = (SELECT min(id) FROM orders WHERE tool = ?)"
            " RETURNING order_"
        )
        with self._opened() as file:
            row = file.execute(taken, (tool,)).fetchall()
        return Order(row[0][0]) if row else None

    def count(self, call: Call) -> None:
        """Write down a call."""
        with self._opened() as file:
            file.execute(
                "INSERT INTO calls (tool, key, customer, arguments, at, traceparents)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                astuple(call),
            )

    def calls(self, tool: str = RESERVE) -> list[Call]:
        """Return the calls of a tool that have arrived, in their order."""
        query = "SELECT tool, key, customer, arguments, at, traceparents FROM calls WHERE tool = ?"
        with self._opened() as file:
            return [Call(*row) for row in file.execute(f"{query} ORDER BY id", (tool,))]

    def reserve(self, reservation: TableReservation) -> None:
        """Reserve a table, unless one is for this key."""
        with self._opened() as file:
            file.execute(
                "INSERT OR IGNORE INTO reservations (key, customer, day, hour, guests, at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    reservation.key,
                    reservation.customer,
                    reservation.day,
                    reservation.hour,
                    reservation.guests,
                    reservation.at,
                ),
            )

    def reservations(self, key: str | None = None) -> list[TableReservation]:
        """Return the reservations, or the one of a key."""
        query = (
            "SELECT key, customer, day, hour, guests, at FROM reservations"
            " WHERE ?1 IS NULL OR key = ?1 ORDER BY id"
        )
        with self._opened() as file:
            return [TableReservation(*row) for row in file.execute(query, (key,))]

    def is_changed(self) -> bool:
        """Return True if the list has one tool more."""
        return bool(self.calls(ADDED))


@dataclass(slots=True)
class ToolServerProcess:
    """The server as a process of its own, over streamable HTTP; it may be killed and restarted."""

    state: ToolServerState
    token: str = ""
    port: int = 0
    """0: one that is free, which it then keeps."""
    _process: "subprocess.Popen[str] | None" = field(default=None, init=False)

    @property
    def url(self) -> str:
        """The endpoint's URL."""
        return f"http://127.0.0.1:{self.port}/mcp"

    def start(self) -> None:
        """Start it, and return as soon as it listens."""
        self.kill()
        arguments = ["--port", str(self.port)]
        if self.token:
            arguments += ["--token", self.token]
        self._process = subprocess.Popen(
            stdio_command(self.state.path)[:-1] + arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def kill(self) -> None:
        """Kill it, if it is not dead."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def wait(self) -> None:
        """Wait until it has died by itself."""
        if self._process is not None:
            self._process.wait(timeout=30)

    def __enter__(self) -> "ToolServerProcess":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def stdio_command(state: str) -> list[str]:
    """Return the command of the server over standard input and output."""
    return [sys.executable, "-m", "tests.support.tool_server", "--state", state, "--stdio"]


def _server(state: ToolServerState) -> Any:
    """Return the SDK's server: imported here, as the tests only read the state."""
    import mcp_types as types
    from mcp.server.lowlevel import Server
    from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ToolsListChanged
    from mcp.shared.exceptions import MCPError

    bus = InMemorySubscriptionBus()

    def schema(required: dict[str, object], **optional: object) -> dict[str, object]:
        properties = required | optional
        return {"type": "object", "properties": properties, "required": list(required)}

    text, whole = {"type": "string"}, {"type": "integer", "minimum": 1, "maximum": 12}
    day = {"type": "string", "pattern": "^\\d{4}-\\d{2}-\\d{2}$", "description": "YYYY-MM-DD"}
    tools = [
        types.Tool(
            name=FIND,
            description="The free tables of a day.",
            input_schema=schema({"day": day, "guests": whole}, customer=text),
        ),
        types.Tool(
            name=RESERVE,
            description="Reserves a table.",
            input_schema=schema(
                {"day": day, "hour": text, "guests": whole}, customer=text, location=text
            ),
            output_schema=schema({"reserved": {"type": "boolean"}, "day": text}),
        ),
        types.Tool(
            name=LOOK_UP,
            description="The reservation that was made by a call.",
            input_schema=schema({"idempotency_key": text}),
        ),
    ]
    added = types.Tool(name=ADDED, description="The menu of the day.", input_schema=schema({}))

    async def list_tools(_ctx: Any, _params: Any) -> Any:
        match state.take_order(LIST):
            case Order.HANG_BEFORE:
                await asyncio.Event().wait()
            case Order.DIE_BEFORE:
                _die()
            case Order.REFUSE:
                raise MCPError(types.INTERNAL_ERROR, "the list is not to be had")
            case Order.FLOOD:
                return types.ListToolsResult(
                    tools=[tools[0].model_copy(update={"description": "x" * FLOOD})]
                )
            case Order.MANY:
                many = [
                    tools[0].model_copy(update={"name": f"{FIND}_{number}"})
                    for number in range(10_000)
                ]
                return types.ListToolsResult(tools=[*many, *tools])
        return types.ListToolsResult(tools=[*tools, *([added] if state.is_changed() else [])])

    async def call_tool(ctx: Any, params: Any) -> Any:
        arguments = params.arguments or {}
        key = (params.meta or {}).get(KEY_META)
        customer = arguments.get("customer")
        traceparents = " ".join([
            (ctx.request.headers if ctx.request is not None else {}).get("traceparent", ""),
            (params.meta or {}).get("traceparent", ""),
        ])  # fmt: skip
        called = Call(params.name, key, customer, _compact(arguments), time.time(), traceparents)
        state.count(called)
        order = state.take_order(params.name)
        match order:
            case Order.HANG_BEFORE:
                await asyncio.Event().wait()
            case Order.DIE_BEFORE:
                _die()
            case Order.FAIL:
                failed: list[Any] = [types.TextContent(text="The kitchen is closed on that day.")]
                return types.CallToolResult(content=failed, is_error=True)
            case Order.REFUSE:
                raise MCPError(types.INVALID_PARAMS, "there is no such day")
            case Order.ASK:
                asked = types.ElicitRequestFormParams(
                    message="Your card's number?", requested_schema=schema({"card": text})
                )
                return types.InputRequiredResult(
                    input_requests={"card": types.ElicitRequest(params=asked)},
                    request_state="asked",
                )
        result = _done(state, params.name, arguments, key)
        match order:
            case Order.HANG_AFTER:
                await asyncio.Event().wait()
            case Order.DIE_AFTER:
                _die()
            case Order.BREAK:
                raise MCPError(types.INTERNAL_ERROR, "something broke")
            case Order.MISMATCH:
                wrong: list[Any] = [types.TextContent(text="Reserved, as you asked.")]
                return types.CallToolResult(content=wrong, structured_content={"reserved": "oui"})
            case Order.FLOOD:
                return types.CallToolResult(content=[types.TextContent(text="x" * FLOOD)])
            case Order.CHANGE:
                state.count(Call(ADDED, None, None, "", time.time()))
                await bus.publish(ToolsListChanged())
                await ctx.session.send_tool_list_changed()
        return types.CallToolResult(
            content=[types.TextContent(text=_compact(result))], structured_content=result
        )

    return Server(
        "restaurant",
        version="1",
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_subscriptions_listen=ListenHandler(bus),
    )


def _done(
    state: ToolServerState, tool: str, arguments: dict[str, Any], key: str | None
) -> dict[str, Any] | None:
    """Do what a tool does, and return its result."""
    match tool:
        case "find_tables":
            return {"day": arguments.get("day"), "free": FREE_TIMES}
        case "reserve_table":
            day, hour = str(arguments["day"]), str(arguments["hour"])
            customer, guests = arguments.get("customer"), int(arguments["guests"])
            state.reserve(TableReservation(key, customer, day, hour, guests, time.time()))
            return {"reserved": True, "day": day, "hour": hour, "guests": guests}
        case "reservation_of":
            made = state.reservations(str(arguments["idempotency_key"]))
            if not made:
                return {}
            day, hour, guests = made[0].day, made[0].hour, made[0].guests
            return {"reserved": True, "day": day, "hour": hour, "guests": guests}
    return {"menu": "soup"}


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def _serve_stdio(state: ToolServerState) -> None:
    from mcp.server.lowlevel import NotificationOptions
    from mcp.server.stdio import stdio_server

    server = _server(state)
    options = server.create_initialization_options(NotificationOptions(tools_changed=True))
    async with stdio_server() as (read, write):
        await server.run(read, write, options)


async def _serve_http(state: ToolServerState, port: int, token: str) -> None:
    import uvicorn

    app = _server(state).streamable_http_app()

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope.get("headers") or ())
        is_refused = token and headers.get(b"authorization") != f"Bearer {token}".encode()
        if scope["type"] == "http" and is_refused:
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": b"no"})
        else:
            await app(scope, receive, send)

    listener = socket.create_server(("127.0.0.1", port))
    # Connections inherit it: or each answer waits for the acknowledgement of its headers.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(guarded, log_level="error", timeout_graceful_shutdown=1)
    # It ends with the process that started it, however that one has ended.
    threading.Thread(target=lambda: os._exit(len(sys.stdin.read())), daemon=True).start()
    await uvicorn.Server(config).serve([listener])


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--state", required=True)
    parser.add_argument("--stdio", action="store_true")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--token", default="")
    chosen = parser.parse_args()
    state = ToolServerState(chosen.state)
    if chosen.stdio:
        asyncio.run(_serve_stdio(state))
    else:
        asyncio.run(_serve_http(state, chosen.port, chosen.token))


if __name__ == "__main__":
    _main()
