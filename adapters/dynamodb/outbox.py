"""The outbox in DynamoDB: a marker for each session and lane says what is to be delivered next."""

import asyncio
import logging
import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from heapq import nsmallest
from itertools import chain
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from adapters.dynamodb.client import ConditionFailed, Dynamo, TransactionFailed, bounded
from adapters.dynamodb.items import Item, key_of, moment, ms, number, query_of, stamp, stamped
from adapters.dynamodb.old_outbox import OldOutbox
from adapters.dynamodb.outbox_items import (
    DEAD,
    Marker,
    Queued,
    dead_slot,
    has_expired,
    marker_sk,
    notice_of,
    partitions,
)
from application.ports import Backlog, Clock, Outbox
from domain.errors import StorageUnavailable
from domain.notice import DeadLetter, Deferred, Delivered, Lane, Notice, Outcome, Undeliverable

logger = logging.getLogger(__name__)

RESCAN_EVERY = timedelta(seconds=1)
"""Interval of reading the index for the markers that other processes have made due."""
MAX_RETRY_MS = 5_000
"""A marker that another process has claimed is tried again after this time at the latest."""
MAX_KNOWN = 10_000
"""Limit of the markers of a lane, and of the claimed notices, that are remembered."""
CLAIM_BUDGET_S = 3.0
"""A claim begins no more after this time: what it has claimed must be delivered in time."""

_CLAIM = "SET oL = :lease, oC = :token ADD oA :one, oV :one"
_DEAD_LETTER = "oI = :id AND oP = :dead"
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
        self._appended: set[str] = set()
        """Those that notices were appended to since they were last put here."""
        self._scanned_at: datetime | None = None
        self._has_more = False
        """True if the last reading of the index ended before its end."""

    def appended(self, pk: str, at: int) -> None:
        """Try a marker from `at` on, unless another time is known."""
        self._set(pk, self._times.get(pk, at))
        self._appended.add(pk)

    def put(self, pk: str, at: int) -> None:
        """Try a marker from `at` on, and not earlier."""
        self._forget(pk)
        self._set(pk, at)

    def remove(self, pk: str) -> None:
        """Forget a marker whose queue is empty, unless notices may have been appended since."""
        if pk in self._appended:
            self.put(pk, 0)
        else:
            self._forget(pk)

    def _set(self, pk: str, at: int) -> None:
        self._times[pk] = at
        if len(self._times) > MAX_KNOWN:  # the index has it, too
            self._forget(next(iter(self._times)))

    def _forget(self, pk: str) -> None:
        self._times.pop(pk, None)
        self._appended.discard(pk)

    async def due(self, now: int, limit: int, tried: Collection[str]) -> list[str]:
        """Return up to `limit` markers to be tried, the longest due first, without those tried."""
        at, due = self._clock.now(), self._due(now, limit, tried)
        scanned_at = self._scanned_at
        is_fresh = scanned_at is not None and timedelta() <= at - scanned_at < RESCAN_EVERY
        if is_fresh and (len(due) == limit or not self._has_more):
            return due
        await self._scan(now, limit, tried)
        self._scanned_at = at
        return self._due(now, limit, tried)

    def _due(self, now: int, limit: int, tried: Collection[str]) -> list[str]:
        due = [(at, pk) for pk, at in self._times.items() if at <= now and pk not in tried]
        return [pk for _, pk in nsmallest(limit, due)]

    async def _scan(self, now: int, limit: int, tried: Collection[str]) -> None:
        """Read markers that are due from the index: enough that `limit` of them can be tried."""
        count = limit + len(tried) + sum(at > now for at in self._times.values())
        pages = await asyncio.gather(*(self._rows(each, now, count) for each in self._partitions))
        for row in chain.from_iterable(pages):
            self._times.setdefault(row["PK"]["S"], stamped(row["oS"]))
        self._has_more = any(len(rows) == count for rows in pages)

    async def _rows(self, partition: str, now: int, count: int) -> list[Item]:
        request = query_of(partition, "0", stamp(now + 1), index="outbox")
        return await self._db.query(count, **request)


class _Pending(NamedTuple):
    """A notice in a queue: its id and item, and the marker as it was last read."""

    notice_id: str
    sk: str
    dead_slot: Item
    marker: Marker


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
            while pks := await self.markers[lane].due(ms(now), limit - len(claimed), tried):
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
        while (before := await self._lease(lane, pk, now, lease)) is not None:
            sk, attempts = before.queue[0].sk, before.attempts
            marker = before._replace(
                attempts=attempts + 1, leased_until=lease, version=before.version + 1
            )
            item = await self._db.get(pk, sk)
            if item is None or "oI" not in item or has_expired(item, self._clock.now()):
                await self._settle(_Pending("", sk, {}, marker), Delivered())
            elif (notice := _readable(item)) is None:
                return None
            else:
                self._remember(_Pending(notice.notice_id, sk, dead_slot(notice), marker))
                return replace(notice, due_at=moment(before.ready_at), attempts=attempts)
        return None

    async def _lease(self, lane: Lane, pk: str, now: int, lease: int) -> Marker | None:
        """Claim a marker, and return it as it was before; None: its time has not come."""
        token = {"B": secrets.token_bytes(8)}
        values = {"lease": number(lease), "token": token, "one": number(1), "now": number(now)}
        values["later"] = {"S": stamp(now + 1)}
        try:
            found = await self._db.update(pk, marker_sk(lane), _CLAIM, _IS_READY, **values)
            before = Marker.of(pk, lane, found)
        except ConditionFailed as failed:
            before = Marker.of(pk, lane, failed.item)
            if before.token != token:
                self._note(before, now)
                return None
            # Claimed by an attempt whose response was lost.
            attempts, version = before.attempts - 1, before.version - 1
            before = before._replace(attempts=attempts, leased_until=None, version=version)
        self.markers[lane].put(pk, lease)
        return before

    def _note(self, marker: Marker, now: int | None = None) -> None:
        """Remember when a marker is to be tried; `now`: its claim is another process's."""
        markers = self.markers[marker.lane]
        if not marker.queue:
            markers.remove(marker.pk)
        elif marker.leased_until is not None and now is not None:
            markers.put(marker.pk, min(marker.leased_until, now + MAX_RETRY_MS))
        else:
            markers.put(marker.pk, marker.ready_at)

    def _remember(self, pending: _Pending) -> None:
        self._claimed.pop(pending.notice_id, None)
        self._claimed[pending.notice_id] = pending
        if len(self._claimed) > MAX_KNOWN:  # it will be searched for
            del self._claimed[next(iter(self._claimed))]

    @bounded
    async def settle(self, notice_id: str, outcome: Outcome) -> None:
        pending = self._claimed.get(notice_id) or await self._find_pending(notice_id)
        if pending is None:
            return
        try:
            await self._settle(pending, outcome)
        except BaseException:  # it may have been settled, or be settled later
            self.markers[pending.marker.lane].put(pending.marker.pk, 0)
            raise

    async def _settle(self, pending: _Pending, outcome: Outcome) -> None:
        sk, marker = pending.sk, pending.marker
        while marker.has(sk):
            if isinstance(outcome, Deferred):
                settled = marker.deferred(sk, ms(outcome.until))
            else:
                settled = marker.without(sk)
            try:
                await self._write(settled, *self._kill_actions(pending, marker, outcome))
            except ConditionFailed as failed:  # another process has written it
                marker = Marker.of(marker.pk, marker.lane, failed.item)
            except TransactionFailed:  # the item of the notice is gone
                outcome = Delivered()
            else:
                marker = settled
                break
        self._note(marker)
        if isinstance(outcome, Delivered):
            is_alive = "oI = :id AND attribute_not_exists(oP)"
            await self._remove_notice(marker.pk, sk, is_alive, id={"S": pending.notice_id})

    def _kill_actions(self, pending: _Pending, marker: Marker, outcome: Outcome) -> list[Item]:
        """Return the action that makes a dead letter of a notice, if it is undeliverable."""
        if not isinstance(outcome, Undeliverable):
            return []
        kill = self._db.update_action(
            marker.pk,
            pending.sk,
            "SET oP = :dead, oS = :slot, oD = :reason, oA = :attempts",
            "oI = :id",
            dead=DEAD,
            slot=pending.dead_slot,
            reason={"S": outcome.reason},
            attempts=number(marker.attempts if marker.queue[0].sk == pending.sk else 0),
            id={"S": pending.notice_id},
        )
        return [kill]

    async def _write(self, marker: Marker, *actions: Item) -> None:
        """Store a marker that was read, perhaps together with other changes.

        Raises: ConditionFailed, with the marker, when it has changed; TransactionFailed.
        """
        condition, values = marker.unchanged()
        if not actions:
            return await self._db.put(marker.item(), condition, **values)
        try:
            put = self._db.put_action(marker.item(), condition, **values)
            await self._db.transact([put, *actions])
        except TransactionFailed as failed:
            if (changed := failed.reasons[0]) is None:
                raise
            item = changed.item or await self._db.get(marker.pk, marker_sk(marker.lane))
            raise ConditionFailed(item) from failed

    async def _remove_notice(self, pk: str, sk: str, condition: str, **values: Item) -> bool:
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
            of = {(each.pk, at.sk): each for each in await self._queues(lane) for at in each.queue}
            for found, item in (await self._db.read_many(of, "PK, SK, oI, oB")).items():
                if item.get("oI") == {"S": notice_id}:
                    return _Pending(notice_id, found[1], dead_slot(notice_of(item)), of[found])
        return None

    async def _queues(self, lane: Lane) -> list[Marker]:
        """Read the markers of a lane whose queues are not empty."""
        pages = (self._db.query(**query_of(each, index="outbox")) for each in partitions(lane))
        keys = {key_of(row) for row in chain.from_iterable(await asyncio.gather(*pages))}
        found = await self._db.read_many(keys, "PK, SK, oQ, oS, oA, oL, oV, exp")
        return [Marker.of(pk, lane, item) for (pk, _), item in found.items()]

    @bounded
    async def backlog(self) -> Backlog:
        await self._old.convert()
        lanes = await asyncio.gather(*map(self._queues, Lane))
        due = [each.at for marker in chain.from_iterable(lanes) for each in marker.queue]
        return Backlog(len(due), moment(min(due)) if due else None)

    @bounded
    async def dead(self, limit: int) -> tuple[DeadLetter, ...]:
        letters: list[DeadLetter] = []
        request, has_more = query_of(DEAD["S"], index="outbox"), True
        while has_more and (wanted := limit - len(letters)) > 0:
            rows = await self._db.query(wanted, **request)
            letters += await self._letters(rows)
            if has_more := len(rows) == wanted:
                names = ("PK", "SK", "oP", "oS")
                request["ExclusiveStartKey"] = {name: rows[-1][name] for name in names}
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
            while (item := await self._db.get(pk, sk)) and _is_dead(item, notice_id):
                lane = notice_of(item).lane
                marker = Marker.of(pk, lane, await self._db.get(pk, marker_sk(lane)))
                if has_expired(item, self._clock.now()) or marker.is_erased:
                    break
                if await self._retry(item, marker):
                    return True
        return False

    async def _retry(self, item: Item, marker: Marker) -> bool:
        """Put a dead letter into its queue, behind the first; False: something has changed."""
        (pk, sk), due_at = key_of(item), notice_of(item).due_at
        retried = marker.having([Queued(ms(due_at), sk)], first=marker.queue[:1])
        alive = self._db.update_action(
            pk, sk, "REMOVE oP, oS, oA, oD", _DEAD_LETTER, dead=DEAD, id=item["oI"]
        )
        try:
            await self._write(retried, alive)
        except (ConditionFailed, TransactionFailed):
            return False
        self._note(retried)
        return True

    @bounded
    async def drop(self, notice_id: str) -> bool:
        values = {"dead": DEAD, "id": {"S": notice_id}}
        for pk, sk in await self._find_dead(notice_id):
            if await self._remove_notice(pk, sk, _DEAD_LETTER, **values):
                return True
        return False

    async def _find_dead(self, notice_id: str) -> list[tuple[str, str]]:
        """Find the item with this dead letter: at most one, unless the index lags."""
        request = query_of(DEAD["S"], index="outbox", id={"S": notice_id})
        rows = await self._db.query(**request, FilterExpression="oI = :id")
        return [key_of(row) for row in rows]


def _is_dead(item: Item, notice_id: str) -> bool:
    return item.get("oP") == DEAD and item["oI"] == {"S": notice_id}


def _readable(item: Item) -> Notice | None:
    """Return the notice of an item; None: it cannot be decoded."""
    try:
        return notice_of(item)
    except msgspec.MsgspecError:  # of a later version, which will claim it when the lease ends
        extra = {"action": "notice_unreadable", "notice_id": item["oI"]["S"]}
        logger.exception("A notice cannot be read", extra=extra)
        return None
