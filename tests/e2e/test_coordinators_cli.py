"""`ai-agent-server coordinators`: who may be a coordinator, from the command line."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from adapters.files.coordinators import Coordinator, read_coordinators
from adapters.passwords import is_password
from domain.identity import CoordinatorId
from tests.support.coordinators import MARIA, PASSWORD, STEFAN
from tests.support.process import ROOT, command

FILE = "people.toml"


def coordinators(folder: Path, *arguments: str, typed: str = "") -> CompletedProcess[str]:
    """Run `ai-agent-server coordinators ARGUMENTS`."""
    return command(folder, "coordinators", *arguments, typed=typed, COORDINATORS=FILE)


def known(folder: Path, name: CoordinatorId = MARIA) -> Coordinator:
    return read_coordinators(folder / FILE).coordinators[name]


def add_maria(folder: Path, *businesses: str) -> CompletedProcess[str]:
    chosen = [part for each in businesses for part in ("--business", each)]
    return coordinators(folder, "add", MARIA, *chosen, "--password-stdin", typed=f"{PASSWORD}\n")


def test_coordinators_are_added_listed_and_removed(tmp_path: Path) -> None:
    first = add_maria(tmp_path, "b1")
    more = coordinators(tmp_path, "add", "Maria  Ionescu", "--business", "b2")
    coordinators(tmp_path, "add", STEFAN, "--business", "b1", "--generate")
    listed = coordinators(tmp_path, "list").stdout.splitlines()
    fewer = coordinators(tmp_path, "remove", MARIA, "--business", "b1").stdout
    gone = coordinators(tmp_path, "remove", STEFAN).stdout

    assert first.stdout == "Maria Ionescu is a coordinator of b1\n"
    assert more.stdout == "Maria Ionescu is a coordinator of b1, b2; the password stays\n"
    assert [" ".join(line.split()) for line in listed] == ["Maria Ionescu b1, b2", "Ștefan b1"]
    assert fewer == "Maria Ionescu is a coordinator of b2\n"
    assert gone == "Ștefan is no coordinator any more\n"
    assert set(read_coordinators(tmp_path / FILE).coordinators) == {MARIA}
    assert is_password(PASSWORD, known(tmp_path).password)


def test_a_password_is_generated_and_printed_once(tmp_path: Path) -> None:
    made = coordinators(tmp_path, "add", MARIA, "--business", "b1", "--generate").stdout
    again = coordinators(tmp_path, "password", MARIA, "--generate").stdout
    first, second = (re.findall(r"^password: (\S+)$", text, re.M)[0] for text in (made, again))

    assert first != second
    assert is_password(second, known(tmp_path).password)
    assert known(tmp_path).businesses == ("b1",)


def test_a_password_is_asked_for_twice_on_a_terminal_and_not_shown(tmp_path: Path) -> None:
    terminal, end = pty.openpty()
    started = subprocess.Popen(
        [sys.executable, "-m", "entrypoints.cli.main", "coordinators", "add", MARIA,
         "--business", "b1"],
        cwd=tmp_path, stdin=end, stdout=end, stderr=end, start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COORDINATORS": FILE},
    )  # fmt: skip
    os.close(end)
    shown = b""
    with os.fdopen(terminal, "r+b", buffering=0) as typing:
        for prompt in (b"Password: ", b"Repeat for confirmation: "):
            while not shown.endswith(prompt):
                shown += typing.read(1)
            typing.write(f"{PASSWORD}\n".encode())
        while not shown.rstrip().endswith(b"is a coordinator of b1"):
            shown += typing.read(1)
    code = started.wait()

    assert code == 0
    assert PASSWORD not in shown.decode()
    assert is_password(PASSWORD, known(tmp_path).password)


@pytest.mark.parametrize(
    ("arguments", "typed", "code", "complaint"),
    [
        (["add", "X", "--business", "b1"], "", 2, "--password-stdin or --generate"),
        (["add", "X"], "", 2, "Missing option '--business'"),
        (["add", "X", "--business", "b1", "--password-stdin"], "fourteen chars", 1, "15 to 1,024"),
        (["add", "X", "--business", "b1", "--password-stdin"], "x" * 1_025, 1, "15 to 1,024"),
        (["add", "X", "--business", "b1", "--password-stdin", "--generate"], "", 2, "exclude"),
        (["add", "X", "--business", "b:1", "--generate"], "", 2, "must not contain a colon"),
        (["add", "X\u202e", "--business", "b1", "--generate"], "", 2, "NAME must be a name"),
        (["password", "X", "--generate"], "", 1, "X is no coordinator"),
        (["remove", "X"], "", 1, "X is no coordinator"),
        (["remove", MARIA, "--business", "b9"], "", 1, "is no coordinator of b9"),
    ],
)
def test_what_is_wrong_is_told_in_one_line_and_changes_nothing(
    tmp_path: Path, arguments: list[str], typed: str, code: int, complaint: str
) -> None:
    add_maria(tmp_path, "b1")
    before = (tmp_path / FILE).read_bytes()
    refused = coordinators(tmp_path, *arguments, typed=typed)

    assert refused.returncode == code
    assert complaint in refused.stderr.splitlines()[-1]
    assert (tmp_path / FILE).read_bytes() == before


def test_without_the_setting_the_file_is_here_and_the_command_says_what_to_set(
    tmp_path: Path,
) -> None:
    made = command(tmp_path, "coordinators", "add", "X", "--business", "b1", "--generate")

    assert made.stdout.endswith("Then: set COORDINATORS=coordinators.toml\n")
    assert (tmp_path / "coordinators.toml").stat().st_mode & 0o777 == 0o600


def test_check_tells_a_file_that_is_not_good(tmp_path: Path) -> None:
    add_maria(tmp_path, "b1")
    good = command(tmp_path, "check", COORDINATORS=FILE)
    (tmp_path / FILE).chmod(0o644)
    bad = command(tmp_path, "check", COORDINATORS=FILE)

    assert (good.returncode, bad.returncode) == (0, 1)
    assert re.search(r"^sign-in +people.toml +ok$", good.stdout, re.M)
    assert "problem: people.toml: others can read it" in bad.stdout
