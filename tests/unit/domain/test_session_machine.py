"""Any sequence of decisions leaves a lawful log, of which the head is the fold."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import reduce
from itertools import accumulate
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from domain.decision_context import DecisionContext
from domain.decisions import (
    TurnResult,
    answer,
    change_status,
    end_live_chat,
    expire,
    is_outdated,
    notify_reached,
    notify_unreachable,
    rate,
    record_coordinator_message,
    record_delivery,
    record_failure,
    record_user_message,
    request_transfer,
)
from domain.errors import Refusal, SessionClosed
from domain.identity import CoordinatorId, MessageId
from domain.message import Author, Entry, Message, StatusChange
from domain.rating import Stars
from domain.session import Draft, Session
from domain.status import TRANSITIONS, Reason, Status
from domain.transfer import TransferState
from tests.support.clock import START, CountedIds
from tests.unit.domain.makers import new_session

IDLE_S = 3_600.0
COORDINATORS = st.sampled_from([None, CoordinatorId("ana"), CoordinatorId("dan")])


class Conversation(RuleBasedStateMachine):
    """One customer, whose sessions follow each other."""

    def __init__(self) -> None:
        super().__init__()
        self.now: datetime = START
        self.new_id = CountedIds()
        self.session: Session | None = None
        self.log: list[Entry] = []
        self.late: set[MessageId] = set()
        """Coordinators' messages from before the change of owner that they followed."""
        self.turn: TurnResult | None = None

    def decision_context(self) -> DecisionContext:
        return DecisionContext(
            at=self.now, new_id=self.new_id, language="ro", transfer_timeout_s=300
        )

    def open_session(self) -> Session:
        return new_session(self.new_id())

    def decide(self, decision: Callable[[], Draft | None]) -> None:
        """Make a decision and store its draft, as the application would."""
        closed = self.session is not None and not self.session.is_open
        try:
            draft = decision()
        except Refusal:
            return
        if draft is None:
            return
        if self.session is None or draft.session.session_id != self.session.session_id:
            assert self.session is None or closed  # one open session per customer
            self.log = []
        else:
            assert not (closed and any(entry.is_said for entry in draft.entries))
        assert draft.entries
        self.check_that_changes_are_told(draft)
        self.log.extend(draft.entries)
        self.session = draft.session

    def check_that_changes_are_told(self, draft: Draft) -> None:
        """Check that beside each change is one message that tells the user of it, of the same time.

        The delivery of a request is no news to them, unless it has failed.
        """
        for index, change in enumerate(draft.entries):
            if isinstance(change, Message) or change.reason is Reason.DELIVERED:
                continue
            beside = [*draft.entries[max(0, index - 1) : index], *draft.entries[index + 1 :][:1]]
            told = [
                entry
                for entry in beside
                if isinstance(entry, Message) and entry.author in (Author.SYSTEM, Author.AI)
            ]
            assert [entry.at for entry in told] == [change.at]

    @rule(seconds=st.sampled_from([0.001, 1.0, 299.0, 301.0, 4_000.0, 700_000.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @rule()
    def the_user_speaks(self) -> None:
        the_id = MessageId(self.new_id())
        self.decide(
            lambda: record_user_message(self.session, self.open_session, the_id, "Bună!", self.now)
        )

    @rule(text=st.sampled_from([None, "Un om!"]))
    def the_user_asks_for_a_human(self, text: str | None) -> None:
        the_id = MessageId(self.new_id())
        self.decide(
            lambda: request_transfer(
                self.session, self.open_session, self.decision_context(), text, the_id
            )
        )

    @rule(stars=st.integers(1, 5).map(Stars))
    def the_user_rates_it(self, stars: Stars) -> None:
        session, before = self.session, len(self.log)
        if session is not None:
            self.decide(lambda: rate(session, stars, MessageId(self.new_id()), self.now))
            assert len(self.log) - before == (
                session.rating is None or session.rating.stars != stars
            )

    @rule()
    def the_user_ends_it(self) -> None:
        self.decide(lambda: end_live_chat(self.session, self.decision_context()))

    @precondition(lambda self: self.session is not None)
    @rule(
        failed=st.booleans(),
        transfer=st.sampled_from([None, Reason.AI_DECISION, Reason.AI_FAILURE]),
    )
    def a_turn_begins(self, failed: bool, transfer: Reason | None) -> None:
        assert self.session is not None
        self.turn = TurnResult(
            session_id=self.session.session_id,
            epoch=self.session.epoch,
            settled_seq=self.session.settled_seq,
            settles_seq=self.session.last_user_seq,
            in_reply_to=(),
            response_id=MessageId(self.new_id()),
            text="Răspuns.",
            transfer=transfer,
            failed=failed,
        )

    @precondition(lambda self: self.turn is not None)
    @rule()
    def a_turn_ends(self) -> None:
        turn, before = self.turn, self.session
        assert turn is not None
        self.decide(lambda: answer(before, turn, self.decision_context()))
        if self.session is not before:
            assert before is not None
            assert (before.status, before.epoch) == (Status.AI, turn.epoch)

    @precondition(lambda self: self.session is not None)
    @rule(to=st.sampled_from(Status), who=COORDINATORS)
    def a_coordinator_changes_it(self, to: Status, who: CoordinatorId | None) -> None:
        session = self.session
        assert session is not None
        self.decide(lambda: change_status(session, to, self.decision_context(), who))

    @rule(who=COORDINATORS, late_s=st.sampled_from([None, 0.0, 9.0, 11.0, 4_000.0]))
    def a_coordinator_speaks(self, who: CoordinatorId | None, late_s: float | None) -> None:
        the_id, before = MessageId(self.new_id()), self.session
        written_at = self.now - timedelta(seconds=late_s) if late_s is not None else None
        self.decide(
            lambda: record_coordinator_message(
                self.session,
                self.open_session,
                the_id,
                "Aici.",
                self.decision_context(),
                who,
                written_at=written_at,
            )
        )
        if before is not None and self.session is not before and is_outdated(before, written_at):
            assert self.session is not None
            assert self.session.epoch == before.epoch
            self.late.add(the_id)

    @precondition(lambda self: self.session is not None and self.session.transfer is not None)
    @rule(decision=st.sampled_from([record_delivery, record_failure]))
    def a_request_is_delivered_or_not(self, decision: Any) -> None:
        session = self.session
        assert session is not None
        assert session.transfer is not None
        transfer_id = session.transfer.transfer_id
        self.decide(lambda: decision(session, transfer_id, self.decision_context()))

    @rule(decision=st.sampled_from([notify_reached, notify_unreachable]), joined=st.booleans())
    def its_topic_is_joined_or_lost(self, decision: Any, joined: bool) -> None:
        self.decide(lambda: decision(self.session, self.decision_context(), is_joined=joined))

    @precondition(lambda self: self.session is not None)
    @rule()
    def it_falls_due(self) -> None:
        session = self.session
        assert session is not None
        self.decide(lambda: expire(session, self.decision_context(), IDLE_S))

    @property
    def changes(self) -> list[StatusChange]:
        return [entry for entry in self.log if isinstance(entry, StatusChange)]

    @invariant()
    def seqs_have_no_gaps(self) -> None:
        assert [entry.seq for entry in self.log] == list(range(1, len(self.log) + 1))

    @invariant()
    def the_epoch_counts_the_changes_of_owner(self) -> None:
        owners = accumulate(change.changes_owner for change in self.changes)
        epochs = [change.epoch for change in self.changes]
        assert epochs == list(owners)
        assert self.session is None or self.session.epoch == (epochs[-1] if epochs else 0)

    @invariant()
    def the_head_is_the_fold_of_the_log(self) -> None:
        if self.session is not None:
            opened = new_session(self.session.session_id)
            assert reduce(Session.after, self.log, opened) == self.session

    @invariant()
    def every_change_is_in_the_table(self) -> None:
        before = Status.AI
        for change in self.changes:
            assert change.reason in TRANSITIONS[before, change.status]
            before = change.status

    @invariant()
    def nothing_follows_the_closing(self) -> None:
        closings = [change.seq for change in self.changes if change.status is Status.CLOSED]
        said = [entry.seq for entry in self.log if entry.is_said]
        assert closings in ([], said[-1:])

    @invariant()
    def the_ai_speaks_only_while_it_owns_the_conversation(self) -> None:
        status = Status.AI
        for entry in self.log:
            if isinstance(entry, StatusChange):
                status = entry.status
            elif entry.author is Author.AI:
                assert status is Status.AI
            elif entry.author is Author.COORDINATOR:
                assert status is Status.LIVE or entry.message_id in self.late

    @invariant()
    def the_transfer_is_where_the_session_is(self) -> None:
        if self.session is None or self.session.transfer is None:
            return
        state = self.session.transfer.state
        waiting = {TransferState.REQUESTED, TransferState.DELIVERED, TransferState.FAILED}
        expected = {Status.WAITING: waiting, Status.LIVE: {TransferState.ACCEPTED}}
        open_states = {*waiting, TransferState.ACCEPTED}
        assert state in expected.get(self.session.status, {state})
        assert (state in open_states) == (self.session.status in expected)

    @invariant()
    def a_closed_session_takes_no_draft(self) -> None:
        if self.session is not None and not self.session.is_open:
            try:
                Draft(self.session)
            except SessionClosed:
                return
            raise AssertionError("a draft of a closed session")


TestConversation = Conversation.TestCase
TestConversation.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
