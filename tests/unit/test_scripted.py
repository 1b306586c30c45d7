"""The demo assistant: what it recognises, what it answers, and that it is deterministic."""

import asyncio
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from adapters.memory.knowledge import MemoryKnowledge
from adapters.scripted import _PHRASES, ScriptedAssistant
from application.ports import Handoff, HandoffOutcome
from domain.business import Business
from domain.decisions import record_user_message
from domain.handoff import Availability
from domain.hours import OpeningHours, Shift
from domain.identity import customer
from domain.knowledge import Passage, excerpt
from domain.language import NOTICE_LANGUAGES
from domain.message import Message
from domain.promise import sure_claims
from domain.view import View
from tests.support.assistants import Said
from tests.support.businesses import DEMO_BUSINESSES
from tests.support.clock import VirtualClock
from tests.support.model_turns import UsedTools
from tests.unit.domain.makers import at, message_id, new_session

DEMO = {
    "ro": "(Sunt un asistent demonstrativ, fără inteligență artificială.)",
    "en": "(I am a demo assistant, without artificial intelligence.)",
    "de": "(Ich bin ein Demo-Assistent ohne künstliche Intelligenz.)",
    "uk": "(Це демонстраційний асистент без штучного інтелекту.)",
}
BISTRO, DENTAL = DEMO_BUSINESSES
NAMED = {
    "found": "{passage}",
    "offer": "{topics}",
    "hours": "{hours}",
    "other_dates": "{dates}",
    "opens": "{when}",
}
"""What is put into a phrase."""


class Demo:
    """One conversation with the demo assistant of a business."""

    def __init__(
        self,
        business: Business | None = BISTRO,
        *,
        language: str | None = None,
        passages: Sequence[Passage] = (),
        now: datetime | None = None,
    ) -> None:
        """`language`: the session's. `passages`: of the business's documents."""
        if business is not None and passages:
            business = replace(business, has_knowledge=True)
        self._business = business
        self._now = now or at()
        self._language = language
        self._customer = customer(business.business_id if business is not None else "b9", "u1")
        self._knowledge = MemoryKnowledge({self._customer.business_id: passages})
        self.handoff = Handoff(outcome=HandoffOutcome.REQUESTED)
        """What comes of a request for a human."""
        self.tools: UsedTools
        """Those of the last turn."""
        self.pieces: list[str] = []

    async def ask(self, *texts: str, delay_s: float = 0, **more: Any) -> str:
        """The answer to these messages together; `more`: fields of the view."""
        session = replace(new_session(), customer=self._customer, language=self._language)
        messages: list[Message] = []
        for text in texts:
            draft = record_user_message(session, new_session, message_id(), text, at())
            session = draft.session
            messages += [entry for entry in draft.entries if isinstance(entry, Message)]
        view = View(
            session=session,
            at=self._now,
            business=self._business,
            entries=tuple(messages),
            pending=tuple(messages),
            **more,
        )
        tools = self.tools = UsedTools(view, handoff=self.handoff, knowledge=self._knowledge)
        clock = VirtualClock()
        assistant = ScriptedAssistant(clock, delay_s=delay_s)
        said = Said()
        self.pieces = said.pieces
        if delay_s:
            answering = asyncio.create_task(assistant.answer(view, tools, said))
            await clock.advance(60)
            await answering
        else:
            await assistant.answer(view, tools, said)
        return "".join(self.pieces)


HUMANS = [
    "Vreau să vorbesc cu un agent",
    "Vreau un om",
    "I need a human",
    "A human, please",
    "Vreau să vorbesc cu agentul în chat live",
    "Vreau să vorbesc cu un om",
    "Aș vrea un operator, vă rog",
    "Pot vorbi cu cineva?",
    "Pot discuta cu un coleg de-al vostru?",
    "vreau sa vorbesc cu o persoana reala",
    "Dați-mi un consultant",
    "CHAT LIVE",
    "I want to talk to a human",
    "Can I speak with someone?",
    "Please let me chat with an agent",
    "human agent please",
    "Give me a real person!",
    "I'd like a representative",
    "customer service",
]
NOT_HUMANS = [
    "O masă pentru mine și trei colegi, vă rog",
    "Bună!",
    "Care este programul?",
    "Unde sunteți?",
    "Vreau o rezervare pentru mâine",
    "Mulțumesc, la revedere",
    "Aveți locuri de parcare?",
    "Ce agenție imobiliară e lângă voi?",
    "Hello there",
    "What are your opening hours?",
    "How much is a check-up?",
    "Is this a humane society?",
    "Do you speak English?",
    "Thank you, goodbye",
]


@pytest.mark.parametrize(
    "text",
    HUMANS,
)
async def test_a_request_for_a_human_is_recognised(text: str) -> None:
    demo = Demo()
    reply = await demo.ask(text)

    assert demo.tools.used == ["transfer_to_live_chat"]
    assert any(sure_claims(reply, language).human for language in ("ro", "en"))


@pytest.mark.parametrize(
    "text",
    NOT_HUMANS,
)
@pytest.mark.parametrize("business", [BISTRO, DENTAL, None])
async def test_nothing_else_is_mistaken_for_one(text: str, business: Business | None) -> None:
    demo = Demo(business)
    reply = await demo.ask(text)

    assert "transfer_to_live_chat" not in demo.tools.used
    assert not any(sure_claims(reply, language).human for language in ("ro", "en"))


@pytest.mark.parametrize(
    ("business", "text", "topic"),
    [
        (BISTRO, "Care este programul?", "program"),
        (BISTRO, "Când sunteți deschiși?", "program"),
        (BISTRO, "Unde vă găsesc?", "adresă"),
        (BISTRO, "Ce număr de telefon aveți?", "telefon"),
        (BISTRO, "Cât costă meniul zilei?", "meniu"),
        (BISTRO, "Aveți parcare?", "parcare"),
        (BISTRO, "Where are you?", "adresă"),
        (DENTAL, "What are your opening hours?", "hours"),
        (DENTAL, "What is your address?", "address"),
        (DENTAL, "How much is a cleaning?", "price"),
        (DENTAL, "Can I park there?", "parking"),
        (DENTAL, "Care e numărul de telefon?", "phone"),
    ],
)
async def test_a_fact_is_answered_from_the_business_and_no_other(
    business: Business, text: str, topic: str
) -> None:
    reply = await Demo(business).ask(text)

    told = [fact for fact in business.facts.values() if fact in reply]
    assert told == [business.facts[topic]]


async def test_two_questions_get_two_facts() -> None:
    reply = await Demo().ask("Care este programul?", "Și unde sunteți?")

    assert BISTRO.facts["program"] in reply
    assert BISTRO.facts["adresă"] in reply


async def test_for_an_unknown_business_nothing_is_made_up() -> None:
    reply = await Demo(None).ask("Care este programul?")

    assert "Nu cunosc încă nimic despre această firmă." in reply


@pytest.mark.parametrize(
    ("business", "text", "found"),
    [
        (BISTRO, "Am o rezervare?", "2030-05-14 19:30, 4 persoane"),
        (BISTRO, "Do I have a reservation?", "2030-05-14 19:30, 4 guests"),
        (DENTAL, "Do you have my booking?", "I find no reservation in your name."),
    ],
)
async def test_reservations_are_looked_up(business: Business, text: str, found: str) -> None:
    demo = Demo(business)
    reply = await demo.ask(text)

    assert found in reply
    assert demo.tools.used == ["get_reservations"]


@pytest.mark.parametrize("text", [*HUMANS[:2], *NOT_HUMANS])
async def test_it_always_says_that_it_is_a_demo(text: str) -> None:
    reply = await Demo().ask(text)

    assert reply.endswith(tuple(DEMO.values()))


@pytest.mark.parametrize(
    ("text", "business", "language"),
    [
        ("Bună! Ce mai faceți?", DENTAL, "ro"),
        ("Hello, how are you?", BISTRO, "en"),
        ("Buna, vreau sa stiu cum este", DENTAL, "ro"),
        ("Thank you", BISTRO, "en"),
        ("Mersi, mulțumesc", DENTAL, "ro"),
        ("ok", BISTRO, "ro"),
        ("ok", DENTAL, "en"),
        ("🙂", DENTAL, "en"),
        ("12", None, "ro"),
    ],
)
async def test_it_uses_the_users_language_and_in_doubt_the_businesss(
    text: str, business: Business | None, language: str
) -> None:
    reply = await Demo(business).ask(text)

    assert DEMO[language] in reply


@pytest.mark.parametrize(
    ("text", "known", "language"),
    [
        ("was ist das?", "de", "de"),
        ("is me at", "de-AT", "de"),
        ("Hello, how are you?", "uk", "uk"),
        ("Hello, how are you?", "ro", "en"),
        ("ok", "uk", "uk"),
        ("ok", "pt", "en"),
    ],
)
async def test_it_speaks_the_language_of_the_session(text: str, known: str, language: str) -> None:
    reply = await Demo(language=known).ask(text)

    assert DEMO[language] in reply


def test_it_has_all_its_phrases_in_all_languages_of_the_notices() -> None:
    keys = {frozenset(phrases) for phrases in _PHRASES.values()}
    texts = [text for phrases in _PHRASES.values() for text in phrases.values()]

    assert [*_PHRASES] == [*NOTICE_LANGUAGES]
    assert len(keys) == 1
    assert len({*texts}) == len(texts)
    for key in _PHRASES["en"]:
        named = {tuple(re.findall(r"{.*?}", phrases[key])) for phrases in _PHRASES.values()}
        assert named == {(NAMED[key],) if key in NAMED else ()}, key


@pytest.mark.parametrize("language", NOTICE_LANGUAGES)
def test_no_phrase_claims_what_is_not_done(language: str) -> None:
    for key, phrase in _PHRASES[language].items():
        assert not sure_claims(phrase, language), key


# Opening hours and documents.

NIGHT = datetime(2026, 11, 30, 21, 0, tzinfo=UTC)  # a Monday, 23:00 in Bucharest
HOURS = OpeningHours(
    week=((Shift(9 * 60, 22 * 60),),) * 5 + ((),) * 2, dates={"12-01": (Shift(12 * 60, 18 * 60),)}
)
SOUPS = Passage(title="Meniu › Supe", location="menu.md#supe", text="Ciorba de fasole costă 24.")
LONG = Passage(title="Casa", location="house.md", text="Terasa e mare. " * 200)
SHUT = replace(BISTRO, facts={"telefon": "021"}, hours=HOURS, time_zone="Europe/Bucharest")


@pytest.mark.parametrize(
    ("language", "text", "told"),
    [
        (
            "ro",
            "Care este programul?",
            "Programul nostru: luni–vineri 09:00–22:00; sâmbătă–duminică închis. În zilele "
            "următoare, altfel: 2026-12-01 12:00–18:00. Acum este închis; deschidem: marți, "
            "1 decembrie, ora 12:00.",
        ),
        (
            "en",
            "When are you open, please?",
            "Our opening hours: Monday–Friday 09:00–22:00; Saturday–Sunday closed. Different on "
            "these coming days: 2026-12-01 12:00–18:00. We are closed now; we open again: "
            "Tuesday, 1 December, 12:00.",
        ),
    ],
)
async def test_opening_hours_are_told_in_words_where_no_fact_has_them(
    language: str, text: str, told: str
) -> None:
    reply = await Demo(SHUT, language=language, now=NIGHT).ask(text)

    assert reply == f"{told} {DEMO[language]}"


async def test_a_fact_about_the_hours_goes_first() -> None:
    business = replace(SHUT, facts=BISTRO.facts)

    assert (await Demo(business, now=NIGHT).ask("Care este programul?")).startswith(
        BISTRO.facts["program"]
    )


@pytest.mark.parametrize("language", NOTICE_LANGUAGES)
@pytest.mark.parametrize("hour", [12, 23])
async def test_it_tells_in_each_language_whether_it_is_open(language: str, hour: int) -> None:
    now = NIGHT.replace(hour=hour - 2)
    reply = await Demo(SHUT, language=language, now=now).ask("orar?")

    key = "open" if hour == 12 else "opens"
    assert _PHRASES[language][key].partition("{")[0] in reply


async def test_a_passage_is_told_as_it_is_written() -> None:
    demo = Demo(passages=[LONG, SOUPS])
    reply = await demo.ask("Aveți ciorbă de fasole?")

    assert f"„{SOUPS.text}”" in reply
    assert demo.tools.used == ["search_knowledge"]


async def test_a_long_passage_is_cut_at_a_sentence() -> None:
    reply = await Demo(passages=[LONG]).ask("Cum e terasa?")

    assert f"„{excerpt(LONG.text, 700)}”" in reply
    assert excerpt(LONG.text, 700).endswith("e mare.")


@pytest.mark.parametrize("language", NOTICE_LANGUAGES)
async def test_what_a_document_promises_is_no_promise_of_the_assistants(language: str) -> None:
    text = "Un „coleg” vă sună imediat. A colleague will call you. Ein Kollege ruft Sie an. {x}"
    demo = Demo(language=language, passages=[Passage(title="x", location="x", text=text)])
    reply = await demo.ask("coleg?")

    assert "Un 'coleg' vă sună imediat." in reply
    assert not sure_claims(reply, language)


async def test_a_fact_goes_before_the_documents() -> None:
    demo = Demo(passages=[SOUPS])

    assert BISTRO.facts["meniu"] in await demo.ask("Ce supe aveți în meniu?")
    assert demo.tools.used == []


@pytest.mark.parametrize("language", NOTICE_LANGUAGES)
@pytest.mark.parametrize("facts", [{}, {"telefon": "021"}])
async def test_what_the_documents_do_not_say_it_does_not_know_and_says_so_in_the_customers_language(
    language: str, facts: dict[str, str]
) -> None:
    demo = Demo(replace(BISTRO, facts=facts), language=language, passages=[SOUPS])
    reply = await demo.ask("mango?")

    assert reply.startswith(_PHRASES[language]["not_known"])
    assert ("telefon" in reply) == bool(facts)
    assert _PHRASES[language]["unknown"] not in reply
    assert reply.endswith(_PHRASES[language]["demo"])


@pytest.mark.parametrize(
    "text", ["Bună!", "Hello", "Mulțumesc, la revedere", "Thanks!", "🙂", "ok"]
)
async def test_what_is_no_question_is_not_searched(text: str) -> None:
    demo = Demo(passages=[SOUPS])
    reply = await demo.ask(text)

    assert demo.tools.used == []
    assert reply == await Demo().ask(text)


async def test_it_streams_the_same_answer_word_by_word() -> None:
    demo = Demo()
    whole = await demo.ask("Care este programul?")
    streamed = await demo.ask("Care este programul?", delay_s=0.02)

    assert streamed == whole
    assert len(demo.pieces) == len(whole.split())
    assert all(piece.strip() for piece in demo.pieces)


async def test_a_passage_keeps_its_lines_in_a_stream() -> None:
    lines = Passage(title="M", location="m.md", text="Ciorbe:\n- fasole\n- burtă")
    demo = Demo(passages=[lines])

    assert await demo.ask("ciorbe", delay_s=0.02) == await demo.ask("ciorbe")


async def test_the_same_question_gets_the_same_answer() -> None:
    answers = {await Demo().ask("Bună! Care este programul?") for _ in range(5)}

    assert len(answers) == 1


@pytest.mark.parametrize("text", ["?", "x" * 8_000, "{name} %s \\", "\u0000", "<b>hi</b>", "a\nb"])
async def test_any_message_gets_an_answer(text: str) -> None:
    reply = await Demo().ask(text)

    assert reply.endswith(tuple(DEMO.values()))


async def test_its_summary_repeats_the_users_last_messages() -> None:
    draft = record_user_message(new_session(), new_session, message_id(), "Aveți parcare?", at())
    assistant = ScriptedAssistant(VirtualClock())
    first = await assistant.summarise("Bună!", draft.entries, "ro", max_tokens=500)
    long = await assistant.summarise("x" * 10_000, draft.entries, "ro", max_tokens=500)

    assert first.text == "Bună! / Aveți parcare?"
    assert long.text.endswith("x / Aveți parcare?")
    assert len(long.text) <= 200


@pytest.mark.parametrize("text", ["Bună!", "Care este programul?", "Mulțumesc!", HUMANS[0]])
async def test_a_suggestion_is_ready_to_send_and_asks_for_nobody(text: str) -> None:
    demo = Demo()
    alone = Availability(is_offered=False)
    suggested = await demo.ask(text, is_suggestion=True, availability=alone)

    assert suggested
    assert DEMO["ro"] not in suggested
    assert _PHRASES["ro"]["human"] not in suggested
    assert demo.tools.transfers == []


async def test_a_suggestion_to_nothing_said_is_still_one() -> None:
    view = View(session=new_session(), at=at(), business=BISTRO, entries=(), pending=())
    said = Said()
    await ScriptedAssistant(VirtualClock(), delay_s=0).answer(
        replace(view, is_suggestion=True), UsedTools(view), said
    )

    assert said.pieces
