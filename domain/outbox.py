"""The notices that the bridge gets of what is appended to a conversation.

A coordinator's messages cause none, nor does the delivery of a request: they come from the bridge.
Nor does what is not said in the conversation, but for a rating, and of the calls of tools those
that somebody is asked a yes to.
"""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from domain.handover import handover_context
from domain.message import Audience, Author, Entry, Message, StatusChange
from domain.notice import (
    AnswerGiven,
    ConfirmationChanged,
    ConversationRated,
    LiveChatMessagePosted,
    MessageLeft,
    Notice,
    NoticeContent,
    QuestionAsked,
    StatusChanged,
    TransferRequested,
)
from domain.rating import stars_in
from domain.session import Draft, Session
from domain.status import Reason, Status
from domain.write_call import WriteState

NOTICES_PER_ENTRY = 10
"""The most notices that one entry may cause: so many positions lie between two entries."""


def outbox_messages(
    before: Session | None, recent: Sequence[Entry], draft: Draft, new_id: Callable[[], str]
) -> list[Notice]:
    """Build the notices of `draft`, in order of delivery.

    `before`: the customer's newest session as the draft found it, and `recent` its newest entries,
    oldest first.
    """
    same = before is not None and before.session_id == draft.session.session_id
    status = before.status if before is not None and same else Status.AI
    log = [*(recent if same else ()), *draft.entries]
    notices: list[Notice] = []
    for entry in draft.entries:
        for index, content in enumerate(_contents(entry, status, draft, log)):
            notices.append(_notice(draft, entry, index, content, new_id))
        if isinstance(entry, StatusChange):
            status = entry.status
    return notices


def _notice(
    draft: Draft, entry: Entry, index: int, content: NoticeContent, new_id: Callable[[], str]
) -> Notice:
    return Notice(
        notice_id=new_id(),
        session_id=draft.session.session_id,
        customer=draft.session.customer,
        position=entry.seq * NOTICES_PER_ENTRY + index,
        content=content,
        due_at=entry.at,
    )


def _contents(
    entry: Entry, status: Status, draft: Draft, log: Sequence[Entry]
) -> list[NoticeContent]:
    """The contents that one entry causes; `status`: the conversation's before the entry."""
    if isinstance(entry, StatusChange):
        return _of_change(entry, draft, log)
    return [*_said(entry, status, draft, log), *_of_step(entry, draft), *_of_rating(entry, draft)]


def _of_rating(entry: Message, draft: Draft) -> list[NoticeContent]:
    stars = stars_in(entry.actions) if entry.audience is Audience.CUSTOMER_AND_COORDINATOR else None
    if stars is None:
        return []
    return [ConversationRated(at=entry.at, stars=stars, location_id=draft.session.location_id)]


def _of_step(entry: Message, draft: Draft) -> list[NoticeContent]:
    """The step of a call that somebody is asked a yes to; that it begins is no news to them."""
    step = entry.write
    if step is None or step.confirm is None or step.state is WriteState.STARTED:
        return []
    changed = ConfirmationChanged(
        at=entry.at,
        step=replace(step, arguments=""),
        coordinator_id=entry.coordinator_id,
        location_id=draft.session.location_id,
    )
    return [changed]


def _said(
    entry: Message, status: Status, draft: Draft, log: Sequence[Entry]
) -> list[NoticeContent]:
    if not entry.is_said:
        return []
    if entry.author is Author.AI:
        question = _question(entry, log)
        return [AnswerGiven(at=entry.at, text=entry.text, question=question)]
    if entry.author is not Author.USER or draft.from_bridge:
        return []
    if status is Status.AI:
        location_id = draft.session.location_id
        asked = QuestionAsked(at=entry.at, text=entry.text, location_id=location_id)
        return [asked] if entry.unmet is None else [_left(entry, entry.unmet, draft, log), asked]
    return [LiveChatMessagePosted(at=entry.at, text=entry.text, message_id=entry.message_id)]


def _left(message: Message, reason: Reason, draft: Draft, log: Sequence[Entry]) -> MessageLeft:
    return MessageLeft(
        at=message.at,
        text=message.text,
        reason=reason,
        context=handover_context(draft.session, log, draft.language),
    )


def _of_change(change: StatusChange, draft: Draft, log: Sequence[Entry]) -> list[NoticeContent]:
    if not change.changes_owner:
        return []
    changed = StatusChanged(
        at=change.at, status=change.status, handover_note=draft.session.handover_note
    )
    if change.status is not Status.WAITING or change.transfer is None:
        return [changed]
    requested = TransferRequested(
        at=change.at,
        transfer_id=change.transfer.transfer_id,
        reason=change.reason,
        context=handover_context(draft.session, log, draft.language),
    )
    # The bridge must know of the request before it learns the status.
    return [requested, changed]


def _question(answer: Message, log: Sequence[Entry]) -> str | None:
    """The newest user message that the answer is to."""
    for entry in reversed(log):
        if isinstance(entry, Message) and entry.author is Author.USER and entry.is_said:
            if entry.seq <= answer.settles_seq:
                return entry.text
    return None
