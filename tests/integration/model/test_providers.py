"""One conversation over all providers, as their servers behave."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adapters.model.assistant import ModelAssistant
from adapters.model.prompt import PromptSettings
from domain.errors import AssistantFailed
from domain.texts import Text, localized
from tests.support.model_turns import BISTRO, ask, conversation, openai_assistant
from tests.support.providers.chat import KEY
from tests.support.providers.server import PROVIDERS, QuirkyProvider, quirky_server

EACH = [(name, api) for name, provider in PROVIDERS.items() for api in provider.apis]
WITH_TOOLS = [(name, api) for name, api in EACH if api in PROVIDERS[name].tools]

each = pytest.mark.parametrize(("provider", "api"), EACH)
each_with_tools = pytest.mark.parametrize(("provider", "api"), WITH_TOOLS)


BEGIN, END = "<!-- matrix -->", "<!-- end of the matrix -->"
PAGE = Path(__file__).parents[3] / "docs/models.md"


def matrix() -> str:
    """Return the table of what the tests of this module show of each provider."""
    rows = [
        "| provider | model | API | facts, history, summary | look-up, hand-over "
        "| thoughts in the text | calls in the text | `check` says |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, api in EACH:
        provider = PROVIDERS[name]
        has_tools = api in provider.tools
        problem = "" if has_tools and provider.streams else "tools" if not has_tools else "stream"
        cells = [
            f"`{name}`", f"`{provider.model}`", api, "answered",
            "made" if has_tools else "not made: the server refuses tools",
            "cut" if api == "chat" else "none: they come apart",
            "made" if (name, api) in WITH_TOOLS and api == "chat" else "–",
            f"it does not accept {problem}" if problem else "ok",
        ]  # fmt: skip
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def write() -> None:
    """Write the table into the page."""
    text = PAGE.read_text()
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n{matrix()}\n{END}{after}")


def test_the_table_in_the_documents_is_what_is_tested_here() -> None:
    table = PAGE.read_text().split(BEGIN)[1].split(END)[0].strip()

    assert table == matrix(), "write() of this module brings it up to date"


@pytest.fixture
async def server() -> AsyncIterator[QuirkyProvider]:
    async with quirky_server() as running:
        yield running


@asynccontextmanager
async def assistant_at(
    server: QuirkyProvider, provider: str, api: str, fault: str = "", **chosen: Any
) -> AsyncIterator[ModelAssistant]:
    settings = {
        "api_key": KEY,
        "model": PROVIDERS[provider].model + fault,
        "api": api,
        "shows_first_at_once": False,
        **chosen,
    }
    async with openai_assistant(server.base_url(provider), **settings) as assistant:
        yield assistant


LONG = [text for number in range(15) for text in (f"Întrebarea {number}?", f"Răspunsul {number}.")]


@each
async def test_a_conversation(server: QuirkyProvider, provider: str, api: str) -> None:
    has_tools = api in PROVIDERS[provider].tools
    _, log = conversation("Vreau o masă", "Pentru câți?", "Pentru patru")
    async with assistant_at(server, provider, api) as assistant:
        facts = await ask(assistant, "Ce program aveți?")
        looked_up = await ask(assistant, "Ce rezervări am?")
        long = await ask(assistant, *LONG, "Care a fost prima întrebare?")
        handed_over = await ask(assistant, "Vreau să vorbesc cu un om")
        summary = await assistant.summarise(None, log, "ro", max_tokens=300)

    assert facts.text == BISTRO.facts["program"]
    assert facts.usage is not None
    assert facts.usage.output_tokens > 0
    assert looked_up.tools.used == (["get_reservations"] if has_tools else [])
    assert looked_up.text.startswith("Aveți o masă pe 20" if has_tools else "Nu am acces")
    assert long.text == "Întrebarea 0?"
    assert len(handed_over.tools.transfers) == has_tools
    assert summary.text.startswith("Rezumat: ")
    assert "patru" in summary.text


@each
async def test_a_request_ends_with_the_time_and_else_stays_the_same(
    server: QuirkyProvider, provider: str, api: str
) -> None:
    prompts = PromptSettings(time_zone=ZoneInfo("Europe/Bucharest"))
    noon = datetime(2026, 11, 28, 12, tzinfo=UTC)
    async with assistant_at(server, provider, api, prompts=prompts) as assistant:
        for minute in range(3):
            await ask(assistant, "Sunteți deschiși acum?", at=noon + timedelta(minutes=minute))
    *_, earlier, later = (
        json.dumps(request.body, ensure_ascii=False)
        for request in server.received(provider)
        if "Sunteți deschiși" in json.dumps(request.body, ensure_ascii=False)
    )
    before, told, after = later.partition("Saturday, 28 November 2026, 14:02, Europe/Bucharest")

    assert told
    assert before.rpartition("Sunteți deschiși acum?")[2] == "\\n</customer>\\n\\n<now>\\n"
    assert earlier == before + told.replace("14:02", "14:01") + after


@each
async def test_the_check_tells_the_truth(server: QuirkyProvider, provider: str, api: str) -> None:
    async with assistant_at(server, provider, api) as assistant:
        if api in PROVIDERS[provider].tools and PROVIDERS[provider].streams:
            await assistant.check()
            return
        with pytest.raises(AssistantFailed, match=r"does not accept (?:tools|stream):"):
            await assistant.check()


FEW = [
    (name, api)
    for name, api in EACH
    if name in ("openai-6", "azure-v1", "gemini", "anthropic", "mistral", "openrouter", "llama.cpp")
]
few = pytest.mark.parametrize(("provider", "api"), FEW)
CHAT = [(name, api) for name, api in EACH if api == "chat"]


@pytest.mark.parametrize(("provider", "api"), CHAT)
async def test_what_a_model_thinks_is_never_said_nor_done(
    server: QuirkyProvider, provider: str, api: str
) -> None:
    async with assistant_at(server, provider, api, "+aloud") as assistant:
        for asked in ("Ce program aveți?", "Ce rezervări am?"):
            done = await ask(assistant, asked)
            assert "rule 6" not in "".join(done.said.ever)
            assert "wrong" not in "".join(done.said.ever)
            assert done.tools.transfers == []
            assert done.text
        _, log = conversation("Vreau o masă")
        made = await assistant.summarise(None, log, "ro", max_tokens=300)

    assert made.text == "Rezumat: Vreau o masă"


@pytest.mark.parametrize(("provider", "api"), [each for each in WITH_TOOLS if each[1] == "chat"])
async def test_a_call_that_is_written_as_text_is_a_call(
    server: QuirkyProvider, provider: str, api: str
) -> None:
    async with assistant_at(server, provider, api, "+calls-as-text") as assistant:
        looked_up = await ask(assistant, "Ce rezervări am?")
        handed_over = await ask(assistant, "Vreau să vorbesc cu un om")

    assert looked_up.tools.used == ["get_reservations"]
    assert looked_up.text.startswith("Aveți o masă pe 20")
    assert "".join(looked_up.said.ever) == looked_up.text
    assert len(handed_over.tools.transfers) == 1


@few
async def test_an_answer_that_is_cut_by_its_limit_says_so(
    server: QuirkyProvider, provider: str, api: str
) -> None:
    async with assistant_at(server, provider, api, "+length") as assistant:
        done = await ask(assistant, "Ce program aveți?")

    assert done.text.endswith(localized("ro", Text.ANSWER_CUT))


@few
async def test_half_an_answer_that_ends_with_an_error_is_no_answer(
    server: QuirkyProvider, provider: str, api: str
) -> None:
    async with assistant_at(server, provider, api) as assistant:
        await ask(assistant, "Ce program aveți?")  # what the server refuses is known
        server.fail(provider, "broken")
        done = await ask(assistant, "Ce program aveți?")
        asked = len(server.received(provider))
        again = await ask(assistant, "Ce program aveți?")

    assert done.text == again.text
    assert len(server.received(provider)) == asked + 1


@few
@pytest.mark.parametrize(
    "fault", ["gzip", "gzip-unlabelled", "silence:0.5", "comments:0.5", "slow:0.01"]
)
async def test_what_only_comes_late_or_compressed_is_an_answer(
    server: QuirkyProvider, provider: str, api: str, fault: str
) -> None:
    async with assistant_at(server, provider, api, f"+{fault}") as assistant:
        done = await ask(assistant, "Ce program aveți?")

    assert "Luni" in done.text or "12" in done.text


@few
@pytest.mark.parametrize(
    "fault", ["busy", "rate-limit", "restart", "cut", "ends-early", "web-page"]
)
async def test_what_fails_once_is_tried_again(
    server: QuirkyProvider, provider: str, api: str, fault: str
) -> None:
    async with assistant_at(server, provider, api) as assistant:
        expected = await ask(assistant, "Ce program aveți?")
        server.fail(provider, fault)
        done = await ask(assistant, "Ce program aveți?")

    assert done.text == expected.text


# Gemini says the same of a limit for each minute; others give no code, or have no accounts.
ACCOUNTS = [
    (name, api)
    for name, api in EACH
    if not name.startswith(("gemini", "xai", "kimi-at", "ollama", "lm-", "vllm"))
]


@pytest.mark.parametrize(("provider", "api"), ACCOUNTS)
async def test_an_empty_account_is_not_asked_again(
    server: QuirkyProvider, provider: str, api: str
) -> None:
    async with assistant_at(server, provider, api, "+quota") as assistant:
        with pytest.raises(AssistantFailed):
            await ask(assistant, "Ce program aveți?")

    assert len(server.received(provider)) == 1


REFUSING = [(name, api) for name, api in EACH if name.startswith(("openai-5", "azure"))]


@pytest.mark.parametrize(("provider", "api"), REFUSING)
async def test_a_refusal_is_said_in_the_servers_words(
    server: QuirkyProvider, provider: str, api: str
) -> None:
    async with assistant_at(server, provider, api) as assistant:
        await ask(assistant, "Ce program aveți?")
        server.fail(provider, "refusal")
        done = await ask(assistant, "Ce program aveți?")

    assert done.text == localized("ro", Text.DECLINED)


@pytest.mark.parametrize(
    ("provider", "api"),
    [("openai-6", "responses"), ("openai-astra", "responses"), ("mistral", "chat")],
)
async def test_the_api_is_found_by_what_the_server_refuses(
    server: QuirkyProvider, provider: str, api: str
) -> None:
    async with assistant_at(server, provider, "auto") as assistant:
        for _ in range(2):
            done = await ask(assistant, "Ce rezervări am?")
            assert done.tools.used == ["get_reservations"]

    assert {each.api for each in server.received(provider) if each.status == 200} == {api}
    assert len([each for each in server.received(provider) if each.status != 200]) <= 2


async def test_a_server_without_responses_is_asked_over_chat_completions(
    server: QuirkyProvider,
) -> None:
    async with assistant_at(server, "mistral", "auto") as assistant:
        assistant._models[0]._api = "responses"  # type: ignore[attr-defined]
        done = await ask(assistant, "Ce rezervări am?")

    assert done.tools.used == ["get_reservations"]
