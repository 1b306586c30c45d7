"""Traces, as OpenTelemetry's own variables have it: none, unless they name a collector."""

import os
from collections.abc import Mapping

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from application.ports import TRACEPARENT, Tracing
from application.tracing import NO_TRACING
from entrypoints.settings import BadSetting

_SIGNALS = ("TRACES", "METRICS")


def chosen_tracing(service: str, environment: Mapping[str, str] = os.environ) -> Tracing:
    """Return what exports to OTEL_EXPORTER_OTLP_ENDPOINT; without one, what does nothing.

    `service`: the name of the program. The SDK is imported where it is needed: that takes 0.2 s,
    and 15 MB. Raises: BadSetting.
    """
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return NO_TRACING
    traces, metrics = (_is_exported(signal, environment) for signal in _SIGNALS)
    if not (traces or metrics):
        return NO_TRACING
    from adapters.opentelemetry import OpenTelemetry

    return OpenTelemetry(service, traces=traces, metrics=metrics)


def _is_exported(signal: str, environment: Mapping[str, str]) -> bool:
    """Return whether there is a collector for a signal. Raises: BadSetting."""
    if environment.get(f"OTEL_{signal}_EXPORTER", "").strip().lower() == "none":
        return False
    for of in (f"{signal}_", ""):
        name = f"OTEL_EXPORTER_OTLP_{of}ENDPOINT"
        if (url := environment.get(name, "").strip()) == "":
            continue
        if not url.lower().startswith(("http://", "https://")):
            raise BadSetting(f"{name} must begin with http:// or https://")
        _check_protocol(signal, environment)
        return True
    return False


def _check_protocol(signal: str, environment: Mapping[str, str]) -> None:
    for of in (f"{signal}_", ""):
        name = f"OTEL_EXPORTER_OTLP_{of}PROTOCOL"
        if (protocol := environment.get(name, "").strip()) == "":
            continue
        if protocol != "http/protobuf":
            raise BadSetting(f"{name} is {protocol[:100]!r}, but must be http/protobuf")
        return


class TracedRequests(ASGIMiddleware):
    """Continues the traces that come with HTTP requests."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, tracing: Tracing) -> None:
        self._tracing = tracing

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        named = TRACEPARENT.encode()
        found = [value for name, value in scope["headers"] if name == named]
        traceparent = found[0].decode("latin-1") if len(found) == 1 else None
        method, template = scope["method"], scope["path_template"]  # type: ignore[typeddict-item]
        about = {"http.request.method": method, "http.route": template}
        with self._tracing.continued(traceparent, f"{method} {template}", about) as span:
            # What is refused is no part of a trace: the caller may be anybody.
            async def traced_send(message: Message) -> None:
                if message["type"] == "http.response.start":
                    status = message["status"]
                    span.set({"http.response.status_code": status})
                    if status >= 500:
                        span.fail(str(status))
                    elif status >= 400 or not template.startswith("/api/"):
                        span.discard()
                await send(message)

            await next_app(scope, receive, traced_send)
