"""Requests to models over real connections: retries, deadline, fallback, breaker, concurrency."""

import asyncio
import gzip
import json
import tracemalloc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from adapters.http_client import FAILURES_TO_OPEN
from adapters.model import retries
from adapters.model.assistant import ModelAssistant
from adapters.model.completion import Deadline
from adapters.openai.client import HELD_ANSWERS, REMEMBERED_S
from domain.errors import AssistantFailed
from domain.usage import Usage
from tests.support.model_turns import ShiftedClock, Turn, ask, openai_assistant
from tests.support.openai_stub import (
    DONE,
    USED,
    Answer,
    Stub,
    Wire,
    calls,
    delta,
    event,
    events,
    hangs,
    plain,
    refuses,
    says,
    stub,
)


async def turn(*answers: Answer, timeout_s: float = 20.0, **by_model: Answer) -> tuple[Turn, Stub]:
    """One turn with a server that answers so; with a fallback model if it answers for `m2`."""
    fallback = "m2" if "m2" in by_model else ""
    async with (
        stub(*answers, **by_model) as server,
        openai_assistant(server.url, fallback_model=fallback, timeout_s=timeout_s) as assistant,
    ):
        return await ask(assistant), server


async def failure(*answers: Answer, timeout_s: float = 20.0) -> tuple[AssistantFailed, Stub]:
    async with (
        stub(*answers) as server,
        openai_assistant(server.url, timeout_s=timeout_s) as assistant,
    ):
        with pytest.raises(AssistantFailed) as raised:
            await ask(assistant)
    return raised.value, server


def has_asked(count: int) -> Callable[[Stub], bool]:
    """Return a condition: exactly that many requests have come."""
    return lambda server: len(server.requests) == count


async def test_an_answer_comes_in_pieces_with_its_usage() -> None:
    done, server = await turn(says("Bună ", "ziua!"))
    (request,) = server.requests

    assert done.text == "Bună ziua!"
    assert done.usage == Usage(
        model="m1", input_tokens=100, cached_tokens=64, output_tokens=20, calls=1
    )
    assert request.headers["authorization"] == "Bearer key"
    assert request.headers["accept-encoding"] == "identity"
    assert "idempotency-key" not in request.headers
    assert (request.body["model"], request.body["stream"]) == ("m1", True)
    assert request.body["max_completion_tokens"] == 1_000
    assert request.body["stream_options"] == {"include_usage": True}


async def test_without_a_key_none_is_sent() -> None:
    async with stub(says("Da")) as server, openai_assistant(server.url, api_key="") as assistant:
        await ask(assistant)

    assert "authorization" not in server.requests[0].headers


async def test_a_user_in_the_address_is_sent_where_there_is_no_key() -> None:
    async with stub(says("Da")) as server:
        url = server.url.replace("//", "//ana:p%40ss@")
        async with openai_assistant(url, api_key="") as assistant:
            await ask(assistant)
        async with openai_assistant(url, api_key="key") as assistant:
            await ask(assistant)

    sent = [request.headers["authorization"] for request in server.requests]
    assert sent == ["Basic YW5hOnBAc3M=", "Bearer key"]


async def test_one_connection_serves_one_turn_after_the_other() -> None:
    async with stub(says("Da")) as server, openai_assistant(server.url) as assistant:
        for _ in range(5):
            await ask(assistant)

        assert (len(server.requests), server.connections) == (5, 1)


async def test_an_answer_that_is_not_streamed_is_accepted() -> None:
    body = {"choices": [{"message": {"content": "Da"}, "finish_reason": "stop"}]}
    done, _ = await turn(plain(json.dumps(body).encode()))

    assert done.text == "Da"


async def no_end(wire: Wire) -> None:
    """Keeps the connection open in silence."""
    await wire.gone()


async def drips(wire: Wire) -> None:
    """Sends comments for ever."""
    try:
        while True:
            await wire.chunk(b": still here\n\n")
            await asyncio.sleep(0.02)
    except ConnectionError:
        pass


@pytest.mark.parametrize("after", [no_end, drips])
@pytest.mark.parametrize("end", [[delta("stop"), USED, DONE], [delta("stop"), USED]])
async def test_a_complete_answer_does_not_wait_for_the_end_of_the_connection(
    after: Any, end: list[bytes]
) -> None:
    async with asyncio.timeout(3):
        done, _ = await turn(events(delta(content="Da"), *end, then=after))

    assert done.text == "Da"
    assert done.usage is not None
    assert done.usage.input_tokens == 100


async def test_a_complete_answer_waits_for_its_usage_only_briefly() -> None:
    async with asyncio.timeout(5):
        done, _ = await turn(events(delta(content="Da"), delta("stop"), then=drips))

    assert (done.text, done.usage) == ("Da", Usage(model="m1", calls=1))


BUSY = refuses("503 Busy")


async def reset(wire: Wire) -> None:
    wire.cut()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(BUSY, id="503"),
        pytest.param(refuses("500 Oops"), id="500"),
        pytest.param(refuses("408 Slow"), id="408"),
        pytest.param(refuses("409 Conflict"), id="409"),
        pytest.param(refuses("429 Limit", code="rate_limit_exceeded"), id="429"),
        pytest.param(plain(b"<html>", status="502 Bad Gateway"), id="a web page"),
        pytest.param(plain(b"<html>"), id="a web page that claims to be an answer"),
        pytest.param(plain(b""), id="nothing"),
        pytest.param(says(""), id="an empty answer"),
        pytest.param(events(event(error={"type": "server_error"})), id="an error in the stream"),
    ],
)
async def test_what_may_succeed_later_is_tried_again(answer: Answer) -> None:
    done, server = await turn(answer, says("Da"))

    assert done.text == "Da"
    assert server.models == ["m1", "m1"]
    assert done.usage is not None
    assert done.usage.calls == 2


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (refuses("400 Bad", code="invalid_value"), "HTTP 400, code invalid_value, type error"),
        (refuses("401 Who", code="invalid_api_key"), "HTTP 401, code invalid_api_key, type error"),
        (refuses("403 No"), "HTTP 403, type error"),
        (refuses("404 What", code="model_not_found"),
         "HTTP 404, code model_not_found, type error"),
        (refuses("429 Pay", code="insufficient_quota"),
         "HTTP 429, code insufficient_quota, type error"),
        (plain(b"", status="307 There", location="http://127.0.0.1:1/v1"),
         "HTTP 307, which leads elsewhere: the address that is set must be the last one"),
        (says("Nu", finish="content_filter"),
         "the provider's content filter withheld the answer"),
        (says(finish="length"),
         "all tokens of the answer were spent before its first word"),
    ],
)  # fmt: skip
async def test_what_cannot_succeed_is_not_tried_again(answer: Answer, reason: str) -> None:
    error, server = await failure(answer)

    assert str(error) == f"m1: {reason}"
    assert len(server.requests) == 1
    assert error.usage is not None
    assert error.usage.calls == 1


async def test_the_only_model_is_asked_again_until_the_deadline() -> None:
    error, server = await failure(BUSY, timeout_s=3.0)

    assert str(error) == "m1: HTTP 503, type error"
    assert len(server.requests) > retries.ATTEMPTS_PER_MODEL


async def test_a_server_that_is_away_for_a_while_costs_no_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retries, "FIRST_REST_S", 0.2)
    done, server = await turn(*[BUSY] * 6, says("Da"))

    assert done.text == "Da"
    assert len(server.requests) == 7 > FAILURES_TO_OPEN


async def test_answers_of_no_use_are_paid_for_and_not_asked_for_without_end() -> None:
    error, server = await failure(events(delta(content="Bu"), then=reset))

    assert str(error).startswith("m1: ")
    assert len(server.requests) == retries.ATTEMPTS_PER_MODEL


async def test_a_refused_connection_is_the_reason_of_the_failure() -> None:
    async with stub(says("Da")) as server:
        gone = server.url
    async with openai_assistant(gone, timeout_s=2.0) as assistant:
        with pytest.raises(AssistantFailed, match=r"m1: cannot connect to 127\.0\.0\.1:") as raised:
            await ask(assistant)

    assert raised.value.__cause__ is None


@pytest.mark.parametrize("then", [None, reset], ids=["an orderly end", "a reset"])
async def test_an_answer_that_breaks_off_restarts(then: Any) -> None:
    broken = events(delta(content="Bu"), delta(content="nă zi"), then=then)
    done, _ = await turn(broken, says("Bună ", "seara!"))

    assert done.text == "Bună seara!"
    assert done.said.begun_anew == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"retry_after_ms": "150"},
        {"retry_after": "0.15"},
        {"retry_after": "9", "retry_after_ms": "150"},
    ],
)
async def test_the_pause_that_a_server_asks_for_is_kept(headers: dict[str, str]) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    done, _ = await turn(refuses("429 Limit", **headers), says("Da"))

    assert done.text == "Da"
    assert 0.15 <= loop.time() - began < 5


@pytest.mark.parametrize(
    "value", ["", "soon", "nan", "-1", "Thu, 01 Jan 1970 00:00:00 GMT", "Thu, 99 Foo", "1" * 400]
)
@pytest.mark.parametrize("name", ["retry_after", "retry_after_ms"])
async def test_an_invalid_retry_after_is_ignored(name: str, value: str) -> None:
    answers = (refuses("429 Limit", **{name: value}), says("Da"))
    async with stub(*answers) as server, openai_assistant(server.url) as assistant:
        try:
            text = (await ask(assistant)).text
        except AssistantFailed as error:  # the pause is longer than the time that is left
            text = str(error)

    assert text in ("Da", "m1: HTTP 429, type error")


async def test_a_pause_beyond_the_deadline_is_not_waited_for() -> None:
    async with asyncio.timeout(5):
        error, server = await failure(refuses("429 Limit", retry_after="60"))

    assert str(error) == "m1: HTTP 429, type error"
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "primary",
    [
        pytest.param(BUSY, id="busy"),
        pytest.param(refuses("404 What", code="model_not_found"), id="unknown"),
        pytest.param(refuses("429 Limit", retry_after="10"), id="away for long"),
        pytest.param(says("Nu", finish="content_filter"), id="filtered"),
        pytest.param(says(finish="length"), id="out of tokens"),
        pytest.param(events(delta(content="Bu"), then=reset), id="always breaking off"),
    ],
)
async def test_where_one_model_fails_the_other_answers(primary: Answer) -> None:
    async with asyncio.timeout(10):
        done, server = await turn(m1=primary, m2=says("Da"))

    assert done.text == "Da"
    assert server.models[-1] == "m2"
    assert done.usage is not None
    assert (done.usage.model, done.usage.calls) == ("m2", len(server.models))


@pytest.mark.parametrize(
    "silence",
    [
        pytest.param(hangs, id="from the beginning"),
        pytest.param(events(then=no_end), id="after the headers"),
        pytest.param(events(delta(role="assistant", content=""), then=no_end), id="after a role"),
        pytest.param(events(then=drips), id="with comments"),
        pytest.param(plain(b"{", content_length="9"), id="within a document"),
        pytest.param(plain(b"x", status="500 Oops", content_length="9"), id="within an error"),
    ],
)
async def test_a_model_that_hangs_leaves_time_for_the_other(silence: Answer) -> None:
    done, server = await turn(m1=silence, m2=says("Da"), timeout_s=1.5)

    assert done.text == "Da"
    assert server.models == ["m1", "m2"]


async def test_a_model_that_stops_in_the_middle_leaves_time_for_the_other() -> None:
    stalled = events(delta(content="Bu"), delta(content="nă"), then=no_end)
    done, server = await turn(m1=stalled, m2=says("Da"), timeout_s=1.5)

    assert (done.text, done.said.begun_anew) == ("Da", 1)
    assert server.models == ["m1", "m2"]


@pytest.mark.parametrize("comment", [b"", b": OPENROUTER PROCESSING\n\n"])
async def test_the_only_model_may_be_silent_until_the_deadline(comment: bytes) -> None:
    async def late(wire: Wire) -> None:
        for _ in range(10):
            await asyncio.sleep(0.2)
            await wire.send(b"%x\r\n%b\r\n" % (len(comment), comment) if comment else b"")
        await wire.chunk(delta(content="Da") + delta("stop") + USED + DONE)
        await wire.send(b"0\r\n\r\n")

    done, server = await turn(events(then=late), timeout_s=3.0)

    assert done.text == "Da"
    assert len(server.requests) == 1


async def test_everything_ends_at_the_deadline() -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    error, _ = await failure(hangs, timeout_s=1.0)

    assert str(error) == "m1: it said nothing for too long"
    assert loop.time() - began < 2.0


async def test_a_slow_answer_that_goes_on_is_not_broken_off() -> None:
    async def slowly(wire: Wire) -> None:
        for _ in range(8):
            await asyncio.sleep(0.2)
            await wire.chunk(delta(content="da "))
        await wire.chunk(delta("stop") + USED + DONE)
        await wire.send(b"0\r\n\r\n")

    done, server = await turn(m1=events(then=slowly), m2=says("Nu"), timeout_s=3.0)

    assert done.text == "da " * 8
    assert server.models == ["m1"]


async def test_a_model_that_thinks_aloud_is_alive() -> None:
    async def thinks(wire: Wire) -> None:
        for _ in range(9):
            await asyncio.sleep(0.2)
            await wire.chunk(delta(reasoning_content="hm"))
        await wire.chunk(delta(content="Da") + delta("stop") + DONE)
        await wire.send(b"0\r\n\r\n")

    done, server = await turn(m1=events(then=thinks), m2=says("Nu"), timeout_s=3.2)

    assert done.text == "Da"
    assert server.models == ["m1"]


async def test_a_body_of_an_error_without_end_is_not_read_to_its_end() -> None:
    sent = 0

    async def floods(wire: Wire) -> None:
        nonlocal sent
        await wire.send(b"HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            while sent < 50_000_000:
                await wire.chunk(b"x" * 65_536)
                sent += 65_536
        except ConnectionError:
            pass

    done, _ = await turn(floods, says("Da"))

    assert done.text == "Da"
    assert sent < 50_000_000


def zipped(body: bytes, status: str = "200 OK", encoding: str = "gzip") -> Answer:
    return plain(gzip.compress(body), status=status, content_encoding=encoding)


async def test_a_packed_answer_that_becomes_too_long_is_unpacked_only_so_far() -> None:
    bomb = zipped(b"data: " + b" " * 64_000_000)
    tracemalloc.start()
    try:
        done, _ = await turn(bomb, says("Da"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert done.text == "Da"
    assert peak < 8_000_000


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
async def test_a_refusal_that_is_packed_unasked_is_read(encoding: str) -> None:
    refusal = b'{"error": {"message": "Unrecognized request argument: stream_options"}}'
    done, server = await turn(zipped(refusal, "400 Bad", encoding), says("Da"))

    assert done.text == "Da"
    assert "stream_options" not in server.requests[1].body


async def test_a_packed_answer_that_is_broken_is_asked_for_again() -> None:
    done, _ = await turn(plain(b"\x1f\x8bno", content_encoding="gzip"), says("Da"))

    assert done.text == "Da"


def raw(data: bytes) -> Answer:
    """Return an answer that is these bytes, and no more."""

    async def answer(wire: Wire) -> None:
        await wire.send(data)
        raise ConnectionError

    return answer


DEEP = b'{"error":' * 900 + b"1" + b"}" * 900


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(raw(b"SSH-2.0-x\r\n"), id="no HTTP"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\nX: a\x00b\r\n\r\n"), id="invalid header"),
        pytest.param(
            raw(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n"), id="long header"
        ),
        pytest.param(
            raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), id="bad chunk"
        ),
        pytest.param(
            plain(b"\xff", status="400 Bad", content_type="text/plain; charset=idna"), id="idna"
        ),
        pytest.param(
            plain(b"ab", status="400 Bad", content_type="text/plain; charset=hex"), id="hex"
        ),
        pytest.param(plain(DEEP, status="400 Bad", content_type="application/json"), id="deep"),
    ],
)
async def test_whatever_a_server_sends_is_no_more_than_a_failed_attempt(answer: Answer) -> None:
    done, _ = await turn(m1=answer, m2=says("Da"))

    assert done.text == "Da"


REFUSES_USAGE = refuses("400 Bad", message="Unrecognized request argument: stream_options")


async def test_stream_options_are_dropped_for_a_server_that_refuses_them() -> None:
    async with (
        stub(REFUSES_USAGE, says("Da"), says("Nu")) as server,
        openai_assistant(server.url) as assistant,
    ):
        texts = [(await ask(assistant)).text for _ in range(2)]

    assert texts == ["Da", "Nu"]
    assert ["stream_options" in each.body for each in server.requests] == [True, False, False]


NO_TOOLS = refuses("400 Bad", message="'are tools not supported?' is no question")


async def test_a_refusal_that_quotes_a_customer_takes_no_tools_from_others() -> None:
    async with (
        stub(says("Da"), NO_TOOLS, says("Nu"), says("Da")) as server,
        openai_assistant(server.url) as assistant,
    ):
        for _ in range(3):
            await ask(assistant)

    assert ["tools" in each.body for each in server.requests] == [True, True, False, True]


async def test_what_a_server_has_refused_is_tried_again_after_a_while() -> None:
    clock = ShiftedClock()
    async with (
        stub(NO_TOOLS, says("Nu"), says("Nu"), says("Da")) as server,
        openai_assistant(server.url, clock=clock) as assistant,
    ):
        await ask(assistant)
        await ask(assistant)
        clock.forward(REMEMBERED_S)
        await ask(assistant)

    assert ["tools" in each.body for each in server.requests] == [True, False, False, True]


async def test_what_a_refusal_quotes_in_its_own_field_is_not_read() -> None:
    quoted = {"message": "Failed", "failed_generation": "tools are not supported"}
    refusal = plain(json.dumps({"error": quoted}).encode(), status="400 Bad")
    async with stub(refusal) as server, openai_assistant(server.url) as assistant:
        with pytest.raises(AssistantFailed):
            await ask(assistant)

    assert len(server.requests) == 1


async def test_a_lone_end_of_a_thought_stops_no_streaming_for_ever() -> None:
    async with (
        stub(says("Da"), says("</think>", "Da"), says("Bună ", "ziua")) as server,
        openai_assistant(server.url) as assistant,
    ):
        pieces = [(await ask(assistant)).said.pieces for _ in range(2 + HELD_ANSWERS + 1)]

    assert pieces[2:] == [["Bună ziua"]] * HELD_ANSWERS + [["Bună ", "ziua"]]


async def test_max_tokens_is_sent_to_a_server_that_refuses_max_completion_tokens() -> None:
    detail = [{"type": "extra_forbidden", "loc": ["body", "max_completion_tokens"]}]
    answer = plain(json.dumps({"detail": detail}).encode(), status="422 Unprocessable")
    done, server = await turn(answer, says("Da"))

    assert done.text == "Da"
    assert "max_completion_tokens" not in server.requests[1].body
    assert server.requests[1].body["max_tokens"] == 1_000


async def test_a_server_that_refuses_a_parameter_for_ever_is_not_asked_for_ever() -> None:
    error, server = await failure(REFUSES_USAGE)

    assert str(error) == "m1: HTTP 400, type error"
    assert len(server.requests) == 2


async def test_a_parameter_that_did_no_harm_is_sent_again() -> None:
    async with (
        stub(REFUSES_USAGE, refuses("400 Bad"), says("Da")) as server,
        openai_assistant(server.url) as assistant,
    ):
        with pytest.raises(AssistantFailed):
            await ask(assistant)
        await ask(assistant)

    assert ["stream_options" in each.body for each in server.requests] == [True, False, True]


TOO_LONG = refuses("400 Bad", code="context_length_exceeded")
EARLIER = ("Întrebare veche", "Răspuns vechi", "Ce program aveți?")


async def test_a_context_that_is_too_small_gets_only_the_pending_messages() -> None:
    async with stub(TOO_LONG, says("Da")) as server, openai_assistant(server.url) as assistant:
        done = await ask(assistant, *EARLIER, summary="Rezumatul.")
    first, second = [json.dumps(each.body, ensure_ascii=False) for each in server.requests]

    assert done.text == "Da"
    assert all(text in first for text in EARLIER)
    assert [text in second for text in EARLIER] == [False, False, True]
    assert "Rezumatul." in second


async def test_if_even_they_do_not_fit_the_fallback_is_asked() -> None:
    done, server = await turn(m1=TOO_LONG, m2=says("Da"))

    assert done.text == "Da"
    assert server.models == ["m1", "m1", "m2"]


async def test_over_the_soft_budget_only_the_fallback_is_asked() -> None:
    async with (
        stub(m1=says("Scump"), m2=BUSY) as server,
        openai_assistant(server.url, fallback_model="m2", timeout_s=2.0) as assistant,
    ):
        with pytest.raises(AssistantFailed, match="m2: HTTP 503"):
            await ask(assistant, over_soft_budget=True)

    assert set(server.models) == {"m2"}


async def exhaust(assistant: ModelAssistant, server: Stub) -> int:
    """Let m1 fail until its circuit opens; return the number of requests that it got."""
    asked = -1
    while server.models.count("m1") != asked:
        asked = server.models.count("m1")
        await ask(assistant)
    return asked


@asynccontextmanager
async def failing() -> AsyncIterator[tuple[Stub, ModelAssistant, ShiftedClock]]:
    """m1 fails, m2 answers."""
    clock = ShiftedClock()
    async with (
        stub(m1=BUSY, m2=says("Altul")) as server,
        openai_assistant(server.url, fallback_model="m2", clock=clock) as assistant,
    ):
        yield server, assistant, clock


async def test_a_model_that_keeps_failing_is_not_asked_for_a_while() -> None:
    async with failing() as (server, assistant, clock):
        assert await exhaust(assistant, server) == FAILURES_TO_OPEN

        server.by_model["m1"] = says("Da")
        assert (await ask(assistant)).text == "Altul"
        clock.forward(retries.FIRST_REST_S)

        assert (await ask(assistant)).text == "Da"


async def test_all_models_that_keep_failing_are_away() -> None:
    async with stub(BUSY) as server, openai_assistant(server.url, timeout_s=1.5) as assistant:
        while not assistant.is_away:
            with pytest.raises(AssistantFailed, match="m1: HTTP 503"):
                await ask(assistant)

        assert len(server.requests) == FAILURES_TO_OPEN


async def test_refusals_in_a_row_show_in_readiness_until_an_answer_comes() -> None:
    async with stub(refuses("400 Bad")) as server, openai_assistant(server.url) as assistant:
        for _ in range(FAILURES_TO_OPEN):
            assert not assistant.is_away
            with pytest.raises(AssistantFailed):
                await ask(assistant)
        assert assistant.is_away

        server.answers = [says("Da")]
        await ask(assistant)

        assert not assistant.is_away


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(refuses("400 Bad"), id="refused"),
        pytest.param(says(), id="empty"),
        pytest.param(says("Nu", finish="error"), id="broken"),
    ],
)
async def test_a_model_that_refuses_or_wastes_all_requests_is_away(answer: Answer) -> None:
    async with stub(answer) as server, openai_assistant(server.url, timeout_s=2.0) as assistant:
        for _ in range(FAILURES_TO_OPEN):
            with pytest.raises(AssistantFailed):
                await ask(assistant)

        assert assistant.is_away


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(says("Nu", finish="content_filter"), id="answer"),
        pytest.param(refuses("400 Bad", code="content_filter"), id="question"),
    ],
)
async def test_filtered_questions_of_a_customer_are_no_outage(answer: Answer) -> None:
    async with stub(answer) as server, openai_assistant(server.url) as assistant:
        for _ in range(2 * FAILURES_TO_OPEN):
            with pytest.raises(AssistantFailed):
                await ask(assistant)

        assert not assistant.is_away


async def test_answers_that_end_in_a_fault_are_paid_for_and_not_asked_for_without_end() -> None:
    _, server = await failure(says("Nu", finish="error"))

    assert len(server.requests) == retries.ATTEMPTS_PER_MODEL


async def test_too_many_requests_at_once_are_no_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "WAITING_PER_CALL", 0)
    async with (
        stub(hangs) as server,
        openai_assistant(server.url, concurrency=1) as assistant,
        asyncio.TaskGroup() as tasks,
    ):
        running = tasks.create_task(ask(assistant))
        await server.until(has_asked(1))
        for _ in range(FAILURES_TO_OPEN):
            with pytest.raises(AssistantFailed, match="too many calls wait"):
                await ask(assistant)

        assert not assistant.is_away
        running.cancel()


async def test_a_cheaper_model_that_refuses_is_no_outage_of_the_first() -> None:
    async with (
        stub(m1=says("Da"), m2=refuses("400 Bad")) as server,
        openai_assistant(server.url, fallback_model="m2") as assistant,
    ):
        for _ in range(FAILURES_TO_OPEN):
            with pytest.raises(AssistantFailed):
                await ask(assistant, over_soft_budget=True)

        assert not assistant.is_away


async def test_a_trial_that_is_refused_for_its_tools_goes_on_without_them() -> None:
    refusal = refuses("404 No", message="No endpoints found that support tool use.")
    is_back, clock = False, ShiftedClock()

    async def answers(wire: Wire) -> None:
        answer = refusal if "tools" in wire.request.body else says("Da")
        await (answer if is_back else BUSY)(wire)

    async with (
        stub(answers) as server,
        openai_assistant(server.url, clock=clock, timeout_s=4.0) as assistant,
    ):
        with pytest.raises(AssistantFailed):
            await ask(assistant)
        is_back = True
        clock.forward(2 * retries.LONGEST_REST_S)

        assert (await ask(assistant)).text == "Da"


async def test_one_real_request_finds_out_whether_a_model_is_back() -> None:
    async with failing() as (server, assistant, clock):
        asked = await exhaust(assistant, server)
        server.by_model["m1"] = hangs
        clock.forward(retries.FIRST_REST_S)
        probe = asyncio.create_task(ask(assistant))
        await server.until(lambda stub: stub.models.count("m1") > asked)
        assert (await ask(assistant)).text == "Altul"
        probe.cancel()
        await asyncio.wait({probe})
        assert server.models.count("m1") == asked + 1

        server.by_model["m1"] = says("Da")

        assert (await ask(assistant)).text == "Da"


async def test_a_failed_trial_opens_the_circuit_for_longer() -> None:
    async with failing() as (server, assistant, clock):
        asked = await exhaust(assistant, server)
        for rests in range(1, 8):
            clock.forward(retries.LONGEST_REST_S)
            await ask(assistant)
            assert server.models.count("m1") == asked + rests
            clock.forward(retries.FIRST_REST_S / 2)
            await ask(assistant)
            assert server.models.count("m1") == asked + rests


async def test_while_one_circuit_is_open_the_other_model_answers_at_once() -> None:
    async with (
        stub(m1=BUSY, m2=says("Da")) as server,
        openai_assistant(server.url, fallback_model="m2") as assistant,
    ):
        for _ in range(2):
            await ask(assistant)
        before = len(server.requests)
        done = await ask(assistant)

    assert done.text == "Da"
    assert server.models[before:] == ["m2"]


async def test_concurrency_is_limited_and_waiting_requests_go_in_order() -> None:
    go = asyncio.Semaphore(0)

    async def waits(wire: Wire) -> None:
        await go.acquire()
        await says("Da")(wire)

    async with stub(waits) as server, openai_assistant(server.url, concurrency=2) as assistant:
        turns = [asyncio.create_task(ask(assistant, f"numărul {number}")) for number in range(6)]
        for count in (2, 3, 4, 5, 6):
            await server.until(has_asked(count))
            go.release()
        go.release()
        await asyncio.gather(*turns)
    said = [json.dumps(each.body, ensure_ascii=False) for each in server.requests]

    assert server.connections == 2
    assert all(f"numărul {number}" in text for number, text in enumerate(said))


async def test_waiting_for_a_slot_ends_at_the_deadline() -> None:
    async with (
        stub(says("Da")) as server,
        openai_assistant(server.url, concurrency=1, timeout_s=0.2) as assistant,
    ):
        async with assistant._router._slot(Deadline(9)):
            with pytest.raises(AssistantFailed, match="m1: the other calls took all of the time"):
                await ask(assistant)

        assert (await ask(assistant)).text == "Da"


async def test_a_full_queue_refuses_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "WAITING_PER_CALL", 1)
    async with (
        stub(hangs) as server,
        openai_assistant(server.url, concurrency=1) as assistant,
    ):
        held = [asyncio.create_task(ask(assistant)) for _ in range(2)]
        await server.until(has_asked(1))
        with pytest.raises(AssistantFailed, match="m1: too many calls wait"):
            await ask(assistant)
        for task in held:
            task.cancel()

        assert len(server.requests) == 1
        await asyncio.wait(held)


@pytest.mark.parametrize(
    "answer",
    [hangs, events(delta(content="Bu"), then=no_end), events(delta(content="Bu"), then=drips)],
    ids=["before the answer", "within it", "within a stream that goes on"],
)
async def test_a_cancelled_request_closes_its_connection_and_frees_its_slot(answer: Answer) -> None:
    async with stub(answer) as server, openai_assistant(server.url, concurrency=20) as assistant:
        for number in range(1, 11):
            tasks = [asyncio.create_task(ask(assistant)) for _ in range(20)]
            await server.until(has_asked(20 * number))
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            assert all(task.cancelled() for task in tasks)
        await server.until(lambda stub: stub.open == 0)
        server.answers = [says("Da")]

        assert (await ask(assistant)).text == "Da"


async def test_a_request_that_is_cancelled_while_waiting_leaves_the_queue() -> None:
    async with stub(hangs) as server, openai_assistant(server.url, concurrency=1) as assistant:
        tasks = [asyncio.create_task(ask(assistant)) for _ in range(3)]
        await server.until(has_asked(1))
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        server.answers = [says("Da")]

        assert (await ask(assistant)).text == "Da"


CALLED = calls("get_business")


async def test_a_check_says_what_is_wrong_and_with_which_model() -> None:
    unknown = refuses("404 What", code="model_not_found", message="key")
    async with (
        stub(CALLED, says("Test"), m2=unknown) as server,
        openai_assistant(server.url, fallback_model="m2") as assistant,
    ):
        with pytest.raises(AssistantFailed, match=r"^m2: HTTP 404, code model_not_found, type"):
            await assistant.check()

    assert server.models == ["m1", "m1", "m2"]


async def test_a_check_makes_a_whole_round_of_a_tool() -> None:
    async with stub(CALLED, says("Test")) as server, openai_assistant(server.url) as assistant:
        await assistant.check()

    first, second = [request.body for request in server.requests]
    assert first["tools"] == second["tools"]
    assert [message["role"] for message in second["messages"][-2:]] == ["assistant", "tool"]


@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        ([says("da")], "m1 answers, but did not call the tool that it was told to call"),
        ([says(finish="length")], "m1: all tokens of the answer were spent before its first word"),
        ([CALLED, says("")], "m1: the answer was empty"),
        ([CALLED, refuses("400 Bad")], "m1: HTTP 400, type error"),
        (
            [refuses("400 Bad", message="m1 does not support tools"), says("da")],
            "m1 answers, but its server does not accept tools: nothing is looked up, "
            "and no human is called by the model",
        ),
    ],
)
async def test_a_check_says_what_a_model_cannot_do(answers: list[Answer], problem: str) -> None:
    async with stub(*answers) as server, openai_assistant(server.url) as assistant:
        with pytest.raises(AssistantFailed) as raised:
            await assistant.check()

    assert str(raised.value) == problem


async def test_a_check_accepts_a_server_with_fewer_parameters() -> None:
    async with (
        stub(REFUSES_USAGE, CALLED, says("Test")) as server,
        openai_assistant(server.url) as assistant,
    ):
        await assistant.check()

    assert len(server.requests) == 3


async def test_an_invalid_address_is_reported_at_the_start() -> None:
    with pytest.raises(AssistantFailed, match=r"^OPENAI_BASE_URL is not an address$"):
        async with openai_assistant("http://127.0.0.1:notaport/v1"):
            pass
