"""The context package: what a coordinator needs to know before saying the first word."""

from collections.abc import Sequence

from domain.business import DEFAULT_LANGUAGE
from domain.message import Author, Entry, Message, StatusChange
from domain.session import Session
from domain.status import Status
from domain.view import window

LAST_MESSAGES = 10
LAST_TOOLS = 20
MAX_SUMMARY = 1_000


def context_package(
    session: Session, recent: Sequence[Entry], language: str = DEFAULT_LANGUAGE
) -> dict[str, object]:
    """What the coordinator's side is given, bounded in size whatever the length of the log.

    `{"reason", "summary", "language", "openQuestion", "toolsUsed", "lastMessages", "history"}`
    """
    messages = [entry for entry in recent if isinstance(entry, Message)]
    transfer = session.transfer
    return {
        "sessionId": session.session_id,
        "businessId": session.customer.business_id,
        "userId": session.customer.user_id,
        "locationId": session.location_id,
        "status": session.status,
        "reason": transfer.reason if transfer is not None else None,
        "summary": _summary(session, recent) or _extract(messages),
        "language": language,
        "openQuestion": _open_question(messages),
        "toolsUsed": _tools_used(messages),
        "lastMessages": [_line(message) for message in _last(messages)],
        "history": f"/api/conversations/{session.session_id}/messages",
    }


def _summary(session: Session, recent: Sequence[Entry]) -> str | None:
    """What somebody wrote for this hand-over, or else the digest, as it goes at this moment.

    What was written for an earlier one says nothing of why a human is asked for again.
    """
    digest = session.summary.text if session.summary is not None else None
    for entry in reversed(recent):
        if isinstance(entry, StatusChange):
            if entry.handover_note is not None:
                return entry.handover_note
            if entry.status is Status.WAITING:
                return digest
    return digest or session.handover_note


def _last(messages: Sequence[Message]) -> list[Message]:
    return [entry for entry in window(messages, max_entries=LAST_MESSAGES)
            if isinstance(entry, Message)]  # fmt: skip


def _line(message: Message) -> dict[str, object]:
    return {
        "seq": message.seq,
        "author": message.author,
        "message": message.text,
        "timestamp": message.at,
    }


def _open_question(messages: Sequence[Message]) -> str | None:
    """The user's newest words, if nobody but the server itself has spoken since."""
    for message in reversed(messages):
        if message.author is Author.USER:
            return message.text
        if message.author is not Author.SYSTEM:
            return None
    return None


def _extract(messages: Sequence[Message]) -> str | None:
    """A summary by extraction: what the user has said last, shortened."""
    said = [message.text for message in messages if message.author is Author.USER][-3:]
    return " / ".join(said)[:MAX_SUMMARY] or None


def _tools_used(messages: Sequence[Message]) -> list[str]:
    """The newest calls, oldest first: `get_reservations: found`, or `failed`, or …"""
    used = [f"{use.name}: {use.outcome}" for message in messages for use in message.tools]
    return used[-LAST_TOOLS:]
