"""A yes or a no in words: a whole message, and nothing else."""

import pytest

from domain.language import NOTICE_LANGUAGES
from domain.texts import Text, localized
from domain.yes_no import yes_or_no


@pytest.mark.parametrize("language", NOTICE_LANGUAGES)
def test_the_words_of_the_buttons_are_understood_in_every_language(language: str) -> None:
    assert yes_or_no(localized(language, Text.YES), language) is True
    assert yes_or_no(localized(language, Text.NO), language) is False


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Da!", "ro"),
        ("da, vă rog", "ro-MD"),
        ("DE ACORD.", "ro"),
        ("Yes, please", "en"),
        ("¡Sí!", "es"),
        ("Oui, s’il vous plaît", "fr"),
        ("Igen, kérem", "hu"),
        ("„Ja“", "de"),
        ("Sì, grazie", "it"),
        ("так", "uk"),
        ("👍🏽", "de"),
        ("yes", "pt-BR"),  # as the notices are English there
    ],
)
def test_a_yes_is_one_whatever_its_case_accents_and_punctuation(text: str, language: str) -> None:
    assert yes_or_no(text, language) is True


@pytest.mark.parametrize(
    ("text", "language"), [("Nu, mulțumesc", "ro"), ("NEIN!", "de"), ("Ні.", "uk"), ("👎", "en")]
)
def test_a_no_is_one(text: str, language: str) -> None:
    assert yes_or_no(text, language) is False


@pytest.mark.parametrize(
    "text",
    [
        "da, dar la opt",
        "da?",
        "da？",
        "ok 👎",
        "da ❌",
        "nu știu",
        "da nu",
        "dada",
        "dacă",
        "",
        "!",
        "da " * 20,
        "да",
        "yes",
        "si",
        "ja",
    ],
)
def test_what_says_more_or_is_of_another_language_is_neither(text: str) -> None:
    assert yes_or_no(text, "ro") is None
