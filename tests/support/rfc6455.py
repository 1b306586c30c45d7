"""What RFC 6455 demands of a server that repeats every message: bytes in, bytes out.

Each case names the section that it is from. Unless a case fails, a close with 1000 ends it, so that
whatever a server sends until it closes the connection is the answer.
"""

from collections.abc import Iterator
from typing import NamedTuple

from adapters.phoenix.websocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    INVALID_DATA,
    MESSAGE_TOO_BIG,
    PING,
    PONG,
    PROTOCOL_ERROR,
    TEXT,
    text_frame,
)

KEY = b"\x37\xfa\x21\x3d"
"""The masking key of the examples in section 5.7."""
MAX_BYTES = 65_536
"""The largest message of the server."""
SMALL = 28
"""The bytes of a case that is tried in every cut."""


class Case(NamedTuple):
    """What a client sends after the handshake, and what it gets until the connection ends."""

    section: str
    rule: str
    sent: bytes
    answer: bytes

    def __str__(self) -> str:
        return f"{self.section} {self.rule}"


def client_frame(
    opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, key: bytes | None = KEY
) -> bytes:
    """Return a frame as a client sends it; `key`: None does not mask it."""
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    size, mask = len(payload), 0 if key is None else 0x80
    if size < 126:
        head = bytes([first, mask | size])
    elif size < 65_536:
        head = bytes([first, mask | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([first, mask | 127]) + size.to_bytes(8, "big")
    if key is None:
        return head + payload
    return head + key + bytes(byte ^ key[at % 4] for at, byte in enumerate(payload))


def server_frame(opcode: int, payload: bytes = b"") -> bytes:
    """Return a frame as a server sends it."""
    return client_frame(opcode, payload, key=None)


def closing(code: int) -> bytes:
    """Return the payload of a close frame."""
    return code.to_bytes(2, "big")


def cases() -> Iterator[Case]:
    """Return all cases."""
    for section, rule, sent, answer in _good():
        end = client_frame(CLOSE, closing(1000))
        yield Case(section, rule, sent + end, answer + server_frame(CLOSE, closing(1000)))
    for section, rule, sent, answer in _closed():
        yield Case(section, rule, sent + _IGNORED, answer)
    for section, rule, code, sent in _bad():
        yield Case(section, rule, sent + _IGNORED, server_frame(CLOSE, closing(code)))


_HI = client_frame(TEXT, b"hi")
_IGNORED = _HI
"""What comes after the end: it is not repeated."""


def _good() -> Iterator[tuple[str, str, bytes, bytes]]:
    """Yield what is answered, and the connection goes on."""
    for size in (0, 1, 125, 126, 127, 65_535, MAX_BYTES):
        text, data = b"x" * size, bytes(range(256)) * 256
        yield "5.6", f"a text of {size}", client_frame(TEXT, text), server_frame(TEXT, text)
        data = data[:size]
        yield "5.6", f"{size} bytes", client_frame(BINARY, data), server_frame(BINARY, data)
    hello, masked = b"Hello", b"\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"
    yield "5.7", "a single-frame masked text", b"\x81\x85" + masked, server_frame(TEXT, hello)
    yield "5.7", "a masked ping", b"\x89\x85" + masked, b"\x8a\x05Hello"
    two = client_frame(TEXT, b"Hel", fin=False) + client_frame(CONTINUATION, b"lo")
    yield "5.7", "a fragmented text", two, server_frame(TEXT, hello)
    for key in (bytes(4), b"\xff\xff\xff\xff", b"\x00\x01\x02\x03"):
        sent = client_frame(TEXT, b"masked", key=key)
        yield "5.3", f"the key {key.hex()}", sent, server_frame(TEXT, b"masked")
    long = b"\x81\xfe\x00\x02" + bytes(4) + b"hi"
    yield "5.2", "a length of 7 bits in 16 is taken", long, server_frame(TEXT, b"hi")
    longer = b"\x81\xff" + (2).to_bytes(8, "big") + bytes(4) + b"hi"
    yield "5.2", "a length of 7 bits in 64 is taken", longer, server_frame(TEXT, b"hi")
    long = b"\x89\xfe\x00\x02" + bytes(4) + b"hi"
    yield "5.2", "a ping's length in 16 bits is taken", long, server_frame(PONG, b"hi")

    for opcode in (TEXT, BINARY):
        for parts in ([b"", b"ab"], [b"a", b"", b"b"], [b"ab", b""], [b"", b"", b""], [b"a", b"b"]):
            yield "5.4", f"{parts} of {opcode}", fragments(opcode, parts), _whole(opcode, parts)
    first, last = client_frame(TEXT, b"a", fin=False), client_frame(CONTINUATION, b"b")
    ping, pong = client_frame(PING, b"p"), server_frame(PONG, b"p")
    whole = _whole(TEXT, [b"a", b"b"])
    yield "5.4", "a ping within a message", first + ping + last, pong + whole
    yield "5.4", "a pong within a message", first + client_frame(PONG, b"p") + last, whole
    yield "5.4", "two messages in fragments", (first + last) * 2, whole * 2
    half = b"x" * (MAX_BYTES // 2)
    yield (
        "10.4",
        "the largest in fragments",
        fragments(TEXT, [half, half]),
        _whole(TEXT, [half] * 2),
    )

    for size in (0, 1, 125):
        payload = b"p" * size
        sent = client_frame(PING, payload)
        yield "5.5.2", f"a ping of {size}", sent, server_frame(PONG, payload)
        sent = client_frame(PONG, payload) + _HI
        yield "5.5.3", f"a pong of {size} that nobody wants", sent, server_frame(TEXT, b"hi")
    for word in ("\x00", "ș", "\ud7ff\ue000", "\uffff", "𝒜\U0010ffff"):
        encoded = word.encode()
        yield "8.1", f"{word!a}", client_frame(TEXT, encoded), text_frame(word)
        parts = [encoded[at : at + 1] for at in range(len(encoded))]
        yield "8.1", f"{word!a} in single bytes", fragments(TEXT, parts), text_frame(word)
    yield "5.6", "bytes that are no text", client_frame(BINARY, b"\xff"), _whole(BINARY, [b"\xff"])
    both = client_frame(TEXT, b"a") + client_frame(BINARY, b"b")
    yield "5.6", "messages one after the other", both, _whole(TEXT, [b"a"]) + _whole(BINARY, [b"b"])


def _closed() -> Iterator[tuple[str, str, bytes, bytes]]:
    """Yield the client's ways to end a connection."""
    yield "5.5.1", "a close without a code", client_frame(CLOSE), server_frame(CLOSE)
    for reason in (b"", b"bye", "ș".encode(), b"x" * 123):
        payload = closing(1000) + reason
        sent, answer = client_frame(CLOSE, payload), server_frame(CLOSE, payload)
        yield "5.5.1", f"a close with a reason of {len(reason)}", sent, answer
    inside = client_frame(TEXT, b"a", fin=False) + client_frame(CLOSE, closing(1001))
    yield "5.4", "a close within a message", inside, server_frame(CLOSE, closing(1001))
    after = _HI + client_frame(CLOSE, closing(1000))
    answer = server_frame(TEXT, b"hi") + server_frame(CLOSE, closing(1000))
    yield "5.5.1", "a close after a message", after, answer
    for code in (*range(1000, 1004), *range(1007, 1015), 3000, 3999, 4000, 4999):
        payload = closing(code)
        yield "7.4", f"code {code}", client_frame(CLOSE, payload), server_frame(CLOSE, payload)


def _bad() -> Iterator[tuple[str, str, int, bytes]]:
    """Yield what fails the connection, with the code."""
    wrong = PROTOCOL_ERROR
    for opcode in (CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG):
        yield "5.1", f"opcode {opcode} unmasked", wrong, client_frame(opcode, b"", key=None)
    for rsv in (1, 2, 4, 7):
        for opcode in (TEXT, BINARY, PING, CLOSE):
            yield "5.2", f"bits {rsv:03b} in {opcode}", wrong, client_frame(opcode, rsv=rsv)
    for opcode in (*range(3, 8), *range(11, 16)):
        yield "5.2", f"the reserved opcode {opcode}", wrong, client_frame(opcode, b"x")
    last = client_frame(CONTINUATION, b"b")
    first = client_frame(TEXT, b"a", fin=False)
    yield "5.4", "a continuation of nothing", wrong, last
    middle = client_frame(CONTINUATION, b"b", fin=False)
    yield "5.4", "a continuation of nothing, with more to come", wrong, middle
    for opcode in (TEXT, BINARY):
        yield "5.4", f"{opcode} within a message", wrong, first + client_frame(opcode, b"b")
        begun = first + client_frame(opcode, b"b", fin=False)
        yield "5.4", f"{opcode} begun within a message", wrong, begun
    for opcode in (PING, PONG, CLOSE):
        cut = client_frame(opcode, closing(1000), fin=False)
        yield "5.5", f"{opcode} in fragments", wrong, cut
        for size in (126, 65_536):
            yield "5.5", f"{opcode} of {size}", wrong, client_frame(opcode, b"x" * size)
    yield "5.5.1", "a close of one byte", wrong, client_frame(CLOSE, b"\x03")
    for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535):
        yield "7.4", f"code {code}", wrong, client_frame(CLOSE, closing(code))
    for name, text in _NO_UTF8.items():
        yield "8.1", name, INVALID_DATA, client_frame(TEXT, text)
        parts = [text[at : at + 1] for at in range(len(text))]
        yield "8.1", f"{name}, in single bytes", INVALID_DATA, fragments(TEXT, parts)
        yield "5.5.1", f"a reason: {name}", INVALID_DATA, client_frame(CLOSE, closing(1000) + text)
    yield "10.4", "a text too large", MESSAGE_TOO_BIG, client_frame(TEXT, b"x" * (MAX_BYTES + 1))
    parts = [b"x" * MAX_BYTES, b"", b"x"]
    yield "10.4", "fragments too large", MESSAGE_TOO_BIG, fragments(BINARY, parts)
    for size in (MAX_BYTES + 1, 2**62, 2**63, 2**64 - 1):
        head = b"\x82\xff" + size.to_bytes(8, "big")
        yield "10.4", f"a length of {size}", MESSAGE_TOO_BIG, head


_NO_UTF8 = {
    "a byte that is none": b"\xff",
    "a continuation alone": b"\x80",
    "a character cut off": "ș".encode()[:1],
    "an overlong slash": b"\xc0\xaf",
    "a surrogate": b"\xed\xa0\x80",
    "more than Unicode": b"\xf4\x90\x80\x80",
}


def fragments(opcode: int, parts: list[bytes]) -> bytes:
    """Return a message in as many frames."""
    frames = [
        client_frame(CONTINUATION if at else opcode, part, fin=at == len(parts) - 1)
        for at, part in enumerate(parts)
    ]
    return b"".join(frames)


def _whole(opcode: int, parts: list[bytes]) -> bytes:
    return server_frame(opcode, b"".join(parts))
