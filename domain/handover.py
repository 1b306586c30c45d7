"""The handover context: how it is built from a conversation."""

from collections.abc import Sequence

from domain.business import DEFAULT_LANGUAGE
from domain.message import Author, Entry, Message, StatusChange, ToolUse
from domain.notice import HandoverContext, HandoverMessage
from domain.session import Session
from domain.view import window

LAST_MESSAGES = 10
LAST_TOOLS = 20
MAX_EXTRACT = 1_000
"""Characters of a summary that is extracted from the user's messages."""


def handover_context(
    session: Session, recent: Sequence[Entry], language: str = DEFAULT_LANGUAGE
) -> HandoverContext:
    """Build the context from the session and its newest entries, oldest first.

    `language`: the business's.
    """
    messages = [entry for entry in recent if isinstance(entry, Message) and entry.is_said]
    transfer = session.transfer
    return HandoverContext(
        session_id=session.session_id,
        customer=session.customer,
        location_id=session.location_id,
        status=session.status,
        reason=transfer.reason if transfer is not None else None,
        summary=_summary(session, recent) or _extract(messages),
        language=session.language or language,
        open_question=_open_question(messages),
        tools_used=_tools_used(messages),
        last_messages=_last_messages(messages),
    )


def _summary(session: Session, recent: Sequence[Entry]) -> str | None:
    """The note written for this handover, or else the rolling summary.

    A note for an earlier handover does not say why a human is asked for again.
    """
    rolling = session.summary.text if session.summary is not None else None
    for entry in reversed(recent):
        if isinstance(entry, StatusChange):
            if entry.handover_note is not None:
                return entry.handover_note
            if entry.requests_human:
                return rolling
    return rolling or session.handover_note


def _extract(messages: Sequence[Message]) -> str | None:
    """A summary by extraction: the user's last messages, shortened."""
    last = [message.text for message in messages if message.author is Author.USER][-3:]
    return " / ".join(last)[:MAX_EXTRACT] or None


def _open_question(messages: Sequence[Message]) -> str | None:
    """The user's newest message, if only notices of the server follow it."""
    for message in reversed(messages):
        if message.author is Author.USER:
            return message.text
        if message.author is not Author.SYSTEM:
            return None
    return None


def _tools_used(messages: Sequence[Message]) -> tuple[ToolUse, ...]:
    return tuple([use for message in messages for use in message.tools][-LAST_TOOLS:])


def _last_messages(messages: Sequence[Message]) -> tuple[HandoverMessage, ...]:
    return tuple(
        HandoverMessage(seq=entry.seq, author=entry.author, text=entry.text, at=entry.at)
        for entry in window(messages[-LAST_MESSAGES:])
        if isinstance(entry, Message)
    )
