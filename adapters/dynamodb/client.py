"""The DynamoDB client: one per process, with its retries, deadline and errors."""

import asyncio
import secrets
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from functools import cache, wraps
from itertools import count
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from adapters.dynamodb.access import ACCESS_ERRORS, find_access
from adapters.dynamodb.items import Item, ItemKey, key, key_of
from adapters.dynamodb.transport import NoAnswer, Refused, Transport
from adapters.urls import shown_url
from application.ports import Clock, OnStoreRequest
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
_EXPECTED = frozenset({"ConditionalCheckFailedException", "TransactionCanceledException"})
"""A refusal of these is an answer, unless it is transient."""
_WRITING = ("put", "update", "delete", "write")
"""One of these is in the name of each operation that writes."""


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
        on_request: OnStoreRequest | None = None,
    ) -> None:
        """`on_request`: called with each attempt that DynamoDB has answered, or has not."""
        self.table = table
        self._on_request = on_request
        self._endpoint_url = endpoint_url
        self._clock = clock
        self._jitter = jitter
        self._transport: Transport | None = None

    def __repr__(self) -> str:
        where = shown_url(self._endpoint_url) if self._endpoint_url else "AWS"
        return f"<Dynamo {self.table} at {where} {'open' if self._transport else 'closed'}>"

    @bounded
    async def open(self) -> None:
        """Find out how to connect, without a request to the table. Raises: StorageUnavailable."""
        try:
            self._transport = Transport(await find_access(self._endpoint_url))
        except StorageUnavailable:
            raise
        except ACCESS_ERRORS as error:
            raise StorageUnavailable(f"DynamoDB: {error}") from error

    async def close(self) -> None:
        """Close the connections. Calls that are under way raise StorageUnavailable."""
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.close()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def call(self, operation: str, **request: Any) -> dict[str, Any]:
        """Send the request `operation`, named as in the SDK, such as `put_item`, with retries.

        Raises: ConditionFailed, TransactionFailed, StorageUnavailable.
        """
        try:
            return await self._response(operation, request)
        except Refused as refused:
            raise self._failure(operation, refused) from refused

    async def try_call(
        self, operation: str, expected: Collection[str], **request: Any
    ) -> dict[str, Any] | None:
        """Like `call`; None when the request is refused with one of the `expected` AWS codes."""
        try:
            return await self._response(operation, request)
        except Refused as refused:
            if refused.code in expected:
                return None
            raise self._failure(operation, refused) from refused

    async def _response(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the response. Raises: Refused, StorageUnavailable."""
        for attempt in range(REQUEST_ATTEMPTS):
            if self._transport is None:  # since an earlier attempt, perhaps
                raise StorageUnavailable("DynamoDB: the store is closed")
            try:
                return await self._attempt(self._transport, operation, request)
            except Refused as refused:
                if not _is_transient(refused) or attempt == REQUEST_ATTEMPTS - 1:
                    raise
            except NoAnswer as error:
                if attempt == REQUEST_ATTEMPTS - 1:
                    raise self._unavailable(operation, error) from error
            await self._pause(attempt)
        raise AssertionError("the last attempt returns or raises")

    async def _attempt(
        self, transport: Transport, operation: str, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Send the request once, and count it. Raises: Refused, NoAnswer, StorageUnavailable."""
        started, has_failed = self._clock.monotonic(), True
        try:
            answer = await transport.send(_named(operation), request)
            has_failed = False
            return answer
        except Refused as refused:
            has_failed = _is_transient(refused) or refused.code not in _EXPECTED
            raise
        except asyncio.CancelledError:  # nobody waits for it any more
            has_failed = False
            raise
        finally:
            if self._on_request is not None:
                kind = "write" if any(word in operation for word in _WRITING) else "read"
                self._on_request(kind, self._clock.monotonic() - started, has_failed)

    async def _pause(self, attempt: int) -> None:
        await self._clock.sleep(backoff(attempt, _FIRST_PAUSE_S, _LONGEST_PAUSE_S, self._jitter()))

    def _failure(self, operation: str, refused: Refused) -> Exception:
        if refused.code == "ConditionalCheckFailedException":
            return ConditionFailed(refused.item)
        if refused.code == "TransactionCanceledException" and (reasons := _conditions(refused)):
            return TransactionFailed(reasons)
        if refused.code == "ResourceNotFoundException":
            return StorageUnavailable(
                f"DynamoDB has no table {self.table}, or not the requested index: "
                "`ai-agent-server table create` creates both"
            )
        return self._unavailable(operation, refused)

    def _unavailable(self, operation: str, error: Exception) -> StorageUnavailable:
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


def _is_transient(refused: Refused) -> bool:
    """Return True if the same request may succeed later."""
    if refused.code == "TransactionCanceledException":
        others = {reason.get("Code") for reason in refused.reasons}
        return not others & {"ConditionalCheckFailed", "ValidationError"}
    return refused.code in _TRANSIENT or refused.status >= 500


def _conditions(refused: Refused) -> list[ConditionFailed | None]:
    failed = [
        ConditionFailed(reason.get("Item"))
        if reason.get("Code") == "ConditionalCheckFailed"
        else None
        for reason in refused.reasons
    ]
    return failed if any(failed) else []


@cache
def _named(operation: str) -> str:
    """Return the name of an operation in DynamoDB's API: PutItem of `put_item`."""
    return operation.title().replace("_", "")
