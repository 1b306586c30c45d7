"""The store on DynamoDB: all ports of storage, assembled over one table."""

from collections.abc import Callable
from datetime import timedelta
from typing import Self

from adapters.dynamodb.archive import DynamoArchive
from adapters.dynamodb.client import Dynamo, bounded
from adapters.dynamodb.counts import DynamoCountStore
from adapters.dynamodb.leases import DynamoLeases
from adapters.dynamodb.outbox import DynamoOutbox
from adapters.dynamodb.session_reader import SessionReader
from adapters.dynamodb.sessions import DynamoSessions
from application.ports import Clock


class DynamoStore:
    """All four ports of storage in one table, each kept by a part. Use it as `async with store:`.

    `endpoint_url`: another DynamoDB than AWS's. `jitter`: a random number from 0 to 1.
    `retention_days`: how long messages are kept, and closed sessions; 0: for ever.
    """

    def __init__(
        self,
        table: str,
        *,
        endpoint_url: str | None,
        clock: Clock,
        jitter: Callable[[], float],
        retention_days: int = 0,
    ) -> None:
        retention = timedelta(days=retention_days) if retention_days else None
        db = self._db = Dynamo(table, endpoint_url=endpoint_url, clock=clock, jitter=jitter)
        reader = self._reader = SessionReader(db, clock, retention)
        outbox = DynamoOutbox(db, clock)
        self.claim, self.settle, self.depth = outbox.claim, outbox.settle, outbox.depth
        self.dead, self.retry, self.drop = outbox.dead, outbox.retry, outbox.drop

        sessions = DynamoSessions(db, reader, outbox.markers, retention)
        self.latest, self.load, self.append = sessions.latest, sessions.load, sessions.append
        self.stored, self.page, self.due = sessions.stored, sessions.page, sessions.due
        self.probe = sessions.probe

        archive = DynamoArchive(db, clock, reader)
        self.list_sessions, self.erase = archive.list_sessions, archive.erase

        counts = DynamoCountStore(db)
        self.add, self.counts = counts.add, counts.counts
        self.prune = sessions.prune

        self.leases = DynamoLeases(db, clock)
        """They use the same client, and can be used while the store is open."""

    def __repr__(self) -> str:
        return f"<DynamoStore {self._db}>"

    async def __aenter__(self) -> Self:
        """Connect. Raises: StorageUnavailable: no answer, no table, or no permission to use it."""
        await self._db.open()
        try:
            await self._find_table()
        except BaseException:
            await self._db.close()
            raise
        return self

    @bounded
    async def _find_table(self) -> None:
        await self._db.call("describe_table", TableName=self._db.table)

    async def __aexit__(self, *exc: object) -> None:
        """Wait for the background writes, and disconnect."""
        await self._reader.wait_for_background()
        await self._db.close()
