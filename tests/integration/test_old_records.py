"""What earlier versions have stored or exported can be replayed, without a migration."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from adapters.sqlite.store import SqliteStore
from application.recorded_turns import RecordedTurn, stored_turns
from domain.errors import StorageUnavailable
from domain.identity import BusinessId
from entrypoints.cli.exports import exported_turns
from tests.contract.stores import new_session, user_says
from tests.support.snapshots import FIRST, SECOND, THIRD, Generation, data, restored
from tests.support.stored_json import Json

GENERATIONS = pytest.mark.parametrize("generation", [FIRST, SECOND, THIRD], ids=repr)


def answers(generation: Generation) -> list[tuple[str, int]]:
    """Return the AI's answers to what the log has: session and seq."""
    return sorted(
        (session["head"]["session_id"], entry["seq"])
        for session in generation.expected["sessions"]
        for entry in session["log"]
        if entry.get("author") == "ai" and entry["answers"]
    )


def businesses(generation: Generation) -> list[BusinessId]:
    return sorted({BusinessId(known["customer"][0]) for known in generation.expected["customers"]})


def keys(turns: list[RecordedTurn]) -> list[tuple[str, int]]:
    return sorted(turn.key for turn in turns)


@GENERATIONS
async def test_a_file_of_an_earlier_version_is_read_as_it_is(
    generation: Generation, tmp_path: Path
) -> None:
    file = restored(f"{generation.name}.sql", tmp_path / "old.sqlite3")
    before = hashlib.sha256(file.read_bytes()).hexdigest()
    turns: list[RecordedTurn] = []
    async with SqliteStore(file, is_read_only=True) as store:
        for business_id in businesses(generation):
            turns += [turn async for turn in stored_turns(store, store, business_id, limit=1_000)]

    assert keys(turns) == answers(generation)
    assert all(turn.questions for turn in turns)
    assert hashlib.sha256(file.read_bytes()).hexdigest() == before


@GENERATIONS
async def test_an_export_of_an_earlier_version_has_the_same_turns(
    generation: Generation, tmp_path: Path
) -> None:
    turns: list[RecordedTurn] = []
    exports: list[Json] = data(f"{generation.name}.export.json")
    for export in exports:
        file = tmp_path / "export.json"
        file.write_text(json.dumps(export))
        business_id = BusinessId(export["businessId"])
        turns += [
            turn async for turn in exported_turns([file], business_id, since=None, limit=1_000)
        ]

    assert keys(turns) == answers(generation)


async def test_a_store_for_reading_alone_refuses_to_write(tmp_path: Path) -> None:
    file = tmp_path / "conversations.sqlite3"
    async with SqliteStore(file) as store:
        await store.append(user_says(new_session()), None)
    async with SqliteStore(file, is_read_only=True) as store:
        with pytest.raises(StorageUnavailable):
            await store.append(user_says(new_session()), None)

        assert len((await store.list_sessions(limit=10)).sessions) == 1


async def test_a_store_for_reading_alone_creates_no_file(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable):
        async with SqliteStore(tmp_path / "missing.sqlite3", is_read_only=True):
            pass

    assert os.listdir(tmp_path) == []
