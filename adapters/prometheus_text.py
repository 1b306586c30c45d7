"""Prometheus' text format: the names of metrics, those that they had, and plain numbers as metrics.

Names begin with `ai_agent_` and end with the unit, `_total` for counts; those of the process itself
are Prometheus' own (`process_`).
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from itertools import accumulate

from prometheus_client import Metric, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.registry import Collector

from application.ports import Backlog

PREFIX = "ai_agent_"
FORMER_NAMES = frozenset(
    {
        "first_token_seconds",
        "joins",
        "limits_met",
        "log_lines_dropped",
        "model_calls",
        "model_tokens",
        "notices",
        "outbox_depth",
        "refusals",
        "slow_consumers",
        "sockets_closed",
        "sockets_open",
        "suggestions",
        "summaries",
        "turn_seconds",
        "turns",
    }
)
"""The metrics that had no prefix: each is repeated under that name, for one release."""

_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class _BothNames(Collector):
    """Metrics, and after each that had another name the same once more under that one."""

    def __init__(self, metrics: Collector) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        for metric in self._metrics.collect():
            yield metric
            if (former := metric.name.removeprefix(PREFIX)) in FORMER_NAMES:
                yield _renamed(metric, former)


def _renamed(metric: Metric, name: str) -> Metric:
    renamed = Metric(name, f"Deprecated: use {metric.name}", metric.type)
    renamed.samples = [
        sample._replace(name=sample.name.removeprefix(PREFIX)) for sample in metric.samples
    ]
    return renamed


def exposition(*metrics: Collector) -> bytes:
    """Return the metrics in Prometheus' text format, under their former names, too."""
    return b"".join(generate_latest(_BothNames(each)) for each in metrics)


class _Families(Collector):
    """Families that are there already."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def gauge(name: str, help_text: str, value: float) -> Metric:
    """Return a gauge; `name`: without the prefix."""
    return GaugeMetricFamily(PREFIX + name, help_text, value=value)


@cache
def _version() -> str:
    try:
        return version("ai-agent-server")
    except PackageNotFoundError:
        return "unknown"


def build_info() -> Collector:
    """Return the metric of the program's version."""
    info = GaugeMetricFamily(
        f"{PREFIX}build_info", "Always 1; the label is what runs", labels=["version"]
    )
    info.add_metric([_version()], 1)
    return _Families([info])


def machine_text(
    backlog: Backlog | None,
    *,
    oldest_s: float,
    dependencies: Mapping[str, bool],
    workers: int,
    workers_wanted: int,
) -> bytes:
    """Return the exposition of what is the same for all workers of a machine, or is about them.

    `backlog`: None, where the store does not answer. `oldest_s`: for how long its oldest notice has
    been due. `dependencies`: those that are configured, and whether each is well.
    """
    up = GaugeMetricFamily(
        f"{PREFIX}dependency_up",
        "1 while a dependency is well for all workers, else 0; without those not configured",
        labels=["dependency"],
    )
    for dependency, is_well in dependencies.items():
        up.add_metric([dependency], is_well)
    depth = backlog.depth if backlog is not None else -1
    families = [
        up,
        gauge("outbox_depth", "Notices not delivered yet; -1: the store does not answer", depth),
        gauge("workers", "Workers that answer", workers),
        gauge("workers_wanted", "Workers that there should be", workers_wanted),
    ]
    if backlog is not None:
        oldest = "For how long the oldest undelivered notice has been due; 0: there is none"
        families.append(gauge("outbox_oldest_seconds", oldest, oldest_s))
    return exposition(build_info(), _Families(families))


# The library's counters and histograms lock. What is counted in each turn takes them 19 µs, a tenth
# of the turn; here it takes 3. So these are plain numbers until they are collected.


class Histogram:
    """A histogram of durations."""

    def __init__(self, bounds: Sequence[float] = _SECONDS) -> None:
        """`bounds`: the upper bounds of the buckets, in seconds."""
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, seconds: float) -> None:
        """Count a duration."""
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self._sum += seconds

    def family(self, name: str, help_text: str) -> HistogramMetricFamily:
        """Return the histogram for the exposition."""
        family = HistogramMetricFamily(name, help_text, labels=[])
        self.add_to(family, [])
        return family

    def add_to(self, family: HistogramMetricFamily, labels: Sequence[str]) -> None:
        """Add it to a family, under these values of its labels."""
        bounds = [*(f"{bound:g}" for bound in self._bounds), "+Inf"]
        buckets = list(zip(bounds, accumulate(self._counts), strict=True))
        family.add_metric(labels, buckets=buckets, sum_value=self._sum)


def counter(name: str, help_text: str, label: str, counts: Mapping[str, int]) -> Metric:
    """Return a counter; `name`: without the prefix, and `counts`: by the value of the label."""
    family = CounterMetricFamily(PREFIX + name, help_text, labels=[label])
    for value, count in counts.items():
        family.add_metric([value], count)
    return family
