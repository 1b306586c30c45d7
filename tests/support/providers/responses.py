"""OpenAI's Responses API: https://platform.openai.com/docs/api-reference/responses

Nothing is stored, whatever `store` says: an item counts only if it comes whole.
"""

import base64
import json
from collections.abc import Iterator, Sequence
from typing import Any

from tests.support.openai_stub import Json
from tests.support.providers.chat import CREATED, is_name, pieces, text_of, tokens
from tests.support.providers.openai import OpenAI
from tests.support.providers.toy_model import Finish, Reply, Said, ToolUse
from tests.support.providers.wire import Received, Refused, sse

PARAMETERS = frozenset(
    (
        *("model", "input", "instructions", "stream", "stream_options", "store", "include"),
        *("reasoning", "tools", "tool_choice", "parallel_tool_calls", "max_output_tokens"),
        *("max_tool_calls", "temperature", "top_p", "text", "truncation", "metadata", "user"),
        *("prompt_cache_key", "prompt_cache_retention", "safety_identifier", "service_tier"),
        *("previous_response_id", "conversation", "background", "prompt", "top_logprobs"),
        *("prompt_cache_options", "moderation", "context_management", "background_options"),
        *("access_programs", "image"),
    )
)
MOVED = {  # what Chat Completions has elsewhere
    "messages": "input",
    "max_tokens": "max_output_tokens",
    "max_completion_tokens": "max_output_tokens",
    "reasoning_effort": "reasoning.effort",
    "response_format": "text.format",
}
_ORIGIN = ("caller", "namespace", "async", "name")
ITEM_FIELDS = {
    "message": frozenset(("type", "role", "content", "id", "status", "phase")),
    # BerriAI/litellm#13420: a reasoning item comes with a status that it may not have
    "reasoning": frozenset(("type", "id", "summary", "content", "encrypted_content")),
    "function_call": frozenset(("type", "id", "call_id", "name", "arguments", "status", *_ORIGIN)),
    "function_call_output": frozenset(("type", "id", "call_id", "output", "status", *_ORIGIN)),
}
PART_TYPES = {
    "assistant": ("output_text", "refusal"),
    "user": ("input_text", "input_image", "input_file"),
    "system": ("input_text",),
    "developer": ("input_text",),
}
ENCRYPTED = "reasoning.encrypted_content"
THOUGHTFUL = "0"
"""The number of an item that belongs to a thought begins with it."""


def sealed(item_id: str) -> str:
    """Return the encrypted content of a reasoning item."""
    return "gAAAAA" + base64.urlsafe_b64encode(item_id.encode()).decode()


_FAILED = (Finish.BROKEN, Finish.ERROR)
_ERROR = {
    "code": "server_error",
    "message": "The server had an error while processing your request. Sorry about that!",
}


class Responses:
    """The API, for the same models under the same rules as `chat` has them."""

    def __init__(self, chat: OpenAI) -> None:
        self._chat = chat

    # Requests.

    def check(self, request: Received) -> None:
        """Check everything about a request. Raises: Refused."""
        chat, body = self._chat, request.body
        chat.authorize(request)
        if body.get("model") != chat.model:
            raise chat.unknown_model(str(body.get("model")))
        self._check_parameters(body)
        self._check_tools(body)
        self._check_input(self.items(body))
        if self.prompt_tokens(body) > chat.limit:
            text = (
                "Your input exceeds the context window of this model. Please adjust your input and "
                "try again."
            )
            raise chat.refused(400, text, param="input", code="context_length_exceeded")

    def _check_parameters(self, body: Json) -> None:
        chat = self._chat
        for name in body:
            if name in MOVED:
                why = (
                    f"In the Responses API, this parameter has moved to '{MOVED[name]}'. Try again "
                    "with the new parameter. See the API documentation for more information: "
                    "https://platform.openai.com/docs/api-reference/responses/create."
                )
                text = f"Unsupported parameter: '{name}'. {why}"
                raise chat.refused(400, text, param=name, code="unsupported_parameter")
            if name not in PARAMETERS:
                raise chat.unknown_parameter(name)
        if "input" not in body:
            text = "Missing required parameter: 'input'."
            raise chat.refused(400, text, param="input", code="missing_required_parameter")
        most = body.get("max_output_tokens")
        if most is not None and most < 16:
            text = (
                "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, "
                f"but got {most} instead."
            )
            code = "integer_below_min_value"
            raise chat.refused(400, text, param="max_output_tokens", code=code)
        reasoning = body.get("reasoning") or {}
        efforts = chat.rules.efforts + chat.rules.efforts_of_responses
        chat.check_effort(reasoning.get("effort"), "reasoning.effort", efforts)
        include = body.get("include") or []
        if ENCRYPTED in include and not chat.rules.efforts:  # OpenHands/software-agent-sdk#1208
            text = "Encrypted content is not supported with this model."
            raise chat.refused(400, text, param="include")
        if "include_usage" in (body.get("stream_options") or {}):
            raise chat.unknown_parameter("stream_options.include_usage")

    def _check_tools(self, body: Json) -> None:
        for index, tool in enumerate(body.get("tools") or []):
            if not is_name(tool.get("name")):  # it is not within `function` here
                text = f"Missing required parameter: 'tools[{index}].name'."
                param, code = f"tools[{index}].name", "missing_required_parameter"
                raise self._chat.refused(400, text, param=param, code=code)
            for field in tool.keys() & {"function"}:
                raise self._chat.unknown_parameter(f"tools[{index}].{field}")

    def _check_input(self, items: Sequence[Json]) -> None:
        for index, item in enumerate(items):
            kind = _kind(item)
            if kind not in ITEM_FIELDS:
                text = f"Invalid value: '{kind}'. Supported values are: {', '.join(ITEM_FIELDS)}."
                raise self._invalid(text, f"input[{index}].type")
            for field in item.keys() - ITEM_FIELDS[kind]:
                raise self._chat.unknown_parameter(f"input[{index}].{field}")
            if kind == "message":
                self._check_message(item, f"input[{index}]")
            elif kind == "reasoning":
                self._check_reasoning(item)
        self._check_order(items)

    def _check_message(self, item: Json, where: str) -> None:
        role = item.get("role")
        if role not in PART_TYPES:
            text = (
                f"Invalid value: '{role}'. Supported values are: 'assistant', 'system', "
                "'developer', and 'user'."
            )
            raise self._invalid(text, where)
        content = item.get("content")
        if content is None:
            text = f"Missing required parameter: '{where}.content'."
            param, code = f"{where}.content", "missing_required_parameter"
            raise self._chat.refused(400, text, param=param, code=code)
        for number, part in enumerate(content if isinstance(content, list) else []):
            if part.get("type") not in PART_TYPES[role]:
                known = " and ".join(f"'{each}'" for each in PART_TYPES[role])
                text = f"Invalid value: '{part.get('type')}'. Supported values are: {known}."
                raise self._invalid(text, f"{where}.content[{number}].type")

    def _check_reasoning(self, item: Json) -> None:
        item_id, content = str(item.get("id")), item.get("encrypted_content")
        if content is None:
            # can1357/oh-my-pi#41, openai/openai-agents-js#546
            text = (
                f"Item with id '{item_id}' not found. Items are not persisted when `store` is set "
                "to false. Try again with `store` set to true, or remove this item from your input."
            )
            raise self._chat.refused(404, text, param="input")
        if content != sealed(item_id):
            text = (  # Wei-Shaw/sub2api#3138
                f"The encrypted content {str(content)[:4]}... could not be verified. Reason: "
                "Encrypted content could not be decrypted or parsed."
            )
            raise self._chat.refused(400, text, code="invalid_encrypted_content")

    def _check_order(self, items: Sequence[Json]) -> None:
        """Raises: Refused, for items without those that belong to them."""
        thoughts: set[str] = set()
        calls: dict[str, bool] = {}
        for index, item in enumerate(items):
            kind, item_id = _kind(item), str(item.get("id", ""))
            if kind == "reasoning":
                after = items[index + 1] if index + 1 < len(items) else {}
                own = _kind(after) == "function_call" or after.get("role") == "assistant"
                if not own:  # continuedev/continue#8933
                    text = (
                        f"Item '{item_id}' of type 'reasoning' was provided without its required "
                        "following item."
                    )
                    raise self._chat.refused(400, text, param="input")
                thoughts.add(item_id)
                continue
            number = item_id.partition("_")[2]
            thought = f"rs_{number[:-2]}00"
            if number.startswith(THOUGHTFUL) and thought not in thoughts:
                text = (  # cline/cline#12242, continuedev/continue#12620
                    f"Item '{item_id}' of type '{kind}' was provided without its required "
                    f"'reasoning' item: '{thought}'."
                )
                raise self._chat.refused(400, text, param="input")
            if kind == "function_call":
                calls[str(item.get("call_id"))] = False
            elif kind == "function_call_output":
                call_id = str(item.get("call_id"))
                if call_id not in calls:  # continuedev/continue#10092
                    text = f"No tool call found for function call output with call_id {call_id}."
                    raise self._chat.refused(400, text, param="input")
                calls[call_id] = True
        for call_id, is_answered in calls.items():
            if not is_answered:  # bytedance/trae-agent#245
                text = f"No tool output found for function call {call_id}."
                raise self._chat.refused(400, text, param="input")

    def _invalid(self, text: str, param: str) -> Refused:
        return self._chat.refused(400, text, param=param, code="invalid_value")

    def items(self, body: Json) -> list[Json]:
        """Return the input, which may be a text alone."""
        found = body["input"]
        return [{"role": "user", "content": found}] if isinstance(found, str) else found

    def prompt(self, body: Json) -> str:
        """Return all that a model reads of a request, as one text."""
        parts = [body.get("tools"), body.get("instructions"), self.items(body)]
        return json.dumps(parts, ensure_ascii=False)

    def prompt_tokens(self, body: Json) -> int:
        """Return the size of a request's prompt."""
        return tokens(self.prompt(body))

    def conversation(self, body: Json) -> list[Said]:
        """Return what the model reads."""
        said = [Said("system", str(body["instructions"]))] if body.get("instructions") else []
        for item in self.items(body):
            if _kind(item) == "message":
                role = "system" if item["role"] == "developer" else str(item["role"])
                said.append(Said(role, text_of(item["content"])))
            elif _kind(item) == "function_call_output":
                said.append(Said("tool", text_of(item.get("output"))))
        return said

    def tools(self, body: Json) -> list[str]:
        """Return the names of the tools that may be called."""
        if body.get("tool_choice") == "none":
            return []
        return [str(tool["name"]) for tool in body.get("tools") or []]

    def max_tokens(self, body: Json) -> int | None:
        """Return the most tokens that the reply may have."""
        return body.get("max_output_tokens")

    def streams(self, body: Json) -> bool:
        """Return whether the answer is streamed."""
        return body.get("stream") is True

    # Answers.

    def events(self, body: Json, reply: Reply, usage: Json) -> Iterator[bytes]:
        """Yield the events of a streamed answer."""
        for number, event in enumerate(self._events(body, reply, usage)):
            yield sse({**event, "sequence_number": number}, event["type"])

    def _events(self, body: Json, reply: Reply, usage: Json) -> Iterator[Json]:
        response = self._response(body)
        yield {"type": "response.created", "response": response}
        yield {"type": "response.in_progress", "response": response}
        output: list[Json] = []
        for item in self._output(body, reply):
            index = len(output)
            yield {
                "type": "response.output_item.added",
                "output_index": index,
                "item": _begun(item),
            }
            if reply.finish in _FAILED and item["type"] == "message":
                text = item["content"][0].get("text", "") if item["content"] else ""
                yield from _growth(index, item, text[: len(text) // 2])
                yield self._failure(response, reply.finish)
                return
            yield from _growth(index, item)
            yield {"type": "response.output_item.done", "output_index": index, "item": item}
            output.append(item)
        status, more = _end(reply.finish)
        final = {**response, "status": status, "output": output, "usage": usage, **more}
        yield {"type": f"response.{status}", "response": final}

    def _failure(self, response: Json, finish: Finish) -> Json:
        if finish is Finish.ERROR:
            # openai/openai-dotnet#881: not as documented, but within `error`
            return {"type": "error", "error": {**_ERROR, "type": "server_error", "param": None}}
        failed = {**response, "status": "failed", "error": _ERROR}
        return {"type": "response.failed", "response": failed}

    def _response(self, body: Json) -> Json:
        return {
            "id": f"resp_{next(self._chat.numbers):048x}",
            "object": "response",
            "created_at": CREATED,
            "status": "in_progress",
            "error": None,
            "incomplete_details": None,
            "instructions": body.get("instructions"),
            "max_output_tokens": body.get("max_output_tokens"),
            "model": self._chat.model,
            "output": [],
            "parallel_tool_calls": True,
            "reasoning": body.get("reasoning") or {"effort": self._chat.rules.default},
            "store": body.get("store", True),
            "tools": body.get("tools") or [],
            "usage": None,
        }

    def _output(self, body: Json, reply: Reply) -> Iterator[Json]:
        """Yield the items of a reply, whole."""
        thinks = self._effort(body) != "none"
        number = f"{THOUGHTFUL if thinks else '1'}{next(self._chat.numbers):045x}"
        if thinks:
            thought = f"rs_{number}00"
            item: Json = {"id": thought, "type": "reasoning", "summary": []}
            if ENCRYPTED in (body.get("include") or []):
                item["encrypted_content"] = sealed(thought)
            yield item
        if reply.text or reply.refusal or not reply.calls:
            part: Json = {"type": "output_text", "text": reply.text, "annotations": []}
            if reply.refusal:
                part = {"type": "refusal", "refusal": reply.refusal}
            status = "incomplete" if reply.finish in (Finish.LENGTH, Finish.FILTER) else "completed"
            yield {
                "id": f"msg_{number}00",
                "type": "message",
                "status": status,
                "role": "assistant",
                "content": [part] if reply.text or reply.refusal else [],
            }
        for index, call in enumerate(reply.calls):
            yield self._call(number, index, call)

    def _call(self, number: str, index: int, call: ToolUse) -> Json:
        return {
            "id": f"fc_{number}{index:02d}",
            "type": "function_call",
            "status": "completed",
            "arguments": json.dumps(call.arguments, ensure_ascii=False),
            "call_id": f"call_{number[-20:]}{index:02d}",
            "name": call.name,
        }

    def _effort(self, body: Json) -> str:
        return str((body.get("reasoning") or {}).get("effort") or self._chat.rules.default)

    def document(self, body: Json, reply: Reply, usage: Json) -> Json:
        """Return an answer that is not streamed."""
        status, more = _end(reply.finish)
        output = list(self._output(body, reply))
        made = {**self._response(body), "status": status, "output": output, "usage": usage}
        return {**made, **more}

    def usage(self, body: Json, reply: Reply, cached: int) -> Json:
        """Return the token counts."""
        size = self.prompt_tokens(body)
        thought = 0 if self._effort(body) == "none" else 64
        written = json.dumps([call.arguments for call in reply.calls]) if reply.calls else ""
        output = tokens(reply.text + reply.refusal + written) + thought
        return {
            "input_tokens": size,
            "input_tokens_details": {"cached_tokens": cached},
            "output_tokens": output,
            "output_tokens_details": {"reasoning_tokens": thought},
            "total_tokens": size + output,
        }


def _kind(item: Json) -> str:
    return str(item.get("type") or ("message" if "role" in item else ""))


def _begun(item: Json) -> Json:
    """Return an item as it is before it has grown."""
    empty: dict[str, Json] = {
        "reasoning": {},
        "message": {"status": "in_progress", "content": []},
        "function_call": {"status": "in_progress", "arguments": ""},
    }
    return {**item, **empty[item["type"]]}


def _growth(index: int, item: Json, text: str | None = None) -> Iterator[Json]:
    """Yield the events by which an item grows; `text`: only so much of it, without its end."""
    at: Json = {"output_index": index, "item_id": item["id"]}
    if item["type"] == "function_call":
        for piece in pieces(item["arguments"], 5):
            yield {"type": "response.function_call_arguments.delta", **at, "delta": piece}
        whole = {"arguments": item["arguments"], "name": item["name"]}
        yield {"type": "response.function_call_arguments.done", **at, **whole}
    elif item["type"] == "message":
        for number, part in enumerate(item["content"]):
            here = {**at, "content_index": number}
            kind = part["type"]
            field = "refusal" if kind == "refusal" else "text"
            yield {"type": "response.content_part.added", **here, "part": {**part, field: ""}}
            for piece in pieces(part[field] if text is None else text):
                yield {"type": f"response.{kind}.delta", **here, "delta": piece}
            if text is None:
                yield {"type": f"response.{kind}.done", **here, field: part[field]}
                yield {"type": "response.content_part.done", **here, "part": part}


def _end(finish: Finish) -> tuple[str, dict[str, Any]]:
    """Return a response's status, and what it adds."""
    reasons = {Finish.LENGTH: "max_output_tokens", Finish.FILTER: "content_filter"}
    if finish in reasons:
        return "incomplete", {"incomplete_details": {"reason": reasons[finish]}}
    if finish in _FAILED:
        return "failed", {"error": _ERROR}
    return "completed", {}
