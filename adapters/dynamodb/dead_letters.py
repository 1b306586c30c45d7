"""The dead letters of the outbox: what cannot be delivered, until an operator decides on it."""

import asyncio
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from typing import Any

from adapters.dynamodb.claim_cache import Ready
from adapters.dynamodb.client import ConditionFailed, Dynamo, TransactionFailed, bounded
from adapters.dynamodb.items import Item, entries_of, entry_sk, key, ms, number
from adapters.dynamodb.outbox_items import (
    DEAD,
    INDEX_KEY,
    Key,
    as_seen,
    exactly,
    has_expired,
    in_partition,
    is_pending,
    key_of,
    notice_of,
    partitions,
    slot,
    waiting_behind,
)
from application.ports import Clock, Outbox
from domain.notice import DeadLetter

BATCH = 100
"""How many items BatchGetItem takes."""

_DROP = "REMOVE oP, oS, oI, oB, oA, oD"


class DynamoLetters(Outbox):
    """The part of the outbox that an operator sees."""

    def __init__(self, db: Dynamo, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._ready = Ready(db, clock)

    @bounded
    async def dead(self, limit: int) -> tuple[DeadLetter, ...]:
        letters: list[DeadLetter] = []
        request, goes_on = in_partition(DEAD), True
        while goes_on and (wanted := limit - len(letters)) > 0:
            rows = await self._db.query(wanted, **request)
            letters += await self._letters(rows)
            if goes_on := len(rows) == wanted:
                request["ExclusiveStartKey"] = {name: rows[-1][name] for name in INDEX_KEY}
        return tuple(letters)

    async def _letters(self, rows: Sequence[Item]) -> list[DeadLetter]:
        keys, now = [key_of(row) for row in rows], self._clock.now()
        found = await self._read(keys, "PK, SK, oP, oI, oB, oA, oD, ex")
        return [
            DeadLetter(notice_of(node), node["oD"]["S"])
            for node in (found.get(key, {}) for key in keys)
            if node.get("oP") == DEAD and not has_expired(node, now)
        ]

    @bounded
    async def retry(self, notice_id: str) -> bool:
        for row in await self._find(notice_id, [DEAD]):
            pk, sk = key_of(row)
            try:
                while actions := await self._revival(pk, sk, {"S": notice_id}):
                    if await self._transact(*actions):
                        return True
            finally:
                self._ready.reorder(pk)
        return False

    async def _revival(self, pk: str, sk: str, notice_id: Item) -> list[Item]:
        """The transaction that puts a dead letter in its place; empty: it is not dead any more.

        It fails when the session's log has grown meanwhile, or its order was changed.
        """
        log = await self._db.query(
            KeyConditionExpression="PK = :pk",
            ProjectionExpression="PK, SK, lo, oP, oS, oI, oB, op, ow, ol, og, ex",
            ExpressionAttributeValues={":pk": {"S": pk}},
        )
        items = {item["SK"]["S"]: item for item in log}
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
            self._checking(pk, next_sk, "attribute_not_exists(PK)"),
            *(
                self._changing(items[each], change)
                for each, change in _order_with(letter, items, newest).items()
            ),
        ]

    def _changing(self, node: Item, change: Mapping[str, Item | None]) -> Item:
        """Set attributes of a node, or remove them (None), if it still is in the same place."""
        pk, sk = key_of(node)
        condition, values = as_seen(node, ("oI", "oP", "op", "ow", "og"))
        if not change:
            return self._checking(pk, sk, condition, **values)
        sets = {name: value for name, value in change.items() if value is not None}
        removes = [name for name in change if name not in sets]
        update = f"SET {', '.join(f'{name} = :{name}' for name in sets)}" if sets else ""
        update += f" REMOVE {', '.join(removes)}" if removes else ""
        return self._updating(pk, sk, update, condition, **values, **sets)

    @bounded
    async def drop(self, notice_id: str) -> bool:
        values = {"id": {"S": notice_id}, "dead": DEAD}
        for row in await self._find(notice_id, [DEAD]):
            pk, sk = key_of(row)
            with suppress(ConditionFailed):
                await self._db.update(pk, sk, _DROP, "oI = :id AND oP = :dead", **values)
                return True
        return False

    async def _find(self, notice_id: str, within: Iterable[Item]) -> list[Item]:
        """Rows of the index with this notice: at most one, where it has not just been changed."""
        found = await asyncio.gather(
            *(
                self._db.query(
                    **in_partition(partition, id={"S": notice_id}), FilterExpression="oI = :id"
                )
                for partition in within
            )
        )
        return [*chain.from_iterable(found)]

    async def _read(self, keys: Collection[Key], names: str) -> dict[Key, Item]:
        """Some attributes of the items that there are, as they are now, by their keys."""
        found: list[Item] = []
        asked = [key(pk, sk) for pk, sk in keys]
        for start in range(0, len(asked), BATCH):
            request = {
                "Keys": asked[start : start + BATCH],
                "ConsistentRead": True,
                "ProjectionExpression": names,
            }
            answer = await self._db.call("batch_get_item", RequestItems={self._db.table: request})
            found += answer["Responses"].get(self._db.table, ())
            left = answer.get("UnprocessedKeys", {}).get(self._db.table, {}).get("Keys", ())
            for each in left:  # one by one: a single request is repeated, with pauses
                item = await self._db.get(*key_of(each))
                found += [item] if item is not None else []
        return {key_of(item): item for item in found}

    async def _transact(self, *actions: Item) -> bool:
        """Do all of it; False: a condition was not met, and nothing has been done."""
        try:
            await self._db.transact(actions, secrets.token_hex(16))
        except TransactionFailed:
            return False
        return True

    def _updating(self, pk: str, sk: str, change: str, condition: str, **values: Any) -> Item:
        return {"Update": self._db.updating(pk, sk, change, condition, **values)}

    def _checking(self, pk: str, sk: str, condition: str, **values: Any) -> Item:
        return {"ConditionCheck": self._db.checking(pk, sk, condition, **values)}


def _order_with(
    letter: Item, items: Mapping[str, Item], newest: Item
) -> dict[str, dict[str, Item | None]]:
    """What becomes of a session's nodes, by sort key, when a dead letter takes its place again.

    The pending one that is the first stays it; the others are in the order of their positions.
    """
    pending = sorted((item for item in items.values() if is_pending(item)), key=_position)
    first = [item for item in pending if "op" not in item] or pending[:1]
    rest = [item for item in pending if item not in first]
    before = first + [item for item in rest if _position(item) < _position(letter)]
    after = rest[len(before) - len(first) :]
    changes: dict[str, dict[str, Item | None]] = {letter["SK"]["S"]: _revived(letter)}

    def change(node: Item, **attributes: Item | None) -> None:
        changes.setdefault(node["SK"]["S"], {}).update(attributes)

    change(newest, og=number(int(newest.get("og", {"N": "0"})["N"]) + 1))
    if first:
        change(first[0], op=None)
    if before:
        change(before[-1], ow=_without(before[-1], after[:1]))
        change(letter, op=exactly(before[-1]))
    if after:
        change(after[0], op=exactly(letter), oP=partitions(letter["PK"]["S"])["ready"])
    elif (last := items.get(newest["lo"]["S"])) is not None and last is not letter:
        change(last, ol=exactly(letter))
    return changes


def _without(node: Item, others: Sequence[Item]) -> Item | None:
    """The nodes that are parked behind `node`, but for the others."""
    waiting = {*waiting_behind(node)} - {other["SK"]["S"] for other in others}
    return {"SS": [*waiting]} if waiting else None


def _revived(letter: Item) -> dict[str, Item | None]:
    """A dead letter as new, before there was anything else."""
    pk, sk = key_of(letter)
    ready_at = slot(ms(notice_of(letter).due_at), pk, sk)
    ready = partitions(pk)["ready"]
    return {
        "oP": ready,
        "oS": ready_at,
        "oA": None,
        "oD": None,
        "op": None,
        "ol": None,
        "exp": None,
    }


def _position(node: Item) -> int:
    return notice_of(node).position
