"""The JSON shapes on the bridge's socket, and the broadcast of events in them."""

from collections.abc import Mapping
from heapq import nsmallest
from typing import Literal

from adapters.json_shapes import CamelStruct, CamelStructOmitDefaults, timestamp
from adapters.phoenix.channel import ChannelSocket, ChannelTransport
from adapters.phoenix.endpoint import PhoenixEndpoint
from application.bridge.ports import (
    BoardEvent,
    ChatChanged,
    CommandRefused,
    MessagePosted,
    QueuePosition,
    ServerReachability,
)
from domain.bridge.live_chat import AskedConfirmation, ChatMessage, GivenRating, LiveChat
from domain.identity import BusinessId, CoordinatorId, Customer, live_chat_topic
from domain.message import Author
from domain.status import Status
from domain.tool import Confirmer
from domain.write_call import WriteState

_PROPOSED = WriteState.PROPOSED
COORDINATORS_PREFIX = "coordinators:"
ADDITIONS = ("typing", "presence", "queue", "missed", "confirmation", "rating")
"""The optional parts of the bridge's interface that this bridge has."""
MAX_NAMES = 100
"""The coordinators whose names are shown, of those who are there."""


class ChatMessageJson(CamelStructOmitDefaults):
    """`user_message` and `agent_message`, and an entry of `messages[]`."""

    message_id: str
    author: str
    message: str
    timestamp: str
    session_id: str | None = None
    coordinator_id: str | None = None
    origin: str | None = None
    """The origin that the sender gave, by which it recognises its own message."""
    user_id: str | None = None


class ChatStatusPush(CamelStructOmitDefaults):
    """`conversation_status`: the status or the coordinator of a conversation has changed."""

    session_id: str
    status: Status
    updated_at: str
    coordinator_id: str | None = None
    transfer_id: str | None = None
    reason: str | None = None


class ChatQueuePush(CamelStruct):
    """`queue`: the place of a user who waits, 1 being next; `waitS`: the usual wait, if known."""

    place: int
    wait_s: int | None


class PresencePush(CamelStruct):
    """`presence`: how many coordinators of the business are there, and the first of their names."""

    online: int
    coordinators: list[str]


class LeftMessageJson(CamelStruct):
    """What a user has written while no coordinator was there."""

    message: str
    timestamp: str
    reason: str
    context: Mapping[str, object]


class AskedJson(CamelStruct):
    """What the AI does only with a person's yes, and how far it has come."""

    confirm_id: str
    by: Confirmer
    state: WriteState
    what: str
    timestamp: str
    expires_at: str | None
    result: str | None
    coordinator_id: str | None


class GivenRatingJson(CamelStruct):
    """A user's rating of a conversation, from 1 to 5."""

    rating: int
    comment: str | None
    timestamp: str


class ChatJson(CamelStruct):
    """A conversation on the board; `pending`: the server has not answered a command for it yet."""

    session_id: str
    business_id: str
    user_id: str
    location_id: str | None
    status: Status
    since: str
    waiting_since: str | None
    coordinator_id: str | None
    transfer_id: str | None
    reason: str | None
    summary: str | None
    context: Mapping[str, object] | None
    pending: bool
    missed: LeftMessageJson | None
    confirmation: AskedJson | None
    rating: GivenRatingJson | None


class Notification(CamelStructOmitDefaults):
    """`notification`: an entry of the board has changed.

    `missed`: its user has written while no coordinator was there. `asked`: a coordinator's yes is
    asked for. `gone`: it needs no coordinator
    any more; sent again once the server has answered.
    `refused`: the server has refused the status `wished` by `coordinatorId`, because of `reason`.
    """

    type: Literal["waiting", "missed", "asked", "changed", "gone", "refused"]
    chat: ChatJson
    coordinator_id: str | None = None
    wished: Status | None = None
    reason: str | None = None


class ServerPush(CamelStruct):
    """`server`: whether the AI agent server can be reached; null: not tried yet."""

    reachable: bool | None


def coordinators_topic(business_id: BusinessId) -> str:
    """Return the topic of a business's coordinators."""
    return COORDINATORS_PREFIX + business_id


def message_json(message: ChatMessage, customer: Customer | None = None) -> ChatMessageJson:
    """Return the wire shape of a message; `customer`: whose chat, where the topic does not say."""
    return ChatMessageJson(
        message_id=message.message_id,
        author=message.author,
        message=message.text,
        timestamp=timestamp(message.at),
        session_id=message.session_id,
        coordinator_id=message.coordinator_id,
        origin=message.origin,
        user_id=customer.user_id if customer is not None else None,
    )


def chat_json(chat: LiveChat) -> ChatJson:
    """Return the wire shape of a chat."""
    missed = chat.missed
    return ChatJson(
        session_id=chat.session_id,
        business_id=chat.customer.business_id,
        user_id=chat.customer.user_id,
        location_id=chat.location_id,
        status=chat.status,
        since=timestamp(chat.since),
        waiting_since=timestamp(chat.waiting_since) if chat.waiting_since else None,
        coordinator_id=chat.coordinator_id,
        transfer_id=chat.transfer_id,
        reason=chat.reason,
        summary=chat.handover_note,
        context=chat.context,
        pending=bool(chat.pending_commands),
        missed=LeftMessageJson(missed.text, timestamp(missed.at), missed.reason, missed.context)
        if missed is not None
        else None,
        confirmation=_asked_json(chat.confirmation) if chat.confirmation is not None else None,
        rating=_rating_json(chat.rating) if chat.rating is not None else None,
    )


def _rating_json(given: GivenRating) -> GivenRatingJson:
    return GivenRatingJson(given.stars.rating, given.stars.comment, timestamp(given.at))


def _asked_json(asked: AskedConfirmation) -> AskedJson:
    return AskedJson(
        confirm_id=asked.confirm_id,
        by=asked.by,
        state=asked.state,
        what=asked.what,
        timestamp=timestamp(asked.at),
        expires_at=timestamp(asked.expires_at) if asked.expires_at is not None else None,
        result=asked.result or None,
        coordinator_id=asked.coordinator_id,
    )


class Broadcaster:
    """Sends board events to the clients of the topics that they concern."""

    def __init__(self, endpoint: PhoenixEndpoint) -> None:
        self._endpoint = endpoint
        self.reachable: bool | None = None
        """True if the AI agent server can be reached; None: not tried yet."""
        # By connection: one has joined a topic at most once, and a channel that is replaced may
        # end late, or never.
        self._coordinators: dict[
            BusinessId, dict[ChannelTransport, tuple[ChannelSocket, CoordinatorId]]
        ] = {}

    def coordinator_joined(
        self, business_id: BusinessId, coordinator_id: CoordinatorId, socket: ChannelSocket
    ) -> None:
        """Count a coordinator as there, for as long as the socket is joined."""
        before = self.online(business_id)
        there = self._coordinators.setdefault(business_id, {})
        there[socket.transport] = (socket, coordinator_id)
        self._presence_changed(business_id, before)

    def coordinator_left(self, business_id: BusinessId, socket: ChannelSocket) -> None:
        """Remove a socket; the coordinator is there while another of theirs is joined."""
        before = self.online(business_id)
        there = self._coordinators.get(business_id, {})
        joined = there.get(socket.transport)
        if joined is None or joined[0] is not socket:
            return
        del there[socket.transport]
        if not there:
            del self._coordinators[business_id]
        self._presence_changed(business_id, before)

    def online(self, business_id: BusinessId) -> frozenset[CoordinatorId]:
        """Return the coordinators of a business who are there."""
        return frozenset(name for _, name in self._coordinators.get(business_id, {}).values())

    def presence(self, business_id: BusinessId) -> PresencePush:
        """Return the wire shape of who is there."""
        online = self.online(business_id)
        return PresencePush(len(online), [*nsmallest(MAX_NAMES, online)])

    def _presence_changed(self, business_id: BusinessId, before: frozenset[CoordinatorId]) -> None:
        if self.online(business_id) != before:
            topic = coordinators_topic(business_id)
            self._endpoint.broadcast(topic, "presence", self.presence(business_id))

    def __call__(self, event: BoardEvent) -> None:
        match event:
            case ChatChanged(before, chat):
                self._chat_changed(before, chat)
            case MessagePosted(customer, message):
                self._message_posted(customer, message)
            case CommandRefused(chat, command, reason):
                by = command.coordinator_id
                self._notify(Notification("refused", chat_json(chat), by, command.status, reason))
            case ServerReachability(reachable) if reachable != self.reachable:
                self.reachable = reachable
                for there in self._coordinators.values():
                    for socket, _ in there.values():
                        socket.push("server", ServerPush(reachable))
            case QueuePosition(customer, place, usual_wait_s):
                topic = live_chat_topic(customer)
                self._endpoint.broadcast(topic, "queue", ChatQueuePush(place, usual_wait_s))

    def _chat_changed(self, before: LiveChat | None, chat: LiveChat) -> None:
        old_status = before.status if before is not None else Status.AI
        old_coordinator = before.coordinator_id if before is not None else None
        if (old_status, old_coordinator) != (chat.status, chat.coordinator_id):
            topic = live_chat_topic(chat.customer)
            self._endpoint.broadcast(topic, "conversation_status", _status_push(chat))
        was_listed = before is not None and (before.is_listed or bool(before.pending_commands))
        old_missed = before.missed if before is not None else None
        if chat.status is Status.WAITING and old_status is not Status.WAITING:
            self._notify(Notification("waiting", chat_json(chat)))
        elif chat.missed not in (None, old_missed):
            self._notify(Notification("missed", chat_json(chat)))
        elif chat.is_asked and chat.confirmation != (before.confirmation if before else None):
            is_new = chat.confirmation is not None and chat.confirmation.state is _PROPOSED
            self._notify(Notification("asked" if is_new else "changed", chat_json(chat)))
        elif chat.is_listed:
            self._notify(Notification("changed", chat_json(chat)))
        elif was_listed:
            self._notify(Notification("gone", chat_json(chat)))

    def _message_posted(self, customer: Customer, message: ChatMessage) -> None:
        event = "user_message" if message.author is Author.USER else "agent_message"
        self._endpoint.broadcast(live_chat_topic(customer), event, message_json(message))
        topic = coordinators_topic(customer.business_id)
        self._endpoint.broadcast(topic, "live_message", message_json(message, customer))

    def _notify(self, notification: Notification) -> None:
        topic = coordinators_topic(BusinessId(notification.chat.business_id))
        self._endpoint.broadcast(topic, "notification", notification)


def _status_push(chat: LiveChat) -> ChatStatusPush:
    return ChatStatusPush(
        session_id=chat.session_id,
        status=chat.status,
        updated_at=timestamp(chat.since),
        coordinator_id=chat.coordinator_id,
        transfer_id=chat.transfer_id,
        reason=chat.reason,
    )
