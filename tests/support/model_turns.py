"""A turn of an assistant, as the application runs it: a view, tools, and the answer."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from adapters.model.assistant import ModelAssistant
from adapters.openai.client import OpenAIClient
from adapters.system import SystemClock
from application.ports import Assistant, Handoff, HandoffOutcome, Toolbox
from domain.business import Business, Reservation
from domain.decisions import record_user_message
from domain.identity import Customer, MessageId, customer
from domain.knowledge import Finding, Passage
from domain.message import Author, Message
from domain.session import Draft, Session
from domain.usage import Usage
from domain.view import View
from tests.support.assistants import Said
from tests.support.businesses import DEMO_BUSINESSES, demo_businesses
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


class UsedTools(Toolbox):
    """The tools of one turn, which record their calls."""

    def __init__(
        self,
        who: Customer,
        failure: Exception | None = None,
        passages: Sequence[Passage] = (),
    ) -> None:
        """`passages`: what every search finds."""
        self._who = who
        self._found = tuple([Finding(passage=each, score=1.0) for each in passages])
        self._businesses = demo_businesses()
        self._failure = failure
        self.used: list[str] = []
        self.handoff = Handoff(outcome=HandoffOutcome.REQUESTED)
        """What comes of a request for a human."""
        self.transfers: list[tuple[str, str]] = []
        self.queries: list[str] = []

    async def get_business(self) -> Business | None:
        self._use("get_business")
        return await self._businesses.business(self._who.business_id)

    async def get_reservations(self) -> tuple[Reservation, ...]:
        self._use("get_reservations")
        return await self._businesses.reservations(self._who)

    async def search_knowledge(self, query: str) -> tuple[Finding, ...]:
        self._use("search_knowledge")
        self.queries.append(query)
        return self._found

    async def transfer_to_live_chat(self, reason: str, summary: str) -> Handoff:
        self._use("transfer_to_live_chat")
        self.transfers.append((reason, summary))
        return self.handoff

    def _use(self, name: str) -> None:
        self.used.append(name)
        if self._failure is not None:
            raise self._failure


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
    **more: Any,
) -> Turn:
    """Run a turn that answers the last text. Raises: AssistantFailed.

    `failure`: the exception that the tools raise. `found`: what every search finds. `handoff`: what
    comes of a request for a human.
    """
    view = view_of(*(said or ("Bună!",)), **more)
    turn = Turn(UsedTools(view.session.customer, failure, found))
    turn.tools.handoff = handoff or turn.tools.handoff
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
