"""The HTTP side of the bridge: requests with a time limit, retries, and a circuit breaker.

What may succeed later is tried again: connection errors, time-outs, 408, 429 and 5xx; no other 4xx.
After FAILURES_TO_OPEN failures in a row the bridge is away: it is asked nothing but `GET /health`,
and told nothing until it has answered that.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from itertools import count
from typing import Any, Self

import httpx
import msgspec

from application.ports import Clock
from domain.backoff import backoff
from domain.errors import BridgeRefused, BridgeUnavailable

logger = logging.getLogger(__name__)

MAX_ANSWER = 64 * 1024
"""Bytes of an answer that are read."""
FAILURES_TO_OPEN = 5
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 2.0
"""Between two tries of one request; what must wait longer waits in the outbox."""
FIRST_PROBE_S, LONGEST_PROBE_S = 0.5, 10.0
"""Between two looks whether the bridge is back."""
LONGEST_RETRY_AFTER_S = 600.0
MENDING_S = 30.0
"""A wrong token or address is an operator's to mend: asking again at once does not help."""

_AGAIN = frozenset({408, 425, 429})
_TO_MEND = frozenset({401, 403, 407})


@dataclass(slots=True)
class _Answer:
    """What has been answered; `body` is None where it is too long, or did not end in time."""

    status: int
    headers: httpx.Headers
    body: bytes | None = None


class ElixirHttp:
    """One connection pool to the bridge; use it as `async with http:`."""

    def __init__(
        self,
        url: str,
        *,
        clock: Clock,
        jitter: Callable[[], float],
        token: str = "",
        timeout_s: float = 5.0,
        attempts: int = 3,
    ) -> None:
        """`url` such as http://localhost:4000; `timeout_s`: for one request, from first to last.

        `token`: sent as a bearer token, unless it is empty. `jitter`: gives floats in 0..1.
        """
        self._url = url.rstrip("/")
        # Not compressed: what is read is what is bounded.
        self._headers = {"Accept-Encoding": "identity"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._timeout_s = timeout_s
        self._attempts = attempts
        self._clock = clock
        self._jitter = jitter
        self._failures = 0
        self._openings = 0
        """How often the circuit has opened since the bridge last did what it was asked."""
        self._probing: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<ElixirHttp {self._url} {'away' if self.is_away else 'there'}>"

    async def __aenter__(self) -> Self:
        self._client = httpx.AsyncClient(
            headers=self._headers, timeout=None, follow_redirects=False
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._probing is not None:
            self._probing.cancel()
            with suppress(asyncio.CancelledError):
                await self._probing
        await self._client.aclose()

    @property
    def is_away(self) -> bool:
        """Whether the circuit is open."""
        return self._probing is not None

    async def back(self) -> None:
        """Return once the circuit is not open."""
        if self._probing is not None:
            await asyncio.shield(self._probing)

    async def send(self, method: str, path: str, body: Mapping[str, object], *, key: str) -> None:
        """Tell the bridge something, `key` being its idempotency key.

        Raises: BridgeUnavailable, BridgeRefused.
        """
        content = msgspec.json.encode(body)
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        answer = await self._ask(method, path, self._attempts, content=content, headers=headers)
        if answer.status == 404:
            raise _refused(answer)

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> Any | None:
        """The JSON at `path`; None where the bridge says 404: not known.

        Asked for once: somebody waits for it. Raises: BridgeUnavailable, BridgeRefused.
        """
        answer = await self._ask("GET", path, 1, params=params)
        if answer.status == 404:
            return None
        try:
            return msgspec.json.decode(answer.body or b"")
        except msgspec.DecodeError as error:
            raise BridgeUnavailable(f"{path} is not JSON of at most {MAX_ANSWER} bytes") from error

    async def _ask(self, method: str, path: str, attempts: int, **request: Any) -> _Answer:
        """The answer, which is a success or 404. Raises: BridgeUnavailable, BridgeRefused."""
        for attempt in range(1, attempts + 1):
            if self.is_away:
                raise BridgeUnavailable("the bridge is away")
            try:
                return self._judged(await self._attempt(method, path, **request))
            except BridgeUnavailable as unavailable:
                pause_s = unavailable.retry_after_s
                if pause_s is None:
                    pause_s = backoff(attempt - 1, FIRST_PAUSE_S, LONGEST_PAUSE_S, self._jitter())
                if attempt == attempts or pause_s > LONGEST_PAUSE_S:
                    raise
                extra = {"action": "bridge_retry", "path": path, "reason": str(unavailable)}
                logger.info("The bridge did not take it, and is asked again", extra=extra)
            await self._clock.sleep(pause_s)
        raise AssertionError("the last attempt returns or raises")

    async def _attempt(self, method: str, path: str, **request: Any) -> _Answer:
        """One request, that counts for the circuit when it fails. Raises: BridgeUnavailable."""
        try:
            return await self._request(method, path, **request)
        except BridgeUnavailable as error:
            self._failed(str(error))
            raise

    async def _request(self, method: str, path: str, **request: Any) -> _Answer:
        """One request, and as much of its answer as has come when its time is over."""
        answer: _Answer | None = None
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._client.stream(method, self._url + path, **request) as response,
            ):
                answer = _Answer(response.status_code, response.headers)
                answer.body = await _bounded(response)
        except (OSError, httpx.HTTPError, httpx.InvalidURL) as error:  # OSError: TimeoutError too
            if answer is None:
                reason = str(error) or type(error).__name__
                raise BridgeUnavailable(f"{self._url}: {reason}") from error
        assert answer is not None
        return answer

    def _judged(self, answer: _Answer) -> _Answer:
        """The answer, if it is a success or 404. Raises: BridgeUnavailable, BridgeRefused."""
        status = answer.status
        if status >= 500:
            self._failed(f"HTTP {status}")
        else:
            self._failures = self._openings = 0
        if 200 <= status < 300 or status == 404:
            return answer
        if status >= 500 or status in _AGAIN:
            retry_after_s = self._retry_after_s(answer.headers.get("Retry-After"))
            raise BridgeUnavailable(f"HTTP {status}", retry_after_s=retry_after_s)
        if status < 400 or status in _TO_MEND:
            raise BridgeUnavailable(f"HTTP {status}", retry_after_s=MENDING_S)
        raise _refused(answer)

    def _retry_after_s(self, value: str | None) -> float | None:
        """Seconds, or a date (RFC 9110, section 10.2.3); None for neither."""
        if value is None:
            return None
        try:
            if value.isdigit():
                seconds = float(value)
            else:
                at = parsedate_to_datetime(value)
                at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
                seconds = (at - self._clock.now()).total_seconds()
        except (ValueError, OverflowError):
            return None
        return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_S)

    def _failed(self, reason: str) -> None:
        self._failures += 1
        if self._failures >= FAILURES_TO_OPEN and self._probing is None:
            extra = {"action": "bridge_away", "reason": reason}
            logger.warning("The bridge is away; what it must be told waits", extra=extra)
            self._probing = asyncio.create_task(self._probe())

    async def _probe(self) -> None:
        """Ask whether it is back until it is; then one more failure opens the circuit again.

        One that says it is well, and is not, is asked as rarely as one that says nothing.
        """
        for looks in count(self._openings):
            if looks:
                await self._clock.sleep(
                    backoff(looks - 1, FIRST_PROBE_S, LONGEST_PROBE_S, self._jitter())
                )
            if await self._is_well():
                break
        self._openings += 1
        self._failures = FAILURES_TO_OPEN - 1
        self._probing = None
        logger.info("The bridge is back", extra={"action": "bridge_back"})

    async def _is_well(self) -> bool:
        try:
            await self.check()
        except BridgeUnavailable:
            return False
        except Exception:  # or the circuit would stay open for ever
            extra = {"action": "bridge_look_crashed"}
            logger.exception("It could not be seen whether the bridge is back", extra=extra)
            return False
        return True

    async def check(self) -> None:
        """`GET /health`. Raises: BridgeUnavailable, saying what is wrong."""
        answer = await self._request("GET", "/health")
        if not 200 <= answer.status < 300:
            raise BridgeUnavailable(f"{self._url}/health answers HTTP {answer.status}")


async def _bounded(response: httpx.Response) -> bytes | None:
    body = bytearray()
    async for piece in response.aiter_raw():
        body += piece
        if len(body) > MAX_ANSWER:
            return None
    return bytes(body)


def _refused(answer: _Answer) -> BridgeRefused:
    """With the `code` or `title` of a problem document (RFC 9457), where the answer is one."""
    reason = f"HTTP {answer.status}"
    try:
        problem = msgspec.json.decode(answer.body or b"")
    except msgspec.DecodeError:
        problem = None
    if isinstance(problem, dict):
        said = problem.get("code") or problem.get("title") or ""
        reason = f"{reason} {str(said)[:100]}".rstrip()
    return BridgeRefused(reason)
