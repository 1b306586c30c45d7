"""What only the bridge's SQLite store has: a file, which may be anybody's."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.bridge.sqlite_store import VERSION, SqliteBridgeStore
from application.bridge.ports import Change
from domain.errors import StorageUnavailable

CHANGE = Change(at=datetime(2030, 1, 1, tzinfo=UTC), key="k", answer={"status": "ok"})


async def test_a_file_is_read_by_the_next_who_opens_it(tmp_path: Path) -> None:
    file = tmp_path / "new" / "bridge.sqlite3"
    async with SqliteBridgeStore(file) as store:
        await store.save(CHANGE)

    async with SqliteBridgeStore(file) as store:
        answer = await store.answer("k", CHANGE.at)

    assert answer == {"status": "ok"}


async def test_the_file_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "bridge.sqlite3"
    with closing(sqlite3.connect(file)) as db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")

    with pytest.raises(StorageUnavailable, match=f"version {VERSION + 1}; .* up to {VERSION}"):
        await SqliteBridgeStore(file).__aenter__()


async def test_another_programs_file_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "recipes.sqlite3"
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE recipes (name TEXT)")

    with pytest.raises(StorageUnavailable, match="another program"):
        await SqliteBridgeStore(file).__aenter__()


async def test_a_store_that_is_not_open_is_unavailable(tmp_path: Path) -> None:
    store = SqliteBridgeStore(tmp_path / "bridge.sqlite3")

    with pytest.raises(StorageUnavailable, match="not open"):
        await store.save(CHANGE)


async def test_what_another_process_locks_is_unavailable_and_not_half_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.bridge.sqlite_store.BUSY_TIMEOUT_S", 0.05)
    file = tmp_path / "bridge.sqlite3"
    async with SqliteBridgeStore(file) as store:
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")

            with pytest.raises(StorageUnavailable, match="locked"):
                await store.save(CHANGE)
        answer = await store.answer("k", CHANGE.at)
        stored_then = await store.save(CHANGE)

    assert (answer, stored_then) == (None, True)
