"""The broker's rules over a network in memory, in virtual time."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from adapters.broker import channels as rules
from adapters.broker.channels import REPEAT_AFTER_S, ChannelBroker
from adapters.broker.hints import encode_envelope, encode_hint
from application.ports import Appended, BrokerListener, Grown, Hint
from domain.identity import Customer, SessionId, customer
from domain.message import StatusChange
from domain.status import Reason, Status
from tests.support.channels import ChannelHub, MemoryChannels
from tests.support.clock import VirtualClock

ANA = customer("b1", "ana")
ANAS = "customer:b1:ana"
SESSION = SessionId("s1")


class Received(BrokerListener):
    """All that a broker's listener was called with."""

    def __init__(self) -> None:
        self.hints: list[tuple[Customer, Hint]] = []
        self.missed: list[Customer | None] = []
        self.nodes_changed = 0

    def on_hint(self, customer: Customer, hint: Hint) -> None:
        self.hints.append((customer, hint))

    def on_missed(self, customer: Customer | None) -> None:
        self.missed.append(customer)

    def on_nodes_changed(self) -> None:
        self.nodes_changed += 1


class World:
    """A network, its time, and brokers."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.hub = ChannelHub(self.clock)
        self.counts: Counter[str] = Counter()

    @asynccontextmanager
    async def node(
        self, name: str
    ) -> AsyncIterator[tuple[ChannelBroker, MemoryChannels, Received]]:
        """Yield a broker that is connected, its end of the network, and what it receives."""
        received, end = Received(), MemoryChannels(self.hub)

        def count(what: str) -> None:
            self.counts[what] += 1

        broker = ChannelBroker(name, end, self.clock, count)
        broker.listen(received)
        async with broker:
            yield broker, end, received

    def forge(self, channel: str, publisher: str, number: int, hint: Hint | None = None) -> None:
        """Publish as a node that there is not; without a hint, that it lives."""
        kind, body = encode_hint(hint) if hint is not None else ("lives", b"null")
        self.hub.carry(channel, encode_envelope(publisher, number, ANA, kind, body))


@pytest.fixture
def world() -> World:
    return World()


async def test_beats_are_confirmed_also_where_the_numbers_of_channels_begin_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "MAX_NUMBERED", 10)
    async with world.node("one") as (broker, _, _):
        await world.clock.advance(5)
        for number in range(100):
            broker.publish(customer("b1", f"u{number}"), Grown(SESSION, 1))
            await world.clock.advance(0.5)
        await world.clock.advance(0.5)

        assert len(broker._unconfirmed) == 0
        assert not broker.is_away


async def test_a_beat_that_was_sent_before_a_hint_does_not_confirm_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "MAX_NUMBERED", 3)
    async with world.node("one") as (broker, _, _), world.node("two") as (two, _, received):
        two.subscribe(ANA)
        await world.clock.advance(10)
        world.hub.holds = True
        for number in range(4):  # the numbers begin anew
            broker.publish(customer("b1", f"u{number}"), Grown(SESSION, 1))
        broker.publish(ANA, Grown(SESSION, 7))
        world.hub.lose()
        broker.on_unsent()
        await world.clock.advance(0.5)
        world.hub.release()
        await world.clock.advance(1)

    assert (ANA, Grown(SESSION, 7)) in received.hints


async def test_what_is_not_confirmed_is_bounded_in_all(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "MAX_UNCONFIRMED", 10)
    async with world.node("one") as (broker, _, _):
        world.hub.holds = True
        for number in range(100):
            broker.publish(customer("b1", f"u{number}"), Grown(SESSION, 1))
            broker._beat()

        assert len(broker._unconfirmed) == 10
        world.hub.lose()
        world.hub.release()


async def test_numbers_are_kept_of_so_many_publishers_and_then_something_may_be_missed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "MAX_NODES", 4)
    async with world.node("one") as (_, _, _), world.node("two") as (two, _, received):
        two.subscribe(ANA)
        received.missed.clear()
        for number in range(100):
            world.forge(ANAS, f"stranger-{number}", 1, Grown(SESSION, 1))

        assert len(two._subscribed[ANAS].numbers) <= 4
        assert len(received.hints) == 100


async def test_the_numbers_of_nodes_that_live_outlast_those_of_the_dead(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "MAX_NODES", 4)
    async with world.node("one") as (one, _, _), world.node("two") as (two, _, received):
        two.subscribe(ANA)
        one.publish(ANA, Grown(SESSION, 1))
        received.missed.clear()
        for number in range(10):
            world.forge(ANAS, f"dead-{number}", 1, Grown(SESSION, 1))
        world.hub.holds = True
        one.publish(ANA, Grown(SESSION, 2))
        world.hub.lose()
        world.hub.release()
        assert received.missed == []
        one.publish(ANA, Grown(SESSION, 3))

    assert received.missed == [ANA]


async def test_so_many_nodes_are_known_and_no_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "MAX_NODES", 4)
    async with world.node("one") as (one, _, _):
        for number in range(100):
            world.forge("nodes", f"stranger-{number}", 1)
        assert len(one.nodes) == 4
        assert world.counts["refused"] == 97

        await world.clock.advance(10)
        assert set(one.nodes) == {"one"}


async def test_a_node_with_an_endless_name_is_ignored(world: World) -> None:
    async with world.node("one") as (one, _, _):
        world.forge("nodes", "x" * 301, 1)

        assert set(one.nodes) == {"one"}
        assert world.counts["malformed"] == 1


async def test_a_node_that_dies_without_a_goodbye_is_gone_within_10_s(world: World) -> None:
    async with world.node("one") as (one, _, received):
        async with world.node("two") as (_, end, _):
            await world.clock.advance(5)
            end.accepts = False  # so that its goodbye is lost, too
        changes = received.nodes_changed
        await world.clock.advance(5.9)
        assert "two" in one.nodes
        await world.clock.advance(4.1)

        assert set(one.nodes) == {"one"}
        assert received.nodes_changed == changes + 1


async def test_who_may_have_died_with_something_to_publish_makes_all_look_at_the_store_once(
    world: World,
) -> None:
    async with world.node("one") as (one, _, received):
        one.subscribe(ANA)
        async with world.node("two"):
            await world.clock.advance(5)
        async with world.node("three") as (_, end, _):
            await world.clock.advance(5)
            end.accepts = False
        received.missed.clear()
        await world.clock.advance(60)

        assert received.missed == [ANA]


async def test_a_network_whose_beats_come_too_late_is_away_until_they_are_fresh(
    world: World,
) -> None:
    async with world.node("one") as (one, _, _):
        one.subscribe(ANA)
        await world.clock.advance(5)
        world.hub.delay_s = 0.9
        await world.clock.advance(2)
        for _ in range(20):
            await world.clock.advance(0.25)
            assert not one.is_away

        world.hub.delay_s = 1.1
        await world.clock.advance(2)
        for _ in range(20):
            await world.clock.advance(0.25)
            assert one.is_away
            assert not one.is_subscribed(ANA)

        world.hub.delay_s = 0.2
        await world.clock.advance(2)
        assert not one.is_away


async def test_a_connection_whose_beats_are_lost_is_given_up_every_3_s(world: World) -> None:
    async with world.node("one") as (one, end, _):
        await world.clock.advance(5)
        world.hub.holds = True
        await world.clock.advance(1.5)
        assert one.is_away
        assert end.reconnections == 0
        await world.clock.advance(8.5)

        assert end.reconnections in (2, 3)
        world.hub.release()


async def test_a_customer_is_reported_once_however_often_the_connection_is_lost(
    world: World,
) -> None:
    async with world.node("one") as (one, end, received):
        everybody = [customer("b1", f"u{number}") for number in range(500)]
        for who in everybody:
            one.subscribe(who)
        await world.clock.advance(5)
        received.missed.clear()
        for _ in range(20):
            one.on_lost()
            for channel in list(end.subscribed):
                one.on_subscribed(channel)
        await world.clock.advance(5)

        assert all(1 <= received.missed.count(who) <= 2 for who in everybody)
        assert all(one.is_subscribed(who) for who in everybody)


async def test_after_an_outage_a_few_customers_are_reported_at_a_time(world: World) -> None:
    async with world.node("one") as (one, end, received):
        for number in range(500):
            one.subscribe(customer("b1", f"u{number}"))
        await world.clock.advance(5)
        received.missed.clear()
        one.on_lost()
        for channel in list(end.subscribed):
            one.on_subscribed(channel)
        reported = []
        for _ in range(5):
            reported.append(len([who for who in received.missed if who is not None]))
            await world.clock.advance(0.05)

    assert reported == [100, 200, 300, 400, 500]


async def test_what_a_full_queue_dropped_is_published_again(world: World) -> None:
    async with world.node("one") as (one, end, _), world.node("two") as (two, _, received):
        two.subscribe(ANA)
        await world.clock.advance(5)
        end.accepts = False
        one.publish(ANA, Grown(SESSION, 7))
        end.accepts = True
        assert received.hints == []
        await world.clock.advance(1)

    assert received.hints == [(ANA, Grown(SESSION, 7))]
    assert world.counts["dropped"] == 1


async def test_a_change_of_owner_that_is_repeated_takes_the_place_of_no_newer_hint(
    world: World,
) -> None:
    at, reason = world.clock.now(), Reason.COORDINATOR
    change = StatusChange(seq=3, status=Status.LIVE, epoch=1, reason=reason, at=at)
    async with world.node("one") as (one, end, _), world.node("two") as (two, _, received):
        two.subscribe(ANA)
        await world.clock.advance(5)
        end.accepts = False
        one.publish(ANA, Appended(SESSION, (change,)))
        one.publish(ANA, Grown(SESSION, 4))
        await world.clock.advance(REPEAT_AFTER_S)
        end.accepts = True
        await world.clock.advance(1)

    assert received.hints[-1] == (ANA, Grown(SESSION, 4))
