"""The parser of replies: the variants of the format, and hostile input."""

import json
from itertools import pairwise
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.model.failures import AttemptFailed
from adapters.model.written_calls import MAX_CALLS
from adapters.openai import events as limits
from adapters.openai.chat_completions import ChatCompletionParser
from domain.usage import Usage
from tests.support.openai_stub import DONE, USED, call, delta, event


def read(*pieces: bytes) -> ChatCompletionParser:
    """A parser that these bytes have been fed to."""
    parser = ChatCompletionParser()
    for piece in pieces:
        parser.feed(piece)
    parser.end()
    return parser


def text(*pieces: bytes) -> str:
    return "".join(read(*pieces).completion.text)


def called(*deltas: Any) -> list[tuple[str, str]]:
    """Return names and arguments of the calls in these pieces."""
    parser = read(*[delta(tool_calls=[each]) for each in deltas], delta("tool_calls"), DONE)
    return [(each.name, each.arguments) for each in parser.completion.calls]


WHOLE = b"".join([
    delta(role="assistant", content=""), delta(content="Bună "), delta(content="ziua, ță!"),
    delta("stop"), USED, DONE,
])  # fmt: skip


def test_text_finish_and_usage_of_a_stream_are_parsed() -> None:
    parser = read(WHOLE)

    assert "".join(parser.completion.text) == "Bună ziua, ță!"
    assert (parser.completion.finish, parser.is_done, parser.completion.is_cut) == (
        "stop",
        True,
        False,
    )
    assert parser.usage("m1") == Usage(
        model="m1", input_tokens=100, cached_tokens=64, output_tokens=20, calls=1
    )


@given(st.lists(st.integers(0, len(WHOLE)), max_size=20), st.sampled_from([b"\n", b"\r\n"]))
def test_it_does_not_matter_where_the_network_cuts(cuts: list[int], newline: bytes) -> None:
    data = WHOLE.replace(b"\n", newline)
    places = sorted({0, len(data), *[cut for cut in cuts if cut < len(data)]})

    assert text(*[data[a:b] for a, b in pairwise(places)]) == "Bună ziua, ță!"


def test_each_piece_is_returned_as_it_comes() -> None:
    parser = ChatCompletionParser()

    assert parser.feed(delta(content="Bu") + delta(content="nă")) == "Bună"
    assert parser.feed(delta(content=" ziua")) == " ziua"
    assert not parser.is_complete


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([b": ping\n\n", delta(content="Da"), b":\n\n", delta("stop")], id="comments"),
        pytest.param([delta(content="Da"), delta("stop")], id="no [DONE]"),
        pytest.param([delta(content="Da"), DONE], id="no finish_reason"),
        pytest.param([delta(content="Da"), delta("stop"), USED.rstrip()], id="no last line end"),
        pytest.param([event(choices=[]), delta(content="Da"), DONE], id="no choices"),
        pytest.param([event(choices=None, usage=None), delta(content="Da"), DONE], id="null"),
        pytest.param([event(id="x"), delta(content="Da"), DONE], id="an empty chunk"),
        pytest.param([delta("stop", role="assistant", content="Da"), DONE], id="all in one chunk"),
        pytest.param([delta(content=None), delta(content="Da"), DONE], id="null content"),
        pytest.param([delta(content=[{"type": "text", "text": "Da"}]), DONE], id="parts"),
        pytest.param([delta(content="Da").replace(b"data: ", b"data:"), DONE], id="no space"),
        pytest.param([b"\xef\xbb\xbf\n\n" + delta(content="Da"), DONE], id="blank lines"),
        pytest.param([b"id: 7\nevent: message\n", delta(content="Da"), DONE], id="fields"),
        pytest.param([delta(content="Da").replace(b", ", b",\ndata: "), DONE], id="many lines"),
        pytest.param([delta(content="Da"), DONE, delta(content="!"), b"data: x\n\n"], id="more"),
        pytest.param([event(choices=[{"message": {"content": "Da"}}]), DONE], id="message"),
    ],
)  # fmt: skip
def test_what_can_be_understood_is_accepted(pieces: list[bytes]) -> None:
    assert text(*pieces) == "Da"


@pytest.mark.parametrize("indent", [None, 2])
def test_a_whole_document_is_accepted_in_place_of_a_stream(indent: int | None) -> None:
    message = {"role": "assistant", "content": "Da", "tool_calls": [call("f", "{}", id="c1")]}
    document = {
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3, "prompt_cache_hit_tokens": 5},
    }
    data = b"\n" + json.dumps(document, indent=indent).encode()
    parser = read(data[:30], data[30:])

    assert parser.completion.text == ["Da"]
    assert [(each.call_id, each.name) for each in parser.completion.calls] == [("c1", "f")]
    assert parser.usage("m1") == Usage(
        model="m1", input_tokens=7, cached_tokens=5, output_tokens=3, calls=1
    )


def test_halves_of_an_emoji_are_joined() -> None:
    halves = [
        delta(content="Bun\ud83d"),
        delta(content="\ude00 și \ud83d"),
        delta(content="!"),
        DONE,
    ]
    torn = [call("f", '{"a":"\ud83d', index=0), call(None, '\ude00"}', index=0)]

    assert text(*halves) == "Bun😀 și ?!"
    assert called(*torn) == [("f", '{"a":"😀"}')]


A, B = '{"a":1}', '{"b":2}'


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        pytest.param(
            [call("f", "", index=0, id="1"), call(None, '{"a":', index=0),
             call(None, "1}", index=0), call("g", "", index=1, id="2"), call(None, B, index=1)],
            [("f", A), ("g", B)], id="as the reference has it"),
        pytest.param(
            [call("f", '{"a":', index=0, id="1"), call("g", '{"b":', index=1, id="2"),
             call(None, "1}", index=0), call(None, "2}", index=1)],
            [("f", A), ("g", B)], id="two at once"),
        pytest.param([call("f", A), call("g", B)], [("f", A), ("g", B)], id="names alone"),
        pytest.param([call("f", A), call("f", B)], [("f", A), ("f", B)], id="one name twice"),
        pytest.param(
            [call("f", "", id="1"), call(None, A), call("g", "", id="2"), call(None, B)],
            [("f", A), ("g", B)], id="no index"),
        pytest.param(
            [call("f", A, index=0, id="1"), call("g", B, index=0, id="2")],
            [("f", A), ("g", B)], id="index 0 for all"),
        pytest.param(
            [call("f", '{"a":', index=0, id="1"), call("f", "1}", index=0, id="1")],
            [("f", A)], id="the name in every piece"),
        pytest.param(
            [call("f", ""), call("f", '{"a":'), call("f", "1}")],
            [("f", A)], id="the name in every piece, and nothing else"),
        pytest.param(
            [call("f", '{"a":', index=0, id="1"), call(None, "1}", index=0, id="9")],
            [("f", A)], id="another id in every piece"),
        pytest.param([call("f", {"a": 1}, index=0)], [("f", A)], id="an object"),
        pytest.param([call("f", None, index=0, id=None)], [("f", "")], id="nothing"),
        pytest.param(
            [call("get_", "", index=0, id="1"), call("it", A, index=0)],
            [("get_it", A)], id="the name in pieces"),
        pytest.param([{"index": "0", "function": {"name": 7, "arguments": 7}}],
                     [("", "")], id="nonsense"),
    ],
)  # fmt: skip
def test_calls_are_joined_from_their_pieces(
    pieces: list[Any], expected: list[tuple[str, str]]
) -> None:
    assert called(*pieces) == expected


def test_calls_are_kept_even_with_finish_reason_stop() -> None:
    parser = read(delta(tool_calls=[call("f", A)]), delta("stop"), DONE)
    parser.completion.check()

    assert [each.name for each in parser.completion.calls] == ["f"]


def error_of(*pieces: bytes) -> AttemptFailed:
    with pytest.raises(AttemptFailed) as raised:
        read(*pieces).completion.check()
    return raised.value


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        ([b"<!DOCTYPE html><h1>502</h1>"], "the answer is a web page"),
        ([b"data: {\n\n"], "the answer is not one of Chat Completions"),
        ([b"data: [1]\n\n"], "the answer is not one of Chat Completions"),
        ([b'data: {"choices": 7}\n\n'], "the answer is not one of Chat Completions"),
        ([b'data: {"choices": [{"delta": "x"}]}\n\n'], "the answer is not one of Chat Completions"),
        ([b"data: " + b"[" * 100_000 + b"\n\n"], "the answer is not one of Chat Completions"),
        (
            [b'data: {"choices": [{"delta": {"content": "\xff"}}]}\n\n'],
            "the answer is not one of Chat Completions",
        ),
        ([b"{"], "the answer is not one of Chat Completions"),
        ([b"\x1f\x8b\x08 packed"], "the answer broke off"),
        ([b""], "the answer broke off"),
        ([delta(content="Bu")], "the answer broke off"),
        ([delta(content="Bu"), b'data: {"choices": [{"del'], "the answer broke off"),
        ([b"{}"], "the answer was empty"),
        ([delta("stop"), DONE], "the answer was empty"),
        ([delta(content=" \n"), delta("stop"), DONE], "the answer was empty"),
        ([delta("length"), DONE], "all tokens of the answer were spent before its first word"),
        ([delta(content="Bu"), delta("content_filter")], "the provider's content filter"),
        ([event(error={"message": "MARKER", "type": "server_error"})], "server_error"),
        ([event(error="MARKER")], "an error in the answer"),
        ([b"event: error\n" + event(message="MARKER", code="rate_limit")], "rate_limit"),
        ([event(error={"code": "context_length_exceeded"})], "context_length_exceeded"),
    ],
)
def test_what_cannot_be_understood_fails_the_attempt_with_a_reason_of_ours(
    pieces: list[bytes], reason: str
) -> None:
    error = error_of(*pieces)

    assert reason in str(error)
    assert "MARKER" not in str(error)


def feed(parser: ChatCompletionParser, piece: bytes, times: int) -> None:
    for _ in range(times):
        parser.feed(piece)


@pytest.mark.parametrize(
    ("named", "model"),
    [
        ("gpt-4.1-mini-2025-04-14", "gpt-4.1-mini-2025-04-14"),
        ("meta/llama-3:8b", "meta/llama-3:8b"),
        ("what the customer said", ""),
        ("m" * 101, ""),
        (["m"], ""),
        (None, ""),
    ],
)
def test_a_model_is_named_as_its_server_does_if_that_can_be_a_name(
    named: object, model: str
) -> None:
    assert read(event(model=named, choices=[]), DONE).model == model


@pytest.mark.parametrize(
    "piece",
    [b"x" * 65_536, b"data: x\n" * 8_192, b"data: " + b"x" * 65_530],
    ids=["a line", "an event", "a data line"],
)
def test_an_event_without_end_fills_no_memory(piece: bytes) -> None:
    parser = ChatCompletionParser()
    with pytest.raises(AttemptFailed, match="no end"):
        feed(parser, piece, 2 * limits.MAX_EVENT // 65_536)

    assert len(parser._rest) <= limits.MAX_EVENT + 65_536


def test_a_document_without_end_fills_no_memory() -> None:
    parser = ChatCompletionParser()
    parser.feed(b'{"choices": [')

    with pytest.raises(AttemptFailed, match="no end"):
        feed(parser, b"\n" * 65_536, 2 * limits.MAX_EVENT // 65_536)


def test_an_answer_without_end_is_cut() -> None:
    parser, size = ChatCompletionParser(), 0
    while not parser.is_complete:
        size += len(parser.feed(delta(content="x" * 30_000)))
    parser.feed(delta(content="more"))

    assert size == sum(map(len, parser.completion.text)) == limits.MAX_ANSWER
    assert parser.completion.is_cut


@pytest.mark.parametrize(
    "piece",
    [call(None, "x" * 1_000, index=0), call("x" * 1_000, "", index=0)],
    ids=["arguments", "name"],
)
def test_a_call_without_end_fails(piece: Any) -> None:
    parser = ChatCompletionParser()
    parser.feed(delta(tool_calls=[call("f", "", index=0)]))

    with pytest.raises(AttemptFailed, match="no end"):
        feed(parser, delta(tool_calls=[piece]), 100)


def test_calls_without_end_fail() -> None:
    with pytest.raises(AttemptFailed, match="no end"):
        called(*[call("f", "{}", index=number) for number in range(MAX_CALLS + 1)])


@pytest.mark.parametrize(
    "usage",
    [{"prompt_tokens": -1}, {"prompt_tokens": True}, {"prompt_tokens": "9"}, {"prompt_tokens": 1e9},
     {"prompt_tokens": 10**12}, {"prompt_tokens_details": 7}, {"completion_tokens": None},
     {"prompt_tokens_details": {"cached_tokens": 7}}, [1], "x", None],
)  # fmt: skip
def test_token_counts_that_make_no_sense_are_ignored(usage: Any) -> None:
    parser = read(delta(content="Da"), delta("stop"), event(choices=[], usage=usage), DONE)

    assert parser.usage("m1") == Usage(model="m1", calls=1)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "choices delta message content refusal tool_calls function name arguments index id "
                "finish_reason usage prompt_tokens prompt_tokens_details cached_tokens error code "
                "type text reasoning".split()
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=30,
)
almost = st.builds(
    lambda *fields: dict(zip(("content", "refusal", "tool_calls"), fields, strict=True)),
    *[st.none() | json_values] * 3,
)
pieces = st.one_of(
    st.binary(max_size=50),
    st.builds(event, choices=json_values, usage=json_values),
    st.builds(lambda each: delta(**each), almost),
    st.builds(lambda index, id, name, arguments: delta(
        tool_calls=[{"index": index, "id": id, "function": {"name": name, "arguments": arguments}}]
    ), *[json_values] * 4),
    st.builds(lambda value: json.dumps(value).encode(), json_values),
    st.sampled_from([DONE, USED, b"\n", b"\r\n", b"data:", b"event: error\n", delta("stop")]),
)  # fmt: skip


@given(st.lists(pieces, max_size=8))
def test_any_input_is_a_completion_or_a_failed_attempt(given_pieces: list[bytes]) -> None:
    parser, received, reason = ChatCompletionParser(), "", None
    try:
        for piece in given_pieces:
            received += parser.feed(piece)
        received += parser.end()
        parser.completion.check()
    except AttemptFailed as failed:
        reason = str(failed)

    assert reason is None or reason
    assert reason is not None or received == "".join(parser.completion.text)
    assert received.encode().decode() == received
    assert parser.usage("m1").calls == 1


@pytest.mark.parametrize(
    "piece",
    [
        delta(reasoning_details=[{}]),
        delta(reasoning_content="a"),
        delta(tool_calls=[call("f", "ă", id="a", index=0)]),
        delta(tool_calls=[call("f", "\ud83d", id="a", index=0)]),
    ],
)
def test_pieces_without_end_take_no_more_time_the_more_there_are(piece: bytes) -> None:
    parser, begun = ChatCompletionParser(), process_time()
    for _ in range(30_000):
        parser.feed(piece)

    assert process_time() - begun < 2.0  # about 0.3; it took up to 16


def test_what_is_nested_too_deeply_is_not_understood() -> None:
    deep = '{"a":' * 800 + "1" + "}" * 800
    piece = f'data: {{"choices":[{{"delta":{{"x":{deep}}}}}]}}\n\n'.encode()

    with pytest.raises(AttemptFailed, match="not one of"):
        read(piece, piece)
