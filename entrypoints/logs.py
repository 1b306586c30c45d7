"""The log: one line per event on stderr, to be read by people or by machines.

A line is a constant sentence; what differs comes beside it, through `extra={"action": …}`. Bodies
of messages, tokens and URLs with their query are in none.
"""

import json
import logging
from datetime import UTC, datetime
from typing import Any, Literal

# The rest of what `vars(record)` holds came in through `extra`. uvicorn repeats its message there.
_OF_EVERY_RECORD = {*vars(logging.makeLogRecord({})), "message", "asctime", "color_message"}


def configure(level: str, style: Literal["console", "json"]) -> None:
    """Log our own events from `level` on, and a library's from warnings on.

    Below that, libraries write what must not be in a log: URLs with a query, requests with bodies.
    """
    least = logging.getLevelNamesMapping()[level.upper()]
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if style == "json" else ConsoleFormatter())
    logging.basicConfig(level=max(least, logging.WARNING), handlers=[handler], force=True)
    for package in ("adapters", "entrypoints"):
        logging.getLogger(package).setLevel(least)


class ConsoleFormatter(logging.Formatter):
    """`12:00:00 INFO entrypoints.serve: The server listens action=server_started store=sqlite`"""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", "%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:
        pairs = [f" {key}={_in_one_word(value)}" for key, value in _extras(record).items()]
        return super().formatMessage(record) + "".join(pairs)


class JsonFormatter(logging.Formatter):
    """`{"time", "level", "logger", "message"}`, the extras, and `exception` where there was one."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {
            **_extras(record),
            "time": at.removesuffix("+00:00") + "Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def _extras(record: logging.LogRecord) -> dict[str, Any]:
    return {key: value for key, value in vars(record).items() if key not in _OF_EVERY_RECORD}


def _in_one_word(value: object) -> str:
    text = str(value)
    return text if text.isprintable() and " " not in text and text else repr(text)
