"""One request for a human, and how far it has come."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from domain.identity import CoordinatorId, TransferId
from domain.status import CLOSING, Reason


class TransferState(StrEnum):
    """How far a request for a human has come."""

    REQUESTED = "requested"
    DELIVERED = "delivered"
    ACCEPTED = "accepted"
    ENDED = "ended"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FAILED = "failed"


class TransferProgress(StrEnum):
    """What the user is told of the delivery of a request, each at most once."""

    UNREACHABLE = "unreachable"
    """It has not got through yet."""
    REACHED = "reached"
    """It has got through after all."""
    REFUSED = "refused"
    """It never will."""


_AFTER: dict[Reason, TransferState] = {
    Reason.ACCEPTED: TransferState.ACCEPTED,
    Reason.TAKEOVER: TransferState.ACCEPTED,
    Reason.CANCELLED: TransferState.CANCELLED,
    Reason.EXPIRED: TransferState.EXPIRED,
    Reason.RETURNED: TransferState.ENDED,
    Reason.ENDED_BY_USER: TransferState.ENDED,
}


class Transfer(Struct, frozen=True, kw_only=True):
    """One request for a human: `requested → delivered → accepted → ended`, or it fails."""

    transfer_id: TransferId
    reason: Reason
    """`user_request`, `ai_decision`, `ai_failure` or `coordinator`."""
    state: TransferState
    requested_at: datetime
    expires_at: datetime | None = None
    """When a request that nobody has accepted expires."""
    coordinator_id: CoordinatorId | None = None
    ended: Reason | None = None

    def after(self, reason: Reason, coordinator_id: CoordinatorId | None) -> "Transfer":
        """The transfer once its session has changed status for `reason`."""
        if reason in CLOSING:
            taken = self.state is TransferState.ACCEPTED
            state = TransferState.ENDED if taken else TransferState.CANCELLED
        else:
            state = _AFTER[reason]
        going_on = state is TransferState.ACCEPTED
        return replace(
            self,
            state=state,
            coordinator_id=coordinator_id if going_on else self.coordinator_id,
            ended=None if going_on else reason,
        )
