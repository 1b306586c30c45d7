"""The notices of each thing that happens: their contents and their order."""

import itertools
from collections.abc import Callable, Sequence

import pytest
from msgspec.structs import replace

from domain.decisions import (
    TurnResult,
    answer,
    change_status,
    end_live_chat,
    rate,
    record_coordinator_message,
    record_delivery,
    record_failure,
    record_user_message,
    request_transfer,
)
from domain.identity import CoordinatorId, LocationId, SessionId, TransferId
from domain.message import Author, Entry, Message
from domain.notice import (
    AnswerGiven,
    ConfirmationChanged,
    ConversationRated,
    HandoverContext,
    HandoverMessage,
    Lane,
    LiveChatMessagePosted,
    Notice,
    NoticeKind,
    QuestionAsked,
    StatusChanged,
    TransferRequested,
)
from domain.outbox import outbox_messages
from domain.rating import Stars
from domain.session import Draft, Session
from domain.status import Reason, Status
from domain.tool import Confirmer, Proposal
from domain.write_call import WriteState
from domain.write_decisions import answer_question, append_step, propose, withdraw_question
from tests.support.drafts import append_message
from tests.unit.domain.makers import ANA, at, decision_context, message_id, new_session, session_in


def opened() -> Session:
    return replace(new_session(), location_id=LocationId("l1"))


def notices_of(
    before: Session | None, draft: Draft | None, recent: Sequence[Entry] = ()
) -> list[Notice]:
    assert draft is not None
    ids = itertools.count(1)
    return outbox_messages(before, recent, draft, lambda: f"n{next(ids)}")


def kinds(notices: list[Notice]) -> list[NoticeKind]:
    return [notice.kind for notice in notices]


def requested(notices: list[Notice]) -> TransferRequested:
    """The request for a human among the notices."""
    return next(n.content for n in notices if isinstance(n.content, TransferRequested))


def answered(session: Session, *, failed: bool = False, transfer: Reason | None = None) -> Draft:
    turn = TurnResult(
        session_id=session.session_id,
        epoch=session.epoch,
        settled_seq=session.settled_seq,
        settles_seq=session.last_user_seq,
        in_reply_to=(message_id(),),
        response_id=message_id(99),
        text="Răspuns.",
        transfer=transfer,
        handover_note="o masă" if transfer else None,
        failed=failed,
    )
    draft = answer(session, turn, decision_context(1, "en"))
    assert draft is not None
    return draft


def test_a_users_message_to_the_ai_is_a_conversation() -> None:
    draft = record_user_message(None, opened, message_id(), "Bună!", at())

    (notice,) = notices_of(None, draft)

    assert notice == Notice(
        notice_id="n1",
        session_id=SessionId("s1"),
        customer=opened().customer,
        position=10,
        content=QuestionAsked(at=at(), text="Bună!", location_id=LocationId("l1")),
        due_at=at(),
    )


def test_an_answer_comes_with_the_question_that_it_answers() -> None:
    first = record_user_message(None, opened, message_id(1), "Bună!", at())
    second = record_user_message(first.session, opened, message_id(2), "Aveți loc?", at())
    later = record_user_message(second.session, opened, message_id(3), "Alo?", at())
    draft = answered(second.session)
    log = [*first.entries, *second.entries, *later.entries]

    (notice,) = notices_of(second.session, draft, log)

    assert notice.content == AnswerGiven(at=at(1), text="Răspuns.", question="Aveți loc?")


def test_an_apology_is_no_answer() -> None:
    asked = record_user_message(None, opened, message_id(), "Bună!", at()).session

    assert notices_of(asked, answered(asked, failed=True)) == []


def test_a_request_for_a_human_comes_before_the_status_that_it_leads_to() -> None:
    draft = request_transfer(None, opened, decision_context(), "Un om!", message_id())

    notices = notices_of(None, draft)

    assert kinds(notices) == [
        NoticeKind.CONVERSATION,
        NoticeKind.TRANSFER,
        NoticeKind.STATUS,
    ]
    assert [notice.position for notice in notices] == [10, 20, 21]
    assert notices[2].content == StatusChanged(at=at(), status=Status.WAITING)


def test_a_request_for_a_human_comes_with_the_handover_context() -> None:
    first = record_user_message(None, opened, message_id(), "Vreau o masă.", at())
    draft = answered(first.session, transfer=Reason.AI_DECISION)

    transfer = requested(notices_of(first.session, draft, first.entries))

    assert (transfer.transfer_id, transfer.at) == ("id-1-1", at(1))
    assert transfer.reason is Reason.AI_DECISION
    assert transfer.context == HandoverContext(
        session_id=SessionId("s1"),
        customer=opened().customer,
        location_id=LocationId("l1"),
        status=Status.WAITING,
        reason=Reason.AI_DECISION,
        summary="o masă",
        language="en",
        last_messages=(
            HandoverMessage(seq=1, author=Author.USER, text="Vreau o masă.", at=at()),
            HandoverMessage(seq=2, author=Author.AI, text="Răspuns.", at=at(1)),
        ),
    )


@pytest.mark.parametrize("status", [Status.WAITING, Status.LIVE])
def test_what_the_user_says_to_a_human_is_relayed(status: Status) -> None:
    session = session_in(status)

    (notice,) = notices_of(
        session, record_user_message(session, opened, message_id(), "Alo?", at(1))
    )

    assert notice.content == LiveChatMessagePosted(at=at(1), text="Alo?", message_id=message_id())


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Status.AI, [NoticeKind.TRANSFER, NoticeKind.STATUS]),
        (Status.WAITING, []),
        (Status.LIVE, []),
    ],
)
def test_a_message_from_the_bridge_is_not_sent_back_but_the_request_in_it_is(
    status: Status, expected: list[NoticeKind]
) -> None:
    session, context = session_in(status), decision_context()
    draft = request_transfer(session, opened, context, "Alo?", message_id(), from_bridge=True)

    assert kinds(notices_of(session, draft)) == expected


@pytest.mark.parametrize("decision", [record_delivery, record_failure])
def test_the_delivery_of_a_request_causes_no_notice(decision: Callable[..., Draft]) -> None:
    session = session_in(Status.WAITING)
    draft = decision(session, TransferId("t1"), decision_context())

    assert notices_of(session, draft) == []


def _cancelled() -> tuple[Session, Draft | None]:
    session = session_in(Status.WAITING)
    return session, end_live_chat(session, decision_context())


def _returned() -> tuple[Session, Draft | None]:
    session = session_in(Status.LIVE)
    return session, change_status(session, Status.AI, decision_context(), ANA, "mutată la 20")


def _closed() -> tuple[Session, Draft | None]:
    session = session_in(Status.AI)
    return session, change_status(session, Status.CLOSED, decision_context(), ANA)


def _taken_over() -> tuple[Session, Draft | None]:
    session = session_in(Status.AI)
    return session, record_coordinator_message(
        session, new_session, message_id(), "Bună, sunt Ana.", decision_context(), ANA
    )


@pytest.mark.parametrize(
    ("change", "status", "note"),
    [
        (_cancelled, Status.AI, None),
        (_returned, Status.AI, "mutată la 20"),
        (_closed, Status.CLOSED, None),
        (_taken_over, Status.LIVE, None),
    ],
)
def test_a_change_of_hands_causes_a_status_and_its_texts_cause_nothing(
    change: Callable[[], tuple[Session, Draft | None]], status: Status, note: str | None
) -> None:
    before, draft = change()

    (notice,) = notices_of(before, draft)

    assert notice.content == StatusChanged(at=at(), status=status, handover_note=note)


def test_a_message_after_the_end_is_a_question_of_the_next_session() -> None:
    closed = session_in(Status.CLOSED)
    next_session = replace(opened(), session_id=SessionId("s2"))
    draft = record_user_message(closed, lambda: next_session, message_id(), "Eu", at(1))

    (notice,) = notices_of(closed, draft)

    assert (notice.kind, notice.session_id) == (NoticeKind.CONVERSATION, "s2")


def test_each_entry_of_a_draft_goes_by_whose_the_conversation_was_until_then() -> None:
    draft = Draft(session_in(Status.LIVE))
    append_message(draft, Author.USER, message_id(1), "Mulțumesc!", at())
    draft.change_status(Status.AI, Reason.ENDED_BY_USER, at())
    append_message(draft, Author.USER, message_id(2), "Încă ceva", at())

    found = notices_of(session_in(Status.LIVE), draft)

    assert kinds(found) == [NoticeKind.RELAY, NoticeKind.STATUS, NoticeKind.CONVERSATION]


def test_positions_rise_from_draft_to_draft() -> None:
    first = request_transfer(None, opened, decision_context(), "Un om!", message_id())
    assert first is not None
    second = record_user_message(first.session, opened, message_id(2), "Alo?", at(1))

    positions = [
        each.position for each in [*notices_of(None, first), *notices_of(first.session, second)]
    ]

    assert positions == sorted(set(positions))


def test_the_context_holds_the_newest_words_whatever_came_before() -> None:
    log = [
        Message(seq=seq, message_id=message_id(seq), author=Author.USER, text=f"{seq}", at=at())
        for seq in range(1, 41)
    ]
    session = replace(opened(), seq=40, last_user_seq=40)
    draft = request_transfer(session, opened, decision_context(), None, message_id(99))

    lines = requested(notices_of(session, draft, log)).context.last_messages

    assert len(lines) == 10
    assert lines[-2].text == "40"


# Calls that somebody is asked a yes to.


def asked_for_yes(by: Confirmer) -> Draft:
    """A draft in which a yes is asked for."""
    draft = Draft(session_in(Status.AI))
    proposal = Proposal(
        tool="reserve_table", what="O masă", title="Masă", arguments="{}", confirm=by
    )
    propose(draft, proposal, message_id(50), decision_context())
    return draft


def steps_of(notices: list[Notice]) -> list[tuple[WriteState, Confirmer | None, str]]:
    steps = [n.content.step for n in notices if isinstance(n.content, ConfirmationChanged)]
    return [(step.state, step.confirm, step.arguments) for step in steps]


@pytest.mark.parametrize("by", Confirmer)
def test_a_question_for_a_yes_and_its_end_are_reported_without_the_arguments(
    by: Confirmer,
) -> None:
    draft = asked_for_yes(by)
    withdraw_question(draft, decision_context())

    found = notices_of(session_in(Status.AI), draft)

    assert steps_of(found) == [(WriteState.PROPOSED, by, ""), (WriteState.WITHDRAWN, by, "")]
    assert {notice.lane for notice in found} == {Lane.PEOPLE}


def test_the_customers_yes_is_reported_after_it_as_a_message() -> None:
    asked = asked_for_yes(Confirmer.CUSTOMER).session
    (question,) = asked.writes
    draft = answer_question(
        asked, question.call_id, True, decision_context(), message_id(), Confirmer.CUSTOMER
    )

    found = notices_of(asked, draft)

    assert kinds(found) == [NoticeKind.CONVERSATION, NoticeKind.CONFIRMATION]
    assert steps_of(found) == [(WriteState.APPROVED, Confirmer.CUSTOMER, "")]


def test_a_coordinators_no_is_reported_with_their_name() -> None:
    asked = asked_for_yes(Confirmer.COORDINATOR).session
    (question,) = asked.writes
    by = (message_id(), Confirmer.COORDINATOR, CoordinatorId("ana"))
    draft = answer_question(asked, question.call_id, False, decision_context(), *by)

    (notice,) = notices_of(asked, draft)

    assert isinstance(notice.content, ConfirmationChanged)
    assert notice.content.step.state is WriteState.REJECTED
    assert notice.content.coordinator_id == "ana"


@pytest.mark.parametrize("by", [None, *Confirmer])
def test_only_the_outcome_of_a_call_is_reported_that_needed_a_yes(by: Confirmer | None) -> None:
    draft = asked_for_yes(Confirmer.CUSTOMER)
    call = replace(draft.session.writes[0], confirm=by)
    draft = Draft(draft.session)
    for state in (WriteState.STARTED, WriteState.DONE):
        append_step(draft, call.step(state), message_id(7), decision_context())

    found = notices_of(draft.session, draft)

    assert steps_of(found) == ([(WriteState.DONE, by, "")] if by is not None else [])


# A rating.


def test_a_rating_is_reported_and_never_relayed_whoever_owns_the_conversation() -> None:
    for status in Status:
        session = session_in(status)
        draft = rate(session, Stars(2, "Slow"), message_id(50), session.updated_at)
        assert draft is not None

        (notice,) = notices_of(session, draft)

        assert notice.content == ConversationRated(
            at=session.updated_at, stars=Stars(2, "Slow"), location_id=session.location_id
        )
        assert notice.lane is Lane.REPORTS
