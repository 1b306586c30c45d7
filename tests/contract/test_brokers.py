"""The contract of all brokers between processes, on real servers."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest

from adapters.broker.channels import ChannelBroker, Channels
from adapters.broker.local import LocalChannels, LocalSwitch
from adapters.broker.redis import MAX_QUEUED, MAX_QUEUED_BYTES, RedisChannels
from adapters.system import SystemClock
from application.ports import (
    AnswerRequested,
    AnswerSoFar,
    Appended,
    BrokerListener,
    CustomerErased,
    Delta,
    Grown,
    Hint,
    QueuePlace,
    StopRequested,
    Typing,
)
from domain.identity import Customer, MessageId, SessionId, customer
from domain.message import Author, Message, StatusChange
from domain.status import Reason, Status
from tests.support.redis_server import RedisServer, redis_server, valkey_server
from tests.support.server import free_port
from tests.support.tcp_proxy import TcpProxy

ANA, DAN = customer("b1", "ana"), customer("b1", "dan")
SESSION = SessionId("s1")
NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
PATIENCE_S = 10.0


@dataclass
class Received(BrokerListener):
    """All that a broker's listener was called with."""

    hints: list[tuple[Customer, Hint]] = field(default_factory=list)
    missed: list[Customer | None] = field(default_factory=list)
    nodes_changed: int = 0
    something: asyncio.Event = field(default_factory=asyncio.Event)

    def on_hint(self, customer: Customer, hint: Hint) -> None:
        self.hints.append((customer, hint))
        self.something.set()

    def on_missed(self, customer: Customer | None) -> None:
        self.missed.append(customer)
        self.something.set()

    def on_nodes_changed(self) -> None:
        self.nodes_changed += 1
        self.something.set()

    async def until(self, is_so: Callable[[], object]) -> None:
        """Wait until it is so."""
        async with asyncio.timeout(PATIENCE_S):
            while not is_so():
                self.something.clear()
                await self.something.wait()

    @property
    def texts(self) -> list[str]:
        """The texts of all messages and pieces, in order."""
        found = []
        for _, hint in self.hints:
            if isinstance(hint, Appended):
                found += [entry.text for entry in hint.entries]
            elif isinstance(hint, Delta):
                found.append(hint.text)
        return found


_numbers = count(1)


class Network:
    """A network between brokers, whose middle can fail."""

    def channels(self) -> Channels:
        """Return a node's end of it."""
        raise NotImplementedError

    async def interrupt(self) -> None:
        """End all connections; they can be opened again at once."""
        raise NotImplementedError

    async def restart(self) -> None:
        """End the middle, and start it again without what it knew."""
        raise NotImplementedError

    @asynccontextmanager
    async def node(self, name: str | None = None) -> AsyncIterator[tuple[ChannelBroker, Received]]:
        """Yield a broker that is connected, and what it receives."""
        received = Received()
        broker = ChannelBroker(name or f"node-{next(_numbers)}", self.channels(), SystemClock())
        broker.listen(received)
        async with broker:
            yield broker, received


class RedisNetwork(Network):
    """A Redis or Valkey server; nodes reach it at `port`, if that is another one than its own."""

    def __init__(self, server: RedisServer, port: int | None = None) -> None:
        self.server = server
        self.port = port or server.port
        self._database = next(_numbers) % 16

    def channels(self) -> Channels:
        return RedisChannels(f"redis://127.0.0.1:{self.port}/{self._database}", lambda: 0.0)

    async def interrupt(self) -> None:
        for kind in ("pubsub", "normal"):
            self.server.call("CLIENT", "KILL", "TYPE", kind)

    async def restart(self) -> None:
        self.server.kill()
        self.server.start()


class LocalNetwork(Network):
    """A switch in this process, and its clients."""

    def __init__(self, path: Path) -> None:
        self._path = path / "switch"
        self._switch = LocalSwitch(self._path)

    async def __aenter__(self) -> "LocalNetwork":
        await self._switch.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._switch.__aexit__()

    def channels(self) -> Channels:
        return LocalChannels(self._path, lambda: 0.0)

    async def interrupt(self) -> None:
        await self.restart()

    async def restart(self) -> None:
        await self._switch.__aexit__()
        self._switch = LocalSwitch(self._path)
        await self._switch.__aenter__()


@pytest.fixture(scope="module")
def servers() -> Iterator[Callable[[str], RedisServer]]:
    """A function that starts each kind of server at its first use."""
    running: dict[str, tuple[AbstractContextManager[RedisServer], RedisServer]] = {}

    def server(kind: str) -> RedisServer:
        if kind not in running:
            manager = redis_server() if kind == "redis" else valkey_server()
            running[kind] = manager, manager.__enter__()
        return running[kind][1]

    yield server
    for manager, _ in running.values():
        manager.__exit__(None, None, None)


@pytest.fixture(params=["local", "redis", "valkey"])
async def network(
    request: pytest.FixtureRequest, tmp_path: Path, servers: Callable[[str], RedisServer]
) -> AsyncIterator[Network]:
    """Each network."""
    if request.param == "local":
        async with LocalNetwork(tmp_path) as local:
            yield local
    else:
        yield RedisNetwork(servers(request.param))


@asynccontextmanager
async def pair(
    network: Network,
) -> AsyncIterator[tuple[ChannelBroker, ChannelBroker, Received]]:
    """Yield two brokers, the second of which has subscribed to Ana, and what it receives."""
    async with network.node() as (first, _), network.node() as (second, received):
        second.subscribe(ANA)
        await received.until(lambda: second.is_subscribed(ANA))
        await received.until(lambda: ANA in received.missed)
        yield first, second, received


def message(seq: int, text: str = "Bună!", **more: Any) -> Message:
    return Message(
        seq=seq,
        message_id=MessageId(f"m{seq}"),
        author=Author.USER,
        text=text,
        at=NOW,
        **more,
    )


def said(number: int) -> Appended:
    return Appended(SESSION, (message(number, str(number)),))


TAKEOVER = Appended(
    SESSION,
    (StatusChange(seq=3, status=Status.LIVE, epoch=2, reason=Reason.COORDINATOR, at=NOW),),
)
HINTS: list[Hint] = [
    said(1),
    Appended(
        SESSION,
        (
            message(2, actions=({"type": "live_chat", "status": "waiting"},)),
            StatusChange(seq=3, status=Status.WAITING, epoch=1, reason=Reason.USER_REQUEST, at=NOW),
            message(4, in_reply_to=(MessageId("m2"),), settles_seq=2),
        ),
    ),
    Grown(SESSION, 9),
    AnswerSoFar(SESSION, MessageId("r1"), 2, 1, "Pân\u0103 acum"),
    AnswerRequested(),
    StopRequested(SessionId("s1"), 3),
    Typing("coordinator", 6_000),
    QueuePlace(3, 120),
    QueuePlace(1, None),
    CustomerErased(),
]


async def test_every_hint_arrives_as_it_was_published(network: Network) -> None:
    async with pair(network) as (first, _, received):
        for hint in HINTS:
            first.publish(ANA, hint)
        await received.until(lambda: len(received.hints) == len(HINTS))

    assert received.hints == [(ANA, hint) for hint in HINTS]


async def test_hints_of_a_customer_arrive_in_order(network: Network) -> None:
    async with pair(network) as (first, _, received):
        for number in range(1, 2_001):
            first.publish(ANA, said(number))
        await received.until(lambda: len(received.hints) == 2_000)

    assert received.texts == [str(number) for number in range(1, 2_001)]


async def test_nobody_receives_their_own_hints_or_another_customers(network: Network) -> None:
    async with pair(network) as (first, second, received):
        second.publish(ANA, said(1))
        first.publish(DAN, said(2))
        first.publish(ANA, said(3))
        await received.until(lambda: received.hints)

    assert received.texts == ["3"]


async def test_a_hint_goes_to_the_node_that_it_is_sent_to(network: Network) -> None:
    async with pair(network) as (first, second, received):
        first.publish(DAN, said(1), second.node)
        await received.until(lambda: received.hints)

    assert received.hints == [(DAN, said(1))]


async def test_pieces_of_an_answer_arrive_joined_and_before_what_follows(network: Network) -> None:
    async with pair(network) as (first, _, received):
        for offset in range(0, 10, 2):
            first.publish(ANA, Delta(SESSION, MessageId("r1"), 1, 1, offset, "da"))
        first.publish(ANA, said(7))
        await received.until(lambda: len(received.hints) == 2)

    assert received.hints[0][1] == Delta(SESSION, MessageId("r1"), 1, 1, 0, "dadadadada")
    assert received.texts[1] == "7"


async def test_entries_too_large_for_a_hint_arrive_as_their_seq(network: Network) -> None:
    async with pair(network) as (first, _, received):
        first.publish(ANA, Appended(SESSION, (message(1, "a" * 8_000), message(2, "ș" * 8_000))))
        await received.until(lambda: received.hints)

    assert received.hints == [(ANA, Grown(SESSION, 2))]


async def test_a_change_of_owner_is_published_again(network: Network) -> None:
    async with pair(network) as (first, _, received):
        first.publish(ANA, TAKEOVER)
        await received.until(lambda: len(received.hints) == 2)

    assert received.hints == [(ANA, TAKEOVER)] * 2


async def test_after_a_lost_connection_something_may_be_missed(network: Network) -> None:
    async with pair(network) as (first, second, received):
        received.missed.clear()
        await network.interrupt()
        await received.until(lambda: ANA in received.missed)
        await received.until(lambda: second.is_subscribed(ANA))
        await _published(first, received)

    assert None in received.missed  # of the node's own channel


async def test_after_a_restart_the_network_is_as_before(network: Network) -> None:
    async with pair(network) as (first, second, received):
        received.missed.clear()
        await network.restart()
        await received.until(lambda: ANA in received.missed and second.is_subscribed(ANA))
        await _published(first, received)


async def _published(first: ChannelBroker, received: Received) -> None:
    """Publish until something arrives: the other end may not be connected again yet."""
    received.hints.clear()
    async with asyncio.timeout(PATIENCE_S):
        for number in count(1):
            first.publish(ANA, said(number))
            await asyncio.sleep(0.05)
            if received.hints:
                return


async def test_a_customer_who_was_left_is_not_subscribed(network: Network) -> None:
    async with pair(network) as (first, second, received):
        second.unsubscribe(ANA)
        second.subscribe(DAN)
        await received.until(lambda: second.is_subscribed(DAN))
        first.publish(ANA, said(1))
        first.publish(DAN, said(2))
        await received.until(lambda: received.hints)

        assert not second.is_subscribed(ANA)
    assert received.texts == ["2"]


async def test_a_customer_who_is_left_and_followed_again_is_confirmed_again(
    network: Network,
) -> None:
    async with pair(network) as (first, second, received):
        received.missed.clear()
        second.unsubscribe(ANA)
        second.subscribe(ANA)
        assert not second.is_subscribed(ANA)
        await received.until(lambda: ANA in received.missed)
        first.publish(ANA, said(1))
        await received.until(lambda: received.hints)

        assert second.is_subscribed(ANA)


async def test_nodes_know_each_other_until_they_leave(network: Network) -> None:
    async with network.node("one") as (one, received):
        async with network.node("two") as (two, others):
            await received.until(lambda: "two" in one.nodes)
            await others.until(lambda: "one" in two.nodes)
            changes = received.nodes_changed
        await received.until(lambda: received.nodes_changed > changes)

        assert set(one.nodes) == {"one"}


async def test_a_network_that_is_not_there_holds_up_nobody(tmp_path: Path) -> None:
    received = Received()
    broker = ChannelBroker("one", LocalChannels(tmp_path / "nothing", lambda: 0.0), SystemClock())
    broker.listen(received)
    async with broker:
        broker.subscribe(ANA)
        for number in range(100_000):
            broker.publish(ANA, said(number))

        assert broker.is_away
        assert not broker.is_subscribed(ANA)
        assert set(broker.nodes) == {"one"}


async def test_what_is_published_while_a_connection_closes_is_dropped(tmp_path: Path) -> None:
    async with LocalNetwork(tmp_path) as network, network.node() as (broker, received):
        await received.until(lambda: not broker.is_away)
        channels = broker._channels
        channels.reconnect()

        assert not channels.publish("c", b"x")


async def test_a_switch_that_does_not_read_holds_up_no_end(tmp_path: Path) -> None:
    path = tmp_path / "switch"
    channels = LocalChannels(path, lambda: 0.0)
    channels.listen(ChannelBroker("one", channels, SystemClock()))
    with socket.socket(socket.AF_UNIX) as switch:
        switch.bind(str(path))
        switch.listen()
        async with asyncio.timeout(PATIENCE_S), channels:
            await _until(lambda: channels.publish("customer:b1:ana", b""))
            for _ in range(100):
                channels.publish("customer:b1:ana", b"x" * 64_000)


async def test_a_server_that_stands_still_is_away_and_its_publishers_do_not_wait(
    servers: Callable[[str], RedisServer],
) -> None:
    network = RedisNetwork(servers("redis"))
    async with pair(network) as (first, second, received):
        network.server.pause()
        try:
            loop = asyncio.get_running_loop()
            began = loop.time()
            for number in range(50_000):
                first.publish(ANA, said(number))
                if number % 1_000 == 0:
                    await asyncio.sleep(0)
            published_s = loop.time() - began
            await _until(lambda: first.is_away and second.is_away)
            away_s = loop.time() - began
            assert not second.is_subscribed(ANA)
            assert {first.node, second.node} <= set(first.nodes)  # as they were known last
        finally:
            network.server.resume()
        await _until(lambda: second.is_subscribed(ANA) and not first.is_away)
        await _published(first, received)

    assert published_s < away_s < 2.5


async def _until(is_so: Callable[[], bool]) -> None:
    """Look until it is so: of being away, nobody is notified."""
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_two_servers_on_one_redis_are_separated_by_its_database(
    servers: Callable[[str], RedisServer],
) -> None:
    one, other = (RedisNetwork(servers("redis")) for _ in range(2))
    async with pair(one) as (first, _, received), other.node() as (stranger, _):
        stranger.publish(ANA, said(1))
        first.publish(ANA, said(2))
        await received.until(lambda: received.hints)

        assert stranger.node not in first.nodes
    assert received.texts == ["2"]


async def test_what_is_no_hint_is_dropped(servers: Callable[[str], RedisServer]) -> None:
    network = RedisNetwork(servers("redis"))
    async with pair(network) as (first, _, received):
        channel = f"ai-agent-server:{network._database}:customer:b1:ana"
        for text in ("{", "[]", '["x",1,"b1","ana","appended",["s1",[],[]]]', "[" * 5_000):
            network.server.call("PUBLISH", channel, text)
        network.server.call("PUBLISH", channel, '["x",1,"b1","ana","later",{"a":1}]')
        first.publish(ANA, said(1))
        await received.until(lambda: received.hints)

    assert received.texts == ["1"]


@pytest.mark.parametrize(
    "hint",
    [b"{", b'["x",2,"b1","ana","appended",["s1",[],[{"seq":1,"status":"later"}]]]'],
)
async def test_a_hint_that_cannot_be_read_may_be_of_a_later_version_and_is_missed(
    network: Network, hint: bytes
) -> None:
    async with pair(network) as (first, _, received):
        before = received.missed.count(ANA)
        first._channels.publish("customer:b1:ana", hint)
        await received.until(lambda: received.missed.count(ANA) > before)


async def test_what_is_published_while_the_connection_is_lost_is_made_good(
    network: Network,
) -> None:
    async with pair(network) as (first, _, received):
        await network.interrupt()
        first.publish(ANA, said(7))
        await received.until(lambda: received.hints)
        await received.until(
            lambda: any(hint in (said(7), Grown(SESSION, 7)) for _, hint in received.hints)
        )


async def test_a_node_that_leaves_sends_first_what_it_has_published(network: Network) -> None:
    async with network.node() as (second, received):
        second.subscribe(ANA)
        await received.until(lambda: second.is_subscribed(ANA))
        async with network.node("leaver") as (first, _):
            await received.until(lambda: "leaver" in second.nodes)
            for number in range(3_000):
                first.publish(ANA, said(number))
        await received.until(lambda: "leaver" not in second.nodes)

    assert len(received.hints) == 3_000


# The switch alone: what nobody else follows is not sent.


def _wants(broker: ChannelBroker) -> bool:
    """Return True if another node of the switch may follow Ana, as far as this one knows."""
    return broker._channels.is_wanted("customer:b1:ana")


async def test_hints_are_wanted_while_another_client_of_the_switch_follows(tmp_path: Path) -> None:
    async with LocalNetwork(tmp_path) as network, network.node() as (first, received):
        first.subscribe(ANA)
        await received.until(lambda: first.is_subscribed(ANA))
        assert not _wants(first)

        async with network.node() as (second, others):
            assert _wants(second)
            second.subscribe(ANA)
            await others.until(lambda: second.is_subscribed(ANA))
            assert _wants(first)
            second.unsubscribe(ANA)
            await _until(lambda: not _wants(first))
            second.subscribe(ANA)
            await others.until(lambda: second.is_subscribed(ANA))
            assert _wants(first)
        await _until(lambda: not _wants(first))


async def test_of_more_clients_than_the_switch_can_tell_apart_all_follow_each_other(
    tmp_path: Path,
) -> None:
    async with LocalNetwork(tmp_path) as network, AsyncExitStack() as stack:
        nodes = [await stack.enter_async_context(network.node()) for _ in range(34)]
        (one, ones), (another, others) = nodes[-2:]
        one.subscribe(ANA)
        another.subscribe(ANA)
        await ones.until(lambda: one.is_subscribed(ANA))
        await others.until(lambda: another.is_subscribed(ANA))
        assert all(_wants(broker) for broker, _ in nodes)

        for broker, _ in nodes:
            broker.publish(ANA, said(1))
        await ones.until(lambda: len(ones.hints) == 33)
        await others.until(lambda: len(others.hints) == 33)


async def test_a_client_that_knows_nothing_of_the_others_sends_everything(tmp_path: Path) -> None:
    async with LocalNetwork(tmp_path) as network:
        (tmp_path / "switch.interest").unlink()
        async with network.node() as (first, _), network.node() as (second, received):
            assert _wants(first)
            second.subscribe(ANA)
            await received.until(lambda: second.is_subscribed(ANA))
            first.publish(ANA, said(1))
            await received.until(lambda: received.hints)


class Reader(Received):
    """What is received by one who reads the store whenever something may be missed."""

    def __init__(self, store: list[int]) -> None:
        super().__init__()
        self._store = store
        self.known = 0
        """The newest seq."""

    def on_hint(self, customer: Customer, hint: Hint) -> None:
        assert isinstance(hint, Grown)
        self.known = max(self.known, hint.seq)
        super().on_hint(customer, hint)

    def on_missed(self, customer: Customer | None) -> None:
        self.known = self._store[0]
        super().on_missed(customer)


async def test_who_begins_to_follow_while_something_is_stored_knows_of_it(tmp_path: Path) -> None:
    store, random = [0], Random(1)
    reader = Reader(store)
    async with LocalNetwork(tmp_path) as network, network.node() as (writer, received):
        writer.subscribe(ANA)
        await received.until(lambda: writer.is_subscribed(ANA))
        follower = ChannelBroker("follower", network.channels(), SystemClock())
        follower.listen(reader)
        async with follower:
            await reader.until(lambda: not follower.is_away)
            sent = 0
            for _ in range(500):
                reader.known = store[0]  # as at a join
                reader.missed.clear()
                follower.subscribe(ANA)
                if random.random() < 0.3:
                    await reader.until(lambda: reader.missed)
                for _ in range(random.randrange(6)):
                    await asyncio.sleep(0)
                store[0] += 1
                sent += _wants(writer)
                writer.publish(ANA, Grown(SESSION, store[0]))
                await reader.until(lambda: reader.missed and reader.known == store[0])
                follower.unsubscribe(ANA)
                for _ in range(random.randrange(6)):
                    await asyncio.sleep(0)

    assert 0 < sent < 500


# Redis alone: its queue, its refusals, and the way to it.


@pytest.fixture
async def proxy(servers: Callable[[str], RedisServer]) -> AsyncIterator[TcpProxy]:
    """A proxy before the Redis of the other tests."""
    async with TcpProxy(servers("redis").port) as proxy:
        yield proxy


@pytest.fixture
def beyond(servers: Callable[[str], RedisServer], proxy: TcpProxy) -> RedisNetwork:
    """The network of those who reach it through the proxy."""
    return RedisNetwork(servers("redis"), proxy.port)


@asynccontextmanager
async def distant(
    beyond: RedisNetwork,
) -> AsyncIterator[tuple[ChannelBroker, ChannelBroker, Received]]:
    """Yield as `pair`, the second one beyond the proxy."""
    near = RedisNetwork(beyond.server)
    near._database = beyond._database
    async with near.node() as (first, _), beyond.node() as (second, received):
        second.subscribe(ANA)
        await received.until(lambda: second.is_subscribed(ANA))
        await received.until(lambda: ANA in received.missed)
        yield first, second, received


async def test_what_waits_for_a_server_is_bounded_in_number_and_in_bytes() -> None:
    channels = RedisChannels("redis://127.0.0.1:1/0", lambda: 0.0)

    assert sum(channels.publish("c", b"x") for _ in range(MAX_QUEUED + 10)) == MAX_QUEUED

    channels = RedisChannels("redis://127.0.0.1:1/0", lambda: 0.0)
    large = b"x" * 1024 * 1024
    assert sum(channels.publish("c", large) for _ in range(50)) == MAX_QUEUED_BYTES // len(large)


async def test_after_a_queue_that_was_full_its_receivers_know_that_they_missed_something(
    servers: Callable[[str], RedisServer],
) -> None:
    network = RedisNetwork(servers("redis"))
    async with pair(network) as (first, _, received):
        received.missed.clear()
        for number in range(MAX_QUEUED + 100):
            first.publish(ANA, said(number))
        await received.until(lambda: len(received.hints) >= MAX_QUEUED - 10)  # there are beats
        first.publish(ANA, said(-1))
        await received.until(lambda: ANA in received.missed)


async def test_a_half_open_connection_is_away_within_a_second_and_a_half_until_it_is_replaced(
    proxy: TcpProxy, beyond: RedisNetwork
) -> None:
    async with distant(beyond) as (first, second, received):
        loop = asyncio.get_running_loop()
        proxy.half_open()
        began = loop.time()
        await _until(lambda: second.is_away)
        away_s = loop.time() - began
        assert not first.is_away
        connections = proxy.connections
        await _until(lambda: proxy.connections > connections)
        proxy.cut()
        proxy.heal()
        await _until(lambda: second.is_subscribed(ANA))
        await _published(first, received)

    assert away_s < 1.5


async def test_a_server_that_takes_200_ms_is_not_away(
    proxy: TcpProxy, beyond: RedisNetwork
) -> None:
    proxy.delay_s = 0.1  # there, and back
    async with distant(beyond) as (first, second, received):
        loop = asyncio.get_running_loop()
        end = loop.time() + 1.5
        while loop.time() < end:
            assert not second.is_away
            first.publish(ANA, said(1))
            await asyncio.sleep(0.05)
        await received.until(lambda: received.hints)


async def test_a_connection_with_a_backlog_is_away_until_what_comes_is_fresh(
    proxy: TcpProxy, beyond: RedisNetwork
) -> None:
    async with distant(beyond) as (first, second, received):
        proxy.bytes_per_s = 20_000
        for number in range(100):
            first.publish(ANA, Appended(SESSION, (message(number, "x" * 8_000),)))
        await _until(lambda: second.is_away)
        proxy.bytes_per_s = None
        await _until(lambda: second.is_subscribed(ANA))
        await _published(first, received)


def _limit_output(server: RedisServer, limits: str) -> None:
    server.call("CONFIG", "SET", "client-output-buffer-limit", limits)


async def test_who_does_not_read_is_disconnected_by_the_server_and_knows_it(
    proxy: TcpProxy, beyond: RedisNetwork
) -> None:
    _limit_output(beyond.server, "pubsub 262144 262144 1")
    try:
        async with distant(beyond) as (first, second, received):
            received.missed.clear()
            proxy.half_open()
            for number in range(1_500):
                first.publish(ANA, Appended(SESSION, (message(number, "x" * 12_000),)))
                if number % 100 == 0:
                    await asyncio.sleep(0.02)
            proxy.heal()
            await _until(lambda: ANA in received.missed and second.is_subscribed(ANA))
            await _published(first, received)
    finally:
        _limit_output(beyond.server, "pubsub 33554432 8388608 60")


@pytest.mark.parametrize("problem", ["unreachable", "password", "no_password"])
async def test_a_server_that_refuses_at_the_start_holds_up_nobody_and_is_logged_once(
    problem: str, servers: Callable[[str], RedisServer], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    server = servers("redis")
    port = free_port() if problem == "unreachable" else server.port
    if problem != "unreachable":
        server.kill()
        server.start("--requirepass", "right")
    try:
        given = "" if problem == "no_password" else ":wrong-secret@"
        channels = RedisChannels(f"redis://{given}127.0.0.1:{port}/0", lambda: 0.0)
        broker = ChannelBroker("one", channels, SystemClock())
        broker.listen(Received())
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with broker:
            assert loop.time() - began < 1.5
            assert broker.is_away
            await asyncio.sleep(1.0)  # attempts
    finally:
        if problem != "unreachable":
            server.kill()
            server.start()

    actions = [getattr(record, "action", None) for record in caplog.records]
    assert actions == ["broker_disconnected", "broker_away"]
    assert "wrong-secret" not in caplog.text + repr(broker) + str(
        [vars(record) for record in caplog.records]
    )


async def test_connections_that_are_given_up_leave_nothing_behind(
    servers: Callable[[str], RedisServer],
) -> None:
    before = asyncio.all_tasks()
    async with RedisNetwork(servers("redis")).node() as (broker, received):
        for _ in range(3):
            received.missed.clear()
            broker._channels.reconnect()
            await received.until(lambda: None in received.missed)
        broker._channels.reconnect()

    assert asyncio.all_tasks() <= before


async def test_a_server_that_stands_still_does_not_hold_up_the_end(
    servers: Callable[[str], RedisServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.broker.redis.REQUEST_S", 0.3)
    network = RedisNetwork(servers("redis"))
    loop = asyncio.get_running_loop()
    try:
        async with network.node() as (broker, _):
            network.server.pause()
            for number in range(1_000):
                broker.publish(ANA, said(number))
            ending = loop.time()
        assert loop.time() - ending < 1.5
    finally:
        network.server.resume()


async def test_a_switch_that_does_not_read_does_not_hold_up_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.broker.local.CLOSE_S", 0.1)
    path = tmp_path / "switch"

    opened: list[asyncio.Transport] = []

    class Unread(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            transport.pause_reading()
            opened.append(transport)

    server = await asyncio.get_running_loop().create_unix_server(Unread, str(path))
    broker = ChannelBroker("one", LocalChannels(path, float), SystemClock())
    broker.listen(Received())
    async with asyncio.timeout(PATIENCE_S), broker:
        for number in range(20_000):
            broker.publish(ANA, said(number))
    server.close()
    for transport in opened:
        transport.abort()
    await asyncio.sleep(0)


async def test_a_server_is_reached_through_a_unix_socket(tmp_path: Path) -> None:
    with redis_server() as server:
        server.kill()
        path = tmp_path / "redis.sock"
        server.start("--unixsocket", str(path))
        broker = ChannelBroker("one", RedisChannels(f"unix://{path}?db=3", float), SystemClock())
        broker.listen(Received())
        async with broker:
            assert not broker.is_away


def test_urls_with_tls_are_accepted() -> None:
    channels = RedisChannels("rediss://user:secret@example.com:6380/3", float)

    assert channels._redis.connection_pool.connection_class.__name__ == "SSLConnection"
    assert channels._prefix == b"ai-agent-server:3:"


@pytest.mark.parametrize(
    "url", ["redis://:secret@h:port/0", "redis://:secret@h/name", "redis://:secret@h?no=1"]
)
def test_a_wrong_url_is_refused_without_a_word_of_it(url: str) -> None:
    with pytest.raises(ValueError, match="unknown option") as refused:
        RedisChannels(url, float)

    assert "secret" not in str(refused.value)
