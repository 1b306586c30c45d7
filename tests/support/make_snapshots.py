"""The snapshots of the stories, and what they are expected to hold.

    python -m tests.support.make_snapshots [NAME]

writes those of the newest story, in the current stored format, to `tests/data`, where none of this
name exist: by default those of the release in pyproject.toml (`make snapshot`), which
`tests.support.snapshots` finds by itself.
"""

import asyncio
import json
import sqlite3
import sys
from contextlib import AsyncExitStack, closing
from datetime import date, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import msgspec

from adapters.bridge.sqlite_store import SqliteBridgeStore
from adapters.dynamodb.store import DynamoStore
from adapters.dynamodb.table import definition
from adapters.memory.store import MemoryStore
from adapters.sqlite.store import SqliteStore
from domain.notice import Lane
from domain.status import Status
from domain.usage import usage_in
from entrypoints.server.app import create_app
from entrypoints.server.container import Container
from entrypoints.settings import Settings
from tests.support.bridge_recorder import claim_all, drained, recording_bridge
from tests.support.bridge_story import TRANSCRIPT, changes
from tests.support.dynamodb import DYNAMODB_LOCAL, StoppedClock, started
from tests.support.server import running
from tests.support.snapshots import DATA, release_name
from tests.support.stored_json import (
    Json,
    counts_json,
    dead_letter_json,
    entry_json,
    head_json,
    time_json,
)
from tests.support.story import NOW, RELEASE_PLOT, Plot, Story, StoryClock

LATER = NOW + timedelta(hours=1)


async def played(plot: Plot) -> Story:
    """Play the story in memory."""
    story = Story(MemoryStore(), StoryClock())
    await plot.play(story)
    return story


async def expected_files(plot: Plot) -> dict[str, Any]:
    """Return the content of the expected files, from the story as it is played in memory.

    For each part it is played again, because claims and erasures change the store.
    """
    return {
        "expected": {
            "at": time_json(NOW),
            **await _sessions(plot),
            **await _listings(plot),
            **await _outbox(plot),
        },
        "deliveries": await _deliveries(plot),
        "export": await _exports(plot),
    }


async def _sessions(plot: Plot) -> Json:
    story, customers, sessions, keys, usage = await played(plot), [], [], [], {}
    store = story.store
    for who, key, at in story.keys:
        if (first := await store.stored(who, key, at)) is not None:  # unless it is erased
            stored = {"session_id": first.session_id, "seq": first.seq, "status": first.status}
            keys.append({"customer": list(who), "key": key, **stored, "at": time_json(at)})
    for who in plot.customers:
        ids = []
        for session in (await store.list_sessions(customer=who, limit=100)).sessions:
            ids.append(session.session_id)
            log = await store.page(session.session_id, limit=100)
            sessions.append({"head": head_json(session), "log": [entry_json(each) for each in log]})
        days = await store.counts(who.business_id, date.min, date.max)
        usage[who.business_id] = {
            day.isoformat(): counts_json(usage_in(each)) for day, each in days.items()
        }
        erased = await store.erase(who)
        counts = [erased.sessions, erased.messages, erased.notices]
        customers.append({"customer": list(who), "sessions": ids, "erased": counts})
    return {
        "erased_session": story.erased,
        "customers": customers,
        "sessions": sessions,
        "keys": keys,
        "usage": usage,
    }


async def _listings(plot: Plot) -> Json:
    store, listings, due = (await played(plot)).store, [], []
    for business_id in (None, *dict.fromkeys(who.business_id for who in plot.customers)):
        for status in (None, *Status):
            page = await store.list_sessions(business_id=business_id, status=status, limit=100)
            listed = [each.session_id for each in page.sessions]
            listings.append({"business_id": business_id, "status": status, "sessions": listed})
    for at in (NOW, NOW + timedelta(minutes=15), NOW + timedelta(days=2)):
        found = await store.due(at, 100)
        due.append({"at": time_json(at), "sessions": [each.session_id for each in found]})
    return {"listings": listings, "due": due}


async def _outbox(plot: Plot) -> Json:
    store = (await played(plot)).store
    depth, letters = await store.depth(), []
    async with recording_bridge(LATER) as deliver:
        for letter in await store.dead(100):
            delivery = _readable(await deliver(letter.notice))
            letters.append({**dead_letter_json(letter), "delivery": delivery})
    claimed = await claim_all(store, NOW)
    claimable = [{"id": each.notice_id, "attempts": each.attempts} for each in claimed]
    return {"undelivered": depth, "dead_letters": letters, "claimable": claimable}


async def _deliveries(plot: Plot) -> Json:
    sent = await drained((await played(plot)).store, LATER)
    deliveries: dict[str, list[Json]] = {}
    for lane in Lane:
        for (session_id, of_lane), received in sent.items():
            if of_lane is lane:
                deliveries.setdefault(session_id, []).extend(map(_readable, received))
    return deliveries


def _readable(received: Json) -> Json:
    """Return what was received with its body decoded."""
    kept = {name: part for name, part in received.items() if name != "type"}
    return kept | {"body": json.loads(received["body"])}


async def _exports(plot: Plot) -> list[Json]:
    settings = Settings(store="memory")
    container = Container(settings=settings)
    container.clock.override(StoppedClock(NOW))
    container.store.override((await played(plot)).store)
    async with (
        running(create_app(settings, container)) as address,
        httpx.AsyncClient(base_url=f"http://{address}") as api,
    ):
        answers = [
            await api.get(f"/api/users/{who.business_id}/{who.user_id}/export")
            for who in plot.customers
        ]
    return [answer.json() for answer in answers]


# The snapshots.


async def sqlite_dump() -> str:
    """Return the story's SQLite store as SQL text, with its JSON readable."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "story.sqlite3"
        async with SqliteStore(file) as store:
            await RELEASE_PLOT.play(Story(store, StoryClock()))
        return _dump(file)


def _dump(file: Path) -> str:
    with closing(sqlite3.connect(file)) as db:
        dump = "".join(f"{statement};\n" for statement in _statements(db))
        with closing(sqlite3.connect(":memory:")) as again:
            again.executescript(dump)
            assert _statements(again) == _statements(db)
    return dump


def _statements(db: sqlite3.Connection) -> list[str]:
    schema = db.execute("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
    objects = schema.fetchall()
    virtual = [name for _, name, sql in objects if sql.startswith("CREATE VIRTUAL")]
    # Of a virtual table SQLite makes the tables that hold its rows, and puts some rows into them.
    made = [name for _, name, _ in objects if any(name.startswith(f"{each}_") for each in virtual)]
    rows = [
        f"INSERT INTO {name} VALUES ({', '.join(map(_literal, row))})"
        for kind, name, _ in objects
        if kind == "table" and name not in virtual
        for row in db.execute(f"SELECT * FROM {name}")
    ]
    (version,) = db.execute("PRAGMA user_version").fetchone()
    tables = [sql for _, name, sql in objects if name not in made]
    empty = [f"DELETE FROM {name}" for name in made]
    return ["BEGIN", *tables, *empty, *rows, f"PRAGMA user_version = {version}", "COMMIT"]


def _literal(value: object) -> str:
    if isinstance(value, bytes) and value[:1] not in (b"{", b"["):
        return f"x'{value.hex()}'"  # of the index of words
    if isinstance(value, bytes):
        return f"CAST({_literal(value.decode())} AS BLOB)"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return "NULL" if value is None else str(value)


async def dynamodb_items() -> Json:
    """Return the definition and the items of the story's DynamoDB table."""
    engine, clock, table = started(DYNAMODB_LOCAL), StoryClock(), "story"
    schema = definition(table)
    engine.call("CreateTable", **schema)
    async with AsyncExitStack() as stack:
        store, retaining = [
            await stack.enter_async_context(
                DynamoStore(
                    table,
                    endpoint_url=engine.url,
                    clock=clock,
                    jitter=Random(1).random,
                    retention_days=days,
                )
            )
            for days in (0, 30)
        ]
        await RELEASE_PLOT.play(Story(store, clock, retaining))
    items = sorted(engine.items(table), key=lambda item: (item["PK"]["S"], item["SK"]["S"]))
    return {
        "table": {name: part for name, part in schema.items() if name != "TableName"},
        "items": [dict(sorted(item.items())) for item in items],
    }


async def bridge_dump() -> str:
    """Return the reference bridge's SQLite store as SQL text."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "bridge.sqlite3"
        async with SqliteBridgeStore(file) as store:
            for change in changes():
                assert await store.save(change)
        return _dump(file)


def bridge_content() -> Json:
    """Return what a bridge's store holds after its story, from the values in memory."""
    story = changes()
    content: Json = msgspec.to_builtins(
        {
            "chats": [change.chat for change in story if change.chat is not None],
            "messages": {TRANSCRIPT: [change.message for change in story if change.message]},
            "notes": [change.note for change in story if change.note is not None],
            "waits_s": [change.waited_s for change in story if change.waited_s is not None],
            "replies": {change.key: change.reply for change in story if change.key is not None},
        }
    )
    return content


async def make(name: str) -> None:
    """Write all files of this name."""
    parts = {
        **await expected_files(RELEASE_PLOT),
        "dynamodb": await dynamodb_items(),
        "bridge": bridge_content(),
    }
    files = {
        f"{name}.{part}.json": json.dumps(content, ensure_ascii=False, indent=1) + "\n"
        for part, content in parts.items()
    }
    files |= {f"{name}.sql": await sqlite_dump(), f"{name}.bridge.sql": await bridge_dump()}
    for file, content in files.items():
        with (DATA / file).open("x") as new:
            new.write(content)


if __name__ == "__main__":
    asyncio.run(make(*sys.argv[1:] or [release_name()]))
