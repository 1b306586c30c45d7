"""Short digests of values, to be compared: equal ones are of equal values."""

import hashlib

import msgspec

DIGEST_LETTERS = 16


def digest_of(value: object) -> str:
    """Return a digest of a value that can be written as JSON."""
    content = msgspec.json.encode(value, order="deterministic")
    return hashlib.sha256(content).hexdigest()[:DIGEST_LETTERS]
