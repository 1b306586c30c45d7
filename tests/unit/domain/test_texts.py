"""The server's own texts: their wording, and which of them promise a human.

A change of their wording breaks the first test here and no other.
"""

import json
from pathlib import Path

import pytest

from domain.promise import promises_transfer
from domain.texts import Text, localized

WORDING: dict[str, dict[str, str]] = json.loads(Path(__file__).with_name("texts.json").read_text())
PROMISING = {Text.REQUESTED, Text.APOLOGY_REQUESTED, Text.UNAVAILABLE_REQUESTED}
ABOUT_A_REQUEST = {Text.UNREACHABLE, Text.REACHED, Text.REFUSED}


@pytest.mark.parametrize("language", ["ro", "en"])
def test_the_texts_are_worded_so(language: str) -> None:
    assert {text: localized(language, text, who="Ana") for text in Text} == WORDING[language]


@pytest.mark.parametrize("language", ["ro", "en"])
def test_every_text_exists_in_every_language(language: str) -> None:
    texts = [localized(language, text) for text in Text]

    assert len(set(texts)) == len(Text)
    assert not any("{" in text for text in texts)
    assert not {*texts} & {localized("en" if language == "ro" else "ro", text) for text in Text}


def test_a_nameless_coordinator_is_a_colleague_and_an_unknown_language_romanian() -> None:
    colleague = localized("en", Text.COLLEAGUE)
    assert localized("en", Text.JOINED) == localized("en", Text.JOINED, who=colleague)
    assert localized("fr", Text.JOINED) == localized("ro", Text.JOINED)


@pytest.mark.parametrize("language", ["ro", "en"])
def test_of_the_texts_those_that_promise_a_human_are_recognised(language: str) -> None:
    promising = {text for text in Text if promises_transfer(localized(language, text))}

    assert promising - ABOUT_A_REQUEST == PROMISING
