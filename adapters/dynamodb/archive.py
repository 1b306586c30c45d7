"""What an operator sees of the sessions, and how a customer is erased from the table."""

import asyncio
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from math import ceil

from adapters.dynamodb.client import BATCH, TRANSACTION, ConditionFailed, Dynamo, bounded
from adapters.dynamodb.head_state import RECENCY_MS
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
    moment,
    ms,
    number,
    session_of,
    session_pk,
    stamp,
    stamped,
    status_partition,
)
from adapters.dynamodb.session_reader import TIDIED_S, Logs
from application.ports import Archive, Clock, Erased, SessionPage
from domain.errors import InvalidPayload
from domain.identity import BusinessId, Customer, SessionId
from domain.message import Message
from domain.session import Session
from domain.status import Status

_AT_ONCE = 16
"""Sessions, or keys, that are asked for at the same time."""
_DAY_MS = 24 * 3600 * 1000
_LAG_MS = RECENCY_MS + 10_000
"""How far a head's place in the listings may be behind: another process takes a while to write."""
_TOMBSTONES_LIVE = timedelta(days=7)
"""Whoever has decided an append before an erasure makes it by then."""
_POINTER = "S#"
_PAGE = 50
"""Rows that are read from a partition of an index at a time."""
_ABOVE_ALL = "~"

Place = tuple[datetime, SessionId]


@dataclass(frozen=True, slots=True)
class _Order:
    """Candidates of a listing in a rough order, the newest first."""

    candidates: AsyncIterator[tuple[int, SessionId]]
    """Sessions, and the time in milliseconds that orders them here."""
    early_ms: int
    late_ms: int
    """By so much the newest entry of a session may be before, or after, that time."""

    def place(self, at: int, session: Session) -> Place:
        """Where the session stands; one that has lost its way is where it is looked for."""
        first, last = moment(at - self.early_ms), moment(at + self.late_ms)
        return min(max(session.updated_at, first), last), session.session_id


class DynamoArchive(Archive):
    """The port on the heads of all sessions, and on each customer's partition."""

    _db: Dynamo
    _clock: Clock
    _logs: Logs

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
        """Sessions by their newest entry, newest first. Raises: InvalidPayload for a bad cursor.

        While sessions change, none is listed twice, and every one that does not change is listed;
        one that gets an entry moves to the front, where a new listing begins.
        """
        below = _position(cursor) if cursor is not None else None

        def is_wanted(session: Session) -> bool:
            of = session.customer
            return (
                (business_id is None or of.business_id == business_id)
                and (status is None or session.status is status)
                and (customer is None or of == customer)
            )

        await self._logs.tidied(TIDIED_S)
        order = self._order(business_id, status, customer, below)
        found = await self._in_order(order, is_wanted, below, limit + 1)
        page = found[:limit]
        sessions = tuple(session for _, session in page)
        return SessionPage(sessions, _cursor(*page[-1][0]) if len(found) > limit else None)

    def _order(
        self,
        business_id: BusinessId | None,
        status: Status | None,
        customer: Customer | None,
        below: Place | None,
    ) -> _Order:
        newest = ms(below[0]) if below is not None else None
        if customer is not None:
            # One is opened when the one before is closed, by clocks that agree that far.
            upto = None if newest is None else newest + _DAY_MS
            return _Order(self._of_customer(customer, upto), _DAY_MS, _DAY_MS)
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
        return _Order(_merged(streams), 0, _LAG_MS)

    def _listed_since(self, status: Status) -> int:
        """Where a listing of what has this status ends: closed sessions are not shown for ever."""
        oldest = self._logs.oldest_shown() if status is Status.CLOSED else None
        return 0 if oldest is None else ms(oldest) - _LAG_MS

    async def _in_order(
        self, order: _Order, is_wanted: Callable[[Session], bool], below: Place | None, limit: int
    ) -> list[tuple[Place, Session]]:
        """The newest `limit` sessions, and those that were looked at to be sure of them."""
        found: dict[SessionId, tuple[Place, Session]] = {}
        ranked: list[tuple[Place, Session]] = []
        async for chunk in _chunks(order.candidates):
            # A head that lags must not move to the front while it is still to be listed.
            seen = await asyncio.gather(
                *(self._logs.try_to_see(session_id, mend=False) for _, session_id in chunk)
            )
            for (at, session_id), each in zip(chunk, seen, strict=True):
                if each is not None and is_wanted(each.session):
                    place = order.place(at, each.session)
                    if below is None or place < below:
                        found.setdefault(session_id, (place, each.session))
            ranked = sorted(found.values(), key=lambda each: each[0], reverse=True)
            if len(ranked) >= limit and ranked[limit - 1][0][0] > moment(
                chunk[-1][0] + order.late_ms
            ):
                break
        return ranked

    async def _of_customer(
        self, customer: Customer, upto: int | None
    ) -> AsyncIterator[tuple[int, SessionId]]:
        last = "S$" if upto is None else f"{_POINTER}{stamp(upto)}~"
        for pointer in reversed(await self._pointers(customer, last)):
            _, opened, session_id = pointer["SK"]["S"].split("#", 2)
            yield int(opened), SessionId(session_id)

    async def _pointers(self, customer: Customer, last: str = "S$") -> list[Item]:
        return await self._db.query(
            KeyConditionExpression="PK = :pk AND SK BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":pk": {"S": customer_pk(customer)},
                ":first": {"S": _POINTER},
                ":last": {"S": last},
            },
        )

    async def erase(self, customer: Customer) -> Erased:
        """Erase everything stored of the customer. Idempotent; a repeat counts zero.

        Of a session nothing is left but tombstones, which hold its random id and are gone in a
        week; they refuse whoever has decided an append before. An erasure that was interrupted
        goes on when it is repeated, and its receipt counts what was erased before. Each step has
        a deadline, the whole has none.
        """
        mine = {_session(item) for item in await self._all(customer_pk(customer)) if _points(item)}
        for session_id in sorted(mine):
            await self._end(session_pk(session_id))
        # Before the long part: as long as it says that one is open, the customer can open no other.
        newest = [item for item in await self._left(customer, mine) if item["SK"]["S"] == OPEN]
        await self._forget(newest)
        counts = [await self._erase_session(session_id) for session_id in sorted(mine)]
        while left := await self._left(customer, mine):
            await self._forget(left)
        messages, notices = (sum(column) for column in zip((0, 0), *counts, strict=True))
        return Erased(len(mine), messages, notices)

    async def _left(self, customer: Customer, mine: set[SessionId]) -> list[Item]:
        """What leads to these sessions: not to those that were opened meanwhile."""
        items = await self._all(customer_pk(customer))
        return [item for item in items if _session(item) in mine]

    async def _forget(self, items: Sequence[Item]) -> None:
        """Erase from a customer's partition: last what would lead a repeat to the sessions."""
        named = [item for item in items if not _points(item)]
        for start in range(0, len(named), _AT_ONCE):
            chunk = named[start : start + _AT_ONCE]
            await asyncio.gather(*(self._forget_named(item) for item in chunk))
        pointers = [item for item in items if _points(item)]
        for start in range(0, len(pointers), TRANSACTION):
            await self._forget_pointers(pointers[start : start + TRANSACTION])

    @bounded
    async def _forget_named(self, item: Item) -> None:
        try:
            await self._db.delete(item["PK"]["S"], item["SK"]["S"], "sid = :mine", mine=item["sid"])
        except ConditionFailed:
            return  # it is a new session's by now, or gone

    @bounded
    async def _forget_pointers(self, pointers: Sequence[Item]) -> None:
        deletes = [
            {"Delete": self._db.deleting(item["PK"]["S"], item["SK"]["S"])} for item in pointers
        ]
        await self._db.transact(deletes, secrets.token_hex(16))

    async def _erase_session(self, session_id: SessionId) -> tuple[int, int]:
        """How many messages and notices it had; those that were erased before are counted, too."""
        pk = session_pk(session_id)
        self._logs.tails.forget(session_id)
        while True:
            buried, counts, after = 0, (0, 0), " "
            while items := await self._some(pk, after):
                after = items[-1]["SK"]["S"]
                live = [item for item in items if "x" not in item]
                if live:
                    await self._bury(live)
                buried += len(live)
                counts = counts[0] + _counted(items, "n"), counts[1] + _counted(items, "k")
            if not buried:
                return counts

    @bounded
    async def _end(self, pk: str) -> None:
        """Take the log's next seq, so that whoever comes later meets that."""
        while (seq := await self._next_seq(pk)) is not None:
            marker = self._tombstone(key(pk, entry_sk(seq)))
            try:
                return await self._db.put(marker, "attribute_not_exists(PK)")
            except ConditionFailed:
                continue

    async def _next_seq(self, pk: str) -> int | None:
        """None: the log has its end."""
        items = await self._logs.newest(pk, HEAD, 2)
        newest = next((item for item in items if item["SK"]["S"] != HEAD), None)
        if newest is not None:
            return None if "x" in newest else entries_of(newest)[-1].seq + 1
        # Nothing yet: then somebody is opening it just now, and meets the end, or is met by it.
        return int(items[0]["q"]["N"]) + 1 if items and "q" in items[0] else 1

    @bounded
    async def _bury(self, items: Sequence[Item]) -> None:
        await self._db.write_all([self._tombstone(item) for item in items])

    def _tombstone(self, item: Item) -> Item:
        """What an item becomes: it holds nothing but how much was erased with it."""
        exp = ceil((self._clock.now() + _TOMBSTONES_LIVE).timestamp())
        tombstone = {"PK": item["PK"], "SK": item["SK"], "x": {"BOOL": True}, "exp": number(exp)}
        if "b" in item and item["SK"]["S"] != HEAD:
            tombstone["n"] = number(sum(isinstance(each, Message) for each in entries_of(item)))
        if "oP" in item:
            tombstone["k"] = number(1)
        return tombstone

    @bounded
    async def _some(self, pk: str, after: str) -> list[Item]:
        """The next items of a partition: a log may be longer than can be read in one deadline."""
        return await self._db.query(
            _AT_ONCE * BATCH,
            KeyConditionExpression="PK = :pk AND SK > :after",
            ExpressionAttributeValues={":pk": {"S": pk}, ":after": {"S": after}},
        )

    @bounded
    async def _all(self, pk: str) -> list[Item]:
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
        """Those that were read and are still to be taken, from the end."""

    async def fill(self) -> None:
        """Read the next page; no rows: there is none."""
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


async def _merged(streams: list[_Stream]) -> AsyncIterator[tuple[int, SessionId]]:
    while True:
        await asyncio.gather(*(stream.fill() for stream in streams if not stream.rows))
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
        if len(chunk) == _AT_ONCE:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _points(item: Item) -> bool:
    return bool(item["SK"]["S"].startswith(_POINTER))


def _session(item: Item) -> SessionId:
    """The session that an item in a customer's partition is of."""
    return SessionId(item["SK"]["S"].split("#", 2)[2] if _points(item) else item["sid"]["S"])


def _counted(tombstones: Iterable[Item], name: str) -> int:
    return sum(int(each[name]["N"]) for each in tombstones if name in each)


def _cursor(at: datetime, session_id: str) -> str:
    return urlsafe_b64encode(f"{at.isoformat()} {session_id}".encode()).decode()


def _position(cursor: str) -> Place:
    try:
        at, session_id = urlsafe_b64decode(cursor.encode()).decode().split(" ", 1)
        position = datetime.fromisoformat(at)
        if position.tzinfo is None:
            raise ValueError("a time without its zone")
    except ValueError as error:  # of base64, UTF-8, the split or the time
        raise InvalidPayload("cursor is not one that a listing has given") from error
    return position, SessionId(session_id)
