"""A short soak: every invariant holds after some faults, and the judge finds what is wrong."""

from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.soak.customers import Customer, Seen, View
from tests.soak.soak import Plan, judged, soak

SHORT = Plan(
    faults_s=0.0,
    warm_up_s=1.0,
    hold_s=0.3,
    customers=16,
    polling=2,
    think_s=1.0,
    # Those after which nobody waits long: what a dead worker was doing is taken up after 10 s.
    kinds=(
        "the model breaks off",
        "the network is cut",
        "the broker is killed",
        "the store is disturbed",
        "clients do not read",
    ),
)


@pytest.mark.timeout(120)
async def test_nothing_is_lost_doubled_or_left_open_after_faults(tmp_path: Path) -> None:
    outcome = await soak(SHORT, tmp_path)

    assert outcome.violations == []
    assert list(outcome.faults) == list(SHORT.kinds)
    (answers,) = [each for each in outcome.figures if each.name == "answers"]
    assert answers.value > 0


def said(seq: int, message_id: str, author: str = "user", *answers: str) -> dict[str, Any]:
    return {
        "kind": "message",
        "seq": seq,
        "prevSeq": seq - 1,
        "messageId": message_id,
        "author": author,
        "inReplyTo": list(answers),
    }


def handed(seq: int, status: str) -> dict[str, Any]:
    return {"kind": "status", "seq": seq, "prevSeq": seq - 1, "status": status}


GOOD = [said(1, "m1"), said(2, "a1", "ai", "m1"), said(3, "m2"), handed(4, "waiting")]


@pytest.mark.parametrize(
    ("log", "complaint"),
    [
        (GOOD, ""),
        (GOOD[:3], "no answer to m2"),
        ([said(1, "other"), *GOOD[1:]], "m1 was acknowledged as 1, and is stored as []"),
        ([*GOOD, said(5, "m1")], "m1 is stored 2 times"),
        ([*GOOD, said(5, "a2", "ai", "m1")], "m1 is answered 2 times"),
        ([*GOOD, said(6, "c1", "coordinator")], "has not seen [6]"),
        ([GOOD[1], GOOD[0], *GOOD[2:]], "the log is not in order"),
    ],
    ids=["all is right", "unanswered", "lost", "doubled", "answered twice", "not shown", "order"],
)
def test_the_judge_names_what_is_wrong(log: list[Any], complaint: str) -> None:
    customer = Customer("ana", "", Seen(), Random(1), think_s=1.0)
    customer.acknowledged["m1"] = "s1", 1
    customer.views["s1"] = View(5, {seq: {} for seq in range(1, 6)})

    wrong = judged(customer, [{"conversation": {"sessionId": "s1"}, "messages": log}])

    assert any(complaint in each for each in wrong) if complaint else wrong == []
