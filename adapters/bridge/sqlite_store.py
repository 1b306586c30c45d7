"""The bridge's store: SQLite in a file or in memory, used by one thread."""

import asyncio
import logging
import re
import sqlite3
import unicodedata
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from hashlib import blake2s
from pathlib import Path
from time import monotonic
from typing import Any, Self, TypeVar

import msgspec

from adapters.private_file import check_not_replaced, make_private
from application.bridge.ports import (
    WAITS_KEPT,
    BridgeStore,
    Change,
    ChatCounts,
    ChatPage,
    ChatView,
    Listing,
    ReplyBody,
    ai_transcript_key,
    live_transcript_key,
)
from domain.bridge.live_chat import ChatMessage, LiveChat, Note
from domain.errors import InvalidPayload, StorageUnavailable, StoreMigrated
from domain.identity import IDEMPOTENCY_WINDOW, BusinessId, Customer, SessionId, UserId
from domain.status import Status

logger = logging.getLogger(__name__)

T = TypeVar("T")

BUSY_TIMEOUT_S = 5.0
_WINDOW_MS = IDEMPOTENCY_WINDOW // timedelta(milliseconds=1)
_PRUNED_AT_ONCE = 2
"""The number of expired keys that each new one removes: enough to keep up, and never slow."""

IN_MEMORY = ":memory:"
"""The path of a store that loses everything when it is closed."""
SEARCH_MODULE = "fts5"
MAX_QUERY_WORDS = 8
"""The words of a query that count; those after them do not."""
_MAX_TERM = 40
"""The characters of a word that count."""
_TERMS_SHIFT = 32
_words_of = re.compile(r"[^\W_]+").findall
_cursor = re.compile(r"(-?\d{1,15}),(\d{1,15})").fullmatch

LONGEST_SEARCH_S = 0.25
_STEPS_BETWEEN_LOOKS = 10_000
_MARK = 12
"""The characters of the mark of a business, before each of its words."""

_encode = msgspec.json.Encoder().encode
_decode_chat = msgspec.json.Decoder(LiveChat).decode
_decode_message = msgspec.json.Decoder(ChatMessage).decode
_decode_note = msgspec.json.Decoder(Note).decode
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
# `active_at` is NULL only for a chat that cannot be read; `watched` is 1 for those that are watched
# alone. A row of `terms` has those of one message or note, or of a chat's user id; its rowid is the
# chat's number, shifted, and the number in `words`, 0 for the user id.
_BODY = "CASE WHEN json_valid(CAST(body AS TEXT)) THEN CAST(body AS TEXT) ELSE '{}' END"
_VERSION_4 = (
    "ALTER TABLE chats ADD COLUMN active_at INTEGER",
    "ALTER TABLE chats ADD COLUMN is_closed INTEGER",
    "ALTER TABLE chats ADD COLUMN watched INTEGER",
    f"""UPDATE chats SET
        active_at = round(
            (julianday(json_extract({_BODY}, '$.since')) - julianday('1970-01-01')) * 86400000),
        is_closed = coalesce(json_extract({_BODY}, '$.status') = 'closed', 0)""",
    "CREATE INDEX active_chats ON chats (business_id, active_at)",
    "CREATE INDEX active_chats_by_state ON chats (business_id, is_closed, active_at)",
    "CREATE INDEX active_chats_of_user ON chats (business_id, user_id, active_at)",
    "CREATE INDEX watched_chats ON chats (watched) WHERE watched IS NOT NULL",
    """CREATE VIRTUAL TABLE terms USING fts5
        (text, content = '', columnsize = 0, detail = none, tokenize = 'ascii')""",
)
_MIGRATIONS = (_VERSION_1, _VERSION_2, _VERSION_3, _VERSION_4)
VERSION = len(_MIGRATIONS)

_ORDERS = {
    Listing.OPEN: "waiting_since",
    Listing.MISSED: "missed_at DESC",
    Listing.ASKED: "asked_at DESC",
    Listing.WATCHED: "watched",
    Listing.PENDING: "wish_at",
}
"""The order of each listing, by a column that is set for its chats alone."""
_SAVE_CHAT = """INSERT INTO chats
    (session_id, business_id, user_id, waiting_since, wish_at, missed_at, asked_at, active_at,
        is_closed, watched, body)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (session_id) DO UPDATE SET
    waiting_since = excluded.waiting_since, wish_at = excluded.wish_at,
    missed_at = excluded.missed_at, asked_at = excluded.asked_at, active_at = excluded.active_at,
    is_closed = excluded.is_closed, watched = excluded.watched, body = excluded.body"""


class SqliteBridgeStore(BridgeStore):
    """The store in the file `path`; use it as `async with store:`. It survives a loss of power."""

    def __init__(self, path: str | Path = IN_MEMORY) -> None:
        self._path = Path(path).absolute() if path != IN_MEMORY else IN_MEMORY
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
        return await self._run(lambda: self._in_transaction(lambda: self._write(change)))

    async def erase(self, customer: Customer) -> tuple[LiveChat, ...]:
        bodies = await self._run(lambda: self._in_transaction(lambda: self._erase(customer)))
        await self._run(self._wipe)
        return self._decoded(bodies)

    async def chat(self, session_id: SessionId) -> LiveChat | None:
        return await self._one("SELECT body FROM chats WHERE session_id = ?", session_id)

    async def latest_chat(self, customer: Customer) -> LiveChat | None:
        sql = """SELECT body FROM chats WHERE business_id = ? AND user_id = ?
            ORDER BY number DESC LIMIT 1"""
        return await self._one(sql, *customer)

    async def chats(
        self,
        listing: Listing,
        business_id: BusinessId | None = None,
        user_id: UserId | None = None,
        limit: int | None = None,
    ) -> tuple[LiveChat, ...]:
        order = _ORDERS[listing]
        given = {"business_id": business_id, "user_id": user_id}
        whose = {column: value for column, value in given.items() if value is not None}
        sql = f"SELECT body FROM chats WHERE {order.split()[0]} IS NOT NULL"
        sql += "".join(f" AND {column} = ?" for column in whose)
        sql += f" ORDER BY {order}, number LIMIT ?"
        return await self._chats(sql, *whose.values(), -1 if limit is None else limit)

    async def page(
        self,
        business_id: BusinessId,
        view: ChatView,
        limit: int,
        *,
        query: str = "",
        user_id: UserId | None = None,
        cursor: str | None = None,
    ) -> ChatPage:
        sql, values = page_query(business_id, view, query, user_id, cursor)
        rows = await self._run(lambda: self._search(f"{sql} LIMIT ?", (*values, limit + 1)))
        more = len(rows) > limit
        active_at, number, _ = rows[limit - 1] if more else (0, 0, None)
        chats = self._decoded(body for _, _, body in rows[:limit])
        return ChatPage(chats, f"{active_at},{number}" if more else None)

    async def count_chats(self, business_id: BusinessId) -> ChatCounts:
        sql = """SELECT
            (SELECT count(*) FROM chats WHERE business_id = ?1 AND is_closed = 0),
            (SELECT count(*) FROM chats WHERE business_id = ?1 AND missed_at IS NOT NULL),
            (SELECT count(*) FROM chats WHERE business_id = ?1 AND asked_at IS NOT NULL)"""
        ((unclosed, missed, asked),) = await self._rows(sql, business_id)
        return ChatCounts(unclosed, missed, asked)

    async def recent_waits_s(self, business_id: BusinessId) -> tuple[float, ...]:
        rows = await self._rows(
            "SELECT wait_ms FROM waits WHERE business_id = ? ORDER BY number", business_id
        )
        return tuple(wait_ms / 1000 for (wait_ms,) in rows)

    async def recent_messages(self, transcript_key: str, limit: int) -> tuple[ChatMessage, ...]:
        return await self._recent(transcript_key, limit, _decode_message)

    async def recent_notes(self, session_id: SessionId, limit: int) -> tuple[Note, ...]:
        return await self._recent(_notes_key(session_id), limit, _decode_note)

    async def same_note(self, note: Note) -> Note | None:
        sql = "SELECT body FROM words WHERE place = ? AND message_id = ?"
        rows = await self._rows(sql, _notes_key(note.session_id), _note_id(note))
        return _decode_note(rows[0][0]) if rows else None

    async def stored_reply(self, key: str, now: datetime) -> ReplyBody | None:
        sql = "SELECT body FROM answers WHERE key = ? AND at > ?"
        rows = await self._rows(sql, key, _ms(now) - _WINDOW_MS)
        return _decode_reply(rows[0][0]) if rows else None

    # In the event loop.

    async def _one(self, sql: str, *values: object) -> LiveChat | None:
        rows = await self._rows(sql, *values)
        return _decode_chat(rows[0][0]) if rows else None

    async def _chats(self, sql: str, *values: object) -> tuple[LiveChat, ...]:
        return self._decoded(body for (body,) in await self._rows(sql, *values))

    def _decoded(self, bodies: Iterable[bytes]) -> tuple[LiveChat, ...]:
        """Return the chats that can be read; another one hides none of them."""
        found = []
        for body in bodies:
            try:
                found.append(_decode_chat(body))
            except (msgspec.MsgspecError, UnicodeDecodeError):
                logger.warning("A stored chat cannot be read", extra={"action": "unreadable_chat"})
        return tuple(found)

    async def _recent(self, place: str, limit: int, decode: Callable[[bytes], T]) -> tuple[T, ...]:
        sql = "SELECT body FROM words WHERE place = ? ORDER BY number DESC LIMIT ?"
        return tuple(decode(body) for (body,) in reversed(await self._rows(sql, place, limit)))

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
        before = None
        if isinstance(self._path, Path):
            make_private(self._path)
            before = self._path.stat()
        self._db = sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_S, isolation_level=None,
                                   check_same_thread=False)  # fmt: skip
        try:
            self._in_transaction(self._check_is_ours)  # before anything is changed
            self._db.execute("PRAGMA journal_mode = WAL")
            if isinstance(self._path, Path) and before is not None:
                check_not_replaced(self._path, before)
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA secure_delete = ON")  # erased content is overwritten
            modules = self._db.execute("SELECT name FROM pragma_module_list").fetchall()
            if (SEARCH_MODULE,) not in modules:
                raise StorageUnavailable(
                    f"SQLite {sqlite3.sqlite_version} has no {SEARCH_MODULE.upper()}, which the "
                    "bridge's search needs"
                )
            if self._known_version() < VERSION:
                self._in_transaction(self._migrate_to_newest)
        except BaseException:
            self._db.close()
            raise

    def _check_is_ours(self) -> None:
        version = self._known_version()
        if version == 0 and self._db.execute("SELECT 1 FROM sqlite_schema").fetchone():
            raise StorageUnavailable(f"{self._path} is the database of another program")

    def _migrate_to_newest(self) -> None:
        version = self._known_version()
        for statements in _MIGRATIONS[version:]:
            for statement in statements:
                self._db.execute(statement)
        if version < _MIGRATIONS.index(_VERSION_4) + 1:
            self._index_all()
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
            self._db.execute("COMMIT" if result is not False else "ROLLBACK")
        except BaseException:
            if self._db.in_transaction:  # a full disk, among others, has rolled it back already
                self._db.execute("ROLLBACK")
            raise
        return result

    def _search(self, sql: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        """Read a page, unless that takes too long: what is to be written waits meanwhile."""
        until = monotonic() + LONGEST_SEARCH_S
        self._db.set_progress_handler(lambda: monotonic() > until, _STEPS_BETWEEN_LOOKS)
        try:
            return self._db.execute(sql, values).fetchall()
        except sqlite3.OperationalError as error:
            if monotonic() < until:
                raise
            raise InvalidPayload("too much is found by these words: add another one") from error
        finally:
            self._db.set_progress_handler(None, 0)

    def _write(self, change: Change) -> bool:
        self._known_version()  # another process may have migrated it
        chat, message, note = change.chat, change.message, change.note
        if chat is not None:
            self._store_chat(chat)
            if change.waited_s is not None:
                self._store_wait(chat.customer.business_id, change.waited_s)
        if message is not None:
            session_id = chat.session_id if chat is not None else message.session_id
            place, message_id = change.transcript_key, message.message_id
            if not self._store_words(place, message_id, message, session_id):
                return False
        if note is not None:
            session_id, place = note.session_id, _notes_key(note.session_id)
            if not self._store_words(place, _note_id(note), note, session_id):
                return False
        if change.key is not None:
            self._store_reply(change.key, _ms(change.at), _encode(change.reply))
        return True

    def _store_words(
        self,
        place: str | None,
        entry_id: str,
        entry: ChatMessage | Note,
        session_id: SessionId | None,
    ) -> bool:
        """Store an entry, by whose words its chat is found; False: it is in this place already."""
        sql = "INSERT OR IGNORE INTO words (place, message_id, body) VALUES (?, ?, ?)"
        stored = self._db.execute(sql, (place, entry_id, _encode(entry)))
        if stored.rowcount and stored.lastrowid is not None:
            self._index(session_id, stored.lastrowid, entry.text)
        return bool(stored.rowcount)

    def _store_chat(self, chat: LiveChat) -> None:
        is_new = self._numbered(chat.session_id) is None
        self._db.execute(_SAVE_CHAT, _chat_row(chat))
        if is_new:
            self._index(chat.session_id, 0, chat.customer.user_id)

    def _numbered(self, session_id: SessionId | None) -> tuple[int, str] | None:
        """Return the number of a chat, and its business."""
        sql = "SELECT number, business_id FROM chats WHERE session_id = ?"
        found: tuple[int, str] | None = self._db.execute(sql, (session_id,)).fetchone()
        return found

    def _index(self, session_id: SessionId | None, number: int, text: str) -> None:
        """Have a chat found by the words of a text; an unknown chat cannot be."""
        chat = self._numbered(session_id)
        if chat is not None and (terms := _terms(chat[1], text)):
            row = (chat[0] << _TERMS_SHIFT | number, " ".join(terms))
            self._db.execute("INSERT INTO terms (rowid, text) VALUES (?, ?)", row)

    def _index_all(self) -> None:
        for session_id, user_id in self._db.execute("SELECT session_id, user_id FROM chats"):
            self._index(session_id, 0, user_id)
        for number, place, body in self._db.execute("SELECT number, place, body FROM words"):
            try:
                message = _decode_message(body)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                continue
            kind, _, named = place.partition(":")
            self._index(named if kind == "session" else message.session_id, number, message.text)

    def _erase(self, customer: Customer) -> list[bytes]:
        """Erase a customer's rows; return the bodies of the chats."""
        self._known_version()
        business_id, user_id = customer
        sql = "SELECT number, session_id, body FROM chats WHERE business_id = ? AND user_id = ?"
        chats = self._db.execute(sql, customer).fetchall()
        places = [live_transcript_key(customer)]
        for number, session_id, _ in chats:
            self._drop_terms(number << _TERMS_SHIFT, business_id, user_id)
            places += [ai_transcript_key(session_id), _notes_key(session_id)]
            self._db.execute("DELETE FROM answers WHERE instr(key, ?)", (f" {session_id} ",))
        for place in places:
            sql = "SELECT number, body FROM words WHERE place = ?"
            for number, body in self._db.execute(sql, (place,)).fetchall():
                text = str(_decode_reply(body).get("text"))
                for chat_number, _, _ in chats:  # a live message was in the newest one then
                    self._drop_terms(chat_number << _TERMS_SHIFT | number, business_id, text)
            self._db.execute("DELETE FROM words WHERE place = ?", (place,))
        self._db.execute("DELETE FROM chats WHERE business_id = ? AND user_id = ?", customer)
        return [body for _, _, body in chats]

    def _drop_terms(self, rowid: int, business_id: str, text: str) -> None:
        """Remove a row of `terms` if it is there: to remove another's words breaks the index."""
        terms = list(_terms(business_id, text))
        sql = "SELECT 1 FROM terms WHERE terms MATCH ? AND rowid = ?"
        if terms and self._db.execute(sql, (f'"{terms[0]}"', rowid)).fetchone():
            row = (rowid, " ".join(terms))
            self._db.execute("INSERT INTO terms (terms, rowid, text) VALUES ('delete', ?, ?)", row)

    def _wipe(self) -> None:
        """Leave nothing of what was erased in the file: neither words in the index, nor a log."""
        self._db.execute("INSERT INTO terms (terms) VALUES ('optimize')")
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

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


def _notes_key(session_id: SessionId) -> str:
    return f"notes:{session_id}"


def _note_id(note: Note) -> str:
    """Return what no other note of its conversation has: ids are their senders' choice."""
    kind = note.event.type if note.event is not None else ""
    return f"{note.coordinator_id} {kind} {note.note_id}"


def _terms(business_id: str, text: str) -> dict[str, None]:
    """Return the words of a text as they are found, each with a mark of its business.

    So a search reads the entries of its own business alone. Case and diacritics are dropped.
    """
    mark = blake2s(business_id.encode(), digest_size=_MARK // 2).hexdigest()
    bare = "".join(
        each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each)
    )
    return {mark + word[:_MAX_TERM]: None for word in _words_of(bare.casefold())}


def page_query(
    business_id: BusinessId, view: ChatView, query: str, user_id: UserId | None, cursor: str | None
) -> tuple[str, list[object]]:
    """Return the query of a page, and its values."""
    sql = "SELECT active_at, number, body FROM chats WHERE business_id = ?"
    values: list[object] = [business_id]
    if view is not ChatView.ALL:
        sql += " AND is_closed = ?"
        values.append(view is ChatView.HISTORY)
    if user_id is not None:
        sql += " AND user_id = ?"
        values.append(user_id)
    if cursor is not None:
        if (place := _cursor(cursor)) is None:
            raise InvalidPayload("cursor is none of this bridge's")
        sql += " AND (active_at, number) < (?, ?)"
        values += map(int, place.groups())
    if query:
        found = [f'"{term}"' for term in _terms(business_id, query)][:MAX_QUERY_WORDS]
        if not found:
            return "SELECT 0, 0, body FROM chats WHERE 0", []
        if len(found[-1]) > _MARK + 1 + len('""'):  # what begins with one letter is nearly all
            found[-1] += "*"
        for term in found:
            sql += f" AND number IN (SELECT rowid >> {_TERMS_SHIFT} FROM terms WHERE terms MATCH ?)"
            values.append(term)
    return f"{sql} ORDER BY active_at DESC, number DESC", values


def _chat_row(chat: LiveChat) -> tuple[object, ...]:
    waiting_since = _ms(chat.waiting_since or chat.since) if chat.is_open else None
    wish_at = _ms(chat.pending_commands[0].at) if chat.pending_commands else None
    missed_at = _ms(chat.missed.at) if chat.missed is not None else None
    asked = chat.confirmation if chat.is_asked else None
    asked_at = _ms(asked.at) if asked is not None else None
    times = (waiting_since, wish_at, missed_at, asked_at, _ms(chat.active_at))
    watched = 1 if chat.is_watched else None
    is_closed = chat.status is Status.CLOSED
    return (chat.session_id, *chat.customer, *times, is_closed, watched, _encode(chat))


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
