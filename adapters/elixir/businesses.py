"""The facts of businesses, which the bridge knows: requested over HTTP, cached for a while.

Where a business has a file, too, the bridge's facts win, topic by topic; all else is the file's.

`GET /api/business/{id}`, and `GET /api/business/{id}/reservations?userId=`; `adapters.elixir.facts`
has their shapes. A 404 means "unknown".
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from adapters.elixir.additions import Additions, business_path
from adapters.elixir.facts import business_of, reservations_of
from adapters.elixir.http import ElixirHttp
from application.bounded_cache import BoundedCache, size_of
from application.ports import Businesses, Clock
from domain.business import DEFAULT_LANGUAGE, Business, Reservation
from domain.errors import BridgeUnavailable, Failure
from domain.identity import BusinessId, Customer
from domain.language import NOTICE_LANGUAGES, lookup

logger = logging.getLogger(__name__)

T = TypeVar("T")

BUSINESS_TTL_S, RESERVATIONS_TTL_S = 60.0, 10.0
CHANGED_TTL_S = 5.0
"""The bridge may read the same files, but a moment later."""
MAX_LANGUAGE_WARNINGS = 1_000
MAX_CACHED_LOOKUPS, MAX_CACHED_LOOKUP_BYTES = 1_000, 16 * 1024 * 1024
"""Cached businesses and users' reservations; the least recently used is dropped first."""


@dataclass(frozen=True, slots=True)
class _Cached:
    """An answer, and until when it is fresh."""

    answer: Any
    until: float
    """By the monotonic clock."""
    file: Business | None
    """The business's file at that time."""


class NotUnderstood(BridgeUnavailable):
    """The bridge's facts have no shape that is understood."""


class ElixirBusinesses(Businesses):
    """Returns the bridge's facts; while it does not answer, the latest ones."""

    def __init__(
        self,
        http: ElixirHttp,
        clock: Clock,
        additions: Additions | None = None,
        files: Businesses | None = None,
    ) -> None:
        """`additions` gets those that the bridge announces with a business.

        `files`: the businesses that have files.
        """
        self._http = http
        self._files = files
        self._clock = clock
        self._additions = additions or Additions()
        self._cache: BoundedCache[Hashable, _Cached] = BoundedCache(
            MAX_CACHED_LOOKUPS, MAX_CACHED_LOOKUP_BYTES
        )
        self._requests: dict[Hashable, asyncio.Task[Any]] = {}
        self._warned: set[str] = set()
        self._languages: set[tuple[BusinessId, str]] = set()
        """Those that were warned of."""

    async def business(self, business_id: BusinessId) -> Business | None:
        async def fetch() -> Business | None:
            found = await self._http.get(business_path(business_id))
            self._additions.announce(business_id, found)
            if found is None:
                return None
            business = self._understood("business", business_of(business_id, found))
            self._warn_of_language(business)
            return business

        file = self._file(business_id)
        try:
            return _merged(await self._known(business_id, BUSINESS_TTL_S, fetch, file), file)
        except NotUnderstood:
            return file
        except Failure:
            if file is None:
                raise
            return file

    def last_read(self, business_id: BusinessId) -> Business | None:
        cached = self._cache.get(business_id)
        return _merged(cached.answer if cached is not None else None, self._file(business_id))

    def _file(self, business_id: BusinessId) -> Business | None:
        return self._files.last_read(business_id) if self._files is not None else None

    async def reservations(self, customer: Customer) -> tuple[Reservation, ...]:
        async def fetch() -> tuple[Reservation, ...]:
            path = f"{business_path(customer.business_id)}/reservations"
            found = await self._http.get(path, {"userId": customer.user_id})
            if found is None:
                return ()
            return self._understood("reservations", reservations_of(found))

        # Not understood stays a failure: "there are none" might be untrue.
        return await self._known(customer, RESERVATIONS_TTL_S, fetch)

    def _warn_of_language(self, business: Business) -> None:
        """Warn the first time that a business has a language that no notices are written in."""
        known = business.business_id, business.language
        if known in self._languages or len(self._languages) >= MAX_LANGUAGE_WARNINGS:
            return
        if business.language and lookup(business.language, NOTICE_LANGUAGES) is None:
            self._languages.add(known)
            extra = {
                "action": "language_without_notices",
                "business": business.business_id,
                "language": business.language,
            }
            logger.warning(
                "A business's language has no notices: they come in English", extra=extra
            )

    def _understood(self, what: str, read: T | None) -> T:
        """Return what was read; warn the first time that it is None. Raises: NotUnderstood."""
        if read is not None:
            return read
        if what not in self._warned:
            self._warned.add(what)
            extra = {"action": "facts_not_understood", "what": what}
            logger.warning("The bridge's facts are not understood, so not known", extra=extra)
        raise NotUnderstood(f"the bridge's {what} is not understood")

    async def _known(
        self,
        key: Hashable,
        ttl_s: float,
        fetch: Callable[[], Awaitable[T]],
        file: Business | None = None,
    ) -> T:
        """Return the cached answer if it is fresh, else a new one; the old one if that fails.

        It is not where the file has changed since.
        """
        cached = self._cache.get(key)
        if cached is not None and cached.file is not file:
            ttl_s = CHANGED_TTL_S
        elif cached is not None and cached.until > self._clock.monotonic():
            return cached.answer  # type: ignore[no-any-return]
        try:
            # Shared by all callers meanwhile, so that it goes on when the first is cancelled.
            return await asyncio.shield(self._request(key, ttl_s, fetch, file))
        except Failure as error:
            if cached is None:
                raise
            extra = {"action": "facts_stale", "reason": str(error)}
            logger.info("Facts could not be refreshed; older ones are used", extra=extra)
            return cached.answer  # type: ignore[no-any-return]

    def _request(
        self,
        key: Hashable,
        ttl_s: float,
        fetch: Callable[[], Awaitable[T]],
        file: Business | None,
    ) -> asyncio.Task[T]:
        if (request := self._requests.get(key)) is None:
            refresh = self._refresh(key, ttl_s, fetch, file)
            request = self._requests[key] = asyncio.create_task(refresh)
            request.add_done_callback(lambda done: self._answered(key, done))
        return request

    def _answered(self, key: Hashable, request: "asyncio.Task[Any]") -> None:
        del self._requests[key]
        if not request.cancelled():
            request.exception()  # its callers have it, or have all gone

    async def _refresh(
        self,
        key: Hashable,
        ttl_s: float,
        fetch: Callable[[], Awaitable[T]],
        file: Business | None,
    ) -> T:
        answer = await fetch()
        cached = _Cached(answer, self._clock.monotonic() + ttl_s, file)
        self._cache.put(key, cached, size_of(msgspec.to_builtins(answer)))
        return answer


def _merged(bridges: Business | None, file: Business | None) -> Business | None:
    """Return a business with the bridge's facts, and its name, language and persona where given."""
    if bridges is None or file is None:
        known = bridges or file
        if known is None or known.language:
            return known
        return replace(known, language=DEFAULT_LANGUAGE)
    return replace(
        file,
        name=bridges.name,
        language=bridges.language or file.language,
        persona=bridges.persona or file.persona,
        facts={**file.facts, **bridges.facts},
    )
