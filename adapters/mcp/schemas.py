"""The tools of a server as the model may be shown them, and the check of what it calls them with.

A schema comes from another's program: it is bounded, and checking arguments against it takes a
bounded time, whatever it says.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import msgspec
from jsonschema import Draft202012Validator
from jsonschema.validators import extend
from msgspec import Struct
from referencing import Registry

from domain.plain_text import plain_text
from domain.tool import AllowedTool, Tool, ToolArguments, ToolServer

MAX_SCHEMA, MAX_DEPTH = 8_000, 20
"""Bytes of a tool's schema as JSON, and how deep schemas may stand in each other."""
MAX_DESCRIPTION = 1_000
MAX_PROBLEM = 300
"""Characters of what is wrong with arguments."""
CHECK_S, COMPILE_S = 0.1, 0.3
"""Processor time for checking arguments, and for checking a schema itself."""

_SCHEMA_MAPS = frozenset({"properties", "$defs", "definitions", "dependentSchemas"})
_SCHEMA_LISTS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_SCHEMAS = frozenset(
    {"items", "additionalProperties", "contains", "propertyNames", "not", "if", "then", "else"}
)
# Regular expressions may take forever, and some providers refuse them; the server has them anyway.
_DROPPED = frozenset(
    {"pattern", "patternProperties", "unevaluatedItems", "unevaluatedProperties", "uniqueItems"}
    | {"$schema", "$id", "$anchor", "$vocabulary", "$comment", "examples"}
)
_DYNAMIC = frozenset({"$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor"})


class ToolRefused(Exception):
    """A tool that is not offered; the text says why."""


class ListedTool(Struct, frozen=True):
    """A tool as its server lists it."""

    name: str
    description: str
    schema: Mapping[str, Any]


class OfferedTool(Struct, frozen=True, kw_only=True):
    """A tool that the model may call."""

    allowed: AllowedTool
    tool: Tool
    required: frozenset[str]
    """The bound arguments that the server requires."""
    validator: Any

    def problem_with(self, arguments: ToolArguments) -> str | None:
        """Return what is wrong with the model's arguments; None: nothing."""
        own = {key: each for key, each in arguments.items() if key not in self.allowed.bound}
        try:
            with_time = _limited(self.validator.iter_errors(own), CHECK_S)
            problems = [_problem(error) for error in islice(with_time, 3)]
        except _TooCostly:
            return "checking the arguments takes too long"
        except Exception:  # whatever a schema makes of the validator
            return "the tool's own schema cannot be applied to the arguments"
        return plain_text("; ".join(problems))[:MAX_PROBLEM] or None


def offered_tool(
    server: ToolServer, allowed: AllowedTool, listed: Mapping[str, ListedTool]
) -> OfferedTool:
    """Return a tool as the model is offered it. Raises: ToolRefused."""
    if (found := listed.get(allowed.name)) is None:
        raise ToolRefused("the server has no such tool")
    schema = _cleaned_schema(found.schema)
    properties, required = dict(schema["properties"]), set(schema.get("required", ()))
    for name in allowed.bound:
        if (of_bound := properties.pop(name, None)) is None:
            raise ToolRefused(f"it has no argument {name}, which is bound")
        if not _takes_text(of_bound):
            raise ToolRefused(f"its argument {name}, which is bound, takes no text")
    schema = schema | {"properties": properties}
    schema.pop("required", None)
    if own := sorted(required - set(allowed.bound)):
        schema["required"] = own
    tool = Tool(
        name=allowed.shown_name,
        description=plain_text(found.description).strip()[:MAX_DESCRIPTION],
        parameters=schema,
        effect=allowed.effect,
        confirm=allowed.confirm,
        confirm_for=allowed.confirm_for,
        title=allowed.title,
        timeout_s=server.timeout_s,
        has_look_up=look_up_problem(allowed, listed) is None and allowed.look_up is not None,
    )
    return OfferedTool(
        allowed=allowed,
        tool=tool,
        required=frozenset(required & set(allowed.bound)),
        validator=_Bounded(schema, registry=Registry()),
    )


def look_up_problem(allowed: AllowedTool, listed: Mapping[str, ListedTool]) -> str | None:
    """Return why what came of a call cannot be looked up; None: nothing keeps it from that."""
    if (look_up := allowed.look_up) is None:
        return None
    if (found := listed.get(look_up.tool)) is None:
        return f"its look-up, {look_up.tool}, is no tool of the server"
    properties = found.schema.get("properties")
    if not isinstance(properties, Mapping) or look_up.argument not in properties:
        return f"its look-up, {look_up.tool}, has no argument {look_up.argument}"
    return None


def _cleaned_schema(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema of an object with what is checked and shown of it. Raises: ToolRefused."""
    try:
        size = len(msgspec.json.encode(given))
    except (RecursionError, TypeError, ValueError):
        raise ToolRefused("its schema is no JSON") from None
    if size > MAX_SCHEMA:
        raise ToolRefused(f"its schema is larger than {MAX_SCHEMA:,} bytes")
    schema: dict[str, Any] = _cleaned(given, MAX_DEPTH)
    if schema.get("type", "object") != "object":
        raise ToolRefused("its schema is of no object")
    schema = {"type": "object", "properties": {}} | schema
    try:
        wrong = next(_limited(_META.iter_errors(schema), COMPILE_S), None)
    except (_TooCostly, RecursionError):
        raise ToolRefused("checking its schema takes too long") from None
    if wrong is not None:
        where = "/".join(str(part) for part in wrong.absolute_path)
        raise ToolRefused(
            f"its schema is no JSON Schema, at {plain_text(where)[:100] or 'the top'}"
        )
    return schema


def _cleaned(schema: Any, depth: int) -> Any:
    """Return a schema without what is neither checked nor shown. Raises: ToolRefused."""
    if not isinstance(schema, Mapping):
        return schema  # a boolean, or a mistake that the check of the schema finds
    if depth <= 0:
        raise ToolRefused(f"its schema is more than {MAX_DEPTH} deep")
    cleaned = dict[str, Any]()
    for key, value in schema.items():
        if key in _DYNAMIC or (key == "$ref" and not str(value).startswith("#")):
            raise ToolRefused(f"its schema refers to other documents ({key})")
        if key in _DROPPED or key.startswith("x-"):
            continue
        if key == "additionalProperties" and "patternProperties" in schema:
            continue
        if key in _SCHEMA_MAPS and isinstance(value, Mapping):
            value = {plain_text(name): _cleaned(each, depth - 1) for name, each in value.items()}
        elif key in _SCHEMA_LISTS and isinstance(value, list):
            value = [_cleaned(each, depth - 1) for each in value]
        elif key in _SCHEMAS:
            value = _cleaned(value, depth - 1)
        else:
            value = _plain(value)
        cleaned[key] = value
    return cleaned


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return plain_text(value)
    if isinstance(value, Mapping):
        return {plain_text(key): _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _takes_text(schema: Any) -> bool:
    kinds = schema.get("type", "string") if isinstance(schema, Mapping) else "string"
    return "string" in ([kinds] if isinstance(kinds, str) else kinds)


def _problem(error: Any) -> str:
    where = ".".join(str(part) for part in error.absolute_path)
    return f"{where}: {error.message[:MAX_PROBLEM]}" if where else str(error.message)[:MAX_PROBLEM]


class _TooCostly(Exception):
    """A schema takes more time than it may."""


class _Limit(threading.local):
    """The processor time of a thread at which the check that runs in it has to end."""

    ends_at = 0.0


_limit = _Limit()


def _limited(errors: Iterable[Any], seconds: float) -> Iterator[Any]:
    """Yield the errors of a check as long as it takes no more time. Raises: _TooCostly."""
    _limit.ends_at = time.thread_time() + seconds
    yield from errors


def _timed(check: Callable[..., Any]) -> Callable[..., Any]:
    def timed(validator: Any, value: Any, instance: Any, schema: Any) -> Any:
        if time.thread_time() > _limit.ends_at:
            raise _TooCostly
        return check(validator, value, instance, schema)

    return timed


# No step of it takes long by itself: what may is dropped, from the schema and here.
_Bounded: Any = extend(
    Draft202012Validator,
    {key: _timed(check) for key, check in Draft202012Validator.VALIDATORS.items()}
    | dict.fromkeys(_DROPPED, lambda *_: None),
)
_META: Any = _Bounded(Draft202012Validator.META_SCHEMA)
