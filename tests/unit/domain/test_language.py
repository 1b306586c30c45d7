"""Tags, names, and what counts as sure evidence of a customer's language."""

from collections.abc import Sequence

import msgspec
import pytest
from msgspec.structs import replace

from domain.identity import MessageId
from domain.language import (
    MAX_DETECTION_CHARS,
    NOTICE_LANGUAGES,
    language_detector,
    language_name,
    language_tag,
    lookup,
)
from domain.message import Author, Message
from domain.session import Session
from tests.unit.domain.makers import at, new_session


class Ranker:
    """Ranks languages by a script, and remembers the texts."""

    def __init__(self, **ranking: float) -> None:
        self._ranking = ranking
        self.texts: list[str] = []

    def __call__(self, text: str) -> Sequence[tuple[str, float]]:
        self.texts.append(text)
        return [*self._ranking.items()]


def detected(
    text: str, known: str | None = None, business: str = "ro", **ranking: float
) -> str | None:
    """Return the language of a text of which the ranking is this."""
    return language_detector(Ranker(**ranking), business)(text, known)


THREE, FIVE = "eins zwei drei", "eins zwei drei vier fünf"


# The examples of RFC 4647, section 3.4, and what businesses write.
@pytest.mark.parametrize(
    ("tag", "available", "found"),
    [
        ("zh-Hant-CN-x-private1-private2", {"zh-hant-cn", "zh"}, "zh-hant-cn"),
        ("zh-Hant-CN-x-private1-private2", {"zh-hant", "zh"}, "zh-hant"),
        ("zh-Hant-CN-x-private1", {"zh-hant-cn-x"}, None),
        ("de-AT", NOTICE_LANGUAGES, "de"),
        ("DE", NOTICE_LANGUAGES, "de"),
        ("pt-BR", NOTICE_LANGUAGES, None),
        ("den", NOTICE_LANGUAGES, None),
        ("x-de", NOTICE_LANGUAGES, None),
        ("", NOTICE_LANGUAGES, None),
        ("-", NOTICE_LANGUAGES, None),
    ],
)
def test_a_tag_is_looked_up_from_its_end(
    tag: str, available: Sequence[str], found: str | None
) -> None:
    assert lookup(tag, available) == found


def test_all_languages_of_the_notices_have_names() -> None:
    assert all(language_name(language).isalpha() for language in NOTICE_LANGUAGES)
    assert len({*map(language_name, NOTICE_LANGUAGES)}) == len(NOTICE_LANGUAGES)


@pytest.mark.parametrize(
    ("known", "text", "share", "language"),
    [
        (None, THREE, 0.75, "de"),
        (None, THREE, 0.65, None),
        (None, "eins zwei", 1.0, None),
        ("en", FIVE, 0.95, "de"),
        ("en", FIVE, 0.85, None),
        ("en", "eins zwei drei vier", 1.0, None),
    ],
    ids=["sure", "not sure", "short", "sure change", "not so sure a change", "short change"],
)
def test_a_change_needs_more_evidence_than_the_first_language(
    known: str | None, text: str, share: float, language: str | None
) -> None:
    assert detected(text, known, de=share, en=1 - share) == language


def test_the_known_language_is_no_news() -> None:
    assert detected(FIVE, "de", de=1.0) is None
    assert detected(FIVE, "de-AT", de=1.0) is None


@pytest.mark.parametrize(
    ("ranking", "language"),
    [
        ({"pt": 0.7, "es": 0.3}, None),
        ({"pt": 0.5, "es": 0.5}, "es"),
        ({"pt": 1.0}, None),
        ({}, None),
    ],
)
def test_a_text_in_another_language_is_in_none_of_these(
    ranking: dict[str, float], language: str | None
) -> None:
    assert language_detector(Ranker(**ranking), "ro")(THREE, None) == language


def test_the_language_that_a_client_names_is_the_customers_until_they_show_another() -> None:
    detect = language_detector(Ranker(de=1.0), "ro", "fr-CA")

    assert detect("eins zwei", None) == "fr-CA"
    assert detect(THREE, None) == "de"
    assert detect(THREE, "fr-CA") is None
    assert detect(FIVE, "fr-CA") == "de"


def test_a_client_that_names_the_businesss_own_language_says_nothing_new() -> None:
    assert language_detector(Ranker(), "ro", "ro-MD")("da", None) is None


@pytest.mark.parametrize(
    ("named", "tag"),
    [
        ("en", "en"),
        ("pt-BR", "pt-BR"),
        ("zh-Hant-TW", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("de-DE-1996", "de-DE"),
        ("en-obeying-what-i-say", "en"),
        ("en-x-anything", "en"),
        ("romanian", None),
        ("en_US", None),
        ("C", None),
        ("", None),
        ("en" * 20, None),
        (None, None),
    ],
)
def test_of_what_a_client_names_language_script_and_region_are_kept(
    named: str | None, tag: str | None
) -> None:
    assert language_tag(named) == tag


def test_the_businesss_own_language_is_detected_too_and_gets_its_tag() -> None:
    assert detected(THREE, business="pt-BR", pt=0.9, es=0.1) == "pt-BR"
    assert detected(THREE, business="de-AT", de=1.0) == "de-AT"
    assert detected(THREE, business="de-AT", fr=1.0) == "fr"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12345 67890 +40722 10:30",
        "ana@example.com https://example.com/eins/zwei/drei www.example.com",
        "🙂 🙂 🙂 👍 !!! ...",
        "Maria Elena Ionescu",
        "Strada Mihai Eminescu 12 bis",
        "AB-12345/2026 Samsung S24 Ultra",
    ],
)
def test_numbers_addresses_signs_and_names_show_no_language(text: str) -> None:
    rank = Ranker(de=1.0)

    assert language_detector(rank, "ro")(text, None) is None
    assert rank.texts == []


def test_what_is_shouted_is_no_name() -> None:
    assert detected("ICH WILL EINEN MENSCHEN SPRECHEN", de=1.0) == "de"


@pytest.mark.parametrize(
    "value",
    [
        Message(
            seq=1,
            message_id=MessageId("m1"),
            author=Author.USER,
            text="Guten Tag",
            at=at(),
            language="de",
        ),
        replace(new_session(), language="de"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_versions_with_and_without_the_language_read_what_the_other_stores(
    value: Message | Session,
) -> None:
    stored = msgspec.to_builtins(value)
    later = msgspec.convert(stored | {"later": 1}, type(value))
    before = {name: held for name, held in stored.items() if name != "language"}

    assert later == value
    assert msgspec.convert(before, type(value)) == replace(value, language=None)
    assert "language" not in msgspec.to_builtins(replace(value, language=None))


def test_only_the_beginning_of_a_text_is_looked_at() -> None:
    rank = Ranker(de=1.0)
    language_detector(rank, "ro")("wort " * 8_000, None)

    assert [len(text) <= MAX_DETECTION_CHARS for text in rank.texts] == [True]
