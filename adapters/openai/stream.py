"""A model's reply, read as it comes: server-sent events, or one JSON document.

Pure: bytes in, text out. The servers that speak Chat Completions differ in much that its reference
leaves open, and in some that it does not; what can be understood is taken, all else fails the try
with a reason that repeats nothing of what was sent.
"""

import json
from typing import Any

import msgspec

from adapters.model.failures import AttemptFailed, Recovery, classify_error
from domain.usage import Usage

MAX_EVENT = 1024 * 1024
"""Bytes of one event, or of a whole reply that is not streamed."""
MAX_TEXT = 32_000
"""Characters of an answer; there it is cut."""
MAX_ARGUMENTS = 64 * 1024
"""Characters of the arguments of all calls of one reply."""
MAX_CALLS, MAX_ID = 32, 128

_BOM = b"\xef\xbb\xbf"


class ToolCall:
    """A model's call of a tool, with its arguments as they came: JSON, it is hoped."""

    __slots__ = ("arguments", "call_id", "name")

    def __init__(self, call_id: str = "", name: str = "", arguments: str = "") -> None:
        self.call_id = call_id
        self.name = name
        self.arguments = arguments

    @property
    def is_whole(self) -> bool:
        """Whether nothing more can follow."""
        return self._decoded() is not None

    @property
    def is_object(self) -> bool:
        """Whether the arguments are a JSON object, as they must be."""
        return isinstance(self._decoded(), dict)

    def _decoded(self) -> Any:
        try:
            return msgspec.json.decode(self.arguments)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            return None


# What may come in more than one type is `Any`, and looked at where it is used.
class _Function(msgspec.Struct):
    name: Any = None
    arguments: Any = None


class _Call(msgspec.Struct):
    index: Any = None
    id: Any = None
    function: _Function | None = None


class _Delta(msgspec.Struct):
    content: Any = None
    refusal: Any = None
    tool_calls: list[_Call] | None = None
    reasoning: Any = None
    reasoning_content: Any = None


class _Choice(msgspec.Struct):
    delta: _Delta | None = None
    message: _Delta | None = None
    finish_reason: Any = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: Any = None
    error: Any = None
    code: Any = None
    message: Any = None


_decode = msgspec.json.Decoder(_Chunk).decode


def _chunk(data: bytes) -> _Chunk | None:
    """None where it is none. Servers that count in UTF-16 tear an emoji into halves."""
    try:
        return _decode(data)
    except msgspec.ValidationError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if b"\\ud" not in data.lower():
            return None
    try:
        return msgspec.convert(json.loads(data), _Chunk)
    except (ValueError, RecursionError):
        return None


def _joined(text: str) -> str:
    """The text with the halves of a character put together; a half without its other stays."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


class Reply:
    """What a model replies to one request: text, calls of tools, and what it cost."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.calls: list[ToolCall] = []
        self.finish = ""
        """Why the model stopped: `stop`, `tool_calls`, `length`, `content_filter`; "" before."""
        self.is_done = False
        """Whether nothing more is to come."""
        self.signs = 0
        """Of life: how often the model has given, or thought, anything."""
        self._usage: dict[str, Any] = {}
        self._size = 0
        self._half = ""
        self._by_index: dict[int, ToolCall] = {}
        self._streams: bool | None = None  # None: not told yet
        self._rest = bytearray()
        self._data: list[bytes] = []
        self._held = 0
        self._event = b""

    @property
    def is_complete(self) -> bool:
        """Whether all of the answer has come; what it cost may follow."""
        return self.is_done or bool(self.finish)

    @property
    def is_settled(self) -> bool:
        """Whether nothing of use can follow."""
        return self.is_done or bool(self.finish and self._usage)

    @property
    def is_cut(self) -> bool:
        """Whether the answer would have gone on."""
        return self.finish == "length"

    def feed(self, data: bytes) -> str:
        """Take what has come; the text that it adds to the answer. Raises: TryFailed."""
        if self._streams is None:
            data = self._begin(data)
        before = len(self.text)
        self._take(data)
        return "".join(self.text[before:])

    def end(self) -> str:
        """Take the end of what comes; the text that was still held. Raises: TryFailed."""
        before = len(self.text)
        if self._streams is False:
            self._dispatch(bytes(self._rest))
            self.is_done = True
        elif self._data or self._rest.rstrip().endswith((b"}", b"]")):
            self._take(b"\n\n")  # the last event may lack its empty line
        if not self.is_complete:
            raise AttemptFailed("the answer broke off")
        return "".join(self.text[before:])

    def check(self) -> None:
        """Raises: TryFailed, if a complete reply is of no use."""
        if self.finish == "content_filter":
            reason = "the provider's content filter withheld the answer"
            raise AttemptFailed(reason, Recovery.ELSEWHERE, is_outage=False)
        if self.calls or any(map(str.strip, self.text)):
            return
        if self.is_cut:
            reason = "all tokens of the answer were spent before its first word"
            raise AttemptFailed(reason, Recovery.ELSEWHERE, is_outage=False)
        raise AttemptFailed("the answer was empty", is_outage=False)

    def usage(self, model: str) -> Usage:
        """What the request has cost, as far as the server has said."""
        told = self._usage
        details = told.get("prompt_tokens_details")
        cached = details.get("cached_tokens") if isinstance(details, dict) else None
        taken = _count(told.get("prompt_tokens"))
        return Usage(
            model=model,
            input_tokens=taken,
            cached_tokens=min(taken, _count(cached or told.get("prompt_cache_hit_tokens"))),
            output_tokens=_count(told.get("completion_tokens")),
            calls=1,
        )

    def _begin(self, data: bytes) -> bytes:
        """Tell by the first byte what comes: not every server says so, and some say it wrongly."""
        data = data.lstrip(_BOM + b" \t\r\n")
        if data:
            if data.startswith(b"<"):
                raise AttemptFailed("the answer is a web page")
            self._streams = not data.startswith((b"{", b"["))
        return data

    def _take(self, data: bytes) -> None:
        if not self._streams or b"\n" not in data:
            self._hold(data)
            return
        first, *lines = data.split(b"\n")
        self._rest += first
        lines.insert(0, bytes(self._rest))
        self._rest = bytearray()
        self._hold(lines.pop())
        for line in lines:
            self._line(line.removesuffix(b"\r"))

    def _hold(self, data: bytes) -> None:
        self._rest += data
        if len(self._rest) + self._held > MAX_EVENT:
            raise AttemptFailed("an event of the answer has no end")

    def _line(self, line: bytes) -> None:
        """One line of an event stream (HTML standard, section 9.2.6)."""
        if not line:
            self._end_of_event()
        elif line.startswith(b"data:"):
            self._held += len(line)
            self._data.append(line[5:])
            if self._held > MAX_EVENT:
                raise AttemptFailed("an event of the answer has no end")
        elif line.startswith(b"event:"):
            self._event = line[6:].strip()
        # All else is a comment, which keeps the connection alive, or a field of no use here.

    def _end_of_event(self) -> None:
        data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
        if self._data:
            self._data, self._held = [], 0
            self._dispatch(data)
        self._event = b""

    def _dispatch(self, data: bytes) -> None:
        if self.is_done:
            return
        if data.strip() == b"[DONE]":
            self.is_done = True
            return
        chunk = _chunk(data)
        if chunk is None:
            raise AttemptFailed("the answer is not one of Chat Completions")
        if chunk.error or self._event == b"error":
            raise classify_error(200, chunk.error or {"code": chunk.code, "message": chunk.message})
        if isinstance(chunk.usage, dict):
            self._usage = chunk.usage
        if chunk.choices:
            self._choose(chunk.choices[0])

    def _choose(self, choice: _Choice) -> None:
        delta = choice.delta or choice.message
        if delta is not None:
            self._say(_text(delta.content) or _text(delta.refusal))
            for call in delta.tool_calls or ():
                self._call(call)
            if delta.reasoning or delta.reasoning_content:
                self.signs += 1
        if isinstance(choice.finish_reason, str) and not self.finish:
            self.finish = choice.finish_reason

    def _say(self, text: str) -> None:
        if not text:
            return
        self.signs += 1
        if self._half or not text.isascii():
            text = self._whole(text)
        self._size += len(text)
        if self._size > MAX_TEXT:
            text = text[: len(text) - (self._size - MAX_TEXT)]
            self.finish, self.is_done = "length", True
        self.text.append(text)

    def _whole(self, text: str) -> str:
        """The text as it can be sent on; half a character at its end waits for the other half."""
        text, self._half = self._half + text, ""
        if "\ud800" <= text[-1] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        try:
            text.encode()
        except UnicodeEncodeError:
            text = _joined(text).encode("utf-8", "replace").decode()
        return text

    def _call(self, piece: _Call) -> None:
        self.signs += 1
        function = piece.function or _Function()
        name = function.name if isinstance(function.name, str) else ""
        call_id = piece.id[:MAX_ID] if isinstance(piece.id, str) else ""
        index = piece.index if isinstance(piece.index, int) else None
        call = self._continued(index, call_id, name)
        if call is None:
            call = self._new_call(index, call_id)
        if name and name != call.name:
            call.name += name
        call.call_id = call.call_id or call_id
        arguments = _arguments(function.arguments)
        call.arguments += arguments
        if not arguments.isascii():
            call.arguments = _joined(call.arguments)
        if sum(len(one.arguments) + len(one.name) for one in self.calls) > MAX_ARGUMENTS:
            raise AttemptFailed("the arguments of a tool have no end")

    def _continued(self, index: int | None, call_id: str, name: str) -> ToolCall | None:
        """The call that a piece belongs to; None where it begins another.

        By the reference the index tells; some servers leave it out, or say 0 for every call, and
        some give a call's every piece the name again, or another id.
        """
        last = self._by_index.get(index) if index is not None else None
        if last is None:
            if index is not None or not self.calls:
                return None
            last = self.calls[-1]
        is_same = bool(call_id == last.call_id if call_id else index is not None)
        goes_on = not name or (name == last.name and not (last.arguments and last.is_whole))
        return last if is_same or goes_on else None

    def _new_call(self, index: int | None, call_id: str) -> ToolCall:
        if len(self.calls) >= MAX_CALLS:
            raise AttemptFailed("the calls of tools have no end")
        call = ToolCall(call_id)
        self.calls.append(call)
        if index is not None:
            self._by_index[index] = call
        return call


def _text(content: Any) -> str:
    """The text of a message's content, which may come in parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join([part for part in parts if isinstance(part, str)])
    return ""


def _arguments(arguments: Any) -> str:
    if isinstance(arguments, dict):  # some servers send the object itself
        return msgspec.json.encode(arguments).decode()
    return arguments if isinstance(arguments, str) else ""


def _count(value: Any) -> int:
    return value if type(value) is int and 0 <= value <= 10**9 else 0
