"""The outbox of the DynamoDB store: what the bridge must be told, in order per session."""

import asyncio
import logging
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from adapters.dynamodb.claim_cache import Look
from adapters.dynamodb.client import ConditionFailed, Dynamo, TransactionFailed, bounded
from adapters.dynamodb.dead_letters import DynamoLetters
from adapters.dynamodb.items import Item, moment, ms, number, stamped
from adapters.dynamodb.outbox_items import (
    DEAD,
    IS_PENDING,
    PENDING,
    Key,
    Place,
    as_seen,
    end_of,
    has_expired,
    in_partition,
    is_pending,
    key_of,
    notice_of,
    onward,
    partitions,
    slot,
    waiting_behind,
)
from application.ports import Clock
from domain.errors import StorageUnavailable
from domain.notice import Deferred, Delivered, Notice, Outcome

log = logging.getLogger(__name__)

MAX_CLAIMED = 10_000
"""So many claimed notices are settled without looking for them."""
CLAIM_S = 3.0
"""A claim that has taken so long looks for no more: what it has leased it must tell in time."""
MAX_MET = 10_000
"""So many nodes that another one blocks are remembered."""

_LEASE = "SET oS = :lease, oC = :token ADD oA :one REMOVE op"
_LIVES = "(attribute_not_exists(ex) OR ex > :now_s)"
_DELIVER = "REMOVE oP, oS, oI, oB, oA, oC, ow"
_BURY = "REMOVE oC, ow SET oP = :dead, oS = :grave, oD = :reason"


class DynamoOutbox(DynamoLetters):
    """The outbox in the nodes of all sessions."""

    def __init__(self, db: Dynamo, clock: Clock) -> None:
        super().__init__(db, clock)
        self._claimed: dict[str, Place] = {}
        self._met: set[Key] = set()

    @bounded
    async def claim(self, now: datetime, lease_until: datetime, limit: int) -> tuple[Notice, ...]:
        """The longest due first. `attempts` of a notice counts the claims before this one."""
        lease, claimed, loop = ms(lease_until), list[Notice](), asyncio.get_running_loop()
        enough = loop.time() + CLAIM_S
        try:
            with self._ready.look(ms(now)) as look:
                while rows := await look.take(limit - len(claimed)):
                    await self._claim_all(look, rows, lease, claimed)
                    if len(claimed) >= limit or loop.time() >= enough:
                        break
        except StorageUnavailable:
            if not claimed:  # else those are told now, and not when their lease has ended
                raise
        return tuple(claimed)

    async def _claim_all(
        self, look: Look, rows: Sequence[Item], lease: int, claimed: list[Notice]
    ) -> None:
        """Claim those rows that are the first of their session; the others wait."""
        blockers = await self._blockers(rows)
        outcomes = await asyncio.gather(
            *(
                self._wait(look, row, blocker) if blocker else self._claim(look, row, lease)
                for row, blocker in zip(rows, blockers, strict=True)
            ),
            return_exceptions=True,
        )
        claimed += [outcome for outcome in outcomes if isinstance(outcome, Notice)]
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _blockers(self, rows: Sequence[Item]) -> list[str | None]:
        """The nearest pending node before each, by its sort key; None: it is the first."""
        blockers: list[str | None] = [None] * len(rows)
        links = {place: row["op"]["S"] for place, row in enumerate(rows) if "op" in row}
        while links:
            ends = {place: (rows[place]["PK"]["S"], end_of(link)) for place, link in links.items()}
            found = await self._read(set(ends.values()), "PK, SK, oP, op, ol")
            further: dict[int, str] = {}
            for place, link in links.items():
                node = found.get(ends[place], {})
                if is_pending(node):
                    blockers[place] = end_of(link)
                elif next_link := onward(node, link):
                    further[place] = next_link
            links = further
        return blockers

    async def _claim(self, look: Look, row: Item, lease: int) -> Notice | None:
        """Claim a node that is the first; None: it is not any more what the row says."""
        pk, sk = key_of(row)
        condition, values = as_seen(row, ("oP", "oS", "op"))
        token, now = {"B": secrets.token_bytes(8)}, self._clock.now()
        values |= {"lease": slot(lease, pk, sk), "token": token, "one": number(1)}
        values["now_s"] = number(int(now.timestamp()))
        try:
            node = await self._db.update(pk, sk, _LEASE, f"{condition} AND {_LIVES}", **values)
        except ConditionFailed as failed:
            node = failed.item or {}
            if node.get("oC") != token:  # else claimed by a try whose answer was lost
                if is_pending(node) and has_expired(node, now):
                    await self._take_out(Place.of(node), _DELIVER, _is_it(node["oI"]), {})
                return None
        look.leased(row, lease)
        try:
            notice = notice_of(node)
        except msgspec.MsgspecError:  # of a later version, which will claim it when the lease ends
            extra = {"action": "notice_unreadable", "notice_id": node["oI"]["S"]}
            log.exception("A notice cannot be read", extra=extra)
            return None
        self._remember(notice, Place.of(node))
        ready_at = moment(stamped(row["oS"]))
        return replace(notice, due_at=ready_at, attempts=notice.attempts - 1)

    def _remember(self, notice: Notice, place: Place) -> None:
        self._claimed.pop(notice.notice_id, None)
        self._claimed[notice.notice_id] = place
        if len(self._claimed) > MAX_CLAIMED:
            del self._claimed[next(iter(self._claimed))]

    async def _wait(self, look: Look, row: Item, blocker: str) -> None:
        """Park a node when it is met for the second time: most need not wait for so long."""
        if (place := key_of(row)) in self._met:
            self._met.discard(place)
            if await self._park(row, blocker):
                look.parked(row)
            return
        if len(self._met) >= MAX_MET:
            self._met.clear()
        self._met.add(place)
        look.blocked(row)

    async def _park(self, row: Item, blocker: str) -> bool:
        """Have a node wait for the one before it; False: one of them is not what it was."""
        pk, sk = key_of(row)
        condition, values = as_seen(row, ("oP", "oS", "op"))
        values["to"] = partitions(pk)["parked"]
        return await self._transact(
            self._updating(pk, blocker, "ADD ow :node", IS_PENDING, node={"SS": [sk]}, dead=DEAD),
            self._updating(pk, sk, "SET oP = :to", condition, **values),
        )

    @bounded
    async def settle(self, notice_id: str, outcome: Outcome) -> None:
        place = self._claimed.get(notice_id) or await self._find_pending(notice_id)
        if place is None:
            return
        values = _is_it({"S": notice_id})
        if isinstance(outcome, Deferred):
            await self._defer(place, ms(outcome.until), values)
        elif isinstance(outcome, Delivered):
            await self._take_out(place, _DELIVER, values, {})
        else:
            reason = {"S": outcome.reason}
            await self._take_out(place, _BURY, values, {"grave": place.grave, "reason": reason})

    async def _find_pending(self, notice_id: str) -> Place | None:
        rows = await self._find(notice_id, PENDING)
        found = [await self._db.get(*key_of(row)) for row in rows]
        return next((Place.of(node) for node in found if node and is_pending(node)), None)

    async def _defer(self, place: Place, until: int, values: Item) -> None:
        pk, sk = place.pk, place.sk
        values["until"] = slot(until, pk, sk)
        condition = f"oI = :id AND {IS_PENDING}"
        try:
            self._ready.add(await self._db.update(pk, sk, "SET oS = :until", condition, **values))
        except ConditionFailed:
            pass  # another one settled it
        except BaseException:
            self._ready.stir(pk, until)
            raise

    async def _take_out(self, place: Place, change: str, is_it: Item, values: Item) -> None:
        """Change a pending node to one that is gone, and make ready what is parked behind it."""
        waiting = place.waiting
        if place.exp:
            change += f"{',' if ' SET ' in change else ' SET'} exp = :exp"
        values = {**is_it, **values, **place.exp}
        while True:
            try:
                return await self._try_to_take_out(place, waiting, change, dict(values))
            except ConditionFailed as failed:
                node = failed.item
                waiting = waiting_behind(node)
            except TransactionFailed:
                node = await self._db.get(place.pk, place.sk)
                keys = {(place.pk, sk) for sk in waiting_behind(node)}
                found = await self._read(keys, "PK, SK, oP")
                waiting = {sk: is_pending(found.get((pk, sk), {})) for pk, sk in keys}
            if node is None or not is_pending(node) or node["oI"] != is_it["id"]:
                return  # another one settled it

    async def _try_to_take_out(
        self, place: Place, waiting: Mapping[str, bool], change: str, values: Item
    ) -> None:
        """Do it, given the nodes that seem to be parked behind it and whether they are pending.

        Raises: ConditionFailed, TransactionFailed.
        """
        pk, sk = place.pk, place.sk
        condition = f"oI = :id AND {IS_PENDING} AND "
        if not waiting:
            condition += "attribute_not_exists(ow)"
            await self._db.update(pk, sk, change, condition, **values)
            return
        values["ow"] = {"SS": [*waiting]}
        actions = [
            self._updating(pk, sk, change, f"{condition}ow = :ow", **values),
            *(self._wake(pk, *each) for each in waiting.items()),
        ]
        try:
            await self._db.transact(actions, secrets.token_hex(16))
        except BaseException:
            self._ready.stir(pk)
            raise
        for each in waiting:
            self._ready.wake(pk, each)

    def _wake(self, pk: str, sk: str, pending: bool) -> Item:
        if pending:  # if it is ready already no harm is done
            ready = partitions(pk)["ready"]
            return self._updating(pk, sk, "SET oP = :ready", IS_PENDING, dead=DEAD, ready=ready)
        return self._checking(pk, sk, f"NOT ({IS_PENDING})", dead=DEAD)

    @bounded
    async def depth(self) -> int:
        return sum(await asyncio.gather(*map(self._count, PENDING)))

    async def _count(self, partition: Item) -> int:
        request = in_partition(partition) | {"TableName": self._db.table, "Select": "COUNT"}
        count = 0
        while True:
            answer = await self._db.call("query", **request)
            count += int(answer["Count"])
            if "LastEvaluatedKey" not in answer:
                return count
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _is_it(notice_id: Item) -> Item:
    """The values of the condition that a node still has this notice, and it is pending."""
    return {"id": notice_id, "dead": DEAD}
