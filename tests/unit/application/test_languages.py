"""The server speaks the customer's language, as they show it, and else the business's."""

import pytest
from msgspec.structs import replace

from adapters.memory.businesses import MemoryBusinesses
from domain.business import Business
from domain.errors import AssistantFailed
from domain.handover import handover_context
from domain.identity import BusinessId
from domain.message import Author, Message
from domain.status import Status
from domain.texts import Text, localized
from tests.support.assistants import ScriptedSteps, transfer
from tests.support.businesses import DEMO_BUSINESSES
from tests.support.faults import FaultyBusinesses, Hold
from tests.support.harness import User, harness

GERMAN = "Guten Tag, ich möchte bitte einen Tisch reservieren."
HUNGARIAN = "Elnézést, inkább magyarul szeretném folytatni a beszélgetést."


def last(user: User) -> str:
    return user.words[-1]


@pytest.mark.parametrize(
    ("tag", "language"),
    [("de", "de"), ("de-AT", "de"), ("pt-BR", "en"), ("tlh", "en")],
)
async def test_a_business_may_have_any_language_and_one_without_notices_has_english(
    tag: str, language: str
) -> None:
    business = Business(business_id=BusinessId("b1"), name="B", language=tag)
    assistant = ScriptedSteps(["Ja."])
    async with harness(assistant, businesses=MemoryBusinesses((business,), {})) as app:
        user = app.user("b1")
        await user.join()
        await user.say("ok")
        await app.quiet()
        await user.ask_for_human()

        assert last(user) == localized(language, Text.REQUESTED)
        assert last(user) != localized("ro", Text.REQUESTED)
        assert assistant.views[0].language == tag


async def test_apologies_transfers_and_the_closing_come_in_the_customers_language() -> None:
    async with harness(ScriptedSteps([AssistantFailed()])) as app:
        user, ana = app.user(), app.coordinator("Ana")
        await user.join()
        await user.say(GERMAN)
        await app.quiet()
        apology = last(user)
        await user.ask_for_human()
        requested = last(user)
        await ana.take_over(user)
        joined = last(user)
        await ana.give_back(user)
        returned = last(user)
        await ana.close(user)

        assert [apology, requested, joined, returned, last(user)] == [
            localized("de", Text.APOLOGY),
            localized("de", Text.REQUESTED),
            localized("de", Text.JOINED, who="Ana"),
            localized("de", Text.RETURNED),
            localized("de", Text.CLOSED),
        ]


async def test_a_request_for_a_human_is_confirmed_in_the_language_that_it_is_written_in() -> None:
    async with harness() as app:
        user = app.user()
        await user.join()
        await user.ask_for_human("Je voudrais parler à une personne, s'il vous plaît.")

        assert last(user) == localized("fr", Text.REQUESTED)


async def test_the_language_reaches_the_model_the_summary_and_the_coordinator() -> None:
    assistant = ScriptedSteps(["Gern."], ["Ich frage.", transfer()])
    async with harness(assistant) as app:
        user = app.user()
        await user.join()
        await user.say(GERMAN)
        await app.quiet()
        await user.say("ok")
        await app.quiet()
        session, log = await app.head(user.customer), await app.stored(user.customer)

        assert [view.language for view in assistant.views] == ["de", "de"]
        assert localized("de", Text.REQUESTED) in last(user)
        assert handover_context(session, log, "ro").language == "de"


async def test_short_words_numbers_and_names_change_nothing() -> None:
    async with harness() as app:
        user = app.user()
        await user.join()
        for text in ("ok", "da", "yes please", "0722 123 456", "Hans Müller", "Kovács János", "🙂"):
            await user.say(text)
            await app.quiet()

        assert (await app.head(user.customer)).language is None
        assert all(e.language is None for e in user.log if isinstance(e, Message))


async def test_a_change_of_language_follows_after_clear_evidence() -> None:
    async with harness() as app:
        user = app.user()
        await user.join()
        languages: list[str | None] = []
        for text in (GERMAN, "nem, köszönöm szépen", "danke", HUNGARIAN):
            await user.say(text)
            await app.quiet()
            languages.append((await app.head(user.customer)).language)

        assert languages == ["de", "de", "de", "hu"]


async def test_only_the_message_that_shows_another_language_carries_it() -> None:
    async with harness() as app:
        user = app.user()
        await user.join()
        for text in (GERMAN, GERMAN, HUNGARIAN):
            await user.say(text)
            await app.quiet()
        said = [entry for entry in await app.stored(user.customer) if isinstance(entry, Message)]

        assert [m.language for m in said if m.author is Author.USER] == ["de", None, "hu"]
        assert all(m.language is None for m in said if m.author is not Author.USER)


async def test_a_new_conversation_goes_on_in_the_language_of_the_one_before() -> None:
    async with harness() as app:
        user = app.user()
        await user.join()
        await user.say(GERMAN)
        await app.quiet()
        await app.coordinator().close(user)
        session = await user.ask_for_human()

        assert (session.language, session.status) == ("de", Status.WAITING)
        assert (await app.texts(user.customer, Author.SYSTEM))[-1] == localized(
            "de", Text.REQUESTED
        )


async def test_a_process_that_folds_hints_knows_the_language_as_one_that_reads_it() -> None:
    async with harness() as app:
        there = app.another()
        user, elsewhere = app.user(), there.user()
        await user.join()
        await elsewhere.join()
        await user.say("ok")
        await app.quiet()
        await user.say(GERMAN)
        await app.quiet()
        session = await there.head(user.customer)

        assert session == await app.head(user.customer)
        assert session.language == "de"


async def test_a_message_does_not_wait_for_the_businesss_facts() -> None:
    businesses = FaultyBusinesses()
    businesses.hold = Hold()
    async with harness(businesses=businesses) as app:
        user = app.user()
        await user.join()
        await user.say(GERMAN)

        assert (await app.head(user.customer)).language == "de"


async def test_detection_can_be_switched_off() -> None:
    async with harness(language_detection="off") as app:
        user = app.user()
        await user.join()
        await user.say(GERMAN)
        await app.quiet()
        await user.ask_for_human()

        assert last(user) == localized("ro", Text.REQUESTED)


async def test_the_businesss_own_language_is_detected_once_it_has_been_read() -> None:
    business = replace(DEMO_BUSINESSES[1], language="pt-BR")
    async with harness(businesses=MemoryBusinesses((business,), {})) as app:
        user = app.user("b2")
        await user.join()
        await user.say("Olá, gostaria de reservar uma mesa para quatro pessoas")
        await app.quiet()

        assert (await app.head(user.customer)).language == "pt-BR"
