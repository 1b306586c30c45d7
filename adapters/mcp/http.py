"""Streamable HTTP as the official SDK speaks it, to a server that is not trusted.

The SDK's transport ends with every exception of its HTTP client, and with it all calls that are
under way; so there is none: whatever comes of a request is an answer, whose JSON-RPC error says
what is known of a call.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import cache
from http import HTTPStatus
from typing import Any

import httpx2
import msgspec

from adapters.http_client import read_bounded
from adapters.json_text import whole_escapes
from application.ports import TRACEPARENT

NOT_SENT, REFUSED, UNANSWERED = 1, 2, 3
"""The codes of errors of the transport: the call did not arrive; it was refused; nobody knows."""
REACH_S = 5.0
MAX_RESPONSE = 2 * 1024 * 1024
"""Bytes of one response, also of a stream of events."""
MAX_ERROR_BODY = 8_000
MAX_STREAMS = 10
"""The streams of events that one connection may ask for: a server may end each at once."""
MAX_REQUESTS_AT_ONCE = 20

_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
# What is read of a server's answer is what it sends: nothing is unpacked.
_PLAIN = {"accept-encoding": "identity"}


class _Answer(httpx2.AsyncByteStream):
    """The body of a response by lines, up to MAX_RESPONSE and a time; the SDK knows its errors."""

    def __init__(self, response: httpx2.Response, until: float | None) -> None:
        self._response = response
        self._until = until

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left, line = MAX_RESPONSE, bytearray()
        pieces = aiter(self._response.stream)  # type: ignore[arg-type]
        while True:
            try:
                async with asyncio.timeout_at(self._until):
                    piece = await anext(pieces)
            except StopAsyncIteration:
                break
            except (TimeoutError, httpx2.HTTPError, httpx2.StreamError) as error:
                raise httpx2.StreamError("the answer broke off") from error
            left -= len(piece)
            if left < 0:
                raise httpx2.StreamError("the answer is too large")
            if ended := max(piece.rfind(b"\n"), piece.rfind(b"\r")) + 1:
                yield whole_escapes(bytes(line + piece[:ended]))
                line.clear()
            line += piece[ended:]
        if line:
            yield whole_escapes(bytes(line))

    async def aclose(self) -> None:
        with suppress(httpx2.HTTPError):
            await self._response.aclose()


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Sends requests to one address alone, follows no redirect, and raises nothing."""

    def __init__(self, url: str, token: str | None, timeout_s: float) -> None:
        """`timeout_s`: for a whole request, but for the streams that stay open."""
        self._url = httpx2.URL(url)
        self._token = token
        self._timeout_s = timeout_s
        self._streams = 0
        limits = httpx2.Limits(max_connections=MAX_REQUESTS_AT_ONCE)
        verify: ssl.SSLContext | bool = _tls() if self._url.scheme == "https" else False
        self._inner = httpx2.AsyncHTTPTransport(verify=verify, limits=limits, trust_env=False)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        message = _Message.of(request)
        if request.url != self._url:
            return message.error(NOT_SENT, "another address than the server's")
        if request.method == "GET":
            self._streams += 1
            if self._streams > MAX_STREAMS:
                return message.error(NOT_SENT, "too many streams")
        stays_open = request.method == "GET" or message.method == "subscriptions/listen"
        now = asyncio.get_running_loop().time()
        until = None if stays_open else now + self._timeout_s
        request.headers.update(_PLAIN)
        # The SDK sends it in a task of its own, where the span is not the current one.
        if message.params.meta.traceparent is not None:
            request.headers[TRACEPARENT] = message.params.meta.traceparent
        if self._token is not None:
            request.headers["authorization"] = f"Bearer {self._token}"
        try:
            async with asyncio.timeout_at(until):
                response = await self._inner.handle_async_request(request)
        except _NOT_SENT:
            return message.error(NOT_SENT, "no connection could be made")
        except (TimeoutError, httpx2.HTTPError, OSError):
            return message.error(UNANSWERED, "no answer came")
        answer = httpx2.Response(
            response.status_code, headers=response.headers, stream=_Answer(response, until)
        )
        if (problem := await _problem(answer, message)) is None:
            return answer
        await answer.aclose()
        return problem

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Meta(msgspec.Struct):
    traceparent: str | None = None


class _Params(msgspec.Struct):
    meta: _Meta = msgspec.field(name="_meta", default_factory=_Meta)


class _Message(msgspec.Struct):
    """The JSON-RPC message of a request."""

    method: str = ""
    id: int | str | None = None
    params: _Params = msgspec.field(default_factory=_Params)

    @classmethod
    def of(cls, request: httpx2.Request) -> "_Message":
        try:
            return msgspec.json.decode(request.content, type=cls)
        except (msgspec.DecodeError, httpx2.StreamError):
            return cls()

    def error(self, code: int, text: str, status: int = HTTPStatus.BAD_REQUEST) -> httpx2.Response:
        """Return a response that the SDK reads as the error of this message."""
        error = {"code": code, "message": text}
        body: dict[str, Any] = {"jsonrpc": "2.0", "id": self.id, "error": error}
        return httpx2.Response(status, json=body)


async def _problem(answer: httpx2.Response, message: _Message) -> httpx2.Response | None:
    """Return what stands for an answer that is no answer to the message; None: it is one."""
    status, kind = answer.status_code, answer.headers.get("content-type", "").lower()
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        return message.error(UNANSWERED, "the answer is packed")
    if 300 <= status < 400:
        kept = status in (HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT)
        return message.error(REFUSED if kept else UNANSWERED, "a redirect, which is not followed")
    if message.method != "tools/call":
        return None
    if status >= 500 or status == HTTPStatus.REQUEST_TIMEOUT:
        return message.error(UNANSWERED, f"HTTP {status}")
    if status >= 400:
        return message.error(REFUSED, await _reason(answer) or f"HTTP {status}")
    if status == HTTPStatus.OK and kind.startswith(("application/json", "text/event-stream")):
        return None
    return message.error(UNANSWERED, "the answer is no result")


class _ErrorText(msgspec.Struct):
    message: str


class _ErrorBody(msgspec.Struct):
    error: _ErrorText


async def _reason(answer: httpx2.Response) -> str:
    """Return the text of the JSON-RPC error in a response; empty: there is none."""
    try:
        body = await read_bounded(answer.stream, MAX_ERROR_BODY)  # type: ignore[arg-type]
        return msgspec.json.decode(body or b"", type=_ErrorBody).error.message
    except (msgspec.DecodeError, httpx2.StreamError):
        return ""


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
