"""A customer's right to see everything, and to have it erased."""

import asyncio

from domain.message import Author
from tests.support.assistants import PAUSE, ScriptedSteps
from tests.support.faults import FaultyStore
from tests.support.harness import harness


async def test_an_export_has_every_entry_of_every_session() -> None:
    async with harness(turn_quiet_ms=0) as app:
        user = app.user()
        for number in range(60):
            await user.say(f"Mesajul {number}")
            await app.settle()
        first = await app.stored(user.customer)
        await app.coordinator().close(user)
        closed = await app.stored(user.customer)
        await app.clock.advance(1)
        await user.say("Alt mesaj")
        await app.user("b1", "u2").say("Nu e al lui")
        await app.settle()
        export = await app.privacy.export(user.customer)

        assert len(first) == 120
        assert [entries for _, entries in export] == [await app.stored(user.customer), closed]
        assert all(session.customer == user.customer for session, _ in export)


async def test_an_erase_leaves_nothing_and_gives_a_receipt() -> None:
    async with harness(turn_quiet_ms=0) as app:
        user, other = app.user(), app.user("b1", "u2")
        await user.say("Bună!")
        await other.say("Bună!")
        await app.settle()
        receipt = await app.privacy.erase(user.customer)
        again = await app.privacy.erase(user.customer)
        joined = await user.join()

        assert (receipt.sessions, receipt.messages) == (1, 2)
        assert (again.sessions, again.messages, again.notices) == (0, 0, 0)
        assert joined.session is None
        assert await app.privacy.export(user.customer) == []
        assert len(await app.stored(other.customer)) == 2


async def test_an_erase_stops_the_turn_that_reads_what_is_erased() -> None:
    assistant = ScriptedSteps(["Un ", PAUSE, "răspuns."])
    async with harness(assistant) as app:
        user = app.user()
        await user.say("Secret")
        await app.quiet()
        await app.privacy.erase(user.customer)
        assistant.go()
        await app.clock.advance(10)

        assert assistant.broken_off == 1
        assert await app.stored(user.customer) == []
        assert app.observer.outcomes == ["cancelled"]


async def test_an_erase_before_the_turn_leaves_nothing_to_answer() -> None:
    assistant = ScriptedSteps()
    async with harness(assistant) as app:
        user = app.user()
        await user.say("Secret")
        await app.privacy.erase(user.customer)
        await app.clock.advance(10)

        assert assistant.turns == 0
        assert await app.stored(user.customer) == []


async def test_an_answer_to_what_was_erased_never_lands_in_what_comes_after() -> None:
    assistant = ScriptedSteps([PAUSE, "Despre secret."], ["Despre altceva."])
    async with harness(assistant) as app:
        user = app.user()
        await user.say("Secret")
        await app.quiet()
        elsewhere = app.another()
        await elsewhere.privacy.erase(user.customer)
        await elsewhere.user().say("Altceva")
        assistant.go()
        await app.settle()
        await elsewhere.quiet()

        assert await app.texts(user.customer, Author.AI) == ["Despre altceva."]


async def test_a_message_after_an_erase_starts_anew() -> None:
    async with harness() as app:
        user = app.user()
        old = await user.say("Secret", "m1")
        await app.quiet()
        await app.privacy.erase(user.customer)
        new = await user.say("Bună!", "m1")
        await app.quiet()

        assert (new.seq, new.duplicate) == (1, False)
        assert new.session_id != old.session_id
        assert await app.texts(user.customer, Author.AI) == ["Răspuns."]


async def test_a_message_that_races_an_erase_is_before_or_after_it() -> None:
    store = FaultyStore()
    async with harness(store=store) as app:
        user = app.user()
        await user.say("Secret")
        await app.quiet()
        hold = store.hold("append")
        saying = asyncio.create_task(user.say("În cursă"))
        await hold.reached.wait()
        await app.privacy.erase(user.customer)
        hold.release()
        posted = await saying

        assert posted.seq == 1
        assert await app.texts(user.customer, Author.USER) == ["În cursă"]
