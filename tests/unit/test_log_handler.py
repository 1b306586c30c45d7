"""The log's handler: nobody waits for whoever reads the log."""

import io
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import TextIO

import pytest

from adapters.prometheus import Metrics
from entrypoints import log_handler
from entrypoints.log_handler import QueuedHandler
from entrypoints.logs import ConsoleFormatter, dropped_lines

PIPE_BYTES = 64 * 1024
LINES = 2_000
LONG = "x" * 500

PROGRAM = """
import asyncio, logging, sys, time
from entrypoints import log_handler
from entrypoints.logs import configure
log_handler.MAX_WAITING_CHARS = 100_000
configure("debug", "json")
logger = logging.getLogger("entrypoints.test")

async def main():
    began = time.monotonic()
    for number in range(2_000):
        logger.warning("x" * 500)
        await asyncio.sleep(0)
    print(time.monotonic() - began < 30, flush=True)

asyncio.run(main())
"""


class Pipe:
    """A pipe whose reader reads only when the test does."""

    def __init__(self) -> None:
        reader, writer = os.pipe()
        self._reader = os.fdopen(reader, encoding="utf-8")
        self.writer: TextIO = os.fdopen(writer, "w", encoding="utf-8")

    def read(self, lines: int) -> list[str]:
        """Return the next lines."""
        return [self._reader.readline() for _ in range(lines)]

    def read_until(self, part: str) -> str:
        """Return the first line that contains `part`."""
        return next(line for line in self._reader if part in line)

    def read_reports(self, dropped: int) -> None:
        """Read until the lines about dropped ones have told of so many."""
        while dropped:
            dropped -= int(self.read_until("lines were dropped").rpartition("lines=")[2])

    def close_reader(self) -> None:
        self._reader.close()

    def close(self) -> None:
        self._reader.close()
        self.writer.close()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.close()


@pytest.fixture
def handler(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> Iterator[QueuedHandler]:
    monkeypatch.setattr(log_handler, "MAX_WAITING_CHARS", 100_000)
    monkeypatch.setattr(log_handler, "LOG_FLUSH_S", 0.05)
    handler = QueuedHandler(pipe.writer)
    handler.setFormatter(ConsoleFormatter())
    yield handler
    pipe.close_reader()  # what still waits for it fails
    handler.close()


def log(handler: logging.Handler, text: str) -> None:
    """Log a line."""
    record = logging.makeLogRecord(
        {"name": "entrypoints.test", "levelno": logging.WARNING, "levelname": "WARNING"}
    )
    record.msg = text
    handler.handle(record)


def test_lines_are_written_in_order(handler: QueuedHandler, pipe: Pipe) -> None:
    for number in range(100):
        log(handler, f"ținut {number}")

    written = pipe.read(100)

    assert [line.rpartition(": ")[2].strip() for line in written] == [
        f"ținut {number}" for number in range(100)
    ]
    assert handler.dropped == 0


def test_a_pipe_that_nobody_reads_stops_nobody_and_what_does_not_fit_is_counted(
    handler: QueuedHandler, pipe: Pipe
) -> None:
    for _ in range(LINES):
        log(handler, LONG)

    fits = (PIPE_BYTES + log_handler.MAX_WAITING_CHARS) // len(LONG)
    assert LINES - fits <= handler.dropped < LINES


def test_a_line_says_how_many_were_dropped_once_the_log_goes_on(
    handler: QueuedHandler, pipe: Pipe
) -> None:
    for _ in range(LINES):
        log(handler, LONG)
    dropped = handler.dropped

    pipe.read_reports(dropped)  # returns: all are told of

    log(handler, "after")
    assert pipe.read_until("after").endswith("after\n")
    assert handler.dropped == dropped


def test_after_a_flood_the_log_is_as_before(handler: QueuedHandler, pipe: Pipe) -> None:
    for flood in range(3):
        before = handler.dropped
        for _ in range(LINES):
            log(handler, LONG)
        pipe.read_reports(handler.dropped - before)
        log(handler, f"after {flood}")
        assert pipe.read_until(f"after {flood}")


def test_a_line_longer_than_the_queue_is_dropped_alone(handler: QueuedHandler, pipe: Pipe) -> None:
    log(handler, "x" * log_handler.MAX_WAITING_CHARS)
    log(handler, "short")

    assert pipe.read(1)[0].endswith("short\n")
    assert handler.dropped == 1


def test_the_end_waits_for_the_rest_but_not_for_a_reader_that_is_not_there(
    handler: QueuedHandler, pipe: Pipe
) -> None:
    for _ in range(LINES):
        log(handler, LONG)

    handler.flush()  # returns


def test_a_flush_returns_when_all_is_written() -> None:
    stream = io.StringIO()
    handler = QueuedHandler(stream)
    for _ in range(100):
        log(handler, "a line")
    handler.flush()

    assert stream.getvalue().count("a line") == 100
    handler.close()


def test_a_reader_that_has_gone_away_ends_no_thread(handler: QueuedHandler, pipe: Pipe) -> None:
    pipe.close_reader()
    log(handler, "to nobody")
    handler.flush()

    assert handler.dropped == 1
    assert handler._thread.is_alive()


def test_a_line_that_cannot_be_formatted_is_counted_and_the_next_is_written(
    handler: QueuedHandler, pipe: Pipe
) -> None:
    class Unprintable:
        def __str__(self) -> str:
            raise ValueError

    record = logging.makeLogRecord({"name": "entrypoints.test", "msg": Unprintable()})
    handler.handle(record)
    log(handler, "next")

    assert pipe.read(1)[0].endswith("next\n")
    assert handler.dropped == 1


def test_threads_that_log_at_once_lose_and_mix_no_lines(handler: QueuedHandler, pipe: Pipe) -> None:
    def work(name: int) -> None:
        for number in range(50):
            log(handler, f"{name}-{number}")

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    written = {line.rpartition(": ")[2].strip() for line in pipe.read(200)}
    assert written == {f"{name}-{number}" for name in range(4) for number in range(50)}


def test_a_descriptor_that_is_not_blocking_loses_nothing(
    handler: QueuedHandler, pipe: Pipe
) -> None:
    os.set_blocking(pipe.writer.fileno(), False)
    for _ in range(300):
        log(handler, LONG)

    assert len(pipe.read(300 - handler.dropped)) == 300 - handler.dropped


def test_the_dropped_lines_are_a_metric(handler: QueuedHandler, pipe: Pipe) -> None:
    logging.getLogger().addHandler(handler)
    try:
        log(handler, "x" * log_handler.MAX_WAITING_CHARS)
        exposition = Metrics(dropped_lines=dropped_lines).text().decode()
    finally:
        logging.getLogger().removeHandler(handler)

    assert "ai_agent_log_lines_dropped_total 1.0" in exposition.splitlines()


def test_a_process_whose_log_nobody_reads_works_and_ends() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        worked = process.stdout.readline()
        code = process.wait(60)

    assert worked == b"True\n"
    assert code == 0
