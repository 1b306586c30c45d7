"""Copies of a database: made beside its users, verified, and put back in its place.

Nothing half-done has a final name: a copy is written under its name with `.part` behind, verified,
flushed to the disk, and only then renamed. A `.part` that a killed run has left is removed by the
next one.
"""

import errno
import fcntl
import os
import sqlite3
import stat
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import NamedTuple

from adapters.private_file import make_private
from adapters.sqlite.file import MIGRATIONS, connect, translated
from domain.errors import StorageUnavailable, StoreMigrated

BUSY_S = 5.0
"""How long a database may be locked by another program."""
_BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite has beside a database."""
_LOCK_BYTE, _LOCK_BYTES = 0x40000000, 512
"""Where SQLite locks a database; who has one open in WAL mode holds a lock there.
https://www.sqlite.org/src/file/src/os.h (PENDING_BYTE)"""
_ROLLBACK_JOURNAL = b"\x01\x01"
"""The read and write version of a file without a write-ahead log, at offset 18 of its header.
https://www.sqlite.org/fileformat2.html"""
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS}

RowCounts = Mapping[str, int]
"""The rows of each table."""


class DatabaseKind(NamedTuple):
    """Whose a database is."""

    owner: str
    version: int
    """The newest version of the schema that is known."""
    tables: tuple[str, ...]
    """Those that the schema has in every version."""


SERVER = DatabaseKind("the server", len(MIGRATIONS), ("sessions", "entries", "keys", "outbox"))


class Restored(NamedTuple):
    """What was restored."""

    counts: RowCounts
    kept: Path | None
    """Where the database is that was replaced; None: there was none."""


def back_up(database: Path, target: Path, kind: DatabaseKind) -> RowCounts:
    """Copy a database, which others may be writing, to a new file for this user alone.

    The copy holds everything that was committed before the call, and is whole by itself: one file,
    whose rows were counted and whose structure was checked. Raises: StorageUnavailable; then there
    is no file `target`, or the one that was there.
    """
    if os.path.lexists(target):
        raise StorageUnavailable(f"{target} exists, and a backup replaces nothing")
    taken = {f"{database.resolve()}{suffix}" for suffix in (*_BESIDE, ".part")}
    if str(target.resolve()) in taken:
        raise StorageUnavailable(f"{target} is a name that SQLite uses for {database}")
    with _unfinished(target) as part:
        counts = _copy(database, part, kind)
        with translated(target):
            _rename_to_new(part, target)
    return counts


def put_back(backup: Path, database: Path, kind: DatabaseKind) -> Restored:
    """Put a copy of a backup in the place of a database that nobody has open.

    The backup is verified first. What it replaces is kept beside it. Raises: StorageUnavailable;
    then the database is as it was.
    """
    database = database.resolve()  # a link stays one, and what it means is what is kept
    with translated(database):
        database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _check_owner(database)
    with _unfinished(database) as part:
        counts = _copy(backup, part, kind)
        with translated(database):
            make_private(database)
            _take_owner(part, database)
            with _used_by_nobody(database, kind):
                kept = _keep(database)
                part.rename(database)
                _flush(database.parent)
    return Restored(counts, kept)


def _check_owner(database: Path) -> None:
    """Refuse, as root, a file that is not its folder's owner's: somebody may have put a link."""
    with suppress(FileNotFoundError):
        if os.geteuid() == 0 and database.stat().st_uid != database.parent.stat().st_uid:
            raise StorageUnavailable(f"{database} and its folder have different owners")


def _copy(source: Path, part: Path, kind: DatabaseKind) -> RowCounts:
    """Copy what is committed, verify the copy, and flush it to the disk."""
    if not source.is_file():
        raise StorageUnavailable(f"{source} is not there")
    with translated(source), closing(connect(source, BUSY_S, mode="rw")) as db:
        db.execute("BEGIN")  # all that follows reads the same state
        _check_kind(db, source, kind)
        counts = _counts(db, kind)
        with translated(part), closing(_unlocked(part, "mode=rw&nolock=1")) as copy:
            copy.execute("PRAGMA journal_mode = OFF")
            db.backup(copy)
    with translated(part):
        with part.open("rb+") as file:
            file.seek(18)
            file.write(_ROLLBACK_JOURNAL)
        with translated(source), closing(_unlocked(part, "mode=ro&immutable=1")) as copy:
            _check_content(copy, source, kind, counts)
        _flush(part)
    return counts


def _unlocked(path: Path, options: str) -> sqlite3.Connection:
    """Open a file that only this process has."""
    uri = f"{path.absolute().as_uri()}?{options}"
    return sqlite3.connect(uri, isolation_level=None, uri=True)


def _check_kind(
    db: sqlite3.Connection, path: Path, kind: DatabaseKind, *, may_be_newer: bool = False
) -> None:
    version = db.execute("PRAGMA user_version").fetchone()[0]
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if not version or not tables.issuperset(kind.tables):
        raise StorageUnavailable(f"{path} is no database of {kind.owner}")
    if version > kind.version and not may_be_newer:
        raise StoreMigrated(
            f"{path} has schema version {version}; this program knows up to {kind.version}"
        )


def _counts(db: sqlite3.Connection, kind: DatabaseKind) -> RowCounts:
    return {name: db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in kind.tables}


def _check_content(
    copy: sqlite3.Connection, source: Path, kind: DatabaseKind, counts: RowCounts
) -> None:
    (found,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        raise StorageUnavailable(f"{source} is damaged: {found}")
    _check_kind(copy, source, kind)
    if _counts(copy, kind) != counts:
        raise StorageUnavailable(f"the copy of {source} does not have all of its rows")


# Files.


@contextmanager
def _unfinished(path: Path) -> Iterator[Path]:
    """Yield an empty file beside `path`, for this process alone, that is removed if it stays."""
    part = path.with_name(f"{path.name}.part")
    with translated(part):
        _remove_left_over(part)
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with translated(part):
            _lock_for_one(descriptor, part)
        try:
            yield part
        finally:
            with suppress(FileNotFoundError):
                part.unlink()
            _remove_beside(part)
    finally:
        os.close(descriptor)


def _remove_left_over(part: Path) -> None:
    """Remove what a killed run has left, unless one is writing it.

    It is removed and not written over: its content may have its final name already.
    """
    try:
        descriptor = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise StorageUnavailable(f"{part} is no file of a backup: remove it")
        _lock_for_one(descriptor, part)
        part.unlink()
        _remove_beside(part)
    finally:
        os.close(descriptor)


def _lock_for_one(descriptor: int, part: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StorageUnavailable(f"{part} is being written by another process") from None
    _check_same(descriptor, part)


def _check_same(descriptor: int, path: Path) -> None:
    """Raise StorageUnavailable if what was opened does not have this name any more."""
    try:
        is_same = os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        is_same = False
    if not is_same:
        raise StorageUnavailable(f"{path} has just been replaced by another process")


def _remove_beside(path: Path) -> None:
    for suffix in _BESIDE:
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _rename_to_new(part: Path, target: Path) -> None:
    """Rename a file where nothing has the name."""
    try:
        os.link(part, target)
    except FileExistsError:
        raise StorageUnavailable(f"{target} exists, and a backup replaces nothing") from None
    except OSError as error:
        if error.errno not in _NO_LINKS:  # as on an exFAT disk
            raise
        part.rename(target)
    else:
        part.unlink()
    _flush(target.parent)


def _take_owner(part: Path, database: Path) -> None:
    """Let those use the new file who could use the old one; root gives it to its owner."""
    owner = database.stat() if database.stat().st_size else database.parent.stat()
    if os.geteuid() == 0:
        os.chown(part, owner.st_uid, owner.st_gid)
    part.chmod(database.stat().st_mode & 0o770)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _used_by_nobody(database: Path, kind: DatabaseKind) -> Iterator[None]:
    """Keep SQLite's users of a database away. Raises: StorageUnavailable, where there are any.

    No other descriptor of the file may be closed meanwhile: that would release the lock.
    """
    if database.stat().st_size:
        _merge_log(database, kind)
    descriptor = os.open(database, os.O_RDWR)
    try:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, _LOCK_BYTES, _LOCK_BYTE)
        except (BlockingIOError, PermissionError):
            raise _in_use(database) from None
        _check_same(descriptor, database)
        yield
    finally:
        os.close(descriptor)


def _merge_log(database: Path, kind: DatabaseKind) -> None:
    """Bring what is in the write-ahead log into the file, unless the file is damaged."""
    with closing(connect(database, 0.5, mode="rw")) as db:
        try:
            _check_kind(db, database, kind, may_be_newer=True)
            db.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.DatabaseError as error:
            code = error.sqlite_errorcode & 0xFF
            if code == sqlite3.SQLITE_BUSY:
                raise _in_use(database) from error
            if code not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                raise


def _in_use(database: Path) -> StorageUnavailable:
    return StorageUnavailable(f"{database} is in use: stop what has it open, and try again")


def _keep(database: Path) -> Path | None:
    """Give a database, with what is beside it, a second name; leave nothing beside it."""
    if not database.stat().st_size:
        return None
    at = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    for number in count(1):
        kept = database.with_name(f"{database.name}.before-{at}" + f"-{number}" * (number > 1))
        try:
            os.link(database, kept)
            break
        except FileExistsError:
            continue
    for suffix in ("-wal", "-journal"):  # of a damaged one: they may hold what it lacks
        with suppress(FileNotFoundError):
            os.link(f"{database}{suffix}", f"{kept}{suffix}")
    _flush(database.parent)
    _remove_beside(database)
    return kept
