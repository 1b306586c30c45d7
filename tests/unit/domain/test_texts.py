"""The server's own texts: their wording, and which of them promise a human.

A change of their wording breaks the first test here and no other.
"""

import json
from datetime import datetime
from itertools import chain
from pathlib import Path

import pytest

from domain.dates import day_and_time
from domain.language import NOTICE_LANGUAGES
from domain.promise import sure_claims
from domain.texts import PLACEHOLDERS, Text, localized, wording_problems

WORDING: dict[str, dict[str, str]] = json.loads(Path(__file__).with_name("texts.json").read_text())
PROMISING = {Text.REQUESTED, Text.APOLOGY_REQUESTED, Text.UNAVAILABLE_REQUESTED}
NAMING = [Text.JOINED, Text.REQUEUED, Text.COORDINATOR_AWAY]
ABOUT_A_REQUEST = {
    Text.UNREACHABLE,
    Text.REACHED,
    Text.REFUSED,
    Text.MESSAGE_KEPT,
    Text.REQUEUED,
    Text.COORDINATOR_AWAY,
}


@pytest.mark.parametrize("language", NOTICE_LANGUAGES)
def test_the_texts_are_worded_so(language: str) -> None:
    texts = {
        text: localized(
            language,
            text,
            who="Ana",
            until="Monday",
            contact="021 555 0100",
            what="Masă: 4 persoane",
        )
        for text in Text
    }

    assert texts == WORDING[language]


def test_every_text_exists_in_every_language() -> None:
    texts = [localized(language, text) for language in NOTICE_LANGUAGES for text in Text]

    assert [*WORDING] == [*NOTICE_LANGUAGES]
    shared = 2  # English, Italian and Spanish have one word for no
    assert len(set(texts)) == len(NOTICE_LANGUAGES) * len(Text) - shared
    assert not any("{" in text or "}" in text for text in texts)


@pytest.mark.parametrize("language", NOTICE_LANGUAGES)
def test_only_who_comes_and_goes_is_named_in_every_language(language: str) -> None:
    named = [text for text in Text if "Zoë {}" in localized(language, text, who="Zoë {}")]

    assert named == NAMING


@pytest.mark.parametrize("language", NOTICE_LANGUAGES)
def test_a_nameless_coordinator_is_a_colleague(language: str) -> None:
    colleague = localized(language, Text.COLLEAGUE)

    for text in NAMING:
        assert localized(language, text) == localized(language, text, who=colleague)
        assert localized(language, text)[0].isupper()


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
def test_that_nobody_is_there_promises_nobody(language: str) -> None:
    until = day_and_time(datetime(2026, 11, 30, 9), language)
    texts = (Text.NOBODY, Text.BACK_AT, Text.LEAVE_MESSAGE, Text.NOT_OFFERED)
    said = " ".join([localized(language, text, until=until) for text in texts])

    assert not sure_claims(said, language)


@pytest.mark.parametrize("language", NOTICE_LANGUAGES)
@pytest.mark.parametrize("text", [Text.NOT_DONE, Text.NOT_DONE_ALONE, Text.NOT_ASKED])
def test_what_takes_a_claim_back_claims_nothing(language: str, text: Text) -> None:
    assert not sure_claims(localized(language, text), language)


@pytest.mark.parametrize("language", NOTICE_LANGUAGES)
def test_a_time_and_an_address_are_named_in_every_language(language: str) -> None:
    texts = {text: localized(language, text, until="{x}", contact="{y}") for text in Text}

    assert [text for text in Text if "{x}" in texts[text]] == [Text.BACK_AT]
    assert [text for text in Text if "{y}" in texts[text]] == [Text.TURN_TO]
    assert {key: name for key, name in PLACEHOLDERS.items() if name != "what"} == {
        **dict.fromkeys(NAMING, "who"),
        Text.BACK_AT: "until",
        Text.TURN_TO: "contact",
    }


@pytest.mark.parametrize("language", NOTICE_LANGUAGES)
def test_what_a_tool_does_is_named_in_every_language(language: str) -> None:
    texts = {text: localized(language, text, what="{z}") for text in Text}

    naming = [text for text, name in PLACEHOLDERS.items() if name == "what"]
    assert [text for text in Text if "{z}" in texts[text]] == naming


@pytest.mark.parametrize(
    ("tag", "text", "shown"),
    [
        ("de-AT", Text.REQUESTED, "Moment!"),
        ("de", Text.JOINED, "Hier ist Ana."),
        ("pl", Text.REQUESTED, "Chwileczkę."),
        ("pl", Text.JOINED, "Ana has joined the conversation."),
        ("ro", Text.REQUESTED, localized("ro", Text.REQUESTED)),
    ],
)
def test_a_business_s_own_wording_comes_first_and_in_languages_that_have_no_texts_too(
    tag: str, text: Text, shown: str
) -> None:
    words = {
        "de": {"requested": "Moment!", "joined": "Hier ist {who}."},
        "pl": {"requested": "Chwileczkę."},
    }

    assert wording_problems(words) == []
    assert localized(tag, text, words, who="Ana") == shown


def test_a_business_s_own_word_for_a_colleague_stands_in_its_own_and_in_our_texts() -> None:
    words = {"en": {"colleague": "Somebody of the crew"}}

    joined = localized("en", Text.JOINED, words)

    assert joined == "Somebody of the crew has joined the conversation."


@pytest.mark.parametrize(
    ("language", "key", "wording", "problem"),
    [
        ("DE", "joined", "Da.", "DE: must be a language in lower case"),
        ("de", "hello", "Da.", "de.hello: is no text of the server: use one of requested, "),
        ("de", "joined", " \n", "de.joined: must be 1-1000 characters of plain text"),
        ("de", "joined", "x" * 1_001, "de.joined: must be 1-1000 characters of plain text"),
        ("de", "joined", "a\x00b", "de.joined: must be 1-1000 characters of plain text"),
        ("de", "joined", "{until} da", "has the placeholder {until}; there may be {who} alone"),
        ("de", "closed", "{who} geht", "has the placeholder {who}; there may be none"),
        ("de", "closed", "{} geht", "has the placeholder {}; there may be none"),
        ("de", "joined", "{who.__class__}", "has the placeholder {who.__class__}"),
        ("de", "joined", "{who!r}", "has the placeholder {who}; there may be {who} alone"),
        ("de", "joined", "{who:>9}", "has the placeholder {who}; there may be {who} alone"),
        ("de", "joined", "{who", "de.joined: has a brace without its other"),
    ],
)
def test_a_wording_that_cannot_be_used_is_named(
    language: str, key: str, wording: str, problem: str
) -> None:
    (found,) = wording_problems({language: {key: wording}})

    assert problem in found


@pytest.mark.parametrize("language", NOTICE_LANGUAGES)
def test_what_ends_an_answer_that_is_too_long_claims_nothing_for_sure(language: str) -> None:
    assert not sure_claims(localized(language, Text.ANSWER_CUT), language)


def test_a_business_may_not_ask_for_a_yes_without_saying_to_what() -> None:
    words = {"ro": {"confirm": "Sunteți de acord?"}, "en": {"write_done": "Done: {what}"}}

    (problem,) = wording_problems(words)
    assert problem.startswith("ro.confirm: must have {what}")
