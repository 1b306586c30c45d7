"""The container image, without a container engine: its root file system does the whole mission.

The server and the bridge are set up as compose.yaml has them.
`make image` builds it (`container/image`), and runs this with IMAGE, the folder of what was built.
Each container is a process in namespaces of its own, as the image says: its user, its command, its
environment and its health check, with a root file system that nothing can be written to.
"""

import asyncio
import json
import os
import signal
import subprocess
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.compose import OURS, composed, on_this_machine, secrets
from tests.support.mission import meet
from tests.support.redis_server import redis_server
from tests.support.server import free_port

pytestmark = [pytest.mark.image, pytest.mark.timeout(300)]

QUICK = {"LIMIT_SOCKETS": "200", "TURN_QUIET_MS": "0", "SCRIPTED_DELAY_MS": "0"}
# The root is read-only but for /data and /tmp, as with `docker run --read-only --tmpfs /tmp`. The
# last command gets the container's first process: signals reach it, or they do not.
ENTER = """
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
mount --bind "$2" "$1/data"
mount -o remount,bind,ro "$1"
mount -t tmpfs tmpfs "$1/tmp"
mount -t proc proc "$1/proc"
mount --bind /dev/null "$1/dev/null" 2>/dev/null || true
cd "$1"
shift 2
exec chroot --userspec=10001:10001 . "$@"
"""


class Image:
    """What `container/image` has built."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "rootfs"
        self._config: dict[str, Any] = json.loads((folder / "config.json").read_text())

    @property
    def entrypoint(self) -> list[str]:
        return list(self._config["Entrypoint"])

    @property
    def command(self) -> list[str]:
        return list(self._config["Cmd"])

    @property
    def health_check(self) -> list[str]:
        kind, *command = map(str, self._config["Healthcheck"]["Test"])
        assert kind == "CMD"
        return command

    @property
    def user(self) -> str:
        return str(self._config["User"])

    def environment(self, chosen: Mapping[str, str]) -> list[str]:
        """Return the image's variables and the chosen ones, as `NAME=value`."""
        own = dict(each.split("=", 1) for each in self._config["Env"])
        return [f"{name}={value}" for name, value in {**own, **chosen}.items()]


@pytest.fixture(scope="module")
def image() -> Image:
    return Image(Path(os.environ["IMAGE"]))


def entered(
    image: Image, data: Path, command: Sequence[str], chosen: Mapping[str, str]
) -> list[str]:
    """Return the command line that runs a command in a container of the image."""
    data.mkdir(exist_ok=True)
    os.chown(data, 10001, 10001)
    inside = ["/usr/bin/env", "--ignore-environment", *image.environment(chosen), *command]
    namespaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
    return [*namespaces, "sh", "-c", ENTER, "sh", str(image.root), str(data), *inside]


def run(image: Image, data: Path, *command: str, **chosen: str) -> subprocess.CompletedProcess[str]:
    line = entered(image, data, command, chosen)
    return subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)


class Running:
    """A container that listens at `address`."""

    def __init__(self, address: str, process: Process) -> None:
        self.address = address
        self._process = process

    async def stop(self) -> int:
        """Send SIGTERM to the container's first process, and return its exit code."""
        os.kill(_first_child(self._process.pid), signal.SIGTERM)
        return await asyncio.wait_for(self._process.wait(), 60)


def _first_child(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text())


@asynccontextmanager
async def container(
    image: Image, data: Path, *command: str, port: int, **chosen: str
) -> AsyncIterator[Running]:
    arguments = [*image.entrypoint, *(command or image.command)]
    line = entered(image, data, arguments, {**QUICK, **chosen})
    log = data.with_suffix(".log")
    with log.open("w") as written:
        process = await asyncio.create_subprocess_exec(*line, stderr=written)
    health = {"HEALTH_URL": f"http://127.0.0.1:{port}/health"}
    try:
        for _ in range(100):
            assert process.returncode is None, log.read_text()
            checked = await asyncio.to_thread(run, image, data, *image.health_check, **health)
            if checked.returncode == 0:
                break
        else:
            raise AssertionError(f"it does not become healthy: {log.read_text()}")
        yield Running(f"127.0.0.1:{port}", process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def token(image: Image, data: Path, secret: str, kind: str, *arguments: str) -> str:
    command = ("ai-agent-server", "token", kind, "--business", "b1", *arguments)
    printed = run(image, data, *command, JWT_SECRET=secret)
    assert printed.returncode == 0, printed.stderr
    return printed.stdout.strip()


async def test_customer_ai_and_coordinator_meet_in_the_containers_of_compose(
    image: Image, tmp_path: Path
) -> None:
    made = secrets()
    services = composed(made)["services"]
    server_port, bridge_port = free_port(), free_port()
    own_ports = {"SERVER_PORT": str(server_port), "BRIDGE_PORT": str(bridge_port)}
    server_data, bridge_data = tmp_path / "server", tmp_path / "bridge"
    with redis_server() as valkey:
        ports = {"valkey:6379": valkey.port, "server:3001": server_port, "bridge:4000": bridge_port}
        at_server, at_bridge = (
            {**own_ports, **on_this_machine(services[name]["environment"], ports, Path("/data"))}
            for name in OURS
        )
        command = services["bridge"]["command"]
        async with (
            container(image, bridge_data, *command, port=bridge_port, **at_bridge) as bridge,
            container(image, server_data, port=server_port, **at_server) as server,
        ):
            secret = made["JWT_SECRET"]
            await meet(
                server.address,
                bridge.address,
                of_ana=token(image, server_data, secret, "user", "--user", "u1"),
                of_maria=token(image, server_data, secret, "coordinator", "--coordinator", "Maria"),
            )
            assert await server.stop() == 0
            assert await bridge.stop() == 0
    assert (server_data / "conversations.sqlite3").exists()


def test_it_is_not_root_and_nothing_can_be_written_beside_the_data(
    image: Image, tmp_path: Path
) -> None:
    tried = run(
        image, tmp_path / "data", "sh", "-c", "id -u; touch /opt/x /etc/x /usr/x; touch /data/x"
    )

    assert image.user.startswith("10001")
    assert tried.stdout.split() == ["10001"]
    assert tried.stderr.count("Read-only file system") == 3
    assert (tmp_path / "data" / "x").exists()


def test_it_has_what_the_lock_names_and_no_tool_that_installs_more(
    image: Image, tmp_path: Path
) -> None:
    listed = run(
        image,
        tmp_path / "data",
        "python",
        "-c",
        "from importlib.metadata import distributions as d\n"
        "print(*(f'{each.name.lower()}=={each.version}' for each in d()), sep='\\n')",
    )
    lock = Path("requirements.txt").read_text().lower()

    installed = {name for name in listed.stdout.split() if not name.startswith("ai-agent-server")}
    assert len(installed) > 20
    assert {
        each for each in installed if each.replace("_", "-").split("==")[0] not in lock
    } == set()
    assert not {"pip", "setuptools"} & {each.split("==")[0] for each in installed}


def test_an_address_that_everybody_reaches_wants_tokens(image: Image, tmp_path: Path) -> None:
    refused = run(image, tmp_path / "data", *image.entrypoint, *image.command)

    assert refused.returncode == 2
    assert "SOCKET_AUTH" in refused.stderr
