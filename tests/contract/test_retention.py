"""RETENTION_DAYS over all stores: what has expired is hidden at once, and deleted in time."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest

from adapters.memory.store import MemoryStore
from adapters.sqlite.retention import PRUNED_AT_ONCE
from adapters.sqlite.store import SqliteStore
from application.ports import RECENT, Erased, Store
from domain.errors import DuplicateMessage, SeqTaken
from domain.identity import BusinessId, Customer, SessionId, UserId
from domain.notice import Lane, Undeliverable
from domain.status import Status
from entrypoints.server.container import Container
from entrypoints.settings import Settings
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
from tests.support.dynamodb import DYNOXIDE, StoppedClock, dynamo_store, engine

HOUR, DAY, SECOND = timedelta(hours=1), timedelta(days=1), timedelta(seconds=1)
S1 = SessionId("s1")
PEOPLE, REPORTS = Lane


class Time(StoppedClock):
    """A clock that the test sets; entries of a day ago have expired by it."""

    def __init__(self) -> None:
        super().__init__(NOON)

    def move(self, to: datetime) -> None:
        self._at = to

    def expired_until(self) -> datetime:
        return self._at - DAY


@dataclass(frozen=True, slots=True)
class Aged:
    """A store that keeps messages for a day, and its clock."""

    store: Store
    time: Time


Open = Callable[[Path, Time], AbstractAsyncContextManager[Store]]


@asynccontextmanager
async def in_memory(path: Path, time: Time) -> AsyncIterator[Store]:
    yield MemoryStore(time.expired_until)


def on_sqlite(path: Path, time: Time) -> AbstractAsyncContextManager[Store]:
    return SqliteStore(path / "store.db", synchronous="NORMAL", expired_until=time.expired_until)


def on_dynamodb(path: Path, time: Time) -> AbstractAsyncContextManager[Store]:
    running = engine(DYNOXIDE)
    return dynamo_store(running.url, running.table(path), NOON, clock=time, retention_days=1)


PRUNING = [pytest.param(in_memory, id="memory"), pytest.param(on_sqlite, id="sqlite")]
ALL = [*PRUNING, pytest.param(on_dynamodb, id=DYNOXIDE, marks=pytest.mark.dynamodb)]


@pytest.fixture
async def aged(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Aged]:
    time = Time()
    async with request.param(tmp_path, time) as store:
        yield Aged(store, time)


every_store = pytest.mark.parametrize("aged", ALL, indirect=True)
pruning_store = pytest.mark.parametrize("aged", PRUNING, indirect=True)


async def all_pruned(store: Store) -> None:
    """Prune as often as the sweep does in a minute."""
    for _ in range(12):
        await store.prune()


@every_store
@pytest.mark.parametrize("pruned", [False, True])
async def test_an_entry_is_hidden_once_it_has_expired_and_its_session_goes_on(
    aged: Aged, pruned: bool
) -> None:
    store, time = aged.store, aged.time
    early = await conversation(store, RECENT + 3)
    late = await stored(store, user_says(early, "late", at=NOON + 23 * HOUR), NOON + 24 * HOUR)
    time.move(NOON + DAY - SECOND)
    before = await store.page(S1, limit=100)
    time.move(NOON + DAY)
    if pruned:
        await all_pruned(store)
    loaded = await store.load(S1)
    pages = [
        await store.page(S1, limit=5),
        await store.page(S1, after=RECENT, limit=5),
        await store.page(S1, before=99, limit=5),
        await store.page(S1, before=late.seq, limit=5),
    ]
    following = await stored(store, user_says(late, "more"))

    assert len(before) == RECENT + 4
    assert loaded is not None
    assert loaded.session == late
    assert [entry.text for entry in loaded.recent] == ["late"]
    assert pages == [loaded.recent, loaded.recent, loaded.recent, ()]
    assert following.seq == RECENT + 5
    with pytest.raises(SeqTaken):
        await store.append(user_says(late, "late"), None)


@every_store
@pytest.mark.parametrize("pruned", [False, True])
async def test_an_open_session_never_expires(aged: Aged, pruned: bool) -> None:
    store, time = aged.store, aged.time
    session = await conversation(store, 2)
    time.move(NOON + 99 * DAY)
    if pruned:
        await all_pruned(store)
    latest = await store.latest(ANA)
    page = await store.page(S1, limit=5)
    listed = await store.list_sessions(limit=5)
    following = await stored(store, user_says(session, at=time.now()))

    assert latest == (session, ())
    assert page == ()
    assert listed.sessions == (session,)
    assert following.seq == 3


@every_store
@pytest.mark.parametrize("pruned", [False, True])
async def test_a_closed_session_is_hidden_once_it_has_expired(aged: Aged, pruned: bool) -> None:
    store, time = aged.store, aged.time
    closed = await stored(store, closes(await conversation(store, 3)))
    kept = await stored(store, closes(await conversation(store, 1, "s2", DAN, NOON + HOUR)))
    time.move(closed.updated_at + DAY)
    if pruned:
        await all_pruned(store)
    found = await store.load(S1), await store.latest(ANA), await store.page(S1, limit=9)
    everywhere = await store.list_sessions(limit=5)
    of_status = await store.list_sessions(status=Status.CLOSED, limit=5)
    of_customer = await store.list_sessions(customer=ANA, limit=5)
    opened = await stored(store, user_says(new_session("s3", ANA, time.now())))

    assert found == (None, None, ())
    assert everywhere.sessions == of_status.sessions == (kept,)
    assert of_customer.sessions == ()
    assert (opened.session_id, opened.seq) == ("s3", 1)


@pruning_store
async def test_what_has_expired_is_deleted(aged: Aged) -> None:
    store, time = aged.store, aged.time
    session = await conversation(store, 700)
    await stored(store, closes(session))
    time.move(NOON + 2 * DAY)
    await all_pruned(store)

    assert await store.erase(ANA) == Erased(0, 0, 0)


@pruning_store
async def test_a_key_is_known_for_its_48_hours_and_then_deleted(aged: Aged) -> None:
    store, time = aged.store, aged.time
    session = await stored(store, user_says(new_session(), key="k", at=NOON))
    time.move(NOON + 2 * DAY - SECOND)
    await all_pruned(store)
    with pytest.raises(DuplicateMessage):
        await store.append(user_says(session, key="k", at=time.now()), None)
    time.move(NOON + 3 * DAY)
    await all_pruned(store)

    assert await store.stored(ANA, "k", NOON) is None


@pruning_store
async def test_notices_and_dead_letters_are_deleted_with_the_entries_they_are_of(
    aged: Aged,
) -> None:
    store, time = aged.store, aged.time
    lanes = (PEOPLE, REPORTS)
    first = with_notices(user_says(new_session(), at=NOON), lanes=lanes, due_at=NOON)
    later = NOON + HOUR
    second = with_notices(user_says(first.session, at=later), lanes=lanes, due_at=later)
    await stored(store, first)
    await stored(store, second)
    (dead,) = await store.claim(PEOPLE, NOON, NOON + HOUR, 1)
    await store.settle(dead.notice_id, Undeliverable("410"))
    await store.claim(REPORTS, NOON, NOON + HOUR, 1)
    time.move(NOON + DAY)
    await all_pruned(store)
    letters = await store.dead(9)
    depth = await store.depth()
    claimed = [await store.claim(lane, time.now(), time.now() + HOUR, 9) for lane in lanes]

    assert letters == ()
    assert depth == 2
    assert [[notice.due_at for notice in each] for each in claimed] == [[later], [later]]


@pruning_store
async def test_nothing_of_another_session_is_pruned_with_an_expired_one(aged: Aged) -> None:
    store, time = aged.store, aged.time
    await stored(store, closes(await conversation(store, 3)))
    session = await conversation(store, 2, "s2", ANA, NOON + HOUR)
    time.move(NOON + DAY + SECOND)
    await all_pruned(store)
    loaded = await store.latest(ANA)

    assert loaded is not None
    assert loaded.session == session
    assert [entry.seq for entry in loaded.recent] == [1, 2]


async def test_writers_do_not_wait_for_more_than_a_batch(tmp_path: Path) -> None:
    time = Time()
    async with on_sqlite(tmp_path, time) as store:
        customers = [Customer(BusinessId("b1"), UserId(f"u{n}")) for n in range(20)]
        await asyncio.gather(
            *(conversation(store, 100, f"s{n}", who) for n, who in enumerate(customers))
        )
        time.move(NOON + DAY)
        left = []
        for _ in range(4):
            await store.prune()
            with closing(sqlite3.connect(tmp_path / "store.db")) as db:
                left.append(db.execute("SELECT count(*) FROM entries").fetchone()[0])

    assert left == [2_000 - PRUNED_AT_ONCE * passes for passes in (1, 2, 3, 4)]


@pytest.mark.parametrize("store", ["memory", "sqlite"])
async def test_the_sweep_deletes_what_is_older_than_retention_days(
    store: Literal["memory", "sqlite"], tmp_path: Path
) -> None:
    time = Time()
    path = str(tmp_path / "store.db")
    container = Container(settings=Settings(store=store, sqlite_path=path, retention_days=30))
    container.clock.override(time)
    async with container.store() as opened:
        await stored(opened, closes(await conversation(opened, 3)))
        time.move(NOON + 30 * DAY)
        await container.sweep()()
        kept = await opened.load(S1)
        time.move(NOON + 31 * DAY)
        await container.sweep()()
        erased = await opened.erase(ANA)

    assert kept is not None
    assert erased == Erased(0, 0, 0)


async def test_without_a_retention_nothing_expires(tmp_path: Path) -> None:
    async with SqliteStore(tmp_path / "store.db") as store:
        await stored(store, closes(await conversation(store, 2)))
        await all_pruned(store)
        kept = await store.load(S1)

    assert kept is not None
    assert len(kept.recent) == 3
