"""The parts around the simulated nodes, which fail by a seed: network, store, leases, AI, bridge."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any, Self

from adapters.broker.channels import ChannelListener, Channels
from adapters.memory.leases import MemoryLeases
from application.ports import (
    AnswerWriter,
    Assistant,
    Bridge,
    Clock,
    InboundMessage,
    Leases,
    LiveChatGateway,
    OnEcho,
    OnInboundEvent,
    SummaryResult,
    Timer,
    Toolbox,
    TopicJoined,
)
from domain.errors import AssistantFailed, BridgeUnavailable, LeasesUnavailable
from domain.identity import Customer, MessageId
from domain.message import Author, StatusChange
from domain.notice import LiveChatMessagePosted, Notice
from domain.session import Draft
from domain.usage import Usage
from domain.view import View
from tests.support.clock import VirtualClock
from tests.support.faults import FaultyStore


class NodeClock(Clock):
    """A node's clock: once the node is dead, no timer fires and no sleep ends."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.is_dead = False

    def now(self) -> datetime:
        return self._clock.now()

    def wall(self) -> datetime:
        return self._clock.wall()

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Timer:
        return self._clock.call_later(delay_s, lambda: None if self.is_dead else callback())

    async def sleep(self, delay_s: float) -> None:
        await self._clock.sleep(delay_s)
        await self.pause_if_dead()

    async def pause_if_dead(self) -> None:
        """Never return, if the node is dead."""
        if self.is_dead:
            await asyncio.Event().wait()


@dataclass
class NetworkFaults:
    """The shares of the messages that suffer, and the longest delay of one."""

    lost: float = 0.0
    doubled: float = 0.0
    late: float = 0.0
    """Overtaken by others, by up to 300 ms."""
    latency_s: float = 0.005


class Network:
    """Channels between nodes, in virtual time."""

    def __init__(self, clock: VirtualClock, random: Random) -> None:
        self.clock = clock
        self.random = random
        self.faults = NetworkFaults()
        self.ends: list[SimulatedChannels] = []

    def carry(self, channel: str, message: bytes) -> None:
        """Pass a message on to all ends that have subscribed."""
        for end in list(self.ends):
            if channel not in end.subscribed:
                continue
            faults, random = self.faults, self.random
            if random.random() < faults.lost and b'"beat"' not in message:
                continue
            times = 2 if random.random() < faults.doubled else 1
            for _ in range(times):
                late = random.random() < faults.late
                delay_s = random.random() * (0.3 if late else faults.latency_s)
                # Without a fault the messages of a connection arrive in order.
                if not late:
                    end.last_at = max(end.last_at, self.clock.monotonic() + delay_s)
                    delay_s = end.last_at - self.clock.monotonic()
                self._deliver(end, channel, message, delay_s)

    def _deliver(
        self, end: "SimulatedChannels", channel: str, message: bytes, delay_s: float
    ) -> None:
        connection = end.connection

        def arrive() -> None:
            if end.connection == connection and channel in end.subscribed:
                end.listener.on_message(channel, message)

        self.clock.call_later(delay_s, arrive)


class SimulatedChannels(Channels):
    """One node's end of the network."""

    listener: ChannelListener

    def __init__(self, network: Network) -> None:
        self._network = network
        self._wanted: dict[str, None] = {}
        self.subscribed: dict[str, None] = {}
        self.connection = 0
        """Counts the connections; what is under way on an earlier one is lost."""
        self.is_cut = False
        self.is_dead = False
        self.last_at = 0.0
        network.ends.append(self)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.die()

    def listen(self, listener: ChannelListener) -> None:
        self.listener = listener

    def subscribe(self, channel: str) -> None:
        self._wanted[channel] = None
        if not self.is_cut:
            self._confirm(channel)

    def _confirm(self, channel: str) -> None:
        connection = self.connection

        def confirm() -> None:
            if self.connection == connection and channel in self._wanted and not self.is_cut:
                self.subscribed[channel] = None
                self.listener.on_subscribed(channel)

        self._network.clock.call_later(self._network.faults.latency_s, confirm)

    def unsubscribe(self, channel: str) -> None:
        self._wanted.pop(channel, None)
        self.subscribed.pop(channel, None)

    def publish(self, channel: str, message: bytes) -> bool:
        if self.is_cut or self.is_dead:
            return False
        self._network.carry(channel, message)
        return True

    def reconnect(self) -> None:
        pass

    def cut(self) -> None:
        """Lose everything, without noticing: the connection is half open."""
        self.is_cut = True
        self.connection += 1
        self.subscribed.clear()

    def restore(self) -> None:
        """Notice the loss, and connect again."""
        if self.is_cut and not self.is_dead:
            self.is_cut = False
            self.listener.on_lost()
            for channel in self._wanted:
                self._confirm(channel)

    def die(self) -> None:
        """Never carry anything again."""
        self.is_dead = self.is_cut = True
        self.connection += 1
        self.subscribed.clear()
        if self in self._network.ends:
            self._network.ends.remove(self)


class RecordingStore(FaultyStore):
    """The shared store; it records when each conversation changed hands."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock
        self.changes: defaultdict[str, list[tuple[float, int]]] = defaultdict(list)
        """By session: the time at which an epoch began, and the epoch."""
        self.lost_answers: set[str] = set()
        """The sessions with a change whose writer does not know that it was stored."""

    async def append(self, draft: Draft, due_at: datetime | None) -> None:
        appended = False
        try:
            await super().append(draft, due_at)
            appended = True
        finally:
            session = draft.session
            stored = await self.page_of(draft)
            for entry in draft.entries:
                if isinstance(entry, StatusChange) and entry.changes_owner and stored:
                    self.changes[session.session_id].append((self._clock.monotonic(), entry.epoch))
                    if not appended:
                        self.lost_answers.add(session.session_id)

    async def page_of(self, draft: Draft) -> bool:
        """Return True if the draft's entries are in the log."""
        first = draft.entries[0]
        page = await super(FaultyStore, self).page(
            draft.session.session_id, after=first.seq - 1, limit=1
        )
        return page == (first,)


class MortalStore:
    """A node's access to the store: calls of a dead node never return."""

    def __init__(self, store: RecordingStore, clock: NodeClock) -> None:
        self._store = store
        self._clock = clock

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        async def call(*given: Any, **named: Any) -> Any:
            await self._clock.pause_if_dead()
            result = await method(*given, **named)
            await self._clock.pause_if_dead()
            return result

        return call


class FailingLeases(Leases):
    """Leases that are away for a share of the calls."""

    def __init__(self, clock: VirtualClock, random: Random) -> None:
        self._leases = MemoryLeases(clock.monotonic)
        self._random = random
        self.failing = 0.0

    async def claim(self, name: str, holder: str, ttl_s: float) -> bool:
        self._fail()
        return await self._leases.claim(name, holder, ttl_s)

    async def release(self, name: str, holder: str) -> None:
        self._fail()
        await self._leases.release(name, holder)

    def _fail(self) -> None:
        if self._random.random() < self.failing:
            raise LeasesUnavailable("as told")


@dataclass
class Models:
    """All calls of the model, of all nodes."""

    random: Random
    calls: dict[Customer, int] = field(default_factory=dict)
    """The calls under way of each customer."""
    most: dict[Customer, int] = field(default_factory=dict)
    written: dict[Customer, str] = field(default_factory=dict)
    """What the newest call has written so far."""
    total: int = 0


class SimulatedAssistant(Assistant):
    """A model that writes, thinks, fails, hangs or asks for a human at random, by a seed."""

    def __init__(self, models: Models, clock: NodeClock) -> None:
        self._models = models
        self._clock = clock

    async def answer(self, view: View, toolbox: Toolbox, writer: AnswerWriter) -> Usage | None:
        models, customer = self._models, view.session.customer
        models.total += 1
        call = models.total
        random = Random(models.random.random())
        models.calls[customer] = models.calls.get(customer, 0) + 1
        models.most[customer] = max(models.most.get(customer, 0), models.calls[customer])
        try:
            await self._write(f"R{call}", random, customer, toolbox, writer)
        finally:
            if not self._clock.is_dead:
                models.calls[customer] -= 1
        return None

    async def _write(
        self, name: str, random: Random, customer: Customer, toolbox: Toolbox, writer: AnswerWriter
    ) -> None:
        pause_s = random.choice([0.01, 0.05, 0.3])
        mood = random.choices(["answers", "fails", "starts over", "transfers", "hangs"],
                              weights=[14, 1, 1, 1, 1])[0]  # fmt: skip
        text = ""
        for number in range(random.choice([2, 8, 25])):
            piece = f"{name} cuvântul {number} "
            writer(piece)
            text += piece
            self._models.written[customer] = text
            await self._clock.sleep(pause_s)
            if number == 1:
                if mood == "fails":
                    raise AssistantFailed
                if mood == "starts over":
                    writer.restart()
                    text = ""
                if mood == "transfers":
                    await toolbox.transfer_to_live_chat("user_request", "")
                if mood == "hangs":
                    await self._clock.sleep(1_000.0)

    async def summarise(self, *given: Any, **named: Any) -> SummaryResult:
        return SummaryResult("Rezumat.")


class SimulatedBridge:
    """An ordinary application with topics: it broadcasts texts, without ids and times."""

    def __init__(self, clock: VirtualClock, random: Random) -> None:
        self.clock = clock
        self.random = random
        self.ends: list[BridgeEnd] = []
        self.failing = 0.0
        self.words: list[str] = []
        """The user's words, each when it first came."""
        self.notices: list[Notice] = []
        """All that was delivered, each when it first came."""
        self._known: set[str] = set()

    def receive(self, notice: Notice) -> bool:
        """Take a notice; False: it has come before."""
        if notice.notice_id in self._known:
            return False
        self._known.add(notice.notice_id)
        self.notices.append(notice)
        return True

    def broadcast(
        self, customer: Customer, author: Author, text: str, sender: "BridgeEnd | None" = None
    ) -> list["BridgeEnd"]:
        """Pass a text on to all that have joined; return those who get it as somebody else's."""
        receivers = []
        for end in list(self.ends):
            if customer in end.joined and end is not sender:
                end.receive(customer, InboundMessage(author=author, text=text))
                receivers.append(end)
        return receivers


class BridgeEnd(LiveChatGateway, Bridge):
    """One node's connection to the bridge."""

    def __init__(self, bridge: SimulatedBridge, clock: NodeClock) -> None:
        self._bridge = bridge
        self._clock = clock
        self.joined: set[Customer] = set()
        self._followed: set[Customer] = set()
        self._queues: dict[Customer, asyncio.Queue[Any]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._on_event: OnInboundEvent
        self._on_echo: OnEcho
        bridge.ends.append(self)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.die()

    def die(self) -> None:
        """Leave all topics."""
        self.joined.clear()
        if self in self._bridge.ends:
            self._bridge.ends.remove(self)

    @property
    def is_away(self) -> bool:
        return False

    @property
    def acknowledges(self) -> bool:
        return True

    def listen(self, on_event: OnInboundEvent, on_echo: OnEcho) -> None:
        self._on_event, self._on_echo = on_event, on_echo

    def follow(self, customer: Customer) -> None:
        if customer in self._followed:
            return
        self._followed.add(customer)

        def join() -> None:
            if customer in self._followed and self in self._bridge.ends:
                self.joined.add(customer)
                self._put(customer, TopicJoined())

        self._clock.call_later(0.02, join)

    def unfollow(self, customer: Customer) -> None:
        self._followed.discard(customer)
        self.joined.discard(customer)

    def is_joined(self, customer: Customer) -> bool:
        return customer in self.joined

    def show_typing(self, customer: Customer) -> None:
        pass

    def receive(self, customer: Customer, message: InboundMessage) -> None:
        """Pass a broadcast on, in a moment."""
        delay_s = self._bridge.random.choice([0.001, 0.01, 0.1])
        self._clock.call_later(delay_s, lambda: self._put(customer, message))

    def _put(self, customer: Customer, event: Any) -> None:
        queue = self._queues.get(customer)
        if queue is None:
            queue = self._queues[customer] = asyncio.Queue()
            self._tasks.append(asyncio.create_task(self._handle(customer, queue)))
        queue.put_nowait(event)

    async def _handle(self, customer: Customer, queue: "asyncio.Queue[Any]") -> None:
        while True:
            await self._on_event(customer, await queue.get())

    async def wait_until_back(self) -> None:
        pass

    async def deliver(self, notice: Notice) -> None:
        await self._clock.sleep(self._bridge.random.choice([0.005, 0.05]))
        fate = self._bridge.random.random()
        if fate < self._bridge.failing / 2:
            raise BridgeUnavailable("as told")
        is_new = self._bridge.receive(notice)
        content = notice.content
        if isinstance(content, LiveChatMessagePosted) and is_new:
            self._bridge.words.append(content.message_id)
            self._bridge.broadcast(notice.customer, Author.USER, content.text, self)
            if notice.customer in self.joined:
                self._on_echo(notice.customer, MessageId(content.message_id))
        if fate < self._bridge.failing:
            raise BridgeUnavailable("as told, after the work")
