"""A parser of Chat Completions' replies, fed as they come: server-sent events, or one document.

Pure: bytes in, text out. The servers that speak Chat Completions differ in much that its reference
leaves open, and in some that it does not; what can be understood is accepted, all else fails the
attempt with a reason that repeats nothing of what was sent.
"""

import json
from typing import Any

import msgspec

from adapters.model.completion import Completion, ToolCall
from adapters.model.failures import AttemptFailed, classify_error
from domain.usage import Usage

MAX_EVENT = 1024 * 1024
"""Bytes of one event, or of a whole reply that is not streamed."""
MAX_ANSWER = 32_000
"""Characters of an answer, which is cut there."""
MAX_ARGUMENTS = 64 * 1024
"""Characters of the arguments of all tool calls of one reply."""
MAX_CALLS, MAX_CALL_ID = 32, 128

_BOM = b"\xef\xbb\xbf"


# What may come in more than one type is `Any`, and checked where it is used.
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
    """Return the chunk that `data` is; None: it is none.

    Servers that count in UTF-16 tear an emoji into halves.
    """
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
    """Return the text with halves of characters joined; a half without its other is kept."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


class CompletionParser:
    """Makes a completion, and the tokens that it cost, of the bytes of a reply."""

    def __init__(self) -> None:
        self.completion = Completion()
        self.is_done = False
        """True if nothing more is to come."""
        self.progress = 0
        """Grows whenever the model has produced anything, its reasoning too."""
        self._usage: dict[str, Any] = {}
        self._size = 0
        self._half = ""
        self._by_index: dict[int, ToolCall] = {}
        self._streams: bool | None = None  # None: not known yet
        self._rest = bytearray()
        self._data: list[bytes] = []
        self._held = 0
        self._event = b""

    @property
    def is_complete(self) -> bool:
        """True if all of the completion has come; its token counts may follow."""
        return self.is_done or bool(self.completion.finish)

    @property
    def is_settled(self) -> bool:
        """True if nothing of use can follow."""
        return self.is_done or bool(self.completion.finish and self._usage)

    def feed(self, data: bytes) -> str:
        """Parse more of the reply; return the text that it adds. Raises: AttemptFailed."""
        if self._streams is None:
            data = self._begin(data)
        text = self.completion.text
        before = len(text)
        self._split(data)
        return "".join(text[before:])

    def end(self) -> str:
        """Parse the end of the reply; return the text that it adds. Raises: AttemptFailed."""
        text = self.completion.text
        before = len(text)
        if self._streams is False:
            self._dispatch(bytes(self._rest))
            self.is_done = True
        elif self._data or self._rest.rstrip().endswith((b"}", b"]")):
            self._split(b"\n\n")  # the last event may lack its empty line
        if not self.is_complete:
            raise AttemptFailed("the answer broke off")
        return "".join(text[before:])

    def usage(self, model: str) -> Usage:
        """Return the cost of the request, as far as the server has reported it."""
        counts = self._usage
        details = counts.get("prompt_tokens_details")
        cached = details.get("cached_tokens") if isinstance(details, dict) else None
        prompt = _count(counts.get("prompt_tokens"))
        return Usage(
            model=model,
            input_tokens=prompt,
            cached_tokens=min(prompt, _count(cached or counts.get("prompt_cache_hit_tokens"))),
            output_tokens=_count(counts.get("completion_tokens")),
            calls=1,
        )

    def _begin(self, data: bytes) -> bytes:
        """Tell a stream from a document by the first byte: the headers of some servers are wrong.

        Returns the data without what may precede that byte. Raises: AttemptFailed.
        """
        data = data.lstrip(_BOM + b" \t\r\n")
        if data:
            if data.startswith(b"<"):
                raise AttemptFailed("the answer is a web page")
            self._streams = not data.startswith((b"{", b"["))
        return data

    def _split(self, data: bytes) -> None:
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
        """Parse a line of an event stream (HTML standard, section 9.2.6)."""
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
            self._read_choice(chunk.choices[0])

    def _read_choice(self, choice: _Choice) -> None:
        delta = choice.delta or choice.message
        if delta is not None:
            self._add_text(_text(delta.content) or _text(delta.refusal))
            for call in delta.tool_calls or ():
                self._add_call(call)
            if delta.reasoning or delta.reasoning_content:
                self.progress += 1
        if isinstance(choice.finish_reason, str) and not self.completion.finish:
            self.completion.finish = choice.finish_reason

    def _add_text(self, text: str) -> None:
        if not text:
            return
        self.progress += 1
        if self._half or not text.isascii():
            text = self._whole(text)
        self._size += len(text)
        if self._size > MAX_ANSWER:
            text = text[: len(text) - (self._size - MAX_ANSWER)]
            self.completion.finish, self.is_done = "length", True
        self.completion.text.append(text)

    def _whole(self, text: str) -> str:
        """Return the text as it can be sent on; half a character at its end is held back."""
        text, self._half = self._half + text, ""
        if "\ud800" <= text[-1] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        try:
            text.encode()
        except UnicodeEncodeError:
            text = _joined(text).encode("utf-8", "replace").decode()
        return text

    def _add_call(self, piece: _Call) -> None:
        self.progress += 1
        function = piece.function or _Function()
        name = function.name if isinstance(function.name, str) else ""
        call_id = piece.id[:MAX_CALL_ID] if isinstance(piece.id, str) else ""
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
        size = sum(len(one.arguments) + len(one.name) for one in self.completion.calls)
        if size > MAX_ARGUMENTS:
            raise AttemptFailed("the arguments of a tool have no end")

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
        is_same = bool(call_id == last.call_id if call_id else index is not None)
        goes_on = not name or (name == last.name and not (last.arguments and last.is_whole))
        return last if is_same or goes_on else None

    def _new_call(self, index: int | None, call_id: str) -> ToolCall:
        if len(self.completion.calls) >= MAX_CALLS:
            raise AttemptFailed("the calls of tools have no end")
        call = ToolCall(call_id)
        self.completion.calls.append(call)
        if index is not None:
            self._by_index[index] = call
        return call


def _text(content: Any) -> str:
    """Return the text of a message's content, which may come in parts."""
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
