"""The DynamoDB outbox, with two processes on one session, and with one that dies.

Two concurrent acts must lead to a state that the memory store reaches with the same acts in
sequence; an interrupted act must lead to the state before it, or after it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import NamedTuple, TypeVar

import pytest
from msgspec.structs import replace

from adapters.dynamodb import outbox
from adapters.dynamodb.items import SHARDS, shard
from adapters.dynamodb.outbox import RESCAN_EVERY
from adapters.dynamodb.store import DynamoStore
from adapters.memory.store import MemoryStore
from application.ports import Clock, Store
from domain.errors import SeqTaken
from domain.identity import BusinessId, Customer, SessionId, UserId
from domain.notice import Deferred, Delivered, Lane, Outcome, StatusChanged, Undeliverable
from domain.session import Draft, Session
from domain.status import Status
from tests.contract.stores import NOON, new_session, stored, user_says, with_notices
from tests.support.dynamodb import DYNOXIDE, Engine, StoppedClock, engine
from tests.support.dynamodb_proxy import Fault, FaultProxy, in_turn, nothing
from tests.support.faults import Hold

T = TypeVar("T")

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LEASE = NOON + 5 * MINUTE
REPORTS = Lane.REPORTS


def session_of(session_id: str) -> Session:
    """Return a session of a customer who has no other."""
    return new_session(session_id, Customer(BusinessId("b1"), UserId(session_id)))


@dataclass(frozen=True, slots=True)
class Case:
    """A session of its own in a store that many cases share."""

    store: Store
    session_id: str

    def on(self, store: Store) -> "Case":
        """Return the same session in another store."""
        return Case(store, self.session_id)

    def notice(self, position: int) -> str:
        return f"{self.session_id}-{position}"

    async def prepare(self, messages: int = 5) -> None:
        """Store two to five messages with a notice each: two are dead, the third is claimed,
        the others wait for it.
        """
        session = session_of(self.session_id)
        for _ in range(messages):
            session = await stored(self.store, with_notices(user_says(session)), NOON)
        for dying in (self.notice(10), self.notice(20)):
            assert await self.claim() == [dying]
            await self.store.settle(dying, Undeliverable("no"))
        assert await self.claim() == [self.notice(30)][: messages - 2]
        assert await self.claim() == []

    async def claim(self) -> list[str]:
        return [notice.notice_id for notice in await self.store.claim(REPORTS, NOON, LEASE, 10)]

    async def append(self) -> None:
        while True:
            loaded = await self.store.load(SessionId(self.session_id))
            assert loaded is not None
            with suppress(SeqTaken):
                return await self.store.append(with_notices(user_says(loaded.session), 2), None)

    async def append_and_claim(self) -> None:
        await self.append()
        await self.claim()

    async def come_to(self) -> "End":
        """Deliver everything that is not dead."""
        delivered: list[str] = []
        while notices := await self.store.claim(REPORTS, LEASE, LEASE, 10):
            (notice,) = notices
            delivered.append(notice.notice_id.partition("-")[2])
            await self.store.settle(notice.notice_id, Delivered())
        dead = [letter.notice.notice_id.partition("-") for letter in await self.store.dead(100)]
        return End(delivered, [place for of, _, place in dead if of == self.session_id])


class End(NamedTuple):
    """The final state of a session."""

    delivered: list[str]
    """The delivered notices, in order."""
    dead: list[str]


Act = Callable[[Case], Awaitable[object]]
ACTS: dict[str, Act] = {
    "claim": Case.claim,
    "append": Case.append,
    "deliver": lambda case: case.store.settle(case.notice(30), Delivered()),
    "kill": lambda case: case.store.settle(case.notice(30), Undeliverable("no")),
    "defer": lambda case: case.store.settle(case.notice(30), Deferred(NOON + MINUTE)),
    "retry_the_first": lambda case: case.store.retry(case.notice(10)),
    "retry_the_second": lambda case: case.store.retry(case.notice(20)),
    "append_and_claim": Case.append_and_claim,
    "drop_the_first": lambda case: case.store.drop(case.notice(10)),
}
SINGLE = [act for act in ACTS if act != "append_and_claim"]


async def in_memory(messages: int, *acts: Act) -> End:
    """Return the final state after these acts in sequence."""
    case = Case(MemoryStore(), "s1")
    await case.prepare(messages)
    for act in acts:
        await act(case)
    return await case.come_to()


class MovingClock(StoppedClock):
    """A clock that the test advances."""

    def move(self, by: timedelta) -> None:
        self._at += by


@dataclass(frozen=True, slots=True)
class Two:
    """Two stores on one table; one of them can be stopped at any request."""

    stopping: DynamoStore
    other: DynamoStore
    proxy: FaultProxy
    clock: MovingClock
    engine: Engine
    table: str

    async def case(self, number: int, messages: int = 5) -> Case:
        """Prepare a session in which the store that can be stopped has a claim."""
        case = Case(self.stopping, f"s{number}")
        await case.prepare(messages)
        self.look()
        return case

    def look(self) -> None:
        """Advance the clock, so that either store sees what the other has done."""
        self.clock.move(RESCAN_EVERY)

    @asynccontextmanager
    async def stopped(self, acting: Awaitable[T], before: int) -> AsyncIterator[asyncio.Future[T]]:
        """Stop the act before its `before`-th request, or run it to its end if it makes fewer."""
        hold = Hold()
        self.proxy.plan = in_turn(*[None] * (before - 1), hold)
        act = asyncio.ensure_future(acting)
        await first_of(act, hold.reached.wait())
        yield act
        self.proxy.plan = nothing
        hold.release()
        await asyncio.wait((act,))

    async def dies(self, acting: Awaitable[object], before: int) -> bool:
        """Kill the act before its `before`-th request. Returns False if it made fewer, and ended.

        The request itself is never executed.
        """
        self.proxy.forget()
        self.proxy.plan = in_turn(*[None] * (before - 1), Fault.HANG)
        act = asyncio.ensure_future(acting)
        await first_of(act, self.proxy.wait_until(before))
        self.proxy.plan = nothing
        act.cancel()
        await asyncio.wait((act,))
        return act.cancelled()


async def first_of(act: asyncio.Future[T], other: Coroutine[object, object, object]) -> None:
    """Return when either has ended, and cancel the other one."""
    waiting = asyncio.ensure_future(other)
    await asyncio.wait((act, waiting), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    await asyncio.wait((waiting,))


def store_at(clock: Clock, url: str, table: str, retention_days: int = 0) -> DynamoStore:
    return DynamoStore(
        table,
        endpoint_url=url,
        clock=clock,
        jitter=Random(1).random,
        retention_days=retention_days,
    )


@pytest.fixture
async def stores(tmp_path: Path) -> AsyncIterator[Two]:
    running, clock = engine(DYNOXIDE), MovingClock(NOON)
    table = running.table(tmp_path)
    async with (
        FaultProxy(running.url) as proxy,
        store_at(clock, proxy.url, table) as stopping,
        store_at(clock, running.url, table) as other,
    ):
        yield Two(stopping, other, proxy, clock, running, table)


@pytest.mark.parametrize(
    ("messages", "act"),
    [
        *((5, act) for act in SINGLE),
        *((3, act) for act in ("append", "deliver", "kill", "defer", "retry_the_second")),
        *((2, act) for act in ("append", "retry_the_second")),
    ],
)
async def test_concurrent_acts_lead_to_the_state_of_a_sequence(
    messages: int, act: str, stores: Two
) -> None:
    one, numbers = ACTS[act], count(1)
    for meanwhile in ("append_and_claim", "deliver", "retry_the_first"):
        other = ACTS[meanwhile]
        possible = [await in_memory(messages, *order) for order in ((one, other), (other, one))]
        before, is_over = 0, False
        while not is_over:
            before += 1
            case = await stores.case(next(numbers), messages)
            async with stores.stopped(one(case), before) as acting:
                is_over = acting.done()
                await other(case.on(stores.other))
            await acting
            stores.look()

            assert await case.come_to() in possible, (meanwhile, before)


async def test_a_notice_is_claimed_once_by_two_concurrent_claims(stores: Two) -> None:
    before, is_over = 0, False
    while not is_over:
        before += 1
        case = await stores.case(before)
        await case.store.settle(case.notice(30), Delivered())
        async with stores.stopped(case.claim(), before) as acting:
            is_over = acting.done()
            claimed = await case.on(stores.other).claim()
        claimed += await acting
        stores.look()

        assert claimed == [case.notice(40)]
        assert (await case.come_to()).delivered == ["40", "50"]


async def test_a_notice_of_this_process_is_claimed_without_reading_the_index(
    stores: Two,
) -> None:
    session = new_session()
    await stores.stopping.claim(REPORTS, NOON, LEASE, 8)
    stores.proxy.forget()
    for _ in range(3):
        session = await stored(stores.stopping, with_notices(user_says(session), 2), NOON)
    delivered = []
    outcomes: list[Outcome] = [Delivered(), Deferred(NOON), Undeliverable("no")] * 2
    for outcome in [*outcomes, Delivered(), Delivered()]:
        (notice,) = await stores.stopping.claim(REPORTS, NOON, LEASE, 8)
        await stores.stopping.settle(notice.notice_id, outcome)
        delivered.append(notice.position)
    left = await stores.stopping.claim(REPORTS, NOON, LEASE, 8)

    assert delivered == [10, 11, 11, 20, 21, 21, 30, 31]
    assert left == ()
    assert "Query" not in stores.proxy.operations


async def test_a_notice_of_another_process_is_found_by_the_next_scan(
    stores: Two,
) -> None:
    assert await stores.other.claim(REPORTS, NOON, LEASE, 8) == ()
    await stored(stores.stopping, with_notices(user_says(new_session())))
    before = await stores.other.claim(REPORTS, NOON, LEASE, 8)
    stores.look()
    after = await stores.other.claim(REPORTS, NOON, LEASE, 8)

    assert (len(before), len(after)) == (0, 1)


async def test_a_lease_of_another_process_ends_without_another_scan(stores: Two) -> None:
    await stored(stores.stopping, with_notices(user_says(new_session())))
    await stores.stopping.claim(REPORTS, NOON, LEASE, 8)
    during = await stores.other.claim(REPORTS, NOON, LEASE, 8)
    after = await stores.other.claim(REPORTS, LEASE, LEASE + MINUTE, 8)

    assert (len(during), len(after)) == (0, 1)


async def test_a_claim_finds_a_notice_that_was_stored_while_it_read_the_index(stores: Two) -> None:
    hold = Hold()
    await stores.stopping.claim(REPORTS, NOON, LEASE, 8)
    stores.look()
    stores.proxy.plan = in_turn(hold, operation="Query")
    looking = asyncio.ensure_future(stores.stopping.claim(REPORTS, NOON, LEASE, 8))
    await hold.reached.wait()
    await stored(stores.stopping, with_notices(user_says(new_session())))
    hold.release()
    seen = await looking
    seen += await stores.stopping.claim(REPORTS, NOON, LEASE, 8)

    assert [notice.position for notice in seen] == [10]


async def test_a_notice_of_a_cancelled_append_is_claimed(stores: Two) -> None:
    await stores.stopping.claim(REPORTS, NOON, LEASE, 8)
    hold = Hold()
    stores.proxy.forget()
    stores.proxy.plan = in_turn(hold)
    storing = asyncio.ensure_future(
        stores.stopping.append(with_notices(user_says(new_session())), NOON)
    )
    await hold.reached.wait()
    storing.cancel()
    await asyncio.wait((storing,))
    hold.release()
    await stores.proxy.wait_until(1)
    claimed = await stores.stopping.claim(REPORTS, NOON, LEASE, 8)

    assert [notice.position for notice in claimed] == [10]


async def test_more_notices_than_a_process_remembers_are_claimed_and_settled(
    stores: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "MAX_KNOWN", 1)
    await stores.stopping.claim(REPORTS, NOON, LEASE, 8)
    for number in range(9):
        await stored(stores.stopping, with_notices(user_says(session_of(f"s{number}"))))
    stores.look()
    claimed = await stores.stopping.claim(REPORTS, NOON, LEASE, 20)
    for notice in claimed:
        await stores.stopping.settle(notice.notice_id, Delivered())

    assert [notice.session_id for notice in claimed] == [f"s{number}" for number in range(9)]
    assert await stores.stopping.depth() == 0


@asynccontextmanager
async def forgetful(path: Path, clock: Clock) -> AsyncIterator[DynamoStore]:
    """Open a store with a retention of one day."""
    running = engine(DYNOXIDE)
    async with store_at(clock, running.url, running.table(path), retention_days=1) as store:
        yield store


async def test_notices_expire_with_the_entries_of_their_session(tmp_path: Path) -> None:
    running, clock = engine(DYNOXIDE), MovingClock(NOON)
    table = running.table(tmp_path)
    async with forgetful(tmp_path, clock) as store:
        session = await stored(store, with_notices(user_says(new_session()), 3), NOON)
        await stored(store, with_notices(user_says(session)), NOON)
        await store.claim(REPORTS, NOON, NOON + MINUTE, 8)
        items = [item for item in running.items(table) if item["SK"]["S"][0] in "MAL"]
        clock.move(30 * 24 * HOUR)
        for item in items[:2]:  # as DynamoDB does, some time after
            key = {name: item[name] for name in ("PK", "SK")}
            running.call("DeleteItem", TableName=table, Key=key)
        claimed = await store.claim(REPORTS, clock.now(), clock.now(), 8)
        depth = await store.depth()

    assert len(items) == 5
    assert len({item["exp"]["N"] for item in items}) == 1
    assert claimed == ()
    assert depth == 0


async def test_a_notice_that_has_expired_is_not_delivered_and_blocks_no_other(
    tmp_path: Path,
) -> None:
    clock = MovingClock(NOON)
    async with forgetful(tmp_path, clock) as store:
        session = await stored(store, with_notices(user_says(new_session()), 2), NOON)
        clock.move(20 * HOUR)
        await stored(store, with_notices(user_says(session, at=clock.now())), clock.now())
        clock.move(5 * HOUR)
        notices = await store.claim(REPORTS, clock.now(), clock.now() + MINUTE, 8)
        depth = await store.depth()

    assert [notice.position for notice in notices] == [20]
    assert depth == 1


async def test_a_dead_letter_that_has_expired_is_neither_listed_nor_retried(tmp_path: Path) -> None:
    clock = MovingClock(NOON)
    async with forgetful(tmp_path, clock) as store:
        for session_id in ("s1", "s2"):
            said = user_says(session_of(session_id), at=clock.now())
            await stored(store, with_notices(said, due_at=clock.now()), clock.now())
            (notice,) = await store.claim(REPORTS, clock.now(), clock.now() + MINUTE, 8)
            await store.settle(notice.notice_id, Undeliverable("no"))
            clock.move(20 * HOUR)
        dead = await store.dead(1)
        revived = [await store.retry("s1-10"), await store.retry("s2-10")]

    assert [letter.notice.notice_id for letter in dead] == ["s2-10"]
    assert revived == [False, True]


async def test_a_notice_that_cannot_be_decoded_blocks_no_other_session(
    stores: Two, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("s1", "s2", "s3"):
        await stored(stores.stopping, with_notices(user_says(session_of(name))))
    key = {"PK": {"S": "S#s2"}, "SK": {"S": "M#0000000001"}}
    stores.engine.call(
        "UpdateItem",
        TableName=stores.table,
        Key=key,
        UpdateExpression="SET oB = :later",
        ExpressionAttributeValues={":later": {"B": "gA=="}},  # a map of nothing
    )
    claimed = await stores.other.claim(REPORTS, NOON, LEASE, 8)

    assert [notice.session_id for notice in claimed] == ["s1", "s3"]
    assert [record.__dict__.get("action") for record in caplog.records] == ["notice_unreadable"]


async def test_a_claim_that_has_taken_long_begins_no_more(
    stores: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("s1", "s2"):
        await stored(stores.stopping, with_notices(user_says(session_of(name))))
    (first,) = await stores.other.claim(REPORTS, NOON, LEASE, 1)
    monkeypatch.setattr(outbox, "CLAIM_BUDGET_S", 0.0)
    claims = [await stores.stopping.claim(REPORTS, NOON, LEASE, 1) for _ in range(2)]

    # The first of these claims ends when it has found that the other store was faster.
    assert first.notice_id == "s1-10"
    assert [[notice.notice_id for notice in each] for each in claims] == [[], ["s2-10"]]


async def test_a_claim_reads_on_past_what_others_have_claimed(stores: Two) -> None:
    names = [name for number in range(50) if shard(name := f"s{number:02d}") == 1][:10]
    for name in names:
        await stored(stores.stopping, with_notices(user_says(session_of(name))))
    first = await stores.stopping.claim(REPORTS, NOON, LEASE, 7)
    second = await stores.other.claim(REPORTS, NOON, LEASE, 2)
    third = await stores.other.claim(REPORTS, NOON, LEASE, 2)

    assert [notice.session_id for notice in (*first, *second, *third)] == names


def with_status(draft: Draft) -> Draft:
    """Make the first notice of a draft one for people, and leave the others reports."""
    first, *others = draft.notices
    content = StatusChanged(at=NOON, status=Status.WAITING)
    draft.notices = [replace(first, content=content), *others]
    return draft


@pytest.mark.parametrize("failing", Lane)
async def test_a_notice_that_fails_for_ever_delays_none_of_the_other_lane(
    failing: Lane, stores: Two
) -> None:
    (other,) = {*Lane} - {failing}
    session, delivered = session_of("s1"), list[int]()
    for minute in range(5):
        now = NOON + minute * MINUTE
        session = await stored(stores.stopping, with_status(with_notices(user_says(session), 2)))
        (failed,) = await stores.stopping.claim(failing, now, now + MINUTE, 8)
        await stores.stopping.settle(failed.notice_id, Deferred(now + MINUTE))
        (notice,) = await stores.stopping.claim(other, now, now + MINUTE, 8)
        await stores.stopping.settle(notice.notice_id, Delivered())
        delivered.append(notice.position // 10)

        assert (failed.position // 10, failed.attempts) == (1, minute)
    assert delivered == [1, 2, 3, 4, 5]
    assert await stores.other.depth() == 5


async def test_a_long_queue_is_delivered_in_order_by_two_processes(stores: Two) -> None:
    session = session_of("s1")
    for _ in range(60):
        session = await stored(stores.stopping, with_notices(user_says(session), 2))
    depth, order = await stores.other.depth(), list[int]()
    for number in range(120):
        store = (stores.stopping, stores.other)[number // 3 % 2]
        stores.look()
        (notice,) = await store.claim(REPORTS, NOON, LEASE, 8)
        await store.settle(notice.notice_id, Delivered())
        order.append(notice.position)

    assert depth == 120
    assert order == [seq * 10 + place for seq in range(1, 61) for place in range(2)]
    assert await stores.other.depth() == 0


async def test_a_delivered_notice_is_deleted_from_the_item_of_its_cause(stores: Two) -> None:
    await stored(stores.stopping, with_status(with_notices(user_says(session_of("s1")), 2)))
    for lane in Lane:
        (notice,) = await stores.stopping.claim(lane, NOON, LEASE, 8)
        await stores.stopping.settle(notice.notice_id, Delivered())
    items = stores.engine.items(stores.table)

    assert {item["SK"]["S"] for item in items if item["PK"]["S"] == "S#s1"} == {
        "M#0000000001",
        "L#people",
        "L#reports",
        "~",
    }
    assert [item for item in items if {"oI", "oB", "oP", "oS", "oQ"} & item.keys()] == []


@pytest.mark.parametrize("outcome", [Delivered(), Deferred(NOON), Undeliverable("no")], ids=str)
async def test_what_was_done_is_known_though_the_response_was_lost(
    outcome: Outcome, stores: Two
) -> None:
    await stored(stores.stopping, with_notices(user_says(session_of("s1")), 2))
    stores.proxy.plan = in_turn(Fault.LOST, operation="UpdateItem")
    (first,) = await stores.stopping.claim(REPORTS, NOON, LEASE, 8)
    written = "TransactWriteItems" if isinstance(outcome, Undeliverable) else "PutItem"
    stores.proxy.plan = in_turn(Fault.LOST, operation=written)
    await stores.stopping.settle(first.notice_id, outcome)
    stores.proxy.plan = nothing
    (second,) = await stores.stopping.claim(REPORTS, NOON, LEASE, 8)
    dead = [letter.notice.attempts for letter in await stores.other.dead(9)]

    assert (first.position, first.attempts, first.due_at) == (10, 0, NOON)
    expected = (10, 1) if isinstance(outcome, Deferred) else (11, 0)
    assert (second.position, second.attempts) == expected
    assert dead == ([1] if isinstance(outcome, Undeliverable) else [])
    items = {item["SK"]["S"]: item for item in stores.engine.items(stores.table)}
    assert ("oB" in items["M#0000000001"]) is not isinstance(outcome, Delivered)


async def test_a_late_settlement_is_recorded_by_whichever_process(stores: Two) -> None:
    await stored(stores.stopping, with_notices(user_says(session_of("s1")), 2))
    (late,) = await stores.stopping.claim(REPORTS, NOON, LEASE, 8)
    (again,) = await stores.other.claim(REPORTS, LEASE, LEASE + MINUTE, 8)
    await stores.stopping.settle(late.notice_id, Delivered())
    await stores.other.settle(again.notice_id, Undeliverable("no"))
    dead, depth = await stores.other.dead(9), await stores.other.depth()

    assert (late.notice_id, again.notice_id, again.attempts) == ("s1-10", "s1-10", 1)
    assert (dead, depth) == ((), 1)


def move_to_other_shards(two: Two) -> None:
    """Move the markers in the index as a version with another number of shards would have."""
    for item in two.engine.items(two.table):
        lane, _, number = item.get("oP", {"S": ""})["S"].partition("#")
        if number:
            other = {"S": f"{lane}#{(int(number) + 1) % SHARDS}"}
            two.engine.call("PutItem", TableName=two.table, Item=item | {"oP": other})


@pytest.mark.parametrize("act", SINGLE)
async def test_items_of_another_number_of_shards_are_found(act: str, stores: Two) -> None:
    case = await stores.case(1)
    move_to_other_shards(stores)
    await ACTS[act](case.on(stores.other))
    stores.look()

    assert await case.on(stores.other).come_to() == await in_memory(5, ACTS[act])


@pytest.mark.parametrize("act", SINGLE)
async def test_an_interrupted_act_was_done_or_not(act: str, stores: Two) -> None:
    possible = [await in_memory(5), await in_memory(5, ACTS[act])]
    before, has_died = 0, True
    while has_died:
        before += 1
        case = await stores.case(before)
        has_died = await stores.dies(ACTS[act](case), before)
        stores.look()

        assert await case.on(stores.other).come_to() in possible, before
