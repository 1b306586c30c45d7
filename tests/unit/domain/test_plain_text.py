"""Text from anywhere, made fit to be stored and sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.plain_text import MAX_PERSON_NAME, is_blank, note_text, person_name, plain_text

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=100)
"""Also with halves of surrogate pairs."""


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Salut \ud83d", "Salut \ufffd"),
        ("\ude00!", "\ufffd!"),
        ("\ud83d\ude00", "😀"),
        ("a\0b\x1b[31mc\x7f\x85d", "ab[31mcd"),
        ("one\r\ntwo\tthree", "one\ntwo\tthree"),
        ("👩\u200d🍳 şi\u00a0ţ\u2028", "👩\u200d🍳 şi\u00a0ţ\u2028"),
    ],
)
def test_halves_become_the_replacement_character_and_control_characters_are_dropped(
    text: str, plain: str
) -> None:
    assert plain_text(text) == plain


@given(ANY_TEXT)
def test_a_plain_text_can_be_encoded_and_stays_as_it_is(text: str) -> None:
    plain = plain_text(text)

    assert plain.encode().decode() == plain
    assert plain_text(plain) == plain
    assert not any(c < " " and c not in "\n\t" for c in plain)


@pytest.mark.parametrize("text", ["", " \n\t", "\u200b", "\u3164\u2800", "\u2060\ufe0f \U000e0020"])
def test_a_text_that_shows_nothing_is_blank(text: str) -> None:
    assert is_blank(text)
    assert note_text(text) is None


@pytest.mark.parametrize("text", [".", "a\u200b", "👩\u200d🍳", "\u0301", "\ufffd"])
def test_a_text_that_shows_something_is_not_blank(text: str) -> None:
    assert not is_blank(text)
    assert note_text(f" {text}\0 ") == text


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Maria Ionescu", "Maria Ionescu"),
        (" Ștefan\u00a0 Pop\n", "Ștefan Pop"),
        ("S\u0326tefan", "Ștefan"),
        ("علی\u200cرضا", "علی\u200cرضا"),
        ("O'Neil-Łukasz 李 👩\u200d🍳❤\ufe0f", "O'Neil-Łukasz 李 👩\u200d🍳❤\ufe0f"),
        ("അനില്\u200d ❤\ufe0f\u200d🔥", "അനില്\u200d ❤\ufe0f\u200d🔥"),
        ("c1:maria@b.example", "c1:maria@b.example"),
        ("ș" * MAX_PERSON_NAME, "ș" * MAX_PERSON_NAME),
    ],
)
def test_a_name_is_as_people_write_it_and_spellings_that_look_alike_are_one(
    text: str, name: str
) -> None:
    assert person_name(text) == name
    assert person_name(name) == name


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "\n", "a" * (MAX_PERSON_NAME + 1), "Maria\nAna", "Maria\tAna", "Maria\u2028Ana"),
        *("Maria\0", "Maria\x7f", "Maria\x85Ana", "\ud83d", "Maria\u202e", "\u2066Maria\u2069"),
        *("\u200b", "Mar\u200bia", "Maria\u200d", "\u3164", "\u200c", "\ufe0f", "Maria\u00ad"),
        *("José\u200d", "José\ufe0f", "Jos\u200dé", "Joé\u200dl", "Мари\u200cя", "ми\u200d\u200dс"),
        *("می\u200c\u200cن", "❤\ufe0f\ufe0f", "\u212a\u200dx", "علی\u3000\u200cرضا"),
        *("\u061cMaria", "Maria\u200f", "Maria\U000e0041", "\ufeffMaria", "\u2800"),
    ],
)
def test_what_breaks_a_line_turns_it_or_shows_nothing_is_in_no_name(text: str) -> None:
    assert person_name(text) is None


@given(ANY_TEXT)
def test_a_name_can_be_encoded_and_stays_as_it_is(text: str) -> None:
    if (name := person_name(text)) is not None:
        assert name.encode().decode() == name == person_name(name) == plain_text(name)
