"""A broker between the processes of a test, all in one event loop.

    network = Network()
    async with harness(hub=network.hub()) as app:
        other = app.another(hub=network.hub())

Hints arrive in the next rounds of the event loop, in order, while a process is connected.
"""

import asyncio
from collections.abc import Collection

from application.hub import Hub
from application.ports import Appended, Broker, BrokerListener, Hint
from domain.identity import Customer


class Network:
    """Connects the brokers of several processes."""

    def __init__(self) -> None:
        self.brokers: list[MemoryBroker] = []

    def broker(self) -> "MemoryBroker":
        """Return the broker of a further process."""
        self.brokers.append(MemoryBroker(self, f"node-{len(self.brokers) + 1}"))
        return self.brokers[-1]

    def hub(self) -> Hub:
        """Return the hub of a further process; its broker is the last of `brokers`."""
        return Hub(self.broker())


class MemoryBroker(Broker):
    """The broker of one process, with faults on command."""

    def __init__(self, network: Network, node: str) -> None:
        self._network = network
        self._node = node
        self._listener: BrokerListener
        self._wanted: set[Customer] = set()
        self._confirmed: set[Customer] = set()
        self._connected = True
        self.confirms = True
        """False: subscriptions are confirmed by `confirm` alone."""
        self.loses: tuple[type[Hint], ...] = ()
        """The kinds of hints that do not arrive here, without anybody's knowing."""
        self.received: list[Hint] = []

    @property
    def node(self) -> str:
        return self._node

    @property
    def nodes(self) -> Collection[str]:
        return [broker.node for broker in self._network.brokers]

    @property
    def is_away(self) -> bool:
        return not self._connected

    def listen(self, listener: BrokerListener) -> None:
        self._listener = listener

    def subscribe(self, customer: Customer) -> None:
        self._wanted.add(customer)
        if self.confirms:
            asyncio.get_running_loop().call_soon(self.confirm, customer)

    def unsubscribe(self, customer: Customer) -> None:
        self._wanted.discard(customer)
        self._confirmed.discard(customer)

    def is_subscribed(self, customer: Customer) -> bool:
        return customer in self._confirmed

    def confirm(self, customer: Customer) -> None:
        """Confirm a subscription, if it is still wanted, and the process connected."""
        if self._connected and customer in self._wanted:
            self._confirmed.add(customer)
            self._listener.on_missed(customer)

    def disconnect(self) -> None:
        """Lose the connection: nothing goes out, and nothing arrives."""
        self._connected = False
        self._confirmed.clear()

    def reconnect(self) -> None:
        """Connect again, and confirm all subscriptions."""
        self._connected = True
        for customer in sorted(self._wanted):
            self.confirm(customer)

    def publish(self, customer: Customer, hint: Hint, node: str | None = None) -> None:
        if not self._connected:
            return
        if isinstance(hint, Appended):
            hint = hint._replace(origin=None)
        loop = asyncio.get_running_loop()
        for broker in self._network.brokers:
            if broker is not self and (node == broker.node or customer in broker._confirmed):
                loop.call_soon(broker._receive, customer, hint)

    def _receive(self, customer: Customer, hint: Hint) -> None:
        if self._connected and not isinstance(hint, self.loses):
            self.received.append(hint)
            self._listener.on_hint(customer, hint)
