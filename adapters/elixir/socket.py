"""The bridge's socket: one connection of the process, with a topic for each live chat.

Topic `chat:{businessId}:{userId}`, joined with `{businessId, userId, token?}`. In both directions
go `user_message` and `agent_message` `{message, timestamp, messageId?, coordinatorId?, origin?}`,
and `typing {author}` if the reply to the join has it in `additions[]`: a channel of Phoenix crashes
at an event that it has no clause for. Earlier messages may be in that reply's `messages[]`. Only
`message` is required: an application that knows nothing of ids or origins will do.
"""

import asyncio
import logging
import re
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

import msgspec

from adapters.elixir.inbound import InboundPayload, id_of, parts_of, payload_of
from adapters.elixir.payloads import body_of
from adapters.phoenix.client import (
    DEFAULT_SETTINGS,
    ChannelState,
    ClientSettings,
    PhoenixClientError,
    TooManyWaiting,
)
from adapters.phoenix.client_connection import (
    ChannelStatus,
    PhoenixChannel,
    PhoenixConnection,
    PushError,
    SlowConsumer,
    fits_subprotocol,
)
from adapters.phoenix.handshake import query_params
from application.ports import (
    HealthCheck,
    InboundEvent,
    InboundMessage,
    LiveChatGateway,
    MalformedEvent,
    OnInboundEvent,
    Typing,
)
from domain.errors import BridgeRefused, BridgeUnavailable, Refusal
from domain.identity import CoordinatorId, Customer, MessageId, live_chat_topic
from domain.message import Author, message_text
from domain.notice import Notice

ORIGIN = "ai-agent-server"
"""Marks the messages that this server sends, from whichever of its processes."""
ECHO_S = 30.0
"""The time in which a message that was sent may come back without its mark."""
MAX_ECHOES = 100
TYPING_RELAY_INTERVAL_S = 1.0
"""At most one `typing` in this time for each chat."""
COORDINATOR_TYPING_EXPIRES_MS = 6_000
REJOIN_PAUSE_S = 1.0
"""After the bridge closed a topic, or messages were lost because we were slow."""
MAX_REFUSAL_REASON = 200
MAX_WARNINGS = 100
"""Different warnings about what the bridge sends that are logged, each once."""

_AUTHORS = {"user_message": Author.USER, "agent_message": Author.COORDINATOR}
_CODE = re.compile(r"[a-z_]{1,40}|unmatched topic|join crashed|topic closed")
_RETRYABLE = ("unavailable", "overloaded", "rate_limited", "timeout", "internal_error")

logger = logging.getLogger(__name__)


class _Sent(NamedTuple):
    message_id: object
    text: object
    until: float


class EchoFilter:
    """Recognises messages that this server has sent when they come back. Times are in seconds."""

    def __init__(self) -> None:
        self._sent: deque[_Sent] = deque(maxlen=MAX_ECHOES)

    def sent(self, body: Mapping[str, object], until: float) -> None:
        """Expect a message that is being sent to come back, once, before `until`."""
        self._sent.append(_Sent(body.get("messageId"), body.get("message"), until))

    def consume(self, payload: InboundPayload, now: float) -> bool:
        """Return whether this is such a message; if so, it is not expected again.

        The id is compared if the bridge drops the mark, and the text if it drops the id.
        """
        while self._sent and self._sent[0].until < now:
            self._sent.popleft()
        if payload.origin is not None and payload.origin != ORIGIN:
            return False
        known = [sent for sent in self._sent if sent.message_id == payload.message_id]
        if not known:
            known = [sent for sent in self._sent if sent.text == payload.message.strip()][:1]
        for sent in known:
            self._sent.remove(sent)
        return bool(known) or payload.origin == ORIGIN


class _Chat:
    """A customer's topic, joined for as long as it is followed or a message is being sent."""

    __slots__ = ("channel", "echoes", "followed", "knows_typing", "sending", "typed_at")

    def __init__(self, channel: PhoenixChannel) -> None:
        self.channel = channel
        self.echoes = EchoFilter()
        self.followed = False
        self.knows_typing = False
        """The bridge has announced that it knows the event, in its reply to the join."""
        self.sending = 0
        """Messages that are not acknowledged yet."""
        self.typed_at = -TYPING_RELAY_INTERVAL_S

    @property
    def needed(self) -> bool:
        return self.followed or self.sending > 0


class ElixirSocket(LiveChatGateway, HealthCheck):
    """The live chats at the bridge; call `listen`, then use it as `async with socket:`."""

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
        timeout_s: float = 5.0,
        settings: ClientSettings = DEFAULT_SETTINGS,
    ) -> None:
        """`url` such as ws://localhost:4000/socket/websocket.

        `token` opens the socket, as the parameter `token` (unless the URL has its own) and where
        possible in the sub-protocol, and is sent with each join.

        `timeout_s`: how long the reply to a message may take. Raises: ValueError for the URL.
        """
        self._token = {"token": token} if token else {}
        self._connection = PhoenixConnection(
            url,
            params={} if "token" in query_params(urlsplit(url).query.encode()) else self._token,
            token=token if token and fits_subprotocol(token) else None,
            settings=settings,
        )
        self._timeout_s = timeout_s
        self._chats: dict[Customer, _Chat] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._warnings: set[str] = set()
        self._on_event: OnInboundEvent = _not_listening

    def __repr__(self) -> str:
        return f"<ElixirSocket {self._connection.state.value} chats={len(self._chats)}>"

    async def __aenter__(self) -> Self:
        await self._connection.__aenter__()
        return self

    async def __aexit__(self, *exc: Any) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._connection.__aexit__(*exc)

    @property
    def is_away(self) -> bool:
        return self._connection.is_broken

    def listen(self, on_event: OnInboundEvent) -> None:
        self._on_event = on_event

    def follow(self, customer: Customer) -> None:
        self._chat(customer).followed = True

    def unfollow(self, customer: Customer) -> None:
        chat = self._chats.get(customer)
        if chat is not None:
            chat.followed = False
            self._leave_unneeded(customer, chat)

    def is_joined(self, customer: Customer) -> bool:
        chat = self._chats.get(customer)
        return chat is not None and chat.channel.state is ChannelState.JOINED

    def show_typing(self, customer: Customer) -> None:
        chat, now = self._chats.get(customer), asyncio.get_running_loop().time()
        # If it cannot be sent at once, it is not worth sending.
        if (
            chat is None
            or not chat.knows_typing
            or chat.channel.state is not ChannelState.JOINED
            or now < chat.typed_at + TYPING_RELAY_INTERVAL_S
        ):
            return
        chat.typed_at = now
        with suppress(TooManyWaiting):
            chat.channel.send("typing", {"author": Author.USER})

    async def relay(self, notice: Notice) -> None:
        """Send a message by the user, and wait until the bridge acknowledges it.

        It may arrive more than once, with the same `messageId`.
        Raises: BridgeUnavailable, BridgeRefused.
        """
        customer, body = notice.customer, body_of(notice)
        chat = self._chat(customer)
        now = asyncio.get_running_loop().time()
        chat.echoes.sent(body, now + self._timeout_s + ECHO_S)
        chat.sending += 1
        try:
            payload = {**body, "origin": ORIGIN}
            await chat.channel.push("user_message", payload, self._timeout_s)
        except PushError as error:
            raise _push_failure(error) from error
        except PhoenixClientError as error:
            raise BridgeUnavailable(str(error)) from error
        finally:
            chat.sending -= 1
            self._leave_unneeded(customer, chat)

    # The topics.

    def _chat(self, customer: Customer) -> _Chat:
        chat = self._chats.get(customer)
        if chat is None:
            chat = self._chats[customer] = _Chat(self._join(customer))
            task = asyncio.create_task(self._receive(customer, chat))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return chat

    def _join(self, customer: Customer) -> PhoenixChannel:
        business_id, user_id = customer
        payload = {"businessId": business_id, "userId": user_id, **self._token}
        channel = self._connection.channel(live_chat_topic(customer), payload)
        channel.start()
        return channel

    def _leave_unneeded(self, customer: Customer, chat: _Chat) -> None:
        if not chat.needed:
            del self._chats[customer]
            chat.channel.leave()

    async def _receive(self, customer: Customer, chat: _Chat) -> None:
        """Pass on a topic's events until its end; join it again if it is closed but needed."""
        while True:
            try:
                async for event, payload in chat.channel:
                    try:
                        for inbound in self._events(chat, event, payload):
                            await self._pass_on(customer, inbound)
                    except Exception:  # the next one may be understood
                        _log_failure()
            except SlowConsumer as error:
                self._warn_once("slow", str(error))
            if chat.needed:
                await asyncio.sleep(REJOIN_PAUSE_S)
            if not chat.needed:
                return
            chat.channel = self._join(customer)

    async def _pass_on(self, customer: Customer, event: InboundEvent) -> None:
        try:
            await self._on_event(customer, event)
        except Exception:
            _log_failure()

    # Inbound events.

    def _events(
        self, chat: _Chat, event: str | ChannelStatus, payload: Any
    ) -> Iterator[InboundEvent]:
        match event:
            case ChannelStatus.JOINED | ChannelStatus.REJOINED:
                chat.knows_typing = "typing" in _additions(payload)
                yield from self._history(chat, payload)
            case ChannelStatus.REFUSED:
                # Only a code: anything else may repeat what was sent, and so the token.
                self._warn_once("phx_join", _code(payload))
            case "user_message" | "agent_message":
                yield from self._message(chat, event, payload, _AUTHORS[event], replayed=False)
            case "typing" if isinstance(payload, dict) and payload.get("author") == "coordinator":
                yield Typing(Author.COORDINATOR, COORDINATOR_TYPING_EXPIRES_MS)

    def _history(self, chat: _Chat, response: Any) -> Iterator[InboundEvent]:
        """Yield the earlier messages in the reply to a join."""
        messages = response.get("messages") if isinstance(response, dict) else None
        for message in messages if isinstance(messages, list) else ():
            author = message.get("author") if isinstance(message, dict) else None
            if isinstance(author, str) and author in _AUTHORS.values():
                yield from self._message(chat, "messages[]", message, Author(author), replayed=True)
            elif author not in (Author.AI, Author.SYSTEM):
                yield self._malformed("messages[]", "an entry without a known author")

    def _message(
        self, chat: _Chat, event: str, raw: Any, author: Author, *, replayed: bool
    ) -> Iterator[InboundEvent]:
        try:
            payload = payload_of(raw)
            texts = [message_text(part) for part in parts_of(payload.message)]
        except (msgspec.ValidationError, Refusal) as error:
            yield self._malformed(event, str(error))
            return
        now = asyncio.get_running_loop().time()
        if author is Author.USER and chat.echoes.consume(payload, now):
            return
        message_id, coordinator_id = id_of(payload.message_id), id_of(payload.coordinator_id)
        at = _time(payload.timestamp)
        for number, text in enumerate(texts):
            # Ids and times of their own, as equal ones mark a repetition.
            part_id = id_of(f"{message_id}.{number}") if message_id and number else message_id
            yield InboundMessage(
                author=author,
                text=text,
                message_id=MessageId(part_id) if part_id is not None else None,
                at=at + timedelta(milliseconds=number) if at is not None else None,
                coordinator_id=CoordinatorId(coordinator_id) if coordinator_id else None,
                replayed=replayed,
            )

    def _malformed(self, event: str, reason: str) -> MalformedEvent:
        self._warn_once(event, reason)
        return MalformedEvent(event)

    def _warn_once(self, event: str, reason: str) -> None:
        """Log a warning the first time: a faulty bridge repeats its fault with every message."""
        warning = f"{event}: {reason}"
        if warning not in self._warnings and len(self._warnings) < MAX_WARNINGS:
            self._warnings.add(warning)
            extra = {"action": "bridge_complaint", "event": event, "reason": reason}
            logger.warning("The bridge sent something invalid", extra=extra)


def _additions(response: Any) -> list[Any]:
    """Return what the bridge knows beyond the interface, by its reply to a join."""
    additions = response.get("additions") if isinstance(response, dict) else None
    return additions if isinstance(additions, list) else []


def _log_failure() -> None:
    extra = {"action": "inbound_event_failed"}
    logger.exception("An event from the bridge could not be handled", extra=extra)


async def _not_listening(customer: Customer, event: InboundEvent) -> None:
    raise RuntimeError("an event came before `listen` was called")


def _time(value: object) -> datetime | None:
    """Parse ISO 8601, which is in UTC if it names no zone, as an Elixir `NaiveDateTime`."""
    try:
        at = datetime.fromisoformat(value if isinstance(value, str) else "")
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _push_failure(error: PushError) -> BridgeRefused | BridgeUnavailable:
    """Return the error for a reply other than ok: usually `{"reason": …, "retryAfterMs"?}`."""
    reason = _reason(error.response, error.status)
    if not reason.endswith(_RETRYABLE):
        return BridgeRefused(reason)
    wait_ms = error.response.get("retryAfterMs") if isinstance(error.response, dict) else None
    after_s = wait_ms / 1000 if isinstance(wait_ms, int | float) and wait_ms >= 0 else None
    return BridgeUnavailable(reason, retry_after_s=after_s)


def _code(response: Any) -> str:
    """Return the reason of a refusal if it is a code; any other text may quote somebody."""
    reason = _reason(response, "")
    return reason if _CODE.fullmatch(reason) else "refused"


def _reason(response: Any, otherwise: str) -> str:
    reason = response.get("reason") if isinstance(response, dict) else None
    return reason[:MAX_REFUSAL_REASON] if isinstance(reason, str) else otherwise
