"""What stands on the wire of the bridge's socket: the JSON shapes, and who is told what."""

from collections.abc import Mapping
from typing import Literal

from adapters.json_shapes import CamelStruct, CamelStructOmitDefaults, timestamp
from adapters.phoenix.channel import ChannelSocket
from adapters.phoenix.endpoint import PhoenixEndpoint
from application.bridge.ports import Event, Moved, Reached, Spoken, WishRefused
from domain.bridge.live_chat import LiveChat, Words
from domain.identity import BusinessId, Customer
from domain.message import Author
from domain.status import Status

CHAT_PREFIX = "chat:"
COORDINATORS_PREFIX = "coordinators:"


class WordsJson(CamelStructOmitDefaults):
    """`user_message` and `agent_message`, and an entry of `messages[]`."""

    message_id: str
    author: str
    message: str
    timestamp: str
    session_id: str | None = None
    coordinator_id: str | None = None
    origin: str | None = None
    """As its sender gave it: so it knows its own words when they come back."""
    user_id: str | None = None


class StatusPush(CamelStructOmitDefaults):
    """`conversation_status`: the conversation has changed hands."""

    session_id: str
    status: Status
    updated_at: str
    coordinator_id: str | None = None
    transfer_id: str | None = None
    reason: str | None = None


class ChatJson(CamelStruct):
    """A conversation as coordinators see it; `pending`: the server has not heard of it yet."""

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


class Notification(CamelStructOmitDefaults):
    """`notification`: who waits has changed, or who has whom.

    `gone`: it is no longer for coordinators; told again once the server has heard of it.
    `refused`: the server does not do what `coordinatorId` has `wished`, because of `reason`.
    """

    type: Literal["waiting", "changed", "gone", "refused"]
    chat: ChatJson
    coordinator_id: str | None = None
    wished: Status | None = None
    reason: str | None = None


class ServerPush(CamelStruct):
    """`server`: whether the AI agent server hears what is wished for; None: nothing was so far."""

    reachable: bool | None


def chat_topic(customer: Customer) -> str:
    """The topic of one customer's live chat."""
    return f"{CHAT_PREFIX}{customer.business_id}:{customer.user_id}"


def coordinators_topic(business_id: BusinessId) -> str:
    """The topic of a business's coordinators."""
    return COORDINATORS_PREFIX + business_id


def words_json(words: Words, customer: Customer | None = None) -> WordsJson:
    """Words as they stand on the wire; with whose chat it is, where the topic does not say so."""
    return WordsJson(
        message_id=words.message_id,
        author=words.author,
        message=words.text,
        timestamp=timestamp(words.at),
        session_id=words.session_id,
        coordinator_id=words.coordinator_id,
        origin=words.origin,
        user_id=customer.user_id if customer is not None else None,
    )


def chat_json(chat: LiveChat) -> ChatJson:
    """A chat as it stands on the wire."""
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
        summary=chat.summary,
        context=chat.context,
        pending=bool(chat.wishes),
    )


class Broadcasts:
    """The audience: who has joined which topic. Set `endpoint` before anything happens."""

    endpoint: PhoenixEndpoint

    def __init__(self) -> None:
        self.reachable: bool | None = None
        """Whether the AI agent server hears what is wished for; None: nothing was so far."""
        self.coordinators: set[ChannelSocket] = set()
        """The links of all coordinators, whatever their business."""

    def __call__(self, event: Event) -> None:
        match event:
            case Moved(before, chat):
                self._moved(before, chat)
            case Spoken(customer, words):
                self._spoken(customer, words)
            case WishRefused(chat, wish, why):
                self._notify(
                    Notification("refused", chat_json(chat), wish.coordinator_id, wish.status, why)
                )
            case Reached(reachable) if reachable != self.reachable:
                self.reachable = reachable
                for link in self.coordinators:
                    link.push("server", ServerPush(reachable))

    def _moved(self, before: LiveChat | None, chat: LiveChat) -> None:
        was_status = before.status if before is not None else Status.AI
        was_whose = before.coordinator_id if before is not None else None
        if (was_status, was_whose) != (chat.status, chat.coordinator_id):
            push = _status_push(chat)
            self.endpoint.broadcast(chat_topic(chat.customer), "conversation_status", push)
        was_shown = before is not None and (before.is_open or bool(before.wishes))
        if chat.status is Status.WAITING and was_status is not Status.WAITING:
            self._notify(Notification("waiting", chat_json(chat)))
        elif chat.is_open:
            self._notify(Notification("changed", chat_json(chat)))
        elif was_shown:
            self._notify(Notification("gone", chat_json(chat)))

    def _spoken(self, customer: Customer, words: Words) -> None:
        event = "user_message" if words.author is Author.USER else "agent_message"
        self.endpoint.broadcast(chat_topic(customer), event, words_json(words))
        topic = coordinators_topic(customer.business_id)
        self.endpoint.broadcast(topic, "live_message", words_json(words, customer))

    def _notify(self, notification: Notification) -> None:
        topic = coordinators_topic(BusinessId(notification.chat.business_id))
        self.endpoint.broadcast(topic, "notification", notification)


def _status_push(chat: LiveChat) -> StatusPush:
    return StatusPush(
        session_id=chat.session_id,
        status=chat.status,
        updated_at=timestamp(chat.since),
        coordinator_id=chat.coordinator_id,
        transfer_id=chat.transfer_id,
        reason=chat.reason,
    )
