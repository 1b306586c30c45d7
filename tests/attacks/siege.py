"""A server in a process of its own, attackers, and a customer who chats meanwhile.

What counts is the customer's longest wait for an acknowledgement, and what the server weighs.
"""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.integration.phoenix.client import RawClient, masked
from tests.support import process
from tests.support.user import User, user

Address = str
MIB = 1024 * 1024

MAX_WAIT_S = 1.0
MAX_GROWTH_MIB = 320
"""Ten times the goals of `make bench attacks`, so that a busy machine fails nothing."""

PACE_S = 0.06
"""A customer's pause between two messages: within the frames that a socket may send."""
SETTINGS = {
    "STORE": "memory",
    "SCRIPTED_DELAY_MS": "0",
    "TURN_QUIET_MS": "0",
    "LIMIT_MESSAGES_PER_USER": "100000",
    "LIMIT_MESSAGES_PER_BUSINESS": "10000000",
}


class Siege:
    """The server under attack, and what was measured."""

    def __init__(self, address: Address, pid: int) -> None:
        self.address = address
        self._pid = pid
        self._weight = self.weight_mib()
        self._heaviest = self._weight
        self.waits_s: list[float] = []

    @property
    def longest_wait_s(self) -> float:
        """The customer's longest wait for an acknowledgement."""
        return max(self.waits_s)

    @property
    def growth_mib(self) -> float:
        """The memory that the server's process has gained since the start, at its worst."""
        return self._heaviest - self._weight

    def weight_mib(self) -> float:
        """Return the memory that is the server's own."""
        lines = Path(f"/proc/{self._pid}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024

    async def during(self, attack: Awaitable[object]) -> None:
        """Measure while an attack runs."""
        async with user(self.address, "b1", "innocent") as customer:
            await customer.join()
            attacking = asyncio.ensure_future(attack)
            try:
                while not attacking.done():
                    await self._say(customer)
                await self._say(customer)
            finally:
                attacking.cancel()
        await attacking

    async def _say(self, customer: User) -> None:
        began = time.monotonic()
        await customer.say("Bună!")
        self.waits_s.append(time.monotonic() - began)
        customer.pushes.clear()
        self._heaviest = max(self._heaviest, self.weight_mib())
        await asyncio.sleep(PACE_S)

    def check(self) -> None:
        """Fail if the customer waited too long, or the server has become too heavy."""
        assert self.longest_wait_s <= MAX_WAIT_S
        assert self.growth_mib <= MAX_GROWTH_MIB


@asynccontextmanager
async def besieged(folder: Path, **environment: str) -> AsyncIterator[Siege]:
    """Start a server with these settings."""
    async with process.server(folder, **{**SETTINGS, **environment}) as server:
        siege = Siege(server.address, server.pid)
        async with user(siege.address, "b1", "first") as customer:  # all that is loaded lazily
            await customer.join()
            await customer.say("Bună!")
        siege._weight = siege._heaviest = siege.weight_mib()
        yield siege


@asynccontextmanager
async def connection(address: Address) -> AsyncIterator[RawClient]:
    """Open a TCP connection that the server may end."""
    host, port = address.split(":")
    with socket.socket() as opened:
        opened.setblocking(False)
        await asyncio.get_running_loop().sock_connect(opened, (host, int(port)))
        yield RawClient(opened)


async def flood(
    address: Address, data: bytes, *, seconds: float, bytes_per_s: int, upgrade: bool = True
) -> int:
    """Send the data over and over, on a new connection when one is ended; return their number."""
    loop = asyncio.get_running_loop()
    until, number = loop.time() + seconds, 0
    chunk = data * max(1, bytes_per_s // 20 // len(data))
    while loop.time() < until:
        number += 1
        async with connection(address) as client:
            with suppress(OSError, TimeoutError):
                if upgrade:
                    await client.upgrade()
                await _send_until(client, chunk, until)
    return number


async def _send_until(client: RawClient, chunk: bytes, until: float) -> None:
    loop = asyncio.get_running_loop()
    while loop.time() < until:
        next_at = loop.time() + 0.05
        async with asyncio.timeout_at(until):
            await client.write(chunk)
        await asyncio.sleep(max(0.0, next_at - loop.time()))


def text(*frame: object) -> bytes:
    """Return a V2 frame as a WebSocket client sends it."""
    return masked(json.dumps(frame).encode())


async def together(attacks: Iterable[Callable[[], Awaitable[object]]]) -> None:
    """Run attacks at the same time."""
    await asyncio.gather(*(attack() for attack in attacks))
