"""The reference bridge can be removed: nothing but the commands that run it needs it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.test_architecture import PACKAGES, ROOT

SERVER = """
from entrypoints.server.app import create_app
from entrypoints.settings import Settings

app = create_app(Settings(store="memory", bridge="elixir"))
print(type(app).__name__)
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources without the bridge."""
    folder = tmp_path_factory.mktemp("without_bridge")
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, folder / package, ignore=shutil.ignore_patterns("bridge", "__pycache__")
        )
    return folder


def run(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=tree, capture_output=True, text=True, timeout=50
    )


def test_the_copy_lacks_the_bridge(tree: Path) -> None:
    missing = [
        package
        for package in PACKAGES
        if (ROOT / package / "bridge").is_dir() and not (tree / package / "bridge").exists()
    ]

    assert missing == list(PACKAGES)


def test_the_server_is_built_without_the_bridge(tree: Path) -> None:
    ran = run(tree, "-c", SERVER)

    assert (ran.stdout, ran.stderr) == ("Litestar\n", "")


def test_the_command_line_works_without_the_bridge(tree: Path) -> None:
    ran = run(tree, "-m", "entrypoints.cli.main", "--help")

    assert ran.returncode == 0
    assert ran.stdout.startswith("Usage:")


@pytest.mark.parametrize("command", ["bridge", "dev"])
def test_a_command_that_needs_the_bridge_says_that_it_is_missing(tree: Path, command: str) -> None:
    ran = run(tree, "-m", "entrypoints.cli.main", command, "--port", "0")

    assert ran.returncode == 2
    assert ran.stderr == "Error: the reference bridge is not part of this installation\n"
