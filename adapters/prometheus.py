"""The server's metrics, in Prometheus' text format.

What differs from process to process is of each; what is the same for all workers of a machine, or
is about them, is of the machine (`adapters.prometheus_text.machine_text`).
"""

import logging
import os
import resource
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Metric
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from adapters.event_log import EventLog
from adapters.phoenix.endpoint import SocketObserver
from adapters.prometheus_text import PREFIX, Histogram, counter, exposition, gauge
from application import ports
from domain.identity import BusinessId
from domain.message import Entry, StatusChange
from domain.notice import Notice, NoticeKind
from domain.session import Session
from domain.status import TRANSITIONS
from domain.usage import Usage
from domain.write_call import WriteState

logger = logging.getLogger(__name__)

# A count that begins at 1 is no increase to Prometheus: what is watched begins at 0.
_TURN_OUTCOMES = (
    *("answered", "transferred", "stopped", "dropped", "cancelled"),
    *("failed", "timeout", "over_budget"),
)
_NOTICE_OUTCOMES = ("delivered", "deferred", "dead", "superseded")
_JOIN_OUTCOMES = ("ok", "error", "crashed", "unmatched", "limit")
_MODEL_FAILURES = (
    *("rate_limited", "slow", "unavailable", "refused"),
    *("too_long", "filtered", "unusable"),
)
_HINTS = (
    *("sent", "received", "dropped", "away", "lost", "hole", "missed"),
    *("malformed", "refused"),
)
_WHOLE_LIMITS = ("sockets", "connections", "joins", "turns", "waiting_bytes", "descriptors")
"""The limits of the whole server, and not of one client."""

_STORE_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class ProcessState(NamedTuple):
    """What a process has at the moment of a scrape."""

    turns: int = 0
    """The turns that run, or wait for a place."""
    chats: ports.TalkingChats | None = None
    """The chats with people of which this process has charge; None: there is no bridge."""


class _TurnCollector(Collector):
    """The AI's turns and their tokens."""

    def __init__(self) -> None:
        self.outcomes = defaultdict[str, int](int, dict.fromkeys(_TURN_OUTCOMES, 0))
        self.seconds = Histogram()
        self.first_token = Histogram()
        self.summaries: defaultdict[str, int] = defaultdict(int)
        self.suggestions: defaultdict[str, int] = defaultdict(int)
        self._tokens: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._calls: defaultdict[str, int] = defaultdict(int)

    def collect(self) -> Iterator[Metric]:
        yield counter("turns", "Turns of the AI by outcome", "outcome", self.outcomes)
        yield self._token_family()
        yield counter("model_calls", "Requests to models by purpose", "purpose", self._calls)
        yield counter("summaries", "Rolling summaries by outcome", "outcome", self.summaries)
        suggestions = "Replies suggested to coordinators by outcome"
        yield counter("suggestions", suggestions, "outcome", self.suggestions)
        yield self.seconds.family(f"{PREFIX}turn_seconds", "Durations of turns")
        yield self.first_token.family(
            f"{PREFIX}first_token_seconds",
            "From the start of a turn to the first piece of its answer",
        )

    def spend(self, purpose: str, usage: Usage) -> None:
        """Count the tokens and requests of one use of a model."""
        self._tokens[purpose, "input"] += usage.input_tokens - usage.cached_tokens
        self._tokens[purpose, "cached"] += usage.cached_tokens
        self._tokens[purpose, "output"] += usage.output_tokens - usage.reasoning_tokens
        self._tokens[purpose, "reasoning"] += usage.reasoning_tokens
        self._calls[purpose] += usage.calls

    def _token_family(self) -> Metric:
        tokens = CounterMetricFamily(
            f"{PREFIX}model_tokens",
            "Tokens by purpose and kind; `input` is without `cached`, `output` without `reasoning`",
            labels=["purpose", "kind"],
        )
        for (purpose, kind), count in self._tokens.items():
            tokens.add_metric([purpose, kind], count)
        return tokens


class _StoreCollector(Collector):
    """The requests to the store."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, Histogram] = defaultdict(lambda: Histogram(_STORE_SECONDS))
        self.errors: defaultdict[str, int] = defaultdict(int, {"read": 0, "write": 0})

    def collect(self) -> Iterator[Metric]:
        seconds = HistogramMetricFamily(
            f"{PREFIX}store_seconds",
            "Durations of requests to the store, with the wait for their turn",
            labels=["operation"],
        )
        for operation, histogram in self.seconds.items():
            histogram.add_to(seconds, [operation])
        yield seconds
        errors = "Requests that the store has failed, each attempt"
        yield counter("store_errors", errors, "operation", self.errors)


class _ProcessCollector(Collector):
    """What this process has at the moment, and what it has written to the log and waited for."""

    def __init__(self, dropped_lines: Callable[[], int]) -> None:
        self._dropped_lines = dropped_lines
        self.state = ProcessState()
        self.lag = Histogram()
        self.hints = defaultdict[str, int](int, dict.fromkeys(_HINTS, 0))

    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily(
            f"{PREFIX}log_lines_dropped",
            "Log lines that nobody read fast enough",
            value=self._dropped_lines(),
        )
        yield counter(
            "broker_hints",
            "Hints between processes that were sent, received, dropped, malformed or refused; "
            "holes in their numbers, lost connections, half seconds without the broker, and "
            "customers whose hints may have been missed",
            "what",
            self.hints,
        )
        if (share := _descriptors_share()) is not None:
            of = "Open files, of those that a process may have; of the worker that has most"
            yield gauge("descriptors_ratio", of, share)
        lag = "By how much a timer of the event loop was late, measured twice a second"
        yield self.lag.family(f"{PREFIX}event_loop_lag_seconds", lag)
        turns = "Turns of the AI that run, or wait for a place (LIMIT_TURNS)"
        yield gauge("turns_running", turns, self.state.turns)
        if (chats := self.state.chats) is not None:
            yield from _chat_families(chats)


def _descriptors_share() -> float | None:
    """Return the part of the file descriptors that are open; None: the system does not say."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        count = len(os.listdir("/proc/self/fd"))
    except OSError:
        return None
    return count / most if most != resource.RLIM_INFINITY else 0.0


def _chat_families(chats: ports.TalkingChats) -> Iterator[Metric]:
    people = GaugeMetricFamily(
        f"{PREFIX}chats",
        "Conversations whose customer waits for a coordinator, or has one",
        labels=["status"],
    )
    people.add_metric(["waiting"], chats.waiting)
    people.add_metric(["live"], chats.live)
    yield people
    longest = "For how long the customer who waits longest has; 0: nobody waits"
    yield gauge("longest_wait_seconds", longest, chats.longest_wait_s)


class Metrics(SocketObserver, ports.Observer):
    """Counts sockets, joins, turns and refusals. No label ever holds an identifier or a text."""

    def __init__(self, log: EventLog | None = None, dropped_lines: Callable[[], int] = int) -> None:
        """`dropped_lines`: returns the number of log lines that could not be written."""
        self._log = log or EventLog()
        registry = self._registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._process = _ProcessCollector(dropped_lines)
        self.turns = _TurnCollector()
        self.store = _StoreCollector()
        for collector in (self._process, self.turns, self.store):
            registry.register(collector)

        def locked(name: str, help_text: str, *labels: str) -> Counter:
            return Counter(PREFIX + name, help_text, labels, registry=registry)

        self.sockets = Gauge(f"{PREFIX}sockets_open", "Open sockets", registry=registry)
        self.closed = locked("sockets_closed", "Sockets by close code", "code")
        self.slow = locked("slow_consumers", "Clients that did not read")
        self.joins = locked("joins", "Joins by outcome", "outcome")
        self.refusals = locked("refusals", "Refused requests by reason", "reason")
        self.limits = locked("limits_met", "Refusals because of a limit", "limit")
        self.notices = locked(
            "notices", "Attempts to deliver notices to the bridge by outcome", "kind", "outcome"
        )
        self.status_changes = locked(
            "status_changes",
            "Changes of a conversation's owner, and of its request for a human, by what it then "
            "was and why",
            "status",
            "reason",
        )
        self.model_errors = locked(
            "model_errors", "Requests to models that failed, each attempt, by kind", "kind"
        )
        self.bridge_events = locked(
            "bridge_events", "Messages and signs from the bridge's socket by outcome", "outcome"
        )
        self.topics_left = locked(
            "bridge_topics_left",
            "Topics of open conversations left because of ELIXIR_FOLLOWED_TOPICS",
        )
        self._logged_outcomes: set[str] = set()
        self.writes = locked(
            "write_calls", "Calls of tools that change something, by outcome", "outcome"
        )
        self.ratings = locked("ratings", "Ratings by customers, by stars", "rating")
        self.unanswered = locked(
            "unanswered",
            "Answers for which the AI searched the documents of a business, and found nothing",
        )
        self.failed_searches = locked(
            "searches_failed", "Turns that went on without the passages of documents"
        )

        self._begin()

    def _begin(self) -> None:
        """Let the counts that are watched begin at 0."""
        for join in _JOIN_OUTCOMES:
            self.joins.labels(join)
        self.refusals.labels("storage_unavailable")
        for limit in _WHOLE_LIMITS:
            self.limits.labels(limit)
        for kind, outcome in product(NoticeKind, _NOTICE_OUTCOMES):
            self.notices.labels(kind, outcome)
        for (_, status), reasons in TRANSITIONS.items():
            for reason in reasons:
                self.status_changes.labels(status, reason)
        for failure in _MODEL_FAILURES:
            self.model_errors.labels(failure)
        for state in (WriteState.DONE, WriteState.FAILED, WriteState.UNKNOWN):
            self.writes.labels(state)

    def text(self, state: ProcessState = ProcessState()) -> bytes:  # noqa: B008  # it is frozen
        """Return the exposition of this process, with what it has at the moment."""
        self._process.state = state
        return exposition(self._registry)

    def socket_opened(self) -> None:
        self.sockets.inc()

    def socket_closed(self, code: int) -> None:
        self.sockets.dec()
        # From 3000 on, clients may choose any code.
        self.closed.labels(str(code) if code < 3000 else "other").inc()

    def join(self, outcome: str) -> None:
        self.joins.labels(outcome).inc()

    def slow_consumer(self) -> None:
        self.slow.inc()

    def origin_refused(self) -> None:
        self.refusals.labels("foreign_origin").inc()

    def refused(self, reason: str, event: str, business_id: BusinessId | None = None) -> None:
        """Count and log a request that was refused with this code.

        `event`: of the socket, or the operation of the HTTP API. `business_id`: where it is known.
        """
        self.refusals.labels(reason).inc()
        self._log.refused(reason, event, business_id)

    def limited(self, limit: str) -> None:
        """Count a refusal by the limit of this name."""
        self.limits.labels(limit).inc()

    def turn_waits(self) -> None:
        self.limited("turns")

    def turn_ended(self, turn: ports.EndedTurn) -> None:
        self.turns.outcomes[turn.outcome] += 1
        self.turns.seconds.observe(turn.seconds)
        if turn.first_token_s is not None:
            self.turns.first_token.observe(turn.first_token_s)
        self._log.turn_ended(turn)

    def stored(self, session: Session, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if isinstance(entry, StatusChange):
                self.status_changes.labels(entry.status, entry.reason).inc()
        self._log.stored(session, entries)

    def search_failed(self, error: BaseException) -> None:
        self.failed_searches.inc()
        self._log.search_failed(error)

    def tool_failed(self, tool: str, error: BaseException) -> None:
        self._log.tool_failed(tool, error)

    def question_unanswered(self) -> None:
        self.unanswered.inc()

    def write_settled(self, tool: str, call_id: str, state: WriteState) -> None:
        self.writes.labels(state).inc()
        self._log.write_settled(tool, call_id, state)

    def conversation_rated(self, rating: int) -> None:
        self.ratings.labels(str(rating)).inc()

    def tool_crashed(self, tool: str, error: BaseException) -> None:
        self._log.tool_crashed(tool, error)

    def summary_ended(self, outcome: str, error: BaseException | None) -> None:
        self.turns.summaries[outcome] += 1
        if error is not None:
            self._log.summary_failed(error)

    def suggestion_ended(self, outcome: str, error: BaseException | None) -> None:
        self.turns.suggestions[outcome] += 1
        if error is not None:
            self._log.suggestion_failed(error)

    def tokens_spent(self, purpose: str, usage: Usage) -> None:
        self.turns.spend(purpose, usage)

    def notice_settled(
        self, notice: Notice, outcome: str, error: BaseException | None = None
    ) -> None:
        self.notices.labels(notice.kind, outcome).inc()
        self._log.notice_settled(notice, outcome, error)

    def inbound_event(self, outcome: str) -> None:
        """Count an event from the bridge by its outcome."""
        self.bridge_events.labels(outcome).inc()
        if outcome in ("closed", "unknown") and outcome not in self._logged_outcomes:
            self._logged_outcomes.add(outcome)
            extra = {"action": "bridge_message_unmatched", "outcome": outcome}
            logger.warning(
                "A message from the bridge had no conversation; logged once", extra=extra
            )

    def hint(self, what: str) -> None:
        """Count what happened to a hint of another process, or to one for them."""
        self._process.hints[what] += 1

    def loop_lagged(self, seconds: float) -> None:
        """Count by how much a timer of the event loop was late."""
        self._process.lag.observe(seconds)

    def store_answered(self, operation: str, seconds: float, has_failed: bool) -> None:
        """Count a request to the store: a `read` or a `write`."""
        self.store.seconds[operation].observe(seconds)
        if has_failed:
            self.store.errors[operation] += 1

    def model_failed(self, kind: str) -> None:
        """Count a request to a model that has failed, by its kind."""
        self.model_errors.labels(kind).inc()

    def listener_failed(self) -> None:
        """Log the exception that is being handled: a listener's or a tap's of the hub."""
        logger.exception("A listener failed", extra={"action": "listener_failed"})

    def topic_left(self) -> None:
        """Count an open conversation whose topic at the bridge is followed no longer."""
        self.topics_left.inc()
