"""A network with channels in memory, whose messages can be held or lost."""

from collections import deque
from typing import Self

from adapters.broker.channels import ChannelListener, Channels
from application.ports import Clock


class MemoryChannels(Channels):
    """One node's end of `hub`; what it publishes arrives at once, unless it is held."""

    def __init__(self, hub: "ChannelHub") -> None:
        self.hub = hub
        self.listener: ChannelListener
        self.subscribed: set[str] = set()
        self.published: list[tuple[str, bytes]] = []
        self.reconnections = 0
        self.accepts = True
        """False: the queue is full."""

    async def __aenter__(self) -> Self:
        self.hub.ends.append(self)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.hub.ends.remove(self)

    def listen(self, listener: ChannelListener) -> None:
        self.listener = listener

    def subscribe(self, channel: str) -> None:
        self.subscribed.add(channel)
        self.listener.on_subscribed(channel)

    def unsubscribe(self, channel: str) -> None:
        self.subscribed.discard(channel)

    def publish(self, channel: str, message: bytes) -> bool:
        if self.accepts:
            self.published.append((channel, message))
            self.hub.carry(channel, message)
        return self.accepts

    def reconnect(self) -> None:
        self.reconnections += 1


class ChannelHub:
    """The network's middle."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.ends: list[MemoryChannels] = []
        self.delay_s = 0.0
        self.holds = False
        self._held: deque[tuple[str, bytes]] = deque()

    def carry(self, channel: str, message: bytes) -> None:
        """Deliver a message, now or after the delay, or hold it."""
        if self.holds:
            self._held.append((channel, message))
        elif self.delay_s:
            self._clock.call_later(self.delay_s, lambda: self._deliver(channel, message))
        else:
            self._deliver(channel, message)

    def _deliver(self, channel: str, message: bytes) -> None:
        for end in list(self.ends):
            if channel in end.subscribed:
                end.listener.on_message(channel, message)

    def release(self) -> None:
        """Deliver what is held, and hold nothing more."""
        self.holds = False
        while self._held:
            self.carry(*self._held.popleft())

    def lose(self) -> None:
        """Drop what is held."""
        self._held.clear()
