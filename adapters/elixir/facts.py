"""The facts of a business, read from whatever natural shape an application gives them.

The documented shape is `{name, language?, persona?, facts?}`. Besides, JSON may come in `{"data":
…}`, keys in camelCase or snake_case and under their usual synonyms, and what else a business has
becomes a fact.
"""

import re
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from adapters.fact_text import fact_text
from domain.business import Business, Reservation
from domain.identity import BusinessId
from domain.plain_text import plain_text

T = TypeVar("T")

# Keys without their separators, in lower case.
_NAME = ("name", "businessname", "displayname", "title")
_LANGUAGE = ("language", "locale", "lang")
_RESERVATIONS = ("reservations", "bookings", "items")
_ID = ("reservationid", "bookingid", "id", "reference")
_DATE = ("date", "reservationdate", "bookingdate", "day")
_TIME = ("time", "reservationtime", "bookingtime", "starttime", "hour")
_START = (
    *("startsat", "startat", "start", "starts", "datetime", "scheduledat", "scheduledfor"),
    *("reservedat", "reservedfor", "reservationat", "at", "date"),
)
_GUESTS = (
    *("guests", "numberofguests", "guestcount", "numberofpeople", "people", "persons"),
    *("partysize", "covers", "pax", "seats"),
)
_GUEST = ("name", "customername", "guestname")
_NO_FACTS = {
    *(*_NAME, *_LANGUAGE, "persona", "facts"),
    *("id", "businessid", "additions", "insertedat", "createdat", "updatedat", "deletedat"),
}
_IS_ID = re.compile(r"(^|_)(ids?|uuid)$|I[dD]s?$", re.ASCII)
_SECRETS = ("token", "secret", "passw", "hash", "apikey", "credential")
"""Parts of keys of what an application keeps to itself: facts are shown to users."""
_SEPARATORS = str.maketrans("", "", "_- ")
_START_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?:[:.,\d]*)(Z|[+-]00:?00)?.*", re.ASCII)
_FULL_TIME = re.compile(r"\d\d:\d\d:\d\d(\.\d+)?", re.ASCII)


def business_of(business_id: BusinessId, found: Any) -> Business | None:
    """Read a business; None: it is not understood, as it has no name.

    Its language is empty where none is given.
    """
    found = _unwrapped(found)
    if not isinstance(found, dict):
        return None
    name = _first(found, _NAME, str)
    if name is None:
        return None
    declared = found.get("facts")
    others = {key: value for key, value in found.items() if _plain(key) not in _NO_FACTS}
    declared = declared if isinstance(declared, dict) else {"facts": declared}
    facts = {**_shown(others), **declared}
    return Business(
        business_id=business_id,
        name=name,
        language=_language(_first(found, _LANGUAGE, str)),
        persona=_first(found, ("persona",), str) or "",
        facts={
            plain_text(topic): text
            for topic, fact in facts.items()
            if (text := fact_text(fact, _shown))
        },
    )


def reservations_of(found: Any) -> tuple[Reservation, ...] | None:
    """Read a user's reservations without the cancelled ones; None: one is not understood."""
    found = _unwrapped(found)
    listed = _first(found, _RESERVATIONS, list) if isinstance(found, dict) else found
    if not isinstance(listed, list):
        return None
    valid = [each for each in listed if not _is_cancelled(each)]
    reservations = [_reservation(each) for each in valid]
    understood = tuple(each for each in reservations if each is not None)
    return understood if len(understood) == len(valid) else None


def _reservation(found: Any) -> Reservation | None:
    if not isinstance(found, dict):
        return None
    guests = _first(found, _GUESTS, int)
    date, time = _when(found)
    if guests is None or date is None or time is None:
        return None
    reservation_id = _first(found, _ID, str)
    if reservation_id is None:
        reservation_id = str(_first(found, _ID, int) or "")
    return Reservation(
        reservation_id=reservation_id,
        date=date,
        time=time,
        guests=guests,
        name=_first(found, _GUEST, str) or "",
    )


def _when(found: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the date and the time, which is UTC only where it says so."""
    date, time = _first(found, _DATE, str), _first(found, _TIME, str)
    if date is not None and time is not None:
        return date, time[:5] if _FULL_TIME.fullmatch(time) else time
    start = _START_TIME.fullmatch(_first(found, _START, str) or "")
    if start is None:
        return None, None
    return start[1], f"{start[2]} UTC" if start[3] else start[2]


def _is_cancelled(found: Any) -> bool:
    status = found.get("status") if isinstance(found, dict) else None
    return isinstance(status, str) and status.lower().startswith("cancel")


def _unwrapped(found: Any) -> Any:
    """Return what is in `data`, as Phoenix's generators wrap it."""
    if isinstance(found, dict) and isinstance(found.get("data"), dict | list):
        return found["data"]
    return found


def _first(found: Mapping[str, Any], keys: tuple[str, ...], kind: type[T]) -> T | None:
    """Return the value of the first of these keys that has one of this type."""
    plain = {_plain(key): value for key, value in found.items()}
    for key in keys:
        value = plain.get(key)
        if isinstance(value, kind) and not isinstance(value, bool) and value != "":
            return cast(T, plain_text(value)) if isinstance(value, str) else value
    return None


def _plain(key: str) -> str:
    return key.translate(_SEPARATORS).lower()


def _language(locale: str | None) -> str:
    """Return the BCP 47 tag of a locale, which may be a POSIX one: `ro_RO.UTF-8`; "": none."""
    return re.split(r"[.@]", locale or "")[0].strip().replace("_", "-")


def _shown(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts that users may see: no ids, nothing that looks like a secret."""
    return {
        key: fact
        for key, fact in facts.items()
        if not _IS_ID.search(key) and not any(part in _plain(key) for part in _SECRETS)
    }
