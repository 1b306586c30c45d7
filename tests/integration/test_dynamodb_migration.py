"""`table migrate` leaves nothing in a shape of a former version, and all reads as before."""

import asyncio
from base64 import b64decode
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.dynamodb.client import Dynamo
from adapters.dynamodb.migration import SEGMENTS, Migrated, TableMigration, is_old
from domain.errors import StorageUnavailable
from domain.identity import SessionId, stored_customer
from domain.notice import Delivered, Lane
from tests.support.dynamodb import (
    DYNAMODB_LOCAL,
    DYNOXIDE,
    Engine,
    StoppedClock,
    dynamo_store,
    engine,
)
from tests.support.dynamodb_proxy import Asked, Fault, FaultProxy, at_call, in_turn, nothing
from tests.support.faults import Hold
from tests.support.process import command
from tests.support.snapshots import (
    FIFTH,
    FIRST,
    FOURTH,
    SECOND,
    THIRD,
    Generation,
    at,
    restored_table,
)
from tests.support.stored_json import dead_letter_json, entry_json, head_json

GENERATIONS = [FIRST, SECOND, THIRD, FOURTH, FIFTH]
"""The first release's, and of every version since: the last one is that before this."""
LATER, MINUTE = FIFTH.later + timedelta(days=1000), timedelta(minutes=1)


class Counting(StoppedClock):
    """A clock on which every pause ends at once, and is counted."""

    def __init__(self, at: datetime) -> None:
        super().__init__(at)
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, delay_s: float) -> None:
        self.seconds += max(delay_s, 0)
        await asyncio.sleep(0)


async def migrated(
    url: str, table: str, *, dry: bool = False, rate: float = 1e6, clock: Counting | None = None
) -> Migrated:
    """Migrate a table as the command does."""
    clock = clock or Counting(LATER)
    dynamo = Dynamo(table, endpoint_url=url, clock=clock, jitter=lambda: 0.5)
    async with TableMigration(dynamo, clock) as migration:
        return await migration.run(lambda line: None, units_per_s=rate, is_dry_run=dry)


def decoded(running: Engine, table: str) -> list[dict[str, Any]]:
    """Return all items with binary values as the client has them, in order."""
    items = [
        {
            name: {"B": b64decode(value["B"])} if "B" in value else value
            for name, value in item.items()
        }
        for item in running.items(table)
    ]
    return sorted(items, key=lambda item: (item["PK"]["S"], item["SK"]["S"]))


async def read(running: Engine, table: str, generation: Generation) -> list[Any]:
    """Return everything that a store reads and delivers of a generation; delivers it."""
    found: list[Any] = []
    async with dynamo_store(running.url, table, generation.later) as store:
        for expected in generation.expected["sessions"]:
            session_id = SessionId(expected["head"]["session_id"])
            loaded = await store.load(session_id)
            assert loaded is not None
            log = await store.page(session_id, limit=100)
            found += [head_json(loaded.session), [entry_json(entry) for entry in log]]
        for key in generation.expected["keys"]:
            who = stored_customer(*key["customer"])
            found.append(str(await store.stored(who, key["key"], at(key["at"]))))
        for known in generation.expected["customers"]:
            who = stored_customer(*known["customer"])
            found.append((await store.list_sessions(customer=who, limit=100)).sessions)
        found.append([dead_letter_json(letter) for letter in await store.dead(100)])
        found.append(await store.depth())
        for lane in Lane:
            while notices := await store.claim(lane, LATER, LATER + MINUTE, 100):
                found += notices
                await asyncio.gather(
                    *(store.settle(notice.notice_id, Delivered()) for notice in notices)
                )
    return sorted(found, key=str)


@pytest.mark.parametrize(
    ("name", "generation"),
    [(DYNAMODB_LOCAL, FIRST), *((DYNOXIDE, each) for each in GENERATIONS)],
    ids=repr,
)
async def test_nothing_of_a_former_shape_is_left_and_everything_reads_the_same(
    name: str, generation: Generation, tmp_path: Path
) -> None:
    running = engine(name)
    untouched = restored_table(running, f"{tmp_path.name}-untouched", generation)
    table = restored_table(running, tmp_path.name, generation)
    before = await read(running, untouched, generation)
    await migrated(running.url, table)
    left = [item for item in decoded(running, table) if is_old(item)]
    names = {attribute for item in decoded(running, table) for attribute in item}

    assert left == []
    assert names & {"lo", "ol", "og", "op", "ow", "ex"} == set()
    assert await read(running, table, generation) == before


async def test_what_is_done_is_told_in_numbers(tmp_path: Path) -> None:
    running = engine(DYNOXIDE)
    table = restored_table(running, tmp_path.name, FIRST)
    items = decoded(running, table)
    would = await migrated(running.url, table, dry=True)
    after_dry_run = decoded(running, table)
    done = await migrated(running.url, table)

    assert would == done
    assert after_dry_run == items
    assert done.moved == FIRST.expected["undelivered"]
    assert done.rewritten == done.moved + len(FIRST.expected["dead_letters"])
    assert (done.read, done.deleted, done.left) == (len(items), 9, 0)


async def test_a_second_run_writes_nothing(tmp_path: Path) -> None:
    running = engine(DYNOXIDE)
    table = restored_table(running, tmp_path.name, FIRST)
    await migrated(running.url, table)
    items = decoded(running, table)
    again = await migrated(running.url, table)

    assert again == Migrated(read=len(items), units=again.units)
    assert decoded(running, table) == items


async def test_a_run_that_is_interrupted_at_any_request_is_continued_and_loses_nothing(
    tmp_path: Path,
) -> None:
    running = engine(DYNOXIDE)
    untouched = restored_table(running, f"{tmp_path.name}-untouched", FIRST)
    before = await read(running, untouched, FIRST)
    async with FaultProxy(running.url) as proxy:
        table = restored_table(running, f"{tmp_path.name}-counted", FIRST)
        await migrated(proxy.url, table)
        requests = len(proxy.asked)
        for request in range(20, requests, 60):
            table = restored_table(running, f"{tmp_path.name}-{request}", FIRST)
            proxy.forget()
            proxy.plan = in_turn(*[None] * (request - 1), *[Fault.HANG] * requests)
            run = asyncio.ensure_future(migrated(proxy.url, table))
            await proxy.wait_until(request)
            run.cancel()
            await asyncio.wait([run])
            proxy.plan = nothing
            await migrated(proxy.url, table)

            assert [item for item in decoded(running, table) if is_old(item)] == [], request
            assert await read(running, table, FIRST) == before, request

    assert requests > 100


async def test_an_interrupted_run_is_continued_where_it_was(tmp_path: Path) -> None:
    running = engine(DYNOXIDE)
    table = restored_table(running, tmp_path.name, FIRST)
    ended: list[int] = []

    def away(asked: Asked) -> Fault | None:
        if asked.operation == "PutItem" and "T#migration" in str(asked.body):
            ended.append(asked.number)
        return Fault.BROKEN if len(ended) > 2 else None

    async with FaultProxy(running.url) as proxy:
        proxy.plan = away
        with pytest.raises(StorageUnavailable):
            await migrated(proxy.url, table)
        proxy.plan = nothing
        proxy.forget()
        await migrated(proxy.url, table)
        rest = proxy.operations.count("Scan")
        proxy.forget()
        await migrated(proxy.url, table)

    assert rest == SEGMENTS - 2
    assert proxy.operations.count("Scan") == SEGMENTS
    assert [item for item in decoded(running, table) if item["PK"]["S"].startswith("T#")] == []


@pytest.mark.parametrize(("fault", "request_number"), [(Fault.LOST, 60), (Fault.CONFLICT, 90)])
async def test_a_request_that_fails_changes_nothing(
    fault: Fault, request_number: int, tmp_path: Path
) -> None:
    running = engine(DYNOXIDE)
    untouched = restored_table(running, f"{tmp_path.name}-untouched", FIRST)
    before = await read(running, untouched, FIRST)
    async with FaultProxy(running.url) as proxy:
        table = restored_table(running, tmp_path.name, FIRST)
        proxy.plan = at_call(request_number, fault)
        await migrated(proxy.url, table)

    assert [item for item in decoded(running, table) if is_old(item)] == []
    assert await read(running, table, FIRST) == before


# Beside running processes, and as a command.


OLD_DROPS = "REMOVE oP, oS, oI, oB, oA, oD"
OLD_RETRIES = "SET oP = :ready, oS = :slot REMOVE oA, oD"
"""What a process of the former version does with a dead letter."""


async def changed_under_it(
    running: Engine, table: str, proxy: FaultProxy, change: str, **values: Any
) -> dict[str, str]:
    """Migrate, and change a dead letter between the reading and the writing; return its key."""
    held = Hold()
    letter: dict[str, Any] = {}

    def plan(asked: Asked) -> Hold | None:
        is_rewritten = asked.operation == "UpdateItem" and "oB = :content" in str(asked.body)
        if is_rewritten and ":oP" in str(asked.body) and not letter:
            letter.update(asked.body["Key"])
            return held
        return None

    proxy.plan = plan
    run = asyncio.ensure_future(migrated(proxy.url, table))
    await held.reached.wait()
    request = {"ExpressionAttributeValues": values} if values else {}
    running.call("UpdateItem", TableName=table, Key=letter, UpdateExpression=change, **request)
    held.release()
    done = await run
    assert done.left == 0
    return letter


async def test_a_notice_that_a_former_process_drops_meanwhile_does_not_come_back(
    tmp_path: Path,
) -> None:
    running = engine(DYNOXIDE)
    table = restored_table(running, tmp_path.name, FIRST)
    async with FaultProxy(running.url) as proxy:
        key = await changed_under_it(running, table, proxy, OLD_DROPS)

    items = [each for each in decoded(running, table) if key.items() <= each.items()]
    assert [item for item in items if "oI" in item or "oB" in item or is_old(item)] == []


async def test_a_notice_that_a_former_process_retries_meanwhile_is_moved_as_well(
    tmp_path: Path,
) -> None:
    running = engine(DYNOXIDE)
    table = restored_table(running, tmp_path.name, FIRST)
    slot = {":ready": {"S": "R#0"}, ":slot": {"S": "1772362830000#s#A#000000000031"}}
    async with FaultProxy(running.url) as proxy:
        await changed_under_it(running, table, proxy, OLD_RETRIES, **slot)
    async with dynamo_store(running.url, table, FIRST.later) as store:
        depth = await store.depth()

    assert depth == FIRST.expected["undelivered"] + 1
    assert [item for item in decoded(running, table) if is_old(item)] == []


async def test_notices_are_delivered_once_and_in_order_while_the_table_is_migrated(
    tmp_path: Path,
) -> None:
    running = engine(DYNOXIDE)
    table = restored_table(running, tmp_path.name, FIRST)
    order: dict[tuple[str, Lane], list[str]] = {}
    now = FIRST.later
    async with dynamo_store(running.url, table, now) as store:
        run = asyncio.ensure_future(migrated(running.url, table))
        claimed = True
        while claimed or not run.done():
            claimed = False
            for lane in Lane:
                for notice in await store.claim(lane, now, now + MINUTE, 4):
                    claimed = True
                    order.setdefault((notice.session_id, lane), []).append(notice.notice_id)
                    await store.settle(notice.notice_id, Delivered())
        await run

    assert order == {
        queue: [each["id"] for each in deliveries] for queue, deliveries in FIRST.queues().items()
    }


async def test_it_uses_no_more_capacity_in_a_second_than_it_is_told(tmp_path: Path) -> None:
    running, clock = engine(DYNOXIDE), Counting(LATER)
    table = restored_table(running, tmp_path.name, FIRST)
    async with FaultProxy(running.url) as proxy:
        await migrated(proxy.url, table, rate=10, clock=clock)
        used = sum(each.read + each.write for each in proxy.spent if each.operation == "Scan")
        written = sum(each.write for each in proxy.spent)

    assert clock.seconds >= used / 10
    assert clock.seconds >= 0.5 * (used + written) / 10


def test_the_command_says_what_it_has_done(tmp_path: Path) -> None:
    running = engine(DYNOXIDE)
    table = restored_table(running, tmp_path.name, FIRST)
    settings = {"DYNAMODB_TABLE": table, "DYNAMODB_ENDPOINT_URL": running.url}
    runs = [
        command(tmp_path, "table", "migrate", *options, HOME=str(tmp_path), **settings)
        for options in (["--dry-run"], ["--rate", "100000"])
    ]

    for run, moved in zip(runs, ("notices to be moved", "notices moved"), strict=True):
        told = dict(line.rsplit(maxsplit=1) for line in run.stdout.splitlines())
        assert run.returncode == 0, run.stderr
        assert told["items read"] == "165"
        assert told[moved] == str(FIRST.expected["undelivered"])
    assert [item for item in decoded(running, table) if is_old(item)] == []
