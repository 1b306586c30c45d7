"""Businesses in memory, among them the two of the demo."""

from collections.abc import Mapping, Sequence

from application.ports import Businesses
from domain.business import Business, Reservation
from domain.identity import BusinessId, Customer

DEMO_BUSINESSES = (
    Business(
        business_id=BusinessId("b1"),
        name="Bistro Verde",
        language="ro",
        persona="un asistent prietenos și scurt la vorbă",
        facts={
            "program": "Luni–vineri 9:00–22:00, sâmbătă și duminică 10:00–23:00.",
            "adresă": "Strada Lalelelor 12, București.",
            "telefon": "021 555 0100",
            "meniu": "Bucătărie românească de sezon; meniul zilei costă 45 de lei.",
            "parcare": "Avem 10 locuri de parcare în curte.",
        },
    ),
    Business(
        business_id=BusinessId("b2"),
        name="Harbour Dental",
        language="en",
        persona="a calm and precise assistant",
        facts={
            "hours": "Monday to Friday 8:00-18:00, Saturday 9:00-13:00.",
            "address": "4 Quay Street.",
            "phone": "+44 20 5550 0199",
            "price": "A check-up is 60 pounds, a cleaning 85 pounds.",
            "parking": "There is a public car park next door.",
        },
    ),
)

DEMO_RESERVATIONS = {
    BusinessId("b1"): (
        Reservation(
            reservation_id="r-1001", date="2030-05-14", time="19:30", guests=4, name="Masa 7"
        ),
    ),
}


class MemoryBusinesses(Businesses):
    """Looks up the businesses and reservations that it is created with."""

    def __init__(
        self,
        businesses: Sequence[Business] = DEMO_BUSINESSES,
        reservations: Mapping[BusinessId, tuple[Reservation, ...]] = DEMO_RESERVATIONS,
    ) -> None:
        """`reservations`: those of every user of a business."""
        self._businesses = {business.business_id: business for business in businesses}
        self._reservations = reservations

    async def business(self, business_id: BusinessId) -> Business | None:
        return self._businesses.get(business_id)

    def last_read(self, business_id: BusinessId) -> Business | None:
        return self._businesses.get(business_id)

    async def reservations(self, customer: Customer) -> tuple[Reservation, ...]:
        return self._reservations.get(customer.business_id, ())
