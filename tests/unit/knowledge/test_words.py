"""The words that a search compares."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.knowledge.words import (
    LONGEST_WORD,
    MOST_WORDS,
    content_words,
    fold,
    indexed,
    query_words,
    stems,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("deserturile", "deserturi"),
        ("Sarmalele", "sarmale"),
        ("rezervări", "REZERVARE"),
        ("șofer", "şoferul"),  # a comma below, and the cedilla of old keyboards
        ("copiilor", "copii"),
        ("bookings", "booked"),
        ("whitening", "whiten"),
        ("cafés", "cafe"),
    ],
)
def test_two_forms_of_a_word_are_one(one: str, other: str) -> None:
    assert set(stems(fold(one))) & set(stems(fold(other)))


@pytest.mark.parametrize(
    ("one", "other"), [("masa", "masaj"), ("carte", "cartofi"), ("tooth", "tools"), ("bar", "bear")]
)
def test_words_of_their_own_stay_apart(one: str, other: str) -> None:
    assert not set(stems(one)) & set(stems(other))


@pytest.mark.parametrize("text", ["Ce aveți?", "do you have it", "și sau", "?!", "", "   "])
def test_a_text_of_fillers_says_nothing(text: str) -> None:
    assert content_words(text) == []
    assert query_words(text) == {}


def test_a_query_is_bounded() -> None:
    many = query_words(" ".join(f"w{number}" for number in range(1_000)))
    (long,) = query_words("x" * 1_000_000)

    assert len(many) == MOST_WORDS
    assert all(len(stem) <= LONGEST_WORD for stem in stems(long))


@given(st.text())
def test_what_is_indexed_is_found_by_the_same_text(text: str) -> None:
    present = indexed(text).split()

    assert all(set(group) <= set(present) for group in query_words(text).values())
