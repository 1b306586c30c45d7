"""Opening hours as a business's file has them."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from itertools import pairwise
from typing import Any

from domain.hours import DAY, OpeningHours, Shift

OnMistake = Callable[[str, str], None]
"""Called with the dotted key of a wrong value, and what it must be."""

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_SHIFT_EXAMPLE = "must be like 9:00-18:00"
_KEYS = "is no day: it must be like mon, mon-fri, 12-25 or 2026-12-24"
_LEAP_YEAR = "2000-"

_shift = re.compile(
    r"(\d\d?)(?:[:.](\d\d))?[ \t]*[-\u2013][ \t]*(\d\d?)(?:[:.](\d\d))?", re.ASCII
).fullmatch
_is_date = re.compile(r"(\d{4}-)?\d\d-\d\d", re.ASCII).fullmatch


def read_hours(table: Mapping[str, Any], where: str, on_mistake: OnMistake) -> OpeningHours:
    """Read a table such as `"mon-fri" = ["9:00-13:00", "14:00-18:00"]`; other days are closed."""
    week: list[tuple[Shift, ...]] = [()] * 7
    dates = dict[str, tuple[Shift, ...]]()
    named = dict[int, str]()
    for key, value in table.items():
        name = f"{where}.{key}"
        shifts = _shifts(value, name, on_mistake)
        if _is_date(key):
            if _exists(key):
                dates[key] = shifts
            else:
                on_mistake(name, "is no day of the calendar")
            continue
        days = _days(key)
        if not days:
            on_mistake(name, _KEYS)
        for day in days:
            if day in named:
                on_mistake(name, f"has {DAYS[day]}, which {where}.{named[day]} has, too")
                break
            named[day] = key
            week[day] = shifts
    return OpeningHours(week=tuple(week), dates=dates)


def _exists(key: str) -> bool:
    try:
        date.fromisoformat(key if len(key) == len("2026-12-24") else _LEAP_YEAR + key)
    except ValueError:
        return False
    return True


def _days(key: str) -> list[int]:
    """Return the weekdays that a key names, from 0; none: it is not understood."""
    first, _, last = (part.strip() for part in key.lower().partition("-"))
    last = last if "-" in key else first
    if first not in DAYS or last not in DAYS:
        return []
    start = DAYS.index(first)
    return [(start + days) % 7 for days in range((DAYS.index(last) - start) % 7 + 1)]


def _shifts(value: Any, where: str, on_mistake: OnMistake) -> tuple[Shift, ...]:
    if isinstance(value, str) and value.strip().lower() == "closed":
        return ()
    texts = value if isinstance(value, list) else [value]
    shifts = list[Shift]()
    for index, text in enumerate(texts):
        name = f"{where}[{index}]" if isinstance(value, list) else where
        shift = _read_shift(text) if isinstance(text, str) else None
        if shift is None:
            may_be = "" if isinstance(value, list) else ', a list of such, or "closed"'
            on_mistake(name, f"{_SHIFT_EXAMPLE}{may_be}")
        elif shift.start == shift.end:
            on_mistake(name, "is empty: all day is 0:00-24:00")
        else:
            shifts.append(shift)
    shifts.sort()
    if any(one.end > other.start for one, other in pairwise(shifts)):
        on_mistake(where, "has two shifts at the same time")
    return tuple(shifts)


def _read_shift(text: str) -> Shift | None:
    """Return a shift of up to 24 hours; one that does not end later than it starts is overnight."""
    if (found := _shift(text.strip())) is None:
        return None
    start, end = _minute(found[1], found[2]), _minute(found[3], found[4])
    if start is None or end is None or start == DAY:
        return None
    return Shift(start, end if end >= start else end + DAY)


def _minute(hour: str, minute: str | None) -> int | None:
    minutes = int(hour) * 60 + int(minute or 0)
    return minutes if int(minute or 0) < 60 and minutes <= DAY else None
