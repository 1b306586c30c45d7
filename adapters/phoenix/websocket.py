"""WebSocket frames, without I/O: those of a client are read, in whatever pieces they come.

Written to be held against RFC 6455, whose sections the comments name. Extensions are not offered,
so every reserved bit is an error. A byte is copied a fixed number of times, however it arrives, and
no more is kept than one message of the largest size, and the frame that is under way.
"""

from collections.abc import Sequence
from typing import NamedTuple

# Opcodes (section 5.2; the others are reserved).
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

# Close codes (section 7.4.1, and its IANA registry).
PROTOCOL_ERROR = 1002
NO_STATUS = 1005
INVALID_DATA = 1007
POLICY_VIOLATION = 1008
MESSAGE_TOO_BIG = 1009
INTERNAL_ERROR = 1011
SERVICE_RESTART = 1012
TRY_AGAIN_LATER = 1013

MAX_CONTROL_BYTES = 125
"""The payload of a control frame (section 5.5)."""
CREDIT_BITS = 12
"""A frame costs one credit of its socket's budget, and one more for each 4 KiB (1 << 12)."""

_SENDABLE = frozenset({1000, 1001, 1002, 1003, *range(1007, 1015)})
"""The codes below 3000 that a close frame may carry."""


class Ping(NamedTuple):
    """A ping; a pong with the same payload is due (section 5.5.2)."""

    payload: bytes


class Close(NamedTuple):
    """The client's close frame. `payload` is echoed in the answer (section 5.5.1)."""

    code: int
    """`NO_STATUS` if it carries none."""
    payload: bytes


class Violation(NamedTuple):
    """The client broke the protocol: fail the connection with this code (section 7.1.7)."""

    code: int


Received = str | bytes | Ping | Close | Violation
"""What a client sent: the text (str) or the bytes of a message, or what a frame asks for."""


class FrameReader:
    """Reads the frames of one client. After a `Close` or a `Violation` it reads nothing more."""

    __slots__ = ("_is_text", "_max_bytes", "_message", "_needed", "_rest", "cost", "has_ended")

    def __init__(self, max_bytes: int) -> None:
        """`max_bytes`: the size of a message, whole or in fragments."""
        self._max_bytes = max_bytes
        self._message: bytearray | None = None
        """The fragments of an unfinished message."""
        self._is_text = False
        self._rest: bytearray | None = None
        """The beginning of a frame."""
        self._needed = 0
        """How long `_rest` must be before it is looked at again."""
        self.cost = 0
        """The credits of the frames that the last `feed` completed."""
        self.has_ended = False

    @property
    def unfinished_bytes(self) -> int:
        """The bytes that are kept of an unfinished frame and message."""
        return len(self._rest or b"") + len(self._message or b"")

    def feed(self, data: bytes) -> Sequence[Received]:
        """Return what these bytes complete, in order; the cost is in `cost`."""
        self.cost = 0
        if self.has_ended:
            return ()
        if self._rest is not None:
            self._rest += data
            if len(self._rest) < self._needed:
                return ()
            data = bytes(self._rest)
        received: list[Received] = []
        at = self._read(data, received)
        self._rest = bytearray(data[at:]) if at < len(data) and not self.has_ended else None
        if self.has_ended:
            self._message = None
        return received

    def _read(self, data: bytes, received: list[Received]) -> int:
        """Read whole frames; return where the first unfinished one begins."""
        at, end = 0, len(data)
        while not self.has_ended:
            # Section 5.2: two bytes, the extended length, the masking key, the payload.
            start = at + 6
            if end < start:  # no frame of a client is shorter
                if end - at >= 2 and self._is_wrong(data[at], data[at + 1]):
                    self._end(received, Violation(PROTOCOL_ERROR))
                self._needed = 2 if end - at < 2 else 6
                break
            first, second = data[at], data[at + 1]
            if self._is_wrong(first, second):
                self._end(received, Violation(PROTOCOL_ERROR))
                break
            length = second & 0x7F
            if length >= 126:
                # A length that would fit into fewer bytes is taken, as by the usual libraries.
                extended = 2 if length == 126 else 8
                start += extended
                if end < start:
                    self._needed = start - at
                    break
                length = int.from_bytes(data[at + 2 : at + 2 + extended])
            if first & 0x08:
                if length > MAX_CONTROL_BYTES:  # 5.5
                    self._end(received, Violation(PROTOCOL_ERROR))
                    break
            elif length + len(self._message or b"") > self._max_bytes:
                self._end(received, Violation(MESSAGE_TOO_BIG))
                break
            stop = start + length
            if end < stop:
                self._needed = stop - at
                break
            self.cost += 1 + (length >> CREDIT_BITS)
            self._take(first, unmasked(data[start:stop], data[start - 4 : start]), received)
            at = stop
        return at

    def _is_wrong(self, first: int, second: int) -> bool:
        """Return True if no frame may begin with these bytes."""
        opcode = first & 0x0F
        if first & 0x70 or not second & 0x80:
            return True  # 5.2: a reserved bit without an extension; 5.1: not masked
        if opcode in (PING, PONG, CLOSE):  # 5.5: not fragmented
            return not first & 0x80
        if opcode in (TEXT, BINARY):  # 5.4: no message begins within another one
            return self._message is not None
        return opcode != CONTINUATION or self._message is None

    def _take(self, first: int, payload: bytes, received: list[Received]) -> None:
        opcode, is_final = first & 0x0F, first & 0x80
        if opcode == PING:
            received.append(Ping(payload))
        elif opcode == CLOSE:
            self._end(received, _close(payload))
        elif opcode != PONG:  # 5.5.3: an unsolicited pong needs no answer
            if opcode != CONTINUATION:
                self._is_text = opcode == TEXT
            if not is_final:
                if self._message is None:
                    self._message = bytearray()
                self._message += payload
                return
            if opcode == CONTINUATION and self._message is not None:
                payload = bytes(self._message + payload)
                self._message = None
            self._finish(payload, received)

    def _finish(self, payload: bytes, received: list[Received]) -> None:
        if not self._is_text:
            received.append(payload)
            return
        try:
            received.append(payload.decode())
        except UnicodeDecodeError:  # 8.1
            self._end(received, Violation(INVALID_DATA))

    def _end(self, received: list[Received], last: Close | Violation) -> None:
        received.append(last)
        self.has_ended = True


def _close(payload: bytes) -> Close | Violation:
    """Return what a close frame says (sections 5.5.1 and 7.4)."""
    if not payload:
        return Close(NO_STATUS, payload)
    code = int.from_bytes(payload[:2])
    try:
        payload[2:].decode()
    except UnicodeDecodeError:  # 8.1
        return Violation(INVALID_DATA)
    if len(payload) < 2 or not (code in _SENDABLE or 3000 <= code < 5000):
        return Violation(PROTOCOL_ERROR)
    return Close(code, payload)


def unmasked(payload: bytes, key: bytes) -> bytes:
    """Return a payload without its mask (section 5.3): byte i is XORed with byte i mod 4."""
    size = len(payload)
    mask = (key * (size // 4 + 1))[:size]
    plain = int.from_bytes(payload, "little") ^ int.from_bytes(mask, "little")
    return plain.to_bytes(size, "little")


def text_frame(text: str) -> bytes:
    """Return a message as one unmasked frame (sections 5.1, 5.2 and 5.6)."""
    payload = text.encode()
    size = len(payload)
    if size < 126:
        return bytes((0x80 | TEXT, size)) + payload
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


def control_frame(opcode: int, payload: bytes) -> bytes:
    """Return a close, ping or pong; `payload` has at most 125 bytes."""
    return bytes((0x80 | opcode, len(payload))) + payload


def close_frame(code: int) -> bytes:
    """Return a close frame without a reason (section 5.5.1)."""
    return control_frame(CLOSE, code.to_bytes(2, "big"))
