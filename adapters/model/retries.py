"""Requests to models: concurrency, retries, fallback, circuit breakers, and the deadline.

All attempts at one completion share its deadline. What may succeed later is tried again: connection
errors, time-outs, 408, 409, 429 (but for a quota that is used up) and 5xx. A model that has another
one behind it gets a few attempts; the last one, who is all there is, gets all the time: a server
that is away for ten seconds costs ten seconds, not the answer. A model that keeps failing is not
asked for a while (see `Breaker`); then one real request finds out whether it is back.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from adapters.http_client import FAILURES_TO_OPEN, Breaker
from adapters.model.completion import Completion, CompletionClient, CompletionRequest, Deadline
from adapters.model.failures import AttemptFailed, Recovery
from application.ports import Clock
from domain.backoff import backoff
from domain.errors import AssistantFailed

logger = logging.getLogger(__name__)

ATTEMPTS_PER_MODEL = 3
"""Attempts for one completion, unless it is the last model's server that is away."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 2.0
"""Between two attempts, unless the server asks for another; the longest before a fallback."""
OPENINGS_WAITED_FOR = 2
"""A circuit that has opened more often in a row, about 15 s, is not waited for."""
SHORTEST_ATTEMPT_S = 1.0
"""The least time for an attempt; a pause that leaves less is not made."""
FIRST_REST_S, LONGEST_REST_S = 5.0, 60.0
"""A circuit's rest while it is open; doubled each time that the trial after it fails."""
WAITING_PER_CALL = 4
"""Requests that may wait, for each that may be under way."""


class _CircuitOpen(AttemptFailed):
    """The model was not asked."""


class ModelRouter:
    """Sends requests to models, each to the first that can answer it."""

    def __init__(
        self,
        models: Sequence[CompletionClient],
        *,
        concurrency: int,
        clock: Clock,
        jitter: Callable[[], float],
        on_failure: Callable[[str], None] = lambda _kind: None,
    ) -> None:
        """`on_failure`: called with the kind of each failed request to a model."""
        self._on_failure = on_failure
        self._clock = clock
        self._jitter = jitter
        self._models = tuple(models)
        self._breakers = {model: Breaker(self._rest_s) for model in models}
        self._concurrency = concurrency
        self._slots = asyncio.Semaphore(concurrency)
        self._waiting = 0
        self._useless = dict.fromkeys(self._models, 0)
        """Attempts in a row that a model's server has refused, or answered in vain."""

    @property
    def is_away(self) -> bool:
        """True if no model answers: circuits are open, or all that is asked is refused."""
        return all(map(self._is_away, self._models))

    def _is_away(self, model: CompletionClient) -> bool:
        if self._useless[model] >= FAILURES_TO_OPEN:
            return True
        return self._breakers[model].is_open(self._now())

    async def complete(self, request: CompletionRequest) -> Completion:
        """Return a completion that is of use.

        Models that fail are removed from `request.models`; where its messages are too many,
        `request.messages` becomes what `request.shorter` returns.
        Raises: AssistantFailed, with what has been spent.
        """
        reason = "there is no model"
        while request.models:
            model, *others = request.models
            try:
                return await self._persist(model, request, is_last=not others)
            except AttemptFailed as failed:
                reason = f"{model.name}: {failed}"
                extra = {"action": "model_failed", "model": model.name, "reason": str(failed)}
                level = logging.WARNING if failed.is_outage else logging.INFO
                logger.log(level, "A model gave no answer", extra=extra)
                if failed.recovery is Recovery.NONE:
                    break
            request.models = others
            request.changes.clear()
        raise AssistantFailed(reason, usage=request.usage if request.usage.calls else None)

    async def check(self, model: CompletionClient, request: CompletionRequest) -> Completion:
        """Return any completion by a model, without retries. Raises: AttemptFailed."""
        while True:
            try:
                return await model.attempt(request, request.deadline.left_s, is_last=True)
            except AttemptFailed as failed:
                if not self._adapt(request, failed):
                    raise

    async def _persist(
        self, model: CompletionClient, request: CompletionRequest, *, is_last: bool
    ) -> Completion:
        """Return a completion by this model, after some retries. Raises: AttemptFailed."""
        attempts = pauses = 0
        failed: AttemptFailed
        cause: AttemptFailed | None = None
        while True:
            try:
                return await self._attempt(model, request, is_last=is_last, waits=pauses > 0)
            except _CircuitOpen as error:
                failed = error
            except AttemptFailed as error:
                failed = cause = error
            request.on_restart()
            if self._adapt(request, failed):
                continue
            # An attempt that was paid for counts, however useless it was.
            attempts += failed.is_paid or not (is_last and failed.is_outage)
            pause_s = self._pause_s(failed, pauses, request.deadline.left_s, is_last=is_last)
            if pause_s is None or attempts == ATTEMPTS_PER_MODEL:
                raise cause or failed
            extra = {"action": "model_retry", "model": model.name, "reason": str(failed)}
            logger.info("A request to a model failed and is tried again", extra=extra)
            await self._clock.sleep(pause_s)
            pauses += 1

    def _adapt(self, request: CompletionRequest, failed: AttemptFailed) -> bool:
        """Change the request to one that the server accepts. False: it cannot be done."""
        if failed.recovery is Recovery.SHORTEN and request.shorter is not None:
            request.messages, request.shorter = request.shorter(), None
            return True
        return failed.recovery is Recovery.ADAPT

    def _pause_s(
        self, failed: AttemptFailed, pauses: int, left_s: float, *, is_last: bool
    ) -> float | None:
        """Return the pause before the next attempt; None: it would be of no use."""
        if failed.recovery is not Recovery.RETRY or (failed.is_slow and not is_last):
            return None
        if failed.retry_after_s is not None:  # spread: others were given the same
            pause_s = failed.retry_after_s + FIRST_PAUSE_S * self._jitter()
        else:
            pause_s = backoff(pauses, FIRST_PAUSE_S, LONGEST_PAUSE_S, self._jitter())
        longest_s = left_s - SHORTEST_ATTEMPT_S
        return pause_s if pause_s <= (longest_s if is_last else LONGEST_PAUSE_S) else None

    async def _attempt(
        self, model: CompletionClient, request: CompletionRequest, *, is_last: bool, waits: bool
    ) -> Completion:
        """Make one request, which counts for the model's circuit.

        `waits`: it has waited for the model before. Raises: AttemptFailed.
        """
        breaker = self._breakers[model]
        async with self._slot(request.deadline):
            if not breaker.admit(self._now()):
                is_brief = waits or breaker.openings <= OPENINGS_WAITED_FOR
                recovery = Recovery.RETRY if is_last and is_brief else Recovery.FALLBACK
                raise _CircuitOpen("it has failed too often just now", recovery)
            left_s = request.deadline.left_s
            patience_s = left_s if is_last else left_s / 2
            completion = None
            try:
                completion = await model.attempt(request, patience_s, is_last=is_last)
                completion.check()
                breaker.succeeded()
                self._useless[model] = 0
            except AttemptFailed as failed:
                failed.is_paid = failed.is_paid or completion is not None
                self._count(model, failed)
                raise
            finally:
                breaker.released()
        return completion

    def _count(self, model: CompletionClient, failed: AttemptFailed) -> None:
        if failed.recovery is not Recovery.ADAPT:
            self._on_failure(failed.kind)
        if not failed.is_outage:
            self._breakers[model].succeeded()
            # What is filtered, or too long, is so because of what a customer has written.
            is_useless = failed.recovery in (Recovery.RETRY, Recovery.FALLBACK)
            self._useless[model] += is_useless and not failed.is_filtered
        elif self._breakers[model].failed(self._now()):
            extra = {"action": "model_away", "model": model.name, "reason": str(failed)}
            logger.warning("A model keeps failing, and is not asked for a while", extra=extra)

    def _rest_s(self, openings: int) -> float:
        return backoff(openings, FIRST_REST_S, LONGEST_REST_S, self._jitter())

    def _now(self) -> float:
        return self._clock.monotonic()

    @asynccontextmanager
    async def _slot(self, deadline: Deadline) -> AsyncIterator[None]:
        """Hold one of the places for concurrent requests, first come, first served.

        Raises: AttemptFailed, also where a place comes too late for an attempt.
        """
        if self._slots.locked():
            if self._waiting >= WAITING_PER_CALL * self._concurrency:
                raise AttemptFailed("too many calls wait", Recovery.NONE, is_outage=False)
            self._waiting += 1
            try:
                async with asyncio.timeout(deadline.left_s - SHORTEST_ATTEMPT_S):
                    await self._slots.acquire()
            except TimeoutError:
                reason = "the other calls took all of the time"
                raise AttemptFailed(reason, Recovery.NONE, is_outage=False) from None
            finally:
                self._waiting -= 1
        else:
            await self._slots.acquire()
        try:
            yield
        finally:
            self._slots.release()
