"""No log line and no metric contains a message or a secret, whatever breaks, and however.

Every text and secret here calls itself one (`s3cret`), which is all that the check of each test's
logs needs to know: see `tests/support/discretion.py`. What is asserted here is that there was
something to be indiscreet about.
"""

import base64
import json
import logging
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from adapters.bridge.sqlite_store import SqliteBridgeStore
from adapters.memory.store import MemoryStore
from application.ports import Loaded
from domain.errors import StorageUnavailable
from domain.identity import Customer
from domain.session import Draft
from entrypoints.bridge.app import create_bridge
from entrypoints.logs import ConsoleFormatter, JsonFormatter, configure
from entrypoints.server.app import create_app
from entrypoints.server.container import Container
from entrypoints.settings import Settings
from tests.integration.elixir.chats import Chats
from tests.support import discretion
from tests.support.assistants import ScriptedSteps
from tests.support.bridge import GARBAGE, Fault, FaultyBridge, status
from tests.support.process import server
from tests.support.server import running
from tests.support.tokens import JWT, token
from tests.support.user import Refused, User, user

TEXT = "Mă cheamă s3cret și locuiesc pe strada Lalelelor 12."
TOKEN = "s3cret-0123456789abcdef0123456789abcdef"
ANA = {"businessId": "b1", "userId": "u1", "locationId": "l1"}
LIBRARIES = ("asyncio", "httpcore", "httpx", "uvicorn", "uvicorn.error", "websockets")


def settings(**chosen: Any) -> Settings:
    quick = {"turn_quiet_ms": 0, "scripted_delay_ms": 0, "rate_limits": "off"}
    return Settings(**{"store": "memory", **quick, **chosen})


def bridged(bridge: FaultyBridge, socket_url: str = "ws://127.0.0.1:9/", **chosen: Any) -> Settings:
    return settings(
        bridge="elixir",
        elixir_http_url=bridge.url.replace("//", f"//ana:{TOKEN}@"),
        elixir_websocket_url=socket_url,
        elixir_token=TOKEN,
        elixir_timeout=300,
        elixir_retry_attempts=2,
        **chosen,
    )


@asynccontextmanager
async def serving(chosen: Settings, **instead: object) -> AsyncIterator[str]:
    """The server with these adapters in the place of others."""
    container = Container(settings=chosen)
    for name, adapter in instead.items():
        getattr(container, name).override(adapter)
    async with running(create_app(chosen, container)) as address:
        yield address


def actions(caplog: pytest.LogCaptureFixture) -> set[str]:
    """Return the actions that were logged."""
    return {str(record.__dict__.get("action")) for record in caplog.records}


async def until_logged(caplog: pytest.LogCaptureFixture, action: str, socket: User) -> None:
    """Return once this is in the log; requests of the socket fill the time."""
    while action not in actions(caplog):
        await socket.request("history", {})


async def metrics_of(address: str) -> str:
    async with httpx.AsyncClient() as http:
        return (await http.get(f"http://{address}/metrics")).text


class BrokenStore(MemoryStore):
    """A store whose errors contain everything that it could not store."""

    def __init__(self, error: type[Exception]) -> None:
        super().__init__()
        self._error = error

    async def append(self, draft: Draft, due_at: datetime | None) -> None:
        try:
            raise ValueError(f"near {TEXT!r}")
        except ValueError as cause:
            raise self._error() from cause

    async def open_session(self, customer: Customer) -> Loaded | None:
        return None


class Broken(Exception):
    """An exception whose text contains what a user wrote."""

    def __str__(self) -> str:
        return TEXT


async def test_a_store_that_cannot_take_a_message(caplog: pytest.LogCaptureFixture) -> None:
    store = BrokenStore(StorageUnavailable)
    async with serving(settings(), store=store) as address, user(address) as ana:
        await ana.join(token=TOKEN)
        with pytest.raises(Refused):
            await ana.say(TEXT)

        assert "request_failed" in actions(caplog)
        assert "s3cret" not in await metrics_of(address)


async def test_a_store_that_crashes_over_a_message(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(settings(), store=BrokenStore(Broken)) as address, user(address) as ana:
        await ana.join(token=TOKEN)
        await ana.send("new_message", {"message": TEXT, **ANA}, "9")
        await ana.wait_for("phx_error")

        assert "channel_crashed" in actions(caplog)
        assert "s3cret" not in await metrics_of(address)


async def test_an_assistant_that_fails_with_what_it_was_asked(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assistant = ScriptedSteps([Broken(TEXT)], [f"Bună, {TEXT}"])
    async with serving(settings(), assistant=assistant) as address, user(address) as ana:
        await ana.join()
        await ana.say(TEXT)
        await ana.wait_for("new_message")

        assert "turn_ended" in actions(caplog)
        assert "s3cret" not in await metrics_of(address)


@pytest.mark.parametrize(
    "frame",
    [
        f'["1","2","messages:b1","new_message",{{"message":"{TEXT}"}}]',
        f'["1","2","messages:b1","{TEXT}",{{}}]',
        f'["1","2","{TEXT}","phx_join",{{"token":"{TOKEN}"}}]',
        f'["1","2","messages:b1",["{TEXT}"],{{}}]',
        f'["1","2","messages:b1","phx_join",{{"businessId":"{TEXT}","userId":7}}]',
        f'["1",{{"{TEXT}":"\\ud800"}},"messages:b1","new_message",{{}}]',
        f'{{"not a frame":"{TEXT}"',
        TEXT,
        TEXT.encode()[:4] + b"\xff s3cret",
    ],
)
async def test_frames_that_cannot_be(caplog: pytest.LogCaptureFixture, frame: str | bytes) -> None:
    async with serving(settings()) as address:
        url = f"ws://{address}/socket/websocket?vsn=2.0.0&token={TOKEN}"
        async with connect(url, compression=None) as socket:
            await socket.send('["1","1","messages:b1","phx_join",{"businessId":"b1","userId":"u"}]')
            await socket.recv()
            await socket.send(frame)
            await socket.send('[null,"9","phoenix","heartbeat",{}]')
            try:
                while '"9"' not in str(await socket.recv()):
                    pass
            except ConnectionClosed:
                assert "malformed_frame" in actions(caplog)

        assert "s3cret" not in await metrics_of(address)


@pytest.mark.parametrize(
    "body",
    [
        f'{{"sessionId":"s1","message":"{TEXT}"}}',
        f'{{"sessionId":"{TEXT}","message":"{TEXT}"}}',
        f'{{"status":"{TEXT}"}}',
        f'{{"{TEXT}',
    ],
)
@pytest.mark.parametrize("error", [StorageUnavailable, Broken])
async def test_requests_that_cannot_be_and_requests_that_crash(
    caplog: pytest.LogCaptureFixture, body: str, error: type[Exception]
) -> None:
    class Store(MemoryStore):
        async def load(self, session_id: str) -> Loaded | None:
            raise error()

    paths = ["/api/conversation-status/s1", "/api/agent-responses", f"/api/{TEXT}?token={TOKEN}"]
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
    async with (
        serving(settings(service_token=TOKEN), store=Store()) as address,
        httpx.AsyncClient(base_url=f"http://{address}", headers=headers) as http,
    ):
        for path in paths:
            for method in ("PUT", "POST", "GET"):
                await http.request(method, path, content=body.encode())
        await http.get("/api/conversations/s1")
        await http.get("/api/conversations", headers={"Authorization": f"Basic {TOKEN}x"})

        assert {"request_failed", "request_crashed"} & actions(caplog)
        assert "s3cret" not in await metrics_of(address)


@pytest.mark.parametrize(
    ("fault", "action"),
    [
        (status(422, {"code": TEXT, "title": TEXT, "detail": TEXT}), "notice_dead"),
        (status(503, TEXT, retry_after=TEXT), "bridge_retry"),
        (Fault(GARBAGE.answer + TEXT.encode(), "close"), "bridge_retry"),
    ],
)
async def test_a_bridge_that_answers_with_what_it_was_told(
    caplog: pytest.LogCaptureFixture, fault: Fault, action: str
) -> None:
    async with FaultyBridge(always=fault) as bridge:
        async with serving(bridged(bridge)) as address, user(address) as ana:
            await ana.join()
            await ana.say(TEXT)
            await ana.say("Ce program aveți, s3cret?")
            await until_logged(caplog, action, ana)

            assert "s3cret" not in await metrics_of(address)
        assert TEXT in [told.body.get("message") for told in bridge.asked if told.body]


@pytest.mark.parametrize(
    "fault",
    [
        status(400, {"error": {"message": TEXT, "code": TEXT, "param": TEXT, "type": TEXT}}),
        status(401, {"error": {"message": f"Incorrect API key: {TOKEN}", "code": "invalid"}}),
        status(500, TEXT),
        Fault(b"HTTP/1.1 200 OK\r\nContent-Length: 80\r\n\r\ndata: " + TEXT.encode(), "close"),
        Fault(GARBAGE.answer + TEXT.encode(), "close"),
    ],
    ids=["bad request", "bad key", "broken", "half an answer", "garbage"],
)
async def test_a_model_that_answers_with_what_it_was_asked(
    caplog: pytest.LogCaptureFixture, fault: Fault
) -> None:
    async with FaultyBridge(always=fault) as model:
        chosen = settings(
            assistant="openai",
            openai_base_url=model.url.replace("//", f"//ana:{TOKEN}@") + "/v1",
            openai_api_key=TOKEN,
            turn_timeout_s=3,
        )
        async with serving(chosen) as address, user(address) as ana:
            await ana.join()
            await ana.say(TEXT)
            await ana.wait_for("new_message")

            assert "turn_ended" in actions(caplog)
            assert "s3cret" not in await metrics_of(address)
        assert TEXT in str([told.body for told in model.asked])


async def test_a_bridges_socket_that_repeats_what_it_gets(
    caplog: pytest.LogCaptureFixture,
) -> None:
    chats = Chats()
    chats.refuses = f"{TEXT} {TOKEN}"
    async with FaultyBridge() as bridge, running(chats.restarted()) as bridges_socket:
        chosen = bridged(bridge, f"ws://{bridges_socket}/socket/websocket")
        async with serving(chosen) as address, user(address) as ana:
            await ana.join()
            await ana.ask_for_human(message=TEXT)
            await until_logged(caplog, "bridge_join_refused", ana)

            assert "s3cret" not in await metrics_of(address)


async def test_the_reference_bridge_is_as_discreet(caplog: pytest.LogCaptureFixture) -> None:
    class Store(SqliteBridgeStore):
        def __getattribute__(self, name: str) -> Any:
            if name.startswith("_"):
                return super().__getattribute__(name)
            raise Broken

    chosen = settings(service_token=TOKEN, agent_server_url=f"http://ana:{TOKEN}@127.0.0.1:9")
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        running(create_bridge(chosen, Store())) as address,
        httpx.AsyncClient(base_url=f"http://{address}", headers=headers) as http,
    ):
        answer = await http.post("/api/messages", json={**ANA, "message": TEXT})
        async with user(address) as maria:
            maria.topic = "coordinators:b1"
            with pytest.raises(Refused):
                await maria.join(coordinatorId="maria", token=TOKEN)
            with pytest.raises(Refused):
                await maria.join(coordinatorId="maria", token=f"{TOKEN}x")

    assert answer.status_code == 500
    assert {"request_crashed", "join_crashed"} <= actions(caplog)


async def test_tokens_good_and_bad_however_they_come() -> None:
    tokens = [token(), token(user_id="s3cret"), token(exp=1), f"{token()}x", f"{TOKEN}.x.y"]
    async with serving(settings(**JWT)) as address:
        url = f"ws://{address}/socket/websocket?vsn=2.0.0"
        for each in tokens:
            hidden = base64.urlsafe_b64encode(each.encode()).decode().rstrip("=")
            discretion.keep(each, hidden)
            async with connect(f"{url}&token={each}", compression=None) as socket:
                await joined(socket)
            protocols: Any = ["phoenix", f"base64url.bearer.phx.{hidden}"]
            async with connect(url, subprotocols=protocols, compression=None) as socket:
                await joined(socket)
            async with connect(url, compression=None) as socket:
                await joined(socket, token=each)
                again = json.dumps(["1", "2", "messages:b1", "refresh_token", {"token": each}])
                await socket.send(again)
                await socket.recv()
        metrics = await metrics_of(address)

    assert 'ai_agent_joins_total{outcome="ok"} 3.0' in metrics
    assert discretion.leaks(metrics.splitlines()) == []


async def joined(socket: ClientConnection, **payload: str) -> str:
    """Join as u1, and return the reply."""
    join = {"businessId": "b1", "userId": "u1", **payload}
    await socket.send(json.dumps(["1", "1", "messages:b1", "phx_join", join]))
    return str(await socket.recv())


@pytest.fixture
def chatty_libraries() -> Iterator[None]:
    """Make libraries log as much as they can, as for debugging."""
    levels = {name: logging.getLogger(name).level for name in LIBRARIES}
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.mark.usefixtures("chatty_libraries")
async def test_what_libraries_log_at_level_debug_is_not_heard(
    caplog: pytest.LogCaptureFixture,
) -> None:
    hidden = base64.urlsafe_b64encode(TOKEN.encode()).decode().rstrip("=")
    discretion.keep(hidden)
    async with FaultyBridge() as bridge, serving(bridged(bridge)) as address:
        url = f"ws://{address}/socket/websocket?vsn=2.0.0&token={TOKEN}"
        protocols: Any = ["phoenix", f"base64url.bearer.phx.{hidden}"]
        async with connect(url, subprotocols=protocols, compression=None) as socket:
            await socket.send(f'["1","1","messages:b1","phx_join",{{"token":"{TOKEN}"}}]')
            await socket.recv()
        async with user(address) as ana, httpx.AsyncClient() as http:
            await ana.join()
            await ana.say(TEXT)
            await bridge.wait_until(1)
            await http.get(f"http://{address}/api/conversations?token={TOKEN}")

    # They did log it, where it is filtered out: so the test checks something.
    assert [record for record in caplog.records if "s3cret" in record.getMessage()] != []


@pytest.mark.parametrize("style", ["console", "json"])
async def test_the_products_own_log_is_what_the_suite_listens_to(
    style: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    handlers, level = list(logging.root.handlers), logging.root.level
    configure("debug", style)
    try:
        async with serving(settings(), store=BrokenStore(Broken)) as address, user(address) as ana:
            await ana.join()
            await ana.send("new_message", {"message": TEXT, **ANA}, "9")
            await ana.wait_for("phx_error")
        formatter = logging.root.handlers[-1].formatter
    finally:
        logging.root.handlers[-1].flush()
        logging.root.handlers[:] = handlers
        logging.root.setLevel(level)

    log = capsys.readouterr().err
    assert isinstance(formatter, (ConsoleFormatter, JsonFormatter))
    assert "channel_crashed" in log
    assert "Broken" in log
    assert discretion.leaks(log.splitlines()) == []


async def test_a_process_keeps_the_secrets_of_its_environment(tmp_path: Path) -> None:
    secrets = {
        "SERVICE_TOKEN": TOKEN,
        "ELIXIR_TOKEN": TOKEN,
        "OPENAI_API_KEY": f"sk-{TOKEN}",
        "ELIXIR_HTTP_URL": f"http://ana:{TOKEN}@127.0.0.1:9",
        "ELIXIR_WEBSOCKET_URL": f"ws://127.0.0.1:9/socket/websocket?token={TOKEN}",
    }
    async with server(tmp_path, BRIDGE="elixir", TURN_QUIET_MS="0", **secrets) as process:
        async with user(process.address) as ana:
            await ana.join(token=TOKEN)
            await ana.say(TEXT)
            await ana.ask_for_human(message=f"Un om, {TEXT}")
            await ana.wait_for("conversation_status", status="waiting")
        metrics = await metrics_of(process.address)
        process.signal(15)
        ended = await process.end()

    labels = set(re.findall(r'(\w+)="([^"]*)"', metrics))
    assert [value for _, value in labels if not re.fullmatch(r"[a-z0-9_.+Inf-]{1,40}", value)] == []
    assert "server_stopped" in ended.log
    assert discretion.leaks([metrics, *ended.log.splitlines()]) == []
