"""The reference bridge's metrics, in Prometheus' text format."""

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.process_collector import ProcessCollector

from adapters.phoenix.endpoint import SocketObserver
from adapters.prometheus_text import PREFIX, build_info, exposition


class BridgeMetrics(SocketObserver):
    """What the reference bridge counts. No label ever holds an identifier or a text."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        ProcessCollector(registry=registry)

        def gauge(name: str, help_text: str) -> Gauge:
            return Gauge(f"{PREFIX}bridge_{name}", help_text, registry=registry)

        self.sockets = gauge("sockets_open", "Open sockets of the bridge")
        self.coordinators = gauge("coordinators", "Coordinators who are there, of all businesses")
        self.server_up = gauge(
            "server_up", "0 while commands cannot be delivered to the AI agent server, else 1"
        )
        self.joins = Counter(
            f"{PREFIX}bridge_joins", "Joins by outcome", ["outcome"], registry=registry
        )

    def text(self, coordinators: int, is_server_reachable: bool) -> bytes:
        """Return the exposition."""
        self.coordinators.set(coordinators)
        self.server_up.set(is_server_reachable)
        return exposition(self._registry, build_info())

    def socket_opened(self) -> None:
        self.sockets.inc()

    def socket_closed(self, code: int) -> None:
        self.sockets.dec()

    def join(self, outcome: str) -> None:
        self.joins.labels(outcome).inc()
