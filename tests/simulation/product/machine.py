"""The machine under a simulated life: clocks, chance, threads and the network, all from a seed.

Everything that the product takes from its surroundings is replaced here, and here alone, from
outside; nothing of the product is. `docs/simulation.md` lists it.
"""

import asyncio
import functools
import gc
import logging
import os
import random
import ssl
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

import uvicorn.server
from simloop import SimLoop
from simloop._net import _current_host
from simloop._transports import _SimStreamTransport

EPOCH = 1_790_000_000.0
"""The wall clock's time at which a life begins, in seconds since 1970."""
UNIX_PORT = 1
"""The port that stands for a Unix socket."""

_REAL = {
    name: getattr(time, name)
    for name in ("monotonic", "monotonic_ns", "perf_counter", "time", "time_ns", "clock_gettime_ns")
}
_real_urandom = os.urandom
_running: "SimulatedLoop | None" = None


class SimulatedLoop(SimLoop):
    """simloop's loop in asyncio's own order, with threads that take time and hosts that die.

    asyncio promises that callbacks run in the order in which they were scheduled, and programs rely
    on it: what varies with the seed is how long packets and threads take.
    """

    @classmethod
    def of(cls, seed: int) -> "SimulatedLoop":
        """Return the loop of a seed."""
        loop: SimulatedLoop = cls._from_choices((), seed)
        loop._recorder = _NoRecorder()
        loop.chance = random.Random(f"{seed}:threads")
        loop.life = random.Random(f"{seed}:life")
        loop.after_job = lambda: None
        loop.offsets = {}
        loop.slowest_job_s = 0.0
        loop._free_at = {}
        loop._unix_hosts = {}
        loop._gone = []
        return loop

    chance: random.Random
    life: random.Random
    """For what the life is about."""
    after_job: Callable[[], None]
    """Called whenever a job of a thread has been done."""
    offsets: dict[str, float]
    """By how much the wall clocks of hosts are wrong, in seconds."""
    slowest_job_s: float
    """The longest that a job of a thread takes, such as a transaction, with its two switches."""

    @property
    def now(self) -> float:
        """The seconds since the life began."""
        return float(self._now)

    @property
    def host(self) -> str:
        """The host that runs."""
        return str(_current_host.get())

    @property
    def wall(self) -> float:
        """The wall clock of the host that runs."""
        return EPOCH + self.now + self.offsets.get(_current_host.get(), 0.0)

    def run_in_executor(
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Run a job after a while, and return its result after another; one at a time.

        A host that dies in between has done it, and never learns of it.
        """
        future: asyncio.Future[Any] = self.create_future()
        start = max(self.now, self._free_at.get(executor, 0.0))
        done = start + self.chance.uniform(0.0, self.slowest_job_s)
        self._free_at[executor] = done
        outcome: list[Any] = []

        def work() -> None:
            try:
                outcome.extend((future.set_result, func(*args)))
            except Exception as error:
                outcome.extend((future.set_exception, error))
            self.after_job()

        def finish() -> None:
            if not future.done():
                outcome[0](outcome[1])

        self.call_later((start + done) / 2 - self.now, work)
        self.call_later(done - self.now, finish)
        return future

    async def create_unix_server(
        self, protocol_factory: Any, path: Any = None, **_: Any
    ) -> asyncio.Server:
        """Listen at a path: over the network, from the host that listens there."""
        _touch(path)
        self._unix_hosts[str(path)] = _current_host.get()
        server: asyncio.Server = await self.create_server(protocol_factory, None, UNIX_PORT)
        return server

    async def create_unix_connection(
        self, protocol_factory: Any, path: Any = None, **_: Any
    ) -> Any:
        """Connect to a path: over the network, to the host that listened there last."""
        if str(path) not in self._unix_hosts:
            raise FileNotFoundError(path)
        return await self.create_connection(
            protocol_factory, self._unix_hosts[str(path)], UNIX_PORT
        )

    def kill(self, host: str, *, silently: bool) -> None:
        """End a process at once: no code of it runs any more, not even a `finally`.

        `silently`: as a power cut does; else its peers' connections are reset, as by `kill -9`.
        """
        net = self._net
        for key in [key for key in net._listeners if key[0] == host]:
            del net._listeners[key]
        for connection, pending in list(net._pending.items()):
            if pending.local[0] == host:
                del net._pending[connection]
        for key, transport in list(net._streams.items()):
            if key[1] == host:
                transport.set_protocol(asyncio.Protocol())
                if silently:
                    del net._streams[key]
                else:
                    transport.abort()
        net._alive[host] = not silently
        for _, _, handle, _ in self._ready:
            if handle.get_context().get(_current_host) == host:
                self._forget(handle)
        for _, _, _, timer, _ in self._timers:
            if timer.get_context().get(_current_host) == host:
                self._forget(timer)
        tasks = net._tasks[host]
        for task in tasks:
            task._log_destroy_pending = False
        self._gone.append(list(tasks))
        tasks.clear()

    def _forget(self, handle: Any) -> None:
        self._gone.append((handle._callback, handle._args))  # else it would be cleaned up now
        handle.cancel()

    def boot(self, host: str) -> None:
        """Switch a host on again after a power cut."""
        self._net._alive[host] = True

    def reset(self, host: str) -> None:
        """Reset all connections of a host, as a middlebox does."""
        for key, transport in list(self._net._streams.items()):
            if key[1] == host:
                transport.abort()


def _touch(path: Any) -> None:
    Path(path).touch()  # which the product gives to its user alone


class _NoRecorder:
    """The trace is taken at the clients; one of every callback takes a third of the time."""

    def record(self, *event: object) -> None:
        pass


class _OrderedSet(OrderedDict[Any, None]):
    """A set in the order of insertion: that of a `set` of objects follows their addresses."""

    def add(self, item: Any) -> None:
        self[item] = None

    def discard(self, item: Any) -> None:
        self.pop(item, None)

    def remove(self, item: Any) -> None:
        del self[item]


class _Datetime(datetime):
    @classmethod
    def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
        return datetime.fromtimestamp(_wall(), tz)

    @classmethod
    def fromtimestamp(cls, timestamp: float, tz: Any = None) -> datetime:  # type: ignore[override]
        return datetime.fromtimestamp(timestamp, tz)


def _monotonic() -> float:
    return _running.now if _running is not None else float(_REAL["monotonic"]())


def _wall() -> float:
    return _running.wall if _running is not None else float(_REAL["time"]())


def _urandom(size: int) -> bytes:
    return random.randbytes(size) if _running is not None else _real_urandom(size)


def replace_surroundings() -> None:
    """Replace clocks and chance for good; to be called before the product is imported."""
    module: Any = time
    module.monotonic = module.perf_counter = _monotonic
    module.monotonic_ns = lambda: int(_monotonic() * 1e9)
    module.clock_gettime_ns = lambda _clock: int(_monotonic() * 1e9)
    module.time = _wall
    module.time_ns = lambda: int(_wall() * 1e9)
    module = os
    module.urandom = _urandom
    module = random
    module._urandom = _urandom  # what `secrets` and `uuid` use
    module = uvicorn.server
    state = uvicorn.server.ServerState

    class OrderedState(state):  # type: ignore[valid-type, misc]
        def __init__(self) -> None:
            super().__init__()
            self.connections = _OrderedSet()
            self.tasks = _OrderedSet()

    module.ServerState = OrderedState
    write = _SimStreamTransport.write
    _SimStreamTransport.write = lambda self, data: (
        None if self.is_closing() else write(self, data)  # simloop raises, asyncio does not
    )
    module = ssl
    module.create_default_context = functools.cache(ssl.create_default_context)  # it reads files
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    sys.unraisablehook = lambda _: None  # what a killed process has left is cleaned up unheard


def replace_datetime(*modules: ModuleType) -> None:
    """Let modules read the simulated wall clock where they use `datetime.now`."""
    for module in modules:
        vars(module)["datetime"] = _Datetime


def live(seed: int, life: Callable[[SimulatedLoop], Coroutine[Any, Any, None]]) -> None:
    """Run one life. Raises: whatever it raises."""
    global _running
    logging.raiseExceptions = False
    loop = SimulatedLoop.of(seed)
    random.seed(f"{seed}:product")
    gc.disable()  # what is cleaned up when depends on the machine
    _running = loop
    try:
        loop.run_until_complete(life(loop))
    finally:
        for tasks in loop._net._tasks.values():
            for task in tasks:
                task._log_destroy_pending = False
        loop.close()
        _running = None
        gc.enable()


class Trace:
    """What the people of a life have seen and done, in order."""

    def __init__(self, loop: SimulatedLoop) -> None:
        self._loop = loop
        self.lines: list[str] = []

    def add(self, who: str, what: str) -> None:
        """Note something."""
        self.lines.append(f"{self._loop.now:9.4f} {who:<10} {what}")

    def digest(self) -> str:
        """Return a hash of everything."""
        return sha256("\n".join(self.lines).encode()).hexdigest()[:16]


def utc(seconds: float) -> datetime:
    """Return a time as the product has it."""
    return datetime.fromtimestamp(seconds, UTC)


def real_time() -> float:
    """Return the machine's own monotonic clock."""
    return float(_REAL["monotonic"]())
