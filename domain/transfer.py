"""A request for a human, and its state."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from domain.identity import CoordinatorId, TransferId
from domain.status import CLOSING, Reason


class TransferState(StrEnum):
    """The state of a request for a human."""

    REQUESTED = "requested"
    DELIVERED = "delivered"
    ACCEPTED = "accepted"
    ENDED = "ended"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FAILED = "failed"


class TransferProgress(StrEnum):
    """The progress of a request's delivery; the user is notified of each at most once."""

    UNREACHABLE = "unreachable"
    """It has not been delivered yet."""
    REACHED = "reached"
    """It has been delivered after all."""
    REFUSED = "refused"
    """It can never be delivered."""


_AFTER: dict[Reason, TransferState] = {
    Reason.ACCEPTED: TransferState.ACCEPTED,
    Reason.TAKEOVER: TransferState.ACCEPTED,
    Reason.CANCELLED: TransferState.CANCELLED,
    Reason.EXPIRED: TransferState.EXPIRED,
    Reason.RETURNED: TransferState.ENDED,
    Reason.ENDED_BY_USER: TransferState.ENDED,
}


class Transfer(Struct, frozen=True, kw_only=True):
    """A request for a human: `requested → delivered → accepted → ended`, or it fails."""

    transfer_id: TransferId
    reason: Reason
    """`user_request`, `ai_decision`, `ai_failure` or `coordinator`."""
    state: TransferState
    requested_at: datetime
    expires_at: datetime | None = None
    """The time at which it expires unless it is accepted."""
    coordinator_id: CoordinatorId | None = None
    ended: Reason | None = None

    def after(self, reason: Reason, coordinator_id: CoordinatorId | None) -> "Transfer":
        """Return the transfer once its session has changed status for `reason`."""
        if reason in CLOSING:
            accepted = self.state is TransferState.ACCEPTED
            state = TransferState.ENDED if accepted else TransferState.CANCELLED
        else:
            state = _AFTER[reason]
        is_live = state is TransferState.ACCEPTED
        return replace(
            self,
            state=state,
            coordinator_id=coordinator_id if is_live else self.coordinator_id,
            ended=None if is_live else reason,
        )
