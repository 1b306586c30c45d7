"""The store in dictionaries, for tests, simulations and the demo. It ends with its process."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from heapq import nlargest, nsmallest

from msgspec.structs import replace

from application.page_cursor import decode_cursor, encode_cursor
from application.ports import RECENT, Erased, Loaded, SessionPage, Store
from domain.errors import DuplicateMessage, SeqTaken
from domain.identity import IDEMPOTENCY_WINDOW, BusinessId, Customer, SessionId
from domain.message import Entry, Message
from domain.notice import DeadLetter, Deferred, Lane, Notice, Outcome, Undeliverable
from domain.session import Draft, Session
from domain.status import Status
from domain.usage import Usage


@dataclass(slots=True)
class _Log:
    """A session and its log: `entries[seq - 1]` is the entry with that seq."""

    session: Session
    entries: list[Entry] = field(default_factory=list)

    def loaded(self) -> Loaded:
        return Loaded(self.session, tuple(self.entries[-RECENT:]))


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

    def __init__(self) -> None:
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
        self._usage: dict[BusinessId, dict[date, Usage]] = {}

    def __repr__(self) -> str:
        return f"<MemoryStore sessions={len(self._logs)} undelivered={len(self._queued_in)}>"

    async def latest(self, customer: Customer) -> Loaded | None:
        record = self._customers.get(customer)
        return record.logs[-1].loaded() if record else None

    async def load(self, session_id: SessionId) -> Loaded | None:
        log = self._logs.get(session_id)
        return log.loaded() if log else None

    async def append(self, draft: Draft, due_at: datetime | None) -> None:
        session = draft.session
        if draft.key is not None:
            duplicate = self._duplicate(session.customer, draft.key, draft.entries[-1].at)
            if duplicate is not None:
                raise duplicate
        log = self._logs.get(session.session_id)
        if log is None:
            log = self._open(session, draft.entries[0].seq)
        elif draft.entries[0].seq != len(log.entries) + 1:
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
        start = max(after, 0)
        end = len(log.entries)
        if before is None:
            end = min(end, start + limit)
        else:
            end = max(min(end, before - 1), 0)
            start = max(start, end - limit)
        return tuple(log.entries[start:end])

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
            if (business_id is None or session.customer.business_id == business_id)
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
            session_id = log.session.session_id
            messages += sum(isinstance(entry, Message) for entry in log.entries)
            notices += self._erase_notices(session_id)
            del self._logs[session_id]
            self._due.pop(session_id, None)
        return Erased(len(record.logs), messages, notices)

    def _erase_notices(self, session_id: SessionId) -> int:
        queued = [
            notice_id
            for queues in self._queues.values()
            for notice_id in queues.pop(session_id, ())
        ]
        for notice_id in queued:
            del self._queued_in[notice_id]
        return len(queued) + len(self._dead.pop(session_id, ()))

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
        queue = self._queues[lane][session_id]
        if isinstance(outcome, Deferred):
            queue[notice_id].ready_at = outcome.until
            return
        queued = queue.pop(notice_id)
        del self._queued_in[notice_id]
        if not queue:
            del self._queues[lane][session_id]
        if isinstance(outcome, Undeliverable):
            notice = replace(queued.notice, attempts=queued.attempts)
            letters = self._dead.setdefault(session_id, {})
            letters[notice_id] = DeadLetter(notice, outcome.reason)

    async def depth(self) -> int:
        return len(self._queued_in)

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

    async def add(self, business_id: BusinessId, day: date, usage: Usage) -> None:
        days = self._usage.setdefault(business_id, {})
        days[day] = replace(days.get(day, Usage()).plus(usage), model="")

    async def spent(self, business_id: BusinessId, first: date, last: date) -> dict[date, Usage]:
        days = self._usage.get(business_id, {})
        return {day: days[day] for day in sorted(days) if first <= day <= last}

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
