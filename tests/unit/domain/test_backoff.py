"""The pause doubles, has a longest value, and is spread over its upper half."""

import pytest

from domain.backoff import backoff


def test_the_pause_doubles_up_to_the_longest() -> None:
    pauses = [backoff(attempt, 0.2, 2.0, 1.0) for attempt in range(6)]

    assert pauses == pytest.approx([0.2, 0.4, 0.8, 1.6, 2.0, 2.0])


def test_jitter_spreads_the_pause_over_its_upper_half() -> None:
    assert backoff(0, 1.0, 8.0, 0.0) == 0.5
    assert backoff(0, 1.0, 8.0, 0.5) == 0.75
    assert backoff(9, 1.0, 8.0, 0.0) == 4.0


def test_any_number_of_failures_has_a_pause() -> None:
    assert backoff(100_000, 0.001, 60.0, 1.0) == 60.0
