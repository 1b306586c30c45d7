"""Opening hours in words, in the languages of the notices."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import groupby

from domain.dates import weekdays
from domain.hours import DAY, OpeningHours, Shift
from domain.language import FALLBACK_LANGUAGE, lookup

MAX_DATES = 60
"""The most single dates that are named."""
_NEXT_DAYS = 14
"""The days from today on of which the dates with other hours are named."""

_CLOSED = {
    "ro": "închis",
    "en": "closed",
    "de": "geschlossen",
    "fr": "fermé",
    "hu": "zárva",
    "it": "chiuso",
    "es": "cerrado",
    "uk": "зачинено",
}


def week_text(hours: OpeningHours, language: str) -> str:
    """Return the hours of a week; days in a row with the same hours are named together."""
    tag = _tag(language)
    days = weekdays(tag)
    parts = []
    for shifts, numbers in groupby(range(len(days)), key=lambda day: hours.week[day]):
        first, *rest = numbers
        named = f"{days[first]}–{days[rest[-1]]}" if rest else days[first]
        parts.append(f"{named} {_day_text(shifts, tag)}")
    return "; ".join(parts)


def dates_text(hours: OpeningHours, language: str) -> str:
    """Return the single dates with other hours, at most MAX_DATES: `12-25` is each year's."""
    tag = _tag(language)
    dates = sorted(hours.dates.items())[:MAX_DATES]
    return "; ".join([f"{day} {_day_text(shifts, tag)}" for day, shifts in dates])


def next_dates_text(hours: OpeningHours, today: date, language: str) -> str:
    """Return the next days with other hours than the week's, in the next two weeks."""
    tag = _tag(language)
    days = [today + timedelta(days=number) for number in range(_NEXT_DAYS)]
    other = [day for day in days if hours.shifts_of(day) != hours.week[day.weekday()]]
    return "; ".join([f"{day.isoformat()} {_day_text(hours.shifts_of(day), tag)}" for day in other])


def _day_text(shifts: Sequence[Shift], tag: str) -> str:
    """Return the hours of a day."""
    return ", ".join([f"{_time(s.start)}–{_time(s.end)}" for s in shifts]) or _CLOSED[tag]


def _time(minute: int) -> str:
    if minute != DAY:
        minute %= DAY
    return f"{minute // 60:02}:{minute % 60:02}"


def _tag(language: str) -> str:
    return lookup(language, _CLOSED) or FALLBACK_LANGUAGE
