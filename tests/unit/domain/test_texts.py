"""The server's own sentences: the one test that a change of their wording breaks."""

import json
from pathlib import Path

import pytest

from tests.support.texts import text_of

WORDING: dict[str, dict[str, str]] = json.loads(Path(__file__).with_name("texts.json").read_text())


@pytest.mark.parametrize(
    ("language", "key"), [(language, key) for language in WORDING for key in WORDING[language]]
)
def test_a_sentence_is_worded_so(language: str, key: str) -> None:
    assert text_of(key, language, who="Ana") == WORDING[language][key]


@pytest.mark.parametrize("language", WORDING)
def test_every_sentence_exists_in_every_language(language: str) -> None:
    sentences = [text_of(key, language) for key in WORDING["ro"]]

    assert len(set(sentences)) == len(WORDING["ro"])
    assert WORDING[language].keys() == WORDING["ro"].keys()
    assert not any("{" in sentence for sentence in sentences)


def test_a_nameless_coordinator_is_a_colleague_and_an_unknown_language_romanian() -> None:
    assert text_of("joined", "en") == text_of("joined", "en", who=text_of("colleague", "en"))
    assert text_of("joined", "fr") == text_of("joined", "ro")
