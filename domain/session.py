"""One conversation of one customer: its head, folded from its log, and what is to be appended."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from domain.business import DEFAULT_LANGUAGE
from domain.errors import SessionClosed, TransitionRefused
from domain.identity import CoordinatorId, Customer, LocationId, MessageId, SessionId, TransferId
from domain.message import Action, Author, Entry, Message, StatusChange, Summary, ToolUse, cost
from domain.notice import Notice
from domain.status import TRANSITIONS, Reason, Status
from domain.transfer import Transfer, TransferState
from domain.usage import Usage, together

# To reach a member through its enum is slow before CPython 3.12; a turn does it two dozen times.
_AI, _WAITING, _CLOSED = Status.AI, Status.WAITING, Status.CLOSED
_BY_USER, _BY_AI = Author.USER, Author.AI


class Timing(Struct, frozen=True, kw_only=True):
    """When the sweep must look at a session again."""

    retake: timedelta
    """An unanswered message older than this lost its turn to a crash; it gets another."""
    idle: timedelta
    """A session this long without an entry is closed."""


class Session(
    Struct,
    frozen=True,
    kw_only=True,
    rename={
        "last_user_seq": "asked",
        "settled_seq": "answered",
        "handover_note": "summary",
        "summary": "digest",
    },
):
    """The head of a session: all that its log says of it, without the words.

    The log is the truth: `after` folds one entry in, so a lost head can be made again.
    """

    session_id: SessionId
    customer: Customer
    location_id: LocationId | None
    opened_at: datetime
    updated_at: datetime
    status: Status = Status.AI
    reason: Reason | None = None
    """Why the status is what it is; None as long as it never changed."""
    epoch: int = 0
    """+1 at every status change: what was begun in another epoch may not be finished in this."""
    seq: int = 0
    """The newest entry's; 0 before the first."""
    last_user_seq: int = 0
    """The newest user message's seq."""
    settled_seq: int = 0
    """User messages up to this seq are settled."""
    failures: int = 0
    """Turns in a row that the AI could not answer."""
    transfer: Transfer | None = None
    """The newest one."""
    handover_note: str | None = None
    """A summary for the next coordinator, by whoever handed the conversation over last."""
    tokens: int | None = None
    """About how many all its entries take up in a view, counted once as each is said.

    None: nobody has counted from the beginning.
    """
    summary: Summary | None = None
    """The newest rolling summary."""
    usage: Usage | None = None
    """What the answers and digests have cost together; None: nothing was counted."""

    @property
    def is_open(self) -> bool:
        """Whether the session still takes entries."""
        return self.status is not _CLOSED

    @property
    def needs_answer(self) -> bool:
        """Whether the AI owes an answer."""
        return self.status is _AI and self.last_user_seq > self.settled_seq

    def waits_for(self, transfer_id: TransferId) -> bool:
        """Whether this request for a human is still to be answered."""
        transfer = self.transfer if self.status is _WAITING else None
        return transfer is not None and transfer.transfer_id == transfer_id

    def due_at(self, timing: Timing) -> datetime | None:
        """When the sweep must look at the session; None: never again."""
        if self.status is _CLOSED:
            return None
        if self.status is _WAITING and self.transfer and self.transfer.expires_at:
            return self.transfer.expires_at
        return self.updated_at + (timing.retake if self.needs_answer else timing.idle)

    def after(self, entry: Entry) -> "Session":
        """The head once `entry` is in the log."""
        if isinstance(entry, Message):
            return self.after_message(entry)
        return self._after_change(entry)

    def after_message(self, message: Message) -> "Session":
        """The head once `message` is in the log."""
        failures, usage = self.failures, self.usage
        author = message.author
        if author is _BY_AI:
            failures = 0
        elif message.failed:
            failures += 1
        if message.usage is not None or message.summary is not None:
            usage = self._spent(message)
        return replace(
            self,
            updated_at=message.at,
            seq=message.seq,
            last_user_seq=message.seq if author is _BY_USER else self.last_user_seq,
            settled_seq=message.answers or self.settled_seq,
            failures=failures,
            tokens=self._tokens_with(message),
            summary=message.summary or self.summary,
            usage=usage,
        )

    def _spent(self, message: Message) -> Usage | None:
        digest = message.summary
        return together(self.usage, message.usage, digest.usage if digest is not None else None)

    def _after_change(self, change: StatusChange) -> "Session":
        # What a user wrote in vain while waiting is still owed an answer; all else is settled.
        in_vain = change.reason in (Reason.EXPIRED, Reason.CANCELLED)
        settled = self.settled_seq if in_vain else self.last_user_seq
        return replace(
            self,
            updated_at=change.at,
            status=change.status,
            reason=change.reason,
            epoch=change.epoch,
            seq=change.seq,
            settled_seq=settled,
            failures=0,
            transfer=change.transfer,
            handover_note=change.handover_note or self.handover_note,
            tokens=self._tokens_with(change),
        )

    def _tokens_with(self, entry: Entry) -> int | None:
        if self.tokens is None:
            return cost(entry) if self.seq == 0 else None
        return self.tokens + cost(entry)


class Draft:
    """Entries that are to be appended to a session together: a decision, not yet stored."""

    __slots__ = ("entries", "from_bridge", "key", "language", "notices", "session")

    def __init__(self, session: Session, *, key: str | None = None) -> None:
        if not session.is_open:
            raise SessionClosed
        self.session = session
        """The head as it will be."""
        self.entries: list[Entry] = []
        self.key = key
        """Idempotency key: a customer's log takes each at most once."""
        self.notices: Sequence[Notice] = ()
        """What the bridge must be told of it, stored with the entries or not at all."""
        self.from_bridge = False
        """Whether the bridge has these words already: it is where they were said."""
        self.language = DEFAULT_LANGUAGE
        """The customer's, for whoever is handed the conversation."""

    @property
    def keyed_seq(self) -> int:
        """The seq of what the key is of: what a person said, among what is stored along with it."""
        for entry in self.entries:
            if isinstance(entry, Message) and entry.author is not Author.SYSTEM:
                return entry.seq
        return self.entries[0].seq

    def say(
        self,
        author: Author,
        message_id: MessageId,
        text: str,
        at: datetime,
        *,
        actions: tuple[Action, ...] = (),
        in_reply_to: tuple[MessageId, ...] = (),
        answers: int = 0,
        failed: bool = False,
        coordinator_id: CoordinatorId | None = None,
        tools: tuple[ToolUse, ...] = (),
        usage: Usage | None = None,
        digest: Summary | None = None,
    ) -> Message:
        """Append a message."""
        message = Message(
            seq=self.session.seq + 1,
            message_id=message_id,
            author=author,
            text=text,
            at=at,
            actions=actions,
            in_reply_to=in_reply_to,
            answers=answers,
            failed=failed,
            coordinator_id=coordinator_id,
            tools=tools,
            usage=usage,
            summary=digest,
        )
        self.entries.append(message)
        self.session = self.session.after_message(message)
        return message

    def ask_for_human(
        self,
        reason: Reason,
        transfer_id: TransferId,
        at: datetime,
        *,
        timeout_s: float,
        summary: str | None = None,
    ) -> StatusChange:
        """Append `ai → waiting`, with a new transfer that expires in `timeout_s` seconds."""
        transfer = Transfer(
            transfer_id=transfer_id,
            reason=reason,
            state=TransferState.REQUESTED,
            requested_at=at,
            expires_at=at + timedelta(seconds=timeout_s),
        )
        return self._change(Status.WAITING, reason, at, transfer, summary)

    def hand_to(
        self, coordinator_id: CoordinatorId | None, transfer_id: TransferId, at: datetime
    ) -> StatusChange:
        """Append the change to `live`: accepted, taken over, or taken without having been asked."""
        session = self.session
        if session.status is Status.AI or session.transfer is None:
            transfer = Transfer(
                transfer_id=transfer_id,
                reason=Reason.COORDINATOR,
                state=TransferState.ACCEPTED,
                requested_at=at,
                coordinator_id=coordinator_id,
            )
            return self._change(Status.LIVE, Reason.COORDINATOR, at, transfer)
        reason = Reason.TAKEOVER if session.status is Status.LIVE else Reason.ACCEPTED
        return self.change(Status.LIVE, reason, at, coordinator_id=coordinator_id)

    def change(
        self,
        to: Status,
        reason: Reason,
        at: datetime,
        *,
        coordinator_id: CoordinatorId | None = None,
        summary: str | None = None,
    ) -> StatusChange:
        """Append a status change, and take the transfer along. Raises: TransitionRefused."""
        self._check(to, reason)
        transfer = self.session.transfer
        if transfer is not None and self.session.status is not Status.AI:
            transfer = transfer.after(reason, coordinator_id)
        return self._change(to, reason, at, transfer, summary)

    def _check(self, to: Status, reason: Reason) -> None:
        if reason not in TRANSITIONS.get((self.session.status, to), ()):
            raise TransitionRefused(f"{self.session.status} to {to} is not possible")

    def _change(
        self,
        to: Status,
        reason: Reason,
        at: datetime,
        transfer: Transfer | None,
        summary: str | None = None,
    ) -> StatusChange:
        self._check(to, reason)
        change = StatusChange(
            seq=self.session.seq + 1,
            status=to,
            epoch=self.session.epoch + 1,
            reason=reason,
            at=at,
            transfer=transfer,
            handover_note=summary,
        )
        self.entries.append(change)
        self.session = self.session.after(change)
        return change
