"""The rolling summary: when the next one is due, and which entries go into it."""

from collections.abc import Sequence

from domain.message import Entry, Message, Summary, token_cost
from domain.session import Session
from domain.view import MAX_VIEW_ENTRIES, fit_to_budget, window

MAX_SUMMARY_TOKENS = 500
"""The longest summary; a quarter of a view, where that is less."""
KEPT_ENTRIES = 10
"""The newest entries that stay in the view, where they take up no more than half of it."""
KEPT_AT_LEAST = 2
"""The newest question and its answer always stay."""
CHUNK_ENTRIES = 50
CHUNK_TOKENS = 4_000
"""The bounds of what is summarised at once; a single entry may be longer."""


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
    if (
        len(later) <= MAX_VIEW_ENTRIES
        and session.seq - through <= len(entries)
        and tokens_after_summary(session, entries, summary) <= max_tokens
    ):
        return tuple(later)
    return window(later, max_tokens=max_tokens, pending=pending)


def is_summary_due(
    session: Session, entries: Sequence[Entry], summary: Summary | None, *, view_tokens: int
) -> bool:
    """Return whether entries have fallen out of the view, or the next message may push some out.

    `entries`: the newest of the session; `summary`: its newest.
    """
    through = summary.through if summary is not None else 0
    hidden = sum(not entry.is_for_model for entry in entries if entry.seq > through)
    return (
        session.seq - through - hidden >= MAX_VIEW_ENTRIES
        or tokens_after_summary(session, entries, summary) > view_tokens * 3 // 4
    )


def next_summary_end(session: Session, entries: Sequence[Entry], *, view_tokens: int) -> int:
    """Return the seq that the next summary is to reach; the entries after it fill half a view."""
    budget = view_tokens // 2
    kept = in_view = 0
    for entry in reversed(entries):
        if entry.is_for_model:
            budget -= token_cost(entry)
            if in_view == KEPT_ENTRIES or (budget < 0 and in_view >= KEPT_AT_LEAST):
                break
            in_view += 1
        kept += 1
    # Pending messages are never summarised.
    return min(session.seq - kept, session.settled_seq)


def next_chunk(entries: Sequence[Entry], *, after: int, through: int) -> Sequence[Entry]:
    """Return the first of `entries` with after < seq <= through that are summarised at once."""
    due = tuple([entry for entry in entries if after < entry.seq <= through][:CHUNK_ENTRIES])
    return fit_to_budget(due, max_tokens=CHUNK_TOKENS)


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
