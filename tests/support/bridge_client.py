"""A page of the bridge's: a Phoenix client that has joined one of its topics."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from adapters.phoenix.client import ClientSettings
from adapters.phoenix.client_connection import ChannelStatus, PhoenixChannel, PhoenixConnection
from tests.support.user import PATIENCE_S

SOON = ClientSettings(reconnect_after_s=(0.01,), rejoin_after_s=(0.01,))


class BridgeClient:
    """A client that has joined a topic, and joins it again after each interruption."""

    def __init__(self, channel: PhoenixChannel) -> None:
        self._channel = channel
        self.received: list[tuple[str | ChannelStatus, Any]] = []
        """Everything that `wait_for` has read."""

    async def send(self, event: str, **payload: Any) -> Any:
        """Send an event, and return the reply."""
        return await self._channel.push(event, payload, PATIENCE_S)

    def cast(self, event: str, **payload: Any) -> None:
        """Send an event without waiting for a reply, which a plain application does not send."""
        self._channel.send(event, payload)

    async def wait_for(self, event: str | ChannelStatus, **fields: Any) -> Any:
        """Return the payload of the next of this event that has these fields."""
        async with asyncio.timeout(PATIENCE_S):
            async for received in self._channel:
                self.received.append(received)
                name, payload = received
                if name == event and fields.items() <= payload.items():
                    return payload
        raise AssertionError(f"the channel closed before {event}")


@asynccontextmanager
async def bridge_client(
    address: str, topic: str, payload: Any, **given: Any
) -> AsyncIterator[BridgeClient]:
    """Join a topic of the bridge at an address such as `127.0.0.1:40123`.

    `given`: `params` and `token` of the connection.
    """
    url = f"ws://{address}/socket/websocket"
    async with PhoenixConnection(url, settings=SOON, **given) as connection:
        channel = connection.channel(topic, payload)
        channel.start()
        client = BridgeClient(channel)
        await client.wait_for(ChannelStatus.JOINED)
        yield client
