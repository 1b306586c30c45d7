"""Leases among all processes on one table: an item each, by the claimers' clocks."""

from datetime import timedelta

from adapters.dynamodb.client import ConditionFailed, Dynamo
from adapters.dynamodb.items import key, ms, number
from adapters.lease_deadline import lease_deadline
from application.ports import Clock, Leases
from domain.errors import StorageUnavailable

CLOCK_MARGIN_S = 1.0
"""The time after the end of a lease in which no other holder gets it: clocks may differ."""
_HELD = "HELD"
_FREE = "attribute_not_exists(PK) OR h = :h OR u < :now"


class DynamoLeases(Leases):
    """Keeps the names in the store's table, through the store's client."""

    def __init__(self, db: Dynamo, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def claim(self, name: str, holder: str, ttl_s: float) -> bool:
        now = self._clock.wall()
        until = now + timedelta(seconds=ttl_s + CLOCK_MARGIN_S)
        item = {
            **key(_pk(name), _HELD),
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
                await self._db.delete(_pk(name), _HELD, "h = :h", h={"S": holder})
        except ConditionFailed:
            pass  # it is another's, or nobody's


def _pk(name: str) -> str:
    return f"L#{name}"
