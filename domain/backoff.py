"""The pause before something is tried again."""


def backoff(attempt: int, first_s: float, longest_s: float, jitter: float) -> float:
    """Return the pause in seconds after failure number `attempt`, counted from 0.

    It doubles from `first_s` up to `longest_s`; `jitter`, in 0..1, spreads it over its upper half.
    """
    pause_s = min(longest_s, first_s * 2.0 ** min(attempt, 32))
    return pause_s * (0.5 + jitter / 2)
