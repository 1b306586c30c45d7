"""The store on SQLite: a file, which one thread writes in groups."""

import logging
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from heapq import nlargest
from pathlib import Path
from time import monotonic
from typing import Any, Literal, Self, TypeVar

import msgspec
from msgspec.structs import replace

from adapters.sqlite import retention
from adapters.sqlite.batch_worker import BatchWorker
from adapters.sqlite.file import (
    PROMOTE,
    known_version,
    open_reader,
    open_writer,
    touch,
    transaction,
    truncate_log,
)
from adapters.stored_notices import notice_from
from application.page_cursor import decode_cursor, encode_cursor
from application.ports import (
    RECENT,
    Backlog,
    Erased,
    Loaded,
    OnStoreRequest,
    SessionPage,
    Store,
)
from domain.errors import DuplicateMessage, SeqTaken, StorageUnavailable
from domain.identity import IDEMPOTENCY_WINDOW, BusinessId, Customer, SessionId
from domain.message import Entry, Message, StatusChange
from domain.notice import DeadLetter, Deferred, Delivered, Lane, Notice, Outcome
from domain.session import Draft, Session
from domain.status import Status
from domain.usage import Counts

logger = logging.getLogger(__name__)

T = TypeVar("T")
Rows = list[tuple[Any, ...]]
Work = Callable[[sqlite3.Connection], object]

PROBE_PAUSE_S = 1.0
"""Between two probes that write; in between, the last one's success stands."""
TRUNCATION_WAIT_S, TRUNCATION_PAUSE_S = 0.2, 5.0
"""The time for which an emptying of the log waits for readers, and between two attempts."""
_KEY_LIFETIME_MS = IDEMPOTENCY_WINDOW // timedelta(milliseconds=1)
_PRUNE_EVERY = 256
"""Keys stored between two prunings of expired ones, each of which removes at most twice as many."""

_HIGHEST = 2**63 - 1
"""The highest integer of SQLite."""

_encode = msgspec.json.Encoder().encode
_decode_session = msgspec.json.Decoder(Session).decode
_decode_fields = msgspec.json.Decoder(dict[str, Any]).decode
_MESSAGE, _CHANGE = 0, 1
_decode_entry: tuple[Callable[[bytes], Entry], ...] = (
    msgspec.json.Decoder(Message).decode,
    msgspec.json.Decoder(StatusChange).decode,
)

_OPEN = """INSERT INTO sessions (status, seq, updated_at, due_at, head, session_id, business_id,
    user_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""
_ADVANCE = """UPDATE sessions SET status = ?, seq = ?, updated_at = ?, due_at = ?, head = ?
    WHERE session_id = ? AND seq = ?"""
_ADD_ENTRY = "INSERT INTO entries (session_id, seq, kind, body) VALUES (?, ?, ?, ?)"
_OF_KEY = "FROM keys WHERE business_id = ? AND user_id = ? AND key = ?"
_ADD_KEY = """INSERT INTO keys (business_id, user_id, key, session_id, seq, status, at)
    VALUES (?, ?, ?, ?, ?, ?, ?)"""
_ADD_NOTICE = """INSERT INTO outbox (notice_id, session_id, lane, position, due_at, body, ready_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, CASE WHEN EXISTS
        (SELECT 1 FROM outbox WHERE session_id = ?2 AND lane = ?3 AND dead IS NULL)
        THEN NULL ELSE ?5 END)"""
_RECENT_OF = """SELECT head, kind, body FROM sessions LEFT JOIN entries USING (session_id)
    WHERE session_id = {} ORDER BY entries.seq DESC LIMIT ?"""
_RECENT_BY_ID = _RECENT_OF.format("?")
_RECENT_BY_CUSTOMER = _RECENT_OF.format(
    """(SELECT session_id FROM sessions WHERE business_id = ? AND user_id = ?
        ORDER BY number DESC LIMIT 1)"""
)
# Behind a notice of its session and lane that is claimed or deferred; else it is the first.
_RETRY = """UPDATE outbox SET dead = NULL, attempts = 0, ready_at = CASE WHEN EXISTS
        (SELECT 1 FROM outbox AS other WHERE other.session_id = outbox.session_id
            AND other.lane = outbox.lane AND other.dead IS NULL) THEN NULL ELSE due_at END
    WHERE notice_id = ? AND dead IS NOT NULL"""
_ADD_COUNT = """INSERT INTO counts VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET count = count + excluded.count"""
_COUNTS_OF = """SELECT day, name, count FROM counts
    WHERE business_id = ? AND day BETWEEN ? AND ? ORDER BY day"""


@dataclass(slots=True)
class _Append:
    """A draft as the rows that it becomes."""

    opens: Rows
    advances: Rows
    entries: Rows
    keys: Rows
    notices: Rows


class SqliteStore(Store):
    """All ports of storage in the file `path`. Use it as `async with store:`.

    All waiting writes go into the next transaction, and share its fsync. `synchronous`: with FULL
    acknowledged writes survive a power failure, with NORMAL only the death of the process.
    `busy_timeout_s`: how long another process may lock the file before a call raises
    StorageUnavailable; several processes on one file are correct, but slower. `gather_s`: how long
    a transaction waits for more writes while there are many; a lone write does not wait.
    `expired_until` returns the time up to which entries, and closed sessions, have expired: they
    are hidden at once, and deleted by `prune`. None: nothing expires. `on_request`: see its type.
    `is_read_only`: nothing can
    be written, also by SQLite itself, and every call that would raises StorageUnavailable.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        synchronous: Literal["FULL", "NORMAL"] = "FULL",
        busy_timeout_s: float = 5.0,
        gather_s: float = 0.002,
        expired_until: Callable[[], datetime] | None = None,
        is_read_only: bool = False,
        on_request: OnStoreRequest | None = None,
    ) -> None:
        self._is_read_only = is_read_only
        self._path = Path(path).absolute()
        self._synchronous = synchronous
        self._busy_timeout_s = busy_timeout_s
        self._keys_until_prune = 0
        self._next_probe = self._next_truncation = 0.0
        self._log_has_erased = False
        """True while the write-ahead log may hold content that was erased."""
        self._expired_until = expired_until
        self._writes: BatchWorker[_Append | Work] = BatchWorker(
            f"{self._path} (writes)",
            self._write_batch,
            gather_s=gather_s,
            on_done=_counted("write", on_request),
        )
        self._reads: BatchWorker[Work] = BatchWorker(
            f"{self._path} (reads)", self._read_batch, on_done=_counted("read", on_request)
        )

    def __repr__(self) -> str:
        return f"<SqliteStore {self._path} {self._writes} {self._reads}>"

    async def __aenter__(self) -> Self:
        """Open or create the file. Raises: StorageUnavailable, saying what is wrong with it."""
        if not self._is_read_only:
            await self._writes.open(self._open_writer)
        try:
            await self._reads.open(self._open_reader)
        except BaseException:
            await self._writes.close(self._close_writer)
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Finish submitted work, and close. The last connection merges the log into the file."""
        await self._reads.close(lambda: self._reader.close())
        await self._writes.close(self._close_writer)

    def _open_writer(self) -> None:
        self._writer = open_writer(
            self._path, synchronous=self._synchronous, busy_timeout_s=self._busy_timeout_s
        )

    def _open_reader(self) -> None:
        self._reader = open_reader(
            self._path, busy_timeout_s=self._busy_timeout_s, is_alone=self._is_read_only
        )

    def _close_writer(self) -> None:
        self._writer.close()

    async def append(self, draft: Draft, due_at: datetime | None) -> None:
        await self._writes.submit(_rows(draft, due_at))

    async def latest(self, customer: Customer) -> Loaded | None:
        row = (customer.business_id, customer.user_id, RECENT)
        return self._loaded(
            await self._read(lambda db: db.execute(_RECENT_BY_CUSTOMER, row).fetchall())
        )

    async def load(self, session_id: SessionId) -> Loaded | None:
        row = (session_id, RECENT)
        return self._loaded(await self._read(lambda db: db.execute(_RECENT_BY_ID, row).fetchall()))

    async def stored(self, customer: Customer, key: str, now: datetime) -> DuplicateMessage | None:
        row = (customer.business_id, customer.user_id, key)
        return _duplicate(await self._read(lambda db: _first(db, row)), _ms(now))

    async def page(
        self, session_id: SessionId, *, after: int = 0, before: int | None = None, limit: int
    ) -> tuple[Entry, ...]:
        newest_first = before is not None
        sql = f"""SELECT kind, body FROM entries WHERE session_id = ? AND seq > ? AND seq < ?
            ORDER BY seq {"DESC" if newest_first else "ASC"} LIMIT ?"""

        async def read(after: int) -> list[Entry]:
            row = (session_id, after, _HIGHEST if before is None else before, limit)
            rows: Rows = await self._read(lambda db: db.execute(sql, row).fetchall())
            return [_decode_entry[kind](body) for kind, body in rows]

        entries = await read(after)
        unexpired = self._unexpired(entries)
        while entries and not unexpired and not newest_first:  # nothing of them is pruned yet
            entries = await read(entries[-1].seq)
            unexpired = self._unexpired(entries)
        return tuple(reversed(unexpired) if newest_first else unexpired)

    async def due(self, now: datetime, limit: int) -> tuple[Session, ...]:
        rows: Rows = await self._read(
            lambda db: db.execute(
                "SELECT head FROM sessions WHERE due_at <= ? ORDER BY due_at LIMIT ?",
                (_ms(now), limit),
            ).fetchall()
        )
        return _readable(head for (head,) in rows)

    async def list_sessions(
        self,
        *,
        business_id: BusinessId | None = None,
        status: Status | None = None,
        customer: Customer | None = None,
        limit: int,
        cursor: str | None = None,
    ) -> SessionPage:
        """List sessions by their newest entry, newest first.

        While sessions change, none is listed twice, and every one that does not change is listed;
        one that gets an entry moves to the front, where a new listing begins.
        Raises: InvalidPayload for a bad cursor.
        """
        below = (_HIGHEST, 0)
        expired = -1 if self._expired_until is None else _ms(self._expired_until())
        if cursor is not None:
            at, number = decode_cursor(cursor, _number)
            below = _ms(at), number
        rows: Rows = await self._read(
            lambda db: _newest(db, business_id, status, customer, below, expired, limit + 1)
        )
        sessions = _readable(head for _, _, head in rows[:limit])
        if len(rows) <= limit:
            return SessionPage(sessions, None)
        updated_at, number, _ = rows[limit - 1]
        return SessionPage(sessions, encode_cursor(_moment(updated_at), number))

    async def erase(self, customer: Customer) -> Erased:
        """Erase everything stored of the customer, and overwrite its content in the file.

        The log is emptied too: now or, while another process reads, with one of the next writes.
        """
        return await self._write_erasing(lambda db: _erase(db, customer))

    async def _write_erasing(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Write, and have the content that it deletes leave the log soon."""

        def erase(db: sqlite3.Connection) -> T:
            self._log_has_erased = True
            self._next_truncation = 0.0
            return work(db)

        return await self._write(erase)

    async def probe(self) -> None:
        now = monotonic()
        if now >= self._next_probe:
            await self._write(touch)
            self._next_probe = now + PROBE_PAUSE_S

    async def prune(self) -> None:
        if self._expired_until is None:
            return
        until = _ms(self._expired_until())
        keys_until = until - _KEY_LIFETIME_MS
        if await self._read(lambda db: retention.has_old_rows(db, until, keys_until)):
            await self._write_erasing(lambda db: retention.prune(db, until, keys_until))

    def _loaded(self, rows: Rows) -> Loaded | None:
        """Return the session in rows of a head and an entry each, the newest entry first."""
        if not rows:
            return None
        session = _decode_session(rows[0][0])
        if not session.is_open and self._has_expired(session.updated_at):
            return None
        entries = [_decode_entry[kind](body) for _, kind, body in reversed(rows) if body]
        return Loaded(session, tuple(self._unexpired(entries)))

    def _unexpired(self, entries: list[Entry]) -> list[Entry]:
        if self._expired_until is None:
            return entries
        return [entry for entry in entries if not self._has_expired(entry.at)]

    def _has_expired(self, at: datetime) -> bool:
        return self._expired_until is not None and at <= self._expired_until()

    async def claim(
        self, lane: Lane, now: datetime, lease_until: datetime, limit: int
    ) -> tuple[Notice, ...]:
        """The longest due first. `attempts` of a notice counts the claims before this one."""
        return await self._write(lambda db: _claim(db, lane, _ms(now), _ms(lease_until), limit))

    async def settle(self, notice_id: str, outcome: Outcome) -> None:
        await self._write(lambda db: _settle(db, notice_id, outcome))

    async def backlog(self) -> Backlog:
        sql = "SELECT count(*), min(due_at) FROM outbox WHERE dead IS NULL"
        depth, oldest = await self._read(lambda db: db.execute(sql).fetchone())
        return Backlog(depth, _moment(oldest) if oldest is not None else None)

    async def dead(self, limit: int) -> tuple[DeadLetter, ...]:
        rows: Rows = await self._read(
            lambda db: db.execute(
                """SELECT attempts, body, dead FROM outbox WHERE dead IS NOT NULL
                    ORDER BY due_at, session_id, position LIMIT ?""",
                (limit,),
            ).fetchall()
        )
        return tuple(
            DeadLetter(replace(_notice(body), attempts=attempts), reason)
            for attempts, body, reason in rows
        )

    async def retry(self, notice_id: str) -> bool:
        return await self._write(lambda db: db.execute(_RETRY, (notice_id,)).rowcount > 0)

    async def drop(self, notice_id: str) -> bool:
        sql = "DELETE FROM outbox WHERE notice_id = ? AND dead IS NOT NULL"
        return await self._write(lambda db: db.execute(sql, (notice_id,)).rowcount > 0)

    async def add(self, business_id: BusinessId, day: date, counts: Counts) -> None:
        rows = [(business_id, day.isoformat(), name, count) for name, count in counts.items()]
        await self._write(lambda db: db.executemany(_ADD_COUNT, rows))

    async def counts(self, business_id: BusinessId, first: date, last: date) -> dict[date, Counts]:
        key = (business_id, first.isoformat(), last.isoformat())
        rows: Rows = await self._read(lambda db: db.execute(_COUNTS_OF, key).fetchall())
        days = dict[date, dict[str, int]]()
        for day, name, count in rows:
            days.setdefault(date.fromisoformat(day), {})[name] = count
        return {**days}

    async def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        result: T = await self._reads.submit(work)
        return result

    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        result: T = await self._writes.submit(work)
        return result

    def _read_batch(self, batch: Sequence[Work]) -> Sequence[object]:
        try:
            with transaction(self._reader, "BEGIN"):  # one snapshot, later than all submissions
                known_version(self._reader, self._path)
                return [work(self._reader) for work in batch]
        except sqlite3.Error as error:
            return [self._unavailable(error) for _ in batch]

    def _write_batch(self, batch: Sequence[_Append | Work]) -> Sequence[object]:
        appends = [job for job in batch if isinstance(job, _Append)]
        try:
            with transaction(self._writer):
                known_version(self._writer, self._path)  # or another process has migrated it
                outcomes = iter(_append_all(self._writer, appends))
                results = [
                    next(outcomes) if isinstance(job, _Append) else job(self._writer)
                    for job in batch
                ]
                self._prune_keys(appends)
            self._truncate_log()
        except sqlite3.Error as error:
            return [self._unavailable(error) for _ in batch]
        return results

    def _truncate_log(self) -> None:
        if not self._log_has_erased or monotonic() < self._next_truncation:
            return
        self._next_truncation = monotonic() + TRUNCATION_PAUSE_S
        with suppress(sqlite3.Error):  # what was to be written is written
            done = truncate_log(self._writer, busy_timeout_s=TRUNCATION_WAIT_S)
            self._log_has_erased = not done

    def _unavailable(self, error: sqlite3.Error) -> StorageUnavailable:
        failure = StorageUnavailable(f"{self._path}: {error}")
        failure.__cause__ = error
        return failure

    def _prune_keys(self, appends: Sequence[_Append]) -> None:
        """Remove a bounded number of expired keys, the oldest ones, once in _PRUNE_EVERY keys."""
        added = [row for append in appends for row in append.keys]
        self._keys_until_prune -= len(added)
        if added and self._keys_until_prune < 0:
            self._keys_until_prune = _PRUNE_EVERY
            self._writer.execute(
                """DELETE FROM keys WHERE number IN
                    (SELECT number FROM keys ORDER BY number LIMIT ?) AND at <= ?""",
                (2 * _PRUNE_EVERY, added[-1][-1] - _KEY_LIFETIME_MS),
            )


def _counted(
    operation: str, on_request: OnStoreRequest | None
) -> Callable[[float, object], None] | None:
    if on_request is None:
        return None
    return lambda seconds, result: on_request(
        operation, seconds, isinstance(result, StorageUnavailable)
    )


def _readable(heads: Iterable[bytes]) -> tuple[Session, ...]:
    """Return the sessions that can be read; another one hides none of them."""
    found = []
    for head in heads:
        try:
            found.append(_decode_session(head))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            logger.warning(
                "A stored session cannot be read", extra={"action": "unreadable_session"}
            )
    return tuple(found)


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _rows(draft: Draft, due_at: datetime | None) -> _Append:
    session, first = draft.session, draft.entries[0].seq
    at, stored_at = _ms(session.updated_at), _ms(draft.entries[-1].at)
    due = None if due_at is None else _ms(due_at)
    head = (session.status, session.seq, at, due, _encode(session), session.session_id)
    whose = (session.customer.business_id, session.customer.user_id)
    key = (*whose, draft.key, session.session_id, draft.keyed_seq, session.status, stored_at)
    return _Append(
        opens=[(*head, *whose)] if first == 1 else [],
        advances=[(*head, first - 1)] if first != 1 else [],
        entries=[_entry_row(session.session_id, entry) for entry in draft.entries],
        keys=[key] if draft.key is not None else [],
        notices=[_notice_row(notice) for notice in sorted(draft.notices, key=_position)],
    )


def _entry_row(session_id: SessionId, entry: Entry) -> tuple[str, int, int, bytes]:
    kind = _MESSAGE if isinstance(entry, Message) else _CHANGE
    return session_id, entry.seq, kind, _encode(entry)


def _notice_row(notice: Notice) -> tuple[str, str, str, int, int, bytes]:
    place = (notice.session_id, notice.lane, notice.position)
    return notice.notice_id, *place, _ms(notice.due_at), _encode(notice)


def _notice(body: bytes) -> Notice:
    return notice_from(_decode_fields(body))


def _position(notice: Notice) -> int:
    return notice.position


def _append_all(db: sqlite3.Connection, appends: Sequence[_Append]) -> list[Exception | None]:
    """Store the appends. Returns, for each, the exception for its caller, or None.

    All are stored at once, as hardly ever one is refused; if one is, each by itself.
    """
    if len(appends) == 1:
        return [_append_one(db, appends[0])]
    if appends and not _try_append(db, appends):
        return [_append_one(db, append) for append in appends]
    return [None] * len(appends)


def _append_one(db: sqlite3.Connection, append: _Append) -> Exception | None:
    for row in append.keys:
        first = _first(db, row[:3])
        if (duplicate := _duplicate(first, row[-1])) is not None:
            return duplicate
        if first is not None:  # it has expired
            db.execute(f"DELETE {_OF_KEY}", row[:3])
    return None if _try_append(db, [append]) else SeqTaken()


def _first(db: sqlite3.Connection, key: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """Return (session_id, seq, status, at) of what was stored with this key."""
    sql = f"SELECT session_id, seq, status, at {_OF_KEY}"
    row: tuple[Any, ...] | None = db.execute(sql, key).fetchone()
    return row


def _duplicate(first: tuple[Any, ...] | None, now: int) -> DuplicateMessage | None:
    if first is None or now - first[3] >= _KEY_LIFETIME_MS:
        return None
    return DuplicateMessage(session_id=first[0], seq=first[1], status=first[2])


def _try_append(db: sqlite3.Connection, appends: Sequence[_Append]) -> bool:
    """Store all of the appends; False: one of them is refused, and none is stored."""
    db.execute("SAVEPOINT appends")
    try:
        stored = _advanced(db, [row for append in appends for row in append.advances])
        if stored:
            for sql, rows in (
                (_OPEN, [row for append in appends for row in append.opens]),
                (_ADD_ENTRY, [row for append in appends for row in append.entries]),
                (_ADD_KEY, [row for append in appends for row in append.keys]),
                (_ADD_NOTICE, [row for append in appends for row in append.notices]),
            ):
                if rows:
                    db.executemany(sql, rows)
    except sqlite3.IntegrityError:  # a seq, an open session or a key that exists already
        stored = False
    if not stored:
        db.execute("ROLLBACK TO appends")
    db.execute("RELEASE appends")
    return stored


def _advanced(db: sqlite3.Connection, rows: Rows) -> bool:
    """Update the heads; False when one is not at the seq that its draft follows."""
    return not rows or db.executemany(_ADVANCE, rows).rowcount == len(rows)


def _newest(
    db: sqlite3.Connection,
    business_id: BusinessId | None,
    status: Status | None,
    customer: Customer | None,
    below: tuple[int, int],
    expired: int,
    limit: int,
) -> Rows:
    """Return (updated_at, number, head) of the sessions below a position, newest first.

    `expired`: the time up to which closed ones are left out.
    """
    where: list[str] = ["status = ?", "(updated_at, number) < (?, ?)", "updated_at > ?"]
    whose: list[str] = []
    if business_id is not None:
        where, whose = ["business_id = ?", *where], [business_id]
    index = ""
    if customer is not None:
        # Without statistics the planner would scan all sessions of the business.
        index = "INDEXED BY sessions_of_customer"
        where = ["business_id = ?", "user_id = ?", *where]
        whose = [customer.business_id, customer.user_id, *whose]
    sql = f"""SELECT updated_at, number, head FROM sessions {index} WHERE {" AND ".join(where)}
        ORDER BY updated_at DESC, number DESC LIMIT ?"""
    since = (-1, expired)
    # In the index each status is a range of its own, in order: `limit` rows of each suffice.
    found = (
        row
        for each in (Status if status is None else (status,))
        for row in db.execute(sql, (*whose, each, *below, since[each is Status.CLOSED], limit))
    )
    return nlargest(limit, found)


def _number(text: str) -> int:
    number = int(text)
    if not 0 <= number <= _HIGHEST:
        raise ValueError("not the number of a row")
    return number


def _erase(db: sqlite3.Connection, customer: Customer) -> Erased:
    whose = (customer.business_id, customer.user_id)
    of_customer = "business_id = ? AND user_id = ?"
    of_sessions = f"session_id IN (SELECT session_id FROM sessions WHERE {of_customer})"

    def delete(what: str) -> int:
        return db.execute(f"DELETE FROM {what}", whose).rowcount

    notices = delete(f"outbox WHERE {of_sessions}")
    messages = delete(f"entries WHERE kind = {_MESSAGE} AND {of_sessions}")
    delete(f"entries WHERE {of_sessions}")
    delete(f"keys WHERE {of_customer}")
    return Erased(delete(f"sessions WHERE {of_customer}"), messages, notices)


def _claim(
    db: sqlite3.Connection, lane: Lane, now: int, lease_until: int, limit: int
) -> tuple[Notice, ...]:
    rows = db.execute(
        """SELECT notice_id, ready_at, attempts, body FROM outbox WHERE lane = ? AND ready_at <= ?
            ORDER BY ready_at, session_id LIMIT ?""",
        (lane, now, limit),
    ).fetchall()
    db.executemany(
        "UPDATE outbox SET ready_at = ?, attempts = attempts + 1 WHERE notice_id = ?",
        [(lease_until, notice_id) for notice_id, *_ in rows],
    )
    return tuple(
        replace(
            _notice(body),
            due_at=_moment(ready_at),
            attempts=attempts,
        )
        for _, ready_at, attempts, body in rows
    )


def _settle(db: sqlite3.Connection, notice_id: str, outcome: Outcome) -> None:
    if isinstance(outcome, Deferred):
        sql = "UPDATE outbox SET ready_at = ? WHERE notice_id = ? AND dead IS NULL"
        db.execute(sql, (_ms(outcome.until), notice_id))
        return
    if isinstance(outcome, Delivered):
        change, values = "DELETE FROM outbox", [notice_id]
    else:
        change, values = "UPDATE outbox SET ready_at = NULL, dead = ?", [outcome.reason, notice_id]
    settled = f"{change} WHERE notice_id = ? AND dead IS NULL RETURNING session_id, lane"
    for of_lane in db.execute(settled, values).fetchall():
        db.execute(PROMOTE, of_lane)
