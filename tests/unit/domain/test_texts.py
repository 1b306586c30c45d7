"""The server's own texts: their wording, and which of them promise a human.

A change of their wording breaks the first test here and no other.
"""

import json
from itertools import chain
from pathlib import Path

import pytest

from domain.language import NOTICE_LANGUAGES
from domain.promise import sure_claims
from domain.texts import Text, localized

WORDING: dict[str, dict[str, str]] = json.loads(Path(__file__).with_name("texts.json").read_text())
PROMISING = {Text.REQUESTED, Text.APOLOGY_REQUESTED, Text.UNAVAILABLE_REQUESTED}
ABOUT_A_REQUEST = {Text.UNREACHABLE, Text.REACHED, Text.REFUSED}


@pytest.mark.parametrize("language", NOTICE_LANGUAGES)
def test_the_texts_are_worded_so(language: str) -> None:
    assert {text: localized(language, text, who="Ana") for text in Text} == WORDING[language]


def test_every_text_exists_in_every_language() -> None:
    texts = [localized(language, text) for language in NOTICE_LANGUAGES for text in Text]

    assert [*WORDING] == [*NOTICE_LANGUAGES]
    assert len(set(texts)) == len(NOTICE_LANGUAGES) * len(Text)
    assert not any("{" in text or "}" in text for text in texts)


@pytest.mark.parametrize("language", NOTICE_LANGUAGES)
def test_only_who_has_joined_is_named_in_every_language(language: str) -> None:
    named = [text for text in Text if "Zoë {}" in localized(language, text, who="Zoë {}")]

    assert named == [Text.JOINED]


@pytest.mark.parametrize("language", NOTICE_LANGUAGES)
def test_a_nameless_coordinator_is_a_colleague(language: str) -> None:
    colleague = localized(language, Text.COLLEAGUE)

    assert localized(language, Text.JOINED) == localized(language, Text.JOINED, who=colleague)


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("de", "de"),
        ("de-AT", "de"),
        ("DE-Latn-ch-1996", "de"),
        ("ro-x-shop", "ro"),
        ("pt-BR", "en"),
        ("dex", "en"),
        ("română", "en"),
        ("", "en"),
    ],
)
def test_a_tag_has_the_texts_of_its_language_and_an_unknown_one_the_english(
    tag: str, language: str
) -> None:
    assert localized(tag, Text.APOLOGY) == localized(language, Text.APOLOGY)


def test_all_texts_are_written_with_the_signs_of_their_language() -> None:
    texts = [*chain.from_iterable(WORDING[language].values() for language in NOTICE_LANGUAGES)]

    assert not any("'" in text or "..." in text or "  " in text for text in texts)
    assert not any(set("şţŞŢ") & {*text} for text in texts)


@pytest.mark.parametrize("language", ["ro", "en"])
def test_of_the_texts_those_that_promise_a_human_are_recognised(language: str) -> None:
    promising = {text for text in Text if sure_claims(localized(language, text), language).human}

    assert promising - ABOUT_A_REQUEST == PROMISING


@pytest.mark.parametrize("language", NOTICE_LANGUAGES)
def test_what_takes_a_deed_back_claims_none(language: str) -> None:
    assert not sure_claims(localized(language, Text.NOT_DONE), language)


@pytest.mark.parametrize("language", NOTICE_LANGUAGES)
def test_what_ends_an_answer_that_is_too_long_claims_nothing_for_sure(language: str) -> None:
    assert not sure_claims(localized(language, Text.ANSWER_CUT), language)
