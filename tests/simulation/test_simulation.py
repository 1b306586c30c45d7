"""Several nodes under faults: some lives, and what happens without each safeguard."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def lives(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.simulation", *arguments]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def test_no_life_breaks_a_rule() -> None:
    lived = lives("--seeds", "2000", "--seconds", "15")

    assert lived.returncode == 0, lived.stdout[-12_000:] + lived.stderr[-4_000:]


def test_each_safeguard_is_missed_in_a_life_without_it() -> None:
    lived = lives("--safeguards")

    assert lived.returncode == 0, lived.stdout + lived.stderr[-4_000:]


def test_a_seed_always_gives_the_same_life() -> None:
    once, again = lives("--seeds", "8", "--digests"), lives("--seeds", "8", "--digests")

    assert once.stdout.count("seed ") == 8
    assert once.stdout == again.stdout
