"""Shared parts of the HTTP clients: `Retry-After`, bounded bodies, a circuit breaker."""

import math
from collections.abc import AsyncIterable, Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

FAILURES_TO_OPEN = 5
"""Failures in a row after which a circuit breaker opens."""


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the pause in seconds that a server asks for; None: it asks for none.

    `headers`: with lower-case names, or a case-insensitive mapping. `Retry-After` is a number of
    seconds or a date (RFC 9110, section 10.2.3); `Retry-After-Ms`, which OpenAI's server sends, is
    finer, and preferred.
    """
    try:
        if "retry-after-ms" in headers:
            seconds = float(headers["retry-after-ms"]) / 1000
        elif (value := headers.get("retry-after", "")).replace(".", "", 1).isdigit():
            seconds = float(value)
        else:
            at = parsedate_to_datetime(value)
            at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
            seconds = (at - now).total_seconds()
    except (ValueError, OverflowError):
        return None
    return None if math.isnan(seconds) else max(seconds, 0.0)


async def read_bounded(pieces: AsyncIterable[bytes], limit: int) -> bytes | None:
    """Return a body that comes in pieces; None if it has more than `limit` bytes.

    No more is read than it takes to know.
    """
    body = bytearray()
    async for piece in pieces:
        body += piece
        if len(body) > limit:
            return None
    return bytes(body)


class Breaker:
    """A circuit breaker: stops requests to a server that fails again and again.

    Closed, it lets every request pass. FAILURES_TO_OPEN failures in a row open it, and no request
    passes. After a rest it is half-open: one request passes as a trial, whose success closes it,
    and whose failure opens it again. `half_open` ends the rest where something else, such as a
    health check, shows that the server is back.

    Pure: `now` is in seconds, by any one clock.
    """

    def __init__(self, rest_s: Callable[[int], float] = lambda openings: math.inf) -> None:
        """`rest_s`: the rest, given how often it has opened before since the last success."""
        self._rest_s = rest_s
        self._failures = 0
        self.openings = 0
        """The number of times that it has opened since the last success."""
        self._until: float | None = None
        """The time at which the rest ends; None while it is closed."""
        self._has_trial = False

    def is_open(self, now: float) -> bool:
        """Return True if no request may pass."""
        return self._has_trial or (self._until is not None and now < self._until)

    def admit(self, now: float) -> bool:
        """Return True if a request may pass, which then begins.

        Its end must be noted by `succeeded`, `failed` or `released`.
        """
        if self.is_open(now):
            return False
        self._has_trial = self._until is not None
        return True

    def released(self) -> None:
        """Note that a request ended without showing whether the server works."""
        self._has_trial = False

    def succeeded(self) -> None:
        """Note that the server did what it was asked: closes the circuit."""
        self._failures = self.openings = 0
        self._until, self._has_trial = None, False

    def failed(self, now: float) -> bool:
        """Note a failure. Return True if it has opened the circuit."""
        if self._until is not None and not self._has_trial:
            return False  # of a request that passed before the circuit opened
        self._failures += 1
        if self._failures < FAILURES_TO_OPEN and not self._has_trial:
            return False
        self._until = now + self._rest_s(self.openings)
        self.openings += 1
        self._has_trial = False
        return True

    def half_open(self) -> None:
        """Let all requests pass again; the next failure, if no success is before it, opens it."""
        self._failures = FAILURES_TO_OPEN - 1
        self._until, self._has_trial = None, False
