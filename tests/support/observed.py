"""What an observer of the application is told."""

from datetime import UTC, datetime
from typing import Any

from application.ports import EndedTurn
from domain.identity import BusinessId, Customer, MessageId, SessionId, UserId
from domain.notice import Notice, QuestionAsked

ANA = Customer(BusinessId("b1"), UserId("u1"))
AT = datetime(2026, 11, 1, tzinfo=UTC)


def ended(session_id: str | None = "s1", **other: Any) -> EndedTurn:
    whole = {
        "customer": ANA,
        "response_id": MessageId("r1"),
        "session_id": SessionId(session_id) if session_id is not None else None,
        "outcome": "answered",
        "seconds": 1.23456,
        "first_token_s": 0.25,
        "tools": (),
        "usage": None,
        "error": None,
    }
    return EndedTurn(**{**whole, **other})


def notice(session_id: str = "s1", attempts: int = 0) -> Notice:
    return Notice(
        notice_id="n1",
        session_id=SessionId(session_id),
        customer=ANA,
        position=10,
        content=QuestionAsked(at=AT, text="Bună"),
        due_at=AT,
        attempts=attempts,
    )
