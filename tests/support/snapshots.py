"""The snapshots of stored data in `tests/data`, and fresh copies of them in stores."""

import json
import sqlite3
import tomllib
from base64 import b64decode
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from adapters.sqlite.file import open_writer
from adapters.sqlite.store import SqliteStore
from application.ports import Store
from domain.notice import Lane
from tests.support.bridge_recorder import Queue, call
from tests.support.dynamodb import Engine, dynamo_store, engine
from tests.support.stored_json import Json

DATA = Path(__file__).parents[1] / "data"


def data(name: str) -> Any:
    """Return the content of a JSON file in `tests/data`.

    Topics are as the bridge's interface has them since: a `:` in a business's id is escaped.
    """
    return json.loads((DATA / name).read_text().replace('"chat:hotel:2:', '"chat:hotel%3A2:'))


def at(text: str) -> datetime:
    """Parse a timestamp of those files."""
    return datetime.fromisoformat(text)


class Generation:
    """The snapshots of one version of the stored format, and what they are expected to hold."""

    def __init__(self, number: int, name: str = "") -> None:
        """`number`: of the generation, the first being 1; `name`: that of a release's."""
        name = name or ("conversations" if number == 1 else f"conversations-{number}")
        self.name = name
        self.expected: Json = data(f"{name}.expected.json")
        self.deliveries: dict[str, list[Json]] = data(f"{name}.deliveries.json")
        self.exports: list[Json] = data(f"{name}.export.json")
        """As the API shows since: every entry is for everybody, and follows the one before. Nobody
        had a language, no claim was judged, and nobody was asked to leave a message."""
        for conversation in [each for export in self.exports for each in export["conversations"]]:
            if number < 3:
                conversation["conversation"] |= {"language": None, "missed": None}
                conversation["messages"] = list(map(_with_readers, conversation["messages"]))
            if number < 4:
                self._add_what_a_replay_needs(conversation)
                conversation["conversation"] |= {"confirmation": None}
                for entry in conversation["messages"]:
                    entry |= {"write": None} if entry["kind"] == "message" else {}
            if number < 5:
                conversation["conversation"] |= {"rating": None}

    def __repr__(self) -> str:
        return self.name

    def _add_what_a_replay_needs(self, conversation: Json) -> None:
        """Add what is shown of messages since, and was stored then, to those of an export."""
        session_id = conversation["conversation"]["sessionId"]
        (log,) = [
            each["log"]
            for each in self.expected["sessions"]
            if each["head"]["session_id"] == session_id
        ]
        for shown, stored in zip(conversation["messages"], log, strict=True):
            if shown["kind"] == "message":
                shown["digestThrough"] = (stored["digest"] or {}).get("through")
                shown["language"] = stored.get("language")
                shown["version"] = None

    @property
    def now(self) -> datetime:
        """The time at which the snapshots were taken."""
        return at(self.expected["at"])

    @property
    def later(self) -> datetime:
        """A time after every lease and retry delay in them."""
        return self.now + timedelta(hours=1)

    def queues(self) -> dict[Queue, list[Json]]:
        """Return what the bridge must receive, by session and lane, and in order."""
        queues: dict[Queue, list[Json]] = {}
        for session_id, deliveries in self.deliveries.items():
            for each in deliveries:
                delivery = {"id": each["id"], "attempts": each["attempts"], **call(each)}
                queues.setdefault((session_id, lane_of(delivery)), []).append(delivery)
        return queues


def _with_readers(entry: Json) -> Json:
    kind, seq, *others = entry.items()
    shown = dict([kind, seq, ("prevSeq", entry["seq"] - 1), *others])
    if entry["kind"] == "status":
        return shown
    own = ("model", "usage", "tools", "digest")
    said = {key: value for key, value in shown.items() if key not in own}
    return said | {"audience": "all"} | {key: entry[key] for key in own} | {"verdict": None}


def lane_of(delivery: Json) -> Lane:
    """Return the lane of what the bridge has received."""
    is_rating = '"type":"rating"' in delivery["body"]
    is_report = is_rating or delivery.get("path") in ("/api/ai-conversation", "/api/ai-context")
    return Lane.REPORTS if is_report else Lane.PEOPLE


FIRST = Generation(1)
"""Notices in one queue per session; in DynamoDB in a linked list."""
SECOND = Generation(2)
"""Notices in lanes; in DynamoDB with markers."""
THIRD = Generation(3)
"""Messages left where nobody can meet a request, searches, verdicts, languages."""
FOURTH = Generation(4)
"""Calls of tools that change something, questions for a yes, versions of answers."""
FIFTH = Generation(5)
"""Ratings."""


def release_name() -> str:
    """Return the name of the snapshots of the release in pyproject.toml."""
    project = tomllib.loads((DATA.parents[1] / "pyproject.toml").read_text())["project"]
    return f"release-{project['version']}"


RELEASES = tuple(
    Generation(6, file.name.removesuffix(".expected.json"))
    for file in sorted(DATA.glob("release-*.expected.json"))
)
"""What each release has stored when it came out."""
GENERATIONS = (FIRST, SECOND, THIRD, FOURTH, FIFTH, *RELEASES)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A fresh copy of a snapshot, in a store of its kind."""

    open: Callable[[datetime], AbstractAsyncContextManager[Store]]
    """Open the store with its clock stopped at the given time."""
    settings: Json
    """The settings of a server that uses the store."""
    content: Callable[[], bytes]
    """Read everything that is stored, as raw bytes."""


def restored(name: str, path: Path) -> Path:
    """Create a database file from an SQL dump."""
    with closing(sqlite3.connect(path)) as db:
        db.executescript((DATA / name).read_text())
    return path


def sqlite_snapshot(generation: Generation, folder: Path) -> Snapshot:
    """Restore a generation's SQLite store."""
    file = restored(f"{generation.name}.sql", folder / "conversations.sqlite3")
    return Snapshot(
        lambda now: SqliteStore(file),
        {"store": "sqlite", "sqlite_path": str(file)},
        file.read_bytes,
    )


def restored_table(running: Engine, table: str, generation: Generation) -> str:
    """Create a table of this name with a generation's items, and return the name."""
    stored = data(f"{generation.name}.dynamodb.json")
    running.call("CreateTable", **stored["table"], TableName=table)
    puts = [{"PutRequest": {"Item": item}} for item in stored["items"]]
    for start in range(0, len(puts), 25):
        running.call("BatchWriteItem", RequestItems={table: puts[start : start + 25]})
    return table


def dynamodb_snapshot(generation: Generation, name: str, table: str) -> Snapshot:
    """Restore a generation's DynamoDB table in the engine of this name."""
    running = engine(name)
    restored_table(running, table, generation)
    settings = {
        "store": "dynamodb",
        "dynamodb_table": table,
        "dynamodb_endpoint_url": running.url,
    }
    return Snapshot(
        lambda now: dynamo_store(running.url, table, now),
        settings,
        lambda: _content(running, table),
    )


def _content(running: Engine, table: str) -> bytes:
    values = [value for item in running.items(table) for value in item.values()]
    return b"\n".join(
        b64decode(value["B"]) if "B" in value else str(value).encode() for value in values
    )


def empty_database(folder: Path) -> None:
    """Make the database of a server that has begun in a folder, and has no conversations."""
    (folder / "data").mkdir(exist_ok=True)
    file = folder / "data/conversations.sqlite3"
    open_writer(file, synchronous="NORMAL", busy_timeout_s=5).close()
