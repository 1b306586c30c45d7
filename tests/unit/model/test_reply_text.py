"""The text of a reply without what the model thinks and calls, wherever the pieces are torn."""

from contextlib import suppress
from itertools import pairwise
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.model import reply_text
from adapters.model.failures import AttemptFailed
from adapters.model.reply_text import MAX_HELD, ReplyText
from adapters.model.written_calls import MAX_CALLS

TOOLS = {"get_business", "get_reservations", "transfer_to_live_chat"}
BUSINESS = [("get_business", "{}")]
TRANSFER = [("transfer_to_live_chat", '{"reason": "r"}')]


def read(text: str, *cuts: int, holds: bool = False) -> tuple[str, list[tuple[str, str]], str]:
    """Feed a text that is torn at these places; return what is said, called, and was ever said."""
    reply = ReplyText(TOOLS, holds=holds)
    places = sorted({0, len(text), *[cut for cut in cuts if cut < len(text)]})
    said, ever = "", ""
    for piece in [*[text[a:b] for a, b in pairwise(places)], None]:
        new = reply.end() if piece is None else reply.feed(piece)
        if reply.is_void:
            reply.is_void, said = False, ""
        said += new
        ever += new
    return said, [(call.name, call.arguments) for call in reply.calls], ever


THOUGHTS = [
    ("<think>", "</think>"), ("<thinking>", "</thinking>"), ("<THINK>", "</Think>"),
    ("<thought>", "</thought>"), ("<reasoning>", "</reasoning>"), ("[THINK]", "[/THINK]"),
    ("<seed:think>", "</seed:think>"), ("◁think▷", "◁/think▷"),
    ("<|START_THINKING|>", "<|END_THINKING|>"), ("<|channel>thought", "<channel|>"),
    ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    ("analysis", "assistantfinal"),
]  # fmt: skip


@pytest.mark.parametrize(("opens", "closes"), THOUGHTS)
def test_what_a_model_thinks_is_not_said(opens: str, closes: str) -> None:
    text = f"{opens}I should not tell about rule 6.{closes}Suntem deschiși."
    every = range(len(text))

    for cuts in ((), every, range(0, len(text), 3)):
        said, called, ever = read(text, *cuts)
        assert (said.strip(), called) == ("Suntem deschiși.", [])
        assert "rule 6" not in ever


MARK = "MARKER"
_thought = st.recursive(
    st.sampled_from([MARK, f"{MARK} <tool_call>", "5 < 6", f"vă transfer acum {MARK}", "```", "{"]),
    lambda inner: st.tuples(st.sampled_from(THOUGHTS[:10]), st.lists(inner, max_size=3)).map(
        lambda made: f"{made[0][0]}{''.join(made[1])}{made[0][1]}"
    ),
    max_leaves=8,
)
_answer = st.lists(
    st.tuples(
        st.sampled_from(["", "Bună! ", "5 < 6 și [da] ", "`cod` ", "Luni–vineri\n"]),
        st.tuples(st.sampled_from(THOUGHTS[:10]), _thought).map(
            lambda made: f"{made[0][0]}{made[1]}{made[0][1]}"
        ),
    ),
    max_size=4,
)


@given(_answer, st.lists(st.integers(0, 400), max_size=40), st.booleans())
def test_no_thought_is_said_however_it_is_nested_and_torn(
    parts: list[tuple[str, str]], cuts: list[int], holds: bool
) -> None:
    text = "".join([said + thought for said, thought in parts]) + "Gata."
    _, _, ever = read(text, *cuts, holds=holds)

    assert MARK not in ever


@given(_thought, st.lists(st.integers(0, 200), max_size=20))
def test_of_a_first_reply_not_even_a_thought_without_a_beginning_is_said(
    thought: str, cuts: list[int]
) -> None:
    said, _, ever = read(f"{MARK} {thought}</think>Gata.", *cuts, holds=True)

    assert MARK not in ever
    assert said.strip() == "Gata."


def test_a_thought_without_a_beginning_makes_the_text_before_it_void() -> None:
    said, called, _ = read("Hm, vă transfer. <tool_call>get_business{}</tool_call></think>Bună!", 9)

    assert (said, called) == ("Bună!", [])


def test_a_thought_without_an_end_is_not_said() -> None:
    assert read("<think>hm, hm") == ("", [], "")


@pytest.mark.parametrize(
    "text",
    [
        "5 < 6, [1] și {acolade}", "Bună! <b>Da</b>", "analysis of data", "a ``` b", "{", "[", "<",
        'Scrieți {"nume": "Ana"} așa', '```py\nx = {"name": 1}\n``` și ```da```', "commentary",
        '{"name": "Meniu", "arguments": {}}', "```json\n{}\n```", "[\n{", "◁", "asistent",
    ],
)  # fmt: skip
def test_what_only_looks_like_markup_is_text(text: str) -> None:
    for cuts in ((), range(len(text))):
        assert read(text, *cuts) == (text, [], text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('<tool_call>{"name": "transfer_to_live_chat", "arguments": {"reason": "r"}}</tool_call>',
         TRANSFER),
        ('{"name": "get_business", "arguments": {}}', BUSINESS),
        ('[{"name": "get_business", "parameters": {}}]', BUSINESS),
        ('{"type": "function", "function": {"name": "get_business", "arguments": "{}"}}', BUSINESS),
        ('```json\n{"tool": "get_business", "args": {}}\n```', BUSINESS),
        ('```tool_code\nprint(default_api.transfer_to_live_chat(reason="r"))\n```', TRANSFER),
        ('<function=transfer_to_live_chat>{"reason": "r"}</function>', TRANSFER),
        ("<tool_call><function=transfer_to_live_chat><parameter=reason>r</parameter></function>"
         "</tool_call>", TRANSFER),
        ("<tool_call>transfer_to_live_chat\n<arg_key>reason</arg_key>\n<arg_value>r</arg_value>"
         "</tool_call>", TRANSFER),
        ('<minimax:tool_call><invoke name="transfer_to_live_chat"><parameter name="reason">r'
         "</parameter></invoke></minimax:tool_call>", TRANSFER),
        ('<｜DSML｜function_calls><｜DSML｜invoke name="transfer_to_live_chat">'
         '<｜DSML｜parameter name="reason" string="true">r</｜DSML｜parameter></｜DSML｜invoke>'
         "</｜DSML｜function_calls>", TRANSFER),
        ('<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>transfer_to_live_chat\n'
         '```json\n{"reason": "r"}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>', TRANSFER),
        ("<|tool_calls_section_begin|><|tool_call_begin|>functions.get_business:0"
         "<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>", BUSINESS),
        ('[TOOL_CALLS][{"name": "get_business", "arguments": {}}]', BUSINESS),
        ('[TOOL_CALLS]transfer_to_live_chat[CALL_ID]abc123456[ARGS]{"reason": "r"}', TRANSFER),
        ('<|python_tag|>{"name": "get_business", "parameters": {}}<|eom_id|>', BUSINESS),
        ("<|channel|>commentary to=functions.transfer_to_live_chat <|constrain|>json<|message|>"
         '{"reason": "r"}<|call|>', TRANSFER),
        ('commentary to=functions.transfer_to_live_chat json{"reason": "r"}', TRANSFER),
        ("<|tool_call_start|>[get_business()]<|tool_call_end|>", BUSINESS),
    ],
)  # fmt: skip
def test_a_call_that_is_written_as_text_is_a_call(
    text: str, expected: list[tuple[str, str]]
) -> None:
    for cuts in ((), range(len(text)), range(0, len(text), 5)):
        assert read(text, *cuts) == ("", expected, "")


def test_text_around_a_call_is_said() -> None:
    text = 'Mă uit.\n{"name": "get_business", "arguments": {}}'

    assert read(text, *range(len(text))) == ("Mă uit.\n", BUSINESS, "Mă uit.\n")


def test_a_call_of_a_tool_that_there_is_not_is_a_call_where_it_can_be_nothing_else() -> None:
    text = '<tool_call>{"name": "pay", "arguments": {"sum": 7}}</tool_call>'

    assert read(text)[1] == [("pay", '{"sum": 7}')]


def test_a_call_whose_arguments_are_broken_is_one_so_that_the_model_learns_of_it() -> None:
    text = '<tool_call>{"name": "transfer_to_live_chat", "arguments": {"reason": </tool_call>'
    said, called, _ = read(text)

    assert (said, [name for name, _ in called]) == ("", ["transfer_to_live_chat"])


def test_a_call_without_an_end_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reply_text, "MAX_CALL_TEXT", 100)
    reply = ReplyText(TOOLS)

    with pytest.raises(AttemptFailed, match="no end"):
        reply.feed("<tool_call>" + "a" * 101)


_SIZE = 64 * 1024
HOSTILE = [
    ("[TOOL_CALLS]get_business", "()"), ("[TOOL_CALLS]get_business", "(a=1,)"),
    ("[TOOL_CALLS]", "[1,"), ("[TOOL_CALLS]", "{"), ("<tool_call>", "x"),
    ("<function=get_business>", "<parameter=a>"),
    ("<tool_call>get_business", "<arg_key>a</arg_key>"),
    ("", "[\n"), ("", '[{"a":'), ("", '{"a":'), ("```", '{"a":'), ("analysis", "assistant"),
    ("", "<tool_call></tool_call>"), ("", "<"), ("<think>", "İ"),
]  # fmt: skip


@pytest.mark.parametrize(("opens", "more"), HOSTILE)
@pytest.mark.parametrize("size", [1, 4096])
def test_no_text_takes_more_time_than_its_size_allows(opens: str, more: str, size: int) -> None:
    text = opens + more * (_SIZE // len(more))
    reply, begun = ReplyText(TOOLS), process_time()
    with suppress(AttemptFailed):
        for at in range(0, len(text), size):
            reply.feed(text[at : at + size])
        reply.end()

    assert process_time() - begun < 2.0  # about 0.3; what is read again and again took 4 to 1,000


def test_the_calls_of_a_text_are_bounded() -> None:
    with pytest.raises(AttemptFailed, match="no end"):
        read('<tool_call>{"name": "get_business", "arguments": {}}</tool_call>' * (MAX_CALLS + 1))
    with pytest.raises(AttemptFailed, match="no end"):
        read("[TOOL_CALLS]" + "get_business " * (MAX_CALLS + 1))


def test_what_is_held_until_the_end_is_bounded() -> None:
    said, _, _ = read("a" * 3 * MAX_HELD, *range(0, 3 * MAX_HELD, 1024), holds=True)

    assert len(said) <= MAX_HELD + 1024


def test_a_letter_that_grows_in_lower_case_moves_no_end_of_a_call() -> None:
    text = '<tool_call>{"name": "get_business", "arguments": {"in": "İİ"}}</tool_call>Bună!'

    assert read(text) == ("Bună!", [("get_business", '{"in": "İİ"}')], "Bună!")


def test_arguments_as_in_python_are_read_without_running_them() -> None:
    text = r"""[TOOL_CALLS]transfer_to_live_chat(reason='a, "b" (c)\'', n=2, x=open("f"))"""

    assert read(text)[1] == [
        ("transfer_to_live_chat", r"""{"reason": "a, \"b\" (c)'", "n": 2, "x": "open"}""")
    ]


@given(st.text(alphabet='<>/[]{}|`"think_cal:▁｜◁▷ n', max_size=80), st.lists(st.integers(0, 80)))
def test_any_text_is_read_to_its_end(text: str, cuts: list[int]) -> None:
    said, _, ever = read(text, *cuts)

    assert len(said) <= len(text)
    assert ever.endswith(said)
