"""The notices to the bridge: what each one reports, and the outcome of an attempt to deliver it."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from msgspec import Struct

from domain.identity import (
    CoordinatorId,
    Customer,
    LocationId,
    MessageId,
    SessionId,
    TransferId,
)
from domain.message import Author, ToolUse
from domain.rating import Stars
from domain.status import Reason, Status
from domain.write_call import WriteStep


class NoticeKind(StrEnum):
    """The kind of a notice: stored with it, and its name in metrics and logs."""

    CONVERSATION = "conversation"
    CONTEXT = "context"
    STATUS = "status"
    TRANSFER = "transfer"
    RELAY = "relay"
    MISSED = "missed"
    CONFIRMATION = "confirmation"
    RATING = "rating"


class Lane(StrEnum):
    """A queue of notices: those of a session's lane wait for each other, and for no other lane."""

    PEOPLE = "people"
    """Requests for a human, changes of hands, and the user's words to coordinators."""
    REPORTS = "reports"
    """What the user and the AI said to each other, and ratings: optional for the bridge."""


class HandoverMessage(Struct, frozen=True, kw_only=True):
    """One of the last messages of a handover context."""

    seq: int
    author: Author
    text: str
    at: datetime


class HandoverContext(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The facts that a coordinator needs before the first reply, as of one moment.

    Bounded in size, whatever the length of the log; see `domain.handover`.
    """

    session_id: SessionId
    customer: Customer
    location_id: LocationId | None = None
    status: Status
    reason: Reason | None = None
    """The reason for which a human was requested; None if none was."""
    summary: str | None = None
    language: str
    """The customer's, or else the business's: a BCP 47 tag."""
    open_question: str | None = None
    """The user's newest message, if it has no reply yet."""
    tools_used: tuple[ToolUse, ...] = ()
    """The newest tool calls of the AI, oldest first."""
    last_messages: tuple[HandoverMessage, ...] = ()


class _Content(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    """The base of all contents; the tag is stored."""

    at: datetime


class QuestionAsked(_Content, frozen=True, kw_only=True, tag="conversation"):
    """The user wrote while the AI owned the conversation."""

    kind: ClassVar[NoticeKind] = NoticeKind.CONVERSATION
    lane: ClassVar[Lane] = Lane.REPORTS
    text: str
    location_id: LocationId | None = None


class AnswerGiven(_Content, frozen=True, kw_only=True, tag="context"):
    """The AI answered."""

    kind: ClassVar[NoticeKind] = NoticeKind.CONTEXT
    lane: ClassVar[Lane] = Lane.REPORTS
    text: str
    question: str | None = None
    """The newest message that the answer is to."""


class StatusChanged(_Content, frozen=True, kw_only=True, tag="status"):
    """The conversation changed hands."""

    kind: ClassVar[NoticeKind] = NoticeKind.STATUS
    lane: ClassVar[Lane] = Lane.PEOPLE
    status: Status
    handover_note: str | None = None


class TransferRequested(_Content, frozen=True, kw_only=True, tag="transfer"):
    """A human was asked for."""

    kind: ClassVar[NoticeKind] = NoticeKind.TRANSFER
    lane: ClassVar[Lane] = Lane.PEOPLE
    transfer_id: TransferId
    reason: Reason
    context: HandoverContext


class LiveChatMessagePosted(_Content, frozen=True, kw_only=True, tag="relay"):
    """The user wrote while waiting for a human, or to one."""

    kind: ClassVar[NoticeKind] = NoticeKind.RELAY
    lane: ClassVar[Lane] = Lane.PEOPLE
    text: str
    message_id: MessageId


class MessageLeft(_Content, frozen=True, kw_only=True, tag="missed"):
    """The user left a message, as nobody could meet their request for a human."""

    kind: ClassVar[NoticeKind] = NoticeKind.MISSED
    lane: ClassVar[Lane] = Lane.PEOPLE
    text: str
    reason: Reason
    """The request's."""
    context: HandoverContext


class ConfirmationChanged(_Content, frozen=True, kw_only=True, tag="confirmation"):
    """A step of a call that needs a person's yes: from the question to what came of it."""

    kind: ClassVar[NoticeKind] = NoticeKind.CONFIRMATION
    lane: ClassVar[Lane] = Lane.PEOPLE
    step: WriteStep
    coordinator_id: CoordinatorId | None = None
    """Who has said yes or no, where a coordinator has."""
    location_id: LocationId | None = None


class ConversationRated(_Content, frozen=True, kw_only=True, tag="rating"):
    """The user rated the conversation."""

    kind: ClassVar[NoticeKind] = NoticeKind.RATING
    lane: ClassVar[Lane] = Lane.REPORTS
    stars: Stars
    location_id: LocationId | None = None


NoticeContent = (
    QuestionAsked
    | AnswerGiven
    | StatusChanged
    | TransferRequested
    | LiveChatMessagePosted
    | MessageLeft
    | ConfirmationChanged
    | ConversationRated
)


class Notice(Struct, frozen=True, kw_only=True):
    """One report to the bridge; those of a session's lane are delivered in order of `position`."""

    notice_id: str
    """Also the idempotency key of its delivery."""
    session_id: SessionId
    customer: Customer
    position: int
    """Rises within the session: ten times the seq of the entry that caused it, plus its index."""
    content: NoticeContent
    due_at: datetime
    attempts: int = 0

    @property
    def kind(self) -> NoticeKind:
        """The kind of its content."""
        return self.content.kind

    @property
    def lane(self) -> Lane:
        """The lane of its content."""
        return self.content.lane


class Delivered(Struct, frozen=True):
    """The bridge has accepted the notice; it is deleted."""


class Deferred(Struct, frozen=True):
    """The delivery failed; it is tried again at `until`."""

    until: datetime


class Undeliverable(Struct, frozen=True):
    """The delivery can never succeed: a dead letter, kept for the operator with the reason."""

    reason: str


Outcome = Delivered | Deferred | Undeliverable


class DeadLetter(Struct, frozen=True):
    """An undeliverable notice, and the reason."""

    notice: Notice
    reason: str
