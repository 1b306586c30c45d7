"""The owners of a conversation, and the table of all status changes."""

from enum import StrEnum


class Status(StrEnum):
    """The owner of the conversation."""

    AI = "ai"
    WAITING = "waiting"
    LIVE = "live"
    CLOSED = "closed"


class Reason(StrEnum):
    """The reason of a status change; the first four are also reasons of a transfer.

    `delivered` and `undeliverable` are of the request alone, and change no owner.
    """

    USER_REQUEST = "user_request"
    AI_DECISION = "ai_decision"
    AI_FAILURE = "ai_failure"
    COORDINATOR = "coordinator"
    ACCEPTED = "accepted"
    TAKEOVER = "takeover"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    DELIVERED = "delivered"
    UNDELIVERABLE = "undeliverable"
    RETURNED = "returned"
    ENDED_BY_USER = "ended_by_user"
    CLOSED_BY_COORDINATOR = "closed_by_coordinator"
    REQUEUED = "requeued"
    """A coordinator has given the conversation back to the queue."""
    COORDINATOR_AWAY = "coordinator_away"
    """The coordinator who had it has gone."""
    IDLE = "idle"
    SIGNED_IN = "signed_in"
    """A visitor has signed in, and goes on as a user."""
    CLOSED_BY_USER = "closed_by_user"
    """No decision gives this reason; it can only be read from stored data (`tests/data`)."""


CLOSING = frozenset({Reason.CLOSED_BY_COORDINATOR, Reason.IDLE})
DELIVERY = frozenset({Reason.DELIVERED, Reason.UNDELIVERABLE})
"""The outcomes of delivering a request for a human to the bridge: owner and epoch stay."""
REQUEUING = frozenset({Reason.REQUEUED, Reason.COORDINATOR_AWAY})
"""The user waits again, for another coordinator than the one they had."""
_ASKING = frozenset({Reason.USER_REQUEST, Reason.AI_DECISION, Reason.AI_FAILURE})

TRANSITIONS: dict[tuple[Status, Status], frozenset[Reason]] = {
    (Status.AI, Status.WAITING): _ASKING,
    (Status.AI, Status.LIVE): frozenset({Reason.COORDINATOR}),
    (Status.WAITING, Status.WAITING): DELIVERY,
    (Status.WAITING, Status.LIVE): frozenset({Reason.ACCEPTED}),
    (Status.LIVE, Status.LIVE): frozenset({Reason.TAKEOVER}),
    (Status.LIVE, Status.WAITING): REQUEUING,
    (Status.WAITING, Status.AI): frozenset({Reason.CANCELLED, Reason.EXPIRED}),
    (Status.LIVE, Status.AI): frozenset({Reason.RETURNED, Reason.ENDED_BY_USER}),
    (Status.AI, Status.CLOSED): CLOSING | {Reason.SIGNED_IN},
    (Status.WAITING, Status.CLOSED): CLOSING,
    (Status.LIVE, Status.CLOSED): CLOSING,
}
"""All status changes: (from, to) → the reasons that may cause it."""
