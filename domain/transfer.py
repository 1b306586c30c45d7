"""A request for a human, and its state."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from domain.identity import CoordinatorId, TransferId
from domain.status import CLOSING, DELIVERY, Reason


class TransferState(StrEnum):
    """The state of a request for a human."""

    REQUESTED = "requested"
    """It is stored. It stays so where no bridge is notified."""
    DELIVERED = "delivered"
    """The bridge has acknowledged it."""
    FAILED = "failed"
    """It is a dead letter; the user waits all the same, until it expires or is cancelled."""
    ACCEPTED = "accepted"
    ENDED = "ended"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


_AFTER: dict[Reason, TransferState] = {
    Reason.ACCEPTED: TransferState.ACCEPTED,
    Reason.TAKEOVER: TransferState.ACCEPTED,
    Reason.CANCELLED: TransferState.CANCELLED,
    Reason.EXPIRED: TransferState.EXPIRED,
    Reason.DELIVERED: TransferState.DELIVERED,
    Reason.UNDELIVERABLE: TransferState.FAILED,
    Reason.RETURNED: TransferState.ENDED,
    Reason.ENDED_BY_USER: TransferState.ENDED,
}


class Transfer(Struct, frozen=True, kw_only=True):
    """A request for a human: `requested → delivered → accepted → ended`.

    It may be accepted before it is delivered, and become `failed` and be delivered after all.
    Instead of being accepted it may become `expired` or `cancelled`.
    """

    transfer_id: TransferId
    reason: Reason
    """`user_request`, `ai_decision`, `ai_failure` or `coordinator`."""
    state: TransferState
    requested_at: datetime
    expires_at: datetime | None = None
    """The time at which it expires unless it is accepted."""
    coordinator_id: CoordinatorId | None = None
    ended: Reason | None = None
    """The reason for which it is over; None: it is not."""

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
            ended=None if is_live or reason in DELIVERY else reason,
        )
