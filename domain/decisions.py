"""What each request does to a conversation: pure decisions, stored and carried out elsewhere.

Each takes the session as it is (None: the customer has none) and returns the draft of what is to
be appended, or None when there is nothing to do, or raises the refusal. A decision whose draft
meets a conflict is simply taken again on the session as it then is.
"""

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct

from domain.errors import NotInLiveChat, SessionClosed, TransitionRefused, UnknownSession
from domain.identity import CoordinatorId, MessageId, SessionId, TransferId
from domain.message import Action, Author, Summary, ToolUse
from domain.session import Draft, Session
from domain.status import Reason, Status
from domain.texts import Text, localized
from domain.transfer import TransferProgress
from domain.usage import Usage

_AI, _BY_USER, _BY_AI = Status.AI, Author.USER, Author.AI

WAITING_ACTION: Action = {"type": "live_chat", "status": Status.WAITING.value}
"""Tells a client where the live chat will be; topic and url are the transport's to add."""

_PROGRESS_TEXTS = {
    TransferProgress.UNREACHABLE: Text.UNREACHABLE,
    TransferProgress.REACHED: Text.REACHED,
    TransferProgress.REFUSED: Text.REFUSED,
}

OpenSession = Callable[[], Session]
"""Makes the head of a session that has no entries yet."""


class DecisionContext(Struct, frozen=True, kw_only=True):
    """What a decision needs from outside: the time, fresh ids, the language of notices."""

    at: datetime
    new_id: Callable[[], str]
    language: str
    transfer_timeout_s: float


def open_or_new(session: Session | None, open_session: OpenSession) -> Session:
    """The customer's open session, or a new one: a closed session is never written to again."""
    return session if session is not None and session.is_open else open_session()


def record_user_message(
    session: Session | None,
    open_session: OpenSession,
    message_id: MessageId,
    text: str,
    at: datetime,
    *,
    key: str | None = None,
    from_bridge: bool = False,
) -> Draft:
    """The user says something, whoever owns the conversation.

    `from_bridge`: they said it to the bridge, which need not be told of it.
    """
    draft = Draft(open_or_new(session, open_session), key=key)
    draft.from_bridge = from_bridge
    draft.say(_BY_USER, message_id, text, at)
    return draft


class TurnResult(Struct, frozen=True, kw_only=True):
    """What a turn has come to, and what it may be stored under: the fence of rule 2."""

    session_id: SessionId
    epoch: int
    """The one that the turn began in."""
    settled_seq: int
    """Up to where user messages were settled when the turn began."""
    answers: int
    """The newest user message that the turn has seen."""
    in_reply_to: tuple[MessageId, ...]
    response_id: MessageId
    text: str
    actions: tuple[Action, ...] = ()
    transfer: Reason | None = None
    """The turn asks for a human: `ai_decision` or `ai_failure`."""
    handover_note: str | None = None
    failed: bool = False
    tools: tuple[ToolUse, ...] = ()
    usage: Usage | None = None
    summary: Summary | None = None
    """One that is newer than the session's."""


def answer(session: Session | None, turn: TurnResult, occasion: DecisionContext) -> Draft | None:
    """The AI's answer; None when somebody else has taken over or has answered meanwhile."""
    if session is None or session.status is not _AI:
        return None
    # Every session counts its epochs from 0: the number alone could be another session's.
    if (session.session_id, session.epoch) != (turn.session_id, turn.epoch):
        return None
    # Another turn has answered some of the messages: what this one says of them comes too late.
    if session.settled_seq != turn.settled_seq:
        return None
    draft = Draft(session)
    draft.say(
        Author.SYSTEM if turn.failed else _BY_AI,
        turn.response_id,
        turn.text,
        occasion.at,
        actions=turn.actions,
        in_reply_to=turn.in_reply_to,
        answers=turn.answers,
        failed=turn.failed,
        tools=turn.tools,
        usage=turn.usage,
        digest=turn.summary,
    )
    if turn.transfer is not None:
        _ask_for_human(draft, turn.transfer, occasion, turn.handover_note)
    return draft


def request_transfer(
    session: Session | None,
    open_session: OpenSession,
    occasion: DecisionContext,
    text: str | None,
    message_id: MessageId,
    *,
    key: str | None = None,
) -> Draft | None:
    """The user asks for a human; while one is asked for or there, only the words are stored."""
    current = open_or_new(session, open_session)
    draft = Draft(current, key=key)
    if text is not None:
        draft.say(Author.USER, message_id, text, occasion.at)
    if current.status is Status.AI:
        _ask_for_human(draft, Reason.USER_REQUEST, occasion)
        _notify(draft, Text.REQUESTED, occasion, actions=(WAITING_ACTION,))
    return draft if draft.entries else None


def end_live_chat(session: Session | None, occasion: DecisionContext) -> Draft | None:
    """The user cancels the waiting transfer or ends the live chat. Raises: NotInLiveChat."""
    if session is None or not session.is_open:
        raise NotInLiveChat
    if session.status is Status.AI:
        if session.reason in (Reason.CANCELLED, Reason.ENDED_BY_USER):
            return None
        raise NotInLiveChat
    waiting = session.status is Status.WAITING
    draft = Draft(session)
    draft.change(Status.AI, Reason.CANCELLED if waiting else Reason.ENDED_BY_USER, occasion.at)
    _notify(draft, Text.CANCELLED if waiting else Text.ENDED, occasion)
    return draft


def change_status(
    session: Session,
    to: Status,
    occasion: DecisionContext,
    coordinator_id: CoordinatorId | None = None,
    summary: str | None = None,
) -> Draft | None:
    """The coordinator's side takes over, returns or closes; repeating the last one does nothing.

    Raises: TransitionRefused, SessionClosed.
    """
    if to is session.status and not _is_takeover(session, to, coordinator_id):
        return None
    if to is Status.LIVE:
        draft = Draft(session)
        _hand_to(draft, coordinator_id, occasion)
        return draft
    return _give_up(session, to, occasion, summary)


def _give_up(
    session: Session, to: Status, occasion: DecisionContext, summary: str | None
) -> Draft | None:
    draft = Draft(session)
    if to is Status.AI:
        draft.change(to, Reason.RETURNED, occasion.at, summary=summary)
        _notify(draft, Text.RETURNED, occasion)
    elif to is Status.CLOSED:
        # The words come first: nothing is appended to a closed session.
        _notify(draft, Text.CLOSED, occasion)
        draft.change(to, Reason.CLOSED_BY_COORDINATOR, occasion.at, summary=summary)
    else:
        raise TransitionRefused("only the user, the AI or its failure can ask for a human")
    return draft


def record_coordinator_message(
    session: Session | None,
    message_id: MessageId,
    text: str,
    occasion: DecisionContext,
    coordinator_id: CoordinatorId | None,
    *,
    key: str | None = None,
    replayed: bool = False,
) -> Draft:
    """A coordinator says something: that is a takeover, whoever owned the conversation before.

    `replayed`: it was said a while ago, and reaches us only now. Then it answers a user who waits
    for a human, but takes the conversation from nobody who has got it since.
    Raises: UnknownSession, SessionClosed.
    """
    if session is None:
        raise UnknownSession
    if not session.is_open:
        raise SessionClosed
    draft = Draft(session, key=key)
    if session.status is Status.WAITING or (
        not replayed
        and (session.status is _AI or _is_takeover(session, Status.LIVE, coordinator_id))
    ):
        _hand_to(draft, coordinator_id, occasion)
    draft.say(Author.COORDINATOR, message_id, text, occasion.at, coordinator_id=coordinator_id)
    return draft


def notify_transfer_progress(
    session: Session | None,
    transfer_id: TransferId,
    progress: TransferProgress,
    occasion: DecisionContext,
) -> Draft | None:
    """Notify the user, once, of their request's progress; None if they no longer wait."""
    if session is None or not session.waits_for(transfer_id):
        return None
    message_id = progress_message_id(transfer_id, progress)
    draft = Draft(session, key=f"s:{message_id}")
    text = localized(occasion.language, _PROGRESS_TEXTS[progress])
    draft.say(Author.SYSTEM, message_id, text, occasion.at)
    return draft


def progress_message_id(transfer_id: TransferId, progress: TransferProgress) -> MessageId:
    """Return the id of the message that notifies of this progress: the same for every writer."""
    return MessageId(f"{transfer_id}-{progress}")


def expire(session: Session, occasion: DecisionContext, idle_s: float) -> Draft | None:
    """What time alone does: an unaccepted transfer expires, a silent session closes."""
    transfer = session.transfer
    if session.status is Status.WAITING and transfer and transfer.expires_at:
        if transfer.expires_at > occasion.at:
            return None
        draft = Draft(session)
        draft.change(Status.AI, Reason.EXPIRED, occasion.at)
        _notify(draft, Text.EXPIRED, occasion)
        return draft
    silent_s = (occasion.at - session.updated_at).total_seconds()
    if not session.is_open or session.needs_answer or silent_s < idle_s:
        return None
    draft = Draft(session)
    draft.change(Status.CLOSED, Reason.IDLE, occasion.at)
    return draft


def _is_takeover(session: Session, to: Status, coordinator_id: CoordinatorId | None) -> bool:
    """Whether another coordinator takes a live conversation over; one without a name never does."""
    if to is not Status.LIVE or session.status is not Status.LIVE or coordinator_id is None:
        return False
    return session.transfer is None or session.transfer.coordinator_id != coordinator_id


def _hand_to(draft: Draft, coordinator_id: CoordinatorId | None, occasion: DecisionContext) -> None:
    draft.hand_to(coordinator_id, TransferId(occasion.new_id()), occasion.at)
    _notify(draft, Text.JOINED, occasion, who=coordinator_id)


def _ask_for_human(
    draft: Draft, reason: Reason, occasion: DecisionContext, summary: str | None = None
) -> None:
    draft.language = occasion.language
    draft.ask_for_human(
        reason,
        TransferId(occasion.new_id()),
        occasion.at,
        timeout_s=occasion.transfer_timeout_s,
        summary=summary,
    )


def _notify(
    draft: Draft,
    text: Text,
    occasion: DecisionContext,
    *,
    who: str | None = None,
    actions: tuple[Action, ...] = (),
) -> None:
    draft.say(
        Author.SYSTEM,
        MessageId(occasion.new_id()),
        localized(occasion.language, text, who=who),
        occasion.at,
        actions=actions,
    )
