"""Times of day as people write them, in the languages of the notices."""

from datetime import datetime

from msgspec import Struct

from domain.language import FALLBACK_LANGUAGE, lookup


class _Format(Struct, frozen=True):
    """The names of a language, and how it puts a day and a time together."""

    weekdays: str
    """Monday to Sunday."""
    months: str
    """As in a date: Slavic ones in the genitive."""
    pattern: str


_FORMATS = {
    "ro": _Format(
        "luni marți miercuri joi vineri sâmbătă duminică",
        "ianuarie februarie martie aprilie mai iunie iulie august septembrie octombrie noiembrie "
        "decembrie",
        "{weekday}, {day} {month}, ora {hour}:{minute}",
    ),
    "en": _Format(
        "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
        "January February March April May June July August September October November December",
        "{weekday}, {day} {month}, {hour:0>2}:{minute}",
    ),
    "de": _Format(
        "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
        "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        "{weekday}, {day}. {month}, {hour}:{minute} Uhr",
    ),
    "fr": _Format(
        "lundi mardi mercredi jeudi vendredi samedi dimanche",
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "{weekday} {ordinal} {month} à {hour} h {minute}",
    ),
    "hu": _Format(
        "hétfő kedd szerda csütörtök péntek szombat vasárnap",
        "január február március április május június július augusztus szeptember október november "
        "december",
        "{month} {day}., {weekday}, {hour}:{minute}",
    ),
    "it": _Format(
        "lunedì martedì mercoledì giovedì venerdì sabato domenica",
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre "
        "dicembre",
        "{weekday} {day} {month}, ore {hour}:{minute}",
    ),
    "es": _Format(
        "lunes martes miércoles jueves viernes sábado domingo",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "{weekday} {day} de {month}, {hour}:{minute} h",
    ),
    "uk": _Format(
        "понеділок вівторок середа четвер п’ятниця субота неділя",
        "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня",
        "{weekday}, {day} {month}, {hour}:{minute}",
    ),
}


def weekdays(language: str) -> tuple[str, ...]:
    """Return the names of Monday to Sunday, in English where there are none in a language."""
    form = _FORMATS[lookup(language, _FORMATS) or FALLBACK_LANGUAGE]
    return tuple(form.weekdays.split())


def day_and_time(at: datetime, language: str) -> str:
    """Return a time in its own zone: `luni, 30 noiembrie, ora 9:00`.

    In a language without names here: `2026-11-30 09:00`.
    """
    found = lookup(language, _FORMATS)
    if found is None:
        return f"{at:%Y-%m-%d %H:%M}"
    form = _FORMATS[found]
    return form.pattern.format(
        weekday=form.weekdays.split()[at.weekday()],
        day=at.day,
        ordinal="1er" if at.day == 1 else at.day,
        month=form.months.split()[at.month - 1],
        hour=at.hour,
        minute=f"{at:%M}",
    )
