"""The way to DynamoDB: one client for the process, its retries, its deadline, its errors."""

import asyncio
import os
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import wraps
from ipaddress import ip_address
from itertools import count
from typing import Any, Concatenate, ParamSpec, Self, TypeVar
from urllib.parse import urlsplit

import aioboto3  # type: ignore[import-untyped]
from aiobotocore.config import AioConfig  # type: ignore[import-untyped]
from aiobotocore.session import AioSession, get_session  # type: ignore[import-untyped]
from aiohttp import ClientError as AiohttpError
from botocore.exceptions import (  # type: ignore[import-untyped]
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    NoRegionError,
)
from botocore.parsers import ResponseParserError  # type: ignore[import-untyped]

from adapters.dynamodb.items import Item, key
from application.ports import Clock
from domain.backoff import backoff
from domain.errors import StorageUnavailable

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")

DEADLINE_S = 4.5
"""What a call of a port may take, with all its requests and their repeats."""
TRIES = 8
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.025, 0.8
BATCH = 25
"""How many items BatchWriteItem takes."""
TRANSACTION = 100
"""How many actions TransactWriteItems takes."""

_PASSING = frozenset(
    {
        "InternalFailure",
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
_NO_ANSWER = (AiohttpError, ConnectionError, HTTPClientError, OSError, ResponseParserError)


class ConditionFailed(Exception):
    """An item was not as the write demanded; nothing was written."""

    def __init__(self, item: Item | None) -> None:
        super().__init__()
        self.item = item
        """What was there instead; None: nothing, or it was not asked for."""


class TransactionFailed(Exception):
    """Some items were not as a transaction demanded; nothing was written."""

    def __init__(self, reasons: Sequence[ConditionFailed | None]) -> None:
        super().__init__()
        self.reasons = reasons
        """For each action in turn, what its condition met; None: it was not in the way."""


def bounded(
    method: Callable[Concatenate[S, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, R]]:
    """A method that raises StorageUnavailable when it has not returned in DEADLINE_S."""

    @wraps(method)
    async def in_time(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            async with asyncio.timeout(DEADLINE_S):
                return await method(self, *args, **kwargs)
        except TimeoutError as error:
            raise StorageUnavailable(
                f"DynamoDB has not answered in {DEADLINE_S:g} s: {method.__name__.strip('_')}"
            ) from error

    return in_time


class Dynamo:
    """A table in DynamoDB, and the requests that this program makes of it.

    Use it as `async with dynamo:`. Whatever may pass is asked again, with a pause that grows and
    is spread by `jitter` (0 to 1). Every method raises StorageUnavailable when that was in vain,
    naming the operation and the reason, and repeats what may have been done already: writes must
    bear it, by their conditions.
    """

    def __init__(
        self,
        table: str,
        *,
        endpoint_url: str | None,
        clock: Clock,
        jitter: Callable[[], float],
    ) -> None:
        self.table = table
        self._endpoint_url = endpoint_url
        self._clock = clock
        self._jitter = jitter
        self._stack = AsyncExitStack()
        self._client: Any = None

    def __repr__(self) -> str:
        where = self._endpoint_url or "AWS"
        return f"<Dynamo {self.table} at {where} {'open' if self._client else 'closed'}>"

    @bounded
    async def open(self) -> None:
        """Make the client; nothing is asked of the table. Raises: StorageUnavailable."""
        session = get_session()
        try:
            credentials = await _credentials(session, self._endpoint_url)
            self._client = await self._stack.enter_async_context(
                aioboto3.Session(botocore_session=session, **credentials).client(
                    "dynamodb",
                    endpoint_url=self._endpoint_url,
                    region_name=_region(session, self._endpoint_url),
                    # Without encryption no certificates are needed, and reading them takes 25 ms.
                    verify=False if (self._endpoint_url or "").startswith("http://") else None,
                    config=_CONFIG,
                )
            )
        except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint that is no URL
            raise StorageUnavailable(f"DynamoDB: {error}") from error

    async def close(self) -> None:
        """Close the connections."""
        self._client = None
        await self._stack.aclose()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def call(self, operation: str, **request: Any) -> dict[str, Any]:
        """Make the SDK's request `operation`, such as `put_item`, as often as it takes.

        Raises: ConditionFailed, TransactionFailed, StorageUnavailable.
        """
        if self._client is None:
            raise StorageUnavailable("DynamoDB: the store is closed")
        send = getattr(self._client, operation)
        for attempt in range(TRIES):
            try:
                return _checked(await send(**request))
            except ClientError as error:
                if not _passes(error) or attempt == TRIES - 1:
                    raise self._failure(operation, error) from error
            except _NO_ANSWER as error:
                if attempt == TRIES - 1:
                    raise self._failure(operation, error) from error
            except BotoCoreError as error:
                raise self._failure(operation, error) from error
            await self._pause(attempt)
        raise AssertionError("the last try returns or raises")

    async def _pause(self, attempt: int) -> None:
        await self._clock.sleep(backoff(attempt, _FIRST_PAUSE_S, _LONGEST_PAUSE_S, self._jitter()))

    def _failure(self, operation: str, error: Exception) -> Exception:
        if isinstance(error, ClientError):
            code = error.response.get("Error", {}).get("Code", "")
            if code == "ConditionalCheckFailedException":
                return ConditionFailed(error.response.get("Item"))
            if code == "TransactionCanceledException" and (reasons := _conditions(error)):
                return TransactionFailed(reasons)
            if code == "ResourceNotFoundException":
                return StorageUnavailable(
                    f"DynamoDB has no table {self.table}, or not the index that was asked: "
                    "`ai-agent-server table create` makes both"
                )
        return StorageUnavailable(f"DynamoDB, table {self.table}: {operation}: {error}")

    async def get(self, pk: str, sk: str) -> Item | None:
        """The item as it is now."""
        answer = await self.call(
            "get_item", TableName=self.table, Key=key(pk, sk), ConsistentRead=True
        )
        return answer.get("Item")

    async def query(self, limit: int | None = None, **request: Any) -> list[Item]:
        """All items of a Query, in order, or `limit` of them; as they are now, but on an index."""
        request["TableName"] = self.table
        if "IndexName" not in request:
            request["ConsistentRead"] = True
        items: list[Item] = []
        while limit is None or len(items) < limit:
            if limit is not None:
                request["Limit"] = limit - len(items)
            answer = await self.call("query", **request)
            items += answer["Items"]
            if (last := answer.get("LastEvaluatedKey")) is None:
                break
            request["ExclusiveStartKey"] = last
        return items

    async def put(self, item: Item, condition: str | None = None, **values: Any) -> None:
        """Write an item. `values`: what stands for `:name` in the condition, as attributes.

        Raises: ConditionFailed, with the item that was in the way.
        """
        await self.call("put_item", **self.putting(item, condition, **values))

    async def update(self, pk: str, sk: str, change: str, condition: str, **values: Any) -> Item:
        """Change an item, all of which is returned. Raises: ConditionFailed, with the item."""
        request = self.updating(pk, sk, change, condition, **values)
        answer = await self.call("update_item", ReturnValues="ALL_NEW", **request)
        changed: Item = answer["Attributes"]
        return changed

    async def delete(self, pk: str, sk: str, condition: str | None = None, **values: Any) -> None:
        """Delete an item. Raises: ConditionFailed, with the item."""
        await self.call("delete_item", **self.deleting(pk, sk, condition, **values))

    async def transact(self, actions: Sequence[Item], token: str) -> None:
        """Make all the writes or none; `token` (1-36 characters) tells a repeat from another.

        An action is `{"Put": dynamo.putting(...)}`, and so on. Raises: TransactionFailed.
        """
        await self.call("transact_write_items", TransactItems=actions, ClientRequestToken=token)

    async def write_all(self, items: Sequence[Item]) -> None:
        """Put items, in any order and each by itself, until all are there."""
        for start in range(0, len(items), BATCH):
            left = [{"PutRequest": {"Item": item}} for item in items[start : start + BATCH]]
            for attempt in count():
                answer = await self.call("batch_write_item", RequestItems={self.table: left})
                left = answer.get("UnprocessedItems", {}).get(self.table, [])
                if not left:
                    break
                await self._pause(attempt)

    def putting(self, item: Item, condition: str | None = None, **values: Any) -> Item:
        """The request of `put`, also as an action of a transaction."""
        return self._conditional({"Item": item}, condition, values)

    def updating(
        self, pk: str, sk: str, change: str, condition: str | None = None, **values: Any
    ) -> Item:
        """The request of `update`, also as an action of a transaction."""
        request = {"Key": key(pk, sk), "UpdateExpression": change}
        return self._conditional(request, condition, values)

    def deleting(self, pk: str, sk: str, condition: str | None = None, **values: Any) -> Item:
        """The request of `delete`, also as an action of a transaction."""
        return self._conditional({"Key": key(pk, sk)}, condition, values)

    def checking(self, pk: str, sk: str, condition: str, **values: Any) -> Item:
        """A `ConditionCheck` of a transaction."""
        return self._conditional({"Key": key(pk, sk)}, condition, values)

    def _conditional(self, request: Item, condition: str | None, values: Mapping[str, Any]) -> Item:
        request["TableName"] = self.table
        if condition is not None:
            request["ConditionExpression"] = condition
            request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        if values:
            request["ExpressionAttributeValues"] = {
                f":{name}": value for name, value in values.items()
            }
        return request


# The SDK makes one attempt: its own pauses begin at up to a second, which is most of the deadline,
# and would come on top of those that a transaction's conflicts need anyway.
_CONFIG = AioConfig(
    parameter_validation=False,
    retries={"mode": "standard", "total_max_attempts": 1},
    connect_timeout=1,
    read_timeout=3,
    max_pool_connections=50,
)


async def _credentials(session: AioSession, endpoint_url: str | None) -> dict[str, str]:
    """What AWS's own ways find, given to the session; else what a local engine needs: anything."""
    local = endpoint_url is not None and _is_loopback(endpoint_url)
    if local:  # the network is not to be asked on behalf of this machine
        session.get_component("credential_provider").remove("iam-role")
    if await session.get_credentials() is not None:
        return {}
    if local:
        return {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    raise StorageUnavailable(
        "DynamoDB: no AWS credentials in the environment, a profile or a role of this machine"
    )


def _region(session: AioSession, endpoint_url: str | None) -> str:
    # The SDK for Python alone does not know the name that all others, and AWS's containers, use.
    region: str | None = session.get_config_variable("region") or os.environ.get("AWS_REGION")
    if region is None and endpoint_url is None:
        raise NoRegionError
    return region or "us-east-1"


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _checked(answer: dict[str, Any]) -> dict[str, Any]:
    """The SDK takes whatever a proxy says with 200 for a success. Raises: ResponseParserError."""
    kind = answer["ResponseMetadata"]["HTTPHeaders"].get("content-type", "")
    if not kind.startswith("application/x-amz-json"):
        raise ResponseParserError(f"an answer that is not DynamoDB's: {kind or 'of no type'}")
    return answer


def _passes(error: Any) -> bool:
    """Whether the same request may succeed later."""
    code = error.response.get("Error", {}).get("Code", "")
    if code == "TransactionCanceledException":
        others = {reason.get("Code") for reason in error.response.get("CancellationReasons", ())}
        return not others & {"ConditionalCheckFailed", "ValidationError"}
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return code in _PASSING or status >= 500


def _conditions(error: Any) -> list[ConditionFailed | None]:
    reasons = error.response.get("CancellationReasons", ())
    failed = [
        ConditionFailed(reason.get("Item"))
        if reason.get("Code") == "ConditionalCheckFailed"
        else None
        for reason in reasons
    ]
    return failed if any(failed) else []
