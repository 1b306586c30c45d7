"""Faults between the application and its adapters, injected on a test's command."""

import asyncio
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import date, datetime
from random import Random

from adapters.memory.broker import NoBroker
from adapters.memory.store import MemoryStore
from application.hub import Hub
from application.ports import Businesses, Erased, Hint, Loaded
from domain.business import Business, Reservation
from domain.errors import StorageUnavailable
from domain.identity import BusinessId, Customer, SessionId
from domain.message import Entry
from domain.session import Draft, Session
from domain.usage import Counts
from tests.support.businesses import demo_businesses


class Hold:
    """A call that waits for its `release`."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self._released = asyncio.Event()

    def release(self) -> None:
        self._released.set()

    async def wait(self) -> None:
        self.reached.set()
        await self._released.wait()


@dataclass
class _Faults:
    """The faults of the next calls of one method."""

    before: deque[Exception | Hold] = field(default_factory=deque)
    after: deque[Exception | Hold] = field(default_factory=deque)


class FaultyStore(MemoryStore):
    """The memory store, with failures, waits and competing writes on command.

    It counts `calls` by method, and the `entries_read`.
    """

    def __init__(self, *, yields: int = 0) -> None:
        """`yields`: the number of times that a call yields, before and after its work."""
        super().__init__()
        self._yields = yields
        self._faults: dict[str, _Faults] = {}
        self._down = False
        self.calls: Counter[str] = Counter()
        self.entries_read = 0

    def fail(self, method: str, times: int = 1, error: Exception | None = None) -> None:
        """Make the next calls of `method` raise `error` and do nothing.

        None: StorageUnavailable.
        """
        self._of(method).before.extend([error or StorageUnavailable("as told")] * times)

    def lose_answer(self, method: str) -> None:
        """Make the next call of `method` do its work, and then raise StorageUnavailable."""
        self._of(method).after.append(StorageUnavailable("as told, after the work"))

    def hold(self, method: str) -> Hold:
        """Make the next call of `method` wait before its work."""
        self._of(method).before.append(hold := Hold())
        return hold

    def hold_answer(self, method: str) -> Hold:
        """Make the next call of `method` wait after its work."""
        self._of(method).after.append(hold := Hold())
        return hold

    def go_down(self) -> None:
        """Make every call raise StorageUnavailable."""
        self._down = True

    def come_back(self) -> None:
        self._down = False

    def heal(self) -> None:
        """Forget every fault that is still to come."""
        self._faults.clear()
        self._down = False

    def _of(self, method: str) -> _Faults:
        return self._faults.setdefault(method, _Faults())

    async def _before(self, method: str) -> None:
        self.calls[method] += 1
        await self._let_others_run()
        if self._down:
            raise StorageUnavailable("as told: down")
        await _suffer(self._of(method).before)

    async def _after(self, method: str) -> None:
        await self._let_others_run()
        await _suffer(self._of(method).after)

    async def _let_others_run(self) -> None:
        for _ in range(self._yields):
            await asyncio.sleep(0)

    async def latest(self, customer: Customer) -> Loaded | None:
        await self._before("latest")
        loaded = await super().latest(customer)
        self.entries_read += len(loaded.recent) if loaded else 0
        await self._after("latest")
        return loaded

    async def load(self, session_id: SessionId) -> Loaded | None:
        await self._before("load")
        loaded = await super().load(session_id)
        self.entries_read += len(loaded.recent) if loaded else 0
        await self._after("load")
        return loaded

    async def append(self, draft: Draft, due_at: datetime | None) -> None:
        await self._before("append")
        await super().append(draft, due_at)
        await self._after("append")

    async def page(
        self, session_id: SessionId, *, after: int = 0, before: int | None = None, limit: int
    ) -> tuple[Entry, ...]:
        await self._before("page")
        page = await super().page(session_id, after=after, before=before, limit=limit)
        self.entries_read += len(page)
        await self._after("page")
        return page

    async def due(self, now: datetime, limit: int) -> tuple[Session, ...]:
        await self._before("due")
        return await super().due(now, limit)

    async def erase(self, customer: Customer) -> Erased:
        await self._before("erase")
        erased = await super().erase(customer)
        await self._after("erase")
        return erased


async def _suffer(faults: deque[Exception | Hold]) -> None:
    if not faults:
        return
    fault = faults.popleft()
    if isinstance(fault, Hold):
        await fault.wait()
    else:
        raise fault


class LossyHub(Hub):
    """A fan-out that, while `holding`, keeps every event until the test releases or drops it."""

    def __init__(self) -> None:
        super().__init__(NoBroker())
        self.holding = False
        self.held: list[tuple[Customer, Hint]] = []

    def publish(self, customer: Customer, event: Hint) -> None:
        if self.holding:
            self.held.append((customer, event))
        else:
            super().publish(customer, event)

    def lose(self) -> None:
        """Drop all held events, and stop holding."""
        self.held.clear()
        self.holding = False

    def pass_on(self, *, reverse: bool = False, times: int = 1) -> None:
        """Publish all held events, and stop holding."""
        held, self.held, self.holding = self.held, [], False
        for customer, event in (held[::-1] if reverse else held) * times:
            super().publish(customer, event)


class RandomHub(Hub):
    """A fan-out that loses, doubles and delays events at random, by a seed."""

    def __init__(self, seed: int) -> None:
        super().__init__(NoBroker())
        self._random = Random(seed)
        self._late: list[tuple[Customer, Hint]] = []

    def publish(self, customer: Customer, event: Hint) -> None:
        fate = self._random.random()
        if fate < 0.25:
            return
        if fate < 0.5:
            self._late.append((customer, event))
            return
        for _ in range(2 if fate < 0.75 else 1):
            super().publish(customer, event)
        if self._late and self._random.random() < 0.5:
            super().publish(*self._late.pop(self._random.randrange(len(self._late))))


class FaultyBusinesses(Businesses):
    """The demo's businesses, with an `error` or a `hold` on command."""

    def __init__(self, error: Exception | None = None) -> None:
        self._known = demo_businesses()
        self.error = error
        self.hold: Hold | None = None

    async def business(self, business_id: BusinessId) -> Business | None:
        await self._suffer()
        return await self._known.business(business_id)

    def last_read(self, business_id: BusinessId) -> Business | None:
        return None if self.error is not None else self._known.last_read(business_id)

    async def reservations(self, customer: Customer) -> tuple[Reservation, ...]:
        await self._suffer()
        return await self._known.reservations(customer)

    async def _suffer(self) -> None:
        if self.hold is not None:
            await self.hold.wait()
        if self.error is not None:
            raise self.error


class FaultyLedger(MemoryStore):
    """The memory store, whose counts fail on command; it counts their reads."""

    def __init__(self) -> None:
        super().__init__()
        self.failing = False
        self.asked = 0

    async def add(self, business_id: BusinessId, day: date, counts: Counts) -> None:
        self._fail()
        await super().add(business_id, day, counts)

    async def counts(self, business_id: BusinessId, first: date, last: date) -> dict[date, Counts]:
        self.asked += 1
        self._fail()
        return await super().counts(business_id, first, last)

    def _fail(self) -> None:
        if self.failing:
            raise StorageUnavailable("as told")
