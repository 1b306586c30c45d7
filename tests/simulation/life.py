"""A life: what people do and what breaks, step by step, and the healing of everything at its end.

The steps are drawn from the seed before the life begins, so that fewer of them can be lived again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from random import Random
from typing import ClassVar, NamedTuple

from application.ports import RECENT, Typing
from domain.errors import Failure, Refusal
from domain.identity import CoordinatorId, Customer, MessageId
from domain.rating import Stars
from domain.session import OUTCOME_WITHIN
from domain.status import Status
from domain.tool import Confirmer
from tests.simulation.client import Client, Gone
from tests.simulation.node import Node
from tests.simulation.rules import FOR_HUMAN, Violation
from tests.simulation.world import CUSTOMERS, World
from tests.simulation.write_rules import NO, YES

HEALED_S = 150.0
"""The time in which everything outstanding is completed once nothing is broken any more."""
LOOK_EVERY_S = 0.25

Surprise = Callable[["SimulatedLife", Node, Customer, Random], Awaitable[None]]


class Step(NamedTuple):
    """Something that somebody does, or that breaks."""

    number: int
    pause_s: float
    """The time before the next one."""
    kind: str
    seed: int

    def __str__(self) -> str:
        return f"{self.number:3}  {self.kind}, then {self.pause_s:g} s"


class Workload(NamedTuple):
    """The kinds of steps in a life, with their weights."""

    weights: dict[str, float]
    nodes: tuple[int, ...] = (2, 3)
    steps: int = 30
    store_s: float = 0.0
    """The time that each call of the store takes longer, there and back."""
    page_s: float = 0.0
    """The time that a page takes longer, on its way back."""
    pieces: int = 12
    """The most pieces of an answer."""
    has_tools: bool = False
    """The businesses have a server of tools, which may change something."""
    healed_s: float = HEALED_S
    """The time in which everything is completed once nothing is broken any more."""


LONG = 40
"""The pieces of an answer that takes as long as a turn may."""

PEOPLE = {
    "say": 10.0,
    "join": 3.0,
    "move": 3.0,
    "ask_for_human": 1.0,
    "end_live_chat": 0.7,
    "stop_answer": 0.7,
    "take_over": 1.5,
    "give_back": 1.5,
    "requeue": 1.0,
    "whisper": 0.7,
    "speak": 1.0,
    "close": 0.4,
}
BRIDGE = {"speak_at_bridge": 4.0, "speak_equally": 2.0, "ask_for_human": 2.0, "erase": 0.1}
NETWORK = {"cut": 1.0, "lose_connection": 1.0, "restart_switch": 0.5, "double": 1.0, "delay": 1.0}
LOSSES = {"lose": 3.0}
STORE = {"fail_store": 3.0, "lose_answers": 3.0, "stop_store": 0.5, "slow_store": 0.5}
NODES = {"kill": 1.0, "drain": 1.0, "freeze": 1.0, "add": 0.3}
LEASES = {"stop_leases": 0.5, "slow_leases": 0.5, "lose_leases": 0.5}
OUTAGES = {"restart_bridge": 1.0, "stop_bridge": 0.7, "refuse": 1.0, "hang": 1.0}
CLOCKS = {"set_clock": 1.0}
TOOLS = {
    "say_yes": 5.0,
    "say_no": 1.0,
    "press": 4.0,
    "decide": 3.0,
    "wait": 2.0,
    "stop_tools": 0.7,
    "trap": 8.0,
    "run_twice": 4.0,
    "take_over_at_call": 2.0,
}
PRESENCE = {"all_leave": 4.0, "somebody_comes": 2.0, "ask_for_human": 6.0}

WORKLOADS = {
    "calm": Workload(PEOPLE),
    "network": Workload({**PEOPLE, **NETWORK}),
    "losses": Workload({**PEOPLE, **LOSSES}),
    "store": Workload({**PEOPLE, **STORE, **CLOCKS}),
    "nodes": Workload({**PEOPLE, **NODES, **LEASES}, nodes=(2, 3, 4)),
    "bridge": Workload({**PEOPLE, **BRIDGE}),
    "outages": Workload({**PEOPLE, **BRIDGE, **OUTAGES}),
    "takeovers": Workload(
        {"say": 10.0, "take_over_unheard": 6.0, "give_back": 6.0, "move": 2.0, "delay": 2.0},
        pieces=LONG,
    ),
    "cuts": Workload(
        {"say": 10.0, "take_over_apart": 6.0, "give_back": 6.0, "cut": 1.0}, pieces=LONG
    ),
    "doubt": Workload({"say": 10.0, "take_over_in_doubt": 6.0, "give_back": 6.0}, pieces=LONG),
    "half-open": Workload({**PEOPLE, "half_open": 2.0}),
    "reads": Workload({"say": 4.0, "speak_unheard": 6.0, "join": 8.0, "give_back": 2.0}),
    "nobody-there": Workload({**PEOPLE, **BRIDGE, **STORE, **NODES, **PRESENCE}),
    "ratings": Workload({**PEOPLE, **STORE, **NODES, "close": 2.0, "rate": 8.0, "erase": 0.1}),
    "deeds": Workload(
        {**PEOPLE, **TOOLS, **STORE, **NODES, **LEASES, **LOSSES, **CLOCKS, "erase": 0.1},
        steps=40,
        pieces=6,
        has_tools=True,
        healed_s=OUTCOME_WITHIN.total_seconds() + 30,
    ),
    "joins": Workload(
        {"say": 1.0, "talk": 3.0, "join_meanwhile": 10.0}, nodes=(2,), steps=20, page_s=0.2
    ),
    "bridge-and-store": Workload({**PEOPLE, **BRIDGE, **STORE}),
    "all": Workload(
        {**PEOPLE, **BRIDGE, **NETWORK, **LOSSES, **STORE, **NODES, **LEASES, **OUTAGES, **CLOCKS},
        nodes=(2, 3, 4),
        steps=40,
    ),
}


def plan(seed: int, workload: Workload) -> list[Step]:
    """Return the steps of a life."""
    random = Random(seed)
    kinds = random.choices(
        list(workload.weights), list(workload.weights.values()), k=workload.steps
    )
    return [
        Step(index, random.choice([0, 0.05, 0.2, 0.5, 1.0, 2.0]), kind, random.getrandbits(32))
        for index, kind in enumerate(kinds)
    ]


class SimulatedLife:
    """One life of a workload."""

    world: World
    waits_until = 0.0

    def __init__(self, seed: int, workload: Workload, only: Collection[int] | None = None) -> None:
        """`only`: the numbers of the steps that are made."""
        self.seed = seed
        self._workload = workload
        self.steps = [step for step in plan(seed, workload) if only is None or step.number in only]

    async def run(self) -> None:
        """Live it. Raises: Violation."""
        nodes = Random(self.seed).choice(self._workload.nodes)
        world = self.world = World(self.seed, nodes, has_tools=self._workload.has_tools)
        world.store_s, world.page_s = self._workload.store_s, self._workload.page_s
        world.pieces = self._workload.pieces
        await asyncio.sleep(0.5)
        world.start(self._watch())
        for who in CUSTOMERS[:2]:
            world.join(who, streams=True)
        await asyncio.sleep(0.5)
        for step in self.steps:
            world.trace(f"step {step}")
            world.start(self._make(step))
            await asyncio.sleep(step.pause_s)
            if (left_s := self.waits_until - asyncio.get_running_loop().time()) > 0:
                await asyncio.sleep(left_s)
            self._raise()
        await self._heal()

    def _raise(self) -> None:
        if self.world.rules.violation is not None:
            raise self.world.rules.violation

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self.world.rules.check_streams()
            self.world.rules.check_followers()
            self.world.rules.check_readers()

    async def _make(self, step: Step) -> None:
        act: Callable[[Random], Awaitable[object]] = getattr(self, f"_{step.kind}")
        await self._attempt(f"step {step.number}", act(Random(step.seed)))

    async def _attempt(self, what: str, work: Awaitable[object]) -> None:
        """Do something, which a fault may end."""
        try:
            await work
        except (Failure, Refusal, Gone) as error:
            self.world.trace(f"{what} ends: {error!r}")

    async def _heal(self) -> None:
        """End all faults, and wait until everything outstanding is completed."""
        world = self.world
        world.trace("everything heals")
        world.store_is_down = world.store_is_slow = False
        world.leases_are_away = world.leases_are_slow = False
        world.traps.clear()
        world.tools.is_down = False
        switch, bridge = world.switch, world.bridge
        switch.loses = switch.doubles = switch.delays = 0.0
        switch.is_down = bridge.is_down = False
        bridge.refusing = bridge.hanging = 0
        for node in list(world.nodes):
            node.store.faults.clear()
            node.thaw()
            node.channels.restore()
        if not any(node.is_well for node in world.nodes):
            world.start_node()
        await asyncio.sleep(1.0)
        for node in world.nodes:
            for who in CUSTOMERS:  # its next hint shows what was lost
                node.hub.publish(who, Typing("coordinator", 1_000))
        await self._complete()
        last = [self._say_last(who) for who in CUSTOMERS]
        await asyncio.gather(*last, return_exceptions=True)
        await asyncio.sleep(1.0)
        switch.unnoticed.clear()  # by then the hint of it shows what was lost before
        await self._complete()
        world.rules.check()
        self._raise()

    async def _say_last(self, who: Customer) -> None:
        await self._client(who).say("La revedere.", MessageId(f"end-{who.user_id}"))

    async def _complete(self) -> None:
        loop = asyncio.get_running_loop()
        healed_s = self._workload.healed_s
        until = loop.time() + healed_s
        while (unfinished := self.world.rules.unfinished()) is not None:
            self._raise()
            if loop.time() > until:
                raise Violation(f"{unfinished}, {healed_s:g} s after everything has healed")
            await asyncio.sleep(1.0)
        self._raise()

    # Whom a step is about.

    def _client(self, who: Customer, random: Random | None = None) -> Client:
        clients = [
            each for each in self.world.clients if each.customer == who and not each.has_gone
        ]
        if not clients:
            return self.world.join(who, streams=True)
        return random.choice(clients) if random is not None else clients[0]

    def _customer(self, random: Random) -> Customer:
        return random.choices(CUSTOMERS, [3, 2, 1])[0]

    def _node(self, random: Random) -> Node:
        """Return a node that runs. Raises: Gone."""
        running = [node for node in self.world.nodes if node.is_well]
        if not running:
            raise Gone
        return random.choice(running)

    async def _at(self, node: Node, work: Awaitable[object]) -> None:
        """Wait for a request to a node, as long as that lives. Raises: what that raises."""
        request = node.request(work)
        ended = asyncio.ensure_future(node.ended.wait())
        await asyncio.wait({request, ended}, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        if request.done():
            request.result()
        else:
            request.add_done_callback(lambda done: done.cancelled() or done.exception())

    # People.

    async def _say(self, random: Random) -> None:
        client = self._client(self._customer(random), random)
        number = random.randrange(1_000_000)
        await client.say(f"Textul {number}", MessageId(f"m{number}"))

    async def _join(self, random: Random) -> None:
        self._join_as(self._customer(random), random)

    def _join_as(self, who: Customer, random: Random) -> None:
        world = self.world
        mine = [each for each in world.clients if each.customer == who and not each.has_gone]
        if len(mine) > 2:
            random.choice(mine).go()
        world.join(who, streams=random.random() < 0.8)

    async def _join_meanwhile(self, random: Random) -> None:
        """Join while a coordinator speaks."""
        who = self._customer(random)
        self._join_as(who, random)
        await asyncio.sleep(random.uniform(0.0, self.world.page_s))
        await self._speak_at(self._node(random), who, random)

    async def _talk(self, random: Random) -> None:
        """Let a coordinator say more than a process keeps in memory."""
        who = self._customer(random)
        for _ in range(2 * RECENT):
            await self._speak_at(self._node(random), who, random)

    async def _move(self, random: Random) -> None:
        self._client(self._customer(random), random).leave()

    async def _ask_for_human(self, random: Random) -> None:
        client = self._client(self._customer(random), random)
        number = random.randrange(1_000_000)
        await client.say(f"{FOR_HUMAN}{number}", MessageId(f"m{number}"), for_human=True)

    async def _rate(self, random: Random) -> None:
        """Rate the newest session, or an earlier one."""
        who, number = self._customer(random), random.randrange(1_000_000)
        theirs = [
            session_id
            for session_id, known in self.world.rules.sessions.items()
            if known.customer == who and not known.is_erased
        ]
        session_id = random.choice([None, None, *theirs])
        stars = Stars(random.randint(1, 5), f"Nota {number}")
        await self._client(who, random).rate(stars, MessageId(f"r{number}"), session_id)

    async def _end_live_chat(self, random: Random) -> None:
        client = self._client(self._customer(random), random)
        if (node := client.node) is not None and node.is_well:
            await client.call(node, node.transfers.end(client.customer, client))

    async def _stop_answer(self, random: Random) -> None:
        client = self._client(self._customer(random), random)
        if (node := client.node) is not None and node.is_well:
            await client.call(node, node.turns.stop_answer(client.customer))

    async def _change(self, random: Random, to: Status) -> None:
        node, who = self._node(random), self._customer(random)
        known = self.world.rules.log_of(who)
        if known is not None:
            name = CoordinatorId(random.choice(["ana", "dan"]))
            await self._at(node, node.transfers.change(known.session.session_id, to, name))

    async def _take_over(self, random: Random) -> None:
        await self._change(random, Status.LIVE)

    async def _take_over_unheard(self, random: Random) -> None:
        await self._unheard(random, self._take_over)

    async def _speak_unheard(self, random: Random) -> None:
        await self._unheard(random, self._speak)

    async def _unheard(self, random: Random, act: Callable[[Random], Awaitable[None]]) -> None:
        """Do something, and lose every hint of the moment."""
        switch = self.world.switch
        if not self.world.rules.is_calm("hints", since=1.0):
            return  # one lost hint is made good by the next, and not two
        self._disturb("the switch loses all hints for 0.1 s", "hints", seconds=0.1)
        switch.loses = 1.0
        self.world.start(self._end_losses(0.1))
        await act(random)

    async def _take_over_apart(self, random: Random) -> None:
        """Cut off the node that writes an answer from the one at which somebody takes over."""
        written = [found for who in CUSTOMERS if (found := self.world.rules.running(who))]
        if not written:
            return
        attempt = random.choice(written)
        others = [each for each in self.world.nodes if each.is_well and each is not attempt.node]
        if not others or not self.world.rules.is_calm("hints", since=1.0):
            return
        node = random.choice(others)
        is_writer_cut = random.random() < 0.5
        self.world.start(self._cut_off(attempt.node if is_writer_cut else node, 4.0))
        await asyncio.sleep(random.uniform(0.0, 0.3))
        known = self.world.rules.log_of(attempt.customer)
        if known is not None:
            change = node.transfers.change
            await self._at(
                node, change(known.session.session_id, Status.LIVE, CoordinatorId("ana"))
            )

    async def _take_over_in_doubt(self, random: Random) -> None:
        """Take over without an answer from the store."""
        self.world.appends_in_doubt = 1
        await self._change(random, Status.LIVE)

    async def _end_losses(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.world.switch.loses = 0.0

    async def _give_back(self, random: Random) -> None:
        await self._change(random, Status.AI)

    async def _requeue(self, random: Random) -> None:
        await self._change(random, Status.WAITING)

    async def _whisper(self, random: Random) -> None:
        node, number = self._node(random), random.randrange(1_000_000)
        known = self.world.rules.log_of(self._customer(random))
        if known is not None:
            whisper = node.transfers.whisper
            words = f"Oferă {number} %.", CoordinatorId("ana"), MessageId(f"w{number}")
            await self._at(node, whisper(known.session.session_id, *words))

    async def _close(self, random: Random) -> None:
        await self._change(random, Status.CLOSED)

    async def _speak(self, random: Random) -> None:
        await self._speak_at(self._node(random), self._customer(random), random)

    async def _speak_at(self, node: Node, who: Customer, random: Random) -> None:
        number = random.randrange(1_000_000)
        post = node.transfers.post_coordinator_message
        await self._at(
            node, post(who, f"Sunt aici {number}", CoordinatorId("ana"), MessageId(f"c{number}"))
        )

    async def _speak_at_bridge(self, random: Random) -> None:
        await self._say_at_bridge(self._customer(random), f"Bună, {random.randrange(1_000_000)}")

    async def _speak_equally(self, random: Random) -> None:
        who = self._customer(random)
        for _ in range(random.choice([1, 2])):
            self.world.start(self._say_at_bridge(who, "Da."))
            await asyncio.sleep(random.choice([0.0, 0.02, 0.5]))

    async def _say_at_bridge(self, who: Customer, text: str) -> None:
        world, rules = self.world, self.world.rules
        if world.bridge.is_down:
            return
        is_received = any(node.is_well and node.gateway.hears(who) for node in world.nodes)
        calm = rules.is_calm("hints", "nodes", "bridge")
        known, now = rules.log_of(who), asyncio.get_running_loop().time()
        if is_received and calm and known is not None and known.session.is_open:
            rules.heard.append((who, text, known, now))
        rules.spoken[who, text] += 1
        world.trace(f"a coordinator says {text!r} to {who.user_id} at the bridge")
        body = {"message": text, "messageId": f"b{rules.spoken[who, text]}-{len(world.lines)}"}
        world.bridge.broadcast(who, "agent_message", body)

    async def _erase(self, random: Random) -> None:
        node, who = self._node(random), self._customer(random)
        await self._at(node, node.privacy.erase(who))

    # Calls of tools that change something.

    async def _say_yes(self, random: Random) -> None:
        await self._say_words(random, YES)

    async def _say_no(self, random: Random) -> None:
        await self._say_words(random, NO)

    async def _say_words(self, random: Random, words: str) -> None:
        client = self._client(self._asked(random, Confirmer.CUSTOMER), random)
        await client.say(words, MessageId(f"m{random.randrange(1_000_000)}"))

    def _asked(self, random: Random, by: Confirmer) -> Customer:
        """Return somebody who is asked for a yes, if anybody is."""
        asked = [who for who in CUSTOMERS if self.world.rules.writes.question(who, by)]
        return random.choice(asked) if asked else self._customer(random)

    async def _press(self, random: Random) -> None:
        """Answer the newest question by its button, until that is acknowledged."""
        who = self._asked(random, Confirmer.CUSTOMER)
        question = self.world.rules.writes.question(who, Confirmer.CUSTOMER)
        client, answer = self._client(who, random), random.random() < 0.8
        if question is not None:
            await client.confirm(question.call_id, answer)

    async def _decide(self, random: Random) -> None:
        """Answer a question to the coordinators."""
        who = self._asked(random, Confirmer.COORDINATOR)
        question = self.world.rules.writes.question(who, Confirmer.COORDINATOR)
        node, answer = self._node(random), random.random() < 0.8
        if question is None:
            return
        given = node.confirmations.by_coordinator(
            question.known.session.session_id, question.call_id, answer, CoordinatorId("ana")
        )
        await self._at(node, given)

    async def _wait(self, random: Random) -> None:
        """Let nobody say anything for a while: a question may expire."""
        self.waits_until = asyncio.get_running_loop().time() + random.choice([8.0, 25.0, 40.0])

    async def _stop_tools(self, random: Random) -> None:
        tools, seconds = self.world.tools, random.choice([0.1, 1.0, 5.0])
        self.world.trace(f"the server of tools dies, and is away for {seconds} s")
        tools.die()
        await asyncio.sleep(seconds)
        tools.is_down = False

    async def _run_twice(self, random: Random) -> None:
        """Let two nodes run the next turn in which a tool is called."""

        def wake(node: Node, who: Customer) -> None:
            for other in self.world.nodes:
                if other.is_well and other is not node:
                    self.world.trace(f"{other} makes the turn too")
                    other.turns.wake(who)

        # Two runs go on for a while after it is back: they wait for what they have called.
        self._disturb("the lease service is away", "leases", seconds=16.0)
        self.world.leases_are_away = True
        step = random.choice(["asked", "asked", "asked", "begun", "stored"])
        self.world.traps.setdefault(step, []).append(wake)
        await asyncio.sleep(8.0)
        self.world.leases_are_away = False

    async def _take_over_at_call(self, random: Random) -> None:
        """Take over, unheard, as the AI decides to call a tool."""

        def spring(node: Node, who: Customer) -> None:
            well = [each for each in self.world.nodes if each.is_well and each is not node]
            # One fault at a time: of what the store has not answered, nothing but a hint says so.
            others = [each for each in well if not each.store.faults]
            if others and (known := self.world.rules.log_of(who)) is not None:
                other, session_id = random.choice(others), known.session.session_id

                async def take(_: Random) -> None:
                    change = other.transfers.change(session_id, Status.LIVE, CoordinatorId("ana"))
                    await self._at(other, change)

                self.world.start(self._attempt("a takeover", self._unheard(random, take)))

        self.world.traps.setdefault("asked", []).append(spring)

    async def _trap(self, random: Random) -> None:
        """Let something happen as the next call comes to a step."""
        steps = ["asked", "approved", "begun", "begun", "called", "done", "answered", "stored"]
        step, name = random.choice(steps), random.choice([*self._SURPRISES, "kill", "freeze"])
        surprise, later_s = self._SURPRISES[name], random.choice([0.0, 0.0, 0.002, 0.1])

        def spring(node: Node, who: Customer) -> None:
            self.world.trace(f"a call is {step} at {node}: {name}")
            self.world.start(run(node, who))

        async def run(node: Node, who: Customer) -> None:
            await asyncio.sleep(later_s)
            await self._attempt(name, surprise(self, node, who, random))

        def at_once(node: Node, who: Customer) -> None:
            self.world.trace(f"a call is {step} at {node}, which is killed")
            self._disturb(f"{node} is killed", "nodes")
            node.kill()
            self.world.end_node(node)
            self.world.start(self._replace(random))

        at = at_once if name == "kill" and not later_s else spring
        self.world.traps.setdefault(step, []).append(at)

    async def _surprise_kill(self, node: Node, who: Customer, random: Random) -> None:
        if node.is_alive:
            self._disturb(f"{node} is killed", "nodes")
            node.kill()
            self.world.end_node(node)
            await self._replace(random)

    async def _surprise_freeze(self, node: Node, who: Customer, random: Random) -> None:
        seconds = random.choice([1.0, 5.0, 12.0, 20.0])
        self._disturb(f"{node} is frozen for {seconds} s", "nodes", seconds=seconds)
        node.freeze()
        await asyncio.sleep(seconds)
        node.thaw()

    async def _surprise_owner(self, node: Node, who: Customer, random: Random) -> None:
        """Take over, at any node, and perhaps give back at once, or close."""
        known = self.world.rules.log_of(who)
        if known is None:
            return
        session_id = known.session.session_id
        other = self._node(random)
        to = random.choice([Status.LIVE, Status.LIVE, Status.CLOSED])
        await self._at(other, other.transfers.change(session_id, to, CoordinatorId("ana")))
        if to is Status.LIVE and random.random() < 0.6:
            await asyncio.sleep(random.choice([0.0, 0.5]))
            await self._at(other, other.transfers.change(session_id, Status.AI, None))

    async def _surprise_words(self, node: Node, who: Customer, random: Random) -> None:
        """Write something more, or stop the answer."""
        client = self._client(who, random)
        if random.random() < 0.5:
            await client.say("Și încă ceva.", MessageId(f"m{random.randrange(1_000_000)}"))
        elif client.node is not None and client.node.is_well:
            await client.call(client.node, client.node.turns.stop_answer(who))

    async def _surprise_store(self, node: Node, who: Customer, random: Random) -> None:
        node.store.faults.extend(
            random.choices(["lose", "fail", "lose", ""], k=random.randint(1, 5))
        )

    async def _surprise_erase(self, node: Node, who: Customer, random: Random) -> None:
        if random.random() < 0.3:
            other = self._node(random)
            await self._at(other, other.privacy.erase(who))

    async def _surprise_tools(self, node: Node, who: Customer, random: Random) -> None:
        await self._stop_tools(random)

    _SURPRISES: ClassVar[dict[str, Surprise]] = {
        "kill": _surprise_kill,
        "freeze": _surprise_freeze,
        "a change of owner": _surprise_owner,
        "words": _surprise_words,
        "the store fails": _surprise_store,
        "erasure": _surprise_erase,
        "the tools die": _surprise_tools,
    }

    # Nodes.

    def _disturb(self, what: str, *kinds: str, seconds: float = 0.0) -> None:
        self.world.trace(what)
        for kind in kinds:
            self.world.rules.disturb(kind, seconds)

    async def _replace(self, random: Random) -> None:
        await asyncio.sleep(random.choice([0.1, 1.0, 5.0]))
        self._disturb("a node starts", "nodes")
        self.world.start_node()

    async def _kill(self, random: Random) -> None:
        node = self._node(random)
        self._disturb(f"{node} is killed", "nodes")
        node.kill()
        self.world.end_node(node)
        await self._replace(random)

    async def _drain(self, random: Random) -> None:
        node = self._node(random)
        self._disturb(f"{node} drains", "nodes")
        self.world.start(self._replace(random))
        await node.drain()
        self._disturb(f"{node} has ended", "nodes")
        self.world.end_node(node)

    async def _freeze(self, random: Random) -> None:
        node, seconds = self._node(random), random.choice([0.5, 1.5, 4.0, 9.0])
        self._disturb(f"{node} is frozen for {seconds} s", "nodes", seconds=seconds)
        node.freeze()
        await asyncio.sleep(seconds)
        self.world.trace(f"{node} goes on")
        node.thaw()

    async def _add(self, random: Random) -> None:
        if len(self.world.nodes) < 4:
            self._disturb("a node starts", "nodes")
            self.world.start_node()

    async def _set_clock(self, random: Random) -> None:
        node, seconds = self._node(random), random.choice([-3600.0, -5.0, 5.0, 600.0])
        self._disturb(f"the clock of {node} is set by {seconds} s", "nodes", "clocks")
        node.clock.ahead_s += seconds

    # The network between them.

    async def _cut(self, random: Random) -> None:
        await self._cut_off(self._node(random), random.choice([0.3, 1.5, 4.0, 10.0]))

    async def _cut_off(self, node: Node, seconds: float) -> None:
        self._disturb(f"{node} is cut off for {seconds} s", "hints", seconds=seconds)
        node.channels.is_cut = True
        await asyncio.sleep(seconds)
        node.channels.restore()
        self._disturb(f"{node} is connected again", "hints")

    async def _half_open(self, random: Random) -> None:
        node = self._node(random)
        self._disturb(f"the connection of {node} is half open", "hints", seconds=4.0)
        node.channels.half_open = node.channels.connection

    async def _lose_connection(self, random: Random) -> None:
        node = self._node(random)
        self._disturb(f"{node} loses its connection to the switch", "hints")
        node.channels.lose_connection()

    async def _restart_switch(self, random: Random) -> None:
        switch, seconds = self.world.switch, random.choice([0.0, 0.8, 3.0, 10.0])
        self._disturb(f"the switch restarts, away for {seconds} s", "hints", seconds=seconds)
        switch.is_down = True
        for end in list(switch.ends):
            end.lose_connection()
        await asyncio.sleep(seconds)
        switch.is_down = False

    async def _for_a_while(self, random: Random, name: str) -> None:
        switch, seconds = self.world.switch, random.choice([0.3, 1.0, 3.0])
        self._disturb(f"the switch {name} hints for {seconds} s", "hints", seconds=seconds + 2.0)
        setattr(switch, name, random.choice([0.1, 0.3, 0.8]))
        await asyncio.sleep(seconds)
        setattr(switch, name, 0.0)

    async def _lose(self, random: Random) -> None:
        await self._for_a_while(random, "loses")

    async def _double(self, random: Random) -> None:
        await self._for_a_while(random, "doubles")

    async def _delay(self, random: Random) -> None:
        await self._for_a_while(random, "delays")

    # The store and the leases.

    async def _fail_store(self, random: Random) -> None:
        node = self._node(random)
        node.store.faults.extend(random.choices(["fail", ""], k=random.randint(1, 6)))

    async def _lose_answers(self, random: Random) -> None:
        node = self._node(random)
        node.store.faults.extend(random.choices(["lose", ""], k=random.randint(1, 6)))

    async def _flag(self, random: Random, name: str, kind: str) -> None:
        seconds = random.choice([0.5, 2.0, 6.0])
        self._disturb(f"{name} for {seconds} s", kind, seconds=seconds)
        setattr(self.world, name, True)
        await asyncio.sleep(seconds)
        setattr(self.world, name, False)

    async def _stop_store(self, random: Random) -> None:
        await self._flag(random, "store_is_down", "store")

    async def _slow_store(self, random: Random) -> None:
        await self._flag(random, "store_is_slow", "store")

    async def _stop_leases(self, random: Random) -> None:
        await self._flag(random, "leases_are_away", "leases")

    async def _slow_leases(self, random: Random) -> None:
        await self._flag(random, "leases_are_slow", "leases")

    async def _lose_leases(self, random: Random) -> None:
        self._disturb("the lease service restarts empty", "leases")
        self.world.leases._held.clear()

    # The bridge.

    async def _all_leave(self, random: Random) -> None:
        self.world.trace("no coordinator is present")
        self.world.online = 0

    async def _somebody_comes(self, random: Random) -> None:
        self.world.trace("a coordinator is present")
        self.world.online = 1

    async def _restart_bridge(self, random: Random) -> None:
        self._disturb("the bridge restarts", "bridge")
        self.world.bridge.restart()

    async def _stop_bridge(self, random: Random) -> None:
        bridge, seconds = self.world.bridge, random.choice([1.0, 5.0])
        self._disturb(f"the bridge is away for {seconds} s", "bridge", seconds=seconds)
        bridge.is_down = True
        bridge.restart()
        await asyncio.sleep(seconds)
        bridge.is_down = False

    async def _refuse(self, random: Random) -> None:
        self._disturb("the bridge refuses some requests", "bridge")
        self.world.bridge.refusing += random.randint(1, 4)

    async def _hang(self, random: Random) -> None:
        self._disturb("the bridge accepts some requests without an answer", "bridge")
        self.world.bridge.hanging += random.randint(1, 3)
