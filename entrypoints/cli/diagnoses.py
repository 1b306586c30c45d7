"""What `doctor` has found: a line each, and below them what to do."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    """It works, but less well or less safely than it seems."""
    PROBLEM = "problem"
    """It does not work, or is open to strangers."""


class Diagnosis(msgspec.Struct, frozen=True, rename="camel"):
    """What was seen of a part; why it matters and what to do are empty where it is well."""

    part: str
    name: str
    """Which one it is of its kind, such as the chosen adapter or the variable."""
    level: Level = Level.OK
    seen: str = ""
    why: str = ""
    what_to_do: str = ""


def shown_diagnoses(findings: Sequence[Diagnosis]) -> str:
    """Return the findings as text: all in short, and then what to do."""
    lines = [f"{each.part:<10} {each.name:<10} {_state(each)}" for each in findings]
    for each in findings:
        if each.level is not Level.OK and each.what_to_do:
            lines += ["", f"{each.part} {each.name}", f"  why: {each.why}"]
            lines += [f"  do:  {each.what_to_do}"]
    return "\n".join(lines)


def diagnoses_json(findings: Sequence[Diagnosis]) -> str:
    """Return the findings as JSON: `{"findings": [{"part", "name", "level", "seen", …}]}`."""
    return msgspec.json.format(msgspec.json.encode({"findings": findings})).decode()


def _state(finding: Diagnosis) -> str:
    return f"{finding.level}: {finding.seen}" if finding.seen else str(finding.level)
