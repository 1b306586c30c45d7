"""The CPU of a hint where it is published, and where it is received, through a Redis server.

The benchmark's own process receives; one that it starts publishes, `python -m tests.bench.hints
URL PER_BATCH BATCHES`, and prints its CPU per hint.
"""

import asyncio
import sys
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from random import random
from statistics import median

import uvloop

from adapters.broker.channels import ChannelBroker
from adapters.broker.redis import RedisChannels
from adapters.system import SystemClock
from application.ports import Appended, BrokerListener, Hint
from domain.identity import BusinessId, Customer, MessageId, SessionId, UserId
from domain.message import Author, Message
from tests.bench.load import BUSINESS, PATIENCE_S, TEXT, BenchmarkFailed
from tests.bench.measures import Effort, Measure
from tests.bench.report import Figure
from tests.bench.servers import ROOT
from tests.support.redis_server import redis_server

HINT_US = 50.0
CUSTOMERS = [Customer(BusinessId(BUSINESS), UserId(f"user-{number}")) for number in range(100)]
BATCH_EVERY_S = 0.01
BUSY, QUIET = 10, 1
"""Hints that are published at once."""


class _Receiver(BrokerListener):
    """A process that follows all customers, until as many hints have come as are expected."""

    def __init__(self, expected: int) -> None:
        self._expected = expected
        self._confirmed: set[Customer] = set()
        self.follows_all = asyncio.Event()
        self.has_all = asyncio.Event()

    def on_hint(self, customer: Customer, hint: Hint) -> None:
        self._expected -= 1
        if self._expected == 0:
            self.has_all.set()

    def on_missed(self, customer: Customer | None) -> None:
        if customer is not None:  # its subscription is confirmed
            self._confirmed.add(customer)
        if len(self._confirmed) == len(CUSTOMERS):
            self.follows_all.set()

    def on_nodes_changed(self) -> None:
        pass


async def hints(effort: Effort) -> list[Figure]:
    """Measure the CPU of a hint on each side, at two rates."""
    with redis_server() as redis:
        busy = [await _cost_us(redis.url, BUSY, 200) for _ in range(effort.rounds)]
        quiet = [await _cost_us(redis.url, QUIET, 200) for _ in range(effort.rounds)]
    return [
        Figure(
            name=f"a hint where it is {side}, CPU",
            value=median(cost[number] for cost in busy),
            unit="µs",
            goal=HINT_US,
            detail=f"an answer's entry; {BUSY} at once, {BUSY / BATCH_EVERY_S:,.0f} per second; "
            f"each alone {median(cost[number] for cost in quiet):.0f} µs",
        )
        for number, side in enumerate(("published", "received"))
    ]


async def _cost_us(url: str, per_batch: int, batches: int) -> tuple[float, float]:
    """Return the CPU per hint in µs: of the publisher, of the receiver."""
    count = per_batch * batches
    async with AsyncExitStack() as stack:
        receiver = _Receiver(count)
        broker = await _broker(stack, url, "receiver", receiver)
        for customer in CUSTOMERS:
            broker.subscribe(customer)
        await receiver.follows_all.wait()
        publisher = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.bench.hints", url, str(per_batch), str(batches)),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        assert publisher.stdout is not None
        await publisher.stdout.readline()  # it is about to begin
        before = time.process_time()
        try:
            await asyncio.wait_for(receiver.has_all.wait(), PATIENCE_S)
        except TimeoutError:
            raise BenchmarkFailed(f"not all hints came within {PATIENCE_S:g} s") from None
        received = (time.process_time() - before) * 1e6 / count
        printed, _ = await publisher.communicate()
    return float(printed), received


async def _publish(url: str, per_batch: int, batches: int) -> None:
    async with AsyncExitStack() as stack:
        broker = await _broker(stack, url, "publisher", _Receiver(0))
        answers = [
            _answer(number) for number in range(1, per_batch * batches // len(CUSTOMERS) + 2)
        ]
        print("ready", flush=True)
        before = time.process_time()
        for number in range(batches):
            for at in range(number * per_batch, (number + 1) * per_batch):
                round_, customer = divmod(at, len(CUSTOMERS))
                broker.publish(CUSTOMERS[customer], answers[round_])
            await asyncio.sleep(BATCH_EVERY_S)
        print((time.process_time() - before) * 1e6 / (per_batch * batches))


def _answer(seq: int) -> Appended:
    asked, answered = (MessageId(f"{seq:032x}") for seq in (seq, seq + 1))
    entry = Message(
        seq=seq,
        message_id=answered,
        author=Author.AI,
        text=TEXT,
        at=datetime.now(UTC).replace(microsecond=0),
        in_reply_to=(asked,),
        settles_seq=seq,
    )
    return Appended(SessionId("0" * 32), (entry,))


async def _broker(
    stack: AsyncExitStack, url: str, node: str, listener: BrokerListener
) -> ChannelBroker:
    broker = ChannelBroker(node, RedisChannels(url, random), SystemClock())
    broker.listen(listener)
    return await stack.enter_async_context(broker)


HINT_MEASURES: Mapping[str, Measure] = {"hints": hints}

if __name__ == "__main__":
    uvloop.run(_publish(sys.argv[1], *map(int, sys.argv[2:])))
