"""The outbox in DynamoDB: notices for the bridge, in order per session."""

import asyncio
import logging
import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import chain

import msgspec
from msgspec.structs import replace

from adapters.dynamodb.claim_cache import ClaimCache, ClaimScan
from adapters.dynamodb.client import ConditionFailed, Dynamo, TransactionFailed, bounded
from adapters.dynamodb.dead_letters import ItemChange, reinserted
from adapters.dynamodb.items import (
    Item,
    ItemKey,
    entries_of,
    entry_sk,
    key_of,
    moment,
    ms,
    number,
    stamped,
)
from adapters.dynamodb.outbox_items import (
    DEAD,
    INDEX_KEY,
    IS_PENDING,
    PENDING,
    OutboxItem,
    has_expired,
    is_pending,
    next_link,
    notice_of,
    outbox_slot,
    parked_behind,
    partition_query,
    partitions,
    target_of,
    unchanged,
)
from application.ports import Clock, Outbox
from domain.errors import StorageUnavailable
from domain.notice import DeadLetter, Deferred, Delivered, Lane, Notice, Outcome

logger = logging.getLogger(__name__)

MAX_CLAIMED = 10_000
"""Limit of the claimed notices whose address is remembered; others are searched for."""
MAX_BLOCKED = 10_000
"""Limit of the blocked items that are remembered until they are parked."""
CLAIM_BUDGET_S = 3.0
"""A claim stops reading after this time: what it has leased must be delivered in time."""

_LEASE = "SET oS = :lease, oC = :token ADD oA :one REMOVE op"
_NOT_EXPIRED = "(attribute_not_exists(ex) OR ex > :now_s)"
_DELIVER = "REMOVE oP, oS, oI, oB, oA, oC, ow"
_KILL = "REMOVE oC, ow SET oP = :dead, oS = :dead_slot, oD = :reason"
_DROP = "REMOVE oP, oS, oI, oB, oA, oD"


class DynamoOutbox(Outbox):
    """Keeps notices on the items of their causes, linked in order per session."""

    def __init__(self, db: Dynamo, clock: Clock, cache: ClaimCache) -> None:
        self._db = db
        self._clock = clock
        self._cache = cache
        self._claimed: dict[str, OutboxItem] = {}
        self._blocked: set[ItemKey] = set()

    @bounded
    async def claim(
        self, lane: Lane, now: datetime, lease_until: datetime, limit: int
    ) -> tuple[Notice, ...]:
        """The longest due first. `attempts` of a notice counts the claims before this one."""
        lease, claimed, loop = ms(lease_until), list[Notice](), asyncio.get_running_loop()
        stop_at = loop.time() + CLAIM_BUDGET_S
        try:
            with self._cache.scan(ms(now)) as scan:
                while rows := await scan.take(limit - len(claimed)):
                    await self._claim_all(scan, rows, lease, claimed)
                    if len(claimed) >= limit or loop.time() >= stop_at:
                        break
        except StorageUnavailable:
            if not claimed:  # else those are delivered now, and not when their lease has ended
                raise
        return tuple(claimed)

    async def _claim_all(
        self, scan: ClaimScan, rows: Sequence[Item], lease: int, claimed: list[Notice]
    ) -> None:
        """Claim those rows that are the first of their session; the others wait."""
        blockers = await self._blockers(rows)
        outcomes = await asyncio.gather(
            *(
                self._wait(scan, row, blocker) if blocker else self._claim(scan, row, lease)
                for row, blocker in zip(rows, blockers, strict=True)
            ),
            return_exceptions=True,
        )
        claimed += [outcome for outcome in outcomes if isinstance(outcome, Notice)]
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _blockers(self, rows: Sequence[Item]) -> list[str | None]:
        """Return the sort key of the nearest pending item before each row; None: it is first."""
        blockers: list[str | None] = [None] * len(rows)
        links = {index: row["op"]["S"] for index, row in enumerate(rows) if "op" in row}
        while links:
            targets = {
                index: (rows[index]["PK"]["S"], target_of(link)) for index, link in links.items()
            }
            found = await self._db.read_many(set(targets.values()), "PK, SK, oP, op, ol")
            further: dict[int, str] = {}
            for index, link in links.items():
                item = found.get(targets[index], {})
                if is_pending(item):
                    blockers[index] = target_of(link)
                elif following := next_link(item, link):
                    further[index] = following
            links = further
        return blockers

    async def _claim(self, scan: ClaimScan, row: Item, lease: int) -> Notice | None:
        """Claim an item that is the first; None: it is no longer as in the row."""
        pk, sk = key_of(row)
        condition, values = unchanged(row, ("oP", "oS", "op"))
        token, now = {"B": secrets.token_bytes(8)}, self._clock.now()
        values |= {"lease": outbox_slot(lease, pk, sk), "token": token, "one": number(1)}
        values["now_s"] = number(int(now.timestamp()))
        try:
            item = await self._db.update(
                pk, sk, _LEASE, f"{condition} AND {_NOT_EXPIRED}", **values
            )
        except ConditionFailed as failed:
            item = failed.item or {}
            if item.get("oC") != token:  # else claimed by an attempt whose response was lost
                if is_pending(item) and has_expired(item, now):
                    await self._settle(OutboxItem.of(item), _DELIVER, _holds(item["oI"]), {})
                return None
        scan.leased(row, lease)
        try:
            notice = notice_of(item)
        except msgspec.MsgspecError:  # of a later version, which will claim it when the lease ends
            extra = {"action": "notice_unreadable", "notice_id": item["oI"]["S"]}
            logger.exception("A notice cannot be read", extra=extra)
            return None
        self._remember(notice, OutboxItem.of(item))
        ready_at = moment(stamped(row["oS"]))
        return replace(notice, due_at=ready_at, attempts=notice.attempts - 1)

    def _remember(self, notice: Notice, item: OutboxItem) -> None:
        self._claimed.pop(notice.notice_id, None)
        self._claimed[notice.notice_id] = item
        if len(self._claimed) > MAX_CLAIMED:
            del self._claimed[next(iter(self._claimed))]

    async def _wait(self, scan: ClaimScan, row: Item, blocker: str) -> None:
        """Park an item that is blocked for the second time: most are blocked only briefly."""
        if (key := key_of(row)) in self._blocked:
            self._blocked.discard(key)
            if await self._park(row, blocker):
                scan.parked(row)
            return
        if len(self._blocked) >= MAX_BLOCKED:
            self._blocked.clear()
        self._blocked.add(key)
        scan.blocked(row)

    async def _park(self, row: Item, blocker: str) -> bool:
        """Park an item behind the one before it; False: one of them has changed."""
        pk, sk = key_of(row)
        condition, values = unchanged(row, ("oP", "oS", "op"))
        values["to"] = partitions(pk)["parked"]
        parks = {"parked": {"SS": [sk]}, "dead": DEAD}
        return await self._db.try_transact(
            self._db.update_action(pk, blocker, "ADD ow :parked", IS_PENDING, **parks),
            self._db.update_action(pk, sk, "SET oP = :to", condition, **values),
        )

    @bounded
    async def settle(self, notice_id: str, outcome: Outcome) -> None:
        item = self._claimed.get(notice_id) or await self._find_pending(notice_id)
        if item is None:
            return
        values = _holds({"S": notice_id})
        if isinstance(outcome, Deferred):
            await self._defer(item, ms(outcome.until), values)
        elif isinstance(outcome, Delivered):
            await self._settle(item, _DELIVER, values, {})
        else:
            reason = {"S": outcome.reason}
            await self._settle(item, _KILL, values, {"dead_slot": item.dead_slot, "reason": reason})

    async def _find_pending(self, notice_id: str) -> OutboxItem | None:
        rows = await self._find(notice_id, PENDING)
        found = [await self._db.get(*key_of(row)) for row in rows]
        return next((OutboxItem.of(item) for item in found if item and is_pending(item)), None)

    async def _defer(self, item: OutboxItem, until: int, values: Item) -> None:
        pk, sk = item.pk, item.sk
        values["until"] = outbox_slot(until, pk, sk)
        condition = f"oI = :id AND {IS_PENDING}"
        try:
            self._cache.add(await self._db.update(pk, sk, "SET oS = :until", condition, **values))
        except ConditionFailed:
            pass  # another process has settled it
        except BaseException:
            self._cache.invalidate(pk, until)
            raise

    async def _settle(self, item: OutboxItem, change: str, holds: Item, values: Item) -> None:
        """ItemChange an item so that it is no longer pending, and unpark those parked behind it."""
        parked = item.parked
        if item.exp:
            change += f"{',' if ' SET ' in change else ' SET'} exp = :exp"
        values = {**holds, **values, **item.exp}
        while True:
            try:
                return await self._try_settle(item, parked, change, dict(values))
            except ConditionFailed as failed:
                current = failed.item
                parked = parked_behind(current)
            except TransactionFailed:
                current = await self._db.get(item.pk, item.sk)
                keys = {(item.pk, sk) for sk in parked_behind(current)}
                found = await self._db.read_many(keys, "PK, SK, oP")
                parked = {sk: is_pending(found.get((pk, sk), {})) for pk, sk in keys}
            if current is None or not is_pending(current) or current["oI"] != holds["id"]:
                return  # another process has settled it

    async def _try_settle(
        self, item: OutboxItem, parked: Mapping[str, bool], change: str, values: Item
    ) -> None:
        """Settle the item, if exactly these items are parked behind it.

        Raises: ConditionFailed, TransactionFailed.
        """
        pk, sk = item.pk, item.sk
        condition = f"oI = :id AND {IS_PENDING} AND "
        if not parked:
            condition += "attribute_not_exists(ow)"
            await self._db.update(pk, sk, change, condition, **values)
            return
        values["ow"] = {"SS": [*parked]}
        actions = [
            self._db.update_action(pk, sk, change, f"{condition}ow = :ow", **values),
            *(self._unpark_action(pk, *each) for each in parked.items()),
        ]
        try:
            await self._db.transact(actions)
        except BaseException:
            self._cache.invalidate(pk)
            raise
        for each in parked:
            self._cache.unpark(pk, each)

    def _unpark_action(self, pk: str, sk: str, pending: bool) -> Item:
        if not pending:
            return self._db.check_action(pk, sk, f"NOT ({IS_PENDING})", dead=DEAD)
        values = {"dead": DEAD, "ready": partitions(pk)["ready"]}  # harmless if it is ready already
        return self._db.update_action(pk, sk, "SET oP = :ready", IS_PENDING, **values)

    @bounded
    async def depth(self) -> int:
        return sum(await asyncio.gather(*map(self._count, PENDING)))

    async def _count(self, partition: Item) -> int:
        request = partition_query(partition) | {"TableName": self._db.table, "Select": "COUNT"}
        count = 0
        while True:
            answer = await self._db.call("query", **request)
            count += int(answer["Count"])
            if "LastEvaluatedKey" not in answer:
                return count
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    @bounded
    async def dead(self, limit: int) -> tuple[DeadLetter, ...]:
        letters: list[DeadLetter] = []
        request, has_more = partition_query(DEAD), True
        while has_more and (wanted := limit - len(letters)) > 0:
            rows = await self._db.query(wanted, **request)
            letters += await self._letters(rows)
            if has_more := len(rows) == wanted:
                request["ExclusiveStartKey"] = {name: rows[-1][name] for name in INDEX_KEY}
        return tuple(letters)

    async def _letters(self, rows: Sequence[Item]) -> list[DeadLetter]:
        keys, now = [key_of(row) for row in rows], self._clock.now()
        found = await self._db.read_many(keys, "PK, SK, oP, oI, oB, oA, oD, ex")
        return [
            DeadLetter(notice_of(item), item["oD"]["S"])
            for item in (found.get(key, {}) for key in keys)
            if item.get("oP") == DEAD and not has_expired(item, now)
        ]

    @bounded
    async def retry(self, notice_id: str) -> bool:
        for row in await self._find(notice_id, [DEAD]):
            pk, sk = key_of(row)
            try:
                while actions := await self._retry_actions(pk, sk, {"S": notice_id}):
                    if await self._db.try_transact(*actions):
                        return True
            finally:
                self._cache.forget_session(pk)
        return False

    async def _retry_actions(self, pk: str, sk: str, notice_id: Item) -> list[Item]:
        """Return the transaction that retries a dead letter; empty: it is not dead any more.

        It fails when the session's log has grown meanwhile, or its order has changed.
        """
        session = await self._db.query(
            KeyConditionExpression="PK = :pk",
            ProjectionExpression="PK, SK, lo, oP, oS, oI, oB, op, ow, ol, og, ex",
            ExpressionAttributeValues={":pk": {"S": pk}},
        )
        items = {item["SK"]["S"]: item for item in session}
        letter = items.get(sk, {})
        if letter.get("oP") != DEAD or letter["oI"] != notice_id:
            return []
        if has_expired(letter, self._clock.now()):
            return []
        newest = items[max(each for each in items if each.startswith("M#"))]
        entries = await self._db.get(*key_of(newest))
        if entries is None or "b" not in entries:  # the session is being erased
            return []
        next_sk = entry_sk(entries_of(entries)[-1].seq + 1)
        return [
            self._db.check_action(pk, next_sk, "attribute_not_exists(PK)"),
            *(
                self._change_action(items[each], change)
                for each, change in reinserted(letter, items, newest).items()
            ),
        ]

    def _change_action(self, item: Item, change: ItemChange) -> Item:
        """Return the action that changes an item, if its place in the order has not changed."""
        pk, sk = key_of(item)
        condition, values = unchanged(item, ("oI", "oP", "op", "ow", "og"))
        if not change:
            return self._db.check_action(pk, sk, condition, **values)
        sets = {name: value for name, value in change.items() if value is not None}
        removes = [name for name in change if name not in sets]
        update = f"SET {', '.join(f'{name} = :{name}' for name in sets)}" if sets else ""
        update += f" REMOVE {', '.join(removes)}" if removes else ""
        return self._db.update_action(pk, sk, update, condition, **values, **sets)

    @bounded
    async def drop(self, notice_id: str) -> bool:
        values = _holds({"S": notice_id})
        for row in await self._find(notice_id, [DEAD]):
            with suppress(ConditionFailed):
                await self._db.update(*key_of(row), _DROP, "oI = :id AND oP = :dead", **values)
                return True
        return False

    async def _find(self, notice_id: str, within: Iterable[Item]) -> list[Item]:
        """Read the index's rows with this notice: at most one, unless it has just changed."""
        found = await asyncio.gather(
            *(
                self._db.query(
                    **partition_query(partition, id={"S": notice_id}), FilterExpression="oI = :id"
                )
                for partition in within
            )
        )
        return [*chain.from_iterable(found)]


def _holds(notice_id: Item) -> Item:
    """Return the values of the condition that an item holds this notice, pending or dead."""
    return {"id": notice_id, "dead": DEAD}
