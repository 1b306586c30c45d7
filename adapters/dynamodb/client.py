"""The DynamoDB client: one per process, with its retries, deadline and errors."""

import asyncio
import os
import secrets
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
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

from adapters.dynamodb.items import Item, ItemKey, key, key_of
from adapters.urls import shown_url
from application.ports import Clock
from domain.backoff import backoff
from domain.errors import StorageUnavailable

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")

DEADLINE_S = 4.5
"""Time limit of a call of a port, with all its requests and their retries."""
REQUEST_ATTEMPTS = 8
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.025, 0.8
MAX_BATCH_WRITE = 25
"""Items in one BatchWriteItem."""
MAX_BATCH_GET = 100
"""Items in one BatchGetItem."""
MAX_TRANSACTION = 100
"""Actions in one TransactWriteItems."""

_TRANSIENT = frozenset(
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
_NO_RESPONSE = (AiohttpError, ConnectionError, HTTPClientError, OSError, ResponseParserError)


class ConditionFailed(Exception):
    """The condition of a write was not met; nothing was written."""

    def __init__(self, item: Item | None) -> None:
        super().__init__()
        self.item = item
        """The item as it is; None: there is none, or it was not requested."""


class TransactionFailed(Exception):
    """Conditions of a transaction were not met; nothing was written."""

    def __init__(self, reasons: Sequence[ConditionFailed | None]) -> None:
        super().__init__()
        self.reasons = reasons
        """The failed condition of each action in turn; None: it had not failed."""


def bounded(
    method: Callable[Concatenate[S, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, R]]:
    """Make a method raise StorageUnavailable when it has not returned in DEADLINE_S."""

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
    """A table in DynamoDB, and the requests that this program sends to it.

    Use it as `async with dynamo:`. A transient failure is retried, with a pause that grows and
    is spread by `jitter` (0 to 1). Every method raises StorageUnavailable when the retries
    fail, naming the operation and the reason. A retry may repeat a write that has succeeded: by
    their conditions writes must tolerate that.
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
        where = shown_url(self._endpoint_url) if self._endpoint_url else "AWS"
        return f"<Dynamo {self.table} at {where} {'open' if self._client else 'closed'}>"

    @bounded
    async def open(self) -> None:
        """Create the client, without a request to the table. Raises: StorageUnavailable."""
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
        """Send the SDK's request `operation`, such as `put_item`, with retries.

        Raises: ConditionFailed, TransactionFailed, StorageUnavailable.
        """
        for attempt in range(REQUEST_ATTEMPTS):
            if self._client is None:  # since an earlier attempt, perhaps
                raise StorageUnavailable("DynamoDB: the store is closed")
            try:
                return _checked(await getattr(self._client, operation)(**request))
            except ClientError as error:
                if not _is_transient(error) or attempt == REQUEST_ATTEMPTS - 1:
                    raise self._failure(operation, error) from error
            except _NO_RESPONSE as error:
                if attempt == REQUEST_ATTEMPTS - 1:
                    raise self._failure(operation, error) from error
            except BotoCoreError as error:
                raise self._failure(operation, error) from error
            await self._pause(attempt)
        raise AssertionError("the last attempt returns or raises")

    async def _pause(self, attempt: int) -> None:
        await self._clock.sleep(backoff(attempt, _FIRST_PAUSE_S, _LONGEST_PAUSE_S, self._jitter()))

    async def try_call(
        self, operation: str, expected: Collection[str], **request: Any
    ) -> dict[str, Any] | None:
        """Like `call`; None when the request is refused with one of the `expected` AWS codes."""
        try:
            return await self.call(operation, **request)
        except StorageUnavailable as error:
            if _code(error.__cause__) not in expected:
                raise
            return None

    def _failure(self, operation: str, error: Any) -> Exception:
        code = _code(error)
        if code == "ConditionalCheckFailedException":
            return ConditionFailed(error.response.get("Item"))
        if code == "TransactionCanceledException" and (reasons := _conditions(error)):
            return TransactionFailed(reasons)
        if code == "ResourceNotFoundException":
            return StorageUnavailable(
                f"DynamoDB has no table {self.table}, or not the requested index: "
                "`ai-agent-server table create` creates both"
            )
        return StorageUnavailable(f"DynamoDB, table {self.table}: {operation}: {error}")

    async def get(self, pk: str, sk: str) -> Item | None:
        """Read an item, strongly consistent; None: there is none."""
        answer = await self.call(
            "get_item", TableName=self.table, Key=key(pk, sk), ConsistentRead=True
        )
        return answer.get("Item")

    async def query(self, limit: int | None = None, **request: Any) -> list[Item]:
        """Read all items of a Query, or `limit`; strongly consistent, unless on an index."""
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
        """Write an item. `values`: attributes that stand for `:name` in the condition.

        Raises: ConditionFailed, with the item as it is.
        """
        await self.call("put_item", **self.put_action(item, condition, **values)["Put"])

    async def update(self, pk: str, sk: str, change: str, condition: str, **values: Any) -> Item:
        """Change an item, and return it as it was. Raises: ConditionFailed, with the item."""
        action = self.update_action(pk, sk, change, condition, **values)
        answer = await self.call("update_item", ReturnValues="ALL_OLD", **action["Update"])
        before: Item = answer.get("Attributes", {})
        return before

    async def delete(self, pk: str, sk: str, condition: str | None = None, **values: Any) -> None:
        """Delete an item. Raises: ConditionFailed, with the item."""
        await self.call("delete_item", **self.delete_action(pk, sk, condition, **values)["Delete"])

    async def read_many(self, keys: Collection[ItemKey], attributes: str) -> dict[ItemKey, Item]:
        """Read some attributes of those of the items that exist, strongly consistent."""
        found: list[Item] = []
        asked = [key(pk, sk) for pk, sk in keys]
        for start in range(0, len(asked), MAX_BATCH_GET):
            request = {
                "Keys": asked[start : start + MAX_BATCH_GET],
                "ConsistentRead": True,
                "ProjectionExpression": attributes,
            }
            answer = await self.call("batch_get_item", RequestItems={self.table: request})
            found += answer["Responses"].get(self.table, ())
            left = answer.get("UnprocessedKeys", {}).get(self.table, {}).get("Keys", ())
            for each in left:  # one by one: a single request is repeated, with pauses
                item = await self.get(*key_of(each))
                found += [item] if item is not None else []
        return {key_of(item): item for item in found}

    async def transact(self, actions: Sequence[Item]) -> None:
        """Apply all of the actions, or none. Raises: TransactionFailed."""
        token = secrets.token_hex(16)  # by which DynamoDB recognises a retry
        await self.call("transact_write_items", TransactItems=actions, ClientRequestToken=token)

    async def try_transact(self, *actions: Item) -> bool:
        """Like `transact`; False when a condition was not met."""
        try:
            await self.transact(actions)
        except TransactionFailed:
            return False
        return True

    async def write_all(self, items: Sequence[Item]) -> None:
        """Put items, each by itself and in any order, until all are written."""
        for start in range(0, len(items), MAX_BATCH_WRITE):
            batch = items[start : start + MAX_BATCH_WRITE]
            left = [{"PutRequest": {"Item": item}} for item in batch]
            for attempt in count():
                answer = await self.call("batch_write_item", RequestItems={self.table: left})
                left = answer.get("UnprocessedItems", {}).get(self.table, [])
                if not left:
                    break
                await self._pause(attempt)

    def put_action(self, item: Item, condition: str | None = None, **values: Any) -> Item:
        """Return the action of a transaction that does what `put` does."""
        return {"Put": self._request({"Item": item}, condition, values)}

    def update_action(
        self, pk: str, sk: str, change: str, condition: str | None = None, **values: Any
    ) -> Item:
        """Return the action of a transaction that does what `update` does."""
        request = {"Key": key(pk, sk), "UpdateExpression": change}
        return {"Update": self._request(request, condition, values)}

    def delete_action(self, pk: str, sk: str, condition: str | None = None, **values: Any) -> Item:
        """Return the action of a transaction that does what `delete` does."""
        return {"Delete": self._request({"Key": key(pk, sk)}, condition, values)}

    def check_action(self, pk: str, sk: str, condition: str, **values: Any) -> Item:
        """Return the action of a transaction that demands a condition of an item."""
        return {"ConditionCheck": self._request({"Key": key(pk, sk)}, condition, values)}

    def _request(self, request: Item, condition: str | None, values: Mapping[str, Any]) -> Item:
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
# and would be added to those that the conflicts of transactions need anyway.
_CONFIG = AioConfig(
    parameter_validation=False,
    retries={"mode": "standard", "total_max_attempts": 1},
    connect_timeout=1,
    read_timeout=3,
    max_pool_connections=50,
)


async def _credentials(session: AioSession, endpoint_url: str | None) -> dict[str, str]:
    """Return credentials where the SDK finds none by itself: a local engine takes any."""
    local = endpoint_url is not None and _is_loopback(endpoint_url)
    if local:  # no request to the network's metadata service
        session.get_component("credential_provider").remove("iam-role")
    if await session.get_credentials() is not None:
        return {}
    if local:
        return {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    raise StorageUnavailable(
        "DynamoDB: no AWS credentials in the environment, a profile or a role of this machine"
    )


def _region(session: AioSession, endpoint_url: str | None) -> str:
    # Python's SDK alone ignores the variable that all others, and AWS's containers, use.
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
    """Check the content type: the SDK takes any response with 200 for a success, as a proxy's.

    Raises: ResponseParserError.
    """
    kind = answer["ResponseMetadata"]["HTTPHeaders"].get("content-type", "")
    if not kind.startswith("application/x-amz-json"):
        raise ResponseParserError(f"a response that is not DynamoDB's: {kind or 'of no type'}")
    return answer


def _code(error: BaseException | None) -> str | None:
    """Return AWS's code of an error, such as ResourceNotFoundException; None: it has none."""
    return error.response.get("Error", {}).get("Code") if isinstance(error, ClientError) else None


def _is_transient(error: Any) -> bool:
    """Return True if the same request may succeed later."""
    code = _code(error)
    if code == "TransactionCanceledException":
        others = {reason.get("Code") for reason in error.response.get("CancellationReasons", ())}
        return not others & {"ConditionalCheckFailed", "ValidationError"}
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return code in _TRANSIENT or status >= 500


def _conditions(error: Any) -> list[ConditionFailed | None]:
    reasons = error.response.get("CancellationReasons", ())
    failed = [
        ConditionFailed(reason.get("Item"))
        if reason.get("Code") == "ConditionalCheckFailed"
        else None
        for reason in reasons
    ]
    return failed if any(failed) else []
