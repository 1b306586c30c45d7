"""Several writers on a DynamoDB table in a process of their own, which a test may kill.

    python -m tests.support.dynamodb_writer ENDPOINT TABLE NAME WRITERS SESSIONS WRITES

Writer w of WRITERS writes to session w modulo SESSIONS, WRITES times: in turn it says something
with an idempotency key, something without, and takes the conversation over. One line on stdout for
each acknowledged append: `<session number> <seq> <message id>`, or `… epoch-<epoch>`.
"""

import asyncio
import sys
from collections.abc import Callable
from datetime import UTC, datetime

from adapters.dynamodb.store import DynamoStore
from domain.errors import SeqTaken
from domain.identity import (
    BusinessId,
    CoordinatorId,
    Customer,
    MessageId,
    SessionId,
    TransferId,
    UserId,
)
from domain.message import Author
from domain.session import Draft, Session
from tests.support.drafts import append_message
from tests.support.dynamodb import dynamo_store

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
Decide = Callable[[Session], Draft]


def customer(number: int) -> Customer:
    """The customer of session number `number`."""
    return Customer(BusinessId("b1"), UserId(f"u{number}"))


def message(name: str, *, with_key: bool) -> Decide:
    """Return a decision that appends a message with this id, perhaps also as idempotency key."""

    def decide(session: Session) -> Draft:
        draft = Draft(session, key=name if with_key else None)
        append_message(draft, Author.USER, MessageId(name), f"message {name}", AT)
        return draft

    return decide


def takeover(name: str) -> Decide:
    """A decision that takes the conversation over."""

    def decide(session: Session) -> Draft:
        draft = Draft(session)
        draft.assign(CoordinatorId(name), TransferId(name), AT)
        return draft

    return decide


async def append(store: DynamoStore, number: int, decide: Decide) -> Session:
    """Store the decision, made again until its seq is free, and return the session."""
    while True:
        loaded = await store.latest(customer(number))
        session = loaded.session if loaded else _new(number)
        draft = decide(session)
        try:
            await store.append(draft, AT)
        except SeqTaken:
            continue
        return draft.session


def _new(number: int) -> Session:
    return Session(
        session_id=SessionId(f"s{number}"),
        customer=customer(number),
        location_id=None,
        opened_at=AT,
        updated_at=AT,
    )


async def _write(store: DynamoStore, name: str, number: int, writes: int) -> None:
    for write in range(1, writes + 1):
        if write % 3 == 0:
            session = await append(store, number, takeover(name))
            print(number, session.seq, f"epoch-{session.epoch}", flush=True)
        else:
            said = f"{name}-{write}"
            session = await append(store, number, message(said, with_key=write % 3 == 1))
            print(number, session.seq, said, flush=True)


async def _main(endpoint: str, table: str, name: str, *counts: str) -> None:
    writers, sessions, writes = map(int, counts)
    async with dynamo_store(endpoint, table, AT) as store, asyncio.TaskGroup() as group:
        for writer in range(writers):
            group.create_task(_write(store, f"{name}-{writer}", writer % sessions, writes))


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
