"""The stories in the generations of snapshots, played by the product's own decisions.

In the third story three more customers come first; then it goes on as the second. In the fourth
two more come before these. Times and ids
are fixed. So are the server's own texts, each of which is its key in brackets: with another wording
it is the same story.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from adapters.memory.broker import NoBroker
from application.hub import Hub
from application.policy import Policy
from application.ports import Store
from application.session_log import SessionLog
from domain.decision_context import DecisionContext
from domain.decisions import (
    TurnResult,
    answer,
    change_status,
    expire,
    leave_message_action,
    notify_reached,
    notify_unreachable,
    rate,
    record_coordinator_message,
    record_delivery,
    record_failure,
    record_user_message,
    request_transfer,
)
from domain.handoff import UNKNOWN, Availability
from domain.identity import (
    CoordinatorId,
    Customer,
    LocationId,
    MessageId,
    TransferId,
    stored_customer,
)
from domain.knowledge import SEARCH, Passage, sources_action
from domain.message import AnswerVersion, ToolOutcome, ToolUse
from domain.notice import Deferred, Delivered, Lane, Outcome, Undeliverable
from domain.outbox import outbox_messages
from domain.promise import Verdict
from domain.rating import Stars
from domain.session import Draft, Session
from domain.status import Reason, Status
from domain.texts import NO_WORDS, Text, Words
from domain.tool import Confirmer, Proposal
from domain.usage import Usage
from domain.write_call import WriteState, WriteStep, begun_states
from domain.write_decisions import Claim, begin_call, record_outcome
from tests.support.clock import CountedIds
from tests.support.dynamodb import StoppedClock

VLAD = stored_customer("casa-1", "vlad")
IRINA = stored_customer("casa-1", "irina")
SARA = stored_customer("hotel:2", "sara@example.com")
TUDOR = stored_customer("hotel:2", "tudor")
DORA = stored_customer("hotel:2", "dora")
"""She is erased before the story ends."""
CUSTOMERS = (VLAD, IRINA, SARA, TUDOR)
NINA = stored_customer("casa-1", "nina")
PAUL = stored_customer("hotel:2", "paul")
LIA = stored_customer("casa-1", "lia")
ANDREI = stored_customer("casa-1", "andrei")
OLGA = stored_customer("hotel:2", "olga")
MARA = stored_customer("casa-1", "mara")
VERA = stored_customer("hotel:2", "vera")
LOCATIONS = {VLAD: LocationId("loc-1"), IRINA: LocationId("loc-1")}
MARIA = CoordinatorId("maria")

POLICY = Policy(turn_timeout_s=60.0, transfer_timeout_s=300.0, session_idle_s=86_400.0)
CANCELLATION = Passage(
    title="Rezervări › Anulare", location="rezervari.md#anulare", text="Cu 24 de ore înainte."
)
REPORTS, PEOPLE = Lane.REPORTS, Lane.PEOPLE
NOBODY_THERE = Availability(
    is_there=False, is_known=True, returns_at=datetime(2026, 11, 20, 10, tzinfo=UTC)
)


def today(time: str) -> datetime:
    """Return a time of the story's day, as in 09:30:00."""
    return datetime.fromisoformat(f"2026-11-20T{time}").replace(tzinfo=UTC)


NOW = today("10:00:00")
"""The end of the story."""


class StoryClock(StoppedClock):
    """A clock that the story sets."""

    def __init__(self) -> None:
        super().__init__(NOW)

    def set(self, time: str) -> datetime:
        """Set it to a time of the story's day, and return that."""
        self._at = today(time)
        return self._at


class StoredKey(NamedTuple):
    """An idempotency key, and when it was stored."""

    customer: Customer
    key: str
    at: datetime


class Story:
    """The steps of the story, each stored in `store`.

    `clock`: the store's, where it has one. `retaining`: the same store, where it can write Sara's
    conversation as with `RETENTION_DAYS`.
    """

    def __init__(self, store: Store, clock: StoryClock, retaining: Store | None = None) -> None:
        self.store = store
        self.keys: list[StoredKey] = []
        self.erased = ""
        """The session that was erased."""
        self._clock = clock
        self._ids = CountedIds(0x5707)
        self._log, self._retaining = map(self._log_of, (store, retaining or store))

    def _log_of(self, store: Store) -> SessionLog:
        return SessionLog(
            store=store,
            hub=Hub(NoBroker()),
            clock=self._clock,
            new_id=self._ids,
            policy=POLICY,
            build_notices=partial(outbox_messages, new_id=self._ids),
        )

    async def commit(
        self, time: str, who: Customer, decide: Callable[[Session, DecisionContext], Draft | None]
    ) -> None:
        """Carry out a decision, on a new session if the customer has none."""
        at = self._clock.set(time)
        log = self._retaining if who is SARA else self._log
        opened = log.session_factory(who, LOCATIONS.get(who))

        def decided(session: Session | None) -> Draft:
            draft = decide(session or opened(), log.decision_context("ro"))
            assert draft is not None
            if draft.key is not None and StoredKey(who, draft.key, at) not in self.keys:
                self.keys.append(StoredKey(who, draft.key, at))
            return draft

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("domain.decision_context.localized", _key_of)
            patch.setattr("domain.handoff.localized", _key_of)
            await log.commit(who, decided)

    async def user(
        self, time: str, who: Customer, message_id: str, text: str, language: str | None = None
    ) -> None:
        """Append a message of the user, whoever owns the conversation."""
        await self.commit(
            time,
            who,
            lambda session, context: record_user_message(
                session,
                _no_session,
                MessageId(message_id),
                text,
                context.at,
                key=f"u:{message_id}",
                detect=lambda *_: language,
                context=context,
            ),
        )

    async def request(
        self,
        time: str,
        who: Customer,
        message_id: str,
        text: str,
        availability: Availability = UNKNOWN,
    ) -> None:
        """Request a human for the user, whose message may be from the bridge: `bridge:…`."""
        await self.commit(
            time,
            who,
            lambda session, context: request_transfer(
                session,
                _no_session,
                replace(context, availability=availability),
                text,
                MessageId(message_id),
                key=f"u:{message_id}",
                from_bridge=message_id.startswith("bridge:"),
            ),
        )

    async def ai(self, time: str, who: Customer, to: str, text: str, **details: Any) -> None:
        """Append an answer of the AI; `details`: other fields of the turn's result."""
        response_id = MessageId(self._ids())
        await self.commit(
            time,
            who,
            lambda session, context: answer(
                session,
                TurnResult(
                    session_id=session.session_id,
                    epoch=session.epoch,
                    settled_seq=session.settled_seq,
                    settles_seq=session.last_user_seq,
                    in_reply_to=(MessageId(to),),
                    response_id=response_id,
                    text=text,
                    begun=begun_states(session.writes),
                    **details,
                ),
                context,
            ),
        )

    async def call(
        self,
        begins: str,
        ends: str,
        who: Customer,
        step: WriteStep | None,
        outcome: WriteState,
        result: str,
    ) -> None:
        """Begin a call, the one that was approved if it is None, and append what comes of it."""
        ids = [MessageId(self._ids()), MessageId(self._ids())]

        def begin(session: Session, context: DecisionContext) -> Draft | None:
            begun = frozenset({call_id for call_id, _ in begun_states(session.writes)})
            claim = Claim(session.session_id, session.epoch, session.settled_seq, begun)
            first = step or session.writes[-1].step(WriteState.STARTED)
            return begin_call(session, claim, first, ids[0], context)

        def end(session: Session, context: DecisionContext) -> Draft | None:
            call = session.writes[-1]
            return record_outcome(session, call.step(outcome, result), ids[1], context)

        await self.commit(begins, who, begin)
        await self.commit(ends, who, end)

    async def rate(self, time: str, who: Customer, stars: Stars) -> None:
        """Append a rating of the user's."""
        message_id = MessageId(self._ids())
        await self.commit(
            time, who, lambda session, context: rate(session, stars, message_id, context.at)
        )

    async def attempt(
        self, time: str, lane: Lane, outcomes: Mapping[Customer, Outcome | None], until: str
    ) -> None:
        """Claim what is due, of exactly these customers, and settle it; None: it stays claimed."""
        claimed = await self.store.claim(lane, self._clock.set(time), today(until), 100)
        assert {notice.customer for notice in claimed} == outcomes.keys()
        for notice in claimed:
            outcome = outcomes[notice.customer]
            if outcome is not None:
                await self.store.settle(notice.notice_id, outcome)

    async def deliver(self, time: str, lane: Lane) -> None:
        """Deliver all that is due, each at the first attempt."""
        at = self._clock.set(time)
        while claimed := await self.store.claim(lane, at, at + timedelta(seconds=45), 100):
            for notice in claimed:
                await self.store.settle(notice.notice_id, Delivered())


def _key_of(
    language: str, text: Text, words: Words = NO_WORDS, *, who: str | None = None, **_: str
) -> str:
    return f"[{text} {who}]" if who is not None else f"[{text}]"


def _no_session() -> Session:
    raise AssertionError("a session is closed")


def _transfer(session: Session) -> TransferId:
    assert session.transfer is not None
    return session.transfer.transfer_id


async def play_second(story: Story) -> None:
    """Play the second story: `tests/data/README.md` has it in short."""
    store, attempt = story.store, story.attempt

    # Everything about Tudor is delivered.
    await story.user("09:10:00", TUDOR, "t-1", "Aveți parcare?")
    await attempt("09:10:01", REPORTS, {TUDOR: Delivered()}, "09:10:45")
    await story.ai("09:10:02", TUDOR, "t-1", "Da, în spatele clădirii.")
    await attempt("09:10:03", REPORTS, {TUDOR: Delivered()}, "09:10:45")

    await story.user("09:20:00", DORA, "d-1", "Ștergeți-mă, vă rog.")
    erased = await store.latest(DORA)
    assert erased is not None
    story.erased = erased.session.session_id
    await store.erase(DORA)

    # A coordinator writes to Irina unasked. Two of the reports are dead; a third was, and is queued
    # again behind a later one, which was deferred meanwhile.
    await story.user("09:30:00", IRINA, "i-1", "Se poate plăti cu cardul?")
    await story.ai("09:30:02", IRINA, "i-1", "Da, se poate.", usage=Usage(input_tokens=70, calls=1))
    await story.user("09:31:00", IRINA, "i-2", "Și în rate?")
    await story.ai(
        "09:31:02", IRINA, "i-2", "Nu, din păcate.", usage=Usage(output_tokens=7, calls=1)
    )
    for time, reason in [("09:32:00", "HTTP 422"), ("09:32:01", "HTTP 400"), ("09:32:02", "?")]:
        await attempt(time, REPORTS, {IRINA: Undeliverable(reason)}, "09:32:45")
    await attempt("09:32:03", REPORTS, {IRINA: Deferred(today("10:02:00"))}, "09:32:45")
    *_, retried = await store.dead(100)
    await store.retry(retried.notice.notice_id)
    await story.commit(
        "09:40:00",
        IRINA,
        lambda session, context: record_coordinator_message(
            session, _no_session, MessageId("c-1"), "Ba da, în trei.", context, MARIA, key="c:c-1"
        ),
    )
    await attempt("09:40:01", PEOPLE, {IRINA: Deferred(today("10:03:00"))}, "09:40:45")
    await story.user("09:40:20", IRINA, "i-3", 'Mulțumesc!\n„Trei” e "bine".')
    await story.commit(
        "09:40:21",
        IRINA,
        lambda session, context: notify_unreachable(session, context, is_joined=False),
    )

    # The AI asks for a human for Vlad, and the bridge acknowledges that at the second attempt.
    await story.user("09:55:00", VLAD, "v-0", "Bună seara!")
    await attempt("09:55:01", REPORTS, {VLAD: Undeliverable("HTTP 422")}, "09:55:46")
    await story.ai("09:55:02", VLAD, "v-0", "Bună seara! Cu ce vă ajut?")
    await attempt("09:55:03", REPORTS, {VLAD: Delivered()}, "09:55:48")
    await story.user("09:56:00", VLAD, "v-1", "Aveți o masă de opt, sâmbătă?")
    await story.ai(
        "09:56:02",
        VLAD,
        "v-1",
        "Întreb un coleg.",
        transfer=Reason.AI_DECISION,
        handover_note="Masă de opt, sâmbătă.",
        tools=(ToolUse(name="get_business", outcome=ToolOutcome.FOUND),),
        usage=Usage(model="gpt-x", input_tokens=210, cached_tokens=64, output_tokens=12, calls=2),
    )
    await attempt("09:56:03", PEOPLE, {VLAD: Deferred(today("09:56:30"))}, "09:56:48")
    await story.commit(
        "09:56:03",
        VLAD,
        lambda session, context: notify_unreachable(session, context, is_joined=False),
    )
    await attempt("09:56:30", PEOPLE, {VLAD: Delivered()}, "09:57:15")
    await story.commit(
        "09:56:31",
        VLAD,
        lambda session, context: record_delivery(session, _transfer(session), context),
    )
    await story.commit(
        "09:56:32", VLAD, lambda session, context: notify_reached(session, context, is_joined=True)
    )
    await attempt("09:56:33", PEOPLE, {VLAD: Deferred(today("09:57:40"))}, "09:57:18")
    await attempt("09:57:40", PEOPLE, {VLAD: Deferred(today("09:59:40"))}, "09:58:25")
    await story.user("09:57:50", VLAD, "v-2", "Mai sunteți?")
    await story.user("09:57:55", VLAD, "v-3", "Alo?")
    await attempt("09:59:00", REPORTS, {VLAD: None}, "10:01:00")

    # Tudor writes at the bridge, unasked; the process that claims his request crashes.
    await story.request("09:59:10", TUDOR, "bridge:7", "Sunt tot aici.")
    await attempt("09:59:11", PEOPLE, {TUDOR: None}, "09:59:50")
    await attempt("09:59:41", PEOPLE, {VLAD: None}, "10:01:15")

    # Sara's request can never be delivered.
    await story.request("09:59:45", SARA, "s-1", "A person, please")
    await attempt("09:59:46", PEOPLE, {SARA: Undeliverable("HTTP 422 bad_transfer")}, "10:00:31")
    await story.commit(
        "09:59:46",
        SARA,
        lambda session, context: record_failure(session, _transfer(session), context),
    )
    await story.user("09:59:48", SARA, "s-2", "Is anybody there?")

    spent = Usage(input_tokens=280, cached_tokens=64, output_tokens=19, calls=4)
    await store.add(VLAD.business_id, NOW.date(), spent.counts)
    await store.add(TUDOR.business_id, NOW.date(), Usage(calls=1).counts)


async def play_third(story: Story) -> None:
    """Play the third story: what is played here, and then the second."""
    attempt, deliver = story.attempt, story.deliver

    # Nina asks for a human while nobody is there, and leaves a message; a coordinator answers it.
    await story.user("08:00:00", NINA, "n-1", "Доброго ранку! Чи є місця на вечір?", "uk")
    await story.ai("08:00:02", NINA, "n-1", "На жаль, не знаю.", verdict=Verdict.NONE)
    await story.request("08:01:00", NINA, "n-2", "Покличте когось.", NOBODY_THERE)
    await story.user("08:02:00", NINA, "n-3", "Нас буде четверо, о восьмій.")
    await deliver("08:02:01", REPORTS)
    await deliver("08:02:01", PEOPLE)
    await story.commit(
        "08:20:00",
        NINA,
        lambda session, context: record_coordinator_message(
            session, _no_session, MessageId("c-2"), "Чекаємо на вас.", context, MARIA, key="c:c-2"
        ),
    )
    await deliver("08:20:01", PEOPLE)

    # Paul's request expires. The notice of the message that he then leaves is deferred.
    await story.user("08:30:00", PAUL, "p-1", "Is the pool heated?", "en")
    await story.request("08:30:10", PAUL, "p-2", "Let me ask somebody.")
    await deliver("08:30:11", PEOPLE)
    await story.commit(
        "08:30:12",
        PAUL,
        lambda session, context: record_delivery(session, _transfer(session), context),
    )
    await story.commit(
        "08:35:10", PAUL, lambda session, context: expire(session, context, POLICY.session_idle_s)
    )
    await deliver("08:35:11", PEOPLE)
    await story.user("08:36:00", PAUL, "p-3", "Please write to me about the pool.")
    await deliver("08:36:01", REPORTS)
    await attempt("08:36:01", PEOPLE, {PAUL: Deferred(today("10:04:00"))}, "08:36:46")

    # A search for Lia finds something, and the next nothing. She has not left a message yet.
    await story.user("08:40:00", LIA, "l-1", "Până când pot anula?", "ro")
    await story.ai(
        "08:40:02",
        LIA,
        "l-1",
        "Până cu 24 de ore înainte.",
        tools=(ToolUse(name=SEARCH, outcome=ToolOutcome.FOUND, query="anulare rezervare"),),
        actions=(sources_action([CANCELLATION]),),
        verdict=Verdict.NONE,
    )
    await story.user("08:41:00", LIA, "l-2", "Aveți scaune pentru copii?")
    await story.ai(
        "08:41:02",
        LIA,
        "l-2",
        "Nu știu. Lăsați un mesaj, iar un coleg vă răspunde.",
        tools=(ToolUse(name=SEARCH, outcome=ToolOutcome.NOTHING, query="scaune copii"),),
        actions=(leave_message_action(NOBODY_THERE),),
        unmet=Reason.AI_DECISION,
        verdict=Verdict.HUMAN,
    )
    await deliver("08:41:03", REPORTS)

    await play_second(story)


async def play_fourth(story: Story) -> None:
    """Play the fourth story: what is played here, and then the third."""
    # Andrei looks for a table, says no to one and yes to another, which is reserved.
    await story.user("07:00:00", ANDREI, "a-1", "O masă pentru patru, diseară?", "ro")
    found = ToolUse(
        name="find_tables", outcome=ToolOutcome.FOUND, arguments='{"guests":4}', result="19:30"
    )
    await story.ai(
        "07:00:03",
        ANDREI,
        "a-1",
        "Avem una.",
        tools=(found, ToolUse(name="reserve_table", outcome=ToolOutcome.ASKED)),
        proposal=_table(4),
        version=AnswerVersion(prompt="0123456789abcdef", knowledge="", tools="fedcba9876543210"),
    )
    await story.user("07:01:00", ANDREI, "a-2", "Nu, mulțumesc.")
    await story.ai("07:01:03", ANDREI, "a-2", "Atunci una de cinci?", proposal=_table(5))
    await story.user("07:02:00", ANDREI, "a-3", "Da")
    await story.call("07:02:01", "07:02:02", ANDREI, None, WriteState.DONE, "R-7")
    await story.ai("07:02:03", ANDREI, "a-3", "Este rezervată.")

    # What came of Olga's call is not known; the next one waits for a coordinator.
    await story.user("07:10:00", OLGA, "o-1", "Please send towels.", "en")
    towels = WriteStep(
        call_id="",
        state=WriteState.STARTED,
        tool="send_towels",
        what="send_towels (room: 7)",
        arguments='{"room":7}',
    )
    await story.call("07:10:02", "07:10:17", OLGA, towels, WriteState.UNKNOWN, "")
    await story.ai("07:10:18", OLGA, "o-1", "I do not know whether they come.")
    await story.user("07:11:00", OLGA, "o-2", "And a late departure?")
    late = Proposal(
        tool="late_departure",
        what="Late departure",
        title="Late departure",
        arguments="{}",
        confirm=Confirmer.COORDINATOR,
        confirm_for=timedelta(hours=12),
    )
    await story.ai("07:11:03", OLGA, "o-2", "I have to ask.", proposal=late)
    await story.deliver("07:11:04", REPORTS)
    await story.deliver("07:11:04", PEOPLE)

    await play_third(story)


async def play_fifth(story: Story) -> None:
    """Play the fifth story, which is a short one of its own."""
    # Vera rates a conversation that is closed. All reports until then are delivered.
    await story.commit(
        "08:10:00",
        VERA,
        lambda session, context: record_user_message(
            session, _no_session, MessageId("w-1"), "Is there a sauna?", context.at
        ),
    )
    await story.ai("08:10:02", VERA, "w-1", "Yes, in the cellar.")
    await story.deliver("08:10:03", REPORTS)
    await story.commit(
        "08:11:00",
        VERA,
        lambda session, context: change_status(session, Status.CLOSED, context, MARIA),
    )
    await story.rate("08:12:00", VERA, Stars(4, "Good"))

    # Mara rates an open conversation twice. The first report of it is dead, Vera's rating deferred.
    await story.user("09:00:00", MARA, "m-1", "Aveți terasă?", "ro")
    await story.ai("09:00:02", MARA, "m-1", "Da, până la ora 23.")
    outcomes: dict[Customer, Outcome] = {
        MARA: Undeliverable("HTTP 422"),
        VERA: Deferred(today("10:03:00")),
    }
    await story.attempt("09:00:03", REPORTS, outcomes, "09:00:48")
    await story.rate("09:01:00", MARA, Stars(2))
    await story.rate("09:01:20", MARA, Stars(5, "Rapid și amabil."))

    for who in (MARA, VERA):
        await story.store.add(who.business_id, NOW.date(), Usage(input_tokens=40, calls=1).counts)


def _table(guests: int) -> Proposal:
    return Proposal(
        tool="reserve_table",
        what=f"Rezervare masă (Persoane: {guests})",
        title="Rezervare masă",
        items=(("Persoane", str(guests)),),
        arguments=f'{{"guests":{guests}}}',
        terms="00112233445566ff",
        confirm=Confirmer.CUSTOMER,
    )


class Plot(NamedTuple):
    """A story that can be played, and the customers who are in it at its end."""

    play: Callable[[Story], Awaitable[None]]
    customers: tuple[Customer, ...]


async def play_release(story: Story) -> None:
    """Play what a release's snapshot holds: the fourth story, and then the fifth."""
    await play_fourth(story)
    await play_fifth(story)


SECOND_PLOT = Plot(play_second, CUSTOMERS)
THIRD_PLOT = Plot(play_third, (*CUSTOMERS, NINA, PAUL, LIA))
FOURTH_PLOT = Plot(play_fourth, (*CUSTOMERS, NINA, PAUL, LIA, ANDREI, OLGA))
FIFTH_PLOT = Plot(play_fifth, (MARA, VERA))
RELEASE_PLOT = Plot(play_release, (*FOURTH_PLOT.customers, MARA, VERA))
