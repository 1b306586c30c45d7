"""The stores under the contract, and drafts for its tests."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from adapters.memory.store import MemoryStore
from adapters.sqlite.store import SqliteStore
from application.ports import SessionStore, Store
from domain.identity import BusinessId, Customer, MessageId, SessionId, TransferId, UserId
from domain.message import Author
from domain.notice import Lane, Notice, NoticeContent, QuestionAsked, StatusChanged
from domain.session import Draft, Session
from domain.status import Reason, Status
from tests.support.drafts import append_message
from tests.support.dynamodb import DYNAMODB_LOCAL, DYNOXIDE, dynamo_store, engine

NOON = datetime(2026, 3, 1, 12, 0, 0, 123_000, tzinfo=UTC)
ANA = Customer(BusinessId("b1"), UserId("ana"))
DAN = Customer(BusinessId("b1"), UserId("dan"))


@dataclass(frozen=True, slots=True)
class StoreCase:
    """An adapter under the contract. `open` returns it, empty unless the path was used before."""

    name: str
    open: Callable[[Path], AbstractAsyncContextManager[Store]]
    survives_reopen: bool
    marks: tuple[pytest.MarkDecorator, ...] = ()


@asynccontextmanager
async def _memory(path: Path) -> AsyncIterator[Store]:
    yield MemoryStore()


def _sqlite(path: Path) -> AbstractAsyncContextManager[Store]:
    return SqliteStore(path / "store.db")


def _dynamodb(name: str, path: Path) -> AbstractAsyncContextManager[Store]:
    running = engine(name)
    return dynamo_store(running.url, running.table(path), NOON)


STORES = (
    StoreCase("memory", _memory, survives_reopen=False),
    StoreCase("sqlite", _sqlite, survives_reopen=True),
    *(
        StoreCase(
            name, partial(_dynamodb, name), survives_reopen=True, marks=(pytest.mark.dynamodb,)
        )
        for name in (DYNOXIDE, DYNAMODB_LOCAL)
    ),
)


def params(cases: Iterable[StoreCase]) -> list[pytest.ParameterSet]:
    """The parameters of a test that takes each of these cases."""
    return [pytest.param(case, id=case.name, marks=case.marks) for case in cases]


every_store = pytest.mark.parametrize("case", params(STORES))
every_durable_store = pytest.mark.parametrize(
    "case", params(case for case in STORES if case.survives_reopen)
)


def new_session(session_id: str = "s1", customer: Customer = ANA, at: datetime = NOON) -> Session:
    """Return the head of a session without entries."""
    return Session(
        session_id=SessionId(session_id),
        customer=customer,
        location_id=None,
        opened_at=at,
        updated_at=at,
    )


def user_says(
    session: Session, text: str = "hello", *, key: str | None = None, at: datetime | None = None
) -> Draft:
    """Return a draft of one message, a second after the newest entry unless a time is given."""
    draft = Draft(session, key=key)
    message_id = MessageId(f"{session.session_id}-{session.seq + 1}")
    append_message(
        draft, Author.USER, message_id, text, at or session.updated_at + timedelta(seconds=1)
    )
    return draft


def asks_for_human(session: Session, at: datetime | None = None) -> Draft:
    """Return a draft of two entries: a status change and a system message."""
    draft = Draft(session)
    at = at or session.updated_at + timedelta(seconds=1)
    draft.request_transfer(
        Reason.USER_REQUEST, TransferId("t1"), at, timeout_s=300.0, handover_note="Da"
    )
    append_message(
        draft, Author.SYSTEM, MessageId(f"asked-{draft.session.seq}"), "I have asked", at
    )
    return draft


def closes(session: Session) -> Draft:
    """Return a draft that closes the session."""
    draft = Draft(session)
    at = session.updated_at + timedelta(seconds=1)
    draft.change_status(Status.CLOSED, Reason.CLOSED_BY_COORDINATOR, at)
    return draft


def with_notices(
    draft: Draft, count: int = 1, *, lanes: Sequence[Lane] = (), due_at: datetime = NOON
) -> Draft:
    """Add notices to the draft, named `<session>-<position>`: one of each of these lanes in order.

    Without `lanes`: `count` of REPORTS.
    """
    session = draft.session
    lanes = lanes or [Lane.REPORTS] * count
    contents: dict[Lane, NoticeContent] = {
        Lane.PEOPLE: StatusChanged(at=due_at, status=session.status),
        Lane.REPORTS: QuestionAsked(at=due_at, text=f"ă {draft.entries[0].seq}"),
    }
    draft.notices = tuple(
        Notice(
            notice_id=f"{session.session_id}-{session.seq * 10 + place}",
            session_id=session.session_id,
            customer=session.customer,
            position=session.seq * 10 + place,
            content=contents[lane],
            due_at=due_at,
        )
        for place, lane in enumerate(lanes)
    )
    return draft


async def stored(store: SessionStore, draft: Draft, due_at: datetime | None = None) -> Session:
    """Store the draft, and return the session."""
    await store.append(draft, due_at)
    return draft.session


async def conversation(
    store: SessionStore,
    length: int,
    session_id: str = "s1",
    customer: Customer = ANA,
    at: datetime = NOON,
) -> Session:
    """Store a session of `length` messages, all at `at`."""
    session = new_session(session_id, customer, at)
    for number in range(1, length + 1):
        session = await stored(store, user_says(session, f"message {number}", at=at))
    return session
