"""Replies suggested to coordinators: what they are made of, and what they may not do."""

import asyncio

import pytest
from msgspec.structs import replace

from adapters.memory.businesses import MemoryBusinesses
from application.ports import AnswerCancelled, AnswerWriter, Toolbox
from application.suggest_reply import MAX_AT_ONCE, MAX_OF_BUSINESS
from application.tools import GET_BUSINESS, GET_RESERVATIONS
from domain.errors import (
    AssistantFailed,
    BudgetSpent,
    SessionClosed,
    TooManySuggestions,
    UnknownSession,
)
from domain.identity import BusinessId, CoordinatorId, SessionId
from domain.status import Status
from domain.tool import Effect
from domain.usage import Usage
from domain.view import View
from tests.support.assistants import HANG, PAUSE, RESTART, ScriptedSteps, call, transfer
from tests.support.business_tools import MemoryTools, booking_tool, with_tools
from tests.support.harness import App, User, harness

ANA = CoordinatorId("ana")
COST = Usage(model="m1", input_tokens=90, output_tokens=10, calls=1)


async def live(app: App, user_id: str = "u1") -> User:
    """A user who was answered by the AI, and then by Ana, and has asked again."""
    user = app.user(user_id=user_id)
    await user.join()
    await user.say("Aveți mese?")
    await app.quiet()
    ana = app.coordinator()
    await ana.take_over(user)
    await ana.speak(user, "Bună, sunt Ana.")
    await user.say("Pentru patru.")
    await user.say("Și la ce oră?")
    return user


async def suggested(app: App, user: User) -> tuple[list[str], str]:
    """The pieces of a suggestion, and its text."""
    suggestion = await app.suggest_reply(await app.session_id(user.customer), ANA)
    return [piece async for piece in suggestion.pieces()], suggestion.text


async def test_a_suggestion_answers_what_nobody_has_answered_from_the_whole_conversation() -> None:
    assistant = ScriptedSteps(["Da."], [" La ", "opt. "])
    async with harness(assistant) as app:
        user = await live(app)
        pieces, text = await suggested(app, user)
        view = assistant.views[-1]

    assert (pieces, text) == ([" La ", "opt. "], "La opt.")
    assert (view.is_suggestion, view.coordinator_id) == (True, ANA)
    assert [message.text for message in view.pending] == ["Pentru patru.", "Și la ce oră?"]
    said = [entry.text for entry in view.entries if entry.text]
    assert said[:2] == ["Aveți mese?", "Da."]
    assert "Bună, sunt Ana." in said
    assert not view.availability.is_offered


async def test_after_the_coordinators_last_word_it_is_about_what_was_answered_last() -> None:
    assistant = ScriptedSteps()
    async with harness(assistant) as app:
        user = await live(app)
        await app.coordinator().speak(user, "La opt.")
        await suggested(app, user)

    asked = [message.text for message in assistant.views[-1].pending]
    assert asked == ["Pentru patru.", "Și la ce oră?"]


async def test_nothing_is_stored_and_nobody_is_told() -> None:
    async with harness() as app:
        user = await live(app)
        log, heard = await app.stored(user.customer), app.listen(user.customer)
        await suggested(app, user)

        assert await app.stored(user.customer) == log
        assert heard == []


async def test_a_suggestion_calls_nothing_that_changes_anything() -> None:
    read = replace(booking_tool("list_tables"), effect=Effect.READ, confirm=None)
    tools = MemoryTools(booking_tool(), read)
    offered: list[str] = []

    async def look(toolbox: Toolbox) -> None:
        offered.extend(tool.name for tool in toolbox.tools)

    booking = call("reserve_table", date="2030-01-01", guests=4)
    assistant = ScriptedSteps(["Da."], [look, booking, transfer(), "La opt."])
    businesses = MemoryBusinesses([with_tools()])
    async with harness(assistant, businesses=businesses, tools=tools) as app:
        user = await live(app)
        before = await app.head(user.customer)
        await suggested(app, user)

        assert await app.head(user.customer) == before

    assert offered == [GET_BUSINESS, GET_RESERVATIONS, "list_tables"]
    assert tools.requests == []


async def test_once_an_attempt_has_failed_the_text_alone_has_what_is_written() -> None:
    assistant = ScriptedSteps(["Da."], ["Nu", RESTART, "La ", "opt."])
    async with harness(assistant) as app:
        user = await live(app)

        assert await suggested(app, user) == (["Nu"], "La opt.")


async def test_its_usage_is_counted_for_its_business_alone() -> None:
    assistant = ScriptedSteps()
    async with harness(assistant) as app:
        user = await live(app)
        before = await app.head(user.customer)
        assistant.usage = COST
        await suggested(app, user)
        days = await app.usage_tracker.by_day(
            BusinessId("b1"), app.clock.now().date(), app.clock.now().date()
        )

        assert [usage.tokens for usage in days.values()] == [100]
        assert (await app.head(user.customer)).usage == before.usage
        exposition = app.observer.text().decode()
        assert 'ai_agent_model_calls_total{purpose="suggestion"} 1.0' in exposition
        assert 'ai_agent_suggestions_total{outcome="made"} 1.0' in exposition


async def test_past_the_hard_budget_nothing_is_suggested() -> None:
    assistant = ScriptedSteps()
    assistant.usage = COST
    async with harness(assistant, ai_budget_hard_tokens=100) as app:
        user = await live(app)
        with pytest.raises(BudgetSpent):
            await suggested(app, user)

    assert assistant.turns == 1


async def test_past_the_soft_budget_the_cheaper_model_suggests() -> None:
    assistant = ScriptedSteps()
    assistant.usage = COST
    async with harness(assistant, ai_budget_soft_tokens=100) as app:
        await suggested(app, await live(app))

    assert assistant.views[-1].over_soft_budget


async def test_a_few_are_suggested_at_once_and_the_next_when_one_has_ended() -> None:
    assistant = ScriptedSteps(["Da."], [PAUSE, "La opt."])
    async with harness(assistant) as app:
        session_id = await app.session_id((await live(app)).customer)
        first = [await app.suggest_reply(session_id, ANA) for _ in range(MAX_OF_BUSINESS)]
        with pytest.raises(TooManySuggestions) as refused:
            await app.suggest_reply(session_id, ANA)
        assistant.go()
        await app.settle()
        await app.suggest_reply(session_id, ANA)

    assert refused.value.retry_after_ms
    assert MAX_AT_ONCE > len(first)


async def test_a_suggestion_that_takes_as_long_as_a_turn_may_fails() -> None:
    assistant = ScriptedSteps(["Da."], ["La", HANG])
    async with harness(assistant, turn_timeout_s=30.0) as app:
        user = await live(app)
        suggesting = asyncio.create_task(suggested(app, user))
        await app.clock.advance(30.0)
        with pytest.raises(AssistantFailed, match="too long"):
            await suggesting

        assert assistant.broken_off == 1
        assert 'ai_agent_suggestions_total{outcome="failed"} 1.0' in app.observer.text().decode()


@pytest.mark.parametrize("script", [[AssistantFailed("no")], ["  "], []])
async def test_a_failure_or_an_empty_text_is_a_failure(
    script: list[str | BaseException],
) -> None:
    async with harness(ScriptedSteps(["Da."], [*script])) as app:
        user = await live(app)
        with pytest.raises(AssistantFailed):
            await suggested(app, user)


class Costly(ScriptedSteps):
    """An assistant that has spent something on what is cancelled."""

    async def answer(self, view: View, toolbox: Toolbox, writer: AnswerWriter) -> Usage | None:
        try:
            return await super().answer(view, toolbox, writer)
        except asyncio.CancelledError:
            raise AnswerCancelled(COST) from None


async def test_who_goes_away_stops_the_ai_and_what_it_has_spent_is_counted() -> None:
    assistant = Costly(["Da."], ["La", HANG])
    async with harness(assistant) as app:
        user = await live(app)
        suggesting = asyncio.create_task(suggested(app, user))
        await app.settle()
        suggesting.cancel()
        await app.settle()

        assert (assistant.running, assistant.broken_off) == (0, 1)
        exposition = app.observer.text().decode()
        assert 'ai_agent_suggestions_total{outcome="cancelled"} 1.0' in exposition
        assert 'ai_agent_model_calls_total{purpose="suggestion"} 1.0' in exposition


async def test_a_server_that_stops_ends_what_is_being_suggested() -> None:
    assistant = ScriptedSteps(["Da."], ["La", HANG])
    async with harness(assistant) as app:
        suggesting = asyncio.create_task(suggested(app, await live(app)))
        await app.settle()
        await app.suggest_reply.stop()
        with pytest.raises(AssistantFailed):
            await suggesting

    assert assistant.running == 0


async def test_nothing_is_suggested_for_a_closed_conversation_or_an_unknown_one() -> None:
    async with harness() as app:
        user = await live(app)
        await app.coordinator().change(await app.session_id(user.customer), Status.CLOSED)

        with pytest.raises(SessionClosed):
            await suggested(app, user)
        with pytest.raises(UnknownSession):
            await app.suggest_reply(SessionId("none"), None)
