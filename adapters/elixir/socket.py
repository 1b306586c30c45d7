"""The bridge's socket, with a topic for each live chat.

Topic `chat:{businessId}:{userId}`, joined with `{businessId, userId, token?}`. In both directions
go `user_message` and `agent_message` `{message, timestamp, messageId?, coordinatorId?, origin?}`,
and `typing {author}` if the bridge has announced it in `additions[]`: a channel of Phoenix crashes
at an event that it has no clause for. Where it has announced that, `queue {place, waitS?}` comes
while the user waits. Earlier messages may be in the join's reply, in `messages[]`.
Only `message` is required: an application that knows nothing of ids or origins will do.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any, Self
from urllib.parse import urlsplit

from adapters.elixir.acknowledgement import AcknowledgedPushes
from adapters.elixir.additions import Additions, additions_of
from adapters.elixir.chat_events import ChatEvents
from adapters.elixir.chat_topic import ChatTopic
from adapters.elixir.connections import TopicConnections
from adapters.elixir.payloads import body_of
from adapters.phoenix.client import (
    CONNECTION_LOST,
    DEFAULT_SETTINGS,
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
    Clock,
    HealthCheck,
    InboundEvent,
    LiveChatGateway,
    OnEcho,
    OnInboundEvent,
    TopicJoined,
)
from domain.errors import BridgeRefused, BridgeUnavailable
from domain.identity import Customer, live_chat_topic
from domain.message import Author
from domain.notice import Notice

REJOIN_PAUSE_S = 1.0
"""After the bridge closed a topic, or messages were lost because we were slow."""
JOIN_WAIT_S = 2.0
"""A request for a human waits so long for the join of its topic."""
SENDER_LINGERS_S = 30.0
"""A topic that another process listens to is left so long after a message was sent there: the next
one may follow soon, and who watches the topic would see many come and go."""
MAX_REFUSAL_REASON = 200

_CODE = re.compile(r"[a-z_]{1,40}|unmatched topic|join crashed|topic closed")
_RETRYABLE = ("unavailable", "overloaded", "rate_limited", "timeout", "internal_error")

logger = logging.getLogger(__name__)


class ElixirSocket(LiveChatGateway, HealthCheck):
    """The live chats at the bridge; call `listen`, then use it as `async with socket:`.

    The reasons of TopicUnavailable are `unreachable`, `http_403` (or another status) and
    `connection_lost` for a connection, `join_timeout`, `channel_crashed` and `topic_closed` for a
    topic, and for a join the code of its refusal, or `refused`.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        *,
        token: str = "",
        timeout_s: float = 5.0,
        settings: ClientSettings = DEFAULT_SETTINGS,
        additions: Additions | None = None,
        lingers: Callable[[Customer], bool] = lambda _: False,
    ) -> None:
        """`url` such as ws://localhost:4000/socket/websocket.

        `token` opens the socket, as the parameter `token` (unless the URL has its own) and where
        possible in the sub-protocol, and is sent with each join.

        `timeout_s`: how long the reply to a message may take. `additions`: those that the bridge
        announces elsewhere. `lingers` returns True if another process listens to the customer's
        topic. Raises: ValueError for the URL.
        """
        self._url = url
        self._clock = clock
        self._token = token
        self._settings = settings
        self._pushes = AcknowledgedPushes(timeout_s)
        self._additions = additions or Additions()
        self._lingers = lingers
        self._connections = TopicConnections(self._connection)
        self._connection()  # for a ValueError
        self._chats: dict[Customer, ChatTopic] = {}
        self._refused: set[Customer] = set()
        """The needed topics that were refused, or timed out, since the last one was joined."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._receiving: dict[Customer, asyncio.Task[None]] = {}
        """Passes on what the customer's newest topic brings."""
        self._events = ChatEvents()
        self._on_event: OnInboundEvent = _not_listening
        self._on_echo: OnEcho = lambda _customer, _message_id: None

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

    def listen(self, on_event: OnInboundEvent, on_echo: OnEcho) -> None:
        self._on_event, self._on_echo = on_event, on_echo

    def follow(self, customer: Customer) -> None:
        self._chat(customer).follow()

    def unfollow(self, customer: Customer) -> None:
        chat = self._chats.get(customer)
        if chat is not None:
            chat.unfollow()
            self._leave_unneeded(customer, chat)

    def is_joined(self, customer: Customer) -> bool:
        chat = self._chats.get(customer)
        return chat is not None and chat.is_joined

    def show_typing(self, customer: Customer) -> None:
        chat, now = self._chats.get(customer), asyncio.get_running_loop().time()
        if chat is not None and self._reaches(customer, chat, "typing") and chat.may_type(now):
            _send_now(chat, "typing", {"author": Author.USER})

    def show_presence(self, customer: Customer, online: bool) -> None:
        chat = self._chats.get(customer)
        if chat is not None and self._reaches(customer, chat, "customer"):
            _send_now(chat, "customer", {"online": online})

    def _reaches(self, customer: Customer, chat: ChatTopic, addition: str) -> bool:
        return chat.is_joined and self._knows(customer, chat, addition)

    def announces(self, customer: Customer, addition: str) -> bool:
        """Return whether the reply to the join of the customer's topic announces an addition."""
        chat = self._chats.get(customer)
        return chat is not None and addition in chat.additions

    def _knows(self, customer: Customer, chat: ChatTopic, addition: str) -> bool:
        """Return whether the bridge has announced an addition, there or with the business."""
        return addition in chat.additions or self._additions.include(customer.business_id, addition)

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
            if self._lingers(customer):
                asyncio.get_running_loop().call_later(SENDER_LINGERS_S, self._sent, customer, chat)
            else:
                self._sent(customer, chat)

    def _sent(self, customer: Customer, chat: ChatTopic) -> None:
        chat.sending -= 1
        self._leave_unneeded(customer, chat)

    async def prepare(self, customer: Customer) -> None:
        """Return once the customer's topic is joined, or cannot be for now: in JOIN_WAIT_S at most.

        Whoever is told of a request may answer at once, and a topic keeps nothing.
        """
        chat = self._chat(customer)
        chat.sending += 1
        try:
            async with asyncio.timeout(JOIN_WAIT_S):
                await chat.settled.wait()
        except TimeoutError:
            pass
        finally:
            chat.sending -= 1
            self._leave_unneeded(customer, chat)

    async def _deliver(self, chat: ChatTopic, body: dict[str, Any]) -> None:
        """Push a message, and again if its topic moves to another connection before."""
        while chat.problem is None:  # with one, waiting would delay the messages of others
            channel = chat.channel
            try:
                return await self._pushes.push(chat, body)
            except PushLost as error:
                if error.was_sent or (chat.channel is channel and chat.problem is None):
                    raise
        raise BridgeUnavailable(chat.problem)

    # The topics.

    def _chat(self, customer: Customer) -> ChatTopic:
        chat = self._chats.get(customer)
        if chat is None:
            channel = self._join(customer)
            chat = ChatTopic(customer, channel, self._on_event, self._on_echo, self._start)
            self._chats[customer] = chat
            failure = chat.channel.connection.failure
            if failure is not None:
                _connection_failed(chat, failure)
            earlier = self._receiving.get(customer)
            self._receiving[customer] = self._start(self._receive(customer, chat, earlier))
        return chat

    def _join(self, customer: Customer) -> PhoenixChannel:
        business_id, user_id = customer
        token = {"token": self._token} if self._token else {}
        payload = {"businessId": business_id, "userId": user_id, **token}
        return self._connections.join(live_chat_topic(customer), payload)

    def _leave_unneeded(self, customer: Customer, chat: ChatTopic) -> None:
        if not chat.needed:
            del self._chats[customer]
            self._refused.discard(customer)
            chat.stop_timer()
            chat.channel.leave()

    async def _receive(
        self, customer: Customer, chat: ChatTopic, earlier: asyncio.Task[None] | None
    ) -> None:
        """Pass on a topic's events until its end, after those of the one that was left before."""
        try:
            if earlier is not None:
                await asyncio.wait({earlier})
            await self._receive_joined(customer, chat)
        finally:
            if self._receiving.get(customer) is asyncio.current_task():
                del self._receiving[customer]

    async def _receive_joined(self, customer: Customer, chat: ChatTopic) -> None:
        """Pass on a topic's events; join it again if it is closed but needed."""
        while True:
            has_place = await self._receive_from(chat.channel, customer, chat)
            self._connections.close_unused()
            if has_place and chat.needed:
                chat.interrupted("topic_closed")
                await asyncio.sleep(REJOIN_PAUSE_S)
            if not chat.needed:
                return
            chat.channel = self._join(customer)

    async def _receive_from(
        self, channel: PhoenixChannel, customer: Customer, chat: ChatTopic
    ) -> bool:
        """Pass on a channel's events until its end; False: its connection had no place for it."""
        try:
            async for event, payload in channel:
                if event is ChannelStatus.REFUSED and self._connections.is_full(channel, payload):
                    channel.leave()
                    return False
                try:
                    for inbound in self._inbound(customer, chat, event, payload):
                        await chat.pass_on(inbound)
                except Exception:  # the next one may be understood
                    extra = {"action": "inbound_event_failed"}
                    logger.exception("An event from the bridge was not understood", extra=extra)
        except SlowConsumer as error:
            self._events.warn_once("bridge_events_lost", "slow", str(error))
        return True

    def _inbound(
        self, customer: Customer, chat: ChatTopic, event: str | ChannelStatus, payload: Any
    ) -> Iterator[InboundEvent]:
        match event:
            case ChannelStatus.JOINED | ChannelStatus.REJOINED:
                self._refused.clear()
                chat.joined()
                chat.additions = additions_of(payload)
                yield TopicJoined(self._clock.now() - timedelta(seconds=chat.channel.waited_s))
                yield from self._events.history(chat.echoes, payload)
            case ChannelStatus.REFUSED:
                code = self._code(payload)
                self._events.warn_once("bridge_join_refused", "phx_join", code)
                self._not_admitted(customer, chat, code)
            case ChannelStatus.JOIN_TIMED_OUT:
                self._not_admitted(customer, chat, "join_timeout")
            case ChannelStatus.ERRORED:
                reason = "connection_lost" if payload == CONNECTION_LOST else "channel_crashed"
                chat.interrupted(reason)
            case str():
                knows_queue = self._knows(customer, chat, "queue")
                yield from self._events.read(chat.echoes, event, payload, knows_queue=knows_queue)

    def _on_state(self, connection: PhoenixConnection, event: SocketEvent) -> None:
        if isinstance(event, SocketClosed) and event.retry_in_s is not None:
            for chat in self._chats.values():
                if chat.channel.connection is connection:
                    _connection_failed(chat, event)

    def _not_admitted(self, customer: Customer, chat: ChatTopic, reason: str) -> None:
        if chat.needed:
            self._refused.add(customer)
        chat.not_admitted(reason)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _code(self, response: Any) -> str:
        """Return the reason of a refusal if it is a code; another text may repeat the token."""
        reason = _reason(response, "")
        is_code = _CODE.fullmatch(reason) and not (self._token and self._token in reason)
        return reason if is_code else "refused"


def _send_now(chat: ChatTopic, event: str, payload: dict[str, object]) -> None:
    """Send a sign, which is not worth sending if it cannot be sent at once."""
    with suppress(TooManyWaiting):
        chat.channel.send(event, payload)


def _connection_failed(chat: ChatTopic, failure: SocketClosed) -> None:
    if failure.code is not None:
        chat.interrupted("connection_lost")  # it may be open again at once
    elif failure.http_status is not None:
        chat.interrupted(f"http_{failure.http_status}", may_pass=False)
    else:
        chat.interrupted("unreachable", may_pass=False)


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
