"""Providers on the network that take Chat Completions for their own models, or for others'."""

import base64
import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, ClassVar

from tests.support.openai_stub import Json
from tests.support.providers.chat import (
    DONE,
    KEY,
    Chat,
    calls_of,
    pieces,
    since_user,
    text_of,
    without_call,
    without_result,
)
from tests.support.providers.toy_model import THOUGHT, Finish, Reply, Said, ToolUse
from tests.support.providers.wire import Received, Refused, sse


def signature(name: str) -> str:
    """Return what stands for the thought behind a call, and must come back with it."""
    return base64.b64encode(f"quirky thought before {name}".encode()).decode()


class Gemini(Chat):
    """https://ai.google.dev/gemini-api/docs/openai"""

    window: ClassVar[int] = 1_000_000
    tags: ClassVar[tuple[str, str]] = ("<thought>", "</thought>")
    call_pieces: ClassVar[int] = 0
    parameters: ClassVar[frozenset[str]] = frozenset(
        (
            *("model", "messages", "max_tokens", "max_completion_tokens", "stream", "n", "stop"),
            *("stream_options", "tools", "tool_choice", "temperature", "top_p", "seed", "user"),
            *("reasoning_effort", "response_format", "extra_body"),
        )
    )

    def authorize(self, request: Received) -> None:
        if request.headers.get("authorization") != f"Bearer {KEY}":
            raise self.google(400, "API key not valid. Please pass a valid API key.")

    def check_parameters(self, body: Json) -> None:
        # MinLL/SkyrimNet-GamePlugin#77: a list of errors, which names all unknown fields
        unknown = sorted(body.keys() - self.parameters)
        lines = [
            f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.'
            for name in unknown
        ]
        if lines:
            violations = [{"description": line} for line in lines]
            kind = "type.googleapis.com/google.rpc.BadRequest"
            details = [{"@type": kind, "fieldViolations": violations}]
            raise self.google(400, "\n".join(lines), details=details)

    def check_messages(self, messages: Sequence[Json]) -> None:
        super().check_messages(messages)
        # https://ai.google.dev/gemini-api/docs/thought-signatures: the first call of each step of
        # the current turn; the words are those of Gitlawb/openclaude#67
        for index, message in since_user(messages):
            for call in calls_of(message)[:1]:
                name = str(call["function"]["name"])
                extra = (call.get("extra_content") or {}).get("google") or {}
                if extra.get("thought_signature") != signature(name):
                    raise self.google(400, unsigned(name, index + 1))

    def refused(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        kind: str = "invalid_request_error",
        headers: dict[str, str] | None = None,
    ) -> Refused:
        return self.google(status, message)

    def google(self, code: int, message: str, **more: Any) -> Refused:
        """Return an error of Google's: the body is a list."""
        status = {400: "INVALID_ARGUMENT", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED"}
        error = {
            "code": code,
            "message": message,
            "status": status.get(code, "UNAVAILABLE"),
            **more,
        }
        return Refused(code, [{"error": error}])

    def unknown_model(self, model: str) -> Refused:
        return self.google(404, f"models/{model} is not found for API version v1main.")

    def busy(self) -> Refused:
        return self.google(503, "The model is overloaded. Please try again later.")

    def rate_limited(self) -> Refused:
        return self.google(429, "Resource has been exhausted (e.g. check quota).")

    def out_of_quota(self) -> Refused:
        text = "You exceeded your current quota, please check your plan and billing details."
        return self.google(429, text)

    def call_id(self, index: int, name: str) -> str:
        return f"function-call-{next(self.numbers):019d}"

    def call_fields(self, index: int, call: ToolUse) -> Json:
        # tinyhumansai/openhuman#3548
        if index:
            return {}
        return {"extra_content": {"google": {"thought_signature": signature(call.name)}}}

    def call_chunks(self, index: int, call: ToolUse) -> Iterator[bytes]:
        # open-webui/computer#224: no index
        yield self.chunk({"role": "assistant", "tool_calls": [self.call(index, call)]})

    def closing(self, body: Json, finish: str, usage: Json) -> Iterator[bytes]:
        # googleapis/python-genai#2868: streamed, a call ends with `stop`
        yield from super().closing(body, "stop" if finish == "tool_calls" else finish, usage)


class GeminiGateway(Gemini):
    """Gemini behind somebody's gateway, which keeps its finish reasons: QwenLM/qwen-code#9884."""

    finishes: ClassVar[dict[Finish, str]] = {
        Finish.STOP: "STOP",
        Finish.CALLS: "STOP",
        Finish.LENGTH: "MAX_TOKENS",
        Finish.FILTER: "SAFETY",
        Finish.BROKEN: "OTHER",
        Finish.ERROR: "OTHER",
    }


def unsigned(name: str, position: int) -> str:
    """Return Google's words about a call without its signature."""
    return (
        "Function call is missing a thought_signature in functionCall parts. This is required for "
        "tools to work correctly, and missing thought_signature may lead to degraded model "
        f"performance. Additional data, function call `default_api:{name}` , position {position}. "
        "Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details."
    )


class Anthropic(Chat):
    """https://platform.claude.com/docs/en/api/openai-sdk

    Most other parameters are documented as ignored, `reasoning_effort`, `store` and `strict` too.
    """

    window: ClassVar[int] = 200_000
    tags: ClassVar[tuple[str, str]] = ("<thinking>", "</thinking>")

    def authorize(self, request: Received) -> None:
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        if KEY not in (bearer, request.headers.get("x-api-key")):
            raise self.refused(401, "invalid x-api-key", kind="authentication_error")

    def check_parameters(self, body: Json) -> None:
        if body.get("n") not in (None, 1):
            raise self.refused(400, "n: must be exactly 1")

    def check_messages(self, messages: Sequence[Json]) -> None:
        rest = [each for each in messages if each.get("role") not in ("system", "developer")]
        if not rest:
            raise self.refused(400, "messages: at least one message is required")
        for message in messages:
            # aliasrobotics/cai#182
            content = message.get("content")
            if content is not None and not text_of(content).strip():
                raise self.refused(400, "messages: text content blocks must be non-empty")
        if missing := without_result(rest):
            ids = ", ".join(missing[1])
            text = (  # anthropics/claude-code#1831
                f"messages.{missing[0]}: `tool_use` ids were found without `tool_result` blocks "
                f"immediately after: {ids}. Each `tool_use` block must have a corresponding "
                "`tool_result` block in the next message."
            )
            raise self.refused(400, text)
        super().check_messages(messages)

    def check_window(self, body: Json) -> None:
        if (size := self.prompt_tokens(body)) > self.limit:
            text = f"prompt is too long: {size} tokens > {self.limit} maximum"
            raise self.refused(400, text)

    def conversation(self, body: Json) -> list[Said]:
        # "hoisted and concatenated to the beginning of the conversation"
        said = super().conversation(body)
        system = "\n".join(each.text for each in said if each.role == "system")
        return [Said("system", system), *(each for each in said if each.role != "system")]

    def refused(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        kind: str = "invalid_request_error",
        headers: dict[str, str] | None = None,
    ) -> Refused:
        return super().refused(status, message, code=code or kind, kind=kind, headers=headers)

    def busy(self) -> Refused:
        return self.refused(529, "Overloaded", kind="overloaded_error")

    def rate_limited(self) -> Refused:
        text = "This request would exceed your account's rate limit. Please try again later."
        return self.refused(429, text, kind="rate_limit_error", headers={"retry-after": "1"})

    def out_of_quota(self) -> Refused:
        return self.refused(400, "Your credit balance is too low to access the Anthropic API.")

    def call_id(self, index: int, name: str) -> str:
        return f"toolu_{next(self.numbers):024d}"

    def usage(self, body: Json, reply: Reply, cached: int) -> Json:
        # The details are documented as always empty.
        counts = super().usage(body, reply, cached)
        return {
            name: count
            for name, count in counts.items()
            if name in ("prompt_tokens", "completion_tokens", "total_tokens")
        }


class Mistral(Chat):
    """https://docs.mistral.ai/api/#operation-chatCompletion"""

    roles: ClassVar[frozenset[str]] = frozenset(("system", "user", "assistant", "tool"))
    call_pieces: ClassVar[int] = 0
    # UKGovernmentBEIS/inspect_ai#514: the window is full
    finishes: ClassVar[dict[Finish, str]] = {**Chat.finishes, Finish.LENGTH: "model_length"}
    parameters: ClassVar[frozenset[str]] = frozenset(
        (
            *("model", "messages", "temperature", "top_p", "max_tokens", "stream", "stop", "n"),
            *("random_seed", "metadata", "response_format", "tools", "tool_choice", "prediction"),
            *("presence_penalty", "frequency_penalty", "parallel_tool_calls", "prompt_mode"),
            *("safe_prompt",),
        )
    )
    message_fields: ClassVar[dict[str, frozenset[str]]] = {
        "system": frozenset(("role", "content")),
        "user": frozenset(("role", "content")),
        "assistant": frozenset(("role", "content", "tool_calls", "prefix")),
        "tool": frozenset(("role", "content", "tool_call_id", "name")),
    }

    def authorize(self, request: Received) -> None:
        if request.headers.get("authorization") != f"Bearer {KEY}":
            raise Refused(401, {"detail": "Unauthorized"})

    def check_parameters(self, body: Json) -> None:
        # editor-code-assistant/eca#231: 422, for each field that is not known, messages' too
        where: list[tuple[list[object], object]] = [
            (["body", name], body[name]) for name in body.keys() - self.parameters
        ]
        for index, message in enumerate(body["messages"]):
            role = message.get("role")
            known = self.message_fields.get(role)
            if known is None:
                continue
            # charmbracelet/crush#1590: reasoning_content
            for field in message.keys() - known:
                where.append((["body", "messages", index, role, field], message[field]))
        if where:
            detail = [
                {
                    "type": "extra_forbidden",
                    "loc": loc,
                    "msg": "Extra inputs are not permitted",
                    "input": value,
                }
                for loc, value in where
            ]
            raise self.refused(422, {"detail": detail})

    def check_messages(self, messages: Sequence[Json]) -> None:
        order, code = "invalid_request_message_order", "3230"
        for before, after in pairwise(messages):
            roles = before.get("role"), after.get("role")
            # pipecat-ai/pipecat-flows#178; charmbracelet/crush#279
            if roles == ("tool", "user") or (
                roles[1] == "tool" and roles[0] not in ("tool", "assistant")
            ):
                text = f"Unexpected role '{roles[1]}' after role '{roles[0]}'"
                raise self.refused(400, text, kind=order, code=code)
        if messages[-1].get("role") not in ("user", "tool"):
            text = (
                "Expected last role User or Tool (or Assistant with prefix True) for serving but "
                f"got {messages[-1].get('role')}"
            )
            raise self.refused(400, text, kind=order, code=code)
        if without_result(messages) or without_call(messages) is not None:
            text = "Not the same number of function calls and responses"  # mistralai/client-ts#106
            raise self.refused(400, text, kind=order, code=code)
        for message in messages:
            ids = [call.get("id") for call in calls_of(message)]
            for call_id in [
                *ids,
                *([message["tool_call_id"]] if "tool_call_id" in message else []),
            ]:
                if len(str(call_id)) != 9 or not str(call_id).isalnum():
                    text = (  # nearai/ironclaw#1241
                        f"Tool call id was {call_id} but must be a-z, A-Z, 0-9, with a length of 9."
                    )
                    raise self.refused(400, text, kind="invalid_function_call", code="3280")
        super().check_messages(messages)

    def refused(
        self,
        status: int,
        message: object,
        *,
        param: str | None = None,
        code: str | None = None,
        kind: str = "invalid_request_error",
        headers: dict[str, str] | None = None,
    ) -> Refused:
        # No `error` object.
        body = {"object": "error", "message": message, "type": kind, "param": None, "code": code}
        return Refused(status, body, headers)

    def unknown_model(self, model: str) -> Refused:
        return self.refused(400, f"Invalid model: {model}", kind="invalid_model", code="1500")

    def rate_limited(self) -> Refused:
        # raycast/extensions#31107
        return self.refused(429, "Rate limit exceeded", kind="rate_limited", code="1300")

    def busy(self) -> Refused:
        # continuedev/continue#6185
        text = "Service tier capacity exceeded for this model."
        return self.refused(429, text, kind="service_tier_capacity_exceeded", code="3505")

    def call_id(self, index: int, name: str) -> str:
        return f"Q{next(self.numbers):08d}"

    def call_text(self, call: ToolUse) -> str:
        written = json.dumps([{"name": call.name, "arguments": call.arguments}])
        return f"[TOOL_CALLS]{written}"

    def closing(self, body: Json, finish: str, usage: Json) -> Iterator[bytes]:
        # With the last choice, and unasked.
        yield self.chunk({"content": ""}, finish, usage=usage)
        yield DONE


class Magistral(Mistral):
    """https://docs.mistral.ai/capabilities/reasoning

    The content is a list of chunks while it thinks: BerriAI/litellm#16272.
    """

    thinks: ClassVar[bool] = True
    tags: ClassVar[tuple[str, str]] = ("[THINK]", "[/THINK]")

    def thought_delta(self, piece: str) -> Json:
        thinking = [{"type": "text", "text": piece}]
        return {"content": [{"type": "thinking", "thinking": thinking}]}

    def text_chunk(self, piece: str) -> bytes:
        return self.chunk({"content": [{"type": "text", "text": piece}]})

    def document(self, body: Json, reply: Reply, usage: Json) -> Json:
        made = super().document(body, reply, usage)
        text = {"type": "text", "text": self.spoken(reply)[0] + reply.refusal}
        thought = [] if self.aloud else self.thought_delta(reply.thought)["content"]
        made["choices"][0]["message"]["content"] = [*thought, text]
        return made


class DeepSeek(Chat):
    """https://api-docs.deepseek.com/guides/thinking_mode: V4 thinks unless told not to."""

    thinks: ClassVar[bool] = True
    roles: ClassVar[frozenset[str]] = frozenset(("system", "user", "assistant", "tool"))
    # https://api-docs.deepseek.com/quick_start/rate_limit: comments while it waits
    prelude: ClassVar[tuple[bytes, ...]] = (b": keep-alive\n\n", b": keep-alive\n\n")

    def __init__(self, model: str) -> None:
        super().__init__(model)
        self._thoughts: set[str] = set()

    def spoken(self, reply: Reply) -> tuple[str, tuple[ToolUse, ...]]:
        self._thoughts.add(reply.thought)
        return super().spoken(reply)

    def check_messages(self, messages: Sequence[Json]) -> None:
        for index, message in enumerate(messages):
            if (role := message.get("role")) not in self.roles:
                text = (  # losesky/ai-auto-trading#14
                    "Failed to deserialize the JSON body into the target type: "
                    f"messages[{index}].role: unknown variant `{role}`, expected one of `system`, "
                    "`user`, `assistant`, `tool` at line 1 column 85"
                )
                raise self.refused(422, text)
            if calls_of(message) and message.get("reasoning_content") not in self._thoughts:
                # qwersyk/Newelle#404; as it came, in every message with calls
                text = (
                    "The `reasoning_content` in the thinking mode must be passed back to the API."
                )
                raise self.refused(400, text, code="invalid_request_error")
        super().check_messages(messages)

    def out_of_quota(self) -> Refused:
        # https://api-docs.deepseek.com/quick_start/error_codes
        return self.refused(402, "Insufficient Balance", kind="unknown_error")

    def broken(self) -> Iterator[bytes]:
        # https://api-docs.deepseek.com/api/create-chat-completion: finish_reason
        yield self.chunk({}, "insufficient_system_resource")
        yield DONE

    def text_chunk(self, piece: str) -> bytes:
        return self.chunk({"content": piece, "reasoning_content": None})

    def usage(self, body: Json, reply: Reply, cached: int) -> Json:
        counts = super().usage(body, reply, cached)
        counts["prompt_cache_hit_tokens"] = cached
        counts["prompt_cache_miss_tokens"] = counts["prompt_tokens"] - cached
        return counts


class Kimi(Chat):
    """https://platform.moonshot.ai/docs/guide/use-kimi-k2-thinking-model"""

    thinks: ClassVar[bool] = True
    tags: ClassVar[tuple[str, str]] = ("◁think▷", "◁/think▷")

    def check_parameters(self, body: Json) -> None:
        if "thinking" in body and "reasoning_effort" in body:  # HKUDS/nanobot#3939
            text = "cannot specify both 'thinking' and 'reasoning_effort'"
            raise self.refused(400, text)

    def check_messages(self, messages: Sequence[Json]) -> None:
        for index, message in enumerate(messages):
            if calls_of(message) and not message.get("reasoning_content"):
                text = (  # continuedev/continue#11711
                    "thinking is enabled but reasoning_content is missing in assistant tool call "
                    f"message at index {index}"
                )
                raise self.refused(400, text)
        super().check_messages(messages)

    def busy(self) -> Refused:
        # MoonshotAI/kimi-code#1252
        text = "The engine is currently overloaded, please try again later"
        return self.refused(429, text, kind="engine_overloaded_error")

    def rate_limited(self) -> Refused:
        text = (
            "Your account org-quirky request reached max RPM: 3, please try again after 1 seconds"
        )
        return self.refused(429, text, kind="rate_limit_reached_error")

    def out_of_quota(self) -> Refused:
        # https://platform.moonshot.ai/docs/api/chat: errors
        text = "You exceeded your current token quota, please check your account balance"
        return self.refused(429, text, kind="exceeded_current_quota_error")

    def call_id(self, index: int, name: str) -> str:
        # https://github.com/MoonshotAI/Kimi-K2/blob/main/docs/tool_call_guidance.md
        return f"functions.{name}:{index}"

    def closing(self, body: Json, finish: str, usage: Json) -> Iterator[bytes]:
        # earendil-works/pi#2017: the counts are within the choice
        choice = {"index": 0, "delta": {}, "finish_reason": finish, "usage": usage}
        yield sse({**self.head("chat.completion.chunk"), "choices": [choice]})
        yield DONE


class Groq(Chat):
    """https://console.groq.com/docs/openai"""

    thinks: ClassVar[bool] = True
    call_pieces: ClassVar[int] = 0
    parameters: ClassVar[frozenset[str]] = frozenset(  # https://console.groq.com/docs/api-reference
        (
            *("model", "messages", "stream", "stream_options", "tools", "tool_choice", "stop"),
            *("max_completion_tokens", "max_tokens", "temperature", "top_p", "n", "seed", "user"),
            *("response_format", "parallel_tool_calls", "reasoning_effort", "reasoning_format"),
            *("include_reasoning", "service_tier", "frequency_penalty", "presence_penalty"),
        )
    )
    message_fields: ClassVar[dict[str, frozenset[str]]] = {
        "system": frozenset(("role", "content", "name")),
        "developer": frozenset(("role", "content", "name")),
        "user": frozenset(("role", "content", "name")),
        "assistant": frozenset(("role", "content", "name", "tool_calls", "reasoning")),
        "tool": frozenset(("role", "content", "tool_call_id", "name")),
    }

    def check_parameters(self, body: Json) -> None:
        for name in body.keys() - self.parameters:  # fanenr/chatbot#21: 'store'
            raise self.refused(400, f"property '{name}' is unsupported")
        if body.get("reasoning_effort") not in (None, "low", "medium", "high"):
            # https://console.groq.com/docs/reasoning
            text = "`reasoning_effort` must be one of `low`, `medium`, or `high`"
            raise self.refused(400, text, param="reasoning_effort")

    def check_messages(self, messages: Sequence[Json]) -> None:
        super().check_messages(messages)
        for index, message in enumerate(messages):
            role = message["role"]
            for field in message.keys() - self.message_fields[role]:
                # tashfeenahmed/freellmapi#1070
                text = (
                    f"'messages.{index}' : for 'role:{role}' the following must be satisfied"
                    f"[('messages.{index}' : property '{field}' is unsupported)]"
                )
                raise self.refused(400, text)

    def tool_use_failed(self) -> Json:
        """Return the error for a call that the model has written wrongly."""
        text = (  # huggingface/smolagents#1119
            "Failed to call a function. Please adjust your prompt. See 'failed_generation' for "
            "more details."
        )
        return {
            "message": text,
            "type": "invalid_request_error",
            "code": "tool_use_failed",
            "failed_generation": "<function=get_reservations>{}</function>",
        }

    def rate_limited(self) -> Refused:
        text = (
            f"Rate limit reached for model `{self.model}` in organization `org_quirky` on tokens "
            "per minute (TPM): Limit 6000, Used 5900, Requested 700. Please try again in 1s."
        )
        return self.refused(
            429, text, kind="tokens", code="rate_limit_exceeded", headers={"retry-after": "1"}
        )

    def thought_delta(self, piece: str) -> Json:
        return {"reasoning": piece}

    def call_id(self, index: int, name: str) -> str:
        return f"fc_{next(self.numbers):08d}-0000-4000-8000-000000000000"

    def call_text(self, call: ToolUse) -> str:
        # langchain-ai/langchain#31440
        return f"<function={call.name}>{json.dumps(call.arguments)}</function>"

    def closing(self, body: Json, finish: str, usage: Json) -> Iterator[bytes]:
        # vercel/ai#1651: the counts, always; Portkey-AI/gateway#1338: and once more where asked for
        yield self.chunk({}, finish, x_groq={"id": "req_quirky", "usage": usage})
        if (body.get("stream_options") or {}).get("include_usage"):
            yield sse({**self.head("chat.completion.chunk"), "choices": [], "usage": usage})
        yield DONE


class OpenRouter(Chat):
    """https://openrouter.ai/docs/api-reference, with Gemini 3 behind it."""

    # https://openrouter.ai/docs/api-reference/streaming: comments
    prelude: ClassVar[tuple[bytes, ...]] = (b": OPENROUTER PROCESSING\n\n",) * 2
    thinks: ClassVar[bool] = True
    call_pieces: ClassVar[int] = 0

    def authorize(self, request: Received) -> None:
        if request.headers.get("authorization") != f"Bearer {KEY}":
            raise self.refused(401, "No auth credentials found")

    def check_messages(self, messages: Sequence[Json]) -> None:
        super().check_messages(messages)
        # https://openrouter.ai/docs/use-cases/reasoning-tokens#preserving-reasoning-blocks;
        # the words are those of LibreChat-AI/agents#37
        for index, message in since_user(messages):
            for call in calls_of(message)[:1]:
                name = str(call["function"]["name"])
                if self.details(name)[-1] not in (message.get("reasoning_details") or []):
                    upstream = {
                        "error": {
                            "code": 400,
                            "message": unsigned(name, index + 1),
                            "status": "INVALID_ARGUMENT",
                        }
                    }
                    raw = (
                        "Gemini models require OpenRouter reasoning details to be preserved in "
                        "each request. Please refer to our docs: "
                        "https://openrouter.ai/docs/use-cases/reasoning-tokens"
                        f"#preserving-reasoning-blocks. Upstream error: {json.dumps(upstream)}"
                    )
                    raise self.upstream(400, raw)

    def details(self, name: str) -> list[Json]:
        """Return the details of the thought behind a call."""
        return [
            {
                "type": "reasoning.text",
                "text": THOUGHT,
                "format": "google-gemini-v1",
                "index": 0,
            },
            {
                "type": "reasoning.encrypted",
                "data": signature(name),
                "id": f"rd_{name}",
                "format": "google-gemini-v1",
                "index": 1,
            },
        ]

    def refused(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        kind: str = "invalid_request_error",
        headers: dict[str, str] | None = None,
    ) -> Refused:
        # https://openrouter.ai/docs/api-reference/errors: the code is the status
        return Refused(status, {"error": {"message": message, "code": status}}, headers)

    def upstream(self, status: int, raw: str) -> Refused:
        """Return an error of the provider behind."""
        meta = {"raw": raw, "provider_name": "Google AI Studio"}
        error = {"message": "Provider returned error", "code": status, "metadata": meta}
        return Refused(status, {"error": error, "user_id": "user_quirky"})

    def unknown_model(self, model: str) -> Refused:
        return self.refused(400, f"{model} is not a valid model ID")

    def busy(self) -> Refused:
        return self.refused(503, "There is no available model provider that meets your routing")

    def rate_limited(self) -> Refused:
        # HacxGPT-Official/HacxGPT-CLI#31
        return self.upstream(429, f"{self.model} is temporarily rate-limited upstream.")

    def out_of_quota(self) -> Refused:
        # open-assistant-org/open-assistant#80
        text = "Insufficient credits. Add more using https://openrouter.ai/settings/credits"
        return self.refused(402, text)

    def head(self, kind: str) -> Json:
        return {**super().head(kind), "id": "gen-q1", "provider": "Google AI Studio"}

    def chunk(self, delta: Json, finish: str | None = None, **more: Any) -> bytes:
        native = {None: None, "stop": "STOP", "length": "MAX_TOKENS"}.get(finish, finish)
        choice = {
            "index": 0,
            "delta": {"role": "assistant", "content": "", **delta},
            "finish_reason": finish,
            "native_finish_reason": native,
            "logprobs": None,
        }
        return sse({**self.head("chat.completion.chunk"), "choices": [choice], **more})

    def thought_delta(self, piece: str) -> Json:
        detail = {
            "type": "reasoning.text",
            "text": piece,
            "format": "google-gemini-v1",
            "index": 0,
        }
        return {"reasoning": piece, "reasoning_details": [detail]}

    def after_thought(self, reply: Reply) -> Iterator[bytes]:
        for call in reply.calls[:1]:
            yield self.chunk({"reasoning_details": self.details(call.name)[1:]})

    def call_id(self, index: int, name: str) -> str:
        return f"tool_{index}_{name}_{next(self.numbers):08d}"

    def broken(self) -> Iterator[bytes]:
        # https://openrouter.ai/docs/api-reference/errors: mid-stream errors
        error = {"code": 502, "message": "Provider disconnected unexpectedly"}
        yield self.chunk({"content": ""}, "error", error=error)
        yield DONE

    def closing(self, body: Json, finish: str, usage: Json) -> Iterator[bytes]:
        yield self.chunk({}, finish)
        yield self.chunk({}, usage=usage)
        yield DONE

    def document(self, body: Json, reply: Reply, usage: Json) -> Json:
        made = super().document(body, reply, usage)
        if reply.calls:
            made["choices"][0]["message"]["reasoning_details"] = self.details(reply.calls[0].name)
        return made


class OpenRouterWithoutTools(OpenRouter):
    """A model none of whose hosts has tools."""

    thinks: ClassVar[bool] = False

    def check_tools(self, body: Json) -> None:
        if body.get("tools"):
            text = (  # bobrware/bobrchat#60
                "No endpoints found that support tool use. To learn more about provider routing, "
                "visit: https://openrouter.ai/docs/guides/routing/provider-selection"
            )
            raise self.refused(404, text)


class XAI(Chat):
    """https://docs.x.ai/docs/api-reference#chat-completions"""

    call_pieces: ClassVar[int] = 0

    def check_parameters(self, body: Json) -> None:
        # BerriAI/litellm#16265; miaoxworld/NativeTavern#83
        names = {
            "reasoning_effort": "reasoningEffort",
            "presence_penalty": "presencePenalty",
            "frequency_penalty": "frequencyPenalty",
            "stop": "stop",
        }
        for name in names.keys() & body.keys():
            text = f"Model {self.model} does not support parameter {names[name]}."
            raise self.refused(400, text, code="Client specified an invalid argument")

    def refused(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        kind: str = "invalid_request_error",
        headers: dict[str, str] | None = None,
    ) -> Refused:
        # yym68686/uni-api#105: `error` is a string
        return Refused(status, {"code": code or kind, "error": message}, headers)


class Qwen(Chat):
    """https://www.alibabacloud.com/help/en/model-studio/compatibility-of-openai-with-dashscope"""

    thinks: ClassVar[bool] = True

    def check_parameters(self, body: Json) -> None:
        if not body.get("stream") and body.get("enable_thinking") is not False:
            # OpenBMB/UltraRAG#287
            text = "parameter.enable_thinking must be set to false for non-streaming calls"
            raise self.refused(400, text, code="invalid_parameter_error")

    def refused(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        kind: str = "invalid_request_error",
        headers: dict[str, str] | None = None,
    ) -> Refused:
        made = super().refused(status, message, param=param, code=code, kind=kind, headers=headers)
        assert isinstance(made.body, dict)
        made.body["request_id"] = "0e4a6d5d-quirky"
        return made


class KimiAtHome(Kimi):
    """Kimi served without a parser of its thoughts: MoonshotAI/Kimi-Dev#6."""

    thinks_aloud: ClassVar[bool] = True

    def check_messages(self, messages: Sequence[Json]) -> None:
        Chat.check_messages(self, messages)

    def events(self, body: Json, reply: Reply, usage: Json) -> Iterator[bytes]:
        # One character at a time: every tag is torn at every place.
        content, calls = self.spoken(reply)
        if calls or reply.finish in (Finish.BROKEN, Finish.ERROR):
            yield from super().events(body, reply, usage)
            return
        yield from (self.text_chunk(piece) for piece in pieces(content, 1))
        yield from self.closing(body, self.finish_of(reply, calls), usage)
