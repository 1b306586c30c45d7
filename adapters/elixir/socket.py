"""The bridge's socket: one connection of the process carries the topics of all its live chats.

Topic `chat:{businessId}:{userId}`, joined with `{businessId, userId, token?}`. Either way go
`user_message` and `agent_message` `{message, timestamp, messageId?, coordinatorId?, origin?}`, and
`typing {author}`. A bridge may tell in `messages[]` of its reply to a join what was said before.
Only `message` must be there: an application that knows nothing of ids or origins will do.
"""

import asyncio
import logging
import re
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self

import msgspec

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
)
from application.ports import (
    InboundEvent,
    InboundMessage,
    LiveChatGateway,
    MalformedEvent,
    OnInboundEvent,
    Typing,
)
from domain.errors import BridgeRefused, BridgeUnavailable, Refusal
from domain.identity import CoordinatorId, Customer, MessageId, identifier
from domain.message import Author, message_text
from domain.notice import Notice

ORIGIN = "ai-agent-server"
"""What our own messages are marked with, whichever of our processes has sent them."""
ECHO_S = 30.0
"""How long after it was sent a message of ours may come back without its mark."""
MAX_ECHOES = 100
TYPING_EVERY_S = 1.0
"""No more than one sign of typing in this time for each chat."""
TYPING_EXPIRES_MS = 6_000
REJOIN_S = 1.0
"""After a topic was closed by the bridge, or lost because we were slow."""
MAX_REASON = 200
MAX_CAUSES = 100
"""So many different complaints about what comes are logged, each once."""

_AUTHORS = {"user_message": Author.USER, "agent_message": Author.COORDINATOR}
_A_CODE = re.compile(r"[a-z_]{1,40}|unmatched topic|join crashed|topic closed")
_TO_COME_BACK_WITH = ("unavailable", "overloaded", "rate_limited", "timeout", "internal_error")

logger = logging.getLogger(__name__)


class Words(msgspec.Struct, rename="camel"):
    """What somebody has said, as leniently as can be: a coordinator's words are not to be lost."""

    message: str
    timestamp: Any = None
    message_id: Any = None
    coordinator_id: Any = None
    origin: Any = None
    author: Any = None


class _Sent(NamedTuple):
    message_id: object
    text: object
    until: float


class Echoes:
    """The messages of ours that may still come back: each once, if ever. Times are in seconds."""

    def __init__(self) -> None:
        self._sent: deque[_Sent] = deque(maxlen=MAX_ECHOES)

    def sent(self, body: Mapping[str, object], until: float) -> None:
        """This was sent; it may come back until then."""
        self._sent.append(_Sent(body.get("messageId"), body.get("message"), until))

    def take(self, words: Words, now: float) -> bool:
        """Whether these are words of ours, which are then expected no more.

        A bridge that drops our mark is known by the id, and one that drops that by the text.
        """
        while self._sent and self._sent[0].until < now:
            self._sent.popleft()
        if words.origin is not None and words.origin != ORIGIN:
            return False
        known = [sent for sent in self._sent if sent.message_id == words.message_id]
        if not known:
            known = [sent for sent in self._sent if sent.text == words.message.strip()][:1]
        for sent in known:
            self._sent.remove(sent)
        return bool(known) or words.origin == ORIGIN


class _Chat:
    """One customer's topic, joined for as long as anybody needs it."""

    __slots__ = ("channel", "echoes", "followed", "sending", "typed_at")

    def __init__(self, channel: PhoenixChannel) -> None:
        self.channel = channel
        self.echoes = Echoes()
        self.followed = False
        self.sending = 0
        """How many messages are on their way."""
        self.typed_at = -TYPING_EVERY_S

    @property
    def needed(self) -> bool:
        return self.followed or self.sending > 0


class ElixirSocket(LiveChatGateway):
    """Use it as `async with socket:`, after `listen`."""

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
        timeout_s: float = 5.0,
        settings: ClientSettings = DEFAULT_SETTINGS,
    ) -> None:
        """`url` such as ws://localhost:4000/socket/websocket; `token` goes with each join.

        `timeout_s`: how long the answer to a message may take. Raises: ValueError for the URL.
        """
        self._connection = PhoenixConnection(url, settings=settings)
        self._token = {"token": token} if token else {}
        self._timeout_s = timeout_s
        self._chats: dict[Customer, _Chat] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._causes: set[str] = set()
        self._hear: OnInboundEvent

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

    def listen(self, hear: OnInboundEvent) -> None:
        self._hear = hear

    def follow(self, customer: Customer) -> None:
        self._chat(customer).followed = True

    def unfollow(self, customer: Customer) -> None:
        chat = self._chats.get(customer)
        if chat is not None:
            chat.followed = False
            self._leave_unneeded(customer, chat)

    def show_typing(self, customer: Customer) -> None:
        chat, now = self._chats.get(customer), asyncio.get_running_loop().time()
        # What cannot be sent at once is not worth sending.
        if (
            chat is None
            or chat.channel.state is not ChannelState.JOINED
            or now < chat.typed_at + TYPING_EVERY_S
        ):
            return
        chat.typed_at = now
        with suppress(TooManyWaiting):
            chat.channel.send("typing", {"author": Author.USER})

    async def relay(self, notice: Notice) -> None:
        """Send what the user has said, and wait until the bridge has it.

        It may get there more than once, with the same `messageId`.
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
            raise _refusal(error) from error
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
            task = asyncio.create_task(self._attend(customer, chat))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return chat

    def _join(self, customer: Customer) -> PhoenixChannel:
        business_id, user_id = customer
        payload = {"businessId": business_id, "userId": user_id, **self._token}
        channel = self._connection.channel(f"chat:{business_id}:{user_id}", payload)
        channel.start()
        return channel

    def _leave_unneeded(self, customer: Customer, chat: _Chat) -> None:
        if not chat.needed:
            del self._chats[customer]
            chat.channel.leave()

    async def _attend(self, customer: Customer, chat: _Chat) -> None:
        """Tell what comes, to the last of it; join again what is closed although it is needed."""
        while True:
            try:
                async for event, payload in chat.channel:
                    for heard in self._heard(chat, event, payload):
                        await self._tell(customer, heard)
            except SlowConsumer as error:
                self._complain("slow", str(error))
            if chat.needed:
                await asyncio.sleep(REJOIN_S)
            if not chat.needed:
                return
            chat.channel = self._join(customer)

    async def _tell(self, customer: Customer, heard: InboundEvent) -> None:
        try:
            await self._hear(customer, heard)
        except Exception:
            logger.exception("What was heard was not taken", extra={"action": "hearing_failed"})

    # What comes.

    def _heard(
        self, chat: _Chat, event: str | ChannelStatus, payload: Any
    ) -> Iterator[InboundEvent]:
        match event:
            case ChannelStatus.JOINED | ChannelStatus.REJOINED:
                yield from self._replayed(chat, payload)
            case ChannelStatus.REFUSED:
                # A code alone: anything else may repeat what we have sent, and so the token.
                self._complain("phx_join", _code(payload))
            case "user_message" | "agent_message":
                yield from self._said(chat, event, payload, _AUTHORS[event], replayed=False)
            case "typing" if isinstance(payload, dict) and payload.get("author") == "coordinator":
                yield Typing(Author.COORDINATOR, TYPING_EXPIRES_MS)

    def _replayed(self, chat: _Chat, response: Any) -> Iterator[InboundEvent]:
        """What the reply to the join says was said before."""
        messages = response.get("messages") if isinstance(response, dict) else None
        for message in messages if isinstance(messages, list) else ():
            author = message.get("author") if isinstance(message, dict) else None
            if isinstance(author, str) and author in _AUTHORS.values():
                yield from self._said(chat, "messages[]", message, Author(author), replayed=True)
            elif author not in (Author.AI, Author.SYSTEM):
                yield self._garbled("messages[]", "an entry without an author that is known")

    def _said(
        self, chat: _Chat, event: str, payload: Any, author: Author, *, replayed: bool
    ) -> Iterator[InboundEvent]:
        try:
            words = msgspec.convert(payload, Words)
            text = message_text(words.message)
        except (msgspec.ValidationError, Refusal) as error:
            yield self._garbled(event, str(error))
            return
        if author is Author.USER and chat.echoes.take(words, asyncio.get_running_loop().time()):
            return
        message_id, coordinator_id = _id(words.message_id), _id(words.coordinator_id)
        yield InboundMessage(
            author=author,
            text=text,
            message_id=MessageId(message_id) if message_id is not None else None,
            at=_time(words.timestamp),
            coordinator_id=CoordinatorId(coordinator_id) if coordinator_id is not None else None,
            replayed=replayed,
        )

    def _garbled(self, event: str, reason: str) -> MalformedEvent:
        self._complain(event, reason)
        return MalformedEvent(event)

    def _complain(self, event: str, reason: str) -> None:
        """Log a cause once: a bridge that errs, errs with every message."""
        cause = f"{event}: {reason}"
        if cause not in self._causes and len(self._causes) < MAX_CAUSES:
            self._causes.add(cause)
            extra = {"action": "bridge_complaint", "event": event, "reason": reason}
            logger.warning("The bridge does what cannot be understood", extra=extra)


def _id(value: object) -> str | None:
    """An id as the bridge gives it: text, or a number; what cannot be one is none."""
    try:
        return identifier("id", str(value) if type(value) is int else value)
    except Refusal:
        return None


def _time(value: object) -> datetime | None:
    """ISO 8601, in UTC where it names no zone, as of an Elixir `NaiveDateTime`."""
    try:
        at = datetime.fromisoformat(value if isinstance(value, str) else "")
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _refusal(error: PushError) -> BridgeRefused | BridgeUnavailable:
    """An answer other than ok: `{"reason": …, "retryAfterMs"?}`, if it keeps to what is usual."""
    reason = _reason(error.response, error.status)
    if not reason.endswith(_TO_COME_BACK_WITH):
        return BridgeRefused(reason)
    wait_ms = error.response.get("retryAfterMs") if isinstance(error.response, dict) else None
    after_s = wait_ms / 1000 if isinstance(wait_ms, int | float) and wait_ms >= 0 else None
    return BridgeUnavailable(reason, retry_after_s=after_s)


def _code(response: Any) -> str:
    """The reason of a refusal where it is one that stands for many, and quotes nobody."""
    reason = _reason(response, "")
    return reason if _A_CODE.fullmatch(reason) else "refused"


def _reason(response: Any, otherwise: str) -> str:
    reason = response.get("reason") if isinstance(response, dict) else None
    return reason[:MAX_REASON] if isinstance(reason, str) else otherwise
