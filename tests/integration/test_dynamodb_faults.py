"""The guarantees of the DynamoDB store when the network or the table fails."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from adapters.dynamodb.client import REQUEST_ATTEMPTS
from adapters.dynamodb.store import DynamoStore
from application.ports import Clock
from domain.errors import DuplicateMessage, SeqTaken, StorageUnavailable
from domain.message import Message
from domain.notice import Delivered, Lane
from domain.session import Draft, Session
from domain.usage import Usage
from tests.contract.stores import (
    ANA,
    NOON,
    asks_for_human,
    closes,
    conversation,
    new_session,
    stored,
    user_says,
    with_notices,
)
from tests.support.dynamodb import DYNOXIDE, StoppedClock, dynamo_store, engine
from tests.support.dynamodb_proxy import (
    Fault,
    FaultProxy,
    always,
    in_turn,
    nothing,
    of_partition,
    seeded,
)
from tests.support.dynamodb_writer import append, customer, message
from tests.support.faults import Hold

QUICK = (
    Fault.THROTTLED,
    Fault.SLOWED,
    Fault.CONFLICT,
    Fault.BROKEN,
    Fault.RESET,
    Fault.LOST,
    Fault.LOST_BROKEN,
)
"""The faults that are reported immediately."""
WRITERS = 6
WITHIN_S = 5.0
"""The time within which every call has returned."""
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


class Faulty(NamedTuple):
    """Open a store, with a proxy between it and its table."""

    store: DynamoStore
    proxy: FaultProxy


@asynccontextmanager
async def faulty(path: Path, clock: Clock | None = None) -> AsyncIterator[Faulty]:
    running = engine(DYNOXIDE)
    async with (
        FaultProxy(running.url) as proxy,
        dynamo_store(proxy.url, running.table(path), NOON, clock=clock) as store,
    ):
        yield Faulty(store, proxy)
        proxy.plan = nothing


async def texts(store: DynamoStore, number: int = 0) -> dict[str, int]:
    """Return the texts of a session with their seqs, and check that none is there twice."""
    loaded = await store.latest(customer(number))
    assert loaded is not None
    log = await store.page(loaded.session.session_id, limit=10_000)
    assert [entry.seq for entry in log] == list(range(1, loaded.session.seq + 1))
    said = {entry.text: entry.seq for entry in log if isinstance(entry, Message)}
    assert len(said) == len(log)
    return said


@dataclass
class Writer:
    """A writer to one session, which records the outcome of each message."""

    store: DynamoStore
    acknowledged: dict[str, int] = field(default_factory=dict)
    in_doubt: set[str] = field(default_factory=set)

    async def once(self, key: str) -> None:
        """Append a message without a key; its outcome may remain unknown."""
        try:
            await self._append(key, message(key, with_key=False))
        except StorageUnavailable:
            self.in_doubt.add(f"message {key}")

    async def until_known(self, key: str) -> None:
        """Append a message with a key, and repeat until it is known to be stored."""
        while True:
            try:
                return await self._append(key, message(key, with_key=True))
            except StorageUnavailable:
                continue

    async def _append(self, key: str, decide: Callable[[Session], Draft]) -> None:
        while True:
            loaded = await self.store.latest(customer(0))
            session = loaded.session if loaded else new_session("s0", customer(0))
            draft = decide(session)
            try:
                await self.store.append(draft, NOON)
            except SeqTaken:
                continue
            except DuplicateMessage as duplicate:
                self.acknowledged[f"message {key}"] = duplicate.seq
            else:
                self.acknowledged[f"message {key}"] = draft.session.seq
            return


MIXTURES = {
    "throttled": (Fault.THROTTLED, Fault.SLOWED),
    "conflict": (Fault.CONFLICT,),
    "broken": (Fault.BROKEN, Fault.RESET),
    "lost": (Fault.LOST, Fault.LOST_BROKEN),
    "everything": QUICK,
}


@pytest.mark.parametrize("mixture", MIXTURES)
async def test_writers_of_one_session_neither_lose_nor_duplicate_a_message(
    tmp_path: Path, mixture: str
) -> None:
    async with faulty(tmp_path) as (store, proxy):
        writer = Writer(store)
        proxy.plan = seeded(7, 0.25, *MIXTURES[mixture])
        await asyncio.gather(
            *(writer.once(f"once-{number}") for number in range(WRITERS)),
            *(writer.until_known(f"keyed-{number}") for number in range(WRITERS)),
        )
        proxy.plan = nothing
        said = await texts(store)

    assert writer.acknowledged.items() <= said.items()
    assert said.keys() - writer.acknowledged.keys() <= writer.in_doubt
    assert {f"message keyed-{number}" for number in range(WRITERS)} <= writer.acknowledged.keys()


Decide = Callable[[Session], Draft]
APPENDS: dict[str, Decide] = {
    "the next message": user_says,
    "a message with a key": lambda session: user_says(session, key="k"),
    "a message with a notice": lambda session: with_notices(user_says(session)),
    "a message with two notices": lambda session: with_notices(user_says(session), 2),
    "a status change": asks_for_human,
    "the end": closes,
}


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.LOST_BROKEN], ids=str)
@pytest.mark.parametrize("append", APPENDS)
async def test_an_append_whose_response_is_lost_is_stored_once_and_acknowledged(
    tmp_path: Path, append: str, fault: Fault
) -> None:
    async with faulty(tmp_path) as (store, proxy):
        session = await conversation(store, 2)
        draft = APPENDS[append](session)
        proxy.plan = in_turn(fault)
        await store.append(draft, NOON)

        loaded = await store.load(session.session_id)
        assert loaded is not None
        assert loaded.session == draft.session
        assert loaded.recent[2:] == tuple(draft.entries)
        assert await store.depth() == len(draft.notices)


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.LOST_BROKEN], ids=str)
async def test_an_opening_whose_response_is_lost_opens_one_session(
    tmp_path: Path, fault: Fault
) -> None:
    async with faulty(tmp_path) as (store, proxy):
        proxy.plan = in_turn(fault)
        draft = user_says(new_session(), key="k")
        await store.append(draft, NOON)

        latest = await store.latest(ANA)
        assert latest is not None
        assert latest.session == draft.session
        assert len((await store.list_sessions(limit=10)).sessions) == 1


async def unanswered(path: Path, fault: Fault) -> tuple[float, list[int], str]:
    """Append without a response, and repeat; return the time, the texts and the outcome."""
    async with faulty(path) as (store, proxy):
        session = await conversation(store, 1)
        proxy.plan = always(fault)
        began = time.monotonic()
        with pytest.raises(StorageUnavailable):
            await store.append(user_says(session, key="k"), NOON)
        seconds = time.monotonic() - began
        proxy.plan = nothing
        try:
            await store.append(user_says(session, key="k"), NOON)
            repeated = "stored"
        except DuplicateMessage:
            repeated = "duplicate"
        log = await store.page(session.session_id, limit=10)
    return seconds, [entry.seq for entry in log], repeated


async def test_an_append_without_a_response_times_out_and_may_be_repeated(
    tmp_path: Path,
) -> None:
    results = await asyncio.gather(
        unanswered(tmp_path / "1", Fault.HANG), unanswered(tmp_path / "2", Fault.MUTE)
    )

    assert [log for _, log, _ in results] == [[1, 2], [1, 2]]
    assert [repeated for _, _, repeated in results] == ["stored", "duplicate"]
    assert all(seconds < WITHIN_S for seconds, _, _ in results)


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.LOST_BROKEN], ids=str)
async def test_usage_is_counted_once_though_the_response_is_lost(
    tmp_path: Path, fault: Fault
) -> None:
    cost, day = Usage(input_tokens=90, cached_tokens=40, output_tokens=10, calls=1), NOON.date()
    async with faulty(tmp_path) as (store, proxy):
        proxy.plan = in_turn(fault, fault)
        await store.add(ANA.business_id, day, cost.counts)

        assert await store.counts(ANA.business_id, day, day) == {day: cost.counts}


Call = Callable[[DynamoStore, Session], Awaitable[object]]
CALLS: dict[str, Call] = {
    "latest": lambda store, session: store.latest(session.customer),
    "load": lambda store, session: store.load(session.session_id),
    "append": lambda store, session: store.append(user_says(session), NOON),
    "append with a key": lambda store, session: store.append(user_says(session, key="k"), NOON),
    "stored": lambda store, session: store.stored(session.customer, "k", NOON),
    "page": lambda store, session: store.page(session.session_id, limit=10),
    "due": lambda store, session: store.due(NOON, 10),
    "list_sessions": lambda store, session: store.list_sessions(limit=10),
    "erase": lambda store, session: store.erase(session.customer),
    "claim": lambda store, session: store.claim(Lane.REPORTS, NOON, NOON + MINUTE, 10),
    "settle": lambda store, session: store.settle("s1-10", Delivered()),
    "depth": lambda store, session: store.depth(),
    "dead": lambda store, session: store.dead(10),
    "retry": lambda store, session: store.retry("s1-10"),
    "drop": lambda store, session: store.drop("s1-10"),
    "add": lambda store, session: store.add(ANA.business_id, NOON.date(), {"calls": 1}),
    "counts": lambda store, session: store.counts(ANA.business_id, NOON.date(), NOON.date()),
}


async def each_call(store: DynamoStore, session: Session) -> dict[str, BaseException | object]:
    """Call every method at the same time, and return the results."""
    async with asyncio.timeout(WITHIN_S):
        results = await asyncio.gather(
            *(call(store, session) for call in CALLS.values()), return_exceptions=True
        )
    return dict(zip(CALLS, results, strict=True))


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.THROTTLED], ids=str)
async def test_no_call_exceeds_its_deadline(tmp_path: Path, fault: Fault) -> None:
    async with faulty(tmp_path) as (store, proxy):
        session = await stored(store, with_notices(user_says(new_session())))
        proxy.plan = always(fault)
        results = await each_call(store, session)

    assert {name: type(result) for name, result in results.items()} == dict.fromkeys(
        CALLS, StorageUnavailable
    )


async def test_a_store_recovers_from_an_outage_by_itself(tmp_path: Path) -> None:
    async with faulty(tmp_path) as (store, proxy):
        session = await stored(store, with_notices(user_says(new_session())))
        await proxy.stop()
        away = await each_call(store, session)
        await proxy.start()
        after = await stored(store, user_says(session, key="k"))
        loaded = await store.load(session.session_id)

    assert {type(result) for result in away.values()} == {StorageUnavailable}
    assert after.seq == 2
    assert loaded is not None
    assert loaded.session == after


async def test_a_call_between_two_tries_ends_with_the_store(tmp_path: Path) -> None:
    async with faulty(tmp_path) as (store, proxy):
        session = await conversation(store, 1)
        proxy.forget()
        proxy.plan = always(Fault.THROTTLED)
        waiting = asyncio.ensure_future(store.load(session.session_id))
        await proxy.wait_until(1)
        await store.__aexit__()
        with pytest.raises(StorageUnavailable, match="closed"):
            await waiting
        tries = len(proxy.asked)

    assert len(proxy.asked) == tries < REQUEST_ATTEMPTS


async def test_a_cancelled_call_holds_no_connection(tmp_path: Path) -> None:
    async with faulty(tmp_path) as (store, proxy):
        session = await conversation(store, 1)
        proxy.forget()
        proxy.plan = always(Fault.HANG)
        given_up = [asyncio.ensure_future(store.load(session.session_id)) for _ in range(50)]
        await proxy.wait_until(50)
        for call in given_up:
            call.cancel()
        await asyncio.wait(given_up)
        proxy.plan = nothing
        async with asyncio.timeout(WITHIN_S):
            loads = await asyncio.gather(*(store.load(session.session_id) for _ in range(50)))

    assert all(call.cancelled() for call in given_up)
    assert {load.session.seq for load in loads if load is not None} == {1}


async def delivered_in_order(store: DynamoStore, expected: int) -> dict[str, list[int]]:
    """Deliver everything; return the positions of each session's notices in order of arrival.

    A minute passes from one round to the next, and a lease lasts as long: what was claimed and not
    settled comes again.
    """
    delivered: dict[str, list[int]] = {}
    now = NOON
    while True:
        now += MINUTE
        try:
            claimed = await store.claim(Lane.REPORTS, now, now + MINUTE, 10)
            for notice in claimed:
                delivered.setdefault(notice.session_id, []).append(notice.position)
                await store.settle(notice.notice_id, Delivered())
            if not claimed and await store.depth() == 0:
                return delivered
        except StorageUnavailable:
            continue
        assert sum(map(len, delivered.values())) < 20 * expected


@pytest.mark.parametrize("mixture", MIXTURES)
async def test_every_notice_is_delivered_at_least_once_and_in_order(
    tmp_path: Path, mixture: str
) -> None:
    async with faulty(tmp_path) as (store, proxy):
        expected: dict[str, list[int]] = {}
        for number in range(4):
            session = new_session(f"s{number}", customer(number))
            for count in (1, 2, 1):
                draft = with_notices(user_says(session), count)
                session = await stored(store, draft)
                positions = expected.setdefault(session.session_id, [])
                positions += [notice.position for notice in draft.notices]
        proxy.plan = seeded(3, 0.2, *MIXTURES[mixture])
        delivered = await delivered_in_order(store, 16)

    assert {name: list(Counter(positions)) for name, positions in delivered.items()} == expected
    assert all(positions == sorted(positions) for positions in delivered.values())


# One partition is throttled: DynamoDB refuses what goes beyond its limits, and nothing else.


class Pauseless(StoppedClock):
    """A clock on which every pause ends at once, and is counted."""

    def __init__(self) -> None:
        super().__init__(NOON)
        self.paused_s = 0.0
        self._paused = asyncio.Event()

    async def sleep(self, delay_s: float) -> None:
        self.paused_s += delay_s
        self._paused.set()
        await asyncio.sleep(0)

    async def wait_until(self, paused_s: float) -> None:
        """Return once the pauses add up to that many seconds."""
        while self.paused_s < paused_s:
            self._paused.clear()
            await self._paused.wait()


async def test_a_partition_that_is_throttled_for_a_minute_delays_its_own_session_alone(
    tmp_path: Path,
) -> None:
    clock = Pauseless()
    of_s0 = of_partition("S#s0", Fault.THROTTLED)
    async with faulty(tmp_path, clock) as (store, proxy):
        for number in range(4):
            await append(store, number, message("first", with_key=False))
        proxy.forget()
        proxy.plan = lambda asked: of_s0(asked) if clock.paused_s < 60 else None
        writer = Writer(store)
        throttled = asyncio.ensure_future(writer.until_known("s0"))
        for second in range(0, 60, 6):
            await clock.wait_until(second)
            said = message(f"{second}", with_key=False)
            await asyncio.gather(*(append(store, number, said) for number in (1, 2, 3)))
        await throttled
        of_others = [asked for asked in proxy.asked if asked.operation == "PutItem"]
        tries = sum(of_s0(asked) is not None for asked in proxy.asked)
        written = [await texts(store, number) for number in range(4)]

    assert tries > REQUEST_ATTEMPTS
    assert written[0] == {"message first": 1, "message s0": 2}
    assert [len(said) for said in written[1:]] == [1 + 10] * 3
    assert len(of_others) == 3 * 10, "a request of another session was repeated"


async def test_notices_of_others_are_claimed_while_a_partition_is_throttled(
    tmp_path: Path,
) -> None:
    async with faulty(tmp_path, Pauseless()) as (store, proxy):
        for number in range(3):
            await stored(
                store, with_notices(user_says(new_session(f"s{number}", customer(number))))
            )
        proxy.plan = of_partition("S#s0", Fault.THROTTLED)
        beside = await store.claim(Lane.REPORTS, NOON, NOON + MINUTE, 10)
        for notice in beside:
            await store.settle(notice.notice_id, Delivered())
        proxy.plan = nothing
        after = await store.claim(Lane.REPORTS, NOON + MINUTE, NOON + 2 * MINUTE, 10)

    assert {notice.session_id for notice in beside} == {"s1", "s2"}
    assert [notice.session_id for notice in after] == ["s0"]


async def test_other_sessions_are_swept_while_a_partition_is_throttled(tmp_path: Path) -> None:
    async with faulty(tmp_path, Pauseless()) as (store, proxy):
        for number in range(3):
            session = new_session(f"s{number}", customer(number))
            await stored(store, user_says(session), NOON)
        proxy.plan = of_partition("S#s0", Fault.THROTTLED)
        beside = await store.due(NOON, 10)
        proxy.plan = lambda asked: Fault.THROTTLED if "IndexName" not in asked.body else None
        with pytest.raises(StorageUnavailable):
            await store.due(NOON, 10)
        proxy.plan = nothing
        after = await store.due(NOON, 10)

    assert [session.session_id for session in beside] == ["s1", "s2"]
    assert [session.session_id for session in after] == ["s0", "s1", "s2"]


# The network.


async def fill_the_pool(store: DynamoStore, proxy: FaultProxy, session: Session) -> None:
    """Open 50 connections, which are idle then."""
    holds = [Hold() for _ in range(50)]
    proxy.plan = in_turn(*holds)
    loads = [asyncio.ensure_future(store.load(session.session_id)) for _ in holds]
    for hold in holds:
        await hold.reached.wait()
    for hold in holds:
        hold.release()
    await asyncio.gather(*loads)


async def test_all_calls_succeed_once_after_every_idle_connection_was_reset(tmp_path: Path) -> None:
    async with faulty(tmp_path) as (store, proxy):
        session = await conversation(store, 1)
        await fill_the_pool(store, proxy, session)
        idle = len(proxy.connections)
        proxy.reset()
        began = time.monotonic()
        opened = [new_session(f"p{number}", customer(number)) for number in range(50)]
        # In the same step as the reset: the client has not heard of it yet.
        await asyncio.gather(*(store.append(user_says(each), NOON) for each in opened))
        seconds = time.monotonic() - began
        logs = [await store.page(each.session_id, limit=10) for each in opened]

    assert idle == 50
    assert [len(log) for log in logs] == [1] * 50
    assert seconds < WITHIN_S


async def test_all_calls_succeed_when_every_connection_is_reset_under_them(tmp_path: Path) -> None:
    async with faulty(tmp_path) as (store, proxy):
        session = await conversation(store, 1)
        await fill_the_pool(store, proxy, session)
        opened = [new_session(f"p{number}", customer(number)) for number in range(50)]
        proxy.forget()
        calls = [asyncio.ensure_future(store.append(user_says(each), NOON)) for each in opened]
        await proxy.wait_until(10)
        proxy.reset()
        await asyncio.gather(*calls)
        logs = [await store.page(each.session_id, limit=10) for each in opened]

    assert [len(log) for log in logs] == [1] * 50
