"""`make soak`: all parts as processes, each failing by turns, with hundreds of customers."""

import argparse
import asyncio
import resource
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.report import save, table
from tests.soak.soak import Plan, shown, soak


def main() -> int:
    """Return 0, or 1 if anything was violated."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="default: %(default)s")
    parser.add_argument("--customers", type=int, default=Plan().customers)
    parser.add_argument("--store", choices=["sqlite", "dynamodb"], default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, default=Path("artifacts/soak.json"))
    parser.add_argument("--folder", type=Path, help="where logs and databases are kept")
    given = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    plan = Plan(
        faults_s=max(10.0, given.minutes * 60 - 30),
        customers=given.customers,
        polling=given.customers // 10,
        store=given.store,
        seed=given.seed,
    )
    folder = given.folder or Path(tempfile.mkdtemp(prefix="soak-"))
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    outcome = asyncio.run(soak(plan, folder, say=shown))
    print(table(outcome.figures))
    save(given.json, outcome.figures, time.monotonic() - began)
    print(f"\n{len(outcome.faults)} faults; as JSON in {given.json}, the logs in {folder}")
    for violation in outcome.violations:
        print(f"VIOLATED: {violation}")
    return 1 if outcome.violations else 0


if __name__ == "__main__":
    sys.exit(main())
