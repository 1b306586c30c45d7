"""The product as its users start it: the command line, and a server in a process of its own."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from tests.support import discretion

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "entrypoints.cli.main")
# Every warning of the interpreter is an error, and nothing of this machine's settings gets in.
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "PYTHONPATH": str(ROOT),
    "PYTHONWARNINGS": "error",
    "PYTHONUTF8": "1",
}


def command(
    folder: Path, *arguments: str, typed: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run `ai-agent-server ARGUMENTS` in a folder, with `typed` as its input, to its end."""
    discretion.keep_environment(environment)
    ended = subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env={**ENVIRONMENT, **environment},
        input=typed,
        capture_output=True,
        encoding="utf-8",
        timeout=50,
    )
    assert discretion.leaks(ended.stderr.splitlines()) == []
    return ended


class Ended(NamedTuple):
    """What a process leaves behind: `code` is minus the number of the signal that killed it."""

    code: int
    output: str
    log: str


class ServerProcess:
    """A server that listens at `address`, such as `127.0.0.1:40123`."""

    def __init__(self, process: asyncio.subprocess.Process, address: str) -> None:
        self._process = process
        self.address = address

    async def next_address(self) -> str:
        """Where the next program of this process listens, as its log says."""
        assert self._process.stderr is not None
        return _address(await self._process.stderr.readline())

    def signal(self, number: int) -> None:
        """Send it a signal, and do not wait."""
        self._process.send_signal(number)

    async def end(self) -> Ended:
        """Wait for its end."""
        output, log = await _rest(self._process)
        return Ended(await self._process.wait(), output, log)


@asynccontextmanager
async def server(
    folder: Path, *, name: str = "serve", port: str = "0", **environment: str
) -> AsyncIterator[ServerProcess]:
    """`ai-agent-server NAME` in a folder, on a free port; killed at the end if it still runs.

    Its log must not tell what was said, nor a secret of its environment.
    """
    discretion.keep_environment(environment)
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *(name, "--port", port),
        cwd=folder,
        env={**ENVIRONMENT, "LOG_FORMAT": "json", "LOG_LEVEL": "debug", **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        line = await process.stderr.readline()
        assert line.startswith(b"{"), (line + await process.stderr.read()).decode()
        yield ServerProcess(process, _address(line))
    finally:
        if process.returncode is None:
            process.kill()
        await _rest(process)


async def _rest(process: asyncio.subprocess.Process) -> tuple[str, str]:
    """What it has not written yet until its end, to its output and to its log."""
    output, log = await process.communicate()
    assert discretion.leaks(log.decode().splitlines()) == []
    return output.decode(), log.decode()


def _address(line: bytes) -> str:
    return str(json.loads(line)["url"]).removeprefix("http://")
