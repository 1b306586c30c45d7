"""Deletion of what has expired, in batches so small that they hold up no writer.

The rows of each table are in the order of time: what has expired comes first.
"""

import sqlite3
from datetime import datetime

import msgspec

from adapters.sqlite.file import PROMOTE

PRUNED_AT_ONCE = 500
"""The most rows of a table that one batch deletes."""
_CLOSED_SESSIONS = 50
"""The most sessions that one batch deletes; their entries count for PRUNED_AT_ONCE."""


class _Dated(msgspec.Struct):
    """An entry, as far as its age matters."""

    at: datetime


_decode = msgspec.json.Decoder(_Dated).decode


def has_old_rows(db: sqlite3.Connection, until: int, keys_until: int) -> bool:
    """Return whether `prune` has something to delete. Times are in milliseconds."""
    entry = db.execute("SELECT body FROM entries ORDER BY rowid LIMIT 1").fetchone()
    if entry is not None and _ms(_decode(entry[0]).at) <= until:
        return True
    firsts = db.execute(
        """SELECT
            EXISTS (SELECT 1 FROM sessions WHERE status = 'closed' AND updated_at <= ?1),
            (SELECT due_at FROM outbox ORDER BY rowid LIMIT 1) <= ?1,
            (SELECT at FROM keys ORDER BY number LIMIT 1) <= ?2""",
        (until, keys_until),
    ).fetchone()
    return any(firsts)


def prune(db: sqlite3.Connection, until: int, keys_until: int) -> None:
    """Delete a batch of entries, notices, closed sessions and keys that are as old, or older."""
    _prune_entries(db, until)
    _prune_notices(db, until)
    _prune_sessions(db, until)
    db.execute(
        """DELETE FROM keys WHERE number IN
            (SELECT number FROM keys ORDER BY number LIMIT ?) AND at <= ?""",
        (PRUNED_AT_ONCE, keys_until),
    )


def _prune_entries(db: sqlite3.Connection, until: int) -> None:
    oldest = db.execute("SELECT rowid, body FROM entries ORDER BY rowid LIMIT ?", (PRUNED_AT_ONCE,))
    expired = [(rowid,) for rowid, body in oldest if _ms(_decode(body).at) <= until]
    db.executemany("DELETE FROM entries WHERE rowid = ?", expired)


def _prune_notices(db: sqlite3.Connection, until: int) -> None:
    """Delete notices, dead letters among them, and let those behind them in their lanes be due."""
    deleted = db.execute(
        """DELETE FROM outbox WHERE rowid IN (SELECT rowid FROM outbox ORDER BY rowid LIMIT ?)
            AND due_at <= ? RETURNING session_id, lane""",
        (PRUNED_AT_ONCE, until),
    ).fetchall()
    for place in set(deleted):
        first = "SELECT 1 FROM outbox WHERE session_id = ? AND lane = ? AND ready_at IS NOT NULL"
        if db.execute(first, place).fetchone() is None:
            db.execute(PROMOTE, place)


def _prune_sessions(db: sqlite3.Connection, until: int) -> None:
    """Delete closed sessions; one with more entries than a batch has room for is deleted later."""
    closed = db.execute(
        """SELECT session_id FROM sessions WHERE status = 'closed' AND updated_at <= ?
            ORDER BY updated_at LIMIT ?""",
        (until, _CLOSED_SESSIONS),
    ).fetchall()
    room = PRUNED_AT_ONCE
    for session in closed:
        room -= db.execute(
            """DELETE FROM entries WHERE rowid IN
                (SELECT rowid FROM entries WHERE session_id = ? LIMIT ?)""",
            (*session, room),
        ).rowcount
        if room <= 0:
            return
        db.execute("DELETE FROM outbox WHERE session_id = ?", session)
        db.execute("DELETE FROM sessions WHERE session_id = ?", session)


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
