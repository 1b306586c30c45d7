"""One request to a model over the official SDK: its body, its reply as it comes, its failure."""

import asyncio
import logging
import zlib
from base64 import b64encode
from collections.abc import AsyncIterable, AsyncIterator, Collection, Iterator, Mapping, Sequence
from typing import Any, Literal, Self, cast
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit, urlunsplit

import aiohttp
import httpx2
import msgspec
import openai

from adapters.http_client import retry_after_s
from adapters.model.completion import Completion, CompletionClient, CompletionRequest
from adapters.model.failures import AttemptFailed, Recovery, classify_error
from adapters.openai.adaptations import (
    CALLS,
    CARRIED,
    COSTLY,
    Adaptation,
    ApiName,
    adaptation_for,
    needless,
    own_words,
)
from adapters.openai.chat_completions import CHAT_PATH, ChatCompletionParser, chat_body
from adapters.openai.events import ReplyParser
from adapters.openai.responses import RESPONSES_PATH, ResponseParser, response_body
from application.ports import Clock, Span, TraceAttributes, Tracing
from application.tracing import NO_TRACING
from domain.errors import AssistantFailed
from domain.usage import Usage

logger = logging.getLogger(__name__)

CONNECT_S = 5.0
STALL_S = 15.0
"""Between two signs of life, as long as there is something else to try."""
END_S = 0.1
"""The time to read the rest of a complete reply, so that the connection can be used again."""
USAGE_S = 1.0
"""The time to wait for the token counts of a complete reply."""
REMEMBERED_S = 600.0
"""The time for which the server is not asked again for what it has refused."""
HELD_ANSWERS = 10
"""Answers that are shown once they are whole, after one with a thought that had no beginning."""
MAX_UNPACKED = 64 * 1024
"""Bytes that are unpacked at once."""
MAX_ERROR = 64 * 1024
"""Bytes of an error's body that are read."""

FAILURES = (
    openai.OpenAIError,
    httpx2.HTTPError,
    httpx2.StreamError,
    aiohttp.ClientError,  # of heads that are no HTTP: the SDK does not translate it
    OSError,
)
"""What a request may raise."""

_LIBRARIES = ("openai", "httpx2", "httpcore2", "aiohttp")
# The host whose models are asked over Responses: openai.com recommends it, and some of its models
# refuse tools on Chat Completions. Elsewhere it is asked for by OPENAI_API=responses.
_RESPONSES_HOST = "api.openai.com"
# There the key is no bearer token: learn.microsoft.com/azure/ai-services/openai/reference
_CLASSIC_AZURE = "/openai/deployments/"
_DIALECTS = {
    "chat": (CHAT_PATH, chat_body, ChatCompletionParser),
    "responses": (RESPONSES_PATH, response_body, ResponseParser),
}


class OpenAIClient(CompletionClient):
    """One model behind OpenAI's API, or one like it; use it as `async with client:`."""

    def __init__(
        self,
        base_url: str,
        api_key: str,
        model: str,
        clock: Clock,
        *,
        api: Literal["auto", "responses", "chat"] = "auto",
        effort: str = "",
        shows_first_at_once: bool = False,
        tracing: Tracing = NO_TRACING,
    ) -> None:
        """`base_url`: with the version, such as https://api.openai.com/v1; a query is kept, and a
        user with a password is sent where there is no key.

        `api_key`: sent as a bearer token, unless it is empty. `api`: auto is Responses for OpenAI
        and Chat Completions for others, unless the server refuses it. `effort`: of reasoning; "":
        the model's own. `shows_first_at_once`: else the first answer over Chat Completions is
        shown once it is whole, as it may begin with a thought that only an end gives away.
        """
        parts = urlsplit(base_url)
        user, at, place = parts.netloc.rpartition("@")
        self._base_url = urlunsplit(parts._replace(netloc=place, query=""))
        self._query = dict(parse_qsl(parts.query))
        self._api_key = api_key
        self._model = model
        self._clock = clock
        self._tracing = tracing
        self._about = _about(parts, model)
        self._api: ApiName = api if api != "auto" else _usual_api(parts.hostname)
        self._effort = effort
        # Uncompressed, so that the limits on a body are ones on what comes over the wire.
        self._headers: dict[str, str | openai.Omit] = {
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
        }
        is_classic_azure = _CLASSIC_AZURE in parts.path
        if not api_key or is_classic_azure:
            self._headers["Authorization"] = openai.Omit()
        if is_classic_azure:
            self._headers["api-key"] = api_key
        elif at and not api_key:
            self._headers["Authorization"] = f"Basic {b64encode(unquote(user).encode()).decode()}"
        self._changes: dict[str, float] = {}
        """What the server has refused, and until when it is sent only what it then answered."""
        self._needless: set[str] = set()
        """Changes without which the server has answered: none is remembered."""
        self._fixed: set[str] = set()
        """Changes that are never made."""
        if api != "auto":
            self._fixed |= {Adaptation.USE_RESPONSES, Adaptation.USE_CHAT}
        if parts.hostname == _RESPONSES_HOST:  # where it would be stored without a word
            self._fixed.add(Adaptation.NO_STORE)
        self._held_answers = 0 if shows_first_at_once else 1
        """Answers that are yet to be shown once they are whole: only a whole text shows whether the
        server leaves thoughts in it that have no beginning."""

    @property
    def name(self) -> str:
        return self._model

    @property
    def limits(self) -> Sequence[str]:
        return [change for change in COSTLY if change in self._remembered]

    @property
    def _remembered(self) -> set[str]:
        now = self._clock.monotonic()
        return {change for change, until in self._changes.items() if now < until}

    async def __aenter__(self) -> Self:
        for library in _LIBRARIES:  # what they log below this quotes what the server sends
            logging.getLogger(library).setLevel(logging.WARNING)
        # All waits are limited here, but for the one for a connection.
        timeout = httpx2.Timeout(None, connect=CONNECT_S)
        try:
            self._http = openai.DefaultAioHttpClient(
                # 0: without a limit; for None aiohttp has one of its own.
                limits=httpx2.Limits(max_connections=0, keepalive_expiry=30),
                timeout=timeout,
                follow_redirects=False,  # the conversation goes where the settings say, or nowhere
                event_hooks={"response": [_bound_error]},
            )
            self._client = openai.AsyncOpenAI(
                api_key=self._api_key,
                base_url=self._base_url,
                default_query=self._query,
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
        self, request: CompletionRequest, patience_s: float, *, is_last: bool
    ) -> Completion:
        with self._tracing.span(f"chat {self._model}", self._about, "client") as span:
            return await self._attempt(span, request, patience_s, is_last=is_last)

    async def _attempt(
        self, span: Span, request: CompletionRequest, patience_s: float, *, is_last: bool
    ) -> Completion:
        changes = self._remembered | request.changes
        api = self._api_with(changes)
        path, body, parser_of = _DIALECTS[api]
        author = f"{self._base_url} {self._model} {api}"
        sent = body(self._model, request, changes, self._effort, author=author)
        had = {*sent, *_of_calls(request)}
        holds = self._held_answers > 0 and api == "chat"
        parser = parser_of(request.tool_names, holds=holds)
        stall_s = patience_s if is_last else min(STALL_S, patience_s)
        failed, is_cancelled = None, False
        try:
            async with asyncio.timeout(patience_s) as limit:
                response = await self.send(path, sent)
                try:
                    await _read(response, parser, request, limit, stall_s)
                finally:
                    await response.aclose()
        except AttemptFailed as error:
            failed = error
        except TimeoutError:
            if not parser.is_complete:
                silence = "stopped in the middle" if parser.progress else "said nothing"
                failed = AttemptFailed(f"it {silence} for too long", is_slow=True)
                span.fail("timeout")
        except FAILURES as error:
            if not parser.is_complete:
                failed = self._classify(error, request, api, had)
                span.fail(str(getattr(error, "status_code", type(error).__qualname__)))
        except asyncio.CancelledError:
            is_cancelled = True
            raise
        finally:
            used = parser.usage(self._model)
            if not used.tokens and (is_cancelled or (failed is not None and parser.progress)):
                used = parser.estimate(self._model, sent)
            request.usage = request.usage.plus(used)
            span.set(_counted(used))
            if parser.model:
                span.set({"gen_ai.response.model": parser.model})
        # Outside of `except`: what the SDK raises may quote the request or the key, and would be
        # part of this error's traceback.
        if failed is not None:
            failed.is_paid = parser.progress > 0
            raise failed
        self._needless |= needless(api, had, changes)
        self._learn(request, parser, holds=holds)
        parser.completion.author = author
        return parser.completion

    def _api_with(self, changes: set[str]) -> ApiName:
        if Adaptation.USE_RESPONSES in changes:
            return "responses"
        return "chat" if Adaptation.USE_CHAT in changes else self._api

    def _learn(self, request: CompletionRequest, parser: ReplyParser, *, holds: bool) -> None:
        """Remember what the server needs, now that it has answered."""
        request.changes.discard(Adaptation.CALLS_AS_TEXT)  # which is about these calls alone
        for change in request.changes - self._remembered:
            if change not in self._changes:
                logger.warning(
                    "A model's server does not accept %s",
                    change,
                    extra={"action": "model_limited", "model": self._model, "change": change},
                )
            lasts_s = 0 if change in self._needless else REMEMBERED_S
            self._changes[change] = self._clock.monotonic() + lasts_s
        if parser.has_lone_end:
            self._held_answers = HELD_ANSWERS
        elif holds and parser.has_begun:
            self._held_answers = max(0, self._held_answers - 1)

    async def send(self, path: str, body: Mapping[str, Any]) -> httpx2.Response:
        """Return the response to a request, its body yet to be read. Raises: what FAILURES are."""
        # `post` is the SDK's way for what it has no method for. Its own methods do the same, and
        # take several times as long to transform the messages.
        response = await self._client.post(
            path,
            cast_to=httpx2.Response,
            content=msgspec.json.encode(body),
            # The key is not sent to OpenAI; the SDK would make one of the system's randomness.
            options={
                "headers": {**self._headers, **self._tracing.headers()},
                "idempotency_key": "-",
            },
            stream=True,
            stream_cls=openai.AsyncStream,
        )
        return cast(httpx2.Response, response)  # as `cast_to` says, and its type does not

    def _classify(
        self, error: Exception, request: CompletionRequest, api: ApiName, had: Collection[str]
    ) -> AttemptFailed:
        """Return the failure that an exception of the SDK means."""
        if isinstance(error, openai.APIStatusError):
            failed = classify_error(error.status_code, _details(error.body))
            failed.retry_after_s = retry_after_s(error.response.headers, self._clock.wall())
            if failed.recovery in (Recovery.FALLBACK, Recovery.RETRY):
                tried = self._remembered | request.changes | self._fixed
                text = own_words(error.body)
                change = adaptation_for(error.status_code, text, api, had, tried)
                if change is not None:
                    failed.recovery = Recovery.ADAPT
                    failed.is_outage = False  # it works, and says what it wants
                    request.changes.add(change)
            return failed
        return AttemptFailed(reason(error))


def _about(address: SplitResult, model: str) -> TraceAttributes:
    """Return what a trace says of a request, by the conventions for generative AI."""
    is_azure = _CLASSIC_AZURE in address.path or (address.hostname or "").endswith(".azure.com")
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "azure.ai.openai" if is_azure else "openai",
        "gen_ai.request.model": model,
        "server.address": address.hostname or "",
    }


def _counted(used: Usage) -> TraceAttributes:
    return {
        "gen_ai.usage.input_tokens": used.input_tokens,
        "gen_ai.usage.output_tokens": used.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": used.cached_tokens,
    }


def _of_calls(request: CompletionRequest) -> Iterator[str]:
    if request.rounds:
        yield CALLS
    for made in request.rounds:
        if made.carried or any(call.carried for call in made.calls):
            yield CARRIED


def reason(error: BaseException) -> str:
    """Return why there was no answer, without what the SDK quotes of the request."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, aiohttp.ClientConnectorError):
            return f"cannot connect to {cause.host}:{cause.port}: {cause.os_error.strerror}"
        error, cause = cause, cause.__cause__
    return type(error).__name__


def _usual_api(host: str | None) -> ApiName:
    return "responses" if host == _RESPONSES_HOST else "chat"


def _details(body: object) -> object:
    """Return an error's own object: Gemini's server sends a list of them."""
    if isinstance(body, list) and body and isinstance(body[0], dict):
        return body[0].get("error", body[0])
    return body


async def _read(
    response: httpx2.Response,
    parser: ReplyParser,
    request: CompletionRequest,
    limit: asyncio.Timeout,
    stall_s: float,
) -> None:
    """Read the whole reply, as long as there is progress. Raises: AttemptFailed."""
    now, progress, ending_s = asyncio.get_running_loop().time, 0, None
    deadline = request.deadline
    async for data in _unzipped(response.aiter_raw()):
        _pass_on(parser, request, parser.feed(data))
        if parser.is_complete:
            rest_s = END_S if parser.is_settled else USAGE_S
            if ending_s in (None, USAGE_S) and rest_s != ending_s:  # once: what follows may be long
                limit.reschedule(now() + min(rest_s, deadline.left_s))
            ending_s = rest_s
        elif parser.progress != progress:
            progress = parser.progress
            limit.reschedule(now() + min(stall_s, deadline.left_s))
    _pass_on(parser, request, parser.end())


async def _unzipped(pieces: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Yield the pieces, unpacked where they are packed, whatever the server's headers say.

    Unpacked a little at a time: a packed piece may become a thousand times as long.
    epam/ai-dial-core#1646, Wei-Shaw/claude-relay-service#1039. Raises: AttemptFailed.
    """
    unpacker = None
    is_first = True
    async for piece in pieces:
        if is_first and piece.startswith(b"\x1f"):  # text does not begin so
            unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        is_first = is_first and not piece
        if unpacker is None:
            yield piece
            continue
        while piece:
            try:
                yield unpacker.decompress(piece, MAX_UNPACKED)
            except zlib.error:
                raise AttemptFailed("the answer is packed, and cannot be unpacked") from None
            if piece := unpacker.unconsumed_tail:
                await asyncio.sleep(0)  # others have their turn, and the time limit its effect


def _pass_on(parser: ReplyParser, request: CompletionRequest, text: str) -> None:
    if parser.is_void:
        parser.is_void = False
        request.on_restart()
    if text:
        request.on_text(text)


async def _bound_error(response: httpx2.Response) -> None:
    """Limit the body of an error: the SDK reads all of it, whatever its size."""
    if not response.is_success:
        response.headers.pop("Content-Encoding", None)  # it is unpacked here
        response.headers["Content-Type"] = "application/json"  # without an encoding of its choice
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
        async for piece in _unzipped(self._stream):
            yield piece
            size += len(piece)
            if size > MAX_ERROR:
                return

    async def aclose(self) -> None:
        await self._stream.aclose()
