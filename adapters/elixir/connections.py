"""The connections that carry the live chats' topics, of which each carries but so many."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from adapters.phoenix.client_connection import PhoenixChannel, PhoenixConnection

MAX_TOPICS = 90
"""The topics of one connection: since 1.8.9 Phoenix refuses more than 100."""

_TOO_MANY = {"reason": "too many channels joined"}
logger = logging.getLogger(__name__)


class TopicConnections:
    """Opens connections as topics need them, and closes those without topics, but for one.

    They are independent: one that breaks interrupts its own topics only.
    """

    def __init__(self, connection: Callable[[], PhoenixConnection]) -> None:
        """`connection` returns a new one, not yet started."""
        self._connection = connection
        self._connections: list[PhoenixConnection] = []
        self._closing: set[asyncio.Task[None]] = set()
        self._max_topics = MAX_TOPICS

    def __repr__(self) -> str:
        states = [f"{each.state.value}={each.topics}" for each in self._connections]
        return f"<TopicConnections {' '.join(states)}>"

    @property
    def are_away(self) -> bool:
        """True while one of them is broken, or cannot be opened."""
        return any(each.is_broken or each.failure is not None for each in self._connections)

    def open(self) -> PhoenixConnection:
        """Open another connection; the first shows whether the server can be reached."""
        connection = self._connection()
        connection.start()
        self._connections.append(connection)
        return connection

    async def close(self, *, flush: bool) -> None:
        """Close all connections; `flush`: after their unsent messages."""
        connections, self._connections = self._connections, []
        closing = [each.close(flush=flush) for each in connections]
        await asyncio.gather(*closing, *self._closing)

    def join(self, topic: str, payload: Any) -> PhoenixChannel:
        """Begin to join a topic, on a connection that works if one with a place does."""
        free = [each for each in self._connections if each.topics < self._max_topics]
        if free:
            connection = min(free, key=_does_not_work)
        else:
            connection = self.open()
        channel = connection.channel(topic, payload)
        channel.start()
        return channel

    def is_full(self, channel: PhoenixChannel, refusal: Any) -> bool:
        """Return whether a join was refused because its connection carries too many topics.

        Then no connection gets more topics than that one has.
        """
        joined = channel.connection.topics_at_server
        if refusal != _TOO_MANY or joined == 0:
            return False
        if joined < self._max_topics:
            self._max_topics = joined
            extra = {"action": "bridge_topics_limited", "topics": joined}
            logger.info("The bridge limits the topics of a connection", extra=extra)
        return True

    def close_unused(self) -> None:
        """Close the connections without topics, but keep one for the next topic."""
        unused = [each for each in self._connections if each.topics == 0]
        for connection in sorted(unused, key=_does_not_work)[1:]:
            self._connections.remove(connection)
            task = asyncio.create_task(connection.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


def _does_not_work(connection: PhoenixConnection) -> bool:
    return connection.failure is not None
