"""Tokens of all kinds, and a publisher of keys."""

import asyncio
import json
import time
from collections import deque
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.listener import Listener

SECRET = "s3cret-of-the-suite-with-more-than-32-bytes"
DAY_S = 86_400
JWT: dict[str, Any] = {"socket_auth": "jwt", "jwt_secret": SECRET}
"""The settings of a server that accepts `token`."""
PATIENCE_S = 20.0


def claims(user_id: str = "u1", business_id: str = "b1", **others: Any) -> dict[str, Any]:
    """Return the claims of a valid token; a claim of None is left out."""
    known = {"sub": user_id, "biz": business_id, "exp": int(time.time()) + DAY_S, **others}
    return {name: value for name, value in known.items() if value is not None}


def token(user_id: str = "u1", business_id: str = "b1", **others: Any) -> str:
    """Return a token that the server accepts, unless another claim invalidates it."""
    return jwt.encode(claims(user_id, business_id, **others), SECRET)


def ending_in(seconds: float, user_id: str = "u1", business_id: str = "b1") -> str:
    """Return a token that is valid for so long from now, including the leeway."""
    # Whole seconds: it may be up to one less.
    return token(user_id, business_id, exp=int(time.time() + seconds) - 10)


@cache
def rsa_key(bits: int = 2_048, number: int = 0) -> RSAPrivateKey:
    """Return a private key; the same for the same arguments."""
    return generate_private_key(65_537, bits)


@cache
def ed25519_key(number: int = 0) -> Ed25519PrivateKey:
    """Return a private key; the same for the same arguments."""
    return Ed25519PrivateKey.generate()


def public_pem(key: RSAPrivateKey | Ed25519PrivateKey) -> str:
    """Return the public key as PEM."""
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode()


def jwk(key: RSAPrivateKey | Ed25519PrivateKey, key_id: str | None, **more: Any) -> dict[str, Any]:
    """Return the public key as JWK."""
    known: dict[str, Any]
    if isinstance(key, RSAPrivateKey):
        known = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        known = jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**known, **({"kid": key_id} if key_id is not None else {}), **more}


class Publisher(Listener):
    """A server that publishes keys."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        super().__init__()
        self.document: bytes = b""
        self.publish(*keys)
        self.asked = 0
        self.faults: deque[bytes] = deque()
        """Whole answers to the next requests, in place of the document; b"" hangs."""
        self.has_been_asked = asyncio.Event()

    def publish(self, *keys: Any) -> None:
        """Set the published keys."""
        self.document = json.dumps({"keys": keys}).encode()

    @property
    def url(self) -> str:
        return f"{super().url}/keys.json"

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        self.has_been_asked.set()
        answer = self.faults.popleft() if self.faults else answered(self.document)
        writer.write(answer)
        await writer.drain()
        if not answer:
            await reader.read()  # until who asks gives up


def answered(body: bytes, status: int = 200, head: str = "") -> bytes:
    """Return an answer over HTTP."""
    return (
        f"HTTP/1.1 {status} As told\r\n{head}Content-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    ).encode() + body
