"""The server's metrics, in Prometheus' text format."""

import logging
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry, Counter, Gauge, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from adapters.event_log import EventLog
from adapters.phoenix.endpoint import SocketObserver
from application import ports
from domain.identity import BusinessId
from domain.message import Entry
from domain.notice import Notice
from domain.session import Session
from domain.usage import Usage
from domain.write_call import WriteState

logger = logging.getLogger(__name__)

_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


# The library's counters and histograms lock. What is counted in each turn takes them 19 µs, a tenth
# of the turn; here it takes 3. So these are plain numbers until they are collected.


class _Histogram:
    """A histogram of durations."""

    def __init__(self) -> None:
        self._counts = [0] * (len(_SECONDS) + 1)
        self._sum = 0.0

    def observe(self, seconds: float) -> None:
        """Count a duration."""
        self._counts[bisect_left(_SECONDS, seconds)] += 1
        self._sum += seconds

    def family(self, name: str, help_text: str) -> HistogramMetricFamily:
        """Return the histogram for the exposition."""
        bounds = [*(f"{bound:g}" for bound in _SECONDS), "+Inf"]
        buckets = list(zip(bounds, accumulate(self._counts), strict=True))
        return HistogramMetricFamily(name, help_text, buckets=buckets, sum_value=self._sum)


class _TurnCollector(Collector):
    """The AI's turns and their tokens."""

    def __init__(self) -> None:
        self.outcomes: defaultdict[str, int] = defaultdict(int)
        self.seconds = _Histogram()
        self.first_token = _Histogram()
        self.summaries: defaultdict[str, int] = defaultdict(int)
        self.suggestions: defaultdict[str, int] = defaultdict(int)
        self._tokens: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._calls: defaultdict[str, int] = defaultdict(int)

    def collect(self) -> Iterator[Metric]:
        turns = CounterMetricFamily("turns", "Turns of the AI by outcome", labels=["outcome"])
        for outcome, count in self.outcomes.items():
            turns.add_metric([outcome], count)
        yield turns
        yield from self._models()
        yield self.seconds.family("turn_seconds", "Durations of turns")
        yield self.first_token.family(
            "first_token_seconds", "From the start of a turn to the first piece of its answer"
        )

    def spend(self, purpose: str, usage: Usage) -> None:
        """Count the tokens and requests of one use of a model."""
        self._tokens[purpose, "input"] += usage.input_tokens - usage.cached_tokens
        self._tokens[purpose, "cached"] += usage.cached_tokens
        self._tokens[purpose, "output"] += usage.output_tokens - usage.reasoning_tokens
        self._tokens[purpose, "reasoning"] += usage.reasoning_tokens
        self._calls[purpose] += usage.calls

    def _models(self) -> Iterator[Metric]:
        tokens = CounterMetricFamily(
            "model_tokens",
            "Tokens by purpose and kind; `input` is without `cached`, `output` without `reasoning`",
            labels=["purpose", "kind"],
        )
        for (purpose, kind), count in self._tokens.items():
            tokens.add_metric([purpose, kind], count)
        calls = CounterMetricFamily(
            "model_calls", "Requests to models by purpose", labels=["purpose"]
        )
        for purpose, count in self._calls.items():
            calls.add_metric([purpose], count)
        summaries = CounterMetricFamily(
            "summaries", "Rolling summaries by outcome", labels=["outcome"]
        )
        for outcome, count in self.summaries.items():
            summaries.add_metric([outcome], count)
        suggestions = CounterMetricFamily(
            "suggestions", "Replies suggested to coordinators by outcome", labels=["outcome"]
        )
        for outcome, count in self.suggestions.items():
            suggestions.add_metric([outcome], count)
        yield from (tokens, calls, summaries, suggestions)


_Counts = defaultdict[str, int]


class _HintCollector(Collector):
    """The hints between processes."""

    def __init__(self, counts: _Counts) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        hints = CounterMetricFamily(
            "ai_agent_broker_hints",
            "Hints between processes that were sent, received, dropped, malformed or refused; "
            "holes in their numbers, lost connections, half seconds without the broker, and "
            "customers whose hints may have been missed",
            labels=["what"],
        )
        for what, count in self._counts.items():
            hints.add_metric([what], count)
        yield hints


class _LogCollector(Collector):
    """The log lines that could not be written."""

    def __init__(self, dropped_lines: Callable[[], int]) -> None:
        self._dropped_lines = dropped_lines

    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily(
            "log_lines_dropped",
            "Log lines that nobody read fast enough",
            value=self._dropped_lines(),
        )


class Metrics(SocketObserver, ports.Observer):
    """Counts sockets, joins, turns and refusals. No label ever holds an identifier or a text."""

    def __init__(self, log: EventLog | None = None, dropped_lines: Callable[[], int] = int) -> None:
        """`dropped_lines`: returns the number of log lines that could not be written."""
        self._log = log or EventLog()
        registry = self._registry = CollectorRegistry()
        registry.register(_LogCollector(dropped_lines))
        self.sockets = Gauge("sockets_open", "Open sockets", registry=registry)
        self.closed = Counter(
            "sockets_closed", "Sockets by close code", ["code"], registry=registry
        )
        self.slow = Counter("slow_consumers", "Clients that did not read", registry=registry)
        self.joins = Counter("joins", "Joins by outcome", ["outcome"], registry=registry)
        self.turns = _TurnCollector()
        registry.register(self.turns)
        self.refusals = Counter(
            "refusals", "Refused requests by reason", ["reason"], registry=registry
        )
        self.limits = Counter(
            "limits_met", "Refusals because of a limit", ["limit"], registry=registry
        )
        self.notices = Counter(
            "notices",
            "Attempts to deliver notices to the bridge by outcome",
            ["kind", "outcome"],
            registry=registry,
        )
        self.bridge_events = Counter(
            "ai_agent_bridge_events",
            "Messages and signs from the bridge's socket by outcome",
            ["outcome"],
            registry=registry,
        )
        self.topics_left = Counter(
            "ai_agent_bridge_topics_left",
            "Topics of open conversations left because of ELIXIR_FOLLOWED_TOPICS",
            registry=registry,
        )
        self.hints: _Counts = defaultdict(int)
        registry.register(_HintCollector(self.hints))
        self._logged_outcomes: set[str] = set()
        self.writes = Counter(
            "ai_agent_write_calls",
            "Calls of tools that change something, by outcome",
            ["outcome"],
            registry=registry,
        )
        self.ratings = Counter(
            "ai_agent_ratings", "Ratings by customers, by stars", ["rating"], registry=registry
        )
        self.unanswered = Counter(
            "ai_agent_unanswered",
            "Answers for which the AI searched the documents of a business, and found nothing",
            registry=registry,
        )
        self.failed_searches = Counter(
            "ai_agent_searches_failed",
            "Turns that went on without the passages of documents",
            registry=registry,
        )
        self.outbox = Gauge("outbox_depth", "Notices that are not delivered yet", registry=registry)

    def text(self, outbox_depth: int) -> bytes:
        """Return the exposition; the caller gets `outbox_depth` from the store."""
        self.outbox.set(outbox_depth)
        return generate_latest(self._registry)

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
        self.hints[what] += 1

    def listener_failed(self) -> None:
        """Log the exception that is being handled: a listener's or a tap's of the hub."""
        logger.exception("A listener failed", extra={"action": "listener_failed"})

    def topic_left(self) -> None:
        """Count an open conversation whose topic at the bridge is followed no longer."""
        self.topics_left.inc()
