"""`make soak`: all parts as real processes, faults by turns, and what must hold at the end."""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.report import save, table
from tests.soak.run import Plan, soak


def main() -> int:
    """Run it, print the report, and return 1 if a rule was broken or a bound was missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="of chatting (5)")
    parser.add_argument("--customers", type=int, default=100)
    parser.add_argument("--store", choices=["sqlite", "dynamodb"], default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", nargs="*", default=(), help="only these, by their names")
    parser.add_argument("--hold", type=float, default=5.0, help="seconds that a fault lasts (5)")
    parser.add_argument("--json", type=Path, help="write the report here, too")
    given = parser.parse_args()
    plan = Plan(
        seconds=given.minutes * 60,
        customers=given.customers,
        store=given.store,
        seed=given.seed,
        faults=tuple(given.faults),
        hold_s=given.hold,
    )
    began = time.perf_counter()
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    found = asyncio.run(soak(plan, folder))
    print(table(found.figures))
    if given.json is not None:
        save(given.json, found.figures, time.perf_counter() - began)
    for each in found.broken:
        print(f"BROKEN: {each}")
    missed = [figure.name for figure in found.figures if figure.verdict.startswith("MISSED")]
    if found.broken or missed:
        print(f"The logs and the databases are in {folder}", file=sys.stderr)
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
