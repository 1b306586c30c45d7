"""An earlier version's database under the real programs: nothing is lost, and everybody goes on."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.process import command, server
from tests.support.snapshots import GENERATIONS, RELEASES, Generation, restored
from tests.support.user import user

AT_ONCE = {"TURN_QUIET_MS": "0", "SCRIPTED_DELAY_MS": "0"}


def logs(export: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the log of each conversation of an export."""
    return {each["conversation"]["sessionId"]: each["messages"] for each in export["conversations"]}


def lost(export: dict[str, Any], former: dict[str, Any]) -> list[str]:
    """Return the conversations of which an export lacks, or has changed, what the former had."""
    now = logs(export)
    return [name for name, log in logs(former).items() if now.get(name, [])[: len(log)] != log]


def written(export: dict[str, Any]) -> list[str]:
    return [each["message"] for log in logs(export).values() for each in log if "message" in each]


@pytest.mark.parametrize("generation", GENERATIONS, ids=repr)
async def test_an_old_database_upgrades_with_nothing_lost_and_its_customers_go_on(
    generation: Generation, tmp_path: Path
) -> None:
    file = restored(f"{generation.name}.sql", tmp_path / "conversations.sqlite3")
    settings = {"SQLITE_PATH": str(file), **AT_ONCE}
    # A business's id has no `:` any more: what is stored under one can be read, but not joined.
    joinable = [each for each in generation.exports if ":" not in each["businessId"]]
    async with (
        server(tmp_path, **settings) as running,
        httpx.AsyncClient(base_url=f"http://{running.address}") as api,
    ):

        async def exported(former: dict[str, Any]) -> dict[str, Any]:
            who = f"{former['businessId']}/{former['userId']}"
            export: dict[str, Any] = (await api.get(f"/api/users/{who}/export")).json()
            return export

        at_first = [lost(await exported(former), former) for former in generation.exports]
        for former in joinable:
            who = former["businessId"], former["userId"]
            async with user(running.address, *who) as customer:
                await customer.join()
                await customer.say("Mai sunteți acolo?", messageId="again")
        since = [await exported(former) for former in generation.exports]
    business_id, user_id = joinable[0]["businessId"], joinable[0]["userId"]
    shown = command(tmp_path, "sessions", "export", business_id, user_id, **settings)
    checked = command(tmp_path, "check", **settings)

    assert joinable
    assert [*at_first, *map(lost, since, generation.exports)] == [[]] * 2 * len(generation.exports)
    assert all(
        ("Mai sunteți acolo?" in written(export)) == (":" not in export["businessId"])
        for export in since
    )
    assert lost(json.loads(shown.stdout), joinable[0]) == []
    assert (shown.returncode, checked.returncode) == (0, 0)


@pytest.mark.parametrize(
    "name", ["bridge.sql", "bridge-2.sql", "bridge-3.sql", *(f"{r}.bridge.sql" for r in RELEASES)]
)
async def test_the_bridge_serves_what_an_earlier_version_stored(name: str, tmp_path: Path) -> None:
    file = restored(name, tmp_path / "bridge.sqlite3")
    settings = {"BRIDGE_SQLITE_PATH": str(file), "AGENT_SERVER_URL": "http://127.0.0.1:9"}
    async with (
        server(tmp_path, name="bridge", **settings) as running,
        user(running.address) as maria,
    ):
        maria.topic = "coordinators:bistro-1"
        joined = await maria.request(
            "phx_join", {"businessId": "bistro-1", "coordinatorId": "maria"}
        )
        backed_up = command(tmp_path, "backup", "bridge.backup", "--bridge", **settings)

    assert joined["chats"]
    assert backed_up.returncode == 0, backed_up.stderr


async def test_a_running_server_is_backed_up_and_a_stopped_one_restored(tmp_path: Path) -> None:
    async with server(tmp_path, **AT_ONCE) as running:
        async with user(running.address) as ana:
            await ana.join()
            await ana.say("Bună!", messageId="m1")
            await ana.wait_for("new_message")
            backed_up = command(tmp_path, "backup", "night.sqlite3", fresh=True)
            await ana.say("Și încă ceva", messageId="m2")
        beside = command(tmp_path, "restore", "night.sqlite3")
        again = command(tmp_path, "backup", "night.sqlite3")
        others = command(tmp_path, "restore", "night.sqlite3", "--bridge")
    restored_ = command(tmp_path, "restore", "night.sqlite3")
    async with server(tmp_path, **AT_ONCE) as running, user(running.address) as ana:
        messages = [each.get("message") for each in (await ana.join())["messages"]]

    database = tmp_path / "data" / "conversations.sqlite3"
    copy = tmp_path / "night.sqlite3"
    assert backed_up.returncode == 0, backed_up.stderr
    assert backed_up.stdout.startswith(f"backed up {database} to {copy}: 1 sessions, ")
    assert (beside.returncode, beside.stderr) == (
        1,
        f"Error: {database} is in use: stop what has it open, and try again\n",
    )
    assert (again.returncode, again.stderr) == (
        1,
        f"Error: {copy} exists, and a backup replaces nothing\n",
    )
    assert (others.returncode, others.stderr) == (
        1,
        f"Error: {copy} is no database of the reference bridge\n",
    )
    assert restored_.returncode == 0, restored_.stderr
    assert f"\nthe former database is {database}.before-" in restored_.stdout
    assert "Bună!" in messages
    assert "Și încă ceva" not in messages


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"STORE": "memory"}, "STORE=memory stores nothing that could be backed up"),
        (
            {"STORE": "dynamodb", "DYNAMODB_TABLE": "t-1"},
            "STORE=dynamodb has backups of its own, point-in-time recovery: see docs/dynamodb.md",
        ),
    ],
)
def test_what_is_no_file_is_not_backed_up(
    tmp_path: Path, settings: dict[str, str], complaint: str
) -> None:
    for name in ("backup", "restore"):
        answered = command(tmp_path, name, "file", **settings)

        assert (answered.returncode, answered.stderr) == (2, f"Error: {complaint}\n")
