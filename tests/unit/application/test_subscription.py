"""A client that follows sees every entry once and in order, whatever becomes of the hints."""

import asyncio

import pytest

from application.join import ResumePosition
from application.ports import Appended, Delta
from domain.errors import StorageUnavailable
from domain.message import Author
from domain.status import Status
from tests.support.assistants import PAUSE, ScriptedSteps
from tests.support.faults import FaultyStore, LossyHub, RandomHub
from tests.support.harness import App, User, harness


async def talking(app: App) -> User:
    """A client in a conversation that a coordinator has."""
    user = app.user()
    await user.join()
    await user.say("Bună!")
    await app.coordinator().speak(user, "Aici Ana.")
    return user


async def test_lost_hints_are_made_good_by_the_next() -> None:
    hub = LossyHub()
    async with harness(hub=hub) as app:
        user = await talking(app)
        hub.holding = True
        for number in range(70):
            await app.coordinator().speak(user, f"Mesajul {number}")
        hub.lose()
        await app.coordinator().speak(user, "Ultimul")
        await app.settle()

        assert user.log[-1] == (await app.stored(user.customer))[-1]
        assert user.seqs == sorted(set(user.seqs))
        assert len(user.log) + 1 == (await app.head(user.customer)).seq  # all but its own words


async def test_doubled_hints_are_told_once() -> None:
    hub = LossyHub()
    async with harness(hub=hub) as app:
        user = await talking(app)
        hub.holding = True
        await app.coordinator().speak(user, "Unu")
        await app.coordinator().speak(user, "Doi")
        hub.pass_on(times=2)
        await app.settle()

        assert user.words[-2:] == ["Unu", "Doi"]
        assert len(user.seqs) == len(set(user.seqs))


async def test_reordered_hints_are_told_in_order() -> None:
    hub = LossyHub()
    async with harness(hub=hub) as app:
        user = await talking(app)
        hub.holding = True
        for text in ("Unu", "Doi", "Trei"):
            await app.coordinator().speak(user, text)
        hub.pass_on(reverse=True)
        await app.settle()

        assert user.words[-3:] == ["Unu", "Doi", "Trei"]


@pytest.mark.parametrize("seed", range(20))
async def test_any_mixture_of_bad_hints_ends_in_the_log(seed: int) -> None:
    hub = RandomHub(seed)
    async with harness(store=FaultyStore(yields=seed % 4), hub=hub) as app:
        user = app.user()
        await user.join()
        writer = app.user()
        await asyncio.gather(*(writer.say(f"Mesajul {number}") for number in range(30)))
        await app.settle()
        followed = list(user.seqs)
        await user.rejoin()

        assert followed == list(range(1, len(followed) + 1))
        assert user.log == await app.stored(user.customer)


async def test_the_users_own_words_go_to_the_other_sockets_alone() -> None:
    async with harness() as app:
        sender, other = app.user(), app.user()
        await sender.join()
        await other.join()
        await sender.say("Bună!")

        assert sender.log == []
        assert [entry.seq for entry in other.log] == [1]


async def test_own_words_that_reveal_a_gap_are_not_told_back() -> None:
    hub = LossyHub()
    async with harness(hub=hub) as app:
        user = await talking(app)
        hub.holding = True
        await app.coordinator().speak(user, "Pierdut")
        hub.lose()
        await user.say("Mai sunteți?")
        await app.settle()

        assert user.words[-1] == "Pierdut"
        assert not any(message.author is Author.USER for message in user.messages)


async def test_what_comes_during_a_catch_up_follows_it() -> None:
    store, hub = FaultyStore(), LossyHub()
    async with harness(store=store, hub=hub) as app:
        user = await talking(app)
        hub.holding = True
        await app.coordinator().speak(user, "Unu")
        hub.lose()
        hold = store.hold_answer("latest")
        await app.coordinator().speak(user, "Doi")
        await hold.reached.wait()
        await app.coordinator().speak(user, "Trei")
        early = list(user.words)
        hold.release()
        await app.settle()

        assert "Trei" not in early
        assert user.words[-3:] == ["Unu", "Doi", "Trei"]


async def test_a_catch_up_that_the_store_fails_is_made_good_by_the_next_hint() -> None:
    store, hub = FaultyStore(), LossyHub()
    async with harness(store=store, hub=hub) as app:
        user = await talking(app)
        hub.holding = True
        await app.coordinator().speak(user, "Unu")
        hub.lose()
        store.fail("latest")
        await app.coordinator().speak(user, "Doi")
        await app.settle()
        during = list(user.words)
        await app.coordinator().speak(user, "Trei")
        await app.settle()

        assert "Unu" not in during
        assert user.words[-3:] == ["Unu", "Doi", "Trei"]


async def test_the_next_session_is_followed_from_its_first_entry() -> None:
    async with harness() as app:
        user, other = app.user(), app.user()
        await user.join()
        await user.say("Unu")
        await other.join()
        await app.coordinator().close(user)
        await user.say("Doi")
        await app.quiet()

        assert other.log == await app.stored(user.customer)
        assert [entry.seq for _, entry in other.received] == [2, 3, 1, 2]


async def test_the_end_of_a_session_is_told_before_the_next_begins() -> None:
    """A lost hint of the closing is made good by the first of the next session."""
    hub = LossyHub()
    async with harness(hub=hub) as app:
        user = app.user()
        await user.join()
        first = await user.say("Unu")
        hub.holding = True
        await app.coordinator().close(user)
        hub.lose()
        await app.user().say("Doi")
        await app.settle()
        told = [(session_id == first.session_id, entry.seq) for session_id, entry in user.received]

        assert told == [(True, 2), (True, 3), (False, 1)]


async def test_a_late_hint_of_an_earlier_session_is_not_told_again() -> None:
    hub = LossyHub()
    async with harness(hub=hub) as app:
        user = await talking(app)
        hub.holding = True
        await app.coordinator().close(user)
        late = list(hub.held)
        hub.pass_on()
        writer = app.user()
        await writer.say("Doi")
        await app.settle()
        hub.held = late
        hub.pass_on()
        await app.settle()
        await writer.say("Trei")
        await app.settle()

        assert user.log == await app.stored(user.customer)
        assert len(user.received) == len({(session, entry.seq) for session, entry in user.received})


async def test_a_join_that_a_closing_overtakes_is_told_of_the_new_session_alone() -> None:
    store = FaultyStore()
    async with harness(store=store) as app:
        writer = await talking(app)
        user = app.user()
        hold = store.hold("latest")
        joining = asyncio.create_task(user.begin_to_join(ResumePosition(0)))
        await hold.reached.wait()
        await app.coordinator().close(writer)
        await writer.say("Doi")
        hold.release()
        user.start(await joining)
        await app.settle()
        await writer.say("Trei")
        await app.settle()

        assert user.log == await app.stored(user.customer)
        assert {session for session, _ in user.received} == {await app.session_id(user.customer)}


async def test_a_hint_of_an_erased_conversation_leads_nowhere() -> None:
    hub = LossyHub()
    async with harness(hub=hub) as app:
        user = await talking(app)
        hub.holding = True
        await app.coordinator().speak(user, "Unu")
        await app.coordinator().speak(user, "Doi")
        await app.privacy.erase(user.customer)
        del hub.held[0]
        hub.pass_on()
        await app.settle()
        await app.user().say("De la capăt")
        await app.settle()

        assert user.log == await app.stored(user.customer)


async def test_who_has_left_hears_nothing_more() -> None:
    store, hub = FaultyStore(), LossyHub()
    async with harness(store=store, hub=hub) as app:
        user = await talking(app)
        hub.holding = True
        await app.coordinator().speak(user, "Unu")
        hub.lose()
        hold = store.hold_answer("latest")
        await app.coordinator().speak(user, "Doi")
        await hold.reached.wait()
        known = list(user.received)
        user.leave()
        hold.release()
        await app.coordinator().speak(user, "Trei")
        await app.settle()

        assert user.received == known


async def test_a_join_that_fails_listens_to_nothing() -> None:
    store = FaultyStore()
    async with harness(store=store) as app:
        user = app.user()
        store.fail("latest")
        with pytest.raises(StorageUnavailable):
            await user.join()
        await app.user().say("Bună!")
        await app.settle()

        assert user.received == []


async def test_before_the_first_message_there_is_nothing_to_replay() -> None:
    async with harness() as app:
        user = app.user()
        reply = await user.join(ResumePosition(7))
        await app.user().say("Bună!")

        assert (reply.session, reply.page.entries, reply.page.more) == (None, (), False)
        assert user.seqs == [1]


async def test_a_status_change_is_told_like_everything_else() -> None:
    async with harness() as app:
        user = app.user()
        await user.join()
        heard = app.listen(user.customer)
        await user.ask_for_human("Un om, vă rog")

        assert [change.status for change in user.changes] == [Status.WAITING]
        assert sum(isinstance(event, Appended) for event in heard) == 1


@pytest.mark.parametrize("is_read_before", [True, False], ids=["in the pause", "while it reads"])
async def test_a_piece_that_comes_while_its_session_cannot_be_read_is_shown_once_it_is(
    is_read_before: bool,
) -> None:
    store, hub = FaultyStore(), LossyHub()
    async with harness(ScriptedSteps(["Salut."], ["Da, ", PAUSE]), store, hub=hub) as app:
        writer = app.user()
        user = await followed_to_the_end_of_a_session(app, writer)
        hub.holding = True
        await writer.say("Doi")
        await app.quiet()
        pieces = [held for held in hub.held if isinstance(held[1], Delta)]
        entries = [held for held in hub.held if isinstance(held[1], Appended)]
        store.go_down()
        for some in (entries, pieces):
            hub.held = some
            hub.pass_on()
            if is_read_before:
                await app.settle()
        await app.settle()
        shown_before = [text for _, _, text in user.pieces]
        store.come_back()
        await app.clock.advance(2)

        assert "Da, " not in shown_before
        assert user.preview == "Da, "


async def followed_to_the_end_of_a_session(app: App, writer: User) -> User:
    """Return a client that is shown answers, and whose first session is closed."""
    user = app.user(stream=True)
    await user.join()
    await writer.say("Unu")
    await app.quiet()
    await app.coordinator().close(writer)
    await app.settle()
    return user
