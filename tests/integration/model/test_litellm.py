"""LiteLLM's proxy between the product and the providers' servers: `make models`."""

import asyncio
import json
import secrets
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
import pytest_asyncio

from adapters.model.assistant import ModelAssistant
from domain.errors import AssistantFailed
from tests.integration.model.test_providers import LONG
from tests.support.model_turns import BISTRO, ask, conversation, openai_assistant
from tests.support.providers.chat import KEY
from tests.support.providers.server import PROVIDERS, QuirkyProvider, quirky_server
from tests.support.providers.wire import Received
from tests.support.server import free_port

pytestmark = [
    pytest.mark.models,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(180),  # the proxy takes its time to start
]

VENV = Path(__file__).parents[3] / ".venv-litellm"
# As its documentation has them: `openai/` is any server that speaks OpenAI's API.
PREFIXES = {
    "openai-6": "openai",
    "gemini": "openai",
    "mistral": "mistral",
    "ollama-no-tools": "openai",
}
TOO_LONG = "+window:800"
EACH = [("openai-6", "responses"), *[(name, "chat") for name in PREFIXES]]
each = pytest.mark.parametrize(("provider", "api"), EACH)


class Proxied(NamedTuple):
    """The running proxy, and the server behind it."""

    url: str
    key: str
    providers: QuirkyProvider


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Proxied]:
    if not (VENV / ".installed").exists():
        pytest.skip("There is no LiteLLM: `make .venv-litellm/.installed` installs it")
    folder, key = tmp_path_factory.mktemp("litellm"), f"sk-{secrets.token_hex(32)}"
    async with quirky_server() as providers:
        config = folder / "config.yaml"
        settings = {"num_retries": 0, "disable_cooldowns": True}  # the product has its own
        config.write_text(
            json.dumps({"model_list": models(providers), "router_settings": settings})
        )
        async with running(config, folder / "log", key) as url:
            yield Proxied(url, key, providers)


def models(providers: QuirkyProvider) -> Sequence[dict[str, Any]]:
    """Return the proxy's models, one for each provider, and one whose window is small."""
    found = []
    for name, prefix in PREFIXES.items():
        for fault in ("", TOO_LONG):
            how = {
                "model": f"{prefix}/{PROVIDERS[name].model}{fault}",
                "api_base": providers.base_url(name),
                "api_key": KEY,
            }
            found.append({"model_name": name + fault, "litellm_params": how})
    return found


@asynccontextmanager
async def running(config: Path, log: Path, key: str) -> AsyncIterator[str]:
    """Run the proxy, and return its base URL."""
    port = free_port()
    environment = {
        "PATH": f"{VENV}/bin",
        "HOME": str(config.parent),
        "LITELLM_MASTER_KEY": key,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else it fetches one
    }
    command: list[str | Path] = [
        VENV / "bin/litellm",
        "--config",
        config,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    process = start(command, environment, log)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            while not await answers(client):
                assert process.poll() is None, said(log)
                await asyncio.sleep(0.1)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.kill()
        process.wait()


def start(
    command: list[str | Path], environment: dict[str, str], log: Path
) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment
        )


def said(log: Path) -> str:
    return log.read_text(errors="replace")


async def answers(client: httpx.AsyncClient) -> bool:
    with suppress(httpx.TransportError):
        return (await client.get("/health/liveliness")).status_code == 200
    return False


@asynccontextmanager
async def assistant_at(
    proxy: Proxied, model: str, api: str, **chosen: Any
) -> AsyncIterator[ModelAssistant]:
    settings = {"api_key": proxy.key, "model": model, "api": api, **chosen}
    async with openai_assistant(proxy.url, **settings) as assistant:
        yield assistant


@each
async def test_a_conversation_through_the_proxy(proxy: Proxied, provider: str, api: str) -> None:
    has_tools = api in PROVIDERS[provider].tools
    _, log = conversation("Vreau o masă", "Pentru câți?", "Pentru patru")
    async with assistant_at(proxy, provider, api, shows_first_at_once=False) as assistant:
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


@each
async def test_check_tells_the_truth_through_the_proxy(
    proxy: Proxied, provider: str, api: str
) -> None:
    async with assistant_at(proxy, provider, api) as assistant:
        if api in PROVIDERS[provider].tools:
            await assistant.check()
            return
        with pytest.raises(AssistantFailed, match="does not accept tools:"):
            await assistant.check()


# Through `openai/` the proxy loses what Gemini says of an error; Ollama cuts a prompt in silence.
@pytest.mark.parametrize(
    ("provider", "api"), [("openai-6", "responses"), ("openai-6", "chat"), ("mistral", "chat")]
)
async def test_a_prompt_that_is_too_long_is_shortened_through_the_proxy(
    proxy: Proxied, provider: str, api: str
) -> None:
    async with assistant_at(proxy, f"{provider}{TOO_LONG}", api) as assistant:
        done = await ask(assistant, *LONG, "Ce program aveți?")
    *_, refused, answered = proxy.providers.received(provider)

    assert done.text == BISTRO.facts["program"]
    assert (refused.status, answered.status) == (400, 200)
    assert len(sent(answered)) < len(sent(refused))


@each
async def test_a_provider_that_is_busy_for_once_is_asked_again_through_the_proxy(
    proxy: Proxied, provider: str, api: str
) -> None:
    async with assistant_at(proxy, provider, api) as assistant:
        expected = await ask(assistant, "Ce program aveți?")
        proxy.providers.fail(provider, "busy")
        done = await ask(assistant, "Ce program aveți?")

    assert done.text == expected.text


def sent(request: Received) -> list[Any]:
    """Return the messages of a request."""
    messages: list[Any] = request.body.get("messages") or request.body["input"]
    return messages
