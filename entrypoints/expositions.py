"""Metrics of several processes as those of one, in Prometheus' text format."""

from collections.abc import Callable, Iterable


def added_up(texts: Iterable[str]) -> str:
    """Return the sums of the samples of expositions.

    Of gauges in seconds, which are ages and moments, it is the largest; of the times of creation
    the first.
    """
    heads: dict[str, list[str]] = {}
    samples: dict[str, dict[str, float]] = {}
    for text in texts:
        for family, lines, values in _families(text):
            heads.setdefault(family, lines)
            combine = _combination(family, is_gauge=lines[-1].endswith(" gauge"))
            _combine(samples.setdefault(family, {}), values, combine)
    return "".join(_written(heads[family], values) for family, values in samples.items())


def lasting(text: str) -> str:
    """Return what counts on after the end of a process: no gauges, only what has been counted."""
    return "".join(
        _written(lines, values)
        for family, lines, values in _families(text)
        if family.endswith("_created") or not lines[-1].endswith(" gauge")
    )


_Values = dict[str, float]


def _combination(family: str, *, is_gauge: bool) -> Callable[[float, float], float]:
    if family.endswith("_created"):
        return min
    return max if is_gauge and family.endswith(("_seconds", "_ratio")) else float.__add__


def _families(text: str) -> Iterable[tuple[str, list[str], _Values]]:
    """Return the families: the name, the lines of comment, and the value of each sample."""
    found: dict[str, tuple[str, list[str], _Values]] = {}
    lines: list[str] = []
    values: _Values = {}
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name = line.split(" ", 3)[2]
            lines, values = [line], {}
            found[name] = (name, lines, values)
        elif line.startswith("#"):
            lines.append(line)
        elif line:
            sample, _, value = line.rpartition(" ")
            values[sample] = float(value)
    return found.values()


def _combine(sums: _Values, values: _Values, how: Callable[[float, float], float]) -> None:
    for sample, value in values.items():
        sums[sample] = how(sums[sample], value) if sample in sums else value


def _written(lines: list[str], values: _Values) -> str:
    return "\n".join([*lines, *(f"{sample} {value}" for sample, value in values.items()), ""])
