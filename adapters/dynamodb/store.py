"""The store on DynamoDB: the sessions' logs, appended to by any number of processes."""

import asyncio
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import NoReturn, Self

from adapters.dynamodb.archive import DynamoArchive
from adapters.dynamodb.client import ConditionFailed, Dynamo, TransactionFailed, bounded
from adapters.dynamodb.head_state import Tail, tail_of_head
from adapters.dynamodb.items import (
    HEAD,
    LAST_SEQ,
    MARGIN_S,
    NEVER,
    OPEN,
    SHARDS,
    Item,
    customer_pk,
    due_slot,
    entries_of,
    entry_sk,
    head_item,
    key,
    key_sk,
    ms,
    number,
    pack_entries,
    pointer_sk,
    session_of,
    session_pk,
    stamp,
    stamped,
)
from adapters.dynamodb.outbox import DynamoOutbox
from adapters.dynamodb.outbox_items import nodes
from adapters.dynamodb.session_reader import TIDIED_S, Logs
from adapters.dynamodb.usage import DynamoUsageStore
from application.ports import RECENT, Clock, Loaded, Store
from domain.errors import DuplicateMessage, SeqTaken
from domain.identity import Customer, SessionId
from domain.message import Entry, StatusChange
from domain.session import Draft, Session

KEYS_LIVE = timedelta(hours=48)
_KEY_MARGIN = timedelta(hours=1)
_CLOSED_MARGIN_S = 2 * MARGIN_S
"""A closed session outlives its entries, which may wait to be deleted: an erasure finds them."""
_LOOK_AT = 100
"""Slots that one call of `due` looks at in each shard, and more where more sessions are wanted."""
_AT_ONCE = 16
"""Sessions that are read at the same time."""


@dataclass(slots=True)
class _Write:
    """A draft as items."""

    entries: Item
    due: int
    last_notice: str | None
    others: list[Item]
    """What is stored along with the entries, as actions of a transaction; the key is the first."""
    with_head: bool

    @property
    def slot(self) -> dict[str, str]:
        """The slot of the entries, by their sort key; mostly there is none."""
        return {self.entries["SK"]["S"]: self.entries["wS"]["S"]} if "wS" in self.entries else {}


class DynamoStore(DynamoOutbox, DynamoArchive, DynamoUsageStore, Store):
    """All four ports of storage in one table; use it as `async with store:`.

    The entries of a draft are one item, and the conditional put of it is the lock of the log. The
    head is written where the status changes and follows the log otherwise, at a distance that a
    reader makes up for. `endpoint_url`: another DynamoDB than AWS's. `jitter`: a random number
    from 0 to 1. `retention_days`: how long what was said is kept, and closed sessions; 0: for ever.
    """

    def __init__(
        self,
        table: str,
        *,
        endpoint_url: str | None,
        clock: Clock,
        jitter: Callable[[], float],
        retention_days: int = 0,
    ) -> None:
        db = Dynamo(table, endpoint_url=endpoint_url, clock=clock, jitter=jitter)
        DynamoOutbox.__init__(self, db, clock)
        self._retention = timedelta(days=retention_days) if retention_days else None
        self._logs = Logs(db, clock, self._retention)
        self._appending: dict[SessionId, asyncio.Future[None]] = {}

    def __repr__(self) -> str:
        return f"<DynamoStore {self._db}>"

    async def __aenter__(self) -> Self:
        """Connect. Raises: StorageUnavailable: no answer, no table, or no leave to use it."""
        await self._db.open()
        try:
            await self._find_table()
        except BaseException:
            await self._db.close()
            raise
        return self

    @bounded
    async def _find_table(self) -> None:
        await self._db.call("describe_table", TableName=self._db.table)

    async def __aexit__(self, *exc: object) -> None:
        """Finish what is being tidied, and disconnect."""
        await self._logs.tidied()
        await self._db.close()

    @bounded
    async def latest(self, customer: Customer) -> Loaded | None:
        newest = await self._db.get(customer_pk(customer), OPEN)
        return await self._load(SessionId(newest["sid"]["S"])) if newest is not None else None

    @bounded
    async def load(self, session_id: SessionId) -> Loaded | None:
        return await self._load(session_id)

    async def _load(self, session_id: SessionId) -> Loaded | None:
        seen = await self._logs.see(session_id)
        return Loaded(seen.session, tuple(seen.entries[-RECENT:])) if seen is not None else None

    @bounded
    async def stored(self, customer: Customer, key: str) -> DuplicateMessage | None:
        return await self._repeated(customer, key, self._clock.now())

    async def _repeated(
        self, customer: Customer, key: str, at: datetime
    ) -> DuplicateMessage | None:
        first = await self._db.get(customer_pk(customer), key_sk(key))
        if first is None or int(first["w"]["N"]) <= ms(at - KEYS_LIVE):
            return None
        return DuplicateMessage(
            session_id=first["sid"]["S"], seq=int(first["q"]["N"]), status=first["st"]["S"]
        )

    @bounded
    async def append(self, draft: Draft, due_at: datetime | None) -> None:
        session_id = draft.session.session_id
        # One by one within the process: the second would pay for a write that is refused.
        while (under_way := self._appending.get(session_id)) is not None:
            await asyncio.wait((under_way,))
        done = self._appending[session_id] = asyncio.get_running_loop().create_future()
        try:
            await self._append(draft, NEVER if due_at is None else ms(due_at))
        finally:
            del self._appending[session_id]
            done.set_result(None)

    async def _append(self, draft: Draft, due: int) -> None:
        write = self._write(draft, due, await self._tail_before(draft))
        try:
            stored = await self._store(write)
        except BaseException:  # it may be stored, or be stored yet
            self._logs.tails.forget(draft.session.session_id)
            self._ready.stir(session_pk(draft.session.session_id))
            raise
        if not stored:
            self._logs.tails.forget(draft.session.session_id)
            await self._refuse(draft)
        for item in (write.entries, *(action["Put"]["Item"] for action in write.others)):
            self._ready.add(item)
        self._grow(draft, write)

    async def _tail_before(self, draft: Draft) -> Tail | None:
        """The end of the log that the draft follows; None: it opens the session."""
        session_id, before = draft.session.session_id, draft.entries[0].seq - 1
        tail = self._logs.tails.get(session_id)
        if before > 0 and (tail is None or tail.seq < before):
            seen = await self._logs.see(session_id)
            tail = seen.tail if seen is not None else None
        if (tail.seq if tail is not None else 0) != before:
            await self._refuse(draft)
        return tail

    async def _refuse(self, draft: Draft) -> NoReturn:
        """Raises: DuplicateMessage, SeqTaken."""
        if draft.key is not None:
            at = draft.entries[-1].at
            if (first := await self._repeated(draft.session.customer, draft.key, at)) is not None:
                raise first
        raise SeqTaken

    def _write(self, draft: Draft, due: int, tail: Tail | None) -> _Write:
        session, sk = draft.session, entry_sk(draft.entries[0].seq)
        packed = pack_entries(draft.entries)
        own, further, last = nodes(draft, packed, tail.last_notice if tail is not None else None)
        item = {
            **key(session_pk(session.session_id), sk),
            "b": {"B": packed},
            "t": {"B": secrets.token_bytes(8)},
            **own,
        }
        if due != NEVER:
            item["d"] = number(due)
        if self._retention is not None:
            at = ms(session.updated_at) if due == NEVER else due
            for each in (item, *further):
                if "oP" in each:
                    each["ex"] = self._expiry(at)
                else:
                    each["exp"] = self._expiry(at, MARGIN_S)
        with_head = tail is None or any(isinstance(e, StatusChange) for e in draft.entries)
        others = self._key(draft) + [{"Put": self._db.putting(each)} for each in further]
        if with_head:
            others += self._heads(session, due, opens=tail is None)
        elif tail is not None and tail.needs_slot(due):
            item |= due_slot(session.session_id, due)
        return _Write(item, due, last, others, with_head)

    def _key(self, draft: Draft) -> list[Item]:
        if draft.key is None:
            return []
        session, at = draft.session, draft.entries[-1].at
        item = {
            **key(customer_pk(session.customer), key_sk(draft.key)),
            "sid": {"S": session.session_id},
            "q": number(draft.keyed_seq),
            "st": {"S": session.status.value},
            "w": number(ms(at)),
            "exp": number(ceil((at + KEYS_LIVE + _KEY_MARGIN).timestamp())),
        }
        old = number(ms(at - KEYS_LIVE))
        return [{"Put": self._db.putting(item, "attribute_not_exists(PK) OR w <= :old", old=old)}]

    def _heads(self, session: Session, due: int, *, opens: bool) -> list[Item]:
        """The head, and what leads to it."""
        exp: Item = {}
        if not session.is_open and self._retention is not None:
            exp = {"exp": self._expiry(ms(session.updated_at), _CLOSED_MARGIN_S)}
        actions = [{"Put": self._db.putting(head_item(session, due) | exp)}]
        if opens or not session.is_open:
            actions.append({"Put": self._newest(session, exp, opens=opens)})
        if opens or exp:
            pointer = key(customer_pk(session.customer), pointer_sk(session))
            actions.append({"Put": self._db.putting(pointer | exp)})
        return actions

    def _newest(self, session: Session, exp: Item, *, opens: bool) -> Item:
        item = {
            **key(customer_pk(session.customer), OPEN),
            "sid": {"S": session.session_id},
            "up": {"BOOL": session.is_open},
            **exp,
        }
        if not opens:
            return self._db.putting(item)
        free = "attribute_not_exists(PK) OR up = :no"
        return self._db.putting(item, free, no={"BOOL": False})

    def _expiry(self, after: int, margin_s: int = 0) -> dict[str, str]:
        assert self._retention is not None
        return number(after // 1000 + 1 + int(self._retention.total_seconds()) + margin_s)

    async def _store(self, write: _Write) -> bool:
        """Write all of it; False: nothing, for something was in the way."""
        item = write.entries
        try:
            if not write.others:
                await self._db.put(item, "attribute_not_exists(PK)")
            else:
                put = {"Put": self._db.putting(item, "attribute_not_exists(PK)")}
                await self._db.transact([put, *write.others], secrets.token_hex(16))
        except ConditionFailed as failed:
            return await self._is_ours(failed, item)
        except TransactionFailed as failed:
            first = failed.reasons[0]
            return first is not None and await self._is_ours(first, item)
        return True

    async def _is_ours(self, failed: ConditionFailed, item: Item) -> bool:
        """Whether it is what we have stored ourselves, and the answer to that was lost."""
        there = failed.item or await self._db.get(item["PK"]["S"], item["SK"]["S"]) or {}
        return bool(there.get("t") == item["t"])

    def _grow(self, draft: Draft, write: _Write) -> None:
        """Take note of what has been stored, and see to what it has left to tidy."""
        session, tails = draft.session, self._logs.tails
        tail = tails.get(session.session_id)
        if write.with_head:
            needless = tail.slots if tail is not None else {}
            written = tail_of_head(session, write.due, write.last_notice)
            tail = tails.keep(session.session_id, written)
        elif tail is not None and tail.seq == draft.entries[0].seq - 1:
            needless = tail.grow(session.seq, write.due, write.last_notice)
            tail.slots |= write.slot
        else:
            return  # read again meanwhile, with these entries in it
        self._logs.tidy(session, tail, needless)

    @bounded
    async def page(
        self, session_id: SessionId, *, after: int = 0, before: int | None = None, limit: int
    ) -> tuple[Entry, ...]:
        after = max(after, 0)
        if before is None:
            return tuple((await self._oldest(session_id, after, limit))[:limit])
        before = min(before, LAST_SEQ + 1)
        limit = min(limit, before - after - 1)
        if limit <= 0:
            return ()
        items = await self._logs.newest(session_pk(session_id), entry_sk(before - 1), limit)
        entries = [entry for entry in _entries(reversed(items)) if after < entry.seq < before]
        return tuple(self._logs.kept(entries[-limit:]))

    async def _oldest(self, session_id: SessionId, after: int, limit: int) -> list[Entry]:
        """Entries after that seq, at least `limit` where there are so many."""
        while entries := await self._after(session_id, after, limit):
            if kept := self._logs.kept(entries):
                return kept
            after = entries[-1].seq
        return []

    async def _after(self, session_id: SessionId, after: int, limit: int) -> list[Entry]:
        if after >= LAST_SEQ or limit <= 0:
            return []
        items = await self._db.query(
            limit,
            KeyConditionExpression="PK = :pk AND SK BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":pk": {"S": session_pk(session_id)},
                ":first": {"S": entry_sk(after + 1)},
                ":last": {"S": entry_sk(LAST_SEQ)},
            },
        )
        if after and (not items or items[0]["SK"]["S"] != entry_sk(after + 1)):
            # It may be among the entries of one draft, whose key is the first one's seq.
            items = [*await self._logs.newest(session_pk(session_id), entry_sk(after), 1), *items]
        return [entry for entry in _entries(items) if entry.seq > after]

    @bounded
    async def due(self, now: datetime, limit: int) -> tuple[Session, ...]:
        await self._logs.tidied(TIDIED_S)
        waiting = await self._candidates(ms(now), max(limit, _LOOK_AT))
        found: list[tuple[int, SessionId, Session]] = []
        while waiting and not (len(found) >= limit and found[limit - 1][0] <= waiting[0].at):
            chunk, waiting = waiting[:_AT_ONCE], waiting[_AT_ONCE:]
            found += await self._verified(chunk, ms(now))
            found.sort(key=lambda each: each[:2])
        return tuple(session for _, _, session in found[:limit])

    async def _candidates(self, now: int, limit: int) -> list["_Candidate"]:
        """Sessions that may be due, in the order of the earliest time at which they may be."""
        found: dict[SessionId, _Candidate] = {}
        horizon = NEVER
        shards = await asyncio.gather(*(self._due_slots(of, now, limit) for of in range(SHARDS)))
        for slots in shards:
            if len(slots) >= limit:  # there may be more, later than the last one
                horizon = min(horizon, stamped(slots[-1]["wS"]))
            for slot in slots:
                session_id, sk, at = session_of(slot["PK"]["S"]), slot["SK"]["S"], slot["wS"]
                known = found.setdefault(session_id, _Candidate(session_id, stamped(at)))
                if sk != HEAD:
                    known.slots[sk] = at["S"]
        known_order = sorted(found.values(), key=lambda each: each.at)
        return [each for each in known_order if each.at <= horizon]

    async def _due_slots(self, of_shard: int, now: int, limit: int) -> list[Item]:
        return await self._db.query(
            limit,
            IndexName="due",
            KeyConditionExpression="wP = :shard AND wS < :later",
            ExpressionAttributeValues={
                ":shard": {"S": str(of_shard)},
                ":later": {"S": stamp(now + 1)},
            },
        )

    async def _verified(
        self, candidates: Sequence["_Candidate"], now: int
    ) -> list[tuple[int, SessionId, Session]]:
        """Those that are due, and since when; the slots of the others are put right."""
        seen = await asyncio.gather(
            *(self._logs.try_to_see(each.session_id) for each in candidates)
        )
        found = []
        for candidate, each in zip(candidates, seen, strict=True):
            if each is not None and each.tail.due <= now:
                found.append((each.tail.due, candidate.session_id, each.session))
            elif each is not None:
                self._logs.repair(each, candidate.slots)
        return found


@dataclass(slots=True)
class _Candidate:
    """A session that has slots whose time has come."""

    session_id: SessionId
    at: int
    """The earliest one's, in milliseconds since 1970."""
    slots: dict[str, str] = field(default_factory=dict)
    """Those of entries, by their sort key."""


def _entries(items: Iterable[Item]) -> list[Entry]:
    return [entry for item in items if "x" not in item for entry in entries_of(item)]
