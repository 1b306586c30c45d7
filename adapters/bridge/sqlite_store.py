"""The bridge's persistent store: SQLite in a file, used by one thread."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self, TypeVar

import msgspec

from adapters.private_file import make_private
from application.bridge.ports import WAITS_KEPT, BridgeStore, Change, ReplyBody
from domain.bridge.live_chat import ChatMessage, LiveChat
from domain.errors import StorageUnavailable, StoreMigrated
from domain.identity import IDEMPOTENCY_WINDOW, BusinessId, Customer, SessionId, UserId

logger = logging.getLogger(__name__)

T = TypeVar("T")

BUSY_TIMEOUT_S = 5.0
_WINDOW_MS = IDEMPOTENCY_WINDOW // timedelta(milliseconds=1)
_PRUNED_AT_ONCE = 2
"""The number of expired keys that each new one removes: enough to keep up, and never slow."""

_encode = msgspec.json.Encoder().encode
_decode_chat = msgspec.json.Decoder(LiveChat).decode
_decode_message = msgspec.json.Decoder(ChatMessage).decode
_decode_reply = msgspec.json.Decoder(dict[str, Any]).decode

# Times are in ms. `waiting_since` is set for open chats alone, `wish_at` (the time of the first
# pending command) for those that have one: the indexes hold no others, so that a listing costs what
# it shows, however many chats have been closed. A `place` is a transcript key.
_VERSION_1 = (
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
)
# `missed_at` is set for chats with a missed message alone.
_VERSION_2 = (
    "ALTER TABLE chats ADD COLUMN missed_at INTEGER",
    """CREATE INDEX missed_chats ON chats (business_id, missed_at)
        WHERE missed_at IS NOT NULL""",
    """CREATE TABLE waits (
        number INTEGER PRIMARY KEY,
        business_id TEXT NOT NULL,
        wait_ms INTEGER NOT NULL
    )""",
    "CREATE INDEX waits_of_business ON waits (business_id, number)",
)
# `asked_at` is set for chats that are asked for a yes alone.
_VERSION_3 = (
    "ALTER TABLE chats ADD COLUMN asked_at INTEGER",
    """CREATE INDEX asked_chats ON chats (business_id, asked_at)
        WHERE asked_at IS NOT NULL""",
)
_MIGRATIONS = (_VERSION_1, _VERSION_2, _VERSION_3)
VERSION = len(_MIGRATIONS)

_SAVE_CHAT = """INSERT INTO chats
    (session_id, business_id, user_id, waiting_since, wish_at, missed_at, asked_at, body)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (session_id) DO UPDATE SET
    waiting_since = excluded.waiting_since, wish_at = excluded.wish_at,
    missed_at = excluded.missed_at, asked_at = excluded.asked_at, body = excluded.body"""


class SqliteBridgeStore(BridgeStore):
    """The store in the file `path`; use it as `async with store:`. It survives a loss of power."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path).absolute()
        self._executor: ThreadPoolExecutor | None = None

    def __repr__(self) -> str:
        return f"<SqliteBridgeStore {self._path}>"

    async def __aenter__(self) -> Self:
        """Open or create the file. Raises: StorageUnavailable, with the reason."""
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=str(self._path))
        try:
            await self._run(self._open)
        except BaseException:
            self._stop()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Finish the work in progress and close the file, which folds its log in."""
        await self._run(lambda: self._db.close())
        self._stop()

    async def save(self, change: Change) -> bool:
        return await self._run(lambda: self._save(change))

    async def chat(self, session_id: SessionId) -> LiveChat | None:
        return await self._one("SELECT body FROM chats WHERE session_id = ?", session_id)

    async def latest_chat(self, customer: Customer) -> LiveChat | None:
        sql = """SELECT body FROM chats WHERE business_id = ? AND user_id = ?
            ORDER BY number DESC LIMIT 1"""
        return await self._one(sql, *customer)

    async def open_chats(self, business_id: BusinessId) -> tuple[LiveChat, ...]:
        sql = """SELECT body FROM chats WHERE business_id = ? AND waiting_since IS NOT NULL
            ORDER BY waiting_since, number"""
        return await self._chats(sql, business_id)

    async def missed_chats(
        self, business_id: BusinessId, limit: int, *, user_id: UserId | None = None
    ) -> tuple[LiveChat, ...]:
        is_theirs, whose = ("AND user_id = ?", (user_id,)) if user_id is not None else ("", ())
        sql = f"""SELECT body FROM chats WHERE business_id = ? AND missed_at IS NOT NULL {is_theirs}
            ORDER BY missed_at DESC, number LIMIT ?"""
        return await self._chats(sql, business_id, *whose, limit)

    async def asked_chats(self, business_id: BusinessId, limit: int) -> tuple[LiveChat, ...]:
        sql = """SELECT body FROM chats WHERE business_id = ? AND asked_at IS NOT NULL
            ORDER BY asked_at DESC, number LIMIT ?"""
        return await self._chats(sql, business_id, limit)

    async def recent_waits_s(self, business_id: BusinessId) -> tuple[float, ...]:
        rows = await self._rows(
            "SELECT wait_ms FROM waits WHERE business_id = ? ORDER BY number", business_id
        )
        return tuple(wait_ms / 1000 for (wait_ms,) in rows)

    async def chats_with_pending_commands(self) -> tuple[LiveChat, ...]:
        return await self._chats(
            "SELECT body FROM chats WHERE wish_at IS NOT NULL ORDER BY wish_at, number"
        )

    async def recent_messages(self, transcript_key: str, limit: int) -> tuple[ChatMessage, ...]:
        sql = "SELECT body FROM words WHERE place = ? ORDER BY number DESC LIMIT ?"
        rows = await self._rows(sql, transcript_key, limit)
        return tuple(_decode_message(body) for (body,) in reversed(rows))

    async def stored_reply(self, key: str, now: datetime) -> ReplyBody | None:
        sql = "SELECT body FROM answers WHERE key = ? AND at > ?"
        rows = await self._rows(sql, key, _ms(now) - _WINDOW_MS)
        return _decode_reply(rows[0][0]) if rows else None

    # In the event loop.

    async def _one(self, sql: str, *values: object) -> LiveChat | None:
        rows = await self._rows(sql, *values)
        return _decode_chat(rows[0][0]) if rows else None

    async def _chats(self, sql: str, *values: object) -> tuple[LiveChat, ...]:
        """Return the chats that can be read; another one hides none of them."""
        found = []
        for (body,) in await self._rows(sql, *values):
            try:
                found.append(_decode_chat(body))
            except (msgspec.MsgspecError, UnicodeDecodeError):
                logger.warning("A stored chat cannot be read", extra={"action": "unreadable_chat"})
        return tuple(found)

    async def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return await self._run(lambda: self._db.execute(sql, values).fetchall())

    async def _run(self, work: Callable[[], T]) -> T:
        """Run the work in the thread; cancelling the caller does not stop it."""
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
        make_private(self._path)
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
        version = self._known_version()
        if version == 0 and self._db.execute("SELECT 1 FROM sqlite_schema").fetchone():
            raise StorageUnavailable(f"{self._path} is the database of another program")
        if version < VERSION:
            self._in_transaction(self._migrate_to_newest)

    def _migrate_to_newest(self) -> None:
        for statements in _MIGRATIONS[self._known_version() :]:
            for statement in statements:
                self._db.execute(statement)
        self._db.execute(f"PRAGMA user_version = {VERSION}")

    def _known_version(self) -> int:
        """Return the schema's version. Raises: StoreMigrated, where it is a later program's."""
        version: int = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise StoreMigrated(
                f"{self._path} has schema version {version}; this program knows up to {VERSION}"
            )
        return version

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
        self._known_version()  # another process may have migrated it
        if change.message is not None:
            row = (change.transcript_key, change.message.message_id, _encode(change.message))
            sql = "INSERT OR IGNORE INTO words (place, message_id, body) VALUES (?, ?, ?)"
            if self._db.execute(sql, row).rowcount == 0:
                return False
        if change.chat is not None:
            self._db.execute(_SAVE_CHAT, _chat_row(change.chat))
            if change.waited_s is not None:
                self._store_wait(change.chat.customer.business_id, change.waited_s)
        if change.key is not None:
            self._store_reply(change.key, _ms(change.at), _encode(change.reply))
        return True

    def _store_wait(self, business_id: BusinessId, waited_s: float) -> None:
        row = (business_id, round(waited_s * 1000))
        self._db.execute("INSERT INTO waits (business_id, wait_ms) VALUES (?, ?)", row)
        self._db.execute(
            """DELETE FROM waits WHERE business_id = ? AND number <=
                (SELECT number FROM waits WHERE business_id = ?
                    ORDER BY number DESC LIMIT 1 OFFSET ?)""",
            (business_id, business_id, WAITS_KEPT),
        )

    def _store_reply(self, key: str, at: int, reply: bytes) -> None:
        sql = "INSERT OR REPLACE INTO answers (key, at, body) VALUES (?, ?, ?)"
        self._db.execute(sql, (key, at, reply))
        self._db.execute(
            """DELETE FROM answers WHERE rowid IN
                (SELECT rowid FROM answers WHERE at <= ? ORDER BY at LIMIT ?)""",
            (at - _WINDOW_MS, _PRUNED_AT_ONCE),
        )


def _chat_row(chat: LiveChat) -> tuple[object, ...]:
    waiting_since = _ms(chat.waiting_since or chat.since) if chat.is_open else None
    wish_at = _ms(chat.pending_commands[0].at) if chat.pending_commands else None
    missed_at = _ms(chat.missed.at) if chat.missed is not None else None
    asked = chat.confirmation if chat.is_asked else None
    asked_at = _ms(asked.at) if asked is not None else None
    times = (waiting_since, wish_at, missed_at, asked_at)
    return (chat.session_id, *chat.customer, *times, _encode(chat))


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
