"""The stores agree: for any calls each returns what the memory store returns."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.ports import Store
from domain.errors import Conflict, DuplicateMessage
from domain.identity import Customer
from domain.notice import Deferred, Delivered, Lane, Outcome, Undeliverable
from domain.session import Draft, Session
from domain.status import Status
from tests.contract.stores import (
    ANA,
    DAN,
    NOON,
    STORES,
    StoreCase,
    asks_for_human,
    closes,
    new_session,
    params,
    user_says,
    with_notices,
)

Step = tuple[str, dict[str, object]]

customers = st.sampled_from([ANA, DAN])
outcomes = st.one_of(
    st.just(Delivered()),
    st.integers(0, 20).map(lambda minutes: Deferred(NOON + timedelta(minutes=minutes))),
    st.just(Undeliverable("no")),
)


@dataclass(slots=True)
class Play:
    """A deterministic client of a store: the same steps make the same calls."""

    store: Store
    now: datetime = NOON
    opened: int = 0
    known: dict[Customer, list[Session]] = field(default_factory=dict)
    claimed: list[str] = field(default_factory=list)

    async def say(
        self, customer: Customer, key: str | None, stale: bool, lanes: list[Lane], due: int | None
    ) -> object:
        def draft(session: Session) -> Draft:
            said = user_says(session, key=key, at=self.now)
            return with_notices(said, 0, lanes=lanes, due_at=self.now)

        return await self._append(customer, draft, stale, due)

    async def ask(self, customer: Customer) -> object:
        return await self._append(
            customer,
            lambda s: asks_for_human(s, self.now) if s.status is Status.AI else user_says(s),
        )

    async def close(self, customer: Customer) -> object:
        return await self._append(customer, closes)

    async def _append(
        self,
        customer: Customer,
        decide: Callable[[Session], Draft],
        stale: bool = False,
        due: int | None = None,
    ) -> object:
        heads = self.known.setdefault(customer, [])
        before = heads[-2 if stale and len(heads) > 1 else -1] if heads else None
        if before is None or not before.is_open:
            self.opened += 1
            before = new_session(f"s{self.opened}", customer, self.now)
        draft = decide(before)
        due_at = None if due is None else self.now + timedelta(minutes=due)
        try:
            await self.store.append(draft, due_at)
        except DuplicateMessage as duplicate:
            return vars(duplicate)
        except Conflict as conflict:
            return type(conflict)
        heads.append(draft.session)
        return await self.store.load(draft.session.session_id)

    async def erase(self, customer: Customer) -> object:
        self.known.pop(customer, None)
        return await self.store.erase(customer), await self.store.latest(customer)

    async def claim(self, lane: Lane, limit: int) -> object:
        notices = await self.store.claim(lane, self.now, self.now + timedelta(minutes=5), limit)
        self.claimed += [notice.notice_id for notice in notices]
        return notices

    async def settle(self, index: int, outcome: Outcome) -> object:
        if self.claimed:
            await self.store.settle(self.claimed[index % len(self.claimed)], outcome)
        return await self.store.depth()

    async def revive(self, index: int, drop: bool) -> object:
        dead = [letter.notice.notice_id for letter in await self.store.dead(10)]
        chosen = dead[index % len(dead)] if dead else "none"
        done = await (self.store.drop(chosen) if drop else self.store.retry(chosen))
        return done, dead, await self.store.dead(2), await self.store.depth()

    async def look(self, customer: Customer | None, status: Status | None, limit: int) -> object:
        first = await self.store.list_sessions(customer=customer, status=status, limit=limit)
        pages = [first.sessions]
        if first.cursor is not None:
            rest = await self.store.list_sessions(
                customer=customer, status=status, limit=limit, cursor=first.cursor
            )
            pages.append(rest.sessions)
        return pages, await self.store.due(self.now, limit)

    async def wait(self, hours: int) -> object:
        self.now += timedelta(hours=hours)
        return None

    async def all(self, steps: list[Step]) -> list[object]:
        """Return the result of each step."""
        results: list[object] = []
        for name, arguments in steps:
            self.now += timedelta(seconds=7)
            results.append(await getattr(self, name)(**arguments))
        return results


def step(name: str, **arguments: st.SearchStrategy[object]) -> st.SearchStrategy[Step]:
    return st.tuples(st.just(name), st.fixed_dictionaries(arguments))


said = step(
    "say",
    customer=customers,
    key=st.sampled_from([None, None, "k1", "k2"]),
    stale=st.sampled_from([False, False, False, True]),
    lanes=st.lists(st.sampled_from(Lane), max_size=3),
    due=st.one_of(st.none(), st.integers(0, 90)),
)
steps = st.lists(
    st.one_of(
        said,
        said,
        step("ask", customer=customers),
        step("close", customer=customers),
        step("erase", customer=customers),
        step("claim", lane=st.sampled_from(Lane), limit=st.integers(1, 3)),
        step("settle", index=st.integers(0, 50), outcome=outcomes),
        step("revive", index=st.integers(0, 5), drop=st.booleans()),
        step(
            "look",
            customer=st.one_of(st.none(), customers),
            status=st.sampled_from([None, *Status]),
            limit=st.integers(1, 3),
        ),
        step("wait", hours=st.integers(1, 47)),
    ),
    max_size=40,
)


async def played(case: StoreCase, steps: list[Step]) -> list[object]:
    """Play the steps on an empty store, and return the results."""
    with TemporaryDirectory() as folder:
        async with case.open(Path(folder)) as store:
            return await Play(store).all(steps)


@pytest.mark.timeout(180)  # sixty plays against a database in another process
@pytest.mark.parametrize("case", params(STORES[1:]))
@given(steps=steps)
@settings(max_examples=60)
def test_a_store_returns_what_the_memory_store_does(case: StoreCase, steps: list[Step]) -> None:
    expected = asyncio.run(played(STORES[0], steps))

    assert asyncio.run(played(case, steps)) == expected
