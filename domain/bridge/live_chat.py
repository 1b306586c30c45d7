"""A conversation as the coordinators' side sees it: who waits, who has it, what is wished for it.

The AI agent server owns the conversation and says so. A coordinator's act holds here at once, and
is a wish until the server has heard it. Acts and news cross on their way; the tables say who wins.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from domain.errors import Refusal, SessionClosed, TransitionRefused
from domain.identity import (
    CoordinatorId,
    Customer,
    LocationId,
    MessageId,
    SessionId,
    TransferId,
)
from domain.message import Author
from domain.status import Status

MAX_SUMMARY = 4_000
"""The longest summary, in characters: what the server takes."""


class AlreadyClaimed(Refusal):
    """Another coordinator has the conversation."""

    code = "already_claimed"

    def __init__(self, by: CoordinatorId) -> None:
        super().__init__(f"{by} has the conversation")
        self.by = by


class Act(StrEnum):
    """What a coordinator does with a conversation."""

    CLAIM = "claim"
    TAKE_OVER = "take_over"
    SPEAK = "speak"
    RETURN = "return"
    CLOSE = "close"


ACTS: dict[tuple[Status, Act], Status] = {
    (Status.WAITING, Act.CLAIM): Status.LIVE,
    (Status.LIVE, Act.CLAIM): Status.LIVE,
    (Status.WAITING, Act.TAKE_OVER): Status.LIVE,
    (Status.LIVE, Act.TAKE_OVER): Status.LIVE,
    (Status.AI, Act.SPEAK): Status.LIVE,
    (Status.WAITING, Act.SPEAK): Status.LIVE,
    (Status.LIVE, Act.SPEAK): Status.LIVE,
    (Status.LIVE, Act.RETURN): Status.AI,
    (Status.WAITING, Act.CLOSE): Status.CLOSED,
    (Status.LIVE, Act.CLOSE): Status.CLOSED,
}
"""Every act there is: (status, act) → the status that it leads to."""

_OWNERS_ALONE = frozenset({Act.CLAIM, Act.RETURN, Act.CLOSE})
"""What nobody may do with a conversation that another coordinator has."""

OVERTAKES = frozenset(
    {
        (Status.LIVE, Status.AI),
        (Status.LIVE, Status.CLOSED),
        (Status.AI, Status.CLOSED),
    }
)
"""(wished, told): the server's news that void a wish it has not heard yet.

The user has cancelled what was claimed, or the conversation was closed. All other news are of the
time before the wish.
"""


class Wish(Struct, frozen=True, kw_only=True):
    """What the server must still be told of a coordinator's act."""

    wish_id: str
    """Also the idempotency key of its delivery."""
    status: Status
    at: datetime
    coordinator_id: CoordinatorId
    summary: str | None = None


class Told(Struct, frozen=True, kw_only=True):
    """What the server says of a conversation."""

    status: Status
    at: datetime
    """By the server's clock."""
    summary: str | None = None
    coordinator_id: CoordinatorId | None = None


class TransferNews(Struct, frozen=True, kw_only=True):
    """The server says that a user waits for a human."""

    transfer_id: TransferId
    reason: str
    context: Mapping[str, object]
    """The context package, as it came."""
    at: datetime


class Words(Struct, frozen=True, kw_only=True):
    """What somebody has said."""

    message_id: MessageId
    author: Author
    text: str
    at: datetime
    session_id: SessionId | None = None
    coordinator_id: CoordinatorId | None = None
    origin: str | None = None
    """Whatever its sender wants to know it by when it comes back."""


class LiveChat(Struct, frozen=True, kw_only=True):
    """One conversation of one customer."""

    session_id: SessionId
    customer: Customer
    since: datetime
    """When it got its status."""
    location_id: LocationId | None = None
    status: Status = Status.AI
    coordinator_id: CoordinatorId | None = None
    """Who has it; None while it is nobody's, or an unnamed one's."""
    waiting_since: datetime | None = None
    """When the newest transfer was asked for."""
    transfer_id: TransferId | None = None
    reason: str | None = None
    context: Mapping[str, object] | None = None
    summary: str | None = None
    told_at: datetime | None = None
    """How new the newest news of the server is."""
    wishes: tuple[Wish, ...] = ()
    """What the server has not heard yet, oldest first."""

    @property
    def is_open(self) -> bool:
        """Whether coordinators have anything to do with it."""
        return self.status in (Status.WAITING, Status.LIVE)


def act(
    chat: LiveChat,
    what: Act,
    wish_id: str,
    by: CoordinatorId | None,
    at: datetime,
    summary: str | None = None,
) -> LiveChat:
    """The chat after a coordinator's act; the same chat, where it changes nothing.

    Words need no wish: the server hears them by themselves.
    Raises: AlreadyClaimed, TransitionRefused, SessionClosed.
    """
    to = _target(chat, what, by)
    if to is chat.status and (by is None or by == chat.coordinator_id or to is not Status.LIVE):
        return chat
    moved = _moved(chat, to, at, by if to is Status.LIVE else None)
    if what is Act.SPEAK or by is None:
        return moved
    wish = Wish(wish_id=wish_id, status=to, at=at, coordinator_id=by, summary=summary)
    return replace(moved, wishes=(*chat.wishes, wish), summary=summary or chat.summary)


def _target(chat: LiveChat, what: Act, by: CoordinatorId | None) -> Status:
    if (chat.status, what) in ((Status.AI, Act.RETURN), (Status.CLOSED, Act.CLOSE)):
        return chat.status  # the same again
    if chat.status is Status.CLOSED:
        raise SessionClosed
    owner = chat.coordinator_id
    if what in _OWNERS_ALONE and chat.status is Status.LIVE and owner not in (None, by):
        raise AlreadyClaimed(owner)
    to = ACTS.get((chat.status, what))
    if to is None:
        raise TransitionRefused("the user does not wait for a human any more")
    return to


def hear_status(chat: LiveChat, told: Told) -> LiveChat:
    """The chat after the server's news of its status; the same chat, where they are no news."""
    if chat.told_at is not None and told.at < chat.told_at:
        return chat
    if chat.wishes and (chat.wishes[-1].status, told.status) not in OVERTAKES:
        return chat
    return _as_told(chat, told)


def settle(chat: LiveChat, wish_id: str, told: Told) -> LiveChat:
    """The chat once the server has answered a wish, granted or not, with how things are."""
    left = tuple(wish for wish in chat.wishes if wish.wish_id != wish_id)
    return replace(chat, wishes=left) if left else _as_told(chat, told)


def hear_transfer(chat: LiveChat, news: TransferNews) -> LiveChat:
    """The chat after the server's news that its user waits; the same chat, where it is known."""
    if news.transfer_id == chat.transfer_id or chat.status is Status.CLOSED:
        return chat
    if chat.told_at is not None and news.at < chat.told_at:
        return chat
    waiting = _moved(chat, Status.WAITING, news.at, None) if chat.status is Status.AI else chat
    return replace(
        waiting,
        transfer_id=news.transfer_id,
        reason=news.reason,
        context=news.context,
        told_at=news.at,
    )


def _as_told(chat: LiveChat, told: Told) -> LiveChat:
    owner = (told.coordinator_id or chat.coordinator_id) if told.status is Status.LIVE else None
    moved = chat
    if told.status is not chat.status or owner != chat.coordinator_id:
        moved = _moved(chat, told.status, told.at, owner)
    newest = max(told.at, chat.told_at or told.at)
    return replace(moved, told_at=newest, summary=told.summary or chat.summary, wishes=())


def _moved(
    chat: LiveChat, to: Status, at: datetime, coordinator_id: CoordinatorId | None
) -> LiveChat:
    asked = to is Status.WAITING and chat.status is not Status.WAITING
    return replace(
        chat,
        status=to,
        since=at,
        coordinator_id=coordinator_id,
        waiting_since=at if asked else chat.waiting_since,
    )
