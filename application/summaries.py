"""Rolling summaries: made behind the user's back, so that no answer ever waits for one.

Once a reply is stored whose next question may push something out of the view, what is older is
summarised, together with the summary before. The session's next answer takes the new one along
into the log, and so into every store; a process that dies before has lost nothing but the work.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from application.policy import Policy
from application.ports import Assistant, Observer
from application.session_log import SessionLog
from application.usage_tracker import UsageTracker
from domain import summary as rolling
from domain.errors import AssistantFailed
from domain.identity import Customer, SessionId
from domain.message import Entry, Summary
from domain.session import Session
from domain.tokens import truncate
from domain.usage import Usage, together

MAX_AT_ONCE = 16
"""More would crowd out answers; a session that finds no place has one after its next reply."""
MAX_PIECES = 4
"""So many calls one summary may take; it goes on from there after the next reply."""
MAX_BEHIND = 200
"""Entries that a summary reaches back: of a log that never had one, the oldest stay out."""
PAUSE_ENTRIES = 10
"""After a failure a session tries again once its log is so much longer."""
MAX_KEPT = 10_000
"""Digests that wait for their session's next answer; the oldest goes first, and is made again."""


class _Rolling:
    """What is under way for one session, and what has come of it."""

    __slots__ = ("made", "not_before", "session_id", "task", "unpaid")

    def __init__(self, session_id: SessionId) -> None:
        self.session_id = session_id
        self.made: list[Summary] = []
        """Not stored yet, each with what it has cost over the one before."""
        self.unpaid: Usage | None = None
        """What has been spent in vain since: the next one counts it."""
        self.not_before = 0
        """The seq from which on to try again."""
        self.task: asyncio.Task[None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summaries:
    """The rolling summaries that this process makes, at most one at a time per session."""

    conversations: SessionLog
    assistant: Assistant
    spending: UsageTracker
    observer: Observer
    policy: Policy
    _rolling: dict[Customer, _Rolling] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def newest(self, session: Session) -> Summary | None:
        """The session's digest: the stored one, or one that is newer and waits to be stored."""
        state = self._rolling.get(session.customer)
        if state is None or state.session_id != session.session_id:
            return session.summary
        stored = session.summary.through if session.summary is not None else 0
        made = state.made
        while made and made[0].through <= stored:
            del made[0]
        if len(made) <= 1:
            return made[0] if made else session.summary
        return replace(made[-1], usage=together(*[digest.usage for digest in made]))

    def answered(self, session: Session, recent: Sequence[Entry], language: str) -> None:
        """An answer is stored: see whether a new digest is due, and begin it.

        `recent`: the session's newest entries.
        """
        newest, view_tokens = self.newest(session), self.policy.view_tokens
        if rolling.is_summary_due(session, recent, newest, view_tokens=view_tokens):
            until = rolling.next_summary_end(session, recent, view_tokens=view_tokens)
            if newest is None or until > newest.through:
                self._begin(session, tuple(recent), until, language)

    def forget(self, customer: Customer) -> None:
        """Drop what is made, or being made, of the customer's words."""
        forgotten = self._rolling.pop(customer, None)
        if forgotten is not None and forgotten.task is not None:
            forgotten.task.cancel()

    async def stop(self) -> None:
        """Give up what is being made: it is made again after some later reply."""
        for task in (tasks := list(self._tasks)):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(
        self, session: Session, recent: tuple[Entry, ...], until: int, language: str
    ) -> None:
        state = self._of(session)
        if state.task is not None or session.seq < state.not_before:
            return
        if len(self._tasks) >= MAX_AT_ONCE:
            return
        making = _Making(self, state, session, recent, until, language)
        state.task = asyncio.get_running_loop().create_task(making.run())
        self._tasks.add(state.task)
        state.task.add_done_callback(self._tasks.discard)

    def _of(self, session: Session) -> _Rolling:
        state = self._rolling.pop(session.customer, None)
        if state is None or state.session_id != session.session_id:
            if state is not None and state.task is not None:
                state.task.cancel()
            state = _Rolling(session.session_id)
        self._rolling[session.customer] = state  # at the end: the oldest is the first
        if len(self._rolling) > MAX_KEPT:
            self.forget(next(iter(self._rolling)))
        return state


class _Making:
    """One digest in the making."""

    __slots__ = ("_digest", "_expired", "_language", "_max_tokens", "_recent", "_session",
                 "_state", "_summaries", "_until")  # fmt: skip

    def __init__(
        self,
        summaries: Summaries,
        state: _Rolling,
        session: Session,
        recent: tuple[Entry, ...],
        until: int,
        language: str,
    ) -> None:
        self._summaries = summaries
        self._state = state
        self._session = session
        self._recent = recent
        self._until = until
        self._language = language
        self._digest = summaries.newest(session)
        self._max_tokens = rolling.summary_budget(summaries.policy.view_tokens)
        self._expired = False

    async def run(self) -> None:
        """Make it, piece by piece; whatever fails, what there is of it stays."""
        clock, policy = self._summaries.conversations.clock, self._summaries.policy
        timer = clock.call_later(policy.turn_timeout_s, self._expire)
        try:
            for _ in range(MAX_PIECES):
                if not await self._go_on():
                    break
            self._summaries.observer.summary_ended("made", None)
        except asyncio.CancelledError:  # forgotten, stopped, or too slow
            if self._expired:
                self._fail(AssistantFailed("the summary took too long"))
        except Exception as error:  # whatever it was, the conversation goes on without
            self._fail(error)
        finally:
            timer.cancel()
            self._state.task = None

    async def _go_on(self) -> bool:
        """Make the next piece of it; False: there is none left."""
        earlier, summaries, max_tokens = self._digest, self._summaries, self._max_tokens
        after = max(earlier.through if earlier is not None else 0, self._until - MAX_BEHIND)
        entries = await self._piece(after) if after < self._until else ()
        if not entries:
            return False
        text = earlier.text if earlier is not None else None
        try:
            summary = await summaries.assistant.summarise(
                text, entries, self._language, max_tokens=max_tokens
            )
        except AssistantFailed as error:
            self._pay(error.usage)
            raise
        self._pay(summary.usage)
        self._take(truncate(summary.text.strip(), max_tokens), entries)
        return True

    async def _piece(self, after: int) -> Sequence[Entry]:
        entries: Sequence[Entry] = self._recent
        if not entries or entries[0].seq > after + 1:
            store = self._summaries.conversations.store
            entries = await store.page(
                self._session.session_id, after=after, limit=rolling.CHUNK_ENTRIES
            )
        return rolling.next_chunk(entries, after=after, through=self._until)

    def _take(self, text: str, entries: Sequence[Entry]) -> None:
        if not text:
            raise AssistantFailed("the summary was empty")
        self._digest = Summary(
            text=text,
            through=entries[-1].seq,
            tokens=rolling.tokens_through(self._session, self._recent, self._digest, entries),
            usage=self._state.unpaid,
        )
        self._state.made.append(self._digest)
        self._state.unpaid = None

    def _pay(self, usage: Usage | None) -> None:
        if usage is not None:
            business_id = self._session.customer.business_id
            self._summaries.spending.add(business_id, "summary", usage)
            self._state.unpaid = together(self._state.unpaid, usage)

    def _expire(self) -> None:
        self._expired = True
        if self._state.task is not None:
            self._state.task.cancel()

    def _fail(self, error: BaseException) -> None:
        self._state.not_before = self._session.seq + PAUSE_ENTRIES
        self._summaries.observer.summary_ended("failed", error)
