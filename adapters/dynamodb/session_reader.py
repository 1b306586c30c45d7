"""Reads the sessions of the DynamoDB store, and maintains their slots in the background."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from adapters.dynamodb.client import ConditionFailed, Dynamo, TransactionFailed, bounded
from adapters.dynamodb.head_state import HeadState, HeadStateCache
from adapters.dynamodb.items import (
    FIRST_ENTRY,
    HEAD,
    Item,
    due_slot,
    entries_of,
    entry_sk,
    first_seq,
    head_of,
    session_pk,
)
from application.ports import RECENT, Clock
from domain.errors import StorageUnavailable
from domain.identity import SessionId
from domain.message import Entry
from domain.session import Session

logger = logging.getLogger(__name__)

MAX_BACKGROUND_TASKS = 200
"""Above this limit a slot is left to the sweep that finds it."""


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
        # The head is hardly ever further behind than the entries that came with it.
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
        return await self._db.query(
            limit,
            KeyConditionExpression="PK = :pk AND SK BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":pk": {"S": pk},
                ":first": {"S": FIRST_ENTRY},
                ":last": {"S": below},
            },
            ScanIndexForward=False,
        )

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
