"""Whether somebody is there: by rules, hours and locations, and by who is present."""

from datetime import UTC, datetime

import pytest

from adapters.memory.businesses import MemoryBusinesses
from application.attendance import Attendance
from application.ports import Presence
from domain.business import Business, Location
from domain.errors import BridgeUnavailable
from domain.handoff import UNKNOWN, Availability, HandoffRules
from domain.hours import OpeningHours, Shift
from domain.identity import BusinessId, LocationId
from tests.support.clock import VirtualClock

B1 = BusinessId("b1")
MORNING = OpeningHours(week=((Shift(9 * 60, 11 * 60),),) * 7)
ALL_DAY = OpeningHours(week=((Shift(0, 24 * 60),),) * 7)
NEVER = OpeningHours()


class Present(Presence):
    """So many coordinators are present."""

    def __init__(self, online: int | None) -> None:
        self.count = online
        self.asked = 0

    async def online(self, business_id: BusinessId) -> int | None:
        self.asked += 1
        return self.count


class Unreadable(MemoryBusinesses):
    """Facts that cannot be read."""

    async def business(self, business_id: BusinessId) -> Business | None:
        raise BridgeUnavailable


def attendance(business: Business | None, online: int | None = None) -> tuple[Attendance, Present]:
    """Return what knows the attendance of one business, and who is present."""
    present = Present(online)
    businesses = MemoryBusinesses([business] if business is not None else [])
    made = Attendance(businesses=businesses, presence=present, clock=VirtualClock(), time_zone=UTC)
    return made, present


def bistro(**chosen: object) -> Business:
    return Business(business_id=B1, name="Bistro", **chosen)  # type: ignore[arg-type]


async def test_of_an_unknown_business_nothing_is_known() -> None:
    unknown, _ = attendance(None)
    unreadable = Attendance(
        businesses=Unreadable(), presence=None, clock=VirtualClock(), time_zone=UTC
    )

    assert await unknown(B1) == UNKNOWN
    assert await unreadable(B1) == UNKNOWN


async def test_outside_the_hours_nobody_is_there_until_the_next_opening_and_nobody_is_asked() -> (
    None
):
    closed, present = attendance(bistro(hours=MORNING), online=5)

    found = await closed(B1)

    assert found == Availability(
        is_there=False, is_known=True, returns_at=datetime(2030, 1, 2, 9, tzinfo=UTC)
    )
    assert present.asked == 0


async def test_the_hours_are_those_of_the_business_s_own_time_zone() -> None:
    # 12:00 UTC are 7:00 in New York.
    closed, _ = attendance(bistro(hours=MORNING, time_zone="America/New_York"))

    found = await closed(B1)

    assert found.returns_at == datetime(2030, 1, 1, 14, tzinfo=UTC)
    assert found.returns_at is not None
    assert found.returns_at.hour == 9


async def test_who_never_opens_has_no_time_at_which_somebody_returns() -> None:
    closed, _ = attendance(bistro(hours=NEVER))

    assert await closed(B1) == Availability(is_there=False, is_known=True)


@pytest.mark.parametrize(
    ("handoff_hours", "location_id", "is_there"),
    [
        (None, None, False),
        (None, "here", True),
        (None, "there", False),
        (None, "unknown", False),
        (ALL_DAY, None, True),
        (NEVER, "here", False),
    ],
)
async def test_the_hours_of_the_hand_off_come_first_then_those_of_the_location(
    handoff_hours: OpeningHours | None, location_id: str | None, is_there: bool
) -> None:
    found, _ = attendance(
        bistro(
            hours=MORNING,
            handoff=HandoffRules(hours=handoff_hours),
            locations={
                "here": Location(name="Here", hours=ALL_DAY),
                "there": Location(name="There"),
            },
        )
    )

    at = LocationId(location_id) if location_id is not None else None
    assert (await found(B1, at)).is_there is is_there


@pytest.mark.parametrize(
    ("hours", "online", "expected"),
    [
        (None, None, Availability()),
        (ALL_DAY, None, Availability(is_known=True)),
        (None, 0, Availability(is_there=False, is_known=True)),
        (ALL_DAY, 0, Availability(is_there=False, is_known=True)),
        (None, 2, Availability(is_known=True)),
    ],
)
async def test_within_the_hours_it_counts_who_is_present_where_that_is_known(
    hours: OpeningHours | None, online: int | None, expected: Availability
) -> None:
    made, _ = attendance(bistro(hours=hours), online)

    assert await made(B1) == expected


async def test_a_business_that_hands_nothing_over_is_reached_elsewhere() -> None:
    alone, present = attendance(
        bistro(facts={"telefon": "021", "meniu": "supe"}, handoff=HandoffRules(enabled=False)), 3
    )

    assert await alone(B1) == Availability(is_offered=False, is_known=True, contact="telefon: 021")
    assert present.asked == 0
