"""Channels of a Redis or Valkey server: publish and subscribe.

redis-py's own reconnection is not used: a gap must be known, and after any error, also of parsing,
everything begins anew. A connection that is half open never fails: the broker's beat finds it.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any, Self

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from adapters.broker.channels import ChannelListener, Channels
from domain.backoff import backoff

REQUEST_S = 2.0
"""For a connection, and for each request."""
SILENCE_S = 5.0
"""Without any message for so long, not even a beat, a connection is useless."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 2.0
MAX_QUEUED, MAX_QUEUED_BYTES = 20_000, 16 * 1024 * 1024
"""The messages that wait to be sent; more are dropped."""
SEND_BATCH, SUBSCRIBE_BATCH = 500, 1_000
"""The most messages, and the most channels, of one request."""

logger = logging.getLogger(__name__)


class RedisChannels(Channels):
    """Two connections: one publishes, in batches; the other one subscribes."""

    def __init__(self, url: str, jitter: Callable[[], float]) -> None:
        """`url`: as redis-py reads it. Its database separates two servers on one Redis.

        `jitter` returns a float in 0..1. Raises: ValueError for the URL.
        """
        self._redis: Redis = Redis.from_url(
            url,
            protocol=2,
            socket_connect_timeout=REQUEST_S,
            socket_timeout=REQUEST_S,
            retry=Retry(NoBackoff(), 0),
        )
        # Channels belong to all databases of a Redis.
        database = self._redis.connection_pool.connection_kwargs.get("db", 0)
        self._prefix = f"ai-agent-server:{database}:".encode()
        self._jitter = jitter
        self._listener: ChannelListener
        self._wanted: set[str] = set()
        self._changes: dict[str, bool] = {}
        """Channels to be subscribed to, or (False) to be left."""
        self._changed = asyncio.Event()
        self._queue: deque[tuple[bytes, bytes]] = deque()
        self._queued_bytes = 0
        self._queued = asyncio.Event()
        self._connected = True
        """False once an error was logged, until it is over."""
        self._receiving: asyncio.Task[None] | None = None
        self._sending: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<RedisChannels {len(self._wanted)} queued={len(self._queue)}>"

    async def __aenter__(self) -> Self:
        self._receiving = asyncio.create_task(self._receive_forever())
        self._sending = asyncio.create_task(self._send_forever())
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._queue:
            try:
                async with asyncio.timeout(REQUEST_S):
                    await self._send()
            except Exception as error:
                self._log(error)
        tasks = [task for task in (self._receiving, self._sending) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._redis.aclose()

    def listen(self, listener: ChannelListener) -> None:
        self._listener = listener

    def subscribe(self, channel: str) -> None:
        self._wanted.add(channel)
        self._change(channel, subscribe=True)

    def unsubscribe(self, channel: str) -> None:
        self._wanted.discard(channel)
        self._change(channel, subscribe=False)

    def _change(self, channel: str, *, subscribe: bool) -> None:
        self._changes[channel] = subscribe
        self._changed.set()

    def publish(self, channel: str, message: bytes) -> bool:
        size = len(message)
        if len(self._queue) >= MAX_QUEUED or self._queued_bytes + size > MAX_QUEUED_BYTES:
            return False
        self._queue.append((self._prefix + channel.encode(), message))
        self._queued_bytes += size
        self._queued.set()
        return True

    def reconnect(self) -> None:
        if self._receiving is not None:
            self._receiving.cancel()
            self._receiving = asyncio.create_task(self._receive_forever())

    # Receiving.

    async def _receive_forever(self) -> None:
        attempt = 0
        while True:
            try:
                async with self._redis.pubsub() as pubsub:
                    subscribing = asyncio.create_task(self._subscribe_forever(pubsub))
                    try:
                        async for channel, message in _messages(pubsub, subscribing):
                            attempt = 0
                            self._on_message(channel, message)
                    finally:
                        subscribing.cancel()
                        self._listener.on_lost()
            except Exception as error:  # whatever it is, all begins anew
                self._log(error)
            await asyncio.sleep(backoff(attempt, FIRST_PAUSE_S, LONGEST_PAUSE_S, self._jitter()))
            attempt += 1

    async def _subscribe_forever(self, pubsub: PubSub) -> None:
        """Keep the connection's channels as those that are wanted."""
        self._changes = dict.fromkeys(self._wanted, True)
        while True:
            changes, self._changes = self._changes, {}
            self._changed.clear()
            for wanted, request in ((False, pubsub.unsubscribe), (True, pubsub.subscribe)):
                channels = [
                    self._prefix + channel.encode()
                    for channel, subscribe in changes.items()
                    if subscribe is wanted
                ]
                for first in range(0, len(channels), SUBSCRIBE_BATCH):
                    await request(*channels[first : first + SUBSCRIBE_BATCH])
            await self._changed.wait()

    def _on_message(self, channel: bytes, message: bytes | None) -> None:
        name = channel.removeprefix(self._prefix).decode()
        if message is None:
            self._connected = True
            self._listener.on_subscribed(name)
        else:
            self._listener.on_message(name, message)

    # Sending.

    async def _send_forever(self) -> None:
        attempt = 0
        while True:
            await self._queued.wait()
            try:
                await self._send()
            except Exception as error:
                self._log(error)
                self._listener.on_unsent()
                await asyncio.sleep(
                    backoff(attempt, FIRST_PAUSE_S, LONGEST_PAUSE_S, self._jitter())
                )
                attempt += 1
            else:
                attempt = 0

    async def _send(self) -> None:
        """Send a batch; what cannot be sent is lost, as its turn has passed."""
        pipeline = self._redis.pipeline(transaction=False)
        for _ in range(min(SEND_BATCH, len(self._queue))):
            channel, message = self._queue.popleft()
            self._queued_bytes -= len(message)
            pipeline.publish(channel, message)
        if not self._queue:
            self._queued.clear()
        await pipeline.execute()

    def _log(self, error: Exception) -> None:
        if self._connected:
            self._connected = False
            extra = {"action": "broker_disconnected", "error": type(error).__name__}
            logger.warning("The connection to the broker was lost", extra=extra)


async def _messages(pubsub: PubSub, subscribing: "asyncio.Task[None]") -> Any:
    """Yield each message with its channel; None in its place: the channel was subscribed to.

    Raises: RedisError, OSError, TimeoutError.
    """
    while not pubsub.subscribed:
        if subscribing.done():
            subscribing.result()
        await asyncio.sleep(0.01)
    while True:
        message = await pubsub.get_message(timeout=SILENCE_S)
        if message is None or subscribing.done():
            raise TimeoutError
        if message["type"] == "message":
            yield message["channel"], message["data"]
        elif message["type"] == "subscribe":
            yield message["channel"], None
