"""The logs of sessions in DynamoDB, which any number of processes append to."""

import asyncio
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import NoReturn

from adapters.dynamodb.client import ConditionFailed, Dynamo, TransactionFailed, bounded
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
    key_of,
    key_sk,
    ms,
    number,
    pack_entries,
    pack_head,
    pointer_sk,
    query_of,
    recency_slot,
    session_of,
    session_pk,
    stamp,
    stamped,
)
from adapters.dynamodb.outbox import DueMarkers
from adapters.dynamodb.outbox_items import Queued, appended, marker_sk, outbox_items
from adapters.dynamodb.session_reader import HeadState, SessionReader, merged
from application.ports import RECENT, Loaded, SessionStore
from domain.errors import DuplicateMessage, SeqTaken, StorageUnavailable
from domain.identity import IDEMPOTENCY_WINDOW, Customer, SessionId
from domain.message import Entry, StatusChange
from domain.notice import Lane
from domain.session import Draft, Session

_KEY_MARGIN = timedelta(hours=1)
_CLOSED_MARGIN_S = 2 * MARGIN_S
"""A closed session outlives its entries, which TTL may delete late: an erasure still finds them."""
_MIN_SLOTS = 100
"""Slots that `due` reads from each shard at least; more if more sessions are wanted."""
_CONCURRENCY = 16
"""Sessions that are read at the same time."""


@dataclass(slots=True)
class _Write:
    """A draft as items to be written."""

    entries: Item
    due: int
    notices: dict[Lane, int]
    """The lanes of its notices, and when the first one of each is due."""
    others: list[Item]
    """Written together with the entries, as actions of a transaction."""
    with_head: bool
    """The head is written, too: whole, or as far as it is behind."""
    is_change: bool
    """The session is opened, or its status changes."""

    @property
    def slot(self) -> dict[str, str]:
        """The slot of the entries, by their sort key; usually there is none."""
        return {self.entries["SK"]["S"]: self.entries["wS"]["S"]} if "wS" in self.entries else {}


class DynamoSessions(SessionStore):
    """The logs of all sessions.

    The entries of a draft are one item, and the conditional put of it is the lock of the log. The
    head is written with them when the status changes, or when it is far behind the log; a reader
    applies the newer entries to it.
    """

    def __init__(
        self,
        db: Dynamo,
        reader: SessionReader,
        markers: Mapping[Lane, DueMarkers],
        retention: timedelta | None,
    ) -> None:
        self._db = db
        self._reader = reader
        self._states = reader.states
        self._markers = markers
        self._retention = retention
        self._appending: dict[SessionId, asyncio.Future[None]] = {}

    @bounded
    async def latest(self, customer: Customer) -> Loaded | None:
        newest = await self._db.get(customer_pk(customer), OPEN)
        return await self._load(SessionId(newest["sid"]["S"])) if newest is not None else None

    @bounded
    async def load(self, session_id: SessionId) -> Loaded | None:
        return await self._load(session_id)

    async def _load(self, session_id: SessionId) -> Loaded | None:
        found = await self._reader.read(session_id)
        return Loaded(found.session, tuple(found.entries[-RECENT:])) if found is not None else None

    @bounded
    async def stored(self, customer: Customer, key: str, now: datetime) -> DuplicateMessage | None:
        first = await self._db.get(customer_pk(customer), key_sk(key))
        if first is None or int(first["w"]["N"]) <= ms(now - IDEMPOTENCY_WINDOW):
            return None
        return DuplicateMessage(
            session_id=first["sid"]["S"], seq=int(first["q"]["N"]), status=first["st"]["S"]
        )

    @bounded
    async def append(self, draft: Draft, due_at: datetime | None) -> None:
        session_id = draft.session.session_id
        # One at a time within the process: a second one would pay for a write that is refused.
        while (running := self._appending.get(session_id)) is not None:
            await asyncio.wait((running,))
        done = self._appending[session_id] = asyncio.get_running_loop().create_future()
        try:
            await self._append(draft, NEVER if due_at is None else ms(due_at))
        finally:
            del self._appending[session_id]
            done.set_result(None)

    async def _append(self, draft: Draft, due: int) -> None:
        session_id = draft.session.session_id
        write = self._write(draft, due, await self._state_before(draft))
        try:
            stored = await self._store(write)
        except BaseException:  # it may have been stored, or be stored later
            self._states.forget(session_id)
            self._note_notices(write)
            raise
        if not stored:
            self._states.forget(session_id)
            await self._refuse(draft)
        self._note_notices(write)
        self._record(draft, write)

    def _note_notices(self, write: _Write) -> None:
        for lane, due in write.notices.items():
            self._markers[lane].appended(write.entries["PK"]["S"], due)

    async def _state_before(self, draft: Draft) -> HeadState | None:
        """Return the state that the draft follows; None: it opens the session.

        Raises: DuplicateMessage, SeqTaken, when the log does not end where the draft begins.
        """
        session_id, before = draft.session.session_id, draft.entries[0].seq - 1
        state = self._states.get(session_id)
        if before > 0 and (state is None or state.seq < before):
            found = await self._reader.read(session_id)
            state = found.state if found is not None else None
        if (state.seq if state is not None else 0) != before:
            await self._refuse(draft)
        return state

    async def _refuse(self, draft: Draft) -> NoReturn:
        """Raises: DuplicateMessage, SeqTaken."""
        if draft.key is not None:
            at = draft.entries[-1].at
            duplicate = await self.stored(draft.session.customer, draft.key, at)
            if duplicate is not None:
                raise duplicate
        raise SeqTaken

    def _write(self, draft: Draft, due: int, state: HeadState | None) -> _Write:
        session, sk = draft.session, entry_sk(draft.entries[0].seq)
        packed = pack_entries(draft.entries)
        own, further, queues = outbox_items(draft, packed)
        exp: Item = {}
        if self._retention is not None:
            exp = {"exp": self._expiry(ms(session.updated_at) if due == NEVER else due, MARGIN_S)}
        item = {
            **key(session_pk(session.session_id), sk),
            "b": {"B": packed},
            "t": {"B": secrets.token_bytes(8)},
            **own,
            **exp,
        }
        if due != NEVER:
            item["d"] = number(due)
        is_change = state is None or any(isinstance(e, StatusChange) for e in draft.entries)
        lags = state is not None and state.lags(session)
        others = self._key_actions(draft) + [self._db.put_action(each | exp) for each in further]
        others += [self._queue_action(item, lane, queue) for lane, queue in queues.items()]
        if is_change:
            others += self._head_actions(session, due, opens=state is None)
        elif state is not None and state.needs_slot(due):
            item |= due_slot(session.session_id, due)
        if lags and not is_change:
            others.append(self._catch_up_action(session))
        notices = {lane: queue[0].at for lane, queue in queues.items()}
        return _Write(item, due, notices, others, is_change or lags, is_change)

    def _queue_action(self, entries: Item, lane: Lane, added: Sequence[Queued]) -> Item:
        """Return the update of a lane's marker, which expires with the newest entries."""
        pk = entries["PK"]["S"]
        change, values = appended(pk, lane, added, entries.get("exp"))
        return self._db.update_action(pk, marker_sk(lane), change, **values)

    def _key_actions(self, draft: Draft) -> list[Item]:
        if draft.key is None:
            return []
        session, at = draft.session, draft.entries[-1].at
        item = {
            **key(customer_pk(session.customer), key_sk(draft.key)),
            "sid": {"S": session.session_id},
            "q": number(draft.keyed_seq),
            "st": {"S": session.status.value},
            "w": number(ms(at)),
            "exp": number(ceil((at + IDEMPOTENCY_WINDOW + _KEY_MARGIN).timestamp())),
        }
        old = number(ms(at - IDEMPOTENCY_WINDOW))
        return [self._db.put_action(item, "attribute_not_exists(PK) OR w <= :old", old=old)]

    def _head_actions(self, session: Session, due: int, *, opens: bool) -> list[Item]:
        """Return the puts of the head, and of the customer's items that name the session."""
        exp: Item = {}
        if not session.is_open and self._retention is not None:
            exp = {"exp": self._expiry(ms(session.updated_at), _CLOSED_MARGIN_S)}
        actions = [self._db.put_action(head_item(session, due) | exp)]
        if opens or not session.is_open:
            actions.append(self._put_newest(session, exp, opens=opens))
        if opens or exp:
            pointer = key(customer_pk(session.customer), pointer_sk(session))
            actions.append(self._db.put_action(pointer | exp))
        return actions

    def _catch_up_action(self, session: Session) -> Item:
        """Return the update of a head that is behind, which leaves its slot in the index `due`."""
        values = {"b": {"B": pack_head(session)}, "q": number(session.seq)}
        values["l"] = recency_slot(session)
        change, pk = "SET b = :b, q = :q, lS = :l", session_pk(session.session_id)
        return self._db.update_action(pk, HEAD, change, "q < :q", **values)

    def _put_newest(self, session: Session, exp: Item, *, opens: bool) -> Item:
        item = {
            **key(customer_pk(session.customer), OPEN),
            "sid": {"S": session.session_id},
            "up": {"BOOL": session.is_open},
            **exp,
        }
        if not opens:
            return self._db.put_action(item)
        free = "attribute_not_exists(PK) OR up = :no"
        return self._db.put_action(item, free, no={"BOOL": False})

    def _expiry(self, after: int, margin_s: int = 0) -> dict[str, str]:
        assert self._retention is not None
        return number(after // 1000 + 1 + int(self._retention.total_seconds()) + margin_s)

    async def _store(self, write: _Write) -> bool:
        """Write all of it. Returns False when a condition failed, and nothing was written."""
        item = write.entries
        try:
            if not write.others:
                await self._db.put(item, "attribute_not_exists(PK)")
            else:
                put = self._db.put_action(item, "attribute_not_exists(PK)")
                await self._db.transact([put, *write.others])
        except ConditionFailed as failed:
            return await self._wrote(item, failed)
        except TransactionFailed as failed:
            first = failed.reasons[0]
            return first is not None and await self._wrote(item, first)
        return True

    async def _wrote(self, item: Item, failed: ConditionFailed) -> bool:
        """Return True if the write succeeded nevertheless, and only its response was lost."""
        stored = failed.item or await self._db.get(*key_of(item)) or {}
        return bool(stored.get("t") == item["t"])

    def _record(self, draft: Draft, write: _Write) -> None:
        """Update the cached state, and remove the slots that are obsolete now."""
        session = draft.session
        state = self._states.get(session.session_id)
        if write.is_change:
            obsolete = state.slots if state is not None else {}
            self._states.keep(session.session_id, HeadState.written(session, write.due))
        elif state is not None and state.seq == draft.entries[0].seq - 1:
            obsolete = state.advance(session, write.due, with_head=write.with_head)
            state.slots |= write.slot
        else:
            return  # it was read again meanwhile, with these entries
        self._reader.remove_slots(session.session_id, obsolete)

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
        items = await self._reader.newest_items(session_pk(session_id), entry_sk(before - 1), limit)
        entries = [entry for entry in _entries(reversed(items)) if after < entry.seq < before]
        return tuple(self._reader.unexpired(entries[-limit:]))

    async def _oldest(self, session_id: SessionId, after: int, limit: int) -> list[Entry]:
        """Read the entries after that seq, at least `limit` if there are so many."""
        while entries := await self._after(session_id, after, limit):
            if unexpired := self._reader.unexpired(entries):
                return unexpired
            after = entries[-1].seq
        return []

    async def _after(self, session_id: SessionId, after: int, limit: int) -> list[Entry]:
        if after >= LAST_SEQ or limit <= 0:
            return []
        pk = session_pk(session_id)
        of_range = query_of(pk, entry_sk(after + 1), entry_sk(LAST_SEQ))
        items = await self._db.query(limit, **of_range)
        if after and (not items or items[0]["SK"]["S"] != entry_sk(after + 1)):
            # It may be among the entries of one draft, whose key is the first one's seq.
            items = [*await self._reader.newest_items(pk, entry_sk(after), 1), *items]
        return [entry for entry in _entries(items) if entry.seq > after]

    @bounded
    async def due(self, now: datetime, limit: int) -> tuple[Session, ...]:
        later = stamp(ms(now) + 1)
        requests = [query_of(str(each), "0", later, index="due") for each in range(SHARDS)]
        slots, _ = await merged(self._db, requests, max(limit, _MIN_SLOTS))
        by_session: dict[SessionId, list[Item]] = {}
        for slot in slots:
            by_session.setdefault(session_of(slot["PK"]["S"]), []).append(slot)
        candidates = [*by_session.items()]
        found: list[tuple[int, SessionId, Session]] = []
        for start in range(0, len(candidates), _CONCURRENCY):
            chunk = candidates[start : start + _CONCURRENCY]
            if len(found) >= limit and found[limit - 1][0] <= stamped(chunk[0][1][0]["wS"]):
                break
            found += await self._verified(chunk, ms(now))
            found.sort(key=lambda each: each[:2])
        return tuple(session for _, _, session in found[:limit])

    async def _verified(
        self, candidates: Sequence[tuple[SessionId, list[Item]]], now: int
    ) -> list[tuple[int, SessionId, Session]]:
        """Return those that are due, and since when; the slots of the others are repaired.

        One that cannot be read is left to the next sweep. Raises: StorageUnavailable: none can.
        """
        snapshots = await asyncio.gather(
            *(self._reader.try_read(session_id) for session_id, _ in candidates),
            return_exceptions=True,
        )
        failures = [each for each in snapshots if isinstance(each, BaseException)]
        for failure in failures:
            if len(failures) == len(snapshots) or not isinstance(failure, StorageUnavailable):
                raise failure
        found = []
        for (session_id, slots), snapshot in zip(candidates, snapshots, strict=True):
            if snapshot is None or isinstance(snapshot, BaseException):
                continue
            if snapshot.state.due <= now:
                found.append((snapshot.state.due, session_id, snapshot.session))
            else:
                of_entries = {
                    slot["SK"]["S"]: slot["wS"]["S"] for slot in slots if slot["SK"]["S"] != HEAD
                }
                self._reader.repair(snapshot, of_entries)
        return found


def _entries(items: Iterable[Item]) -> list[Entry]:
    return [entry for item in items if "x" not in item for entry in entries_of(item)]
