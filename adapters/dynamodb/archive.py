"""The listing of sessions, and the erasure of a customer from the table."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
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
from adapters.dynamodb.head_state import MAX_RECENCY_LAG_MS
from adapters.dynamodb.items import (
    HEAD,
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
    session_of,
    session_pk,
    stamp,
    stamped,
    status_partition,
)
from adapters.dynamodb.session_reader import SessionReader
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
class _Candidates:
    """Candidates of a listing in a rough order, the newest first."""

    rows: AsyncIterator[tuple[int, SessionId]]
    """Sessions, and the time in milliseconds that orders them here."""
    early_ms: int
    late_ms: int
    """The time by which a session's newest entry may be earlier or later than that."""

    def position(self, at: int, session: Session) -> Position:
        """Return the session's position, clamped so that a stale slot cannot leave its page."""
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

        candidates = self._candidates(business_id, status, customer, below)
        found = await self._newest(candidates, is_wanted, below, limit + 1)
        page = found[:limit]
        sessions = tuple(session for _, session in page)
        return SessionPage(sessions, encode_cursor(*page[-1][0]) if len(found) > limit else None)

    def _candidates(
        self,
        business_id: BusinessId | None,
        status: Status | None,
        customer: Customer | None,
        below: Position | None,
    ) -> _Candidates:
        newest = ms(below[0]) if below is not None else None
        if customer is not None:
            # A session is opened when the one before is closed, by clocks that agree that far.
            upto = None if newest is None else newest + _DAY_MS
            return _Candidates(self._of_customer(customer, upto), _DAY_MS, _DAY_MS)
        pairs = product([status] if status else Status, range(SHARDS))
        if business_id is not None:
            index = "by_business"
            names = {business_partition(business_id, *pair): pair[0] for pair in pairs}
        else:
            index, names = "by_status", {status_partition(*pair): pair[0] for pair in pairs}
        streams = [
            _Stream(self._db, index, name, self._listed_since(of), newest)
            for name, of in names.items()
        ]
        return _Candidates(_merge(streams), 0, _MAX_LAG_MS)

    def _listed_since(self, status: Status) -> int:
        """Return the time at which a listing of this status ends: closed sessions expire."""
        expired = self._reader.expired_until() if status is Status.CLOSED else None
        return 0 if expired is None else ms(expired) - _MAX_LAG_MS

    async def _newest(
        self,
        candidates: _Candidates,
        is_wanted: Callable[[Session], bool],
        below: Position | None,
        limit: int,
    ) -> list[tuple[Position, Session]]:
        """Return the newest `limit` sessions, and those that were read to be sure of them."""
        found: dict[SessionId, tuple[Position, Session]] = {}
        ranked: list[tuple[Position, Session]] = []
        async for chunk in _chunks(candidates.rows):
            snapshots = await asyncio.gather(
                *(self._reader.try_read(session_id) for _, session_id in chunk)
            )
            for (at, session_id), snapshot in zip(chunk, snapshots, strict=True):
                if snapshot is not None and is_wanted(snapshot.session):
                    position = candidates.position(at, snapshot.session)
                    if below is None or position < below:
                        found.setdefault(session_id, (position, snapshot.session))
            ranked = sorted(found.values(), key=lambda each: each[0], reverse=True)
            if len(ranked) >= limit and ranked[limit - 1][0][0] > moment(
                chunk[-1][0] + candidates.late_ms
            ):
                break
        return ranked

    async def _of_customer(
        self, customer: Customer, upto: int | None
    ) -> AsyncIterator[tuple[int, SessionId]]:
        pointers = await self._db.query(
            KeyConditionExpression="PK = :pk AND SK BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":pk": {"S": customer_pk(customer)},
                ":first": {"S": _POINTER},
                ":last": {"S": "S$" if upto is None else f"{_POINTER}{stamp(upto)}~"},
            },
            ScanIndexForward=False,
        )
        for pointer in pointers:
            _, opened_at, session_id = pointer["SK"]["S"].split("#", 2)
            yield int(opened_at), SessionId(session_id)

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
        """Delete items of a customer: pointers last, which lead a repeat to the sessions."""
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
            erased, counts, after = 0, (0, 0), " "
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
            _CONCURRENCY * MAX_BATCH_WRITE,
            KeyConditionExpression="PK = :pk AND SK > :after",
            ExpressionAttributeValues={":pk": {"S": pk}, ":after": {"S": after}},
        )

    @bounded
    async def _items(self, pk: str) -> list[Item]:
        return await self._db.query(
            KeyConditionExpression="PK = :pk", ExpressionAttributeValues={":pk": {"S": pk}}
        )


class _Stream:
    """A partition of an index of heads, read page by page, the newest first."""

    def __init__(
        self, db: Dynamo, index: str, partition: str, since: int, upto: int | None
    ) -> None:
        self._db = db
        self._index, self._name = index, "lP" if index == "by_business" else "gP"
        self._partition = partition
        self._since = stamp(since)
        self._above: str | None = _ABOVE_ALL if upto is None else stamp(upto + 1)
        self.rows: list[Item] = []
        """Rows that were read and not yet taken, the next one last."""

    async def read_page(self) -> None:
        """Read the next page into `rows`; it is empty at the end of the partition."""
        if self._above is None or self._above < self._since:
            return
        items = await self._db.query(
            _PAGE,
            IndexName=self._index,
            KeyConditionExpression=f"{self._name} = :partition AND lS BETWEEN :since AND :above",
            ExpressionAttributeValues={
                ":partition": {"S": self._partition},
                ":since": {"S": self._since},
                ":above": {"S": self._above},
            },
            ScanIndexForward=False,
        )
        self.rows = [item for item in reversed(items) if item["lS"]["S"] != self._above]
        self._above = items[-1]["lS"]["S"] if len(items) == _PAGE else None


async def _merge(streams: list[_Stream]) -> AsyncIterator[tuple[int, SessionId]]:
    while True:
        await asyncio.gather(*(stream.read_page() for stream in streams if not stream.rows))
        streams = [stream for stream in streams if stream.rows]
        if not streams:
            return
        row = max(streams, key=lambda stream: stream.rows[-1]["lS"]["S"]).rows.pop()
        yield stamped(row["lS"]), session_of(row["PK"]["S"])


async def _chunks(
    candidates: AsyncIterator[tuple[int, SessionId]],
) -> AsyncIterator[list[tuple[int, SessionId]]]:
    chunk: list[tuple[int, SessionId]] = []
    async for candidate in candidates:
        chunk.append(candidate)
        if len(chunk) == _CONCURRENCY:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _is_pointer(item: Item) -> bool:
    return bool(item["SK"]["S"].startswith(_POINTER))


def _is_newest(item: Item) -> bool:
    return bool(item["SK"]["S"] == OPEN)


def _session_of(item: Item) -> SessionId:
    """Return the session that an item in a customer's partition belongs to."""
    return SessionId(item["SK"]["S"].split("#", 2)[2] if _is_pointer(item) else item["sid"]["S"])


def _sum_of(tombstones: Iterable[Item], attribute: str) -> int:
    return sum(int(each[attribute]["N"]) for each in tombstones if attribute in each)
