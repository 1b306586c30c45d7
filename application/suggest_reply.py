"""A reply that the AI suggests to a coordinator, on demand: a draft, of which nothing is stored.

It is made from what a turn would see, with the tools that change nothing, and may not take longer.
What it claims is not checked: no customer reads it before the coordinator has made it their own.
"""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from msgspec.structs import replace

from application.business_facts import facts_if_known
from application.policy import Policy
from application.ports import (
    AnswerCancelled,
    AnswerWriter,
    Assistant,
    Businesses,
    BusinessTools,
    Clock,
    Handoff,
    HandoffOutcome,
    Knowledge,
    Observer,
    SessionStore,
)
from application.session_log import load_session
from application.summaries import Summaries
from application.tools import TurnTools
from application.usage_tracker import BudgetLevel, UsageTracker
from application.views import Views
from domain.business import Business
from domain.errors import AssistantFailed, BudgetSpent, SessionClosed, TooManySuggestions
from domain.handoff import Availability
from domain.identity import BusinessId, CoordinatorId, SessionId
from domain.message import Author, Entry, Message
from domain.plain_text import is_blank, plain_text
from domain.session import Session
from domain.status import Status
from domain.tool import Effect, Tool
from domain.usage import Usage
from domain.view import View, window

MAX_AT_ONCE, MAX_OF_BUSINESS = 16, 4
"""Suggestions in the making in this process: of all businesses, and of one."""
LIFE_SIGN_S = 5.0
"""The longest time without a piece, before an empty one."""


class Suggestion(AnswerWriter):
    """A reply in the making."""

    def __init__(self) -> None:
        self._written: list[str] = []
        self._pieces: asyncio.Queue[str | None] = asyncio.Queue()
        self._is_begun_anew = False
        self._task: asyncio.Task[None] | None = None

    @property
    def text(self) -> str:
        """All that was written; after an attempt that has failed it is not what `pieces` were."""
        return "".join(self._written).strip()

    def __call__(self, piece: str) -> None:
        text = plain_text(piece)
        self._written.append(text)
        if text and not self._is_begun_anew:
            self._pieces.put_nowait(text)

    def restart(self) -> None:
        self._is_begun_anew = self._is_begun_anew or bool(self._written)
        self._written.clear()

    def follow(self, task: asyncio.Task[None]) -> None:
        """End the pieces with the task that writes them."""
        self._task = task
        task.add_done_callback(lambda _: self._pieces.put_nowait(None))

    async def pieces(self) -> AsyncGenerator[str]:
        """Yield the text as it is written; "" now and then, while nothing comes.

        Once an attempt has failed, only `text` has what the next one writes. Cancelling or closing
        it ends the work. Raises: AssistantFailed.
        """
        assert self._task is not None
        try:
            while True:
                try:
                    async with asyncio.timeout(LIFE_SIGN_S):
                        piece = await self._pieces.get()
                except TimeoutError:
                    piece = ""
                if piece is None:
                    break
                yield piece
        finally:
            self._task.cancel()
        if self._task.cancelled():
            raise AssistantFailed("the server is stopping")
        self._task.result()


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestReply:
    """Suggests replies to coordinators, a few at once."""

    store: SessionStore
    assistant: Assistant
    businesses: Businesses
    usage_tracker: UsageTracker
    summaries: Summaries
    views: Views
    observer: Observer
    clock: Clock
    policy: Policy
    knowledge: Knowledge | None = None
    """None: there is none of any business."""
    business_tools: BusinessTools | None = None
    """None: no business has tools of its own."""
    _running: dict[asyncio.Task[None], BusinessId] = field(default_factory=dict)

    async def __call__(
        self, session_id: SessionId, coordinator_id: CoordinatorId | None
    ) -> Suggestion:
        """Begin a suggestion, whatever the status of the conversation, unless it is closed.

        Raises: UnknownSession, SessionClosed, BudgetSpent, TooManySuggestions, StorageUnavailable.
        """
        session, recent = await load_session(self.store, session_id)
        if session.status is Status.CLOSED:
            raise SessionClosed
        business_id = session.customer.business_id
        business = await facts_if_known(self.businesses, business_id)
        level = await self.usage_tracker.level(business_id, business)
        if level is BudgetLevel.OVER_HARD:
            raise BudgetSpent
        others = list(self._running.values())
        if len(others) >= MAX_AT_ONCE or others.count(business_id) >= MAX_OF_BUSINESS:
            raise TooManySuggestions
        suggestion = Suggestion()
        draft = self._draft(session, recent, business, level, coordinator_id, suggestion)
        task = asyncio.create_task(draft)
        self._running[task] = business_id
        task.add_done_callback(self._ended)
        suggestion.follow(task)
        return suggestion

    async def stop(self) -> None:
        """Cancel what is being written."""
        for task in (running := list(self._running)):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        if task.cancelled():
            self.observer.suggestion_ended("cancelled", None)
        elif (error := task.exception()) is not None:
            self.observer.suggestion_ended("failed", error)
        else:
            self.observer.suggestion_ended("made", None)

    async def _draft(
        self,
        session: Session,
        recent: tuple[Entry, ...],
        business: Business | None,
        level: BudgetLevel,
        coordinator_id: CoordinatorId | None,
        suggestion: Suggestion,
    ) -> None:
        """Write the suggestion within the time of a turn. Raises: AssistantFailed."""
        task, is_expired = asyncio.current_task(), False
        assert task is not None

        def expire() -> None:
            nonlocal is_expired
            is_expired = task.cancel()

        timer = self.clock.call_later(self.policy.turn_timeout_s, expire)
        try:
            view = await self._view(session, recent, business, level)
            await self._ask(replace(view, coordinator_id=coordinator_id), suggestion)
        except asyncio.CancelledError:
            if not is_expired or task.uncancel():
                raise
            raise AssistantFailed("the suggestion took too long") from None
        finally:
            timer.cancel()

    async def _view(
        self,
        session: Session,
        recent: tuple[Entry, ...],
        business: Business | None,
        level: BudgetLevel,
    ) -> View:
        async def read_earlier(before: int, limit: int) -> tuple[Entry, ...]:
            return await self.store.page(session.session_id, before=before, limit=limit)

        view = await self.views(
            session,
            recent,
            self.summaries.newest(session),
            _unanswered(recent, max_tokens=self.policy.view_tokens_of(business)),
            business,
            over_soft_budget=level is BudgetLevel.OVER_SOFT,
            read_earlier=read_earlier,
        )
        view = await self.views.with_passages(view)
        # Nothing is handed over: the reader is the human.
        return replace(view, is_suggestion=True, availability=Availability(is_offered=False))

    async def _ask(self, view: View, suggestion: Suggestion) -> None:
        tools = TurnTools(
            view,
            self.businesses,
            self.knowledge,
            self.policy,
            self.observer,
            _ask_for_nobody,
            business_tools=self.business_tools,
            extra=await self._look_ups(view.business),
        )
        business_id = view.session.customer.business_id
        try:
            usage = await self.assistant.answer(view, tools, suggestion)
        except (AssistantFailed, AnswerCancelled) as error:
            self._count(business_id, error.usage)
            raise
        self._count(business_id, usage)
        if is_blank(suggestion.text):
            raise AssistantFailed("the suggestion was empty")

    async def _look_ups(self, business: Business | None) -> list[Tool]:
        """Return the tools of the business's own servers that change nothing."""
        if self.business_tools is None or business is None or not business.tool_servers:
            return []
        tools = await self.business_tools.tools(business)
        return [tool for tool in tools if tool.effect is Effect.READ]

    def _count(self, business_id: BusinessId, usage: Usage | None) -> None:
        if usage is not None:
            self.usage_tracker.add(business_id, "suggestion", usage)


def _unanswered(entries: tuple[Entry, ...], *, max_tokens: int) -> tuple[Message, ...]:
    """Return the user's newest messages in a row: the unanswered ones, or those answered last."""
    found: list[Message] = []
    for entry in reversed(entries):
        if not isinstance(entry, Message) or not entry.is_said or entry.author is Author.SYSTEM:
            continue
        if entry.author is Author.USER:
            found.append(entry)
        elif found:
            break
    newest = window(found[::-1], max_tokens=max_tokens)
    return tuple([entry for entry in newest if isinstance(entry, Message)])


async def _ask_for_nobody() -> Handoff:
    return Handoff(outcome=HandoffOutcome.NOT_HANDED_OVER)
