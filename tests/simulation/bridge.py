"""The bridge, as an ordinary Phoenix application, and each node's connection to it.

The node's side has the product's own filter of echoes, reading of events, and choice of calls.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any, Self

from adapters.elixir.bridge import LiveChatTopics
from adapters.elixir.chat_events import ChatEvents
from adapters.elixir.echoes import ORIGIN, EchoFilter
from adapters.elixir.payloads import body_of
from application.ports import (
    HealthCheck,
    InboundEvent,
    Lifecycle,
    LiveChatGateway,
    OnEcho,
    OnInboundEvent,
    TopicJoined,
    TopicUnavailable,
)
from domain.errors import BridgeUnavailable
from domain.identity import Customer
from domain.notice import Notice

if TYPE_CHECKING:
    from tests.simulation.node import NodeClock

ANSWER_S = 2.0
"""The time for which a message waits for its acknowledgement."""
LINGER_S = 30.0
INTERRUPTION_S = 1.5
REJOIN_S = 1.0


class PlainApplication:
    """Topics on which everyone who has joined receives what anyone sends."""

    def __init__(self, random: Random, *, gives_ids: bool, echoes: bool) -> None:
        """`gives_ids`: it passes ids and times on. `echoes`: also to who has sent it, and it
        does not reply.
        """
        self._random = random
        self._gives_ids = gives_ids
        self._echoes = echoes
        self.is_down = False
        self.topics: dict[Customer, list[Chat]] = {}
        self.words: list[tuple[Customer, object, object]] = []
        """What users have said: customer, id, text."""
        self.requests: list[str] = []
        """The ids of the notices that came over HTTP."""
        self.refusing = 0
        """The number of further requests and messages that are refused."""
        self.hanging = 0
        """The number of further requests and messages that are accepted without an answer."""

    def accept(self, chat: "Chat", body: dict[str, object]) -> None:
        """Receive a user's message from a node, and pass it on."""
        if self.is_down or chat not in self.topics.get(chat.customer, ()):
            return
        self.words.append((chat.customer, body.get("messageId"), body.get("message")))
        self.broadcast(chat.customer, "user_message", body, None if self._echoes else chat)
        if self.hanging > 0:
            self.hanging -= 1
        elif not self._echoes:
            chat.replied(body)

    def broadcast(
        self, customer: Customer, event: str, body: dict[str, Any], sender: "Chat | None" = None
    ) -> None:
        """Send to everyone who has joined the topic, but `sender`."""
        payload = body if self._gives_ids else {"message": body["message"]}
        for chat in list(self.topics.get(customer, ())):
            if chat is not sender:
                chat.arrive(event, payload)

    def restart(self) -> None:
        """Lose all connections."""
        topics, self.topics = self.topics, {}
        for chats in topics.values():
            for chat in chats:
                chat.lost()


class Chat:
    """A node's membership of one topic."""

    def __init__(self, gateway: "SimulatedGateway", customer: Customer) -> None:
        self._gateway = gateway
        self.customer = customer
        self.echoes = EchoFilter(lambda message_id: gateway.on_echo(customer, message_id))
        self.is_followed = False
        self.sending = 0
        self.is_joined = False
        self.joined = asyncio.Event()
        self._is_announced = False
        self._turn = gateway.turns[customer]
        self._acknowledged: dict[object, asyncio.Future[None]] = {}
        self._next_at = 0.0
        self._connection = 0

    def join(self) -> None:
        """Join the topic soon, and again after each failure, while it is needed."""
        self._gateway.call_later(0.005, self._join)

    def _join(self) -> None:
        gateway, application = self._gateway, self._gateway.application
        if self.is_joined or not self.is_needed or gateway.is_dead:
            return
        if application.is_down:
            self.unavailable()
            gateway.call_later(REJOIN_S, self._join)
            return
        application.topics.setdefault(self.customer, []).append(self)
        self.is_joined = True
        self.joined.set()
        self._is_announced = False
        self._pass_on(TopicJoined(gateway.clock.now()))

    @property
    def is_needed(self) -> bool:
        return self.is_followed or self.sending > 0

    def leave(self) -> None:
        """Leave the topic; what has come is still passed on."""
        members = self._gateway.application.topics.get(self.customer, [])
        if self in members:
            members.remove(self)
        self.is_joined = False
        self.joined.clear()

    def lost(self) -> None:
        """The connection is lost: join again."""
        self.is_joined = False
        self.joined.clear()
        self._connection += 1

        def lost() -> None:
            if not self.is_joined:
                self.unavailable()

        self._gateway.call_later(INTERRUPTION_S, lost)
        self._gateway.call_later(0.2, self._join)

    def unavailable(self) -> None:
        """Announce once that the topic cannot be used."""
        if self.is_followed and not self._is_announced:
            self._is_announced = True
            self._pass_on(TopicUnavailable("unreachable"))

    def announce(self) -> None:
        """Announce its availability to who follows it from now on."""
        if self.is_joined:
            self._pass_on(TopicJoined(was_joined=True))

    def arrive(self, event: str, payload: Any) -> None:
        """Receive an event from the topic, after the earlier ones."""
        loop, connection = asyncio.get_running_loop(), self._connection
        self._next_at = max(loop.time() + self._gateway.latency(), self._next_at)

        def receive() -> None:
            if connection == self._connection:
                self._gateway.receive(lambda: self._read(event, payload))

        loop.call_at(self._next_at, receive)

    def _read(self, event: str, payload: Any) -> None:
        for inbound in self._gateway.events.read(self.echoes, event, payload):
            self._pass_on(inbound)

    def _pass_on(self, event: InboundEvent) -> None:
        async def handle() -> None:
            async with self._turn:
                await self._gateway.on_event(self.customer, event)

        self._gateway.start(handle())

    async def send(self, body: dict[str, object]) -> None:
        """Send a message, and wait until it is acknowledged. Raises: BridgeUnavailable."""
        gateway, loop = self._gateway, asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()

        def acknowledge() -> None:
            if not done.done():
                done.set_result(None)

        body = {**body, "origin": ORIGIN}
        self.echoes.sent(body, loop.time() + 30.0, acknowledge)
        self._acknowledged[body["messageId"]] = done
        gateway.call_later(gateway.latency(), lambda: gateway.application.accept(self, body))
        expiry = gateway.call_later(ANSWER_S, lambda: done.done() or done.cancel())
        try:
            await done
        except asyncio.CancelledError:
            if done.cancelled():
                raise BridgeUnavailable("no answer") from None
            raise
        finally:
            expiry.cancel()
            self._acknowledged.pop(body["messageId"], None)

    def replied(self, body: dict[str, object]) -> None:
        """Receive the reply to a message."""

        def receive() -> None:
            done = self._acknowledged.get(body["messageId"])
            if done is not None and not done.done():
                done.set_result(None)

        asyncio.get_running_loop().call_later(
            self._gateway.latency(), lambda: self._gateway.receive(receive)
        )


class SimulatedGateway(LiveChatGateway, LiveChatTopics, HealthCheck, Lifecycle):
    """The live chats of one node."""

    is_dead = False

    def __init__(
        self,
        application: PlainApplication,
        random: Random,
        clock: "NodeClock",
        lingers: Callable[[Customer], bool],
    ) -> None:
        self.application = application
        self.events = ChatEvents()
        self.clock = clock
        self.receive, self.call_later = clock.receive, clock.call_later
        self._random = random
        self._lingers = lingers
        self._chats: dict[Customer, Chat] = {}
        self.turns: defaultdict[Customer, asyncio.Lock] = defaultdict(asyncio.Lock)
        """Each is held while an event of the customer's is handled."""
        self._tasks: set[asyncio.Task[None]] = set()
        self.on_event: OnInboundEvent
        self.on_echo: OnEcho = lambda customer, message_id: None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.end()

    def latency(self) -> float:
        """Return the time that a message takes."""
        return self._random.uniform(0.001, 0.01)

    def end(self) -> None:
        """Close all connections for ever."""
        self.is_dead = True
        for chat in self._chats.values():
            chat.leave()

    def start(self, work: Any) -> None:
        """Run a coroutine as a task."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def followed(self) -> set[Customer]:
        """The customers whose topics are followed."""
        return {customer for customer, chat in self._chats.items() if chat.is_followed}

    def hears(self, customer: Customer) -> bool:
        """Return True if what is said on the customer's topic reaches this node's inbox."""
        chat = self._chats.get(customer)
        return chat is not None and chat.is_followed and chat.is_joined and not self.is_dead

    def listen(self, on_event: OnInboundEvent, on_echo: OnEcho) -> None:
        self.on_event, self.on_echo = on_event, on_echo

    def follow(self, customer: Customer) -> None:
        chat = self._chat(customer)
        if not chat.is_followed:
            chat.is_followed = True
            chat.announce()

    def unfollow(self, customer: Customer) -> None:
        chat = self._chats.get(customer)
        if chat is not None:
            chat.is_followed = False
            self._leave_unneeded(chat)

    def is_joined(self, customer: Customer) -> bool:
        chat = self._chats.get(customer)
        return chat is not None and chat.is_joined

    def show_typing(self, customer: Customer) -> None:
        pass

    def show_presence(self, customer: Customer, online: bool) -> None:
        pass

    async def relay(self, notice: Notice) -> None:
        chat = self._chat(notice.customer)
        chat.sending += 1
        try:
            if not chat.is_joined:
                await self._wait(chat)
            await chat.send(body_of(notice))
        finally:
            if self._lingers(notice.customer):
                self.call_later(LINGER_S, lambda: self._sent(chat))
            else:
                self._sent(chat)

    async def prepare(self, customer: Customer) -> None:
        chat = self._chat(customer)
        chat.sending += 1
        try:
            if not chat.is_joined:
                await self._wait(chat)
        except BridgeUnavailable:
            pass
        finally:
            self._sent(chat)

    def announces(self, customer: Customer, addition: str) -> bool:
        return addition in ("missed", "confirmation", "rating")

    async def _wait(self, chat: Chat) -> None:
        try:
            async with asyncio.timeout(ANSWER_S):
                await chat.joined.wait()
        except TimeoutError:
            raise BridgeUnavailable("not joined") from None

    def _sent(self, chat: Chat) -> None:
        chat.sending -= 1
        self._leave_unneeded(chat)

    def _chat(self, customer: Customer) -> Chat:
        chat = self._chats.get(customer)
        if chat is None:
            chat = self._chats[customer] = Chat(self, customer)
            chat.join()
        return chat

    def _leave_unneeded(self, chat: Chat) -> None:
        if not chat.is_needed and self._chats.get(chat.customer) is chat:
            del self._chats[chat.customer]
            chat.leave()


class SimulatedHttp(Lifecycle):
    """One node's HTTP client of the bridge."""

    is_away = False

    def __init__(
        self, application: PlainApplication, wait: Callable[[float], Any], random: Random
    ) -> None:
        self._application = application
        self._wait = wait
        self._random = random

    async def back(self) -> None:
        pass

    async def send(self, method: str, path: str, body: object, *, key: str) -> None:
        """Send a notice. Raises: BridgeUnavailable."""
        application = self._application
        await self._wait(self._random.uniform(0.001, 0.02))
        if application.is_down:
            raise BridgeUnavailable("down")
        if application.refusing > 0:
            application.refusing -= 1
            raise BridgeUnavailable("refused")
        application.requests.append(key)
        if application.hanging > 0:
            application.hanging -= 1
            await self._wait(ANSWER_S)
            raise BridgeUnavailable("no answer")
        await self._wait(self._random.uniform(0.001, 0.02))
