"""The effect of each request on a conversation."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from msgspec.structs import replace

from domain.decisions import (
    TurnResult,
    answer,
    change_status,
    end_live_chat,
    expire,
    is_outdated,
    notify_reached,
    notify_unreachable,
    record_coordinator_message,
    record_delivery,
    record_failure,
    record_user_message,
    request_transfer,
)
from domain.errors import NotInLiveChat, Outdated, SessionClosed, TransitionRefused
from domain.identity import CoordinatorId, SessionId, TransferId
from domain.message import Author, Message, StatusChange
from domain.session import Draft, Session, Timing
from domain.status import Reason, Status
from domain.texts import Text, localized
from tests.support.drafts import append_message
from tests.unit.domain.makers import (
    ANA,
    DAN,
    at,
    decision_context,
    message_id,
    new_session,
    session_in,
)


def asked(session: Session | None = None) -> Session:
    """A session in which the user has asked something."""
    return record_user_message(
        session or new_session(), new_session, message_id(), "Bună!", at()
    ).session


def turn_on(session: Session) -> TurnResult:
    """The result of a turn that has read all of `session`."""
    return TurnResult(
        session_id=session.session_id,
        epoch=session.epoch,
        settled_seq=session.settled_seq,
        settles_seq=session.last_user_seq,
        in_reply_to=(message_id(),),
        response_id=message_id(99),
        text="Răspuns.",
    )


# The user speaks.


@pytest.mark.parametrize("status", [Status.AI, Status.WAITING, Status.LIVE])
def test_a_users_words_are_taken_in_every_open_status(status: Status) -> None:
    draft = record_user_message(session_in(status), new_session, message_id(), "Bună!", at(1))

    assert [entry.text for entry in draft.entries] == ["Bună!"]
    assert draft.session.status is status
    assert draft.session.needs_answer == (status is Status.AI)


@pytest.mark.parametrize("session", [None, session_in(Status.CLOSED)])
def test_a_users_words_open_a_session_where_none_is_open(session: Session | None) -> None:
    draft = record_user_message(session, lambda: new_session("s2"), message_id(), "Bună!", at(1))

    assert (draft.session.session_id, draft.session.seq) == ("s2", 1)


# The AI answers.


def test_an_answer_settles_what_it_saw() -> None:
    session = asked()
    draft = answer(session, turn_on(session), decision_context(1))

    assert draft is not None
    assert not draft.session.needs_answer
    assert draft.session.settled_seq == 1


def test_an_answer_leaves_what_came_later_unanswered() -> None:
    seen = asked()
    draft = answer(asked(seen), turn_on(seen), decision_context(1))

    assert draft is not None
    assert draft.session.needs_answer


@pytest.mark.parametrize(
    "now",
    [
        pytest.param(None, id="erased"),
        pytest.param(replace(asked(), epoch=1), id="in another epoch"),
        pytest.param(replace(asked(), status=Status.WAITING), id="waiting"),
        pytest.param(replace(asked(), status=Status.LIVE), id="live"),
        pytest.param(replace(asked(), status=Status.CLOSED), id="closed"),
        pytest.param(replace(asked(), settled_seq=1), id="answered"),
        pytest.param(replace(asked(), session_id=SessionId("s2")), id="in another session"),
    ],
)
def test_an_answer_is_dropped_where_nothing_is_pending_any_more(now: Session | None) -> None:
    assert answer(now, turn_on(asked()), decision_context(1)) is None


def test_an_answer_with_a_transfer_is_one_draft() -> None:
    session = asked()
    turn = replace(turn_on(session), transfer=Reason.AI_DECISION, handover_note="vrea un om")
    draft = answer(session, turn, decision_context(1))

    assert draft is not None
    assert [type(entry) for entry in draft.entries] == [Message, StatusChange]
    assert (draft.session.status, draft.session.handover_note) == (Status.WAITING, "vrea un om")


def test_a_failed_answer_is_the_servers_and_counts() -> None:
    session = asked()
    draft = answer(session, replace(turn_on(session), failed=True), decision_context(1))

    assert draft is not None
    assert isinstance(draft.entries[0], Message)
    assert draft.entries[0].author is Author.SYSTEM
    assert draft.session.failures == 1


# A human is asked for, comes and goes.


def test_a_request_says_that_a_colleague_was_asked_and_where_the_chat_will_be() -> None:
    draft = request_transfer(None, new_session, decision_context(1), "Un om!", message_id())

    assert draft is not None
    words, change, notice = draft.entries
    assert (words.text, change.seq) == ("Un om!", 2)
    assert isinstance(notice, Message)
    assert notice.actions == ({"type": "live_chat", "status": "waiting"},)


@pytest.mark.parametrize("status", [Status.WAITING, Status.LIVE])
def test_a_repeated_request_does_nothing(status: Status) -> None:
    draft = request_transfer(
        session_in(status), new_session, decision_context(1), None, message_id()
    )

    assert draft is None


def test_what_was_said_before_the_request_is_the_coordinators() -> None:
    draft = request_transfer(asked(), new_session, decision_context(1), None, message_id())

    assert draft is not None
    assert draft.session.settled_seq == draft.session.last_user_seq == 1


@pytest.mark.parametrize("status", [Status.AI, Status.CLOSED])
def test_there_is_nothing_to_end_without_a_live_chat(status: Status) -> None:
    with pytest.raises(NotInLiveChat):
        end_live_chat(session_in(status), decision_context(1))
    with pytest.raises(NotInLiveChat):
        end_live_chat(None, decision_context(1))


@pytest.mark.parametrize("status", [Status.WAITING, Status.LIVE])
def test_ending_twice_is_ending_once(status: Status) -> None:
    draft = end_live_chat(session_in(status), decision_context(1))

    assert draft is not None
    assert end_live_chat(draft.session, decision_context(2)) is None


@pytest.mark.parametrize("to", list(Status))
def test_a_coordinators_change_to_what_is_does_nothing(to: Status) -> None:
    assert change_status(session_in(to, ANA), to, decision_context(1), ANA) is None


@pytest.mark.parametrize(
    ("before", "who", "takes"), [(ANA, DAN, True), (ANA, None, False), (None, ANA, True)]
)
def test_only_another_named_coordinator_takes_a_live_chat_over(
    before: CoordinatorId | None, who: CoordinatorId | None, takes: bool
) -> None:
    session = session_in(Status.LIVE, before)
    draft = change_status(session, Status.LIVE, decision_context(1), who)

    assert (draft is not None) == takes
    assert draft is None or draft.session.reason is Reason.TAKEOVER


def test_a_coordinator_cannot_ask_for_a_human() -> None:
    with pytest.raises(TransitionRefused):
        change_status(session_in(Status.AI), Status.WAITING, decision_context(1), ANA)


def test_the_words_of_a_closing_come_before_it() -> None:
    draft = change_status(session_in(Status.LIVE), Status.CLOSED, decision_context(1), ANA, "gata")

    assert draft is not None
    assert [type(entry) for entry in draft.entries] == [Message, StatusChange]
    assert draft.session.handover_note == "gata"


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        (Status.AI, Reason.COORDINATOR),
        (Status.WAITING, Reason.ACCEPTED),
        (Status.LIVE, Reason.TAKEOVER),
    ],
)
def test_a_coordinator_who_speaks_takes_over_first(before: Status, reason: Reason) -> None:
    draft = record_coordinator_message(
        session_in(before, ANA), new_session, message_id(), "Aici Dan.", decision_context(1), DAN
    )

    change, joined, words = draft.entries
    assert isinstance(change, StatusChange)
    assert (change.status, change.reason) == (Status.LIVE, reason)
    assert joined.text.startswith("dan ")
    assert words.text == "Aici Dan."


def test_a_coordinator_speaks_into_no_closed_session() -> None:
    with pytest.raises(SessionClosed):
        record_coordinator_message(
            session_in(Status.CLOSED), new_session, message_id(), "Bună!", decision_context(1), ANA
        )


def closed_for_idleness() -> Session:
    draft = expire(session_in(Status.LIVE), decision_context(100), 10)
    assert draft is not None
    return draft.session


def test_a_coordinator_who_speaks_after_an_idle_close_opens_a_session_and_has_it() -> None:
    draft = record_coordinator_message(
        closed_for_idleness(),
        lambda: new_session("s2"),
        message_id(),
        "Da, avem.",
        decision_context(200),
        DAN,
    )

    change, joined, words = draft.entries
    assert isinstance(change, StatusChange)
    assert (change.status, change.reason) == (Status.LIVE, Reason.COORDINATOR)
    assert joined.text.startswith("dan ")
    assert words.text == "Da, avem."
    assert (draft.session.session_id, draft.session.status) == ("s2", Status.LIVE)


@pytest.mark.parametrize(
    "said", [{"written_at": at(89.999)}, {"written_at": at(90), "replayed": True}]
)
def test_what_was_said_before_an_idle_close_opens_no_session(said: dict[str, Any]) -> None:
    with pytest.raises(SessionClosed):
        record_coordinator_message(
            closed_for_idleness(),
            new_session,
            message_id(),
            "Da, avem.",
            decision_context(200),
            DAN,
            **said,
        )


# What arrives late. The last change of hands was at 100 s; clocks differ by up to 10 s.

BEFORE, SINCE = at(89.999), at(90)


def changed_to(status: Status) -> Session:
    session = session_in(Status.WAITING if status is not Status.WAITING else Status.LIVE)
    context = decision_context(100)
    match status:
        case Status.WAITING:
            session = session_in(Status.AI)
            draft = request_transfer(session, new_session, context, None, message_id())
        case Status.AI:
            draft = end_live_chat(session, context)
        case _:
            draft = change_status(session, status, context, ANA)
    assert draft is not None
    assert draft.session.owner_since == at(100)
    return draft.session


LATE_CHANGES = [
    (Status.LIVE, Status.AI),
    (Status.LIVE, Status.CLOSED),
    (Status.LIVE, Status.LIVE),
    (Status.WAITING, Status.LIVE),
    (Status.WAITING, Status.CLOSED),
    (Status.AI, Status.LIVE),
    (Status.AI, Status.CLOSED),
]


@pytest.mark.parametrize(("status", "to"), LATE_CHANGES)
def test_a_change_decided_before_the_last_one_takes_nothing_and_says_so(
    status: Status, to: Status
) -> None:
    with pytest.raises(Outdated):
        change_status(changed_to(status), to, decision_context(200), DAN, decided_at=BEFORE)


@pytest.mark.parametrize(("status", "to"), LATE_CHANGES)
@pytest.mark.parametrize("decided_at", [None, SINCE, at(10_000)])
def test_a_change_decided_since_the_last_one_is_made(
    status: Status, to: Status, decided_at: datetime | None
) -> None:
    draft = change_status(changed_to(status), to, decision_context(200), DAN, decided_at=decided_at)

    assert draft is not None
    assert draft.session.status is to


@pytest.mark.parametrize("status", [Status.AI, Status.WAITING, Status.LIVE])
def test_a_repeat_is_a_no_op_however_late_it_comes(status: Status) -> None:
    session = changed_to(status)

    assert change_status(session, status, decision_context(200), ANA, decided_at=BEFORE) is None


@pytest.mark.parametrize("status", [Status.AI, Status.WAITING, Status.LIVE])
def test_what_was_said_before_the_last_change_of_hands_is_stored_and_takes_nothing(
    status: Status,
) -> None:
    session = changed_to(status)
    context = decision_context(200)
    draft = record_coordinator_message(
        session, new_session, message_id(), "Bună!", context, DAN, written_at=BEFORE
    )

    assert [entry.text for entry in draft.entries] == ["Bună!"]
    assert (draft.session.status, draft.session.transfer) == (status, session.transfer)


@pytest.mark.parametrize("status", [Status.AI, Status.WAITING, Status.LIVE])
@pytest.mark.parametrize("written_at", [None, SINCE])
def test_what_was_said_since_the_last_change_of_hands_takes_over(
    status: Status, written_at: datetime | None
) -> None:
    context = decision_context(200)
    draft = record_coordinator_message(
        changed_to(status), new_session, message_id(), "Bună!", context, DAN, written_at=written_at
    )

    assert draft.session.status is Status.LIVE
    assert draft.session.transfer is not None
    assert draft.session.transfer.coordinator_id == DAN


def test_a_delivery_is_no_change_of_hands() -> None:
    session = changed_to(Status.WAITING)
    assert session.transfer is not None
    draft = record_delivery(session, session.transfer.transfer_id, decision_context(150))

    assert draft is not None
    assert draft.session.owner_since == at(100)


def test_the_first_owner_has_a_session_since_it_was_opened() -> None:
    assert is_outdated(new_session(), at(-10.001))
    assert not is_outdated(new_session(), at(-10))


def test_an_unrecorded_change_is_one_no_earlier_than_the_request_before_it() -> None:
    session = replace(changed_to(Status.LIVE), changed_at=None)  # as stored by an earlier version

    assert session.transfer is not None
    assert session.owner_since == session.transfer.requested_at


@pytest.mark.parametrize("offset", [14, -14])
def test_the_time_of_a_caller_may_be_any(offset: int) -> None:
    zone = timezone(timedelta(hours=offset))

    assert is_outdated(new_session(), datetime.min.replace(tzinfo=zone))
    assert not is_outdated(new_session(), datetime.max.replace(tzinfo=zone))


# Time.


def test_a_transfer_expires_at_its_moment() -> None:
    session = session_in(Status.WAITING)
    early, there = (
        expire(session, decision_context(299.999), 10),
        expire(session, decision_context(300), 10),
    )

    assert early is None
    assert there is not None
    assert there.session.reason is Reason.EXPIRED


def test_what_was_written_while_waiting_is_pending_after_the_expiry() -> None:
    session = record_user_message(
        session_in(Status.WAITING), new_session, message_id(), "Alo?", at(1)
    ).session
    draft = expire(session, decision_context(300), 10)

    assert draft is not None
    assert draft.session.needs_answer


@pytest.mark.parametrize(
    ("status", "closes"), [(Status.AI, True), (Status.LIVE, True), (Status.CLOSED, False)]
)
def test_a_silent_session_is_closed_at_its_moment(status: Status, closes: bool) -> None:
    session = session_in(status)
    early, there = (
        expire(session, decision_context(9.999), 10),
        expire(session, decision_context(10), 10),
    )

    assert early is None
    assert (there is not None) == closes


def silence_after(*authors: Author) -> Session:
    """A live chat in which these have written, in this order."""
    draft = Draft(session_in(Status.LIVE))
    for author in authors:
        append_message(draft, author, message_id(draft.next_seq), "…", at())
    return draft.session


WEEK_S = 7 * 86_400


@pytest.mark.parametrize(
    ("session", "awaits_human"),
    [
        (silence_after(Author.USER), True),
        (silence_after(Author.USER, Author.SYSTEM), True),
        (silence_after(Author.COORDINATOR, Author.USER, Author.SYSTEM), True),
        (silence_after(Author.USER, Author.COORDINATOR), False),
        (silence_after(Author.USER, Author.COORDINATOR, Author.SYSTEM), False),
        (silence_after(), False),
        # Asked for, and there, but silent.
        (changed_to(Status.LIVE), True),
        (asked(session_in(Status.WAITING)), True),
        (asked(), False),
    ],
)
def test_a_human_has_to_answer_while_nobody_has_since_the_user_wrote_or_asked(
    session: Session, awaits_human: bool
) -> None:
    assert session.awaits_human == awaits_human


@pytest.mark.parametrize("idle_s", [10, WEEK_S + 10])
def test_the_silence_of_a_human_who_has_to_answer_is_no_idleness_of_the_user(idle_s: float) -> None:
    session, longest_s = silence_after(Author.USER), max(idle_s, WEEK_S)

    assert expire(session, decision_context(longest_s - 0.001), idle_s) is None
    assert expire(session, decision_context(longest_s), idle_s) is not None


def test_an_idle_close_has_words() -> None:
    draft = expire(session_in(Status.LIVE), decision_context(10), 10)

    assert draft is not None
    words, change = draft.entries
    assert words.text == localized("ro", Text.IDLE)
    assert isinstance(change, StatusChange)
    assert change.reason is Reason.IDLE


def test_an_unanswered_session_is_never_closed_for_silence() -> None:
    assert expire(asked(), decision_context(10_000), 10) is None


TIMING = Timing(retake=timedelta(seconds=65), idle=timedelta(hours=1))


@pytest.mark.parametrize(
    ("session", "seconds"),
    [
        (session_in(Status.AI), 3_600),
        (session_in(Status.WAITING), 300),
        (session_in(Status.LIVE), 3_600),
        (session_in(Status.CLOSED), None),
        (asked(), 65),
        (asked(session_in(Status.LIVE)), WEEK_S),
        (silence_after(Author.USER, Author.COORDINATOR), 3_600),
    ],
)
def test_a_session_is_due_when_time_has_something_to_do_to_it(
    session: Session, seconds: float | None
) -> None:
    assert session.due_at(TIMING) == (at(seconds) if seconds is not None else None)


# What becomes of a request on its way to the coordinators.

T1 = TransferId("t1")
REQUESTED = session_in(Status.WAITING)


def delivered(session: Session = REQUESTED) -> Session:
    draft = record_delivery(session, T1, decision_context(1))
    assert draft is not None
    return draft.session


def failed() -> Session:
    draft = record_failure(REQUESTED, T1, decision_context(1))
    assert draft is not None
    return draft.session


def test_a_dead_request_is_recorded_and_told_together() -> None:
    draft = record_failure(REQUESTED, T1, decision_context(1))

    assert draft is not None
    change, text = draft.entries
    assert isinstance(change, StatusChange)
    assert (change.status, change.reason) == (Status.WAITING, Reason.UNDELIVERABLE)
    assert isinstance(text, Message)
    assert text.text == localized("ro", Text.REFUSED)


@pytest.mark.parametrize(
    ("session", "transfer_id"),
    [
        (None, T1),
        (REQUESTED, TransferId("t2")),
        (session_in(Status.LIVE), T1),
        (session_in(Status.CLOSED), T1),
        (delivered(), T1),
    ],
)
def test_the_delivery_of_a_request_is_recorded_once_and_only_while_it_is_waited_on(
    session: Session | None, transfer_id: TransferId
) -> None:
    context = decision_context(2)

    assert record_delivery(session, transfer_id, context) is None
    assert record_failure(session, transfer_id, context) is None


def test_a_dead_request_is_recorded_once_and_may_be_delivered_after_all() -> None:
    assert record_failure(failed(), T1, decision_context(2)) is None
    assert record_delivery(failed(), T1, decision_context(2)) is not None


@pytest.mark.parametrize(
    ("session", "joined", "text"),
    [
        (REQUESTED, False, Text.UNREACHABLE),
        (REQUESTED, True, Text.UNREACHABLE),
        (delivered(), False, Text.UNREACHABLE),
        (delivered(), True, None),
        (failed(), False, None),
        (asked(session_in(Status.LIVE)), False, Text.NOT_RELAYED),
        (asked(session_in(Status.LIVE)), True, None),
        (session_in(Status.LIVE), False, None),
        (session_in(Status.AI), False, None),
        (session_in(Status.CLOSED), False, None),
    ],
)
def test_a_user_is_told_that_nobody_can_be_reached_where_that_is_true_and_concerns_them(
    session: Session, joined: bool, text: Text | None
) -> None:
    draft = notify_unreachable(session, decision_context(2), is_joined=joined)
    texts = [entry.text for entry in draft.entries] if draft is not None else []

    assert texts == ([localized("ro", text)] if text is not None else [])


@pytest.mark.parametrize("joined", [True, False])
@pytest.mark.parametrize("session", [REQUESTED, delivered(), failed(), session_in(Status.LIVE)])
def test_a_request_has_reached_the_coordinators_once_it_is_delivered_and_its_topic_joined(
    session: Session, joined: bool
) -> None:
    draft = notify_reached(session, decision_context(2), is_joined=joined)

    assert (draft is not None) == (session == delivered() and joined)
