"""Tools and calls, as they go to a model and come from it."""

import msgspec

from adapters.json_text import NOT_JSON, decode_json
from adapters.model.completion import ToolSpec
from domain.tool import Tool, ToolArguments


def tool_spec(tool: Tool) -> ToolSpec:
    """Return a tool in the shape of Chat Completions, as the messages are (see `completion`)."""
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
    }
    return {"type": "function", "function": function}


def arguments_in(text: str) -> ToolArguments | None:
    """Return the arguments of a call, which may be left out; None: they are not an object."""
    try:
        found = decode_json(msgspec.json.decode, text) if text.strip() else {}
        if isinstance(found, str):  # encoded twice
            found = decode_json(msgspec.json.decode, found) if found.strip() else {}
    except NOT_JSON:
        return None
    if found is None:
        return {}
    return found if isinstance(found, dict) else None
