"""What the workers of a machine share: limits, metrics, readiness."""

from pathlib import Path
from typing import get_args
from unittest.mock import patch

import msgspec
import pytest

from entrypoints.expositions import added_up, lasting
from entrypoints.server.health import Condition, Overall, Ready, WorkersReady, machine_readiness
from entrypoints.settings import (
    LEAST_PER_ADDRESS,
    SHARED_OUT,
    SHARED_OUT_BY_ADDRESS,
    BadSetting,
    Settings,
    share_of,
)
from entrypoints.worker_folder import WorkerFolder

WHOLE = {
    # Of one frame, request, answer, socket or customer, who is at one worker at a time.
    "openai_max_output_tokens",
    "view_tokens",
    "turn_max_tool_calls",
    "ai_failures_before_transfer",
    "elixir_retry_attempts",
    "limit_frames_per_s",
    "limit_messages_per_user",
    # Held in the store.
    "ai_budget_soft_tokens",
    "ai_budget_hard_tokens",
    # Times and ports.
    "bridge_away_s",
    "elixir_timeout",
    "retention_days",
    "scripted_delay_ms",
    "turn_quiet_ms",
    "server_port",
    "bridge_port",
    "workers",
}
"""The whole numbers of the settings that every worker has as they are."""


def test_it_is_decided_of_every_number_whether_workers_share_it_out() -> None:
    numbers = {
        field.name for field in msgspec.structs.fields(Settings) if get_args(field.type)[0] is int
    }

    assert {*SHARED_OUT, *SHARED_OUT_BY_ADDRESS} | WHOLE >= numbers
    assert not {*SHARED_OUT, *SHARED_OUT_BY_ADDRESS} & WHOLE


@pytest.mark.parametrize("workers", [2, 3, 7, 256])
def test_shares_make_up_the_whole_and_no_more_than_rounding_adds(workers: int) -> None:
    whole = Settings()
    share = share_of(whole, workers)

    for name in SHARED_OUT:
        assert 0 <= getattr(share, name) * workers - getattr(whole, name) < workers


@pytest.mark.parametrize(
    ("whole", "share"), [(1_000, 250), (40, LEAST_PER_ADDRESS), (10, 10), (1, 1)]
)
def test_an_address_keeps_enough_for_connections_that_meet_by_chance(
    whole: int, share: int
) -> None:
    settings = share_of(Settings(limit_connections_per_address=whole), 4)

    assert settings.limit_connections_per_address == share


def test_workers_have_a_broker_between_them() -> None:
    assert share_of(Settings(), 2).broker == "local"
    assert share_of(Settings(broker="redis"), 2).broker == "redis"


def test_conversations_in_the_memory_of_one_process_are_no_store_for_several() -> None:
    with pytest.raises(BadSetting, match="STORE=memory"):
        share_of(Settings(store="memory"), 2)


ONE = """# HELP joins_total Joins
# TYPE joins_total counter
joins_total{outcome="ok"} 2.0
# HELP joins_created Joins
# TYPE joins_created gauge
joins_created{outcome="ok"} 1.5e+09
# HELP sockets_open Open sockets
# TYPE sockets_open gauge
sockets_open 3.0
"""
OTHER = """# HELP joins_total Joins
# TYPE joins_total counter
joins_total{outcome="ok"} 1.0
joins_total{outcome="a \\"b\\" c"} 4.0
# HELP joins_created Joins
# TYPE joins_created gauge
joins_created{outcome="ok"} 1.4e+09
# HELP sockets_open Open sockets
# TYPE sockets_open gauge
sockets_open 1.0
"""
SUM = """# HELP joins_total Joins
# TYPE joins_total counter
joins_total{outcome="ok"} 3.0
joins_total{outcome="a \\"b\\" c"} 4.0
# HELP joins_created Joins
# TYPE joins_created gauge
joins_created{outcome="ok"} 1400000000.0
# HELP sockets_open Open sockets
# TYPE sockets_open gauge
sockets_open 4.0
"""


def test_expositions_add_up_sample_by_sample() -> None:
    assert added_up([ONE, OTHER]) == SUM


def test_what_lasts_of_a_process_are_its_counts() -> None:
    assert "sockets_open" not in lasting(ONE)
    assert added_up([lasting(ONE)]) == SUM.partition("# HELP sockets")[0].replace(
        "3.0", "2.0"
    ).replace("1400000000.0", "1500000000.0").replace(
        'joins_total{outcome="a \\"b\\" c"} 4.0\n', ""
    )


def test_the_counts_of_workers_that_have_ended_stay_in_the_sum(tmp_path: Path) -> None:
    folder = WorkerFolder(str(tmp_path))
    for name in ("1-a", "2-b", "1-c"):
        folder.write_metrics(name, ONE.encode())
    folder.retire("1-a")
    folder.retire("2-b")
    folder.retire("2-never-written")

    text = folder.metrics()

    assert 'joins_total{outcome="ok"} 6.0' in text
    assert "sockets_open 3.0" in text


def test_what_is_being_written_counts_for_nothing_and_goes_with_its_worker(tmp_path: Path) -> None:
    folder = WorkerFolder(str(tmp_path))
    folder.write_metrics("1-a", ONE.encode())
    whole, text = [*tmp_path.glob("*.metrics")], folder.metrics()
    with (
        patch.object(Path, "rename", side_effect=KeyboardInterrupt),  # it dies before the end
        pytest.raises(KeyboardInterrupt),
    ):
        folder.write_metrics("1-a", ONE.encode())
    beside = {*tmp_path.glob("*1-a*")} - {*whole}
    meanwhile = folder.metrics()
    folder.retire("1-a")

    assert len(beside) == 1
    assert meanwhile == text
    assert [*tmp_path.glob("*1-a*")] == []


@pytest.mark.parametrize("name", ["../1-a", "1-a/../1-a", "", "."])
def test_a_forged_name_leads_out_of_no_folder(tmp_path: Path, name: str) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "1-a.socket").touch()
    (inner / "1-a.socket").touch()

    assert WorkerFolder(str(inner)).socket_of(name) is None


def test_only_the_user_can_connect_to_a_workers_socket(tmp_path: Path) -> None:
    with WorkerFolder(str(tmp_path)).listen("1-a"):
        [found] = tmp_path.iterdir()

    assert found.stat().st_mode & 0o777 == 0o600


def report(status: Overall, store: Condition = "ok") -> Ready:
    return Ready(status, store=store, assistant="ok", bridge="none", broker="ok")


@pytest.mark.parametrize(
    ("statuses", "overall", "ready"),
    [
        (["ok", "ok"], "ok", 2),
        (["ok", "degraded"], "degraded", 2),
        (["ok", "down"], "down", 1),
        (["ok"], "degraded", 1),  # the other one hangs
        (["ok", "ok", "draining"], "ok", 2),  # one is being replaced
        (["draining", "ok", "ok"], "ok", 2),
        (["ok", "ok", "ok"], "ok", 2),
        (["draining", "draining"], "draining", 0),
    ],
)
def test_a_machine_is_as_ready_as_the_worst_of_its_workers(
    statuses: list[Overall], overall: Overall, ready: int
) -> None:
    machine = machine_readiness([report(status) for status in statuses], 2)

    assert machine.status == overall
    assert machine.workers == WorkersReady(ready, 2)


def test_the_worst_of_each_dependency_is_reported() -> None:
    machine = machine_readiness([report("ok"), report("down", store="down")], 2)

    assert (machine.status, machine.store, machine.bridge) == ("down", "down", "none")
