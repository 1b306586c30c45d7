"""Fan-out within one process."""

import logging

from application.ports import Event, Fanout, Listener, Tap
from domain.identity import Customer

logger = logging.getLogger(__name__)


class MemoryFanout(Fanout):
    """Calls every listener immediately, in the order of subscription, and then the taps."""

    def __init__(self) -> None:
        self._listeners: dict[Customer, tuple[Listener, ...]] = {}
        self._taps: tuple[Tap, ...] = ()

    def subscribe(self, customer: Customer, listener: Listener) -> None:
        self._listeners[customer] = (*self._listeners.get(customer, ()), listener)

    def unsubscribe(self, customer: Customer, listener: Listener) -> None:
        listeners = self._listeners.get(customer, ())
        left = tuple([other for other in listeners if other != listener])
        if left:
            self._listeners[customer] = left
        else:
            self._listeners.pop(customer, None)

    def tap(self, tap: Tap) -> None:
        self._taps = (*self._taps, tap)

    def untap(self, tap: Tap) -> None:
        self._taps = tuple([other for other in self._taps if other != tap])

    def publish(self, customer: Customer, event: Event) -> None:
        for listener in self._listeners.get(customer, ()):
            try:
                listener(event)
            except Exception:
                _log_failure()
        for tap in self._taps:
            try:
                tap(customer, event)
            except Exception:
                _log_failure()


def _log_failure() -> None:
    logger.exception("A listener failed", extra={"action": "listener_failed"})
