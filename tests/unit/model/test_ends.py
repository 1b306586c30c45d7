"""Only an answer that ended by itself is whole."""

import pytest

from adapters.model.completion import Completion
from adapters.model.ends import End, end_of
from adapters.model.failures import AttemptFailed


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("stop", End.WHOLE), ("STOP", End.WHOLE), ("end_turn", End.WHOLE), ("", End.WHOLE),
        ("tool_calls", End.WHOLE), ("length", End.CUT), ("MAX_TOKENS", End.CUT),
        ("model_length", End.CUT), ("content_filter", End.WITHHELD), ("SAFETY", End.WITHHELD),
        ("error", End.BROKEN), ("abort", End.BROKEN),
        ("insufficient_system_resource", End.BROKEN), ("what_nobody_knows", End.BROKEN),
    ],
)  # fmt: skip
def test_a_reason_means_the_same_whoever_spells_it(reason: str, expected: End) -> None:
    assert end_of(reason) is expected


@pytest.mark.parametrize("reason", ["error", "insufficient_system_resource", "new_reason"])
def test_half_an_answer_is_none(reason: str) -> None:
    with pytest.raises(AttemptFailed, match=f"the answer ended with {reason}"):
        Completion(text=["Suntem"], finish=reason).check()


def test_a_reason_that_is_no_word_is_not_repeated() -> None:
    with pytest.raises(AttemptFailed, match="an unknown reason"):
        Completion(text=["Suntem"], finish="s3cret: Ana").check()
