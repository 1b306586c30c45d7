"""Whether somebody is there to meet a request for a human, and when again."""

from dataclasses import dataclass
from datetime import tzinfo

from application.business_facts import facts_if_known
from application.ports import Businesses, Clock, Presence
from domain.business import Business, hours_at, zone_of
from domain.handoff import UNKNOWN, Availability, contact_in
from domain.hours import OpeningHours
from domain.identity import BusinessId, LocationId


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendance:
    """Knows it by a business's rules and hours, and by who is present at the bridge."""

    businesses: Businesses
    presence: Presence | None
    """None: there is no bridge."""
    clock: Clock
    time_zone: tzinfo
    """That of businesses without their own."""

    async def __call__(
        self, business_id: BusinessId, location_id: LocationId | None = None
    ) -> Availability:
        """Return what is known now. Where somebody is asked, that takes a second at most."""
        business = await facts_if_known(self.businesses, business_id)
        expected = self.by_hours(business, location_id)
        if not expected.is_possible or self.presence is None:
            return expected
        online = await self.presence.online(business_id)
        if online is None:
            return expected
        return Availability(is_there=online > 0, is_known=True)

    def by_hours(
        self, business: Business | None, location_id: LocationId | None = None
    ) -> Availability:
        """Return what the business's rules and hours say, whoever is present."""
        if business is None:
            return UNKNOWN
        if not business.handoff.enabled:
            contact = contact_in(business.facts)
            return Availability(is_offered=False, is_known=True, contact=contact)
        hours = _hours_of(business, location_id)
        if hours is None:
            return UNKNOWN
        now, zone = self.clock.now(), zone_of(business, self.time_zone)
        if hours.is_open(now, zone):
            return Availability(is_known=True)
        back = hours.next_opening(now, zone)
        return Availability(is_there=False, is_known=True, returns_at=back)


def _hours_of(business: Business, location_id: LocationId | None) -> OpeningHours | None:
    """Return when somebody takes over, at this location if that has its own hours."""
    return business.handoff.hours or hours_at(business, location_id)
