"""What the bridge must still be told: one notice, and what became of an attempt to deliver it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from domain.identity import Customer, SessionId


class NoticeKind(StrEnum):
    """Which of the bridge's calls a notice becomes."""

    CONVERSATION = "conversation"
    CONTEXT = "context"
    STATUS = "status"
    TRANSFER = "transfer"
    RELAY = "relay"


class Notice(Struct, frozen=True, kw_only=True):
    """One thing to tell the bridge; those of a session are delivered in order of `position`."""

    notice_id: str
    """Also the idempotency key of its delivery."""
    session_id: SessionId
    customer: Customer
    position: int
    """Rises within the session: the seq of the entry that caused it, times 10, plus its place."""
    kind: NoticeKind
    body: Mapping[str, object]
    """The JSON object to send."""
    due_at: datetime
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Delivered:
    """The bridge has it; the notice is gone."""


@dataclass(frozen=True, slots=True)
class Deferred:
    """It did not get through; try again at `until`."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Undeliverable:
    """It never will get through: a dead letter, kept for the operator with the reason."""

    reason: str


Outcome = Delivered | Deferred | Undeliverable


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A notice that the bridge will never take as it is, and why."""

    notice: Notice
    reason: str
