"""The command line: the output of each command, and its errors."""

import asyncio
import hashlib
import json
import shutil
import socket
import sqlite3
import time
import tomllib
from collections.abc import Iterator
from contextlib import closing
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from adapters.dynamodb.table import definition
from tests.support.dynamodb import DYNOXIDE, Engine, engine
from tests.support.process import ROOT, command, server
from tests.support.redis_server import redis_server
from tests.support.user import user

AT_ONCE = {"TURN_QUIET_MS": "0", "SCRIPTED_DELAY_MS": "0"}
ESCAPE = "\x1b]0;owned\x07"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose database holds one conversation each of Ana and Ion, in that order."""
    folder = tmp_path_factory.mktemp("kept")
    asyncio.run(_talk(folder))
    _write_as_an_earlier_version(folder / "data" / "conversations.sqlite3")
    return folder


async def _talk(folder: Path) -> None:
    async with server(folder, **AT_ONCE) as running:
        async with user(running.address, "b1", "ana") as ana:
            await ana.join()
            await ana.say("Bună!\n]0;owned")
            await ana.wait_for("new_message")
        async with user(running.address, "b2", "ion") as ion:
            await ion.join()
            await ion.ask_for_human(message="Un om, vă rog")
            await ion.wait_for("conversation_status", status="waiting")


def _write_as_an_earlier_version(database: Path) -> None:
    """Put control characters into a message, which none that is stored today has."""
    with closing(sqlite3.connect(database)) as db, db:
        rows = db.execute("SELECT rowid, body FROM entries").fetchall()
        for row, body in rows:
            escaped = body.replace(b"]0;owned", rb"\u001b]0;owned\u0007")
            db.execute("UPDATE entries SET body = ? WHERE rowid = ?", (escaped, row))


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that is in use."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


# The command itself.


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_names_every_command(tmp_path: Path, option: str) -> None:
    began = time.perf_counter()
    answered = command(tmp_path, option, fresh=True)
    print(f"{option} took {time.perf_counter() - began:.3f} s")

    assert answered.returncode == 0
    assert all(
        f"\n  {name} " in answered.stdout
        for name in ("chat", "check", "dev", "serve", "sessions", "table")
    )


def test_the_version_is_that_of_the_project(tmp_path: Path) -> None:
    try:
        version("ai-agent-server")
    except PackageNotFoundError:
        pytest.skip("ai-agent-server is not installed: make install-dev")
    answered = command(tmp_path, "--version", fresh=True)

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert answered.stdout.split()[-1] == project["version"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["serve", "--prot", "1"], "No such option '--prot'"),
        (["serve", "--port", "70000"], "70000 is not in the range 0<=x<=65535"),
        (["frobnicate"], "No such command 'frobnicate'"),
        (["sessions", "list", "--user", "ana"], "--user needs --business"),
        (["sessions", "erase", "b1", "ana"], "erasing cannot be undone: pass --yes"),
        (["table", "delete"], "Missing argument 'NAME'"),
        (["table", "delete", "ai-agent-server"], "deleting cannot be undone: pass --yes"),
        (["table", "delete", "other", "--yes"], "DYNAMODB_TABLE is ai-agent-server, not other"),
    ],
)
def test_wrong_usage_is_an_error_with_exit_code_2(
    tmp_path: Path, arguments: list[str], complaint: str
) -> None:
    refused = command(tmp_path, *arguments)

    assert refused.returncode == 2
    assert complaint in refused.stderr


# Settings.


@pytest.mark.parametrize("arguments", [["serve"], ["check"], ["sessions", "list"]], ids=" ".join)
def test_a_bad_setting_stops_every_command_with_one_line_and_2(
    tmp_path: Path, arguments: list[str]
) -> None:
    refused = command(tmp_path, *arguments, TURN_TIMEOUT_S="soon")

    assert refused.returncode == 2
    assert refused.stderr == (
        "Error: TURN_TIMEOUT_S is 'soon', but must be a number above 0 up to 600\n"
    )


def test_a_malformed_env_file_stops_the_command_with_its_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("STORE=memory\nSERVICE_TOKEN 's3cret'\n")
    refused = command(tmp_path, "check")

    assert refused.returncode == 2
    assert refused.stderr == "Error: .env:2 must be NAME=value, a comment or empty\n"


def test_the_env_file_of_the_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("STORE=memory\n")
    tried = command(tmp_path, "check")

    assert tried.stdout.splitlines()[0].split() == ["store", "memory", "ok"]


def test_the_environment_takes_precedence_over_the_env_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("STORE=memory\n")
    tried = command(tmp_path, "check", STORE="sqlite")

    assert tried.stdout.splitlines()[0].split() == ["store", "sqlite", "ok"]


# serve, dev, chat.


@pytest.mark.parametrize(
    ("name", "program"), [("serve", "SERVER"), ("dev", "SERVER"), ("dev", "BRIDGE")]
)
def test_a_port_in_use_is_an_error_of_one_line_with_the_remedy(
    tmp_path: Path, name: str, program: str, taken: int
) -> None:
    ports = {"SERVER_PORT": "0", "BRIDGE_PORT": "0", f"{program}_PORT": str(taken)}
    refused = command(tmp_path, name, **ports)

    assert refused.returncode == 1
    assert refused.stderr == (
        f"Error: cannot listen on 127.0.0.1 port {taken}: Address already in use. "
        f"Choose others with {program}_HOST=… and {program}_PORT=…\n"
    )


def test_an_address_of_another_machine_is_an_error(tmp_path: Path) -> None:
    arguments = ("serve", "--host", "192.0.2.1", "--port", "0")
    refused = command(tmp_path, *arguments, ALLOW_INSECURE="1")

    assert refused.returncode == 1
    assert "cannot listen on 192.0.2.1 port 0: Cannot assign requested address" in refused.stderr


def test_a_file_that_is_not_a_database_is_an_error_of_one_line(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("buy milk\n" * 1000)
    refused = command(tmp_path, "serve", "--port", "0", SQLITE_PATH="notes.txt")

    assert refused.returncode == 1
    assert refused.stderr == f"Error: {tmp_path / 'notes.txt'}: file is not a database\n"


async def test_chat_talks_to_a_running_server(tmp_path: Path) -> None:
    async with server(tmp_path, **AT_ONCE) as running:
        url = f"ws://{running.address}/socket/websocket"
        talked = await asyncio.to_thread(
            command, tmp_path, "chat", "--url", url, "--user", "ana", typed="Bună!\n"
        )

    assert talked.returncode == 0, talked.stderr
    assert "ai: Bună!" in talked.stdout


def test_chat_refuses_a_bad_url(tmp_path: Path) -> None:
    refused = command(tmp_path, "chat", "--url", "example", typed="Hi\n")

    assert refused.returncode == 2


# check.


def test_check_prints_that_each_adapter_works(tmp_path: Path) -> None:
    tried = command(tmp_path, "check")

    assert tried.returncode == 0
    assert [line.split() for line in tried.stdout.splitlines()[:3]] == [
        ["store", "sqlite", "ok"],
        ["assistant", "scripted", "ok"],
        ["bridge", "none", "ok"],
    ]


def test_check_prints_which_adapter_fails_and_why(tmp_path: Path) -> None:
    tried = command(tmp_path, "check", SQLITE_PATH=str(tmp_path))

    assert tried.returncode == 1
    assert tried.stdout.splitlines()[0] == (
        f"store      sqlite     problem: {tmp_path}: unable to open database file"
    )


def test_check_tries_the_broker_and_the_leases_of_redis(tmp_path: Path) -> None:
    with redis_server() as redis:
        tried = command(tmp_path, "check", BROKER="redis", REDIS_URL=redis.url)
        redis.kill()
        failed = command(tmp_path, "check", BROKER="redis", REDIS_URL=redis.url)

    assert tried.returncode == 0
    assert [line.split() for line in tried.stdout.splitlines()[3:5]] == [
        ["broker", "redis", "ok"],
        ["leases", "redis", "ok"],
    ]
    assert failed.returncode == 1
    assert [line.split()[:3] for line in failed.stdout.splitlines()[3:5]] == [
        ["broker", "redis", "problem:"],
        ["leases", "redis", "problem:"],
    ]


@pytest.mark.parametrize("name", ["check", "serve"])
def test_a_redis_url_with_an_unknown_option_is_refused_in_one_line(
    tmp_path: Path, name: str
) -> None:
    url = "redis://:secret@127.0.0.1/0?no=1"
    refused = command(tmp_path, name, BROKER="redis", REDIS_URL=url)

    assert refused.returncode == 2
    assert refused.stderr.startswith("Error: REDIS_URL is redis://…")
    assert "secret" not in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


# sessions.


def test_list_shows_the_newest_conversation_first(kept: Path) -> None:
    listed = command(kept, "sessions", "list")

    rows = [line.split() for line in listed.stdout.splitlines()]
    assert [row[2:] for row in rows] == [["waiting", "3", "b2", "ion"], ["ai", "2", "b1", "ana"]]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ("--business b1", ["ana"]),
        ("--business b1 --user ana", ["ana"]),
        ("--business b1 --user ion", []),
        ("--status waiting", ["ion"]),
        ("--limit 1", ["ion"]),
    ],
)
def test_list_shows_what_was_asked_for(kept: Path, options: str, found: list[str]) -> None:
    listed = command(kept, "sessions", "list", "--json", *options.split())

    assert [session["userId"] for session in json.loads(listed.stdout)] == found


def test_a_truncated_list_has_a_hint(kept: Path) -> None:
    listed = command(kept, "sessions", "list", "--limit", "1")

    assert listed.stdout.splitlines()[1] == "(more: --limit)"


def session_of(folder: Path, user_id: str) -> str:
    """Return the id of the user's session."""
    listed = json.loads(command(folder, "sessions", "list", "--json").stdout)
    (session_id,) = (found["sessionId"] for found in listed if found["userId"] == user_id)
    return str(session_id)


def test_show_prints_the_authors_and_the_messages(kept: Path) -> None:
    shown = command(kept, "sessions", "show", session_of(kept, "ion"))

    _, asked, change, notice = shown.stdout.splitlines()
    assert asked.endswith("  user: Un om, vă rog")
    assert change.endswith("  -- waiting (user_request)")
    assert "  system: " in notice


def test_show_prints_no_control_characters(kept: Path) -> None:
    shown = command(kept, "sessions", "show", session_of(kept, "ana"))

    assert "\x1b" not in shown.stdout
    assert "\ufffd]0;owned\ufffd" in shown.stdout


def test_show_as_json_has_the_unchanged_text(kept: Path) -> None:
    shown = command(kept, "sessions", "show", "--json", session_of(kept, "ana"))

    document = json.loads(shown.stdout)
    assert document["conversation"]["userId"] == "ana"
    assert document["messages"][0]["message"] == f"Bună!\n{ESCAPE}"


@pytest.mark.parametrize(
    ("session_id", "code", "complaint"),
    [
        ("f00", 1, "Error: there is no conversation f00\n"),
        ("a b", 2, "Error: ID must be 1-128 characters of [A-Za-z0-9._:@-], but not . or ..\n"),
    ],
)
def test_show_of_an_unknown_session_is_an_error(
    kept: Path, session_id: str, code: int, complaint: str
) -> None:
    refused = command(kept, "sessions", "show", session_id)

    assert (refused.returncode, refused.stderr) == (code, complaint)


def test_export_writes_everything_of_a_user_and_nothing_of_another(
    kept: Path, tmp_path: Path
) -> None:
    file = tmp_path / "ana.json"
    written = command(kept, "sessions", "export", "b1", "ana", "--output", str(file))

    (conversation,) = json.loads(file.read_text("utf-8"))["conversations"]
    assert (written.returncode, written.stdout) == (0, "")
    assert [entry["author"] for entry in conversation["messages"]] == ["user", "ai"]
    assert "ion" not in file.read_text("utf-8").split('"')


def test_export_to_an_unwritable_path_is_an_error(kept: Path) -> None:
    refused = command(kept, "sessions", "export", "b1", "ana", "--output", "no/such/folder.json")

    assert refused.returncode == 1
    assert refused.stderr == "Error: no/such/folder.json: No such file or directory\n"


def test_erase_removes_everything_of_a_user_and_nothing_of_another(
    kept: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(kept, tmp_path / "copy")
    erased = command(folder, "sessions", "erase", "b1", "ana", "--yes")

    left = json.loads(command(folder, "sessions", "list", "--json").stdout)
    assert erased.stdout == "erased 1 conversations, 2 messages, 0 notices\n"
    assert [session["userId"] for session in left] == ["ion"]


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"STORE": "memory"}, "Error: STORE=memory: only the server itself sees"),
        ({"SQLITE_PATH": "none.sqlite3"}, "Error: there is no file none.sqlite3"),
    ],
)
def test_without_a_stored_database_sessions_is_an_error_and_creates_nothing(
    tmp_path: Path, environment: dict[str, str], complaint: str
) -> None:
    refused = command(tmp_path, "sessions", "list", **environment)

    assert refused.returncode == 1
    assert refused.stderr.startswith(complaint)
    assert list(tmp_path.iterdir()) == []


# table, and check with STORE=dynamodb.


class InDynamo:
    """The command line with a table name of its own, on a local engine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.engine: Engine = engine(DYNOXIDE)
        self.table = f"cli-{hashlib.sha256(bytes(folder)).hexdigest()[:24]}"

    def run(self, *arguments: str) -> tuple[int, list[str]]:
        """Run a command; return its exit code, and the lines that it prints."""
        ended = command(
            self._folder,
            *arguments,
            HOME=str(self._folder),
            STORE="dynamodb",
            DYNAMODB_ENDPOINT_URL=self.engine.url,
            DYNAMODB_TABLE=self.table,
        )
        return ended.returncode, (ended.stdout + ended.stderr).splitlines()


@pytest.fixture
def dynamo(tmp_path: Path) -> InDynamo:
    """A command line whose table does not exist yet."""
    return InDynamo(tmp_path)


def test_a_table_is_created_described_and_deleted(dynamo: InDynamo) -> None:
    made = dynamo.run("table", "create")
    described = dynamo.run("table", "describe")
    deleted = dynamo.run("table", "delete", dynamo.table, "--yes")
    absent = dynamo.run("table", "describe")

    assert made[1][:2] == [f"table {dynamo.table}: creating", f"table {dynamo.table}: created"]
    assert made[0] == described[0] == deleted[0] == 0
    assert [line.split()[-1] for line in described[1][:2]] == [dynamo.table, "ACTIVE"]
    assert described[1][-1].split() == ["lacks", "nothing"]
    assert deleted[1][-1] == f"table {dynamo.table}: deleted"
    assert absent == (
        1,
        [f"Error: there is no table {dynamo.table}: `ai-agent-server table create` creates it"],
    )


def test_creating_a_table_again_changes_nothing(dynamo: InDynamo) -> None:
    dynamo.run("table", "create")
    again = dynamo.run("table", "create")

    assert again == (
        0,
        [
            f"table {dynamo.table}: exists already",
            "TTL: already on",
            "point-in-time recovery: not supported by this engine",
            "deletion protection: already on",
        ],
    )


def test_a_table_other_than_the_one_of_the_settings_is_not_deleted(dynamo: InDynamo) -> None:
    dynamo.run("table", "create")
    refused = dynamo.run("table", "delete", f"{dynamo.table}-2", "--yes")
    kept = dynamo.run("table", "describe")

    assert (refused[0], kept[0]) == (2, 0)


def test_check_prints_that_the_table_is_missing_and_what_creates_it(dynamo: InDynamo) -> None:
    code, lines = dynamo.run("check")

    assert code == 1
    assert lines[0] == (
        f"store      dynamodb   problem: there is no table {dynamo.table}: "
        "`ai-agent-server table create` creates it"
    )


def test_check_prints_each_thing_that_the_table_lacks_in_a_line(
    dynamo: InDynamo,
) -> None:
    request = definition(dynamo.table)
    request["GlobalSecondaryIndexes"] = [
        index for index in request["GlobalSecondaryIndexes"] if index["IndexName"] != "due"
    ]
    request["AttributeDefinitions"] = [
        each
        for each in request["AttributeDefinitions"]
        if each["AttributeName"] not in ("wP", "wS")
    ]
    dynamo.engine.call("CreateTable", **request)
    code, lines = dynamo.run("check")

    assert code == 1
    assert lines[:2] == [
        f"store      dynamodb   problem: table {dynamo.table}: it has no index due",
        f"store      dynamodb   problem: table {dynamo.table}: its TTL is off",
    ]


def test_check_passes_with_a_created_table(dynamo: InDynamo) -> None:
    dynamo.run("table", "create")
    code, lines = dynamo.run("check")

    assert (code, lines[0].split()) == (0, ["store", "dynamodb", "ok"])


def test_an_unknown_variable_of_the_env_file_is_warned_of_without_its_value(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SERVER_PROT=s3cret\nSTORE=memory\nBRIDGE=none\n")

    ended = command(tmp_path, "check")

    assert ended.returncode == 0
    assert "action=unknown_variable variable=SERVER_PROT nearest=SERVER_PORT" in ended.stderr
    assert "s3cret" not in ended.stderr
