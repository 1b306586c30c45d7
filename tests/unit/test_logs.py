"""Log lines: what is in one, in which shape, and whose."""

import json
import logging
import sys
from collections.abc import Iterator

import pytest

from entrypoints.logs import ConsoleFormatter, JsonFormatter, configure

logger = logging.getLogger("entrypoints.somewhere")


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in (None, "adapters", "entrypoints")]
    before = [logger.level for logger in loggers]
    handlers = list(logging.getLogger().handlers)
    yield
    logging.getLogger().handlers[:] = handlers
    for changed, level in zip(loggers, before, strict=True):
        changed.setLevel(level)


def record(message: str, *arguments: object, **extra: object) -> logging.LogRecord:
    """What `logger.warning(message, *arguments, extra=extra)` makes."""
    at = logger.makeRecord(
        logger.name, logging.WARNING, "file.py", 1, message, arguments, None, extra=extra
    )
    at.created = 1_767_225_600.1234
    return at


def test_a_json_line_has_the_time_the_level_the_logger_the_message_and_the_extras() -> None:
    line = JsonFormatter().format(record("Ținut %s", "minte", action="kept", seconds=1.5))

    assert json.loads(line) == {
        "time": "2026-01-01T00:00:00.123Z",
        "level": "warning",
        "logger": "entrypoints.somewhere",
        "message": "Ținut minte",
        "action": "kept",
        "seconds": 1.5,
    }


def test_a_json_line_is_one_line_also_with_an_exception_and_odd_values() -> None:
    failed = record("Failed\n", action="failed", what={1}, surrogate="\ud800")
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        failed.exc_info = sys.exc_info()

    line = JsonFormatter().format(failed)

    assert line.isascii()
    assert "\n" not in line
    assert json.loads(line)["exception"].endswith("ValueError: first\nsecond")


def test_a_console_line_ends_with_the_extras() -> None:
    line = ConsoleFormatter().format(
        record("It happened", action="happened", path="a b", empty="", forged="\n12:00 ERROR")
    )

    assert line.endswith(
        " WARNING entrypoints.somewhere: It happened "
        r"action=happened path='a b' empty='' forged='\n12:00 ERROR'"
    )


def test_a_library_is_heard_from_warnings_on_and_we_from_the_level_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure("debug", "json")

    logging.getLogger("httpx").info("GET /?token=s3cret")
    logging.getLogger("httpx").warning("theirs")
    logger.debug("ours")

    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["message"] for line in lines] == ["theirs", "ours"]


def test_at_level_error_nobody_is_heard_below_it(capsys: pytest.CaptureFixture[str]) -> None:
    configure("error", "console")

    logging.getLogger("uvicorn.error").warning("theirs")
    logger.warning("ours")
    logger.error("broken")

    assert capsys.readouterr().err.endswith("ERROR entrypoints.somewhere: broken\n")
