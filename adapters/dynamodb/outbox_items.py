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
`oL`        until when the first notice is claimed.

All of a lane's state is in its marker, so that one conditional write of it claims or settles: only
the first notice is ever claimed, and only a later `retry` changes the order, behind the first. A
queued notice whose item is gone has expired.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

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


class Change(NamedTuple):
    """An update of an item: its expressions, and their values."""

    update: str
    condition: str
    values: Item


# Items with a notice.


def outbox_items(draft: Draft, entries: bytes) -> tuple[Item, list[Item], dict[Lane, list[Item]]]:
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
    queues: dict[Lane, list[Item]] = {}
    for notice, item in zip(notices, items, strict=True):
        queues.setdefault(notice.lane, []).append(queued(ms(notice.due_at), item["SK"]["S"]))
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


# Markers, and their queues.


def marker_sk(lane: Lane) -> str:
    """Return the sort key of a lane's marker: it sorts before those of all entries."""
    return f"L#{lane}"


def partitions(lane: Lane) -> list[Item]:
    """Return the partitions of the index with the markers of a lane."""
    return [{"S": f"{lane}#{shard_number}"} for shard_number in range(SHARDS)]


def queued(at: int, sk: str) -> Item:
    """Return the element of a queue for a notice that may be delivered from `at` on."""
    return {"S": f"{stamp(at)}#{sk}"}


def sk_of(element: Item) -> str:
    """Return the sort key in an element of a queue."""
    return cast(str, element["S"]).split("#", 1)[1]


def position_of(element: Item) -> int:
    """Return a number that orders the elements of a session as their notices' positions do."""
    kind, _, digits = sk_of(element).partition("#")
    return int(digits) * (NOTICES_PER_ENTRY if kind == "M" else 1)


def queue_of(marker: Item | None) -> list[Item]:
    """Return the queue of a marker; empty where there is no marker."""
    return cast(list[Item], marker["oQ"]["L"]) if marker is not None and "oQ" in marker else []


def ready_at(marker: Item) -> int:
    """Return when the first notice of a queue can be claimed, in milliseconds since 1970."""
    return int(marker["oL"]["N"]) if "oL" in marker else stamped(marker["oS"])


def _partition(pk: str, lane: Lane) -> Item:
    return partitions(lane)[shard(session_of(pk))]


def _slot(at: int, pk: str) -> Item:
    return {"S": f"{stamp(at)}#{session_of(pk)}"}


def appended(pk: str, lane: Lane, added: Sequence[Item]) -> Change:
    """Add notices at the end of a queue, without knowing it."""
    return Change(
        "SET oQ = list_append(if_not_exists(oQ, :none), :added), oP = :partition, "
        "oS = if_not_exists(oS, :slot)",
        "attribute_not_exists(x)",
        {
            "none": {"L": []},
            "added": {"L": [*added]},
            "partition": _partition(pk, lane),
            "slot": _slot(stamped(added[0]), pk),
        },
    )


def inserted(
    marker: Item | None, pk: str, lane: Lane, added: Sequence[Item], first: Sequence[Item]
) -> Change:
    """Insert notices into a queue by their positions; `first`: those that come before them."""
    queue = queue_of(marker)
    rest = [element for element in [*queue, *added] if element not in first]
    result = [*first, *sorted(rest, key=position_of)]
    condition, values = _as_read(marker)
    values |= {"queue": {"L": result}, "partition": _partition(pk, lane)}
    if result[0] in queue[:1]:
        return Change("SET oQ = :queue, oP = :partition", condition, values)
    values["slot"] = _slot(stamped(result[0]), pk)
    condition += " AND attribute_not_exists(oA)"
    return Change("SET oQ = :queue, oP = :partition, oS = :slot", condition, values)


def removed(marker: Item, sk: str) -> Change:
    """Remove a notice from a queue; if it is the first, the next one becomes due in its turn."""
    queue, pk = queue_of(marker), marker["PK"]["S"]
    rest = [element for element in queue if sk_of(element) != sk]
    condition, values = _as_read(marker)
    if not rest:
        return Change("REMOVE oQ, oP, oS, oA, oC, oL", condition, values)
    values["queue"] = {"L": rest}
    if rest[0] == queue[0]:
        return Change("SET oQ = :queue", condition, values)
    values["slot"] = _slot(stamped(rest[0]), pk)
    return Change("SET oQ = :queue, oS = :slot REMOVE oA, oC, oL", condition, values)


def deferred(marker: Item, sk: str, until: int) -> Change:
    """Make a notice of a queue due at `until`; those behind the first wait for it as well."""
    queue = queue_of(marker)
    condition, values = _as_read(marker)
    if sk_of(queue[0]) == sk:
        values["slot"] = _slot(until, marker["PK"]["S"])
        return Change("SET oS = :slot REMOVE oC, oL", condition, values)
    changed = [queued(until, sk) if sk_of(each) == sk else each for each in queue]
    return Change("SET oQ = :queue", condition, values | {"queue": {"L": changed}})


def _as_read(marker: Item | None) -> tuple[str, Item]:
    """Return the condition that a queue is as it was read, and its values."""
    if marker is None or "oQ" not in marker:
        return "attribute_not_exists(oQ) AND attribute_not_exists(x)", {}
    return "oQ = :was", {"was": marker["oQ"]}


# The index.


def partition_query(partition: Item, **values: Item) -> Item:
    """Return the Query of a partition of the index; `values`: of its other expressions."""
    return {
        "IndexName": "outbox",
        "KeyConditionExpression": "oP = :in",
        "ExpressionAttributeValues": {
            ":in": partition,
            **{f":{name}": value for name, value in values.items()},
        },
    }
