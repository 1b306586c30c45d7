"""One request to a model over the official SDK: its body, its reply as it comes, its failure."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Self, cast

import httpx2
import msgspec
import openai

from adapters.http_client import retry_after_s
from adapters.model.completion import Completion, CompletionClient, CompletionRequest, Deadline
from adapters.model.failures import AttemptFailed, Recovery, classify_error
from adapters.openai.stream import CompletionParser
from application.ports import Clock
from domain.errors import AssistantFailed

CONNECT_S = 5.0
MAX_IDLE = 10
"""Connections that are kept open for later: for each request the pool looks at all of them."""
STALL_S = 15.0
"""Between two pieces of a reply, as long as there is something else to try."""
END_S = 0.1
"""The time to read the rest of a complete reply, so that the connection can be used again."""
USAGE_S = 1.0
"""The time to wait for the token counts of a complete reply."""
MAX_ERROR = 64 * 1024
"""Bytes of an error's body that are read."""

_LIBRARIES = ("openai", "httpx2", "httpcore2")
_USAGE, _LIMIT = "stream_options", "max_completion_tokens"
_OPTIONAL = (_USAGE, _LIMIT)


class OpenAIClient(CompletionClient):
    """A connection pool to a server of Chat Completions; use it as `async with client:`."""

    def __init__(self, base_url: str, api_key: str, clock: Clock) -> None:
        """`base_url`: with the version, such as https://api.openai.com/v1.

        `api_key`: sent as a bearer token, unless it is empty.
        """
        self._base_url = base_url
        self._api_key = api_key
        # Uncompressed, so that the limits on a body are ones on what is held in memory.
        self._headers: dict[str, str | openai.Omit] = {
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
        }
        if not api_key:
            self._headers["Authorization"] = openai.Omit()
        self._clock = clock
        self._unknown: set[str] = set()
        """The parameters that the server refused, and without which it then answered."""

    async def __aenter__(self) -> Self:
        for library in _LIBRARIES:  # what they log below this quotes what the server sends
            logging.getLogger(library).setLevel(logging.WARNING)
        limits = httpx2.Limits(
            max_connections=None, max_keepalive_connections=MAX_IDLE, keepalive_expiry=30
        )
        # All waits are limited here, but for the one for a connection.
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
        self, model: str, request: CompletionRequest, patience_s: float, *, is_last: bool
    ) -> Completion:
        parser, failed = CompletionParser(), None
        stall_s = patience_s if is_last else min(STALL_S, patience_s)
        try:
            async with asyncio.timeout(patience_s) as limit:
                response = await self._send(model, request)
                try:
                    await _read(response, parser, request.on_text, limit, stall_s, request.deadline)
                finally:
                    await response.aclose()
        except TimeoutError:
            if not parser.is_complete:
                silence = "stopped in the middle" if parser.progress else "said nothing"
                failed = AttemptFailed(f"it {silence} for too long", is_slow=True)
        except (openai.OpenAIError, httpx2.HTTPError, httpx2.StreamError, OSError) as error:
            if not parser.is_complete:
                failed = self._classify(error, request)
        finally:
            request.usage = request.usage.plus(parser.usage(model))
        # Outside of `except`: what the SDK raises may quote the request or the key, and would be
        # part of this error's traceback.
        if failed is not None:
            raise failed
        self._unknown |= request.dropped_parameters
        return parser.completion

    async def _send(self, model: str, request: CompletionRequest) -> httpx2.Response:
        # `post` is the SDK's way for what it has no method for. `chat.completions.create` does the
        # same, and takes several times as long to transform the messages.
        response = await self._client.post(
            "/chat/completions",
            cast_to=httpx2.Response,
            content=msgspec.json.encode(self._body(model, request)),
            # The key is not sent to OpenAI; the SDK would make one of the system's randomness.
            options={"headers": self._headers, "idempotency_key": "-"},
            stream=True,
            stream_cls=openai.AsyncStream,
        )
        return cast(httpx2.Response, response)  # as `cast_to` says, and its type does not

    def _body(self, model: str, request: CompletionRequest) -> dict[str, object]:
        unknown = self._unknown | request.dropped_parameters
        limit = "max_tokens" if _LIMIT in unknown else _LIMIT
        body: dict[str, object] = {
            "model": model,
            "messages": request.messages,
            "stream": True,
            limit: request.max_tokens,
        }
        if _USAGE not in unknown:
            body[_USAGE] = {"include_usage": True}
        if request.tools:
            body["tools"] = request.tools
            if not request.tools_allowed:
                body["tool_choice"] = "none"
        return body

    def _classify(self, error: Exception, request: CompletionRequest) -> AttemptFailed:
        """Return the failure that an exception of the SDK means."""
        if isinstance(error, openai.APIStatusError):
            status = error.status_code
            failed = classify_error(status, error.body)
            failed.retry_after_s = retry_after_s(error.response.headers, self._clock.wall())
            if status in (400, 422) and failed.recovery is Recovery.FALLBACK:
                unknown = self._unknown | request.dropped_parameters
                _suggest_dropping(
                    failed, str(error.body), [name for name in _OPTIONAL if name not in unknown]
                )
            return failed
        cause = error.__cause__ or error
        detail = f": {cause}" if isinstance(cause, httpx2.ConnectError) else ""
        return AttemptFailed(f"{type(cause).__name__}{detail}")


def _suggest_dropping(failed: AttemptFailed, body: str, parameters: Sequence[str]) -> None:
    """Suggest the request without a parameter that an error's body names."""
    for parameter in parameters:
        if parameter in body:
            failed.recovery, failed.parameter = Recovery.DROP_PARAMETER, parameter
            return


async def _read(
    response: httpx2.Response,
    parser: CompletionParser,
    on_text: Callable[[str], None],
    limit: asyncio.Timeout,
    stall_s: float,
    deadline: Deadline,
) -> None:
    """Read the whole reply, as long as there is progress. Raises: AttemptFailed."""
    now, progress, ending_s = asyncio.get_running_loop().time, 0, None
    async for data in response.aiter_raw():
        text = parser.feed(data)
        if text:
            on_text(text)
        if parser.is_complete:
            rest_s = END_S if parser.is_settled else USAGE_S
            if ending_s in (None, USAGE_S) and rest_s != ending_s:  # once: what follows may be long
                limit.reschedule(now() + min(rest_s, deadline.left_s))
            ending_s = rest_s
        elif parser.progress != progress:
            progress = parser.progress
            limit.reschedule(now() + min(stall_s, deadline.left_s))
    if text := parser.end():
        on_text(text)


async def _bound_error(response: httpx2.Response) -> None:
    """Limit the body of an error: the SDK reads all of it, whatever its size."""
    if not response.is_success:
        response.headers.pop("Content-Encoding", None)  # nor is it unpacked
        stream = response.stream
        assert isinstance(stream, httpx2.AsyncByteStream)
        response.stream = _FirstBytes(stream)


class _FirstBytes(httpx2.AsyncByteStream):
    """A body that ends after MAX_ERROR bytes.

    Not `read_bounded`: the SDK does the reading, and the beginning of a long error is of use.
    """

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
