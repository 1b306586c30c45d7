"""One node of several listens to each chat; when nodes come, go or lose the broker, chats move."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import NamedTuple

from application.arrivals import LEFT
from application.bridge_inbox import HANDOVER_S, LONGEST_STORE_PAUSE_S, BridgeInbox
from application.chat_owners import ALONE_AFTER_S, ChatOwners
from application.hub import Hub
from application.ports import (
    Broker,
    BrokerListener,
    Grown,
    Hint,
    InboundMessage,
    TopicJoined,
    Typing,
)
from application.transfers import Transfers
from domain.identity import Customer, customer
from domain.message import Author
from domain.texts import Text, localized
from entrypoints.server.container import Container
from entrypoints.settings import Settings
from tests.support.assistants import ScriptedSteps
from tests.support.clock import VirtualClock
from tests.support.faults import FaultyStore
from tests.support.gateway import MemoryGateway
from tests.support.harness import App, User, harness

CUSTOMERS = [customer("b1", f"u{number}") for number in range(2_000)]


class Cluster:
    """The nodes, and what they send to each other, which arrives at once."""

    def __init__(self) -> None:
        self.brokers: dict[str, ClusterBroker] = {}
        self.loses_hints = False

    def join(self, node: str) -> "ClusterBroker":
        """Return the broker of a new node."""
        self.brokers[node] = ClusterBroker(self, node)
        self.changed()
        return self.brokers[node]

    def leave(self, node: str) -> None:
        """End a node, or have it declared dead."""
        del self.brokers[node]
        self.changed()

    def changed(self) -> None:
        for broker in self.brokers.values():
            if broker.listener is not None:
                broker.listener.on_nodes_changed()


class ClusterBroker(Broker):
    """One node's broker."""

    def __init__(self, cluster: Cluster, node: str) -> None:
        self._cluster = cluster
        self._node = node
        self._customers: set[Customer] = set()
        self.listener: BrokerListener | None = None
        self.away = False

    @property
    def node(self) -> str:
        return self._node

    @property
    def nodes(self) -> Collection[str]:
        return list(self._cluster.brokers)

    @property
    def is_away(self) -> bool:
        return self.away

    def listen(self, listener: BrokerListener) -> None:
        self.listener = listener

    def subscribe(self, customer: Customer) -> None:
        self._customers.add(customer)

    def unsubscribe(self, customer: Customer) -> None:
        self._customers.discard(customer)

    def is_subscribed(self, customer: Customer) -> bool:
        return customer in self._customers

    def publish(self, customer: Customer, hint: Hint, node: str | None = None) -> None:
        for name, broker in self._cluster.brokers.items():
            is_receiver = customer in broker._customers or name == node
            if broker is not self and is_receiver and not self._cluster.loses_hints:
                assert broker.listener is not None
                broker.listener.on_hint(customer, hint)


class Node(NamedTuple):
    """One process."""

    app: App
    owners: ChatOwners
    inbox: BridgeInbox
    transfers: Transfers
    gateway: MemoryGateway
    counted: list[str]


class Nodes:
    """Processes on one store."""

    def __init__(self, first: App, cluster: Cluster) -> None:
        self._first = first
        self.cluster = cluster
        self.all: dict[str, Node] = {}

    async def start(self, name: str) -> Node:
        """Start one more process."""
        broker = self.cluster.join(name)
        owners = ChatOwners(broker, self._first.clock)
        app = self._first.another(hub=Hub(broker, chat_owner=owners.owner))
        counted: list[str] = []

        def is_joined(who: Customer) -> bool | None:
            return app.gateway.is_joined(who) if owners.is_mine(who) else None

        transfers = replace(app.transfers, is_joined=is_joined)
        inbox = BridgeInbox(
            gateway=app.gateway,
            session_log=app.session_log,
            hub=app.hub,
            owners=owners,
            clock=app.clock,
            transfers=transfers,
            archive=app.store,
            jitter=lambda: 1.0,
            count=counted.append,
            count_left=lambda: None,
            max_ai_topics=10,
        )
        inbox.start()
        await inbox.refresh()
        self.all[name] = Node(app, owners, inbox, transfers, app.gateway, counted)
        return self.all[name]

    def of(self, who: Customer) -> tuple[Node, Node]:
        """Return the node that listens to the customer's chat, and another one."""
        owner = next(iter(self.all.values())).owners.owner(who)
        other = next(node for name, node in self.all.items() if name != owner)
        return self.all[owner], other

    def followers(self, who: Customer) -> set[str]:
        """Return the names of the nodes that follow the customer's topic."""
        return {name for name, node in self.all.items() if who in node.gateway.followed}

    async def settle(self) -> None:
        await self._first.settle()


@asynccontextmanager
async def nodes(*names: str, store: FaultyStore | None = None) -> AsyncIterator[Nodes]:
    async with harness(ScriptedSteps(["Cu plăcere."]), store) as app:
        running = Nodes(app, Cluster())
        for name in names:
            await running.start(name)
        await running.settle()
        yield running


async def asks(node: Node, number: int = 0) -> User:
    """Return a customer who has asked for a human at this node."""
    user = node.app.user("b1", f"u{number}")
    await user.join()
    await user.ask_for_human()
    return user


# The distribution.


def owners_of(cluster: Cluster) -> list[ChatOwners]:
    return [ChatOwners(broker, VirtualClock()) for broker in cluster.brokers.values()]


def test_all_nodes_agree_and_each_has_its_share() -> None:
    cluster = Cluster()
    for name in "abcd":
        cluster.join(name)
    everywhere = owners_of(cluster)
    shares = Counter(everywhere[0].owner(each) for each in CUSTOMERS)

    assert all(
        [each.owner(who) for each in everywhere] == [everywhere[0].owner(who)] * 4
        for who in CUSTOMERS
    )
    assert all(len(CUSTOMERS) / 5 < share < len(CUSTOMERS) / 3 for share in shares.values())


def test_only_the_chats_of_a_node_that_comes_or_goes_move() -> None:
    cluster = Cluster()
    for name in "abcd":
        cluster.join(name)
    owners = owners_of(cluster)[0]
    before = {who: owners.owner(who) for who in CUSTOMERS}
    cluster.leave("c")

    assert owners.update()
    assert all(owners.owner(who) == owner for who, owner in before.items() if owner != "c")
    cluster.join("c")
    assert owners.update()
    assert {who: owners.owner(who) for who in CUSTOMERS} == before
    assert not owners.update()


async def test_a_node_without_the_broker_listens_to_all_chats_after_a_while() -> None:
    cluster, clock = Cluster(), VirtualClock()
    broker = cluster.join("a")
    cluster.join("b")
    owners = ChatOwners(broker, clock)
    theirs = next(who for who in CUSTOMERS if owners.owner(who) == "b")

    broker.away = True
    assert not owners.update()
    await clock.advance(ALONE_AFTER_S - 0.1)
    assert not owners.update()
    await clock.advance(0.2)
    assert owners.update()
    assert owners.is_mine(theirs)
    broker.away = False
    assert owners.update()
    assert not owners.is_mine(theirs)


# The chats.


async def test_a_chat_that_begins_anywhere_is_followed_by_its_owner_alone() -> None:
    async with nodes("a", "b", "c") as running:
        for number in range(30):
            node = list(running.all.values())[number % 3]
            user = await asks(node, number)

            assert running.followers(user.customer) == {node.owners.owner(user.customer)}


async def test_a_conversation_with_the_ai_is_followed_by_its_owner_alone() -> None:
    async with nodes("a", "b") as running:
        user = running.all["a"].app.user("b1", "u0")
        await user.join()
        await user.say("Bună!")

        assert running.followers(user.customer) == {running.all["a"].owners.owner(user.customer)}


async def test_what_ends_anywhere_is_left_by_its_owner() -> None:
    async with nodes("a", "b") as running:
        user = await asks(running.all["a"])
        _, other = running.of(user.customer)
        await other.app.coordinator("maria").close(user)
        closed = running.followers(user.customer)
        await asks(other)
        await other.app.privacy.erase(user.customer)

        assert closed == set()
        assert running.followers(user.customer) == set()


async def test_the_owner_shows_the_typing_of_a_user_who_is_elsewhere() -> None:
    async with nodes("a", "b") as running:
        user = await asks(running.all["a"])
        owner, other = running.of(user.customer)
        other.app.hub.publish(user.customer, Typing(Author.USER, 6_000))

        assert owner.gateway.typing == [user.customer]
        assert other.gateway.typing == []


async def test_only_the_owner_stores_what_the_topic_brings() -> None:
    """Another process receives it too, while it has joined the topic to send."""
    async with nodes("a", "b") as running:
        user = await asks(running.all["a"])
        owner, other = running.of(user.customer)
        message = InboundMessage(author=Author.COORDINATOR, text="Bună, sunt Maria.")
        await other.gateway.receive(user.customer, message)
        ignored = await other.app.texts(user.customer, Author.COORDINATOR)
        await owner.gateway.receive(user.customer, message)

        assert ignored == []
        assert other.counted == []
        assert owner.counted == ["stored"]
        assert user.words[-1] == "Bună, sunt Maria."


async def test_the_chats_of_a_node_that_has_died_are_followed_at_once() -> None:
    async with nodes("a", "b", "c") as running:
        users = [await asks(running.all["a"], number) for number in range(12)]
        dead = running.all["a"].owners.owner(users[0].customer)
        del running.all[dead]
        running.cluster.leave(dead)
        await running.settle()

        for user in users:
            (left,) = running.followers(user.customer)
            assert left == running.all[left].owners.owner(user.customer)


async def test_a_new_node_follows_its_chats_before_another_leaves_them() -> None:
    async with nodes("a") as running:
        users = [await asks(running.all["a"], number) for number in range(12)]
        new = await running.start("b")
        await running.settle()
        moved = {user.customer for user in users if new.owners.is_mine(user.customer)}
        both = {user.customer for user in users if len(running.followers(user.customer)) == 2}
        await new.app.clock.advance(HANDOVER_S)

        assert moved
        assert both == moved
        assert new.gateway.followed == moved
        assert running.all["a"].gateway.followed == {u.customer for u in users} - moved


async def test_what_both_receive_while_a_chat_moves_is_stored_once() -> None:
    async with nodes("a") as running:
        users = [await asks(running.all["a"], number) for number in range(12)]
        new = await running.start("b")
        await running.settle()
        user = next(user for user in users if new.owners.is_mine(user.customer))
        for node in running.all.values():
            await node.gateway.join(user.customer)
        for text in ("Da", "Da", "Nu"):
            for node in running.all.values():
                message = InboundMessage(author=Author.COORDINATOR, text=text)
                await node.gateway.receive(user.customer, message)

        assert await new.app.texts(user.customer, Author.COORDINATOR) == ["Da", "Da", "Nu"]


async def moved(running: Nodes) -> tuple[User, Node, Node]:
    """Return a customer, the node that had the chat, and a new one that listens to it now."""
    before = running.all["a"]
    users = [await asks(before, number) for number in range(12)]
    new = await running.start("b")
    await running.settle()
    user = next(user for user in users if new.owners.is_mine(user.customer))
    for node in running.all.values():
        await node.gateway.join(user.customer)
    return user, before, new


def yes() -> InboundMessage:
    return InboundMessage(author=Author.COORDINATOR, text="Da")


async def test_what_is_still_to_be_stored_as_its_chat_is_left_is_stored_once() -> None:
    store = FaultyStore()
    async with nodes("a", store=store) as running:
        user, before, new = await moved(running)
        clock = before.app.clock
        store.go_down()
        storing = asyncio.create_task(before.gateway.receive(user.customer, yes()))
        await clock.advance(HANDOVER_S - 1)
        store.come_back()
        await new.gateway.receive(user.customer, yes())
        await clock.advance(2)
        left = running.followers(user.customer)
        await clock.advance(LONGEST_STORE_PAUSE_S)
        await storing

        assert left == {"b"}
        assert before.counted == ["duplicate"]
        assert await new.app.texts(user.customer, Author.COORDINATOR) == ["Da"]


async def test_what_came_before_a_join_was_handled_is_stored_once() -> None:
    """Events come one at a time: the one before the join may wait for the store."""
    async with nodes("a") as running:
        user, before, new = await moved(running)
        clock = before.app.clock
        await clock.advance(1)
        joined_at = clock.now()
        await before.gateway.receive(user.customer, yes())
        await clock.advance(1)
        await new.gateway.receive(user.customer, TopicJoined(joined_at))
        await new.gateway.receive(user.customer, yes())

        assert new.counted == ["duplicate"]
        assert await new.app.texts(user.customer, Author.COORDINATOR) == ["Da"]


async def test_what_comes_late_to_who_only_sent_until_now_is_stored_once() -> None:
    async with nodes("a", "b") as running:
        user = await asks(running.all["a"])
        owner, other = running.of(user.customer)
        await other.gateway.join(user.customer)
        await other.app.clock.advance(1)
        await owner.gateway.receive(user.customer, yes())
        await other.app.clock.advance(1)
        running.cluster.leave(owner.app.hub.node)
        await running.settle()
        await other.gateway.receive(user.customer, yes())

        assert other.counted == ["duplicate"]


async def test_what_was_left_to_another_process_stands_for_no_later_words() -> None:
    async with nodes("a", "b") as running:
        user = await asks(running.all["a"])
        owner, other = running.of(user.customer)
        await other.gateway.join(user.customer)
        await other.app.clock.advance(1)
        for node in (owner, other):
            await node.gateway.receive(user.customer, yes())
        running.cluster.leave(owner.app.hub.node)
        await running.settle()
        await other.gateway.receive(user.customer, yes())

        assert await other.app.texts(user.customer, Author.COORDINATOR) == ["Da", "Da"]


async def test_what_was_left_to_a_process_that_has_died_is_stored_by_who_follows_the_topic() -> (
    None
):
    """The topic stays joined: an application that replays what was missed does not do so."""
    async with nodes("a", "b") as running:
        user = await asks(running.all["a"])
        owner, other = running.of(user.customer)
        await other.gateway.join(user.customer)
        await other.app.clock.advance(1)
        await other.gateway.receive(user.customer, yes())
        running.cluster.leave(owner.app.hub.node)
        await running.settle()
        await other.gateway.receive(user.customer, TopicJoined(was_joined=True))

        assert other.counted == ["stored"]
        assert await other.app.texts(user.customer, Author.COORDINATOR) == ["Da"]


async def test_what_was_left_to_a_process_that_has_stored_it_is_stored_once() -> None:
    async with nodes("a", "b") as running:
        user = await asks(running.all["a"])
        owner, other = running.of(user.customer)
        await other.gateway.join(user.customer)
        await other.app.clock.advance(1)
        for _ in range(2):
            for node in (owner, other):
                await node.gateway.receive(user.customer, yes())
        running.cluster.leave(owner.app.hub.node)
        await running.settle()
        await other.gateway.receive(user.customer, TopicJoined(was_joined=True))
        left = await other.app.texts(user.customer, Author.COORDINATOR)
        await other.gateway.receive(user.customer, yes())

        assert left == ["Da"] * 2
        assert other.counted == ["duplicate", "duplicate", "stored"]


async def test_what_was_left_long_ago_is_not_stored() -> None:
    async with nodes("a", "b") as running:
        user = await asks(running.all["a"])
        owner, other = running.of(user.customer)
        await other.gateway.join(user.customer)
        await other.gateway.receive(user.customer, yes())
        await other.app.clock.advance(LEFT.total_seconds() + 1)
        running.cluster.leave(owner.app.hub.node)
        await running.settle()
        await other.gateway.receive(user.customer, TopicJoined(was_joined=True))

        assert other.counted == []


async def test_a_chat_that_is_left_while_its_entries_are_read_is_not_followed_again() -> None:
    store = FaultyStore()
    async with nodes("a", store=store) as running:
        user, before, _ = await moved(running)
        session_id = (await before.app.head(user.customer)).session_id
        reading = store.hold_answer("latest")
        before.app.hub.on_hint(user.customer, Grown(session_id, 99))
        await reading.reached.wait()
        await before.app.clock.advance(HANDOVER_S)
        left = running.followers(user.customer)
        reading.release()
        await running.settle()

        assert left == running.followers(user.customer) == {"b"}


async def test_without_the_broker_every_node_follows_every_chat_and_afterwards_one() -> None:
    async with nodes("a", "b") as running:
        user = await asks(running.all["a"])
        for broker in running.cluster.brokers.values():
            broker.away = True
        for seconds in (0.0, ALONE_AFTER_S):
            await running.all["a"].app.clock.advance(seconds)
            for node in running.all.values():
                node.inbox.check_owners()
        await running.settle()
        alone = running.followers(user.customer)
        for broker in running.cluster.brokers.values():
            broker.away = False
        for node in running.all.values():
            node.inbox.check_owners()
        await running.all["a"].app.clock.advance(HANDOVER_S)

        assert alone == {"a", "b"}
        assert len(running.followers(user.customer)) == 1


async def test_lost_hints_are_made_good_when_the_broker_reports_a_loss() -> None:
    async with nodes("a", "b") as running:
        running.cluster.loses_hints = True
        users = [await asks(running.all["a"], number) for number in range(12)]
        lost = [user.customer for user in users if running.followers(user.customer) == set()]
        for broker in running.cluster.brokers.values():
            assert broker.listener is not None
            broker.listener.on_missed(None)
        await running.settle()

        assert lost
        assert all(running.followers(who) == {"b"} for who in lost)


async def test_an_entry_too_large_for_a_hint_is_read_by_the_owner() -> None:
    async with nodes("a", "b") as running:
        running.cluster.loses_hints = True
        user = await asks(running.all["a"])
        owner, _ = running.of(user.customer)
        head = await owner.app.head(user.customer)
        owner.gateway.followed.clear()
        owner.app.hub.on_hint(user.customer, Grown(head.session_id, head.seq))
        await running.settle()

        assert user.customer in owner.gateway.followed


# What the user is told.


async def test_that_a_request_delivered_elsewhere_has_arrived_is_told_by_the_owner() -> None:
    async with nodes("a", "b") as running:
        user = await asks(running.all["a"])
        owner, other = running.of(user.customer)
        transfer = (await other.app.head(user.customer)).transfer
        assert transfer is not None
        await owner.gateway.lose(user.customer)
        await owner.gateway.join(user.customer)
        before = user.words[-1]
        await other.transfers.record_delivery(user.customer, transfer.transfer_id)
        await running.settle()

        assert before == localized("ro", Text.UNREACHABLE)
        assert await owner.app.texts(user.customer, Author.SYSTEM) == [
            localized("ro", text) for text in (Text.REQUESTED, Text.UNREACHABLE, Text.REACHED)
        ]


async def test_a_process_that_does_not_listen_says_neither_that_a_chat_is_reached_nor_not() -> None:
    async with nodes("a", "b") as running:
        user = await asks(running.all["a"])
        owner, other = running.of(user.customer)
        await owner.app.coordinator("maria").take_over(user)
        await user.say("Alo?")
        before = await other.app.texts(user.customer, Author.SYSTEM)
        owner.gateway.unavailable.add(user.customer)
        other.gateway.unavailable.add(user.customer)
        await other.transfers.notify_unreachable(user.customer)
        silent = await other.app.texts(user.customer, Author.SYSTEM)
        await owner.gateway.lose(user.customer)

        assert silent == before
        assert await other.app.texts(user.customer, Author.SYSTEM) == [
            *before,
            localized("ro", Text.NOT_RELAYED),
        ]


def test_the_container_knows_of_topics_that_are_another_process_s() -> None:
    cluster = Cluster()
    container = Container(settings=Settings(bridge="elixir", store="memory"))
    container.broker.override(cluster.join("a"))
    cluster.join("b")
    owners, transfers = container.chat_owners(), container.transfers()
    owners.update()
    mine, theirs = (
        next(who for who in CUSTOMERS if owners.owner(who) == node) for node in ("a", "b")
    )

    assert transfers.is_joined(mine) is False
    assert transfers.is_joined(theirs) is None
