"""The effect of each request on a conversation: pure decisions, stored and carried out elsewhere.

Each takes the session as it is (None: the customer has none) and returns the draft of what is to
be appended, or None when there is nothing to do, or raises the refusal. A decision whose draft
meets a conflict is made again on the session as it then is.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from domain.decision_context import (
    DecisionContext,
    append_text,
    append_user_message,
    customers_language,
    timestamp_text,
)
from domain.errors import NotInLiveChat, Outdated, TransitionRefused, UnknownSession
from domain.handoff import Availability
from domain.identity import CoordinatorId, MessageId, SessionId, TransferId
from domain.language import DetectLanguage
from domain.message import Action, AnswerVersion, Audience, Author, Message, Summary, ToolUse
from domain.promise import Verdict
from domain.rating import Stars
from domain.session import Draft, Session
from domain.status import Reason, Status
from domain.texts import Text
from domain.tool import Proposal
from domain.transfer import TransferState
from domain.usage import Usage
from domain.write_call import WriteState, begun_states
from domain.write_decisions import (
    answer_in_words,
    expire_question,
    is_too_late,
    propose,
    withdraw_question,
)

WAITING_ACTION: Action = {"type": "live_chat", "status": Status.WAITING.value}
"""Stored with the message that announces a transfer; adapters add the live chat's topic and URL."""

CLOCK_SKEW = timedelta(seconds=10)
"""The time by which the bridge's clock, or a coordinator's, may be behind ours."""

OpenSession = Callable[[], Session]
"""Makes the head of a session that has no entries yet."""


def open_or_new(session: Session | None, open_session: OpenSession) -> Session:
    """Return the customer's session if it is open, or else a new one in the same language."""
    if session is None:
        return open_session()
    return session if session.is_open else replace(open_session(), language=session.language)


def record_user_message(
    session: Session | None,
    open_session: OpenSession,
    message_id: MessageId,
    text: str,
    at: datetime,
    *,
    key: str | None = None,
    detect: DetectLanguage | None = None,
    context: DecisionContext | None = None,
) -> Draft:
    """Append the user's message, whoever owns the conversation.

    If it is all of a yes or a no to the question that the user was asked last, it answers that. Or
    else, if they were asked to leave a message, this is it, which is acknowledged. `context`: None,
    where neither can be.
    """
    current = open_or_new(session, open_session)
    draft = Draft(current, key=key)
    if context is not None and (step := answer_in_words(current, text, context)) is not None:
        append_user_message(draft, message_id, text, at, None, write=step)
        return draft
    append_user_message(draft, message_id, text, at, detect, unmet=current.unmet)
    if context is not None and current.unmet is not None:
        draft.language = context.language
        append_text(draft, Text.MESSAGE_KEPT, context)
    return draft


class TurnResult(Struct, frozen=True, kw_only=True):
    """The outcome of a turn, and the state under which it may be stored: the fence of rule 2."""

    session_id: SessionId
    epoch: int
    """The epoch that the turn began in."""
    settled_seq: int
    """The session's when the turn began."""
    settles_seq: int
    """The newest user message that the turn has read."""
    in_reply_to: tuple[MessageId, ...]
    response_id: MessageId
    text: str
    actions: tuple[Action, ...] = ()
    transfer: Reason | None = None
    """The reason to ask for a human: `ai_decision` or `ai_failure`; None: no human is asked for."""
    unmet: Reason | None = None
    """Such a reason, where nobody is there, and the text asks for a message."""
    handover_note: str | None = None
    failed: bool = False
    is_notice: bool = False
    """True if the text is the server's, as the user has stopped the AI before it wrote any."""
    tools: tuple[ToolUse, ...] = ()
    usage: Usage | None = None
    summary: Summary | None = None
    """A rolling summary that is newer than the session's."""
    verdict: Verdict | None = None
    proposal: Proposal | None = None
    """A call that waits for somebody's yes: the text puts the question."""
    begun: frozenset[tuple[str, WriteState]] = frozenset()
    """The calls of tools that were begun, its own and earlier ones, each with what has become of it
    as far as the turn knows."""
    version: AnswerVersion | None = None


def answer(session: Session | None, turn: TurnResult, context: DecisionContext) -> Draft | None:
    """Append the AI's answer; None if the conversation changed hands or was answered meanwhile."""
    if session is None or session.status is not Status.AI:
        return None
    # Every session counts its epochs from 0: the number alone could be another session's.
    if (session.session_id, session.epoch) != (turn.session_id, turn.epoch):
        return None
    # Another turn has answered some of the messages: this answer to them comes too late.
    if session.settled_seq != turn.settled_seq:
        return None
    # Something was done, or what came of it was learned, of which this answer does not know.
    if begun_states(session.writes) != turn.begun:
        return None
    draft = Draft(session)
    actions = turn.actions
    if turn.proposal is not None and turn.transfer is None:
        actions = (*actions, *propose(draft, turn.proposal, turn.response_id, context))
    draft.append_message(
        Message(
            seq=draft.next_seq,
            message_id=turn.response_id,
            author=Author.SYSTEM if turn.failed or turn.is_notice else Author.AI,
            text=turn.text,
            at=context.at,
            actions=actions,
            in_reply_to=turn.in_reply_to,
            settles_seq=turn.settles_seq,
            failed=turn.failed,
            tools=turn.tools,
            usage=turn.usage,
            summary=turn.summary,
            verdict=turn.verdict,
            version=turn.version,
            unmet=turn.unmet,
        )
    )
    if turn.transfer is not None:
        _request_transfer(draft, turn.transfer, context, turn.handover_note)
    return draft


def request_transfer(
    session: Session | None,
    open_session: OpenSession,
    context: DecisionContext,
    text: str | None,
    message_id: MessageId,
    *,
    key: str | None = None,
    reason: Reason = Reason.USER_REQUEST,
    from_bridge: bool = False,
    detect: DetectLanguage | None = None,
) -> Draft | None:
    """Ask for a human for the user, with `text` as their message.

    Where a human was already asked for or is there, only the message is appended; also where nobody
    can meet the request, and the user has been told so. `from_bridge`: the message was written
    there. The bridge is not notified of it, and a human is asked for in any case: an answer by the
    AI would not be read there.
    """
    current = open_or_new(session, open_session)
    draft = Draft(current, key=key)
    draft.from_bridge = from_bridge
    if text is not None:
        append_user_message(draft, message_id, text, context.at, detect)
    if current.status is Status.AI:
        if from_bridge or context.availability.is_possible:
            _request_transfer(draft, reason, context)
            append_text(draft, Text.REQUESTED, context, actions=(WAITING_ACTION,))
        elif current.unmet is None:
            # With it the message is answered, unless others wait for the AI.
            answered = message_id if text is not None and not current.needs_answer else None
            opening = Text.NOBODY if context.availability.is_offered else Text.NOT_OFFERED
            _append_unmet(draft, opening, reason, context, answered)
    return draft if draft.entries else None


def end_live_chat(session: Session | None, context: DecisionContext) -> Draft | None:
    """Cancel the waiting transfer or end the live chat, for the user. Raises: NotInLiveChat."""
    if session is None or not session.is_open:
        raise NotInLiveChat
    if session.status is Status.AI:
        if session.reason in (Reason.CANCELLED, Reason.ENDED_BY_USER):
            return None
        raise NotInLiveChat
    waiting = session.status is Status.WAITING
    reason = Reason.CANCELLED if waiting else Reason.ENDED_BY_USER
    draft = Draft(session)
    draft.change_status(Status.AI, reason, context.at)
    append_text(draft, Text.CANCELLED if waiting else Text.ENDED, context)
    return draft


def rate(
    session: Session, stars: Stars, message_id: MessageId, at: datetime, key: str | None = None
) -> Draft | None:
    """Append the user's rating, to an open or a closed session; None: it has the same already.

    It is not said in the conversation: it only takes a seq.
    """
    if session.rating is not None and session.rating.stars == stars:
        return None
    draft = Draft(session, key=key, even_closed=True)
    draft.append_message(
        Message(
            seq=draft.next_seq,
            message_id=message_id,
            author=Author.USER,
            text=stars.text,
            at=at,
            actions=(stars.action,),
            audience=Audience.CUSTOMER_AND_COORDINATOR,
        )
    )
    return draft


def change_status(
    session: Session,
    to: Status,
    context: DecisionContext,
    coordinator_id: CoordinatorId | None = None,
    handover_note: str | None = None,
    decided_at: datetime | None = None,
    *,
    is_away: bool = False,
) -> Draft | None:
    """Take over, give back to the queue or the AI, or close, for the coordinator's side.

    A repeat changes nothing. `decided_at`: when the coordinator decided it; None: now.
    To the queue: `coordinator_id` is who had it, and has gone if `is_away`; it is taken from nobody
    else.
    Raises: TransitionRefused, SessionClosed, Outdated.
    """
    if to is session.status and not _is_takeover(session, to, coordinator_id):
        return None
    draft = Draft(session)
    if is_outdated(session, decided_at):
        raise Outdated
    match to:
        case Status.LIVE:
            _assign(draft, coordinator_id, context)
        case Status.AI:
            draft.change_status(to, Reason.RETURNED, context.at, handover_note=handover_note)
            append_text(draft, Text.RETURNED, context)
        case Status.CLOSED:
            # The texts come first: nothing is appended to a closed session.
            withdraw_question(draft, context)
            append_text(draft, Text.CLOSED, context)
            reason = Reason.CLOSED_BY_COORDINATOR
            draft.change_status(to, reason, context.at, handover_note=handover_note)
        case Status.WAITING:
            _requeue(draft, coordinator_id, context, handover_note, is_away=is_away)
    return draft


def _requeue(
    draft: Draft,
    coordinator_id: CoordinatorId | None,
    context: DecisionContext,
    handover_note: str | None,
    *,
    is_away: bool,
) -> None:
    """Have the user wait for another coordinator: a request for a human like any other."""
    session = draft.session
    if session.status is not Status.LIVE:
        raise TransitionRefused("only the user, the AI or its failure can ask for a human")
    assigned = session.transfer.coordinator_id if session.transfer is not None else None
    if None not in (coordinator_id, assigned) and coordinator_id != assigned:
        raise Outdated
    reason = Reason.COORDINATOR_AWAY if is_away else Reason.REQUEUED
    _request_transfer(draft, reason, context, handover_note or session.handover_note)
    text = Text.COORDINATOR_AWAY if is_away else Text.REQUEUED
    append_text(draft, text, context, actions=(WAITING_ACTION,), who=coordinator_id or assigned)


def whisper(
    session: Session,
    message_id: MessageId,
    text: str,
    at: datetime,
    coordinator_id: CoordinatorId | None,
    key: str | None = None,
) -> Draft:
    """Append what a coordinator tells the AI alone: it is not said, and calls for no answer.

    Raises: SessionClosed.
    """
    draft = Draft(session, key=key)
    draft.append_message(
        Message(
            seq=draft.next_seq,
            message_id=message_id,
            author=Author.COORDINATOR,
            text=text,
            at=at,
            coordinator_id=coordinator_id,
            audience=Audience.MODEL,
        )
    )
    return draft


def is_outdated(session: Session, at: datetime | None) -> bool:
    """Return whether what a coordinator did at `at` is older than the last change of owner."""
    return at is not None and at < session.owner_since - CLOCK_SKEW


def wrote_before_returning(
    session: Session,
    written_at: datetime | None,
    coordinator_id: CoordinatorId | None,
    now: datetime,
) -> bool:
    """Return whether a coordinator wrote this before they gave the conversation back just now.

    The message and the return come by two ways, and the return may be faster. Where the clock of
    the bridge is behind, what they write within CLOCK_SKEW after it is taken for earlier, too.
    """
    transfer, returned_at = session.transfer, session.owner_since
    return (
        session.status is Status.AI
        and session.reason is Reason.RETURNED
        and transfer is not None
        and transfer.coordinator_id == coordinator_id
        and written_at is not None
        and written_at < returned_at
        and now - returned_at <= CLOCK_SKEW
    )


def is_message_outdated(
    session: Session,
    written_at: datetime | None,
    coordinator_id: CoordinatorId | None,
    now: datetime,
) -> bool:
    """Return whether a coordinator's message changes no owner, as it comes too late for that."""
    return is_outdated(session, written_at) or wrote_before_returning(
        session, written_at, coordinator_id, now
    )


def record_coordinator_message(
    session: Session | None,
    open_session: OpenSession,
    message_id: MessageId,
    text: str,
    context: DecisionContext,
    coordinator_id: CoordinatorId | None,
    *,
    key: str | None = None,
    written_at: datetime | None = None,
    replayed: bool = False,
) -> Draft:
    """Append a coordinator's message, which takes the conversation over from whoever owns it.

    After a session that was closed for idleness it opens a new one. `written_at`: None: now. What
    is older than the last change of owner is appended, and changes no owner; so is what its writer
    wrote before they gave the conversation back. `replayed`: it was
    sent a while ago and arrives only now. Then it accepts a waiting transfer, but takes the
    conversation from nobody who owns it by now.
    Raises: UnknownSession, SessionClosed.
    """
    if session is None:
        raise UnknownSession
    outdated = is_message_outdated(session, written_at, coordinator_id, context.at)
    if not session.is_open and session.reason is Reason.IDLE and not outdated and not replayed:
        session = open_or_new(session, open_session)
    draft = Draft(session, key=key)
    takes_over = not replayed and (
        session.status is Status.AI or _is_takeover(session, Status.LIVE, coordinator_id)
    )
    if not outdated and (session.status is Status.WAITING or takes_over):
        _assign(draft, coordinator_id, context)
    draft.append_message(
        Message(
            seq=draft.next_seq,
            message_id=message_id,
            author=Author.COORDINATOR,
            text=text,
            at=context.at,
            coordinator_id=coordinator_id,
        )
    )
    return draft


def record_delivery(
    session: Session | None, transfer_id: TransferId, context: DecisionContext
) -> Draft | None:
    """Append that the bridge has acknowledged a request; None: it is known, or nobody waits."""
    if session is None or not session.waits_for(transfer_id) or _is_delivered(session):
        return None
    draft = Draft(session)
    draft.change_status(Status.WAITING, Reason.DELIVERED, context.at)
    return draft


def record_failure(
    session: Session | None, transfer_id: TransferId, context: DecisionContext
) -> Draft | None:
    """Append that a request is a dead letter, and a notice to the user, who goes on waiting.

    None: it is known, or the request was delivered before, or nobody waits.
    """
    if session is None or not session.waits_for(transfer_id):
        return None
    if session.transfer is None or session.transfer.state is not TransferState.REQUESTED:
        return None
    draft = _keyed_draft(session, transfer_id, Text.REFUSED)
    draft.change_status(Status.WAITING, Reason.UNDELIVERABLE, context.at)
    _append_delivery_text(draft, transfer_id, Text.REFUSED, context)
    return draft


def notify_unreachable(
    session: Session | None, context: DecisionContext, *, is_joined: bool
) -> Draft | None:
    """Notify the user that the coordinators cannot be reached; None: they can, or are not needed.

    While the user waits, unless the request is a dead letter, of which they know; in a live chat,
    if they wrote last. `is_joined`: messages go both ways on their topic.
    """
    transfer = session.transfer if session is not None else None
    if session is None or transfer is None:
        return None
    if session.status is Status.WAITING:
        if is_reached(session, is_joined=is_joined) or transfer.state is TransferState.FAILED:
            return None
        text = Text.UNREACHABLE
    elif (
        session.status is Status.LIVE
        and not is_joined
        and session.last_user_seq == session.said_seq
    ):
        text = Text.NOT_RELAYED
    else:
        return None
    draft = _keyed_draft(session, transfer.transfer_id, text)
    _append_delivery_text(draft, transfer.transfer_id, text, context)
    return draft


def notify_reached(
    session: Session | None, context: DecisionContext, *, is_joined: bool
) -> Draft | None:
    """Notify the user that the coordinators have the request after all; None: they do not."""
    if session is None or not is_reached(session, is_joined=is_joined):
        return None
    assert session.transfer is not None
    transfer_id = session.transfer.transfer_id
    draft = _keyed_draft(session, transfer_id, Text.REACHED)
    _append_delivery_text(draft, transfer_id, Text.REACHED, context)
    return draft


def is_reached(session: Session, *, is_joined: bool) -> bool:
    """Return whether the user waits on a request that the coordinators have, and can answer."""
    return is_joined and session.status is Status.WAITING and _is_delivered(session)


def delivery_key(transfer_id: TransferId, text: Text) -> str:
    """Return the idempotency key of a text about a request's delivery: once each per transfer."""
    return f"s:{transfer_id}-{text}"


def _is_delivered(session: Session) -> bool:
    transfer = session.transfer
    return transfer is not None and transfer.state is TransferState.DELIVERED


def _keyed_draft(session: Session, transfer_id: TransferId, text: Text) -> Draft:
    return Draft(session, key=delivery_key(transfer_id, text))


def _append_delivery_text(
    draft: Draft, transfer_id: TransferId, text: Text, context: DecisionContext
) -> None:
    append_text(draft, text, context, message_id=MessageId(f"{transfer_id}-{text}"))


def expire(session: Session, context: DecisionContext, idle_s: float) -> Draft | None:
    """Expire an unaccepted transfer, or an open question, or close an idle session, if it is time.

    `idle_s`: the silence after which a session is idle in which no human has yet to answer.
    """
    transfer = session.transfer
    if session.status is Status.WAITING and transfer and transfer.expires_at:
        if transfer.expires_at > context.at:
            return None
        draft = Draft(session)
        draft.change_status(Status.AI, Reason.EXPIRED, context.at)
        _append_unmet(draft, Text.EXPIRED, transfer.reason, context)
        return draft
    if not session.is_open or session.needs_answer:
        return None
    if (question := session.question) is not None and is_too_late(question, context.at):
        draft = Draft(session)
        expire_question(draft, question, context)
        return draft
    if session.is_unseen or context.at < session.closes_at(timedelta(seconds=idle_s)):
        return None
    draft = Draft(session)
    append_text(draft, Text.IDLE, context)  # first: nothing is appended to a closed session
    draft.change_status(Status.CLOSED, Reason.IDLE, context.at)
    return draft


def _is_takeover(session: Session, to: Status, coordinator_id: CoordinatorId | None) -> bool:
    """Return whether a named coordinator takes a live conversation over from another."""
    if to is not Status.LIVE or session.status is not Status.LIVE or coordinator_id is None:
        return False
    return session.transfer is None or session.transfer.coordinator_id != coordinator_id


def _assign(draft: Draft, coordinator_id: CoordinatorId | None, context: DecisionContext) -> None:
    withdraw_question(draft, context)
    draft.assign(coordinator_id, TransferId(context.new_id()), context.at)
    append_text(draft, Text.JOINED, context, who=coordinator_id)


def _request_transfer(
    draft: Draft, reason: Reason, context: DecisionContext, handover_note: str | None = None
) -> None:
    draft.language = context.language
    withdraw_question(draft, context)
    draft.request_transfer(
        reason,
        TransferId(context.new_id()),
        context.at,
        timeout_s=context.transfer_timeout_s,
        handover_note=handover_note,
    )


def leave_message_action(availability: Availability) -> Action:
    """Return the action of a text that asks the user to leave a message."""
    back = availability.returns_at
    if back is None:
        return {"type": "leave_message", "returnsAt": None}
    return {"type": "leave_message", "returnsAt": timestamp_text(back)}


def _append_unmet(
    draft: Draft,
    opening: Text,
    reason: Reason,
    context: DecisionContext,
    answered: MessageId | None = None,
) -> None:
    """Append that no human comes; the user is asked to leave a message, where one may come later.

    `answered`: the user's newest message, if this is all of its answer.
    """
    availability = context.availability
    language, named = customers_language(draft, context)
    is_offered = availability.is_offered
    draft.append_message(
        Message(
            seq=draft.next_seq,
            message_id=MessageId(context.new_id()),
            author=Author.SYSTEM,
            text=availability.text(language, context.words, opening),
            at=context.at,
            actions=(leave_message_action(availability),) if is_offered else (),
            in_reply_to=(answered,) if answered is not None else (),
            settles_seq=draft.session.last_user_seq if answered is not None else 0,
            language=named,
            unmet=reason if is_offered else None,
        )
    )
