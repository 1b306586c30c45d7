"""Hints as bytes, from one process to the others.

JSON arrays: `[publisher, number, businessId, userId, kind, body]`. `number` counts what a publisher
has sent to one channel, from 1. A kind that is not known is of a later version, and ignored.
"""

from collections.abc import Callable
from typing import Annotated, NamedTuple

import msgspec

from application.ports import (
    AnswerRequested,
    AnswerSoFar,
    Appended,
    CustomerErased,
    Delta,
    Grown,
    Hint,
    QueuePlace,
    StopRequested,
    Typing,
)
from domain.identity import BusinessId, Customer, SessionId, UserId
from domain.message import Entry, Message, StatusChange

MAX_ENTRIES_BYTES = 16 * 1024
"""Entries that are larger are not sent: who needs them reads the store."""
MAX_NODE_NAME = 300
"""The longest name of a node, which may hold a host's name (at most 253)."""


class Envelope(msgspec.Struct, array_like=True, frozen=True):
    """A hint and its origin; the body is decoded only where it is needed."""

    publisher: Annotated[str, msgspec.Meta(max_length=MAX_NODE_NAME)]
    number: int
    business_id: str
    user_id: str
    kind: str
    body: msgspec.Raw

    @property
    def customer(self) -> Customer:
        """The customer whom it is about."""
        return Customer(BusinessId(self.business_id), UserId(self.user_id))


class _Appended(NamedTuple):
    session_id: str
    messages: list[Message]
    changes: list[StatusChange]


_encoder = msgspec.json.Encoder()
_encode = _encoder.encode
decode_envelope: Callable[[bytes], Envelope] = msgspec.json.Decoder(Envelope).decode
"""Decode what `encode_envelope` returned. Raises: msgspec.MsgspecError."""
_decode_appended = msgspec.json.Decoder(_Appended).decode


def encode_envelope(
    publisher: str, number: int, customer: Customer, kind: str, body: bytes
) -> bytes:
    """Return a hint as it is sent; `kind` and `body`: as `encode_hint` returns them."""
    return _encode((publisher, number, *customer, kind, msgspec.Raw(body)))


def encode_hint(hint: Hint) -> tuple[str, bytes]:
    """Return the kind and the body of a hint. Raises: TypeError."""
    if isinstance(hint, Appended):
        body = _encode_appended(hint)
        if len(body) <= MAX_ENTRIES_BYTES:
            return "appended", body
        hint = Grown(hint.session_id, hint.entries[-1].seq)
    kind = _KINDS[type(hint)]
    return kind, _encode(hint)


def _encode_appended(hint: Appended) -> bytes:
    messages = [entry for entry in hint.entries if isinstance(entry, Message)]
    changes = [entry for entry in hint.entries if isinstance(entry, StatusChange)]
    return _encode(_Appended(hint.session_id, messages, changes))


def decode_hint(envelope: Envelope) -> Hint | None:
    """Return the hint of an envelope; None: its kind is not known.

    Raises: msgspec.MsgspecError, ValueError.
    """
    decode = _DECODERS.get(envelope.kind)
    return decode(envelope.body) if decode is not None else None


def _appended(body: msgspec.Raw) -> Appended:
    session_id, messages, changes = _decode_appended(body)
    entries: list[Entry] = sorted([*messages, *changes], key=lambda entry: entry.seq)
    if not entries:
        raise ValueError("no entries")
    return Appended(SessionId(session_id), tuple(entries))


_KINDS: dict[type, str] = {
    Grown: "grown",
    Delta: "delta",
    AnswerSoFar: "so_far",
    AnswerRequested: "answer_requested",
    StopRequested: "stop_requested",
    Typing: "typing",
    QueuePlace: "queue",
    CustomerErased: "erased",
}
_DECODERS: dict[str, Callable[[msgspec.Raw], Hint]] = {
    "appended": _appended,
    **{kind: msgspec.json.Decoder(hint).decode for hint, kind in _KINDS.items()},
}
