"""A server in a process of its own, attackers, and a customer who chats meanwhile.

Measured are the customer's wait for an acknowledgement and the memory of the server's process.
"""

import asyncio
import json
import random
import resource
import signal
import socket
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from tests.integration.phoenix.client import RawClient, masked
from tests.support.nginx import nginx
from tests.support.process import ENVIRONMENT, MODULE
from tests.support.user import User, user

MAX_WAIT_S = 1.0
MAX_GROWTH_MIB = 320.0
"""Ten times the goals of `python -m tests.bench attacks`, so that a busy machine fails nothing."""

PACE_S = 0.06
"""A customer's pause between two messages: within the frames that a socket may send."""
WEIGH_EVERY_S = 0.1
SETTINGS = {
    "STORE": "memory",
    "SCRIPTED_DELAY_MS": "0",
    "TURN_QUIET_MS": "0",
    "LIMIT_SOCKETS": "2500",
    "LIMIT_MESSAGES_PER_USER": "240",
    "LIMIT_MESSAGES_PER_BUSINESS": "10000000",
    "LOG_FORMAT": "json",
    "LOG_LEVEL": "warning",
}


class Siege:
    """The server under attack, and what was measured."""

    def __init__(self, address: str, pid: int) -> None:
        self.address = address
        self.lines: list[bytes] = []
        """The lines of the server's log so far."""
        self.waits_s: list[float] = []
        """The customers' waits for an acknowledgement."""
        self.growth_mib = 0.0
        """The most memory that the server's process had beyond that of its start."""
        self.log: list[dict[str, Any]] = []
        """The lines of the server's log, complete when it has ended."""
        self._has_logged = asyncio.Event()
        self._pid = pid
        self._customers: list[str] = []
        self._weight_mib = 0.0

    async def start(self) -> None:
        """Send a first message, which loads what is loaded late; then weigh."""
        async with user(self.address, "b1", "first") as customer:
            await customer.join()
            await customer.say("Bună!")
        self._weight_mib = self.weight_mib()

    def weight_mib(self) -> float:
        """Return the memory that is the server's own."""
        lines = Path(f"/proc/{self._pid}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024

    def grown_mib(self) -> float:
        """Return the memory that the server's process has beyond that of its start."""
        return self.weight_mib() - self._weight_mib

    async def during(
        self, attack: Coroutine[Any, Any, object], customers: int = 1, pace_s: float = PACE_S
    ) -> None:
        """Let customers chat and measure, while an attack runs."""
        async with AsyncExitStack() as stack:
            self._customers = [f"innocent{number}" for number in range(customers)]
            chatting = [
                await stack.enter_async_context(user(self.address, "b1", user_id))
                for user_id in self._customers
            ]
            for customer in chatting:
                await customer.join()
            attacking = asyncio.ensure_future(attack)
            weighing = asyncio.ensure_future(self._weigh())
            try:
                await asyncio.gather(*(self._chat(each, attacking, pace_s) for each in chatting))
            finally:
                attacking.cancel()
                weighing.cancel()
        await attacking

    async def _weigh(self) -> None:
        while True:
            self.growth_mib = max(self.growth_mib, self.grown_mib())
            await asyncio.sleep(WEIGH_EVERY_S)

    async def _chat(
        self, customer: User, attacking: "asyncio.Future[object]", pace_s: float
    ) -> None:
        await asyncio.sleep(pace_s * random.random())
        while not attacking.done():
            await self.say(customer)
            await asyncio.sleep(pace_s)
        await self.say(customer)

    async def say(self, customer: User) -> None:
        """Send a message of a customer, and measure the wait for its acknowledgement."""
        began = time.perf_counter()
        await customer.say("Bună!")
        self.waits_s.append(time.perf_counter() - began)
        customer.pushes.clear()

    def take_descriptors(self, left: int | None = None) -> int:
        """Leave the process so many open files; None: hardly any more. Return the former limit."""
        if left is None:
            left = 3 + max(int(entry.name) for entry in Path(f"/proc/{self._pid}/fd").iterdir())
        soft, hard = resource.prlimit(self._pid, resource.RLIMIT_NOFILE)
        resource.prlimit(self._pid, resource.RLIMIT_NOFILE, (left, hard))
        return soft

    async def until_logged(self, action: str) -> None:
        """Wait until the server's log has a line with the action."""
        while not any(json.loads(line)["action"] == action for line in self.lines):
            self._has_logged.clear()
            await self._has_logged.wait()

    async def read_log(self, stream: asyncio.StreamReader) -> None:
        """Collect the lines of the server's log, to its end."""
        while line := await stream.readline():
            self.lines.append(line)
            self._has_logged.set()

    async def stored(self) -> int:
        """Return the number of the customers' messages that are stored."""
        stored = 0
        async with httpx.AsyncClient(base_url=f"http://{self.address}") as api:
            for user_id in self._customers:
                export = (await api.get(f"/api/users/b1/{user_id}/export")).json()
                for conversation in export["conversations"]:
                    authors = [entry["author"] for entry in conversation["messages"]]
                    stored += authors.count("user")
        return stored

    def check(self) -> None:
        """Fail if a customer waited too long, or the server has become too heavy."""
        assert max(self.waits_s) <= MAX_WAIT_S
        assert self.growth_mib <= MAX_GROWTH_MIB

    def limits_met(self) -> set[str]:
        """Return the limits that the server has logged."""
        return {line["limit"] for line in self.log if line["action"] == "limit_met"}


@asynccontextmanager
async def besieged(
    folder: Path, *, open_files: int = 2_600, environment: Mapping[str, str] = {}
) -> AsyncIterator[Siege]:
    """Start a server that may open so many files; its log is there after the block."""
    command = f'ulimit -n {open_files}; exec "$0" -m {MODULE} serve --port 0'
    process = await asyncio.create_subprocess_exec(
        *("/bin/sh", "-c", command, sys.executable),
        cwd=folder,
        env={**ENVIRONMENT, **SETTINGS, "LOG_LEVEL": "info", **environment},
        stderr=PIPE,
    )
    assert process.stderr is not None
    reading = None
    try:
        first = json.loads(await process.stderr.readline())
        siege = Siege(str(first["url"]).removeprefix("http://"), process.pid)
        reading = asyncio.ensure_future(siege.read_log(process.stderr))
        await siege.start()
        yield siege
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        await process.wait()
        if reading is not None:
            await reading
    siege.log = [json.loads(line) for line in siege.lines]


@asynccontextmanager
async def behind_nginx(siege: Siege) -> AsyncIterator[None]:
    """Put nginx in front of the server: the siege's address is its, while it runs."""
    address = siege.address
    async with nginx(address) as proxied:
        siege.address = proxied
        try:
            yield
        finally:
            siege.address = address


@asynccontextmanager
async def connection(address: str, source: str = "127.0.0.1") -> AsyncIterator[RawClient]:
    """Open a TCP connection from one of this machine's addresses; the server may end it."""
    host, port = address.split(":")
    with socket.socket() as opened:
        opened.setblocking(False)
        opened.bind((source, 0))
        await asyncio.get_running_loop().sock_connect(opened, (host, int(port)))
        yield RawClient(opened)


async def flood(
    address: str,
    data: bytes,
    *,
    seconds: float,
    bytes_per_s: int,
    start: bytes = b"",
    upgrade: bool = False,
    source: str = "127.0.0.1",
    begin_s: float = 0.0,
    pause_s: float = 0.0,
) -> int:
    """Send data over and over, reconnecting when closed; return the number of connections.

    `start` comes before it, on each connection; `upgrade`: on a WebSocket. `pause_s`: between two
    connections.
    """
    loop = asyncio.get_running_loop()
    until, number = loop.time() + seconds, 0
    await asyncio.sleep(begin_s)
    chunk = data * max(1, bytes_per_s // 20 // len(data))
    while loop.time() < until:
        number += 1
        with suppress(OSError, TimeoutError):
            async with connection(address, source) as client:
                if upgrade:
                    await client.upgrade()
                await client.write(start)
                await _repeat(client, chunk, until)
        await asyncio.sleep(min(pause_s, max(0.0, until - loop.time())))
    return number


async def _repeat(client: RawClient, chunk: bytes, until: float) -> None:
    loop = asyncio.get_running_loop()
    while loop.time() < until:
        next_at = loop.time() + 0.05
        async with asyncio.timeout_at(until):
            await client.write(chunk)
        await asyncio.sleep(max(0.0, next_at - loop.time()))


def frame(*parts: object) -> bytes:
    """Return a V2 frame as a WebSocket client sends it."""
    return masked(json.dumps(parts, ensure_ascii=False).encode())


SHORT_SILENCE = """
import asyncio, uvloop
from tests.support.server import running
from tests.support.vector_app import vector_app

async def main():
    async with running(vector_app(), idle_timeout_s=0.6) as address:
        print(address, flush=True)
        await asyncio.Event().wait()

uvloop.run(main())
"""


@asynccontextmanager
async def short_silence() -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """Run a server that ends silent sockets after 0.6 s; yield its address and process."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SHORT_SILENCE), env=dict(ENVIRONMENT), stdout=PIPE
    )
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().strip(), process
    finally:
        process.kill()
        await process.wait()
