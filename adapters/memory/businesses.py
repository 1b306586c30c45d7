"""Businesses in memory."""

from collections.abc import Mapping, Sequence

from application.ports import Businesses
from domain.business import Business, Reservation
from domain.identity import BusinessId, Customer


class MemoryBusinesses(Businesses):
    """Looks up the businesses and reservations that it is created with."""

    def __init__(
        self,
        businesses: Sequence[Business] = (),
        reservations: Mapping[BusinessId, tuple[Reservation, ...]] | None = None,
    ) -> None:
        """`reservations`: those of every user of a business."""
        self._businesses = {business.business_id: business for business in businesses}
        self._reservations = reservations or {}

    async def business(self, business_id: BusinessId) -> Business | None:
        return self._businesses.get(business_id)

    def last_read(self, business_id: BusinessId) -> Business | None:
        return self._businesses.get(business_id)

    async def reservations(self, customer: Customer) -> tuple[Reservation, ...]:
        return self._reservations.get(customer.business_id, ())
