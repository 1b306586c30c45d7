"""The items of the outbox: those in a session's partition that bear a notice, or have. Pure.

The item of a draft's entries bears the draft's first notice, unless it were too large; an item of
its own bears each other one. So a notice is stored together with its cause, and an append need not
check whether earlier notices are delivered. A claim does that, by these attributes:

`op`  a link to the item before this one. As an append writes it: the one before it in the log. As
      `retry` writes it (`=` and the sort key): the one before it in the session's order. Absent:
      this is the first, as a claim or `retry` has found, and stays it until it is settled.
`ol`  on the log's last item: the item that `retry` has made the last one of the session's order.
      What is appended behind the former is behind the latter.
`ow`  the items that are parked until this one is settled, and become ready in the same transaction.
`lo`  on each item of entries: the log's last item with a notice, for the next append.
`og`  on the log's newest item: how often `retry` has changed the order since.
`ex`  where messages expire: when the notice is delivered no more. Only when it is settled does the
      item get `exp`, by which it is deleted: otherwise the items behind it would stay parked.

A pending item is in the index `outbox`: `oP` says whether it is ready, so that it may be claimed
once the time in `oS` has come and no item before it is pending, or parked. Dead letters are in a
partition of their own. An item with `oP` counts as one notice; a delivered one keeps only links. An
item that is missing, for whatever reason, blocks no other.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple, cast

import msgspec
from msgspec.structs import fields

from adapters.dynamodb.items import (
    MARGIN_S,
    SHARDS,
    Item,
    entry_sk,
    key,
    key_of,
    ms,
    notice_sk,
    number,
    session_of,
    session_pk,
    shard,
    stamp,
)
from adapters.stored_notices import notice_from
from domain.errors import TooLarge
from domain.notice import Notice
from domain.session import Draft

READY = [{"S": f"R#{shard_number}"} for shard_number in range(SHARDS)]
PENDING = [*READY, *({"S": f"P#{shard_number}"} for shard_number in range(SHARDS))]
DEAD = {"S": "D#"}
"""The partitions of the index; the pending items are the ready and the parked ones."""
INDEX_KEY = ("PK", "SK", "oP", "oS")
"""The attributes from which a Query of the index continues."""
IS_PENDING = "attribute_exists(oP) AND oP <> :dead"
"""A condition, with the value DEAD; it holds for any number of shards."""

MAX_BLOB_BYTES = 350_000
"""Limit of entries and notice on one item; DynamoDB's is 400 KB for the whole item."""

_EXACT = "="
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(dict[str, Any]).decode
_PACKED = [
    each.name
    for each in fields(cast(Any, Notice))
    if each.name not in ("notice_id", "session_id", "attempts")
]


def outbox_items(
    draft: Draft, entries: bytes, last: str | None
) -> tuple[Item, list[Item], str | None]:
    """Return what a draft's notices add to the table.

    `entries`: the packed entries. `last`: sort key of the log's last item with a notice so far.
    Returns further attributes of the item of entries, further items, and the new `last`.
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
    for before, after in pairwise(items):
        before["ow"] = {"SS": [after["SK"]["S"]]}
        after["op"] = before["SK"]
        after["oP"] = partitions(after["PK"]["S"])["parked"]
    if items and last is not None:
        items[0]["op"] = {"S": last}
    last = items[-1]["SK"]["S"] if items else last
    own = items.pop(0) if items and items[0]["SK"]["S"] == own_sk else {}
    if last is not None:
        own["lo"] = {"S": last}
    return own, items, last


def _item(notice: Notice, sk: str) -> Item:
    pk = session_pk(notice.session_id)
    packed = {name: getattr(notice, name) for name in _PACKED}
    return key(pk, sk) | {
        "oP": partitions(pk)["ready"],
        "oS": outbox_slot(ms(notice.due_at), pk, sk),
        "oI": {"S": notice.notice_id},
        "oB": {"B": _pack(packed)},
    }


def notice_of(item: Item) -> Notice:
    """Unpack the notice of an item that has one; `attempts`: all its claims."""
    named = _unpack(item["oB"]["B"])
    named["notice_id"] = item["oI"]["S"]
    named["session_id"] = session_of(item["PK"]["S"])
    named["attempts"] = int(item["oA"]["N"]) if "oA" in item else 0
    return notice_from(named)


class OutboxItem(NamedTuple):
    """The address of a notice, and what settling it needs to know."""

    pk: str
    sk: str
    dead_slot: Item
    """Its slot among the dead letters."""
    parked: Mapping[str, bool]
    """Sort keys of the items parked behind it, now or before → whether they are pending."""
    exp: Item
    """The time of its deletion once it is settled; empty: never."""

    @classmethod
    def of(cls, item: Item) -> "OutboxItem":
        """Return the address of an item that has a notice."""
        pk, sk = key_of(item)
        notice = notice_of(item)
        dead_slot = f"{stamp(ms(notice.due_at))}#{notice.session_id}#{notice.position:012d}"
        exp = {"exp": number(int(item["ex"]["N"]) + MARGIN_S)} if "ex" in item else {}
        return cls(pk, sk, {"S": dead_slot}, parked_behind(item), exp)


def parked_behind(item: Item | None) -> dict[str, bool]:
    """Return the items that are parked behind this one, each assumed to be pending."""
    return dict.fromkeys(item["ow"]["SS"], True) if item is not None and "ow" in item else {}


def is_pending(item: Item) -> bool:
    """Return True if its notice is to be delivered."""
    return "oP" in item and item["oP"] != DEAD


def has_expired(item: Item, now: datetime) -> bool:
    """Return True if the notice has expired; DynamoDB may delete the item only days later."""
    return "ex" in item and int(item["ex"]["N"]) <= int(now.timestamp())


def outbox_slot(at: int, pk: str, sk: str) -> Item:
    """Return the slot of a pending item in the index."""
    return {"S": f"{stamp(at)}#{session_of(pk)}#{sk}"}


def partitions(pk: str) -> dict[str, Item]:
    """Return the index's partitions of a session's pending items, `ready` and `parked`."""
    shard_number = shard(session_of(pk))
    return {"ready": READY[shard_number], "parked": PENDING[SHARDS + shard_number]}


def partition_query(partition: Item, **values: Item) -> Item:
    """Return the Query of a partition of the index; `values`: of its other expressions."""
    return {
        "IndexName": "outbox",  # it holds `oI` and `op` besides all keys
        "KeyConditionExpression": "oP = :in",
        "ExpressionAttributeValues": {
            ":in": partition,
            **{f":{name}": value for name, value in values.items()},
        },
    }


def unchanged(item: Item, attributes: Iterable[str]) -> tuple[str, Item]:
    """Return the condition that these attributes are as they were read, and its values."""
    present = [name for name in attributes if name in item]
    conditions = [
        f"{name} = :was_{name}" if name in present else f"attribute_not_exists({name})"
        for name in attributes
    ]
    return " AND ".join(conditions), {f"was_{name}": item[name] for name in present}


def target_of(link: str) -> str:
    """Return the sort key that a link leads to."""
    return link.removeprefix(_EXACT)


def exact_link(item: Item) -> Item:
    """Return a link to an item as `retry` writes it."""
    return {"S": _EXACT + item["SK"]["S"]}


def next_link(item: Item, link: str) -> str | None:
    """Return the link that continues from a settled item, to which `link` has led."""
    names = ("op",) if link.startswith(_EXACT) else ("ol", "op")
    return next((item[name]["S"] for name in names if name in item), None)
