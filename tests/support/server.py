"""A real uvicorn in the event loop of the test, on a free port of 127.0.0.1."""

import asyncio
import dataclasses
import math
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from random import SystemRandom
from typing import Any

import uvicorn
from litestar import Litestar

from adapters.phoenix.limits import ConnectionLimits, Connections
from adapters.phoenix.uvicorn_protocol import uvicorn_config

UNBUDGETED: dict[str, Any] = {"first_frames": math.inf, "max_burst_frames": math.inf}
"""For `running`: a client may send as many frames as it likes."""


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        self.stopping = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # they are pytest's

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except SystemExit as failed:  # uvicorn's reaction, which would end pytest
            raise RuntimeError("the application did not start; see its log") from failed
        self.ready.set()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self.stopping.wait()  # instead of polling every 0.1 s


@asynccontextmanager
async def running(
    app: Any, connections: Connections | None = None, *, port: int = 0, **settings: Any
) -> AsyncIterator[str]:
    """Serve `app` with the product's settings, and yield its address, as in `127.0.0.1:40123`.

    `settings`: those of `uvicorn_config`, and fields of `ConnectionLimits` that differ from those
    of `connections`. Sockets still open at the end are closed with 1012.
    """
    names = [field.name for field in dataclasses.fields(ConnectionLimits)]
    chosen = {name: settings.pop(name) for name in names if name in settings}
    state = app.state if isinstance(app, Litestar) else {}
    counted = connections or state.get("connections") or Connections()
    counted.limits = dataclasses.replace(counted.limits, **chosen)
    config = uvicorn_config(app, counted, log_config=None, **settings)
    async with serving(config, port=port) as address:
        yield address


@asynccontextmanager
async def serving(config: uvicorn.Config, *, port: int = 0) -> AsyncIterator[str]:
    """Serve an application as a configuration says, and yield its address."""
    server = _Server(config)
    with socket.create_server(("127.0.0.1", port), backlog=2048) as listener:
        # asyncio sets it only for sockets with an explicit protocol: without it a response on a
        # kept connection waits 40 ms for an acknowledgement.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        serving = asyncio.ensure_future(server.serve([listener]))
        ready = asyncio.ensure_future(server.ready.wait())
        await asyncio.wait({serving, ready}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        try:
            if not serving.done():
                yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.stopping.set()
            await serving


def free_port() -> int:
    """Return a free port, for two programs that must know of each other beforehand.

    It is below those that the system hands out, so that no other connection gets it in between.
    """
    for port in SystemRandom().sample(range(10_000, 32_000), 100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise OSError("no port is free")
