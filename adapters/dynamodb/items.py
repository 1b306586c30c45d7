"""The items of the table: their keys, and the domain's values as attributes. Pure.

An attribute is a dictionary of its type and its value, as in DynamoDB's API:
`{"S": "text"}`, `{"N": "12"}`, `{"B": b"..."}`, `{"BOOL": True}`.

| PK | SK | item |
|---|---|---|
| `S#<session>` | `~` | the head of a session |
| `S#<session>` | `M#<seq>` | the entries of one draft, perhaps with its first notice |
| `S#<session>` | `A#<position>` | a further notice |
| `S#<session>` | `L#<lane>` | a marker: what is to be delivered in a lane |
| `U#<business>#<user>` | `OPEN` | the customer's newest session |
| `U#<business>#<user>` | `S#<opened at>#<session>` | a pointer to a session of the customer |
| `U#<business>#<user>` | `I#<key>` | an idempotency key |
| `B#<business>` | `D#<day>` | the counts of a day |
| `L#<name>` | `HELD` | a lease |

Names of attributes are short, because they are stored and billed with every item. A *slot* is a
key of an index that begins with a time; an item without a slot is not in that index.

| attribute | of | content |
|---|---|---|
| `PK`, `SK` | all items | the primary key |
| `exp` | all items | when DynamoDB deletes it (TTL), in seconds |
| `x` | erased items of a session | true: a tombstone |
| `n`, `k` | tombstones | how many messages and notices were erased with it |
| `b` | head, entries | the packed value |
| `q` | head | the seq of the newest entry when it was written |
| `lP`, `lS` | head | partition and slot in the index `by_business` |
| `gP` | head | partition in the index `by_status`, whose slot is `lS` |
| `wP`, `wS` | head, entries | partition and slot in the index `due` |
| `d` | entries | when the session is due, in milliseconds; absent: never |
| `t` | entries | a random token, by which a writer recognises its own write |
| `oI`, `oB` | entries, notices | a notice's id, and the rest of it, packed |
| `oP`, `oS` | markers, dead letters | partition and slot in the index `outbox` |
| `oA` | markers, dead letters | how often a notice was claimed |
| `oD` | dead letters | why it is one |
| `oQ`, `oL`, `oC`, `oV` | markers | the queue, and its state: see `outbox_items` |
| `sid` | newest session, key | the session's id |
| `up` | newest session | whether it is open |
| `q`, `st`, `w` | key | seq and status of what was stored, and when, in milliseconds |
| `i`, `h`, `o`, `n` | counts | tokens in, of these cached, tokens out, calls |
| by their own names | counts | all others: see `domain/outcomes.py` |
| `h`, `u` | lease | its holder, and until when nobody else gets it, in milliseconds |
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar, cast
from zlib import crc32

import msgspec
from msgspec.structs import fields

from domain.identity import Customer, SessionId
from domain.message import AnswerVersion, Entry, Message, StatusChange
from domain.session import Session
from domain.usage import Usage

T = TypeVar("T")
Item = dict[str, Any]
ItemKey = tuple[str, str]
"""The values of a primary key: PK and SK."""

KEYS: dict[str | None, tuple[str, str]] = {
    None: ("PK", "SK"),
    "by_business": ("lP", "lS"),
    "by_status": ("gP", "lS"),
    "due": ("wP", "wS"),
    "outbox": ("oP", "oS"),
}
"""Index, or None for the table itself → the attributes that are its partition and sort keys."""
HEAD = "~"
"""Sort key of a session's head: it sorts behind all its entries."""
FIRST_ENTRY = "M#"
"""Sorts before the sort keys of all entries, and behind those of further notices."""
LAST_SEQ = 10**10 - 1
"""The highest seq that a sort key can hold."""
MARGIN_S = 7 * 24 * 3600
"""Time between the expiry of entries and their deletion. The newest item has the log's last seq
until the sweep has closed the session, which writes the seq to the head."""
NEVER = 10**18
"""A time in milliseconds for what is never due."""
OPEN = "OPEN"
"""Sort key of the item that names a customer's newest session."""
SHARDS = 4
"""The number of partitions over which each index spreads what would otherwise be one."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_LAST_MS = 10**13 - 1
"""The last time that thirteen digits can hold, in the year 2286."""


def session_pk(session_id: str) -> str:
    """Return the partition of a session: its head, entries and notices."""
    return f"S#{session_id}"


def customer_pk(customer: Customer) -> str:
    """Return the partition of a customer: sessions and idempotency keys."""
    return f"U#{customer.business_id}#{customer.user_id}"


def session_of(pk: str) -> SessionId:
    """Return the session whose partition this is."""
    return SessionId(pk[2:])


def entry_sk(seq: int) -> str:
    """Return the sort key of a draft's entries, the first of which is `seq`."""
    return f"M#{seq:010d}"


def notice_sk(position: int) -> str:
    """Return the sort key of a notice that is not on the item of its draft's entries."""
    return f"A#{position:012d}"


def pointer_sk(session: Session) -> str:
    """Return the sort key of a session in its customer's partition."""
    return f"S#{stamp(ms(session.opened_at))}#{session.session_id}"


def key_sk(key: str) -> str:
    """Return the sort key of an idempotency key in its customer's partition."""
    return f"I#{key}"


def key(pk: str, sk: str) -> Item:
    """Return the primary key of an item, as attributes."""
    return {"PK": {"S": pk}, "SK": {"S": sk}}


def key_of(item: Item) -> ItemKey:
    """Return the values of an item's primary key."""
    return item["PK"]["S"], item["SK"]["S"]


def shard(session_id: str) -> int:
    """Return the shard of a session in every index; it never changes."""
    return crc32(session_id.encode()) % SHARDS


def ms(at: datetime) -> int:
    """Return a time as milliseconds since 1970."""
    return round((at - _EPOCH) / _MS)


def moment(milliseconds: int) -> datetime:
    """Return the time of `ms`."""
    return _EPOCH + milliseconds * _MS


def stamp(milliseconds: int) -> str:
    """Return a time as part of a sort key: thirteen digits, which sort as the times do."""
    return f"{min(max(milliseconds, 0), _LAST_MS):013d}"


def query_of(
    partition: str,
    first: str | None = None,
    last: str = "~",
    *,
    index: str | None = None,
    newest_first: bool = False,
    **values: Item,
) -> Item:
    """Return the Query of a partition, or of its sort keys from `first` to `last`.

    `values`: attributes that stand for `:name` in an expression that the caller adds.
    """
    pk, sk = KEYS[index]
    condition, of_range = f"{pk} = :in", {":in": {"S": partition}}
    if first is not None:
        condition += f" AND {sk} BETWEEN :first AND :last"
        of_range |= {":first": {"S": first}, ":last": {"S": last}}
    own = {f":{name}": value for name, value in values.items()}
    request: Item = {
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": of_range | own,
    }
    if index is not None:
        request["IndexName"] = index
    if newest_first:
        request["ScanIndexForward"] = False
    return request


def number(value: int) -> dict[str, str]:
    """Return a number as an attribute."""
    return {"N": str(value)}


def due_slot(session_id: str, due: int) -> Item:
    """Return the attributes that put an item into the index `due`; none for NEVER."""
    if due == NEVER:
        return {}
    return {"wP": {"S": str(shard(session_id))}, "wS": {"S": f"{stamp(due)}#{session_id}"}}


def recency_slot(session: Session) -> dict[str, str]:
    """Return a head's slot in the listings."""
    return {"S": f"{stamp(ms(session.updated_at))}#{session.session_id}"}


def stamped(slot: dict[str, str]) -> int:
    """Return the time that a slot begins with, in milliseconds."""
    return int(slot["S"][:13])


def status_partition(status: str, of_shard: int) -> str:
    """Return a partition of the index `by_status`."""
    return f"{status}#{of_shard}"


def business_partition(business_id: str, status: str, of_shard: int) -> str:
    """Return a partition of the index `by_business`."""
    return f"{business_id}#{status}#{of_shard}"


def head_item(session: Session, due: int) -> Item:
    """Return the head of a session, with its slots in the listings and in the index `due`."""
    session_id, status = session.session_id, session.status.value
    of_shard = shard(session_id)
    return {
        **key(session_pk(session_id), HEAD),
        "b": {"B": pack_head(session)},
        "q": number(session.seq),
        "lP": {"S": business_partition(session.customer.business_id, status, of_shard)},
        "gP": {"S": status_partition(status, of_shard)},
        "lS": recency_slot(session),
        **due_slot(session_id, due),
    }


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(dict[str, Any]).decode
_unpack_all = msgspec.msgpack.Decoder(list[dict[str, Any]]).decode
_is_hex = re.compile(r"(?:[0-9a-f]{2}){8,64}").fullmatch


def _short_id(value: str) -> str | bytes:
    return bytes.fromhex(value) if _is_hex(value) else value


def _whole_id(value: str | bytes) -> str:
    return value.hex() if isinstance(value, bytes) else value


class _Shape(Generic[T]):
    """How values of a type are packed.

    An item of up to 1 KB is written for one unit, and twenty of 200 bytes are read for one: fields
    have short names, hexadecimal ids are stored as bytes, and defaults are left out, as is the
    field that the item's key implies. A value may be from a later version or an earlier one:
    unknown fields are ignored, and missing ones have their default.
    """

    def __init__(self, cls: type[T], names: str, *, implied: str = "") -> None:
        """`names`: pairs such as `author=a`; fields without one have their own name."""
        self._cls = cls
        codes = dict(pair.split("=") for pair in names.split())
        self._names = {code: name for name, code in codes.items()}
        self._plan = [
            (field.name, codes.get(field.encode_name, field.encode_name), field.default)
            for field in fields(cast(Any, cls))
            if field.name != implied
        ]

    def pack(self, value: T) -> dict[str, Any]:
        return {
            code: held
            for name, code, default in self._plan
            if (held := getattr(value, name)) is not default and held != default
        }

    def unpack(self, packed: Mapping[str, Any]) -> T:
        named = {self._names.get(code, code): held for code, held in packed.items()}
        return msgspec.convert(named, self._cls)


_MESSAGE = _Shape(
    Message,
    "message_id=i author=a text=t at=w actions=x in_reply_to=r answers=n failed=f "
    "coordinator_id=c tools=o usage=u digest=g audience=v hidden_before=b language=l verdict=q "
    "version=p unmet=m",
    implied="seq",
)
_CHANGE = _Shape(
    StatusChange,
    "status=s epoch=e reason=y at=w transfer=h summary=u hidden_before=b",
    implied="seq",
)
_SESSION = _Shape(
    Session,
    "customer=c location_id=l opened_at=o updated_at=w status=s reason=y epoch=e seq=q asked=k "
    "answered=n is_unanswered=p changed_at=v failures=f transfer=h summary=u digest=g usage=z "
    "hidden_at_end=d language=j unmet=m missed=i",
    implied="session_id",
)
_USAGE = _Shape(
    Usage, "model=m input_tokens=i cached_tokens=c output_tokens=o reasoning_tokens=r calls=n"
)
_VERSION = _Shape(AnswerVersion, "prompt=p knowledge=k tools=t")


def pack_entries(entries: Sequence[Entry]) -> bytes:
    """Pack the entries of a draft, without their seqs, which the item's key implies."""
    return _pack([_packed(entry) for entry in entries])


def _packed(entry: Entry) -> dict[str, Any]:
    if not isinstance(entry, Message):
        return _CHANGE.pack(entry)
    packed = _MESSAGE.pack(entry)
    packed["i"] = _short_id(entry.message_id)
    if entry.in_reply_to:
        packed["r"] = [_short_id(message_id) for message_id in entry.in_reply_to]
    if entry.usage is not None:
        packed["u"] = _USAGE.pack(entry.usage)
    if entry.version is not None:
        packed["p"] = {
            code: _short_id(digest) for code, digest in _VERSION.pack(entry.version).items()
        }
    return packed


def entries_of(item: Item) -> list[Entry]:
    """Unpack the entries of an item of a session's log, oldest first."""
    packed = _unpack_all(item["b"]["B"])
    return [_entry(each, seq) for seq, each in enumerate(packed, first_seq(item))]


def _entry(packed: dict[str, Any], seq: int) -> Entry:
    packed["seq"] = seq
    if "s" in packed:
        return _CHANGE.unpack(packed)
    packed["i"] = _whole_id(packed["i"])
    if "r" in packed:
        packed["r"] = [_whole_id(message_id) for message_id in packed["r"]]
    if "u" in packed:
        packed["u"] = _USAGE.unpack(packed["u"])
    if "p" in packed:
        packed["p"] = _VERSION.unpack({code: _whole_id(each) for code, each in packed["p"].items()})
    return _MESSAGE.unpack(packed)


def first_seq(item: Item) -> int:
    """Return the seq of the first entry in an item of a session's log."""
    return int(item["SK"]["S"][len(FIRST_ENTRY) :])


def pack_head(session: Session) -> bytes:
    """Pack the head of a session, without its id, which the item's key implies."""
    return _pack(_SESSION.pack(session))


def head_of(item: Item) -> Session:
    """Unpack the head in an item."""
    packed = _unpack(item["b"]["B"])
    packed["session_id"] = session_of(item["PK"]["S"])
    return _SESSION.unpack(packed)
