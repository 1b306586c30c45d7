"""The rolling summary: when the next one is due, and which entries go into it."""

from collections.abc import Sequence

from domain.message import ENTRY_OVERHEAD_TOKENS, Entry, Message, Summary, token_cost
from domain.session import Session
from domain.view import MAX_VIEW_ENTRIES, fit_to_budget, window

MAX_SUMMARY_TOKENS = 500
"""The longest summary; a quarter of a view, where that is less."""
KEPT_SHARE = 4
"""The newest entries that stay when a summary is made take up a view's fourth part at most.

Much is summarised at once, and rarely: a prompt whose beginning stays the same is mostly served
from the provider's cache.
"""
KEPT_AT_LEAST = 2
"""The newest question and its answer always stay."""
WINDOW_STEPS = 4
"""A window that is too small moves by a fourth of itself at once, for the same reason."""
CHUNK_ENTRIES = 250
CHUNK_TOKENS = 4_000
"""The bounds of what is summarised at once, or three quarters of a view, where that is more; a
single entry may be longer."""


def summary_budget(view_tokens: int) -> int:
    """Return the most tokens of a summary in a view of `view_tokens`."""
    return min(MAX_SUMMARY_TOKENS, view_tokens // 4)


def tokens_after_summary(
    session: Session, entries: Sequence[Entry], summary: Summary | None
) -> int:
    """Estimate the tokens after the summary, as far as `entries`, the newest ones, reach."""
    through, before = (summary.through, summary.tokens) if summary is not None else (0, 0)
    if session.tokens is not None and before is not None:
        return session.tokens - before
    return sum(token_cost(entry) for entry in entries if entry.seq > through)


def entries_after_summary(
    session: Session,
    entries: Sequence[Entry],
    summary: Summary | None,
    *,
    max_tokens: int,
    pending: Sequence[Message],
) -> tuple[Entry, ...]:
    """Return the newest entries after the summary that fit a view: nearly always all of them."""
    through = summary.through if summary is not None else 0
    later = [entry for entry in entries if entry.seq > through and entry.is_for_model]
    surplus = tokens_after_summary(session, entries, summary) - max_tokens
    if surplus > 0:
        max_tokens -= -surplus % max(1, max_tokens // WINDOW_STEPS)
    elif len(later) <= MAX_VIEW_ENTRIES and session.seq - through <= len(entries):
        return tuple(later)
    return window(later, max_tokens=max_tokens, pending=pending)


def missing_entries(
    session: Session, entries: Sequence[Entry], summary: Summary | None, *, max_tokens: int
) -> int:
    """Estimate how many of the entries before `entries` a view has room for; 0: none."""
    through = summary.through if summary is not None else 0
    before = entries[0].seq - 1 - through
    if before <= 0:
        return 0
    most = min(before, max(0, MAX_VIEW_ENTRIES - len(entries)))
    if session.tokens is not None and tokens_after_summary(session, entries, summary) <= max_tokens:
        return most
    at_hand = sum(map(token_cost, entries))
    room = max_tokens - at_hand
    if room <= 0:
        return 0
    each = max(ENTRY_OVERHEAD_TOKENS, at_hand // len(entries))  # as long as those at hand
    return min(most, -(-room // each))


def is_summary_due(
    session: Session, entries: Sequence[Entry], summary: Summary | None, *, view_tokens: int
) -> bool:
    """Return True if entries have fallen out of the view, or the next message may push some out.

    It is due once they fill three quarters of what a summary leaves of a view.
    `entries`: the newest of the session; `summary`: its newest.
    """
    room = view_tokens - summary_budget(view_tokens)
    through = summary.through if summary is not None else 0
    if tokens_after_summary(session, entries, summary) > room * 3 // 4:
        return True
    if (most := session.seq - through) < MAX_VIEW_ENTRIES:
        return False
    hidden = sum(not entry.is_for_model for entry in entries if entry.seq > through)
    return most - hidden >= MAX_VIEW_ENTRIES


def next_summary_end(session: Session, entries: Sequence[Entry], *, view_tokens: int) -> int:
    """Return the seq that the next summary is to reach: see KEPT_SHARE."""
    budget = view_tokens // KEPT_SHARE
    kept = in_view = 0
    for entry in reversed(entries):
        if entry.is_for_model:
            budget -= token_cost(entry)
            if in_view == MAX_VIEW_ENTRIES // KEPT_SHARE or (
                budget < 0 and in_view >= KEPT_AT_LEAST
            ):
                break
            in_view += 1
        kept += 1
    # Pending messages are never summarised.
    return min(session.seq - kept, session.settled_seq)


def next_chunk(
    entries: Sequence[Entry], *, after: int, through: int, view_tokens: int
) -> Sequence[Entry]:
    """Return the first of `entries` with after < seq <= through that are summarised at once."""
    due = tuple([entry for entry in entries if after < entry.seq <= through][:CHUNK_ENTRIES])
    return fit_to_budget(due, max_tokens=max(CHUNK_TOKENS, view_tokens * 3 // 4))


def tokens_through(
    session: Session, recent: Sequence[Entry], earlier: Summary | None, entries: Sequence[Entry]
) -> int | None:
    """Return `Summary.tokens` of one made from `earlier` and `entries`; None: it is unknown.

    `recent`: the newest entries of `session`.
    """
    through, before = (earlier.through, earlier.tokens) if earlier is not None else (0, 0)
    if before is not None and entries[0].seq == through + 1:
        return before + sum(map(token_cost, entries))
    last = entries[-1].seq
    if session.tokens is None or not recent or recent[0].seq > last + 1:
        return None
    return session.tokens - sum(token_cost(entry) for entry in recent if entry.seq > last)
