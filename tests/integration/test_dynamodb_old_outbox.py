"""Notices that the former version has stored in DynamoDB are moved to markers: none is lost.

In a rolling upgrade processes of that version store more of them meanwhile.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from adapters.dynamodb.items import MARGIN_S, shard
from adapters.dynamodb.old_outbox import LOOK_EVERY
from adapters.dynamodb.outbox_items import marker_sk
from adapters.dynamodb.store import DynamoStore
from domain.identity import BusinessId, Customer, UserId
from domain.notice import Delivered, Lane, Undeliverable
from domain.session import Session
from tests.contract.stores import NOON, new_session, stored, user_says, with_notices
from tests.integration.test_stored_shapes import (
    CONVERSATIONS,
    LATER,
    NOW,
    expected_deliveries,
    restored_table,
)
from tests.support.dynamodb import DYNOXIDE, Engine, StoppedClock, dynamo_store, engine
from tests.support.dynamodb_proxy import Asked, Fault, FaultProxy, at_call, in_turn, nothing

REPORTS = Lane.REPORTS
MINUTE = timedelta(minutes=1)
UNDELIVERED = CONVERSATIONS["undelivered"]


async def requests_of_a_conversion(path: Path) -> int:
    """Count the requests of a first look at the snapshot, without faults."""
    running = engine(DYNOXIDE)
    table = restored_table(running, f"{path.name}-counted")
    async with FaultProxy(running.url) as proxy, dynamo_store(proxy.url, table, LATER) as store:
        proxy.forget()
        assert await store.depth() == UNDELIVERED
        return len(proxy.asked)


EXPECTED = {
    queue: [each["id"] for each in deliveries]
    for queue, deliveries in expected_deliveries().items()
}


async def assert_all_is_delivered(running: Engine, table: str, at: object) -> None:
    """Assert that another process delivers all notices of the snapshot, in order."""
    order: dict[tuple[str, Lane], list[str]] = {}
    async with dynamo_store(running.url, table, LATER) as store:
        assert await store.depth() == UNDELIVERED, at
        for lane in Lane:
            while claimed := await store.claim(lane, LATER, LATER + MINUTE, 100):
                for notice in claimed:
                    order.setdefault((notice.session_id, lane), []).append(notice.notice_id)
                    await store.settle(notice.notice_id, Delivered())
    assert order == EXPECTED, at


async def test_a_conversion_that_is_interrupted_at_any_request_loses_nothing(
    tmp_path: Path,
) -> None:
    running = engine(DYNOXIDE)
    requests = await requests_of_a_conversion(tmp_path)
    # A queue takes three requests, so that every fourth one is each of the three in turn.
    for request in range(1, requests + 1, 4):
        table = restored_table(running, f"{tmp_path.name}-{request}")
        async with FaultProxy(running.url) as proxy, dynamo_store(proxy.url, table, NOW) as store:
            proxy.forget()
            proxy.plan = in_turn(*[None] * (request - 1), *[Fault.HANG] * requests)
            looking = asyncio.ensure_future(store.depth())
            await proxy.wait_until(request)
            looking.cancel()
            await asyncio.wait([looking])
            proxy.plan = nothing
        await assert_all_is_delivered(running, table, request)

    assert requests > 30


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.CONFLICT], ids=str)
async def test_a_fault_at_any_request_of_a_conversion_changes_nothing(
    fault: Fault, tmp_path: Path
) -> None:
    running = engine(DYNOXIDE)
    for request in range(1, await requests_of_a_conversion(tmp_path) + 1, 7):
        table = restored_table(running, f"{tmp_path.name}-{request}")
        async with FaultProxy(running.url) as proxy, dynamo_store(proxy.url, table, NOW) as store:
            proxy.plan = at_call(request, fault)
            assert await store.depth() == UNDELIVERED, request
        await assert_all_is_delivered(running, table, request)


async def test_several_processes_convert_at_once(tmp_path: Path) -> None:
    running = engine(DYNOXIDE)
    table = restored_table(running, tmp_path.name)
    async with (
        dynamo_store(running.url, table, NOW) as one,
        dynamo_store(running.url, table, NOW) as two,
        dynamo_store(running.url, table, NOW) as three,
    ):
        await asyncio.gather(*(store.depth() for store in (one, two, three)))

    await assert_all_is_delivered(running, table, "three at once")


async def test_a_converted_item_expires_with_its_message(tmp_path: Path) -> None:
    running = engine(DYNOXIDE)
    table = restored_table(running, tmp_path.name)
    before = {key_of(item): item for item in running.items(table) if "ex" in item}
    async with dynamo_store(running.url, table, NOW) as store:
        await store.depth()

    after = {key_of(item): item for item in running.items(table)}
    assert [key for key, item in before.items() if "exp" not in item] != []
    assert {key: int(after[key]["exp"]["N"]) for key in before} == {
        key: int(item["ex"]["N"]) + MARGIN_S for key, item in before.items()
    }


def key_of(item: dict[str, Any]) -> tuple[str, str]:
    return item["PK"]["S"], item["SK"]["S"]


class MovingClock(StoppedClock):
    """A clock that the test advances."""

    def move(self, by: timedelta) -> None:
        self._at += by


class Upgrade(NamedTuple):
    """A store of this version, on a table on which one of the former version is still running."""

    store: DynamoStore
    clock: MovingClock
    engine: Engine
    table: str

    async def say(self, session: Session, *, old: bool = False) -> Session:
        """Store a message with a notice, perhaps as the former version does."""
        session = await stored(self.store, with_notices(user_says(session)))
        if old:
            self._make_old(session)
        return session

    def _make_old(self, session: Session) -> None:
        """Take the newest notice out of its queue, and put its item into the index."""
        pk, sk = f"S#{session.session_id}", f"M#{session.seq:010d}"
        items = {key_of(item): item for item in self.engine.items(self.table)}
        marker, item = items[pk, marker_sk(REPORTS)], items[pk, sk]
        *left, last = marker["oQ"]["L"]
        assert last["S"].endswith(sk)
        if left:
            marker["oQ"] = {"L": left}
            self.engine.call("PutItem", TableName=self.table, Item=marker)
        else:
            key = {name: marker[name] for name in ("PK", "SK")}
            self.engine.call("DeleteItem", TableName=self.table, Key=key)
        item["oP"] = {"S": f"R#{shard(session.session_id)}"}
        item["oS"] = {"S": f"{last['S'][:13]}#{session.session_id}#{sk}"}
        self.engine.call("PutItem", TableName=self.table, Item=item)

    async def deliver(self, now: datetime = NOON) -> list[int]:
        """Deliver everything; return the positions in order."""
        order = []
        while notices := await self.store.claim(REPORTS, now, now + MINUTE, 8):
            order += [notice.position for notice in notices]
            for notice in notices:
                await self.store.settle(notice.notice_id, Delivered())
        return order


@pytest.fixture
async def upgrade(tmp_path: Path) -> AsyncIterator[Upgrade]:
    running, clock = engine(DYNOXIDE), MovingClock(NOON)
    table = running.table(tmp_path)
    async with DynamoStore(
        table, endpoint_url=running.url, clock=clock, jitter=lambda: 1.0
    ) as store:
        yield Upgrade(store, clock, running, table)


async def test_notices_of_both_versions_are_delivered_in_order(upgrade: Upgrade) -> None:
    session = new_session()
    for old in (True, False, True, True, False):
        session = await upgrade.say(session, old=old)

    assert await upgrade.deliver() == [10, 20, 30, 40, 50]


async def test_a_notice_of_the_former_version_is_found_within_a_minute(upgrade: Upgrade) -> None:
    session = await upgrade.say(new_session())
    first = await upgrade.deliver()
    await upgrade.say(session, old=True)
    early = await upgrade.deliver()
    upgrade.clock.move(LOOK_EVERY)
    late = await upgrade.deliver()

    assert (first, early, late) == ([10], [], [20])


async def test_a_notice_of_the_former_version_waits_for_one_that_is_claimed(
    upgrade: Upgrade,
) -> None:
    session = await upgrade.say(new_session(), old=True)
    session = await upgrade.say(session)
    upgrade.clock.move(LOOK_EVERY)
    await upgrade.store.claim(Lane.PEOPLE, NOON, NOON + MINUTE, 8)  # converts, claims nothing
    (first,) = await upgrade.store.claim(REPORTS, NOON, NOON + MINUTE, 8)
    await upgrade.say(session, old=True)
    upgrade.clock.move(LOOK_EVERY)
    beside = await upgrade.store.claim(REPORTS, NOON, NOON + MINUTE, 8)
    await upgrade.store.settle(first.notice_id, Undeliverable("no"))
    await upgrade.store.retry(first.notice_id)

    assert (first.position, beside) == (10, ())
    assert await upgrade.deliver() == [20, 10, 30]


async def test_a_notice_of_the_former_version_that_cannot_be_decoded_blocks_no_session(
    upgrade: Upgrade, caplog: pytest.LogCaptureFixture
) -> None:
    session = await upgrade.say(new_session(), old=True)
    await upgrade.say(session, old=True)
    upgrade.engine.call(
        "UpdateItem",
        TableName=upgrade.table,
        Key={"PK": {"S": "S#s1"}, "SK": {"S": "M#0000000001"}},
        UpdateExpression="SET oB = :later",
        ExpressionAttributeValues={":later": {"B": "gA=="}},  # a map of nothing
    )

    assert await upgrade.deliver() == [20]
    actions = {record.__dict__.get("action") for record in caplog.records}
    assert actions == {"notice_unreadable"}


async def test_a_customer_of_the_former_version_is_erased_with_all_notices(
    upgrade: Upgrade,
) -> None:
    session = new_session()
    for old in (True, False, True):
        session = await upgrade.say(session, old=old)
    erased = await upgrade.store.erase(session.customer)
    upgrade.clock.move(LOOK_EVERY)

    assert (erased.messages, erased.notices) == (3, 3)
    assert await upgrade.store.depth() == 0


async def test_a_session_whose_notices_cannot_be_moved_delays_no_other(
    upgrade: Upgrade, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("s1", "s2"):
        customer = Customer(BusinessId("b1"), UserId(name))
        await upgrade.say(new_session(name, customer), old=True)

    def refuse(asked: Asked) -> Fault | None:
        moves = asked.operation == "TransactWriteItems"
        return Fault.BROKEN if moves and "S#s1" in str(asked.body) else None

    async with (
        FaultProxy(upgrade.engine.url) as proxy,
        dynamo_store(proxy.url, upgrade.table, NOON) as other,
    ):
        proxy.plan = refuse
        claimed = await other.claim(REPORTS, NOON, NOON + MINUTE, 8)

    assert [notice.session_id for notice in claimed] == ["s2"]
    assert await upgrade.deliver() == [10]
    assert [record.__dict__["action"] for record in caplog.records] == ["conversion_failed"]
