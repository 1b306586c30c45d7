"""Opening hours: split shifts, holidays, midnight, and the two nights when the clock changes."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from domain.hours import DAY, OpeningHours, Shift

ZONE = ZoneInfo("Europe/Bucharest")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


LUNCH, DINNER = Shift(12 * 60, 15 * 60), Shift(18 * 60, DAY + 60)
HOURS = OpeningHours(
    week=((), *((LUNCH, DINNER),) * 5, ()),  # Tuesday to Saturday
    dates={"12-25": (), "2026-12-24": (LUNCH,), "2027-01-04": (DINNER,)},
)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-27T12:00", True),  # a Friday
        ("2026-11-27T11:59", False),
        ("2026-11-27T15:00", False),
        ("2026-11-28T00:59", True),  # Friday's dinner
        ("2026-11-28T01:00", False),
        ("2026-11-29T00:30", True),  # Saturday's, on a Sunday
        ("2026-11-29T12:30", False),
        ("2026-12-25T12:30", False),  # a Friday, but Christmas
        ("2026-12-24T19:00", False),  # lunch only
        ("2027-01-04T19:00", True),  # a Monday
    ],
)
def test_somebody_is_there_in_the_shifts_of_the_day(moment: str, is_open: bool) -> None:
    assert HOURS.is_open(at(moment), ZONE) is is_open


@pytest.mark.parametrize(
    ("moment", "opening"),
    [
        ("2026-11-27T11:00", "2026-11-27T12:00"),
        ("2026-11-27T12:00", "2026-11-27T18:00"),
        ("2026-11-27T16:00", "2026-11-27T18:00"),
        ("2026-11-29T12:30", "2026-12-01T12:00"),  # Monday is closed as well
        ("2026-12-24T16:00", "2026-12-26T12:00"),
    ],
)
def test_the_next_shift_is_found_over_closed_days(moment: str, opening: str) -> None:
    assert HOURS.next_opening(at(moment), ZONE) == at(opening)


def test_who_is_never_there_has_no_next_opening() -> None:
    assert OpeningHours().next_opening(at("2026-11-27T11:00"), ZONE) is None
    assert not OpeningHours().is_open(at("2026-11-27T11:00"), ZONE)


def test_the_hours_are_those_of_the_businesss_clock() -> None:
    utc = datetime(2026, 11, 27, 10, 30, tzinfo=UTC)  # 12:30 in Bucharest

    assert HOURS.is_open(utc, ZONE)
    assert not HOURS.is_open(utc, UTC)


def test_a_shift_over_the_change_of_the_clock_is_as_long_as_the_clock_says() -> None:
    night = OpeningHours(week=((Shift(2 * 60, 5 * 60),),) * 7)
    in_spring, in_autumn = at("2026-03-29T01:59"), at("2026-10-25T01:59")

    # 02:00 to 03:00 is there as usual; at 03:00 the clock goes to 04:00.
    assert not night.is_open(in_spring, ZONE)
    assert night.next_opening(in_spring, ZONE) == at("2026-03-29T02:00")
    # After 03:59 it is 03:00 once more: the shift lasts an hour longer.
    assert not night.is_open(in_autumn, ZONE)
    assert night.is_open(at("2026-10-25T03:30").replace(fold=1), ZONE)
