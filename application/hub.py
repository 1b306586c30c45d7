"""The events of customers: from whoever publishes them to all who listen, in every process."""

import math
from collections.abc import Callable

from application.ports import (
    Appended,
    Broker,
    BrokerListener,
    Clock,
    CustomerErased,
    Event,
    Grown,
    Hint,
    Listener,
    Missed,
    Tap,
    Typing,
)
from domain.identity import Customer

AWAY_EVERY_S, AWAY_POLL_S = 1.0, 0.25
"""While the broker is away each customer's listeners get a Missed so often; the polls for it."""
AWAY_BATCHES = 20
"""The batches over which these are spread."""
_CHAT_EVENTS = (Appended, Grown, Typing)


class Hub(BrokerListener):
    """Calls every listener at once, in the order of subscription, and then the taps.

    Events of other processes come through the broker, while somebody here listens to the customer
    or this process is the one that they were sent to; they may come late, twice, or not at all.
    """

    def __init__(
        self,
        broker: Broker,
        on_failure: Callable[[], None] = lambda: None,
        chat_owner: Callable[[Customer], str | None] = lambda _: None,
    ) -> None:
        """`on_failure` is called where a listener or a tap has raised, with that as the context;
        a listener calls it for what it does in a task of its own.

        `chat_owner` returns the node that gets what concerns the customer's chat at the bridge, if
        there is one.
        """
        self._listeners: dict[Customer, tuple[Listener, ...]] = {}
        self._taps: tuple[Tap, ...] = ()
        self._remote_taps: tuple[Tap, ...] = ()
        self._watchers: tuple[Callable[[], None], ...] = ()
        self.on_failure = on_failure
        self._chat_owner = chat_owner
        self._broker = broker
        broker.listen(self)

    def subscribe(self, customer: Customer, listener: Listener) -> None:
        """Call `listener` for every event of the customer from now on."""
        listeners = self._listeners.get(customer)
        if listeners is None:
            listeners = ()
            self._broker.subscribe(customer)
        self._listeners[customer] = (*listeners, listener)

    def unsubscribe(self, customer: Customer, listener: Listener) -> None:
        """Remove the listener. Harmless when it was not subscribed."""
        listeners = self._listeners.get(customer, ())
        left = tuple([other for other in listeners if other != listener])
        if left:
            self._listeners[customer] = left
        elif self._listeners.pop(customer, None) is not None:
            self._broker.unsubscribe(customer)

    def tap(self, tap: Tap) -> None:
        """Call `tap` for every event of every customer that is published in this process."""
        self._taps = (*self._taps, tap)

    def untap(self, tap: Tap) -> None:
        """Remove the tap. Harmless when there was none."""
        self._taps = tuple([other for other in self._taps if other != tap])

    def tap_remote(self, tap: Tap) -> None:
        """Call `tap`, before the listeners, for what comes from other processes, and for Missed."""
        self._remote_taps = (*self._remote_taps, tap)

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call `watcher` when nodes have come or gone, or what was sent to this one may be lost."""
        self._watchers = (*self._watchers, watcher)

    @property
    def node(self) -> str:
        """The name of this process."""
        return self._broker.node

    @property
    def has_peers(self) -> bool:
        """True if other processes live and receive what is published here, as far as is known."""
        return len(self._broker.nodes) > 1 and not self._broker.is_away

    @property
    def broker_is_away(self) -> bool:
        """True while what other processes store is known from the store alone."""
        return self._broker.is_away

    @property
    def has_silent_node(self) -> bool:
        """True while another process may store something that is not published here."""
        return self._broker.has_silent_node

    def has_listeners(self, customer: Customer) -> bool:
        """Return True if somebody in this process listens to the customer."""
        return customer in self._listeners

    def is_subscribed(self, customer: Customer) -> bool:
        """Return True if no other process can change the customer's log unnoticed here."""
        return self._broker.is_subscribed(customer)

    def publish(self, customer: Customer, event: Hint) -> None:
        """Call all listeners of the customer, and all taps. A listener's failure is its own."""
        self.notify(customer, event)
        self._call(self._taps, customer, event)
        if isinstance(event, CustomerErased):  # no process keeps a copy, listener or not
            for node in self._broker.nodes:
                self._broker.publish(customer, event, node)
        else:
            is_of_chat = isinstance(event, _CHAT_EVENTS)
            owner = self._chat_owner(customer) if is_of_chat else None
            self._broker.publish(customer, event, owner)

    def notify(self, customer: Customer, event: Event) -> None:
        """Call the listeners of this process alone: for what it has found in the store."""
        for listener in self._listeners.get(customer, ()):
            try:
                listener(event)
            except Exception:
                self.on_failure()

    def _call(self, taps: tuple[Tap, ...], customer: Customer, event: Event) -> None:
        for tap in taps:
            try:
                tap(customer, event)
            except Exception:
                self.on_failure()

    async def report_away(self, clock: Clock) -> float:
        """While the broker is away, send each customer's listeners a Missed; to be repeated.

        Takes AWAY_EVERY_S, over which they are spread. Returns the seconds until the next time.
        """
        if not self._broker.is_away:
            return AWAY_POLL_S
        customers = list(self._listeners)
        size = max(1, math.ceil(len(customers) / AWAY_BATCHES))
        for start in range(0, size * AWAY_BATCHES, size):
            for customer in customers[start : start + size]:
                self._on_remote(customer, Missed(broker_is_away=True))
            await clock.sleep(AWAY_EVERY_S / AWAY_BATCHES)
        return 0.0

    # From the broker.

    def on_hint(self, customer: Customer, hint: Hint) -> None:
        self._on_remote(customer, hint)

    def on_missed(self, customer: Customer | None) -> None:
        if customer is not None:
            self._on_remote(customer, Missed())
        else:
            self._call_watchers()

    def on_nodes_changed(self) -> None:
        self._call_watchers()

    def _call_watchers(self) -> None:
        for watcher in self._watchers:
            try:
                watcher()
            except Exception:
                self.on_failure()

    def _on_remote(self, customer: Customer, event: Event) -> None:
        self._call(self._remote_taps, customer, event)
        self.notify(customer, event)
