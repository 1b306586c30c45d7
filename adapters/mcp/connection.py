"""A connection to a server of tools: it lives in a task of its own, which opens and closes it.

The SDK's contexts belong to the task that enters them. One call is one request: nothing is sent
again, and no result is checked against what the server has promised of it.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from types import MappingProxyType
from typing import Any, NamedTuple

import httpx2
import mcp_types as types
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from pydantic import TypeAdapter, ValidationError

from adapters.mcp.http import NOT_SENT, REACH_S, REFUSED, GuardedTransport
from adapters.mcp.program import program_streams
from adapters.mcp.results import is_empty, result_text
from adapters.mcp.schemas import ListedTool
from application.ports import ToolAnswer
from domain.errors import ToolNotCalled, ToolUnanswered
from domain.plain_text import plain_text
from domain.tool import ToolServer

# What they log of a server's mistakes has its words, and comes as often as the server likes.
for _library in ("client", "mcp", "httpx2", "httpcore2"):
    logging.getLogger(_library).setLevel(logging.CRITICAL)

OPEN_S = 20.0
"""The time for a connection to be opened: to find that a server is an old one may take 10 s."""
CLOSE_S = 8.0
LIST_S = 15.0
TRUSTED_S, PING_S = 2.0, 2.0
"""The time for which a session is trusted after its last use, and the longest to ask for it."""
MAX_PAGES, MAX_LISTED = 20, 2_000
"""Of a server's list of tools; the rest is not read."""
MAX_REASON = 300
"""Characters of why a server has refused a call."""

_KEY = "ai-agent-server/idempotency-key"
_REFUSED = frozenset(
    {types.METHOD_NOT_FOUND, types.INVALID_PARAMS, types.HEADER_MISMATCH}
    | {types.MISSING_REQUIRED_CLIENT_CAPABILITY, types.UNSUPPORTED_PROTOCOL_VERSION}
    | {types.URL_ELICITATION_REQUIRED, NOT_SENT, REFUSED}
)
"""The errors of which it is certain that nothing was done."""
_Result: TypeAdapter[Any] = TypeAdapter(types.CallToolResult | types.InputRequiredResult)


class Called(NamedTuple):
    """What came of a call."""

    answer: ToolAnswer
    is_empty: bool
    """True if it is an answer to a look-up that has found nothing."""


class ToolConnection:
    """A connection that is being opened, is open, or has ended; it is opened once."""

    def __init__(
        self,
        server: ToolServer,
        token: str | None,
        environment: Mapping[str, str],
        on_changed: Callable[[], None],
    ) -> None:
        """`on_changed` is called where the server says that its tools are others."""
        self._server = server
        self._token = token
        self._environment = environment
        self._on_changed = on_changed
        self._loop = asyncio.get_running_loop()
        self._used_at = self._loop.time()
        self._closing = asyncio.Event()
        self._status: int | None = None
        self._client: asyncio.Future[Client] = self._loop.create_future()
        self._client.add_done_callback(_retrieve)  # nobody may be waiting for it
        self._task = asyncio.create_task(self._live())

    @property
    def has_ended(self) -> bool:
        """True if it takes no more requests."""
        return self._closing.is_set() or self._task.done()

    def end(self) -> None:
        """Begin to close it; calls that are under way get no answer."""
        self._closing.set()

    async def close(self) -> None:
        """Close it, and wait until it is closed."""
        self.end()
        await asyncio.wait([self._task], timeout=CLOSE_S)
        self._task.cancel()
        await asyncio.wait([self._task], timeout=CLOSE_S)

    async def is_alive(self) -> bool:
        """Wait until it is open; return True if it can be used, as far as can be known.

        An old server over HTTP, once restarted, knows its sessions no more: it is asked after a
        pause, so that no call has to find out. Raises: ToolNotCalled.
        """
        client, now = await asyncio.shield(self._client), self._loop.time()
        is_old = client.session.discover_result is None and bool(self._server.url)
        if is_old and not self.has_ended and now - self._used_at > TRUSTED_S:
            try:
                async with asyncio.timeout(PING_S):
                    await client.session.send_ping()
            except MCPError as error:
                if error.code != types.METHOD_NOT_FOUND:
                    self.end()
            except (TimeoutError, ValidationError):
                self.end()
        self._used_at = self._loop.time()
        return not self.has_ended

    async def list_tools(self) -> dict[str, ListedTool]:
        """Return the server's tools, by their names. Raises: ToolNotCalled."""
        client = await asyncio.shield(self._client)
        found, cursor = dict[str, ListedTool](), None
        try:
            async with asyncio.timeout(LIST_S):
                for _ in range(MAX_PAGES):
                    params = types.PaginatedRequestParams(cursor=cursor) if cursor else None
                    page = await client.session.list_tools(params=params)
                    for each in page.tools[: MAX_LISTED - len(found)]:
                        text = each.description or each.title or ""
                        found[each.name] = ListedTool(each.name, text, each.input_schema)
                    if (cursor := page.next_cursor) is None or len(found) >= MAX_LISTED:
                        break
        except TimeoutError:
            raise ToolNotCalled("the list of tools did not come in time") from None
        except MCPError as error:
            self._end_after(error)
            raise ToolNotCalled(f"the list of tools was not to be had ({error.code})") from None
        except (ValidationError, RuntimeError):
            raise ToolNotCalled("the list of tools is no such list") from None
        return found

    async def call(
        self,
        tool: str,
        arguments: dict[str, Any],
        key: str | None,
        trace: Mapping[str, str] = MappingProxyType({}),
    ) -> "Called":
        """Call a tool once; `trace`: names the span that waits for it, as W3C's headers do.

        Raises: ToolNotCalled, ToolUnanswered.
        """
        client = await asyncio.shield(self._client)
        meta: Any = dict(trace)  # where MCP has it, and GuardedTransport finds the header
        if key is not None:
            meta[_KEY] = key
        meta = meta or None
        params = types.CallToolRequestParams(name=tool, arguments=arguments, _meta=meta)
        try:
            result = await client.session.send_request(
                types.CallToolRequest(params=params), _Result, self._server.timeout_s
            )
        except MCPError as error:
            self._end_after(error)
            if error.code in _REFUSED:
                text = plain_text(error.message)[:MAX_REASON]
                raise ToolNotCalled(f"the tool's server has refused: {text}") from None
            raise ToolUnanswered(f"the tool's server has not answered ({error.code})") from None
        except (ValidationError, RuntimeError, OSError, TimeoutError):
            raise ToolUnanswered("the answer of the tool's server is no result") from None
        if not isinstance(result, types.CallToolResult):
            raise ToolUnanswered("the tool's server asks for more, which nobody can give it")
        answer = ToolAnswer(text=result_text(result), is_error=bool(result.is_error))
        return Called(answer, is_empty(result))

    def _end_after(self, error: MCPError) -> None:
        """End a connection that a new one would have to replace: it is broken, or forgotten."""
        if error.code in (types.CONNECTION_CLOSED, NOT_SENT, REFUSED):
            self.end()

    async def _live(self) -> None:
        """Open the connection, wait until it is to be closed, and close it."""
        try:
            async with AsyncExitStack() as stack:
                async with asyncio.timeout(OPEN_S):
                    client = await stack.enter_async_context(await self._new_client(stack))
                self._client.set_result(client)
                changes = asyncio.create_task(self._follow_changes(client))
                try:
                    await self._closing.wait()
                finally:
                    changes.cancel()
                    await asyncio.wait([changes])
        except Exception as error:  # of the program, the server, the SDK's groups of tasks
            if not self._client.done():
                self._client.set_exception(ToolNotCalled(self._reason(error)))
        finally:
            self._closing.set()
            if not self._client.done():
                self._client.set_exception(ToolNotCalled("the connection was closed"))

    def _note_status(self, status: int | None) -> None:
        self._status = status

    def _reason(self, error: BaseException) -> str:
        """Return why the connection could not be opened, without a word of the server's."""
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        if isinstance(error, MCPError):
            if error.code == NOT_SENT:
                return "the tool's server cannot be reached"
            if error.code == types.CONNECTION_CLOSED:
                status = f", and has ended with status {self._status}" if self._status else ""
                return f"the tool's server has closed the connection{status}"
            return f"the tool's server does not speak MCP as it should ({error.code})"
        if isinstance(error, TimeoutError):
            return "the tool's server did not answer in time"
        if isinstance(error, OSError):
            return f"the tool's server cannot be started: {error.strerror or type(error).__name__}"
        return "the tool's server does not speak MCP as it should"

    async def _new_client(self, stack: AsyncExitStack) -> Client:
        """Return a client that is not open yet."""
        server = self._server
        if server.command:
            transport: Any = program_streams(
                server.command, self._environment, self._closing.set, self._note_status
            )
        else:
            guarded = GuardedTransport(server.url, self._token, server.timeout_s + 2.0)
            times = httpx2.Timeout(None, connect=REACH_S, pool=REACH_S)
            http = httpx2.AsyncClient(transport=guarded, timeout=times, trust_env=False)
            await stack.enter_async_context(http)
            transport = streamable_http_client(server.url, http_client=http)
        about = types.Implementation(name="ai-agent-server", version="1")
        return Client(transport, message_handler=self._handle, client_info=about, cache=None)

    async def _handle(self, message: object) -> None:
        if isinstance(message, types.ToolListChangedNotification):
            self._on_changed()

    async def _follow_changes(self, client: Client) -> None:
        """Ask a server of the new protocol to say when its tools are others; old ones say it."""
        tools = client.server_capabilities.tools
        if client.session.discover_result is None or tools is None or not tools.list_changed:
            return
        # Without it, changes are found later, by looking.
        with suppress(Exception):
            async with client.listen(tools_list_changed=True) as changes:
                async for _ in changes:
                    self._on_changed()


def _retrieve(opened: asyncio.Future[Client]) -> None:
    if not opened.cancelled():
        opened.exception()
