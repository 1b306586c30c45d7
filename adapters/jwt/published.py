"""The keys that somebody publishes at an address, as a JSON Web Key Set (RFC 7517)."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Self, cast

import httpx
import jwt
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm

from adapters.jwt.keys import BadKey, Key, public_key
from domain.identity import IdentityUnavailable, Unauthorized

MAX_DOCUMENT = 256 * 1024
"""Bytes of published keys that are read."""
MAX_KEYS = 100
FETCH_S = 5.0
"""That the publisher may take to answer."""
REFRESH_EVERY_S = 600.0
"""After which a key that is published no more is no longer known."""
PAUSE_S = 15.0
"""Between two tries: so often can tokens of unknown keys make the publisher be asked."""

logger = logging.getLogger(__name__)


class Published(NamedTuple):
    """A key of the set; `key_id` is what tokens call it."""

    key_id: str | None
    key: Key


class PublishedKeys:
    """Finds the key of a token; use it as `async with keys:`.

    The set is looked at every `refresh_every_s`, and when a key is wanted that is not known.
    Whatever goes wrong with that, the keys that are known stay so.
    """

    def __init__(
        self, url: str, *, refresh_every_s: float = REFRESH_EVERY_S, pause_s: float = PAUSE_S
    ) -> None:
        self._url = url
        self._refresh_every_s = refresh_every_s
        self._pause_s = pause_s
        self._keys: Sequence[Published] = ()
        self._is_current = False
        """Whether the publisher answered when it was asked last."""
        self._not_before = 0.0
        self._fetching: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<PublishedKeys {len(self._keys)}>"

    async def __aenter__(self) -> Self:
        self._client = httpx.AsyncClient(
            # Not compressed: what is read is what is bounded.
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            timeout=FETCH_S,
            follow_redirects=False,
        )
        self._refreshing = asyncio.create_task(self._refresh_for_ever())
        return self

    async def __aexit__(self, *exc: object) -> None:
        tasks = [task for task in (self._refreshing, self._fetching) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await self._client.aclose()

    async def __call__(self, token: str) -> Key:
        """The key that a token says it is signed with.

        Raises: Unauthorized; IdentityUnavailable, where a newer set may have the key.
        """
        key_id, algorithm = _name_of_key(token)
        key = self._find(key_id, algorithm)
        if key is not None:
            return key
        has_asked = await self._refresh()
        key = self._find(key_id, algorithm)
        if key is not None:
            return key
        if has_asked and self._is_current:
            raise Unauthorized("the token is not valid")
        raise IdentityUnavailable

    async def check(self) -> None:
        """Whether the publisher answers. Raises: IdentityUnavailable."""
        await self._refresh()
        if not self._is_current:
            raise IdentityUnavailable("the keys that are published there could not be fetched")

    def _find(self, key_id: str | None, algorithm: str) -> Key | None:
        """The key of this name; for a token that names none, the only one there is."""
        keys = [each for each in self._keys if each.key.algorithm == algorithm]
        if key_id is not None:
            keys = [each for each in keys if each.key_id == key_id]
        return keys[0].key if len(keys) == 1 else None

    async def _refresh_for_ever(self) -> None:
        while True:
            await self._refresh()
            await asyncio.sleep(self._refresh_every_s if self._is_current else self._pause_s)

    async def _refresh(self) -> bool:
        """Ask the publisher, once for all who want it; False: it was asked only just before."""
        if self._fetching is None:
            now = asyncio.get_running_loop().time()
            if now < self._not_before:
                return False
            self._not_before = now + self._pause_s
            self._fetching = asyncio.create_task(self._fetch())
        await asyncio.shield(self._fetching)
        return True

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(FETCH_S):
                self._keys = read_keys(await self._document())
            self._is_current = True
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, BadKey) as error:
            self._is_current = False
            extra = {"action": "keys_not_fetched", "reason": type(error).__name__}
            logger.warning("The keys of tokens could not be fetched", extra=extra)
        finally:
            self._fetching = None

    async def _document(self) -> bytes:
        read = bytearray()
        async with self._client.stream("GET", self._url) as answer:
            if answer.status_code != httpx.codes.OK:
                raise BadKey("the publisher refused")
            async for piece in answer.aiter_raw():
                read += piece
                if len(read) > MAX_DOCUMENT:
                    raise BadKey("the document is too long")
        return bytes(read)


def _name_of_key(token: str) -> tuple[str | None, str]:
    """Id and algorithm of the key, as the token's head has them. Raises: Unauthorized."""
    try:
        head = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise Unauthorized("the token is not valid") from None
    algorithm = head.get("alg")
    if algorithm not in ("RS256", "EdDSA"):
        raise Unauthorized("the token is not valid")
    return head.get("kid"), algorithm


class _Document(msgspec.Struct):
    keys: list[Any]


def read_keys(document: bytes) -> list[Published]:
    """The keys of a document that can be used. Raises: BadKey, where there is none."""
    try:
        listed = msgspec.json.decode(document, type=_Document).keys
    except (msgspec.DecodeError, RecursionError):
        raise BadKey("the document is no set of keys") from None
    found = [each for each in map(_published, listed[:MAX_KEYS]) if each is not None]
    if not found:
        raise BadKey("the document has no key that can be used")
    return found


def _published(entry: Any) -> Published | None:
    """None for a key that is for something else: others may share the document."""
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig" or "d" in entry:
        return None
    kind, key_id = entry.get("kty"), entry.get("kid")
    read = _READERS.get(kind) if isinstance(kind, str) else None
    try:
        key = public_key(read(entry)) if read is not None else None
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, UnsupportedAlgorithm):
        return None
    if key is None or entry.get("alg", key.algorithm) != key.algorithm:
        return None
    return Published(key_id if isinstance(key_id, str) else None, key)


# A secret (`oct`) is never taken from here.
_READERS = cast(
    "Mapping[str, Callable[[dict[str, Any]], object]]",
    {"RSA": jwt.algorithms.RSAAlgorithm.from_jwk, "OKP": jwt.algorithms.OKPAlgorithm.from_jwk},
)
