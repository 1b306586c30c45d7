"""The programs of a simulated life, each on a host of its own, and the network between them."""

import asyncio
import logging
import math
import random
import sqlite3
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple

import uvicorn
from dependency_injector import providers
from litestar import Litestar

from adapters.broker.local import LocalSwitch
from adapters.phoenix.uvicorn_protocol import uvicorn_config
from adapters.sqlite.store import SqliteStore
from application.ports import AnswerWriter, Assistant, SummaryResult, Toolbox
from application.tools import TRANSFER
from domain.business import Business
from domain.errors import AssistantFailed
from domain.message import Entry
from domain.view import View
from entrypoints.bridge.app import create_bridge
from entrypoints.server.app import create_app, drain
from entrypoints.server.container import Container
from entrypoints.server.siblings import Siblings
from entrypoints.settings import Settings
from entrypoints.worker_folder import SWITCH, Worker
from tests.simulation.product.machine import SimulatedLoop, Trace
from tests.simulation.product.redis_server import RedisServer
from tests.support.plain_phoenix import PlainPhoenix, PlainSettings, Received

SERVICE_TOKEN = "service"
SERVER_PORT, BRIDGE_PORT = 3001, 4000
BRIDGE, BALANCER, BROKER = "bridge", "balancer", "broker"
REDIS_PORT = 6379
TURN_TIMEOUT_S = 12.0
HINTED_S = 0.1
"""How long after a takeover every node knows of it, while hints arrive."""
ENDED_S = 4.0
"""How long after one the model may go on with an answer while hints may be lost."""

BrokerKind = Literal["none", "local", "redis"]
BridgeKind = Literal["reference", "plain", "none"]


class Violation(AssertionError):
    """A rule was broken."""


class _Server(uvicorn.Server):
    """uvicorn without signals, and without a look at the clock ten times a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self.stopping = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Any:
        yield

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self.stopping.wait()


class Model(Assistant):
    """An assistant that takes its time, sometimes fails, and asks for a human when told to.

    An answer begins with the names of those that it is for: `[b1/u1: m1 m2]`.
    """

    def __init__(self, world: "World") -> None:
        self._world = world

    async def answer(self, view: View, toolbox: Toolbox, writer: AnswerWriter) -> None:
        world, chance, who = self._world, self._world.chance, view.session.customer
        ids = " ".join(message.message_id for message in view.pending)
        world.asked(who.user_id, [message.message_id for message in view.pending])
        if chance.random() < 0.05:
            await asyncio.sleep(chance.uniform(0, 1))
            raise AssistantFailed("as planned")
        if any("human" in message.text for message in view.pending):
            await toolbox.call(TRANSFER, {"summary": "wants a human"})
        pieces = chance.choice(world.pieces)
        pause_s = chance.choice(world.pauses_s) * min(1.0, 20 / pieces)
        tag, began = f"[{who.business_id}/{who.user_id}: {ids}]", world.loop.now
        writer(tag)
        for number in range(pieces):
            await asyncio.sleep(chance.uniform(0, 2) * pause_s)
            if world.since_takeover(who.user_id, began) > world.takeover_is_known_after_s(ENDED_S):
                world.fail("a takeover ends the answer in the making", f"{who.user_id}: {ids}")
            writer(f" {number}")
        world.written[tag] = (began, world.loop.now)

    async def summarise(
        self,
        earlier: str | None,
        entries: Sequence[Entry],
        language: str,
        *,
        max_tokens: int,
        business: Business | None = None,
    ) -> SummaryResult:
        await asyncio.sleep(self._world.chance.uniform(0, 0.5))
        return SummaryResult("a summary")


class Process:
    """A program on a host: it serves until it is stopped or killed."""

    def __init__(self, world: "World", host: str, port: int) -> None:
        self.world = world
        self.host = host
        self.port = port
        self.is_up = False
        self._task: asyncio.Task[None] | None = None
        self._server: _Server | None = None
        self._is_stopping = False
        self._down = asyncio.Event()
        world.loop.net.host(host)

    @asynccontextmanager
    async def program(self) -> AsyncIterator[Litestar]:
        """Make the application and run its lifespan."""
        raise NotImplementedError
        yield

    async def drain(self) -> None:
        """Finish what is under way, before the server is stopped."""

    def start(self) -> None:
        """Start the process."""
        self.world.trace.add(self.host, "starts")
        self.world.loop.boot(self.host)
        self.world.loop.offsets.pop(self.host, None)  # a machine asks for the time as it starts
        self.is_up = True
        self._is_stopping = False
        self._down.clear()
        self._server = None
        self._task = self.world.loop.net.host(self.host).create_task(self._run())
        self._task.add_done_callback(self._ended)

    async def _run(self) -> None:
        async with self.program() as app:
            connections = app.state.get("connections")
            config = uvicorn_config(
                app,
                connections,
                host="0.0.0.0",
                port=self.port,
                log_config=None,
                timeout_graceful_shutdown=8,
            )
            config.lifespan = "off"
            self._server = _Server(config)
            await self._server.serve()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.is_up = False
        self._down.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            self.world.fail("a process crashed", repr(error))

    async def stop(self) -> None:
        """End it as SIGTERM does."""
        server, task = self._server, self._task
        if server is None or task is None or not self.is_up or self._is_stopping:
            return
        self.world.trace.add(self.host, "drains")
        self._is_stopping = True
        await self.world.loop.net.host(self.host).create_task(self.drain())
        server.stopping.set()
        await asyncio.wait({task})

    async def wait_until_stopped(self) -> None:
        """Return once it has ended, if it is being stopped."""
        if self._is_stopping:
            await self._down.wait()

    def kill(self, *, silently: bool) -> None:
        """End it at once."""
        self.world.trace.add(self.host, "loses power" if silently else "is killed")
        if self._task is not None:
            self._task.remove_done_callback(self._ended)
        self.is_up = False
        self._down.set()
        self.world.loop.kill(self.host, silently=silently)


class ServerProcess(Process):
    """A node of the product."""

    def __init__(self, world: "World", host: str) -> None:
        super().__init__(world, host, SERVER_PORT)
        self._lives = 0
        self.container: Container

    @asynccontextmanager
    async def program(self) -> AsyncIterator[Litestar]:
        container = self.container = Container(settings=self.world.settings(self.host))
        container.assistant.override(providers.Object(Model(self.world)))
        if self.world.broker_kind == "local":
            container.siblings.override(Siblings(self._worker()))
        app = create_app(container.settings(), container)
        async with app.lifespan():
            yield app

    def _worker(self) -> Worker:
        self._lives += 1
        return Worker(
            number=self.world.servers.index(self) + 1,
            wanted=len(self.world.servers),
            name=f"{self.host}-{self._lives}",
            folder=str(self.world.folder),
        )

    async def drain(self) -> None:
        others = [each for each in self.world.servers if each is not self and each.is_up]
        await drain(self.container, siblings_stay=bool(others))


class BridgeProcess(Process):
    """The reference bridge."""

    @asynccontextmanager
    async def program(self) -> AsyncIterator[Litestar]:
        app = create_bridge(self.world.settings(self.host))
        async with app.lifespan():
            yield app


class PlainProcess(Process):
    """The plain Phoenix application."""

    def __init__(self, world: "World", host: str, port: int, application: PlainPhoenix) -> None:
        super().__init__(world, host, port)
        self.application = application

    @asynccontextmanager
    async def program(self) -> AsyncIterator[Litestar]:
        yield self.application.app()


class BrokerProcess(Process):
    """What the servers' broker needs: a Redis, or the switch of one machine's workers."""

    async def _run(self) -> None:
        if self.world.broker_kind == "redis":
            await RedisServer(lambda: self.world.loop.now).serve(REDIS_PORT)
        else:
            async with LocalSwitch(self.world.folder / SWITCH):
                await asyncio.Event().wait()

    def kill(self, *, silently: bool) -> None:
        # The switch runs on the servers' own machine, which closes its sockets.
        super().kill(silently=silently and self.world.broker_kind == "redis")


class Balancer:
    """A load balancer in front of the servers, for the bridge's requests."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._host = world.loop.net.host(BALANCER)

    def start(self) -> None:
        """Listen from now on."""
        self._host.create_task(asyncio.start_server(self._relay, "0.0.0.0", SERVER_PORT))

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        servers = [server for server in self._world.servers if server.is_up]
        try:
            server = self._world.chance.choice(servers or self._world.servers)
            async with asyncio.timeout(2.0):
                ahead, back = await asyncio.open_connection(server.host, SERVER_PORT)
        except OSError:  # TimeoutError is one
            writer.transport.abort()
            return
        ways = [
            asyncio.create_task(_pipe(reader, back)),
            asyncio.create_task(_pipe(ahead, writer)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for end in (writer, back):
            end.close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)


class Word(NamedTuple):
    """What a coordinator has said to a customer."""

    text: str
    is_acknowledged: bool


class World:
    """Everything in a life: programs, people, faults, and what they have seen."""

    def __init__(
        self,
        loop: SimulatedLoop,
        seed: int,
        folder: Path,
        *,
        nodes: int,
        broker: BrokerKind,
        bridge: BridgeKind,
        packets_s: Sequence[float],
        pieces: Sequence[int],
        pauses_s: Sequence[float],
    ) -> None:
        """`packets_s`, `pieces`, `pauses_s`: as those of a workload."""
        self.loop = loop
        self.seed = seed
        self.folder = folder
        self.broker_kind = broker
        self.bridge_kind = bridge
        self.chance = random.Random(f"{seed}:world")
        self.trace = Trace(loop)
        self.ignored: Collection[str] = ()
        """Rules that may be broken, to look behind a known fault."""
        self.failure: Violation | None = None
        self.failed = asyncio.Event()
        self.words: dict[str, list[Word]] = {}
        """What was said to each customer by coordinators, in order."""
        self._status: dict[str, str] = {}
        """The status of each customer's newest session, as it is stored."""
        self._takeovers: dict[str, list[float]] = {}
        """When the AI has lost a customer's conversation."""
        self._asked: dict[str, tuple[str, float]] = {}
        """Who was the last to ask the model about a message, and when."""
        self.written: dict[str, tuple[float, float]] = {}
        """When the model has begun and ended an answer, by the beginning of its text."""
        self._waiting: list[asyncio.Future[str]] = []
        """Those who wait for the model to be asked."""
        self._database: sqlite3.Connection | None = None
        self.slowest_way_s = 0.0
        """The longest time of a packet, on the ways that a delta takes."""
        self._broken_at = -math.inf
        self.mended_at: dict[str, float] = {}
        """When each host got at last what had been held up on its way."""
        self.cuts: list[tuple[frozenset[str], frozenset[str]]] = []
        self.servers = [ServerProcess(self, f"server{n}") for n in range(1, nodes + 1)]
        self.balancer = Balancer(self)
        self.broker = BrokerProcess(self, BROKER, REDIS_PORT) if broker != "none" else None
        self.bridge: Process | None = None
        if bridge == "reference":
            self.bridge = BridgeProcess(self, BRIDGE, BRIDGE_PORT)
        elif bridge == "plain":
            self.plain = PlainPhoenix(self._plain_settings())
            self.received: list[Received] = []
            self.bridge = PlainProcess(self, BRIDGE, BRIDGE_PORT, self.plain)
        loop.after_job = self.look
        self.pieces, self.pauses_s = pieces, pauses_s
        slowest_s = self.chance.choice(packets_s)
        self.slowest_way_s = 4 * slowest_s + loop.slowest_job_s + 0.05
        loop.net.set_defaults(latency=(0.0002, slowest_s))

    def _plain_settings(self) -> PlainSettings:
        flip = self.chance.random
        return PlainSettings(
            replies=flip() < 0.3,
            returns_to_sender=flip() < 0.7,
            ignores_unknown=flip() < 0.5,
            wraps=flip() < 0.3,
            snake_case=flip() < 0.3,
            phoenix="1.7" if flip() < 0.3 else "1.8",
        )

    def settings(self, host: str) -> Settings:
        """Return the settings of a program."""
        return Settings(
            server_host="0.0.0.0",
            node_name=host,
            sqlite_path=str(self.folder / "conversations.sqlite3"),
            bridge_sqlite_path=str(self.folder / "bridge.sqlite3"),
            sqlite_synchronous="normal",
            broker=self.broker_kind,
            redis_url=f"redis://{BROKER}:{REDIS_PORT}/0",
            bridge="none" if self.bridge_kind == "none" else "elixir",
            elixir_http_url=f"http://{BRIDGE}:{BRIDGE_PORT}",
            elixir_websocket_url=f"ws://{BRIDGE}:{BRIDGE_PORT}/socket/websocket",
            elixir_token=SERVICE_TOKEN if self.bridge_kind == "reference" else "",
            elixir_timeout=2_000,
            agent_server_url=f"http://{BALANCER}:{SERVER_PORT}",
            service_token=SERVICE_TOKEN,
            rate_limits="off",
            language_detection="off",  # its library is not simulated
            turn_timeout_s=TURN_TIMEOUT_S,
            sweep_interval_s=2.0,
            transfer_timeout_s=120.0,
            drain_s=5.0,
            log_level="warning",
        )

    def fail(self, rule: str, what: str) -> None:
        """Note that a rule was broken; the first one ends the life, if it is not to be ignored."""
        if rule in self.ignored:
            return
        self.trace.add("VIOLATION", f"{rule}: {what}")
        if self.failure is None:
            self.failure = Violation(f"{rule}: {what}")
            self.failed.set()

    def look(self) -> None:
        """Look at what has just been stored."""
        path = self.folder / "conversations.sqlite3"
        if self._database is None:
            if not path.exists():
                return
            self._database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        sql = "SELECT user_id, status FROM sessions ORDER BY number"
        try:
            found = dict(self._database.execute(sql).fetchall())
        except sqlite3.OperationalError:  # it is being made
            return
        for customer, status in found.items():
            before = self._status.get(customer, "ai")
            self._status[customer] = status
            if before == "ai" and status != "ai":
                self.trace.add("store", f"{customer} is {status}")
                self._takeovers.setdefault(customer, []).append(self.loop.now)

    def since_takeover(self, customer: str, began: float) -> float:
        """Return for how long an answer that has begun then must not be shown; 0: it may be."""
        times = self._takeovers.get(customer, [])
        if self._status.get(customer, "ai") != "ai":
            return self.loop.now - times[-1]
        return max((self.loop.now - time for time in times if began < time), default=0.0)

    def takeover_is_known_after_s(self, cut_s: float) -> float:
        """Return the longest that it takes; `cut_s`: while hints may be lost."""
        whole = self.has_been_whole_for(10.0)
        return (HINTED_S if whole else cut_s) + self.slowest_way_s

    def has_been_whole_for(self, seconds: float) -> bool:
        """Return True if nothing was broken in the last seconds."""
        return self.loop.now - self._broken_at >= seconds

    def asked(self, customer: str, message_ids: list[str]) -> None:
        """Note that the model is asked to answer these messages."""
        host, now = self.loop.host, self.loop.now
        self.trace.add("model", f"{host} asks about {' '.join(message_ids)}")
        for message_id in message_ids:
            before, at = self._asked.get(message_id, (host, now))
            if before != host and self.is_prompt_for(now - at + 5.0):
                self.fail("no answer is paid for twice", f"{message_id}: {before}, {host}")
            self._asked[message_id] = (host, now)
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(customer)
        self._waiting.clear()

    async def next_question(self) -> str:
        """Return the customer of whom the model is asked next."""
        waiting: asyncio.Future[str] = self.loop.create_future()
        self._waiting.append(waiting)
        return await waiting

    # The network.

    def cut(self, side: Sequence[str], other: Sequence[str]) -> Callable[[], None]:
        """Let nothing through between two groups of hosts; returns what mends it."""
        self.trace.add("network", f"cut {'+'.join(side)} | {'+'.join(other)}")
        this = (frozenset(side), frozenset(other))
        self.cuts.append(this)
        self.loop.net.partition(side, other)

        def mend() -> None:
            if this in self.cuts:
                self.trace.add("network", f"mended {'+'.join(side)} | {'+'.join(other)}")
                self.cuts.remove(this)
                self._mended(this)
                self._recut()

        return mend

    def mend_all(self) -> None:
        """Make the network whole."""
        self.trace.add("network", "whole")
        for this in self.cuts:
            self._mended(this)
        self.cuts.clear()
        self._recut()

    def _mended(self, cut: tuple[frozenset[str], frozenset[str]]) -> None:
        for host in cut[0] | cut[1]:
            self.mended_at[host] = self.loop.now

    def _recut(self) -> None:
        self.loop.net.heal()
        for side, other in self.cuts:
            self.loop.net.partition(sorted(side), sorted(other))

    def everyone_but(self, *hosts: str) -> list[str]:
        """Return the names of all other hosts."""
        return [name for name in self.loop.net._hosts if name not in hosts]

    def is_prompt_for(self, seconds: float) -> bool:
        """Return True if nothing was broken, and leases come in the 0.4 s that they are given."""
        return self.slowest_way_s < 0.2 and self.has_been_whole_for(seconds)

    def broken(self) -> None:
        """Note that something is not as it should be, or was not until now."""
        self._broken_at = self.loop.now

    async def watch(self) -> None:
        """Note, now and then, whether everything runs and nothing is cut off."""
        hosts = {BALANCER, *(program.host for program in self.programs)}
        while True:
            is_cut = any(one & hosts and other & hosts for one, other in self.cuts)
            if is_cut or not all(program.is_up for program in self.programs):
                self.broken()
            await asyncio.sleep(0.1)

    @property
    def programs(self) -> list[Process]:
        """All that there are, in the order in which they are started."""
        others = [each for each in (self.broker, self.bridge) if each is not None]
        return [*others, *self.servers]

    @asynccontextmanager
    async def store(self) -> AsyncIterator[SqliteStore]:
        """Open the servers' store, to look into it."""
        async with SqliteStore(str(self.folder / "conversations.sqlite3")) as store:
            yield store


class LogWatch(logging.Handler):
    """Notes what the programs log, and takes an error with a traceback for a fault."""

    def __init__(self, world: World) -> None:
        super().__init__(logging.WARNING)
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        action = getattr(record, "action", "")
        self._world.trace.add("log", f"{record.name} {action} {record.getMessage()[:200]}")
        if record.levelno >= logging.ERROR:
            error = record.exc_info[1] if record.exc_info else None
            self._world.fail("nothing crashes", f"{record.getMessage()} {error!r}")
