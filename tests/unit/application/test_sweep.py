"""The sweep: each due change is made once, at its time, in any number of processes."""

import asyncio
from datetime import datetime

import pytest

from adapters.memory.store import MemoryStore
from application.sweep import BATCH
from domain.errors import StorageUnavailable
from domain.identity import Customer
from domain.session import Draft
from domain.status import Reason, Status
from domain.texts import Text, localized
from domain.transfer import TransferState
from tests.support.assistants import HANG, ScriptedSteps
from tests.support.faults import FaultyStore
from tests.support.harness import harness

EXPIRED = f"{localized('ro', Text.EXPIRED)} {localized('ro', Text.LEAVE_MESSAGE)}"
IDLE = localized("ro", Text.IDLE)


async def test_a_transfer_that_nobody_accepts_expires_at_its_moment_and_is_told_once() -> None:
    async with harness(transfer_timeout_s=300) as app:
        user = app.user()
        await user.join()
        await user.ask_for_human()
        await app.clock.advance(299.999)
        early = await app.sweep(), list(user.words)
        await app.clock.advance(0.001)
        swept = [await app.sweep(), await app.sweep()]
        session = await app.head(user.customer)

        assert (early[0], len(early[1])) == (0, 1)
        assert swept == [1, 0]
        assert user.words[1:] == [EXPIRED]
        assert (session.status, session.reason) == (Status.AI, Reason.EXPIRED)
        assert session.transfer is not None
        assert session.transfer.state is TransferState.EXPIRED


async def test_what_was_written_in_vain_while_waiting_is_answered_then() -> None:
    assistant = ScriptedSteps()
    async with harness(assistant, transfer_timeout_s=300) as app:
        user = app.user()
        await user.join()
        await user.ask_for_human("Un om, vă rog")
        await user.say("Comanda mea e greșită")
        await app.clock.advance(300)
        await app.sweep()
        await app.quiet()

        assert assistant.asked == [["Comanda mea e greșită"]]
        assert user.words[1:] == [EXPIRED, "Răspuns."]


class _Poisoned(MemoryStore):
    """A store whose append crashes for one customer."""

    poisoned: Customer | None = None

    async def append(self, draft: Draft, due_at: datetime | None) -> None:
        if draft.session.customer == self.poisoned:
            raise RuntimeError("as told")
        await super().append(draft, due_at)


async def test_a_session_that_cannot_be_moved_on_holds_up_no_other() -> None:
    store = _Poisoned()
    async with harness(store=store, transfer_timeout_s=300) as app:
        users = [app.user("b1", name) for name in ("ana", "dan", "eva")]
        for user in users:
            await user.ask_for_human()
        store.poisoned = users[0].customer
        await app.clock.advance(300)

        with pytest.raises(RuntimeError, match="as told"):
            await app.sweep()
        statuses = [(await app.head(user.customer)).status for user in users]

    assert statuses == [Status.WAITING, Status.AI, Status.AI]


async def test_writing_does_not_put_off_the_expiry() -> None:
    async with harness(transfer_timeout_s=300) as app:
        user = app.user()
        await user.ask_for_human()
        await app.clock.advance(290)
        await user.say("Mai e cineva?")
        await app.clock.advance(10)
        await app.sweep()

        assert (await app.head(user.customer)).reason is Reason.EXPIRED


async def test_an_accepted_transfer_does_not_expire() -> None:
    async with harness(transfer_timeout_s=300) as app:
        user = app.user()
        await user.ask_for_human()
        await app.coordinator().take_over(user)
        await app.clock.advance(1_000)
        found = await app.sweep()

        assert found == 0
        assert (await app.head(user.customer)).status is Status.LIVE


async def test_a_transfer_of_another_process_expires_here() -> None:
    async with harness(transfer_timeout_s=300) as app:
        user = app.user()
        await user.say("Bună!")
        await app.quiet()
        elsewhere = app.another()
        await elsewhere.user().ask_for_human()
        await elsewhere.die()
        await app.clock.advance(300)
        await app.sweep()

        assert (await app.head(user.customer)).reason is Reason.EXPIRED


async def test_two_sweeps_at_once_tell_it_once() -> None:
    store = FaultyStore(yields=3)
    async with harness(store=store, transfer_timeout_s=300) as app:
        user = app.user()
        await user.join()
        await user.ask_for_human()
        await app.clock.advance(300)
        await asyncio.gather(app.sweep(), app.another().sweep())
        log = await app.stored(user.customer)

        assert len(log) == 4  # the request and its words, the expiry and its words


@pytest.mark.parametrize("status", [Status.AI, Status.LIVE])
async def test_a_silent_conversation_is_closed(status: Status) -> None:
    async with harness(session_idle_s=3_600) as app:
        user = app.user()
        await user.join()
        await user.say("Bună!")
        await app.quiet()
        if status is Status.LIVE:
            await app.coordinator().take_over(user)
        await app.clock.advance(3_599)
        early = await app.sweep()
        await app.clock.advance(1)
        await app.sweep()
        closed = await app.head(user.customer)
        await app.clock.advance(10_000)
        late = await app.sweep()
        reopened = await user.say("Sunt iar aici")

        assert (early, late) == (0, 0)
        assert (closed.status, closed.reason) == (Status.CLOSED, Reason.IDLE)
        assert reopened.session_id != closed.session_id
        assert user.words[-1] == IDLE


WEEK_S = 7 * 86_400


async def test_a_live_chat_is_not_closed_while_the_user_waits_for_an_answer_in_it() -> None:
    async with harness(session_idle_s=3_600) as app:
        user = app.user()
        await user.join()
        await user.ask_for_human()
        await app.coordinator().speak(user, "Bună ziua!")
        await user.say("Mai aveți locuri vineri?")
        await app.clock.advance(WEEK_S - 1)
        found = await app.sweep()
        await app.coordinator().speak(user, "Da, avem.")
        answered = await app.head(user.customer)
        await app.clock.advance(3_600)
        await app.sweep()

        assert found == 0
        assert answered.status is Status.LIVE
        assert (await app.head(user.customer)).reason is Reason.IDLE


async def test_a_question_that_nobody_answers_for_a_week_holds_no_session_open() -> None:
    async with harness(session_idle_s=3_600) as app:
        user = app.user()
        await user.join()
        await user.ask_for_human("Un om, vă rog")
        await app.coordinator().take_over(user)
        await app.clock.advance(WEEK_S)
        await app.sweep()
        head = await app.head(user.customer)

        assert (head.status, head.reason) == (Status.CLOSED, Reason.IDLE)
        assert user.words[-1] == IDLE


async def test_an_unanswered_conversation_is_answered_before_it_is_closed() -> None:
    async with harness(ScriptedSteps([HANG]), session_idle_s=100) as app:
        user = app.user()
        await user.say("Bună!")
        await app.die()
        await app.clock.advance(1_000)
        survivor = app.another(assistant=ScriptedSteps(["Iată."]))
        await survivor.sweep()
        await survivor.quiet()

        assert (await app.head(user.customer)).status is Status.AI
        assert (await app.head(user.customer)).settled_seq == 1


async def test_a_turn_under_way_is_not_swept_again() -> None:
    assistant = ScriptedSteps([HANG])
    async with harness(assistant) as app:
        users = [app.user("b1", f"u{number}") for number in range(BATCH)]
        for user in users:
            await user.say("Bună!")
        await app.die()
        await app.clock.advance(70)
        survivor = app.another(assistant=ScriptedSteps([HANG]))
        first = await survivor.sweep()
        while_waiting = await survivor.sweep()
        await survivor.quiet()
        while_running = await survivor.sweep()
        await survivor.die()

        assert (first, while_waiting, while_running) == (BATCH, 0, 0)


async def test_a_store_that_is_down_ends_the_pass_and_not_the_next() -> None:
    store = FaultyStore()
    async with harness(store=store, transfer_timeout_s=300) as app:
        user = app.user()
        await user.ask_for_human()
        await app.clock.advance(300)
        store.go_down()
        with pytest.raises(StorageUnavailable):
            await app.sweep()
        store.come_back()
        await app.sweep()

        assert (await app.head(user.customer)).reason is Reason.EXPIRED
