"""Sessions and contexts to decide upon."""

import itertools
from datetime import datetime, timedelta

from domain.decision_context import DecisionContext
from domain.identity import CoordinatorId, MessageId, SessionId, TransferId, customer
from domain.session import Draft, Session
from domain.status import Reason, Status
from tests.support.clock import START

ANA, DAN = CoordinatorId("ana"), CoordinatorId("dan")


def at(seconds: float = 0) -> datetime:
    """A moment, counted from the beginning."""
    return START + timedelta(seconds=seconds)


def new_session(session_id: str = "s1") -> Session:
    """A session without entries."""
    return Session(
        session_id=SessionId(session_id),
        customer=customer("b1", "u1"),
        location_id=None,
        opened_at=START,
        updated_at=START,
    )


def decision_context(seconds: float = 0, language: str = "ro") -> DecisionContext:
    """A moment to decide something in, with ids of its own."""
    count = itertools.count(1)
    return DecisionContext(
        at=at(seconds),
        new_id=lambda: f"id-{seconds}-{next(count)}",
        language=language,
        transfer_timeout_s=300,
    )


def session_in(status: Status, coordinator_id: CoordinatorId | None = ANA) -> Session:
    """A session that has come to `status` by the shortest way."""
    draft = Draft(new_session())
    if status is Status.WAITING:
        draft.request_transfer(Reason.USER_REQUEST, TransferId("t1"), at(), timeout_s=300)
    elif status is Status.LIVE:
        draft.assign(coordinator_id, TransferId("t1"), at())
    elif status is Status.CLOSED:
        draft.change_status(Status.CLOSED, Reason.CLOSED_BY_COORDINATOR, at())
    return draft.session


def message_id(number: int = 1) -> MessageId:
    return MessageId(f"m{number}")
