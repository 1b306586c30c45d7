"""The HTTP side of the bridge: requests with a time limit, retries, and a circuit breaker.

What may succeed later is tried again: connection errors, time-outs, 408, 425, 429 and 5xx; no other
4xx. After some failures in a row `GET /health` decides, and the other requests wait for it: if it
fails too, the bridge is away, and it is the only request until it is answered. Otherwise one part
of the bridge fails, or some notices do, and the outbox spaces the attempts at each.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
import msgspec

from adapters.http_client import Breaker, read_bounded, retry_after_s
from adapters.json_text import NOT_JSON, decode_json
from adapters.urls import shown_url, without_secrets
from application.ports import Clock, Tracing
from application.tracing import NO_TRACING
from domain.backoff import backoff
from domain.errors import BridgeRefused, BridgeUnavailable

logger = logging.getLogger(__name__)

MAX_REPLY = 64 * 1024
"""Bytes of a reply's body that are read."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 2.0
"""Between two attempts at one request; what must wait longer waits in the outbox."""
FIRST_PROBE_S, LONGEST_PROBE_S = 0.5, 10.0
"""Between two health checks of a bridge that is away."""
LONGEST_RETRY_AFTER_S = 600.0
MISCONFIGURED_PAUSE_S = 30.0
"""For a wrong token or address, which an operator must correct: retrying soon does not help."""

_RETRYABLE = frozenset({408, 425, 429})
_MISCONFIGURED = frozenset({401, 403, 407, 421})


@dataclass(slots=True)
class HttpReply:
    """A reply; `body` is None where it is too long, or did not end in time."""

    status: int
    headers: httpx.Headers
    body: bytes | None = None


class ElixirHttp:
    """A connection pool to the bridge; use it as `async with http:`."""

    def __init__(
        self,
        url: str,
        *,
        clock: Clock,
        jitter: Callable[[], float],
        token: str = "",
        timeout_s: float = 5.0,
        attempts: int = 3,
        tracing: Tracing = NO_TRACING,
    ) -> None:
        """`url` such as http://localhost:4000; `timeout_s`: for one request with its reply.

        `token`: sent as a bearer token, unless it is empty. `jitter`: returns floats in 0..1.
        """
        self._url = url.rstrip("/")
        # Uncompressed, so that the limit on a body is one on what is held in memory.
        self._headers = {"Accept-Encoding": "identity"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._timeout_s = timeout_s
        self._attempts = attempts
        self._tracing = tracing
        self._about = {"server.address": urlsplit(url).hostname or ""}
        self._clock = clock
        self._jitter = jitter
        self._breaker = Breaker()  # open until the health check succeeds
        self._probing: asyncio.Task[None] | None = None
        self._is_away = False
        self._checks = 0
        """The number of times that its health was put in question."""
        self._first_checked = asyncio.Event()
        """Set unless the first health check after failures is under way."""
        self._first_checked.set()

    def __repr__(self) -> str:
        return f"<ElixirHttp {shown_url(self._url)} {'away' if self.is_away else 'there'}>"

    async def __aenter__(self) -> Self:
        try:
            self._client = httpx.AsyncClient(
                headers=self._headers, timeout=None, follow_redirects=False
            )
        except OSError as error:
            raise BridgeUnavailable(f"no certificates in SSL_CERT_FILE or _DIR: {error}") from error
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._probing is not None:
            self._probing.cancel()
            with suppress(asyncio.CancelledError):
                await self._probing
        await self._client.aclose()

    @property
    def is_away(self) -> bool:
        """True if a health check has failed since the last one that did not."""
        return self._is_away

    async def back(self) -> None:
        """Return once its health is not in question."""
        if self._probing is not None:
            await asyncio.shield(self._probing)

    async def send(self, method: str, path: str, body: Mapping[str, object], *, key: str) -> None:
        """Send `body` as JSON, with `key` as the idempotency key.

        Raises: BridgeUnavailable, BridgeRefused.
        """
        content = msgspec.json.encode(body)
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        reply = await self._request(method, path, self._attempts, content=content, headers=headers)
        if reply.status == 404:
            raise _refused(reply)

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> Any | None:
        """Return the JSON at `path`; None where the bridge answers 404: not known.

        There is one attempt only, as somebody waits. Raises: BridgeUnavailable, BridgeRefused.
        """
        reply = await self._request("GET", path, 1, params=params)
        if reply.status == 404:
            return None
        try:
            return decode_json(msgspec.json.decode, reply.body or b"")
        except NOT_JSON as error:
            raise BridgeUnavailable(f"{path} is not JSON of at most {MAX_REPLY} bytes") from error

    async def check(self) -> None:
        """Request `GET /health`. Raises: BridgeUnavailable, saying what is wrong."""
        reply = await self._exchange("GET", "/health")
        if not 200 <= reply.status < 300:
            raise BridgeUnavailable(f"{shown_url(self._url)}/health answers HTTP {reply.status}")

    async def _request(self, method: str, path: str, attempts: int, **request: Any) -> HttpReply:
        """Return a reply that is a success or 404. Raises: BridgeUnavailable, BridgeRefused."""
        checks = self._checks
        for attempt in range(attempts):
            await self._first_checked.wait()
            if self.is_away:
                raise BridgeUnavailable("the bridge is away")
            try:
                return await self._attempt(method, path, **request)
            except BridgeUnavailable as unavailable:
                pause_s = unavailable.retry_after_s
                if pause_s is None:
                    pause_s = backoff(attempt, FIRST_PAUSE_S, LONGEST_PAUSE_S, self._jitter())
                # Where the bridge was found to be well, the request may be what is wrong.
                fails_alone = self._checks != checks and not self.is_away
                if attempt == attempts - 1 or pause_s > LONGEST_PAUSE_S or fails_alone:
                    raise
                extra = {"action": "bridge_retry", "path": path, "reason": str(unavailable)}
                logger.info("A request to the bridge failed and is tried again", extra=extra)
            await self._clock.sleep(pause_s)
        raise AssertionError("the last attempt returns or raises")

    async def _attempt(self, method: str, path: str, **request: Any) -> HttpReply:
        """Make one request, which counts for the circuit.

        Returns a reply that is a success or 404. Raises: BridgeUnavailable, BridgeRefused.
        """
        try:
            reply = await self._exchange(method, path, **request)
        except BridgeUnavailable as error:
            await self._failed(str(error))
            raise
        status = reply.status
        if status >= 500:
            await self._failed(f"HTTP {status}")
        else:
            self._breaker.succeeded()
        if 200 <= status < 300 or status == 404:
            return reply
        if status >= 500 or status in _RETRYABLE:
            wait_s = retry_after_s(reply.headers, self._clock.wall())
            if wait_s is not None:
                wait_s = min(wait_s, LONGEST_RETRY_AFTER_S)
            raise BridgeUnavailable(f"HTTP {status}", retry_after_s=wait_s)
        if status < 400 or status in _MISCONFIGURED:
            raise BridgeUnavailable(f"HTTP {status}", retry_after_s=MISCONFIGURED_PAUSE_S)
        raise _refused(reply)

    async def _exchange(self, method: str, path: str, **request: Any) -> HttpReply:
        """Send a request; return as much of the reply as comes in time.

        Raises: BridgeUnavailable, where not even its head does.
        """
        # Of a path the first two parts: what follows names a conversation, or a customer.
        place = "/".join(path.split("/")[:3])
        about = {"http.request.method": method, "url.template": place, **self._about}
        with self._tracing.span(f"{method} {place}", about, "client") as span:
            request["headers"] = {**request.get("headers", {}), **self._tracing.headers()}
            reply = await self._reply(method, path, **request)
            span.set({"http.response.status_code": reply.status})
            if reply.status >= 400:
                span.fail(str(reply.status))
            return reply

    async def _reply(self, method: str, path: str, **request: Any) -> HttpReply:
        reply: HttpReply | None = None
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._client.stream(method, self._url + path, **request) as response,
            ):
                reply = HttpReply(response.status_code, response.headers)
                reply.body = await read_bounded(response.aiter_raw(), MAX_REPLY)
        except (OSError, httpx.HTTPError, httpx.InvalidURL) as error:  # OSError: TimeoutError too
            if reply is None:
                reason = str(error) or type(error).__name__
                shown = f"{shown_url(self._url)}: {without_secrets(reason)}"
                raise BridgeUnavailable(shown) from error
        assert reply is not None
        return reply

    async def _failed(self, reason: str) -> None:
        """Count a failure; return once it is known whether the bridge is away."""
        has_opened = self._breaker.failed(self._clock.monotonic())
        if has_opened and self._probing is None:
            self._checks += 1
            self._first_checked.clear()
            self._probing = asyncio.create_task(self._probe(reason))
        await self._first_checked.wait()

    async def _probe(self, reason: str) -> None:
        """Check the bridge's health until it is well, ever more rarely."""
        try:
            if not await self._is_well():
                self._is_away = True
                extra = {"action": "bridge_away", "reason": reason}
                logger.warning("The bridge is away; notices to it wait", extra=extra)
        finally:
            self._first_checked.set()
        if self._is_away:
            await self._wait_until_well()
            self._is_away = False
            logger.info("The bridge is back", extra={"action": "bridge_back"})
        self._breaker.half_open()
        self._probing = None

    async def _wait_until_well(self) -> None:
        for checks in count():
            pause_s = backoff(checks, FIRST_PROBE_S, LONGEST_PROBE_S, self._jitter())
            await self._clock.sleep(pause_s)
            if await self._is_well():
                return

    async def _is_well(self) -> bool:
        """Return whether it answers: an application without this route is there, too."""
        try:
            return (await self._exchange("GET", "/health")).status < 500
        except BridgeUnavailable:
            return False
        except Exception:  # or the circuit would stay open for ever
            extra = {"action": "bridge_check_crashed"}
            logger.exception("The health check of the bridge crashed", extra=extra)
            return False


def _refused(reply: HttpReply) -> BridgeRefused:
    """Return the error, with `code` or `title` of a problem document (RFC 9457) in the reply."""
    reason = f"HTTP {reply.status}"
    try:
        problem = decode_json(msgspec.json.decode, reply.body or b"")
    except NOT_JSON:
        problem = None
    if isinstance(problem, dict):
        named = problem.get("code") or problem.get("title") or ""
        reason = f"{reason} {str(named)[:100]}".rstrip()
    return BridgeRefused(reason)
