"""The drain: the work that a stopping server finishes or leaves to the next, and its bounds."""

import asyncio
import json
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from dependency_injector import providers
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from adapters.memory.store import MemoryStore
from application.deliver_outbox import FLUSH_S
from application.ports import Assistant
from domain.notice import Lane, Notice
from entrypoints.server.app import create_app, drain
from entrypoints.server.container import Container
from entrypoints.settings import Settings
from tests.support.assistants import HANG, PAUSE, ScriptedSteps
from tests.support.bridge import HANG as HANGING
from tests.support.bridge import FaultyBridge, MemoryBridge
from tests.support.faults import Hold
from tests.support.harness import harness
from tests.support.line import ABNORMAL, Frame, Line, NotOpened
from tests.support.process import ServerProcess, server
from tests.support.server import free_port, running
from tests.support.user import PATIENCE_S, Refused, User, user

AT_ONCE = {"TURN_QUIET_MS": "0", "SCRIPTED_DELAY_MS": "0"}
# The demo says its first word after ten seconds: until then its turn is under way.
SLOW = {"TURN_QUIET_MS": "0", "SCRIPTED_DELAY_MS": "10000"}
SERVICE_RESTART = 1012


class Drained:
    """A server in this process, and its drain."""

    def __init__(self, address: str, drain: Callable[[], Awaitable[None]]) -> None:
        self.address = address
        self._drain = drain

    async def begin(self) -> "asyncio.Task[None]":
        """Begin to drain; the task ends when that is over."""

        async def drain() -> None:
            begun.set()
            await self._drain()

        begun = asyncio.Event()
        draining = asyncio.create_task(drain())
        await begun.wait()
        return draining

    async def ready(self) -> httpx.Response:
        """Return the response of `/health/ready`."""
        async with httpx.AsyncClient() as api:
            return await api.get(f"http://{self.address}/health/ready")


@asynccontextmanager
async def drained(
    assistant: Assistant | None = None, *, store: MemoryStore | None = None, **chosen: Any
) -> AsyncIterator[Drained]:
    """A server whose turns start at once."""
    settings = Settings(**{"store": "memory", "turn_quiet_ms": 0, "scripted_delay_ms": 0, **chosen})
    container = Container(settings=settings)
    if assistant is not None:
        container.assistant.override(providers.Object(assistant))
    if store is not None:
        container.store.override(providers.Object(store))
    app = create_app(settings, container)
    async with running(app) as address:
        yield Drained(address, partial(drain, container))


async def asked(customer: User, assistant: ScriptedSteps, message_id: str = "m1") -> None:
    """Join and send a message; return when the answer has begun."""
    await customer.join()
    await customer.say("Bună ziua!", messageId=message_id)
    await customer.wait_for("typing")
    assert assistant.running == 1


async def closed(customer: User) -> int:
    """Read until the server closes; the code."""
    with pytest.raises(ConnectionClosed) as end:
        await customer.wait_for("nothing that there is")
    assert end.value.rcvd is not None
    return end.value.rcvd.code


# What comes too late.


async def test_a_draining_server_says_that_it_is_not_ready() -> None:
    assistant = ScriptedSteps([PAUSE, "Bună!"])
    async with drained(assistant) as server, user(server.address) as customer:
        await asked(customer, assistant)
        before = await server.ready()
        draining = await server.begin()
        meanwhile = await server.ready()
        assistant.go()
        await draining

    assert (before.status_code, before.json()["status"]) == (200, "ok")
    assert (meanwhile.status_code, meanwhile.json()["status"]) == (503, "draining")


async def test_a_draining_server_opens_no_socket_and_says_when_to_try_again() -> None:
    assistant = ScriptedSteps([PAUSE, "Bună!"])
    async with drained(assistant) as server, user(server.address) as customer:
        await asked(customer, assistant)
        draining = await server.begin()
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://{server.address}/socket/websocket?vsn=2.0.0")
        assistant.go()
        await draining

    assert refused.value.response.status_code == 503
    assert refused.value.response.headers["retry-after"] == "1"


async def test_a_draining_server_refuses_a_join_so_that_its_client_tries_again() -> None:
    assistant = ScriptedSteps([PAUSE, "Bună!"])
    async with (
        drained(assistant) as server,
        user(server.address) as customer,
        user(server.address, "b1", "late") as late,
    ):
        await asked(customer, assistant)
        draining = await server.begin()
        with pytest.raises(Refused) as refused:
            await late.join()
        assistant.go()
        await draining

    # A reply with an error: official clients rejoin after it, ever more slowly.
    assert refused.value.reason == "draining"


async def test_what_is_said_meanwhile_is_acknowledged_and_answered_by_the_next_process() -> None:
    assistant, store = ScriptedSteps([PAUSE, "Bună!"]), MemoryStore()
    async with drained(assistant, store=store) as server, user(server.address) as customer:
        await asked(customer, assistant, "m1")
        draining = await server.begin()
        late = await customer.say("Mai sunteți?", messageId="m2")
        assistant.go()
        answer = await customer.wait_for("new_message")
        await draining
    async with drained(store=store) as server, user(server.address) as customer:
        joined = await customer.join()
        owed = await customer.wait_for("new_message")

    assert late["seq"] == 2
    assert answer["inReplyTo"] == ["m1"]
    assert [entry["messageId"] for entry in joined["messages"] if entry["author"] == "user"] == [
        "m1",
        "m2",
    ]
    assert owed["inReplyTo"] == ["m2"]
    assert assistant.turns == 1


# What still comes to its end.


async def test_an_answer_in_the_making_reaches_its_user_before_the_socket_closes() -> None:
    assistant = ScriptedSteps([PAUSE, "Bună!"])
    async with drained(assistant) as server, user(server.address) as customer:
        await asked(customer, assistant)
        draining = await server.begin()
        assistant.go()
        answer = await customer.wait_for("new_message")
        code = await closed(customer)
        await draining

    assert answer["message"] == "Bună!"
    assert code == SERVICE_RESTART


async def test_who_is_still_writing_when_the_drain_begins_is_answered_at_once() -> None:
    async with (
        drained(turn_quiet_ms=3_000, drain_s=30) as server,
        user(server.address) as customer,
    ):
        await customer.join()
        began = time.monotonic()
        await customer.say("Bună ziua!", messageId="m1")
        draining = await server.begin()
        answer = await customer.wait_for("new_message")
        await draining

    assert answer["inReplyTo"] == ["m1"]
    assert time.monotonic() - began < 3.0


async def test_the_bridge_is_told_before_the_server_ends() -> None:
    assistant = ScriptedSteps([PAUSE, "Bună!"])
    async with (
        FaultyBridge() as bridge,
        drained(assistant, bridge="elixir", elixir_http_url=bridge.url) as server,
        user(server.address) as customer,
    ):
        await asked(customer, assistant)
        draining = await server.begin()
        assistant.go()
        await draining
        told = [told.path for told in bridge.accepted]

    assert "/api/ai-context" in told


async def test_clients_are_sent_away_in_batches_with_pauses_that_are_drawn() -> None:
    drawn: list[float] = []

    def jitter() -> float:
        drawn.append(0.0)
        return 0.0

    settings = Settings(store="memory", rate_limits="off")
    container = Container(settings=settings)
    container.jitter.override(providers.Object(jitter))
    app = create_app(settings, container)
    async with running(app) as address:
        port = int(address.partition(":")[2])
        lines = [await Line.open(port) for _ in range(120)]
        drawn.clear()
        await drain(container)
        codes = [await line.ended for line in lines]

    assert codes == [SERVICE_RESTART] * 120
    assert len(drawn) == 2  # between batches of fifty


async def test_what_was_claimed_when_the_delivery_ends_is_free_for_the_next_process() -> None:
    bridge, store = MemoryBridge(), SlowToClaim()
    bridge.hold()  # and never let go
    async with harness(bridge=bridge, store=store, turn_quiet_ms=0) as app:
        await app.user().ask_for_human()
        delivering = asyncio.create_task(app.run_delivery())
        await store.hold.reached.wait()
        delivering.cancel()
        await app.settle()
        store.hold.release()
        await app.clock.advance(FLUSH_S)
        await asyncio.wait({delivering})
        now = app.clock.now()

        assert len(await store.claim(Lane.PEOPLE, now, now, 10)) == 1


class SlowToClaim(MemoryStore):
    """A store whose first claim is done, and returns a moment later."""

    def __init__(self) -> None:
        super().__init__()
        self.hold = Hold()

    async def claim(
        self, lane: Lane, now: datetime, lease_until: datetime, limit: int
    ) -> tuple[Notice, ...]:
        claimed = await super().claim(lane, now, lease_until, limit)
        if claimed:
            await self.hold.wait()
        return claimed


# For how long.


async def test_a_turn_that_hangs_is_waited_for_no_longer_than_the_drain_may_take() -> None:
    assistant, store = ScriptedSteps([HANG]), MemoryStore()
    async with drained(assistant, store=store, drain_s=0.2) as server:
        async with user(server.address) as customer:
            await asked(customer, assistant)
            draining = await server.begin()
            code = await closed(customer)
            await draining
    async with drained(store=store) as server, user(server.address) as customer:
        await customer.join()
        owed = await customer.wait_for("new_message")

    assert code == SERVICE_RESTART
    assert owed["inReplyTo"] == ["m1"]


async def test_a_bridge_that_hangs_is_waited_for_no_longer_than_the_drain_may_take() -> None:
    async with (
        FaultyBridge() as bridge,
        drained(bridge="elixir", elixir_http_url=bridge.url, drain_s=0.2) as server,
        user(server.address) as customer,
    ):
        await customer.join()
        await customer.say("Bună ziua!")
        await bridge.wait_for("/api/ai-context")
        bridge.always = HANGING
        asked_before = len(bridge.asked)
        await customer.say("Mulțumesc!")
        await bridge.wait_until(asked_before + 1, asked=True)
        draining = await server.begin()
        code = await closed(customer)
        await draining

    assert code == SERVICE_RESTART


async def test_without_time_to_drain_nothing_is_waited_for() -> None:
    assistant = ScriptedSteps([HANG])
    async with drained(assistant, drain_s=0) as server, user(server.address) as customer:
        await asked(customer, assistant)
        await (await server.begin())
        ready = await server.ready()

    assert ready.json()["status"] == "draining"


async def test_a_process_ends_in_time_although_a_turn_a_bridge_and_a_client_hang(
    tmp_path: Path,
) -> None:
    async with (
        FaultyBridge() as bridge,
        server(
            tmp_path,
            **SLOW,
            DRAIN_S="1",
            BRIDGE="elixir",
            ELIXIR_HTTP_URL=bridge.url,
            LOG_LEVEL="info",
        ) as process,
    ):
        bridge.always = HANGING
        writer = await socket_that_is_not_read(process)
        async with user(process.address) as customer:
            await customer.join()
            await customer.say("Bună ziua!", messageId="m1")
            await bridge.wait_until(1, asked=True)
            process.signal(signal.SIGTERM)
            began = time.monotonic()
            code = await closed(customer)
            ended = await process.end()
        took_s = time.monotonic() - began
        writer.close()

    assert (code, ended.code) == (SERVICE_RESTART, 0)
    assert "drain_cut_short" in [json.loads(line)["action"] for line in ended.log.splitlines()]
    assert took_s < 1 + 15


async def socket_that_is_not_read(
    process: ServerProcess,
) -> asyncio.StreamWriter:
    """An open socket whose client takes nothing, not even the close."""
    host, _, port = process.address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"GET /socket/websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    return writer


# The process as such.


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT], ids=lambda end: end.name)
async def test_a_signal_lets_a_turn_end_and_then_the_process_with_success(
    tmp_path: Path, end: signal.Signals
) -> None:
    words = {"TURN_QUIET_MS": "0", "SCRIPTED_DELAY_MS": "100"}
    async with server(tmp_path, **words) as process, user(process.address) as customer:
        await customer.join()
        await customer.say("Bună!", messageId="m1")
        await customer.wait_for("typing")
        process.signal(end)
        answer = await customer.wait_for("new_message")
        code = await closed(customer)
        ended = await process.end()

    assert answer["inReplyTo"] == ["m1"]
    assert (code, ended.code) == (SERVICE_RESTART, 0)


async def test_a_second_sigint_waits_for_no_turn(tmp_path: Path) -> None:
    async with (
        server(tmp_path, DRAIN_S="600", **SLOW) as process,
        user(process.address) as customer,
        httpx.AsyncClient(base_url=f"http://{process.address}") as api,
    ):
        await customer.join()
        await customer.say("Bună!", messageId="m1")
        await customer.wait_for("typing")
        process.signal(signal.SIGINT)
        async with asyncio.timeout(PATIENCE_S):
            while (await api.get("/health/ready")).status_code != 503:
                pass
        process.signal(signal.SIGINT)
        ended = await process.end()

    assert ended.code == -signal.SIGINT


async def test_an_http_request_under_way_is_answered(tmp_path: Path) -> None:
    async with server(tmp_path, **AT_ONCE) as process, user(process.address) as customer:
        await customer.join()
        host, _, port = process.address.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        body = json.dumps({"sessionId": "nobody", "message": "Bună!"}).encode()
        writer.write(
            b"POST /api/agent-responses HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:5]
        )
        async with httpx.AsyncClient() as api:  # by its answer the request has been taken too
            await api.get(f"http://{process.address}/health")
        process.signal(signal.SIGTERM)
        await closed(customer)
        writer.write(body[5:])
        answer = await reader.readline()
        writer.close()
        ended = await process.end()

    assert answer.startswith(b"HTTP/1.1 404")
    assert ended.code == 0


# A restart under load.


CHATTERS, RESTART_AFTER = 1_000, 1_500
"""Sockets, and acknowledged messages of all together, when the server is stopped."""


class Chatter:
    """A user who writes, waits for the answer and writes again; and comes back when sent away."""

    def __init__(self, number: int, port: int, random: Random) -> None:
        self._who = {"businessId": "b1", "userId": f"u{number}"}
        self._port = port
        self._random = random
        self._line: Line
        self._session_id: str | None = None
        self._in_doubt: str | None = None
        """The message that was sent and not acknowledged."""
        self._is_back = self._is_content = False
        self._left = 1
        """The number of messages that it still sends once it is back."""
        self.has_joined = asyncio.Event()
        self.log: dict[int, tuple[str, list[str]]] = {}
        """Seq → author, and the message's id or the ids that it answers."""
        self.acknowledged: list[str] = []
        self.refusals: list[str] = []
        self.codes: list[int] = []
        """The close codes of its sockets."""
        self.on_acknowledged: Callable[[], None] = lambda: None

    async def stay(self) -> None:
        """Stay connected until a message sent after the restart is answered, and all before it."""
        while not self._is_content:
            try:
                self._line = await Line.open(self._port, self._hear)
            except (OSError, NotOpened):
                await asyncio.sleep(self._random.uniform(0.05, 0.5))  # as official clients do
                continue
            self._join()
            self.codes.append(await self._line.ended)
            self._is_back = True

    def answers(self) -> Counter[str]:
        """Count the answers to each message in the entries that it has received."""
        seen = self.log.values()
        return Counter(answered for author, ids in seen if author == "ai" for answered in ids)

    def say(self) -> None:
        """Send a message, or repeat the unacknowledged one."""
        number = len(self.acknowledged) + 1
        self._in_doubt = self._in_doubt or f"{self._who['userId']}-{number}"
        words = {"locationId": "l1", "message": f"Bună, {number}!", "messageId": self._in_doubt}
        self._send("say", "new_message", {**self._who, **words})

    def _join(self) -> None:
        seen = 0
        while seen + 1 in self.log:
            seen += 1
        known = {"lastSeq": seen, "sessionId": self._session_id} if self._session_id else {}
        self._send("join", "phx_join", {**self._who, **known})

    def _send(self, ref: str, event: str, payload: dict[str, Any]) -> None:
        self._line.send(["1", ref, "messages:b1", event, payload])

    def _hear(self, frame: Frame) -> None:
        _, ref, _, event, payload = frame
        if event == "new_message":
            self.log[payload["seq"]] = ("ai", payload["inReplyTo"])
            self._go_on()
        elif event == "phx_reply" and payload["status"] != "ok":
            self.refusals.append(payload["response"]["reason"])
        elif ref == "join":
            self._joined(payload["response"])
        elif ref == "say":
            self._acknowledged(payload["response"])

    def _joined(self, joined: dict[str, Any]) -> None:
        for entry in joined["messages"]:
            ids = entry["inReplyTo"] if entry["author"] == "ai" else [entry["messageId"]]
            self.log[entry["seq"]] = (entry["author"], ids)
        self.has_joined.set()
        if self._in_doubt is not None:
            self.say()
        elif self._is_back:
            self._go_on()

    def _acknowledged(self, acknowledged: dict[str, Any]) -> None:
        self._session_id, self._in_doubt = acknowledged["sessionId"], None
        self.log[acknowledged["seq"]] = ("user", [acknowledged["messageId"]])
        self.acknowledged.append(acknowledged["messageId"])
        self.on_acknowledged()
        self._go_on()

    def _go_on(self) -> None:
        if self._in_doubt is not None or not set(self.acknowledged) <= set(self.answers()):
            return
        if self._is_back and not self._left:
            self._is_content = True
            self._line.hang_up()
        else:
            self._left -= self._is_back
            self.say()


async def test_a_restart_under_a_thousand_chatting_sockets_loses_nothing_and_answers_all_once(
    tmp_path: Path,
) -> None:
    port, random = free_port(), Random(7)
    chatters = [Chatter(number, port, random) for number in range(CHATTERS)]
    enough, acknowledged = asyncio.Event(), 0

    def count() -> None:
        nonlocal acknowledged
        acknowledged += 1
        if acknowledged == RESTART_AFTER:
            enough.set()

    kept = {**AT_ONCE, "RATE_LIMITS": "off", "LOG_LEVEL": "info"}
    async with asyncio.timeout(55), asyncio.TaskGroup() as group:
        async with server(tmp_path, port=str(port), **kept) as process:
            staying = [group.create_task(chatter.stay()) for chatter in chatters]
            await asyncio.gather(*(chatter.has_joined.wait() for chatter in chatters))
            for chatter in chatters:
                chatter.on_acknowledged = count
                chatter.say()
            await enough.wait()
            process.signal(signal.SIGTERM)
            ended = await process.end()
        async with server(tmp_path, port=str(port), **kept):
            await asyncio.gather(*staying)

    assert ended.code == 0
    assert acknowledged >= RESTART_AFTER + CHATTERS
    for chatter in chatters:
        said = [ids[0] for _, (author, ids) in sorted(chatter.log.items()) if author == "user"]
        assert sorted(chatter.log) == list(range(1, len(chatter.log) + 1))
        assert said == chatter.acknowledged
        assert chatter.answers() == Counter(chatter.acknowledged)
        assert (chatter.codes, chatter.refusals) == ([SERVICE_RESTART, ABNORMAL], [])
