"""The parts of the whole as real processes, and what can happen to them."""

import asyncio
import json
import os
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import httpx
from websockets.asyncio.client import connect

from tests.support import dynamodb
from tests.support.businesses import demo_folder_without_documents
from tests.support.dynamodb_proxy import Fault, FaultProxy, nothing, seeded
from tests.support.openai_stub import DONE, OK_EVENTS, USED, Stub, Wire, delta, refuses, stub
from tests.support.process import ENVIRONMENT, ROOT
from tests.support.redis_server import RedisServer, redis_server
from tests.support.server import free_port
from tests.support.tcp_proxy import TcpProxy
from tests.support.user import Refused, user

MODEL = "soak"
WORDS = ("Bună! ", "Suntem ", "deschiși ", "de luni ", "până vineri, ", "de la 9 ", "la 17.")
WORD_S = 0.03
START_S = 60.0
_CALLED = ("model (", "bridge (", "store (")
_TCP_STATES = {"01": "open", "08": "closed by the peer", "0A": "listening"}
STOP_S = 60.0


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process holds: KiB of memory, threads, open files, and connections beside those."""

    memory_kib: int
    threads: int
    descriptors: int
    kept: int
    """Connections to what it calls (the model, the bridge, the store), which it keeps for later."""


def usage(pid: int, names: Mapping[int, str]) -> Usage:
    """Return what a process holds; `names` as in `open_files`.

    Raises: OSError, once it has ended.
    """
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    named = dict(line.split(":", 1) for line in lines)
    files = open_files(pid, names)
    kept = sum(count for name, count in files.items() if name.startswith(_CALLED))
    return Usage(
        memory_kib=int(named["VmRSS"].split()[0]),
        threads=int(named["Threads"]),
        descriptors=files.total() - kept,
        kept=kept,
    )


def open_files(pid: int, names: Mapping[int, str]) -> Counter[str]:
    """Return what the open files of a process are, for people.

    `names`: of the ports of this machine, by whom connections are told apart.
    """
    connections = {}
    for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, state, *rest = line.split()
        ports = (int(each.rpartition(":")[2], 16) for each in (remote, local))
        peer = next((names[port] for port in ports if port in names), "somebody")
        connections[rest[5]] = f"{peer} ({_TCP_STATES.get(state, state)})"
    kinds: Counter[str] = Counter()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            target = os.readlink(each)
            inode = target.removeprefix("socket:[").removesuffix("]")
            kinds[connections.get(inode, Path(target).name.partition(":[")[0])] += 1
    return kinds


class Program:
    """`ai-agent-server NAME` as a process, at a port that stays the same."""

    def __init__(self, name: str, folder: Path, settings: Mapping[str, str]) -> None:
        self.port = free_port()
        self._name = name
        self.folder = folder
        self._settings = settings
        self._process: asyncio.subprocess.Process | None = None
        self.log = folder / f"{name}.log"

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def children(self) -> list[int]:
        """The processes that it has started, such as its workers."""
        listed = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return list(map(int, listed.read_text().split()))

    async def start(self) -> None:
        """Start it, and wait until it is ready. Raises: RuntimeError."""
        command = (sys.executable, "-m", "entrypoints.cli.main", self._name)
        environment = {**ENVIRONMENT, "LOG_FORMAT": "json", **self._settings}
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *command, "--port", str(self.port), cwd=ROOT, env=environment, stderr=log
            )
        deadline = time.monotonic() + START_S
        async with httpx.AsyncClient(base_url=f"http://{self.address}", timeout=5.0) as http:
            while True:
                with suppress(httpx.HTTPError):
                    if (await http.get("/health/ready")).json()["status"] == "ok":
                        return
                if time.monotonic() > deadline or self._process.returncode is not None:
                    raise RuntimeError(f"{self._name} did not start: see {self.log}")
                await asyncio.sleep(0.1)

    async def kill(self) -> None:
        """Kill it, and wait for its end."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def stop(self) -> int:
        """Let it end in order, and return its exit code. Raises: TimeoutError."""
        assert self._process is not None
        self._process.terminate()
        async with asyncio.timeout(STOP_S):
            return await self._process.wait()


class Whole:
    """The whole of it: server, bridge, broker, model, store, and the network before them."""

    def __init__(
        self,
        server: Program,
        bridge: Program,
        broker: RedisServer,
        model: Stub,
        network: TcpProxy,
        store: FaultProxy | Path,
        random: Random,
    ) -> None:
        """`store`: the proxy before DynamoDB, or the file of SQLite."""
        self.server = server
        self.bridge = bridge
        self.broker = broker
        self.model = model
        self.network = network
        self._store = store
        self._random = random

    async def metrics(self) -> dict[str, float]:
        """Return the server's metrics by name, labels included, without the prefix."""
        async with httpx.AsyncClient(timeout=10.0) as http:
            text = (await http.get(f"http://{self.server.address}/metrics")).text
        lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
        return {name.removeprefix("ai_agent_"): float(value) for name, _, value in lines}

    async def turns(self) -> float:
        """Return the number of turns that have ended, whatever their outcome."""
        metrics = await self.metrics()
        return sum(value for name, value in metrics.items() if name.startswith("turns_total"))

    @property
    def ports(self) -> dict[int, str]:
        """Who listens where."""
        found = {self.broker.port: "broker", self.bridge.port: "bridge", self.server.port: "server"}
        found[urlsplit(self.model.url).port or 0] = "model"
        if isinstance(self._store, FaultProxy):
            found[urlsplit(self._store.url).port or 0] = "store"
        return found

    @property
    def bridge_database(self) -> Path:
        return self.bridge.folder / "bridge.sqlite3"

    async def kill_a_worker(self, hold_s: float) -> None:
        """A worker of the server dies; its parent starts another."""
        with suppress(ProcessLookupError):
            os.kill(self._random.choice(self.server.children), signal.SIGKILL)
        await asyncio.sleep(hold_s)

    async def replace_the_workers(self, hold_s: float) -> None:
        """An upgrade: the workers are replaced one by one."""
        os.kill(self.server.pid, signal.SIGUSR2)
        await asyncio.sleep(hold_s)

    async def kill_the_bridge(self, hold_s: float) -> None:
        """The bridge dies, and comes back."""
        await self.bridge.kill()
        await asyncio.sleep(hold_s)
        await self.bridge.start()

    async def pause_the_broker(self, hold_s: float) -> None:
        """The broker's connections stay open, and nothing answers."""
        self.broker.pause()
        try:
            await asyncio.sleep(hold_s)
        finally:
            self.broker.resume()

    async def kill_the_broker(self, hold_s: float) -> None:
        """The broker dies with all that it knew, and comes back empty."""
        self.broker.kill()
        await asyncio.sleep(hold_s)
        await asyncio.to_thread(self.broker.start)

    async def hang_the_model(self, hold_s: float) -> None:
        """The model's server accepts requests, and sends nothing."""
        await self._model_does(_hangs_till_healed, hold_s)

    async def break_the_model(self, hold_s: float) -> None:
        """The model's server answers 500."""
        await self._model_does(refuses("500 Internal Server Error"), hold_s)

    async def cut_the_model(self, hold_s: float) -> None:
        """The model's server resets the connection in the middle of an answer."""
        await self._model_does(_breaks_off, hold_s)

    async def _model_does(self, answer: Callable[[Wire], Awaitable[None]], hold_s: float) -> None:
        self.model.by_model[MODEL] = answer
        try:
            await asyncio.sleep(hold_s)
        finally:
            self.model.by_model[MODEL] = speaks

    async def disturb_the_store(self, hold_s: float) -> None:
        """Another process holds SQLite's file; DynamoDB throttles, resets and hangs."""
        if isinstance(self._store, Path):
            with closing(sqlite3.connect(self._store, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                await asyncio.sleep(hold_s)
                other.execute("ROLLBACK")
        else:
            faults = (Fault.THROTTLED, Fault.RESET, Fault.LOST, Fault.BROKEN, Fault.MUTE)
            self._store.plan = seeded(self._random.randrange(1_000), 0.3, *faults)
            await asyncio.sleep(hold_s)
            self._store.plan = nothing

    async def cut_the_network(self, hold_s: float) -> None:
        """The customers behind the proxy lose their connections, again and again."""
        until = time.monotonic() + hold_s
        while time.monotonic() < until:
            self.network.cut()
            await asyncio.sleep(hold_s / 3)

    async def silence_the_network(self, hold_s: float) -> None:
        """Nothing passes the proxy, and nobody is told."""
        self.network.half_open()
        try:
            await asyncio.sleep(hold_s)
        finally:
            self.network.heal()
            self.network.cut()

    async def storm(self, hold_s: float) -> None:
        """Many clients come at once, join, and leave."""

        async def visit(number: int) -> None:
            with suppress(OSError, TimeoutError, Refused):
                async with user(self.server.address, user_id=f"storm-{number}") as one:
                    await one.join()
                    await asyncio.sleep(hold_s)

        await asyncio.gather(*map(visit, range(200)), return_exceptions=True)

    async def read_slowly(self, hold_s: float) -> None:
        """Clients ask for much, and read none of it."""

        async def ask(number: int) -> None:
            url = f"ws://{self.server.address}/socket/websocket?vsn=2.0.0"
            who = {"businessId": "b1", "userId": f"customer-{number}", "stream": True}
            frames = [("phx_join", who), *[("history", dict[str, str]())] * 200]
            async with connect(url, compression=None) as connection:
                connection.transport.pause_reading()
                for ref, (event, payload) in enumerate(frames):
                    await connection.send(
                        json.dumps(["0", str(ref), "messages:b1", event, payload])
                    )
                await asyncio.sleep(hold_s)
                connection.transport.abort()

        await asyncio.gather(*map(ask, range(10)), return_exceptions=True)

    @property
    def faults(self) -> dict[str, Callable[[float], Awaitable[None]]]:
        """What happens by turns, by its name."""
        return {
            "a worker is killed": self.kill_a_worker,
            "the bridge is killed": self.kill_the_bridge,
            "the broker hangs": self.pause_the_broker,
            "the model hangs": self.hang_the_model,
            "the store is disturbed": self.disturb_the_store,
            "the network is cut": self.cut_the_network,
            "the broker is killed": self.kill_the_broker,
            "the model breaks off": self.cut_the_model,
            "clients come at once": self.storm,
            "the network is silent": self.silence_the_network,
            "the model answers 500": self.break_the_model,
            "clients do not read": self.read_slowly,
            "the workers are replaced": self.replace_the_workers,
        }


async def speaks(wire: Wire) -> None:
    """Answer as a model does: word by word."""
    await wire.send(OK_EVENTS + b"\r\n")
    await wire.chunk(delta(role="assistant", content=""))
    for word in WORDS:
        await asyncio.sleep(WORD_S)
        await wire.chunk(delta(content=word))
    for last in (delta("stop"), USED, DONE):
        await wire.chunk(last)
    await wire.send(b"0\r\n\r\n")


async def _hangs_till_healed(wire: Wire) -> None:
    await wire.gone()


async def _breaks_off(wire: Wire) -> None:
    await wire.send(OK_EVENTS + b"\r\n")
    await wire.chunk(delta(role="assistant", content=WORDS[0]))
    wire.cut()


@asynccontextmanager
async def running(folder: Path, random: Random, *, store: str) -> AsyncIterator[Whole]:
    """Run all parts in a folder; `store`: sqlite or dynamodb."""
    async with AsyncExitStack() as stack:
        broker = stack.enter_context(redis_server())
        model = await stack.enter_async_context(stub(**{MODEL: speaks}))
        kept: Path | FaultProxy = folder / "conversations.sqlite3"
        chosen = {"STORE": "sqlite", "SQLITE_PATH": str(kept)}
        if store == "dynamodb":
            engine = dynamodb.started(dynamodb.DYNOXIDE)
            kept = await stack.enter_async_context(FaultProxy(engine.url))
            chosen = {
                "STORE": "dynamodb",
                "DYNAMODB_TABLE": engine.table(folder),
                "DYNAMODB_ENDPOINT_URL": kept.url,
                "AWS_ACCESS_KEY_ID": "local",
                "AWS_SECRET_ACCESS_KEY": "local",
                "AWS_REGION": "us-east-1",
            }
        shared = {
            "RATE_LIMITS": "off",
            "LIMIT_SOCKETS": "2000",
            "LIMIT_CONNECTIONS": "1000",
            "LOG_LEVEL": "info",
            "BUSINESSES": str(demo_folder_without_documents()),
        }
        server_settings: dict[str, Any] = {
            **shared,
            **chosen,
            "WORKERS": "2",
            "BROKER": "redis",
            "REDIS_URL": broker.url,
            "ASSISTANT": "openai",
            "OPENAI_BASE_URL": model.url,
            "OPENAI_MODEL": MODEL,
            "OPENAI_API": "chat",
            "TURN_QUIET_MS": "0",
            "TURN_TIMEOUT_S": "15",
            "SESSION_CACHE_MIB": "8",
            "LANGUAGE_DETECTION": "off",
            "BRIDGE": "elixir",
            "ELIXIR_TIMEOUT": "2000",
        }
        server = Program("serve", folder, server_settings)
        bridge_settings = {
            **shared,
            "BRIDGE_SQLITE_PATH": str(folder / "bridge.sqlite3"),
            "AGENT_SERVER_URL": f"http://{server.address}",
        }
        bridge = Program("bridge", folder, bridge_settings)
        server_settings["ELIXIR_HTTP_URL"] = f"http://{bridge.address}"
        server_settings["ELIXIR_WEBSOCKET_URL"] = f"ws://{bridge.address}/socket/websocket"
        network = await stack.enter_async_context(TcpProxy(server.port))
        for program in (bridge, server):
            stack.push_async_callback(program.kill)
            await program.start()
        yield Whole(server, bridge, broker, model, network, kept, random)
