"""What is in the table: its keys, and the domain's values as attributes. Pure.

An attribute is a dictionary of its type and its value, as DynamoDB's API has it:
`{"S": "text"}`, `{"N": "12"}`, `{"B": b"..."}`, `{"BOOL": True}`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast
from zlib import crc32

import msgspec
from msgspec.structs import fields

from domain.identity import Customer, SessionId
from domain.message import Entry, Message, StatusChange
from domain.session import Session
from domain.usage import Usage

T = TypeVar("T")
Item = dict[str, Any]

HEAD = "~"
"""Sort key of a session's head: it sorts behind all its entries."""
FIRST_ENTRY = "M#"
"""All sort keys of entries are behind this, and those of further notices before it."""
LAST_SEQ = 10**10 - 1
"""The highest seq that a sort key can tell."""
MARGIN_S = 7 * 24 * 3600
"""So much later is deleted what is not shown any more: by the item of the newest seq is known what
that is, until the sweep has closed the session, which writes it to the head."""
NEVER = 10**18
"""A time in milliseconds for what will not be."""
OPEN = "OPEN"
"""Sort key of what says which session is a customer's newest."""
SHARDS = 4
"""Over so many partitions each index spreads what would else be in one."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_LAST_MS = 10**13 - 1
"""In the year 2286: the last time that thirteen digits can tell."""


def session_pk(session_id: str) -> str:
    """The partition of a session: its head, entries and notices."""
    return f"S#{session_id}"


def customer_pk(customer: Customer) -> str:
    """The partition of a customer: the sessions and the idempotency keys."""
    return f"U#{customer.business_id}#{customer.user_id}"


def session_of(pk: str) -> SessionId:
    """The session whose partition it is."""
    return SessionId(pk[2:])


def entry_sk(seq: int) -> str:
    """Sort key of the entries of one draft, the first of which is `seq`."""
    return f"M#{seq:010d}"


def notice_sk(position: int) -> str:
    """Sort key of a notice that is not on its draft's item."""
    return f"A#{position:012d}"


def pointer_sk(session: Session) -> str:
    """Sort key of a session in its customer's partition."""
    return f"S#{stamp(ms(session.opened_at))}#{session.session_id}"


def key_sk(key: str) -> str:
    """Sort key of an idempotency key in its customer's partition."""
    return f"I#{key}"


def key(pk: str, sk: str) -> Item:
    """The primary key of an item."""
    return {"PK": {"S": pk}, "SK": {"S": sk}}


def shard(session_id: str) -> int:
    """Which of an index's partitions a session is in: always the same."""
    return crc32(session_id.encode()) % SHARDS


def ms(at: datetime) -> int:
    """Milliseconds since 1970."""
    return round((at - _EPOCH) / _MS)


def moment(milliseconds: int) -> datetime:
    """The inverse of `ms`."""
    return _EPOCH + milliseconds * _MS


def stamp(milliseconds: int) -> str:
    """A time as part of a sort key: thirteen digits, which sort as the times do."""
    return f"{min(max(milliseconds, 0), _LAST_MS):013d}"


def number(value: int) -> dict[str, str]:
    """A number as an attribute."""
    return {"N": str(value)}


def due_slot(session_id: str, due: int) -> Item:
    """What has an item found when the session is due; nothing for NEVER."""
    if due == NEVER:
        return {}
    return {"wP": {"S": str(shard(session_id))}, "wS": {"S": f"{stamp(due)}#{session_id}"}}


def recency_slot(session: Session) -> dict[str, str]:
    """A head's place in the listings."""
    return {"S": f"{stamp(ms(session.updated_at))}#{session.session_id}"}


def stamped(slot: dict[str, str]) -> int:
    """The time that a slot begins with."""
    return int(slot["S"][:13])


def status_partition(status: str, of_shard: int) -> str:
    """Partition of the index `by_status`."""
    return f"{status}#{of_shard}"


def business_partition(business_id: str, status: str, of_shard: int) -> str:
    """Partition of the index `by_business`."""
    return f"{business_id}#{status}#{of_shard}"


def head_item(session: Session, due: int) -> Item:
    """The head of a session: with its places in the listings, and its slot in the index `due`."""
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


# An item of up to 1 KB is written for one unit, and twenty of 200 bytes are read for one: names are
# short, ids that are hexadecimal are half as long, and what has its default is left out. What is
# read may be from a later version or an earlier one: unknown fields are ignored, and missing ones
# have their default.
_MESSAGE = {
    "message_id": "i",
    "author": "a",
    "text": "t",
    "at": "w",
    "actions": "x",
    "in_reply_to": "r",
    "answers": "n",
    "failed": "f",
    "coordinator_id": "c",
    "tools": "o",
    "usage": "u",
    "digest": "g",
}
_USAGE = {
    "model": "m",
    "input_tokens": "i",
    "cached_tokens": "c",
    "output_tokens": "o",
    "calls": "n",
}
_CHANGE = {
    "status": "s",
    "epoch": "e",
    "reason": "y",
    "at": "w",
    "transfer": "h",
    "summary": "u",
}
_SESSION = {
    "customer": "c",
    "location_id": "l",
    "opened_at": "o",
    "updated_at": "w",
    "status": "s",
    "reason": "y",
    "epoch": "e",
    "seq": "q",
    "asked": "k",
    "answered": "n",
    "failures": "f",
    "transfer": "h",
    "summary": "u",
    "digest": "g",
    "usage": "z",
}
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(dict[str, Any]).decode
_unpack_all = msgspec.msgpack.Decoder(list[dict[str, Any]]).decode
_is_hex = re.compile(r"(?:[0-9a-f]{2}){8,64}").fullmatch


def _short_id(value: str) -> str | bytes:
    return bytes.fromhex(value) if _is_hex(value) else value


def _whole_id(value: str | bytes) -> str:
    return value.hex() if isinstance(value, bytes) else value


def _packer(
    cls: type[T], codes: Mapping[str, str], implied: str = ""
) -> Callable[[T], dict[str, Any]]:
    """What packs a value; its field `implied` follows from the key of the item."""
    plan = [
        (field.name, codes.get(field.encode_name, field.encode_name), field.default)
        for field in fields(cast(Any, cls))
        if field.name != implied
    ]
    return lambda value: {
        code: held
        for name, code, default in plan
        if (held := getattr(value, name)) is not default and held != default
    }


def _unpacker(cls: type[T], codes: Mapping[str, str]) -> Callable[[Mapping[str, Any]], T]:
    names = {code: name for name, code in codes.items()}
    return lambda packed: msgspec.convert(
        {names.get(code, code): held for code, held in packed.items()}, cls
    )


_packed_message = _packer(Message, _MESSAGE, "seq")
_packed_change = _packer(StatusChange, _CHANGE, "seq")
_packed_usage = _packer(Usage, _USAGE)
_packed_session = _packer(Session, _SESSION, "session_id")
_message = _unpacker(Message, _MESSAGE)
_change = _unpacker(StatusChange, _CHANGE)
_usage = _unpacker(Usage, _USAGE)
_session = _unpacker(Session, _SESSION)


def pack_entries(entries: Sequence[Entry]) -> bytes:
    """The entries of a draft; their seqs are not in it, they follow from the item's key."""
    return _pack([_packed(entry) for entry in entries])


def _packed(entry: Entry) -> dict[str, Any]:
    if not isinstance(entry, Message):
        return _packed_change(entry)
    packed = _packed_message(entry)
    packed["i"] = _short_id(entry.message_id)
    if entry.in_reply_to:
        packed["r"] = [_short_id(message_id) for message_id in entry.in_reply_to]
    if entry.usage is not None:
        packed["u"] = _packed_usage(entry.usage)
    return packed


def entries_of(item: Item) -> list[Entry]:
    """The entries in an item of a session's log, oldest first."""
    packed = _unpack_all(item["b"]["B"])
    return [_entry(each, seq) for seq, each in enumerate(packed, first_seq(item))]


def _entry(packed: dict[str, Any], seq: int) -> Entry:
    packed["seq"] = seq
    if "s" in packed:
        return _change(packed)
    packed["i"] = _whole_id(packed["i"])
    if "r" in packed:
        packed["r"] = [_whole_id(message_id) for message_id in packed["r"]]
    if "u" in packed:
        packed["u"] = _usage(packed["u"])
    return _message(packed)


def first_seq(item: Item) -> int:
    """The seq of the first entry in an item of a session's log."""
    return int(item["SK"]["S"][len(FIRST_ENTRY) :])


def pack_head(session: Session) -> bytes:
    """The head of a session; its id is not in it, it follows from the item's key."""
    return _pack(_packed_session(session))


def head_of(item: Item) -> Session:
    """The head in an item."""
    packed = _unpack(item["b"]["B"])
    packed["session_id"] = session_of(item["PK"]["S"])
    return _session(packed)
