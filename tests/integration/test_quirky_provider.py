"""The quirky server: what each provider refuses, how it streams, and how it fails."""

import asyncio
import json
import re
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from adapters.model.tools import tool_spec
from application.tools import OWN_TOOLS
from domain.knowledge import SEARCH
from domain.model_text import facts, tagged
from tests.support.businesses import DEMO_BUSINESSES
from tests.support.openai_stub import Json
from tests.support.providers.chat import KEY, calls_of
from tests.support.providers.server import FAULTS, PROVIDERS, QuirkyProvider, quirky_server
from tests.support.providers.toy_model import REFUSAL, THOUGHT

SYSTEM = {"role": "system", "content": tagged("facts", facts(DEMO_BUSINESSES[0], 4_000))}
PARKING = "Avem 10 locuri de parcare în curte."
RESERVATIONS = '[{"date": "2030-05-14", "time": "19:30", "guests": 4}]'
TABLE = "Aveți o masă pe 2030-05-14 la 19:30, pentru 4 persoane."
TOOLS = [tool_spec(each.tool) for each in OWN_TOOLS if each.tool.name != SEARCH]
FUNCTIONS: list[Any] = [tool["function"] for tool in TOOLS]
OPENAI = [name for name, entry in PROVIDERS.items() if "responses" in entry.apis]
CHAT = [name for name, entry in PROVIDERS.items() if "chat" in entry.apis]
NEEDS_NONE = ["openai-5.6", "openai-6", "openai-5.5", "azure-v1"]
AS_TEXT = ["lm-studio"]
LEAKY = ["kimi-at-home", "vllm-no-flags", "vllm-gpt-oss", "lm-studio"]


@pytest.fixture
async def server() -> AsyncIterator[QuirkyProvider]:
    async with quirky_server() as running:
        yield running


@dataclass(slots=True)
class Got:
    """An answer as it came."""

    status: int
    headers: httpx.Headers
    raw: bytes
    message: Json = field(default_factory=dict)
    finish: str = ""
    pieces: list[str] = field(default_factory=list)

    @property
    def events(self) -> list[Any]:
        """The data of its events."""
        text = self.raw.decode()
        found = [line[6:] for line in text.splitlines() if line.startswith("data: ")]
        return [json.loads(each) for each in found if each != "[DONE]"]

    @property
    def error(self) -> str:
        """The body of an error, as text."""
        return self.raw.decode()


def user(text: str) -> Json:
    return {"role": "user", "content": text}


def url(server: QuirkyProvider, provider: str, end: str) -> str:
    """Return an address behind the base URL, whose query stays at the end."""
    address = httpx.URL(server.base_url(provider))
    return str(address.copy_with(path=f"{address.path}/{end}"))


async def post(server: QuirkyProvider, provider: str, end: str, body: Json, **headers: str) -> Got:
    auth = {"Authorization": f"Bearer {KEY}", "api-key": KEY, "Accept-Encoding": "identity"}
    async with httpx.AsyncClient(timeout=20) as client:
        request = client.build_request(
            "POST", url(server, provider, end), json=body, headers=auth | headers
        )
        answer = await client.send(request, stream=True)
        raw = b"".join([piece async for piece in answer.aiter_raw()])
    return Got(answer.status_code, answer.headers, raw)


async def chat(
    server: QuirkyProvider, provider: str, *messages: Json, fault: str = "", **more: Any
) -> Got:
    """Ask a provider, by what its own rules demand."""
    entry = PROVIDERS[provider]
    body: Json = {"model": entry.model + fault, "messages": messages, "stream": entry.streams}
    if "tools" in more and provider in NEEDS_NONE:
        body["reasoning_effort"] = "none"
    got = await post(server, provider, "chat/completions", body | more)
    if got.status == 200 and got.headers["content-type"] == "application/json":
        (choice,) = json.loads(got.raw)["choices"]
        got.message, got.finish = choice["message"], choice["finish_reason"]
    elif got.status == 200 and "content-encoding" not in got.headers:
        for choice in _choices(got.events):
            delta = choice.get("delta") or {}
            _grow(got.message, delta)
            got.pieces += [delta["content"]] if isinstance(delta.get("content"), str) else []
            got.finish = choice.get("finish_reason") or got.finish
    return got


def _choices(events: list[Any]) -> Iterator[Json]:
    for event in events:
        yield from event.get("choices") or []


def _grow(message: Json, delta: Json) -> None:
    """Add a piece to a message, with whatever the provider has put there."""
    for name, value in delta.items():
        if name == "tool_calls":
            for call in value:
                _grow_call(message.setdefault("tool_calls", []), call)
        elif name == "role" or not message.get(name):
            message[name] = value
        elif value:
            message[name] = message[name] + value


def _grow_call(calls: list[Json], piece: Json) -> None:
    index = piece.pop("index", len(calls))
    if index < len(calls):
        calls[index]["function"]["arguments"] += piece["function"]["arguments"]
    else:
        calls.append(piece)


def answered(got: Got, result: str = RESERVATIONS) -> list[Json]:
    """Return the model's message as it goes back, and the results of its calls."""
    message = {name: value for name, value in got.message.items() if value or name == "content"}
    message["content"] = message.get("content") or None
    calls = calls_of(message)
    results = [{"role": "tool", "tool_call_id": call["id"], "content": result} for call in calls]
    return [message, *results]


def said(got: Got) -> str:
    """Return the text of an answer without its thoughts."""
    content = got.message["content"]
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content)
    return re.split(r"</think>\s*|◁/think▷|<\|message\|>", content or "")[-1]


async def respond(server: QuirkyProvider, provider: str, *items: Json, **more: Any) -> Got:
    body = {
        "model": PROVIDERS[provider].model,
        "input": items,
        "stream": True,
        "store": False,
        "tools": [{"type": "function", **function} for function in FUNCTIONS],
        **more,
    }
    return await post(server, provider, "responses", body)


def output(got: Got) -> list[Json]:
    """Return the items of a whole response."""
    return list(got.events[-1]["response"]["output"])


# Conversations.


@pytest.mark.parametrize("provider", CHAT)
async def test_every_provider_answers_from_the_facts(server: QuirkyProvider, provider: str) -> None:
    got = await chat(server, provider, SYSTEM, user("Aveți parcare?"))

    assert said(got) == PARKING
    assert got.finish.lower() == "stop"


@pytest.mark.parametrize(
    "provider", [name for name in CHAT if "chat" in PROVIDERS[name].tools and name not in AS_TEXT]
)
async def test_every_provider_with_tools_makes_a_call_and_reads_its_result(
    server: QuirkyProvider, provider: str
) -> None:
    question = [SYSTEM, user("Ce rezervări am?")]
    first = await chat(server, provider, *question, tools=TOOLS)
    (call,) = first.message["tool_calls"]
    call["function"]["name"] = call["function"]["name"].partition("<|")[0]
    second = await chat(server, provider, *question, *answered(first), tools=TOOLS)

    assert call["function"] == {"name": "get_reservations", "arguments": "{}"}
    assert said(second) == TABLE


@pytest.mark.parametrize(
    ("provider", "status", "words"),
    [
        ("ollama-no-tools", 400, "registry.ollama.ai/library/gemma3:4b does not support tools"),
        ("vllm-no-flags", 400, '\\"auto\\" tool choice requires --enable-auto-tool-choice'),
        ("openrouter-no-tools", 404, "No endpoints found that support tool use"),
        ("openai-astra", 400, "use /v1/responses or set reasoning_effort to 'none'."),
    ],
)
async def test_a_provider_without_tools_refuses_them(
    server: QuirkyProvider, provider: str, status: int, words: str
) -> None:
    got = await chat(server, provider, SYSTEM, user("Bună!"), tools=TOOLS)

    assert (got.status, words in got.error) == (status, True)


async def test_who_asks_for_a_human_is_transferred_and_a_thought_of_it_is_none(
    server: QuirkyProvider,
) -> None:
    got = await chat(server, "deepseek", SYSTEM, user("Vreau un om"), tools=TOOLS)

    assert [call["function"]["name"] for call in calls_of(got.message)] == ["transfer_to_live_chat"]
    assert "transfer_to_live_chat" in got.message["reasoning_content"]
    assert got.message["content"] == "Am cerut unui coleg să vină."


@pytest.mark.parametrize("provider", [name for name in CHAT if name != "qwen"])
async def test_every_provider_but_one_answers_in_one_document_too(
    server: QuirkyProvider, provider: str
) -> None:
    got = await chat(server, provider, SYSTEM, user("Aveți parcare?"), stream=False)

    assert said(got) == PARKING


async def test_a_summary_holds_what_the_user_has_said(server: QuirkyProvider) -> None:
    summary = {"role": "system", "content": "You keep the summary of a chat."}
    talk = '<said by="user" at="x">Vreau o masă.</said>\n<said by="ai" at="x">Când?</said>'
    got = await chat(server, "groq", summary, user(talk))

    assert said(got) == "Rezumat: Vreau o masă."


# What is refused.


@pytest.mark.parametrize(
    ("provider", "effort", "status"),
    [
        ("openai-5.6", None, 400),
        ("openai-5.6", "low", 400),
        ("openai-5.6", "none", 200),
        ("openai-6", None, 400),
        ("openai-6", "none", 200),
        ("openai-5.5", None, 400),
        ("openai-5.5", "none", 200),
        ("openai-astra", None, 400),
        ("openai-astra", "low", 400),
        ("openai-astra", "none", 400),
        ("openai-5.4", None, 200),
        ("openai-5.4", "low", 400),
        ("openai-4.1", None, 200),
        ("openai-4.1", "none", 400),
        ("azure-v1", None, 400),
    ],
)
async def test_tools_on_chat_depend_on_the_effort(
    server: QuirkyProvider, provider: str, effort: str | None, status: int
) -> None:
    body = {"model": PROVIDERS[provider].model, "messages": [user("Bună!")], "tools": TOOLS}
    if effort is not None:
        body["reasoning_effort"] = effort
    got = await post(server, provider, "chat/completions", body)

    assert got.status == status


@pytest.mark.parametrize(
    ("provider", "more", "words"),
    [
        ("openai-6", {"max_tokens": 9}, "Use 'max_completion_tokens' instead."),
        ("openai-6", {"reasoning_effort": "minimal"}, "does not support 'minimal'"),
        ("openai-astra", {"reasoning_effort": "none"}, "'low', 'medium', 'high', and 'xhigh'."),
        ("openai-astra", {"stop": ["User:"]}, "'stop' is not supported with this model."),
        ("openai-6", {"think": True}, "Unknown parameter: 'think'."),
        ("openai-pro", {}, "This is not a chat model"),
        ("openai-unverified", {"stream": True}, "must be verified to stream"),
        ("gemini", {"store": False}, 'Unknown name \\"store\\": Cannot find field.'),
        ("mistral", {"max_completion_tokens": 9}, "Extra inputs are not permitted"),
        ("mistral", {"stream_options": {"include_usage": True}}, "extra_forbidden"),
        ("groq", {"store": False}, "property 'store' is unsupported"),
        ("groq", {"reasoning_effort": "none"}, "must be one of `low`, `medium`, or `high`"),
        ("xai", {"reasoning_effort": "low"}, "does not support parameter reasoningEffort"),
        ("qwen", {"stream": False}, "enable_thinking must be set to false"),
        ("kimi", {"thinking": {}, "reasoning_effort": "low"}, "cannot specify both"),
        ("anthropic", {"n": 2}, "n: must be exactly 1"),
    ],
)
async def test_a_parameter_that_a_provider_does_not_know_is_named(
    server: QuirkyProvider, provider: str, more: Json, words: str
) -> None:
    got = await chat(server, provider, user("Bună!"), **more)

    assert got.status == (
        422 if provider == "mistral" else 404 if provider == "openai-pro" else 400
    )
    assert words in got.error


@pytest.mark.parametrize(
    ("provider", "words"),
    [
        ("gemini", "is missing a thought_signature in functionCall parts"),
        ("openrouter", "Gemini models require OpenRouter reasoning details to be preserved"),
        ("deepseek", "The `reasoning_content` in the thinking mode must be passed back"),
        ("kimi", "reasoning_content is missing in assistant tool call message at index 2"),
    ],
)
async def test_a_call_without_what_came_with_it_is_refused(
    server: QuirkyProvider, provider: str, words: str
) -> None:
    question = [SYSTEM, user("Ce rezervări am?")]
    first = await chat(server, provider, *question, tools=TOOLS)
    message, result = answered(first)
    (call,) = message["tool_calls"]
    bare = {"id": call["id"], "type": "function", "function": call["function"]}
    stripped = {"role": "assistant", "content": None, "tool_calls": [bare]}
    got = await chat(server, provider, *question, stripped, result, tools=TOOLS)

    assert (got.status, words in got.error) == (400, True)


CALL = {"type": "function", "function": {"name": "get_business", "arguments": "{}"}}
ASKS = {"role": "assistant", "content": None, "tool_calls": [{"id": "call_1", **CALL}]}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "{}"}


@pytest.mark.parametrize(
    ("provider", "messages", "words"),
    [
        ("openai-4.1", [ASKS], "did not have response messages: call_1"),
        ("openai-4.1", [RESULT], "must be a response to a preceeding message"),
        ("openai-4.1", [{"role": "user", "content": None}], "expected a string, got null"),
        ("openai-4.1", [{**ASKS, "reasoning_content": "x"}, RESULT], "messages[1].reasoning"),
        ("mistral", [ASKS, RESULT], "Tool call id was call_1 but must be a-z, A-Z, 0-9"),
        ("mistral", [ASKS, RESULT, user("?")], "Unexpected role 'user' after role 'tool'"),
        ("mistral", [{"role": "assistant", "content": "x"}], "Expected last role User or Tool"),
        ("groq", [{**ASKS, "reasoning_content": "x"}, RESULT], "'reasoning_content' is unsupp"),
        ("anthropic", [{"role": "assistant", "content": ""}], "content blocks must be non-empty"),
        ("anthropic", [ASKS], "`tool_use` ids were found without `tool_result` blocks"),
        ("llama.cpp-strict", [user("?")], "roles must alternate user and assistant roles"),
        ("deepseek", [{"role": "developer", "content": "x"}], "unknown variant `developer`"),
    ],
)
async def test_messages_in_a_wrong_form_or_order_are_refused(
    server: QuirkyProvider, provider: str, messages: list[Json], words: str
) -> None:
    got = await chat(server, provider, user("Bună!"), *messages)

    assert got.status in (400, 422, 500)
    assert words in got.error


async def test_azure_takes_its_own_header_and_asks_for_a_version(server: QuirkyProvider) -> None:
    body = {"model": "x", "messages": [user("Bună!")]}
    end = "chat/completions"
    good = await post(server, "azure-classic", end, body, Authorization="")
    wrong = await post(server, "azure-classic", end, body, **{"api-key": ""})
    address = server.base_url("azure-classic")
    async with httpx.AsyncClient() as client:
        undated = await client.post(address.partition("?")[0] + f"/{end}", json=body)
        astray = await client.post(f"{address}/{end}", json=body)  # faults.md: D14

    assert good.status == 200
    assert (wrong.status, "Access denied" in wrong.error) == (401, True)
    assert undated.json()["error"]["message"] == "Resource not found"
    assert astray.json()["error"]["message"] == "Resource not found"


async def test_a_long_prompt_is_refused_cut_or_an_event_of_a_good_answer(
    server: QuirkyProvider,
) -> None:
    long = [user(f"{number} " + "x" * 4_000) for number in range(6)]
    refused = await chat(server, "llama.cpp", SYSTEM, *long)
    inside = await chat(server, "lm-studio", SYSTEM, *long)
    cut = await chat(
        server,
        "ollama",
        *[SYSTEM, *long, user("Aveți parcare?")],
        stream_options={"include_usage": True},
    )

    assert json.loads(refused.raw)["error"]["type"] == "exceed_context_size_error"
    assert (inside.status, inside.error.startswith("event: error\n")) == (200, True)
    assert said(cut) == PARKING
    assert cut.events[-1]["usage"]["prompt_tokens"] < 2_500


@pytest.mark.parametrize(
    ("provider", "shape"),
    [
        ("openai-6", {"error": {"message": str, "type": str, "param": None, "code": str}}),
        ("gemini", [{"error": {"code": int, "message": str, "status": str}}]),
        ("mistral", {"object": str, "message": str, "type": str, "param": None, "code": str}),
        ("openrouter", {"error": {"message": str, "code": int}}),
        ("xai", {"code": str, "error": str}),
        ("lm-studio", {"error": str}),
        ("vllm-no-flags", {"error": {"message": str, "type": str, "param": None, "code": int}}),
        ("ollama", {"error": {"message": str, "type": str, "param": None, "code": None}}),
        ("azure-v1", {"error": {"code": str, "message": str}}),
    ],
)
async def test_errors_have_the_providers_own_shape(
    server: QuirkyProvider, provider: str, shape: object
) -> None:
    got = await post(server, provider, "chat/completions", {"model": "no such", "messages": []})

    assert _shape(json.loads(got.raw)) == shape


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_shape(each) for each in value]
    return None if value is None else type(value)


# How it streams.


@pytest.mark.parametrize("provider", LEAKY)
async def test_thoughts_in_the_content_come_in_pieces_that_tear_their_tags(
    server: QuirkyProvider, provider: str
) -> None:
    got = await chat(server, provider, SYSTEM, user("Aveți parcare?"))

    assert THOUGHT in got.message["content"]
    assert max(map(len, got.pieces)) <= 3


async def test_each_provider_has_its_own_spelling_of_a_call(server: QuirkyProvider) -> None:
    question = [SYSTEM, user("Ce rezervări am?")]
    written = {
        name: said(await chat(server, name, *question, tools=TOOLS, fault="+calls-as-text"))
        for name in ("lm-studio", "mistral", "groq", "ollama")
    }

    assert written == {
        "lm-studio": "<tool_call>\n<function=get_reservations>\n</function>\n</tool_call>",
        "mistral": '[TOOL_CALLS][{"name": "get_reservations", "arguments": {}}]',
        "groq": "<function=get_reservations>{}</function>",
        "ollama": '{"name": "get_reservations", "parameters": {}}',
    }


async def test_the_counts_are_where_each_provider_puts_them(server: QuirkyProvider) -> None:
    found = {}
    for name in ("openai-4.1", "mistral", "kimi", "groq", "deepseek"):
        extra: Json = {} if name == "mistral" else {"stream_options": {"include_usage": True}}
        got = await chat(server, name, SYSTEM, user("Aveți parcare?"), **extra)
        found[name] = [each for each in got.events if "prompt_tokens" in json.dumps(each)]

    assert found["openai-4.1"][0]["choices"] == []
    assert found["mistral"][0]["choices"][0]["finish_reason"] == "stop"
    assert found["kimi"][0]["choices"][0]["usage"]["prompt_tokens"] > 0
    assert found["groq"][0]["x_groq"]["usage"]["prompt_tokens"] > 0
    assert "prompt_cache_hit_tokens" in found["deepseek"][0]["usage"]


async def test_a_prompt_that_repeats_is_cached(server: QuirkyProvider) -> None:
    long = {**SYSTEM, "content": "x" * 6_000}
    usage = [
        json.loads((await chat(server, "openai-4.1", long, user(text), stream=False)).raw)["usage"]
        for text in ("unu", "doi")
    ]

    cached = [each["prompt_tokens_details"]["cached_tokens"] for each in usage]
    assert cached[0] == 0
    assert cached[1] >= 1_408


async def test_comments_azures_first_event_and_geminis_calls_are_odd(
    server: QuirkyProvider,
) -> None:
    question = [SYSTEM, user("Ce rezervări am?")]
    router = await chat(server, "openrouter", *question, tools=TOOLS)
    azure = await chat(server, "azure-v1", *question, tools=TOOLS)
    gemini = await chat(server, "gemini", *question, tools=TOOLS)
    (call,) = [
        call
        for choice in _choices(gemini.events)
        for call in choice["delta"].get("tool_calls") or []
    ]

    assert router.raw.startswith(b": OPENROUTER PROCESSING\n\n")
    assert azure.events[0]["choices"] == []
    assert "delta" not in [each for each in azure.events if each["id"] == ""][1]["choices"][0]
    assert call.keys() == {"id", "type", "function", "extra_content"}
    assert gemini.finish == "stop"


# Responses.


@pytest.mark.parametrize("provider", OPENAI)
async def test_a_response_streams_its_items_and_takes_them_back(
    server: QuirkyProvider, provider: str
) -> None:
    asked = user("Ce rezervări am?")
    has_thoughts = provider != "openai-4.1"
    more: Json = {"include": ["reasoning.encrypted_content"]} if has_thoughts else {}
    first = await respond(server, provider, SYSTEM, asked, **more)
    items = output(first)
    call = items[-1]
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": RESERVATIONS}
    second = await respond(server, provider, SYSTEM, asked, *items, result, **more)
    deltas = [each for each in second.events if each["type"] == "response.output_text.delta"]

    assert call["name"] == "get_reservations"
    assert second.events[0]["type"] == "response.created"
    assert "".join(each["delta"] for each in deltas) == TABLE
    assert second.events[-1]["type"] == "response.completed"
    assert [each["sequence_number"] for each in second.events] == list(range(len(second.events)))
    assert b"[DONE]" not in second.raw


async def test_the_official_sdk_reads_a_response(server: QuirkyProvider) -> None:
    client = openai.AsyncOpenAI(base_url=server.base_url("openai-6"), api_key=KEY, max_retries=0)
    async with (
        client,
        client.responses.stream(model="gpt-6-sol", input="Say: da", store=False) as stream,
    ):
        kinds = [event.type async for event in stream]
        response = await stream.get_final_response()

    assert kinds[-1] == "response.completed"
    assert response.output_text == "da"
    assert response.usage is not None
    assert response.usage.output_tokens_details.reasoning_tokens == 64


@pytest.mark.parametrize(
    ("take", "status", "words"),
    [
        ("no reasoning", 400, "was provided without its required 'reasoning' item: 'rs_"),
        ("no call", 400, "of type 'reasoning' was provided without its required following item."),
        ("no result", 400, "No tool output found for function call call_"),
        ("only result", 400, "No tool call found for function call output with call_id call_"),
        ("no content", 404, "Items are not persisted when `store` is set to false."),
        ("wrong content", 400, "could not be verified"),
        ("status", 400, "Unknown parameter: 'input[1].status'."),
    ],
)
async def test_items_that_belong_together_come_back_together(
    server: QuirkyProvider, take: str, status: int, words: str
) -> None:
    asked = user("Ce rezervări am?")
    more = {"include": ["reasoning.encrypted_content"]}
    thought, call = output(await respond(server, "openai-6", asked, **more))
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "[]"}
    bare = {name: thought[name] for name in ("id", "type", "summary")}
    given: dict[str, list[Json]] = {
        "no reasoning": [asked, call, result],
        "no call": [asked, thought, user("?")],
        "no result": [asked, thought, call],
        "only result": [asked, result],
        "no content": [asked, bare, call, result],
        "wrong content": [asked, {**thought, "encrypted_content": "gAAAAAx"}, call, result],
        "status": [asked, {**thought, "status": "completed"}, call, result],
    }
    got = await respond(server, "openai-6", *given[take])

    assert (got.status, words in got.error) == (status, True)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"messages": []}, "this parameter has moved to 'input'"),
        ({"max_completion_tokens": 99}, "this parameter has moved to 'max_output_tokens'"),
        ({"reasoning_effort": "low"}, "this parameter has moved to 'reasoning.effort'"),
        ({"max_output_tokens": 5}, "Expected a value >= 16"),
        ({"tools": TOOLS}, "Missing required parameter: 'tools[0].name'."),
        ({"reasoning": {"effort": "minimal"}}, "does not support 'minimal'"),
    ],
)
async def test_the_parameters_of_chat_are_refused_for_a_response(
    server: QuirkyProvider, more: Json, words: str
) -> None:
    got = await respond(server, "openai-6", user("Bună!"), **more)

    assert (got.status, words in got.error) == (400, True)


@pytest.mark.parametrize(
    ("fault", "last", "reason"),
    [
        ("length", "response.incomplete", "max_output_tokens"),
        ("filter", "response.incomplete", "content_filter"),
        ("broken", "response.failed", "server_error"),
        ("error-event", "error", "server_error"),
        ("refusal", "response.completed", "response.refusal.delta"),
    ],
)
async def test_a_response_ends_in_its_own_ways(
    server: QuirkyProvider, fault: str, last: str, reason: str
) -> None:
    server.fail("openai-6", fault)
    got = await respond(server, "openai-6", SYSTEM, user("Aveți parcare?"))

    assert got.events[-1]["type"] == last
    assert reason in got.error


# Faults.


async def test_a_fault_is_for_as_many_requests_as_it_is_set_for(server: QuirkyProvider) -> None:
    server.fail("openai-4.1", "busy", times=2)
    got = [await chat(server, "openai-4.1", user("Say: da")) for _ in range(3)]

    assert [each.status for each in got] == [503, 503, 200]
    assert [each.status for each in server.received("openai-4.1", "chat")] == [503, 503, 200]


@pytest.mark.parametrize(
    ("provider", "fault", "status", "words"),
    [
        ("openai-6", "busy-retry-after:7", 503, "overloaded"),
        ("llama.cpp", "busy", 503, "Loading model"),
        ("anthropic", "busy", 529, "Overloaded"),
        ("mistral", "busy", 429, "service_tier_capacity_exceeded"),
        ("openai-6", "rate-limit", 429, "rate_limit_exceeded"),
        ("gemini", "rate-limit", 429, "RESOURCE_EXHAUSTED"),
        ("openrouter", "rate-limit", 429, "is temporarily rate-limited upstream."),
        ("openai-6", "quota", 429, "insufficient_quota"),
        ("deepseek", "quota", 402, "Insufficient Balance"),
        ("kimi", "quota", 429, "exceeded_current_quota_error"),
        ("azure-v1", "filtered-prompt", 400, "ResponsibleAIPolicyViolation"),
        ("groq", "tool-use-failed", 400, "failed_generation"),
        ("openai-6", "web-page", 502, "<html>"),
    ],
)
async def test_a_provider_fails_in_its_own_words(
    server: QuirkyProvider, provider: str, fault: str, status: int, words: str
) -> None:
    got = await chat(server, provider, user("Bună!"), fault=f"+{fault}")

    assert (got.status, words in got.error) == (status, True)
    assert got.headers.get("retry-after") == ("7" if "7" in fault else None) or status == 429


@pytest.mark.parametrize(
    ("provider", "fault", "finish"),
    [
        ("openai-6", "length", "length"),
        ("mistral", "length", "model_length"),
        ("gemini-gateway", "length", "MAX_TOKENS"),
        ("gemini-gateway", "filter", "SAFETY"),
        ("openai-6", "filter", "content_filter"),
        ("deepseek", "broken", "insufficient_system_resource"),
        ("openrouter", "broken", "error"),
        ("openai-6", "broken", ""),
        ("lm-studio", "broken", ""),
    ],
)
async def test_half_an_answer_has_its_own_finish(
    server: QuirkyProvider, provider: str, fault: str, finish: str
) -> None:
    got = await chat(server, provider, SYSTEM, user("Aveți parcare?"), fault=f"+{fault}")

    assert PARKING not in got.message["content"]
    assert got.finish == finish
    assert ("error" in got.error) == (fault == "broken" and provider != "deepseek")


async def test_a_refusal_and_an_empty_answer(server: QuirkyProvider) -> None:
    refused = await chat(server, "openai-6", user("Bună!"), fault="+refusal")
    empty = await chat(server, "openai-6", user("Bună!"), fault="+empty")

    assert (refused.message["refusal"], refused.message["content"]) == (REFUSAL, "")
    assert (empty.message["content"], empty.finish) == ("", "stop")


@pytest.mark.parametrize(("fault", "label"), [("gzip", "gzip"), ("gzip-unlabelled", None)])
async def test_a_zipped_stream_comes_unasked(
    server: QuirkyProvider, fault: str, label: str | None
) -> None:
    body = {"model": f"gpt-4.1+{fault}", "messages": [user("Bună!")], "stream": True}
    got = await post(server, "openai-4.1", "chat/completions", body)

    assert got.headers.get("content-encoding") == label
    assert zlib.decompress(got.raw, wbits=31).endswith(b"data: [DONE]\n\n")


async def test_comments_come_before_the_answer(server: QuirkyProvider) -> None:
    got = await chat(server, "openai-6", user("Say: da"), fault="+comments:0.1")

    assert got.raw.startswith(b": waiting\n\n" * 5)
    assert got.message["content"] == "da"


@asynccontextmanager
async def streamed(server: QuirkyProvider, fault: str) -> AsyncIterator[httpx.Response]:
    body = {"model": f"gpt-4.1+{fault}", "messages": [user("Bună!")], "stream": True}
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(timeout=20) as client:
        address = url(server, "openai-4.1", "chat/completions")
        async with client.stream("POST", address, json=body, headers=headers) as answer:
            yield answer


async def test_a_fault_in_the_models_name_ends_when_it_should(server: QuirkyProvider) -> None:
    statuses = []
    async with asyncio.timeout(10):
        while 200 not in statuses:
            got = await chat(server, "openai-4.1", user("Say: da"), fault="+busy:0.2")
            statuses.append(got.status)

    assert statuses[0] == 503


async def test_a_cut_stream_breaks_off(server: QuirkyProvider) -> None:
    async with streamed(server, "cut") as answer:
        with pytest.raises(httpx.HTTPError):
            await answer.aread()

    assert answer.status_code == 200


async def test_a_hanging_stream_ends_when_the_client_goes(server: QuirkyProvider) -> None:
    async with streamed(server, "hang") as answer:
        await anext(aiter(answer.aiter_raw()))

    await server.until(lambda server: server.hung_up == 1)


async def test_silence_is_before_the_first_byte(server: QuirkyProvider) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2), streamed(server, "silence:60"):
            pass

    assert server.requests[0].status == 0


async def test_a_server_that_restarts_refuses_connections_and_is_back(
    server: QuirkyProvider,
) -> None:
    errors: list[Exception] = []
    server.fail("openai-4.1", "restart:0.3")
    async with asyncio.timeout(10):
        while True:
            try:
                got = await chat(server, "openai-4.1", user("Say: da"))
                break
            except httpx.HTTPError as error:
                errors.append(error)

    assert got.message["content"] == "da"
    assert not isinstance(errors[0], httpx.ConnectError)
    assert isinstance(errors[-1], httpx.ConnectError)


async def test_every_request_is_recorded(server: QuirkyProvider) -> None:
    await chat(server, "azure-classic", user("Bună!"))
    (request,) = server.requests

    assert (request.provider, request.api, request.status) == ("azure-classic", "chat", 200)
    assert request.query == {"api-version": "2024-10-21"}
    assert request.headers["api-key"] == KEY
    assert request.body["messages"] == [user("Bună!")]


def test_every_provider_and_every_fault_is_described() -> None:
    page = (Path(__file__).parents[2] / "docs/models.md").read_text()

    assert [name for name in [*PROVIDERS, *FAULTS] if f"`{name}`" not in page] == []
