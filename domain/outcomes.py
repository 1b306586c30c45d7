"""The outcomes of a business's conversations: what an append adds to a day's counts, and a report.

A *request for a human* counts whether or not somebody can meet it, and once: not again when it
expires, nor when a coordinator gives the conversation back to the queue. A conversation is *solved*
that has ended without one, without a coordinator who stepped in unasked, and whose customer has
needed none in a later conversation within REOPENED_WITHIN.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import accumulate, chain
from typing import NamedTuple

from msgspec import Struct

from domain.knowledge import found_nothing
from domain.message import Audience, Author, Entry, Message, StatusChange
from domain.rating import MOST_STARS, stars_in
from domain.session import Draft, Session
from domain.status import Reason, Status
from domain.usage import Counts, Prices, usage_in

REOPENED_WITHIN = timedelta(hours=72)
"""The time for which a conversation that has ended may turn out not to be solved."""

CONVERSATIONS, ENDED, SOLVED = "conversations", "ended", "solved"
UNANSWERED_QUESTIONS = "unanswered_questions"
_HANDOFF, _RATING = "handoff_", "rating_"
FIRST_ANSWER, HUMAN = "first_answer", "human"

BOUNDS_S = (
    *(0.25, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50),
    *(60, 75, 90, 120, 150, 180, 240, 300, 450, 600, 900, 1_200, 1_800, 2_700),
    *(3_600, 5_400, 7_200, 10_800, 14_400, 21_600, 43_200, 86_400),
)
"""The upper bounds of the ranges in which times are counted; the last range has none.

Counts are stored by their places here, so another list needs other names.
"""


class Count(NamedTuple):
    """What is added to one of a business's counts of a day (UTC); it may be negative."""

    day: date
    name: str
    by: int = 1

    @property
    def is_handoff(self) -> bool:
        """True if a human is needed from here on."""
        return self.name.startswith(_HANDOFF)


def outcomes_of(before: Session | None, recent: Sequence[Entry], draft: Draft) -> Iterator[Count]:
    """Yield what a draft changes in the counts, once it is stored.

    `before`: the customer's newest session before it, and `recent` its newest entries.
    """
    if before is not None and before.session_id != draft.session.session_id:
        before, recent = None, ()
    if before is None and draft.entries[0].is_said:  # else an earlier conversation goes on in it
        yield Count(draft.entries[0].at.date(), CONVERSATIONS)
    status = before.status if before is not None else Status.AI
    for entry in draft.entries:
        if isinstance(entry, StatusChange):
            if entry.changes_owner:
                yield from _of_change(before, status, entry)
                status = entry.status
        elif entry.author is Author.USER:
            if entry.audience is not Audience.ALL:
                yield from _of_rating(before, entry)
        else:
            if entry.settles_seq and entry.author is Author.AI:
                yield from _of_answer(before, chain(recent, draft.entries), entry)
            if found_nothing(entry.tools):
                yield Count(entry.at.date(), UNANSWERED_QUESTIONS)
            # One that has expired was counted when it was made.
            is_new = before is None or (before.status is Status.AI and before.unmet is None)
            if entry.unmet is not None and is_new:
                yield Count(entry.at.date(), _HANDOFF + entry.unmet)


def _of_change(before: Session | None, status: Status, change: StatusChange) -> Iterator[Count]:
    day = change.at.date()
    if status is Status.AI and change.status in (Status.WAITING, Status.LIVE):
        yield Count(day, _HANDOFF + change.reason)
    elif status is Status.WAITING and change.status is Status.LIVE:
        if change.transfer is not None:
            yield from _time(HUMAN, change.transfer.requested_at, change.at)
    elif change.status is Status.CLOSED and change.reason is not Reason.SIGNED_IN:
        yield Count(day, ENDED)
        if before is None or not has_needed_human(before):
            yield Count(day, SOLVED)


def _of_rating(before: Session | None, message: Message) -> Iterator[Count]:
    """Yield a rating; it replaces an earlier one of the session, on the day when that was given."""
    stars = stars_in(message.actions)
    if stars is None:
        return
    if before is not None and before.rating is not None:
        yield Count(before.rating.at.date(), f"{_RATING}{before.rating.stars.rating}", -1)
    yield Count(message.at.date(), f"{_RATING}{stars.rating}")


def _of_answer(
    before: Session | None, entries: Iterable[Entry], answer: Message
) -> Iterator[Count]:
    """Yield the time to the AI's answer, if it is to the first that the customer has written."""
    if before is not None and before.settled_seq:
        return
    for entry in entries:
        if entry.seq == 1 and not entry.is_said:
            return  # an earlier conversation goes on in it
        if isinstance(entry, Message) and entry.author is Author.USER:
            yield from _time(FIRST_ANSWER, entry.at, answer.at)
            return


def _time(name: str, since: datetime, until: datetime) -> Iterator[Count]:
    """Yield a time: in its range, and in the sum of all."""
    seconds = max(0.0, (until - since).total_seconds())
    yield Count(until.date(), f"{name}_{bisect_left(BOUNDS_S, seconds)}")
    yield Count(until.date(), f"{name}_ms", round(seconds * 1000))


def has_needed_human(session: Session, recent: Iterable[Entry] = ()) -> bool:
    """Return whether a human was ever asked for in a session, or stepped in.

    `recent`: the newest entries, which a closed one is known by where nobody could come and the
    customer left no message.
    """
    if session.transfer is not None or session.unmet is not None or session.missed is not None:
        return True
    return any(isinstance(entry, Message) and entry.unmet is not None for entry in recent)


# The report.


class Times(Struct, frozen=True, kw_only=True, rename="camel"):
    """Times that were counted, in seconds; without any, there is no median and no mean."""

    count: int
    median_s: float | None
    """Exact to the range of BOUNDS_S that it is in."""
    mean_s: float | None


class Outcomes(Struct, frozen=True, kw_only=True, rename="camel"):
    """The outcomes of conversations in a period."""

    conversations: int
    """Those that have begun in it."""
    ended: int
    solved: int
    """Of those that have ended in it."""
    handoffs: Mapping[str, int]
    """The requests for a human, by their reason; `coordinator`: one stepped in unasked."""
    first_answer: Times
    """From the first that a customer writes to the AI's answer."""
    human: Times
    """From the request for a human to their coming."""
    ratings: Mapping[str, int]
    """By stars: `1` to `5`."""
    average_rating: float | None
    unanswered_questions: int
    """Those for which the AI searched the documents, and found nothing."""
    tokens: int
    tokens_per_conversation: float | None
    cost: float | None
    """None: no prices are known."""


def outcomes_in(counts: Counts, prices: Prices | None) -> Outcomes:
    """Return the outcomes that counts of one day, or of several, amount to."""

    def count(name: str) -> int:
        # Something that was counted before this began, or was lost, may be taken back.
        return max(0, counts.get(name, 0))

    usage, conversations = usage_in(counts), count(CONVERSATIONS)
    stars = {str(each): count(f"{_RATING}{each}") for each in range(1, MOST_STARS + 1)}
    rated = sum(stars.values())
    return Outcomes(
        conversations=conversations,
        ended=count(ENDED),
        solved=min(count(SOLVED), count(ENDED)),
        handoffs={
            name.removeprefix(_HANDOFF): n
            for name, n in sorted(counts.items())
            if name.startswith(_HANDOFF)
        },
        first_answer=_times(counts, FIRST_ANSWER),
        human=_times(counts, HUMAN),
        ratings=stars,
        average_rating=_per(sum(int(each) * n for each, n in stars.items()), rated),
        unanswered_questions=count(UNANSWERED_QUESTIONS),
        tokens=usage.tokens,
        tokens_per_conversation=_per(usage.tokens, conversations),
        cost=round(prices.cost(usage), 6) if prices is not None else None,
    )


def _times(counts: Counts, name: str) -> Times:
    ranges = [counts.get(f"{name}_{place}", 0) for place in range(len(BOUNDS_S) + 1)]
    total = sum(ranges)
    mean_s = _per(counts.get(f"{name}_ms", 0) / 1000, total)
    return Times(count=total, median_s=_median(ranges, total), mean_s=mean_s)


def _median(ranges: Sequence[int], total: int) -> float | None:
    """Return the median of what was counted in ranges, as if it were spread evenly in each."""
    if not total:
        return None
    until = [*accumulate(ranges)]
    place = bisect_left(until, total / 2)
    low = BOUNDS_S[place - 1] if place else 0
    if place == len(BOUNDS_S):
        return float(low)
    before = until[place - 1] if place else 0
    share = (total / 2 - before) / ranges[place]
    return round(low + (BOUNDS_S[place] - low) * share, 3)


def _per(total: float, count: int) -> float | None:
    return round(total / count, 3) if count else None
