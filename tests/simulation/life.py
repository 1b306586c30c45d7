"""One life: a few customers on a few nodes, under a workload's faults, and the rules at its end.

A life follows from its workload and its seed alone. Its steps are drawn beforehand, each with a
random generator of its own, so that a part of them can be lived again without the others.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple, cast

from dependency_injector import providers

from adapters.broker.channels import ChannelBroker
from application.answer_stream import AnswerFollower
from application.join import ResumePosition
from application.ports import AnswerSoFar, Delta, Event, Missed, StopRequested
from application.subscription import Subscription
from domain.errors import ConversationError
from domain.identity import CoordinatorId, Customer, LocationId, MessageId, SessionId, customer
from domain.message import Author, Entry, Message, StatusChange
from domain.session import Session
from domain.status import Status
from entrypoints.server.app import _running
from entrypoints.server.container import Container
from entrypoints.settings import Settings
from tests.simulation.parts import (
    BridgeEnd,
    FailingLeases,
    Models,
    MortalStore,
    Network,
    NetworkFaults,
    NodeClock,
    RecordingStore,
    SimulatedAssistant,
    SimulatedBridge,
    SimulatedChannels,
)
from tests.support.clock import CountedIds, VirtualClock, settle

CUSTOMERS = (customer("b1", "ana"), customer("b1", "dan"), customer("b2", "ana"))
L1 = LocationId("l1")
SETTINGS = Settings(
    store="memory",
    broker="redis",
    bridge="elixir",
    turn_quiet_ms=100,
    turn_timeout_s=20.0,
    transfer_timeout_s=40.0,
    session_idle_s=600.0,
    sweep_interval_s=2.0,
    elixir_timeout=500,
    elixir_retry_attempts=1,
)
SHOWN_S, SHOWN_UNHEARD_S = 0.1, 2.0
"""The longest time after a takeover in which a piece is shown, with hints and without."""
HEALED_S = 120.0


@dataclass(frozen=True, kw_only=True)
class Workload:
    """The kind of a life: what people do, and what fails."""

    name: str
    steps: int = 40
    nodes: int = 3
    faults: NetworkFaults = field(default_factory=NetworkFaults)
    weights: dict[str, int] = field(default_factory=dict)
    """How often each step is drawn."""
    pauses: tuple[float, ...] = (0.0, 0.01, 0.05, 0.3, 0.3, 1.0, 4.0)
    failing_leases: float = 0.0
    failing_bridge: float = 0.0

    @property
    def hints_are_intact(self) -> bool:
        """True if no hint is lost or late."""
        return not (self.faults.lost or self.faults.late or "cut" in self.weights)


PEOPLE = {"say": 8, "join": 5, "move": 3, "leave": 1}
WORKLOADS = {
    each.name: each
    for each in [
        Workload(name="talk", weights={**PEOPLE, "take over": 2, "give back": 2, "stop": 1}),
        Workload(
            name="deaths",
            weights={**PEOPLE, "kill": 2, "drain": 1, "take over": 1, "give back": 1, "speak": 1},
        ),
        Workload(
            name="lossy",
            faults=NetworkFaults(lost=0.15, doubled=0.15, late=0.15),
            weights={**PEOPLE, "take over": 3, "give back": 3, "ask": 1, "close": 1},
        ),
        Workload(
            name="cuts",
            weights={**PEOPLE, "cut": 3, "take over": 4, "give back": 3, "ask": 1},
        ),
        Workload(
            name="chats",
            weights={
                **PEOPLE,
                "ask": 4,
                "take over": 4,
                "on topic": 12,
                "cut": 1,
                "kill": 1,
                "say": 10,
                "give back": 2,
                "end": 1,
            },
            failing_bridge=0.2,
        ),
        Workload(
            name="stores",
            weights={
                **PEOPLE,
                "break store": 6,
                "take over": 2,
                "give back": 2,
                "ask": 1,
                "close": 1,
                "end": 1,
            },
        ),
        Workload(
            name="leases",
            weights={**PEOPLE, "kill": 1, "take over": 1, "give back": 1},
            failing_leases=0.3,
        ),
        Workload(
            name="everything",
            nodes=4,
            steps=50,
            faults=NetworkFaults(lost=0.05, doubled=0.05, late=0.05),
            weights={
                **PEOPLE,
                "cut": 1,
                "kill": 1,
                "drain": 1,
                "break store": 2,
                "take over": 3,
                "give back": 2,
                "ask": 2,
                "end": 1,
                "close": 1,
                "speak": 2,
                "on topic": 4,
                "stop": 1,
                "erase": 1,
                "jump": 1,
            },
            failing_leases=0.1,
            failing_bridge=0.1,
        ),
    ]
}


class Violation(AssertionError):
    """A rule that was broken."""


class Step(NamedTuple):
    """A step of a life, drawn beforehand."""

    number: int
    kind: str
    pause_s: float
    seed: int

    def __str__(self) -> str:
        return f"{self.number:3} {self.kind}, then {self.pause_s:g} s"


def drawn(workload: Workload, seed: int) -> list[Step]:
    """Return the steps of a life."""
    random = Random(f"{workload.name} {seed}")
    kinds, weights = zip(*sorted(workload.weights.items()), strict=True)
    return [
        Step(
            number,
            random.choices(kinds, weights)[0],
            random.choice(workload.pauses),
            random.randrange(1 << 30),
        )
        for number in range(workload.steps)
    ]


class Node:
    """One process of the server, as the product wires it."""

    def __init__(self, life: "Life", number: int) -> None:
        self.clock = NodeClock(life.clock)
        self.name = f"n{number}"
        container = self.container = Container(settings=SETTINGS)
        self.channels = SimulatedChannels(life.network)
        self.broker = ChannelBroker(self.name, self.channels, self.clock)
        self.bridge = BridgeEnd(life.bridge, self.clock)
        container.clock.override(self.clock)
        container.new_id.override(CountedIds(number))
        container.jitter.override(lambda: 0.5)
        container.store.override(MortalStore(life.store, self.clock))
        container.leases.override(life.leases)
        container.assistant.override(providers.Object(SimulatedAssistant(life.models, self.clock)))
        container.broker.override(self.broker)
        container.elixir_http.override(providers.Object(None))
        container.elixir_socket.override(self.bridge)
        container.bridge.override(self.bridge)
        container.messages()  # and all that it is made of, as the application does
        self._ending = asyncio.Event()
        self._task = asyncio.create_task(self._live())
        self.is_alive = True

    async def _live(self) -> None:
        async with _running(self.container):
            await self._ending.wait()

    async def end(self) -> None:
        """Stop it as after a drain."""
        self.is_alive = False
        self._ending.set()
        await asyncio.wait({self._task}, timeout=0.001)

    def kill(self) -> None:
        """End it at once: nothing that it was doing goes on."""
        self.is_alive = False
        self.clock.is_dead = True
        self.channels.die()
        self.bridge.die()


class Client:
    """A client of a customer at a node: all that it is shown."""

    def __init__(self, life: "Life", node: Node, who: Customer) -> None:
        self.life = life
        self.node = node
        self.customer = who
        self.session_id: SessionId | None = None
        self.log: list[Entry] = []
        """Of the session that it follows."""
        self.is_joined = False
        self.pieces: list[tuple[float, str, int]] = []
        """When a piece was shown, of which session and epoch."""
        self.shown: dict[MessageId, str] = {}
        wired = node.container
        self._stream = AnswerFollower(who, wired.hub(), node.clock)
        self._subscription = Subscription(
            who,
            hub=wired.hub(),
            session_log=wired.session_log(),
            store=wired.store(),
            clock=node.clock,
            on_entry=self._on_entry,
            on_other=self._on_other,
            origin=self,
        )

    async def join(self, position: ResumePosition | None) -> None:
        """Join; a dead node never answers."""
        joined = await self.node.container.join()(self.customer, self._subscription, position)
        session = joined.session
        self._enter(session.session_id if session is not None else None)
        for entry in joined.page.entries:
            self._take(entry)
        self._subscription.start(session)
        self._stream.start(needs_answer=session is not None and session.needs_answer)
        self.is_joined = True

    def leave(self) -> None:
        """Disconnect."""
        self.is_joined = False
        self._subscription.stop()

    def _enter(self, session_id: SessionId | None) -> None:
        if session_id != self.session_id:
            self.session_id = session_id
            self.log = []

    def _take(self, entry: Entry) -> None:
        if self.log and entry.seq != self.log[-1].seq + 1:
            raise self.life.fail(
                5, f"{self.customer} was shown {entry.seq} after {self.log[-1].seq}"
            )
        self.log.append(entry)
        self._stream.on_entry(entry)
        if isinstance(entry, Message) and entry.author is Author.AI:
            shown = self.shown.pop(entry.message_id, "")
            if not entry.text.startswith(shown.strip()):
                self.life.fail(2, f"shown {shown!r}, but the answer is {entry.text!r}")

    def _on_entry(self, session_id: SessionId, entry: Entry) -> None:
        if not self.node.is_alive:
            return
        self._enter(session_id)
        self._take(entry)

    def _on_other(self, event: Event) -> None:
        if not self.node.is_alive:
            return
        if isinstance(event, Delta | AnswerSoFar):
            shown = self._stream.show(event)
            if shown is not None:
                index, text = shown
                known = self.shown.get(event.response_id, "")
                self.shown[event.response_id] = known + text if index else text
                self.pieces.append((self.life.now, event.session_id, event.epoch))
        elif isinstance(event, Missed) and not event.broker_is_away:
            self._stream.on_missed()

    @property
    def position(self) -> ResumePosition | None:
        """The place from which it can go on elsewhere."""
        if not self.log:
            return None
        return ResumePosition(self.log[-1].seq, self.session_id)


class Life:
    """A life under way."""

    def __init__(self, workload: Workload, seed: int) -> None:
        self.workload = workload
        self.random = Random(f"{workload.name} {seed} parts")
        self.clock = VirtualClock()
        self.network = Network(self.clock, self.random)
        self.store = RecordingStore(self.clock)
        self.leases = FailingLeases(self.clock, self.random)
        self.models = Models(self.random)
        self.bridge = SimulatedBridge(self.clock, self.random)
        self.nodes: list[Node] = []
        self.clients: list[Client] = []
        self.acknowledged: dict[tuple[Customer, str], int] = {}
        self.erased: set[Customer] = set()
        self.spoken: Counter[tuple[Customer, str]] = Counter()
        """What coordinators have said on the topics, to a listener that has lived since."""
        self.at_most: Counter[tuple[Customer, str]] = Counter()
        """What coordinators have said on the topics."""
        self.listeners: list[tuple[Customer, str, list[Node]]] = []
        self.violations: list[str] = []
        self._nodes_begun = 0
        self._tasks: set[asyncio.Task[object]] = set()

    @property
    def now(self) -> float:
        return self.clock.monotonic()

    def fail(self, rule: int, what: str) -> Violation:
        """Note that a rule was broken."""
        text = f"rule {rule} at {self.now:.3f} s: {what}"
        self.violations.append(text)
        return Violation(text)

    def start_node(self) -> None:
        self._nodes_begun += 1
        self.nodes.append(Node(self, self._nodes_begun))

    async def live(self, steps: Collection[Step]) -> None:
        """Take the steps, mend everything, and check the rules. Raises: Violation."""
        self.network.faults = self.workload.faults
        self.leases.failing = self.workload.failing_leases
        self.bridge.failing = self.workload.failing_bridge
        for _ in range(self.workload.nodes):
            self.start_node()
        await self.clock.advance(1.0)
        for step in steps:
            self._start(self._try(step))
            await self.clock.advance(step.pause_s)
        await self._heal()
        await self._check()
        if self.violations:
            raise Violation("\n".join(self.violations))

    def _start(self, work: Awaitable[object]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _try(self, step: Step) -> None:
        random = Random(step.seed)
        act: Callable[[Random], Awaitable[None]] = _ACTS[step.kind].__get__(self)
        try:
            await act(random)
        except (ConversationError, Violation):
            pass

    def _node(self, random: Random) -> Node:
        return random.choice([node for node in self.nodes if node.is_alive])

    # What people do.

    async def _join(self, random: Random) -> None:
        client = Client(self, self._node(random), random.choice(CUSTOMERS))
        self.clients.append(client)
        await client.join(None)

    async def _move(self, random: Random) -> None:
        """A client's socket is lost, and it comes back to another node."""
        joined = [client for client in self.clients if client.is_joined]
        if not joined:
            return await self._join(random)
        client = random.choice(joined)
        client.leave()
        again = Client(self, self._node(random), client.customer)
        self.clients.append(again)
        await again.join(client.position)

    async def _leave(self, random: Random) -> None:
        joined = [client for client in self.clients if client.is_joined]
        if joined:
            random.choice(joined).leave()

    async def _say(self, random: Random) -> None:
        node, who = self._node(random), random.choice(CUSTOMERS)
        message_id = f"m{random.randrange(60)}"  # sometimes one that was used before
        posted = await node.container.post()(who, L1, f"Textul {message_id}", MessageId(message_id))
        if who in self.erased:
            return
        seq = self.acknowledged.setdefault((who, message_id), posted.seq)
        if posted.seq != seq:
            self.fail(4, f"{message_id} of {who} got the seqs {seq} and {posted.seq}")

    async def _ask(self, random: Random) -> None:
        who = random.choice(CUSTOMERS)
        await self._node(random).container.transfers().request(who, L1, None)

    async def _end(self, random: Random) -> None:
        await self._node(random).container.transfers().end(random.choice(CUSTOMERS))

    async def _stop(self, random: Random) -> None:
        client = random.choice(self.clients) if self.clients else None
        if client is not None and client.node.is_alive:
            client.node.container.hub().publish(client.customer, StopRequested())

    async def _change(self, random: Random, to: Status) -> None:
        loaded = await RecordingStore.latest(self.store, random.choice(CUSTOMERS))
        if loaded is not None:
            node, name = self._node(random), random.choice(["maria", "ion", None])
            coordinator = CoordinatorId(name) if name is not None else None
            await node.container.transfers().change(
                loaded.session.session_id, to, coordinator, None
            )

    async def _take_over(self, random: Random) -> None:
        await self._change(random, Status.LIVE)

    async def _give_back(self, random: Random) -> None:
        await self._change(random, Status.AI)

    async def _close(self, random: Random) -> None:
        await self._change(random, Status.CLOSED)

    async def _speak(self, random: Random) -> None:
        who, number = random.choice(CUSTOMERS), random.randrange(1 << 20)
        await (
            self._node(random)
            .container.transfers()
            .post_coordinator_message(
                who, f"Prin HTTP {number}", CoordinatorId("maria"), MessageId(f"h{number}")
            )
        )

    async def _speak_on_topic(self, random: Random) -> None:
        """A coordinator says one of few texts on the topic, without an id or a time."""
        talking = [who for who in CUSTOMERS if any(who in end.joined for end in self.bridge.ends)]
        loaded = {who: await RecordingStore.latest(self.store, who) for who in talking}
        live = [
            who
            for who, found in loaded.items()
            if found is not None and found.session.status is Status.LIVE
        ]
        if not live:
            return
        who, text = random.choice(live), random.choice(["Da.", "Un moment.", "Bine."])
        ends = self.bridge.broadcast(who, Author.COORDINATOR, text)
        receivers = [node for node in self.nodes if node.bridge in ends]
        self.at_most[who, text] += 1
        self.listeners.append((who, text, receivers))

    async def _erase(self, random: Random) -> None:
        who = random.choice(CUSTOMERS)
        self.erased.add(who)
        await self._node(random).container.privacy().erase(who)

    # What fails.

    async def _kill(self, random: Random) -> None:
        node = self._node(random)
        self._lose_clients(node)
        node.kill()
        self.nodes.remove(node)
        self.start_node()

    async def _drain(self, random: Random) -> None:
        """A node finishes its turns, while its clients are elsewhere, and another one starts."""
        node = self._node(random)
        self.nodes.remove(node)
        self.start_node()
        lost = self._lose_clients(node)
        for client in lost:
            again = Client(self, self._node(random), client.customer)
            self.clients.append(again)
            self._start(again.join(client.position))
        await node.container.turns().drain()
        await node.end()

    def _lose_clients(self, node: Node) -> list[Client]:
        lost = [each for each in self.clients if each.is_joined and each.node is node]
        for client in lost:
            client.leave()
        return lost

    async def _cut(self, random: Random) -> None:
        node = self._node(random)
        node.channels.cut()
        await self.clock.sleep(random.choice([0.2, 1.5, 5.0, 12.0]))
        node.channels.restore()

    async def _break_store(self, random: Random) -> None:
        fault = random.choice([self.store.fail, self.store.lose_answer])
        fault(random.choice(["append", "append", "append", "latest", "page"]))

    async def _jump(self, random: Random) -> None:
        self.clock.step(random.choice([-3600.0, -5.0, 5.0, 3600.0]))

    # The end.

    async def _heal(self) -> None:
        """End all faults, and give everything the time to come to its end."""
        self.network.faults = NetworkFaults()
        self.leases.failing = self.bridge.failing = 0.0
        self.store.heal()
        await self.clock.advance(0.5)
        for node in self.nodes:
            node.channels.restore()
        await self.clock.advance(HEALED_S)
        if self._tasks:
            waiting = [task for task in self._tasks if not task.done()]
            for task in waiting:
                task.cancel()
            await settle()

    async def _check(self) -> None:
        sessions = await self._sessions()
        logs = {session.session_id: log for session, log in sessions}
        self._check_stored(sessions)
        self._check_shown(logs)
        self._check_bridge(sessions)
        if not (
            self.workload.failing_leases
            or "cut" in self.workload.weights
            or "kill" in self.workload.weights
        ):
            for who, most in self.models.most.items():
                if most > 1:
                    self.fail(6, f"the model was asked {most} times at once for {who}")

    async def _sessions(self) -> list[tuple[Session, list[Entry]]]:
        privacy = self.nodes[0].container.privacy()
        found = []
        for who in CUSTOMERS:
            exporting = asyncio.ensure_future(privacy.export(who))
            await settle()
            found += exporting.result()
        return found

    def _check_stored(self, sessions: list[tuple[Session, list[Entry]]]) -> None:
        stored = Counter(
            (session.customer, entry.message_id)
            for session, log in sessions
            for entry in log
            if isinstance(entry, Message) and entry.author is Author.USER
        )
        for (who, message_id), _ in self.acknowledged.items():
            if (who, message_id) not in stored and who not in self.erased:
                self.fail(1, f"{message_id} of {who} was acknowledged and is not stored")
        for (who, message_id), times in stored.items():
            if times > 1:
                self.fail(4, f"{message_id} of {who} is stored {times} times")
        for session, log in sessions:
            if session.needs_answer:
                self.fail(7, f"{session.customer} has messages without an answer")
            if [entry.seq for entry in log] != list(range(1, len(log) + 1)):
                self.fail(5, f"the seqs of {session.session_id}")
            answered = Counter(
                message_id
                for entry in log
                if isinstance(entry, Message)
                for message_id in entry.in_reply_to
            )
            for message_id, times in answered.items():
                if times > 1:
                    self.fail(7, f"{message_id} of {session.customer} was answered {times} times")
            status = Status.AI
            for entry in log:
                if isinstance(entry, StatusChange):
                    status = entry.status
                elif entry.author is Author.AI and status is not Status.AI:
                    self.fail(2, f"the AI wrote to {session.customer} while it was {status}")

    def _check_shown(self, logs: dict[SessionId, list[Entry]]) -> None:
        allowed_s = SHOWN_S if self.workload.hints_are_intact else SHOWN_UNHEARD_S
        for client in self.clients:
            for at, session_id, epoch in client.pieces:
                if session_id in self.store.lost_answers:
                    continue
                for since, later in self.store.changes[session_id]:
                    if later > epoch and at > since + allowed_s + 0.05:
                        self.fail(
                            2,
                            f"{client.customer} was shown a piece {at - since:.3f} s "
                            f"after a takeover",
                        )
                        break
            if client.is_joined and client.node in self.nodes and client.log:
                whole = logs.get(cast(SessionId, client.session_id), [])
                seqs = [entry.seq for entry in client.log]
                if whole and seqs[-1] != whole[-1].seq:
                    self.fail(5, f"{client.customer} has {seqs[-1]} of {whole[-1].seq}")

    def _check_bridge(self, sessions: list[tuple[Session, list[Entry]]]) -> None:
        positions: defaultdict[tuple[SessionId, str], int] = defaultdict(int)
        for notice in self.bridge.notices:
            key = notice.session_id, notice.lane.value
            if notice.position < positions[key]:
                self.fail(9, f"a notice of {notice.customer} came after a later one")
            positions[key] = max(positions[key], notice.position)
        said: Counter[tuple[Customer, str]] = Counter()
        for session, log in sessions:
            for entry in log:
                if isinstance(entry, Message) and entry.author is Author.COORDINATOR:
                    said[session.customer, entry.text] += 1
        safe: Counter[tuple[Customer, str]] = Counter()
        for who, text, receivers in self.listeners:
            if any(
                node.is_alive for node in receivers if node.container.chat_owners().is_mine(who)
            ):
                safe[who, text] += 1
        for words, most in self.at_most.items():
            if words[0] in self.erased:
                continue
            if said[words] > most:
                self.fail(9, f"{words} was said {most} times and stored {said[words]} times")
            if said[words] < safe[words] and not self._may_be_unheard():
                self.fail(9, f"{words} came {safe[words]} times and was stored {said[words]} times")

    def _may_be_unheard(self) -> bool:
        return bool({"cut", "kill", "close", "end"} & self.workload.weights.keys())

    async def bury(self) -> None:
        """End all nodes."""
        for node in self.nodes:
            node.kill()
        current = asyncio.current_task()
        for task in asyncio.all_tasks():
            if task is not current:
                task.cancel()
        with suppress(Exception):
            await settle()


_ACTS: dict[str, Any] = {
    "join": Life._join,
    "move": Life._move,
    "leave": Life._leave,
    "say": Life._say,
    "ask": Life._ask,
    "end": Life._end,
    "stop": Life._stop,
    "take over": Life._take_over,
    "give back": Life._give_back,
    "close": Life._close,
    "speak": Life._speak,
    "on topic": Life._speak_on_topic,
    "erase": Life._erase,
    "kill": Life._kill,
    "drain": Life._drain,
    "cut": Life._cut,
    "break store": Life._break_store,
    "jump": Life._jump,
}


def lived(workload: Workload, seed: int, steps: Collection[Step] | None = None) -> str | None:
    """Live a life, and return the rules that it broke; None: none."""
    chosen = drawn(workload, seed) if steps is None else steps

    async def run() -> str | None:
        life = Life(workload, seed)
        try:
            await life.live(chosen)
        except Violation as violation:
            return str(violation)
        finally:
            await life.bury()
        return None

    return asyncio.run(run())
