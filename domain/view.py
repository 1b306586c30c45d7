"""The part of a conversation that a turn reads: bounded, whatever the length of the log."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from msgspec import Struct

from domain.business import DEFAULT_LANGUAGE, Business
from domain.handoff import UNKNOWN, Availability
from domain.identity import CoordinatorId
from domain.knowledge import Passage
from domain.message import Entry, Message, token_cost
from domain.session import Session
from domain.texts import NO_WORDS, Text, Words, localized

E = TypeVar("E", Message, Entry)

MAX_VIEW_ENTRIES = 1_000
"""The most entries of a view, however short they are."""
MAX_VIEW_TOKENS = 6_000
MAX_PENDING = 200
"""The entries of a burst that are searched for pending messages at once."""


class View(Struct, frozen=True, kw_only=True):
    """The input of an assistant. Users' texts are data, never instructions."""

    session: Session
    at: datetime
    """The time of the turn."""
    business: Business | None
    entries: tuple[Entry, ...]
    """The window, oldest first."""
    pending: tuple[Message, ...]
    """The user's messages that the turn is to answer, oldest first."""
    summary: str | None = None
    """The rolling summary of the entries before `entries`, as far as it goes."""
    over_soft_budget: bool = False
    """The business has spent much today: the cheaper model is to answer."""
    availability: Availability = UNKNOWN
    """Whether somebody would take the conversation over, by the business's hours."""
    passages: tuple[Passage, ...] = ()
    """What the business's documents say about `pending`, the best first."""
    is_suggestion: bool = False
    """The text is a draft for a coordinator, who sends it as their own or does not."""
    coordinator_id: CoordinatorId | None = None
    """For whom it is suggested; None: unknown."""

    @property
    def has_knowledge(self) -> bool:
        """True if the business has documents to search."""
        return self.business is not None and self.business.has_knowledge

    @property
    def question(self) -> str:
        """The text of the user's messages that the turn is to answer."""
        return "\n".join([message.text for message in self.pending if message.is_said])

    @property
    def language(self) -> str:
        """The customer's language, or else the business's."""
        if self.session.language is not None:
            return self.session.language
        return self.business.language if self.business else DEFAULT_LANGUAGE

    @property
    def words(self) -> Words:
        """The business's own wording of the server's texts."""
        return self.business.words if self.business else NO_WORDS

    def text(self, text: Text) -> str:
        """Return a text of the server in the customer's language."""
        return localized(self.language, text, self.words)


def window(
    entries: Sequence[Entry],
    *,
    max_tokens: int = MAX_VIEW_TOKENS,
    pending: Sequence[Message] = (),
) -> tuple[Entry, ...]:
    """Return the newest entries that fit, oldest first; the newest one always does.

    Only those that the AI may see, and MAX_VIEW_ENTRIES at most.

    The `pending` messages use up `max_tokens` first, wherever they are.
    """
    newest = [entry for entry in entries if entry.is_for_model][-MAX_VIEW_ENTRIES:]
    reserved = {message.seq for message in pending}
    budget = max_tokens - sum(map(token_cost, pending))
    kept = 0
    for entry in reversed(newest):
        if entry.seq not in reserved:
            budget -= token_cost(entry)
            if budget < 0 and kept > 0:
                break
        kept += 1
    return tuple(newest[len(newest) - kept :])


def pending_messages(session: Session, entries: Sequence[Entry]) -> tuple[Message, ...]:
    """Return what calls for an answer among `entries`, and no answer has settled, oldest first."""
    pending: list[Message] = []
    for entry in reversed(entries):
        if entry.seq <= session.settled_seq:
            break
        if isinstance(entry, Message) and entry.calls_for_answer:
            pending.append(entry)
    return tuple(reversed(pending))


def fit_to_budget(entries: tuple[E, ...], *, max_tokens: int = MAX_VIEW_TOKENS) -> tuple[E, ...]:
    """Return the first of `entries` that fit; always one, where there is one."""
    budget = max_tokens
    for count, entry in enumerate(entries):
        budget -= token_cost(entry)
        if budget < 0 and count > 0:
            return entries[:count]
    return entries
