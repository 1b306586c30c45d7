"""The user stops an answer: what was written is the answer, and nothing more is made."""

import pytest

from domain.message import Author
from domain.status import Status
from domain.texts import Text, localized
from domain.usage import Usage
from tests.support.assistants import HANG, PAUSE, ScriptedSteps, call, transfer
from tests.support.broker import Network
from tests.support.clock import VirtualClock
from tests.support.faults import FaultyBusinesses, FaultyStore, Hold
from tests.support.harness import App, User, harness

NOTICE = localized("ro", Text.STOPPED)


async def asking(app: App) -> User:
    """A client that has joined and asked."""
    user = app.user(stream=True)
    await user.join()
    await user.say("Bună!", "m1")
    return user


async def test_what_was_written_so_far_is_the_answer() -> None:
    assistant = ScriptedSteps(["Da, ", "desigur", HANG])
    async with harness(assistant) as app:
        user = await asking(app)
        await app.quiet()
        await app.turns.stop_answer(user.customer)
        await app.settle()
        answer = user.messages[-1]

        assert (answer.text, answer.author) == ("Da, desigur", Author.AI)
        assert answer.in_reply_to == ("m1",)
        assert answer.message_id == user.pieces[0][0]
        assert user.preview == answer.text
        assert assistant.broken_off == 1
        assert app.observer.outcomes == ["stopped"]
        assert not (await app.head(user.customer)).needs_answer


async def test_before_anything_is_written_a_notice_says_that_it_was_stopped() -> None:
    async with harness(ScriptedSteps([HANG])) as app:
        user = await asking(app)
        await app.quiet()
        await app.turns.stop_answer(user.customer)
        await app.settle()
        notice, head = user.messages[-1], await app.head(user.customer)

        assert (notice.text, notice.author, notice.failed) == (NOTICE, Author.SYSTEM, False)
        assert notice.in_reply_to == ("m1",)
        assert (head.needs_answer, head.failures, head.status) == (False, 0, Status.AI)
        assert app.observer.outcomes == ["stopped"]


async def test_before_the_turn_begins_no_answer_is_made() -> None:
    assistant = ScriptedSteps()
    async with harness(assistant) as app:
        user = await asking(app)
        await app.turns.stop_answer(user.customer)
        await app.clock.advance(10)

        assert user.words == [NOTICE]
        assert assistant.turns == 0
        assert app.clock.pending == 0


async def test_while_it_waits_for_a_slot_no_answer_is_made() -> None:
    assistant = ScriptedSteps([HANG])
    async with harness(assistant, limit_turns=1) as app:
        await app.user("b1", "another").say("Bună!")
        await app.quiet()
        user = await asking(app)
        await app.quiet()
        await app.turns.stop_answer(user.customer)
        await app.settle()

        assert user.words == [NOTICE]
        assert assistant.turns == 1


async def test_while_the_view_is_made_no_answer_is_made() -> None:
    businesses = FaultyBusinesses()
    businesses.hold = hold = Hold()
    assistant = ScriptedSteps()
    async with harness(assistant, businesses=businesses) as app:
        user = await asking(app)
        await app.quiet()
        assert hold.reached.is_set()
        await app.turns.stop_answer(user.customer)
        hold.release()
        await app.settle()

        assert user.words == [NOTICE]
        assert assistant.turns == 0


async def test_an_answer_that_is_being_stored_is_stored_whole() -> None:
    store = FaultyStore()
    async with harness(store=store) as app:
        user = await asking(app)
        hold = store.hold("append")
        await app.quiet()
        await app.turns.stop_answer(user.customer)
        hold.release()
        await app.settle()

        assert user.words == ["Răspuns."]
        assert app.observer.outcomes == ["answered"]


async def test_where_nothing_is_pending_nothing_happens() -> None:
    async with harness() as app:
        user = await asking(app)
        await app.quiet()
        await app.turns.stop_answer(user.customer)
        await app.turns.stop_answer(app.user("b1", "stranger").customer)
        await app.settle()

        assert user.words == ["Răspuns."]
        assert app.observer.outcomes == ["answered"]


async def test_what_was_written_meanwhile_is_answered_next() -> None:
    assistant = ScriptedSteps(["Da, ", HANG], ["Și asta."])
    async with harness(assistant) as app:
        user = await asking(app)
        await app.quiet()
        await user.say("Și mâine?")
        await app.turns.stop_answer(user.customer)
        await app.quiet()

        assert user.words == ["Da,", "Și asta."]


async def test_a_promise_in_what_was_written_is_kept() -> None:
    script = ScriptedSteps(["Vă transfer acum la un coleg", HANG])
    async with harness(script) as app:
        user = await asking(app)
        await app.quiet()
        await app.turns.stop_answer(user.customer)
        await app.settle()

        assert (await app.head(user.customer)).status is Status.WAITING
        assert app.observer.outcomes == ["stopped"]


async def test_what_a_tool_was_told_is_done_stays_done() -> None:
    async with harness(ScriptedSteps([transfer(), HANG])) as app:
        user = await asking(app)
        await app.quiet()
        await app.turns.stop_answer(user.customer)
        await app.settle()
        answer = next(message for message in user.messages if message.author is Author.AI)

        assert (await app.head(user.customer)).status is Status.WAITING
        assert [use.name for use in answer.tools] == ["transfer_to_live_chat"]


async def test_tools_that_only_looked_something_up_are_recorded_with_the_notice() -> None:
    async with harness(ScriptedSteps([call("get_business"), HANG])) as app:
        user = await asking(app)
        await app.quiet()
        await app.turns.stop_answer(user.customer)
        await app.settle()

        assert [use.name for use in user.messages[-1].tools] == ["get_business"]


async def test_a_takeover_and_a_stop_at_once_store_no_answer() -> None:
    async with harness(ScriptedSteps(["Da, ", HANG])) as app:
        user = await asking(app)
        await app.quiet()
        await app.coordinator().take_over(user)
        await app.turns.stop_answer(user.customer)
        await app.settle()

        assert await app.texts(user.customer, Author.AI) == []
        assert app.observer.outcomes == ["cancelled"]


async def test_the_cost_of_a_stopped_answer_is_counted() -> None:
    from application.ports import AnswerCancelled, AnswerWriter, Toolbox
    from domain.view import View

    class Paid(ScriptedSteps):
        """An assistant whose answers cost something, also where they are broken off."""

        async def answer(self, view: View, toolbox: Toolbox, writer: AnswerWriter) -> Usage | None:
            try:
                return await super().answer(view, toolbox, writer)
            finally:
                if self.broken_off:
                    raise AnswerCancelled(Usage(model="m", input_tokens=10, output_tokens=5))

    async with harness(Paid(["Da, ", HANG])) as app:
        user = await asking(app)
        await app.quiet()
        await app.turns.stop_answer(user.customer)
        await app.settle()
        usage = user.messages[-1].usage

        assert usage is not None
        assert usage.input_tokens == 10


async def test_what_is_said_after_a_stop_is_answered_also_where_another_process_was_stopped() -> (
    None
):
    clock = VirtualClock()
    assistant = ScriptedSteps(["Da, ", PAUSE, "desigur."], ["Și asta."])
    async with harness(assistant, clock=clock, network=Network(clock)) as app:
        user = await asking(app)
        await clock.advance(1)
        other = app.another()
        moved = other.user()
        await moved.join()
        await clock.advance(1)
        await other.turns.stop_answer(user.customer)
        await moved.say("Și mâine?")
        await clock.advance(5)

        assert moved.words == ["Da,", "Și asta."]
        assert assistant.turns == 2


@pytest.mark.parametrize("phase", ["quiet", "writing"])
async def test_a_turn_in_another_process_is_stopped(phase: str) -> None:
    clock = VirtualClock()
    assistant = ScriptedSteps(["Da, ", PAUSE, "desigur."])
    async with harness(assistant, clock=clock, network=Network(clock)) as app:
        user = await asking(app)
        other = app.another()
        moved = other.user()
        await moved.join()
        if phase == "writing":
            await clock.advance(1)
        await other.turns.stop_answer(user.customer)
        await clock.advance(20)

        assert user.words == moved.words == (["Da,"] if phase == "writing" else [NOTICE])
        assert assistant.turns == (phase == "writing")
        assert clock.pending == 0
