"""The items of the outbox, all in their session's partition. Pure.

Notices are stored with their cause: the first one of a draft on the item of the draft's entries,
unless it were too large, and each further one on an item of its own. Such an item has

`oI`, `oB`  the notice's id, and the rest of it, packed;
`oP`, `oS`  if it is a dead letter: partition and slot in the index `outbox`;
`oA`, `oD`  if it is a dead letter: how often it was claimed, and why it is dead.

A marker for each lane says what is to be delivered. While there is anything, it has

`oQ`        the queue, in order of delivery: the sort keys of items with notices, each behind the
            time from which its notice may be delivered;
`oP`, `oS`  partition in the index `outbox`, and its slot there: when the first notice is due;
`oA`, `oC`  how often the first notice was claimed, and a random token of the last claim;
`oL`        until when the first notice is claimed;
`oV`        its version: it stays when the queue is empty, so that no version comes twice.

All of a lane's state is in its marker, so that one conditional write of it claims or settles: only
the first notice is ever claimed, and only `retry` changes the order, behind the first. A queued
notice whose item is gone has expired.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Self, cast

import msgspec
from msgspec.structs import fields

from adapters.dynamodb.items import (
    MARGIN_S,
    SHARDS,
    Item,
    entry_sk,
    key,
    ms,
    notice_sk,
    number,
    session_of,
    session_pk,
    shard,
    stamp,
    stamped,
)
from adapters.stored_notices import notice_from
from domain.errors import TooLarge
from domain.notice import Lane, Notice
from domain.outbox import NOTICES_PER_ENTRY
from domain.session import Draft

DEAD = {"S": "D#"}
"""The partition of the index with the dead letters."""
MAX_BLOB_BYTES = 350_000
"""Limit of entries and notice on one item; DynamoDB's is 400 KB for the whole item."""

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(dict[str, Any]).decode
_PACKED = [
    each.name
    for each in fields(cast(Any, Notice))
    if each.name not in ("notice_id", "session_id", "attempts")
]


class Queued(NamedTuple):
    """An element of a queue: a notice that may be delivered from `at` on."""

    at: int
    sk: str

    @property
    def order(self) -> int:
        """A number that orders the elements of a session as their notices' positions do."""
        kind, _, digits = self.sk.partition("#")
        return int(digits) * (NOTICES_PER_ENTRY if kind == "M" else 1)


def outbox_items(draft: Draft, entries: bytes) -> tuple[Item, list[Item], dict[Lane, list[Queued]]]:
    """Return what a draft's notices add to the table; `entries`: the packed entries.

    Returns further attributes of the item of entries, further items, and additions to the queues.
    Raises: TooLarge, also for the packed entries.
    """
    notices = sorted(draft.notices, key=lambda notice: notice.position)
    own_sk = entry_sk(draft.entries[0].seq)
    sks = [own_sk, *(notice_sk(each.position) for each in notices[1:])]
    items = [_item(notice, sk) for notice, sk in zip(notices, sks, strict=False)]
    sizes = [len(item["oB"]["B"]) for item in items]
    if max(len(entries), *sizes, 0) > MAX_BLOB_BYTES:
        raise TooLarge
    if items and len(entries) + sizes[0] > MAX_BLOB_BYTES:
        items[0] = _item(notices[0], notice_sk(notices[0].position))
    queues: dict[Lane, list[Queued]] = {}
    for notice, item in zip(notices, items, strict=True):
        queues.setdefault(notice.lane, []).append(Queued(ms(notice.due_at), item["SK"]["S"]))
    own = items.pop(0) if items and items[0]["SK"]["S"] == own_sk else {}
    return own, items, queues


def _item(notice: Notice, sk: str) -> Item:
    packed = {name: getattr(notice, name) for name in _PACKED}
    return key(session_pk(notice.session_id), sk) | {
        "oI": {"S": notice.notice_id},
        "oB": {"B": _pack(packed)},
    }


def notice_of(item: Item) -> Notice:
    """Unpack the notice of an item that has one; `attempts`: those of a dead letter."""
    named = _unpack(item["oB"]["B"])
    named["notice_id"] = item["oI"]["S"]
    named["session_id"] = session_of(item["PK"]["S"])
    named["attempts"] = int(item["oA"]["N"]) if "oA" in item else 0
    return notice_from(named)


def dead_slot(notice: Notice) -> Item:
    """Return the slot of a dead letter in the index."""
    return {"S": f"{stamp(ms(notice.due_at))}#{notice.session_id}#{notice.position:012d}"}


def has_expired(item: Item, now: datetime) -> bool:
    """Return True if the notice has expired; DynamoDB deletes the item only days later."""
    return "exp" in item and int(item["exp"]["N"]) - MARGIN_S <= int(now.timestamp())


def marker_sk(lane: Lane) -> str:
    """Return the sort key of a lane's marker: it sorts before those of all entries."""
    return f"L#{lane}"


def partitions(lane: Lane) -> list[str]:
    """Return the partitions of the index with the markers of a lane."""
    return [f"{lane}#{shard_number}" for shard_number in range(SHARDS)]


class Marker(NamedTuple):
    """The state of a session's lane; times are milliseconds since 1970."""

    pk: str
    lane: Lane
    queue: tuple[Queued, ...] = ()
    due: int = 0
    """When the first notice is due."""
    attempts: int = 0
    """How often it was claimed."""
    leased_until: int | None = None
    token: Item | None = None
    """That of the last claim, until something else is written."""
    version: int = 0
    """0: it is not stored yet."""
    exp: Item | None = None
    is_erased: bool = False
    """A tombstone."""

    @classmethod
    def of(cls, pk: str, lane: Lane, item: Item | None) -> Self:
        """Unpack a marker; None: there is none."""
        item = item or {}
        queue = [cast(str, each["S"]) for each in item["oQ"]["L"]] if "oQ" in item else []
        return cls(
            pk,
            lane,
            queue=tuple(Queued(int(each[:13]), each[14:]) for each in queue),
            due=stamped(item["oS"]) if "oS" in item else 0,
            attempts=int(item["oA"]["N"]) if "oA" in item else 0,
            leased_until=int(item["oL"]["N"]) if "oL" in item else None,
            token=item.get("oC"),
            version=int(item["oV"]["N"]) if "oV" in item else 0,
            exp=item.get("exp"),
            is_erased="x" in item,
        )

    @property
    def ready_at(self) -> int:
        """When the first notice can be claimed."""
        return self.due if self.leased_until is None else self.leased_until

    def has(self, sk: str) -> bool:
        """Return True if the notice of this item is in the queue."""
        return any(each.sk == sk for each in self.queue)

    def without(self, sk: str) -> Self:
        """Remove a notice; the next one becomes the first as if new."""
        return self._with_queue([each for each in self.queue if each.sk != sk])

    def deferred(self, sk: str, until: int) -> Self:
        """Make a notice due at `until`."""
        if self.queue[0].sk == sk:
            return self._replace(due=until, leased_until=None)
        queue = [Queued(until, sk) if each.sk == sk else each for each in self.queue]
        return self._with_queue(queue)

    def having(self, added: Iterable[Queued], first: Sequence[Queued]) -> Self:
        """Insert notices by their positions; `first`: those that come before all others."""
        rest = {*self.queue, *added} - {*first}
        return self._with_queue([*first, *sorted(rest, key=lambda each: each.order)])

    def _with_queue(self, queue: Sequence[Queued]) -> Self:
        changed = self._replace(queue=tuple(queue))
        if queue[:1] == [*self.queue[:1]]:
            return changed
        due = queue[0].at if queue else 0
        return changed._replace(due=due, attempts=0, leased_until=None)

    def item(self) -> Item:
        """Pack the marker, as its next version."""
        item = key(self.pk, marker_sk(self.lane)) | {"oV": number(self.version + 1)}
        if self.exp is not None:
            item["exp"] = self.exp
        if self.queue:
            item |= _slot(self.pk, self.lane, self.due) | {"oQ": _packed(self.queue)}
        if self.attempts:
            item["oA"] = number(self.attempts)
        if self.leased_until is not None:
            item["oL"] = number(self.leased_until)
        return item

    def unchanged(self) -> tuple[str, Item]:
        """Return the condition that the stored marker is of this version, and its values."""
        if self.version:
            return "oV = :version", {"version": number(self.version)}
        return "attribute_not_exists(PK)", {}


def appended(pk: str, lane: Lane, added: Sequence[Queued], exp: Item | None) -> tuple[str, Item]:
    """Return the update, and its values, that adds notices at the end of a queue unread.

    `exp`: when their entries expire, and with the newest ones the marker.
    """
    slot = _slot(pk, lane, added[0].at)
    values = {
        "none": {"L": []},
        "added": _packed(added),
        "partition": slot["oP"],
        "slot": slot["oS"],
        "one": number(1),
    }
    change = (
        "SET oQ = list_append(if_not_exists(oQ, :none), :added), oP = :partition, "
        "oS = if_not_exists(oS, :slot)"
    )
    if exp is not None:
        change, values = f"{change}, exp = :exp", values | {"exp": exp}
    return f"{change} ADD oV :one", values


def _slot(pk: str, lane: Lane, due: int) -> Item:
    session_id = session_of(pk)
    partition = partitions(lane)[shard(session_id)]
    return {"oP": {"S": partition}, "oS": {"S": f"{stamp(due)}#{session_id}"}}


def _packed(queue: Iterable[Queued]) -> Item:
    return {"L": [{"S": f"{stamp(each.at)}#{each.sk}"} for each in queue]}
