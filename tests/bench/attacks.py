"""The wait of other customers while one attacks, and the memory of the server afterwards."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from statistics import quantiles

from tests.attacks.attacks import (
    FLOODS_OF_REQUESTS,
    UNREAD,
    Attack,
    bursts_at_once,
    floods_of_frames,
    unfinished_requests,
    unread_history,
)
from tests.attacks.siege import Siege, besieged
from tests.bench.load import BenchmarkFailed
from tests.bench.measures import QUICK, Effort, Measure
from tests.bench.report import Figure
from tests.bench.servers import ROOT

CUSTOMERS, PACE_S = 10, 0.15
"""Those who chat, and their pause between two messages: within the limits of a user."""
WRONG, RIGHT = 2_000, 200
AFTER_S = 1.0
"""From the end of an attack until the server is weighed."""
FILLING: Mapping[str, Attack] = {
    **FLOODS_OF_REQUESTS,
    **UNREAD,
    "history that is not read": partial(unread_history, number=60),
    "requests without an end": unfinished_requests,
}


async def attacks(effort: Effort) -> list[Figure]:
    """Measure each attack on a server of its own, and then many at once."""
    seconds = 2.0 if effort == QUICK else 5.0
    figures: list[Figure] = []
    floods = {**floods_of_frames(), "900 sockets at once": bursts_at_once}
    for name, attack in floods.items():
        async with _besieged() as siege:
            await siege.during(attack(siege, seconds), CUSTOMERS, PACE_S)
        p99_ms = None if attack is bursts_at_once else 25.0
        figures += _waits(name, siege, longest_ms=100.0, p99_ms=p99_ms)
    for name, attack in FILLING.items():
        async with _besieged() as siege:
            await siege.during(attack(siege, seconds), CUSTOMERS, PACE_S)
            await asyncio.sleep(AFTER_S)
            figures.append(_weight(name, siege))
    return figures + await _many(6.0 if effort == QUICK else 60.0)


@asynccontextmanager
async def _besieged() -> AsyncIterator[Siege]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        async with besieged(Path(folder), open_files=10_000) as siege:
            yield siege


async def _many(seconds: float) -> list[Figure]:
    """Measure customers beside ten times as many sockets that do everything wrong."""
    async with _besieged() as siege:
        await siege.during(_wrong(siege, seconds), RIGHT, pace_s=1.0)
        stored = await siege.stored()
    acknowledged = len(siege.waits_s)
    return [
        *_waits(f"{WRONG:,} wrong sockets", siege, p99_ms=100.0),
        Figure(
            name="  acknowledged and not stored",
            value=acknowledged - stored,
            unit="messages",
            goal=0,
            detail=f"{acknowledged:,} acknowledged to {RIGHT} customers in {seconds:g} s",
        ),
    ]


async def _wrong(siege: Siege, seconds: float) -> None:
    arguments = (siege.address, str(seconds), str(WRONG))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.attacks.attacks", *arguments),
        cwd=ROOT,
        env={"PATH": os.environ.get("PATH", "")},
    )
    if await process.wait():
        raise BenchmarkFailed("the attackers have failed")


def _waits(
    name: str, siege: Siege, *, p99_ms: float | None, longest_ms: float | None = None
) -> list[Figure]:
    waits = sorted(siege.waits_s)
    return [
        Figure(
            name=f"{name}: longest wait",
            value=waits[-1] * 1e3,
            unit="ms",
            goal=longest_ms,
            detail=f"{len(waits):,} messages of others",
        ),
        Figure(name="  99 %", value=quantiles(waits, n=100)[98] * 1e3, unit="ms", goal=p99_ms),
    ]


def _weight(name: str, siege: Siege) -> Figure:
    return Figure(
        name=f"{name}: memory after it",
        value=siege.grown_mib(),
        unit="MiB",
        goal=32.0,
        detail=f"at most {siege.growth_mib:.0f} MiB meanwhile; longest wait "
        f"{max(siege.waits_s) * 1e3:.0f} ms",
    )


ATTACK_MEASURES: Mapping[str, Measure] = {"attacks": attacks}
