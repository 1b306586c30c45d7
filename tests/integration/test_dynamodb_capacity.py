"""The requests of the DynamoDB store and their cost, against the table in its package's docstring.

Dynoxide counts capacity as AWS does, except for writes whose condition fails.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from msgspec.structs import replace

import adapters.dynamodb
from adapters.dynamodb.store import DynamoStore
from domain.identity import BusinessId, Customer, MessageId, UserId
from domain.message import Author
from domain.notice import Deferred, Delivered, Lane, Outcome, Undeliverable
from domain.session import Draft, Session
from domain.usage import Usage
from tests.contract.stores import (
    ANA,
    NOON,
    asks_for_human,
    closes,
    new_session,
    stored,
    user_says,
    with_notices,
)
from tests.support.drafts import append_message
from tests.support.dynamodb import DYNOXIDE, Engine, StoppedClock, dynamo_store, engine
from tests.support.dynamodb_proxy import FaultProxy

RETAKE, IDLE, HOUR = timedelta(seconds=65), timedelta(hours=24), timedelta(hours=1)
SECOND = timedelta(seconds=1)
TODAY = NOON.date()
SESSION_ID = f"{7:032x}"


class Cost(NamedTuple):
    """Requests, and the capacity units that they cost."""

    requests: int
    writes: float
    reads: float


def promised() -> dict[str, Cost]:
    """Parse the table in the package's docstring: `| what | requests | WCU | RCU |`."""
    lines = (adapters.dynamodb.__doc__ or "").splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if "|" in line]
    return {
        what: Cost(int(requests), float(writes), float(reads))
        for what, requests, writes, reads in rows[2:]
    }


class MovingClock(StoppedClock):
    """A clock that the test advances."""

    def move(self, by: timedelta) -> None:
        self._at += by


class Talk:
    """A conversation, and the store that it is in."""

    def __init__(self, store: DynamoStore, session: Session, clock: MovingClock) -> None:
        self.store = store
        self.session = session
        self.clock = clock

    async def ask(self, key: str | None = None) -> None:
        """Append a user's message with a notice, which the AI is to answer."""
        at = self.session.updated_at + SECOND
        draft = with_notices(user_says(self.session, key=key, at=at), due_at=NOON)
        self.session = await stored(self.store, draft, at + RETAKE)

    async def answer(self) -> None:
        """Append the AI's answer with a notice."""
        draft = Draft(self.session)
        seq, at = self.session.seq, self.session.updated_at + SECOND
        append_message(
            draft, Author.AI, MessageId(f"answer-{seq}"), "Sigur, cu drag.", at, settles_seq=seq
        )
        self.session = await stored(self.store, with_notices(draft, due_at=NOON), at + IDLE)

    async def change(self, decide: Callable[[Session], Draft]) -> None:
        """A status change, of which the bridge is notified."""
        draft = with_notices(decide(self.session), due_at=NOON)
        self.session = await stored(self.store, draft, self.session.updated_at + IDLE)

    async def deliver(self, outcome: Outcome) -> None:
        """One notice: claimed and settled."""
        (notice,) = await self.store.claim(Lane.REPORTS, NOON + HOUR, NOON + 2 * HOUR, 1)
        await self.store.settle(notice.notice_id, outcome)

    async def dead_letter(self) -> str:
        """The id of a notice that is undeliverable."""
        await self.ask()
        await self.deliver(Undeliverable("no"))
        (letter,) = await self.store.dead(1)
        return letter.notice.notice_id


async def nothing(talk: Talk) -> None:
    """Prepare nothing."""


async def cold(talk: Talk) -> None:
    """Prepare nothing, in a process that has not claimed anything yet."""


async def second_later(talk: Talk) -> None:
    talk.clock.move(SECOND)


async def poll(talk: Talk) -> None:
    assert await talk.store.claim(Lane.REPORTS, NOON, NOON, 8) == ()


async def asked(talk: Talk) -> None:
    await talk.ask()


async def waiting(talk: Talk) -> None:
    await talk.ask()
    await talk.answer()


async def turn(talk: Talk) -> None:
    await talk.ask()
    await talk.answer()


async def turn_with_key(talk: Talk) -> None:
    await talk.ask("k")
    await talk.answer()


async def half_a_minute_later(talk: Talk) -> None:
    talk.session = replace(talk.session, updated_at=talk.session.updated_at + 31 * SECOND)


async def opening(talk: Talk) -> None:
    session = new_session("new", Customer(BusinessId("b2"), UserId("new")))
    await talk.store.append(user_says(session, key="k"), NOON + RETAKE)


async def much_later(talk: Talk) -> None:
    at = talk.session.updated_at + 31 * SECOND
    await talk.store.append(user_says(talk.session, at=at), at + IDLE)


async def dead(talk: Talk) -> None:
    await talk.dead_letter()


async def revived(talk: Talk) -> None:
    (letter,) = await talk.store.dead(1)
    await talk.store.retry(letter.notice.notice_id)


async def delivered_in_turn(talk: Talk) -> None:
    """Both notices of a turn, by a deliverer that has room for more than one."""
    for _ in range(2):
        (notice,) = await talk.store.claim(Lane.REPORTS, NOON + HOUR, NOON + 2 * HOUR, 2)
        await talk.store.settle(notice.notice_id, Delivered())


async def delivered_turn(talk: Talk, key: str | None = None) -> None:
    """A turn as the deliverer sees it, which claims after every append and every settlement."""
    for say in (talk.ask(key), talk.answer()):
        await say
        await talk.deliver(Delivered())
        for lane in Lane:
            assert await talk.store.claim(lane, NOON + HOUR, NOON + 2 * HOUR, 8) == ()


async def delivered_turn_with_key(talk: Talk) -> None:
    await delivered_turn(talk, "k")


async def spending(talk: Talk) -> None:
    await talk.store.add(ANA.business_id, TODAY, Usage(input_tokens=900, calls=1).counts)


async def lease(talk: Talk) -> None:
    assert await talk.store.leases.claim("n", "me", 10)


async def dropped(talk: Talk) -> None:
    (letter,) = await talk.store.dead(1)
    await talk.store.drop(letter.notice.notice_id)


Step = Callable[[Talk], Awaitable[object]]
MEASURED: dict[str, tuple[Step, Step]] = {
    "AI turn: message and answer, with a notice each": (nothing, turn),
    "the same, with an idempotency key": (nothing, turn_with_key),
    "AI turn, half a minute after the entry before": (half_a_minute_later, turn),
    "append: a message alone": (
        nothing,
        lambda talk: talk.store.append(user_says(talk.session), talk.session.updated_at + IDLE),
    ),
    "append: a message after half a minute": (nothing, much_later),
    "append: the first of a session, with a key": (nothing, opening),
    "append: a status change": (nothing, lambda talk: talk.change(asks_for_human)),
    "append: the end": (nothing, lambda talk: talk.change(closes)),
    "latest": (nothing, lambda talk: talk.store.latest(ANA)),
    "load": (nothing, lambda talk: talk.store.load(talk.session.session_id)),
    "page of 20": (
        nothing,
        lambda talk: talk.store.page(
            talk.session.session_id, before=talk.session.seq - 5, limit=20
        ),
    ),
    "stored": (nothing, lambda talk: talk.store.stored(ANA, "k", NOON)),
    "due, no session": (nothing, lambda talk: talk.store.due(NOON, 100)),
    "due, one session": (
        asked,
        lambda talk: talk.store.due(talk.session.updated_at + RETAKE, 9),
    ),
    "list_sessions of a business, one": (
        nothing,
        lambda talk: talk.store.list_sessions(business_id=ANA.business_id, limit=20),
    ),
    "claim, no notice": (nothing, poll),
    "claim, no notice, a second later": (second_later, poll),
    "claim, no notice, the first of a process": (cold, poll),
    "claim and settle, delivered": (asked, lambda talk: talk.deliver(Delivered())),
    "claim and settle, both notices of a turn": (waiting, delivered_in_turn),
    "AI turn, with its notices claimed and settled": (delivered_turn, delivered_turn),
    "the same, with a key": (delivered_turn, delivered_turn_with_key),
    "claim and settle, deferred": (asked, lambda talk: talk.deliver(Deferred(NOON + HOUR))),
    "claim and settle, undeliverable": (asked, lambda talk: talk.deliver(Undeliverable("no"))),
    "depth": (asked, lambda talk: talk.store.depth()),
    "dead and retry": (dead, revived),
    "dead and drop": (dead, dropped),
    "add": (nothing, spending),
    "counts, in 31 days": (
        spending,
        lambda talk: talk.store.counts(ANA.business_id, TODAY - timedelta(days=30), TODAY),
    ),
    "lease: claim, or renew": (nothing, lease),
    "lease: release": (lease, lambda talk: talk.store.leases.release("n", "me")),
    "erase: one conversation of 10 messages": (nothing, lambda talk: talk.store.erase(ANA)),
}
GROWS_WITH_THE_CONVERSATION = "erase: one conversation of 10 messages"


async def seed(store: DynamoStore, length: int) -> Session:
    """Store a conversation of this length, the newest entries one by one."""
    session = new_session(SESSION_ID)
    while session.seq < length:
        draft = Draft(session)
        at = session.updated_at + SECOND / 100
        for _ in range(50 if length - session.seq >= 90 else 1):
            seq = draft.session.seq + 1
            append_message(
                draft, Author.USER, MessageId(f"{seq:032x}"), "Aveți o masă liberă mâine?", at
            )
        session = await stored(store, draft, at + IDLE)
    return session


async def spent(proxy: FaultProxy, table: str, before: Step, measured: Step) -> Cost:
    """Measure a step, with its background writes, while the conversation is in the cache."""
    clock = MovingClock(NOON)
    async with DynamoStore(table, endpoint_url=proxy.url, clock=clock, jitter=lambda: 1.0) as store:
        loaded = await store.latest(ANA)
        assert loaded is not None
        talk = Talk(store, loaded.session, clock)
        for lane in Lane if before is not cold else ():
            await store.claim(lane, NOON, NOON, 8)
        await before(talk)
        await store._reader.wait_for_background()
        proxy.forget()
        await measured(talk)
    # The store is closed: its background writes are done.
    writes = sum(each.write for each in proxy.spent)
    return Cost(len(proxy.asked), writes, sum(each.read for each in proxy.spent))


def cloned(running: Engine, items: list[dict[str, Any]], path: Path) -> str:
    """Create the table of this path with these items."""
    table = running.table(path)
    for start in range(0, len(items), 25):
        puts = [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]
        running.call("BatchWriteItem", RequestItems={table: puts})
    return table


async def costs(path: Path, length: int) -> dict[str, Cost]:
    """Measure every step with a conversation of this length."""
    running = engine(DYNOXIDE)
    table = running.table(path)
    async with dynamo_store(running.url, table, NOON) as store:
        await seed(store, length)
    items = running.items(table)
    async with FaultProxy(running.url) as proxy:
        return {
            what: await spent(proxy, cloned(running, items, path / str(number)), *steps)
            for number, (what, steps) in enumerate(MEASURED.items())
        }


async def test_everything_costs_what_is_promised(tmp_path: Path) -> None:
    assert await costs(tmp_path, 10) == promised()


async def test_only_an_erasure_costs_more_in_a_long_conversation(tmp_path: Path) -> None:
    long, short = await costs(tmp_path, 3_000), promised()

    assert {what for what in long if long[what] != short[what]} == {GROWS_WITH_THE_CONVERSATION}


def test_a_turn_keeps_within_its_budget() -> None:
    costs = promised()
    warm = costs["AI turn: message and answer, with a notice each"]
    keyed = costs["the same, with an idempotency key"]
    delivered = costs["the same, with a key"]
    cold = costs["latest"]

    assert max(warm.requests, keyed.requests) <= 5
    assert max(warm.writes, keyed.writes) <= 14
    assert max(warm.reads, keyed.reads) == 0
    assert delivered.writes <= 25
    assert cold.reads <= 2
