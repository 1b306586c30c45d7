"""What a model thinks reaches nobody: no push, no entry, no summary, no notice, no log line."""

import json

import httpx
import pytest

from entrypoints.server.app import create_app
from entrypoints.server.container import Container
from entrypoints.settings import Settings
from tests.support.bridge import FaultyBridge
from tests.support.providers.chat import KEY
from tests.support.providers.server import PROVIDERS, quirky_server
from tests.support.providers.toy_model import THOUGHT
from tests.support.server import running
from tests.support.user import user

# Pieces of the thought, one of which is in it wherever it is torn or shortened.
SIGNS = ("wants something", "rule 6", "would be wrong")


@pytest.mark.parametrize(
    "provider",
    ["lm-studio", "kimi-at-home", "vllm-gpt-oss", "magistral", "deepseek",
     "openai-6", "llama.cpp"],
)  # fmt: skip
async def test_what_a_model_thinks_reaches_nobody(
    provider: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert all(sign in THOUGHT for sign in SIGNS)
    chosen = PROVIDERS[provider]
    async with FaultyBridge() as bridge, quirky_server() as providers:
        aloud = "" if provider in ("openai-6", "deepseek") else "+aloud"
        settings = Settings(
            store="memory",
            assistant="openai",
            openai_base_url=providers.base_url(provider),
            openai_api_key=KEY,
            openai_model=chosen.model + aloud,
            openai_api=chosen.apis[0],
            view_tokens=500,  # so that a summary is due soon
            turn_quiet_ms=0,
            bridge="elixir",
            elixir_http_url=bridge.url,
            elixir_websocket_url="ws://127.0.0.1:9/",
        )
        container = Container(settings=settings)
        async with running(create_app(settings, container)) as address, user(address) as ana:
            await ana.join(stream=True)
            seen: list[object] = []
            for asked in ["Ce program aveți? " + "Vă rog frumos. " * 12] * 4 + ["Vreau un om"]:
                await ana.say(asked)
                seen.append(await ana.wait_for("new_message"))
            await ana.wait_for("conversation_status", status="waiting")
            async with httpx.AsyncClient(base_url=f"http://{address}") as api:
                (session,) = (await api.get("/api/conversations")).json()["conversations"]
                path = f"/api/conversations/{session['sessionId']}/messages"
                log = (await api.get(path)).text
            summaries = [each for each in providers.requests if "summary" in json.dumps(each.body)]
            seen += ana.pushes
        told = [json.dumps(each.body, ensure_ascii=False) for each in bridge.asked]

    assert any("Vreau un om" in each for each in told)
    assert summaries
    logged = " ".join(str(vars(record)) for record in caplog.records)
    everything = " ".join([json.dumps(seen, ensure_ascii=False), log, logged, *told])
    assert not [sign for sign in SIGNS if sign in everything]
