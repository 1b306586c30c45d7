"""A keeper of processes: it starts them, starts them again, replaces them, and ends them.

Each place has one process. If it dies, whatever its exit code, the place is filled again after a
pause, which grows while its processes keep dying. On request each process is replaced: a successor
is started beside it, and once that accepts connections, the former one leaves. A failure ends
everything only while the first processes start; later the others serve on.
"""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from domain.backoff import backoff
from domain.errors import Failure
from entrypoints.settings import BadSetting

logger = logging.getLogger(__name__)

ROOT = Path(__file__).parents[1]
LEAVE_LINE = b"leave\n"
"""Tells a process to accept no more connections, and to end once what is under way has ended."""
START_S = 60.0
"""The time in which a process accepts connections, or is killed; the first ones have no limit."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 30.0
"""The pauses before a place is filled again: each time twice as long as the last."""
STEADY_S = 60.0
"""After so long, the death of a process is the first of a new row."""


class WorkersFailed(Failure):
    """No worker could be started; the text says why."""


class StartReport(msgspec.Struct, frozen=True, kw_only=True):
    """How the start of a process went: the line that its parent gets, in JSON."""

    problem: str | None = None
    """None: it accepts connections."""
    is_bad_setting: bool = False


async def spawn(*command: str, assignment: bytes, descriptors: Sequence[int] = ()) -> "Process":
    """Start a process that inherits the descriptors.

    Its last argument is the descriptor of its line to this process, where it finds the assignment.
    Raises: OSError, RuntimeError: no descriptor, memory or thread is left for it.
    """
    ours, theirs = socket.socketpair()
    try:
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *(*command, str(theirs.fileno())),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=[theirs.fileno(), *descriptors],
                env={**os.environ, "PYTHONPATH": _python_path()},
                # A terminal's Ctrl+C is for the parent, which passes it on.
                start_new_session=True,
            )
        with suppress(ConnectionError):  # it has just ended
            ours.sendall(assignment)
    except BaseException:
        ours.close()
        raise
    ours.setblocking(False)
    return Process(process, ours)


def _python_path() -> str:
    others = os.environ.get("PYTHONPATH")
    return f"{ROOT}{os.pathsep}{others}" if others else str(ROOT)


class Process:
    """A running process, and the line to it."""

    def __init__(self, process: asyncio.subprocess.Process, line: socket.socket) -> None:
        self._process = process
        self._line = line
        self._began = asyncio.get_running_loop().time()
        self.report = asyncio.create_task(self._read_report())
        self.ended = asyncio.create_task(self._wait())
        """Its exit code."""

    @property
    def pid(self) -> int:
        """Its id."""
        return self._process.pid

    @property
    def age_s(self) -> float:
        """The time since its start."""
        return asyncio.get_running_loop().time() - self._began

    async def _read_report(self) -> StartReport:
        loop, text = asyncio.get_running_loop(), b""
        with suppress(ConnectionError, msgspec.MsgspecError):
            while received := await loop.sock_recv(self._line, 65_536):
                text += received
                if text.endswith(b"\n"):
                    return msgspec.json.decode(text, type=StartReport)
        return StartReport(problem="a worker ended before it was started")

    async def _wait(self) -> int:
        code = await self._process.wait()
        await self.report
        self._line.close()
        return code

    def leave(self) -> None:
        """Have it end, while others accept connections in its place."""
        with suppress(OSError):  # it has just ended
            self._line.send(LEAVE_LINE)

    def signal(self, number: int) -> None:
        """Send it a signal, if it still runs."""
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def end_within(self, seconds: float) -> None:
        """Wait for its end, and kill it if it takes longer."""
        await asyncio.wait([self.ended], timeout=seconds)
        if not self.ended.done():
            extra = {"action": "worker_killed", "pid": self.pid}
            logger.error("A worker did not end, and was killed", extra=extra)
            self.signal(signal.SIGKILL)
            await asyncio.wait([self.ended])


class Place:
    """The place of one process, which only its own methods fill, one at a time."""

    def __init__(
        self,
        spawn: Callable[[], Awaitable[Process]],
        *,
        end_s: float,
        start_s: float = START_S,
        fields: Mapping[str, object] | None = None,
    ) -> None:
        """`end_s`: the time in which a process must end; `fields`: the place's, in log lines."""
        self._spawn = spawn
        self._end_s = end_s
        self._start_s = start_s
        self.fields = fields or {}
        self._filling = asyncio.Lock()
        self._process: Process
        """The one that serves here, or has died here."""
        self._running: set[Process] = set()
        """Those that start or leave are among them."""
        self._has_ended = asyncio.Event()
        """Set when any of them has ended."""

    async def fill(self) -> None:
        """Start the first process. Raises: BadSetting, WorkersFailed."""
        self._process = await self._start(within_s=None)

    async def keep(self) -> None:
        """Fill the place again whenever its process has died, until cancelled."""
        failures = 0
        while True:
            await self._has_ended.wait()
            self._has_ended.clear()
            died = self._process
            if not died.ended.done():  # it was another one, which has left or could not start
                continue
            if died.age_s > STEADY_S:
                failures = 0
            cause: dict[str, object] = {"exit_code": died.ended.result()}
            while self._process is died:
                pause_s = backoff(failures, FIRST_PAUSE_S, LONGEST_PAUSE_S, jitter=1.0)
                failures += 1
                extra = {**self.fields, **cause, "action": "worker_died", "pause_s": pause_s}
                logger.error("A worker has died, and is started again", extra=extra)
                await asyncio.sleep(pause_s)
                try:
                    await self._fill_again(died)
                except (BadSetting, WorkersFailed) as error:
                    cause = {"problem": str(error)}

    async def _fill_again(self, died: Process) -> None:
        async with self._filling:
            if self._process is died:
                self._process = await self._start(self._start_s)

    async def replace(self) -> None:
        """Replace the process, which stays if no successor can be started; wait for its end.

        Raises: BadSetting, WorkersFailed.
        """
        async with self._filling:
            former, self._process = self._process, await self._start(self._start_s)
        former.leave()
        await former.end_within(self._end_s)

    async def _start(self, within_s: float | None) -> Process:
        """Return a process that accepts connections. Raises: BadSetting, WorkersFailed."""
        try:
            process = await self._spawn()
        except (OSError, RuntimeError) as error:
            raise WorkersFailed(f"a worker could not be started: {error}") from error
        self._running.add(process)
        process.ended.add_done_callback(lambda _: self._on_end(process))
        await asyncio.wait([process.report], timeout=within_s)
        if not process.report.done():
            report = StartReport(problem=f"a worker did not start within {within_s:g} s")
        else:
            report = process.report.result()
        if report.problem is not None:
            process.signal(signal.SIGKILL)
            await asyncio.wait([process.ended])
            raise (BadSetting if report.is_bad_setting else WorkersFailed)(report.problem)
        return process

    def _on_end(self, process: Process) -> None:
        self._running.discard(process)
        self._has_ended.set()

    async def end(self) -> None:
        """Drain its processes, and wait for their end."""
        for process in self._running:
            process.signal(signal.SIGTERM)
        await asyncio.gather(*(process.end_within(self._end_s) for process in self._running))

    def kill(self) -> None:
        """Kill its processes."""
        for process in self._running:
            process.signal(signal.SIGKILL)


class Keeper:
    """Fills places, keeps them filled, and empties them on SIGTERM, SIGINT or SIGHUP.

    SIGUSR2 replaces the processes of the servers' places one by one.
    """

    def __init__(
        self, servers: Sequence[Place], others: Sequence[Place], on_started: Callable[[], None]
    ) -> None:
        """`others`: they end after the servers, which may need them meanwhile.

        `on_started` is called once all processes accept connections.
        """
        self._servers = servers
        self._others = others
        self._places = [*servers, *others]
        self._on_started = on_started
        self._stopping = asyncio.Event()
        self._replacing = asyncio.Event()
        self._interrupts = 0

    async def run(self) -> None:
        """Return once all processes have ended. Raises: BadSetting, WorkersFailed."""
        self._handle_signals()
        tasks = [asyncio.create_task(self._fill()), asyncio.create_task(self._stopping.wait())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if tasks[0].done():
                tasks[0].result()
        except ExceptionGroup as group:
            error = group.exceptions[0]
            raise error from error.__cause__
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            for places in (self._servers, self._others):
                await asyncio.gather(*(place.end() for place in places))

    def _handle_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                loop.add_signal_handler(number, self._stopping.set)
        loop.add_signal_handler(signal.SIGINT, self._on_interrupt)
        loop.add_signal_handler(signal.SIGUSR2, self._replacing.set)

    def _on_interrupt(self) -> None:
        """Stop; at the second time, kill."""
        self._interrupts += 1
        self._stopping.set()
        if self._interrupts > 1:
            for place in self._places:
                place.kill()
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            signal.raise_signal(signal.SIGINT)

    async def _fill(self) -> None:
        """Fill all places at once, and keep them filled."""
        async with asyncio.TaskGroup() as starting:
            for place in self._places:
                starting.create_task(place.fill())
        self._on_started()
        async with asyncio.TaskGroup() as keeping:
            for place in self._places:
                keeping.create_task(place.keep())
            keeping.create_task(self._replace_on_request())

    async def _replace_on_request(self) -> None:
        while True:
            await self._replacing.wait()
            self._replacing.clear()
            logger.info("The workers are replaced", extra={"action": "workers_replaced"})
            await self._replace_all()

    async def _replace_all(self) -> None:
        for place in self._servers:
            try:
                await place.replace()
            except (BadSetting, WorkersFailed) as error:
                extra = {**place.fields, "action": "worker_not_replaced", "problem": str(error)}
                logger.error("A new worker could not start; the old ones stay", extra=extra)
                return
