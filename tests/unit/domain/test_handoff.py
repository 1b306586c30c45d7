"""The rules of the hand-off: topics, requests in words, and where else to turn."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from domain.handoff import Availability, contact_in, is_about
from domain.human_request import asks_for_human
from domain.promise import sure_claims
from domain.texts import NO_WORDS, Text

BACK = datetime(2026, 11, 30, 9, tzinfo=ZoneInfo("Europe/Bucharest"))


@pytest.mark.parametrize(
    ("topic", "text"),
    [
        ("factură", "Unde sunt FACTURILE mele?"),
        ("factura", "Nu am primit factură."),
        ("alergie", "Am alergii la nuci"),
        ("reclam*", "Vreau să fac o reclamație!"),
        ("plângere", "Am o plangere de facut"),
        ("obiect pierdut", "Am un obiect  pierdut la voi"),
        ("obiect pierdut", "obiecte-pierdute"),
        ("gaz", "miroase a gaz"),
        ("Beschwerde", "Ich habe zwei Beschwerden"),
        ("скарга", "У мене скарги"),
    ],
)
def test_a_topic_is_found_with_other_endings_diacritics_and_case(topic: str, text: str) -> None:
    assert is_about(text, ("nimic", topic))


@pytest.mark.parametrize(
    ("topic", "text"),
    [
        ("gaz", "o gazdă bună"),
        ("gen", "un agent"),
        ("avocat", "o salată cu avocado"),
        ("factura", "manufactura"),
        ("obiect pierdut", "un obiect, apoi altul pierdut"),
        ("reclam", "o reclamantissima"),
        ("", "orice"),
        ("...", "orice..."),
        ("(?=", "orice (?="),
    ],
)
def test_a_topic_is_found_in_whole_words_alone_and_a_phrase_in_a_row(topic: str, text: str) -> None:
    assert not is_about(text, (topic,))


def test_without_topics_nothing_is_one() -> None:
    assert not is_about("orice", ())


@pytest.mark.parametrize(
    "text",
    [
        "Vreau să vorbesc cu un om real",
        "as vrea un operator",
        "I want to speak to a human",
        "Ich möchte mit einem Menschen sprechen",
        "Je voudrais parler à une personne",
        "Élő emberrel szeretnék beszélni",
        "Vorrei parlare con un operatore",
        "Quiero hablar con una persona",
        "Хочу поговорити з оператором",
        "agent",
    ],
)
def test_a_request_for_a_human_is_recognised_in_the_languages_of_the_notices(text: str) -> None:
    assert asks_for_human(text)


@pytest.mark.parametrize(
    "text",
    ["Aveți parcare?", "What are your hours?", "Wo kann ich parken?", "Sunt patru persoane"],
)
def test_a_question_is_no_request_for_a_human(text: str) -> None:
    assert not asks_for_human(text)


@pytest.mark.parametrize(
    ("availability", "opening", "text"),
    [
        (
            Availability(is_there=False, returns_at=BACK),
            Text.NOBODY,
            "În acest moment nu este niciun coleg aici. "
            "Colegii mei sunt din nou aici luni, 30 noiembrie, ora 9:00. "
            "Puteți lăsa aici un mesaj pentru colegii mei, cel mai bine cu un număr de telefon sau "
            "o adresă de e-mail.",
        ),
        (
            Availability(is_offered=False, contact="telefon: 021"),
            Text.NOT_OFFERED,
            "În acest chat nu pot chema un coleg. Ne puteți contacta așa: telefon: 021.",
        ),
        (
            Availability(is_offered=False),
            Text.NOT_OFFERED,
            "În acest chat nu pot chema un coleg.",
        ),
    ],
)
def test_why_no_human_comes_is_said_and_what_to_do_instead(
    availability: Availability, opening: Text, text: str
) -> None:
    said = availability.text("ro", NO_WORDS, opening)

    assert said == text
    assert not sure_claims(said, "ro").human


def test_the_facts_about_how_to_reach_a_business_are_its_contact() -> None:
    facts = {"program": "9-22", "telefon": "021 555 0100.", "E-mail": "a@b.ro", "meniu": "supe"}

    assert contact_in(facts) == "telefon: 021 555 0100; E-mail: a@b.ro"
    assert contact_in({"phone": "x" * 500}) == ""
