"""The bridge's store that survives its process: SQLite in a file, used by one thread."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, Self, TypeVar

import msgspec

from application.bridge.ports import KEYS_LIVE_S, Answer, BridgeStore, Change
from domain.bridge.live_chat import LiveChat, Words
from domain.errors import StorageUnavailable
from domain.identity import BusinessId, Customer, SessionId

T = TypeVar("T")

BUSY_TIMEOUT_S = 5.0
_PRUNED_AT_ONCE = 2
"""Expired keys that go for each that comes: that keeps up, and never takes long."""

_encode = msgspec.json.Encoder().encode
_decode_chat = msgspec.json.Decoder(LiveChat).decode
_decode_words = msgspec.json.Decoder(Words).decode
_decode_answer = msgspec.json.Decoder(dict[str, Any]).decode

VERSION = 1
# Times are in ms. `waiting_since` and `wish_at` are those of chats that wait, live, or wish: the
# indexes hold no others, so that a listing costs what it shows, whatever has been closed.
_SCHEMA = (
    """CREATE TABLE chats (
        number INTEGER PRIMARY KEY,
        session_id TEXT NOT NULL UNIQUE,
        business_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        waiting_since INTEGER,
        wish_at INTEGER,
        body BLOB NOT NULL
    )""",
    "CREATE INDEX chats_of_customer ON chats (business_id, user_id, number)",
    """CREATE INDEX open_chats ON chats (business_id, waiting_since)
        WHERE waiting_since IS NOT NULL""",
    "CREATE INDEX wishing_chats ON chats (wish_at) WHERE wish_at IS NOT NULL",
    """CREATE TABLE words (
        number INTEGER PRIMARY KEY,
        place TEXT NOT NULL,
        message_id TEXT NOT NULL,
        body BLOB NOT NULL,
        UNIQUE (place, message_id)
    )""",
    "CREATE INDEX words_of_place ON words (place, number)",
    """CREATE TABLE answers (
        key TEXT NOT NULL UNIQUE,
        at INTEGER NOT NULL,
        body BLOB NOT NULL
    )""",
    "CREATE INDEX answers_by_age ON answers (at)",
    f"PRAGMA user_version = {VERSION}",
)
_SAVE_CHAT = """INSERT INTO chats (session_id, business_id, user_id, waiting_since, wish_at, body)
    VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (session_id) DO UPDATE SET
    waiting_since = excluded.waiting_since, wish_at = excluded.wish_at, body = excluded.body"""


class SqliteBridgeStore(BridgeStore):
    """The file `path`; use it as `async with store:`. What is saved survives a loss of power."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path).absolute()
        self._executor: ThreadPoolExecutor | None = None

    def __repr__(self) -> str:
        return f"<SqliteBridgeStore {self._path}>"

    async def __aenter__(self) -> Self:
        """Open the file, or make it. Raises: StorageUnavailable, saying what is wrong with it."""
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=str(self._path))
        try:
            await self._run(self._open)
        except BaseException:
            self._stop()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Finish what was begun. The log is folded into the file."""
        await self._run(lambda: self._db.close())
        self._stop()

    async def save(self, change: Change) -> bool:
        return await self._run(lambda: self._save(change))

    async def chat(self, session_id: SessionId) -> LiveChat | None:
        return await self._one("SELECT body FROM chats WHERE session_id = ?", session_id)

    async def latest(self, customer: Customer) -> LiveChat | None:
        sql = """SELECT body FROM chats WHERE business_id = ? AND user_id = ?
            ORDER BY number DESC LIMIT 1"""
        return await self._one(sql, *customer)

    async def open_chats(self, business_id: BusinessId) -> tuple[LiveChat, ...]:
        sql = """SELECT body FROM chats WHERE business_id = ? AND waiting_since IS NOT NULL
            ORDER BY waiting_since, number"""
        return await self._chats(sql, business_id)

    async def wishing(self) -> tuple[LiveChat, ...]:
        return await self._chats(
            "SELECT body FROM chats WHERE wish_at IS NOT NULL ORDER BY wish_at, number"
        )

    async def recent(self, place: str, limit: int) -> tuple[Words, ...]:
        sql = "SELECT body FROM words WHERE place = ? ORDER BY number DESC LIMIT ?"
        rows = await self._rows(sql, place, limit)
        return tuple(_decode_words(body) for (body,) in reversed(rows))

    async def answer(self, key: str, now: datetime) -> Answer | None:
        sql = "SELECT body FROM answers WHERE key = ? AND at > ?"
        rows = await self._rows(sql, key, _ms(now) - round(KEYS_LIVE_S * 1000))
        return _decode_answer(rows[0][0]) if rows else None

    # In the event loop.

    async def _one(self, sql: str, *values: object) -> LiveChat | None:
        chats = await self._chats(sql, *values)
        return chats[0] if chats else None

    async def _chats(self, sql: str, *values: object) -> tuple[LiveChat, ...]:
        return tuple(_decode_chat(body) for (body,) in await self._rows(sql, *values))

    async def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return await self._run(lambda: self._db.execute(sql, values).fetchall())

    async def _run(self, work: Callable[[], T]) -> T:
        """Do the work in the thread; whoever stops waiting for it does not stop it."""
        if self._executor is None:
            raise StorageUnavailable(f"{self._path} is not open")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, work)
        except (sqlite3.Error, OSError) as error:
            raise StorageUnavailable(f"{self._path}: {error}") from error

    def _stop(self) -> None:
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown()

    # In the thread.

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_S, isolation_level=None,
                                   check_same_thread=False)  # fmt: skip
        try:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._migrate()
        except BaseException:
            self._db.close()
            raise

    def _migrate(self) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise StorageUnavailable(
                f"{self._path} has schema version {version}; this program knows up to {VERSION}"
            )
        if version == 0 and self._db.execute("SELECT 1 FROM sqlite_schema").fetchone():
            raise StorageUnavailable(f"{self._path} is the database of another program")
        if version < VERSION:
            self._in_transaction(lambda: [self._db.execute(statement) for statement in _SCHEMA])

    def _in_transaction(self, work: Callable[[], T]) -> T:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            result = work()
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # a full disk, among others, has rolled it back already
                self._db.execute("ROLLBACK")
            raise
        return result

    def _save(self, change: Change) -> bool:
        return self._in_transaction(lambda: self._write(change))

    def _write(self, change: Change) -> bool:
        if change.words is not None:
            row = (change.place, change.words.message_id, _encode(change.words))
            sql = "INSERT OR IGNORE INTO words (place, message_id, body) VALUES (?, ?, ?)"
            if self._db.execute(sql, row).rowcount == 0:
                return False
        if change.chat is not None:
            self._db.execute(_SAVE_CHAT, _chat_row(change.chat))
        if change.key is not None:
            self._remember(change.key, _ms(change.at), _encode(change.answer))
        return True

    def _remember(self, key: str, at: int, answer: bytes) -> None:
        sql = "INSERT OR REPLACE INTO answers (key, at, body) VALUES (?, ?, ?)"
        self._db.execute(sql, (key, at, answer))
        self._db.execute(
            """DELETE FROM answers WHERE rowid IN
                (SELECT rowid FROM answers WHERE at <= ? ORDER BY at LIMIT ?)""",
            (at - round(KEYS_LIVE_S * 1000), _PRUNED_AT_ONCE),
        )


def _chat_row(chat: LiveChat) -> tuple[object, ...]:
    waiting_since = _ms(chat.waiting_since or chat.since) if chat.is_open else None
    wish_at = _ms(chat.wishes[0].at) if chat.wishes else None
    return (chat.session_id, *chat.customer, waiting_since, wish_at, _encode(chat))


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
