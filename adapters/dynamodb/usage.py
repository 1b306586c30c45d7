"""What each business has spent on its AI: an item for each day, in the business's partition."""

import secrets
from datetime import date

from adapters.dynamodb.client import Dynamo, bounded
from adapters.dynamodb.items import Item, number
from application.ports import UsageStore
from domain.identity import BusinessId
from domain.usage import Usage


class DynamoUsageStore(UsageStore):
    """The port on items that are counted up where they are."""

    _db: Dynamo

    @bounded
    async def add(self, business_id: BusinessId, day: date, usage: Usage) -> None:
        # A transaction of one: its token keeps a repeat from being counted again.
        change = self._db.updating(
            _pk(business_id),
            _sk(day),
            "ADD i :i, h :h, o :o, n :n",
            i=number(usage.input_tokens),
            h=number(usage.cached_tokens),
            o=number(usage.output_tokens),
            n=number(usage.calls),
        )
        await self._db.transact([{"Update": change}], secrets.token_hex(16))

    @bounded
    async def spent(self, business_id: BusinessId, first: date, last: date) -> dict[date, Usage]:
        if last < first:
            return {}
        items = await self._db.query(
            KeyConditionExpression="PK = :pk AND SK BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":pk": {"S": _pk(business_id)},
                ":first": {"S": _sk(first)},
                ":last": {"S": _sk(last)},
            },
        )
        return {date.fromisoformat(item["SK"]["S"][2:]): _usage(item) for item in items}


def _pk(business_id: BusinessId) -> str:
    return f"B#{business_id}"


def _sk(day: date) -> str:
    return f"D#{day.isoformat()}"


def _usage(item: Item) -> Usage:
    return Usage(
        input_tokens=int(item["i"]["N"]),
        cached_tokens=int(item["h"]["N"]),
        output_tokens=int(item["o"]["N"]),
        calls=int(item["n"]["N"]),
    )
