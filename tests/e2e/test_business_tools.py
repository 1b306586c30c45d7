"""Servers of tools of businesses: the commands that try them, and the server that has them."""

import signal
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.process import command, server
from tests.support.tool_server import ToolServerProcess, ToolServerState
from tests.support.user import user

ENEMY = "tests.integration.mcp.enemy"


def write(folder: Path, text: str) -> None:
    path = folder / "businesses" / "resto.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'name = "Resto"\nlanguage = "en"\nfacts.phone = "1"\n{text}')


def program(module: str, *arguments: str) -> str:
    """Return the `command` of a server that is a module of the tests."""
    command_line = [sys.executable, "-m", module, *arguments]
    return f'command = {command_line}\nvariables = ["PYTHONPATH"]\n'.replace("'", '"')


def test_check_connects_and_names_what_the_assistant_gets_and_what_is_missing(
    tmp_path: Path,
) -> None:
    state = str(tmp_path / "state.db")
    with ToolServerProcess(ToolServerState(tmp_path / "other.db"), token="s3cret") as process:
        write(
            tmp_path,
            f"""
[tools.booking]
{program("tests.support.tool_server", "--state", state, "--stdio")}
[tools.booking.allow.find_tables]
effect = "read"
bind = {{ customer = "user" }}
[tools.booking.allow.reserve_table]
name = "reserve"
bind = {{ who = "user" }}
[tools.booking.allow.cancel_table]
[tools.secret]
url = "{process.url}"
token = "SECRET_TOKEN"
allow.find_tables = {{ name = "find", effect = "read" }}
[tools.away]
url = "http://127.0.0.1:9/mcp"
allow.act = {{}}
[tools.broken]
command = ["{sys.executable}", "-c", "raise SystemExit(3)"]
allow.break = {{}}
""",
        )
        known = {"SECRET_TOKEN": "s3cret"}
        checked = command(tmp_path, "business", "check", **known)
        refused = command(tmp_path, "business", "check", SECRET_TOKEN="wrong")
        shown = command(tmp_path, "business", "show", "resto")
        tried = command(tmp_path, "check", BUSINESSES="businesses", STORE="memory", **known)

    problems = [
        "resto: tools.booking: reserve_table: it has no argument who, which is bound",
        "resto: tools.booking: cancel_table: the server has no such tool",
        "resto: tools.away: the tool's server cannot be reached",
        "resto: tools.broken: the tool's server has closed the connection, and has ended with "
        "status 3",
    ]
    gets = [
        "resto: tools.booking: the assistant gets find_tables (worth knowing, no mistake)",
        "resto: tools.secret: the assistant gets find (worth knowing, no mistake)",
    ]
    assert checked.returncode == 1
    assert checked.stdout.splitlines() == [*problems, *gets]
    assert "resto: tools.secret: the tool's server does not speak MCP" in refused.stdout
    assert "tools secret            http://127.0.0.1" in shown.stdout
    assert (
        "  reserve               write, the server's reserve_table, who is the user" in shown.stdout
    )
    assert tried.returncode == 1
    rows = [
        line.split(None, 1)[1] for line in tried.stdout.splitlines() if line.startswith("tools")
    ]
    assert rows[1] == "resto/secret (find) ok"
    assert rows[0].startswith("resto/booking (find_tables) problem: reserve_table: it has no")
    for ran in (checked, refused, shown, tried):
        assert "s3cret" not in ran.stdout + ran.stderr


@pytest.mark.parametrize("mode", ["good", "silence", "stubborn", "complains"])
async def test_programs_start_with_the_server_and_end_with_it(tmp_path: Path, mode: str) -> None:
    calls = tmp_path / "calls"
    write(tmp_path, f"[tools.t]\n{program(ENEMY, mode, str(calls))}allow.act = {{}}\n")
    async with server(tmp_path, BUSINESSES="businesses", STORE="memory") as running:
        async with user(running.address, "resto", "ana") as ana:
            await ana.join()
            await ana.say("Hello!")
            told = await ana.wait_for("new_message")
        pids = calls.with_suffix(".pids")
        running.signal(signal.SIGTERM)
        ended = await running.end()

    assert told["message"]
    assert ended.code == 0
    if mode == "stubborn":
        assert [pid for pid in pids.read_text().split() if _runs(int(pid))] == []


def _runs(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False
