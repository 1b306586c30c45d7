"""Recorded conversations put to a changed business, by the command: what the report shows."""

import asyncio
import hashlib
import json
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from adapters.sqlite.store import SqliteStore
from domain.identity import customer
from tests.support.browser import chromium
from tests.support.dynamodb import DYNOXIDE, dynamo_store, engine
from tests.support.openai_stub import Stub, Wire, refuses, stub
from tests.support.process import COMMAND, ENVIRONMENT, ROOT, command
from tests.support.recorded import (
    BEGAN,
    PRICES,
    TABLE_QUESTION,
    business_file,
    environment_of,
    model,
    record,
    record_one,
    report_in,
)
from tests.support.tool_server import ToolServerProcess, ToolServerState

CONVERSATIONS = 200


@dataclass(frozen=True, slots=True)
class Kept:
    """A folder with recorded conversations, the business's file, and a changed one."""

    folder: Path
    settings: dict[str, str]

    async def replay(self, url: str, *arguments: str, **settings: str) -> Any:
        """Run the command to its end."""
        environment = environment_of(url, **{**self.settings, **settings})
        return await asyncio.to_thread(
            command, self.folder, "replay", "--business", "b1", *arguments, **environment
        )

    def content(self) -> str:
        """Return a digest of the stored conversations."""
        return hashlib.sha256((self.folder / "kept.sqlite3").read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """Two hundred conversations in SQLite."""
    folder = tmp_path_factory.mktemp("kept")
    asyncio.run(_record(folder))
    business_file(folder / "businesses")
    business_file(folder, instruction=PRICES, name="changed")
    return Kept(
        folder,
        {"STORE": "sqlite", "SQLITE_PATH": "kept.sqlite3", "BUSINESSES": "businesses"},
    )


async def _record(folder: Path) -> None:
    async with SqliteStore(folder / "kept.sqlite3") as store:
        await record(store, CONVERSATIONS)
        await record(store, 3, business="b2")


@pytest.fixture
async def asked() -> AsyncIterator[Stub]:
    """The model."""
    async with stub(model) as running:
        yield running


def changes(report: Any) -> set[tuple[str, tuple[str, ...]]]:
    """Return the questions whose answers have changed, and how."""
    return {(turn["question"], tuple(turn.get("changes", ()))) for turn in report["turns"]}


# The difference.


async def test_the_same_instructions_change_nothing(
    kept: Kept, asked: Stub, tmp_path: Path
) -> None:
    done = await kept.replay(asked.url, "--out", str(tmp_path / "out"), "--max-changed", "0%")
    report = report_in(tmp_path / "out")

    assert done.returncode == 0, done.stderr
    assert (report["sums"]["turns"], report["sums"]["changed"]) == (2 * CONVERSATIONS, 0)
    assert {turn["similarity"] if "similarity" in turn else 1.0 for turn in report["turns"]} == {
        1.0
    }
    assert "changed 0 of 400 turns" in done.stdout


async def test_one_changed_sentence_changes_exactly_what_it_is_about(
    kept: Kept, asked: Stub, tmp_path: Path
) -> None:
    done = await kept.replay(asked.url, "--file", "changed.toml", "--out", str(tmp_path / "out"))
    report = report_in(tmp_path / "out")

    assert done.returncode == 0, done.stderr
    assert changes(report) == {
        ("What is there for lunch today?", ("numbers",)),
        ("Where can I park my car?", ()),
        ("When is my reservation?", ()),
        ("Hello there, good morning!", ()),
        ("I want to talk to a human please", ()),
    }
    about_lunch = [turn for turn in report["turns"] if "lunch" in turn["question"]]
    assert report["sums"]["changed"] == len(about_lunch)
    assert report["sums"]["byKind"] == {"numbers": len(about_lunch)}
    assert {turn["after"]["text"] for turn in about_lunch} == {
        "Today we have soup and roast chicken with fresh salad. "
        "It costs 42 lei per person altogether."
    }
    sides = report["sums"]["before"], report["sums"]["after"]
    assert sides[0]["handoffs"] == sides[1]["handoffs"] > 0
    assert sides[0]["tools"] == sides[1]["tools"]
    recorded = "m1, prompt 0123456789abcdef, knowledge -, tools fedcba9876543210"
    assert sides[0]["madeWith"] == {"m1, version not recorded": 200, recorded: 200}
    assert list(sides[1]["madeWith"]) == [report["candidate"].removeprefix("ModelAssistant ")]
    assert f"{recorded}: 200" in done.stdout
    assert ["numbers", str(len(about_lunch))] in [line.split() for line in done.stdout.splitlines()]


async def test_the_reports_are_for_this_user_alone_and_name_what_was_compared(
    kept: Kept, asked: Stub, tmp_path: Path
) -> None:
    await kept.replay(asked.url, "--limit", "2", "--out", str(tmp_path / "out"))
    files = ["replay.json", "turns.jsonl", "report.json", "report.html"]

    assert [(tmp_path / "out" / name).stat().st_mode & 0o777 for name in files] == [0o600] * 4
    report = report_in(tmp_path / "out")
    assert report["before"] == "the record"
    assert "m1" in report["candidate"]
    assert "prompt " in report["candidate"]


async def test_two_replays_are_compared_with_each_other(
    kept: Kept, asked: Stub, tmp_path: Path
) -> None:
    old, new = str(tmp_path / "old"), str(tmp_path / "new")
    await kept.replay(asked.url, "--limit", "10", "--file", "changed.toml", "--out", old)
    same = await kept.replay(
        asked.url, "--limit", "20", "--file", "changed.toml", "--against", old, "--out", new
    )
    report = report_in(Path(new))

    assert same.returncode == 0, same.stderr
    assert (report["sums"]["turns"], report["sums"]["changed"]) == (20, 0)
    assert report["before"].startswith(old)


async def test_another_model_answers_where_one_is_named(
    kept: Kept, asked: Stub, tmp_path: Path
) -> None:
    out = str(tmp_path / "out")
    await kept.replay(asked.url, "--model", "m2", "--limit", "3", "--out", out)

    assert set(asked.models) == {"m2"}
    assert "m2" in report_in(Path(out))["candidate"]


async def test_documents_beside_the_changed_file_are_searched(
    kept: Kept, asked: Stub, tmp_path: Path
) -> None:
    file = business_file(tmp_path / "try", name="business")
    (file.parent / "knowledge").mkdir()
    (file.parent / "knowledge" / "cars.md").write_text("# Cars\n\nPark your car in the yard.\n")
    out = str(tmp_path / "out")
    await kept.replay(asked.url, "--file", str(file.parent), "--limit", "8", "--out", out)
    prompts = [json.dumps(request.body) for request in asked.requests]

    assert any("Park your car in the yard." in prompt for prompt in prompts)
    assert "knowledge -" not in report_in(Path(out))["candidate"]
    assert not (kept.folder / "data").exists()


# The bounds.


@pytest.mark.parametrize(
    ("bound", "code"),
    [
        (["--max-changed", "50%"], 0),
        (["--max-changed", "5%"], 1),
        (["--max-handoffs", "+0%"], 0),
        (["--max-tokens", "+10%"], 0),
        (["--max-failed", "0"], 0),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
async def test_a_bound_that_is_exceeded_is_exit_code_1(
    kept: Kept, asked: Stub, tmp_path: Path, bound: list[str], code: int
) -> None:
    done = await kept.replay(
        asked.url, "--file", "changed.toml", "--limit", "20", "--out", str(tmp_path / "o"), *bound
    )

    assert done.returncode == code, done.stderr
    assert bound[0] in done.stdout
    assert ("EXCEEDED" in done.stdout) == bool(code)


# Nothing is written, and nobody is asked.


async def test_nothing_is_written_but_the_results(kept: Kept, asked: Stub, tmp_path: Path) -> None:
    heard: list[str] = []

    async def bridge(wire: Wire) -> None:
        heard.append("a request")
        await refuses("500 No")(wire)

    before = kept.content()
    async with stub(bridge) as running:
        await kept.replay(
            asked.url,
            "--out",
            str(tmp_path / "out"),
            BRIDGE="elixir",
            ELIXIR_HTTP_URL=running.url.removesuffix("/v1"),
            ELIXIR_WEBSOCKET_URL=f"ws://{running.url.removeprefix('http://')}",
        )

    assert report_in(tmp_path / "out")["sums"]["after"]["handoffs"] > 0
    assert kept.content() == before
    assert heard == []
    assert running.connections == 0


async def test_a_file_that_cannot_be_written_can_be_replayed(
    kept: Kept, asked: Stub, tmp_path: Path
) -> None:
    file = tmp_path / "copy.sqlite3"
    file.write_bytes((kept.folder / "kept.sqlite3").read_bytes())
    file.chmod(0o400)
    out = str(tmp_path / "out")
    done = await kept.replay(asked.url, "--limit", "2", "--out", out, SQLITE_PATH=str(file))

    assert done.returncode == 0, done.stderr


TOOLS = """
[tools.booking]
url = "{}"
allow.find_tables = {{ effect = "read", bind = {{ customer = "user" }} }}
"""


@pytest.mark.parametrize(
    ("changed", "kinds", "diverged"),
    [
        (False, [], []),
        (True, ["tools", "numbers", "words"], ['find_tables {"day":"2026-11-20","guests":5}']),
    ],
)
async def test_a_tool_of_the_business_s_own_server_is_not_called(
    asked: Stub, tmp_path: Path, changed: bool, kinds: list[str], diverged: list[str]
) -> None:
    state = ToolServerState(tmp_path / "state.db")
    async with SqliteStore(tmp_path / "kept.sqlite3") as store:
        await record_one(store, customer("b1", "u1"), [TABLE_QUESTION])
    file = business_file(tmp_path / "businesses", instruction=PRICES if changed else "")
    out = tmp_path / "out"
    kept = Kept(
        tmp_path, {"STORE": "sqlite", "SQLITE_PATH": "kept.sqlite3", "BUSINESSES": "businesses"}
    )
    with ToolServerProcess(state) as server:
        file.write_text(file.read_text() + TOOLS.format(server.url))
        done = await kept.replay(asked.url, "--out", str(out))
    away = await kept.replay(asked.url, "--out", str(tmp_path / "away"))
    (turn,) = report_in(out)["turns"]

    assert done.returncode == 0, done.stderr
    assert state.calls("find_tables") == []
    assert turn.get("changes", []) == kinds
    assert turn.get("diverged", []) == diverged
    assert ("not in the record, not executed" in (out / "report.html").read_text()) == changed
    assert away.returncode == 1
    assert "tools.booking" in away.stderr


# Exports.


async def test_an_export_is_replayed_as_the_store_is(
    kept: Kept, asked: Stub, tmp_path: Path
) -> None:
    exports = []
    for user in ("u4", "u8"):
        file = tmp_path / f"{user}.json"
        await asyncio.to_thread(
            command,
            kept.folder,
            *("sessions", "export", "b1", user, "--output", str(file)),
            **environment_of(asked.url, **kept.settings),
        )
        exports += ["--from", str(file)]
    out = tmp_path / "out"
    done = await kept.replay(
        asked.url, *exports, "--file", "changed.toml", "--out", str(out), STORE="memory"
    )
    report = report_in(out)

    assert done.returncode == 0, done.stderr
    assert report["sums"]["turns"] == 4
    assert changes(report) >= {("What is there for lunch today?", ("numbers",))}
    assert {each["sessionId"] for each in report["turns"]} == {"s-b1-u4", "s-b1-u8"}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"no json", "is no JSON"),
        (b"\xff\xfe", "is no JSON"),
        (b'{"conversations": [{"messages": [{"a": ' + b"[" * 100_000, "is no JSON"),
        (b"[]", "is no export"),
        (b'{"businessId": "b1", "userId": "u1"}', "is no export"),
        (b'{"businessId": "b2", "userId": "u1", "conversations": []}', "is of the business b2"),
        (
            b'{"businessId": "b1", "userId": "u1", "conversations": [{"conversation": {}, '
            b'"messages": []}]}',
            "is no export",
        ),
        (b'{"businessId": "b1", "userId": "u1", "conversations": []}', "no recorded answers"),
    ],
    ids=["text", "bytes", "deep", "list", "lacking", "another", "empty-head", "nothing"],
)
async def test_a_file_that_is_no_export_is_refused_by_name(
    kept: Kept, asked: Stub, tmp_path: Path, content: bytes, complaint: str
) -> None:
    file = tmp_path / "export.json"
    file.write_bytes(content)
    done = await kept.replay(asked.url, "--from", str(file), "--out", str(tmp_path / "out"))

    assert done.returncode in (1, 2)
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr
    assert asked.requests == []


async def test_a_file_that_is_too_large_is_not_read(
    kept: Kept, asked: Stub, tmp_path: Path
) -> None:
    file = tmp_path / "export.json"
    file.touch()
    os.truncate(file, 64 * 1024 * 1024 + 1)
    done = await kept.replay(asked.url, "--from", str(file), "--out", str(tmp_path / "out"))

    assert done.returncode == 2
    assert "is larger than 64 MiB" in done.stderr


async def test_what_an_export_has_of_kinds_that_are_not_known_is_left_out(
    kept: Kept, asked: Stub, tmp_path: Path
) -> None:
    file = tmp_path / "export.json"
    message = {
        "kind": "message",
        "timestamp": "2026-01-01T10:00:00.000Z",
        "actions": [{"type": "strange", "items": [[[]]]}],
    }
    hostile = "<script>alert(1)</script>\u202eevil\u0007"
    log = [
        {**message, "seq": 1, "author": "user", "messageId": "m1", "message": hostile},
        {"kind": "hologram", "seq": 2, "x": {}},
        {
            **message,
            **{"seq": 3, "author": "ai", "messageId": "m2", "inReplyTo": ["m1"]},
            "message": '"><img src=x onerror=alert(1)>$business',
        },
    ]
    head = {
        "sessionId": "</title>",
        "businessId": "b1",
        "userId": "u1",
        "openedAt": "2026-01-01T10:00:00.000Z",
        "updatedAt": "2026-01-01T10:00:00.000Z",
    }
    export = {
        "businessId": "b1",
        "userId": "u1",
        "conversations": [{"conversation": head, "messages": log}],
    }
    file.write_text(json.dumps(export))
    out = tmp_path / "out"
    done = await kept.replay(asked.url, "--from", str(file), "--out", str(out))
    page = (out / "report.html").read_text()

    assert done.returncode == 0, done.stderr
    assert report_in(out)["sums"]["turns"] == 1
    assert "<script" not in page
    assert "<img" not in page
    assert page.count("</title>") == 1
    assert "\u202e" not in page + done.stdout
    assert "$business" in page


# Stopped, and gone on with.


async def test_a_stopped_replay_goes_on_where_it_was(kept: Kept, tmp_path: Path) -> None:
    out = tmp_path / "out"
    reached = asyncio.Event()
    count = 0

    async def slow(wire: Wire) -> None:
        nonlocal count
        count += 1
        if count > 60:
            reached.set()
            await wire.gone()
            return
        await model(wire)

    arguments = ("replay", "--business", "b1", "--out", str(out))
    async with stub(slow) as running:
        process = await asyncio.create_subprocess_exec(
            *COMMAND,
            *arguments,
            cwd=kept.folder,
            env={
                **ENVIRONMENT,
                "PYTHONPATH": str(ROOT),
                **environment_of(running.url, **kept.settings),
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        await asyncio.wait_for(reached.wait(), 30)
        process.send_signal(signal.SIGINT)
        output, log = await asyncio.wait_for(process.communicate(), 20)
    done = len((out / "turns.jsonl").read_bytes().splitlines())
    _tear(out / "turns.jsonl")

    assert process.returncode == 130, log.decode()
    assert f"--resume --out {out} goes on" in output.decode()
    assert b"Traceback" not in log
    assert not (out / "report.json").exists()
    async with stub(model) as running:
        again = await kept.replay(running.url, "--out", str(out), "--resume")
        sent = len(running.requests)
    report = report_in(out)

    assert again.returncode == 0, again.stderr
    assert 0 < done < 400
    assert report["sums"]["turns"] == 400
    assert report["sums"]["after"]["failed"] == 0
    assert sent < 490 - done


def _tear(file: Path) -> None:
    """Add the beginning of a line, as a crash leaves it."""
    with open(file, "ab") as opened:
        opened.write(b'{"sessionId": "torn')


async def test_a_replay_goes_on_with_its_own_candidate_alone(
    kept: Kept, asked: Stub, tmp_path: Path
) -> None:
    out = ("--out", str(tmp_path / "out"))
    await kept.replay(asked.url, "--limit", "1", *out)
    sent = len(asked.requests)
    twice = await kept.replay(asked.url, "--limit", "1", *out)
    other = await kept.replay(asked.url, "--limit", "1", *out, "--resume", "--file", "changed.toml")
    same = await kept.replay(asked.url, "--limit", "1", *out, "--resume")

    assert [each.returncode for each in (twice, other, same)] == [2, 2, 0]
    assert "has a replay" in twice.stderr
    assert "another candidate" in other.stderr
    assert len(asked.requests) == sent


async def test_a_model_that_is_away_is_a_failed_turn_and_in_the_end_the_end(
    kept: Kept, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    async with stub(refuses("401 Unauthorized", message="no such key")) as running:
        few = await kept.replay(running.url, "--limit", "2", "--out", str(out), "--max-failed", "0")
        many = await kept.replay(running.url, "--out", str(tmp_path / "many"))
    report = report_in(out)

    assert few.returncode == 1
    assert report["sums"]["after"]["failed"] == 4
    assert report["sums"]["byKind"] == {"failed": 4}
    assert many.returncode == 1
    assert "20 turns in a row have failed" in many.stderr
    async with stub(model) as running:
        again = await kept.replay(running.url, "--limit", "2", "--out", str(out), "--resume")

    assert again.returncode == 0, again.stderr
    assert report_in(out)["sums"]["after"]["failed"] == 0


# The page.


async def test_the_page_loads_nothing_and_shows_the_kind_that_is_chosen(
    kept: Kept, asked: Stub, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    await kept.replay(asked.url, "--file", "changed.toml", "--limit", "20", "--out", str(out))
    changed = report_in(out)["sums"]["changed"]
    said: list[str] = []
    async with chromium() as browser:
        for width in (1280, 360):
            page = await browser.new_page(viewport={"width": width, "height": 800})
            page.on("console", lambda message: said.append(message.text))
            page.on("request", lambda request: said.append(request.url))
            await page.goto((out / "report.html").as_uri())
            assert await page.locator("article:visible").count() == changed
            await page.get_by_text("All", exact=False).last.click()
            assert await page.locator("article:visible").count() == 40
            await page.get_by_text("numbers", exact=False).first.click()
            assert await page.locator("article:visible").count() == changed
            assert await page.evaluate("document.documentElement.scrollWidth") == width
            assert await page.locator("article:visible ins").first.inner_text() != ""

    assert said == [(out / "report.html").as_uri()] * 2


# Wrong usage.


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--business", "nobody"], "there is no business nobody"),
        (["--business", "b1", "--resume"], "--resume needs --out"),
        (["--business", "b1", "--max-changed", "lots"], "is not a percentage"),
        (["--business", "b1", "--file", "missing.toml"], "does not exist"),
        (["--business", "b1", "--against", "businesses"], "is no folder of a replay"),
        (["--business", "b1", "--file", "broken.toml"], "broken.toml"),
        ([], "Missing option '--business'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
async def test_wrong_usage_is_exit_code_2(
    kept: Kept, asked: Stub, arguments: list[str], complaint: str
) -> None:
    (kept.folder / "broken.toml").write_text("name = 1\n")
    environment = environment_of(asked.url, **kept.settings)
    done = await asyncio.to_thread(command, kept.folder, "replay", *arguments, **environment)

    assert done.returncode == 2, done.stderr
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr
    assert asked.requests == []


# DynamoDB.


@pytest.mark.dynamodb
async def test_dynamodb_is_read_and_not_written(asked: Stub, tmp_path: Path) -> None:
    running = engine(DYNOXIDE)
    table = running.table(tmp_path)
    async with dynamo_store(running.url, table, BEGAN) as store:
        await record(store, 8)
    before = running.items(table)
    business_file(tmp_path / "businesses")
    file = business_file(tmp_path, instruction=PRICES, name="changed")
    environment = environment_of(
        asked.url,
        STORE="dynamodb",
        DYNAMODB_TABLE=table,
        DYNAMODB_ENDPOINT_URL=running.url,
        AWS_ACCESS_KEY_ID="x",
        AWS_SECRET_ACCESS_KEY="x",
        AWS_DEFAULT_REGION="eu-central-1",
        BUSINESSES="businesses",
    )
    out = tmp_path / "out"
    done = await asyncio.to_thread(
        command,
        tmp_path,
        *("replay", "--business", "b1", "--file", str(file), "--out", str(out)),
        **environment,
    )
    report = report_in(out)

    assert done.returncode == 0, done.stderr
    assert report["sums"]["turns"] == 16
    assert report["sums"]["byKind"] == {"numbers": report["sums"]["changed"]}
    assert _in_order(running.items(table)) == _in_order(before)
    assert os.listdir(out)


def _in_order(items: list[Any]) -> list[str]:
    return sorted(json.dumps(item, sort_keys=True) for item in items)
