"""A notice of each kind, with the JSON that the bridge receives of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from domain.identity import (
    CoordinatorId,
    Customer,
    LocationId,
    MessageId,
    SessionId,
    TransferId,
    customer,
)
from domain.message import Author, ToolOutcome, ToolUse
from domain.notice import (
    AnswerGiven,
    ConfirmationChanged,
    ConversationRated,
    HandoverContext,
    HandoverMessage,
    LiveChatMessagePosted,
    MessageLeft,
    Notice,
    NoticeContent,
    QuestionAsked,
    StatusChanged,
    TransferRequested,
)
from domain.rating import Stars
from domain.status import Reason, Status
from domain.tool import Confirmer
from domain.write_call import WriteState, WriteStep

AT = datetime(2026, 3, 1, 12, 0, 0, 123_000, tzinfo=UTC)
TIME = "2026-03-01T12:00:00.123Z"
ANA = customer("b1", "ana")

FULL = HandoverContext(
    session_id=SessionId("s1"),
    customer=ANA,
    location_id=LocationId("l1"),
    status=Status.WAITING,
    reason=Reason.AI_DECISION,
    summary="vrea o masă",
    language="ro",
    open_question="Aveți loc?",
    tools_used=(
        ToolUse(name="get_business", outcome=ToolOutcome.FOUND),
        ToolUse(name="get_reservations", outcome=ToolOutcome.FAILED),
    ),
    last_messages=(
        HandoverMessage(seq=1, author=Author.USER, text="Bună!\n“Alo?”", at=AT),
        HandoverMessage(seq=2, author=Author.AI, text="😀", at=AT + timedelta(seconds=1)),
    ),
)
EMPTY = HandoverContext(
    session_id=SessionId("s1"), customer=ANA, status=Status.WAITING, language="en"
)

Sample = tuple[NoticeContent, dict[str, Any]]

SAMPLES: dict[str, Sample] = {
    "question": (
        QuestionAsked(at=AT, text="Bună!", location_id=LocationId("l1")),
        {
            "businessId": "b1",
            "locationId": "l1",
            "userId": "ana",
            "sessionId": "s1",
            "message": "Bună!",
            "timestamp": TIME,
            "type": "ai_conversation",
        },
    ),
    "question without a location": (
        QuestionAsked(at=AT, text="Bună!"),
        {
            "businessId": "b1",
            "locationId": None,
            "userId": "ana",
            "sessionId": "s1",
            "message": "Bună!",
            "timestamp": TIME,
            "type": "ai_conversation",
        },
    ),
    "answer": (
        AnswerGiven(at=AT, text="Da.", question="Aveți loc?"),
        {
            "sessionId": "s1",
            "context": {
                "businessId": "b1",
                "userId": "ana",
                "lastMessage": "Aveți loc?",
                "aiResponse": "Da.",
                "timestamp": TIME,
            },
            "timestamp": TIME,
        },
    ),
    "answer without a question": (
        AnswerGiven(at=AT, text="Da."),
        {
            "sessionId": "s1",
            "context": {
                "businessId": "b1",
                "userId": "ana",
                "lastMessage": None,
                "aiResponse": "Da.",
                "timestamp": TIME,
            },
            "timestamp": TIME,
        },
    ),
    "status": (
        StatusChanged(at=AT, status=Status.AI, handover_note="mutată la 20"),
        {"status": "ai", "summary": "mutată la 20", "updatedAt": TIME},
    ),
    "status without a note": (
        StatusChanged(at=AT, status=Status.CLOSED),
        {"status": "closed", "summary": "-", "updatedAt": TIME},
    ),
    "transfer": (
        TransferRequested(
            at=AT, transfer_id=TransferId("t1"), reason=Reason.AI_DECISION, context=FULL
        ),
        {
            "type": "transfer",
            "transferId": "t1",
            "sessionId": "s1",
            "businessId": "b1",
            "locationId": "l1",
            "userId": "ana",
            "reason": "ai_decision",
            "context": {
                "sessionId": "s1",
                "businessId": "b1",
                "userId": "ana",
                "locationId": "l1",
                "status": "waiting",
                "reason": "ai_decision",
                "summary": "vrea o masă",
                "language": "ro",
                "openQuestion": "Aveți loc?",
                "toolsUsed": ["get_business: found", "get_reservations: failed"],
                "lastMessages": [
                    {"seq": 1, "author": "user", "message": "Bună!\n“Alo?”", "timestamp": TIME},
                    {
                        "seq": 2,
                        "author": "ai",
                        "message": "😀",
                        "timestamp": "2026-03-01T12:00:01.123Z",
                    },
                ],
                "history": "/api/conversations/s1/messages",
            },
            "timestamp": TIME,
        },
    ),
    "transfer without anything known": (
        TransferRequested(
            at=AT, transfer_id=TransferId("t1"), reason=Reason.USER_REQUEST, context=EMPTY
        ),
        {
            "type": "transfer",
            "transferId": "t1",
            "sessionId": "s1",
            "businessId": "b1",
            "locationId": None,
            "userId": "ana",
            "reason": "user_request",
            "context": {
                "sessionId": "s1",
                "businessId": "b1",
                "userId": "ana",
                "locationId": None,
                "status": "waiting",
                "reason": None,
                "summary": None,
                "language": "en",
                "openQuestion": None,
                "toolsUsed": [],
                "lastMessages": [],
                "history": "/api/conversations/s1/messages",
            },
            "timestamp": TIME,
        },
    ),
    "message left": (
        MessageLeft(at=AT, text="0722", reason=Reason.USER_REQUEST, context=EMPTY),
        {
            "type": "missed",
            "sessionId": "s1",
            "businessId": "b1",
            "userId": "ana",
            "locationId": None,
            "message": "0722",
            "reason": "user_request",
            "context": {
                "sessionId": "s1",
                "businessId": "b1",
                "userId": "ana",
                "locationId": None,
                "status": "waiting",
                "reason": None,
                "summary": None,
                "language": "en",
                "openQuestion": None,
                "toolsUsed": [],
                "lastMessages": [],
                "history": "/api/conversations/s1/messages",
            },
            "timestamp": TIME,
        },
    ),
    "rating": (
        ConversationRated(at=AT, stars=Stars(4, "Kind"), location_id=LocationId("l1")),
        {
            "type": "rating",
            "sessionId": "s1",
            "businessId": "b1",
            "userId": "ana",
            "locationId": "l1",
            "rating": 4,
            "comment": "Kind",
            "timestamp": TIME,
        },
    ),
    "rating without a comment": (
        ConversationRated(at=AT, stars=Stars(1)),
        {
            "type": "rating",
            "sessionId": "s1",
            "businessId": "b1",
            "userId": "ana",
            "locationId": None,
            "rating": 1,
            "timestamp": TIME,
        },
    ),
    "confirmation": (
        ConfirmationChanged(
            at=AT,
            step=WriteStep(
                call_id="s1-3",
                state=WriteState.PROPOSED,
                tool="reserve_table",
                what="O masă",
                confirm=Confirmer.COORDINATOR,
                expires_at=AT,
            ),
            location_id=LocationId("l1"),
        ),
        {
            "type": "confirmation",
            "sessionId": "s1",
            "businessId": "b1",
            "userId": "ana",
            "locationId": "l1",
            "confirmId": "s1-3",
            "by": "coordinator",
            "state": "proposed",
            "what": "O masă",
            "expiresAt": TIME,
            "timestamp": TIME,
        },
    ),
    "confirmation settled": (
        ConfirmationChanged(
            at=AT,
            step=WriteStep(
                call_id="s1-3",
                state=WriteState.DONE,
                tool="reserve_table",
                what="O masă",
                confirm=Confirmer.COORDINATOR,
                result="R-7",
            ),
            coordinator_id=CoordinatorId("ana"),
        ),
        {
            "type": "confirmation",
            "sessionId": "s1",
            "businessId": "b1",
            "userId": "ana",
            "locationId": None,
            "confirmId": "s1-3",
            "by": "coordinator",
            "state": "done",
            "what": "O masă",
            "expiresAt": None,
            "result": "R-7",
            "coordinatorId": "ana",
            "timestamp": TIME,
        },
    ),
    "live chat message": (
        LiveChatMessagePosted(at=AT, text="Alo?", message_id=MessageId("m1")),
        {"message": "Alo?", "timestamp": TIME, "messageId": "m1"},
    ),
}


def notice(
    content: NoticeContent, *, notice_id: str = "n1", who: Customer = ANA, position: int = 10
) -> Notice:
    """Return a notice with this content."""
    return Notice(
        notice_id=notice_id,
        session_id=SessionId("s1"),
        customer=who,
        position=position,
        content=content,
        due_at=AT,
    )
