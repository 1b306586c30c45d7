"""The log: one line per event on stderr, to be read by people or by machines.

A line is a constant sentence; what differs comes beside it, through `extra={"action": …}`. Bodies
of messages, tokens and URLs with their query are in none, and need not be looked for by whoever
logs: a library's own words are cut where it may have formatted something in, and of an exception
the log has where and what, but only those texts that are written here or by the operating system.
"""

import json
import logging
import re
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal

from domain.errors import AssistantFailed, BridgeUnavailable, StorageUnavailable

OURS = ("adapters", "entrypoints")
"""The packages that log."""
LONGEST_CHAIN = 20
"""Exceptions of one chain that are told of."""

# The rest of what `vars(record)` holds came in through `extra`.
_OF_EVERY_RECORD = {*vars(logging.makeLogRecord({})), "message", "asctime"}
# Not `BridgeRefused`: it quotes the bridge, which may quote the user.
_SPEAKING = (AssistantFailed, BridgeUnavailable, StorageUnavailable, OSError)
_CONSTANT = re.compile(r"""[^\n\r(<{\["'=]*""")
_IN_URLS = re.compile(r"""(?<=://)[^\s/"']*@|\?[^\s"'=]*=[^\s"']*""")


def configure(level: str, style: Literal["console", "json"]) -> None:
    """Log our own events from `level` on, and a library's from warnings on.

    Below that, libraries write what must not be in a log: URLs with a query, requests with bodies.
    """
    least = logging.getLevelNamesMapping()[level.upper()]
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if style == "json" else ConsoleFormatter())
    handler.addFilter(is_heard)
    logging.basicConfig(level=max(least, logging.WARNING), handlers=[handler], force=True)
    for package in OURS:
        logging.getLogger(package).setLevel(least)


def is_heard(record: logging.LogRecord) -> bool:
    """Whether it is ours, or grave: a library may set its own level, by variables as OPENAI_LOG."""
    return record.levelno >= logging.WARNING or _is_ours(record)


class ConsoleFormatter(logging.Formatter):
    """`12:00:00 INFO entrypoints.serve: The server listens action=server_started store=sqlite`"""

    def format(self, record: logging.LogRecord) -> str:
        at = self.formatTime(record, "%H:%M:%S")
        pairs = [f" {key}={_in_one_word(value)}" for key, value in _extras(record).items()]
        line = f"{at} {record.levelname} {record.name}: {_sentence(record)}{''.join(pairs)}"
        error = _exception(record)
        return _without_secrets(line if error is None else f"{line}\n{story(error)}")


class JsonFormatter(logging.Formatter):
    """`{"time", "level", "logger", "message"}`, the extras, and `exception` where there was one."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {
            **_extras(record),
            "time": at.removesuffix("+00:00") + "Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _sentence(record),
        }
        error = _exception(record)
        if error is not None:
            line["exception"] = story(error)
        return _without_secrets(json.dumps(line, default=str))


def story(error: BaseException) -> str:
    """The traceback of an exception and of what led to it, the first one first.

    As Python writes it, without the texts of those exceptions that may repeat what somebody said.
    """
    return "\n\n".join(_chapters(error, set()))


def _chapters(error: BaseException, told: set[int]) -> Iterator[str]:
    told.add(id(error))
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    parts = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    for other in (cause, *parts):
        if other is not None and id(other) not in told and len(told) < LONGEST_CHAIN:
            yield from _chapters(other, told)
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
    text = str(error) if isinstance(error, _SPEAKING) else ""
    return f"{name}: {text if text.isprintable() else repr(text)}" if text else name


def _exception(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if record.exc_info else None


def _is_ours(record: logging.LogRecord) -> bool:
    return record.name.partition(".")[0] in OURS


def _sentence(record: logging.LogRecord) -> str:
    """What is constant of a message: ours wholly, a library's as far as nothing stands in it."""
    if _is_ours(record):
        return record.getMessage()
    found = _CONSTANT.match(str(record.msg))
    return found[0].strip() if found is not None else ""


def _extras(record: logging.LogRecord) -> dict[str, Any]:
    if not _is_ours(record):
        return {}
    return {key: value for key, value in vars(record).items() if key not in _OF_EVERY_RECORD}


def _without_secrets(line: str) -> str:
    """Without the names and passwords of URLs, and without their queries."""
    return _IN_URLS.sub("…", line)


def _in_one_word(value: object) -> str:
    text = str(value)
    return text if text.isprintable() and " " not in text and text else repr(text)
