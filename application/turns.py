"""Turns of the AI: when one starts, that there is one at a time, and what ends it.

A turn answers all user messages that nobody has answered. It starts once the user has been quiet
for a moment, is cancelled when the conversation changes hands, and its answer is stored only in
the epoch that it began in. If the process dies, the messages are still unanswered in the store:
the user's next join or the sweep wakes the turn again.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from application.policy import Policy
from application.ports import (
    AnswerCancelled,
    AnswerWriter,
    Appended,
    Assistant,
    Businesses,
    Delta,
    Event,
    Fanout,
    Observer,
    Timer,
    Typing,
)
from application.session_log import CachedSession, SessionLog
from application.summaries import Summaries
from application.tools import TurnTools
from application.usage_tracker import Level, UsageTracker
from domain.business import Business
from domain.decisions import WAITING_ACTION, TurnResult, answer
from domain.errors import AssistantFailed, Failure, TooLarge
from domain.identity import BusinessId, Customer, MessageId
from domain.message import (
    Action,
    Entry,
    Message,
    StatusChange,
    Summary,
)
from domain.promise import promises_transfer
from domain.session import Draft, Session
from domain.status import Reason
from domain.summary import entries_after_summary, summary_budget
from domain.texts import Text, localized
from domain.usage import Usage
from domain.view import MAX_PENDING, View, fit_to_budget, pending_messages

T = TypeVar("T")

FRUGAL_SHARE = 4
"""Past the soft budget a view is so much shorter."""
TYPING_AFTER_S = 0.2
TYPING_EVERY_S = 4.0
TYPING_EXPIRES_MS = 6_000


def _ids(messages: Sequence[Message]) -> tuple[MessageId, ...]:
    return tuple([message.message_id for message in messages])


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """All turns of this process, at most one per customer."""

    conversations: SessionLog
    assistant: Assistant
    businesses: Businesses
    observer: Observer
    policy: Policy
    spending: UsageTracker
    summaries: Summaries
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1_000))
    """For turns at once; more wait, whoever came first goes first."""
    _waiting: dict[Customer, "_Quiet"] = field(default_factory=dict)
    _running: dict[Customer, "_Turn"] = field(default_factory=dict)
    _draining: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self, customer: Customer) -> None:
        """The customer has an unanswered message: start a turn once they are quiet.

        A turn that is running looks again when it ends. Once this drains, nothing happens.
        """
        if self._draining.is_set():
            return
        if (running := self._running.get(customer)) is not None:
            running.again = True
        elif self.policy.turn_quiet_s <= 0:
            self._start(customer)
        else:
            self._wait_for_quiet(customer)

    def is_busy(self, customer: Customer) -> bool:
        """Whether a turn of the customer runs here, or waits for their silence."""
        return customer in self._running or customer in self._waiting

    def _wait_for_quiet(self, customer: Customer) -> None:
        clock, policy = self.conversations.clock, self.policy
        now = clock.now()
        quiet = self._waiting.get(customer)
        if quiet is None:
            quiet = self._waiting[customer] = _Quiet(now)
        else:
            quiet.timer.cancel()
        waited_s = (now - quiet.since).total_seconds()
        delay_s = min(policy.turn_quiet_s, max(0.0, policy.turn_quiet_max_s - waited_s))
        quiet.timer = clock.call_later(delay_s, lambda: self._start(customer))

    def _start(self, customer: Customer) -> None:
        self._waiting.pop(customer, None)
        if customer not in self._running:
            turn = self._running[customer] = _Turn(self, customer)
            turn.task = asyncio.get_running_loop().create_task(turn.run())

    def ended(self, turn: "_Turn") -> None:
        """A turn is over; messages that it did not see wake the next."""
        del self._running[turn.customer]
        if turn.again:
            self.wake(turn.customer)

    def cancel(self, customer: Customer) -> None:
        """Stop whatever the AI does for the customer: nothing is owed any more."""
        self.summaries.forget(customer)
        quiet = self._waiting.pop(customer, None)
        if quiet is not None:
            quiet.timer.cancel()
        running = self._running.get(customer)
        if running is not None and running.task is not None:
            running.again = False
            running.task.cancel()
            if not running.begun:  # a task that is cancelled before its first step never ends
                self.ended(running)

    @property
    def is_draining(self) -> bool:
        """Whether no more turns are started."""
        return self._draining.is_set()

    async def drain(self) -> None:
        """Start no more turns, but at once those that wait for silence; return when all have ended.

        What is said from now on stays unanswered in the store, and is taken up as after `stop`.
        """
        self._draining.set()
        for customer, quiet in list(self._waiting.items()):
            quiet.timer.cancel()
            self._start(customer)
        while tasks := [turn.task for turn in self._running.values() if turn.task is not None]:
            await asyncio.wait(tasks)

    async def stop(self) -> None:
        """Cancel all turns: what they owe stays unanswered in the store and is taken up again."""
        for quiet in self._waiting.values():
            quiet.timer.cancel()
        self._waiting.clear()
        tasks = [turn.task for turn in self._running.values() if turn.task is not None]
        for customer in list(self._running):
            self.cancel(customer)
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.summaries.stop()


class _Quiet:
    """A customer who may go on writing: the turn waits."""

    __slots__ = ("since", "timer")

    timer: Timer

    def __init__(self, since: datetime) -> None:
        self.since = since


class _Turn:
    """One run of the AI."""

    __slots__ = ("_digest", "_error", "_expired", "_outcome", "_speech",
                 "_started_at", "_timer", "_turns", "_usage", "again", "begun", "customer",
                 "response_id", "task")  # fmt: skip

    def __init__(self, turns: Turns, customer: Customer) -> None:
        self._turns = turns
        self.customer = customer
        self.task: asyncio.Task[None] | None = None
        self.begun = False
        self.again = False
        """Whether messages have come that this turn may not have seen."""
        self.response_id = MessageId(turns.conversations.new_id())
        self._started_at = turns.conversations.clock.now()
        self._speech = _Speech(self, turns.conversations.fanout)
        self._timer: Timer | None = None
        self._expired = False
        self._digest: Summary | None = None
        self._usage: Usage | None = None
        self._outcome: str | None = None
        self._error: BaseException | None = None

    async def run(self) -> None:
        """From the unanswered messages to the stored answer, whatever happens on the way."""
        self.begun = True
        conversations = self._turns.conversations
        conversations.fanout.subscribe(self.customer, self._on_event)
        try:
            if self._turns.places.locked():
                self._turns.observer.turn_waits()
            async with self._turns.places:
                self._started_at = conversations.clock.now()  # what it may take begins here
                known = await conversations.current(self.customer)
                if known is not None and known.session.needs_answer:
                    await self._take(known)
        except asyncio.CancelledError:
            self._outcome = "cancelled"
        except Exception as error:  # the messages stay unanswered until the sweep
            self._outcome, self._error = "failed", error
        finally:
            conversations.fanout.unsubscribe(self.customer, self._on_event)
            if self._outcome is not None:
                self._report(self._outcome)
            self._turns.ended(self)

    async def _take(self, known: CachedSession) -> None:
        # One moment's session and entries: what comes while the business is asked for is not in
        # the view, and the next turn's to answer.
        session, recent = known.session, tuple(known.recent)
        owed = await self._owed(session, recent)
        if not owed:
            return  # erased meanwhile
        spending, level = self._turns.spending, Level.WITHIN
        if spending.has_budgets:
            level = await spending.level(session.customer.business_id)
        view = await self._see(session, recent, owed, frugal=level is Level.FRUGAL)
        turn = self._no_answer(view) if level is Level.OVER else await self._work(view)
        try:
            await self._store(turn, known, view)
        except TooLarge as error:  # or the sweep would have it made again for ever
            self._outcome, self._error = "failed", error
            await self._store(self._apology(view, None), known, view)

    async def _see(
        self,
        session: Session,
        recent: tuple[Entry, ...],
        owed: tuple[Message, ...],
        *,
        frugal: bool,
    ) -> View:
        """What the AI gets to see: what was digested is seen as the digest alone."""
        view_tokens = room = self._turns.policy.view_tokens
        digest = self._digest = self._turns.summaries.newest(session)
        if frugal:
            room //= FRUGAL_SHARE
        if digest is not None:
            room -= summary_budget(view_tokens)
        entries = entries_after_summary(session, recent, digest, max_tokens=room, pending=owed)
        if owed[-1].seq < session.last_user_seq:  # the next turn's
            entries = tuple([entry for entry in entries if entry.seq <= owed[-1].seq])
        return View(
            session=session,
            business=await self._business(session.customer.business_id),
            entries=entries,
            pending=owed,
            summary=digest.text if digest is not None else None,
            over_soft_budget=frugal,
        )

    async def _work(self, view: View) -> TurnResult:
        """Have the AI answer; what it has come to, whatever that is."""
        tools = TurnTools(self._turns.businesses, self.customer, self._turns.policy)
        text = await self._ask(view, tools)
        if text is None and tools.transfer is None:
            return self._apology(view, tools)
        # What the transfer tool was told is done, also where the AI failed after it.
        return self._answer(view, text or "", tools)

    async def _owed(self, session: Session, recent: tuple[Entry, ...]) -> tuple[Message, ...]:
        """What the turn is to answer: all that is unanswered, or the first of it that fits."""
        first, view_tokens = session.settled_seq + 1, self._turns.policy.view_tokens
        if recent[0].seq <= first:
            return fit_to_budget(pending_messages(session, recent), max_tokens=view_tokens)
        # A burst longer than what is remembered; the next turn takes what this one leaves.
        earlier = await self._turns.conversations.store.page(
            session.session_id, after=session.settled_seq, limit=MAX_PENDING
        )
        last = earlier[-1].seq if earlier else 0
        if recent[0].seq <= last + 1:
            earlier += tuple(entry for entry in recent if entry.seq > last)
        return fit_to_budget(pending_messages(session, earlier), max_tokens=view_tokens)

    async def _business(self, business_id: BusinessId) -> Business | None:
        try:
            return await self._turns.businesses.business(business_id)
        except Failure:
            return None  # the AI then says that it does not know

    async def _ask(self, view: View, tools: TurnTools) -> str | None:
        """The assistant's text; None when it failed or ran out of time."""
        self._arm()
        try:
            self._pay(await self._turns.assistant.answer(view, tools, self._speech))
        except asyncio.CancelledError as error:
            if isinstance(error, AnswerCancelled):
                self._pay(error.usage)
            if not self._expired or self.task is None:
                raise
            self.task.uncancel()
            self._outcome = "timeout"
            return None
        except Exception as error:  # whatever it was, an acknowledged message is answered
            if isinstance(error, AssistantFailed):
                self._pay(error.usage)
            self._outcome, self._error = "failed", error
            return None
        finally:
            self._disarm()
        text = "".join(self._speech.pieces).strip()
        if not text and tools.transfer is None:
            self._outcome, self._error = "failed", AssistantFailed("the answer was empty")
            return None
        return text

    def _pay(self, usage: Usage | None) -> None:
        if usage is not None:
            self._usage = usage
            self._turns.spending.add(self.customer.business_id, "answer", usage)

    def _answer(self, view: View, text: str, tools: TurnTools) -> TurnResult:
        promised = promises_transfer(text)
        if not promised and tools.transfer is None:
            self._outcome = "answered"
            return self._of(view, tools, text=text, transfer=None, actions=tuple(tools.actions))
        self._outcome = "transferred"
        if not promised:  # a user who is handed over is told so, in the same breath
            text = f"{text}\n\n{localized(view.language, Text.REQUESTED)}".lstrip()
        return self._of(
            view,
            tools,
            text=text,
            actions=(*tools.actions, WAITING_ACTION),
            transfer=Reason.AI_DECISION,
            summary=tools.transfer,
        )

    def _apology(self, view: View, tools: TurnTools | None) -> TurnResult:
        enough = view.session.failures + 1 >= self._turns.policy.ai_failures_before_transfer
        return self._of(
            view,
            tools,
            text=localized(view.language, Text.APOLOGY_REQUESTED if enough else Text.APOLOGY),
            transfer=Reason.AI_FAILURE if enough else None,
            failed=True,
        )

    def _no_answer(self, view: View) -> TurnResult:
        """The business has spent too much today: a human is asked at once."""
        self._outcome = "over_budget"
        return self._of(
            view,
            None,
            text=localized(view.language, Text.UNAVAILABLE_REQUESTED),
            transfer=Reason.AI_FAILURE,
            failed=True,
        )

    def _of(
        self,
        view: View,
        tools: TurnTools | None,
        *,
        text: str,
        transfer: Reason | None,
        actions: tuple[Action, ...] = (),
        summary: str | None = None,
        failed: bool = False,
    ) -> TurnResult:
        """The end of the turn, with all that it is stored under and along with."""
        session, digest = view.session, self._digest
        return TurnResult(
            session_id=session.session_id,
            epoch=session.epoch,
            settled_seq=session.settled_seq,
            settles_seq=view.pending[-1].seq,
            in_reply_to=_ids(view.pending),
            response_id=self.response_id,
            text=text,
            actions=actions,
            transfer=transfer,
            handover_note=summary,
            failed=failed,
            tools=tuple(tools.uses) if tools is not None else (),
            usage=self._usage,
            summary=digest if digest is not session.summary else None,
        )

    async def _store(self, turn: TurnResult, known: CachedSession, view: View) -> None:
        conversations, language = self._turns.conversations, view.language
        stored = False

        def decide(session: Session | None) -> Draft | None:
            nonlocal stored
            draft = answer(session, turn, conversations.occasion(language))
            stored = draft is not None
            return draft

        session = await conversations.commit(self.customer, decide, origin=self)
        if not stored:
            self._outcome = "dropped"
        # More than one turn can take, or another process has answered some of it but not all.
        self.again = self.again or (session is not None and session.needs_answer)
        # Of a business that saves, and while the AI fails, no summary is made.
        if stored and known.session is session and not (turn.failed or view.over_soft_budget):
            self._turns.summaries.answered(known.session, known.recent, language)

    def _on_event(self, event: Event) -> None:
        """Somebody else has the conversation now: stop."""
        if not isinstance(event, Appended) or event.origin is self or self.task is None:
            return
        if any(isinstance(entry, StatusChange) for entry in event.entries):
            self.task.cancel()

    def _arm(self) -> None:
        delay_s = min(TYPING_AFTER_S, self._turns.policy.turn_timeout_s)
        self._timer = self._turns.conversations.clock.call_later(delay_s, self._tick)

    def _disarm(self) -> None:
        """The deadline is the AI's: an answer that is being stored is not cancelled by it."""
        if self._timer is not None:
            self._timer.cancel()

    def _tick(self) -> None:
        """One timer serves both: a typing sign that must be repeated, and the deadline."""
        conversations = self._turns.conversations
        left_s = self._turns.policy.turn_timeout_s - self.seconds()
        if left_s <= 0:
            self._expired = True
            if self.task is not None:
                self.task.cancel()
            return
        conversations.fanout.publish(self.customer, Typing("ai", TYPING_EXPIRES_MS))
        self._timer = conversations.clock.call_later(min(TYPING_EVERY_S, left_s), self._tick)

    def seconds(self) -> float:
        """How long it has run."""
        return (self._turns.conversations.clock.now() - self._started_at).total_seconds()

    def _report(self, outcome: str) -> None:
        first_token_s = self._speech.first_token_s
        self._turns.observer.turn_ended(outcome, self.seconds(), first_token_s, self._error)


class _Speech(AnswerWriter):
    """What the AI says in a turn, shown as it comes."""

    __slots__ = ("_fanout", "_turn", "first_token_s", "pieces")

    def __init__(self, turn: _Turn, fanout: Fanout) -> None:
        self._turn = turn
        self._fanout = fanout
        self.pieces: list[str] = []
        self.first_token_s: float | None = None

    def __call__(self, piece: str) -> None:
        turn = self._turn
        if turn.task is None or turn.task.cancelling():
            return  # what is said while dying, after a takeover, is shown to no one
        if self.first_token_s is None:
            self.first_token_s = turn.seconds()
        self._fanout.publish(turn.customer, Delta(turn.response_id, len(self.pieces), piece))
        self.pieces.append(piece)

    def anew(self) -> None:
        self.pieces.clear()  # the next piece has index 0 again: there a client begins anew
