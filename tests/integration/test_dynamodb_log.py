"""The log on DynamoDB, with several processes, lost writes and expiry."""

import asyncio
from base64 import b64decode, b64encode
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from msgspec import msgpack
from msgspec.structs import replace

from adapters.dynamodb.items import HEAD
from adapters.dynamodb.store import DynamoStore
from application.ports import RECENT, Erased
from domain.errors import SeqTaken, StorageUnavailable, TooLarge
from domain.identity import BusinessId, Customer, MessageId, SessionId, UserId
from domain.message import Author, Message
from domain.notice import Delivered, Lane, QuestionAsked
from domain.session import Draft, Session
from domain.status import Status
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
from tests.support.drafts import append_message
from tests.support.dynamodb import DYNOXIDE, Engine, StoppedClock, dynamo_store, engine
from tests.support.dynamodb_proxy import FaultProxy

SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
S1 = SessionId("s1")


class Chats:
    """Sessions that several processes write to and sweep, with the times at which they are due."""

    def __init__(self, stores: list[DynamoStore], random: Random) -> None:
        self.now = NOON
        self._stores = stores
        self._random = random
        self._heads = {
            f"s{number}": new_session(f"s{number}", Customer(BusinessId("b1"), UserId(str(number))))
            for number in range(4)
        }
        self._due: dict[str, datetime] = {}

    async def step(self) -> None:
        """Run up to three actions of the processes concurrently."""
        self.now += self._random.choice([1, 20, 100, 3_000]) * SECOND
        acts = self._random.choices([self._write, self._sweep, self._read], [6, 3, 1], k=3)
        await asyncio.gather(*(act() for act in acts[: self._random.randint(1, 3)]))

    def _store(self) -> DynamoStore:
        return self._random.choice(self._stores)

    async def _write(self) -> None:
        name = self._random.choice(list(self._heads))
        session = self._heads[name]
        asks = session.seq > 0 and session.status is Status.AI and self._random.random() < 0.1
        draft = asks_for_human(session, self.now) if asks else user_says(session, at=self.now)
        due = self.now + self._random.choice([65, 86_400, self._random.randint(1, 10**5)]) * SECOND
        try:
            await self._store().append(draft, due)
        except SeqTaken:  # two of them have chosen the same session
            return
        self._heads[name], self._due[name] = draft.session, due

    async def _sweep(self) -> None:
        await self._store().due(self.now, self._random.choice([1, 2, 10]))

    async def _read(self) -> None:
        await self._store().load(SessionId(self._random.choice(list(self._heads))))

    def due(self) -> list[str]:
        """Return the sessions that are due, the most overdue first."""
        return [name for at, name in sorted((at, name) for name, at in self._due.items())
                if at <= self.now]  # fmt: skip

    async def found(self) -> list[str]:
        """Return the sessions that a process finds."""
        return [each.session_id for each in await self._store().due(self.now, 100)]


@pytest.mark.parametrize("seed", range(5))
async def test_exactly_the_due_sessions_are_found_by_several_processes(
    seed: int, tmp_path: Path
) -> None:
    running = engine(DYNOXIDE)
    table = running.table(tmp_path)
    async with AsyncExitStack() as stack:
        stores = [
            await stack.enter_async_context(dynamo_store(running.url, table, NOON))
            for _ in range(3)
        ]
        chats = Chats(stores, Random(seed))
        for _ in range(15):
            for _ in range(4):
                await chats.step()
            assert await chats.found() == chats.due()


def head(running: Engine, table: str) -> dict[str, object]:
    """Return the head of the only session."""
    (item,) = [each for each in running.items(table) if each["SK"]["S"] == HEAD]
    return item


async def lost_head(running: Engine, table: str, length: int) -> Session:
    """Store a session whose head was written only when it was opened."""
    async with dynamo_store(running.url, table, NOON) as store:
        session = await conversation(store, 1)
        first = head(running, table)
        for number in range(2, length + 1):
            session = await stored(store, user_says(session, at=NOON + number * SECOND), NOON)
    running.call("PutItem", TableName=table, Item=first)
    return session


@pytest.mark.parametrize("length", [2, RECENT, RECENT + 1, 3 * RECENT + 5])
async def test_a_stale_head_is_rebuilt_from_the_log(length: int, tmp_path: Path) -> None:
    running = engine(DYNOXIDE)
    table = running.table(tmp_path)
    session = await lost_head(running, table, length)
    async with dynamo_store(running.url, table, NOON) as store:
        loaded = await store.load(S1)
        listed = await store.list_sessions(limit=10)

    assert loaded is not None
    assert loaded.session == session
    assert [entry.seq for entry in loaded.recent] == list(range(length + 1))[1:][-RECENT:]
    assert listed.sessions == (session,)


async def test_an_append_brings_a_head_up_that_is_far_behind(tmp_path: Path) -> None:
    running = engine(DYNOXIDE)
    table = running.table(tmp_path)
    session = await lost_head(running, table, 3 * RECENT)
    async with dynamo_store(running.url, table, NOON) as store:
        await store.load(S1)
        read = head(running, table)["q"]
        await stored(store, user_says(session, at=session.updated_at + SECOND), NOON)

    assert read == {"N": "1"}
    assert head(running, table)["q"] == {"N": str(3 * RECENT + 1)}


@pytest.mark.parametrize(
    ("after", "before", "limit", "expected"),
    [
        (0, None, 3, [1, 2, 3]),
        (2, None, 2, [3, 4]),
        (3, None, 9, [4, 5, 6]),
        (5, None, 9, [6]),
        (6, None, 9, []),
        (0, 4, 9, [1, 2, 3]),
        (0, 4, 1, [3]),
        (3, 6, 9, [4, 5]),
        (0, 9, 4, [3, 4, 5, 6]),
        (10**30, None, 9, []),
        (0, 10**30, 2, [5, 6]),
    ],
)
async def test_a_page_may_begin_and_end_within_a_draft(
    after: int, before: int | None, limit: int, expected: list[int], tmp_path: Path
) -> None:
    running = engine(DYNOXIDE)
    async with dynamo_store(running.url, running.table(tmp_path), NOON) as store:
        session = await conversation(store, 1)
        for count in (4, 1):
            draft = Draft(session)
            for number in range(count):
                append_message(draft, Author.SYSTEM, MessageId(f"m-{number}"), "…", NOON)
            session = await stored(store, draft)
        page = await store.page(S1, after=after, before=before, limit=limit)

    assert [entry.seq for entry in page] == expected


class MovingClock(StoppedClock):
    """A clock that the test sets."""

    def move(self, to: datetime) -> None:
        """Set the time."""
        self._at = to


def moved_store(
    on: Engine | FaultProxy, table: str, clock: MovingClock, retention_days: int = 0
) -> DynamoStore:
    """Return a store with a clock that the test sets."""
    return DynamoStore(
        table,
        endpoint_url=on.url,
        clock=clock,
        jitter=Random(1).random,
        retention_days=retention_days,
    )


async def test_expired_entries_are_hidden_before_they_are_deleted(tmp_path: Path) -> None:
    running = engine(DYNOXIDE)
    table, clock = running.table(tmp_path), MovingClock(NOON)
    async with DynamoStore(
        table, endpoint_url=running.url, clock=clock, jitter=Random(1).random, retention_days=1
    ) as store:
        early = await conversation(store, RECENT + 3)
        late = await stored(store, user_says(early, at=NOON + 23 * HOUR), NOON + 24 * HOUR)
        clock.move(NOON + DAY)
        loaded = await store.load(S1)
        pages = [
            await store.page(S1, limit=5),
            await store.page(S1, before=99, limit=5),
        ]
        await stored(store, closes(late))
        clock.move(NOON + 23 * HOUR + SECOND + DAY)
        expired = await store.load(S1), await store.latest(ANA)
        items = running.items(table)
        erased = await store.erase(ANA)

    assert loaded is not None
    assert loaded.session == late
    assert [loaded.recent, *pages] == [(loaded.recent[-1],)] * 3
    assert expired == (None, None)
    assert all("exp" in item for item in items)
    assert erased == Erased(1, RECENT + 4, 0)


async def test_an_open_session_and_what_leads_to_it_never_expire(tmp_path: Path) -> None:
    running = engine(DYNOXIDE)
    table, clock = running.table(tmp_path), MovingClock(NOON)
    async with DynamoStore(
        table, endpoint_url=running.url, clock=clock, jitter=Random(1).random, retention_days=1
    ) as store:
        session = await conversation(store, 2)
        clock.move(NOON + 99 * DAY)
        latest = await store.latest(ANA)

    assert latest == (session, ())
    assert sorted(each["SK"]["S"][:2] for each in running.items(table) if "exp" in each) == [
        "M#",
        "M#",
    ]


def expire(running: Engine, table: str, at: datetime) -> None:
    """Delete the items that TTL has deleted by then."""
    for item in running.items(table):
        if "exp" in item and int(item["exp"]["N"]) <= at.timestamp():
            key = {name: item[name] for name in ("PK", "SK")}
            running.call("DeleteItem", TableName=table, Key=key)


async def test_a_late_append_to_an_erased_session_is_refused_after_its_tombstones_are_gone(
    tmp_path: Path,
) -> None:
    running = engine(DYNOXIDE)
    table, clock = running.table(tmp_path), MovingClock(NOON)
    async with (
        moved_store(running, table, clock) as store,
        moved_store(running, table, clock) as other,
    ):
        session = await conversation(store, 3)
        await other.erase(ANA)
        clock.move(NOON + 9 * DAY)
        expire(running, table, clock.now())
        with pytest.raises(SeqTaken):
            await store.append(user_says(session, at=clock.now()), NOON + 10 * DAY)

    assert running.items(table) == []


async def test_no_seq_is_used_twice_after_the_entries_have_expired(tmp_path: Path) -> None:
    running = engine(DYNOXIDE)
    table, clock = running.table(tmp_path), MovingClock(NOON)
    async with moved_store(running, table, clock, retention_days=1) as store:
        session = await conversation(store, 5)
        clock.move(NOON + 4 * DAY)
        expire(running, table, clock.now())
    async with moved_store(running, table, clock, retention_days=1) as store:
        loaded = await store.load(S1)

    assert loaded == (session, ())


async def test_a_session_that_cannot_be_decoded_hides_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    running = engine(DYNOXIDE)
    table = running.table(tmp_path)
    async with dynamo_store(running.url, table, NOON) as store:
        for name in ("s1", "s2", "s3"):
            session = new_session(name, Customer(BusinessId("b1"), UserId(name)))
            await store.append(user_says(session), NOON)
    for item in running.items(table):
        if item["PK"] == {"S": "S#s2"} and item["SK"] == {"S": HEAD}:
            head = msgpack.decode(b64decode(item["b"]["B"])) | {"s": "of a later version"}
            later = {"b": {"B": b64encode(msgpack.encode(head)).decode()}}
            running.call("PutItem", TableName=table, Item=item | later)
    async with dynamo_store(running.url, table, NOON) as store:
        due = await store.due(NOON + SECOND, 10)
        listed = await store.list_sessions(limit=10)

    assert [session.session_id for session in due] == ["s1", "s3"]
    assert [session.session_id for session in listed.sessions] == ["s3", "s1"]
    assert {record.__dict__.get("action") for record in caplog.records} == {"session_unreadable"}


async def test_a_listing_whose_heads_lag_misses_no_session_on_a_later_page(tmp_path: Path) -> None:
    running = engine(DYNOXIDE)
    table = running.table(tmp_path)
    names = [f"s{number}" for number in range(6)]
    async with dynamo_store(running.url, table, NOON) as store:
        for number, name in enumerate(names):
            of = Customer(BusinessId("b1"), UserId(name))
            last = await conversation(store, 1, name, of, NOON - number * HOUR)
    lagging = [item for item in running.items(table) if item["PK"]["S"] == "S#s5"]
    async with dynamo_store(running.url, table, NOON) as store:
        await store.append(user_says(last, at=NOON - HOUR / 2), NOON)
    running.call("PutItem", TableName=table, Item=max(lagging, key=lambda item: item["SK"]["S"]))
    found: list[str] = []
    async with dynamo_store(running.url, table, NOON) as store:
        page = await store.list_sessions(limit=2)
        found += [session.session_id for session in page.sessions]
        while page.cursor is not None:
            page = await store.list_sessions(limit=2, cursor=page.cursor)
            found += [session.session_id for session in page.sessions]

    assert sorted(found) == names


async def test_a_listing_reads_no_session_that_has_expired(tmp_path: Path) -> None:
    running, clock = engine(DYNOXIDE), MovingClock(NOON)
    async with (
        FaultProxy(running.url) as proxy,
        moved_store(proxy, running.table(tmp_path), clock, retention_days=1) as store,
    ):
        for number, name in enumerate(("s1", "s2", "s3")):
            at = NOON + number * 20 * HOUR
            of = Customer(BusinessId("b1"), UserId(name))
            await stored(store, closes(await conversation(store, 1, name, of, at)))
        cursor = (await store.list_sessions(limit=2)).cursor
        clock.move(NOON + 40 * HOUR)
        proxy.forget()
        listed = await store.list_sessions(business_id=BusinessId("b1"), limit=10)
        clock.move(NOON + 60 * DAY)
        late = await store.list_sessions(limit=10, cursor=cursor)

    assert [session.session_id for session in listed.sessions] == ["s3", "s2"]
    assert late.sessions == ()
    assert sorted(partitions_read(proxy)) == ["S#s2", "S#s3"]


def partitions_read(proxy: FaultProxy) -> list[str]:
    """Return the partitions of the sessions whose log was read."""
    values = [
        asked.body["ExpressionAttributeValues"]
        for asked in proxy.asked
        if asked.operation == "Query"
    ]
    return [each[":in"]["S"] for each in values if each[":in"]["S"].startswith("S#")]


def large(size: int) -> Draft:
    """Return a new session with a message and two notices of this size."""
    draft = with_notices(user_says(new_session(), "x" * size), 2)
    content = QuestionAsked(at=NOON, text="y" * size)
    draft.notices = tuple(replace(each, content=content) for each in draft.notices)
    return draft


async def test_a_notice_that_does_not_fit_its_entries_item_gets_its_own(
    tmp_path: Path,
) -> None:
    running = engine(DYNOXIDE)
    async with dynamo_store(running.url, running.table(tmp_path), NOON) as store:
        session = await stored(store, large(200_000), NOON)
        await stored(store, with_notices(user_says(session)), NOON)
        delivered = []
        while notices := await store.claim(Lane.REPORTS, NOON + HOUR, NOON + 2 * HOUR, 1):
            delivered.append(notices[0].position)
            await store.settle(notices[0].notice_id, Delivered())
        loaded = await store.load(S1)
        erased = await store.erase(ANA)

    assert delivered == [10, 11, 20]
    assert loaded is not None
    messages = [entry for entry in loaded.recent if isinstance(entry, Message)]
    assert [len(message.text) for message in messages] == [200_000, 5]
    assert erased == Erased(1, 2, 0)


@pytest.mark.parametrize("what", ["entries", "notice"])
async def test_a_draft_that_fits_no_item_is_refused_at_once_and_blocks_nothing(
    what: str, tmp_path: Path
) -> None:
    draft = large(400_000)
    if what == "notice":
        draft.entries[0] = user_says(new_session()).entries[0]
    else:
        draft.notices = ()
    running = engine(DYNOXIDE)
    async with dynamo_store(running.url, running.table(tmp_path), NOON) as store:
        with pytest.raises(TooLarge, match="larger than what the store can keep"):
            await store.append(draft, NOON)
        after = await conversation(store, 1)

    assert after.seq == 1


async def test_a_response_that_is_not_dynamodbs_is_an_error() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        store = dynamo_store(f"http://127.0.0.1:{port}", "any", NOON)

        with pytest.raises(StorageUnavailable, match="not DynamoDB's: text/html"):
            await store.__aenter__()


async def test_an_item_of_counts_always_has_the_usage_that_earlier_versions_read(
    tmp_path: Path,
) -> None:
    running = engine(DYNOXIDE)
    async with dynamo_store(running.url, running.table(tmp_path), NOON) as store:
        await store.add(ANA.business_id, NOON.date(), {"ended": 1})
        item = await store._db.get("B#b1", "D#2026-03-01")

    assert item is not None
    assert {name: item[name] for name in ("i", "h", "o", "n")} == {
        name: {"N": "0"} for name in "ihon"
    }
