"""The calls of a model: how many at once, what is tried again and where, and for how long.

All tries for one answer share its deadline. What may succeed later is tried again: connection
errors, time-outs, 408, 409, 429 (but for a quota that is used up) and 5xx. Then the next model is
asked. A model that has failed FAILURES_TO_OPEN times in a row is left alone for a while; then one
real request finds out whether it is back.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from adapters.model.failures import AttemptFailed, Recovery
from adapters.openai.client import Client, CompletionRequest, Deadline
from adapters.openai.stream import Reply
from application.ports import Clock
from domain.backoff import backoff
from domain.errors import AssistantFailed

logger = logging.getLogger(__name__)

TRIES = 3
"""Of one model, for one reply."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 2.0
"""Between two tries, where the server does not say. Rather than wait longer, another is asked."""
SHORTEST_TRY_S = 1.0
"""What must be left of the time after a pause."""
FAILURES_TO_OPEN = 5
FIRST_REST_S, LONGEST_REST_S = 5.0, 60.0
"""How long a model is left alone; doubled each time that it turns out not to be back."""
WAITING_PER_CALL = 4
"""Calls that may wait, for each that may be under way."""


class Breaker:
    """Whether a model is asked: not, for a while, once it has failed too often in a row."""

    def __init__(self, jitter: Callable[[], float]) -> None:
        self._jitter = jitter
        self._failures = 0
        self._rests = 0
        self._until: datetime | None = None
        self._probing = False

    def is_open(self, now: datetime) -> bool:
        """Whether nobody is to ask."""
        return self._probing or (self._until is not None and now < self._until)

    def admit(self, now: datetime) -> None:
        """Somebody asks: `released`, `succeeded` or `failed` must follow. Raises: TryFailed."""
        if self.is_open(now):
            raise AttemptFailed(
                "it has failed too often just now", Recovery.ELSEWHERE, is_outage=False
            )
        self._probing = self._until is not None

    def released(self) -> None:
        """It was not found out whether the model answers."""
        self._probing = False

    def succeeded(self) -> None:
        """The model, or its server, has answered as it should."""
        self._failures = self._rests = 0
        self._until, self._probing = None, False

    def failed(self, now: datetime) -> bool:
        """It has not; whether it is left alone from now on."""
        if self._until is not None and not self._probing:
            return False  # begun before, or while it was found to be back
        self._failures += 1
        if self._failures < FAILURES_TO_OPEN and not self._probing:
            return False
        rest_s = backoff(self._rests, FIRST_REST_S, LONGEST_REST_S, self._jitter())
        self._until = now + timedelta(seconds=rest_s)
        self._rests += 1
        self._probing = False
        return True


class ModelRouter:
    """Who asks which model when."""

    def __init__(
        self,
        client: Client,
        *,
        models: Sequence[str],
        concurrency: int,
        clock: Clock,
        jitter: Callable[[], float],
    ) -> None:
        self._client = client
        self._clock = clock
        self._jitter = jitter
        self._breakers = {model: Breaker(jitter) for model in models}
        self._concurrency = concurrency
        self._slots = asyncio.Semaphore(concurrency)
        self._waiting = 0

    @property
    def is_away(self) -> bool:
        """Whether all models are being left alone."""
        now = self._clock.now()
        return all(breaker.is_open(now) for breaker in self._breakers.values())

    async def reply(self, errand: CompletionRequest) -> Reply:
        """The reply to the errand's messages, which are its `messages` from then on.

        Raises: AssistantFailed, with what has been spent.
        """
        reason = "there is no model"
        while errand.models:
            model, *others = errand.models
            try:
                return await self._persist(model, errand, is_last=not others)
            except AttemptFailed as failed:
                reason = f"{model}: {failed}"
                extra = {"action": "model_failed", "model": model, "reason": str(failed)}
                level = logging.WARNING if failed.is_outage else logging.INFO
                logger.log(level, "A model gave no answer", extra=extra)
                if failed.remedy is Recovery.NOTHING:
                    break
            errand.models = others
        raise AssistantFailed(reason, usage=errand.usage if errand.usage.calls else None)

    async def try_once(self, model: str, errand: CompletionRequest) -> None:
        """See whether a model answers at all. Raises: TryFailed."""
        while True:
            try:
                await self._client.attempt(model, errand, errand.deadline.left_s, is_last=True)
            except AttemptFailed as failed:
                if not self._can_mend(failed, errand):
                    raise
            else:
                return

    async def _persist(self, model: str, errand: CompletionRequest, *, is_last: bool) -> Reply:
        """A reply of this model, tried for as often as makes sense. Raises: TryFailed."""
        tries = 1
        while True:
            try:
                return await self._guarded(model, errand, is_last and tries == TRIES)
            except AttemptFailed as error:
                failed = error
            errand.anew()
            if self._can_mend(failed, errand):
                continue
            pause_s = self._pause_s(failed, tries, errand.deadline.left_s, is_last=is_last)
            if pause_s is None or tries == TRIES:
                raise failed
            extra = {"action": "model_retry", "model": model, "reason": str(failed)}
            logger.info("A model did not answer, and is asked again", extra=extra)
            await self._clock.sleep(pause_s)
            tries += 1

    def _can_mend(self, failed: AttemptFailed, errand: CompletionRequest) -> bool:
        """Whether the same request can be made one that the server takes, which is then done."""
        if failed.remedy is Recovery.PLAINER:
            errand.without.add(failed.parameter)
            return True
        if failed.remedy is Recovery.SHORTER and (shorter := errand.shorten()) is not None:
            errand.messages = shorter
            return True
        return False

    def _pause_s(
        self, failed: AttemptFailed, tries: int, left_s: float, *, is_last: bool
    ) -> float | None:
        """Before the model is tried again; None: it is not worth it."""
        if failed.remedy is not Recovery.AGAIN or (failed.is_slow and not is_last):
            return None
        if failed.retry_after_s is not None:  # spread: others were told the same
            pause_s = failed.retry_after_s + FIRST_PAUSE_S * self._jitter()
        else:
            pause_s = backoff(tries - 1, FIRST_PAUSE_S, LONGEST_PAUSE_S, self._jitter())
        longest_s = left_s - SHORTEST_TRY_S
        return pause_s if pause_s <= (longest_s if is_last else LONGEST_PAUSE_S) else None

    async def _guarded(self, model: str, errand: CompletionRequest, is_last_try: bool) -> Reply:
        """One try, that counts for the model's breaker. Raises: TryFailed."""
        breaker = self._breakers[model]
        async with self._slot(errand.deadline):
            breaker.admit(self._clock.now())
            left_s = errand.deadline.left_s
            patience_s = left_s if is_last_try else left_s / 2
            try:
                reply = await self._client.attempt(model, errand, patience_s, is_last=is_last_try)
                breaker.succeeded()
                reply.check()
            except AttemptFailed as failed:
                self._count(model, failed)
                raise
            finally:
                breaker.released()
        return reply

    def _count(self, model: str, failed: AttemptFailed) -> None:
        if not failed.is_outage:
            self._breakers[model].succeeded()
        elif self._breakers[model].failed(self._clock.now()):
            extra = {"action": "model_away", "model": model, "reason": str(failed)}
            logger.warning("A model fails time and again, and is left alone", extra=extra)

    @asynccontextmanager
    async def _slot(self, deadline: Deadline) -> AsyncIterator[None]:
        """One of the calls at once; who waits longest is next. Raises: TryFailed."""
        if self._slots.locked():
            if self._waiting >= WAITING_PER_CALL * self._concurrency:
                raise AttemptFailed("too many calls wait", Recovery.NOTHING, is_outage=False)
            self._waiting += 1
            try:
                async with asyncio.timeout(deadline.left_s):
                    await self._slots.acquire()
            except TimeoutError:
                reason = "the other calls took all of the time"
                raise AttemptFailed(reason, Recovery.NOTHING, is_outage=False) from None
            finally:
                self._waiting -= 1
        else:
            await self._slots.acquire()
        try:
            yield
        finally:
            self._slots.release()
