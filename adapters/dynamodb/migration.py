"""Finishes what readers of old shapes began: no item of the table is as a former version stored it.

Three shapes of the version before the markers are rewritten, which this version still reads:

- a pending notice in the index `outbox` itself is moved to a marker, as `OldOutbox` does;
- a notice with the bridge's JSON body gets its content in place of it;
- what is left of the order of those notices is removed: attributes, and items that are empty.

Unknown fields in packed values are left alone: they may be a later version's. Every write has the
condition that the item is as it was read, so that processes of both versions may run meanwhile.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from math import ceil
from typing import Any, Self

import msgspec

from adapters.dynamodb.client import ConditionFailed, Dynamo
from adapters.dynamodb.items import MARGIN_S, Item, key, key_of, ms, number
from adapters.dynamodb.old_outbox import OldOutbox
from adapters.dynamodb.outbox_items import DEAD, notice_of
from adapters.dynamodb.table import Report
from application.ports import Clock
from domain.errors import StorageUnavailable

SEGMENTS = 4
"""Parts of the table that are read at the same time."""
PAGE_ITEMS = 200
"""Items that are read at a time."""
_CONCURRENCY = 16
"""Partitions of a page that are changed at the same time."""
_REPORT_EVERY = 100_000
_PLACES_LIVE = timedelta(days=7)
_PLACES = "T#migration-1"
"""The partition with an item for each segment: up to where an unfinished run has come. The number
rises with each shape that is added, so that no segment is taken for done that was read without."""
_ORDER = frozenset({"lo", "ol", "og", "op", "ow", "oC", "ex"})
"""Attributes of the former outbox that nothing reads any more."""

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(dict[str, Any]).decode


@dataclass(slots=True)
class Migrated:
    """What a run has read and changed; of a dry run: what it would have changed."""

    read: int = 0
    """Items."""
    moved: int = 0
    """Notices that are in a marker now."""
    rewritten: int = 0
    """Notices that have a content now."""
    cleared: int = 0
    """Items with remains of the order."""
    deleted: int = 0
    """Empty items."""
    left: int = 0
    """Notices that cannot be moved: they are unreadable, or their session is being erased."""
    units: int = 0
    """Read units that the Scan has used, about."""

    @property
    def changes(self) -> int:
        return self.moved + self.rewritten + self.cleared + self.deleted


class _Pace:
    """Spreads the use of capacity evenly over time."""

    def __init__(self, clock: Clock, units_per_s: float) -> None:
        self._clock = clock
        self._units_per_s = units_per_s
        self._free_at = clock.monotonic()

    async def spend(self, units: float) -> None:
        """Count units that were used, and return when the next ones may be."""
        now = self._clock.monotonic()
        self._free_at = max(self._free_at, now) + units / self._units_per_s
        await self._clock.sleep(self._free_at - now)


class TableMigration:
    """Rewrites the items of a `Dynamo`'s table. Use it as `async with migration:`."""

    def __init__(self, dynamo: Dynamo, clock: Clock) -> None:
        self._db = dynamo
        self._clock = clock
        self._old = OldOutbox(dynamo, clock)

    async def __aenter__(self) -> Self:
        await self._db.open()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._db.close()

    async def run(self, report: Report, *, units_per_s: float, is_dry_run: bool) -> Migrated:
        """Read the whole table, and rewrite what has an old shape.

        An interrupted run is continued by the next one, a finished one is repeated from the
        beginning. `units_per_s`: capacity that is used in a second, reads and writes together, the
        latter by their size. `is_dry_run`: nothing is written, and all of the table is read.
        Raises: StorageUnavailable.
        """
        done, pace = Migrated(), _Pace(self._clock, units_per_s)
        places = [{} if is_dry_run else await self._place(part) for part in range(SEGMENTS)]
        if any(places):
            report(f"table {self._db.table}: continuing an interrupted run")
        if all("end" in place for place in places):
            places = [{} for _ in places]
        try:
            async with asyncio.TaskGroup() as segments:
                for part, place in enumerate(places):
                    if "end" not in place:
                        start = place["at"]["M"] if "at" in place else None
                        work = self._segment(part, start, pace, done, report, is_dry_run)
                        segments.create_task(work)
        except* StorageUnavailable as failed:
            raise failed.exceptions[0] from failed
        if not is_dry_run:
            for part in range(SEGMENTS):
                await self._db.delete(*_place_key(part))
        return done

    async def _place(self, part: int) -> Item:
        return await self._db.get(*_place_key(part)) or {}

    async def _segment(
        self,
        part: int,
        start: Item | None,
        pace: _Pace,
        done: Migrated,
        report: Report,
        is_dry_run: bool,
    ) -> None:
        """Read a segment page by page; what is behind `start` alone."""
        while True:
            request: Item = {} if start is None else {"ExclusiveStartKey": start}
            page = await self._db.call(
                "scan",
                TableName=self._db.table,
                Segment=part,
                TotalSegments=SEGMENTS,
                Limit=PAGE_ITEMS,
                ConsistentRead=True,
                **request,
            )
            units = ceil(sum(map(_size, page["Items"])) / 4096)
            done.units += units
            await pace.spend(units)
            items = [item for item in page["Items"] if item["PK"]["S"] != _PLACES]
            await self._page(items, pace, done, is_dry_run)
            before, done.read = done.read, done.read + len(items)
            if done.read // _REPORT_EVERY > before // _REPORT_EVERY:
                report(f"{done.read:,} items read, {done.changes:,} changes")
            start = page.get("LastEvaluatedKey")
            if not is_dry_run:
                await self._remember(part, start)
            if start is None:
                return

    async def _remember(self, part: int, start: Item | None) -> None:
        """Store how far a segment has been read; None: to its end."""
        exp = number(ms(self._clock.now() + _PLACES_LIVE) // 1000)
        place = {"end": {"BOOL": True}} if start is None else {"at": {"M": start}}
        await self._db.put({**key(*_place_key(part)), "exp": exp, **place})

    async def _page(
        self, items: Sequence[Item], pace: _Pace, done: Migrated, is_dry_run: bool
    ) -> None:
        old = [item for item in items if is_old(item)]
        sessions = [[*group] for _, group in groupby(old, key=lambda item: item["PK"]["S"])]
        for start in range(0, len(sessions), _CONCURRENCY):
            chunk = sessions[start : start + _CONCURRENCY]
            await asyncio.gather(*(self._session(each, done, is_dry_run) for each in chunk))
            if not is_dry_run:
                await pace.spend(
                    sum(2 * ceil(_size(item) / 1024) for each in chunk for item in each)
                )

    async def _session(self, items: Sequence[Item], done: Migrated, is_dry_run: bool) -> None:
        for item in items:
            if not is_dry_run:
                await self._rewrite(item, done)
                continue
            done.moved += _is_pending(item)
            _count(_moved(item) if _is_pending(item) else item, done)

    async def _rewrite(self, item: Item | None, done: Migrated) -> None:
        """Bring an item into its present shape; repeated when it changes meanwhile."""
        while item is not None and is_old(item):
            if _is_pending(item):
                moved = await self._old.convert_session(item["PK"]["S"])
                done.moved += moved  # which others have added to meanwhile
                item = await self._db.get(*key_of(item))
                if not moved and item is not None and _is_pending(item):
                    done.left += 1
                    return
                continue
            condition, values = _unchanged(item)
            try:
                if _is_empty(item):
                    await self._db.delete(*key_of(item), condition, **values)
                else:
                    change, new = _change(item)
                    values |= new
                    await self._db.update(*key_of(item), change, condition, **values)
            except ConditionFailed as failed:
                item = failed.item
            else:
                _count(item, done)
                return


def _place_key(part: int) -> tuple[str, str]:
    return _PLACES, f"{part}/{SEGMENTS}"


def is_old(item: Item) -> bool:
    """Return True if an item has a shape that this version reads, and does not write."""
    if not item["PK"]["S"].startswith("S#") or "x" in item or item["SK"]["S"].startswith("L#"):
        return False
    return _is_pending(item) or _is_empty(item) or _has_body(item) or bool(_remains(item))


def _is_pending(item: Item) -> bool:
    return "oB" in item and "oP" in item and item["oP"] != DEAD


def _is_empty(item: Item) -> bool:
    """Return True for the rest of a delivered notice, which is deleted with it since."""
    return item["SK"]["S"].startswith("A#") and item.keys() == {"PK", "SK"}


def _has_body(item: Item) -> bool:
    """Return True if a notice has the bridge's JSON; False also if it cannot be decoded."""
    try:
        return "oB" in item and "body" in _unpack(item["oB"]["B"]) and bool(notice_of(item))
    except msgspec.MsgspecError:
        return False


def _remains(item: Item) -> list[str]:
    """Return the names of attributes that nothing reads any more."""
    names = _ORDER & item.keys()
    if "oA" in item and "oP" not in item:  # the claims of a pending notice are in its marker
        names |= {"oA"}
    return sorted(names)


def _moved(item: Item) -> Item:
    """Return a pending notice's item as it will be once that is in a marker."""
    return {name: value for name, value in item.items() if name not in ("oP", "oS", "oA")}


def _change(item: Item) -> tuple[str, Item]:
    """Return the update that brings an item into its present shape, and its new values."""
    sets, new, remains = list[str](), dict[str, Any](), _remains(item)
    if _has_body(item):
        named = _unpack(item["oB"]["B"])
        kept = {name: value for name, value in named.items() if name not in ("kind", "body")}
        new["content"] = {"B": _pack({**kept, "content": notice_of(item).content})}
        sets.append("oB = :content")
    if "ex" in item and "exp" not in item:
        new["exp"] = number(int(item["ex"]["N"]) + MARGIN_S)
        sets.append("exp = :exp")
    change = f"SET {', '.join(sets)}" if sets else ""
    return f"{change} REMOVE {', '.join(remains)}" if remains else change, new


def _unchanged(item: Item) -> tuple[str, Item]:
    """Return the condition that an item is there, and its notice as it was; and the values."""
    names = ("oI", "oB", "oP", "oS", "x")
    parts = [
        f"{name} = :{name}" if name in item else f"attribute_not_exists({name})" for name in names
    ]
    condition = " AND ".join(["attribute_exists(PK)", *parts])
    return condition, {name: item[name] for name in names if name in item}


def _count(item: Item, done: Migrated) -> None:
    """Count what is changed in an item."""
    done.deleted += _is_empty(item)
    done.rewritten += _has_body(item)
    done.cleared += bool(_remains(item))


def _size(item: Item) -> int:
    """Return about what DynamoDB takes for the size of an item, in bytes."""
    return len(_pack(item))
