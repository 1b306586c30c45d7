"""One turn of the AI: from a customer's pending messages to the stored answer.

What the answer promises is done, and a deed that it claims and no tool did is taken back. It is
stored only in the epoch in which the turn began. The turn ends early when the
conversation changes hands, at the user's request with what was written so far, and at its deadline
with an apology. While the store is away, what was answered is kept, and stored by the deadline if
the store is back by then. A process that holds the customer's lease lets no other ask the AI.
"""

import asyncio
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import count

from msgspec.structs import replace

from application.answer_stream import AnswerStream
from application.answer_versions import AnswerVersions
from application.attendance import Attendance
from application.business_facts import facts_if_known
from application.hub import Hub
from application.policy import Policy
from application.ports import (
    AnswerCancelled,
    AnswerRequested,
    Appended,
    Assistant,
    Businesses,
    Clock,
    CustomerErased,
    Delta,
    EndedTurn,
    Event,
    Grown,
    Handoff,
    HandoffOutcome,
    Knowledge,
    Leases,
    MessageSpan,
    Missed,
    NewId,
    Observer,
    SessionStore,
    StopRequested,
    Timer,
    Tracing,
    Typing,
)
from application.session_log import CachedSession, SessionLog
from application.summaries import Summaries
from application.tools import TurnTools
from application.tracing import NO_SPAN, NO_TRACING
from application.turn_lease import TurnLease
from application.usage_tracker import BudgetLevel, UsageTracker
from application.views import Views
from application.write_calls import TurnWrites, WriteCalls, known_or_bare
from domain.backoff import backoff
from domain.business import Business
from domain.decisions import WAITING_ACTION, TurnResult, answer, leave_message_action
from domain.errors import AssistantFailed, StorageUnavailable, TooLarge
from domain.handoff import HandoffRules, is_about
from domain.human_request import asks_for_human
from domain.identity import Customer, MessageId, SessionId
from domain.knowledge import found_nothing, sources, sources_action
from domain.message import Action, AnswerVersion, Entry, Message, StatusChange, Summary
from domain.notice import Lane
from domain.plain_text import is_blank
from domain.promise import NO_CLAIMS, Claims, Verdict, possible_claims, sure_claims
from domain.session import Draft, Session
from domain.status import Reason, Status
from domain.texts import Text
from domain.usage import Usage, together
from domain.view import MAX_PENDING, View, fit_to_budget, pending_messages
from domain.write_call import WriteState, WriteStep
from domain.write_decisions import confirmation_action, outcome_text, question_text

VERDICT_S = 4.0
"""The longest that an answer waits for the verdict on what it claims."""
TYPING_AFTER_S = 0.2
TYPING_EVERY_S = 4.0
TYPING_EXPIRES_MS = 6_000
FIRST_STORE_PAUSE_S, LONGEST_STORE_PAUSE_S = 0.1, 2.0
"""The pauses between two attempts to store an answer."""


class TurnEnd(Enum):
    """What is left to do for the customer after a turn."""

    NOTHING = auto()
    MORE_PENDING = auto()
    """There are messages that the turn did not answer."""
    HELD_ELSEWHERE = auto()
    """Another process has the customer's turn, or had it when it died."""


@dataclass(slots=True)
class _Turn:
    """The state of one turn, and what the operator learns of it."""

    customer: Customer
    response_id: MessageId
    task: asyncio.Task[object]
    started: float
    """By the monotonic clock."""
    stop: StopRequested | None
    """The user's request to end it; None: there was none."""
    end: TurnEnd = TurnEnd.NOTHING
    outcome: str | None = None
    """One of `EndedTurn.outcome`; None: there was nothing to answer."""
    error: BaseException | None = None
    usage: Usage | None = None
    summary: Summary | None = None
    """The rolling summary that the view was made with."""
    version: AnswerVersion | None = None
    """What the AI was asked with; None: it was not asked."""
    session: Session | None = None
    """The session as the turn has read it."""
    stream: AnswerStream | None = None
    session_id: SessionId | None = None
    first_seq: int = 0
    """The first message that it answers; 0: it is not known yet."""
    missed: bool = False
    """True if hints were lost before the stream began."""
    tools: TurnTools | None = None
    """None: the AI was not asked."""
    writes: TurnWrites | None = None
    """Its calls of tools that change something; None: the business has no tools of its own."""
    can_stop: bool = True
    """False once there is a result to store."""
    span: MessageSpan = NO_SPAN
    waits: bool = False
    """True while a wait for a slot, or for the AI, may be broken off."""

    def seconds(self, now: float) -> float:
        """Return the seconds for which it has been running; `now`: by the monotonic clock."""
        return now - self.started

    def ended(self, outcome: str, now: float) -> EndedTurn:
        """Return what the operator learns of it; `now`: by the monotonic clock."""
        return EndedTurn(
            customer=self.customer,
            response_id=self.response_id,
            session_id=self.session_id,
            outcome=outcome,
            seconds=self.seconds(now),
            first_token_s=self.first_token_s(),
            tools=tuple([use.name for use in self.tools.uses]) if self.tools is not None else (),
            usage=self.usage,
            error=self.error,
        )

    def trace_outcome(self, outcome: str) -> None:
        """Say in its trace what came of it."""
        self.span.set({"turn.outcome": outcome, "turn.response_id": self.response_id})
        if self.error is not None:
            self.span.fail(type(self.error).__qualname__)

    def first_token_s(self) -> float | None:
        """Return the seconds from its start to the first piece of the answer."""
        first = self.stream.first_piece_at if self.stream is not None else None
        return self.seconds(first) if first is not None else None

    def on_event(self, event: Event) -> None:
        """Handle an event of the customer."""
        if isinstance(event, Delta):
            return  # its own
        if isinstance(event, Appended):
            if event.origin is not self:
                self._on_appended(event)
        elif isinstance(event, Missed):
            self._look()
            if not event.broker_is_away:  # its own pieces may be lost, and requests for them
                self._publish_so_far()
        elif isinstance(event, Grown):
            if not self._has_read(event, event.seq):
                self._look()
        elif isinstance(event, AnswerRequested):
            self._publish_so_far()
        elif isinstance(event, StopRequested):
            self._on_stop(event)
        elif isinstance(event, CustomerErased):
            self.task.cancel()

    def _has_read(self, event: Appended | Grown, seq: int) -> bool:
        """Return True if an entry is not news: hints may come late, and twice."""
        session = self.session
        if session is None or event.session_id != session.session_id:
            return False
        return seq <= session.seq

    def _look(self) -> None:
        """Show no more of the answer until the store has been read."""
        self.missed = True
        if self.stream is not None:
            self.stream.look()

    def _publish_so_far(self) -> None:
        if self.stream is not None:
            self.stream.publish_so_far()

    def _on_appended(self, event: Appended) -> None:
        """End it if what another writer has stored makes its answer void."""
        if self.session is not None and event.session_id != self.session.session_id:
            self._look()  # of an earlier session it is late
            return
        for entry in event.entries:
            if self._has_read(event, entry.seq):
                continue
            if isinstance(entry, StatusChange):
                if entry.changes_owner:
                    if self.session is None:  # it may be late, and is known to the next turn
                        self.end = TurnEnd.MORE_PENDING
                    self.task.cancel()
                    return
            elif entry.message_id == self.response_id:
                return  # it is stored, though that seemed to fail
            elif entry.settles_seq:
                self.give_way()
                return

    def _on_stop(self, stop: StopRequested) -> None:
        if not self.can_stop or self.task.cancelling():
            return
        is_known = self.first_seq > 0
        if not is_known or (stop.session_id == self.session_id and stop.seq >= self.first_seq):
            self.stop = stop
            self.break_off()

    def break_off(self) -> bool:
        """End a wait for a slot, or for the AI; return True if there was one."""
        return self.waits and not self.task.cancelling() and self.task.cancel()

    def give_way(self) -> None:
        """End it, as another process has the customer's turn, unless there is a result to store."""
        if self.can_stop:
            self.end = TurnEnd.HELD_ELSEWHERE
            self.task.cancel()


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerPending:
    """Answers a customer's pending messages, once."""

    session_log: SessionLog
    store: SessionStore
    assistant: Assistant
    businesses: Businesses
    attendance: Attendance
    usage_tracker: UsageTracker
    summaries: Summaries
    versions: AnswerVersions
    views: Views
    observer: Observer
    hub: Hub
    clock: Clock
    new_id: NewId
    policy: Policy
    knowledge: Knowledge | None = None
    """None: there is none of any business."""
    leases: Leases | None = None
    """None: no other process can run a turn."""
    write_calls: WriteCalls | None = None
    """None: no business has tools of its own."""
    tracing: Tracing = NO_TRACING
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1_000))
    """Bounds the turns that run at once; further ones wait in the order in which they came."""

    async def __call__(
        self,
        customer: Customer,
        *,
        stop: StopRequested | None = None,
        was_elsewhere: bool = False,
    ) -> TurnEnd:
        """Run one turn, whatever happens on the way; return what is left to do.

        `stop`: the user wants no answer to what was pending then. `was_elsewhere`: another process
        had the turn, and may have answered. Cancelling it ends it quietly: the messages stay
        pending.
        """
        task = asyncio.current_task()
        assert task is not None
        started = self.clock.monotonic()
        turn = _Turn(customer, MessageId(self.new_id()), task, started, stop)
        with self.tracing.begin("turn", {"business.id": customer.business_id}) as turn.span:
            await self._run_to_end(turn, was_elsewhere)
        return turn.end

    async def _run_to_end(self, turn: _Turn, was_elsewhere: bool) -> None:
        customer = turn.customer
        self.hub.subscribe(customer, turn.on_event)
        try:
            has_slot = turn.stop is None and await self._wait_for_slot(turn)
            try:
                await self._run(turn, was_elsewhere)
            finally:
                if has_slot:
                    self.slots.release()
        except asyncio.CancelledError:
            turn.outcome = "cancelled"
        except Exception as error:  # the messages stay pending until the sweep
            turn.outcome, turn.error = "failed", error
        finally:
            self.hub.unsubscribe(customer, turn.on_event)
            if turn.stream is not None:
                turn.stream.close()
            if turn.outcome is not None:
                turn.trace_outcome(turn.outcome)
                self.observer.turn_ended(turn.ended(turn.outcome, self.clock.monotonic()))
            turn.stream = turn.writes = turn.tools = None  # they refer to each other

    async def _wait_for_slot(self, turn: _Turn) -> bool:
        """Take a slot; False: the turn was stopped meanwhile, and needs none."""
        if self.slots.locked():
            self.observer.turn_waits()
        turn.waits = True
        try:
            return await self.slots.acquire()
        except asyncio.CancelledError:
            if turn.stop is None or turn.task.uncancel():
                raise
            return False
        finally:
            turn.waits = False

    async def _run(self, turn: _Turn, was_elsewhere: bool) -> None:
        turn.started = self.clock.monotonic()  # the time limit begins here
        cached = await self._pending_session(turn)
        if cached is None:
            return
        if self.leases is None:
            await self._answer(turn, cached)
            return
        lease = TurnLease(self.leases, turn.customer, self.hub.node, self.clock, turn.give_way)
        try:
            if not await lease.claim():
                turn.end = TurnEnd.HELD_ELSEWHERE
                return
            if was_elsewhere:
                await self.session_log.reload(turn.customer)
            if (cached := await self._pending_session(turn)) is not None:
                await self._answer(turn, cached)
        finally:
            await lease.release()

    async def _pending_session(self, turn: _Turn) -> CachedSession | None:
        """Return the customer's session if it needs an answer."""
        cached = await self.session_log.current(turn.customer)
        return cached if cached is not None and cached.session.needs_answer else None

    async def _answer(self, turn: _Turn, cached: CachedSession) -> None:
        # One moment's session and entries: what comes while the view is made is not in it, and
        # the next turn's to answer.
        session, recent = cached.session, tuple(cached.recent)
        turn.session = session
        business = await facts_if_known(self.businesses, turn.customer.business_id)
        while await self._prepare_writes(turn, session, business):
            found = await self._pending_session(turn)
            if found is None:
                return
            cached, session, recent = found, found.session, tuple(found.recent)
            turn.session = session
        turn.stream = AnswerStream(
            turn.customer,
            session,
            turn.response_id,
            task=turn.task,
            hub=self.hub,
            clock=self.clock,
            is_current=lambda: self._is_current(turn, session),
        )
        if turn.missed:
            turn.stream.look()
        pending = await self._pending(session, recent)
        if (stop := turn.stop) is not None:
            is_same = stop.session_id == session.session_id
            pending = tuple([each for each in pending if is_same and each.seq <= stop.seq])
            if not pending:  # all of it came after the request
                turn.end = TurnEnd.MORE_PENDING
        if not pending:
            return  # or it was erased meanwhile
        turn.session_id, turn.first_seq = session.session_id, pending[0].seq
        # A burst of messages is answered in the trace of the last, as the answer says it settles.
        *earlier, last = [each.seq for each in pending]
        turn.span.belongs_to(session.session_id, last, also=earlier)
        level = await self.usage_tracker.level(turn.customer.business_id, business)
        over_soft_budget = level is BudgetLevel.OVER_SOFT
        view = await self._view(turn, cached, session, recent, pending, business, over_soft_budget)
        if turn.stop is None and level is not BudgetLevel.OVER_HARD:
            view = await self.views.with_passages(view)
        if turn.stop is not None:
            result = self._confirm_stop(turn, view)
        elif level is BudgetLevel.OVER_HARD:
            turn.outcome = "over_budget"
            result = await self._refer_to_human(
                turn, view, None, Text.UNAVAILABLE_REQUESTED, Text.UNAVAILABLE
            )
        else:
            result = await self._run_assistant(turn, view, turn.stream)
        turn.can_stop = False
        try:
            await self._store(turn, result, cached, view)
        except TooLarge as error:  # otherwise the sweep would have it made again for ever
            turn.outcome, turn.error = "failed", error
            if turn.writes is not None:
                turn.writes.proposal = None
            await self._store(turn, await self._apologise(turn, view, None), cached, view)
        turn.stream.close()  # who asks from now on has the answer, or will get it

    async def _prepare_writes(
        self, turn: _Turn, session: Session, business: Business | None
    ) -> bool:
        """Settle the calls that were begun before, and make those that were approved.

        Returns True if there were any: the session is another one then. Raises: StorageUnavailable.
        """
        calls = self.write_calls
        has_tools = business is not None and bool(business.tool_servers)
        if calls is None or not (has_tools or session.writes):
            return False
        known = known_or_bare(session, business)
        site = calls.site(session, known, await calls.tools.tools(known), origin=turn)
        turn.writes = TurnWrites(
            calls, site, is_over=lambda: turn.task.cancelling() > 0, on_lost=turn.give_way
        )
        if not session.writes:
            return False
        deadline = _Deadline(turn, self.hub, self.clock, self.policy.turn_timeout_s)
        try:
            return await turn.writes.prepare()
        finally:
            deadline.disarm()

    async def _is_current(self, turn: _Turn, session: Session) -> bool:
        """Read the store; cancel the turn if its answer cannot be stored any more.

        Raises: StorageUnavailable.
        """
        cached = await self.session_log.reload(turn.customer)
        current = cached.session if cached is not None else None
        if (
            current is None
            or current.status is not Status.AI
            or (current.session_id, current.epoch) != (session.session_id, session.epoch)
        ):
            if turn.can_stop:  # what is being stored may be this turn's own
                turn.task.cancel()
        elif current.settled_seq != session.settled_seq:
            turn.give_way()
        else:
            return True
        return False

    # The view.

    async def _pending(self, session: Session, recent: tuple[Entry, ...]) -> tuple[Message, ...]:
        """Return what the turn answers: all pending messages, or the first ones that fit."""
        first, view_tokens = session.settled_seq + 1, self.policy.view_tokens
        if recent[0].seq <= first:
            return fit_to_budget(pending_messages(session, recent), max_tokens=view_tokens)
        # A burst longer than the cached entries; the next turn takes what this one leaves.
        earlier = await self.store.page(
            session.session_id, after=session.settled_seq, limit=MAX_PENDING
        )
        last = earlier[-1].seq if earlier else 0
        if recent[0].seq <= last + 1:
            earlier += tuple(entry for entry in recent if entry.seq > last)
        return fit_to_budget(pending_messages(session, earlier), max_tokens=view_tokens)

    async def _view(
        self,
        turn: _Turn,
        cached: CachedSession,
        session: Session,
        recent: tuple[Entry, ...],
        pending: tuple[Message, ...],
        business: Business | None,
        over_soft_budget: bool,
    ) -> View:
        """Return what the AI sees."""

        async def read_earlier(before: int, limit: int) -> tuple[Entry, ...]:
            return await self.session_log.earlier(turn.customer, cached, before=before, limit=limit)

        turn.summary = self.summaries.newest(session)
        view = await self.views(
            session,
            recent,
            turn.summary,
            pending,
            business,
            over_soft_budget=over_soft_budget,
            read_earlier=read_earlier,
        )
        if pending[-1].seq < session.last_user_seq:  # the rest is the next turn's
            entries = tuple([entry for entry in view.entries if entry.seq <= pending[-1].seq])
            view = replace(view, entries=entries)
        return view

    # Running the AI.

    async def _run_assistant(self, turn: _Turn, view: View, stream: AnswerStream) -> TurnResult:
        tools = TurnTools(
            view,
            self.businesses,
            self.knowledge,
            self.policy,
            self.observer,
            lambda: self._ask_for_human(view),
            business_tools=self.write_calls.tools if self.write_calls is not None else None,
            extra=turn.writes.tools if turn.writes is not None else (),
            writes=turn.writes,
            tracing=self.tracing,
        )
        turn.tools = tools
        turn.version = await self.versions(view.business)
        text = await self._ask(turn, view, tools, stream)
        writes = turn.writes
        if writes is not None:
            await writes.finish()
        if not tools.has_words and (writes is None or writes.proposal is None):
            if text is None:
                return await self._apologise(turn, view, tools)
            if is_blank(text):
                return self._confirm_stop(turn, view, tools)
        # What the transfer tool was told is done, also where the AI failed after it.
        claims, verdict = await self._claims(turn, view, text or "", tools)
        handoff = tools.handoff
        if handoff is None and claims.human:
            handoff = await self._ask_for_human(view)
        return self._conclude(turn, view, text or "", tools, claims, verdict, handoff)

    async def _ask_for_human(self, view: View) -> Handoff:
        """Return what comes of a request for a human by the AI: of its tool, or its promise."""
        session = view.session
        rules = view.business.handoff if view.business is not None else HandoffRules()
        asked = view.question
        if rules.enabled and is_about(asked, rules.never) and not asks_for_human(asked):
            return Handoff(outcome=HandoffOutcome.NOT_HANDED_OVER)
        availability = await self.attendance(session.customer.business_id, session.location_id)
        if availability.is_possible:
            return Handoff(outcome=HandoffOutcome.REQUESTED, availability=availability)
        if not availability.is_offered:
            return Handoff(outcome=HandoffOutcome.NOT_OFFERED, availability=availability)
        missed = session.missed
        return Handoff(
            outcome=HandoffOutcome.NOBODY_THERE,
            availability=availability,
            has_left_message=missed is not None and missed.seq > session.settled_seq,
        )

    async def _ask(
        self, turn: _Turn, view: View, tools: TurnTools, stream: AnswerStream
    ) -> str | None:
        """Return the assistant's text, as far as it came; None when it failed or ran out of time.

        It is blank only where the user has stopped it, or a human was asked for.
        """
        deadline = _Deadline(turn, self.hub, self.clock, self.policy.turn_timeout_s)
        turn.waits = True
        try:
            self._count(turn, await self.assistant.answer(view, tools, stream))
        except asyncio.CancelledError as error:
            if isinstance(error, AnswerCancelled):
                self._count(turn, error.usage)
            if not (turn.stop or deadline.expired) or turn.task.uncancel():
                raise
            if turn.stop is None:
                turn.outcome = "timeout"
                return None
        except Exception as error:  # whatever it was, an acknowledged message is answered
            if isinstance(error, AssistantFailed):
                self._count(turn, error.usage)
            turn.outcome, turn.error = "failed", error
            return None
        finally:
            turn.waits = False
            deadline.disarm()
        text = stream.text.strip()
        if is_blank(text) and not tools.has_words and turn.stop is None:
            turn.outcome, turn.error = "failed", AssistantFailed("the answer was empty")
            return None
        return text

    async def _claims(
        self, turn: _Turn, view: View, text: str, tools: TurnTools
    ) -> tuple[Claims, Verdict | None]:
        """Return what the text claims, and the model's verdict if it was asked and gave one.

        It is asked only about what may be a claim that no tool has made true. Patterns decide where
        it is not asked, or gives no verdict in time.
        """
        possible = NO_CLAIMS if is_blank(text) else possible_claims(text, view.language)
        if not possible:
            return NO_CLAIMS, None
        verdict = None
        is_open = possible.deed or tools.transfer is None
        if is_open and turn.stop is None and not view.over_soft_budget:
            verdict = await self._verdict(turn, view, text)
        return sure_claims(text, view.language) if verdict is None else verdict.claims, verdict

    async def _verdict(self, turn: _Turn, view: View, text: str) -> Verdict | None:
        """Ask the assistant what the text claims; None: it does not say so in time."""
        started_s = turn.seconds(self.clock.monotonic())
        until_s = min(started_s + VERDICT_S, self.policy.turn_timeout_s)
        deadline = _Deadline(turn, self.hub, self.clock, until_s)
        turn.waits = True
        try:
            judged = await self.assistant.judge(
                text, timeout_s=max(0.0, until_s - started_s), business=view.business
            )
        except asyncio.CancelledError as error:
            if isinstance(error, AnswerCancelled):
                self._count(turn, error.usage, "verdict")
            if not (turn.stop or deadline.expired) or turn.task.uncancel():
                raise
            return None
        except Exception as error:  # the answer is there, and is stored
            if isinstance(error, AssistantFailed):
                self._count(turn, error.usage, "verdict")
            else:
                turn.error = error
            return None
        finally:
            turn.waits = False
            deadline.disarm()
        if judged is None:
            return None
        self._count(turn, judged.usage, "verdict")
        return judged.verdict

    def _count(self, turn: _Turn, usage: Usage | None, purpose: str = "answer") -> None:
        if usage is not None:
            turn.usage = together(usage, turn.usage)  # with the name of the answer's model
            self.usage_tracker.add(turn.customer.business_id, purpose, usage)

    # The outcome.

    def _conclude(
        self,
        turn: _Turn,
        view: View,
        text: str,
        tools: TurnTools,
        claims: Claims,
        verdict: Verdict | None,
        handoff: Handoff | None,
    ) -> TurnResult:
        """Make true what the text promises, and take back what it claims and nobody has done."""
        outcome = handoff.outcome if handoff is not None else None
        actions = (*tools.actions, *_sources(view, tools, text))
        if claims.deed and not (tools.has_changed_anything or _was_done(view, turn.writes)):
            proposes = turn.writes is not None and turn.writes.proposal is not None
            offered = view.availability.is_offered and not proposes
            text = f"{text}\n\n{view.text(Text.NOT_DONE if offered else Text.NOT_DONE_ALONE)}"
        if handoff is None or outcome is not HandoffOutcome.REQUESTED:
            turn.outcome = "answered" if turn.stop is None else "stopped"
            return self._conclude_alone(turn, view, text, actions, tools, claims, verdict, handoff)
        turn.outcome = "transferred" if turn.stop is None else "stopped"
        if not claims.human:  # a user who is handed over is told so in the same message
            text = f"{text}\n\n{view.text(Text.REQUESTED)}".lstrip()
        return self._result(
            turn,
            view,
            tools,
            text=text,
            actions=(*actions, WAITING_ACTION),
            transfer=Reason.AI_DECISION,
            handover_note=tools.transfer,
            verdict=verdict,
        )

    def _conclude_alone(
        self,
        turn: _Turn,
        view: View,
        text: str,
        actions: tuple[Action, ...],
        tools: TurnTools,
        claims: Claims,
        verdict: Verdict | None,
        handoff: Handoff | None,
    ) -> TurnResult:
        """Say why no human comes, where the text has not: after a promise, or without any text."""
        unmet, why = None, ""
        if handoff is not None:
            availability = handoff.availability
            is_nobody_there = handoff.outcome is HandoffOutcome.NOBODY_THERE
            leave = is_nobody_there and not handoff.has_left_message
            if leave:
                unmet = Reason.AI_DECISION
                actions = (*actions, leave_message_action(availability))
            if is_nobody_there:
                why = availability.text(view.language, view.words, Text.NOBODY, leave=leave)
            elif handoff.outcome is HandoffOutcome.NOT_OFFERED:
                why = availability.text(view.language, view.words, Text.NOT_ASKED)
            else:
                why = view.text(Text.NOT_ASKED)
        if claims.human or is_blank(text):
            text = f"{text}\n\n{why}".strip()
        return self._result(
            turn, view, tools, text=text, actions=actions, unmet=unmet, verdict=verdict
        )

    async def _apologise(self, turn: _Turn, view: View, tools: TurnTools | None) -> TurnResult:
        if view.session.failures + 1 >= self.policy.ai_failures_before_transfer:
            return await self._refer_to_human(turn, view, tools, Text.APOLOGY_REQUESTED, Text.SORRY)
        text = view.text(Text.APOLOGY)
        if not view.availability.is_offered:
            opening = (Text.SORRY, Text.TRY_LATER)
            text = view.availability.text(view.language, view.words, *opening)
        return self._result(turn, view, tools, text=text, failed=True)

    def _confirm_stop(self, turn: _Turn, view: View, tools: TurnTools | None = None) -> TurnResult:
        """The user has stopped the answer before anything of it was written."""
        turn.outcome = "stopped"
        text = view.text(Text.STOPPED)
        return self._result(turn, view, tools, text=text, is_notice=True)

    async def _refer_to_human(
        self, turn: _Turn, view: View, tools: TurnTools | None, requested: Text, alone: Text
    ) -> TurnResult:
        """The AI does not answer: a human is asked for with one text, or none is with the other."""
        session = view.session
        availability = await self.attendance(session.customer.business_id, session.location_id)
        if availability.is_possible:
            text = view.text(requested)
            return self._result(
                turn, view, tools, text=text, transfer=Reason.AI_FAILURE, failed=True
            )
        # Who has left a message, or was asked to, is not asked at each message that fails.
        leave = availability.is_offered and session.unmet is None and session.missed is None
        opening = (alone, Text.NOBODY if leave else Text.TRY_LATER)
        return self._result(
            turn,
            view,
            tools,
            text=availability.text(view.language, view.words, *opening, leave=leave),
            actions=(leave_message_action(availability),) if leave else (),
            unmet=Reason.AI_FAILURE if leave else None,
            failed=True,
        )

    @staticmethod
    def _result(
        turn: _Turn,
        view: View,
        tools: TurnTools | None,
        *,
        text: str,
        actions: tuple[Action, ...] = (),
        transfer: Reason | None = None,
        unmet: Reason | None = None,
        handover_note: str | None = None,
        failed: bool = False,
        is_notice: bool = False,
        verdict: Verdict | None = None,
    ) -> TurnResult:
        session, writes = view.session, turn.writes
        proposal = writes.proposal if writes is not None and transfer is None else None
        if writes is not None:
            # What the AI has not told, and what is not left to it.
            untold = writes.outcomes if failed or is_notice else writes.unknown
            texts = [text, *(outcome_text(step, view.language, view.words) for step in untold)]
            if proposal is not None:
                texts.append(question_text(proposal, view.language, view.words))
            text = "\n\n".join(filter(None, texts))
            asked = [step for step in writes.outcomes if step.confirm is not None]
            actions = (*actions, *map(confirmation_action, [*_refused(view), *asked]))
        return TurnResult(
            session_id=session.session_id,
            epoch=session.epoch,
            settled_seq=session.settled_seq,
            settles_seq=view.pending[-1].seq,
            in_reply_to=tuple([each.message_id for each in view.pending if each.is_said]),
            response_id=turn.response_id,
            text=text,
            actions=actions,
            transfer=transfer,
            unmet=unmet,
            handover_note=handover_note,
            failed=failed,
            is_notice=is_notice,
            tools=tuple(tools.uses) if tools is not None else (),
            usage=turn.usage,
            summary=turn.summary if turn.summary is not session.summary else None,
            verdict=verdict,
            proposal=proposal,
            begun=writes.begun if writes is not None else frozenset(),
            version=turn.version,
        )

    async def _store(
        self, turn: _Turn, result: TurnResult, cached: CachedSession, view: View
    ) -> None:
        """Store the result; again while the store is away, and there is time.

        Each attempt decides anew whether it still may be stored.
        Raises: StorageUnavailable, TooLarge.
        """
        stored = False

        def decide(session: Session | None) -> Draft | None:
            nonlocal stored
            context = self.session_log.decision_context(view.language, view.words)
            draft = answer(session, result, context)
            stored = draft is not None
            return draft

        for attempt in count():
            try:
                session = await self.session_log.commit(turn.customer, decide, origin=turn)
                if not stored and not await self._published_late(turn):
                    turn.outcome = "dropped"
                break
            except StorageUnavailable:
                left_s = self.policy.turn_timeout_s - turn.seconds(self.clock.monotonic())
                if left_s <= 0:
                    raise
            pause_s = backoff(attempt, FIRST_STORE_PAUSE_S, LONGEST_STORE_PAUSE_S, jitter=1.0)
            await self.clock.sleep(min(pause_s, left_s))
        # More than one turn can take, or another process has answered some of it but not all.
        if session is not None and session.needs_answer:
            turn.end = TurnEnd.MORE_PENDING
        if stored and found_nothing(result.tools):
            self.observer.question_unanswered()
        # While a business saves, or the AI fails, no summary is made.
        if stored and cached.session is session and not (result.failed or view.over_soft_budget):
            self.summaries.on_answer_stored(cached.session, cached.recent, view)

    async def _published_late(self, turn: _Turn) -> bool:
        """Publish the result if an attempt that seemed to fail has stored it; False: none has.

        Raises: StorageUnavailable.
        """
        cached = await self.session_log.current(turn.customer)
        for index, entry in enumerate(cached.recent if cached is not None else ()):
            if isinstance(entry, Message) and entry.message_id == turn.response_id:
                assert cached is not None
                entries = tuple(cached.recent[index:])
                event = Appended(cached.session.session_id, entries, turn, frozenset(Lane))
                self.hub.publish(turn.customer, event)
                return True
        return False


def _sources(view: View, tools: TurnTools, answer: str) -> tuple[Action, ...]:
    """Return the action with the sources of the AI's answer, if it has any."""
    if is_blank(answer):
        return ()
    used = sources(tools.searches, view.passages, view.question, answer)
    return (sources_action(used),) if used else ()


def _refused(view: View) -> list[WriteStep]:
    """Return the questions to which somebody has said no, of which this answer tells."""
    steps = [message.write for message in view.pending if message.write is not None]
    return [step for step in steps if step.state is WriteState.REJECTED]


def _was_done(view: View, writes: TurnWrites | None) -> bool:
    """Return whether a tool has changed something, in this turn or as far back as the AI sees."""
    steps = [entry.write for entry in view.entries if isinstance(entry, Message)]
    steps += writes.outcomes if writes is not None else ()
    return any(step is not None and step.state is WriteState.DONE for step in steps)


class _Deadline:
    """Cancels the running turn when the AI's time is up; until then it repeats the typing sign.

    The deadline is the AI's alone: an answer that is being stored is not cancelled by it.
    """

    __slots__ = ("_clock", "_hub", "_timeout_s", "_timer", "_turn", "expired")

    def __init__(self, turn: _Turn, hub: Hub, clock: Clock, timeout_s: float) -> None:
        self._turn = turn
        self._hub = hub
        self._clock = clock
        self._timeout_s = timeout_s
        self.expired = False
        self._timer: Timer = clock.call_later(min(TYPING_AFTER_S, timeout_s), self._tick)

    def disarm(self) -> None:
        """Stop the timer."""
        self._timer.cancel()

    def _tick(self) -> None:
        left_s = self._timeout_s - self._turn.seconds(self._clock.monotonic())
        if left_s <= 0:
            self.expired = self._turn.break_off()
            return
        self._hub.publish(self._turn.customer, Typing("ai", TYPING_EXPIRES_MS))
        self._timer = self._clock.call_later(min(TYPING_EVERY_S, left_s), self._tick)
