"""The check that no log contains a secret or what users wrote.

Whatever goes through `tests.support.user`, and every secret that a process of the suite is started
with, is remembered by `keep` for as long as the test runs; the log of each server, in this process
or in its own, is held against it.
"""

import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from entrypoints.logs import OWN_PACKAGES, ConsoleFormatter, JsonFormatter, is_logged

_PRIVATE = ("message", "summary", "token")
_SECRET_NAMES = ("TOKEN", "SECRET", "KEY")
# A JSON web token begins so; and so do the suite's secrets call themselves, one way or another.
_TELLTALE = re.compile(r"eyJ[\w-]{10}|(?<![a-z_])s[e3]cret(?![a-z_])", re.IGNORECASE)

_kept: set[str] = set()


def keep(*texts: object) -> None:
    """Remember texts that no log may contain, except those that may occur by chance."""
    for text in texts:
        if isinstance(text, str) and (len(text) >= 12 or (len(text) >= 5 and not text.isascii())):
            _kept.add(text)


def keep_payload(payload: Mapping[str, object]) -> None:
    """Keep the private fields of a user's payload."""
    keep(*(payload.get(field) for field in _PRIVATE))


def keep_environment(environment: Mapping[str, str]) -> None:
    """Keep the secrets that a process is started with."""
    keep(*(value for name, value in environment.items() if name.endswith(_SECRET_NAMES)))


def leaks(lines: Iterable[str]) -> list[str]:
    """Return the lines of a log, in either format, that contain what they must not."""
    return [line for line in map(_readable, lines) if _tells(line)]


def _tells(line: str) -> bool:
    return _TELLTALE.search(line) is not None or any(text in line for text in _kept)


def _readable(line: str) -> str:
    try:
        return json.dumps(json.loads(line), ensure_ascii=False)
    except ValueError:
        return line


class _Recorder(logging.Handler):
    """A handler that records all log lines in both formats."""

    def __init__(self) -> None:
        super().__init__()
        self.addFilter(is_logged)
        self.lines: list[str] = []
        self._formatters = (ConsoleFormatter(), JsonFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.extend(formatter.format(record) for formatter in self._formatters)


@contextmanager
def discreet() -> Iterator[None]:
    """Fail if this process logs anything that is kept, at any level."""
    recorder, root = _Recorder(), logging.getLogger()
    loggers = {logging.getLogger(name): logging.getLogger(name).level for name in OWN_PACKAGES}
    _kept.clear()
    root.addHandler(recorder)
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.removeHandler(recorder)
        for logger, level in loggers.items():
            logger.setLevel(level)
    assert leaks(recorder.lines) == []
