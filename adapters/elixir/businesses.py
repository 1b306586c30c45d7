"""What the bridge knows of businesses: asked over HTTP, kept for a while.

`GET /api/business/{id}` `{name, language?, persona?, facts?}`, and
`GET /api/business/{id}/reservations?userId=` `{reservations: [{reservationId?, date, time, guests,
name?}]}`. A 404 means "not known".
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
MAX_KEPT = 1_000
"""Businesses, and users' reservations, that are remembered; the longest unasked goes first."""


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
class _Kept:
    """What was answered, and until when it is taken for the truth."""

    answer: Any
    until: datetime


class ElixirBusinesses(Businesses):
    """Knows what the bridge knows; while it does not answer, what it knew last."""

    def __init__(self, http: ElixirHttp, clock: Clock) -> None:
        self._http = http
        self._clock = clock
        self._kept: dict[Hashable, _Kept] = {}
        self._asking: dict[Hashable, asyncio.Task[Any]] = {}

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
        """What is kept, if it is fresh; else what is answered now; else what is kept after all."""
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._kept[key] = kept  # at the end: the dict is in the order of use
            if kept.until > self._clock.now():
                return kept.answer  # type: ignore[no-any-return]
        try:
            # Whoever asks the same meanwhile waits for the same answer, though the first may leave.
            return await asyncio.shield(self._asked(key, ttl, ask))
        except Failure as error:
            if kept is None:
                raise
            extra = {"action": "facts_stale", "reason": str(error)}
            logger.info("Facts are older than they should be", extra=extra)
            return kept.answer  # type: ignore[no-any-return]

    def _asked(
        self, key: Hashable, ttl: timedelta, ask: Callable[[], Awaitable[T]]
    ) -> asyncio.Task[T]:
        if (asking := self._asking.get(key)) is None:
            asking = self._asking[key] = asyncio.create_task(self._ask(key, ttl, ask))
            asking.add_done_callback(lambda _: self._asking.pop(key, None))
        return asking

    async def _ask(self, key: Hashable, ttl: timedelta, ask: Callable[[], Awaitable[T]]) -> T:
        answer = await ask()
        self._kept.pop(key, None)
        self._kept[key] = _Kept(answer, self._clock.now() + ttl)
        if len(self._kept) > MAX_KEPT:
            del self._kept[next(iter(self._kept))]
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
        raise BridgeUnavailable(
            f"what the bridge says of a business is no such thing: {error}"
        ) from error
