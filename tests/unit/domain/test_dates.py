"""Times of day as people write them."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from domain.dates import day_and_time
from domain.language import NOTICE_LANGUAGES

MONDAY = datetime(2026, 11, 30, 9, tzinfo=ZoneInfo("Europe/Bucharest"))


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("ro", "luni, 30 noiembrie, ora 9:00"),
        ("en", "Monday, 30 November, 09:00"),
        ("en-GB", "Monday, 30 November, 09:00"),
        ("de", "Montag, 30. November, 9:00 Uhr"),
        ("fr", "lundi 30 novembre à 9 h 00"),
        ("hu", "november 30., hétfő, 9:00"),
        ("it", "lunedì 30 novembre, ore 9:00"),
        ("es", "lunes 30 de noviembre, 9:00 h"),
        ("uk", "понеділок, 30 листопада, 9:00"),
        ("pl", "2026-11-30 09:00"),
    ],
)
def test_a_time_is_written_as_in_its_language(language: str, written: str) -> None:
    assert day_and_time(MONDAY, language) == written


@pytest.mark.parametrize("language", NOTICE_LANGUAGES)
def test_each_day_of_the_week_and_each_month_has_a_name_of_its_own(language: str) -> None:
    days = {day_and_time(datetime(2026, 6, day, 9, 5), language) for day in range(1, 8)}
    months = {day_and_time(datetime(2026, month, 1, 0, 0), language) for month in range(1, 13)}

    assert (len(days), len(months)) == (7, 12)
    assert all("05" in day for day in days)


def test_the_first_of_a_month_is_an_ordinal_in_french() -> None:
    assert day_and_time(datetime(2026, 12, 1, 18, 30), "fr") == "mardi 1er décembre à 18 h 30"
