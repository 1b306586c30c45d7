"""The store on DynamoDB: all ports of storage over one table.

Counts and leases are kept here: an item for each day of a business, and one for each lease.
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Self

from adapters.dynamodb.archive import DynamoArchive
from adapters.dynamodb.client import ConditionFailed, Dynamo, bounded
from adapters.dynamodb.items import key, ms, number, query_of
from adapters.dynamodb.outbox import DynamoOutbox
from adapters.dynamodb.session_reader import SessionReader
from adapters.dynamodb.sessions import DynamoSessions
from adapters.lease_deadline import lease_deadline
from application.ports import Clock, CountStore, Leases, OnStoreRequest
from domain.errors import StorageUnavailable
from domain.identity import BusinessId
from domain.usage import CACHED_TOKENS, CALLS, INPUT_TOKENS, OUTPUT_TOKENS, Counts

_ATTRIBUTES = {INPUT_TOKENS: "i", CACHED_TOKENS: "h", OUTPUT_TOKENS: "o", CALLS: "n"}
"""Those that every item has: earlier versions of the program need them."""
_NAMES = {attribute: name for name, attribute in _ATTRIBUTES.items()}
CLOCK_MARGIN_S = 1.0
"""The time after the end of a lease in which no other holder gets it: clocks may differ."""
_HELD = "HELD"
_FREE = "attribute_not_exists(PK) OR h = :h OR u < :now"


class DynamoCountStore(CountStore):
    """Sums counts in place."""

    def __init__(self, db: Dynamo) -> None:
        self._db = db

    @bounded
    async def add(self, business_id: BusinessId, day: date, counts: Counts) -> None:
        added = {**dict.fromkeys(_ATTRIBUTES, 0), **counts}
        # Short: an expression has at most 4 KB.
        terms = [f"{_ATTRIBUTES.get(name, name)} :v{place}" for place, name in enumerate(added)]
        values = {f"v{place}": number(count) for place, count in enumerate(added.values())}
        change = f"ADD {', '.join(terms)}"
        # A transaction of one: its token keeps a retry from being counted twice.
        await self._db.transact(
            [self._db.update_action(f"B#{business_id}", _day_sk(day), change, None, **values)]
        )

    @bounded
    async def counts(self, business_id: BusinessId, first: date, last: date) -> dict[date, Counts]:
        if last < first:
            return {}
        items = await self._db.query(**query_of(f"B#{business_id}", _day_sk(first), _day_sk(last)))
        return {
            date.fromisoformat(item["SK"]["S"][2:]): {
                _NAMES.get(attribute, attribute): int(value["N"])
                for attribute, value in item.items()
                if "N" in value
            }
            for item in items
        }


def _day_sk(day: date) -> str:
    return f"D#{day.isoformat()}"


class DynamoLeases(Leases):
    """Keeps the names in the store's table, through the store's client."""

    def __init__(self, db: Dynamo, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def claim(self, name: str, holder: str, ttl_s: float) -> bool:
        now = self._clock.wall()
        until = now + timedelta(seconds=ttl_s + CLOCK_MARGIN_S)
        item = {
            **key(f"L#{name}", _HELD),
            "h": {"S": holder},
            "u": number(ms(until)),
            "exp": number(ms(until) // 1000 + 1),
        }
        try:
            async with lease_deadline(StorageUnavailable):
                await self._db.put(item, _FREE, h=item["h"], now=number(ms(now)))
        except ConditionFailed:
            return False
        return True

    async def release(self, name: str, holder: str) -> None:
        try:
            async with lease_deadline(StorageUnavailable):
                await self._db.delete(f"L#{name}", _HELD, "h = :h", h={"S": holder})
        except ConditionFailed:
            pass  # it is another's, or nobody's


class DynamoStore:
    """All four ports of storage in one table, each kept by a part. Use it as `async with store:`.

    `endpoint_url`: another DynamoDB than AWS's. `jitter`: a random number from 0 to 1.
    `retention_days`: how long messages are kept, and closed sessions; 0: for ever. `on_request`:
    see `Dynamo`.
    """

    def __init__(
        self,
        table: str,
        *,
        endpoint_url: str | None,
        clock: Clock,
        jitter: Callable[[], float],
        retention_days: int = 0,
        on_request: OnStoreRequest | None = None,
    ) -> None:
        retention = timedelta(days=retention_days) if retention_days else None
        db = self._db = Dynamo(
            table, endpoint_url=endpoint_url, clock=clock, jitter=jitter, on_request=on_request
        )
        reader = self._reader = SessionReader(db, clock, retention)
        outbox = DynamoOutbox(db, clock)
        self.claim, self.settle = outbox.claim, outbox.settle
        self.backlog, self.depth = outbox.backlog, outbox.depth
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
        try:
            await self._reader.wait_for_background()
        finally:
            await self._db.close()
