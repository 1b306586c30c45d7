"""The effect of each step of a call of a tool that changes something: pure decisions.

As in `domain.decisions`: each returns the draft of what is to be appended, or None when there is
nothing to do, or raises the refusal.
"""

from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from domain.decision_context import (
    DecisionContext,
    append_text,
    append_user_message,
    timestamp_text,
)
from domain.errors import ConfirmationExpired, ConfirmationWithdrawn, UnknownConfirmation
from domain.identity import CoordinatorId, MessageId, SessionId
from domain.message import Action, Audience, Author, Message
from domain.session import OUTCOME_WITHIN, Draft, Session
from domain.status import Status
from domain.texts import Text, Words, localized
from domain.tool import Confirmer, Proposal
from domain.write_call import OUTCOMES, WriteCall, WriteState, WriteStep, begun_ids, call_id_of
from domain.yes_no import yes_or_no


def answer_in_words(session: Session, text: str, context: DecisionContext) -> WriteStep | None:
    """Return the user's yes or no to the open question; None: the message is no answer to it.

    Only where the question was said last: else they may answer another one.
    """
    question = session.question if session.status is Status.AI else None
    if question is None or question.confirm is not Confirmer.CUSTOMER:
        return None
    if session.said_seq != question.question_seq or is_too_late(question, context.at):
        return None
    said = yes_or_no(text, session.language or context.language)
    if said is None:
        return None
    return question.step(WriteState.APPROVED if said else WriteState.REJECTED)


def is_too_late(question: WriteCall, at: datetime) -> bool:
    """Return whether the time for an answer is over."""
    return question.expires_at is not None and question.expires_at <= at


def propose(
    draft: Draft, proposal: Proposal, response_id: MessageId, context: DecisionContext
) -> tuple[Action, ...]:
    """Append that a call waits for a yes; return the actions of the answer that asks for it.

    It takes the place of a question that is open.
    """
    actions: tuple[Action, ...] = ()
    if (replaced := draft.session.question) is not None:
        step = replaced.step(WriteState.WITHDRAWN)
        append_step(draft, step, MessageId(f"{response_id}-withdrawn"), context)
        actions = (confirmation_action(step),)
    call_id = call_id_of(draft.session.session_id, draft.next_seq)
    expires_at = context.at + proposal.confirm_for
    step = WriteStep(
        call_id=call_id,
        state=WriteState.PROPOSED,
        tool=proposal.tool,
        what=proposal.what,
        arguments=proposal.arguments,
        terms=proposal.terms,
        confirm=proposal.confirm,
        expires_at=expires_at,
    )
    append_step(draft, step, MessageId(f"{response_id}-proposed"), context)
    question: Action = {
        "type": "confirm",
        "confirmId": call_id,
        "by": proposal.confirm.value,
        "title": proposal.title,
        "items": [{"label": label, "value": value} for label, value in proposal.items],
        "expiresAt": timestamp_text(expires_at),
    }
    return (*actions, question)


def confirmation_action(step: WriteStep) -> Action:
    """Return the action of a message that tells what has become of a question for a yes."""
    return {"type": "confirmation", "confirmId": step.call_id, "state": step.state.value}


def append_step(
    draft: Draft,
    step: WriteStep,
    message_id: MessageId,
    context: DecisionContext,
    *,
    author: Author = Author.AI,
    coordinator_id: CoordinatorId | None = None,
) -> None:
    """Append a step of a call, for the coordinators and the AI."""
    draft.append_message(
        Message(
            seq=draft.next_seq,
            message_id=message_id,
            author=author,
            text=step.what,
            at=context.at,
            audience=Audience.COORDINATOR,
            coordinator_id=coordinator_id,
            write=step,
        )
    )


def answer_question(
    session: Session | None,
    call_id: str,
    answer: bool,
    context: DecisionContext,
    message_id: MessageId,
    by: Confirmer,
    coordinator_id: CoordinatorId | None = None,
) -> Draft:
    """Append a yes or a no to the question with an id, by who was asked.

    A customer's is a message of theirs. The key lets the first answer alone count.
    Raises: UnknownConfirmation, ConfirmationExpired, ConfirmationWithdrawn.
    """
    if session is None:
        raise UnknownConfirmation
    question = session.write_call(call_id)
    if question is None or question.state is not WriteState.PROPOSED:
        raise ConfirmationWithdrawn
    if question.confirm is not by:
        raise UnknownConfirmation
    if session.status is not Status.AI:
        raise ConfirmationWithdrawn
    if is_too_late(question, context.at):
        raise ConfirmationExpired
    draft = Draft(session, key=question_key(call_id))
    step = question.step(WriteState.APPROVED if answer else WriteState.REJECTED)
    if by is Confirmer.CUSTOMER:
        text = localized(
            session.language or context.language, Text.YES if answer else Text.NO, context.words
        )
        append_user_message(draft, message_id, text, context.at, None, write=step)
    else:
        append_step(
            draft,
            step,
            message_id,
            context,
            author=Author.COORDINATOR,
            coordinator_id=coordinator_id,
        )
    return draft


def question_key(call_id: str) -> str:
    """Return the idempotency key of the answer to a question for a yes."""
    return f"q:{call_id}"


class Claim(NamedTuple):
    """The state under which a turn may begin a call: the fence of rule 2, for what it does."""

    session_id: SessionId
    epoch: int
    settled_seq: int
    begun: frozenset[str]
    """The calls that the turn knows to have been begun."""


def begin_call(
    session: Session | None,
    claim: Claim,
    step: WriteStep,
    message_id: MessageId,
    context: DecisionContext,
) -> Draft | None:
    """Append that a call begins, before its tool is called; None: it must not.

    That is, the conversation changed hands or was answered meanwhile, another run of the turn has
    done something, or the call was not approved. `step`: with an empty `call_id` it is a new call.
    """
    if session is None or session.status is not Status.AI:
        return None
    if (session.session_id, session.epoch) != (claim.session_id, claim.epoch):
        return None
    if session.settled_seq != claim.settled_seq or begun_ids(session.writes) != claim.begun:
        return None
    if step.call_id:
        call = session.write_call(step.call_id)
        if call is None or call.state is not WriteState.APPROVED:
            return None
    draft = Draft(session)
    call_id = step.call_id or call_id_of(session.session_id, draft.next_seq)
    begun = replace(step, call_id=call_id, state=WriteState.STARTED)
    append_step(draft, begun, message_id, context)
    return draft


def record_outcome(
    session: Session,
    step: WriteStep,
    message_id: MessageId,
    context: DecisionContext,
) -> Draft | None:
    """Append what came of a call, whoever owns the conversation by now; None: it is known.

    What was said to be unknown may be learned late. Where the AI owns the conversation, and no turn
    is going to tell the customer, this does.
    """
    current = session.write_call(step.call_id)
    is_unknown = step.state is WriteState.UNKNOWN
    if current is not None and current.state in OUTCOMES:
        if is_unknown or current.state is not WriteState.UNKNOWN:
            return None
    if current is None and is_unknown:
        return None
    # What is settled is not in the head any more: the key keeps it from being stored twice.
    key = None if is_unknown else f"w:{step.call_id}"
    draft = Draft(session, key=key, even_closed=True)
    is_next_turns = session.needs_answer and current is not None
    if session.status is not Status.AI or is_next_turns:
        append_step(draft, step, message_id, context)
        return draft
    append_text(
        draft,
        _OUTCOME_TEXTS[step.state],
        context,
        message_id=message_id,
        what=step.what,
        actions=(confirmation_action(step),) if step.confirm is not None else (),
        write=step,
    )
    return draft


_OUTCOME_TEXTS = {
    WriteState.DONE: Text.WRITE_DONE,
    WriteState.FAILED: Text.WRITE_FAILED,
    WriteState.UNKNOWN: Text.WRITE_UNKNOWN,
}


def outcome_text(step: WriteStep, language: str, words: Words) -> str:
    """Return what the server says of the outcome of a call."""
    return localized(language, _OUTCOME_TEXTS[step.state], words, what=step.what)


def question_text(proposal: Proposal, language: str, words: Words) -> str:
    """Return the question for a yes, in words that can be answered in words."""
    by_customer = proposal.confirm is Confirmer.CUSTOMER
    text = Text.CONFIRM if by_customer else Text.CONFIRM_COLLEAGUE
    return localized(language, text, words, what=proposal.what)


def overdue_calls(session: Session, at: datetime) -> tuple[WriteCall, ...]:
    """Return the calls whose outcome nobody is going to store any more."""
    started = [call for call in session.writes if call.state is WriteState.STARTED]
    return tuple([call for call in started if call.at + OUTCOME_WITHIN <= at])


def withdraw_question(draft: Draft, context: DecisionContext) -> None:
    """Append that the open question, or the yes to it, no longer stands, and tell the customer.

    To be done before the conversation changes hands.
    """
    for call in draft.session.writes:
        if call.state in (WriteState.PROPOSED, WriteState.APPROVED):
            _append_end(draft, call.step(WriteState.WITHDRAWN), Text.CONFIRM_WITHDRAWN, context)


def expire_question(draft: Draft, question: WriteCall, context: DecisionContext) -> None:
    """Append that nobody has answered the question in time, and tell the customer."""
    _append_end(draft, question.step(WriteState.EXPIRED), Text.CONFIRM_EXPIRED, context)


def _append_end(draft: Draft, step: WriteStep, text: Text, context: DecisionContext) -> None:
    actions = (confirmation_action(step),)
    append_text(draft, text, context, what=step.what, actions=actions, write=step)
