"""The rules of readiness, without a server."""

import asyncio
import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from adapters.memory.store import MemoryStore
from adapters.sqlite.store import SqliteStore
from application.ports import HealthCheck, Loaded
from domain.errors import StorageUnavailable
from domain.identity import SessionId
from entrypoints.server.health import Condition, Health, Overall
from tests.support.bridge import MemoryBridge


class Dependency(HealthCheck):
    """A dependency that is reachable or not, as the test decides."""

    def __init__(self, *, away: bool = False) -> None:
        self._away = away

    @property
    def is_away(self) -> bool:
        return self._away


class UnreachableStore(MemoryStore):
    """A store that cannot be reached."""

    async def load(self, session_id: SessionId) -> Loaded | None:
        raise StorageUnavailable


class HangingStore(MemoryStore):
    """A store that never answers."""

    async def load(self, session_id: SessionId) -> Loaded | None:
        await asyncio.Event().wait()
        return None


def health(
    store: MemoryStore | None = None,
    *,
    assistant_away: bool = False,
    bridge: HealthCheck | None = None,
    timeout_s: float = 2.0,
) -> Health:
    return Health(
        store=store or MemoryStore(),
        assistant=Dependency(away=assistant_away),
        bridge=bridge,
        timeout_s=timeout_s,
    )


@pytest.mark.parametrize(
    ("store", "assistant", "bridge", "overall"),
    [
        ("ok", "ok", "ok", "ok"),
        ("ok", "ok", "none", "ok"),
        ("ok", "down", "ok", "degraded"),
        ("ok", "ok", "degraded", "degraded"),
        ("ok", "down", "degraded", "degraded"),
        ("down", "ok", "ok", "down"),
        ("down", "down", "degraded", "down"),
    ],
)
async def test_only_the_store_can_take_the_server_down(
    store: Condition, assistant: Condition, bridge: Condition, overall: Overall
) -> None:
    checked = health(
        UnreachableStore() if store == "down" else MemoryStore(),
        assistant_away=assistant == "down",
        bridge=Dependency(away=bridge == "degraded") if bridge != "none" else None,
    )

    report = await checked.report()

    assert report.status == overall
    assert (report.store, report.assistant, report.bridge) == (store, assistant, bridge)


async def test_a_draining_server_is_draining_whatever_its_dependencies() -> None:
    checked = health()
    checked.draining = True

    report = await checked.report()

    assert report.status == "draining"
    assert report.store == "ok"


async def test_a_store_that_cannot_be_reached_is_down(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        report = await health(UnreachableStore()).report()

    assert report.store == "down"
    assert [getattr(record, "dependency", None) for record in caplog.records] == ["store"]


async def test_a_store_that_does_not_answer_in_time_is_down() -> None:
    report = await health(HangingStore(), timeout_s=0.01).report()

    assert (report.store, report.status) == ("down", "down")


async def test_a_bridge_that_is_away_is_degraded_until_it_is_back() -> None:
    bridge = MemoryBridge()
    checked = health(bridge=bridge)
    bridge.go_away()
    away = await checked.report()
    bridge.come_back()
    back = await checked.report()

    assert [(report.bridge, report.status) for report in (away, back)] == [
        ("degraded", "degraded"),
        ("ok", "ok"),
    ]


async def test_a_bridge_whose_socket_has_failed_is_degraded_although_its_http_works() -> None:
    checked = health(bridge=MemoryBridge())
    checked.live_chats = Dependency(away=True)

    report = await checked.report()

    assert (report.bridge, report.status) == ("degraded", "degraded")


async def test_a_database_that_cannot_be_written_is_down_though_it_can_be_read(
    tmp_path: Path,
) -> None:
    path = tmp_path / "store.db"
    async with SqliteStore(path, busy_timeout_s=0.05) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            read = await store.list_sessions(limit=1)
            locked = await Health(store=store, assistant=Dependency(), bridge=None).report()
        free = await Health(store=store, assistant=Dependency(), bridge=None).report()

    assert read.sessions == ()
    assert (locked.status, locked.store) == ("down", "down")
    assert (free.status, free.store) == ("ok", "ok")
