"""Opening hours: split shifts by weekday, other hours on single dates, in a time zone."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta, tzinfo

from msgspec import Struct, field

DAY = 24 * 60
"""Minutes of a day."""
LOOK_AHEAD_DAYS = 366
"""The days in which the next opening is looked for."""


class Shift(Struct, frozen=True, order=True):
    """A stretch of a day in minutes from midnight; one that ends on the next day ends past DAY."""

    start: int
    end: int


class OpeningHours(Struct, frozen=True, kw_only=True):
    """When somebody is there. Times are those of a clock on the wall: 02:30 may come twice a year,
    or not at all."""

    week: tuple[tuple[Shift, ...], ...] = ((),) * 7
    """The shifts of Monday to Sunday, each in order."""
    dates: Mapping[str, tuple[Shift, ...]] = field(default_factory=dict)
    """The shifts of single days in the place of those of the weekday: `2026-12-24`, or each year
    `12-25`. The full date wins."""

    def is_open(self, at: datetime, zone: tzinfo) -> bool:
        """Return whether somebody is there at a time."""
        return self._shift_at(at.astimezone(zone)) is not None

    def next_opening(self, at: datetime, zone: tzinfo) -> datetime | None:
        """Return the start of the first shift after `at`; None: there is none within a year."""
        local = at.astimezone(zone)
        for days in range(LOOK_AHEAD_DAYS):
            day = local.date() + timedelta(days=days)
            for shift in self.shifts_of(day):
                opening = _moment(day, shift.start, zone)
                if opening > at:
                    return opening
        return None

    def shifts_of(self, day: date) -> tuple[Shift, ...]:
        """Return the shifts that begin on a day."""
        for key in (day.isoformat(), f"{day:%m-%d}"):
            if (shifts := self.dates.get(key)) is not None:
                return shifts
        return self.week[day.weekday()]

    def _shift_at(self, local: datetime) -> Shift | None:
        minute = local.hour * 60 + local.minute
        for days_ago in (0, 1):
            day = local.date() - timedelta(days=days_ago)
            now = minute + days_ago * DAY
            for shift in self.shifts_of(day):
                if shift.start <= now < shift.end:
                    return shift
        return None


def _moment(day: date, minute: int, zone: tzinfo) -> datetime:
    at = time(minute // 60 % 24, minute % 60)
    return datetime.combine(day + timedelta(days=minute // DAY), at, tzinfo=zone)
