"""A real Prometheus reads a real run, with the files that we ship for it."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from adapters.sqlite.store import SqliteStore
from domain.identity import BusinessId, Customer, UserId
from tests.contract.stores import new_session, user_says, with_notices
from tests.support.bridge_client import bridge_client
from tests.support.openai_stub import refuses, says, stub
from tests.support.process import server as program
from tests.support.prometheus import FOLDER, Prometheus, prometheus
from tests.support.prometheus import program as path_of
from tests.support.server import free_port
from tests.support.user import Refused, user
from tests.support.watching import alerts, expositions, queries

DESK = {"businessId": "b1", "coordinatorId": "maria"}
RATE_INTERVAL = "1m"
PROMTOOL_S = 30.0
FOUND_S = 45.0
"""The time-out of what must show after a few scrapes, enough for a busy machine."""


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "alerts.yml"),
        ("test", "rules", "alerts.test.yml"),
    ],
    ids=" ".join,
)
def test_promtool_is_content_with_our_files(arguments: tuple[str, ...]) -> None:
    ran = subprocess.run(
        [path_of("promtool"), *arguments],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        timeout=PROMTOOL_S,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_promtool_reads_the_metrics_as_they_are_meant() -> None:
    for text in expositions():
        ran = subprocess.run(
            [path_of("promtool"), "check", "metrics"],
            input=text.encode(),
            capture_output=True,
            timeout=PROMTOOL_S,
        )
        assert ran.returncode == 0, ran.stderr.decode()


async def leave_what_is_refused(database: Path) -> None:
    """Store a notice that the bridge refuses for good: of an id that it no longer allows."""
    nobody = Customer(BusinessId("b:1"), UserId("u1"))
    async with SqliteStore(database) as store:
        await store.append(with_notices(user_says(new_session("s0", nobody))), None)


@asynccontextmanager
async def whole(folder: Path, model: str) -> AsyncIterator[tuple[str, str]]:
    """The server with two workers, and the reference bridge; yield the address of each."""
    at_server, at_bridge = (f"127.0.0.1:{free_port()}" for _ in range(2))
    database = folder / "conversations.db"
    await leave_what_is_refused(database)
    chosen = {
        "STORE": "sqlite",
        "SQLITE_PATH": str(database),
        "ASSISTANT": "openai",
        "OPENAI_API_KEY": "sk-test",
        "OPENAI_BASE_URL": model,
        "OPENAI_MODEL": "good",
        "BRIDGE": "elixir",
        "ELIXIR_HTTP_URL": f"http://{at_bridge}",
        "ELIXIR_WEBSOCKET_URL": f"ws://{at_bridge}/socket/websocket",
        "AGENT_SERVER_URL": f"http://{at_server}",
        "TURN_QUIET_MS": "0",
        "WORKERS": "2",
        "LANGUAGE_DETECTION": "off",  # which takes each process a second to load
    }
    async with AsyncExitStack() as stack:
        for name, address in (("bridge", at_bridge), ("serve", at_server)):
            port = address.rpartition(":")[2]
            await stack.enter_async_context(program(folder, name=name, port=port, **chosen))
        yield at_server, at_bridge


async def some_life(at_server: str, at_bridge: str) -> None:
    """Customers are answered, refused, and not answered; two ask for a person, and one gets one."""
    async with AsyncExitStack() as stack:
        ana, dan, eva = [
            await stack.enter_async_context(user(at_server, user_id=name))
            for name in ("ana", "dan", "eva")
        ]
        desk = await stack.enter_async_context(bridge_client(at_bridge, "coordinators:b1", DESK))
        for each in (ana, dan, eva):
            await each.join()
        await ana.say("Bună!")
        await ana.wait_for("new_message")
        await dan.say("Bună!")
        await dan.wait_for("new_message")
        with pytest.raises(Refused):
            await eva.say(" ")
        for each in (ana, eva):
            await each.ask_for_human(message="Vreau un om.")
        asked = await desk.wait_for("notification", type="waiting")
        await desk.send("claim", sessionId=asked["chat"]["sessionId"])


@pytest.mark.timeout(150)  # five processes start
async def test_every_query_of_the_dashboard_and_of_the_alerts_finds_data_in_a_real_run(
    tmp_path: Path,
) -> None:
    answers = (says("Bună ziua, ", "cu ce vă ajut?"), refuses("400 Bad Request", code="bad"))
    expressions = {
        name: query.replace("$__rate_interval", RATE_INTERVAL) for name, query in queries().items()
    }
    async with stub(*answers) as model, whole(tmp_path, model.url) as (at_server, at_bridge):
        targets = {"server:3001": at_server, "bridge:4000": at_bridge}
        with prometheus(tmp_path, targets) as watching:
            await until(watching, {"all are up": "count(up == 1) == 2"})
            await some_life(at_server, at_bridge)
            await until(watching, expressions)
            await until(watching, SEEN)
            rules = {rule["name"]: rule["health"] for rule in watching.rules()}

    assert rules == {rule["alert"]: "ok" for rule in alerts()}


SEEN = {
    "both workers": "ai_agent_workers == 2",
    "an answer": 'ai_agent_turns_total{outcome="answered"} >= 1',
    "a failure of the model": 'ai_agent_model_errors_total{kind="unusable"} >= 1',
    "a turn that failed": 'ai_agent_turns_total{outcome="failed"} >= 1',
    "a chat that a person has": 'ai_agent_chats{status="live"} == 1',
    "a chat that waits": 'ai_agent_chats{status="waiting"} == 1',
    "a wait": "ai_agent_longest_wait_seconds > 0",
    "a takeover": 'ai_agent_status_changes_total{status="live",reason="accepted"} == 1',
    "a refusal": "sum(ai_agent_refusals_total) >= 1",
    "a notice": 'sum(ai_agent_notices_total{outcome="delivered"}) >= 1',
    "a dead letter": 'sum(ai_agent_notices_total{outcome="dead"}) == 1',
    "nothing that waits": "ai_agent_outbox_depth == 0 and ai_agent_outbox_oldest_seconds == 0",
    "dependencies": "count(ai_agent_dependency_up) == 4",
    # Not the bridge: where the last join there was refused, it counts as away.
    "those that are well": 'count(ai_agent_dependency_up{dependency=~"store|broker"} == 1) == 2',
    "a former name": 'turns_total{outcome="answered"} >= 1',
}
"""What the run has done, and how it shows."""


async def until(watching: Prometheus, expected: dict[str, str]) -> None:
    """Return once each query finds something."""
    left = dict(expected)
    try:
        async with asyncio.timeout(FOUND_S):
            while left:
                found = await asyncio.to_thread(_found, watching, left)
                left = {name: query for name, query in left.items() if name not in found}
    except TimeoutError:
        up = await asyncio.to_thread(watching.query, "ai_agent_dependency_up")
        pytest.fail(f"nothing is found by {left}; {up}")


def _found(watching: Prometheus, wanted: dict[str, str]) -> list[str]:
    return [name for name, query in wanted.items() if watching.query(query)]
