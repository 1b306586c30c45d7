"""The trace of a customer's message through the server, the model, a tool and the bridge."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.openai_stub import calls, says, stub
from tests.support.otlp_collector import CollectedSpan, collector
from tests.support.process import server
from tests.support.tool_server import FIND, ToolServerProcess, ToolServerState
from tests.support.user import user

QUESTION = "Aveți o masă pentru patru, marți seara?"
ANSWER = "Da, avem locuri libere la 19:30."
DAY = "2030-05-14"
FILE = """\
name = "La Ceaun"
language = "ro"
facts.telefon = "0269 555 010"

[tools.booking]
url = "{url}"
token = "BOOKING_TOKEN"
[tools.booking.allow.find_tables]
effect = "read"
bind = {{ customer = "user" }}
"""
SECRETS = {"OPENAI_API_KEY": "s3cret-model", "BOOKING_TOKEN": "s3cret-booking"}
PRIVATE = (QUESTION, ANSWER, DAY, "18:00", "ana-the-customer", "0269 555 010", *SECRETS.values())
AT_ONCE = {"TURN_QUIET_MS": "0", "OTEL_BSP_SCHEDULE_DELAY": "100"}
EXPECTED = {
    ("message", ""),
    ("append", "message"),
    ("turn", "message"),
    ("GET /api/business", "turn"),
    ("chat m-1", "turn"),
    ("execute_tool find_tables", "turn"),
    ("tools/call find_tables", "execute_tool find_tables"),
    ("append", "turn"),
    ("push", "message"),
    ("deliver conversation", "message"),
    ("POST /api/ai-conversation", "deliver conversation"),
    ("POST /api/ai-conversation", "POST /api/ai-conversation"),
    ("deliver context", "message"),
    ("POST /api/ai-context", "deliver context"),
    ("POST /api/ai-context", "POST /api/ai-context"),
}
"""The spans, each with what it is a part of; the bridge's is a part of the request to it."""


def write(folder: Path, tools: ToolServerProcess) -> None:
    path = folder / "businesses" / "resto.toml"
    path.parent.mkdir()
    path.write_text(FILE.format(url=tools.url))


def tree(spans: list[CollectedSpan]) -> set[tuple[str, str]]:
    """Return the names of spans, each with its parent's."""
    names = {span.span_id: span.name for span in spans} | {"": ""}
    return {(span.name, names.get(span.parent_id, "?")) for span in spans}


@pytest.mark.timeout(120)  # the SDK for tools starts twice
async def test_one_trace_leads_through_server_model_tool_and_bridge(tmp_path: Path) -> None:
    state = ToolServerState(tmp_path / "tools.db")
    with ToolServerProcess(state, token=SECRETS["BOOKING_TOKEN"]) as tools:
        write(tmp_path, tools)
        async with (
            collector() as collected,
            stub(calls(FIND, day=DAY, guests=4), says(ANSWER)) as model,
            server(
                tmp_path,
                name="dev",
                BRIDGE_PORT="0",
                BUSINESSES="businesses",
                ASSISTANT="openai",
                OPENAI_BASE_URL=model.url,
                OPENAI_MODEL="m-1",
                OTEL_EXPORTER_OTLP_ENDPOINT=collected.url,
                **SECRETS,
                **AT_ONCE,
            ) as running,
        ):
            async with user(running.address, "resto", "ana-the-customer") as ana:
                await ana.join()
                stored = await ana.say(QUESTION)
                answered = await ana.wait_for("new_message", author="ai")
                await collected.until(lambda it: tree(it.spans) >= EXPECTED)
            running.signal(signal.SIGTERM)
            ended = await running.end()
        (called,) = state.calls(FIND)

    spans = collected.spans
    root, turn, tool = map(collected.named, ("message", "turn", "tools/call find_tables"))
    assert answered["message"] == ANSWER
    assert tree(spans) == EXPECTED
    assert {span.trace_id for span in spans} == {root.trace_id}
    assert not any(span.has_failed for span in spans)
    assert root.attributes == {
        "business.id": "resto",
        "session.id": stored["sessionId"],
        "message.seq": stored["seq"],
    }
    assert turn.attributes["turn.outcome"] == "answered"

    chats = [span for span in spans if span.name == "chat m-1"]
    assert [request.headers["traceparent"] for request in model.requests] == [
        span.traceparent for span in chats
    ]
    for chat in chats:
        assert chat.attributes == {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "m-1",
            "gen_ai.usage.input_tokens": 100,
            "gen_ai.usage.cache_read.input_tokens": 64,
            "gen_ai.usage.output_tokens": 20,
            "server.address": "127.0.0.1",
        }
    assert called.traceparents == f"{tool.traceparent} {tool.traceparent}"
    of_bridge = [span for span in spans if span.service == "ai-agent-bridge"]
    assert {span.name for span in of_bridge} == {
        "POST /api/ai-conversation",
        "POST /api/ai-context",
    }

    assert {*collected.metrics} == {"gen_ai.client.operation.duration", "gen_ai.client.token.usage"}
    counted = [each["gen_ai.token.type"] for each in collected.metrics["gen_ai.client.token.usage"]]
    assert sorted(counted) == ["input", "output"]

    exported = b"".join(collected.bodies)
    assert [text for text in PRIVATE if text.encode() in exported] == []
    lines = [line for line in ended.log.splitlines() if "turn_ended" in line]
    assert all(f'"trace_id": "{root.trace_id}"' in line for line in lines)


async def test_a_collector_that_hangs_slows_neither_a_turn_nor_the_shutdown(
    tmp_path: Path,
) -> None:
    async with collector(hangs=True) as collected:
        settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": collected.url, "SCRIPTED_DELAY_MS": "0"}
        async with (
            server(tmp_path, BRIDGE="none", **settings, **AT_ONCE) as running,
            user(running.address) as ana,
        ):
            await ana.join()
            await ana.say("Bună!")
            await ana.wait_for("new_message", author="ai")
            await collected.until(lambda it: it.requests > 0)
            began = time.monotonic()
            await ana.say("Care este programul?")
            await ana.wait_for("new_message", author="ai")
            answered_s = time.monotonic() - began
            running.signal(signal.SIGTERM)
            ended = await running.end()
            ended_s = time.monotonic() - began - answered_s

    assert ended.code == 0
    assert answered_s < 5.0  # OTEL_EXPORTER_OTLP_TIMEOUT is 10 s
    assert ended_s < 8.0


def test_without_a_collector_nothing_of_opentelemetry_is_imported() -> None:
    program = """
import sys
from entrypoints.settings import Settings
from entrypoints.server.app import create_app
from entrypoints.bridge.app import create_bridge
create_app(Settings(store="memory"))
create_bridge(Settings(bridge_store="memory"))
# The names of the conventions, and no more, are imported by the client of Redis.
print([name for name in sys.modules if name.startswith("opentelemetry.")
       and not name.startswith("opentelemetry.semconv")])
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("[]\n", "")
