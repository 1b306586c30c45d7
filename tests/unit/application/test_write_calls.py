"""Rule 14: what changes something outside is done once, and its outcome is in the log.

The server of tools counts what reaches it, whatever happens to the processes that call it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, cast

import pytest
from msgspec.structs import replace

from adapters.memory.businesses import MemoryBusinesses
from application.ports import Toolbox, ToolResult
from application.write_calls import shown_arguments
from domain.errors import (
    ConfirmationExpired,
    ConfirmationWithdrawn,
    StorageUnavailable,
    ToolNotCalled,
    ToolUnanswered,
    UnknownConfirmation,
)
from domain.identity import CoordinatorId
from domain.message import Audience, Author, Message, StatusChange
from domain.session import OUTCOME_WITHIN
from domain.status import Status
from domain.texts import Text, localized
from domain.tool import Confirmer
from domain.write_call import WriteState, WriteStep
from tests.support.assistants import HANG, PAUSE, Act, ScriptedSteps
from tests.support.business_tools import SERVER, MemoryTools, booking_tool, with_tools
from tests.support.clock import SkewedClock
from tests.support.faults import FaultyStore
from tests.support.harness import App, User, harness

ARGUMENTS = {"date": "2026-12-01", "guests": 4}
WHAT = "Rezervare masă (Ziua: 2026-12-01, Persoane: 4)"
ANA = CoordinatorId("ana")
ONE = {"turn_quiet_ms": 0}


class Reserving:
    """A step that reserves a table, and keeps what the model is told of it."""

    def __init__(self, name: str = "reserve_table", **changed: object) -> None:
        self._name = name
        self._arguments = {**ARGUMENTS, **changed}
        self.results: list[ToolResult] = []

    async def __call__(self, toolbox: Toolbox) -> None:
        self.results.append(await toolbox.call(self._name, self._arguments))

    @property
    def told(self) -> str:
        """What the model was told last."""
        return self.results[-1].text


@asynccontextmanager
async def booking(
    *script: list[Act], tools: MemoryTools | None = None, **settings: Any
) -> AsyncIterator[tuple[App, MemoryTools, User]]:
    """Run a process whose business has the booking server, with a customer who has joined."""
    tools = tools or MemoryTools()
    businesses = MemoryBusinesses((with_tools(),))
    async with harness(
        ScriptedSteps(*script), businesses=businesses, tools=tools, **settings
    ) as app:
        user = app.user()
        await user.join()
        yield app, tools, user


def scripted(app: App) -> ScriptedSteps:
    assert isinstance(app.assistant, ScriptedSteps)
    return app.assistant


async def steps(app: App, user: User) -> list[WriteStep]:
    """Return the steps of calls in the customer's newest session, in order."""
    entries = await app.stored(user.customer)
    return [entry.write for entry in entries if isinstance(entry, Message) and entry.write]


async def states(app: App, user: User) -> list[WriteState]:
    return [step.state for step in await steps(app, user)]


async def answer(app: App, user: User) -> Message:
    """Return the newest message of the AI, or of the server in its place."""
    entries = await app.stored(user.customer)
    return [e for e in entries if isinstance(e, Message) and e.settles_seq][-1]


async def ask(app: App, user: User, text: str = "O masă pentru patru, vă rog") -> None:
    """Say something, and let the AI answer."""
    await user.say(text)
    await app.quiet()
    await app.settle()


# Once, and in the log.


async def test_a_call_is_in_the_log_before_it_is_made_and_its_outcome_before_the_answer() -> None:
    reserve, seen = Reserving(), list[WriteState]()
    tools = MemoryTools()
    async with booking([reserve, "Am rezervat."], tools=tools) as (app, _, user):

        def look() -> None:
            log = app.store._logs[next(iter(app.store._logs))]
            seen.extend(e.write.state for e in log.entries if isinstance(e, Message) and e.write)

        tools.before.append(look)
        await ask(app, user)

        assert seen == [WriteState.STARTED]
        assert await states(app, user) == [WriteState.STARTED, WriteState.DONE]
        started, done = await steps(app, user)
        assert (started.what, done.result) == (WHAT, "Rezervat, cod R-7.")
        assert (await answer(app, user)).text == "Am rezervat."
        assert "Rezervat, cod R-7." in reserve.told


async def test_the_key_is_the_id_of_the_call_which_is_unique_for_ever() -> None:
    async with booking([Reserving(), Reserving(guests=5), "Gata."], [Reserving(), "Iar."]) as (
        app,
        tools,
        user,
    ):
        await ask(app, user)
        await ask(app, user, "Încă una")

        keys = [request.key for request in tools.requests]
        session_id = await app.session_id(user.customer)
        assert keys == [step.call_id for step in await steps(app, user)][::2]
        assert len(set(keys)) == 3
        assert all(key and key.startswith(f"{session_id}-") for key in keys)


async def test_what_is_bound_to_the_session_comes_from_it() -> None:
    async with booking([Reserving(customer="u2"), "Gata."]) as (app, tools, user):
        await ask(app, user)

        assert tools.requests[0].customer == user.customer


async def test_the_same_call_is_made_once_in_a_turn() -> None:
    first, again = Reserving(), Reserving()
    async with booking([first, again, "Gata."]) as (app, tools, user):
        await ask(app, user)

        assert len(tools.requests) == 1
        assert again.told == first.told


async def test_steps_are_shown_to_coordinators_and_not_to_the_customer() -> None:
    async with booking([Reserving(), "Gata."]) as (app, _, user):
        await ask(app, user)

        hidden = [e for e in await app.stored(user.customer) if isinstance(e, Message) and e.write]
        assert {entry.audience for entry in hidden} == {Audience.COORDINATOR}
        assert [message.text for message in user.messages] == ["Gata."]


async def test_wrong_arguments_are_told_to_the_model_and_nothing_begins() -> None:
    reserve = Reserving(guests=None)
    del reserve._arguments["guests"]
    async with booking([reserve, "Câți sunteți?"]) as (app, tools, user):
        await ask(app, user)

        assert "guests is missing" in reserve.told
        assert (tools.requests, await steps(app, user)) == ([], [])


async def test_a_refusal_by_the_tool_is_told_as_such() -> None:
    reserve, tools = Reserving(), MemoryTools()
    tools.refusal = "Nu mai sunt mese."
    async with booking([reserve, "Îmi pare rău."], tools=tools) as (app, _, user):
        await ask(app, user)

        assert await states(app, user) == [WriteState.STARTED, WriteState.FAILED]
        assert "Nu mai sunt mese." in reserve.told


async def test_a_tool_that_was_certainly_not_called_has_failed() -> None:
    tools = MemoryTools()
    tools.failure = ToolNotCalled("its server is away")
    async with booking([Reserving(), "Nu merge."], tools=tools) as (app, _, user):
        await ask(app, user)

        assert await states(app, user) == [WriteState.STARTED, WriteState.FAILED]


@pytest.mark.parametrize("error", [ToolUnanswered(), RuntimeError("a bug")])
@pytest.mark.parametrize("is_done", [True, False])
async def test_an_unknown_outcome_is_said_as_such_and_the_call_is_not_repeated(
    error: Exception, is_done: bool
) -> None:
    first, again, tools = Reserving(), Reserving(), MemoryTools()
    if is_done:
        tools.failure_after = error
    else:
        tools.failure = error
    async with booking([first, again, "Am rezervat!"], tools=tools) as (app, _, user):
        await ask(app, user)

        assert len(tools.requests) == 1
        assert await states(app, user) == [WriteState.STARTED, WriteState.UNKNOWN]
        assert "not known" in again.told
        said = (await answer(app, user)).text
        assert localized("ro", Text.WRITE_UNKNOWN, what=WHAT) in said


@pytest.mark.parametrize(("is_done", "state"), [(True, "done"), (False, "failed")])
async def test_a_look_up_settles_what_is_unknown_once_the_calls_time_is_over(
    is_done: bool, state: str
) -> None:
    tools = MemoryTools(booking_tool(has_look_up=True))
    if is_done:
        tools.failure_after = ToolUnanswered()
    else:
        tools.failure = ToolUnanswered()
    async with booking([Reserving(), "Gata."], tools=tools) as (app, _, user):
        await ask(app, user)
        assert tools.looked_up == []
        await app.clock.advance(15)

        assert await states(app, user) == ["started", state]
        assert len(tools.requests) == 1


# The conversation changes hands.


async def test_after_a_takeover_none_begins() -> None:
    async with booking([PAUSE, Reserving(), "Gata."]) as (app, tools, user):
        await ask(app, user)
        await app.coordinator("ana").take_over(user)
        scripted(app).go()
        await app.settle()

        assert (tools.requests, await steps(app, user)) == ([], [])


async def test_after_a_takeover_that_this_process_does_not_hear_of_none_begins() -> None:
    async with booking([PAUSE, Reserving(), "Gata."]) as (app, tools, user):
        await ask(app, user)
        other = app.another()
        await other.coordinator("ana").take_over(user)
        scripted(app).go()
        await app.settle()

        assert (tools.requests, await steps(app, user)) == ([], [])
        assert "Gata." not in user.words


async def test_a_takeover_that_is_stored_while_the_call_begins_lets_it_be_called_no_more() -> None:
    store, tools = FaultyStore(), MemoryTools()
    businesses = MemoryBusinesses((with_tools(),))
    assistant = ScriptedSteps([PAUSE, Reserving(), "Gata."])
    async with harness(assistant, store, businesses=businesses, tools=tools) as app:
        user = app.user()
        await user.join()
        await ask(app, user)
        hold = store.hold("append")
        assistant.go()
        await hold.reached.wait()
        taking = asyncio.create_task(app.coordinator("ana").take_over(user))
        await app.settle()
        hold.release()
        await taking
        await app.settle()

        entries = await app.stored(user.customer)
        changes = [entry.seq for entry in entries if isinstance(entry, StatusChange)]
        begun = [e.seq for e in entries if isinstance(e, Message) and e.write]
        if tools.requests:
            assert begun[0] < changes[0]
        assert await states(app, user) in ([], ["started", "done"], ["started", "failed"])
        assert "Gata." not in user.words


async def test_the_outcome_of_a_call_under_way_is_stored_after_a_takeover() -> None:
    tools = MemoryTools()
    tools.hold = asyncio.Event()
    async with booking([Reserving(), "Gata."], tools=tools) as (app, _, user):
        await ask(app, user)
        await app.coordinator("ana").take_over(user)
        tools.hold.set()
        await app.settle()

        assert await states(app, user) == [WriteState.STARTED, WriteState.DONE]
        assert (await app.head(user.customer)).status is Status.LIVE
        assert "Gata." not in user.words


async def test_the_outcome_of_a_call_under_way_is_stored_after_the_session_was_closed() -> None:
    tools = MemoryTools()
    tools.hold = asyncio.Event()
    async with booking([Reserving(), HANG], ["Bună!"], tools=tools) as (app, _, user):
        await ask(app, user)
        closed = await app.session_id(user.customer)
        await app.coordinator("ana").close(user)
        await user.say("Bună!")
        tools.hold.set()
        await app.settle()

        entries = await app.store.page(closed, limit=50)
        found = [e.write.state for e in entries if isinstance(e, Message) and e.write]
        assert found == [WriteState.STARTED, WriteState.DONE]


# Processes that die, and several at once.


async def test_what_a_dead_process_has_begun_is_unknown_and_never_repeated() -> None:
    tools = MemoryTools()
    tools.hold_after = asyncio.Event()
    async with booking([Reserving(), "Gata."], tools=tools) as (app, _, user):
        await ask(app, user)
        await app.vanish()
        again = Reserving()
        survivor = app.another(assistant=ScriptedSteps([again, "Am rezervat."]))
        await survivor.user().join()
        await survivor.quiet()
        await app.clock.advance(20)

        assert len(tools.requests) == 1
        assert await states(app, user) == [WriteState.STARTED, WriteState.UNKNOWN]
        assert "not known" in again.told
        assert localized("ro", Text.WRITE_UNKNOWN, what=WHAT) in (await answer(app, user)).text


async def test_what_a_dead_process_has_done_is_told_by_the_next() -> None:
    async with booking([Reserving(), HANG]) as (app, tools, user):
        await ask(app, user)
        await app.vanish()
        again = Reserving()
        survivor = app.another(assistant=ScriptedSteps([again, "Am rezervat."]))
        await survivor.user().join()
        await survivor.quiet()
        await survivor.settle()

        assert len(tools.requests) == 1
        assert "Rezervat, cod R-7." in again.told
        assert (await answer(app, user)).text == "Am rezervat."


async def test_a_look_up_settles_what_a_dead_process_has_begun() -> None:
    tools = MemoryTools(booking_tool(has_look_up=True))
    tools.hold_after = asyncio.Event()
    async with booking([Reserving(), "Gata."], tools=tools) as (app, _, user):
        await ask(app, user)
        await app.vanish()
        survivor = app.another(assistant=ScriptedSteps(["Este rezervat."]))
        await survivor.user().join()
        await survivor.quiet()
        await app.clock.advance(20)

        assert await states(app, user) == [WriteState.STARTED, WriteState.DONE]
        assert (await answer(app, user)).text == "Este rezervat."
        assert len(tools.requests) == 1


async def test_of_two_processes_that_run_a_turn_one_does_something() -> None:
    """Also where each model has decided another thing: the customer has asked for one."""
    mine, others = Reserving(guests=4), Reserving(guests=5)
    async with booking([PAUSE, mine, "Patru."]) as (app, tools, user):
        await ask(app, user)
        second = app.another(assistant=ScriptedSteps([others, PAUSE, "Cinci."], ["Iată."]))
        watcher = second.user()
        await watcher.join()
        await second.quiet()
        scripted(app).go()
        await app.settle()
        scripted(second).go()
        await second.settle()
        await app.clock.advance(60)
        await app.sweep()
        await second.sweep()
        await app.clock.advance(5)

        assert len(tools.requests) == 1
        answers = [e for e in await app.stored(user.customer) if isinstance(e, Message)]
        assert len([e for e in answers if e.settles_seq]) == 1


async def test_an_outcome_waits_for_the_store() -> None:
    store, tools = FaultyStore(), MemoryTools()
    tools.hold = asyncio.Event()
    businesses = MemoryBusinesses((with_tools(),))
    assistant = ScriptedSteps([Reserving(), "Gata."])
    async with harness(assistant, store, businesses=businesses, tools=tools) as app:
        user = app.user()
        await user.join()
        await ask(app, user)
        store.fail("append")
        tools.hold.set()
        await app.settle()
        await app.clock.advance(10)

        assert await states(app, user) == [WriteState.STARTED, WriteState.DONE]
        assert (await answer(app, user)).text == "Gata."


async def test_an_answer_that_is_stopped_tells_what_was_done_meanwhile() -> None:
    tools = MemoryTools()
    tools.hold = asyncio.Event()
    async with booking([Reserving(), "Gata."], tools=tools) as (app, _, user):
        await ask(app, user)
        await app.turns.stop_answer(user.customer)
        await app.settle()
        assert (await app.head(user.customer)).needs_answer
        tools.hold.set()
        await app.settle()

        said = (await answer(app, user)).text
        assert localized("ro", Text.WRITE_DONE, what=WHAT) in said
        assert await states(app, user) == [WriteState.STARTED, WriteState.DONE]


async def test_an_apology_tells_what_was_done() -> None:
    async with booking([Reserving(), RuntimeError("the model is away")]) as (app, _, user):
        await ask(app, user)

        said = await answer(app, user)
        assert said.failed
        assert localized("ro", Text.WRITE_DONE, what=WHAT) in said.text


async def test_an_outcome_that_nobody_stores_is_unknown_in_the_end() -> None:
    tools = MemoryTools()
    tools.hold_after = asyncio.Event()
    async with booking([Reserving(), HANG], tools=tools) as (app, _, user):
        await ask(app, user)
        await app.coordinator("ana").take_over(user)
        await app.vanish()
        survivor = app.another()
        await app.clock.advance(400)
        await survivor.sweep()

        assert await states(app, user) == [WriteState.STARTED, WriteState.UNKNOWN]


# A yes.


def asking(confirm: Confirmer = Confirmer.CUSTOMER, **changed: Any) -> MemoryTools:
    return MemoryTools(booking_tool(confirm=confirm, **changed))


async def confirm_id(app: App, user: User) -> str:
    question = (await app.head(user.customer)).question
    assert question is not None
    return question.call_id


async def test_a_call_waits_for_the_customers_yes() -> None:
    reserve = Reserving()
    async with booking([reserve, "Verific."], ["Gata."], tools=asking()) as (app, tools, user):
        await ask(app, user)

        said = await answer(app, user)
        assert tools.requests == []
        assert said.text == f"Verific.\n\n{localized('ro', Text.CONFIRM, what=WHAT)}"
        question = said.actions[-1]
        assert (question["type"], question["by"]) == ("confirm", "customer")
        assert question["confirmId"] == await confirm_id(app, user)
        assert question["items"] == [
            {"label": "Ziua", "value": "2026-12-01"},
            {"label": "Persoane", "value": "4"},
        ]
        assert "not been done" in reserve.told


@pytest.mark.parametrize("words", ["Da", "da, vă rog!", " DA. ", "👍"])
async def test_a_yes_in_words_does_it_once_and_the_ai_is_told(words: str) -> None:
    script: list[list[Act]] = [[Reserving(), "Verific."], ["Am rezervat."]]
    async with booking(*script, tools=asking()) as (app, tools, user):
        await ask(app, user)
        call_id = await confirm_id(app, user)
        await ask(app, user, words)

        assert [request.key for request in tools.requests] == [call_id]
        assert await states(app, user) == ["proposed", "approved", "started", "done"]
        said = await answer(app, user)
        assert said.text == "Am rezervat."
        assert {"type": "confirmation", "confirmId": call_id, "state": "done"} in said.actions
        shown = [e.write.state for e in scripted(app).views[1].entries
                 if isinstance(e, Message) and e.write]  # fmt: skip
        assert shown == ["proposed", "approved", "started", "done"]


@pytest.mark.parametrize("words", ["da, dar la ora opt", "dacă", "cât costă?", "da?", "yes we can"])
async def test_what_is_not_all_of_a_yes_is_none_and_the_question_stays_open(words: str) -> None:
    script: list[list[Act]] = [[Reserving(), "Verific."], ["Sigur?"]]
    async with booking(*script, tools=asking()) as (app, tools, user):
        await ask(app, user)
        await ask(app, user, words)

        assert tools.requests == []
        assert (await app.head(user.customer)).question is not None


async def test_a_yes_to_something_else_than_the_newest_words_is_none() -> None:
    script: list[list[Act]] = [[Reserving(), "Verific."], ["Doriți și parcare?"], ["Bine."]]
    async with booking(*script, tools=asking()) as (app, tools, user):
        await ask(app, user)
        await ask(app, user, "Aveți parcare?")
        await ask(app, user, "da")

        assert tools.requests == []
        assert await app.confirmations.by_customer(
            user.customer, await confirm_id(app, user), answer=True
        )
        await app.quiet()
        await app.settle()
        assert len(tools.requests) == 1


async def test_a_no_is_told_to_the_ai_and_nothing_is_done() -> None:
    script: list[list[Act]] = [[Reserving(), "Verific."], ["Am înțeles."]]
    async with booking(*script, tools=asking()) as (app, tools, user):
        await ask(app, user)
        await ask(app, user, "Nu, mulțumesc")

        assert tools.requests == []
        assert await states(app, user) == ["proposed", "rejected"]
        assert (await app.head(user.customer)).question is None
        assert (await answer(app, user)).text == "Am înțeles."


async def test_a_yes_by_button_counts_days_later_on_another_process_and_once() -> None:
    async with booking([Reserving(), "Verific."], tools=asking()) as (app, tools, user):
        await ask(app, user)
        call_id = await confirm_id(app, user)
        await app.die()
        other = app.another(assistant=ScriptedSteps(["Am rezervat."]))
        await app.clock.advance(40 * 3600)
        await other.sweep()
        given = [
            await other.confirmations.by_customer(user.customer, call_id, answer=each)
            for each in (True, True, False)
        ]
        await other.quiet()
        await other.settle()

        assert given == [True, True, True]
        assert len(tools.requests) == 1
        assert await app.texts(user.customer, Author.USER) == ["O masă pentru patru, vă rog", "Da"]


async def test_a_question_without_an_answer_expires_and_that_is_said() -> None:
    script: list[list[Act]] = [[Reserving(), "Verific."], ["Bine."]]
    async with booking(*script, tools=asking()) as (app, tools, user):
        await ask(app, user)
        call_id = await confirm_id(app, user)
        await app.clock.advance(48 * 3600)
        await app.sweep()

        assert await states(app, user) == ["proposed", "expired"]
        assert user.messages[-1].text == localized("ro", Text.CONFIRM_EXPIRED, what=WHAT)
        with pytest.raises(ConfirmationExpired):
            await app.confirmations.by_customer(user.customer, call_id, answer=True)
        await ask(app, user, "da")
        assert tools.requests == []


async def test_a_takeover_withdraws_the_question_and_that_is_said() -> None:
    async with booking([Reserving(), "Verific."], tools=asking()) as (app, tools, user):
        await ask(app, user)
        call_id = await confirm_id(app, user)
        await app.coordinator("ana").take_over(user)

        assert await states(app, user) == ["proposed", "withdrawn"]
        withdrawn = localized("ro", Text.CONFIRM_WITHDRAWN, what=WHAT)
        assert withdrawn in [message.text for message in user.messages]
        with pytest.raises(ConfirmationWithdrawn):
            await app.confirmations.by_customer(user.customer, call_id, answer=True)
        await ask(app, user, "da")
        assert tools.requests == []


async def test_a_yes_that_a_takeover_follows_before_the_call_begins_does_nothing() -> None:
    async with booking([Reserving(), "Verific."], tools=asking()) as (app, tools, user):
        await ask(app, user)
        await user.say("da")
        await app.coordinator("ana").take_over(user)
        await app.quiet()
        await app.settle()

        assert tools.requests == []
        assert await states(app, user) == ["proposed", "approved", "withdrawn"]


async def test_a_new_question_takes_the_place_of_an_open_one() -> None:
    script: list[list[Act]] = [[Reserving(), "Verific."], [Reserving(guests=5), "Cinci."]]
    async with booking(*script, tools=asking()) as (app, tools, user):
        await ask(app, user)
        first = await confirm_id(app, user)
        await ask(app, user, "Suntem totuși cinci")

        assert await states(app, user) == ["proposed", "withdrawn", "proposed"]
        actions = (await answer(app, user)).actions
        assert {"type": "confirmation", "confirmId": first, "state": "withdrawn"} in actions
        with pytest.raises(ConfirmationWithdrawn):
            await app.confirmations.by_customer(user.customer, first, answer=True)
        await ask(app, user, "da")
        assert [request.arguments["guests"] for request in tools.requests] == [5]


async def test_one_question_is_asked_at_a_time() -> None:
    second = Reserving(guests=5)
    async with booking([Reserving(), second, "Două?"], tools=asking()) as (app, _, user):
        await ask(app, user)

        assert await states(app, user) == ["proposed"]
        assert "one at a time" in second.told


async def test_a_question_keeps_the_session_from_idling() -> None:
    script: list[list[Act]] = [[Reserving(), "Verific."]]
    tools = asking(confirm_for=timedelta(days=9))
    async with booking(*script, tools=tools) as (app, _, user):
        await ask(app, user)
        await app.clock.advance(8 * 24 * 3600)
        await app.sweep()

        assert (await app.head(user.customer)).status is Status.AI


async def test_a_coordinators_yes_takes_nothing_over_and_the_ai_tells_the_customer() -> None:
    script: list[list[Act]] = [[Reserving(), "Verific."], ["Am rezervat."]]
    tools = asking(Confirmer.COORDINATOR)
    async with booking(*script, tools=tools) as (app, _, user):
        await ask(app, user)
        said = (await answer(app, user)).text
        assert localized("ro", Text.CONFIRM_COLLEAGUE, what=WHAT) in said
        call_id = await confirm_id(app, user)
        await ask(app, user, "da")
        assert tools.requests == []
        with pytest.raises(UnknownConfirmation):
            await app.confirmations.by_customer(user.customer, call_id, answer=True)
        session_id = await app.session_id(user.customer)
        assert await app.confirmations.by_coordinator(session_id, call_id, True, ANA)
        await app.quiet()
        await app.settle()

        assert len(tools.requests) == 1
        assert (await app.head(user.customer)).status is Status.AI
        assert (await answer(app, user)).text == "Am rezervat."
        assert len(user.messages) == 3


async def test_a_coordinators_no_is_told_to_the_ai() -> None:
    script: list[list[Act]] = [[Reserving(), "Verific."], ["Nu se poate."]]
    tools = asking(Confirmer.COORDINATOR)
    async with booking(*script, tools=tools) as (app, _, user):
        await ask(app, user)
        session_id, call_id = await app.session_id(user.customer), await confirm_id(app, user)
        await app.confirmations.by_coordinator(session_id, call_id, False, ANA)
        await app.quiet()
        await app.settle()

        assert tools.requests == []
        assert user.messages[-1].text == "Nu se poate."


@pytest.mark.parametrize("made_up", ["", "x", "-1", "{0}-999", "{0}-1", "other-1", "{0}-٣"])
async def test_an_answer_to_no_question_is_refused(made_up: str) -> None:
    async with booking([Reserving(), "Verific."], tools=asking()) as (app, _, user):
        await ask(app, user)
        session_id = await app.session_id(user.customer)
        with pytest.raises(UnknownConfirmation):
            await app.confirmations.by_customer(
                user.customer, made_up.format(session_id), answer=True
            )


async def test_nobody_answers_another_customers_question() -> None:
    async with booking([Reserving(), "Verific."], tools=asking()) as (app, tools, user):
        await ask(app, user)
        call_id = await confirm_id(app, user)
        other = app.user(user_id="u2")
        await other.join()
        await ask(app, other)
        with pytest.raises(UnknownConfirmation):
            await app.confirmations.by_customer(other.customer, call_id, answer=True)
        assert tools.requests == []


async def test_a_yes_whose_process_dies_before_the_call_is_acted_on_by_the_next() -> None:
    async with booking([Reserving(), "Verific."], tools=asking()) as (app, tools, user):
        await ask(app, user)
        await user.say("da")
        await app.die()
        survivor = app.another(assistant=ScriptedSteps(["Am rezervat."]))
        await survivor.user().join()
        await survivor.quiet()
        await survivor.settle()

        assert len(tools.requests) == 1
        assert (await answer(app, user)).text == "Am rezervat."


async def test_an_outcome_that_is_learned_after_it_was_said_to_be_unknown_is_told_once() -> None:
    tools = MemoryTools()
    tools.hold_after = asyncio.Event()
    async with booking([Reserving(), "Gata."], tools=tools) as (app, _, user):
        await ask(app, user)
        survivor = app.another(assistant=ScriptedSteps(["Nu știu."]))
        await survivor.user().join()
        await survivor.quiet()
        await app.clock.advance(20)
        assert localized("ro", Text.WRITE_UNKNOWN, what=WHAT) in (await answer(app, user)).text
        tools.hold_after.set()
        await app.settle()
        await app.clock.advance(1)

        assert await states(app, user) == [WriteState.STARTED, WriteState.UNKNOWN, WriteState.DONE]
        done = localized("ro", Text.WRITE_DONE, what=WHAT)
        assert [text for text in await app.texts(user.customer, Author.SYSTEM)] == [done]


async def test_what_an_erased_customer_had_begun_is_stored_nowhere() -> None:
    tools = MemoryTools()
    tools.hold = asyncio.Event()
    async with booking([Reserving(), "Gata."], tools=tools) as (app, _, user):
        await ask(app, user)
        await app.privacy.erase(user.customer)
        tools.hold.set()
        await app.settle()
        await app.clock.advance(1)

        assert await app.stored(user.customer) == []


# What lives under faults have shown.


async def test_of_two_runs_of_a_turn_one_does_something_also_if_the_first_has_ended() -> None:
    again = Reserving(guests=5)
    async with booking([Reserving(), HANG]) as (app, tools, user):
        await ask(app, user)
        await app.vanish()
        survivor = app.another(assistant=ScriptedSteps([again, "Am rezervat."]))
        await survivor.user().join()
        await survivor.quiet()
        await survivor.settle()

        assert len(tools.requests) == 1
        assert "not been done" in again.told
        assert await states(app, user) == [WriteState.STARTED, WriteState.DONE]


async def test_a_retaken_turn_may_do_what_has_failed_before_in_another_way() -> None:
    tools, again = MemoryTools(), Reserving(guests=5)
    tools.refusal = "Nu mai sunt mese de patru."
    async with booking([Reserving(), HANG], tools=tools) as (app, _, user):
        await ask(app, user)
        await app.vanish()
        tools.refusal = None
        survivor = app.another(assistant=ScriptedSteps([again, "Am rezervat."]))
        await survivor.user().join()
        await survivor.quiet()
        await survivor.settle()

        assert await states(app, user) == ["started", "failed", "started", "done"]


async def test_a_call_whose_process_stands_still_after_it_began_never_reaches_its_tool() -> None:
    store, tools = FaultyStore(), MemoryTools()
    businesses = MemoryBusinesses((with_tools(),))
    assistant = ScriptedSteps([PAUSE, Reserving(), "Gata."])
    async with harness(assistant, store, businesses=businesses, tools=tools) as app:
        user = app.user()
        await user.join()
        await ask(app, user)
        hold = store.hold_answer("append")
        assistant.go()
        await hold.reached.wait()
        await app.clock.advance(3)
        hold.release()
        await app.settle()

        assert tools.requests == []
        assert await states(app, user) == [WriteState.STARTED, WriteState.FAILED]


async def test_an_outcome_whose_storing_seemed_to_fail_is_stored_once_though_it_was_told() -> None:
    store, tools = FaultyStore(), MemoryTools()
    businesses = MemoryBusinesses((with_tools(),))
    tools.hold = asyncio.Event()
    assistant = ScriptedSteps([Reserving(), HANG])
    async with harness(assistant, store, businesses=businesses, tools=tools) as app:
        user = app.user()
        await user.join()
        await ask(app, user)
        survivor = app.another(assistant=ScriptedSteps(["Am rezervat."]))
        await survivor.user().join()
        await survivor.quiet()
        store.lose_answer("append")
        tools.hold.set()
        await app.settle()
        again = store.hold("latest")
        await app.clock.advance(0.2)
        await again.reached.wait()
        await app.clock.advance(2)
        assert (await answer(app, user)).text == "Am rezervat."
        again.release()
        await app.clock.advance(5)

        assert await states(app, user) == [WriteState.STARTED, WriteState.DONE]


async def test_an_answer_that_does_not_know_what_was_learned_meanwhile_is_made_again() -> None:
    tools = MemoryTools()
    tools.hold_after = asyncio.Event()
    async with booking([Reserving(), HANG], tools=tools) as (app, _, user):
        await ask(app, user)
        second = ScriptedSteps([PAUSE, "Nu știu."], ["Este rezervat."])
        survivor = app.another(assistant=second)
        await survivor.user().join()
        await survivor.quiet()
        await app.clock.advance(20)
        assert await states(app, user) == [WriteState.STARTED, WriteState.UNKNOWN]
        tools.hold_after.set()
        await app.settle()
        second.go()
        await app.settle()
        await app.clock.advance(5)

        assert await states(app, user) == ["started", "unknown", "done"]
        assert (await answer(app, user)).text == "Este rezervat."


async def test_what_the_server_has_told_of_a_call_is_no_call_of_the_next_turn() -> None:
    tools, again = MemoryTools(), Reserving()
    tools.hold = asyncio.Event()
    async with booking([Reserving(), "Gata."], [again, "Încă una."], tools=tools) as (app, _, user):
        await ask(app, user)
        ana = app.coordinator("ana")
        await ana.take_over(user)
        await ana.give_back(user)
        tools.hold.set()
        await app.settle()
        done = localized("ro", Text.WRITE_DONE, what=WHAT)
        assert done in await app.texts(user.customer, Author.SYSTEM)
        await ask(app, user, "Încă una, la fel")

        assert len(tools.requests) == 2
        assert await states(app, user) == ["started", "done", "started", "done"]


async def test_a_call_of_a_closed_conversation_gets_an_outcome_too() -> None:
    tools = MemoryTools()
    tools.hold_after = asyncio.Event()
    async with booking([Reserving(), HANG], tools=tools) as (app, _, user):
        await ask(app, user)
        await app.coordinator("ana").close(user)
        await app.vanish()
        survivor = app.another()
        await app.clock.advance(OUTCOME_WITHIN.total_seconds())
        await survivor.sweep()

        assert await states(app, user) == [WriteState.STARTED, WriteState.UNKNOWN]


async def test_a_yes_whose_storing_seemed_to_fail_is_acted_on_once_it_is_repeated() -> None:
    store, tools = FaultyStore(), asking()
    businesses = MemoryBusinesses((with_tools(),))
    assistant = ScriptedSteps([Reserving(), "Verific."], ["Am rezervat."])
    async with harness(assistant, store, businesses=businesses, tools=tools) as app:
        user = app.user()
        await user.join()
        await ask(app, user)
        call_id = await confirm_id(app, user)
        store.lose_answer("append")
        with pytest.raises(StorageUnavailable):
            await app.confirmations.by_customer(user.customer, call_id, answer=True)
        assert await app.confirmations.by_customer(user.customer, call_id, answer=True)
        await app.quiet()
        await app.settle()

        assert [request.key for request in tools.requests] == [call_id]


async def test_the_clock_of_another_process_does_not_make_a_look_up_come_too_early() -> None:
    tools = MemoryTools(booking_tool(has_look_up=True))
    tools.hold = asyncio.Event()
    async with booking([Reserving(), "Gata."], tools=tools) as (app, _, user):
        await ask(app, user)
        ahead = SkewedClock(app.clock, timedelta(minutes=10))
        survivor = app.another(assistant=ScriptedSteps(["Este rezervat."]), clock=ahead)
        await survivor.user().join()
        await survivor.quiet()
        await app.clock.advance(10)
        tools.hold.set()
        await app.settle()
        await app.clock.advance(20)

        assert await states(app, user) == [WriteState.STARTED, WriteState.DONE]


async def test_nobody_is_asked_for_a_yes_to_what_they_would_not_be_shown() -> None:
    reserve = Reserving(date="2026-12-01" + " și masa de la fereastră" * 20)
    async with booking([reserve, "Prea lung."], tools=asking()) as (app, tools, user):
        await ask(app, user)

        assert "too long to be shown" in reserve.told
        assert (await app.head(user.customer)).question is None
        assert tools.requests == []


async def test_what_a_yes_is_asked_for_is_shown_in_the_order_in_which_it_is_written() -> None:
    reserve = Reserving(date="2026-12-01\u202e40-21-7202\n\x1b[2J")
    async with booking([reserve, "Verific."], tools=asking()) as (app, _, user):
        await ask(app, user)

        question = (await answer(app, user)).actions[-1]
        shown = {"label": "Ziua", "value": "2026-12-0140-21-7202 [2J"}
        assert shown in cast(list[object], question["items"])


@pytest.mark.parametrize(("url", "state"), [(SERVER.url, "done"), ("https://b.example", "failed")])
async def test_a_yes_is_to_the_tool_that_the_file_named_when_it_was_asked_for(
    url: str, state: str
) -> None:
    async with booking([Reserving(), "Verific."], tools=asking()) as (app, tools, user):
        await ask(app, user)
        (server,) = with_tools().tool_servers
        now = with_tools(tool_servers=(replace(server, url=url),))
        other = app.another(assistant=ScriptedSteps(["Gata."]), businesses=MemoryBusinesses((now,)))
        again = other.user()
        await again.join()
        await ask(other, again, "da")

        assert await states(app, user) == ["proposed", "approved", "started", state]
        assert len(tools.requests) == (state == "done")


async def test_titles_that_could_be_mistaken_for_one_another_are_not_shown() -> None:
    schema = {"properties": {"from": {"title": "To"}, "to": {"title": "To"}}}
    twice = replace(booking_tool(), parameters=schema)
    schema = {"properties": {"from": {"title": "to"}, "to": {"title": "Where to"}}}
    anothers = replace(booking_tool(), parameters=schema)

    for tool in (twice, anothers):
        shown = shown_arguments(tool, {"from": "a", "to": "b"})
        assert shown == (("from", "a"), ("to", "b"))


async def test_a_coordinators_yes_is_no_question_and_is_shown_to_no_customer_as_answered() -> None:
    script: list[list[Act]] = [[Reserving(), "Verific."], ["Am rezervat."]]
    async with booking(*script, tools=asking(Confirmer.COORDINATOR)) as (app, _, user):
        await ask(app, user)
        session_id, call_id = await app.session_id(user.customer), await confirm_id(app, user)
        await app.confirmations.by_coordinator(session_id, call_id, True, ANA)
        await app.quiet()
        await app.settle()

        assert (await answer(app, user)).in_reply_to == ()
        assert scripted(app).views[1].question == ""
