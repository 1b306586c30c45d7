"""What a process knows of the end of a session's log, and what of the session it must tidy. Pure.

When the sweep must look at a session is said by its newest entries: by `d` of their item. To be
found by that time without a write to the head at each entry, some item of the session has a slot
in the index `due` that is never later: the head, or entries that are due earlier than those
before them. Who moves a slot to a later time, or takes one away, must know that another one will
do. Three rules see to that, whoever else writes to the session at the same time:

- entries have a slot of their own if they are due earlier than those before them, which the
  conditional put of their seq has proven to be the newest;
- the head's slot moves only together with the proof that the log has not grown meanwhile, and
  never to a later time than the newest entries are due at;
- the slot of entries is taken away when the newest ones are due no earlier than any that came
  since the head was read: no later may the head's slot have been moved by another process.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adapters.dynamodb.items import NEVER, Item, ms, stamped
from domain.identity import SessionId
from domain.session import Session

RECENCY_MS = 30_000
"""How far a head's place in the listings may be behind the newest entry."""
MAX_BEHIND = 16
"""How many entries a head may be behind: with so many, one page of the log reaches back to it."""
MAX_TAILS = 20_000
TAILS_LIVE = timedelta(hours=12)
"""The end of a log, a tombstone or the entry that closes, is there for longer than this: past it
no more than an absent item would keep an old writer from going on."""


@dataclass(slots=True)
class Tail:
    """The end of a session's log, and where its head is. Times are milliseconds since 1970."""

    seq: int
    """The newest entry's."""
    due: int
    """When the sweep must look at the session."""
    last_notice: str | None
    """Sort key of the newest item that had a notice."""
    head_seq: int
    head_at: int
    """The head's place in the listings."""
    head_due: int
    """The head's slot."""
    peak: int
    """The latest time at which any newest entry was due, since the head was read."""
    slots: dict[str, str] = field(default_factory=dict)
    """Slots of entries, by the sort key of the item."""
    read_at: datetime | None = None

    def needs_slot(self, due: int) -> bool:
        """Whether entries that come next and are due then need a slot of their own."""
        return due < self.due

    def grow(self, seq: int, due: int, last_notice: str | None) -> dict[str, str]:
        """Take in new entries; the slots that are needless now, which are forgotten."""
        self.seq, self.due, self.last_notice = seq, due, last_notice
        needless: dict[str, str] = {}
        if due >= self.peak and due >= self.head_due:
            needless, self.slots = self.slots, {}
        self.peak = max(self.peak, due)
        return needless

    def head_lags(self, session: Session) -> bool:
        """Whether the head must be written, for `session` is what it should be."""
        behind = session.seq - self.head_seq
        return behind >= MAX_BEHIND or (behind > 0 and self.recency_lags(session))

    def recency_lags(self, session: Session) -> bool:
        """Whether the head's place in the listings must change, too; a clock may have gone back."""
        return not 0 <= ms(session.updated_at) - self.head_at < RECENCY_MS

    def head_written(self, session: Session) -> None:
        """Take note that the head is as the session."""
        if self.recency_lags(session):
            self.head_at = ms(session.updated_at)
        self.head_seq = session.seq


def tail_of_head(session: Session, due: int, last_notice: str | None) -> Tail:
    """The tail when the head has just been written together with the newest entries."""
    return Tail(
        seq=session.seq,
        due=due,
        last_notice=last_notice,
        head_seq=session.seq,
        head_at=ms(session.updated_at),
        head_due=due,
        peak=due,
    )


def tail_of(head: Item, entries: Sequence[Item], seq: int) -> Tail:
    """The tail as it is read: the head, and the newest items of entries, the newest one first."""
    head_due = slot_ms(head)
    newest = entries[0] if entries else {}
    due = _due_ms(newest) if entries else head_due
    return Tail(
        seq=seq,
        due=due,
        last_notice=newest["lo"]["S"] if "lo" in newest else None,
        head_seq=int(head["q"]["N"]),
        head_at=stamped(head["lS"]),
        head_due=head_due,
        peak=max([due, *map(_due_ms, entries)]),  # a Query is no snapshot: some may be newer
        slots={item["SK"]["S"]: item["wS"]["S"] for item in entries if "wS" in item},
    )


def _due_ms(item: Item) -> int:
    return int(item["d"]["N"]) if "d" in item else NEVER


def slot_ms(item: Item) -> int:
    """The time of an item's slot in the index `due`; NEVER: it has none."""
    return stamped(item["wS"]) if "wS" in item else NEVER


class Tails:
    """The tails of the sessions that were read or written last. Hints: the put of a seq decides."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._tails: dict[SessionId, Tail] = {}

    def get(self, session_id: SessionId) -> Tail | None:
        """What is known of the session, unless that is too old to be relied on."""
        tail = self._tails.get(session_id)
        if tail is None or (tail.read_at and self._now() - tail.read_at < TAILS_LIVE):
            return tail
        self.forget(session_id)
        return None

    def keep(self, session_id: SessionId, tail: Tail) -> Tail:
        """Remember what was read or written; what is known if that is newer."""
        known = self._tails.pop(session_id, None)
        tail.read_at = self._now()
        if known is not None and known.seq > tail.seq:
            tail = known
        self._tails[session_id] = tail
        if len(self._tails) > MAX_TAILS:
            del self._tails[next(iter(self._tails))]
        return tail

    def forget(self, session_id: SessionId) -> None:
        """Read it again before the next write."""
        self._tails.pop(session_id, None)
