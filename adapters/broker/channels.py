"""A broker over any network that has channels: all of it that does not depend on the network.

There is a channel for each customer, one for each node, and one for all nodes.
"""

import asyncio
import logging
import math
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Collection
from typing import Protocol, Self

import msgspec

from adapters.broker.hints import (
    Envelope,
    decode_envelope,
    decode_hint,
    encode_envelope,
    encode_hint,
)
from application.ports import (
    Appended,
    Broker,
    BrokerListener,
    Clock,
    CustomerErased,
    Delta,
    Grown,
    Hint,
    Lifecycle,
    Timer,
)
from domain.errors import BrokerUnavailable
from domain.identity import BusinessId, Customer, UserId
from domain.message import StatusChange

BEAT_EVERY_S = 0.5
AWAY_AFTER_S = 1.0
"""Without its own beat for so long, a node is cut off. One that took longer does not count."""
RECONNECT_AFTER_S = 3.0
"""Without it for so long, the connection is given up, whatever it seems to be."""
SILENT_AFTER_S = 1.0
"""A node that the others have not received anything from for so long may be cut off, alone."""
DEAD_AFTER_S = 8.0
FORGOTTEN_AFTER_S = 60.0
"""A node that has not left, and was not received for so long, is not expected any more."""
REPEAT_AFTER_S = 0.5
"""A change of owner is published again after so long: a lost hint would let the AI talk on."""
JOIN_DELTAS_S = 0.05
"""Pieces of an answer are sent together, those of so long."""
MISSED_BATCH, MISSED_EVERY_S = 100, 0.05
"""After an outage so many customers' listeners are notified at a time: each reads the store."""
MAX_UNCONFIRMED = 50_000
"""The hints for which it is known that others may not have them."""
MAX_NUMBERED = 100_000
"""The channels whose hints are counted; beyond, counting begins anew, which others notice."""
MAX_NODES = 256
"""The nodes that are known at a time, and the publishers whose hints on a channel are counted."""

_BEAT, _LIVES, _LEAVES = "beat", "lives", "leaves"
_NOTHING = b"null"
_NODES = "nodes"
_NOBODY = Customer(BusinessId(""), UserId(""))

logger = logging.getLogger(__name__)


class ChannelListener(Protocol):
    """Receives what comes through a network's channels. No method waits."""

    @abstractmethod
    def on_message(self, channel: str, message: bytes) -> None:
        """Handle a message of a channel."""

    @abstractmethod
    def on_subscribed(self, channel: str) -> None:
        """Handle that the channel's messages arrive from now on; also after each reconnection."""

    @abstractmethod
    def on_lost(self) -> None:
        """Handle that no messages arrive any more, of any channel."""

    @abstractmethod
    def on_unsent(self) -> None:
        """Handle that messages which `publish` had accepted were lost."""


class Channels(Lifecycle, Protocol):
    """A network with channels, which reconnects by itself and may lose messages.

    No method waits. A publisher that has subscribed to a channel receives its own messages.
    """

    @abstractmethod
    def listen(self, listener: ChannelListener) -> None:
        """Call `listener` from now on."""

    @abstractmethod
    def subscribe(self, channel: str) -> None:
        """Receive the messages of a channel, once confirmed."""

    @abstractmethod
    def unsubscribe(self, channel: str) -> None:
        """Receive no more of them."""

    def is_wanted(self, channel: str) -> bool:
        """Return False if no other node has a confirmed subscription to the channel."""
        return True

    @abstractmethod
    def publish(self, channel: str, message: bytes) -> bool:
        """Send a message; False: the queue is full, and it is dropped."""

    @abstractmethod
    def reconnect(self) -> None:
        """Drop the connection, which is useless, and open another."""


class ChannelBroker(Broker, ChannelListener):
    """The broker of one node. `count` gets the name of everything that happens to a hint."""

    def __init__(
        self,
        node: str,
        channels: Channels,
        clock: Clock,
        count: Callable[[str], None] = lambda what: None,
    ) -> None:
        """`node`: a name that no other process has, or had."""
        self._node = node
        self._channels = channels
        self._clock = clock
        self._count = count
        self._listener: BrokerListener
        self._own_channel = _node_channel(node)
        self._beats = 0
        """The number of the last beat: never begins anew, as others' numbers may."""
        self._sent: dict[str, int] = {}
        """The number of the last hint that was sent to a channel."""
        self._subscribed: dict[str, _Subscription] = {}
        self._unconfirmed = _Unconfirmed()
        self._deltas: dict[Customer, _JoinedDeltas] = {}
        self._missed: deque[Customer] = deque()
        self._may_notify = MISSED_BATCH
        """The listeners that may be notified until the timer fires."""
        self._notifying: Timer | None = None
        self._lives_at: dict[str, float] = {node: clock.monotonic()}
        self._silent_since: dict[str, float] = {}
        """When the last of a node was received that has not left."""
        self._beat_at = -math.inf
        """When the own beat last came back in time."""
        self._started = asyncio.Event()
        """Set once the own beat has come back, or should have."""
        self._is_away = True
        self._has_left = False
        self._reconnected_at = clock.monotonic()
        self._beating: asyncio.Task[None] | None = None
        channels.listen(self)

    def __repr__(self) -> str:
        return f"<ChannelBroker {self._node} {self._channels!r} away={self._is_away}>"

    async def __aenter__(self) -> Self:
        await self._channels.__aenter__()
        self._subscribe(self._own_channel)
        self._subscribe(_NODES)
        self._beating = asyncio.create_task(self._beat_forever())
        timer = self._clock.call_later(AWAY_AFTER_S, self._started.set)
        await self._started.wait()
        timer.cancel()
        if self._is_away:
            self._log_away()
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._beating is not None:
            self._beating.cancel()
        for joined in list(self._deltas.values()):
            joined.send()
        for customer, hint, node in self._unconfirmed.lost():  # no later beat will show it
            self._send(customer, hint, node)
        self._publish(_NODES, _NOBODY, _LEAVES, _NOTHING)
        self._has_left = True
        await self._channels.__aexit__(*exc)

    @property
    def node(self) -> str:
        return self._node

    @property
    def nodes(self) -> Collection[str]:
        return self._lives_at.keys()

    @property
    def is_away(self) -> bool:
        # Of a process that has stood still, the flag knows nothing yet.
        return self._is_away or self._clock.monotonic() - self._beat_at > AWAY_AFTER_S

    @property
    def has_silent_node(self) -> bool:
        return bool(self._silent_since)

    async def check(self) -> None:
        if self.is_away:
            raise BrokerUnavailable(f"its own messages do not come back within {AWAY_AFTER_S:g} s")

    def listen(self, listener: BrokerListener) -> None:
        self._listener = listener

    # Publishing.

    def publish(self, customer: Customer, hint: Hint, node: str | None = None) -> None:
        if isinstance(hint, Delta):
            self._join(customer, hint)
            return
        if (joined := self._deltas.get(customer)) is not None:
            joined.send()  # they were written before
        self._send(customer, hint, node)
        if isinstance(hint, Appended) and any(
            isinstance(entry, StatusChange) and entry.changes_owner for entry in hint.entries
        ):
            self._clock.call_later(REPEAT_AFTER_S, lambda: self._send_hint(customer, hint, node))

    def _send(self, customer: Customer, hint: Hint, node: str | None) -> None:
        if isinstance(hint, Appended):
            grown = Grown(hint.session_id, hint.entries[-1].seq)
            self._unconfirmed.add(customer, grown, node)
        elif isinstance(hint, Grown | CustomerErased):
            self._unconfirmed.add(customer, hint, node)
        self._send_hint(customer, hint, node)

    def _send_hint(self, customer: Customer, hint: Hint, node: str | None) -> None:
        channels = []
        if self._channels.is_wanted(channel := _customer_channel(customer)):
            channels.append(channel)
        if node is not None and node != self._node:
            channels.append(_node_channel(node))
        if channels:
            kind, body = encode_hint(hint)
            for channel in channels:
                self._publish(channel, customer, kind, body)

    def _publish(self, channel: str, customer: Customer, kind: str, body: bytes) -> None:
        number = self._sent.get(channel, 0) + 1
        if number == 1 and len(self._sent) >= MAX_NUMBERED:
            self._sent.clear()
        self._sent[channel] = number
        self._put(channel, encode_envelope(self._node, number, customer, kind, body))

    def _put(self, channel: str, message: bytes) -> None:
        if self._has_left:
            return  # others would think that it lives
        if self._channels.publish(channel, message):
            self._count("sent")
        else:
            self._count("dropped")
            self._unconfirmed.are_lost = True

    def _join(self, customer: Customer, delta: Delta) -> None:
        joined = self._deltas.get(customer)
        if joined is not None and joined.fits(delta):
            joined.texts.append(delta.text)
            return
        if joined is not None:
            joined.send()

        def send(whole: Delta) -> None:
            del self._deltas[customer]
            self._send(customer, whole, None)

        self._deltas[customer] = _JoinedDeltas(delta, send, self._clock)

    # Subscriptions.

    def subscribe(self, customer: Customer) -> None:
        self._subscribe(_customer_channel(customer), customer)

    def unsubscribe(self, customer: Customer) -> None:
        channel = _customer_channel(customer)
        if channel in self._subscribed:
            del self._subscribed[channel]
            self._channels.unsubscribe(channel)

    def is_subscribed(self, customer: Customer) -> bool:
        subscription = self._subscribed.get(_customer_channel(customer))
        if subscription is None or self.is_away:
            return False
        # Until the listener knows what it has missed, what it knows may be old.
        return subscription.is_confirmed and not subscription.owes_missed

    def _subscribe(self, channel: str, customer: Customer | None = None) -> None:
        self._subscribed[channel] = _Subscription(customer)
        self._channels.subscribe(channel)

    def on_subscribed(self, channel: str) -> None:
        subscription = self._subscribed.get(channel)
        if subscription is None:
            return  # left meanwhile
        subscription.is_confirmed = True
        subscription.numbers.clear()
        if channel == self._own_channel:
            self._beat()
            self._listener.on_missed(None)
        elif channel == _NODES:
            self._publish(_NODES, _NOBODY, _LIVES, _NOTHING)
        else:
            self._owe_missed(subscription)

    def on_unsent(self) -> None:
        self._unconfirmed.are_lost = True

    def on_lost(self) -> None:
        self._count("lost")
        self._unconfirmed.are_lost = True
        for subscription in self._subscribed.values():
            subscription.is_confirmed = False

    def _owe_missed(self, subscription: "_Subscription") -> None:
        """Notify the listener soon: few at once, as after a join, many one after the other."""
        if subscription.customer is None or subscription.owes_missed:
            return
        subscription.owes_missed = True
        self._missed.append(subscription.customer)
        self._notify_some()
        if self._notifying is None:
            self._notifying = self._clock.call_later(MISSED_EVERY_S, self._notify_more)

    def _notify_some(self) -> None:
        while self._missed and self._may_notify > 0:
            self._may_notify -= 1
            self._count("missed")
            customer = self._missed.popleft()
            subscription = self._subscribed.get(_customer_channel(customer))
            if subscription is not None:
                subscription.owes_missed = False
            self._listener.on_missed(customer)

    def _notify_more(self) -> None:
        self._may_notify, self._notifying = MISSED_BATCH, None
        if self._missed:
            self._notifying = self._clock.call_later(MISSED_EVERY_S, self._notify_more)
            self._notify_some()

    # Receiving.

    def on_message(self, channel: str, message: bytes) -> None:
        subscription = self._subscribed.get(channel)
        if subscription is None:
            return  # left meanwhile
        try:
            envelope = decode_envelope(message)
            if envelope.publisher == self._node:
                if envelope.kind == _BEAT:
                    self._on_beat(envelope.number, msgspec.json.decode(envelope.body, type=float))
                return
            self._count("received")
            is_late = subscription.is_late(envelope.publisher, envelope.number)
            if subscription.is_hole(envelope.publisher, envelope.number, self._lives_at):
                self._on_lost_hint("hole", channel, subscription.customer)
            if channel == _NODES:
                if not is_late:  # else it shows no life, nor that a node which has left is back
                    self._on_node(envelope)
            elif (hint := decode_hint(envelope)) is not None:
                self._listener.on_hint(envelope.customer, hint)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            self._on_lost_hint("malformed", channel, subscription.customer)

    def _on_lost_hint(self, what: str, channel: str, customer: Customer | None) -> None:
        self._count(what)
        if customer is not None or channel == self._own_channel:
            self._listener.on_missed(customer)

    # The nodes.

    async def _beat_forever(self) -> None:
        while True:
            self._beat()
            self._publish(_NODES, _NOBODY, _LIVES, _NOTHING)
            await self._clock.sleep(BEAT_EVERY_S)
            self._look_at_beat()

    def _beat(self) -> None:
        self._beats += 1
        self._unconfirmed.close_batch(self._beats)
        sent_at = msgspec.json.encode(self._clock.monotonic())
        beat = encode_envelope(self._node, self._beats, _NOBODY, _BEAT, sent_at)
        self._put(self._own_channel, beat)

    def _look_at_beat(self) -> None:
        now = self._clock.monotonic()
        if now - self._beat_at > AWAY_AFTER_S:
            self._count("away")
            if not self._is_away:
                self._is_away = self._unconfirmed.are_lost = True
                self._log_away()
            if now - max(self._beat_at, self._reconnected_at) > RECONNECT_AFTER_S:
                self._reconnected_at = now
                self._channels.reconnect()
            return
        for node, at in list(self._lives_at.items()):
            is_silent = node != self._node and now - at > SILENT_AFTER_S
            if is_silent and len(self._silent_since) < MAX_NODES:
                self._silent_since[node] = at
        for node, at in list(self._silent_since.items()):
            if now - at > FORGOTTEN_AFTER_S:
                del self._silent_since[node]
            if now - at > DEAD_AFTER_S and self._lives_at.pop(node, None) is not None:
                self._listener.on_nodes_changed()
                for subscription in self._subscribed.values():
                    self._owe_missed(subscription)  # it may have stored what it published to nobody

    def _on_beat(self, number: int, sent_at: float) -> None:
        now = self._clock.monotonic()
        if now - sent_at > AWAY_AFTER_S:
            return  # what comes now is old
        self._beat_at = now
        self._publish_again(self._unconfirmed.confirm(number))
        if not self._is_away:
            return
        was_started, self._is_away = self._started.is_set(), False
        self._started.set()
        for node in self._lives_at:  # nothing was known of them meanwhile
            self._lives_at[node] = now
        if was_started:
            extra = {"action": "broker_back", "node": self._node}
            logger.info("The broker is back", extra=extra)

    def _publish_again(self, lost: "list[_Lost]") -> None:
        """Publish what others may not have got: a few at a time, as each makes them read."""
        for customer, hint, node in lost[:MISSED_BATCH]:
            self._send(customer, hint, node)
        if rest := lost[MISSED_BATCH:]:
            self._clock.call_later(MISSED_EVERY_S, lambda: self._publish_again(rest))

    def _on_node(self, envelope: Envelope) -> None:
        node = envelope.publisher
        self._silent_since.pop(node, None)
        if envelope.kind == _LEAVES:
            if self._lives_at.pop(node, None) is not None:
                self._listener.on_nodes_changed()
        elif envelope.kind == _LIVES:
            is_new = node not in self._lives_at
            if is_new and len(self._lives_at) >= MAX_NODES:
                self._count("refused")
                return
            self._lives_at[node] = self._clock.monotonic()
            if is_new:
                self._publish(_NODES, _NOBODY, _LIVES, _NOTHING)  # so that it knows of this one
                self._listener.on_nodes_changed()

    def _log_away(self) -> None:
        logger.warning(
            "The broker does not answer: other processes are followed through the store",
            extra={"action": "broker_away", "node": self._node},
        )


class _Subscription:
    """A channel whose messages are wanted."""

    __slots__ = ("customer", "is_confirmed", "numbers", "owes_missed")

    def __init__(self, customer: Customer | None) -> None:
        self.customer = customer
        """None: it is no customer's."""
        self.is_confirmed = False
        self.owes_missed = False
        """True if the listener does not know yet that it was confirmed anew."""
        self.numbers: dict[str, int] = {}
        """The number of the last hint of each publisher."""

    def is_late(self, publisher: str, number: int) -> bool:
        """Return True if this hint, or a later one, of the publisher has come before."""
        return 1 < number <= self.numbers.get(publisher, 0)

    def is_hole(self, publisher: str, number: int, living: Collection[str]) -> bool:
        """Return True if a hint may be missing before the publisher's with this number.

        `living`: the nodes whose numbers count. Of others they are kept while there is room.
        """
        last = self.numbers.get(publisher)
        if last is None and len(self.numbers) >= MAX_NODES:
            kept = {node: last for node, last in self.numbers.items() if node in living}
            is_full = len(kept) >= MAX_NODES
            self.numbers = {publisher: number} if is_full else {**kept, publisher: number}
            return is_full
        if last is None or number > last:
            self.numbers[publisher] = number
            return last is not None and number > last + 1
        if number == 1:  # it counts from the beginning again, or this one was doubled
            self.numbers[publisher] = number
            return True
        return False


_Lost = tuple[Customer, Hint, str | None]
_Key = tuple[Customer, type[Hint], str | None]


class _Unconfirmed:
    """What others must know, as long as it may be lost: until a later beat has come back.

    A follower finds its gap at the next hint. After one that nothing follows, only the publisher
    can know that it was lost.
    """

    __slots__ = ("_batches", "_newest", "_older", "are_lost")

    def __init__(self) -> None:
        self._newest: dict[_Key, _Lost] = {}
        self._batches: deque[tuple[int, dict[_Key, _Lost]]] = deque()
        """Each with the number of the beat that follows it."""
        self._older = 0
        """The hints in all batches."""
        self.are_lost = False
        """True if the connection has failed since a beat came back."""

    def __len__(self) -> int:
        return self._older + len(self._newest)

    def add(self, customer: Customer, hint: Hint, node: str | None) -> None:
        """Add a hint; of a kind the customer's newest counts."""
        key = customer, type(hint), node
        if key in self._newest or len(self) < MAX_UNCONFIRMED:
            self._newest[key] = customer, hint, node

    def close_batch(self, beat: int) -> None:
        """Note that the beat with this number follows what was added."""
        if self._newest and not self.are_lost:
            self._batches.append((beat, self._newest))
            self._older += len(self._newest)
            self._newest = {}

    def confirm(self, beat: int) -> list[_Lost]:
        """Remove what the beat with this number confirms; return what may have been lost."""
        if self.are_lost:
            return self.lost()
        while self._batches and self._batches[0][0] <= beat:
            self._older -= len(self._batches.popleft()[1])
        return []

    def lost(self) -> list[_Lost]:
        """Remove and return what may have been lost."""
        if not self.are_lost:
            return []
        lost: dict[_Key, _Lost] = {}
        for _, batch in self._batches:
            lost |= batch
        lost |= self._newest
        self._batches.clear()
        self._newest, self._older, self.are_lost = {}, 0, False
        return list(lost.values())


class _JoinedDeltas:
    """Pieces of one answer that are sent as one."""

    __slots__ = ("_send", "first", "texts", "timer")

    def __init__(self, first: Delta, send: Callable[[Delta], None], clock: Clock) -> None:
        self.first = first
        self.texts = [first.text]
        self._send = send
        self.timer = clock.call_later(JOIN_DELTAS_S, self.send)

    def fits(self, delta: Delta) -> bool:
        """Return True if `delta` follows."""
        first, end = self.first, self.first.offset + sum(map(len, self.texts))
        is_same = (delta.response_id, delta.attempt) == (first.response_id, first.attempt)
        return is_same and delta.offset == end

    def send(self) -> None:
        self.timer.cancel()
        self._send(self.first._replace(text="".join(self.texts)))


def _customer_channel(customer: Customer) -> str:
    return f"customer:{customer.business_id}:{customer.user_id}"


def _node_channel(node: str) -> str:
    return f"node:{node}"
