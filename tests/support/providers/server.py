"""The quirky server: all providers in one process, chosen by the first part of the path.

    async with quirky_server() as server:
        server.base_url("groq")     # what OPENAI_BASE_URL is set to; the key is KEY
        server.requests             # what has come, as it came

Faults are set for a provider's next requests (`server.fail("groq", "busy", times=2)`), or in the
model's name, where they hold for each request: `gpt-6-sol+silence:20+gzip`.

    python -m tests.support.providers.server

serves until it is interrupted, on the port that it prints.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from copy import copy
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Any, Literal

from tests.support.openai_stub import Json
from tests.support.providers.chat import KEY, Chat
from tests.support.providers.hosted import (
    XAI,
    Anthropic,
    DeepSeek,
    Gemini,
    GeminiGateway,
    Groq,
    Kimi,
    KimiAtHome,
    Magistral,
    Mistral,
    OpenRouter,
    OpenRouterWithoutTools,
    Qwen,
)
from tests.support.providers.local import (
    VLLM,
    HarmonyVLLM,
    LlamaCpp,
    LMStudio,
    Ollama,
    OllamaWithoutTools,
    StrictLlamaCpp,
)
from tests.support.providers.openai import Azure, ClassicAzure, OpenAI, UnverifiedOpenAI
from tests.support.providers.responses import Responses
from tests.support.providers.toy_model import REFUSAL, Finish, Reply, Said, reply_to
from tests.support.providers.wire import Connection, Received, Refused

Api = Literal["chat", "responses"]
Model = Callable[[Sequence[Said], Sequence[str]], Reply]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One provider with one model, and what can be expected of it."""

    chat: type[Chat]
    path: str
    """Of the base URL, as the provider's own is behind its host."""
    model: str
    apis: tuple[Api, ...] = ("chat",)
    tools: tuple[Api, ...] = ("chat",)
    """The APIs in which tools can be used."""
    streams: bool = True
    query: str = ""


_BOTH: tuple[Api, ...] = ("responses", "chat")
_MODERN: dict[str, Any] = {"apis": _BOTH, "tools": _BOTH}  # on Chat, with the effort `none`
PROVIDERS: dict[str, Provider] = {
    "openai-5.6": Provider(chat=OpenAI, path="/v1", model="gpt-5.6-sol", **_MODERN),
    "openai-6": Provider(chat=OpenAI, path="/v1", model="gpt-6-sol", **_MODERN),
    "openai-astra": Provider(
        chat=OpenAI, path="/v1", model="gpt-6-astra", apis=_BOTH, tools=("responses",)
    ),
    "openai-5.5": Provider(chat=OpenAI, path="/v1", model="gpt-5.5", **_MODERN),
    "openai-5.4": Provider(chat=OpenAI, path="/v1", model="gpt-5.4-mini", **_MODERN),
    "openai-4.1": Provider(chat=OpenAI, path="/v1", model="gpt-4.1", **_MODERN),
    "openai-pro": Provider(
        chat=OpenAI, path="/v1", model="gpt-5.5-pro", apis=("responses",), tools=("responses",)
    ),
    "openai-unverified": Provider(
        chat=UnverifiedOpenAI, path="/v1", model="gpt-4.1", streams=False
    ),
    "azure-v1": Provider(chat=Azure, path="/openai/v1", model="gpt-6-sol", **_MODERN),
    "azure-classic": Provider(
        chat=ClassicAzure,
        path="/openai/deployments/gpt-4.1",
        model="gpt-4.1",
        query="?api-version=2024-10-21",
    ),
    "gemini": Provider(chat=Gemini, path="/v1beta/openai", model="gemini-3.5-flash"),
    "gemini-gateway": Provider(chat=GeminiGateway, path="/v1", model="gemini-3.7-flash"),
    "anthropic": Provider(chat=Anthropic, path="/v1", model="claude-opus-5-5"),
    "mistral": Provider(chat=Mistral, path="/v1", model="mistral-large-latest"),
    "magistral": Provider(chat=Magistral, path="/v1", model="magistral-medium-latest"),
    "deepseek": Provider(chat=DeepSeek, path="", model="deepseek-v4-pro"),
    "kimi": Provider(chat=Kimi, path="/v1", model="kimi-k2.6"),
    "kimi-at-home": Provider(chat=KimiAtHome, path="/v1", model="moonshotai/Kimi-Dev-72B"),
    "groq": Provider(chat=Groq, path="/openai/v1", model="openai/gpt-oss-120b"),
    "openrouter": Provider(chat=OpenRouter, path="/api/v1", model="google/gemini-3-flash-preview"),
    "openrouter-no-tools": Provider(
        chat=OpenRouterWithoutTools,
        path="/api/v1",
        model="deepseek/deepseek-r1:free",
        tools=(),
    ),
    "xai": Provider(chat=XAI, path="/v1", model="grok-4"),
    "qwen": Provider(chat=Qwen, path="/compatible-mode/v1", model="qwen3.5-plus"),
    "ollama": Provider(chat=Ollama, path="/v1", model="llama3.1:8b"),
    "ollama-no-tools": Provider(chat=OllamaWithoutTools, path="/v1", model="gemma3:4b", tools=()),
    "vllm-no-flags": Provider(chat=VLLM, path="/v1", model="Qwen/Qwen3-8B", tools=()),
    "vllm-gpt-oss": Provider(chat=HarmonyVLLM, path="/v1", model="openai/gpt-oss-20b"),
    "llama.cpp": Provider(chat=LlamaCpp, path="/v1", model="smollm2"),
    "llama.cpp-strict": Provider(chat=StrictLlamaCpp, path="/v1", model="ministral-3-3b"),
    "lm-studio": Provider(chat=LMStudio, path="/v1", model="qwen/qwen3-coder-30b"),
}


Faults = dict[str, float]
"""Each with its amount: what that is, the table says."""
FAULTS = {
    "busy": "503, or what the provider has in its place; amount: seconds from the first time on",
    "busy-retry-after": "the same with Retry-After; amount: its seconds",
    "rate-limit": "429 in the provider's shape; amount: as above",
    "quota": "the account is empty: 429 or 402, of which no pause helps",
    "filtered-prompt": "the content filter withholds the prompt (Azure's shape)",
    "web-page": "a gateway's page, 502",
    "restart": "the server dies on the request; amount: the seconds that it is away",
    "silence": "amount: seconds before the first byte",
    "comments": "amount: seconds of comments before the first event",
    "slow": "amount: seconds between two events",
    "hang": "half of the answer, then nothing",
    "cut": "half of the answer, then a reset",
    "ends-early": "half of the answer, then an orderly end",
    "gzip": "a compressed stream, unasked: epam/ai-dial-core#1646",
    "gzip-unlabelled": "the same without Content-Encoding: Wei-Shaw/claude-relay-service#1039",
    "refusal": "the model refuses",
    "empty": "an answer without a word",
    "length": "the answer is cut off, in the provider's spelling",
    "filter": "the content filter withholds the rest",
    "broken": "an error in the middle of the stream, in the provider's shape",
    "error-event": "the same as the event `error`, of Responses",
    "tool-use-failed": "Groq: the model has written a call wrongly",
    "aloud": "thoughts are part of the content, in the model's tags",
    "calls-as-text": "calls are part of the content, in the model's spelling",
    "window": "amount: the tokens that a prompt may have",
}


@dataclass(slots=True)
class QuirkyProvider:
    """The running server."""

    model: Model = reply_to
    requests: list[Received] = field(default_factory=list)
    hung_up: int = 0
    """Clients that disconnected while they were being answered."""
    port: int = 0
    _chats: dict[str, Chat] = field(default_factory=dict)
    _faults: dict[str, deque[str]] = field(default_factory=lambda: defaultdict(deque))
    _prompts: dict[str, str] = field(default_factory=dict)
    _since: dict[tuple[str, str], float] = field(default_factory=dict)
    _server: asyncio.Server | None = None
    _open: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict)
    _later: set[asyncio.Task[None]] = field(default_factory=set)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _failed: list[Exception] = field(default_factory=list)

    def base_url(self, provider: str) -> str:
        """Return what OPENAI_BASE_URL is set to for a provider."""
        entry = PROVIDERS[provider]
        return f"http://127.0.0.1:{self.port}/{provider}{entry.path}{entry.query}"

    def received(self, provider: str, api: str = "") -> list[Received]:
        """Return a provider's requests; `api`: only those of `chat`, `responses` or `models`."""
        return [
            each for each in self.requests if each.provider == provider and api in ("", each.api)
        ]

    def fail(self, provider: str, faults: str, *, times: int = 1) -> None:
        """Set faults, such as `silence:20+gzip`, for a provider's next requests without any."""
        assert _parsed(faults)
        self._faults[provider].extend([faults] * times)

    async def until(self, holds: Callable[["QuirkyProvider"], bool]) -> None:
        """Wait until the condition holds."""
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(lambda: holds(self))

    async def start(self) -> None:
        """Listen, on the same port as before."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Refuse connections, and reset those that there are."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task, writer in list(self._open.items()):
            writer.transport.abort()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def close(self) -> None:
        """Stop for good. Raises: what went wrong in the double itself."""
        for task in self._later:
            task.cancel()
        await self.stop()
        if self._failed:
            raise self._failed[0]

    async def _restart(self, seconds: float) -> None:
        await self.stop()
        await asyncio.sleep(seconds)
        await self.start()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._converse(Connection(reader, writer), writer))
        self._open[task] = writer
        task.add_done_callback(self._open.pop)

    async def _converse(self, connection: Connection, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await connection.receive()) is not None:
                self.requests.append(request)
                await self._note()
                await self._serve(connection, request)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.hung_up += 1
        finally:
            writer.close()
            await self._note()

    async def _note(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _serve(self, connection: Connection, request: Received) -> None:
        faults = self._take_faults(request)
        try:
            await self._answer(connection, request, faults)
        except Refused as refused:
            request.status = refused.status
            await connection.send(refused.status, refused.body, refused.headers)
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception as failed:  # the double's own fault: the test fails at its end
            self._failed.append(failed)
            request.status = 500
            await connection.send(500, {"error": {"message": f"the double: {failed!r}"}}, {})

    def _take_faults(self, request: Received) -> Faults:
        """Return the request's faults, and take them out of the model's name."""
        planned = self._faults[request.provider]
        faults = planned.popleft() if planned and request.api != "models" else ""
        name, _, written = str(request.body.get("model", "")).partition("+")
        if name:
            request.body = {**request.body, "model": name}
        if "/deployments/" in request.path and not written:
            written = request.path.split("/")[3].partition("+")[2]
        return _parsed(faults) | _parsed(written)

    async def _answer(self, connection: Connection, request: Received, faults: Faults) -> None:
        chat = self._chat(request)
        self._fail_early(request, chat, faults)
        if "restart" in faults:
            self._later.add(asyncio.create_task(self._restart(faults["restart"])))
            await connection.gone()
        await asyncio.sleep(faults.get("silence", 0))
        if request.api == "models":
            request.status = 200
            await connection.send(200, {"object": "list", "data": [{"id": chat.model}]}, {})
            return
        api = self._api(request, _tuned(chat, faults))
        api.check(request)
        reply = self._reply(api, request.body, faults)
        usage = api.usage(request.body, reply, self._cached(request.provider, api, request.body))
        request.status = 200
        if not api.streams(request.body):
            await connection.send(200, api.document(request.body, reply, usage), {})
            return
        await _stream(connection, api.events(request.body, reply, usage), faults)

    def _chat(self, request: Received) -> Chat:
        entry = PROVIDERS.get(request.provider)
        if entry is None:
            raise Refused(404, {"error": {"message": f"no provider {request.provider}"}})
        if request.provider not in self._chats:
            self._chats[request.provider] = entry.chat(entry.model)
        return self._chats[request.provider]

    def _api(self, request: Received, chat: Chat) -> Chat | Responses:
        entry = PROVIDERS[request.provider]
        apis = {"chat", *entry.apis}  # a model that is not for Chat says so itself
        root = request.path.removesuffix("/chat/completions").removesuffix("/responses")
        known = {entry.path, "/v1"} if entry.chat is DeepSeek else {entry.path}
        if "/deployments/" in root:
            known = {root}
        if request.method != "POST" or request.api not in apis or root not in known:
            raise chat.not_found(request)
        if request.api == "chat":
            return chat
        assert isinstance(chat, OpenAI)
        return Responses(chat)

    def _lasts(self, provider: str, kind: str, seconds: float) -> bool:
        """Return whether a fault that ends by itself goes on; 0: it does not end."""
        now = asyncio.get_running_loop().time()
        since = self._since.setdefault((provider, kind), now)
        return not seconds or now - since < seconds

    def _fail_early(self, request: Received, chat: Chat, faults: Faults) -> None:
        """Raises: Refused, for the faults that a request meets before anybody reads it."""
        for kind in ("busy", "rate-limit"):
            if kind in faults and self._lasts(request.provider, kind, faults[kind]):
                raise chat.busy() if kind == "busy" else chat.rate_limited()
        if "busy-retry-after" in faults:
            busy = chat.busy()
            after = str(int(faults["busy-retry-after"] or 1))
            raise Refused(503, busy.body, {"retry-after": after})
        if "quota" in faults:
            raise chat.out_of_quota()
        if "filtered-prompt" in faults:
            assert isinstance(chat, Azure)
            raise chat.filtered_prompt()
        if "web-page" in faults:
            raise Refused(
                502, "<html><h1>502 Bad Gateway</h1></html>", {"content-type": "text/html"}
            )
        if "tool-use-failed" in faults:
            assert isinstance(chat, Groq)
            raise Refused(400, {"error": chat.tool_use_failed()})

    def _reply(self, api: Chat | Responses, body: Json, faults: Faults) -> Reply:
        reply = self.model(api.conversation(body), api.tools(body))
        if "refusal" in faults:
            reply = Reply(refusal=REFUSAL)
        if "empty" in faults:
            reply = Reply(thought="")
        if "broken" in faults:
            reply = replace(reply, finish=Finish.BROKEN)
        if "error-event" in faults:
            reply = replace(reply, finish=Finish.ERROR)
        most = api.max_tokens(body)
        if "filter" in faults:
            text = reply.text[: len(reply.text) // 2]
            reply = replace(reply, text=text, finish=Finish.FILTER)
        elif "length" in faults:
            text = reply.text[: len(reply.text) // 2]
            reply = replace(reply, text=text, finish=Finish.LENGTH)
        elif most is not None and len(reply.text) > 4 * most:
            reply = replace(reply, text=reply.text[: 4 * most], finish=Finish.LENGTH)
        return reply

    def _cached(self, provider: str, api: Chat | Responses, body: Json) -> int:
        """Return the tokens that the prompt's beginning shares with the one before.

        https://platform.openai.com/docs/guides/prompt-caching: from 1,024 on, in steps of 128.
        """
        prompt = api.prompt(body)
        before = self._prompts.get(provider, "")
        same = takewhile(lambda pair: pair[0] == pair[1], zip(prompt, before, strict=False))
        shared = sum(1 for _ in same) // 4
        self._prompts[provider] = prompt
        return shared // 128 * 128 if shared >= 1024 else 0


def _parsed(faults: str) -> Faults:
    """Return faults as they are written, such as `silence:20+gzip`."""
    parts = [each.partition(":") for each in faults.split("+") if each]
    assert FAULTS.keys() >= {kind for kind, _, _ in parts}, faults
    return {kind: float(amount or 0) for kind, _, amount in parts}


def _tuned(chat: Chat, faults: Faults) -> Chat:
    """Return the provider as it is for one request."""
    chat = copy(chat)
    chat.aloud = type(chat).thinks_aloud or "aloud" in faults
    chat.as_text = type(chat).calls_as_text or "calls-as-text" in faults
    chat.limit = int(faults.get("window", type(chat).window))
    return chat


async def _stream(connection: Connection, events: Iterable[bytes], faults: Faults) -> None:
    unlabelled = "gzip-unlabelled" in faults
    await connection.begin(zipped="gzip" in faults or unlabelled, labelled=not unlabelled)
    for _ in range(5 if "comments" in faults else 0):
        await connection.stream([b": waiting\n\n"])
        await asyncio.sleep(faults["comments"] / 5)
    if not faults.keys() & {"hang", "cut", "ends-early"}:
        for event in events:
            await connection.stream([event])
            if "slow" in faults:
                await asyncio.sleep(faults["slow"])
        await connection.end()
        return
    whole = list(events)
    await connection.stream(whole[: len(whole) // 2])
    if "hang" in faults:
        await connection.gone()
    if "cut" in faults:
        connection.cut()
        return
    await connection.end()


@asynccontextmanager
async def quirky_server(model: Model = reply_to, port: int = 0) -> AsyncIterator[QuirkyProvider]:
    """Run the server on a port of this machine; `model`: what answers in place of the toy."""
    server = QuirkyProvider(model, port=port)
    await server.start()
    try:
        yield server
    finally:
        await server.close()


async def main() -> None:
    """Serve until interrupted."""
    async with quirky_server() as server:
        for name, provider in PROVIDERS.items():
            print(f"{name:20} {provider.model:32} {server.base_url(name)}")
        print(f"the key is {KEY}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main())
