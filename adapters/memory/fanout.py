"""Fan-out within one process."""

import logging

from application.ports import Event, Fanout, Listener
from domain.identity import Customer

logger = logging.getLogger(__name__)


class MemoryFanout(Fanout):
    """Calls every listener at once, in the order in which they subscribed."""

    def __init__(self) -> None:
        self._listeners: dict[Customer, tuple[Listener, ...]] = {}

    def subscribe(self, customer: Customer, listener: Listener) -> None:
        self._listeners[customer] = (*self._listeners.get(customer, ()), listener)

    def unsubscribe(self, customer: Customer, listener: Listener) -> None:
        listeners = self._listeners.get(customer, ())
        left = tuple([other for other in listeners if other != listener])
        if left:
            self._listeners[customer] = left
        else:
            self._listeners.pop(customer, None)

    def publish(self, customer: Customer, event: Event) -> None:
        for listener in self._listeners.get(customer, ()):
            try:
                listener(event)
            except Exception:
                logger.exception("A listener failed", extra={"action": "listener_failed"})
