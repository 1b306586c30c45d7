"""A TCP proxy before a server, whose connections can be cut, silenced, delayed and throttled."""

import asyncio
from contextlib import suppress
from typing import Self

CHUNK, MAX_CHUNKS = 64 * 1024, 16
"""What is read at a time; and how many of these wait before no more is read."""


class TcpProxy:
    """Passes bytes on to a port of this machine: `async with TcpProxy(port) as proxy:`."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self.port = 0
        self.delay_s = 0.0
        """Each chunk waits so long, in each direction."""
        self.bytes_per_s: float | None = None
        """The most that goes through a connection in each direction; None: all."""
        self.connections = 0
        """Those that were opened, ever."""
        self._passes = asyncio.Event()
        self._passes.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        tasks = self.cut()
        await asyncio.gather(*tasks, return_exceptions=True)

    def cut(self) -> list["asyncio.Task[None]"]:
        """End all connections; new ones are accepted. Returns the tasks that end."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        return tasks

    def half_open(self) -> None:
        """Pass nothing on any more, also of new connections; all of them stay open."""
        self._passes.clear()

    def heal(self) -> None:
        """Pass everything on again, what was held up included."""
        self._passes.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        upstream: asyncio.StreamWriter | None = None
        try:
            with suppress(OSError):
                from_server, upstream = await asyncio.open_connection(
                    "127.0.0.1", self._target_port
                )
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._pass_on(reader, upstream))
                    both.create_task(self._pass_on(from_server, writer))
        except* (asyncio.CancelledError, OSError):
            pass
        finally:
            self._tasks.discard(task)
            for end in (writer, upstream):
                if end is not None:
                    end.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on in one direction, each chunk after the delay, until the end; then end it all."""
        loop = asyncio.get_running_loop()
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(MAX_CHUNKS)

        async def write() -> None:
            while True:
                due, data = await waiting.get()
                await asyncio.sleep(max(0.0, due - loop.time()))
                await self._passes.wait()
                writer.write(data)
                await writer.drain()

        writing = asyncio.create_task(write())
        try:
            while data := await reader.read(CHUNK if self.bytes_per_s is None else 1024):
                await waiting.put((loop.time() + self.delay_s, data))
                if self.bytes_per_s is not None:
                    await asyncio.sleep(len(data) / self.bytes_per_s)
        finally:
            writing.cancel()
        raise ConnectionResetError
