"""What compose.yaml says, run without a container engine: the mission passes."""

from pathlib import Path

import pytest

from tests.support.compose import OURS, composed, of_image, on_this_machine, secrets
from tests.support.mission import meet
from tests.support.process import command, server
from tests.support.redis_server import valkey_server
from tests.support.server import free_port

pytestmark = pytest.mark.timeout(90)


async def test_the_server_and_the_bridge_of_compose_do_the_mission(tmp_path: Path) -> None:
    made = secrets()
    services = composed(made)["services"]
    ports = {name: free_port() for name in OURS}
    with valkey_server() as valkey:
        mapped = {"valkey:6379": valkey.port}
        mapped |= {"server:3001": ports["server"], "bridge:4000": ports["bridge"]}
        environments = {}
        for name in OURS:
            data = tmp_path / name
            data.mkdir()
            given = {**of_image(), **services[name]["environment"]}
            environments[name] = on_this_machine(given, mapped, data)
        bridge_name, *_ = services["bridge"]["command"]
        async with (
            server(
                tmp_path / "bridge",
                name=bridge_name,
                port=str(ports["bridge"]),
                **environments["bridge"],
            ),
            server(tmp_path / "server", port=str(ports["server"]), **environments["server"]),
        ):

            def token(kind: str, *arguments: str) -> str:
                settings = {"JWT_SECRET": made["JWT_SECRET"]}
                done = command(tmp_path, "token", kind, "--business", "b1", *arguments, **settings)
                assert done.returncode == 0, done.stderr
                return done.stdout.strip()

            await meet(
                f"127.0.0.1:{ports['server']}",
                f"127.0.0.1:{ports['bridge']}",
                of_ana=token("user", "--user", "u1"),
                of_maria=token("coordinator", "--coordinator", "Maria"),
            )
    assert (tmp_path / "server/conversations.sqlite3").exists()
    assert (tmp_path / "bridge/bridge.sqlite3").exists()
