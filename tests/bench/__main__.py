"""`make bench`: the cost of a turn, a connection and a start, measured on servers of its own."""

import argparse
import resource
import sys
import time
from pathlib import Path

import uvloop

from tests.bench.attacks import ATTACK_MEASURES
from tests.bench.drain import DRAIN_MEASURES
from tests.bench.guards import GUARD_MEASURES
from tests.bench.hints import hints
from tests.bench.knowledge import knowledge
from tests.bench.live import LIVE_MEASURES, LONG_LIVE_MEASURES
from tests.bench.load import BenchmarkFailed
from tests.bench.measures import QUICK, SERVER_MEASURES, Effort
from tests.bench.models import MODEL_MEASURES
from tests.bench.nodes import NODE_MEASURES
from tests.bench.page import page
from tests.bench.report import Figure, save, table
from tests.bench.sockets import SOCKET_MEASURES
from tests.bench.versions import against
from tests.bench.workers import WORKER_MEASURES

USUAL = {
    **SERVER_MEASURES,
    **LIVE_MEASURES,
    **DRAIN_MEASURES,
    **GUARD_MEASURES,
    **MODEL_MEASURES,
    "knowledge": knowledge,
}
LONG = {
    **LONG_LIVE_MEASURES,
    **ATTACK_MEASURES,
    **NODE_MEASURES,
    **WORKER_MEASURES,
    **SOCKET_MEASURES,
    "hints": hints,
    "page": page,
}
"""Those that run only when they are named."""
MEASURES = {**USUAL, **LONG}


def main() -> int:
    """Return 0, also if goals are missed; 1 if something could not be measured."""
    given = _arguments()
    _allow_many_connections()
    began = time.perf_counter()
    effort = QUICK if given.quick else Effort()
    if given.against is not None:
        figures, failed = uvloop.run(against(given.against.resolve(), effort)), False
    else:
        figures, failed = uvloop.run(_measure(given.names or list(USUAL), effort))
    seconds = time.perf_counter() - began
    print(table(figures))
    save(given.json, figures, seconds)
    print(f"\n{seconds:.0f} s; as JSON in {given.json}")
    return 1 if failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="name",
        help=f"of {', '.join(MEASURES)}; all but {', '.join(LONG)} if none is named",
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds, rougher figures")
    parser.add_argument(
        "--json", type=Path, default=Path("artifacts/bench.json"), help="default: %(default)s"
    )
    parser.add_argument(
        "--against",
        type=Path,
        metavar="FOLDER",
        help="measure this checkout beside another one instead",
    )
    given = parser.parse_args()
    unknown = [name for name in given.names if name not in MEASURES]
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(MEASURES)}")
    return given


async def _measure(names: list[str], effort: Effort) -> tuple[list[Figure], bool]:
    figures, failed = [], False
    for name in names:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        try:
            figures += await MEASURES[name](effort)
        except BenchmarkFailed as error:
            failed = True
            print(f"{name} could not be measured: {error}", file=sys.stderr)
    return figures, failed


def _allow_many_connections() -> None:
    """Raise the limit of open files for this process and the servers that it starts."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    sys.exit(main())
