"""Traces and metrics for OpenTelemetry, over OTLP/HTTP by its own SDK.

A span here is a small object of ours, from which the SDK's is made once it has ended: a trace is
known only when the message is stored, and the SDK fixes it where a span begins. The sampler, the
resource, the queue, the thread that exports and the exporter are the SDK's, and read its variables.
"""

import asyncio
import logging
import random
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from contextvars import ContextVar, Token
from functools import lru_cache
from hashlib import blake2b
from threading import Thread
from typing import Literal, NamedTuple, Self
from uuid import uuid4

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, Decision, Sampler
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import (
    Link,
    SpanContext,
    SpanKind,
    TraceFlags,
)
from opentelemetry.trace.status import Status, StatusCode

from application.ports import TRACEPARENT, MessageSpan, Span, TraceAttributes, Tracing
from application.tracing import NO_SPAN
from domain.identity import SessionId

logger = logging.getLogger(__name__)
# What they log of a collector that is away comes with each batch; here it is said once.
for _library in ("exporter", "sdk._shared_internal", "sdk.metrics", "sdk.trace.export"):
    logging.getLogger(f"opentelemetry.{_library}").setLevel(logging.CRITICAL)

EXPORT_FLUSH_S = 2.0
"""The longest that the shutdown waits for what is yet to be exported."""
MAX_HELD_SPANS = 100
"""The parts of a span that are kept until it is known to which message it belongs."""
MAX_LINKS = 32
REMEMBERED_PLACES = 10_000
"""The messages whose traces are remembered: each is asked for several times in a row."""
NAME = "ai-agent-server"

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_SCOPE = InstrumentationScope(NAME)
_KINDS = {
    "internal": SpanKind.INTERNAL,
    "client": SpanKind.CLIENT,
    "server": SpanKind.SERVER,
}
_UNSET, _ERROR = Status(StatusCode.UNSET), Status(StatusCode.ERROR)
_NOT_SAMPLED, _SAMPLED = TraceFlags(0), TraceFlags(TraceFlags.SAMPLED)
# opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics recommends these.
_TOKEN_BOUNDS = [4**power for power in range(14)]
_SECOND_BOUNDS = [0.01 * 2**power for power in range(14)]
_OF_METRICS = (
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "server.address",
    "server.port",
    "error.type",
)

_current: ContextVar["_Span | None"] = ContextVar("span", default=None)


class _Trace:
    """A trace, as far as this process knows it."""

    __slots__ = ("held", "id", "is_sampled")

    def __init__(self, trace_id: int | None, is_sampled: bool) -> None:
        """`trace_id`: None, as long as it is not known to which message the work belongs."""
        self.id = trace_id
        self.is_sampled = is_sampled
        self.held: list[_Span] = []
        """The spans that have ended before that."""


class _Span(MessageSpan):
    """A span that is under way, or has ended."""

    __slots__ = ("_before", "_began", "_id", "_tracing", "attributes", "end", "error", "has_ended",
                 "kind", "links", "name", "parent", "remote_parent", "start", "trace")  # fmt: skip

    _before: Token["_Span | None"]

    def __init__(
        self,
        tracing: "OpenTelemetry",
        trace: _Trace,
        name: str,
        attributes: TraceAttributes | None,
        kind: str,
        parent: "_Span | None" = None,
    ) -> None:
        self._tracing = tracing
        self.trace = trace
        self.name = name
        self.attributes = dict(attributes) if attributes is not None else {}
        self.kind = kind
        self.parent = parent
        self.remote_parent = 0
        """The id of a parent in another process, or that has ended."""
        self._id = 0  # until somebody wants to know
        self.links: Sequence[_Place] = ()
        """The traces of other messages that it is for, and their root spans."""
        self.error: str | None = None
        self.has_ended = False
        self.start = time.time_ns()
        self.end = 0
        self._began = time.perf_counter_ns()

    def __enter__(self) -> Self:
        self._before = _current.set(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, _: object) -> None:
        _current.reset(self._before)
        if kind is not None and self.error is None:
            if issubclass(kind, asyncio.CancelledError):
                self.attributes["error.type"] = "cancelled"  # which is no error
            else:
                self.fail(kind.__qualname__)
        self.has_ended = True
        self.end = self.start + time.perf_counter_ns() - self._began
        self._tracing.ended(self)

    @property
    def id(self) -> int:
        """The id, which is the root's where it is that."""
        if not self._id:
            self._id = random.getrandbits(64) or 1
        return self._id

    @id.setter
    def id(self, given: int) -> None:
        self._id = given

    def set(self, attributes: TraceAttributes) -> None:
        self.attributes.update(attributes)

    def fail(self, error_type: str) -> None:
        self.error = self.attributes["error.type"] = error_type

    def discard(self) -> None:
        self.trace = _Trace(None, is_sampled=False)

    def accepts(self, session_id: SessionId, seq: int) -> None:
        self._tracing.bind(self, session_id, seq, is_root=True)

    def belongs_to(self, session_id: SessionId, seq: int, also: Sequence[int] = ()) -> None:
        if also:
            self.links = [place_of(session_id, other) for other in also[-MAX_LINKS:]]
        self._tracing.bind(self, session_id, seq, is_root=False)


class _Place(NamedTuple):
    """The trace of a message, and its root span."""

    trace_id: int
    span_id: int


def place_of(session_id: SessionId, seq: int) -> _Place:
    """Return the place of a message; every process finds the same."""
    digest = blake2b(f"{session_id} {seq}".encode(), digest_size=24).digest()
    return _Place(int.from_bytes(digest[:16]) or 1, int.from_bytes(digest[16:]) or 1)


class OpenTelemetry(Tracing):
    """Exports to a collector, if it is there; nothing that is traced ever waits for it."""

    def __init__(
        self,
        service: str,
        *,
        traces: bool = True,
        metrics: bool = True,
        exporter: SpanExporter | None = None,
    ) -> None:
        """`service`: its name, where OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES have none.
        `traces`, `metrics`: which of them are exported. `exporter`: in place of OTLP's."""
        self._exporter = exporter
        self._service = service
        self._has_traces = traces
        self._has_metrics = metrics
        self._processor: BatchSpanProcessor | None = None
        self._meters: _ModelMeters | None = None
        self._sampler: Sampler = ALWAYS_OFF

    async def __aenter__(self) -> Self:
        self._sampled_place = lru_cache(REMEMBERED_PLACES)(self._choose)
        try:
            self._open()
        except Exception:  # whatever the SDK makes of a variable, customers are served
            extra = {"action": "traces_off"}
            logger.exception("OTEL_ variables are not accepted: there are no traces", extra=extra)
        return self

    def _open(self) -> None:
        # Each process exports sums of its own, whatever the environment calls all of them.
        instance = Resource({"service.instance.id": str(uuid4())})
        named = Resource.create({"service.name": self._service})
        self._resource = named.merge(_named_by_environment()).merge(instance)
        provider = TracerProvider(resource=self._resource, shutdown_on_exit=False)
        self._sampler = provider.sampler
        if self._has_traces:
            self._processor = BatchSpanProcessor(self._exporter or _ReportingExporter())
        if self._has_metrics:
            self._meters = _ModelMeters(self._resource)

    async def __aexit__(self, *exc_info: object) -> None:
        processor, meters = self._processor, self._meters
        self._processor = self._meters = None

        def shut_down() -> None:
            if processor is not None:
                processor.shutdown()  # type: ignore[no-untyped-call]
            if meters is not None:
                meters.shut_down()
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(is_down.set)

        # Its own thread: the loop's end would wait for one of the loop's.
        loop, is_down = asyncio.get_running_loop(), asyncio.Event()
        Thread(target=shut_down, name="opentelemetry", daemon=True).start()
        with suppress(TimeoutError):
            async with asyncio.timeout(EXPORT_FLUSH_S):
                await is_down.wait()

    @property
    def is_on(self) -> bool:
        return True

    def trace_id(self) -> str | None:
        span = _current.get()
        if span is None or span.has_ended or span.trace.id is None:
            return None
        return f"{span.trace.id:032x}"

    def begin(
        self, name: str, attributes: TraceAttributes | None = None
    ) -> AbstractContextManager[MessageSpan]:
        return _Span(self, _Trace(None, is_sampled=True), name, attributes, "internal")

    def span(
        self,
        name: str,
        attributes: TraceAttributes | None = None,
        kind: Literal["internal", "client"] = "internal",
    ) -> AbstractContextManager[Span]:
        parent = _current.get()
        if parent is not None and parent.has_ended:  # of a task that has outlived it
            parent = None
        is_kept = parent is not None and parent.trace.is_sampled
        if not is_kept and not (attributes and "gen_ai.request.model" in attributes):
            return NO_SPAN
        trace = parent.trace if parent is not None else _Trace(None, is_sampled=False)
        return _Span(self, trace, name, attributes, kind, parent)

    def continued(
        self, traceparent: str | None, name: str, attributes: TraceAttributes | None = None
    ) -> AbstractContextManager[Span]:
        found = _TRACEPARENT.fullmatch(traceparent or "")
        if found is None:
            return NO_SPAN
        trace_id, parent_id, flags = (int(part, 16) for part in found.groups())
        if not trace_id or not parent_id or not flags & TraceFlags.SAMPLED:
            return NO_SPAN
        # Anybody can send a header: what is sampled is decided here, and by the id it is the same.
        is_sampled = self._samples(trace_id, name)
        span = _Span(self, _Trace(trace_id, is_sampled), name, attributes, "server")
        span.remote_parent = parent_id
        return span

    def headers(self) -> Mapping[str, str]:
        span = _current.get()
        if span is None or span.has_ended or span.trace.id is None:
            return {}
        flags = "01" if span.trace.is_sampled else "00"
        return {TRACEPARENT: f"00-{span.trace.id:032x}-{span.id:016x}-{flags}"}

    def bind(self, span: _Span, session_id: SessionId, seq: int, *, is_root: bool) -> None:
        """Let a span, and its parts, be of the trace of a message."""
        trace = span.trace
        if trace.id is not None:
            return
        (trace.id, root), trace.is_sampled = self._sampled_place(session_id, seq)
        if not trace.is_sampled:
            trace.held.clear()
            return
        span.set({"session.id": session_id, "message.seq": seq})
        if is_root:
            span.id = root
        else:
            span.remote_parent = root
        held, trace.held = trace.held, []
        for part in held:
            self._export(part)

    def _choose(self, session_id: SessionId, seq: int) -> tuple[_Place, bool]:
        """Return the place of a message, and whether its trace is sampled."""
        place = place_of(session_id, seq)
        return place, self._samples(place.trace_id, "message")

    def _samples(self, trace_id: int, name: str) -> bool:
        result = self._sampler.should_sample(None, trace_id, name)
        return result.decision is Decision.RECORD_AND_SAMPLE

    def ended(self, span: _Span) -> None:
        """Take a span that has ended."""
        if self._meters is not None and "gen_ai.request.model" in span.attributes:
            self._meters.record(span)
        trace = span.trace
        if not trace.is_sampled:
            return
        if trace.id is not None:
            self._export(span)
        elif span.parent is not None and len(trace.held) < MAX_HELD_SPANS:
            trace.held.append(span)

    def _export(self, span: _Span) -> None:
        trace_id = span.trace.id
        if self._processor is None or trace_id is None or not span.trace.is_sampled:
            return
        parent = None
        if span.parent is not None:
            parent = SpanContext(trace_id, span.parent.id, False, _SAMPLED)
        elif span.remote_parent:
            parent = SpanContext(trace_id, span.remote_parent, True, _SAMPLED)
        ended = ReadableSpan(
            span.name,
            SpanContext(trace_id, span.id, False, _SAMPLED),
            parent,
            self._resource,
            span.attributes,
            (),
            [Link(SpanContext(*other, True, _SAMPLED)) for other in span.links],
            _KINDS[span.kind],
            status=_UNSET if span.error is None else _ERROR,
            start_time=span.start,
            end_time=span.end,
            instrumentation_scope=_SCOPE,
        )
        self._processor.on_end(ended)


def _named_by_environment() -> Resource:
    """Return what OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say, which goes before ours."""
    said = dict(Resource.create({}).attributes)
    if str(said.get("service.name", "")).startswith("unknown_service"):
        del said["service.name"]
    return Resource(said)


class _ReportingExporter(SpanExporter):
    """The SDK's exporter, which says once that its collector is away, and once that it is back."""

    def __init__(self) -> None:
        self._inner = OTLPSpanExporter()
        self._is_away = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._inner.export(spans)
        is_away = result is not SpanExportResult.SUCCESS
        if is_away and not self._is_away:
            extra = {"action": "traces_away"}
            logger.warning("Traces cannot be exported, and are lost meanwhile", extra=extra)
        elif self._is_away and not is_away:
            logger.info("Traces are exported again", extra={"action": "traces_back"})
        self._is_away = is_away
        return result

    def shutdown(self) -> None:
        self._inner.shutdown()  # type: ignore[no-untyped-call]


class _ModelMeters:
    """What the requests to models took, and how many tokens."""

    def __init__(self, resource: Resource) -> None:
        reader = PeriodicExportingMetricReader(OTLPMetricExporter())
        self._provider = MeterProvider([reader], resource, shutdown_on_exit=False)
        meter = self._provider.get_meter(NAME)
        self._seconds = meter.create_histogram(
            "gen_ai.client.operation.duration",
            "s",
            "How long requests to models take",
            explicit_bucket_boundaries_advisory=_SECOND_BOUNDS,
        )
        self._tokens = meter.create_histogram(
            "gen_ai.client.token.usage",
            "{token}",
            "Tokens that go into models and come out of them",
            explicit_bucket_boundaries_advisory=_TOKEN_BOUNDS,
        )

    def record(self, span: _Span) -> None:
        said = span.attributes
        labels = {name: said[name] for name in _OF_METRICS if name in said}
        self._seconds.record((span.end - span.start) / 1e9, labels)
        for kind in ("input", "output"):
            tokens = said.get(f"gen_ai.usage.{kind}_tokens")
            if isinstance(tokens, int) and tokens > 0:
                self._tokens.record(tokens, {**labels, "gen_ai.token.type": kind})

    def shut_down(self) -> None:
        self._provider.shutdown()
