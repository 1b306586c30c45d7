"""A cache of the notices that are ready to be claimed.

A claim follows every append and every settlement, and usually there is nothing but what this
process has just written. So the process remembers that, as the index lags a moment behind; and for
each partition of the index, until when there is nothing else in it. What other processes write is
found by reading the index every RESCAN_EVERY_S.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from heapq import nsmallest
from itertools import chain
from typing import Self

from adapters.dynamodb.client import Dynamo
from adapters.dynamodb.items import NEVER, Item, ItemKey, key_of, stamped
from adapters.dynamodb.outbox_items import INDEX_KEY, READY, partition_query, partitions
from application.ports import Clock

RESCAN_EVERY_S = 1.0
MAX_CACHED_ROWS = 200
"""Limit of the ready rows, and of the parked rows, that are remembered of a partition."""

_ROW = (*INDEX_KEY, "op")


@dataclass(slots=True)
class _Shard:
    """The cached rows of a partition of the index."""

    ready: dict[ItemKey, Item] = field(default_factory=dict)
    """Rows that need not be read from the index."""
    parked: dict[ItemKey, Item] = field(default_factory=dict)
    """Rows that may become ready, as they were when they were parked."""
    empty_until: int = 0
    """The earliest time, in milliseconds since 1970, at which another row may be ready."""
    scanned_at: datetime | None = None
    version: int = 0
    """Counts the invalidations: the result of a scan that began before one is discarded."""

    def add_ready(self, row: Item) -> None:
        if len(self.ready) < MAX_CACHED_ROWS:
            self.ready[key_of(row)] = row
        else:
            self.invalidate(stamped(row["oS"]))

    def add_parked(self, row: Item) -> None:
        self.parked[key_of(row)] = row
        if len(self.parked) > MAX_CACHED_ROWS:
            del self.parked[next(iter(self.parked))]

    def invalidate(self, at: int) -> None:
        self.empty_until = min(self.empty_until, at)
        self.version += 1

    def pop_due(self, now: int) -> dict[ItemKey, Item]:
        due = [key for key, row in self.ready.items() if stamped(row["oS"]) <= now]
        return {key: self.ready.pop(key) for key in due}

    def is_known_empty(self, now: int, at: datetime) -> bool:
        if self.scanned_at is None or now >= self.empty_until:
            return False
        return 0 <= (at - self.scanned_at).total_seconds() < RESCAN_EVERY_S


class ClaimCache:
    """The ready notices that this process knows of. Every write to the outbox must be reported."""

    def __init__(self, db: Dynamo, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._shards = {partition["S"]: _Shard() for partition in READY}

    def _shard_of(self, pk: str) -> _Shard:
        return self._shards[partitions(pk)["ready"]["S"]]

    def add(self, item: Item) -> None:
        """Report an item that was written; one without a notice is ignored."""
        if "oP" not in item:
            return
        row, (kind, shard_number) = _row(item), item["oP"]["S"].split("#")
        shard = self._shards.get(f"R#{shard_number}")
        if shard is None:
            return  # of a later version with more shards, which reads it there
        if kind == "R":
            shard.add_ready(row)
        else:
            shard.add_parked(row)

    def unpark(self, pk: str, sk: str) -> None:
        """Report that a parked item has become ready."""
        shard = self._shard_of(pk)
        if (row := shard.parked.pop((pk, sk), None)) is not None:
            shard.add_ready(row | {"oP": partitions(pk)["ready"]})
        else:
            shard.invalidate(0)

    def invalidate(self, pk: str, at: int = 0) -> None:
        """Report that an item of this session may have become ready, from `at` on."""
        self._shard_of(pk).invalidate(at)

    def forget_session(self, pk: str) -> None:
        """Report that the links of any item of this session may have changed."""
        shard = self._shard_of(pk)
        shard.invalidate(0)
        for rows in (shard.ready, shard.parked):
            for key in [key for key in rows if key[0] == pk]:
                del rows[key]

    def scan(self, now: int) -> "ClaimScan":
        """Return the rows that are ready at `now`, for one claim."""
        at = self._clock.now()
        return ClaimScan(
            {
                name: _ShardScan(self._db, name, shard, now, at)
                for name, shard in self._shards.items()
            }
        )


class ClaimScan:
    """The rows that are ready, the longest due first, then by session; use it as `with scan:`.

    No more of them are read than are asked for. The outcome of each row must be reported; without
    it the index is read again.
    """

    def __init__(self, shards: dict[str, "_ShardScan"]) -> None:
        self._shards = shards

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        for shard in self._shards.values():
            shard.finish()

    async def take(self, count: int) -> list[Item]:
        """Return the next `count` rows, or as many as there are."""
        await asyncio.gather(*(shard.read(count) for shard in self._shards.values()))
        due = chain.from_iterable(shard.due() for shard in self._shards.values())
        rows = nsmallest(count, due, key=lambda row: row["oS"]["S"])
        for row in rows:
            self._shard_of(row).take(row)
        return rows

    def leased(self, row: Item, until: int) -> None:
        """Report that the row was claimed."""
        self._shard_of(row).remove(row, until)

    def parked(self, row: Item) -> None:
        """Report that the row was parked."""
        self._shard_of(row).park(row)

    def blocked(self, row: Item) -> None:
        """Report that the row waits for another one, and is unchanged."""
        self._shard_of(row).put_back(row)

    def _shard_of(self, row: Item) -> "_ShardScan":
        return self._shards[row["oP"]["S"]]


class _ShardScan:
    """One partition, as far as a claim has read it."""

    def __init__(self, db: Dynamo, name: str, shard: _Shard, now: int, at: datetime) -> None:
        self._db, self._name, self._shard, self._now, self._at = db, name, shard, now, at
        self._version = shard.version
        self._reads_index = self._has_more = not shard.is_known_empty(now, at)
        self._cached = shard.pop_due(now)
        self._rows: dict[ItemKey, Item] = {}
        """Rows that were read from the index, and not taken yet."""
        self._taken: set[ItemKey] = set()
        """Rows whose outcome has not been reported yet."""
        self._blocked: list[Item] = []
        self._known: set[ItemKey] = set()
        """Rows that were read or taken."""
        self._last: Item | None = None
        self._next_due = NEVER
        """The earliest time at which a row of known outcome will be ready."""

    async def read(self, count: int) -> None:
        """Read on until there are `count` rows, or all that are due, if the index must be read."""
        while self._has_more and len(self._rows) < count:
            request = partition_query({"S": self._name})
            if self._last is not None:
                request["ExclusiveStartKey"] = {name: self._last[name] for name in INDEX_KEY}
            rows = await self._db.query(count, **request)
            if rows:
                self._last = rows[-1]
            self._has_more = len(rows) == count and stamped(rows[-1]["oS"]) <= self._now
            for row in rows:
                if (key := key_of(row)) not in self._known:
                    self._known.add(key)
                    self._rows[key] = _row(row)

    def due(self) -> list[Item]:
        # The cached row wins: of it the index may show what it was, or what another process has
        # made of it meanwhile, which is found when the claim of the cached row fails.
        rows = (self._rows | self._cached).values()
        return [row for row in rows if stamped(row["oS"]) <= self._now]

    def take(self, row: Item) -> None:
        key = key_of(row)
        self._known.add(key)
        self._taken.add(key)
        self._cached.pop(key, None)
        if self._rows.get(key) == row:
            del self._rows[key]

    def remove(self, row: Item, until: int) -> None:
        self._taken.discard(key_of(row))
        self._rows.pop(key_of(row), None)
        self._next_due = min(self._next_due, until)

    def park(self, row: Item) -> None:
        self.remove(row, NEVER)
        self._shard.add_parked(row)

    def put_back(self, row: Item) -> None:
        self.remove(row, NEVER)
        self._blocked.append(row)

    def finish(self) -> None:
        """Update what is known of the partition."""
        next_row = min((stamped(row["oS"]) for row in self._rows.values()), default=NEVER)
        empty_until = 0 if self._taken or self._has_more else min(next_row, self._next_due)
        if self._reads_index and self._shard.version == self._version:
            self._shard.empty_until, self._shard.scanned_at = empty_until, self._at
        self._shard.invalidate(empty_until)
        for row in chain(self._cached.values(), self._blocked):
            self._shard.add_ready(row)


def _row(item: Item) -> Item:
    """Return the attributes of an item that a claim needs."""
    return {name: item[name] for name in _ROW if name in item}
