"""The log: one line per event on stderr, for people or for machines.

A line is a constant sentence; variable data is in `extra={"action": …}`. No line has the text of a
message, a token or the query of a URL, whatever the caller logs: a library's message is cut before
the first place where data may be formatted in, and of an exception the log has the traceback and
the type, but only those texts that are written here or by the operating system.
"""

import json
import logging
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Literal

from adapters.urls import without_secrets
from domain.errors import AssistantFailed, BridgeUnavailable, StorageUnavailable
from entrypoints.log_handler import QueuedHandler

OWN_PACKAGES = ("adapters", "entrypoints")
"""The packages of this program that log."""
MAX_CHAIN = 20
"""The most exceptions of one chain that are logged."""

# Whatever else `vars(record)` holds came in through `extra`.
_RECORD_FIELDS = {*vars(logging.makeLogRecord({})), "message", "asctime"}
# Not `BridgeRefused`: it quotes the bridge, which may quote the user.
_WITH_SAFE_TEXT = (AssistantFailed, BridgeUnavailable, StorageUnavailable, OSError)
_CONSTANT = re.compile(r"""[^\n\r(<{\["'=]*""")


def configure(level: str, style: Literal["console", "json"], **fields: object) -> None:
    """Log our own events from `level` up, and those of libraries from warnings up.

    `fields`: what every line has beside its own.

    Below that, libraries log what must not be in a log: URLs with a query, requests with bodies.
    """
    lowest = logging.getLevelNamesMapping()[level.upper()]
    handler = QueuedHandler(sys.stderr)
    formatter = JsonFormatter if style == "json" else ConsoleFormatter
    handler.setFormatter(formatter(fields))
    handler.addFilter(is_logged)
    logging.basicConfig(level=max(lowest, logging.WARNING), handlers=[handler], force=True)
    for package in OWN_PACKAGES:
        logging.getLogger(package).setLevel(lowest)


@contextmanager
def trace_ids(current: Callable[[], str | None]) -> Iterator[None]:
    """Name the trace in the lines that are logged meanwhile; `current`: returns it, or None."""

    def name_trace(record: logging.LogRecord) -> bool:
        if _is_ours(record) and (trace_id := current()) is not None:
            record.trace_id = trace_id
        return True

    handlers = list(logging.getLogger().handlers)
    for handler in handlers:
        handler.addFilter(name_trace)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(name_trace)


def dropped_lines() -> int:
    """Return the number of log lines that this process could not write."""
    handlers = logging.getLogger().handlers
    return sum(handler.dropped for handler in handlers if isinstance(handler, QueuedHandler))


def is_logged(record: logging.LogRecord) -> bool:
    """Return whether a record is ours, or a warning: OPENAI_LOG sets a library's own level."""
    return record.levelno >= logging.WARNING or _is_ours(record)


class _Formatter(logging.Formatter):
    """Formats a line with some fields that are the same in all."""

    def __init__(self, fields: Mapping[str, object] = MappingProxyType({})) -> None:
        super().__init__()
        self._fields = fields


class ConsoleFormatter(_Formatter):
    """`12:00:00 INFO entrypoints.serve: The server listens action=server_started store=sqlite`"""

    def format(self, record: logging.LogRecord) -> str:
        at = self.formatTime(record, "%H:%M:%S")
        pairs = [
            f" {key}={_one_word(value)}"
            for key, value in {**_extras(record), **self._fields}.items()
        ]
        line = f"{at} {record.levelname} {record.name}: {_sentence(record)}{''.join(pairs)}"
        error = _exception(record)
        return without_secrets(line if error is None else f"{line}\n{format_exception(error)}")


class JsonFormatter(_Formatter):
    """`{"time", "level", "logger", "message"}`, the extras, and `exception` if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {
            **_extras(record),
            **self._fields,
            "time": at.removesuffix("+00:00") + "Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _sentence(record),
        }
        error = _exception(record)
        if error is not None:
            line["exception"] = format_exception(error)
        return without_secrets(json.dumps(line, default=str))


def format_exception(error: BaseException) -> str:
    """Format the tracebacks of an exception and of its causes, the first cause first.

    As Python does, without the texts of exceptions that may quote a message.
    """
    return "\n\n".join(_tracebacks(error, set()))


def _tracebacks(error: BaseException, formatted: set[int]) -> Iterator[str]:
    formatted.add(id(error))
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    parts = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    for other in (cause, *parts):
        if other is not None and id(other) not in formatted and len(formatted) < MAX_CHAIN:
            yield from _tracebacks(other, formatted)
    lines = traceback.format_tb(error.__traceback__)
    head = "Traceback (most recent call last):\n" if lines else ""
    yield head + "".join(lines) + _name_and_text(error)


def _name_and_text(error: BaseException) -> str:
    kind = type(error)
    name = (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )
    text = str(error) if isinstance(error, _WITH_SAFE_TEXT) else ""
    return f"{name}: {text if text.isprintable() else repr(text)}" if text else name


def _exception(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if record.exc_info else None


def _is_ours(record: logging.LogRecord) -> bool:
    return record.name.partition(".")[0] in OWN_PACKAGES


def _sentence(record: logging.LogRecord) -> str:
    """Return the constant part of a message: all of ours, a library's up to the first data."""
    if _is_ours(record):
        return record.getMessage()
    found = _CONSTANT.match(str(record.msg))
    return found[0].strip() if found is not None else ""


def _extras(record: logging.LogRecord) -> dict[str, Any]:
    if not _is_ours(record):
        return {}
    return {key: value for key, value in vars(record).items() if key not in _RECORD_FIELDS}


def _one_word(value: object) -> str:
    text = str(value)
    return text if text.isprintable() and " " not in text and text else repr(text)
