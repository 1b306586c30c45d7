"""What is ready to be claimed: what this process has stored itself, and what the index shows.

A claim is made after every append and every settlement, and mostly there is nothing but what this
process has just done. So it remembers that, which the index, always a moment behind, may not show
yet; and of each partition of the index, until when there is nothing else in it. What others do
there is looked for every LOOK_EVERY_S.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from heapq import nsmallest
from itertools import chain
from typing import Self

from adapters.dynamodb.client import Dynamo
from adapters.dynamodb.items import NEVER, Item, stamped
from adapters.dynamodb.outbox_items import INDEX_KEY, READY, Key, in_partition, key_of, partitions
from application.ports import Clock

LOOK_EVERY_S = 1.0
MAX_HELD = 200
"""So many rows of a partition are remembered, and so many that are parked."""

_ROW = (*INDEX_KEY, "op")


@dataclass(slots=True)
class _Shard:
    """What is known of a partition."""

    held: dict[Key, Item] = field(default_factory=dict)
    """Rows that the index need not be asked for."""
    parked: dict[Key, Item] = field(default_factory=dict)
    """What those rows have been that may be ready one day."""
    quiet_until: int = 0
    """The earliest time, in milliseconds since 1970, of another row that may be there."""
    looked_at: datetime | None = None
    changes: int = 0
    """So that a look that began before one of them is not believed."""

    def hold(self, row: Item) -> None:
        if len(self.held) < MAX_HELD:
            self.held[key_of(row)] = row
        else:
            self.stir(stamped(row["oS"]))

    def park(self, row: Item) -> None:
        self.parked[key_of(row)] = row
        if len(self.parked) > MAX_HELD:
            del self.parked[next(iter(self.parked))]

    def stir(self, at: int) -> None:
        self.quiet_until = min(self.quiet_until, at)
        self.changes += 1

    def take_held(self, now: int) -> dict[Key, Item]:
        due = [key for key, row in self.held.items() if stamped(row["oS"]) <= now]
        return {key: self.held.pop(key) for key in due}

    def is_quiet(self, now: int, at: datetime) -> bool:
        if self.looked_at is None or now >= self.quiet_until:
            return False
        return 0 <= (at - self.looked_at).total_seconds() < LOOK_EVERY_S


class Ready:
    """What this process knows of the nodes that are ready. It must be told what it does to them."""

    def __init__(self, db: Dynamo, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._shards = {partition["S"]: _Shard() for partition in READY}

    def _of(self, pk: str) -> _Shard:
        return self._shards[partitions(pk)["ready"]["S"]]

    def add(self, item: Item) -> None:
        """This has just been stored: maybe it is a node."""
        if "oP" not in item:
            return
        row, (kind, shard) = _row(item), item["oP"]["S"].split("#")
        of_it = self._shards.get(f"R#{shard}")
        if of_it is None:
            return  # of a later version with more shards, which looks there
        if kind == "R":
            of_it.hold(row)
        else:
            of_it.park(row)

    def wake(self, pk: str, sk: str) -> None:
        """A parked node has become ready."""
        of_it = self._of(pk)
        if (row := of_it.parked.pop((pk, sk), None)) is not None:
            of_it.hold(row | {"oP": partitions(pk)["ready"]})
        else:
            of_it.stir(0)

    def stir(self, pk: str, at: int = 0) -> None:
        """A node of this session may have become ready, from `at` on."""
        self._of(pk).stir(at)

    def reorder(self, pk: str) -> None:
        """The links of any node of this session may be others."""
        of_it = self._of(pk)
        of_it.stir(0)
        for rows in (of_it.held, of_it.parked):
            for place in [place for place in rows if place[0] == pk]:
                del rows[place]

    def look(self, now: int) -> "Look":
        """What is ready at `now`, for one claim."""
        at = self._clock.now()
        return Look(
            {name: _Reading(self._db, name, of, now, at) for name, of in self._shards.items()}
        )


class Look:
    """The rows that are ready, the longest due first, then by session; use it as `with look:`.

    Not more is read of them than is asked for. It must be told what became of each that it gave;
    where it is not, the index is asked again.
    """

    def __init__(self, readings: dict[str, "_Reading"]) -> None:
        self._readings = readings

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        for reading in self._readings.values():
            reading.end()

    async def take(self, count: int) -> list[Item]:
        """The next `count` rows, or as many as there are."""
        await asyncio.gather(*(reading.read(count) for reading in self._readings.values()))
        due = chain.from_iterable(reading.due() for reading in self._readings.values())
        rows = nsmallest(count, due, key=lambda row: row["oS"]["S"])
        for row in rows:
            self._reading(row).give(row)
        return rows

    def leased(self, row: Item, until: int) -> None:
        """It has been claimed."""
        self._reading(row).gone(row, until)

    def parked(self, row: Item) -> None:
        """It has been parked."""
        self._reading(row).park(row)

    def blocked(self, row: Item) -> None:
        """It waits for another one, and stays as it is."""
        self._reading(row).keep(row)

    def _reading(self, row: Item) -> "_Reading":
        return self._readings[row["oP"]["S"]]


class _Reading:
    """One partition, as far as a claim has read it."""

    def __init__(self, db: Dynamo, name: str, of: _Shard, now: int, at: datetime) -> None:
        self._db, self._name, self._shard, self._now, self._at = db, name, of, now, at
        self._changes = of.changes
        self._asks = self._goes_on = not of.is_quiet(now, at)
        self._held = of.take_held(now)
        self._rows: dict[Key, Item] = {}
        """Read in the index, and not given yet."""
        self._given: set[Key] = set()
        """What nothing has been heard of yet."""
        self._kept: list[Item] = []
        self._met: set[Key] = set()
        """What was read, or given."""
        self._last: Item | None = None
        self._next = NEVER
        """The earliest time at which there will be something of which was heard."""

    async def read(self, count: int) -> None:
        """Have `count` rows from the index, or all that are due, if it must be asked."""
        while self._goes_on and len(self._rows) < count:
            request = in_partition({"S": self._name})
            if self._last is not None:
                request["ExclusiveStartKey"] = {name: self._last[name] for name in INDEX_KEY}
            rows = await self._db.query(count, **request)
            if rows:
                self._last = rows[-1]
            self._goes_on = len(rows) == count and stamped(rows[-1]["oS"]) <= self._now
            for row in rows:
                if (place := key_of(row)) not in self._met:
                    self._met.add(place)
                    self._rows[place] = _row(row)

    def due(self) -> list[Item]:
        # Of a row that is held the index may show what it was, or what others have made of it
        # meanwhile: that has its turn when it is not as it is held.
        rows = (self._rows | self._held).values()
        return [row for row in rows if stamped(row["oS"]) <= self._now]

    def give(self, row: Item) -> None:
        place = key_of(row)
        self._met.add(place)
        self._given.add(place)
        self._held.pop(place, None)
        if self._rows.get(place) == row:
            del self._rows[place]

    def gone(self, row: Item, until: int) -> None:
        self._given.discard(key_of(row))
        self._rows.pop(key_of(row), None)
        self._next = min(self._next, until)

    def park(self, row: Item) -> None:
        self.gone(row, NEVER)
        self._shard.park(row)

    def keep(self, row: Item) -> None:
        self.gone(row, NEVER)
        self._kept.append(row)

    def end(self) -> None:
        """Have the shard know what is known now."""
        left = min((stamped(row["oS"]) for row in self._rows.values()), default=NEVER)
        quiet_until = 0 if self._given or self._goes_on else min(left, self._next)
        if self._asks and self._shard.changes == self._changes:
            self._shard.quiet_until, self._shard.looked_at = quiet_until, self._at
        self._shard.stir(quiet_until)
        for row in chain(self._held.values(), self._kept):
            self._shard.hold(row)


def _row(item: Item) -> Item:
    """What a claim needs of a node."""
    return {name: item[name] for name in _ROW if name in item}
