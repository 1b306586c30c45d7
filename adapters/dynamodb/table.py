"""The table: its definition, and what an operator does with it."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from application.ports import Clock
from domain.errors import Failure, StorageUnavailable

if TYPE_CHECKING:  # it imports AWS's SDK, which the definition alone does not need
    from adapters.dynamodb.client import Dynamo

_KEYS = {"by_business": ("lP", "lS"), "by_status": ("gP", "lS"), "due": ("wP", "wS")}
"""The indexes that hold keys alone: a slot of each is there only on items that have its key."""


def definition(name: str) -> dict[str, Any]:
    """The CreateTable request of the table `name`: keys, indexes, billing by request."""
    attributes = ["PK", "SK", "lP", "lS", "gP", "wP", "wS", "oP", "oS"]
    indexes = [_index(index, *keys) for index, keys in _KEYS.items()]
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": attribute, "AttributeType": "S"} for attribute in attributes
        ],
        "KeySchema": _schema("PK", "SK"),
        "GlobalSecondaryIndexes": [*indexes, _index("outbox", "oP", "oS", "oI", "op")],
    }


def _schema(partition: str, order: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": partition, "KeyType": "HASH"},
        {"AttributeName": order, "KeyType": "RANGE"},
    ]


def _index(name: str, partition: str, order: str, *included: str) -> dict[str, Any]:
    """`included`: the attributes that it holds besides all keys."""
    projection: dict[str, Any] = {"ProjectionType": "KEYS_ONLY"}
    if included:
        projection = {"ProjectionType": "INCLUDE", "NonKeyAttributes": [*included]}
    return {"IndexName": name, "KeySchema": _schema(partition, order), "Projection": projection}


# What an operator does. An engine on this machine may not know all that AWS's has.

TTL_ATTRIBUTE = "exp"
"""Says when an item expires, in seconds."""
TTL, RECOVERY, PROTECTION = "TTL", "point-in-time recovery", "deletion protection"
ANSWER_S = 5.0
"""What one question may take, with all its repeats."""
POLL_S, POLLS = 1.0, 900
"""Between two looks at what takes AWS some time, such as to make a table; and how many of them."""
NEW_POLLS = 60
"""For so many of them AWS may refuse to turn on the recovery of a table that it has just made."""
_UNKNOWN, _NOT_FOUND = "UnknownOperationException", "ResourceNotFoundException"
_GONE = "gone"
# AWS may not know a table yet that it has just been told to make.
_PASSING = {_GONE, "CREATING", "UPDATING", "DELETING"}

Say = Callable[[str], object]
"""Is told what has been done, a line for each thing."""


class TableDiffers(Failure):
    """The table is not the one that the store needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table as it is."""

    status: str
    items: int
    """Counted by AWS every six hours or so, as `size_bytes` is."""
    size_bytes: int
    billing: str
    keys: str
    """Such as `PK (S), SK (S)`."""
    indexes: Mapping[str, str]
    """Name → its keys and what else it holds, such as `wP (S), wS (S), KEYS_ONLY`."""
    ttl_attribute: str
    """What says when an item expires; empty: nothing does."""
    features: Mapping[str, bool | None]
    """TTL, RECOVERY, PROTECTION → whether it is on; None: the engine does not know it."""

    def differences(self) -> list[str]:
        """What the store cannot work with and nobody can just turn on, a line each."""
        keys, indexes = _shape(definition("any"))
        found = [] if self.keys == keys else [f"its keys are {self.keys}, not {keys}"]
        for name, shape in indexes.items():
            if name not in self.indexes:
                found.append(f"it has no index {name}")
            elif self.indexes[name] != shape:
                found.append(f"its index {name} is {self.indexes[name]}, not {shape}")
        if self.ttl_attribute not in ("", TTL_ATTRIBUTE):
            found.append(f"its TTL is on {self.ttl_attribute}, not on {TTL_ATTRIBUTE}")
        return found

    def lacks(self, *, to_serve: bool = False) -> list[str]:
        """The differences and what is off, a line each; `to_serve`: what the store cannot miss."""
        features = (TTL,) if to_serve else (TTL, RECOVERY, PROTECTION)
        off = [f"its {name} is off" for name in features if self.features[name] is False]
        return [*self.differences(), *off]


class DynamoTable:
    """The table of a `Dynamo`, as an operator sees it. Use it as `async with table:`.

    Every method raises StorageUnavailable, also where it lasts too long.
    """

    def __init__(self, dynamo: "Dynamo", clock: Clock) -> None:
        self._dynamo = dynamo
        self._clock = clock
        self.name = dynamo.table

    async def __aenter__(self) -> Self:
        await self._dynamo.open()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._dynamo.close()

    async def look(self, *, closely: bool = True) -> Table | None:
        """The table as it is; None: there is none.

        `closely`: its RECOVERY as well, for which the server needs no permission.
        """
        answer = await self._ask("describe_table", _NOT_FOUND)
        if answer is None:
            return None
        ttl = await self._ask("describe_time_to_live", _UNKNOWN)
        backups = await self._ask("describe_continuous_backups", _UNKNOWN) if closely else None
        return _table(answer["Table"], ttl, backups)

    async def existing(self, *, closely: bool = True) -> Table:
        """The table as it is. Raises: StorageUnavailable, also where there is none."""
        table = await self.look(closely=closely)
        if table is None:
            raise StorageUnavailable(
                f"there is no table {self.name}: `ai-agent-server table create` makes it"
            )
        return table

    async def create(self, say: Say) -> None:
        """Have the table there with all its features; harmless where it is there already.

        Raises: TableDiffers, and then nothing has been changed.
        """
        table = await self.look()
        if table is None:
            say(f"table {self.name}: being made")
            # In use: somebody else makes it at this moment.
            await self._ask("create_table", "ResourceInUseException", **definition(self.name))
        elif table.status == "DELETING":
            raise StorageUnavailable(f"table {self.name} is being deleted: try again later")
        elif differences := table.differences():
            raise TableDiffers(f"table {self.name}, which is there: {'; '.join(differences)}")
        await self._wait("ACTIVE")
        say(f"table {self.name}: {'made' if table is None else 'there already'}")
        await self._turn_on(say)

    async def _turn_on(self, say: Say) -> None:
        # Protection comes last: while that is changed a table takes no other change.
        turn_on = {TTL: self._expire, RECOVERY: self._keep_backups, PROTECTION: self._protect}
        outcome = {None: "not known to this engine", True: "on already", False: "turned on"}
        for feature, is_on in (await self.existing()).features.items():
            if is_on is False:
                await turn_on[feature]()
            say(f"{feature}: {outcome[is_on]}")
        await self._wait("ACTIVE")

    async def _expire(self) -> None:
        wanted = {"Enabled": True, "AttributeName": TTL_ATTRIBUTE}
        await self._ask("update_time_to_live", TimeToLiveSpecification=wanted)

    async def _keep_backups(self) -> None:
        wanted = {"PointInTimeRecoveryEnabled": True}
        for _ in range(NEW_POLLS):
            # AWS refuses it for a table that it has just made.
            if await self._ask(
                "update_continuous_backups",
                "ContinuousBackupsUnavailableException",
                PointInTimeRecoverySpecification=wanted,
            ):
                return
            await self._clock.sleep(POLL_S)
        raise StorageUnavailable(f"{RECOVERY} cannot be turned on yet: run this again later")

    async def _protect(self, is_on: bool = True) -> None:
        await self._ask("update_table", DeletionProtectionEnabled=is_on)

    async def delete(self, say: Say) -> None:
        """Delete the table and all that is in it."""
        table = await self.existing()
        if table.status != "DELETING":
            await self._wait("ACTIVE")
            if table.features[PROTECTION]:
                await self._protect(False)
                say(f"{PROTECTION}: turned off")
                await self._wait("ACTIVE")
            await self._ask("delete_table")
        await self._wait(_GONE)
        say(f"table {self.name}: deleted")

    async def _wait(self, wanted: str) -> None:
        """Return once the table has this status."""
        for _ in range(POLLS):
            answer = await self._ask("describe_table", _NOT_FOUND)
            status = _GONE if answer is None else answer["Table"]["TableStatus"]
            if status == wanted:
                return
            if status not in _PASSING:
                break
            await self._clock.sleep(POLL_S)
        raise StorageUnavailable(f"table {self.name} is {status}, and does not become {wanted}")

    async def _ask(self, operation: str, *expected: str, **request: Any) -> dict[str, Any] | None:
        """The answer; None where it is an error with one of the expected codes."""
        try:
            async with asyncio.timeout(ANSWER_S):
                return await self._dynamo.try_call(
                    operation, expected, **{"TableName": self.name, **request}
                )
        except TimeoutError as error:
            raise StorageUnavailable(
                f"DynamoDB: {operation} was not done in {ANSWER_S:g} s"
            ) from error


def _table(
    found: Mapping[str, Any], ttl: Mapping[str, Any] | None, backups: Mapping[str, Any] | None
) -> Table:
    """From the answers to what was asked; None: the engine did not know the question."""
    keys, indexes = _shape(found)
    expires = ttl["TimeToLiveDescription"] if ttl is not None else {}
    is_expiring = expires.get("TimeToLiveStatus") in ("ENABLED", "ENABLING")
    return Table(
        status=found["TableStatus"],
        items=found["ItemCount"],
        size_bytes=found["TableSizeBytes"],
        billing=found.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
        keys=keys,
        indexes=indexes,
        ttl_attribute=expires["AttributeName"] if is_expiring else "",
        features={
            TTL: is_expiring if ttl is not None else None,
            RECOVERY: _is_recoverable(backups) if backups is not None else None,
            PROTECTION: found.get("DeletionProtectionEnabled"),
        },
    )


def _is_recoverable(backups: Mapping[str, Any]) -> bool:
    found = backups["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
    return bool(found.get("PointInTimeRecoveryStatus") == "ENABLED")


def _shape(table: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """The keys, and those of each index with what else it holds, as an operator reads them."""
    types = {each["AttributeName"]: each["AttributeType"] for each in table["AttributeDefinitions"]}

    def keys(schema: list[dict[str, str]]) -> str:
        in_order = sorted(schema, key=lambda key: key["KeyType"])
        names = [key["AttributeName"] for key in in_order]
        return ", ".join(f"{name} ({types[name]})" for name in names)

    def holds(projection: Mapping[str, Any]) -> str:
        included = sorted(projection.get("NonKeyAttributes", []))
        return " ".join([projection["ProjectionType"], *included])

    indexes = {
        index["IndexName"]: f"{keys(index['KeySchema'])}, {holds(index['Projection'])}"
        for index in table.get("GlobalSecondaryIndexes", [])
    }
    return keys(table["KeySchema"]), indexes
