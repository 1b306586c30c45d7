"""Reads the sessions of the DynamoDB store, and remembers what their heads are like.

The newest item of entries holds in `d` when the sweep must look at the session. So that it is
found by then without a write to the head at each entry, some item of the session has a slot in the
index `due` that is never later: the head, or entries that are due earlier than those before them.
A writer that moves a slot to a later time, or removes one, must know that another one suffices.
Three rules ensure that, whoever else writes to the session at the same time:

- entries have a slot of their own if they are due earlier than those before them, which the
  conditional put of their seq has proven to be the newest;
- the head's slot moves only together with the proof that the log has not grown meanwhile, and
  never to a later time than the newest entries are due at;
- the slot of entries is removed when the newest ones are due no earlier than any that came since
  the head was read: another process can have moved the head's slot no later than that.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Self

import msgspec

from adapters.dynamodb.client import ConditionFailed, Dynamo, TransactionFailed, bounded
from adapters.dynamodb.items import (
    FIRST_ENTRY,
    HEAD,
    KEYS,
    NEVER,
    Item,
    due_slot,
    entries_of,
    entry_sk,
    first_seq,
    head_of,
    ms,
    query_of,
    session_pk,
    stamped,
)
from application.ports import RECENT, Clock
from domain.errors import StorageUnavailable
from domain.identity import SessionId
from domain.message import Entry
from domain.session import Session

logger = logging.getLogger(__name__)

MAX_RECENCY_LAG_MS = 30_000
"""The time by which a head's slot in the listings may be behind the newest entry."""
MAX_HEAD_LAG = 16
"""The most entries by which a head may be behind, so that one page of the log reaches it."""
MAX_CACHED_HEADS = 20_000
CACHE_LIFETIME = timedelta(hours=12)
"""Shorter than the life of the items that refuse a late writer: the end of a log, a tombstone or
the entry that closes. After them only an absent item would be found."""
MAX_BACKGROUND_TASKS = 200
"""Above this limit a slot is left to the sweep that finds it."""


@dataclass(slots=True)
class HeadState:
    """The end of a session's log, and what its head says. Times are milliseconds since 1970."""

    seq: int
    """The newest entry's."""
    due: int
    """The time at which the sweep must look at the session."""
    head_seq: int
    head_at: int
    """The time of the head's slot in the listings."""
    latest_due: int
    """The latest time at which any newest entry was due, or the head, since the head was read."""
    slots: dict[str, str] = field(default_factory=dict)
    """Slots of entries in the index `due`, by the sort key of the item."""
    cached_at: datetime | None = None

    @classmethod
    def written(cls, session: Session, due: int) -> Self:
        """Return the state after the head was written together with the newest entries."""
        return cls(
            seq=session.seq,
            due=due,
            head_seq=session.seq,
            head_at=ms(session.updated_at),
            latest_due=due,
        )

    @classmethod
    def read(cls, head: Item, entries: Sequence[Item], seq: int) -> Self:
        """Return the state of a head and the newest items of entries, the newest one first."""
        head_due = _slot_ms(head)
        due = _due_ms(entries[0]) if entries else head_due
        return cls(
            seq=seq,
            due=due,
            head_seq=int(head["q"]["N"]),
            head_at=stamped(head["lS"]),
            # A Query is no snapshot: some of the entries may be newer than the head.
            latest_due=max([head_due, *map(_due_ms, entries)]),
            slots={item["SK"]["S"]: item["wS"]["S"] for item in entries if "wS" in item},
        )

    def needs_slot(self, due: int) -> bool:
        """Return True if the next entries, due at `due`, need a slot of their own."""
        return due < self.due

    def advance(self, session: Session, due: int, *, with_head: bool) -> dict[str, str]:
        """Add new entries, after which the session is `session`, perhaps with its head.

        Returns the slots that are obsolete now, and are forgotten here.
        """
        self.seq, self.due = session.seq, due
        if with_head:
            self.head_seq, self.head_at = session.seq, ms(session.updated_at)
        obsolete: dict[str, str] = {}
        if due >= self.latest_due:
            self.latest_due = due
            obsolete, self.slots = self.slots, {}
        return obsolete

    def lags(self, session: Session) -> bool:
        """Return True if the head must be written with the entries that lead to `session`."""
        age = ms(session.updated_at) - self.head_at  # negative, when clocks have gone back
        return session.seq - self.head_seq >= MAX_HEAD_LAG or not 0 <= age < MAX_RECENCY_LAG_MS


def _due_ms(item: Item) -> int:
    return int(item["d"]["N"]) if "d" in item else NEVER


def _slot_ms(item: Item) -> int:
    """Return the time of an item's slot in the index `due`; NEVER: it has none."""
    return stamped(item["wS"]) if "wS" in item else NEVER


class HeadStateCache:
    """The states of the sessions read or written last. Hints: the put of a seq decides."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._states: dict[SessionId, HeadState] = {}

    def get(self, session_id: SessionId) -> HeadState | None:
        """Return the state of the session, unless it is too old to be relied on."""
        state = self._states.get(session_id)
        if state is None or (state.cached_at and self._now() - state.cached_at < CACHE_LIFETIME):
            return state
        self.forget(session_id)
        return None

    def keep(self, session_id: SessionId, state: HeadState) -> HeadState:
        """Store the state, unless a newer one is known. Returns the newer one."""
        known = self._states.pop(session_id, None)
        state.cached_at = self._now()
        if known is not None and known.seq > state.seq:
            state = known
        self._states[session_id] = state
        if len(self._states) > MAX_CACHED_HEADS:
            del self._states[next(iter(self._states))]
        return state

    def forget(self, session_id: SessionId) -> None:
        """Drop the state, so that the session is read before the next write."""
        self._states.pop(session_id, None)


@dataclass(frozen=True, slots=True)
class SessionSnapshot:
    """A session as a strongly consistent Query has read it."""

    session: Session
    entries: list[Entry]
    """Its newest ones, oldest first: RECENT or more, where there are so many."""
    state: HeadState


class SessionReader:
    """Reads sessions from the log, and caches the states of their heads."""

    def __init__(self, db: Dynamo, clock: Clock, retention: timedelta | None) -> None:
        self._db = db
        self._clock = clock
        self._retention = retention
        self._tasks: set[asyncio.Task[None]] = set()
        self.states = HeadStateCache(clock.now)

    async def read(self, session_id: SessionId) -> SessionSnapshot | None:
        """Read the session; None: there is none, or it was erased or has expired."""
        pk = session_pk(session_id)
        head, *items = await self.newest_items(pk, HEAD, RECENT + 1) or [{}]
        if "q" not in head or (items and "x" in items[0]):
            return None
        # Only an earlier version has left a head further behind than the entries that came with it.
        missing = int(head["q"]["N"]) + 1
        while items and (first := first_seq(items[-1])) > missing:
            older = await self.newest_items(pk, entry_sk(first - 1), RECENT)
            if not older:
                break
            items += older
        return self._snapshot(head, items)

    async def try_read(self, session_id: SessionId) -> SessionSnapshot | None:
        """Like `read`, but logs and skips a session that cannot be decoded (for listings)."""
        try:
            return await self.read(session_id)
        except (msgspec.MsgspecError, KeyError, ValueError):
            extra = {"action": "session_unreadable", "session_id": session_id}
            logger.exception("A session cannot be read", extra=extra)
            return None

    async def newest_items(self, pk: str, below: str, limit: int) -> list[Item]:
        """Read items of entries, and the head, with sort keys up to `below`, newest first."""
        return await self._db.query(limit, **query_of(pk, FIRST_ENTRY, below, newest_first=True))

    def _snapshot(self, head: Item, items: list[Item]) -> SessionSnapshot | None:
        session = head_of(head)
        entries = [entry for item in reversed(items) for entry in entries_of(item)]
        for entry in entries:
            if entry.seq > session.seq:
                session = session.after(entry)
        if not session.is_open and self._has_expired(session.updated_at):
            return None
        read = HeadState.read(head, items, session.seq)
        state = self.states.keep(session.session_id, read)
        return SessionSnapshot(session, self.unexpired(entries), state)

    def unexpired(self, entries: list[Entry]) -> list[Entry]:
        """Filter out expired entries, which DynamoDB may delete only days later."""
        if self._retention is None:
            return entries
        return [entry for entry in entries if not self._has_expired(entry.at)]

    def _has_expired(self, at: datetime) -> bool:
        expired_until = self.expired_until()
        return expired_until is not None and at <= expired_until

    def expired_until(self) -> datetime | None:
        """Return the time of the newest entries that have expired; None: nothing expires."""
        return None if self._retention is None else self._clock.now() - self._retention

    def remove_slots(self, session_id: SessionId, obsolete: Mapping[str, str]) -> None:
        """Remove slots of entries, by their sort key, in the background. It may fail."""
        if obsolete:
            self._start(session_id, self._remove_slots(session_id, obsolete))

    def repair(self, snapshot: SessionSnapshot, obsolete: Mapping[str, str]) -> None:
        """Move the head's slot in the index `due` to when the session is due, in the background.

        It may fail. `obsolete`: slots of entries, by their sort key, which the head's replaces.
        """
        self._start(snapshot.session.session_id, self._repair(snapshot, obsolete))

    def _start(self, session_id: SessionId, work: Coroutine[Any, Any, None]) -> None:
        if len(self._tasks) >= MAX_BACKGROUND_TASKS:
            work.close()
            self.states.forget(session_id)
            return
        task = asyncio.create_task(self._run(session_id, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, session_id: SessionId, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except (ConditionFailed, TransactionFailed):
            self.states.forget(session_id)  # another process has written to it, or erased it
        except StorageUnavailable as error:
            self.states.forget(session_id)
            extra = {"action": "maintenance_failed", "reason": str(error)}
            logger.debug("A background write failed", extra=extra)

    async def wait_for_background(self) -> None:
        """Return when the background writes are done."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    @bounded
    async def _remove_slots(self, session_id: SessionId, slots: Mapping[str, str]) -> None:
        pk = session_pk(session_id)
        for sk, slot in slots.items():
            await self._db.update(pk, sk, "REMOVE wP, wS", "wS = :slot", slot={"S": slot})

    @bounded
    async def _repair(self, snapshot: SessionSnapshot, obsolete: Mapping[str, str]) -> None:
        """Move the head's slot, if the log has not grown, and then remove those of entries."""
        session_id, state = snapshot.session.session_id, snapshot.state
        pk, slot = session_pk(session_id), due_slot(session_id, state.due)
        change = "SET wP = :wP, wS = :wS" if slot else "REMOVE wP, wS"
        next_sk = entry_sk(state.seq + 1)
        await self._db.transact(
            [
                self._db.update_action(pk, HEAD, change, "attribute_exists(q)", **slot),
                self._db.check_action(pk, next_sk, "attribute_not_exists(PK)"),
            ]
        )
        self.states.forget(session_id)
        await self._remove_slots(session_id, obsolete)


async def merged(db: Dynamo, requests: Sequence[Item], limit: int) -> tuple[list[Item], bool]:
    """Read up to `limit` rows from each of several partitions, in the order of their sort keys.

    `requests`: the Queries, all of one index and in one direction. Rows behind the last one
    that was read from a partition with more are left out, as some of that may come before them.
    Returns the rows, and whether there are more.
    """
    pages = await asyncio.gather(*(db.query(limit, **request) for request in requests))
    is_reverse = "ScanIndexForward" in requests[0]
    _, slot = KEYS[requests[0].get("IndexName")]

    def order(row: Item) -> str:
        return str(row[slot]["S"])

    rows = sorted(chain.from_iterable(pages), key=order, reverse=is_reverse)
    ends = [order(page[-1]) for page in pages if len(page) == limit]
    if is_reverse:
        return [row for row in rows if order(row) >= max(ends, default="")], bool(ends)
    return [row for row in rows if not ends or order(row) <= min(ends)], bool(ends)
