"""Passwords, as they are stored: Argon2id (RFC 9106) with the library's own parameters."""

import unicodedata
from functools import cache
from secrets import choice

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import Argon2Error, InvalidHashError

MIN_PASSWORD, MAX_PASSWORD = 15, 1_024
"""Characters of a password. The least is that of NIST SP 800-63B-4, 3.1.1.2, for one alone."""
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Those that nobody takes for another."""

_hasher = PasswordHasher()


def hash_password(password: str) -> str:
    """Return the hash of a password with the parameters of today. It takes a core and 64 MiB."""
    return _hasher.hash(_normal(password))


def is_password(password: str, stored: str | None) -> bool:
    """Return whether a password has this hash; None: it has none, which takes as long."""
    try:
        _hasher.verify(stored or _nobodys_hash(), _normal(password))
    except (Argon2Error, InvalidHashError):
        return False
    return stored is not None


def needs_rehash(stored: str) -> bool:
    """Return whether a hash is cheaper to guess than a new one would be; a dearer one stays."""
    known, now = extract_parameters(stored), _hasher
    is_cheaper = known.memory_cost * known.time_cost < now.memory_cost * now.time_cost
    return is_cheaper or known.type is not now.type


def generated_password() -> str:
    """Return a new password of 99 bits, to be read out or typed."""
    return "-".join("".join(choice(_LETTERS) for _ in range(5)) for _ in range(4))


@cache
def _nobodys_hash() -> str:
    return _hasher.hash(generated_password())


def _normal(password: str) -> str:
    """Return the same text for a password, however the keyboard makes its letters."""
    return unicodedata.normalize("NFC", password)
