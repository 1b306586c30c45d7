"""The cost of a hint between processes: the CPU time of its publisher, and of each receiver.

Redis and the switch run in other processes; two processes publish and receive.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import uvloop

from adapters.broker.channels import ChannelBroker, Channels
from adapters.broker.local import LocalChannels, LocalSwitch
from adapters.broker.redis import RedisChannels
from adapters.system import SystemClock
from application.ports import Appended, BrokerListener, Hint
from domain.identity import Customer, MessageId, SessionId, customer
from domain.message import Author, Message
from tests.bench.load import BenchmarkFailed
from tests.bench.measures import Effort
from tests.bench.report import Figure
from tests.support.process import ROOT
from tests.support.redis_server import redis_server

CUSTOMERS = 200
BATCH, PAUSE_S = 40, 0.02
"""Hints between two pauses: as many at once as a busy process publishes in a moment."""
HINTS_PER_ROUND = 400
GOAL_US = 50.0
PATIENCE_S = 30.0


class _Spent(msgspec.Struct, frozen=True):
    """The CPU time of a round, and the hints that were sent or received in it."""

    hints: int
    cpu_s: float


async def hints(effort: Effort) -> list[Figure]:
    """Measure both kinds of broker."""
    figures = []
    with redis_server() as redis, tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "switch")
        figures += await _figures("Redis", redis.url, effort)
        async with _Process("switch", path) as switch:
            await _line(switch)
            figures += await _figures("local", path, effort)
            async with _Process("publish", path, str(effort.rounds)) as publisher:
                unwanted = await _rounds(publisher)
            figures.append(_figure("local: a hint that nobody else needs, CPU", unwanted))
    return figures


async def _figures(name: str, where: str, effort: Effort) -> list[Figure]:
    rounds = str(effort.rounds)
    async with _Process("receive", where, rounds) as receiver:
        await _line(receiver)
        async with _Process("publish", where, rounds) as publisher:
            sent = await _rounds(publisher)
        received = await _rounds(receiver)
    return [
        _figure(f"{name}: a hint, its publisher's CPU", sent),
        _figure(f"{name}: a hint, its receiver's CPU", received),
    ]


def _figure(name: str, rounds: list[_Spent]) -> Figure:
    costs = [each.cpu_s / each.hints * 1e6 for each in rounds if each.hints]
    return Figure(
        name=name,
        value=median(costs),
        unit="µs",
        goal=GOAL_US,
        detail=f"{min(costs):.0f} to {max(costs):.0f} µs in {len(costs)} rounds",
    )


class _Process:
    """A process of this module; its standard input keeps it alive."""

    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments
        self._process: asyncio.subprocess.Process

    async def __aenter__(self) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.bench.hints", *self._arguments),
            cwd=ROOT,
            stdin=pipe,
            stdout=pipe,
        )
        return self._process

    async def __aexit__(self, *exc: object) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()


async def _line(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE_S):
        line = await process.stdout.readline()
    if not line:
        raise BenchmarkFailed("a process of the hints has ended")
    return line


async def _rounds(process: asyncio.subprocess.Process) -> list[_Spent]:
    return msgspec.json.decode(await _line(process), type=list[_Spent])


# In the processes.


class _Counter(BrokerListener):
    """Counts what is received, as cheaply as possible."""

    def __init__(self) -> None:
        self.received = 0
        self.ended = asyncio.Event()

    def on_hint(self, customer: Customer, hint: Hint) -> None:
        self.received += 1
        if isinstance(hint, Appended) and hint.entries[0].seq == 0:
            self.ended.set()

    def on_missed(self, customer: Customer | None) -> None: ...

    def on_nodes_changed(self) -> None: ...


def _hint(seq: int) -> Appended:
    at = datetime(2030, 1, 1, tzinfo=UTC)
    message = Message(
        seq=seq, message_id=MessageId(f"{seq:032x}"), author=Author.AI, text="Bună! " * 25, at=at
    )
    return Appended(SessionId("0" * 32), (message,))


def _broker(name: str, where: str) -> tuple[ChannelBroker, _Counter]:
    channels: Channels = (
        RedisChannels(where, float) if "://" in where else LocalChannels(where, float)
    )
    broker, counter = ChannelBroker(f"{name}-{os.getpid()}", channels, SystemClock()), _Counter()
    broker.listen(counter)
    return broker, counter


def _customers() -> list[Customer]:
    return [customer("b1", f"user-{number}") for number in range(CUSTOMERS)]


async def _publish(where: str, rounds: str) -> None:
    broker, _ = _broker("publisher", where)
    customers = _customers()
    spent = []
    async with broker:
        for _ in range(int(rounds)):
            began = time.process_time()
            for number in range(HINTS_PER_ROUND):
                broker.publish(customers[number % CUSTOMERS], _hint(number + 1))
                if number % BATCH == BATCH - 1:
                    await asyncio.sleep(PAUSE_S)
            spent.append(_Spent(HINTS_PER_ROUND, time.process_time() - began))
        broker.publish(customers[0], _hint(0))
        await asyncio.sleep(PAUSE_S)
    _print(spent)


async def _receive(where: str, rounds: str) -> None:
    broker, counter = _broker("receiver", where)
    spent = []
    async with broker, AsyncExitStack() as stack:
        customers = _customers()
        for who in customers:
            broker.subscribe(who)
        while not all(map(broker.is_subscribed, customers)):  # noqa: ASYNC110
            await asyncio.sleep(PAUSE_S)
        print("ready", flush=True)
        ending = asyncio.create_task(counter.ended.wait())
        stack.callback(ending.cancel)
        while not ending.done():
            before, began = counter.received, time.process_time()
            await asyncio.wait([ending], timeout=PAUSE_S * HINTS_PER_ROUND / BATCH)
            if counter.received - before >= HINTS_PER_ROUND / 2:
                spent.append(_Spent(counter.received - before, time.process_time() - began))
        if counter.received < int(rounds) * HINTS_PER_ROUND:
            raise BenchmarkFailed("hints were lost")
    _print(spent)


async def _switch(where: str) -> None:
    async with LocalSwitch(where):
        print("ready", flush=True)
        await asyncio.Event().wait()


def _print(spent: list[_Spent]) -> None:
    print(msgspec.json.encode(spent).decode(), flush=True)


_PARTS: Mapping[str, Any] = {"publish": _publish, "receive": _receive, "switch": _switch}


def _main() -> None:
    part: Awaitable[None] = _PARTS[sys.argv[1]](*sys.argv[2:])
    uvloop.run(part)  # type: ignore[arg-type]


if __name__ == "__main__":
    _main()
