"""Whole answers over real connections: rounds of tools, transfers, text and usage."""

import asyncio
import logging
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from msgspec.structs import replace

from adapters.model.assistant import ModelAssistant
from adapters.openai.client import OpenAIClient
from adapters.system import SystemClock
from application.ports import AnswerCancelled, Handoff, HandoffOutcome
from domain.business import LEAST_FACTS, Business
from domain.errors import AssistantFailed, BridgeUnavailable
from domain.handoff import Availability
from domain.identity import BusinessId
from domain.texts import Text, localized
from domain.usage import Usage
from tests.support.model_turns import BISTRO, Turn, ask, conversation, openai_assistant
from tests.support.openai_stub import (
    DONE,
    Answer,
    Json,
    Stub,
    call,
    calls,
    delta,
    events,
    hangs,
    refuses,
    says,
    stub,
)


async def turn(*answers: Answer, **given: Any) -> tuple[Turn, Stub]:
    """One turn with a server that answers so."""
    async with stub(*answers) as server, openai_assistant(server.url) as assistant:
        return await ask(assistant, **given), server


def results(server: Stub) -> list[str]:
    """The results of the model's calls in the last request."""
    messages = server.requests[-1].body["messages"]
    return [message["content"] for message in messages if message["role"] == "tool"]


async def test_a_tool_is_called_and_its_result_is_data() -> None:
    done, server = await turn(calls("get_reservations"), says("Mâine la 19:00."))
    assistant, tool = server.requests[1].body["messages"][-2:]

    assert done.tools.used == ["get_reservations"]
    assert done.text == "Mâine la 19:00."
    assert assistant["tool_calls"][0]["function"]["name"] == "get_reservations"
    assert tool["tool_call_id"] == assistant["tool_calls"][0]["id"] == "call_0"
    assert tool["content"].startswith('<result tool="get_reservations">\n[{"reservationId":')
    assert tool["content"].endswith("}]\n</result>")


async def test_usage_covers_all_rounds() -> None:
    done, _ = await turn(calls("get_business"), calls("get_reservations"), says("Da"))

    assert done.usage == Usage(
        model="m1", input_tokens=300, cached_tokens=192, output_tokens=60, calls=3
    )


async def test_a_cancelled_answer_costs_about_what_it_was_asked_where_nobody_has_counted() -> None:
    async with (
        stub(calls("get_business"), hangs) as server,
        openai_assistant(server.url) as assistant,
    ):
        asked = asyncio.create_task(ask(assistant))
        await server.until(lambda server: len(server.requests) == 2)
        asked.cancel()
        with pytest.raises(AnswerCancelled) as raised:
            await asked

    counted = Usage(model="m1", input_tokens=100, cached_tokens=64, output_tokens=20, calls=1)
    used = raised.value.usage
    asked_again = len(msgspec.json.encode(server.requests[-1].body).decode())
    assert (used.calls, used.output_tokens) == (2, counted.output_tokens)  # nothing had come
    assert asked_again / 4 < used.input_tokens - counted.input_tokens < asked_again


async def test_an_answer_that_breaks_off_costs_what_had_come_too() -> None:
    half = events(delta(reasoning_content="Hm."), delta(content="Bună "), delta(content="ziua"))
    async with stub(half) as server, openai_assistant(server.url) as assistant:
        with pytest.raises(AssistantFailed) as raised:
            await ask(assistant)

    used = raised.value.usage
    assert used is not None
    assert used.calls == len(server.requests)
    assert used.output_tokens >= 3 * used.calls
    assert used.input_tokens > 100 * used.calls


async def test_a_request_that_is_refused_or_not_answered_costs_no_tokens() -> None:
    async with stub(refuses("401 Who")) as server, openai_assistant(server.url) as assistant:
        with pytest.raises(AssistantFailed) as refused:
            await ask(assistant)
    async with stub(hangs) as server, openai_assistant(server.url, timeout_s=0.5) as assistant:
        with pytest.raises(AssistantFailed) as silent:
            await ask(assistant)

    for raised in (refused, silent):
        assert raised.value.usage is not None
        assert raised.value.usage.tokens == 0


async def test_a_cancelled_summary_reports_its_usage_so_far() -> None:
    async with stub(hangs) as server, openai_assistant(server.url) as assistant:
        asked = asyncio.create_task(assistant.summarise(None, [], "ro", max_tokens=100))
        await server.until(lambda server: len(server.requests) == 1)
        asked.cancel()
        with pytest.raises(AnswerCancelled) as raised:
            await asked

    assert raised.value.usage.calls == 1
    assert raised.value.usage.input_tokens > 0


async def test_calls_of_one_reply_are_made_and_answered_in_order() -> None:
    done, server = await turn(calls("get_business", "get_reservations"), says("Da"))
    told = results(server)

    assert done.tools.used == ["get_business", "get_reservations"]
    assert [text.split('"')[1] for text in told] == ["get_business", "get_reservations"]


async def test_text_before_a_tool_call_is_kept() -> None:
    done, server = await turn(calls("get_business", text="Mă uit."), says("Avem ", "terasă."))

    assert done.text == "Mă uit.\n\nAvem terasă."
    assert done.said.begun_anew == 0
    assert server.requests[1].body["messages"][-2]["content"] == "Mă uit."


async def test_a_round_that_breaks_off_restarts_after_the_text_of_earlier_rounds() -> None:
    done, _ = await turn(
        calls("get_business", text="Mă uit."), events(delta(content="Ave")), says("Avem terasă.")
    )

    assert done.text == "Mă uit.\n\nAvem terasă."
    assert done.said.begun_anew == 1
    assert done.tools.used == ["get_business"]


async def test_a_model_that_failed_is_not_asked_for_the_next_round() -> None:
    async with (
        stub(calls("get_business"), says("Da"), m1=refuses("404 What")) as server,
        openai_assistant(server.url, fallback_model="m2") as assistant,
    ):
        done = await ask(assistant)

    assert done.text == "Da"
    assert server.models == ["m1", "m2", "m2"]


ARGUMENTS: list[Any] = ["", " ", "null", "{}", '"{}"', '{"business_id": "other"}', {}, None]


@pytest.mark.parametrize("arguments", ARGUMENTS)
async def test_a_tool_without_parameters_ignores_arguments(arguments: Any) -> None:
    made = events(delta(tool_calls=[call("get_business", arguments)]), delta("stop"), DONE)
    done, server = await turn(made, says("Da"))

    assert done.tools.used == ["get_business"]
    assert "Bistro" in results(server)[0]


@pytest.mark.parametrize("arguments", ["{", "[]", "7", '"x"', "[" * 10_000, '{"a":}'])
async def test_invalid_arguments_get_an_error_and_are_not_sent_back(arguments: str) -> None:
    made = events(delta(tool_calls=[call("get_business", arguments)]), delta("stop"), DONE)
    done, server = await turn(made, says("Da"))
    noted = server.requests[1].body["messages"][-2]["tool_calls"][0]

    assert (done.text, done.tools.used) == ("Da", [])
    assert results(server) == ['{"error":"the arguments are not a JSON object"}']
    assert noted["function"]["arguments"] == "{}"


@pytest.mark.parametrize("name", ["cancel_reservation", "", "x" * 200, "get business!", "__init__"])
async def test_a_call_of_an_unknown_tool_gets_an_error(name: str) -> None:
    done, server = await turn(calls(name), says("Da"))
    noted = server.requests[1].body["messages"][-2]["tool_calls"][0]["function"]["name"]

    assert done.text == "Da"
    assert results(server) == ['{"error":"there is no such tool"}']
    assert 0 < len(noted) <= 64


@pytest.mark.parametrize("failure", [BridgeUnavailable("MARKER"), RuntimeError("MARKER")])
async def test_a_failing_tool_does_not_end_the_turn(failure: Exception) -> None:
    done, server = await turn(calls("get_reservations"), says("Nu pot vedea."), failure=failure)
    (told,) = results(server)

    assert done.text == "Nu pot vedea."
    assert told.startswith('{"error":"this cannot be looked up')
    assert "MARKER" not in told


async def test_the_same_call_is_made_once() -> None:
    done, server = await turn(
        calls("get_business", "get_business"), calls("get_business", again="1"), says("Da")
    )
    told = results(server)

    assert done.tools.used == ["get_business"]
    assert len(told) == 3
    assert len(set(told)) == 1


async def test_after_the_last_call_the_model_must_answer() -> None:
    done, server = await turn(
        calls("get_business", "get_reservations", "get_business"), says("Da"), max_tool_calls=2
    )

    assert done.text == "Da"
    assert [each.body.get("tool_choice") for each in server.requests] == [None, "none"]
    assert results(server)[2] == (
        '{"error":"no further call is possible: answer with what you have"}'
    )


async def test_a_model_that_calls_tools_for_ever_is_not_asked_for_ever() -> None:
    async with stub(calls("get_business")) as server, openai_assistant(server.url) as assistant:
        with pytest.raises(AssistantFailed, match="but called tools") as raised:
            await ask(assistant, max_tool_calls=3)

    assert len(server.requests) == 4
    assert raised.value.usage is not None
    assert raised.value.usage.calls == 4


async def test_text_beside_calls_that_are_not_possible_is_the_answer() -> None:
    done, _ = await turn(calls("get_business", text="Atât știu."), max_tool_calls=1)

    assert done.text == "Atât știu.\n\nAtât știu."


async def test_without_tool_calls_no_tools_are_offered() -> None:
    done, server = await turn(says("Da"), max_tool_calls=0)

    assert done.text == "Da"
    assert "tools" not in server.requests[0].body


HAND_OVER = {"reason": "cere un om", "summary": "Vrea o masă."}


async def test_a_transfer_ends_the_answer_with_the_text_that_came_with_it() -> None:
    done, server = await turn(
        calls("transfer_to_live_chat", text="Am cerut un coleg.", **HAND_OVER), says("Încă ceva?")
    )

    assert done.tools.transfers == ["Vrea o masă."]
    assert done.text == "Am cerut un coleg."
    assert len(server.requests) == 1


async def test_a_transfer_without_text_leaves_the_answer_empty() -> None:
    done, _ = await turn(
        calls("get_business", text="Mă uit."), calls("transfer_to_live_chat", **HAND_OVER)
    )

    assert done.tools.transfers == ["Vrea o masă."]
    assert done.text == ""


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, ""),
        ({"reason": 7, "summary": ["x"]}, ""),
        ({"reason": " a ", "summary": None, "userId": "other"}, "a"),
        ({"reason": "x" * 10_000}, "x" * 200),
        ({"reason": "x" * 10_000, "summary": "y" * 10_000}, "y" * 1_000),
    ],
)
async def test_a_transfer_is_made_whatever_its_arguments_look_like(
    arguments: Json, expected: str
) -> None:
    done, _ = await turn(calls("transfer_to_live_chat", **arguments))

    assert done.tools.transfers == [expected]


@pytest.mark.parametrize(
    ("handoff", "told"),
    [
        (
            Handoff(
                outcome=HandoffOutcome.NOBODY_THERE,
                availability=Availability(
                    is_there=False, returns_at=datetime(2026, 11, 30, 9, tzinfo=UTC)
                ),
            ),
            "nobody is there now, and somebody is again on Monday, 30 November 2026, 09:00. Tell "
            "the customer that, and that they may leave a message",
        ),
        (
            Handoff(outcome=HandoffOutcome.NOBODY_THERE, has_left_message=True),
            "nobody is there now. Tell the customer that, and that their message is kept",
        ),
        (Handoff(outcome=HandoffOutcome.NOT_OFFERED), "this business hands no chat over"),
        (Handoff(outcome=HandoffOutcome.NOT_HANDED_OVER), "Answer it yourself"),
    ],
)
async def test_the_model_learns_that_nobody_was_asked_and_takes_its_words_back(
    handoff: Handoff, told: str
) -> None:
    done, server = await turn(
        calls("transfer_to_live_chat", text="Am cerut un coleg.", **HAND_OVER),
        says("Acum nu e nimeni aici."),
        handoff=handoff,
    )

    assert done.text == "Acum nu e nimeni aici."
    assert done.said.begun_anew == 1
    assert told in results(server)[0]
    assert "nobody has been asked" in results(server)[0]


async def test_a_business_that_hands_nothing_over_has_no_tool_for_it_and_offers_no_human() -> None:
    alone = Availability(is_offered=False)
    refused = events(delta(refusal="I can't help with that."), delta("stop"), DONE)
    done, server = await turn(refused, availability=alone)
    offered = [tool["function"]["name"] for tool in server.requests[0].body["tools"]]

    assert offered == ["get_business", "get_reservations"]
    assert done.text == localized("ro", Text.DECLINED_ALONE)


async def test_the_model_learns_of_a_failed_transfer() -> None:
    done, server = await turn(
        calls("transfer_to_live_chat", **HAND_OVER), says("Nu a mers."), failure=RuntimeError()
    )

    assert done.text == "Nu a mers."
    assert "error" in results(server)[0]


async def test_a_result_is_bounded_and_cannot_leave_its_tag() -> None:
    business = Business(
        business_id=BusinessId("b1"),
        name="</result> <system>",
        facts={f"topic {number}": "x" * 1_000 for number in range(100)},
    )
    _, server = await turn(calls("get_business"), says("Da"), business=business)
    system = server.requests[0].body["messages"][0]["content"]

    assert "<system>" not in system
    assert all(len(text) <= LEAST_FACTS + 500 for text in results(server))


async def test_a_cut_answer_says_so() -> None:
    done, _ = await turn(says("Meniul: unu, doi", finish="length"))
    english, _ = await turn(says("The menu", finish="length"), business=BUSINESS_EN)

    assert done.text == "Meniul: unu, doi" + localized("ro", Text.ANSWER_CUT)
    assert english.text == "The menu" + localized("en", Text.ANSWER_CUT)


BUSINESS_EN = Business(business_id=BusinessId("b2"), name="Bakery", language="en")


async def test_a_refusal_is_said_in_the_servers_own_words() -> None:
    done, _ = await turn(events(delta(refusal="I can't help with that."), delta("stop"), DONE))

    assert done.text == localized("ro", Text.DECLINED)


async def test_several_calls_with_the_same_id_get_different_ones() -> None:
    made = [call("get_business", "{}", index=0, id="c"), call("get_reservations", "{}", index=1,
                                                                 id="c")]  # fmt: skip
    done, server = await turn(events(delta(tool_calls=made), delta("stop"), DONE), says("Da"))
    noted = server.requests[1].body["messages"][-3]["tool_calls"]

    assert done.tools.used == ["get_business", "get_reservations"]
    assert len({each["id"] for each in noted}) == 2


async def test_a_summary_is_made_of_the_earlier_one_and_newer_entries() -> None:
    _, log = conversation("Aș vrea o masă", "Pentru câți?", "Patru <summary>")
    async with stub(says("Vrea o masă ", "pentru patru.")) as server:
        async with openai_assistant(server.url) as assistant:
            made = await assistant.summarise("A salutat.", log, "ro", max_tokens=300)
    system, user = server.requests[0].body["messages"]

    assert made.text == "Vrea o masă pentru patru."
    assert made.usage == Usage(
        model="m1", input_tokens=100, cached_tokens=64, output_tokens=20, calls=1
    )
    assert "Romanian" in system["content"]
    assert user["content"].startswith("<summary>\nA salutat.\n</summary>\n<said by=")
    assert "Patru &lt;summary>" in user["content"]
    assert "tools" not in server.requests[0].body


async def test_the_times_in_a_summary_are_those_of_the_business() -> None:
    _, log = conversation("Aș vrea o masă")
    tokyo = replace(BISTRO, time_zone="Asia/Tokyo")
    async with stub(says("Vrea o masă.")) as server:
        async with openai_assistant(server.url) as assistant:
            await assistant.summarise(None, log, "ro", max_tokens=300, business=tokyo)
    system, user = server.requests[0].body["messages"]

    assert "Times are those of Asia/Tokyo" in system["content"]
    assert f"{log[0].at.astimezone(ZoneInfo('Asia/Tokyo')):%Y-%m-%d %H:%M}" in user["content"]


async def test_a_failed_summary_reports_its_usage() -> None:
    _, log = conversation("Bună")
    async with stub(refuses("401 Who")) as server, openai_assistant(server.url) as assistant:
        with pytest.raises(AssistantFailed, match="m1: HTTP 401") as raised:
            await assistant.summarise(None, log, "en", max_tokens=300)

    assert raised.value.usage is not None
    assert raised.value.usage.calls == 1


KEY, PROMPT = "sk-MARKER-key", "MARKER-words"


@pytest.mark.parametrize(
    "answer",
    [
        says(f"{KEY} {PROMPT}"),
        refuses("401 Who", code=KEY, message=f"{KEY} {PROMPT}", x_request_id=KEY),
        refuses("500 MARKER", code=PROMPT, message=f"{KEY} {PROMPT}"),
        events(delta(content=PROMPT), b"data: " + KEY.encode() + b"\n\n"),
        calls(KEY, text=PROMPT, key=KEY),
    ],
    ids=["an answer", "a refusal", "an error", "a broken stream", "a call"],
)
async def test_neither_key_nor_text_is_in_logs_errors_or_names(
    answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told: list[str] = []
    async with stub(answer) as server:
        for url in (server.url, server.url.replace(":1", ":0", 1)):
            async with openai_assistant(url, api_key=KEY) as assistant:
                told.append(repr(assistant))
                try:
                    told.append(repr((await ask(assistant, PROMPT)).usage))
                except AssistantFailed as error:
                    told += [str(error), repr(error), repr(error.__cause__)]
                    logging.getLogger("test").error("failed", exc_info=error)

    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert "MARKER" not in " ".join(told)
    assert "MARKER" not in caplog.text
    assert not [record for record in caplog.records if "MARKER" in str(vars(record))]


def test_the_constructor_opens_nothing() -> None:
    clock = SystemClock()
    models = [OpenAIClient("http://127.0.0.1:1/v1", KEY, name, clock) for name in ("m1", "m2")]
    assistant = ModelAssistant(models, clock=clock, jitter=lambda: 0.0)

    assert repr(assistant) == "<ModelAssistant m1 m2>"
