"""Reading documents in a process of its own, which the system ends beyond its bounds.

A thread could be given neither bound, and no library promises any for every file: a PDF of a few
kilobytes may ask for hours, or for all memory. The process has nothing of the server's environment.
"""

import asyncio
import logging
import os
import resource
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from adapters.knowledge.documents import DocumentRefused, passages_in
from domain.knowledge import Passage

CPU_S = 20
"""Seconds of CPU that one document may take."""
MEMORY = 1024**3
"""Bytes of address space that reading may take, the interpreter included."""

_ROOT = Path(__file__).parents[2]
_PROGRAM = """import sys
sys.path.insert(0, sys.argv[1])
from adapters.knowledge.reader import serve_documents
serve_documents()"""
_LONGEST_ANSWER = 256 * 1024 * 1024


class Reading(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a document."""

    passages: tuple[Passage, ...] = ()
    problem: str | None = None
    """Why it could not be read, and what to do; None: it was."""


class _Order(Struct, frozen=True):
    path: str
    size: int


class DocumentReader:
    """Reads documents one after the other; its process runs while there are any.

    Use it as `async with reader:`.
    """

    def __init__(self, *, cpu_s: int = CPU_S, memory: int = MEMORY) -> None:
        self._bounds = (str(cpu_s), str(memory))
        self._process: Process | None = None

    async def __aenter__(self) -> "DocumentReader":
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._end()

    @property
    def pid(self) -> int | None:
        """The id of its process; None: none runs."""
        return self._process.pid if self._process is not None else None

    async def read(self, path: str, content: bytes) -> Reading:
        """Return the passages of a document, or why it has none. Raises: OSError."""
        process = self._process or await self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        order = msgspec.json.encode(_Order(path, len(content)))
        try:
            process.stdin.write(order + b"\n" + content)
            await process.stdin.drain()
        except ConnectionError:
            pass  # it has ended, or ends: its answer shows it
        except BaseException:
            await self._end()  # cancelled in the middle of a document
            raise
        try:
            answer = await process.stdout.readline()
            return msgspec.json.decode(answer, type=Reading)
        except (msgspec.DecodeError, ValueError):
            code = await self._end()
        except BaseException:
            await self._end()
            raise
        if code == -signal.SIGPROF:
            return Reading(problem="it takes too long to read: divide it, or save it anew")
        return Reading(problem="it cannot be read within the memory there is: divide it")

    async def _start(self) -> Process:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-c", _PROGRAM, str(_ROOT), *self._bounds),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env={},
            start_new_session=True,
            limit=_LONGEST_ANSWER,
        )
        return self._process

    async def _end(self) -> int:
        """End the process, and return its exit code."""
        process, self._process = self._process, None
        if process is None:
            return 0
        assert process.stdin is not None
        process.stdin.close()
        if process.stdout is not None and process.stdout.at_eof():
            return await process.wait()
        with suppress(ProcessLookupError):
            process.kill()
        return await process.wait()


def serve_documents() -> None:
    """Read the documents that come on the standard input, each after an order in one line."""
    cpu_s, memory = int(sys.argv[2]), int(sys.argv[3])
    with suppress(ValueError, OSError):  # where the system has no such limit, or a lower one
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    os.nice(10)
    logging.disable()  # libraries quote what they read
    orders, answers = sys.stdin.buffer, sys.stdout.buffer
    while line := orders.readline():
        order = msgspec.json.decode(line, type=_Order)
        content = orders.read(order.size)
        # Of CPU, and not of the clock: a busy machine refuses no document. Nothing catches it.
        signal.setitimer(signal.ITIMER_PROF, cpu_s)
        answer = msgspec.json.encode(_reading(order.path, content))
        signal.setitimer(signal.ITIMER_PROF, 0)
        answers.write(answer + b"\n")
        answers.flush()


def _reading(path: str, content: bytes) -> Reading:
    try:
        return Reading(passages=tuple(passages_in(path, content)))
    except DocumentRefused as refused:
        return Reading(problem=str(refused))
    except (MemoryError, RecursionError):
        return Reading(problem="it takes too much memory to read: divide it")
