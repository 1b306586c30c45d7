"""A keeper of processes that do at once what they are told to, where a worker takes longer."""

import asyncio
import errno
import logging
import os
import signal
import sys
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from entrypoints.keeper import Keeper, Place, Process, WorkersFailed, spawn
from entrypoints.settings import BadSetting

PROGRAM = """
import os, signal, socket, sys
line = socket.socket(fileno=int(sys.argv[-1]))
lines = line.makefile("rb")
kind, gate = lines.readline().split()
kind = kind.decode()
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
signal.signal(signal.SIGUSR1, lambda *_: sys.exit(3))
if kind == "dies":
    sys.exit(3)
if kind == "held":
    os.read(int(gate), 1)
if kind == "hangs":
    signal.pause()
if kind == "refuses":
    line.sendall(b'{"problem": "no store"}\\n')
elif kind == "misconfigured":
    line.sendall(b'{"problem": "STORE is bad", "is_bad_setting": true}\\n')
else:
    line.sendall(b"{}\\n")
lines.readline()  # that it is to leave, or that its parent has died
if kind == "stays":
    signal.pause()
"""
"""Serves until it is to leave, unless the assignment is another kind of process."""


class Site:
    """A place, and all processes that have been started in it."""

    def __init__(self, *kinds: str, end_s: float = 20.0, start_s: float = 20.0) -> None:
        """`kinds`: of the first processes; those that follow serve."""
        self._kinds = deque(kinds)
        self.processes: list[Process] = []
        self._started = asyncio.Condition()
        self.place = Place(self._spawn, end_s=end_s, start_s=start_s)

    async def _spawn(self) -> Process:
        kind = self._kinds.popleft() if self._kinds else "serves"
        if kind == "impossible":
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        command = (sys.executable, "-S", "-c", PROGRAM)
        gate, self._gate = os.pipe()
        assignment = f"{kind} {gate}\n".encode()
        process = await spawn(*command, assignment=assignment, descriptors=[gate])
        os.close(gate)
        if kind != "held":
            self.release()
        async with self._started:
            self.processes.append(process)
            self._started.notify_all()
        return process

    async def process(self, number: int) -> Process:
        """Return the process that is started as this one, counted from 1."""
        async with self._started:
            await self._started.wait_for(lambda: len(self.processes) >= number)
        return self.processes[number - 1]

    async def serving(self, number: int) -> Process:
        """Return the process that is started as this one, once it accepts connections."""
        process = await self.process(number)
        report = await asyncio.shield(process.report)
        assert report.problem is None
        return process

    def release(self) -> None:
        """Let the last process, which is held, go on to serve."""
        os.close(self._gate)

    @property
    def living(self) -> list[int]:
        """The numbers of the processes that run."""
        return [n for n, process in enumerate(self.processes, 1) if not process.ended.done()]


class Lines(logging.Handler):
    """The lines that are logged, as they come."""

    def __init__(self) -> None:
        super().__init__()
        self._records: asyncio.Queue[logging.LogRecord] = asyncio.Queue()

    def emit(self, record: logging.LogRecord) -> None:
        self._records.put_nowait(record)

    async def next(self, action: str) -> dict[str, Any]:
        """Return the fields of the next line with this action."""
        while True:
            fields = vars(await self._records.get())
            if fields["action"] == action:
                return fields


@pytest.fixture
async def lines() -> AsyncIterator[Lines]:
    """The log of the keeper."""
    logger, handler = logging.getLogger("entrypoints.keeper"), Lines()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler
    logger.removeHandler(handler)


def send(number: signal.Signals) -> None:
    """Send a signal to the keeper's process, which is this one."""
    os.kill(os.getpid(), number)


@asynccontextmanager
async def kept(*sites: Site) -> AsyncIterator[None]:
    """Run a keeper, which ends all its processes at last."""
    started = asyncio.Event()
    keeper = Keeper([site.place for site in sites], [], started.set)
    running = asyncio.create_task(keeper.run())
    await started.wait()
    yield
    assert not running.done()
    send(signal.SIGTERM)
    await running
    assert [site.living for site in sites] == [[] for _ in sites]


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 0), (signal.SIGUSR1, 3), (signal.SIGKILL, -9)],
    ids=["success", "failure", "signal"],
)
async def test_a_process_that_ends_by_itself_is_followed_by_another_whatever_its_exit_code(
    lines: Lines, number: signal.Signals, code: int
) -> None:
    site, other = Site(), Site()
    async with kept(site, other):
        (await site.serving(1)).signal(number)
        died = await lines.next("worker_died")
        await site.serving(2)

        assert died["exit_code"] == code
        assert (site.living, other.living) == ([2], [1])


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("impossible", "Too many open files"),
        ("dies", "ended before"),
        ("refuses", "no store"),
        ("hangs", "did not start within 1 s"),
    ],
)
async def test_a_process_that_cannot_be_started_again_is_tried_with_growing_pauses(
    lines: Lines, kind: str, problem: str
) -> None:
    site, other = Site("serves", kind, start_s=1.0), Site()
    async with kept(site, other):
        (await site.serving(1)).signal(signal.SIGKILL)
        deaths = [await lines.next("worker_died") for _ in range(2)]
        await site.serving(2 if kind == "impossible" else 3)

        assert [death["pause_s"] for death in deaths] == [0.2, 0.4]
        assert problem in deaths[1]["problem"]
        assert other.living == [1]
        assert len(site.living) == 1


@pytest.mark.parametrize(
    ("kind", "error", "problem"),
    [
        ("impossible", WorkersFailed, "Too many open files"),
        ("dies", WorkersFailed, "ended before"),
        ("refuses", WorkersFailed, "no store"),
        ("misconfigured", BadSetting, "STORE is bad"),
    ],
)
async def test_if_a_first_process_cannot_start_all_end_with_its_problem(
    kind: str, error: type[Exception], problem: str
) -> None:
    sites = [Site("hangs"), Site(kind), Site()]

    with pytest.raises(error, match=problem):
        await Keeper([site.place for site in sites], [], lambda: None).run()

    assert [site.living for site in sites] == [[], [], []]


async def test_a_process_that_dies_while_its_successor_starts_has_only_that_one(
    lines: Lines,
) -> None:
    site, other = Site("serves", "held"), Site()
    async with kept(site, other):
        send(signal.SIGUSR2)
        await site.process(2)
        (await site.serving(1)).signal(signal.SIGKILL)
        await lines.next("worker_died")
        (await other.serving(1)).signal(signal.SIGKILL)
        await other.serving(2)  # after a pause that began later, and is as long
        site.release()
        await other.serving(3)

        assert site.living == [2]
        assert len(site.processes) == 2


@pytest.mark.parametrize("kind", ["impossible", "dies", "refuses", "hangs"])
async def test_the_former_processes_stay_where_a_successor_does_not_start(
    lines: Lines, kind: str
) -> None:
    site, other = Site("serves", kind, start_s=1.0), Site()
    async with kept(site, other):
        send(signal.SIGUSR2)
        failed = await lines.next("worker_not_replaced")
        first = site.living, other.living
        send(signal.SIGUSR2)
        await other.serving(2)

        assert failed["levelno"] == logging.ERROR
        assert first == ([1], [1])
        assert 1 not in site.living


async def test_a_process_that_has_died_and_whose_successor_does_not_start_is_tried_again(
    lines: Lines,
) -> None:
    site = Site("serves", "held")
    async with kept(site):
        send(signal.SIGUSR2)
        successor = await site.process(2)
        (await site.serving(1)).signal(signal.SIGKILL)
        await lines.next("worker_died")
        successor.signal(signal.SIGKILL)
        site.release()
        await lines.next("worker_not_replaced")
        await site.serving(3)

        assert site.living == [3]


async def test_a_request_fills_a_place_at_once_that_waits_to_be_filled_again(lines: Lines) -> None:
    site, other = Site("serves", "refuses", "refuses"), Site()
    async with kept(site, other):
        (await site.serving(1)).signal(signal.SIGKILL)
        [*_, last] = [await lines.next("worker_died") for _ in range(3)]
        began = time.monotonic()
        send(signal.SIGUSR2)
        await site.process(4)
        took = time.monotonic() - began
        await other.serving(2)

        assert took < last["pause_s"] == 0.8
        assert site.living == [4]


async def test_requests_that_come_while_processes_are_replaced_are_one_more(lines: Lines) -> None:
    site, other = Site("serves", "held"), Site()
    async with kept(site, other):
        send(signal.SIGUSR2)
        await site.process(2)
        send(signal.SIGUSR2)
        send(signal.SIGUSR2)
        await asyncio.sleep(0)  # in which the signals arrive
        site.release()
        await other.serving(3)
        await asyncio.wait([other.processes[1].ended])

        assert (site.living, other.living) == ([3], [3])
        assert (len(site.processes), len(other.processes)) == (3, 3)


async def test_a_successor_that_dies_is_followed_by_another_while_the_former_still_leaves(
    lines: Lines,
) -> None:
    site = Site("stays")
    async with kept(site):
        send(signal.SIGUSR2)
        (await site.serving(2)).signal(signal.SIGKILL)
        await site.serving(3)

        assert site.living == [1, 3]


async def test_a_process_that_does_not_leave_is_killed_and_the_next_is_replaced(
    lines: Lines,
) -> None:
    site, other = Site("stays", end_s=0.1), Site()
    async with kept(site, other):
        send(signal.SIGUSR2)
        killed = await lines.next("worker_killed")
        await other.serving(2)

        assert killed["pid"] == site.processes[0].pid
        assert site.living == [2]


async def test_a_keeper_that_ends_while_a_successor_starts_leaves_no_process_behind(
    lines: Lines,
) -> None:
    site, other = Site("serves", "held"), Site()
    async with kept(site, other):
        send(signal.SIGUSR2)
        await site.process(2)
    site.release()

    assert (len(site.processes), len(other.processes)) == (2, 1)


async def test_a_keeper_that_ends_while_a_process_leaves_waits_for_it(lines: Lines) -> None:
    site, other = Site("stays"), Site()
    async with kept(site, other):
        send(signal.SIGUSR2)
        await site.serving(2)

    assert (len(site.processes), len(other.processes)) == (2, 1)
