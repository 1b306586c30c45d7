"""A log handler whose caller never waits for whoever reads the log."""

import logging
import os
import select
from contextlib import suppress
from queue import SimpleQueue
from threading import Event, Thread
from typing import TextIO

MAX_WAITING_CHARS = 4 * 1024 * 1024
"""The most text that waits to be written; past it lines are dropped until half of it is written."""
LOG_FLUSH_S = 2.0
"""The longest that the end of the process waits for the rest to be written."""


class QueuedHandler(logging.Handler):
    """Formats records at once, and writes their lines in a thread of its own.

    Where the reader of the stream is slower than the log, lines are dropped and counted, and one
    line says how many. The standard library's QueueHandler and QueueListener would write to the
    full stream about it, and wait without limit at the end.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._descriptor: int | None = None
        with suppress(OSError, AttributeError):  # a stream in memory has none
            self._descriptor = stream.fileno()
        self._queue: SimpleQueue[str | Event | None] = SimpleQueue()
        # Each number grows in one thread only, so none needs a lock; a handler's own lock is held
        # in `emit`.
        self._queued = self._written = 0
        self._refused = self._failed = self._reported = 0
        self._is_full = False
        self._thread = Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """The number of lines that were not written."""
        return self._refused + self._failed

    def emit(self, record: logging.LogRecord) -> None:
        if self._is_full and self._waiting > MAX_WAITING_CHARS // 2:
            self._refused += 1
            return
        try:
            line = f"{self.format(record)}\n"
        except Exception:
            self.handleError(record)
            return
        self._is_full = self._waiting + len(line) > MAX_WAITING_CHARS
        if self._is_full:
            self._refused += 1
        else:
            self._queued += len(line)
            self._queue.put(line)

    def handleError(self, record: logging.LogRecord) -> None:
        """Count a record that cannot be formatted: the inherited method writes to stderr itself."""
        self._refused += 1

    def flush(self) -> None:
        """Return once all lines are written, or after LOG_FLUSH_S."""
        if self._thread.is_alive():  # not in a process that was forked
            self._queue.put(written := Event())
            written.wait(LOG_FLUSH_S)

    def close(self) -> None:
        self.flush()
        self._queue.put(None)
        super().close()

    @property
    def _waiting(self) -> int:
        return self._queued - self._written

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            if isinstance(item, Event):
                item.set()
                continue
            is_written = self._write(item)
            self._written += len(item)
            if not is_written:
                self._failed += 1
            elif self.dropped > self._reported and self._waiting <= MAX_WAITING_CHARS // 2:
                self._report()

    def _report(self) -> None:
        """Write a line about those that were dropped since the last such line."""
        dropped = self.dropped
        record = logging.makeLogRecord(
            {
                "name": __name__,
                "levelno": logging.WARNING,
                "levelname": "WARNING",
                "msg": "The log was not read fast enough, and lines were dropped",
                "action": "log_lines_dropped",
                "lines": dropped - self._reported,
            }
        )
        if self._write(f"{self.format(record)}\n"):
            self._reported = dropped

    def _write(self, line: str) -> bool:
        try:
            if self._descriptor is None:
                self._stream.write(line)
                self._stream.flush()
            else:
                self._write_bytes(self._descriptor, line)
        except Exception:  # whatever it is, later lines may be written
            return False
        return True

    def _write_bytes(self, descriptor: int, line: str) -> None:
        # Past the stream's buffer: its lock, held while this waits, would stop the interpreter's
        # end, which flushes it.
        left = line.encode(self._stream.encoding or "utf-8", "backslashreplace")
        while left:
            try:
                left = left[os.write(descriptor, left) :]
            except BlockingIOError:
                select.select([], [descriptor], [])
