"""The table: its definition and administration."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from adapters.dynamodb.items import KEYS
from application.ports import Clock
from domain.errors import Failure, StorageUnavailable

if TYPE_CHECKING:  # it imports AWS's SDK, which the definition alone does not need
    from adapters.dynamodb.client import Dynamo


def definition(table: str) -> dict[str, Any]:
    """Return the CreateTable request of the table: keys, indexes, billing by request.

    `op` in the index `outbox` is an attribute of the former version: a table need not be changed.
    """
    attributes = dict.fromkeys(attribute for keys in KEYS.values() for attribute in keys)
    held = {"outbox": ("oI", "op")}
    indexes = [_index(name, *keys, *held.get(name, ())) for name, keys in KEYS.items() if name]
    return {
        "TableName": table,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": attribute, "AttributeType": "S"} for attribute in attributes
        ],
        "KeySchema": _schema(*KEYS[None]),
        "GlobalSecondaryIndexes": indexes,
    }


def _schema(partition: str, order: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": partition, "KeyType": "HASH"},
        {"AttributeName": order, "KeyType": "RANGE"},
    ]


def _index(name: str, partition: str, order: str, *included: str) -> dict[str, Any]:
    """Return an index. `included`: the attributes that it holds besides all keys."""
    projection: dict[str, Any] = {"ProjectionType": "KEYS_ONLY"}
    if included:
        projection = {"ProjectionType": "INCLUDE", "NonKeyAttributes": [*included]}
    return {"IndexName": name, "KeySchema": _schema(partition, order), "Projection": projection}


# Administration. A local engine may not support all of AWS's features.

TTL_ATTRIBUTE = "exp"
"""Holds when an item expires, in seconds."""
TTL, RECOVERY, PROTECTION = "TTL", "point-in-time recovery", "deletion protection"
REQUEST_DEADLINE_S = 5.0
"""Time limit of one request, with all its retries."""
POLL_EVERY_S, MAX_POLLS = 1.0, 900
"""Pause and number of the checks whether AWS has completed a change, such as a new table."""
MAX_RECOVERY_POLLS = 60
"""The times that AWS may refuse to turn on the recovery of a table that it has just created."""
_UNKNOWN, _NOT_FOUND = "UnknownOperationException", "ResourceNotFoundException"
_GONE = "gone"
# AWS may not know a table yet that it was just told to create.
_TRANSIENT_STATUSES = {_GONE, "CREATING", "UPDATING", "DELETING"}

Report = Callable[[str], object]
"""Receives a line for each thing that was done."""


class TableDiffers(Failure):
    """The table does not have the shape that the store needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The description of an existing table."""

    status: str
    items: int
    """Updated by AWS about every six hours, as is `size_bytes`."""
    size_bytes: int
    billing: str
    keys: str
    """Such as `PK (S), SK (S)`."""
    indexes: Mapping[str, str]
    """Name → its keys and projection, such as `wP (S), wS (S), KEYS_ONLY`."""
    ttl_attribute: str
    """The attribute by which items expire; empty: TTL is off."""
    features: Mapping[str, bool | None]
    """TTL, RECOVERY, PROTECTION → whether it is on; None: the engine does not support it."""

    def differences(self) -> list[str]:
        """Return how the table differs from the definition, a line for each difference."""
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
        """Return the differences and the features that are off, a line each.

        `to_serve`: only what the store needs to work.
        """
        features = (TTL,) if to_serve else (TTL, RECOVERY, PROTECTION)
        off = [f"its {name} is off" for name in features if self.features[name] is False]
        return [*self.differences(), *off]


class DynamoTable:
    """Administers the table of a `Dynamo`. Use it as `async with table:`.

    Every method raises StorageUnavailable, also when it takes too long.
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

    async def describe(self, *, with_recovery: bool = True) -> Table | None:
        """Describe the table; None: there is none.

        `with_recovery`: its RECOVERY too; the server has no permission for that.
        """
        answer = await self._ask("describe_table", _NOT_FOUND)
        if answer is None:
            return None
        ttl = await self._ask("describe_time_to_live", _UNKNOWN)
        backups = (
            await self._ask("describe_continuous_backups", _UNKNOWN) if with_recovery else None
        )
        return _table(answer["Table"], ttl, backups)

    async def existing(self, *, with_recovery: bool = True) -> Table:
        """Describe the table. Raises: StorageUnavailable, also when there is none."""
        table = await self.describe(with_recovery=with_recovery)
        if table is None:
            raise StorageUnavailable(
                f"there is no table {self.name}: `ai-agent-server table create` creates it"
            )
        return table

    async def create(self, report: Report) -> None:
        """Create the table and turn on its features; harmless when it exists already.

        Raises: TableDiffers, and then nothing has been changed.
        """
        table = await self.describe()
        if table is None:
            report(f"table {self.name}: creating")
            # In use: another process creates it at this moment.
            await self._ask("create_table", "ResourceInUseException", **definition(self.name))
        elif table.status == "DELETING":
            raise StorageUnavailable(f"table {self.name} is being deleted: try again later")
        elif differences := table.differences():
            raise TableDiffers(f"table {self.name} exists, but {'; '.join(differences)}")
        await self._wait("ACTIVE")
        report(f"table {self.name}: {'created' if table is None else 'exists already'}")
        await self._turn_on(report)

    async def _turn_on(self, report: Report) -> None:
        # Protection comes last: while that is changed a table takes no other change.
        turn_on = {TTL: self._expire, RECOVERY: self._keep_backups, PROTECTION: self._protect}
        outcome = {None: "not supported by this engine", True: "already on", False: "turned on"}
        for feature, is_on in (await self.existing()).features.items():
            if is_on is False:
                await turn_on[feature]()
            report(f"{feature}: {outcome[is_on]}")
        await self._wait("ACTIVE")

    async def _expire(self) -> None:
        wanted = {"Enabled": True, "AttributeName": TTL_ATTRIBUTE}
        await self._ask("update_time_to_live", TimeToLiveSpecification=wanted)

    async def _keep_backups(self) -> None:
        wanted = {"PointInTimeRecoveryEnabled": True}
        for _ in range(MAX_RECOVERY_POLLS):
            # AWS refuses it for a table that it has just created.
            if await self._ask(
                "update_continuous_backups",
                "ContinuousBackupsUnavailableException",
                PointInTimeRecoverySpecification=wanted,
            ):
                return
            await self._clock.sleep(POLL_EVERY_S)
        raise StorageUnavailable(f"{RECOVERY} cannot be turned on yet: run this again later")

    async def _protect(self, is_on: bool = True) -> None:
        await self._ask("update_table", DeletionProtectionEnabled=is_on)

    async def delete(self, report: Report) -> None:
        """Delete the table with all its items."""
        table = await self.existing()
        if table.status != "DELETING":
            await self._wait("ACTIVE")
            if table.features[PROTECTION]:
                await self._protect(False)
                report(f"{PROTECTION}: turned off")
                await self._wait("ACTIVE")
            await self._ask("delete_table")
        await self._wait(_GONE)
        report(f"table {self.name}: deleted")

    async def _wait(self, wanted: str) -> None:
        """Return when the table has this status."""
        for _ in range(MAX_POLLS):
            answer = await self._ask("describe_table", _NOT_FOUND)
            status = _GONE if answer is None else answer["Table"]["TableStatus"]
            if status == wanted:
                return
            if status not in _TRANSIENT_STATUSES:
                break
            await self._clock.sleep(POLL_EVERY_S)
        raise StorageUnavailable(f"table {self.name} is {status}, and does not become {wanted}")

    async def _ask(self, operation: str, *expected: str, **request: Any) -> dict[str, Any] | None:
        """Send a request; None when it is refused with one of the expected codes."""
        try:
            async with asyncio.timeout(REQUEST_DEADLINE_S):
                return await self._dynamo.try_call(
                    operation, expected, **{"TableName": self.name, **request}
                )
        except TimeoutError as error:
            raise StorageUnavailable(
                f"DynamoDB: {operation} was not answered in {REQUEST_DEADLINE_S:g} s"
            ) from error


def _table(
    found: Mapping[str, Any], ttl: Mapping[str, Any] | None, backups: Mapping[str, Any] | None
) -> Table:
    """Build the description from the responses; None: the engine does not support the request."""
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
    """Return the keys, and the keys and projection of each index, in readable form."""
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
