"""The frames of RFC 6455, in every cut."""

import time
from collections.abc import Iterable

import pytest
from websockets.frames import Frame, Opcode

from adapters.phoenix.websocket import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    Close,
    FrameReader,
    Ping,
    Violation,
    close_frame,
    control_frame,
    text_frame,
    unmasked,
)
from tests.support.rfc6455 import (
    MAX_BYTES,
    SMALL,
    Case,
    cases,
    client_frame,
    fragments,
    server_frame,
)


def answer(pieces: Iterable[bytes]) -> bytes:
    """Return what a server that repeats each message sends, until it closes."""
    reader, sent = FrameReader(MAX_BYTES), b""
    for piece in pieces:
        for received in reader.feed(piece):
            match received:
                case str():
                    sent += text_frame(received)
                case bytes():
                    sent += server_frame(BINARY, received)
                case Ping(payload):
                    sent += control_frame(PONG, payload)
                case Close(_, payload):
                    sent += control_frame(CLOSE, payload)
                case Violation(code):
                    sent += close_frame(code)
    return sent


ALL = list(cases())


@pytest.mark.parametrize("case", ALL, ids=str)
def test_rfc_6455(case: Case) -> None:
    assert answer([case.sent]) == case.answer


@pytest.mark.parametrize("case", [case for case in ALL if len(case.sent) <= SMALL], ids=str)
def test_rfc_6455_cut_anywhere(case: Case) -> None:
    sent = case.sent

    assert answer(bytes([byte]) for byte in sent) == case.answer
    for first in range(len(sent) + 1):
        for second in range(first, len(sent) + 1):
            assert answer([sent[:first], sent[first:second], sent[second:]]) == case.answer


@pytest.mark.parametrize("case", [case for case in ALL if len(case.sent) > SMALL], ids=str)
@pytest.mark.parametrize("size", [1, 7, 4_096])
def test_rfc_6455_in_pieces(case: Case, size: int) -> None:
    pieces = [case.sent[at : at + size] for at in range(0, len(case.sent), size)]

    assert answer(pieces) == case.answer


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_a_text_frame_is_the_one_of_the_library(size: int) -> None:
    text = "x" * size

    assert text_frame(text) == Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 1_000])
def test_a_mask_goes_over_the_payload_again_and_again(size: int) -> None:
    key = b"\x00\xff\x01\x80"
    payload = bytes(range(256)) * 4

    masked = bytes(byte ^ key[at % 4] for at, byte in enumerate(payload[:size]))

    assert unmasked(masked, key) == payload[:size]


# Bounds.


def test_a_frame_costs_one_credit_and_one_more_for_each_4_kib() -> None:
    reader = FrameReader(MAX_BYTES)

    costs = []
    for payload in (b"", b"x" * 4_095, b"x" * 4_096, b"x" * MAX_BYTES):
        reader.feed(client_frame(TEXT, payload))
        costs.append(reader.cost)
    reader.feed(client_frame(PING) + client_frame(PONG) + fragments(TEXT, [b"a", b"", b"b"]))

    assert costs == [1, 1, 2, 17]
    assert reader.cost == 5


def test_a_part_of_a_frame_costs_nothing_until_it_is_whole() -> None:
    reader, frame = FrameReader(MAX_BYTES), client_frame(TEXT, b"hello")

    assert (reader.feed(frame[:-1]), reader.cost) == ((), 0) or reader.cost == 0
    assert (reader.feed(frame[-1:]), reader.cost) == (["hello"], 1)


def test_what_is_unfinished_is_counted_and_never_more_than_two_messages() -> None:
    reader = FrameReader(MAX_BYTES)
    reader.feed(client_frame(TEXT, b"x" * 60_000, fin=False))
    reader.feed(client_frame(0, b"x" * 5_536, fin=False)[:3_000])

    assert reader.unfinished_bytes == 60_000 + 3_000
    assert reader.feed(client_frame(0, b"")) or reader.unfinished_bytes <= 2 * MAX_BYTES + 14


def test_fragments_of_nothing_hold_nothing() -> None:
    reader = FrameReader(MAX_BYTES)
    reader.feed(client_frame(TEXT, b"", fin=False))
    for _ in range(1_000):
        reader.feed(client_frame(0, b"", fin=False))

    assert reader.unfinished_bytes == 0
    assert list(reader.feed(client_frame(0, b"end"))) == ["end"]


def test_after_the_end_nothing_is_kept() -> None:
    reader = FrameReader(MAX_BYTES)
    reader.feed(client_frame(TEXT, b"x" * 1_000, fin=False) + client_frame(CLOSE) + b"x" * 1_000)
    reader.feed(b"x" * 1_000)

    assert reader.has_ended
    assert (reader.unfinished_bytes, reader.cost) == (0, 0)


def test_a_frame_byte_by_byte_takes_time_in_proportion_to_its_size() -> None:
    def seconds(size: int) -> float:
        frame = client_frame(TEXT, b"x" * size)
        best = float("inf")
        for _ in range(5):
            reader, began = FrameReader(MAX_BYTES), time.process_time()
            for byte in frame:
                reader.feed(bytes((byte,)))
            best = min(best, time.process_time() - began)
        return best

    # Were it quadratic, eight times the bytes would take 64 times as long.
    assert seconds(64_000) < 24 * seconds(8_000)
