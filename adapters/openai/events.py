"""A reply as its bytes come: server-sent events, or one document.

Pure: bytes in, text out. Servers differ in much that the references leave open, and in some that
they do not; what can be understood is accepted, all else fails the attempt with a reason that
repeats nothing of what was sent.
"""

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from adapters.model.completion import Completion, ToolCall
from adapters.model.failures import AttemptFailed
from adapters.model.reply_text import ReplyText
from adapters.model.written_calls import MAX_CALLS, tool_name
from domain.tokens import estimate_tokens
from domain.usage import Usage

MAX_EVENT = 1024 * 1024
"""Bytes of one event, or of a whole reply that is not streamed."""
MAX_ANSWER = 32_000
"""Characters of an answer, which is cut there."""
MAX_ARGUMENTS = 64 * 1024
"""Characters of the arguments of all tool calls of one reply."""
MAX_CALL_ID = 128
MAX_PIECE = 4096
"""Characters of a text that are read at once: a reply that is not streamed has one long one."""
MAX_CARRIED = 512 * 1024
"""Characters of what goes back with the results of the calls; more is dropped."""

_BOM = b"\xef\xbb\xbf"
_MODEL = re.compile(r"[\w./:@+-]{1,100}", re.ASCII)


class ReplyParser(ABC):
    """Makes a completion, and the tokens that it cost, of the bytes of a reply."""

    api: str
    """The name of the API, for reasons of failures."""

    def __init__(self, tools: Collection[str] = (), *, holds: bool = False) -> None:
        """`tools`: the names of the tools that may be called; `holds`: see `ReplyText`."""
        self.completion = Completion()
        self.is_done = False
        """True if nothing more is to come."""
        self.is_void = False
        """True once the text so far is void. To be set back by who heeds it."""
        self.progress = 0
        """Grows whenever the model has produced anything, its reasoning too."""
        self.has_lone_end = False
        """True if a thought has ended that had no beginning."""
        self.model = ""
        """The model that has answered, as the server names it; "" as long as it does not."""
        self._tools = tools
        self._text = ReplyText(tools, holds=holds)
        self._new: list[str] = []
        self._counts: dict[str, Any] = {}
        self._size = 0
        self._half = ""
        self._streams: bool | None = None  # None: not known yet
        self._rest = bytearray()
        self._data: list[bytes] = []
        self._held = 0
        self._event = b""

    @property
    def has_begun(self) -> bool:
        """True if there is text to show."""
        return bool(self.completion.text)

    @property
    def is_complete(self) -> bool:
        """True if all of the completion has come; its token counts may follow."""
        return self.is_done or bool(self.completion.finish)

    @property
    def is_settled(self) -> bool:
        """True if nothing of use can follow."""
        return self.is_done or bool(self.completion.finish and self._counts)

    def feed(self, data: bytes) -> str:
        """Parse more of the reply; return the text that it adds. Raises: AttemptFailed."""
        if self._streams is None:
            data = self._begin(data)
        self._split(data)
        if self.is_complete:
            self.settle()
        return self.take()

    def end(self) -> str:
        """Parse the end of the reply; return the text that it adds. Raises: AttemptFailed."""
        if self._streams is False:
            self._dispatch(bytes(self._rest))
            self.is_done = True
        elif self._data or self._rest.rstrip().endswith((b"}", b"]")):
            self._split(b"\n\n")  # the last event may lack its empty line
        if not self.is_complete:
            raise AttemptFailed("the answer broke off")
        self.settle()
        return self.take()

    def settle(self) -> None:
        """End the text: nothing that follows adds to it."""
        self._show(self._text.end())
        self.completion.calls += self._text.calls
        self._text.calls = []
        for call in self.completion.calls:
            if call.name not in self._tools:
                call.name = tool_name(call.name)
            if not call.arguments.isascii():
                call.arguments = with_halves_joined(call.arguments)

    @abstractmethod
    def usage(self, model: str) -> Usage:
        """Return the cost of the request, as far as the server has reported it."""

    def estimate(self, model: str, sent: Mapping[str, Any]) -> Usage:
        """Return what a request has cost about whose reply ended before it had token counts.

        `sent`: the body of the request. Who stops an answer has used what went into it, and what
        has come: mostly a token in each event, of a thought too, of which nothing is kept.
        """
        calls = [call.name + call.arguments for call in self.completion.calls]
        written = estimate_tokens("".join([*self.completion.text, *calls])) if self.progress else 0
        return Usage(
            model=model,
            input_tokens=estimate_tokens(msgspec.json.encode(sent).decode()),
            output_tokens=max(written, self.progress),
            calls=1,
        )

    def _name_model(self, named: object) -> None:
        if not self.model and isinstance(named, str) and _MODEL.fullmatch(named):
            self.model = named

    @abstractmethod
    def _read_event(self, name: bytes, data: bytes) -> None:
        """Read an event, or a document, whose name is "". Raises: AttemptFailed."""

    def take(self) -> str:
        """Return the text that was added since it was last taken."""
        text = "".join(self._new)
        self._new.clear()
        return text

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
        else:
            try:
                self._read_event(self._event, data)
            except RecursionError:  # nested as deeply as can be decoded, and no deeper
                raise self._not_understood() from None

    def _not_understood(self) -> AttemptFailed:
        return AttemptFailed(f"the answer is not one of {self.api}")

    def _add_text(self, text: str) -> None:
        if not text:
            return
        self.progress += 1
        if self._half or not text.isascii():
            text = self._whole(text)
        for at in range(0, len(text), MAX_PIECE):
            if not self.is_done:
                self._read_piece(text[at : at + MAX_PIECE])

    def _read_piece(self, piece: str) -> None:
        said = self._text.feed(piece)
        if self._text.is_void:
            self._text.is_void, self.is_void = False, True
            self.completion.text.clear()
            self._new.clear()
            self._size = 0
        self.has_lone_end = self._text.has_lone_end
        self._show(said)

    def _show(self, text: str) -> None:
        if not text or self._size > MAX_ANSWER:
            return
        self._size += len(text)
        if self._size > MAX_ANSWER:
            text = text[: len(text) - (self._size - MAX_ANSWER)]
            self.completion.finish, self.is_done = "length", True
        self.completion.text.append(text)
        self._new.append(text)

    def _whole(self, text: str) -> str:
        """Return the text as it can be sent on; half a character at its end is held back."""
        text, self._half = self._half + text, ""
        if "\ud800" <= text[-1] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        return without_halves(text)

    def _new_call(self, call_id: str) -> ToolCall:
        if len(self.completion.calls) >= MAX_CALLS:
            raise AttemptFailed("the calls of tools have no end")
        call = ToolCall(call_id)
        self.completion.calls.append(call)
        return call

    def _check_calls(self) -> None:
        size = sum(len(one.arguments) + len(one.name) for one in self.completion.calls)
        if size > MAX_ARGUMENTS:
            raise AttemptFailed("the arguments of a tool have no end")


def without_halves(text: str) -> str:
    """Return the text with halves joined; a half without its other becomes `?`."""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = with_halves_joined(text).encode("utf-8", "replace").decode()
    return text


def with_halves_joined(text: str) -> str:
    """Return the text with halves of characters joined; a half without its other is kept."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def decoded(data: bytes, decode: msgspec.json.Decoder[Any], shape: type[Any]) -> Any:
    """Return the JSON document that `data` is; None: it is none of this shape.

    Servers that count in UTF-16 tear an emoji into halves.
    """
    try:
        return decode.decode(data)
    except msgspec.ValidationError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if b"\\ud" not in data.lower():
            return None
    try:
        return msgspec.convert(json.loads(data), shape)
    except (ValueError, RecursionError):
        return None


def detail(counts: Mapping[str, Any], kind: str, name: str) -> Any:
    """Return the detailed count `counts[kind][name]`; None: the server does not give it."""
    details = counts.get(kind)
    return details.get(name) if isinstance(details, dict) else None


def usage_of(model: str, *, read: Any, cached: Any, written: Any, reasoning: Any) -> Usage:
    """Return the cost of one request by its counts, whatever was sent as such."""
    input_tokens, output_tokens = count(read), count(written)
    return Usage(
        model=model,
        input_tokens=input_tokens,
        cached_tokens=min(input_tokens, count(cached)),
        output_tokens=output_tokens,
        reasoning_tokens=min(output_tokens, count(reasoning)),
        calls=1,
    )


def count(value: Any) -> int:
    """Return a number of tokens, whatever was sent as one."""
    return value if type(value) is int and 0 <= value <= 10**9 else 0
