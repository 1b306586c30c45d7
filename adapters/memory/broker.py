"""The broker of a process that is alone."""

from collections.abc import Collection

from application.ports import Broker, BrokerListener, Hint
from domain.identity import Customer


class NoBroker(Broker):
    """There are no other processes: nothing is sent, and nothing can be missed."""

    node = "alone"
    nodes: Collection[str] = (node,)

    def listen(self, listener: BrokerListener) -> None:
        pass

    def subscribe(self, customer: Customer) -> None:
        pass

    def unsubscribe(self, customer: Customer) -> None:
        pass

    def is_subscribed(self, customer: Customer) -> bool:
        return True

    def publish(self, customer: Customer, hint: Hint, node: str | None = None) -> None:
        pass
