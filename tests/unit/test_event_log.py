"""The log lines of turns, transfers, deliveries and refusals."""

import logging
from typing import Any

import pytest

from adapters.event_log import REFUSALS_LOGGED, EventLog
from domain.errors import AssistantFailed, BridgeRefused, BridgeUnavailable
from domain.usage import Usage
from tests.support.observed import ANA, ended, notice

IDS = [f"{number:032x}" for number in range(400)]


@pytest.fixture(autouse=True)
def _all_levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "adapters.event_log")


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """Return the values of the lines since the last call."""
    usual = vars(logging.makeLogRecord({})).keys() | {"message", "asctime", "taskName"}
    found = [
        {name: value for name, value in vars(each).items() if name not in usual}
        for each in caplog.records
    ]
    caplog.clear()
    return found


def test_a_turn_has_one_line_with_ids_times_and_tokens(caplog: pytest.LogCaptureFixture) -> None:
    usage = Usage(model="m1", input_tokens=900, output_tokens=40, calls=2)
    EventLog().turn_ended(ended(usage=usage, tools=("search_documents",)))

    assert lines(caplog) == [
        {
            "action": "turn_ended",
            "outcome": "answered",
            "business_id": "b1",
            "session_id": "s1",
            "response_id": "r1",
            "seconds": 1.235,
            "first_token_s": 0.25,
            "tools": "search_documents",
            "model": "m1",
            "input_tokens": 900,
            "output_tokens": 40,
            "model_calls": 2,
        }
    ]


def test_a_sample_has_whole_conversations_and_each_process_the_same(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sampled = []
    for log in (EventLog(0.25), EventLog(0.25)):
        for session_id in IDS:
            log.turn_ended(ended(session_id))
        sampled.append([line["session_id"] for line in lines(caplog)])
        for session_id in IDS:
            log.notice_settled(notice(session_id), "delivered", None)
        sampled.append([line["session_id"] for line in lines(caplog)])

    assert sampled[0] == sampled[1] == sampled[2] == sampled[3]
    assert len(IDS) * 0.15 < len(sampled[0]) < len(IDS) * 0.35


@pytest.mark.parametrize(
    "failed",
    [
        {"outcome": "failed", "error": AssistantFailed("away")},
        {"outcome": "timeout"},
        {"outcome": "answered", "error": ValueError()},
    ],
)
def test_what_fails_is_logged_of_every_conversation(
    failed: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    log = EventLog(0)
    log.turn_ended(ended())
    log.turn_ended(ended(session_id=None, **failed))
    log.turn_ended(ended(**failed))
    log.notice_settled(notice(), "delivered", None)
    log.notice_settled(notice(), "deferred", BridgeUnavailable("refused"))
    log.notice_settled(notice(attempts=4), "dead", BridgeRefused("no"))
    log.notice_settled(notice(), "deferred", ValueError())
    levels = [record.levelname for record in caplog.records]

    assert [line["action"] for line in lines(caplog)] == [
        "turn_ended",
        "turn_ended",
        "notice_dead",
        "notice_failed",
    ]
    assert levels == ["WARNING", "WARNING", "ERROR", "ERROR"]


def test_a_flood_of_refusals_has_few_lines_and_each_is_counted(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    log = EventLog()
    for _ in range(500):
        log.refused("unauthorized", "phx_join", None)
    log.refused("rate_limited", "new_message", ANA.business_id)
    flooded = lines(caplog)
    now += 60
    log.refused("unauthorized", "phx_join", None)

    assert [line["reason"] for line in flooded] == ["unauthorized"] * REFUSALS_LOGGED + [
        "rate_limited"
    ]
    assert flooded[-1]["business_id"] == "b1"
    assert lines(caplog) == [
        {
            "action": "refused",
            "reason": "unauthorized",
            "event": "phx_join",
            "more": 500 - REFUSALS_LOGGED,
        }
    ]
