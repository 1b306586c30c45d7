"""A turn of an assistant, as the application runs it: a view, tools, and the answer."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from adapters.memory.businesses import MemoryBusinesses
from adapters.model.assistant import ModelAssistant
from adapters.openai.client import OpenAIClient
from adapters.prometheus import Metrics
from adapters.system import SystemClock
from application.policy import Policy
from application.ports import Assistant, Businesses, Handoff, HandoffOutcome, Knowledge
from application.tools import TurnTools
from domain.business import Business, Reservation
from domain.decisions import record_user_message
from domain.identity import BusinessId, Customer, MessageId, customer
from domain.knowledge import Finding, Passage
from domain.message import Author, Message
from domain.session import Draft, Session
from domain.usage import Usage
from domain.view import View
from tests.support.assistants import Said
from tests.support.businesses import DEMO_BUSINESSES, DEMO_RESERVATIONS
from tests.support.drafts import append_message
from tests.unit.domain.makers import at, new_session

BISTRO = DEMO_BUSINESSES[0]


class ShiftedClock(SystemClock):
    """The machine's clock, which can be moved forward."""

    def __init__(self) -> None:
        super().__init__()
        self._ahead_s = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self._ahead_s

    def forward(self, seconds: float) -> None:
        """Move the clock forward."""
        self._ahead_s += seconds


class _Sources(MemoryBusinesses, Knowledge):
    """The demo's businesses, and documents in which every search finds the same."""

    def __init__(self, passages: Sequence[Passage], failure: Exception | None) -> None:
        super().__init__(DEMO_BUSINESSES, DEMO_RESERVATIONS)
        self._found = tuple([Finding(passage=each, score=1.0) for each in passages])
        self._failure = failure
        self.queries: list[str] = []

    async def business(self, business_id: BusinessId) -> Business | None:
        self._fail()
        return await super().business(business_id)

    async def reservations(self, customer: Customer) -> tuple[Reservation, ...]:
        self._fail()
        return await super().reservations(customer)

    async def search(
        self, business_id: BusinessId, query: str, limit: int = 5
    ) -> tuple[Finding, ...]:
        self.queries.append(query)
        self._fail()
        return self._found

    def _fail(self) -> None:
        if self._failure is not None:
            raise self._failure


class UsedTools(TurnTools):
    """The tools of one turn over the demo's businesses, and what was called."""

    def __init__(
        self,
        view: View,
        failure: Exception | None = None,
        passages: Sequence[Passage] = (),
        handoff: Handoff | None = None,
        max_tool_calls: int = 5,
        businesses: Businesses | None = None,
        knowledge: Knowledge | None = None,
        **more: Any,
    ) -> None:
        """`failure`: the exception that all raise. `passages`: what every search finds. `handoff`:
        what comes of a request for a human. `businesses`, `knowledge`: are asked in their place.
        `more`: of the business's own tools."""
        sources = _Sources(passages, failure)

        async def ask_for_human() -> Handoff:
            if failure is not None:
                raise failure
            return handoff or Handoff(outcome=HandoffOutcome.REQUESTED)

        policy = Policy(turn_max_tool_calls=max_tool_calls)
        super().__init__(
            view,
            businesses or sources,
            knowledge or sources,
            policy,
            Metrics(),
            ask_for_human,
            **more,
        )
        self.queries = sources.queries

    @property
    def used(self) -> list[str]:
        """The names of the tools that were called."""
        return [use.name for use in self.uses]

    @property
    def transfers(self) -> list[str]:
        """The note of the request for a human, if there was one."""
        return [self.transfer] if self.transfer is not None else []


@dataclass(slots=True)
class Turn:
    """The outcome of a turn."""

    tools: UsedTools
    said: Said = field(default_factory=Said)
    usage: Usage | None = None

    @property
    def text(self) -> str:
        """The answer."""
        return "".join(self.said.pieces)


def conversation(*said: str, business_id: str = "b1") -> tuple[Session, tuple[Message, ...]]:
    """Return a session in which user and AI have written these texts in turns, and its log.

    The user speaks last.
    """
    session, log = _in(business_id), []
    for number, text in enumerate(said):
        message_id = MessageId(f"m{number}")
        if (len(said) - number) % 2:
            draft = record_user_message(session, new_session, message_id, text, at(60 * number))
        else:
            draft = Draft(session)
            append_message(
                draft,
                Author.AI,
                message_id,
                text,
                at(60 * number),
                settles_seq=session.last_user_seq,
            )
        session = draft.session
        log += [entry for entry in draft.entries if isinstance(entry, Message)]
    return session, tuple(log)


def _in(business_id: str) -> Session:
    made = new_session()
    return Session(
        session_id=made.session_id,
        customer=customer(business_id, "u1"),
        location_id=None,
        opened_at=made.opened_at,
        updated_at=made.updated_at,
    )


def view_of(*said: str, business: Business | None = BISTRO, **more: Any) -> View:
    """Return the view of such a conversation; its last message is pending."""
    session, log = conversation(*said)
    given = {"at": log[-1].at, "entries": log, "pending": log[-1:], **more}
    return View(session=session, business=business, **given)


async def ask(
    assistant: Assistant,
    *said: str,
    failure: Exception | None = None,
    found: Sequence[Passage] = (),
    handoff: Handoff | None = None,
    max_tool_calls: int = 5,
    **more: Any,
) -> Turn:
    """Run a turn that answers the last text. Raises: AssistantFailed.

    `failure`: the exception that the tools raise. `found`: what every search finds. `handoff`: what
    comes of a request for a human.
    """
    view = view_of(*(said or ("Bună!",)), **more)
    turn = Turn(UsedTools(view, failure, found, handoff, max_tool_calls))
    turn.usage = await assistant.answer(view, turn.tools, turn.said)
    return turn


@asynccontextmanager
async def openai_assistant(url: str, **chosen: Any) -> AsyncIterator[ModelAssistant]:
    """Return the product's assistant with the server at `url`; its model is `m1`."""
    settings = {"api_key": "key", "clock": SystemClock(), "timeout_s": 20.0, **chosen}
    key = settings.pop("api_key")
    how = {
        name: settings.pop(name)
        for name in ("api", "effort", "shows_first_at_once")
        if name in settings
    }
    names = [settings.pop("model", "m1"), settings.pop("fallback_model", "")]
    how.setdefault("shows_first_at_once", True)
    models = [OpenAIClient(url, key, name, settings["clock"], **how) for name in names if name]
    async with ModelAssistant(models, jitter=lambda: 0.0, **settings) as assistant:
        yield assistant
