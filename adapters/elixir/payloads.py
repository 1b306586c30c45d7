"""The JSON that the bridge receives: which call each notice becomes, and its body."""

from typing import NamedTuple, assert_never

from adapters.json_shapes import NO_SUMMARY, context_json, timestamp
from domain.notice import (
    AnswerGiven,
    ConfirmationChanged,
    ConversationRated,
    LiveChatMessagePosted,
    MessageLeft,
    Notice,
    NoticeKind,
    QuestionAsked,
    StatusChanged,
    TransferRequested,
)

Body = dict[str, object]


class Request(NamedTuple):
    """An HTTP request."""

    method: str
    path: str
    body: Body


def request_of(notice: Notice) -> Request | None:
    """Return the HTTP request that delivers a notice; None: the socket delivers it."""
    body = body_of(notice)
    match notice.kind:
        case NoticeKind.CONVERSATION:
            return Request("POST", "/api/ai-conversation", body)
        case NoticeKind.CONTEXT:
            return Request("POST", "/api/ai-context", body)
        case NoticeKind.STATUS:
            return Request("PUT", f"/api/conversation-status/{notice.session_id}", body)
        case NoticeKind.RELAY:
            return None
        case _:
            return Request("POST", "/api/notifications", body)


def body_of(notice: Notice) -> Body:
    """Return the body of a notice: of its HTTP request, or of the socket's `user_message`."""
    match notice.content:
        case QuestionAsked() as asked:
            return _conversation(notice, asked)
        case AnswerGiven() as given:
            return _context(notice, given)
        case StatusChanged() as changed:
            return {
                "status": changed.status,
                "summary": changed.handover_note or NO_SUMMARY,
                "updatedAt": timestamp(changed.at),
            }
        case TransferRequested() as requested:
            return _transfer(notice, requested)
        case LiveChatMessagePosted() as posted:
            return {
                "message": posted.text,
                "timestamp": timestamp(posted.at),
                "messageId": posted.message_id,
            }
        case MessageLeft() as left:
            return _missed(notice, left)
        case ConfirmationChanged() as changed:
            return _confirmation(notice, changed)
        case ConversationRated() as rated:
            return _rating(notice, rated)
        case _ as unknown:
            assert_never(unknown)


def _conversation(notice: Notice, asked: QuestionAsked) -> Body:
    return {
        "businessId": notice.customer.business_id,
        "locationId": asked.location_id,
        "userId": notice.customer.user_id,
        "sessionId": notice.session_id,
        "message": asked.text,
        "timestamp": timestamp(asked.at),
        "type": "ai_conversation",
    }


def _context(notice: Notice, given: AnswerGiven) -> Body:
    at = timestamp(given.at)
    context = {
        "businessId": notice.customer.business_id,
        "userId": notice.customer.user_id,
        "lastMessage": given.question,
        "aiResponse": given.text,
        "timestamp": at,
    }
    return {"sessionId": notice.session_id, "context": context, "timestamp": at}


def _transfer(notice: Notice, requested: TransferRequested) -> Body:
    return {
        "type": "transfer",
        "transferId": requested.transfer_id,
        "sessionId": notice.session_id,
        "businessId": notice.customer.business_id,
        "locationId": requested.context.location_id,
        "userId": notice.customer.user_id,
        "reason": requested.reason,
        "context": context_json(requested.context),
        "timestamp": timestamp(requested.at),
    }


def _missed(notice: Notice, left: MessageLeft) -> Body:
    return {
        "type": "missed",
        "sessionId": notice.session_id,
        "businessId": notice.customer.business_id,
        "userId": notice.customer.user_id,
        "locationId": left.context.location_id,
        "message": left.text,
        "reason": left.reason,
        "context": context_json(left.context),
        "timestamp": timestamp(left.at),
    }


def _confirmation(notice: Notice, changed: ConfirmationChanged) -> Body:
    step = changed.step
    by = {"coordinatorId": changed.coordinator_id} if changed.coordinator_id is not None else {}
    return {
        "type": "confirmation",
        "sessionId": notice.session_id,
        "businessId": notice.customer.business_id,
        "userId": notice.customer.user_id,
        "locationId": changed.location_id,
        "confirmId": step.call_id,
        "by": step.confirm,
        "state": step.state,
        "what": step.what,
        "expiresAt": timestamp(step.expires_at) if step.expires_at is not None else None,
        **({"result": step.result} if step.result else {}),
        **by,
        "timestamp": timestamp(changed.at),
    }


def _rating(notice: Notice, rated: ConversationRated) -> Body:
    stars = rated.stars
    return {
        "type": "rating",
        "sessionId": notice.session_id,
        "businessId": notice.customer.business_id,
        "userId": notice.customer.user_id,
        "locationId": rated.location_id,
        "rating": stars.rating,
        **({"comment": stars.comment} if stars.comment is not None else {}),
        "timestamp": timestamp(rated.at),
    }
