"""Unanswered questions are read from the log of every store."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from application.ports import Store
from application.unanswered import unanswered_questions
from domain.identity import BusinessId, Customer, MessageId, UserId
from domain.message import Author, ToolOutcome, ToolUse
from domain.session import Draft, Session
from tests.contract.stores import NOON, STORES, StoreCase, new_session, params, stored
from tests.support.drafts import append_message

NOTHING = (ToolUse(name="search_knowledge", outcome=ToolOutcome.NOTHING, query="mango"),)
FOUND = (ToolUse(name="search_knowledge", outcome=ToolOutcome.FOUND, query="mango"),)
HOUR = timedelta(hours=1)


@pytest_asyncio.fixture(params=params(STORES))
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """Open each store in turn, empty."""
    case: StoreCase = request.param
    async with case.open(tmp_path) as opened:
        yield opened


async def asked(
    store: Store, session: Session, text: str, tools: tuple[ToolUse, ...], at: datetime
) -> Session:
    """Store a question and the answer to it."""
    draft = Draft(session)
    asked_as = MessageId(f"q{draft.next_seq}")
    append_message(draft, Author.USER, asked_as, text, at)
    session = await stored(store, draft)
    answered = Draft(session)
    append_message(
        answered,
        Author.AI,
        MessageId(f"a{answered.next_seq}"),
        "Nu știu.",
        at,
        settles_seq=session.seq,
        in_reply_to=(asked_as,),
        tools=tools,
    )
    return await stored(store, answered)


async def test_they_are_found_in_each_store_by_business_and_time(store: Store) -> None:
    ana = new_session("s1", Customer(BusinessId("b1"), UserId("ana")))
    ion = new_session("s2", Customer(BusinessId("b2"), UserId("ion")))
    ana = await asked(store, ana, "Aveți MANGO?", NOTHING, NOON)
    ana = await asked(store, ana, "Aveți supă?", FOUND, NOON + HOUR)
    ana = await asked(store, ana, "aveti mango?", NOTHING, NOON + 2 * HOUR)
    await asked(store, ion, "Mango?", NOTHING, NOON + 3 * HOUR)

    async def listed(business_id: str | None, since: datetime) -> list[tuple[str, int]]:
        found = await unanswered_questions(
            store,
            store,
            business_id=BusinessId(business_id) if business_id is not None else None,
            since=since,
        )
        return [(each.question, each.times) for each in found.most_frequent()]

    assert await listed(None, NOON) == [("aveti mango?", 2), ("Mango?", 1)]
    assert await listed("b1", NOON) == [("aveti mango?", 2)]
    assert await listed("b1", NOON + HOUR) == [("aveti mango?", 1)]
    assert await listed("b2", NOON) == [("Mango?", 1)]
    assert await listed(None, NOON + 4 * HOUR) == []
