"""A program that writes to an SQLite file until it is killed, and prints what is acknowledged.

    python -m tests.support.crash_writer FILE SESSIONS

One line per acknowledged append, `<session id> <seq>`; each append has the key `<seq>`.
"""

import asyncio
import sys
from datetime import UTC, datetime

from adapters.sqlite.store import SqliteStore
from domain.identity import BusinessId, Customer, MessageId, SessionId, UserId
from domain.message import Author
from domain.session import Draft, Session
from tests.support.drafts import append_message

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def customer(number: int) -> Customer:
    """The customer of session number `number`."""
    return Customer(BusinessId("b1"), UserId(f"u{number}"))


async def _write(store: SqliteStore, number: int) -> None:
    loaded = await store.latest(customer(number))
    session = (
        loaded.session
        if loaded
        else Session(
            session_id=SessionId(f"s{number}"),
            customer=customer(number),
            location_id=None,
            opened_at=NOON,
            updated_at=NOON,
        )
    )
    while True:
        seq = session.seq + 1
        draft = Draft(session, key=str(seq))
        append_message(draft, Author.USER, MessageId(str(seq)), f"message {seq}", NOON)
        await store.append(draft, NOON)
        session = draft.session
        print(session.session_id, seq, flush=True)


async def _main(path: str, sessions: int) -> None:
    async with SqliteStore(path) as store:
        await asyncio.gather(*(_write(store, number) for number in range(sessions)))


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2])))
