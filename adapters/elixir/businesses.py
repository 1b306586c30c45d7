"""The facts of businesses, which the bridge knows: requested over HTTP, cached for a while.

`GET /api/business/{id}` `{name, language?, persona?, facts?}`, and
`GET /api/business/{id}/reservations?userId=` `{reservations: [{reservationId?, date, time, guests,
name?}]}`. A 404 means "unknown".
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from adapters.elixir.http import ElixirHttp
from application.ports import Businesses, Clock
from domain.business import DEFAULT_LANGUAGE, Business, Reservation
from domain.errors import BridgeUnavailable, Failure
from domain.identity import BusinessId, Customer

logger = logging.getLogger(__name__)

T = TypeVar("T")

BUSINESS_TTL = timedelta(seconds=60)
RESERVATIONS_TTL = timedelta(seconds=10)
MAX_CACHED = 1_000
"""Cached businesses and users' reservations; the least recently used is dropped first."""


class _Business(msgspec.Struct):
    name: str
    language: str = DEFAULT_LANGUAGE
    persona: str = ""
    facts: dict[str, Any] = {}


class _Reservation(msgspec.Struct, rename="camel"):
    date: str
    time: str
    guests: int
    reservation_id: str | int = ""
    name: str = ""


class _Reservations(msgspec.Struct):
    reservations: list[_Reservation]


@dataclass(frozen=True, slots=True)
class _Cached:
    """An answer, and until when it is fresh."""

    answer: Any
    until: datetime


class ElixirBusinesses(Businesses):
    """Returns the bridge's facts; while it does not answer, those that it gave last."""

    def __init__(self, http: ElixirHttp, clock: Clock) -> None:
        self._http = http
        self._clock = clock
        self._cache: dict[Hashable, _Cached] = {}
        self._requests: dict[Hashable, asyncio.Task[Any]] = {}

    async def business(self, business_id: BusinessId) -> Business | None:
        async def ask() -> Business | None:
            found = await self._http.get(f"/api/business/{quote(business_id, safe='')}")
            return _business(business_id, found) if found is not None else None

        return await self._known(business_id, BUSINESS_TTL, ask)

    async def reservations(self, customer: Customer) -> tuple[Reservation, ...]:
        async def ask() -> tuple[Reservation, ...]:
            path = f"/api/business/{quote(customer.business_id, safe='')}/reservations"
            found = await self._http.get(path, {"userId": customer.user_id})
            return _reservations(found) if found is not None else ()

        return await self._known(customer, RESERVATIONS_TTL, ask)

    async def _known(self, key: Hashable, ttl: timedelta, ask: Callable[[], Awaitable[T]]) -> T:
        """Return the cached answer if it is fresh, else a new one; the old one if that fails."""
        cached = self._cache.pop(key, None)
        if cached is not None:
            self._cache[key] = cached  # at the end: the dict is in the order of use
            if cached.until > self._clock.now():
                return cached.answer  # type: ignore[no-any-return]
        try:
            # Shared by all who ask meanwhile, so that it goes on when the first is cancelled.
            return await asyncio.shield(self._request(key, ttl, ask))
        except Failure as error:
            if cached is None:
                raise
            extra = {"action": "facts_stale", "reason": str(error)}
            logger.info("Facts could not be refreshed; older ones are used", extra=extra)
            return cached.answer  # type: ignore[no-any-return]

    def _request(
        self, key: Hashable, ttl: timedelta, ask: Callable[[], Awaitable[T]]
    ) -> asyncio.Task[T]:
        if (request := self._requests.get(key)) is None:
            request = self._requests[key] = asyncio.create_task(self._refresh(key, ttl, ask))
            request.add_done_callback(lambda _: self._requests.pop(key, None))
        return request

    async def _refresh(self, key: Hashable, ttl: timedelta, ask: Callable[[], Awaitable[T]]) -> T:
        answer = await ask()
        self._cache.pop(key, None)
        self._cache[key] = _Cached(answer, self._clock.now() + ttl)
        if len(self._cache) > MAX_CACHED:
            del self._cache[next(iter(self._cache))]
        return answer


def _business(business_id: BusinessId, found: Any) -> Business:
    known = _converted(found, _Business)
    return Business(
        business_id=business_id,
        name=known.name,
        language=known.language,
        persona=known.persona,
        facts={topic: _text(fact) for topic, fact in known.facts.items()},
    )


def _text(fact: Any) -> str:
    return fact if isinstance(fact, str) else msgspec.json.encode(fact).decode()


def _reservations(found: Any) -> tuple[Reservation, ...]:
    listed = found if isinstance(found, dict) else {"reservations": found}
    return tuple(
        Reservation(
            reservation_id=str(each.reservation_id),
            date=each.date,
            time=each.time,
            guests=each.guests,
            name=each.name,
        )
        for each in _converted(listed, _Reservations).reservations
    )


def _converted(found: Any, shape: type[T]) -> T:
    """Raises: BridgeUnavailable, for what does not have the shape."""
    try:
        return msgspec.convert(found, shape)
    except msgspec.ValidationError as error:
        raise BridgeUnavailable(f"the bridge's facts of a business are invalid: {error}") from error
