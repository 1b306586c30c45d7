"""The tools of businesses' own servers: listed, offered and called.

The SDK is imported where the first business has servers: it takes most of a second, and 65 MB.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from application.ports import BusinessTools, Clock, ToolAnswer, ToolRequest, Tracing
from application.tracing import NO_TRACING
from domain.backoff import backoff
from domain.business import Business
from domain.errors import ToolNotCalled, ToolUnanswered
from domain.tool import AllowedTool, Binding, Tool, ToolServer

if TYPE_CHECKING:  # they import the SDK
    from adapters.mcp.connection import Called, ToolConnection
    from adapters.mcp.schemas import ListedTool, OfferedTool

logger = logging.getLogger(__name__)

WAIT_S = 1.0
"""The longest that a list of tools is waited for; it goes on being fetched."""
REFRESH_S, LEAST_REFRESH_S = 300.0, 30.0
"""The age at which a list is fetched again, and at which it is where the server has said so."""
IDLE_S, FORGET_S, SWEEP_S = 300.0, 3_600.0, 30.0
"""The time after which an unused connection is closed, and after which its server is forgotten:
also that of a server that a business's file has no more, or describes in another way."""
MAX_CONNECTIONS = 100
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
"""Between attempts to connect to a server that fails."""
LASTING_S = 60.0
"""A connection that has lasted so long has not failed."""
LISTED_AT_ONCE = 4
REPORT_EVERY_S = 60.0


class ServerReport(NamedTuple):
    """What a server of tools has of what a business allows."""

    server: str
    tools: tuple[str, ...]
    """The AI's names for those that it is offered."""
    problems: tuple[str, ...]


class McpTools(BusinessTools):
    """Calls the tools of businesses' own servers; of each it has one connection at most."""

    def __init__(
        self,
        clock: Clock,
        jitter: Callable[[], float],
        businesses: Callable[[], Iterable[Business]] = tuple,
        environment: Mapping[str, str] = os.environ,
        *,
        tracing: Tracing = NO_TRACING,
    ) -> None:
        """`businesses`: those whose tools are listed from the start."""
        self._clock = clock
        self._jitter = jitter
        self._businesses = businesses
        self._environment = environment
        self.tracing = tracing
        self._servers: dict[tuple[str, str], _Server] = {}
        """By the business's id and all that its file says of the server."""
        self._connection_type: type[ToolConnection] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "McpTools":
        _start(self._sweep_forever(), self._tasks)
        _start(self._list_all(), self._tasks)
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await asyncio.gather(*(server.close() for server in self._servers.values()))
        self._servers.clear()
        if self._closing:
            await asyncio.wait(self._closing)

    async def tools(self, business: Business) -> tuple[Tool, ...]:
        servers = self._of(business)
        for server in servers:
            server.refresh_if_due()
        first = [server.refreshing for server in servers if not server.is_listed]
        if waiting := [task for task in first if task is not None]:
            await asyncio.wait(waiting, timeout=WAIT_S)
        return tuple(each.tool for server in servers for each in server.offered())

    async def problem_with(self, business: Business, request: ToolRequest) -> str | None:
        server, allowed = self._found(business, request.tool)
        # Of a server that has not been asked for its tools, the call will show it.
        return _problem(server, allowed, request) if server.is_listed else None

    async def call(self, business: Business, request: ToolRequest) -> ToolAnswer:
        server, allowed = self._found(business, request.tool)
        if (problem := await self.problem_with(business, request)) is not None:
            raise ToolNotCalled(problem)
        own = {name: each for name, each in request.arguments.items() if name not in allowed.bound}
        called = await server.call(
            allowed.name,
            own | _bound(allowed, request),
            request.key,
            problem=lambda: _problem(server, allowed, request),
        )
        return called.answer

    async def was_made(self, business: Business, request: ToolRequest) -> ToolAnswer | None:
        server, allowed = self._found(business, request.tool)
        if (look_up := allowed.look_up) is None or request.key is None:
            raise ToolUnanswered("the tool has no look-up")
        arguments: dict[str, object] = {look_up.argument: request.key}
        for each in server.server.tools:
            if each.name == look_up.tool:
                arguments = _bound(each, request) | arguments
        try:
            called = await server.call(look_up.tool, arguments)
        except ToolNotCalled as error:
            raise ToolUnanswered(str(error)) from None
        if called.answer.is_error:
            raise ToolUnanswered("the look-up has failed")
        return None if called.is_empty else called.answer

    async def reports(self, business: Business) -> tuple[ServerReport, ...]:
        """Connect to the servers of a business, and return what they have of what it allows."""
        servers = self._of(business)
        return tuple(await asyncio.gather(*(server.report() for server in servers)))

    def _of(self, business: Business) -> list["_Server"]:
        """Return the servers of a business, as its file has them now."""
        found = []
        for server in business.tool_servers:
            # Turns that began before a change of the file may still use what it was before.
            key = (str(business.business_id), repr(server))
            if (known := self._servers.get(key)) is None:
                known = self._servers[key] = _Server(self, key[0], server)
            known.used_at = self.now()
            found.append(known)
        return found

    def _found(self, business: Business, shown_name: str) -> tuple["_Server", AllowedTool]:
        """Return the tool that the AI calls so, and its server. Raises: ToolNotCalled."""
        for server in self._of(business):
            for allowed in server.server.tools:
                if allowed.shown_name == shown_name:
                    return server, allowed
        raise ToolNotCalled("the business has no such tool")

    async def connection_type(self) -> "type[ToolConnection]":
        """Return the class of connections, whose module imports the SDK."""
        if self._connection_type is None:
            module = await asyncio.to_thread(import_module, "adapters.mcp.connection")
            self._connection_type = module.ToolConnection
        return self._connection_type

    def now(self) -> float:
        """Return the time of the clock that only goes forward, in seconds."""
        return self._clock.monotonic()

    def pause_s(self, failures: int) -> float:
        """Return the pause before the next attempt to connect."""
        if failures < 1:
            return 0.0
        return backoff(failures - 1, FIRST_PAUSE_S, LONGEST_PAUSE_S, self._jitter())

    def value_of(self, variable: str) -> str | None:
        """Return the value of an environment variable; None: it is not set."""
        return self._environment.get(variable, "").strip() or None

    def make_room(self) -> None:
        """Close the connection that was unused for longest, if there are too many.

        Raises: ToolNotCalled, if all are in use.
        """
        open_ones = [each for each in self._servers.values() if each.is_connected]
        if len(open_ones) < MAX_CONNECTIONS:
            return
        unused = [each for each in open_ones if not each.is_in_use]
        if not unused:
            raise ToolNotCalled("too many servers of tools are in use")
        min(unused, key=lambda each: each.used_at).disconnect()

    def close(self, closing: Coroutine[Any, Any, None]) -> None:
        """Close something in the background, at the latest at the end."""
        _start(closing, self._closing)

    async def _list_all(self) -> None:
        """List the tools of all businesses, a few at a time: the first turns find them listed."""
        places = asyncio.Semaphore(LISTED_AT_ONCE)

        async def listed(server: "_Server") -> None:
            async with places:
                if (task := server.refresh_if_due()) is not None:
                    await asyncio.wait([task])

        found = [each for business in self._businesses() for each in self._of(business)]
        await asyncio.gather(*(listed(each) for each in found[: 10 * MAX_CONNECTIONS]))

    async def _sweep_forever(self) -> None:
        """Close connections that nobody uses, and forget servers that no business has any more."""
        while True:
            await self._clock.sleep(SWEEP_S)
            now = self.now()
            for key, server in list(self._servers.items()):
                if now - server.used_at > FORGET_S:
                    del self._servers[key]
                    self.close(server.close())
                elif now - server.used_at > IDLE_S and not server.is_in_use:
                    server.disconnect()


class _Server:
    """A server of a business: its connection, if there is one, and its tools as last listed."""

    def __init__(self, tools: McpTools, business_id: str, server: ToolServer) -> None:
        self._tools = tools
        self._business_id = business_id
        self.server = server
        self.used_at = tools.now()
        self.refreshing: asyncio.Task[None] | None = None
        self._listings = 0
        self._listed_at = 0.0
        self._listed_on: ToolConnection | None = None
        self._offered: dict[str, OfferedTool] = {}
        self._problems: list[str] = []
        self._is_stale = False
        self._connection: ToolConnection | None = None
        self._connected_at = 0.0
        self._users = 0
        self._failures = 0
        self._next_at = 0.0
        self._logged_at: float | None = None

    @property
    def is_listed(self) -> bool:
        """True if its tools are known."""
        return self._listings > 0

    @property
    def is_connected(self) -> bool:
        """True if it has a connection, or is opening one."""
        return self._connection is not None and not self._connection.has_ended

    @property
    def is_in_use(self) -> bool:
        """True if somebody uses the connection, or waits until it is open."""
        return self._users > 0

    def offered(self) -> Iterator["OfferedTool"]:
        """Yield the tools that the model is offered, in the order of the file."""
        for allowed in self.server.tools:
            if (found := self.offered_tool(allowed)) is not None:
                yield found

    def offered_tool(self, allowed: AllowedTool) -> "OfferedTool | None":
        """Return a tool as the model is offered it; None: it is not."""
        return self._offered.get(allowed.name)

    def refresh_if_due(self) -> "asyncio.Task[None] | None":
        """Begin to list the tools, if it is time; return the task that does."""
        now = self._tools.now()
        age = now - self._listed_at
        is_due = not self.is_listed or age > REFRESH_S or (self._is_stale and age > LEAST_REFRESH_S)
        is_busy = self.refreshing is not None and not self.refreshing.done()
        if is_due and not is_busy and (self.is_connected or now >= self._next_at):
            self.refreshing = asyncio.create_task(self._refresh())
        return self.refreshing

    async def _refresh(self) -> None:
        try:
            await self._list()
        except ToolNotCalled:
            pass  # it is logged
        except Exception:
            extra = {"action": "tools_crashed", "server": self.server.name}
            logger.exception("Listing the tools of a server crashed", extra=extra)

    async def _list(self) -> None:
        """Read the list of tools, once. Raises: ToolNotCalled."""
        before, self._is_stale = self._listings, False
        self._users += 1
        try:
            connection = await self._connect()
            if self._listings == before:  # or it was read as the connection was opened
                await self._read_list(connection)
        except ToolNotCalled as error:
            self._report("tool_server_away", "A server of tools is away", reason=str(error))
            raise
        finally:
            self._users -= 1
        if self._problems:
            about = {"tools": len(self._problems), "reason": self._problems[0]}
            self._report("tools_not_offered", "Allowed tools are not offered", **about)

    async def _read_list(self, connection: "ToolConnection") -> None:
        """Read the list of tools, from which the connection knows how to call them, too."""
        listed = await connection.list_tools()
        self._offered, self._problems = await asyncio.to_thread(self._offers, listed)
        self._listings, self._listed_at, self._listed_on = (
            self._listings + 1,
            self._tools.now(),
            connection,
        )

    def _offers(
        self, listed: Mapping[str, "ListedTool"]
    ) -> tuple[dict[str, "OfferedTool"], list[str]]:
        """Return the tools that are offered, and why others are not."""
        from adapters.mcp.schemas import ToolRefused, look_up_problem, offered_tool

        offered: dict[str, OfferedTool] = {}
        problems: list[str] = []
        for allowed in self.server.tools:
            try:
                offered[allowed.name] = offered_tool(self.server, allowed, listed)
            except ToolRefused as error:
                problems.append(f"{allowed.name}: {error}")
            if (problem := look_up_problem(allowed, listed)) is not None:
                problems.append(f"{allowed.name}: {problem}")
        return offered, problems

    async def report(self) -> ServerReport:
        """Connect, and return what the server has of what is allowed."""
        try:
            await self._list()
            problems = tuple(self._problems)
        except ToolNotCalled as error:
            problems = (str(error),)
        tools = tuple(each.tool.name for each in self.offered())
        return ServerReport(self.server.name, tools, problems)

    async def call(
        self,
        tool: str,
        arguments: dict[str, object],
        key: str | None = None,
        *,
        problem: Callable[[], str | None] = lambda: None,
    ) -> "Called":
        """Call a tool once, within the server's time, unless there is a problem with the call.

        Raises: ToolNotCalled, ToolUnanswered.
        """
        has_begun, found = False, None
        self._users += 1
        try:
            async with asyncio.timeout(self.server.timeout_s):
                connection = await self._connect()
                if (found := problem()) is None:
                    has_begun = True
                    called = await self._traced_call(connection, tool, arguments, key)
        except TimeoutError:
            if not has_begun:
                self._report("tool_server_away", "A server of tools is away", reason="no answer")
                raise ToolNotCalled("the tool's server cannot be reached in time") from None
            self._report("tool_unanswered", "A tool was called, and has not answered")
            raise ToolUnanswered("the tool's server has not answered in time") from None
        except ToolNotCalled as error:
            if has_begun:  # the rest are the server's words
                self._report("tool_refused", "A server of tools has refused a call")
            else:
                self._report("tool_server_away", "A server of tools is away", reason=str(error))
            raise
        except ToolUnanswered:
            self._report("tool_unanswered", "A tool was called, and has not answered")
            raise
        finally:
            self._users -= 1
        if found is not None:
            raise ToolNotCalled(found)
        self._failures = 0
        return called

    async def _traced_call(
        self, connection: "ToolConnection", tool: str, arguments: dict[str, object], key: str | None
    ) -> "Called":
        about = {"mcp.method.name": "tools/call", "gen_ai.tool.name": tool}
        tracing = self._tools.tracing
        with tracing.span(f"tools/call {tool}", about, "client") as span:
            called = await connection.call(tool, arguments, key, tracing.headers())
            if called.answer.is_error:
                span.fail("tool_error")
            return called

    async def _connect(self) -> "ToolConnection":
        """Return the open connection, or a new one, on which the tools are listed.

        Raises: ToolNotCalled.
        """
        connection_type = await self._tools.connection_type()
        if (known := self._connection) is not None and not known.has_ended:
            if await known.is_alive() and known is self._listed_on:
                return known
        now = self._tools.now()
        if self._connection is not None and self._connection.has_ended:
            self._note_end(now)
        if self._connection is None:
            if now < self._next_at:
                raise ToolNotCalled("the tool's server is away; it is tried again in a minute")
            self._tools.make_room()
            self._connection, self._connected_at = self._new_connection(connection_type), now
        connection = self._connection
        await connection.is_alive()
        if connection is not self._listed_on:
            await self._read_list(connection)
        return connection

    def _new_connection(self, create: "type[ToolConnection]") -> "ToolConnection":
        server, token = self.server, None
        if server.token_variable is not None:
            token = self._tools.value_of(server.token_variable)
            if token is None or not token.isascii() or not token.isprintable() or " " in token:
                raise ToolNotCalled(f"{server.token_variable} has no token")
        named = {name: self._tools.value_of(name) for name in server.variables}
        environment = {name: value for name, value in named.items() if value is not None}
        return create(server, token, environment, self._changed)

    def _note_end(self, now: float) -> None:
        """Note that the connection has ended: if it is not the first, the next one has to wait."""
        self.disconnect()
        self._failures = self._failures + 1 if now - self._connected_at < LASTING_S else 0
        self._next_at = self._connected_at + self._tools.pause_s(self._failures - 1)

    def _changed(self) -> None:
        self._is_stale = True

    def disconnect(self) -> None:
        """Begin to close the connection; the next use opens another."""
        if self._connection is not None:
            self._tools.close(self._connection.close())
            self._connection = None

    async def close(self) -> None:
        """End what is under way, and the connection."""
        if self.refreshing is not None:
            self.refreshing.cancel()
            await asyncio.wait([self.refreshing])
        self.disconnect()

    def _report(self, action: str, sentence: str, **about: object) -> None:
        """Log what is wrong with the server, once a minute at most."""
        now = self._tools.now()
        if self._logged_at is not None and now - self._logged_at < REPORT_EVERY_S:
            return
        self._logged_at = now
        extra = {
            "action": action,
            "business_id": self._business_id,
            "server": self.server.name,
            **about,
        }
        logger.warning(sentence, extra=extra)


def _start(work: Coroutine[Any, Any, None], tasks: set[asyncio.Task[None]]) -> None:
    task = asyncio.create_task(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)


def _facts(request: ToolRequest) -> dict[Binding, str | None]:
    return {
        Binding.BUSINESS: request.customer.business_id,
        Binding.USER: request.customer.user_id,
        Binding.LOCATION: request.location_id,
        Binding.SESSION: request.session_id,
    }


def _problem(server: _Server, allowed: AllowedTool, request: ToolRequest) -> str | None:
    """Return why a tool of a server whose tools are known cannot be called; None: it can."""
    if (offered := server.offered_tool(allowed)) is None:
        return "the tool is not offered"
    facts = _facts(request)
    for name in sorted(offered.required):
        if facts[binding := allowed.bound[name]] is None:
            return f"this conversation has no {binding}, which the tool needs"
    return offered.problem_with(request.arguments)


def _bound(allowed: AllowedTool, request: ToolRequest) -> dict[str, object]:
    """Return the arguments that come from the session, as far as it has them."""
    facts = _facts(request)
    bound = {name: facts[binding] for name, binding in allowed.bound.items()}
    return {name: fact for name, fact in bound.items() if fact is not None}
