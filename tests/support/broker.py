"""A network between the processes of one test, in memory, with faults on command."""

from collections.abc import Collection

from adapters.memory.leases import MemoryLeases
from application.ports import (
    Appended,
    Broker,
    BrokerListener,
    Clock,
    CustomerErased,
    Grown,
    Hint,
    Leases,
)
from domain.identity import Customer


class Network:
    """Carries hints between its brokers at once, unless they are cut off or held."""

    def __init__(self, clock: Clock) -> None:
        self.leases: Leases = MemoryLeases(clock.monotonic)
        self.brokers: list[NetworkBroker] = []
        self.holding = False
        self.held: list[tuple[NetworkBroker, Customer, Hint]] = []
        self.sent: list[Hint] = []
        """All that were published."""

    def join(self) -> "NetworkBroker":
        """Return the broker of one more process."""
        broker = NetworkBroker(self, f"node-{len(self.brokers) + 1}")
        self.brokers.append(broker)
        return broker

    def carry(
        self, sender: "NetworkBroker", customer: Customer, hint: Hint, node: str | None = None
    ) -> None:
        """Pass a hint on to `node`, and to the other processes that subscribe to the customer."""
        if isinstance(hint, Appended):
            hint = hint._replace(origin=None, lanes=())
        self.sent.append(hint)
        for broker in self.brokers:
            if broker is sender or sender.is_cut or broker.is_cut:
                continue
            if broker.node != node and not broker.is_subscribed(customer):
                continue
            if self.holding:
                self.held.append((broker, customer, hint))
            else:
                self.deliver(broker, customer, hint)

    def deliver(self, broker: "NetworkBroker", customer: Customer, hint: Hint) -> None:
        """Pass a hint on to one process."""
        broker.receive(customer, hint)

    def lose(self) -> None:
        """Drop all held hints, and stop holding."""
        self.held, self.holding = [], False

    def pass_on(self, *, times: int = 1, reverse: bool = False) -> None:
        """Deliver all held hints, and stop holding."""
        held, self.held, self.holding = self.held, [], False
        for broker, customer, hint in (held[::-1] if reverse else held) * times:
            broker.receive(customer, hint)


class NetworkBroker(Broker):
    """One process's end of a network."""

    def __init__(self, network: Network, name: str) -> None:
        self._network = network
        self._name = name
        self._listener: BrokerListener
        self._customers: set[Customer] = set()
        self._unsent: list[tuple[Customer, Hint, str | None]] = []
        self.is_cut = False
        """True: nothing arrives and nothing is sent, and the process does not know it yet."""
        self.away = False
        """True: the process knows that it is cut off."""
        self.confirms = True
        """False: subscriptions are confirmed by `confirm` alone."""
        self.loses: tuple[type[Hint], ...] = ()
        """The kinds of hints that do not arrive here, without anybody's knowing."""
        self.received: list[Hint] = []

    @property
    def is_away(self) -> bool:
        return self.away

    @property
    def node(self) -> str:
        return self._name

    @property
    def nodes(self) -> Collection[str]:
        return [broker.node for broker in self._network.brokers]

    def cut(self) -> None:
        """Cut the process off, which it notices."""
        self.is_cut = self.away = True

    def restore(self) -> None:
        """Connect the process again, which it notices."""
        self.is_cut = self.away = False
        unsent, self._unsent = self._unsent, []
        for customer, hint, node in unsent:
            self.publish(customer, hint, node)
        self._listener.on_missed(None)
        for customer in list(self._customers):
            self._listener.on_missed(customer)

    def listen(self, listener: BrokerListener) -> None:
        self._listener = listener

    def subscribe(self, customer: Customer) -> None:
        if self.confirms:
            self.confirm(customer)

    def confirm(self, customer: Customer) -> None:
        """Confirm a subscription: what came before was not received."""
        self._customers.add(customer)
        self._listener.on_missed(customer)

    def unsubscribe(self, customer: Customer) -> None:
        self._customers.discard(customer)

    def is_subscribed(self, customer: Customer) -> bool:
        return customer in self._customers and not self.away

    def publish(self, customer: Customer, hint: Hint, node: str | None = None) -> None:
        if self.is_cut and isinstance(hint, Appended):
            hint = Grown(hint.session_id, hint.entries[-1].seq)
        if self.is_cut and isinstance(hint, Grown | CustomerErased):
            self._unsent.append((customer, hint, node))  # as the product's does
        self._network.carry(self, customer, hint, node)

    def receive(self, customer: Customer, hint: Hint) -> None:
        """Deliver a hint of another process."""
        if not isinstance(hint, self.loses):
            self.received.append(hint)
            self._listener.on_hint(customer, hint)

    def miss(self, customer: Customer | None = None) -> None:
        """Report that hints may have been lost."""
        self._listener.on_missed(customer)
