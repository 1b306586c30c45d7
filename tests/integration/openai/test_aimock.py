"""The assistant with a server of another project, by its understanding of the API."""

import asyncio
from typing import Any

import pytest

from domain.errors import AssistantFailed
from domain.texts import Text, localized
from tests.support.aimock import KEY, Aimock, aimock, calls, fails, says
from tests.support.model_turns import Turn, ask, openai_assistant


@pytest.fixture
def server() -> Aimock:
    return aimock()


async def turn(server: Aimock, *said: str, timeout_s: float = 20.0, **chosen: Any) -> Turn:
    settings = {"api_key": KEY, "timeout_s": timeout_s, **chosen}
    async with openai_assistant(server.url, **settings) as assistant:
        return await ask(assistant, *said)


async def test_an_answer_streams_in_pieces_and_has_usage(server: Aimock) -> None:
    server.play(says("Bună ziua, cu ce vă ajut? 😀", chunkSize=5, latency=20))
    done = await turn(server)

    assert done.text == "Bună ziua, cu ce vă ajut? 😀"
    assert len(done.said.pieces) > 1
    assert done.usage is not None
    assert (done.usage.calls, done.usage.model) == (1, "m1")
    assert min(done.usage.input_tokens, done.usage.output_tokens) > 0


async def test_tools_are_called_and_their_results_understood(server: Aimock) -> None:
    server.play(
        calls("get_reservations", match={"hasToolResult": False}, text="Mă uit."),
        says("Aveți o masă.", match={"hasToolResult": True, "toolResultContains": "guests"}),
    )
    done = await turn(server, "Ce rezervări am?")

    assert done.tools.used == ["get_reservations"]
    assert done.text == "Mă uit.\n\nAveți o masă."


async def test_several_tools_in_pieces_of_few_characters(server: Aimock) -> None:
    wanted: list[dict[str, Any]] = [
        {"name": name, "arguments": {}} for name in ("get_business", "get_reservations")
    ]
    server.play(
        {"match": {"hasToolResult": False}, "response": {"toolCalls": wanted}, "chunkSize": 1},
        says("Gata.", match={"hasToolResult": True}),
    )
    done = await turn(server)

    assert done.tools.used == ["get_business", "get_reservations"]
    assert done.text == "Gata."


async def test_the_arguments_of_a_transfer_come_in_pieces(server: Aimock) -> None:
    arguments = {"reason": "cere un om", "summary": 'Vrea o masă pentru „patru" 😀'}
    server.play(calls("transfer_to_live_chat", arguments, match={}) | {"chunkSize": 3})
    done = await turn(server)

    assert done.tools.transfers == [arguments["summary"]]


async def test_the_pause_of_a_rate_limit_is_kept(server: Aimock) -> None:
    server.play(
        fails(429, match={"sequenceIndex": 0}, retry_after=1, type="rate_limit_error"),
        says("Da", match={"sequenceIndex": 1}),
    )
    loop = asyncio.get_running_loop()
    began = loop.time()
    done = await turn(server)

    assert done.text == "Da"
    assert loop.time() - began >= 1


@pytest.mark.parametrize("status", [500, 503])
async def test_a_failing_server_is_tried_again(server: Aimock, status: int) -> None:
    server.play(fails(status, match={"sequenceIndex": 0}), says("Da"))
    done = await turn(server)

    assert done.text == "Da"
    assert len(server.requests()) == 2


@pytest.mark.parametrize(
    ("fixture", "reason"),
    [
        (
            fails(404, code="model_not_found"),
            "m1: HTTP 404, code model_not_found, type server_error",
        ),
        (fails(400, code="invalid_value"), "m1: HTTP 400, code invalid_value, type server_error"),
        (
            fails(429, code="insufficient_quota"),
            "m1: HTTP 429, code insufficient_quota, type server_error",
        ),
    ],
)
async def test_a_permanent_failure_has_a_reason(
    server: Aimock, fixture: dict[str, Any], reason: str
) -> None:
    server.play(fixture)
    with pytest.raises(AssistantFailed) as raised:
        await turn(server)

    assert str(raised.value) == reason


async def test_a_wrong_key_is_reported_but_not_shown(server: Aimock) -> None:
    server.play(says("Da"))
    async with openai_assistant(server.url, api_key="sk-wrong") as assistant:
        with pytest.raises(AssistantFailed) as raised:
            await assistant.check()

    assert str(raised.value).startswith("m1: HTTP 401")
    assert "sk-wrong" not in str(raised.value)


async def test_key_and_model_can_be_checked(server: Aimock) -> None:
    server.play(
        calls("get_business", match={"model": "m1", "hasToolResult": False}),
        says("Test", match={"model": "m1", "hasToolResult": True}),
    )
    async with openai_assistant(server.url, api_key=KEY, fallback_model="m2") as assistant:
        with pytest.raises(AssistantFailed, match=r"^m2: HTTP 404") as raised:
            await assistant.check()

    assert "m1" not in str(raised.value)


async def test_a_conversation_too_long_for_the_model_is_shortened(server: Aimock) -> None:
    server.play(
        fails(400, match={"turnIndex": 1, "sequenceIndex": 0}, code="context_length_exceeded"),
        says("Da"),
    )
    done = await turn(server, "veche", "răspuns", "nouă")

    assert done.text == "Da"
    assert [len(body["messages"]) for body in server.requests()] == [4, 2]


@pytest.mark.parametrize("trouble", [{"truncateAfterChunks": 4}, {"disconnectAfterMs": 50}])
async def test_a_stream_that_breaks_off_restarts_at_the_fallback(
    server: Aimock, trouble: dict[str, int]
) -> None:
    broken = says("Aceasta nu se termină", match={"model": "m1"}, chunkSize=3, latency=20)
    server.play(broken | trouble, says("Da", match={"model": "m2"}))
    done = await turn(server, fallback_model="m2")

    assert done.text == "Da"
    assert done.said.begun_anew > 0


async def test_slow_chunks_are_waited_for(server: Aimock) -> None:
    text = "încet, dar sigur, vine răspunsul"
    server.play(says(text, chunkSize=4, latency=100))
    done = await turn(server, timeout_s=2.0)

    assert done.text == text


async def test_a_model_that_hangs_leaves_time_for_the_other(server: Aimock) -> None:
    silent = says("prea târziu", match={"model": "m1"}, chaos={"latencyMs": 30_000})
    server.play(silent, says("Da", match={"model": "m2"}))
    done = await turn(server, fallback_model="m2", timeout_s=2.0)

    assert done.text == "Da"


async def test_an_answer_cut_by_its_limit_says_so(server: Aimock) -> None:
    fixture = says("Meniul: unu")
    fixture["response"]["finishReason"] = "length"
    server.play(fixture)

    assert (await turn(server)).text == "Meniul: unu" + localized("ro", Text.ANSWER_CUT)


async def test_an_answer_withheld_by_a_filter_is_a_failure(server: Aimock) -> None:
    fixture = says("Nu")
    fixture["response"]["finishReason"] = "content_filter"
    server.play(fixture)

    with pytest.raises(AssistantFailed, match="content filter"):
        await turn(server)
