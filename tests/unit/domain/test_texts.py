"""The server's own texts: all there in both languages, and which of them promise a human."""

import pytest

from domain.promise import promises_transfer
from domain.texts import Text, localized

PROMISING = {Text.REQUESTED, Text.APOLOGY_REQUESTED, Text.UNAVAILABLE_REQUESTED}
ABOUT_A_REQUEST = {Text.UNREACHABLE, Text.REACHED, Text.REFUSED}


@pytest.mark.parametrize("language", ["ro", "en"])
def test_every_text_exists_in_every_language(language: str) -> None:
    texts = [localized(language, text) for text in Text]

    assert len(set(texts)) == len(Text)
    assert not any("{" in text for text in texts)
    assert not {*texts} & {localized("en" if language == "ro" else "ro", text) for text in Text}


def test_a_nameless_coordinator_is_a_colleague_and_an_unknown_language_romanian() -> None:
    assert localized("en", Text.JOINED) == "A colleague has joined the conversation."
    assert localized("fr", Text.JOINED) == "Un coleg s-a alăturat conversației."
    assert localized("ro", Text.JOINED, who="Ana") == "Ana s-a alăturat conversației."


@pytest.mark.parametrize("language", ["ro", "en"])
def test_of_the_texts_those_that_promise_a_human_are_recognised(language: str) -> None:
    promising = {text for text in Text if promises_transfer(localized(language, text))}

    assert promising - ABOUT_A_REQUEST == PROMISING
