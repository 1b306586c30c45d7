"""The questions to which the documents of a business had no answer, from the stored logs."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from application.ports import Archive, SessionStore
from domain.identity import BusinessId, MessageId, SessionId
from domain.knowledge import SEARCH, found_nothing
from domain.message import Author, Message
from domain.plain_text import folded
from domain.session import Session
from domain.view import MAX_PENDING

MAX_QUESTIONS = 10_000
"""The most different questions that are kept: the newest ones."""
MAX_QUESTION = 500
"""Characters of a question."""
PAGE_SESSIONS, PAGE_LOG = 50, 500
_LATE = timedelta(minutes=1)
"""A store may list sessions by a time that is so much older than their newest entry."""


@dataclass(slots=True, kw_only=True)
class UnansweredQuestion:
    """A question for whose answer the AI searched the documents, and found nothing."""

    business_id: BusinessId
    session_id: SessionId
    """The session in which it was asked last."""
    question: str
    searched: tuple[str, ...]
    at: datetime
    times: int = 1
    """How often it was asked in these words, in whatever spelling."""


@dataclass(slots=True, kw_only=True)
class UnansweredQuestions:
    """Unanswered questions, and where they were looked for."""

    sessions: int = 0
    left_out: int = 0
    """Those beyond MAX_QUESTIONS, each time that one was asked."""
    _by_text: dict[tuple[BusinessId, str], UnansweredQuestion] = field(default_factory=dict)

    def add(self, asked: UnansweredQuestion) -> None:
        """Count a question."""
        key = asked.business_id, " ".join(folded(asked.question).split())
        known = self._by_text.get(key)
        if known is None:
            if len(self._by_text) == MAX_QUESTIONS:
                self.left_out += 1
                return
            self._by_text[key] = asked
            return
        asked.times += known.times
        if asked.at < known.at:
            known.times = asked.times
        else:
            self._by_text[key] = asked

    def most_frequent(self) -> list[UnansweredQuestion]:
        """Return the questions, the most frequent first, and of these the newest."""
        return sorted(self._by_text.values(), key=lambda each: (each.times, each.at), reverse=True)


async def unanswered_questions(
    archive: Archive, store: SessionStore, *, business_id: BusinessId | None, since: datetime
) -> UnansweredQuestions:
    """Read the unanswered questions of a business, or of all, since a time.

    The memory that it takes does not grow with what is stored. Raises: StorageUnavailable.
    """
    found = UnansweredQuestions()
    async for session in _sessions(archive, business_id, since):
        found.sessions += 1
        async for asked in _asked_in(store, session, since):
            found.add(asked)
    return found


async def _sessions(
    archive: Archive, business_id: BusinessId | None, since: datetime
) -> AsyncIterator[Session]:
    cursor: str | None = None
    while True:
        page = await archive.list_sessions(
            business_id=business_id, limit=PAGE_SESSIONS, cursor=cursor
        )
        for session in page.sessions:
            if session.updated_at < since - _LATE:
                return
            if session.updated_at >= since:
                yield session
        if (cursor := page.cursor) is None:
            return


async def _asked_in(
    store: SessionStore, session: Session, since: datetime
) -> AsyncIterator[UnansweredQuestion]:
    written: dict[MessageId, str] = {}
    after = 0
    while page := await store.page(session.session_id, after=after, limit=PAGE_LOG):
        after = page[-1].seq
        for entry in page:
            if not isinstance(entry, Message):
                continue
            if entry.author is Author.USER:
                written[entry.message_id] = entry.text[:MAX_QUESTION]
                if len(written) > MAX_PENDING:
                    del written[next(iter(written))]
            elif entry.at >= since and found_nothing(entry.tools):
                yield UnansweredQuestion(
                    business_id=session.customer.business_id,
                    session_id=session.session_id,
                    question="\n".join(_texts(written, entry))[:MAX_QUESTION],
                    searched=tuple(dict.fromkeys(_queries(entry))),
                    at=entry.at,
                )


def _texts(written: dict[MessageId, str], answer: Message) -> Iterator[str]:
    """Yield the messages that an answer is to."""
    for message_id in answer.in_reply_to:
        if (text := written.pop(message_id, None)) is not None:
            yield text


def _queries(answer: Message) -> Iterator[str]:
    """Yield what was searched for an answer."""
    for use in answer.tools:
        if use.name == SEARCH and use.query:
            yield use.query
