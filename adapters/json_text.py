"""JSON as peers write it: halves of surrogate pairs, which JavaScript escapes, become U+FFFD."""

import re
from collections.abc import Callable
from typing import TypeVar

import msgspec

T = TypeVar("T")

NOT_JSON = (msgspec.DecodeError, UnicodeError, RecursionError)
"""What is raised for a document that is no JSON in UTF-8, or is nested too deeply."""

# A whole pair or any other escape is kept. A backslash occurs in strings alone.
_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\[^u]",
    re.DOTALL,
)


def decode_json(decode: Callable[[bytes | str], T], document: bytes | str) -> T:
    """Decode a document, also one with halves of surrogate pairs in its strings.

    RFC 8259, section 8.2, leaves open what they mean; `JSON.stringify` writes them.
    Raises: what `decode` does, for any other mistake.
    """
    try:
        return decode(document)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        text = document.encode() if isinstance(document, str) else document
        mended = whole_escapes(text)
        if mended == text:
            raise
    return decode(mended)


def whole_escapes(document: bytes) -> bytes:
    """Return a document, or whole lines of one, with U+FFFD for halves of surrogate pairs."""
    return _ESCAPE.sub(_mended, document) if b"\\u" in document else document


def _mended(escape: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if escape["half"] is not None else escape[0]
