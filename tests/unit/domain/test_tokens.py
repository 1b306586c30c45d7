"""The estimate of tokens: never too low for what it was checked against, and quick to cut by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.tokens import estimate_tokens, truncate

# Of a parallel text (FLORES-200): characters, bytes in UTF-8, and the tokens of two vocabularies,
# cl100k_base and LLaMA, as Petrov et al. (2023) publish them.
PUBLISHED = {
    "Romanian": (291_717, 307_925, 99_201, 103_046),
    "English": (259_170, 259_396, 52_835, 60_621),
    "Hungarian": (272_675, 299_608, 113_411, 108_536),
    "Ukrainian": (265_408, 483_479, 158_296, 104_477),
}


@pytest.mark.parametrize("language", PUBLISHED)
def test_the_estimate_is_above_what_models_count_and_not_by_far(language: str) -> None:
    characters, octets, *counted = PUBLISHED[language]
    text = "ă" * (octets - characters) + "a" * (2 * characters - octets)

    assert max(counted) < estimate_tokens(text) < 2 * min(counted) + 0.4 * max(counted)


@pytest.mark.parametrize(("text", "tokens"), [("", 1), ("a" * 10, 5), ("ă", 2), ("😀😀", 5)])
def test_a_character_counts_by_its_bytes(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == tokens


@given(st.text(), st.text())
def test_more_text_is_never_fewer_tokens(one: str, other: str) -> None:
    assert estimate_tokens(one + other) >= max(estimate_tokens(one), estimate_tokens(other))


@given(st.text(max_size=2_000), st.integers(10, 300))
def test_what_is_cut_fits_and_what_fits_is_not_cut(text: str, max_tokens: int) -> None:
    shorter = truncate(text, max_tokens)

    assert estimate_tokens(shorter) <= max_tokens
    assert shorter == text or estimate_tokens(text) > max_tokens
    assert shorter == text or text.startswith(shorter.removesuffix("…"))


def test_a_text_of_a_megabyte_is_cut_quickly() -> None:
    assert estimate_tokens(truncate("😀" * 1_000_000, 500)) <= 500
