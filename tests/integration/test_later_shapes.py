"""What a later version may add is ignored by this one, as this one's additions are by the former.

Where it cannot be ignored, the schema's version says so: `tests/integration/test_sqlite.py`.
"""

import json
import sqlite3
from base64 import b64decode, b64encode
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.sqlite.store import SqliteStore
from application.ports import Store
from domain.identity import BusinessId, SessionId
from entrypoints.cli.exports import exported_turns
from tests.support.bridge_recorder import drained
from tests.support.dynamodb import DYNOXIDE, dynamo_store, engine
from tests.support.snapshots import RELEASES, Generation, restored, restored_table
from tests.support.stored_json import entry_json, head_json

ADDED = {"of_a_later_version": [1, {"x": "y"}]}

newest = pytest.mark.parametrize("release", RELEASES[-1:], ids=repr)


async def check_all_is_read(store: Store, release: Generation) -> None:
    for expected in release.expected["sessions"]:
        session_id = SessionId(expected["head"]["session_id"])
        loaded = await store.load(session_id)
        assert loaded is not None
        assert head_json(loaded.session) == expected["head"]
        log = await store.page(session_id, limit=100)
        assert [entry_json(entry) for entry in log] == expected["log"]
    assert await drained(store, release.later) == release.queues()


@newest
async def test_fields_that_a_later_version_adds_to_items_are_ignored(
    release: Generation, tmp_path: Path
) -> None:
    running, table = engine(DYNOXIDE), tmp_path.name
    restored_table(running, table, release)
    items = [added_to_item(item) for item in running.items(table)]
    for item in items:
        running.call("PutItem", TableName=table, Item=item)

    assert any("of_a_later_version" in str(packed(item)) for item in items)
    async with dynamo_store(running.url, table, release.now) as store:
        await check_all_is_read(store, release)


def packed(item: dict[str, Any]) -> list[Any]:
    """Return the packed values of an item."""
    found = []
    for value in item.values():
        try:
            found.append(msgspec.msgpack.decode(b64decode(value["B"])))
        except (KeyError, ValueError, msgspec.MsgspecError):
            continue
    return found


def added_to_item(item: dict[str, Any]) -> dict[str, Any]:
    """Add what this version does not know to an item, and to each packed value of it."""
    changed: dict[str, Any] = {}
    for name, value in item.items():
        changed[name] = value
        try:
            content = msgspec.msgpack.decode(b64decode(value["B"]))
        except (KeyError, ValueError, msgspec.MsgspecError):
            continue  # no packed value
        if isinstance(content, list) and all(isinstance(each, dict) for each in content):
            content = [each | ADDED for each in content]
        elif isinstance(content, dict):
            content |= ADDED
        changed[name] = {"B": b64encode(msgspec.msgpack.encode(content)).decode()}
    return changed | {"later": {"S": "x"}}


@newest
async def test_fields_that_a_later_version_adds_to_rows_are_ignored(
    release: Generation, tmp_path: Path
) -> None:
    file = restored(f"{release.name}.sql", tmp_path / "later.sqlite3")
    with closing(sqlite3.connect(file)) as db, db:
        for table, column in (("sessions", "head"), ("entries", "body"), ("outbox", "body")):
            for row, body in db.execute(f"SELECT rowid, {column} FROM {table}").fetchall():
                content = json.dumps(json.loads(body) | ADDED).encode()
                db.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (content, row))
        db.execute("CREATE TABLE later (x)")
        db.execute("ALTER TABLE sessions ADD COLUMN later")

    async with SqliteStore(file) as store:
        await check_all_is_read(store, release)


@newest
async def test_keys_and_kinds_that_a_later_version_adds_to_an_export_are_ignored(
    release: Generation, tmp_path: Path
) -> None:
    for export in release.exports:
        was, later = tmp_path / "was.json", tmp_path / "later.json"
        was.write_text(json.dumps(export))
        later.write_text(json.dumps(added_to(export)))
        business_id = BusinessId(export["businessId"])
        known, found = [
            [turn async for turn in exported_turns([file], business_id, since=None, limit=100)]
            for file in (was, later)
        ]

        assert found == known


def added_to(value: Any) -> Any:
    """Add what this version does not know to every object of an export, and to its logs."""
    if isinstance(value, dict):
        # What an action has is the client's, and a call's arguments are the tool's.
        free = ("actions", "arguments")
        changed = {key: each if key in free else added_to(each) for key, each in value.items()}
        changed |= ADDED
        if isinstance(value.get("messages"), list):
            changed["messages"].append({"kind": "of a later version", "seq": 999})
        return changed
    return [added_to(each) for each in value] if isinstance(value, list) else value
