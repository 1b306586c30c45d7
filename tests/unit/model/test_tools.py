"""Tools as they go to a model, and the arguments of its calls."""

import pytest

from adapters.model.tools import arguments_in, tool_spec
from domain.tool import Effect, Tool


def test_a_model_gets_a_tools_name_description_and_schema_and_nothing_else() -> None:
    schema = {"type": "object", "properties": {"guests": {"type": "integer", "minimum": 1}}}
    tool = Tool(name="reserve", description="Book.", parameters=schema, effect=Effect.WRITE)

    assert tool_spec(tool) == {
        "type": "function",
        "function": {"name": "reserve", "description": "Book.", "parameters": schema},
    }


@pytest.mark.parametrize("text", ["", " ", "null", "{}", '"{}"', '""'])
def test_arguments_may_be_left_out(text: str) -> None:
    assert arguments_in(text) == {}


@pytest.mark.parametrize("text", ['{"a": [1]}', '"{\\"a\\": [1]}"'])
def test_arguments_may_be_encoded_twice(text: str) -> None:
    assert arguments_in(text) == {"a": [1]}


@pytest.mark.parametrize("text", ["{", "[]", "7", '"x"', "[" * 10_000, '{"a":}'])
def test_what_is_no_object_are_no_arguments(text: str) -> None:
    assert arguments_in(text) is None
