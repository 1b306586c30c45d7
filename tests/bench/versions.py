"""This checkout beside another one: `python -m tests.bench --against FOLDER`.

Both are measured in turns in one run, so that the ratios hold on a busy machine. The other checkout
runs with this one's interpreter and packages.
"""

from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median

from tests.bench.measures import (
    MEMORY,
    Costs,
    Effort,
    alternate,
    compared,
    idle,
    side_of,
    time_to_health,
)
from tests.bench.report import Figure
from tests.bench.servers import ROOT, in_dynamodb, in_sqlite, running


async def against(other: Path, effort: Effort) -> list[Figure]:
    """Turns, idle memory and start of this checkout as ratios to the other's."""
    return [
        *await _turns(other, effort),
        await _idle(other, effort),
        await _start(other, effort),
    ]


async def _turns(other: Path, effort: Effort) -> list[Figure]:
    figures = []
    for store in ("memory", "sqlite", "dynamodb"):
        async with AsyncExitStack() as stack:
            sides = {}
            for name, checkout in (("this", ROOT), ("other", other)):
                settings = MEMORY
                if store != "memory":
                    kept = in_sqlite() if store == "sqlite" else in_dynamodb()
                    settings = stack.enter_context(kept)
                server = running("server", settings=settings, checkout=checkout)
                sides[name] = await side_of(stack, effort, server)
            this, that = await alternate(effort, **sides)
        figures.append(compared(f"turn in {store}, CPU", this, that))
    return figures


async def _idle(other: Path, effort: Effort) -> Figure:
    this, that = Costs("this"), Costs("other")
    for _ in range(3):
        for costs, checkout in ((this, ROOT), (that, other)):
            memory, *_ = await idle(effort, checkout)
            costs.rounds.append(memory.value)
    return Figure(
        name="memory per joined idle connection",
        value=median(this.rounds) / median(that.rounds),
        unit="x",
        detail=f"{median(this.rounds):.1f} KiB, {median(that.rounds):.1f} KiB",
    )


async def _start(other: Path, effort: Effort) -> Figure:
    this, that = Costs("this"), Costs("other")
    for _ in range(2 * effort.starts):
        for costs, checkout in ((this, ROOT), (that, other)):
            with in_sqlite() as settings:
                costs.rounds.append(time_to_health(settings, checkout))
    return Figure(
        name="/health answers after",
        value=median(this.rounds) / median(that.rounds),
        unit="x",
        detail=f"{median(this.rounds):.2f} s, {median(that.rounds):.2f} s",
    )
