"""The SQLite store's file, thread and processes, and crashes."""

import asyncio
import json
import os
import random
import sqlite3
import sys
from collections import Counter
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.sqlite.file import MIGRATIONS
from adapters.sqlite.store import SqliteStore
from application.page_cursor import encode_cursor
from application.ports import Loaded
from domain.errors import (
    DuplicateMessage,
    InvalidPayload,
    SeqTaken,
    StorageUnavailable,
    StoreMigrated,
)
from domain.identity import BusinessId, Customer, MessageId, SessionId, UserId
from domain.message import Audience, Author
from domain.notice import Lane
from domain.session import Draft
from tests.contract.stores import (
    ANA,
    DAN,
    NOON,
    conversation,
    new_session,
    stored,
    user_says,
    with_notices,
)
from tests.support.drafts import append_message

WRITERS = 5


def locked(path: Path) -> closing[sqlite3.Connection]:
    """Lock the file for writing, as another program does."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    return closing(db)


def contents(path: Path) -> dict[str, int]:
    """Count the rows of every table of the file."""
    with closing(sqlite3.connect(path)) as db:
        names = [
            name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type='table'")
        ]
        return {name: db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names}


def files(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


async def write_and_die(path: Path, acknowledgements: int) -> Counter[str]:
    """Kill a writer after so many acknowledgements; return the highest seq of each session."""
    writer = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.crash_writer",
        str(path),
        str(WRITERS),
        stdout=asyncio.subprocess.PIPE,
    )
    assert writer.stdout is not None
    lines = [await writer.stdout.readline() for _ in range(acknowledgements)]
    writer.kill()
    lines += (await writer.stdout.read()).splitlines(keepends=True)
    await writer.wait()
    acknowledged: Counter[str] = Counter()
    for line in lines:
        if line.endswith(b"\n"):  # the last one may have been cut off
            session_id, seq = line.decode().split()
            acknowledged[session_id] = max(acknowledged[session_id], int(seq))
    return acknowledged


async def test_acknowledged_entries_survive_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    chance = random.Random(1)
    acknowledged: Counter[str] = Counter()
    for _ in range(10):
        acknowledged |= await write_and_die(path, chance.randrange(1, 300))
    async with SqliteStore(path) as store:
        for session_id, seq in acknowledged.items():
            log = await store.page(SessionId(session_id), limit=100_000)
            loaded = await store.load(SessionId(session_id))
            assert loaded is not None
            draft = user_says(loaded.session, key=str(seq), at=NOON)
            with pytest.raises(DuplicateMessage) as duplicate:
                await store.append(draft, None)

            assert len(log) >= seq
            assert [entry.seq for entry in log] == list(range(1, loaded.session.seq + 1))
            assert duplicate.value.seq == seq
    assert len(acknowledged) == WRITERS


async def test_what_is_for_everybody_is_stored_without_an_audience(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    async with SqliteStore(path) as store:
        session = await stored(store, user_says(new_session()))
        note = Draft(session)
        append_message(note, Author.AI, MessageId("n"), "?", NOON, audience=Audience.COORDINATOR)
        await stored(store, user_says(await stored(store, note)))
    with closing(sqlite3.connect(path)) as db:
        bodies = [body for (body,) in db.execute("SELECT body FROM entries ORDER BY seq")]

    assert ["audience" in json.loads(body) for body in bodies] == [False, True, False]
    assert ["hidden_before" in json.loads(body) for body in bodies] == [False, False, True]


async def test_a_locked_file_stops_neither_the_loop_nor_the_store(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    async with SqliteStore(path, busy_timeout_s=0.2) as store:
        session = await conversation(store, 1)
        passes = 0
        with locked(path):
            waiting = asyncio.ensure_future(store.append(user_says(session), None))
            while not waiting.done():
                passes += 1
                await asyncio.sleep(0.001)
            loaded = await store.load(session.session_id)
        with pytest.raises(StorageUnavailable, match="locked") as refused:
            await waiting
        after = await stored(store, user_says(session))

        assert passes > 20
        assert loaded is not None
        assert loaded.session == session
        assert isinstance(refused.value.__cause__, sqlite3.OperationalError)
        assert str(path) in str(refused.value)
        assert after.seq == 2


async def test_a_failed_batch_raises_to_all_its_callers(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    async with SqliteStore(path, busy_timeout_s=0.05) as store:
        await conversation(store, 1, "s0", DAN)
        drafts = [
            user_says(new_session(f"s{number}", Customer(BusinessId("b"), UserId(str(number)))))
            for number in range(1, 9)
        ]
        with locked(path):
            results = await asyncio.gather(
                *(store.append(draft, None) for draft in drafts), return_exceptions=True
            )

        assert [type(result) for result in results] == [StorageUnavailable] * 8
        assert contents(path)["sessions"] == 1


async def test_a_full_disk_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    async with SqliteStore(tmp_path / "store.db") as store:
        (pages,) = store._writer.execute("PRAGMA page_count").fetchone()
        store._writer.execute(f"PRAGMA max_page_count = {pages + 8}")  # as if the disk ended there
        session = await conversation(store, 1)
        with pytest.raises(StorageUnavailable, match="full"):
            await store.append(user_says(session, "x" * 20 * 4096), None)
        full = await store.load(session.session_id)
        store._writer.execute("PRAGMA max_page_count = 1000000")
        after = await stored(store, user_says(session))

        assert full is not None
        assert full.session == session
        assert after.seq == session.seq + 1


async def test_writes_that_wait_share_a_transaction(tmp_path: Path) -> None:
    async with SqliteStore(tmp_path / "store.db") as store:
        statements: Counter[str] = Counter()
        store._writer.set_trace_callback(lambda sql: statements.update([sql]))
        customers = [Customer(BusinessId("b"), UserId(str(number))) for number in range(50)]
        await asyncio.gather(*(conversation(store, 4, f"s{who.user_id}", who) for who in customers))

        assert 4 <= statements["COMMIT"] <= 8


async def test_a_cancelled_call_disturbs_no_other(tmp_path: Path) -> None:
    async with SqliteStore(tmp_path / "store.db") as store:
        session = await conversation(store, 1)
        given_up = asyncio.ensure_future(store.append(user_says(session, key="k"), None))
        beside = asyncio.ensure_future(store.append(user_says(new_session("s2", DAN)), None))
        await asyncio.sleep(0)
        given_up.cancel()
        await beside
        with pytest.raises(DuplicateMessage):
            await store.append(user_says(session, key="k"), None)
        loaded = await store.load(session.session_id)

        assert given_up.cancelled()
        assert loaded is not None
        assert loaded.session.seq == len(loaded.recent) == 2


async def test_closing_finishes_what_was_submitted(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    async with SqliteStore(path) as store:
        appends: list[asyncio.Future[None]] = []
        for number in range(30):
            draft = user_says(
                new_session(f"s{number}", Customer(BusinessId("b"), UserId(str(number))))
            )
            appends.append(asyncio.ensure_future(store.append(draft, None)))
            await asyncio.sleep(0)  # the first ones are being written, the last ones wait

    assert await asyncio.gather(*appends) == [None] * 30
    assert contents(path)["sessions"] == 30
    assert files(tmp_path) == ["store.db"]


async def test_a_store_that_is_not_open_raises(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    with pytest.raises(StorageUnavailable, match="not open"):
        await store.latest(ANA)
    async with store:
        await conversation(store, 1)
    with pytest.raises(StorageUnavailable, match="not open"):
        await store.append(user_says(new_session("s2", DAN)), None)
    async with store:
        assert (await store.list_sessions(limit=10)).sessions


async def refusal(path: Path) -> str:
    """Return the reason why the file cannot be opened."""
    with pytest.raises(StorageUnavailable) as refused:
        async with SqliteStore(path, busy_timeout_s=0.05):
            pass
    return str(refused.value)


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(b"This is no database." * 100)

    assert await refusal(path) == f"{path}: file is not a database"
    assert path.read_bytes() == b"This is no database." * 100


async def test_a_directory_is_refused(tmp_path: Path) -> None:
    assert await refusal(tmp_path) == f"{tmp_path}: unable to open database file"


async def test_a_path_through_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert "File exists" in await refusal(tmp_path / "file" / "store.db")


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
async def test_a_newer_schema_is_refused_and_not_a_byte_of_it_is_changed(
    tmp_path: Path, mode: str
) -> None:
    path = tmp_path / "store.db"
    async with SqliteStore(path) as store:
        await conversation(store, 1)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
        db.execute(f"PRAGMA journal_mode = {mode}")
    before = path.read_bytes()

    assert await refusal(path) == (
        f"{path} has schema version 99; this program knows up to {len(MIGRATIONS)}"
    )
    assert path.read_bytes() == before
    assert files(tmp_path) == ["store.db"]


async def test_a_store_that_a_later_version_migrates_beside_it_is_neither_written_nor_read(
    tmp_path: Path,
) -> None:
    path = tmp_path / "store.db"
    async with SqliteStore(path) as store:
        session = await conversation(store, 1)
        with closing(sqlite3.connect(path)) as db:
            db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
        before = contents(path)
        calls = [
            store.append(user_says(session), None),
            store.load(session.session_id),
            store.due(NOON, 9),
            store.claim(Lane.PEOPLE, NOON, NOON, 9),
            store.erase(ANA),
            store.add(BusinessId("b1"), NOON.date(), {"calls": 1}),
        ]
        outcomes = [await asyncio.gather(call, return_exceptions=True) for call in calls]

    assert [type(outcome) for (outcome,) in outcomes] == [StoreMigrated] * len(calls)
    assert contents(path) == before


async def test_a_file_of_the_first_version_is_migrated(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    session = new_session()
    head = b"""{"session_id":"s1","customer":["b1","ana"],"location_id":null,
        "opened_at":"2026-03-01T12:00:00Z","updated_at":"2026-03-01T12:00:00Z","seq":1,"asked":1}"""
    entry = b"""{"seq":1,"message_id":"m1","author":"user","text":"hello",
        "at":"2026-03-01T12:00:00Z"}"""
    with closing(sqlite3.connect(path)) as db:
        for statement in MIGRATIONS[0]:
            db.execute(statement)
        db.execute(
            "INSERT INTO sessions VALUES (1, 's1', 'b1', 'ana', 'ai', 1, 1, NULL, ?)", (head,)
        )
        db.execute("INSERT INTO entries VALUES ('s1', 1, 0, ?)", (entry,))
        db.execute("PRAGMA user_version = 1")
        db.commit()
    async with SqliteStore(path) as store:
        loaded = await store.latest(ANA)
        assert loaded is not None
        await store.append(user_says(loaded.session), None)
        await store.add(BusinessId("b1"), NOON.date(), {"input_tokens": 1})
        counts = await store.counts(BusinessId("b1"), NOON.date(), NOON.date())
        log = await store.page(session.session_id, limit=10)

    assert [(entry.seq, entry.text) for entry in log] == [(1, "hello"), (2, "hello")]
    assert (loaded.session.usage, loaded.session.summary, loaded.session.tokens) == (None,) * 3
    assert counts == {NOON.date(): {"input_tokens": 1}}


async def test_the_database_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE songs (title TEXT)")
    before = path.read_bytes()

    assert await refusal(path) == f"{path} is the database of another program"
    assert path.read_bytes() == before


async def test_a_damaged_file_raises_and_invents_nothing(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    async with SqliteStore(path) as store:
        await conversation(store, 200)
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))
    with pytest.raises(StorageUnavailable, match=r"malformed|not a database|disk image"):
        async with SqliteStore(path) as store:
            await store.load(SessionId("s1"))


async def test_two_stores_create_one_file_at_the_same_time(tmp_path: Path) -> None:
    path = tmp_path / "store.db"

    async def write(number: int) -> None:
        async with SqliteStore(path) as store:
            await conversation(store, 5, f"s{number}", Customer(BusinessId("b"), UserId("same")))

    results = await asyncio.gather(*(write(number) for number in range(4)), return_exceptions=True)

    assert sorted(type(result).__name__ for result in results) == ["NoneType", *["SeqTaken"] * 3]
    assert contents(path)["entries"] == 5


async def test_two_stores_on_one_file_share_its_sessions(tmp_path: Path) -> None:
    path = tmp_path / "store.db"

    async def write(store: SqliteStore, number: int) -> None:
        while True:
            loaded = await store.latest(ANA)
            draft = user_says(loaded.session if loaded else new_session(), key=str(number))
            try:
                return await store.append(draft, None)
            except SeqTaken:
                continue

    async with SqliteStore(path) as one, SqliteStore(path) as two:
        await asyncio.gather(*(write((one, two)[number % 2], number) for number in range(40)))
        views: list[Loaded | None] = [await one.latest(ANA), await two.latest(ANA)]
        log = await one.page(SessionId("s1"), limit=100)

    assert views[0] == views[1]
    assert [entry.seq for entry in log] == list(range(1, 41))


async def test_nothing_of_an_erased_customer_is_left_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    async with SqliteStore(path) as store:
        other = await conversation(store, 30, "other", DAN)
        session = await stored(store, with_notices(user_says(new_session(), "SECRET-0", key="k")))
        for number in range(1, 60):
            other = await stored(store, user_says(other))
            session = await stored(store, user_says(session, f"SECRET-{number}", key=f"k{number}"))
        await store.erase(ANA)

    assert contents(path) == {"sessions": 1, "entries": 89, "keys": 0, "outbox": 0, "counts": 0}
    assert b"SECRET" not in path.read_bytes()


async def test_after_an_erasure_the_log_beside_the_file_has_nothing_of_the_customer_either(
    tmp_path: Path,
) -> None:
    path = tmp_path / "store.db"
    async with SqliteStore(path) as store:
        await stored(store, with_notices(user_says(new_session(), "SECRET", key="k")))
        before = everything_in(tmp_path)
        await store.erase(ANA)
        after = everything_in(tmp_path)

    assert b"SECRET" in before
    assert b"SECRET" not in after


async def test_the_log_is_emptied_by_a_later_write_where_another_process_was_reading(
    tmp_path: Path,
) -> None:
    path = tmp_path / "store.db"
    async with SqliteStore(path) as store:
        session = await stored(store, user_says(new_session(), "SECRET"))
        with closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM entries").fetchone()
            erased = await store.erase(ANA)
            meanwhile = everything_in(tmp_path)
        store._next_truncation = 0.0
        await conversation(store, 1, "other", DAN)
        after = everything_in(tmp_path)

    assert (session.seq, erased.messages) == (1, 1)
    assert b"SECRET" in meanwhile
    assert b"SECRET" not in after


def everything_in(folder: Path) -> bytes:
    """Return the contents of all files of a folder."""
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def test_a_store_that_can_be_read_but_not_written_fails_its_probe(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    async with SqliteStore(path, busy_timeout_s=0.05) as store:
        await store.probe()
        store._next_probe = 0.0
        with locked(path), pytest.raises(StorageUnavailable, match="locked"):
            await store.probe()
        await store.probe()


async def test_a_new_database_is_for_its_user_alone_and_an_old_one_closed_to_others(
    tmp_path: Path,
) -> None:
    old = tmp_path / "old.db"
    old.touch(mode=0o664)
    old.chmod(0o664)
    usual = os.umask(0o022)
    try:
        async with SqliteStore(tmp_path / "folder" / "new.db") as store:
            await conversation(store, 1)
            new = {
                file.name: file.stat().st_mode & 0o777 for file in (tmp_path / "folder").iterdir()
            }
        async with SqliteStore(old) as store:
            await conversation(store, 1)
    finally:
        os.umask(usual)

    assert new == {"new.db": 0o600, "new.db-wal": 0o600, "new.db-shm": 0o600}
    assert (tmp_path / "folder").stat().st_mode & 0o777 == 0o700
    assert old.stat().st_mode & 0o777 == 0o660


async def test_a_session_that_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    async with SqliteStore(path) as store:
        for session_id, who in (("s1", ANA), ("s2", DAN)):
            await store.append(user_says(new_session(session_id, who)), NOON)
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("UPDATE sessions SET head = ? WHERE session_id = 's1'", (b"\xff{",))
        listed = await store.list_sessions(limit=10)
        due = await store.due(NOON, 10)

    assert [session.session_id for session in listed.sessions] == ["s2"]
    assert [session.session_id for session in due] == ["s2"]


async def test_expired_keys_are_removed(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    async with SqliteStore(path, synchronous="NORMAL") as store:
        session = new_session()
        for number in range(600):
            at = NOON + timedelta(hours=number // 2)
            session = await stored(store, user_says(session, key=str(number), at=at))

    assert contents(path)["keys"] < 400


async def test_a_page_costs_the_same_in_a_long_log(tmp_path: Path) -> None:
    async with SqliteStore(tmp_path / "store.db", synchronous="NORMAL") as store:
        short = await conversation(store, 60, "short", ANA)
        long = await conversation(store, 1000, "long", DAN)
        steps: Counter[str] = Counter()
        for session in (short, short, long):  # the first pass reads the schema
            steps[session.session_id] = 0

            def step(name: str = session.session_id) -> int:
                steps[name] += 1
                return 0

            store._reader.set_progress_handler(step, 1)  # called at each instruction of SQLite
            await store.page(session.session_id, before=session.seq, limit=10)
            await store.page(session.session_id, after=20, limit=10)
            await store.load(session.session_id)
            await store.latest(session.customer)

        assert steps["long"] == steps["short"] > 0


@pytest.mark.parametrize("number", [-1, 2**63, 10**30])
async def test_a_cursor_with_an_impossible_row_number_is_refused(
    number: int, tmp_path: Path
) -> None:
    async with SqliteStore(tmp_path / "store.db") as store:
        with pytest.raises(InvalidPayload):
            await store.list_sessions(limit=1, cursor=encode_cursor(NOON, number))


async def test_each_request_is_reported_with_its_duration_and_whether_it_failed(
    tmp_path: Path,
) -> None:
    path, reported = tmp_path / "store.db", list[tuple[str, float, bool]]()

    def on_request(operation: str, seconds: float, has_failed: bool) -> None:
        reported.append((operation, seconds, has_failed))

    async with SqliteStore(path, busy_timeout_s=0.05, on_request=on_request) as store:
        session = await stored(store, user_says(new_session()))
        await store.load(session.session_id)
        with pytest.raises(SeqTaken):
            await store.append(user_says(new_session()), None)
        with locked(path), pytest.raises(StorageUnavailable):
            await store.append(user_says(session), None)

    assert [(operation, failed) for operation, _, failed in reported] == [
        ("write", False),
        ("read", False),
        ("write", False),
        ("write", True),
    ]
    assert all(0 < seconds < 5 for _, seconds, _ in reported)
    assert reported[-1][1] >= 0.05
