"""The database file: its schema, how it is opened, and the translation of its errors."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from adapters.private_file import check_not_replaced, make_private
from domain.errors import StorageUnavailable, StoreMigrated

# Tables with a rowid: their rows are written at the end of the file, and only the small entries of
# the indexes in between. An append was measured to cost two thirds of one WITHOUT ROWID.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        # Numbers increase as sessions are opened: a customer's newest has the highest.
        """CREATE TABLE sessions (
            number INTEGER PRIMARY KEY,
            session_id TEXT NOT NULL UNIQUE,
            business_id TEXT NOT NULL,
            user_id TEXT NOT NULL,
            status TEXT NOT NULL,
            seq INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            due_at INTEGER,
            head BLOB NOT NULL
        )""",
        "CREATE INDEX sessions_of_customer ON sessions (business_id, user_id)",
        # The database itself refuses a second open session of a customer.
        """CREATE UNIQUE INDEX open_session ON sessions (business_id, user_id)
            WHERE status <> 'closed'""",
        "CREATE INDEX sessions_by_recency ON sessions (status, updated_at)",
        "CREATE INDEX sessions_of_business ON sessions (business_id, status, updated_at)",
        "CREATE INDEX sessions_due ON sessions (due_at) WHERE due_at IS NOT NULL",
        """CREATE TABLE entries (
            session_id TEXT NOT NULL,
            seq INTEGER NOT NULL,
            kind INTEGER NOT NULL,
            body BLOB NOT NULL,
            PRIMARY KEY (session_id, seq)
        )""",
        # Numbered in the order of time, so that expired keys come first.
        """CREATE TABLE keys (
            number INTEGER PRIMARY KEY,
            business_id TEXT NOT NULL,
            user_id TEXT NOT NULL,
            key TEXT NOT NULL,
            session_id TEXT NOT NULL,
            seq INTEGER NOT NULL,
            status TEXT NOT NULL,
            at INTEGER NOT NULL,
            UNIQUE (business_id, user_id, key)
        )""",
        # `ready_at`: when the notice may be claimed; NULL while another one of its session is
        # before it, and when it is dead. `dead`: why it could not be delivered.
        """CREATE TABLE outbox (
            notice_id TEXT NOT NULL PRIMARY KEY,
            session_id TEXT NOT NULL,
            position INTEGER NOT NULL,
            due_at INTEGER NOT NULL,
            ready_at INTEGER,
            attempts INTEGER NOT NULL DEFAULT 0,
            dead TEXT,
            body BLOB NOT NULL
        )""",
        "CREATE INDEX notices_of_session ON outbox (session_id, position)",
        "CREATE INDEX notices_ready ON outbox (ready_at) WHERE ready_at IS NOT NULL",
    ),
    (
        # `day` as in 2026-01-31.
        """CREATE TABLE usage (
            business_id TEXT NOT NULL,
            day TEXT NOT NULL,
            input_tokens INTEGER NOT NULL,
            cached_tokens INTEGER NOT NULL,
            output_tokens INTEGER NOT NULL,
            calls INTEGER NOT NULL,
            PRIMARY KEY (business_id, day)
        ) WITHOUT ROWID""",
    ),
    (
        # `ready_at`: now NULL only while another one of its session and lane is before it.
        "ALTER TABLE outbox ADD COLUMN lane TEXT NOT NULL DEFAULT 'people'",
        """UPDATE outbox SET lane = 'reports' WHERE coalesce(
            json_extract(CAST(body AS TEXT), '$.kind'),
            json_extract(CAST(body AS TEXT), '$.content.kind')) IN ('conversation', 'context')""",
        "DROP INDEX notices_of_session",
        "DROP INDEX notices_ready",
        "CREATE INDEX notices_of_session ON outbox (session_id, lane, position)",
        "CREATE INDEX notices_ready ON outbox (lane, ready_at) WHERE ready_at IS NOT NULL",
        """UPDATE outbox SET ready_at = due_at WHERE dead IS NULL AND ready_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM outbox AS other
                WHERE other.session_id = outbox.session_id AND other.lane = outbox.lane
                    AND other.dead IS NULL
                    AND (other.ready_at IS NOT NULL OR other.position < outbox.position))""",
    ),
    (
        # One row for each count, whatever is counted.
        """CREATE TABLE counts (
            business_id TEXT NOT NULL,
            day TEXT NOT NULL,
            name TEXT NOT NULL,
            count INTEGER NOT NULL,
            PRIMARY KEY (business_id, day, name)
        ) WITHOUT ROWID""",
        *(
            f"INSERT INTO counts SELECT business_id, day, '{name}', {name} FROM usage"
            for name in ("input_tokens", "cached_tokens", "output_tokens", "calls")
        ),
        "DROP TABLE usage",
    ),
)
"""The statements that migrate the schema from version n (the index) to n + 1. Times are in ms."""

PROMOTE = """UPDATE outbox SET ready_at = due_at WHERE ready_at IS NULL AND notice_id =
    (SELECT notice_id FROM outbox WHERE session_id = ? AND lane = ? AND dead IS NULL
        ORDER BY position)"""
"""Lets the next notice of a session and lane be claimed, once the one before it is gone."""

_WAL_LIMIT = 64 * 1024 * 1024
"""The size to which the write-ahead log is truncated once its content is in the file."""


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Translate every failure of the file into a StorageUnavailable that names it."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StorageUnavailable(f"{path}: {error}") from error


def open_writer(path: Path, *, synchronous: str, busy_timeout_s: float) -> sqlite3.Connection:
    """Open the connection that writes; create the file, or migrate its schema.

    Raises: StorageUnavailable, when the file is no database, another program's, of a newer version,
    or not writable.
    """
    with translated(path):
        make_private(path)
        before = path.stat()
        db = connect(path, busy_timeout_s)
        try:
            with transaction(db, "BEGIN"):
                _version_of_ours(db, path)  # before anything is changed
            use_wal(db, time.monotonic() + busy_timeout_s)
            check_not_replaced(path, before)
            db.execute(f"PRAGMA synchronous = {synchronous}")
            db.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT}")
            db.execute("PRAGMA secure_delete = ON")  # erased content is overwritten
            with transaction(db):
                _migrate(db, path)
        except BaseException:
            db.close()
            raise
        return db


def open_reader(path: Path, *, busy_timeout_s: float, is_alone: bool = False) -> sqlite3.Connection:
    """Open a connection that only reads, to a file that a writer has opened before.

    `is_alone`: this program has no other; then SQLite too has the file open for reading alone.
    Raises: StorageUnavailable.
    """
    with translated(path):
        db = connect(path, busy_timeout_s, mode="ro" if is_alone else "rwc")
        try:
            db.execute("PRAGMA query_only = ON")
            if is_alone and not known_version(db, path):
                raise StorageUnavailable(f"{path} is the database of another program")
        except BaseException:
            db.close()
            raise
        return db


def try_writing(path: Path, *, busy_timeout_s: float) -> bool:
    """Return whether an existing file has the present schema, and change nothing in it.

    Raises: StorageUnavailable, where a server could not write to it.
    """
    with translated(path), closing(connect(path, busy_timeout_s, mode="rw")) as db:
        version = _version_of_ours(db, path)
        db.execute("BEGIN IMMEDIATE")
        db.execute("ROLLBACK")
    return version == len(MIGRATIONS)


@contextmanager
def transaction(db: sqlite3.Connection, begin: str = "BEGIN IMMEDIATE") -> Iterator[None]:
    """Commit what the block has done, or roll all of it back."""
    db.execute(begin)
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # some errors, such as a full disk, have rolled back already
            db.execute("ROLLBACK")
        raise


def connect(path: Path, busy_timeout_s: float, mode: str = "rwc") -> sqlite3.Connection:
    """Open a connection that begins no transactions by itself, for any thread.

    `mode`: SQLite's: `rwc` creates the file where there is none, `ro` only reads.
    """
    db = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        timeout=busy_timeout_s,
        isolation_level=None,
        check_same_thread=False,
        uri=True,
    )
    db.execute("PRAGMA temp_store = MEMORY")  # sorting a listing creates no file
    return db


def touch(db: sqlite3.Connection) -> None:
    """Write something that changes nothing, which fails where nothing can be written."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    db.execute(f"PRAGMA user_version = {version}")


def truncate_log(db: sqlite3.Connection, *, busy_timeout_s: float) -> bool:
    """Move the log's content into the file, and empty the log; False: a reader was in the way.

    Erased content stays in the log until then.
    """
    (usual_ms,) = db.execute("PRAGMA busy_timeout").fetchone()
    db.execute(f"PRAGMA busy_timeout = {round(busy_timeout_s * 1000)}")
    try:
        is_busy, _, _ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        db.execute(f"PRAGMA busy_timeout = {usual_ms}")
    return not is_busy


def use_wal(db: sqlite3.Connection, deadline: float) -> None:
    """Switch to the write-ahead log; SQLite refuses while another process does the same."""
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def known_version(db: sqlite3.Connection, path: Path) -> int:
    """Return the version of the schema. Raises: StoreMigrated, where it is a later program's."""
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        raise StoreMigrated(
            f"{path} has schema version {version}; this program knows up to {len(MIGRATIONS)}"
        )
    return version


def _version_of_ours(db: sqlite3.Connection, path: Path) -> int:
    """Return the version of the schema; 0: the file is new."""
    version = known_version(db, path)
    if version == 0 and db.execute("SELECT 1 FROM sqlite_schema").fetchone():
        raise StorageUnavailable(f"{path} is the database of another program")
    return version


def _migrate(db: sqlite3.Connection, path: Path) -> None:
    version = _version_of_ours(db, path)
    for next_version, statements in enumerate(MIGRATIONS[version:], version + 1):
        for statement in statements:
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {next_version}")
