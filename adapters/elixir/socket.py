"""The bridge's socket, with a topic for each live chat.

Topic `chat:{businessId}:{userId}`, joined with `{businessId, userId, token?}`. In both directions
go `user_message` and `agent_message` `{message, timestamp, messageId?, coordinatorId?, origin?}`,
and `typing {author}` if the bridge has announced it in `additions[]`: a channel of Phoenix crashes
at an event that it has no clause for. Earlier messages may be in the join's reply, in `messages[]`.
Only `message` is required: an application that knows nothing of ids or origins will do.
"""

import asyncio
import logging
import re
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from typing import Any, Self
from urllib.parse import urlsplit

from adapters.elixir.additions import Additions, additions_of
from adapters.elixir.chat_events import ChatEvents
from adapters.elixir.connections import TopicConnections
from adapters.elixir.echoes import ORIGIN, EchoFilter
from adapters.elixir.payloads import body_of
from adapters.phoenix.client import (
    CONNECTION_LOST,
    DEFAULT_SETTINGS,
    ChannelState,
    ClientSettings,
    PhoenixClientError,
    SocketClosed,
    SocketEvent,
    TooManyWaiting,
)
from adapters.phoenix.client_connection import (
    ChannelStatus,
    PhoenixChannel,
    PhoenixConnection,
    PushError,
    PushLost,
    SlowConsumer,
    fits_subprotocol,
)
from adapters.phoenix.handshake import query_params
from application.ports import (
    HealthCheck,
    InboundEvent,
    LiveChatGateway,
    OnInboundEvent,
    TopicJoined,
    TopicUnavailable,
)
from domain.errors import BridgeRefused, BridgeUnavailable
from domain.identity import Customer, live_chat_topic
from domain.message import Author
from domain.notice import Notice

ECHO_S = 30.0
"""The time in which a message that was sent may come back without its mark."""
PROMPT_S = 0.05
"""The time in which an error, or the crash of a channel, still counts for a silent bridge."""
TYPING_RELAY_INTERVAL_S = 1.0
"""At most one `typing` in this time for each chat."""
REJOIN_PAUSE_S = 1.0
"""After the bridge closed a topic, or messages were lost because we were slow."""
INTERRUPTION_S = 1.5
"""A topic that is joined again within this time after it was lost has been available."""
MAX_REFUSAL_REASON = 200

_CODE = re.compile(r"[a-z_]{1,40}|unmatched topic|join crashed|topic closed")
_RETRYABLE = ("unavailable", "overloaded", "rate_limited", "timeout", "internal_error")

logger = logging.getLogger(__name__)


class _Chat:
    """A customer's topic, joined for as long as it is followed or a message is being sent."""

    __slots__ = (
        *("announced", "channel", "echoes", "followed", "is_joined", "knows_typing", "problem"),
        *("sending", "timer", "turn", "typed_at"),
    )

    def __init__(self, channel: PhoenixChannel) -> None:
        self.channel = channel
        self.echoes = EchoFilter()
        self.followed = False
        self.is_joined = False
        self.problem: str | None = None
        """The reason for which it is not joined, if there is one."""
        self.announced = False
        """The application knows that it is unavailable."""
        self.timer: asyncio.TimerHandle | None = None
        """Announces that, unless the topic is joined first."""
        self.turn = asyncio.Lock()
        """Held while an event is passed on."""
        self.knows_typing = False
        """The bridge has announced that it knows the event, in its reply to the join."""
        self.sending = 0
        """Messages that are not acknowledged yet."""
        self.typed_at = -TYPING_RELAY_INTERVAL_S

    @property
    def needed(self) -> bool:
        return self.followed or self.sending > 0

    def stop_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class ElixirSocket(LiveChatGateway, HealthCheck):
    """The live chats at the bridge; call `listen`, then use it as `async with socket:`.

    The reasons of TopicUnavailable are `unreachable`, `http_403` (or another status) and
    `connection_lost` for a connection, `join_timeout`, `channel_crashed` and `topic_closed` for a
    topic, and for a join the code of its refusal, or `refused`.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
        timeout_s: float = 5.0,
        settings: ClientSettings = DEFAULT_SETTINGS,
        additions: Additions | None = None,
    ) -> None:
        """`url` such as ws://localhost:4000/socket/websocket.

        `token` opens the socket, as the parameter `token` (unless the URL has its own) and where
        possible in the sub-protocol, and is sent with each join.

        `timeout_s`: how long the reply to a message may take. `additions`: those that the bridge
        announces elsewhere. Raises: ValueError for the URL.
        """
        self._url = url
        self._token = token
        self._settings = settings
        self._timeout_s = timeout_s
        self._additions = additions or Additions()
        self._connections = TopicConnections(self._connection)
        self._connection()  # for a ValueError
        self._chats: dict[Customer, _Chat] = {}
        self._refused: set[Customer] = set()
        """The needed topics that were refused, or timed out, since the last one was joined."""
        self._is_silent = False
        """The bridge acknowledges no message, as far as is known."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._events = ChatEvents()
        self._on_event: OnInboundEvent = _not_listening

    def __repr__(self) -> str:
        return f"<ElixirSocket {self._connections!r} chats={len(self._chats)}>"

    async def __aenter__(self) -> Self:
        self._connections.open()
        return self

    async def __aexit__(self, *exc: Any) -> None:
        for chat in self._chats.values():
            chat.stop_timer()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._connections.close(flush=not any(exc))

    def _connection(self) -> PhoenixConnection:
        token = self._token
        has_own = "token" in query_params(urlsplit(self._url).query.encode())
        connection = PhoenixConnection(
            self._url,
            params={"token": token} if token and not has_own else {},
            token=token if token and fits_subprotocol(token) else None,
            settings=self._settings,
            on_state=lambda event: self._on_state(connection, event),
        )
        return connection

    @property
    def is_away(self) -> bool:
        return self._connections.are_away or bool(self._refused)

    def listen(self, on_event: OnInboundEvent) -> None:
        self._on_event = on_event

    def follow(self, customer: Customer) -> None:
        chat = self._chat(customer)
        if chat.followed:
            return
        chat.followed = True
        if chat.is_joined:
            self._start(self._pass_on(customer, chat, TopicJoined()))
        elif chat.problem is not None:
            self._unavailable(customer, chat, chat.problem)

    def unfollow(self, customer: Customer) -> None:
        chat = self._chats.get(customer)
        if chat is not None:
            chat.followed = chat.announced = False
            self._leave_unneeded(customer, chat)

    def is_joined(self, customer: Customer) -> bool:
        chat = self._chats.get(customer)
        return chat is not None and chat.channel.state is ChannelState.JOINED

    def show_typing(self, customer: Customer) -> None:
        chat, now = self._chats.get(customer), asyncio.get_running_loop().time()
        # If it cannot be sent at once, it is not worth sending.
        if (
            chat is None
            or chat.channel.state is not ChannelState.JOINED
            or not (chat.knows_typing or self._additions.include(customer.business_id, "typing"))
            or now < chat.typed_at + TYPING_RELAY_INTERVAL_S
        ):
            return
        chat.typed_at = now
        with suppress(TooManyWaiting):
            chat.channel.send("typing", {"author": Author.USER})

    # The user's messages.

    async def relay(self, notice: Notice) -> None:
        """Send a message by the user, and wait until the bridge acknowledges it.

        It may arrive more than once, with the same `messageId`.
        Raises: BridgeUnavailable, BridgeRefused.
        """
        customer, body = notice.customer, body_of(notice)
        chat = self._chat(customer)
        chat.sending += 1
        try:
            await self._deliver(chat, body)
        except PushError as error:
            raise _push_failure(error) from error
        except PhoenixClientError as error:
            raise BridgeUnavailable(str(error)) from error
        finally:
            chat.sending -= 1
            self._leave_unneeded(customer, chat)

    async def _deliver(self, chat: _Chat, body: dict[str, Any]) -> None:
        while True:
            channel = chat.channel
            try:
                return await self._push(chat, body)
            except PushLost:
                if chat.channel is channel:
                    raise
                # The topic was moved to another connection before the message could be sent.

    async def _push(self, chat: _Chat, body: dict[str, Any]) -> None:
        """Send a message, and wait for its reply, its echo, or the proof that it was received.

        The proof counts only where neither of the others has come in time; then it counts at once,
        until one of them comes again: a channel need not reply, nor send to the sender.
        Raises: PhoenixClientError.
        """
        loop, limit_s = asyncio.get_running_loop(), self._timeout_s
        echo: asyncio.Future[None] = loop.create_future()
        chat.echoes.sent(body, loop.time() + limit_s + ECHO_S, lambda: self._echoed(echo))
        push = chat.channel.start_push(
            "user_message",
            {**body, "origin": ORIGIN},
            timeout_s=limit_s if self._is_silent else 2 * limit_s,
            probe_after_s=0.0 if self._is_silent else limit_s,
        )
        push.reply.add_done_callback(self._replied)
        acknowledgements = {push.reply, echo}
        first = asyncio.FIRST_COMPLETED
        done, _ = await asyncio.wait({*acknowledgements, push.received}, return_when=first)
        if done == {push.received}:
            await asyncio.wait(acknowledgements, timeout=PROMPT_S, return_when=first)
        if echo.done():
            return
        if push.reply.done():
            push.reply.result()
            return
        self._is_silent = True

    def _echoed(self, echo: asyncio.Future[None]) -> None:
        self._is_silent = False
        if not echo.done():
            echo.set_result(None)

    def _replied(self, reply: asyncio.Future[Any]) -> None:
        """Note a reply, which may also come after the message counts as received."""
        if not reply.cancelled():
            error = reply.exception()
            if error is None or isinstance(error, PushError):
                self._is_silent = False

    # The topics.

    def _chat(self, customer: Customer) -> _Chat:
        chat = self._chats.get(customer)
        if chat is None:
            chat = self._chats[customer] = _Chat(self._join(customer))
            failure = chat.channel.connection.failure
            if failure is not None:
                self._connection_failed(customer, chat, failure)
            self._start(self._receive(customer, chat))
        return chat

    def _join(self, customer: Customer) -> PhoenixChannel:
        business_id, user_id = customer
        token = {"token": self._token} if self._token else {}
        payload = {"businessId": business_id, "userId": user_id, **token}
        return self._connections.join(live_chat_topic(customer), payload)

    def _leave_unneeded(self, customer: Customer, chat: _Chat) -> None:
        if not chat.needed:
            del self._chats[customer]
            self._refused.discard(customer)
            chat.stop_timer()
            chat.channel.leave()

    async def _receive(self, customer: Customer, chat: _Chat) -> None:
        """Pass on a topic's events until its end; join it again if it is closed but needed."""
        while True:
            has_place = await self._receive_from(chat.channel, customer, chat)
            self._connections.close_unused()
            if has_place and chat.needed:
                self._interrupted(customer, chat, "topic_closed", INTERRUPTION_S)
                await asyncio.sleep(REJOIN_PAUSE_S)
            if not chat.needed:
                return
            chat.channel = self._join(customer)

    async def _receive_from(self, channel: PhoenixChannel, customer: Customer, chat: _Chat) -> bool:
        """Pass on a channel's events until its end; False: its connection had no place for it."""
        try:
            async for event, payload in channel:
                if event is ChannelStatus.REFUSED and self._connections.is_full(channel, payload):
                    channel.leave()
                    return False
                try:
                    for inbound in self._inbound(customer, chat, event, payload):
                        await self._pass_on(customer, chat, inbound)
                except Exception:  # the next one may be understood
                    _log_failure()
        except SlowConsumer as error:
            self._events.warn_once("bridge_events_lost", "slow", str(error))
        return True

    def _inbound(
        self, customer: Customer, chat: _Chat, event: str | ChannelStatus, payload: Any
    ) -> Iterator[InboundEvent]:
        match event:
            case ChannelStatus.JOINED | ChannelStatus.REJOINED:
                self._refused.clear()
                chat.stop_timer()
                chat.is_joined, chat.problem, chat.announced = True, None, False
                chat.knows_typing = "typing" in additions_of(payload)
                if chat.followed:
                    yield TopicJoined()
                yield from self._events.history(chat.echoes, payload)
            case ChannelStatus.REFUSED:
                code = self._code(payload)
                self._events.warn_once("bridge_join_refused", "phx_join", code)
                self._not_admitted(customer, chat, code)
            case ChannelStatus.JOIN_TIMED_OUT:
                self._not_admitted(customer, chat, "join_timeout")
            case ChannelStatus.ERRORED:
                reason = "connection_lost" if payload == CONNECTION_LOST else "channel_crashed"
                self._interrupted(customer, chat, reason, INTERRUPTION_S)
            case str():
                yield from self._events.read(chat.echoes, event, payload)

    # Their availability.

    def _on_state(self, connection: PhoenixConnection, event: SocketEvent) -> None:
        if isinstance(event, SocketClosed) and event.retry_in_s is not None:
            for customer, chat in list(self._chats.items()):
                if chat.channel.connection is connection:
                    self._connection_failed(customer, chat, event)

    def _connection_failed(self, customer: Customer, chat: _Chat, failure: SocketClosed) -> None:
        # A connection that was open may be open again at once.
        after_s = 0.0 if failure.code is None else INTERRUPTION_S
        self._interrupted(customer, chat, _failure_code(failure), after_s)

    def _not_admitted(self, customer: Customer, chat: _Chat, reason: str) -> None:
        if chat.needed:
            self._refused.add(customer)
        self._unavailable(customer, chat, reason)

    def _interrupted(self, customer: Customer, chat: _Chat, reason: str, after_s: float) -> None:
        """Announce that a topic is unavailable, unless it is joined within `after_s`."""
        chat.is_joined = False
        if chat.timer is None and chat.problem is None:
            loop = asyncio.get_running_loop()
            chat.timer = loop.call_later(after_s, self._unavailable, customer, chat, reason)

    def _unavailable(self, customer: Customer, chat: _Chat, reason: str) -> None:
        """Announce once, until it is joined, that a topic is unavailable."""
        chat.stop_timer()
        chat.problem = reason
        if chat.followed and not chat.announced:
            chat.announced = True
            self._start(self._pass_on(customer, chat, TopicUnavailable(reason)))

    async def _pass_on(self, customer: Customer, chat: _Chat, event: InboundEvent) -> None:
        async with chat.turn:
            is_late = chat.channel.state is ChannelState.JOINED or not chat.announced
            if isinstance(event, TopicUnavailable) and is_late:
                return
            try:
                await self._on_event(customer, event)
            except Exception:
                _log_failure()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _code(self, response: Any) -> str:
        """Return the reason of a refusal if it is a code; another text may repeat the token."""
        reason = _reason(response, "")
        is_code = _CODE.fullmatch(reason) and not (self._token and self._token in reason)
        return reason if is_code else "refused"


def _failure_code(failure: SocketClosed) -> str:
    if failure.http_status is not None:
        return f"http_{failure.http_status}"
    return "unreachable" if failure.code is None else "connection_lost"


def _log_failure() -> None:
    extra = {"action": "inbound_event_failed"}
    logger.exception("An event from the bridge could not be handled", extra=extra)


async def _not_listening(customer: Customer, event: InboundEvent) -> None:
    raise RuntimeError("an event came before `listen` was called")


def _push_failure(error: PushError) -> BridgeRefused | BridgeUnavailable:
    """Return the error for a reply other than ok: usually `{"reason": …, "retryAfterMs"?}`."""
    reason = _reason(error.response, error.status)
    if not reason.endswith(_RETRYABLE):
        return BridgeRefused(reason)
    wait_ms = error.response.get("retryAfterMs") if isinstance(error.response, dict) else None
    after_s = wait_ms / 1000 if isinstance(wait_ms, int | float) and wait_ms >= 0 else None
    return BridgeUnavailable(reason, retry_after_s=after_s)


def _reason(response: Any, otherwise: str) -> str:
    reason = response.get("reason") if isinstance(response, dict) else None
    return reason[:MAX_REFUSAL_REASON] if isinstance(reason, str) else otherwise
