"""A server of tools that is a program: spoken to by its standard input and output.

The SDK's own transport neither bounds a line, nor ends the children of a program that has ended.
"""

import asyncio
import logging
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.client.stdio import get_default_environment
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter

from adapters.json_text import whole_escapes
from domain.plain_text import plain_text

logger = logging.getLogger(__name__)

MAX_LINE = 2 * 1024 * 1024
"""Bytes of one message, and of all that come without having been asked for."""
MAX_RUBBISH = 100
"""Lines that are no messages, after which the program is given up."""
MAX_LOGGED, MAX_LOGGED_LINE = 20, 200
"""Lines of standard error that are logged of one run, and characters of each."""
ENDING_S = 2.0
"""The time for the program to end by itself, and then by SIGTERM, before it is killed."""
_CHUNK, _POLL_S = 64 * 1024, 0.01

Incoming = MemoryObjectSendStream[SessionMessage | Exception]
ProgramStreams = tuple[
    MemoryObjectReceiveStream[SessionMessage | Exception], MemoryObjectSendStream[SessionMessage]
]


@asynccontextmanager
async def program_streams(
    command: Sequence[str],
    environment: Mapping[str, str],
    on_end: Callable[[], None],
    on_status: Callable[[int | None], None],
) -> AsyncGenerator[ProgramStreams, None]:
    """Run a program and exchange messages with it; at the end it is gone, and its children are.

    `environment`: what it gets beside the few variables that every program needs. `on_end` is
    called where it ends by itself, and `on_status` at the end with its exit status.
    Raises: OSError, ValueError.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        env=get_default_environment() | dict(environment),
        start_new_session=True,
    )
    incoming, read = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    write, outgoing = anyio.create_memory_object_stream[SessionMessage](0)
    tasks = [
        asyncio.create_task(_receive(process, incoming, on_end)),
        asyncio.create_task(_send(process, outgoing)),
        asyncio.create_task(_log_errors(process)),
    ]
    try:
        yield read, write
    finally:
        for task in tasks:
            task.cancel()
        # A cancellation that comes meanwhile must not leave the program behind.
        ending = asyncio.ensure_future(_end(process))
        with anyio.CancelScope(shield=True):
            await asyncio.wait([*tasks, ending])
        on_status(process.returncode)
        for stream in (incoming, read, write, outgoing):
            stream.close()


async def _receive(process: Process, incoming: Incoming, on_end: Callable[[], None]) -> None:
    """Pass on the messages of the program, until it ends, or writes what it may not."""
    assert process.stdout is not None
    line, left, rubbish = bytearray(), MAX_LINE, MAX_RUBBISH
    try:
        while rubbish > 0 and (chunk := await process.stdout.read(_CHUNK)):
            *ended, rest = chunk.split(b"\n")
            for piece in ended:
                message = whole_escapes(bytes(line + piece))
                line.clear()
                if not message.strip():
                    continue
                try:
                    found = jsonrpc_message_adapter.validate_json(message, by_name=False)
                except ValueError:
                    rubbish -= 1
                    continue
                if hasattr(found, "id"):
                    left = MAX_LINE
                await incoming.send(SessionMessage(found))
            line += rest
            left -= len(chunk)
            if left < 0:
                break
    except (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
        pass  # the connection is being closed
    finally:
        incoming.close()
        on_end()


async def _send(process: Process, outgoing: MemoryObjectReceiveStream[SessionMessage]) -> None:
    assert process.stdin is not None
    with suppress(OSError):  # it has ended, which `_receive` finds
        async for each in outgoing:
            message = each.message.model_dump_json(by_alias=True, exclude_unset=True)
            process.stdin.write(message.encode() + b"\n")
            await process.stdin.drain()


async def _log_errors(process: Process) -> None:
    """Log the first lines of the program's standard error; the rest is read and dropped."""
    assert process.stderr is not None
    left, line = MAX_LOGGED, b""
    while chunk := await process.stderr.read(_CHUNK):
        if left <= 0:
            continue
        *ended, line = (line + chunk).split(b"\n")
        for each in ended[:left]:
            text = plain_text(each[: 4 * MAX_LOGGED_LINE].decode(errors="replace"))
            extra = {"action": "tool_server_says", "line": text[:MAX_LOGGED_LINE]}
            logger.debug("A server of tools writes to its standard error", extra=extra)
        left -= len(ended)
        line = line[: 4 * MAX_LOGGED_LINE]


async def _end(process: Process) -> None:
    """End the program: its input ends, then it is asked to, then it and its children are killed."""
    assert process.stdin is not None
    process.stdin.close()
    if not await _has_ended(process, ENDING_S / 2):
        _signal(process, signal.SIGTERM)
        await _has_ended(process, ENDING_S / 2)
    # Its group outlives it where it has left children behind.
    _signal(process, signal.SIGKILL)
    await _has_ended(process, ENDING_S)
    transport = getattr(process, "_transport", None)
    if transport is not None:  # open as long as a grandchild in another group holds a pipe
        transport.close()


async def _has_ended(process: Process, within_s: float) -> bool:
    """Wait until the program has ended; `Process.wait` waits for what its pipes still hold, too."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            while process.returncode is None:  # noqa: ASYNC110 - nothing sets an event for it
                await asyncio.sleep(_POLL_S)
    return process.returncode is not None


def _signal(process: Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
