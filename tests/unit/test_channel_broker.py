"""The broker over channels, in virtual time."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from adapters.broker.channels import (
    DEAD_AFTER_S,
    FORGOTTEN_AFTER_S,
    MISSED_BATCH,
    ChannelBroker,
    ChannelListener,
    Channels,
)
from application.hub import Hub
from application.ports import Event, Grown
from domain.identity import SessionId, customer
from tests.support.clock import VirtualClock, settle


class Wire:
    """A network in memory."""

    def __init__(self) -> None:
        self.ends: list[WireEnd] = []

    def end(self) -> "WireEnd":
        self.ends.append(end := WireEnd(self))
        return end


class WireEnd(Channels):
    """One node's end of it."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._listener: ChannelListener
        self._wanted: set[str] = set()
        self.is_cut = False
        self.lives: list[bytes] = []
        """What was sent to all nodes."""

    def listen(self, listener: ChannelListener) -> None:
        self._listener = listener

    def subscribe(self, channel: str) -> None:
        self._wanted.add(channel)
        self._listener.on_subscribed(channel)

    def unsubscribe(self, channel: str) -> None:
        self._wanted.discard(channel)

    def publish(self, channel: str, message: bytes) -> bool:
        if channel == "nodes":
            self.lives.append(message)
        for end in self._wire.ends:
            if channel in end._wanted and not (self.is_cut or end.is_cut):
                end._listener.on_message(channel, message)
        return True

    def reconnect(self) -> None:
        pass


@asynccontextmanager
async def two_nodes(
    clock: VirtualClock,
) -> AsyncIterator[tuple[ChannelBroker, ChannelBroker, WireEnd, AsyncExitStack]]:
    """Yield a node, and another with its end of the network and the stack that it lives in."""
    wire = Wire()
    here = ChannelBroker("here", wire.end(), clock)
    there = ChannelBroker("there", end := wire.end(), clock)
    for broker in (here, there):
        Hub(broker)
    async with here, AsyncExitStack() as stack:
        await stack.enter_async_context(there)
        await clock.advance(3)
        yield here, there, end, stack


async def test_a_node_that_falls_silent_is_known_before_a_takeover_of_its_is_too_old() -> None:
    clock = VirtualClock()
    async with two_nodes(clock) as (here, there, end, _):
        before = here.has_silent_node
        end.is_cut = True
        await clock.advance(1.5)
        during = here.has_silent_node
        await clock.advance(DEAD_AFTER_S + 1)
        dead = here.has_silent_node
        end.is_cut = False
        await clock.advance(1)

        assert (before, during, dead, here.has_silent_node) == (False, True, True, False)
        assert there.node in here.nodes


async def test_what_comes_late_from_a_node_shows_no_life() -> None:
    clock = VirtualClock()
    async with two_nodes(clock) as (here, _, end, stack):
        late = end.lives[-2]
        end.is_cut = True
        await clock.advance(0.9)
        here.on_message("nodes", late)
        await clock.advance(0.7)
        is_silent = here.has_silent_node
        end.is_cut = False
        await stack.aclose()
        here.on_message("nodes", late)

        assert is_silent
        assert list(here.nodes) == ["here"]


async def test_a_node_that_leaves_is_not_silent() -> None:
    clock = VirtualClock()
    async with two_nodes(clock) as (here, _, _, stack):
        await stack.aclose()
        await clock.advance(5)

        assert not here.has_silent_node
        assert list(here.nodes) == ["here"]


async def test_a_node_that_leaves_first_publishes_again_what_may_be_lost() -> None:
    """Nobody looks at the store for a node that says that it leaves."""
    clock, who = VirtualClock(), customer("b1", "u1")
    async with two_nodes(clock) as (here, there, end, stack):
        received: list[Event] = []
        Hub(here).subscribe(who, received.append)
        await clock.advance(1)
        end.is_cut = True
        there.publish(who, Grown(SessionId("s1"), 1))
        await clock.advance(2)
        end.is_cut = False
        await stack.aclose()

        assert Grown(SessionId("s1"), 1) in received
        assert list(here.nodes) == ["here"]


async def test_a_node_that_was_killed_is_forgotten() -> None:
    clock = VirtualClock()
    async with two_nodes(clock) as (here, _, end, _):
        end.is_cut = True
        await clock.advance(FORGOTTEN_AFTER_S - 1)
        before = here.has_silent_node
        await clock.advance(3)

        assert before
        assert not here.has_silent_node


async def test_of_a_node_that_was_cut_off_itself_the_others_are_not_silent() -> None:
    clock = VirtualClock()
    async with two_nodes(clock) as (here, there, end, _):
        end.is_cut = True
        await clock.advance(30)
        end.is_cut = False
        await clock.advance(1)
        await settle()

        assert not there.is_away
        assert not there.has_silent_node
        assert set(there.nodes) == set(here.nodes) == {"here", "there"}


async def test_however_often_a_connection_fails_each_customer_is_missed_but_once_more() -> None:
    clock, wire = VirtualClock(), Wire()
    broker = ChannelBroker("here", end := wire.end(), clock)
    hub, missed = Hub(broker), list[str]()
    async with broker:
        for number in range(500):
            hub.subscribe(
                who := customer("b1", f"u{number}"),
                lambda event, who=who: missed.append(who.user_id),  # type: ignore[misc]
            )
        await clock.advance(5)
        del missed[:]
        for _ in range(10):
            broker.on_lost()
            for channel in list(end._wanted):
                broker.on_subscribed(channel)
        at_once = len(missed)
        await clock.advance(5)

    assert at_once == MISSED_BATCH
    assert len(set(missed)) == 500
    assert len(missed) < 2 * 500


async def test_of_what_may_be_lost_the_newest_is_published_again_however_much_that_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("adapters.broker.channels.MAX_UNCONFIRMED", 1)
    clock, who = VirtualClock(), customer("b1", "u1")
    async with two_nodes(clock) as (here, there, end, _):
        received: list[Event] = []
        Hub(here).subscribe(who, received.append)
        await clock.advance(1)
        end.is_cut = True
        for seq in (1, 2):
            there.publish(who, Grown(SessionId("s1"), seq))
        await clock.advance(3)
        end.is_cut = False
        await clock.advance(1)

        assert Grown(SessionId("s1"), 2) in received
