"""Keys that are published at a URL, as a JSON Web Key Set (RFC 7517)."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import httpx
import jwt
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm

from adapters.http_client import read_bounded
from adapters.json_text import NOT_JSON
from adapters.jwt.keys import BadKey, VerificationKey, public_key
from domain.identity import IdentityUnavailable, Unauthorized

MAX_DOCUMENT = 256 * 1024
"""Bytes of a key set that are read."""
MAX_KEYS = 100
MAX_SOUGHT = 1_000
"""The most names of keys that are remembered because they were not found."""
FETCH_TIMEOUT_S = 5.0
"""Time limit of a fetch."""
FETCH_EVERY_S = 600.0
"""Between two regular fetches; a withdrawn key is known for up to that long."""
MIN_WAIT_S = 1.0
"""The shortest time after which a client is asked to try again."""
FETCH_PAUSE_S = 15.0
"""Between two fetches, however many tokens name unknown keys."""

logger = logging.getLogger(__name__)


class PublishedKey(NamedTuple):
    """A key of the set, with the id by which tokens name it."""

    key_id: str | None
    key: VerificationKey


class _KeyName(NamedTuple):
    """The id by which a token names its key, if it does, and the algorithm."""

    key_id: str | None
    algorithm: str


class PublishedKeys:
    """Finds the key of a token; use it as `async with keys:`.

    The set is fetched every `refresh_every_s`, and when a token names an unknown key. While it
    cannot be fetched, the keys that are known are kept.
    """

    def __init__(
        self, url: str, *, refresh_every_s: float = FETCH_EVERY_S, pause_s: float = FETCH_PAUSE_S
    ) -> None:
        self._url = url
        self._refresh_every_s = refresh_every_s
        self._pause_s = pause_s
        self._keys: Sequence[PublishedKey] = ()
        self._is_current = False
        """True if the last fetch succeeded."""
        self._fetches = 0
        """The number of fetches that have begun."""
        self._sought: dict[_KeyName, int] = {}
        """The keys that were not found, and how many fetches had begun before the first search."""
        self._not_before = 0.0
        self._fetching: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<PublishedKeys {len(self._keys)}>"

    async def __aenter__(self) -> Self:
        self._client = httpx.AsyncClient(
            # Uncompressed, so that the limit on a body is one on what is held in memory.
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            timeout=FETCH_TIMEOUT_S,
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

    async def __call__(self, token: str) -> VerificationKey:
        """Return the key that a token names.

        Raises: Unauthorized; IdentityUnavailable, where a newer set may have the key.
        """
        name = _key_named_by(token)
        key = self._find(name)
        if key is None:
            self._seek(name, self._fetches)
            await self._refresh()
            key = self._find(name)
        if key is not None:
            return key
        if self._is_current and self._sought.get(name, self._fetches) < self._fetches:
            raise Unauthorized("the token is not valid")  # a later fetch did not have the key
        wait_s = self._not_before - asyncio.get_running_loop().time()
        raise IdentityUnavailable(wait_s=max(wait_s, MIN_WAIT_S))

    def _seek(self, name: _KeyName, before: int) -> None:
        """Remember that a key was not found; `before`: the fetches that had begun by then."""
        if name not in self._sought and len(self._sought) >= MAX_SOUGHT:
            del self._sought[next(iter(self._sought))]
        self._sought.setdefault(name, before)

    async def check(self) -> None:
        """Make sure that the publisher answers. Raises: IdentityUnavailable."""
        await self._refresh()
        if not self._is_current:
            raise IdentityUnavailable("the keys that are published there could not be fetched")

    def _find(self, name: _KeyName) -> VerificationKey | None:
        """Return the key with this id; for a token that names none, the only one there is."""
        key_id, algorithm = name
        keys = [each for each in self._keys if each.key.algorithm == algorithm]
        if key_id is not None:
            keys = [each for each in keys if each.key_id == key_id]
        return keys[0].key if len(keys) == 1 else None

    async def _refresh_for_ever(self) -> None:
        while True:
            await self._refresh()
            await asyncio.sleep(self._refresh_every_s if self._is_current else self._pause_s)

    async def _refresh(self) -> None:
        """Fetch the set, once for all who wait for it, unless the last fetch was just before."""
        if self._fetching is None:
            now = asyncio.get_running_loop().time()
            if now < self._not_before:
                return
            self._not_before = now + self._pause_s
            self._fetches += 1
            self._fetching = asyncio.create_task(self._fetch())
        await asyncio.shield(self._fetching)

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(FETCH_TIMEOUT_S):
                keys = read_keys(await self._document())
            for withdrawn in {_name(each) for each in self._keys} - {_name(each) for each in keys}:
                self._seek(withdrawn, self._fetches - 1)
            self._keys = keys
            self._is_current = True
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, BadKey) as error:
            self._is_current = False
            extra = {"action": "keys_not_fetched", "reason": type(error).__name__}
            logger.warning("The keys of tokens could not be fetched", extra=extra)
        finally:
            self._fetching = None

    async def _document(self) -> bytes:
        async with self._client.stream("GET", self._url) as response:
            if response.status_code != httpx.codes.OK:
                raise BadKey("the publisher refused")
            document = await read_bounded(response.aiter_raw(), MAX_DOCUMENT)
        if document is None:
            raise BadKey("the document is too long")
        return document


def _name(key: PublishedKey) -> _KeyName:
    return _KeyName(key.key_id, key.key.algorithm)


def _key_named_by(token: str) -> _KeyName:
    """Return id and algorithm of the key, by the token's header. Raises: Unauthorized."""
    try:
        head = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise Unauthorized("the token is not valid") from None
    algorithm = head.get("alg")
    if algorithm not in ("RS256", "EdDSA"):
        raise Unauthorized("the token is not valid")
    return _KeyName(head.get("kid"), algorithm)


class _Document(msgspec.Struct):
    keys: list[Any]


def read_keys(document: bytes) -> list[PublishedKey]:
    """Return the keys of a document that can be used. Raises: BadKey, if there are none."""
    try:
        listed = msgspec.json.decode(document, type=_Document).keys
    except NOT_JSON:
        raise BadKey("the document is no set of keys") from None
    found = [each for each in map(_published, listed[:MAX_KEYS]) if each is not None]
    if not found:
        raise BadKey("the document has no key that can be used")
    return found


# PyJWT raises these for an entry that it cannot read; `NotImplementedError` for `"alg": "none"`.
_UNREADABLE = (
    jwt.PyJWTError,
    ArithmeticError,
    LookupError,
    NotImplementedError,
    TypeError,
    UnsupportedAlgorithm,
    ValueError,
)


# One by one: `PyJWKSet` fails as a whole for an entry with a field of the wrong type.
def _published(entry: Any) -> PublishedKey | None:
    """Return the key in an entry; None: it is for something else, or cannot be read."""
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return None
    try:
        found = jwt.PyJWK(entry)
    except _UNREADABLE:
        return None
    key = public_key(found.key)  # neither a secret (`oct`) nor a private key is one
    if key is None or entry.get("alg", key.algorithm) != key.algorithm:
        return None
    return PublishedKey(found.key_id if isinstance(found.key_id, str) else None, key)
