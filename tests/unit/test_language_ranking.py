"""The languages of short texts, detected by the real library.

`short_texts.json` has two halves: what counts as sure was chosen with the first, and not changed
after the second was written.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from time import process_time
from typing import Any

import pytest

from adapters.language_ranking import language_ranking, no_ranking
from domain.language import NOTICE_LANGUAGES, language_detector

TEXTS: dict[str, dict[str, Any]] = json.loads(
    Path(__file__).with_name("short_texts.json").read_text()
)
WITHOUT_DIACRITICS = [
    "vreau sa rezerv o masa pentru diseara",
    "as vrea sa anulez rezervarea",
    "mai aveti bilete pentru sambata",
    "la ce ora deschideti maine?",
    "Aş dori să ştiu dacă aveţi locuri",
]

detect = language_detector(language_ranking(), "ro")


@pytest.mark.parametrize("half", TEXTS)
def test_no_short_text_is_taken_for_another_language_and_most_for_their_own(half: str) -> None:
    found = {
        (language, detect(text, None))
        for language, texts in TEXTS[half]["languages"].items()
        for text in texts
    }
    right = [
        detect(text, None) == language
        for language, texts in TEXTS[half]["languages"].items()
        for text in texts
    ]

    assert {detected for language, detected in found} == {*NOTICE_LANGUAGES, None}
    assert [pair for pair in found if pair[1] not in (pair[0], None)] == []
    assert sum(right) / len(right) > 0.85


@pytest.mark.parametrize("half", TEXTS)
def test_a_change_is_never_to_a_wrong_language(half: str) -> None:
    found = [
        (text, detected)
        for language, texts in TEXTS[half]["languages"].items()
        for text in texts
        for known in NOTICE_LANGUAGES
        if (detected := detect(text, known)) not in (language, None)
    ]

    assert found == []


@pytest.mark.parametrize("half", TEXTS)
def test_letters_of_the_known_language_spare_the_ranking_and_change_nothing(half: str) -> None:
    texts = [text for texts in TEXTS[half]["languages"].values() for text in texts]
    texts += TEXTS[half]["no_language"] + TEXTS[half]["other_languages"]
    ranked = []

    def rank(text: str) -> Sequence[tuple[str, float]]:
        ranked.append(text)
        return language_ranking()(text)

    spared = language_detector(rank, "ro")
    # With an own language of which no letters are known, none is spared.
    always = language_detector(language_ranking(), "tlh")
    found = [
        (text, known)
        for text in texts
        for known in NOTICE_LANGUAGES
        if spared(text, known) != always(text, known)
    ]

    assert found == []
    assert len(ranked) < len(texts) * len(NOTICE_LANGUAGES)


@pytest.mark.parametrize(("half", "mistaken"), [("tuned", 0), ("held", 1)])
def test_names_numbers_thanks_and_products_show_no_language(half: str, mistaken: int) -> None:
    found = [text for text in TEXTS[half]["no_language"] if detect(text, None) is not None]

    assert len(found) <= mistaken  # a list of three dishes is Italian
    assert [text for text in TEXTS[half]["no_language"] if detect(text, "ro")] == []


@pytest.mark.parametrize("half", TEXTS)
def test_texts_in_other_languages_are_in_none_of_these(half: str) -> None:
    assert [text for text in TEXTS[half]["other_languages"] if detect(text, None)] == []


@pytest.mark.parametrize("text", WITHOUT_DIACRITICS)
def test_romanian_is_recognised_without_its_diacritics(text: str) -> None:
    assert detect(text, None) == "ro"


def test_a_businesss_own_language_is_recognised_where_the_library_knows_it() -> None:
    portuguese = language_detector(language_ranking(), "pt-BR")

    assert portuguese("quanto custa um quarto duplo", None) == "pt-BR"
    assert language_detector(language_ranking(), "tlh")(WITHOUT_DIACRITICS[0], None) == "ro"


@pytest.mark.parametrize(
    "text",
    ["a", "Guten Tag ", "ăî ", "a.b", "x ", "\u0301", "\ud800 ", "\x00 ", "👩‍👩‍👧 ", "字"],
    ids=ascii,
)
def test_a_hostile_text_of_32_000_characters_costs_little(text: str) -> None:
    hostile = (text * 32_000)[:32_000]
    begun = process_time()
    for _ in range(10):
        detect(hostile, None)

    assert process_time() - begun < 0.1


def test_without_a_ranking_nothing_is_detected() -> None:
    assert language_detector(no_ranking, "ro")(WITHOUT_DIACRITICS[0], None) is None
