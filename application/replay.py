"""Recorded turns put to another model, prompt, knowledge or tool set.

A trial is a turn as in operation, over a log that ends where the recorded turn found it: what it
would store is kept in memory and dropped. It has neither the store, nor a bridge, nor a tool.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any

import msgspec
from msgspec import Struct

from application.answer_pending import AnswerPending
from application.answer_versions import AnswerVersions
from application.attendance import Attendance
from application.day_counts import DayCounts
from application.hub import Hub
from application.policy import Policy
from application.ports import (
    RECENT,
    Assistant,
    Broker,
    Businesses,
    BusinessTools,
    Clock,
    CountStore,
    EndedTurn,
    Knowledge,
    Loaded,
    NewId,
    Observer,
    Presence,
    SessionStore,
    Timer,
    ToolAnswer,
    ToolRequest,
)
from application.recorded_turns import RecordedTurn, is_handover
from application.session_log import SessionLog
from application.summaries import Summaries
from application.usage_tracker import UsageTracker
from application.views import Views
from application.write_calls import WriteCalls, json_text
from domain.answer_comparison import ComparedAnswer, call_arguments, compared_answer
from domain.business import Business, Reservation
from domain.errors import (
    ConversationError,
    DuplicateMessage,
    Failure,
    ToolNotCalled,
    ToolUnanswered,
)
from domain.identity import BusinessId, Customer, SessionId
from domain.language import DetectLanguage
from domain.message import Entry, Message, ToolOutcome
from domain.notice import Notice
from domain.plain_text import plain_text
from domain.session import Draft, Session
from domain.tool import Tool
from domain.usage import Counts, Usage
from domain.view import View
from domain.write_call import OUTCOMES, WriteState

MAX_FAILURE = 300
"""Characters of why a turn failed."""
MAX_DIVERGED = 200
"""Characters of a call that the record has no answer to."""
NOT_RECORDED = "it was not called in the recorded turn, and is not available in this trial"


class TurnStore(SessionStore, CountStore):
    """The log as a turn found it. What a trial stores is kept here, and goes nowhere."""

    def __init__(self, turn: RecordedTurn) -> None:
        self._session = turn.session
        self._entries = turn.entries
        self.kept: list[Entry] = []

    async def latest(self, customer: Customer) -> Loaded | None:
        return Loaded(self._session, self._entries[-RECENT:])

    async def load(self, session_id: SessionId) -> Loaded | None:
        return Loaded(self._session, self._entries[-RECENT:])

    async def append(self, draft: Draft, due_at: datetime | None) -> None:
        self.kept += draft.entries
        self._entries = (*self._entries, *draft.entries)
        self._session = draft.session

    async def stored(self, customer: Customer, key: str, now: datetime) -> DuplicateMessage | None:
        return None

    async def page(
        self, session_id: SessionId, *, after: int = 0, before: int | None = None, limit: int
    ) -> tuple[Entry, ...]:
        found = [
            entry
            for entry in self._entries
            if entry.seq > after and (before is None or entry.seq < before)
        ]
        return tuple(found[:limit] if before is None else found[-limit:])

    async def due(self, now: datetime, limit: int) -> tuple[Session, ...]:
        return ()

    async def add(self, business_id: BusinessId, day: date, counts: Counts) -> None:
        return None

    async def counts(self, business_id: BusinessId, first: date, last: date) -> dict[date, Counts]:
        return {}


class TurnRecord(Businesses, Presence):
    """What a trial is told in place of the systems outside: the candidate, and the record.

    Reservations, and whether somebody was there, are as the recorded turn found them.
    """

    def __init__(self, turn: RecordedTurn, candidate: Business | None) -> None:
        self._answer = turn.answer
        self._candidate = candidate
        self.diverged: list[str] = []
        """The tools that were called, and not by the recorded turn."""

    async def business(self, business_id: BusinessId) -> Business | None:
        return self._candidate

    def last_read(self, business_id: BusinessId) -> Business | None:
        return self._candidate

    async def reservations(self, customer: Customer) -> tuple[Reservation, ...]:
        match self._outcome_of("get_reservations"):
            case ToolOutcome.FOUND:
                return tuple(_reservations(self._answer))
            case ToolOutcome.NOTHING:
                return ()
            case ToolOutcome.FAILED:
                raise ToolNotCalled("it failed in the recorded turn")
        self.diverged.append("get_reservations")
        raise ToolNotCalled(NOT_RECORDED)

    async def online(self, business_id: BusinessId) -> int | None:
        asked = self._outcome_of("transfer_to_live_chat")
        return None if asked is None else int(asked is ToolOutcome.DONE)

    def _outcome_of(self, tool: str) -> ToolOutcome | None:
        """Return the outcome of the recorded turn's last call of a tool; None: there was none."""
        outcomes = [use.outcome for use in self._answer.tools if use.name == tool]
        return outcomes[-1] if outcomes else None


def _reservations(answer: Message) -> list[Reservation]:
    items: Any = [
        item
        for action in answer.actions
        if action.get("type") == "reservations"
        for item in _list(action.get("items"))
    ]
    try:
        return [
            Reservation(
                reservation_id=item["reservationId"],
                date=item["date"],
                time=item["time"],
                guests=item["guests"],
                name=item["name"],
            )
            for item in items
        ]
    except (TypeError, KeyError):
        raise ToolNotCalled("what it found was not recorded") from None


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []


class RecordedTools(BusinessTools):
    """The tools of a business's own servers, whose calls are answered from the record alone."""

    def __init__(
        self, turn: RecordedTurn, offered: BusinessTools | None, diverged: list[str]
    ) -> None:
        """`offered`: tells what tools there are. `diverged` gets each call that has no answer."""
        self._offered = offered
        self._diverged = diverged
        self._answers = dict(_read_answers(turn)) | dict(_write_answers(turn))

    async def tools(self, business: Business) -> tuple[Tool, ...]:
        offered = await self._offered.tools(business) if self._offered is not None else ()
        return tuple([msgspec.structs.replace(tool, has_look_up=False) for tool in offered])

    async def problem_with(self, business: Business, request: ToolRequest) -> str | None:
        if self._offered is None:
            return None
        return await self._offered.problem_with(business, request)

    async def call(self, business: Business, request: ToolRequest) -> ToolAnswer:
        arguments = json_text(request.arguments)
        answer = self._answers.get(_call_key(request.tool, arguments))
        if answer is None:
            self._diverged.append(f"{request.tool} {arguments}"[:MAX_DIVERGED])
            raise ToolNotCalled(NOT_RECORDED)
        if isinstance(answer, Failure):
            raise answer
        return answer

    async def was_made(self, business: Business, request: ToolRequest) -> ToolAnswer | None:
        raise ToolUnanswered(NOT_RECORDED)


_Call = tuple[str, bytes]
"""The name of a tool, and the arguments, the same for the same ones in whatever order."""


def _call_key(tool: str, arguments: str) -> _Call:
    return tool, msgspec.json.encode(call_arguments(arguments), order="deterministic")


def _read_answers(turn: RecordedTurn) -> Iterator[tuple[_Call, ToolAnswer | Failure]]:
    """Yield the calls of tools that change nothing, and what they have answered."""
    for use in turn.answer.tools:
        if use.arguments is None or use.outcome is ToolOutcome.ASKED:
            continue
        answer: ToolAnswer | Failure = ToolAnswer(text=use.result or "")
        if use.outcome is ToolOutcome.UNKNOWN:
            answer = ToolUnanswered("it is not known in the record")
        elif use.outcome is ToolOutcome.FAILED:
            answer = ToolNotCalled("it failed in the recorded turn")
            if use.result is not None:
                answer = ToolAnswer(text=use.result, is_error=True)
        yield _call_key(use.name, use.arguments), answer


def _write_answers(turn: RecordedTurn) -> Iterator[tuple[_Call, ToolAnswer | Failure]]:
    """Yield the calls of tools that change something, and what came of them."""
    arguments = {call.call_id: call.arguments for call in turn.session.writes}
    for step in turn.steps:
        if step.state is WriteState.STARTED:
            arguments.setdefault(step.call_id, step.arguments)
        elif step.state in OUTCOMES:
            answer: ToolAnswer | Failure = ToolUnanswered("it is not known in the record")
            if step.state is not WriteState.UNKNOWN:
                is_error = step.state is WriteState.FAILED
                answer = ToolAnswer(text=step.result, is_error=is_error)
            yield _call_key(step.tool, arguments.get(step.call_id, "")), answer


class _TurnClock(Clock):
    """The time of the recorded turn, which stands still, and the timers of the present."""

    def __init__(self, at: datetime, clock: Clock) -> None:
        self._at = at
        self._clock = clock

    def now(self) -> datetime:
        return self._at

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Timer:
        return self._clock.call_later(delay_s, callback)

    async def sleep(self, delay_s: float) -> None:
        await self._clock.sleep(delay_s)


class _Noted(Observer):
    """What is to be known of one turn."""

    seconds: float | None = None
    error: BaseException | None = None
    outcome: str = ""

    def turn_ended(self, turn: EndedTurn) -> None:
        self.outcome, self.seconds, self.error = turn.outcome, turn.seconds, turn.error

    def stored(self, session: Session, entries: Sequence[Entry]) -> None: ...

    def turn_waits(self) -> None: ...

    def search_failed(self, error: BaseException) -> None: ...

    def tool_failed(self, tool: str, error: BaseException) -> None: ...

    def tool_crashed(self, tool: str, error: BaseException) -> None: ...

    def conversation_rated(self, rating: int) -> None: ...

    def write_settled(self, tool: str, call_id: str, state: WriteState) -> None: ...

    def question_unanswered(self) -> None: ...

    def summary_ended(self, outcome: str, error: BaseException | None) -> None: ...

    def suggestion_ended(self, outcome: str, error: BaseException | None) -> None: ...

    def tokens_spent(self, purpose: str, usage: Usage) -> None: ...

    def notice_settled(
        self, notice: Notice, outcome: str, error: BaseException | None = None
    ) -> None: ...


class _RecordedSummaries(Summaries):
    """The summaries are those of the record: none is made."""

    def on_answer_stored(self, session: Session, recent: object, view: View) -> None:
        return None


class TriedTurn(Struct, frozen=True, kw_only=True):
    """The answer of a trial, and the tools whose calls the record has no answer to."""

    answer: ComparedAnswer
    diverged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Puts recorded turns to a candidate: a business as it might be, and what answers for it."""

    business: Business | None
    assistant: Assistant
    knowledge: Knowledge | None
    """The candidate's documents."""
    tools: BusinessTools | None
    """Tells what tools the candidate's own servers have; none of them is called."""
    versions: AnswerVersions
    policy: Policy
    clock: Clock
    new_id: NewId
    broker: Broker
    """One that carries nothing."""
    time_zone: tzinfo
    """That of businesses without their own."""
    detect: DetectLanguage

    async def __call__(self, turn: RecordedTurn) -> TriedTurn:
        """Put a turn to the candidate. Whatever fails is a part of the result."""
        store, record, noted = TurnStore(turn), TurnRecord(turn, self.business), _Noted()
        await self._turn(turn, store, record, noted)(turn.session.customer)
        task = asyncio.current_task()
        if task is not None and task.cancelling():  # which a turn ends quietly by
            raise asyncio.CancelledError
        answer = next((e for e in store.kept if isinstance(e, Message) and e.settles_seq), None)
        failure = _failure(answer, noted)
        return TriedTurn(
            answer=compared_answer(
                answer,
                is_handed_over=any(map(is_handover, store.kept)),
                language=turn.session.language or self._language,
                detect=self.detect,
                seconds=noted.seconds,
                failure=failure,
            ),
            diverged=tuple(dict.fromkeys(record.diverged)),
        )

    def recorded(self, turn: RecordedTurn) -> ComparedAnswer:
        """Return the record's answer as it is compared."""
        asked = turn.questions
        seconds = (turn.answer.at - asked[-1].at).total_seconds() if asked else None
        return compared_answer(
            turn.answer,
            is_handed_over=turn.is_handed_over,
            language=turn.session.language or self._language,
            detect=self.detect,
            seconds=seconds,
        )

    @property
    def _language(self) -> str:
        return self.business.language if self.business is not None else ""

    def _turn(
        self, turn: RecordedTurn, store: TurnStore, record: TurnRecord, noted: _Noted
    ) -> AnswerPending:
        """Return a turn as in operation that reaches nothing but these."""
        policy, hub = self.policy, Hub(self.broker)
        asked = turn.questions
        clock = _TurnClock((asked or turn.entries)[-1].at, self.clock)
        log = SessionLog(store=store, hub=hub, clock=clock, new_id=self.new_id, policy=policy)
        counts = DayCounts(count_store=store, clock=clock)
        tracker = UsageTracker(day_counts=counts, observer=noted, clock=clock, policy=policy)
        attendance = Attendance(
            businesses=record, presence=record, clock=clock, time_zone=self.time_zone
        )
        return AnswerPending(
            session_log=log,
            store=store,
            assistant=self.assistant,
            businesses=record,
            attendance=attendance,
            usage_tracker=tracker,
            summaries=_RecordedSummaries(
                store=store,
                assistant=self.assistant,
                usage_tracker=tracker,
                observer=noted,
                clock=clock,
                policy=policy,
            ),
            versions=self.versions,
            views=Views(
                attendance=attendance,
                clock=clock,
                observer=noted,
                policy=policy,
                knowledge=self.knowledge,
            ),
            observer=noted,
            hub=hub,
            clock=clock,
            new_id=self.new_id,
            policy=policy,
            knowledge=self.knowledge,
            write_calls=WriteCalls(
                session_log=log,
                store=store,
                tools=RecordedTools(turn, self.tools, record.diverged),
                businesses=record,
                observer=noted,
                clock=clock,
                new_id=self.new_id,
            ),
        )


def _failure(answer: Message | None, noted: _Noted) -> str:
    """Return why a turn has no answer of the AI; empty: it has one."""
    if answer is not None and not answer.failed:
        return ""
    error = noted.error
    if error is None:
        return noted.outcome or "no answer"
    # The text of any other error may hold anything.
    said = str(error) if isinstance(error, ConversationError) else ""
    return plain_text(said)[:MAX_FAILURE] or type(error).__name__


async def run_all(
    turns: AsyncIterator[RecordedTurn],
    run: Callable[[RecordedTurn], Any],
    on_result: Callable[[RecordedTurn, Any], None],
    *,
    concurrency: int,
) -> None:
    """Run a coroutine for each turn, at most `concurrency` at once; read no further ahead.

    `on_result` is called with each result as it comes. Cancelling it cancels what runs.
    """
    running: dict[asyncio.Task[Any], RecordedTurn] = {}

    async def wait(most: int) -> None:
        while len(running) > most:
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                on_result(running.pop(task), task.result())

    try:
        async for turn in turns:
            running[asyncio.ensure_future(run(turn))] = turn
            await wait(concurrency - 1)
        await wait(0)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
