"""A background loop: its pauses, and the log of its errors."""

import asyncio
import logging
import signal
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from domain.errors import StorageUnavailable, StoreMigrated
from entrypoints.supervision import forever
from tests.support.clock import VirtualClock, settle


class Work:
    """Returns or raises the outcomes one after the other, and then pauses for an hour."""

    def __init__(self, *outcomes: float | Exception) -> None:
        self.outcomes = deque(outcomes)
        self.runs = 0

    async def __call__(self) -> float:
        self.runs += 1
        outcome = self.outcomes.popleft() if self.outcomes else 3600.0
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


@asynccontextmanager
async def looping(work: Work, clock: VirtualClock) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(
        forever("sweep", work, clock, failed_pause_s=2.0, crashed_pause_s=7.0)
    )
    await settle()
    yield task
    task.cancel()
    await asyncio.wait({task})


async def test_the_work_is_repeated_after_the_pause_that_it_returns() -> None:
    clock, work = VirtualClock(), Work(1.0, 0.0)
    async with looping(work, clock):
        before = work.runs

        await clock.advance(0.999)
        just_before = work.runs
        await clock.advance(0.001)

        assert (before, just_before, work.runs) == (1, 1, 3)


@pytest.mark.parametrize(
    ("error", "pause_s", "action", "level"),
    [
        (StorageUnavailable(), 2.0, "sweep_failed", logging.WARNING),
        (ValueError("bad"), 7.0, "sweep_crashed", logging.ERROR),
    ],
)
async def test_an_error_is_logged_and_the_work_repeated_after_the_pause_for_its_kind(
    error: Exception,
    pause_s: float,
    action: str,
    level: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, work = VirtualClock(), Work(error)
    async with looping(work, clock):
        await clock.advance(pause_s - 0.001)
        before = work.runs
        await clock.advance(0.001)

        assert (before, work.runs) == (1, 2)
    [record] = caplog.records
    assert (record.__dict__["action"], record.levelno) == (action, level)
    assert record.exc_info is not None
    assert record.exc_info[1] is error


async def test_the_loop_ends_when_it_is_cancelled() -> None:
    async with looping(Work(), VirtualClock()) as task:
        task.cancel()
        await settle()

        assert task.cancelled()


async def test_a_store_of_a_later_version_stops_the_process_with_one_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    try:
        clock, error = VirtualClock(), StoreMigrated("conversations.sqlite3 has version 99")
        async with looping(Work(error), clock) as sweep, looping(Work(error), clock) as delivery:
            await stopped.wait()
            await settle()

            assert sweep.done()
            assert delivery.done()
    finally:
        loop.remove_signal_handler(signal.SIGTERM)

    assert [record.levelname for record in caplog.records] == ["CRITICAL"]
    assert caplog.records[0].__dict__["action"] == "store_migrated"
