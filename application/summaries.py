"""Rolling summaries: made in the background, so that no answer ever waits for one.

Once an answer is stored after which the next question may push entries out of the view, the older
entries are summarised together with the previous summary. The session's next answer carries the new
summary into the log, and so into every store; a process that dies before loses only the work.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from application.policy import Policy
from application.ports import AnswerCancelled, Assistant, Clock, Observer, SessionStore
from application.usage_tracker import UsageTracker
from domain import summary as rolling
from domain.errors import AssistantFailed
from domain.identity import Customer, SessionId
from domain.message import Entry, Summary
from domain.plain_text import plain_text
from domain.session import Session
from domain.tokens import truncate
from domain.usage import Usage, together
from domain.view import MAX_VIEW_ENTRIES, View

MAX_SUMMARIES = 16
"""Summaries in the making; more would crowd out answers. A session over it tries again later."""
MAX_CHUNKS = 4
"""The most calls for one summary; the next one continues from there."""
MAX_ENTRIES_BACK = MAX_VIEW_ENTRIES
"""The most entries that one summary adds; older ones that none has covered are left out."""
RETRY_AFTER_ENTRIES = 10
"""The number of new entries after which a failed summary is tried again."""
MAX_WAITING = 10_000
"""Summaries that wait for their session's next answer; the oldest is dropped, and made again."""


class _SessionState:
    """The summaries of one session that are in the making, or not stored yet."""

    __slots__ = ("made", "not_before", "session_id", "task", "uncounted")

    def __init__(self, session_id: SessionId) -> None:
        self.session_id = session_id
        self.made: list[Summary] = []
        """Not stored yet, each with its own usage alone."""
        self.uncounted: Usage | None = None
        """The usage of failed calls since: it is added to the next summary's."""
        self.not_before = 0
        """The seq from which on to try again."""
        self.task: asyncio.Task[None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summaries:
    """Makes the rolling summaries, at most one at a time per session."""

    store: SessionStore
    assistant: Assistant
    usage_tracker: UsageTracker
    observer: Observer
    clock: Clock
    policy: Policy
    _states: dict[Customer, _SessionState] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def newest(self, session: Session) -> Summary | None:
        """Return the session's newest summary, stored or not."""
        state = self._states.get(session.customer)
        if state is None or state.session_id != session.session_id:
            return session.summary
        stored = session.summary.through if session.summary is not None else 0
        made = state.made
        while made and made[0].through <= stored:
            del made[0]
        if len(made) <= 1:
            return made[0] if made else session.summary
        return replace(made[-1], usage=together(*[summary.usage for summary in made]))

    def on_answer_stored(self, session: Session, recent: Sequence[Entry], view: View) -> None:
        """Start a new summary if one is due; `recent`: the session's newest entries.

        `view`: the one that the answer was written from.
        """
        newest, view_tokens = self.newest(session), self.policy.view_tokens_of(view.business)
        if rolling.is_summary_due(session, recent, newest, view_tokens=view_tokens):
            until = rolling.next_summary_end(session, recent, view_tokens=view_tokens)
            if newest is None or until > newest.through:
                self._start(session, tuple(recent), until, view)

    def pending_for(self, customer: Customer) -> SessionId | None:
        """Return the session whose summaries are made, or being made, and not stored, if any."""
        state = self._states.get(customer)
        if state is None or not (state.made or state.task):
            return None
        return state.session_id

    def forget(self, customer: Customer) -> None:
        """Drop the customer's summaries that are made, or being made, and not stored."""
        state = self._states.pop(customer, None)
        if state is not None and state.task is not None:
            state.task.cancel()

    async def stop(self) -> None:
        """Cancel what is being made: it is made again after a later answer."""
        for task in (tasks := list(self._tasks)):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, session: Session, recent: tuple[Entry, ...], until: int, view: View) -> None:
        state = self._state_of(session)
        if state.task is not None or session.seq < state.not_before:
            return
        if len(self._tasks) >= MAX_SUMMARIES:
            return
        run = _SummaryRun(self, state, session, recent, until, view)
        state.task = asyncio.get_running_loop().create_task(run())
        self._tasks.add(state.task)
        state.task.add_done_callback(self._tasks.discard)

    def _state_of(self, session: Session) -> _SessionState:
        state = self._states.pop(session.customer, None)
        if state is None or state.session_id != session.session_id:
            if state is not None and state.task is not None:
                state.task.cancel()
            state = _SessionState(session.session_id)
        self._states[session.customer] = state  # at the end: the oldest is the first
        if len(self._states) > MAX_WAITING:
            self.forget(next(iter(self._states)))
        return state


class _SummaryRun:
    """Makes one summary."""

    __slots__ = ("_after", "_business", "_expired", "_language", "_recent", "_session", "_state",
                 "_summaries", "_summary", "_until", "_view_tokens")  # fmt: skip

    def __init__(
        self,
        summaries: Summaries,
        state: _SessionState,
        session: Session,
        recent: tuple[Entry, ...],
        until: int,
        view: View,
    ) -> None:
        self._summaries = summaries
        self._state = state
        self._session = session
        self._recent = recent
        self._until = until
        self._after = until - MAX_ENTRIES_BACK
        """The seq from which on the next chunk begins, if no summary covers more."""
        self._language = view.language
        self._business = view.business
        self._summary = summaries.newest(session)
        self._view_tokens = summaries.policy.view_tokens_of(view.business)
        self._expired = False

    async def __call__(self) -> None:
        """Summarise chunk by chunk; what was made before a failure is kept."""
        summaries = self._summaries
        timer = summaries.clock.call_later(summaries.policy.turn_timeout_s, self._expire)
        try:
            for _ in range(MAX_CHUNKS):
                if not await self._summarise_next():
                    break
            summaries.observer.summary_ended("made", None)
        except asyncio.CancelledError:  # forgotten, stopped, or too slow
            if self._expired:
                self._fail(AssistantFailed("the summary took too long"))
        except Exception as error:  # whatever it was, the conversation goes on without it
            self._fail(error)
        finally:
            timer.cancel()
            self._state.task = None

    async def _summarise_next(self) -> bool:
        """Summarise the next chunk; False: there is none left."""
        earlier, summaries = self._summary, self._summaries
        max_tokens = rolling.summary_budget(self._view_tokens)
        after = max(earlier.through if earlier is not None else 0, self._after)
        entries = await self._chunk(after) if after < self._until else ()
        if not entries:
            return False
        self._after = entries[-1].seq
        in_view = [entry for entry in entries if entry.is_for_model]
        if not in_view:
            return True
        text = earlier.text if earlier is not None else None
        try:
            made = await summaries.assistant.summarise(
                text, in_view, self._language, max_tokens=max_tokens, business=self._business
            )
        except (AssistantFailed, AnswerCancelled) as error:
            self._count(error.usage)
            raise
        self._count(made.usage)
        self._keep(truncate(plain_text(made.text).strip(), max_tokens), entries)
        return True

    async def _chunk(self, after: int) -> Sequence[Entry]:
        entries: Sequence[Entry] = self._recent
        if not entries or entries[0].seq > after + 1:
            entries = await self._summaries.store.page(
                self._session.session_id, after=after, limit=rolling.CHUNK_ENTRIES
            )
        return rolling.next_chunk(
            entries, after=after, through=self._until, view_tokens=self._view_tokens
        )

    def _keep(self, text: str, entries: Sequence[Entry]) -> None:
        if not text:
            raise AssistantFailed("the summary was empty")
        self._summary = Summary(
            text=text,
            through=entries[-1].seq,
            tokens=rolling.tokens_through(self._session, self._recent, self._summary, entries),
            usage=self._state.uncounted,
        )
        self._state.made.append(self._summary)
        self._state.uncounted = None

    def _count(self, usage: Usage | None) -> None:
        if usage is not None:
            business_id = self._session.customer.business_id
            self._summaries.usage_tracker.add(business_id, "summary", usage)
            self._state.uncounted = together(self._state.uncounted, usage)

    def _expire(self) -> None:
        self._expired = True
        if self._state.task is not None:
            self._state.task.cancel()

    def _fail(self, error: BaseException) -> None:
        self._state.not_before = self._session.seq + RETRY_AFTER_ENTRIES
        self._summaries.observer.summary_ended("failed", error)
