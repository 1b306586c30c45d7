"""One try of a model over the official SDK: the request, its reply as it comes, its failure."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, Self, cast

import httpx2
import msgspec
import openai

from adapters.model.failures import AttemptFailed, Recovery, classify_error
from adapters.openai.stream import Reply
from application.ports import Clock
from domain.errors import AssistantFailed
from domain.usage import Usage

CONNECT_S = 5.0
MAX_IDLE = 10
"""Connections that are kept for later: for each request the pool looks at all of them."""
STALL_S = 15.0
"""Between two pieces of an answer, as long as there is something else to try."""
END_S = 0.1
"""For the rest of a reply that is complete: its end lets the connection be used again."""
USAGE_S = 1.0
"""For what a complete reply has cost."""
MAX_ERROR = 64 * 1024
"""Bytes of an error's body that are read."""

_LIBRARIES = ("openai", "httpx2", "httpcore2")
_USAGE, _LIMIT = "stream_options", "max_completion_tokens"
_OPTIONAL = (_USAGE, _LIMIT)

Message = dict[str, Any]
"""`{"role", "content", …}` as Chat Completions has it."""


class Deadline:
    """When an answer must be there."""

    def __init__(self, seconds: float) -> None:
        self._at = asyncio.get_running_loop().time() + seconds

    @property
    def left_s(self) -> float:
        """Seconds that are left, at least 0."""
        return max(0.0, self._at - asyncio.get_running_loop().time())


@dataclass(slots=True, kw_only=True)
class CompletionRequest:
    """What one answer needs of the models, in one call or several."""

    models: Sequence[str]
    """Those to ask, the best first; one that has failed is not asked again for this answer."""
    deadline: Deadline
    messages: list[Message]
    shorten: Callable[[], list[Message] | None] = lambda: None
    """Fewer messages, where the model's context is too small for all; None: it can be no less."""
    max_tokens: int
    tools: Sequence[object] = ()
    tools_allowed: bool = True
    hear: Callable[[str], None] = lambda piece: None
    anew: Callable[[], None] = lambda: None
    """What was heard of this reply is void: it begins again."""
    usage: Usage = field(default_factory=Usage)
    """What it has cost so far, failed tries included."""
    without: set[str] = field(default_factory=set)
    """The parameters that the server seems not to know."""


class Client:
    """One connection pool to the server of the models; use it as `async with client:`."""

    def __init__(self, base_url: str, api_key: str, clock: Clock) -> None:
        """`base_url`: with the version, such as https://api.openai.com/v1."""
        self._base_url = base_url
        self._api_key = api_key
        # Not compressed: what is read is what is bounded.
        self._headers: dict[str, str | openai.Omit] = {
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
        }
        if not api_key:
            self._headers["Authorization"] = openai.Omit()
        self._clock = clock
        self._unknown: set[str] = set()
        """The parameters without which the server has answered what it refused with them."""

    async def __aenter__(self) -> Self:
        for library in _LIBRARIES:  # what they log below that quotes what the server says
            logging.getLogger(library).setLevel(logging.WARNING)
        limits = httpx2.Limits(
            max_connections=None, max_keepalive_connections=MAX_IDLE, keepalive_expiry=30
        )
        # Every wait has its time limit here, but for the one for a connection.
        timeout = httpx2.Timeout(None, connect=CONNECT_S)
        try:
            self._http = httpx2.AsyncClient(
                limits=limits,
                timeout=timeout,
                follow_redirects=False,  # the conversation goes where the settings say, or nowhere
                event_hooks={"response": [_bound_error]},
            )
            self._client = openai.AsyncOpenAI(
                api_key=self._api_key,
                base_url=self._base_url,
                timeout=timeout,
                max_retries=0,
                http_client=self._http,
                _enforce_credentials=False,
            )
        except httpx2.InvalidURL:
            raise AssistantFailed("OPENAI_BASE_URL is not an address") from None
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._client.close()

    async def attempt(
        self, model: str, errand: CompletionRequest, patience_s: float, *, is_last: bool
    ) -> Reply:
        """One request and its reply, of which something must come in time. Raises: TryFailed."""
        reply, failed = Reply(), None
        stall_s = patience_s if is_last else min(STALL_S, patience_s)
        try:
            async with asyncio.timeout(patience_s) as limit:
                response = await self._send(model, errand)
                try:
                    await _read(response, reply, errand.hear, limit, stall_s, errand.deadline)
                finally:
                    await response.aclose()
        except TimeoutError:
            if not reply.is_complete:
                silence = "stopped in the middle" if reply.signs else "said nothing"
                failed = AttemptFailed(f"it {silence} for too long", is_slow=True)
        except (openai.OpenAIError, httpx2.HTTPError, httpx2.StreamError, OSError) as error:
            if not reply.is_complete:
                failed = self._judged(error, errand)
        finally:
            errand.usage = errand.usage.plus(reply.usage(model))
        # Outside of `except`: what the SDK raises may quote the request or the key, and would be
        # part of this error's traceback.
        if failed is not None:
            raise failed
        self._unknown |= errand.without
        return reply

    async def _send(self, model: str, errand: CompletionRequest) -> httpx2.Response:
        # `post` is the SDK's way to say what it has no method for. `chat.completions.create` does
        # the same, and takes several times as long to transform the messages.
        response = await self._client.post(
            "/chat/completions",
            cast_to=httpx2.Response,
            content=msgspec.json.encode(self._body(model, errand)),
            # The key is not sent to OpenAI; the SDK would make one of the system's randomness.
            options={"headers": self._headers, "idempotency_key": "-"},
            stream=True,
            stream_cls=openai.AsyncStream,
        )
        return cast(httpx2.Response, response)  # as `cast_to` says, and its type does not

    def _body(self, model: str, errand: CompletionRequest) -> dict[str, object]:
        unknown = self._unknown | errand.without
        limit = "max_tokens" if _LIMIT in unknown else _LIMIT
        body: dict[str, object] = {
            "model": model,
            "messages": errand.messages,
            "stream": True,
            limit: errand.max_tokens,
        }
        if _USAGE not in unknown:
            body[_USAGE] = {"include_usage": True}
        if errand.tools:
            body["tools"] = errand.tools
            if not errand.tools_allowed:
                body["tool_choice"] = "none"
        return body

    def _judged(self, error: Exception, errand: CompletionRequest) -> AttemptFailed:
        """What an exception of the SDK means."""
        if isinstance(error, openai.APIStatusError):
            status = error.status_code
            failed = classify_error(status, error.body)
            failed.retry_after_s = self._retry_after_s(error.response.headers)
            if status in (400, 422) and failed.remedy is Recovery.ELSEWHERE:
                known = [name for name in _OPTIONAL if name not in self._unknown | errand.without]
                _suggest_plainer(failed, str(error.body), known)
            return failed
        cause = error.__cause__ or error
        said = f": {cause}" if isinstance(cause, httpx2.ConnectError) else ""
        return AttemptFailed(f"{type(cause).__name__}{said}")

    def _retry_after_s(self, headers: httpx2.Headers) -> float | None:
        """In milliseconds, in seconds, or as a date (RFC 9110, section 10.2.3); None: not said."""
        try:
            if "retry-after-ms" in headers:
                seconds = float(headers["retry-after-ms"]) / 1000
            elif (value := headers.get("retry-after", "")).replace(".", "", 1).isdigit():
                seconds = float(value)
            else:
                at = parsedate_to_datetime(value)
                at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
                seconds = (at - self._clock.now()).total_seconds()
        except (ValueError, OverflowError):
            return None
        return max(seconds, 0.0) if seconds == seconds else None  # float("nan") is a float too


def _suggest_plainer(failed: AttemptFailed, told: str, parameters: Sequence[str]) -> None:
    """Where an error names one of the parameters, the request may do without it."""
    for parameter in parameters:
        if parameter in told:
            failed.remedy, failed.parameter = Recovery.PLAINER, parameter
            return


async def _read(
    response: httpx2.Response,
    reply: Reply,
    hear: Callable[[str], None],
    limit: asyncio.Timeout,
    stall_s: float,
    deadline: Deadline,
) -> None:
    """The whole reply, as long as it shows signs of life. Raises: TryFailed."""
    now, signs, ending_s = asyncio.get_running_loop().time, 0, None
    async for data in response.aiter_raw():
        text = reply.feed(data)
        if text:
            hear(text)
        if reply.is_complete:
            rest_s = END_S if reply.is_settled else USAGE_S
            if ending_s in (None, USAGE_S) and rest_s != ending_s:  # once: what follows may be long
                limit.reschedule(now() + min(rest_s, deadline.left_s))
            ending_s = rest_s
        elif reply.signs != signs:
            signs = reply.signs
            limit.reschedule(now() + min(stall_s, deadline.left_s))
    if text := reply.end():
        hear(text)


async def _bound_error(response: httpx2.Response) -> None:
    """The SDK reads the whole body of an error, whatever its size."""
    if not response.is_success:
        response.headers.pop("Content-Encoding", None)  # nor is it unpacked
        stream = response.stream
        assert isinstance(stream, httpx2.AsyncByteStream)
        response.stream = _Bounded(stream)


class _Bounded(httpx2.AsyncByteStream):
    """The beginning of a body."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for piece in self._stream:
            yield piece
            size += len(piece)
            if size > MAX_ERROR:
                return

    async def aclose(self) -> None:
        await self._stream.aclose()
