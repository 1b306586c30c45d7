"""The AI usage of each business: an item for each day, in the business's partition."""

from datetime import date

from adapters.dynamodb.client import Dynamo, bounded
from adapters.dynamodb.items import Item, number
from application.ports import UsageStore
from domain.identity import BusinessId
from domain.usage import Usage


class DynamoUsageStore(UsageStore):
    """Sums usage in place."""

    def __init__(self, db: Dynamo) -> None:
        self._db = db

    @bounded
    async def add(self, business_id: BusinessId, day: date, usage: Usage) -> None:
        # A transaction of one: its token keeps a retry from being counted twice.
        add = self._db.update_action(
            _pk(business_id),
            _sk(day),
            "ADD i :i, h :h, o :o, n :n",
            i=number(usage.input_tokens),
            h=number(usage.cached_tokens),
            o=number(usage.output_tokens),
            n=number(usage.calls),
        )
        await self._db.transact([add])

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
