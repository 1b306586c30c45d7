"""One simulated life: what happens in it, and what must hold at its end."""

import asyncio
import logging
import tempfile
from collections import Counter
from collections.abc import Awaitable, Collection
from pathlib import Path

from adapters.bridge.sqlite_store import SqliteBridgeStore
from application.bridge.ports import live_transcript_key
from application.ports import Loaded
from domain.identity import BusinessId, UserId, live_chat_topic
from domain.identity import Customer as Owner
from domain.message import Author, Entry, Message
from domain.status import Status
from tests.simulation.product.machine import SimulatedLoop
from tests.simulation.product.people import (
    BUSINESS,
    BridgeCoordinator,
    Coordinator,
    Customer,
)
from tests.simulation.product.workloads import ALL, Workload
from tests.simulation.product.world import LogWatch, World

JOB_S = 0.004
"""The longest time of a transaction."""


class Life:
    """A life from a seed, with the world that it made."""

    def __init__(
        self,
        seed: int,
        workload: Workload = ALL,
        *,
        nodes: int | None = None,
        ignored: Collection[str] = (),
    ) -> None:
        """`nodes`: the number of servers; None: the workload has it. `ignored`: rules."""
        self.seed = seed
        self.workload = workload
        self.nodes = nodes
        self.ignored = ignored
        self.world: World

    async def run(self, loop: SimulatedLoop) -> None:
        """Live it. Raises: Violation, or what the harness itself breaks by."""
        with tempfile.TemporaryDirectory(prefix="life-", dir=_memory_folder()) as folder:
            await self._run(loop, Path(folder))

    async def _run(self, loop: SimulatedLoop, folder: Path) -> None:
        chance, workload = loop.life, self.workload
        nodes = self.nodes or chance.choice(workload.nodes)
        loop.slowest_job_s = JOB_S
        world = self.world = World(
            loop,
            self.seed,
            folder,
            nodes=nodes,
            broker=chance.choice(workload.brokers) if nodes > 1 else "none",
            bridge=chance.choice(workload.bridges),
            packets_s=workload.packets_s,
            pieces=workload.pieces,
            pauses_s=workload.pauses_s,
        )
        world.ignored = self.ignored
        watch = LogWatch(world)
        logging.getLogger().addHandler(watch)
        try:
            await self._live(world)
        finally:
            logging.getLogger().removeHandler(watch)
        if world.failure is not None:
            raise world.failure

    async def _live(self, world: World) -> None:
        chance, workload = world.chance, self.workload
        world.balancer.start()
        for program in world.programs:
            program.start()
        await asyncio.sleep(1.0)
        customers = [
            Customer(world, f"u{n}", chance.choice(workload.devices))
            for n in range(1, chance.choice(workload.customers) + 1)
        ]
        devices = [device for customer in customers for device in customer.devices]
        coordinators: list[Coordinator] = [
            kind(world, name)
            for kind, name in zip(workload.coordinators, ("ana", "eva"), strict=False)
        ]
        if world.bridge is not None:
            coordinators = [BridgeCoordinator(world, "bob"), *coordinators[: chance.randint(0, 1)]]
        for coordinator in coordinators:
            coordinator.start()
        watching = asyncio.create_task(world.watch())
        acting = [asyncio.ensure_future(workload.act(device)) for device in devices]
        acting += [asyncio.create_task(fault) for fault in workload.faults(world, devices)]
        await self._until_failed(world, asyncio.sleep(workload.action_s))
        for task in acting:
            task.cancel()
        await asyncio.wait(acting)
        for coordinator in coordinators:
            coordinator.is_done = True
        for task in acting:
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error
        if world.failure is None:
            await self._settle(world, customers)
        watching.cancel()

    async def _until_failed(self, world: World, work: Awaitable[None]) -> None:
        failed = asyncio.ensure_future(world.failed.wait())
        doing = asyncio.ensure_future(work)
        await asyncio.wait({failed, doing}, return_when=asyncio.FIRST_COMPLETED)
        failed.cancel()
        if not doing.done():
            doing.cancel()
            await asyncio.wait({doing})

    async def _settle(self, world: World, customers: list[Customer]) -> None:
        """Make everything work again, wait until everyone is complete, and compare."""
        world.mend_all()
        for program in world.programs:
            await program.wait_until_stopped()
            if not program.is_up:
                program.start()
        await self._until_complete(world, customers)
        for customer in customers:
            for device in customer.devices:
                device.open()
        await self._until_complete(world, customers)

    async def _until_complete(self, world: World, customers: list[Customer]) -> None:
        """Wait until all who are there have everything."""
        wrong: list[str] = []

        async def wait() -> None:
            nonlocal wrong
            until = world.loop.now + self.workload.quiet_s
            while world.loop.now < until:
                await asyncio.sleep(2.0)
                wrong = await self._wrong(world, customers)
                if not wrong:
                    await asyncio.sleep(1.0)
                    wrong = await self._wrong(world, customers)
                    if not wrong:
                        return

        await self._until_failed(world, wait())
        if world.failure is None and wrong:
            world.fail("everyone is complete once the network is whole", wrong[0])

    async def _wrong(self, world: World, customers: list[Customer]) -> list[str]:
        wrong: list[str] = []
        async with world.store() as store:
            for customer in customers:
                owner = Owner(BusinessId(BUSINESS), UserId(customer.name))
                loaded = await store.latest(owner)
                if loaded is None:
                    wrong += [f"{d.name} waits" for d in customer.present if d.waiting]
                    continue
                session_id = loaded.session.session_id
                log: list[Entry] = []
                while page := await store.page(session_id, after=len(log), limit=50):
                    log.extend(page)
                wrong += await self._wrong_of(world, customer, owner, loaded, log)
        return wrong

    async def _wrong_of(
        self, world: World, customer: Customer, owner: Owner, loaded: Loaded, log: list[Entry]
    ) -> list[str]:
        """Check one log at once for what can never be right, and return what is not right yet."""
        session = loaded.session
        by_id: dict[str, int] = {}
        answered: set[str] = set()
        words: list[str] = []
        texts: Counter[str] = Counter()
        status = Status.AI
        for entry in log:
            if not isinstance(entry, Message):
                status = entry.status
                continue
            if entry.author is Author.AI and status is not Status.AI:
                world.fail("nobody talks over a human", f"{customer.name}: {entry.text}")
            if entry.author is Author.USER:
                if entry.message_id in by_id:
                    world.fail("a message is stored once", f"{customer.name} {entry.message_id}")
                by_id[entry.message_id] = entry.seq
                texts[entry.text] += 1
            elif entry.author is Author.AI and not entry.failed:
                again = answered & set(entry.in_reply_to)
                if again:
                    world.fail("acknowledged is answered once", f"{customer.name} {again}")
                answered |= set(entry.in_reply_to)
            elif entry.author is Author.COORDINATOR:
                words.append(entry.text)
        for message_id, (session_id, seq) in customer.acknowledged.items():
            if session_id == session.session_id and by_id.get(message_id) != seq:
                world.fail(
                    "acknowledged is stored",
                    f"{customer.name} {message_id} at {seq}, not {by_id.get(message_id)}",
                )
        self._check_words(world, customer, words)
        received = await self._at_bridge(world, owner)
        relayed = Counter(received or ())
        for text, count in texts.items():
            # Of two echoes nobody but who has relayed it twice can know that they are one.
            if count > max(1, relayed[text]):
                world.fail("an echo is no new message", f"{customer.name}: {text}")
        wrong = [
            f"{customer.name} has never had {word.text!r}"
            for word in world.words.get(customer.name, ())
            if word.is_acknowledged and word.text not in words
        ]
        wrong += self._unheard(customer, log, received)
        if session.status is Status.AI and session.needs_answer:
            wrong.append(f"{customer.name} has no answer")
        for device in customer.present:
            if device.waiting:
                wrong.append(f"{device.name} has no acknowledgement of {list(device.waiting)}")
            missing = [
                entry.seq
                for entry in log
                if (session.session_id, entry.seq) not in device.entries
                and not (isinstance(entry, Message) and entry.message_id in device.own)
            ]
            if missing:
                wrong.append(f"{device.name} was not shown {missing} of {len(log)}")
        return wrong

    async def _at_bridge(self, world: World, owner: Owner) -> list[str] | None:
        """Return what the bridge has received of a customer's words; None: there is none."""
        if world.bridge_kind == "plain":
            events = world.plain.events
            while not events.empty():
                world.received.append(events.get_nowait())
            topic = live_chat_topic(owner)
            return [
                received.payload["message"]
                for received in world.received
                if received.where == topic and received.what == "user_message"
            ]
        if world.bridge_kind == "reference":
            async with SqliteBridgeStore(world.folder / "bridge.sqlite3") as store:
                found = await store.recent_messages(live_transcript_key(owner), 10_000)
                return [each.text for each in found if each.author is Author.USER]
        return None

    def _unheard(
        self, customer: Customer, log: list[Entry], received: list[str] | None
    ) -> list[str]:
        """Return what is wrong with what the bridge has received of a customer's words."""
        if received is None:
            return []
        status, expected = Status.AI, []
        for entry in log:
            if not isinstance(entry, Message):
                status = entry.status
            elif entry.author is Author.USER and status in (Status.WAITING, Status.LIVE):
                expected.append(entry.text)
        first = list(dict.fromkeys(text for text in received if text in set(expected)))
        expected = list(dict.fromkeys(expected))
        if first == expected:
            return []
        return [f"the bridge has received {first} of {customer.name}, not {expected}"]

    def _check_words(self, world: World, customer: Customer, words: list[str]) -> None:
        said = world.words.get(customer.name, [])
        if len(set(words)) < len(words):
            world.fail("a coordinator's word is shown once", f"{customer.name} {words}")
        order = [word.text for word in said]
        for coordinator in ("ana", "bob"):
            theirs = [word for word in words if f"] {coordinator} says" in word]
            expected = [word for word in order if word in theirs]
            if [word for word in theirs if word in expected] != expected:
                world.fail("coordinators' words keep their order", f"{customer.name} {theirs}")


def _memory_folder() -> str | None:
    """Return a folder in memory, where there is one: a disk would be slower, no more."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
