"""The listing of sessions, and the erasure of a customer from the table."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from math import ceil

from adapters.dynamodb.client import (
    MAX_BATCH_WRITE,
    MAX_TRANSACTION,
    ConditionFailed,
    Dynamo,
    bounded,
)
from adapters.dynamodb.items import (
    HEAD,
    KEYS,
    OPEN,
    SHARDS,
    Item,
    business_partition,
    customer_pk,
    entries_of,
    entry_sk,
    key,
    key_of,
    moment,
    ms,
    number,
    query_of,
    session_pk,
    stamp,
    status_partition,
)
from adapters.dynamodb.session_reader import MAX_RECENCY_LAG_MS, SessionReader, merged
from application.page_cursor import decode_cursor, encode_cursor
from application.ports import Archive, Clock, Erased, SessionPage
from domain.identity import BusinessId, Customer, SessionId
from domain.message import Message
from domain.session import Session
from domain.status import Status

_CONCURRENCY = 16
"""Sessions, or keys, that are requested at the same time."""
_DAY_MS = 24 * 3600 * 1000
_MAX_LAG_MS = MAX_RECENCY_LAG_MS + 10_000
"""The time by which a head's slot in the listings may be behind, including its write."""
_TOMBSTONE_LIFETIME = timedelta(days=7)
"""Longer than any append takes that was decided before an erasure."""
_POINTER = "S#"
_PAGE = 50
"""Rows that are read from a partition of an index at a time."""
_ABOVE_ALL = "~"

Position = tuple[datetime, SessionId]
"""The place of a session in a listing."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows that a listing reads: each has a session's id behind a time, the newest first."""

    index: str | None
    partitions: Mapping[str, int]
    """Their names → the time in milliseconds since which their rows are listed."""
    prefix: str = ""
    """What comes before the time."""
    early_ms: int = 0
    late_ms: int = 0
    """The time by which a session's newest entry may be earlier or later than its row."""

    def requests(self, upto: str) -> list[Item]:
        """Return the Queries of all partitions, of rows up to that of `upto`."""
        last, index = self.prefix + upto, self.index
        return [
            query_of(name, first, last, index=index, newest_first=True)
            for name, since in self.partitions.items()
            if (first := self.prefix + stamp(since)) <= last
        ]

    def slot(self, row: Item) -> str:
        """Return the time and the session's id of a row."""
        slot: str = row[KEYS[self.index][1]]["S"]
        return slot.removeprefix(self.prefix)

    def position(self, slot: str, session: Session) -> Position:
        """Return the session's position, clamped so that a stale row cannot leave its page."""
        at = int(slot[:13])
        first, last = moment(at - self.early_ms), moment(at + self.late_ms)
        return min(max(session.updated_at, first), last), session.session_id


class DynamoArchive(Archive):
    """Lists sessions by their heads, and erases them by the customer's partition."""

    def __init__(self, db: Dynamo, clock: Clock, reader: SessionReader) -> None:
        self._db = db
        self._clock = clock
        self._reader = reader

    @bounded
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
        below = decode_cursor(cursor, SessionId) if cursor is not None else None

        def is_wanted(session: Session) -> bool:
            of = session.customer
            return (
                (business_id is None or of.business_id == business_id)
                and (status is None or session.status is status)
                and (customer is None or of == customer)
            )

        rows = self._rows(business_id, status, customer)
        found = await self._newest(rows, is_wanted, below, limit + 1)
        page = found[:limit]
        sessions = tuple(session for _, session in page)
        return SessionPage(sessions, encode_cursor(*page[-1][0]) if len(found) > limit else None)

    def _rows(
        self, business_id: BusinessId | None, status: Status | None, customer: Customer | None
    ) -> _Rows:
        if customer is not None:
            # A session is opened when the one before is closed, by clocks that agree that far.
            own = {customer_pk(customer): 0}
            return _Rows(None, own, prefix=_POINTER, early_ms=_DAY_MS, late_ms=_DAY_MS)
        statuses = {of: self._listed_since(of) for of in ([status] if status else Status)}
        names: dict[str, int] = {}
        for (of, since), of_shard in product(statuses.items(), range(SHARDS)):
            if business_id is not None:
                names[business_partition(business_id, of, of_shard)] = since
            else:
                names[status_partition(of, of_shard)] = since
        if business_id is not None:
            return _Rows("by_business", names, late_ms=_MAX_LAG_MS)
        return _Rows("by_status", names, late_ms=_MAX_LAG_MS)

    def _listed_since(self, status: Status) -> int:
        """Return the time at which a listing of this status ends: closed sessions expire."""
        expired = self._reader.expired_until() if status is Status.CLOSED else None
        return 0 if expired is None else ms(expired) - _MAX_LAG_MS

    async def _newest(
        self,
        rows: _Rows,
        is_wanted: Callable[[Session], bool],
        below: Position | None,
        limit: int,
    ) -> list[tuple[Position, Session]]:
        """Return the newest `limit` sessions, and those that were read to be sure of them."""
        found: dict[SessionId, tuple[Position, Session]] = {}
        ranked: list[tuple[Position, Session]] = []
        async for chunk in self._chunks(rows, below):
            snapshots = await asyncio.gather(
                *(self._reader.try_read(SessionId(slot[14:])) for slot in chunk)
            )
            for slot, snapshot in zip(chunk, snapshots, strict=True):
                if snapshot is not None and is_wanted(snapshot.session):
                    position = rows.position(slot, snapshot.session)
                    if below is None or position < below:
                        found.setdefault(position[1], (position, snapshot.session))
            ranked = sorted(found.values(), key=lambda each: each[0], reverse=True)
            sure_until = moment(int(chunk[-1][:13]) + rows.late_ms)
            if len(ranked) >= limit and ranked[limit - 1][0][0] > sure_until:
                break
        return ranked

    async def _chunks(self, rows: _Rows, below: Position | None) -> AsyncIterator[list[str]]:
        """Read the slots of all partitions in order, the newest first, some at a time."""
        upto = _ABOVE_ALL if below is None else stamp(ms(below[0]) + rows.early_ms + 1)
        has_more = True
        while has_more and (requests := rows.requests(upto)):
            items, has_more = await merged(self._db, requests, _PAGE)
            slots = [slot for item in items if (slot := rows.slot(item)) != upto]
            for start in range(0, len(slots), _CONCURRENCY):
                yield slots[start : start + _CONCURRENCY]
            upto = slots[-1] if slots else upto

    async def erase(self, customer: Customer) -> Erased:
        """Erase everything stored of the customer. Idempotent; a repeat counts zero.

        What remains of a session for a week are tombstones with its random id, which refuse
        appends that were decided earlier. An interrupted erasure continues when it is repeated,
        and its receipt includes what was erased before. Each step has a deadline, the whole has
        none.
        """
        items = await self._items(customer_pk(customer))
        erased = {_session_of(item) for item in items if _is_pointer(item)}
        for session_id in sorted(erased):
            await self._close_log(session_pk(session_id))
        # Before the long part: while this item says that a session is open, none can be opened.
        newest = [item for item in await self._items_of(customer, erased) if _is_newest(item)]
        await self._delete(newest)
        counts = [await self._erase_session(session_id) for session_id in sorted(erased)]
        while left := await self._items_of(customer, erased):
            await self._delete(left)
        messages, notices = (sum(column) for column in zip((0, 0), *counts, strict=True))
        return Erased(len(erased), messages, notices)

    async def _items_of(self, customer: Customer, sessions: set[SessionId]) -> list[Item]:
        """Read the customer's items of these sessions, without those opened meanwhile."""
        items = await self._items(customer_pk(customer))
        return [item for item in items if _session_of(item) in sessions]

    async def _delete(self, items: Sequence[Item]) -> None:
        """Delete items of a customer: pointers last, and at once: a repeat counts by them."""
        others = [item for item in items if not _is_pointer(item)]
        for start in range(0, len(others), _CONCURRENCY):
            chunk = others[start : start + _CONCURRENCY]
            await asyncio.gather(*(self._delete_unless_replaced(item) for item in chunk))
        pointers = [item for item in items if _is_pointer(item)]
        for start in range(0, len(pointers), MAX_TRANSACTION):
            await self._delete_pointers(pointers[start : start + MAX_TRANSACTION])

    @bounded
    async def _delete_unless_replaced(self, item: Item) -> None:
        with suppress(ConditionFailed):  # it belongs to a new session by now, or is gone
            await self._db.delete(*key_of(item), "sid = :own", own=item["sid"])

    @bounded
    async def _delete_pointers(self, pointers: Sequence[Item]) -> None:
        await self._db.transact([self._db.delete_action(*key_of(item)) for item in pointers])

    async def _erase_session(self, session_id: SessionId) -> tuple[int, int]:
        """Return how many messages and notices it had, including those erased earlier."""
        pk = session_pk(session_id)
        self._reader.states.forget(session_id)
        while True:
            erased, counts, after = 0, (0, 0), ""
            while items := await self._next_items(pk, after):
                after = items[-1]["SK"]["S"]
                live = [item for item in items if "x" not in item]
                if live:
                    await self._replace_by_tombstones(live)
                erased += len(live)
                counts = counts[0] + _sum_of(items, "n"), counts[1] + _sum_of(items, "k")
            if not erased:
                return counts

    @bounded
    async def _close_log(self, pk: str) -> None:
        """Put a tombstone at the log's next seq, so that no later append succeeds."""
        while (seq := await self._next_seq(pk)) is not None:
            tombstone = self._tombstone(key(pk, entry_sk(seq)))
            try:
                return await self._db.put(tombstone, "attribute_not_exists(PK)")
            except ConditionFailed:
                continue

    async def _next_seq(self, pk: str) -> int | None:
        """Return the seq after the newest entry; None: a tombstone ends the log."""
        items = await self._reader.newest_items(pk, HEAD, 2)
        newest = next((item for item in items if item["SK"]["S"] != HEAD), None)
        if newest is not None:
            return None if "x" in newest else entries_of(newest)[-1].seq + 1
        # No entries: another process is opening the session, and one of the two puts fails.
        return int(items[0]["q"]["N"]) + 1 if items and "q" in items[0] else 1

    @bounded
    async def _replace_by_tombstones(self, items: Sequence[Item]) -> None:
        await self._db.write_all([self._tombstone(item) for item in items])

    def _tombstone(self, item: Item) -> Item:
        """Return what replaces an item: it holds only how much was erased with it."""
        exp = ceil((self._clock.now() + _TOMBSTONE_LIFETIME).timestamp())
        tombstone = {"PK": item["PK"], "SK": item["SK"], "x": {"BOOL": True}, "exp": number(exp)}
        if "b" in item and item["SK"]["S"] != HEAD:
            tombstone["n"] = number(sum(isinstance(each, Message) for each in entries_of(item)))
        if "oQ" in item:
            tombstone["k"] = number(len(item["oQ"]["L"]))
        elif "oP" in item:  # a dead letter, or pending as in the former version
            tombstone["k"] = number(1)
        return tombstone

    @bounded
    async def _next_items(self, pk: str, after: str) -> list[Item]:
        """Read the next part of a partition: a long log does not fit in one deadline."""
        return await self._db.query(
            _CONCURRENCY * MAX_BATCH_WRITE, **query_of(pk, after + " ", "~~")
        )

    @bounded
    async def _items(self, pk: str) -> list[Item]:
        return await self._db.query(**query_of(pk))


def _is_pointer(item: Item) -> bool:
    return bool(item["SK"]["S"].startswith(_POINTER))


def _is_newest(item: Item) -> bool:
    return bool(item["SK"]["S"] == OPEN)


def _session_of(item: Item) -> SessionId:
    """Return the session that an item in a customer's partition belongs to."""
    return SessionId(item["SK"]["S"].split("#", 2)[2] if _is_pointer(item) else item["sid"]["S"])


def _sum_of(tombstones: Iterable[Item], attribute: str) -> int:
    return sum(int(each[attribute]["N"]) for each in tombstones if attribute in each)
