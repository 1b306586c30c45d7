"""One conversation of one customer: its head, folded from its log, and what is to be appended."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from domain.business import DEFAULT_LANGUAGE
from domain.errors import SessionClosed, TransitionRefused
from domain.identity import CoordinatorId, Customer, LocationId, SessionId, TransferId
from domain.message import Audience, Author, Entry, Message, StatusChange, Summary, token_cost
from domain.notice import Notice
from domain.plain_text import shortened
from domain.rating import Rating, stars_in
from domain.status import DELIVERY, REQUEUING, TRANSITIONS, Reason, Status
from domain.transfer import Transfer, TransferState
from domain.usage import Usage, together
from domain.write_call import (
    WriteCall,
    WriteState,
    calls_after_answer,
    calls_after_change,
    calls_after_step,
)

# Before 3.12, CPython takes 80 ns to reach a member of an enum, and every append needs a dozen.
_AI, _WAITING, _LIVE, _CLOSED = Status.AI, Status.WAITING, Status.LIVE, Status.CLOSED
_BY_AI, _BY_USER, _BY_SYSTEM = Author.AI, Author.USER, Author.SYSTEM
_ALL = Audience.ALL


class Timing(Struct, frozen=True, kw_only=True):
    """The delays after which the sweep looks at a session again."""

    retake: timedelta
    """The turn of an older pending message was lost in a crash; the message gets another."""
    idle: timedelta
    """A session this long without an entry is closed, unless a human has yet to answer in it."""


LONGEST_UNANSWERED = timedelta(days=7)
"""The silence after which a session is closed although a human has yet to answer in it.

The silence is the business's then: longer than a weekend and its holidays, and finite, so that a
conversation that everybody has forgotten does not hold its customer for ever.
"""


MAX_MISSED = 500
"""Characters of a message that a head has; the log has all of it."""


OUTCOME_WITHIN = timedelta(minutes=5)
"""The time after which a call without an outcome gets none: longer than a tool may take."""


class MissedMessage(Struct, frozen=True, kw_only=True):
    """A message that the user has left, as nobody could meet their request for a human."""

    seq: int
    at: datetime
    text: str
    """Its first MAX_MISSED characters."""
    reason: Reason
    """The request's."""


class Session(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "last_user_seq": "asked",
        "settled_seq": "answered",
        "handover_note": "summary",
        "summary": "digest",
    },
):
    """The head of a session: everything that its log says of it, without the texts.

    The log is the truth: `after` folds one entry in, so a lost head can be rebuilt.
    """

    session_id: SessionId
    customer: Customer
    location_id: LocationId | None
    opened_at: datetime
    updated_at: datetime
    status: Status = Status.AI
    reason: Reason | None = None
    """The reason of the last change of owner; None before the first."""
    epoch: int = 0
    """+1 at every change of owner: work begun in one epoch may not be stored in another."""
    seq: int = 0
    """The newest entry's; 0 before the first."""
    hidden_at_end: int = 0
    """The number of entries at the end of the log that the customer may not see."""
    last_user_seq: int = 0
    """The newest user message's seq, or that of a coordinator's yes or no, which the AI answers."""
    settled_seq: int = 0
    """User messages up to this seq are settled."""
    is_unanswered: bool = False
    """True if the user has written, or a human was asked for, since the AI or a human wrote."""
    changed_at: datetime | None = None
    """The time of the last change of owner; None: there was none, or its time was not recorded."""
    failures: int = 0
    """Consecutive turns that ended without an answer of the AI."""
    transfer: Transfer | None = None
    """The newest one."""
    handover_note: str | None = None
    """The newest note for the next coordinator, by the side that handed the conversation over."""
    tokens: int | None = None
    """The estimated tokens of all entries in a view, each counted when it is appended.

    None: they were not counted from the beginning.
    """
    summary: Summary | None = None
    """The newest rolling summary."""
    usage: Usage | None = None
    """The cost of all answers and summaries; None: nothing was counted."""
    language: str | None = None
    """The customer's language (BCP 47), as their messages show it, in the session before too, or as
    their client names it; None: neither did, for sure."""
    unmet: Reason | None = None
    """The reason of a request for a human that nobody could meet, where the user has been asked to
    leave a message: their next one is it. None: they have not, or have left it."""
    missed: MissedMessage | None = None
    """The newest message that the user has left; None: there is none since a human was there."""
    writes: tuple[WriteCall, ...] = ()
    """The calls of tools that change something and are not settled: those of the turn that is being
    made, those whose outcome is missing, and at most one that waits for a yes."""
    rating: Rating | None = None
    """The customer's newest rating; None: there is none."""

    @property
    def customer_seq(self) -> int:
        """The newest seq that the customer may see; 0: there is none."""
        return self.seq - self.hidden_at_end

    @property
    def said_seq(self) -> int:
        """The newest of those seqs that is no rating: by one, nothing is moved that is said."""
        rating = self.rating
        is_newest = rating is not None and rating.seq == self.customer_seq
        return rating.said_seq if rating is not None and is_newest else self.customer_seq

    @property
    def is_unseen(self) -> bool:
        """True if it has entries, and none that the customer may see."""
        return 0 < self.seq == self.hidden_at_end

    @property
    def is_open(self) -> bool:
        """True if entries can be appended."""
        return self.status is not _CLOSED

    @property
    def is_with_human(self) -> bool:
        """True while the user waits for a human or talks with one."""
        return self.status in (_WAITING, _LIVE)

    @property
    def needs_answer(self) -> bool:
        """True if messages are pending for the AI."""
        return self.status is _AI and self.last_user_seq > self.settled_seq

    @property
    def awaits_human(self) -> bool:
        """True if a human has yet to answer the user."""
        return self.is_unanswered and self.is_with_human

    @property
    def question(self) -> WriteCall | None:
        """The call that waits for somebody's yes; None: there is none."""
        for call in self.writes:
            if call.state is WriteState.PROPOSED:
                return call
        return None

    def write_call(self, call_id: str) -> WriteCall | None:
        """Return an unsettled call; None: it is settled, or there was none."""
        for call in self.writes:
            if call.call_id == call_id:
                return call
        return None

    @property
    def owner_since(self) -> datetime:
        """The time of the last change of owner or, where it is not recorded, one before it."""
        if self.changed_at is not None or self.transfer is None:
            return self.changed_at or self.opened_at
        return self.transfer.requested_at

    def closes_at(self, idle: timedelta) -> datetime:
        """Return when the session is closed if nothing is appended until then."""
        at = self.updated_at + (max(idle, LONGEST_UNANSWERED) if self.awaits_human else idle)
        question = self.question
        if question is not None and question.expires_at is not None:
            return max(at, question.expires_at + idle)
        return at

    def waits_for(self, transfer_id: TransferId) -> bool:
        """Return whether the user waits for a human on this request."""
        transfer = self.transfer if self.status is _WAITING else None
        return transfer is not None and transfer.transfer_id == transfer_id

    def due_at(self, timing: Timing) -> datetime | None:
        """Return when the sweep must look at the session; None: never again.

        One that is unseen waits for the customer's first message.
        """
        if self.needs_answer:
            return self.updated_at + timing.retake
        due = []
        if self.status is _WAITING and self.transfer and self.transfer.expires_at:
            due.append(self.transfer.expires_at)
        elif self.is_open and not self.is_unseen:
            due.append(self.closes_at(timing.idle))
        for call in self.writes:
            if call.state is WriteState.STARTED:
                due.append(call.at + OUTCOME_WITHIN)
            elif call.state is WriteState.PROPOSED and call.expires_at is not None:
                due.append(call.expires_at)
        return min(due, default=None)

    def after(self, entry: Entry) -> "Session":
        """Return the head once `entry` is in the log."""
        if isinstance(entry, Message):
            return self.after_message(entry)
        return self._after_change(entry)

    def after_message(self, message: Message) -> "Session":
        """Return the head once `message` is in the log."""
        if message.audience is not _ALL:
            return self._after_aside(message)
        writes = self.writes
        if message.write is not None or message.settles_seq:
            writes = self._writes_with(message)
        failures, usage, is_unanswered = self.failures, self.usage, self.is_unanswered
        author = message.author
        if author is not _BY_SYSTEM:
            is_unanswered = author is _BY_USER
        if author is _BY_AI:
            failures = 0
        elif message.failed:
            failures += 1
        if message.usage is not None or message.summary is not None:
            usage = self._usage_with(message)
        unmet, missed = self.unmet, self.missed
        if message.unmet is not None:
            if author is _BY_USER:
                unmet, missed = None, _missed(message, message.unmet)
            else:
                unmet = message.unmet
        return replace(
            self,
            updated_at=message.at,
            seq=message.seq,
            hidden_at_end=0,
            last_user_seq=message.seq if author is _BY_USER else self.last_user_seq,
            settled_seq=message.settles_seq or self.settled_seq,
            is_unanswered=is_unanswered,
            failures=failures,
            tokens=self._tokens_with(message),
            summary=message.summary or self.summary,
            usage=usage,
            language=message.language or self.language,
            unmet=unmet,
            missed=missed,
            writes=writes,
        )

    def _writes_with(self, message: Message) -> tuple[WriteCall, ...]:
        writes = self.writes
        if message.write is not None:
            step, is_told = message.write, message.is_said
            writes = calls_after_step(writes, step, message.seq, message.at, is_told=is_told)
        return calls_after_answer(writes, message.seq) if message.settles_seq else writes

    def _after_aside(self, message: Message) -> "Session":
        """Return the head after what is not said in the conversation: it only takes a seq."""
        rating = self.rating
        if message.is_for_customer and (stars := stars_in(message.actions)) is not None:
            rating = Rating(seq=message.seq, at=message.at, stars=stars, said_seq=self.said_seq)
        return replace(
            self,
            seq=message.seq,
            last_user_seq=message.seq if message.calls_for_answer else self.last_user_seq,
            writes=self._writes_with(message),
            hidden_at_end=0 if message.is_for_customer else self.hidden_at_end + 1,
            tokens=self._tokens_with(message),
            usage=self._usage_with(message),
            rating=rating,
        )

    def _usage_with(self, message: Message) -> Usage | None:
        summary = message.summary
        return together(self.usage, message.usage, summary.usage if summary is not None else None)

    def _after_change(self, change: StatusChange) -> "Session":
        if not change.changes_owner:
            return replace(
                self,
                updated_at=change.at,
                seq=change.seq,
                hidden_at_end=0,
                transfer=change.transfer,
                tokens=self._tokens_with(change),
            )
        # Messages of a user who waited in vain, or whom no coordinator has answered before the next
        # one's turn, are still pending; all others are settled.
        in_vain = change.reason in (Reason.EXPIRED, Reason.CANCELLED)
        is_humans = change.status is _LIVE or change.reason in REQUEUING
        is_left = is_humans and self.is_unanswered
        settled = self.settled_seq if in_vain or is_left else self.last_user_seq
        return replace(
            self,
            updated_at=change.at,
            status=change.status,
            reason=change.reason,
            epoch=change.epoch,
            seq=change.seq,
            hidden_at_end=0,
            settled_seq=settled,
            is_unanswered=self.is_unanswered or change.requests_human,
            changed_at=change.at,
            failures=0,
            transfer=change.transfer,
            handover_note=change.handover_note or self.handover_note,
            tokens=self._tokens_with(change),
            unmet=None,
            missed=self.missed if change.status is not _LIVE else None,
            writes=calls_after_change(self.writes),
        )

    def _tokens_with(self, entry: Entry) -> int | None:
        if self.tokens is None:
            return token_cost(entry) if self.seq == 0 else None
        return self.tokens + token_cost(entry)


def _missed(message: Message, reason: Reason) -> MissedMessage:
    text = shortened(message.text, MAX_MISSED)
    return MissedMessage(seq=message.seq, at=message.at, text=text, reason=reason)


class Draft:
    """Entries that are to be appended to a session together: a decision, not yet stored."""

    __slots__ = ("entries", "from_bridge", "key", "language", "notices", "session")

    def __init__(
        self, session: Session, *, key: str | None = None, even_closed: bool = False
    ) -> None:
        """`even_closed`: for what is not said, and only takes a seq. Raises: SessionClosed."""
        if not (session.is_open or even_closed):
            raise SessionClosed
        self.session = session
        """The head once the entries are stored."""
        self.entries: list[Entry] = []
        self.key = key
        """Idempotency key: a customer's log takes each at most once."""
        self.notices: Sequence[Notice] = ()
        """The notices to the bridge, stored together with the entries."""
        self.from_bridge = False
        """True if the message came from the bridge, which is then not notified of it."""
        self.language = DEFAULT_LANGUAGE
        """The business's language, for the handover context."""

    @property
    def next_seq(self) -> int:
        """The seq of the entry to be appended next."""
        return self.session.seq + 1

    @property
    def keyed_seq(self) -> int:
        """The seq of the entry that the key identifies: a person's message, where there is one."""
        for entry in self.entries:
            if isinstance(entry, Message) and entry.author is not Author.SYSTEM:
                return entry.seq
        return self.entries[0].seq

    def append_message(self, message: Message) -> None:
        """Append a message; its seq must be `next_seq`."""
        if hidden := self.session.hidden_at_end:
            message = replace(message, hidden_before=hidden)
        self.entries.append(message)
        self.session = self.session.after_message(message)

    def request_transfer(
        self,
        reason: Reason,
        transfer_id: TransferId,
        at: datetime,
        *,
        timeout_s: float,
        handover_note: str | None = None,
    ) -> None:
        """Append the change to `waiting`, with a new transfer that expires in `timeout_s` seconds.

        One that follows a live chat has the reason of the request that led to that.
        Raises: TransitionRefused.
        """
        first = self.session.transfer if reason in REQUEUING else None
        transfer = Transfer(
            transfer_id=transfer_id,
            reason=first.reason if first is not None else reason,
            state=TransferState.REQUESTED,
            requested_at=at,
            expires_at=at + timedelta(seconds=timeout_s),
        )
        self._append_change(Status.WAITING, reason, at, transfer, handover_note)

    def assign(
        self, coordinator_id: CoordinatorId | None, transfer_id: TransferId, at: datetime
    ) -> None:
        """Append the change to `live`: a transfer accepted, taken over, or begun unasked.

        `transfer_id`: for the transfer that begins where none was requested.
        """
        session = self.session
        if session.status is Status.AI or session.transfer is None:
            transfer = Transfer(
                transfer_id=transfer_id,
                reason=Reason.COORDINATOR,
                state=TransferState.ACCEPTED,
                requested_at=at,
                coordinator_id=coordinator_id,
            )
            self._append_change(Status.LIVE, Reason.COORDINATOR, at, transfer)
            return
        reason = Reason.TAKEOVER if session.status is Status.LIVE else Reason.ACCEPTED
        self.change_status(Status.LIVE, reason, at, coordinator_id=coordinator_id)

    def change_status(
        self,
        to: Status,
        reason: Reason,
        at: datetime,
        *,
        coordinator_id: CoordinatorId | None = None,
        handover_note: str | None = None,
    ) -> None:
        """Append a status change, and advance the transfer. Raises: TransitionRefused."""
        self._check(to, reason)
        transfer = self.session.transfer
        if transfer is not None and self.session.status is not Status.AI:
            transfer = transfer.after(reason, coordinator_id)
        self._append_change(to, reason, at, transfer, handover_note)

    def _check(self, to: Status, reason: Reason) -> None:
        if reason not in TRANSITIONS.get((self.session.status, to), ()):
            raise TransitionRefused(f"{self.session.status} to {to} is not possible")

    def _append_change(
        self,
        to: Status,
        reason: Reason,
        at: datetime,
        transfer: Transfer | None,
        handover_note: str | None = None,
    ) -> None:
        self._check(to, reason)
        change = StatusChange(
            seq=self.next_seq,
            hidden_before=self.session.hidden_at_end,
            status=to,
            epoch=self.session.epoch + (reason not in DELIVERY),
            reason=reason,
            at=at,
            transfer=transfer,
            handover_note=handover_note,
        )
        self.entries.append(change)
        self.session = self.session.after(change)
