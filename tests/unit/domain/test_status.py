"""The table of status changes, cell by cell: what is in it happens, all else is refused."""

import itertools

import pytest

from domain.errors import Refusal, SessionClosed, TransitionRefused
from domain.identity import TransferId
from domain.message import Author, Entry, Message, StatusChange
from domain.session import Draft
from domain.status import CLOSING, DELIVERY, REQUEUING, TRANSITIONS, Reason, Status
from domain.transfer import TransferState
from tests.unit.domain.makers import ANA, DAN, at, message_id, session_in

S, R = Status, Reason
ALLOWED = {
    (S.AI, S.WAITING, R.USER_REQUEST),
    (S.AI, S.WAITING, R.AI_DECISION),
    (S.AI, S.WAITING, R.AI_FAILURE),
    (S.AI, S.LIVE, R.COORDINATOR),
    (S.WAITING, S.WAITING, R.DELIVERED),
    (S.WAITING, S.WAITING, R.UNDELIVERABLE),
    (S.WAITING, S.LIVE, R.ACCEPTED),
    (S.LIVE, S.LIVE, R.TAKEOVER),
    (S.LIVE, S.WAITING, R.REQUEUED),
    (S.LIVE, S.WAITING, R.COORDINATOR_AWAY),
    (S.WAITING, S.AI, R.CANCELLED),
    (S.WAITING, S.AI, R.EXPIRED),
    (S.LIVE, S.AI, R.RETURNED),
    (S.LIVE, S.AI, R.ENDED_BY_USER),
    (S.AI, S.CLOSED, R.SIGNED_IN),
    *itertools.product((S.AI, S.WAITING, S.LIVE), (S.CLOSED,), CLOSING),
}
"""The table of the contract, written out once more: a change of either is a decision."""


@pytest.mark.parametrize(
    ("before", "to", "reason"), list(itertools.product(Status, Status, Reason))
)
def test_a_status_changes_as_the_table_has_it_and_not_otherwise(
    before: Status, to: Status, reason: Reason
) -> None:
    session = session_in(before)
    refused: Refusal | None = None
    entries: list[Entry] = []
    try:
        draft = Draft(session)
        entries = draft.entries
        if to is Status.WAITING and reason not in DELIVERY:
            draft.request_transfer(reason, TransferId("t2"), at(1), timeout_s=60)
        else:
            draft.change_status(to, reason, at(1), coordinator_id=DAN)
    except Refusal as refusal:
        refused = refusal

    if (before, to, reason) in ALLOWED:
        (change,) = entries
        assert isinstance(change, StatusChange)
        epoch = session.epoch + (before is not to or to is S.LIVE)
        assert (change.status, change.reason, change.epoch) == (to, reason, epoch)
    elif before is Status.CLOSED:
        assert isinstance(refused, SessionClosed)
    else:
        assert isinstance(refused, TransitionRefused)


def test_the_table_is_the_contracts() -> None:
    cells = {(*cell, reason) for cell, reasons in TRANSITIONS.items() for reason in reasons}

    assert cells == ALLOWED


@pytest.mark.parametrize("status", list(Status))
def test_there_is_a_way_out_of_every_status_but_closed(status: Status) -> None:
    ways = [to for before, to in TRANSITIONS if before is status]

    assert (Status.CLOSED in ways) == (status is not Status.CLOSED)


def test_a_refused_change_leaves_no_trace() -> None:
    draft = Draft(session_in(Status.AI))
    before = draft.session
    with pytest.raises(TransitionRefused):
        draft.change_status(Status.AI, Reason.RETURNED, at(1))

    assert draft.entries == []
    assert draft.session is before


@pytest.mark.parametrize(
    ("before", "to", "reason", "state"),
    [
        (S.WAITING, S.WAITING, R.DELIVERED, TransferState.DELIVERED),
        (S.WAITING, S.WAITING, R.UNDELIVERABLE, TransferState.FAILED),
        (S.WAITING, S.LIVE, R.ACCEPTED, TransferState.ACCEPTED),
        (S.LIVE, S.LIVE, R.TAKEOVER, TransferState.ACCEPTED),
        (S.WAITING, S.AI, R.CANCELLED, TransferState.CANCELLED),
        (S.WAITING, S.AI, R.EXPIRED, TransferState.EXPIRED),
        (S.LIVE, S.AI, R.RETURNED, TransferState.ENDED),
        (S.LIVE, S.AI, R.ENDED_BY_USER, TransferState.ENDED),
        (S.WAITING, S.CLOSED, R.CLOSED_BY_COORDINATOR, TransferState.CANCELLED),
        (S.WAITING, S.CLOSED, R.IDLE, TransferState.CANCELLED),
        (S.LIVE, S.CLOSED, R.CLOSED_BY_COORDINATOR, TransferState.ENDED),
    ],
)
def test_the_transfer_goes_along(
    before: Status, to: Status, reason: Reason, state: TransferState
) -> None:
    draft = Draft(session_in(before, ANA))
    draft.change_status(to, reason, at(1), coordinator_id=DAN)
    transfer = draft.session.transfer

    assert transfer is not None
    assert (transfer.transfer_id, transfer.state) == ("t1", state)
    is_over = state not in (TransferState.ACCEPTED, TransferState.DELIVERED, TransferState.FAILED)
    assert transfer.ended == (reason if is_over else None)


def test_a_takeover_keeps_the_transfer_and_changes_its_coordinator() -> None:
    draft = Draft(session_in(Status.LIVE, ANA))
    draft.assign(DAN, TransferId("unused"), at(1))
    transfer = draft.session.transfer

    assert transfer is not None
    assert (transfer.transfer_id, transfer.coordinator_id) == ("t1", DAN)


def test_a_transfer_that_is_over_stays_as_it_ended() -> None:
    draft = Draft(session_in(Status.LIVE, ANA))
    draft.change_status(Status.AI, Reason.RETURNED, at(1))
    ended = draft.session.transfer
    draft.change_status(Status.CLOSED, Reason.IDLE, at(2))

    assert draft.session.transfer == ended
    assert ended is not None
    assert ended.coordinator_id == ANA


def test_who_is_taken_without_having_been_asked_for_has_a_transfer_of_its_own() -> None:
    draft = Draft(session_in(Status.WAITING))
    draft.change_status(Status.AI, Reason.EXPIRED, at(1))
    draft.assign(ANA, TransferId("t2"), at(2))
    transfer = draft.session.transfer

    assert transfer is not None
    assert (transfer.transfer_id, transfer.reason) == ("t2", Reason.COORDINATOR)
    assert transfer.state is TransferState.ACCEPTED


@pytest.mark.parametrize("reason", sorted(DELIVERY))
def test_the_delivery_of_a_request_changes_nothing_but_its_transfer(reason: Reason) -> None:
    draft = Draft(session_in(Status.WAITING))
    draft.append_message(
        Message(seq=2, message_id=message_id(), author=Author.USER, text="Alo?", at=at(1))
    )
    before = draft.session
    draft.change_status(Status.WAITING, reason, at(2))
    draft.change_status(Status.AI, Reason.EXPIRED, at(3))

    assert before.reason is Reason.USER_REQUEST
    assert (draft.session.epoch, draft.session.reason) == (before.epoch + 1, Reason.EXPIRED)
    assert draft.session.needs_answer  # what was said while waiting in vain is still pending


def test_a_dead_request_that_is_retried_is_delivered_after_all() -> None:
    draft = Draft(session_in(Status.WAITING))
    draft.change_status(Status.WAITING, Reason.UNDELIVERABLE, at(1))
    draft.change_status(Status.WAITING, Reason.DELIVERED, at(2))
    draft.change_status(Status.LIVE, Reason.ACCEPTED, at(3), coordinator_id=ANA)
    transfer = draft.session.transfer

    assert transfer is not None
    assert (transfer.state, transfer.ended) == (TransferState.ACCEPTED, None)


@pytest.mark.parametrize("reason", sorted(REQUEUING))
def test_who_goes_back_to_the_queue_has_a_request_of_their_own_for_the_same_reason(
    reason: Reason,
) -> None:
    draft = Draft(session_in(Status.LIVE, ANA))
    first = draft.session.transfer
    draft.request_transfer(reason, TransferId("t2"), at(1), timeout_s=60)
    transfer = draft.session.transfer

    assert first is not None
    assert transfer is not None
    assert (transfer.transfer_id, transfer.reason) == ("t2", first.reason)
    assert (transfer.state, transfer.coordinator_id) == (TransferState.REQUESTED, None)
    assert (transfer.requested_at, transfer.expires_at) == (at(1), at(61))
