"""The text of a reply as a customer may see it: without thoughts, and without calls of tools.

Most servers separate what a model thinks and what it calls from what it says. Others leave the
markup of the model's template in the text, torn between pieces. The tables here say what that
markup looks like; it is removed while the text streams, and the calls in it are read.

Pure: pieces of text in, pieces of text out.
"""

import re
from collections.abc import Collection
from enum import Enum, auto
from typing import NamedTuple

from adapters.model.completion import ToolCall
from adapters.model.failures import AttemptFailed
from adapters.model.written_calls import MAX_CALLS, json_end, written_calls

MAX_CALL_TEXT = 64 * 1024
"""Characters of a call that is written as text."""
MAX_MAYBE = 16 * 1024
"""Characters of what may be a call; what is longer is text."""
MAX_BROKEN = 32
"""Beginnings of JSON that are none: each is read as far as it may go; later ones are text."""
MAX_HELD = 64 * 1024
"""Characters that are held until the end of the reply; more is left out."""


class _Kind(Enum):
    THOUGHT = auto()
    CALL = auto()
    MAYBE = auto()
    """A call if it names a tool, else text."""
    JSON = auto()
    """The same, as far as the JSON goes with which it begins."""
    HEADER = auto()
    """What follows a channel's name decides what the message is."""
    TOKEN = auto()
    """Of the template alone: it has no end, and is left out."""


class _Span(NamedTuple):
    opens: str
    closes: str
    """"": it goes on to the end of the reply."""
    kind: _Kind


def _spans(kind: _Kind, *pairs: tuple[str, str]) -> list[_Span]:
    return [_Span(opens, closes, kind) for opens, closes in pairs]


# One line for each spelling, with who writes it. Where no other source is given, it is the parser
# of that model in vLLM (docs.vllm.ai: reasoning outputs, tool calling).
_TABLE = [
    *_spans(
        _Kind.THOUGHT,
        ("<think>", "</think>"),  # DeepSeek R1, Qwen 3, GLM 4.5, MiniMax M2
        ("<thinking>", "</thinking>"),  # models that were told to, or imitate Claude
        ("<thought>", "</thought>"),  # Gemini: ai.google.dev/gemini-api/docs/openai, thoughts
        ("<reasoning>", "</reasoning>"),  # models that were told to
        ("<seed:think>", "</seed:think>"),  # Seed-OSS
        ("<mm:think>", "</mm:think>"),  # MiniMax M3
        ("[THINK]", "[/THINK]"),  # Magistral
        ("◁think▷", "◁/think▷"),  # Kimi-VL: its model card
        ("<|begin_of_thought|>", "<|end_of_thought|>"),  # OpenThinker, Sky-T1: their model cards
        ("<|START_THINKING|>", "<|END_THINKING|>"),  # Command A Reasoning
        ("<|channel>thought", "<channel|>"),  # Gemma 4
    ),
    *_spans(
        _Kind.CALL,
        ("<tool_call>", "</tool_call>"),  # Hermes, Qwen, GLM
        ("<tool_calls>", "</tool_calls>"),  # Jamba
        ("<function_call>", "</function_call>"),  # models that were told to
        ("<function_calls>", "</function_calls>"),  # Claude's older spelling
        ("<function=", "</function>"),  # Llama 3, Qwen 3 Coder without its outer tag
        ("<minimax:tool_call>", "</minimax:tool_call>"),  # MiniMax M2
        ("<seed:tool_call>", "</seed:tool_call>"),  # Seed-OSS
        ("<|tool_call>", "<tool_call|>"),  # Gemma 4
        ("<|tool_call|>", ""),  # Granite, Phi 4 mini
        ("<|tool_call_start|>", "<|tool_call_end|>"),  # LFM 2
        ("<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"),  # Kimi K2
        ("<|START_ACTION|>", "<|END_ACTION|>"),  # Command A
        ("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"),  # DeepSeek V3
        ("<｜DSML｜function_calls>", "</｜DSML｜function_calls>"),  # DeepSeek V3.2
        ("<｜DSML｜tool_calls>", "</｜DSML｜tool_calls>"),  # DeepSeek V4
        ("<|python_tag|>", "<|eom_id|>"),  # Llama 3
        ("[TOOL_CALLS]", ""),  # Mistral
    ),
    *_spans(_Kind.MAYBE, ("```", "```")),
    *_spans(
        _Kind.JSON, ('{"', ""), ('{ "', ""), ("{\n", ""), ('[{"', ""), ('[ {"', ""), ("[\n", "")
    ),
    *_spans(_Kind.HEADER, ("<|channel|>", "<|message|>")),  # gpt-oss: OpenAI's harmony format
    *_spans(
        _Kind.TOKEN,
        ("<|start|>assistant", ""), ("<|message|>", ""), ("<|end|>", ""), ("<|return|>", ""),
        ("<|call|>", ""), ("<|im_end|>", ""), ("<|im_start|>assistant", ""), ("<|eot_id|>", ""),
        ("<|START_RESPONSE|>", ""), ("<|END_RESPONSE|>", ""), ("<|endoftext|>", ""),
        ("<|begin_of_solution|>", ""), ("<|end_of_solution|>", ""), ("<|eom_id|>", ""),
    ),
]  # fmt: skip
_OPENS = {span.opens.lower(): span for span in _TABLE}
_LONE = {span.closes.lower() for span in _TABLE if span.kind is _Kind.THOUGHT}
_MARKS = sorted({*_OPENS, *_LONE}, key=len, reverse=True)
_mark = re.compile("|".join(map(re.escape, _MARKS)), re.IGNORECASE).search
_lone_end = re.compile("|".join(map(re.escape, sorted(_LONE))), re.IGNORECASE).search
_PARTS = {mark[:length] for mark in _MARKS for length in range(1, len(mark))}
_LONGEST = max(map(len, _PARTS))
_may_begin = re.compile("[" + "".join({re.escape(mark[0]) for mark in _MARKS}) + "]").search

# The same format whose tokens the server has removed: "analysisThe user …assistantfinalBună ziua!"
_CHANNEL_WORDS = ("analysis", "commentary to=", "assistantfinal", "assistantanalysis")
_final = re.compile(r"\s*analysis.*?assistantfinal", re.DOTALL).match
_written = re.compile(r"(?:\s*analysis.*?assistant|\s*)commentary to=", re.DOTALL).match
_MESSAGE_ENDS = ("<|end|>", "<|call|>", "<|return|>", "<|start|>")


class ReplyText:
    """Separates what a model says from what it thinks and calls."""

    def __init__(self, tools: Collection[str], *, holds: bool = False) -> None:
        """`tools`: the names of the tools that may be called.

        `holds`: return nothing before the end, or before the end of a thought that has no
        beginning: some servers leave that out.
        """
        self.calls: list[ToolCall] = []
        self.is_void = False
        """True once what was returned turns out to be a thought. To be set back by who heeds it."""
        self.has_lone_end = False
        """True if a thought has ended that had no beginning."""
        self._tools = tools
        self._buffer = ""
        self._held: list[str] | None = [] if holds else None
        self._held_size = 0
        self._read_at = 0
        """The size of the buffer from which on it is read again; it grows with the buffer, as a
        server may send an endless call in pieces of one character."""
        self._span: _Span | None = None
        self._depth = 0
        self._in_fence = False
        """True if the next fence ends a text that is no call."""
        self._broken = 0
        self._is_begun = False
        """True once anything but blanks was returned."""

    def feed(self, piece: str) -> str:
        """Return the text that this piece adds, which may be none yet."""
        if not piece:
            return ""
        if self._is_begun and not self._buffer and self._span is None and not _may_begin(piece):
            return self._out(piece)  # nearly always
        self._buffer += piece
        if len(self._buffer) < self._read_at:
            return ""
        text = self._out("".join(self._read(is_end=False)))
        self._read_at = len(self._buffer) * 17 // 16
        return text

    def end(self) -> str:
        """Return the rest of the text, once the whole reply was fed."""
        text = self._out("".join(self._read(is_end=True)))
        if self._held is not None:
            text, self._held = "".join(self._held), None
        return text

    def _out(self, text: str) -> str:
        if self._held is None:
            return text
        if self._held_size < MAX_HELD:
            self._held.append(text)
            self._held_size += len(text)
        return ""

    def _read(self, *, is_end: bool) -> list[str]:
        """Return what can be told of the buffer, and keep the rest."""
        out: list[str] = []
        while True:
            if self._span is not None:
                if not self._in_span(self._span, out, is_end=is_end):
                    break
                continue
            if not self._is_begun:
                if not self._begin(is_end=is_end):
                    break
                if self._span is not None:
                    continue
            found = _mark(self._buffer)
            if found is None:
                said = len(self._buffer) - (0 if is_end else _partial(self._buffer))
                self._say(self._buffer[:said], out)
                self._buffer = self._buffer[said:]
                break
            self._say(self._buffer[: found.start()], out)
            self._buffer = self._buffer[found.end() :]
            self._open(found.group().lower(), found.group(), out)
        return out

    def _say(self, text: str, out: list[str]) -> None:
        if not text:
            return
        if not self._is_begun:
            text = text.lstrip()
            self._is_begun = bool(text)
        out.append(text)

    def _begin(self, *, is_end: bool) -> bool:
        """Handle what only the beginning of a reply can be. False: more must come first."""
        text = self._buffer = self._buffer.lstrip()
        if not text:
            return is_end
        if text[0] not in "ac" or not any(
            text.startswith(word) or word.startswith(text) for word in _CHANNEL_WORDS
        ):
            return True
        if found := _final(text):
            self._buffer = text[found.end() :]
            return True
        if found := _written(text):
            self._buffer = text[found.end() :]
            self._span = _Span("", "", _Kind.CALL)
            return True
        return is_end or len(text) > MAX_MAYBE

    def _end_lone_thought(self, out: list[str]) -> None:
        """A thought has ended that had no beginning: it was all that came before."""
        self.has_lone_end = True
        self.is_void = self._is_begun and self._held is None
        self._held = None
        self._is_begun = False
        self.calls.clear()
        out.clear()

    def _open(self, mark: str, written: str, out: list[str]) -> None:
        span = _OPENS.get(mark)
        if span is None:
            self._end_lone_thought(out)
        elif self._in_fence and span.kind is _Kind.MAYBE:
            self._in_fence = False
            self._say(written, out)
        elif span.kind is _Kind.JSON and self._broken >= MAX_BROKEN:
            self._say(written, out)
        elif span.kind is not _Kind.TOKEN:
            self._span, self._depth = span, 1
            if span.kind is _Kind.JSON or span.opens.endswith("="):
                self._buffer = written + self._buffer

    def _in_span(self, span: _Span, out: list[str], *, is_end: bool) -> bool:
        """Read on in a span. False: more must come first."""
        match span.kind:
            case _Kind.THOUGHT:
                return self._in_thought(span, is_end=is_end)
            case _Kind.HEADER:
                return self._in_header(is_end=is_end)
            case _Kind.MAYBE:
                return self._in_maybe(span, out, is_end=is_end)
            case _Kind.JSON:
                return self._in_json(span, out, is_end=is_end)
            case _:
                return self._in_call(span, out, is_end=is_end)

    def _in_thought(self, span: _Span, *, is_end: bool) -> bool:
        closes = span.closes.lower()
        text = _folded(self._buffer)
        end = text.find(closes)
        begin = text.find(span.opens.lower())
        if 0 <= begin < end or (begin >= 0 > end):
            self._depth += 1
            self._buffer = self._buffer[begin + len(span.opens) :]
            return True
        if end >= 0:
            self._depth -= 1
            self._buffer = self._buffer[end + len(closes) :]
            if self._depth == 0:
                self._span = None
            return True
        self._buffer = "" if is_end else self._buffer[-max(len(closes), len(span.opens)) :]
        return False

    def _in_header(self, *, is_end: bool) -> bool:
        header, mark, rest = self._buffer.partition("<|message|>")
        if not mark:
            if is_end or len(header) > MAX_MAYBE:
                self._buffer = ""
            return False
        self._buffer = rest
        if " to=" in header or header.startswith("to="):
            self._span = _Span("<|channel|>", "<|message|>", _Kind.CALL)
            self._buffer = f"{header} {rest}"
        elif header.strip().startswith("final"):
            self._span = None
        else:
            self._span, self._depth = _Span("<|channel|>", "<|end|>", _Kind.THOUGHT), 1
        return True

    def _in_call(self, span: _Span, out: list[str], *, is_end: bool) -> bool:
        if span.opens == "<|channel|>":
            ends = [at for mark in _MESSAGE_ENDS if (at := self._buffer.find(mark)) >= 0]
            end, length = min(ends, default=-1), 0
        else:
            end = _folded(self._buffer).find(span.closes.lower()) if span.closes else -1
            length = len(span.closes)
        lone = _lone_end(self._buffer, 0, end if end >= 0 else len(self._buffer))
        if lone is not None:
            self._span = None
            self._buffer = self._buffer[lone.end() :]
            self._end_lone_thought(out)
            return True
        if end < 0 and not is_end:
            if len(self._buffer) > MAX_CALL_TEXT:
                raise AttemptFailed("the arguments of a tool have no end")
            return False
        region = self._buffer if end < 0 else self._buffer[:end]
        self._buffer = "" if end < 0 else self._buffer[end + length :]
        self._add(written_calls(region, self._tools, only_known=False))
        self._span = None
        return True

    def _add(self, calls: list[ToolCall]) -> None:
        self.calls += calls
        if len(self.calls) > MAX_CALLS:
            raise AttemptFailed("the calls of tools have no end")

    def _in_maybe(self, span: _Span, out: list[str], *, is_end: bool) -> bool:
        end = self._buffer.find(span.closes)
        if end < 0 and not is_end and len(self._buffer) <= MAX_MAYBE:
            return False
        whole = self._buffer if end < 0 else self._buffer[:end]
        calls = written_calls(whole, self._tools, only_known=True)
        self._span = None
        if calls:
            self._add(calls)
            self._buffer = "" if end < 0 else self._buffer[end + len(span.closes) :]
        else:  # it is text, which may hold thoughts
            self._in_fence = True
            self._say(span.opens, out)
        return True

    def _in_json(self, span: _Span, out: list[str], *, is_end: bool) -> bool:
        end = json_end(self._buffer)
        if end == 0 and not is_end and len(self._buffer) <= MAX_MAYBE:
            return False
        calls = written_calls(self._buffer[:end], self._tools, only_known=True)
        said = 0 if calls else end or len(span.opens)
        self._broken += end == 0
        self._span = None
        self._add(calls)
        self._say(self._buffer[:said], out)
        self._buffer = self._buffer[max(said, end) :]
        return True


def _partial(text: str) -> int:
    """Return the length of the end of `text` with which a mark may begin."""
    tail = text[-_LONGEST:].lower()
    return next((len(tail) - at for at in range(len(tail)) if tail[at:] in _PARTS), 0)


def _folded(text: str) -> str:
    """Return the text in lower case, each character in the place where it was."""
    if text.isascii():
        return text.lower()
    return "".join([low if len(low := each.lower()) == 1 else each for each in text])
