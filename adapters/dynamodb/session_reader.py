"""The logs of the DynamoDB store: how one is read, and what is put right in the background."""

import asyncio
import logging
import secrets
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from adapters.dynamodb.client import ConditionFailed, Dynamo, TransactionFailed, bounded
from adapters.dynamodb.head_state import Tail, Tails, tail_of
from adapters.dynamodb.items import (
    FIRST_ENTRY,
    HEAD,
    Item,
    due_slot,
    entries_of,
    entry_sk,
    first_seq,
    head_of,
    number,
    pack_head,
    recency_slot,
    session_pk,
)
from application.ports import RECENT, Clock
from domain.errors import StorageUnavailable
from domain.identity import SessionId
from domain.message import Entry
from domain.session import Session

log = logging.getLogger(__name__)

TIDIED_S = 1.0
"""A listing waits no longer for what is being tidied: its answer does not depend on it."""
MAX_TIDYING = 200
"""Tidyings at once; what there is no room for is done after the session's next entry."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A session as a strongly consistent Query shows it."""

    session: Session
    entries: list[Entry]
    """Its newest ones, oldest first: RECENT or more, where there are so many."""
    tail: Tail


class Logs:
    """The sessions in a table, and what this process knows of their ends."""

    def __init__(self, db: Dynamo, clock: Clock, retention: timedelta | None) -> None:
        self.db = db
        self.tails = Tails(clock.now)
        self._clock = clock
        self._retention = retention
        self._tidying: set[asyncio.Task[None]] = set()

    async def see(self, session_id: SessionId, *, mend: bool = True) -> Seen | None:
        """The session as it is now; None: there is none, or it is erased or has expired."""
        pk = session_pk(session_id)
        head, *items = await self.newest(pk, HEAD, RECENT + 1) or [{}]
        if "q" not in head or (items and "x" in items[0]):
            return None
        # Hardly ever is the head further behind than the entries that came with it.
        missing = int(head["q"]["N"]) + 1
        while items and (first := first_seq(items[-1])) > missing:
            older = await self.newest(pk, entry_sk(first - 1), RECENT)
            if not older:
                break
            items += older
        return self._seen(head, items, mend)

    async def try_to_see(self, session_id: SessionId, *, mend: bool = True) -> Seen | None:
        """`see`, for who looks at many: one that cannot be read keeps nobody from the others."""
        try:
            return await self.see(session_id, mend=mend)
        except (msgspec.MsgspecError, KeyError, ValueError):
            extra = {"action": "session_unreadable", "session_id": session_id}
            log.exception("A session cannot be read", extra=extra)
            return None

    async def newest(self, pk: str, below: str, limit: int) -> list[Item]:
        """Items of entries, and the head, with sort keys up to `below`, the newest first."""
        return await self.db.query(
            limit,
            KeyConditionExpression="PK = :pk AND SK BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":pk": {"S": pk},
                ":first": {"S": FIRST_ENTRY},
                ":last": {"S": below},
            },
            ScanIndexForward=False,
        )

    def _seen(self, head: Item, items: list[Item], mend: bool) -> Seen | None:
        session = head_of(head)
        entries = [entry for item in reversed(items) for entry in entries_of(item)]
        for entry in entries:
            if entry.seq > session.seq:
                session = session.after(entry)
        if not session.is_open and self.has_expired(session.updated_at):
            return None
        tail = self.tails.keep(session.session_id, tail_of(head, items, session.seq))
        if mend:
            self.tidy(session, tail, {})
        return Seen(session, self.kept(entries), tail)

    def kept(self, entries: list[Entry]) -> list[Entry]:
        """Those that have not expired: what has may be there for days, until DynamoDB deletes."""
        if self._retention is None:
            return entries
        return [entry for entry in entries if not self.has_expired(entry.at)]

    def has_expired(self, at: datetime) -> bool:
        """Whether what was said then is no longer to be shown."""
        oldest = self.oldest_shown()
        return oldest is not None and at <= oldest

    def oldest_shown(self) -> datetime | None:
        """What was said until then is no longer to be shown; None: everything is."""
        return None if self._retention is None else self._clock.now() - self._retention

    def tidy(self, session: Session, tail: Tail, needless: Mapping[str, str]) -> None:
        """Write the head if it lags, and take needless slots of entries away: soon, or never.

        Nothing depends on it but what later reads cost, and how long a listing takes to show it.
        """
        if tail.head_lags(session):
            self._soon(session.session_id, self._write_head(session, tail.recency_lags(session)))
            tail.head_written(session)
        if needless:
            self._soon(session.session_id, self._take_slots(session.session_id, needless))

    def repair(self, seen: Seen, needless: Mapping[str, str]) -> None:
        """Have `due` find the session when it is due, and not before: soon, or another time.

        `needless`: slots of entries, by their sort key; the head's will do for all of them.
        """
        self._soon(seen.session.session_id, self._repair(seen, needless))

    def _soon(self, session_id: SessionId, work: Coroutine[Any, Any, None]) -> None:
        if len(self._tidying) >= MAX_TIDYING:
            work.close()
            self.tails.forget(session_id)
            return
        task = asyncio.create_task(self._try(session_id, work))
        self._tidying.add(task)
        task.add_done_callback(self._tidying.discard)

    async def _try(self, session_id: SessionId, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except (ConditionFailed, TransactionFailed):
            self.tails.forget(session_id)  # somebody else has moved on, or erased it
        except StorageUnavailable as error:
            self.tails.forget(session_id)
            log.debug("Tidying failed", extra={"action": "tidy_failed", "reason": str(error)})

    async def tidied(self, within_s: float | None = None) -> None:
        """Return when what was to be tidied is, or after so long."""
        if self._tidying:
            await asyncio.wait(self._tidying, timeout=within_s)

    @bounded
    async def _write_head(self, session: Session, with_recency: bool) -> None:
        values = {"b": {"B": pack_head(session)}, "q": number(session.seq)}
        change = "SET b = :b, q = :q"
        if with_recency:
            change += ", lS = :l"
            values["l"] = recency_slot(session)
        pk = session_pk(session.session_id)
        await self.db.update(pk, HEAD, change, "q < :q", **values)

    @bounded
    async def _take_slots(self, session_id: SessionId, slots: Mapping[str, str]) -> None:
        pk = session_pk(session_id)
        for sk, slot in slots.items():
            await self.db.update(pk, sk, "REMOVE wP, wS", "wS = :slot", slot={"S": slot})

    @bounded
    async def _repair(self, seen: Seen, needless: Mapping[str, str]) -> None:
        session_id, due = seen.session.session_id, seen.tail.due
        if seen.tail.head_due != due:
            await self.db.transact(self._head_slot(seen), secrets.token_hex(16))
            self.tails.forget(session_id)
        await self._take_slots(session_id, needless)

    def _head_slot(self, seen: Seen) -> list[Item]:
        """Move the head's slot, if it is where it was seen and the log has not grown."""
        pk = session_pk(seen.session.session_id)
        was = due_slot(seen.session.session_id, seen.tail.head_due)
        now = due_slot(seen.session.session_id, seen.tail.due)
        change = "SET wP = :partition, wS = :now" if now else "REMOVE wP, wS"
        values = {"partition": now["wP"], "now": now["wS"]} if now else {}
        if was:
            condition, values["was"] = "wS = :was", was["wS"]
        else:
            condition = "attribute_exists(q) AND attribute_not_exists(wS)"
        next_sk = entry_sk(seen.tail.seq + 1)
        return [
            {"Update": self.db.updating(pk, HEAD, change, condition, **values)},
            {"ConditionCheck": self.db.checking(pk, next_sk, "attribute_not_exists(PK)")},
        ]
