"""What the reference bridge has stored, for the snapshots of a release: one of everything."""

from datetime import UTC, datetime, timedelta

from application.bridge.ports import Change, live_transcript_key
from domain.bridge.live_chat import (
    AskedConfirmation,
    ChatMessage,
    DeskAction,
    DeskEvent,
    GivenRating,
    LastMessage,
    LeftMessage,
    LiveChat,
    Note,
    PendingCommand,
)
from domain.identity import (
    BusinessId,
    CoordinatorId,
    Customer,
    LocationId,
    MessageId,
    SessionId,
    TransferId,
    UserId,
)
from domain.message import Author
from domain.rating import Stars
from domain.status import Status
from domain.tool import Confirmer
from domain.write_call import WriteState

AT = datetime(2026, 11, 20, 10, tzinfo=UTC)
ANA = Customer(BusinessId("bistro-1"), UserId("ana"))
DAN = Customer(BusinessId("bistro-1"), UserId("dan@example.com"))
MARIA, ION = CoordinatorId("Maria Pop"), CoordinatorId("Ion")
TRANSCRIPT = live_transcript_key(ANA)
WORDS = "Aș vrea o masă lângă fereastră."
"""By which Ana's chat is found."""


def _live() -> LiveChat:
    return LiveChat(
        session_id=SessionId("s1"),
        customer=ANA,
        since=AT,
        location_id=LocationId("l1"),
        status=Status.LIVE,
        coordinator_id=MARIA,
        transfer_id=TransferId("t1"),
        reason="user_request",
        context={"summary": "Vrea o masă."},
        handover_note="Gata.",
        server_state_at=AT,
        last=LastMessage(author=Author.USER, text=WORDS, at=AT),
        unanswered=1,
        unanswered_since=AT,
        attended_until=AT,
        pending_commands=(
            PendingCommand(command_id="w1", status=Status.AI, at=AT, coordinator_id=MARIA),
        ),
        confirmation=AskedConfirmation(
            confirm_id="s1-3",
            by=Confirmer.COORDINATOR,
            state=WriteState.PROPOSED,
            what="O masă",
            at=AT,
            expires_at=AT + timedelta(hours=1),
        ),
    )


def _missed() -> LiveChat:
    return LiveChat(
        session_id=SessionId("s2"),
        customer=DAN,
        since=AT,
        status=Status.AI,
        missed=LeftMessage(text="Sunați-mă.", reason="user_request", context={}, at=AT),
        rating=GivenRating(stars=Stars(4, "Bine"), at=AT),
    )


def changes() -> list[Change]:
    """Return what was stored, in order."""
    said = ChatMessage(
        message_id=MessageId("m1"),
        author=Author.USER,
        text=WORDS,
        at=AT,
        session_id=SessionId("s1"),
    )
    answer = ChatMessage(
        message_id=MessageId("m2"),
        author=Author.COORDINATOR,
        text="Sigur.",
        at=AT,
        session_id=SessionId("s1"),
        coordinator_id=MARIA,
        origin="page-1",
    )
    note = Note(
        note_id="n1", session_id=SessionId("s1"), coordinator_id=ION, text="Client vechi.", at=AT
    )
    passed = Note(
        note_id="n2",
        session_id=SessionId("s1"),
        coordinator_id=ION,
        text="",
        at=AT,
        event=DeskEvent(type=DeskAction.FORWARDED, to=MARIA),
    )
    return [
        Change(at=AT, chat=_live(), waited_s=12.5),
        Change(at=AT, transcript_key=TRANSCRIPT, message=said, key="k1", reply={"status": "ok"}),
        Change(at=AT, transcript_key=TRANSCRIPT, message=answer),
        Change(at=AT, note=note),
        Change(at=AT, note=passed),
        Change(at=AT, chat=_missed()),
    ]
