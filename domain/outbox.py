"""What the bridge is told of what is appended to a conversation: which calls, with which bodies.

Keys and calls are those of the bridge's interface; timestamps are ISO 8601 in UTC with milliseconds
and `Z`. A coordinator's words are not told: they come from the bridge.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from domain.handover import context_package
from domain.message import Author, Entry, Message, StatusChange
from domain.notice import Notice, NoticeKind
from domain.session import Draft, Session
from domain.status import Status

Body = Mapping[str, object]

PLACES = 10
"""So many notices may one entry cause; more have no place between it and the next."""


def outbox_messages(
    before: Session | None, recent: Sequence[Entry], draft: Draft, new_id: Callable[[], str]
) -> list[Notice]:
    """What the bridge must be told once `draft` is stored, in order.

    `before`: the customer's newest session as the draft found it, and `recent` its newest entries,
    oldest first.
    """
    same = before is not None and before.session_id == draft.session.session_id
    status = before.status if before is not None and same else Status.AI
    log = [*(recent if same else ()), *draft.entries]
    told: list[Notice] = []
    for entry in draft.entries:
        calls = _calls(entry, status, draft, log)
        told += [_told(draft, entry, place, *call, new_id) for place, call in enumerate(calls)]
        if isinstance(entry, StatusChange):
            status = entry.status
    return told


def _told(
    draft: Draft, entry: Entry, place: int, kind: NoticeKind, body: Body, new_id: Callable[[], str]
) -> Notice:
    return Notice(
        notice_id=new_id(),
        session_id=draft.session.session_id,
        customer=draft.session.customer,
        position=entry.seq * PLACES + place,
        kind=kind,
        body=body,
        due_at=entry.at,
    )


def _calls(
    entry: Entry, status: Status, draft: Draft, log: Sequence[Entry]
) -> list[tuple[NoticeKind, Body]]:
    """What one entry is told with; `status`: whose the conversation was until then."""
    session = draft.session
    if isinstance(entry, StatusChange):
        calls = [(NoticeKind.STATUS, _status(entry, session))]
        if entry.status is Status.WAITING:
            # First: what waits must be known before its status is.
            calls.insert(0, (NoticeKind.TRANSFER, _transfer(entry, draft, log)))
        return calls
    if entry.author is Author.AI:
        return [(NoticeKind.CONTEXT, _context(entry, session, log))]
    if entry.author is not Author.USER or draft.from_bridge:
        return []
    if status is Status.AI:
        return [(NoticeKind.CONVERSATION, _conversation(entry, session))]
    return [(NoticeKind.RELAY, _relay(entry))]


def _conversation(message: Message, session: Session) -> Body:
    """`POST /api/ai-conversation`"""
    return {
        **_who(session),
        "sessionId": session.session_id,
        "message": message.text,
        "timestamp": timestamp(message.at),
        "type": "ai_conversation",
    }


def _context(answer: Message, session: Session, log: Sequence[Entry]) -> Body:
    """`POST /api/ai-context`"""
    at = timestamp(answer.at)
    context = {
        "businessId": session.customer.business_id,
        "userId": session.customer.user_id,
        "lastMessage": _answered(answer, log),
        "aiResponse": answer.text,
        "timestamp": at,
    }
    return {"sessionId": session.session_id, "context": context, "timestamp": at}


def _answered(answer: Message, log: Sequence[Entry]) -> str | None:
    """The newest words of the user that the answer is to."""
    for entry in reversed(log):
        if isinstance(entry, Message) and entry.author is Author.USER:
            if entry.seq <= answer.answers:
                return entry.text
    return None


def _status(change: StatusChange, session: Session) -> Body:
    """`PUT /api/conversation-status/{sessionId}`"""
    at = timestamp(change.at)
    return {"status": change.status, "summary": session.handover_note, "updatedAt": at}


def _transfer(change: StatusChange, draft: Draft, log: Sequence[Entry]) -> Body:
    """`POST /api/notifications`"""
    session, transfer = draft.session, change.transfer
    return {
        "type": "transfer",
        "transferId": transfer.transfer_id if transfer is not None else None,
        "sessionId": session.session_id,
        **_who(session),
        "reason": change.reason,
        "context": _package(session, log, draft.language),
        "timestamp": timestamp(change.at),
    }


def _package(session: Session, log: Sequence[Entry], language: str) -> Body:
    return {
        name: [_plain(line) for line in part] if isinstance(part, list) else part
        for name, part in context_package(session, log, language).items()
    }


def _plain(line: object) -> object:
    """A line of the context package as JSON has it."""
    if not isinstance(line, Mapping):
        return line
    return {
        name: timestamp(part) if isinstance(part, datetime) else part for name, part in line.items()
    }


def _relay(message: Message) -> Body:
    """`user_message` on the topic `chat:{businessId}:{userId}`"""
    return {
        "message": message.text,
        "timestamp": timestamp(message.at),
        "messageId": message.message_id,
    }


def _who(session: Session) -> dict[str, object]:
    return {
        "businessId": session.customer.business_id,
        "locationId": session.location_id,
        "userId": session.customer.user_id,
    }


def timestamp(at: datetime) -> str:
    """`2026-01-31T12:00:00.000Z`"""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
