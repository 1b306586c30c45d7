"""The store in dictionaries, for tests, simulations and the demo. It ends with its process."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from heapq import nlargest, nsmallest
from itertools import takewhile

from msgspec.structs import replace

from application.page_cursor import decode_cursor, encode_cursor
from application.ports import RECENT, Backlog, Erased, Loaded, SessionPage, Store
from domain.errors import DuplicateMessage, SeqTaken
from domain.identity import IDEMPOTENCY_WINDOW, BusinessId, Customer, SessionId
from domain.message import Entry, Message
from domain.notice import DeadLetter, Deferred, Lane, Notice, Outcome, Undeliverable
from domain.session import Draft, Session
from domain.status import Status
from domain.usage import Counts

_PRUNED_SESSIONS = 500
"""The number of sessions that are looked at in one `prune`."""


@dataclass(slots=True, eq=False)
class _Log:
    """A session and its log: `entries[seq - 1 - pruned]` is the entry with that seq."""

    session: Session
    entries: list[Entry] = field(default_factory=list)
    pruned: int = 0
    """The number of entries that were deleted, the oldest ones."""

    def between(self, first: int, last: int) -> list[Entry]:
        """Return the entries with seqs from `first` to `last`."""
        start, end = first - 1 - self.pruned, last - self.pruned
        return self.entries[max(start, 0) : max(end, 0)]


@dataclass(frozen=True, slots=True)
class _StoredKey:
    """A stored idempotency key, and the message that it was stored with."""

    session_id: SessionId
    seq: int
    status: Status
    at: datetime


@dataclass(slots=True)
class _CustomerRecord:
    """A customer's sessions, in the order of their opening, and idempotency keys."""

    logs: list[_Log] = field(default_factory=list)
    keys: dict[str, _StoredKey] = field(default_factory=dict)

    def has_open(self) -> bool:
        return bool(self.logs) and self.logs[-1].session.is_open


@dataclass(slots=True)
class _QueuedNotice:
    """An undelivered notice, and when it may be claimed."""

    notice: Notice
    ready_at: datetime
    attempts: int = 0

    def claimed(self) -> Notice:
        return replace(self.notice, due_at=self.ready_at, attempts=self.attempts)


class MemoryStore(Store):
    """All ports of storage in the memory of one process.

    Entries and heads are frozen, so they are stored and returned without a copy. No method awaits
    anything, so each is atomic.
    """

    def __init__(self, expired_until: Callable[[], datetime] | None = None) -> None:
        """`expired_until` returns the time up to which entries, and closed sessions, have expired.

        They are hidden at once, and deleted by `prune`. None: nothing expires.
        """
        self._expired_until = expired_until
        self._to_prune: list[SessionId] = []
        self._logs: dict[SessionId, _Log] = {}
        self._customers: dict[Customer, _CustomerRecord] = {}
        # Only sessions with a time are in here. A scan in `due`, every few seconds, costs less
        # than an ordered structure in `append`, which changes the time twice per turn.
        self._due: dict[SessionId, datetime] = {}
        # Undelivered notices, per lane and session in the order of position. A claim sets
        # `ready_at` to the end of its lease.
        self._queues: dict[Lane, dict[SessionId, dict[str, _QueuedNotice]]] = {
            lane: {} for lane in Lane
        }
        self._queued_in: dict[str, tuple[Lane, SessionId]] = {}
        self._dead: dict[SessionId, dict[str, DeadLetter]] = {}
        self._counts: dict[BusinessId, dict[date, Counter[str]]] = {}

    def __repr__(self) -> str:
        return f"<MemoryStore sessions={len(self._logs)} undelivered={len(self._queued_in)}>"

    async def latest(self, customer: Customer) -> Loaded | None:
        record = self._customers.get(customer)
        return self._loaded(record.logs[-1]) if record and record.logs else None

    async def load(self, session_id: SessionId) -> Loaded | None:
        log = self._logs.get(session_id)
        return self._loaded(log) if log else None

    def _loaded(self, log: _Log) -> Loaded | None:
        if not log.session.is_open and self._has_expired(log.session.updated_at):
            return None
        return Loaded(log.session, tuple(self._unexpired(log.entries[-RECENT:])))

    def _unexpired(self, entries: list[Entry]) -> list[Entry]:
        return [entry for entry in entries if not self._has_expired(entry.at)]

    def _has_expired(self, at: datetime) -> bool:
        return self._expired_until is not None and at <= self._expired_until()

    async def append(self, draft: Draft, due_at: datetime | None) -> None:
        session = draft.session
        if draft.key is not None:
            duplicate = self._duplicate(session.customer, draft.key, draft.entries[-1].at)
            if duplicate is not None:
                raise duplicate
        log = self._logs.get(session.session_id)
        if log is None:
            log = self._open(session, draft.entries[0].seq)
        elif draft.entries[0].seq != log.session.seq + 1:
            raise SeqTaken
        # Nothing can be refused from here on: all of it is stored.
        log.entries += draft.entries
        log.session = session
        self._schedule(session.session_id, due_at)
        if draft.key is not None:
            self._remember(draft.key, draft)
        if draft.notices:
            self._queue(draft.notices)

    async def stored(self, customer: Customer, key: str, now: datetime) -> DuplicateMessage | None:
        return self._duplicate(customer, key, now)

    def _duplicate(self, customer: Customer, key: str, now: datetime) -> DuplicateMessage | None:
        record = self._customers.get(customer)
        first = record.keys.get(key) if record is not None else None
        if first is None or now - first.at >= IDEMPOTENCY_WINDOW:
            return None
        return DuplicateMessage(session_id=first.session_id, seq=first.seq, status=first.status)

    def _open(self, session: Session, seq: int) -> _Log:
        record = self._customers.get(session.customer)
        if seq != 1 or (record is not None and record.has_open()):
            raise SeqTaken
        if record is None:
            record = self._customers[session.customer] = _CustomerRecord()
        log = self._logs[session.session_id] = _Log(session)
        record.logs.append(log)
        return log

    def _schedule(self, session_id: SessionId, due_at: datetime | None) -> None:
        if due_at is None:
            self._due.pop(session_id, None)
        else:
            self._due[session_id] = due_at

    def _remember(self, key: str, draft: Draft) -> None:
        keys = self._customers[draft.session.customer].keys
        session, at = draft.session, draft.entries[-1].at
        keys.pop(key, None)  # so that the keys stay in the order of time
        keys[key] = _StoredKey(session.session_id, draft.keyed_seq, session.status, at)
        while at - keys[oldest := next(iter(keys))].at >= IDEMPOTENCY_WINDOW:
            del keys[oldest]

    def _queue(self, notices: Iterable[Notice]) -> None:
        for notice in sorted(notices, key=lambda notice: notice.position):
            queue = self._queues[notice.lane].setdefault(notice.session_id, {})
            queue[notice.notice_id] = _QueuedNotice(notice, notice.due_at)
            self._queued_in[notice.notice_id] = notice.lane, notice.session_id

    async def page(
        self, session_id: SessionId, *, after: int = 0, before: int | None = None, limit: int
    ) -> tuple[Entry, ...]:
        log = self._logs.get(session_id)
        if log is None:
            return ()
        after, last = max(after, log.pruned), log.session.seq
        if before is not None:
            last = min(last, before - 1)
            return tuple(self._unexpired(log.between(max(after, last - limit) + 1, last)))
        while page := log.between(after + 1, min(last, after + limit)):
            if unexpired := self._unexpired(page):
                return tuple(unexpired)
            after += limit
        return ()

    async def due(self, now: datetime, limit: int) -> tuple[Session, ...]:
        due = [(at, session_id) for session_id, at in self._due.items() if at <= now]
        return tuple(self._logs[session_id].session for _, session_id in nsmallest(limit, due))

    async def list_sessions(
        self,
        *,
        business_id: BusinessId | None = None,
        status: Status | None = None,
        customer: Customer | None = None,
        limit: int,
        cursor: str | None = None,
    ) -> SessionPage:
        """List sessions by their newest entry, newest first.

        While sessions change, none is listed twice, and every one that does not change is listed;
        one that gets an entry moves to the front, where a new listing begins.
        Raises: InvalidPayload for a bad cursor.
        """
        below = decode_cursor(cursor, SessionId) if cursor is not None else None
        found = [
            session
            for session in self._sessions(customer)
            if (session.is_open or not self._has_expired(session.updated_at))
            and (business_id is None or session.customer.business_id == business_id)
            and (status is None or session.status is status)
            and (below is None or _recency(session) < below)
        ]
        page = tuple(nlargest(limit, found, key=_recency))
        more = len(page) < len(found)
        return SessionPage(page, encode_cursor(*_recency(page[-1])) if more else None)

    def _sessions(self, customer: Customer | None) -> list[Session]:
        if customer is None:
            return [log.session for log in self._logs.values()]
        record = self._customers.get(customer)
        return [log.session for log in record.logs] if record else []

    async def erase(self, customer: Customer) -> Erased:
        record = self._customers.pop(customer, None)
        if record is None:
            return Erased(0, 0, 0)
        notices = messages = 0
        for log in record.logs:
            messages += sum(isinstance(entry, Message) for entry in log.entries)
            notices += self._erase_session(log.session.session_id)
        return Erased(len(record.logs), messages, notices)

    def _erase_session(self, session_id: SessionId) -> int:
        """Delete the session and its notices; return how many these were."""
        del self._logs[session_id]
        self._due.pop(session_id, None)
        return self._erase_notices(session_id)

    def _erase_notices(self, session_id: SessionId) -> int:
        queued = [
            notice_id
            for queues in self._queues.values()
            for notice_id in queues.pop(session_id, ())
        ]
        for notice_id in queued:
            del self._queued_in[notice_id]
        return len(queued) + len(self._dead.pop(session_id, ()))

    async def prune(self) -> None:
        if self._expired_until is None:
            return
        until = self._expired_until()
        self._to_prune = self._to_prune or [*self._logs]
        for session_id in self._to_prune[-_PRUNED_SESSIONS:]:
            if session_id in self._logs:
                self._prune(self._logs[session_id], until)
        del self._to_prune[-_PRUNED_SESSIONS:]

    def _prune(self, log: _Log, until: datetime) -> None:
        session_id, record = log.session.session_id, self._customers[log.session.customer]
        for key in [key for key, of in record.keys.items() if of.at <= until - IDEMPOTENCY_WINDOW]:
            del record.keys[key]
        if not log.session.is_open and log.session.updated_at <= until:
            self._erase_session(session_id)
            record.logs.remove(log)
            if not record.logs and not record.keys:
                del self._customers[log.session.customer]
            return
        expired = sum(1 for _ in takewhile(lambda entry: entry.at <= until, log.entries))
        del log.entries[:expired]
        log.pruned += expired
        self._prune_notices(session_id, until)

    def _prune_notices(self, session_id: SessionId, until: datetime) -> None:
        for queues in self._queues.values():
            queue = queues.get(session_id, {})
            for notice_id in [each for each in queue if queue[each].notice.due_at <= until]:
                self._remove(notice_id)
        letters = self._dead.get(session_id, {})
        for notice_id in [each for each in letters if letters[each].notice.due_at <= until]:
            self._pop_dead(notice_id)

    async def claim(
        self, lane: Lane, now: datetime, lease_until: datetime, limit: int
    ) -> tuple[Notice, ...]:
        """The longest due first. `attempts` of a notice counts the claims before this one."""
        heads = (next(iter(queue.values())) for queue in self._queues[lane].values())
        due = nsmallest(
            limit,
            (queued for queued in heads if queued.ready_at <= now),
            key=lambda queued: (queued.ready_at, queued.notice.session_id),
        )
        claimed = tuple([queued.claimed() for queued in due])
        for queued in due:
            queued.ready_at = lease_until
            queued.attempts += 1
        return claimed

    async def settle(self, notice_id: str, outcome: Outcome) -> None:
        if notice_id not in self._queued_in:
            return
        lane, session_id = self._queued_in[notice_id]
        if isinstance(outcome, Deferred):
            self._queues[lane][session_id][notice_id].ready_at = outcome.until
            return
        queued = self._remove(notice_id)
        if isinstance(outcome, Undeliverable):
            notice = replace(queued.notice, attempts=queued.attempts)
            letters = self._dead.setdefault(session_id, {})
            letters[notice_id] = DeadLetter(notice, outcome.reason)

    def _remove(self, notice_id: str) -> _QueuedNotice:
        """Remove an undelivered notice from its queue."""
        lane, session_id = self._queued_in.pop(notice_id)
        queue = self._queues[lane][session_id]
        queued = queue.pop(notice_id)
        if not queue:
            del self._queues[lane][session_id]
        return queued

    async def backlog(self) -> Backlog:
        queues = (queue for lane in self._queues.values() for queue in lane.values())
        due = [queued.notice.due_at for queue in queues for queued in queue.values()]
        return Backlog(len(due), min(due, default=None))

    async def dead(self, limit: int) -> tuple[DeadLetter, ...]:
        letters = (letter for session in self._dead.values() for letter in session.values())
        return tuple(nsmallest(limit, letters, key=_due_order))

    async def retry(self, notice_id: str) -> bool:
        letter = self._pop_dead(notice_id)
        if letter is None:
            return False
        lane, session_id = letter.notice.lane, letter.notice.session_id
        first, *rest = self._queues[lane].pop(session_id, {}).values() or [None]
        retried = _QueuedNotice(replace(letter.notice, attempts=0), letter.notice.due_at)
        waiting = sorted([*rest, retried], key=lambda queued: queued.notice.position)
        queue = [first, *waiting] if first is not None else waiting
        self._queues[lane][session_id] = {queued.notice.notice_id: queued for queued in queue}
        self._queued_in[notice_id] = lane, session_id
        return True

    async def drop(self, notice_id: str) -> bool:
        return self._pop_dead(notice_id) is not None

    async def add(self, business_id: BusinessId, day: date, counts: Counts) -> None:
        days = self._counts.setdefault(business_id, {})
        days.setdefault(day, Counter()).update(counts)

    async def counts(self, business_id: BusinessId, first: date, last: date) -> dict[date, Counts]:
        days = self._counts.get(business_id, {})
        return {day: dict(days[day]) for day in sorted(days) if first <= day <= last}

    def _pop_dead(self, notice_id: str) -> DeadLetter | None:
        for session_id, letters in self._dead.items():
            if notice_id in letters:
                letter = letters.pop(notice_id)
                if not letters:
                    del self._dead[session_id]
                return letter
        return None


def _due_order(letter: DeadLetter) -> tuple[datetime, SessionId, int]:
    return letter.notice.due_at, letter.notice.session_id, letter.notice.position


def _recency(session: Session) -> tuple[datetime, SessionId]:
    return session.updated_at, session.session_id
