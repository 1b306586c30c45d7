"""What every ledger keeps of what businesses have spent."""

from datetime import date, timedelta
from pathlib import Path

from domain.identity import BusinessId
from domain.usage import Usage
from tests.contract.stores import StoreCase, every_durable_store, every_store

B1, B2 = BusinessId("b1"), BusinessId("b2")
DAY = date(2026, 3, 1)
COST = Usage(model="m1", input_tokens=90, cached_tokens=40, output_tokens=10, calls=1)


@every_store
async def test_what_is_added_on_a_day_is_summed_without_its_model(
    case: StoreCase, tmp_path: Path
) -> None:
    async with case.open(tmp_path) as store:
        await store.add(B1, DAY, COST)
        await store.add(B1, DAY, COST)
        spent = await store.spent(B1, DAY, DAY)

    assert spent == {DAY: Usage(input_tokens=180, cached_tokens=80, output_tokens=20, calls=2)}


@every_store
async def test_days_come_in_order_and_none_but_those_asked_for(
    case: StoreCase, tmp_path: Path
) -> None:
    async with case.open(tmp_path) as store:
        for days in (3, 0, 2, 1):
            await store.add(B1, DAY + timedelta(days=days), Usage(calls=days + 1))
        spent = await store.spent(B1, DAY, DAY + timedelta(days=2))

    assert [(day, usage.calls) for day, usage in spent.items()] == [
        (DAY, 1),
        (DAY + timedelta(days=1), 2),
        (DAY + timedelta(days=2), 3),
    ]


@every_store
async def test_businesses_have_accounts_of_their_own(case: StoreCase, tmp_path: Path) -> None:
    async with case.open(tmp_path) as store:
        await store.add(B1, DAY, COST)
        spent = await store.spent(B2, date.min, date.max)

    assert spent == {}


@every_durable_store
async def test_what_was_added_survives_the_process(case: StoreCase, tmp_path: Path) -> None:
    async with case.open(tmp_path) as store:
        await store.add(B1, DAY, COST)
    async with case.open(tmp_path) as store:
        spent = await store.spent(B1, DAY, DAY)

    assert spent[DAY].tokens == 100
