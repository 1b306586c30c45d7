"""Leases among the processes of one machine, in a small file beside the database.

They are not in the database itself: a claim would wait for the writers of conversations, and they
for it. A power failure may undo the newest claims, but does not damage the file: SQLite's log is
checked, and its content is synchronised before it is moved into the file, once in a few hundred
claims.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import NamedTuple, Self

from adapters.lease_deadline import LEASE_DEADLINE_S, lease_deadline
from adapters.private_file import make_private
from adapters.sqlite.batch_worker import BatchWorker
from adapters.sqlite.file import connect, transaction, use_wal
from application.ports import Leases
from domain.errors import StorageUnavailable

_BUSY_TIMEOUT_S = LEASE_DEADLINE_S * 0.75
_PRUNE_EVERY_S = 60.0

# Times are seconds of the machine's monotonic clock, which all its processes share, and which
# begins anew with the machine: what was claimed later than now was claimed before that.
_CREATE = """CREATE TABLE IF NOT EXISTS leases (
    name TEXT PRIMARY KEY, holder TEXT NOT NULL, since REAL NOT NULL, until REAL NOT NULL
) WITHOUT ROWID"""
_CLAIM = """INSERT INTO leases (name, holder, since, until) VALUES (?, ?, ?, ?)
    ON CONFLICT (name) DO UPDATE
        SET holder = excluded.holder, since = excluded.since, until = excluded.until
        WHERE holder = excluded.holder OR excluded.since NOT BETWEEN since AND until"""
_RELEASE = "DELETE FROM leases WHERE name = ? AND holder = ?"
_PRUNE = "DELETE FROM leases WHERE ? NOT BETWEEN since AND until"


class _Job(NamedTuple):
    """A claim; or a release, where there is no `ttl_s`."""

    name: str
    holder: str
    ttl_s: float | None


class SqliteLeases(Leases):
    """Keeps the names in the file `path`, which is opened when it is first needed."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path).absolute()
        self._db: sqlite3.Connection | None = None
        self._next_prune = 0.0
        self._jobs: BatchWorker[_Job] = BatchWorker(str(self._path), self._run)

    async def __aenter__(self) -> Self:
        await self._jobs.open(lambda: None)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._jobs.close(self._close)

    async def claim(self, name: str, holder: str, ttl_s: float) -> bool:
        return await self._submit(_Job(name, holder, ttl_s))

    async def release(self, name: str, holder: str) -> None:
        await self._submit(_Job(name, holder, None))

    async def _submit(self, job: _Job) -> bool:
        async with lease_deadline(StorageUnavailable, sqlite3.Error, OSError):
            done: bool = await self._jobs.submit(job)
            return done

    # In the worker's thread.

    def _run(self, jobs: Sequence[_Job]) -> list[bool]:
        if self._db is None:
            self._db = self._open()
        with transaction(self._db):
            now = monotonic()
            if now >= self._next_prune:
                self._db.execute(_PRUNE, (now,))
                self._next_prune = now + _PRUNE_EVERY_S
            return [self._do(self._db, job, now) for job in jobs]

    def _do(self, db: sqlite3.Connection, job: _Job, now: float) -> bool:
        if job.ttl_s is None:
            return db.execute(_RELEASE, (job.name, job.holder)).rowcount == 1
        until = now + job.ttl_s
        return db.execute(_CLAIM, (job.name, job.holder, now, until)).rowcount == 1

    def _open(self) -> sqlite3.Connection:
        make_private(self._path)
        db = connect(self._path, _BUSY_TIMEOUT_S)
        try:
            use_wal(db, monotonic() + _BUSY_TIMEOUT_S)
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute(_CREATE)
        except BaseException:
            db.close()
            raise
        return db

    def _close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None
