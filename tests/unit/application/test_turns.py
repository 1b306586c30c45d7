"""Turns: how they begin, what they publish, and every way in which they end."""

import asyncio
from datetime import datetime

import pytest
from msgspec.structs import replace

from adapters.memory.businesses import MemoryBusinesses
from application.ports import AnswerWriter, Appended, Assistant, Delta, SummaryResult, Toolbox
from domain.business import Reservation
from domain.errors import AssistantFailed, BridgeUnavailable, StorageUnavailable, TooLarge
from domain.handover import handover_context
from domain.identity import Customer
from domain.message import Author
from domain.session import Draft
from domain.status import Reason, Status
from domain.texts import Text, localized
from domain.view import View
from tests.support.assistants import HANG, PAUSE, RESTART, Act, ScriptedSteps, call, transfer
from tests.support.businesses import DEMO_BUSINESSES
from tests.support.faults import FaultyBusinesses, FaultyStore
from tests.support.harness import App, User, harness

APOLOGY = localized("ro", Text.APOLOGY)
APOLOGY_REQUESTED = localized("ro", Text.APOLOGY_REQUESTED)


async def asking(app: App, text: str = "Bună!") -> User:
    """A client that has joined and asked."""
    user = app.user()
    await user.join()
    await user.say(text)
    return user


# The answer as it comes.


async def test_the_pieces_of_an_answer_add_up_to_it() -> None:
    async with harness(ScriptedSteps(["  Un ", "răs", "puns. "])) as app:
        user = await asking(app)
        await app.quiet()
        answer = user.messages[-1]

        assert [delta.offset for delta in user.deltas] == [0, 5, 8]
        assert {delta.response_id for delta in user.deltas} == {answer.message_id}
        assert "".join(delta.text for delta in user.deltas).strip() == answer.text


async def test_typing_is_shown_while_the_ai_works_and_repeated_before_it_expires() -> None:
    async with harness(ScriptedSteps([HANG]), turn_timeout_s=30) as app:
        user = await asking(app)
        await app.quiet()
        await app.clock.advance(0.199)
        early = len(user.typing)
        await app.clock.advance(0.001)
        first = len(user.typing)
        await app.clock.advance(12)

        assert (early, first, len(user.typing)) == (0, 1, 4)
        assert all(sign.author == "ai" for sign in user.typing)
        assert user.typing[0].expires_in_ms > 4_000


async def test_no_typing_is_shown_after_the_answer() -> None:
    async with harness() as app:
        user = await asking(app)
        await app.clock.advance(60)

        assert user.typing == []
        assert app.clock.pending == 0


async def test_the_observer_learns_when_the_first_piece_came() -> None:
    async def think(_: object) -> None:
        await app.clock.sleep(1.5)

    async with harness(ScriptedSteps([think, "Da.", think])) as app:
        await asking(app)
        await app.clock.advance(5)

        assert app.observer.outcomes == ["answered"]
        assert app.observer.first_token_s == [1.5]
        assert app.observer.seconds == [3.0]


# Failures.


@pytest.mark.parametrize(
    "script",
    [
        pytest.param([AssistantFailed()], id="it says that it failed"),
        pytest.param([ValueError("a bug")], id="it breaks unexpectedly"),
        pytest.param(["O jumătate de ", StorageUnavailable()], id="it breaks in the middle"),
        pytest.param([], id="it says nothing"),
        pytest.param(["  ", "\n"], id="it says only blanks"),
    ],
)
async def test_an_ai_that_fails_apologises_and_offers_a_human(script: list[Act]) -> None:
    async with harness(ScriptedSteps(script)) as app:
        user = await asking(app)
        await app.quiet()
        apology = user.messages[-1]

        assert (apology.text, apology.author, apology.failed) == (APOLOGY, Author.SYSTEM, True)
        assert apology.in_reply_to != ()
        assert (await app.head(user.customer)).status is Status.AI
        assert app.observer.outcomes == ["failed"]
        assert app.observer.errors[0] is not None


async def test_an_ai_that_hangs_apologises_at_the_deadline() -> None:
    assistant = ScriptedSteps(["Stați ", HANG])
    async with harness(assistant, turn_timeout_s=10) as app:
        user = await asking(app)
        await app.quiet()
        await app.clock.advance(9.999)
        early = list(user.words)
        await app.clock.advance(0.001)

        assert early == []
        assert user.words == [APOLOGY]
        assert assistant.broken_off == 1
        assert app.observer.outcomes == ["timeout"]


async def test_the_deadline_spares_an_answer_that_is_being_stored() -> None:
    store = FaultyStore()
    async with harness(store=store, turn_timeout_s=10) as app:
        user = await asking(app)
        hold = store.hold("append")
        await app.quiet()
        await app.clock.advance(11)
        hold.release()
        await app.settle()

        assert user.words == ["Răspuns."]
        assert app.observer.outcomes == ["answered"]


async def test_failures_in_a_row_ask_for_a_human() -> None:
    async with harness(ScriptedSteps([AssistantFailed()])) as app:
        user = app.user()
        await user.join()
        for _ in range(3):
            await user.say("Bună!")
            await app.quiet()
        session = await app.head(user.customer)

        assert user.words == [APOLOGY, APOLOGY, APOLOGY_REQUESTED]
        assert (session.status, session.reason) == (Status.WAITING, Reason.AI_FAILURE)
        assert session.transfer is not None
        assert session.transfer.reason is Reason.AI_FAILURE


async def test_an_answer_between_two_failures_begins_the_count_anew() -> None:
    fails: list[Act] = [AssistantFailed()]
    async with harness(ScriptedSteps(fails, fails, ["Da."], fails, fails)) as app:
        user = app.user()
        await user.join()
        for _ in range(5):
            await user.say("Bună!")
            await app.quiet()

        assert (await app.head(user.customer)).status is Status.AI


async def test_after_a_human_the_ai_may_fail_anew_before_it_asks_again() -> None:
    async with harness(ScriptedSteps([AssistantFailed()]), ai_failures_before_transfer=2) as app:
        user = app.user()
        await user.join()
        for _ in range(2):
            await user.say("Bună!")
            await app.quiet()
        await app.coordinator().take_over(user)
        await app.coordinator().give_back(user)
        await user.say("Bună din nou!")
        await app.quiet()

        assert (await app.head(user.customer)).status is Status.AI
        assert user.words[-1] == APOLOGY


# Tools.


async def test_what_the_tools_found_becomes_the_answers_actions() -> None:
    script: list[Act] = [
        call("get_business"),
        call("get_reservations"),
        "Aveți o rezervare.",
    ]
    async with harness(ScriptedSteps(script)) as app:
        user = await asking(app)
        await app.quiet()
        business, reservations = user.messages[-1].actions

        assert (business["type"], business["name"]) == ("business_info", "Bistro Verde")
        assert reservations == {
            "type": "reservations",
            "items": [{"reservationId": "r-1001", "date": "2030-05-14", "time": "19:30",
                       "guests": 4, "name": "Masa 7"}],
        }  # fmt: skip


@pytest.mark.parametrize("allowed", [2, 1, 0])
async def test_a_turn_has_a_budget_of_tool_calls(allowed: int) -> None:
    script = ScriptedSteps([call("get_reservations"), call("get_business"), "Două."])
    async with harness(script, turn_max_tool_calls=allowed) as app:
        user = await asking(app)
        await app.quiet()

        assert user.words == ["Două."]
        assert len(user.messages[-1].tools) == allowed


async def test_a_user_who_is_handed_over_is_told_so_whatever_the_ai_says_beside_it() -> None:
    async with harness(ScriptedSteps([transfer(), "Înțeleg."])) as app:
        user = await asking(app)
        await app.quiet()

        assert user.words == ["Înțeleg.\n\n" + localized("ro", Text.REQUESTED)]


async def test_for_an_answer_that_no_store_can_keep_there_is_an_apology() -> None:
    class SmallStore(FaultyStore):
        """A store that refuses texts of more than a hundred characters."""

        async def append(self, draft: Draft, due_at: datetime | None) -> None:
            if any(len(entry.text) > 100 for entry in draft.entries):
                raise TooLarge
            await super().append(draft, due_at)

    async with harness(ScriptedSteps(["x" * 101]), store=SmallStore()) as app:
        user = await asking(app)
        await app.quiet()

        assert user.words == [APOLOGY]
        assert not (await app.head(user.customer)).needs_answer


async def test_the_result_of_a_tool_that_is_called_again_and_again_is_shown_once() -> None:
    look = [call("get_reservations"), call("get_business")]
    async with harness(ScriptedSteps([*look, *look, "Gata."])) as app:
        user = await asking(app)
        await app.quiet()
        answer = next(message for message in user.messages if message.author is Author.AI)

    assert [action["type"] for action in answer.actions] == ["reservations", "business_info"]


async def test_the_ai_cannot_transfer_twice_in_a_turn() -> None:
    async with harness(ScriptedSteps([transfer(), transfer(summary="a doua"), "Gata."])) as app:
        user = await asking(app)
        await app.quiet()

        assert [change.status for change in user.changes] == [Status.WAITING]
        assert (await app.head(user.customer)).handover_note == "a doua"


async def test_what_became_of_each_tool_call_is_stored_with_the_answer() -> None:
    class Away(MemoryBusinesses):
        """Businesses whose reservations cannot be reached."""

        async def reservations(self, customer: Customer) -> tuple[Reservation, ...]:
            raise BridgeUnavailable

    look = [call("get_business"), call("get_reservations")]
    script = ScriptedSteps([*look, transfer(), "Nu pot vedea rezervările."])
    async with harness(script, businesses=Away(DEMO_BUSINESSES)) as app:
        user = await asking(app)
        await app.quiet()
        answer = next(message for message in user.messages if message.author is Author.AI)
        context = handover_context(await app.head(user.customer), await app.stored(user.customer))

    assert [(use.name, use.outcome) for use in answer.tools] == [
        ("get_business", "found"),
        ("get_reservations", "failed"),
        ("transfer_to_live_chat", "done"),
    ]
    assert [action["type"] for action in answer.actions] == ["business_info", "live_chat"]
    assert context.tools_used == answer.tools


async def test_nothing_found_is_told_apart_from_nobody_knows() -> None:
    look = ScriptedSteps([call("get_reservations"), "Nu aveți rezervări."])
    async with harness(look, businesses=MemoryBusinesses((), {})) as app:
        user = await asking(app)
        await app.quiet()
        answer = user.messages[-1]

        assert [use.outcome for use in answer.tools] == ["nothing"]
        assert answer.actions == ({"type": "reservations", "items": []},)


# An answer that begins again.


async def test_an_answer_that_begins_again_streams_from_index_0_and_leaves_nothing_behind() -> None:
    script = ScriptedSteps(["Prima ", "parte", RESTART, "A ", "doua."])
    async with harness(script) as app:
        user = await asking(app)
        await app.quiet()

        assert [delta.offset for delta in user.deltas] == [0, 6, 0, 2]
        assert user.words == ["A doua."]


async def test_an_answer_that_begins_again_and_fails_is_an_apology() -> None:
    async with harness(ScriptedSteps(["Prima ", RESTART, AssistantFailed()])) as app:
        user = await asking(app)
        await app.quiet()

        assert user.words == [APOLOGY]


async def test_a_first_piece_is_counted_even_if_it_was_taken_back() -> None:
    async def think(_: object) -> None:
        await app.clock.sleep(1.0)

    async with harness(ScriptedSteps(["Prima ", think, RESTART, "A doua."])) as app:
        await asking(app)
        await app.clock.advance(5)

        assert app.observer.first_token_s == [0.0]


# What surrounds the AI.


async def test_an_answer_does_not_wait_for_the_businesss_facts() -> None:
    assistant = ScriptedSteps()
    async with harness(assistant, businesses=FaultyBusinesses(StorageUnavailable())) as app:
        user = await asking(app)
        await app.quiet()

        assert user.words == ["Răspuns."]
        assert assistant.views[0].business is None


async def test_what_breaks_around_the_ai_is_reported_and_the_turn_taken_up_again() -> None:
    businesses = FaultyBusinesses(ValueError("a bug in the adapter"))
    async with harness(businesses=businesses) as app:
        user = await asking(app)
        await app.quiet()
        error, businesses.error = app.observer.errors[0], None
        await app.clock.advance(70)
        await app.sweep()
        await app.quiet()

        assert isinstance(error, ValueError)
        assert app.observer.outcomes == ["failed", "answered"]
        assert user.words == ["Răspuns."]


async def test_a_wake_without_anything_owed_is_no_turn() -> None:
    assistant = ScriptedSteps()
    async with harness(assistant) as app:
        user = await asking(app)
        await app.quiet()
        app.turns.wake(user.customer)
        app.turns.wake(app.user("b1", "stranger").customer)
        await app.quiet()

        assert assistant.turns == 1
        assert app.observer.outcomes == ["answered"]


async def test_a_turn_that_is_cancelled_before_it_began_blocks_no_later_one() -> None:
    async with harness(turn_quiet_ms=0) as app:
        user = await asking(app)
        app.turns.cancel(user.customer)  # the turn's task has not had its first step yet
        await app.settle()
        await user.say("Mai sunteți?")
        await app.settle()

        assert user.words == ["Răspuns."]


async def test_nothing_starts_after_the_stop() -> None:
    assistant = ScriptedSteps([HANG])
    async with harness(assistant, turn_quiet_ms=0) as app:
        user = await asking(app)
        await app.settle()
        await user.say("Mai sunteți?")
        await app.turns.stop()
        await app.clock.advance(60)

        assert assistant.turns == 1
        assert app.clock.pending == 0


async def test_stop_cancels_what_waits_for_the_users_silence() -> None:
    assistant = ScriptedSteps()
    async with harness(assistant) as app:
        await asking(app)
        await app.turns.stop()
        await app.clock.advance(60)

        assert assistant.turns == 0
        assert app.clock.pending == 0


async def test_a_conversation_that_changes_hands_while_the_user_is_quiet_starts_no_turn() -> None:
    assistant = ScriptedSteps()
    async with harness(assistant) as app:
        user = await asking(app)
        await user.ask_for_human()
        await app.clock.advance(5)

        assert assistant.turns == 0
        assert app.observer.outcomes == []


async def test_turns_of_different_customers_run_side_by_side() -> None:
    assistant = ScriptedSteps([PAUSE, "Gata."])
    async with harness(assistant) as app:
        users = [app.user("b1", f"u{number}") for number in range(5)]
        await asyncio.gather(*(user.say("Bună!") for user in users))
        await app.quiet()
        for _ in users:
            assistant.go()
        await app.settle()

        assert assistant.most_at_once == 5
        assert app.observer.outcomes == ["answered"] * 5


async def test_an_assistants_last_words_are_shown_to_no_one() -> None:
    class Talkative(Assistant):
        """An assistant that goes on writing after it is cancelled."""

        async def answer(self, view: View, toolbox: Toolbox, say: AnswerWriter) -> None:
            try:
                await asyncio.get_running_loop().create_future()
            except asyncio.CancelledError:
                say("Încă un cuvânt")
                raise

        async def summarise(self, *_: object, **__: object) -> SummaryResult:
            raise AssistantFailed

    async with harness(Talkative()) as app:
        user = await asking(app)
        await app.quiet()
        await app.coordinator().take_over(user)
        await app.settle()

        assert user.deltas == []
        assert app.observer.outcomes == ["cancelled"]


async def test_a_late_event_of_an_earlier_requests_delivery_cancels_no_turn() -> None:
    assistant = ScriptedSteps([PAUSE, "Da."])
    async with harness(assistant) as app:
        user = await asking(app)
        await user.ask_for_human()
        waiting = user.changes[-1]
        await user.end_live_chat()
        await user.say("Încă ceva")
        await app.quiet()
        delivered = replace(waiting, seq=waiting.seq + 1, reason=Reason.DELIVERED)
        session_id = await app.session_id(user.customer)
        app.hub.publish(user.customer, Appended(session_id, (delivered,), None))
        assistant.go()
        await app.quiet()

        assert app.observer.outcomes == ["answered"]


async def test_no_piece_is_published_after_the_takeover() -> None:
    assistant = ScriptedSteps(["Unu ", PAUSE, "doi ", PAUSE, "trei."])
    async with harness(assistant) as app:
        user = await asking(app)
        await app.quiet()
        heard = app.listen(user.customer)
        assistant.go()
        assistant.go()
        await app.coordinator().take_over(user)
        await app.settle()
        kinds = [type(event) for event in heard]

        assert Delta not in kinds[kinds.index(type(heard[-1])) + 1 :]
        assert await app.texts(user.customer, Author.AI) == []


# A store that is away when an answer is there.


async def test_an_answer_is_kept_until_the_store_is_back() -> None:
    store, assistant = FaultyStore(), ScriptedSteps(["Da, ", PAUSE, "sigur."])
    async with harness(assistant, store) as app:
        user = await asking(app)
        await app.quiet()
        store.go_down()
        assistant.go()
        await app.clock.advance(6)
        meanwhile = list(user.words)
        store.come_back()
        await app.clock.advance(2)

        assert (meanwhile, user.words) == ([], ["Da, sigur."])
        assert user.messages[-1].message_id == user.deltas[0].response_id
        assert assistant.turns == 1
        assert app.observer.outcomes == ["answered"]


async def test_an_answer_is_kept_until_the_turns_deadline_and_no_longer() -> None:
    store = FaultyStore()
    async with harness(assistant := ScriptedSteps([PAUSE, "Da."]), store, turn_timeout_s=30) as app:
        user = await asking(app)
        await app.quiet()
        store.go_down()
        assistant.go()
        await app.clock.advance(29.9)
        kept = list(app.observer.outcomes)
        await app.clock.advance(0.1)
        store.come_back()
        await app.clock.advance(3)

        assert (kept, app.observer.outcomes) == ([], ["failed"])
        assert isinstance(app.observer.errors[0], StorageUnavailable)
        assert user.words == []
        assert 15 <= store.calls["append"] <= 25


async def test_an_answer_that_fits_the_last_moment_is_stored_in_it() -> None:
    store = FaultyStore()
    async with harness(assistant := ScriptedSteps([PAUSE, "Da."]), store, turn_timeout_s=30) as app:
        user = await asking(app)
        await app.quiet()
        store.go_down()
        assistant.go()
        await app.clock.advance(29.9)
        store.come_back()
        await app.clock.advance(0.1)

        assert user.words == ["Da."]


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_a_takeover_drops_an_answer_that_waits_for_the_store(elsewhere: bool) -> None:
    store = FaultyStore()
    async with harness(assistant := ScriptedSteps([PAUSE, "Da."]), store) as app:
        user = await asking(app)
        await app.quiet()
        store.fail("append", 2)
        assistant.go()
        await app.settle()
        await app.clock.advance(0.1)
        process = app.another() if elsewhere else app
        await process.coordinator().take_over(user)
        await app.clock.advance(5)

        assert app.observer.outcomes == ["dropped" if elsewhere else "cancelled"]
        assert await app.texts(user.customer, Author.AI) == []


async def test_a_message_meanwhile_is_the_next_turns_and_keeps_no_answer_from_being_stored() -> (
    None
):
    store = FaultyStore()
    async with harness(assistant := ScriptedSteps([PAUSE, "Întâi."], ["Apoi."]), store) as app:
        user = await asking(app)
        await app.quiet()
        store.fail("append", 1)
        assistant.go()
        await app.settle()
        await user.say("Și mâine?")
        await app.clock.advance(5)

        assert user.words == ["Întâi.", "Apoi."]


async def test_an_answer_whose_store_response_was_lost_is_pushed_and_stored_once() -> None:
    store = FaultyStore()
    async with harness(assistant := ScriptedSteps([PAUSE, "Da."]), store) as app:
        user = await asking(app)
        await app.quiet()
        store.lose_answer("append")
        assistant.go()
        await app.clock.advance(1)

        assert user.words == ["Da."]
        assert await app.texts(user.customer, Author.AI) == ["Da."]
        assert app.observer.outcomes == ["answered"]


async def test_an_answer_whose_store_response_was_lost_is_not_void_because_of_itself() -> None:
    store, assistant = FaultyStore(), ScriptedSteps([PAUSE, "Vă transfer acum la un coleg."])
    async with harness(assistant, store) as app:
        user = await asking(app)
        await app.quiet()
        store.lose_answer("append")
        assistant.go()
        await app.settle()
        entries = tuple(await app.stored(user.customer))[1:]
        app.hub.publish(user.customer, Appended(await app.session_id(user.customer), entries))
        await app.clock.advance(1)

        assert user.changes[-1].status is Status.WAITING
        assert app.observer.outcomes == ["transferred"]


async def test_an_apology_waits_for_the_store_as_an_answer_does() -> None:
    store = FaultyStore()
    async with harness(assistant := ScriptedSteps([PAUSE, AssistantFailed()]), store) as app:
        user = await asking(app)
        await app.quiet()
        store.fail("append", 3)
        assistant.go()
        await app.clock.advance(2)

        assert user.words == [APOLOGY]


async def test_the_end_of_the_process_ends_an_answer_that_waits_for_the_store() -> None:
    store = FaultyStore()
    async with harness(assistant := ScriptedSteps([PAUSE, "Da."]), store) as app:
        user = await asking(app)
        await app.quiet()
        store.go_down()
        assistant.go()
        await app.clock.advance(1)
        draining = asyncio.create_task(app.turns.drain())
        await app.settle()
        waits = not draining.done()
        await app.turns.stop()
        await draining
        store.come_back()
        again = app.another(assistant=ScriptedSteps(["Din nou."]))
        await app.clock.advance(70)
        await again.sweep()
        await again.quiet()

        assert waits
        assert app.observer.outcomes == ["cancelled"]
        assert await app.texts(user.customer, Author.AI) == ["Din nou."]
