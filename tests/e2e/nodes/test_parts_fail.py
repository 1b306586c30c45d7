"""A conversation over two processes goes on to its end, whichever part fails at whatever step."""

import asyncio
import signal
from collections.abc import Awaitable, Callable

import httpx
import pytest

from tests.support.nodes import Node, Nodes, Wanderer
from tests.support.redis_server import redis_server, valkey_server

STOPPED_S = 2.0
"""The time for which a process stands still, longer than that of two beats of the broker."""

QUESTIONS = ("Ce program aveți?", "Unde sunteți?")


class System:
    """Two processes and their broker, one of which fails at every `step`."""

    def __init__(self, nodes: Nodes, part: str, fault: str) -> None:
        self._nodes = nodes
        self.broker = nodes.broker
        self._part = part
        self._fault = fault
        self.running: dict[str, Node] = {}
        self.addresses: list[str] = []

    async def start(self) -> None:
        for name in ("first", "second"):
            self.running[name] = await self._nodes.start()
            self.addresses.append(self.running[name].address)

    async def step(self) -> None:
        """Let the part fail."""
        if self._part == "broker":
            await _FAULTS_OF_BROKER[self._fault](self)
            return
        node = self.running[self._part]
        if self._fault == "stopped":
            node.process.signal(signal.SIGSTOP)
            await asyncio.sleep(STOPPED_S)
            node.process.signal(signal.SIGCONT)
            return
        node.process.signal(signal.SIGKILL if self._fault == "killed" else signal.SIGTERM)
        await node.process.end()
        port = node.address.rpartition(":")[2]
        self.running[self._part] = await self._nodes.start(port)

    async def until_broker(self, condition: str) -> None:
        """Return once the broker is in this condition, as every process has it."""
        for node in self.running.values():
            await node.until_broker(condition)

    async def coordinate(self, call: Callable[[Node], Awaitable[object]]) -> None:
        """Make a coordinator's request, at whichever process answers."""
        while True:
            for node in list(self.running.values()):
                try:
                    async with asyncio.timeout(3.0):
                        await call(node)
                except (httpx.TransportError, TimeoutError):
                    continue
                return


async def _stop_broker(system: System) -> None:
    system.broker.pause()
    await system.until_broker("degraded")
    system.broker.resume()


async def _kill_broker(system: System) -> None:
    system.broker.kill()
    await system.until_broker("degraded")
    system.broker.start()


async def _restart_broker(system: System) -> None:
    system.broker.kill()
    system.broker.start()


async def _flush_broker(system: System) -> None:
    system.broker.call("FLUSHALL")


_FAULTS_OF_BROKER = {
    "stopped": _stop_broker,
    "killed": _kill_broker,
    "restarted": _restart_broker,
    "flushed": _flush_broker,
}
ALL = [
    *(
        (part, fault)
        for part in ("first", "second")
        for fault in ("killed", "stopped", "restarted")
    ),
    *(("broker", fault) for fault in _FAULTS_OF_BROKER),
]
USUAL = [("first", "killed"), ("broker", "restarted")]
"""Those that are not left to `make nodes`."""


@pytest.mark.parametrize(
    ("part", "fault"),
    [*USUAL, *(pytest.param(*each, marks=pytest.mark.nodes) for each in ALL if each not in USUAL)],
)
@pytest.mark.parametrize(
    "broker",
    [redis_server, pytest.param(valkey_server, marks=pytest.mark.nodes)],
    ids=["redis", "valkey"],
    indirect=True,
    scope="module",
)
@pytest.mark.parametrize(
    "nodes",
    ["sqlite", pytest.param("dynamodb", marks=[pytest.mark.dynamodb, pytest.mark.nodes])],
    indirect=True,
)
async def test_a_conversation_goes_on_to_its_end(nodes: Nodes, part: str, fault: str) -> None:
    system = System(nodes, part, fault)
    await system.start()
    async with Wanderer(system.addresses) as ana:
        asked = await ana.request("new_message", message=QUESTIONS[0], messageId="m1")
        session_id = asked["sessionId"]
        await system.step()  # in mid-answer
        await ana.shown(author="ai")
        await system.step()
        await ana.request("transfer_to_live_chat", message="Un om, vă rog.", messageId="m2")
        await system.step()
        await ana.shown(status="waiting")
        await system.coordinate(lambda node: node.change(session_id, "live", coordinatorId="maria"))
        await system.step()
        await ana.shown(status="live")
        await system.coordinate(
            lambda node: node.speak(session_id, "Bună, Ana!", coordinatorId="maria", messageId="c1")
        )
        await system.step()
        await ana.shown(message="Bună, Ana!")
        await ana.request("new_message", message="Mulțumesc!", messageId="m3")
        await system.step()
        await system.coordinate(lambda node: node.change(session_id, "ai", coordinatorId="maria"))
        await system.step()
        await ana.shown(status="ai")
        await ana.request("new_message", message=QUESTIONS[1], messageId="m4")
        await system.step()  # in mid-answer
        await ana.shown(inReplyTo=["m4"])
        log = await next(iter(system.running.values())).log()

    said = [entry["messageId"] for entry in log if entry.get("author") in ("user", "coordinator")]
    answered = [entry["inReplyTo"] for entry in log if entry.get("author") == "ai"]
    assert said == ["m1", "m2", "c1", "m3", "m4"]
    assert answered == [["m1"], ["m4"]]
    assert [entry["status"] for entry in log if "status" in entry] == ["waiting", "live", "ai"]
    # Her own messages are acknowledged, and pushed to her other sockets alone.
    shown = [entry["seq"] for entry in ana.entries]
    own = [entry["seq"] for entry in log if entry.get("author") == "user"]
    assert sorted({*shown, *own}) == [entry["seq"] for entry in log]
    assert len(shown) == len(set(shown))
