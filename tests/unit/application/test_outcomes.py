"""The outcomes of conversations: what is counted, on which day, and once."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta

import pytest

from adapters.memory.businesses import MemoryBusinesses
from adapters.memory.knowledge import MemoryKnowledge
from domain.business import Business
from domain.errors import AssistantFailed, StorageUnavailable
from domain.hours import OpeningHours, Shift
from domain.identity import BusinessId, visitor_id
from domain.knowledge import SEARCH
from domain.outcomes import Outcomes, Times, outcomes_in
from domain.rating import Stars
from domain.status import Status
from tests.support.assistants import PAUSE, ScriptedSteps, call, transfer
from tests.support.clock import START
from tests.support.faults import FaultyStore
from tests.support.harness import App, User, harness

B1 = BusinessId("b1")
TODAY = START.date()
HOUR = 3_600.0
CLOSED_NOW = MemoryBusinesses(
    [Business(business_id=B1, name="B", hours=OpeningHours(week=((Shift(540, 660),),) * 7))]
)


async def days(app: App) -> Mapping[date, Outcomes]:
    """Return the outcomes of each day."""
    counts = await app.outcomes.by_day(B1, date.min, date.max)
    return {day: outcomes_in(each, None) for day, each in counts.items()}


async def total(app: App) -> Counter[str]:
    """Return the counts of all days together."""
    counted = Counter[str]()
    for counts in (await app.outcomes.by_day(B1, date.min, date.max)).values():
        counted.update(counts)
    return counted


async def today(app: App) -> Outcomes:
    return (await days(app))[app.clock.now().date()]


async def talking(app: App, user_id: str = "u1", text: str = "Bună!") -> User:
    """A user who has said something, and been answered."""
    user = app.user("b1", user_id)
    await user.join()
    await user.say(text)
    await app.quiet()
    return user


async def ended(app: App, user_id: str = "u1") -> User:
    """A user whose conversation has ended as they fell silent."""
    user = await talking(app, user_id)
    await fall_silent(app)
    return user


async def fall_silent(app: App) -> None:
    await app.clock.advance(app.policy.timing.idle.total_seconds())
    await app.sweep()


# Conversations, and their first answers.


async def test_a_conversation_is_counted_once_however_much_is_said_in_it() -> None:
    async with harness() as app:
        user = await talking(app)
        await user.say("Încă ceva")
        await app.quiet()
        await talking(app, "u2")
        found = await today(app)

        assert (found.conversations, found.ended, found.solved) == (2, 0, 0)


async def test_a_message_that_is_repeated_counts_nothing() -> None:
    async with harness() as app:
        user = app.user()
        await asyncio.gather(*(user.say("Bună!", "m1") for _ in range(5)))
        await app.quiet()
        await user.say("Bună!", "m1")
        found = await today(app)

        assert (found.conversations, found.first_answer.count) == (1, 1)


async def test_the_first_answer_is_timed_from_the_first_message_and_no_later_one_is() -> None:
    assistant = ScriptedSteps([PAUSE, "Da."], ["Nu."])
    async with harness(assistant, turn_quiet_ms=0) as app:
        user = app.user()
        await user.say("unu")
        await app.clock.advance(2)
        assistant.go()
        await app.quiet()
        await user.say("doi")
        await app.quiet()
        found = await today(app)

        assert found.first_answer.count == 1
        assert found.first_answer.mean_s == 2
        assert found.first_answer.median_s == pytest.approx(1.75)


async def test_an_apology_is_no_first_answer() -> None:
    async with harness(ScriptedSteps([AssistantFailed()], ["Da."])) as app:
        user = await talking(app)
        await user.say("Mai încercați?")
        await app.quiet()

        assert (await today(app)).first_answer == Times(count=0, median_s=None, mean_s=None)


async def test_a_question_to_which_the_documents_have_no_answer_is_counted() -> None:
    ours = MemoryBusinesses([Business(business_id=B1, name="B", has_knowledge=True)])
    assistant = ScriptedSteps([call(SEARCH, query="elicopter"), "Nu știu."])
    async with harness(assistant, businesses=ours, knowledge=MemoryKnowledge({})) as app:
        await talking(app)

        assert (await today(app)).unanswered_questions == 1


# Humans.


async def test_a_request_is_counted_by_its_reason_and_the_time_until_a_human_comes() -> None:
    async with harness(ScriptedSteps([transfer("ai_decision"), "Vine un coleg."])) as app:
        user = await talking(app)
        await app.clock.advance(90)
        await app.coordinator().take_over(user)
        await app.coordinator("dan").take_over(user)
        found = await today(app)

        assert sum(found.handoffs.values()) == 1
        assert found.human.count == 1
        assert found.human.mean_s == pytest.approx(90, abs=1)


async def test_a_conversation_that_is_requeued_is_no_new_request_and_waits_again() -> None:
    async with harness() as app:
        user = app.user()
        session = await user.ask_for_human()
        await app.coordinator().take_over(user)
        await app.coordinator().change(session.session_id, Status.WAITING)
        await app.clock.advance(30)
        await app.coordinator("dan").take_over(user)
        found = await today(app)

        assert found.handoffs == {"user_request": 1}
        assert (found.human.count, found.human.mean_s) == (2, 15)


async def test_a_whisper_counts_nothing() -> None:
    async with harness() as app:
        user = await talking(app)
        before = await total(app)
        session_id = await app.session_id(user.customer)
        await app.transfers.whisper(session_id, "Oferă o masă la geam.", None, None)

        assert await total(app) == before


async def test_a_request_that_expires_is_one_request_and_no_human_came() -> None:
    async with harness(transfer_timeout_s=300) as app:
        await app.user().ask_for_human()
        await app.clock.advance(300)
        await app.sweep()
        found = await today(app)

        assert found.handoffs == {"user_request": 1}
        assert found.human.count == 0


async def test_a_request_that_nobody_can_meet_is_counted_once() -> None:
    async with harness(businesses=CLOSED_NOW) as app:
        user = app.user()
        for _ in range(3):
            await user.ask_for_human()
        await fall_silent(app)
        found = outcomes_in(await total(app), None)

        assert found.handoffs == {"user_request": 1}
        assert (found.ended, found.solved) == (1, 0)


async def test_a_coordinator_who_steps_in_is_counted_as_such_and_waited_for_by_nobody() -> None:
    async with harness() as app:
        user = await talking(app)
        await app.coordinator().take_over(user)
        await app.coordinator().close(user)
        found = await today(app)

        assert found.handoffs == {"coordinator": 1}
        assert (found.human.count, found.ended, found.solved) == (0, 1, 0)


# Ends.


async def test_what_ends_without_a_request_for_a_human_is_solved() -> None:
    async with harness() as app:
        await ended(app, "u1")
        other = await talking(app, "u2")
        await other.ask_for_human()
        await app.coordinator().close(other)
        found = outcomes_in(await total(app), None)

        assert (found.conversations, found.ended, found.solved) == (2, 2, 1)


async def test_a_human_within_72_hours_takes_it_back_on_the_day_when_it_ended() -> None:
    async with harness() as app:
        user = await ended(app)
        day = app.clock.now().date()
        await app.clock.advance(71 * HOUR)
        before = (await days(app))[day].solved
        await user.ask_for_human()
        found = await days(app)

        assert before == 1
        assert (found[day].ended, found[day].solved) == (1, 0)
        assert all(each.solved == 0 for each in found.values())


async def test_a_human_later_than_that_takes_nothing_back() -> None:
    async with harness() as app:
        user = await ended(app)
        day = app.clock.now().date()
        await app.clock.advance(72 * HOUR + 1)
        await user.ask_for_human()

        assert (await days(app))[day].solved == 1


async def test_every_conversation_of_these_hours_is_taken_back_once() -> None:
    async with harness() as app:
        user = app.user()
        for _ in range(2):  # two that seem to be solved
            await ended(app)
        stranger = await ended(app, "u2")
        for _ in range(2):  # two that need a human, each more than once
            await user.ask_for_human()
            await user.end_live_chat()
            await user.ask_for_human()
            await app.coordinator().close(user)
            await app.outcomes.count_reopened()
        solved = sum(each.solved for each in (await days(app)).values())

        assert stranger.customer != user.customer
        assert solved == 1


async def test_a_request_that_nobody_could_meet_stands_between_too() -> None:
    async with harness(businesses=CLOSED_NOW) as app:
        user = await ended(app)
        await user.ask_for_human()  # takes the first one back
        await fall_silent(app)
        await user.ask_for_human()  # finds one that was never solved, and stops there
        counts = await total(app)

        assert (counts["ended"], counts["solved"]) == (2, 0)


async def test_a_visitor_who_signs_in_ends_and_begins_nothing() -> None:
    async with harness(ScriptedSteps()) as app:
        visitor = await talking(app, visitor_id("0" * 32))
        user = app.user("b1", "ana")
        await app.sign_in(visitor.customer, user.customer)
        await user.say("Și acum?")
        await app.quiet()
        found = await today(app)

        assert (found.conversations, found.ended, found.first_answer.count) == (1, 0, 1)


# Ratings.


async def test_the_newest_rating_of_a_conversation_counts_on_its_own_day() -> None:
    async with harness() as app:
        user = await talking(app)
        await app.rate(user.customer, Stars(1))
        await app.clock.advance(24 * HOUR)
        await app.rate(user.customer, Stars(4))
        await app.rate(user.customer, Stars(4))
        found = await days(app)

        assert found[TODAY].ratings == {"1": 0, "2": 0, "3": 0, "4": 0, "5": 0}
        assert found[TODAY + timedelta(days=1)].ratings["4"] == 1
        assert found[TODAY + timedelta(days=1)].average_rating == 4


async def test_a_rating_of_an_earlier_conversation_counts_too() -> None:
    async with harness() as app:
        user = await ended(app)
        first = await app.session_id(user.customer)
        await user.say("Încă ceva")
        await app.quiet()
        await app.rate(user.customer, Stars(5), first)

        assert (await today(app)).ratings["5"] == 1


# Processes, and a store that fails.


async def test_two_processes_count_each_append_once_and_add_up() -> None:
    async with harness() as app:
        other = app.another()
        await talking(app, "u1")
        await talking(other, "u2")
        await asyncio.gather(*(each.user("b1", "u3").say("x", "m1") for each in (app, other)))
        await app.quiet()
        await other.quiet()
        await other.day_counts.flush()

        assert (await today(app)).conversations == 3


async def test_what_could_not_be_checked_or_written_is_so_later_and_once() -> None:
    store = FaultyStore()
    async with harness(store=store) as app:
        user = await ended(app)
        await user.ask_for_human()
        store.fail("load")
        with pytest.raises(StorageUnavailable):
            await app.outcomes.count_reopened()
        await app.outcomes.count_reopened()
        await app.outcomes.count_reopened()
        counts = await total(app)

        assert (counts["ended"], counts["solved"]) == (1, 0)


async def test_a_report_that_nobody_waits_for_any_more_leaves_nothing_unchecked() -> None:
    store = FaultyStore()
    async with harness(store=store) as app:
        user = await ended(app)
        await user.ask_for_human()
        hold = store.hold("load")
        report = asyncio.create_task(app.outcomes.by_day(B1, date.min, date.max))
        await hold.reached.wait()
        report.cancel()
        await asyncio.wait([report])

        assert (await total(app))["solved"] == 0


async def test_an_append_that_another_one_was_faster_than_counts_nothing() -> None:
    store = FaultyStore(yields=2)
    async with harness(store=store, turn_quiet_ms=0) as app:
        users = [app.user() for _ in range(4)]
        await asyncio.gather(*(user.ask_for_human(f"Om {n}") for n, user in enumerate(users)))
        found = await today(app)

        assert found.conversations == 1
        assert found.handoffs == {"user_request": 1}


async def test_the_counts_of_a_day_name_no_customer_and_outlive_an_erasure() -> None:
    async with harness() as app:
        user = await ended(app, "u-secret")
        before = await app.outcomes.by_day(B1, date.min, date.max)
        await app.privacy.erase(user.customer)
        after = await app.outcomes.by_day(B1, date.min, date.max)

        assert before == after
        assert "secret" not in repr(before)
