"""The kinds of lives: who is there, what they do, and what breaks meanwhile.

`all` is the life of the docs; the others are short, and rough where one safeguard or two show.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, NamedTuple

from tests.simulation.product.people import ApiCoordinator, Device, Interrupter
from tests.simulation.product.world import (
    BRIDGE,
    BROKER,
    BridgeKind,
    BrokerKind,
    Process,
    World,
)

Act = Callable[[Device], Awaitable[None]]
"""What the customer of a device does; it is cancelled after `action_s`."""
Faults = Callable[[World, list[Device]], list[Coroutine[Any, Any, None]]]
"""What breaks; it is cancelled after `action_s`."""


class Workload(NamedTuple):
    """A kind of life; where there is a choice, the seed makes it."""

    act: Act
    faults: Faults
    action_s: float = 30.0
    """The time in which people act and things break."""
    quiet_s: float = 30.0
    """The longest that everyone may need to be complete, once everything works again."""
    nodes: tuple[int, ...] = (2,)
    brokers: tuple[BrokerKind, ...] = ("redis", "local")
    """Where there are several nodes."""
    bridges: tuple[BridgeKind, ...] = ("none",)
    customers: tuple[int, ...] = (1,)
    devices: tuple[int, ...] = (1,)
    """How many each customer has."""
    coordinators: tuple[type[ApiCoordinator], ...] = ()
    """Those who work through the HTTP API, one of each."""
    packets_s: tuple[float, ...] = (0.002, 0.02, 0.1)
    """The longest time of a packet."""
    pieces: tuple[int, ...] = (3, 8, 20, 60)
    """How many an answer has."""
    pauses_s: tuple[float, ...] = (0.0, 0.02, 0.1, 0.3)
    """The mean time between two pieces, of an answer of twenty or fewer."""


# Everything.


async def _live(device: Device) -> None:
    """Be a customer on one device."""
    world, chance = device.world, device.world.chance
    device.open()
    await asyncio.sleep(chance.uniform(0, 2))
    while True:
        doing = chance.random()
        if doing < 0.45:
            device.say(chance.choice(("hello", "what else", "and then", "tell me more")))
        elif doing < 0.5:
            device.say("give me a human")
        elif doing < 0.58:
            device.ask_for_human()
        elif doing < 0.63:
            device.end_live_chat()
        elif doing < 0.66:
            device.stop_answer()
        elif doing < 0.85:
            device.move(chance.choice(world.servers).host)
        elif doing < 0.92:
            await _lose_network(device, chance.uniform(0.2, 12))
        else:
            await asyncio.sleep(chance.uniform(1, 5))
        await asyncio.sleep(chance.choice((0.05, 0.3, 1.0, 3.0)) * chance.uniform(0, 2))


async def _lose_network(device: Device, seconds: float) -> None:
    """Let the device reach nobody for a while."""
    mend = device.world.cut([device.name], device.world.everyone_but(device.name))
    await asyncio.sleep(seconds)
    mend()


def _everything_breaks(world: World, devices: list[Device]) -> list[Coroutine[Any, Any, None]]:
    return [_break_things(world, ALL.action_s), _end_broker(world, ALL.action_s)]


async def _break_things(world: World, action_s: float) -> None:
    """Break one thing after the other, now and then two at once."""
    chance = world.chance
    kinds: list[Callable[[World], Coroutine[Any, Any, None]]] = [_kill, _restart, _reset, _jump]
    if world.bridge is not None:
        kinds += [_cut_bridge, partial(_kill_program, program=world.bridge)]
    if world.broker is not None:
        kinds += [_cut_broker, partial(_kill_program, program=world.broker)]
    count = chance.choice((0, 1, 2, 4, 8))
    running: list[asyncio.Task[None]] = []
    for _ in range(count):
        await asyncio.sleep(chance.uniform(0, 2 * action_s / (count + 1)))
        world.broken()
        running.append(asyncio.create_task(chance.choice(kinds)(world)))
    await asyncio.gather(*running)


async def _end_broker(world: World, action_s: float) -> None:
    """Now and then end the broker shortly before the end: what it loses nothing follows."""
    await asyncio.sleep(action_s - world.chance.uniform(1, 6))
    if world.broker is not None and world.broker.is_up and world.chance.random() < 0.4:
        world.broken()
        world.broker.kill(silently=world.chance.random() < 0.5)


async def _kill(world: World) -> None:
    await _kill_program(world, world.chance.choice(world.servers))


async def _kill_program(
    world: World, program: Process, shortest_s: float = 0.1, longest_s: float = 6.0
) -> None:
    chance = world.chance
    if not program.is_up:
        return
    program.kill(silently=chance.random() < 0.5)
    await asyncio.sleep(chance.uniform(shortest_s, longest_s))
    if not program.is_up:
        program.start()


async def _restart(world: World) -> None:
    chance, server = world.chance, world.chance.choice(world.servers)
    await asyncio.shield(asyncio.create_task(server.stop()))
    await asyncio.sleep(chance.uniform(0.1, 3))
    if not server.is_up:
        server.start()


async def _reset(world: World) -> None:
    host = world.chance.choice(world.servers).host
    world.trace.add("network", f"resets {host}")
    world.loop.reset(host)


async def _jump(world: World) -> None:
    host = world.chance.choice(world.servers).host
    offset = world.chance.choice((-3600.0, -5.0, 5.0, 3600.0))
    world.trace.add(host, f"clock jumps to {offset}")
    world.loop.offsets[host] = offset


async def _cut_bridge(world: World) -> None:
    mend = world.cut([BRIDGE], [world.chance.choice(world.servers).host])
    await asyncio.sleep(world.chance.uniform(0.5, 12))
    mend()


async def _cut_broker(world: World) -> None:
    seconds = world.chance.choice((0.5, 2, 12)) * world.chance.uniform(0.2, 1)
    await _cut_broker_for(world, seconds)


async def _cut_broker_for(world: World, seconds: float) -> None:
    chance, servers = world.chance, [server.host for server in world.servers]
    mend = world.cut([BROKER], chance.sample(servers, chance.randint(1, len(servers))))
    await asyncio.sleep(seconds)
    mend()


ALL = Workload(
    _live,
    _everything_breaks,
    quiet_s=90.0,
    nodes=(1, 2, 2, 3),
    bridges=("none", "reference", "plain", "plain"),
    customers=(1, 2, 3),
    devices=(1, 1, 2),
    coordinators=(ApiCoordinator,),
)


# Nodes without the broker: what one of them stores, the others learn late.


def _broker_may_be_cut_off(world: World, devices: list[Device]) -> list[Coroutine[Any, Any, None]]:
    async def cut() -> None:
        if world.chance.random() < 0.7:
            await asyncio.sleep(world.chance.uniform(0.3, 1.0))
            world.broken()
            await _cut_broker_for(world, 4.0)

    return [cut()]


async def _write_once(device: Device) -> None:
    device.open()
    await asyncio.sleep(device.world.chance.uniform(0.3, 1.5))
    device.say("hello")
    await asyncio.Event().wait()


TAKEOVERS = Workload(
    _write_once,
    _broker_may_be_cut_off,
    action_s=5.0,
    customers=(4,),
    coordinators=(Interrupter,),
    packets_s=(0.002,),
    pieces=(3, 20),
    pauses_s=(0.1, 0.3),
)


async def _move_in_mid_answer(device: Device) -> None:
    world, chance = device.world, device.world.chance
    device.open()
    await asyncio.sleep(0.3)
    while True:
        device.say("hello")
        await asyncio.sleep(chance.uniform(0.3, 0.8))
        device.move(chance.choice(world.servers).host)
        await asyncio.sleep(chance.uniform(1.5, 3.0))


MOVES = Workload(
    _move_in_mid_answer,
    _broker_may_be_cut_off,
    action_s=6.0,
    brokers=("redis",),
    packets_s=(0.002,),
    pieces=(20,),
    pauses_s=(0.05, 0.1),
)


# Three nodes, and somebody at each who writes: hints overtake each other.


async def _write_at_once(device: Device) -> None:
    chance = device.world.chance
    device.server = device.world.servers[device.number].host
    device.open()
    await asyncio.sleep(0.8)
    for _ in range(3):
        await asyncio.sleep(chance.uniform(0, 0.3))
        device.say("hello")
    await asyncio.Event().wait()


CROWD = Workload(
    _write_at_once,
    lambda world, devices: [],  # nothing breaks
    action_s=3.0,
    nodes=(3,),
    customers=(2,),
    devices=(3,),
    packets_s=(0.1,),
    pieces=(3,),
    pauses_s=(0.02,),
)


# Who has written leaves, and then the broker and a server die; others only listen.


async def _write_and_leave(device: Device) -> None:
    world, chance = device.world, device.world.chance
    device.server = world.servers[device.number].host
    device.open()
    if device.number == 0:
        if chance.random() < 0.5:  # nobody reads the store for an answer then
            device.ask_for_human()
            await asyncio.sleep(0.5)
        await asyncio.sleep(chance.uniform(0.5, 1.0))
        device.say("hello")
        await device.acknowledged()
        await device.shut()
    await asyncio.Event().wait()


def _broker_and_server_die(world: World, devices: list[Device]) -> list[Coroutine[Any, Any, None]]:
    async def die() -> None:
        chance = world.chance
        await asyncio.sleep(chance.uniform(0.7, 1.3))
        world.broken()
        if world.broker is not None:
            running.append(asyncio.create_task(_kill_program(world, world.broker, 2.0, 3.0)))
        await asyncio.sleep(chance.uniform(0.2, 0.8))
        server = world.servers[0]
        running.append(asyncio.create_task(_kill_program(world, server, 1.0, 2.0)))
        await asyncio.gather(*running)

    running: list[asyncio.Task[None]] = []
    return [die()]


DEATHS = Workload(
    _write_and_leave,
    _broker_and_server_die,
    action_s=4.5,
    customers=(4,),
    devices=(1, 2, 2),
    packets_s=(0.002,),
    pieces=(3,),
    pauses_s=(0.0, 0.1, 0.3),
)

# A last message while somebody joins at a node where another device follows already, and of whose
# log that node has read only the end: it reads more for the join.


async def _write_while_others_join(device: Device) -> None:
    world, chance = device.world, device.world.chance
    device.server = world.servers[min(device.number, 1)].host
    last_at = world.loop.now + 2.0
    await asyncio.sleep(device.number)
    device.open()
    if device.number == 0:
        device.ask_for_human()  # no answer follows, which would show that something is missing
        for _ in range(20):
            device.say("hello")
        await device.acknowledged()
        await asyncio.sleep(last_at + chance.uniform(0.0, 0.01) - world.loop.now)
        device.say("are you there?")
    await asyncio.Event().wait()


JOINS = Workload(
    _write_while_others_join,
    lambda world, devices: [],  # nothing breaks
    action_s=3.0,
    customers=(8,),
    devices=(3,),
    packets_s=(0.0005,),
)

WORKLOADS = {
    "all": ALL,
    "takeovers": TAKEOVERS,
    "moves": MOVES,
    "crowd": CROWD,
    "deaths": DEATHS,
    "joins": JOINS,
}
