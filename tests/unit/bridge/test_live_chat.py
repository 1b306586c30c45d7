"""The rules of a live chat: permitted commands, and which holds when commands and reports cross."""

import itertools
from datetime import UTC, datetime, timedelta, timezone

import pytest
from msgspec.structs import replace

from domain.bridge.live_chat import (
    COMMAND_TRANSITIONS,
    OVERRIDES,
    AlreadyClaimed,
    ChatMessage,
    CoordinatorCommand,
    LeftMessage,
    LiveChat,
    ServerState,
    TransferReport,
    apply_answer,
    apply_command,
    apply_message,
    apply_missed,
    apply_server_state,
    apply_transfer,
    attend,
    complete_command,
    ended_wait_s,
    move_commands,
    usual_wait_s,
)
from domain.errors import ConversationError, SessionClosed, TransitionRefused
from domain.identity import (
    BusinessId,
    CoordinatorId,
    Customer,
    MessageId,
    SessionId,
    TransferId,
    UserId,
)
from domain.message import Author
from domain.status import Status

AT = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)
MARIA, ION = CoordinatorId("maria"), CoordinatorId("ion")


def later(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def chat(status: Status, owner: CoordinatorId | None = None) -> LiveChat:
    return LiveChat(
        session_id=SessionId("s1"),
        customer=Customer(BusinessId("b1"), UserId("ana")),
        since=AT,
        status=status,
        coordinator_id=owner,
        waiting_since=AT,
        server_state_at=AT,
    )


def reported(status: Status, after_s: float = 1) -> ServerState:
    return ServerState(status=status, at=later(after_s))


def transfer(transfer_id: str = "t1", after_s: float = 1) -> TransferReport:
    return TransferReport(
        transfer_id=TransferId(transfer_id),
        reason="user_request",
        context={"summary": "…"},
        at=later(after_s),
    )


def claimed() -> LiveChat:
    """Return a chat that Maria has claimed, with her command still pending."""
    return apply_command(chat(Status.WAITING), CoordinatorCommand.CLAIM, "c1", MARIA, later(1))


@pytest.mark.parametrize(("status", "command"), list(itertools.product(Status, CoordinatorCommand)))
def test_a_command_follows_the_table_and_is_refused_where_that_has_no_entry(
    status: Status, command: CoordinatorCommand
) -> None:
    before = chat(status, MARIA if status is Status.LIVE else None)

    try:
        after: Status | None = apply_command(before, command, "c1", MARIA, later(1)).status
    except ConversationError:
        after = None

    repeats = {
        (Status.AI, CoordinatorCommand.RETURN): Status.AI,
        (Status.CLOSED, CoordinatorCommand.CLOSE): Status.CLOSED,
        (Status.WAITING, CoordinatorCommand.REQUEUE): Status.WAITING,
    }
    assert after == {**COMMAND_TRANSITIONS, **repeats}.get((status, command))


def test_a_claim_holds_at_once_and_is_pending_until_the_server_has_answered() -> None:
    claim = claimed()

    assert (claim.status, claim.coordinator_id) == (Status.LIVE, MARIA)
    assert [(each.command_id, each.status) for each in claim.pending_commands] == [
        ("c1", Status.LIVE)
    ]


def test_two_coordinators_cannot_both_claim() -> None:
    with pytest.raises(AlreadyClaimed) as refused:
        apply_command(claimed(), CoordinatorCommand.CLAIM, "c2", ION, later(2))

    assert refused.value.by == MARIA


@pytest.mark.parametrize("command", [CoordinatorCommand.RETURN, CoordinatorCommand.CLOSE])
def test_a_conversation_is_not_ended_by_another_coordinator(command: CoordinatorCommand) -> None:
    with pytest.raises(AlreadyClaimed):
        apply_command(claimed(), command, "c2", ION, later(2))


def test_a_takeover_reassigns_the_conversation() -> None:
    taken = apply_command(claimed(), CoordinatorCommand.TAKE_OVER, "c2", ION, later(2))

    assert taken.coordinator_id == ION
    assert [each.coordinator_id for each in taken.pending_commands] == [MARIA, ION]


def test_claiming_again_changes_nothing() -> None:
    claim = claimed()

    again = apply_command(claim, CoordinatorCommand.CLAIM, "c2", MARIA, later(2))

    assert again is claim


def test_an_unclaimed_live_conversation_can_be_claimed() -> None:
    taken = apply_command(chat(Status.LIVE), CoordinatorCommand.CLAIM, "c1", MARIA, later(1))

    assert taken.coordinator_id == MARIA


def test_speaking_is_a_takeover_without_a_pending_command() -> None:
    spoken = apply_command(chat(Status.WAITING), CoordinatorCommand.SPEAK, "", ION, later(1))

    assert (spoken.status, spoken.coordinator_id, spoken.pending_commands) == (Status.LIVE, ION, ())


def test_nobody_speaks_into_a_closed_conversation() -> None:
    with pytest.raises(SessionClosed):
        apply_command(chat(Status.CLOSED), CoordinatorCommand.SPEAK, "", ION, later(1))


def test_claiming_a_chat_that_does_not_wait_any_more_is_refused() -> None:
    with pytest.raises(TransitionRefused, match="does not wait"):
        apply_command(chat(Status.AI), CoordinatorCommand.CLAIM, "c1", MARIA, later(1))


def test_a_return_leaves_its_handover_note_in_the_chat_and_the_command() -> None:
    returned = apply_command(
        claimed(), CoordinatorCommand.RETURN, "c2", MARIA, later(2), "Masa e mutată."
    )

    assert (returned.status, returned.coordinator_id) == (Status.AI, None)
    assert returned.handover_note == "Masa e mutată."
    assert [each.handover_note for each in returned.pending_commands] == [None, "Masa e mutată."]


def test_a_transfer_makes_its_user_wait() -> None:
    waiting = apply_transfer(chat(Status.AI), transfer())

    assert (waiting.status, waiting.waiting_since) == (Status.WAITING, later(1))
    assert (waiting.reason, waiting.context) == ("user_request", {"summary": "…"})


@pytest.mark.parametrize("status", Status)
def test_a_transfer_that_is_known_changes_nothing(status: Status) -> None:
    known = replace(chat(status), transfer_id=TransferId("t1"))

    after = apply_transfer(known, transfer("t1", after_s=9))

    assert after is known


def test_a_transfer_older_than_the_newest_report_changes_nothing() -> None:
    returned = chat(Status.AI)

    after = apply_transfer(returned, transfer("t0", after_s=-1))

    assert after is returned


def test_a_waiting_status_that_came_first_gets_its_context_from_the_transfer() -> None:
    waiting = apply_server_state(chat(Status.AI), reported(Status.WAITING))

    after = apply_transfer(waiting, transfer())

    assert (after.status, after.waiting_since) == (Status.WAITING, later(1))
    assert after.context == {"summary": "…"}


def test_an_outdated_report_changes_nothing() -> None:
    live = chat(Status.LIVE, MARIA)

    after = apply_server_state(live, reported(Status.WAITING, after_s=-1))

    assert after is live


@pytest.mark.parametrize(("commanded", "reported_status"), list(itertools.product(Status, Status)))
def test_a_report_voids_a_command_only_where_the_table_says_so(
    commanded: Status, reported_status: Status
) -> None:
    command = replace(claimed().pending_commands[0], status=commanded)
    pending = replace(chat(commanded), pending_commands=(command,))

    after = apply_server_state(pending, reported(reported_status))

    if (commanded, reported_status) in OVERRIDES:
        assert (after.status, after.pending_commands) == (reported_status, ())
    else:
        assert after is pending


def test_a_user_who_cancels_during_a_claim_returns_to_the_ai() -> None:
    after = apply_server_state(claimed(), reported(Status.AI, after_s=2))

    assert (after.status, after.coordinator_id, after.pending_commands) == (Status.AI, None, ())


def test_a_granted_command_leaves_the_chat_in_the_servers_state() -> None:
    granted = complete_command(
        claimed(), "c1", ServerState(status=Status.LIVE, at=later(3), coordinator_id=MARIA)
    )

    assert (granted.status, granted.coordinator_id) == (Status.LIVE, MARIA)
    assert (granted.pending_commands, granted.server_state_at) == ((), later(3))


def test_a_refused_command_leaves_the_chat_in_the_servers_state() -> None:
    completed = complete_command(claimed(), "c1", reported(Status.CLOSED))

    assert (completed.status, completed.coordinator_id, completed.pending_commands) == (
        Status.CLOSED,
        None,
        (),
    )


def test_the_answer_to_one_command_does_not_undo_the_next() -> None:
    returned = apply_command(claimed(), CoordinatorCommand.RETURN, "c2", MARIA, later(2))

    completed = complete_command(
        returned, "c1", ServerState(status=Status.LIVE, at=later(3), coordinator_id=MARIA)
    )

    assert completed.status is Status.AI
    assert [each.command_id for each in completed.pending_commands] == ["c2"]


def test_a_report_from_before_an_answered_command_is_outdated() -> None:
    granted = complete_command(
        claimed(), "c1", ServerState(status=Status.LIVE, at=later(3), coordinator_id=MARIA)
    )

    after = apply_server_state(granted, reported(Status.WAITING, after_s=1))

    assert after is granted


def test_the_coordinator_stays_assigned_when_the_server_names_none() -> None:
    after = apply_server_state(chat(Status.LIVE, MARIA), reported(Status.LIVE))

    assert after.coordinator_id == MARIA


# Missed messages.


def missed(text: str = "Sunați-mă.", after_s: float = 1) -> LeftMessage:
    return LeftMessage(text=text, reason="user_request", context={}, at=later(after_s))


def answer() -> ChatMessage:
    return ChatMessage(
        message_id=MessageId("m1"),
        author=Author.COORDINATOR,
        text="Bună dimineața.",
        at=later(9),
        coordinator_id=MARIA,
    )


@pytest.mark.parametrize("status", list(Status))
def test_a_missed_message_is_kept_whoever_has_the_conversation(status: Status) -> None:
    left = apply_missed(chat(status), missed())

    assert left == replace(chat(status), missed=missed())
    assert left.is_listed


def test_a_newer_missed_message_replaces_the_older_and_never_the_other_way_round() -> None:
    first = apply_missed(chat(Status.AI), missed("unu", 1))

    second = apply_missed(first, missed("doi", 2))
    late = apply_missed(second, missed("unu", 1))

    assert second.missed == missed("doi", 2)
    assert late is second


def test_what_was_attended_to_does_not_come_back_but_what_follows_it_does() -> None:
    attended = attend(apply_missed(chat(Status.AI), missed("unu", 1)))

    again = apply_missed(attended, missed("unu", 1))
    next_one = apply_missed(attended, missed("doi", 1.001))

    assert attended.missed is None
    assert again is attended
    assert next_one.missed == missed("doi", 1.001)


def test_why_somebody_wrote_is_kept_unless_they_have_asked_again_since() -> None:
    before = replace(missed(after_s=1), context={"summary": "înainte"})
    left = apply_missed(chat(Status.AI), before)

    attended = attend(left)
    asked_again = attend(apply_transfer(left, transfer("t2", after_s=2)))

    assert (attended.reason, attended.context) == ("user_request", {"summary": "înainte"})
    assert asked_again.context == {"summary": "…"}


@pytest.mark.parametrize(
    ("seen", "is_attended"),
    [
        (later(0.998), False),
        (later(0.999), True),
        (later(1), True),
        (datetime.min.replace(tzinfo=UTC), False),
        (datetime.max.replace(tzinfo=UTC), True),
        (datetime.max.replace(tzinfo=timezone(-timedelta(hours=14))), True),
    ],
)
def test_what_is_newer_than_what_a_coordinator_has_seen_stays_missed(
    seen: datetime, is_attended: bool
) -> None:
    left = apply_missed(chat(Status.AI), missed(after_s=0.9995))

    assert (attend(left, seen).missed is None) is is_attended


@pytest.mark.parametrize(
    ("status", "command", "is_attended"),
    [
        (Status.WAITING, CoordinatorCommand.CLAIM, False),
        (Status.WAITING, CoordinatorCommand.TAKE_OVER, False),
        (Status.AI, CoordinatorCommand.SPEAK, True),
        (Status.LIVE, CoordinatorCommand.SPEAK, True),
        (Status.LIVE, CoordinatorCommand.RETURN, True),
        (Status.LIVE, CoordinatorCommand.CLOSE, True),
    ],
)
def test_to_answer_or_to_end_attends_and_to_take_a_conversation_does_not(
    status: Status, command: CoordinatorCommand, is_attended: bool
) -> None:
    owner = MARIA if status is Status.LIVE else None
    left = apply_missed(chat(status, owner), missed())

    after = apply_command(left, command, "c1", MARIA, later(2))

    assert (after.missed is None) is is_attended


def test_a_coordinator_whom_the_server_reports_attends_to_what_was_missed_before() -> None:
    left = apply_missed(chat(Status.AI), missed(after_s=5))

    earlier = apply_server_state(left, reported(Status.LIVE, after_s=4))
    later_one = apply_server_state(left, reported(Status.LIVE, after_s=5))
    closed = apply_server_state(left, reported(Status.CLOSED, after_s=6))

    assert earlier.missed == missed(after_s=5)
    assert later_one.missed is None
    assert closed.missed == missed(after_s=5)


def test_a_claim_that_the_server_refuses_leaves_the_missed_message() -> None:
    left = apply_missed(claimed(), missed())

    after = complete_command(left, "c1", reported(Status.AI))

    assert (after.status, after.missed) == (Status.AI, missed())


@pytest.mark.parametrize("status", list(Status))
def test_an_answer_takes_over_and_is_a_command_of_its_own(status: Status) -> None:
    left = apply_missed(chat(status, ION if status is Status.LIVE else None), missed())

    answered = apply_answer(left, answer(), "c1", later(9))

    assert (answered.status, answered.coordinator_id) == (Status.LIVE, MARIA)
    assert (answered.missed, answered.attended_until) == (None, missed().at)
    assert [each.answer for each in answered.pending_commands] == [answer()]


@pytest.mark.parametrize("status", list(Status))
def test_no_report_voids_an_answer_that_is_not_delivered_yet(status: Status) -> None:
    answered = apply_answer(apply_missed(chat(Status.AI), missed()), answer(), "c1", later(9))

    after = apply_server_state(answered, reported(status, after_s=10))

    assert after.pending_commands == answered.pending_commands


def test_an_answer_that_opens_a_new_conversation_takes_the_later_commands_along() -> None:
    answered = apply_answer(apply_missed(chat(Status.CLOSED), missed()), answer(), "c1", later(9))
    returned = apply_command(answered, CoordinatorCommand.RETURN, "c2", MARIA, later(10))
    new = replace(chat(Status.AI), session_id=SessionId("s2"))

    old, opened = move_commands(returned, "c1", new, reported(Status.LIVE, after_s=11))

    assert (old.session_id, old.status, old.pending_commands) == ("s1", Status.CLOSED, ())
    assert (opened.session_id, opened.status) == ("s2", Status.LIVE)
    assert [each.command_id for each in opened.pending_commands] == ["c2"]


# Waits.


def test_the_takeover_ends_the_wait_that_began_with_the_request() -> None:
    waiting = chat(Status.WAITING)

    ended = ended_wait_s(
        waiting, apply_command(waiting, CoordinatorCommand.SPEAK, "", ION, later(7))
    )
    cancelled = ended_wait_s(waiting, apply_server_state(waiting, reported(Status.AI)))
    unasked = ended_wait_s(None, chat(Status.LIVE, ION))
    backwards = ended_wait_s(waiting, replace(chat(Status.LIVE, ION), since=later(-5)))

    assert (ended, cancelled, unasked, backwards) == (7.0, None, None, 0.0)


@pytest.mark.parametrize(
    ("waits_s", "usual_s"), [([], None), ([4.4], 4), ([1, 90, 3], 3), ([2, 4, 6, 100], 5)]
)
def test_the_usual_wait_is_the_median(waits_s: list[float], usual_s: int | None) -> None:
    assert usual_wait_s(waits_s) == usual_s


# Who has spoken last.


def said(author: Author, text: str = "Bună!", after_s: float = 0) -> ChatMessage:
    return ChatMessage(message_id=MessageId("m1"), author=author, text=text, at=later(after_s))


def test_the_users_messages_are_unanswered_until_anybody_else_writes() -> None:
    asked = apply_message(chat(Status.AI), said(Author.USER, after_s=1))
    again = apply_message(asked, said(Author.USER, after_s=2))

    assert (again.unanswered, again.unanswered_since) == (2, later(1))
    for author in (Author.AI, Author.COORDINATOR):
        answered = apply_message(again, said(author, after_s=3))
        assert (answered.unanswered, answered.unanswered_since) == (0, None)


def test_a_clock_that_is_ahead_makes_no_later_message_answered() -> None:
    answered = apply_message(chat(Status.LIVE, MARIA), said(Author.COORDINATOR, after_s=240))
    asked = apply_message(answered, said(Author.USER, after_s=1))

    assert (asked.unanswered, asked.last and asked.last.author) == (1, Author.USER)


def test_nothing_is_unanswered_in_a_closed_conversation() -> None:
    asked = apply_message(chat(Status.LIVE, MARIA), said(Author.USER))

    closed = apply_command(asked, CoordinatorCommand.CLOSE, "c1", MARIA, later(1))

    assert (closed.unanswered, closed.unanswered_since) == (0, None)
    assert closed.last == asked.last


def test_the_last_message_is_cut_to_200_characters() -> None:
    last = apply_message(chat(Status.AI), said(Author.USER, "x" * 8_000)).last

    assert last is not None
    assert last.text == "x" * 199 + "…"


def test_a_late_report_that_a_claim_began_does_not_undo_a_requeuing() -> None:
    requeued = apply_command(claimed(), CoordinatorCommand.REQUEUE, "c2", MARIA, later(2))
    reported = ServerState(status=Status.LIVE, at=later(3), coordinator_id=MARIA)

    assert apply_server_state(requeued, reported) is requeued


@pytest.mark.parametrize("status", [Status.AI, Status.CLOSED])
def test_a_user_who_leaves_the_queue_ends_a_requeuing(status: Status) -> None:
    requeued = apply_command(claimed(), CoordinatorCommand.REQUEUE, "c2", MARIA, later(2))
    reported = ServerState(status=status, at=later(3))

    chat_after = apply_server_state(requeued, reported)

    assert (chat_after.status, chat_after.pending_commands) == (status, ())


def test_who_goes_back_to_the_queue_keeps_the_place_of_their_first_request() -> None:
    requeued = apply_command(claimed(), CoordinatorCommand.REQUEUE, "c2", MARIA, later(60))
    again = apply_command(requeued, CoordinatorCommand.CLAIM, "c3", ION, later(70))

    assert (requeued.waiting_since, requeued.since) == (AT, later(60))
    assert ended_wait_s(requeued, again) == 10


def test_who_was_with_the_ai_in_between_waits_anew() -> None:
    stepped_in = apply_command(chat(Status.AI), CoordinatorCommand.TAKE_OVER, "c1", MARIA, later(5))
    requeued = apply_command(stepped_in, CoordinatorCommand.REQUEUE, "c2", MARIA, later(60))

    assert requeued.waiting_since == later(5)
