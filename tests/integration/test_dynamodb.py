"""Several processes on one DynamoDB table, of which one may be killed."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from adapters.dynamodb.store import DynamoStore
from domain.message import Entry, Message
from tests.support.dynamodb import DYNAMODB_LOCAL, DYNOXIDE, Engine, dynamo_store, engine
from tests.support.dynamodb_writer import AT, customer
from tests.support.process import ENVIRONMENT

WRITERS, WRITES = 16, 3


class Acknowledged(NamedTuple):
    """A line that a writer prints."""

    session: int
    seq: int
    what: str


@asynccontextmanager
async def writing(
    running: Engine, table: str, name: str, sessions: int, writes: int = WRITES
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a process of writers; kill it at the end of the block if it still runs."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.dynamodb_writer", running.url, table, name),
        *map(str, (WRITERS, sessions, writes)),
        env=ENVIRONMENT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def told(output: bytes) -> list[Acknowledged]:
    """Parse the acknowledgements; the last line may have been cut off."""
    lines = [line.decode().split() for line in output.splitlines(keepends=True) if b"\n" in line]
    return [Acknowledged(int(session), int(seq), what) for session, seq, what in lines]


async def written(process: asyncio.subprocess.Process) -> list[Acknowledged]:
    """Wait for a process to succeed, and return its acknowledgements."""
    output, _ = await process.communicate()
    assert process.returncode == 0
    return told(output)


def what(entry: Entry) -> str:
    """Return an entry as a writer prints it."""
    return entry.message_id if isinstance(entry, Message) else f"epoch-{entry.epoch}"


async def whole_log(store: DynamoStore, number: int) -> dict[int, str]:
    """Read the whole session of this number, and check that its seqs have no gap."""
    loaded = await store.latest(customer(number))
    assert loaded is not None
    log = await store.page(loaded.session.session_id, limit=100_000)
    assert [entry.seq for entry in log] == list(range(1, loaded.session.seq + 1))
    return {entry.seq: what(entry) for entry in log}


@pytest.mark.parametrize(
    ("name", "sessions"), [(DYNOXIDE, 1), (DYNAMODB_LOCAL, 1), (DYNOXIDE, WRITERS)]
)
async def test_two_processes_write_the_same_sessions_without_loss_doubles_or_gaps(
    tmp_path: Path, name: str, sessions: int
) -> None:
    running = engine(name)
    table = running.table(tmp_path)
    async with (
        writing(running, table, "a", sessions) as one,
        writing(running, table, "b", sessions) as other,
        dynamo_store(running.url, table, AT) as store,
    ):
        acknowledged = await written(one) + await written(other)
        logs = {number: await whole_log(store, number) for number in range(sessions)}

    assert len(acknowledged) == 2 * WRITERS * WRITES
    for number, log in logs.items():
        mine = {each.seq: each.what for each in acknowledged if each.session == number}
        epochs = [text for text in log.values() if text.startswith("epoch-")]
        assert mine == log
        assert epochs == [f"epoch-{epoch}" for epoch in range(1, len(epochs) + 1)]
        assert set(Counter(log.values()).values()) == {1}


async def test_kill_9_of_one_process_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    running = engine(DYNOXIDE)
    table = running.table(tmp_path)
    async with (
        writing(running, table, "a", 4, writes=10_000) as killed,
        writing(running, table, "b", 4) as survivor,
        dynamo_store(running.url, table, AT) as store,
    ):
        assert killed.stdout is not None
        lines = [await killed.stdout.readline() for _ in range(60)]
        killed.kill()
        acknowledged = told(b"".join(lines) + await killed.stdout.read()) + await written(survivor)
        logs = {number: await whole_log(store, number) for number in range(4)}

    stored = {(number, seq): text for number, log in logs.items() for seq, text in log.items()}
    assert {(each.session, each.seq): each.what for each in acknowledged}.items() <= stored.items()
    for log in logs.values():
        assert set(Counter(log.values()).values()) == {1}
