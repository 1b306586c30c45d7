"""The texts and identifiers that are accepted, and those that are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import ConversationError, InvalidPayload, MessageTooLong, Refusal
from domain.identity import customer, identifier
from domain.message import MAX_MESSAGE_LENGTH, message_text
from domain.plain_text import plain_text


@pytest.mark.parametrize("value", ["a", "A-z_0.9:@", "x" * 128, "u1@shop.example", "...", ".a"])
def test_an_identifier_is_taken_as_it_is(value: str) -> None:
    assert identifier("userId", value) == value


@pytest.mark.parametrize(
    "value",
    [
        *("", "x" * 129, "a b", "a\n", "ă", "a/b", "a#b", "a\0", None, 7, ["a"], b"a"),
        ".",
        "..",
        ".\n",
    ],
)
def test_anything_else_is_no_identifier_and_the_error_names_it(value: object) -> None:
    with pytest.raises(InvalidPayload, match="userId must be 1-128 characters"):
        customer("b1", value)


@pytest.mark.parametrize(
    "text", ["  Bună! \n", "x" * MAX_MESSAGE_LENGTH, " " + "ă" * MAX_MESSAGE_LENGTH + " ", "🙂"]
)
def test_a_message_is_trimmed_and_else_taken_as_it_is(text: str) -> None:
    assert message_text(text) == text.strip()


def test_the_limit_counts_characters_after_trimming() -> None:
    with pytest.raises(MessageTooLong):
        message_text(" " + "ă" * (MAX_MESSAGE_LENGTH + 1))


@pytest.mark.parametrize(
    "value", ["", "  \t\n", "\u200b\u2060\ufeff", "\u3164 \u00ad", "\0", None, 7, b"a"]
)
def test_what_is_no_text_is_refused(value: object) -> None:
    with pytest.raises(InvalidPayload):
        message_text(value)


@given(st.text(max_size=200))
def test_a_text_is_taken_whole_or_refused_by_name(text: str) -> None:
    try:
        taken = message_text(text)
    except Refusal:
        return

    assert taken == plain_text(text).strip()
    assert taken.encode().decode() == taken


def test_an_error_says_what_it_is() -> None:
    assert str(MessageTooLong()) == "The message is longer than 8,000 characters."
    assert str(InvalidPayload("message must be a string")) == "message must be a string"
    assert ConversationError.code == "internal_error"
