"""The contract of all brokers between processes, on real servers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from adapters.broker.channels import ChannelBroker, Channels
from adapters.broker.local import LocalChannels, LocalSwitch
from adapters.broker.redis import RedisChannels
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
    StopRequested,
    Typing,
)
from domain.identity import Customer, MessageId, SessionId, customer
from domain.message import Author, Message, StatusChange
from domain.status import Reason, Status
from tests.support.redis_server import RedisServer, redis_server, valkey_server

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
    """A Redis or Valkey server."""

    def __init__(self, server: RedisServer) -> None:
        self.server = server
        self._database = next(_numbers) % 16

    def channels(self) -> Channels:
        url = self.server.url.removesuffix("/0")
        return RedisChannels(f"{url}/{self._database}", lambda: 0.0)

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
    AnswerSoFar(SESSION, MessageId("r1"), 2, "Pân\u0103 acum"),
    AnswerRequested(),
    StopRequested(SessionId("s1"), 3),
    Typing("coordinator", 6_000),
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
            first.publish(ANA, Delta(SESSION, MessageId("r1"), 1, offset, "da"))
        first.publish(ANA, said(7))
        await received.until(lambda: len(received.hints) == 2)

    assert received.hints[0][1] == Delta(SESSION, MessageId("r1"), 1, 0, "dadadadada")
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
