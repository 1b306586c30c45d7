"""Log lines: their content, their formats, and which records are logged."""

import json
import logging
from collections.abc import Iterator

import pytest

from domain.errors import BridgeRefused, StorageUnavailable
from entrypoints.logs import ConsoleFormatter, JsonFormatter, configure

logger = logging.getLogger("entrypoints.somewhere")


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in (None, "adapters", "entrypoints")]
    before = [logger.level for logger in loggers]
    handlers = list(logging.getLogger().handlers)
    yield
    for handler in logging.getLogger().handlers:
        if handler not in handlers:
            handler.close()
    logging.getLogger().handlers[:] = handlers
    for changed, level in zip(loggers, before, strict=True):
        changed.setLevel(level)


def written(capsys: pytest.CaptureFixture[str]) -> str:
    """Return what was logged."""
    for handler in logging.getLogger().handlers:
        handler.flush()
    return capsys.readouterr().err


def record(message: str, *arguments: object, **extra: object) -> logging.LogRecord:
    """Return the record of `logger.warning(message, *arguments, extra=extra)`."""
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


def raised(error: Exception) -> Exception:
    """Return the error with a traceback."""
    try:
        raise error
    except Exception as caught:
        return caught


def failed(error: BaseException, name: str = logger.name) -> logging.LogRecord:
    """Return the record of `exception("Failed")` for an error."""
    exc_info = (type(error), error, error.__traceback__)
    return logging.LogRecord(name, logging.ERROR, "file.py", 1, "Failed", (), exc_info)


def lines_of(record: logging.LogRecord) -> list[str]:
    """Format a record in both formats."""
    return [formatter.format(record) for formatter in (ConsoleFormatter(), JsonFormatter())]


def test_a_json_line_is_one_line_also_with_an_exception_and_odd_values() -> None:
    at = record("Failed\n", action="failed", what={1}, surrogate="\ud800")
    error = raised(OSError(28, "first\nsecond"))
    at.exc_info = (type(error), error, error.__traceback__)

    line = JsonFormatter().format(at)

    assert line.isascii()
    assert "\n" not in line
    assert json.loads(line)["exception"].endswith(r"OSError: '[Errno 28] first\nsecond'")


def test_an_exception_is_logged_with_its_traceback_and_type_but_not_its_text() -> None:
    at = failed(raised(ValueError("no table for Ana")))

    for line in lines_of(at):
        assert "Ana" not in line
        assert "Traceback (most recent call last)" in line
        assert "ValueError" in line


def test_a_failure_of_our_own_is_logged_with_its_text_and_its_cause_without() -> None:
    error = StorageUnavailable("data/x.sqlite3: disk full")
    error.__cause__ = raised(KeyError("Ana"))

    for line in lines_of(failed(raised(error))):
        assert "KeyError" in line
        assert "StorageUnavailable: data/x.sqlite3: disk full" in line
        assert "Ana" not in line


def test_a_reason_given_by_the_bridge_is_not_logged() -> None:
    for line in lines_of(failed(raised(BridgeRefused("HTTP 422 Ana is no guest")))):
        assert "BridgeRefused" in line
        assert "Ana" not in line


def test_every_exception_of_a_group_is_logged() -> None:
    group = raised(ExceptionGroup("for Ana", [raised(ValueError("Ana")), TimeoutError("late")]))

    for line in lines_of(failed(group)):
        assert "ValueError" in line
        assert "TimeoutError: late" in line
        assert "ExceptionGroup" in line
        assert "Ana" not in line


def test_a_cyclic_chain_of_exceptions_is_logged_once() -> None:
    one, two = ValueError("one"), RuntimeError("two")
    one.__context__, two.__context__ = two, one

    for line in lines_of(failed(one)):
        assert line.count("ValueError") == line.count("RuntimeError") == 1


@pytest.mark.parametrize(
    ("message", "arguments", "shown"),
    [
        ("Task exception was never retrieved\nfuture: ValueError('Ana')", (), "never retrieved"),
        ("Exception in callback say('Ana')", (), "Exception in callback say"),
        ("cannot send %r", ("Ana",), "cannot send %r"),
        ("token=Ana", (), "token"),
    ],
)
def test_of_a_librarys_message_the_constant_part_is_logged(
    message: str, arguments: tuple[object, ...], shown: str
) -> None:
    theirs = logging.LogRecord("asyncio", logging.ERROR, "f", 1, message, arguments, None)
    theirs.__dict__["task"] = "Ana"

    for line in lines_of(theirs):
        assert shown in line
        assert "Ana" not in line


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("ws://ana:p@ss@bridge:4000/socket", "ws://…bridge:4000/socket"),
        ("/socket/websocket?vsn=2.0.0&token=Ana", "/socket/websocket…"),
        ("http://bridge/health", "http://bridge/health"),
    ],
)
def test_a_url_is_logged_without_passwords_and_query(url: str, shown: str) -> None:
    line = ConsoleFormatter().format(record("The bridge is away", url=url))

    assert line.endswith(f" url={shown}")


def test_a_console_line_ends_with_the_extras() -> None:
    line = ConsoleFormatter().format(
        record("It happened", action="happened", path="a b", empty="", forged="\n12:00 ERROR")
    )

    assert line.endswith(
        " WARNING entrypoints.somewhere: It happened "
        r"action=happened path='a b' empty='' forged='\n12:00 ERROR'"
    )


def test_libraries_are_logged_from_warnings_up_and_our_own_from_the_level_up(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure("debug", "json")

    logging.getLogger("httpx").info("GET /?token=s3cret")
    logging.getLogger("httpx").warning("theirs")
    logger.debug("ours")

    lines = [json.loads(line) for line in written(capsys).splitlines()]
    assert [line["message"] for line in lines] == ["theirs", "ours"]


def test_at_level_error_nothing_below_it_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    configure("error", "console")

    logging.getLogger("uvicorn.error").warning("theirs")
    logger.warning("ours")
    logger.error("broken")

    assert written(capsys).endswith("ERROR entrypoints.somewhere: broken\n")


def test_a_library_that_sets_its_own_level_is_logged_from_warnings_up(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    chatty = logging.getLogger("openai._base_client")
    monkeypatch.setattr(chatty, "level", logging.DEBUG)  # as OPENAI_LOG=debug does
    configure("debug", "json")

    chatty.debug("Request options: %s", {"messages": ["Ana"]})
    chatty.warning("theirs")

    [line] = written(capsys).splitlines()
    assert json.loads(line)["message"] == "theirs"
