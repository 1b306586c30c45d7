"""Opening hours as they are written: days, ranges, split shifts, midnight, single dates."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.files.hours import DAYS, read_hours
from domain.hours import DAY, OpeningHours, Shift


def read(table: dict[str, Any]) -> OpeningHours:
    mistakes: list[tuple[str, str]] = []
    hours = read_hours(table, "hours", lambda where, reason: mistakes.append((where, reason)))
    assert mistakes == []
    return hours


def mistakes_of(table: dict[str, Any]) -> list[str]:
    mistakes: list[str] = []
    read_hours(table, "hours", lambda where, reason: mistakes.append(f"{where}: {reason}"))
    return mistakes


@pytest.mark.parametrize(
    ("written", "shift"),
    [
        ("9:00-18:00", Shift(540, 1080)),
        ("9-18", Shift(540, 1080)),
        ("09.30–18.15", Shift(570, 1095)),
        (" 9:00 - 18:00 ", Shift(540, 1080)),
        ("18:00-01:00", Shift(1080, DAY + 60)),
        ("0-24", Shift(0, DAY)),
        ("12:00-0:00", Shift(720, DAY)),
    ],
)
def test_a_shift_may_be_written_in_several_ways(written: str, shift: Shift) -> None:
    assert read({"mon": written}).week[0] == (shift,)


@pytest.mark.parametrize(
    ("key", "days"),
    [
        ("sat", ["sat"]),
        ("mon-wed", ["mon", "tue", "wed"]),
        ("Mon-Fri", ["mon", "tue", "wed", "thu", "fri"]),
        ("sat-mon", ["sat", "sun", "mon"]),
        ("mon-sun", list(DAYS)),
    ],
)
def test_a_key_names_a_day_or_several(key: str, days: list[str]) -> None:
    week = read({key: "9-17"}).week

    assert {DAYS[day] for day in range(7) if week[day]} == set(days)


def test_days_that_are_not_named_are_closed_as_those_that_say_so() -> None:
    assert read({"mon": "closed", "tue": "Closed", "wed": []}) == OpeningHours()


def test_single_dates_have_their_own_hours() -> None:
    hours = read({"2026-12-24": "9-12", "12-25": "closed", "02-29": ["9-10", "11-12"]})

    assert hours.dates == {
        "2026-12-24": (Shift(540, 720),),
        "12-25": (),
        "02-29": (Shift(540, 600), Shift(660, 720)),
    }


def test_shifts_come_in_the_order_of_the_day() -> None:
    assert read({"mon": ["18-23", "10-14"]}).week[0] == (Shift(600, 840), Shift(1080, 1380))


@pytest.mark.parametrize(
    ("table", "mistake"),
    [
        ({"mon-fri": ["9 to 5"]}, "hours.mon-fri[0]: must be like 9:00-18:00"),
        ({"mon": "25:00-26:00"},
         'hours.mon: must be like 9:00-18:00, a list of such, or "closed"'),
        ({"mon": "9:60-18:00"},
         'hours.mon: must be like 9:00-18:00, a list of such, or "closed"'),
        ({"mon": 9}, 'hours.mon: must be like 9:00-18:00, a list of such, or "closed"'),
        ({"mon": ["9-10", 7]}, "hours.mon[1]: must be like 9:00-18:00"),
        ({"mon": "9-9"}, "hours.mon: is empty: all day is 0:00-24:00"),
        ({"mon": ["9-12", "11-14"]}, "hours.mon: has two shifts at the same time"),
        ({"monday": "9-12"},
         "hours.monday: is no day: it must be like mon, mon-fri, 12-25 or 2026-12-24"),
        ({"mon-": "9-12"},
         "hours.mon-: is no day: it must be like mon, mon-fri, 12-25 or 2026-12-24"),
        ({"02-30": "closed"}, "hours.02-30: is no day of the calendar"),
        ({"2026-02-29": "closed"}, "hours.2026-02-29: is no day of the calendar"),
        ({"mon-fri": "9-17", "fri": "9-15"}, "hours.fri: has fri, which hours.mon-fri has, too"),
    ],
)  # fmt: skip
def test_a_mistake_names_the_key_and_what_it_may_be(table: dict[str, Any], mistake: str) -> None:
    assert mistakes_of(table) == [mistake]


minutes = st.integers(0, DAY - 1)


@st.composite
def shifts(draw: st.DrawFn) -> tuple[Shift, ...]:
    """Shifts of a day, in order, none within another; only the last may go past midnight."""
    points: list[int] = sorted(draw(st.sets(minutes, max_size=6)))
    day = [Shift(a, b) for a, b in zip(points[::2], points[1::2], strict=False)]
    if points and draw(st.sampled_from([True, False])):
        last = draw(st.integers(points[-1] + 1, points[-1] + DAY - 1))
        if not day or day[-1].end <= points[-1]:
            day.append(Shift(points[-1], last))
    return tuple(day)


def clock(minute: int) -> str:
    return f"{minute // 60 % 24 if minute != DAY else 24}:{minute % 60:02}"


def written(day: tuple[Shift, ...]) -> str | list[str]:
    return [f"{clock(each.start)}-{clock(each.end)}" for each in day] or "closed"


@given(st.lists(shifts(), min_size=7, max_size=7))
def test_what_is_written_is_what_is_read(week: list[tuple[Shift, ...]]) -> None:
    table = {DAYS[day]: written(week[day]) for day in range(7)}

    assert read(table).week == tuple(week)


@given(
    st.dictionaries(
        st.one_of(st.sampled_from([*DAYS, "mon-fri", "12-25", "2026-02-30"]), st.text(max_size=12)),
        st.recursive(st.none() | st.integers() | st.text(max_size=12), st.lists, max_leaves=4),
        max_size=4,
    )
)
def test_whatever_is_written_is_read_or_refused_with_a_reason(table: dict[str, Any]) -> None:
    found = mistakes_of(table)

    assert all(mistake.startswith("hours.") for mistake in found)
    hours = read_hours(table, "hours", lambda where, reason: None)
    for day in (*hours.week, *hours.dates.values()):
        assert all(0 <= each.start < each.end <= each.start + DAY for each in day)
        assert list(day) == sorted(day)
