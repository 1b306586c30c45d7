"""The conversation of a visitor who signs in: how it ends, and what the user's begins with."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from domain.decision_context import DecisionContext, timestamp_text
from domain.decisions import OpenSession, open_or_new
from domain.errors import VisitorBusy
from domain.identity import MessageId, UserId
from domain.message import Action, Audience, Author, Entry, Message
from domain.plain_text import shortened
from domain.session import Draft, Session
from domain.status import Reason, Status
from domain.write_decisions import withdraw_question

LAST_SAID = 10
"""The newest messages of a visit that are taken along."""
MAX_SAID, MAX_VISIT_SUMMARY = 500, 2_000
"""Characters of each, and of the summary of the rest."""


def close_visit(session: Session | None, user_id: UserId, context: DecisionContext) -> Draft | None:
    """Close a visitor's session as they sign in; None: there is none that is open.

    An open question is withdrawn: what it would do would be done for the visitor, not for the user.
    Raises: VisitorBusy, while somebody answers the visitor, or something is done for them.
    """
    if session is None or not session.is_open:
        return None
    is_deed_open = any(call.is_begun for call in session.writes)
    if session.is_with_human or session.needs_answer or is_deed_open:
        raise VisitorBusy
    draft = Draft(session)
    withdraw_question(draft, context)
    draft.append_message(
        Message(
            seq=draft.next_seq,
            message_id=MessageId(context.new_id()),
            author=Author.SYSTEM,
            text=f"The visitor has signed in as {user_id}.",
            at=context.at,
            actions=({"type": "signed_in", "userId": user_id},),
            audience=Audience.COORDINATOR,
        )
    )
    draft.change_status(Status.CLOSED, Reason.SIGNED_IN, context.at)
    return draft


def is_visit_of(session: Session, recent: Sequence[Entry], user_id: UserId) -> bool:
    """Return whether a session is a visitor's who has signed in as this user.

    `recent`: its newest entries.
    """
    if session.status is not Status.CLOSED or session.reason is not Reason.SIGNED_IN:
        return False
    expected: Action = {"type": "signed_in", "userId": user_id}
    return any(isinstance(entry, Message) and expected in entry.actions for entry in recent)


def visit_text(session: Session, recent: Sequence[Entry]) -> str | None:
    """Return what is taken along of a visit, as JSON; None: the visitor has said nothing.

    The summary is of what was said before the messages, and may reach into them.
    """
    said = [entry for entry in recent if isinstance(entry, Message) and entry.is_said]
    if not any(message.author is Author.USER for message in said):
        return None
    messages = [
        {"by": each.author, "at": timestamp_text(each.at), "text": shortened(each.text, MAX_SAID)}
        for each in said[-LAST_SAID:]
    ]
    summary = session.summary.text if session.summary is not None else None
    told = {"summary": shortened(summary, MAX_VISIT_SUMMARY)} if summary is not None else {}
    return msgspec.json.encode({**told, "messages": messages}).decode()


def take_along(
    session: Session | None,
    open_session: OpenSession,
    visit: Session,
    text: str,
    message_id: MessageId,
    at: datetime,
) -> Draft:
    """Append what was said in a visit to the user's session, or to a new one, for the AI alone."""
    current = open_or_new(session, lambda: replace(open_session(), language=visit.language))
    draft = Draft(current, key=f"v:{visit.session_id}")
    draft.append_message(
        Message(
            seq=draft.next_seq,
            message_id=message_id,
            author=Author.SYSTEM,
            text=text,
            at=at,
            audience=Audience.MODEL,
        )
    )
    return draft
