"""Lives one after the other, or in several processes; the first that breaks a rule is shown."""

import argparse
import gc
import multiprocessing
import sys
import time
import traceback
from typing import NamedTuple

from tests.simulation.product import machine

machine.replace_surroundings()

import adapters.system  # noqa: E402
import tests.support.plain_phoenix  # noqa: E402
from tests.simulation.product.life import Life  # noqa: E402

machine.replace_datetime(adapters.system, tests.support.plain_phoenix)

SHOWN = 60
"""The last lines of a trace that are shown."""


class Ending(NamedTuple):
    """How a life has ended."""

    seed: int
    digest: str
    failure: str | None
    last: list[str]


def run_life(seed: int, shown: int = SHOWN) -> Ending:
    """Live one life."""
    life = Life(seed)
    failure = None
    try:
        machine.live(seed, life.run)
    except AssertionError as violation:
        failure = f"{violation}"
    except Exception:
        failure = traceback.format_exc()
    trace = life.world.trace
    return Ending(seed, trace.digest(), failure, trace.lines[-shown:])


def main() -> None:
    """Run the lives that the arguments name."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.product")
    parser.add_argument("--seeds", type=int, default=100, help="how many lives")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--jobs", type=int, default=1, help="how many processes")
    parser.add_argument("--trace", action="store_true", help="show the whole trace of each life")
    parser.add_argument("--keep-going", action="store_true", help="do not stop at a violation")
    arguments = parser.parse_args()
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    shown = 1_000_000 if arguments.trace else SHOWN
    gc.collect()
    gc.freeze()
    began = machine.real_time()
    lived = failed = 0
    for ending in _endings(seeds, arguments.jobs, shown):
        lived += 1
        if ending.failure is not None or arguments.trace:
            print("\n".join(ending.last))
        if arguments.trace:
            print(f"seed {ending.seed}: trace {ending.digest}")
        if ending.failure is not None:
            failed += 1
            print(f"seed {ending.seed}: {ending.failure}")
            print(f"replay: python -m tests.simulation.product --seeds 1 --first {ending.seed}")
            if not arguments.keep_going:
                break
    took = machine.real_time() - began
    print(f"{lived} lives, {failed} with a violation, {lived / took:.1f} lives a second")
    sys.exit(1 if failed else 0)


def _endings(seeds: range, jobs: int, shown: int):  # type: ignore[no-untyped-def]
    if jobs == 1:
        yield from (run_life(seed, shown) for seed in seeds)
        return
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        yield from pool.imap(run_life, seeds, chunksize=1)
