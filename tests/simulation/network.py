"""The network between the nodes: channels as of a Redis, with faults on command.

The broker over it is the product's own.
"""

import asyncio
import itertools
from collections.abc import Callable
from random import Random
from typing import Self

from adapters.broker.channels import ChannelListener, Channels

RECONNECT_S = 0.5
"""The pause between two attempts to connect."""


class Switch:
    """Passes each message on to all that subscribe to its channel."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.ends: list[SimulatedChannels] = []
        self.is_down = False
        self.loses = 0.0
        """The share of messages that are lost in silence."""
        self.doubles = 0.0
        self.delays = 0.0
        """The share of messages that arrive late, and out of order."""
        self._known: set[tuple[SimulatedChannels, str, SimulatedChannels]] = set()
        """Who has received something on a channel from whom since it subscribed."""
        self._lost: dict[tuple[SimulatedChannels, str, SimulatedChannels], int] = {}
        """Who will know by the next number that something was lost: the newest loss."""
        self._losses = itertools.count()
        self.unnoticed: set[tuple[SimulatedChannels, str]] = set()
        """Who has lost something that no number shows."""

    def route(self, sender: "SimulatedChannels", channel: str, message: bytes) -> None:
        """Send a message to everyone who subscribes to the channel."""
        for end in self.ends:
            if channel in end.confirmed:
                self._send(sender, end, channel, message)

    def forget(self, end: "SimulatedChannels", channel: str | None = None) -> None:
        """Note that a node subscribes anew; what was lost before is known to have been."""
        self._known = {
            each for each in self._known if each[0] is not end or channel not in (None, each[1])
        }

    def ended(self, end: "SimulatedChannels") -> None:
        """Note that a node will send nothing any more: what was lost of it shows nowhere."""
        self.unnoticed |= {each[:2] for each in self._lost if each[2] is end}

    def hides_loss(self, end: "SimulatedChannels", channel: str) -> bool:
        """Return True if a message of the channel was lost, and no number has shown it yet."""
        return (end, channel) in self.unnoticed or any(
            each[:2] == (end, channel) for each in self._lost
        )

    def _send(
        self, sender: "SimulatedChannels", end: "SimulatedChannels", channel: str, message: bytes
    ) -> None:
        place = (end, channel, sender)
        if self._random.random() < self.loses:
            if place in self._known:
                self._lost[place] = next(self._losses)
            else:
                self.unnoticed.add((end, channel))
            return
        self._known.add(place)
        loop, random = asyncio.get_running_loop(), self._random
        lost, shown_at = self._lost.get(place), 0.0
        for _ in range(2 if random.random() < self.doubles else 1):
            delay_s = random.uniform(0.0005, 0.003)
            if random.random() < self.delays:
                late_at = loop.time() + random.choice([0.02, 0.2, 1.5])
                loop.call_at(late_at, end.arrive, end.connection, channel, message)
                shown_at = late_at
                continue
            end.next_at = max(loop.time() + delay_s, end.next_at)
            loop.call_at(end.next_at, end.arrive, end.connection, channel, message)
            shown_at = end.next_at
        if lost is not None:  # by then its number has shown what was lost before it
            loop.call_at(shown_at, self._shows, place, lost)

    def _shows(self, place: "tuple[SimulatedChannels, str, SimulatedChannels]", lost: int) -> None:
        if self._lost.get(place) == lost:
            del self._lost[place]


class SimulatedChannels(Channels):
    """One node's connection to the switch."""

    def __init__(self, switch: Switch, receive: Callable[[Callable[[], None]], None]) -> None:
        """`receive`: calls a function as what comes from the network is handled by the node."""
        self._switch = switch
        self._receive = receive
        self._listener: ChannelListener
        self._wanted: dict[str, None] = {}
        self.confirmed: set[str] = set()
        """The channels that are subscribed to at the switch."""
        self.connection = 0
        """The number of the connection, as each loses what is under way; 0: none yet."""
        self.next_at = 0.0
        """The time at which what was sent before has arrived."""
        self._is_connected = False
        self.is_cut = False
        """True: whatever is sent is lost, both ways."""
        self.half_open: int | None = None
        """The connection on which whatever is sent is lost, both ways, until another is opened."""
        self.is_dead = False

    async def __aenter__(self) -> Self:
        self._switch.ends.append(self)
        self._connect()
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.end()

    def end(self) -> None:
        """Close the connection for ever."""
        self._switch.ended(self)
        self.is_dead, self._is_connected = True, False
        self.confirmed.clear()
        if self in self._switch.ends:
            self._switch.ends.remove(self)

    def listen(self, listener: ChannelListener) -> None:
        self._listener = listener

    def subscribe(self, channel: str) -> None:
        self._wanted[channel] = None
        self._subscribe(channel)

    def _subscribe(self, channel: str) -> None:
        """Ask the switch to subscribe, which confirms it in the order of its messages."""
        if not self._is_connected or self._loses_all:
            return
        self.confirmed.add(channel)
        self._switch.forget(self, channel)
        loop, connection = asyncio.get_running_loop(), self.connection
        self.next_at = max(loop.time() + 0.002, self.next_at)

        def confirm() -> None:
            if connection == self.connection and not self.is_dead and channel in self._wanted:
                self._receive(lambda: self._listener.on_subscribed(channel))

        loop.call_at(self.next_at, confirm)

    def unsubscribe(self, channel: str) -> None:
        self._wanted.pop(channel, None)
        self.confirmed.discard(channel)

    def publish(self, channel: str, message: bytes) -> bool:
        if self.is_dead or not self._is_connected:
            return False
        if not self._loses_all:
            self._switch.route(self, channel, message)
        return True

    def arrive(self, connection: int, channel: str, message: bytes) -> None:
        """Receive a message, unless the connection on which it was sent is gone."""
        if connection != self.connection or self._loses_all or self.is_dead:
            return
        self._receive(lambda: self._listener.on_message(channel, message))

    def reconnect(self) -> None:
        self.lose_connection()

    def lose_connection(self) -> None:
        """Drop the connection, and what is under way on it; another one is opened."""
        if self.is_dead or not self._is_connected:
            return
        self._is_connected = False
        self.confirmed.clear()
        self.connection += 1
        self._receive(self._listener.on_lost)
        asyncio.get_running_loop().call_later(0.05, self._connect)

    @property
    def _loses_all(self) -> bool:
        return self.is_cut or self.half_open == self.connection

    def restore(self) -> None:
        """End a cut, by which the connection is lost."""
        if self.is_cut:
            self.is_cut = False
            self.lose_connection()

    def _connect(self) -> None:
        if self.is_dead or self._is_connected:
            return
        if self.is_cut or self._switch.is_down:
            asyncio.get_running_loop().call_later(RECONNECT_S, self._connect)
            return
        self._is_connected = True
        self.connection += 1
        for channel in list(self._wanted):
            self._subscribe(channel)
