"""Results of tools as texts for the model, and look-ups that have found nothing."""

from typing import Any

import pytest
from mcp_types import CallToolResult

from adapters.mcp.results import is_empty, result_text
from domain.tool import MAX_TOOL_RESULT


def result(*texts: str, **fields: Any) -> CallToolResult:
    content = [{"type": "text", "text": text} for text in texts]
    return CallToolResult.model_validate({"content": content, **fields})


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "a\nb"),
        ([{"type": "text", "text": " a\x00\x1b[1mb\r\n"}], "a[1mb"),
        ([{"type": "image", "data": "AA", "mimeType": "image/png"}], "(image)"),
        ([{"type": "audio", "data": "AA", "mimeType": "audio/wav"}], "(audio)"),
        ([{"type": "resource_link", "name": "menu", "uri": "https://h/menu"}],
         "menu: https://h/menu"),
        ([{"type": "resource", "resource": {"uri": "https://h/m", "text": "soup"}}], "soup"),
        ([{"type": "resource", "resource": {"uri": "https://h/m", "blob": "AA"}}], "(https://h/m)"),
        ([], ""),
    ],
)  # fmt: skip
def test_each_kind_of_content_is_a_text(content: list[Any], text: str) -> None:
    assert result_text(CallToolResult.model_validate({"content": content})) == text


def test_structured_content_is_shown_where_there_is_no_text() -> None:
    assert result_text(result(structuredContent={"a": [1]})) == '{"a":[1]}'
    assert result_text(result("words", structuredContent={"a": [1]})) == "words"


def test_a_result_is_bounded() -> None:
    for texts in (("x" * 1_000_000,), ("x",) * 10_000):
        text = result_text(result(*texts))

        assert len(text) == MAX_TOOL_RESULT
        assert text.endswith("…")
    assert result_text(result("x" * MAX_TOOL_RESULT)) == "x" * MAX_TOOL_RESULT


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (result(), True),
        (result(""), True),
        (result(" null \n"), True),
        (result("None"), True),
        (result("false"), True),
        (result("[]"), True),
        (result("{}"), True),
        (result("{}", structuredContent={}), True),
        (result("null", structuredContent={"result": None}), True),
        (result("false", structuredContent={"result": False}), True),
        (result("", structuredContent={"result": ""}), True),
        (result("", structuredContent={"result": []}), True),
        (result("0", structuredContent={"result": 0}), False),
        (result("0"), False),
        (result("true", structuredContent={"result": True}), False),
        (result("", structuredContent={"id": None}), False),
        (result("not found"), False),
        (CallToolResult.model_validate(
            {"content": [{"type": "image", "data": "AA", "mimeType": "image/png"}]}), False),
    ],
)  # fmt: skip
def test_a_look_up_has_found_nothing_if_it_is_empty(found: CallToolResult, expected: bool) -> None:
    assert is_empty(found) is expected
