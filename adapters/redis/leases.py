"""Leases among all processes on one Redis, by its clock."""

from collections.abc import Awaitable
from typing import Any, Self, cast

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from adapters.lease_deadline import LEASE_DEADLINE_S, lease_deadline
from application.ports import Leases

_PREFIX = "ai-agent-server:lease:"
_MAX_CONNECTIONS = 4
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


class RedisLeases(Leases):
    """Keeps each name as a key that expires. The first claim connects."""

    def __init__(self, url: str) -> None:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_MAX_CONNECTIONS,
            timeout=LEASE_DEADLINE_S,
            socket_timeout=LEASE_DEADLINE_S,
            socket_connect_timeout=LEASE_DEADLINE_S,
            # A connection that was lost while it was not used is replaced at once.
            retry=Retry(NoBackoff(), 1),
        )
        self._redis = Redis.from_pool(pool)
        self._claim: Any = self._redis.register_script(_CLAIM)
        self._release: Any = self._redis.register_script(_RELEASE)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._redis.aclose()

    async def claim(self, name: str, holder: str, ttl_s: float) -> bool:
        return await self._call(self._claim, name, holder, round(ttl_s * 1000))

    async def release(self, name: str, holder: str) -> None:
        await self._call(self._release, name, holder)

    async def _call(self, script: Any, name: str, *arguments: str | int) -> bool:
        async with lease_deadline(RedisError, OSError):
            calling = cast(Awaitable[int], script(keys=[_PREFIX + name], args=arguments))
            return await calling == 1
