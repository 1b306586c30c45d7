"""The cost of the AI: counted as it is spent, and kept within the budgets of the day."""

from datetime import date, timedelta
from typing import Any

import pytest

from application.ports import AnswerCancelled, AnswerWriter, SummaryResult, Toolbox
from application.usage_tracker import BudgetLevel
from domain.business import Business, ModelSettings
from domain.errors import AssistantFailed
from domain.identity import BusinessId
from domain.message import Author
from domain.status import Reason, Status
from domain.texts import Text, localized
from domain.usage import Usage, usage_in
from domain.view import View
from tests.support.assistants import PAUSE, ScriptedSteps
from tests.support.faults import FaultyLedger
from tests.support.harness import App, User, harness

B1 = BusinessId("b1")
COST = Usage(model="m1", input_tokens=90, cached_tokens=40, output_tokens=10, calls=1)
UNAVAILABLE = localized("ro", Text.UNAVAILABLE_REQUESTED)


def costing(usage: Usage = COST) -> ScriptedSteps:
    """An assistant whose every answer costs this."""
    assistant = ScriptedSteps()
    assistant.usage = usage
    return assistant


async def asked(app: App, times: int = 1, user_id: str = "u1") -> User:
    """A user who has asked so often, and been answered or not."""
    user = app.user("b1", user_id)
    await user.join()
    for _ in range(times):
        await user.say("Bună!")
        await app.quiet()
    return user


async def written(app: App) -> dict[date, Usage]:
    """Return the stored usage of the business by day."""
    days = await app.store.counts(B1, date.min, date.max)
    return {day: usage for day, counts in days.items() if (usage := usage_in(counts)).calls}


async def test_an_answers_cost_is_stored_with_it_and_summed_in_the_session() -> None:
    async with harness(costing()) as app:
        user = await asked(app, 2)

        assert [m.usage for m in user.messages if m.author is Author.AI] == [COST, COST]
        assert (await app.head(user.customer)).usage == COST.plus(COST)


async def test_a_turn_writes_nothing_of_its_cost_until_the_next_flush() -> None:
    async with harness(costing()) as app:
        await asked(app, 3)
        before = await written(app)
        await app.day_counts.flush()
        await app.day_counts.flush()

        assert before == {}
        assert await written(app) == {
            app.clock.now().date(): Usage(
                input_tokens=270, cached_tokens=120, output_tokens=30, calls=3
            )
        }


async def test_what_could_not_be_written_is_written_later() -> None:
    store = FaultyLedger()
    async with harness(costing(), store) as app:
        await asked(app)
        store.failing = True
        with pytest.raises(Exception, match="as told"):
            await app.day_counts.flush()
        store.failing = False
        await asked(app)
        await app.day_counts.flush()

        assert [usage.tokens for usage in (await written(app)).values()] == [200]


async def test_a_failed_answer_is_paid_for_all_the_same() -> None:
    async with harness(ScriptedSteps([AssistantFailed(usage=COST)])) as app:
        user = await asked(app)
        await app.day_counts.flush()

        assert user.messages[-1].failed
        assert user.messages[-1].usage == COST
        assert [usage.tokens for usage in (await written(app)).values()] == [100]


async def test_an_answer_that_a_takeover_drops_is_paid_for_as_far_as_it_is_known() -> None:
    class Interrupted(ScriptedSteps):
        """An assistant that reports its usage when it is cancelled."""

        async def answer(self, view: View, toolbox: Toolbox, say: AnswerWriter) -> Usage | None:
            try:
                return await super().answer(view, toolbox, say)
            except BaseException as error:
                raise AnswerCancelled(COST) from error

    async with harness(Interrupted([PAUSE])) as app:
        user = await asked(app)
        await app.coordinator().take_over(user)
        await app.settle()
        await app.day_counts.flush()

        assert app.observer.outcomes == ["cancelled"]
        assert [usage.tokens for usage in (await written(app)).values()] == [100]


async def test_a_summary_that_is_given_up_is_paid_for_as_far_as_it_is_known() -> None:
    assistant = ScriptedSteps()
    assistant.summary = AnswerCancelled(COST)
    async with harness(assistant, view_tokens=500) as app:
        await asked(app, 11)
        await app.day_counts.flush()

        assert len(assistant.summarised) == 1
        assert [usage.tokens for usage in (await written(app)).values()] == [100]


async def test_the_metrics_tell_kinds_and_purposes_and_name_nobody() -> None:
    async with harness(costing()) as app:
        await asked(app)
        text = app.observer.text().decode()

        assert 'ai_agent_model_tokens_total{kind="input",purpose="answer"} 50.0' in text
        assert 'ai_agent_model_tokens_total{kind="cached",purpose="answer"} 40.0' in text
        assert 'ai_agent_model_tokens_total{kind="output",purpose="answer"} 10.0' in text
        assert 'ai_agent_model_calls_total{purpose="answer"} 1.0' in text


# Budgets.


async def test_past_the_soft_budget_the_ai_is_frugal_and_sees_less() -> None:
    assistant = ScriptedSteps(["x" * 1_000])
    assistant.usage = COST
    async with harness(assistant, ai_budget_soft_tokens=300, view_tokens=4_000) as app:
        await asked(app, 5)

        assert [view.over_soft_budget for view in assistant.views] == [
            False,
            False,
            False,
            True,
            True,
        ]
        assert assistant.views[2].entries[0].seq == 1
        assert assistant.views[4].entries[0].seq > 1
        assert all(view.pending[-1] in view.entries for view in assistant.views)


async def test_past_the_hard_budget_a_human_is_asked_instead_of_the_ai() -> None:
    assistant = costing()
    async with harness(assistant, ai_budget_hard_tokens=200) as app:
        user = await asked(app, 3)
        session = await app.head(user.customer)

        assert assistant.turns == 2
        assert user.words[-1] == UNAVAILABLE
        assert (session.status, session.reason) == (Status.WAITING, Reason.AI_FAILURE)
        assert app.observer.outcomes[-1] == "over_budget"


async def test_the_next_day_the_ai_answers_again() -> None:
    assistant = costing()
    async with harness(assistant, ai_budget_hard_tokens=100) as app:
        await asked(app, 2)
        await app.clock.advance(timedelta(hours=12).total_seconds())  # it was noon
        other = await asked(app, 1, "u2")

        assert other.words == ["Răspuns."]
        assert assistant.turns == 2


async def test_the_budget_of_one_business_is_no_others() -> None:
    assistant = costing()
    async with harness(assistant, ai_budget_hard_tokens=100) as app:
        await asked(app, 2)
        other = app.user("b2", "u1")
        await other.join()
        await other.say("Hello!")
        await app.quiet()

        assert other.words == ["Răspuns."]


async def test_several_processes_add_up() -> None:
    assistant = costing()
    async with harness(assistant, ai_budget_hard_tokens=200) as app:
        other = app.another()
        await asked(app)
        await asked(other, 1, "u2")
        await app.day_counts.flush()
        await other.day_counts.flush()
        await app.clock.advance(5)
        third = await asked(app, 1, "u3")

        assert third.words == [UNAVAILABLE]


async def test_a_process_that_starts_knows_what_was_spent_before() -> None:
    async with harness(costing(), ai_budget_hard_tokens=100) as app:
        await asked(app)
        await app.day_counts.flush()
        user = await asked(app.another(), 1, "u2")

        assert user.words == [UNAVAILABLE]


async def test_a_ledger_that_is_away_silences_nobody() -> None:
    store = FaultyLedger()
    store.failing = True
    async with harness(costing(), store, ai_budget_hard_tokens=1_000) as app:
        user = await asked(app)

        assert user.words == ["Răspuns."]


async def test_without_budgets_the_ledger_is_not_read() -> None:
    store = FaultyLedger()
    async with harness(costing(), store) as app:
        await asked(app, 3)

        assert store.asked == 0


async def test_the_cost_of_a_summary_counts_too() -> None:
    assistant = costing()
    assistant.summary = SummaryResult("Rezumat.", COST)
    async with harness(assistant, view_tokens=400) as app:
        user = await asked(app, 12)
        await app.day_counts.flush()
        session = await app.head(user.customer)

        assert [usage.calls for usage in (await written(app)).values()] == [13]
        assert session.usage is not None
        assert session.usage.calls == 13


@pytest.mark.parametrize(
    ("own", "level"),
    [
        ({}, BudgetLevel.OVER_SOFT),
        ({"budget_soft_tokens": 0}, BudgetLevel.WITHIN),
        ({"budget_hard_tokens": 100}, BudgetLevel.OVER_HARD),
        ({"budget_soft_tokens": 101}, BudgetLevel.WITHIN),
    ],
)
async def test_a_business_with_budgets_of_its_own_is_held_to_them(
    own: dict[str, Any], level: BudgetLevel
) -> None:
    business = Business(business_id=BusinessId("b1"), name="B1", model=ModelSettings(**own))
    async with harness(costing(), ai_budget_soft_tokens=100) as app:
        await asked(app)

        assert await app.usage_tracker.level(BusinessId("b1"), business) is level
