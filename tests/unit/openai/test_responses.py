"""The parser of Responses' replies: its events, and what goes back with the results of calls."""

import json
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.model.completion import CompletionRequest, Deadline, ToolRound
from adapters.model.ends import End
from adapters.model.failures import AttemptFailed, Recovery
from adapters.openai.adaptations import Adaptation
from adapters.openai.responses import ResponseParser, response_body
from domain.usage import Usage

TOOLS = {"get_business"}
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "xyz"}
CALL = {
    "type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "get_business",
    "arguments": "{}", "status": "completed",
}  # fmt: skip
USED = {
    "input_tokens": 100, "input_tokens_details": {"cached_tokens": 64},
    "output_tokens": 20, "output_tokens_details": {"reasoning_tokens": 12},
}  # fmt: skip


def event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def said(text: str) -> bytes:
    return event("response.output_text.delta", delta=text)


def item(made: dict[str, Any]) -> bytes:
    return event("response.output_item.done", item=made)


def ended(kind: str = "completed", **fields: Any) -> bytes:
    return event(f"response.{kind}", response={"status": kind, "usage": USED, **fields})


def read(*pieces: bytes) -> ResponseParser:
    parser = ResponseParser(TOOLS)
    for piece in pieces:
        parser.feed(piece)
    parser.end()
    return parser


WHOLE = event("response.created") + said("Bună ") + said("ziua, ță!") + ended()


@given(st.lists(st.integers(0, len(WHOLE)), max_size=20))
def test_it_does_not_matter_where_the_network_cuts(cuts: list[int]) -> None:
    places = sorted({0, len(WHOLE), *cuts})
    parser = read(*[WHOLE[a:b] for a, b in pairwise(places)])

    assert "".join(parser.completion.text) == "Bună ziua, ță!"
    assert parser.completion.end is End.WHOLE


def test_usage_has_what_was_cached_and_what_was_thought() -> None:
    assert read(WHOLE).usage("m1") == Usage(
        model="m1", input_tokens=100, cached_tokens=64, output_tokens=20, reasoning_tokens=12,
        calls=1,
    )  # fmt: skip


def test_a_call_comes_with_the_thoughts_that_go_back_as_they_came() -> None:
    completion = read(item(THOUGHT), item(CALL), ended()).completion

    assert [(call.call_id, call.name) for call in completion.calls] == [("call_1", "get_business")]
    back = {key: value for key, value in CALL.items() if key != "status"}
    assert completion.carried == {"items": [THOUGHT, back]}


def test_a_thought_that_came_without_its_content_does_not_go_back() -> None:
    bare = {key: value for key, value in THOUGHT.items() if key != "encrypted_content"}

    assert read(item(bare), item(CALL), ended()).completion.carried == {}


@pytest.mark.parametrize(
    ("pieces", "end"),
    [
        ([said("Su"), ended("incomplete", incomplete_details={"reason": "max_output_tokens"})],
         End.CUT),
        ([said("Su"), ended("incomplete", incomplete_details={"reason": "content_filter"})],
         End.WITHHELD),
    ],
)  # fmt: skip
def test_an_answer_that_did_not_end_by_itself_is_not_whole(pieces: list[bytes], end: End) -> None:
    assert read(*pieces).completion.end is end


def test_a_refusal_is_not_said() -> None:
    refusal = {"type": "message", "content": [{"type": "refusal", "refusal": "I can't."}]}
    completion = read(
        event("response.refusal.delta", delta="I can't."), item(refusal), ended()
    ).completion

    assert (completion.text, completion.is_refused) == ([], True)


def test_a_document_in_place_of_a_stream_is_accepted() -> None:
    message = {"type": "message", "content": [{"type": "output_text", "text": "Da"}]}
    document = {"object": "response", "status": "completed", "output": [message], "usage": USED}
    parser = read(json.dumps(document).encode())

    assert parser.completion.text == ["Da"]


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        ([ended("failed", error={"code": "server_error", "message": "MARKER"})],
         "an error in the answer, code server_error"),
        ([event("error", code="rate_limit_exceeded", message="MARKER")],
         "an error in the answer, code rate_limit_exceeded"),
        ([event("error", error={"code": "rate_limit_exceeded"})],
         "an error in the answer, code rate_limit_exceeded"),
        ([said("Su")], "the answer broke off"),
        ([b'data: {"choices": []}\n\n'], "the answer is not one of Responses"),
        ([b"data: 7\n\n"], "the answer is not one of Responses"),
        ([b"<html>"], "the answer is a web page"),
    ],
)  # fmt: skip
def test_what_is_no_answer_has_a_reason(pieces: list[bytes], reason: str) -> None:
    with pytest.raises(AttemptFailed) as raised:
        read(*pieces)

    assert str(raised.value) == reason


def test_a_prompt_that_is_too_long_is_shortened() -> None:
    with pytest.raises(AttemptFailed) as raised:
        read(event("error", code="context_length_exceeded", message="too long"))

    assert raised.value.recovery is Recovery.SHORTEN


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(st.sampled_from([*CALL, *THOUGHT, "content", "text", "usage"]), inner)
        ),
        max_leaves=6,
    ),
    st.sampled_from(["delta", "item", "response", "error"]),
    st.sampled_from(
        ["response.output_text.delta", "response.output_item.done", "response.completed", "error"]
    ),
)
def test_no_event_breaks_the_parser(value: Any, field: str, kind: str) -> None:
    with suppress(AttemptFailed):
        parser = read(event(kind, **{field: value}), said("Da"), ended())
        assert parser.is_done


async def test_nothing_is_stored_at_the_provider_and_calls_go_back_by_their_author() -> None:
    parser = read(item(THOUGHT), item(CALL), ended())
    made = ToolRound("a", "", parser.completion.calls, ["{}"], parser.completion.carried)
    request = CompletionRequest(
        models=[],
        deadline=Deadline(1),
        messages=[
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "Bună"},
        ],
        rounds=[made],
        max_tokens=100,
    )
    own = response_body("m", request, set(), "low", author="a")
    others = response_body("m", request, set(), "", author="b")
    result = {"type": "function_call_output", "call_id": "call_1", "output": "{}"}

    assert (own["store"], own["reasoning"]) == (False, {"effort": "low"})
    assert own["instructions"] == "Be kind."
    assert own["input"][1:] == [*parser.completion.carried["items"], result]
    assert [each.get("type") for each in others["input"][1:]] == [
        "function_call",
        "function_call_output",
    ]
    without = response_body("m", request, {Adaptation.NO_STORE}, "", author="a")
    assert "store" not in without
