"""The results of tools as texts for the model: bounded, and without control characters."""

from collections.abc import Iterator
from typing import Any

import msgspec
from mcp_types import CallToolResult

from domain.plain_text import plain_text, shortened
from domain.tool import MAX_TOOL_RESULT

_EMPTY = ("", "null", "none", "false", "[]", "{}")
"""The texts by which a look-up says that there is nothing."""


def result_text(result: CallToolResult) -> str:
    """Return a result as at most MAX_TOOL_RESULT characters."""
    text, left = "", MAX_TOOL_RESULT + 1
    for each in _texts(result):
        text += f"\n{each[:left]}" if text else each[:left]
        left = MAX_TOOL_RESULT + 1 - len(text)
        if left <= 0:
            break
    return shortened(plain_text(text).strip(), MAX_TOOL_RESULT)


def is_empty(result: CallToolResult) -> bool:
    """Return True if a look-up has found nothing: null, false, or an empty value."""
    found: Any = result.structured_content
    if isinstance(found, dict) and found.keys() == {"result"}:
        found = found["result"]  # as servers wrap what is no object
    if found is not None:
        return found is False or (isinstance(found, str | list | dict) and not found)
    return result_text(result).casefold() in _EMPTY


def _texts(result: CallToolResult) -> Iterator[str]:
    has_text = False
    for block in result.content:
        if block.type == "text":
            has_text = True
            yield block.text
        elif block.type == "resource_link":
            yield f"{block.name}: {block.uri}"
        elif block.type == "resource":
            yield getattr(block.resource, "text", "") or f"({block.resource.uri})"
        else:
            yield f"({block.type})"
    if not has_text and result.structured_content is not None:
        yield msgspec.json.encode(result.structured_content).decode()
