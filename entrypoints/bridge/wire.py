"""The JSON shapes on the bridge's socket, and the broadcast of events in them."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from heapq import nsmallest
from typing import Any, Literal, TypeVar

from msgspec import to_builtins

from adapters.json_shapes import timestamp
from adapters.phoenix.channel import ChannelSocket, ChannelTransport
from adapters.phoenix.endpoint import PhoenixEndpoint
from adapters.phoenix.server import Payload
from application.bridge.ports import (
    BoardEvent,
    ChatChanged,
    CommandRefused,
    MessagePosted,
    NoteAdded,
    QueuePosition,
    ServerReachability,
)
from domain.bridge.live_chat import (
    AskedConfirmation,
    ChatMessage,
    LiveChat,
    Note,
    PendingCommand,
    kinds_of,
)
from domain.identity import BusinessId, CoordinatorId, Customer, live_chat_topic
from domain.message import Author
from domain.status import Status
from domain.write_call import WriteState

logger = logging.getLogger(__name__)

_PROPOSED = WriteState.PROPOSED
COORDINATORS_PREFIX = "coordinators:"
ADDITIONS = ("typing", "presence", "queue", "missed", "confirmation", "rating", "customer")
"""The optional parts of the bridge's interface that this bridge has."""
MAX_KNOWN_CUSTOMERS = 10_000
"""The customers whose presence is known, and the coordinators of whom it is when they left."""
K = TypeVar("K")
V = TypeVar("V")
MAX_NAMES = 100
"""The coordinators whose names are shown, of those who are there."""


NotificationType = Literal["waiting", "missed", "asked", "changed", "gone", "refused"]
Row = dict[str, Any]
"""A JSON object."""


def coordinators_topic(business_id: BusinessId) -> str:
    """Return the topic of a business's coordinators."""
    return COORDINATORS_PREFIX + business_id


def without_nulls(**fields: object) -> Row:
    """Return a JSON object without those of its fields that have no value."""
    return {name: value for name, value in fields.items() if value is not None}


def message_json(message: ChatMessage, customer: Customer | None = None) -> Row:
    """Return the wire shape of a message; `customer`: whose chat, where the topic does not say."""
    return without_nulls(
        messageId=message.message_id,
        author=message.author,
        message=message.text,
        timestamp=timestamp(message.at),
        sessionId=message.session_id,
        coordinatorId=message.coordinator_id,
        origin=message.origin,
        userId=customer.user_id if customer is not None else None,
    )


def note_json(note: Note) -> Row:
    """Return the wire shape of a note."""
    return {**to_builtins(note), "at": timestamp(note.at)}


def chat_row(chat: LiveChat) -> Row:
    """Return the wire shape of a chat without its context."""
    missed, last, rating = chat.missed, chat.last, chat.rating
    return {
        "sessionId": chat.session_id,
        "businessId": chat.customer.business_id,
        "userId": chat.customer.user_id,
        "locationId": chat.location_id,
        "status": chat.status,
        "since": timestamp(chat.since),
        "waitingSince": _time(chat.waiting_since),
        "coordinatorId": chat.coordinator_id,
        "reason": chat.reason,
        "summary": chat.handover_note,
        "pending": bool(chat.pending_commands),
        "last": last
        and {
            "author": last.author,
            "text": last.text,
            "at": timestamp(last.at),
            "coordinatorId": last.coordinator_id,
        },
        "unanswered": chat.unanswered,
        "unansweredSince": _time(chat.unanswered_since),
        "missed": missed
        and {"message": missed.text, "timestamp": timestamp(missed.at), "reason": missed.reason},
        "confirmation": chat.confirmation and _asked_row(chat.confirmation),
        "rating": rating
        and {
            "rating": rating.stars.rating,
            "comment": rating.stars.comment,
            "timestamp": timestamp(rating.at),
        },
    }


def _asked_row(asked: AskedConfirmation) -> Row:
    return {
        "confirmId": asked.confirm_id,
        "by": asked.by,
        "state": asked.state,
        "what": asked.what,
        "timestamp": timestamp(asked.at),
        "expiresAt": _time(asked.expires_at),
        "result": asked.result or None,
        "coordinatorId": asked.coordinator_id,
    }


def _time(at: datetime | None) -> str | None:
    return timestamp(at) if at is not None else None


class Broadcaster:
    """Sends board events to the clients of the topics that they concern."""

    def __init__(self, endpoint: PhoenixEndpoint, monotonic: Callable[[], float]) -> None:
        self._endpoint = endpoint
        self._monotonic = monotonic
        self._started_at = monotonic()
        self._left_at: dict[tuple[BusinessId, CoordinatorId], float] = {}
        """The moments at which coordinators have gone who are not there."""
        self._counts: dict[BusinessId, dict[str, int]] = {}
        """Of the businesses with coordinators who are there."""
        self._customers: dict[Customer, tuple[ChannelSocket, bool]] = {}
        """The presence of customers, and the socket of the program that has reported it."""
        self.reachable: bool | None = None
        """True if the AI agent server can be reached; None: not tried yet."""
        # By connection: one has joined a topic at most once, and a channel that is replaced may
        # end late, or never.
        self._coordinators: dict[
            BusinessId, dict[ChannelTransport, tuple[ChannelSocket, CoordinatorId]]
        ] = {}

    def coordinator_joined(
        self,
        business_id: BusinessId,
        coordinator_id: CoordinatorId,
        socket: ChannelSocket,
        counts: Mapping[str, int],
    ) -> None:
        """Count a coordinator as there, for as long as the socket is joined.

        `counts`: those of the business's chats, as they are now.
        """
        before = self.online(business_id)
        self._counts[business_id] = dict(counts)
        self._left_at.pop((business_id, coordinator_id), None)
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
            del self._coordinators[business_id], self._counts[business_id]
        if joined[1] in before - self.online(business_id):
            _remember(self._left_at, (business_id, joined[1]), self._monotonic())
        self._presence_changed(business_id, before)

    def online(self, business_id: BusinessId) -> frozenset[CoordinatorId]:
        """Return the coordinators of a business who are there."""
        return frozenset(name for _, name in self._coordinators.get(business_id, {}).values())

    @property
    def present(self) -> int:
        """The number of coordinators who are there, of all businesses."""
        return sum(len(self.online(business_id)) for business_id in self._coordinators)

    def absence_s(self, business_id: BusinessId, coordinator_id: CoordinatorId) -> float:
        """Return for how long a coordinator has not been there; 0: who is there.

        For those who were not there since the bridge was started, the time since then.
        """
        if coordinator_id in self.online(business_id):
            return 0.0
        since = self._left_at.get((business_id, coordinator_id), self._started_at)
        return self._monotonic() - since

    def customer_online(self, customer: Customer) -> bool | None:
        """Return whether a customer is there; None: no program has reported it."""
        _, online = self._customers.get(customer, (None, None))
        return online

    def customer_changed(self, customer: Customer, socket: ChannelSocket, online: bool) -> None:
        """Remember whether a customer is there, and tell the others on the topic of the chat."""
        _remember(self._customers, customer, (socket, online))
        socket.broadcast_from("customer", {"online": online})

    def program_left(self, customer: Customer, socket: ChannelSocket) -> None:
        """Forget what a program has reported that is not there any more."""
        if self._customers.get(customer, (None, None))[0] is socket:
            del self._customers[customer]

    def presence(self, business_id: BusinessId) -> Row:
        """Return how many coordinators of a business are there, and the first of their names."""
        online = self.online(business_id)
        return {"online": len(online), "coordinators": nsmallest(MAX_NAMES, online)}

    def _presence_changed(self, business_id: BusinessId, before: frozenset[CoordinatorId]) -> None:
        if self.online(business_id) != before:
            self._send(business_id, "presence", lambda: self.presence(business_id))

    def __call__(self, event: BoardEvent) -> None:
        match event:
            case ChatChanged(before, chat):
                self._chat_changed(before, chat)
            case MessagePosted(customer, message, is_live):
                self._message_posted(customer, message, is_live=is_live)
            case NoteAdded(business_id, note):
                action = f"coordinator_{note.event.type if note.event else 'note'}"
                ids = {"session_id": note.session_id, "coordinator_id": note.coordinator_id}
                logger.info("A coordinator has acted", extra={"action": action, **ids})
                self._send(business_id, "note", lambda: note_json(note))
            case CommandRefused(chat, command, reason):
                self._notify("refused", chat, command, reason)
            case ServerReachability(reachable) if reachable != self.reachable:
                self.reachable = reachable
                for there in self._coordinators.values():
                    for socket, _ in there.values():
                        socket.push("server", {"reachable": reachable})
            case QueuePosition(customer, place, usual_wait_s):
                queue = {"place": place, "waitS": usual_wait_s}
                self._endpoint.broadcast(live_chat_topic(customer), "queue", queue)

    def _chat_changed(self, before: LiveChat | None, chat: LiveChat) -> None:
        old_status = before.status if before is not None else Status.AI
        old_coordinator = before.coordinator_id if before is not None else None
        if (old_status, old_coordinator) != (chat.status, chat.coordinator_id):
            topic = live_chat_topic(chat.customer)
            self._endpoint.broadcast(topic, "conversation_status", _status_push(chat))
        was_listed = before is not None and (before.is_listed or bool(before.pending_commands))
        old_missed = before.missed if before is not None else None
        if chat.status is Status.WAITING and old_status is not Status.WAITING:
            self._notify("waiting", chat)
        elif chat.missed not in (None, old_missed):
            self._notify("missed", chat)
        elif chat.is_asked and chat.confirmation != (before.confirmation if before else None):
            is_new = chat.confirmation is not None and chat.confirmation.state is _PROPOSED
            self._notify("asked" if is_new else "changed", chat)
        else:
            self._notify("gone" if was_listed and not chat.is_listed else "changed", chat)
        self._count(before, chat)

    def _count(self, before: LiveChat | None, chat: LiveChat) -> None:
        business_id = chat.customer.business_id
        counts = self._counts.get(business_id)
        was, now = kinds_of(before), kinds_of(chat)
        if counts is None or was == now:
            return
        for kind in {*was, *now}:
            counts[kind] += now.get(kind, 0) - was.get(kind, 0)
        self._send(business_id, "counts", lambda: counts)

    def _message_posted(self, customer: Customer, message: ChatMessage, *, is_live: bool) -> None:
        if is_live:
            event = "user_message" if message.author is Author.USER else "agent_message"
            self._endpoint.broadcast(live_chat_topic(customer), event, message_json(message))
        business_id = customer.business_id
        self._send(business_id, "live_message", lambda: message_json(message, customer))

    def _notify(
        self,
        kind: NotificationType,
        chat: LiveChat,
        refused: PendingCommand | None = None,
        reason: str | None = None,
    ) -> None:
        """Send a notification of a chat that has changed.

        `gone`: it needs no coordinator any more; sent again once the server has answered.
        `refused`: the command that the server has refused, because of `reason`.
        """
        by, wished = (refused.commander, refused.status) if refused is not None else (None, None)
        self._send(
            chat.customer.business_id,
            "notification",
            lambda: without_nulls(
                type=kind, chat=chat_row(chat), coordinatorId=by, wished=wished, reason=reason
            ),
        )

    def _send(self, business_id: BusinessId, event: str, payload: Callable[[], Payload]) -> None:
        """Send to a business's coordinators; without any, nothing is made or encoded."""
        if business_id in self._coordinators:
            self._endpoint.broadcast(coordinators_topic(business_id), event, payload())


def _remember(known: dict[K, V], key: K, value: V) -> None:
    """Store a value as the newest, in place of the oldest where there are MAX_KNOWN_CUSTOMERS."""
    known.pop(key, None)
    known[key] = value
    if len(known) > MAX_KNOWN_CUSTOMERS:
        del known[next(iter(known))]


def _status_push(chat: LiveChat) -> Row:
    return without_nulls(
        sessionId=chat.session_id,
        status=chat.status,
        updatedAt=timestamp(chat.since),
        coordinatorId=chat.coordinator_id,
        transferId=chat.transfer_id,
        reason=chat.reason,
    )
