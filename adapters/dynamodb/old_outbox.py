"""The outbox of the former version, whose notices were linked in order; they are moved to markers.

A pending notice was in the index `outbox` itself: in a partition `R#<shard>`, ready to be claimed
at the time in its slot, or in `P#<shard>`, parked behind another one of its session. Its item had

`oA`  how often it was claimed: only the first notice of a session ever was;
`ex`  where messages expire: when the notice expires, in seconds. Only when it was settled the item
      got `exp`, by which DynamoDB deletes it;
`op`, `ow`, `ol`, `lo`, `og`, `oC`  its place in the order, and the last claim; they are ignored.

Dead letters have kept their shape.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from adapters.dynamodb.client import Dynamo
from adapters.dynamodb.items import (
    MARGIN_S,
    SHARDS,
    Item,
    key_of,
    number,
    query_of,
    session_of,
    stamped,
)
from adapters.dynamodb.outbox_items import (
    DEAD,
    Marker,
    Queued,
    marker_sk,
    notice_of,
)
from application.ports import Clock
from domain.errors import StorageUnavailable

logger = logging.getLogger(__name__)

LOOK_EVERY = timedelta(minutes=1)
"""Interval of looking for notices that a process of the former version has stored."""
_CONCURRENCY = 16
"""Sessions that are converted at the same time."""
_MAX_MOVED = 25
"""Notices that are moved in one transaction, which may change 4 MB."""
_PARTITIONS = [f"{kind}#{shard}" for kind in "RP" for shard in range(SHARDS)]


class OldOutbox:
    """Converts the pending notices of the former version."""

    def __init__(self, db: Dynamo, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._lock = asyncio.Lock()
        self._looked_at: datetime | None = None

    async def convert(self) -> None:
        """Move all pending notices of that version to markers, if it is time to look for them."""
        async with self._lock:
            at = self._clock.now()
            if self._looked_at is None or not timedelta() <= at - self._looked_at < LOOK_EVERY:
                await self._convert_all()
                self._looked_at = at

    async def _convert_all(self) -> None:
        pages = (self._db.query(**query_of(each, index="outbox")) for each in _PARTITIONS)
        pks = sorted({row["PK"]["S"] for rows in await asyncio.gather(*pages) for row in rows})
        for start in range(0, len(pks), _CONCURRENCY):
            await asyncio.gather(*map(self._try_convert, pks[start : start + _CONCURRENCY]))

    async def _try_convert(self, pk: str) -> None:
        """Like `convert_session`, but logs and skips one whose notices cannot be moved."""
        try:
            await self.convert_session(pk)
        except StorageUnavailable as error:
            extra = {"action": "conversion_failed", "session_id": session_of(pk)}
            logger.warning("Notices of the former version stay", extra=extra, exc_info=error)

    async def convert_session(self, pk: str) -> int:
        """Move the pending notices of a session in order, and return how many these were."""
        moved = 0
        while items := await self._pending(pk):
            lane = notice_of(items[0]).lane
            of_lane = [item for item in items if notice_of(item).lane is lane][:_MAX_MOVED]
            marker = Marker.of(pk, lane, await self._db.get(pk, marker_sk(lane)))
            if marker.is_erased:
                break
            marker = _with(marker, of_lane)
            condition, values = marker.unchanged()
            put = self._db.put_action(marker.item(), condition, **values)
            if await self._db.try_transact(put, *map(self._move, of_lane)):
                moved += len(of_lane)
        return moved

    async def _pending(self, pk: str) -> list[Item]:
        """Read a session's pending notices: the claimed one, and then the others in order."""
        items = await self._db.query(
            **query_of(pk, dead=DEAD),
            FilterExpression="attribute_exists(oB) AND attribute_exists(oP) AND oP <> :dead",
        )
        readable = [item for item in items if _is_readable(item)]
        return sorted(readable, key=lambda item: ("oA" not in item, _queued(item).order))

    def _move(self, item: Item) -> Item:
        """Return the action that takes an item out of the index, if it has not changed."""
        change, values = "REMOVE oP, oS, oA", {"partition": item["oP"], "slot": item["oS"]}
        if "ex" in item:
            change += " SET exp = :exp"
            values["exp"] = number(int(item["ex"]["N"]) + MARGIN_S)
        is_same = "oP = :partition AND oS = :slot"
        return self._db.update_action(*key_of(item), change, is_same, **values)


def _with(marker: Marker, items: Sequence[Item]) -> Marker:
    """Add notices to a queue, behind the first one if it was claimed."""
    added, attempts = [_queued(item) for item in items], items[0].get("oA")
    if marker.attempts or attempts is None:
        return marker.having(added, first=marker.queue[:1] if marker.attempts else ())
    return marker.having(added, first=added[:1])._replace(attempts=int(attempts["N"]))


def _is_readable(item: Item) -> bool:
    try:
        notice_of(item)
    except msgspec.MsgspecError:  # of a later version
        extra = {"action": "notice_unreadable", "notice_id": item["oI"]["S"]}
        logger.exception("A notice cannot be read", extra=extra)
        return False
    return True


def _queued(item: Item) -> Queued:
    return Queued(stamped(item["oS"]), item["SK"]["S"])
