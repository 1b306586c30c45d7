"""What answers claim: a human's help, and deeds; and what only sounds like it (rule 10)."""

import re
import time
import unicodedata
from collections.abc import Callable

import pytest

from domain.promise import ANY_CLAIM, NO_CLAIMS, Claims, Verdict, possible_claims, sure_claims
from domain.promise_weights import LEARNED_FROM
from domain.promise_words import WORDS
from tests.promise_weights import digest_of, examples
from tests.unit.domain import promises
from tests.unit.test_promise_corpus import TUNED

PROMISES = [
    "Vă transfer la un coleg.",
    "Vă transfer acum către un operator uman.",
    "Te conectez imediat cu un coleg!",
    "Vă pun în legătură cu un coordonator.",
    "Vă voi transfera unui coleg.",
    "O să vă conectez cu un agent.",
    "Urmează să vă redirecționez către un operator.",
    "Am cerut unui coleg să vă ajute.",
    "Am anunțat un consultant.",
    "Un coleg va prelua conversația în câteva minute.",
    "Un coleg vă va contacta în curând.",
    "Va transfer la un coleg.",  # as many write it
    "VĂ TRANSFER LA UN COLEG",
    "Nu pot rezolva asta, vă transfer la un coleg.",
    "Îmi pare rău. Nu știu răspunsul. Vă transfer la un coleg. O zi bună!",
    "Vă transfer acum.",
    "I'm transferring you to a human agent.",
    "I\N{RIGHT SINGLE QUOTATION MARK}m transferring you to a colleague now.",
    "I am now connecting you with a representative.",
    "I'll transfer you to an operator.",
    "I will connect you with a human colleague.",
    "I will hand you over to a person.",
    "Let me connect you with a human agent.",
    "Connecting you to an agent…",
    "I've asked a colleague to take over.",
    "I have notified the team.",
    "I've escalated this to our team.",
    "A colleague will take over shortly.",
    "An agent will be with you in a moment.",
    "I can see the problem, so I'm transferring you to a colleague.",
    "I can't answer that so I'm transferring you to a colleague.",
    "Transferring you now. Please hold.",
    "Chem acum un coleg să vă ajute.",
    "Cineva din echipa noastră vă va suna astăzi.",
    "Let me transfer you to one of our specialists",
    "Someone will call you back today.",
    '"I am transferring you to a colleague."',
]

NO_PROMISES = [
    "",
    "Bună! Cu ce vă pot ajuta?",
    # offers
    "Dacă doriți, vă transfer la un coleg.",
    "Pot să vă transfer la un coleg.",
    "Vă pot transfera la un coleg oricând.",
    "Aș putea să vă conectez cu un operator.",
    "Spuneți-mi dacă vreți să vă transfer la un coleg.",
    "If you wish, I'll transfer you to a colleague.",
    "I can transfer you to a human agent.",
    "I could connect you with a colleague.",
    "I'll transfer you to a colleague if you like.",
    # questions
    "Vă transfer la un coleg?",
    "Vreți să vă conectez cu un operator?",
    "Should I connect you with an agent?",
    "Shall I transfer you to a colleague?",
    "Would you like me to connect you with a human?",
    # negations
    "Nu vă transfer la un coleg.",
    "Nu vă pot transfera la un operator.",
    "Nu am cerut unui coleg nimic.",
    "Nu o să vă transfer la un coleg.",
    "I can't transfer you to a human.",
    "I'm not transferring you to a colleague.",
    "I am unable to connect you with an agent.",
    "I won't be transferring you to an agent.",
    "I haven't asked a colleague yet.",
    "No agent will contact you.",
    "Niciun coleg nu va prelua conversația.",
    # quotes and reported speech
    'Ați scris: "Vă transfer la un coleg".',
    "Mesajul era „vă transfer la un operator”, nu-i așa.",
    'You wrote "I am transferring you to a human" yesterday.',
    "You said I'm transferring you to an agent.",
    "Ați spus că vă transfer la un coleg.",
    # of humans, and nothing of the kind
    "Colegii noștri lucrează de luni până vineri.",
    "Un coleg v-a ajutat ieri.",
    "Am cerut agenției de turism lista.",
    "Our agents are here from 9 to 5.",
    "I have asked for one more person at your table.",
    "I'm transferring your deposit to the new booking.",
    "Vă transfer rezervarea pe mâine.",
    "I will pass this on.",
    "The operator of the boat speaks English.",
]


DEEDS = {
    "ro": "Ti-am anulat rezervarea de vineri.",
    "en": "I've cancelled your booking for Friday.",
    "de": "Ich habe Ihre Reservierung für Freitag storniert.",
    "fr": "J'ai annulé votre réservation de vendredi.",
    "hu": "Töröltem a pénteki foglalását.",
    "it": "Ho annullato la sua prenotazione di venerdì.",
    "es": "He cancelado su reserva del viernes.",
    "uk": "Я скасувала ваше бронювання на п'ятницю.",
}
DEMANDING = [
    "am " * 10_700,
    "coleg " * 5_300,
    "coleg de " * 3_500 + "?",
    '"' * 32_000,
    "„a" * 16_000,
    "not can if ," * 2_600,
    "a" * 32_000,
    "a" * 31_000 + " @",
    "a." * 15_500 + " @ www.",
    "d'" * 16_000,
    "1." * 16_000,
    "x@" * 16_000,
    "x.y " * 8_000,
    "www." * 8_000,
    "(," * 16_000,
    ". " * 16_000,
    "a. " * 10_600,
    "colleague you " * 2_200,
    "as soon as " * 2_900,
    "I've, " * 5_300,
    "\u0316\u0300" * 16_000,
    "a\u0316\u0300" * 10_600,
]
"""Texts of some 32,000 characters, hard for a pattern that goes back and forth."""


_is_english = re.compile(
    r"\b(?:the|you|i|your|our|my|to|is|agent|colleague)\b", re.IGNORECASE
).search


def language_of(text: str) -> str:
    return "en" if _is_english(text) else "ro"


@pytest.mark.parametrize("text", [*PROMISES, *promises.PROMISES])
def test_a_promise_of_a_human_is_recognised(text: str) -> None:
    assert sure_claims(text, language_of(text)).human
    assert possible_claims(text, language_of(text)).human


@pytest.mark.parametrize("text", [*NO_PROMISES, *promises.NO_PROMISES])
def test_what_only_speaks_of_humans_promises_none(text: str) -> None:
    assert not sure_claims(text, language_of(text)).human


@pytest.mark.parametrize("language", DEEDS)
def test_a_claimed_deed_is_one_and_promises_no_human(language: str) -> None:
    assert sure_claims(DEEDS[language], language) == Claims(deed=True)
    assert possible_claims(DEEDS[language], language).deed


@pytest.mark.parametrize(
    "text",
    [
        "Pot să anulez rezervarea?",
        "Dacă doriți, anulez rezervarea.",
        "Nu am anulat nimic.",
        "Văd în sistem că rezervarea este confirmată.",
        "Ați scris „am anulat rezervarea”.",
        "Ați spus că ați anulat rezervarea.",
        "„Am anulat rezervarea” – când ați scris asta?",
    ],
)
def test_what_is_offered_denied_looked_up_or_quoted_is_no_deed(text: str) -> None:
    assert not sure_claims(text, "ro")


def test_asking_a_colleague_promises_a_human_and_is_no_other_deed() -> None:
    assert sure_claims("Am cerut unui coleg să vă ajute.", "ro") == Claims(human=True)
    assert sure_claims("I have asked a colleague.", "en") == Claims(human=True)


@pytest.mark.parametrize("text", ["Rezerwacja została anulowana.", "Dzień dobry!", "Tak."])
def test_in_a_language_without_words_anything_may_be_a_claim_and_nothing_surely_is(
    text: str,
) -> None:
    assert possible_claims(text, "pl") == ANY_CLAIM
    assert sure_claims(text, "pl") == NO_CLAIMS


def test_a_region_changes_nothing() -> None:
    assert possible_claims(DEEDS["de"], "de-AT").deed
    assert possible_claims(DEEDS["de"], "DE").deed


@pytest.mark.parametrize("language", DEEDS)
def test_an_answer_in_another_language_than_the_conversations_is_read_in_its_own(
    language: str,
) -> None:
    text = {
        "en": "I have cancelled your order, and the money will be back on your card.",
        "ro": "Am anulat comanda dumneavoastră și banii vor fi pe card în trei zile.",
    }["en" if language == "ro" else "ro"]

    assert possible_claims(text, language).deed


def test_an_answer_in_an_unknown_language_may_be_a_claim_whatever_the_conversations_is() -> None:
    text = "Rezerwacja została właśnie anulowana, pieniądze wrócą jutro wieczorem kartą"

    assert possible_claims(text, "ro") == ANY_CLAIM


@pytest.mark.parametrize(
    "form",
    [
        str.upper,
        lambda text: text.replace("Ț", "Ţ"),
        lambda text: unicodedata.normalize("NFD", text),
    ],
)
def test_case_and_spelling_of_diacritics_make_no_difference(form: Callable[[str], str]) -> None:
    assert sure_claims(form("Ți-am anulat comanda."), "ro").deed
    assert sure_claims(form("Va contacteaza un coleg."), "ro").human


@pytest.mark.parametrize("language", ["ro", "en", "fr"])
def test_a_long_answer_is_looked_through_in_bounded_time(language: str) -> None:
    slowest = 0.0
    for text in DEMANDING:
        started = time.process_time()
        possible_claims(text, language)
        sure_claims(text, language)
        slowest = max(slowest, time.process_time() - started)

    assert slowest < 1.0


@pytest.mark.parametrize("language", WORDS)
def test_no_word_stands_in_two_groups(language: str) -> None:
    groups: dict[str, set[str]] = {}
    for group, entries in WORDS[language].items():
        for entry in entries.split():
            groups.setdefault(entry, set()).add(group)

    assert {entry: found for entry, found in groups.items() if len(found) > 1} == {}


@pytest.mark.parametrize("language", WORDS)
def test_an_entry_of_several_words_is_whole_words(language: str) -> None:
    entries = " ".join(WORDS[language].values()).split()

    assert [entry for entry in entries if re.search(r"[-_].*\*|\*.*[-_]|\+.", entry)] == []


def test_a_claim_is_found_among_any_number_of_ordinary_sentences() -> None:
    ordinary = "Breakfast is from 7 to 10. Do you have a parking space? We have a sauna too.\n"

    assert not possible_claims(ordinary, "en")
    for text in ("A colleague will call you today.", "Your table is now booked."):
        assert possible_claims(ordinary * 50 + text + "\n" + ordinary * 50, "en")


def test_the_weights_were_learned_from_the_corpus_and_the_words_as_they_are() -> None:
    assert digest_of(examples(TUNED)) == LEARNED_FROM, "`make promise-weights`"


def test_what_is_sure_is_possible_too() -> None:
    texts = [(answer["text"], answer["language"]) for answer in TUNED]

    assert [
        text for text, language in texts
        if sure_claims(text, language) and not possible_claims(text, language)
    ] == []  # fmt: skip


def test_a_verdict_says_which_claims_there_are() -> None:
    assert {verdict: verdict.claims for verdict in Verdict} == {
        Verdict.NONE: NO_CLAIMS,
        Verdict.HUMAN: Claims(human=True),
        Verdict.DEED: Claims(deed=True),
        Verdict.BOTH: ANY_CLAIM,
    }
