"""Backups of an SQLite database: complete, verified, and never half there."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from adapters.bridge.sqlite_store import SqliteBridgeStore
from adapters.sqlite.backup import SERVER, back_up, put_back
from adapters.sqlite.file import MIGRATIONS
from adapters.sqlite.store import SqliteStore
from domain.errors import StorageUnavailable, StoreMigrated
from domain.identity import SessionId
from tests.contract.stores import DAN, conversation, new_session, stored, user_says
from tests.support.snapshots import restored as from_dump

NEVER = 1_000
KILLED = -signal.SIGKILL


async def database(path: Path, messages: int = 30) -> Path:
    """Write a database with one conversation, and close it."""
    async with SqliteStore(path) as store:
        await conversation(store, messages)
    return path


def rows(path: Path) -> list[str]:
    """Return all that a database holds, as SQL."""
    with closing(sqlite3.connect(path)) as db:
        return [*db.iterdump()]


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def copy_file(path: Path, to: Path, suffix: str) -> None:
    Path(f"{to}{suffix}").write_bytes(Path(f"{path}{suffix}").read_bytes())


def beside(path: Path) -> list[Path]:
    """Return a database with all that is beside it, and what was kept of former ones."""
    return [*path.parent.glob(f"{path.name}*")]


def kept_of(path: Path) -> list[Path]:
    return [*path.parent.glob(f"{path.name}.before-*Z")]


def run(what: str, source: Path, target: Path, step: int, *limit: str) -> int | str:
    """Back up or restore in a process that is killed before a step; return its end."""
    command = [sys.executable, "-m", "tests.support.interrupted_copy"]
    ended = subprocess.run(
        [*command, what, str(source), str(target), str(step), *limit],
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.stderr.strip() or ended.returncode


async def test_a_backup_beside_a_writer_has_all_that_was_acknowledged_before(
    tmp_path: Path,
) -> None:
    path, copy = tmp_path / "store.db", tmp_path / "copy.db"
    writer = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.crash_writer", str(path), "5"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert writer.stdout is not None
    acknowledged: Counter[str] = Counter()
    for _ in range(300):
        session_id, number = (await writer.stdout.readline()).decode().split()
        acknowledged[session_id] = max(acknowledged[session_id], int(number))
    counts = await asyncio.to_thread(back_up, path, copy, SERVER)
    later = [await writer.stdout.readline() for _ in range(100)]  # it goes on
    writer.kill()
    await writer.wait()

    assert len(later) == 100
    async with SqliteStore(copy) as store:
        found = 0
        for session_id, seq in acknowledged.items():
            log = await store.page(SessionId(session_id), limit=100_000)
            assert [entry.seq for entry in log] == list(range(1, len(log) + 1))
            assert len(log) >= seq
            found += len(log)
    assert counts["entries"] == found


async def test_a_backup_is_one_whole_file_for_its_user_alone(tmp_path: Path) -> None:
    path, folder = await database(tmp_path / "store.db"), tmp_path / "backups"
    folder.mkdir()
    counts = back_up(path, folder / "copy.db", SERVER)

    assert counts == {"sessions": 1, "entries": 30, "keys": 0, "outbox": 0}
    assert names(folder) == ["copy.db"]
    assert (folder / "copy.db").stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(f"file:{folder / 'copy.db'}?mode=ro", uri=True)) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert rows(folder / "copy.db") == rows(path)


async def test_a_backup_has_what_is_only_in_the_log_of_a_killed_writer(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    async with SqliteStore(path) as store:
        await conversation(store, 20)
        for suffix in ("", "-wal"):
            copy_file(path, tmp_path / "killed.db", suffix)
    counts = back_up(tmp_path / "killed.db", tmp_path / "copy.db", SERVER)

    assert counts["entries"] == 20


async def test_a_backup_replaces_nothing(tmp_path: Path) -> None:
    path, precious = await database(tmp_path / "store.db"), tmp_path / "precious"
    precious.write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")

    for target in (path, precious, tmp_path / "link"):
        with pytest.raises(StorageUnavailable, match=f"{target.name} exists"):
            back_up(path, target, SERVER)
    assert precious.read_text() == "mine"
    assert names(tmp_path) == ["link", "precious", "store.db"]


def damage(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + b"\xff" * 4096 + whole[12288:])


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def cut_a_page(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 4096)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def scribble(path: Path) -> None:
    path.write_text("no database " * 500)


def make_newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")


def lose_an_index_entry(path: Path) -> None:
    """Let an index lack a row, which reading the table would not show."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA writable_schema = ON")
        hidden = "UPDATE sqlite_schema SET sql = {} WHERE name = 'sessions_of_customer'"
        (sql,) = db.execute(
            "SELECT sql FROM sqlite_schema WHERE name = 'sessions_of_customer'"
        ).fetchone()
        db.execute("DELETE FROM sqlite_schema WHERE name = 'sessions_by_recency'")
        db.execute(hidden.format("?"), (f"{sql} WHERE user_id = 'nobody'",))
        db.commit()


BAD: dict[Callable[[Path], None], str] = {
    damage: "malformed|damaged",
    truncate: "malformed|damaged",
    cut_a_page: "malformed|damaged",
    empty: "no database of the server",
    scribble: "not a database",
    make_newer: rf"schema version {len(MIGRATIONS) + 1}; this program knows up to",
    lose_an_index_entry: "damaged",
}


@pytest.mark.parametrize("spoil", BAD, ids=lambda each: each.__name__)
async def test_what_is_no_whole_database_of_this_version_is_neither_backed_up_nor_restored(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    path, bad = await database(tmp_path / "store.db"), await database(tmp_path / "bad.db")
    before = path.read_bytes()
    spoil(bad)

    with pytest.raises(StorageUnavailable, match=BAD[spoil]):
        back_up(bad, tmp_path / "copy.db", SERVER)
    with pytest.raises(StorageUnavailable, match=BAD[spoil]):
        put_back(bad, path, SERVER)
    assert path.read_bytes() == before
    assert names(tmp_path) == ["bad.db", "store.db"]


async def test_the_database_of_the_bridge_is_not_taken_for_the_servers(tmp_path: Path) -> None:
    path, other = await database(tmp_path / "store.db"), tmp_path / "bridge.db"
    async with SqliteBridgeStore(other):
        pass
    good = tmp_path / "good.db"
    back_up(path, good, SERVER)
    before, others = path.read_bytes(), other.read_bytes()

    for source, target in ((other, path), (good, other)):
        with pytest.raises(StorageUnavailable, match=r"bridge\.db is no database of the server"):
            put_back(source, target, SERVER)
    assert (path.read_bytes(), other.read_bytes()) == (before, others)


async def test_what_was_restored_is_what_was_backed_up_and_the_former_database_is_kept(
    tmp_path: Path,
) -> None:
    path, copy = await database(tmp_path / "store.db"), tmp_path / "copy.db"
    back_up(path, copy, SERVER)
    then = rows(path)
    async with SqliteStore(path) as store:
        await stored(store, user_says(new_session("s9", DAN)))
    path.chmod(0o640)
    since = rows(path)
    restored = put_back(copy, path, SERVER)
    again = put_back(copy, path, SERVER)

    assert restored.kept is not None
    assert again.kept is not None
    assert (rows(path), rows(restored.kept), rows(again.kept)) == (then, since, then)
    assert path.stat().st_mode & 0o777 == 0o640
    assert names(tmp_path) == sorted(["copy.db", "store.db", restored.kept.name, again.kept.name])
    async with SqliteStore(path) as store:
        assert len(await store.page(SessionId("s1"), limit=100)) == 30


async def test_a_database_that_is_gone_or_damaged_is_restored_too(tmp_path: Path) -> None:
    path, copy = await database(tmp_path / "store.db"), tmp_path / "copy.db"
    back_up(path, copy, SERVER)
    gone = put_back(copy, tmp_path / "new" / "store.db", SERVER)
    scribble(path)
    ruins = path.read_bytes()
    restored = put_back(copy, path, SERVER)

    assert gone.kept is None
    assert names(tmp_path / "new") == ["store.db"]
    assert (tmp_path / "new" / "store.db").stat().st_mode & 0o777 == 0o600
    assert restored.kept is not None
    assert restored.kept.read_bytes() == ruins
    assert rows(path) == rows(copy)


async def test_what_is_beside_a_damaged_database_is_kept_with_it_and_not_read_with_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, copy = await database(tmp_path / "store.db"), tmp_path / "copy.db"
    back_up(path, copy, SERVER)
    (tmp_path / "store.db-wal").write_text("what SQLite could not merge")
    monkeypatch.setattr("adapters.sqlite.backup._merge_log", lambda *_: None)
    kept = put_back(copy, path, SERVER).kept

    assert kept is not None
    assert kept.with_name(f"{kept.name}-wal").read_text() == "what SQLite could not merge"
    assert names(tmp_path) == ["copy.db", "store.db", kept.name, f"{kept.name}-wal"]


async def test_a_backup_of_an_earlier_schema_is_restored_and_migrated_by_the_next_start(
    tmp_path: Path,
) -> None:
    old, path = from_dump("conversations.sql", tmp_path / "old.db"), tmp_path / "store.db"
    counts = put_back(old, path, SERVER).counts
    async with SqliteStore(path) as store:
        page = await store.list_sessions(limit=100)

    assert len(page.sessions) == counts["sessions"] == 10


async def test_a_database_that_another_process_has_open_is_not_replaced(tmp_path: Path) -> None:
    path, copy = tmp_path / "store.db", tmp_path / "copy.db"
    async with SqliteStore(path) as store:
        await conversation(store, 3)
        back_up(path, copy, SERVER)
        ended = await asyncio.to_thread(run, "restore", copy, path, NEVER)
        after = await stored(store, user_says(new_session("s2", DAN)))

    assert ended == f"{path} is in use: stop what has it open, and try again"
    assert after.seq == 1
    assert names(tmp_path) == ["copy.db", "store.db"]


async def test_a_database_that_is_only_read_is_not_replaced(tmp_path: Path) -> None:
    path, copy = await database(tmp_path / "store.db"), tmp_path / "copy.db"
    back_up(path, copy, SERVER)
    async with SqliteStore(path, is_read_only=True) as store:
        await store.list_sessions(limit=1)
        ended = await asyncio.to_thread(run, "restore", copy, path, NEVER)

    assert "is in use" in str(ended)


async def test_a_store_that_is_opened_while_its_file_is_replaced_does_not_use_the_former_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, copy = await database(tmp_path / "store.db"), tmp_path / "copy.db"
    back_up(path, copy, SERVER)

    def replaced_first(*_: object) -> None:
        copy.rename(path)  # as a restore does that had the lock before

    monkeypatch.setattr("adapters.sqlite.file.use_wal", replaced_first)
    with pytest.raises(StorageUnavailable, match="was replaced while it was opened"):
        await SqliteStore(path).__aenter__()


async def test_a_backup_that_is_killed_leaves_no_half_of_one(tmp_path: Path) -> None:
    path, copy = await database(tmp_path / "store.db", 300), tmp_path / "copy.db"
    whole, step = rows(path), 0
    ended: int | str = KILLED
    while ended == KILLED:
        step += 1
        copy.unlink(missing_ok=True)
        ended = await asyncio.to_thread(run, "backup", path, copy, step)
        assert not copy.exists() or rows(copy) == whole
        assert rows(path) == whole

    assert (ended, step > 5) == (0, True)
    assert names(tmp_path) == ["copy.db", "store.db"]  # nothing that was killed is left


async def test_what_a_killed_backup_has_left_takes_no_finished_one_with_it(tmp_path: Path) -> None:
    path, copy = await database(tmp_path / "store.db"), tmp_path / "copy.db"
    back_up(path, copy, SERVER)
    (tmp_path / "copy.db.part").hardlink_to(copy)  # killed between its last two steps
    copy.rename(tmp_path / "yesterday.db")
    back_up(path, copy, SERVER)

    assert rows(tmp_path / "yesterday.db") == rows(copy) == rows(path)
    assert names(tmp_path) == ["copy.db", "store.db", "yesterday.db"]


async def test_a_link_that_somebody_has_put_in_the_way_is_not_followed(tmp_path: Path) -> None:
    path, precious = await database(tmp_path / "store.db"), tmp_path / "precious"
    precious.write_text("mine")
    (tmp_path / "copy.db.part").symlink_to(precious)

    with pytest.raises(StorageUnavailable, match=r"copy\.db\.part"):
        back_up(path, tmp_path / "copy.db", SERVER)
    assert precious.read_text() == "mine"


async def test_a_restore_that_is_killed_leaves_the_former_database_or_the_restored_one(
    tmp_path: Path,
) -> None:
    path, copy = await database(tmp_path / "store.db", 300), tmp_path / "copy.db"
    back_up(path, copy, SERVER)
    folder = tmp_path / "killed"
    folder.mkdir()
    backed_up, step = rows(copy), 0
    ended: int | str = KILLED
    async with SqliteStore(path) as store:
        await stored(store, user_says(new_session("s9", DAN)))
        for suffix in ("", "-wal"):  # the log has the newest
            copy_file(path, folder / "killed.db", suffix)
    former = rows(path)
    while ended == KILLED:
        step += 1
        for old in beside(path):
            old.unlink()
        for suffix in ("", "-wal"):
            copy_file(folder / "killed.db", path, suffix)
        ended = await asyncio.to_thread(run, "restore", copy, path, step)
        kept, now = [rows(each) for each in kept_of(path)], rows(path)
        assert now in (former, backed_up)
        assert now == former or kept == [former]
    (before,) = kept_of(path)

    assert (ended, step > 8, now) == (0, True, backed_up)
    assert names(tmp_path) == ["copy.db", "killed", "store.db", before.name]


@pytest.mark.parametrize("what", ["backup", "restore"])
async def test_a_full_disk_leaves_everything_as_it_was(tmp_path: Path, what: str) -> None:
    path = await database(tmp_path / "store.db", 300)
    other = await database(tmp_path / "other.db", 3)
    before, size = other.read_bytes(), path.stat().st_size
    target = tmp_path / "copy.db" if what == "backup" else other
    ended = await asyncio.to_thread(run, what, path, target, NEVER, str(size // 2))

    assert "full" in str(ended) or "I/O error" in str(ended)
    assert other.read_bytes() == before
    assert names(tmp_path) == ["other.db", "store.db"]


async def test_two_backups_to_one_file_do_not_mix(tmp_path: Path) -> None:
    path, copy = await database(tmp_path / "store.db"), tmp_path / "copy.db"
    results = await asyncio.gather(
        *(asyncio.to_thread(back_up, path, copy, SERVER) for _ in range(4)),
        return_exceptions=True,
    )

    assert sum(isinstance(each, StorageUnavailable) for each in results) == 3
    assert rows(copy) == rows(path)
    assert not isinstance(results[0], StoreMigrated)


@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal", ".part"])
async def test_a_name_that_sqlite_would_use_is_no_backups(tmp_path: Path, suffix: str) -> None:
    path = await database(tmp_path / "c.sqlite3")

    with pytest.raises(StorageUnavailable, match="is a name that SQLite uses"):
        back_up(path, tmp_path / f"c.sqlite3{suffix}", SERVER)


async def test_of_a_link_what_it_means_is_replaced_and_kept(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    real, link = await database(tmp_path / "disk/c.sqlite3"), tmp_path / "c.sqlite3"
    link.symlink_to(real)
    back_up(link, tmp_path / "backup", SERVER)
    restored = put_back(tmp_path / "backup", link, SERVER)

    assert link.is_symlink()
    assert restored.kept is not None
    assert (restored.kept.parent, restored.kept.is_symlink()) == (real.parent, False)
    assert rows(link) == rows(restored.kept)


async def test_a_pipe_in_the_way_holds_up_no_backup(tmp_path: Path) -> None:
    path = await database(tmp_path / "c.sqlite3")
    os.mkfifo(tmp_path / "backup.part")

    with pytest.raises(StorageUnavailable, match="is no file of a backup"):
        back_up(path, tmp_path / "backup", SERVER)
