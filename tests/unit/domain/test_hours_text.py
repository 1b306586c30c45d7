"""Opening hours in words."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.business import Business, Location, hours_at, zone_of
from domain.hours import DAY, OpeningHours, Shift
from domain.hours_text import MAX_DATES, dates_text, next_dates_text, week_text
from domain.identity import BusinessId
from domain.language import NOTICE_LANGUAGES

BUCHAREST = ZoneInfo("Europe/Bucharest")
LUNCH, DINNER, LATE = Shift(9 * 60, 12 * 60), Shift(14 * 60, 18 * 60), Shift(18 * 60, DAY + 120)
WEEK = OpeningHours(
    week=((LUNCH, DINNER),) * 4 + ((LATE,), (Shift(600, DAY),), ()),
    dates={"2026-12-24": (LUNCH,), "12-25": (), "2026-01-01": ()},
)


def test_days_in_a_row_with_the_same_hours_are_named_together() -> None:
    assert week_text(WEEK, "ro") == (
        "luni–joi 09:00–12:00, 14:00–18:00; vineri 18:00–02:00; sâmbătă 10:00–24:00; "
        "duminică închis"
    )
    assert week_text(OpeningHours(), "en") == "Monday–Sunday closed"


def test_single_dates_are_named_and_bounded() -> None:
    many = OpeningHours(dates={f"2026-{1 + n // 28:02}-{1 + n % 28:02}": () for n in range(300)})

    assert dates_text(WEEK, "en") == "12-25 closed; 2026-01-01 closed; 2026-12-24 09:00–12:00"
    assert dates_text(many, "en").count("closed") == MAX_DATES
    assert dates_text(OpeningHours(), "en") == ""


def test_the_next_dates_are_those_of_two_weeks_on_which_the_hours_differ() -> None:
    assert next_dates_text(WEEK, date(2026, 12, 20), "de") == (
        "2026-12-24 09:00–12:00; 2026-12-25 geschlossen"
    )
    assert next_dates_text(WEEK, date(2026, 6, 1), "de") == ""
    # A Sunday is closed in any case.
    assert next_dates_text(WEEK, date(2033, 12, 25), "en") == ""


@pytest.mark.parametrize("language", [*NOTICE_LANGUAGES, "de-AT", "pt"])
def test_hours_are_told_in_each_language_of_the_notices(language: str) -> None:
    told = week_text(WEEK, language)

    assert told.count("09:00–12:00") == 1
    assert (told == week_text(WEEK, "en")) == (language in ("en", "pt"))
    assert (told == week_text(WEEK, "de")) == (language in ("de", "de-AT"))


@given(st.text(max_size=100) | st.sampled_from(["UTC", "Europe", "../etc/passwd", "/", "\0"]))
def test_a_time_zone_that_there_is_not_falls_back(name: str) -> None:
    business = Business(business_id=BusinessId("b1"), name="B", time_zone=name)
    zone = zone_of(business, BUCHAREST)

    assert zone == (ZoneInfo("UTC") if name == "UTC" else BUCHAREST)


def test_the_businesss_zone_and_the_locations_hours_go_first() -> None:
    business = Business(
        business_id=BusinessId("b1"),
        name="B",
        time_zone="Asia/Tokyo",
        hours=WEEK,
        locations={"l1": Location(name="One", hours=OpeningHours()), "l2": Location(name="Two")},
    )

    assert zone_of(business, BUCHAREST) == ZoneInfo("Asia/Tokyo")
    assert zone_of(None, BUCHAREST) == BUCHAREST
    assert hours_at(business, "l1") == OpeningHours()
    assert hours_at(business, "l2") == hours_at(business, None) == hours_at(business, "x") == WEEK
    assert hours_at(None, "l1") is None
