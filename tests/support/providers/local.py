"""Servers on one's own machine: Ollama, vLLM, llama.cpp, LM Studio."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from tests.support.openai_stub import Json
from tests.support.providers.chat import DONE, Chat, calls_of, tokens
from tests.support.providers.toy_model import Finish, Reply, Said, ToolUse
from tests.support.providers.wire import Received, Refused, sse


class Local(Chat):
    """A server that asks for no key, and has a small window."""

    window: ClassVar[int] = 4_096

    def authorize(self, request: Received) -> None:
        """Accept everybody."""


class Ollama(Local):
    """https://github.com/ollama/ollama/blob/main/docs/openai.md"""

    call_pieces: ClassVar[int] = 0  # ollama/ollama#11633
    # ollama/ollama#7963; fixed there, and back with every second proxy: BerriAI/litellm#35663
    finishes: ClassVar[dict[Finish, str]] = {**Chat.finishes, Finish.CALLS: "stop"}

    def check_window(self, body: Json) -> None:
        """Accept everything: what is too long is cut, and nothing says so."""

    def conversation(self, body: Json) -> list[Said]:
        # ollama/ollama#4967, #17427: once it is full, the oldest go, until it is half full
        said = super().conversation(body)
        system = [each for each in said if each.role == "system"]
        rest = [each for each in said if each.role != "system"]
        if self._size([*system, *rest]) > self.limit:
            while len(rest) > 1 and self._size([*system, *rest]) > self.limit // 2:
                del rest[0]
        return [*system, *rest]

    def prompt_tokens(self, body: Json) -> int:
        return self._size(self.conversation(body))

    def _size(self, said: list[Said]) -> int:
        return sum(tokens(each.text) for each in said)

    def tools(self, body: Json) -> list[str]:
        # `tool_choice` is not among what is supported: docs/openai.md
        return super().tools({**body, "tool_choice": "auto"})

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
        error = {"message": message, "type": "api_error", "param": None, "code": None}
        return Refused(status, {"error": error}, headers)

    def unknown_model(self, model: str) -> Refused:
        return self.refused(404, f'model "{model}" not found, try pulling it first')

    def busy(self) -> Refused:
        # https://github.com/ollama/ollama/blob/main/docs/faq.md: how does Ollama handle concurrent
        text = "server busy, please try again.  maximum pending requests exceeded"
        return self.refused(503, text)

    def call_text(self, call: ToolUse) -> str:
        # ollama/ollama#7572: bare
        return json.dumps({"name": call.name, "parameters": call.arguments})


class OllamaWithoutTools(Ollama):
    """A model whose template has no place for tools."""

    def check_tools(self, body: Json) -> None:
        if body.get("tools"):  # ollama/ollama#5793; louisho5/picobot#6
            name = f"registry.ollama.ai/library/{self.model}"
            raise self.refused(400, f"{name} does not support tools")


class VLLM(Local):
    """https://docs.vllm.ai/en/stable/serving/openai_compatible_server.html, with no flags."""

    window: ClassVar[int] = 8_192
    thinks_aloud: ClassVar[bool] = True  # no --reasoning-parser

    def check_tools(self, body: Json) -> None:
        if body.get("tools") and body.get("tool_choice", "auto") == "auto":
            text = (  # vllm-project/vllm#9986
                '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to '
                "be set"
            )
            raise self.refused(400, text)

    def check_window(self, body: Json) -> None:
        size, most = self.prompt_tokens(body), self.max_tokens(body) or 0
        if size + most > self.limit:
            text = (
                f"This model's maximum context length is {self.limit} tokens. However, you "
                f"requested {size + most} tokens ({size} in the messages, {most} in the "
                "completion). Please reduce the length of the messages or completion."
            )
            raise self.refused(400, text)

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
        # The code is a number: agentscope-ai/QwenPaw#1449
        names = {400: "BadRequestError", 404: "NotFoundError"}
        name = names.get(status, "InternalServerError")
        error = {"message": message, "type": name, "param": None, "code": status}
        return Refused(status, {"error": error}, headers)

    def call_id(self, index: int, name: str) -> str:
        return f"chatcmpl-tool-{next(self.numbers):032d}"


class HarmonyVLLM(VLLM):
    """gpt-oss on vLLM: its special tokens leak into names and content, vllm-project/vllm#32587."""

    tags: ClassVar[tuple[str, str]] = (
        "<|channel|>analysis<|message|>",
        "<|end|><|start|>assistant<|channel|>final<|message|>",
    )

    def check_tools(self, body: Json) -> None:
        """Accept tools: the flags are set."""

    def call_name(self, call: ToolUse) -> str:
        return f"{call.name}<|channel|>commentary"

    def call_text(self, call: ToolUse) -> str:
        # https://cookbook.openai.com/articles/openai-harmony
        written = json.dumps(call.arguments)
        return (
            f"<|channel|>commentary to=functions.{call.name} <|constrain|>json<|message|>"
            f"{written}<|call|>"
        )


class LlamaCpp(Local):
    """https://github.com/ggml-org/llama.cpp/tree/master/tools/server"""

    thinks: ClassVar[bool] = True
    names_model: ClassVar[bool] = False  # there is one

    def check_window(self, body: Json) -> None:
        if (size := self.prompt_tokens(body)) > self.limit:
            # ggml-org/llama.cpp#15780, #17284
            error = {
                "code": 400,
                "message": "the request exceeds the available context size, try increasing it",
                "type": "exceed_context_size_error",
                "n_prompt_tokens": size,
                "n_ctx": self.limit,
            }
            raise Refused(400, {"error": error})

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
        return Refused(status, {"error": {"code": status, "message": message, "type": kind}})

    def busy(self) -> Refused:
        # mostlygeek/llama-swap#146
        return self.refused(503, "Loading model", kind="unavailable_error")

    def chunk(self, delta: Json, finish: str | None = None, **more: Any) -> bytes:
        if delta.get("role"):  # the first has no content
            delta = {**delta, "content": None}
        return super().chunk(delta, finish, **more)

    def call_id(self, index: int, name: str) -> str:
        return f"{next(self.numbers):032d}"

    def closing(self, body: Json, finish: str, usage: Json) -> Iterator[bytes]:
        timings = {
            "cache_n": 0,
            "prompt_n": usage["prompt_tokens"],
            "predicted_n": usage["completion_tokens"],
            "predicted_ms": 12.5,
        }
        asked = (body.get("stream_options") or {}).get("include_usage")
        yield self.chunk({}, finish, **({} if asked else {"timings": timings}))
        if asked:
            head = self.head("chat.completion.chunk")
            yield sse({**head, "choices": [], "usage": usage, "timings": timings})
        yield DONE


class StrictLlamaCpp(LlamaCpp):
    """The same with Ministral 3, whose template fails on roles that do not alternate.

    charmbracelet/crush#279, lmstudio-ai/lmstudio-bug-tracker#2218
    """

    thinks: ClassVar[bool] = False

    def check_messages(self, messages: Sequence[Json]) -> None:
        super().check_messages(messages)
        rest = messages[1:] if messages[0]["role"] == "system" else messages
        turns = [each["role"] for each in rest if each["role"] != "tool" and not calls_of(each)]
        expected = [("user", "assistant")[number % 2] for number in range(len(turns))]
        if turns != expected:
            text = (
                "Jinja Exception: After the optional system message, conversation roles must "
                "alternate user and assistant roles except for tool calls and results."
            )
            raise self.refused(500, text, kind="server_error")


class LMStudio(Local):
    """https://lmstudio.ai/docs/developer/openai-compat

    A lone `</think>` (lmstudio-ai/lmstudio-bug-tracker#1368), calls as text (#1071), and errors as
    events of an answer with status 200 (#2322).
    """

    thinks_aloud: ClassVar[bool] = True
    tags: ClassVar[tuple[str, str]] = ("", "\n</think>\n\n")
    calls_as_text: ClassVar[bool] = True

    def check_window(self, body: Json) -> None:
        if (size := self.prompt_tokens(body)) > self.limit:
            text = (  # lmstudio-ai/lmstudio-bug-tracker#546
                f"Trying to keep the first {size} tokens when context the overflows. However, the "
                f"model is loaded with context length of only {self.limit} tokens, which is not "
                "enough. Try to load the model with a larger context length, or provide a shorter "
                "input"
            )
            if not self.streams(body):
                raise self.refused(400, text)
            event = sse({"error": {"message": text}}, "error").decode()
            raise Refused(200, event, {"content-type": "text/event-stream"})

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
        # lmstudio-ai/lmstudio-bug-tracker#1050: `error` is a string
        return Refused(status, {"error": message}, headers)

    def call_text(self, call: ToolUse) -> str:
        lines = [
            f"<parameter={name}>\n{value}\n</parameter>" for name, value in call.arguments.items()
        ]
        return "\n".join(["<tool_call>", f"<function={call.name}>", *lines, "</function>"]) + (
            "\n</tool_call>"
        )

    def broken(self) -> Iterator[bytes]:
        # aaif-goose/goose#4549
        text = "The model has crashed without additional information. (Exit code: null)"
        yield sse({"error": {"message": text}}, "error")

    def usage(self, body: Json, reply: Reply, cached: int) -> Json:
        counts = super().usage(body, reply, cached)
        return {name: counts[name] for name in counts if name.endswith("_tokens")}
