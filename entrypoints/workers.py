"""The parent of the workers: binds the addresses, and starts, restarts and stops the processes.

It imports no framework: it serves nothing itself. A worker is a fresh interpreter
(`entrypoints.worker`) that inherits the listening sockets, so that no connection is refused while
workers come and go. Each has one of its own, over which the system spreads the connections evenly;
what one leaves waiting there, since it hangs or has died, the others accept. Over a pair of sockets
it gets what it is to run, and reports how that went; when that closes, the parent has died, and the
worker ends.
"""

import asyncio
import itertools
import logging
import os
import shutil
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from secrets import token_hex
from tempfile import mkdtemp
from typing import Any, Literal

import msgspec

from domain.errors import Failure
from entrypoints.access.descriptors import descriptors_needed, raise_descriptor_limit
from entrypoints.programs import (
    Program,
    check_descriptors,
    joined,
    listen,
    log_end,
    log_start,
    url_of,
)
from entrypoints.settings import BadSetting, share_of
from entrypoints.worker_folder import Worker, WorkerFolder

logger = logging.getLogger(__name__)

ROOT = Path(__file__).parents[1]
LEAVE_LINE = b"leave\n"
"""Tells a worker to accept no more connections, and to end once what is under way has ended."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 30.0
"""The pauses before a worker that died is started again: each time twice as long as the last."""
STEADY_S = 60.0
"""After so long, the death of a worker is the first of a new row."""
LATEST_END_S = 20.0
"""The time for the end of a process beyond its drain and its last turns."""


class WorkersFailed(Failure):
    """No worker could be started; the text says why."""


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """What a process is to run: the first line that it gets from its parent, in JSON."""

    program: Literal["server", "bridge"]
    settings: dict[str, Any]
    listener: int
    """The descriptor of its listening socket."""
    others: tuple[int, ...]
    """Those of the other workers' listening sockets."""
    worker: Worker | None
    """None: the only process of its program."""


class StartReport(msgspec.Struct, frozen=True, kw_only=True):
    """How the start of a process went: the line that its parent gets, in JSON."""

    problem: str | None = None
    """None: it accepts connections."""
    is_bad_setting: bool = False


def run_workers(
    count: int,
    *programs: Program,
    on_listening: Callable[[Sequence[str]], None] = lambda urls: None,
) -> None:
    """Run `count` processes of the server, and one of the bridge if it is among the programs.

    Signals and `on_listening` are as for `run_programs`; SIGUSR2 replaces the workers one by one.
    Raises: CannotListen, BadSetting, WorkersFailed.
    """
    with ExitStack() as stack:
        counts = [count if program.name == "server" else 1 for program in programs]
        listeners = [listen(program, n) for program, n in zip(programs, counts, strict=True)]
        for listener in itertools.chain(*listeners):
            stack.enter_context(listener)
        urls = [url_of(program, own[0]) for program, own in zip(programs, listeners, strict=True)]
        folder = mkdtemp(prefix="ai-agent-server-")
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        shared = [_shared_out(program, count) for program in joined(programs, urls)]
        # The limit is inherited.
        descriptors = raise_descriptor_limit(max(descriptors_needed(p.settings) for p in shared))

        def on_started() -> None:
            for program, url in zip(programs, urls, strict=True):
                more = {"workers": count} if program.name == "server" else {}
                log_start(program, url, **more)
            check_descriptors(shared, descriptors)
            on_listening(urls)

        slots = [
            _Slot(program, own, folder, number)
            for program, own in zip(shared, listeners, strict=True)
            for number in range(1, len(own) + 1)
        ]
        uses_switch = any(program.settings.broker == "local" for program in shared)
        switch = WorkerFolder(folder).switch if uses_switch else None
        asyncio.run(_run(_Parent(slots, on_started), switch))
    for program in programs:
        log_end(program)


def _shared_out(program: Program, count: int) -> Program:
    if program.name == "bridge":
        return program
    return Program("server", share_of(program.settings, count))


async def _run(parent: "_Parent", switch: str | None) -> None:
    if switch is None:
        await parent.run()
        return
    from adapters.broker.local import LocalSwitch

    async with LocalSwitch(switch):
        await parent.run()


class _Process:
    """A running process, and the line to it."""

    def __init__(
        self, process: asyncio.subprocess.Process, line: socket.socket, worker: Worker | None
    ) -> None:
        self._process = process
        self._line = line
        self._worker = worker
        self.report = asyncio.create_task(self._read_report())
        """Its report; None: it has ended without one."""
        self.ended = asyncio.create_task(self._wait())
        """Its exit code."""

    @property
    def pid(self) -> int:
        """Its id."""
        return self._process.pid

    async def _read_report(self) -> StartReport | None:
        loop, text = asyncio.get_running_loop(), b""
        with suppress(ConnectionError):
            while not text.endswith(b"\n"):
                received = await loop.sock_recv(self._line, 65_536)
                if not received:
                    return None
                text += received
            return msgspec.json.decode(text, type=StartReport)
        return None

    async def _wait(self) -> int:
        code = await self._process.wait()
        await self.report
        self._line.close()
        if self._worker is not None:
            WorkerFolder(self._worker.folder).retire(self._worker.name)
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
            await self.ended


class _Slot:
    """The place of one process of a program, which is filled again when the process has died."""

    def __init__(
        self, program: Program, listeners: Sequence[socket.socket], folder: str, number: int
    ) -> None:
        """`listeners`: those of all processes of the program; `number`: from 1 on."""
        self.program = program
        self._descriptors = [listener.fileno() for listener in listeners]
        self._folder = folder
        self._number = number
        self.process: _Process | None = None
        settings = program.settings
        self.drain_s = settings.drain_s + settings.turn_timeout_s + LATEST_END_S

    @property
    def fields(self) -> dict[str, object]:
        """Its fields in log lines."""
        if self.program.name == "bridge":
            return {"program": "bridge"}
        return {"worker": self._number}

    async def spawn(self) -> _Process:
        """Start a process."""
        worker = None
        if self.program.name == "server":
            worker = Worker(
                number=self._number,
                wanted=len(self._descriptors),
                name=f"{self._number}-{token_hex(4)}",
                folder=self._folder,
            )
        own = self._descriptors[self._number - 1]
        assignment = Assignment(
            program=self.program.name,
            settings=msgspec.structs.asdict(self.program.settings),
            listener=own,
            others=tuple(other for other in self._descriptors if other != own),
            worker=worker,
        )
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "entrypoints.worker", str(theirs.fileno())),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=[theirs.fileno(), *self._descriptors],
                env={**os.environ, "PYTHONPATH": _python_path()},
                # A terminal's Ctrl+C is for the parent, which passes it on.
                start_new_session=True,
            )
        ours.sendall(msgspec.json.encode(assignment) + b"\n")
        ours.setblocking(False)
        return _Process(process, ours, worker)

    async def end(self) -> None:
        """Drain its process, and wait for the end."""
        if self.process is not None:
            self.process.signal(signal.SIGTERM)
            await self.process.end_within(self.drain_s)


def _python_path() -> str:
    others = os.environ.get("PYTHONPATH")
    return f"{ROOT}{os.pathsep}{others}" if others else str(ROOT)


class _Parent:
    """Fills the slots, keeps them filled, and empties them on a signal."""

    def __init__(self, slots: Sequence[_Slot], on_started: Callable[[], None]) -> None:
        self._slots = slots
        self._on_started = on_started
        self._stopping = asyncio.Event()
        self._roll = asyncio.Event()
        self._interrupts = 0

    async def run(self) -> None:
        """Return once all processes have ended. Raises: BadSetting, WorkersFailed."""
        self._handle_signals()
        try:
            await self._start_all()
            if not self._stopping.is_set():
                self._on_started()
                tasks = [asyncio.create_task(self._keep(slot)) for slot in self._slots]
                tasks.append(asyncio.create_task(self._replace_on_request()))
                await self._stopping.wait()
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)
        finally:
            await self._stop_all()

    def _handle_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                loop.add_signal_handler(number, self._stopping.set)
        loop.add_signal_handler(signal.SIGINT, self._on_interrupt)
        loop.add_signal_handler(signal.SIGUSR2, self._roll.set)

    def _on_interrupt(self) -> None:
        """Stop; at the second time, kill."""
        self._interrupts += 1
        self._stopping.set()
        if self._interrupts > 1:
            for slot in self._slots:
                if slot.process is not None:
                    slot.process.signal(signal.SIGKILL)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            signal.raise_signal(signal.SIGINT)

    async def _start_all(self) -> None:
        """Start all processes at once, and wait for their reports."""
        for slot in self._slots:
            slot.process = await slot.spawn()
        stopping = asyncio.create_task(self._stopping.wait())
        reports = {slot.process.report for slot in self._slots if slot.process is not None}
        waiting: set[asyncio.Task[Any]] = {stopping, *reports}
        while waiting > {stopping}:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done & reports:
                _check(task.result())
            if stopping in done:
                return
        stopping.cancel()

    async def _keep(self, slot: _Slot) -> None:
        """Start a process again when it has died."""
        pause_s, clock = FIRST_PAUSE_S, asyncio.get_running_loop().time
        while True:
            process, began = slot.process, clock()
            assert process is not None
            await asyncio.wait([process.ended])  # which this task's own end does not cancel
            if slot.process is not process:  # replaced
                continue
            code = process.ended.result()
            if code == 0:  # on purpose: a later version has migrated the store
                self._stopping.set()
                return
            if clock() - began > STEADY_S:
                pause_s = FIRST_PAUSE_S
            report = process.report.result()
            extra = {**slot.fields, "action": "worker_died", "exit_code": code, "pause_s": pause_s}
            if report is not None and report.problem is not None:
                extra["problem"] = report.problem
            logger.error("A worker has died, and is started again", extra=extra)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            slot.process = await slot.spawn()

    async def _replace_on_request(self) -> None:
        while True:
            await self._roll.wait()
            self._roll.clear()
            await self._replace_all()

    async def _replace_all(self) -> None:
        """Replace the workers one by one, each once its successor accepts connections."""
        logger.info("The workers are replaced", extra={"action": "workers_replaced"})
        for slot in self._slots:
            former = slot.process
            if slot.program.name != "server" or former is None or former.ended.done():
                continue  # one that has died is started anew anyway
            successor = await slot.spawn()
            await asyncio.wait([successor.report])
            report = successor.report.result()
            if report is None or report.problem is not None:
                extra = {
                    **slot.fields,
                    "action": "worker_not_replaced",
                    "problem": report.problem if report is not None else "it died",
                }
                logger.error("A new worker could not start; the old ones stay", extra=extra)
                return
            slot.process = successor
            former.leave()
            await former.end_within(slot.drain_s)

    async def _stop_all(self) -> None:
        """Drain all processes, the server's before the bridge, which they may need meanwhile."""
        for name in ("server", "bridge"):
            slots = [slot for slot in self._slots if slot.program.name == name]
            await asyncio.gather(*(slot.end() for slot in slots))


def _check(report: StartReport | None) -> None:
    """Raise what has kept a process from starting. Raises: BadSetting, WorkersFailed."""
    if report is None:
        raise WorkersFailed("a worker ended before it was started")
    if report.problem is not None:
        raise (BadSetting if report.is_bad_setting else WorkersFailed)(report.problem)
