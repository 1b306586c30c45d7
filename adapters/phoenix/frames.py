"""The frame of Phoenix Channels, and its two encodings (V1, V2).

Source: phoenix `lib/phoenix/socket/serializers/v1_json_serializer.ex` and `v2_json_serializer.ex`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from adapters.json_text import decode_json

JOIN = "phx_join"
LEAVE = "phx_leave"
REPLY = "phx_reply"
CLOSE = "phx_close"
ERROR = "phx_error"
HEARTBEAT = "heartbeat"
PHOENIX_TOPIC = "phoenix"


class MalformedFrame(ValueError):
    """The peer sent no frame of the negotiated version; its socket is closed with 1011."""


class UnencodablePayload(ValueError):
    """A payload to be sent cannot be encoded (half a surrogate pair), or is no JSON object."""


class Frame(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A frame in the order of V2: `[join_ref, ref, topic, event, payload]`.

    Refs are opaque JSON values that are echoed with their type. Topic and event are strings in
    every valid frame, but a client may send any JSON value. The payload of a binary V2 message is
    bytes, that of any other a JSON value.
    """

    join_ref: Any
    ref: Any
    topic: Any
    event: Any
    payload: Any


class _V1Frame(msgspec.Struct, frozen=True, gc=False):
    topic: Any
    event: Any
    payload: Any
    # Deviation on purpose: Phoenix requires the key; the clients of this server leave it out.
    ref: Any = None
    join_ref: Any = None


class _V1Output(msgspec.Struct, frozen=True, gc=False):
    # Without a `join_ref` key: it crashed a Java client (phoenix#2583).
    event: Any
    payload: Any
    ref: Any
    topic: Any


_encoder = msgspec.json.Encoder()
_ordered_encoder = msgspec.json.Encoder(order="deterministic")
_v2_decoder = msgspec.json.Decoder(Frame)
_v1_decoder = msgspec.json.Decoder(_V1Frame)
_BINARY_HEADER = 5
"""The bytes before the fields of a binary push."""
_NOT_JSON = (ValueError, RecursionError)
_UNENCODABLE = (ValueError, TypeError, OverflowError, RecursionError)


def _decode_v2(data: str | bytes) -> Frame:
    if not isinstance(data, str):
        return _decode_binary(data)
    try:
        return decode_json(_v2_decoder.decode, data)
    except _NOT_JSON as error:
        raise MalformedFrame(str(error)) from error


def _decode_binary(data: bytes) -> Frame:
    """Decode a push: its kind (0), four lengths, the four fields, and the payload."""
    if data[:1] != b"\x00" or len(data) < _BINARY_HEADER:
        raise MalformedFrame("a client's binary frame is a push")
    fields, start = [], _BINARY_HEADER
    for size in data[1:_BINARY_HEADER]:
        fields.append(data[start : start + size])
        start += size
    if start > len(data):
        raise MalformedFrame("a binary frame is shorter than its header says")
    try:
        # Refs that were left out are empty strings here, never null: so an empty join_ref is stale.
        join_ref, ref, topic, event = (field.decode() for field in fields)
    except UnicodeDecodeError as error:
        raise MalformedFrame(str(error)) from error
    return Frame(join_ref, ref, topic, event, data[start:])


def _decode_v1(data: str | bytes) -> Frame:
    try:
        # V1 ignores the opcode: JSON in a binary frame is fine.
        frame = decode_json(_v1_decoder.decode, data)
    except _NOT_JSON as error:
        raise MalformedFrame(str(error)) from error
    return Frame(frame.join_ref, frame.ref, frame.topic, frame.event, frame.payload)


def _encode_v2(frame: Frame) -> str:
    try:
        return _encoder.encode(frame).decode()
    except _UNENCODABLE as error:
        raise UnencodablePayload(str(error)) from error


def _encode_v1(frame: Frame) -> str:
    output = _V1Output(frame.event, frame.payload, frame.ref, frame.topic)
    try:
        return _encoder.encode(output).decode()
    except _UNENCODABLE as error:
        raise UnencodablePayload(str(error)) from error


@dataclass(frozen=True, slots=True)
class Serializer:
    """The encoding of one protocol version."""

    version: int
    decode: Callable[[str | bytes], Frame]
    """Text or binary message → frame. Raises: MalformedFrame."""
    encode: Callable[[Frame], str]
    """Frame → text message, without spaces. Raises: UnencodablePayload."""


V1 = Serializer(1, _decode_v1, _encode_v1)
V2 = Serializer(2, _decode_v2, _encode_v2)

_RELEASE = re.compile(r"([12])\.0\.(?:0|[1-9][0-9]*)")


def serializer_for(vsn: str | None) -> Serializer | None:
    """Return the serializer for the query parameter `vsn`; None: refuse the upgrade with 403.

    Absent means 1.0.0. Only `~> 1.0.0` and `~> 2.0.0`, as full SemVer without pre-release.
    """
    if vsn is None:
        return V1
    match = _RELEASE.fullmatch(vsn)
    if match is None:
        return None
    return V1 if match[1] == "1" else V2


def same_ref(left: Any, right: Any) -> bool:
    """Compare two refs as Elixir's `===` compares JSON values: 1 equals neither "1" nor 1.0."""
    if type(left) is not type(right):
        return False
    if not isinstance(left, dict | list):
        return bool(left == right)
    return _ordered_encoder.encode(left) == _ordered_encoder.encode(right)
