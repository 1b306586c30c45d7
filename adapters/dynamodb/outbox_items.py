"""The nodes of the outbox: what in a session's partition bears a notice, or has borne one. Pure.

The item of a draft's entries bears the draft's first, unless that were too large; an item of its
own bears each other one. So a notice is stored together with what it tells of, and nobody looks
then whether those before it are out. Who wants to claim it does:

`op`  the node before it. As the append wrote it: the one before it in the log. As `retry` wrote it
      (`=` and the sort key): the one before it in the session's order. Absent: it is the first,
      which a claim or `retry` has found; it stays that until it is out.
`ol`  on the log's last node: what `retry` has made the last one of the session's order. What is
      appended behind the one is behind the other.
`ow`  the nodes that are parked until this one is out, and then are ready in the same transaction.
`lo`  on each item of entries: the log's last node, for the next append.
`og`  on the log's newest item: how often `retry` has changed the order since.
`ex`  where what was said is not kept for ever: when the notice is delivered no more. Not before it
      is out the node gets `exp`, by which it is deleted: else nobody would wake those behind it.

A pending node is in the index `outbox`: `oP` says whether it is ready, which means that it may be
claimed once the time in `oS` has come and no node before it is pending, or parked. A dead letter
is there as well. `oI` is the notice's id, `oB` the rest of it, `oA` how often it has been claimed,
`oC` by which claim at last, `oD` why it is dead. An item with `oP` counts as one notice; on a
delivered one there are but links left. A node that is gone, by whatever way, blocks nobody.
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

READY = [{"S": f"R#{place}"} for place in range(SHARDS)]
PENDING = [*READY, *({"S": f"P#{place}"} for place in range(SHARDS))]
DEAD = {"S": "D#"}
"""The partitions of the index."""
INDEX_KEY = ("PK", "SK", "oP", "oS")
"""What a Query of the index goes on from."""
IS_PENDING = "attribute_exists(oP) AND oP <> :dead"
"""A condition, with the value DEAD: by whatever number of shards the node was written."""

MAX_BLOBS = 350_000
"""Bytes of entries and notice on one item, of which DynamoDB takes 400 KB with all else on it."""

_EXACT = "="
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(dict[str, Any]).decode
_PACKED = [
    each.name
    for each in fields(cast(Any, Notice))
    if each.name not in ("notice_id", "session_id", "attempts")
]

Key = tuple[str, str]


def nodes(draft: Draft, entries: bytes, op: str | None) -> tuple[Item, list[Item], str | None]:
    """What the notices of a draft become; `op`: the log's last node, to which they are linked.

    Returns the attributes of the item of its entries, further items, and the log's last node then.
    Raises: TooLarge, also for the packed entries.
    """
    notices = sorted(draft.notices, key=lambda notice: notice.position)
    own_sk = entry_sk(draft.entries[0].seq)
    sks = [own_sk, *(notice_sk(each.position) for each in notices[1:])]
    made = [_node(notice, sk) for notice, sk in zip(notices, sks, strict=False)]
    sizes = [len(node["oB"]["B"]) for node in made]
    if max(len(entries), *sizes, 0) > MAX_BLOBS:
        raise TooLarge
    if made and len(entries) + sizes[0] > MAX_BLOBS:
        made[0] = _node(notices[0], notice_sk(notices[0].position))
    for before, after in pairwise(made):
        before["ow"] = {"SS": [after["SK"]["S"]]}
        after["op"] = before["SK"]
        after["oP"] = partitions(after["PK"]["S"])["parked"]
    if made and op is not None:
        made[0]["op"] = {"S": op}
    last = made[-1]["SK"]["S"] if made else op
    own = made.pop(0) if made and made[0]["SK"]["S"] == own_sk else {}
    if last is not None:
        own["lo"] = {"S": last}
    return own, made, last


def _node(notice: Notice, sk: str) -> Item:
    pk = session_pk(notice.session_id)
    packed = {name: getattr(notice, name) for name in _PACKED}
    return key(pk, sk) | {
        "oP": partitions(pk)["ready"],
        "oS": slot(ms(notice.due_at), pk, sk),
        "oI": {"S": notice.notice_id},
        "oB": {"B": _pack(packed)},
    }


def notice_of(node: Item) -> Notice:
    """The notice of a node that has one; `attempts`: all its claims."""
    named = _unpack(node["oB"]["B"])
    named["notice_id"] = node["oI"]["S"]
    named["session_id"] = session_of(node["PK"]["S"])
    named["attempts"] = int(node["oA"]["N"]) if "oA" in node else 0
    return notice_from(named)


class Place(NamedTuple):
    """Where a notice is."""

    pk: str
    sk: str
    grave: Item
    """Its place among the dead letters."""
    waiting: Mapping[str, bool]
    """The nodes that are parked behind it, or were; the values say that they are pending."""
    exp: Item
    """When it is to be deleted once it is out; or nothing."""

    @classmethod
    def of(cls, node: Item) -> "Place":
        """The place of a node that has a notice."""
        pk, sk = key_of(node)
        notice = notice_of(node)
        grave = f"{stamp(ms(notice.due_at))}#{notice.session_id}#{notice.position:012d}"
        exp = {"exp": number(int(node["ex"]["N"]) + MARGIN_S)} if "ex" in node else {}
        return cls(pk, sk, {"S": grave}, waiting_behind(node), exp)


def waiting_behind(node: Item | None) -> dict[str, bool]:
    """The nodes that are parked behind this one, each taken to be pending itself."""
    return dict.fromkeys(node["ow"]["SS"], True) if node is not None and "ow" in node else {}


def is_pending(node: Item) -> bool:
    """Whether its notice is to be delivered."""
    return "oP" in node and node["oP"] != DEAD


def has_expired(node: Item, now: datetime) -> bool:
    """Whether it is no longer to be there: it may be for days, until DynamoDB deletes it."""
    return "ex" in node and int(node["ex"]["N"]) <= int(now.timestamp())


def key_of(item: Item) -> Key:
    """The values of its primary key."""
    return item["PK"]["S"], item["SK"]["S"]


def slot(at: int, pk: str, sk: str) -> Item:
    """Where a node stands among those that are ready, or parked."""
    return {"S": f"{stamp(at)}#{session_of(pk)}#{sk}"}


def partitions(pk: str) -> dict[str, Item]:
    """Those of the index into which a session's pending nodes are written."""
    place = shard(session_of(pk))
    return {"ready": READY[place], "parked": PENDING[SHARDS + place]}


def in_partition(partition: Item, **values: Item) -> Item:
    """The request of what is in a partition of the index; `values`: of its other expressions."""
    return {
        "IndexName": "outbox",  # it holds `oI` and `op` besides all keys
        "KeyConditionExpression": "oP = :in",
        "ExpressionAttributeValues": {
            ":in": partition,
            **{f":{name}": value for name, value in values.items()},
        },
    }


def as_seen(item: Item, names: Iterable[str]) -> tuple[str, Item]:
    """The condition that these attributes are as they were read, and its values."""
    there = [name for name in names if name in item]
    conditions = [
        f"{name} = :was_{name}" if name in there else f"attribute_not_exists({name})"
        for name in names
    ]
    return " AND ".join(conditions), {f"was_{name}": item[name] for name in there}


def end_of(link: str) -> str:
    """The sort key that a link leads to."""
    return link.removeprefix(_EXACT)


def exactly(node: Item) -> Item:
    """A link to a node as `retry` writes it."""
    return {"S": _EXACT + node["SK"]["S"]}


def onward(node: Item, link: str) -> str | None:
    """The link to follow from a node that is gone, to which `link` has led."""
    names = ("op",) if link.startswith(_EXACT) else ("ol", "op")
    return next((node[name]["S"] for name in names if name in node), None)
