"""Texts of the AI and of its tools are made fit to be stored before anybody gets them."""

from adapters.elixir.facts import business_of, reservations_of
from adapters.elixir.inbound import coordinator_of, parts_of, payload_of
from domain.identity import BusinessId
from tests.support.assistants import ScriptedSteps, transfer
from tests.support.harness import harness


async def test_an_answer_is_shown_and_stored_without_what_cannot_be_stored() -> None:
    async with harness(ScriptedSteps(["Da\0, \x1b[1m", "desigur \ud83d"])) as app:
        user = app.user()
        await user.join()
        await user.say("Sunteți deschiși?")
        await app.quiet()

        assert "".join(delta.text for delta in user.deltas) == "Da, [1mdesigur \ufffd"
        assert user.words == ["Da, [1mdesigur \ufffd"]


async def test_an_answer_that_shows_nothing_is_none() -> None:
    async with harness(ScriptedSteps(["\u200b\u2060"])) as app:
        user = app.user()
        await user.join()
        await user.say("Sunteți deschiși?")
        await app.quiet()

        (answer,) = [each for each in user.messages if each.seq == 2]
        assert answer.failed


async def test_the_note_of_the_ai_for_the_next_owner_is_made_fit_too() -> None:
    async with harness(ScriptedSteps([transfer(summary="Vrea\0 un om \ud83d")])) as app:
        user = app.user()
        await user.join()
        await user.say("Vreau un om")
        await app.quiet()
        session = await app.head(user.customer)

    assert session.handover_note == "Vrea un om \ufffd"


def test_facts_and_reservations_of_the_bridge_are_made_fit_too() -> None:
    found = {"name": "La\0 Mama", "hours\x1b": {"mon\0": "10\x07-22"}, "language": "ro"}
    booked = [{"date": "2030-05-14", "time": "19:30", "guests": 4, "name": "Ana\0"}]

    business, reservations = business_of(BusinessId("b1"), found), reservations_of(booked)

    assert business is not None
    assert (business.name, business.facts) == ("La Mama", {"hours": "mon: 10-22"})
    assert reservations is not None
    assert reservations[0].name == "Ana"


def test_a_coordinators_words_and_name_come_from_the_bridge_made_fit() -> None:
    payload = payload_of({"body": "\u200b", "text": "Bună\0", "agentName": "Maria\0 Pop"})

    assert list(parts_of(payload.message)) == ["Bună"]
    assert coordinator_of(payload.coordinator_id) == "Maria Pop"
