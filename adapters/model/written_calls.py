"""Calls of tools that a model has written as text, in whatever spelling.

The templates of models have dozens of spellings; what they have in common is a tool's name, and
behind it arguments as JSON, as tagged parameters, or as in Python.
"""

import ast
import json
import re
from collections.abc import Collection, Iterator
from itertools import islice
from typing import Any

from adapters.model.completion import ToolCall

_NAME_KEYS = ("name", "tool", "tool_name", "function", "recipient_name")
_ARGUMENT_KEYS = ("arguments", "parameters", "args", "input", "tool_input", "kwargs")
_BEFORE = re.compile(r"^(?:functions?|default_api|tools?|tool_code|api)[.:/]")
_AFTER = re.compile(r"(?:<[|｜]|:\d+$|\s).*$", re.DOTALL)
# <parameter=k>v</parameter>, <parameter name="k">v</parameter>, <｜DSML｜parameter name="k" …>v</…>
_PARAMETER = re.compile(
    r"<(?:｜DSML｜)?parameter(?:=| name=)[\"']?([\w-]{1,64})[\"']?[^>]{0,200}>"
    r"|<arg_key>([\w-]{1,64})</arg_key>\s{0,20}<arg_value>"
)
_PARAMETER_END = re.compile(r"</(?:｜DSML｜)?parameter>|</arg_value>")
# (k="v", …)
_KEYWORD = re.compile(
    r"[(,]\s*(\w+)\s*=\s*(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[\w.+-]+)\s*", re.DOTALL
)
_DECODER = json.JSONDecoder(strict=False)
_BEGINS = re.compile(r"[\[{]")

MAX_CALLS = 32
"""Calls of one reply."""
_MAX_BROKEN = 32
"""Beginnings of JSON that are none, in one text: each may be read to the end of the text."""


def tool_name(written: str) -> str:
    """Return a tool's name without what models put around it.

    `functions.f`, `default_api:f` (Gemini), `f<|channel|>commentary` (gpt-oss), `f:0` (Kimi).
    """
    return _AFTER.sub("", _BEFORE.sub("", written.strip()))


def written_calls(text: str, tools: Collection[str], *, only_known: bool) -> list[ToolCall]:
    """Return the calls in a text.

    `only_known`: of `tools` alone; else also of a tool that there is not, so that the model learns
    of its mistake.
    """
    found = [
        ToolCall(name=name, arguments=arguments)
        for value in _json_values(text)
        for name, arguments in _calls_in(value)
        if name in tools or not only_known
    ]
    return found or list(islice(_named_calls(text, tools), MAX_CALLS + 1))


def json_end(text: str) -> int:
    """Return the end of the JSON document that `text` begins with; 0: it has none."""
    try:
        return _DECODER.raw_decode(text)[1]
    except (ValueError, RecursionError):
        return 0


def _json_values(text: str) -> Iterator[Any]:
    """Yield the JSON objects and arrays in a text, from left to right."""
    at = broken = 0
    while broken < _MAX_BROKEN and (found := _BEGINS.search(text, at)):
        try:
            value, at = _DECODER.raw_decode(text, found.start())
        except (ValueError, RecursionError):
            at = found.end()
            broken += 1
        else:
            yield value


def _calls_in(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for each in value:
            yield from _calls_in(each)
        return
    if not isinstance(value, dict):
        return
    if isinstance(calls := value.get("tool_calls"), list):
        yield from _calls_in(calls)
        return
    if isinstance(inner := value.get("function"), dict):
        yield from _calls_in(inner)
        return
    names = [name for key in _NAME_KEYS if isinstance(name := value.get(key), str)]
    arguments = [value[key] for key in _ARGUMENT_KEYS if key in value]
    if names and arguments:
        yield tool_name(names[0]), _as_text(arguments[0])


def _as_text(arguments: Any) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)


def _named_calls(text: str, tools: Collection[str]) -> Iterator[ToolCall]:
    """Yield calls whose tool is named before its arguments."""
    if not tools:
        return
    name = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, tools))})(?![\w-])")
    at = 0
    while found := name.search(text, at):
        following = name.search(text, found.end())
        rest = text[found.end() : following.start() if following else len(text)]
        if (begin := rest.find("{")) >= 0:
            try:
                value, end = _DECODER.raw_decode(text, found.end() + begin)
            except (ValueError, RecursionError):
                yield ToolCall(name=found.group(), arguments=rest[begin:].strip())
                at = found.end() + len(rest)
            else:
                yield ToolCall(name=found.group(), arguments=_as_text(value))
                at = end
            continue
        yield ToolCall(name=found.group(), arguments=_as_text(_parameters(rest)))
        at = found.end()


def _parameters(text: str) -> dict[str, Any]:
    """Return the arguments in tags, or as in Python: `(reason="…", summary="…")`."""
    return _tagged(text) or _keywords(text)


def _tagged(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    at = 0
    while begin := _PARAMETER.search(text, at):
        end = _PARAMETER_END.search(text, begin.end())
        if end is None:
            break
        found[begin[1] or begin[2]] = text[begin.end() : end.start()].strip()
        at = end.end()
    return found


def _keywords(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    at = 0
    while keyword := _KEYWORD.match(text, at):
        try:
            found[keyword[1]] = ast.literal_eval(keyword[2])
        except (SyntaxError, ValueError):
            found[keyword[1]] = keyword[2]
        at = keyword.end()
    return found
