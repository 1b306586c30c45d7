"""A cursor carries a position through a client that cannot read it, and may have changed it."""

from base64 import urlsafe_b64encode
from datetime import timedelta

import pytest

from application.page_cursor import decode_cursor, encode_cursor
from domain.errors import InvalidPayload
from tests.contract.stores import NOON


@pytest.mark.parametrize("tie_breaker", ["s1", "a b#ă", ""])
def test_a_position_is_read_back(tie_breaker: str) -> None:
    at = NOON + timedelta(milliseconds=1)

    assert decode_cursor(encode_cursor(at, tie_breaker), str) == (at, tie_breaker)


def test_a_tie_breaker_has_the_type_that_is_asked_for() -> None:
    assert decode_cursor(encode_cursor(NOON, 7), int) == (NOON, 7)


@pytest.mark.parametrize(
    "text",
    [
        *("2026-03-01T12:00:00 7", "noon 7", "2026-03-01T12:00:00+00:00 seven", "7"),
        *(
            "1969-12-31T23:59:59+00:00 7",
            "0001-01-01T00:00:00+14:00 7",
            "9999-12-31T23:59:59-14:00 7",
        ),
        *("2026-03-01T12:00:00Z 7", "20260301T120000+0000 7", "2026-03-01T13:00:00+01:00 7"),
    ],
)
def test_a_position_that_cannot_be_parsed_is_refused(text: str) -> None:
    with pytest.raises(InvalidPayload, match="cursor"):
        decode_cursor(urlsafe_b64encode(text.encode()).decode(), int)
