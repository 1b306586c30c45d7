"""The frames of a hostile client, read as `websockets` reads them.

`python -m tests.unit.phoenix.test_websocket_fuzz INPUTS SEED` tries as many inputs, without
Hypothesis and what it costs (`make fuzz-socket`: a million).
"""

import sys
from collections.abc import Iterator
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import PayloadTooBig
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN, SERVER, Protocol

from adapters.phoenix.websocket import (
    INVALID_DATA,
    MESSAGE_TOO_BIG,
    NO_STATUS,
    PROTOCOL_ERROR,
    Close,
    FrameReader,
    Ping,
    Received,
    Violation,
)

INPUTS = 1_000
MAX_SEED_BYTES = 120
UNDECIDED = Violation(0)
"""The library counts a small frame as too much for the message that it comes within, also if it is
a control frame, which is no part of it."""
MAX_BYTES = 4_096
TEXTS = [
    *(b"a", b'["1","1","room:a","phx_join",{}]', "ș".encode(), "𝒜".encode(), b"", b"\xc8"),
    *(b"\x99", "𝒜".encode()[:3], b"\x9c", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf"),
]
"""Texts, and parts of texts that are good or bad together."""
CODES = [1000, 1001, 1004, 1005, 1006, 1007, 1014, 1015, 2999, 3000, 4999, 5000, 0, 65_535]
HEADS = [0x81, 0x81, 0x81, 0x82, 0x01, 0x01, 0x02, 0x00, 0x00, 0x80, 0x80, 0x80, 0x89, 0x8A, 0x88]
KEY = b"\x37\xfa\x21\x3d"


class Dice(Iterator[int]):
    """The bytes of an input, and zeros after them."""

    def __init__(self, data: bytes) -> None:
        self._rest = iter(data)
        self.left = len(data)

    def __next__(self) -> int:
        self.left -= 1
        return next(self._rest, 0)


def frame(dice: Dice) -> bytes:
    """Return a frame, which is good in most cases."""
    kind = next(dice)
    if kind >= 250:  # anything
        return bytes(next(dice) for _ in range(kind - 249))
    head = HEADS[kind % len(HEADS)] if kind < 240 else next(dice)
    payload = _payload(dice, head)
    size, form, mask = len(payload), next(dice), 0x80 if next(dice) < 250 else 0
    if form < 230 and size < 126:
        length = bytes([mask | size])
    elif form < 244 and size < 65_536:
        length = bytes([mask | 126]) + size.to_bytes(2, "big")
    elif form < 252:
        length = bytes([mask | 127]) + size.to_bytes(8, "big")
    else:  # more than comes
        length = bytes([mask | 127, *(next(dice) for _ in range(8))])
    masked = bytes(byte ^ KEY[at % 4] for at, byte in enumerate(payload))
    return bytes([head]) + length + (KEY + masked if mask else payload)


def _payload(dice: Dice, head: int) -> bytes:
    if head & 0x0F == 8:
        code = CODES[next(dice) % len(CODES)].to_bytes(2, "big")
        return (b"", b"\x03", code, code + TEXTS[next(dice) % len(TEXTS)])[next(dice) % 4]
    repeat = next(dice)
    text = TEXTS[next(dice) % len(TEXTS)]
    return text * ((1, 2, 125, 126, 5_000)[repeat - 251] if repeat > 250 else repeat % 3)


def stream(dice: Dice) -> list[bytes]:
    """Return the pieces in which some frames come."""
    sizes = [1 + next(dice) % 32, 1 + next(dice), 1 + next(dice) * 16]
    data = bytearray()
    while dice.left > 0:
        data += frame(dice)
    pieces: list[bytes] = []
    at = 0
    while at < len(data):
        size = sizes[len(pieces) % 3]
        pieces.append(bytes(data[at : at + size]))
        at += size
    return pieces


def ours(pieces: list[bytes]) -> list[Received]:
    reader = FrameReader(MAX_BYTES)
    received: list[Received] = []
    for piece in pieces:
        received += reader.feed(piece)
        assert reader.unfinished_bytes <= 2 * MAX_BYTES + 14
    return received


def theirs(data: bytes, *, is_failing: bool) -> list[Received]:
    """Return what `websockets` makes of it, and uvicorn of that.

    `is_failing`: a frame that never ends is ended, since the library looks at it only then.
    """
    protocol = Protocol(SERVER, state=OPEN, max_size=MAX_BYTES)
    protocol.receive_data(data)
    if is_failing and protocol.parser_exc is None:
        protocol.receive_data(bytes(2 * MAX_BYTES))
    received: list[Received] = []
    message, is_text = b"", False
    for event in protocol.events_received():
        assert isinstance(event, Frame)
        payload = bytes(event.data)
        if event.opcode is Opcode.PING:
            received.append(Ping(payload))
        elif event.opcode is Opcode.CLOSE:
            received.append(Close(int.from_bytes(payload[:2]) if payload else NO_STATUS, payload))
        elif event.opcode is not Opcode.PONG:
            if event.opcode is not Opcode.CONT:
                message, is_text = b"", event.opcode is Opcode.TEXT
            message += payload
            if event.fin:
                try:
                    received.append(message.decode() if is_text else message)
                except UnicodeDecodeError:
                    return [*received, Violation(INVALID_DATA)]
    error = protocol.parser_exc
    if isinstance(error, PayloadTooBig) and error.size is not None and error.size <= 125:
        received.append(UNDECIDED)
    elif error is not None:
        assert protocol.close_sent is not None
        received.append(Violation(protocol.close_sent.code))
    return received


def agree(mine: list[Received], library: list[Received]) -> bool:
    """Return True if both read the same, or differ where the standard lets ours."""
    if mine == library:
        return True
    if library and library[-1] == UNDECIDED:
        return mine[: len(library) - 1] == library[:-1]
    if mine[:-1] != library[:-1] or not mine or not library:
        return False
    ends = mine[-1], library[-1]
    if isinstance(ends[0], Violation) and isinstance(ends[1], Violation):
        # A frame that is wrong in two ways: what ours sees first is in its first two bytes.
        return (ends[0].code, ends[1].code) == (PROTOCOL_ERROR, MESSAGE_TOO_BIG)
    # RFC 6455, section 5.4: a close within a message is a close; the library fails.
    return isinstance(ends[0], Close) and ends[1] == Violation(PROTOCOL_ERROR)


def check(seed: bytes) -> None:
    pieces = stream(Dice(seed))
    data = b"".join(pieces)

    mine = ours(pieces)

    assert mine == ours([data])
    is_failing = bool(mine) and isinstance(mine[-1], Violation)
    assert agree(mine, theirs(data, is_failing=is_failing)), seed


@given(st.binary(max_size=MAX_SEED_BYTES))
@settings(
    max_examples=INPUTS, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
def test_whatever_comes_in_whatever_pieces_is_read_as_by_the_library(seed: bytes) -> None:
    check(seed)


def main(inputs: str, seed: str = "0") -> None:
    """Check random inputs; a failure names its seed."""
    chance = Random(seed)
    for number in range(int(inputs)):
        check(chance.randbytes(chance.randrange(MAX_SEED_BYTES + 1)))
        if number % 100_000 == 99_999:
            print(f"{number + 1:,} inputs", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
