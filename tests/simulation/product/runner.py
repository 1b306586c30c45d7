"""Lives one after the other, or in several processes; one that breaks a rule is shown."""

import argparse
import gc
import multiprocessing
import sys
import traceback
from collections.abc import Collection, Iterator
from functools import partial
from typing import NamedTuple

import adapters.system
import tests.support.plain_phoenix
from tests.simulation.product import machine
from tests.simulation.product.life import Life
from tests.simulation.product.safeguards import SAFEGUARDS, without_safeguard
from tests.simulation.product.workloads import WORKLOADS

SHOWN = 60
"""The last lines of a trace that are shown."""


class Ending(NamedTuple):
    """How a life has ended."""

    seed: int
    digest: str
    failure: str | None
    trace: list[str]


def run_life(
    seed: int,
    workload: str,
    *,
    nodes: int | None,
    without: str | None,
    ignored: Collection[str],
) -> Ending:
    """Live one life, without a safeguard."""
    life = Life(seed, WORKLOADS[workload], nodes=nodes, ignored=ignored)
    failure = None
    with without_safeguard(without):
        try:
            machine.live(seed, life.run)
        except AssertionError as violation:
            failure = str(violation)
        except Exception:
            failure = traceback.format_exc()
    trace = life.world.trace
    return Ending(seed, trace.digest(), failure, trace.lines)


def main() -> None:
    """Run the lives that the arguments name."""
    arguments = _arguments()
    machine.replace_datetime(adapters.system, tests.support.plain_phoenix)
    gc.collect()
    gc.freeze()
    if arguments.safeguards:
        sys.exit(0 if _miss_each_safeguard(arguments) else 1)
    began = machine.real_time()
    lived = failed = 0
    for ending in _endings(arguments):
        lived += 1
        if arguments.trace:
            print("\n".join(ending.trace))
        if arguments.digests:
            print(f"seed {ending.seed}: {ending.digest}")
        if ending.failure is not None:
            failed += 1
            _show(ending, arguments)
            if not arguments.keep_going:
                break
        if arguments.seconds and machine.real_time() - began > arguments.seconds:
            break
    if not arguments.digests:
        took_s = machine.real_time() - began
        print(f"{lived} lives, {failed} with a violation, {lived / took_s:.1f} lives a second")
    sys.exit(1 if failed else 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.product")
    parser.add_argument("--seeds", type=int, default=100, help="the number of lives")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--jobs", type=int, default=1, help="the number of processes")
    parser.add_argument("--workload", choices=WORKLOADS, default="all", help="the kind of life")
    parser.add_argument("--nodes", type=int, help="the number of servers, for all seeds")
    parser.add_argument("--seconds", type=float, help="begin no more lives after this time")
    parser.add_argument("--keep-going", action="store_true", help="go on after a violation")
    parser.add_argument("--trace", action="store_true", help="show what everyone has seen and done")
    parser.add_argument("--digests", action="store_true", help="show a hash of it for each seed")
    parser.add_argument("--without", choices=SAFEGUARDS, help="remove a safeguard of the product")
    parser.add_argument("--ignore", action="append", default=[], help="a rule that may be broken")
    parser.add_argument(
        "--safeguards",
        choices=["recorded", "from-1"],
        help="remove each safeguard in turn, and show the seed that misses it: search from the one "
        "that is recorded, or from 1",
    )
    return parser.parse_args()


def _miss_each_safeguard(arguments: argparse.Namespace) -> bool:
    """Show for each safeguard the first of `--seeds` lives that breaks a rule without it."""
    missed = True
    for name, safeguard in SAFEGUARDS.items():
        chosen = argparse.Namespace(**vars(arguments))
        chosen.without, chosen.workload = name, safeguard.workload
        chosen.first = safeguard.seed if arguments.safeguards == "recorded" else 1
        for ending in _endings(chosen):
            if ending.failure is not None:
                rule = ending.failure.partition(":")[0]
                if not _is_clean(chosen, ending.seed):
                    missed = False
                    rule = f"**{rule}, also with it**"
                where = f"`{safeguard.workload}` | {ending.seed}"
                print(f"| `{name}` | {safeguard.what} | {rule} | {where} |", flush=True)
                break
        else:
            missed = False
            print(
                f"| `{name}` | {safeguard.what} | **nothing** | `{safeguard.workload}` | – |",
                flush=True,
            )
    return missed


def _is_clean(arguments: argparse.Namespace, seed: int) -> bool:
    """Return True if the life breaks no rule with all safeguards."""
    ending = run_life(
        seed, arguments.workload, nodes=arguments.nodes, without=None, ignored=arguments.ignore
    )
    return ending.failure is None


def _endings(arguments: argparse.Namespace) -> Iterator[Ending]:
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    live = partial(
        run_life,
        workload=arguments.workload,
        nodes=arguments.nodes,
        without=arguments.without,
        ignored=arguments.ignore,
    )
    if arguments.jobs == 1:
        yield from map(live, seeds)
        return
    with multiprocessing.get_context("fork").Pool(arguments.jobs) as pool:
        yield from pool.imap(live, seeds)


def _show(ending: Ending, arguments: argparse.Namespace) -> None:
    chosen = f" --workload {arguments.workload}" if arguments.workload != "all" else ""
    chosen += f" --without {arguments.without}" if arguments.without else ""
    chosen += f" --nodes {arguments.nodes}" if arguments.nodes else ""
    chosen += "".join(f" --ignore '{rule}'" for rule in arguments.ignore)
    if not arguments.trace:
        print("\n".join(ending.trace[-SHOWN:]))
    print(f"seed {ending.seed}: {ending.failure}")
    print(
        f"replay: {sys.executable} -m tests.simulation.product --trace --seeds 1 "
        f"--first {ending.seed}{chosen}"
    )
