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

from application.conversations import Conversation, Conversations
from application.ports import (
    Appended,
    Assistant,
    Businesses,
    Delta,
    Event,
    Observer,
    Policy,
    Timer,
    Typing,
)
from domain.business import Business, Reservation
from domain.decisions import WAITING_ACTION, Answer, answer
from domain.errors import AssistantFailed, Failure
from domain.identity import BusinessId, Customer, MessageId
from domain.message import Action, Entry, Message, StatusChange
from domain.promise import promises_transfer
from domain.session import Draft, Session
from domain.status import Reason
from domain.value import maker
from domain.view import MAX_OWED, View, fitting, unanswered, window
from domain.words import words

TYPING_AFTER_S = 0.2
TYPING_EVERY_S = 4.0
TYPING_EXPIRES_MS = 6_000


class _TurnTools:
    """The tools of one turn, bound to its customer; what they did becomes the answer's actions."""

    def __init__(self, businesses: Businesses, customer: Customer, policy: Policy) -> None:
        self._businesses = businesses
        self._customer = customer
        self._left = policy.turn_max_tool_calls
        self.actions: list[Action] = []
        self.transfer: str | None = None

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise AssistantFailed("the turn has used up its tool calls")

    async def get_business(self) -> Business | None:
        self._count()
        business = await self._businesses.business(self._customer.business_id)
        if business is not None:
            info = {"type": "business_info", "name": business.name, "facts": dict(business.facts)}
            self.actions.append(info)
        return business

    async def get_reservations(self) -> tuple[Reservation, ...]:
        self._count()
        found = await self._businesses.reservations(self._customer)
        items = [_reservation_item(reservation) for reservation in found]
        self.actions.append({"type": "reservations", "items": items})
        return found

    async def transfer_to_live_chat(self, reason: str, summary: str) -> None:
        self._count()
        self.transfer = summary or reason


def _reservation_item(reservation: Reservation) -> dict[str, object]:
    return {
        "reservationId": reservation.reservation_id,
        "date": reservation.date,
        "time": reservation.time,
        "guests": reservation.guests,
        "name": reservation.name,
    }


_view, _made_answer = maker(View), maker(Answer)


def _ids(messages: Sequence[Message]) -> tuple[MessageId, ...]:
    return tuple([message.message_id for message in messages])


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """All turns of this process, at most one per customer."""

    conversations: Conversations
    assistant: Assistant
    businesses: Businesses
    observer: Observer
    policy: Policy
    _waiting: dict[Customer, "_Quiet"] = field(default_factory=dict)
    _running: dict[Customer, "_Turn"] = field(default_factory=dict)

    def wake(self, customer: Customer) -> None:
        """The customer has an unanswered message: start a turn once they are quiet.

        A turn that is running looks again when it ends.
        """
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
        """Stop the customer's turn, if there is one: nothing is owed any more."""
        quiet = self._waiting.pop(customer, None)
        if quiet is not None:
            quiet.timer.cancel()
        running = self._running.get(customer)
        if running is not None and running.task is not None:
            running.again = False
            running.task.cancel()
            if not running.begun:  # a task that is cancelled before its first step never ends
                self.ended(running)

    async def stop(self) -> None:
        """Cancel all turns: what they owe stays unanswered in the store and is taken up again."""
        for quiet in self._waiting.values():
            quiet.timer.cancel()
        self._waiting.clear()
        tasks = [turn.task for turn in self._running.values() if turn.task is not None]
        for customer in list(self._running):
            self.cancel(customer)
        await asyncio.gather(*tasks, return_exceptions=True)


class _Quiet:
    """A customer who may go on writing: the turn waits."""

    __slots__ = ("since", "timer")

    timer: Timer

    def __init__(self, since: datetime) -> None:
        self.since = since


class _Turn:
    """One run of the AI."""

    __slots__ = ("_error", "_expired", "_first_token_s", "_outcome", "_pieces", "_response_id",
                 "_started_at", "_timer", "_turns", "again", "begun", "customer",
                 "task")  # fmt: skip

    def __init__(self, turns: Turns, customer: Customer) -> None:
        self._turns = turns
        self.customer = customer
        self.task: asyncio.Task[None] | None = None
        self.begun = False
        self.again = False
        """Whether messages have come that this turn may not have seen."""
        self._response_id = MessageId(turns.conversations.new_id())
        self._started_at = turns.conversations.clock.now()
        self._first_token_s: float | None = None
        self._pieces: list[str] = []
        self._timer: Timer | None = None
        self._expired = False
        self._outcome: str | None = None
        self._error: BaseException | None = None

    async def run(self) -> None:
        """From the unanswered messages to the stored answer, whatever happens on the way."""
        self.begun = True
        conversations = self._turns.conversations
        conversations.fanout.subscribe(self.customer, self._on_event)
        try:
            known = await conversations.current(self.customer)
            if known is not None and known.session.unanswered:
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

    async def _take(self, known: Conversation) -> None:
        # One moment's session and entries: what comes while the business is asked for is not in
        # the view, and the next turn's to answer.
        session, recent = known.session, tuple(known.recent)
        owed = await self._owed(session, recent)
        if not owed:
            return  # erased meanwhile
        view = _view(
            session=session,
            business=await self._business(session.customer.business_id),
            entries=window(recent),
            unanswered=owed,
        )
        tools = _TurnTools(self._turns.businesses, self.customer, self._turns.policy)
        text = await self._ask(view, tools)
        if text is None and tools.transfer is None:
            turn = self._apology(view)
        else:  # what the transfer tool was told is done, also where the AI failed after it
            turn = self._answer(view, text or "", tools)
        await self._store(turn, view.language)

    async def _owed(self, session: Session, recent: tuple[Entry, ...]) -> tuple[Message, ...]:
        """What the turn is to answer: all that is unanswered, or the first of it that fits."""
        first = session.answered + 1
        if recent[0].seq <= first:
            return fitting(unanswered(session, recent))
        # A burst longer than what is remembered; the next turn takes what this one leaves.
        earlier = await self._turns.conversations.store.page(
            session.session_id, after=session.answered, limit=MAX_OWED
        )
        last = earlier[-1].seq if earlier else 0
        if recent[0].seq <= last + 1:
            earlier += tuple(entry for entry in recent if entry.seq > last)
        return fitting(unanswered(session, earlier))

    async def _business(self, business_id: BusinessId) -> Business | None:
        try:
            return await self._turns.businesses.business(business_id)
        except Failure:
            return None  # the AI then says that it does not know

    async def _ask(self, view: View, tools: _TurnTools) -> str | None:
        """The assistant's text; None when it failed or ran out of time."""
        self._arm()
        try:
            await self._turns.assistant.answer(view, tools, self._say)
        except asyncio.CancelledError:
            if not self._expired or self.task is None:
                raise
            self.task.uncancel()
            self._outcome = "timeout"
            return None
        except Exception as error:  # whatever it was, an acknowledged message is answered
            self._outcome, self._error = "failed", error
            return None
        finally:
            self._disarm()
        text = "".join(self._pieces).strip()
        if not text and tools.transfer is None:
            self._outcome, self._error = "failed", AssistantFailed("the answer was empty")
            return None
        return text

    def _say(self, piece: str) -> None:
        if self.task is None or self.task.cancelling():
            return  # what is said while dying, after a takeover, is shown to no one
        conversations = self._turns.conversations
        if not self._pieces:
            self._first_token_s = self._seconds()
        delta = Delta(self._response_id, len(self._pieces), piece)
        conversations.fanout.publish(self.customer, delta)
        self._pieces.append(piece)

    def _answer(self, view: View, text: str, tools: _TurnTools) -> Answer:
        asked_for_human = tools.transfer is not None or promises_transfer(text)
        self._outcome = "transferred" if asked_for_human else "answered"
        actions = tools.actions
        if asked_for_human:
            actions = [*actions, WAITING_ACTION]
        return _made_answer(
            session_id=view.session.session_id,
            epoch=view.session.epoch,
            settled=view.session.answered,
            answers=view.unanswered[-1].seq,
            in_reply_to=_ids(view.unanswered),
            response_id=self._response_id,
            text=text or words(view.language, "requested"),
            actions=tuple(actions),
            transfer=Reason.AI_DECISION if asked_for_human else None,
            summary=tools.transfer,
        )

    def _apology(self, view: View) -> Answer:
        enough = view.session.failures + 1 >= self._turns.policy.ai_failures_before_transfer
        return Answer(
            session_id=view.session.session_id,
            epoch=view.session.epoch,
            settled=view.session.answered,
            answers=view.unanswered[-1].seq,
            in_reply_to=_ids(view.unanswered),
            response_id=self._response_id,
            text=words(view.language, "apology_requested" if enough else "apology"),
            transfer=Reason.AI_FAILURE if enough else None,
            failed=True,
        )

    async def _store(self, turn: Answer, language: str) -> None:
        conversations = self._turns.conversations
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
        self.again = self.again or (session is not None and session.unanswered)

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
        left_s = self._turns.policy.turn_timeout_s - self._seconds()
        if left_s <= 0:
            self._expired = True
            if self.task is not None:
                self.task.cancel()
            return
        conversations.fanout.publish(self.customer, Typing("ai", TYPING_EXPIRES_MS))
        self._timer = conversations.clock.call_later(min(TYPING_EVERY_S, left_s), self._tick)

    def _seconds(self) -> float:
        return (self._turns.conversations.clock.now() - self._started_at).total_seconds()

    def _report(self, outcome: str) -> None:
        self._turns.observer.turn_ended(outcome, self._seconds(), self._first_token_s, self._error)
