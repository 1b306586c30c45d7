"""The counts of each business: an item for each day, in the business's partition."""

from datetime import date

from adapters.dynamodb.client import Dynamo, bounded
from adapters.dynamodb.items import number
from application.ports import CountStore
from domain.identity import BusinessId
from domain.usage import CACHED_TOKENS, CALLS, INPUT_TOKENS, OUTPUT_TOKENS, Counts

_ATTRIBUTES = {INPUT_TOKENS: "i", CACHED_TOKENS: "h", OUTPUT_TOKENS: "o", CALLS: "n"}
"""Those that every item has: earlier versions of the program need them."""
_NAMES = {attribute: name for name, attribute in _ATTRIBUTES.items()}


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
            [self._db.update_action(_pk(business_id), _sk(day), change, None, **values)]
        )

    @bounded
    async def counts(self, business_id: BusinessId, first: date, last: date) -> dict[date, Counts]:
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
        return {
            date.fromisoformat(item["SK"]["S"][2:]): {
                _NAMES.get(attribute, attribute): int(value["N"])
                for attribute, value in item.items()
                if "N" in value
            }
            for item in items
        }


def _pk(business_id: BusinessId) -> str:
    return f"B#{business_id}"


def _sk(day: date) -> str:
    return f"D#{day.isoformat()}"
