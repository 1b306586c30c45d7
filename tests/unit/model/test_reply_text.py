"""The text of a reply without what the model thinks and calls, wherever the pieces are torn."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.model import reply_text
from adapters.model.failures import AttemptFailed
from adapters.model.reply_text import ReplyText

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


@given(st.text(alphabet='<>/[]{}|`"think_cal:▁｜◁▷ n', max_size=80), st.lists(st.integers(0, 80)))
def test_any_text_is_read_to_its_end(text: str, cuts: list[int]) -> None:
    said, _, ever = read(text, *cuts)

    assert len(said) <= len(text)
    assert ever.endswith(said)
