"""Spans as the adapter exports them, without a collector."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from adapters.opentelemetry import OpenTelemetry, place_of
from application.tracing import NO_TRACING
from domain.identity import SessionId
from entrypoints.logs import trace_ids
from entrypoints.settings import BadSetting
from entrypoints.tracing import chosen_tracing

SESSION = SessionId("a" * 32)
ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}


class Process(OpenTelemetry):
    """A process that traces, and what it has exported once it has ended."""

    def __init__(self) -> None:
        self._kept = InMemorySpanExporter()
        super().__init__("test", metrics=False, exporter=self._kept)

    @property
    def exported(self) -> dict[str, ReadableSpan]:
        return {span.name: span for span in self._kept.get_finished_spans()}


def ids(span: ReadableSpan) -> tuple[int, int, int | None]:
    """Return the trace, the span and its parent."""
    assert span.context is not None
    parent = span.parent.span_id if span.parent is not None else None
    return span.context.trace_id, span.context.span_id, parent


async def test_processes_that_know_nothing_of_each_other_add_to_one_trace() -> None:
    async with Process() as first:
        with first.begin("message") as message:
            with first.span("append"):
                pass
            message.accepts(SESSION, 7)
    async with Process() as second:
        with second.begin("turn") as turn:
            turn.belongs_to(SESSION, 7, also=[6])

    place = place_of(SESSION, 7)
    assert ids(first.exported["message"]) == (*place, None)
    assert ids(first.exported["append"])[::2] == place
    assert ids(second.exported["turn"])[::2] == place
    (link,) = second.exported["turn"].links
    assert (link.context.trace_id, link.context.span_id) == place_of(SESSION, 6)


async def test_all_processes_sample_the_same_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.5")
    async with Process() as first, Process() as second:
        for process in (first, second):
            for seq in range(100):
                with process.begin(f"{seq}") as span:
                    span.belongs_to(SESSION, seq)
                    flag = process.headers()["traceparent"][-2:]
                    with process.continued(process.headers()["traceparent"], f"b{seq}"):
                        assert process.headers()["traceparent"][-2:] == flag
    assert {*first.exported} == {*second.exported}
    assert 60 < len(first.exported) < 140


async def test_what_belongs_to_no_message_is_not_exported() -> None:
    async with Process() as process:
        with process.begin("turn"), process.span("append"):
            assert process.headers() == {}
            assert process.trace_id() is None
        with process.span("alone"):
            pass
    assert process.exported == {}


async def test_of_an_exception_only_its_type_is_exported() -> None:
    async with Process() as process:
        with suppress(ValueError), process.begin("failed") as span:
            span.belongs_to(SESSION, 1)
            raise ValueError("what the customer wrote")
        with suppress(asyncio.CancelledError), process.begin("cancelled") as span:
            span.belongs_to(SESSION, 1)
            raise asyncio.CancelledError
    failed, cancelled = process.exported["failed"], process.exported["cancelled"]
    assert failed.attributes is not None
    assert failed.attributes["error.type"] == "ValueError"
    assert (failed.status.is_ok, failed.status.description, failed.events) == (False, None, ())
    assert cancelled.status.is_unset


async def test_a_task_that_outlives_its_span_is_in_no_trace() -> None:
    go_on = asyncio.Event()

    async def live() -> Mapping[str, str]:
        await go_on.wait()
        with process.span("later"):
            return process.headers()

    async with Process() as process:
        with process.begin("turn") as span:
            span.belongs_to(SESSION, 1)
            task = asyncio.create_task(live())
            await asyncio.sleep(0)
        go_on.set()
        assert await task == {}
    assert {*process.exported} == {"turn"}


@pytest.mark.parametrize(
    "traceparent",
    [
        None,
        "",
        "x" * 100_000,
        f"00-{'0' * 32}-{'1' * 16}-01",
        f"00-{'1' * 32}-{'0' * 16}-01",
        f"ff-{'1' * 32}-{'1' * 16}-01",
        f"00-{'A' * 32}-{'1' * 16}-01",
        f"00-{'1' * 32}-{'1' * 16}-01\n",
    ],
)
async def test_a_header_that_names_no_span_begins_none(traceparent: str | None) -> None:
    async with Process() as process:
        with process.continued(traceparent, "GET /"):
            assert process.headers() == {}
    assert process.exported == {}


async def test_lines_that_are_logged_within_a_span_name_its_trace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logger = logging.getLogger("adapters.test")
    async with Process() as process:
        with trace_ids(process.trace_id), process.begin("turn") as span:
            logger.warning("Before", extra={"action": "test"})
            span.belongs_to(SESSION, 1)
            logger.warning("Within", extra={"action": "test"})
        logger.warning("After", extra={"action": "test"})
    found = [vars(record).get("trace_id") for record in caplog.records]
    assert found == [None, f"{place_of(SESSION, 1).trace_id:032x}", None]


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": " "},
        {**ENDPOINT, "OTEL_SDK_DISABLED": "true"},
        {**ENDPOINT, "OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"},
    ],
)
def test_without_a_collector_nothing_is_traced(environment: dict[str, str]) -> None:
    assert chosen_tracing("test", environment) is NO_TRACING


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "PROTOCOL is 'grpc'"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "collector:4318"}, "TRACES_ENDPOINT must begin"),
    ],
)
def test_what_could_never_be_exported_is_a_bad_setting(
    environment: dict[str, str], named: str
) -> None:
    with pytest.raises(BadSetting, match=named):
        chosen_tracing("test", environment)
