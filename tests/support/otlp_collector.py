"""A collector for OTLP over HTTP, which keeps what it gets, or never answers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

PATIENCE_S = 20.0
_OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class CollectedSpan:
    """A span as it was received; ids in hexadecimal digits."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, Any]
    has_failed: bool
    seconds: float
    links: tuple[str, ...]
    """The traces that it names beside its own."""

    @property
    def traceparent(self) -> str:
        """The header of a request that is a part of it."""
        return f"00-{self.trace_id}-{self.span_id}-01"


@dataclass(slots=True)
class Collector:
    """The running collector."""

    hangs: bool = False
    url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    spans: list[CollectedSpan] = field(default_factory=list)
    metrics: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """The attributes of each series, by the name of the metric."""
    requests: int = 0
    open: set[asyncio.StreamWriter] = field(default_factory=set)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def until(self, holds: Callable[["Collector"], bool]) -> None:
        """Wait until the condition holds for this collector."""
        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(lambda: holds(self))

    def named(self, name: str) -> CollectedSpan:
        """Return the only span of a name."""
        (span,) = [each for each in self.spans if each.name == name]
        return span

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.open.add(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = head.partition("content-length: ")[2].partition("\r")[0]
                body = await reader.readexactly(int(length))
                self.requests += 1
                if self.hangs:
                    await self._notify()
                    await reader.read()  # until the client gives up
                    break
                self._take(head.split()[1], body)
                writer.write(_OK)
                await self._notify()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            self.open.discard(writer)
            await self._notify()

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _take(self, path: str, body: bytes) -> None:
        self.bodies.append(body)
        if path == "/v1/metrics":
            request = ExportMetricsServiceRequest.FromString(body)
            for resource in request.resource_metrics:
                for metric in (each for scope in resource.scope_metrics for each in scope.metrics):
                    points = [_values(point.attributes) for point in metric.histogram.data_points]
                    self.metrics.setdefault(metric.name, []).extend(points)
            return
        assert path == "/v1/traces"
        for traced in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = _values(traced.resource.attributes)["service.name"]
            for span in (each for scope in traced.scope_spans for each in scope.spans):
                collected = CollectedSpan(
                    service,
                    span.name,
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    _values(span.attributes),
                    span.status.code == span.status.STATUS_CODE_ERROR,
                    (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
                    tuple(link.trace_id.hex() for link in span.links),
                )
                self.spans.append(collected)


def _values(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


@asynccontextmanager
async def collector(*, hangs: bool = False) -> AsyncIterator[Collector]:
    """Run a collector on a free port of this machine."""
    running = Collector(hangs)
    server = await asyncio.start_server(running.serve, "127.0.0.1", 0)
    running.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield running
    finally:
        server.close()
        for writer in running.open:
            writer.close()
        await running.until(lambda collected: not collected.open)
