"""No traces, at next to no cost: what there is unless an operator asks for them."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Literal

from application.ports import MessageSpan, TraceAttributes, Tracing
from domain.identity import SessionId


class NoSpan(MessageSpan, AbstractContextManager[MessageSpan, None]):
    """A span of which nothing is kept; one object is all of them."""

    def __enter__(self) -> "NoSpan":
        return self

    def __exit__(self, *exc_info: object) -> None:
        return None

    def set(self, attributes: TraceAttributes) -> None:
        pass

    def fail(self, error_type: str) -> None:
        pass

    def discard(self) -> None:
        pass

    def accepts(self, session_id: SessionId, seq: int) -> None:
        pass

    def belongs_to(self, session_id: SessionId, seq: int, also: Sequence[int] = ()) -> None:
        pass


NO_SPAN = NoSpan()
_NO_HEADERS: Mapping[str, str] = {}


class NoTracing(Tracing):
    """Traces nothing."""

    @property
    def is_on(self) -> bool:
        return False

    def trace_id(self) -> str | None:
        return None

    def begin(self, name: str, attributes: TraceAttributes | None = None) -> NoSpan:
        return NO_SPAN

    def span(
        self,
        name: str,
        attributes: TraceAttributes | None = None,
        kind: Literal["internal", "client"] = "internal",
    ) -> NoSpan:
        return NO_SPAN

    def continued(
        self, traceparent: str | None, name: str, attributes: TraceAttributes | None = None
    ) -> NoSpan:
        return NO_SPAN

    def headers(self) -> Mapping[str, str]:
        return _NO_HEADERS


NO_TRACING = NoTracing()
