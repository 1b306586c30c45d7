"""Lives one after the other, or in several processes; one that breaks a rule is shortened."""

import argparse
import gc
import logging
import multiprocessing
import sys
import time
import traceback
from collections.abc import Collection, Iterator
from functools import partial
from hashlib import sha256
from typing import NamedTuple

from tests.simulation.life import WORKLOADS, SimulatedLife
from tests.simulation.loop import run_virtually
from tests.simulation.rules import Violation
from tests.simulation.safeguards import REMOVALS, without_safeguard

MAX_SHORTENINGS = 300


class Ended(NamedTuple):
    """How a life has ended."""

    seed: int
    workload: str
    failure: str | None
    """The violation."""
    lines: list[str]
    """What has happened."""
    steps: list[str]
    indices: list[int]

    @property
    def digest(self) -> str:
        """A hash of everything that has happened."""
        return sha256("\n".join(self.lines).encode()).hexdigest()[:16]


def workload_of(seed: int) -> str:
    """Return the workload of a seed, where none is chosen."""
    names = list(WORKLOADS)
    return names[seed % len(names)]


def live(
    seed: int,
    workload: str | None = None,
    safeguard: str | None = None,
    only: Collection[int] | None = None,
) -> Ended:
    """Live one life, without a safeguard."""
    name = workload or workload_of(seed)
    life = SimulatedLife(seed, WORKLOADS[name], only)
    failure = None
    with without_safeguard(safeguard):
        try:
            run_virtually(life.run())
        except Violation as violation:
            failure = str(violation)
        except Exception:
            failure = f"a crash: {traceback.format_exc()}"
    lines = life.world.lines
    steps = [str(step) for step in life.steps]
    return Ended(seed, name, failure, lines, steps, [step.number for step in life.steps])


def shorten(ended: Ended, safeguard: str | None = None) -> Ended:
    """Return the smallest life that breaks the same rule, with steps of this one."""
    rule = _rule(ended)
    best, tries = ended, 0
    size = max(1, len(best.indices) // 2)
    while size >= 1 and tries < MAX_SHORTENINGS:
        start, shorter = 0, False
        while start < len(best.indices) and tries < MAX_SHORTENINGS:
            tries += 1
            left = best.indices[:start] + best.indices[start + size :]
            other = live(ended.seed, ended.workload, safeguard, left)
            if other.failure is not None and _rule(other) == rule:
                best, shorter = other, True
            else:
                start += size
        if size == 1 and not shorter:
            break
        size = max(1, size // 2) if not shorter or size > 1 else 1
    return best


def _rule(ended: Ended) -> str:
    return (ended.failure or "").partition(":")[0]


def main() -> None:
    """Run the lives that the arguments name."""
    arguments = _arguments()
    logging.disable()
    gc.collect()
    gc.freeze()
    if arguments.only is not None:
        only = [int(each) for each in arguments.only.split(",") if each]
        ended = live(arguments.first, arguments.workload, arguments.without, only)
        print("\n".join(ended.lines))
        print(ended.failure or "no violation")
        sys.exit(ended.failure is not None)
    if arguments.safeguards:
        sys.exit(_live_without_each())
    began, lived, failed = time.monotonic(), 0, 0
    for ended in _endings(arguments):
        lived += 1
        if arguments.trace:
            print("\n".join(ended.lines))
        if arguments.digests:
            print(f"seed {ended.seed}: {ended.digest}")
        if ended.failure is not None:
            failed += 1
            print(f"seed {ended.seed} ({ended.workload}): {ended.failure}", flush=True)
            if not arguments.keep_going:
                _show(shorten(ended, arguments.without), arguments.without)
                break
        if arguments.seconds and time.monotonic() - began > arguments.seconds:
            break
    if not arguments.digests:
        rate = lived / (time.monotonic() - began)
        print(f"{lived} lives, {failed} with a violation, {rate:.1f} lives a second")
    sys.exit(1 if failed else 0)


def _live_without_each() -> int:
    """Live without each safeguard at the seed that is recorded; 1: one is not missed."""
    unnoticed = [name for name, removal in REMOVALS.items() if not _is_missed(name, removal.seed)]
    for name in unnoticed:
        first = next((seed for seed in range(1, 101) if _is_missed(name, seed)), None)
        print(f"{name} is not missed at seed {REMOVALS[name].seed}, but at {first}")
    return 1 if unnoticed else 0


def _is_missed(name: str, seed: int) -> bool:
    """Return True if the life without a safeguard breaks the rule that it keeps."""
    failure = live(seed, REMOVALS[name].workload, name).failure
    return failure is not None and failure.startswith(f"rule {REMOVALS[name].rule}: ")


def _show(ended: Ended, safeguard: str | None) -> None:
    print("The smallest life that breaks it:")
    print("\n".join(ended.lines))
    print(f"\n{ended.failure}")
    only = ",".join(map(str, ended.indices))
    removed = f" --without {safeguard}" if safeguard else ""
    print(
        f"replay: {sys.executable} -m tests.simulation --first {ended.seed} "
        f"--workload {ended.workload} --only '{only}'{removed}"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", type=int, default=100, help="the number of lives")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--jobs", type=int, default=1, help="the number of processes")
    parser.add_argument("--workload", choices=WORKLOADS, help="of all lives; else by the seed")
    parser.add_argument("--seconds", type=float, help="begin no more lives after this time")
    parser.add_argument("--keep-going", action="store_true", help="go on after a violation")
    parser.add_argument("--trace", action="store_true", help="show what has happened")
    parser.add_argument("--digests", action="store_true", help="show a hash of it for each seed")
    parser.add_argument("--without", choices=REMOVALS, help="remove a safeguard of the product")
    parser.add_argument("--safeguards", action="store_true", help="remove each, where one is seen")
    parser.add_argument("--only", help="make only these steps of the first seed: their numbers")
    return parser.parse_args()


def _endings(arguments: argparse.Namespace) -> Iterator[Ended]:
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    one = partial(live, workload=arguments.workload, safeguard=arguments.without)
    if arguments.jobs == 1:
        yield from map(one, seeds)
        return
    with multiprocessing.get_context("fork").Pool(arguments.jobs) as pool:
        yield from pool.imap(one, seeds)
