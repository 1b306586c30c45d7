"""The outbox in DynamoDB: a marker for each session and lane says what is to be delivered next."""

import asyncio
import logging
import secrets
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from adapters.dynamodb.client import ConditionFailed, Dynamo, TransactionFailed, bounded
from adapters.dynamodb.items import Item, key_of, moment, ms, number, stamp, stamped
from adapters.dynamodb.old_outbox import OldOutbox
from adapters.dynamodb.outbox_items import (
    DEAD,
    Change,
    dead_slot,
    deferred,
    has_expired,
    inserted,
    marker_sk,
    notice_of,
    partition_query,
    partitions,
    queue_of,
    queued,
    ready_at,
    removed,
    sk_of,
)
from application.ports import Clock, Outbox
from domain.errors import StorageUnavailable
from domain.notice import DeadLetter, Deferred, Delivered, Lane, Notice, Outcome

logger = logging.getLogger(__name__)

RESCAN_EVERY = timedelta(seconds=1)
"""Interval of reading the index for the markers that other processes have made due."""
MAX_RETRY_MS = 5_000
"""A marker that another process has claimed is tried again after this time at the latest."""
MAX_KNOWN = 10_000
"""Limit of the markers of a lane, and of the claimed notices, that are remembered."""
CLAIM_BUDGET_S = 3.0
"""A claim begins no more after this time: what it has claimed must be delivered in time."""
_PAGE = 50

_CLAIM = "SET oL = :lease, oC = :token ADD oA :one"
_IS_READY = "oS < :later AND (attribute_not_exists(oL) OR oL <= :now)"


class DueMarkers:
    """The markers of a lane that this process tries to claim, and when.

    A claim follows every append and every settlement, and usually there is nothing but what this
    process has written, which it remembers here; the index, which lags a moment behind, is read
    every RESCAN_EVERY. These are hints: the conditional update of a marker decides.
    """

    def __init__(self, db: Dynamo, clock: Clock, lane: Lane) -> None:
        self._db = db
        self._clock = clock
        self._partitions = partitions(lane)
        self._times: dict[str, int] = {}
        """Partition of the session → milliseconds since 1970."""
        self._scanned_at: datetime | None = None

    def put(self, pk: str, at: int) -> None:
        """Try the marker from `at` on, and not earlier."""
        self._times.pop(pk, None)
        self.add(pk, at)

    def add(self, pk: str, at: int) -> None:
        """Try the marker from `at` on, unless another time is known."""
        self._times.setdefault(pk, at)
        if len(self._times) > MAX_KNOWN:  # the index has it, too
            del self._times[next(iter(self._times))]
            self._scanned_at = None

    def remove(self, pk: str) -> None:
        """Try the marker only when the index has it."""
        self._times.pop(pk, None)

    async def due(self, now: int, tried: Collection[str], limit: int) -> list[str]:
        """Return up to `limit` markers to be tried, the longest due first, without those tried."""
        at = self._clock.now()
        if self._scanned_at is None or not timedelta() <= at - self._scanned_at < RESCAN_EVERY:
            pages = [self._read(partition, now, tried, limit) for partition in self._partitions]
            is_complete = all(await asyncio.gather(*pages))
            self._scanned_at = at if is_complete else None
        due = [(at, pk) for pk, at in self._times.items() if at <= now and pk not in tried]
        return [pk for _, pk in sorted(due)[:limit]]

    async def _read(self, partition: Item, now: int, tried: Collection[str], limit: int) -> bool:
        """Add the due markers of a partition; False: reading ended at the limit."""
        request = partition_query(partition, later={"S": stamp(now + 1)})
        request["KeyConditionExpression"] += " AND oS < :later"
        found = 0
        while True:
            rows = await self._db.query(_PAGE, **request)
            for row in rows:
                pk = row["PK"]["S"]
                if pk not in tried and self._times.get(pk, 0) <= now:
                    self._times.setdefault(pk, stamped(row["oS"]))
                    found += 1
            if len(rows) < _PAGE:
                return True
            if found >= limit:
                return False
            request["ExclusiveStartKey"] = {name: rows[-1][name] for name in _INDEX_KEY}


_INDEX_KEY = ("PK", "SK", "oP", "oS")


class _Pending(NamedTuple):
    """A notice in a queue: the item that has it, and the marker as it was last read."""

    lane: Lane
    sk: str
    dead_slot: Item
    marker: Item


class DynamoOutbox(Outbox):
    """Claims and settles notices by conditional writes of their lanes' markers."""

    def __init__(self, db: Dynamo, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self.markers = {lane: DueMarkers(db, clock, lane) for lane in Lane}
        self._old = OldOutbox(db, clock)
        self._claimed: dict[str, _Pending] = {}

    @bounded
    async def claim(
        self, lane: Lane, now: datetime, lease_until: datetime, limit: int
    ) -> tuple[Notice, ...]:
        """The longest due first. `attempts` of a notice counts the claims before this one."""
        claimed, tried, loop = list[Notice](), set[str](), asyncio.get_running_loop()
        stop_at = loop.time() + CLAIM_BUDGET_S
        try:
            await self._old.convert()
            while pks := await self.markers[lane].due(ms(now), tried, limit - len(claimed)):
                tried.update(pks)
                await self._claim_all(lane, pks, ms(now), ms(lease_until), claimed)
                if len(claimed) >= limit or loop.time() >= stop_at:
                    break
        except StorageUnavailable:
            if not claimed:  # else those are delivered now, and not when their lease has ended
                raise
        return tuple(claimed)

    async def _claim_all(
        self, lane: Lane, pks: Sequence[str], now: int, lease: int, claimed: list[Notice]
    ) -> None:
        outcomes = await asyncio.gather(
            *(self._claim_first(lane, pk, now, lease) for pk in pks), return_exceptions=True
        )
        claimed += [outcome for outcome in outcomes if isinstance(outcome, Notice)]
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _claim_first(self, lane: Lane, pk: str, now: int, lease: int) -> Notice | None:
        """Claim the first notice of a queue that has not expired; None: it is not due."""
        while (marker := await self._lease(lane, pk, now, lease)) is not None:
            sk = sk_of(queue_of(marker)[0])
            item = await self._db.get(pk, sk) or {}
            if "oI" in item and not has_expired(item, self._clock.now()):
                return self._read(lane, item, marker)
            with suppress(ConditionFailed):
                await self._change(pk, lane, removed(marker, sk))
        return None

    async def _lease(self, lane: Lane, pk: str, now: int, lease: int) -> Item | None:
        """Claim a marker, and return it as it was before; None: its time has not come."""
        sk, token, markers = marker_sk(lane), {"B": secrets.token_bytes(8)}, self.markers[lane]
        values = {"lease": number(lease), "token": token, "one": number(1), "now": number(now)}
        values["later"] = {"S": stamp(now + 1)}
        try:
            before = await self._db.update(pk, sk, _CLAIM, _IS_READY, **values)
        except ConditionFailed as failed:
            found = failed.item or {}
            if "oQ" not in found:
                markers.remove(pk)
                return None
            if found.get("oC") != token:
                markers.put(pk, min(ready_at(found), now + MAX_RETRY_MS))
                return None
            # Claimed by an attempt whose response was lost.
            before = found | {"oA": number(_attempts(found) - 1)}
            del before["oL"]
        markers.put(pk, lease)
        return before

    def _read(self, lane: Lane, item: Item, marker: Item) -> Notice | None:
        """Return the notice that was claimed, and remember it; None: it cannot be decoded."""
        try:
            notice = notice_of(item)
        except msgspec.MsgspecError:  # of a later version, which will claim it when the lease ends
            extra = {"action": "notice_unreadable", "notice_id": item["oI"]["S"]}
            logger.exception("A notice cannot be read", extra=extra)
            return None
        attempts = _attempts(marker)
        after = marker | {"oA": number(attempts + 1)}
        pending = _Pending(lane, item["SK"]["S"], dead_slot(notice), after)
        self._claimed.pop(notice.notice_id, None)
        self._claimed[notice.notice_id] = pending
        if len(self._claimed) > MAX_KNOWN:  # it will be searched for
            del self._claimed[next(iter(self._claimed))]
        return replace(notice, due_at=moment(ready_at(marker)), attempts=attempts)

    async def _change(self, pk: str, lane: Lane, change: Change) -> None:
        """Change a marker. Raises: ConditionFailed, with the marker."""
        sk = marker_sk(lane)
        await self._db.update(pk, sk, change.update, change.condition, **change.values)

    @bounded
    async def settle(self, notice_id: str, outcome: Outcome) -> None:
        pending = self._claimed.get(notice_id) or await self._find_pending(notice_id)
        if pending is None:
            return
        lane, sk, marker = pending.lane, pending.sk, pending.marker
        pk, markers = marker["PK"]["S"], self.markers[lane]
        try:
            while any(sk_of(element) == sk for element in queue_of(marker)):
                try:
                    return await self._settle(notice_id, outcome, pending._replace(marker=marker))
                except ConditionFailed as failed:  # the queue has changed
                    marker = failed.item or {}
        except BaseException:  # it may have been settled, or be settled later
            markers.put(pk, 0)
            raise

    async def _settle(self, notice_id: str, outcome: Outcome, pending: _Pending) -> None:
        """Raises: ConditionFailed, with the marker, when its queue is not as it was read."""
        lane, sk, marker = pending.lane, pending.sk, pending.marker
        pk, held = marker["PK"]["S"], {"id": {"S": notice_id}}
        if isinstance(outcome, Deferred):
            change = deferred(marker, sk, ms(outcome.until))
        else:
            change = removed(marker, sk)
        if isinstance(outcome, Delivered | Deferred):
            await self._change(pk, lane, change)
        else:
            await self._kill(pending, outcome.reason, change, held)
        self._note(pk, lane, change)
        if isinstance(outcome, Delivered):
            await self._remove_notice(pk, sk, "oI = :id", held)

    def _note(self, pk: str, lane: Lane, change: Change) -> None:
        """Remember when the marker is due after the change."""
        markers = self.markers[lane]
        if "slot" in change.values:
            markers.put(pk, stamped(change.values["slot"]))
        elif "queue" not in change.values:
            markers.remove(pk)

    async def _kill(self, pending: _Pending, reason: str, change: Change, held: Item) -> None:
        """Make a dead letter of a notice, unless its item is gone.

        Raises: ConditionFailed, with the marker.
        """
        marker, sk = pending.marker, pending.sk
        pk, is_first = marker["PK"]["S"], sk_of(queue_of(marker)[0]) == sk
        values = {"dead": DEAD, "slot": pending.dead_slot, "reason": {"S": reason}}
        values["attempts"] = number(_attempts(marker) if is_first else 0)
        dead = "SET oP = :dead, oS = :slot, oD = :reason, oA = :attempts"
        try:
            await self._db.transact(
                [
                    self._marker_action(pk, pending.lane, change),
                    self._db.update_action(pk, sk, dead, "oI = :id", **held, **values),
                ]
            )
        except TransactionFailed as failed:
            if (changed := failed.reasons[0]) is not None:
                found = changed.item or await self._db.get(pk, marker_sk(pending.lane))
                raise ConditionFailed(found) from failed
            await self._change(pk, pending.lane, change)

    def _marker_action(self, pk: str, lane: Lane, change: Change) -> Item:
        sk = marker_sk(lane)
        return self._db.update_action(pk, sk, change.update, change.condition, **change.values)

    async def _remove_notice(self, pk: str, sk: str, condition: str, values: Item) -> bool:
        """Remove a notice from its item, or with it; False: the condition was not met."""
        try:
            if sk.startswith("A#"):
                await self._db.delete(pk, sk, condition, **values)
            else:
                change = "REMOVE oI, oB, oP, oS, oA, oD"
                await self._db.update(pk, sk, change, condition, **values)
        except ConditionFailed:
            return False
        return True

    async def _find_pending(self, notice_id: str) -> _Pending | None:
        for lane in Lane:
            markers = await self._markers(lane, "PK, SK, oQ, oS, oA")
            of = {
                (marker["PK"]["S"], sk_of(element)): marker
                for marker in markers
                for element in queue_of(marker)
            }
            for found, item in (await self._db.read_many(of, "PK, SK, oI, oB")).items():
                if item.get("oI") == {"S": notice_id}:
                    return _Pending(lane, found[1], dead_slot(notice_of(item)), of[found])
        return None

    async def _markers(self, lane: Lane, attributes: str) -> list[Item]:
        """Read the markers of a lane whose queues are not empty."""
        pages = (self._db.query(**partition_query(partition)) for partition in partitions(lane))
        keys = {key_of(row) for rows in await asyncio.gather(*pages) for row in rows}
        return [*(await self._db.read_many(keys, attributes)).values()]

    @bounded
    async def depth(self) -> int:
        await self._old.convert()
        lanes = await asyncio.gather(*(self._markers(lane, "PK, SK, oQ") for lane in Lane))
        return sum(len(queue_of(marker)) for markers in lanes for marker in markers)

    @bounded
    async def dead(self, limit: int) -> tuple[DeadLetter, ...]:
        letters: list[DeadLetter] = []
        request, has_more = partition_query(DEAD), True
        while has_more and (wanted := limit - len(letters)) > 0:
            rows = await self._db.query(wanted, **request)
            letters += await self._letters(rows)
            if has_more := len(rows) == wanted:
                request["ExclusiveStartKey"] = {name: rows[-1][name] for name in _INDEX_KEY}
        return tuple(letters)

    async def _letters(self, rows: Sequence[Item]) -> list[DeadLetter]:
        keys, now = [key_of(row) for row in rows], self._clock.now()
        found = await self._db.read_many(keys, "PK, SK, oP, oI, oB, oA, oD, exp")
        return [
            DeadLetter(notice_of(item), item["oD"]["S"])
            for item in (found.get(key, {}) for key in keys)
            if item.get("oP") == DEAD and not has_expired(item, now)
        ]

    @bounded
    async def retry(self, notice_id: str) -> bool:
        for pk, sk in await self._find_dead(notice_id):
            while (item := await self._dead_item(pk, sk, notice_id)) is not None:
                notice = notice_of(item)
                marker = await self._db.get(pk, marker_sk(notice.lane))
                if marker is not None and "x" in marker:  # the session is being erased
                    break
                if await self._revive(item, notice, marker):
                    return True
        return False

    async def _dead_item(self, pk: str, sk: str, notice_id: str) -> Item | None:
        item = await self._db.get(pk, sk) or {}
        is_dead = item.get("oP") == DEAD and item["oI"]["S"] == notice_id
        return item if is_dead and not has_expired(item, self._clock.now()) else None

    async def _revive(self, item: Item, notice: Notice, marker: Item | None) -> bool:
        """Put a dead letter into its queue, behind the first; False: something has changed."""
        (pk, sk), lane, first = key_of(item), notice.lane, queue_of(marker)[:1]
        change = inserted(marker, pk, lane, [queued(ms(notice.due_at), sk)], first)
        is_dead, held = "oI = :id AND oP = :dead", {"dead": DEAD, "id": item["oI"]}
        try:
            done = await self._db.try_transact(
                self._marker_action(pk, lane, change),
                self._db.update_action(pk, sk, "REMOVE oP, oS, oA, oD", is_dead, **held),
            )
        except BaseException:  # it may have been retried, or be retried later
            self.markers[lane].add(pk, 0)
            raise
        if done:
            self._note(pk, lane, change)
        return done

    @bounded
    async def drop(self, notice_id: str) -> bool:
        held = {"dead": DEAD, "id": {"S": notice_id}}
        for pk, sk in await self._find_dead(notice_id):
            if await self._remove_notice(pk, sk, "oI = :id AND oP = :dead", held):
                return True
        return False

    async def _find_dead(self, notice_id: str) -> list[tuple[str, str]]:
        """Find the item with this dead letter: at most one, unless the index lags."""
        request = partition_query(DEAD, id={"S": notice_id})
        rows = await self._db.query(**request, FilterExpression="oI = :id")
        return [key_of(row) for row in rows]


def _attempts(marker: Item) -> int:
    return int(marker["oA"]["N"]) if "oA" in marker else 0
