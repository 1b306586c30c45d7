"""The whole application in one event loop: real use cases, adapters in memory, virtual time.

    assistant = ScriptedSteps(["Da, ", PAUSE, "sigur."])
    async with harness(assistant) as app:
        user = app.user("b1", "u1")
        await user.join()
        await user.say("Bună!")
        await app.clock.advance(0.3)
        assistant.go()
        await app.settle()
        assert user.words == ["Da, sigur."]

`app.another()` is a second process over the same store. Everything is wired by the product's own
container, with its clock, its ids and what the test gives replaced.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from adapters.memory.broker import NoBroker
from adapters.memory.store import MemoryStore
from adapters.prometheus import Metrics
from application.answer_stream import AnswerFollower
from application.deliver_outbox import FLUSH_S
from application.hub import Hub
from application.join import Joined, ResumePosition
from application.ports import (
    AnswerSoFar,
    Appended,
    Assistant,
    Bridge,
    Broker,
    Businesses,
    BusinessTools,
    Delta,
    EndedTurn,
    Event,
    Knowledge,
    Leases,
    LiveChatGateway,
    Missed,
    Presence,
    Typing,
)
from application.post_message import PostedMessage
from application.read_history import PAGE
from application.subscription import Subscription
from application.transfers import PostedCoordinatorMessage
from domain.identity import CoordinatorId, Customer, LocationId, MessageId, SessionId, customer
from domain.message import Author, Entry, Message, StatusChange
from domain.session import Session
from domain.status import Status
from entrypoints.server.container import Container
from entrypoints.settings import Settings
from tests.support.assistants import ScriptedSteps
from tests.support.broker import Network
from tests.support.businesses import demo_businesses
from tests.support.clock import CountedIds, VirtualClock, settle
from tests.support.gateway import MemoryGateway

LOCATION = LocationId("l1")


class Recorder(Metrics):
    """The product's own observer, which also remembers each turn's end."""

    def __init__(self) -> None:
        super().__init__()
        self.outcomes: list[str] = []
        self.seconds: list[float] = []
        self.first_token_s: list[float | None] = []
        self.errors: list[BaseException | None] = []

    def turn_ended(self, turn: EndedTurn) -> None:
        super().turn_ended(turn)
        self.outcomes.append(turn.outcome)
        self.seconds.append(turn.seconds)
        self.first_token_s.append(turn.first_token_s)
        self.errors.append(turn.error)


class User:
    """One client of a customer: it sends, and records everything that it receives."""

    def __init__(self, app: "App", who: Customer, *, stream: bool = False) -> None:
        self._app = app
        self._stream = AnswerFollower(who, app.hub, app.clock) if stream else None
        self._follower: Subscription | None = None
        self.customer = who
        self.session_id: SessionId | None = None
        self.log: list[Entry] = []
        """The entries of its session, in the order in which it received them."""
        self.received: list[tuple[SessionId, Entry]] = []
        """The entries that were pushed to it, of whatever session."""
        self.deltas: list[Delta] = []
        self.pieces: list[tuple[MessageId, int, str]] = []
        """What it was shown of answers in the making: id, index, text."""
        self.typing: list[Typing] = []

    @property
    def preview(self) -> str:
        """The text that it shows of the answer in the making, or of the last one."""
        first = max(number for number, piece in enumerate(self.pieces) if piece[1] == 0)
        return "".join(text for _, _, text in self.pieces[first:])

    @property
    def messages(self) -> list[Message]:
        """The messages of `log`."""
        return [entry for entry in self.log if isinstance(entry, Message)]

    @property
    def words(self) -> list[str]:
        """The texts of all messages that it received, but the user's own."""
        return [message.text for message in self.messages if message.author is not Author.USER]

    @property
    def changes(self) -> list[StatusChange]:
        """The status changes of `log`."""
        return [entry for entry in self.log if isinstance(entry, StatusChange)]

    @property
    def seqs(self) -> list[int]:
        """The seqs of `log`: 1, 2, 3, … for a client that has missed and doubled nothing."""
        return [entry.seq for entry in self.log]

    async def join(self, place: ResumePosition | None = None) -> Joined:
        """Join, and receive what follows. Raises: StorageUnavailable."""
        joined = await self.begin_to_join(place)
        self.start(joined)
        return joined

    async def rejoin(self) -> Joined:
        """Join with the position up to which it has everything."""
        return await self.join(ResumePosition(self.log[-1].seq if self.log else 0, self.session_id))

    async def begin_to_join(self, place: ResumePosition | None = None) -> Joined:
        """Subscribe and read; `start` follows, as when the reply is in transit."""
        self._follower = Subscription(
            self.customer,
            hub=self._app.hub,
            session_log=self._app.session_log,
            store=self._app.store,
            clock=self._app.clock,
            on_entry=self._deliver,
            on_other=self._pass_on,
            origin=self,
        )
        return await self._app.join(self.customer, self._follower, place)

    def start(self, joined: Joined) -> None:
        """Process the join's reply, and receive what follows."""
        assert self._follower is not None
        session = joined.session
        self._enter(session.session_id if session is not None else None)
        self.log.extend(joined.page.entries)
        self._follower.start(session)
        if self._stream is not None:
            self._stream.skip(joined.recent)
            self._stream.start(needs_answer=session is not None and session.needs_answer)

    def leave(self) -> None:
        """Disconnect."""
        if self._follower is not None:
            self._follower.stop()

    async def say(self, text: str, message_id: str | None = None) -> PostedMessage:
        """Send a message. Raises: StorageUnavailable."""
        key = MessageId(message_id) if message_id is not None else None
        return await self._app.post(self.customer, LOCATION, text, key, origin=self)

    async def ask_for_human(
        self, text: str | None = None, message_id: str | None = None
    ) -> Session:
        """Ask for a human. Raises: StorageUnavailable."""
        key = MessageId(message_id) if message_id is not None else None
        request = self._app.transfers.request
        return await request(self.customer, LOCATION, text, key, origin=self)

    async def end_live_chat(self) -> Session:
        """Cancel the transfer or end the live chat. Raises: NotInLiveChat, StorageUnavailable."""
        return await self._app.transfers.end(self.customer)

    def _enter(self, session_id: SessionId | None) -> None:
        if session_id != self.session_id:
            self.session_id = session_id
            self.log = []

    def _deliver(self, session_id: SessionId, entry: Entry) -> None:
        self._enter(session_id)
        self.received.append((session_id, entry))
        self.log.append(entry)
        if self._stream is not None:
            self._stream.on_entry(entry)

    def _pass_on(self, event: Event) -> None:
        if self._stream is not None:
            if isinstance(event, Delta | AnswerSoFar):
                shown = self._stream.show(event)
                if shown is not None:
                    self.pieces.append((event.response_id, *shown))
            elif isinstance(event, Missed):
                self._stream.on_missed()
        if isinstance(event, Delta):
            self.deltas.append(event)
        elif isinstance(event, Typing):
            self.typing.append(event)


class Coordinator:
    """A human agent, who reaches any process."""

    def __init__(self, app: "App", name: str | None) -> None:
        self._app = app
        self._name = CoordinatorId(name) if name is not None else None

    async def change(
        self, session_id: SessionId, to: Status, summary: str | None = None
    ) -> Session:
        """Change the status: `live`, `ai` or `closed`. Raises: Refusal, StorageUnavailable."""
        return await self._app.transfers.change(session_id, to, self._name, summary)

    async def take_over(self, user: User) -> Session:
        """Take over the user's conversation."""
        return await self.change(await self._app.session_id(user.customer), Status.LIVE)

    async def give_back(self, user: User) -> Session:
        """Return the user's conversation to the AI."""
        return await self.change(await self._app.session_id(user.customer), Status.AI)

    async def close(self, user: User) -> Session:
        """Close the user's conversation."""
        return await self.change(await self._app.session_id(user.customer), Status.CLOSED)

    async def speak(
        self, user: User, text: str, message_id: str | None = None
    ) -> PostedCoordinatorMessage:
        """Post a message. Raises: SessionClosed, StorageUnavailable."""
        key = MessageId(message_id) if message_id is not None else None
        return await self._app.transfers.post_coordinator_message(
            user.customer, text, self._name, key
        )


class App:
    """One process of the application."""

    def __init__(
        self,
        assistant: Assistant,
        store: MemoryStore,
        *,
        clock: VirtualClock,
        hub: Hub | None,
        businesses: Businesses | None,
        bridge: Bridge | None,
        settings: Settings,
        process: int,
        network: Network | None = None,
        broker: Broker | None = None,
        leases: Leases | None = None,
        gateway: LiveChatGateway | None = None,
        presence: Presence | None = None,
        knowledge: Knowledge | None = None,
        tools: BusinessTools | None = None,
    ) -> None:
        """`hub`: None for one of the product's own, over `broker`."""
        container = self._container = Container(settings=settings)
        container.clock.override(clock)
        container.new_id.override(CountedIds(process))
        container.store.override(store)
        container.assistant.override(assistant)
        if broker is not None:
            container.broker.override(broker)
        if hub is not None:
            container.hub.override(hub)
        self.network = network
        if network is not None:
            leases = network.leases
        if leases is not None:
            container.leases.override(leases)
        self.observer = Recorder()
        container.metrics.override(self.observer)
        self._businesses = businesses
        if businesses is not None:
            container.businesses.override(businesses)
        self._presence = presence
        container.presence.override(presence)
        self._tools = tools
        container.business_tools.override(tools)
        self._knowledge = knowledge
        if knowledge is not None:
            container.knowledge.override(knowledge)
        self.gateway = MemoryGateway()
        container.elixir_socket.override(gateway or self.gateway)
        if bridge is not None:
            container.bridge.override(bridge)
            container.jitter.override(lambda: 1.0)
        self._settings = settings
        self._processes_begun = process
        self.assistant = assistant
        self.store = store
        self.clock = clock
        self.hub = container.hub()
        self.policy = container.policy()
        self.session_log = container.session_log()
        self.turns = container.turns()
        self.day_counts = container.day_counts()
        self.outcomes = container.outcomes()
        self.usage_tracker = container.usage_tracker()
        self.join = container.join()
        self.history = container.read_history()
        self.post = container.post()
        self.transfers = container.transfers()
        self.suggest_reply = container.suggest_reply()
        self.privacy = container.privacy()
        self.sweep = container.sweep()
        self.confirmations = container.confirmations()
        self.rate = container.rate()
        self.sign_in = container.sign_in()
        self._bridge = bridge
        self._delivering: asyncio.Task[None] | None = None

    def another(
        self,
        *,
        assistant: Assistant | None = None,
        hub: Hub | None = None,
        businesses: Businesses | None = None,
        bridge: Bridge | None = None,
        clock: VirtualClock | None = None,
    ) -> "App":
        """Return another process on the same store and clock, with a fan-out of its own."""
        self._processes_begun += 1
        return App(
            assistant or self.assistant,
            self.store,
            clock=clock or self.clock,
            hub=hub or _hub(self.network),
            businesses=businesses or self._businesses,
            bridge=bridge or self._bridge,
            settings=self._settings,
            process=self._processes_begun,
            network=self.network,
            presence=self._presence,
            knowledge=self._knowledge,
            tools=self._tools,
        )

    def user(self, business_id: str = "b1", user_id: str = "u1", *, stream: bool = False) -> User:
        """Return a new client of a customer, not joined yet.

        `stream`: it is shown the answers as they are written.
        """
        return User(self, customer(business_id, user_id), stream=stream)

    def coordinator(self, name: str | None = "ana") -> Coordinator:
        """A human agent."""
        return Coordinator(self, name)

    def deliver(self) -> None:
        """Start the delivery of the outbox."""
        self._delivering = asyncio.create_task(self.run_delivery())

    async def run_delivery(self) -> None:
        """Deliver the outbox until cancelled. Raises: StorageUnavailable."""
        await asyncio.gather(*(each.run() for each in self._container.deliveries()))

    async def stop_delivering(self) -> None:
        """Stop the delivery, which finishes what is in progress within FLUSH_S."""
        if self._delivering is not None:
            self._delivering.cancel()
            await self.clock.advance(FLUSH_S)
            await asyncio.wait({self._delivering})

    async def vanish(self) -> None:
        """End the process as by `kill -9`: the calls that it makes have no outcome."""
        calls = self.turns.answer_pending.write_calls
        assert calls is not None
        for task in list(calls._running):
            task.cancel()
        await self.turns.stop()

    async def die(self) -> None:
        """End the process; what it was doing is lost."""
        await self.turns.stop()

    async def settle(self) -> None:
        """Run everything that can run without time passing."""
        await settle()

    async def quiet(self) -> None:
        """Advance the time by the quiet window, so that a turn starts, and run everything."""
        await self.clock.advance(self.policy.turn_quiet_s)

    async def session_id(self, who: Customer) -> SessionId:
        """Return the id of the customer's newest session."""
        return (await self.head(who)).session_id

    async def head(self, who: Customer) -> Session:
        """Return the customer's newest session as it is stored."""
        loaded = await MemoryStore.latest(self.store, who)
        assert loaded is not None, f"{who} has no session"
        return loaded.session

    async def stored(self, who: Customer) -> list[Entry]:
        """Return the log of the customer's newest session as stored; empty if there is none."""
        loaded = await MemoryStore.latest(self.store, who)
        if loaded is None:
            return []
        entries: list[Entry] = []
        while page := await MemoryStore.page(
            self.store, loaded.session.session_id, after=len(entries), limit=PAGE
        ):
            entries.extend(page)
        return entries

    async def texts(self, who: Customer, *authors: Author) -> list[str]:
        """Return the texts of these authors in the newest session, as stored."""
        return [
            entry.text
            for entry in await self.stored(who)
            if isinstance(entry, Message) and entry.author in authors
        ]

    def listen(self, who: Customer) -> list[Event]:
        """Return the list that receives all events of the customer from now on."""
        heard: list[Event] = []
        self.hub.subscribe(who, heard.append)
        return heard


def appended(heard: list[Event]) -> list[Entry]:
    """Return the entries among the events."""
    return [entry for event in heard if isinstance(event, Appended) for entry in event.entries]


def _hub(network: Network | None) -> Hub:
    return Hub(network.join() if network is not None else NoBroker())


@asynccontextmanager
async def harness(
    assistant: Assistant | None = None,
    store: MemoryStore | None = None,
    *,
    clock: VirtualClock | None = None,
    hub: Hub | None = None,
    businesses: Businesses | None = None,
    bridge: Bridge | None = None,
    network: Network | None = None,
    presence: Presence | None = None,
    knowledge: Knowledge | None = None,
    tools: BusinessTools | None = None,
    **settings: Any,
) -> AsyncIterator[App]:
    """Run one process with the given parts, and fresh defaults for the rest; stop it at the end.

    `bridge`: then there is one, and `deliver` tells it what it must be told.
    `network`: between this process and the others that are made of it.
    `settings`: fields of `Settings`, such as `turn_quiet_ms=0`.
    """
    if bridge is not None:
        settings["bridge"] = "elixir"
    businesses = businesses or demo_businesses()
    app = App(
        assistant or ScriptedSteps(),
        store or MemoryStore(),
        clock=clock or VirtualClock(),
        hub=hub or _hub(network),
        businesses=businesses,
        bridge=bridge,
        settings=Settings(store="memory", broker="redis" if network else "none", **settings),
        process=1,
        network=network,
        presence=presence,
        knowledge=knowledge,
        tools=tools,
    )
    yield app
    await app.stop_delivering()
    await app.turns.stop()
