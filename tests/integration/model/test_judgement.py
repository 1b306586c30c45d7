"""The question what an answer claims, over real connections: its cost, its time, its model."""

import asyncio

import pytest

from adapters.model.judgement import VERDICT_TOKENS
from application.ports import AnswerCancelled
from domain.errors import AssistantFailed
from domain.promise import Verdict
from tests.support.model_turns import openai_assistant
from tests.support.openai_stub import hangs, refuses, says, stub

TEXT = "Ți-am anulat rezervarea."


async def test_the_cheaper_model_is_asked_one_short_question_without_tools() -> None:
    async with (
        stub(m2=says("deed")) as server,
        openai_assistant(server.url, fallback_model="m2") as assistant,
    ):
        judged = await assistant.judge(TEXT, timeout_s=4.0)
    (request,) = server.requests

    assert judged.verdict is Verdict.DEED
    assert judged.usage is not None
    assert judged.usage.calls == 1
    assert request.body["model"] == "m2"
    assert request.body["max_completion_tokens"] == VERDICT_TOKENS
    assert "tools" not in request.body
    assert TEXT in request.body["messages"][-1]["content"]


async def test_where_the_cheaper_model_fails_the_other_is_asked() -> None:
    async with (
        stub(m1=says("none"), m2=refuses("400 Bad Request")) as server,
        openai_assistant(server.url, fallback_model="m2") as assistant,
    ):
        judged = await assistant.judge(TEXT, timeout_s=4.0)

    assert judged.verdict is Verdict.NONE
    assert server.models == ["m2", "m1"]


async def test_what_the_model_thinks_is_no_verdict() -> None:
    async with (
        stub(says("<think>both? no, human</think>", "deed")) as server,
        openai_assistant(server.url) as assistant,
    ):
        judged = await assistant.judge(TEXT, timeout_s=4.0)

    assert judged.verdict is Verdict.DEED


async def test_a_talkative_model_gives_no_verdict_and_is_paid_for() -> None:
    async with (
        stub(says("The text says that something was done.")) as server,
        openai_assistant(server.url) as assistant,
    ):
        judged = await assistant.judge(TEXT, timeout_s=4.0)

    assert judged.verdict is None
    assert judged.usage is not None


async def test_a_silent_model_is_given_up_in_time() -> None:
    async with stub(hangs) as server, openai_assistant(server.url) as assistant:
        with pytest.raises(AssistantFailed):
            await asyncio.wait_for(assistant.judge(TEXT, timeout_s=0.3), timeout=5.0)


async def test_cancelled_it_gives_up_its_request_and_names_what_it_has_cost() -> None:
    async with stub(hangs) as server, openai_assistant(server.url) as assistant:
        judging = asyncio.ensure_future(assistant.judge(TEXT, timeout_s=4.0))
        await server.until(lambda server: len(server.requests) == 1)
        judging.cancel()
        with pytest.raises(asyncio.CancelledError) as raised:
            await judging
        await server.until(lambda server: server.hung_up == 1)

    assert not isinstance(raised.value, AnswerCancelled) or raised.value.usage.calls
