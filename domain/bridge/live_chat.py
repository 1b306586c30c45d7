"""A conversation on the coordinators' side: who waits, who is assigned, which commands are pending.

The AI agent server owns the conversation. A coordinator's command takes effect here at once and is
pending until the server has answered it. Commands and the server's reports can cross on their way:
the tables below decide which of them holds.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from statistics import median

from msgspec import Struct, field
from msgspec.structs import replace

from domain.errors import Refusal, SessionClosed, TransitionRefused
from domain.identity import (
    CoordinatorId,
    Customer,
    LocationId,
    MessageId,
    SessionId,
    TransferId,
)
from domain.message import Author
from domain.plain_text import shortened
from domain.rating import Stars
from domain.status import Status
from domain.tool import Confirmer
from domain.write_call import OUTCOMES, WriteState

MAX_LAST_TEXT = 200
"""The characters of a conversation's newest message that lists show."""
MAX_CLOCK_SKEW = timedelta(minutes=5)
"""The time by which a sender's clock may be ahead of the bridge's."""
MAX_AGE_FROM_PERSON = timedelta(days=1)
"""The age of a message that a person's client sends late."""
MAX_AGE_FROM_PROGRAM = timedelta(days=366)
"""The age of a message or a report of the server, which it sends until it is delivered."""


class AlreadyClaimed(Refusal):
    """Another coordinator has the conversation."""

    code = "already_claimed"

    def __init__(self, by: CoordinatorId) -> None:
        super().__init__(f"{by} has the conversation")
        self.by = by


class NotThere(Refusal):
    """The colleague to whom a conversation is to be given is not there."""

    code = "not_there"


class CoordinatorCommand(StrEnum):
    """A command of a coordinator's for a conversation."""

    CLAIM = "claim"
    TAKE_OVER = "take_over"
    SPEAK = "speak"
    FORWARD = "forward"
    REQUEUE = "requeue"
    RETURN = "return"
    CLOSE = "close"


COMMAND_TRANSITIONS: dict[tuple[Status, CoordinatorCommand], Status] = {
    (Status.WAITING, CoordinatorCommand.CLAIM): Status.LIVE,
    (Status.LIVE, CoordinatorCommand.CLAIM): Status.LIVE,
    (Status.AI, CoordinatorCommand.TAKE_OVER): Status.LIVE,
    (Status.WAITING, CoordinatorCommand.TAKE_OVER): Status.LIVE,
    (Status.LIVE, CoordinatorCommand.TAKE_OVER): Status.LIVE,
    (Status.AI, CoordinatorCommand.SPEAK): Status.LIVE,
    (Status.WAITING, CoordinatorCommand.SPEAK): Status.LIVE,
    (Status.LIVE, CoordinatorCommand.SPEAK): Status.LIVE,
    (Status.LIVE, CoordinatorCommand.FORWARD): Status.LIVE,
    (Status.LIVE, CoordinatorCommand.REQUEUE): Status.WAITING,
    (Status.LIVE, CoordinatorCommand.RETURN): Status.AI,
    (Status.WAITING, CoordinatorCommand.CLOSE): Status.CLOSED,
    (Status.LIVE, CoordinatorCommand.CLOSE): Status.CLOSED,
}
"""Every permitted command: (status, command) → the status that it leads to."""

_ATTENDING = frozenset(
    {CoordinatorCommand.SPEAK, CoordinatorCommand.RETURN, CoordinatorCommand.CLOSE}
)
"""Commands that attend to a missed message; to take a conversation is not yet to answer in it."""

_ASSIGNEE_ONLY = frozenset(CoordinatorCommand) - {
    CoordinatorCommand.TAKE_OVER,
    CoordinatorCommand.SPEAK,
}
"""Commands that are refused while another coordinator has the conversation."""

OVERRIDES = frozenset(
    {
        (Status.LIVE, Status.AI),
        (Status.LIVE, Status.CLOSED),
        (Status.AI, Status.CLOSED),
        (Status.WAITING, Status.AI),
        (Status.WAITING, Status.CLOSED),
    }
)
"""(commanded, reported): the statuses reported by the server that void a pending command.

The user has cancelled what was claimed, or the conversation was closed. Any other report dates from
before the command.
"""


class ChatMessage(Struct, frozen=True, kw_only=True):
    """A message of a user, a coordinator or the AI."""

    message_id: MessageId
    author: Author
    text: str
    at: datetime
    session_id: SessionId | None = None
    coordinator_id: CoordinatorId | None = None
    origin: str | None = None
    """A mark of its sender's choice, by which the sender recognises its own message."""


class LastMessage(Struct, frozen=True, kw_only=True):
    """The newest message of a conversation, as lists show it."""

    author: Author
    text: str
    at: datetime
    coordinator_id: CoordinatorId | None = None


class DeskAction(StrEnum):
    """What a coordinator has done with a conversation."""

    CLAIMED = "claimed"
    TAKEN_OVER = "taken_over"
    FORWARDED = "forwarded"
    REQUEUED = "requeued"
    AWAY = "away"
    RETURNED = "returned"
    CLOSED = "closed"
    WHISPERED = "whispered"
    ANSWERED_QUESTION = "answered_question"


class DeskEvent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A coordinator's action, as an entry of a conversation's notes."""

    type: DeskAction
    to: CoordinatorId | None = None
    """The coordinator who has it from then on, where another gave it away."""


class Note(Struct, frozen=True, kw_only=True, rename="camel"):
    """A coordinator's words about a conversation, or an action; customers never get either."""

    note_id: str
    session_id: SessionId
    coordinator_id: CoordinatorId | None
    text: str
    at: datetime
    event: DeskEvent | None = None
    """None: a note that a coordinator has written."""


class PendingCommand(Struct, frozen=True, kw_only=True):
    """A coordinator's command that the server has not answered yet."""

    command_id: str = field(name="wish_id")
    """Also the idempotency key of its delivery."""
    status: Status
    """The status that it asks for."""
    at: datetime
    coordinator_id: CoordinatorId | None
    handover_note: str | None = field(default=None, name="summary")
    answer: ChatMessage | None = None
    """The answer to a missed message; None: only the status is asked for."""
    reason: str | None = None
    """Why it goes back to the queue; None: the coordinator wants it so, or it does not."""
    forwarded_by: CoordinatorId | None = None
    """The coordinator who gives the conversation to `coordinator_id`."""

    @property
    def commander(self) -> CoordinatorId | None:
        """The coordinator whose command it is."""
        return self.forwarded_by or self.coordinator_id


class ServerState(Struct, frozen=True, kw_only=True):
    """The state of a conversation as the server reports it."""

    status: Status
    at: datetime
    """The time by the server's clock."""
    handover_note: str | None = None
    coordinator_id: CoordinatorId | None = None


class TransferReport(Struct, frozen=True, kw_only=True):
    """The server's report that a user waits for a human."""

    transfer_id: TransferId
    reason: str
    context: Mapping[str, object]
    """The context package, as received."""
    at: datetime


class LeftMessage(Struct, frozen=True, kw_only=True):
    """What a user has written for the coordinators while none of them was there."""

    text: str
    reason: str
    context: Mapping[str, object]
    """The context package, as received."""
    at: datetime
    """The time by the server's clock."""


class AskedConfirmation(Struct, frozen=True, kw_only=True):
    """What the AI does only with a person's yes, and how far it has come."""

    confirm_id: str
    by: Confirmer
    state: WriteState
    what: str
    """What is to be done, in words."""
    at: datetime
    """The time of the newest step, by the server's clock."""
    expires_at: datetime | None = None
    result: str = ""
    """What came of it, if it has an outcome."""
    coordinator_id: CoordinatorId | None = None
    """The coordinator who has answered."""

    @property
    def is_open(self) -> bool:
        """True while it waits for an answer, or is being done."""
        return self.state in (WriteState.PROPOSED, WriteState.APPROVED)

    @property
    def is_for_coordinators(self) -> bool:
        """True if a coordinator is to answer, or to know of the outcome."""
        return self.by is Confirmer.COORDINATOR and (self.is_open or self.state in OUTCOMES)


class GivenRating(Struct, frozen=True, kw_only=True):
    """A user's rating of a conversation."""

    stars: Stars
    at: datetime
    """The time by the server's clock."""


class LiveChat(Struct, frozen=True, kw_only=True):
    """One conversation of one customer.

    It is stored as JSON; a field's `name` is its key there, where that differs.
    """

    session_id: SessionId
    customer: Customer
    since: datetime
    """The time of the newest change of status or coordinator."""
    location_id: LocationId | None = None
    status: Status = Status.AI
    coordinator_id: CoordinatorId | None = None
    """The assigned coordinator; None if unassigned or anonymous."""
    is_at_desk: bool = False
    """True if the coordinator got it on this bridge's page, and not by a program."""
    last: LastMessage | None = None
    """The newest message; None: there is none, or it is older than this field."""
    unanswered: int = 0
    """The number of the user's messages since anybody has answered."""
    unanswered_since: datetime | None = None
    """The time of the first of them."""
    waiting_since: datetime | None = None
    """The time since which the user has waited for a human, or had one, without a break."""
    transfer_id: TransferId | None = None
    reason: str | None = None
    context: Mapping[str, object] | None = None
    handover_note: str | None = field(default=None, name="summary")
    server_state_at: datetime | None = field(default=None, name="told_at")
    """The time of the newest report of the server, by its clock."""
    pending_commands: tuple[PendingCommand, ...] = field(default=(), name="wishes")
    """The commands that the server has not answered yet, oldest first."""
    missed: LeftMessage | None = None
    """The newest missed message; None: there is none, or it has been attended to."""
    attended_until: datetime | None = None
    """The time of the newest missed message that a coordinator has attended to."""
    confirmation: AskedConfirmation | None = None
    """The newest that was reported; None: there is none, or its outcome was attended to."""
    rating: GivenRating | None = None
    """The newest one."""

    @property
    def is_open(self) -> bool:
        """True if it needs coordinators now: it is waiting or live."""
        return self.status in (Status.WAITING, Status.LIVE)

    @property
    def is_listed(self) -> bool:
        """True if the coordinators' board has it."""
        return self.is_open or self.missed is not None or self.is_asked

    @property
    def active_at(self) -> datetime:
        """The time of the newest message or change of status: the order of lists."""
        return max(self.since, self.last.at) if self.last is not None else self.since

    @property
    def is_watched(self) -> bool:
        """True if it goes back to the queue when its coordinator stays away."""
        return self.is_at_desk and self.status is Status.LIVE and self.coordinator_id is not None

    @property
    def is_asked(self) -> bool:
        """True if it waits for a coordinator's yes, or has an outcome of one to be seen."""
        return self.confirmation is not None and self.confirmation.is_for_coordinators


def kinds_of(chat: LiveChat | None) -> Mapping[str, int]:
    """Return the counts of a board that the chat is part of, each 1."""
    if chat is None:
        return {}
    status = {chat.status.value: 1} if chat.status is not Status.CLOSED else {}
    missed = {"missed": 1} if chat.missed is not None else {}
    return {**status, **missed, **({"asked": 1} if chat.is_asked else {})}


def plausible_time(at: datetime | None, now: datetime, *, max_age: timedelta) -> datetime:
    """Return the time that a sender gave, in UTC, if it can be true; else the bridge's own, `now`.

    `max_age`: how long before a sender may have had it.
    """
    try:
        given = at.astimezone(UTC) if at is not None else now
    except OverflowError:
        return now
    return given if now - max_age <= given <= now + MAX_CLOCK_SKEW else now


def apply_command(
    chat: LiveChat,
    command: CoordinatorCommand,
    command_id: str,
    by: CoordinatorId | None,
    at: datetime,
    handover_note: str | None = None,
    *,
    to: CoordinatorId | None = None,
    reason: str | None = None,
    at_desk: bool = False,
) -> LiveChat:
    """Return the chat after a coordinator's command; the same chat where it changes nothing.

    `to`: the colleague of a FORWARD. `reason`: of a REQUEUE. `at_desk`: see `LiveChat.is_at_desk`.
    `SPEAK` leaves no pending command: the message itself reaches the server over the socket. An
    answer to a missed message is `apply_answer`'s.
    Raises: AlreadyClaimed, TransitionRefused, SessionClosed.
    """
    status = _target(chat, command, by)
    assignee = (to or by) if status is Status.LIVE else None
    if status is chat.status and (assignee in (None, chat.coordinator_id)):
        commanded = chat
    else:
        commanded = _moved(chat, status, at, assignee, at_desk=at_desk)
        if command is not CoordinatorCommand.SPEAK and by is not None:
            pending = PendingCommand(
                command_id=command_id,
                status=status,
                at=at,
                coordinator_id=assignee or by,
                handover_note=handover_note,
                reason=reason,
                forwarded_by=by if to is not None else None,
            )
            commanded = replace(
                commanded,
                pending_commands=(*chat.pending_commands, pending),
                handover_note=handover_note or chat.handover_note,
            )
    return attend(commanded) if command in _ATTENDING else commanded


def apply_message(chat: LiveChat, message: ChatMessage) -> LiveChat:
    """Return the chat after a message, by which it is answered unless it is the user's.

    Messages count in the order in which they come: the clocks of their senders differ.
    """
    last = LastMessage(
        author=message.author,
        text=shortened(message.text, MAX_LAST_TEXT),
        at=message.at,
        coordinator_id=message.coordinator_id,
    )
    if message.author is not Author.USER:
        return replace(chat, last=last, unanswered=0, unanswered_since=None)
    since = chat.unanswered_since or message.at
    return replace(chat, last=last, unanswered=chat.unanswered + 1, unanswered_since=since)


def apply_answer(
    chat: LiveChat, answer: ChatMessage, command_id: str, at: datetime, *, at_desk: bool = False
) -> LiveChat:
    """Return the chat after a coordinator's answer to its missed message, which is a takeover.

    The user may have left long ago, the conversation be closed for idleness, and its topic joined
    by no server: the answer is a command too, delivered until the server has it.
    """
    pending = PendingCommand(
        command_id=command_id,
        status=Status.LIVE,
        at=at,
        coordinator_id=answer.coordinator_id,
        answer=answer,
    )
    moved = _moved(chat, Status.LIVE, at, answer.coordinator_id, at_desk=at_desk)
    return attend(replace(moved, pending_commands=(*chat.pending_commands, pending)))


def apply_missed(chat: LiveChat, missed: LeftMessage) -> LiveChat:
    """Return the chat with a missed message; the same chat where that is outdated or attended."""
    newest = chat.missed.at if chat.missed is not None else missed.at
    attended = chat.attended_until is not None and missed.at <= chat.attended_until
    return chat if attended or missed.at < newest else replace(chat, missed=missed)


def apply_rating(chat: LiveChat, rating: GivenRating) -> LiveChat:
    """Return the chat with a rating; the same chat where it has a newer one."""
    known = chat.rating
    return chat if known is not None and rating.at < known.at else replace(chat, rating=rating)


def apply_confirmation(chat: LiveChat, report: AskedConfirmation) -> LiveChat:
    """Return the chat after a step of what waits for a yes; the same chat where it is outdated.

    The outcome of an earlier call does not take the place of a question that is open.
    """
    known = chat.confirmation
    if known is None:
        return replace(chat, confirmation=report)
    if known.confirm_id != report.confirm_id:
        if known.is_open and report.state is not WriteState.PROPOSED:
            return chat
        return replace(chat, confirmation=report) if report.at >= known.at else chat
    if _PROGRESS.get(report.state, 2) < _PROGRESS.get(known.state, 2) or report.at < known.at:
        return chat
    merged = replace(
        report,
        expires_at=report.expires_at or known.expires_at,
        coordinator_id=report.coordinator_id or known.coordinator_id,
    )
    return replace(chat, confirmation=merged)


_PROGRESS = {WriteState.PROPOSED: 0, WriteState.APPROVED: 1, WriteState.STARTED: 1}
"""Every other state is the last."""


def attend(chat: LiveChat, seen: datetime | None = None) -> LiveChat:
    """Return the chat without its missed message, of which the reason and the context stay.

    Those of a later request for a human stay instead. The outcome of what waited for a yes goes
    too. `seen`: the time, in whole ms, of the message that the coordinator has seen; a newer one
    stays missed.
    """
    if chat.confirmation is not None and not chat.confirmation.is_open:
        chat = replace(chat, confirmation=None)
    missed = chat.missed
    if missed is None or (seen is not None and missed.at - timedelta(milliseconds=1) >= seen):
        return chat
    attended = replace(chat, missed=None, attended_until=missed.at)
    if chat.waiting_since is not None and chat.waiting_since > missed.at:
        return attended
    return replace(attended, reason=missed.reason, context=missed.context)


def ended_wait_s(before: LiveChat | None, chat: LiveChat) -> float | None:
    """Return the seconds from the request to the takeover, if this change is the takeover."""
    if before is None or (before.status, chat.status) != (Status.WAITING, Status.LIVE):
        return None
    waited = chat.since - before.since
    return max(waited.total_seconds(), 0.0)


def usual_wait_s(waits_s: Sequence[float]) -> int | None:
    """Return the median in whole seconds; None: nobody has waited yet."""
    return round(median(waits_s)) if waits_s else None


def _target(chat: LiveChat, command: CoordinatorCommand, by: CoordinatorId | None) -> Status:
    if (chat.status, command) in (
        (Status.AI, CoordinatorCommand.RETURN),
        (Status.CLOSED, CoordinatorCommand.CLOSE),
        (Status.WAITING, CoordinatorCommand.REQUEUE),
    ):
        return chat.status  # a repeat
    if chat.status is Status.CLOSED:
        raise SessionClosed
    assignee = chat.coordinator_id
    if command in _ASSIGNEE_ONLY and chat.status is Status.LIVE and assignee not in (None, by):
        raise AlreadyClaimed(assignee)
    to = COMMAND_TRANSITIONS.get((chat.status, command))
    if to is None:
        raise TransitionRefused("the user does not wait for a human any more")
    return to


def apply_server_state(chat: LiveChat, state: ServerState) -> LiveChat:
    """Return the chat after a report of the server; the same chat where that is outdated."""
    if chat.server_state_at is not None and state.at < chat.server_state_at:
        return chat
    pending = chat.pending_commands
    if pending and (pending[-1].status, state.status) not in OVERRIDES:
        return chat
    if any(command.answer is not None for command in pending):
        return chat  # the user is to get the answer, whoever has the conversation by now
    return _as_reported(chat, state)


def complete_command(chat: LiveChat, command_id: str, state: ServerState) -> LiveChat:
    """Return the chat once the server has granted or refused a command; `state`: its state then."""
    left = _commands_without(chat, command_id)
    return replace(chat, pending_commands=left) if left else _as_reported(chat, state)


def move_commands(
    chat: LiveChat, command_id: str, to: LiveChat, state: ServerState
) -> tuple[LiveChat, LiveChat]:
    """Return both chats once the server has put an answer into another conversation, `to`.

    `state`: that of the other conversation, in which the coordinator's later commands are meant.
    """
    left = _commands_without(chat, command_id)
    closed = ServerState(status=Status.CLOSED, at=max(state.at, chat.server_state_at or state.at))
    reported = _as_reported(to, state)
    return _as_reported(chat, closed), replace(reported, pending_commands=left)


def _commands_without(chat: LiveChat, command_id: str) -> tuple[PendingCommand, ...]:
    return tuple(each for each in chat.pending_commands if each.command_id != command_id)


def apply_transfer(chat: LiveChat, transfer: TransferReport) -> LiveChat:
    """Return the chat after a transfer request; the same chat where it is known or outdated."""
    if transfer.transfer_id == chat.transfer_id or chat.status is Status.CLOSED:
        return chat
    if chat.server_state_at is not None and transfer.at < chat.server_state_at:
        return chat
    waiting = chat
    if chat.status is Status.AI:
        waiting = _moved(chat, Status.WAITING, transfer.at, None)
    return replace(
        waiting,
        transfer_id=transfer.transfer_id,
        reason=transfer.reason,
        context=transfer.context,
        server_state_at=transfer.at,
    )


def _as_reported(chat: LiveChat, state: ServerState) -> LiveChat:
    assignee = None
    if state.status is Status.LIVE:
        assignee = state.coordinator_id or chat.coordinator_id
    moved = chat
    if state.status is not chat.status or assignee != chat.coordinator_id:
        moved = _moved(chat, state.status, state.at, assignee)
    reported = replace(
        moved,
        server_state_at=max(state.at, chat.server_state_at or state.at),
        handover_note=state.handover_note or chat.handover_note,
        pending_commands=(),
    )
    if state.status is Status.LIVE and chat.missed is not None and chat.missed.at <= state.at:
        return attend(reported)  # by a coordinator who does not work here
    return reported


def _moved(
    chat: LiveChat,
    to: Status,
    at: datetime,
    coordinator_id: CoordinatorId | None,
    *,
    at_desk: bool = False,
) -> LiveChat:
    # Who goes back to the queue comes before all who have asked for a human since they did.
    is_first = chat.status is Status.AI and to in (Status.WAITING, Status.LIVE)
    ended = to is Status.CLOSED
    return replace(
        chat,
        status=to,
        since=at,
        coordinator_id=coordinator_id,
        is_at_desk=at_desk,
        waiting_since=at if is_first else chat.waiting_since,
        unanswered=0 if ended else chat.unanswered,
        unanswered_since=None if ended else chat.unanswered_since,
    )
