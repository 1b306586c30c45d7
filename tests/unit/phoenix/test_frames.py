"""The encoding of frames."""

from typing import Any

import msgspec
import pytest

from adapters.phoenix.frames import (
    V1,
    V2,
    Frame,
    MalformedFrame,
    Serializer,
    UnencodablePayload,
    same_ref,
    serializer_for,
)

FRAME = Frame("1", "2", "room:ă", "ping", {"x": [1, None, "é"], "y": 1.5})


def test_v2_is_an_array_of_five_without_spaces_or_escapes() -> None:
    text = V2.encode(FRAME)

    assert text == '["1","2","room:ă","ping",{"x":[1,null,"é"],"y":1.5}]'


def test_v1_is_an_object_that_never_has_a_join_ref() -> None:
    text = V1.encode(FRAME)

    expected = '{"event":"ping","payload":{"x":[1,null,"é"],"y":1.5},"ref":"2","topic":"room:ă"}'
    assert text == expected


def test_v2_ignores_elements_beyond_the_fifth() -> None:
    assert V2.decode('["1","2","t","e",{},"more"]') == Frame("1", "2", "t", "e", {})


@pytest.mark.parametrize(
    "message",
    ["", "hello", "null", "5", "{}", "[]", '[null,"1","t","e"]', "[" * 100_000, b"[]", b""],
    ids=lambda message: repr(message)[:20],
)
def test_v2_calls_anything_else_malformed(message: str | bytes) -> None:
    with pytest.raises(MalformedFrame):
        V2.decode(message)


PUSH = bytes.fromhex("0001010603 31 32 726f6f6d3a61 62696e 0102")


def test_v2_reads_a_binary_push_whose_payload_is_bytes() -> None:
    assert V2.decode(PUSH) == Frame("1", "2", "room:a", "bin", b"\x01\x02")


def test_the_lengths_of_a_binary_push_count_bytes_and_its_empty_refs_are_strings() -> None:
    topic = "cameră".encode()

    message = bytes([0, 0, 0, len(topic), 1]) + topic + b"e"

    assert V2.decode(message) == Frame("", "", "cameră", "e", b"")


@pytest.mark.parametrize("size", range(len(PUSH) - 2))
def test_v2_calls_a_truncated_binary_push_malformed(size: int) -> None:
    with pytest.raises(MalformedFrame):
        V2.decode(PUSH[:size])


@pytest.mark.parametrize(
    "message", [b"\x01" + PUSH[1:], b"\x02\x01\x01te", b"\x00\x00\x00\x01\x01\xffe", b'["1"]']
)
def test_v2_calls_other_kinds_and_fields_that_are_no_utf8_malformed(message: bytes) -> None:
    with pytest.raises(MalformedFrame):
        V2.decode(message)


@pytest.mark.parametrize(
    ("message", "frame"),
    [
        ('{"topic":"t","event":"e","payload":1,"ref":"2"}', Frame(None, "2", "t", "e", 1)),
        (b'{"topic":"t","event":"e","payload":1,"ref":0}', Frame(None, 0, "t", "e", 1)),
        ('{"topic":"t","event":"e","payload":1}', Frame(None, None, "t", "e", 1)),
        (
            '{"join_ref":"1","topic":"t","event":"e","payload":null,"ref":null,"more":1}',
            Frame("1", None, "t", "e", None),
        ),
    ],
    ids=["usual", "binary", "without ref", "with join_ref"],
)
def test_v1_reads_an_object_whatever_the_opcode(message: str | bytes, frame: Frame) -> None:
    assert V1.decode(message) == frame


@pytest.mark.parametrize("missing", ["topic", "event", "payload"])
def test_v1_calls_an_object_without_one_of_these_malformed(missing: str) -> None:
    keys = {"topic", "event", "payload"} - {missing}
    message = msgspec.json.encode(dict.fromkeys(keys, "")).decode()

    with pytest.raises(MalformedFrame):
        V1.decode(message)


@pytest.mark.parametrize("message", ["[]", '[null,"1","phoenix","heartbeat",{}]', b"\xff", "{"])
def test_v1_calls_anything_else_malformed(message: str | bytes) -> None:
    with pytest.raises(MalformedFrame):
        V1.decode(message)


@pytest.mark.parametrize("serializer", [V1, V2], ids=["v1", "v2"])
def test_a_lone_surrogate_cannot_stand_in_a_frame(serializer: Serializer) -> None:
    with pytest.raises(UnencodablePayload):
        serializer.encode(Frame(None, None, "t", "e", {"text": "\ud800"}))


@pytest.mark.parametrize(
    ("vsn", "serializer"),
    [
        (None, V1),
        ("1.0.0", V1),
        ("1.0.5", V1),
        ("2.0.0", V2),
        ("2.0.1", V2),
        ("2.0.10", V2),
        *[
            (refused, None)
            for refused in [
                "",
                "1",
                "2.0",
                "1.1.0",
                "2.1.0",
                "3.0.0",
                "02.0.0",
                "2.0.00",
                "2.0.0-rc1",
                "2.0.0+b",
                "v2.0.0",
                " 2.0.0",
                "2.0.0\n",
                "٢.0.0",
            ]
        ],
    ],
)
def test_a_version_is_1_0_x_or_2_0_x_and_by_default_the_first(
    vsn: str | None, serializer: Serializer | None
) -> None:
    assert serializer_for(vsn) is serializer


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("1", "1", True),
        (None, None, True),
        (0, 0, True),
        ("1", 1, False),
        (1, 1.0, False),
        (1, True, False),
        (None, "", False),
        ([1], [1], True),
        ([1], [1.0], False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": 1}, {"a": 2}, False),
    ],
)
def test_refs_are_the_same_as_json_values_of_one_type(left: Any, right: Any, same: bool) -> None:
    assert same_ref(left, right) is same
