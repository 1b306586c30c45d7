"""Everything in dictionaries: for tests, simulations and trying out. Dies with its process."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from heapq import nlargest, nsmallest

from msgspec.structs import replace

from application.ports import RECENT, Erased, Loaded, SessionPage, Store
from domain.errors import DuplicateMessage, InvalidPayload, SeqTaken
from domain.identity import BusinessId, Customer, SessionId
from domain.message import Entry, Message
from domain.notice import DeadLetter, Deferred, Notice, Outcome, Undeliverable
from domain.session import Draft, Session
from domain.status import Status
from domain.usage import Usage

KEYS_LIVE = timedelta(hours=48)


@dataclass(slots=True)
class _Log:
    """One session: `entries[seq - 1]` is the entry with that seq."""

    session: Session
    entries: list[Entry] = field(default_factory=list)

    def loaded(self) -> Loaded:
        return Loaded(self.session, tuple(self.entries[-RECENT:]))


@dataclass(frozen=True, slots=True)
class _Key:
    """What a repeat of an idempotency key is told."""

    session_id: SessionId
    seq: int
    status: Status
    at: datetime

    def repeated(self) -> DuplicateMessage:
        return DuplicateMessage(session_id=self.session_id, seq=self.seq, status=self.status)


@dataclass(slots=True)
class _Owner:
    """What belongs to one customer: the sessions in the order of their opening, and the keys."""

    logs: list[_Log] = field(default_factory=list)
    keys: dict[str, _Key] = field(default_factory=dict)

    def has_open(self) -> bool:
        return bool(self.logs) and self.logs[-1].session.is_open


@dataclass(slots=True)
class _Queued:
    """An undelivered notice as it was stored, and when it may be claimed."""

    notice: Notice
    ready_at: datetime
    attempts: int = 0

    def claimed(self) -> Notice:
        return replace(self.notice, due_at=self.ready_at, attempts=self.attempts)


class MemoryStore(Store):
    """All four ports of storage in one process's memory.

    Entries and heads are frozen, so they are kept and handed out as they are. No method awaits
    anything: each is atomic because nothing else runs meanwhile.
    """

    def __init__(self) -> None:
        self._logs: dict[SessionId, _Log] = {}
        self._owners: dict[Customer, _Owner] = {}
        # Only what has a time to come is in here: a scan of it in `due`, every few seconds, costs
        # less than keeping an order in `append`, which moves the time twice per turn.
        self._due: dict[SessionId, datetime] = {}
        # What is undelivered, per session in the order of position. A claim moves `ready_at` to the
        # end of its lease.
        self._queues: dict[SessionId, dict[str, _Queued]] = {}
        self._queued_in: dict[str, SessionId] = {}
        self._dead: dict[SessionId, dict[str, DeadLetter]] = {}
        self._spent: dict[BusinessId, dict[date, Usage]] = {}

    def __repr__(self) -> str:
        return f"<MemoryStore sessions={len(self._logs)} undelivered={len(self._queued_in)}>"

    async def latest(self, customer: Customer) -> Loaded | None:
        owner = self._owners.get(customer)
        return owner.logs[-1].loaded() if owner else None

    async def load(self, session_id: SessionId) -> Loaded | None:
        log = self._logs.get(session_id)
        return log.loaded() if log else None

    async def append(self, draft: Draft, due_at: datetime | None) -> None:
        session = draft.session
        if draft.key is not None:
            self._refuse_repeat(session.customer, draft.key, draft.entries[-1].at)
        log = self._logs.get(session.session_id)
        if log is None:
            log = self._open(session, draft.entries[0].seq)
        elif draft.entries[0].seq != len(log.entries) + 1:
            raise SeqTaken
        # Everything that may be refused has been: from here on all of it is stored.
        log.entries += draft.entries
        log.session = session
        self._schedule(session.session_id, due_at)
        if draft.key is not None:
            self._remember(draft.key, draft)
        if draft.notices:
            self._queue(draft.notices)

    async def stored(self, customer: Customer, key: str) -> DuplicateMessage | None:
        first = self._first(customer, key)
        return first.repeated() if first is not None else None

    def _refuse_repeat(self, customer: Customer, key: str, at: datetime) -> None:
        first = self._first(customer, key)
        if first is not None and at - first.at < KEYS_LIVE:
            raise first.repeated()

    def _first(self, customer: Customer, key: str) -> _Key | None:
        owner = self._owners.get(customer)
        return owner.keys.get(key) if owner is not None else None

    def _open(self, session: Session, seq: int) -> _Log:
        owner = self._owners.get(session.customer)
        if seq != 1 or (owner is not None and owner.has_open()):
            raise SeqTaken
        if owner is None:
            owner = self._owners[session.customer] = _Owner()
        log = self._logs[session.session_id] = _Log(session)
        owner.logs.append(log)
        return log

    def _schedule(self, session_id: SessionId, due_at: datetime | None) -> None:
        if due_at is None:
            self._due.pop(session_id, None)
        else:
            self._due[session_id] = due_at

    def _remember(self, key: str, draft: Draft) -> None:
        keys = self._owners[draft.session.customer].keys
        session, at = draft.session, draft.entries[-1].at
        keys.pop(key, None)  # so that the dictionary stays in the order of time
        keys[key] = _Key(session.session_id, draft.keyed_seq, session.status, at)
        while at - keys[oldest := next(iter(keys))].at >= KEYS_LIVE:
            del keys[oldest]

    def _queue(self, notices: Iterable[Notice]) -> None:
        for notice in sorted(notices, key=lambda notice: notice.position):
            queue = self._queues.setdefault(notice.session_id, {})
            queue[notice.notice_id] = _Queued(notice, notice.due_at)
            self._queued_in[notice.notice_id] = notice.session_id

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
        come = [(at, session_id) for session_id, at in self._due.items() if at <= now]
        return tuple(self._logs[session_id].session for _, session_id in nsmallest(limit, come))

    async def list_sessions(
        self,
        *,
        business_id: BusinessId | None = None,
        status: Status | None = None,
        customer: Customer | None = None,
        limit: int,
        cursor: str | None = None,
    ) -> SessionPage:
        """Sessions by their newest entry, newest first. Raises: InvalidPayload for a bad cursor.

        While sessions change, none is listed twice, and every one that does not change is listed;
        one that gets an entry moves to the front, where a new listing begins.
        """
        below = _position(cursor) if cursor is not None else None
        found = [
            session
            for session in self._sessions(customer)
            if (business_id is None or session.customer.business_id == business_id)
            and (status is None or session.status is status)
            and (below is None or _recency(session) < below)
        ]
        page = tuple(nlargest(limit, found, key=_recency))
        return SessionPage(page, _cursor(page[-1]) if len(page) < len(found) else None)

    def _sessions(self, customer: Customer | None) -> list[Session]:
        if customer is None:
            return [log.session for log in self._logs.values()]
        owner = self._owners.get(customer)
        return [log.session for log in owner.logs] if owner else []

    async def erase(self, customer: Customer) -> Erased:
        owner = self._owners.pop(customer, None)
        if owner is None:
            return Erased(0, 0, 0)
        notices = messages = 0
        for log in owner.logs:
            session_id = log.session.session_id
            messages += sum(isinstance(entry, Message) for entry in log.entries)
            notices += self._erase_notices(session_id)
            del self._logs[session_id]
            self._due.pop(session_id, None)
        return Erased(len(owner.logs), messages, notices)

    def _erase_notices(self, session_id: SessionId) -> int:
        queue = self._queues.pop(session_id, {})
        for notice_id in queue:
            del self._queued_in[notice_id]
        return len(queue) + len(self._dead.pop(session_id, ()))

    async def claim(self, now: datetime, lease_until: datetime, limit: int) -> tuple[Notice, ...]:
        """The longest due first. `attempts` of a notice counts the claims before this one."""
        heads = (next(iter(queue.values())) for queue in self._queues.values())
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
        session_id = self._queued_in.get(notice_id)
        if session_id is None:
            return
        queue = self._queues[session_id]
        if isinstance(outcome, Deferred):
            queue[notice_id].ready_at = outcome.until
            return
        queued = queue.pop(notice_id)
        del self._queued_in[notice_id]
        if not queue:
            del self._queues[session_id]
        if isinstance(outcome, Undeliverable):
            notice = replace(queued.notice, attempts=queued.attempts)
            letters = self._dead.setdefault(session_id, {})
            letters[notice_id] = DeadLetter(notice, outcome.reason)

    async def depth(self) -> int:
        return len(self._queued_in)

    async def dead(self, limit: int) -> tuple[DeadLetter, ...]:
        letters = (letter for of_one in self._dead.values() for letter in of_one.values())
        return tuple(nsmallest(limit, letters, key=_age))

    async def retry(self, notice_id: str) -> bool:
        letter = self._take_dead(notice_id)
        if letter is None:
            return False
        session_id = letter.notice.session_id
        first, *rest = self._queues.pop(session_id, {}).values() or [None]
        revived = _Queued(replace(letter.notice, attempts=0), letter.notice.due_at)
        waiting = sorted([*rest, revived], key=lambda queued: queued.notice.position)
        queue = [first, *waiting] if first is not None else waiting
        self._queues[session_id] = {queued.notice.notice_id: queued for queued in queue}
        self._queued_in[notice_id] = session_id
        return True

    async def drop(self, notice_id: str) -> bool:
        return self._take_dead(notice_id) is not None

    async def add(self, business_id: BusinessId, day: date, usage: Usage) -> None:
        days = self._spent.setdefault(business_id, {})
        days[day] = replace(days.get(day, Usage()).plus(usage), model="")

    async def spent(self, business_id: BusinessId, first: date, last: date) -> dict[date, Usage]:
        days = self._spent.get(business_id, {})
        return {day: days[day] for day in sorted(days) if first <= day <= last}

    def _take_dead(self, notice_id: str) -> DeadLetter | None:
        for session_id, letters in self._dead.items():
            if notice_id in letters:
                letter = letters.pop(notice_id)
                if not letters:
                    del self._dead[session_id]
                return letter
        return None


def _age(letter: DeadLetter) -> tuple[datetime, SessionId, int]:
    return letter.notice.due_at, letter.notice.session_id, letter.notice.position


def _recency(session: Session) -> tuple[datetime, str]:
    return session.updated_at, session.session_id


def _cursor(session: Session) -> str:
    return urlsafe_b64encode(
        f"{session.updated_at.isoformat()} {session.session_id}".encode()
    ).decode()


def _position(cursor: str) -> tuple[datetime, str]:
    try:
        updated_at, session_id = urlsafe_b64decode(cursor.encode()).decode().split(" ", 1)
        at = datetime.fromisoformat(updated_at)
        if at.tzinfo is None:
            raise ValueError("a time without its zone")
    except ValueError as error:  # of base64, UTF-8, the split or the time
        raise InvalidPayload("cursor is not one that a listing has given") from error
    return at, session_id
