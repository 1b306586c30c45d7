"""What operators watch with: the alerts, the dashboard, and the metrics that both may name."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from adapters.bridge.metrics import BridgeMetrics
from adapters.prometheus import Metrics, ProcessState
from adapters.prometheus_text import FORMER_NAMES, machine_text
from application.ports import Backlog, TalkingChats
from domain.usage import Usage

CONTAINER = Path(__file__).parents[2] / "container"
ALERTS = CONTAINER / "prometheus/alerts.yml"
DASHBOARD = CONTAINER / "grafana/dashboard.json"
OF_PROMETHEUS = frozenset({"up", "ALERTS"})
"""The metrics that Prometheus makes itself."""
OF_SCRAPES = frozenset({"job", "instance"})
"""The labels that it adds."""

_STRING = r'"(?:[^"\\]|\\.)*"'
_SELECTOR = re.compile(r"([a-zA-Z_:][\w:]*)\s*(?:\{([^}]*)\})?")
_MATCHER = re.compile(rf"(\w+)\s*(=~|!~|!=|=)\s*({_STRING})")
_GROUPING = re.compile(
    r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)|\[[^\]]*\]"
)
_NO_METRIC = re.compile(r"\b\w+\s*\(|\b(?:and|or|unless|bool|offset|inf|nan)\b")
_SUFFIXES = {"histogram": ("_bucket", "_sum", "_count")}


def alerts() -> list[dict[str, Any]]:
    """Return the alerts, as their file has them."""
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def queries() -> dict[str, str]:
    """Return the queries of the dashboard's panels, by the panel's title and the query's letter."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return {
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in panels
        for target in panel.get("targets", ())
    }


@dataclass(slots=True)
class Family:
    """A metric: what is exposed of it."""

    name: str
    kind: str
    help_text: str
    labels: dict[str, set[str]] = field(default_factory=dict)
    """The values of each label that are there from the beginning."""

    @property
    def samples(self) -> tuple[str, ...]:
        """The names of its samples."""
        return tuple(self.name + suffix for suffix in _SUFFIXES.get(self.kind, ("",)))


def expositions() -> tuple[str, ...]:
    """Return what a server shows, with something of all that it counts, and what a bridge does."""
    metrics = Metrics()
    metrics.refused("invalid_payload", "new_message")
    metrics.conversation_rated(5)
    metrics.socket_closed(1000)
    metrics.inbound_event("stored")
    metrics.tokens_spent("answer", Usage())
    metrics.summary_ended("made", None)
    metrics.suggestion_ended("made", None)
    for operation in ("read", "write"):
        metrics.store_answered(operation, 0.0, False)
    bridge = BridgeMetrics()
    bridge.join("ok")
    machine = machine_text(
        Backlog(0, None),
        oldest_s=0.0,
        dependencies=dict.fromkeys(("store", "assistant", "bridge", "broker"), True),
        workers=1,
        workers_wanted=1,
    )
    process = metrics.text(ProcessState(0, TalkingChats(0, 0, 0.0)))
    return process.decode() + machine.decode(), bridge.text(0, True).decode()


def families() -> dict[str, Family]:
    """Return all metrics of the server and of the bridge, but those under their former names."""
    found: dict[str, Family] = {}
    for text in expositions():
        _read(text, found)
    former = {f"{name}{suffix}" for name in FORMER_NAMES for suffix in ("", "_total", "_created")}
    return {name: each for name, each in found.items() if name not in former}


def _read(text: str, found: dict[str, Family]) -> None:
    help_text = ""
    for line in text.splitlines():
        if line.startswith("# HELP "):
            help_text = line.split(" ", 3)[3]
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            if not name.endswith("_created"):
                family = found.setdefault(name, Family(name, kind, help_text))
        elif (labels := line.partition("{")[2]) and "_created{" not in line:
            for label, _, value in _MATCHER.findall(labels):
                if label != "le":
                    family.labels.setdefault(label, set()).add(value.strip('"'))


def problems(expression: str, known: Mapping[str, Family]) -> list[str]:
    """Return what a query names that is not there: metrics, their labels, and values of those."""
    by_sample = {sample: family for family in known.values() for sample in family.samples}
    return [
        problem
        for name, matchers in _selectors(expression)
        if name not in OF_PROMETHEUS
        for problem in _problems_of(name, matchers, by_sample)
    ]


def _selectors(expression: str) -> Iterator[tuple[str, str]]:
    """Yield each metric that is named, with its matchers."""
    without_numbers = re.sub(r"(?<![\w:])[\d.]+(?:[eE][+-]?\d+)?", " ", expression)
    braces = re.findall(r"\{[^}]*\}", without_numbers)
    shown = _GROUPING.sub("", re.sub(r"\{[^}]*\}", "{}", without_numbers))
    for found in _SELECTOR.finditer(_NO_METRIC.sub(" ", shown)):
        has_braces = found[2] is not None
        yield found[1], braces.pop(0) if has_braces else ""


def _problems_of(name: str, matchers: str, by_sample: Mapping[str, Family]) -> Iterator[str]:
    family = by_sample.get(name)
    if family is None:
        yield f"no metric {name}"
        return
    for label, how, value in _MATCHER.findall(matchers):
        values = value.strip('"').split("|") if "~" in how else [value.strip('"')]
        if label in OF_SCRAPES:
            continue
        if label not in family.labels:
            yield f"{name} has no label {label}"
        else:
            unknown = [each for each in values if each not in family.labels[label]]
            yield from (f"{name} never begins with {label}={each}" for each in unknown)
