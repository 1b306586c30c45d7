"""The rolling summary: when the next one is to be made, and of which entries."""

from collections.abc import Sequence

from domain.message import Entry, Message, Summary, cost
from domain.session import Session
from domain.view import MAX_ENTRIES, window

MAX_TOKENS = 500
"""The longest digest; a quarter of a view, where that is less."""
KEPT_ENTRIES = 10
"""So many stay in the view as they were said, where they take up no more than half of it."""
KEPT_AT_LEAST = 2
"""The newest question and its answer always stay."""
PIECE_ENTRIES = 50
PIECE_TOKENS = 4_000
"""What is summarised at once: so much, or a single entry."""


def max_tokens(view_tokens: int) -> int:
    """How long a digest may be in a view of so many."""
    return min(MAX_TOKENS, view_tokens // 4)


def tokens_behind(session: Session, entries: Sequence[Entry], digest: Summary | None) -> int:
    """About how many tokens there are behind the digest, as far as `entries`, the newest, go."""
    through, before = (digest.through, digest.tokens) if digest is not None else (0, 0)
    if session.tokens is not None and before is not None:
        return session.tokens - before
    return sum(cost(entry) for entry in entries if entry.seq > through)


def behind(
    session: Session,
    entries: Sequence[Entry],
    digest: Summary | None,
    *,
    max_tokens: int,
    owed: Sequence[Message],
) -> tuple[Entry, ...]:
    """The newest entries behind the digest that fit a view: nearly always all of them."""
    through = digest.through if digest is not None else 0
    count = session.seq - through
    if (
        count <= min(len(entries), MAX_ENTRIES)
        and tokens_behind(session, entries, digest) <= max_tokens
    ):
        return tuple(entries[-count:]) if count else ()
    return window([e for e in entries if e.seq > through], max_tokens=max_tokens, owed=owed)


def overflows(
    session: Session, entries: Sequence[Entry], digest: Summary | None, *, view_tokens: int
) -> bool:
    """Whether something has fallen out of the view, or the next message may push it out.

    `entries`: the newest of the session; `digest`: its newest.
    """
    through = digest.through if digest is not None else 0
    return (
        session.seq - through >= MAX_ENTRIES
        or tokens_behind(session, entries, digest) > view_tokens * 3 // 4
    )


def end_of_next(session: Session, entries: Sequence[Entry], *, view_tokens: int) -> int:
    """The seq up to which the next digest is to go; what stays behind it fills half a view."""
    room = view_tokens // 2
    kept = 0
    for entry in reversed(entries[-KEPT_ENTRIES:]):
        room -= cost(entry)
        if room < 0 and kept >= KEPT_AT_LEAST:
            break
        kept += 1
    # What is not answered yet is seen as it was said.
    return min(session.seq - kept, session.settled_seq)


def piece(entries: Sequence[Entry], *, after: int, through: int) -> Sequence[Entry]:
    """The first of `entries` with after < seq <= through that one summary is made of."""
    due = [entry for entry in entries if after < entry.seq <= through][:PIECE_ENTRIES]
    room = PIECE_TOKENS
    for count, entry in enumerate(due):
        room -= cost(entry)
        if room < 0 and count > 0:
            return due[:count]
    return due


def tokens_through(
    session: Session, recent: Sequence[Entry], earlier: Summary | None, entries: Sequence[Entry]
) -> int | None:
    """`Summary.tokens` of one that is made of `earlier` and `entries`; None: nobody can know.

    `recent`: the newest entries of the session as it then was.
    """
    through, before = (earlier.through, earlier.tokens) if earlier is not None else (0, 0)
    if before is not None and entries[0].seq == through + 1:
        return before + sum(map(cost, entries))
    last = entries[-1].seq
    if session.tokens is None or not recent or recent[0].seq > last + 1:
        return None
    return session.tokens - sum(cost(entry) for entry in recent if entry.seq > last)
