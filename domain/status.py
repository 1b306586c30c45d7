"""Who may own a conversation, and every way in which that changes."""

from enum import StrEnum


class Status(StrEnum):
    """Who owns the conversation."""

    AI = "ai"
    WAITING = "waiting"
    LIVE = "live"
    CLOSED = "closed"


class Reason(StrEnum):
    """Why a status changed; the first four are also why a human was asked for."""

    USER_REQUEST = "user_request"
    AI_DECISION = "ai_decision"
    AI_FAILURE = "ai_failure"
    COORDINATOR = "coordinator"
    ACCEPTED = "accepted"
    TAKEOVER = "takeover"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    RETURNED = "returned"
    ENDED_BY_USER = "ended_by_user"
    CLOSED_BY_COORDINATOR = "closed_by_coordinator"
    CLOSED_BY_USER = "closed_by_user"
    IDLE = "idle"


CLOSING = frozenset({Reason.CLOSED_BY_COORDINATOR, Reason.CLOSED_BY_USER, Reason.IDLE})
_ASKING = frozenset({Reason.USER_REQUEST, Reason.AI_DECISION, Reason.AI_FAILURE})

TRANSITIONS: dict[tuple[Status, Status], frozenset[Reason]] = {
    (Status.AI, Status.WAITING): _ASKING,
    (Status.AI, Status.LIVE): frozenset({Reason.COORDINATOR}),
    (Status.WAITING, Status.LIVE): frozenset({Reason.ACCEPTED}),
    (Status.LIVE, Status.LIVE): frozenset({Reason.TAKEOVER}),
    (Status.WAITING, Status.AI): frozenset({Reason.CANCELLED, Reason.EXPIRED}),
    (Status.LIVE, Status.AI): frozenset({Reason.RETURNED, Reason.ENDED_BY_USER}),
    (Status.AI, Status.CLOSED): CLOSING,
    (Status.WAITING, Status.CLOSED): CLOSING,
    (Status.LIVE, Status.CLOSED): CLOSING,
}
"""Every status change there is: (from, to) → the reasons that may cause it."""
