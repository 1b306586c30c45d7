"""The world of one life: the nodes, what lies between them, and all who use them."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Any

from adapters.memory.leases import MemoryLeases
from adapters.memory.store import MemoryStore
from application.ports import Erased
from domain.errors import StorageUnavailable
from domain.identity import Customer, customer
from domain.message import Entry, Message
from domain.session import Draft
from domain.write_call import OUTCOMES, WriteState
from tests.simulation.bridge import PlainApplication
from tests.simulation.client import Client
from tests.simulation.network import Switch
from tests.simulation.node import Node
from tests.simulation.rules import Rules
from tests.simulation.tools import ToolServerProcess

Trap = Callable[[Node, Customer], object]
CUSTOMERS = [customer("b1", "u1"), customer("b1", "u2"), customer("b2", "u1")]


class RecordedStore(MemoryStore):
    """The store of all nodes, which shows the rules what it stores."""

    def __init__(self, world: "World") -> None:
        super().__init__()
        self._world = world

    async def append(self, draft: Draft, due_at: datetime | None) -> None:
        world = self._world
        await super().append(draft, due_at)
        world.rules.stored(draft)
        self._spring(draft)
        if world.appends_in_doubt > 0:
            world.appends_in_doubt -= 1
            world.rules.store_failed()
            raise StorageUnavailable("as told, after the work")

    def _spring(self, draft: Draft) -> None:
        for entry in draft.entries:
            step = entry.write if isinstance(entry, Message) else None
            if step is None or (node := self._world.writer) is None:
                continue
            if step.state is WriteState.STARTED:
                self._world.spring("begun", node, draft.session.customer)
            elif step.state is WriteState.APPROVED:
                self._world.spring("approved", node, draft.session.customer)
            elif step.state in OUTCOMES:
                self._world.spring("stored", node, draft.session.customer)

    async def page(self, *given: Any, **named: Any) -> tuple[Entry, ...]:
        page = await super().page(*given, **named)
        await asyncio.sleep(self._world.page_s)
        return page

    async def erase(self, customer: Customer) -> Erased:
        erased = await super().erase(customer)
        self._world.rules.erased(customer)
        return erased


class World:
    """Everything in a life."""

    def __init__(self, seed: int, nodes: int, *, has_tools: bool = False) -> None:
        """`has_tools`: the businesses have a server of tools."""
        loop = asyncio.get_running_loop()
        self._loop = loop
        self.seed = seed
        self.random = Random(seed)
        self.has_tools = has_tools
        self.lines: list[str] = []
        self.rules = Rules(self)
        self.tools = ToolServerProcess(self)
        self.traps: dict[str, list[Trap]] = {}
        """What is done at the next call of a tool that comes to a step."""
        self.store = RecordedStore(self)
        self.store_is_down = self.store_is_slow = False
        self.store_s = self.page_s = 0.0
        self.pieces = 12
        self.appends_in_doubt = 0
        """The next appends that are stored without an answer."""
        self.writer: Node | None = None
        """Whose call of the store is being carried out."""
        self.online: int | None = None
        """The coordinators who are present at the bridge; None: unknown."""
        self.leases = MemoryLeases(loop.time)
        self.leases_are_away = self.leases_are_slow = False
        self.switch = Switch(self.random)
        self.bridge = PlainApplication(
            self.random,
            gives_ids=self.random.random() < 0.3,
            echoes=self.random.random() < 0.7,
        )
        self.moods = [12.0, 1.0, 1.0, 1.0, 1.0]
        self.nodes: list[Node] = []
        """Those that live."""
        self._nodes_begun = 0
        self.clients: list[Client] = []
        self._clients_begun = 0
        self._tasks: set[asyncio.Task[Any]] = set()
        for _ in range(nodes):
            self.start_node()

    def trace(self, what: str) -> None:
        """Note what happens."""
        self.lines.append(f"{self._loop.time():8.3f}  {what}")

    def spring(self, step: str, node: Node, who: Customer) -> None:
        """Do what waits for a call of a tool to come to a step: at a node, for a customer."""
        if waiting := self.traps.get(step):
            waiting.pop(0)(node, who)

    def start(self, work: Any) -> None:
        """Run a coroutine as a task."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def start_node(self) -> None:
        """Start one more node."""
        self._nodes_begun += 1
        node = Node(self, self._nodes_begun)
        self.nodes.append(node)
        self.start(node.start())

    def any_node(self) -> Node | None:
        """Return a node that accepts clients."""
        accepting = [node for node in self.nodes if node.is_well]
        return self.random.choice(accepting) if accepting else None

    def join(self, who: Customer, *, streams: bool) -> Client:
        """Begin a new client of a customer."""
        self._clients_begun += 1
        name = f"client-{self._clients_begun} ({who.business_id} {who.user_id})"
        client = Client(self, who, name, streams=streams)
        self.clients.append(client)
        return client

    def end_node(self, node: Node) -> None:
        """Remove a node that has ended."""
        if node in self.nodes:
            self.nodes.remove(node)
