"""The report of outcomes: what counts of a day, or of many, amount to."""

import random
from statistics import median

import pytest

from domain.identity import TransferId
from domain.outcomes import BOUNDS_S, Times, outcomes_in, outcomes_of
from domain.session import Draft
from domain.status import Reason, Status
from domain.usage import Prices, Usage
from tests.unit.domain.makers import at, new_session, session_in

PRICES = Prices(currency="EUR", input=2.0, cached=0.5, output=10.0)


def timed(*seconds: float) -> dict[str, int]:
    """Return the counts of times of a human's coming."""
    counts: dict[str, int] = {}
    for each in seconds:
        draft = Draft(session_in(Status.WAITING))
        draft.assign(None, TransferId("t1"), at(each))
        for count in outcomes_of(session_in(Status.WAITING), (), draft):
            counts[count.name] = counts.get(count.name, 0) + count.by
    return counts


def test_without_counts_nothing_is_claimed() -> None:
    outcomes = outcomes_in({}, PRICES)

    assert (outcomes.conversations, outcomes.ended, outcomes.solved) == (0, 0, 0)
    assert outcomes.human == Times(count=0, median_s=None, mean_s=None)
    assert (outcomes.average_rating, outcomes.tokens_per_conversation) == (None, None)
    assert outcomes.cost == 0
    assert outcomes_in({}, None).cost is None


def test_a_median_is_within_the_range_of_the_true_one_and_a_mean_is_exact() -> None:
    rng = random.Random(7)
    for size in (1, 2, 3, 10, 101):
        seconds = [round(rng.lognormvariate(3, 1.5), 3) for _ in range(size)]
        found = outcomes_in(timed(*seconds), None).human
        assert found.count == size
        assert found.mean_s == pytest.approx(sum(seconds) / size, abs=0.002)
        assert found.median_s is not None
        true = sorted(seconds)[(size - 1) // 2]
        low, high = max([0, *[b for b in BOUNDS_S if b < true]]), min(
            b for b in BOUNDS_S if b >= true
        )  # fmt: skip
        assert low <= found.median_s <= high
        assert found.median_s <= 2 * max(0.25, median(seconds))


def test_times_longer_than_all_ranges_are_told_as_at_least_so_long() -> None:
    found = outcomes_in(timed(200_000, 300_000), None).human

    assert (found.count, found.median_s, found.mean_s) == (2, BOUNDS_S[-1], 250_000)


def test_medians_of_days_and_processes_add_up() -> None:
    one, other = timed(1, 2, 3), timed(100, 200)
    both = {name: one.get(name, 0) + other.get(name, 0) for name in {*one, *other}}

    assert outcomes_in(both, None).human == outcomes_in(timed(1, 2, 3, 100, 200), None).human


def test_clocks_that_disagree_make_no_negative_time() -> None:
    assert outcomes_in(timed(-5), None).human.mean_s == 0


def test_what_was_counted_before_the_beginning_and_is_taken_back_is_not_negative() -> None:
    outcomes = outcomes_in({"solved": -2, "rating_1": -1, "rating_5": 1}, None)

    assert outcomes.solved == 0
    assert outcomes.average_rating == 5
    assert outcomes_in({"solved": 3, "ended": 2}, None).solved == 2


def test_the_cost_is_that_of_the_tokens_by_their_kinds() -> None:
    usage = Usage(input_tokens=1_000_000, cached_tokens=400_000, output_tokens=50_000, calls=9)
    outcomes = outcomes_in({**usage.counts, "conversations": 4}, PRICES)

    assert outcomes.cost == 600_000 * 2 / 1e6 + 400_000 * 0.5 / 1e6 + 50_000 * 10 / 1e6
    assert (outcomes.tokens, outcomes.tokens_per_conversation) == (1_050_000, 262_500)


@pytest.mark.parametrize("status", [Status.AI, Status.LIVE])
def test_a_takeover_among_coordinators_is_no_handoff(status: Status) -> None:
    before = session_in(status)
    draft = Draft(before)
    if status is Status.AI:
        draft.request_transfer(Reason.AI_FAILURE, TransferId("t2"), at(1), timeout_s=9)
    else:
        draft.change_status(Status.LIVE, Reason.TAKEOVER, at(1))
    names = [count.name for count in outcomes_of(before, (), draft)]

    assert names == (["handoff_ai_failure"] if status is Status.AI else [])


def test_what_is_counted_is_on_the_day_of_the_entry() -> None:
    draft = Draft(new_session())
    draft.request_transfer(Reason.USER_REQUEST, TransferId("t"), at(12 * 3600), timeout_s=9)
    counts = list(outcomes_of(None, (), draft))

    assert {count.day for count in counts} == {at(12 * 3600).date()}
    assert [count.name for count in counts] == ["conversations", "handoff_user_request"]
