"""The keys that tokens are verified with, each with the one algorithm that it is for.

HS256 takes a secret, RS256 an RSA key, EdDSA an Ed25519 key.
"""

from pathlib import Path
from typing import Any, NamedTuple

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt.algorithms import HMACAlgorithm

MIN_SECRET = 32
"""Bytes, as many as SHA-256 makes (RFC 7518, 3.2)."""
MIN_RSA_BITS = 2_048
"""RFC 7518, 3.3."""


class BadKey(ValueError):
    """A key that tokens cannot be verified with; the text says why."""


class VerificationKey(NamedTuple):
    """A key, and the only algorithm that it is for."""

    algorithm: str
    material: Any

    def __repr__(self) -> str:
        return f"<VerificationKey {self.algorithm}>"


def secret_key(secret: str) -> VerificationKey:
    """Return a secret as a key for HS256. Raises: BadKey."""
    size = len(secret.encode())
    if size < MIN_SECRET:
        raise BadKey(f"has {size} bytes, but must have at least {MIN_SECRET}")
    try:
        # With a public key anybody could make tokens.
        material = HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(secret)
    except jwt.InvalidKeyError:
        raise BadKey("holds a public key, a certificate or a JSON web key: no secret") from None
    return VerificationKey("HS256", material)


def file_key(path: Path) -> VerificationKey:
    """Return the public key in a PEM file. Raises: BadKey."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise BadKey(f"cannot be read: {error.strerror}") from None
    if b"PRIVATE KEY-----" in text:
        raise BadKey("has a private key, which does not belong here: give the public one")
    try:
        key = public_key(load_pem_public_key(text))
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if key is None:
        raise BadKey(f"must be a PEM file with an RSA key ({MIN_RSA_BITS} bits) or an Ed25519 key")
    return key


def public_key(material: object) -> VerificationKey | None:
    """Return a public key with its algorithm; None: its kind or size is not supported."""
    if isinstance(material, RSAPublicKey) and material.key_size >= MIN_RSA_BITS:
        return VerificationKey("RS256", material)
    return VerificationKey("EdDSA", material) if isinstance(material, Ed25519PublicKey) else None
