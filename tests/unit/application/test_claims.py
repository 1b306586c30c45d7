"""An answer's words are held against what was done: promises are kept, untrue deeds taken back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from msgspec.structs import replace

from application.answer_pending import VERDICT_S
from application.ports import AnswerCancelled, Judgement
from domain.errors import AssistantFailed
from domain.identity import MessageId
from domain.message import Author, Message
from domain.promise import Verdict
from domain.status import Status
from domain.texts import Text, localized
from domain.usage import Usage
from tests.support.assistants import HANG, PAUSE, ScriptedSteps, transfer
from tests.support.clock import VirtualClock
from tests.support.harness import App, User, harness
from tests.unit.domain.makers import at

DEED = "Ți-am anulat rezervarea de vineri."
PROMISE = "Un coleg vă contactează astăzi."
TAKEN_BACK = f"{DEED}\n\n{localized('ro', Text.NOT_DONE)}"
COST = Usage(model="m2", input_tokens=250, output_tokens=1, calls=1)


@asynccontextmanager
async def answered(
    text: str, verdict: object = None, **settings: object
) -> AsyncIterator[tuple[App, User, ScriptedSteps]]:
    """An app, a user who was answered so, and the assistant, which judges so."""
    assistant = ScriptedSteps([text])
    assistant.verdict = verdict  # type: ignore[assignment]
    async with harness(assistant, **settings) as app:  # type: ignore[arg-type]
        user = await asking(app)
        await app.quiet()
        yield app, user, assistant


async def asking(app: App) -> User:
    user = app.user(stream=True)
    await user.join()
    await user.say("Bună!", "m1")
    return user


async def test_a_text_that_claims_nothing_is_not_asked_about() -> None:
    async with answered("Suntem deschiși zilnic.", Judgement(Verdict.BOTH)) as (app, user, ai):
        assert ai.judged == []
        assert user.words == ["Suntem deschiși zilnic."]
        assert user.messages[-1].verdict is None
        assert (await app.head(user.customer)).status is Status.AI


async def test_a_text_in_a_language_without_words_is_always_asked_about() -> None:
    text = "Rezerwacja została właśnie anulowana, pieniądze wrócą jutro wieczorem kartą"
    async with answered(text, Judgement(Verdict.DEED)) as (_, user, ai):
        assert ai.judged == [text]
        assert user.words == [f"{text}\n\n{localized('ro', Text.NOT_DONE)}"]


async def test_a_deed_that_no_tool_did_is_taken_back_in_the_same_message() -> None:
    async with answered(DEED, Judgement(Verdict.DEED)) as (app, user, ai):
        assert ai.judged == [DEED]
        assert user.words == [TAKEN_BACK]
        assert user.messages[-1].message_id == user.pieces[0][0]
        assert user.messages[-1].verdict is Verdict.DEED
        assert (await app.head(user.customer)).status is Status.AI
        assert app.observer.outcomes == ["answered"]


async def test_a_human_that_the_model_finds_promised_is_asked() -> None:
    async with answered(DEED, Judgement(Verdict.HUMAN)) as (app, user, _):
        assert user.words == [DEED]
        assert user.messages[-1].verdict is Verdict.HUMAN
        assert (await app.head(user.customer)).status is Status.WAITING
        assert app.observer.outcomes == ["transferred"]


async def test_both_claims_are_answered_for() -> None:
    async with answered(DEED, Judgement(Verdict.BOTH)) as (app, user, _):
        assert user.words == [TAKEN_BACK]
        assert (await app.head(user.customer)).status is Status.WAITING


@pytest.mark.parametrize("text", [DEED, PROMISE])
async def test_a_false_alarm_changes_nothing(text: str) -> None:
    async with answered(text, Judgement(Verdict.NONE)) as (app, user, _):
        assert user.words == [text]
        assert user.messages[-1].verdict is Verdict.NONE
        assert (await app.head(user.customer)).status is Status.AI


@pytest.mark.parametrize(
    "verdict",
    [
        None,
        Judgement(None),
        Judgement(None, COST),
        AssistantFailed("away"),
        AssistantFailed("away", usage=COST),
        RuntimeError("a bug"),
    ],
)
async def test_without_a_verdict_the_patterns_decide(verdict: object) -> None:
    async with answered(DEED, verdict) as (_, user, ai):
        assert ai.judged == [DEED]
        assert user.words == [TAKEN_BACK]
        assert user.messages[-1].verdict is None
    async with answered(PROMISE, verdict) as (app, user, _):
        assert user.words == [PROMISE]
        assert (await app.head(user.customer)).status is Status.WAITING


async def test_the_verdict_is_waited_for_no_longer_than_its_time() -> None:
    clock = VirtualClock()
    async with answered(DEED, HANG, clock=clock) as (app, user, ai):
        assert (ai.judged, user.words) == ([DEED], [])

        await clock.advance(VERDICT_S - 0.1)
        assert user.words == []

        await clock.advance(0.2)
        assert user.words == [TAKEN_BACK]
        assert app.observer.outcomes == ["answered"]


async def test_the_turns_deadline_ends_the_wait_and_the_answer_is_kept() -> None:
    clock = VirtualClock()
    async with answered(DEED, HANG, clock=clock, turn_timeout_s=2.0) as (_, user, _):
        await clock.advance(2.1)

        assert user.words == [TAKEN_BACK]
        assert not user.messages[-1].failed


async def test_a_takeover_during_the_question_ends_the_turn_and_stores_nothing() -> None:
    async with answered(DEED, PAUSE) as (app, user, ai):
        await app.coordinator("Ana").take_over(user)
        ai.go()
        await app.settle()

        assert [message for message in user.messages if message.author is Author.AI] == []
        assert app.observer.outcomes == ["cancelled"]


async def test_a_stop_during_the_question_keeps_the_answer_and_the_patterns_decide() -> None:
    async with answered(DEED, PAUSE) as (app, user, _):
        await app.turns.stop_answer(user.customer)
        await app.settle()

        assert user.words == [TAKEN_BACK]
        assert app.observer.outcomes == ["stopped"]


async def test_an_answer_that_was_stopped_is_not_asked_about() -> None:
    assistant = ScriptedSteps([DEED, HANG])
    assistant.verdict = Judgement(Verdict.NONE)
    async with harness(assistant) as app:
        user = await asking(app)
        await app.quiet()
        await app.turns.stop_answer(user.customer)
        await app.settle()

        assert assistant.judged == []
        assert user.words == [TAKEN_BACK]


async def test_after_a_transfer_only_a_deed_is_asked_about() -> None:
    assistant = ScriptedSteps([transfer(), PROMISE], [transfer(), DEED])
    assistant.verdict = Judgement(Verdict.DEED)
    async with harness(assistant) as app:
        user = await asking(app)
        await app.quiet()
        other = app.user("b1", "other")
        await other.join()
        await other.say("Bună!")
        await app.quiet()

        assert assistant.judged == [DEED]
        assert user.words == [PROMISE]
        assert other.words == [f"{TAKEN_BACK}\n\n{localized('ro', Text.REQUESTED)}"]
        assert (await app.head(other.customer)).status is Status.WAITING


async def test_past_the_soft_budget_the_patterns_decide() -> None:
    assistant = ScriptedSteps(["Da."], [DEED])
    assistant.usage = COST
    assistant.verdict = Judgement(Verdict.NONE)
    async with harness(assistant, ai_budget_soft_tokens=100) as app:
        user = await asking(app)
        await app.quiet()
        await user.say("Anulați rezervarea")
        await app.quiet()

        assert assistant.views[1].over_soft_budget
        assert assistant.judged == []
        assert user.words == ["Da.", TAKEN_BACK]


async def test_a_verdict_is_paid_for_and_the_answer_keeps_its_models_name() -> None:
    assistant = ScriptedSteps([DEED])
    assistant.usage = Usage(model="m1", input_tokens=1_000, output_tokens=50, calls=1)
    assistant.verdict = Judgement(Verdict.NONE, COST)
    async with harness(assistant) as app:
        user = await asking(app)
        await app.quiet()
        text = app.observer.text().decode()

        assert user.messages[-1].usage == Usage(
            model="m1", input_tokens=1_250, output_tokens=51, calls=2
        )
        assert 'ai_agent_model_tokens_total{kind="input",purpose="answer"} 1000.0' in text
        assert 'ai_agent_model_tokens_total{kind="input",purpose="verdict"} 250.0' in text


@pytest.mark.parametrize("error", [AnswerCancelled(COST), AssistantFailed("cut", usage=COST)])
async def test_a_question_that_gets_no_verdict_is_paid_for_too(error: BaseException) -> None:
    assistant = ScriptedSteps([DEED])
    assistant.verdict = error
    async with harness(assistant) as app:
        user = await asking(app)
        await app.quiet()
        await app.day_counts.flush()
        text = app.observer.text().decode()

        assert 'ai_agent_model_calls_total{purpose="verdict"} 1.0' in text
        assert isinstance(error, AnswerCancelled) or user.words == [TAKEN_BACK]


def test_versions_with_and_without_the_verdict_read_what_the_other_stores() -> None:
    value = Message(
        seq=1,
        message_id=MessageId("r1"),
        author=Author.AI,
        text=DEED,
        at=at(),
        verdict=Verdict.DEED,
    )
    stored = msgspec.to_builtins(value)
    before = {name: held for name, held in stored.items() if name != "verdict"}

    assert msgspec.convert(stored | {"later": 1}, Message) == value
    assert msgspec.convert(before, Message) == replace(value, verdict=None)
    assert "verdict" not in msgspec.to_builtins(replace(value, verdict=None))
