"""The processes that are measured: started, asked what they use, and stopped."""

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from tests.bench.load import PATIENCE_S, BenchmarkFailed
from tests.support import dynamodb
from tests.support.npm import Missing

ROOT = Path(__file__).parents[2]
AT_ONCE = {"SCRIPTED_DELAY_MS": "0", "TURN_QUIET_MS": "0", "RATE_LIMITS": "off"}
"""Settings without a pause in a turn, so that only work remains."""
STOP_S = 10.0


class Running:
    """A server that listens: a process, and those that it has started."""

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        self.port = port
        self._process = process

    def signal(self, number: int) -> None:
        """Send the process a signal."""
        self._process.send_signal(number)

    @property
    def pids(self) -> list[int]:
        """The process, and those that it has started."""
        pid = self._process.pid
        return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]

    def cpu_us(self) -> float:
        """CPU time that its processes have used so far, in µs."""
        # Linux's clock of another process, in ns: make_process_cpuclock(pid, CPUCLOCK_SCHED) of
        # include/linux/posix-timers_types.h. It counts user and system time of all threads.
        clocks = [(~pid << 3) | 2 for pid in self.pids]
        return sum(map(time.clock_gettime_ns, clocks)) / 1000

    def memory_kib(self) -> int:
        """Memory that is its processes' own, in KiB."""
        return sum(map(memory_kib, self.pids))


def memory_kib(pid: int, kind: str = "Private_") -> int:
    """Memory of a process in KiB: what is its own, or another kind of Linux's smaps."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(kind))


@contextmanager
def running(
    *arguments: str, settings: Mapping[str, str] = MappingProxyType({}), checkout: Path = ROOT
) -> Iterator[Running]:
    """Run `python -m tests.bench.serve ARGUMENTS` of a checkout, with these settings.

    Raises: BenchmarkFailed when it does not come to listen; its error output is ours.
    """
    command = [sys.executable, "-m", "tests.bench.serve", *arguments]
    process = started(command, {**AT_ONCE, **settings}, checkout, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        if not url:
            raise BenchmarkFailed(f"{' '.join(command[2:])} did not start")
        yield Running(process, urlsplit(url).port or 0)
    finally:
        stop(process)


@contextmanager
def serving(settings: Mapping[str, str], checkout: Path = ROOT) -> Iterator[Running]:
    """Run `ai-agent-server serve` of a checkout, once it answers `/health`.

    Raises: BenchmarkFailed when it does not come to that.
    """
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    began = time.perf_counter()
    project = tomllib.loads((checkout / "pyproject.toml").read_text())["project"]
    module, _, function = project["scripts"]["ai-agent-server"].partition(":")
    command = [sys.executable, "-c", f"from {module} import {function}; {function}()", "serve"]
    process = started(command, {**AT_ONCE, **settings, "SERVER_PORT": str(port)}, checkout)
    try:
        while not _healthy(port):
            if process.poll() is not None or time.perf_counter() - began > PATIENCE_S:
                raise BenchmarkFailed("the server did not come to answer /health")
            time.sleep(0.005)
        yield Running(process, port)
    finally:
        stop(process)


def _healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1.0)
    with contextlib.closing(connection), contextlib.suppress(OSError):
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    return False


@contextmanager
def in_sqlite(synchronous: str = "full") -> Iterator[dict[str, str]]:
    """The settings for SQLite files in a directory that ends with the block."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        yield {
            "STORE": "sqlite",
            "SQLITE_PATH": f"{folder}/bench.sqlite3",
            "SQLITE_SYNCHRONOUS": synchronous,
            "BRIDGE_SQLITE_PATH": f"{folder}/bridge.sqlite3",
        }


def reaching(bridge_port: int) -> dict[str, str]:
    """Return the server's settings for a bridge at this port."""
    return {
        "BRIDGE": "elixir",
        "ELIXIR_HTTP_URL": f"http://127.0.0.1:{bridge_port}",
        "ELIXIR_WEBSOCKET_URL": f"ws://127.0.0.1:{bridge_port}/socket/websocket",
    }


@contextmanager
def in_dynamodb() -> Iterator[dict[str, str]]:
    """The settings for a table of its own on this machine. Raises: BenchmarkFailed."""
    try:
        engine = dynamodb.started(dynamodb.DYNOXIDE)
    except Missing as missing:
        raise BenchmarkFailed(str(missing)) from missing
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        yield {
            "STORE": "dynamodb",
            "DYNAMODB_TABLE": engine.table(Path(folder)),
            "DYNAMODB_ENDPOINT_URL": engine.url,
        }


def started(
    command: list[str],
    settings: Mapping[str, str],
    checkout: Path = ROOT,
    stdout: int = subprocess.DEVNULL,
) -> "subprocess.Popen[str]":
    """Start a process of a checkout on a free port of 127.0.0.1, unless `settings` name one."""
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "LOG_LEVEL": "warning",
        "SERVER_PORT": "0",
        "BRIDGE_PORT": "0",
        **settings,
    }
    return subprocess.Popen(command, cwd=checkout, env=environment, stdout=stdout, text=True)


def stop(process: "subprocess.Popen[str]") -> None:
    """Terminate a process and wait for its end; kill it if that takes too long."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(STOP_S)
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()
