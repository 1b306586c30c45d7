"""When the server is ready: the rules, without a server."""

import asyncio
import logging

import pytest

from adapters.memory.store import MemoryStore
from application.ports import Loaded
from domain.errors import StorageUnavailable
from domain.identity import SessionId
from entrypoints.server.health import Condition, Health, Probe, bridge_probe, store_probe
from tests.support.bridge import MemoryBridge


def always(condition: Condition) -> Probe:
    async def probe() -> Condition:
        return condition

    return probe


class Away(MemoryStore):
    """A store that cannot be reached."""

    async def load(self, session_id: SessionId) -> Loaded | None:
        raise StorageUnavailable


@pytest.mark.parametrize(
    ("store", "assistant", "bridge", "overall"),
    [
        ("ok", "ok", "ok", "ok"),
        ("ok", "ok", "none", "ok"),
        ("ok", "degraded", "ok", "degraded"),
        ("ok", "down", "ok", "degraded"),
        ("ok", "ok", "down", "degraded"),
        ("degraded", "ok", "ok", "degraded"),
        ("down", "ok", "ok", "down"),
        ("down", "down", "down", "down"),
    ],
)
async def test_only_the_store_can_stop_the_server(
    store: Condition, assistant: Condition, bridge: Condition, overall: str
) -> None:
    asked = Health(store=always(store), assistant=always(assistant), bridge=always(bridge))

    report = await asked.report()

    assert report.status == overall
    assert (report.store, report.assistant, report.bridge) == (store, assistant, bridge)


async def test_a_server_that_drains_says_so_whatever_else_is_well() -> None:
    asked = Health(store=always("ok"))
    asked.draining = True

    report = await asked.report()

    assert report.status == "draining"
    assert report.store == "ok"


async def test_a_store_that_cannot_be_reached_is_down(caplog: pytest.LogCaptureFixture) -> None:
    asked = Health(store=store_probe(Away()))

    with caplog.at_level(logging.WARNING):
        report = await asked.report()

    assert report.store == "down"
    assert [getattr(record, "dependency", None) for record in caplog.records] == ["store"]


async def test_a_store_that_answers_is_ok() -> None:
    report = await Health(store=store_probe(MemoryStore())).report()

    assert report.store == "ok"


async def test_a_bridge_that_is_away_is_degraded_until_it_is_back() -> None:
    bridge = MemoryBridge()
    asked = Health(store=always("ok"), bridge=bridge_probe(bridge))
    bridge.go_away()
    away = await asked.report()
    bridge.come_back()
    back = await asked.report()

    assert [(report.bridge, report.status) for report in (away, back)] == [
        ("degraded", "degraded"),
        ("ok", "ok"),
    ]


async def test_without_a_bridge_there_is_none_to_be_ready() -> None:
    report = await Health(store=always("ok"), bridge=bridge_probe(None)).report()

    assert (report.bridge, report.status) == ("none", "ok")


async def test_a_probe_that_hangs_is_down() -> None:
    async def hang() -> Condition:
        await asyncio.Event().wait()
        return "ok"

    report = await Health(store=always("ok"), bridge=hang, timeout_s=0.01).report()

    assert report.bridge == "down"
    assert report.status == "degraded"
