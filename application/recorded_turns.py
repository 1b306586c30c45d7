"""The turns of the AI in a stored log, each with the log as it was then."""

from collections import deque
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from application.ports import RECENT, Archive, SessionStore
from application.views import MAX_PAGES, PAGE_ENTRIES
from domain.identity import BusinessId, SessionId
from domain.message import Author, Entry, Message, StatusChange
from domain.session import Session
from domain.status import Reason
from domain.view import MAX_PENDING
from domain.write_call import OUTCOMES, WriteCall, WriteState, WriteStep

WINDOW = MAX_PAGES * PAGE_ENTRIES + MAX_PENDING + RECENT
"""The entries before a turn that are kept: as many as a turn may read."""
MAX_UNSETTLED = 1_000
"""Messages in a row that no answer has settled, of which the places are kept: the newest ones."""
PAGE_SESSIONS, PAGE_LOG = 50, 500


class RecordedTurn(Struct, frozen=True, kw_only=True):
    """An answer of the AI, and the log as its turn found it."""

    session: Session
    entries: tuple[Entry, ...]
    """The newest ones, oldest first."""
    answer: Message
    steps: tuple[WriteStep, ...] = ()
    """What the turn has recorded of the calls of tools that change something, in order."""
    is_handed_over: bool = False
    """True if a human was requested with it."""

    @property
    def key(self) -> tuple[str, int]:
        """The session and the answer's seq: a name for the turn."""
        return self.session.session_id, self.answer.seq

    @property
    def questions(self) -> tuple[Message, ...]:
        """The messages that it answers, oldest first."""
        first, last = self.session.settled_seq + 1, self.answer.settles_seq
        return tuple(
            [
                entry
                for entry in self.entries
                if isinstance(entry, Message)
                and entry.calls_for_answer
                and first <= entry.seq <= last
            ]
        )


async def recorded_turns(
    head: Session, log: AsyncIterator[tuple[Entry, ...]]
) -> AsyncIterator[RecordedTurn]:
    """Yield the turns of a session whose answers the AI gave itself, oldest first.

    `log`: all of its entries, page by page; of a long one no more than WINDOW are kept.
    """
    session: Session | None = None
    window: deque[Entry] = deque(maxlen=WINDOW)
    settled: Session | None = None
    """The session when something was last settled."""
    asked: dict[int, Session] = {}
    """The session after each message that is not settled."""
    ended: RecordedTurn | None = None
    async for page in log:
        for entry in page:
            if session is None:
                session = settled = _at_first(head, page)
            assert settled is not None
            if ended is not None:
                yield replace(ended, is_handed_over=is_handover(entry))
                ended = None
            if isinstance(entry, Message) and entry.author is Author.AI and entry.settles_seq:
                ended = _turn_of(entry, asked.get(entry.settles_seq), settled, window)
            before, session = session, session.after(entry)
            window.append(entry)
            if session.last_user_seq == entry.seq:
                asked[entry.seq] = session
                if len(asked) > MAX_UNSETTLED:
                    del asked[next(iter(asked))]
            elif (before.settled_seq, before.epoch) != (session.settled_seq, session.epoch):
                settled = session
                asked = {seq: kept for seq, kept in asked.items() if seq > session.settled_seq}
    if ended is not None:
        yield ended


def _at_first(head: Session, page: tuple[Entry, ...]) -> Session:
    """Return the session before its first entry that is left of the log.

    The language that it began with is not in the log: it is the head's, if no message changes it.
    """
    changes = any(isinstance(entry, Message) and entry.language for entry in page)
    return Session(
        session_id=head.session_id,
        customer=head.customer,
        location_id=head.location_id,
        opened_at=head.opened_at,
        updated_at=head.opened_at,
        seq=page[0].seq - 1,
        language=None if changes else head.language,
    )


def _turn_of(
    answer: Message, asked: Session | None, settled: Session, window: deque[Entry]
) -> RecordedTurn | None:
    """Return the turn of an answer; None: it answers nothing that is there.

    It began once its newest message was there, and what came before was settled. What the log got
    since is the turn's own, or the next one's.
    """
    found = settled if asked is not None and settled.seq > asked.seq else asked
    if found is None or not found.needs_answer:
        return None
    steps = [
        entry.write
        for entry in window
        if entry.seq > found.seq and isinstance(entry, Message) and entry.write is not None
    ]
    return RecordedTurn(
        # The summary that was stored with the answer is the one that its view was made with.
        session=replace(
            found,
            summary=answer.summary or found.summary,
            writes=tuple([_with_outcome(call, steps) for call in found.writes]),
        ),
        entries=tuple([entry for entry in window if entry.seq <= found.seq]),
        answer=answer,
        steps=tuple(steps),
    )


def _with_outcome(call: WriteCall, steps: Sequence[WriteStep]) -> WriteCall:
    """Return a call that an earlier run has begun with what the turn found to have come of it."""
    if call.state is not WriteState.STARTED:
        return call
    for step in steps:
        if step.call_id == call.call_id and step.state in OUTCOMES:
            return replace(call, state=step.state, result=step.result)
    return replace(call, state=WriteState.UNKNOWN)


def is_handover(entry: Entry) -> bool:
    """Return True if it is the request for a human that the AI's turn has made."""
    by_ai = (Reason.AI_DECISION, Reason.AI_FAILURE)
    return isinstance(entry, StatusChange) and entry.requests_human and entry.reason in by_ai


async def stored_turns(
    archive: Archive,
    store: SessionStore,
    business_id: BusinessId,
    *,
    since: datetime | None = None,
    limit: int,
) -> AsyncIterator[RecordedTurn]:
    """Yield the turns of a business's newest conversations, `limit` at most.

    `since`: only of those that have an entry since then. The memory that it takes does not grow
    with what is stored. Raises: StorageUnavailable.
    """
    cursor: str | None = None
    while limit > 0:
        page = await archive.list_sessions(
            business_id=business_id, limit=min(limit, PAGE_SESSIONS), cursor=cursor
        )
        for session in page.sessions:
            if since is not None and session.updated_at < since:
                return
            async for turn in recorded_turns(session, _log(store, session.session_id)):
                yield turn
        limit -= len(page.sessions)
        if (cursor := page.cursor) is None:
            return


async def _log(store: SessionStore, session_id: SessionId) -> AsyncIterator[tuple[Entry, ...]]:
    after = 0
    while page := await store.page(session_id, after=after, limit=PAGE_LOG):
        yield page
        after = page[-1].seq
