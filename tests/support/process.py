"""The product as its users start it: the command line, and a server in a process of its own."""

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
from asyncio import StreamReader, StreamReaderProtocol
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple

from tests.support import discretion
from tests.support.businesses import demo_folder_without_documents
from tests.support.fork_server import Forked, ForkServer, exit_code

ROOT = Path(__file__).parents[2]
MODULE = "entrypoints.cli.main"
COMMAND = (sys.executable, "-m", MODULE)
COMMAND_S = 50.0
"""A time-out below the time limit of a test."""
# Every warning of the interpreter is an error, and nothing of this machine's settings gets in.
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "PYTHONPATH": str(ROOT),
    "PYTHONWARNINGS": "error",
    "PYTHONUTF8": "1",
    # Fewer than any machine allows open files: a warning would be one more line in the log.
    "LIMIT_SOCKETS": "200",
}


@cache
def _fork_server() -> ForkServer:
    return ForkServer(ROOT, ENVIRONMENT)


def command(
    folder: Path, *arguments: str, typed: str = "", fresh: object = False, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run `ai-agent-server ARGUMENTS` in a folder, with `typed` as its input, to its end.

    `fresh`: with an interpreter of its own from the start, as for a user.
    """
    discretion.keep_environment(environment)
    with TemporaryFile() as typing, TemporaryFile() as output, TemporaryFile() as log:
        typing.write(typed.encode())
        typing.seek(0)
        started = _fork_server().start(
            *(MODULE, *arguments),
            folder=folder,
            environment={**ENVIRONMENT, **environment},
            files=(typing.fileno(), output.fileno(), log.fileno()),
            fresh=bool(fresh),
        )
        code = _waited_for(started)
        printed, complaints = _content(output), _content(log)
    assert discretion.leaks(complaints.splitlines()) == []
    return subprocess.CompletedProcess(arguments, code, printed, complaints)


def _waited_for(started: Forked) -> int:
    """Return the exit code of a program, which is killed if it takes too long."""
    with started.ended as ended:
        if not select.select([ended], [], [], COMMAND_S)[0]:
            os.kill(started.pid, signal.SIGKILL)
            raise TimeoutError(f"a command has not ended within {COMMAND_S:g} s")
        return exit_code(ended.read())


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


class Ended(NamedTuple):
    """The end of a process; `code` is minus the number of the signal that killed it."""

    code: int
    output: str
    log: str


class ServerProcess:
    """A server that listens at `address`, such as `127.0.0.1:40123`."""

    def __init__(self, started: Forked, output: StreamReader, log: StreamReader) -> None:
        self._started = started
        self._output = output
        self._log = log
        self._code: int | None = None
        self._actions: set[str] = set()
        self.address = ""

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._started.pid

    async def next_address(self) -> str:
        """Return the address of the next program of this process, as its log has it."""
        while True:
            if (url := (await self.next_line()).get("url")) is not None:
                return str(url).removeprefix("http://")

    async def next_line(self) -> dict[str, Any]:
        """Return the next line of its log."""
        line = await self._log.readline()
        assert line.startswith(b"{"), (line + await self._log.read()).decode()
        assert discretion.leaks([line.decode()]) == []
        logged: dict[str, Any] = json.loads(line)
        self._actions.add(logged.get("action", ""))
        return logged

    async def until_logged(self, action: str) -> None:
        """Read its log until something was done."""
        while action not in self._actions:
            await self.next_line()

    def signal(self, number: int) -> None:
        """Send a signal, without waiting."""
        os.kill(self._started.pid, number)

    async def end(self) -> Ended:
        """Wait for the end of the process."""
        output, log = await asyncio.gather(self._output.read(), self._log.read())
        if self._code is None:
            self._code = exit_code(await (await _reader(self._started.ended)).read())
        assert discretion.leaks(log.decode().splitlines()) == []
        return Ended(self._code, output.decode(), log.decode())

    async def kill(self) -> None:
        """Kill the process, if it still runs."""
        if self._code is None:
            with suppress(ProcessLookupError):
                self.signal(signal.SIGKILL)
        await self.end()


@asynccontextmanager
async def server(
    folder: Path, *, name: str = "serve", port: str = "0", fresh: object = False, **environment: str
) -> AsyncIterator[ServerProcess]:
    """Run `ai-agent-server NAME` in a folder, on a free port; kill it at the end if needed.

    `fresh`: as in `command`. Its log must not tell what was said, nor a secret of its environment.
    """
    discretion.keep_environment(environment)
    # `dev` has the demo's businesses by itself.
    demo = {"BUSINESSES": str(demo_folder_without_documents())} if name != "dev" else {}
    started, output, log = _start(
        *(name, "--port", port),
        folder=folder,
        environment={**demo, "LOG_FORMAT": "json", "LOG_LEVEL": "debug", **environment},
        fresh=bool(fresh),
    )
    process = ServerProcess(started, await _reader(output), await _reader(log))
    try:
        process.address = await process.next_address()
        yield process
    finally:
        await process.kill()


def _start(
    *arguments: str, folder: Path, environment: dict[str, str], fresh: object
) -> tuple[Forked, IO[bytes], IO[bytes]]:
    """Start a command; return it, its output and its log."""
    (output, to_output), (log, to_log) = os.pipe(), os.pipe()
    with open(os.devnull) as nothing, open(to_output, "wb"), open(to_log, "wb"):
        started = _fork_server().start(
            *(MODULE, *arguments),
            folder=folder,
            environment={**ENVIRONMENT, **environment},
            files=(nothing.fileno(), to_output, to_log),
            fresh=bool(fresh),
        )
    return started, open(output, "rb"), open(log, "rb")


async def _reader(pipe: IO[bytes]) -> StreamReader:
    """Return a reader of a pipe, which is closed at its end."""
    reader = StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: StreamReaderProtocol(reader), pipe)
    return reader
