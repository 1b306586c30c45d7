"""Channels of a Redis or Valkey server: publish and subscribe.

redis-py's own reconnection is not used: a gap must be known, and after any error, also of parsing,
everything begins anew. A connection that is half open never fails: the broker's beat finds it.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any, Self
from urllib.parse import urlsplit

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

        `jitter` returns a float in 0..1. Raises: ValueError for the URL, of which it has nothing.
        """
        self._redis = _client(url)
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
        self._has_received = False
        self._failing: set[str] = set()
        """The connections that fail; of those that do so together, the first one is logged."""
        self._is_closing = False
        self._receiving: asyncio.Task[None] | None = None
        self._connection: asyncio.Task[None] | None = None
        """Receives through one connection."""
        self._sending: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<RedisChannels {len(self._wanted)} queued={len(self._queue)}>"

    async def __aenter__(self) -> Self:
        self._receiving = asyncio.create_task(self._receive_forever())
        self._sending = asyncio.create_task(self._send_forever())
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._is_closing = True
        self._queued.set()
        if self._sending is not None:
            await asyncio.wait([self._sending], timeout=REQUEST_S)
        tasks = [task for task in (self._sending, self._receiving) if task is not None]
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
        if self._connection is not None:
            self._connection.cancel()

    # Receiving.

    async def _receive_forever(self) -> None:
        attempt = 0
        while True:
            self._connection = asyncio.create_task(self._receive())
            try:
                await asyncio.wait([self._connection])
            finally:
                self._connection.cancel()
                await asyncio.wait([self._connection])
            if self._has_received:
                attempt = 0
            await asyncio.sleep(backoff(attempt, FIRST_PAUSE_S, LONGEST_PAUSE_S, self._jitter()))
            attempt += 1

    async def _receive(self) -> None:
        """Receive through one connection until it fails."""
        self._has_received = False
        try:
            async with self._redis.pubsub() as pubsub:
                subscribing = asyncio.create_task(self._subscribe_forever(pubsub))
                try:
                    async for channel, message in _messages(pubsub, subscribing):
                        self._has_received = True
                        self._failing.discard("receive")
                        self._on_message(channel, message)
                finally:
                    self._listener.on_lost()
                    subscribing.cancel()
                    # It may have failed, too: the connection is the same.
                    await asyncio.gather(subscribing, return_exceptions=True)
        except Exception as error:  # whatever it is, all begins anew
            self._log("receive", error)

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
            self._listener.on_subscribed(name)
        else:
            self._listener.on_message(name, message)

    # Sending.

    async def _send_forever(self) -> None:
        """Send what is queued; once it is closing, until nothing is, or the first error."""
        attempt = 0
        while self._queue or not self._is_closing:
            await self._queued.wait()
            try:
                await self._send()
            except Exception as error:
                self._log("send", error)
                self._listener.on_unsent()
                if self._is_closing:
                    return
                await asyncio.sleep(
                    backoff(attempt, FIRST_PAUSE_S, LONGEST_PAUSE_S, self._jitter())
                )
                attempt += 1
            else:
                attempt = 0
                self._failing.discard("send")

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

    def _log(self, connection: str, error: Exception) -> None:
        if not self._failing:
            extra = {"action": "broker_disconnected", "error": type(error).__name__}
            logger.warning("The connection to the broker was lost", extra=extra)
        self._failing.add(connection)


def _client(url: str) -> Redis:
    try:
        client: Redis = Redis.from_url(
            url,
            protocol=2,
            socket_connect_timeout=REQUEST_S,
            socket_timeout=REQUEST_S,
            retry=Retry(NoBackoff(), 0),
        )
        pool: Any = client.connection_pool
        pool.make_connection()  # refuses the options that there are not
        parts = urlsplit(url)
        if parts.scheme != "unix" and parts.path.strip("/"):
            int(parts.path.strip("/"))  # redis-py takes 0 in place of what is no number
    except (ValueError, TypeError):
        raise ValueError("it has an unknown option, or a port or database that is none") from None
    return client


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
