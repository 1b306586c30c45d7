"""Responses: a request's body, and a parser of its replies.

https://platform.openai.com/docs/api-reference/responses. Nothing is stored at the provider: what
the model has thought comes encrypted, and goes back within the turn.
"""

from collections.abc import Collection
from typing import Any

import msgspec

from adapters.model.completion import CompletionRequest, ToolRound
from adapters.model.failures import classify_error
from adapters.openai.adaptations import Adaptation
from adapters.openai.events import MAX_CALL_ID, MAX_CARRIED, ReplyParser, decoded, detail, usage_of
from domain.usage import Usage

RESPONSES_PATH = "/responses"
_ENCRYPTED = "reasoning.encrypted_content"


def response_body(
    model: str,
    request: CompletionRequest,
    changes: Collection[str],
    effort: str,
    *,
    author: str,
) -> dict[str, Any]:
    """Return the body of a request; `author`: whose calls have come with what is carried."""
    # The type is optional, but llama.cpp's server knows an assistant's message by it.
    items: list[dict[str, Any]] = [{"type": "message", **each} for each in request.messages]
    made: dict[str, Any] = {"model": model}
    if items and items[0]["role"] == "system":
        made["instructions"] = items.pop(0)["content"]
    for each in request.rounds:
        items += _items(each, is_own=each.author == author and Adaptation.NO_CARRIED not in changes)
    made |= {
        "input": items,
        "stream": Adaptation.NO_STREAM not in changes,
        "max_output_tokens": request.max_tokens,
    }
    if Adaptation.NO_STORE not in changes:
        made["store"] = False
    if Adaptation.NO_INCLUDE not in changes:
        made["include"] = [_ENCRYPTED]
    if effort and Adaptation.NO_EFFORT not in changes:
        made["reasoning"] = {"effort": effort}
    if request.tools and Adaptation.NO_TOOLS not in changes:
        # Not strict: the arguments are checked where they are used.
        made["tools"] = [
            {"type": "function", **tool["function"], "strict": False} for tool in request.tools
        ]
        if not request.tools_allowed and Adaptation.NO_TOOL_CHOICE not in changes:
            made["tool_choice"] = "none"
    return made


def _items(made: ToolRound, *, is_own: bool) -> list[dict[str, Any]]:
    """Return a round as items: as they came, or made anew where another model has called."""
    items = list(made.carried.get("items", ())) if is_own else []
    if not items:
        if made.text:
            items.append({"type": "message", "role": "assistant", "content": made.text})
        items += [
            {
                "type": "function_call",
                "call_id": call.call_id,
                "name": call.name,
                "arguments": call.arguments,
            }
            for call in made.calls
        ]
    return [
        *items,
        *[
            {"type": "function_call_output", "call_id": call.call_id, "output": result}
            for call, result in zip(made.calls, made.results, strict=True)
        ],
    ]


class _Event(msgspec.Struct):
    type: Any = None
    object: Any = None
    delta: Any = None
    item: Any = None
    response: Any = None
    status: Any = None
    output: Any = None
    usage: Any = None
    incomplete_details: Any = None
    error: Any = None
    code: Any = None
    message: Any = None
    param: Any = None


_decoder = msgspec.json.Decoder(_Event)


class ResponseParser(ReplyParser):
    """A parser of Responses' replies."""

    api = "Responses"

    def __init__(self, tools: Collection[str] = (), *, holds: bool = False) -> None:
        super().__init__(tools, holds=holds)
        self._items: list[dict[str, Any]] = []
        self._had_delta = False

    def usage(self, model: str) -> Usage:
        counts = self._counts
        return usage_of(
            model,
            read=counts.get("input_tokens"),
            cached=detail(counts, "input_tokens_details", "cached_tokens"),
            written=counts.get("output_tokens"),
            reasoning=detail(counts, "output_tokens_details", "reasoning_tokens"),
        )

    def _read_event(self, name: bytes, data: bytes) -> None:
        event = decoded(data, _decoder, _Event)
        if event is None:
            raise self._not_understood()
        kind = event.type if isinstance(event.type, str) else name.decode(errors="replace")
        match kind:
            case "response.output_text.delta":
                self._had_delta = True
                self._add_text(event.delta if isinstance(event.delta, str) else "")
            case "response.output_item.added":
                self._begin_item(event.item)
            case "response.output_item.done":
                self._add_item(event.item)
            case "response.completed" | "response.incomplete" | "response.failed":
                self._end_response(event.response)
            case "error":
                raise classify_error(200, event.error or _error_of(event))
            case _ if event.object == "response" or event.error:
                self._end_response(msgspec.structs.asdict(event))
            case _ if kind.startswith("response."):
                # The model is at work: its thoughts, and the arguments of its calls.
                self.progress += kind.endswith((".delta", ".done"))
            case _:
                raise self._not_understood()

    def _begin_item(self, item: Any) -> None:
        self.progress += 1
        if isinstance(item, dict) and item.get("type") == "message" and self.has_begun:
            self._add_text("\n\n")

    def _add_item(self, item: Any) -> None:
        """Read a whole item of the reply."""
        if not isinstance(item, dict):
            return
        self.progress += 1
        self._items.append(item)
        match item.get("type"):
            case "function_call":
                call_id = item.get("call_id")
                call = self._new_call(call_id[:MAX_CALL_ID] if isinstance(call_id, str) else "")
                call.name = name if isinstance(name := item.get("name"), str) else ""
                arguments = item.get("arguments")
                call.arguments = arguments if isinstance(arguments, str) else ""
                self._check_calls()
            case "message":
                self._add_message(item.get("content"))

    def _add_message(self, parts: Any) -> None:
        for part in parts if isinstance(parts, list) else ():
            if not isinstance(part, dict):
                continue
            if part.get("type") == "refusal":
                self.completion.is_refused = True
            elif not self._had_delta and isinstance(text := part.get("text"), str):
                self._add_text(text)

    def _end_response(self, response: Any) -> None:
        if not isinstance(response, dict):
            raise self._not_understood()
        self._name_model(response.get("model"))
        if isinstance(counts := response.get("usage"), dict):
            self._counts = counts
        if error := response.get("error"):
            raise classify_error(200, error)
        if not self._items and isinstance(output := response.get("output"), list):
            for item in output:
                self._add_item(item)
        self._carry()
        details = response.get("incomplete_details")
        reason = details.get("reason") if isinstance(details, dict) else None
        status = response.get("status")
        self.completion.finish = next(
            (each for each in (reason, status) if isinstance(each, str)), "completed"
        )
        self.is_done = True

    def _carry(self) -> None:
        """Keep the items that go back with the results of the calls.

        A thought that came without its encrypted content cannot: nothing is stored at the provider,
        and what came with it is then made anew.
        """
        thoughts = [item for item in self._items if item.get("type") == "reasoning"]
        if all(item.get("encrypted_content") for item in thoughts):
            items = [{k: v for k, v in item.items() if k != "status"} for item in self._items]
            if len(str(items)) <= MAX_CARRIED:
                self.completion.carried = {"items": items}


def _error_of(event: _Event) -> dict[str, Any]:
    return {"code": event.code, "message": event.message, "param": event.param}
