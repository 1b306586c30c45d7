"""The state of a session's head relative to its log, as a process knows it. Pure.

The newest item of entries holds in `d` when the sweep must look at the session. So that it is
found by then without a write to the head at each entry, some item of the session has a slot in the
index `due` that is never later: the head, or entries that are due earlier than those before them.
A writer that moves a slot to a later time, or removes one, must know that another one suffices.
Three rules ensure that, whoever else writes to the session at the same time:

- entries have a slot of their own if they are due earlier than those before them, which the
  conditional put of their seq has proven to be the newest;
- the head's slot moves only together with the proof that the log has not grown meanwhile, and
  never to a later time than the newest entries are due at;
- the slot of entries is removed when the newest ones are due no earlier than any that came since
  the head was read: another process can have moved the head's slot no later than that.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from adapters.dynamodb.items import NEVER, Item, ms, stamped
from domain.identity import SessionId
from domain.session import Session

MAX_RECENCY_LAG_MS = 30_000
"""The time by which a head's slot in the listings may be behind the newest entry."""
MAX_HEAD_LAG = 16
"""The most entries by which a head may be behind, so that one page of the log reaches it."""
MAX_CACHED_HEADS = 20_000
CACHE_LIFETIME = timedelta(hours=12)
"""Shorter than the life of the items that refuse a late writer: the end of a log, a tombstone or
the entry that closes. After them only an absent item would be found."""


@dataclass(slots=True)
class HeadState:
    """The end of a session's log, and what its head says. Times are milliseconds since 1970."""

    seq: int
    """The newest entry's."""
    due: int
    """The time at which the sweep must look at the session."""
    head_seq: int
    head_at: int
    """The time of the head's slot in the listings."""
    latest_due: int
    """The latest time at which any newest entry was due, or the head, since the head was read."""
    slots: dict[str, str] = field(default_factory=dict)
    """Slots of entries in the index `due`, by the sort key of the item."""
    cached_at: datetime | None = None

    @classmethod
    def written(cls, session: Session, due: int) -> Self:
        """Return the state after the head was written together with the newest entries."""
        return cls(
            seq=session.seq,
            due=due,
            head_seq=session.seq,
            head_at=ms(session.updated_at),
            latest_due=due,
        )

    @classmethod
    def read(cls, head: Item, entries: Sequence[Item], seq: int) -> Self:
        """Return the state of a head and the newest items of entries, the newest one first."""
        head_due = _slot_ms(head)
        due = _due_ms(entries[0]) if entries else head_due
        return cls(
            seq=seq,
            due=due,
            head_seq=int(head["q"]["N"]),
            head_at=stamped(head["lS"]),
            # A Query is no snapshot: some of the entries may be newer than the head.
            latest_due=max([head_due, *map(_due_ms, entries)]),
            slots={item["SK"]["S"]: item["wS"]["S"] for item in entries if "wS" in item},
        )

    def needs_slot(self, due: int) -> bool:
        """Return True if the next entries, due at `due`, need a slot of their own."""
        return due < self.due

    def advance(self, session: Session, due: int, *, with_head: bool) -> dict[str, str]:
        """Add new entries, after which the session is `session`, perhaps with its head.

        Returns the slots that are obsolete now, and are forgotten here.
        """
        self.seq, self.due = session.seq, due
        if with_head:
            self.head_seq, self.head_at = session.seq, ms(session.updated_at)
        obsolete: dict[str, str] = {}
        if due >= self.latest_due:
            self.latest_due = due
            obsolete, self.slots = self.slots, {}
        return obsolete

    def lags(self, session: Session) -> bool:
        """Return True if the head must be written with the entries that lead to `session`."""
        age = ms(session.updated_at) - self.head_at  # negative, when clocks have gone back
        return session.seq - self.head_seq >= MAX_HEAD_LAG or not 0 <= age < MAX_RECENCY_LAG_MS


def _due_ms(item: Item) -> int:
    return int(item["d"]["N"]) if "d" in item else NEVER


def _slot_ms(item: Item) -> int:
    """Return the time of an item's slot in the index `due`; NEVER: it has none."""
    return stamped(item["wS"]) if "wS" in item else NEVER


class HeadStateCache:
    """The states of the sessions read or written last. Hints: the put of a seq decides."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._states: dict[SessionId, HeadState] = {}

    def get(self, session_id: SessionId) -> HeadState | None:
        """Return the state of the session, unless it is too old to be relied on."""
        state = self._states.get(session_id)
        if state is None or (state.cached_at and self._now() - state.cached_at < CACHE_LIFETIME):
            return state
        self.forget(session_id)
        return None

    def keep(self, session_id: SessionId, state: HeadState) -> HeadState:
        """Store the state, unless a newer one is known. Returns the newer one."""
        known = self._states.pop(session_id, None)
        state.cached_at = self._now()
        if known is not None and known.seq > state.seq:
            state = known
        self._states[session_id] = state
        if len(self._states) > MAX_CACHED_HEADS:
            del self._states[next(iter(self._states))]
        return state

    def forget(self, session_id: SessionId) -> None:
        """Drop the state, so that the session is read before the next write."""
        self._states.pop(session_id, None)
