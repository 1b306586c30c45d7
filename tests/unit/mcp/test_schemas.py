"""Schemas of servers: what the model is shown, what is refused, and what checking may cost."""

import time
from collections.abc import Mapping
from typing import Any

import pytest

from adapters.mcp.schemas import (
    MAX_DESCRIPTION,
    MAX_PROBLEM,
    ListedTool,
    OfferedTool,
    ToolRefused,
    look_up_problem,
    offered_tool,
)
from domain.tool import AllowedTool, Binding, LookUp, ToolServer

SERVER = ToolServer(name="booking", timeout_s=3.0)
TEXT = {"type": "string"}


def allowed_tool(**fields: Any) -> AllowedTool:
    return AllowedTool(**{"name": "act", "shown_name": "do", **fields})


def offered(schema: Any, description: str = "", **fields: Any) -> OfferedTool:
    return offered_tool(
        SERVER, allowed_tool(**fields), {"act": ListedTool("act", description, schema)}
    )


def of_properties(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*required]}


def test_the_model_is_told_the_business_s_name_and_terms() -> None:
    tool = offered(of_properties(), "Acts.\x1b[31m" + "x" * 2_000, title="Acts", name="act").tool

    assert tool.name == "do"
    assert tool.title == "Acts"
    assert tool.timeout_s == 3.0
    assert tool.description.startswith("Acts.[31mxx")
    assert len(tool.description) == MAX_DESCRIPTION


def test_bound_arguments_are_taken_out_of_the_schema() -> None:
    schema = of_properties(("day", "customer", "place"), day=TEXT, customer=TEXT, place={}, n={})
    found = offered(schema, bound={"customer": Binding.USER, "place": Binding.LOCATION})
    shown: Any = found.tool.parameters

    assert [*shown["properties"]] == ["day", "n"]
    assert shown["required"] == ["day"]
    assert found.required == {"customer", "place"}
    assert found.problem_with({"day": "x", "customer": 7}) is None


@pytest.mark.parametrize(
    "kind", [TEXT, {}, {"type": ["string", "null"]}, {"enum": ["u1"]}, {"type": "string", "x": 1}]
)
def test_a_bound_argument_may_be_whatever_takes_text(kind: Any) -> None:
    offered(of_properties(customer=kind), bound={"customer": Binding.USER})


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        (of_properties(day=TEXT), "it has no argument customer, which is bound"),
        (of_properties(customer={"type": "integer"}), "which is bound, takes no text"),
        (of_properties(customer={"type": ["null"]}), "which is bound, takes no text"),
        ({"type": "array"}, "its schema is of no object"),
        ({"type": 7}, "its schema is of no object"),
        ({"properties": []}, "its schema is no JSON Schema, at properties"),
        (of_properties(customer=TEXT, day={"type": "strin"}),
         "its schema is no JSON Schema, at properties/day/type"),
        (of_properties(customer=TEXT, day=7), "its schema is no JSON Schema, at properties/day"),
        (of_properties(customer=TEXT) | {"required": "day"},
         "its schema is no JSON Schema, at required"),
        (of_properties(customer=TEXT) | {"title": "x" * 9_000},
         "its schema is larger than 8,000 bytes"),
        (of_properties(customer=TEXT, day={"$ref": "http://h/x"}),
         "its schema refers to other documents ($ref)"),
        (of_properties(customer=TEXT, day={"$ref": "other"}),
         "its schema refers to other documents ($ref)"),
        (of_properties(customer=TEXT, day={"allOf": [{"$dynamicRef": "#x"}]}),
         "its schema refers to other documents ($dynamicRef)"),
    ],
)  # fmt: skip
def test_a_schema_that_will_not_do_is_refused_with_the_reason(schema: Any, reason: str) -> None:
    with pytest.raises(ToolRefused) as refused:
        offered(schema, bound={"customer": Binding.USER})

    assert reason in str(refused.value)


def test_a_deep_schema_is_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(500):
        deep = {"not": deep}

    with pytest.raises(ToolRefused, match="more than 20 deep"):
        offered(of_properties(day=deep))


def test_a_tool_that_is_not_listed_is_refused() -> None:
    with pytest.raises(ToolRefused, match="the server has no such tool"):
        offered_tool(SERVER, allowed_tool(), {})


def test_what_the_model_s_provider_may_not_know_is_not_shown() -> None:
    schema = of_properties(
        day={"type": "string", "pattern": "(a+)+$", "x-mcp-header": "Day", "description": "D\x00"},
        pattern={"type": "string"},
    ) | {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://h/x"}
    shown: Any = offered(schema).tool.parameters

    assert shown == {
        "type": "object",
        "properties": {
            "day": {"type": "string", "description": "D"},
            "pattern": {"type": "string"},
        },
    }


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"day": "x"}, None),
        ({"day": "x", "guests": 3, "tree": {"next": {"next": {}}}}, None),
        ({}, "'day' is a required property"),
        ({"day": 7}, "day: 7 is not of type 'string'"),
        ({"day": "x", "guests": 13}, "guests: 13 is greater than the maximum of 12"),
        ({"day": "x", "tree": {"next": {"other": 1}}},
         "tree.next: Additional properties are not allowed ('other' was unexpected)"),
        ({"day": "x", "kind": "c"}, "kind: 'c' is not one of ['a', 'b']"),
    ],
)  # fmt: skip
def test_arguments_are_checked_against_the_schema(
    arguments: dict[str, Any], problem: str | None
) -> None:
    tree = {
        "type": "object",
        "properties": {"next": {"$ref": "#/$defs/tree"}},
        "additionalProperties": False,
    }
    schema = of_properties(
        ("day",),
        day=TEXT,
        guests={"type": "integer", "maximum": 12},
        kind={"enum": ["a", "b"]},
        tree={"$ref": "#/$defs/tree"},
    ) | {"$defs": {"tree": tree}}

    assert offered(schema).problem_with(arguments) == problem


def test_what_is_wrong_with_arguments_is_bounded_and_clean() -> None:
    found = offered(of_properties(day={"type": "integer"})).problem_with({"day": "\x1b" * 9_000})

    assert found is not None
    assert len(found) <= MAX_PROBLEM
    assert "\x1b" not in found


def _doubling(times: int) -> dict[str, Any]:
    twice = {f"A{n}": {"allOf": [{"$ref": f"#/$defs/A{n + 1}"}] * 2} for n in range(times)}
    return {"$defs": twice | {f"A{times}": {}}, "$ref": "#/$defs/A0"}


BOMBS: Mapping[str, Any] = {
    "a loop": {"allOf": [{"$ref": "#"}]},
    "two loops": {"anyOf": [{"$ref": "#"}, {"$ref": "#"}]},
    "doubling": _doubling(40),
    "many of one": of_properties(a={"type": "array", "items": {"allOf": [True] * 1_500}}),
    "many of many": of_properties(a={"type": "array", "items": {"anyOf": [{"not": {}}] * 600}}),
    "a pattern": of_properties(a={"type": "array", "items": {"pattern": "(a|a)*$"}}),
    "patterns of names": {"patternProperties": {"(a+)+$": {}}, "additionalProperties": False},
    "unique": of_properties(a={"uniqueItems": True}),
    "unevaluated": _doubling(40) | {"unevaluatedProperties": False},
    "a number": of_properties(a={"multipleOf": 1e-308}),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_schema_that_is_a_bomb_costs_little(bomb: str) -> None:
    began = time.thread_time()
    try:
        found = offered(BOMBS[bomb])
    except ToolRefused:
        found = None
    if found is not None:
        for arguments in ({"a": [{}, 1, "a"] * 300}, {"a": ["a" * 60 + "!"]}, {"a" * 60 + "!": 1}):
            found.problem_with(arguments)

    assert time.thread_time() - began < 1.5


def test_a_look_up_must_be_a_tool_with_its_argument() -> None:
    allowed = allowed_tool(look_up=LookUp(tool="made", argument="key"))
    act = ListedTool("act", "", of_properties())
    with_it = {"act": act, "made": ListedTool("made", "", of_properties(key=TEXT))}
    without = {"act": act, "made": ListedTool("made", "", {"properties": 7})}

    assert look_up_problem(allowed, with_it) is None
    assert look_up_problem(allowed, without) == "its look-up, made, has no argument key"
    assert look_up_problem(allowed, {"act": act}) == "its look-up, made, is no tool of the server"
    assert look_up_problem(allowed_tool(), {"act": act}) is None
    assert offered_tool(SERVER, allowed, with_it).tool.has_look_up
    assert not offered_tool(SERVER, allowed, without).tool.has_look_up
