"""The turns of the AI in a stored log, each with the log as it was then."""

from collections import deque
from collections.abc import AsyncIterator
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from application.answer_pending import MAX_PAGES, PAGE_ENTRIES
from application.ports import RECENT, Archive, SessionStore
from domain.identity import BusinessId, SessionId
from domain.message import Author, Entry, Message, StatusChange
from domain.session import Session
from domain.status import Reason
from domain.view import MAX_PENDING

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
    is_handed_over: bool = False
    """True if a human was requested with it."""

    @property
    def key(self) -> tuple[str, int]:
        """The session and the answer's seq: a name for the turn."""
        return self.session.session_id, self.answer.seq

    @property
    def questions(self) -> tuple[Message, ...]:
        """The messages that it answers, oldest first."""
        return tuple(
            [
                entry
                for entry in self.entries
                if isinstance(entry, Message)
                and entry.author is Author.USER
                and entry.is_said
                and entry.seq > self.session.settled_seq
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
    unsettled: dict[int, Session] = {}
    """The session before each message that no answer has settled."""
    ended: RecordedTurn | None = None
    async for page in log:
        for entry in page:
            if session is None:
                session = _at_first(head, page)
            if ended is not None:
                yield replace(ended, is_handed_over=is_handover(entry))
                ended = None
            if isinstance(entry, Message) and entry.author is Author.AI and entry.settles_seq:
                ended = _turn_of(entry, session, unsettled, window)
            before, session = session, session.after(entry)
            window.append(entry)
            if session.last_user_seq == entry.seq:
                unsettled[entry.seq] = before
                if len(unsettled) > MAX_UNSETTLED:
                    del unsettled[next(iter(unsettled))]
            elif unsettled:
                settled = session.settled_seq
                unsettled = {seq: kept for seq, kept in unsettled.items() if seq > settled}
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
    answer: Message, session: Session, unsettled: dict[int, Session], window: deque[Entry]
) -> RecordedTurn | None:
    """Return the turn of an answer; None: it answers nothing that is there.

    What the user wrote since is the next turn's, and ends the log that this one has read.
    """
    later = next((seq for seq in unsettled if seq > answer.settles_seq), answer.seq)
    found = unsettled.get(later, session)
    # The summary that was stored with the answer is the one that its view was made with.
    summary = answer.summary or session.summary
    found = replace(found, settled_seq=session.settled_seq, summary=summary)
    if not found.needs_answer or found.last_user_seq != answer.settles_seq:
        return None
    entries = tuple([entry for entry in window if entry.seq < later])
    return RecordedTurn(session=found, entries=entries, answer=answer)


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
