"""A short soak, and the judge of it: whatever is wrong with what is stored, it says so."""

from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.soak.customers import Customer, Seen, View
from tests.soak.rules import broken, lost_of_coordinators, unsettled
from tests.soak.run import Plan, soak

SHORT = Plan(
    seconds=6.0,
    customers=16,
    # Those from which all recovers at once: what a dead worker was doing is taken up after 10 s.
    faults=(
        "the model breaks off",
        "the network is cut",
        "the broker is killed",
        "clients do not read",
    ),
    hold_s=0.5,
    think_s=1.0,
    polling=False,
)


@pytest.mark.timeout(150)
async def test_no_rule_is_broken_by_faults_of_each_part(tmp_path: Path) -> None:
    found = await soak(SHORT, tmp_path)

    measured = {figure.name: figure.value for figure in found.figures}
    assert found.broken == []
    assert measured["messages acknowledged"] > 20
    assert measured["answered/s with faults"] > 0
    assert measured["sockets at the end"] == measured["notices in the outbox at the end"] == 0
    leaks = [figure for figure in found.figures if "more open files" in figure.name]
    assert {figure.verdict for figure in leaks} == {"met"}


def said(seq: int, message_id: str, author: str = "user", *answers: str) -> dict[str, Any]:
    entry = {"kind": "message", "seq": seq, "messageId": message_id, "author": author}
    return {**entry, "inReplyTo": list(answers), "message": message_id}


def handed(seq: int, status: str) -> dict[str, Any]:
    return {"kind": "status", "seq": seq, "status": status}


GOOD = [said(1, "ana-1"), said(2, "a", "ai", "ana-1"), handed(3, "live"), said(4, "ana-2"),
        handed(5, "ai"), said(6, "ana-3"), said(7, "b", "system", "ana-3")]  # fmt: skip


def ana(log: list[dict[str, Any]]) -> Customer:
    """Ana, who was shown all of a log, and whose first message was acknowledged."""
    customer = Customer("ana", "", Seen(), Random(1), think_s=1.0)
    customer.acknowledged["ana-1"] = "s", 1
    customer.sent = 3
    customer.views["s"] = View(len(log), {entry["seq"]: entry for entry in log})
    return customer


def test_a_good_log_breaks_no_rule() -> None:
    assert [*broken(ana(GOOD), {"s": GOOD}), *unsettled(ana(GOOD), {"s": GOOD}, {"ana-2"})] == []


@pytest.mark.parametrize(
    ("log", "complaint"),
    [
        (GOOD[:6], "ana-3 has no answer"),
        ([*GOOD[:3], handed(4, "ai")], "ana-2"),
        (
            [said(1, "ana-2"), *GOOD[1:]],
            "ana-1 was acknowledged at ('s', 1), and is stored at",
        ),
        ([*GOOD, said(8, "ana-1")], "ana-1 is stored 2 times"),
        ([*GOOD, said(8, "c", "ai", "ana-3")], "ana-3 has 2 answers"),
        ([*GOOD, said(9, "c", "coordinator")], "not numbered without gaps"),
        ([*GOOD, said(8, "ana-2")], "order in which they were sent"),
        ([*GOOD, said(8, "ana-9")], "was not sent: 9"),
        ([*GOOD, handed(8, "waiting")], "waits for a human"),
    ],
)
def test_what_is_wrong_with_a_log_is_named(log: list[dict[str, Any]], complaint: str) -> None:
    customer = ana(log)
    customer.acknowledged["ana-2"] = "s", 4
    at_bridge = {"ana-2"}
    found = [*broken(customer, {"s": log}), *unsettled(customer, {"s": log}, at_bridge)]

    assert any(complaint in each for each in found), found


def test_what_did_not_reach_a_reader_is_named() -> None:
    customer = ana(GOOD)
    assert customer.views["s"].entries.pop(7)
    customer.views["s"].entries[2] = said(2, "another", "ai", "ana-1")

    assert [*unsettled(customer, {"s": GOOD}, set())] == [
        "ana-2 of a live chat is not at the bridge",
        "ana was not shown [7] of s",
    ]
    customer.views["s"].entries[7] = GOOD[6]
    assert "ana was shown another text at 2" in [*unsettled(customer, {"s": GOOD}, set())]
    assert [*lost_of_coordinators({"c-1"}, GOOD)] == ["c-1 of a coordinator is stored 0 times"]
