"""Leases among all processes on one Redis, by its clock."""

import asyncio
from typing import NamedTuple, Self

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from adapters.lease_deadline import LEASE_DEADLINE_S, lease_deadline
from application.ports import Leases

_PREFIX = "ai-agent-server:lease:"
_CLAIM = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


class _Request(NamedTuple):
    """A script for one name, and its result."""

    script: str
    key: str
    arguments: tuple[str | int, ...]
    result: "asyncio.Future[int]"


class RedisLeases(Leases):
    """Keeps each name as a key that expires. The first claim connects.

    Requests that are made while others are answered are sent together, as one costs the client
    hardly less than many.
    """

    def __init__(self, url: str) -> None:
        # A connection that was lost while it was not used is replaced at once.
        self._redis = Redis.from_url(url, retry=Retry(NoBackoff(), 1), socket_timeout=None)
        self._waiting: list[_Request] = []
        self._sending: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.wait({self._sending})
        await self._redis.aclose()

    async def claim(self, name: str, holder: str, ttl_s: float) -> bool:
        return await self._call(_CLAIM, name, holder, round(ttl_s * 1000))

    async def release(self, name: str, holder: str) -> None:
        await self._call(_RELEASE, name, holder)

    async def _call(self, script: str, name: str, *arguments: str | int) -> bool:
        async with lease_deadline(RedisError, OSError):
            result: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            self._waiting.append(_Request(script, _PREFIX + name, arguments, result))
            if self._sending is None or self._sending.done():
                self._sending = asyncio.create_task(self._send())
            return await result == 1

    async def _send(self) -> None:
        while self._waiting:
            requests, self._waiting = self._waiting, []
            for request, result in zip(requests, await self._results(requests), strict=True):
                if request.result.done():  # its caller has given up
                    continue
                if isinstance(result, Exception):
                    request.result.set_exception(result)
                else:
                    request.result.set_result(result)

    async def _results(self, requests: list[_Request]) -> "list[int | Exception]":
        pipeline = self._redis.pipeline(transaction=False)
        for request in requests:
            pipeline.eval(request.script, 1, request.key, *request.arguments)
        try:
            async with asyncio.timeout(LEASE_DEADLINE_S):
                results: list[int | Exception] = await pipeline.execute(raise_on_error=False)
        except (RedisError, OSError) as error:  # a TimeoutError is an OSError
            return [error] * len(requests)
        return results
