"""The rules of a live chat: who may do what, and whose word holds when news and acts cross."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from domain.bridge.live_chat import (
    ACTS,
    OVERTAKES,
    Act,
    AlreadyClaimed,
    LiveChat,
    Told,
    TransferNews,
    act,
    hear_status,
    hear_transfer,
    settle,
)
from domain.errors import ConversationError, SessionClosed, TransitionRefused
from domain.identity import BusinessId, CoordinatorId, Customer, SessionId, TransferId, UserId
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
        told_at=AT,
    )


def told(status: Status, after_s: float = 1) -> Told:
    return Told(status=status, at=later(after_s))


def asked(transfer_id: str = "t1", after_s: float = 1) -> TransferNews:
    return TransferNews(
        transfer_id=TransferId(transfer_id),
        reason="user_request",
        context={"summary": "…"},
        at=later(after_s),
    )


def claimed() -> LiveChat:
    """Maria has claimed it, and the server has not heard of it yet."""
    return act(chat(Status.WAITING), Act.CLAIM, "w1", MARIA, later(1))


@pytest.mark.parametrize(("status", "what"), list(itertools.product(Status, Act)))
def test_an_act_leads_where_the_table_says_and_is_refused_where_it_says_nothing(
    status: Status, what: Act
) -> None:
    before = chat(status, MARIA if status is Status.LIVE else None)

    try:
        after: Status | None = act(before, what, "w1", MARIA, later(1)).status
    except ConversationError:
        after = None

    repeats = {(Status.AI, Act.RETURN): Status.AI, (Status.CLOSED, Act.CLOSE): Status.CLOSED}
    assert after == {**ACTS, **repeats}.get((status, what))


def test_a_claim_holds_at_once_and_is_a_wish_until_the_server_has_heard_it() -> None:
    claim = claimed()

    assert (claim.status, claim.coordinator_id) == (Status.LIVE, MARIA)
    assert [(wish.wish_id, wish.status) for wish in claim.wishes] == [("w1", Status.LIVE)]


def test_two_coordinators_cannot_both_claim() -> None:
    with pytest.raises(AlreadyClaimed) as refused:
        act(claimed(), Act.CLAIM, "w2", ION, later(2))

    assert refused.value.by == MARIA


@pytest.mark.parametrize("what", [Act.RETURN, Act.CLOSE])
def test_a_conversation_is_not_ended_by_another_coordinator(what: Act) -> None:
    with pytest.raises(AlreadyClaimed):
        act(claimed(), what, "w2", ION, later(2))


def test_whoever_takes_over_has_it() -> None:
    taken = act(claimed(), Act.TAKE_OVER, "w2", ION, later(2))

    assert taken.coordinator_id == ION
    assert [wish.coordinator_id for wish in taken.wishes] == [MARIA, ION]


def test_claiming_again_changes_nothing() -> None:
    claim = claimed()

    again = act(claim, Act.CLAIM, "w2", MARIA, later(2))

    assert again is claim


def test_an_unclaimed_live_conversation_can_be_claimed() -> None:
    taken = act(chat(Status.LIVE), Act.CLAIM, "w1", MARIA, later(1))

    assert taken.coordinator_id == MARIA


def test_speaking_is_a_takeover_that_needs_no_wish() -> None:
    spoken = act(chat(Status.WAITING), Act.SPEAK, "", ION, later(1))

    assert (spoken.status, spoken.coordinator_id, spoken.wishes) == (Status.LIVE, ION, ())


def test_nobody_speaks_into_a_closed_conversation() -> None:
    with pytest.raises(SessionClosed):
        act(chat(Status.CLOSED), Act.SPEAK, "", ION, later(1))


def test_a_claim_of_a_user_who_waits_no_more_says_so() -> None:
    with pytest.raises(TransitionRefused, match="does not wait"):
        act(chat(Status.AI), Act.CLAIM, "w1", MARIA, later(1))


def test_a_return_leaves_its_summary_and_a_wish_that_carries_it() -> None:
    returned = act(claimed(), Act.RETURN, "w2", MARIA, later(2), "Masa e mutată.")

    assert (returned.status, returned.coordinator_id) == (Status.AI, None)
    assert returned.summary == "Masa e mutată."
    assert [wish.summary for wish in returned.wishes] == [None, "Masa e mutată."]


def test_a_transfer_makes_its_user_wait() -> None:
    waiting = hear_transfer(chat(Status.AI), asked())

    assert (waiting.status, waiting.waiting_since) == (Status.WAITING, later(1))
    assert (waiting.reason, waiting.context) == ("user_request", {"summary": "…"})


@pytest.mark.parametrize("status", Status)
def test_a_transfer_that_is_known_changes_nothing(status: Status) -> None:
    known = replace(chat(status), transfer_id=TransferId("t1"))

    heard = hear_transfer(known, asked("t1", after_s=9))

    assert heard is known


def test_a_transfer_older_than_the_newest_news_changes_nothing() -> None:
    returned = chat(Status.AI)

    heard = hear_transfer(returned, asked("t0", after_s=-1))

    assert heard is returned


def test_a_waiting_status_that_came_first_gets_its_context_from_the_transfer() -> None:
    waiting = hear_status(chat(Status.AI), told(Status.WAITING))

    heard = hear_transfer(waiting, asked())

    assert (heard.status, heard.waiting_since) == (Status.WAITING, later(1))
    assert heard.context == {"summary": "…"}


def test_old_news_of_a_status_change_nothing() -> None:
    live = chat(Status.LIVE, MARIA)

    heard = hear_status(live, told(Status.WAITING, after_s=-1))

    assert heard is live


@pytest.mark.parametrize(("wished", "news"), list(itertools.product(Status, Status)))
def test_news_void_a_wish_only_where_the_table_says_so(wished: Status, news: Status) -> None:
    wishing = replace(chat(wished), wishes=(replace(claimed().wishes[0], status=wished),))

    heard = hear_status(wishing, told(news))

    if (wished, news) in OVERTAKES:
        assert (heard.status, heard.wishes) == (news, ())
    else:
        assert heard is wishing


def test_a_user_who_cancels_while_being_claimed_is_let_go() -> None:
    heard = hear_status(claimed(), told(Status.AI, after_s=2))

    assert (heard.status, heard.coordinator_id, heard.wishes) == (Status.AI, None, ())


def test_a_granted_wish_leaves_the_chat_as_the_server_has_it() -> None:
    granted = settle(claimed(), "w1", Told(status=Status.LIVE, at=later(3), coordinator_id=MARIA))

    assert (granted.status, granted.coordinator_id) == (Status.LIVE, MARIA)
    assert (granted.wishes, granted.told_at) == ((), later(3))


def test_a_refused_wish_leaves_the_chat_as_the_server_has_it() -> None:
    settled = settle(claimed(), "w1", told(Status.CLOSED))

    assert (settled.status, settled.coordinator_id, settled.wishes) == (Status.CLOSED, None, ())


def test_an_answer_to_one_wish_does_not_undo_the_next() -> None:
    returned = act(claimed(), Act.RETURN, "w2", MARIA, later(2))

    settled = settle(returned, "w1", Told(status=Status.LIVE, at=later(3), coordinator_id=MARIA))

    assert settled.status is Status.AI
    assert [wish.wish_id for wish in settled.wishes] == ["w2"]


def test_what_the_server_says_later_of_an_answered_wish_is_old_news() -> None:
    granted = settle(claimed(), "w1", Told(status=Status.LIVE, at=later(3), coordinator_id=MARIA))

    heard = hear_status(granted, told(Status.WAITING, after_s=1))

    assert heard is granted


def test_who_has_it_stays_known_when_the_server_does_not_name_them() -> None:
    heard = hear_status(chat(Status.LIVE, MARIA), told(Status.LIVE))

    assert heard.coordinator_id == MARIA
