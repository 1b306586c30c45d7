"""One node of the server: the product's own container, between simulated surroundings.

A node can be frozen, as by SIGSTOP: nothing in it runs until it is thawed. One that is killed never
runs again; what it was doing is where it was.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar

from adapters.broker.channels import ChannelBroker
from adapters.system import SlewedTime
from application.ports import Clock, Leases, Presence
from domain.errors import LeasesUnavailable, StorageUnavailable
from domain.identity import BusinessId
from entrypoints.serve import STOP_S
from entrypoints.server.app import _running, drain
from entrypoints.server.container import Container
from entrypoints.settings import Settings
from tests.simulation.assistant import SimulatedAssistant
from tests.simulation.bridge import SimulatedGateway, SimulatedHttp
from tests.simulation.network import SimulatedChannels
from tests.simulation.tools import NodeTools, businesses_with_tools
from tests.support.businesses import demo_businesses
from tests.support.clock import CountedIds

if TYPE_CHECKING:
    from tests.simulation.world import World

T = TypeVar("T")
BEGINNING = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)
SLOW_S = 0.4
"""The time that a slow store, or lease service, takes longer."""

SETTINGS = Settings(
    store="memory",
    broker="redis",
    bridge="elixir",
    turn_quiet_ms=100,
    turn_timeout_s=12,
    transfer_timeout_s=40,
    ai_failures_before_transfer=2,
    sweep_interval_s=5,
    drain_s=10,
)


class NodeTimer:
    """A callback of a node."""

    __slots__ = ("callback", "is_cancelled")

    def __init__(self, callback: Callable[[], Any]) -> None:
        self.callback = callback
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


class NodeClock(Clock):
    """A node's time, its wall clock, and its timers, which wait while it is frozen."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._time = SlewedTime(self._wall(0.0), self._elapsed())
        self._waiting: deque[Callable[[], Any]] | None = None
        self._timers: list[NodeTimer] = []
        self.ahead_s = 0.0
        """The seconds by which its wall clock is wrong."""
        self.is_dead = False

    def _elapsed(self) -> int:
        return round(self._loop.time() * 1_000_000_000)

    def _wall(self, ahead_s: float) -> int:
        return self._elapsed() + round(ahead_s * 1_000_000_000)

    def now(self) -> datetime:
        now = self._time.read(self._wall(self.ahead_s), self._elapsed())
        return BEGINNING + timedelta(milliseconds=now // 1_000_000)

    def wall(self) -> datetime:
        return BEGINNING + timedelta(milliseconds=self._wall(self.ahead_s) // 1_000_000)

    def monotonic(self) -> float:
        return self._loop.time()

    def call_later(self, delay_s: float, callback: Callable[[], Any]) -> NodeTimer:
        timer = NodeTimer(callback)
        # No timer of a machine is exact: less than this would be no time at all.
        self._loop.call_later(max(delay_s, 0.00001), self._fire, timer)
        return timer

    async def sleep(self, delay_s: float) -> None:
        over = self._loop.create_future()
        timer = self.call_later(delay_s, lambda: None if over.done() else over.set_result(None))
        try:
            await over
        finally:
            timer.cancel()

    def _fire(self, timer: NodeTimer) -> None:
        if self.is_dead or timer.is_cancelled:
            return
        if self._waiting is not None:
            self._timers.append(timer)
        else:
            timer.callback()

    def receive(self, callback: Callable[[], Any]) -> None:
        """Call a function as what comes from the network is handled."""
        if self.is_dead:
            return
        if self._waiting is not None:
            self._waiting.append(callback)
        else:
            callback()

    @property
    def is_frozen(self) -> bool:
        return self._waiting is not None

    def freeze(self) -> None:
        """Let nothing of the node run."""
        if self._waiting is None:
            self._waiting = deque()

    def thaw(self) -> None:
        """Go on: with what has come from the network, and then with the timers."""
        waiting, self._waiting = self._waiting, None
        timers, self._timers = self._timers, []
        if self.is_dead:
            return
        for callback in waiting or ():
            callback()
        for timer in timers:
            self._loop.call_soon(self._fire, timer)


class NodeStore:
    """A node's way to the store, with its latency and its faults."""

    def __init__(self, node: "Node") -> None:
        self._node = node
        self._store = node.world.store
        self.faults: deque[str] = deque()
        """What happens to the next calls: `fail`, or `lose` the answer, or nothing."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        return None

    def __getattr__(self, name: str) -> Any:
        call = partial(self._call, name, getattr(self._store, name))
        setattr(self, name, call)
        return call

    async def _call(self, name: str, method: Callable[..., Any], *given: Any, **named: Any) -> Any:
        node, world = self._node, self._node.world
        slow_s = SLOW_S if world.store_is_slow else world.store_s
        await node.clock.sleep(world.random.uniform(0.0005, 0.002) + slow_s)
        fault = self.faults.popleft() if self.faults else ""
        if fault == "fail" or world.store_is_down:
            world.rules.store_failed()
            raise StorageUnavailable("as told")
        world.writer = node
        result = await method(*given, **named)
        await node.clock.sleep(world.random.uniform(0.0005, 0.002) + slow_s)
        if fault == "lose":
            world.rules.store_failed()
            raise StorageUnavailable("as told, after the work")
        if name == "latest" and result is not None:
            world.rules.read(node, result.session)
        return result


class SimulatedPresence(Presence):
    """Who is present at the bridge, as far as the world lets it be known."""

    def __init__(self, world: "World") -> None:
        self._world = world

    async def online(self, business_id: BusinessId) -> int | None:
        return self._world.online


class NodeLeases(Leases):
    """A node's way to the lease service."""

    def __init__(self, node: "Node") -> None:
        self._node = node

    async def _reach(self) -> None:
        world = self._node.world
        await self._node.clock.sleep(SLOW_S if world.leases_are_slow else 0.001)
        if world.leases_are_away:
            raise LeasesUnavailable

    async def claim(self, name: str, holder: str, ttl_s: float) -> bool:
        await self._reach()
        claimed = await self._node.world.leases.claim(name, holder, ttl_s)
        await self._reach()
        return claimed

    async def release(self, name: str, holder: str) -> None:
        await self._reach()
        await self._node.world.leases.release(name, holder)


class Node:
    """One process of the server."""

    def __init__(self, world: "World", number: int) -> None:
        self.world = world
        self.name = f"node-{number}"
        self.clock = clock = NodeClock()
        self.store = NodeStore(self)
        self.channels = SimulatedChannels(world.switch, clock.receive)
        self.ended = asyncio.Event()
        """Set once no client can use it any more."""
        self.ended_at = -1000.0
        self.thawed_at = -1000.0
        self.accepts = False
        self._requests: set[asyncio.Task[Any]] = set()
        """Those under way, whether or not anyone waits for them any more."""
        self._stack = AsyncExitStack()
        container = self._container = Container(settings=SETTINGS)
        container.clock.override(clock)
        container.new_id.override(CountedIds(number))
        container.jitter.override(world.random.random)
        container.store.override(self.store)
        container.businesses.override(
            businesses_with_tools() if world.has_tools else demo_businesses()
        )
        if world.has_tools:
            container.business_tools.override(NodeTools(self))
        container.leases.override(NodeLeases(self))
        container.assistant.override(SimulatedAssistant(self))
        self.broker = ChannelBroker(self.name, self.channels, clock)
        container.broker.override(self.broker)
        http = SimulatedHttp(world.bridge, clock.sleep, world.random)
        container.elixir_http.override(http)
        container.presence.override(SimulatedPresence(world))
        owners = container.chat_owners()
        self.gateway = SimulatedGateway(
            world.bridge,
            world.random,
            clock,
            lambda customer: not owners.is_mine(customer),
        )
        container.elixir_socket.override(self.gateway)
        self.owners = owners
        self.hub = container.hub()
        self.session_log = container.session_log()
        self.join = container.join()
        self.history = container.read_history()
        self.post = container.post()
        self.transfers = container.transfers()
        self.confirmations = container.confirmations()
        self.rate = container.rate()
        self.turns = container.turns()
        self.privacy = container.privacy()

    def __repr__(self) -> str:
        return self.name

    async def start(self) -> None:
        """Open its parts, and accept clients."""
        await self._stack.enter_async_context(_running(self._container))
        self.accepts = not self.ended.is_set()

    def request(self, work: Awaitable[T]) -> asyncio.Task[T]:
        """Begin a request: it is handled to its end, also while the node drains."""
        request = asyncio.ensure_future(work)
        self._requests.add(request)
        request.add_done_callback(self._requests.discard)
        return request

    @property
    def is_alive(self) -> bool:
        """True unless it was killed, or has ended."""
        return not self.clock.is_dead

    @property
    def is_well(self) -> bool:
        """True if it accepts clients, and runs."""
        return self.accepts and not self.clock.is_frozen and not self.ended.is_set()

    def kill(self) -> None:
        """End it at once, as by SIGKILL."""
        self.accepts = False
        self.ended_at = asyncio.get_running_loop().time()
        self.clock.is_dead = True
        self.channels.end()
        self.gateway.end()
        self.ended.set()

    async def drain(self) -> None:
        """End it as SIGTERM does: its clients go first, turns and requests run to their end."""
        self.accepts = False
        self.ended.set()
        await drain(self._container)
        if self._requests:
            await asyncio.wait(self._requests, timeout=STOP_S)
        await self._stack.aclose()
        self.kill()

    def freeze(self) -> None:
        """Stop it, as SIGSTOP does."""
        self.clock.freeze()

    def thaw(self) -> None:
        """Let it go on."""
        if self.clock.is_frozen:
            self.thawed_at = asyncio.get_running_loop().time()
            self.clock.thaw()
