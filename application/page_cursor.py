"""The cursor of a listing: the position of a page's last row, as an opaque text."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from domain.errors import InvalidPayload

T = TypeVar("T")

_OLDEST = datetime(1970, 1, 1, tzinfo=UTC)


def encode_cursor(at: datetime, tie_breaker: object) -> str:
    """Return a cursor for a row's time, and what orders rows of the same time."""
    return urlsafe_b64encode(f"{at.isoformat()} {tie_breaker}".encode()).decode()


def decode_cursor(cursor: str, parse: Callable[[str], T]) -> tuple[datetime, T]:
    """Return the time and the parsed tie-breaker; `parse` raises ValueError for a bad one.

    Raises: InvalidPayload.
    """
    try:
        text, tie_breaker = urlsafe_b64decode(cursor.encode()).decode().split(" ", 1)
        at, parsed = datetime.fromisoformat(text), parse(tie_breaker)
        is_ours = encode_cursor(at, tie_breaker) == cursor and at.utcoffset() == timedelta(0)
        if not is_ours or at < _OLDEST:
            raise ValueError("no listing has written it so")
    except ValueError as error:  # of base64, UTF-8, the split, the time or `parse`
        raise InvalidPayload("cursor was not returned by a listing") from error
    return at, parsed
