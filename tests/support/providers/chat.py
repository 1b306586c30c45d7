"""Chat Completions as most servers speak them; each provider's class says what it does otherwise.

A request is checked as strictly as the provider does it, with its own errors. What is not known to
be refused is accepted.
"""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any, ClassVar

from tests.support.openai_stub import Json
from tests.support.providers.toy_model import Finish, Reply, Said, ToolUse
from tests.support.providers.wire import Received, Refused, sse

KEY = "sk-quirky-test-key"
"""The key that every provider accepts."""
PIECE = 3
"""Characters of a piece of text: tags are torn."""
CREATED = 1_790_000_000
DONE = sse("[DONE]")


def pieces(text: str, size: int = PIECE) -> Iterator[str]:
    """Yield a text in pieces."""
    for start in range(0, len(text), size):
        yield text[start : start + size]


def tokens(text: str) -> int:
    """Return about as many tokens as a text has."""
    return (len(text) + 3) // 4


def text_of(content: Any) -> str:
    """Return the text of a message's content: a string, or parts of it."""
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def calls_of(message: Json) -> list[Json]:
    """Return the tool calls of a message."""
    found = message.get("tool_calls")
    return found if isinstance(found, list) else []


def without_result(messages: Sequence[Json]) -> tuple[int, list[str]] | None:
    """Return the first message with calls that no result follows, and their ids."""
    for index, message in enumerate(messages):
        wanted = [str(call.get("id")) for call in calls_of(message)]
        for after in messages[index + 1 :]:
            if after.get("role") != "tool":
                break
            wanted = [call_id for call_id in wanted if call_id != after.get("tool_call_id")]
        if wanted:
            return index, wanted
    return None


def without_call(messages: Sequence[Json]) -> int | None:
    """Return the first message with a result of a call that was not made just before it."""
    made: set[str] = set()
    for index, message in enumerate(messages):
        if message.get("role") != "tool":
            made = {str(call.get("id")) for call in calls_of(message)}
        elif message.get("tool_call_id") not in made:
            return index
    return None


def since_user(messages: Sequence[Json]) -> Iterator[tuple[int, Json]]:
    """Yield the messages of the model in the current turn, with their places."""
    last = max((i for i, each in enumerate(messages) if each.get("role") == "user"), default=-1)
    for index, message in enumerate(messages):
        if index > last and message.get("role") == "assistant":
            yield index, message


class Chat:
    """A server of Chat Completions; one object plays one provider for one run."""

    window: ClassVar[int] = 128_000
    """Tokens of a prompt."""
    thinks: ClassVar[bool] = False
    """True if the model's thoughts are sent along."""
    thinks_aloud: ClassVar[bool] = False
    """True if they are part of the content."""
    tags: ClassVar[tuple[str, str]] = ("<think>\n", "\n</think>\n\n")
    """Around thoughts in the content."""
    calls_as_text: ClassVar[bool] = False
    """True if calls are part of the content."""
    call_pieces: ClassVar[int] = 5
    """Characters of a piece of a call's arguments; 0: a call is sent whole."""
    finishes: ClassVar[dict[Finish, str]] = {finish: finish.value for finish in Finish}
    prelude: ClassVar[tuple[bytes, ...]] = ()
    """Sent before the first event."""
    names_model: ClassVar[bool] = True
    """False if the model's name in a request is ignored."""
    roles: ClassVar[frozenset[str]] = frozenset(
        ("system", "developer", "user", "assistant", "tool")
    )

    def __init__(self, model: str) -> None:
        self.model = model
        self.numbers = count(1)
        """For whatever needs a new id; a copy of this object shares them."""
        self.limit = self.window
        self.aloud = self.thinks_aloud
        self.as_text = self.calls_as_text

    # Requests.

    def check(self, request: Received) -> None:
        """Check everything about a request. Raises: Refused."""
        self.authorize(request)
        body = request.body
        if self.names_model and body.get("model") != self.model:
            raise self.unknown_model(str(body.get("model")))
        if not isinstance(body.get("messages"), list) or not body["messages"]:
            raise self.refused(400, "'messages' is a required property", param="messages")
        self.check_parameters(body)
        self.check_tools(body)
        self.check_messages(body["messages"])
        self.check_window(body)

    def authorize(self, request: Received) -> None:
        """Raises: Refused, for a wrong key."""
        if request.headers.get("authorization") != f"Bearer {KEY}":
            raise self.refused(401, "Incorrect API key provided.", code="invalid_api_key")

    def check_parameters(self, body: Json) -> None:
        """Raises: Refused, for a parameter that may not be there."""

    def check_tools(self, body: Json) -> None:
        """Raises: Refused, for tools that may not be there."""

    def check_messages(self, messages: Sequence[Json]) -> None:
        """Raises: Refused, for messages in a wrong form or order."""
        for index, message in enumerate(messages):
            if message.get("role") not in self.roles:
                raise self.refused(400, f"Invalid role in messages[{index}]: {message.get('role')}")
            if message.get("content") is None and not calls_of(message):
                text = "Invalid value for 'content': expected a string, got null."
                raise self.refused(400, text, param=f"messages.[{index}].content")
        if missing := without_result(messages):
            ids = ", ".join(missing[1])
            text = (
                "An assistant message with 'tool_calls' must be followed by tool messages "
                "responding to each 'tool_call_id'. The following tool_call_ids did not have "
                f"response messages: {ids}"
            )
            raise self.refused(400, text, param=f"messages.[{missing[0] + 1}].role")
        if (orphan := without_call(messages)) is not None:
            text = (
                "Invalid parameter: messages with role 'tool' must be a response to a preceeding "
                "message with 'tool_calls'."
            )
            raise self.refused(400, text, param=f"messages.[{orphan}].role")

    def check_window(self, body: Json) -> None:
        """Raises: Refused, for a prompt that is too long."""
        if (size := self.prompt_tokens(body)) > self.limit:
            text = (
                f"This model's maximum context length is {self.limit} tokens. However, your "
                f"messages resulted in {size} tokens. Please reduce the length of the messages."
            )
            raise self.refused(400, text, param="messages", code="context_length_exceeded")

    def prompt(self, body: Json) -> str:
        """Return all that a model reads of a request, as one text."""
        return json.dumps([body.get("tools"), body.get("messages")], ensure_ascii=False)

    def prompt_tokens(self, body: Json) -> int:
        """Return the size of a request's prompt."""
        return tokens(self.prompt(body))

    def conversation(self, body: Json) -> list[Said]:
        """Return what the model reads."""
        roles = {"developer": "system"}
        return [
            Said(roles.get(each["role"], each["role"]), text_of(each.get("content")))
            for each in body["messages"]
        ]

    def tools(self, body: Json) -> list[str]:
        """Return the names of the tools that may be called."""
        if body.get("tool_choice") == "none":
            return []
        return [str(tool["function"]["name"]) for tool in body.get("tools") or []]

    def max_tokens(self, body: Json) -> int | None:
        """Return the most tokens that the reply may have."""
        return body.get("max_completion_tokens") or body.get("max_tokens")

    def streams(self, body: Json) -> bool:
        """Return whether the answer is streamed."""
        return body.get("stream") is True

    # Errors.

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
        """Return an error in the shape that most have taken from OpenAI."""
        error = {"message": message, "type": kind, "param": param, "code": code}
        return Refused(status, {"error": error}, headers)

    def unknown_model(self, model: str) -> Refused:
        """Return the error for a model that is not served."""
        text = f"The model `{model}` does not exist or you do not have access to it."
        return self.refused(404, text, code="model_not_found")

    def not_found(self, request: Received) -> Refused:
        """Return the error for a path that is not served."""
        return self.refused(404, f"Invalid URL ({request.method} {request.path})")

    def busy(self) -> Refused:
        """Return the error of a server that cannot answer at the moment."""
        return self.refused(503, "The server is overloaded or not ready yet.", kind="server_error")

    def rate_limited(self) -> Refused:
        """Return the error for too many requests: a pause helps."""
        text = "Rate limit reached. Please try again in 1s."
        return self.refused(
            429, text, kind="requests", code="rate_limit_exceeded", headers={"retry-after": "1"}
        )

    def out_of_quota(self) -> Refused:
        """Return the error for an account without money: no pause helps."""
        # openai/openai error codes; NextChat#3664 has the body.
        text = "You exceeded your current quota, please check your plan and billing details."
        return self.refused(429, text, kind="insufficient_quota", code="insufficient_quota")

    # Answers.

    def events(self, body: Json, reply: Reply, usage: Json) -> Iterator[bytes]:
        """Yield the events of a streamed answer."""
        yield from self.prelude
        content, calls = self.spoken(reply)
        yield self.chunk({"role": "assistant", "content": ""})
        if self.thinks and not self.aloud:
            for piece in pieces(reply.thought):
                yield self.chunk(self.thought_delta(piece))
        yield from self.after_thought(reply)
        for piece in pieces(reply.refusal):
            yield self.refusal_chunk(piece)
        if reply.finish in (Finish.BROKEN, Finish.ERROR):
            yield from (self.text_chunk(piece) for piece in pieces(content[: len(content) // 2]))
            yield from self.broken()
            return
        yield from (self.text_chunk(piece) for piece in pieces(content))
        for index, call in enumerate(calls):
            yield from self.call_chunks(index, call)
        yield from self.closing(body, self.finish_of(reply, calls), usage)

    def spoken(self, reply: Reply) -> tuple[str, tuple[ToolUse, ...]]:
        """Return the content of a reply, and the calls that are not part of it."""
        content = reply.text
        if self.aloud and reply.thought:
            content = f"{self.tags[0]}{reply.thought}{self.tags[1]}{content}"
        if self.as_text and reply.calls:
            return content + "".join(map(self.call_text, reply.calls)), ()
        return content, reply.calls

    def chunk(self, delta: Json, finish: str | None = None, **more: Any) -> bytes:
        """Return one event with one choice."""
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return sse({**self.head("chat.completion.chunk"), "choices": [choice], **more})

    def head(self, kind: str) -> Json:
        """Return the fields that all events have."""
        return {"id": "chatcmpl-q1", "object": kind, "created": CREATED, "model": self.model}

    def text_chunk(self, piece: str) -> bytes:
        """Return the event of a piece of text."""
        return self.chunk({"content": piece})

    def thought_delta(self, piece: str) -> Json:
        """Return a piece of a thought."""
        return {"reasoning_content": piece}

    def after_thought(self, reply: Reply) -> Iterator[bytes]:
        """Yield what stands between thoughts and text."""
        yield from ()

    def refusal_chunk(self, piece: str) -> bytes:
        """Return the event of a piece of a refusal: with most, it is like any other text."""
        return self.text_chunk(piece)

    def call_id(self, index: int, name: str) -> str:
        """Return a new id of a call."""
        return f"call_{next(self.numbers):024d}"

    def call_fields(self, index: int, call: ToolUse) -> Json:
        """Return what a provider adds to a call, and wants to have back."""
        return {}

    def call_name(self, call: ToolUse) -> str:
        """Return a call's name as it is sent."""
        return call.name

    def call_text(self, call: ToolUse) -> str:
        """Return a call as a model writes it where nobody parses it."""
        # NousResearch/hermes-agent#742
        written = json.dumps({"name": call.name, "arguments": call.arguments}, ensure_ascii=False)
        return f"<tool_call>\n{written}\n</tool_call>"

    def call_chunks(self, index: int, call: ToolUse) -> Iterator[bytes]:
        """Yield the events of a call."""
        whole = self.call(index, call)
        arguments = whole["function"]["arguments"]
        if self.call_pieces:
            first = {**whole, "function": {**whole["function"], "arguments": ""}}
            yield self.chunk({"tool_calls": [{"index": index, **first}]})
            for piece in pieces(arguments, self.call_pieces):
                yield self.chunk(
                    {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}
                )
        else:
            yield self.chunk({"tool_calls": [{"index": index, **whole}]})

    def call(self, index: int, call: ToolUse) -> Json:
        """Return a whole call."""
        arguments = json.dumps(call.arguments, ensure_ascii=False)
        return {
            "id": self.call_id(index, call.name),
            "type": "function",
            "function": {"name": self.call_name(call), "arguments": arguments},
            **self.call_fields(index, call),
        }

    def finish_of(self, reply: Reply, calls: Sequence[ToolUse]) -> str:
        """Return the finish reason."""
        finish = reply.finish
        if finish is Finish.CALLS and not calls:
            finish = Finish.STOP
        return self.finishes[finish]

    def closing(self, body: Json, finish: str, usage: Json) -> Iterator[bytes]:
        """Yield the last events."""
        yield self.chunk({}, finish)
        if (body.get("stream_options") or {}).get("include_usage"):
            yield sse({**self.head("chat.completion.chunk"), "choices": [], "usage": usage})
        yield DONE

    def broken(self) -> Iterator[bytes]:
        """Yield the end of an answer that has failed in the middle."""
        text = "The server had an error while processing your request. Sorry about that!"
        yield sse({"error": {"message": text, "type": "server_error", "param": None, "code": None}})

    def document(self, body: Json, reply: Reply, usage: Json) -> Json:
        """Return an answer that is not streamed."""
        content, calls = self.spoken(reply)
        message: Json = {"role": "assistant", "content": content or reply.refusal or None}
        if self.thinks and not self.aloud:
            message |= self.thought_delta(reply.thought)
        if calls:
            message["tool_calls"] = [self.call(index, call) for index, call in enumerate(calls)]
        choice = {
            "index": 0,
            "message": message,
            "finish_reason": self.finish_of(reply, calls),
        }
        return {**self.head("chat.completion"), "choices": [choice], "usage": usage}

    def usage(self, body: Json, reply: Reply, cached: int) -> Json:
        """Return the token counts."""
        size = self.prompt_tokens(body)
        thought = tokens(reply.thought) if self.thinks or self.aloud else 0
        written = json.dumps([call.arguments for call in reply.calls]) if reply.calls else ""
        completion = tokens(reply.text + reply.refusal + written) + thought
        return {
            "prompt_tokens": size,
            "completion_tokens": completion,
            "total_tokens": size + completion,
            "prompt_tokens_details": {"cached_tokens": cached},
            "completion_tokens_details": {"reasoning_tokens": thought},
        }


def is_name(name: Any) -> bool:
    """Return whether a tool may have this name."""
    return isinstance(name, str) and re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name) is not None
