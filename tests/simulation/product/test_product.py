"""The unmodified product under a simulated network and clock: a minute's worth of lives."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.simulation.product.interpreter import MISSING

ROOT = Path(__file__).parents[3]
PYTHON = ROOT / ".venv-sim/bin/python"
NOT_INSTALLED = f"{MISSING}, and `make .venv-sim/.installed` installs it"

pytestmark = pytest.mark.timeout(180)


def lives(*arguments: str) -> subprocess.CompletedProcess[str]:
    if not PYTHON.exists():
        if os.environ.get("CI"):
            pytest.fail(NOT_INSTALLED)
        pytest.skip(NOT_INSTALLED)
    command = [str(PYTHON), "-m", "tests.simulation.product", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_no_life_of_the_product_breaks_a_rule() -> None:
    lived = lives("--seeds", "1000", "--seconds", "10")

    assert lived.returncode == 0, lived.stdout[-12_000:] + lived.stderr[-4_000:]


def test_each_safeguard_is_missed_in_some_life() -> None:
    lived = lives("--safeguards", "recorded")

    assert lived.returncode == 0, lived.stdout + lived.stderr[-4_000:]


def test_a_seed_always_gives_the_same_life() -> None:
    arguments = ("--seeds", "4", "--keep-going", "--digests")
    once, again = lives(*arguments), lives(*arguments)

    assert once.stdout.count("seed ") >= 4
    assert once.stdout == again.stdout
