"""A rating moves nothing: neither who has to answer, nor when, nor what a message means."""

from msgspec.structs import replace

from application.bridge_inbox import _needs_bridge
from domain.decisions import notify_unreachable, rate
from domain.identity import MessageId
from domain.rating import Stars
from domain.session import Session
from domain.status import Status
from domain.view import window
from tests.support.assistants import PAUSE, ScriptedSteps
from tests.support.harness import App, User, harness
from tests.unit.domain.makers import decision_context

STARS = Stars(2, "Slow")


async def rated(app: App, user: User, stars: Stars = STARS) -> Session:
    """Rate the user's newest session."""
    await app.rate(user.customer, stars)
    await app.settle()
    return await app.head(user.customer)


def unmoved(before: Session, after: Session) -> Session:
    """Return the session before, with what a rating adds: its seq, and itself."""
    return replace(before, seq=before.seq + 1, hidden_at_end=0, rating=after.rating)


async def test_it_moves_nothing_of_an_open_a_waiting_or_a_closed_session() -> None:
    async with harness() as app:
        user, other = app.user(), app.user()
        await user.join()
        await other.join()
        await user.say("Bună!")
        await app.quiet()
        for step in (user.ask_for_human, lambda: app.coordinator().close(user), None):
            before = await app.head(user.customer)
            await app.clock.advance(60)

            after = await rated(app, user, Stars(1 + before.epoch))

            assert after == unmoved(before, after)
            assert after.due_at(app.policy.timing) == before.due_at(app.policy.timing)
            if step is not None:
                await step()
        assert other.seqs == list(range(1, after.seq + 1))


async def test_no_turn_answers_it_and_a_running_turn_goes_on() -> None:
    assistant = ScriptedSteps(["Da, ", PAUSE, "sigur."])
    async with harness(assistant) as app:
        user = app.user(stream=True)
        await user.join()
        await user.say("Bună!")
        await app.quiet()

        await rated(app, user)
        assistant.go()
        await app.settle()
        await app.clock.advance(60)

        assert user.words == ["Da, sigur."]
        assert app.observer.outcomes == ["answered"]
        assert "Slow" not in str(window(await app.stored(user.customer)))


async def test_who_wrote_last_in_a_live_chat_is_told_that_it_is_not_relayed_all_the_same() -> None:
    async with harness() as app:
        user = app.user()
        await user.join()
        await user.ask_for_human("Alo?")
        await app.coordinator().take_over(user)
        await user.say("Mai sunteți?")
        before = await app.head(user.customer)

        after = await rated(app, user)

        told = [notify_unreachable(each, decision_context(), is_joined=False) for each in
                (before, after, await rated(app, user, Stars(3)))]  # fmt: skip
        assert all(draft is not None for draft in told)
        assert after.status is Status.LIVE
        newest = (await app.stored(user.customer))[-1:]
        assert not _needs_bridge(newest, None)


async def test_the_same_rating_again_appends_nothing_and_another_one_counts() -> None:
    async with harness() as app:
        user = app.user()
        await user.join()
        await user.say("Bună!")

        first = await rated(app, user)
        assert rate(first, STARS, MessageId("m"), app.clock.now()) is None
        assert (await rated(app, user)).seq == first.seq
        third = await rated(app, user, Stars(5))

        assert third.seq == first.seq + 1
        assert third.rating is not None
        assert third.rating.stars == Stars(5)
        assert first.said_seq == third.said_seq == 1


async def test_an_earlier_session_gets_it_and_the_newest_is_as_it_was() -> None:
    async with harness() as app:
        user = app.user()
        await user.join()
        await user.say("Bună!")
        first = await app.session_id(user.customer)
        await app.coordinator().close(user)
        await user.say("Încă ceva")
        newest = await app.head(user.customer)

        assert await app.rate(user.customer, STARS, first) == first

        loaded = await app.store.load(first)
        assert loaded is not None
        assert loaded.session.rating is not None
        assert loaded.session.rating.stars == STARS
        assert await app.head(user.customer) == newest
