"""The report: each figure and its goal, as a table for people and as JSON for machines."""

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One measured value; `goal` is the most it should be (None: for information)."""

    name: str
    value: float
    unit: str
    goal: float | None = None
    detail: str = ""

    @property
    def verdict(self) -> str:
        """`met`, or missed and by how much."""
        if self.goal is None:
            return ""
        if self.value <= self.goal:
            return "met"
        if self.goal == 0:
            return "MISSED"
        return f"MISSED by {(self.value / self.goal - 1) * 100:.0f} %"


class _Report(msgspec.Struct, frozen=True):
    at: datetime
    python: str
    machine: str
    cpus: int
    seconds: float
    figures: Sequence[Figure]
    missed: Sequence[str]


def table(figures: Sequence[Figure]) -> str:
    """One line per figure, its detail below it."""
    lines = [f"{'':46}{'measured':>14}{'goal':>14}"]
    for figure in figures:
        goal = "" if figure.goal is None else f"<= {_number(figure.goal, figure.unit)}"
        value = _number(figure.value, figure.unit)
        lines.append(f"{figure.name:46}{value:>14}{goal:>14}  {figure.verdict}".rstrip())
        if figure.detail:
            lines.append(f"    {figure.detail}")
    return "\n".join(lines)


def save(path: Path, figures: Sequence[Figure], seconds: float) -> None:
    """Write `{at, python, machine, cpus, seconds, figures: [...], missed: [names]}`."""
    report = _Report(
        at=datetime.now(UTC),
        python=platform.python_version(),
        machine=platform.platform(),
        cpus=os.cpu_count() or 1,
        seconds=round(seconds, 1),
        figures=figures,
        missed=[figure.name for figure in figures if figure.verdict.startswith("MISSED")],
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")


def _number(value: float, unit: str) -> str:
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f}{unit if unit == 'x' else ' ' + unit}"
