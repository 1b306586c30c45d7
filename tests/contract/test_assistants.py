"""The contract of the `Assistant` port: one suite over all adapters."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from adapters.scripted import ScriptedAssistant
from adapters.system import SystemClock
from application.ports import Assistant
from domain.promise import sure_claims
from domain.tokens import estimate_tokens
from tests.support.model_turns import ask, conversation, openai_assistant
from tests.support.openai_stub import Wire, calls, says, stub


async def model(wire: Wire) -> None:
    """A model that understands three things."""
    *_, last = wire.request.body["messages"]
    if last["role"] == "tool":
        answer = says("Aveți o rezervare ", "pentru ", "2027-05-01.")
    elif "rezerv" in last["content"]:
        answer = calls("get_reservations")
    elif "vorbesc cu un om" in last["content"]:
        answer = calls("transfer_to_live_chat", reason="user_request", summary="Vrea un om.")
    else:
        answer = says("Sunt ", "aici: ", *last["content"].split()[-2:-1])
    await answer(wire)


@pytest.fixture(params=["scripted", "openai"])
async def assistant(request: pytest.FixtureRequest) -> AsyncIterator[Assistant]:
    if request.param == "scripted":
        yield ScriptedAssistant(SystemClock(), delay_s=0.001)
        return
    async with stub(model) as server, openai_assistant(server.url) as opened:
        yield opened


async def test_it_says_its_answer_in_pieces(assistant: Assistant) -> None:
    done = await ask(assistant, "Bună!")

    assert done.text.strip()
    assert len(done.said.pieces) > 1


async def test_it_tells_what_it_has_cost_or_nothing(assistant: Assistant) -> None:
    usage = (await ask(assistant, "Bună!")).usage

    assert usage is None or (usage.calls > 0 and usage.tokens > 0 and usage.model)


async def test_it_uses_the_tools_of_the_turn(assistant: Assistant) -> None:
    done = await ask(assistant, "Ce rezervări am?")

    assert done.tools.used == ["get_reservations"]
    assert "20" in done.text


async def test_who_asks_for_a_human_gets_one_by_the_tool(assistant: Assistant) -> None:
    done = await ask(assistant, "Vreau să vorbesc cu un om")

    assert len(done.tools.transfers) == 1
    assert not done.text or sure_claims(done.text, "ro").human


async def test_it_promises_no_human_without_the_tool(assistant: Assistant) -> None:
    done = await ask(assistant, "Bună!")

    assert done.tools.transfers == []
    assert not sure_claims(done.text, "ro").human


async def test_answers_at_once_do_not_get_mixed_up(assistant: Assistant) -> None:
    together = await asyncio.gather(
        *[ask(assistant, text) for text in ("Bună!", "Ce rezervări am?") * 10]
    )
    alone = [(await ask(assistant, text)).text for text in ("Bună!", "Ce rezervări am?")]

    assert [done.text for done in together] == alone * 10


async def test_who_is_cancelled_says_no_more_and_leaves_the_next_in_peace(
    assistant: Assistant,
) -> None:
    tasks = [asyncio.create_task(ask(assistant, "Bună!")) for _ in range(10)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    done = await ask(assistant, "Bună!")

    assert all(task.cancelled() for task in tasks)
    assert done.text.strip()


async def test_a_summary_is_a_text_that_is_not_much_longer_than_asked_for(
    assistant: Assistant,
) -> None:
    _, log = conversation("Aș vrea o masă pentru patru", "La ce oră?", "La opt")
    made = await assistant.summarise("A salutat.", log, "ro", max_tokens=200)

    assert made.text.strip()
    assert estimate_tokens(made.text) < 400
