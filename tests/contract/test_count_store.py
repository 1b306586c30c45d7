"""The contract of every store of counts."""

import asyncio
from datetime import date, timedelta
from pathlib import Path

from domain.identity import BusinessId
from domain.outcomes import BOUNDS_S, FIRST_ANSWER, HUMAN
from domain.status import Reason
from domain.usage import Usage, usage_in
from tests.contract.stores import StoreCase, every_durable_store, every_store

B1, B2 = BusinessId("b1"), BusinessId("b2")
DAY = date(2026, 3, 1)
COST = Usage(model="m1", input_tokens=90, cached_tokens=40, output_tokens=10, calls=1)


@every_store
async def test_counts_of_a_day_are_summed(case: StoreCase, tmp_path: Path) -> None:
    async with case.open(tmp_path) as store:
        await store.add(B1, DAY, COST.counts)
        await store.add(B1, DAY, {"ended": 2, "solved": 2})
        await store.add(B1, DAY, {**COST.counts, "solved": -1})
        counts = await store.counts(B1, DAY, DAY)

    assert list(counts) == [DAY]
    assert usage_in(counts[DAY]) == Usage(
        input_tokens=180, cached_tokens=80, output_tokens=20, calls=2
    )
    assert (counts[DAY]["ended"], counts[DAY]["solved"]) == (2, 1)


@every_store
async def test_whatever_can_be_counted_can_be_stored_at_once(
    case: StoreCase, tmp_path: Path
) -> None:
    names = ["conversations", "ended", "solved", "unanswered_questions"]
    names += [f"handoff_{reason}" for reason in Reason] + [f"rating_{n}" for n in range(1, 6)]
    for times in (FIRST_ANSWER, HUMAN):
        names += [f"{times}_ms", *(f"{times}_{place}" for place in range(len(BOUNDS_S) + 1))]
    everything = dict.fromkeys(names, 3)
    async with case.open(tmp_path) as store:
        await store.add(B1, DAY, everything)
        counts = await store.counts(B1, DAY, DAY)

    assert everything.items() <= counts[DAY].items()


@every_store
async def test_what_is_added_at_the_same_time_adds_up(case: StoreCase, tmp_path: Path) -> None:
    async with case.open(tmp_path) as store:
        await asyncio.gather(*(store.add(B1, DAY, {"ended": 1}) for _ in range(8)))
        counts = await store.counts(B1, DAY, DAY)

    assert counts[DAY]["ended"] == 8


@every_store
async def test_only_the_requested_days_are_returned_in_order(
    case: StoreCase, tmp_path: Path
) -> None:
    async with case.open(tmp_path) as store:
        for days in (3, 0, 2, 1):
            await store.add(B1, DAY + timedelta(days=days), {"ended": days + 1})
        counts = await store.counts(B1, DAY, DAY + timedelta(days=2))
        none = await store.counts(B1, DAY, DAY - timedelta(days=1))

    assert [(day, each["ended"]) for day, each in counts.items()] == [
        (DAY, 1),
        (DAY + timedelta(days=1), 2),
        (DAY + timedelta(days=2), 3),
    ]
    assert none == {}


@every_store
async def test_counts_are_of_one_business(case: StoreCase, tmp_path: Path) -> None:
    async with case.open(tmp_path) as store:
        await store.add(B1, DAY, COST.counts)
        counts = await store.counts(B2, date.min, date.max)

    assert counts == {}


@every_durable_store
async def test_counts_survive_the_process(case: StoreCase, tmp_path: Path) -> None:
    async with case.open(tmp_path) as store:
        await store.add(B1, DAY, COST.counts)
    async with case.open(tmp_path) as store:
        counts = await store.counts(B1, DAY, DAY)

    assert usage_in(counts[DAY]).tokens == 100
