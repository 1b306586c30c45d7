"""Hostile servers of tools: what each does, and what the turn sees of it.

Each is one failed call, in time, and holds nobody up; no word of it is in a log.
"""

import asyncio
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from domain.errors import ToolNotCalled, ToolUnanswered
from domain.tool import MAX_TOOL_RESULT, AllowedTool, ToolServer
from tests.integration.mcp.enemy import MARK
from tests.support.restaurant import (
    A_DAY,
    business_with,
    listed_tools,
    opened_tools,
    program,
    tool_request,
)
from tests.support.tool_server import FIND, ToolServerState

IN_TIME_S = 1.5
ACT = (AllowedTool(name="act", shown_name="act"),)
TOKEN = "t0ken-of-a-business"
DONE, FAILED, NOT_CALLED, UNKNOWN = "done", "failed", "not called", "unknown"
MODULE = "tests.integration.mcp.enemy"

OF_ALL = [
    ("good", DONE),
    ("long", DONE),
    ("controls", DONE),
    ("picture", DONE),
    ("shape", UNKNOWN),
    ("empty", UNKNOWN),
    ("deep", UNKNOWN),
    ("other", UNKNOWN),
    ("twice", DONE),
    ("code", UNKNOWN),
    ("text", NOT_CALLED),
    ("notices", DONE),
    ("asks", UNKNOWN),
    ("silence", UNKNOWN),
]
BY_STDIO = [
    *OF_ALL,
    ("rubbish", UNKNOWN),
    ("some rubbish", DONE),
    ("line", UNKNOWN),
    ("lines", UNKNOWN),
    ("exits", UNKNOWN),
    ("closes", UNKNOWN),
    ("complains", UNKNOWN),
    ("stubborn", UNKNOWN),
]
BY_HTTP = [
    *OF_ALL,
    ("301", UNKNOWN),
    ("302", UNKNOWN),
    ("303", UNKNOWN),
    ("307", NOT_CALLED),
    ("308", NOT_CALLED),
    ("400", NOT_CALLED),
    ("401", NOT_CALLED),
    ("403", NOT_CALLED),
    ("404", NOT_CALLED),
    ("408", UNKNOWN),
    ("429", NOT_CALLED),
    ("500", UNKNOWN),
    ("502", UNKNOWN),
    ("504", UNKNOWN),
    ("202", UNKNOWN),
    ("204", UNKNOWN),
    ("refuses", NOT_CALLED),
    ("page", UNKNOWN),
    ("rubbish", UNKNOWN),
    ("packed", UNKNOWN),
    ("squeezed", UNKNOWN),
    ("flood", UNKNOWN),
    ("events", UNKNOWN),
    ("pings", UNKNOWN),
    ("ends", UNKNOWN),
    ("half", UNKNOWN),
    ("drip", UNKNOWN),
    ("headers", UNKNOWN),
    ("drops", UNKNOWN),
    ("streams", UNKNOWN),
]


@contextmanager
def enemy(mode: str, counted: Path, transport: str) -> Iterator[ToolServer]:
    """Return a hostile server; over HTTP it runs meanwhile."""
    command = (sys.executable, "-m", MODULE, mode, str(counted))
    server = ToolServer(name="enemy", tools=ACT, timeout_s=IN_TIME_S)
    if transport == "stdio":
        yield replace(server, command=command, variables=("PYTHONPATH",))
        return
    with subprocess.Popen(
        [*command, "0"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        yield replace(server, url=f"http://127.0.0.1:{port}/mcp", token_variable="TOKEN")
        process.kill()


async def outcome_of(call: Any) -> str:
    try:
        answer = await call
    except ToolNotCalled:
        return NOT_CALLED
    except ToolUnanswered:
        return UNKNOWN
    assert len(answer.text) <= MAX_TOOL_RESULT
    assert not set(answer.text) & set("\x00\x1b\u009b\ud800")
    return FAILED if answer.is_error else DONE


@asynccontextmanager
async def without_holding_up() -> AsyncIterator[None]:
    """Check that the event loop answers meanwhile."""
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.01)
            longest = max(longest, time.monotonic() - began - 0.01)

    watching = asyncio.create_task(watch())
    yield
    watching.cancel()
    assert longest < 0.75  # on a machine with other work


@pytest.mark.parametrize(
    ("transport", "mode", "expected"),
    [
        *(("stdio", mode, expected) for mode, expected in BY_STDIO),
        *(("http", mode, expected) for mode, expected in BY_HTTP),
    ],
)
async def test_what_a_hostile_server_does_is_one_call_with_a_known_end(
    transport: str, mode: str, expected: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    counted = tmp_path / "calls"
    good = program(ToolServerState(tmp_path / "good.db"))
    with enemy(mode, counted, transport) as server:
        business, another = business_with(server), business_with(good, business_id="b2")
        async with opened_tools(TOKEN=TOKEN) as tools:
            await listed_tools(tools, business)
            await listed_tools(tools, another)
            async with without_holding_up():
                began = time.monotonic()
                call = asyncio.create_task(
                    outcome_of(tools.call(business, tool_request("act", {"text": "x"}, "k1")))
                )
                other = await tools.call(another, tool_request(FIND, A_DAY))
                found = await call
                took_s = time.monotonic() - began
        _no_word_is_logged(caplog)

    assert found == expected
    assert took_s < IN_TIME_S + 1
    assert "free" in other.text
    assert counted.read_text() == "call\n"
    if transport == "http":
        assert counted.with_suffix(".token").read_text() == f"Bearer {TOKEN}"
        requests = counted.with_suffix(".http").read_text().split("\n")
        assert set(requests) <= {"POST /mcp", "GET /mcp", "DELETE /mcp", ""}
        assert requests.count("GET /mcp") <= 12


def _no_word_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    logged = [record for record in caplog.records if record.levelno > logging.DEBUG]
    assert len([each for each in logged if each.name.startswith("adapters.mcp")]) <= 1
    texts = "".join(f"{record.getMessage()} {vars(record)}" for record in logged)
    assert MARK not in texts
    assert TOKEN not in "".join(f"{vars(record)}" for record in caplog.records)


@pytest.mark.parametrize("transport", ["stdio", "http"])
@pytest.mark.parametrize("mode", ["many", "pages", "rubbish", "none", "deep", "large", "remote"])
async def test_a_hostile_list_offers_nothing_and_is_said_to(
    transport: str, mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.mcp.connection.LIST_S", 3.0)
    with enemy(f"list:{mode}", tmp_path / "calls", transport) as server:
        business = business_with(server)
        async with opened_tools(TOKEN=TOKEN) as tools, without_holding_up():
            (report,) = await tools.reports(business)
            offered = await tools.tools(business)

    assert offered == ()
    assert report.tools == ()
    assert len(report.problems) == 1
    assert MARK not in report.problems[0]


@pytest.mark.parametrize("transport", ["stdio", "http"])
async def test_a_description_is_bounded_and_clean(transport: str, tmp_path: Path) -> None:
    with enemy("good", tmp_path / "calls", transport) as server:
        business = business_with(server)
        async with opened_tools(TOKEN=TOKEN) as tools:
            offered = await listed_tools(tools, business)

    assert len(offered["act"].description) == 1_000
    assert "\x1b" not in offered["act"].description


async def test_a_program_gets_no_secret_of_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = ("OPENAI_API_KEY", "SERVICE_TOKEN", "AWS_SECRET_ACCESS_KEY", "ANY_OTHER")
    for name in secrets:
        monkeypatch.setenv(name, "s3cret")
    counted = tmp_path / "calls"
    with enemy("environment", counted, "stdio") as server:
        named = replace(server, variables=("BOOKING", "PYTHONPATH", "NOT_SET"))
        async with opened_tools(BOOKING="b", PYTHONPATH=os.environ.get("PYTHONPATH", "")) as tools:
            await listed_tools(tools, business_with(named))

    environment = json.loads(counted.with_suffix(".env").read_text())
    assert not environment.keys() & set(secrets)
    assert environment["BOOKING"] == "b"
    assert "PATH" in environment
    assert "NOT_SET" not in environment


async def test_a_program_ends_with_its_connection_and_so_do_its_children(tmp_path: Path) -> None:
    counted = tmp_path / "calls"
    with enemy("stubborn", counted, "stdio") as server:
        async with opened_tools() as tools:
            await listed_tools(tools, business_with(server))
            pids = [int(pid) for pid in counted.with_suffix(".pids").read_text().split()]
            before = [_runs(pid) for pid in pids]

    assert before == [True, True]
    assert [_runs(pid) for pid in pids] == [False, False]


def _runs(pid: int) -> bool:
    with suppress(OSError):
        status = Path(f"/proc/{pid}/stat").read_text()
        return status.rpartition(")")[2].split()[0] != "Z"
    return False


async def test_standard_error_is_logged_bounded_and_at_debug(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with enemy("complains", tmp_path / "calls", "stdio") as server:
        async with opened_tools() as tools:
            await listed_tools(tools, business_with(server))

    lines = [each for each in caplog.records if vars(each).get("action") == "tool_server_says"]
    assert 1 <= len(lines) <= 20
    assert {each.levelno for each in lines} == {logging.DEBUG}


@pytest.mark.parametrize(
    "command", [("/no/such/program",), ("/etc/passwd",), ("false",), ("true",), ("sleep", "600")]
)
async def test_what_is_no_server_is_away_and_is_tried_again_with_pauses(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.mcp.connection.OPEN_S", 1.0)
    server = ToolServer(name="away", command=command, tools=ACT, timeout_s=IN_TIME_S)
    business = business_with(server)
    async with opened_tools() as tools:
        for _ in range(4):
            assert await outcome_of(tools.call(business, tool_request("act", {}))) == NOT_CALLED
        with pytest.raises(ToolNotCalled, match="tried again"):
            await tools.call(business, tool_request("act", {}))


async def test_a_server_that_nobody_listens_for_was_not_called(tmp_path: Path) -> None:
    for url in ("http://127.0.0.1:9/mcp", "http://no-such-host.invalid/mcp", "https://127.0.0.1:9"):
        server = ToolServer(name="away", url=url, tools=ACT, timeout_s=IN_TIME_S)
        async with opened_tools() as tools:
            call = tools.call(business_with(server), tool_request("act", {}))
            assert await outcome_of(call) == NOT_CALLED


@pytest.mark.parametrize("token", ["", "two words", "new\nline", "ärger"])
async def test_a_token_that_cannot_be_sent_is_no_call_and_is_not_repeated(
    token: str, tmp_path: Path
) -> None:
    counted = tmp_path / "calls"
    with enemy("good", counted, "http") as server:
        async with opened_tools(TOKEN=token) as tools:
            with pytest.raises(ToolNotCalled, match="TOKEN has no token") as error:
                await tools.call(business_with(server), tool_request("act", {}))

    assert not token or token not in str(error.value)
    assert not counted.with_suffix(".http").exists()
