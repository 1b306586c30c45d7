"""Chat Completions: a request's body, and a parser of its replies.

https://platform.openai.com/docs/api-reference/chat, which nearly every server speaks, each in its
own way: where one has a source, it stands at its line.
"""

from collections.abc import Collection, Set
from typing import Any

import msgspec

from adapters.model.completion import CompletionRequest, PromptMessage, ToolCall, ToolRound
from adapters.model.failures import classify_error
from adapters.openai.adaptations import Adaptation
from adapters.openai.events import (
    MAX_CALL_ID,
    MAX_CARRIED,
    ReplyParser,
    decoded,
    detail,
    usage_of,
)
from domain.usage import Usage

CHAT_PATH = "/chat/completions"


def chat_body(
    model: str,
    request: CompletionRequest,
    changes: Set[str],
    effort: str,
    *,
    author: str,
) -> dict[str, Any]:
    """Return the body of a request; `author`: whose calls have come with what is carried."""
    limit = "max_tokens" if Adaptation.MAX_TOKENS in changes else "max_completion_tokens"
    made: dict[str, Any] = {
        "model": model,
        "messages": _messages(request, changes, author),
        "stream": Adaptation.NO_STREAM not in changes,
        limit: request.max_tokens,
    }
    if made["stream"] and Adaptation.NO_STREAM_OPTIONS not in changes:
        made["stream_options"] = {"include_usage": True}
    if Adaptation.NO_EFFORT in changes:
        effort = ""
    elif Adaptation.EFFORT_NONE in changes:
        effort = "none"
    if effort:
        made["reasoning_effort"] = effort
    if request.tools and Adaptation.NO_TOOLS not in changes:
        made["tools"] = request.tools
        if not request.tools_allowed and Adaptation.NO_TOOL_CHOICE not in changes:
            made["tool_choice"] = "none"
    return made


def _messages(request: CompletionRequest, changes: Set[str], author: str) -> list[PromptMessage]:
    messages = list(request.messages)
    if Adaptation.NO_SYSTEM in changes and len(messages) > 1 and messages[0]["role"] == "system":
        system, first, *rest = messages
        messages = [{**first, "content": f"{system['content']}\n\n{first['content']}"}, *rest]
    for made in request.rounds:
        # Another model's calls lack what this one's server asks for, such as signatures.
        if changes & {Adaptation.NO_TOOLS, Adaptation.CALLS_AS_TEXT} or made.author != author:
            messages += _as_text(made)
        else:
            messages += _as_calls(made, carries=Adaptation.NO_CARRIED not in changes)
    return messages


def _as_calls(made: ToolRound, *, carries: bool) -> list[PromptMessage]:
    calls = [
        {
            **(call.carried if carries else {}),
            "id": call.call_id,
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments},
        }
        for call in made.calls
    ]
    called = {"role": "assistant", "content": made.text or None, "tool_calls": calls}
    return [
        {**made.carried, **called} if carries else called,
        *[
            {"role": "tool", "tool_call_id": call.call_id, "content": result}
            for call, result in zip(made.calls, made.results, strict=True)
        ],
    ]


def _as_text(made: ToolRound) -> list[PromptMessage]:
    calls = [
        f'<tool_call>{{"name": "{call.name}", "arguments": {call.arguments}}}</tool_call>'
        for call in made.calls
    ]
    return [
        {"role": "assistant", "content": "\n".join([made.text, *calls]).strip()},
        {"role": "user", "content": "\n".join(made.results)},
    ]


# What may come in more than one type is `Any`, and checked where it is used.
class _Choice(msgspec.Struct):
    delta: dict[str, Any] | None = None
    message: dict[str, Any] | None = None
    finish_reason: Any = None
    usage: Any = None


class _Chunk(msgspec.Struct):
    model: Any = None
    choices: list[_Choice] | None = None
    usage: Any = None
    x_groq: Any = None
    error: Any = None
    code: Any = None
    message: Any = None


_decoder = msgspec.json.Decoder(_Chunk)
_OWN = {"role", "content", "refusal", "tool_calls", "function_call", "audio", "annotations"}
"""The fields of a message that are no carried ones."""
_THOUGHTS = ("reasoning_content", "reasoning", "reasoning_details")


class ChatCompletionParser(ReplyParser):
    """A parser of Chat Completions' replies."""

    api = "Chat Completions"

    def __init__(self, tools: Collection[str] = (), *, holds: bool = False) -> None:
        super().__init__(tools, holds=holds)
        self._by_index: dict[int, ToolCall] = {}
        self._carried_size = 0

    def usage(self, model: str) -> Usage:
        counts = self._counts
        cached = detail(counts, "prompt_tokens_details", "cached_tokens")
        return usage_of(
            model,
            read=counts.get("prompt_tokens"),
            # DeepSeek: api-docs.deepseek.com, context caching
            cached=cached or counts.get("prompt_cache_hit_tokens"),
            written=counts.get("completion_tokens"),
            reasoning=detail(counts, "completion_tokens_details", "reasoning_tokens"),
        )

    def _read_event(self, name: bytes, data: bytes) -> None:
        chunk = decoded(data, _decoder, _Chunk)
        if chunk is None:
            raise self._not_understood()
        if chunk.error or name == b"error":
            raise classify_error(200, chunk.error or {"code": chunk.code, "message": chunk.message})
        if not self.model:
            self._name_model(chunk.model)
        choice = chunk.choices[0] if chunk.choices else None
        # Groq: console.groq.com/docs/api-reference#chat-create; Kimi: earendil-works/pi#2017
        groq = chunk.x_groq.get("usage") if isinstance(chunk.x_groq, dict) else None
        kimi = choice.usage if choice is not None else None
        if isinstance(found := chunk.usage or groq or kimi, dict):
            self._counts = found
        if choice is not None:
            self._read_choice(choice)

    def _read_choice(self, choice: _Choice) -> None:
        delta = choice.delta or choice.message
        if delta:
            self._add_text(_text(delta.get("content")))
            if delta.get("refusal"):
                self.completion.is_refused = True
                self.progress += 1
            for call in _calls(delta.get("tool_calls")):
                self._add_call(call)
            if not delta.keys() <= _OWN:
                self._carry(delta)
        if isinstance(choice.finish_reason, str) and not self.completion.finish:
            self.completion.finish = choice.finish_reason

    def _carry(self, delta: dict[str, Any]) -> None:
        """Keep what goes back as it came: Gemini, DeepSeek, Kimi and OpenRouter ask for it."""
        for key, value in delta.items():
            if key not in _OWN and value is not None:
                self._carried_size += len(str(value))
                if self._carried_size <= MAX_CARRIED:
                    kept = self.completion.carried
                    kept[key] = _merged(kept.get(key), value)
        if any(delta.get(key) for key in _THOUGHTS):
            self.progress += 1

    def _add_call(self, piece: dict[str, Any]) -> None:
        self.progress += 1
        function = piece.get("function")
        if not isinstance(function, dict):
            function = {}
        name = function.get("name")
        name = name if isinstance(name, str) else ""
        call_id = piece.get("id")
        call_id = call_id[:MAX_CALL_ID] if isinstance(call_id, str) else ""
        index = piece.get("index")
        index = index if isinstance(index, int) else None
        call = self._continued(index, call_id, name)
        if call is None:
            call = self._new_call(call_id)
            if index is not None:
                self._by_index[index] = call
        if name and name != call.name:
            call.name += name
        call.call_id = call.call_id or call_id
        call.arguments += _arguments(function.get("arguments"))
        for key, value in piece.items():
            if key not in ("id", "index", "type", "function") and value is not None:
                self._carried_size += len(str(value))
                if self._carried_size <= MAX_CARRIED:
                    call.carried[key] = _merged(call.carried.get(key), value)
        self._check_calls()

    def _continued(self, index: int | None, call_id: str, name: str) -> ToolCall | None:
        """Return the call that a piece continues; None: it begins another.

        By the reference the index decides; some servers leave it out, or send 0 for every call,
        and some repeat the name in each piece of a call, or send another id.
        """
        last = self._by_index.get(index) if index is not None else None
        if last is None:
            if index is not None or not self.completion.calls:
                return None
            last = self.completion.calls[-1]
        if (call_id == last.call_id if call_id else index is not None) or not name:
            return last
        goes_on = name == last.name and not (last.arguments and last.is_whole)
        return last if goes_on else None


def _text(content: Any) -> str:
    """Return the text of a message's content, which may come in parts, thoughts among them."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = [
            part.get("text")
            for part in content
            if isinstance(part, dict) and part.get("type") in (None, "text", "output_text")
        ]
        return "".join([part for part in parts if isinstance(part, str)])
    return ""


def _calls(calls: Any) -> list[dict[str, Any]]:
    return [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []


def _merged(kept: Any, new: Any) -> Any:
    """Return what a field has come to with another piece of it; a list grows where it is."""
    if isinstance(kept, str) and isinstance(new, str):
        return kept + new
    if isinstance(kept, dict) and isinstance(new, dict):
        return {**kept, **{key: _merged(kept.get(key), value) for key, value in new.items()}}
    if isinstance(kept, list) and isinstance(new, list):
        for each in new:
            if kept and _continues(kept[-1], each):
                kept[-1] = _merged_detail(kept[-1], each)
            else:
                kept.append(each)
        return kept
    return new


# Of OpenRouter's `reasoning_details`: openrouter.ai/docs/use-cases/reasoning-tokens
_GROWING = ("text", "summary", "data")


def _continues(last: Any, new: Any) -> bool:
    if not (isinstance(last, dict) and isinstance(new, dict)) or "index" not in new:
        return False
    return all(last.get(key) == new.get(key) for key in ("index", "type"))


def _merged_detail(last: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    grown = {
        key: last[key] + new[key]
        for key in _GROWING
        if isinstance(last.get(key), str) and isinstance(new.get(key), str)
    }
    return {**last, **{key: value for key, value in new.items() if value is not None}, **grown}


def _arguments(arguments: Any) -> str:
    if isinstance(arguments, dict):  # some servers send the object itself
        return msgspec.json.encode(arguments).decode()
    return arguments if isinstance(arguments, str) else ""
