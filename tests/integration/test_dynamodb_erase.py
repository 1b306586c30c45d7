"""Erasures of the DynamoDB store, interrupted anywhere and with concurrent writers."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from adapters.dynamodb import archive
from adapters.dynamodb.store import DynamoStore
from application.ports import Erased
from domain.errors import SeqTaken
from domain.notice import Lane, Undeliverable
from domain.session import Session
from tests.contract.stores import (
    ANA,
    DAN,
    NOON,
    closes,
    conversation,
    new_session,
    stored,
    user_says,
    with_notices,
)
from tests.support.dynamodb import DYNOXIDE, Engine, dynamo_store, engine
from tests.support.dynamodb_proxy import Fault, FaultProxy, at_call, in_turn, nothing
from tests.support.dynamodb_writer import customer
from tests.support.faults import Hold

HOUR = timedelta(hours=1)
EVERYTHING, NOTHING = Erased(sessions=2, messages=9, notices=5), Erased(0, 0, 0)
TOMBSTONE = {"PK", "SK", "x", "exp", "n", "k"}
"""The attributes of a tombstone."""


class Erasing(NamedTuple):
    """A table, a store behind a proxy, and another process's store."""

    engine: Engine
    table: str
    proxy: FaultProxy
    store: DynamoStore
    other: DynamoStore

    def left(self) -> list[dict[str, Any]]:
        """Return the items that are no tombstones, except Dan's."""
        items = self.engine.items(self.table)
        dans = ("S#dan", f"U#{DAN.business_id}#{DAN.user_id}")
        return [
            item for item in items if not item.keys() <= TOMBSTONE and item["PK"]["S"] not in dans
        ]


@pytest.fixture
async def erasing(tmp_path: Path) -> AsyncIterator[Erasing]:
    running = engine(DYNOXIDE)
    table = running.table(tmp_path)
    async with (
        FaultProxy(running.url) as proxy,
        dynamo_store(proxy.url, table, NOON) as store,
        dynamo_store(running.url, table, NOON) as other,
    ):
        await conversation(other, 3, "dan", DAN)
        yield Erasing(running, table, proxy, store, other)
        proxy.plan = nothing


async def talked(store: DynamoStore, number: int) -> Session:
    """Store two conversations of a customer, with keys, and with pending and dead notices."""
    first = new_session(f"closed-{number}", customer(number))
    first = await stored(store, with_notices(user_says(first, key="k1"), 2))
    (dead,) = await store.claim(Lane.REPORTS, NOON, NOON + HOUR, 1)
    await store.settle(dead.notice_id, Undeliverable("no"))
    await stored(store, closes(await stored(store, user_says(first))))
    second = new_session(f"open-{number}", customer(number))
    second = await stored(store, with_notices(user_says(second, key="k2"), 3))
    for _ in range(6):
        second = await stored(store, user_says(second))
    return second


async def requests_of_an_erasure(all_: Erasing) -> int:
    """Count the requests of an erasure without faults."""
    await talked(all_.other, 0)
    all_.proxy.forget()
    erased = await all_.store.erase(customer(0))
    assert erased == EVERYTHING
    assert all_.left() == []
    return len(all_.proxy.asked)


async def died_at(all_: Erasing, request: int, fault: Fault) -> None:
    """Interrupt an erasure at one of its requests, and repeat it in another process."""
    who = customer(request)
    second = await talked(all_.other, request)
    all_.proxy.forget()
    all_.proxy.plan = at_call(request, fault)
    erasing = asyncio.ensure_future(all_.store.erase(who))
    await all_.proxy.wait_until(request)
    erasing.cancel()
    await asyncio.wait([erasing])
    receipts = [await all_.other.erase(who) for _ in range(2)]
    with pytest.raises(SeqTaken):
        await all_.other.append(user_says(second), None)

    at = f"request {request}, {fault}"
    assert receipts[0] in (EVERYTHING, NOTHING), at
    assert receipts[1] == NOTHING, at
    assert all_.left() == [], at
    assert await all_.other.latest(who) is None, at


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.MUTE], ids=["before it", "after it"])
async def test_an_erasure_that_is_interrupted_at_any_request_is_completed_by_the_next(
    erasing: Erasing, fault: Fault
) -> None:
    requests = await requests_of_an_erasure(erasing)

    for request in range(1, requests + 1):
        await died_at(erasing, request, fault)
    assert requests > 6
    assert await erasing.other.depth() == 0


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.PARTIAL, Fault.BROKEN], ids=str)
async def test_a_fault_at_any_request_of_an_erasure_does_not_change_its_receipt(
    erasing: Erasing, fault: Fault
) -> None:
    requests = await requests_of_an_erasure(erasing)

    for request in range(1, requests + 1):
        await talked(erasing.other, request)
        erasing.proxy.plan = at_call(request, fault)
        assert await erasing.store.erase(customer(request)) == EVERYTHING, f"request {request}"
        assert erasing.left() == [], f"request {request}"


async def test_a_session_written_during_an_erasure_is_kept_whole_or_erased_whole(
    erasing: Erasing,
) -> None:
    acknowledged: list[Session] = []
    going_on = True

    async def write(store: DynamoStore, name: str) -> None:
        for number in itertools.count(1):
            if not going_on:
                return
            loaded = await store.latest(ANA)
            before = loaded.session if loaded else new_session(f"{name}-{number}")
            draft = with_notices(user_says(before, key=f"{name}-{number}"), number % 3)
            try:
                await store.append(draft, NOON)
            except SeqTaken:
                continue
            acknowledged.append(draft.session)

    async with asyncio.TaskGroup() as writers:
        for number in range(8):
            store = (erasing.store, erasing.other)[number % 2]
            writers.create_task(write(store, f"w{number}"))
        receipts = [await erasing.other.erase(ANA) for _ in range(5)]
        going_on = False
    whole = await erasing.other.latest(ANA)
    log = await erasing.other.page(whole.session.session_id, limit=10_000) if whole else ()
    receipts.append(await erasing.store.erase(ANA))

    opened = [session for session in acknowledged if session.seq == 1]
    assert [entry.seq for entry in log] == list(range(1, len(log) + 1))
    assert receipts[-1].messages == len(log)
    assert sum(receipt.messages for receipt in receipts) == len(acknowledged)
    assert sum(receipt.sessions for receipt in receipts) == len(opened)
    assert erasing.left() == []
    assert await erasing.other.depth() == 0


async def test_a_customer_can_open_a_session_while_being_erased(erasing: Erasing) -> None:
    hold = Hold()
    await talked(erasing.other, 0)
    erasing.proxy.plan = in_turn(hold, operation="BatchWriteItem")
    erasure = asyncio.ensure_future(erasing.store.erase(customer(0)))
    await hold.reached.wait()
    meanwhile = await erasing.other.latest(customer(0))
    anew = await stored(erasing.other, user_says(new_session("anew", customer(0))))
    hold.release()
    erased = await erasure
    after = await erasing.other.latest(customer(0))

    assert meanwhile is None
    assert erased == EVERYTHING
    assert after is not None
    assert after.session == anew


async def test_a_log_of_any_length_is_erased_page_by_page(
    erasing: Erasing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MAX_BATCH_WRITE", 1)
    monkeypatch.setattr(archive, "_CONCURRENCY", 3)
    await talked(erasing.other, 0)
    erasing.proxy.forget()
    erased = await erasing.store.erase(customer(0))
    queries = [asked.body for asked in erasing.proxy.asked if asked.operation == "Query"]
    of_logs = [
        body for body in queries if body["ExpressionAttributeValues"][":in"]["S"].startswith("S#")
    ]

    assert erased == EVERYTHING
    assert erasing.left() == []
    assert len(of_logs) > 6
    assert all(body["Limit"] <= 3 for body in of_logs)
