"""Many live chats: topics are spread over connections, each of which has its limit."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random
from typing import Any

from litestar import Litestar

from adapters.elixir.connections import MAX_TOPICS
from adapters.elixir.socket import ElixirSocket
from adapters.phoenix.channel import Channel, ChannelSocket, JoinRefused
from adapters.phoenix.client import ClientSettings
from adapters.phoenix.endpoint import PhoenixEndpoint
from adapters.system import SystemClock
from application.ports import InboundEvent, InboundMessage, TopicJoined
from domain.identity import Customer, customer, live_chat_topic
from tests.integration.elixir.test_socket import notice
from tests.integration.phoenix.peer import listening
from tests.support.plain_phoenix import PlainPhoenix, PlainSettings
from tests.support.server import UNBUDGETED, running

PATIENCE_S = 40.0
SOON = ClientSettings(rejoin_after_s=(0.05,), reconnect_after_s=(0.05,))


async def until(holds: Callable[[], bool]) -> None:
    """Return once what our socket has come to is as expected."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - nothing reports it
            await asyncio.sleep(0.001)


def users(count: int) -> list[Customer]:
    return [customer("b1", f"u{number}") for number in range(count)]


class Rig:
    """Our socket at an application, and what it passes on."""

    def __init__(self, application: PlainPhoenix, address: str) -> None:
        self.application = application
        self.port = int(address.rpartition(":")[2])
        url = f"ws://{address}/socket/websocket"
        self.socket = ElixirSocket(url, SystemClock(), settings=SOON, timeout_s=PATIENCE_S)
        self.socket.listen(self._on_event, lambda _customer, _message_id: None)
        self.joined: set[Customer] = set()
        self.received: asyncio.Queue[tuple[Customer, str]] = asyncio.Queue()
        self._changed = asyncio.Event()

    async def _on_event(self, who: Customer, event: InboundEvent) -> None:
        if isinstance(event, TopicJoined):
            self.joined.add(who)
        elif isinstance(event, InboundMessage):
            self.received.put_nowait((who, event.text))
        self._changed.set()

    async def follow(self, chats: Iterable[Customer]) -> None:
        """Follow the chats, and return once they are joined."""
        chats = set(chats)
        for who in chats:
            self.socket.follow(who)
        await self.all_joined(chats)

    async def all_joined(self, chats: set[Customer]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not chats <= self.joined:
                self._changed.clear()
                await self._changed.wait()

    async def talk(self, chats: Iterable[Customer]) -> None:
        """Check that on each topic a message arrives once in each direction."""
        chats = list(chats)
        sent = {live_chat_topic(who): f"to {who.user_id}" for who in chats}
        while not self.application.events.empty():
            self.application.events.get_nowait()
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(
                *(self.socket.relay(notice(sent[live_chat_topic(who)], who=who)) for who in chats)
            )
            for who in chats:
                said = {"message": f"from {who.user_id}"}
                self.application.broadcast(live_chat_topic(who), "agent_message", said)
            received = [await self.received.get() for _ in chats]
        events = [self.application.events.get_nowait() for _ in chats]
        assert self.application.events.empty()
        assert {event.where: event.payload["message"] for event in events} == sent
        assert Counter(received) == Counter((who, f"from {who.user_id}") for who in chats)


@asynccontextmanager
async def playing(**settings: Any) -> AsyncIterator[Rig]:
    application = PlainPhoenix(PlainSettings(**settings))
    async with running(application.app(), **UNBUDGETED) as address:
        rig = Rig(application, address)
        async with rig.socket:
            yield rig


async def test_250_chats_go_both_ways_over_connections_of_100_topics_also_after_a_restart() -> None:
    chats = users(250)
    application = PlainPhoenix(PlainSettings(max_channels=100))
    async with AsyncExitStack() as stack:
        async with running(application.app(), **UNBUDGETED) as address:
            rig = Rig(application, address)
            await stack.enter_async_context(rig.socket)
            await rig.follow(chats)
            await rig.talk(chats)
            rig.joined.clear()
        await stack.enter_async_context(running(application.app(), port=rig.port))
        await rig.all_joined(set(chats))
        await rig.talk(chats)

        connects = len(application.connects)
        assert connects == 2 * 3
        assert len(chats) > 2 * MAX_TOPICS


async def test_a_smaller_limit_is_learnt_from_a_refusal() -> None:
    chats = users(60)
    async with playing(max_channels=20) as rig:
        await rig.follow(chats)
        await rig.talk(chats)

        assert len(rig.application.connects) == 3


async def test_a_message_waits_while_its_topic_moves_to_another_connection() -> None:
    chats = users(5)
    async with playing(max_channels=2) as rig:
        await rig.talk(())
        relays = [rig.socket.relay(notice(who=who)) for who in chats]
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*relays)

        assert rig.application.events.qsize() == len(chats)


async def test_an_application_that_admits_no_topic_gets_no_more_connections() -> None:
    async with playing(max_channels=0) as rig:
        for who in users(3):
            rig.socket.follow(who)
        await until(lambda: rig.socket.is_away)

        assert len(rig.application.connects) == 1


async def test_connections_without_topics_are_closed_but_for_one() -> None:
    chats = users(2 * MAX_TOPICS + 1)
    async with playing() as rig:
        await rig.follow(chats)
        for who in chats[1:]:
            rig.socket.unfollow(who)
        await until(lambda: repr(rig.socket).count("open=") == 2)
        rig.joined.clear()
        await rig.follow(chats[1:10])

        assert len(rig.application.connects) == 3


async def test_a_place_that_was_left_is_used_again() -> None:
    chats = users(MAX_TOPICS + 1)
    async with playing() as rig:
        await rig.follow(chats[:-1])
        rig.socket.unfollow(chats[0])
        await until(lambda: f"={MAX_TOPICS}" not in repr(rig.socket))
        await rig.follow(chats[-1:])

        assert len(rig.application.connects) == 1


async def test_a_connection_that_breaks_interrupts_its_own_topics_only() -> None:
    chats = users(MAX_TOPICS + 1)
    async with listening() as listener:
        socket = ElixirSocket(listener.url, SystemClock(), settings=SOON)
        socket.listen(ignore, lambda _customer, _message_id: None)
        async with socket:
            for who in chats:
                socket.follow(who)
            first, second = await listener.accept(), await listener.accept()
            for peer, count in ((first, MAX_TOPICS), (second, 1)):
                for _ in range(count):
                    await peer.accept_join()
            await until(lambda: all(map(socket.is_joined, chats)))
            await second.drop()
            await until(lambda: socket.is_away)
            joined = list(map(socket.is_joined, chats))
            third = await listener.accept()
            await third.accept_join()
            await until(lambda: not socket.is_away)

            assert joined == [True] * MAX_TOPICS + [False]
            await until(lambda: all(map(socket.is_joined, chats)))


async def ignore(who: object, event: object) -> None:
    pass


class Moody(Channel):
    """Refuses one join in twenty."""

    chance = Random(11)
    joins = 0

    async def join(self, topic: str, payload: Any) -> None:
        Moody.joins += 1
        if self.chance.random() < 0.05:
            raise JoinRefused({"reason": "unavailable"})


async def test_1000_chats_come_back_although_one_join_in_twenty_is_refused() -> None:
    chats = users(1_000)
    async with AsyncExitStack() as stack:
        async with running(moody()) as address:
            socket = ElixirSocket(f"ws://{address}/socket/websocket", SystemClock(), settings=SOON)
            socket.listen(ignore, lambda _customer, _message_id: None)
            await stack.enter_async_context(socket)
            for who in chats:
                socket.follow(who)
            await until(lambda: all(map(socket.is_joined, chats)))
        port = int(address.rpartition(":")[2])
        async with running(moody(), port=port):
            await until(lambda: Moody.joins >= 2_000 and all(map(socket.is_joined, chats)))

            assert not socket.is_away
    assert 2_000 <= Moody.joins < 2_300


def moody() -> Litestar:
    channel: Callable[[ChannelSocket], Channel] = Moody
    endpoint = PhoenixEndpoint("/socket/websocket", {"chat:*": channel})
    return Litestar([endpoint.route], openapi_config=None, logging_config=None)
